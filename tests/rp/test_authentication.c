/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "vectors_ceremony.h"

static struct ceremony_maker m;
static struct kp_rp_credential record;
static struct kp_rp_expectation expect;

static void
setup(void)
{
        maker_begin(&m, KP_COSE_ES256);
        record = maker_record(&m);
        expect = usual_expectation();
}

static void
teardown(void)
{
        kp_rp_credential_done(&record);
        maker_end(&m);
}

TestSuite(authentication, .init = setup, .fini = teardown);

static const char *
refusal(json_t *response)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        const char *id;

        cr_assert_eq(kp_rp_verify_authentication(
                             &expect, &record, response, false, &result, &err),
                0);
        id = result.accepted ? "" : result.refusals[0].id;
        kp_rp_result_done(&result);
        json_decref(response);
        return id;
}

static json_t *
with_user_handle(const char *text)
{
        json_t *response = maker_assertion(&m);

        json_object_set_new(json_object_get(response, "response"), "userHandle",
                text == NULL ? json_null() : json_bytes(text, strlen(text)));
        return response;
}

Test(authentication, accepts_and_brings_the_record_up_to_date)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        m.sign_count = 12;
        m.flags |= KP_AUTHDATA_BE | KP_AUTHDATA_BS;
        record.sign_count = 11;
        json_auto_t *response = with_user_handle("user-1");
        cr_assert_eq(kp_rp_verify_authentication(
                             &expect, &record, response, false, &result, &err),
                0);
        cr_assert(result.accepted);
        cr_assert_eq(result.credential.sign_count, 12);
        cr_assert(result.credential.backup_state && result.credential.uv);
        cr_assert(kp_bytes_equal(result.credential.id.data, result.credential.id.len,
                test_id, sizeof(test_id)));
        cr_assert(kp_bytes_equal(
                result.user_handle.data, result.user_handle.len, "user-1", 6));
        kp_rp_result_done(&result);
}

/* CVE-2022-21449, and signatures over other things */
Test(authentication, refuses_signatures_that_are_none)
{
        static const char *const signatures[] = { "", "MAYCAQACAQA", "AAAA",
                "MAYCAQECAQE" /* r = s = 1 */ };

        for (size_t i = 0; i < KP_NELEMS(signatures); i++) {
                json_t *response = maker_assertion(&m);

                json_object_set_new(json_object_get(response, "response"), "signature",
                        json_string(signatures[i]));
                cr_assert_str_eq(refusal(response), "signature");
        }
}

Test(authentication, refuses_what_was_changed_after_signing)
{
        json_t *response = maker_assertion(&m);

        m.authdata.data[m.authdata.len - 1] ^= 1;
        json_object_set_new(json_object_get(response, "response"), "authenticatorData",
                json_bytes(m.authdata.data, m.authdata.len));
        cr_assert_str_eq(refusal(response), "signature");

        response = maker_assertion(&m);
        kp_buf_puts(&m.client, " ");
        json_object_set_new(json_object_get(response, "response"), "clientDataJSON",
                json_bytes(m.client.data, m.client.len));
        cr_assert_str_eq(refusal(response), "signature");
}

/* Somebody else's credential must not log in to an account with none (YSA-2026-02). */
Test(authentication, refuses_a_credential_that_the_account_does_not_have)
{
        kp_buf_clear(&record.id);
        cr_assert_str_eq(refusal(maker_assertion(&m)), "credential");
        kp_buf_puts(&record.id, "another-credential-1");
        cr_assert_str_eq(refusal(maker_assertion(&m)), "credential");
}

Test(authentication, refuses_another_users_handle_and_a_missing_one)
{
        expect.user_handle = (const uint8_t *)"user-1";
        expect.user_handle_len = 6;
        cr_assert_str_eq(refusal(with_user_handle("user-1")), "");
        cr_assert_str_eq(refusal(with_user_handle("user-2")), "user-handle");
        cr_assert_str_eq(refusal(with_user_handle("user-11")), "user-handle");
        cr_assert_str_eq(refusal(with_user_handle(NULL)), "");
        expect.discoverable = true;
        cr_assert_str_eq(refusal(with_user_handle(NULL)), "user-handle");
        cr_assert_str_eq(refusal(maker_assertion(&m)), "user-handle");
}

Test(authentication, keeps_to_the_credentials_that_were_allowed)
{
        json_auto_t *allowed =
                json_pack("[{s:s, s:s}]", "type", "public-key", "id", "AAAA");

        expect.allow_credentials = allowed;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "allow-credentials");
        json_array_append_new(
                allowed, json_pack("{s:o}", "id", json_bytes(test_id, 20)));
        cr_assert_str_eq(refusal(maker_assertion(&m)), "");
        json_array_clear(allowed);
        cr_assert_str_eq(refusal(maker_assertion(&m)), "", "an empty list allows all");
}

