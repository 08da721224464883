/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_HTTP_COOKIE_H
#define KEYPILOT_HTTP_COOKIE_H

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * A browser's cookie jar: domains and paths, expiry, Secure, SameSite. Public suffixes
 * come from libpsl.
 * Spec: RFC 6265bis (draft 22) §5.2 (same-site), §5.6 (reading), §5.7 (storage), §5.8.3
 * (retrieval)
 */
struct kp_jar;

/* What the browser does with a cookie that has no SameSite attribute. */
enum kp_samesite_default {
        KP_SAMESITE_DEFAULT_LAX,            /* Lax */
        KP_SAMESITE_DEFAULT_LAX_ALLOW_POST, /* Lax; POST too in its first 2 minutes */
        KP_SAMESITE_DEFAULT_NONE,           /* as None */
};

/*
 * An empty jar.
 *
 * ret      the caller frees it with kp_jar_free()
 * Errors   KP_ENOMEM
 */
int kp_jar_new(enum kp_samesite_default by_default, struct kp_jar **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_jar_free(struct kp_jar **jar); /* NULL-safe, leaves NULL */

/*
 * The request that a cookie is stored from or sent with. After redirects `url` is the
 * current address and `initiator` still the page that began: as in Chrome and Firefox,
 * hops through another site on the way do not make a request cross-site.
 */
struct kp_cookie_context {
        const char *url;
        const char *method;
        const char *initiator; /* URL of the page that started it; NULL: the person */
        bool top_level;        /* navigation of the whole window, not an iframe */
        int64_t now_ms;
};

/*
 * Store what one Set-Cookie header says, if a browser would.
 *
 * ret_why  NULL when stored, else a stable word: "secure-on-http",
 *          "samesite-none-insecure", "public-suffix", "other-domain", "cross-site",
 *          "malformed", "prefix"
 * Errors   KP_EPARSE the URL is none; KP_ENOMEM
 */
int kp_jar_store(struct kp_jar *jar, const struct kp_cookie_context *context,
        const char *set_cookie, const char **ret_why,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * The Cookie header for a request, appended to `ret` (empty: none).
 *
 * ret_withheld  how many matched in every other way and were held back by SameSite
 * Errors        KP_EPARSE the URL is none; KP_ENOMEM
 */
int kp_jar_header(struct kp_jar *jar, const struct kp_cookie_context *context,
        struct kp_buf *ret, size_t *ret_withheld, struct kp_error *err) KP_MUST_CHECK;

/* Close the browser: session cookies go. */
void kp_jar_end_session(struct kp_jar *jar);
void kp_jar_clear(struct kp_jar *jar); /* all of them go */

/*
 * Are two URLs of the same site: same scheme, same registrable domain?
 *
 * Errors   KP_EPARSE one of them is no URL
 * Spec     HTML, "same site"
 */
int kp_same_site(const char *url_a, const char *url_b, bool *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * The registrable domain of a host name ("accounts.magister.net": "magister.net"), or
 * the host itself where it has none (an IP address, "localhost", a public suffix).
 *
 * host     lower case, as kp_url_parse() gives it
 * returns  points into `host`
 */
const char *kp_site_of(const char *host);

/* Is the whole host name a public suffix? The same form of `host`. */
bool kp_is_public_suffix(const char *host);

/* Append the value of one cookie in a Cookie request header; false when absent. */
bool kp_cookie_get(const char *header, const char *name, struct kp_buf *ret);

#endif
