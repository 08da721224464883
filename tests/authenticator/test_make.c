/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/x509.h>

#include "keypilot/authenticator/fault.h"

#include "peers.h"

/* authenticatorMakeCredential, message by message. Spec: CTAP 2.1 §6.1.2 */

Test(make, answers_with_a_packed_statement_that_verifies_under_the_batch_certificate)
{
        struct rig rig;
        struct kp_error err = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf cose = { 0 };
        KP_CLEANUP(kp_free_x509) X509 *certificate = NULL;
        const uint8_t *der;
        size_t len, n;
        const char *fmt;
        int64_t alg;
        struct kp_authdata data;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP_OK);
        cr_assert(kp_cbor_is_text(kp_cbor_at_int(rig.map, 1), &fmt, &len));
        cr_assert(kp_bytes_equal(fmt, len, "packed", 6));
        cr_assert(kp_cbor_is_int(
                kp_cbor_at_str(kp_cbor_at_int(rig.map, 3), "alg"), &alg));
        cr_assert_eq(alg, KP_COSE_ES256);
        cr_assert(kp_cbor_is_array(
                kp_cbor_at_str(kp_cbor_at_int(rig.map, 3), "x5c"), &n));
        cr_assert_eq(n, 1);
        cr_assert(kp_cbor_is_bytes(
                cbor_array_handle(kp_cbor_at_str(kp_cbor_at_int(rig.map, 3), "x5c"))[0],
                &der, &len));
        certificate = d2i_X509(NULL, &der, (long)len);
        cr_assert_not_null(certificate);
        cr_assert_eq(kp_cose_key_put(
                             &cose, X509_get0_pubkey(certificate), KP_COSE_ES256, &err),
                0);
        cr_assert(rig_verifies(
                &rig, &cose, kp_cbor_at_str(kp_cbor_at_int(rig.map, 3), "sig")));
        data = rig_auth_data(&rig);
        cr_assert_eq(memcmp(data.aaguid,
                             kp_authenticator_profile_facts(rig.profile)->aaguid, 16),
                0);
        cr_assert_eq(data.flags, KP_AUTHDATA_UP | KP_AUTHDATA_AT);
        rig_close(&rig);
}

Test(make, self_attestation_verifies_under_the_new_key)
{
        struct rig rig;
        size_t n;

        rig_open(&rig, "opensk");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP_OK);
        cr_assert(kp_cbor_is_map(kp_cbor_at_int(rig.map, 3), &n) && n == 2, "no x5c");
        {
                KP_CLEANUP(kp_buf_done) struct kp_buf key = rig_public_key(&rig);

                cr_assert(rig_verifies(
                        &rig, &key, kp_cbor_at_str(kp_cbor_at_int(rig.map, 3), "sig")));
        }
        rig_close(&rig);
}

Test(make, takes_the_first_algorithm_that_it_supports)
{
        const struct {
                const char *id;
                int algs[6];
                int taken;
        } cases[] = {
                { "yubikey-5-57", { KP_COSE_RS256, KP_COSE_EDDSA, KP_COSE_ES256 },
                        KP_COSE_EDDSA },
                { "yubikey-5-57", { KP_COSE_ES256, KP_COSE_EDDSA }, KP_COSE_ES256 },
                { "yubikey-5-57", { KP_COSE_ES384, KP_COSE_ES256 }, KP_COSE_ES384 },
                { "windows-hello-hw", { KP_COSE_ES256, KP_COSE_RS256 }, KP_COSE_RS256 },
                { "keypilot-23", { KP_COSE_PS256, KP_COSE_ES512, KP_COSE_ES256 },
                        KP_COSE_ES512 },
                { "keypilot-23", { KP_COSE_ES256K, KP_COSE_ES256 }, KP_COSE_ES256K },
                { "keypilot-23", { KP_COSE_RS256, KP_COSE_ES256 }, KP_COSE_RS256 },
                { "google-titan-v2", { KP_COSE_EDDSA, KP_COSE_RS256, KP_COSE_ES256 },
                        KP_COSE_ES256 },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;
                struct ask ask = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf cose = { 0 };
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
                struct kp_error err = { 0 };
                int alg;

                memcpy(ask.algs, cases[i].algs, sizeof(ask.algs));
                rig_open(&rig, cases[i].id);
                expect_status(rig_make(&rig, &ask), KP_CTAP_OK);
                cose = rig_public_key(&rig);
                cr_assert_eq(kp_cose_key_parse(cose.data, cose.len, KP_CBOR_CTAP2,
                                     &pkey, &alg, NULL, &err),
                        0);
                cr_expect_eq(alg, cases[i].taken, "%s: %d", cases[i].id, alg);
                rig_close(&rig);
        }
}

