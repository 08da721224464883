/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_VECTORS_HEX_H
#define KEYPILOT_TESTS_VECTORS_HEX_H

#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/core/buf.h"

/*
 * Bytes written as hexadecimal digits in tests; spaces may stand between them.
 */
static inline int
hex_digit(char c)
{
        const char *digits = "0123456789abcdef", *at = strchr(digits, c);

        cr_assert(c != '\0' && at != NULL, "not a hexadecimal digit: '%c'", c);
        return (int)(at - digits);
}

static inline struct kp_buf
unhex(const char *text)
{
        struct kp_buf buf = { 0 };

        for (; *text != '\0'; text++) {
                if (*text == ' ')
                        continue;
                kp_buf_put_u8(
                        &buf, (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1])));
                text++;
        }
        return buf;
}

/* Owned by the process: tests may leave it. */
static inline const char *
tohex(const void *bytes, size_t bytes_len)
{
        static struct kp_buf ring[4];
        static unsigned next;
        struct kp_buf *buf = &ring[next++ % 4];

        kp_buf_clear(buf);
        kp_buf_put_hex(buf, bytes, bytes_len);
        return kp_buf_str(buf);
}

#endif
