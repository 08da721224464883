/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <string.h>

#include "keypilot/codec/pinproto.h"
#include "keypilot/core/free.h"

#include "vectors_hex.h"

/*
 * WebAuthn L3 §16 "CTAP2 hmac-secret extension": the numbers are published there, all
 * made from SHA-256 over a fixed text and a counter.
 */
#define PLATFORM_PRIVATE                                                               \
        "0971bc7fb1be48270adcd3d9a5fc15d5fb0f335b3071ff36a54c007fa6c76514"
#define PLATFORM_X "a6ad249c9c2558e03e4ffbef60255d942b0166f5446cef916ab5f4ec4335a1c5"
#define PLATFORM_Y "67315207e09ce082c31b052c7e2bcb700e79f1c53bd3bb4e3bb6fef89d227bc1"
#define KEY_X "a30522c2de402b561965c3cf949a1cab020c6f6ea36fcf7e911ac1a0f1515300"
#define KEY_Y "9961a929abdb2f42e6566771887d41484d889e735e3248518a53112d2b915f00"
#define SECRET_1 "23e5ed7157c25892b77732fb9c8a107e3518800db2af4142f9f4adfacb771d39"
#define SECRET_2                                                                       \
        "0c63083de8170101d38bcf8bd72309568ddb4550867e23404b35d85712f7c20d"             \
        "8bc911ee23c06034cbc14290b9669bec07739053c5a416e313ef905c79955876"
#define SALT_1 "527413ebb48293772df30f031c5ac4650c7de14bf9498671ae163447b6a772b3"
#define SALT_2 "d68ac03329a10ee5e0ec834492bb9a96a0e547baf563bf78ccbe8789b22e776b"
#define ENC_1 "ab8c878bb05d04700f077ed91845ec9c503c925cb12b327ddbeb4243c397f913"
#define ENC_2_TWO                                                                      \
        "d9f4236403e0fe843a8e4e5be764d120904c198ad6e77b089876a3391961f183b0008b4ca66b" \
        "91"                                                                           \
        "cd72aa35b6151ff981f6e5649f3c040e6615ad7dd8ae96ef23b229a5c97c3f0dcd8605eee166" \
        "ce"                                                                           \
        "163a"

static cbor_item_t *
cose(const char *alg, const char *x, const char *y)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf hex = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        cbor_item_t *item = NULL;
        struct kp_error err = { 0 };

        kp_buf_printf(&hex, "a5 0102 03%s 2001 2158%02zx%s 2258%02zx%s", alg,
                strlen(x) / 2, x, strlen(y) / 2, y);
        bytes = unhex(kp_buf_str(&hex));
        cr_assert_eq(
                kp_cbor_parse(bytes.data, bytes.len, KP_CBOR_CTAP2, &item, NULL, &err),
                0);
        return item;
}

static EVP_PKEY *
public_key(const char *x, const char *y)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = cose("3818", x, y);
        EVP_PKEY *key = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_pin_key_parse(item, &key, &err), 0);
        return key;
}

static EVP_PKEY *
private_key(const char *hex)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf d = unhex(hex);
        KP_CLEANUP(kp_free_pkey_ctx)
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        EVP_PKEY *key = NULL;
        OSSL_PARAM params[3];

        for (size_t i = 0; i < d.len / 2;
                i++) { /* little-endian, as OpenSSL wants numbers */
                uint8_t byte = d.data[i];

                d.data[i] = d.data[d.len - 1 - i];
                d.data[d.len - 1 - i] = byte;
        }
        params[0] = OSSL_PARAM_construct_utf8_string(
                "group", (char *)(uintptr_t) "P-256", 0);
        params[1] = OSSL_PARAM_construct_BN("priv", d.data, d.len);
        params[2] = OSSL_PARAM_construct_end();
        cr_assert_eq(EVP_PKEY_fromdata_init(ctx), 1);
        cr_assert_eq(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params), 1);
        return key;
}

