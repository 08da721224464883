/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "attestation.h"

/*
 * Does the trust path end at an anchor? Path building and validation (signatures,
 * validity, CA flags, path lengths, key usage of issuers, critical extensions, name
 * constraints) are OpenSSL's. A certificate among the anchors is trusted as it is,
 * whether it signed itself or not, and so is a leaf.
 */

static bool
trust_judged(const struct ceremony *c)
{
        if (c->expect->trust == KP_TRUST_NONE)
                return false;
        return c->expect->trust == KP_TRUST_ANCHORS || c->expect->n_anchors > 0;
}

/* By name and signature; key identifiers count where a path is built. */
static bool
issued_by(X509 *certificate, X509 *issuer)
{
        bool issued = X509_NAME_cmp(X509_get_issuer_name(certificate),
                              X509_get_subject_name(issuer)) == 0 &&
                      X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;

        ERR_clear_error();
        return issued;
}

/*
 * Spec: WebAuthn L3 §8.2: in x5c each certificate is signed by the next
 *
 * known    which of them were found to be: checking a signature twice costs as much as once
 */
static bool
check_order(
        struct ceremony *c, const struct trust_path *path, const bool known[CHAIN_MAX])
{
        for (size_t i = 0; i < path->n_chain; i++)
                for (size_t k = i + 1; k < path->n_chain; k++)
                        if (X509_cmp(path->chain[i], path->chain[k]) == 0)
                                return kp_rp_refuse(c,
                                        "x5c[%zu] and x5c[%zu] are the same "
                                        "certificate",
                                        i, k);
        for (size_t i = 0; i + 1 < path->n_chain; i++)
                if (!known[i] && !issued_by(path->chain[i], path->chain[i + 1]))
                        return kp_rp_refuse(
                                c, "x5c[%zu] is not issued by x5c[%zu]", i, i + 1);
        return true;
}

/* RFC 5280 §4.2.1.3: a key whose usage is stated signs only where that says so */
static bool
check_usage(struct ceremony *c, const struct trust_path *path)
{
        /* UINT32_MAX where the certificate does not state it */
        if ((X509_get_key_usage(path->chain[0]) & KU_DIGITAL_SIGNATURE) != 0)
                return true;
        return kp_rp_refuse(
                c, "the attestation certificate is not for signatures (key usage)");
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

/* Pairs of x5c that stand next to each other in the path that was just validated. */
static void
note_signed(const struct trust_path *path, STACK_OF(X509) * built, bool ret[CHAIN_MAX])
{
        for (size_t i = 0; i + 1 < path->n_chain; i++)
                for (int k = 0; k + 1 < sk_X509_num(built); k++)
                        ret[i] = ret[i] || (X509_cmp(sk_X509_value(built, k),
                                                    path->chain[i]) == 0 &&
                                                   X509_cmp(sk_X509_value(built, k + 1),
                                                           path->chain[i + 1]) == 0);
}

/* X509_V_OK or why not. */
static int
verify_path(const struct ceremony *c, const struct trust_path *path, X509_STORE *store,
        STACK_OF(X509) * rest, bool ret_signed[CHAIN_MAX])
{
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        int status = X509_V_ERR_OUT_OF_MEM;

        if (ctx != NULL && X509_STORE_CTX_init(ctx, store, path->chain[0], rest) == 1 &&
                set_policy(c, ctx))
                status = X509_verify_cert(ctx) == 1 ? X509_V_OK
                                                    : X509_STORE_CTX_get_error(ctx);
        if (status == X509_V_OK)
                note_signed(path, X509_STORE_CTX_get0_chain(ctx), ret_signed);
        X509_STORE_CTX_free(ctx);
        return status;
}

static int
judge_path(const struct ceremony *c, const struct trust_path *path,
        bool ret_signed[CHAIN_MAX])
{
        X509_STORE *store = X509_STORE_new();
        STACK_OF(X509) *rest = sk_X509_new_null();
        int status = X509_V_ERR_OUT_OF_MEM;
        bool filled = store != NULL && rest != NULL;

        for (size_t i = 0; filled && i < c->expect->n_anchors; i++)
                filled = X509_STORE_add_cert(store, c->expect->anchors[i]) == 1;
        for (size_t i = 1; filled && i < path->n_chain; i++)
                filled = sk_X509_push(rest, path->chain[i]) > 0;
        for (size_t i = 0; filled && i < c->expect->n_issuers; i++)
                filled = sk_X509_push(rest, c->expect->issuers[i]) > 0;
        if (filled)
                status = verify_path(c, path, store, rest, ret_signed);
        sk_X509_free(rest);
        X509_STORE_free(store);
        ERR_clear_error();
        return status;
}

static bool
check_path(struct ceremony *c, const struct trust_path *path)
{
        bool judged = trust_judged(c), signs[CHAIN_MAX] = { false };
        int status = judged ? judge_path(c, path, signs) : X509_V_OK;

        if (c->strict && !check_order(c, path, signs))
                return false;
        if (!judged)
                return true;
        if (c->strict && !check_usage(c, path))
                return false;
        if (status != X509_V_OK)
                return kp_rp_refuse(c,
                        "the certificates do not lead to a trust anchor: %s",
                        X509_verify_cert_error_string(status));
        c->trusted = true;
        return true;
}

/* Of a compound statement all paths, or, where one part is enough, one of them. */
static bool
check_kept(struct ceremony *c)
{
        bool any = c->expect->attestation.compound_any, found = false;

        for (size_t i = 0; i < c->n_kept; i++) {
                if (c->kept[i].n_chain == 0)
                        continue;
                if (check_path(c, &c->kept[i]))
                        found = true;
                else if (!any)
                        return false;
        }
        return found || !any;
}

/* None and self attestation have no path. */
bool
kp_rp_check_trust(struct ceremony *c)
{
        if (c->path.n_chain > 0)
                return check_path(c, &c->path);
        return c->n_kept == 0 || check_kept(c);
}
