/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "keypilot/codec/cose.h"

#include "attestation.h"
#include "tpm.h"

/* Spec: WebAuthn L3 §8.3 "TPM Attestation Statement Format" */

struct statement {
        int alg;
        const uint8_t *sig, *cert_info, *pub_area;
        size_t sig_len, cert_info_len, pub_area_len;
};

static bool
read_statement(struct ceremony *c, struct statement *ret)
{
        static const char version[] = "2.0";
        const char *ver;
        size_t ver_len;

        if (!kp_rp_statement_size(c, 6) ||
                !kp_rp_statement_text(c, "ver", &ver, &ver_len))
                return false;
        if (!kp_bytes_equal(ver, ver_len, version, sizeof(version) - 1))
                return kp_rp_refuse(c, "tpm: ver is not \"%s\"", version);
        return kp_rp_statement_alg(c, &ret->alg) &&
               kp_rp_statement_bytes(c, "sig", &ret->sig, &ret->sig_len) &&
               kp_rp_statement_bytes(
                       c, "certInfo", &ret->cert_info, &ret->cert_info_len) &&
               kp_rp_statement_bytes(
                       c, "pubArea", &ret->pub_area, &ret->pub_area_len) &&
               kp_rp_statement_chain(c);
}

static bool
check_public_area(
        struct ceremony *c, const struct statement *s, struct tpm_public *public)
{
        const char *wrong = kp_rp_tpm_public_read(s->pub_area, s->pub_area_len, public);

        if (wrong != NULL)
                return kp_rp_refuse(c, "tpm: %s", wrong);
        if (kp_rp_tpm_public_is(public, c->key))
                return true;
        return kp_rp_refuse(c, "tpm: pubArea is not the credential public key");
}

/* "the hash algorithm employed in alg"; NULL where that has none of its own. */
static const EVP_MD *
hash_of(int alg)
{
        switch (alg) {
        case KP_COSE_RS1:
                return EVP_sha1();
        case KP_COSE_ES256:
        case KP_COSE_ESP256:
        case KP_COSE_ES256K:
        case KP_COSE_RS256:
        case KP_COSE_PS256:
                return EVP_sha256();
        case KP_COSE_ES384:
        case KP_COSE_ESP384:
        case KP_COSE_RS384:
        case KP_COSE_PS384:
                return EVP_sha384();
        case KP_COSE_ES512:
        case KP_COSE_ESP512:
        case KP_COSE_RS512:
        case KP_COSE_PS512:
                return EVP_sha512();
        default:
                return NULL;
        }
}

static bool
check_extra_data(struct ceremony *c, int alg, const struct tpm_bytes *extra)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        const EVP_MD *md = hash_of(alg);
        uint8_t hash[EVP_MAX_MD_SIZE];
        unsigned hash_len = 0;

        if (md == NULL)
                return kp_rp_refuse(
                        c, "tpm: %s has no hash of its own", kp_cose_alg_name(alg));
        kp_rp_attested_bytes(c, &message);
        if (!message.failed &&
                EVP_Digest(message.data, message.len, hash, &hash_len, md, NULL) == 1 &&
                kp_bytes_equal(extra->data, extra->len, hash, hash_len))
                return true;
        return kp_rp_refuse(c, "tpm: certInfo is about other data (extraData)");
}

static bool
check_cert_info(
        struct ceremony *c, const struct statement *s, const struct tpm_public *public)
{
        struct tpm_attest attest;
        const char *wrong = kp_rp_tpm_attest_read(
                s->cert_info, s->cert_info_len, c->strict, &attest);

        if (wrong != NULL)
                return kp_rp_refuse(c, "tpm: %s", wrong);
        if (!check_extra_data(c, s->alg, &attest.extra_data))
                return false;
        if (kp_rp_tpm_name_is(&attest.name, public))
                return true;
        return kp_rp_refuse(c, "tpm: certInfo is about another key (name)");
}

/*
 * DEVIATION WebAuthn L3 §8.3: it says sig is a TPMT_SIGNATURE; we take the signature
 * itself as well, because that is what Windows sends and what the specification's own
 * test vector has.
 */
static bool
check_signature(struct ceremony *c, const struct statement *s)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        EVP_PKEY *key = kp_rp_path_key(c);

        if (key == NULL)
                return false;
        if (kp_cose_verify(
                    s->alg, key, s->cert_info, s->cert_info_len, s->sig, s->sig_len))
                return true;
        if (kp_rp_tpm_signature_read(s->sig, s->sig_len, &plain) &&
                kp_cose_verify(s->alg, key, s->cert_info, s->cert_info_len, plain.data,
                        plain.len))
                return true;
        return kp_rp_refuse(
                c, "tpm: the signature does not verify with the certificate");
}

bool
kp_rp_attestation_tpm(struct ceremony *c)
{
        struct statement statement;
        struct tpm_public public;

        if (!read_statement(c, &statement) ||
                !check_public_area(c, &statement, &public) ||
                !check_cert_info(c, &statement, &public) ||
                !check_signature(c, &statement))
                return false;
        c->type = "attca";
        return kp_rp_certificate_aik(c, c->path.chain[0]);
}
