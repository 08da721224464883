/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

/*
 * Extensions, message by message, of a key that has them all. Spec: CTAP 2.1 §12;
 * CTAP 2.3 §12.3 to §12.9
 */
#define ALL "keypilot-23"

/* What the next request carries; the functions below write it. */
static struct {
        const char *name;
        struct kp_pin_secret secret;
        struct kp_buf public, enc;
        int protocol;   /* 0: not told */
        bool flag;      /* "hmac-secret": true beside hmac-secret-mc */
        int wrong_type; /* this member is an array */
        bool wrong_auth;
} say;

static void
say_true(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, say.name);
        kp_cbor_put_bool(m, true);
}

static void
say_false(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, say.name);
        kp_cbor_put_bool(m, false);
}

static void
say_text(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, say.name);
        kp_cbor_put_text(m, "true");
}

static void
say_number(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, say.name);
        kp_cbor_put_int(m, 1);
}

/* The output map of the last answer; NULL: none. */
static cbor_item_t *
outputs(const struct rig *rig)
{
        struct kp_authdata data = rig_auth_data(rig);
        struct kp_error err = { 0 };
        cbor_item_t *map = NULL;

        if (data.extensions == NULL)
                return NULL;
        cr_assert_eq(kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        return map;
}

/* A boolean output: 1, 0, -1 absent. */
static int
output_bool(const struct rig *rig, const char *name)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = outputs(rig);
        bool value;

        if (map == NULL || kp_cbor_at_str(map, name) == NULL)
                return -1;
        cr_assert(kp_cbor_is_bool(kp_cbor_at_str(map, name), &value));
        return value;
}

static bool
member_bytes(const struct rig *rig, int64_t member, struct kp_buf *ret)
{
        const uint8_t *bytes;
        size_t len;

        kp_buf_clear(ret);
        if (!kp_cbor_is_bytes(kp_cbor_at_int(rig->map, member), &bytes, &len))
                return false;
        kp_buf_put(ret, bytes, len);
        return true;
}

/* ---- largeBlobKey. Spec: CTAP 2.1 §12.3 ---- */

Test(extensions, a_large_blob_key_is_told_beside_the_data_and_only_when_asked_for)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf first = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf second = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf got = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };

        say.name = "largeBlobKey";
        rig_open(&rig, "yubikey-5-57");
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .extensions = say_true }),
                0);
        cr_assert(member_bytes(&rig, 5, &first) && first.len == 32);
        cr_assert(!rig_flag(&rig, KP_AUTHDATA_ED), "not in the signed data");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                             .user_id = "user-2",
                                             .extensions = say_true }),
                0);
        cr_assert(member_bytes(&rig, 5, &second));
        cr_assert(!kp_bytes_equal(first.data, first.len, second.data, second.len));
        expect_status(rig_get(&rig, &(struct ask){ .extensions = say_true }), 0);
        cr_assert(member_bytes(&rig, 7, &got));
        cr_assert(kp_bytes_equal(got.data, got.len, second.data, second.len));
        cr_assert(!rig_flag(&rig, KP_AUTHDATA_ED));
        expect_status(rig_command(&rig, KP_CTAP_GET_NEXT_ASSERTION), 0);
        cr_assert(member_bytes(&rig, 7, &got));
        cr_assert(kp_bytes_equal(got.data, got.len, first.data, first.len));
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        cr_assert(!member_bytes(&rig, 7, &got), "nobody asked");
        expect_status(rig_make(&rig, &(struct ask){ .rp_id = "other.org" }), 0);
        cr_assert(!member_bytes(&rig, 5, &got));
        plain = rig_id(&rig);
        expect_status(rig_get(&rig, &(struct ask){ .rp_id = "other.org",
                                            .list = { &plain },
                                            .n_list = 1,
                                            .extensions = say_true }),
                0);
        cr_assert(!member_bytes(&rig, 7, &got), "it was made without one");
        rig_close(&rig);
}

