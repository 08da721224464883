/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_CLIENT_BENCH_H
#define KEYPILOT_TESTS_CLIENT_BENCH_H

/*
 * A client with simulated keys and a person whose answers are written down beforehand.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/client/client.h"
#include "keypilot/codec/b64url.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/key.h"

#define ORIGIN "https://login.example.com"

struct bench {
        struct kp_clock clock;
        struct kp_random *random;
        struct kp_trace *trace;
        struct kp_profile *profile;
        struct kp_assumptions *assumptions;
        struct kp_key *keys[4];
        struct kp_client_key client_keys[4];
        struct kp_client client;
        struct kp_user user;
        /* the person */
        const char *pins[8]; /* in the order in which they are typed; NULL: gives up */
        size_t n_asked;
        const char *new_pin; /* NULL: gives up */
        int chosen;
        int64_t thinks_ms; /* time that every question takes */
        unsigned touches;
        /* the last call */
        struct kp_page page;
        json_t *response;
        struct kp_exception exception;
};

static inline const char *
bench_why(const struct kp_error *err)
{
        static char why[2048];

        return kp_error_format(err, why, sizeof(why));
}

static inline int
bench_pin(void *self, int retries, struct kp_buf *ret, struct kp_error *err)
{
        struct bench *b = self;
        const char *pin = b->pins[b->n_asked++];

        (void)retries;
        (void)err;
        kp_clock_advance(&b->clock, b->thinks_ms);
        if (pin == NULL)
                return 0;
        kp_buf_puts(ret, pin);
        return 1;
}

static inline int
bench_new_pin(void *self, int64_t min_len, struct kp_buf *ret, struct kp_error *err)
{
        struct bench *b = self;

        (void)min_len;
        (void)err;
        if (b->new_pin == NULL)
                return 0;
        kp_buf_puts(ret, b->new_pin);
        return 1;
}

static inline int
bench_choose(void *self, const struct kp_assertion *assertions, size_t n_assertions)
{
        (void)assertions;
        (void)n_assertions;
        return ((struct bench *)self)->chosen;
}

static inline void
bench_touch(void *self)
{
        ((struct bench *)self)->touches++;
}

static inline const char *
bench_fixtures(void)
{
        const char *dir = getenv("KEYPILOT_FIXTURES");

        return dir == NULL ? "fixtures" : dir;
}

static inline void
bench_add(struct bench *b, const char *key)
{
        const struct kp_key_env env = { .fixtures_dir = bench_fixtures(),
                .clock = &b->clock,
                .random = b->random };
        KP_CLEANUP(kp_free_str) char *name = kp_format("sim:%s", key);
        struct kp_error err = { 0 };
        size_t i = b->client.n_keys++;

        cr_assert_eq(kp_key_open(name, KP_DRIVER_DEFAULT, &env, &b->keys[i], &err), 0,
                "%s", bench_why(&err));
        b->client_keys[i] = (struct kp_client_key){ .driver = &b->keys[i]->driver,
                .attachment = b->keys[i]->attachment };
}

/* ret      do not move it afterwards */
static inline void
bench_open(struct bench *ret, const char *client, const char *key)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/clients/%s.json", bench_fixtures(), client);
        struct kp_error err = { 0 };

        *ret = (struct bench){ .clock = kp_clock_simulated(),
                .page = { .origin = ORIGIN, .user_activation = true } };
        cr_assert_eq(kp_random_new_seeded("seed", key, &ret->random, &err), 0);
        cr_assert_eq(kp_trace_new(&ret->clock, &ret->trace, &err), 0);
        cr_assert_eq(kp_assumptions_new(&ret->assumptions, &err), 0);
        cr_assert_eq(kp_profile_load(KP_KIND_CLIENT, path, &ret->profile, &err), 0,
                "%s", bench_why(&err));
        ret->user = (struct kp_user){ .self = ret,
                .pin = bench_pin,
                .new_pin = bench_new_pin,
                .choose = bench_choose,
                .touch = bench_touch };
        ret->client = (struct kp_client){
                .actor = { "client", ret->profile, ret->assumptions, ret->trace },
                .keys = ret->client_keys,
                .clock = &ret->clock,
                .random = ret->random,
                .user = &ret->user,
        };
        bench_add(ret, key);
        for (size_t i = 0; i < KP_NELEMS(ret->pins); i++)
                ret->pins[i] = ret->keys[0]->profile == NULL
                                       ? NULL
                                       : kp_authenticator_profile_test_pin(
                                                 ret->keys[0]->profile);
}

static inline void
bench_done(struct bench *b)
{
        struct kp_error err = { 0 };

        cr_expect_eq(kp_trace_check(b->trace, &err), 0, "%s", bench_why(&err));
        json_decref(b->response);
        for (size_t i = 0; i < b->client.n_keys; i++)
                kp_key_close(&b->keys[i]);
        kp_trace_free(&b->trace);
        kp_assumptions_free(&b->assumptions);
        kp_profile_free(&b->profile);
        kp_random_free(&b->random);
}

