/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/b64url.h"

#include "rig.h"

/*
 * The key's memory: out as JSON, in again, and refused by name where it is wrong.
 * Spec: ours
 */

static json_t *
saved(struct rig *rig)
{
        json_t *state = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_authenticator_save(rig->key, &state, &err), 0);
        return state;
}

static void
load(struct rig *rig, const json_t *state)
{
        struct kp_error err = { 0 };
        char why[1024];

        cr_assert_eq(kp_authenticator_load(rig->key, state, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
}

Test(state, survives_the_way_out_and_in_for_every_kind_of_credential)
{
        struct rig rig, other;
        json_auto_t *first = NULL, *second = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf key = { 0 };
        const int algs[] = { KP_COSE_ES256, KP_COSE_EDDSA, KP_COSE_ES384 };
        char user[8];

        rig_open(&rig, "yubikey-5-57");
        for (size_t i = 0; i < KP_NELEMS(algs); i++) {
                (void)snprintf(user, sizeof(user), "u%zu", i);
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                     .algs = { algs[i] },
                                                     .user_id = user,
                                                     .user_name = "Naam \xc3\xa9" }),
                        0);
        }
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        plain = rig_id(&rig);
        key = rig_public_key(&rig);
        expect_status(
                rig_set_pin(&rig, 2, NULL, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"), 0);
        first = saved(&rig);
        rig_close(&rig);

        rig_open(&other, "yubikey-5-57");
        load(&other, first);
        second = saved(&other);
        cr_assert(json_equal(first, second));
        cr_assert_eq(rig_option(&other, "clientPin"), 1);
        expect_status(
                rig_get(&other, &(struct ask){ .list = { &plain }, .n_list = 1 }), 0);
        cr_assert(rig_verifies(&other, &key, kp_cbor_at_int(other.map, 3)));
        cr_assert_eq(rig_auth_data(&other).sign_count, 5, "it goes on counting");
        expect_status(rig_get(&other, &(struct ask){ 0 }), 0);
        rig_close(&other);
}

Test(state, keeps_the_tries_that_are_left)
{
        struct rig rig, other;
        json_auto_t *state = NULL;
        uint8_t token[32];
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                .protocol = 1,
                .pin = "0000",
                .permissions = -1 };

        rig_open(&rig, "yubikey-5-57-pin");
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_PIN_INVALID);
        state = saved(&rig);
        rig_open(&other, "yubikey-5-57-pin");
        load(&other, state);
        cr_assert_eq(pin_retries(&other), 7);
        ask.pin = kp_authenticator_profile_test_pin(rig.profile);
        expect_status(rig_token(&other, &ask, token), KP_CTAP_OK);
        rig_close(&rig);
        rig_close(&other);
}

Test(state, rsa_credentials_keep_an_index)
{
        struct rig rig, other;
        json_auto_t *state = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf key = { 0 };
        const json_t *credential;

        rig_open(&rig, "windows-hello-hw");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                             .uv = TRUE_,
                                             .algs = { KP_COSE_RS256 } }),
                0);
        key = rig_public_key(&rig);
        state = saved(&rig);
        rig_close(&rig);
        credential = json_array_get(json_object_get(state, "credentials"), 0);
        cr_assert_not_null(json_object_get(credential, "test_key"));
        cr_assert_null(json_object_get(credential, "private_key"));
        rig_open(&other, "windows-hello-hw");
        load(&other, state);
        expect_status(rig_get(&other, &(struct ask){ .uv = TRUE_ }), 0);
        cr_assert(rig_verifies(&other, &key, kp_cbor_at_int(other.map, 3)));
        rig_close(&other);
}

Test(state, the_same_seed_with_last_times_memory_makes_another_passkey)
{
        struct rig a, b;
        json_auto_t *state = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf first_id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf first_key = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf second_id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf second_key = { 0 };

        rig_open(&a, "yubikey-5-57");
        expect_status(rig_make(&a, &(struct ask){ .rk = TRUE_ }), 0);
        first_id = rig_id(&a);
        first_key = rig_public_key(&a);
        state = saved(&a);
        rig_close(&a);
        rig_open(&b, "yubikey-5-57");
        load(&b, state);
        expect_status(rig_make(&b, &(struct ask){ .rk = TRUE_, .user_id = "b" }), 0);
        second_id = rig_id(&b);
        second_key = rig_public_key(&b);
        cr_assert(!kp_bytes_equal(
                first_id.data, first_id.len, second_id.data, second_id.len));
        cr_assert(!kp_bytes_equal(
                first_key.data, first_key.len, second_key.data, second_key.len));
        { /* nor does an id show what was a secret last time */
                KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

                kp_b64url_put(&text, second_id.data, second_id.len);
                cr_assert_str_neq(kp_buf_str(&text),
                        kp_json_str(json_array_get(
                                            json_object_get(state, "credentials"), 0),
                                "cred_random", ""));
        }
        rig_close(&b);
}

