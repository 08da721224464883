/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/pem.h>
#include <time.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/json.h"

#include "bench.h"
#include "rp_made.h"

/*
 * rp [FOLDER]
 *
 * What the relying party costs beside the bare signature checks in it, in one run: an
 * assertion from JSON, the same from parsed data with the key loaded, and a packed
 * registration with one intermediate. With FOLDER the messages are written there, so
 * that rp.mjs can give the same ones to @simplewebauthn/server.
 */
#define ROUNDS 7
#define TIMES 300

static double
cpu_seconds(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail for it */
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct kp_rp_expectation
expectation(const struct made *m)
{
        return (struct kp_rp_expectation){ .rp_ids = { MADE_RP_ID },
                .n_rp_ids = 1,
                .origins = { MADE_ORIGIN },
                .n_origins = 1,
                .challenge = made_challenge,
                .challenge_len = sizeof(made_challenge),
                .uv_required = true,
                .anchors = { m->root },
                .n_anchors = 1,
                .trust = KP_TRUST_ANCHORS,
                .now_ms = KP_CLOCK_START_MS };
}

static void
assertion_from_json(struct made *m)
{
        struct kp_rp_expectation expect = expectation(m);
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        json_t *response = NULL;

        must(kp_json_parse("assertion", m->assertion, strlen(m->assertion), &response,
                     &err) == 0 &&
                        kp_rp_verify_authentication(&expect, &m->record, response,
                                false, &result, &err) == 0 &&
                        result.accepted,
                "the assertion is refused");
        kp_rp_result_done(&result);
        json_decref(response);
}

static void
assertion_from_bytes(struct made *m)
{
        const struct kp_rp_assertion assertion = { .id = made_id,
                .id_len = sizeof(made_id),
                .client_data = m->client_data.data,
                .client_data_len = m->client_data.len,
                .authenticator_data = m->auth_data.data,
                .authenticator_data_len = m->auth_data.len,
                .signature = m->signature.data,
                .signature_len = m->signature.len };
        struct kp_rp_expectation expect = expectation(m);
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        must(kp_rp_verify_assertion(
                     &expect, &m->record, &assertion, false, &result, &err) == 0 &&
                        result.accepted,
                "the assertion is refused");
        kp_rp_result_done(&result);
}

static void
register_once(struct made *m, size_t n_issuers)
{
        struct kp_rp_expectation expect = expectation(m);
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        json_t *response = NULL;

        must(kp_json_parse("registration", m->registration, strlen(m->registration),
                     &response, &err) == 0,
                "the registration is no JSON");
        expect.issuers[0] = m->ca;
        expect.n_issuers = n_issuers;
        must(kp_rp_verify_registration(&expect, response, false, &result, &err) == 0 &&
                        result.accepted && result.credential.trusted,
                "the registration is refused");
        kp_rp_result_done(&result);
        json_decref(response);
}

/* A relying party keeps what it knows of makers loaded: anchors, and intermediates. */
static void
registration_known_maker(struct made *m)
{
        register_once(m, 1);
}

static void
registration_new_maker(struct made *m)
{
        register_once(m, 0);
}

static double
bare_seconds(unsigned n_checks)
{
        struct counts counts = { 0 };
        double begin;

        counts.n[OP_VERIFY][KEY_P256] = (uint64_t)n_checks * TIMES;
        begin = cpu_seconds();
        floor_run(&counts, 1);
        return cpu_seconds() - begin;
}

/* clang-format off */
static struct what {
        const char *title;
        void (*once)(struct made *m);
        unsigned n_checks; /* signatures that must be checked: statement and chain */
        bool key_loaded;
        double aim;
        double least, bare;
} whats[] = {
        { "an assertion, from JSON",                       assertion_from_json,    1, false, 2.0, 1e9, 1e9 },
        { "an assertion, parsed and its key loaded",       assertion_from_bytes,   1, true,  1.2, 1e9, 1e9 },
        { "a registration, packed, x5c of two, its intermediate known", registration_known_maker, 3, false, 3.0, 1e9, 1e9 },
        { "a registration, packed, x5c of two, all new", registration_new_maker, 3, false, 3.0, 1e9, 1e9 },
};
/* clang-format on */

static void
measure(struct made *m, struct what *what)
{
        struct kp_error err = { 0 };
        double begin, seconds;

        EVP_PKEY_free(m->record.key);
        m->record.key = NULL;
        if (what->key_loaded)
                must(kp_rp_credential_load(&m->record, KP_RP_STRICT, &err) == 0, "key");
        begin = cpu_seconds();
        for (int i = 0; i < TIMES; i++)
                what->once(m);
        seconds = cpu_seconds() - begin;
        what->least = seconds < what->least ? seconds : what->least;
        seconds = bare_seconds(what->n_checks);
        what->bare = seconds < what->bare ? seconds : what->bare;
}

static void
print(const struct what *what)
{
        double us = 1e6 / TIMES;

        printf("%s: %.0f a second\n"
               "  %6.1f us\n"
               "  %6.1f us  %u signature check%s, bare\n"
               "  %6.2f     times that (aim: at most %.1f)\n",
                what->title, TIMES / what->least, what->least * us, what->bare * us,
                what->n_checks, what->n_checks == 1 ? "" : "s",
                what->least / what->bare, what->aim);
}

static void
save(const char *folder, const char *name, const void *bytes, size_t bytes_len)
{
        char path[512];
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        file = fopen(path, "wb");
        must(file != NULL && fwrite(bytes, 1, bytes_len, file) == bytes_len &&
                        fclose(file) == 0,
                path);
}

static void
save_all(const struct made *m, const char *folder)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf expected = { 0 }, challenge = { 0 };
        BIO *bio = BIO_new(BIO_s_mem());
        char *pem = NULL;
        long pem_len;

        kp_b64url_put(&challenge, made_challenge, sizeof(made_challenge));
        kp_buf_printf(&expected,
                "{\"challenge\":\"%s\",\"origin\":\"" MADE_ORIGIN
                "\",\"rpId\":\"" MADE_RP_ID "\"}",
                kp_buf_str(&challenge));
        must(bio != NULL && PEM_write_bio_X509(bio, m->root) == 1, "root");
        pem_len = BIO_get_mem_data(bio, &pem);
        save(folder, "root.pem", pem, (size_t)pem_len);
        BIO_free(bio);
        save(folder, "expected.json", expected.data, expected.len);
        save(folder, "registration.json", m->registration, strlen(m->registration));
        save(folder, "assertion.json", m->assertion, strlen(m->assertion));
}

int
main(int argc, char **argv)
{
        struct made m;

        made_begin(&m);
        if (argc > 1)
                save_all(&m, argv[1]);
        must(floor_seconds(OP_VERIFY, KEY_P256) > 0, "P-256");
        for (int round = 0; round < ROUNDS; round++)
                for (size_t i = 0; i < KP_NELEMS(whats); i++)
                        measure(&m, &whats[i]);
        for (size_t i = 0; i < KP_NELEMS(whats); i++)
                print(&whats[i]);
        made_end(&m);
        return EXIT_SUCCESS;
}