Test(make, an_algorithm_that_it_lacks_is_0x26)
{
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .algs = { KP_COSE_RS256, -47 } }),
                KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM);
        rig_close(&rig);
}

Test(make, options_are_judged_by_the_text_of_the_keys_version)
{
        const struct {
                const char *id;
                struct ask ask;
                uint8_t status;
        } cases[] = {
                { "yubikey-5-57", { .up = FALSE_ }, KP_CTAP2_ERR_INVALID_OPTION },
                { "yubikey-5-57", { .up = TRUE_ }, KP_CTAP_OK },
                { "yubikey-5-51", { .up = TRUE_, .rk = TRUE_ },
                        KP_CTAP2_ERR_INVALID_OPTION },
                { "yubikey-5-57", { .uv = TRUE_ }, KP_CTAP2_ERR_INVALID_OPTION },
                { "google-titan-v2", { .uv = TRUE_ }, KP_CTAP2_ERR_UNSUPPORTED_OPTION },
                { "yubikey-bio-new", { .uv = TRUE_ }, KP_CTAP2_ERR_INVALID_OPTION },
                { "yubikey-5-57", { .enterprise = 1 }, KP_CTAP1_ERR_INVALID_PARAMETER },
                { "keypilot-23", { .enterprise = 1 }, KP_CTAP1_ERR_INVALID_PARAMETER },
                { "google-titan-v2", { .enterprise = 1 }, KP_CTAP_OK }, /* unknown */
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;

                rig_open(&rig, cases[i].id);
                expect_status(rig_make(&rig, &cases[i].ask), cases[i].status);
                rig_close(&rig);
        }
}

/* clientPin set or not × rk × token: who must verify. The whole matrix, no sample. */
Test(make, every_combination_of_pin_rk_and_token_does_what_the_steps_say)
{
        const struct {
                const char *id;
                bool pin, not_required; /* makeCredUvNotRqd */
                int protocol;
        } keys[] = {
                { "yubikey-5-57", false, true, 2 },
                { "yubikey-5-57-pin", true, true, 2 },
                { "yubikey-5-57-pin", true, true, 1 },
                { "nitrokey-3-am", false, false, 2 },
                { "feitian-epass-21", true, true, 1 },
                { "yubikey-5-52-pin", true, false, 2 },
                { "google-titan-v2-pin", true, false, 1 },
        };

        for (size_t i = 0; i < KP_NELEMS(keys); i++)
                for (int rk = OMIT; rk <= TRUE_; rk++)
                        for (int with_token = 0; with_token <= (int)keys[i].pin;
                                with_token++) {
                                struct rig rig;
                                struct ask ask = { .rk = rk,
                                        .protocol = keys[i].protocol };
                                uint8_t token[32], wanted = KP_CTAP_OK;
                                struct token_ask legacy = {
                                        .sub_command = KP_CTAP_PIN_GET_TOKEN,
                                        .protocol = keys[i].protocol,
                                        .permissions = -1
                                };

                                rig_open(&rig, keys[i].id);
                                if (with_token) {
                                        legacy.pin = kp_authenticator_profile_test_pin(
                                                rig.profile);
                                        expect_status(
                                                rig_token(&rig, &legacy, token), 0);
                                        ask.token = token;
                                }
                                if (keys[i].pin && !with_token &&
                                        (rk == TRUE_ || !keys[i].not_required))
                                        wanted = KP_CTAP2_ERR_PUAT_REQUIRED;
                                expect_status(rig_make(&rig, &ask), wanted);
                                if (wanted == KP_CTAP_OK)
                                        cr_expect_eq(rig_flag(&rig, KP_AUTHDATA_UV),
                                                with_token, "%s", keys[i].id);
                                rig_close(&rig);
                        }
}

