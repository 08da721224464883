/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/pinproto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "cose_alg.h"

#define AES_BLOCK 16
#define KEY_LEN 32
#define ALG_ECDH_ES_HKDF_256 -25

int
kp_pin_key_make(struct kp_random *random, EVP_PKEY **ret, struct kp_error *err)
{
        return kp_ec_make(kp_cose_curve(KP_CRV_P256), random, ret, err);
}

int
kp_pin_key_put(struct kp_buf *buf, const EVP_PKEY *key, struct kp_error *err)
{
        uint8_t x[KEY_LEN], y[KEY_LEN];

        if (kp_ec_coordinates(kp_cose_curve(KP_CRV_P256), key, x, y, err) < 0)
                return -1;
        kp_cbor_put_map(buf, 5);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_int(buf, KP_KTY_EC2);
        kp_cbor_put_int(buf, 3);
        kp_cbor_put_int(buf, ALG_ECDH_ES_HKDF_256);
        kp_cbor_put_int(buf, -1);
        kp_cbor_put_int(buf, KP_CRV_P256);
        kp_cbor_put_int(buf, -2);
        kp_cbor_put_bytes(buf, x, sizeof(x));
        kp_cbor_put_int(buf, -3);
        kp_cbor_put_bytes(buf, y, sizeof(y));
        return 0;
}

static bool
has_int(const cbor_item_t *map, int64_t label, int64_t wanted)
{
        int64_t value;

        return kp_cbor_is_int(kp_cbor_at_int(map, label), &value) && value == wanted;
}

int
kp_pin_key_parse(const cbor_item_t *cose, EVP_PKEY **ret, struct kp_error *err)
{
        const uint8_t *x, *y;
        size_t x_len, y_len, n;

        if (!kp_cbor_is_map(cose, &n) || n != 5 || !has_int(cose, 1, KP_KTY_EC2) ||
                !has_int(cose, 3, ALG_ECDH_ES_HKDF_256) ||
                !has_int(cose, -1, KP_CRV_P256) ||
                !kp_cbor_is_bytes(kp_cbor_at_int(cose, -2), &x, &x_len) ||
                !kp_cbor_is_bytes(kp_cbor_at_int(cose, -3), &y, &y_len) ||
                x_len != KEY_LEN || y_len != KEY_LEN)
                return KP_FAIL(err, KP_EPARSE,
                        "key agreement key: not a P-256 key of algorithm -25");
        if (kp_ec_public(kp_cose_curve(KP_CRV_P256), x, y, ret, err) < 0)
                return KP_WHILE(err, "key agreement key");
        return 0;
}

/* x of the shared point. Spec: CTAP 2.1 §6.5.6 ecdh */
static int
shared_x(EVP_PKEY *own, EVP_PKEY *peer, uint8_t z[KEY_LEN], struct kp_error *err)
{
        KP_CLEANUP(kp_free_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
        size_t z_len = KEY_LEN;

        /* the peer's point was checked when read: on the curve, cofactor 1 */
        if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
                EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) != 1 ||
                EVP_PKEY_derive(ctx, z, &z_len) != 1 || z_len != KEY_LEN)
                return KP_FAIL_AS(
                        err, KP_EBUG, "openssl", (int)ERR_get_error(), "P-256 ECDH");
        return 0;
}

/* Spec: CTAP 2.1 §6.5.7 kdf: HKDF-SHA-256, salt of 32 zero bytes */
static int
hkdf(const uint8_t z[KEY_LEN], const char *info, uint8_t ret[KEY_LEN],
        struct kp_error *err)
{
        /* a constant of the process: fetching costs more than using */
        static EVP_KDF *kdf;
        static uint8_t salt[32];
        EVP_KDF_CTX *ctx;
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(
                        OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
                OSSL_PARAM_construct_octet_string(
                        OSSL_KDF_PARAM_KEY, (void *)z, KEY_LEN),
                OSSL_PARAM_construct_octet_string(
                        OSSL_KDF_PARAM_SALT, salt, sizeof(salt)),
                OSSL_PARAM_construct_octet_string(
                        OSSL_KDF_PARAM_INFO, (void *)info, strlen(info)),
                OSSL_PARAM_construct_end(),
        };
        int status;

        if (kdf == NULL)
                kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
        ctx = EVP_KDF_CTX_new(kdf);
        status = ctx == NULL ? 0 : EVP_KDF_derive(ctx, ret, KEY_LEN, params);
        EVP_KDF_CTX_free(ctx);
        if (status != 1)
                return KP_FAIL_AS(
                        err, KP_EBUG, "openssl", (int)ERR_get_error(), "HKDF");
        return 0;
}

