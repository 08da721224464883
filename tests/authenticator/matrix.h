/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_MATRIX_H
#define KEYPILOT_TESTS_MATRIX_H

#include <stdarg.h>

#include "../../src/authenticator/internal.h"
#include "oracle.h"
#include "rig.h"

/*
 * The bench of the option matrix: a key in one state, tokens and credentials of every
 * kind, and requests put together from values. It looks inside the key for two things
 * only: to put it back after each combination, and to read its clock, which tells how
 * often it asked for a finger.
 */
#define TOUCH_MS 100
#define N_CREDENTIALS 6
#define N_ONE_PASSKEY 3 /* the first of them: one is discoverable */
#define N_PARAMS 16
#define OTHER_RP "other.example"
#define BENCH_PIN "kp-7Qx-90"

struct param {
        enum oracle_param kind;
        int protocol;
        size_t token; /* of bench.tokens */
        bool crossed; /* right, but of a token of the other protocol */
};

struct bench_token {
        bool there;
        struct kp_auth_token saved; /* how the key holds it */
        uint8_t tag[32];            /* pinUvAuthParam over cdh */
        size_t tag_len;
};

struct bench {
        struct rig rig;
        const char *pin; /* NULL: none set */
        bool was_reset;  /* what it held when it was delivered is gone */
        struct oracle_key key;
        char words[16][32]; /* what the strings of `key` point to */
        size_t n_words;

        struct bench_token tokens[2]
                                 [4]; /* protocol; all, mc only, ga only, elsewhere */
        struct oracle_credential credentials[N_CREDENTIALS];
        struct kp_buf ids[N_CREDENTIALS];
        size_t n_credentials;

        /* to put the key back */
        struct kp_auth_pin kept_pin;
        unsigned kept_uv_retries;
        uint32_t kept_counter;
        int64_t kept_now;
        size_t kept_n;

        struct kp_buf message, answer;
        size_t n_run, n_wrong;
        size_t *rule_counts;
};

enum { TOKEN_ALL, TOKEN_MC, TOKEN_GA, TOKEN_ELSEWHERE };

/* ---- what the key says of itself ---- */

static UNUSED const char *
bench_word(struct bench *b, const char *text, size_t len)
{
        char *word = b->words[b->n_words];

        cr_assert(b->n_words < KP_NELEMS(b->words) && len < sizeof(b->words[0]));
        memcpy(word, text, len);
        word[len] = '\0';
        b->n_words++;
        return word;
}

static UNUSED void
bench_protocols(struct bench *b, const cbor_item_t *list)
{
        size_t n = 0;
        int64_t value;

        (void)kp_cbor_is_array(list, &n);
        for (size_t i = 0; i < n && i < 2; i++) {
                cr_assert(kp_cbor_is_int(cbor_array_handle(list)[i], &value));
                b->key.protocols[b->key.n_protocols++] = (int)value;
        }
}

static UNUSED void
bench_algorithms(struct bench *b, const cbor_item_t *list)
{
        const struct kp_key_facts *facts =
                kp_authenticator_profile_facts(b->rig.profile);
        size_t n = 0;
        int64_t value;

        if (list == NULL) { /* a key that does not tell: what its maker says */
                memcpy(b->key.algs, facts->algorithms, sizeof(facts->algorithms));
                b->key.n_algs = facts->n_algorithms;
        }
        (void)kp_cbor_is_array(list, &n);
        for (size_t i = 0; i < n && i < KP_NELEMS(b->key.algs); i++) {
                cr_assert(kp_cbor_is_int(
                        kp_cbor_at_str(cbor_array_handle(list)[i], "alg"), &value));
                b->key.algs[b->key.n_algs++] = (int)value;
        }
}

static UNUSED bool
has_word(const cbor_item_t *list, const char *word)
{
        size_t n = 0, len;
        const char *text;

        (void)kp_cbor_is_array(list, &n);
        for (size_t i = 0; i < n; i++)
                if (kp_cbor_is_text(cbor_array_handle(list)[i], &text, &len) &&
                        kp_bytes_equal(text, len, word, strlen(word)))
                        return true;
        return false;
}

