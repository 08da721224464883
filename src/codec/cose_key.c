/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "cose_alg.h"

/* Spec: RFC 9052 §7.1, RFC 9053 §7.1, RFC 8230 §4: labels of parameters */
enum label {
        LABEL_KTY = 1,
        LABEL_ALG = 3,
        LABEL_CRV = -1, /* EC2, OKP */
        LABEL_X = -2,
        LABEL_Y = -3, /* EC2 */
        LABEL_N = -1, /* RSA */
        LABEL_E = -2,
};

#define RSA_MIN_BITS 2048 /* RFC 8812 §2 */
#define RSA_MAX_BITS 8192

/* Spec: WebAuthn L3 §6.5.1.1: alg and what the key type requires, nothing else */
static int
check_extra(const cbor_item_t *map, size_t n_wanted, struct kp_error *err)
{
        size_t n = 0;

        if (kp_cbor_is_map(map, &n) && n == n_wanted)
                return 0;
        return KP_FAIL(err, KP_EPARSE,
                "COSE key: %zu parameters where exactly the %zu required ones may "
                "stand",
                n, n_wanted);
}

static int
param_bytes(const cbor_item_t *map, int64_t label, const char *name,
        const uint8_t **ret, size_t *ret_len, struct kp_error *err)
{
        const cbor_item_t *value = kp_cbor_at_int(map, label);

        if (value == NULL)
                return KP_FAIL(
                        err, KP_EPARSE, "COSE key: parameter %s is missing", name);
        if (!kp_cbor_is_bytes(value, ret, ret_len))
                return KP_FAIL(err, KP_EPARSE,
                        "COSE key: parameter %s is not a byte string", name);
        return 0;
}

/* The curve that the key names, which must be the one of the algorithm. */
static int
param_curve(const cbor_item_t *map, const struct kp_cose_row *row,
        enum kp_cbor_mode mode, const struct kp_cose_curve **ret, struct kp_error *err)
{
        int64_t crv;

        if (!kp_cbor_is_int(kp_cbor_at_int(map, LABEL_CRV), &crv))
                return KP_FAIL(err, KP_EPARSE, "COSE key: parameter crv is missing");
        if ((*ret = kp_cose_curve(crv)) == NULL)
                return KP_FAIL(err, KP_EPARSE, "COSE key: curve %lld is unknown",
                        (long long)crv);
        if (crv == row->crv)
                return 0;
        /* RFC 9053 §2.2 lets EdDSA stand for both curves, WebAuthn does not any more */
        if (mode == KP_CBOR_LENIENT && row->alg == KP_COSE_EDDSA && crv == KP_CRV_ED448)
                return 0;
        return KP_FAIL(err, KP_EPARSE, "COSE key: %s does not go with curve %s",
                row->name, (*ret)->openssl);
}

static int
parse_ec2(const cbor_item_t *map, const struct kp_cose_row *row, enum kp_cbor_mode mode,
        EVP_PKEY **ret, struct kp_error *err)
{
        const struct kp_cose_curve *curve;
        const uint8_t *x, *y;
        size_t x_len, y_len;

        if (param_curve(map, row, mode, &curve, err) < 0 ||
                param_bytes(map, LABEL_X, "x", &x, &x_len, err) < 0 ||
                param_bytes(map, LABEL_Y, "y", &y, &y_len, err) < 0)
                return -1;
        if (x_len != curve->len || y_len != curve->len)
                return KP_FAIL(err, KP_EPARSE,
                        "COSE key: coordinates of %zu and %zu bytes, %s has %zu", x_len,
                        y_len, curve->openssl, curve->len);
        if (mode == KP_CBOR_CTAP2 && check_extra(map, 5, err) < 0)
                return -1;
        return kp_ec_public(curve, x, y, ret, err);
}

static int
parse_okp(const cbor_item_t *map, const struct kp_cose_row *row, enum kp_cbor_mode mode,
        EVP_PKEY **ret, struct kp_error *err)
{
        const struct kp_cose_curve *curve;
        const uint8_t *x;
        size_t x_len;

        if (param_curve(map, row, mode, &curve, err) < 0 ||
                param_bytes(map, LABEL_X, "x", &x, &x_len, err) < 0)
                return -1;
        if (x_len != curve->len)
                return KP_FAIL(err, KP_EPARSE, "COSE key: %zu bytes, %s has %zu", x_len,
                        curve->openssl, curve->len);
        if (mode == KP_CBOR_CTAP2 && check_extra(map, 4, err) < 0)
                return -1;
        if ((*ret = EVP_PKEY_new_raw_public_key(curve->nid, NULL, x, x_len)) == NULL) {
                ERR_clear_error();
                return KP_FAIL(
                        err, KP_EPARSE, "COSE key: not a key of %s", curve->openssl);
        }
        return 0;
}

