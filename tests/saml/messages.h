/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_SAML_MESSAGES_H
#define TESTS_SAML_MESSAGES_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/file.h"
#include "keypilot/saml/saml.h"
#include "keypilot/saml/verify.h"

#include "../../src/saml/internal.h"

/*
 * A small federation for tests: two providers, a service, one good login, and ways to
 * spoil a message and sign it again.
 */
#define NOW KP_CLOCK_START_MS
#define MINUTE INT64_C(60000)

static inline char *
fixture_key(const char *name)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        char *path = kp_format("%s/keys/%s.pem", getenv("KEYPILOT_FIXTURES"), name);
        struct kp_error err = { 0 };
        char *pem;

        cr_assert_eq(kp_file_read(path, 1 << 16, &text, &err), 0, "%s: %s", path,
                err.frames[0].text);
        free(path);
        pem = strdup(kp_buf_str(&text));
        return pem;
}

static struct kp_federation *fed;
static struct kp_random *fed_random;
static struct kp_party provider, provider2, service;

static inline void
parties_start(void)
{
        struct kp_error err = { 0 };

        cr_assert_eq(kp_random_new_seeded("tests", "saml", &fed_random, &err), 0);
        cr_assert_eq(kp_saml_federation_new(fed_random, &fed, &err), 0, "%s",
                err.frames[0].text);
        provider = (struct kp_party){
                .entity_id = "https://idp.school.example/metadata",
                .sso_url = "https://idp.school.example/sso",
                .slo_url = "https://idp.school.example/slo",
                .key_pem = fixture_key("saml-idp-1-key"),
                .cert_pem = fixture_key("saml-idp-1"),
        };
        provider2 = (struct kp_party){
                .entity_id = "https://idp.other.example/metadata",
                .sso_url = "https://idp.other.example/sso",
                .key_pem = fixture_key("saml-idp-2-key"),
                .cert_pem = fixture_key("saml-idp-2"),
        };
        service = (struct kp_party){
                .entity_id = "https://service.example/saml",
                .acs_url = "https://service.example/saml/acs?tenant=1&x=<2>",
                .slo_url = "https://service.example/saml/slo",
                .key_pem = fixture_key("saml-sp-key"),
                .cert_pem = fixture_key("saml-sp"),
        };
}

static inline void
parties_stop(void)
{
        struct kp_party *parties[] = { &provider, &provider2, &service };

        for (size_t i = 0; i < KP_NELEMS(parties); i++) {
                free((char *)parties[i]->key_pem);
                free((char *)parties[i]->cert_pem);
        }
        kp_saml_federation_free(&fed);
        kp_random_free(&fed_random);
        kp_saml_shutdown();
}

static inline struct kp_login_response
good_login(void)
{
        struct kp_login_response r = {
                .in_response_to = "_request1",
                .subject = "teacher@school.example",
                .subject_format =
                        "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
                .context = "https://refeds.org/profile/mfa",
                .authn_ms = NOW - MINUTE,
                .issue_ms = NOW,
                .not_before_ms = NOW - MINUTE,
                .not_on_or_after_ms = NOW + 60 * MINUTE,
                .confirmation_until_ms = NOW + 5 * MINUTE,
                .session_until_ms = NOW + 480 * MINUTE,
                .session_index = "_session1",
                .sign_assertion = true,
        };

        snprintf(r.audience, sizeof(r.audience), "%s", service.entity_id);
        snprintf(r.subject_qualifier, sizeof(r.subject_qualifier), "%s",
                service.entity_id);
        snprintf(r.attributes[0].name, 128, "eduPersonAffiliation");
        snprintf(r.attributes[0].value, 256, "employee");
        snprintf(r.attributes[1].name, 128, "eduPersonAffiliation");
        snprintf(r.attributes[1].value, 256, "staff & <friends>");
        snprintf(r.attributes[2].name, 128, "urn:oid:1.2.3");
        snprintf(r.attributes[2].value, 256, "x");
        r.n_attributes = 3;
        return r;
}

