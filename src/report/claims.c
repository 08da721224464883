/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "answer.h"

/*
 * What may be promised. A promise holds for every outcome of a scenario with one home,
 * or it names the condition under which it does: the values of one axis with which
 * nothing failed. DESIGN "report": what stands under "works" never has a failure that
 * it does not name.
 */
static const enum kp_axis conditions[] = { KP_AXIS_KEY, KP_AXIS_CLIENT,
        KP_AXIS_PROVIDER, KP_AXIS_POPULATION, KP_AXIS_SERVICE, KP_AXIS_SETTINGS,
        KP_AXIS_EVENT, KP_AXIS_HUB };

static bool
holds(const struct tally *tally)
{
        return tally->n[KP_WORKS] > 0 && tally_failed(tally) == 0 &&
               tally->n[KP_INCONCLUSIVE] == 0;
}

static bool
is_about(const struct part_row *part, const struct claim *claim)
{
        return part->home == claim->home && part->scenario == claim->scenario;
}

/* How many outcomes a condition on `axis` keeps; 0 when it is no condition. */
static uint64_t
kept_by(const struct kp_report *report, const struct claim *claim, enum kp_axis axis)
{
        uint64_t n = 0, n_out = 0;

        for (size_t i = 0; i < report->parts.n; i++) {
                const struct part_row *part = table_at(&report->parts, i);

                if (!is_about(part, claim) || part->axis != axis)
                        continue;
                if (holds(&part->tally))
                        n += part->tally.n[KP_WORKS];
                else
                        n_out++;
        }
        return n_out == 0 ? 0 : n;
}

static void
name_values(const struct kp_report *report, struct claim *claim)
{
        for (size_t i = 0; i < report->parts.n; i++) {
                const struct part_row *part = table_at(&report->parts, i);

                if (!is_about(part, claim) || part->axis != claim->axis ||
                        !holds(&part->tally))
                        continue;
                if (claim->n_values < MAX_VALUES)
                        claim->values[claim->n_values++] = part->value;
                else
                        claim->n_more++;
        }
}

static bool
claim_make(
        const struct kp_report *report, const struct tally *tally, struct claim *claim)
{
        claim->axis = KP_N_AXES;
        if (holds(tally)) {
                claim->n = tally->n[KP_WORKS];
                return true;
        }
        for (size_t i = 0; i < KP_NELEMS(conditions); i++) {
                uint64_t n = kept_by(report, claim, conditions[i]);

                if (n > claim->n) {
                        claim->n = n;
                        claim->axis = conditions[i];
                }
        }
        if (claim->axis == KP_N_AXES)
                return false;
        name_values(report, claim);
        return true;
}

/* All outcomes of a scenario with one home, whatever the evidence and the group. */
static void
sum_up(const struct kp_report *report, enum home home, size_t scenario,
        struct tally *tally)
{
        for (size_t i = 0; i < report->quads.n; i++) {
                const struct quad_row *quad = table_at(&report->quads, i);

                if (quad->home == home && quad->scenario == scenario)
                        tally_add(tally, &quad->tally);
        }
}

/* What holds without a condition first, then what most outcomes bear out. */
static int
compare_claims(const void *a, const void *b)
{
        const struct claim *x = a, *y = b;

        if ((x->axis == KP_N_AXES) != (y->axis == KP_N_AXES))
                return x->axis == KP_N_AXES ? -1 : 1;
        if (x->n != y->n)
                return x->n > y->n ? -1 : 1;
        if (x->scenario != y->scenario)
                return x->scenario < y->scenario ? -1 : 1;
        return (int)x->home - (int)y->home;
}

int
claims_find(const struct kp_report *report, struct claim **ret, size_t *ret_n,
        struct kp_error *err)
{
        struct claim *claims =
                calloc(N_HOMES * report->scenarios.n + 1, sizeof(*claims));
        size_t n = 0;

        if (claims == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (int home = 0; home < N_HOMES; home++)
                for (size_t i = 0; i < report->scenarios.n; i++) {
                        struct claim claim = { .home = (enum home)home, .scenario = i };
                        struct tally tally = { 0 };

                        sum_up(report, claim.home, i, &tally);
                        if (claim_make(report, &tally, &claim))
                                claims[n++] = claim;
                }
        qsort(claims, n, sizeof(*claims), compare_claims);
        *ret = claims;
        *ret_n = n;
        return 0;
}
