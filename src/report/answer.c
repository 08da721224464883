/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

const char *
state_name(enum state state)
{
        static const char *const names[] = {
                [STATE_NOT_TESTED] = "not-tested",
                [STATE_NOT_APPLICABLE] = "not-applicable",
                [STATE_UNDECIDED] = "undecided",
                [STATE_NO] = "no",
                [STATE_IF] = "yes-if",
                [STATE_YES] = "yes",
        };

        return names[state];
}

const char *
answer_name(enum answer_kind kind)
{
        static const char *const names[] = {
                [ANSWER_CANNOT_SAY] = "cannot-say",
                [ANSWER_NO] = "no",
                [ANSWER_IF] = "yes-if",
                [ANSWER_YES] = "yes",
        };

        return names[kind];
}

/* The steps without which nobody logs in; the others make a login better or safer. */
static bool
is_essential(enum column column)
{
        return column == COLUMN_ADD || column == COLUMN_LOG_IN ||
               column == COLUMN_THROUGH;
}

/* A scenario that never reaches its goal, with any key, browser, supplier, setting. */
static bool
is_hopeless(const struct quad_row *quad)
{
        return tally_decided(&quad->tally) > 0 && tally_good(&quad->tally) == 0;
}

/* What the outcomes of one quadrant hold, before it is judged. */
struct sum {
        struct tally tally;
        bool login_decided;  /* somebody tried to get in, and it is known how it went */
        bool essential_open; /* an essential scenario that nothing decided */
        bool hopeless_step;  /* an essential scenario that never works */
        bool hopeless_risk;  /* a scenario in which the door never holds */
        size_t n_scenarios, n_untested;
};

static void
sum_quad(const struct kp_report *report, const struct quad_row *quad, struct sum *sum)
{
        enum column column = report_scenario(report, quad->scenario)->column;
        bool decided = tally_decided(&quad->tally) > 0;

        tally_add(&sum->tally, &quad->tally);
        if (decided && (column == COLUMN_LOG_IN || column == COLUMN_THROUGH))
                sum->login_decided = true;
        if (!decided && is_essential(column) && quad->tally.n[KP_INCONCLUSIVE] > 0)
                sum->essential_open = true;
        if (!is_hopeless(quad))
                return;
        if (quad->tally.n[KP_RISK] > 0)
                sum->hopeless_risk = true;
        else if (is_essential(column))
                sum->hopeless_step = true;
}

static enum state
judge(const struct sum *sum, enum evidence evidence)
{
        const struct tally *tally = &sum->tally;

        if (tally_all(tally) == 0)
                return STATE_NOT_TESTED;
        if (tally->n[KP_NOT_APPLICABLE] == tally_all(tally))
                return STATE_NOT_APPLICABLE;
        if (tally_decided(tally) == 0)
                return tally->n[KP_INCONCLUSIVE] > 0 ? STATE_UNDECIDED
                                                     : STATE_NOT_TESTED;
        if (sum->hopeless_step || sum->hopeless_risk ||
                (evidence == LIVE && tally->n[KP_RISK] > 0))
                return STATE_NO;
        if (!sum->login_decided || sum->essential_open)
                return STATE_UNDECIDED;
        return tally_failed(tally) > 0 || sum->n_untested > 0 ? STATE_IF : STATE_YES;
}

/*
 * How heavy a cause weighs in a scenario: by its verdicts, and by the part of the
 * scenario's outcomes that it has, in thousandths. A matrix crosses some scenarios with
 * thirty keys and others with one; counts alone would rank causes by that.
 */
static uint64_t
weigh(const struct tally *tally, const struct tally *of)
{
        uint64_t decided = tally_decided(of);

        if (decided == 0)
                return 0;
        return 1000 *
                       (3 * tally->n[KP_RISK] + 2 * tally->n[KP_BREAKS] +
                               tally->n[KP_LIMITS]) /
                       decided +
               1;
}

