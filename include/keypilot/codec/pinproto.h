/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_PINPROTO_H
#define KEYPILOT_CODEC_PINPROTO_H

#include <openssl/evp.h>

#include "keypilot/codec/cbor.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/random.h"

/*
 * PIN/UV auth protocols 1 and 2: the cryptography that platform and key share.
 * Spec: CTAP 2.1 §6.5.6, §6.5.7
 */
struct kp_pin_secret {
        int protocol;      /* 1 or 2 */
        uint8_t bytes[64]; /* protocol 1: 32 of them; 2: HMAC key, then AES key */
};

/*
 * Make a P-256 key agreement key.
 *
 * ret      the caller frees it with kp_free_pkey()
 * Errors   KP_ENOMEM
 */
int kp_pin_key_make(
        struct kp_random *random, EVP_PKEY **ret, struct kp_error *err) KP_MUST_CHECK;

/* COSE_Key with alg -25. Spec: CTAP 2.1 §6.5.6 getPublicKey */
int kp_pin_key_put(
        struct kp_buf *buf, const EVP_PKEY *key, struct kp_error *err) KP_MUST_CHECK;

/*
 * Read it again.
 *
 * ret      the caller frees it with kp_free_pkey()
 * Errors   KP_EPARSE not a P-256 point in that form
 */
int kp_pin_key_parse(
        const cbor_item_t *cose, EVP_PKEY **ret, struct kp_error *err) KP_MUST_CHECK;

/* ECDH and the protocol's kdf, either side. The caller wipes `ret`. */
int kp_pin_agree(int protocol, EVP_PKEY *own, EVP_PKEY *peer, struct kp_pin_secret *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * AES-256-CBC without padding. Protocol 2 draws its IV from `random` and puts it first.
 *
 * plain_len  a multiple of 16, at most 1024
 * ret        appended to
 */
int kp_pin_encrypt(const struct kp_pin_secret *secret, struct kp_random *random,
        const uint8_t *plain, size_t plain_len, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Decrypt. The caller wipes `ret`.
 *
 * ret      appended to
 * Errors   KP_EPARSE a length that the protocol cannot have
 */
int kp_pin_decrypt(const struct kp_pin_secret *secret, const uint8_t *cipher,
        size_t cipher_len, struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * HMAC-SHA-256, of which protocol 1 keeps 16 bytes. `key` is a secret or a token.
 *
 * returns  bytes of the tag, 16 or 32
 */
size_t kp_pin_authenticate(int protocol, const uint8_t *key, size_t key_len,
        const void *message, size_t message_len, uint8_t ret[32]);

/* Is this the tag of the message? Compared in constant time. */
bool kp_pin_verify(int protocol, const uint8_t *key, size_t key_len,
        const void *message, size_t message_len, const uint8_t *tag, size_t tag_len);

/* The part of the secret that authenticates messages (protocol 1: all); borrowed. */
const uint8_t *kp_pin_hmac_key(const struct kp_pin_secret *secret, size_t *ret_len);

#endif
