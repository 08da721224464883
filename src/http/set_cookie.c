/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cookie_internal.h"

#define NAME_VALUE_MAX 4096
#define ATTRIBUTE_MAX 1024
#define LIFETIME_MAX_MS (INT64_C(400) * 24 * 3600 * 1000) /* RFC 6265bis §5.5 */

/* Two attributes can say when a cookie ends; Max-Age wins wherever it stands. */
struct lifetime {
        bool has_expires, has_max_age;
        int64_t expires_ms, max_age_ms;
};

/* A piece of the header, without the blanks around it. */
struct piece {
        const char *at;
        size_t len;
};

static struct piece
trim(const char *at, size_t len)
{
        while (len > 0 && (*at == ' ' || *at == '\t')) {
                at++;
                len--;
        }
        while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
                len--;
        return (struct piece){ at, len };
}

static bool
piece_is(struct piece piece, const char *word)
{
        return piece.len == strlen(word) && strncasecmp(piece.at, word, piece.len) == 0;
}

static int
piece_keep(struct piece piece, char **ret, struct kp_error *err)
{
        free(*ret);
        if ((*ret = strndup(piece.at, piece.len)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "cookie");
        return 0;
}

/* Spec: RFC 6265bis §5.6.1 */
static void
take_expires(struct piece value, struct lifetime *lifetime)
{
        char text[ATTRIBUTE_MAX + 1];

        memcpy(text, value.at, value.len);
        text[value.len] = '\0';
        if (kp_cookie_date(text, &lifetime->expires_ms))
                lifetime->has_expires = true;
}

/* Spec: RFC 6265bis §5.6.2 */
static void
take_max_age(struct piece value, int64_t now_ms, struct lifetime *lifetime)
{
        bool negative = value.len > 0 && *value.at == '-';
        int64_t seconds = 0;
        size_t i = negative ? 1 : 0;

        if (i == value.len)
                return;
        for (; i < value.len; i++) {
                if (!isdigit((unsigned char)value.at[i]))
                        return;
                if (seconds < LIFETIME_MAX_MS / 1000)
                        seconds = seconds * 10 + (value.at[i] - '0');
        }
        lifetime->has_max_age = true;
        lifetime->max_age_ms =
                negative || seconds == 0 ? INT64_MIN : now_ms + seconds * 1000;
}

/* Spec: RFC 6265bis §5.6.3 */
static int
take_domain(struct piece value, struct set_cookie *cookie, struct kp_error *err)
{
        if (value.len > 0 && *value.at == '.') {
                value.at++;
                value.len--;
        }
        if (piece_keep(value, &cookie->domain, err) < 0)
                return -1;
        for (char *c = cookie->domain; *c != '\0'; c++)
                *c = (char)tolower((unsigned char)*c);
        return 0;
}

/* Spec: RFC 6265bis §5.6.4 */
static int
take_path(struct piece value, struct set_cookie *cookie, struct kp_error *err)
{
        if (value.len == 0 || *value.at != '/')
                value.len = 0;
        return piece_keep(value, &cookie->path, err);
}

/* Spec: RFC 6265bis §5.6.7 */
static enum samesite
samesite_of(struct piece value)
{
        if (piece_is(value, "None"))
                return SAMESITE_NONE;
        if (piece_is(value, "Strict"))
                return SAMESITE_STRICT;
        if (piece_is(value, "Lax"))
                return SAMESITE_LAX;
        return SAMESITE_UNSET;
}

static int
take_attribute(struct piece name, struct piece value, int64_t now_ms,
        struct set_cookie *cookie, struct lifetime *lifetime, struct kp_error *err)
{
        if (value.len > ATTRIBUTE_MAX)
                return 0;
        if (piece_is(name, "Expires"))
                take_expires(value, lifetime);
        else if (piece_is(name, "Max-Age"))
                take_max_age(value, now_ms, lifetime);
        else if (piece_is(name, "Domain"))
                return take_domain(value, cookie, err);
        else if (piece_is(name, "Path"))
                return take_path(value, cookie, err);
        else if (piece_is(name, "Secure"))
                cookie->secure = true;
        else if (piece_is(name, "HttpOnly"))
                cookie->http_only = true;
        else if (piece_is(name, "SameSite"))
                cookie->samesite = samesite_of(value);
        return 0;
}

/* Spec: RFC 6265bis §5.7 step 6 */
static void
lifetime_settle(
        const struct lifetime *lifetime, int64_t now_ms, struct set_cookie *cookie)
{
        if (!lifetime->has_max_age && !lifetime->has_expires)
                return;
        cookie->persistent = true;
        cookie->expires_ms =
                lifetime->has_max_age ? lifetime->max_age_ms : lifetime->expires_ms;
        if (cookie->expires_ms > now_ms + LIFETIME_MAX_MS)
                cookie->expires_ms = now_ms + LIFETIME_MAX_MS;
}

static int
take_name_value(const char *text, size_t len, struct set_cookie *cookie, bool *ret_ok,
        struct kp_error *err)
{
        const char *equals = memchr(text, '=', len);
        struct piece name = { text, 0 }, value = trim(text, len);

        if (equals != NULL) {
                name = trim(text, (size_t)(equals - text));
                value = trim(equals + 1, (size_t)(text + len - equals - 1));
        }
        *ret_ok = name.len + value.len > 0 && name.len + value.len <= NAME_VALUE_MAX;
        if (piece_keep(name, &cookie->name, err) < 0)
                return -1;
        return piece_keep(value, &cookie->value, err);
}

static bool
has_control(const char *text)
{
        for (; *text != '\0'; text++)
                if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
                        return true;
        return false;
}

int
kp_set_cookie_parse(const char *header, int64_t now_ms, struct set_cookie *ret,
        bool *ret_ok, struct kp_error *err)
{
        size_t len = strcspn(header, ";");
        struct lifetime lifetime = { 0 };
        const char *at = header + len;

        *ret_ok = false;
        if (has_control(header))
                return 0;
        if (take_name_value(header, len, ret, ret_ok, err) < 0)
                return -1;
        while (*at == ';') {
                const char *equals;
                struct piece name, value = { "", 0 };

                len = strcspn(++at, ";");
                equals = memchr(at, '=', len);
                name = trim(at, equals == NULL ? len : (size_t)(equals - at));
                if (equals != NULL)
                        value = trim(equals + 1, (size_t)(at + len - equals - 1));
                if (take_attribute(name, value, now_ms, ret, &lifetime, err) < 0)
                        return -1;
                at += len;
        }
        lifetime_settle(&lifetime, now_ms, ret);
        return 0;
}

void
kp_set_cookie_done(struct set_cookie *cookie)
{
        free(cookie->name);
        free(cookie->value);
        free(cookie->domain);
        free(cookie->path);
        *cookie = (struct set_cookie){ 0 };
}