static const struct quad_row *
quad_find(const struct kp_report *report, enum evidence evidence, enum home home,
        enum group group, size_t scenario)
{
        for (size_t i = 0; i < report->quads.n; i++) {
                const struct quad_row *quad = table_at(&report->quads, i);

                if (quad->evidence == evidence && quad->home == home &&
                        quad->group == group && quad->scenario == scenario)
                        return quad;
        }
        return NULL;
}

static const struct quad_row *
quad_of(const struct kp_report *report, const struct reason_row *reason)
{
        return quad_find(report, reason->evidence, reason->home, reason->group,
                reason->scenario);
}

/* A passkey at both places is one at each of them. */
static bool
homes_overlap(enum home a, enum home b)
{
        return a == b || a == AT_BOTH || b == AT_BOTH;
}

/*
 * How closely a cause belongs to a quadrant: 1 where it comes with this home alone, 2
 * where it comes with people whom the EIP knows alone as well: then it speaks of the
 * passkey next to the EIP, which is the question.
 */
static unsigned
closeness(
        const struct kp_report *report, size_t cause, enum home home, enum group group)
{
        unsigned close = 2;

        for (size_t i = 0; i < report->reasons.n; i++) {
                const struct reason_row *reason = table_at(&report->reasons, i);

                if (reason->cause != cause || tally_failed(&reason->tally) == 0)
                        continue;
                if (!homes_overlap(reason->home, home))
                        return 0;
                if (reason->group != group || group != WITH_EIP)
                        close = 1;
        }
        return close;
}

/* What is known of one cause within one quadrant. */
struct weight {
        uint64_t weight;
        enum kp_verdict worst;
        bool taken;
};

static void
weigh_reasons(const struct kp_report *report, enum evidence evidence, enum home home,
        enum group group, const struct quadrant *quadrant, struct weight *weights)
{
        for (size_t i = 0; i < report->reasons.n; i++) {
                const struct reason_row *reason = table_at(&report->reasons, i);
                struct weight *weight = &weights[reason->cause];
                const struct quad_row *quad;

                if (reason->evidence != evidence || reason->home != home ||
                        reason->group != group || tally_failed(&reason->tally) == 0)
                        continue;
                if ((quad = quad_of(report, reason)) == NULL)
                        continue;
                weight->worst = weight->weight == 0
                                        ? tally_worst(&reason->tally)
                                        : verdict_worse(weight->worst,
                                                  tally_worst(&reason->tally));
                weight->weight += weigh(&reason->tally, &quad->tally);
                /* where the quadrant says no, what leaves no way out says why */
                if (quadrant->state == STATE_NO && is_hopeless(quad))
                        weight->weight += UINT64_C(1) << 50;
        }
        for (size_t i = 0; i < report->causes.n; i++)
                if (weights[i].weight > 0)
                        weights[i].weight += (uint64_t)closeness(report, i, home, group)
                                             << 40;
}

/* The heaviest that is left; of another verdict than `unlike` where there is one. */
static size_t
heaviest(const struct weight *weights, size_t n, enum kp_verdict unlike, bool any)
{
        size_t best = n;

        for (size_t i = 0; i < n; i++)
                if (weights[i].weight > 0 && !weights[i].taken &&
                        (any || weights[i].worst != unlike) &&
                        (best == n || weights[i].weight > weights[best].weight))
                        best = i;
        return best;
}

/* Keep the causes of a quadrant that tell most about it. */
static void
find_reasons(const struct kp_report *report, enum evidence evidence, enum home home,
        enum group group, struct quadrant *quadrant)
{
        size_t n = report->causes.n;
        struct weight *weights = calloc(n + 1, sizeof(*weights));

