/* SPDX-License-Identifier: BSD-2-Clause */
#include "messages.h"

/*
 * Each rule refuses a message that differs from a good one in exactly one thing, and
 * the good one is accepted.
 */
TestSuite(rules, .init = parties_start, .fini = parties_stop);

#define SAML_CM "urn:oasis:names:tc:SAML:2.0:cm:"

/* One change to a good message, and the rule that must see it. */
struct change {
        const char *rule;
        const char *from, *to;
        bool again; /* signed again afterwards, by the provider: honestly wrong */
        const char *after; /* look behind this; NULL: from the start */
};

/* clang-format off */
static const struct change changes[] = {
        { "xml-well-formed",             "</saml:Assertion>", "</saml:Assertion", false },
        { "xml-well-formed",             "</samlp:Response>", "</samlp:Response><more/>", false },
        { "xml-well-formed",             "<samlp:Status>", "<samlp:Status>&unknown;", false },
        { "xml-doctype",                 "<samlp:Response", "<!DOCTYPE x><samlp:Response", false },
        { "message-type",                "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"", "<samlp:Response xmlns:samlp=\"urn:example\"", false },
        { "version",                     "Version=\"2.0\"", "Version=\"1.1\"", false },
        { "version",                     " Version=\"2.0\"", "", false },
        { "id",                          "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=", "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" Id=", false },
        { "id-form",                     " ID=\"_", " ID=\"0", false },
        { "id-twice",                    "<samlp:StatusCode ", "<samlp:StatusCode ID=\"a\" ID2=\"b\"><samlp:X ID=\"a\"/></samlp:StatusCode><samlp:StatusCode ", false },
        { "issue-instant",               "IssueInstant=\"2026-09-01T08:00:00Z\"", "IssueInstant=\"yesterday\"", false },
        { "issue-instant",               " IssueInstant=\"2026-09-01T08:00:00Z\"", "", false },
        { "issue-instant",               "IssueInstant=\"2026-09-01T08:00:00Z\"", "IssueInstant=\"2026-09-03T08:00:00Z\"", false },
        { "issue-instant",               "IssueInstant=\"2026-09-01T08:00:00Z\"", "IssueInstant=\"2026-09-01\"", false },
        { "signature-position",          "<samlp:Status>", "<samlp:Status><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/>", false },
        { "signature-position",          "<ds:SignatureValue>", "<ds:Object/><ds:SignatureValue>", false },
        { "signature-position",          "<ds:KeyInfo>", "<saml:Assertion/><ds:KeyInfo>", false },
        { "signature-order",             "<ds:Signature ", "<saml:X/><ds:Signature ", true },
        { "signature-reference",         "<ds:Reference URI=\"#_", "<ds:Reference URI=\"#x", false },
        { "signature-reference",         "<ds:Reference URI=\"#", "<ds:Reference URI=\"", false },
        { "signature-reference",         "</ds:Reference>", "</ds:Reference><ds:Reference URI=\"\"/>", false },
        { "signature-transforms",        "</ds:Transforms>", "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>", false },
        { "signature-transforms",        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>", "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"><xsl:stylesheet xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" version=\"1.0\"/></ds:Transform>", false },
        { "signature-transforms",        "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>", "", false },
        { "signature-transforms",        "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>", "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"/>", false },
        { "signature-canonicalization",  "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>", "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#WithComments\"/>", false },
        { "signature-algorithm",         "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", false },
        { "signature-algorithm",         "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#md5", false },
        { "signature-sha1",              "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", true },
        { "signature-sha1",              "http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1", true },
        { "signature-value",             "teacher@school.example", "principal@school.example", false },
        { "signature-value",             "<ds:DigestValue>", "<ds:DigestValue>AAAA", false },
        { "signature-value",             "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", false },
        { "status-missing",              "<samlp:Status><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>", "", false },
        { "status-missing",              "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/>", "", false },
        { "status",                      "status:Success", "status:Responder", false },
        { "destination",                 "Destination=\"https://service.example", "Destination=\"https://evil.example", false },
        { "destination",                 "Destination=\"https://service.example/saml/acs?tenant=1&amp;x=&lt;2&gt;\"", "Destination=\"\"", false },
        { "issuer",                      "<saml:Issuer>https://idp.school.example/metadata</saml:Issuer><samlp:Status>", "<saml:Issuer>https://idp.other.example/metadata</saml:Issuer><samlp:Status>", false },
        { "issuer",                      "<saml:Issuer>https://idp.school.example/metadata</saml:Issuer><samlp:Status>", "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:transient\">https://idp.school.example/metadata</saml:Issuer><samlp:Status>", false },
        { "issuer-missing",              "<saml:Issuer>https://idp.school.example/metadata</saml:Issuer><samlp:Status>", "<samlp:Status>", false },
        { "in-response-to",              " InResponseTo=\"_request1\">", " InResponseTo=\"_request2\">", false },
        { "unsolicited",                 " InResponseTo=\"_request1\">", ">", false },
        { "assertion-version",           "Version=\"2.0\"", "Version=\"2.1\"", true, "<saml:Assertion" },
        { "assertion-issue-instant",     "IssueInstant=\"2026-09-01T08:00:00Z\"", "IssueInstant=\"now\"", true, "<saml:Assertion" },
        { "signature-position",          "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">", "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/><ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">", false },
        { "assertion-issuer",            "idp.school.example", "idp.other.example", true, "<saml:Assertion" },
        { "assertion-issuer",            "<saml:Issuer>https://idp.school.example/metadata</saml:Issuer>", "", true, "<saml:Assertion" },
        { "assertion-position",          "<samlp:Status>", "<samlp:Extensions><saml:Assertion ID=\"_evil\"/></samlp:Extensions><samlp:Status>", false },
        { "assertion-several",           "</samlp:Response>", "<saml:Assertion ID=\"_evil\"/></samlp:Response>", false },
        { "name-id",                     ">teacher@school.example<", "> <", true },
        { "name-id",                     ">teacher@school.example<", "><saml:X>teacher@school.example</saml:X><", true },
        { "sp-name-qualifier",           "SPNameQualifier=\"https://service.example/saml\"", "SPNameQualifier=\"https://other.example/saml\"", true },
        { "confirmation",                SAML_CM "bearer", SAML_CM "sender-vouches", true },
        { "confirmation-data",           "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-09-01T08:05:00Z\"", "<saml:SubjectConfirmationData", true },
        { "confirmation-data",           "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-09-01T08:05:00Z\"", "<saml:SubjectConfirmationData NotOnOrAfter=\"soon\"", true },
        { "confirmation-not-before",     "<saml:SubjectConfirmationData", "<saml:SubjectConfirmationData NotBefore=\"2026-09-01T07:00:00Z\"", true },
        { "confirmation-recipient",      " Recipient=\"https://service.example", " Recipient=\"https://evil.example", true },
        { "confirmation-recipient-missing", " Recipient=\"https://service.example/saml/acs?tenant=1&amp;x=&lt;2&gt;\"", "", true },
        { "confirmation-expired",        "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-09-01T08:05:00Z\"", "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-09-01T08:00:00Z\"", true },
        { "confirmation-in-response-to", " InResponseTo=\"_request1\"/>", " InResponseTo=\"_request2\"/>", true },
        { "conditions",                  "</saml:Conditions>", "</saml:Conditions><saml:Conditions/>", true },
        { "not-yet-valid",               "<saml:Conditions NotBefore=\"2026-09-01T07:59:00Z\"", "<saml:Conditions NotBefore=\"2026-09-01T08:00:01Z\"", true },
        { "expired",                     "NotOnOrAfter=\"2026-09-01T09:00:00Z\"", "NotOnOrAfter=\"2026-09-01T08:00:00Z\"", true },
        { "condition-unknown",           "</saml:AudienceRestriction>", "</saml:AudienceRestriction><saml:Condition/>", true },
        { "audience",                    "<saml:Audience>https://service.example/saml<", "<saml:Audience>https://other.example/saml<", true },
        { "audience",                    "</saml:AudienceRestriction>", "</saml:AudienceRestriction><saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction>", true },
        { "audience",                    "<saml:Audience>https://service.example/saml</saml:Audience>", "<saml:Audience/>", true },
        { "audience-missing",            "<saml:AudienceRestriction><saml:Audience>https://service.example/saml</saml:Audience></saml:AudienceRestriction>", "", true },
        { "authn-statement",             "AuthnInstant=\"2026-09-01T07:59:00Z\"", "", true },
        { "session-expired",             "SessionNotOnOrAfter=\"2026-09-01T16:00:00Z\"", "SessionNotOnOrAfter=\"2026-09-01T08:00:00Z\"", true },
        { "attribute-encrypted",         "<saml:AttributeStatement>", "<saml:AttributeStatement><saml:EncryptedAttribute/>", true },
        { "attribute-twice",             "<saml:AttributeStatement>", "<saml:AttributeStatement><saml:Attribute Name=\"eduPersonAffiliation\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:basic\"/>", true },
};
/* clang-format on */

static void
expect_rule(const char *text, const struct kp_response_policy *policy, const char *rule,
        const char *what)
{
        struct kp_federation_verdict verdict = judge(text, policy);

        cr_expect(!verdict.accepted, "%s: accepted", what);
        cr_expect_str_eq(verdict.rule != NULL ? verdict.rule : "none", rule, "%s: %s",
                what, verdict.reason);
        cr_expect_neq(verdict.reason[0], '\0', "%s: a reason is told", what);
        cr_expect_not_null(verdict.spec, "%s: the specification is told", what);
}

Test(rules, refuse_a_message_with_one_wrong_thing_and_accept_its_neighbour)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        char *again = signed_again(good, provider.key_pem);

        cr_assert(judge(good, &policy).accepted, "%s", judge(good, &policy).reason);
        cr_assert(judge(again, &policy).accepted, "signing again changes nothing: %s",
                judge(again, &policy).reason);
        for (size_t i = 0; i < KP_NELEMS(changes); i++) {
                const struct change *c = &changes[i];
                char *spoiled = c->after == NULL ? replaced(good, c->from, c->to)
                                                 : replaced_behind(good, c->after,
                                                           c->from, c->to);
                char *text;

                text = c->again ? signed_again(spoiled, provider.key_pem)
                                : strdup(spoiled);
                expect_rule(text, &policy, c->rule, c->to);
                free(text);
                free(spoiled);
        }
        free(again);
        free(good);
}

/* ---- what depends on the receiver ---- */

Test(rules, a_signature_has_to_be_there_and_from_the_right_provider)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login();
        struct kp_party nobody = provider;
        char *good = login_xml(login), *other, *text;

        login.sign_assertion = false;
        text = login_xml(login);
        expect_rule(text, &policy, "signature-missing", "nothing signed");
        free(text);

        other = signed_again(good, provider2.key_pem);
        expect_rule(other, &policy, "signature-value", "signed by another provider");
        policy.peer = &provider2;
        expect_rule(good, &policy, "issuer", "from another provider than expected");
        policy.peer = &nobody;
        nobody.cert_pem = NULL;
        expect_rule(good, &policy, "signature-key", "no certificate known");
        policy.peer = NULL;
        expect_rule(good, &policy, "issuer", "no provider known");
        free(other);
        free(good);
}

