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

/* Ready to make keys on the curve, again and again. */
static EVP_PKEY_CTX *
generator_of(const struct kp_cose_curve *curve)
{
        static EVP_PKEY_CTX *kept[KP_CRV_SECP256K1 + 1];
        EVP_PKEY *template = template_of(curve);
        EVP_PKEY_CTX *ctx;

        if (kept[curve->crv] != NULL || template == NULL)
                return kept[curve->crv];
        ctx = EVP_PKEY_CTX_new_from_pkey(NULL, template, NULL);
        if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1) {
                EVP_PKEY_CTX_free(ctx);
                return NULL;
        }
        return kept[curve->crv] = ctx;
}

int
kp_ec_make(const struct kp_cose_curve *curve, struct kp_random *random, EVP_PKEY **ret,
        struct kp_error *err)
{
        EVP_PKEY_CTX *ctx = generator_of(curve);
        struct kp_random *before;
        EVP_PKEY *key = NULL;
        int status;

        if (ctx == NULL)
                return KP_FAIL(err, KP_ENOMEM, "EC key on %s", curve->openssl);
        /* a key made by hand and imported costs three times as much */
        before = kp_random_lend(random);
        status = EVP_PKEY_generate(ctx, &key);
        kp_random_install(before);
        if (status != 1) {
                ERR_clear_error();
                return KP_FAIL(err, KP_ENOMEM, "EC key on %s", curve->openssl);
        }
        *ret = key;
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