static UNUSED int
option(const cbor_item_t *options, const char *name)
{
        bool value;

        return kp_cbor_is_bool(kp_cbor_at_str(options, name), &value) ? value : -1;
}

static UNUSED const char *
default_format(const struct kp_key_facts *facts)
{
        static const char *const formats[] = {
                [KP_ATTESTATION_NONE] = "none",
                [KP_ATTESTATION_PACKED_SELF] = "packed",
                [KP_ATTESTATION_PACKED_BASIC] = "packed",
                [KP_ATTESTATION_FIDO_U2F] = "fido-u2f",
                [KP_ATTESTATION_TPM] = "tpm",
                [KP_ATTESTATION_ANDROID_KEY] = "android-key",
                [KP_ATTESTATION_APPLE] = "apple",
        };

        return formats[facts->attestation];
}

/* attestationFormats, where the key tells several. */
static UNUSED void
bench_formats(struct bench *b, const cbor_item_t *list)
{
        size_t n = 0, len;
        const char *text;

        (void)kp_cbor_is_array(list, &n);
        for (size_t i = 0; i < n && i < ORACLE_FORMATS; i++) {
                cr_assert(kp_cbor_is_text(cbor_array_handle(list)[i], &text, &len));
                b->key.formats[i] = bench_word(b, text, len);
        }
}

/* What the product does that getInfo cannot tell. */
static UNUSED void
bench_facts(struct bench *b)
{
        static const uint8_t untouched[] = {
                [KP_TOUCH_TIMEOUT_DENIED] = KP_CTAP2_ERR_OPERATION_DENIED,
                [KP_TOUCH_TIMEOUT_USER] = KP_CTAP2_ERR_USER_ACTION_TIMEOUT,
                [KP_TOUCH_TIMEOUT_ACTION] = KP_CTAP2_ERR_ACTION_TIMEOUT,
        };
        const struct kp_key_facts *facts =
                kp_authenticator_profile_facts(b->rig.profile);

        b->key.format = default_format(facts);
        b->key.always_discoverable = facts->always_discoverable;
        b->key.untouched = untouched[facts->touch_timeout];
}

static UNUSED void
bench_describe(struct bench *b)
{
        const cbor_item_t *versions, *options, *extensions;

        expect_status(rig_command(&b->rig, KP_CTAP_GET_INFO), KP_CTAP_OK);
        versions = kp_cbor_at_int(b->rig.map, 1);
        extensions = kp_cbor_at_int(b->rig.map, 2);
        options = kp_cbor_at_int(b->rig.map, 4);
        b->n_words = 0;
        memset(&b->key, 0, sizeof(b->key)); /* the holes too: keys are compared */
        b->key = (struct oracle_key){
                .ctap21 = has_word(versions, "FIDO_2_1") ||
                          has_word(versions, "FIDO_2_3"),
                .rk = option(options, "rk"),
                .uv = option(options, "uv"),
                .client_pin = option(options, "clientPin"),
                .token = option(options, "pinUvAuthToken"),
                .always_uv = option(options, "alwaysUv"),
                .uv_not_rqd = option(options, "makeCredUvNotRqd"),
                .no_mc_ga = option(options, "noMcGaPermissionsWithClientPin"),
                .ep = option(options, "ep"),
                .cred_protect = has_word(extensions, "credProtect"),
                .hmac_secret = has_word(extensions, "hmac-secret"),
        };
        bench_protocols(b, kp_cbor_at_int(b->rig.map, 6));
        bench_algorithms(b, kp_cbor_at_int(b->rig.map, 10));
        bench_formats(b, kp_cbor_at_int(b->rig.map, 0x16));
        bench_facts(b);
}

/* ---- requests ---- */

