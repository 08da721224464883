/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

/*
 * Which key answers: lists, transports, several keys, passkey providers.
 */

/* ---- lists ---- */

Test(keys, an_excluded_key_is_told_to_the_site)
{
        static const char *const keys[] = { "yubikey-5-57-pin", "yubikey-5-51",
                "yubikey-4-u2f", "solo-1" };

        for (size_t i = 0; i < KP_NELEMS(keys); i++)
                for (size_t n = 0; n < 30; n += 29) {
                        json_auto_t *options =
                                bench_options("discouraged", "preferred");
                        KP_CLEANUP(kp_free_str) char *id = NULL;
                        struct bench b;

                        bench_open(&b, "chromium-debian", keys[i]);
                        cr_assert_str_eq(bench_call(&b, true, options), "");
                        id = bench_id(&b);
                        json_object_set_new(
                                options, "excludeCredentials", bench_list(id, n));
                        cr_expect_str_eq(bench_call(&b, true, options),
                                "InvalidStateError", "%s with %zu others", keys[i], n);
                        cr_expect(bench_reason(&b, "credential-excluded"));
                        json_object_set_new(
                                options, "excludeCredentials", bench_list("AAAA", n));
                        cr_expect_str_eq(bench_call(&b, true, options), "", "%s: %s",
                                keys[i], b.exception.reason);
                        bench_done(&b);
                }
}

/* Level 3 hides the credential from whoever has no PIN: the look-through sends it. */
Test(keys, a_hidden_passkey_is_found_in_a_long_list)
{
        json_auto_t *options = bench_options("required", "preferred");
        json_auto_t *login =
                bench_json("{\"challenge\":\"AAEC\",\"rpId\":\"example.com\"}");
        KP_CLEANUP(kp_free_str) char *id = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        cr_assert_str_eq(bench_call(&b, true, options), "");
        id = bench_id(&b);
        json_object_set_new(options, "excludeCredentials", bench_list(id, 20));
        cr_expect_str_eq(bench_call(&b, true, options), "InvalidStateError");
        json_object_set_new(login, "allowCredentials", bench_list(id, 20));
        cr_expect_str_eq(bench_call(&b, false, login), "", "%s", b.exception.reason);
        cr_expect_str_eq(kp_json_str(b.response, "id", ""), id);
        cr_expect(bench_prompts(&b, "client.get", "pin touch"));
        b.pins[b.n_asked] = "000000";
        cr_expect_str_eq(bench_call(&b, false, login), "", "%s", b.exception.reason);
        cr_expect(bench_prompts(&b, "client.get", "pin pin touch"));
        bench_done(&b);
}

Test(keys, transports_of_a_credential_decide_whether_a_key_is_asked)
{
        static const struct {
                const char *transports, *reason;
        } lines[] = {
                { "[]", NULL },
                { "[\"usb\"]", NULL },
                { "[\"nfc\",\"usb\"]", NULL },
                { "[\"unknown\"]", NULL },
                { "[\"internal\"]", "transport-not-listed" },
                { "[\"hybrid\",\"internal\"]", "transport-not-listed" },
        };
        json_auto_t *login =
                bench_json("{\"challenge\":\"AAEC\",\"rpId\":\"example.com\"}");
        KP_CLEANUP(kp_free_str) char *id = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57");
        cr_assert_str_eq(bench_create(&b, "discouraged", "discouraged"), "");
        id = bench_id(&b);
        for (size_t i = 0; i < KP_NELEMS(lines); i++) {
                json_object_set_new(login, "allowCredentials",
                        json_pack("[{s:s, s:s, s:o}]", "type", "public-key", "id", id,
                                "transports", bench_json(lines[i].transports)));
                (void)bench_call(&b, false, login);
                cr_expect(b.exception.reason == lines[i].reason ||
                                  (lines[i].reason != NULL &&
                                          bench_reason(&b, lines[i].reason)),
                        "%s: %s", lines[i].transports, b.exception.reason);
        }
        bench_done(&b);
}

/* Firefox on Linux stores "usb" for a key with NFC as well; a phone looks nowhere. */
Test(keys, what_firefox_says_of_transports_sticks)
{
        json_auto_t *login =
                bench_json("{\"challenge\":\"AAEC\",\"rpId\":\"example.com\"}");
        struct bench b;
        json_t *transports;

        bench_open(&b, "firefox-linux", "security-key-nfc-57");
        cr_assert_str_eq(bench_create(&b, "discouraged", "discouraged"), "");
        transports =
                json_object_get(json_object_get(b.response, "response"), "transports");
        cr_expect_eq(json_array_size(transports), 1);
        json_object_set_new(login, "allowCredentials",
                json_pack("[{s:s, s:s, s:O}]", "type", "public-key", "id",
                        kp_json_str(b.response, "id", ""), "transports", transports));
        b.client_keys[0].transport = "nfc"; /* the same key, now against a phone */
        bench_set(&b, "nfc_security_keys", json_string("yes"));
        cr_expect_str_eq(bench_call(&b, false, login), "NotAllowedError");
        cr_expect(bench_reason(&b, "transport-not-listed"));
        bench_done(&b);
}

