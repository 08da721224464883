/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "answer.h"

/*
 * What may be promised. A promise holds for every outcome of a scenario with one home,
 * or it names the conditions under which it does. What stands under "works" never has a
 * failure among its outcomes.
 *
 * Conditions are found greedily: the value is left out with which most goes wrong,
 * until nothing does; then values that do no harm are let in again.
 */
static const enum kp_axis candidates[] = { KP_AXIS_KEY, KP_AXIS_CLIENT,
        KP_AXIS_SETTINGS, KP_AXIS_PROVIDER, KP_AXIS_POPULATION, KP_AXIS_EVENT,
        KP_AXIS_SERVICE, KP_AXIS_HUB, KP_AXIS_PROVIDER2 };

/* A scenario with one home while its conditions are being looked for. */
struct search {
        const struct kp_report *report;
        const struct sample **samples;
        size_t n_samples;
        bool *kept[KP_N_AXES]; /* by value: allowed; NULL: the axis is free */
};

static bool
fails(const struct sample *sample)
{
        return sample->verdict != KP_WORKS;
}

static bool
is_kept(const struct search *search, const struct sample *sample)
{
        for (size_t axis = 0; axis < KP_N_AXES; axis++)
                if (search->kept[axis] != NULL &&
                        !search->kept[axis][sample->axis[axis]])
                        return false;
        return true;
}

static void
count_kept(const struct search *search, uint64_t *ret_works, uint64_t *ret_fails)
{
        *ret_works = *ret_fails = 0;
        for (size_t i = 0; i < search->n_samples; i++) {
                if (!is_kept(search, search->samples[i]))
                        continue;
                if (fails(search->samples[i]))
                        ++*ret_fails;
                else
                        ++*ret_works;
        }
}

struct count {
        uint64_t works, fails;
};

/* Works and failures by value of one axis, among what is kept. */
static struct count *
count_values(const struct search *search, size_t axis)
{
        struct count *counts =
                calloc(search->report->axes[axis].n + 1, sizeof(*counts));

        for (size_t i = 0; counts != NULL && i < search->n_samples; i++) {
                const struct sample *sample = search->samples[i];
                struct count *count;

                if (sample->axis[axis] == UINT16_MAX || !is_kept(search, sample))
                        continue;
                count = &counts[sample->axis[axis]];
                if (fails(sample))
                        count->fails++;
                else
                        count->works++;
        }
        return counts;
}

/* The value that costs least to leave out for what goes wrong with it. */
struct peel {
        size_t axis, value;
        struct count count;
};

/* In which of two values a larger part fails; with equal parts, in which more fails. */
static bool
is_worse(const struct count *a, const struct count *b)
{
        uint64_t part_a = a->fails * (b->works + b->fails);
        uint64_t part_b = b->fails * (a->works + a->fails);

        return part_a != part_b ? part_a > part_b : a->fails > b->fails;
}

static int
peel_axis(const struct search *search, size_t axis, struct peel *peel,
        struct kp_error *err)
{
        struct count *counts = count_values(search, axis);
        size_t n = search->report->axes[axis].n, n_left = 0;