        if (weights == NULL)
                return; /* the page says less; its writer fails on memory by itself */
        weigh_reasons(report, evidence, home, group, quadrant, weights);
        while (quadrant->n_reasons < MAX_REASONS) {
                bool any = quadrant->n_reasons == 0;
                enum kp_verdict unlike =
                        any ? KP_WORKS : weights[quadrant->reasons[0]].worst;
                size_t best = heaviest(weights, n, unlike, any);
                size_t next = heaviest(weights, n, unlike, true);

                /* a second kind of trouble, unless it is far off the point */
                if (best == n ||
                        weights[best].weight >> 40 < weights[next].weight >> 40)
                        best = next;
                if (best == n)
                        break;
                weights[best].taken = true;
                quadrant->reasons[quadrant->n_reasons++] = best;
        }
        free(weights);
}

static void
find_question(const struct kp_report *report, enum home home, enum group group,
        struct quadrant *quadrant)
{
        uint64_t most = 0;

        quadrant->question = SIZE_MAX;
        for (size_t i = 0; i < report->unknowns.n; i++) {
                const struct unknown_row *unknown = table_at(&report->unknowns, i);

                if (unknown->n_quad[home][group] > most) {
                        most = unknown->n_quad[home][group];
                        quadrant->question = i;
                }
        }
}

/* Was this scenario decided with that evidence, for this home and group? */
static bool
is_decided(const struct kp_report *report, const struct quad_row *like,
        enum evidence evidence)
{
        const struct quad_row *quad =
                quad_find(report, evidence, like->home, like->group, like->scenario);

        return quad != NULL && tally_decided(&quad->tally) > 0;
}

static void
quadrant_find(const struct kp_report *report, enum evidence evidence, enum home home,
        enum group group, struct quadrant *ret)
{
        struct sum sum = { 0 };

        *ret = (struct quadrant){ .question = SIZE_MAX };
        for (size_t i = 0; i < report->quads.n; i++) {
                const struct quad_row *quad = table_at(&report->quads, i);

                if (quad->home != home || quad->group != group)
                        continue;
                if (quad->evidence == evidence) {
                        sum.n_scenarios++;
                        sum_quad(report, quad, &sum);
                } else if (tally_decided(&quad->tally) > 0 &&
                           !is_decided(report, quad, evidence)) {
                        /* weaker evidence has an outcome where this one has none */
                        sum.n_untested++;
                }
        }
        ret->tally = sum.tally;
        ret->n_scenarios = sum.n_scenarios;
        ret->n_untested = sum.n_untested;
        ret->state = judge(&sum, evidence);
        find_reasons(report, evidence, home, group, ret);
        find_question(report, home, group, ret);
}

static enum evidence
strongest(const struct kp_report *report)
{
        for (int evidence = N_EVIDENCE; evidence-- > 0;)
                for (size_t i = 0; i < report->quads.n; i++) {
                        const struct quad_row *quad = table_at(&report->quads, i);

                        if ((int)quad->evidence == evidence &&
                                is_essential(report_scenario(report, quad->scenario)
                                                     ->column) &&
                                tally_decided(&quad->tally) > 0)
                                return (enum evidence)evidence;
                }
        return SIMULATED;
}

bool
answer_has_group(const struct answer *answer, enum group group)
{
        for (int home = 0; home < N_HOMES; home++)
                if (answer->quadrants[home][group].state != STATE_NOT_TESTED)
                        return true;
        return false;
}

/*
 * Two homes on the scenarios that both have outcomes of: below 0 where less goes wrong
 * with `a`, above with `b`. Counting all outcomes would compare what the matrix happens
 * to hold.
 */
static int64_t
compare_places(const struct kp_report *report, const struct answer *answer,
        enum group group, enum home a, enum home b, size_t *ret_n)
{
        int64_t sum = 0;

        *ret_n = 0;
        for (size_t i = 0; i < report->scenarios.n; i++) {
                const struct quad_row *of_a =
                        quad_find(report, answer->base, a, group, i);
                const struct quad_row *of_b =
                        quad_find(report, answer->base, b, group, i);

                if (of_a == NULL || of_b == NULL || tally_decided(&of_a->tally) == 0 ||
                        tally_decided(&of_b->tally) == 0)
                        continue;
                ++*ret_n;
                sum += (int64_t)weigh(&of_a->tally, &of_a->tally) -
                       (int64_t)weigh(&of_b->tally, &of_b->tally);
        }
        return sum;
}