static UNUSED void
put_algorithms(struct kp_buf *m, const int *algs)
{
        size_t n = 0;

        while (algs[n] != ORACLE_ALG_END)
                n++;
        kp_cbor_put_array(m, n);
        for (size_t i = 0; i < n; i++) {
                kp_cbor_put_map(m, algs[i] == ORACLE_ALG_MISSING ? 1 : 2);
                if (algs[i] != ORACLE_ALG_MISSING)
                        kp_cbor_put_text(m, "alg");
                if (algs[i] == ORACLE_ALG_TEXT)
                        kp_cbor_put_text(m, "ES256");
                else if (algs[i] == ORACLE_ALG_OTHER_TYPE)
                        kp_cbor_put_int(m, KP_COSE_ES256);
                else if (algs[i] != ORACLE_ALG_MISSING)
                        kp_cbor_put_int(m, algs[i]);
                kp_cbor_put_text(m, "type");
                kp_cbor_put_text(m, algs[i] == ORACLE_ALG_OTHER_TYPE ? "private-key"
                                                                     : "public-key");
        }
}

static UNUSED void
put_entries(struct bench *b, const struct oracle_request *r, int64_t number)
{
        static const uint8_t nobody[32] = { 0xee };
        struct kp_buf *m = &b->message;

        if (!r->list)
                return;
        kp_cbor_put_int(m, number);
        kp_cbor_put_array(m, r->n_entries);
        for (size_t i = 0; i < r->n_entries; i++) {
                int at = r->entries[i] == ORACLE_FOREIGN ? 0 : r->entries[i];

                kp_cbor_put_map(m, 2);
                kp_cbor_put_text(m, "id");
                if (at == ORACLE_MISS)
                        kp_cbor_put_bytes(m, nobody, sizeof(nobody));
                else
                        kp_cbor_put_bytes(m, b->ids[at].data, b->ids[at].len);
                kp_cbor_put_text(m, "type");
                kp_cbor_put_text(m,
                        r->entries[i] == ORACLE_FOREIGN ? "private-key" : "public-key");
        }
}

static UNUSED void
put_extensions(struct kp_buf *m, const struct oracle_request *r)
{
        size_t n = (size_t)r->cred_protect_asked + (size_t)r->hmac_secret_asked;

        if (n == 0)
                return;
        kp_cbor_put_int(m, 6);
        kp_cbor_put_map(m, n);
        if (r->cred_protect_asked) {
                kp_cbor_put_text(m, "credProtect");
                kp_cbor_put_int(m, r->cred_protect);
        }
        if (r->hmac_secret_asked) {
                kp_cbor_put_text(m, "hmac-secret");
                kp_cbor_put_bool(m, true);
        }
}

static UNUSED size_t
n_options(const struct oracle_request *r)
{
        return (size_t)(r->rk != ORACLE_ABSENT) + (r->up != ORACLE_ABSENT) +
               (r->uv != ORACLE_ABSENT);
}

static UNUSED void
put_three(struct kp_buf *m, const struct oracle_request *r, int64_t number)
{
        const struct {
                const char *name;
                enum oracle_option value;
        } all[] = { { "rk", r->rk }, { "up", r->up }, { "uv", r->uv } };

        if (n_options(r) == 0)
                return;
        kp_cbor_put_int(m, number);
        kp_cbor_put_map(m, n_options(r));
        for (size_t i = 0; i < KP_NELEMS(all); i++)
                if (all[i].value != ORACLE_ABSENT) {
                        kp_cbor_put_text(m, all[i].name);
                        kp_cbor_put_bool(m, all[i].value == ORACLE_TRUE);
                }
}

/* Have the key hold the token of that kind, and say the parameter that goes with it. */
static UNUSED void
put_param(struct bench *b, const struct param *p, int64_t number)
{
        const struct bench_token *token =
                &b->tokens[(p->protocol == 1) != p->crossed][p->token];
        struct kp_buf *m = &b->message;
        uint8_t tag[32] = { 0 };

        if (p->kind == ORACLE_NO_PARAM)
                return;
        if (token->there)
                b->rig.key->pin.token = token->saved;
        memcpy(tag, token->tag, sizeof(tag));
        tag[0] ^= p->kind == ORACLE_WRONG && !p->crossed;
        kp_cbor_put_int(m, number);
        kp_cbor_put_bytes(m, tag,
                p->kind == ORACLE_EMPTY ? 0
                : token->there          ? token->tag_len
                                        : 16);
        if (p->protocol == 0)
                return;
        kp_cbor_put_int(m, number + 1);
        kp_cbor_put_int(m, p->protocol);
}

