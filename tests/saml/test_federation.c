/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/wait.h>
#include <unistd.h>

#include "keypilot/http/form.h"
#include "keypilot/saml/metadata.h"

#include "messages.h"

/*
 * What one side says, the other reads: every member of every message, both ways, and
 * the outside world's view of it is in test_witness.c.
 */
TestSuite(federation, .init = parties_start, .fini = parties_stop);

static struct kp_login_request
full_request(void)
{
        struct kp_login_request r = {
                .acs_url = "https://service.example/saml/acs?tenant=1&x=<2>",
                .issue_ms = NOW,
                .force_authn = true,
                .is_passive = true,
                .nameid_format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
                .allow_create = true,
                .comparison = KP_MINIMUM,
                .contexts = { "https://refeds.org/profile/mfa", "urn:a&b" },
                .n_contexts = 2,
                .requesters = { "https://far.example", "https://near.example" },
                .n_requesters = 2,
                .proxy_count = 0,
                .relay_state = "a b&c=d+e/\"<\xc3\xa9>",
                .login_hint = "school & co.example",
                .sign = true,
        };

        return r;
}

/* Out of one side and into the other, by redirect or by form. */
static struct kp_federation_verdict
travel(struct kp_login_request *request, const struct kp_party *reader_knows,
        struct kp_login_request *ret)
{
        struct kp_message_out out = { 0 };
        struct kp_message_in in = { .method = "GET" };
        struct kp_federation_verdict verdict;
        struct kp_error err = { 0 };

        cr_assert_eq(fed->build_request(fed, &service, &provider, request, &out, &err),
                0, "%s", err.frames[0].text);
        if (request->post) {
                cr_assert_str_eq(out.field, "SAMLRequest");
                cr_assert_str_eq(kp_buf_str(&out.url), provider.sso_url);
                in.method = "POST";
                in.value = kp_buf_str(&out.value);
                in.relay_state = out.relay_state;
        } else {
                cr_assert_str_eq(out.field, "");
                in.query = strchr(kp_buf_str(&out.url), '?') + 1;
        }
        cr_assert_eq(fed->read_request(fed, &in, &provider, reader_knows, NOW, ret,
                             &verdict, &err),
                0, "%s", err.frames[0].text);
        kp_message_out_done(&out);
        return verdict;
}

static void
expect_same_request(const struct kp_login_request *a, const struct kp_login_request *b)
{
        cr_expect_str_eq(a->id, b->id);
        cr_expect_str_eq(b->issuer, service.entity_id);
        cr_expect_str_eq(b->destination, provider.sso_url);
        cr_expect_str_eq(a->acs_url, b->acs_url);
        cr_expect_eq(a->issue_ms, b->issue_ms);
        cr_expect_eq(a->force_authn, b->force_authn);
        cr_expect_eq(a->is_passive, b->is_passive);
        cr_expect_eq(a->allow_create, b->allow_create);
        cr_expect_str_eq(a->nameid_format, b->nameid_format);
        cr_expect_eq(a->n_contexts, b->n_contexts);
        for (size_t i = 0; i < a->n_contexts; i++)
                cr_expect_str_eq(a->contexts[i], b->contexts[i]);
        cr_expect_eq(a->comparison, b->comparison);
        cr_expect_eq(a->n_requesters, b->n_requesters);
        for (size_t i = 0; i < a->n_requesters; i++)
                cr_expect_str_eq(a->requesters[i], b->requesters[i]);
        cr_expect_eq(a->proxy_count, b->proxy_count);
        cr_expect_str_eq(a->relay_state, b->relay_state);
        cr_expect_eq(a->sign, b->sign);
        cr_expect_eq(a->post, b->post);
}

Test(federation, a_request_arrives_as_it_was_sent)
{
        for (int i = 0; i < 4; i++) {
                struct kp_login_request request = full_request(), read;
                struct kp_federation_verdict verdict;

                request.sign = i % 2 == 0;
                request.post = i >= 2;
                verdict = travel(&request, &service, &read);
                cr_expect(verdict.accepted, "%s: %s", verdict.rule, verdict.reason);
                expect_same_request(&request, &read);
                if (!request.post)
                        cr_expect_str_eq(read.login_hint, request.login_hint);
        }
}