Test(make, uv_true_beside_a_token_is_ignored)
{
        struct rig rig;
        uint8_t token[32];

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(
                rig_make(&rig,
                        &(struct ask){ .uv = TRUE_, .token = token, .protocol = 2 }),
                0);
        cr_assert(rig_flag(&rig, KP_AUTHDATA_UV));
        rig_close(&rig);
}

Test(make, an_empty_pin_param_asks_which_key_is_meant)
{
        const struct {
                const char *id;
                enum kp_finger finger;
                uint8_t status;
        } cases[] = {
                { "yubikey-5-57", KP_FINGER_TOUCHES, KP_CTAP2_ERR_PIN_NOT_SET },
                { "yubikey-5-57-pin", KP_FINGER_TOUCHES, KP_CTAP2_ERR_PIN_INVALID },
                { "yubikey-5-57-pin", KP_FINGER_REFUSES,
                        KP_CTAP2_ERR_OPERATION_DENIED },
                { "google-titan-v2-pin", KP_FINGER_TOUCHES, KP_CTAP2_ERR_PIN_INVALID },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;

                rig_open(&rig, cases[i].id);
                kp_authenticator_set_finger(rig.key, cases[i].finger, 0, true);
                expect_status(rig_make(&rig, &(struct ask){ .empty_param = true }),
                        cases[i].status);
                kp_authenticator_set_finger(rig.key, cases[i].finger, 0, true);
                expect_status(rig_get(&rig, &(struct ask){ .empty_param = true }),
                        cases[i].status);
                rig_close(&rig);
        }
}

Test(make, a_token_needs_its_protocol_and_a_right_tag)
{
        struct rig rig;
        uint8_t token[32];

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(rig_make(&rig, &(struct ask){ .token = token,
                                             .protocol = 2,
                                             .no_protocol = true }),
                KP_CTAP2_ERR_MISSING_PARAMETER);
        expect_status(rig_make(&rig, &(struct ask){ .token = token,
                                             .protocol = 2,
                                             .wrong_param = true }),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(rig_make(&rig, &(struct ask){ .token = token, .protocol = 1 }),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        cr_assert_eq(pin_retries(&rig), 8, "a wrong tag costs no PIN try");
        rig_close(&rig);
        /* nobody can have a token of a key without PIN */
        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .token = token, .protocol = 2 }),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
}

Test(make, an_excluded_credential_is_told_after_a_touch_only)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf rk = { 0 };

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        plain = rig_id(&rig);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        rk = rig_id(&rig);
        expect_status(rig_make(&rig, &(struct ask){ .list = { &plain }, .n_list = 1 }),
                KP_CTAP2_ERR_CREDENTIAL_EXCLUDED);
        expect_status(rig_make(&rig, &(struct ask){ .list = { &rk }, .n_list = 1 }),
                KP_CTAP2_ERR_CREDENTIAL_EXCLUDED);
        /* another relying party, and a descriptor of another type, are no match */
        expect_status(rig_make(&rig, &(struct ask){ .rp_id = "other.org",
                                             .list = { &plain },
                                             .n_list = 1 }),
                0);
        expect_status(rig_make(&rig, &(struct ask){ .list = { &plain },
                                             .n_list = 1,
                                             .list_type = "secret-key" }),
                0);
        /* withheld: the answer comes when the time is up, not before */
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_status(rig_make(&rig, &(struct ask){ .list = { &plain }, .n_list = 1 }),
                KP_CTAP2_ERR_CREDENTIAL_EXCLUDED);
        rig_close(&rig);
}

Test(make, a_list_longer_than_the_key_takes_is_refused_not_cut)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        struct ask ask = { .n_list = 8 };

        rig_open(&rig, "yubikey-5-57");
        kp_buf_puts(&id, "0123456789abcdef");
        for (size_t i = 0; i < 9; i++)
                ask.list[i] = &id;
        expect_status(rig_make(&rig, &ask), KP_CTAP_OK);
        ask.n_list = 9;
        expect_status(rig_make(&rig, &ask), KP_CTAP2_ERR_LIMIT_EXCEEDED);
        ask.list_type = "secret-key"; /* counted as well */
        expect_status(rig_make(&rig, &ask), KP_CTAP2_ERR_LIMIT_EXCEEDED);
        ask.list_type = NULL;
        expect_status(rig_get(&rig, &ask), KP_CTAP2_ERR_LIMIT_EXCEEDED);
        rig_close(&rig);
}

