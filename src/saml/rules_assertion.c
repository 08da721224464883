/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/*
 * Rules about the assertion: that there is one, that a signature covers it, whom it
 * names, and whether it is for this service, now, and in answer to this request.
 * Spec: SAML 2.0 Core §2; Profiles §4.1.4.2, §4.1.4.3
 */

#define TEXT_MAX_LEN 1100 /* entity IDs have up to 1024 characters. Core §8.3.6 */

int
saml_pass_one_assertion(struct saml_check *check, struct kp_error *err)
{
        size_t n_plain = kp_xml_count(check->root, NS_ASSERTION, "Assertion");
        size_t n_encrypted =
                kp_xml_count(check->root, NS_ASSERTION, "EncryptedAssertion");

        (void)err;
        check->assertion = kp_xml_child(check->root, NS_ASSERTION, "Assertion");
        if (n_plain + n_encrypted == 0)
                return saml_object(check, "assertion-missing",
                        "the status is Success, and there is no assertion");
        if (n_plain + n_encrypted == 1)
                return 0;
        return saml_object(check, "assertion-several", "there are %zu assertions",
                n_plain + n_encrypted);
}

/* Put what is inside in the place of an encrypted element. */
static int
decrypt_here(struct saml_check *check, xmlNode *parent, const char *name, xmlNode **ret,
        struct kp_error *err)
{
        const struct kp_party *own = check->policy->own;
        xmlNode *encrypted = kp_xml_child(parent, NS_ASSERTION, name);
        char reason[200] = "";

        *ret = NULL;
        if (encrypted == NULL)
                return 0;
        if (own == NULL || own->key_pem == NULL)
                return saml_object(check, "encryption",
                        "<%s> cannot be read without this service's key", name);
        if (saml_decrypt(encrypted, own->key_pem, ret, reason, err) < 0)
                return -1;
        if (*ret == NULL)
                return saml_object(check, "encryption", "<%s>: %s", name, reason);
        return 0;
}

int
saml_pass_decrypt(struct saml_check *check, struct kp_error *err)
{
        char reason[200];

        if (check->kind == KP_SAML_LOGOUT_REQUEST) {
                if (check->name_id != NULL)
                        return 0;
                return decrypt_here(
                        check, check->root, "EncryptedID", &check->name_id, err);
        }
        if (check->assertion != NULL)
                return 0;
        if (decrypt_here(check, check->root, "EncryptedAssertion", &check->assertion,
                    err) < 0)
                return -1;
        if (check->assertion == NULL)
                return 0;
        check->was_encrypted = true;
        if (!kp_xml_is(check->assertion, NS_ASSERTION, "Assertion"))
                return saml_object(check, "encryption",
                        "<EncryptedAssertion> contains <%.60s>, which is no assertion",
                        (const char *)check->assertion->name);
        if (!saml_register_ids(check->doc, reason))
                return saml_object(check, "id-twice", "%s", reason);
        return 0;
}

/* The assertion's own signature, where it has one. */
static int
check_own_signature(struct saml_check *check, struct kp_error *err)
{
        const struct saml_signature_policy policy = {
                .cert_pem = check->policy->peer != NULL ? check->policy->peer->cert_pem
                                                        : NULL,
                .allow_sha1 = check->policy->allow_sha1,
                .off = check->policy,
        };
        enum saml_signature found;
        const char *rule = NULL;
        char reason[200] = "";

        if (check->assertion == NULL)
                return 0;
        if (saml_check_signature(check->assertion, &policy, &found,
                    &check->assertion_algorithm, &rule, reason, err) < 0)
                return -1;
        check->assertion_signed = found == SIGNATURE_GOOD ||
                                  (found == SIGNATURE_ABSENT && check->signed_beside);
        if (found == SIGNATURE_ABSENT && check->signed_beside)
                check->assertion_algorithm = check->root_algorithm;
        /*
         * DEVIATION SAML Profiles §4.1.4.3: it wants every signature verified; where
         * the response's own covers the assertion, we take a broken one on the
         * assertion as absent, as deployed services do. Who asks for a signed assertion
         * still refuses.
         */
        if (found != SIGNATURE_REFUSED || check->root_signed)
                return 0;
        return saml_object(check, rule, "Assertion: %s", reason);
}