Test(rules, what_has_to_be_signed_is_the_receivers_wish)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login();
        char *by_assertion = login_xml(login), *by_response, *by_both;

        login.sign_response = true;
        by_both = login_xml(login);
        login.sign_assertion = false;
        by_response = login_xml(login);

        cr_expect(judge(by_assertion, &policy).accepted);
        cr_expect(judge(by_response, &policy).accepted, "%s",
                judge(by_response, &policy).reason);
        cr_expect(judge(by_both, &policy).accepted);
        policy.want_response_signed = true;
        expect_rule(by_assertion, &policy, "message-signature-missing",
                "response unsigned");
        cr_expect(judge(by_response, &policy).accepted);
        cr_expect(judge(by_both, &policy).accepted);
        policy.want_assertion_signed = true;
        expect_rule(by_response, &policy, "assertion-signature-missing",
                "assertion unsigned");
        cr_expect(judge(by_both, &policy).accepted);
        free(by_assertion);
        free(by_response);
        free(by_both);
}

Test(rules, one_of_several_certificates_is_enough)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_party rolling = provider;
        char *good = login_xml(good_login());

        rolling.cert_pem = kp_format("%s%s", provider2.cert_pem, provider.cert_pem);
        policy.peer = &rolling;
        cr_expect(judge(good, &policy).accepted, "%s", judge(good, &policy).reason);
        free((char *)rolling.cert_pem);
        free(good);
}

