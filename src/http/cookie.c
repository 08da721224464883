/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/http/cookie.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keypilot/core/free.h"
#include "keypilot/http/message.h"

#include "cookie_internal.h"

#define JAR_MAX 3000
#define LAX_ALLOW_POST_MS 120000 /* RFC 6265bis §5.6.7.2: two minutes */

struct cookie {
        struct set_cookie set; /* domain and path are final here */
        bool host_only;
        bool path_given; /* not the default path */
        int64_t created_ms;
        uint64_t order; /* of creation, where the clock says the same */
};

struct kp_jar {
        enum kp_samesite_default by_default;
        struct cookie *cookies;
        size_t n_cookies;
        uint64_t n_created;
};

/* A request, with what every cookie is compared against worked out once. */
struct asked {
        struct kp_url url;
        bool secure;
        bool same_site;
        bool safe_method;
        bool top_level;
        int64_t now_ms;
};

int
kp_jar_new(
        enum kp_samesite_default by_default, struct kp_jar **ret, struct kp_error *err)
{
        struct kp_jar *jar = calloc(1, sizeof(*jar));

        if (jar == NULL)
                return KP_FAIL(err, KP_ENOMEM, "cookie jar");
        jar->by_default = by_default;
        *ret = jar;
        return 0;
}

void
kp_jar_clear(struct kp_jar *jar)
{
        for (size_t i = 0; i < jar->n_cookies; i++)
                kp_set_cookie_done(&jar->cookies[i].set);
        free(jar->cookies);
        jar->cookies = NULL;
        jar->n_cookies = 0;
}

void
kp_jar_free(struct kp_jar **jar)
{
        if (*jar == NULL)
                return;
        kp_jar_clear(*jar);
        free(*jar);
        *jar = NULL;
}

static void
jar_remove(struct kp_jar *jar, size_t i)
{
        kp_set_cookie_done(&jar->cookies[i].set);
        memmove(&jar->cookies[i], &jar->cookies[i + 1],
                (--jar->n_cookies - i) * sizeof(*jar->cookies));
}

void
kp_jar_end_session(struct kp_jar *jar)
{
        for (size_t i = jar->n_cookies; i-- > 0;)
                if (!jar->cookies[i].set.persistent)
                        jar_remove(jar, i);
}

static void
jar_expire(struct kp_jar *jar, int64_t now_ms)
{
        for (size_t i = jar->n_cookies; i-- > 0;)
                if (jar->cookies[i].set.persistent &&
                        jar->cookies[i].set.expires_ms <= now_ms)
                        jar_remove(jar, i);
}

/*
 * DEVIATION RFC 6265bis §5.8.3: it leaves open what a secure connection is; we take the
 * machine itself for one, because Chrome and Firefox do (Safari does not).
 */
static bool
is_secure(const struct kp_url *url)
{
        size_t len = strlen(url->host);

        if (strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0)
                return true;
        return strcmp(url->host, "localhost") == 0 ||
               (len > 10 && strcmp(url->host + len - 10, ".localhost") == 0) ||
               strcmp(url->host, "[::1]") == 0 ||
               (strncmp(url->host, "127.", 4) == 0 &&
                       strspn(url->host, "0123456789.") == len);
}

/* Spec: RFC 9110 §9.2.1 */
static bool
is_safe_method(const char *method)
{
        return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
               strcmp(method, "OPTIONS") == 0 || strcmp(method, "TRACE") == 0;
}

static int
asked_init(const struct kp_cookie_context *context, struct asked *asked,
        struct kp_error *err)
{
        if (kp_url_parse(context->url, &asked->url, err) < 0)
                return KP_WHILE(err, "cookies of a request");
        asked->secure = is_secure(&asked->url);
        asked->safe_method = is_safe_method(context->method);
        asked->top_level = context->top_level;
        asked->now_ms = context->now_ms;
        asked->same_site = true;
        if (context->initiator == NULL)
                return 0;
        return kp_same_site(context->initiator, context->url, &asked->same_site, err);
}

