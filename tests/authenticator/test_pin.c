/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

/* authenticatorClientPIN and the tokens it hands out. Spec: CTAP 2.1 §6.5 */

Test(pin, is_set_and_changed_over_both_protocols)
{
        for (int protocol = 1; protocol <= 2; protocol++) {
                struct rig rig;
                uint8_t token[32];
                struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                        .protocol = protocol,
                        .permissions = -1 };

                rig_open(&rig, "yubikey-5-57");
                cr_assert_eq(rig_option(&rig, "clientPin"), 0, "supported, not set");
                ask.pin = "1234";
                expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_NOT_SET);
                expect_status(rig_set_pin(&rig, protocol, "1234", "5678"),
                        KP_CTAP2_ERR_PIN_NOT_SET);
                expect_status(rig_set_pin(&rig, protocol, NULL, "1234"), KP_CTAP_OK);
                cr_assert_eq(rig_option(&rig, "clientPin"), 1);
                expect_status(rig_set_pin(&rig, protocol, NULL, "1234"),
                        KP_CTAP2_ERR_PIN_AUTH_INVALID);
                expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
                expect_status(rig_set_pin(&rig, protocol, "1234", "56789"), KP_CTAP_OK);
                expect_status(rig_make(&rig, &(struct ask){ .token = token,
                                                     .protocol = protocol }),
                        KP_CTAP2_ERR_PIN_AUTH_INVALID);
                expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
                ask.pin = "56789";
                expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
                rig_close(&rig);
        }
}

Test(pin, length_counts_characters_not_bytes_and_ends_at_63_bytes)
{
        const struct {
                const char *id, *pin;
                uint8_t status;
        } cases[] = {
                { "yubikey-5-57", "123", KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "yubikey-5-57", "\xc3\xa9\xc3\xa9",
                        KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "yubikey-5-57", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", KP_CTAP_OK },
                { "yubikey-5-57", "", KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "token2-pinplus", "12345", KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "token2-pinplus", "123456", KP_CTAP_OK },
                { "yubikey-5-57",
                        "12345678901234567890123456789012345678901234567890123456789012"
                        "3",
                        KP_CTAP_OK },
                { "yubikey-5-57",
                        "12345678901234567890123456789012345678901234567890123456789012"
                        "34",
                        KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;

                rig_open(&rig, cases[i].id);
                expect_status(
                        rig_set_pin(&rig, 2, NULL, cases[i].pin), cases[i].status);
                rig_close(&rig);
        }
}

Test(pin, three_wrong_ones_need_a_power_cycle_and_eight_lock_the_key)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                .protocol = 1,
                .pin = "0000",
                .permissions = -1 };
        const struct {
                uint8_t status;
                int64_t left;
        } tries[] = {
                { KP_CTAP2_ERR_PIN_INVALID, 7 },
                { KP_CTAP2_ERR_PIN_INVALID, 6 },
                { KP_CTAP2_ERR_PIN_AUTH_BLOCKED, 5 },
                { KP_CTAP2_ERR_PIN_AUTH_BLOCKED, 5 }, /* not counted while blocked */
                { 0, 0 },                             /* power cycle */
                { KP_CTAP2_ERR_PIN_INVALID, 4 },
                { KP_CTAP2_ERR_PIN_INVALID, 3 },
                { KP_CTAP2_ERR_PIN_AUTH_BLOCKED, 2 },
                { 0, 0 },
                { KP_CTAP2_ERR_PIN_INVALID, 1 },
                { KP_CTAP2_ERR_PIN_BLOCKED, 0 },
                { KP_CTAP2_ERR_PIN_BLOCKED, 0 },
                { 0, 0 },
                { KP_CTAP2_ERR_PIN_BLOCKED, 0 },
        };

        rig_open(&rig, "yubikey-5-57-pin");
        for (size_t i = 0; i < KP_NELEMS(tries); i++) {
                if (tries[i].status == 0) {
                        kp_authenticator_power_cycle(rig.key, rig.now_ms += 1000);
                        continue;
                }
                expect_status(rig_token(&rig, &ask, token), tries[i].status);
                cr_assert_eq(pin_retries(&rig), tries[i].left, "try %zu", i);
        }
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_BLOCKED);
        expect_status(rig_set_pin(&rig, 1, ask.pin, "5678"), KP_CTAP2_ERR_PIN_BLOCKED);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-57-locked");
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        cr_assert_eq(pin_retries(&rig), 0);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_BLOCKED);
        rig_close(&rig);
}