Test(authentication, watches_the_counter)
{
        static const struct {
                uint32_t before, now;
                const char *strict;
        } counters[] = { { 0, 0, "" }, { 0, 1, "" }, { 5, 6, "" }, { 5, 5, "counter" },
                { 5, 4, "counter" }, { 5, 0, "counter" },
                { 0xfffffffe, 0xffffffff, "" }, { 0xffffffff, 0, "counter" } };

        for (size_t i = 0; i < KP_NELEMS(counters); i++) {
                record.sign_count = counters[i].before;
                m.sign_count = counters[i].now;
                expect.mode = KP_RP_STRICT;
                cr_expect_str_eq(refusal(maker_assertion(&m)), counters[i].strict);
                expect.mode = KP_RP_LENIENT;
                cr_expect_str_eq(refusal(maker_assertion(&m)), "");
        }
}

Test(authentication, notices_that_eligibility_changed)
{
        cr_assert_str_eq(refusal(maker_assertion(&m)), "", "the record does not say");
        record.backup_known = true;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "");
        record.backup_eligible = true;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "backup-eligibility");
        m.flags |= KP_AUTHDATA_BE;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "");
        record.backup_eligible = false;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "backup-eligibility");
}

Test(authentication, tells_registration_from_authentication)
{
        m.type = "webauthn.create";
        cr_assert_str_eq(refusal(maker_assertion(&m)), "type");
        m.type = "payment.get";
        cr_assert_str_eq(refusal(maker_assertion(&m)), "type");
        expect.expected_types[expect.n_expected_types++] = "payment.get";
        cr_assert_str_eq(refusal(maker_assertion(&m)), "", "it was asked for");
}

Test(authentication, says_that_it_does_not_verify_an_algorithm)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        const uint8_t ml_dsa[] = { 0xa3, 1, 7, 3, 0x38, 0x2f, 0x20, 0x41, 1 };

        kp_buf_clear(&record.public_key);
        kp_buf_put(&record.public_key, ml_dsa, sizeof(ml_dsa));
        json_auto_t *response = maker_assertion(&m);
        cr_assert_eq(kp_rp_verify_authentication(
                             &expect, &record, response, false, &result, &err),
                0);
        cr_assert(!result.accepted && result.unsupported);
        cr_assert_eq(result.credential.alg, -48);
        kp_rp_result_done(&result);
}

Test(authentication, verifies_each_algorithm_that_keys_make)
{
        static const int algs[] = { KP_COSE_ES256, KP_COSE_ES384, KP_COSE_ES512,
                KP_COSE_EDDSA, KP_COSE_ES256K };

        for (size_t i = 0; i < KP_NELEMS(algs); i++) {
                teardown();
                maker_begin(&m, algs[i]);
                record = maker_record(&m);
                cr_assert_str_eq(refusal(maker_assertion(&m)), "", "%d", algs[i]);
        }
}

Test(authentication, takes_extensions_that_nobody_asked_for)
{
        m.extensions = "\xa1\x61\x78\x01";
        m.extensions_len = 4;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "");
        m.extensions = "\xa2\x61\x78\x01\x61\x78\x01";
        m.extensions_len = 7;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "authenticator-data");
        expect.mode = KP_RP_LENIENT;
        cr_assert_str_eq(refusal(maker_assertion(&m)), "");
}

/* Spec: WebAuthn L3 §10.1.1 */
Test(authentication, an_app_id_counts_where_it_was_asked_for_and_used)
{
        static const char app_id[] = "https://example.org/appid.json";
        static const struct {
                const char *asked, *hashed;
                int output; /* 1 true, 0 false, -1 absent */
                const char *refused;
        } cases[] = {
                { app_id, app_id, 1, "" },
                { app_id, "example.org", 1, "" },
                { app_id, "example.org", 0, "" },
                { app_id, app_id, 0, "rp-id-hash" },
                { app_id, app_id, -1, "rp-id-hash" },
                { NULL, app_id, 1, "rp-id-hash" },
                { "https://example.org/other.json", app_id, 1, "rp-id-hash" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                json_t *response;

                expect.app_id = cases[i].asked;
                m.rp_id = cases[i].hashed;
                response = maker_assertion(&m);
                if (cases[i].output >= 0)
                        json_object_set_new(
                                json_object_get(response, "clientExtensionResults"),
                                "appid", json_boolean(cases[i].output));
                cr_expect_str_eq(refusal(response), cases[i].refused, "%zu", i);
        }
}
