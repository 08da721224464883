/* SPDX-License-Identifier: BSD-2-Clause */
#include "jwt.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/json.h"

void
kp_jwt_done(struct kp_jwt *jwt)
{
        for (size_t i = 0; i < jwt->n_chain; i++)
                X509_free(jwt->chain[i]);
        json_decref(jwt->header);
        json_decref(jwt->payload);
        kp_buf_done(&jwt->signature);
        memset(jwt, 0, sizeof(*jwt));
}

static int
read_object(const char *what, const char *text, size_t text_len, json_t **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };

        if (kp_b64url_decode(text, text_len, &bytes, err) < 0 ||
                kp_json_parse(what, bytes.data, bytes.len, ret, err) < 0)
                return KP_WHILE(err, "%s", what);
        if (!json_is_object(*ret))
                return KP_FAIL(err, KP_EPARSE, "%s: expected a JSON object", what);
        return 0;
}

/* RFC 7515 §4.1.6: certificates in the standard alphabet */
static int
read_chain(const json_t *x5c, struct kp_jwt *ret, struct kp_error *err)
{
        const json_t *item;
        size_t i;

        if (x5c != NULL && (!json_is_array(x5c) || json_array_size(x5c) == 0 ||
                                   json_array_size(x5c) > JWT_CHAIN_MAX))
                return KP_FAIL(err, KP_EPARSE,
                        "header: x5c: expected 1 to %d certificates", JWT_CHAIN_MAX);
        json_array_foreach (x5c, i, item) {
                KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
                const uint8_t *at;

                if (!json_is_string(item) ||
                        kp_b64_decode(json_string_value(item), json_string_length(item),
                                &der, err) < 0)
                        return KP_FAIL(
                                err, KP_EPARSE, "header: x5c[%zu] is not base64", i);
                at = der.data;
                ret->chain[ret->n_chain] = d2i_X509(NULL, &at, (long)der.len);
                ERR_clear_error();
                if (ret->chain[ret->n_chain] == NULL)
                        return KP_FAIL(err, KP_EPARSE,
                                "header: x5c[%zu] is no certificate", i);
                ret->n_chain++;
                if (at != der.data + der.len)
                        return KP_FAIL(err, KP_EPARSE,
                                "header: x5c[%zu] has bytes behind the certificate", i);
        }
        return 0;
}

/* RFC 7515 §4.1.11: what is critical must be understood, and we know no such header */
static int
check_header(const json_t *header, struct kp_error *err)
{
        if (json_object_get(header, "crit") != NULL)
                return KP_FAIL(err, KP_EPARSE, "header: crit is not understood here");
        if (json_object_get(header, "x5u") != NULL &&
                json_object_get(header, "x5c") == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "header: x5u without x5c: certificates are not fetched");
        return 0;
}

static bool
is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int
kp_jwt_read(const char *text, size_t text_len, struct kp_jwt *ret, struct kp_error *err)
{
        const char *end, *first, *second;

        memset(ret, 0, sizeof(*ret));
        while (text_len > 0 && is_space(text[text_len - 1]))
                text_len--;
        for (; text_len > 0 && is_space(text[0]); text++)
                text_len--;
        end = text_len == 0 ? text : text + text_len;
        first = text_len == 0 ? NULL : memchr(text, '.', text_len);
        second = first == NULL ? NULL
                               : memchr(first + 1, '.', (size_t)(end - first - 1));
        if (second == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "not a signed message in compact form: expected three parts "
                        "with dots between them");
        ret->text = text;
        ret->signed_len = (size_t)(second - text);
        if (read_object("header", text, (size_t)(first - text), &ret->header, err) <
                        0 ||
                check_header(ret->header, err) < 0 ||
                read_chain(json_object_get(ret->header, "x5c"), ret, err) < 0 ||
                read_object("payload", first + 1, (size_t)(second - first - 1),
                        &ret->payload, err) < 0)
                return -1;
        if (kp_b64url_decode(
                    second + 1, (size_t)(end - second - 1), &ret->signature, err) < 0)
                return KP_WHILE(err, "signature");
        return 0;
}

/* clang-format off */
/* Spec table: RFC 7518 §3.1, RFC 8037 §3.1, in their order. "none" is not there. */
static const struct jwa {
        const char *name;
        int alg;
        size_t coordinate_len; /* ECDSA: r and s, RFC 7518 §3.4 */
} jwas[] = {
        { "RS256", KP_COSE_RS256, 0 },
        { "RS384", KP_COSE_RS384, 0 },
        { "RS512", KP_COSE_RS512, 0 },
        { "ES256", KP_COSE_ES256, 32 },
        { "ES384", KP_COSE_ES384, 48 },
        { "ES512", KP_COSE_ES512, 66 },
        { "PS256", KP_COSE_PS256, 0 },
        { "PS384", KP_COSE_PS384, 0 },
        { "PS512", KP_COSE_PS512, 0 },
        { "EdDSA", KP_COSE_EDDSA, 0 },
};
/* clang-format on */

