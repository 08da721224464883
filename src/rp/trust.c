/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "ceremony.h"

/*
 * Does the trust path end at an anchor? Path building and validation are OpenSSL's. A
 * certificate among the anchors is trusted as it is, whether it signed itself or not.
 */

bool
kp_rp_trust_judged(const struct ceremony *c)
{
        if (c->expect->trust == KP_TRUST_NONE)
                return false;
        return c->expect->trust == KP_TRUST_ANCHORS || c->expect->n_anchors > 0;
}

/* Spec: WebAuthn L3 §8.2: in x5c each certificate is signed by the next */
static bool
check_order(struct ceremony *c)
{
        for (size_t i = 0; i + 1 < c->n_chain; i++)
                if (X509_check_issued(c->chain[i + 1], c->chain[i]) != X509_V_OK ||
                        X509_verify(c->chain[i], X509_get0_pubkey(c->chain[i + 1])) !=
                                1)
                        return kp_rp_refuse(
                                c, "x5c[%zu] is not issued by x5c[%zu]", i, i + 1);
        return true;
}

static bool
set_policy(const struct ceremony *c, X509_STORE_CTX *ctx)
{
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;

        if (c->expect->now_ms == 0)
                flags |= X509_V_FLAG_NO_CHECK_TIME;
        else
                X509_VERIFY_PARAM_set_time(param, (time_t)(c->expect->now_ms / 1000));
        if (!c->strict)
                flags |= X509_V_FLAG_IGNORE_CRITICAL;
        return X509_VERIFY_PARAM_set_flags(param, flags) == 1;
}

/* X509_V_OK or why not. */
static int
verify_path(const struct ceremony *c, X509_STORE *store, STACK_OF(X509) * rest)
{
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        int status = X509_V_ERR_OUT_OF_MEM;

        if (ctx != NULL && X509_STORE_CTX_init(ctx, store, c->chain[0], rest) == 1 &&
                set_policy(c, ctx))
                status = X509_verify_cert(ctx) == 1 ? X509_V_OK
                                                    : X509_STORE_CTX_get_error(ctx);
        X509_STORE_CTX_free(ctx);
        return status;
}

static int
judge_path(const struct ceremony *c)
{
        X509_STORE *store = X509_STORE_new();
        STACK_OF(X509) *rest = sk_X509_new_null();
        int status = X509_V_ERR_OUT_OF_MEM;
        bool filled = store != NULL && rest != NULL;

        for (size_t i = 0; filled && i < c->expect->n_anchors; i++)
                filled = X509_STORE_add_cert(store, c->expect->anchors[i]) == 1;
        for (size_t i = 1; filled && i < c->n_chain; i++)
                filled = sk_X509_push(rest, c->chain[i]) > 0;
        if (filled)
                status = verify_path(c, store, rest);
        sk_X509_free(rest);
        X509_STORE_free(store);
        ERR_clear_error();
        return status;
}

bool
kp_rp_check_trust(struct ceremony *c)
{
        int status;

        if (c->n_chain == 0 || !kp_rp_trust_judged(c))
                return true; /* none and self attestation have no path */
        if (c->strict && !check_order(c))
                return false;
        if ((status = judge_path(c)) == X509_V_OK)
                return true;
        return kp_rp_refuse(c, "the certificates do not lead to a trust anchor: %s",
                X509_verify_cert_error_string(status));
}