int
saml_pass_assertion_signed(struct saml_check *check, struct kp_error *err)
{
        if (check_own_signature(check, err) < 0)
                return -1;
        if (check->verdict->rule == NULL && !check->root_signed &&
                !check->assertion_signed)
                (void)saml_object(check, "signature-missing",
                        "neither the response nor the assertion is signed");
        if (check->verdict->rule != NULL || check->assertion_signed ||
                !check->policy->want_assertion_signed)
                return 0;
        return saml_object(check, "assertion-signature-missing",
                "the assertion itself is not signed");
}

static bool
is_below(const xmlNode *node, const xmlNode *top)
{
        for (; node != NULL && node != top; node = node->parent)
                ;
        return node == top;
}

/* Inside what was signed, and not inside that signature, which signs all but itself. */
static bool
is_covered(const struct saml_check *check, const xmlNode *node)
{
        xmlNode *top = check->root_signed ? check->root : check->assertion;

        return is_below(node, top) &&
               !is_below(node, kp_xml_child(top, NS_DSIG, "Signature"));
}

int
saml_pass_covered(struct saml_check *check, struct kp_error *err)
{
        (void)err;
        for (xmlNode *node = NULL; (node = kp_xml_walk(check->root, node)) != NULL;) {
                if (!kp_xml_is(node, NS_ASSERTION, "Assertion") ||
                        node == check->assertion || is_covered(check, node))
                        continue;
                return saml_object(check, "assertion-position",
                        "an assertion in <%.60s> is covered by no signature",
                        (const char *)node->parent->name);
        }
        return 0;
}

int
saml_pass_assertion_header(struct saml_check *check, struct kp_error *err)
{
        const char *version = kp_xml_attr(check->assertion, "Version");
        const char *id = kp_xml_attr(check->assertion, "ID");
        const char *instant = kp_xml_attr(check->assertion, "IssueInstant");
        int64_t at;

        (void)err;
        if (version == NULL || strcmp(version, "2.0") != 0)
                (void)saml_object(check, "assertion-version",
                        "the assertion has Version '%.40s', not 2.0",
                        version != NULL ? version : "");
        else if (id == NULL || id[0] == '\0')
                (void)saml_object(check, "assertion-id", "the assertion has no ID");
        else if (instant == NULL || !saml_time(check->assertion, "IssueInstant", &at))
                (void)saml_object(check, "assertion-issue-instant",
                        "the assertion has no IssueInstant that is a time");
        return 0;
}

int
saml_pass_assertion_issuer(struct saml_check *check, struct kp_error *err)
{
        xmlNode *issuer = kp_xml_child(check->assertion, NS_ASSERTION, "Issuer");
        const struct kp_party *peer = check->policy->peer;
        char text[TEXT_MAX_LEN];

        (void)err;
        if (issuer == NULL || kp_xml_first(issuer) != NULL ||
                !kp_xml_text_into(issuer, text, sizeof(text)) || text[0] == '\0')
                return saml_object(
                        check, "assertion-issuer", "the assertion has no Issuer");
        if (peer != NULL && peer->entity_id != NULL &&
                strcmp(text, peer->entity_id) != 0)
                return saml_object(check, "assertion-issuer",
                        "the assertion's Issuer is '%.70s', expected was '%.70s'", text,
                        peer->entity_id);
        return 0;
}

