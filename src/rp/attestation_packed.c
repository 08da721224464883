/* SPDX-License-Identifier: BSD-2-Clause */
#include "attestation.h"

/* Spec: WebAuthn L3 §8.2 "Packed Attestation Statement Format" */

static bool
packed_basic(struct ceremony *c, const uint8_t *sig, size_t sig_len)
{
        EVP_PKEY *key;
        int alg;

        if (!kp_rp_statement_size(c, 3) || !kp_rp_statement_chain(c) ||
                !kp_rp_statement_alg(c, &alg) || (key = kp_rp_path_key(c)) == NULL)
                return false;
        if (!kp_rp_attestation_signed(c, alg, key, sig, sig_len))
                return kp_rp_refuse(c,
                        "packed: the signature does not verify with the certificate");
        c->type = "uncertain";
        return kp_rp_certificate_packed(c, c->path.chain[0]);
}

static bool
packed_self(struct ceremony *c, int64_t alg, const uint8_t *sig, size_t sig_len)
{
        if (!kp_rp_statement_size(c, 2))
                return false;
        if (alg != c->alg)
                return kp_rp_refuse(c,
                        "packed: alg is %lld, that of the credential key %d",
                        (long long)alg, c->alg);
        if (!kp_rp_attestation_signed(c, c->alg, c->key, sig, sig_len))
                return kp_rp_refuse(c, "packed: the signature does not verify with the "
                                       "credential key");
        c->type = "self";
        return true;
}

bool
kp_rp_attestation_packed(struct ceremony *c)
{
        const uint8_t *sig;
        size_t sig_len;
        int64_t alg;

        if (!kp_cbor_is_int(kp_cbor_at_str(c->statement, "alg"), &alg))
                return kp_rp_refuse(c, "packed: alg is missing or not a number");
        if (!kp_rp_statement_bytes(c, "sig", &sig, &sig_len))
                return false;
        if (kp_cbor_at_str(c->statement, "x5c") != NULL)
                return packed_basic(c, sig, sig_len);
        return packed_self(c, alg, sig, sig_len);
}
