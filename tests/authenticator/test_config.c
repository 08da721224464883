/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido/config.h>

#include "peers.h"

/* Config, Reset, Selection. CTAP 2.1 §6.6, §6.9, §6.11; CTAP 2.2 and 2.3 */

static const uint8_t config = KP_CTAP_CONFIG;
enum { ENTERPRISE = 1, ALWAYS_UV, MIN_PIN, LONG_TOUCH, VENDOR = 0xff };

/* ---- reset and selection ---- */

Test(reset, works_in_the_first_ten_seconds_with_a_touch_and_forgets_everything)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        int64_t left;

        rig_open(&rig, "yubikey-5-57-pin");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        plain = rig_id(&rig);
        rig_wait(&rig, 10001);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP2_ERR_NOT_ALLOWED);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP2_ERR_OPERATION_DENIED);
        rig_wait(&rig, 9000);
        /* asked in time; the touch may come later */
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 5000, true);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP_OK);
        cr_assert_eq(rig_option(&rig, "clientPin"), 0);
        cr_assert_eq(pin_retries(&rig), 8);
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x14), &left) && left == 100);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &plain }, .n_list = 1 }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-57-locked"); /* the way out of a locked key */
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_status(
                rig_command(&rig, KP_CTAP_RESET), KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-57-locked");
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP_OK);
        expect_status(rig_set_pin(&rig, 2, NULL, "1234"), KP_CTAP_OK);
        rig_close(&rig);
}

Test(selection, is_a_touch_and_exists_since_ctap_2_1)
{
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_command(&rig, KP_CTAP_SELECTION), KP_CTAP_OK);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        expect_status(
                rig_command(&rig, KP_CTAP_SELECTION), KP_CTAP2_ERR_OPERATION_DENIED);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_status(
                rig_command(&rig, KP_CTAP_SELECTION), KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-52");
        expect_status(
                rig_command(&rig, KP_CTAP_SELECTION), KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
}

/* ---- configuration ---- */

static struct kp_buf
min_pin_params(int64_t length, const char *rp_id, bool force)
{
        struct kp_buf params = { 0 };

        kp_cbor_put_map(&params, 1 + (size_t)(rp_id != NULL) + (size_t)force);
        kp_cbor_put_int(&params, 1);
        kp_cbor_put_int(&params, length);
        if (rp_id != NULL) {
                kp_cbor_put_int(&params, 2);
                kp_cbor_put_array(&params, 1);
                kp_cbor_put_text(&params, rp_id);
        }
        if (force) {
                kp_cbor_put_int(&params, 3);
                kp_cbor_put_bool(&params, true);
        }
        return params;
}

static void
ask_min_pin(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "minPinLength");
        kp_cbor_put_bool(m, true);
}

Test(config, raises_the_minimum_pin_and_tells_listed_parties)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done)
        struct kp_buf eight = min_pin_params(8, "example.org", false);
        KP_CLEANUP(kp_buf_done) struct kp_buf four = min_pin_params(4, NULL, false);
        int64_t length;
        bool forced;
        struct kp_authdata data;

        rig_open(&rig, "yubikey-5-57-pin"); /* the test PIN has six digits */
        expect_status(rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, NULL, &eight),
                KP_CTAP2_ERR_PUAT_REQUIRED);
        rig_permit(&rig, 2, KP_CTAP_PERM_CM, token);
        expect_status(rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, token, &eight),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_permit(&rig, 2, KP_CTAP_PERM_ACFG, token);
        expect_status(
                rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, token, &eight), KP_CTAP_OK);
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x0d), &length) && length == 8);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x0c), &forced) && forced,
                "the PIN is too short now");
        expect_status(
                rig_set_pin(&rig, 2, kp_authenticator_profile_test_pin(rig.profile),
                        "1234567"),
                KP_CTAP2_ERR_PIN_POLICY_VIOLATION);
        expect_status(
                rig_set_pin(&rig, 2, kp_authenticator_profile_test_pin(rig.profile),
                        "12345678"),
                0);
        {
                const struct token_ask ask = { .sub_command =
                                                       KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                        .protocol = 2,
                        .pin = "12345678",
                        .permissions = KP_CTAP_PERM_ACFG };

                expect_status(rig_token(&rig, &ask, token), 0);
        }
        expect_status(rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, token, &four),
                KP_CTAP2_ERR_PIN_POLICY_VIOLATION);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = ask_min_pin }), 0);
        data = rig_auth_data(&rig);
        cr_assert_eq(data.extensions[data.extensions_len - 1], 8);
        expect_status(rig_make(&rig, &(struct ask){ .rp_id = "other.org",
                                             .extensions = ask_min_pin }),
                0);
        cr_assert_null(rig_auth_data(&rig).extensions);
        rig_close(&rig);
}