int
saml_pass_name_id(struct saml_check *check, struct kp_error *err)
{
        xmlNode *subject = kp_xml_child(check->assertion, NS_ASSERTION, "Subject");
        const struct kp_party *own = check->policy->own;
        const char *qualifier;
        char text[TEXT_MAX_LEN];

        check->name_id = kp_xml_child(subject, NS_ASSERTION, "NameID");
        if (check->name_id == NULL &&
                decrypt_here(check, subject, "EncryptedID", &check->name_id, err) < 0)
                return -1;
        if (check->verdict->rule != NULL)
                return 0;
        if (!kp_xml_is(check->name_id, NS_ASSERTION, "NameID") ||
                kp_xml_count(subject, NS_ASSERTION, "NameID") > 1)
                return saml_object(check, "name-id", "the assertion has no NameID");
        if (kp_xml_first(check->name_id) != NULL)
                return saml_object(check, "name-id", "the NameID contains elements");
        if (!kp_xml_text_into(check->name_id, text, sizeof(text)) || text[0] == '\0')
                return saml_object(check, "name-id", "the NameID is %s",
                        check->name_id->children == NULL ? "empty"
                                                         : "empty or too long");
        qualifier = kp_xml_attr(check->name_id, "SPNameQualifier");
        if (qualifier == NULL || own == NULL || own->entity_id == NULL ||
                strcmp(qualifier, own->entity_id) == 0)
                return 0;
        return saml_object(check, "sp-name-qualifier",
                "the NameID is for '%.70s', not for '%.70s'", qualifier,
                own->entity_id);
}

/* ---- SubjectConfirmation: one that holds is enough ---- */

/* One bearer confirmation; what is wrong with it stands in the verdict. */
static int
check_confirmation(struct saml_check *check, xmlNode *data)
{
        const struct kp_response_policy *policy = check->policy;
        const char *here = policy->location != NULL || policy->own == NULL
                                   ? policy->location
                                   : policy->own->acs_url;
        const char *recipient = kp_xml_attr(data, "Recipient");
        const char *answers = kp_xml_attr(data, "InResponseTo");
        const char *until_text = kp_xml_attr(data, "NotOnOrAfter");
        int64_t until;

        /* who does not know its own address has nothing to hold the data against */
        if (data == NULL)
                return here == NULL ? 0
                                    : saml_object(check, "confirmation-data",
                                              "there is no SubjectConfirmationData");
        if (!saml_time(data, "NotOnOrAfter", &until))
                return saml_object(check, "confirmation-data",
                        "NotOnOrAfter '%.40s' of the confirmation is not a time",
                        until_text);
        if (kp_xml_attr(data, "NotBefore") != NULL)
                return saml_object(check, "confirmation-not-before",
                        "the confirmation has a NotBefore");
        if (here != NULL && recipient == NULL)
                (void)saml_object(check, "confirmation-recipient-missing",
                        "the confirmation has no Recipient");
        if (here != NULL && recipient != NULL && strcmp(recipient, here) != 0)
                (void)saml_object(check, "confirmation-recipient",
                        "Recipient is '%.70s', the response arrived at '%.70s'",
                        recipient, here);
        if (check->verdict->rule != NULL)
                return 0;
        if (until_text == NULL && here != NULL)
                return saml_object(check, "confirmation-data",
                        "the confirmation has no NotOnOrAfter");
        if (until_text != NULL && policy->now_ms >= until + policy->skew_ms)
                return saml_object(check, "confirmation-expired",
                        "the confirmation ended at %.40s", until_text);
        /*
         * DEVIATION SAML Profiles §4.1.4.3: it wants InResponseTo here too; we take a
         * missing one where the response names the request, as deployed services do.
         */
        if (answers == NULL || (policy->request_id != NULL &&
                                       strcmp(answers, policy->request_id) == 0))
                return 0;
        return saml_object(check, "confirmation-in-response-to",
                "the confirmation answers '%.60s', outstanding is '%.60s'", answers,
                policy->request_id != NULL ? policy->request_id : "nothing");
}

int
saml_pass_confirmation(struct saml_check *check, struct kp_error *err)
{
        xmlNode *subject = kp_xml_child(check->assertion, NS_ASSERTION, "Subject");
        struct kp_federation_verdict first = { 0 };
        bool any = false;

        (void)err;
        for (xmlNode *c = kp_xml_child(subject, NS_ASSERTION, "SubjectConfirmation");
                c != NULL; c = kp_xml_next(c, NS_ASSERTION, "SubjectConfirmation")) {
                const char *method = kp_xml_attr(c, "Method");
                xmlNode *data =
                        kp_xml_child(c, NS_ASSERTION, "SubjectConfirmationData");

                if (method == NULL || strcmp(method, METHOD_BEARER) != 0)
                        continue;
                any = true;
                (void)check_confirmation(check, data); /* always 0 */
                if (check->verdict->rule == NULL) {
                        check->confirmation = data;
                        return 0;
                }
                if (first.rule == NULL)
                        first = *check->verdict;
                memset(check->verdict, 0, sizeof(*check->verdict));
        }
        if (!any)
                return saml_object(check, "confirmation",
                        "there is no SubjectConfirmation with the method bearer");
        *check->verdict = first;
        return 0;
}