static struct kp_pin_secret
agree(int protocol)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *own = private_key(PLATFORM_PRIVATE);
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *peer = public_key(KEY_X, KEY_Y);
        struct kp_pin_secret secret;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_pin_agree(protocol, own, peer, &secret, &err), 0);
        return secret;
}

static struct kp_random *
stream(const char *label)
{
        struct kp_random *random = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_random_new_seeded("pinproto", label, &random, &err), 0);
        return random;
}

Test(pinproto, agrees_on_the_published_secrets)
{
        struct kp_pin_secret secret = agree(1);
        size_t len;

        cr_assert_str_eq(tohex(secret.bytes, 32), SECRET_1);
        cr_assert_eq(kp_pin_hmac_key(&secret, &len), secret.bytes);
        cr_assert_eq(len, 32);
        secret = agree(2);
        cr_assert_str_eq(tohex(secret.bytes, 64), SECRET_2);
}

Test(pinproto, encrypts_the_published_salt_with_protocol_1)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf salt = unhex(SALT_1);
        KP_CLEANUP(kp_buf_done) struct kp_buf cipher = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        struct kp_pin_secret secret = agree(1);
        struct kp_error err = { 0 };

        cr_assert_eq(
                kp_pin_encrypt(&secret, NULL, salt.data, salt.len, &cipher, &err), 0);
        cr_assert_str_eq(tohex(cipher.data, cipher.len), ENC_1);
        cr_assert_eq(kp_pin_decrypt(&secret, cipher.data, cipher.len, &plain, &err), 0);
        cr_assert_str_eq(tohex(plain.data, plain.len), SALT_1);
}

Test(pinproto, decrypts_the_published_salts_with_protocol_2)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf cipher = unhex(ENC_2_TWO);
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        struct kp_pin_secret secret = agree(2);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_pin_decrypt(&secret, cipher.data, cipher.len, &plain, &err), 0);
        cr_assert_str_eq(tohex(plain.data, plain.len), SALT_1 SALT_2);
}

Test(pinproto, reads_back_what_it_encrypts_with_a_fresh_iv_each_time)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = stream("iv");
        KP_CLEANUP(kp_buf_done) struct kp_buf one = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf two = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        struct kp_pin_secret secret = agree(2);
        uint8_t pin[64] = "1234";
        struct kp_error err = { 0 };

        cr_assert_eq(kp_pin_encrypt(&secret, random, pin, sizeof(pin), &one, &err), 0);
        cr_assert_eq(kp_pin_encrypt(&secret, random, pin, sizeof(pin), &two, &err), 0);
        cr_assert_eq(one.len, 80);
        cr_assert(!kp_bytes_equal(one.data, one.len, two.data, two.len));
        cr_assert_eq(kp_pin_decrypt(&secret, one.data, one.len, &plain, &err), 0);
        cr_assert(kp_bytes_equal(plain.data, plain.len, pin, sizeof(pin)));
}

Test(pinproto, both_sides_agree)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = stream("keys");

        for (int protocol = 1; protocol <= 2; protocol++) {
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *a = NULL;
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *b = NULL;
                struct kp_pin_secret at_a, at_b;
                struct kp_error err = { 0 };

                cr_assert_eq(kp_pin_key_make(random, &a, &err), 0);
                cr_assert_eq(kp_pin_key_make(random, &b, &err), 0);
                cr_assert_eq(kp_pin_agree(protocol, a, b, &at_a, &err), 0);
                cr_assert_eq(kp_pin_agree(protocol, b, a, &at_b, &err), 0);
                cr_assert_eq(memcmp(at_a.bytes, at_b.bytes, 64), 0);
        }
}

Test(pinproto, writes_its_key_in_canonical_form)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = public_key(PLATFORM_X, PLATFORM_Y);
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_pin_key_put(&buf, key, &err), 0);
        cr_assert_str_eq(tohex(buf.data, buf.len),
                "a50102033818200121"
                "5820" PLATFORM_X "225820" PLATFORM_Y);
}

