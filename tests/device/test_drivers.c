/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/es384.h>
#include <fido/rs256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/key.h"
#include "keypilot/device/tap.h"

/*
 * Both drivers, every profile, the same requests in the same order: the outcomes are
 * equal wherever both can ask. What comes back is judged by libfido2's verification,
 * whichever driver asked. Spec: ours
 */
#define RP "example.org"
#define MAX_CREDENTIALS 24

struct credential {
        uint8_t id[1024];
        size_t id_len;
        int alg;
        void *public_key; /* libfido2's own structs, 512 bytes are enough */
};

struct bench {
        const char *profile;
        enum kp_driver_choice choice;
        struct kp_clock clock;
        struct kp_random *random;
        struct kp_trace *trace;
        struct kp_key *key;
        struct kp_buf said; /* the outcomes, a line each */
        struct credential credentials[MAX_CREDENTIALS];
        size_t n_credentials;
        unsigned n_judged, n_skipped;
};

static const char *
fixtures(void)
{
        return getenv("KEYPILOT_FIXTURES");
}

static void
bench_open(struct bench *bench, const char *profile, enum kp_driver_choice choice)
{
        struct kp_error err = { 0 };
        char why[512], name[128];

        *bench = (struct bench){ .profile = profile, .choice = choice };
        bench->clock = kp_clock_simulated();
        (void)snprintf(name, sizeof(name), "sim:%s", profile);
        cr_assert_eq(kp_random_new_seeded("drivers", profile, &bench->random, &err), 0);
        cr_assert_eq(kp_trace_new(&bench->clock, &bench->trace, &err), 0);
        cr_assert_eq(kp_key_open(name, choice,
                             &(struct kp_key_env){ .fixtures_dir = fixtures(),
                                     .clock = &bench->clock,
                                     .random = bench->random,
                                     .trace = bench->trace },
                             &bench->key, &err),
                0, "%s: %s", profile, kp_error_format(&err, why, sizeof(why)));
}

static void
bench_close(struct bench *bench)
{
        for (size_t i = 0; i < bench->n_credentials; i++)
                free(bench->credentials[i].public_key);
        kp_key_close(&bench->key);
        kp_trace_free(&bench->trace);
        kp_random_free(&bench->random);
        kp_buf_done(&bench->said);
}

static const char *
pin_of(const struct bench *bench)
{
        return kp_authenticator_profile_test_pin(bench->key->profile);
}

/* ---- the judge ---- */

static void
keep(struct bench *bench, const fido_cred_t *cred)
{
        struct credential *credential = &bench->credentials[bench->n_credentials];

        cr_assert_lt(bench->n_credentials, MAX_CREDENTIALS);
        cr_assert_leq(fido_cred_id_len(cred), sizeof(credential->id));
        memcpy(credential->id, fido_cred_id_ptr(cred), fido_cred_id_len(cred));
        credential->id_len = fido_cred_id_len(cred);
        credential->alg = fido_cred_type(cred);
        credential->public_key = calloc(1, 2048);
        switch (credential->alg) {
        case COSE_ES256:
                cr_assert_eq(
                        es256_pk_from_ptr(credential->public_key,
                                fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)),
                        FIDO_OK);
                break;
        case COSE_ES384:
                cr_assert_eq(
                        es384_pk_from_ptr(credential->public_key,
                                fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)),
                        FIDO_OK);
                break;
        case COSE_EDDSA:
                cr_assert_eq(
                        eddsa_pk_from_ptr(credential->public_key,
                                fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)),
                        FIDO_OK);
                break;
        case COSE_RS256:
                cr_assert_eq(
                        rs256_pk_from_ptr(credential->public_key,
                                fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)),
                        FIDO_OK);
                break;
        default:
                cr_assert_fail("algorithm %d", credential->alg);
        }
        bench->n_credentials++;
}