Test(config, force_change_needs_a_pin_and_too_many_parties_write_nothing)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf force = min_pin_params(4, NULL, true);
        struct kp_buf many = { 0 };
        int64_t length;

        rig_open(&rig, "yubikey-5-57"); /* no PIN: nobody to ask */
        expect_status(rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, NULL, &force),
                KP_CTAP2_ERR_PIN_NOT_SET);
        kp_cbor_put_map(&many, 2);
        kp_cbor_put_int(&many, 1);
        kp_cbor_put_int(&many, 9);
        kp_cbor_put_int(&many, 2);
        kp_cbor_put_array(&many, 2); /* the key keeps one */
        kp_cbor_put_text(&many, "a.org");
        kp_cbor_put_text(&many, "b.org");
        expect_status(rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, NULL, &many),
                KP_CTAP2_ERR_KEY_STORE_FULL);
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x0d), &length) && length == 4);
        kp_buf_done(&many);
        rig_close(&rig);
}

Test(config, always_uv_can_be_switched_and_takes_u2f_with_it)
{
        struct rig rig;
        uint8_t token[32];

        rig_open(&rig, "yubikey-5-57-pin");
        cr_assert(rig_info_has(&rig, 1, "U2F_V2"));
        rig_permit(&rig, 1, KP_CTAP_PERM_ACFG, token);
        expect_status(rig_authorised(&rig, KP_CTAP_CONFIG, 2, 1, token, NULL), 0);
        cr_assert_eq(rig_option(&rig, "alwaysUv"), 1);
        cr_assert(!rig_info_has(&rig, 1, "U2F_V2"));
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_PUAT_REQUIRED);
        rig_close(&rig);
}

Test(config, always_uv_that_came_switched_on_is_switched_off_without_a_pin)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf eight = min_pin_params(8, NULL, false);

        rig_open(&rig, "yubikey-5-57-always-uv");
        expect_status(rig_command(&rig, KP_CTAP_RESET), 0); /* the PIN is gone */
        cr_assert_eq(rig_option(&rig, "alwaysUv"), 1, "as it came");
        cr_assert_eq(rig_option(&rig, "makeCredUvNotRqd"), 0);
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, NULL, &eight),
                KP_CTAP2_ERR_PUAT_REQUIRED);
        expect_status(rig_authorised(&rig, config, ALWAYS_UV, 2, NULL, NULL), 0);
        cr_assert_eq(rig_option(&rig, "alwaysUv"), 0);
        cr_assert_eq(rig_option(&rig, "makeCredUvNotRqd"), 1);
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, NULL, &eight), 0);
        expect_status(rig_authorised(&rig, config, ALWAYS_UV, 2, NULL, NULL), 0);
        expect_status(rig_set_pin(&rig, 2, NULL, "12345678"), 0);
        expect_status(rig_authorised(&rig, config, ALWAYS_UV, 2, NULL, NULL),
                KP_CTAP2_ERR_PUAT_REQUIRED); /* there is somebody to ask now */
        {
                const struct token_ask ask = { .sub_command =
                                                       KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                        .protocol = 1,
                        .pin = "12345678",
                        .permissions = KP_CTAP_PERM_ACFG };

                expect_status(rig_token(&rig, &ask, token), 0);
        }
        expect_status(rig_authorised(&rig, config, ALWAYS_UV, 1, token, NULL), 0);
        expect_status(rig_authorised(&rig, config, ALWAYS_UV, 1, token, NULL), 0);
        cr_assert_eq(rig_option(&rig, "alwaysUv"), 1, "the token is not spent");
        rig_close(&rig);
}

