/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/http/form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

/* Takes over both texts. */
static int
pairs_keep(struct kp_pairs *pairs, char *name, char *value, struct kp_error *err)
{
        struct kp_pair *grown =
                reallocarray(pairs->items, pairs->n_items + 1, sizeof(*grown));

        if (grown != NULL)
                pairs->items = grown;
        if (grown == NULL || name == NULL || value == NULL) {
                free(name);
                free(value);
                return KP_FAIL(err, KP_ENOMEM, "form field");
        }
        grown[pairs->n_items++] = (struct kp_pair){ name, value };
        return 0;
}

int
kp_pairs_add(struct kp_pairs *pairs, const char *name, const char *value,
        struct kp_error *err)
{
        return pairs_keep(pairs, strdup(name), strdup(value), err);
}

const char *
kp_pairs_get(const struct kp_pairs *pairs, const char *name)
{
        for (size_t i = 0; i < pairs->n_items; i++)
                if (strcmp(pairs->items[i].name, name) == 0)
                        return pairs->items[i].value;
        return NULL;
}

void
kp_pairs_done(struct kp_pairs *pairs)
{
        for (size_t i = 0; i < pairs->n_items; i++) {
                free(pairs->items[i].name);
                free(pairs->items[i].value);
        }
        free(pairs->items);
        *pairs = (struct kp_pairs){ 0 };
}

/* Spec: URL Standard §5.2, "application/x-www-form-urlencoded percent-encode set" */
static void
put_encoded(struct kp_buf *buf, const char *text)
{
        static const char digits[] = "0123456789ABCDEF";

        while (*text != '\0') {
                size_t n = 0;
                unsigned char c;

                while (isalnum((unsigned char)text[n]) ||
                        (text[n] != '\0' && strchr("*-._", text[n]) != NULL))
                        n++;
                kp_buf_put(buf, text, n);
                text += n;
                if ((c = (unsigned char)*text) == '\0')
                        return;
                if (c == ' ')
                        kp_buf_put_u8(buf, '+');
                else
                        kp_buf_put(buf,
                                (const char[]){ '%', digits[c >> 4], digits[c & 15] },
                                3);
                text++;
        }
}

int
kp_form_encode(const struct kp_pairs *pairs, struct kp_buf *ret, struct kp_error *err)
{
        for (size_t i = 0; i < pairs->n_items; i++) {
                if (i > 0)
                        kp_buf_put_u8(ret, '&');
                put_encoded(ret, pairs->items[i].name);
                kp_buf_put_u8(ret, '=');
                put_encoded(ret, pairs->items[i].value);
        }
        return kp_buf_check(ret, err);
}

static int
hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
decode(const char *text, size_t text_len, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *plain = malloc(text_len + 1);
        size_t n = 0;

        if (plain == NULL)
                return KP_FAIL(err, KP_ENOMEM, "form field");
        for (size_t i = 0; i < text_len; i++) {
                int high, low;

                plain[n] = text[i] == '+' ? ' ' : text[i];
                if (text[i] == '%') {
                        high = text_len - i > 2 ? hex_digit(text[i + 1]) : -1;
                        low = text_len - i > 2 ? hex_digit(text[i + 2]) : -1;
                        if (high < 0 || low < 0)
                                return KP_FAIL(err, KP_EPARSE,
                                        "form data: '%%' without two hexadecimal "
                                        "digits");
                        plain[n] = (char)(high * 16 + low);
                        i += 2;
                }
                if (plain[n++] == '\0')
                        return KP_FAIL(err, KP_EPARSE, "form data: a NUL character");
        }
        plain[n] = '\0';
        *ret = KP_STEAL(plain);
        return 0;
}

static int
decode_pair(
        const char *text, size_t text_len, struct kp_pairs *pairs, struct kp_error *err)
{
        const char *equals = memchr(text, '=', text_len);
        size_t name_len = equals == NULL ? text_len : (size_t)(equals - text);
        size_t skip = equals == NULL ? text_len : name_len + 1;
        KP_CLEANUP(kp_free_str) char *name = NULL;
        KP_CLEANUP(kp_free_str) char *value = NULL;

        if (decode(text, name_len, &name, err) < 0 ||
                decode(text + skip, text_len - skip, &value, err) < 0)
                return -1;
        return pairs_keep(pairs, KP_STEAL(name), KP_STEAL(value), err);
}

int
kp_form_decode(
        const char *text, size_t text_len, struct kp_pairs *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_pairs_done) struct kp_pairs pairs = { 0 };

        while (text_len > 0) {
                const char *end = memchr(text, '&', text_len);
                size_t len = end == NULL ? text_len : (size_t)(end - text);

                if (len > 0 && decode_pair(text, len, &pairs, err) < 0)
                        return -1;
                len += end != NULL;
                text += len;
                text_len -= len;
        }
        *ret = pairs;
        pairs = (struct kp_pairs){ 0 };
        return 0;
}
