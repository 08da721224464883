/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_DEVICE_BENCH_H
#define KEYPILOT_TESTS_DEVICE_BENCH_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/authenticator/fault.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/extra.h"
#include "keypilot/device/key.h"
#include "keypilot/device/sim.h"

/*
 * A simulated key, two lines to it (one for our client, one for libfido2 as somebody
 * else's), and all that our client can ask.
 */
#define BENCH_RP "example.org"

struct bench {
        struct kp_authenticator_profile *profile;
        struct kp_authenticator *key;
        struct kp_random *random;
        struct kp_clock clock;
        struct kp_driver driver;
        struct kp_extra extra;
        const char *pin; /* of the profile, or what the test has set; NULL: none */
};

static inline void
must(int r, const struct kp_error *err)
{
        char why[1024];

        cr_assert_eq(r, 0, "%s", kp_error_format(err, why, sizeof(why)));
}

static inline struct kp_seam
bench_seam(struct bench *bench)
{
        struct kp_error err = { 0 };
        struct kp_seam seam;

        must(kp_sim_open(bench->key, &bench->clock, &seam, &err), &err);
        return seam;
}

/* The key without a client. */
static inline void
bench_plug(struct bench *bench, const char *profile)
{
        struct kp_error err = { 0 };
        char *path = kp_format(
                "%s/authenticators/%s.json", getenv("KEYPILOT_FIXTURES"), profile);

        *bench = (struct bench){ .clock = kp_clock_simulated() };
        must(kp_random_new_seeded("bench", profile, &bench->random, &err), &err);
        must(kp_authenticator_profile_load(path, &bench->profile, &err), &err);
        must(kp_authenticator_new(bench->profile, bench->random,
                     kp_clock_ms(&bench->clock), &bench->key, &err),
                &err);
        bench->pin = kp_authenticator_profile_test_pin(bench->profile);
        free(path);
}

static inline void
bench_dial(struct bench *bench)
{
        struct kp_error err = { 0 };

        kp_driver_close(&bench->driver);
        bench->extra = (struct kp_extra){ 0 };
        must(kp_driver_open_ctap(
                     bench_seam(bench), bench->random, &bench->driver, &err),
                &err);
        if (kp_driver_extra(&bench->driver, &bench->extra, &err) < 0)
                cr_assert_eq(err.code, KP_EUNSUPPORTED);
}

static inline void
bench_open(struct bench *bench, const char *profile)
{
        bench_plug(bench, profile);
        bench_dial(bench);
}

/* Off and on again. */
static inline void
bench_replug(struct bench *bench)
{
        kp_authenticator_power_cycle(bench->key, kp_clock_ms(&bench->clock));
        bench_dial(bench);
}

static inline void
bench_close(struct bench *bench)
{
        kp_driver_close(&bench->driver);
        kp_authenticator_free(&bench->key);
        kp_authenticator_profile_free(&bench->profile);
        kp_random_free(&bench->random);
}

static inline void
bench_set_pin(struct bench *bench, const char *pin)
{
        struct kp_error err = { 0 };
        uint8_t status = 0xff;

        must(bench->driver.ops->set_pin(bench->driver.self, pin, &status, &err), &err);
        cr_assert_eq(status, KP_CTAP_OK, "%s", kp_ctap_status_name(status));
        bench->pin = pin;
}

static inline struct kp_key_info
bench_info(struct bench *bench)
{
        struct kp_error err = { 0 };
        struct kp_key_info info;

        must(bench->driver.ops->info(bench->driver.self, &info, &err), &err);
        return info;
}

static inline struct kp_pin_or_token
bench_proof(const struct bench *bench)
{
        return (struct kp_pin_or_token){ bench->pin, NULL };
}

/* What it said, as one word. */
static inline const char *
word(const struct kp_said *said)
{
        return said->transport != NULL ? said->transport
                                       : kp_ctap_status_name(said->status);
}

static inline struct kp_make_reply
bench_make(struct bench *bench, struct kp_make_request request)
{
        static const int es256 = -7;
        struct kp_make_reply reply = { 0 };
        struct kp_error err = { 0 };

        memset(request.client_data_hash, 0x11, sizeof(request.client_data_hash));
        if (request.rp_id == NULL)
                request.rp_id = BENCH_RP;
        if (request.user_id.data == NULL)
                request.user_id = (struct kp_bytes){ (const uint8_t *)"anna", 4 };
        if (request.n_algorithms == 0) {
                request.algorithms = &es256;
                request.n_algorithms = 1;
        }
        must(bench->driver.ops->make(bench->driver.self, &request, &reply, &err), &err);
        return reply;
}

static inline struct kp_get_reply
bench_get(struct bench *bench, struct kp_get_request request)
{
        struct kp_get_reply reply = { 0 };
        struct kp_error err = { 0 };

        memset(request.client_data_hash, 0x22, sizeof(request.client_data_hash));
        if (request.rp_id == NULL)
                request.rp_id = BENCH_RP;
        must(bench->driver.ops->get(bench->driver.self, &request, &reply, &err), &err);
        return reply;
}

/* The id of the credential that was made; it points into the reply. */
static inline struct kp_bytes
bench_id(const struct kp_make_reply *reply)
{
        enum { ID_LEN_AT = 37 + 16 };
        const uint8_t *data = reply->auth_data.data;

        cr_assert_gt(reply->auth_data.len, ID_LEN_AT + 2);
        return (struct kp_bytes){ data + ID_LEN_AT + 2,
                (size_t)data[ID_LEN_AT] << 8 | data[ID_LEN_AT + 1] };
}

/* Each profile in turn; its id without ".json". */
static inline unsigned
each_profile(void (*run)(const char *profile))
{
        char *folder = kp_format("%s/authenticators", getenv("KEYPILOT_FIXTURES"));
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };
        unsigned n = 0;

        must(kp_dir_list(folder, ".json", &names, &err), &err);
        for (size_t i = 0; i < names.n_names; i++) {
                char *id = strndup(
                        names.names[i], strlen(names.names[i]) - strlen(".json"));

                run(id);
                free(id);
                n++;
        }
        kp_names_done(&names);
        free(folder);
        return n;
}

#endif
