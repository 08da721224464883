/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <string.h>

#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"

#include "vectors_cose.h"
#include "vectors_hex.h"

static const char message[] = "keypilot codec test";
#define MESSAGE_LEN (sizeof(message) - 1)

static int
parse_as(const char *hex, enum kp_cbor_mode mode, EVP_PKEY **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = unhex(hex);
        int alg;

        return kp_cose_key_parse(bytes.data, bytes.len, mode, ret, &alg, NULL, err);
}

static bool
parses(const char *hex, enum kp_cbor_mode mode)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        struct kp_error err = { 0 };

        if (parse_as(hex, mode, &key, &err) == 0)
                return true;
        cr_assert(err.code == KP_EPARSE, "%s: code %d", hex, err.code);
        return false;
}

static struct kp_random *
stream(const char *label)
{
        struct kp_random *random = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_random_new_seeded("cose", label, &random, &err), 0);
        return random;
}

Test(cose, verifies_signatures_that_other_software_made)
{
        for (size_t i = 0; i < KP_NELEMS(vectors_cose); i++) {
                const struct vector_cose *v = &vectors_cose[i];
                KP_CLEANUP(kp_buf_done) struct kp_buf bytes = unhex(v->key);
                KP_CLEANUP(kp_buf_done) struct kp_buf sig = unhex(v->signature);
                KP_CLEANUP(kp_buf_done) struct kp_buf again = { 0 };
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
                const char *name = kp_cose_alg_name(v->alg);
                struct kp_error err = { 0 };
                int alg = 0;

                cr_assert_eq(kp_cose_key_parse(bytes.data, bytes.len, KP_CBOR_CTAP2,
                                     &key, &alg, NULL, &err),
                        0, "%s", name);
                cr_assert_eq(alg, v->alg);
                cr_assert(kp_cose_verify(
                                  alg, key, message, MESSAGE_LEN, sig.data, sig.len),
                        "%s", name);
                cr_assert_not(kp_cose_verify(
                        alg, key, message, MESSAGE_LEN - 1, sig.data, sig.len));
                cr_assert_not(kp_cose_verify(
                        alg, key, message, MESSAGE_LEN, sig.data, sig.len - 1));
                sig.data[sig.len / 2] ^= 4;
                cr_assert_not(kp_cose_verify(
                        alg, key, message, MESSAGE_LEN, sig.data, sig.len));
                cr_assert_eq(kp_cose_key_put(&again, key, alg, &err), 0);
                cr_assert(kp_bytes_equal(again.data, again.len, bytes.data, bytes.len),
                        "%s", name);
        }
}

/* RFC 8032 §7.1 TEST 2: one byte 0x72 */
#define ED_PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define ED_COSE "a4010103272006215820" ED_PUBLIC

Test(cose, verifies_the_ed25519_example_of_rfc_8032)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        KP_CLEANUP(kp_buf_done)
        struct kp_buf sig = unhex(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
        struct kp_error err = { 0 };

        cr_assert_eq(parse_as(ED_COSE, KP_CBOR_CTAP2, &key, &err), 0);
        cr_assert(kp_cose_verify(KP_COSE_EDDSA, key, "\x72", 1, sig.data, sig.len));
        cr_assert_not(kp_cose_verify(KP_COSE_EDDSA, key, "\x73", 1, sig.data, sig.len));
        cr_assert_not(kp_cose_verify(KP_COSE_ES256, key, "\x72", 1, sig.data, sig.len));
}

/* RFC 9053 and RFC 6979 A.2.5 share this P-256 point. */
#define EC_X "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
#define EC_Y "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"

Test(cose, verifies_the_p256_example_of_rfc_6979)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        KP_CLEANUP(kp_buf_done)
        struct kp_buf sig = unhex(
                "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84e"
                "af3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f"
                "843acda8");
        struct kp_error err = { 0 };

        cr_assert_eq(parse_as("a5010203262001215820" EC_X "225820" EC_Y, KP_CBOR_CTAP2,
                             &key, &err),
                0);
        cr_assert(kp_cose_verify(KP_COSE_ES256, key, "sample", 6, sig.data, sig.len));
}