Test(make, the_same_account_is_overwritten)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf first = { 0 };
        int64_t left;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        first = rig_id(&rig);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_id = "user-2" }), 0);
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x14), &left));
        cr_assert_eq(left, 98, "two accounts, so 98 places are left");
        expect_status(rig_get(&rig, &(struct ask){ .list = { &first }, .n_list = 1 }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_close(&rig);
}

Test(make, a_full_key_takes_no_new_account_but_overwrites_and_makes_others)
{
        struct rig rig;
        uint8_t token[32];
        char user[16];
        int64_t left;

        rig_open(&rig, "yubikey-5-57-full");
        cr_assert(kp_cbor_is_int(rig_info(&rig, 0x14), &left) && left == 0);
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(
                rig_make(&rig,
                        &(struct ask){ .rk = TRUE_, .token = token, .protocol = 2 }),
                KP_CTAP2_ERR_KEY_STORE_FULL);
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP_OK);
        rig_close(&rig);
        rig_open(&rig, "yubikey-5-51"); /* 25 places; filled by hand */
        for (int i = 0; i <= 25; i++) {
                const struct token_ask legacy = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                        .protocol = 1,
                        .pin = kp_authenticator_profile_test_pin(rig.profile),
                        .permissions = -1 };

                (void)snprintf(user, sizeof(user), "user-%d", i);
                expect_status(rig_token(&rig, &legacy, token), 0);
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                     .user_id = user,
                                                     .token = token,
                                                     .protocol = 1 }),
                        i < 25 ? KP_CTAP_OK : KP_CTAP2_ERR_KEY_STORE_FULL);
        }
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                             .user_id = "user-3",
                                             .token = token,
                                             .protocol = 1 }),
                KP_CTAP_OK);
        rig_close(&rig);
}

Test(make, a_key_that_is_said_to_be_full_takes_no_new_account)
{
        struct rig rig;
        const struct kp_fault fault = { .point = "store.full", .nth = 1 };
        struct kp_error err = { 0 };

        rig_open(&rig, "keypilot-23");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        cr_assert_eq(kp_authenticator_fault_add(rig.key, &fault, &err), 0);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_id = "b" }),
                KP_CTAP2_ERR_KEY_STORE_FULL);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), KP_CTAP_OK);
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP_OK);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_id = "b" }),
                KP_CTAP2_ERR_OPERATION_DENIED);
        rig_close(&rig);
}

Test(make, ids_share_no_constant_prefix)
{
        struct rig rig;
        uint8_t same = 0xff, first[8] = { 0 };

        rig_open(&rig, "yubikey-5-57");
        for (int i = 0; i < 24; i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

                expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
                id = rig_id(&rig);
                cr_assert_eq(id.len, 64);
                if (i == 0)
                        memcpy(first, id.data, sizeof(first));
                same &= (uint8_t) ~(first[0] ^ id.data[0]);
        }
        cr_assert_eq(same, 0, "every bit of the first byte varies");
        rig_close(&rig);
}

static void
protect_4(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "credProtect");
        kp_cbor_put_int(m, 4);
}

static void
several(struct kp_buf *m)
{
        kp_cbor_put_map(m, 5);
        kp_cbor_put_text(m, "unknown");
        kp_cbor_put_bool(m, true);
        kp_cbor_put_text(m, "credBlob");
        kp_cbor_put_bytes(m, "blob", 4);
        kp_cbor_put_text(m, "credProtect");
        kp_cbor_put_int(m, 2);
        kp_cbor_put_text(m, "hmac-secret");
        kp_cbor_put_bool(m, true);
        kp_cbor_put_text(m, "minPinLength");
        kp_cbor_put_bool(m, true);
}

