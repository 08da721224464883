/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_BUF_H
#define KEYPILOT_CORE_BUF_H

#include "keypilot/core/base.h"
#include "keypilot/core/error.h"

/*
 * A growing run of bytes. Writers append without checking; running out of memory is
 * remembered in `failed`, later appends do nothing, and whoever asked for the bytes
 * checks once with kp_buf_check().
 *
 * Plain data: embed it, start it with { 0 }, end it with kp_buf_done() or, for secrets,
 * kp_buf_wipe(). `data` is NULL while nothing was appended.
 */
struct kp_buf {
        uint8_t *data;
        size_t len;
        size_t cap;
        bool failed;
};

void kp_buf_put(struct kp_buf *buf, const void *bytes, size_t bytes_len);
void kp_buf_put_u8(struct kp_buf *buf, uint8_t value);
void kp_buf_put_be16(struct kp_buf *buf, uint16_t value);
void kp_buf_put_be32(struct kp_buf *buf, uint32_t value);
void kp_buf_puts(struct kp_buf *buf, const char *text); /* without the NUL */
void kp_buf_printf(struct kp_buf *buf, const char *format, ...) KP_PRINTF(2, 3);

/* Bytes as lower-case hexadecimal digits. */
void kp_buf_put_hex(struct kp_buf *buf, const uint8_t *bytes, size_t bytes_len);

/* As a C string, borrowed until the next append; "" when empty or out of memory. */
const char *kp_buf_str(struct kp_buf *buf);

/* Errors   KP_ENOMEM if any append ran out of memory */
int kp_buf_check(const struct kp_buf *buf, struct kp_error *err) KP_MUST_CHECK;

void kp_buf_clear(struct kp_buf *buf); /* empty, memory kept */
void kp_buf_done(struct kp_buf *buf);  /* frees, leaves { 0 } */
void kp_buf_wipe(struct kp_buf *buf);  /* overwrites, frees, leaves { 0 } */

/* Not in constant time: for what everybody may see. NULL and 0 are no bytes. */
bool kp_bytes_equal(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