int
kp_pin_agree(int protocol, EVP_PKEY *own, EVP_PKEY *peer, struct kp_pin_secret *ret,
        struct kp_error *err)
{
        uint8_t z[KEY_LEN];
        int status;

        memset(ret, 0, sizeof(*ret));
        ret->protocol = protocol;
        if (shared_x(own, peer, z, err) < 0)
                return -1;
        if (protocol == 1)
                status = EVP_Digest(z, sizeof(z), ret->bytes, NULL, EVP_sha256(),
                                 NULL) == 1
                                 ? 0
                                 : KP_FAIL(err, KP_ENOMEM, "SHA-256");
        else
                status = hkdf(z, "CTAP2 HMAC key", ret->bytes, err) < 0
                                 ? -1
                                 : hkdf(z, "CTAP2 AES key", ret->bytes + KEY_LEN, err);
        OPENSSL_cleanse(z, sizeof(z));
        return status;
}

static const uint8_t *
aes_key(const struct kp_pin_secret *secret)
{
        return secret->bytes + (secret->protocol == 1 ? 0 : KEY_LEN);
}

static int
aes_cbc(const uint8_t *key, const uint8_t *iv, bool encrypt, const uint8_t *in,
        size_t n, struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        uint8_t out[1024];
        int out_len = 0;

        if (n > sizeof(out))
                return KP_FAIL(err, KP_EPARSE,
                        "%zu bytes are more than any PIN message has", n);
        if (ctx == NULL ||
                EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv, encrypt) !=
                        1 ||
                EVP_CIPHER_CTX_set_padding(ctx, 0) != 1 ||
                EVP_CipherUpdate(ctx, out, &out_len, in, (int)n) != 1 ||
                (size_t)out_len != n)
                return KP_FAIL_AS(
                        err, KP_EBUG, "openssl", (int)ERR_get_error(), "AES-256-CBC");
        kp_buf_put(ret, out, n);
        OPENSSL_cleanse(out, n);
        return kp_buf_check(ret, err);
}

static const uint8_t zero_iv[AES_BLOCK];

int
kp_pin_encrypt(const struct kp_pin_secret *secret, struct kp_random *random,
        const uint8_t *plain, size_t plain_len, struct kp_buf *ret,
        struct kp_error *err)
{
        uint8_t iv[AES_BLOCK];

        if (plain_len % AES_BLOCK != 0)
                return KP_FAIL(
                        err, KP_EBUG, "%zu bytes do not fill AES blocks", plain_len);
        if (secret->protocol == 1)
                return aes_cbc(
                        aes_key(secret), zero_iv, true, plain, plain_len, ret, err);
        kp_random_bytes(random, iv, sizeof(iv));
        kp_buf_put(ret, iv, sizeof(iv));
        return aes_cbc(aes_key(secret), iv, true, plain, plain_len, ret, err);
}

int
kp_pin_decrypt(const struct kp_pin_secret *secret, const uint8_t *cipher,
        size_t cipher_len, struct kp_buf *ret, struct kp_error *err)
{
        const uint8_t *iv = zero_iv;

        if (secret->protocol == 2 && cipher_len >= AES_BLOCK) {
                iv = cipher;
                cipher += AES_BLOCK;
                cipher_len -= AES_BLOCK;
        }
        if (cipher_len == 0 || cipher_len % AES_BLOCK != 0)
                return KP_FAIL(err, KP_EPARSE,
                        "%zu bytes of ciphertext are not whole blocks", cipher_len);
        return aes_cbc(aes_key(secret), iv, false, cipher, cipher_len, ret, err);
}

size_t
kp_pin_authenticate(int protocol, const uint8_t *key, size_t key_len,
        const void *message, size_t message_len, uint8_t ret[32])
{
        /* Spec: CTAP 2.1 §6.5.7 authenticate: "If key is longer than 32 bytes" */
        if (protocol == 2 && key_len > KEY_LEN)
                key_len = KEY_LEN;
        if (HMAC(EVP_sha256(), key, (int)key_len, message, message_len, ret, NULL) ==
                NULL)
                abort(); /* a tag of chance would pass for one */
        return protocol == 1 ? 16 : 32;
}

bool
kp_pin_verify(int protocol, const uint8_t *key, size_t key_len, const void *message,
        size_t message_len, const uint8_t *tag, size_t tag_len)
{
        uint8_t own[32];
        size_t own_len =
                kp_pin_authenticate(protocol, key, key_len, message, message_len, own);
        bool good = tag_len == own_len && CRYPTO_memcmp(own, tag, own_len) == 0;

        OPENSSL_cleanse(own, sizeof(own));
        return good;
}

const uint8_t *
kp_pin_hmac_key(const struct kp_pin_secret *secret, size_t *ret_len)
{
        *ret_len = KEY_LEN;
        return secret->bytes;
}