Test(make, level_3_of_credProtect_hides_from_the_exclude_list_without_verification)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        rig_open(&rig, "yubikey-5-57-pin");
        expect_status(rig_make(&rig, &(struct ask){ .extensions = protect_3 }), 0);
        id = rig_id(&rig);
        expect_status(rig_make(&rig, &(struct ask){ .list = { &id }, .n_list = 1 }), 0);
        rig_permit(&rig, 1, KP_CTAP_PERM_MC, token);
        expect_status(rig_make(&rig, &(struct ask){ .list = { &id },
                                             .n_list = 1,
                                             .token = token,
                                             .protocol = 1 }),
                KP_CTAP2_ERR_CREDENTIAL_EXCLUDED);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = protect_4 }),
                KP_CTAP2_ERR_INVALID_OPTION);
        rig_close(&rig);
}

Test(make, credProtect_is_enforced_by_level_when_asserting)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf two = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf three = { 0 };

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                             .extensions = protect_2,
                                             .token = token,
                                             .protocol = 2 }),
                0);
        two = rig_id(&rig);
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                             .user_id = "user-3",
                                             .extensions = protect_3,
                                             .token = token,
                                             .protocol = 2 }),
                0);
        three = rig_id(&rig);
        expect_status(rig_get(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &two }, .n_list = 1 }), 0);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &three }, .n_list = 1 }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        expect_status(rig_get(&rig, &(struct ask){ .token = token, .protocol = 2 }), 0);
        cr_assert(rig_got(&rig, &three), "the newest first");
        rig_close(&rig);
}

Test(make, extension_outputs_are_a_subset_of_the_inputs_in_canonical_order)
{
        struct rig rig;
        struct kp_authdata data;
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error err = { 0 };
        size_t n;
        bool value;

        rig_open(&rig, "yubikey-5-57");
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .extensions = several }), 0);
        data = rig_auth_data(&rig);
        cr_assert_eq(kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        cr_assert(kp_cbor_is_map(map, &n) && n == 3,
                "minPinLength is for listed parties");
        cr_assert(kp_cbor_is_bool(kp_cbor_at_str(map, "credBlob"), &value) && value);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = several }), 0);
        data = rig_auth_data(&rig);
        kp_free_cbor(&map);
        cr_assert_eq(kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        cr_assert(kp_cbor_is_bool(kp_cbor_at_str(map, "credBlob"), &value) && !value,
                "only with rk");
        rig_close(&rig);
        rig_open(&rig, "solo-1"); /* knows hmac-secret only */
        expect_status(rig_make(&rig, &(struct ask){ .extensions = several }), 0);
        data = rig_auth_data(&rig);
        kp_free_cbor(&map);
        cr_assert_eq(kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        cr_assert(kp_cbor_is_map(map, &n) && n == 1);
        rig_close(&rig);
}

Test(make, always_uv_asks_for_the_person_every_time)
{
        struct rig rig;
        uint8_t token[32];

        rig_open(&rig, "yubikey-5-57-always-uv");
        cr_assert_eq(rig_option(&rig, "alwaysUv"), 1);
        cr_assert_eq(rig_option(&rig, "makeCredUvNotRqd"), 0, "cannot both be true");
        cr_assert(!rig_info_has(&rig, 1, "U2F_V2"));
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_PUAT_REQUIRED);
        expect_status(rig_get(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_PUAT_REQUIRED);
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(
                rig_make(&rig, &(struct ask){ .token = token, .protocol = 2 }), 0);
        expect_status(rig_get(&rig, &(struct ask){ .up = FALSE_ }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_close(&rig);
        rig_open(&rig, "yubikey-bio-new");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_PUAT_REQUIRED);
        rig_close(&rig);
        rig_open(&rig, "yubikey-bio"); /* verifies by itself, also unasked */
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        cr_assert(rig_flag(&rig, KP_AUTHDATA_UV));
        rig_close(&rig);
}

/* A PIN that opens everything but these two commands is not asked for. */
Test(make, a_pin_that_cannot_help_is_not_asked_for)
{
        static const char like[] =
                "\"like\": \"keypilot-23\", \"state\": {\"pin\": \"set\", \"fingers\": "
                "1},"
                "\"options\": {\"clientPin\": true, \"uv\": true, \"bioEnroll\": true,"
                "\"userVerificationMgmtPreview\": true,"
                "\"noMcGaPermissionsWithClientPin\": true%s}";
        struct rig rig;
        char members[512];

        (void)snprintf(members, sizeof(members), like, "");
        rig_open_own(&rig, members);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }),
                KP_CTAP2_ERR_OPERATION_DENIED);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_, .uv = TRUE_ }), 0);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 0, false);
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }),
                KP_CTAP2_ERR_OPERATION_DENIED);
        expect_status(
                rig_get(&rig, &(struct ask){ .uv = TRUE_ }), KP_CTAP2_ERR_PIN_BLOCKED);
        rig_close(&rig);
        (void)snprintf(members, sizeof(members), like,
                ", \"alwaysUv\": true, \"makeCredUvNotRqd\": false");
        rig_open_own(&rig, members);
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        cr_assert(rig_flag(&rig, KP_AUTHDATA_UV), "by its own means");
        rig_close(&rig);
}