Test(federation, every_comparison_arrives)
{
        for (int c = KP_COMPARISON_NONE; c <= KP_BETTER; c++) {
                struct kp_login_request request = full_request(), read;

                request.comparison = (enum kp_comparison)c;
                cr_expect(travel(&request, &service, &read).accepted);
                /* not saying is saying exact: Core §3.3.2.2.1 */
                cr_expect_eq(read.comparison,
                        c == KP_COMPARISON_NONE ? KP_EXACT : (enum kp_comparison)c);
        }
}

Test(federation, a_bare_request_says_nothing_more)
{
        struct kp_login_request request = { .issue_ms = NOW, .proxy_count = -1 }, read;

        cr_expect(travel(&request, &service, &read).accepted);
        cr_expect_str_eq(read.acs_url, "");
        cr_expect_str_eq(read.nameid_format, "");
        cr_expect_str_eq(read.relay_state, "");
        cr_expect_str_eq(read.login_hint, "");
        cr_expect_eq(read.proxy_count, -1);
        cr_expect_eq(read.n_contexts, 0);
        cr_expect_eq(read.comparison, KP_COMPARISON_NONE);
        cr_expect(!read.force_authn && !read.is_passive && !read.allow_create &&
                  !read.sign);
}

Test(federation, hints_keep_their_name)
{
        static const char *const hints[] = { "school.example", "whr=urn:x",
                "login_hint=a@b" };

        for (size_t i = 0; i < KP_NELEMS(hints); i++) {
                struct kp_login_request request = full_request(), read;

                snprintf(
                        request.login_hint, sizeof(request.login_hint), "%s", hints[i]);
                cr_expect(travel(&request, &service, &read).accepted);
                cr_expect_str_eq(read.login_hint, hints[i]);
        }
}

Test(federation, a_wrong_signature_on_a_request_is_refused_by_either_binding)
{
        struct kp_party other = service;

        other.cert_pem = provider2.cert_pem;
        for (int post = 0; post < 2; post++) {
                struct kp_login_request request = full_request(), read;
                struct kp_federation_verdict verdict;

                request.post = post == 1;
                verdict = travel(&request, &other, &read);
                cr_expect(!verdict.accepted);
                cr_expect_str_eq(verdict.rule, "signature-value", "%s", verdict.reason);
        }
}

/* Each part of a signed query is covered: message, RelayState and algorithm. */
Test(federation, a_signed_query_cannot_be_changed)
{
        struct kp_login_request request = full_request(), read;
        struct kp_message_out out = { 0 };
        struct kp_message_in in = { .method = "GET" };
        struct kp_federation_verdict verdict;
        struct kp_error err = { 0 };
        const struct {
                const char *from, *to;
                bool accepted;
        } cases[] = {
                { "RelayState=a", "RelayState=b", false },
                { "&RelayState=", "&relaystate=", false },
                { "rsa-sha256", "rsa-sha512", false },
                { "&Signature=", "&Signature=A", false },
                { "&domain_hint=school", "&domain_hint=other",
                        true }, /* nobody signs it */
                { "SAMLRequest=", "x=1&SAMLRequest=", true },
        };

        cr_assert_eq(
                fed->build_request(fed, &service, &provider, &request, &out, &err), 0);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                char *query = replaced(strchr(kp_buf_str(&out.url), '?') + 1,
                        cases[i].from, cases[i].to);

                in.query = query;
                cr_assert_eq(fed->read_request(fed, &in, &provider, &service, NOW,
                                     &read, &verdict, &err),
                        0);
                cr_expect_eq(verdict.accepted, cases[i].accepted, "%s -> %s: %s",
                        cases[i].from, cases[i].to, verdict.reason);
                free(query);
        }
        kp_message_out_done(&out);
}

