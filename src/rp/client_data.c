/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"

#include "ceremony.h"

/*
 * clientDataJSON, through a full JSON parser: order, white space, escapes and unknown
 * members are free. tokenBinding is reserved in Level 3 and not looked at.
 */

#define CLIENT_DATA_MAX (64u << 10)

/*
 * DEVIATION WebAuthn L3 §7.1 step 5: UTF-8 decode replaces bytes that are not UTF-8; we
 * refuse them, because no client can have written them and parsers disagree about what
 * they mean.
 */
static void
parse_client_data(struct ceremony *c)
{
        const char *text = (const char *)c->client_bytes.data;
        size_t text_len = c->client_bytes.len;
        json_error_t at;

        if (c->expect->policy.limited_client_data) {
                c->client =
                        kp_rp_client_data_limited(c, &c->client_bytes, c->client_why);
                if (c->client != NULL)
                        c->parts |= PART_CLIENT_DATA;
                return;
        }
        if (text_len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                text_len -= 3;
        }
        c->client = json_loadb(text == NULL ? "" : text, text_len,
                JSON_ALLOW_NUL | (c->strict ? JSON_REJECT_DUPLICATES : 0), &at);
        if (json_is_object(c->client))
                c->parts |= PART_CLIENT_DATA;
        else
                (void)snprintf(c->client_why, sizeof(c->client_why),
                        "clientDataJSON is not a JSON object: %.120s (byte %d)",
                        at.text, at.position);
}

void
kp_rp_decode_client_data(struct ceremony *c)
{
        if (c->assertion != NULL)
                kp_buf_put(&c->client_bytes, c->assertion->client_data,
                        c->assertion->client_data_len);
        else if ((c->parts & PART_FORM) == 0 ||
                 !kp_rp_member_bytes(c, c->response, "clientDataJSON", &c->client_bytes,
                         c->client_why))
                return;
        kp_sha256(c->client_bytes.data, c->client_bytes.len, c->client_hash);
        if (c->client_bytes.len > CLIENT_DATA_MAX)
                (void)snprintf(c->client_why, sizeof(c->client_why),
                        "clientDataJSON has %zu bytes, more than %u",
                        c->client_bytes.len, CLIENT_DATA_MAX);
        else
                parse_client_data(c);
}

bool
kp_rp_check_client_data(struct ceremony *c)
{
        if ((c->parts & PART_CLIENT_DATA) != 0)
                return true;
        return kp_rp_refuse(c, "%s", c->client_why);
}

/* Compares the whole text: JSON strings may hold NUL. */
static bool
text_is(const json_t *value, const char *wanted)
{
        return json_is_string(value) &&
               kp_bytes_equal(json_string_value(value), json_string_length(value),
                       wanted, strlen(wanted));
}

static bool
text_is_one_of(const json_t *value, const char *const *wanted, size_t n_wanted)
{
        for (size_t i = 0; i < n_wanted; i++)
                if (text_is(value, wanted[i]))
                        return true;
        return false;
}

/* What came, short enough for a reason. */
static const char *
shown(const json_t *value)
{
        if (value == NULL)
                return "missing";
        return json_is_string(value) ? json_string_value(value) : "not a string";
}

bool
kp_rp_check_type(struct ceremony *c)
{
        const json_t *type = json_object_get(c->client, "type");
        const struct kp_rp_expectation *expect = c->expect;

        if (expect->n_expected_types > 0 ? text_is_one_of(type, expect->expected_types,
                                                   expect->n_expected_types)
                                         : text_is(type, c->usual_type))
                return true;
        return kp_rp_refuse(c, "type is '%.60s', expected '%.60s'", shown(type),
                expect->n_expected_types > 0 ? expect->expected_types[0]
                                             : c->usual_type);
}

/* The text is compared, not what a decoder makes of it: it has one right form. */
bool
kp_rp_check_challenge(struct ceremony *c)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf expected = { 0 };
        const json_t *challenge = json_object_get(c->client, "challenge");

        if (c->expect->challenge_len == 0)
                return kp_rp_refuse(c, "no challenge is expected");
        kp_b64url_put(&expected, c->expect->challenge, c->expect->challenge_len);
        if (text_is(challenge, kp_buf_str(&expected)))
                return true;
        return kp_rp_refuse(c, "challenge is '%.60s', expected '%.60s'",
                shown(challenge), kp_buf_str(&expected));
}

/*
 * One challenge, one answer, for as long as the relying party says. The specification
 * leaves both to it. Spec: WebAuthn L3 §13.4.3
 */
bool
kp_rp_check_challenge_fresh(struct ceremony *c)
{
        const struct kp_rp_expectation *expect = c->expect;
        int64_t lifetime = expect->policy.challenge_lifetime_ms, age;

        if (expect->challenge_used)
                return kp_rp_refuse(c, "the challenge was answered before");
        if (lifetime == 0 || expect->challenge_sent_ms == 0)
                return true;
        age = expect->now_ms - expect->challenge_sent_ms;
        if (age >= 0 && age <= lifetime)
                return true;
        return kp_rp_refuse(c, "the challenge is %lld s old and lives %lld s",
                (long long)(age / 1000), (long long)(lifetime / 1000));
}

bool
kp_rp_check_origin(struct ceremony *c)
{
        const json_t *origin = json_object_get(c->client, "origin");

        if (text_is_one_of(origin, c->expect->origins, c->expect->n_origins))
                return true;
        return kp_rp_refuse(c, "origin is '%.80s', expected '%.80s'", shown(origin),
                c->expect->n_origins > 0 ? c->expect->origins[0] : "none");
}

bool
kp_rp_check_cross_origin(struct ceremony *c)
{
        const json_t *cross = json_object_get(c->client, "crossOrigin");

        if (cross != NULL && !json_is_boolean(cross))
                return kp_rp_refuse(c, "crossOrigin is not true or false");
        if (!json_is_true(cross) || c->expect->allow_cross_origin)
                return true;
        return kp_rp_refuse(c, "crossOrigin is true, and no framing is expected");
}

bool
kp_rp_check_top_origin(struct ceremony *c)
{
        const json_t *top = json_object_get(c->client, "topOrigin");

        if (top == NULL)
                return true;
        if (!json_is_true(json_object_get(c->client, "crossOrigin")))
                return kp_rp_refuse(
                        c, "topOrigin stands beside a crossOrigin that is not true");
        if (!c->expect->allow_cross_origin)
                return kp_rp_refuse(
                        c, "topOrigin is present, and no framing is expected");
        if (text_is_one_of(top, c->expect->top_origins, c->expect->n_top_origins))
                return true;
        return kp_rp_refuse(c, "topOrigin is '%.80s', expected '%.80s'", shown(top),
                c->expect->n_top_origins > 0 ? c->expect->top_origins[0] : "none");
}