Test(make, a_wrong_finger_costs_tries_and_then_the_pin_is_asked)
{
        struct rig rig;
        uint8_t token[32];
        const struct token_ask uv = { .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_MC,
                .rp_id = "example.org" };

        rig_open(&rig, "yubikey-bio");
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 3);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 500, false);
        /* preferredPlatformUvAttempts is 3: one try each time the platform asks */
        expect_status(rig_token(&rig, &uv, token), KP_CTAP2_ERR_UV_INVALID);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 2);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 500, true);
        expect_status(rig_token(&rig, &uv, token), KP_CTAP_OK);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 3, "given back");
        expect_status(
                rig_make(&rig, &(struct ask){ .token = token, .protocol = 2 }), 0);
        cr_assert(rig_flag(&rig, KP_AUTHDATA_UV) && rig_flag(&rig, KP_AUTHDATA_UP));
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 500, false);
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }),
                KP_CTAP2_ERR_PUAT_REQUIRED);
        expect_status(rig_token(&rig, &uv, token), KP_CTAP2_ERR_UV_BLOCKED);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 500, true);
        expect_status(rig_token(&rig, &uv, token), KP_CTAP2_ERR_UV_BLOCKED);
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token); /* the PIN opens it again */
        expect_status(rig_token(&rig, &uv, token), KP_CTAP_OK);
        /* asked three times in one command, but only two tries are left */
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 500, false);
        expect_status(rig_token(&rig, &uv, token), KP_CTAP2_ERR_UV_INVALID);
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }),
                KP_CTAP2_ERR_PUAT_REQUIRED);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 0);
        rig_close(&rig);
}

Test(make, built_in_verification_that_fails_on_a_key_of_ctap_2_0_is_denied)
{
        struct rig rig;

        rig_open(&rig, "ledger-nano-x");
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }), 0);
        cr_assert(rig_flag(&rig, KP_AUTHDATA_UV));
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }),
                KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }),
                KP_CTAP2_ERR_OPERATION_DENIED);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 0, false);
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }),
                KP_CTAP2_ERR_OPERATION_DENIED); /* §5.1 step 8 of CTAP 2.0 */
        rig_close(&rig);
}

Test(make, a_synced_provider_says_so_and_counts_nothing)
{
        const char *ids[] = { "icloud-keychain", "google-password-manager" };

        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                struct rig rig;
                struct kp_authdata data;
                const char *fmt;
                size_t len, n;

                rig_open(&rig, ids[i]);
                expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }), 0);
                data = rig_auth_data(&rig);
                cr_assert_eq(data.flags, KP_AUTHDATA_UP | KP_AUTHDATA_UV |
                                                 KP_AUTHDATA_BE | KP_AUTHDATA_BS |
                                                 KP_AUTHDATA_AT);
                cr_assert_eq(data.sign_count, 0);
                cr_assert(kp_cbor_is_text(kp_cbor_at_int(rig.map, 1), &fmt, &len));
                cr_assert(kp_bytes_equal(fmt, len, "none", 4));
                cr_assert(kp_cbor_is_map(kp_cbor_at_int(rig.map, 3), &n) && n == 0);
                expect_status(rig_get(&rig, &(struct ask){ .uv = TRUE_ }), 0);
                cr_assert_eq(rig_auth_data(&rig).sign_count, 0);
                cr_assert(rig_flag(&rig, KP_AUTHDATA_BS));
                rig_close(&rig);
        }
}