Test(keys, several_passkeys_are_chosen_from)
{
        json_auto_t *options = bench_options("required", "required");
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        cr_assert_str_eq(bench_call(&b, true, options), "");
        json_object_set_new(
                json_object_get(options, "user"), "id", json_string("BBBB"));
        cr_assert_str_eq(bench_call(&b, true, options), "");
        b.chosen = 1; /* newest first */
        cr_assert_str_eq(bench_get(&b, NULL, "required"), "");
        cr_expect_str_eq(
                kp_json_str(json_object_get(b.response, "response"), "userHandle", ""),
                "AQID");
        cr_expect(bench_prompts(&b, "client.get", "pin touch choose"));
        b.chosen = -1;
        cr_expect_str_eq(bench_get(&b, NULL, "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "person-gave-up"));
        bench_done(&b);
}

/* ---- several keys ---- */

Test(keys, the_key_that_has_the_credential_answers)
{
        KP_CLEANUP(kp_free_str) char *id = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-4-u2f");
        bench_add(&b, "yubikey-5-57-pin");
        for (size_t i = 0; i < KP_NELEMS(b.pins); i++)
                b.pins[i] = kp_authenticator_profile_test_pin(b.keys[1]->profile);
        cr_assert_str_eq(
                bench_create(&b, "required", "required"), "", "%s", b.exception.reason);
        id = bench_id(&b);
        cr_expect_str_eq(
                kp_json_str(bench_event(&b, "client.key"), "answer", ""), "given");
        cr_assert_str_eq(bench_get(&b, id, "required"), "", "%s", b.exception.reason);
        bench_done(&b);
}

Test(keys, attachment_and_hints_choose_the_key)
{
        json_auto_t *options = bench_options("required", "required");
        struct bench b;

        bench_open(&b, "safari-macos", "yubikey-5-57-pin");
        bench_add(&b, "icloud-keychain");
        json_object_set_new(json_object_get(options, "authenticatorSelection"),
                "authenticatorAttachment", json_string("platform"));
        cr_assert_str_eq(bench_call(&b, true, options), "", "%s", b.exception.reason);
        cr_expect_str_eq(
                kp_json_str(b.response, "authenticatorAttachment", ""), "platform");
        json_object_del(json_object_get(options, "authenticatorSelection"),
                "authenticatorAttachment");
        json_object_set_new(options, "hints", bench_json("[\"client-device\"]"));
        bench_set(&b, "hints", json_string("yes"));
        cr_assert_str_eq(bench_call(&b, true, options), "");
        cr_expect_str_eq(
                kp_json_str(b.response, "authenticatorAttachment", ""), "platform");
        json_object_set_new(options, "hints", bench_json("[\"x\",\"security-key\"]"));
        cr_assert_str_eq(bench_call(&b, true, options), "");
        cr_expect_str_eq(kp_json_str(b.response, "authenticatorAttachment", ""),
                "cross-platform");
        bench_done(&b);
}

Test(keys, no_key_is_in_reach)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57");
        b.client.n_keys = 0;
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "discouraged"), "NotAllowedError");
        cr_expect(bench_reason(&b, "no-key-in-reach"));
        b.client.n_keys = 1;
        b.client_keys[0].transport = "nfc";
        cr_expect_str_eq(
                bench_create(&b, "discouraged", "discouraged"), "NotAllowedError");
        cr_expect(bench_reason(&b, "no-key-in-reach"), "no NFC on Linux");
        bench_set(&b, "nfc_security_keys", json_string("yes"));
        cr_expect_str_eq(bench_create(&b, "discouraged", "discouraged"), "");
        bench_done(&b);
}

Test(keys, a_passkey_provider_lives_on_its_own_system)
{
        struct bench b;

        bench_open(&b, "chrome-windows", "icloud-keychain");
        cr_expect_str_eq(bench_create(&b, "required", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "platform-provider-not-here"));
        bench_done(&b);
        bench_open(&b, "safari-ios", "icloud-keychain");
        cr_expect_str_eq(bench_create(&b, "required", "required"), "");
        cr_expect_eq(bench_flags(&b) & 0x18, 0x18, "synced: BE and BS");
        bench_done(&b);
        bench_open(&b, "firefox-linux", "bitwarden");
        cr_expect_str_eq(
                bench_create(&b, "required", "required"), "", "%s", b.exception.reason);
        bench_done(&b);
}

Test(keys, an_immediate_request_takes_only_what_is_in_the_device)
{
        struct bench b;

        bench_open(&b, "chrome-macos", "icloud-keychain");
        cr_assert_str_eq(bench_create(&b, "required", "preferred"), "");
        b.page.immediate = true;
        cr_expect_str_eq(
                bench_get(&b, NULL, "preferred"), "", "%s", b.exception.reason);
        b.page.user_activation = false;
        cr_expect_str_eq(bench_get(&b, NULL, "preferred"), "NotAllowedError");
        cr_expect(bench_reason(&b, "user-activation-missing"));
        bench_done(&b);
        bench_open(&b, "chrome-macos", "yubikey-5-57-pin");
        cr_assert_str_eq(bench_create(&b, "required", "preferred"), "");
        b.page.immediate = true;
        cr_expect_str_eq(bench_get(&b, NULL, "preferred"), "NotAllowedError");
        cr_expect(bench_reason(&b, "immediate-not-possible"));
        bench_done(&b);
}

Test(keys, a_page_that_called_off_asks_nobody)
{
        struct bench b;

        bench_open(&b, "chrome-macos", "yubikey-5-57-pin");
        b.page.aborted = true;
        cr_expect_str_eq(bench_create(&b, "required", "preferred"), "AbortError");
        cr_expect_eq(b.touches, 0);
        bench_done(&b);
}
