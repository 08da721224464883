/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/hmac.h>

#include "keypilot/authenticator/fault.h"

#include "rig.h"

/* authenticatorGetAssertion and GetNextAssertion. Spec: CTAP 2.1 §6.2.2, §6.3 */

Test(get, signs_for_every_algorithm_discoverable_or_not)
{
        const int algs[] = { KP_COSE_ES256, KP_COSE_EDDSA, KP_COSE_ES384, KP_COSE_ES512,
                KP_COSE_ES256K, KP_COSE_RS256 };

        for (size_t i = 0; i < KP_NELEMS(algs); i++)
                for (int rk = FALSE_; rk <= TRUE_; rk++) {
                        struct rig rig;
                        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
                        KP_CLEANUP(kp_buf_done) struct kp_buf key = { 0 };

                        rig_open(&rig, "keypilot-23");
                        expect_status(rig_make(&rig, &(struct ask){ .rk = rk,
                                                             .algs = { algs[i] } }),
                                0);
                        id = rig_id(&rig);
                        key = rig_public_key(&rig);
                        expect_status(rig_get(&rig, &(struct ask){ .list = { &id },
                                                            .n_list = 1 }),
                                0);
                        cr_assert(rig_got(&rig, &id));
                        cr_assert(rig_verifies(&rig, &key, kp_cbor_at_int(rig.map, 3)));
                        cr_assert_eq(kp_cbor_at_int(rig.map, 4) != NULL, rk == TRUE_,
                                "the user is told for discoverable ones only");
                        cr_assert_null(kp_cbor_at_int(rig.map, 5));
                        expect_status(rig_get(&rig, &(struct ask){ 0 }),
                                rk == TRUE_ ? KP_CTAP_OK : KP_CTAP2_ERR_NO_CREDENTIALS);
                        rig_close(&rig);
                }
}

Test(get, knows_nothing_of_another_party_and_tells_after_a_touch)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        rig_open(&rig, "token2-pinplus");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        id = rig_id(&rig);
        expect_status(rig_get(&rig, &(struct ask){ .rp_id = "other.org" }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_get(&rig, &(struct ask){ .rp_id = "other.org",
                                            .list = { &id },
                                            .n_list = 1 }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        /* a list of foreign types only stays a list */
        expect_status(rig_get(&rig, &(struct ask){ .list = { &id },
                                            .n_list = 1,
                                            .list_type = "secret-key" }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_get(&rig, &(struct ask){ .empty_list = true }), KP_CTAP_OK);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        expect_status(rig_get(&rig, &(struct ask){ .rp_id = "other.org" }),
                KP_CTAP2_ERR_OPERATION_DENIED);
        expect_status(
                rig_get(&rig, &(struct ask){ .rp_id = "other.org", .up = FALSE_ }),
                KP_CTAP2_ERR_NO_CREDENTIALS);
        rig_close(&rig);
}

/* A long list comes in parts, under one token. */
Test(get, a_token_outlives_a_list_in_which_nothing_is_ours)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf foreign = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        struct ask ask = { .token = token, .protocol = 2, .n_list = 1 };

        kp_buf_puts(&foreign, "0123456789abcdef");
        rig_open(&rig, "yubikey-5-57-pin");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        id = rig_id(&rig);
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        ask.list[0] = &foreign;
        expect_status(rig_get(&rig, &ask), KP_CTAP2_ERR_NO_CREDENTIALS);
        ask.list[0] = &id;
        expect_status(rig_get(&rig, &ask), KP_CTAP_OK);
        expect_status(rig_get(&rig, &ask), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        rig_close(&rig);
}

Test(get, without_up_nobody_is_asked_and_the_bit_is_clear)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        id = rig_id(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_status(
                rig_get(&rig,
                        &(struct ask){ .list = { &id }, .n_list = 1, .up = FALSE_ }),
                0);
        cr_assert_eq(rig_auth_data(&rig).flags, 0);
        rig_close(&rig);
}

Test(get, the_rk_option_is_refused_in_the_words_of_each_version)
{
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_get(&rig, &(struct ask){ .rk = TRUE_ }),
                KP_CTAP2_ERR_UNSUPPORTED_OPTION);
        rig_close(&rig);
        rig_open(&rig, "google-titan-v2");
        expect_status(rig_get(&rig, &(struct ask){ .rk = TRUE_ }),
                KP_CTAP2_ERR_INVALID_OPTION);
        rig_close(&rig);
}

/* The newest first; then one by one, in the time and on the channel of the first. */
Test(get, several_accounts_come_newest_first_one_by_one)
{
        struct rig rig;
        struct kp_buf ids[3] = { { 0 } };
        const char *users[] = { "user-1", "user-2", "user-3" };
        int64_t n;

        rig_open(&rig, "yubikey-5-57");
        for (size_t i = 0; i < 3; i++) {
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                     .user_id = users[i],
                                                     .user_name = "Naam" }),
                        0);
                ids[i] = rig_id(&rig);
        }
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        cr_assert(rig_got(&rig, &ids[2]));
        cr_assert(kp_cbor_is_int(kp_cbor_at_int(rig.map, 5), &n) && n == 3);
        cr_assert_null(kp_cbor_at_str(kp_cbor_at_int(rig.map, 4), "name"),
                "nobody was verified");
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION), 0);
        cr_assert(rig_got(&rig, &ids[1]));
        cr_assert_null(kp_cbor_at_int(rig.map, 5));
        rig_wait(&rig, 29000); /* each leg has its own 30 s */
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION), 0);
        cr_assert(rig_got(&rig, &ids[0]));
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION),
                KP_CTAP2_ERR_NOT_ALLOWED);
        /* too late, and after another command */
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        rig_wait(&rig, 30001);
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION),
                KP_CTAP2_ERR_NOT_ALLOWED);
        for (size_t i = 0; i < 3; i++)
                kp_buf_done(&ids[i]);
        rig_close(&rig);
}

