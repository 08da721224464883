/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_COSE_ALG_H
#define KEYPILOT_CODEC_COSE_ALG_H

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "keypilot/codec/cose.h"

/*
 * What the files of this folder share about algorithms and curves; nobody else includes
 * it.
 */

/* Spec: RFC 9053 §7.1, RFC 8230 §4: key types */
enum kp_cose_kty { KP_KTY_OKP = 1, KP_KTY_EC2 = 2, KP_KTY_RSA = 3 };

/* Spec: RFC 9053 §7.1 table 18, RFC 8812 §3.1 */
enum kp_cose_crv {
        KP_CRV_NONE = 0,
        KP_CRV_P256 = 1,
        KP_CRV_P384 = 2,
        KP_CRV_P521 = 3,
        KP_CRV_ED25519 = 6,
        KP_CRV_ED448 = 7,
        KP_CRV_SECP256K1 = 8,
};

struct kp_cose_curve {
        enum kp_cose_crv crv;
        enum kp_cose_kty kty;
        const char *openssl; /* group of EC2, key type of OKP */
        int nid;
        size_t len; /* bytes of a coordinate, or of an OKP key */
};
const struct kp_cose_curve *kp_cose_curve(int64_t crv); /* NULL: unknown */

struct kp_cose_row {
        int alg;
        const char *name;
        enum kp_cose_kty kty;
        enum kp_cose_crv crv;
        const char *digest; /* NULL: part of the algorithm */
        bool pss;
};
const struct kp_cose_row *kp_cose_row(int64_t alg); /* NULL: not supported */

/* Bytes of a field element that does not pass P-521. */
#define KP_COORDINATE_MAX 66

/* An EC public key out of two coordinates. Errors  KP_EPARSE not on the curve */
int kp_ec_public(const struct kp_cose_curve *curve, const uint8_t *x, const uint8_t *y,
        EVP_PKEY **ret, struct kp_error *err) KP_MUST_CHECK;

/* An EC key pair; the private number is drawn from the stream. */
int kp_ec_make(const struct kp_cose_curve *curve, struct kp_random *random,
        EVP_PKEY **ret, struct kp_error *err) KP_MUST_CHECK;

/* Both coordinates, each `curve->len` long. Errors  KP_EBUG another kind of key */
int kp_ec_coordinates(const struct kp_cose_curve *curve, const EVP_PKEY *key,
        uint8_t *x, uint8_t *y, struct kp_error *err) KP_MUST_CHECK;

/*
 * Import parameters as a key of the type. Setting up a context of OpenSSL 3 costs as
 * much as the import, so the contexts stay for the life of the process.
 */
int kp_pkey_import(const char *type, int selection, OSSL_PARAM *params, EVP_PKEY **ret);

#endif
