/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "report_internal.h"

#define MAX_EXAMPLES 400         /* traces kept for the pages */
#define MAX_EXAMPLE (256u << 10) /* bytes of one */
#define MAX_WHYS 100

/* What a person must see first, first. */
static const enum kp_verdict by_weight[KP_N_VERDICTS] = { KP_RISK, KP_BREAKS, KP_LIMITS,
        KP_INCONCLUSIVE, KP_WORKS, KP_SKIPPED, KP_NOT_APPLICABLE };

uint64_t
tally_all(const struct tally *tally)
{
        uint64_t n = 0;

        for (int i = 0; i < KP_N_VERDICTS; i++)
                n += tally->n[i];
        return n;
}

uint64_t
tally_failed(const struct tally *tally)
{
        return tally->n[KP_LIMITS] + tally->n[KP_BREAKS] + tally->n[KP_RISK];
}

uint64_t
tally_decided(const struct tally *tally)
{
        return tally->n[KP_WORKS] + tally_failed(tally);
}

uint64_t
tally_good(const struct tally *tally)
{
        return tally->n[KP_WORKS] + tally->n[KP_LIMITS];
}

void
tally_add(struct tally *sum, const struct tally *more)
{
        for (int i = 0; i < KP_N_VERDICTS; i++)
                sum->n[i] += more->n[i];
}

enum kp_verdict
tally_worst(const struct tally *tally)
{
        for (int i = 0; i < KP_N_VERDICTS; i++)
                if (tally->n[by_weight[i]] > 0)
                        return by_weight[i];
        return KP_NOT_APPLICABLE;
}

enum kp_verdict
verdict_worse(enum kp_verdict a, enum kp_verdict b)
{
        for (int i = 0; i < KP_N_VERDICTS; i++)
                if (by_weight[i] == a || by_weight[i] == b)
                        return by_weight[i];
        return a;
}

