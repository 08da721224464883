/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_ERROR_H
#define KEYPILOT_CORE_ERROR_H

#include "keypilot/core/base.h"

/*
 * Errors: the harness could not do its job. What a pilot finds out (a refused PIN, a
 * broken assertion) is an outcome and never an error.
 *
 * A function that can fail returns 0 or -1 and fills the `struct kp_error` that is its
 * last parameter. Errors need no heap and nothing to free; initialise with { 0 }.
 */
enum kp_code {
        KP_OK,
        KP_ENOMEM,
        KP_EIO,          /* a file, socket or device could not be read or written */
        KP_EPARSE,       /* bytes that are not what they claim to be */
        KP_ESCHEMA,      /* well-formed, but a member is unknown, missing or wrong */
        KP_ENOTFOUND,    /* no such thing; callers may branch on it */
        KP_EUNSUPPORTED, /* cannot be expressed here; callers may branch on it */
        KP_EUSAGE,       /* the command line asks for something impossible */
        KP_EENV,         /* the machine is not ready */
        KP_ESAFETY,      /* refused, or stopped, to protect a real key */
        KP_EINTEGRITY,   /* a hash chain or signature does not hold */
        KP_EBUG,         /* our own fault */
};

#define KP_ERROR_FRAMES 8
#define KP_ERROR_TEXT 256

struct kp_error {
        enum kp_code code;
        const char *domain; /* "errno", "fido2", "openssl", "xml"; NULL: ours */
        int native;         /* code in that domain, 0 if none */
        unsigned n_frames;  /* frames[0] is the origin, the last the outermost caller */
        struct kp_error_frame {
                const char *func;
                char text[KP_ERROR_TEXT];
        } frames[KP_ERROR_FRAMES];
};

/* Start an error. Evaluates to -1, so: return KP_FAIL(err, KP_EIO, "%s", path); */
#define KP_FAIL(err, code, ...)                                                        \
        kp_error_start((err), (code), NULL, 0, __func__, __VA_ARGS__)

/* The same with another library's code: KP_FAIL_AS(err, KP_EIO, "errno", errno, ...) */
#define KP_FAIL_AS(err, code, domain, native, ...)                                     \
        kp_error_start((err), (code), (domain), (native), __func__, __VA_ARGS__)

/* Add what the caller was doing, from the inside out. Evaluates to -1 as well. */
#define KP_WHILE(err, ...) kp_error_add((err), __func__, __VA_ARGS__)

/* What the macros call. Characters that no terminal should get become '?'. */
int kp_error_start(struct kp_error *err, enum kp_code code, const char *domain,
        int native, const char *func, const char *format, ...) KP_PRINTF(6, 7);
int kp_error_add(struct kp_error *err, const char *func, const char *format, ...)
        KP_PRINTF(3, 4);

/*
 * One sentence, outermost context first: "fixtures/a.json: member 'id': expected a
 * string".
 *
 * text     written, always NUL-terminated; returned for convenience
 */
const char *kp_error_format(const struct kp_error *err, char *text, size_t text_len);

/* Forget an error that was handled (after KP_ENOTFOUND or KP_EUNSUPPORTED). */
void kp_error_clear(struct kp_error *err);

#endif
