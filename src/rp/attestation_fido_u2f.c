/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "keypilot/codec/cose.h"

#include "attestation.h"

/* Spec: WebAuthn L3 §8.6 "FIDO U2F Attestation Statement Format" */

#define P256_POINT_LEN 65

static bool
is_p256(EVP_PKEY *key)
{
        char group[32] = "";

        return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
               EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
               strcmp(group, "prime256v1") == 0;
}

/* The credential key as U2F writes it: 0x04, x, y. */
static bool
put_point(struct ceremony *c, struct kp_buf *message)
{
        uint8_t point[P256_POINT_LEN];
        size_t point_len = 0;

        if (!is_p256(c->key) ||
                EVP_PKEY_get_octet_string_param(c->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                        sizeof(point), &point_len) != 1 ||
                point_len != sizeof(point)) {
                ERR_clear_error();
                return kp_rp_refuse(c, "fido-u2f: the credential key is not on P-256");
        }
        kp_buf_put(message, point, sizeof(point));
        return true;
}

static bool
verify_signature(struct ceremony *c, const uint8_t *sig, size_t sig_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        EVP_PKEY *key = X509_get0_pubkey(c->path.chain[0]);

        if (!is_p256(key)) {
                ERR_clear_error();
                return kp_rp_refuse(
                        c, "fido-u2f: the certificate's key is not on P-256");
        }
        kp_buf_put_u8(&message, 0);
        kp_buf_put(&message, c->auth.rp_id_hash, KP_SHA256_LEN);
        kp_buf_put(&message, c->client_hash, sizeof(c->client_hash));
        kp_buf_put(&message, c->auth.credential_id, c->auth.credential_id_len);
        if (!put_point(c, &message))
                return false;
        if (message.failed || !kp_cose_verify(KP_COSE_ES256, key, message.data,
                                      message.len, sig, sig_len))
                return kp_rp_refuse(c,
                        "fido-u2f: the signature does not verify with the certificate");
        return true;
}

/* FIDO conformance asks for it, since CTAP maps U2F so; WebAuthn itself does not. */
static bool
check_aaguid(struct ceremony *c)
{
        static const uint8_t zero[KP_AAGUID_LEN];

        if (!c->expect->u2f_zero_aaguid || !c->strict ||
                memcmp(c->auth.aaguid, zero, sizeof(zero)) == 0)
                return true;
        return kp_rp_refuse(c, "fido-u2f: the AAGUID is not zero");
}

bool
kp_rp_attestation_fido_u2f(struct ceremony *c)
{
        const uint8_t *sig;
        size_t sig_len;

        if (!kp_rp_statement_size(c, 2) ||
                !kp_rp_statement_bytes(c, "sig", &sig, &sig_len) ||
                !kp_rp_statement_chain(c))
                return false;
        if (c->strict && c->path.n_chain != 1)
                return kp_rp_refuse(c, "fido-u2f: x5c has %zu certificates, expected 1",
                        c->path.n_chain);
        c->type = "uncertain";
        return verify_signature(c, sig, sig_len) && check_aaguid(c);
}
