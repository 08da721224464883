/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

#define RESPONSE (1u << KP_SAML_RESPONSE)
#define REQUEST (1u << KP_SAML_AUTHN_REQUEST)
#define LOGOUT (1u << KP_SAML_LOGOUT_REQUEST)
#define LOGOUT_ANSWER (1u << KP_SAML_LOGOUT_RESPONSE)
#define ANSWER (RESPONSE | LOGOUT_ANSWER)
#define ANY (RESPONSE | REQUEST | LOGOUT | LOGOUT_ANSWER)

/*
 * The rules, in the order in which they are applied: what it is, who signed it, what
 * the message says of itself, then the assertion from the outside in. A pass stands
 * with the first rule that it may refuse by; those below it without a pass of their own
 * belong to it.
 */
/* clang-format off */
static const struct saml_rule rules[] = {
        { { "message-size",               false, "ours", "A message has at most 1 MiB, also after it was inflated." }, NULL, ANY },
        { { "message-encoding",           false, "SAML 2.0 Bindings §3.4.4.1, §3.5.4", "Each parameter occurs once and is base64, in a redirect over DEFLATE." }, NULL, ANY },
        { { "relay-state",                false, "SAML 2.0 Bindings §3.4.3, §3.5.3", "RelayState has at most 80 bytes." }, NULL, ANY },
        { { "xml-well-formed",            false, "XML 1.0 §2.1; Namespaces in XML 1.0 §7", "The message is one well-formed document." }, NULL, ANY },
        { { "xml-doctype",                false, "ours; XML 1.0 §2.8", "It has no document type declaration, so no entities of its own." }, NULL, ANY },
        { { "xml-limits",                 false, "ours", "It is not nested deeper than 64, nor has it more than 20,000 elements or 64 attributes in one." }, NULL, ANY },
        { { "message-type",               false, "SAML 2.0 Core §3.2, §3.3.3", "The root is the kind of message that was expected." }, saml_pass_type, ANY },
        { { "version",                    false, "SAML 2.0 Core §3.2.1, §3.2.2", "The message says that it is SAML 2.0." }, saml_pass_version, ANY },
        { { "id",                         false, "SAML 2.0 Core §1.3.4, §3.2.1, §3.2.2", "The message has an ID." }, saml_pass_id, ANY },
        { { "id-form",                    true,  "SAML 2.0 Core §1.3.4; Namespaces in XML 1.0 §3", "An ID is a name: it does not begin with a digit." }, NULL, ANY },
        { { "id-twice",                   false, "SAML 2.0 Core §1.3.4; XML 1.0 §3.3.1", "No two elements have the same ID." }, saml_pass_unique, ANY },
        { { "issue-instant",              false, "SAML 2.0 Core §1.3.3, §3.2.1, §3.2.2", "IssueInstant is there, is a time, and is not a day ahead." }, saml_pass_issue_instant, ANY },
        { { "signature-position",         false, "SAML 2.0 Core §5.4.1", "A signature is a direct child of what it signs and holds nothing but its own parts." }, saml_pass_root_signature, ANY },
        { { "signature-order",            false,  "SAML 2.0 Core §2.3.3, §3.2.1, §3.2.2", "It follows the Issuer, as the schema has it." }, NULL, ANY },
        { { "signature-reference",        false, "SAML 2.0 Core §5.4.2", "It has one reference, to the ID of the element it is in." }, NULL, ANY },
        { { "signature-transforms",       false, "SAML 2.0 Core §5.4.4", "Its transforms are enveloped-signature and one canonical form." }, NULL, ANY },
        { { "signature-canonicalization", false, "SAML 2.0 Core §5.4.3", "The canonical form is one without comments." }, NULL, ANY },
        { { "signature-algorithm",        false, "SAML 2.0 Core §5.4.1; XML Signature §6", "It is an RSA or ECDSA signature over a SHA digest." }, NULL, ANY },
        { { "signature-sha1",             false, "XML Signature 1.1 §6.2.1", "It does not rest on SHA-1." }, NULL, ANY },
        { { "signature-key",              false, "SAML 2.0 Core §5.4.5; Metadata §2.4.1.1", "A certificate of the sender is known; the one in the message does not count." }, NULL, ANY },
        { { "signature-value",            false, "XML Signature §3.2", "Digest and signature fit the message and the sender's key." }, NULL, ANY },
        { { "status-missing",             false, "SAML 2.0 Core §3.2.2.1, §3.2.2.2", "An answer has a Status with a StatusCode." }, saml_pass_status, ANSWER },
        { { "status",                     false, "SAML 2.0 Core §3.2.2.2", "The status is Success." }, NULL, ANSWER },
        { { "message-signature-missing",  false, "SAML 2.0 Profiles §4.1.4.5, §4.4.4.1, §4.4.4.2", "The message itself is signed where the receiver asks for it." }, saml_pass_message_signed, ANY },
        { { "destination",                false, "SAML 2.0 Core §3.2.1, §3.2.2; Bindings §3.4.5.2, §3.5.5.2", "Destination is where the message arrived." }, saml_pass_destination, ANY },
        { { "destination-missing",        true,  "SAML 2.0 Bindings §3.4.5.2, §3.5.5.2", "A signed message has a Destination." }, NULL, ANY },
        { { "issuer",                     false, "SAML 2.0 Profiles §4.1.4.1, §4.1.4.2, §4.4.4.1", "The message names the party that was expected." }, saml_pass_issuer, ANY },
        { { "issuer-missing",             true,  "SAML 2.0 Profiles §4.1.4.1, §4.1.4.2, §4.4.4.1", "The message has an Issuer." }, NULL, ANY },
        { { "in-response-to",             false, "SAML 2.0 Core §3.2.2; Profiles §4.1.4.3", "InResponseTo is the ID of the request that is outstanding." }, saml_pass_in_response_to, ANSWER },
        { { "unsolicited",                false, "SAML 2.0 Profiles §4.1.5", "An answer that nobody asked for is accepted only where that is allowed." }, NULL, ANSWER },
        { { "logout-expired",             false, "SAML 2.0 Core §3.7.1", "NotOnOrAfter of a logout request is not past." }, saml_pass_logout_expiry, LOGOUT },
        { { "logout-name-id",             false, "SAML 2.0 Core §3.7.1, §2.2.3", "A logout request names whom, as text without elements." }, saml_pass_logout_subject, LOGOUT },
        { { "assertion-missing",          false, "SAML 2.0 Profiles §4.1.4.2", "A successful response has an assertion." }, saml_pass_one_assertion, RESPONSE },
        { { "assertion-several",          false, "SAML 2.0 Profiles §4.1.4.2; ours", "There is one assertion, so that it is clear who logs in." }, NULL, RESPONSE },
        { { "encryption",                 false, "SAML 2.0 Core §6.1; XML Encryption §4.2", "What is encrypted can be decrypted with the receiver's key." }, saml_pass_decrypt, RESPONSE | LOGOUT },
        { { "signature-missing",          false, "SAML 2.0 Profiles §4.1.4.5", "Over HTTP-POST the response or the assertion is signed." }, saml_pass_assertion_signed, RESPONSE },
        { { "assertion-signature-missing", false, "SAML 2.0 Metadata §2.4.4", "The assertion itself is signed where the receiver asks for it." }, NULL, RESPONSE },
        { { "assertion-position",         false, "SAML 2.0 Core §5.4.2; ours", "No assertion lies outside what is signed." }, saml_pass_covered, RESPONSE },
        { { "assertion-version",          false, "SAML 2.0 Core §2.3.3", "The assertion has Version 2.0." }, saml_pass_assertion_header, RESPONSE },
        { { "assertion-id",               false, "SAML 2.0 Core §2.3.3", "The assertion has an ID." }, NULL, RESPONSE },
        { { "assertion-issue-instant",    false, "SAML 2.0 Core §2.3.3, §1.3.3", "The assertion has an IssueInstant, and it is a time." }, NULL, RESPONSE },
        { { "assertion-issuer",           false, "SAML 2.0 Core §2.3.3; Profiles §4.1.4.2", "The assertion names the provider that was expected." }, saml_pass_assertion_issuer, RESPONSE },
        { { "name-id",                    false, "SAML 2.0 Core §2.4.1, §2.2.3; Profiles §4.1.4.2", "The subject has a NameID, as text without elements." }, saml_pass_name_id, RESPONSE },
        { { "sp-name-qualifier",          true,  "SAML 2.0 Core §2.2.2, §8.3.7", "SPNameQualifier, if given, is this service." }, NULL, RESPONSE },
        { { "confirmation",               false, "SAML 2.0 Core §2.4.1.1; Profiles §4.1.4.2", "There is a SubjectConfirmation with the method bearer." }, saml_pass_confirmation, RESPONSE },
        { { "confirmation-data",          false, "SAML 2.0 Profiles §4.1.4.2", "It has SubjectConfirmationData with a NotOnOrAfter." }, NULL, RESPONSE },
        { { "confirmation-not-before",    true,  "SAML 2.0 Profiles §4.1.4.2", "SubjectConfirmationData has no NotBefore." }, NULL, RESPONSE },
        { { "confirmation-recipient-missing", true, "SAML 2.0 Profiles §4.1.4.2", "The confirmation has a Recipient." }, NULL, RESPONSE },
        { { "confirmation-recipient",     false, "SAML 2.0 Profiles §4.1.4.3", "Recipient is the address where the response arrived." }, NULL, RESPONSE },
        { { "confirmation-expired",       false, "SAML 2.0 Profiles §4.1.4.3", "NotOnOrAfter of the confirmation is not past." }, NULL, RESPONSE },
        { { "confirmation-in-response-to", false, "SAML 2.0 Profiles §4.1.4.3", "InResponseTo of the confirmation is the outstanding request." }, NULL, RESPONSE },
        { { "conditions",                 true,  "SAML 2.0 Profiles §4.1.4.2; Core §2.5.1", "The assertion has Conditions, once, with times that are times." }, saml_pass_conditions, RESPONSE },
        { { "not-yet-valid",              false, "SAML 2.0 Core §2.5.1.2", "NotBefore is not in the future." }, NULL, RESPONSE },
        { { "expired",                    false, "SAML 2.0 Core §2.5.1.2", "NotOnOrAfter is not past." }, NULL, RESPONSE },
        { { "condition-unknown",          false, "SAML 2.0 Core §2.5.1", "There is no condition that this reader does not know." }, NULL, RESPONSE },
        { { "audience",                   false, "SAML 2.0 Core §2.5.1.4", "Every AudienceRestriction names this service." }, saml_pass_audience, RESPONSE },
        { { "audience-missing",           true,  "SAML 2.0 Profiles §4.1.4.2", "There is an AudienceRestriction." }, NULL, RESPONSE },
        { { "authn-statement",            true,  "SAML 2.0 Profiles §4.1.4.2; Core §2.7.2", "There is an AuthnStatement with an AuthnInstant." }, saml_pass_statement, RESPONSE },
        { { "session-expired",            false, "SAML 2.0 Core §2.7.2", "SessionNotOnOrAfter is not past." }, NULL, RESPONSE },
        { { "authn-context",              false, "SAML 2.0 Core §3.3.2.2.1", "The stated class is one that the service accepts." }, saml_pass_context, RESPONSE },
        { { "attribute-encrypted",        true,  "SAML 2.0 Core §2.7.3.2", "No attribute is encrypted: this reader would miss it." }, saml_pass_attributes, RESPONSE },
        { { "attribute-twice",            true,  "SAML 2.0 Core §2.7.3.1; ours", "No attribute occurs twice: readers differ in which one they take." }, NULL, RESPONSE },
        { { "replay",                     false, "SAML 2.0 Profiles §4.1.4.5", "The assertion was not accepted before." }, saml_pass_replay, RESPONSE },
        { { "value-length",               false, "ours; SAML 2.0 Core §8.3.6", "What identifies people and parties has at most 255 bytes." }, NULL, ANY },
};
/* clang-format on */

