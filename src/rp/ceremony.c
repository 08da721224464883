/* SPDX-License-Identifier: BSD-2-Clause */
#include "ceremony.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"

void
kp_rp_credential_done(struct kp_rp_credential *credential)
{
        kp_buf_done(&credential->id);
        kp_buf_done(&credential->public_key);
        EVP_PKEY_free(credential->key);
        memset(credential, 0, sizeof(*credential));
}

void
kp_rp_result_done(struct kp_rp_result *result)
{
        kp_rp_credential_done(&result->credential);
        kp_buf_done(&result->user_handle);
        memset(result, 0, sizeof(*result));
}

void
kp_rp_path_clear(struct trust_path *path)
{
        for (size_t i = 0; i < path->n_chain; i++)
                X509_free(path->chain[i]);
        path->n_chain = 0;
}

void
kp_rp_ceremony_done(struct ceremony *c)
{
        kp_rp_path_clear(&c->path);
        for (size_t i = 0; i < c->n_kept; i++)
                kp_rp_path_clear(&c->kept[i]);
        for (size_t i = 0; i < c->n_anchors; i++)
                X509_free(c->anchors[i]);
        EVP_PKEY_free(c->key);
        kp_free_cbor(&c->attestation);
        json_decref(c->client);
        kp_buf_done(&c->id);
        kp_buf_done(&c->client_bytes);
        kp_buf_done(&c->attestation_bytes);
        kp_buf_done(&c->auth_bytes);
        kp_buf_done(&c->signature);
        kp_buf_done(&c->user_handle);
}

bool
kp_rp_refuse(struct ceremony *c, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        (void)vsnprintf(c->why, sizeof(c->why), format, args);
        va_end(args);
        return false;
}

bool
kp_rp_react(struct ceremony *c, enum kp_rp_reaction reaction, enum kp_rp_reaction usual,
        const char *format, ...)
{
        enum kp_rp_reaction what = reaction == KP_RP_AS_MODE ? usual : reaction;
        va_list args;

        if (what == KP_RP_IGNORE)
                return true;
        va_start(args, format);
        (void)vsnprintf(c->why, sizeof(c->why), format, args);
        va_end(args);
        c->warned = what == KP_RP_WARN;
        return c->warned;
}

static void
note(const struct check *check, const struct ceremony *c, struct kp_rp_refusal *ret)
{
        ret->id = check->id;
        ret->check = check->spec;
        (void)snprintf(ret->reason, sizeof(ret->reason), "%s", c->why);
}

void
kp_rp_ceremony_judge(struct ceremony *c, const struct check *checks, size_t n_checks,
        bool all, struct kp_rp_result *ret)
{
        for (size_t i = 0; i < n_checks; i++) {
                if ((c->parts & checks[i].needs) != checks[i].needs)
                        continue;
                c->warned = false;
                if (checks[i].holds(c)) {
                        if (c->warned && ret->n_warnings < KP_RP_WARNINGS)
                                note(&checks[i], c, &ret->warnings[ret->n_warnings++]);
                        continue;
                }
                if (ret->n_refusals == 0)
                        ret->unsupported = c->unsupported;
                note(&checks[i], c, &ret->refusals[ret->n_refusals++]);
                if (!all || ret->n_refusals == KP_RP_REFUSALS)
                        break;
        }
        ret->accepted = ret->n_refusals == 0;
}

/* What a decoder makes of the text that does not mind other letters. */
static void
url_letters(const char *text, size_t text_len, struct kp_buf *ret)
{
        for (size_t i = 0; i < text_len; i++) {
                char letter = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];

                if ((letter >= 'a' && letter <= 'z') ||
                        (letter >= 'A' && letter <= 'Z') ||
                        (letter >= '0' && letter <= '9') || letter == '-' ||
                        letter == '_')
                        kp_buf_put_u8(ret, (uint8_t)letter);
        }
}

bool
kp_rp_member_bytes(struct ceremony *c, const json_t *object, const char *name,
        struct kp_buf *ret, char why[200])
{
        KP_CLEANUP(kp_buf_done) struct kp_buf letters = { 0 };
        const json_t *value = json_object_get(object, name);
        const char *text = json_string_value(value);
        size_t text_len = json_string_length(value);
        struct kp_error err = { 0 };
        char about[160];

        if (!json_is_string(value)) {
                (void)snprintf(why, 200, "%s is %s", name,
                        value == NULL ? "missing" : "not a string");
                return false;
        }
        if (!c->strict) {
                url_letters(text, text_len, &letters);
                text = kp_buf_str(&letters);
                text_len = letters.len;
        }
        if (kp_b64url_decode_any_bits(text, text_len, ret, &err) == 0)
                return true;
        (void)snprintf(why, 200, "%s is not base64url: %s", name,
                kp_error_format(&err, about, sizeof(about)));
        return false;
}