static int
keep_example(const struct kp_report *report, struct finding_row *finding,
        const struct outcome *outcome, struct kp_error *err)
{
        if (outcome->why != NULL && (finding->why = strdup(outcome->why)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        if (report->findings.n > MAX_EXAMPLES || outcome->trace == NULL ||
                outcome->trace_len > MAX_EXAMPLE)
                return 0;
        finding->example = strndup(outcome->trace, outcome->trace_len);
        return finding->example == NULL ? KP_FAIL(err, KP_ENOMEM, "report") : 0;
}

static int
tally_finding(struct kp_report *report, const struct outcome *outcome, size_t *ret,
        struct kp_error *err)
{
        struct finding_row *finding;
        bool is_new;

        if (table_rowf(&report->findings, ret, &is_new, err, "%d %d %d %zu",
                    outcome->home, outcome->column, outcome->verdict,
                    outcome->cause) < 0)
                return -1;
        finding = table_at(&report->findings, *ret);
        if (is_new) {
                finding->home = outcome->home;
                finding->column = outcome->column;
                finding->verdict = outcome->verdict;
                finding->cause = outcome->cause;
                if (keep_example(report, finding, outcome, err) < 0)
                        return -1;
        }
        finding->n++;
        if (finding->n_ids == MAX_IDS)
                return 0;
        if ((finding->ids[finding->n_ids] = strdup(outcome->id)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        finding->n_ids++;
        return 0;
}

static int
tally_place(struct kp_report *report, const struct outcome *outcome, size_t finding,
        size_t axis, struct kp_error *err)
{
        struct place_row *place;
        bool is_new;
        size_t i;

        if (table_rowf(&report->places, &i, &is_new, err, "%zu %zu %zu", finding, axis,
                    outcome->axis[axis]) < 0)
                return -1;
        place = table_at(&report->places, i);
        place->finding = finding;
        place->axis = (enum kp_axis)axis;
        place->value = outcome->axis[axis];
        place->n++;
        return 0;
}

static int
tally_sample(
        struct kp_report *report, const struct outcome *outcome, struct kp_error *err)
{
        struct sample sample = { .scenario = (uint16_t)outcome->scenario,
                .home = (uint8_t)outcome->home,
                .verdict = (uint8_t)outcome->verdict };
        size_t n = report->n_samples;

        if (n > MAX_SAMPLES)
                return 0;
        if ((n & (n - 1)) == 0) {
                struct sample *grown = reallocarray(
                        report->samples, n == 0 ? 1 : 2 * n, sizeof(*grown));

                if (grown == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "report");
                report->samples = grown;
        }
        for (size_t axis = 0; axis < KP_N_AXES; axis++) {
                /* nobody has that many keys: a log that says so gets no conditions */
                if (outcome->axis[axis] != SIZE_MAX &&
                        outcome->axis[axis] >= UINT16_MAX) {
                        report->n_samples = MAX_SAMPLES + 1;
                        return 0;
                }
                sample.axis[axis] = (uint16_t)outcome->axis[axis];
        }
        if (n == MAX_SAMPLES || outcome->scenario >= UINT16_MAX) {
                report->n_samples = MAX_SAMPLES + 1;
                return 0;
        }
        report->samples[report->n_samples++] = sample;
        return 0;
}

static int
tally_axes(struct kp_report *report, const struct outcome *outcome, size_t finding,
        struct kp_error *err)
{
        for (size_t axis = 0; axis < KP_N_AXES; axis++) {
                struct value_row *value;

                if (outcome->axis[axis] == SIZE_MAX)
                        continue;
                value = report_value(report, axis, outcome->axis[axis]);
                value->tally.n[outcome->verdict]++;
                value->evidence |= 1u << outcome->evidence;
                if (tally_place(report, outcome, finding, axis, err) < 0)
                        return -1;
        }
        return 0;
}

static int
tally_box(struct kp_report *report, const struct outcome *outcome, int level,
        size_t finding, struct kp_error *err)
{
        size_t setup[4], client = outcome->axis[KP_AXIS_CLIENT], i;
        struct box_row *box;
        bool is_new;

        for (int j = 0; j < 4; j++) {
                static const enum kp_axis axes[] = { KP_AXIS_SERVICE, KP_AXIS_PROVIDER,
                        KP_AXIS_PROVIDER2, KP_AXIS_HUB };

                setup[j] = level >= 1 ? SIZE_MAX : outcome->axis[axes[j]];
        }
        if (level >= 2)
                client = SIZE_MAX;
        if (table_rowf(&report->boxes[level], &i, &is_new, err,
                    "%d %d %zu %zu %zu %zu %zu %zu %d", outcome->evidence,
                    outcome->home, setup[0], setup[1], setup[2], setup[3],
                    outcome->axis[KP_AXIS_KEY], client, outcome->column) < 0)
                return -1;
        box = table_at(&report->boxes[level], i);
        if (is_new)
                *box = (struct box_row){ .evidence = outcome->evidence,
                        .home = outcome->home,
                        .column = outcome->column,
                        .service = setup[0],
                        .provider = setup[1],
                        .provider2 = setup[2],
                        .hub = setup[3],
                        .key = outcome->axis[KP_AXIS_KEY],
                        .client = client,
                        .worst_finding = finding };
        if (!is_new && tally_worst(&box->tally) != outcome->verdict &&
                verdict_worse(tally_worst(&box->tally), outcome->verdict) ==
                        outcome->verdict)
                box->worst_finding = finding;
        box->tally.n[outcome->verdict]++;
        return 0;
}

static int
tally_quad(
        struct kp_report *report, const struct outcome *outcome, struct kp_error *err)
{
        struct quad_row *quad;
        bool is_new;
        size_t i;

        if (table_rowf(&report->quads, &i, &is_new, err, "%d %d %d %zu",
                    outcome->evidence, outcome->home, outcome->group,
                    outcome->scenario) < 0)
                return -1;
        quad = table_at(&report->quads, i);
        quad->evidence = outcome->evidence;
        quad->home = outcome->home;
        quad->group = outcome->group;
        quad->scenario = outcome->scenario;
        quad->tally.n[outcome->verdict]++;
        return 0;
}

static int
tally_reason(
        struct kp_report *report, const struct outcome *outcome, struct kp_error *err)
{
        struct reason_row *reason;
        struct cause_row *cause;
        bool is_new;
        size_t i;

        if (outcome->cause == NO_CAUSE)
                return 0;
        cause = report_cause(report, outcome->cause);
        cause->tally.n[outcome->verdict]++;
        cause->evidence |= 1u << outcome->evidence;
        if (cause->root != NULL && kp_verdict_fails(outcome->verdict))
                report->n_explained++;
        if (table_rowf(&report->reasons, &i, &is_new, err, "%d %d %d %zu %zu",
                    outcome->evidence, outcome->home, outcome->group, outcome->scenario,
                    outcome->cause) < 0)
                return -1;
        reason = table_at(&report->reasons, i);
        reason->evidence = outcome->evidence;
        reason->home = outcome->home;
        reason->group = outcome->group;
        reason->scenario = outcome->scenario;
        reason->cause = outcome->cause;
        reason->tally.n[outcome->verdict]++;
        return 0;
}

/* Reasons are kept for what was not decided, the first hundred of them. */
static int
tally_why(struct kp_report *report, const struct outcome *outcome, struct kp_error *err)
{
        struct why_row *row;
        bool is_new;
        size_t i;

        if (outcome->why == NULL || report->whys.n >= MAX_WHYS)
                return 0;
        if (table_rowf(&report->whys, &i, &is_new, err, "%d %s", outcome->verdict,
                    outcome->why) < 0)
                return -1;
        row = table_at(&report->whys, i);
        row->verdict = outcome->verdict;
        row->n++;
        if (is_new && (row->why = strdup(outcome->why)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        return 0;
}

/* A fact's value as people write it: text without quotes, anything else as JSON. */
static int
value_text(const json_t *value, struct kp_buf *ret, struct kp_error *err)
{
        if (json_is_string(value)) {
                kp_buf_puts(ret, json_string_value(value));
                return kp_buf_check(ret, err);
        }
        return kp_json_write(value, ret, err);
}

/* The axis that a "role.fact" speaks of; KP_N_AXES when none has the role's name. */
static size_t
axis_of_fact(const char *fact)
{
        char role[32];
        size_t len = strcspn(fact, ".");
        enum kp_axis axis;

        if (len >= sizeof(role))
                return KP_N_AXES;
        memcpy(role, fact, len);
        role[len] = '\0';
        return kp_axis_parse(role, &axis) ? axis : KP_N_AXES;
}

static int
tally_resting(struct kp_report *report, const struct outcome *outcome,
        const json_t *item, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf value = { 0 };
        const char *fact = kp_json_str(item, "fact", NULL);
        const char *status = kp_json_str(item, "status", "");
        struct resting_row *row;
        size_t axis, profile, i;
        bool is_new;

        if (fact == NULL)
                return KP_FAIL(
                        err, KP_ESCHEMA, "member 'rests_on': a fact without name");
        axis = axis_of_fact(fact);
        profile = axis == KP_N_AXES ? SIZE_MAX : outcome->axis[axis];
        if (value_text(json_object_get(item, "value"), &value, err) < 0 ||
                table_rowf(&report->resting, &i, &is_new, err, "%s\x1f%s\x1f%zu", fact,
                        kp_buf_str(&value), profile) < 0)
                return -1;
        row = table_at(&report->resting, i);
        row->n++;
        if (!is_new)
                return 0;
        row->axis = axis;
        row->profile = profile;
        row->fact = strdup(fact);
        row->value = strdup(kp_buf_str(&value));
        row->status = strdup(status);
        if (row->fact == NULL || row->value == NULL || row->status == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        return 0;
}

int
tally_outcome(
        struct kp_report *report, const struct outcome *outcome, struct kp_error *err)
{
        const json_t *item;
        size_t finding, i;

        report->total.n[outcome->verdict]++;
        report->by_evidence[outcome->evidence].n[outcome->verdict]++;
        report_scenario(report, outcome->scenario)->tally.n[outcome->verdict]++;
        if (tally_finding(report, outcome, &finding, err) < 0 ||
                tally_axes(report, outcome, finding, err) < 0 ||
                tally_quad(report, outcome, err) < 0 ||
                tally_sample(report, outcome, err) < 0 ||
                tally_reason(report, outcome, err) < 0 ||
                tally_why(report, outcome, err) < 0)
                return -1;
        for (int level = 0; level < N_LEVELS; level++)
                if (tally_box(report, outcome, level, finding, err) < 0)
                        return -1;
        json_array_foreach (json_object_get(outcome->line, "rests_on"), i, item)
                if (tally_resting(report, outcome, item, err) < 0)
                        return -1;
        return 0;
}