Test(federation, a_response_arrives_as_it_was_sent)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login(), read;
        struct kp_federation_verdict verdict;
        char *text;

        snprintf(login.authorities[0], 256, "https://idp.behind.example");
        snprintf(login.authorities[1], 256, "https://idp.further.example");
        login.n_authorities = 2;
        login.sign_response = true;
        text = login_xml(login);
        verdict = receive_post(text, "state", &policy, &read);
        cr_assert(verdict.accepted, "%s: %s", verdict.rule, verdict.reason);
        cr_expect_str_eq(read.subject, login.subject);
        cr_expect_str_eq(read.subject_format, login.subject_format);
        cr_expect_str_eq(read.subject_qualifier, login.subject_qualifier);
        cr_expect_str_eq(read.context, login.context);
        cr_expect_str_eq(read.issuer, provider.entity_id);
        cr_expect_str_eq(read.destination, service.acs_url);
        cr_expect_str_eq(read.in_response_to, login.in_response_to);
        cr_expect_str_eq(read.audience, login.audience);
        cr_expect_str_eq(read.session_index, login.session_index);
        cr_expect_str_eq(read.relay_state, "state");
        cr_expect_str_eq(read.status[0], STATUS_SUCCESS);
        cr_expect_eq(read.authn_ms, login.authn_ms);
        cr_expect_eq(read.issue_ms, login.issue_ms);
        cr_expect_eq(read.not_before_ms, login.not_before_ms);
        cr_expect_eq(read.not_on_or_after_ms, login.not_on_or_after_ms);
        cr_expect_eq(read.confirmation_until_ms, login.confirmation_until_ms);
        cr_expect_eq(read.session_until_ms, login.session_until_ms);
        cr_expect(read.sign_response && read.sign_assertion);
        cr_assert_eq(read.n_authorities, 2);
        cr_expect_str_eq(read.authorities[1], login.authorities[1]);
        cr_assert_eq(read.n_attributes, 3);
        for (size_t i = 0; i < 3; i++) {
                cr_expect_str_eq(read.attributes[i].name, login.attributes[i].name);
                cr_expect_str_eq(read.attributes[i].value, login.attributes[i].value);
        }
        free(text);
}

Test(federation, more_attributes_than_fit_are_counted)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_login_response login = good_login(), read;
        char *good, *more, *text;

        for (size_t i = 0; i < 12; i++)
                snprintf(login.attributes[i].name, 128, "a%zu", i);
        login.n_attributes = 12;
        good = login_xml(login);
        more = replaced(good, "</saml:AttributeStatement>",
                "<saml:Attribute "
                "Name=\"b\"><saml:AttributeValue>1</saml:AttributeValue>"
                "<saml:AttributeValue>2</saml:AttributeValue></saml:Attribute>"
                "</saml:AttributeStatement>");
        text = signed_again(more, provider.key_pem);
        cr_expect(receive_post(text, NULL, &policy, &read).accepted);
        cr_expect_eq(read.n_attributes, 12);
        cr_expect_eq(read.n_attributes_dropped, 2);
        free(text);
        free(more);
        free(good);
}

Test(federation, the_sender_is_told_before_anything_is_verified)
{
        struct kp_login_request request = full_request();
        struct kp_message_out out = { 0 };
        struct kp_message_in in = { .method = "GET" };
        struct kp_error err = { 0 };
        char issuer[256];

        cr_assert_eq(
                fed->build_request(fed, &service, &provider, &request, &out, &err), 0);
        in.query = strchr(kp_buf_str(&out.url), '?') + 1;
        cr_assert_eq(fed->read_issuer(fed, &in, issuer, &err), 0);
        cr_expect_str_eq(issuer, service.entity_id);
        kp_message_out_done(&out);

        request.post = true;
        cr_assert_eq(
                fed->build_request(fed, &service, &provider, &request, &out, &err), 0);
        in = (struct kp_message_in){ .method = "POST",
                .value = kp_buf_str(&out.value) };
        cr_assert_eq(fed->read_issuer(fed, &in, issuer, &err), 0);
        cr_expect_str_eq(issuer, service.entity_id);
        kp_message_out_done(&out);

        in.value = "no message";
        cr_assert_eq(fed->read_issuer(fed, &in, issuer, &err), 0);
        cr_expect_str_eq(issuer, "");
}