static int
check_rsa(const BIGNUM *n, const BIGNUM *e, struct kp_error *err)
{
        if (BN_num_bits(n) < RSA_MIN_BITS || BN_num_bits(n) > RSA_MAX_BITS)
                return KP_FAIL(err, KP_EPARSE,
                        "COSE key: RSA modulus of %d bits, expected %d to %d",
                        BN_num_bits(n), RSA_MIN_BITS, RSA_MAX_BITS);
        if (!BN_is_odd(n))
                return KP_FAIL(err, KP_EPARSE, "COSE key: RSA modulus is even");
        if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > 64)
                return KP_FAIL(err, KP_EPARSE,
                        "COSE key: RSA exponent is even, one, or longer than 64 bits");
        return 0;
}

/* OSSL_PARAM wants numbers in the machine's order. */
static int
import_rsa(const BIGNUM *n, const BIGNUM *e, EVP_PKEY **ret)
{
        uint8_t native_n[RSA_MAX_BITS / 8], native_e[8];
        OSSL_PARAM params[3];
        int n_len = BN_num_bytes(n), e_len = BN_num_bytes(e);

        if (BN_bn2nativepad(n, native_n, n_len) < 0 ||
                BN_bn2nativepad(e, native_e, e_len) < 0)
                return -1;
        params[0] =
                OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native_n, (size_t)n_len);
        params[1] =
                OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, native_e, (size_t)e_len);
        params[2] = OSSL_PARAM_construct_end();
        return kp_pkey_import("RSA", EVP_PKEY_PUBLIC_KEY, params, ret);
}

static int
parse_rsa(const cbor_item_t *map, const struct kp_cose_row *row, enum kp_cbor_mode mode,
        EVP_PKEY **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_bn) BIGNUM *n = NULL;
        KP_CLEANUP(kp_free_bn) BIGNUM *e = NULL;
        const uint8_t *n_bytes, *e_bytes;
        size_t n_len, e_len;

        (void)row; /* one shape for every RSA algorithm */
        if (param_bytes(map, LABEL_N, "n", &n_bytes, &n_len, err) < 0 ||
                param_bytes(map, LABEL_E, "e", &e_bytes, &e_len, err) < 0)
                return -1;
        if (mode == KP_CBOR_CTAP2 && check_extra(map, 4, err) < 0)
                return -1;
        if (n_len > INT32_MAX || e_len > INT32_MAX)
                return KP_FAIL(err, KP_EPARSE, "COSE key: RSA number too long");
        n = BN_bin2bn(n_bytes, (int)n_len, NULL);
        e = BN_bin2bn(e_bytes, (int)e_len, NULL);
        if (n == NULL || e == NULL)
                return KP_FAIL(err, KP_ENOMEM, "RSA key");
        if (check_rsa(n, e, err) < 0)
                return -1;
        if (import_rsa(n, e, ret) < 0)
                return KP_FAIL(err, KP_EPARSE, "COSE key: not an RSA key");
        return 0;
}

static int
parse_params(const cbor_item_t *map, const struct kp_cose_row *row,
        enum kp_cbor_mode mode, EVP_PKEY **ret, struct kp_error *err)
{
        int64_t kty;

        if (!kp_cbor_is_int(kp_cbor_at_int(map, LABEL_KTY), &kty))
                return KP_FAIL(err, KP_EPARSE, "COSE key: parameter kty is missing");
        if (kty != row->kty)
                return KP_FAIL(err, KP_EPARSE,
                        "COSE key: %s does not go with key type %lld", row->name,
                        (long long)kty);
        switch (row->kty) {
        case KP_KTY_EC2:
                return parse_ec2(map, row, mode, ret, err);
        case KP_KTY_OKP:
                return parse_okp(map, row, mode, ret, err);
        case KP_KTY_RSA:
                return parse_rsa(map, row, mode, ret, err);
        }
        return KP_FAIL(err, KP_EBUG, "key type of %s", row->name);
}

int
kp_cose_key_parse(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        EVP_PKEY **ret, int *ret_alg, size_t *ret_used, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        const struct kp_cose_row *row;
        int64_t alg;
        size_t n;

        if (kp_cbor_parse(bytes, bytes_len, mode, &map, ret_used, err) < 0)
                return KP_WHILE(err, "COSE key");
        if (!kp_cbor_is_map(map, &n))
                return KP_FAIL(err, KP_EPARSE, "COSE key: not a CBOR map");
        if (!kp_cbor_is_int(kp_cbor_at_int(map, LABEL_ALG), &alg))
                return KP_FAIL(err, KP_EPARSE, "COSE key: parameter alg is missing");
        if (alg < INT32_MIN || alg > INT32_MAX)
                return KP_FAIL(err, KP_EPARSE, "COSE key: no such algorithm");
        *ret_alg = (int)alg;
        if ((row = kp_cose_row(alg)) == NULL)
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "COSE key: algorithm %lld is not supported", (long long)alg);
        return parse_params(map, row, mode, ret, err);
}

