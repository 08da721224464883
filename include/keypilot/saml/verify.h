/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SAML_VERIFY_H
#define KEYPILOT_SAML_VERIFY_H

#include <jansson.h>

#include "keypilot/model/federation.h"

/*
 * Messages under test: XML in, accepted or the rule that refused it. The rules are
 * named, stand in the order in which they are applied, and can be switched off one by
 * one, which is how a service that checks less is simulated.
 *
 * A party's entity_id, acs_url or cert_pem that is NULL is not known: what would be
 * compared with it is not checked, and without a certificate no signature counts.
 */

struct kp_saml_rule {
        const char *id;   /* "audience" */
        bool strict_only; /* a lenient reader does without */
        const char *spec;
        const char *what; /* what it asks, one sentence */
};

/* All rules in order. */
const struct kp_saml_rule *kp_saml_rules(size_t *ret_n);
const struct kp_saml_rule *kp_saml_rule_find(const char *id); /* NULL: no such rule */

enum kp_saml_kind {
        KP_SAML_RESPONSE,
        KP_SAML_AUTHN_REQUEST,
        KP_SAML_LOGOUT_REQUEST,
        KP_SAML_LOGOUT_RESPONSE,
};

/*
 * Verify a message that stands alone, decoded.
 *
 * policy     want_response_signed asks for a signature on any kind of message
 * ret_facts  what it says, also if refused: an object, or NULL if it is no message at
 *            all; the caller releases it with json_decref(). NULL: not wanted
 * Errors     the harness's own only
 */
int kp_saml_verify(enum kp_saml_kind kind, const void *xml, size_t xml_len,
        const struct kp_response_policy *policy, struct kp_federation_verdict *verdict,
        json_t **ret_facts, struct kp_error *err) KP_MUST_CHECK;

/*
 * What a message says, with nothing checked: members id, destination, in_response_to,
 * issue_instant, issuer, audience, recipient, scd_not_on_or_after, not_before,
 * not_on_or_after, authn_context, name_id: texts as they stand, null where absent.
 * Where an element occurs several times, the first one.
 *
 * ret      an object, or with the member "parse_error" alone; the caller releases it
 */
int kp_saml_peek(const void *xml, size_t xml_len, json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