Test(pin, a_right_one_gives_the_tries_back)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                .protocol = 2,
                .pin = "0000",
                .permissions = -1 };

        rig_open(&rig, "yubikey-5-57-pin");
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        cr_assert_eq(pin_retries(&rig), 8);
        ask.pin = "0000"; /* the count of three starts over as well */
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
        rig_close(&rig);
}

Test(pin, a_wrong_one_changes_the_key_agreement)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf before = { 0 };
        uint8_t token[32];
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                .protocol = 1,
                .pin = "0000",
                .permissions = -1 };
        struct kp_pin_secret secret;
        KP_CLEANUP(kp_buf_done) struct kp_buf public = { 0 };

        rig_open(&rig, "yubikey-5-57-pin");
        rig_agree(&rig, 1, &secret, &public);
        kp_buf_put(&before, rig.answer.data, rig.answer.len);
        rig_agree(&rig, 1, &secret, &public);
        cr_assert(kp_bytes_equal(
                before.data, before.len, rig.answer.data, rig.answer.len));
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
        rig_agree(&rig, 1, &secret, &public);
        cr_assert(!kp_bytes_equal(
                before.data, before.len, rig.answer.data, rig.answer.len));
        rig_close(&rig);
}

Test(pin, a_token_has_its_permissions_its_party_and_one_use)
{
        struct rig rig;
        uint8_t token[32];
        struct ask make = { .token = token, .protocol = 2 }, other = make;

        other.rp_id = "other.org";
        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        expect_status(rig_make(&rig, &make), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(rig_make(&rig, &other), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_make(&rig, &make), KP_CTAP_OK);
        expect_status(rig_make(&rig, &make), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
}

Test(pin, the_old_way_of_asking_grants_mc_and_ga_for_the_first_party_used)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = {
                .sub_command = KP_CTAP_PIN_GET_TOKEN, .protocol = 1, .permissions = -1
        };
        struct ask silent = { .token = token, .protocol = 1, .up = FALSE_ },
                   other = silent;

        rig_open(&rig, "yubikey-5-57-pin");
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&rig, &ask, token), 0);
        expect_status(rig_get(&rig, &silent), KP_CTAP2_ERR_NO_CREDENTIALS);
        other.rp_id = "other.org";
        expect_status(rig_get(&rig, &other), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(
                rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT, 1, 1, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        ask.permissions = 1;
        expect_status(rig_token(&rig, &ask, token), KP_CTAP1_ERR_INVALID_PARAMETER);
        rig_close(&rig);
}

Test(pin, permissions_are_checked_when_a_token_is_asked_for)
{
        struct rig rig;
        uint8_t token[32];
        const struct {
                int permissions;
                const char *rp_id;
                uint8_t status;
        } cases[] = {
                { -1, "example.org", KP_CTAP2_ERR_MISSING_PARAMETER },
                { 0, "example.org", KP_CTAP1_ERR_INVALID_PARAMETER },
                { KP_CTAP_PERM_MC, NULL, KP_CTAP2_ERR_MISSING_PARAMETER },
                { KP_CTAP_PERM_GA, "example.org", KP_CTAP_OK },
                { KP_CTAP_PERM_CM, NULL, KP_CTAP_OK },
                { KP_CTAP_PERM_CM, "example.org", KP_CTAP_OK },
                { KP_CTAP_PERM_ACFG, NULL, KP_CTAP_OK },
                { KP_CTAP_PERM_BE, NULL, KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION },
                { KP_CTAP_PERM_LBW, NULL, KP_CTAP_OK },
                { KP_CTAP_PERM_PCMR, NULL, KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION },
                { KP_CTAP_PERM_GA | 0x80, "example.org",
                        KP_CTAP_OK }, /* undefined: ignored */
        };
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 2 };

        rig_open(&rig, "yubikey-5-57-pin");
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                ask.permissions = cases[i].permissions;
                ask.rp_id = cases[i].rp_id;
                expect_status(rig_token(&rig, &ask, token), cases[i].status);
        }
        cr_assert_eq(pin_retries(&rig), 8);
        ask.protocol = 1;
        ask.sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS; /* no sensor */
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_INVALID_SUBCOMMAND);
        rig_close(&rig);
        rig_open(&rig, "yubikey-bio-new"); /* a sensor, no finger enrolled */
        ask = (struct token_ask){ .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 1,
                .permissions = 1,
                .rp_id = "example.org" };
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_NOT_ALLOWED);
        rig_close(&rig);
        rig_open(&rig, "nitrokey-3-am"); /* no authenticatorConfig */
        expect_status(rig_set_pin(&rig, 2, NULL, "1234"), 0);
        ask = (struct token_ask){ .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 1,
                .pin = "1234",
                .permissions = KP_CTAP_PERM_ACFG };
        expect_status(
                rig_token(&rig, &ask, token), KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-52-pin"); /* no tokens with permissions at all */
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP1_ERR_INVALID_PARAMETER);
        rig_close(&rig);
}