static int
alg_of(const struct kp_buf *auth_data)
{
        struct kp_error err = { 0 };
        struct kp_authdata data;
        int64_t alg = 0;
        cbor_item_t *map;

        cr_assert_eq(kp_authdata_parse(auth_data->data, auth_data->len, KP_CBOR_CTAP2,
                             &data, &err),
                0);
        cr_assert_eq(kp_cbor_parse(data.public_key, data.public_key_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        cr_assert(kp_cbor_is_int(kp_cbor_at_int(map, 3), &alg));
        cbor_decref(&map);
        return (int)alg;
}

/* Somebody else's opinion of a registration; the credential is kept for later. */
static void
judge_make(struct bench *bench, const struct kp_make_request *request,
        const struct kp_make_reply *reply)
{
        fido_cred_t *cred = fido_cred_new();
        bool none = strcmp(reply->format, "none") == 0;
        int r;

        cr_assert_eq(fido_cred_set_type(cred, alg_of(&reply->auth_data)), FIDO_OK);
        cr_assert_eq(fido_cred_set_clientdata_hash(cred, request->client_data_hash, 32),
                FIDO_OK);
        cr_assert_eq(fido_cred_set_rp(cred, request->rp_id, NULL), FIDO_OK);
        cr_assert_eq(fido_cred_set_fmt(cred, reply->format), FIDO_OK);
        if (request->hmac_secret)
                cr_assert_eq(
                        fido_cred_set_extensions(cred, FIDO_EXT_HMAC_SECRET), FIDO_OK);
        if (request->cred_protect)
                cr_assert_eq(fido_cred_set_prot(cred, request->cred_protect), FIDO_OK);
        cr_assert_eq(fido_cred_set_authdata_raw(
                             cred, reply->auth_data.data, reply->auth_data.len),
                FIDO_OK, "%s: authenticator data", bench->profile);
        if (!none)
                cr_assert_eq(fido_cred_set_attstmt(
                                     cred, reply->statement.data, reply->statement.len),
                        FIDO_OK, "%s: statement", bench->profile);
        keep(bench, cred);
        /* of a TPM, libfido2 1.12 knows statements with SHA-1 only */
        if (none || strcmp(reply->format, "tpm") == 0 || request->min_pin_length ||
                request->cred_blob.data != NULL) {
                fido_cred_free(&cred);
                return;
        }
        r = fido_cred_x5c_ptr(cred) != NULL ? fido_cred_verify(cred)
                                            : fido_cred_verify_self(cred);
        /* a key need not do what an extension asks, and libfido2 wants it all */
        if (!request->hmac_secret && !request->cred_protect)
                cr_expect_eq(r, FIDO_OK, "%s: libfido2 refuses the attestation: %s",
                        bench->profile, fido_strerr(r));
        bench->n_judged++;
        fido_cred_free(&cred);
}

static struct credential *
find(struct bench *bench, const struct kp_buf *id, const struct kp_get_request *request)
{
        const uint8_t *data = id->data;
        size_t len = id->len;

        if (len == 0 && request->n_allow == 1) {
                data = request->allow[0].data;
                len = request->allow[0].len;
        }
        for (size_t i = 0; i < bench->n_credentials; i++)
                if (kp_bytes_equal(bench->credentials[i].id,
                            bench->credentials[i].id_len, data, len))
                        return &bench->credentials[i];
        return NULL;
}

/* The extensions that the key answered to, as libfido2's bits. */
static int
extensions_of(const struct kp_buf *auth_data)
{
        struct kp_error err = { 0 };
        struct kp_authdata data;
        cbor_item_t *map = NULL;
        int bits;

        cr_assert_eq(kp_authdata_parse(auth_data->data, auth_data->len, KP_CBOR_CTAP2,
                             &data, &err),
                0);
        if (data.extensions == NULL)
                return 0;
        cr_assert_eq(kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        bits = (kp_cbor_at_str(map, "hmac-secret") != NULL ? FIDO_EXT_HMAC_SECRET : 0) |
               (kp_cbor_at_str(map, "credBlob") != NULL ? FIDO_EXT_CRED_BLOB : 0);
        cbor_decref(&map);
        return bits;
}

static void
judge_get(struct bench *bench, const struct kp_get_request *request,
        const struct kp_assertion *assertion)
{
        struct credential *credential = find(bench, &assertion->credential_id, request);
        fido_assert_t *assert = fido_assert_new();
        int r;

        if (credential == NULL) { /* made by the factory: a place that was taken */
                fido_assert_free(&assert);
                return;
        }
        cr_assert_eq(fido_assert_set_rp(assert, request->rp_id), FIDO_OK);
        cr_assert_eq(
                fido_assert_set_clientdata_hash(assert, request->client_data_hash, 32),
                FIDO_OK);
        cr_assert_eq(fido_assert_set_count(assert, 1), FIDO_OK);
        cr_assert_eq(fido_assert_set_authdata_raw(assert, 0, assertion->auth_data.data,
                             assertion->auth_data.len),
                FIDO_OK);
        cr_assert_eq(fido_assert_set_sig(assert, 0, assertion->signature.data,
                             assertion->signature.len),
                FIDO_OK);
        cr_assert_eq(fido_assert_set_up(assert,
                             request->up == KP_FALSE ? FIDO_OPT_FALSE : FIDO_OPT_TRUE),
                FIDO_OK);
        cr_assert_eq(fido_assert_set_extensions(
                             assert, extensions_of(&assertion->auth_data)),
                FIDO_OK);
        r = fido_assert_verify(assert, 0, credential->alg, credential->public_key);
        cr_expect_eq(r, FIDO_OK, "%s: libfido2 refuses the assertion: %s",
                bench->profile, fido_strerr(r));
        bench->n_judged++;
        fido_assert_free(&assert);
}

/* ---- one request ---- */

/* A driver that cannot ask leaves a line that is equal to anything. */
static bool
could_not(struct bench *bench, const char *what, const struct kp_error *err)
{
        char why[512];

        if (err->code != KP_EUNSUPPORTED)
                cr_assert_fail("%s: %s: %s", bench->profile, what,
                        kp_error_format(err, why, sizeof(why)));
        kp_buf_printf(&bench->said, "%s: ?\n", what);
        bench->n_skipped++;
        return false;
}

static void
say_status(struct bench *bench, const char *what, uint8_t status, const char *transport)
{
        kp_buf_printf(&bench->said, "%s: %s", what,
                transport != NULL ? transport : kp_ctap_status_name(status));
}

static void
say_auth_data(struct bench *bench, const struct kp_buf *data)
{
        struct kp_error err = { 0 };
        struct kp_authdata parsed;

        cr_assert_eq(kp_authdata_parse(
                             data->data, data->len, KP_CBOR_LENIENT, &parsed, &err),
                0);
        kp_buf_printf(&bench->said, " flags=%02x count=%u id=%zu", parsed.flags,
                parsed.sign_count, parsed.credential_id_len);
        if (parsed.aaguid != NULL) {
                kp_buf_puts(&bench->said, " aaguid=");
                kp_buf_put_hex(&bench->said, parsed.aaguid, 16);
        }
        /* not their length: libfido2 prefers the newer protocol for PINs, we the key's
         * first, and what one encrypts is longer */
        if (parsed.extensions != NULL)
                kp_buf_printf(&bench->said, " ext=%02x", parsed.extensions[0]);
}

static bool
make(struct bench *bench, const char *what, struct kp_make_request *request)
{
        struct kp_make_reply reply;
        struct kp_error err = { 0 };
        bool ok;

        memset(request->client_data_hash, 0x11, sizeof(request->client_data_hash));
        if (request->rp_id == NULL)
                request->rp_id = RP;
        if (request->user_id.data == NULL)
                request->user_id = (struct kp_bytes){ (const uint8_t *)"user", 4 };
        if (bench->key->driver.ops->make(
                    bench->key->driver.self, request, &reply, &err) < 0)
                return could_not(bench, what, &err);
        say_status(bench, what, reply.status, reply.transport);
        ok = reply.transport == NULL && reply.status == KP_CTAP_OK;
        if (ok) {
                kp_buf_printf(
                        &bench->said, " %s ep=%d", reply.format, reply.enterprise);
                say_auth_data(bench, &reply.auth_data);
                judge_make(bench, request, &reply);
        }
        kp_buf_puts(&bench->said, "\n");
        kp_make_reply_done(&reply);
        return ok;
}

static void
get(struct bench *bench, const char *what, struct kp_get_request *request)
{
        struct kp_get_reply reply;
        struct kp_error err = { 0 };

        memset(request->client_data_hash, 0x22, sizeof(request->client_data_hash));
        if (request->rp_id == NULL)
                request->rp_id = RP;
        if (bench->key->driver.ops->get(
                    bench->key->driver.self, request, &reply, &err) < 0) {
                (void)could_not(bench, what, &err);
                return;
        }
        say_status(bench, what, reply.status, reply.transport);
        kp_buf_printf(&bench->said, " n=%zu", reply.n_assertions);
        for (size_t i = 0; i < reply.n_assertions; i++) {
                const struct kp_assertion *a = &reply.assertions[i];

                say_auth_data(bench, &a->auth_data);
                kp_buf_printf(&bench->said,
                        " id=%zu user=%zu '%s' '%s' hmac=%zu blob=%zu",
                        a->credential_id.len, a->user_id.len, a->user_name,
                        a->user_display_name, a->hmac_output.len, a->cred_blob.len);
                judge_get(bench, request, a);
        }
        kp_buf_puts(&bench->said, "\n");
        kp_get_reply_done(&reply);
}

static void
retries(struct bench *bench)
{
        struct kp_error err = { 0 };
        uint8_t status = 0;
        int n = 0;

        if (bench->key->driver.ops->pin_retries(
                    bench->key->driver.self, &status, &n, &err) < 0) {
                (void)could_not(bench, "retries", &err);
                return;
        }
        say_status(bench, "retries", status, NULL);
        kp_buf_printf(&bench->said, " %d\n", n);
}

/* ---- everything that is asked ---- */

static const int es256[] = { -7 }, es384[] = { -35 }, eddsa[] = { -8 },
                 rs256[] = { -257 };

#define ALG(list) .algorithms = list, .n_algorithms = 1

static struct kp_bytes
last_id(const struct bench *bench)
{
        const struct credential *last = &bench->credentials[bench->n_credentials - 1];

        return (struct kp_bytes){ last->id, last->id_len };
}

static void
ask_makes(struct bench *bench)
{
        const char *pin = pin_of(bench);

        make(bench, "plain", &(struct kp_make_request){ ALG(es256) });
        make(bench, "rk", &(struct kp_make_request){ ALG(es256), .rk = KP_TRUE });
        make(bench, "uv", &(struct kp_make_request){ ALG(es256), .uv = KP_TRUE });
        make(bench, "rk uv",
                &(struct kp_make_request){ ALG(es256), .rk = KP_TRUE, .uv = KP_TRUE });
        make(bench, "rk false, uv false",
                &(struct kp_make_request){
                        ALG(es256), .rk = KP_FALSE, .uv = KP_FALSE });
        make(bench, "pin", &(struct kp_make_request){ ALG(es256), .pin = pin });
        make(bench, "rk pin names",
                &(struct kp_make_request){ ALG(es256), .rk = KP_TRUE, .pin = pin,
                        .rp_name = "Example", .user_name = "anna",
                        .user_display_name = "Anna A.",
                        .user_id = { (const uint8_t *)"anna", 4 } });
        make(bench, "rk pin, second account",
                &(struct kp_make_request){ ALG(es256), .rk = KP_TRUE, .pin = pin,
                        .user_name = "bert",
                        .user_id = { (const uint8_t *)"bert", 4 } });
        make(bench, "ES384", &(struct kp_make_request){ ALG(es384), .pin = pin });
        make(bench, "EdDSA", &(struct kp_make_request){ ALG(eddsa), .pin = pin });
        make(bench, "RS256",
                &(struct kp_make_request){ ALG(rs256), .pin = pin, .uv = KP_TRUE });
        make(bench, "another site",
                &(struct kp_make_request){
                        ALG(es256), .rp_id = "example.com", .pin = pin });
}

static void
ask_extensions(struct bench *bench)
{
        static const uint8_t blob[] = { 1, 2, 3 };
        const char *pin = pin_of(bench);

        for (int level = 1; level <= 3; level++)
                make(bench, "credProtect",
                        &(struct kp_make_request){ ALG(es256), .pin = pin,
                                .rk = KP_TRUE, .cred_protect = level,
                                .user_id = {
                                        (const uint8_t *)&level, sizeof(level) } });
        make(bench, "minPinLength",
                &(struct kp_make_request){
                        ALG(es256), .pin = pin, .min_pin_length = true });
        make(bench, "credBlob",
                &(struct kp_make_request){ ALG(es256), .pin = pin, .rk = KP_TRUE,
                        .cred_blob = { blob, sizeof(blob) },
                        .user_id = { (const uint8_t *)"blob", 4 } });
        get(bench, "credBlob back",
                &(struct kp_get_request){ .pin = pin, .get_cred_blob = true });
}

static void
ask_excluded(struct bench *bench)
{
        static const uint8_t unknown[64] = { 9 };
        struct kp_bytes list[2] = { { unknown, sizeof(unknown) } };
        const char *pin = pin_of(bench);

        make(bench, "exclude unknown",
                &(struct kp_make_request){
                        ALG(es256), .pin = pin, .exclude = list, .n_exclude = 1 });
        if (bench->n_credentials == 0)
                return;
        list[1] = last_id(bench);
        make(bench, "exclude known",
                &(struct kp_make_request){
                        ALG(es256), .pin = pin, .exclude = list, .n_exclude = 2 });
}

static void
ask_gets(struct bench *bench)
{
        static const uint8_t unknown[64] = { 9 };
        const char *pin = pin_of(bench);
        struct kp_bytes list[2] = { { unknown, sizeof(unknown) } };
        bool made = make(bench, "for later",
                &(struct kp_make_request){ ALG(es256), .pin = pin,
                        .user_id = { (const uint8_t *)"later", 5 } });

        get(bench, "unknown", &(struct kp_get_request){ .allow = list, .n_allow = 1 });
        get(bench, "discover", &(struct kp_get_request){ .up = KP_TRUE });
        get(bench, "discover uv", &(struct kp_get_request){ .uv = KP_TRUE });
        get(bench, "discover pin", &(struct kp_get_request){ .pin = pin });
        get(bench, "discover elsewhere",
                &(struct kp_get_request){ .rp_id = "nowhere.example" });
        if (!made)
                return;
        list[1] = last_id(bench);
        get(bench, "known", &(struct kp_get_request){ .allow = list, .n_allow = 2 });
        get(bench, "known only",
                &(struct kp_get_request){ .allow = list + 1, .n_allow = 1 });
        get(bench, "known uv",
                &(struct kp_get_request){ .allow = list, .n_allow = 2, .uv = KP_TRUE });
        get(bench, "known pin",
                &(struct kp_get_request){ .allow = list, .n_allow = 2, .pin = pin });
        get(bench, "known silent",
                &(struct kp_get_request){
                        .allow = list + 1, .n_allow = 1, .up = KP_FALSE });
        get(bench, "known elsewhere",
                &(struct kp_get_request){
                        .rp_id = "nowhere.example", .allow = list + 1, .n_allow = 1 });
}

static void
ask_secrets(struct bench *bench)
{
        static const uint8_t salts[64] = { 1 };
        const char *pin = pin_of(bench);
        struct kp_bytes one;

        if (!make(bench, "hmac-secret",
                    &(struct kp_make_request){
                            ALG(es256), .pin = pin, .hmac_secret = true })) {
                kp_buf_puts(&bench->said, "one salt: ?\ntwo salts: ?\n");
                return;
        }
        one = last_id(bench);
        get(bench, "one salt",
                &(struct kp_get_request){ .allow = &one,
                        .n_allow = 1,
                        .pin = pin,
                        .hmac_salts = { salts, 32 } });
        get(bench, "two salts",
                &(struct kp_get_request){
                        .allow = &one, .n_allow = 1, .hmac_salts = { salts, 64 } });
}

static void
ask_fingers(struct bench *bench)
{
        struct kp_error err = { 0 };
        struct kp_key_info info;

        /* for U2F libfido2 sleeps in real time until its own time-out */
        cr_assert_eq(
                bench->key->driver.ops->info(bench->key->driver.self, &info, &err), 0);
        if (info.u2f_only)
                return;
        kp_authenticator_set_finger(
                bench->key->authenticator, KP_FINGER_WITHHOLDS, 0, true);
        make(bench, "no touch",
                &(struct kp_make_request){ ALG(es256), .pin = pin_of(bench) });
        kp_authenticator_set_finger(
                bench->key->authenticator, KP_FINGER_REFUSES, 0, true);
        make(bench, "touch refused",
                &(struct kp_make_request){ ALG(es256), .pin = pin_of(bench) });
        kp_authenticator_set_finger(
                bench->key->authenticator, KP_FINGER_TOUCHES, 2500, true);
        make(bench, "slow touch",
                &(struct kp_make_request){ ALG(es256), .pin = pin_of(bench) });
        kp_authenticator_set_finger(
                bench->key->authenticator, KP_FINGER_TOUCHES, 0, false);
        make(bench, "wrong finger",
                &(struct kp_make_request){ ALG(es256), .uv = KP_TRUE });
        kp_authenticator_set_finger(
                bench->key->authenticator, KP_FINGER_TOUCHES, 0, true);
}

static void
set_pin(struct bench *bench, const char *pin)
{
        struct kp_error err = { 0 };
        uint8_t status = 0;

        if (bench->key->driver.ops->set_pin(
                    bench->key->driver.self, pin, &status, &err) < 0) {
                (void)could_not(bench, "set PIN", &err);
                return;
        }
        say_status(bench, "set PIN", status, NULL);
        kp_buf_puts(&bench->said, "\n");
}

static void
ask_pins(struct bench *bench)
{
        struct kp_error err = { 0 };
        struct kp_key_info info;
        const char *pin;

        retries(bench);
        set_pin(bench, "123"); /* too short everywhere */
        set_pin(bench, "correct horse battery");
        cr_assert_eq(
                bench->key->driver.ops->info(bench->key->driver.self, &info, &err), 0);
        kp_buf_printf(
                &bench->said, "clientPin=%d\n", kp_key_option(&info, "clientPin"));
        if (kp_key_option(&info, "clientPin") != KP_TRUE)
                return;
        pin = pin_of(bench) != NULL ? pin_of(bench) : "correct horse battery";
        make(bench, "after set PIN",
                &(struct kp_make_request){ ALG(es256), .pin = pin });
        for (int i = 0; i < 4; i++) {
                make(bench, "wrong PIN",
                        &(struct kp_make_request){ ALG(es256), .pin = "not the PIN" });
                retries(bench);
        }
        make(bench, "right PIN, too late",
                &(struct kp_make_request){ ALG(es256), .pin = pin });
        kp_authenticator_power_cycle(
                bench->key->authenticator, kp_clock_ms(&bench->clock));
        cr_assert_eq(kp_key_switch_driver(bench->key, bench->choice, &err), 0);
        make(bench, "right PIN after replugging",
                &(struct kp_make_request){ ALG(es256), .pin = pin });
        retries(bench);
}

static void
ask_removal(struct bench *bench)
{
        const char *pin = pin_of(bench);
        struct kp_error err = { 0 };
        uint8_t status = 0;

        if (bench->key->driver.ops->select(bench->key->driver.self, &status, &err) < 0)
                (void)could_not(bench, "select", &err);
        else
                say_status(bench, "select", status, NULL);
        kp_buf_puts(&bench->said, "\n");
        if (!make(bench, "to remove",
                    &(struct kp_make_request){ ALG(es256), .pin = pin, .rk = KP_TRUE,
                            .rp_id = "remove.example" }))
                return;
        if (bench->key->driver.ops->remove(
                    bench->key->driver.self, last_id(bench), pin, &status, &err) < 0) {
                (void)could_not(bench, "remove", &err);
                kp_buf_puts(&bench->said, "removed: ?\n");
                return;
        }
        say_status(bench, "remove", status, NULL);
        kp_buf_puts(&bench->said, "\n");
        get(bench, "removed", &(struct kp_get_request){ .rp_id = "remove.example" });
}

static void
say_info(struct bench *bench)
{
        struct kp_error err = { 0 };
        struct kp_key_info info;

        cr_assert_eq(
                bench->key->driver.ops->info(bench->key->driver.self, &info, &err), 0);
        kp_buf_printf(&bench->said,
                "info: %zu versions, %zu options, %zu algorithms, u2f=%d\n",
                info.n_versions, info.n_options, info.n_algorithms, info.u2f_only);
}

static void (*const questions[])(struct bench *bench) = { say_info, ask_makes,
        ask_extensions, ask_excluded, ask_gets, ask_secrets, ask_fingers, ask_removal,
        ask_pins };

/* Line by line; "?" is equal to anything. */
static unsigned
compare(struct bench *a, struct bench *b)
{
        char *rest_a = strdup(kp_buf_str(&a->said)),
             *rest_b = strdup(kp_buf_str(&b->said));
        char *at_a = rest_a, *at_b = rest_b, *line_a, *line_b;
        unsigned n = 0;

        while ((line_a = strsep(&at_a, "\n")) != NULL &&
                (line_b = strsep(&at_b, "\n")) != NULL) {
                if (strstr(line_a, ": ?") != NULL || strstr(line_b, ": ?") != NULL)
                        continue;
                cr_expect_str_eq(
                        line_a, line_b, "%s:\n  %s\n  %s", a->profile, line_a, line_b);
                n += line_a[0] != '\0';
        }
        cr_expect(at_a == NULL && (at_b == NULL || at_b[0] == '\0'),
                "%s: not as many lines", a->profile);
        free(rest_a);
        free(rest_b);
        return n;
}

/* A trace is part of an outcome: it must not tell which driver asked. */
static unsigned
compare_traces(struct bench *a, struct bench *b)
{
        struct kp_error err = { 0 };
        char why[512];
        char *text_a, *text_b;
        unsigned n;

        cr_assert_eq(kp_trace_check(a->trace, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(kp_trace_check(b->trace, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        if (a->n_skipped > 0 || b->n_skipped > 0)
                return 0;
        text_a = json_dumps(kp_trace_events(a->trace), JSON_INDENT(0) | JSON_SORT_KEYS);
        text_b = json_dumps(kp_trace_events(b->trace), JSON_INDENT(0) | JSON_SORT_KEYS);
        cr_expect_str_eq(text_a, text_b, "%s: traces differ", a->profile);
        if (strcmp(text_a, text_b) != 0 && getenv("KEYPILOT_TEST_SAY") != NULL)
                fprintf(stderr, "%s\n%s\n", text_a, text_b);
        n = (unsigned)json_array_size(kp_trace_events(a->trace));
        free(text_a);
        free(text_b);
        return n;
}

static unsigned
compare_question(const char *profile, void (*question)(struct bench *bench),
        unsigned *n_judged, unsigned *n_events)
{
        struct bench fido2, ctap;
        unsigned n;

        bench_open(&fido2, profile, KP_DRIVER_LIBFIDO2);
        question(&fido2);
        bench_open(&ctap, profile, KP_DRIVER_CTAP);
        question(&ctap);
        n = compare(&fido2, &ctap);
        /* libfido2 selects and removes with older commands */
        if (question != ask_removal)
                *n_events += compare_traces(&fido2, &ctap);
        *n_judged += ctap.n_judged;
        if (getenv("KEYPILOT_TEST_SAY") != NULL)
                fprintf(stderr, "== %s\n%s", profile, kp_buf_str(&ctap.said));
        bench_close(&fido2);
        bench_close(&ctap);
        return n;
}

/* libfido2 1.12 reads no statement of these formats. */
static bool
libfido2_reads(const char *profile)
{
        struct bench bench;
        enum kp_key_attestation format;

        bench_open(&bench, profile, KP_DRIVER_CTAP);
        format = kp_authenticator_profile_facts(bench.key->profile)->attestation;
        bench_close(&bench);
        return format != KP_ATTESTATION_ANDROID_KEY && format != KP_ATTESTATION_APPLE;
}

/* The first line that is said of a make. */
static void
make_on(const char *profile, enum kp_driver_choice choice, char said[64])
{
        struct kp_make_request request = { ALG(es256), .uv = KP_TRUE };
        struct kp_make_reply reply;
        struct kp_error err = { 0 };
        struct bench bench;
        char why[512];

        bench_open(&bench, profile, choice);
        request.rp_id = RP;
        request.user_id = (struct kp_bytes){ (const uint8_t *)"user", 4 };
        cr_assert_eq(bench.key->driver.ops->make(
                             bench.key->driver.self, &request, &reply, &err),
                0, "%s: %s", profile, kp_error_format(&err, why, sizeof(why)));
        (void)snprintf(said, 64, "%s %s",
                reply.transport != NULL ? reply.transport
                                        : kp_ctap_status_name(reply.status),
                reply.format);
        kp_make_reply_done(&reply);
        bench_close(&bench);
}

Test(drivers, formats_that_libfido2_does_not_know_are_unreadable_to_it_only)
{
        char said[64];

        make_on("android-platform-key", KP_DRIVER_LIBFIDO2, said);
        cr_expect_str_eq(said, "unreadable ");
        make_on("android-platform-key", KP_DRIVER_CTAP, said);
        cr_expect_str_eq(said, "CTAP2_OK android-key");
        make_on("apple-platform", KP_DRIVER_LIBFIDO2, said);
        cr_expect_str_eq(said, "unreadable ");
        make_on("apple-platform", KP_DRIVER_CTAP, said);
        cr_expect_str_eq(said, "CTAP2_OK apple");
}

Test(drivers, outcomes_are_equal_over_both)
{
        char *folder = kp_format("%s/authenticators", fixtures());
        unsigned n_compared = 0, n_judged = 0, n_profiles = 0, n_events = 0;
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_dir_list(folder, ".json", &names, &err), 0);
        for (size_t i = 0; i < names.n_names; i++) {
                char *id = strndup(
                        names.names[i], strlen(names.names[i]) - strlen(".json"));

                for (size_t j = 0; libfido2_reads(id) && j < KP_NELEMS(questions); j++)
                        n_compared += compare_question(
                                id, questions[j], &n_judged, &n_events);
                n_profiles++;
                free(id);
        }
        cr_expect_gt(n_profiles, 10);
        cr_expect_gt(
                n_compared, n_profiles * 20, "only %u outcomes compared", n_compared);
        cr_expect_gt(n_judged, n_profiles * 5, "only %u judged by libfido2", n_judged);
        cr_expect_gt(n_events, n_compared, "only %u events compared", n_events);
        fprintf(stderr,
                "# %u profiles: %u outcomes and %u events equal, %u judged by "
                "libfido2\n",
                n_profiles, n_compared, n_events, n_judged);
        kp_names_done(&names);
        free(folder);
}
