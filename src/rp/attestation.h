/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_ATTESTATION_H
#define KEYPILOT_RP_ATTESTATION_H

#include "ceremony.h"

/*
 * Attestation statements: one file for each format, and what they share. A format's
 * function reads c->statement and says whether it verifies; it leaves the attestation
 * type and the trust path behind, which trust.c judges afterwards.
 *
 * Spec: WebAuthn L3 §8 "Defined Attestation Statement Formats"
 */
struct attestation_format {
        const char *name;
        bool (*verify)(struct ceremony *c);
};
/* Case-sensitive. NULL: there is no such format. */
const struct attestation_format *kp_rp_attestation_format_find(
        const char *name, size_t name_len);

bool kp_rp_attestation_android_key(struct ceremony *c);
bool kp_rp_attestation_android_safetynet(struct ceremony *c);
bool kp_rp_attestation_apple(struct ceremony *c);
bool kp_rp_attestation_compound(struct ceremony *c);
bool kp_rp_attestation_fido_u2f(struct ceremony *c);
bool kp_rp_attestation_none(struct ceremony *c);
bool kp_rp_attestation_packed(struct ceremony *c);
bool kp_rp_attestation_tpm(struct ceremony *c);

/* ---- what statements share (attestation.c) ---- */

/* authenticatorData || clientDataHash, which most statements sign or hash. */
void kp_rp_attested_bytes(const struct ceremony *c, struct kp_buf *ret);
/* The signature over it. */
bool kp_rp_attestation_signed(struct ceremony *c, int alg, EVP_PKEY *key,
        const uint8_t *signature, size_t signature_len);
/* Its SHA-256. */
void kp_rp_attestation_hash(const struct ceremony *c, uint8_t ret[KP_SHA256_LEN]);

/* A member of the statement; a refusal where it is missing or of another type. */
bool kp_rp_statement_bytes(
        struct ceremony *c, const char *name, const uint8_t **ret, size_t *ret_len);
bool kp_rp_statement_text(
        struct ceremony *c, const char *name, const char **ret, size_t *ret_len);
/* "alg": one that we verify. */
bool kp_rp_statement_alg(struct ceremony *c, int *ret);
/* Strict: exactly so many members. */
bool kp_rp_statement_size(struct ceremony *c, size_t n_wanted);
/* x5c into c->path. */
bool kp_rp_statement_chain(struct ceremony *c);
/* One certificate in DER at the end of c->path. */
bool kp_rp_path_add(struct ceremony *c, const uint8_t *der, size_t der_len);
/* The leaf's key; a refusal where it is unreadable. Borrowed. */
EVP_PKEY *kp_rp_path_key(struct ceremony *c);
/* The leaf is for the credential key. */
bool kp_rp_path_certifies_credential(struct ceremony *c);

/* ---- certificates (certificate.c, certificate_aik.c) ---- */

struct certificate_extension {
        bool present, critical;
        const uint8_t *value; /* borrowed from the certificate */
        size_t value_len;
};
/* False, refused: the certificate has it twice. */
bool kp_rp_certificate_extension(struct ceremony *c, X509 *certificate, const char *oid,
        struct certificate_extension *ret);
bool kp_rp_certificate_version_3(struct ceremony *c, X509 *leaf);
bool kp_rp_certificate_no_ca(struct ceremony *c, X509 *leaf);
bool kp_rp_certificate_aaguid(struct ceremony *c, X509 *leaf);
/* Spec: WebAuthn L3 §8.2.1 */
bool kp_rp_certificate_packed(struct ceremony *c, X509 *leaf);
/* Spec: WebAuthn L3 §8.3.1 */
bool kp_rp_certificate_aik(struct ceremony *c, X509 *leaf);

/* ---- trust (trust.c). Spec: WebAuthn L3 §7.1 step 24 ---- */

bool kp_rp_check_trust(struct ceremony *c);

#endif
