/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/codec/ctaphid.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/hidraw.h"
#include "keypilot/device/key.h"
#include "keypilot/device/tap.h"

/*
 * What only one driver can ask, and what keys do wrong. Spec: CTAP 2.1 §6, §10, §11.2
 */
#define RP "example.org"

/* ---- a key that follows a script ---- */

enum trick {
        TRICK_NONE,
        TRICK_BUSY,         /* busy twice, then well */
        TRICK_SILENT,       /* says nothing any more */
        TRICK_WAITS,        /* keep-alives for ever; answers a cancel */
        TRICK_GONE,         /* reads fail */
        TRICK_ERROR,        /* a CTAPHID error */
        TRICK_OUT_OF_ORDER, /* the second frame has a wrong number */
        TRICK_NONSENSE,     /* an answer that is no CBOR */
        TRICK_EMPTY,        /* an answer without a status */
        TRICK_NOISE,        /* other programs' frames in between */
};

struct script {
        enum trick trick; /* for everything but INIT and GetInfo */
        struct kp_ctaphid_join in;
        struct kp_buf out; /* reports that wait */
        unsigned n_busy, n_cancels, n_waits;
        bool waiting;
};

#define CID 0x01020304

static void
say(struct script *script, uint32_t cid, uint8_t cmd, const void *bytes, size_t len)
{
        kp_ctaphid_split(cid, cmd, bytes, len, &script->out);
}

static void
answer_init(struct script *script)
{
        uint8_t answer[17] = { 0 };

        memcpy(answer, script->in.payload.data, 8);
        answer[8] = CID >> 24;
        answer[9] = (uint8_t)(CID >> 16);
        answer[10] = (uint8_t)(CID >> 8);
        answer[11] = (uint8_t)CID;
        answer[12] = 2;
        answer[16] = KP_CTAPHID_CAP_CBOR | KP_CTAPHID_CAP_NMSG;
        say(script, KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT, answer, sizeof(answer));
}

static void
answer_info(struct script *script)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };
        const uint8_t aaguid[16] = { 1 };

        kp_buf_put_u8(&answer, 0);
        kp_cbor_put_map(&answer, 2);
        kp_cbor_put_int(&answer, 1);
        kp_cbor_put_array(&answer, 1);
        kp_cbor_put_text(&answer, "FIDO_2_0");
        kp_cbor_put_int(&answer, 3);
        kp_cbor_put_bytes(&answer, aaguid, sizeof(aaguid));
        say(script, CID, KP_CTAPHID_CBOR, answer.data, answer.len);
}

static void
answer_trick(struct script *script)
{
        static const uint8_t no_credentials[] = { KP_CTAP2_ERR_NO_CREDENTIALS };
        static const uint8_t busy[] = { KP_CTAP1_ERR_CHANNEL_BUSY };
        static const uint8_t other[] = { KP_CTAP1_ERR_OTHER };
        static const uint8_t nonsense[80] = { 0, 0xff, 0xff };
        static const uint8_t noise[100] = { 0x2f };

        switch (script->trick) {
        case TRICK_BUSY:
                if (script->n_busy++ < 2) {
                        say(script, CID, KP_CTAPHID_ERROR, busy, 1);
                        return;
                }
                break;
        case TRICK_SILENT:
        case TRICK_GONE:
                return;
        case TRICK_WAITS:
                script->waiting = true;
                return;
        case TRICK_ERROR:
                say(script, CID, KP_CTAPHID_ERROR, other, 1);
                return;
        case TRICK_OUT_OF_ORDER:
                say(script, CID, KP_CTAPHID_CBOR, nonsense, sizeof(nonsense));
                script->out.data[KP_CTAPHID_REPORT + 4] = 5;
                return;
        case TRICK_NONSENSE:
                say(script, CID, KP_CTAPHID_CBOR, nonsense, sizeof(nonsense));
                return;
        case TRICK_EMPTY:
                say(script, CID, KP_CTAPHID_CBOR, nonsense, 0);
                return;
        case TRICK_NOISE:
                say(script, 0x0a0b0c0d, KP_CTAPHID_CBOR, noise, sizeof(noise));
                say(script, 0x0a0b0c0d, KP_CTAPHID_ERROR, other, 1);
                break;
        case TRICK_NONE:
        default:
                break;
        }
        say(script, CID, KP_CTAPHID_CBOR, no_credentials, 1);
}

