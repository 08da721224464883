/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_COSE_H
#define KEYPILOT_CODEC_COSE_H

#include <openssl/evp.h>

#include "keypilot/codec/cbor.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/random.h"

/*
 * COSE algorithms and keys, as far as WebAuthn signs with them, over OpenSSL.
 * Spec: RFC 9053 §2, RFC 8812 §2, RFC 9864 §2, IANA COSE registry; WebAuthn L3 §5.8.5
 */
enum kp_cose_alg {
        KP_COSE_NONE = 0,
        KP_COSE_ES256 = -7,
        KP_COSE_EDDSA = -8,
        KP_COSE_ESP256 = -9,
        KP_COSE_ED25519 = -19,
        KP_COSE_ES384 = -35,
        KP_COSE_ES512 = -36,
        KP_COSE_PS256 = -37,
        KP_COSE_PS384 = -38,
        KP_COSE_PS512 = -39,
        KP_COSE_ES256K = -47,
        KP_COSE_ESP384 = -51,
        KP_COSE_ESP512 = -52,
        KP_COSE_ED448 = -53,
        KP_COSE_RS256 = -257,
        KP_COSE_RS384 = -258,
        KP_COSE_RS512 = -259,
        KP_COSE_RS1 = -65535, /* SHA-1: only where a site asks for it by number */
};

const char *kp_cose_alg_name(int alg); /* "ES256"; "unknown" for others */
bool kp_cose_alg_supported(int alg);   /* keys read, signatures verified */

/*
 * Read a COSE_Key.
 *
 * mode      KP_CBOR_CTAP2 also refuses parameters that a public key must not have;
 *           KP_CBOR_LENIENT takes EdDSA over Ed448
 * ret       public key; the caller frees it with kp_free_pkey()
 * ret_alg   from the key
 * ret_used  bytes of the key; NULL: it must fill all bytes
 * Errors    KP_EPARSE malformed, or the parameters do not fit the algorithm (curve,
 *           point not on it, exponent); KP_EUNSUPPORTED an algorithm that we do not
 *           verify
 * Spec      WebAuthn L3 §5.8.5, §6.5.1.1; RFC 9052 §7
 */
int kp_cose_key_parse(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        EVP_PKEY **ret, int *ret_alg, size_t *ret_used,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Write the public half in canonical form.
 *
 * Errors   KP_EBUG the key does not fit `alg`
 */
int kp_cose_key_put(struct kp_buf *buf, const EVP_PKEY *key, int alg,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Make a key pair for an EC or Edwards algorithm from the stream (the private number is
 * drawn from it; for EC in [1, n-1]).
 *
 * ret      the caller frees it with kp_free_pkey()
 * Errors   KP_EUNSUPPORTED another algorithm (RSA pairs come from files); KP_ENOMEM
 */
int kp_cose_key_make(int alg, struct kp_random *random, EVP_PKEY **ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Sign as WebAuthn wants it: ECDSA as DER, EdDSA raw, RSA PKCS #1 v1.5 or PSS.
 *
 * ret      the signature is appended
 * Spec     WebAuthn L3 §6.5.5
 */
int kp_cose_sign(int alg, EVP_PKEY *key, const void *message, size_t message_len,
        struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

/* True only if the signature verifies; malformed input is false as well. */
bool kp_cose_verify(int alg, EVP_PKEY *key, const void *message, size_t message_len,
        const uint8_t *signature, size_t signature_len);

/*
 * The same, but PSS with a salt of any length. Only for verifiers that are told to be
 * lenient.
 * Spec: RFC 8230 §2 wants a salt as long as the digest
 */
bool kp_cose_verify_any_salt(int alg, EVP_PKEY *key, const void *message,
        size_t message_len, const uint8_t *signature, size_t signature_len);

#endif