Test(get, names_are_told_to_choose_by_and_only_to_a_verified_person)
{
        struct rig rig;
        uint8_t token[32];

        rig_open(&rig, "yubikey-5-57-pin");
        for (int i = 0; i < 2; i++) {
                rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                     .user_id = i ? "a" : "b",
                                                     .user_name = "Naam",
                                                     .token = token,
                                                     .protocol = 2 }),
                        0);
                rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
                expect_status(
                        rig_get(&rig, &(struct ask){ .token = token, .protocol = 2 }),
                        0);
                cr_assert_eq(kp_cbor_at_str(kp_cbor_at_int(rig.map, 4), "name") != NULL,
                        i == 1);
        }
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION), 0);
        cr_assert_not_null(kp_cbor_at_str(kp_cbor_at_int(rig.map, 4), "displayName"));
        cr_assert(rig_flag(&rig, KP_AUTHDATA_UV));
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0); /* not verified: id only */
        cr_assert_null(kp_cbor_at_str(kp_cbor_at_int(rig.map, 4), "name"));
        rig_close(&rig);
}

Test(get, next_without_a_first_is_refused)
{
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION),
                KP_CTAP2_ERR_NOT_ALLOWED);
        rig_close(&rig);
}

/* Credentials that cannot be used unverified are not counted either. */
Test(get, counts_and_tells_only_what_the_person_may_use)
{
        struct rig rig;
        uint8_t token[32];
        struct kp_buf ids[3] = { { 0 } };
        void (*const level[3])(struct kp_buf *) = { NULL, protect_2, protect_3 };
        const char *users[] = { "a", "b", "c" };
        int64_t n;

        rig_open(&rig, "keypilot-23-set");
        for (size_t i = 0; i < 3; i++) {
                rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                     .user_id = users[i],
                                                     .extensions = level[i],
                                                     .token = token,
                                                     .protocol = 2 }),
                        0);
                ids[i] = rig_id(&rig);
        }
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        cr_assert(rig_got(&rig, &ids[0]));
        cr_assert_null(kp_cbor_at_int(rig.map, 5), "one, so no number");
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION),
                KP_CTAP2_ERR_NOT_ALLOWED);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &ids[2], &ids[1] },
                                            .n_list = 2 }),
                0);
        cr_assert(rig_got(&rig, &ids[1]), "the first of the list that may be used");
        cr_assert_null(kp_cbor_at_int(rig.map, 5), "no number beside a list");
        expect_status(rig_get(&rig, &(struct ask){ .uv = TRUE_ }), 0);
        cr_assert(kp_cbor_is_int(kp_cbor_at_int(rig.map, 5), &n) && n == 3);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &ids[0], &ids[1] },
                                            .n_list = 2,
                                            .uv = TRUE_ }),
                0);
        cr_assert_null(kp_cbor_at_int(rig.map, 5));
        for (size_t i = 0; i < 3; i++)
                kp_buf_done(&ids[i]);
        rig_close(&rig);
}

/* The bits of the first answer are those of the next ones. */
Test(get, what_follows_is_about_the_same_person)
{
        struct rig rig;
        struct kp_authdata data;

        rig_open(&rig, "keypilot-23-set");
        for (int i = 0; i < 2; i++)
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                     .uv = TRUE_,
                                                     .user_id = i ? "a" : "b" }),
                        0);
        expect_status(rig_get(&rig, &(struct ask){ .up = FALSE_ }), 0);
        cr_assert_eq(rig_auth_data(&rig).flags, 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION), 0);
        cr_assert_eq(rig_auth_data(&rig).flags, 0);
        expect_status(rig_get(&rig, &(struct ask){ .uv = TRUE_ }), 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION), 0);
        data = rig_auth_data(&rig);
        cr_assert_eq(data.flags, KP_AUTHDATA_UP | KP_AUTHDATA_UV);
        cr_assert_eq(data.sign_count, 3, "made, and used twice");
        rig_close(&rig);
}