Test(rules, a_signed_message_has_a_destination)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login();
        char *good, *without, *text;

        login.sign_response = true;
        good = login_xml(login);
        without = replaced(good,
                " Destination=\"https://service.example/saml/"
                "acs?tenant=1&amp;x=&lt;2&gt;\"",
                "");
        text = signed_again(without, provider.key_pem);
        expect_rule(text, &policy, "destination-missing", "signed, and no Destination");
        policy.lenient = true;
        cr_expect(judge(text, &policy).accepted, "%s", judge(text, &policy).reason);
        free(text);
        free(without);
        free(good);
}

Test(rules, a_response_may_be_unsolicited_only_where_that_is_allowed)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login();
        char *text;

        login.in_response_to[0] = '\0';
        text = login_xml(login);
        expect_rule(text, &policy, "unsolicited", "a request is outstanding");
        policy.request_id = NULL;
        expect_rule(text, &policy, "unsolicited", "nobody asked");
        policy.allow_unsolicited = true;
        cr_expect(judge(text, &policy).accepted, "%s", judge(text, &policy).reason);
        free(text);

        text = login_xml(good_login());
        expect_rule(
                text, &policy, "in-response-to", "an answer to nothing outstanding");
        free(text);
}

Test(rules, an_error_is_told_by_its_codes_and_without_a_signature)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login(), read;
        struct kp_federation_verdict verdict;
        char *text;

        login.sign_assertion = false;
        snprintf(login.status[0], 128, "urn:oasis:names:tc:SAML:2.0:status:Responder");
        snprintf(login.status[1], 128,
                "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext");
        snprintf(login.status_message, 128, "no such <context>");
        text = login_xml(login);
        cr_assert_null(strstr(text, "Assertion "), "an error carries no assertion");
        verdict = receive_post(text, NULL, &policy, &read);
        cr_expect_str_eq(verdict.rule, "status");
        cr_expect_str_eq(verdict.reason, "the status is Responder/NoAuthnContext");
        cr_expect_str_eq(
                read.status[0], login.status[0], "codes are read all the same");
        cr_expect_str_eq(read.status[1], login.status[1]);
        cr_expect_str_eq(read.status_message, login.status_message);
        cr_expect_str_eq(read.in_response_to, "_request1");
        free(text);
}

