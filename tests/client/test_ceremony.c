/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/sha.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"

#include "bench.h"

/*
 * Whole ceremonies: what comes out is checked with nothing but the codec and OpenSSL.
 */

/* Does the login's signature verify with the key that the registration gave? */
static void
check_signature(const json_t *registration, const json_t *login)
{
        const json_t *made = json_object_get(registration, "response"),
                     *got = json_object_get(login, "response");
        KP_CLEANUP(kp_buf_done)
        struct kp_buf reg = { 0 }, data = { 0 }, client = { 0 }, signature = { 0 },
                      message = { 0 };
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        struct kp_authdata parsed;
        struct kp_error err = { 0 };
        uint8_t hash[32];
        int alg;

        bench_bytes(made, "authenticatorData", &reg);
        cr_assert_eq(
                kp_authdata_parse(reg.data, reg.len, KP_CBOR_CTAP2, &parsed, &err), 0);
        cr_assert_eq(kp_cose_key_parse(parsed.public_key, parsed.public_key_len,
                             KP_CBOR_CTAP2, &key, &alg, NULL, &err),
                0, "%s", bench_why(&err));
        bench_bytes(got, "authenticatorData", &data);
        bench_bytes(got, "clientDataJSON", &client);
        bench_bytes(got, "signature", &signature);
        SHA256(client.data, client.len, hash);
        kp_buf_put(&message, data.data, data.len);
        kp_buf_put(&message, hash, sizeof(hash));
        cr_expect(kp_cose_verify(
                alg, key, message.data, message.len, signature.data, signature.len));
        message.data[0] ^= 1;
        cr_expect_not(kp_cose_verify(
                alg, key, message.data, message.len, signature.data, signature.len));
}

Test(ceremony, a_passkey_is_made_and_logs_in)
{
        json_auto_t *made = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        cr_assert_str_eq(
                bench_create(&b, "required", "required"), "", "%s", b.exception.reason);
        cr_expect(bench_prompts(&b, "client.create", "pin touch"));
        cr_expect_eq(bench_flags(&b) & 0x45, 0x45, "AT, UV and UP");
        made = json_incref(b.response);
        cr_assert_str_eq(bench_get(&b, NULL, "required"), "", "%s", b.exception.reason);
        cr_expect_str_eq(
                kp_json_str(b.response, "id", "-"), kp_json_str(made, "id", ""));
        cr_expect_str_eq(
                kp_json_str(json_object_get(b.response, "response"), "userHandle", ""),
                "AQID");
        cr_expect_eq(bench_flags(&b), 0x05);
        check_signature(made, b.response);
        bench_done(&b);
}

Test(ceremony, both_drivers_give_the_same_answers)
{
        static const enum kp_driver_choice choices[] = { KP_DRIVER_CTAP,
                KP_DRIVER_LIBFIDO2 };
        uint8_t flags[2][2];

        for (size_t i = 0; i < 2; i++) {
                KP_CLEANUP(kp_free_str) char *id = NULL;
                struct kp_error err = { 0 };
                struct bench b;

                bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
                cr_assert_eq(kp_key_switch_driver(b.keys[0], choices[i], &err), 0, "%s",
                        bench_why(&err));
                cr_assert_str_eq(bench_create(&b, "preferred", "preferred"), "", "%s",
                        b.exception.reason);
                cr_expect(bench_prompts(&b, "client.create", "pin touch"));
                flags[i][0] = bench_flags(&b);
                id = bench_id(&b);
                cr_assert_str_eq(bench_create(&b, "required", "required"), "");
                cr_assert_str_eq(bench_get(&b, id, "preferred"), "NotAllowedError",
                        "overwritten: same user, same site");
                cr_expect(bench_reason(&b, "no-credential"));
                cr_assert_str_eq(bench_get(&b, NULL, "preferred"), "");
                flags[i][1] = bench_flags(&b);
                bench_done(&b);
        }
        cr_expect_eq(flags[0][0], flags[1][0]);
        cr_expect_eq(flags[0][1], flags[1][1]);
}

