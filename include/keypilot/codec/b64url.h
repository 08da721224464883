/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_B64URL_H
#define KEYPILOT_CODEC_B64URL_H

#include "keypilot/core/buf.h"

/*
 * Base64url without padding, as WebAuthn writes every run of bytes in JSON.
 * Spec: RFC 4648 §5; WebAuthn L3 §3 "Base64url encoding"
 */
void kp_b64url_put(struct kp_buf *buf, const void *bytes, size_t bytes_len);

/*
 * Decode, strictly: only the URL alphabet, no padding, no white space, no impossible
 * length, unused bits zero.
 *
 * ret      appended to
 * Errors   KP_EPARSE with what is wrong
 */
int kp_b64url_decode(const char *text, size_t text_len, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* The same, but unused bits may be anything. RFC 4648 §3.5 leaves it to decoders. */
int kp_b64url_decode_any_bits(const char *text, size_t text_len, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Standard base64 with padding; decoding skips white space (SAML, PEM).
 *
 * ret      appended to
 * Errors   KP_EPARSE with what is wrong
 * Spec     RFC 4648 §4
 */
void kp_b64_put(struct kp_buf *buf, const void *bytes, size_t bytes_len);
int kp_b64_decode(const char *text, size_t text_len, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
