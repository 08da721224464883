/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/authenticator/fault.h"

#include "peers.h"

/* authenticatorClientPIN check by check. Spec: CTAP 2.1 and 2.3 §6.5.5 */

/* ---- the new PIN: CTAP 2.1 §6.5.5.5 ---- */

/* setPIN with these bytes as the padded PIN, whatever they are. */
static uint8_t
set_padded(struct rig *rig, int protocol, const uint8_t *padded, size_t len)
{
        struct kp_pin_secret secret;
        KP_CLEANUP(kp_buf_done) struct kp_buf public = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf enc = { 0 };
        struct kp_buf m = { 0 };
        struct kp_error err = { 0 };
        uint8_t tag[32];
        const uint8_t *hmac_key;
        size_t hmac_key_len, tag_len;

        rig_agree(rig, protocol, &secret, &public);
        cr_assert_eq(kp_pin_encrypt(&secret, rig->random, padded, len, &enc, &err), 0);
        hmac_key = kp_pin_hmac_key(&secret, &hmac_key_len);
        tag_len = kp_pin_authenticate(
                protocol, hmac_key, hmac_key_len, enc.data, enc.len, tag);
        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(&m, 5);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, protocol);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, KP_CTAP_PIN_SET);
        kp_cbor_put_int(&m, 3);
        kp_buf_put(&m, public.data, public.len);
        kp_cbor_put_int(&m, 4);
        kp_cbor_put_bytes(&m, tag, tag_len);
        kp_cbor_put_int(&m, 5);
        kp_cbor_put_bytes(&m, enc.data, enc.len);
        return rig_send(rig, &m);
}

Test(pin, is_text_of_the_right_length_in_a_padding_of_64_bytes)
{
        const struct {
                const char *pin;
                size_t len; /* of the PIN, then zeroes up to: */
                size_t padded;
                uint8_t status;
        } cases[] = {
                { "12\0"
                  "45",
                        5, 64, KP_CTAP2_ERR_PIN_POLICY_VIOLATION }, /* a NUL */
                { "\0"
                  "2345",
                        5, 64, KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "\xff"
                  "2345",
                        5, 64, KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "1234\xc3", 5, 64, KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "1234\xc0\xaf", 6, 64,
                        KP_CTAP2_ERR_PIN_POLICY_VIOLATION }, /* long / */
                { "1234\xed\xa0\x80", 7, 64,
                        KP_CTAP2_ERR_PIN_POLICY_VIOLATION }, /* half a pair */
                { "1234\xf4\x90\x80\x80", 8, 64, KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "1234\xf0\x9f\x94\x91", 8, 64, KP_CTAP_OK },
                { "\xf0\x9f\x94\x91\xf0\x9f\x94\x92\xf0\x9f\x94\x93", 12, 64,
                        KP_CTAP2_ERR_PIN_POLICY_VIOLATION }, /* three keys */
                { "", 0, 64, KP_CTAP2_ERR_PIN_POLICY_VIOLATION },
                { "1234", 4, 48, KP_CTAP1_ERR_INVALID_PARAMETER },
                { "1234", 4, 80, KP_CTAP1_ERR_INVALID_PARAMETER },
                { "1234", 4, 64, KP_CTAP_OK },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                for (int protocol = 1; protocol <= 2; protocol++) {
                        struct rig rig;
                        uint8_t padded[80] = { 0 };

                        rig_open(&rig, "yubikey-5-57");
                        memcpy(padded, cases[i].pin, cases[i].len);
                        expect_status(
                                set_padded(&rig, protocol, padded, cases[i].padded),
                                cases[i].status);
                        cr_assert_eq(rig_option(&rig, "clientPin"),
                                cases[i].status == KP_CTAP_OK, "case %zu", i);
                        rig_close(&rig);
                }
}

/* ---- order of checks: CTAP 2.1 §6.5.5.5 to §6.5.5.7.3 ---- */

/* A ClientPIN message with the members whose numbers are in `has`, of the right type. */
static uint8_t
send_members(struct rig *rig, int sub_command, int64_t protocol, const char *has)
{
        struct kp_buf m = { 0 };
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *own = NULL;
        struct kp_error err = { 0 };
        static const uint8_t zero[64];

        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(&m, strlen(has) + 1 + (protocol >= 0));
        if (protocol >= 0) {
                kp_cbor_put_int(&m, 1);
                kp_cbor_put_int(&m, protocol);
        }
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, sub_command);
        for (; *has != '\0'; has++) {
                kp_cbor_put_int(&m, *has == 'a' ? 10 : *has - '0');
                if (*has == '3') {
                        cr_assert_eq(kp_pin_key_make(rig->random, &own, &err), 0);
                        cr_assert_eq(kp_pin_key_put(&m, own, &err), 0);
                } else if (*has == '4') {
                        kp_cbor_put_bytes(&m, zero, protocol == 1 ? 16 : 32);
                } else if (*has == '5') {
                        kp_cbor_put_bytes(&m, zero, 64);
                } else if (*has == '6') {
                        kp_cbor_put_bytes(&m, zero, 32);
                } else if (*has == '9') {
                        kp_cbor_put_int(&m, KP_CTAP_PERM_CM);
                } else {
                        kp_cbor_put_text(&m, "example.org");
                }
        }
        return rig_send(rig, &m);
}

