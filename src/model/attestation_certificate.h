/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_ATTESTATION_CERTIFICATE_H
#define KEYPILOT_MODEL_ATTESTATION_CERTIFICATE_H

#include <openssl/x509.h>

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"
#include "keypilot/core/random.h"

/*
 * Certificates of simulated keys. The same description gives the same bytes in every
 * process: the issuers sign with RSA, whose PKCS #1 signatures take no randomness, and
 * making one draws nothing from a stream that is lent to OpenSSL.
 */
struct kp_certificate {
        const char *serial_of; /* what the serial number is derived from */
        struct {
                const char *field, *value; /* "CN", "..."; NULL: left out */
        } subject[6];
        EVP_PKEY *key; /* its public half is certified */
        X509 *issuer;
        EVP_PKEY *issuer_key;
        struct {
                int nid;           /* in the text form of OpenSSL... */
                const char *value; /* NULL: the end */
        } extensions[6];
        struct {
                const char *oid; /* ...and in DER */
                const uint8_t *der;
                size_t der_len;
                bool critical;
        } others[2];
};

/* A P-256 pair from this stream, and not from one that is lent. Errors  KP_ENOMEM */
int kp_certificate_key(
        struct kp_random *random, EVP_PKEY **ret, struct kp_error *err) KP_MUST_CHECK;

/* Errors   KP_ENOMEM */
int kp_certificate_make(const struct kp_certificate *certificate, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