/* libfido2 1.12 says one algorithm a request: the first that the key lists. */
Test(ceremony, several_algorithms_reach_the_key_over_either_driver)
{
        static const enum kp_driver_choice choices[] = { KP_DRIVER_CTAP,
                KP_DRIVER_LIBFIDO2 };

        for (size_t i = 0; i < 2; i++) {
                json_auto_t *options = bench_options("discouraged", "discouraged");
                struct kp_error err = { 0 };
                struct bench b;

                json_object_set_new(options, "pubKeyCredParams",
                        bench_json("[{\"type\":\"public-key\",\"alg\":-36},"
                                   "{\"type\":\"public-key\",\"alg\":-8},"
                                   "{\"type\":\"public-key\",\"alg\":-7}]"));
                bench_open(&b, "chromium-debian", "yubikey-5-57");
                cr_assert_eq(kp_key_switch_driver(b.keys[0], choices[i], &err), 0);
                cr_assert_str_eq(
                        bench_call(&b, true, options), "", "%s", b.exception.reason);
                cr_expect_eq(kp_json_int(json_object_get(b.response, "response"),
                                     "publicKeyAlgorithm", 0),
                        -8);
                json_object_set_new(options, "pubKeyCredParams",
                        bench_json("[{\"type\":\"public-key\",\"alg\":-257},"
                                   "{\"type\":\"public-key\",\"alg\":-37}]"));
                cr_assert_str_eq(bench_call(&b, true, options), "NotAllowedError");
                cr_expect(bench_reason(&b, "algorithm-not-on-key"));
                bench_done(&b);
        }
}

/* ---- a key without a PIN: the commonest first-day failure ---- */

/* clang-format off */
static const struct {
        const char *client, *rk, *uv;
        const char *reason;  /* NULL: works */
        uint8_t uv_flag;
        const char *prompts;
} pinless[] = {
        { "chromium-debian", "discouraged", "required", NULL, 4, "new-pin touch" },
        { "chromium-debian", "discouraged", "preferred", NULL, 0, "touch" },
        { "chromium-debian", "preferred", "preferred", NULL, 4, "new-pin touch" },
        { "chromium-debian", "required", "discouraged", NULL, 4, "new-pin touch" },
        { "chrome-windows", "discouraged", "preferred", NULL, 4, "new-pin touch" },
        { "chrome-windows", "required", "preferred", NULL, 4, "new-pin touch" },
        { "safari-ios", "discouraged", "required", "uv-required-but-key-has-none", 0, "" },
        { "safari-ios", "required", "preferred", NULL, 0, "touch" },
        { "firefox-linux", "discouraged", "required", NULL, 0, "touch" },
        { "firefox-linux", "required", "preferred", NULL, 0, "touch" },
        { "libfido2-direct", "required", "required", "uv-required-but-key-has-none", 0, "" },
        { "libfido2-direct", "required", "preferred", NULL, 0, "touch" },
};
/* clang-format on */

Test(ceremony, each_client_has_its_way_with_a_key_that_has_no_pin)
{
        for (size_t i = 0; i < KP_NELEMS(pinless); i++) {
                struct bench b;

                bench_open(&b, pinless[i].client, "yubikey-5-57");
                b.new_pin = "271828";
                (void)bench_create(&b, pinless[i].rk, pinless[i].uv);
                if (pinless[i].reason != NULL) {
                        cr_expect(bench_reason(&b, pinless[i].reason), "%s %s %s",
                                pinless[i].client, pinless[i].rk, pinless[i].uv);
                        cr_expect_str_eq(b.exception.name, "NotAllowedError");
                } else {
                        cr_expect_null(b.exception.reason, "%s %s %s: %s",
                                pinless[i].client, pinless[i].rk, pinless[i].uv,
                                b.exception.reason);
                        cr_expect_eq(bench_flags(&b) & 4, pinless[i].uv_flag,
                                "%s %s %s", pinless[i].client, pinless[i].rk,
                                pinless[i].uv);
                }
                cr_expect(bench_prompts(&b, "client.create", pinless[i].prompts),
                        "%s %s %s", pinless[i].client, pinless[i].rk, pinless[i].uv);
                bench_done(&b);
        }
}

Test(ceremony, a_pin_set_in_the_ceremony_stays_on_the_key)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57");
        b.new_pin = "314159";
        cr_assert_str_eq(bench_create(&b, "required", "required"), "");
        b.pins[0] = "314159";
        cr_assert_str_eq(bench_get(&b, NULL, "required"), "", "%s", b.exception.reason);
        cr_expect_eq(bench_flags(&b) & 4, 4);
        bench_done(&b);
}

Test(ceremony, a_person_who_sets_no_pin_gets_no_passkey)
{
        struct bench b;

        bench_open(&b, "chrome-windows", "yubikey-5-57");
        cr_assert_str_eq(bench_create(&b, "preferred", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "person-gave-up"));
        bench_done(&b);
}

