/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <ctype.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/http/message.h"

/* Schemes with an authority whose rules browsers know. Spec: URL Standard §4.2 */
static const struct scheme {
        const char *name;
        int port;
} special_schemes[] = {
        { "http", 80 },
        { "https", 443 },
        { "ws", 80 },
        { "wss", 443 },
};

/* Where the parts of a URL lie in its text; a part that is absent has a NULL `at`. */
struct span {
        const char *at;
        size_t len;
};
struct parts {
        struct span scheme, authority, path, query, fragment;
};

static const struct scheme *
scheme_find(struct span name)
{
        for (size_t i = 0; i < KP_NELEMS(special_schemes); i++)
                if (strlen(special_schemes[i].name) == name.len &&
                        strncasecmp(special_schemes[i].name, name.at, name.len) == 0)
                        return &special_schemes[i];
        return NULL;
}

static char *
span_dup(struct span span)
{
        return strndup(span.at, span.len);
}

static char *
span_dup_lower(struct span span)
{
        char *text = span_dup(span);

        for (char *c = text; c != NULL && *c != '\0'; c++)
                *c = (char)tolower((unsigned char)*c);
        return text;
}

/* Without blanks and controls around it, and without tabs and line breaks inside. */
static char *
text_clean(const char *text)
{
        size_t len = strlen(text), n = 0;
        char *clean;

        while (len > 0 && (unsigned char)text[len - 1] <= ' ')
                len--;
        while (len > 0 && (unsigned char)*text <= ' ') {
                text++;
                len--;
        }
        if ((clean = malloc(len + 1)) == NULL)
                return NULL;
        for (size_t i = 0; i < len; i++)
                if (strchr("\t\n\r", text[i]) == NULL)
                        clean[n++] = text[i];
        clean[n] = '\0';
        return clean;
}

static struct span
span_until(const char **at, const char *stop)
{
        struct span span = { *at, strcspn(*at, stop) };

        *at += span.len;
        return span;
}

/* The scheme at the start of a text, without its colon; empty when there is none. */
static struct span
scheme_scan(const char *text)
{
        struct span none = { NULL, 0 };
        size_t n = 0;

        if (!isalpha((unsigned char)*text))
                return none;
        while (isalnum((unsigned char)text[n]) ||
                (text[n] != '\0' && strchr("+-.", text[n])))
                n++;
        return text[n] == ':' ? (struct span){ text, n } : none;
}

static bool
is_slash(char c, bool special)
{
        return c == '/' || (special && c == '\\');
}

/* Cut a cleaned text into parts. `special` says whether "\" counts as "/". */
static struct parts
parts_scan(const char *text, bool *ret_special, const struct scheme *inherited)
{
        struct parts parts = { .scheme = scheme_scan(text) };
        const struct scheme *scheme = inherited;
        const char *at = text;

        if (parts.scheme.at != NULL) {
                scheme = scheme_find(parts.scheme);
                at += parts.scheme.len + 1;
        }
        *ret_special = scheme != NULL;
        /* after a scheme that is not the base's, browsers forgive any slashes */
        if ((is_slash(at[0], *ret_special) && is_slash(at[1], *ret_special)) ||
                (*ret_special && scheme != inherited)) {
                for (int n = 0; is_slash(*at, *ret_special) && (n < 2 || *ret_special);
                        n++)
                        at++;
                parts.authority = span_until(&at, *ret_special ? "/\\?#" : "/?#");
        }
        parts.path = span_until(&at, "?#");
        if (*at == '?') {
                at++;
                parts.query = span_until(&at, "#");
        }
        if (*at == '#')
                parts.fragment = (struct span){ at + 1, strlen(at + 1) };
        return parts;
}