        if (counts == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (size_t i = 0; i < n; i++)
                n_left += counts[i].works + counts[i].fails > 0;
        /* the last value of an axis is what everything has: no condition */
        for (size_t i = 0; n_left > 1 && i < n; i++)
                if (counts[i].fails > 0 &&
                        (peel->count.fails == 0 || is_worse(&counts[i], &peel->count)))
                        *peel = (struct peel){ axis, i, counts[i] };
        free(counts);
        return 0;
}

static size_t
n_restricted(const struct search *search)
{
        size_t n = 0;

        for (size_t axis = 0; axis < KP_N_AXES; axis++)
                n += search->kept[axis] != NULL;
        return n;
}

/* Leave out one more value. ret_stuck   there is none that would help */
static int
peel_one(struct search *search, bool *ret_stuck, struct kp_error *err)
{
        bool full = n_restricted(search) == MAX_CONDITIONS;
        struct peel peel = { 0 };

        for (size_t i = 0; i < KP_NELEMS(candidates); i++)
                if ((!full || search->kept[candidates[i]] != NULL) &&
                        peel_axis(search, candidates[i], &peel, err) < 0)
                        return -1;
        *ret_stuck = peel.count.fails == 0;
        if (*ret_stuck)
                return 0;
        if (search->kept[peel.axis] == NULL) {
                size_t n = search->report->axes[peel.axis].n;

                search->kept[peel.axis] = malloc((n + 1) * sizeof(bool));
                if (search->kept[peel.axis] == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "report");
                for (size_t i = 0; i < n; i++)
                        search->kept[peel.axis][i] = true;
        }
        search->kept[peel.axis][peel.value] = false;
        return 0;
}

/* Let in again what does no harm: an earlier restriction may have been too strict. */
static void
widen(struct search *search)
{
        for (size_t axis = 0; axis < KP_N_AXES; axis++) {
                if (search->kept[axis] == NULL)
                        continue;
                for (size_t i = 0; i < search->report->axes[axis].n; i++) {
                        uint64_t works, more, failed;

                        if (search->kept[axis][i])
                                continue;
                        count_kept(search, &works, &failed);
                        search->kept[axis][i] = true;
                        count_kept(search, &more, &failed);
                        search->kept[axis][i] = failed == 0 && more > works;
                }
        }
}

/* Name a restriction by what it lets in or, if that is shorter, what it keeps out. */
static int
name_condition(const struct search *search, size_t axis, struct condition *ret,
        struct kp_error *err)
{
        size_t n = search->report->axes[axis].n, n_in = 0, n_out = 0;
        bool *seen = calloc(n + 1, sizeof(*seen));

        ret->axis = axis;
        ret->values = calloc(n + 1, sizeof(*ret->values));
        if (seen == NULL || ret->values == NULL) {
                free(seen);
                return KP_FAIL(err, KP_ENOMEM, "report");
        }
        for (size_t i = 0; i < search->n_samples; i++)
                if (search->samples[i]->axis[axis] != UINT16_MAX)
                        seen[search->samples[i]->axis[axis]] = true;
        for (size_t i = 0; i < n; i++) {
                n_in += seen[i] && search->kept[axis][i];
                n_out += seen[i] && !search->kept[axis][i];
        }
        ret->except = n_in > 3 && n_out < n_in;
        for (size_t i = 0; i < n; i++)
                if (seen[i] && search->kept[axis][i] != ret->except)
                        ret->values[ret->n_values++] = i;
        free(seen);
        return 0;
}

static int
name_conditions(const struct search *search, struct claim *claim, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(candidates); i++) {
                struct condition condition = { 0 };

                if (search->kept[candidates[i]] == NULL)
                        continue;
                if (name_condition(search, candidates[i], &condition, err) < 0)
                        return -1;
                if (condition.n_values == 0) {
                        /* widened until nothing was left out */
                        free(condition.values);
                        continue;
                }
                claim->conditions[claim->n_conditions++] = condition;
        }
        return 0;
}

