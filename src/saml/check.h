/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SAML_CHECK_H
#define KEYPILOT_SAML_CHECK_H

#include "internal.h"

/*
 * A message under test while the rules go over it. One parse, one tree: what is read
 * later is the very node that was verified.
 */
struct saml_check {
        const struct kp_response_policy *policy;
        struct kp_federation_verdict *verdict;
        enum kp_saml_kind kind;

        xmlDoc *doc;
        xmlNode *root;
        bool root_signed;
        bool signed_beside; /* the root's signature signs the assertion */
        const char *root_algorithm;
        struct { /* a signature over the query string, checked by the binding */
                bool present, good;
        } query;

        xmlNode *status_code;

        xmlNode *assertion; /* NULL: none, or not yet decrypted */
        bool was_encrypted;
        bool assertion_signed;
        const char *assertion_algorithm;
        xmlNode *name_id;
        xmlNode *confirmation; /* the SubjectConfirmationData that holds */
        xmlNode *conditions;
        xmlNode *authn_statement;
};

/* One pass: 0, with verdict->rule set if refused, or -1. */
typedef int saml_pass(struct saml_check *check, struct kp_error *err);

struct saml_rule {
        struct kp_saml_rule rule;
        saml_pass *pass; /* NULL: applied within the pass before it */
        unsigned kinds;  /* set of 1 << enum kp_saml_kind */
};

/* Refuse, unless this receiver does not have that rule. Returns 0. */
int saml_object(struct saml_check *check, const char *rule, const char *format, ...)
        KP_PRINTF(3, 4);

/* rules_message.c */
saml_pass saml_pass_type, saml_pass_version, saml_pass_id, saml_pass_unique,
        saml_pass_issue_instant, saml_pass_root_signature, saml_pass_status,
        saml_pass_destination, saml_pass_issuer, saml_pass_in_response_to,
        saml_pass_logout_expiry, saml_pass_logout_subject, saml_pass_message_signed;
/* rules_assertion.c */
saml_pass saml_pass_one_assertion, saml_pass_decrypt, saml_pass_assertion_signed,
        saml_pass_covered, saml_pass_assertion_header, saml_pass_assertion_issuer,
        saml_pass_name_id, saml_pass_confirmation, saml_pass_conditions,
        saml_pass_audience, saml_pass_statement, saml_pass_context,
        saml_pass_attributes, saml_pass_replay;

/* Run the rules of the check's kind over its tree. */
int saml_run(struct saml_check *check, struct kp_error *err) KP_MUST_CHECK;

/* Parse, and refuse what cannot be read; check->doc is NULL then. */
int saml_open(struct saml_check *check, const void *xml, size_t xml_len,
        struct kp_error *err) KP_MUST_CHECK;
void saml_check_done(struct saml_check *check);

/* What it says, for JSON and for structs. */
int saml_facts(const struct saml_check *check, json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;
int saml_fill_response(struct saml_check *check, struct kp_login_response *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