/* ---- logout ---- */

static struct kp_federation_verdict
travel_logout(struct kp_logout *logout, const struct kp_party *from,
        const struct kp_party *to, const struct kp_party *knows, int64_t now_ms,
        struct kp_logout *ret)
{
        struct kp_message_out out = { 0 };
        struct kp_message_in in = { .method = "GET" };
        struct kp_federation_verdict verdict;
        struct kp_error err = { 0 };

        cr_assert_eq(fed->build_logout(fed, from, to, logout, &out, &err), 0, "%s",
                err.frames[0].text);
        in.query = strchr(kp_buf_str(&out.url), '?') + 1;
        cr_assert_eq(
                fed->read_logout(fed, &in, to, knows, now_ms, ret, &verdict, &err), 0);
        kp_message_out_done(&out);
        return verdict;
}

Test(federation, logout_arrives_as_it_was_sent)
{
        struct kp_logout request = { .subject = "teacher@school.example",
                .subject_format = "urn:x",
                .session_index = "_session1",
                .relay_state = "r",
                .issue_ms = NOW,
                .not_on_or_after_ms = NOW + 5 * MINUTE };
        struct kp_logout response = { .is_response = true, .issue_ms = NOW }, read;
        struct kp_federation_verdict verdict;

        verdict = travel_logout(&request, &service, &provider, &service, NOW, &read);
        cr_expect(verdict.accepted, "%s: %s", verdict.rule, verdict.reason);
        cr_expect(!read.is_response && read.is_signed);
        cr_expect_str_eq(read.id, request.id);
        cr_expect_str_eq(read.issuer, service.entity_id);
        cr_expect_str_eq(read.subject, request.subject);
        cr_expect_str_eq(read.subject_format, request.subject_format);
        cr_expect_str_eq(read.session_index, request.session_index);
        cr_expect_str_eq(read.relay_state, request.relay_state);
        cr_expect_eq(read.not_on_or_after_ms, request.not_on_or_after_ms);

        snprintf(response.in_response_to, 72, "%s", request.id);
        verdict = travel_logout(&response, &provider, &service, &provider, NOW, &read);
        cr_expect(verdict.accepted, "%s: %s", verdict.rule, verdict.reason);
        cr_expect(read.is_response && read.is_signed);
        cr_expect_str_eq(read.in_response_to, request.id);
        cr_expect_str_eq(read.status[0], STATUS_SUCCESS);

        snprintf(response.status[0], 128, STATUS_PREFIX "Responder");
        verdict = travel_logout(&response, &provider, &service, &provider, NOW, &read);
        cr_expect_str_eq(verdict.rule, "status");
}

Test(federation, logout_is_refused_when_late_nameless_or_signed_by_another)
{
        struct kp_logout request = { .subject = "x",
                .issue_ms = NOW,
                .not_on_or_after_ms = NOW + MINUTE },
                         read;
        struct kp_federation_verdict verdict;

        verdict = travel_logout(
                &request, &service, &provider, &service, NOW + MINUTE, &read);
        cr_expect_str_eq(verdict.rule, "logout-expired");
        verdict = travel_logout(&request, &service, &provider, &provider2, NOW, &read);
        cr_expect_str_eq(verdict.rule, "signature-value");
        request.subject[0] = '\0';
        verdict = travel_logout(&request, &service, &provider, &service, NOW, &read);
        cr_expect_str_eq(verdict.rule, "logout-name-id");
        snprintf(request.subject, sizeof(request.subject), "x");
        request.leave_unsigned = true;
        verdict = travel_logout(&request, &service, &provider, &service, NOW, &read);
        cr_expect(verdict.accepted && !read.is_signed,
                "the receiver sees that it is unsigned");
}