Test(pinproto, refuses_other_algorithms_lengths_and_points_off_the_curve)
{
        static const struct {
                const char *alg, *x, *y;
        } bad[] = {
                { "26", KEY_X, KEY_Y },        /* ES256 */
                { "3818", KEY_X, PLATFORM_Y }, /* off the curve */
                { "3818",
                        "0522c2de402b561965c3cf949a1cab020c6f6ea36fcf7e911ac1a0f1515300"
                        "a3"
                        "00",
                        KEY_Y }, /* 33 bytes */
                { "3818", KEY_X "00", KEY_Y },
        };

        for (size_t i = 0; i < KP_NELEMS(bad); i++) {
                KP_CLEANUP(kp_free_cbor)
                cbor_item_t *item = cose(bad[i].alg, bad[i].x, bad[i].y);
                EVP_PKEY *key = NULL;
                struct kp_error err = { 0 };

                cr_assert_lt(kp_pin_key_parse(item, &key, &err), 0, "case %zu", i);
                cr_assert_eq(err.code, KP_EPARSE);
        }
}

Test(pinproto, refuses_lengths_that_no_ciphertext_has)
{
        static const size_t bad[2][4] = { { 0, 15, 17, 33 }, { 0, 15, 16, 33 } };
        const uint8_t bytes[64] = { 0 };

        for (int protocol = 1; protocol <= 2; protocol++)
                for (size_t i = 0; i < 4; i++) {
                        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
                        struct kp_pin_secret secret = agree(protocol);
                        struct kp_error err = { 0 };

                        cr_assert_lt(kp_pin_decrypt(&secret, bytes,
                                             bad[protocol - 1][i], &plain, &err),
                                0);
                        cr_assert_eq(err.code, KP_EPARSE);
                }
}

/* RFC 4231 §4.3, case 2, has a key shorter than 32 bytes; §4.7, case 6, a longer one */
Test(pinproto, authenticates_as_hmac_sha_256_does)
{
        uint8_t tag[32];

        cr_assert_eq(kp_pin_authenticate(2, (const uint8_t *)"Jefe", 4,
                             "what do ya want for nothing?", 28, tag),
                32);
        cr_assert_str_eq(tohex(tag, 32),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        cr_assert_eq(kp_pin_authenticate(1, (const uint8_t *)"Jefe", 4,
                             "what do ya want for nothing?", 28, tag),
                16);
        cr_assert(kp_pin_verify(1, (const uint8_t *)"Jefe", 4,
                "what do ya want for nothing?", 28, tag, 16));
}

Test(pinproto, protocol_2_authenticates_with_the_first_half_of_the_secret)
{
        struct kp_pin_secret secret = agree(2);
        uint8_t whole[32], half[32];

        kp_pin_authenticate(2, secret.bytes, 64, "m", 1, whole);
        kp_pin_authenticate(2, secret.bytes, 32, "m", 1, half);
        cr_assert_eq(memcmp(whole, half, 32), 0);
}

Test(pinproto, refuses_wrong_short_and_long_tags)
{
        const uint8_t key[32] = { 1 };
        uint8_t tag[33] = { 0 };

        kp_pin_authenticate(2, key, 32, "message", 7, tag);
        cr_assert(kp_pin_verify(2, key, 32, "message", 7, tag, 32));
        cr_assert_not(kp_pin_verify(2, key, 32, "message", 7, tag, 16));
        cr_assert_not(kp_pin_verify(2, key, 32, "message", 7, tag, 33));
        cr_assert_not(kp_pin_verify(2, key, 32, "massage", 7, tag, 32));
        cr_assert_not(kp_pin_verify(1, key, 32, "message", 7, tag, 32));
        cr_assert(kp_pin_verify(1, key, 32, "message", 7, tag, 16));
        tag[0] ^= 1;
        cr_assert_not(kp_pin_verify(1, key, 32, "message", 7, tag, 16));
}