Test(rules, success_needs_an_assertion)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        char *text = kp_format("%.*s</samlp:Response>",
                (int)(strstr(good, "<saml:Assertion") - good), good);

        expect_rule(text, &policy, "assertion-missing", "no assertion");
        free(text);
        free(good);
}

Test(rules, the_class_has_to_be_one_of_those_accepted)
{
        static const char *const wanted[] = { "urn:a",
                "https://refeds.org/profile/mfa" };
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());

        policy.contexts = wanted;
        policy.n_contexts = 1;
        expect_rule(good, &policy, "authn-context", "another class");
        policy.n_contexts = 2;
        cr_expect(judge(good, &policy).accepted);
        free(good);
}

static bool
seen_before(void *self, const char *assertion_id)
{
        cr_expect_eq(assertion_id[0], '_');
        return *(bool *)self;
}

Test(rules, an_assertion_is_accepted_once)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        bool seen = false;

        policy.seen = seen_before;
        policy.seen_self = &seen;
        cr_expect(judge(good, &policy).accepted);
        seen = true;
        expect_rule(good, &policy, "replay", "seen before");
        free(good);
}

Test(rules, skew_moves_both_ends_of_every_window)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());

        policy.now_ms = NOW - MINUTE;
        cr_expect(judge(good, &policy).accepted, "at NotBefore");
        policy.now_ms = NOW - MINUTE - 1;
        expect_rule(good, &policy, "not-yet-valid", "a moment before NotBefore");
        policy.skew_ms = 1;
        cr_expect(judge(good, &policy).accepted, "within the skew");
        policy.now_ms = NOW + 5 * MINUTE;
        cr_expect(judge(good, &policy).accepted, "within the skew");
        policy.skew_ms = 0;
        expect_rule(good, &policy, "confirmation-expired", "at NotOnOrAfter");
        free(good);
}

Test(rules, one_good_confirmation_among_bad_ones_is_enough)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        char *more = replaced(good, "<saml:SubjectConfirmation ",
                "<saml:SubjectConfirmation Method=\"" METHOD_BEARER
                "\"><saml:SubjectConfirmationData Recipient=\"urn:x\"/>"
                "</saml:SubjectConfirmation><saml:SubjectConfirmation ");
        char *text = signed_again(more, provider.key_pem);

        cr_expect(judge(text, &policy).accepted, "%s", judge(text, &policy).reason);
        free(text);
        free(more);
        free(good);
}

Test(rules, times_may_have_fractions_or_no_zone)
{
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        char *one = replaced(good, "NotOnOrAfter=\"2026-09-01T09:00:00Z\"",
                "NotOnOrAfter=\"2026-09-01T09:00:00.123456\"");
        char *text = signed_again(one, provider.key_pem);

        cr_expect(judge(text, &policy).accepted, "%s", judge(text, &policy).reason);
        free(text);
        free(one);
        free(good);
}

