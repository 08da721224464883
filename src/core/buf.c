/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/buf.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Grows by copying, so that a secret never stays behind in memory given back. */
static bool
reserve(struct kp_buf *buf, size_t more)
{
        size_t cap = buf->cap == 0 ? 64 : buf->cap;
        uint8_t *data;

        if (buf->failed || more > SIZE_MAX / 4 - buf->len) {
                buf->failed = true;
                return false;
        }
        if (buf->len + more <= buf->cap)
                return true;
        while (cap < buf->len + more)
                cap *= 2;
        if ((data = malloc(cap)) == NULL) {
                buf->failed = true;
                return false;
        }
        if (buf->len > 0)
                memcpy(data, buf->data, buf->len);
        OPENSSL_cleanse(buf->data, buf->cap);
        free(buf->data);
        buf->data = data;
        buf->cap = cap;
        return true;
}

void
kp_buf_put(struct kp_buf *buf, const void *bytes, size_t bytes_len)
{
        if (bytes_len == 0 || !reserve(buf, bytes_len))
                return;
        memcpy(buf->data + buf->len, bytes, bytes_len);
        buf->len += bytes_len;
}

void
kp_buf_put_u8(struct kp_buf *buf, uint8_t value)
{
        kp_buf_put(buf, &value, 1);
}

void
kp_buf_put_be16(struct kp_buf *buf, uint16_t value)
{
        const uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

        kp_buf_put(buf, bytes, sizeof(bytes));
}

void
kp_buf_put_be32(struct kp_buf *buf, uint32_t value)
{
        kp_buf_put_be16(buf, (uint16_t)(value >> 16));
        kp_buf_put_be16(buf, (uint16_t)value);
}

void
kp_buf_puts(struct kp_buf *buf, const char *text)
{
        kp_buf_put(buf, text, strlen(text));
}

void
kp_buf_printf(struct kp_buf *buf, const char *format, ...)
{
        va_list args, again;
        int n;

        va_start(args, format);
        va_copy(again, args);
        n = vsnprintf(NULL, 0, format, args);
        va_end(args);
        if (n >= 0 && reserve(buf, (size_t)n + 1)) {
                (void)vsnprintf(
                        (char *)buf->data + buf->len, (size_t)n + 1, format, again);
                buf->len += (size_t)n;
        }
        va_end(again);
}

void
kp_buf_put_hex(struct kp_buf *buf, const uint8_t *bytes, size_t bytes_len)
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < bytes_len; i++) {
                kp_buf_put_u8(buf, (uint8_t)digits[bytes[i] >> 4]);
                kp_buf_put_u8(buf, (uint8_t)digits[bytes[i] & 15]);
        }
}

const char *
kp_buf_str(struct kp_buf *buf)
{
        if (!reserve(buf, 1))
                return "";
        buf->data[buf->len] = '\0';
        return (const char *)buf->data;
}

int
kp_buf_check(const struct kp_buf *buf, struct kp_error *err)
{
        if (buf->failed)
                return KP_FAIL(err, KP_ENOMEM, "out of memory");
        return 0;
}

void
kp_buf_clear(struct kp_buf *buf)
{
        buf->len = 0;
        buf->failed = false;
}

void
kp_buf_done(struct kp_buf *buf)
{
        free(buf->data);
        memset(buf, 0, sizeof(*buf));
}

void
kp_buf_wipe(struct kp_buf *buf)
{
        OPENSSL_cleanse(buf->data, buf->cap);
        kp_buf_done(buf);
}

bool
kp_bytes_equal(const void *a, size_t a_len, const void *b, size_t b_len)
{
        return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}