/* ---- hmac-secret, from a platform that does its part by hand ---- */

static struct {
        struct kp_pin_secret secret;
        struct kp_buf public, enc;
        int protocol;
        size_t salts_len;
        bool wrong_auth;
} hmac;

static void
hmac_prepare(struct rig *rig, int protocol, size_t salts_len)
{
        static const uint8_t salts[64] = { 1, 2, 3 };
        struct kp_error err = { 0 };

        kp_buf_done(&hmac.public);
        kp_buf_done(&hmac.enc);
        memset(&hmac, 0, sizeof(hmac));
        hmac.protocol = protocol;
        hmac.salts_len = salts_len;
        rig_agree(rig, protocol, &hmac.secret, &hmac.public);
        cr_assert_eq(kp_pin_encrypt(&hmac.secret, rig->random, salts, salts_len,
                             &hmac.enc, &err),
                0);
}

static void
hmac_input(struct kp_buf *m)
{
        uint8_t tag[32];
        size_t key_len, tag_len;
        const uint8_t *key = kp_pin_hmac_key(&hmac.secret, &key_len);

        tag_len = kp_pin_authenticate(
                hmac.protocol, key, key_len, hmac.enc.data, hmac.enc.len, tag);
        tag[0] ^= hmac.wrong_auth;
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "hmac-secret");
        kp_cbor_put_map(m, 4);
        kp_cbor_put_int(m, 1);
        kp_buf_put(m, hmac.public.data, hmac.public.len);
        kp_cbor_put_int(m, 2);
        kp_cbor_put_bytes(m, hmac.enc.data, hmac.enc.len);
        kp_cbor_put_int(m, 3);
        kp_cbor_put_bytes(m, tag, tag_len);
        kp_cbor_put_int(m, 4);
        kp_cbor_put_int(m, hmac.protocol);
}

static struct kp_buf
hmac_output(const struct rig *rig)
{
        struct kp_authdata data = rig_auth_data(rig);
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_buf plain = { 0 };
        struct kp_error err = { 0 };
        const uint8_t *bytes;
        size_t len;

        cr_assert_eq(kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        cr_assert(kp_cbor_is_bytes(kp_cbor_at_str(map, "hmac-secret"), &bytes, &len));
        cr_assert_eq(len, hmac.salts_len + (hmac.protocol == 2 ? 16 : 0));
        cr_assert_eq(kp_pin_decrypt(&hmac.secret, bytes, len, &plain, &err), 0);
        return plain;
}

Test(get, hmac_secret_is_stable_and_another_one_when_verified)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf one = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf two = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf verified = { 0 };

        rig_open(&rig, "yubikey-5-57-pin");
        rig_permit(&rig, 2, KP_CTAP_PERM_MC, token);
        expect_status(
                rig_make(&rig,
                        &(struct ask){ .rk = TRUE_, .token = token, .protocol = 2 }),
                0);
        hmac_prepare(&rig, 1, 32);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = hmac_input }), 0);
        one = hmac_output(&rig);
        hmac_prepare(&rig, 2, 64);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = hmac_input }), 0);
        two = hmac_output(&rig);
        cr_assert_eq(
                memcmp(one.data, two.data, 32), 0, "either protocol, the same secret");
        rig_permit(&rig, 2, KP_CTAP_PERM_GA, token);
        hmac_prepare(&rig, 2, 32);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = hmac_input,
                                            .token = token,
                                            .protocol = 2 }),
                0);
        verified = hmac_output(&rig);
        cr_assert_neq(memcmp(one.data, verified.data, 32), 0);
        hmac_prepare(&rig, 2, 32);
        expect_status(
                rig_get(&rig, &(struct ask){ .extensions = hmac_input, .up = FALSE_ }),
                KP_CTAP2_ERR_UNSUPPORTED_OPTION);
        hmac.wrong_auth = true;
        expect_status(rig_get(&rig, &(struct ask){ .extensions = hmac_input }),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        hmac_prepare(&rig, 2, 48);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = hmac_input }),
                KP_CTAP1_ERR_INVALID_LENGTH);
        kp_buf_done(&hmac.public);
        kp_buf_done(&hmac.enc);
        rig_close(&rig);
}