/* The home that serves a group best; in equal states, where less goes wrong. */
static enum home
best_home(const struct kp_report *report, const struct answer *answer, enum group group)
{
        int best = N_HOMES;

        for (int home = 0; home < AT_NONE; home++) {
                enum state state = answer->quadrants[home][group].state;
                enum state so_far = answer->quadrants[best % N_HOMES][group].state;
                size_t n;

                if (state < STATE_IF)
                        continue;
                if (best == N_HOMES || state > so_far ||
                        (state == so_far &&
                                compare_places(report, answer, group, (enum home)home,
                                        (enum home)best, &n) < 0))
                        best = home;
        }
        return (enum home)best;
}

static void
compare_service_and_provider(const struct kp_report *report, struct answer *answer)
{
        int64_t sum = compare_places(
                report, answer, WITH_EIP, AT_SERVICE, AT_PROVIDER, &answer->n_compared);

        answer->better = N_HOMES;
        if (sum != 0)
                answer->better = sum < 0 ? AT_SERVICE : AT_PROVIDER;
}

static bool
has_state(const struct answer *answer, enum group group, enum state state)
{
        for (int home = 0; home < AT_NONE; home++)
                if (answer->quadrants[home][group].state == state)
                        return true;
        return false;
}

static void
settle(struct answer *answer, enum answer_kind kind, enum answer_why why)
{
        answer->kind = kind;
        answer->why = why;
}

/* It is about people whom the EIP knows. DESIGN: live may say yes, lab yes-if. */
static void
conclude(struct answer *answer)
{
        enum group group =
                answer_has_group(answer, WITH_EIP) ? WITH_EIP : GROUP_UNKNOWN;
        enum home best = answer->best[group];
        const struct quadrant *quadrant = &answer->quadrants[best % N_HOMES][group];

        if (answer->base == SIMULATED)
                settle(answer, ANSWER_CANNOT_SAY, WHY_SIMULATED);
        else if (best == N_HOMES && has_state(answer, group, STATE_UNDECIDED))
                settle(answer, ANSWER_CANNOT_SAY, WHY_UNDECIDED);
        else if (best == N_HOMES)
                settle(answer,
                        has_state(answer, group, STATE_NO) ? ANSWER_NO
                                                           : ANSWER_CANNOT_SAY,
                        has_state(answer, group, STATE_NO) ? WHY_BREAKS : WHY_NOTHING);
        else if (has_state(answer, group, STATE_NO))
                settle(answer, ANSWER_IF, WHY_PLACE);
        else if (tally_failed(&quadrant->tally) > 0)
                settle(answer, ANSWER_IF, WHY_FIX);
        else if (answer->base == LAB)
                settle(answer, ANSWER_IF, WHY_LAB);
        else if (quadrant->state == STATE_IF)
                settle(answer, ANSWER_IF, WHY_REST);
        else
                settle(answer, ANSWER_YES, WHY_NONE);
}

void
answer_find(const struct kp_report *report, struct answer *ret)
{
        *ret = (struct answer){ .base = strongest(report) };
        for (int home = 0; home < N_HOMES; home++)
                for (int group = 0; group < N_GROUPS; group++)
                        quadrant_find(report, ret->base, (enum home)home,
                                (enum group)group, &ret->quadrants[home][group]);
        for (int group = 0; group < N_GROUPS; group++)
                ret->best[group] = best_home(report, ret, (enum group)group);
        compare_service_and_provider(report, ret);
        conclude(ret);
        if (tally_decided(&report->total) == 0)
                settle(ret, ANSWER_CANNOT_SAY, WHY_NOTHING);
}

uint64_t
failures(const struct kp_report *report)
{
        return tally_failed(&report->total);
}