/* Another value for one of the client's facts, as a pilot file would set it. */
static inline void
bench_set(struct bench *b, const char *fact, json_t *value)
{
        KP_CLEANUP(kp_free_str) char *name = kp_format("client.%s", fact);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_assumptions_set(b->assumptions, name, value, &err), 0);
        json_decref(value);
}

/* The error's name, "" after success; what came is in the bench. */
static inline const char *
bench_call(struct bench *b, bool create, const json_t *options)
{
        struct kp_error err = { 0 };
        int r;

        json_decref(b->response);
        b->response = NULL;
        r = create ? kp_client_create(&b->client, &b->page, options, &b->response,
                             &b->exception, &err)
                   : kp_client_get(&b->client, &b->page, options, &b->response,
                             &b->exception, &err);
        cr_assert_eq(r, 0, "%s", bench_why(&err));
        cr_assert_eq(b->response == NULL, b->exception.name[0] != '\0');
        return b->exception.name;
}

static inline json_t *
bench_json(const char *text)
{
        json_error_t at;
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);

        cr_assert_not_null(json, "%s: %s", text, at.text);
        return json;
}

/* Options with the wishes that most tests vary. */
static inline json_t *
bench_options(const char *rk, const char *uv)
{
        return json_pack(
                "{s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:s, s:[{s:s, s:i}], s:{s:s, "
                "s:s}}",
                "rp", "name", "Example", "id", "example.com", "user", "id", "AQID",
                "name", "n", "displayName", "d", "challenge", "AAECAwQF",
                "pubKeyCredParams", "type", "public-key", "alg", -7,
                "authenticatorSelection", "residentKey", rk, "userVerification", uv);
}

static inline const char *
bench_create(struct bench *b, const char *rk, const char *uv)
{
        json_auto_t *options = bench_options(rk, uv);

        return bench_call(b, true, options);
}

/* id       NULL: no list */
static inline const char *
bench_get(struct bench *b, const char *id, const char *uv)
{
        json_auto_t *options =
                json_pack("{s:s, s:s, s:s, s:[]}", "challenge", "AAECAwQF", "rpId",
                        "example.com", "userVerification", uv, "allowCredentials");

        if (id != NULL)
                json_array_append_new(json_object_get(options, "allowCredentials"),
                        json_pack("{s:s, s:s}", "type", "public-key", "id", id));
        return bench_call(b, false, options);
}

/* A copy of the id of the credential that was made last. */
static inline char *
bench_id(const struct bench *b)
{
        return strdup(kp_json_str(b->response, "id", ""));
}

/* The last event of that name. */
static inline const json_t *
bench_event(const struct bench *b, const char *name)
{
        const json_t *events = kp_trace_events(b->trace), *event, *last = NULL;
        size_t i;

        json_array_foreach (events, i, event)
                if (strcmp(kp_json_str(event, "event", ""), name) == 0)
                        last = event;
        return last;
}

static inline bool
bench_reason(const struct bench *b, const char *reason)
{
        if (b->exception.reason != NULL && strcmp(b->exception.reason, reason) == 0)
                return true;
        fprintf(stderr, "reason: %s\n",
                b->exception.reason == NULL ? "(none)" : b->exception.reason);
        return false;
}

/* Was the person asked exactly this? "touch pin touch" */
static inline bool
bench_prompts(const struct bench *b, const char *event, const char *wanted)
{
        const json_t *prompts = json_object_get(bench_event(b, event), "prompts"),
                     *item;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        size_t i;

        json_array_foreach (prompts, i, item)
                kp_buf_printf(
                        &text, "%s%s", i == 0 ? "" : " ", json_string_value(item));
        if (strcmp(kp_buf_str(&text), wanted) != 0)
                fprintf(stderr, "asked: %s\n", kp_buf_str(&text));
        return strcmp(kp_buf_str(&text), wanted) == 0;
}

/* A base64url member, decoded. */
static inline void
bench_bytes(const json_t *object, const char *name, struct kp_buf *ret)
{
        const char *text = kp_json_str(object, name, "");
        struct kp_error err = { 0 };

        cr_assert_eq(kp_b64url_decode(text, strlen(text), ret, &err), 0, "%s: %s", name,
                bench_why(&err));
}

/* Flags of the authenticator data that came last. */
static inline uint8_t
bench_flags(const struct bench *b)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };

        bench_bytes(
                json_object_get(b->response, "response"), "authenticatorData", &data);
        return data.data[32];
}

/* A list of descriptors: others first, `id` last. */
static inline json_t *
bench_list(const char *id, size_t n_others)
{
        json_t *list = json_array();

        for (size_t i = 0; i < n_others; i++)
                json_array_append_new(list, json_pack("{s:s, s:s}", "type",
                                                    "public-key", "id", "AAAABBBB"));
        json_array_append_new(
                list, json_pack("{s:s, s:s}", "type", "public-key", "id", id));
        return list;
}

#endif