static inline struct kp_response_policy
strict_policy(void)
{
        return (struct kp_response_policy){
                .own = &service,
                .peer = &provider,
                .request_id = "_request1",
                .now_ms = NOW,
        };
}

/* The XML of a login as it leaves the provider; the caller frees it. */
static inline char *
login_xml(struct kp_login_response login)
{
        struct kp_message_out out = { 0 };
        struct kp_buf xml = { 0 };
        struct kp_error err = { 0 };
        char *text;

        cr_assert_eq(fed->build_response(fed, &provider, &service, &login, &out, &err),
                0, "%s", err.frames[0].text);
        cr_assert_eq(
                kp_b64_decode(kp_buf_str(&out.value), out.value.len, &xml, &err), 0);
        text = strdup(kp_buf_str(&xml));
        kp_buf_done(&xml);
        kp_message_out_done(&out);
        return text;
}

/* A copy of `text` with the first `from` (there must be one) replaced; caller frees. */
static inline char *
replaced(const char *text, const char *from, const char *to)
{
        const char *at = strstr(text, from);

        cr_assert_not_null(at, "'%s' is not in the message", from);
        return kp_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* The same, looking only behind the first `after`. */
static inline char *
replaced_behind(const char *text, const char *after, const char *from, const char *to)
{
        const char *at = strstr(text, after);
        char *tail, *ret;

        cr_assert_not_null(at, "'%s' is not in the message", after);
        at += strlen(after);
        tail = replaced(at, from, to);
        ret = kp_format("%.*s%s", (int)(at - text), text, tail);
        free(tail);
        return ret;
}

/* Sign again what has a signature, the assertion first; the caller frees it. */
static inline char *
signed_again(const char *text, const char *key_pem)
{
        xmlDoc *doc = NULL;
        struct kp_buf xml = { 0 };
        struct kp_error err = { 0 };
        char reason[200];
        xmlNode *root, *assertion;
        char *ret;

        cr_assert_eq(kp_xml_parse_strict("test", text, strlen(text), &doc, &err), 0,
                "%s", err.frames[0].text);
        (void)saml_register_ids(doc, reason);
        root = xmlDocGetRootElement(doc);
        assertion = kp_xml_child(root, NS_ASSERTION, "Assertion");
        if (kp_xml_child(assertion, NS_DSIG, "Signature") != NULL)
                cr_assert_eq(saml_sign(assertion, key_pem, &err), 0, "%s",
                        err.frames[0].text);
        if (kp_xml_child(root, NS_DSIG, "Signature") != NULL)
                cr_assert_eq(
                        saml_sign(root, key_pem, &err), 0, "%s", err.frames[0].text);
        cr_assert_eq(kp_xml_write(root, &xml, &err), 0);
        ret = strdup(kp_buf_str(&xml));
        kp_buf_done(&xml);
        kp_xml_free(&doc);
        return ret;
}

static inline struct kp_federation_verdict
judge(const char *text, const struct kp_response_policy *policy)
{
        struct kp_federation_verdict verdict;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_saml_verify(KP_SAML_RESPONSE, text, strlen(text), policy,
                             &verdict, NULL, &err),
                0, "%s", err.frames[0].text);
        return verdict;
}

/* As it comes from a browser. */
static inline struct kp_federation_verdict
receive_post(const char *text, const char *relay_state,
        const struct kp_response_policy *policy, struct kp_login_response *ret)
{
        struct kp_buf value = { 0 };
        struct kp_federation_verdict verdict;
        struct kp_message_in in = { .method = "POST", .relay_state = relay_state };
        struct kp_error err = { 0 };

        kp_b64_put(&value, text, strlen(text));
        in.value = kp_buf_str(&value);
        cr_assert_eq(fed->read_response(fed, &in, policy, ret, &verdict, &err), 0, "%s",
                err.frames[0].text);
        kp_buf_done(&value);
        return verdict;
}

#endif
