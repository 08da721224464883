/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 character that `text` begins with; 0: it is none, or cut off. */
static size_t
character_len(const unsigned char *text)
{
        size_t len = text[0] < 0x80   ? 1
                     : text[0] < 0xc2 ? 0
                     : text[0] < 0xe0 ? 2
                     : text[0] < 0xf0 ? 3
                     : text[0] < 0xf5 ? 4
                                      : 0;

        for (size_t i = 1; i < len; i++)
                if ((text[i] & 0xc0) != 0x80)
                        return 0;
        return len;
}

/*
 * Words out of files and messages go to terminals and into JSON: control characters,
 * and characters that a limit cut in two, become question marks.
 */
static void
make_printable(char *text)
{
        unsigned char *c = (unsigned char *)text;

        while (*c != '\0') {
                size_t len = character_len(c);

                if (len == 0 || *c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
                        *c = '?';
                c += *c == '?' ? 1 : len;
        }
}

static void
push_frame(struct kp_error *err, const char *func, const char *format, va_list args)
{
        struct kp_error_frame *frame;

        if (err->n_frames == KP_ERROR_FRAMES)
                return;
        frame = &err->frames[err->n_frames++];
        frame->func = func;
        /* may truncate */
        (void)vsnprintf(frame->text, sizeof(frame->text), format, args);
        make_printable(frame->text);
}

int
kp_error_start(struct kp_error *err, enum kp_code code, const char *domain, int native,
        const char *func, const char *format, ...)
{
        va_list args;

        err->code = code;
        err->domain = domain;
        err->native = native;
        err->n_frames = 0;
        va_start(args, format);
        push_frame(err, func, format, args);
        va_end(args);
        return -1;
}

int
kp_error_add(struct kp_error *err, const char *func, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        push_frame(err, func, format, args);
        va_end(args);
        return -1;
}

const char *
kp_error_format(const struct kp_error *err, char *text, size_t text_len)
{
        size_t used = 0;

        text[0] = '\0';
        for (unsigned i = err->n_frames; i > 0 && used < text_len; i--)
                used += (size_t)snprintf(text + used, text_len - used, "%s%s",
                        err->frames[i - 1].text, i > 1 ? ": " : "");
        return text;
}

void
kp_error_clear(struct kp_error *err)
{
        memset(err, 0, sizeof(*err));
}
