/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "internal.h"

/* What a PIN must be. Spec: CTAP 2.1 §6.5.5.5, CTAP 2.2 §7.5 */
#define PIN_MAX_LEN 63 /* bytes; CTAP 2.1 §6.5.1 */

/* Bytes of the UTF-8 sequence at `s`, and its code point; 0: it is none. */
static size_t
decode(const uint8_t *s, size_t len, uint32_t *ret)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t n = s[0] < 0x80           ? 1
                   : (s[0] >> 5) == 0x06 ? 2
                   : (s[0] >> 4) == 0x0e ? 3
                   : (s[0] >> 3) == 0x1e ? 4
                                         : 0;

        if (n == 0 || n > len)
                return 0;
        *ret = n == 1 ? s[0] : s[0] & (0x7fu >> n);
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                *ret = *ret << 6 | (s[i] & 0x3f);
        }
        if (*ret < least[n] || *ret > 0x10ffff || (*ret >= 0xd800 && *ret <= 0xdfff))
                return 0;
        return n;
}

/* The code points of a PIN; -1 if it is not UTF-8, or has a NUL inside. */
static int64_t
decode_all(const uint8_t *pin, size_t pin_len, uint32_t ret[PIN_MAX_LEN])
{
        int64_t n = 0;

        for (size_t at = 0, len; at < pin_len; at += len, n++) {
                len = decode(pin + at, pin_len - at, &ret[n]);
                if (len == 0 || ret[n] == 0)
                        return -1;
        }
        return n;
}

/*
 * What the policy asks is the vendor's choice. Ours, where a model has one: not one
 * character again and again (1111), and not a run up or down (123456, fedcba).
 */
static bool
is_simple(const uint32_t *points, int64_t n)
{
        int64_t step = n > 1 ? (int64_t)points[1] - points[0] : 0;

        if (step < -1 || step > 1)
                return false;
        for (int64_t i = 1; i < n; i++)
                if ((int64_t)points[i] - points[i - 1] != step)
                        return false;
        return true;
}

int64_t
kp_auth_pin_points(
        const struct kp_authenticator *key, const uint8_t *pin, size_t pin_len)
{
        int64_t most = key->facts->max_pin_length;
        uint32_t points[PIN_MAX_LEN];
        int64_t n = pin_len > PIN_MAX_LEN ? -1 : decode_all(pin, pin_len, points);

        if (n < key->min_pin_length || (most > 0 && n > most) ||
                (key->pin_complex && is_simple(points, n)))
                n = -1;
        OPENSSL_cleanse(points, sizeof(points));
        return n;
}