static int
put_ec2(struct kp_buf *buf, const struct kp_cose_row *row, const EVP_PKEY *key,
        struct kp_error *err)
{
        const struct kp_cose_curve *curve = kp_cose_curve(row->crv);
        uint8_t x[KP_COORDINATE_MAX], y[KP_COORDINATE_MAX];

        if (kp_ec_coordinates(curve, key, x, y, err) < 0)
                return -1;
        kp_cbor_put_int(buf, LABEL_CRV);
        kp_cbor_put_int(buf, curve->crv);
        kp_cbor_put_int(buf, LABEL_X);
        kp_cbor_put_bytes(buf, x, curve->len);
        kp_cbor_put_int(buf, LABEL_Y);
        kp_cbor_put_bytes(buf, y, curve->len);
        return 0;
}

static int
put_okp(struct kp_buf *buf, const struct kp_cose_row *row, const EVP_PKEY *key,
        struct kp_error *err)
{
        const struct kp_cose_curve *curve = kp_cose_curve(row->crv);
        uint8_t x[KP_COORDINATE_MAX];
        size_t x_len = sizeof(x);

        if (EVP_PKEY_get_base_id(key) != curve->nid ||
                EVP_PKEY_get_raw_public_key(key, x, &x_len) != 1)
                return KP_FAIL(err, KP_EBUG, "not a key of %s", curve->openssl);
        kp_cbor_put_int(buf, LABEL_CRV);
        kp_cbor_put_int(buf, curve->crv);
        kp_cbor_put_int(buf, LABEL_X);
        kp_cbor_put_bytes(buf, x, x_len);
        return 0;
}

static int
put_number(struct kp_buf *buf, int64_t label, const EVP_PKEY *key, const char *name,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_bn) BIGNUM *number = NULL;
        uint8_t bytes[RSA_MAX_BITS / 8];
        int n;

        if (EVP_PKEY_get_bn_param(key, name, &number) != 1 ||
                BN_num_bits(number) > RSA_MAX_BITS)
                return KP_FAIL(err, KP_EBUG, "not an RSA key");
        n = BN_bn2bin(number, bytes);
        kp_cbor_put_int(buf, label);
        kp_cbor_put_bytes(buf, bytes, (size_t)n);
        return 0;
}

static int
put_rsa(struct kp_buf *buf, const EVP_PKEY *key, struct kp_error *err)
{
        if (put_number(buf, LABEL_N, key, OSSL_PKEY_PARAM_RSA_N, err) < 0)
                return -1;
        return put_number(buf, LABEL_E, key, OSSL_PKEY_PARAM_RSA_E, err);
}

int
kp_cose_key_put(struct kp_buf *buf, const EVP_PKEY *key, int alg, struct kp_error *err)
{
        const struct kp_cose_row *row = kp_cose_row(alg);

        if (row == NULL)
                return KP_FAIL(err, KP_EBUG, "no COSE keys of algorithm %d", alg);
        kp_cbor_put_map(buf, row->kty == KP_KTY_EC2 ? 5 : 4);
        kp_cbor_put_int(buf, LABEL_KTY);
        kp_cbor_put_int(buf, row->kty);
        kp_cbor_put_int(buf, LABEL_ALG);
        kp_cbor_put_int(buf, alg);
        switch (row->kty) {
        case KP_KTY_EC2:
                return put_ec2(buf, row, key, err);
        case KP_KTY_OKP:
                return put_okp(buf, row, key, err);
        case KP_KTY_RSA:
                return put_rsa(buf, key, err);
        }
        return KP_FAIL(err, KP_EBUG, "key type of %s", row->name);
}

static int
make_okp(const struct kp_cose_curve *curve, struct kp_random *random, EVP_PKEY **ret,
        struct kp_error *err)
{
        uint8_t seed[KP_COORDINATE_MAX];

        kp_random_bytes(random, seed, curve->len);
        *ret = EVP_PKEY_new_raw_private_key(curve->nid, NULL, seed, curve->len);
        OPENSSL_cleanse(seed, sizeof(seed));
        if (*ret == NULL)
                return KP_FAIL(err, KP_ENOMEM, "key of %s", curve->openssl);
        return 0;
}

int
kp_cose_key_make(
        int alg, struct kp_random *random, EVP_PKEY **ret, struct kp_error *err)
{
        const struct kp_cose_row *row = kp_cose_row(alg);

        if (row == NULL || row->kty == KP_KTY_RSA)
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "no key pairs of algorithm %d are made", alg);
        if (row->kty == KP_KTY_OKP)
                return make_okp(kp_cose_curve(row->crv), random, ret, err);
        return kp_ec_make(kp_cose_curve(row->crv), random, ret, err);
}