Test(federation, logout_comes_by_form_too)
{
        static const char request[] =
                "<samlp:LogoutRequest xmlns:samlp=\"" NS_PROTOCOL
                "\" xmlns:saml=\"" NS_ASSERTION
                "\" ID=\"_1\" Version=\"2.0\" IssueInstant=\"2026-09-01T"
                "08:00:00Z\"><saml:Issuer>https://service.example/saml"
                "</saml:Issuer><saml:NameID>x</saml:NameID>"
                "</samlp:LogoutRequest>";
        struct kp_buf value = { 0 };
        struct kp_message_in in = { .method = "POST" };
        struct kp_federation_verdict verdict;
        struct kp_error err = { 0 };
        struct kp_logout read;

        kp_b64_put(&value, request, strlen(request));
        in.value = kp_buf_str(&value);
        cr_assert_eq(fed->read_logout(
                             fed, &in, &provider, &service, NOW, &read, &verdict, &err),
                0);
        cr_expect(verdict.accepted && !read.is_response, "%s", verdict.reason);
        kp_buf_done(&value);
}

/* ---- metadata ---- */

Test(federation, metadata_out_is_metadata_in)
{
        struct kp_saml_entity entity = { 0 };
        struct kp_party rolling = provider, read;
        struct kp_buf xml = { 0 };
        struct kp_error err = { 0 };

        rolling.cert_pem = kp_format("%s%s", provider.cert_pem, provider2.cert_pem);
        cr_assert_eq(
                kp_saml_metadata_write(&rolling, KP_SAML_PROVIDER, true, &xml, &err),
                0);
        cr_assert_eq(kp_saml_metadata_read(
                             "idp", xml.data, xml.len, KP_SAML_PROVIDER, &entity, &err),
                0, "%s", err.frames[0].text);
        read = kp_saml_entity_party(&entity);
        cr_expect_str_eq(read.entity_id, provider.entity_id);
        cr_expect_str_eq(read.sso_url, provider.sso_url);
        cr_expect_str_eq(read.slo_url, provider.slo_url);
        cr_expect_str_eq(read.cert_pem, rolling.cert_pem, "both keys, in order");
        cr_expect_eq(entity.n_certs, 2);
        cr_expect(entity.wants_signed);
        kp_saml_entity_done(&entity);
        kp_buf_clear(&xml);
        free((char *)rolling.cert_pem);

        cr_assert_eq(
                kp_saml_metadata_write(&service, KP_SAML_SERVICE, false, &xml, &err),
                0);
        cr_assert_eq(kp_saml_metadata_read(
                             "sp", xml.data, xml.len, KP_SAML_SERVICE, &entity, &err),
                0, "%s", err.frames[0].text);
        cr_expect_str_eq(entity.entity_id, service.entity_id);
        cr_expect_str_eq(entity.acs_url, service.acs_url);
        cr_expect(!entity.wants_signed && entity.signs_requests);
        kp_saml_entity_done(&entity);
        kp_buf_done(&xml);
}

Test(federation, wrong_metadata_is_refused_in_one_sentence)
{
#define ENTITY(inside)                                                                 \
        "<EntityDescriptor xmlns=\"" NS_METADATA "\" entityID=\"e\">" inside           \
        "</EntityDescriptor>"
#define IDP(inside)                                                                    \
        ENTITY("<IDPSSODescriptor protocolSupportEnumeration=\"" NS_PROTOCOL           \
               "\">" inside "</IDPSSODescriptor>")
#define CERT(text)                                                                     \
        "<KeyDescriptor><KeyInfo xmlns=\"" NS_DSIG                                     \
        "\"><X509Data><X509Certificate>" text                                          \
        "</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        static const struct {
                const char *xml, *says;
        } cases[] = {
                { "", "empty" },
                { "{}", "not readable as XML" },
                { "<a>", "not readable as XML" },
                { "<!DOCTYPE a><a/>", "document type" },
                { "<a/>", "no EntityDescriptor" },
                { ENTITY(""), "no EntityDescriptor with an IDPSSODescriptor" },
                { "<EntityDescriptor xmlns=\"" NS_METADATA
                  "\"><IDPSSODescriptor protocolSupportEnumeration=\"" NS_PROTOCOL
                  "\"/></EntityDescriptor>",
                        "no entityID" },
                { ENTITY("<IDPSSODescriptor "
                         "protocolSupportEnumeration=\"urn:other\"/>"),
                        "no EntityDescriptor" },
                { IDP(""), "no X509Certificate" },
                { IDP("<KeyDescriptor use=\"encryption\"/>"), "no X509Certificate" },
                { IDP(CERT("%")), "not base64" },
                { IDP(CERT("AAAA")), "no certificate" },
                { IDP(CERT("")), "no certificate" },
                { "<EntitiesDescriptor xmlns=\"" NS_METADATA "\">" IDP("")
                                IDP("") "</EntitiesDescriptor>",
                        "more than one" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_saml_entity entity = { 0 };
                struct kp_error err = { 0 };
                char why[300];

                cr_expect_eq(
                        kp_saml_metadata_read("idp.xml", cases[i].xml,
                                strlen(cases[i].xml), KP_SAML_PROVIDER, &entity, &err),
                        -1, "%s", cases[i].xml);
                kp_error_format(&err, why, sizeof(why));
                cr_expect_not_null(
                        strstr(why, cases[i].says), "'%s' for %s", why, cases[i].xml);
                cr_expect_not_null(
                        strstr(why, "idp.xml"), "the file is named: %s", why);
                cr_expect_null(entity.entity_id, "nothing is left behind");
        }
}

