/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "answer.h"

/*
 * What may be promised. A promise holds for every outcome of a scenario with one home,
 * or it names the conditions under which it does. What stands under "works" never has a
 * failure among its outcomes.
 *
 * Conditions are found greedily: the axis is restricted that parts failures from the
 * rest best, until none is left; then values that do no harm are let in again.
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

/* The part that fails, in thousandths; a value that never works is worst. */
static uint64_t
badness(const struct count *count)
{
        return count->works == 0 ? 1001
                                 : 1000 * count->fails / (count->works + count->fails);
}

/* What restricting an axis to its best values would leave. */
struct offer {
        size_t axis;
        uint64_t badness;
        struct count count;
};

static int
offer_make(const struct search *search, size_t axis, struct offer *ret,
        struct kp_error *err)
{
        struct count *counts = count_values(search, axis);
        uint64_t best = 1001, worst = 0;

        *ret = (struct offer){ .axis = axis, .badness = 1001 };
        if (counts == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (size_t i = 0; i < search->report->axes[axis].n; i++) {
                if (counts[i].works + counts[i].fails == 0)
                        continue;
                if (badness(&counts[i]) < best)
                        best = badness(&counts[i]);
                if (badness(&counts[i]) > worst)
                        worst = badness(&counts[i]);
        }
        for (size_t i = 0; best < worst && i < search->report->axes[axis].n; i++)
                if (counts[i].works > 0 && badness(&counts[i]) == best) {
                        ret->count.works += counts[i].works;
                        ret->count.fails += counts[i].fails;
                        ret->badness = best;
                }
        free(counts);
        return 0;
}

static int
restrict_axis(struct search *search, const struct offer *offer, struct kp_error *err)
{
        size_t n = search->report->axes[offer->axis].n;
        struct count *counts = count_values(search, offer->axis);
        bool *kept = calloc(n + 1, sizeof(*kept));

        for (size_t i = 0; counts != NULL && kept != NULL && i < n; i++)
                kept[i] = counts[i].works > 0 && badness(&counts[i]) == offer->badness;
        if (counts == NULL || kept == NULL) {
                free(counts);
                free(kept);
                return KP_FAIL(err, KP_ENOMEM, "report");
        }
        free(counts);
        search->kept[offer->axis] = kept;
        return 0;
}

static int
narrow(struct search *search, bool *ret_done, struct kp_error *err)
{
        struct offer best = { .badness = 1001 };

        for (size_t i = 0; i < KP_NELEMS(candidates); i++) {
                struct offer offer;

                if (search->kept[candidates[i]] != NULL)
                        continue;
                if (offer_make(search, candidates[i], &offer, err) < 0)
                        return -1;
                if (offer.badness < best.badness ||
                        (offer.badness == best.badness &&
                                offer.count.works > best.count.works))
                        best = offer;
        }
        *ret_done = best.badness > 1000;
        return *ret_done ? 0 : restrict_axis(search, &best, err);
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

/* Name a restriction by what it lets in or, where that is shorter, by what it keeps
 * out. */
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
release(struct search *search)
{
        for (size_t axis = 0; axis < KP_N_AXES; axis++) {
                free(search->kept[axis]);
                search->kept[axis] = NULL;
        }
}

static void
search_done(struct search *search)
{
        free(search->samples);
        release(search);
}

/*
 * Narrow until nothing fails, beginning with one axis or, with KP_N_AXES, with the
 * best.
 *
 * ret_n    how many outcomes are left; 0: it cannot be done
 */
static int
narrow_from(struct search *search, size_t first, uint64_t *ret_n, struct kp_error *err)
{
        uint64_t works, failed;
        int n = 0;

        *ret_n = 0;
        count_kept(search, &works, &failed);
        if (first != KP_N_AXES) {
                struct offer offer;

                if (offer_make(search, first, &offer, err) < 0)
                        return -1;
                if (offer.badness > 1000)
                        return 0;
                if (restrict_axis(search, &offer, err) < 0)
                        return -1;
                n++;
        }
        for (bool stuck = false; n < MAX_CONDITIONS && !stuck; n++) {
                count_kept(search, &works, &failed);
                if (failed == 0)
                        break;
                if (narrow(search, &stuck, err) < 0)
                        return -1;
        }
        widen(search);
        count_kept(search, &works, &failed);
        *ret_n = failed == 0 ? works : 0;
        return 0;
}

/* The way that keeps most outcomes: a greedy choice may begin at the wrong end. */
static int
narrow_best(struct search *search, uint64_t *ret_n, struct kp_error *err)
{
        size_t best = KP_N_AXES;
        uint64_t n;

        if (narrow_from(search, KP_N_AXES, ret_n, err) < 0)
                return -1;
        release(search);
        for (size_t i = 0; i < KP_NELEMS(candidates); i++) {
                if (narrow_from(search, candidates[i], &n, err) < 0)
                        return -1;
                release(search);
                if (n > *ret_n) {
                        *ret_n = n;
                        best = candidates[i];
                }
        }
        return *ret_n == 0 ? 0 : narrow_from(search, best, &n, err);
}

static int
find_conditions(const struct kp_report *report, struct claim *claim, bool *ret_found,
        struct kp_error *err)
{
        KP_CLEANUP(search_done) struct search search = { .report = report };

        *ret_found = false;
        if (report->n_samples > MAX_SAMPLES)
                return 0;
        if (gather(&search, claim, err) < 0 || narrow_best(&search, &claim->n, err) < 0)
                return -1;
        *ret_found = claim->n > 0;
        return *ret_found ? name_conditions(&search, claim, err) : 0;
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

/* Then what holds without a condition, then what most outcomes bear out. */
static int
compare_claims(const void *a, const void *b, void *report)
{
        const struct claim *x = a, *y = b;
        int x_rank = rank(report, x), y_rank = rank(report, y);

        if (x_rank != y_rank)
                return x_rank - y_rank;
        if (x->n_conditions != y->n_conditions)
                return x->n_conditions < y->n_conditions ? -1 : 1;
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
