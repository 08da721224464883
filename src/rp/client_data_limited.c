/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"

#include "ceremony.h"

/*
 * clientDataJSON without a JSON parser: it has to begin as every client must write it.
 * Spec: WebAuthn L3 §5.8.1.1 "Serialization", §5.8.1.2 "Limited Verification Algorithm"
 */

/* "CCDToString" of §5.8.1.1, over UTF-8: only quotes, backslashes and controls change. */
static void
put_text(struct kp_buf *ret, const char *text)
{
        kp_buf_put_u8(ret, '"');
        for (; *text != '\0'; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '"' || c == '\\')
                        kp_buf_printf(ret, "\\%c", c);
                else if (c < 0x20)
                        kp_buf_printf(ret, "\\u%04x", c);
                else
                        kp_buf_put_u8(ret, c);
        }
        kp_buf_put_u8(ret, '"');
}

/* One way in which the expected client data may begin. */
struct beginning {
        const char *type, *challenge, *origin, *top_origin; /* the last: NULL */
        bool cross_origin;
};

static void
put_beginning(struct kp_buf *ret, const struct beginning *b)
{
        kp_buf_clear(ret);
        kp_buf_puts(ret, "{\"type\":");
        put_text(ret, b->type);
        kp_buf_puts(ret, ",\"challenge\":");
        put_text(ret, b->challenge);
        kp_buf_puts(ret, ",\"origin\":");
        put_text(ret, b->origin);
        if (b->top_origin == NULL) {
                kp_buf_printf(
                        ret, ",\"crossOrigin\":%s", b->cross_origin ? "true" : "false");
                return;
        }
        kp_buf_puts(ret, ",\"crossOrigin\":true,\"topOrigin\":");
        put_text(ret, b->top_origin);
}

/*
 * DEVIATION WebAuthn L3 §5.8.1.2: it lets any bytes follow a closing brace; we want none
 * there, as JSON does. Behind a comma stand members that nobody reads; topOrigin, which
 * others would read, is not among them.
 */
static bool
begins_so(const struct kp_buf *text, const struct kp_buf *beginning)
{
        static const char top[] = ",\"topOrigin\":";
        const char *rest;
        size_t rest_len;

        if (text->len <= beginning->len ||
                memcmp(text->data, beginning->data, beginning->len) != 0)
                return false;
        rest = (const char *)text->data + beginning->len;
        rest_len = text->len - beginning->len;
        if (rest[0] == '}')
                return rest_len == 1;
        return rest[0] == ',' && text->data[text->len - 1] == '}' &&
               (rest_len < sizeof(top) - 1 || memcmp(rest, top, sizeof(top) - 1) != 0);
}

static json_t *
as_json(const struct beginning *b)
{
        return json_pack("{s:s, s:s, s:s, s:b, s:s*}", "type", b->type, "challenge",
                b->challenge, "origin", b->origin, "crossOrigin", b->cross_origin,
                "topOrigin", b->top_origin);
}

static json_t *
try(const struct kp_buf *text, struct beginning *b, bool cross, const char *top)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf beginning = { 0 };

        b->cross_origin = cross;
        b->top_origin = top;
        put_beginning(&beginning, b);
        return !beginning.failed && begins_so(text, &beginning) ? as_json(b) : NULL;
}

static json_t *
try_framing(const struct kp_rp_expectation *expect, const struct kp_buf *text,
        struct beginning *b)
{
        json_t *found = try(text, b, false, NULL);

        if (found == NULL && expect->allow_cross_origin)
                found = try(text, b, true, NULL);
        for (size_t i = 0; found == NULL && expect->allow_cross_origin &&
                           i < expect->n_top_origins;
                i++)
                found = try(text, b, true, expect->top_origins[i]);
        return found;
}

json_t *
kp_rp_client_data_limited(
        const struct ceremony *c, const struct kp_buf *text, char why[200])
{
        KP_CLEANUP(kp_buf_done) struct kp_buf challenge = { 0 };
        const struct kp_rp_expectation *expect = c->expect;
        const char *usual = c->usual_type;
        const char *const *types =
                expect->n_expected_types > 0 ? expect->expected_types : &usual;
        size_t n_types = expect->n_expected_types > 0 ? expect->n_expected_types : 1;
        json_t *found = NULL;

        kp_b64url_put(&challenge, expect->challenge, expect->challenge_len);
        for (size_t i = 0; found == NULL && expect->challenge_len > 0 && i < n_types;
                i++)
                for (size_t k = 0; found == NULL && k < expect->n_origins; k++) {
                        struct beginning b = { .type = types[i],
                                .challenge = kp_buf_str(&challenge),
                                .origin = expect->origins[k] };

                        found = try_framing(expect, text, &b);
                }
        if (found == NULL)
                (void)snprintf(why, 200,
                        "clientDataJSON does not begin as expected (type, challenge, "
                        "origin and framing, in the order of clients)");
        return found;
}