/* The DER form of r and s, as it is verified. */
static bool
put_der(const struct kp_buf *signature, size_t len, struct kp_buf *ret)
{
        ECDSA_SIG *sig = ECDSA_SIG_new();
        unsigned char *der = NULL;
        BIGNUM *r = NULL, *s = NULL;
        int der_len = 0;

        if (sig != NULL && signature->len == 2 * len) {
                r = BN_bin2bn(signature->data, (int)len, NULL);
                s = BN_bin2bn(signature->data + len, (int)len, NULL);
        }
        if (r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
                der_len = i2d_ECDSA_SIG(sig, &der);
        } else {
                BN_free(r);
                BN_free(s);
        }
        if (der_len > 0)
                kp_buf_put(ret, der, (size_t)der_len);
        OPENSSL_free(der);
        ECDSA_SIG_free(sig);
        return der_len > 0;
}

static bool
signed_by(const struct kp_jwt *jwt, const struct jwa *jwa, X509 *certificate)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
        EVP_PKEY *key = X509_get0_pubkey(certificate);
        const struct kp_buf *signature = &jwt->signature;

        ERR_clear_error();
        if (jwa->coordinate_len > 0) {
                if (!put_der(&jwt->signature, jwa->coordinate_len, &der))
                        return false;
                signature = &der;
        }
        return key != NULL && kp_cose_verify(jwa->alg, key, jwt->text, jwt->signed_len,
                                      signature->data, signature->len);
}

static int
verify_chain(const struct kp_jwt *jwt, X509_STORE *store, STACK_OF(X509) * rest,
        int64_t now_ms)
{
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        X509_VERIFY_PARAM *param;
        unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
        int status = X509_V_ERR_OUT_OF_MEM;

        if (ctx != NULL && X509_STORE_CTX_init(ctx, store, jwt->chain[0], rest) == 1) {
                param = X509_STORE_CTX_get0_param(ctx);
                X509_VERIFY_PARAM_set_auth_level(param, 2); /* no SHA-1 */
                if (now_ms == 0)
                        flags |= X509_V_FLAG_NO_CHECK_TIME;
                else
                        X509_VERIFY_PARAM_set_time(param, (time_t)(now_ms / 1000));
                X509_VERIFY_PARAM_set_flags(param, flags);
                status = X509_verify_cert(ctx) == 1 ? X509_V_OK
                                                    : X509_STORE_CTX_get_error(ctx);
        }
        X509_STORE_CTX_free(ctx);
        return status;
}

static int
judge_chain(const struct kp_jwt *jwt, X509 *const *roots, size_t n_roots,
        int64_t now_ms, struct kp_error *err)
{
        X509_STORE *store = X509_STORE_new();
        STACK_OF(X509) *rest = sk_X509_new_null();
        bool filled = store != NULL && rest != NULL;
        int status = X509_V_ERR_OUT_OF_MEM;

        for (size_t i = 0; filled && i < n_roots; i++)
                filled = X509_STORE_add_cert(store, roots[i]) == 1;
        for (size_t i = 1; filled && i < jwt->n_chain; i++)
                filled = sk_X509_push(rest, jwt->chain[i]) > 0;
        if (filled)
                status = verify_chain(jwt, store, rest, now_ms);
        sk_X509_free(rest);
        X509_STORE_free(store);
        ERR_clear_error();
        if (status == X509_V_OK)
                return 0;
        return KP_FAIL(err, KP_EPARSE,
                "its certificates do not lead to one of the given roots: %s",
                X509_verify_cert_error_string(status));
}

static const struct jwa *
jwa_of(const struct kp_jwt *jwt)
{
        const char *name = kp_json_str(jwt->header, "alg", "");

        for (size_t i = 0; i < KP_NELEMS(jwas); i++)
                if (strcmp(jwas[i].name, name) == 0)
                        return &jwas[i];
        return NULL;
}

int
kp_jwt_verify(const struct kp_jwt *jwt, X509 *const *roots, size_t n_roots,
        int64_t now_ms, struct kp_error *err)
{
        const struct jwa *jwa = jwa_of(jwt);

        if (jwa == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "header: signature algorithm '%.20s' is not accepted",
                        kp_json_str(jwt->header, "alg", "(missing)"));
        if (jwt->n_chain > 0) {
                if (judge_chain(jwt, roots, n_roots, now_ms, err) < 0)
                        return -1;
                if (signed_by(jwt, jwa, jwt->chain[0]))
                        return 0;
        }
        for (size_t i = 0; jwt->n_chain == 0 && i < n_roots; i++)
                if (signed_by(jwt, jwa, roots[i]))
                        return 0;
        return KP_FAIL(err, KP_EPARSE, "its signature (%s) does not verify", jwa->name);
}