static const char *const bad_keys[] = {
        "", "80", "f6", "a0",                        /* no map of parameters */
        "a40102200121582000" EC_X "225820" EC_Y,     /* no alg, and more */
        "a401022001215820" EC_X "225820" EC_Y,       /* no alg */
        "a403262001215820" EC_X "225820" EC_Y,       /* no kty */
        "a401020326215820" EC_X "225820" EC_Y,       /* no crv */
        "a4010203262001225820" EC_Y,                 /* no x */
        "a4010203262001215820" EC_X,                 /* no y */
        "a5010103262001215820" EC_X "225820" EC_Y,   /* kty OKP */
        "a5010203262002215820" EC_X "225820" EC_Y,   /* P-384 */
        "a5010203262009215820" EC_X "225820" EC_Y,   /* no such curve */
        "a501020326200121581f" EC_X "225820" EC_Y,   /* x cut */
        "a5010203262001215821" EC_X "00225820" EC_Y, /* x long */
        "a501020326200121582000" EC_X "225820" EC_Y, /* shifted */
        "a5010203262001215820" EC_X "225820" EC_X,   /* off the curve */
        "a5010203262001215820" EC_X "22f5",          /* compressed */
        "a5010203262001217820" EC_X "225820" EC_Y,   /* x as text */
        "a6010203262001215820" EC_X,                 /* map cut */
        "a501613203262001215820" EC_X "225820" EC_Y, /* kty as text */
        "a50102032620012158200000000000000000000000000000000000000000000000000000000000"
        "0000"
        "002258200000000000000000000000000000000000000000000000000000000000000000",
        "a401010327200621581f" ED_PUBLIC,               /* Ed25519 cut */
        "a4010103272001215820" ED_PUBLIC,               /* EdDSA on P-256 */
        "a4010203272006215820" ED_PUBLIC,               /* kty EC2 */
        "a40103033901002041012143010001",               /* RSA of one bit */
        "a5010203262001215820" EC_X "225820" EC_Y "00", /* a byte behind */
};

Test(cose, refuses_keys_that_are_none_in_both_modes)
{
        for (size_t i = 0; i < KP_NELEMS(bad_keys); i++) {
                cr_expect_not(parses(bad_keys[i], KP_CBOR_CTAP2), "%s", bad_keys[i]);
                cr_expect_not(parses(bad_keys[i], KP_CBOR_LENIENT), "%s", bad_keys[i]);
        }
}

Test(cose, tolerates_needless_parameters_only_when_lenient)
{
        static const char *const extra[] = {
                "a6010202410103262001215820" EC_X "225820" EC_Y,         /* kid */
                "a6010203260481022001215820" EC_X "225820" EC_Y,         /* key_ops */
                "a6010203262001215820" EC_X "225820" EC_Y "235820" EC_X, /* d */
                "a5010103272006215820" ED_PUBLIC "235820" EC_X,          /* d */
                "a5032601022001215820" EC_X "225820" EC_Y,               /* order */
        };

        for (size_t i = 0; i < KP_NELEMS(extra); i++) {
                cr_expect_not(parses(extra[i], KP_CBOR_CTAP2), "%s", extra[i]);
                cr_expect(parses(extra[i], KP_CBOR_LENIENT), "%s", extra[i]);
        }
}

Test(cose, says_that_it_does_not_know_an_algorithm)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        struct kp_error err = { 0 };

        /* ML-DSA-44 */
        cr_assert_lt(parse_as("a3010703382f204101", KP_CBOR_CTAP2, &key, &err), 0);
        cr_assert_eq(err.code, KP_EUNSUPPORTED);
        cr_assert_not(kp_cose_alg_supported(-48));
        cr_assert(kp_cose_alg_supported(KP_COSE_RS256));
        cr_assert_str_eq(kp_cose_alg_name(-48), "unknown");
}

static EVP_PKEY *
rsa_key(unsigned bits)
{
        EVP_PKEY *key = EVP_RSA_gen(bits);

        cr_assert_not_null(key);
        return key;
}

Test(cose, signs_what_it_verifies)
{
        static const int algs[] = { KP_COSE_ES256, KP_COSE_ES384, KP_COSE_ES512,
                KP_COSE_EDDSA, KP_COSE_ES256K, KP_COSE_RS256, KP_COSE_RS384,
                KP_COSE_RS512, KP_COSE_PS256, KP_COSE_PS384, KP_COSE_PS512 };
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *rsa = rsa_key(2048);
        KP_CLEANUP(kp_random_free) struct kp_random *random = stream("sign");

        for (size_t i = 0; i < KP_NELEMS(algs); i++) {
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *public = NULL;
                KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf cose = { 0 };
                struct kp_error err = { 0 };
                int alg;

                if (kp_cose_key_make(algs[i], random, &key, &err) < 0) {
                        cr_assert_eq(err.code, KP_EUNSUPPORTED);
                        EVP_PKEY_up_ref(rsa);
                        key = rsa;
                }
                cr_assert_eq(
                        kp_cose_sign(algs[i], key, message, MESSAGE_LEN, &sig, &err),
                        0);
                cr_assert_eq(kp_cose_key_put(&cose, key, algs[i], &err), 0);
                cr_assert_eq(kp_cose_key_parse(cose.data, cose.len, KP_CBOR_CTAP2,
                                     &public, &alg, NULL, &err),
                        0);
                cr_assert(kp_cose_verify(
                                  alg, public, message, MESSAGE_LEN, sig.data, sig.len),
                        "%s", kp_cose_alg_name(alg));
        }
}