static int
compare_fixes(const void *a, const void *b)
{
        const struct fix *x = a, *y = b;

        if (x->weight != y->weight)
                return x->weight > y->weight ? -1 : 1;
        return x->cause < y->cause ? -1 : x->cause > y->cause;
}

/* Does this reason stand in the way of what the answer advises? */
static bool
matters(const struct answer *answer, const struct reason_row *reason)
{
        enum home best = answer->best[reason->group];

        return reason->evidence == answer->base &&
               (best == N_HOMES || reason->home == best);
}

/* What stands in the way of the advice comes before all the rest. */
static void
weigh_fixes(
        const struct kp_report *report, const struct answer *answer, struct fix *fixes)
{
        for (size_t i = 0; i < report->causes.n; i++)
                fixes[i].weight = 0;
        for (size_t i = 0; i < report->reasons.n; i++) {
                const struct reason_row *reason = table_at(&report->reasons, i);
                const struct quad_row *quad = quad_of(report, reason);
                uint64_t weight =
                        quad == NULL ? 0 : weigh(&reason->tally, &quad->tally);

                fixes[reason->cause].weight +=
                        matters(answer, reason) ? weight << 32 : weight;
        }
}

int
fixes_find(const struct kp_report *report, const struct answer *answer,
        struct fix **ret, size_t *ret_n, struct kp_error *err)
{
        size_t n = report->causes.n, n_kept = 0;
        struct fix *fixes = calloc(n + 1, sizeof(*fixes));

        if (fixes == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (size_t i = 0; i < n; i++) {
                const struct tally *tally = &report_cause(report, i)->tally;

                fixes[i] = (struct fix){ .cause = i,
                        .n = tally_failed(tally),
                        .weight = tally_failed(tally),
                        .worst = tally_worst(tally) };
        }
        if (answer != NULL)
                weigh_fixes(report, answer, fixes);
        for (size_t i = 0; i < n; i++)
                if (fixes[i].n > 0)
                        fixes[n_kept++] = fixes[i];
        qsort(fixes, n_kept, sizeof(*fixes), compare_fixes);
        *ret = fixes;
        *ret_n = n_kept;
        return 0;
}

/* Insertion: there are a handful. */
static void
insert_question(const struct kp_report *report, size_t *rows, size_t n, size_t row)
{
        const struct unknown_row *unknown = table_at(&report->unknowns, row);

        for (; n > 0; n--) {
                const struct unknown_row *before =
                        table_at(&report->unknowns, rows[n - 1]);

                if (before->n_decisive >= unknown->n_decisive)
                        break;
                rows[n] = rows[n - 1];
        }
        rows[n] = row;
}

int
questions_find(const struct kp_report *report, size_t **ret, size_t *ret_n,
        struct kp_error *err)
{
        size_t *rows = calloc(report->unknowns.n + 1, sizeof(*rows)), n = 0;

        if (rows == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        for (size_t i = 0; i < report->unknowns.n; i++)
                if (((struct unknown_row *)table_at(&report->unknowns, i))->n_decisive >
                        0)
                        insert_question(report, rows, n++, i);
        *ret = rows;
        *ret_n = n;
        return 0;
}

/* The profile itself says it: whether some actor read the fact does not matter here. */
bool
protocol_is_unsure(const struct kp_report *report, struct kp_text *ret_service)
{
        const struct table *services = &report->axes[KP_AXIS_SERVICE];
        bool found = false;

        for (size_t i = 0; i < services->n; i++) {
                const struct value_row *row = report_value(report, KP_AXIS_SERVICE, i);
                const json_t *fact = json_object_get(
                        json_object_get(row->root, "facts"), "eip_protocol");
                bool saml = strcmp(kp_json_str(fact, "value", ""), "saml") == 0;

                if (fact == NULL ||
                        (saml && (found || strcmp(kp_json_str(fact, "status", ""),
                                                   "verified") == 0)))
                        continue;
                *ret_service = row->title;
                found = true;
                if (!saml) /* the most doubtful one is named */
                        break;
        }
        return found;
}