static int
script_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        static const uint8_t cancelled[] = { KP_CTAP2_ERR_KEEPALIVE_CANCEL };
        struct script *script = self;

        (void)err;
        if (kp_ctaphid_join(&script->in, report) != KP_JOIN_DONE)
                return 0;
        if (script->in.cmd == KP_CTAPHID_CANCEL) {
                script->n_cancels++;
                if (script->waiting)
                        say(script, CID, KP_CTAPHID_CBOR, cancelled, 1);
                script->waiting = false;
        } else if (script->in.cmd == KP_CTAPHID_INIT) {
                answer_init(script);
        } else if (script->in.payload.data[0] == KP_CTAP_GET_INFO) {
                answer_info(script);
        } else {
                answer_trick(script);
        }
        return 0;
}

static int
script_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        static const uint8_t upneeded[] = { 2 };
        struct script *script = self;

        (void)timeout_ms;
        if (script->out.len == 0 && script->waiting && ++script->n_waits < 100000)
                say(script, CID, KP_CTAPHID_KEEPALIVE, upneeded, 1);
        if (script->out.len == 0)
                return script->trick == TRICK_GONE ? KP_FAIL(err, KP_EIO, "pulled out")
                                                   : 0;
        memcpy(report, script->out.data, KP_CTAPHID_REPORT);
        script->out.len -= KP_CTAPHID_REPORT;
        memmove(script->out.data, script->out.data + KP_CTAPHID_REPORT,
                script->out.len);
        return 1;
}

static void
script_close(void *self)
{
        struct script *script = self;

        kp_buf_done(&script->out);
        kp_buf_done(&script->in.payload);
}

static const struct kp_seam_ops script_ops = { script_write, script_read,
        script_close };

typedef int (*opener)(struct kp_seam seam, struct kp_random *random,
        struct kp_driver *ret, struct kp_error *err);
static const opener openers[] = { kp_driver_open_ctap, kp_driver_open_libfido2 };

/* What comes of a login with a key that does this, over one driver. */
static void
play(enum trick trick, opener open, const char **ret_transport, uint8_t *ret_status,
        struct script *script)
{
        struct kp_get_request request = { .rp_id = RP };
        struct kp_get_reply reply;
        struct kp_driver driver;
        struct kp_random *random;
        struct kp_error err = { 0 };
        char why[512];