Test(config, what_a_key_lists_is_what_it_answers)
{
        const char *ids[] = { "keypilot-23", "yubikey-5-57", "yubikey-5-58" };

        for (size_t k = 0; k < KP_NELEMS(ids); k++) {
                struct rig rig;
                bool listed[256] = { false };
                cbor_item_t *list;
                size_t n;
                int64_t number;

                rig_open(&rig, ids[k]);
                list = rig_info(&rig, 0x1f);
                if (list != NULL)
                        cr_assert(kp_cbor_is_array(list, &n));
                for (size_t i = 0; list != NULL && i < n; i++) {
                        cr_assert(kp_cbor_is_int(cbor_array_handle(list)[i], &number));
                        listed[number & 0xff] = true;
                }
                for (int i = 0; list != NULL && i < 256; i++) {
                        uint8_t status =
                                rig_authorised(&rig, config, (uint8_t)i, 2, NULL, NULL);

                        if (i == ALWAYS_UV && listed[i])
                                (void)rig_authorised(
                                        &rig, config, (uint8_t)i, 2, NULL, NULL);
                        /* of the vendor's own, one that does not exist was asked for */
                        if (i == VENDOR && listed[i])
                                expect_status(status, KP_CTAP2_ERR_MISSING_PARAMETER);
                        else
                                cr_assert_eq(status != KP_CTAP1_ERR_INVALID_PARAMETER,
                                        listed[i], "%s: 0x%02x", ids[k], i);
                }
                rig_close(&rig);
        }
}

Test(config, checks_come_in_the_order_of_the_specification)
{
        struct rig rig;
        uint8_t token[32];
        struct kp_buf none = { 0 };
        const struct {
                uint8_t sub_command;
                int protocol;
                const uint8_t *token;
                uint8_t status;
        } cases[] = {
                { 0x7e, 7, NULL, KP_CTAP1_ERR_INVALID_PARAMETER },
                { ENTERPRISE, 2, NULL, KP_CTAP1_ERR_INVALID_PARAMETER }, /* has none */
                { ALWAYS_UV, 7, NULL, KP_CTAP2_ERR_PUAT_REQUIRED },
                { ALWAYS_UV, 7, token, KP_CTAP1_ERR_INVALID_PARAMETER },
                { ALWAYS_UV, 1, token, KP_CTAP2_ERR_PIN_AUTH_INVALID },
        };

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_ACFG, token);
        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                expect_status(rig_authorised(&rig, config, cases[i].sub_command,
                                      cases[i].protocol, cases[i].token, NULL),
                        cases[i].status);
        cr_assert_eq(pin_retries(&rig), 8, "none of it is a try");
        kp_buf_put_u8(&none, config);
        kp_cbor_put_map(&none, 0);
        expect_status(rig_send(&rig, &none), KP_CTAP2_ERR_MISSING_PARAMETER);
        rig_close(&rig);
}

Test(config, enterprise_attestation_is_switched_on_until_reset)
{
        struct rig rig;

        rig_open(&rig, "keypilot-23");
        cr_assert_eq(rig_option(&rig, "ep"), 0);
        expect_status(rig_authorised(&rig, config, ENTERPRISE, 2, NULL, NULL), 0);
        cr_assert_eq(rig_option(&rig, "ep"), 1);
        expect_status(rig_authorised(&rig, config, ENTERPRISE, 2, NULL, NULL), 0);
        cr_assert_eq(rig_option(&rig, "ep"), 1, "it is no toggle");
        expect_status(rig_command(&rig, KP_CTAP_RESET), 0);
        cr_assert_eq(rig_option(&rig, "ep"), 0);
        rig_close(&rig);
}

Test(config, an_empty_list_of_parties_changes_nothing)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done)
        struct kp_buf one = min_pin_params(4, "example.org", false);
        struct kp_buf empty = { 0 };

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, NULL, &one), 0);
        kp_cbor_put_map(&empty, 1);
        kp_cbor_put_int(&empty, 2);
        kp_cbor_put_array(&empty, 0);
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, NULL, &empty), 0);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = ask_min_pin }), 0);
        cr_assert_not_null(rig_auth_data(&rig).extensions);
        kp_buf_done(&empty);
        rig_close(&rig);
}

