/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_JWT_H
#define KEYPILOT_RP_JWT_H

#include <jansson.h>
#include <openssl/x509.h>

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * Signed JSON in compact form whose key comes as certificates.
 * Spec: RFC 7515 §4.1, §7.1; RFC 7518 §3.1
 */
#define JWT_CHAIN_MAX 8

struct kp_jwt {
        const char *text;  /* borrowed */
        size_t signed_len; /* header, dot and payload */
        json_t *header, *payload;
        struct kp_buf signature;
        X509 *chain[JWT_CHAIN_MAX]; /* leaf first */
        size_t n_chain;
};
void kp_jwt_done(struct kp_jwt *jwt);

/*
 * Take it apart. White space around it is skipped: files end with a line.
 *
 * text     outlives `ret`
 * ret      the caller ends it with kp_jwt_done(), after errors too
 * Errors   KP_EPARSE not three parts of base64url, not JSON objects, a member twice, a
 *          header that must be understood and is not, certificates that are none
 */
int kp_jwt_read(const char *text, size_t text_len, struct kp_jwt *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Verify the signature with the leaf, or, where no certificates came, with one of the
 * roots; and the chain to a root, at a time (0: at any).
 *
 * Errors   KP_EPARSE algorithm "none" or an unknown one; signature or chain do not hold
 */
int kp_jwt_verify(const struct kp_jwt *jwt, X509 *const *roots, size_t n_roots,
        int64_t now_ms, struct kp_error *err) KP_MUST_CHECK;

#endif
