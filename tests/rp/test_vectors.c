/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/json.h"
#include "keypilot/rp/vector.h"

/*
 * Vectors from the specification and from other people's suites, where they are to be
 * found.
 */
struct tally {
        unsigned agree, disagree, skipped;
};

static void
run_one(const char *file, const json_t *vector, enum kp_rp_mode mode,
        struct tally *tally)
{
        struct kp_rp_vector_outcome outcome;
        struct kp_error err = { 0 };
        char text[512];

        cr_assert_eq(kp_rp_vector_run(vector, mode, KP_CLOCK_START_MS, &outcome, &err),
                0, "%s: %s", file, kp_error_format(&err, text, sizeof(text)));
        switch (outcome.agreement) {
        case KP_RP_AGREE:
                tally->agree++;
                break;
        case KP_RP_SKIPPED:
                tally->skipped++;
                break;
        case KP_RP_DISAGREE:
                tally->disagree++;
                cr_expect_fail("%s: %s (%s): expected %s because %s; we %s: %s: %s",
                        file, outcome.name, mode == KP_RP_STRICT ? "strict" : "lenient",
                        outcome.expected, outcome.reason,
                        outcome.accepted ? "accept" : "reject",
                        outcome.check == NULL ? "-" : outcome.check, outcome.why);
                break;
        }
}

/* A suite that never says `lenient` judges strictly: its refusals say nothing of the
 * rest. */
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

static void
run_file(const char *dir, const char *file, enum kp_rp_mode mode, struct tally *sum)
{
        json_auto_t *vectors = NULL;
        struct tally tally = { 0 };
        struct kp_error err = { 0 };
        char path[512], text[512];
        json_t *vector;
        size_t i;

        (void)snprintf(path, sizeof(path), "%s/%s", dir, file);
        cr_assert_eq(kp_json_load_any(path, KP_JSON_MAX_BULK, &vectors, &err), 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
        json_array_foreach (vectors, i, vector)
                if (is_asked(vectors, vector, mode))
                        run_one(file, vector, mode, &tally);
        printf("# %s: %u agree, %u disagree, %u skipped\n", file, tally.agree,
                tally.disagree, tally.skipped);
        sum->agree += tally.agree;
        sum->disagree += tally.disagree;
        sum->skipped += tally.skipped;
}

static void
run_all(enum kp_rp_mode mode)
{
        const char *root = getenv("KEYPILOT_VECTORS");
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_error err = { 0 };
        struct tally sum = { 0 };
        char dir[400];

        (void)snprintf(dir, sizeof(dir), "%s/webauthn", root == NULL ? "" : root);
        if (!kp_file_exists(dir))
                cr_skip_test("no vectors: KEYPILOT_VECTORS leads nowhere");
        cr_assert_eq(kp_dir_list(dir, ".json", &names, &err), 0);
        cr_assert_gt(names.n_names, 0);
        for (size_t i = 0; i < names.n_names; i++)
                run_file(dir, names.names[i], mode, &sum);
        printf("# vectors: %u\n", sum.agree + sum.disagree);
        fflush(stdout);
        cr_assert_gt(sum.agree, 200, "vectors are there, and few were judged");
}

Test(vectors, strict_agrees_with_every_vector)
{
        run_all(KP_RP_STRICT);
}

Test(vectors, lenient_agrees_with_every_vector)
{
        run_all(KP_RP_LENIENT);
}