static UNUSED size_t
n_param(const struct param *p)
{
        return (size_t)(p->kind != ORACLE_NO_PARAM) +
               (size_t)(p->kind != ORACLE_NO_PARAM && p->protocol != 0);
}

static UNUSED void
put_formats(struct kp_buf *m, const struct oracle_request *r)
{
        size_t n = 0;

        if (!r->formats_asked)
                return;
        while (n < 3 && r->formats[n] != NULL)
                n++;
        kp_cbor_put_int(m, 11);
        kp_cbor_put_array(m, n);
        for (size_t i = 0; i < n; i++)
                kp_cbor_put_text(m, r->formats[i]);
}

static UNUSED void
bench_make_message(struct bench *b, const struct oracle_request *r,
        const struct param *p, const char *user)
{
        struct kp_buf *m = &b->message;

        kp_buf_clear(m);
        kp_buf_put_u8(m, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(m, 4 + (size_t)r->list +
                                   (r->cred_protect_asked || r->hmac_secret_asked) +
                                   (n_options(r) > 0) + n_param(p) +
                                   (r->enterprise >= 0) + (size_t)r->formats_asked);
        kp_cbor_put_int(m, 1);
        kp_cbor_put_bytes(m, cdh, sizeof(cdh));
        kp_cbor_put_int(m, 2);
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "id");
        kp_cbor_put_text(m, "example.org");
        kp_cbor_put_int(m, 3);
        kp_cbor_put_map(m, 2);
        kp_cbor_put_text(m, "id");
        kp_cbor_put_bytes(m, user, strlen(user));
        kp_cbor_put_text(m, "name");
        kp_cbor_put_text(m, user);
        kp_cbor_put_int(m, 4);
        put_algorithms(m, r->algs);
        put_entries(b, r, 5);
        put_extensions(m, r);
        put_three(m, r, 7);
        put_param(b, p, 8);
        if (r->enterprise >= 0) {
                kp_cbor_put_int(m, 10);
                kp_cbor_put_int(m, r->enterprise);
        }
        put_formats(m, r);
}

static UNUSED void
bench_get_message(
        struct bench *b, const struct oracle_request *r, const struct param *p)
{
        struct kp_buf *m = &b->message;

        kp_buf_clear(m);
        kp_buf_put_u8(m, KP_CTAP_GET_ASSERTION);
        kp_cbor_put_map(m, 2 + (size_t)r->list + (n_options(r) > 0) + n_param(p));
        kp_cbor_put_int(m, 1);
        kp_cbor_put_text(m, "example.org");
        kp_cbor_put_int(m, 2);
        kp_cbor_put_bytes(m, cdh, sizeof(cdh));
        put_entries(b, r, 3);
        put_three(m, r, 5);
        put_param(b, p, 6);
}

/* ---- the key before and after a combination ---- */

static UNUSED void
bench_keep(struct bench *b)
{
        const struct kp_authenticator *key = b->rig.key;

        b->kept_pin = key->pin;
        b->kept_uv_retries = key->uv_retries;
        b->kept_counter = key->counter;
        b->kept_now = key->now_ms;
        b->kept_n = key->store.n;
}

static UNUSED void
bench_put_back(struct bench *b)
{
        struct kp_authenticator *key = b->rig.key;

        while (key->store.n > b->kept_n)
                kp_auth_store_remove(key, key->store.items[key->store.n - 1]);
        key->pin = b->kept_pin;
        key->uv_retries = b->kept_uv_retries;
        key->counter = b->kept_counter;
        key->now_ms = b->kept_now;
}

