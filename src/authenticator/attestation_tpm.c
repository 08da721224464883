/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <string.h>

#include "attestation.h"

/*
 * Spec: WebAuthn L3 §8.3 "TPM Attestation Statement Format"; TCG Trusted Platform Module
 * Library, family 2.0, Part 2 "Structures"
 */

#define RH_OWNER 0x40000001u /* Part 2 §7.4: the hierarchy that the keys are in */
#define RSA_LEN 256
#define COORDINATE_MAX 66

enum {
        ALG_RSA = 0x0001,
        ALG_SHA256 = 0x000b,
        ALG_NULL = 0x0010,
        ALG_RSASSA = 0x0014,
        ALG_ECC = 0x0023,
};

/* Part 2 §8.3 TPMA_OBJECT: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth */
#define ATTRIBUTES 0x00000072u
#define RESTRICTED 0x00010000u
#define SIGN 0x00040000u

static void
put_sized(struct kp_buf *ret, const uint8_t *bytes, size_t bytes_len)
{
        kp_buf_put_be16(ret, (uint16_t)bytes_len);
        kp_buf_put(ret, bytes, bytes_len);
}

/* A number of the key, as long as `len`. */
static bool
put_number(struct kp_buf *ret, EVP_PKEY *key, const char *name, size_t len)
{
        KP_CLEANUP(kp_free_bn) BIGNUM *number = NULL;
        uint8_t bytes[RSA_LEN];

        if (len > sizeof(bytes) || EVP_PKEY_get_bn_param(key, name, &number) != 1 ||
                BN_bn2binpad(number, bytes, (int)len) != (int)len)
                return false;
        put_sized(ret, bytes, len);
        return true;
}

/* Part 2 §12.2.4 TPMT_PUBLIC. The attestation key signs by one scheme only. */
static bool
put_rsa(struct kp_buf *ret, EVP_PKEY *key, bool restricted)
{
        kp_buf_put_be16(ret, ALG_RSA);
        kp_buf_put_be16(ret, ALG_SHA256);
        kp_buf_put_be32(ret, ATTRIBUTES | SIGN | (restricted ? RESTRICTED : 0));
        kp_buf_put_be16(ret, 0); /* authPolicy */
        kp_buf_put_be16(ret, ALG_NULL);
        if (restricted) {
                kp_buf_put_be16(ret, ALG_RSASSA);
                kp_buf_put_be16(ret, ALG_SHA256);
        } else
                kp_buf_put_be16(ret, ALG_NULL);
        kp_buf_put_be16(ret, 8 * RSA_LEN);
        kp_buf_put_be32(ret, 0); /* exponent: 65537 */
        return put_number(ret, key, OSSL_PKEY_PARAM_RSA_N, RSA_LEN);
}

static bool
put_ecc(struct kp_buf *ret, EVP_PKEY *key, int alg)
{
        /* Part 2 §6.4 TPM_ECC_CURVE */
        uint16_t curve = alg == KP_COSE_ES384   ? 0x0004
                         : alg == KP_COSE_ES512 ? 0x0005
                                                : 0x0003;
        size_t len = alg == KP_COSE_ES384 ? 48 : alg == KP_COSE_ES512 ? 66 : 32;

        kp_buf_put_be16(ret, ALG_ECC);
        kp_buf_put_be16(ret, ALG_SHA256);
        kp_buf_put_be32(ret, ATTRIBUTES | SIGN);
        kp_buf_put_be16(ret, 0);        /* authPolicy */
        kp_buf_put_be16(ret, ALG_NULL); /* symmetric */
        kp_buf_put_be16(ret, ALG_NULL); /* scheme */
        kp_buf_put_be16(ret, curve);
        kp_buf_put_be16(ret, ALG_NULL); /* kdf */
        return put_number(ret, key, OSSL_PKEY_PARAM_EC_PUB_X, len) &&
               put_number(ret, key, OSSL_PKEY_PARAM_EC_PUB_Y, len);
}

/* Part 1 §16: nameAlg and the hash of what the name is for. */
static void
put_name(struct kp_buf *ret, const struct kp_buf *of)
{
        uint8_t hash[KP_AUTH_HASH_LEN];

        kp_auth_hash(of->data, of->len, hash);
        kp_buf_put_be16(ret, ALG_SHA256);
        kp_buf_put(ret, hash, sizeof(hash));
        ret->failed = ret->failed || of->failed;
}