/* Spec: URL Standard §1.3 "percent-encode sets"; `also` is added to C0 and blank. */
static int
encode(struct span span, const char *also, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };

        for (size_t i = 0; i < span.len; i++) {
                unsigned char c = (unsigned char)span.at[i];

                if (c <= ' ' || c >= 0x7f || strchr(also, c) != NULL)
                        kp_buf_printf(&buf, "%%%02X", c);
                else
                        kp_buf_put_u8(&buf, c);
        }
        if (kp_buf_check(&buf, err) < 0)
                return -1;
        if ((*ret = strdup(kp_buf_str(&buf))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        return 0;
}

/* How many characters of a segment are dots, "%2e" included; 0: there is more. */
static int
dot_segment(const char *segment, size_t len)
{
        int dots = 0;

        for (size_t i = 0; i < len; dots++) {
                if (segment[i] == '.')
                        i++;
                else if (len - i >= 3 && strncasecmp(segment + i, "%2e", 3) == 0)
                        i += 3;
                else
                        return 0;
        }
        return dots <= 2 ? dots : 0;
}

/* Remove "." and ".." in place. Spec: RFC 3986 §5.2.4 */
static void
path_normalise(char *path)
{
        char *in = path, *out = path;

        while (*in == '/') {
                size_t len = strcspn(in + 1, "/");
                int dots = dot_segment(in + 1, len);
                bool last = in[1 + len] == '\0';

                if (dots == 2)
                        while (out > path && *--out != '/')
                                ;
                if (dots == 0) {
                        memmove(out, in, len + 1);
                        out += len + 1;
                } else if (last) {
                        *out++ = '/';
                }
                in += len + 1;
        }
        *out = '\0';
}

static int
path_parse(struct span span, bool special, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *rooted = NULL;
        char *path;

        rooted = kp_format("%s%.*s",
                span.len > 0 && is_slash(*span.at, special) ? "" : "/", (int)span.len,
                span.len > 0 ? span.at : "");
        if (rooted == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        for (path = rooted; special && *path != '\0'; path++)
                if (*path == '\\')
                        *path = '/';
        if (encode((struct span){ rooted, strlen(rooted) }, "\"#<>?^`{}", &path, err) <
                0)
                return -1;
        path_normalise(path);
        *ret = path;
        return 0;
}

static int
hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char)tolower((unsigned char)c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void
percent_decode(char *text)
{
        char *out = text;

        for (char *in = text; *in != '\0'; in++) {
                int high = *in == '%' ? hex_digit(in[1]) : -1;
                int low = high >= 0 ? hex_digit(in[2]) : -1;

                if (low < 0) {
                        *out++ = *in;
                        continue;
                }
                *out++ = (char)(high * 16 + low);
                in += 2;
        }
        *out = '\0';
}

static bool
ends_in_number(const char *host)
{
        const char *dot = strrchr(host, '.');
        const char *last = dot == NULL ? host : dot + 1;

        return *last != '\0' &&
               (strspn(last, "0123456789") == strlen(last) ||
                       (strncasecmp(last, "0x", 2) == 0 &&
                               strspn(last + 2, "0123456789abcdefABCDEF") ==
                                       strlen(last + 2)));
}

/* Spec: URL Standard §3.5 "host parser": brackets hold IPv6, a last number is IPv4. */
static int
host_address(const char *host, char **ret, struct kp_error *err)
{
        char text[INET6_ADDRSTRLEN];
        struct in6_addr six;
        struct in_addr four;

        if (*host == '[') {
                KP_CLEANUP(kp_free_str)
                char *inner = strndup(host + 1, strlen(host + 1) - 1);

                if (inner == NULL || host[strlen(host) - 1] != ']' ||
                        inet_pton(AF_INET6, inner, &six) != 1)
                        return KP_FAIL(
                                err, KP_EPARSE, "'%.60s' is no IPv6 address", host);
                *ret = kp_format("[%s]", inet_ntop(AF_INET6, &six, text, sizeof(text)));
        } else if (inet_aton(host, &four) != 0) {
                *ret = strdup(inet_ntop(AF_INET, &four, text, sizeof(text)));
        } else {
                return KP_FAIL(err, KP_EPARSE, "'%.60s' is no IPv4 address", host);
        }
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "URL") : 0;
}

static int
host_to_ascii(const char *host, char **ret, struct kp_error *err)
{
        char *ascii = NULL;
        int rc = idn2_to_ascii_8z(host, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

        if (rc != IDN2_OK)
                return KP_FAIL_AS(err, KP_EPARSE, "idn2", rc,
                        "'%.60s' is no host name: %s", host, idn2_strerror(rc));
        *ret = strdup(ascii);
        idn2_free(ascii);
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "URL") : 0;
}

static bool
is_ascii(const char *text)
{
        for (; *text != '\0'; text++)
                if ((unsigned char)*text >= 0x80)
                        return false;
        return true;
}

static int
host_parse(struct span span, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *host = span_dup_lower(span);

        if (host == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        if (*host == '[')
                return host_address(host, ret, err);
        percent_decode(host);
        if (*host == '\0')
                return KP_FAIL(err, KP_EPARSE, "a URL without a host");
        /* Spec: URL Standard §3.2 "forbidden domain code points" */
        for (const char *c = host; *c != '\0'; c++)
                if ((unsigned char)*c <= ' ' ||
                        strchr("#%/:<>?@[\\]^|\x7f", *c) != NULL)
                        return KP_FAIL(err, KP_EPARSE,
                                "'%.60s' holds a character that no host name has",
                                host);
        if (ends_in_number(host))
                return host_address(host, ret, err);
        if (!is_ascii(host))
                return host_to_ascii(host, ret, err);
        for (char *c = host; *c != '\0'; c++)
                *c = (char)tolower((unsigned char)*c);
        *ret = KP_STEAL(host);
        return 0;
}

static int
port_parse(struct span span, int *ret, struct kp_error *err)
{
        long port = 0;

        for (size_t i = 0; i < span.len; i++) {
                if (!isdigit((unsigned char)span.at[i]))
                        port = 65536;
                if (port <= 65535)
                        port = port * 10 + (span.at[i] - '0');
        }
        if (port > 65535)
                return KP_FAIL(
                        err, KP_EPARSE, "'%.*s' is no port", (int)span.len, span.at);
        if (span.len > 0)
                *ret = (int)port;
        return 0;
}

/* [ user information "@" ] host [ ":" port ] */
static int
authority_parse(struct span span, struct kp_url *url, struct kp_error *err)
{
        const char *at = memrchr(span.at, '@', span.len);
        const char *end = span.at + span.len;
        const char *host = at == NULL ? span.at : at + 1;
        const char *bracket = memchr(host, ']', (size_t)(end - host));
        const char *from = *host == '[' && bracket != NULL ? bracket : host;
        const char *colon = memchr(from, ':', (size_t)(end - from));

        if (colon != NULL &&
                port_parse((struct span){ colon + 1, (size_t)(end - colon - 1) },
                        &url->port, err) < 0)
                return -1;
        return host_parse(
                (struct span){ host, (size_t)((colon == NULL ? end : colon) - host) },
                &url->host, err);
}

static int
parts_to_url(const struct parts *parts, bool special, struct kp_url *url,
        struct kp_error *err)
{
        const struct scheme *scheme = scheme_find(parts->scheme);

        if (parts->authority.at == NULL)
                return KP_FAIL(err, KP_EPARSE, "a URL without a host");
        url->port = scheme == NULL ? 0 : scheme->port;
        if ((url->scheme = span_dup_lower(parts->scheme)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        if (authority_parse(parts->authority, url, err) < 0 ||
                path_parse(parts->path, special, &url->path, err) < 0)
                return -1;
        if (parts->query.at != NULL &&
                encode(parts->query, special ? "\"#<>'" : "\"#<>", &url->query, err) <
                        0)
                return -1;
        if (parts->fragment.at != NULL &&
                encode(parts->fragment, "\"<>`", &url->fragment, err) < 0)
                return -1;
        return 0;
}

int
kp_url_parse(const char *text, struct kp_url *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *clean = text_clean(text);
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
        struct parts parts;
        bool special;

        if (clean == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        parts = parts_scan(clean, &special, NULL);
        if (parts.scheme.at == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "'%.80s' is no URL: expected it to start with \"https://\"",
                        text);
        if (parts_to_url(&parts, special, &url, err) < 0)
                return KP_WHILE(err, "URL '%.80s'", text);
        *ret = url;
        url = (struct kp_url){ 0 };
        return 0;
}

void
kp_url_done(struct kp_url *url)
{
        free(url->scheme);
        free(url->host);
        free(url->path);
        free(url->query);
        free(url->fragment);
        *url = (struct kp_url){ 0 };
}

static bool
port_is_default(const struct kp_url *url)
{
        const struct scheme *scheme =
                scheme_find((struct span){ url->scheme, strlen(url->scheme) });

        return url->port == (scheme == NULL ? 0 : scheme->port);
}

static char *
origin_of(const struct kp_url *url)
{
        if (port_is_default(url))
                return kp_format("%s://%s", url->scheme, url->host);
        return kp_format("%s://%s:%d", url->scheme, url->host, url->port);
}

int
kp_url_write(const struct kp_url *url, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *origin = origin_of(url);
        bool query = url->query != NULL, fragment = url->fragment != NULL;

        if (origin == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        *ret = kp_format("%s%s%s%s%s%s", origin, url->path, query ? "?" : "",
                query ? url->query : "", fragment ? "#" : "",
                fragment ? url->fragment : "");
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "URL") : 0;
}

int
kp_url_origin(const char *url, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_url_done) struct kp_url parsed = { 0 };

        if (kp_url_parse(url, &parsed, err) < 0)
                return -1;
        if ((*ret = origin_of(&parsed)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        return 0;
}

/* The reference's path against the base's. Spec: RFC 3986 §5.2.3 "merge" */
static int
path_resolve(const struct kp_url *base, const struct parts *ref, bool special,
        char **ret, struct kp_error *err)
{
        const char *slash = strrchr(base->path, '/');
        KP_CLEANUP(kp_free_str) char *merged = NULL;

        if (ref->path.len > 0 && is_slash(*ref->path.at, special))
                return path_parse(ref->path, special, ret, err);
        if (ref->path.len == 0)
                merged = strdup(base->path);
        else
                merged = kp_format("%.*s/%.*s", (int)(slash - base->path), base->path,
                        (int)ref->path.len, ref->path.at);
        if (merged == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        return path_parse((struct span){ merged, strlen(merged) }, special, ret, err);
}

/* A reference without scheme and host. Spec: RFC 3986 §5.2.2 */
static int
resolve_relative(const struct kp_url *base, const struct parts *ref, bool special,
        char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_free_str) char *query = NULL;
        KP_CLEANUP(kp_free_str) char *fragment = NULL;
        struct kp_url url = *base;

        if (path_resolve(base, ref, special, &path, err) < 0)
                return -1;
        if (ref->query.at != NULL &&
                encode(ref->query, special ? "\"#<>'" : "\"#<>", &query, err) < 0)
                return -1;
        if (ref->fragment.at != NULL &&
                encode(ref->fragment, "\"<>`", &fragment, err) < 0)
                return -1;
        url.path = path;
        if (ref->path.len > 0 || query != NULL)
                url.query = query;
        url.fragment = fragment;
        return kp_url_write(&url, ret, err);
}

/* A reference with a host: what it lacks is its scheme alone. */
static int
resolve_absolute(const struct kp_url *base, struct parts *ref, bool special, char **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };

        if (ref->scheme.at == NULL)
                ref->scheme = (struct span){ base->scheme, strlen(base->scheme) };
        if (parts_to_url(ref, special, &url, err) < 0)
                return -1;
        return kp_url_write(&url, ret, err);
}

int
kp_url_resolve(
        const char *base, const char *reference, char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *clean = text_clean(reference);
        KP_CLEANUP(kp_url_done) struct kp_url from = { 0 };
        const struct scheme *scheme;
        struct parts parts;
        bool special;

        if (clean == NULL)
                return KP_FAIL(err, KP_ENOMEM, "URL");
        if (kp_url_parse(base, &from, err) < 0)
                return -1;
        scheme = scheme_find((struct span){ from.scheme, strlen(from.scheme) });
        parts = parts_scan(clean, &special, scheme);
        if (parts.authority.at != NULL) {
                if (resolve_absolute(&from, &parts, special, ret, err) < 0)
                        return KP_WHILE(err, "URL '%.80s'", reference);
                return 0;
        }
        /* "https:path" on an https page is relative; another scheme stands alone */
        if (parts.scheme.at != NULL &&
                (scheme == NULL || scheme_find(parts.scheme) != scheme)) {
                *ret = KP_STEAL(clean);
                return 0;
        }
        return resolve_relative(&from, &parts, special, ret, err);
}