/* Send b->message; the answer's map is in rig.map where there is one. */
static UNUSED uint8_t
bench_send(struct bench *b, enum oracle_finger finger)
{
        static const enum kp_finger fingers[] = {
                [ORACLE_TOUCHES] = KP_FINGER_TOUCHES,
                [ORACLE_REFUSES] = KP_FINGER_REFUSES,
                [ORACLE_WITHHOLDS] = KP_FINGER_WITHHOLDS,
                [ORACLE_WRONG_FINGER] = KP_FINGER_TOUCHES,
        };
        struct kp_error err = { 0 };

        kp_authenticator_set_finger(
                b->rig.key, fingers[finger], TOUCH_MS, finger != ORACLE_WRONG_FINGER);
        kp_authenticator_message(
                b->rig.key, b->message.data, b->message.len, &b->answer);
        kp_free_cbor(&b->rig.map);
        cr_assert(b->answer.len >= 1, "no status byte");
        if (b->answer.len > 1)
                cr_assert_eq(kp_cbor_parse(b->answer.data + 1, b->answer.len - 1,
                                     KP_CBOR_CTAP2, &b->rig.map, NULL, &err),
                        0, "the answer is not canonical CBOR");
        return b->answer.data[0];
}

/* How often the key asked for a finger. */
static UNUSED int
bench_touches(const struct bench *b, enum oracle_finger finger)
{
        int64_t ms = b->rig.key->now_ms - b->kept_now;

        if (finger == ORACLE_WITHHOLDS)
                return (int)(ms / KP_AUTH_TOUCH_MS);
        return (int)(ms / TOUCH_MS);
}

/* ---- tokens ---- */

static UNUSED void
bench_token(struct bench *b, int protocol, size_t kind)
{
        static const struct {
                int permissions;
                const char *rp_id;
        } kinds[] = {
                [TOKEN_ALL] = { KP_CTAP_PERM_MC | KP_CTAP_PERM_GA, "example.org" },
                [TOKEN_MC] = { KP_CTAP_PERM_MC, "example.org" },
                [TOKEN_GA] = { KP_CTAP_PERM_GA, "example.org" },
                [TOKEN_ELSEWHERE] = { KP_CTAP_PERM_MC | KP_CTAP_PERM_GA, OTHER_RP },
        };
        struct bench_token *token = &b->tokens[protocol == 1][kind];
        bool with_permissions = b->key.token == 1;
        struct token_ask ask = {
                .sub_command = with_permissions ? KP_CTAP_PIN_GET_TOKEN_PIN_PERMS
                                                : KP_CTAP_PIN_GET_TOKEN,
                .protocol = protocol,
                .pin = b->pin,
                .permissions = with_permissions ? kinds[kind].permissions : -1,
                .rp_id = with_permissions ? kinds[kind].rp_id : NULL,
        };
        uint8_t bytes[32];

        *token = (struct bench_token){ 0 };
        if (b->pin == NULL || (!with_permissions && kind != TOKEN_ALL) ||
                rig_token(&b->rig, &ask, bytes) != KP_CTAP_OK)
                return;
        token->there = true;
        token->saved = b->rig.key->pin.token;
        token->tag_len = kp_pin_authenticate(
                protocol, bytes, sizeof(bytes), cdh, sizeof(cdh), token->tag);
}

static UNUSED void
bench_tokens(struct bench *b)
{
        for (size_t i = 0; i < b->key.n_protocols; i++)
                for (size_t kind = TOKEN_ALL; kind <= TOKEN_ELSEWHERE; kind++)
                        bench_token(b, b->key.protocols[i], kind);
        kp_auth_token_end(b->rig.key);
}