Test(pin, every_parameter_that_is_missing_is_missed_and_costs_no_try)
{
        const struct {
                int sub_command;
                const char *has; /* one of them at a time is left out */
        } cases[] = {
                { KP_CTAP_PIN_SET, "345" },
                { KP_CTAP_PIN_CHANGE, "3456" },
                { KP_CTAP_PIN_GET_TOKEN, "36" },
                { KP_CTAP_PIN_GET_TOKEN_UV_PERMS, "39" },
                { KP_CTAP_PIN_GET_TOKEN_PIN_PERMS, "369" },
        };
        struct rig rig;
        const int64_t wrong[] = { 0, 3, 255 };

        rig_open(&rig, "yubikey-bio");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                expect_status(
                        send_members(&rig, cases[i].sub_command, -1, cases[i].has),
                        KP_CTAP2_ERR_MISSING_PARAMETER);
                for (size_t k = 0; k < KP_NELEMS(wrong); k++)
                        expect_status(send_members(&rig, cases[i].sub_command, wrong[k],
                                              cases[i].has),
                                KP_CTAP1_ERR_INVALID_PARAMETER);
                for (size_t out = 0; out < strlen(cases[i].has); out++) {
                        char has[8] = "";

                        for (size_t k = 0, n = 0; k < strlen(cases[i].has); k++)
                                if (k != out)
                                        has[n++] = cases[i].has[k];
                        expect_status(send_members(&rig, cases[i].sub_command, 2, has),
                                KP_CTAP2_ERR_MISSING_PARAMETER);
                }
        }
        cr_assert_eq(pin_retries(&rig), 8);
        /* a wrong pinUvAuthParam is no try either */
        expect_status(send_members(&rig, KP_CTAP_PIN_CHANGE, 1, "3456"),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        cr_assert_eq(pin_retries(&rig), 8);
        /* but a pinHashEnc that decrypts to something else is */
        expect_status(send_members(&rig, KP_CTAP_PIN_GET_TOKEN, 1, "36"),
                KP_CTAP2_ERR_PIN_INVALID);
        cr_assert_eq(pin_retries(&rig), 7);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-57");
        expect_status(send_members(&rig, KP_CTAP_PIN_SET, 2, "345"),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        cr_assert_eq(rig_option(&rig, "clientPin"), 0);
        rig_close(&rig);
}

Test(pin, a_point_that_is_on_no_curve_is_refused_and_costs_no_try)
{
        struct rig rig;
        struct kp_buf m = { 0 };
        static const uint8_t zero[32] = { 1 };

        rig_open(&rig, "yubikey-5-57-pin");
        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(&m, 4);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, KP_CTAP_PIN_GET_TOKEN);
        kp_cbor_put_int(&m, 3);
        kp_cbor_put_map(&m, 5);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, 3);
        kp_cbor_put_int(&m, -25);
        kp_cbor_put_int(&m, -1);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, -2);
        kp_cbor_put_bytes(&m, zero, 32);
        kp_cbor_put_int(&m, -3);
        kp_cbor_put_bytes(&m, zero, 32);
        kp_cbor_put_int(&m, 6);
        kp_cbor_put_bytes(&m, zero, 16);
        expect_status(rig_send(&rig, &m), KP_CTAP1_ERR_INVALID_PARAMETER);
        cr_assert_eq(pin_retries(&rig), 8);
        rig_close(&rig);
}