Test(ceremony, a_key_that_wants_a_longer_pin_says_so)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "token2-pinplus");
        b.new_pin = "1234"; /* the key wants six, whatever is asked */
        cr_assert_str_eq(bench_create(&b, "preferred", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "pin-not-accepted"));
        cr_expect_str_eq(kp_ctap_status_name(b.exception.ctap),
                "CTAP2_ERR_PIN_POLICY_VIOLATION");
        bench_done(&b);
}

/* ---- wrong PINs ---- */

Test(ceremony, a_wrong_pin_is_asked_again_until_the_key_locks)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        b.pins[0] = "000000";
        cr_expect_str_eq(bench_create(&b, "discouraged", "required"), "");
        cr_expect(bench_prompts(&b, "client.create", "pin pin touch"));

        b.n_asked = 0;
        for (size_t i = 0; i < KP_NELEMS(b.pins); i++)
                b.pins[i] = "000000";
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "pin-locked-until-replug"));
        cr_expect(bench_prompts(&b, "client.create", "pin pin pin"));
        bench_done(&b);
}

Test(ceremony, a_person_may_give_up)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        b.pins[0] = "000000";
        b.pins[1] = NULL;
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "person-gave-up"));
        cr_expect_str_eq(
                kp_ctap_status_name(b.exception.ctap), "CTAP2_ERR_PIN_INVALID");
        bench_done(&b);
}

Test(ceremony, a_blocked_pin_ends_it)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-locked");
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "pin-blocked"));
        bench_done(&b);
}

Test(ceremony, a_pin_that_must_be_changed_ends_it)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-change-pin");
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "pin-change-required"));
        bench_done(&b);
}

/* ---- time ---- */

Test(ceremony, slow_people_run_out_of_time_in_firefox_and_not_in_chromium)
{
        struct bench b;

        bench_open(&b, "firefox-linux", "yubikey-5-57-pin");
        b.thinks_ms = 31000;
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "timed-out"));
        bench_done(&b);

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        b.thinks_ms = 31000;
        cr_expect_str_eq(bench_create(&b, "discouraged", "required"), "");
        bench_done(&b);
}

Test(ceremony, a_site_cannot_ask_for_less_time_than_the_client_grants)
{
        static const struct {
                int64_t timeout_ms, thinks_ms;
                const char *name;
        } lines[] = {
                { 1000, 120000, "" }, /* at least three minutes */
                { 1000, 181000, "NotAllowedError" },
                { 240000, 230000, "" },
                { 240000, 241000, "NotAllowedError" },
        };

        for (size_t i = 0; i < KP_NELEMS(lines); i++) {
                json_auto_t *options = bench_options("discouraged", "required");
                struct bench b;

                json_object_set_new(
                        options, "timeout", json_integer(lines[i].timeout_ms));
                bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
                b.thinks_ms = lines[i].thinks_ms;
                cr_expect_str_eq(bench_call(&b, true, options), lines[i].name, "%d",
                        (int)lines[i].timeout_ms);
                bench_done(&b);
        }
}

Test(ceremony, nobody_touches_the_key)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        kp_authenticator_set_finger(
                b.keys[0]->authenticator, KP_FINGER_WITHHOLDS, 0, true);
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "required"), "NotAllowedError");
        cr_expect(strcmp(b.exception.reason, "touch-timed-out") == 0 ||
                          strcmp(b.exception.reason, "touch-refused") == 0,
                "%s", b.exception.reason);
        bench_done(&b);
}

/* ---- built-in verification ---- */

Test(ceremony, a_fingerprint_needs_no_pin)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-bio");
        cr_assert_str_eq(
                bench_create(&b, "required", "required"), "", "%s", b.exception.reason);
        cr_expect_eq(bench_flags(&b) & 4, 4);
        cr_expect_eq(b.n_asked, 0);
        bench_done(&b);
}

Test(ceremony, a_finger_that_is_not_known_leads_to_the_pin)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-bio");
        kp_authenticator_set_finger(
                b.keys[0]->authenticator, KP_FINGER_TOUCHES, 0, false);
        (void)bench_create(&b, "required", "required");
        cr_expect_gt(b.n_asked, 0, "%s", b.exception.reason);
        cr_expect_str_eq(b.exception.name, "", "%s", b.exception.reason);
        bench_done(&b);
}

Test(ceremony, always_uv_asks_for_the_pin_whatever_the_site_says)
{
        KP_CLEANUP(kp_free_str) char *id = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-always-uv");
        cr_assert_str_eq(bench_create(&b, "discouraged", "discouraged"), "", "%s",
                b.exception.reason);
        cr_expect_eq(bench_flags(&b) & 4, 4);
        id = bench_id(&b);
        cr_assert_str_eq(bench_get(&b, id, "discouraged"), "");
        cr_expect_eq(bench_flags(&b) & 4, 4);
        cr_expect(bench_prompts(&b, "client.get", "pin touch"));
        bench_done(&b);
}