Test(extensions, a_large_blob_key_is_true_or_left_out_and_for_passkeys)
{
        struct rig rig;

        say.name = "largeBlobKey";
        rig_open(&rig, "yubikey-5-57");
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .extensions = say_false }),
                KP_CTAP2_ERR_INVALID_OPTION);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = say_true }),
                KP_CTAP2_ERR_INVALID_OPTION);
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = FALSE_, .extensions = say_true }),
                KP_CTAP2_ERR_INVALID_OPTION);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = say_false }),
                KP_CTAP2_ERR_INVALID_OPTION);
        rig_close(&rig);
}

/* ---- types ---- */

Test(extensions, an_input_of_a_wrong_type_is_refused_where_the_key_knows_the_extension)
{
        const struct {
                const char *name;
                bool make, get;
                void (*wrong[2])(struct kp_buf *m);
        } cases[] = {
                { "credBlob", true, false, { say_text, say_true } },
                { "credBlob", false, true, { say_text, say_number } },
                { "credProtect", true, false, { say_text, say_true } },
                { "hmac-secret", true, true, { say_text, say_number } },
                { "largeBlobKey", true, true, { say_text, say_number } },
                { "minPinLength", true, false, { say_text, say_number } },
                { "pinComplexityPolicy", true, false, { say_text, say_number } },
                { "thirdPartyPayment", true, true, { say_text, say_number } },
                { "uvm", true, true, { say_text, say_number } },
        };
        struct rig rig;

        rig_open(&rig, ALL);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                for (size_t w = 0; w < 2; w++) {
                        const struct ask ask = { .extensions = cases[i].wrong[w] };

                        say.name = cases[i].name;
                        if (cases[i].make)
                                cr_expect_eq(rig_make(&rig, &ask),
                                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE,
                                        "make, %s %zu", say.name, w);
                        if (cases[i].get)
                                cr_expect_eq(rig_get(&rig, &ask),
                                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE,
                                        "get, %s %zu", say.name, w);
                }
        rig_close(&rig);
        /* a key that lacks an extension does not look at its input */
        rig_open(&rig, "solo-1");
        say.name = "largeBlobKey";
        expect_status(rig_make(&rig, &(struct ask){ .extensions = say_text }), 0);
        cr_assert(!rig_flag(&rig, KP_AUTHDATA_ED));
        rig_close(&rig);
}

/* ---- credBlob. Spec: CTAP 2.1 §12.2 ---- */

static uint8_t blob[256];
static size_t blob_len;

static void
say_blob(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "credBlob");
        kp_cbor_put_bytes(m, blob, blob_len);
}

Test(extensions, a_cred_blob_is_kept_up_to_the_length_that_the_key_tells)
{
        struct rig rig;
        size_t len;
        const uint8_t *bytes;

        rig_open(&rig, "yubikey-5-57"); /* 32 bytes */
        for (blob_len = 31; blob_len <= 33; blob_len++) {
                KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;

                memset(blob, (int)blob_len, blob_len);
                expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                     .extensions = say_blob }),
                        0);
                cr_assert_eq(output_bool(&rig, "credBlob"), blob_len <= 32);
                say.name = "credBlob";
                expect_status(
                        rig_get(&rig, &(struct ask){ .extensions = say_true }), 0);
                map = outputs(&rig);
                cr_assert(kp_cbor_is_bytes(
                        kp_cbor_at_str(map, "credBlob"), &bytes, &len));
                cr_assert_eq(len, blob_len <= 32 ? blob_len : 0,
                        "there, and empty where none was kept");
        }
        rig_close(&rig);
}

/* ---- minPinLength and pinComplexityPolicy. Spec: CTAP 2.3 §12.5, §12.6 ---- */

static void
say_both_pin(struct kp_buf *m)
{
        kp_cbor_put_map(m, 2);
        kp_cbor_put_text(m, "minPinLength");
        kp_cbor_put_bool(m, true);
        kp_cbor_put_text(m, "pinComplexityPolicy");
        kp_cbor_put_bool(m, true);
}