/* Unauthorised before blocked, blocked before the key agreement, and so on. */
Test(pin, permissions_are_refused_before_anything_is_tried)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 2,
                .pin = "0000",
                .permissions = KP_CTAP_PERM_BE };

        rig_open(&rig, "yubikey-5-57-locked");
        expect_status(
                rig_token(&rig, &ask, token), KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION);
        ask.permissions = KP_CTAP_PERM_CM;
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_BLOCKED);
        ask.permissions = 0;
        expect_status(rig_token(&rig, &ask, token), KP_CTAP1_ERR_INVALID_PARAMETER);
        ask.sub_command = KP_CTAP_PIN_GET_TOKEN;
        expect_status(rig_token(&rig, &ask, token), KP_CTAP1_ERR_INVALID_PARAMETER);
        ask.permissions = -1;
        ask.rp_id = "example.org";
        expect_status(rig_token(&rig, &ask, token), KP_CTAP1_ERR_INVALID_PARAMETER);
        rig_close(&rig);
}

/* Spec table: CTAP 2.3 §6.5.5.7.2 step 4 and §6.5.5.7.3 step 4, by PIN and by finger. */
Test(pin, which_permissions_a_pin_and_a_finger_may_have)
{
        enum { OK = KP_CTAP_OK, NO = KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION };
        const struct {
                const char *id;
                int permissions;
                uint8_t by_pin, by_finger;
        } cases[] = {
                { "keypilot-23-set", KP_CTAP_PERM_MC, OK, OK },
                { "keypilot-23-set", KP_CTAP_PERM_CM, OK, OK },
                { "keypilot-23-set", KP_CTAP_PERM_BE, OK, OK },
                { "keypilot-23-set", KP_CTAP_PERM_LBW, OK, OK },
                { "keypilot-23-set", KP_CTAP_PERM_ACFG, OK, OK },
                { "keypilot-23-set", KP_CTAP_PERM_PCMR, OK, OK },
                { "keypilot-23-set", KP_CTAP_PERM_PCMR | 0x80, OK, OK },
                { "keypilot-23-set", KP_CTAP_PERM_PCMR | KP_CTAP_PERM_CM, NO, NO },
                { "yubikey-bio", KP_CTAP_PERM_BE, OK, NO },   /* no uvBioEnroll */
                { "yubikey-bio", KP_CTAP_PERM_ACFG, OK, NO }, /* no uvAcfg */
                { "yubikey-bio", KP_CTAP_PERM_PCMR, NO, NO },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;
                uint8_t token[32];
                struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                        .protocol = 2,
                        .permissions = cases[i].permissions,
                        .rp_id = cases[i].permissions & 3 ? "example.org" : NULL };

                rig_open(&rig, cases[i].id);
                ask.pin = kp_authenticator_profile_test_pin(rig.profile);
                expect_status(rig_token(&rig, &ask, token), cases[i].by_pin);
                ask.sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS;
                ask.pin = NULL;
                expect_status(rig_token(&rig, &ask, token), cases[i].by_finger);
                rig_close(&rig);
        }
}