Test(config, a_change_that_is_forced_ends_every_token)
{
        struct rig rig;
        uint8_t token[32], reads[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf force = min_pin_params(4, NULL, true);
        const uint8_t manage = KP_CTAP_CREDENTIAL_MANAGEMENT;
        bool forced;

        rig_open(&rig, "keypilot-23-set");
        rig_permit(&rig, 2, KP_CTAP_PERM_PCMR, reads);
        rig_permit(&rig, 2, KP_CTAP_PERM_ACFG | KP_CTAP_PERM_CM, token);
        expect_status(rig_authorised(&rig, manage, 1, 2, reads, NULL), 0);
        expect_status(rig_authorised(&rig, manage, 1, 2, token, NULL), 0);
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, token, &force), 0);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x0c), &forced) && forced);
        expect_status(rig_authorised(&rig, manage, 1, 2, reads, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, manage, 1, 2, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
}

/* Params { 4: true }. Spec: CTAP 2.3 §6.11.4 step 5 */
Test(config, a_pin_policy_asks_for_another_pin_and_refuses_simple_ones)
{
        struct rig rig;
        uint8_t token[32];
        struct kp_buf policy = { 0 };
        const char *pin, *simple[] = { "1111", "123456", "987654", "abcdef" };
        bool value;

        kp_cbor_put_map(&policy, 1);
        kp_cbor_put_int(&policy, 4);
        kp_cbor_put_bool(&policy, true);
        rig_open(&rig, "keypilot-23-set");
        pin = kp_authenticator_profile_test_pin(rig.profile);
        rig_permit(&rig, 2, KP_CTAP_PERM_ACFG, token);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x1b), &value) && !value);
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, token, &policy), 0);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x1b), &value) && value);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x0c), &value) && value);
        for (size_t i = 0; i < KP_NELEMS(simple); i++)
                expect_status(rig_set_pin(&rig, 2, pin, simple[i]),
                        KP_CTAP2_ERR_PIN_POLICY_VIOLATION);
        cr_assert_eq(pin_retries(&rig), 8, "the old PIN was right");
        expect_status(rig_set_pin(&rig, 2, pin, "135790"), 0);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-57-pin"); /* tells of no policy: not asked */
        pin = kp_authenticator_profile_test_pin(rig.profile);
        rig_permit(&rig, 2, KP_CTAP_PERM_ACFG, token);
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, token, &policy), 0);
        expect_status(rig_set_pin(&rig, 2, pin, "1111"), 0);
        kp_buf_done(&policy);
        rig_close(&rig);
}

Test(config, a_vendors_own_command_is_known_by_its_number)
{
        struct rig rig;
        const struct {
                int64_t id;
                uint8_t status;
        } cases[] = { { 7739275264553842, KP_CTAP_OK },
                { 1, KP_CTAP1_ERR_INVALID_PARAMETER } };

        rig_open(&rig, "keypilot-23");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };

                kp_cbor_put_map(&params, 1);
                kp_cbor_put_int(&params, 1);
                kp_cbor_put_int(&params, cases[i].id);
                expect_status(rig_authorised(&rig, config, VENDOR, 2, NULL, &params),
                        cases[i].status);
        }
        rig_close(&rig);
}

/* ---- reset of CTAP 2.2 ---- */

Test(reset, takes_a_long_touch_where_that_is_asked)
{
        struct rig rig;
        bool value;

        rig_open(&rig, "keypilot-23");
        expect_status(rig_authorised(&rig, config, LONG_TOUCH, 2, NULL, NULL), 0);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x18), &value) && value);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 25000, true);
        expect_status(
                rig_command(&rig, KP_CTAP_RESET), KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        kp_authenticator_power_cycle(rig.key, rig.now_ms += 100000);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 1000, true);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP_OK);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x18), &value) && !value);
        rig_close(&rig);
}

Test(reset, comes_by_the_transports_that_are_listed)
{
        /* SELECT of the FIDO applet, then authenticatorReset */
        static const uint8_t select[] = { 0x00, 0xa4, 0x04, 0x00, 0x08, 0xa0, 0x00,
                0x00, 0x06, 0x47, 0x2f, 0x00, 0x01, 0x00 };
        static const uint8_t reset[] = { 0x80, 0x10, 0x00, 0x00, 0x01, 0x07, 0x00 };
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };

        rig_open(&rig, "keypilot-23"); /* transportsForReset: usb */
        kp_authenticator_apdu(rig.key, select, sizeof(select), rig.now_ms, &answer);
        kp_authenticator_apdu(rig.key, reset, sizeof(reset), rig.now_ms, &answer);
        cr_assert_eq(answer.len, 3);
        expect_status(answer.data[0], KP_CTAP2_ERR_OPERATION_DENIED);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP_OK);
        rig_close(&rig);
}