/* Part 1 §16: the qualified name of a primary key; its parent is the hierarchy. */
static void
put_qualified_name(struct kp_buf *ret, const struct kp_buf *name)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf path = { 0 };

        kp_buf_put_be32(&path, RH_OWNER);
        kp_buf_put(&path, name->data, name->len);
        put_name(ret, &path);
}

static void
put_sized_name(struct kp_buf *ret, const struct kp_buf *public_area, bool qualified)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf whole = { 0 };

        put_name(&name, public_area);
        if (qualified)
                put_qualified_name(&whole, &name);
        else
                kp_buf_put(&whole, name.data, name.len);
        put_sized(ret, whole.data, whole.len);
        ret->failed = ret->failed || whole.failed;
}

/* Part 2 §10.12.8 TPMS_ATTEST of type certify */
static void
put_cert_info(const struct kp_auth_attestation *a, const struct kp_buf *aik_area,
        const struct kp_buf *public_area, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        uint8_t hash[KP_AUTH_HASH_LEN];
        uint64_t clock = (uint64_t)(a->key->now_ms - a->key->powered_ms);

        kp_auth_attested(a, &message);
        kp_auth_hash(message.data, message.len, hash);
        kp_buf_put_be32(ret, 0xff544347); /* TPM_GENERATED_VALUE */
        kp_buf_put_be16(ret, 0x8017);     /* TPM_ST_ATTEST_CERTIFY */
        put_sized_name(ret, aik_area, true);
        put_sized(ret, hash, sizeof(hash)); /* extraData */
        kp_buf_put_be32(ret, (uint32_t)(clock >> 32));
        kp_buf_put_be32(ret, (uint32_t)clock);
        kp_buf_put_be32(ret, 1); /* resetCount */
        kp_buf_put_be32(ret, 0); /* restartCount */
        kp_buf_put_u8(ret, 1);   /* safe */
        kp_buf_put_be32(
                ret, 0x00010001); /* firmwareVersion, as the certificate has it */
        kp_buf_put_be32(ret, 0);
        put_sized_name(ret, public_area, false);
        put_sized_name(ret, public_area, true);
        ret->failed = ret->failed || message.failed;
}

static int
put_statement(struct kp_auth_attestation *a, const struct kp_buf *signature,
        const struct kp_buf *cert_info, const struct kp_buf *public_area,
        struct kp_buf *ret)
{
        kp_cbor_put_map(ret, 6);
        kp_cbor_put_text(ret, "alg");
        kp_cbor_put_int(ret, KP_COSE_RS256);
        kp_cbor_put_text(ret, "sig");
        kp_cbor_put_bytes(ret, signature->data, signature->len);
        kp_cbor_put_text(ret, "ver");
        kp_cbor_put_text(ret, "2.0");
        kp_cbor_put_text(ret, "x5c");
        kp_cbor_put_array(ret, 2);
        kp_auth_put_certificate(a->key, KP_CERTIFICATE_AIK, ret);
        kp_auth_put_certificate(a->key, KP_CERTIFICATE_CA, ret);
        kp_cbor_put_text(ret, "pubArea");
        kp_cbor_put_bytes(ret, public_area->data, public_area->len);
        kp_cbor_put_text(ret, "certInfo");
        kp_cbor_put_bytes(ret, cert_info->data, cert_info->len);
        return KP_CTAP_OK;
}

/*
 * DEVIATION WebAuthn L3 §8.3: it says sig is a TPMT_SIGNATURE; we send the signature
 * alone, as Windows does and relying parties expect.
 */
int
kp_auth_attest_tpm(struct kp_auth_attestation *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *aik = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf aik_area = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf public_area = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf cert_info = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        int alg = a->credential->alg;

        if (kp_authenticator_profile_attester(
                    a->key->profile, KP_CERTIFICATE_AIK, &aik, &a->key->err) < 0 ||
                !put_rsa(&aik_area, aik, true) ||
                !(alg == KP_COSE_RS256 ? put_rsa(&public_area, a->pkey, false)
                                       : put_ecc(&public_area, a->pkey, alg)))
                return KP_CTAP1_ERR_OTHER;
        put_cert_info(a, &aik_area, &public_area, &cert_info);
        if (public_area.failed || kp_auth_sign_message(a->key, KP_COSE_RS256, aik,
                                          &cert_info, &signature) != KP_CTAP_OK)
                return KP_CTAP1_ERR_OTHER;
        return put_statement(a, &signature, &cert_info, &public_area, ret);
}