/* ---- discoverable credentials and full keys ---- */

Test(ceremony, a_full_key_falls_back_where_the_client_does)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-full");
        cr_expect_str_eq(bench_create(&b, "preferred", "preferred"), "", "%s",
                b.exception.reason);
        cr_expect_not(
                json_is_true(json_object_get(bench_event(&b, "client.create"), "rk")));
        cr_expect_str_eq(bench_create(&b, "required", "preferred"), "NotAllowedError");
        cr_expect(bench_reason(&b, "key-full"));
        bench_set(&b, "resident_key_preferred_fallback_when_full", json_string("fail"));
        cr_expect_str_eq(bench_create(&b, "preferred", "preferred"), "NotAllowedError");
        cr_expect(bench_reason(&b, "key-full"));
        bench_done(&b);
}

/* A key that does not tell how many places are left is asked, and asked again. */
Test(ceremony, a_key_that_does_not_tell_it_is_full_is_found_out)
{
        json_auto_t *options = bench_options("preferred", "discouraged");
        struct bench b;
        char id[16];
        int made = 0;

        bench_open(&b, "safari-ios", "solo-1");
        for (; made < 60; made++) {
                const json_t *event;

                snprintf(id, sizeof(id), "AAAA%04d", made);
                json_object_set_new(
                        json_object_get(options, "user"), "id", json_string(id));
                cr_assert_str_eq(bench_call(&b, true, options), "", "%d: %s", made,
                        b.exception.reason);
                event = bench_event(&b, "client.create");
                if (!json_is_true(json_object_get(event, "rk")))
                        break;
        }
        cr_expect(made > 0 && made < 60, "%d", made);
        cr_expect(bench_prompts(&b, "client.create", "touch touch"));
        bench_done(&b);
}

Test(ceremony, a_u2f_key_makes_no_passkeys)
{
        KP_CLEANUP(kp_free_str) char *id = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-4-u2f");
        cr_expect_str_eq(
                bench_create(&b, "required", "discouraged"), "NotAllowedError");
        cr_expect(bench_reason(&b, "key-cannot-discover"));
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "uv-required-but-key-has-none"));
        cr_assert_str_eq(bench_create(&b, "preferred", "preferred"), "", "%s",
                b.exception.reason);
        id = bench_id(&b);
        cr_expect_str_eq(bench_get(&b, NULL, "discouraged"), "NotAllowedError");
        cr_expect(bench_reason(&b, "no-credential"));
        cr_expect_str_eq(
                bench_get(&b, id, "discouraged"), "", "%s", b.exception.reason);
        bench_done(&b);
}

Test(ceremony, cred_protect_comes_unasked_from_chromium_only)
{
        static const struct {
                const char *client, *rk, *uv;
                int level;
        } lines[] = {
                { "chromium-debian", "required", "preferred", 3 },
                { "chromium-debian", "required", "required", 2 },
                { "chromium-debian", "preferred", "preferred", 2 },
                { "chromium-debian", "discouraged", "preferred", 0 },
                { "firefox-windows", "required", "preferred", 0 },
                { "safari-ios", "required", "preferred", 0 },
        };

        for (size_t i = 0; i < KP_NELEMS(lines); i++) {
                struct bench b;

                bench_open(&b, lines[i].client, "yubikey-5-57-pin");
                cr_assert_str_eq(bench_create(&b, lines[i].rk, lines[i].uv), "",
                        "%s: %s", lines[i].client, b.exception.reason);
                cr_expect_eq(kp_json_int(bench_event(&b, "client.create"),
                                     "cred_protect", -1),
                        lines[i].level, "%s %s %s", lines[i].client, lines[i].rk,
                        lines[i].uv);
                bench_done(&b);
        }
}

Test(ceremony, level_three_hides_a_passkey_from_a_login_without_pin)
{
        KP_CLEANUP(kp_free_str) char *id = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        cr_assert_str_eq(bench_create(&b, "required", "preferred"), "");
        id = bench_id(&b);
        cr_expect_str_eq(bench_get(&b, id, "discouraged"), "NotAllowedError");
        cr_expect(bench_reason(&b, "no-credential"));
        cr_expect_str_eq(bench_get(&b, id, "preferred"), "");
        bench_done(&b);
}