        *script = (struct script){ .trick = trick };
        cr_assert_eq(kp_random_new_seeded("ctap", "play", &random, &err), 0);
        cr_assert_eq(
                open((struct kp_seam){ &script_ops, script }, random, &driver, &err), 0,
                "%s", kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(driver.ops->get(driver.self, &request, &reply, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        *ret_transport = reply.transport;
        *ret_status = reply.status;
        cr_expect_eq(reply.n_assertions, 0);
        kp_get_reply_done(&reply);
        kp_driver_close(&driver);
        kp_random_free(&random);
}

Test(ctap, what_keys_do_wrong_has_a_word)
{
        static const struct {
                enum trick trick;
                uint8_t status;
                const char *transport;
                unsigned n_cancels;
        } expected[] = {
                { TRICK_NONE, KP_CTAP2_ERR_NO_CREDENTIALS, NULL, 0 },
                { TRICK_BUSY, KP_CTAP2_ERR_NO_CREDENTIALS, NULL, 0 },
                { TRICK_SILENT, 0, "timeout", 1 },
                { TRICK_WAITS, KP_CTAP2_ERR_KEEPALIVE_CANCEL, NULL, 1 },
                { TRICK_GONE, 0, "lost", 0 },
                { TRICK_ERROR, 0, "hid-error", 0 },
                { TRICK_OUT_OF_ORDER, 0, "hid-error", 0 },
                { TRICK_NONSENSE, 0, "unreadable", 0 },
                { TRICK_EMPTY, 0, "unreadable", 0 },
                { TRICK_NOISE, KP_CTAP2_ERR_NO_CREDENTIALS, NULL, 0 },
        };

        for (size_t i = 0; i < KP_NELEMS(expected); i++) {
                for (size_t j = 0; j < KP_NELEMS(openers); j++) {
                        const char *transport;
                        struct script script;
                        uint8_t status;

                        play(expected[i].trick, openers[j], &transport, &status,
                                &script);
                        cr_expect_eq(status, expected[i].status,
                                "trick %d, driver %zu: %s", expected[i].trick, j,
                                kp_ctap_status_name(status));
                        cr_expect(transport == expected[i].transport ||
                                          (transport != NULL &&
                                                  expected[i].transport != NULL &&
                                                  strcmp(transport,
                                                          expected[i].transport) == 0),
                                "trick %d, driver %zu: %s", expected[i].trick, j,
                                transport == NULL ? "answered" : transport);
                        cr_expect_eq(script.n_cancels, expected[i].n_cancels,
                                "trick %d, driver %zu: %u cancels", expected[i].trick,
                                j, script.n_cancels);
                }
        }
}

/* ---- simulated keys ---- */

struct bench {
        struct kp_clock clock;
        struct kp_random *random;
        struct kp_key *key;
};

static void
bench_open(struct bench *bench, const char *profile)
{
        struct kp_error err = { 0 };
        char why[512], name[128];

        *bench = (struct bench){ .clock = kp_clock_simulated() };
        (void)snprintf(name, sizeof(name), "sim:%s", profile);
        cr_assert_eq(kp_random_new_seeded("ctap", profile, &bench->random, &err), 0);
        cr_assert_eq(kp_key_open(name, KP_DRIVER_DEFAULT,
                             &(struct kp_key_env){
                                     .fixtures_dir = getenv("KEYPILOT_FIXTURES"),
                                     .clock = &bench->clock,
                                     .random = bench->random },
                             &bench->key, &err),
                0, "%s: %s", profile, kp_error_format(&err, why, sizeof(why)));
        cr_assert_str_eq(bench->key->driver.ops->name, "ctap");
}

static void
bench_close(struct bench *bench)
{
        kp_key_close(&bench->key);
        kp_random_free(&bench->random);
}

static unsigned
sent(const struct bench *bench, uint8_t cmd)
{
        return kp_tap_count_ctap(bench->key->tap, cmd);
}

static void
make(struct bench *bench, struct kp_make_request request, struct kp_make_reply *ret)
{
        static const int es256 = -7;
        struct kp_error err = { 0 };
        char why[512];

        memset(request.client_data_hash, 0x11, 32);
        if (request.rp_id == NULL)
                request.rp_id = RP;
        request.user_id = (struct kp_bytes){ (const uint8_t *)"user", 4 };
        if (request.algorithms == NULL) {
                request.algorithms = &es256;
                request.n_algorithms = 1;
        }
        cr_assert_eq(bench->key->driver.ops->make(
                             bench->key->driver.self, &request, ret, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
}

static void
get(struct bench *bench, struct kp_get_request request, struct kp_get_reply *ret)
{
        struct kp_error err = { 0 };
        char why[512];

        memset(request.client_data_hash, 0x22, 32);
        if (request.rp_id == NULL)
                request.rp_id = RP;
        cr_assert_eq(bench->key->driver.ops->get(
                             bench->key->driver.self, &request, ret, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
}

static struct kp_bytes
id_of(const struct kp_make_reply *reply)
{
        const uint8_t *data = reply->auth_data.data;

        return (struct kp_bytes){ data + 55, (size_t)data[53] << 8 | data[54] };
}

static int
alg_of(const struct kp_make_reply *reply)
{
        struct kp_error err = { 0 };
        struct kp_authdata data;
        int64_t alg = 0;
        cbor_item_t *map;

        cr_assert_eq(kp_authdata_parse(reply->auth_data.data, reply->auth_data.len,
                             KP_CBOR_CTAP2, &data, &err),
                0);
        cr_assert_eq(kp_cbor_parse(data.public_key, data.public_key_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        cr_assert(kp_cbor_is_int(kp_cbor_at_int(map, 3), &alg));
        cbor_decref(&map);
        return (int)alg;
}

/* Spec: CTAP 2.1 §6.1.2: the first of the list that the key supports */
Test(ctap, the_order_of_algorithms_decides)
{
        static const struct {
                int algorithms[4];
                size_t n;
                int chosen; /* 0: refused */
        } cases[] = {
                { { -7, -257 }, 2, -7 },
                { { -257, -7 }, 2, -7 },
                { { -8, -7, -257 }, 3, -8 },
                { { -7, -8 }, 2, -7 },
                { { -35, -8 }, 2, -35 },
                { { -257, -65535 }, 2, 0 },
        };
        struct bench bench;

        bench_open(&bench, "yubikey-5-57");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_make_reply reply;

                make(&bench,
                        (struct kp_make_request){ .algorithms = cases[i].algorithms,
                                .n_algorithms = cases[i].n },
                        &reply);
                if (cases[i].chosen == 0)
                        cr_expect_eq(reply.status, KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM);
                else
                        cr_expect_eq(alg_of(&reply), cases[i].chosen, "case %zu", i);
                kp_make_reply_done(&reply);
        }
        bench_close(&bench);
}

/* ---- lists that are too long for the key ---- */

#define MANY 40

static struct kp_bytes *
many(size_t len)
{
        struct kp_bytes *list = calloc(MANY + 1, sizeof(*list));

        for (size_t i = 0; i < MANY; i++) {
                uint8_t *id = malloc(len);

                memset(id, (int)i + 1, len);
                list[i] = (struct kp_bytes){ id, len };
        }
        return list;
}

static void
many_free(struct kp_bytes *list)
{
        for (size_t i = 0; i < MANY; i++)
                free((void *)list[i].data);
        free(list);
}

Test(ctap, long_lists_go_out_in_parts_without_a_touch)
{
        static const char *const profiles[] = { "yubikey-5-57", "yubikey-5-57-pin",
                "google-titan-v2-pin", "feitian-epass-21" };

        for (size_t i = 0; i < KP_NELEMS(profiles); i++) {
                struct kp_bytes *list = many(64);
                struct kp_make_reply made, again;
                struct kp_get_reply got;
                struct bench bench;
                const char *pin;

                bench_open(&bench, profiles[i]);
                pin = kp_authenticator_profile_test_pin(bench.key->profile);
                make(&bench, (struct kp_make_request){ .pin = pin }, &made);
                cr_assert_eq(made.status, KP_CTAP_OK);
                list[MANY] = id_of(&made); /* the very last */
                get(&bench,
                        (struct kp_get_request){
                                .allow = list, .n_allow = MANY + 1, .pin = pin },
                        &got);
                cr_assert_eq(got.status, KP_CTAP_OK, "%s: %s", profiles[i],
                        kp_ctap_status_name(got.status));
                cr_assert_eq(got.n_assertions, 1);
                cr_expect_gt(sent(&bench, KP_CTAP_GET_ASSERTION), 2, "%s: in parts",
                        profiles[i]);
                cr_expect_eq(got.assertions[0].auth_data.data[32] & KP_AUTHDATA_UP,
                        KP_AUTHDATA_UP, "%s: the last one with a touch", profiles[i]);
                kp_get_reply_done(&got);
                make(&bench,
                        (struct kp_make_request){
                                .pin = pin, .exclude = list, .n_exclude = MANY + 1 },
                        &again);
                cr_expect_eq(again.status, KP_CTAP2_ERR_CREDENTIAL_EXCLUDED, "%s: %s",
                        profiles[i], kp_ctap_status_name(again.status));
                kp_make_reply_done(&again);
                /* none of them known */
                get(&bench,
                        (struct kp_get_request){
                                .allow = list, .n_allow = MANY, .pin = pin },
                        &got);
                cr_expect_eq(
                        got.status, KP_CTAP2_ERR_NO_CREDENTIALS, "%s", profiles[i]);
                kp_get_reply_done(&got);
                make(&bench,
                        (struct kp_make_request){
                                .pin = pin, .exclude = list, .n_exclude = MANY },
                        &again);
                cr_expect_eq(again.status, KP_CTAP_OK, "%s: %s", profiles[i],
                        kp_ctap_status_name(again.status));
                kp_make_reply_done(&again);
                kp_make_reply_done(&made);
                many_free(list);
                bench_close(&bench);
        }
}

/* An empty list would ask for any passkey: it must not come to that. */
Test(ctap, ids_that_no_key_made_do_not_become_a_question_for_any)
{
        struct kp_bytes *list = many(300);
        struct kp_make_reply made;
        struct kp_get_reply got;
        struct bench bench;
        const char *pin;

        bench_open(&bench, "yubikey-5-57-pin");
        pin = kp_authenticator_profile_test_pin(bench.key->profile);
        make(&bench, (struct kp_make_request){ .pin = pin, .rk = KP_TRUE }, &made);
        cr_assert_eq(made.status, KP_CTAP_OK);
        get(&bench,
                (struct kp_get_request){ .allow = list, .n_allow = MANY, .pin = pin },
                &got);
        cr_expect_eq(got.status, KP_CTAP2_ERR_NO_CREDENTIALS);
        cr_expect_eq(got.n_assertions, 0);
        kp_get_reply_done(&got);
        kp_make_reply_done(&made);
        many_free(list);
        bench_close(&bench);
}

/* ---- hmac-secret ---- */

static void
secret(struct bench *bench, struct kp_bytes *id, const uint8_t *salts, size_t salts_len,
        const char *pin, uint8_t ret[64])
{
        struct kp_get_reply got;

        get(bench,
                (struct kp_get_request){ .allow = id,
                        .n_allow = 1,
                        .pin = pin,
                        .hmac_salts = { salts, salts_len } },
                &got);
        cr_assert_eq(got.status, KP_CTAP_OK);
        cr_assert_eq(got.assertions[0].hmac_output.len, salts_len);
        memcpy(ret, got.assertions[0].hmac_output.data, salts_len);
        kp_get_reply_done(&got);
}

/* Spec: CTAP 2.1 §12.5 */
Test(ctap, the_same_salt_gives_the_same_secret)
{
        static const char *const profiles[] = { "yubikey-5-57-pin",
                "yubikey-5-52-pin" };
        uint8_t salts[64], one[64], again[64], two[64], bare[64];

        for (size_t i = 0; i < KP_NELEMS(profiles); i++) {
                struct kp_make_reply made;
                struct kp_bytes id;
                struct bench bench;
                const char *pin;

                memset(salts, 1, 32);
                memset(salts + 32, 2, 32);
                bench_open(&bench, profiles[i]);
                pin = kp_authenticator_profile_test_pin(bench.key->profile);
                make(&bench,
                        (struct kp_make_request){ .hmac_secret = true, .pin = pin },
                        &made);
                cr_assert_eq(made.status, KP_CTAP_OK);
                id = id_of(&made);
                secret(&bench, &id, salts, 32, pin, one);
                secret(&bench, &id, salts, 32, pin, again);
                secret(&bench, &id, salts, 64, pin, two);
                secret(&bench, &id, salts, 32, NULL, bare);
                cr_expect_arr_eq(one, again, 32);
                cr_expect_arr_eq(one, two, 32);
                cr_expect_arr_neq(two, two + 32, 32);
                cr_expect_arr_neq(
                        one, bare, 32, "with and without verification differ");
                kp_make_reply_done(&made);
                bench_close(&bench);
        }
}

/* ---- U2F ---- */

#define APP_ID "https://example.org/app-id.json"

Test(ctap, a_key_registered_with_u2f_is_found_by_its_app_id)
{
        static const char *const profiles[] = { "yubikey-4-u2f", "yubikey-5-57" };

        for (size_t i = 0; i < KP_NELEMS(profiles); i++) {
                struct kp_make_reply made;
                struct kp_get_reply got;
                struct kp_bytes id;
                struct bench bench;

                /* U2F's application is the hash of any text: RP ID or app id */
                bench_open(&bench, profiles[i]);
                make(&bench, (struct kp_make_request){ .rp_id = APP_ID }, &made);
                cr_assert_eq(made.status, KP_CTAP_OK);
                id = id_of(&made);
                get(&bench, (struct kp_get_request){ .allow = &id, .n_allow = 1 },
                        &got);
                cr_expect_eq(
                        got.status, KP_CTAP2_ERR_NO_CREDENTIALS, "%s", profiles[i]);
                kp_get_reply_done(&got);
                get(&bench,
                        (struct kp_get_request){
                                .allow = &id, .n_allow = 1, .app_id = APP_ID },
                        &got);
                cr_expect_eq(got.status, KP_CTAP_OK, "%s", profiles[i]);
                cr_expect(got.app_id_used, "%s", profiles[i]);
                kp_get_reply_done(&got);
                kp_make_reply_done(&made);
                bench_close(&bench);
        }
}

/* Spec: CTAP 2.1 §10.2, §10.3 */
Test(ctap, what_u2f_cannot_do_is_refused)
{
        static const int rs256 = -257, both[] = { -257, -7 };
        static const struct {
                const char *what;
                struct kp_make_request request;
                uint8_t status;
        } cases[] = {
                { "rk", { .rk = KP_TRUE }, KP_CTAP2_ERR_UNSUPPORTED_OPTION },
                { "uv", { .uv = KP_TRUE }, KP_CTAP2_ERR_UNSUPPORTED_OPTION },
                { "a PIN", { .pin = "123456" }, KP_CTAP2_ERR_UNSUPPORTED_OPTION },
                { "RS256", { .algorithms = &rs256, .n_algorithms = 1 },
                        KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM },
                { "RS256 or ES256", { .algorithms = both, .n_algorithms = 2 },
                        KP_CTAP_OK },
                { "no rk, no uv", { .rk = KP_FALSE, .uv = KP_FALSE }, KP_CTAP_OK },
        };
        struct kp_get_reply got;
        struct bench bench;

        bench_open(&bench, "yubikey-4-u2f");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_make_reply reply;

                make(&bench, cases[i].request, &reply);
                cr_expect_eq(reply.status, cases[i].status, "%s: %s", cases[i].what,
                        kp_ctap_status_name(reply.status));
                kp_make_reply_done(&reply);
        }
        get(&bench, (struct kp_get_request){ .uv = KP_TRUE }, &got);
        cr_expect_eq(got.status, KP_CTAP2_ERR_UNSUPPORTED_OPTION);
        get(&bench, (struct kp_get_request){ .up = KP_TRUE }, &got);
        cr_expect_eq(got.status, KP_CTAP2_ERR_UNSUPPORTED_OPTION, "without a list");
        bench_close(&bench);
}

Test(ctap, nobody_touches_a_u2f_key)
{
        struct kp_make_reply reply;
        struct bench bench;
        int64_t before;

        bench_open(&bench, "yubikey-4-u2f");
        before = kp_clock_ms(&bench.clock);
        kp_authenticator_set_finger(
                bench.key->authenticator, KP_FINGER_WITHHOLDS, 0, true);
        make(&bench, (struct kp_make_request){ 0 }, &reply);
        cr_expect_eq(reply.status, KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        cr_expect_geq(kp_clock_ms(&bench.clock) - before, 20000);
        bench_close(&bench);
        bench_open(&bench, "yubikey-4-u2f");
        kp_authenticator_set_finger(
                bench.key->authenticator, KP_FINGER_TOUCHES, 3000, true);
        before = kp_clock_ms(&bench.clock);
        make(&bench, (struct kp_make_request){ 0 }, &reply);
        cr_expect_eq(reply.status, KP_CTAP_OK);
        cr_expect_geq(kp_clock_ms(&bench.clock) - before, 3000);
        kp_make_reply_done(&reply);
        bench_close(&bench);
}

/* ---- python3-fido2 as the judge ---- */

static void
print_hex(FILE *file, const char *name, const struct kp_buf *bytes)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf hex = { 0 };

        kp_buf_put_hex(&hex, bytes->data, bytes->len);
        fprintf(file, " \"%s\": \"%s\",", name, kp_buf_str(&hex));
}

/* A registration and a login of every profile, a line of JSON each. */
static unsigned
print_ceremonies(FILE *file)
{
        /* python3-fido2 0.9.1 verifies no more */
        static const int all[] = { -8, -7, -257 };
        char *folder = kp_format("%s/authenticators", getenv("KEYPILOT_FIXTURES"));
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };
        unsigned n = 0;

        cr_assert_eq(kp_dir_list(folder, ".json", &names, &err), 0);
        for (size_t i = 0; i < names.n_names * KP_NELEMS(all); i++) {
                char *id = strndup(names.names[i / KP_NELEMS(all)],
                        strlen(names.names[i / KP_NELEMS(all)]) - 5);
                struct kp_make_reply made;
                struct kp_get_reply got;
                struct kp_bytes credential;
                struct bench bench;
                const char *pin;

                bench_open(&bench, id);
                pin = kp_authenticator_profile_test_pin(bench.key->profile);
                make(&bench,
                        (struct kp_make_request){
                                .algorithms = all + i % KP_NELEMS(all),
                                .n_algorithms = 1,
                                .pin = pin },
                        &made);
                if (made.status == KP_CTAP_OK) {
                        credential = id_of(&made);
                        get(&bench,
                                (struct kp_get_request){ .allow = &credential,
                                        .n_allow = 1,
                                        .pin = pin },
                                &got);
                        cr_assert_eq(got.n_assertions, 1);
                        fprintf(file, "{\"key\": \"%s\", \"fmt\": \"%s\",", id,
                                made.format);
                        print_hex(file, "auth", &made.auth_data);
                        print_hex(file, "stmt", &made.statement);
                        print_hex(file, "get_auth", &got.assertions[0].auth_data);
                        print_hex(file, "sig", &got.assertions[0].signature);
                        fprintf(file, " \"n\": %u}\n", ++n);
                        kp_get_reply_done(&got);
                }
                kp_make_reply_done(&made);
                bench_close(&bench);
                free(id);
        }
        kp_names_done(&names);
        free(folder);
        return n;
}

static const char judge[] =
        "import sys, json, hashlib\n"
        "from fido2 import cbor\n"
        "from fido2.attestation import Attestation\n"
        "from fido2.ctap2 import AuthenticatorData\n"
        "n = 0\n"
        "for line in sys.stdin:\n"
        "    c = json.loads(line)\n"
        "    b = lambda name: bytes.fromhex(c[name])\n"
        "    auth, got = AuthenticatorData(b('auth')), "
        "AuthenticatorData(b('get_auth'))\n"
        "    stmt = cbor.decode(b('stmt'))\n"
        "    assert cbor.encode(stmt) == b('stmt'), c['key'] + ': statement not "
        "canonical'\n"
        "    if c['fmt'] in ('packed', 'fido-u2f', 'none', 'tpm'):\n"
        "        Attestation.for_type(c['fmt'])().verify(stmt, auth, b'\\x11' * 32)\n"
        "    key = auth.credential_data.public_key\n"
        "    key.verify(b('get_auth') + b'\\x22' * 32, b('sig'))\n"
        "    for data in (auth, got):\n"
        "        assert data.rp_id_hash == hashlib.sha256(b'example.org').digest()\n"
        "        assert data.is_user_present()\n"
        "    n += 1\n"
        "print('judged', n)\n";

Test(ctap, python_fido2_accepts_what_comes_back)
{
        char path[] = "/tmp/keypilot-judge-XXXXXX", command[128];
        KP_CLEANUP(kp_free_str) char *program = NULL;
        struct kp_error err = { 0 };
        unsigned n, judged = 0;
        FILE *file, *answer;
        int fd;

        if (system("/usr/bin/python3 -c 'import fido2.ctap2' 2>/dev/null") != 0)
                cr_skip_test("python3-fido2 is not installed");
        cr_assert_geq(fd = mkstemp(path), 0);
        (void)snprintf(
                command, sizeof(command), "/usr/bin/python3 %s.py < %s", path, path);
        file = fdopen(fd, "w");
        n = print_ceremonies(file);
        fclose(file);
        cr_expect_gt(n, 30);
        program = kp_format("%s.py", path);
        cr_assert_eq(kp_file_write(program, judge, sizeof(judge) - 1, &err), 0);
        cr_assert_not_null(answer = popen(command, "r"));
        if (fscanf(answer, "judged %u", &judged) != 1)
                judged = 0;
        cr_expect_eq(pclose(answer), 0);
        cr_expect_eq(judged, n, "python3-fido2 accepted %u of %u", judged, n);
        (void)remove(path);
        (void)remove(program);
}

/* ---- report descriptors ---- */

Test(ctap, a_keyboard_is_not_a_security_key)
{
        /* USB HID 1.11 appendix B.1 is a keyboard, CTAP 2.1 §11.2.8 shows a key */
        static const uint8_t keyboard[] = { 0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05,
                0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95,
                0x08, 0x81, 0x02, 0xc0 };
        static const uint8_t key[] = { 0x06, 0xd0, 0xf1, 0x09, 0x01, 0xa1, 0x01, 0x09,
                0x20, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x81, 0x02,
                0x09, 0x21, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x40, 0x91,
                0x02, 0xc0 };
        uint8_t bytes[sizeof(key)];
        size_t in, out;

        cr_expect_not(kp_hidraw_is_fido(keyboard, sizeof(keyboard), &in, &out));
        cr_expect(kp_hidraw_is_fido(key, sizeof(key), &in, &out));
        cr_expect_eq(in, 64);
        cr_expect_eq(out, 64);
        for (size_t len = 0; len < sizeof(key); len++) { /* cut off anywhere */
                uint8_t *cut = malloc(len + 1);

                memcpy(cut, key, len);
                (void)kp_hidraw_is_fido(cut, len, &in, &out);
                free(cut);
        }
        memcpy(bytes, key, sizeof(key));
        bytes[3] = 0x0a; /* usage in two bytes: 0x0901, not CTAPHID */
        cr_expect_not(kp_hidraw_is_fido(bytes, sizeof(bytes), &in, &out));
}