Test(extensions, the_pin_policy_is_told_to_relying_parties_on_the_list_only)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        int64_t length;

        rig_open(&rig, ALL);
        kp_cbor_put_map(&params, 2);
        kp_cbor_put_int(&params, 1);
        kp_cbor_put_int(&params, 6);
        kp_cbor_put_int(&params, 2);
        kp_cbor_put_array(&params, 1);
        kp_cbor_put_text(&params, "example.org");
        expect_status(
                rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, NULL, &params), KP_CTAP_OK);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = say_both_pin }), 0);
        map = outputs(&rig);
        cr_assert(kp_cbor_is_int(kp_cbor_at_str(map, "minPinLength"), &length));
        cr_assert_eq(length, 6);
        cr_assert_eq(output_bool(&rig, "pinComplexityPolicy"), 0);
        expect_status(rig_make(&rig, &(struct ask){ .rp_id = "other.org",
                                             .extensions = say_both_pin }),
                0);
        cr_assert(!rig_flag(&rig, KP_AUTHDATA_ED), "not a word to others");
        kp_buf_clear(&params); /* the policy is switched on */
        kp_cbor_put_map(&params, 1);
        kp_cbor_put_int(&params, 4);
        kp_cbor_put_bool(&params, true);
        expect_status(
                rig_authorised(&rig, KP_CTAP_CONFIG, 3, 2, NULL, &params), KP_CTAP_OK);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = say_both_pin }), 0);
        cr_assert_eq(output_bool(&rig, "pinComplexityPolicy"), 1);
        rig_close(&rig);
}

/* ---- thirdPartyPayment. Spec: CTAP 2.3 §12.9 ---- */

Test(extensions, third_party_payment_is_kept_and_told_when_asserting)
{
        for (int rk = FALSE_; rk <= TRUE_; rk++)
                for (int made_for = 0; made_for <= 1; made_for++) {
                        struct rig rig;
                        struct ask ask = { .rk = rk,
                                .extensions = made_for ? say_true : NULL };
                        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

                        say.name = "thirdPartyPayment";
                        rig_open(&rig, ALL);
                        expect_status(rig_make(&rig, &ask), 0);
                        cr_assert(!rig_flag(&rig, KP_AUTHDATA_ED), "kept, not told");
                        id = rig_id(&rig);
                        ask = (struct ask){
                                .list = { &id }, .n_list = 1, .extensions = say_true
                        };
                        expect_status(rig_get(&rig, &ask), 0);
                        cr_assert_eq(output_bool(&rig, "thirdPartyPayment"), made_for);
                        ask.extensions = NULL;
                        expect_status(rig_get(&rig, &ask), 0);
                        cr_assert_eq(output_bool(&rig, "thirdPartyPayment"), -1);
                        rig_close(&rig);
                }
}

/* ---- uvm. Spec: WebAuthn L2 §10.3 ---- */

static int64_t
uvm_method(const struct rig *rig)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = outputs(rig);
        const cbor_item_t *list = kp_cbor_at_str(map, "uvm"), *entry;
        int64_t value[3];
        size_t n;

        cr_assert(kp_cbor_is_array(list, &n) && n == 1);
        entry = cbor_array_handle(list)[0];
        cr_assert(kp_cbor_is_array(entry, &n) && n == 3);
        for (size_t i = 0; i < 3; i++)
                cr_assert(kp_cbor_is_int(cbor_array_handle(entry)[i], &value[i]));
        cr_assert_eq(value[1], 2, "hardware");
        cr_assert_eq(value[2], 4, "on chip");
        return value[0];
}