/* Every pinUvAuthParam that the key can meet; `other` lacks the right. */
static UNUSED size_t
bench_params(const struct bench *b, size_t other, struct param ret[N_PARAMS])
{
        static const int protocols[] = { 1, 2, 7 };
        size_t n = 0;

        ret[n++] = (struct param){ ORACLE_NO_PARAM, 0, TOKEN_ALL, false };
        ret[n++] = (struct param){ ORACLE_EMPTY, 0, TOKEN_ALL, false };
        ret[n++] = (struct param){ ORACLE_EMPTY, 1, TOKEN_ALL, false };
        ret[n++] = (struct param){ ORACLE_WRONG, 0, TOKEN_ALL, false };
        for (size_t i = 0; i < KP_NELEMS(protocols); i++) {
                int at = protocols[i];
                const struct bench_token *tokens = b->tokens[at == 1];

                ret[n++] = (struct param){ ORACLE_WRONG, at, TOKEN_ALL, false };
                if (at == 7)
                        continue;
                if (tokens[TOKEN_ALL].there && b->tokens[at != 1][TOKEN_ALL].there)
                        ret[n++] = (struct param){ ORACLE_WRONG, at, TOKEN_ALL, true };
                if (tokens[TOKEN_ALL].there)
                        ret[n++] = (struct param){ ORACLE_TOKEN, at, TOKEN_ALL, false };
                if (tokens[other].there)
                        ret[n++] =
                                (struct param){ ORACLE_OTHER_RIGHT, at, other, false };
                if (tokens[TOKEN_ELSEWHERE].there)
                        ret[n++] = (struct param){ ORACLE_OTHER_RP, at, TOKEN_ELSEWHERE,
                                false };
        }
        return n;
}

/* ---- credentials of the RP ID, made as a platform would make them ---- */

static UNUSED struct param
bench_strongest(const struct bench *b)
{
        for (size_t i = 0; i < b->key.n_protocols; i++)
                if (b->tokens[b->key.protocols[i] == 1][TOKEN_ALL].there)
                        return (struct param){ ORACLE_TOKEN, b->key.protocols[i],
                                TOKEN_ALL, false };
        return (struct param){ ORACLE_NO_PARAM, 0, TOKEN_ALL, false };
}

static UNUSED void
bench_credential(struct bench *b, bool discoverable, int cred_protect, const char *user)
{
        struct param param = bench_strongest(b);
        struct oracle_request r = {
                .rk = discoverable ? ORACLE_TRUE : ORACLE_ABSENT,
                .uv = param.kind == ORACLE_NO_PARAM && b->key.uv == 1 ? ORACLE_TRUE
                                                                      : ORACLE_ABSENT,
                .algs = { b->key.algs[0] },
                .cred_protect_asked = b->key.cred_protect,
                .cred_protect = cred_protect,
                .enterprise = -1,
        };
        struct kp_buf *id = &b->ids[b->n_credentials];

        bench_make_message(b, &r, &param, user);
        if (bench_send(b, ORACLE_TOUCHES) != KP_CTAP_OK)
                return;
        kp_buf_done(id);
        *id = rig_id(&b->rig);
        b->credentials[b->n_credentials] = (struct oracle_credential){
                .discoverable =
                        discoverable || (!b->key.ctap21 && b->key.always_discoverable),
                .cred_protect = b->key.cred_protect ? cred_protect : 1,
        };
        b->n_credentials++;
}

/* Places are counted by hand, from what the profile says and what was made. */
static UNUSED void
bench_places(struct bench *b)
{
        const struct kp_key_facts *facts =
                kp_authenticator_profile_facts(b->rig.profile);

        b->key.places_left = facts->places - (b->was_reset ? 0 : facts->used);
        for (size_t i = 0; i < b->n_credentials; i++)
                b->key.places_left -= b->credentials[i].discoverable;
}

static UNUSED void
bench_credentials(struct bench *b, size_t from, size_t to)
{
        static const struct {
                bool discoverable;
                int cred_protect;
                const char *user;
        } all[N_CREDENTIALS] = { { false, 1, "a" }, { false, 3, "b" }, { true, 1, "c" },
                { true, 2, "d" }, { true, 1, "e" }, { true, 3, "f" } };

        for (size_t i = from; i < to; i++)
                bench_credential(
                        b, all[i].discoverable, all[i].cred_protect, all[i].user);
        bench_places(b);
        bench_keep(b);
}

#endif