Test(cose, makes_the_same_key_from_the_same_stream_and_no_other)
{
        static const int algs[] = { KP_COSE_ES256, KP_COSE_ES384, KP_COSE_ES512,
                KP_COSE_ES256K, KP_COSE_EDDSA };

        for (size_t i = 0; i < KP_NELEMS(algs); i++) {
                KP_CLEANUP(kp_random_free) struct kp_random *one = stream("make");
                KP_CLEANUP(kp_random_free) struct kp_random *two = stream("make");
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *a = NULL;
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *b = NULL;
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *c = NULL;
                struct kp_error err = { 0 };

                cr_assert_eq(kp_cose_key_make(algs[i], one, &a, &err), 0);
                cr_assert_eq(kp_cose_key_make(algs[i], two, &b, &err), 0);
                cr_assert_eq(kp_cose_key_make(algs[i], two, &c, &err), 0);
                cr_assert_eq(EVP_PKEY_eq(a, b), 1);
                cr_assert_neq(EVP_PKEY_eq(b, c), 1);
        }
}

Test(cose, makes_keys_whose_halves_belong_together)
{
        static const int algs[] = { KP_COSE_ES256, KP_COSE_ES384, KP_COSE_ES512,
                KP_COSE_ES256K, KP_COSE_EDDSA };
        KP_CLEANUP(kp_random_free) struct kp_random *random = stream("check");

        for (size_t i = 0; i < KP_NELEMS(algs); i++) {
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
                struct kp_error err = { 0 };

                cr_assert_eq(kp_cose_key_make(algs[i], random, &key, &err), 0);
                KP_CLEANUP(kp_free_pkey_ctx)
                EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
                cr_assert_eq(EVP_PKEY_check(ctx), 1, "%s", kp_cose_alg_name(algs[i]));
        }
}

Test(cose, draws_the_private_number_from_the_stream)
{
        KP_CLEANUP(kp_random_free) struct kp_random *one = stream("private");
        KP_CLEANUP(kp_random_free) struct kp_random *two = stream("private");
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        KP_CLEANUP(kp_free_bn) BIGNUM *private = NULL;
        uint8_t drawn[32], used[32];
        struct kp_error err = { 0 };

        cr_assert_eq(kp_cose_key_make(KP_COSE_ES256, one, &key, &err), 0);
        kp_random_bytes(two, drawn, sizeof(drawn));
        cr_assert_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &private), 1);
        cr_assert_eq(BN_bn2binpad(private, used, sizeof(used)), 32);
        cr_assert_eq(memcmp(drawn, used, sizeof(used)), 0);
}

Test(cose, makes_no_rsa_keys_and_no_unknown_ones)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = stream("none");
        EVP_PKEY *key = NULL;
        struct kp_error err = { 0 };

        cr_assert_lt(kp_cose_key_make(KP_COSE_RS256, random, &key, &err), 0);
        cr_assert_eq(err.code, KP_EUNSUPPORTED);
        cr_assert_lt(kp_cose_key_make(-48, random, &key, &err), 0);
}

Test(cose, refuses_the_empty_and_the_zero_signature)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = stream("zero");
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        const uint8_t zero[] = { 0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_cose_key_make(KP_COSE_ES256, random, &key, &err), 0);
        cr_assert_not(kp_cose_verify(
                KP_COSE_ES256, key, message, MESSAGE_LEN, zero, sizeof(zero)));
        cr_assert_not(
                kp_cose_verify(KP_COSE_ES256, key, message, MESSAGE_LEN, NULL, 0));
}

Test(cose, does_not_put_a_key_under_an_algorithm_that_it_does_not_fit)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = stream("fit");
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_cose_key_make(KP_COSE_ES256, random, &key, &err), 0);
        cr_assert_lt(kp_cose_key_put(&buf, key, KP_COSE_ES384, &err), 0);
        cr_assert_lt(kp_cose_key_put(&buf, key, KP_COSE_EDDSA, &err), 0);
        cr_assert_lt(kp_cose_key_put(&buf, key, KP_COSE_RS256, &err), 0);
        cr_assert_lt(kp_cose_sign(KP_COSE_RS256, key, "m", 1, &buf, &err), 0);
}

/* Signs with a salt of 20 bytes, which RFC 8230 does not allow. */
static struct kp_buf
sign_short_salt(EVP_PKEY *key)
{
        KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        struct kp_buf sig = { 0 };
        EVP_PKEY_CTX *pctx;
        uint8_t bytes[256];
        size_t len = sizeof(bytes);

        cr_assert_eq(
                EVP_DigestSignInit_ex(ctx, &pctx, "SHA256", NULL, NULL, key, NULL), 1);
        cr_assert_eq(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
        cr_assert_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, 20), 1);
        cr_assert_eq(
                EVP_DigestSign(ctx, bytes, &len, (const uint8_t *)message, MESSAGE_LEN),
                1);
        kp_buf_put(&sig, bytes, len);
        return sig;
}

Test(cose, takes_another_salt_length_only_where_told)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *rsa = rsa_key(2048);
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = sign_short_salt(rsa);

        cr_assert_not(kp_cose_verify(
                KP_COSE_PS256, rsa, message, MESSAGE_LEN, sig.data, sig.len));
        cr_assert(kp_cose_verify_any_salt(
                KP_COSE_PS256, rsa, message, MESSAGE_LEN, sig.data, sig.len));
        cr_assert_not(kp_cose_verify_any_salt(
                KP_COSE_PS256, rsa, message, MESSAGE_LEN - 1, sig.data, sig.len));
}