const struct kp_saml_rule *
kp_saml_rules(size_t *ret_n)
{
        static struct kp_saml_rule list[KP_NELEMS(rules)];

        for (size_t i = 0; i < KP_NELEMS(rules); i++)
                list[i] = rules[i].rule;
        *ret_n = KP_NELEMS(rules);
        return list;
}

const struct kp_saml_rule *
kp_saml_rule_find(const char *id)
{
        for (size_t i = 0; i < KP_NELEMS(rules); i++)
                if (strcmp(rules[i].rule.id, id) == 0)
                        return &rules[i].rule;
        return NULL;
}

bool
saml_rule_is_on(const struct kp_response_policy *policy, const char *rule)
{
        const struct kp_saml_rule *entry;

        if (policy == NULL)
                return true;
        for (size_t i = 0; i < policy->n_off; i++)
                if (strcmp(policy->off[i], rule) == 0)
                        return false;
        entry = policy->lenient ? kp_saml_rule_find(rule) : NULL;
        return entry == NULL || !entry->strict_only;
}

int
saml_object(struct saml_check *check, const char *rule, const char *format, ...)
{
        char reason[sizeof(check->verdict->reason)];
        va_list args;

        if (!saml_rule_is_on(check->policy, rule))
                return 0;
        va_start(args, format);
        (void)vsnprintf(reason, sizeof(reason), format, args);
        va_end(args);
        return saml_refuse(check->verdict, rule, "%s", reason);
}

int
saml_run(struct saml_check *check, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(rules); i++) {
                if (rules[i].pass == NULL ||
                        (rules[i].kinds & (1u << check->kind)) == 0)
                        continue;
                if (rules[i].pass(check, err) < 0)
                        return -1;
                if (check->verdict->rule != NULL)
                        return 0;
        }
        check->verdict->accepted = true;
        return 0;
}
