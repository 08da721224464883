/* SPDX-License-Identifier: BSD-2-Clause */
#include "cose_alg.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

#include "keypilot/core/free.h"

/* clang-format off */
/* Spec table: RFC 9053 §7.1 table 18 and RFC 8812 §3.1, in order of value. */
static const struct kp_cose_curve curves[] = {
        { KP_CRV_P256,      KP_KTY_EC2, "P-256",     NID_X9_62_prime256v1, 32 },
        { KP_CRV_P384,      KP_KTY_EC2, "P-384",     NID_secp384r1,        48 },
        { KP_CRV_P521,      KP_KTY_EC2, "P-521",     NID_secp521r1,        66 },
        { KP_CRV_ED25519,   KP_KTY_OKP, "ED25519",   NID_ED25519,          32 },
        { KP_CRV_ED448,     KP_KTY_OKP, "ED448",     NID_ED448,            57 },
        { KP_CRV_SECP256K1, KP_KTY_EC2, "secp256k1", NID_secp256k1,        32 },
};

/*
 * Spec table: IANA COSE algorithms, most common first. WebAuthn L3 §5.8.5 ties ES256,
 * ES384 and ES512 to one curve each, and EdDSA to Ed25519.
 */
static const struct kp_cose_row rows[] = {
        { KP_COSE_ES256,   "ES256",   KP_KTY_EC2, KP_CRV_P256,      "SHA256", false },
        { KP_COSE_EDDSA,   "EdDSA",   KP_KTY_OKP, KP_CRV_ED25519,   NULL,     false },
        { KP_COSE_RS256,   "RS256",   KP_KTY_RSA, KP_CRV_NONE,      "SHA256", false },
        { KP_COSE_ES384,   "ES384",   KP_KTY_EC2, KP_CRV_P384,      "SHA384", false },
        { KP_COSE_ES512,   "ES512",   KP_KTY_EC2, KP_CRV_P521,      "SHA512", false },
        { KP_COSE_PS256,   "PS256",   KP_KTY_RSA, KP_CRV_NONE,      "SHA256", true },
        { KP_COSE_PS384,   "PS384",   KP_KTY_RSA, KP_CRV_NONE,      "SHA384", true },
        { KP_COSE_PS512,   "PS512",   KP_KTY_RSA, KP_CRV_NONE,      "SHA512", true },
        { KP_COSE_RS384,   "RS384",   KP_KTY_RSA, KP_CRV_NONE,      "SHA384", false },
        { KP_COSE_RS512,   "RS512",   KP_KTY_RSA, KP_CRV_NONE,      "SHA512", false },
        { KP_COSE_ES256K,  "ES256K",  KP_KTY_EC2, KP_CRV_SECP256K1, "SHA256", false },
        { KP_COSE_ESP256,  "ESP256",  KP_KTY_EC2, KP_CRV_P256,      "SHA256", false },
        { KP_COSE_ESP384,  "ESP384",  KP_KTY_EC2, KP_CRV_P384,      "SHA384", false },
        { KP_COSE_ESP512,  "ESP512",  KP_KTY_EC2, KP_CRV_P521,      "SHA512", false },
        { KP_COSE_ED25519, "Ed25519", KP_KTY_OKP, KP_CRV_ED25519,   NULL,     false },
        { KP_COSE_ED448,   "Ed448",   KP_KTY_OKP, KP_CRV_ED448,     NULL,     false },
        { KP_COSE_RS1,     "RS1",     KP_KTY_RSA, KP_CRV_NONE,      "SHA1",   false },
};
/* clang-format on */

const struct kp_cose_curve *
kp_cose_curve(int64_t crv)
{
        for (size_t i = 0; i < KP_NELEMS(curves); i++)
                if (curves[i].crv == crv)
                        return &curves[i];
        return NULL;
}

const struct kp_cose_row *
kp_cose_row(int64_t alg)
{
        for (size_t i = 0; i < KP_NELEMS(rows); i++)
                if (rows[i].alg == alg)
                        return &rows[i];
        return NULL;
}

const char *
kp_cose_alg_name(int alg)
{
        const struct kp_cose_row *row = kp_cose_row(alg);

        return row == NULL ? "unknown" : row->name;
}

bool
kp_cose_alg_supported(int alg)
{
        return kp_cose_row(alg) != NULL;
}

static bool
key_fits(const struct kp_cose_row *row, EVP_PKEY *key)
{
        int type = EVP_PKEY_get_base_id(key);

        switch (row->kty) {
        case KP_KTY_EC2:
                return type == EVP_PKEY_EC;
        case KP_KTY_RSA:
                return type == EVP_PKEY_RSA;
        case KP_KTY_OKP:
                return type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448;
        }
        return false;
}

/* Spec: RFC 8230 §2: MGF1 with the same digest, salt as long as the digest */
static bool
set_padding(EVP_PKEY_CTX *ctx, int salt_len)
{
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt_len) == 1;
}

int
kp_cose_sign(int alg, EVP_PKEY *key, const void *message, size_t message_len,
        struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        const struct kp_cose_row *row = kp_cose_row(alg);
        EVP_PKEY_CTX *pctx = NULL;
        uint8_t signature[2048]; /* RSA keys pass 8192 bits nowhere */
        size_t signature_len = sizeof(signature);

        if (row == NULL)
                return KP_FAIL(
                        err, KP_EUNSUPPORTED, "no signatures with algorithm %d", alg);
        if (!key_fits(row, key))
                return KP_FAIL(err, KP_EBUG, "the key cannot sign with %s", row->name);
        if (ctx == NULL ||
                EVP_DigestSignInit_ex(ctx, &pctx, row->digest, NULL, NULL, key, NULL) !=
                        1 ||
                (row->pss && !set_padding(pctx, RSA_PSS_SALTLEN_DIGEST)) ||
                EVP_DigestSign(ctx, signature, &signature_len, message, message_len) !=
                        1)
                return KP_FAIL_AS(err, KP_EBUG, "openssl", (int)ERR_get_error(),
                        "signing with %s", row->name);
        kp_buf_put(ret, signature, signature_len);
        return kp_buf_check(ret, err);
}

static bool
verify(int alg, EVP_PKEY *key, const void *message, size_t message_len,
        const uint8_t *signature, size_t signature_len, int salt_len)
{
        KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        const struct kp_cose_row *row = kp_cose_row(alg);
        EVP_PKEY_CTX *pctx = NULL;
        bool good;

        if (ctx == NULL || row == NULL || signature_len == 0 || !key_fits(row, key))
                return false;
        good = EVP_DigestVerifyInit_ex(
                       ctx, &pctx, row->digest, NULL, NULL, key, NULL) == 1 &&
               (!row->pss || set_padding(pctx, salt_len)) &&
               EVP_DigestVerify(ctx, signature, signature_len, message, message_len) ==
                       1;
        if (!good)
                ERR_clear_error(); /* a bad signature is an answer */
        return good;
}

bool
kp_cose_verify(int alg, EVP_PKEY *key, const void *message, size_t message_len,
        const uint8_t *signature, size_t signature_len)
{
        return verify(alg, key, message, message_len, signature, signature_len,
                RSA_PSS_SALTLEN_DIGEST);
}

bool
kp_cose_verify_any_salt(int alg, EVP_PKEY *key, const void *message, size_t message_len,
        const uint8_t *signature, size_t signature_len)
{
        return verify(alg, key, message, message_len, signature, signature_len,
                RSA_PSS_SALTLEN_AUTO);
}