Test(rules, a_switched_off_rule_lets_its_message_through)
{
        static const char *const off[] = { "audience", "confirmation-recipient" };
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        char *other = replaced(good, "<saml:Audience>https://service.example/saml<",
                "<saml:Audience>https://other.example/saml<");
        char *text = signed_again(other, provider.key_pem);

        expect_rule(text, &policy, "audience", "another audience");
        policy.off = off;
        policy.n_off = KP_NELEMS(off);
        cr_expect(judge(text, &policy).accepted, "%s", judge(text, &policy).reason);
        free(text);
        free(other);
        free(good);
}

Test(rules, a_receiver_without_any_rule_still_does_not_crash)
{
        const char *off[100];
        struct kp_response_policy policy = strict_policy();
        char *good = login_xml(good_login());
        size_t n;
        const struct kp_saml_rule *all = kp_saml_rules(&n);

        cr_assert_leq(n, KP_NELEMS(off));
        for (size_t i = 0; i < n; i++)
                off[i] = all[i].id;
        policy.off = off;
        policy.n_off = n;
        for (size_t i = 0; i < KP_NELEMS(changes); i++) {
                const struct change *c = &changes[i];
                char *text = c->after == NULL
                                     ? replaced(good, c->from, c->to)
                                     : replaced_behind(good, c->after, c->from, c->to);
                struct kp_federation_verdict verdict = judge(text, &policy);

                if (strncmp(c->rule, "xml-", 4) != 0)
                        cr_expect(verdict.accepted, "%s: %s", c->rule, verdict.reason);
                free(text);
        }
        free(good);
}

/* ---- the table ---- */

Test(rules, are_named_once_and_say_what_they_ask)
{
        size_t n;
        const struct kp_saml_rule *all = kp_saml_rules(&n);

        cr_assert_gt(n, 50);
        for (size_t i = 0; i < n; i++) {
                cr_expect_eq(kp_saml_rule_find(all[i].id)->what, all[i].what,
                        "%s is there twice", all[i].id);
                cr_expect_gt(
                        strlen(all[i].what), 20, "%s says what it asks", all[i].id);
                cr_expect_gt(strlen(all[i].spec), 3, "%s says where it comes from",
                        all[i].id);
                for (const char *c = all[i].id; *c != '\0'; c++)
                        cr_expect(*c == '-' || (*c >= 'a' && *c <= 'z') ||
                                          (*c >= '0' && *c <= '9'),
                                "%s is kebab-case", all[i].id);
        }
        cr_expect_null(kp_saml_rule_find("no-such-rule"));
}

/* docs/saml-rules.md has a row for each, in this order. */
Test(rules, are_all_in_the_documentation)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf doc = { 0 };
        char *path = kp_format("%s/docs/saml-rules.md", getenv("KEYPILOT_SOURCE"));
        struct kp_error err = { 0 };
        const char *at;
        size_t n;
        const struct kp_saml_rule *all = kp_saml_rules(&n);

        cr_assert_eq(
                kp_file_read(path, 1 << 20, &doc, &err), 0, "%s", err.frames[0].text);
        at = kp_buf_str(&doc);
        for (size_t i = 0; i < n; i++) {
                char *row =
                        kp_format("\n| `%s` | %s | %s | %s |", all[i].id, all[i].what,
                                all[i].strict_only ? "strict" : "always", all[i].spec);
                const char *found = strstr(at, row);

                cr_expect_not_null(
                        found, "docs/saml-rules.md lacks this row, here:%s", row);
                at = found != NULL ? found + 1 : at;
                free(row);
        }
        free(path);
}

Test(rules, are_all_seen_to_refuse)
{
        /* refused by in the tests above, and in those of the bindings and of logout */
        static const char *const elsewhere[] = { "message-size", "message-encoding",
                "relay-state", "xml-limits", "value-length", "logout-expired",
                "logout-name-id", "encryption", "message-signature-missing",
                "destination-missing", "unsolicited", "assertion-missing",
                "signature-missing", "signature-key", "assertion-signature-missing",
                "assertion-id", "authn-context", "replay" };
        size_t n;
        const struct kp_saml_rule *all = kp_saml_rules(&n);

        for (size_t i = 0; i < n; i++) {
                bool found = false;

                for (size_t j = 0; j < KP_NELEMS(changes); j++)
                        found |= strcmp(changes[j].rule, all[i].id) == 0;
                for (size_t j = 0; j < KP_NELEMS(elsewhere); j++)
                        found |= strcmp(elsewhere[j], all[i].id) == 0;
                cr_expect(found, "no test sees '%s' refuse", all[i].id);
        }
}
