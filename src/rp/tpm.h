/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_TPM_H
#define KEYPILOT_RP_TPM_H

#include <openssl/evp.h>

#include "keypilot/core/base.h"

/*
 * The two structures of a TPM that an attestation statement carries, read byte by byte.
 * What they hold points into the bytes they were read from.
 *
 * Spec: TCG Trusted Platform Module Library Part 2 "Structures", family 2.0
 */
struct tpm_bytes {
        const uint8_t *data;
        size_t len;
};

/* Part 2 §12.2.4 TPMT_PUBLIC, of types RSA and ECC */
struct tpm_public {
        struct tpm_bytes whole;
        uint16_t type, name_alg;
        uint32_t attributes;
        struct tpm_bytes policy;
        uint16_t key_bits; /* RSA */
        uint32_t exponent; /* RSA; 0 stands for 65537 */
        struct tpm_bytes modulus;
        uint16_t curve; /* ECC */
        struct tpm_bytes x, y;
};

/* Part 2 §10.12.8 TPMS_ATTEST, of type certify */
struct tpm_attest {
        uint32_t magic;
        uint16_t type;
        struct tpm_bytes extra_data;
        struct tpm_bytes name; /* of the certified object */
};

/*
 * NULL where it could be read; what is wrong with it otherwise. Strict: bytes behind its
 * end are wrong, too, as they always are in a public area, whose Name they are part of.
 */
const char *kp_rp_tpm_public_read(
        const uint8_t *bytes, size_t bytes_len, struct tpm_public *ret);
const char *kp_rp_tpm_attest_read(
        const uint8_t *bytes, size_t bytes_len, bool strict, struct tpm_attest *ret);

/*
 * Part 2 §11.3.4 TPMT_SIGNATURE as the plain signature that WebAuthn has: DER for ECDSA,
 * the bytes themselves for RSA. False: it is no such structure.
 */
struct kp_buf;
bool kp_rp_tpm_signature_read(
        const uint8_t *bytes, size_t bytes_len, struct kp_buf *ret);

/* Parameters and unique are those of this key. */
bool kp_rp_tpm_public_is(const struct tpm_public *public, EVP_PKEY *key);

/* Part 1 §16: is it the Name of that public area? */
bool kp_rp_tpm_name_is(const struct tpm_bytes *name, const struct tpm_public *public);

#endif