/* ---- Conditions ---- */

static bool
is_known_condition(const xmlNode *node)
{
        return kp_xml_is(node, NS_ASSERTION, "AudienceRestriction") ||
               kp_xml_is(node, NS_ASSERTION, "OneTimeUse") ||
               kp_xml_is(node, NS_ASSERTION, "ProxyRestriction");
}

int
saml_pass_conditions(struct saml_check *check, struct kp_error *err)
{
        const struct kp_response_policy *policy = check->policy;
        const char *from_text, *until_text;
        int64_t from, until;

        (void)err;
        check->conditions = kp_xml_child(check->assertion, NS_ASSERTION, "Conditions");
        if (kp_xml_count(check->assertion, NS_ASSERTION, "Conditions") != 1)
                (void)saml_object(check, "conditions", "there are %s Conditions",
                        check->conditions == NULL ? "no" : "several");
        if (check->verdict->rule != NULL || check->conditions == NULL)
                return 0;
        from_text = kp_xml_attr(check->conditions, "NotBefore");
        until_text = kp_xml_attr(check->conditions, "NotOnOrAfter");
        if (!saml_time(check->conditions, "NotBefore", &from))
                return saml_object(check, "not-yet-valid",
                        "NotBefore '%.40s' is not a time", from_text);
        if (!saml_time(check->conditions, "NotOnOrAfter", &until))
                return saml_object(check, "expired",
                        "NotOnOrAfter '%.40s' is not a time", until_text);
        if (from_text != NULL && policy->now_ms < from - policy->skew_ms)
                return saml_object(
                        check, "not-yet-valid", "it is valid from %.40s", from_text);
        if (until_text != NULL && policy->now_ms >= until + policy->skew_ms)
                return saml_object(
                        check, "expired", "it was valid until %.40s", until_text);
        for (xmlNode *c = kp_xml_first(check->conditions); c != NULL;
                c = kp_xml_after(c))
                if (!is_known_condition(c))
                        return saml_object(check, "condition-unknown",
                                "the condition <%.60s> is not known",
                                (const char *)c->name);
        return 0;
}

static bool
names_us(const xmlNode *restriction, const char *own)
{
        char text[TEXT_MAX_LEN];

        for (xmlNode *a = kp_xml_child(restriction, NS_ASSERTION, "Audience");
                a != NULL; a = kp_xml_next(a, NS_ASSERTION, "Audience"))
                if (kp_xml_first(a) == NULL &&
                        kp_xml_text_into(a, text, sizeof(text)) &&
                        strcmp(text, own) == 0)
                        return true;
        return false;
}

int
saml_pass_audience(struct saml_check *check, struct kp_error *err)
{
        const struct kp_party *own = check->policy->own;
        xmlNode *restriction =
                kp_xml_child(check->conditions, NS_ASSERTION, "AudienceRestriction");
        char text[TEXT_MAX_LEN];

        (void)err;
        if (own == NULL || own->entity_id == NULL)
                return 0;
        if (restriction == NULL)
                return saml_object(
                        check, "audience-missing", "there is no AudienceRestriction");
        for (; restriction != NULL; restriction = kp_xml_next(restriction, NS_ASSERTION,
                                            "AudienceRestriction")) {
                xmlNode *first = kp_xml_child(restriction, NS_ASSERTION, "Audience");

                if (names_us(restriction, own->entity_id))
                        continue;
                (void)kp_xml_text_into(first, text, sizeof(text)); /* "" if too long */
                return saml_object(check, "audience",
                        "the assertion is for '%.70s', not for '%.70s'", text,
                        own->entity_id);
        }
        return 0;
}

/* ---- AuthnStatement and attributes ---- */