Test(state, can_be_written_by_hand)
{
        static const char text[] = "{\"format\":1,\"profile\":\"yubikey-5-57\",\"pin\":"
                                   "null,\"credentials\":["
                                   "{\"id\":\"AQIDBA\",\"rp_id\":\"example.org\","
                                   "\"algorithm\":-7,\"discoverable\":true,"
                                   "\"user\":{\"id\":\"dTE\",\"name\":\"kees\"}}]}";
        struct rig rig;
        json_auto_t *state = json_loads(text, 0, NULL);
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        kp_buf_put(&id, "\1\2\3\4", 4);
        rig_open(&rig, "yubikey-5-57");
        load(&rig, state);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &id }, .n_list = 1 }), 0);
        cr_assert(rig_got(&rig, &id));
        rig_close(&rig);
}

Test(state, what_is_wrong_is_refused_by_name_and_changes_nothing)
{
        /* clang-format off */
        static const struct {
                /* path: member, or c.member of credential 0 */
                const char *path, *json, *says;
        } wrong[] = {
                { "colour", "1", "member 'colour' is not known" },
                { "format", "2", "member 'format'" },
                { "format", NULL, "member 'format' is missing" },
                { "profile", "\"yubikey-5-52\"", "member 'profile': expected \"yubikey-5-57\"" },
                { "counter", "-1", "member 'counter'" },
                { "counter", "4294967296", "member 'counter'" },
                { "pin_retries", "9", "member 'pin_retries'" },
                { "min_pin_length", "3", "member 'min_pin_length'" },
                { "pin", "7", "member 'pin'" },
                { "pin", "{\"hash\":\"AAAA\",\"code_points\":4}", "member 'hash'" },
                { "pin", "{\"hash\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"code_points\":3}", "member 'code_points'" },
                { "credentials", "{}", "member 'credentials': expected an array" },
                { "c.id", "\"AQ==\"", "member 'id'" },
                { "c.id", "\"\"", "member 'id'" },
                { "c.id", NULL, "member 'id' is missing" },
                { "c.rp_id", NULL, "expected one of 'rp_id', 'rp_id_bytes' and 'rp_id_hash'" },
                { "c.rp_id_hash", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "expected one of 'rp_id', 'rp_id_bytes' and 'rp_id_hash'" },
                { "c.algorithm", "-257", "-257 is none of the key's" },
                { "c.algorithm", "-8", "member 'private_key'" },
                { "c.private_key", "\"AAAA\"", "member 'private_key'" },
                { "c.test_key", "0", "member 'test_key'" },
                { "c.cred_protect", "4", "member 'cred_protect'" },
                { "c.cred_random", "\"AAAA\"", "member 'cred_random'" },
                { "c.user", NULL, "needs 'rp_id' and 'user'" },
                { "c.user", "{\"id\":7}", "member 'user'" },
                { "c.large_blob_key", "\"AAAA\"", "member 'large_blob_key'" },
                { "c.third_party_payment", "1", "member 'third_party_payment'" },
                { "enterprise_attestation", "true", "member 'enterprise_attestation': the key does not have it" },
                { "long_touch_for_reset", "true", "member 'long_touch_for_reset'" },
                { "pin_complexity_policy", "true", "member 'pin_complexity_policy'" },
                { "uv_count", "-1", "member 'uv_count'" },
                { "fingers", "[]", "member 'fingers': the key has none" },
                { "identity", "{}", "member 'identity': the key has none" },
                { "large_blobs", "\"gHa-i1KNAHX3qumNb6V6bTw\"", NULL },
                { "large_blobs", "\"gHa-i1KNAHX3qumNb6V6bT0\"", "member 'large_blobs': expected the first 16 bytes" },
                { "large_blobs", "\"gA\"", "member 'large_blobs': expected 17" },
                { "c.counter", "1.5", "member 'counter': expected an integer" },
                { "c.extra", "1", "member 'extra' is not known" },
        };
        /* clang-format on */
        struct rig rig;
        json_auto_t *good = NULL;

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        good = saved(&rig);
        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                json_auto_t *state = json_deep_copy(good), *after = NULL;
                struct kp_error err = { 0 };
                char why[1024] = "";
                bool inner = strncmp(wrong[i].path, "c.", 2) == 0;
                json_t *at =
                        inner ? json_array_get(json_object_get(state, "credentials"), 0)
                              : state;
                const char *name = wrong[i].path + (inner ? 2 : 0);

                if (wrong[i].json == NULL)
                        (void)json_object_del(at, name);
                else
                        (void)json_object_set_new(at, name,
                                json_loads(wrong[i].json, JSON_DECODE_ANY, NULL));
                if (kp_authenticator_load(rig.key, state, &err) < 0)
                        (void)kp_error_format(&err, why, sizeof(why));
                if (wrong[i].says == NULL) {
                        cr_expect_str_eq(why, "", "%s", wrong[i].path);
                        continue;
                }
                cr_expect_not_null(strstr(why, wrong[i].says), "%s = %s: \"%s\"",
                        wrong[i].path, wrong[i].json == NULL ? "(gone)" : wrong[i].json,
                        why);
                after = saved(&rig);
                cr_expect(json_equal(good, after), "%s: the key has changed",
                        wrong[i].path);
        }
        {
                json_auto_t *twice = json_deep_copy(good);
                json_t *list = json_object_get(twice, "credentials");
                struct kp_error err = { 0 };

                (void)json_array_append_new(
                        list, json_deep_copy(json_array_get(list, 0)));
                cr_assert_eq(kp_authenticator_load(rig.key, twice, &err), -1);
        }
        rig_close(&rig);
}