/* Spec: CTAP 2.1 §6.4 noMcGaPermissionsWithClientPin, §6.5.5.7.1 step 14 */
Test(pin, a_key_may_keep_it_from_websites)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 2,
                .rp_id = "example.org" };
        struct ask get = { .token = token, .protocol = 2, .up = FALSE_ };

        rig_open_own(&rig,
                "\"like\": \"keypilot-23\", \"options\": {\"clientPin\": true, \"uv\": "
                "true, "
                "\"bioEnroll\": true, \"userVerificationMgmtPreview\": true, "
                "\"noMcGaPermissionsWithClientPin\": true}, "
                "\"state\": {\"pin\": \"set\", \"fingers\": 1}");
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        for (int i = 1; i <= 3; i++) {
                ask.permissions = i; /* mc, ga, both */
                expect_status(rig_token(&rig, &ask, token),
                        KP_CTAP2_ERR_UNAUTHORIZED_PERMISSION);
        }
        ask.permissions = KP_CTAP_PERM_CM;
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        ask = (struct token_ask){ .sub_command = KP_CTAP_PIN_GET_TOKEN,
                .protocol = 2,
                .pin = ask.pin,
                .permissions = -1 };
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        expect_status(rig_get(&rig, &get), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        ask = (struct token_ask){ .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_GA,
                .rp_id = "example.org" };
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        expect_status(rig_get(&rig, &get), KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_close(&rig);
}

/* ---- built-in verification: CTAP 2.1 §6.5.5.7.3 steps 5 to 10 ---- */

Test(pin, a_wrong_finger_is_invalid_then_blocked_and_the_pin_unblocks_it)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_GA,
                .rp_id = "example.org" };
        int64_t count;

        rig_open(
                &rig, "yubikey-bio"); /* preferredPlatformUvAttempts 3: one at a time */
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 3);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 0, false);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_UV_INVALID);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_UV_INVALID);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 1);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_UV_BLOCKED);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 0, true);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_UV_BLOCKED);
        kp_authenticator_power_cycle(rig.key, rig.now_ms += 1000);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_UV_BLOCKED);
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 3);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        rig_close(&rig);
        rig_open(&rig, "keypilot-23-set");
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x17), &count) && count == 2,
                "since the PIN was entered last");
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x17), &count) && count == 0);
        rig_close(&rig);
}

Test(pin, the_key_tells_when_it_must_be_plugged_in_again)
{
        struct rig rig;
        uint8_t token[32];
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                .protocol = 1,
                .pin = "0000",
                .permissions = -1 };
        bool value;

        rig_open(&rig, "yubikey-5-57-pin");
        for (int i = 0; i < 3; i++) {
                (void)pin_retries(&rig);
                cr_assert(
                        kp_cbor_is_bool(kp_cbor_at_int(rig.map, 4), &value) && !value);
                (void)rig_token(&rig, &ask, token);
        }
        (void)pin_retries(&rig);
        cr_assert(kp_cbor_is_bool(kp_cbor_at_int(rig.map, 4), &value) && value);
        kp_authenticator_power_cycle(rig.key, rig.now_ms += 1000);
        (void)pin_retries(&rig);
        cr_assert(kp_cbor_is_bool(kp_cbor_at_int(rig.map, 4), &value) && !value);
        rig_close(&rig);
}

/* A new token of either protocol ends the old one; of CTAP 2.0 it is the same one. */
Test(pin, a_new_token_ends_the_old_one_since_ctap_2_1)
{
        struct rig rig;
        uint8_t first[32], second[32];
        struct ask get = { .token = first, .protocol = 1, .up = FALSE_ };
        struct token_ask old = {
                .sub_command = KP_CTAP_PIN_GET_TOKEN, .protocol = 1, .permissions = -1
        };

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 1, KP_CTAP_PERM_GA, first);
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, second);
        expect_status(rig_get(&rig, &get), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
        rig_open(&rig, "google-titan-v2-pin");
        old.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&rig, &old, first), 0);
        expect_status(rig_token(&rig, &old, second), 0);
        cr_assert_eq(memcmp(first, second, 32), 0);
        rig_wait(&rig, 3600000);
        expect_status(rig_get(&rig, &get), KP_CTAP2_ERR_NO_CREDENTIALS);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        expect_status(rig_get(&rig, &get), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
}

