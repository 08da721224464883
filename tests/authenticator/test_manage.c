/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

/* CredentialManagement, Config, Reset, Selection, GetInfo. CTAP 2.1 §6.4 to §6.11 */

enum { METADATA = 1, RPS_BEGIN, RPS_NEXT, CREDS_BEGIN, CREDS_NEXT, DELETE, UPDATE };

static int64_t
number_at(const struct rig *rig, int64_t member)
{
        int64_t n = -1;

        (void)kp_cbor_is_int(kp_cbor_at_int(rig->map, member), &n);
        return n;
}

static struct kp_buf
rp_params(const char *rp_id)
{
        struct kp_buf params = { 0 };
        uint8_t hash[32];

        (void)SHA256((const uint8_t *)rp_id, strlen(rp_id), hash);
        kp_cbor_put_map(&params, 1);
        kp_cbor_put_int(&params, 1);
        kp_cbor_put_bytes(&params, hash, 32);
        return params;
}

static struct kp_buf
id_params(const struct kp_buf *id, const char *user_id, const char *name)
{
        struct kp_buf params = { 0 };

        kp_cbor_put_map(&params, user_id == NULL ? 1 : 2);
        kp_cbor_put_int(&params, 2);
        kp_cbor_put_map(&params, 2);
        kp_cbor_put_text(&params, "id");
        kp_cbor_put_bytes(&params, id->data, id->len);
        kp_cbor_put_text(&params, "type");
        kp_cbor_put_text(&params, "public-key");
        if (user_id != NULL) {
                kp_cbor_put_int(&params, 3);
                kp_cbor_put_map(&params, 2);
                kp_cbor_put_text(&params, "id");
                kp_cbor_put_bytes(&params, user_id, strlen(user_id));
                kp_cbor_put_text(&params, "name");
                kp_cbor_put_text(&params, name);
        }
        return params;
}

/* Three credentials of two parties, PIN set; returns the id of the second. */
static struct kp_buf
fill(struct rig *rig)
{
        struct kp_buf id;

        expect_status(rig_make(rig, &(struct ask){ .rk = TRUE_ }), 0);
        expect_status(
                rig_make(rig, &(struct ask){ .rk = TRUE_, .user_id = "user-2" }), 0);
        id = rig_id(rig);
        expect_status(
                rig_make(rig, &(struct ask){ .rk = TRUE_, .rp_id = "other.org" }), 0);
        /* not discoverable: not listed */
        expect_status(rig_make(rig, &(struct ask){ 0 }), 0);
        expect_status(rig_set_pin(rig, 1, NULL, "123456"), 0);
        return id;
}

static void
manager(struct rig *rig, int protocol, const char *rp_id, uint8_t token[32])
{
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = protocol,
                .pin = "123456",
                .permissions = KP_CTAP_PERM_CM,
                .rp_id = rp_id };

        expect_status(rig_token(rig, &ask, token), 0);
}

Test(manage, lists_counts_and_removes)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;
        size_t n;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        params = id_params(&id, NULL, NULL);
        manager(&rig, 2, NULL, token);
        expect_status(rig_authorised(&rig, cmd, METADATA, 2, token, NULL), 0);
        cr_assert_eq(number_at(&rig, 1), 3);
        cr_assert_eq(number_at(&rig, 2), 97);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 2, token, NULL), 0);
        cr_assert_eq(number_at(&rig, 5), 2);
        expect_status(rig_authorised(&rig, cmd, RPS_NEXT, 2, NULL, NULL), 0);
        cr_assert_eq(number_at(&rig, 5), -1);
        expect_status(rig_authorised(&rig, cmd, RPS_NEXT, 2, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp), 0);
        cr_assert_eq(number_at(&rig, 9), 2);
        cr_assert_eq(number_at(&rig, 10), 1);
        cr_assert(
                kp_cbor_is_map(kp_cbor_at_int(rig.map, 8), &n) && n == 5, "a COSE key");
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 2, NULL, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &params), 0);
        expect_status(rig_authorised(&rig, cmd, DELETE, 2, token, &params),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_authorised(&rig, cmd, METADATA, 2, token, NULL), 0);
        cr_assert_eq(number_at(&rig, 1), 2);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &id }, .n_list = 1 }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_close(&rig);
}

Test(manage, next_needs_its_begin_and_nothing_between)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        manager(&rig, 1, NULL, token);
        expect_status(rig_authorised(&rig, cmd, RPS_NEXT, 1, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 1, token, NULL), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 1, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp), 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        expect_status(rig_authorised(&rig, cmd, CREDS_NEXT, 1, NULL, NULL),
                KP_CTAP2_ERR_NOT_ALLOWED);
        rig_close(&rig);
}