static void
ask_for_everything(struct kp_buf *m)
{
        kp_cbor_put_map(m, 4);
        kp_cbor_put_text(m, "credBlob");
        kp_cbor_put_bytes(m, "blob", 4);
        kp_cbor_put_text(m, "credProtect");
        kp_cbor_put_int(m, 3);
        kp_cbor_put_text(m, "largeBlobKey");
        kp_cbor_put_bool(m, true);
        kp_cbor_put_text(m, "thirdPartyPayment");
        kp_cbor_put_bool(m, true);
}

static struct kp_buf
settings(int64_t length)
{
        struct kp_buf params = { 0 };

        kp_cbor_put_map(&params, 3);
        kp_cbor_put_int(&params, 1);
        kp_cbor_put_int(&params, length);
        kp_cbor_put_int(&params, 2);
        kp_cbor_put_array(&params, 2);
        kp_cbor_put_text(&params, "a.example");
        kp_cbor_put_text(&params, "b.example");
        kp_cbor_put_int(&params, 4);
        kp_cbor_put_bool(&params, true);
        return params;
}

/* A key of CTAP 2.3 on which everything was switched on that can be. */
static void
use_everything(struct rig *rig)
{
        static const int algs[] = { KP_COSE_ES256, KP_COSE_EDDSA, KP_COSE_ES384,
                KP_COSE_ES512, KP_COSE_ES256K, KP_COSE_RS256 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = settings(6);
        uint8_t token[32];
        char user[8];
        const uint8_t config = KP_CTAP_CONFIG;

        for (size_t i = 0; i < KP_NELEMS(algs); i++) {
                (void)snprintf(user, sizeof(user), "u%zu", i);
                rig_permit(rig, 2, KP_CTAP_PERM_MC, token);
                expect_status(rig_make(rig, &(struct ask){ .rk = TRUE_,
                                                    .user_id = user,
                                                    .algs = { algs[i] },
                                                    .extensions = ask_for_everything,
                                                    .token = token,
                                                    .protocol = 2 }),
                        0);
        }
        rig_permit(rig, 2, KP_CTAP_PERM_ACFG, token);
        expect_status(rig_authorised(rig, config, 1, 2, token, NULL), 0);
        expect_status(rig_authorised(rig, config, 2, 2, token, NULL), 0);
        expect_status(rig_authorised(rig, config, 4, 2, token, NULL), 0);
        expect_status(rig_authorised(rig, config, 3, 2, token, &params), 0);
}

Test(state, keeps_all_that_ctap_2_3_can_switch_on)
{
        struct rig rig, other;
        json_auto_t *first = NULL, *second = NULL;
        const char *members[] = { "enterprise_attestation", "always_uv",
                "long_touch_for_reset", "pin_complexity_policy" };
        const json_t *credential;

        rig_open(&rig, "keypilot-23-set");
        use_everything(&rig);
        first = saved(&rig);
        rig_close(&rig);
        for (size_t i = 0; i < KP_NELEMS(members); i++)
                cr_assert(json_is_true(json_object_get(first, members[i])), "%s",
                        members[i]);
        credential = json_array_get(json_object_get(first, "credentials"), 3);
        cr_assert_not_null(json_object_get(credential, "large_blob_key"));
        cr_assert(json_is_true(json_object_get(credential, "third_party_payment")));
        cr_assert_str_eq(kp_json_str(credential, "cred_blob", ""), "YmxvYg");
        cr_assert_eq(json_array_size(json_object_get(first, "fingers")), 1);
        rig_open(&other, "keypilot-23-set");
        load(&other, first);
        second = saved(&other);
        cr_assert(json_equal(first, second));
        cr_assert_eq(rig_option(&other, "alwaysUv"), 1);
        cr_assert_eq(rig_option(&other, "ep"), 1);
        expect_status(rig_get(&other, &(struct ask){ .uv = TRUE_ }), 0);
        rig_close(&other);
}

Test(state, keeps_the_persistent_token)
{
        struct rig rig, other;
        json_auto_t *state = NULL;
        uint8_t token[32];
        const uint8_t manage = KP_CTAP_CREDENTIAL_MANAGEMENT;

        rig_open(&rig, "keypilot-23-set");
        rig_permit(&rig, 2, KP_CTAP_PERM_PCMR, token);
        state = saved(&rig);
        rig_close(&rig);
        rig_open(&other, "keypilot-23-set");
        expect_status(rig_authorised(&other, manage, 1, 2, token, NULL),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        load(&other, state);
        expect_status(rig_authorised(&other, manage, 1, 2, token, NULL), 0);
        rig_close(&other);
}

/* What a file does not say is as on a new key: files from before go on working. */
Test(state, of_an_older_key_still_loads)
{
        static const char *const newer[] = { "enterprise_attestation",
                "long_touch_for_reset", "pin_complexity_policy", "large_blobs",
                "fingers", "uv_count", "identity" };
        struct rig rig;
        json_auto_t *state = NULL;

        rig_open(&rig, "keypilot-23-set");
        use_everything(&rig);
        state = saved(&rig);
        for (size_t i = 0; i < KP_NELEMS(newer); i++)
                cr_assert_eq(json_object_del(state, newer[i]), 0, "%s", newer[i]);
        load(&rig, state);
        cr_assert_eq(rig_option(&rig, "uv"), 1, "the finger it came with");
        cr_assert_eq(rig_option(&rig, "ep"), 1);
        cr_assert_not_null(rig_info(&rig, 0x19));
        rig_close(&rig);
}

/* Whatever a platform sends, the memory that is written can be read again. */
Test(state, holds_names_that_json_does_not)
{
        static const struct {
                const char *rp_id;
                size_t rp_id_len;
                const char *name;
                size_t name_len, user_id_len;
        } cases[] = {
                { "a\0b", 3, "x\0y", 3, 1 },
                { "\0", 1, "\0", 1, 64 },
                { "", 0, "", 0, 1 },
                { "\xf0\x9f\x94\x91.example", 12, "\xef\xbf\xbf", 3, 1 },
                { "\"\\\n", 3, "\x1f\x7f", 2, 1 },
                { "no-user.example", 15, "naam", 4, 0 },
        };
        static const uint8_t zero[64];

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;
                struct kp_buf m = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
                json_auto_t *state = NULL, *parsed = NULL, *again = NULL;
                struct kp_error err = { 0 };
                uint8_t status;

                rig_open(&rig, "yubikey-5-57");
                kp_buf_put_u8(&m, KP_CTAP_MAKE_CREDENTIAL);
                kp_cbor_put_map(&m, 5);
                kp_cbor_put_int(&m, 1);
                kp_cbor_put_bytes(&m, zero, 32);
                kp_cbor_put_int(&m, 2);
                kp_cbor_put_map(&m, 1);
                kp_cbor_put_text(&m, "id");
                kp_cbor_put_text_len(&m, cases[i].rp_id, cases[i].rp_id_len);
                kp_cbor_put_int(&m, 3);
                kp_cbor_put_map(&m, 2);
                kp_cbor_put_text(&m, "id");
                kp_cbor_put_bytes(&m, zero, cases[i].user_id_len);
                kp_cbor_put_text(&m, "name");
                kp_cbor_put_text_len(&m, cases[i].name, cases[i].name_len);
                kp_cbor_put_int(&m, 4);
                kp_cbor_put_array(&m, 1);
                kp_cbor_put_map(&m, 2);
                kp_cbor_put_text(&m, "alg");
                kp_cbor_put_int(&m, KP_COSE_ES256);
                kp_cbor_put_text(&m, "type");
                kp_cbor_put_text(&m, "public-key");
                kp_cbor_put_int(&m, 7);
                kp_cbor_put_map(&m, 1);
                kp_cbor_put_text(&m, "rk");
                kp_cbor_put_bool(&m, true);
                status = rig_send(&rig, &m);
                state = saved(&rig);
                cr_assert_eq(json_array_size(json_object_get(state, "credentials")),
                        status == KP_CTAP_OK, "case %zu", i);
                cr_assert_eq(kp_json_write(state, &text, &err), 0);
                cr_assert_eq(
                        kp_json_parse("state", text.data, text.len, &parsed, &err), 0);
                load(&rig, parsed);
                again = saved(&rig);
                cr_assert(json_equal(state, again), "case %zu", i);
                rig_close(&rig);
        }
}