Test(make, rsa_pairs_come_from_the_pool_and_differ_within_a_key)
{
        struct rig rig;
        struct kp_buf keys[9] = { { 0 } };
        struct ask ask = { .uv = TRUE_, .rk = TRUE_, .algs = { KP_COSE_RS256 } };
        char user[8];

        rig_open(&rig, "windows-hello-sw");
        for (size_t i = 0; i < 9; i++) { /* the pool has eight; the ninth is made */
                (void)snprintf(user, sizeof(user), "u%zu", i);
                ask.user_id = user;
                expect_status(rig_make(&rig, &ask), 0);
                keys[i] = rig_public_key(&rig);
                cr_assert(rig_verifies(&rig, &keys[i],
                        kp_cbor_at_str(kp_cbor_at_int(rig.map, 3), "sig")));
                for (size_t j = 0; j < i; j++)
                        cr_assert(!kp_bytes_equal(
                                keys[i].data, keys[i].len, keys[j].data, keys[j].len));
        }
        expect_status(rig_get(&rig, &(struct ask){ .uv = TRUE_ }), 0);
        cr_assert(rig_verifies(&rig, &keys[8], kp_cbor_at_int(rig.map, 3)));
        for (size_t i = 0; i < 9; i++)
                kp_buf_done(&keys[i]);
        rig_close(&rig);
}

Test(make, counters_count_as_the_model_does)
{
        struct rig rig;
        uint32_t first;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        first = rig_auth_data(&rig).sign_count;
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        cr_assert_eq(rig_auth_data(&rig).sign_count, first + 1,
                "one counter for the device");
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        cr_assert_eq(rig_auth_data(&rig).sign_count, first + 2);
        rig_close(&rig);
}

Test(make, a_touch_that_does_not_come_ends_as_the_model_ends_it)
{
        const struct {
                const char *id;
                uint8_t status;
        } cases[] = {
                { "token2-pinplus", KP_CTAP2_ERR_OPERATION_DENIED },
                { "yubikey-5-57", KP_CTAP2_ERR_USER_ACTION_TIMEOUT },
                { "solo-1", KP_CTAP2_ERR_ACTION_TIMEOUT },
                { "google-titan-v2", KP_CTAP2_ERR_USER_ACTION_TIMEOUT },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;

                rig_open(&rig, cases[i].id);
                kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
                expect_status(rig_make(&rig, &(struct ask){ 0 }), cases[i].status);
                kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 100, true);
                expect_status(rig_make(&rig, &(struct ask){ 0 }),
                        KP_CTAP2_ERR_OPERATION_DENIED);
                kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 29000, true);
                expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP_OK);
                rig_close(&rig);
        }
}

Test(make, names_are_cut_between_characters)
{
        struct rig rig;
        /* 63 letters, then one of two bytes: it does not fit and must go whole */
        const char *name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                           "aaaa\xc3\xa9xyz";
        json_auto_t *state = NULL;
        struct kp_error err = { 0 };
        const char *kept;

        rig_open(&rig, "yubikey-5-57");
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_name = name }), 0);
        cr_assert_eq(kp_authenticator_save(rig.key, &state, &err), 0);
        kept = kp_json_str(
                json_object_get(
                        json_array_get(json_object_get(state, "credentials"), 0),
                        "user"),
                "name", "");
        cr_assert_eq(strlen(kept), 63);
        cr_assert_eq(strncmp(kept, name, 63), 0);
        rig_close(&rig);
}

/* A user of another id at another party is another account. */
Test(make, an_account_is_a_party_and_a_user)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf first = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf second = { 0 };

        rig_open(&rig, "keypilot-23");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        first = rig_id(&rig);
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .rp_id = "other.org" }), 0);
        expect_status(rig_make(&rig, &(struct ask){ .rk = FALSE_ }), 0);
        second = rig_id(&rig);
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        cr_assert(rig_got(&rig, &first), "one that is no passkey replaces none");
        expect_status(
                rig_get(&rig, &(struct ask){ .list = { &second }, .n_list = 1 }), 0);
        rig_close(&rig);
}
