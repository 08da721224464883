/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/b64url.h"

#include <string.h>

static const char url_alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        "0123456789-_";
static const char std_alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        "0123456789+/";

static void
put_with(
        struct kp_buf *buf, const char *alphabet, bool pad, const uint8_t *in, size_t n)
{
        char out[256];
        size_t used = 0;

        for (size_t i = 0; i < n; i += 3) {
                size_t left = n - i;
                uint32_t v = (uint32_t)in[i] << 16;

                v |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
                v |= left > 2 ? in[i + 2] : 0;
                out[used++] = alphabet[v >> 18];
                out[used++] = alphabet[v >> 12 & 63];
                if (left > 1 || pad)
                        out[used++] = left > 1 ? alphabet[v >> 6 & 63] : '=';
                if (left > 2 || pad)
                        out[used++] = left > 2 ? alphabet[v & 63] : '=';
                if (used > sizeof(out) - 4) {
                        kp_buf_put(buf, out, used);
                        used = 0;
                }
        }
        kp_buf_put(buf, out, used);
}

void
kp_b64url_put(struct kp_buf *buf, const void *bytes, size_t bytes_len)
{
        put_with(buf, url_alphabet, false, bytes, bytes_len);
}

void
kp_b64_put(struct kp_buf *buf, const void *bytes, size_t bytes_len)
{
        put_with(buf, std_alphabet, true, bytes, bytes_len);
}

/* The six bits of a letter, or -1. The two last letters tell the alphabets apart. */
static int
value_of(char c, char c62, char c63)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == c62)
                return 62;
        return c == c63 ? 63 : -1;
}

/* Collects letters and lets bytes out; the state is what did not fill a byte yet. */
struct sextets {
        uint32_t bits;
        unsigned n_letters;
        uint8_t out[192];
        size_t used;
};

static void
sextet_take(struct sextets *s, int value, struct kp_buf *ret)
{
        s->bits = s->bits << 6 | (uint32_t)value;
        s->n_letters = (s->n_letters + 1) % 4;
        if (s->n_letters != 1)
                s->out[s->used++] =
                        (uint8_t)(s->bits >>
                                  (s->n_letters == 0 ? 0 : 8 - 2 * s->n_letters));
        if (s->used == sizeof(s->out)) {
                kp_buf_put(ret, s->out, s->used);
                s->used = 0;
        }
}

static int
sextet_end(struct sextets *s, struct kp_buf *ret, struct kp_error *err)
{
        kp_buf_put(ret, s->out, s->used);
        if (s->n_letters == 1)
                return KP_FAIL(err, KP_EPARSE, "base64: one letter too many");
        if ((s->n_letters == 2 && (s->bits & 15) != 0) ||
                (s->n_letters == 3 && (s->bits & 3) != 0))
                return KP_FAIL(
                        err, KP_EPARSE, "base64: unused bits at the end are not zero");
        return kp_buf_check(ret, err);
}

static int
fail_letter(const char *kind, char c, size_t at, struct kp_error *err)
{
        if (c > ' ' && c < 0x7f)
                return KP_FAIL(err, KP_EPARSE, "%s: '%c' at %zu is not a letter of it",
                        kind, c, at);
        return KP_FAIL(err, KP_EPARSE, "%s: byte 0x%02x at %zu is not a letter of it",
                kind, (unsigned)(uint8_t)c, at);
}

static int
url_letters(struct sextets *s, const char *text, size_t text_len, struct kp_buf *ret,
        struct kp_error *err)
{
        int value;

        for (size_t i = 0; i < text_len; i++) {
                if ((value = value_of(text[i], '-', '_')) < 0)
                        return fail_letter("base64url", text[i], i, err);
                sextet_take(s, value, ret);
        }
        return 0;
}

int
kp_b64url_decode(
        const char *text, size_t text_len, struct kp_buf *ret, struct kp_error *err)
{
        struct sextets s = { 0 };

        if (url_letters(&s, text, text_len, ret, err) < 0)
                return -1;
        return sextet_end(&s, ret, err);
}

int
kp_b64url_decode_any_bits(
        const char *text, size_t text_len, struct kp_buf *ret, struct kp_error *err)
{
        struct sextets s = { 0 };

        if (url_letters(&s, text, text_len, ret, err) < 0)
                return -1;
        s.bits &= ~(uint32_t)15;
        return sextet_end(&s, ret, err);
}

int
kp_b64_decode(
        const char *text, size_t text_len, struct kp_buf *ret, struct kp_error *err)
{
        struct sextets s = { 0 };
        unsigned n_pads = 0;
        int value;

        for (size_t i = 0; i < text_len; i++) {
                if (text[i] != '\0' && strchr(" \t\r\n", text[i]) != NULL)
                        continue;
                if (text[i] == '=') {
                        n_pads++;
                        continue;
                }
                if ((value = value_of(text[i], '+', '/')) < 0 || n_pads > 0)
                        return fail_letter("base64", text[i], i, err);
                sextet_take(&s, value, ret);
        }
        if (n_pads > 2 || (s.n_letters + n_pads) % 4 != 0)
                return KP_FAIL(
                        err, KP_EPARSE, "base64: padding does not fit the length");
        return sextet_end(&s, ret, err);
}
