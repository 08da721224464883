/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/core/json.h"
#include "keypilot/rp/vector.h"

/*
 * Vectors from the specification and from other people's suites, where they are to be
 * found.
 */
struct tally {
        enum kp_rp_mode mode;
        const char *file;                       /* now read */
        unsigned n[3];                          /* by enum kp_rp_agreement */
        void (*tell)(const struct tally *tally, /* NULL: only count */
                const struct kp_rp_vector_outcome *outcome);
};

static bool
find_folder(char *ret, size_t ret_len)
{
        const char *root = getenv("KEYPILOT_VECTORS");

        (void)snprintf(ret, ret_len, "%s/webauthn", root == NULL ? "" : root);
        return kp_file_exists(ret);
}

/* A suite that never says `lenient` judges strictly; its refusals say only that. */
static bool
knows_lenient(const json_t *vectors)
{
        const json_t *vector;
        size_t i;

        json_array_foreach (vectors, i, vector)
                if (json_object_get(vector, "lenient") != NULL)
                        return true;
        return false;
}

static bool
is_asked(const json_t *vectors, const json_t *vector, enum kp_rp_mode mode)
{
        return mode == KP_RP_STRICT || knows_lenient(vectors) ||
               strcmp(kp_json_str(vector, "expect", ""), "valid") == 0;
}

static int
run_file(const char *path, struct tally *tally, struct kp_error *err)
{
        json_auto_t *vectors = NULL;
        struct kp_rp_vector_outcome outcome;
        const json_t *vector;
        size_t i;

        if (kp_json_load_any(path, KP_JSON_MAX_BULK, &vectors, err) < 0)
                return -1;
        json_array_foreach (vectors, i, vector) {
                if (!is_asked(vectors, vector, tally->mode))
                        continue;
                if (kp_rp_vector_run(
                            vector, tally->mode, KP_CLOCK_START_MS, &outcome, err) < 0)
                        return KP_WHILE(err, "%s", path);
                tally->n[outcome.agreement]++;
                if (tally->tell != NULL)
                        tally->tell(tally, &outcome);
        }
        return 0;
}

static int
run_folder(const char *folder, struct tally *tally, struct kp_error *err)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };

        if (kp_dir_list(folder, ".json", &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", folder, names.names[i]);

                tally->file = names.names[i];
                if (run_file(path, tally, err) < 0)
                        return -1;
        }
        return 0;
}

static void
tell(const struct tally *tally, const struct kp_rp_vector_outcome *outcome)
{
        if (outcome->agreement == KP_RP_DISAGREE)
                cr_expect_fail("%s: %s (%s): expected %s because %s; we %s: %s: %s",
                        tally->file, outcome->name,
                        tally->mode == KP_RP_STRICT ? "strict" : "lenient",
                        outcome->expected, outcome->reason,
                        outcome->accepted ? "accept" : "reject",
                        outcome->check == NULL ? "-" : outcome->check, outcome->why);
}

static void
run_all(enum kp_rp_mode mode)
{
        struct tally tally = { .mode = mode, .tell = tell };
        struct kp_error err = { 0 };
        char folder[400], text[512];

        if (!find_folder(folder, sizeof(folder)))
                cr_skip_test("no vectors: KEYPILOT_VECTORS leads nowhere");
        cr_assert_eq(run_folder(folder, &tally, &err), 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
        cr_assert_eq(tally.n[KP_RP_DISAGREE], 0);
        cr_assert_gt(
                tally.n[KP_RP_AGREE], 200, "vectors are there, and few were judged");
}

Test(vectors, strict_agrees_with_every_vector)
{
        run_all(KP_RP_STRICT);
}

Test(vectors, lenient_agrees_with_every_vector)
{
        run_all(KP_RP_LENIENT);
}

static unsigned n_judged;

static void
say_count(void)
{
        printf("# vectors: %u\n", n_judged);
}

/*
 * How many were judged. While tests run, Criterion keeps the standard output for its
 * TAP and closes it to everybody else; so the program that runs them counts for itself
 * and speaks at its very end. Each vector counts once, though it is judged twice.
 */
ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
        struct tally tally = { .mode = KP_RP_STRICT };
        struct kp_error err = { 0 };
        char folder[400];

        (void)stats;
        if (!find_folder(folder, sizeof(folder)) ||
                run_folder(folder, &tally, &err) < 0)
                return; /* the tests have said why */
        n_judged = tally.n[KP_RP_AGREE] + tally.n[KP_RP_DISAGREE];
        if (atexit(say_count) != 0)
                abort();
}
