/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "attestation.h"
#include "der.h"

/* Spec: WebAuthn L3 §8.8 "Apple Anonymous Attestation Statement Format" */

#define OID_NONCE "1.2.840.113635.100.8.2"

/* SEQUENCE { [1] EXPLICIT OCTET STRING } */
static bool
read_nonce(const struct certificate_extension *extension, struct der *ret)
{
        struct der whole = { extension->value,
                extension->value + extension->value_len };
        struct der fields;
        struct der_item item;

        return kp_rp_der_universal(&whole, V_ASN1_SEQUENCE, &fields) &&
               kp_rp_der_at_end(&whole) && kp_rp_der_next(&fields, &item) &&
               kp_rp_der_at_end(&fields) && item.class == V_ASN1_CONTEXT_SPECIFIC &&
               item.tag == 1 &&
               kp_rp_der_universal(&item.content, V_ASN1_OCTET_STRING, ret) &&
               kp_rp_der_at_end(&item.content);
}

static bool
check_nonce(struct ceremony *c, X509 *leaf)
{
        struct certificate_extension extension;
        struct der nonce;
        uint8_t hash[KP_SHA256_LEN];

        if (!kp_rp_certificate_extension(c, leaf, OID_NONCE, &extension))
                return false;
        if (!extension.present || !read_nonce(&extension, &nonce))
                return kp_rp_refuse(
                        c, "apple: the certificate's nonce is missing or broken");
        kp_rp_attestation_hash(c, hash);
        if (kp_bytes_equal(
                    nonce.at, (size_t)(nonce.end - nonce.at), hash, sizeof(hash)))
                return true;
        return kp_rp_refuse(c, "apple: the certificate's nonce is for other data");
}

/* What Apple sent at first has "alg" beside x5c. */
static bool
check_members(struct ceremony *c)
{
        bool first_form = kp_cbor_at_str(c->statement, "alg") != NULL;
        int alg;

        return kp_rp_statement_size(c, first_form ? 2 : 1) &&
               (!first_form || kp_rp_statement_alg(c, &alg));
}

bool
kp_rp_attestation_apple(struct ceremony *c)
{
        if (!check_members(c) || !kp_rp_statement_chain(c) ||
                !check_nonce(c, c->path.chain[0]))
                return false;
        c->type = "anonca";
        return kp_rp_path_certifies_credential(c);
}
