/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_HTTP_COOKIE_INTERNAL_H
#define KEYPILOT_HTTP_COOKIE_INTERNAL_H

#include "keypilot/http/cookie.h"

/*
 * Reading one Set-Cookie header, apart from keeping what it says.
 */
enum samesite { SAMESITE_UNSET, SAMESITE_NONE, SAMESITE_LAX, SAMESITE_STRICT };

struct set_cookie {
        char *name, *value;
        char *domain; /* lower case, without a leading dot; "" when absent */
        char *path;   /* "" when absent or not absolute */
        bool secure, http_only, persistent;
        int64_t expires_ms; /* when persistent */
        enum samesite samesite;
};

/*
 * ret_ok   false: a browser ignores this header altogether
 * Errors   KP_ENOMEM
 * Spec     RFC 6265bis §5.6
 */
int kp_set_cookie_parse(const char *header, int64_t now_ms, struct set_cookie *ret,
        bool *ret_ok, struct kp_error *err) KP_MUST_CHECK;
void kp_set_cookie_done(struct set_cookie *cookie);

/* A date as cookies write it; false when it is none. Spec: RFC 6265bis §5.1.1 */
bool kp_cookie_date(const char *text, int64_t *ret_ms);

#endif