/* Spec: CTAP 2.1 §6, stateful commands: state ends with the token that began it. */
Test(pin, assertions_that_are_told_in_parts_end_with_their_token)
{
        for (int late = 0; late <= 1; late++) {
                struct rig rig;
                uint8_t token[32];
                struct ask get = { .token = token, .protocol = 2 }, silent = get;

                silent.up = FALSE_;
                rig_open(&rig, "yubikey-5-57");
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
                expect_status(rig_make(&rig,
                                      &(struct ask){ .rk = TRUE_, .user_id = "other" }),
                        0);
                expect_status(rig_set_pin(&rig, 2, NULL, "123456"), 0);
                expect_status(
                        rig_token(&rig,
                                &(struct token_ask){
                                        .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                                        .protocol = 2,
                                        .pin = "123456",
                                        .permissions = KP_CTAP_PERM_GA,
                                        .rp_id = "example.org" },
                                token),
                        0);
                expect_status(rig_get(&rig, &silent), 0); /* now it lasts */
                rig_wait(&rig, 590000);
                expect_status(rig_get(&rig, &get), 0);
                rig_wait(&rig, 10000 + late);
                expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION),
                        late ? KP_CTAP2_ERR_NOT_ALLOWED : KP_CTAP_OK);
                rig_close(&rig);
        }
}

/* A CTAP2 message to a key on a reader; its status, and its answer kept. */
static uint8_t
by_radio(struct rig *rig, struct kp_buf *message)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf apdu = { 0 };
        struct kp_error err = { 0 };
        static const uint8_t head[] = { 0x80, 0x10, 0x00, 0x00, 0x00 };

        kp_free_cbor(&rig->map);
        kp_buf_put(&apdu, head, sizeof(head));
        kp_buf_put_be16(&apdu, (uint16_t)message->len);
        kp_buf_put(&apdu, message->data, message->len);
        kp_buf_put_be16(&apdu, 0);
        kp_buf_done(message);
        kp_authenticator_apdu(rig->key, apdu.data, apdu.len, rig->now_ms, &rig->answer);
        cr_assert_geq(rig->answer.len, 3);
        if (rig->answer.len > 3)
                cr_assert_eq(kp_cbor_parse(rig->answer.data + 1, rig->answer.len - 3,
                                     KP_CBOR_CTAP2, &rig->map, NULL, &err),
                        0);
        return rig->answer.data[0];
}

/* Spec: CTAP 2.1 §6.5.2.1, initial usage time limit: 19.8 seconds over NFC */
Test(pin, a_token_that_came_by_radio_is_used_sooner)
{
        static const uint8_t select[] = { 0x00, 0xa4, 0x04, 0x00, 0x08, 0xa0, 0x00,
                0x00, 0x06, 0x47, 0x2f, 0x00, 0x01, 0x00 };

        for (int late = 0; late <= 1; late++) {
                struct rig rig;
                struct kp_pin_secret secret;
                KP_CLEANUP(kp_buf_done) struct kp_buf public = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf enc = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
                struct kp_buf m = { 0 };
                struct kp_error err = { 0 };
                uint8_t hash[16];
                const uint8_t *bytes;
                size_t len;

                rig_open(&rig, "keypilot-23-set");
                rig_agree(&rig, 2, &secret, &public);
                pin_hash(kp_authenticator_profile_test_pin(rig.profile), hash);
                cr_assert_eq(
                        kp_pin_encrypt(&secret, rig.random, hash, 16, &enc, &err), 0);
                kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
                kp_cbor_put_map(&m, 5);
                kp_cbor_put_int(&m, 1);
                kp_cbor_put_int(&m, 2);
                kp_cbor_put_int(&m, 2);
                kp_cbor_put_int(&m, KP_CTAP_PIN_GET_TOKEN_PIN_PERMS);
                kp_cbor_put_int(&m, 3);
                kp_buf_put(&m, public.data, public.len);
                kp_cbor_put_int(&m, 6);
                kp_cbor_put_bytes(&m, enc.data, enc.len);
                kp_cbor_put_int(&m, 9);
                kp_cbor_put_int(&m, KP_CTAP_PERM_CM);
                kp_authenticator_apdu(
                        rig.key, select, sizeof(select), rig.now_ms, &rig.answer);
                expect_status(by_radio(&rig, &m), KP_CTAP_OK);
                cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(rig.map, 2), &bytes, &len));
                cr_assert_eq(kp_pin_decrypt(&secret, bytes, len, &plain, &err), 0);
                rig_wait(&rig, 19800 + late);
                expect_status(rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT, 1, 2,
                                      plain.data, NULL),
                        late ? KP_CTAP2_ERR_PIN_AUTH_INVALID : KP_CTAP_OK);
                rig_close(&rig);
        }
}