Test(manage, the_token_must_allow_it_and_stays_with_its_party)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57");
        id = fill(&rig);
        params = id_params(&id, "user-2", "Nieuwe naam");
        expect_status(rig_authorised(&rig, cmd, METADATA, 1, NULL, NULL),
                KP_CTAP2_ERR_PUAT_REQUIRED);
        manager(&rig, 1, "other.org", token);
        expect_status(rig_authorised(&rig, cmd, METADATA, 1, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 1, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 1, token, &params),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        manager(&rig, 1, "example.org", token);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp), 0);
        expect_status(rig_authorised(&rig, cmd, UPDATE, 1, token, &params), 0);
        token[0] ^= 1;
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 1, token, &rp),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_authorised(&rig, cmd, 0x55, 1, token, &rp),
                KP_CTAP2_ERR_INVALID_SUBCOMMAND);
        rig_close(&rig);
}

Test(manage, an_empty_key_has_no_credentials_to_list)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf rp = rp_params("example.org");
        const uint8_t cmd = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_CM, token);
        expect_status(rig_authorised(&rig, cmd, RPS_BEGIN, 2, token, NULL),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, &rp),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_authorised(&rig, cmd, CREDS_BEGIN, 2, token, NULL),
                KP_CTAP2_ERR_MISSING_PARAMETER);
        rig_close(&rig);
}

Test(manage, the_preview_works_with_an_old_token_where_the_model_has_it)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = {
                .sub_command = KP_CTAP_PIN_GET_TOKEN, .protocol = 2, .permissions = -1
        };
        struct kp_buf none = { 0 };

        rig_open(&rig, "yubikey-5-52-pin");
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&rig, &ask, token), 0);
        expect_status(
                rig_make(&rig,
                        &(struct ask){ .rk = TRUE_, .token = token, .protocol = 2 }),
                0);
        expect_status(rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW,
                              METADATA, 2, token, NULL),
                0);
        cr_assert_eq(number_at(&rig, 1), 1);
        cr_assert_eq(number_at(&rig, 2), 24);
        expect_status(rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT, METADATA, 2,
                              token, NULL),
                KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
        rig_open(&rig, "google-titan-v2-pin"); /* cannot be managed at all */
        kp_buf_put_u8(&none, KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW);
        expect_status(rig_send(&rig, &none), KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
}

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

/* ---- what a key says of itself ---- */

Test(info, tells_only_what_a_simulated_key_can_do)
{
        struct rig rig;
        size_t n;

        rig_open(&rig, "yubikey-5-57");
        cr_assert_eq(rig_option(&rig, "largeBlobs"), -1);
        cr_assert_eq(rig_option(&rig, "bioEnroll"), -1);
        cr_assert(!rig_info_has(&rig, 2, "largeBlobKey"));
        cr_assert(rig_info_has(&rig, 2, "hmac-secret"));
        cr_assert_null(rig_info(&rig, 0x0b));
        cr_assert(kp_cbor_is_array(rig_info(&rig, 0x0a), &n) && n == 3);
        cr_assert_null(rig_info(&rig, 0x0c), "not told while false");
        rig_close(&rig);
        rig_open(&rig, "google-titan-v2");
        cr_assert_null(rig_info(&rig, 0x0a));
        cr_assert_null(rig_info(&rig, 0x14));
        cr_assert_null(rig_info(&rig, 0x0d));
        cr_assert_eq(rig_option(&rig, "plat"), -1, "absent is not false");
        rig_close(&rig);
}

/* All that a profile says, and its answer byte by byte canonical (rig_send checks). */
Test(info, answers_in_canonical_form_for_every_profile)
{
        const char *ids[] = { "bitwarden", "chrome-mac", "feitian-biopass",
                "feitian-epass-21", "feitian-epass-k9-fido2", "google-password-manager",
                "icloud-keychain", "ledger-nano-x", "nitrokey-3-am", "opensk",
                "security-key-nfc-57", "solo-1", "swissbit-ishield",
                "token2-pinplus-pin", "windows-hello-hw", "yubikey-5-51",
                "yubikey-5-52", "yubikey-5-fips-54", "yubikey-bio" };

        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                struct rig rig;
                const struct kp_key_facts *facts;
                const uint8_t *aaguid;
                size_t len;

                rig_open(&rig, ids[i]);
                facts = kp_authenticator_profile_facts(rig.profile);
                cr_assert(kp_cbor_is_bytes(rig_info(&rig, 3), &aaguid, &len));
                cr_assert(kp_bytes_equal(aaguid, len, facts->aaguid, 16));
                cr_assert(!rig_info_has(&rig, 1, "FIDO_2_2"));
                rig_close(&rig);
        }
}