Test(extensions, uvm_tells_how_the_person_was_verified)
{
        struct rig rig;
        uint8_t token[32];
        const struct token_ask with_pin = { .sub_command =
                                                    KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 2,
                .pin = "482613",
                .permissions = KP_CTAP_PERM_GA,
                .rp_id = "example.org" };

        say.name = "uvm";
        rig_open(&rig, ALL);
        expect_status(
                rig_make(&rig, &(struct ask){ .rk = TRUE_, .extensions = say_true }),
                0);
        cr_assert_eq(uvm_method(&rig), 0x01, "a touch");
        expect_status(
                rig_get(&rig, &(struct ask){ .up = FALSE_, .extensions = say_true }),
                0);
        cr_assert_eq(uvm_method(&rig), 0x200, "nothing");
        expect_status(rig_set_pin(&rig, 2, NULL, with_pin.pin), 0);
        expect_status(rig_token(&rig, &with_pin, token), 0);
        expect_status(rig_get(&rig, &(struct ask){ .extensions = say_true,
                                            .token = token,
                                            .protocol = 2 }),
                0);
        cr_assert_eq(uvm_method(&rig), 0x800, "a PIN that was typed elsewhere");
        rig_close(&rig);
        rig_open(&rig, ALL "-set");
        expect_status(
                rig_make(&rig, &(struct ask){ .uv = TRUE_, .extensions = say_true }),
                0);
        cr_assert_eq(uvm_method(&rig), 0x02, "a fingerprint");
        rig_close(&rig);
}

/* ---- hmac-secret and hmac-secret-mc. Spec: CTAP 2.3 §12.7, §12.8 ---- */

static void
salts_prepare(struct rig *rig, int protocol, size_t salts_len)
{
        static const uint8_t salts[96] = { 1, 2, 3 };
        struct kp_error err = { 0 };

        kp_buf_done(&say.public);
        kp_buf_done(&say.enc);
        memset(&say, 0, sizeof(say));
        say.protocol = protocol;
        say.flag = true;
        rig_agree(rig, protocol, &say.secret, &say.public);
        cr_assert_eq(kp_pin_encrypt(&say.secret, rig->random, salts, salts_len,
                             &say.enc, &err),
                0);
}

static void
put_member(struct kp_buf *m, int number, const void *bytes, size_t bytes_len)
{
        kp_cbor_put_int(m, number);
        if (say.wrong_type == number)
                kp_cbor_put_array(m, 0);
        else
                kp_cbor_put_bytes(m, bytes, bytes_len);
}

static void
put_salts(struct kp_buf *m)
{
        size_t key_len, tag_len;
        const uint8_t *key = kp_pin_hmac_key(&say.secret, &key_len);
        uint8_t tag[32];

        tag_len = kp_pin_authenticate(
                say.secret.protocol, key, key_len, say.enc.data, say.enc.len, tag);
        tag[0] ^= say.wrong_auth;
        kp_cbor_put_map(m, say.protocol == 0 ? 3 : 4);
        kp_cbor_put_int(m, 1);
        if (say.wrong_type == 1)
                kp_cbor_put_array(m, 0);
        else
                kp_buf_put(m, say.public.data, say.public.len);
        put_member(m, 2, say.enc.data, say.enc.len);
        put_member(m, 3, tag, tag_len);
        if (say.protocol == 0)
                return;
        kp_cbor_put_int(m, 4);
        if (say.wrong_type == 4)
                kp_cbor_put_array(m, 0);
        else
                kp_cbor_put_int(m, say.protocol);
}

static void
say_salts(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "hmac-secret");
        put_salts(m);
}

static void
say_salts_mc(struct kp_buf *m)
{
        kp_cbor_put_map(m, say.flag ? 2 : 1);
        if (say.flag) {
                kp_cbor_put_text(m, "hmac-secret");
                kp_cbor_put_bool(m, true);
        }
        kp_cbor_put_text(m, "hmac-secret-mc");
        put_salts(m);
}

static struct kp_buf
secret_of(const struct rig *rig, const char *name)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = outputs(rig);
        struct kp_buf plain = { 0 };
        struct kp_error err = { 0 };
        const uint8_t *bytes;
        size_t len;

        cr_assert(kp_cbor_is_bytes(kp_cbor_at_str(map, name), &bytes, &len));
        cr_assert_eq(len, say.enc.len, "as long as what came in");
        cr_assert_eq(kp_pin_decrypt(&say.secret, bytes, len, &plain, &err), 0);
        return plain;
}

