/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/sim.h"

#include "bench.h"

/*
 * key [FIXTURES [PROFILE [PAIRS]]]
 *
 * What a simulated key costs below libfido2: makeCredential and getAssertion in this
 * process, against libfido2 with the same answers read from a tape plus the public-key
 * operations of the key, counted and done bare. One core, one run, one ratio.
 */
#define ROUNDS 5

static const unsigned char cdh[32] = { 1 };

static void
die(const char *what, int code)
{
        fprintf(stderr, "key: %s: %s\n", what, fido_strerr(code));
        exit(EXIT_FAILURE);
}

/* Of this process: what other programs do at the same time does not count. */
static double
cpu_seconds(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail for it */
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- below libfido2: a key, or the tape of what it said ---- */

static struct kp_seam seam;
static struct tape {
        struct kp_buf reports;
        size_t at;
        bool playing;
} tape;

static void *
io_open(const char *path)
{
        (void)path;
        return &seam;
}

static void
io_close(void *handle)
{
        (void)handle;
}

static int
io_write(void *handle, const unsigned char *bytes, size_t bytes_len)
{
        struct kp_error err = { 0 };

        (void)handle;
        if (!tape.playing && seam.ops->write(seam.self, bytes + 1, &err) < 0)
                return -1;
        return (int)bytes_len;
}

static int
io_read(void *handle, unsigned char *bytes, size_t bytes_len, int timeout_ms)
{
        struct kp_error err = { 0 };

        (void)handle;
        if (tape.playing) {
                memcpy(bytes, tape.reports.data + tape.at, bytes_len);
                tape.at = (tape.at + bytes_len) % tape.reports.len;
                return (int)bytes_len;
        }
        if (seam.ops->read(seam.self, bytes, timeout_ms, &err) != 1)
                return -1;
        if (tape.at == 0)
                kp_buf_put(&tape.reports, bytes, bytes_len);
        return (int)bytes_len;
}

/* ---- above it ---- */

static void
make(fido_dev_t *dev, fido_cred_t *cred)
{
        int r = fido_dev_make_cred(dev, cred, NULL);

        if (r != FIDO_OK)
                die("fido_dev_make_cred", r);
}

static fido_cred_t *
cred_new(void)
{
        static const unsigned char user[16] = { 1 };
        fido_cred_t *cred = fido_cred_new();

        if (cred == NULL || fido_cred_set_type(cred, COSE_ES256) != FIDO_OK ||
                fido_cred_set_clientdata_hash(cred, cdh, sizeof(cdh)) != FIDO_OK ||
                fido_cred_set_rp(cred, "school.example", "School") != FIDO_OK ||
                fido_cred_set_user(cred, user, sizeof(user), "jan", "Jan", NULL) !=
                        FIDO_OK)
                die("fido_cred", FIDO_ERR_INTERNAL);
        return cred;
}

static void
get(fido_dev_t *dev, const fido_cred_t *cred)
{
        fido_assert_t *assert = fido_assert_new();
        int r;

        if (assert == NULL ||
                fido_assert_set_clientdata_hash(assert, cdh, sizeof(cdh)) != FIDO_OK ||
                fido_assert_set_rp(assert, "school.example") != FIDO_OK ||
                fido_assert_allow_cred(assert, fido_cred_id_ptr(cred),
                        fido_cred_id_len(cred)) != FIDO_OK)
                die("fido_assert", FIDO_ERR_INTERNAL);
        if ((r = fido_dev_get_assert(dev, assert, NULL)) != FIDO_OK)
                die("fido_dev_get_assert", r);
        fido_assert_free(&assert);
}

static double
pairs(fido_dev_t *dev, uint64_t n)
{
        double begin = cpu_seconds();

        for (uint64_t i = 0; i < n; i++) {
                fido_cred_t *cred = cred_new();

                make(dev, cred);
                get(dev, cred);
                fido_cred_free(&cred);
        }
        return cpu_seconds() - begin;
}

/* Record one pair while it happens; after that the tape is not added to. */
static void
record(fido_dev_t *dev)
{
        tape.at = 0;
        kp_buf_clear(&tape.reports);
        (void)pairs(dev, 1);
        tape.at = 1;
}

static double
canned(fido_dev_t *dev, uint64_t n)
{
        double seconds;

        tape.at = 0;
        tape.playing = true;
        seconds = pairs(dev, n);
        tape.playing = false;
        tape.at = 1;
        return seconds;
}

static double
bare(const struct counts *asked)
{
        double begin;

        for (int op = 0; op < N_OPS; op++)
                for (int key = 0; key < N_KEYS; key++)
                        if (asked->n[op][key] > 0)
                                (void)floor_seconds((enum op)op, (enum key)key);
        begin = cpu_seconds();
        floor_run(asked, 1);
        return cpu_seconds() - begin;
}

static double
least(double a, double b)
{
        return a < b ? a : b;
}

static fido_dev_t *
dev_open(void)
{
        static const fido_dev_io_t io = { io_open, io_close, io_read, io_write };
        fido_dev_t *dev = fido_dev_new();
        int r = dev == NULL ? FIDO_ERR_INTERNAL : fido_dev_set_io_functions(dev, &io);

        tape.at = 1;
        if (r != FIDO_OK || (r = fido_dev_open(dev, "sim")) != FIDO_OK)
                die("fido_dev_open", r);
        return dev;
}

struct seconds {
        double key, canned, bare;
};

/* With a new key each: one that keeps thousands of passkeys is another question. */
static void
round_of(const struct kp_authenticator_profile *profile, struct kp_random *random,
        uint64_t n, struct counts *counts, struct counts *asked, struct seconds *best)
{
        KP_CLEANUP(kp_authenticator_free) struct kp_authenticator *key = NULL;
        struct kp_clock clock = { 0 };
        struct kp_error err = { 0 };
        fido_dev_t *dev;

        if (kp_authenticator_new(profile, random, 0, &key, &err) < 0 ||
                kp_sim_open(key, &clock, &seam, &err) < 0)
                die("simulated key", FIDO_ERR_INTERNAL);
        dev = dev_open();
        record(dev);
        memset(counts, 0, sizeof(*counts));
        best->key = least(best->key, pairs(dev, n));
        *asked = *counts; /* what is done bare is counted as well */
        best->bare = least(best->bare, bare(asked));
        best->canned = least(best->canned, canned(dev, n));
        (void)fido_dev_close(dev);
        fido_dev_free(&dev);
        seam.ops->close(seam.self);
}

static void
print(const struct seconds *best, uint64_t n, const struct counts *counts)
{
        double us = 1e6 / (double)n;

        printf("simulated key, in process below libfido2: %.0f pairs of create and get "
               "a second\n"
               "  %6.1f us  a pair\n"
               "  %6.1f us  libfido2 with canned answers\n"
               "  %6.1f us  public-key operations, bare\n"
               "  %6.2f     times those two together (aim: at most 1.30)\n",
                (double)n / best->key, best->key * us, best->canned * us,
                best->bare * us, best->key / (best->canned + best->bare));
        for (int op = 0; op < N_OPS; op++)
                for (int key = 0; key < N_KEYS; key++)
                        if (counts->n[op][key] > 0)
                                printf("  %6.2f     %s %s a pair\n",
                                        (double)counts->n[op][key] / (double)n,
                                        key_names[key], op_names[op]);
}

int
main(int argc, char **argv)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/authenticators/%s.json",
                argc > 1 ? argv[1] : "fixtures", argc > 2 ? argv[2] : "yubikey-5-57");
        uint64_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 200;
        struct counts *counts = counts_share();
        struct kp_authenticator_profile *profile = NULL;
        struct kp_random *random = NULL;
        struct counts asked = { 0 };
        struct seconds best = { 1e9, 1e9, 1e9 };
        struct kp_error err = { 0 };
        char why[1024];

        fido_init(0);
        if (counts == NULL || path == NULL ||
                kp_authenticator_profile_load(path, &profile, &err) < 0 ||
                kp_random_new_seeded("bench", "key", &random, &err) < 0) {
                fprintf(stderr, "key: %s\n", kp_error_format(&err, why, sizeof(why)));
                return EXIT_FAILURE;
        }
        for (int i = 0; i < ROUNDS; i++)
                round_of(profile, random, n, counts, &asked, &best);
        print(&best, n, &asked);
        kp_buf_done(&tape.reports);
        kp_authenticator_profile_free(&profile);
        kp_random_free(&random);
        return EXIT_SUCCESS;
}