int
saml_pass_statement(struct saml_check *check, struct kp_error *err)
{
        const char *until_text;
        int64_t at, until;

        (void)err;
        check->authn_statement =
                kp_xml_child(check->assertion, NS_ASSERTION, "AuthnStatement");
        if (check->authn_statement == NULL)
                return saml_object(
                        check, "authn-statement", "there is no AuthnStatement");
        if (kp_xml_attr(check->authn_statement, "AuthnInstant") == NULL ||
                !saml_time(check->authn_statement, "AuthnInstant", &at))
                return saml_object(check, "authn-statement",
                        "the AuthnStatement has no AuthnInstant that is a time");
        until_text = kp_xml_attr(check->authn_statement, "SessionNotOnOrAfter");
        if (!saml_time(check->authn_statement, "SessionNotOnOrAfter", &until) ||
                (until_text != NULL &&
                        check->policy->now_ms >= until + check->policy->skew_ms))
                return saml_object(check, "session-expired",
                        "the session at the provider ended at %.40s", until_text);
        return 0;
}

int
saml_pass_context(struct saml_check *check, struct kp_error *err)
{
        const struct kp_response_policy *policy = check->policy;
        xmlNode *context =
                kp_xml_child(check->authn_statement, NS_ASSERTION, "AuthnContext");
        char text[TEXT_MAX_LEN];

        (void)err;
        if (policy->contexts == NULL)
                return 0;
        (void)kp_xml_text_into(
                kp_xml_child(context, NS_ASSERTION, "AuthnContextClassRef"), text,
                sizeof(text)); /* "" if too long: then it is none of ours */
        for (size_t i = 0; i < policy->n_contexts; i++)
                if (strcmp(policy->contexts[i], text) == 0)
                        return 0;
        return saml_object(check, "authn-context", "the class is '%.120s'", text);
}

/* Whether an attribute of the same name and name format comes before this one. */
static bool
came_before(const xmlNode *assertion, const xmlNode *attribute)
{
        const char *name = kp_xml_attr(attribute, "Name");
        const char *format = kp_xml_attr(attribute, "NameFormat");

        for (xmlNode *s = kp_xml_child(assertion, NS_ASSERTION, "AttributeStatement");
                s != NULL; s = kp_xml_next(s, NS_ASSERTION, "AttributeStatement"))
                for (xmlNode *a = kp_xml_child(s, NS_ASSERTION, "Attribute"); a != NULL;
                        a = kp_xml_next(a, NS_ASSERTION, "Attribute")) {
                        const char *a_name = kp_xml_attr(a, "Name");
                        const char *a_format = kp_xml_attr(a, "NameFormat");

                        if (a == attribute)
                                return false;
                        if (name != NULL && a_name != NULL &&
                                strcmp(name, a_name) == 0 &&
                                strcmp(format != NULL ? format : "",
                                        a_format != NULL ? a_format : "") == 0)
                                return true;
                }
        return false;
}

int
saml_pass_attributes(struct saml_check *check, struct kp_error *err)
{
        xmlNode *s = kp_xml_child(check->assertion, NS_ASSERTION, "AttributeStatement");
        size_t n = 0;

        (void)err;
        for (; s != NULL; s = kp_xml_next(s, NS_ASSERTION, "AttributeStatement")) {
                if (kp_xml_child(s, NS_ASSERTION, "EncryptedAttribute") != NULL)
                        return saml_object(check, "attribute-encrypted",
                                "an attribute is encrypted, which is not supported");
                for (xmlNode *a = kp_xml_child(s, NS_ASSERTION, "Attribute"); a != NULL;
                        a = kp_xml_next(a, NS_ASSERTION, "Attribute")) {
                        if (++n > 500)
                                return saml_object(check, "attribute-twice",
                                        "there are more than 500 attributes");
                        if (came_before(check->assertion, a))
                                return saml_object(check, "attribute-twice",
                                        "an attribute occurs twice");
                }
        }
        return 0;
}

int
saml_pass_replay(struct saml_check *check, struct kp_error *err)
{
        const struct kp_response_policy *policy = check->policy;
        const char *id = kp_xml_attr(check->assertion, "ID");

        (void)err;
        if (policy->seen == NULL || id == NULL || !policy->seen(policy->seen_self, id))
                return 0;
        return saml_object(check, "replay", "the assertion was accepted before");
}