/* ---- the process ---- */

Test(federation, ids_come_from_the_random_stream)
{
        struct kp_random *one = NULL, *two = NULL;
        struct kp_error err = { 0 };
        char *texts[2];

        cr_assert_eq(kp_random_new_seeded("a", "b", &one, &err), 0);
        cr_assert_eq(kp_random_new_seeded("a", "b", &two, &err), 0);
        fed->random = one;
        texts[0] = login_xml(good_login());
        fed->random = two;
        texts[1] = login_xml(good_login());
        cr_expect_str_eq(
                texts[0], texts[1], "same seed, same message, signature included");
        fed->random = fed_random;
        free(texts[0]);
        free(texts[1]);
        kp_random_free(&one);
        kp_random_free(&two);
}

Test(federation, works_in_forked_workers_and_after_a_shutdown)
{
        struct kp_response_policy policy = strict_policy();

        for (int i = 0; i < 3; i++) {
                int status;
                pid_t pid = fork();

                cr_assert_geq(pid, 0);
                if (pid == 0) {
                        char *text = login_xml(good_login());
                        bool accepted = judge(text, &policy).accepted;

                        free(text);
                        kp_saml_shutdown();
                        _exit(accepted ? 0 : 1);
                }
                cr_assert_eq(waitpid(pid, &status, 0), pid);
                cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        for (int i = 0; i < 3; i++) {
                char *text = login_xml(good_login());

                cr_expect(judge(text, &policy).accepted, "round %d", i);
                free(text);
                kp_saml_shutdown();
        }
}

Test(federation, more_keys_than_are_kept_still_work)
{
        struct kp_response_policy policy = strict_policy();
        struct kp_party padded = provider;

        policy.peer = &padded;
        for (int i = 0; i < 60; i++) {
                char *text = login_xml(good_login());

                padded.cert_pem = kp_format("%*s\n%s", i + 1, "", provider.cert_pem);
                cr_expect(judge(text, &policy).accepted, "certificate %d", i);
                free((char *)padded.cert_pem);
                free(text);
        }
}

Test(federation, wrong_keys_are_errors_of_ours)
{
        struct kp_login_response login = good_login();
        struct kp_party wrong = provider;
        struct kp_message_out out = { 0 };
        struct kp_error err = { 0 };

        wrong.key_pem = "not a key";
        cr_expect_eq(
                fed->build_response(fed, &wrong, &service, &login, &out, &err), -1);
        cr_expect_eq(err.code, KP_EPARSE);
        wrong.key_pem = NULL;
        cr_expect_eq(
                fed->build_response(fed, &wrong, &service, &login, &out, &err), -1);
        wrong.cert_pem = "not a certificate";
        cr_expect_eq(
                fed->build_response(fed, &wrong, &service, &login, &out, &err), -1);
        cr_expect_eq(err.code, KP_EPARSE);
        kp_message_out_done(&out);
}
