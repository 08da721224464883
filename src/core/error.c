/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
push_frame(struct kp_error *err, const char *func, const char *format, va_list args)
{
        struct kp_error_frame *frame;

        if (err->n_frames == KP_ERROR_FRAMES)
                return;
        frame = &err->frames[err->n_frames++];
        frame->func = func;
        (void)vsnprintf(
                frame->text, sizeof(frame->text), format, args); /* may truncate */
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