Test(pin, a_token_is_used_within_30_seconds_and_ends_after_10_minutes)
{
        struct rig rig;
        uint8_t token[32];
        struct ask silent = { .token = token, .protocol = 2, .up = FALSE_ };

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        rig_wait(&rig, 30001);
        expect_status(rig_get(&rig, &silent), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        rig_wait(&rig, 29000);
        expect_status(rig_get(&rig, &silent), KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_wait(&rig, 600000 - 29000);
        expect_status(rig_get(&rig, &silent), KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_wait(&rig, 1);
        expect_status(rig_get(&rig, &silent), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        expect_status(rig_get(&rig, &silent), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
}

Test(pin, a_fingerprint_counts_as_presence_for_30_seconds)
{
        struct rig rig;
        uint8_t token[32];
        const struct token_ask uv = { .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_MC,
                .rp_id = "example.org" };

        for (int late = 0; late <= 1; late++) {
                rig_open(&rig, "yubikey-bio");
                expect_status(rig_token(&rig, &uv, token), 0);
                /* another use that keeps the token alive but is no touch */
                expect_status(rig_get(&rig, &(struct ask){ .token = token,
                                                    .protocol = 2,
                                                    .up = FALSE_ }),
                        KP_CTAP2_ERR_PIN_AUTH_INVALID);
                kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
                rig_wait(&rig, late ? 30001 : 29000);
                expect_status(
                        rig_make(&rig, &(struct ask){ .token = token, .protocol = 2 }),
                        late ? KP_CTAP2_ERR_OPERATION_DENIED : KP_CTAP_OK);
                rig_close(&rig);
        }
}

Test(pin, one_that_must_be_changed_opens_nothing_and_cannot_be_kept)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = {
                .sub_command = KP_CTAP_PIN_GET_TOKEN, .protocol = 1, .permissions = -1
        };
        const char *pin;
        bool forced;

        rig_open(&rig, "yubikey-5-57-change-pin");
        pin = ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x0c), &forced) && forced);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
        ask.sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS;
        ask.permissions = KP_CTAP_PERM_GA;
        ask.rp_id = "example.org";
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_POLICY_VIOLATION);
        cr_assert_eq(pin_retries(&rig), 8);
        expect_status(
                rig_set_pin(&rig, 2, pin, pin), KP_CTAP2_ERR_PIN_POLICY_VIOLATION);
        expect_status(rig_set_pin(&rig, 2, pin, "somewhere else"), KP_CTAP_OK);
        ask.pin = "somewhere else";
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        rig_close(&rig);
}

Test(pin, subcommands_that_do_not_exist_have_their_own_code)
{
        struct rig rig;
        const struct {
                const char *id;
                uint8_t status;
        } cases[] = {
                { "yubikey-5-57", KP_CTAP2_ERR_INVALID_SUBCOMMAND },
                { "google-titan-v2", KP_CTAP1_ERR_INVALID_PARAMETER },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_buf m = { 0 };

                rig_open(&rig, cases[i].id);
                kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
                kp_cbor_put_map(&m, 1);
                kp_cbor_put_int(&m, 2);
                kp_cbor_put_int(&m, 0x55);
                expect_status(rig_send(&rig, &m), cases[i].status);
                kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
                kp_cbor_put_map(&m, 1);
                kp_cbor_put_int(&m, 1);
                kp_cbor_put_int(&m, 1);
                expect_status(rig_send(&rig, &m), KP_CTAP2_ERR_MISSING_PARAMETER);
                kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
                kp_cbor_put_map(&m, 2);
                kp_cbor_put_int(&m, 1);
                kp_cbor_put_int(&m, 3);
                kp_cbor_put_int(&m, 2);
                kp_cbor_put_int(&m, KP_CTAP_PIN_GET_KEY_AGREEMENT);
                expect_status(rig_send(&rig, &m), KP_CTAP1_ERR_INVALID_PARAMETER);
                rig_close(&rig);
        }
}