Test(extensions, a_secret_at_creation_is_the_one_that_assertions_give)
{
        for (int protocol = 1; protocol <= 2; protocol++)
                for (size_t len = 32; len <= 64; len += 32) {
                        struct rig rig;
                        KP_CLEANUP(kp_buf_done) struct kp_buf made = { 0 };
                        KP_CLEANUP(kp_buf_done) struct kp_buf got = { 0 };

                        rig_open(&rig, ALL);
                        salts_prepare(&rig, protocol, len);
                        expect_status(
                                rig_make(&rig, &(struct ask){ .rk = TRUE_,
                                                       .extensions = say_salts_mc }),
                                0);
                        cr_assert_eq(output_bool(&rig, "hmac-secret"), 1);
                        made = secret_of(&rig, "hmac-secret-mc");
                        cr_assert_eq(made.len, len);
                        salts_prepare(&rig, 3 - protocol, len);
                        expect_status(
                                rig_get(&rig, &(struct ask){ .extensions = say_salts }),
                                0);
                        got = secret_of(&rig, "hmac-secret");
                        cr_assert(
                                kp_bytes_equal(made.data, made.len, got.data, got.len));
                        rig_close(&rig);
                }
}

Test(extensions, salts_at_creation_come_with_the_wish_for_a_secret)
{
        struct rig rig;

        rig_open(&rig, ALL);
        salts_prepare(&rig, 2, 32);
        say.flag = false;
        expect_status(rig_make(&rig, &(struct ask){ .extensions = say_salts_mc }),
                KP_CTAP2_ERR_MISSING_PARAMETER);
        rig_close(&rig);
        /* a key of before does not know them */
        rig_open(&rig, "yubikey-5-57");
        salts_prepare(&rig, 2, 32);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = say_salts_mc }), 0);
        cr_assert_eq(output_bool(&rig, "hmac-secret"), 1);
        {
                KP_CLEANUP(kp_free_cbor) cbor_item_t *map = outputs(&rig);

                cr_assert_null(kp_cbor_at_str(map, "hmac-secret-mc"));
        }
        rig_close(&rig);
}

Test(extensions, damaged_salts_are_refused_with_the_codes_of_the_text)
{
        struct rig rig;

        rig_open(&rig, ALL);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        for (int creating = 0; creating <= 1; creating++) {
                struct ask ask = { .extensions = creating ? say_salts_mc : say_salts };
                uint8_t (*const send)(struct rig *, const struct ask *) =
                        creating ? rig_make : rig_get;

                for (int member = 1; member <= 4; member++) {
                        salts_prepare(&rig, 2, 32);
                        say.wrong_type = member;
                        cr_expect_eq(send(&rig, &ask),
                                KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE, "member %d", member);
                }
                salts_prepare(&rig, 2, 32);
                say.wrong_auth = true;
                expect_status(send(&rig, &ask), KP_CTAP2_ERR_PIN_AUTH_INVALID);
                for (size_t len = 16; len <= 96; len += 16) {
                        salts_prepare(&rig, 1, len);
                        expect_status(send(&rig, &ask),
                                len == 32 || len == 64
                                        ? KP_CTAP_OK
                                        : KP_CTAP1_ERR_INVALID_PARAMETER);
                }
                salts_prepare(&rig, 2, 32);
                say.protocol = 3; /* no such protocol */
                expect_status(send(&rig, &ask), KP_CTAP1_ERR_INVALID_PARAMETER);
                salts_prepare(&rig, 1, 32);
                say.protocol = 0; /* not told: the first */
                expect_status(send(&rig, &ask), KP_CTAP_OK);
                salts_prepare(&rig, 2, 32);
                say.protocol = 0;
                expect_status(send(&rig, &ask), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        }
        rig_close(&rig);
}