Test(reset, leaves_nothing_of_a_key_that_was_used_for_everything)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done)
        struct kp_buf params = min_pin_params(8, "example.org", false);
        json_auto_t *state = NULL;
        struct kp_error err = { 0 };
        int64_t n;

        rig_open(&rig, "keypilot-23-set");
        rig_permit(&rig, 2, KP_CTAP_PERM_ACFG, token);
        expect_status(rig_authorised(&rig, config, MIN_PIN, 2, token, &params), 0);
        cr_assert_eq(rig_option(&rig, "bioEnroll"), 1);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP_OK);
        cr_assert_eq(rig_option(&rig, "bioEnroll"), 0);
        cr_assert_eq(rig_option(&rig, "uv"), 0);
        cr_assert_eq(rig_option(&rig, "ep"), 0);
        cr_assert_eq(rig_option(&rig, "clientPin"), 0);
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x0d), &n) && n == 4);
        cr_assert_eq(kp_authenticator_save(rig.key, &state, &err), 0);
        cr_assert_eq(json_array_size(json_object_get(state, "credentials")), 0);
        cr_assert_eq(json_array_size(json_object_get(state, "fingers")), 0);
        cr_assert_eq(
                json_array_size(json_object_get(state, "min_pin_length_rp_ids")), 0);
        cr_assert_str_eq(kp_json_str(state, "large_blobs", ""),
                "gHa-i1KNAHX3qumNb6V6bTw", "the empty array");
        cr_assert(json_is_false(
                json_object_get(json_object_get(state, "identity"), "granted")));
        rig_close(&rig);
}

/* ---- somebody else's platform ---- */

Test(config, libfido2_switches_everything_that_it_knows)
{
        struct rig rig;
        fido_dev_t *dev;
        const char *pin, *const parties[] = { "a.example", "b.example" };
        int64_t length;
        bool forced;

        rig_open(&rig, "keypilot-23-set");
        expect_status(rig_command(&rig, KP_CTAP_RESET), 0);
        dev = fido_plug_in(&rig);
        pin = "135790";
        expect_fido(fido_dev_set_pin(dev, pin, NULL));
        fido_unplug(dev);
        dev = fido_plug_in(&rig); /* it remembers the options of the start */
        expect_fido(fido_dev_enable_entattest(dev, pin));
        cr_assert_eq(rig_option(&rig, "ep"), 1);
        cr_assert_eq(fido_dev_toggle_always_uv(dev, "0000"), FIDO_ERR_PIN_INVALID);
        expect_fido(fido_dev_toggle_always_uv(dev, pin));
        cr_assert_eq(rig_option(&rig, "alwaysUv"), 1);
        expect_fido(fido_dev_toggle_always_uv(dev, pin));
        cr_assert_eq(rig_option(&rig, "alwaysUv"), 0);
        expect_fido(fido_dev_set_pin_minlen_rpid(dev, parties, 2, pin));
        expect_fido(fido_dev_set_pin_minlen(dev, 5, pin));
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x0d), &length) && length == 5);
        cr_assert_eq(
                fido_dev_set_pin_minlen(dev, 4, pin), FIDO_ERR_PIN_POLICY_VIOLATION);
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x0c), &forced) && !forced);
        expect_fido(fido_dev_force_pin_change(dev, pin));
        cr_assert(kp_cbor_is_bool(rig_info(&rig, 0x0c), &forced) && forced);
        cr_assert_eq(
                fido_dev_toggle_always_uv(dev, pin), FIDO_ERR_PIN_POLICY_VIOLATION);
        cr_assert_eq(fido_dev_set_pin(dev, pin, pin), FIDO_ERR_PIN_POLICY_VIOLATION);
        expect_fido(fido_dev_set_pin(dev, "246802", pin));
        expect_fido(fido_dev_toggle_always_uv(dev, "246802"));
        fido_unplug(dev);
        rig_close(&rig);
}