/* ---- faults ---- */

Test(pin, faults_block_it_without_a_try)
{
        const struct {
                const char *point;
                uint8_t sub_command, status;
        } cases[] = {
                { "pin.blocked", KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                        KP_CTAP2_ERR_PIN_BLOCKED },
                { "pin.power-cycle", KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                        KP_CTAP2_ERR_PIN_AUTH_BLOCKED },
                { "uv.blocked", KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                        KP_CTAP2_ERR_UV_BLOCKED },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;
                struct kp_error err = { 0 };
                uint8_t token[32];
                const struct kp_fault fault = { .id = "test",
                        .point = cases[i].point,
                        .command = "clientPIN",
                        .nth = 2,
                        .times = 1 };
                struct token_ask ask = { .sub_command = cases[i].sub_command,
                        .protocol = 2,
                        .permissions = KP_CTAP_PERM_CM };

                rig_open(&rig, "yubikey-bio");
                ask.pin = kp_authenticator_profile_test_pin(rig.profile);
                cr_assert_eq(kp_authenticator_fault_add(rig.key, &fault, &err), 0);
                expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
                expect_status(rig_token(&rig, &ask, token), cases[i].status);
                cr_assert_eq(kp_authenticator_fault_fired(rig.key, 0), 1);
                cr_assert_eq(pin_retries(&rig), 8);
                expect_status(rig_token(&rig, &ask, token), KP_CTAP_OK);
                rig_close(&rig);
        }
}

/* What a fault makes of a finished answer. */
Test(answer, faults_damage_it_and_count)
{
        const struct {
                const char *point;
                int64_t value;
                size_t len_less, len_more;
                bool same_start;
                uint8_t status;
        } cases[] = {
                { "answer.truncated", 3, 3, 0, true, 0 },
                { "answer.oversized", 5, 0, 5, true, 0 },
                { "answer.non-canonical", 0, 0, 0, false, 0 },
        };
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf right = { 0 };
        const uint8_t message[] = { KP_CTAP_GET_INFO };
        struct kp_error err = { 0 };

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        kp_buf_put(&right, rig.answer.data, rig.answer.len);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                const struct kp_fault fault = { .id = "test",
                        .point = cases[i].point,
                        .nth = 1,
                        .times = 1,
                        .value = cases[i].value };
                size_t len = right.len - cases[i].len_less + cases[i].len_more;
                cbor_item_t *item = NULL;

                cr_assert_eq(kp_authenticator_fault_add(rig.key, &fault, &err), 0);
                kp_authenticator_message(rig.key, message, 1, &rig.answer);
                cr_assert_eq(rig.answer.len, len, "%s", cases[i].point);
                cr_assert_eq(rig.answer.data[0], KP_CTAP_OK);
                cr_assert_eq(memcmp(rig.answer.data, right.data,
                                     len < right.len ? len : right.len) == 0,
                        cases[i].same_start, "%s", cases[i].point);
                cr_assert_lt(kp_cbor_parse(rig.answer.data + 1, len - 1, KP_CBOR_CTAP2,
                                     &item, NULL, &err),
                        0, "%s: it is still right", cases[i].point);
                if (strcmp(cases[i].point, "answer.non-canonical") == 0) {
                        cr_assert_eq(kp_cbor_parse(rig.answer.data + 1, len - 1,
                                             KP_CBOR_ANY_ORDER, &item, NULL, &err),
                                0, "all of it is there");
                        kp_free_cbor(&item);
                }
                kp_authenticator_faults_clear(rig.key);
        }
        {
                const struct kp_fault fault = { .id = "test",
                        .point = "answer.status",
                        .nth = 1,
                        .times = 1,
                        .value = KP_CTAP2_ERR_PROCESSING };

                cr_assert_eq(kp_authenticator_fault_add(rig.key, &fault, &err), 0);
                expect_status(
                        rig_command(&rig, KP_CTAP_GET_INFO), KP_CTAP2_ERR_PROCESSING);
                expect_status(rig_command(&rig, KP_CTAP_GET_INFO), KP_CTAP_OK);
        }
        rig_close(&rig);
}
