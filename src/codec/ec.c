/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "cose_alg.h"

/* The two types that are imported; others have raw-key functions. */
static EVP_PKEY_CTX *
import_context(const char *type)
{
        static struct {
                const char *type;
                EVP_PKEY_CTX *ctx;
        } kept[] = { { "EC", NULL }, { "RSA", NULL } };

        for (size_t i = 0; i < KP_NELEMS(kept); i++) {
                if (strcmp(kept[i].type, type) != 0)
                        continue;
                if (kept[i].ctx == NULL)
                        kept[i].ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
                return kept[i].ctx;
        }
        return NULL;
}

int
kp_pkey_import(const char *type, int selection, OSSL_PARAM *params, EVP_PKEY **ret)
{
        EVP_PKEY_CTX *ctx = import_context(type);
        EVP_PKEY *key = NULL;

        if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
                EVP_PKEY_fromdata(ctx, &key, selection, params) != 1) {
                ERR_clear_error();
                return -1;
        }
        *ret = key;
        return 0;
}

/* Groups are constants: made once, never changed. */
static const EC_GROUP *
group_of(const struct kp_cose_curve *curve)
{
        static EC_GROUP *kept[KP_CRV_SECP256K1 + 1];

        if (kept[curve->crv] == NULL)
                kept[curve->crv] = EC_GROUP_new_by_curve_name(curve->nid);
        return kept[curve->crv];
}

#define POINT_MAX (1 + 2 * KP_COORDINATE_MAX)

/* A key that has a group and nothing else. */
static EVP_PKEY *
template_of(const struct kp_cose_curve *curve)
{
        static EVP_PKEY *kept[KP_CRV_SECP256K1 + 1];
        OSSL_PARAM params[2];

        if (kept[curve->crv] == NULL) {
                params[0] = OSSL_PARAM_construct_utf8_string(
                        OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve->openssl, 0);
                params[1] = OSSL_PARAM_construct_end();
                if (kp_pkey_import("EC", EVP_PKEY_KEY_PARAMETERS, params,
                            &kept[curve->crv]) < 0)
                        return NULL;
        }
        return kept[curve->crv];
}

int
kp_ec_public(const struct kp_cose_curve *curve, const uint8_t *x, const uint8_t *y,
        EVP_PKEY **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = EVP_PKEY_new();
        uint8_t point[POINT_MAX] = { POINT_CONVERSION_UNCOMPRESSED };
        EVP_PKEY *template = template_of(curve);

        memcpy(point + 1, x, curve->len);
        memcpy(point + 1 + curve->len, y, curve->len);
        /* copying a group costs 4 microseconds, importing one by name 17 */
        if (key == NULL || template == NULL ||
                EVP_PKEY_copy_parameters(key, template) != 1)
                return KP_FAIL(err, KP_ENOMEM, "EC key");
        if (EVP_PKEY_set1_encoded_public_key(key, point, 1 + 2 * curve->len) != 1) {
                ERR_clear_error();
                return KP_FAIL(
                        err, KP_EPARSE, "the point is not on curve %s", curve->openssl);
        }
        *ret = KP_STEAL(key);
        return 0;
}

/*
 * A number in [1, n-1], by drawing as many bits as the order has until one fits.
 * Spec: FIPS 186-5 A.2.2 "EC Key Pair Generation by Rejection Sampling"
 */
static int
draw_scalar(const EC_GROUP *group, struct kp_random *random, BIGNUM *scalar)
{
        uint8_t bytes[KP_COORDINATE_MAX];
        int n_bits = EC_GROUP_order_bits(group);
        size_t n_bytes = (size_t)(n_bits + 7) / 8;

        do {
                kp_random_bytes(random, bytes, n_bytes);
                bytes[0] &= (uint8_t)(0xff >> (8 * n_bytes - (size_t)n_bits));
                if (BN_bin2bn(bytes, (int)n_bytes, scalar) == NULL)
                        return -1;
        } while (BN_is_zero(scalar) || BN_cmp(scalar, EC_GROUP_get0_order(group)) >= 0);
        OPENSSL_cleanse(bytes, sizeof(bytes));
        return 0;
}

static size_t
public_point(const EC_GROUP *group, const BIGNUM *scalar, uint8_t point[POINT_MAX])
{
        EC_POINT *public = EC_POINT_new(group);
        size_t n = 0;

        if (public != NULL &&
                EC_POINT_mul(group, public, scalar, NULL, NULL, NULL) == 1)
                n = EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED,
                        point, POINT_MAX, NULL);
        EC_POINT_free(public);
        return n;
}

static int
import_pair(const struct kp_cose_curve *curve, const BIGNUM *scalar, uint8_t *point,
        size_t point_len, EVP_PKEY **ret)
{
        uint8_t private[KP_COORDINATE_MAX];
        OSSL_PARAM params[4];
        int status = -1;

        /* parameters hold numbers in the machine's order */
        if (BN_bn2nativepad(scalar, private, (int)curve->len) > 0) {
                params[0] = OSSL_PARAM_construct_utf8_string(
                        OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve->openssl, 0);
                params[1] = OSSL_PARAM_construct_octet_string(
                        OSSL_PKEY_PARAM_PUB_KEY, point, point_len);
                params[2] = OSSL_PARAM_construct_BN(
                        OSSL_PKEY_PARAM_PRIV_KEY, private, curve->len);
                params[3] = OSSL_PARAM_construct_end();
                status = kp_pkey_import("EC", EVP_PKEY_KEYPAIR, params, ret);
        }
        OPENSSL_cleanse(private, sizeof(private));
        return status;
}

static void
free_scalar(BIGNUM **scalar)
{
        BN_clear_free(*scalar);
        *scalar = NULL;
}

int
kp_ec_make(const struct kp_cose_curve *curve, struct kp_random *random, EVP_PKEY **ret,
        struct kp_error *err)
{
        KP_CLEANUP(free_scalar) BIGNUM *scalar = BN_secure_new();
        const EC_GROUP *group = group_of(curve);
        uint8_t point[POINT_MAX];
        size_t point_len;

        if (scalar == NULL || group == NULL || draw_scalar(group, random, scalar) < 0)
                return KP_FAIL(err, KP_ENOMEM, "EC key");
        point_len = public_point(group, scalar, point);
        if (point_len == 0 || import_pair(curve, scalar, point, point_len, ret) < 0)
                return KP_FAIL(err, KP_ENOMEM, "EC key on %s", curve->openssl);
        return 0;
}

int
kp_ec_coordinates(const struct kp_cose_curve *curve, const EVP_PKEY *key, uint8_t *x,
        uint8_t *y, struct kp_error *err)
{
        uint8_t point[POINT_MAX];
        size_t point_len = 0;

        /* the encoded point costs a tenth of the coordinates asked one by one */
        if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
                    sizeof(point), &point_len) != 1 ||
                point_len != 1 + 2 * curve->len ||
                point[0] != POINT_CONVERSION_UNCOMPRESSED) {
                ERR_clear_error();
                return KP_FAIL(err, KP_EBUG, "not a key on %s", curve->openssl);
        }
        memcpy(x, point + 1, curve->len);
        memcpy(y, point + 1 + curve->len, curve->len);
        return 0;
}