static void
asked_done(struct asked *asked)
{
        kp_url_done(&asked->url);
}

/* Spec: RFC 6265bis §5.1.3 */
static bool
domain_matches(const char *host, const char *domain)
{
        size_t host_len = strlen(host), domain_len = strlen(domain);

        if (strcmp(host, domain) == 0)
                return true;
        return host_len > domain_len && host[host_len - domain_len - 1] == '.' &&
               strcmp(host + host_len - domain_len, domain) == 0 && *host != '[' &&
               strspn(host, "0123456789.") != host_len;
}

/* Spec: RFC 6265bis §5.1.4 */
static bool
path_matches(const char *path, const char *cookie_path)
{
        size_t len = strlen(cookie_path);

        return strncmp(path, cookie_path, len) == 0 &&
               (path[len] == '\0' || cookie_path[len - 1] == '/' || path[len] == '/');
}

/* Spec: RFC 6265bis §5.1.4 "default-path" */
static char *
default_path(const char *path)
{
        const char *last = strrchr(path, '/');

        return last == path ? strdup("/") : strndup(path, (size_t)(last - path));
}

static bool
has_prefix(const char *text, const char *prefix)
{
        return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* Spec: RFC 6265bis §5.7 steps 20 to 22 */
static bool
prefix_holds(const struct cookie *cookie)
{
        const struct set_cookie *set = &cookie->set;

        if (*set->name == '\0')
                return !has_prefix(set->value, "__Secure-") &&
                       !has_prefix(set->value, "__Host-");
        if (has_prefix(set->name, "__Secure-"))
                return set->secure;
        if (has_prefix(set->name, "__Host-"))
                return set->secure && cookie->host_only && cookie->path_given &&
                       strcmp(set->path, "/") == 0;
        return true;
}

/* Whose cookie it becomes. Spec: RFC 6265bis §5.7 steps 8 to 10 */
static const char *
settle_domain(struct cookie *cookie, const struct asked *asked)
{
        struct set_cookie *set = &cookie->set;

        for (const char *c = set->domain; c != NULL && *c != '\0'; c++)
                if ((unsigned char)*c >= 0x80)
                        return "malformed";
        cookie->host_only = set->domain == NULL || *set->domain == '\0';
        if (!cookie->host_only && kp_is_public_suffix(set->domain)) {
                if (strcmp(set->domain, asked->url.host) != 0)
                        return "public-suffix";
                cookie->host_only = true;
        }
        if (!cookie->host_only && !domain_matches(asked->url.host, set->domain))
                return "other-domain";
        return NULL;
}

/* "Leave secure cookies alone." Spec: RFC 6265bis §5.7 step 16 */
static bool
shadows_secure(const struct kp_jar *jar, const struct cookie *cookie,
        const struct asked *asked)
{
        if (cookie->set.secure || asked->secure)
                return false;
        for (size_t i = 0; i < jar->n_cookies; i++) {
                const struct set_cookie *old = &jar->cookies[i].set;

                if (old->secure && strcmp(old->name, cookie->set.name) == 0 &&
                        (domain_matches(old->domain, cookie->set.domain) ||
                                domain_matches(cookie->set.domain, old->domain)) &&
                        path_matches(cookie->set.path, old->path))
                        return true;
        }
        return false;
}

static int
settle_text(struct cookie *cookie, const struct asked *asked, struct kp_error *err)
{
        struct set_cookie *set = &cookie->set;

        if (cookie->host_only) {
                free(set->domain);
                set->domain = strdup(asked->url.host);
        }
        cookie->path_given = set->path != NULL && *set->path != '\0';
        if (!cookie->path_given) {
                free(set->path);
                set->path = default_path(asked->url.path);
        }
        return set->domain == NULL || set->path == NULL
                       ? KP_FAIL(err, KP_ENOMEM, "cookie")
                       : 0;
}

/* Why a browser would not keep it, or NULL. Spec: RFC 6265bis §5.7, in its order */
static const char *
refusal(const struct kp_jar *jar, const struct cookie *cookie,
        const struct asked *asked)
{
        const struct set_cookie *set = &cookie->set;
        bool as_none = set->samesite == SAMESITE_NONE ||
                       (set->samesite == SAMESITE_UNSET &&
                               jar->by_default == KP_SAMESITE_DEFAULT_NONE);

        if (set->secure && !asked->secure)
                return "secure-on-http";
        if (shadows_secure(jar, cookie, asked))
                return "secure-on-http";
        if (!as_none && !asked->same_site && !asked->top_level)
                return "cross-site";
        if (set->samesite == SAMESITE_NONE && !set->secure)
                return "samesite-none-insecure";
        return prefix_holds(cookie) ? NULL : "prefix";
}

static struct cookie *
jar_find(struct kp_jar *jar, const struct cookie *like)
{
        for (size_t i = 0; i < jar->n_cookies; i++) {
                struct cookie *old = &jar->cookies[i];

                if (strcmp(old->set.name, like->set.name) == 0 &&
                        strcmp(old->set.domain, like->set.domain) == 0 &&
                        old->host_only == like->host_only &&
                        strcmp(old->set.path, like->set.path) == 0)
                        return old;
        }
        return NULL;
}

/* Takes over what the cookie owns. Spec: RFC 6265bis §5.7 steps 23 and 24 */
static int
jar_keep(struct kp_jar *jar, struct cookie *cookie, struct kp_error *err)
{
        struct cookie *old = jar_find(jar, cookie), *grown;

        if (old != NULL) {
                /*
                 * DEVIATION RFC 6265bis §5.7: it keeps the first creation time; Chrome
                 * keeps it only while the value stays the same (measured in 156), and
                 * the two minutes in which a POST may carry the cookie hang on it.
                 */
                if (strcmp(old->set.value, cookie->set.value) == 0)
                        cookie->created_ms = old->created_ms;
                cookie->order = old->order;
                kp_set_cookie_done(&old->set);
                *old = *cookie;
                *cookie = (struct cookie){ 0 };
                return 0;
        }
        if (jar->n_cookies == JAR_MAX)
                jar_remove(jar, 0);
        grown = reallocarray(jar->cookies, jar->n_cookies + 1, sizeof(*grown));
        if (grown == NULL)
                return KP_FAIL(err, KP_ENOMEM, "cookie jar");
        jar->cookies = grown;
        cookie->order = jar->n_created++;
        grown[jar->n_cookies++] = *cookie;
        *cookie = (struct cookie){ 0 };
        return 0;
}

static void
cookie_done(struct cookie *cookie)
{
        kp_set_cookie_done(&cookie->set);
}

int
kp_jar_store(struct kp_jar *jar, const struct kp_cookie_context *context,
        const char *set_cookie, const char **ret_why, struct kp_error *err)
{
        KP_CLEANUP(cookie_done)
        struct cookie cookie = { .created_ms = context->now_ms };
        KP_CLEANUP(asked_done) struct asked asked = { 0 };
        bool ok;

        if (asked_init(context, &asked, err) < 0 ||
                kp_set_cookie_parse(
                        set_cookie, context->now_ms, &cookie.set, &ok, err) < 0)
                return -1;
        *ret_why = ok ? settle_domain(&cookie, &asked) : "malformed";
        if (*ret_why != NULL)
                return 0;
        if (settle_text(&cookie, &asked, err) < 0)
                return -1;
        if ((*ret_why = refusal(jar, &cookie, &asked)) != NULL)
                return 0;
        if (jar_keep(jar, &cookie, err) < 0)
                return -1;
        jar_expire(jar, context->now_ms);
        return 0;
}

static bool
is_addressed(const struct cookie *cookie, const struct asked *asked)
{
        return (cookie->host_only
                               ? strcmp(asked->url.host, cookie->set.domain) == 0
                               : domain_matches(asked->url.host, cookie->set.domain)) &&
               path_matches(asked->url.path, cookie->set.path) &&
               (asked->secure || !cookie->set.secure);
}

/* Spec: RFC 6265bis §5.8.3 step 1, "same-site-flag", and §5.6.7.2 */
static bool
samesite_allows(const struct kp_jar *jar, const struct cookie *cookie,
        const struct asked *asked)
{
        if (asked->same_site || cookie->set.samesite == SAMESITE_NONE)
                return true;
        if (cookie->set.samesite == SAMESITE_STRICT)
                return false;
        if (cookie->set.samesite == SAMESITE_UNSET) {
                if (jar->by_default == KP_SAMESITE_DEFAULT_NONE)
                        return true;
                if (jar->by_default == KP_SAMESITE_DEFAULT_LAX_ALLOW_POST &&
                        asked->top_level &&
                        asked->now_ms - cookie->created_ms <= LAX_ALLOW_POST_MS)
                        return true;
        }
        return asked->top_level && asked->safe_method;
}

/* Longer paths first, then older cookies. Spec: RFC 6265bis §5.8.3 step 2 */
static int
compare_cookies(const void *a, const void *b)
{
        const struct cookie *x = *(const struct cookie *const *)a;
        const struct cookie *y = *(const struct cookie *const *)b;
        size_t x_len = strlen(x->set.path), y_len = strlen(y->set.path);

        if (x_len != y_len)
                return x_len > y_len ? -1 : 1;
        if (x->created_ms != y->created_ms)
                return x->created_ms < y->created_ms ? -1 : 1;
        return x->order < y->order ? -1 : x->order > y->order;
}

static void
put_cookies(const struct cookie *const *cookies, size_t n_cookies, struct kp_buf *ret)
{
        for (size_t i = 0; i < n_cookies; i++) {
                const struct set_cookie *set = &cookies[i]->set;

                if (i > 0)
                        kp_buf_puts(ret, "; ");
                if (*set->name != '\0')
                        kp_buf_printf(ret, "%s=", set->name);
                kp_buf_puts(ret, set->value);
        }
}

int
kp_jar_header(struct kp_jar *jar, const struct kp_cookie_context *context,
        struct kp_buf *ret, size_t *ret_withheld, struct kp_error *err)
{
        KP_CLEANUP(asked_done) struct asked asked = { 0 };
        const struct cookie **sent;
        size_t n_sent = 0;

        *ret_withheld = 0;
        if (asked_init(context, &asked, err) < 0)
                return -1;
        jar_expire(jar, context->now_ms);
        if (jar->n_cookies == 0)
                return 0;
        if ((sent = calloc(jar->n_cookies, sizeof(const struct cookie *))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "cookies");
        for (size_t i = 0; i < jar->n_cookies; i++) {
                if (!is_addressed(&jar->cookies[i], &asked))
                        continue;
                if (samesite_allows(jar, &jar->cookies[i], &asked))
                        sent[n_sent++] = &jar->cookies[i];
                else
                        (*ret_withheld)++;
        }
        qsort(sent, n_sent, sizeof(const struct cookie *), compare_cookies);
        put_cookies(sent, n_sent, ret);
        free(sent);
        return kp_buf_check(ret, err);
}

bool
kp_cookie_get(const char *header, const char *name, struct kp_buf *ret)
{
        size_t name_len = strlen(name);

        for (const char *at = header; at != NULL && *at != '\0';) {
                size_t len;

                at += strspn(at, " \t;");
                len = strcspn(at, ";");
                if (strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
                        kp_buf_put(ret, at + name_len + 1, len - name_len - 1);
                        return true;
                }
                at += len;
        }
        return false;
}