Test(get, hmac_secret_comes_with_every_account)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf first = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf second = { 0 };

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_id = "b" }), 0);
        hmac_prepare(&rig, 2, 32);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = hmac_input }), 0);
        first = hmac_output(&rig);
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION), 0);
        second = hmac_output(&rig);
        cr_assert(!kp_bytes_equal(first.data, first.len, second.data, second.len));
        kp_buf_done(&hmac.public);
        kp_buf_done(&hmac.enc);
        rig_close(&rig);
}

static void
blob_make(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "credBlob");
        kp_cbor_put_bytes(m, "blob", 4);
}

static void
blob_get(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "credBlob");
        kp_cbor_put_bool(m, true);
}

Test(get, a_cred_blob_comes_back)
{
        struct rig rig;
        struct kp_authdata data;

        rig_open(&rig, "yubikey-5-57");
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .extensions = blob_make }),
                0);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = blob_get }), 0);
        data = rig_auth_data(&rig);
        cr_assert_eq(data.extensions_len, 1 + 9 + 5);
        cr_assert_eq(memcmp(data.extensions + 11, "blob", 4), 0);
        rig_close(&rig);
}

/* ---- a broken key: the data that it signs is wrong in one way ---- */

struct told {
        uint8_t flags;
        uint32_t count;
        uint8_t rp_id_hash[32];
};

static struct told
told(struct rig *rig)
{
        struct kp_authdata data = rig_auth_data(rig);
        struct told ret = { .flags = data.flags, .count = data.sign_count };

        memcpy(ret.rp_id_hash, data.rp_id_hash, sizeof(ret.rp_id_hash));
        return ret;
}

Test(get, a_broken_key_is_wrong_in_one_way_and_signs_what_it_says)
{
        const struct {
                const char *id, *point;
                int64_t value;
                uint8_t flags;     /* of the broken assertion */
                int64_t counts[3]; /* of the assertions, counted from the enrolment */
        } cases[] = {
                { "keypilot-23-set", "authdata.up-cleared", 0, KP_AUTHDATA_UV,
                        { 1, 2, 3 } },
                { "keypilot-23-set", "authdata.uv-cleared", 0, KP_AUTHDATA_UP,
                        { 1, 2, 3 } },
                { "keypilot-23-set", "authdata.bs-without-be", 0, 0x15, { 1, 2, 3 } },
                { "keypilot-23-set", "authdata.be-flipped", 0, 0x0d, { 1, 2, 3 } },
                { "keypilot-23-set", "authdata.rp-id-hash", 0, 0x05, { 1, 2, 3 } },
                { "keypilot-23-set", "counter.still", 0, 0x05, { 1, 1, 2 } },
                { "keypilot-23-set", "counter.back", 2, 0x05, { 1, -1, 0 } },
                { "keypilot-23-set", "counter.jump", 100, 0x05, { 1, 102, 103 } },
                { "keypilot-23-set", "clone", 5, 0x05, { 1, 6, 2 } },
                { "icloud-keychain", "authdata.be-flipped", 0, 0x05, { 0, 0, 0 } },
                { "icloud-keychain", "clone", 5, 0x1d, { 0, 0, 0 } },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;
                KP_CLEANUP(kp_buf_done) struct kp_buf key = { 0 };
                const struct kp_fault fault = { .point = cases[i].point,
                        .command = "getAssertion",
                        .nth = 2,
                        .times = 1,
                        .value = cases[i].value };
                struct kp_error err = { 0 };
                struct told made, got[3];

                rig_open(&rig, cases[i].id);
                cr_assert_eq(kp_authenticator_fault_add(rig.key, &fault, &err), 0);
                for (int n = 0; n < 3; n++) /* so that there is something to go back */
                        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                             .uv = TRUE_ }),
                                0);
                key = rig_public_key(&rig);
                made = told(&rig);
                for (int n = 0; n < 3; n++) {
                        expect_status(rig_get(&rig, &(struct ask){ .uv = TRUE_ }), 0);
                        got[n] = told(&rig);
                        cr_assert(rig_verifies(&rig, &key, kp_cbor_at_int(rig.map, 3)));
                        cr_expect_eq((int64_t)got[n].count - made.count,
                                cases[i].counts[n], "%s, assertion %d: %lld",
                                cases[i].point, n,
                                (long long)got[n].count - made.count);
                }
                cr_expect_eq(got[1].flags, cases[i].flags, "%s: %02x", cases[i].point,
                        got[1].flags);
                cr_expect_eq(got[2].flags, got[0].flags, "once");
                cr_expect_eq(memcmp(got[1].rp_id_hash, got[0].rp_id_hash, 32) != 0,
                        strcmp(cases[i].point, "authdata.rp-id-hash") == 0);
                cr_assert_eq(kp_authenticator_fault_fired(rig.key, 0),
                        strcmp(cases[i].id, "icloud-keychain") != 0 ||
                                strcmp(cases[i].point, "clone") != 0);
                rig_close(&rig);
        }
}