/* Whatever does not apply or was not run neither bears a promise out nor breaks it. */
static int
gather(struct search *search, const struct claim *claim, struct kp_error *err)
{
        const struct kp_report *report = search->report;

        search->samples = calloc(report->n_samples + 1, sizeof(struct sample *));
        if (search->samples == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (size_t i = 0; i < report->n_samples; i++) {
                const struct sample *sample = &report->samples[i];

                if (sample->home == claim->home &&
                        sample->scenario == claim->scenario &&
                        sample->verdict != KP_NOT_APPLICABLE &&
                        sample->verdict != KP_SKIPPED)
                        search->samples[search->n_samples++] = sample;
        }
        return 0;
}

static void
search_done(struct search *search)
{
        free(search->samples);
        for (size_t axis = 0; axis < KP_N_AXES; axis++)
                free(search->kept[axis]);
}

static int
find_conditions(const struct kp_report *report, struct claim *claim, bool *ret_found,
        struct kp_error *err)
{
        KP_CLEANUP(search_done) struct search search = { .report = report };
        uint64_t failed;
        bool stuck = false;

        *ret_found = false;
        if (report->n_samples > MAX_SAMPLES)
                return 0;
        if (gather(&search, claim, err) < 0)
                return -1;
        for (count_kept(&search, &claim->n, &failed); failed > 0 && !stuck;
                count_kept(&search, &claim->n, &failed))
                if (peel_one(&search, &stuck, err) < 0)
                        return -1;
        if (failed > 0 || claim->n == 0)
                return 0;
        widen(&search);
        count_kept(&search, &claim->n, &failed);
        *ret_found = true;
        return name_conditions(&search, claim, err);
}

/* All outcomes of a scenario with one home, whatever the evidence and the group. */
static void
sum_up(const struct kp_report *report, const struct claim *claim, struct tally *tally)
{
        for (size_t i = 0; i < report->quads.n; i++) {
                const struct quad_row *quad = table_at(&report->quads, i);

                if (quad->home == claim->home && quad->scenario == claim->scenario)
                        tally_add(tally, &quad->tally);
        }
}

static int
claim_make(const struct kp_report *report, struct claim *claim, bool *ret_found,
        struct kp_error *err)
{
        struct tally tally = { 0 };

        sum_up(report, claim, &tally);
        claim->n = tally.n[KP_WORKS];
        *ret_found = claim->n > 0;
        if (claim->n == 0 || tally_failed(&tally) + tally.n[KP_INCONCLUSIVE] == 0)
                return 0;
        return find_conditions(report, claim, ret_found, err);
}

/* Getting in with a passkey is what people ask about; without one it is no news. */
static int
rank(const struct kp_report *report, const struct claim *claim)
{
        enum column column = report_scenario(report, claim->scenario)->column;

        if (claim->home == AT_NONE)
                return 2;
        return column == COLUMN_LOG_IN || column == COLUMN_THROUGH ? 0 : 1;
}

/* Then what most outcomes bear out. */
static int
compare_claims(const void *a, const void *b, void *report)
{
        const struct claim *x = a, *y = b;
        int x_rank = rank(report, x), y_rank = rank(report, y);

        if (x_rank != y_rank)
                return x_rank - y_rank;
        if (x->n != y->n)
                return x->n > y->n ? -1 : 1;
        if (x->scenario != y->scenario)
                return x->scenario < y->scenario ? -1 : 1;
        return (int)x->home - (int)y->home;
}

void
claims_done(struct claim *claims, size_t n_claims)
{
        for (size_t i = 0; i < n_claims; i++)
                for (size_t j = 0; j < claims[i].n_conditions; j++)
                        free(claims[i].conditions[j].values);
        free(claims);
}

int
claims_find(const struct kp_report *report, struct claim **ret, size_t *ret_n,
        struct kp_error *err)
{
        size_t n_scenarios = report->scenarios.n, n = 0;
        struct claim *claims = calloc(N_HOMES * n_scenarios + 1, sizeof(*claims));

        if (claims == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (size_t i = 0; i < N_HOMES * n_scenarios; i++) {
                bool found;

                claims[n] = (struct claim){ .home = (enum home)(i / n_scenarios),
                        .scenario = i % n_scenarios };
                if (claim_make(report, &claims[n], &found, err) < 0) {
                        claims_done(claims, n + 1);
                        return -1;
                }
                n += found;
        }
        qsort_r(claims, n, sizeof(*claims), compare_claims, (void *)report);
        *ret = claims;
        *ret_n = n;
        return 0;
}
