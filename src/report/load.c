/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "lines.h"
#include "report_internal.h"

static const char *const evidence_names[N_EVIDENCE] = {
        [SIMULATED] = "simulated",
        [LAB] = "lab",
        [LIVE] = "live",
};
static const char *const home_names[N_HOMES] = {
        [AT_SERVICE] = "service",
        [AT_PROVIDER] = "provider",
        [AT_BOTH] = "both",
        [AT_HUB] = "hub",
        [AT_NONE] = "none",
};
static const char *const column_names[N_COLUMNS] = {
        [COLUMN_ADD] = "add",
        [COLUMN_LOG_IN] = "log-in",
        [COLUMN_THROUGH] = "through",
        [COLUMN_AGAIN] = "again",
        [COLUMN_LOG_OUT] = "log-out",
        [COLUMN_SHARED] = "shared",
        [COLUMN_CHANGE] = "change",
        [COLUMN_LOST] = "lost",
};

const char *
evidence_name(enum evidence evidence)
{
        return evidence_names[evidence];
}

const char *
home_name(enum home home)
{
        return home_names[home];
}

const char *
column_name(enum column column)
{
        return column_names[column];
}

static bool
word_find(const char *const *words, size_t n_words, const char *word, size_t *ret)
{
        for (size_t i = 0; word != NULL && i < n_words; i++)
                if (strcmp(words[i], word) == 0) {
                        *ret = i;
                        return true;
                }
        return false;
}

bool
home_parse(const char *name, enum home *ret)
{
        size_t i;

        if (!word_find(home_names, N_HOMES, name, &i))
                return false;
        *ret = (enum home)i;
        return true;
}

struct scenario_row *
report_scenario(const struct kp_report *report, size_t i)
{
        return table_at(&report->scenarios, i);
}

struct cause_row *
report_cause(const struct kp_report *report, size_t i)
{
        return table_at(&report->causes, i);
}

struct value_row *
report_value(const struct kp_report *report, size_t axis, size_t i)
{
        return table_at(&report->axes[axis], i);
}

static int
outcome_axes(struct kp_report *report, struct outcome *outcome, struct kp_error *err)
{
        const char *name;
        json_t *value;
        enum kp_axis axis;
        bool is_new;

        for (size_t i = 0; i < KP_N_AXES; i++)
                outcome->axis[i] = SIZE_MAX;
        json_object_foreach ((json_t *)outcome->axes, name, value) {
                struct table *table;
                size_t i;

                if (!kp_axis_parse(name, &axis) || !json_is_string(value))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'axes': '%.40s' is no axis with a text value",
                                name);
                table = &report->axes[axis];
                if (table_row(table, json_string_value(value), &i, &is_new, err) < 0)
                        return -1;
                if (is_new && value_describe(report, axis, json_string_value(value),
                                      table_at(table, i), err) < 0)
                        return -1;
                outcome->axis[axis] = i;
        }
        return 0;
}

/*
 * Where the passkey of this outcome lives. The home axis tells it only where the
 * scenario follows it; elsewhere the axis has some default, and the steps tell.
 */
static enum home
home_of(const struct scenario_row *scenario, enum home axis)
{
        unsigned homes = scenario->homes;

        if (scenario->follows_home)
                return axis;
        if (homes == 1u << AT_SERVICE)
                return AT_SERVICE;
        if (homes == 1u << AT_PROVIDER)
                return AT_PROVIDER;
        if (homes == 1u << AT_HUB)
                return AT_HUB;
        return homes == 0 ? AT_NONE : AT_BOTH;
}

static int
outcome_words(
        const struct kp_report *report, struct outcome *outcome, struct kp_error *err)
{
        const struct scenario_row *scenario =
                report_scenario(report, outcome->scenario);
        const char *evidence = kp_json_str(outcome->line, "evidence", NULL);
        const char *home = kp_json_str(outcome->axes, "home", "none");
        size_t population = outcome->axis[KP_AXIS_POPULATION], i;
        enum home axis;

        if (!word_find(evidence_names, N_EVIDENCE, evidence, &i))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'evidence': expected simulated, lab or live");
        outcome->evidence = (enum evidence)i;
        if (!home_parse(home, &axis))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'axes': home '%.40s': expected service, provider, "
                        "both, hub or none",
                        home);
        outcome->home = home_of(scenario, axis);
        if (population != SIZE_MAX)
                outcome->group =
                        report_value(report, KP_AXIS_POPULATION, population)->group;
        else
                outcome->group = GROUP_UNKNOWN;
        outcome->column = scenario->column;
        if (scenario->logs_in_there && outcome->column == COLUMN_LOG_IN &&
                (outcome->home == AT_PROVIDER || outcome->home == AT_HUB))
                outcome->column = COLUMN_THROUGH;
        return 0;
}

/* What every outcome must have, whoever wrote it. */
static int
outcome_check(const json_t *line, struct outcome *outcome, struct kp_error *err)
{
        if (strcmp(kp_json_str(line, "type", ""), "outcome") != 0)
                return KP_FAIL(err, KP_ESCHEMA, "member 'type': expected \"outcome\"");
        outcome->id = kp_json_str(line, "id", NULL);
        outcome->scenario_id = kp_json_str(line, "scenario", NULL);
        outcome->axes = json_object_get(line, "axes");
        if (outcome->id == NULL || outcome->scenario_id == NULL ||
                !json_is_object(outcome->axes))
                return KP_FAIL(err, KP_ESCHEMA,
                        "expected the members 'id', 'scenario' and 'axes'");
        if (!kp_verdict_parse(kp_json_str(line, "verdict", NULL), &outcome->verdict))
                return KP_FAIL(err, KP_ESCHEMA, "member 'verdict': no such verdict");
        return 0;
}

static int
outcome_read(struct kp_report *report, const json_t *line, struct outcome *outcome,
        struct kp_error *err)
{
        bool is_new;

        if (outcome_check(line, outcome, err) < 0)
                return -1;
        outcome->line = line;
        outcome->cause_id = kp_json_str(line, "cause", NULL);
        outcome->why = kp_json_str(line, "why", NULL);
        outcome->assumed = json_object_get(line, "assumed");
        outcome->cause = NO_CAUSE;
        if (table_row(&report->scenarios, outcome->scenario_id, &outcome->scenario,
                    &is_new, err) < 0)
                return -1;
        if (is_new && scenario_describe(report, outcome,
                              report_scenario(report, outcome->scenario), err) < 0)
                return -1;
        if (outcome->cause_id != NULL) {
                if (table_row(&report->causes, outcome->cause_id, &outcome->cause,
                            &is_new, err) < 0)
                        return -1;
                if (is_new && cause_describe(report, outcome->cause_id,
                                      report_cause(report, outcome->cause), err) < 0)
                        return -1;
        }
        if (outcome_axes(report, outcome, err) < 0)
                return -1;
        return outcome_words(report, outcome, err);
}

/* Settings have titles in the pilot file alone; without it their ids will do. */
static void
pilot_find(struct kp_report *report)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        const char *id =
                kp_json_str(json_object_get(report->header, "pilot"), "id", "");
        struct kp_error missing = { 0 };

        if (report->fixtures == NULL || report->pilot != NULL || !is_plain_id(id))
                return;
        if (kp_fixtures_path(report->fixtures, "pilots", id, &path, &missing) == 0)
                (void)!kp_json_load(path, KP_JSON_MAX, &report->pilot, &missing);
}

static int
header_read(struct kp_report *report, json_t *line, struct kp_error *err)
{
        if (strcmp(kp_json_str(line, "type", ""), "run") != 0 ||
                kp_json_int(line, "format", 0) != 1)
                return KP_FAIL(err, KP_ESCHEMA,
                        "expected the header of a run: \"type\": \"run\", \"format\": "
                        "1");
        json_decref(report->header);
        report->header = json_incref(line);
        pilot_find(report);
        return 0;
}

static int
walk_line(struct kp_report *report, json_t *line, struct outcome *outcome,
        outcome_fn *each, void *self, struct kp_error *err)
{
        if (outcome_read(report, line, outcome, err) < 0)
                return -1;
        return each(self, outcome, err);
}

int
report_walk(
        struct kp_report *report, outcome_fn *each, void *self, struct kp_error *err)
{
        KP_CLEANUP(lines_done) struct lines lines = { 0 };

        if (lines_open(&lines, report->path, err) < 0)
                return -1;
        for (;;) {
                struct outcome outcome = { 0 };
                json_auto_t *line = NULL;
                int rc;

                if (lines_next(&lines, &line, &outcome.trace, &outcome.trace_len, err) <
                        0)
                        return -1;
                if (line == NULL)
                        break;
                rc = lines.n == 1 ? header_read(report, line, err)
                                  : walk_line(report, line, &outcome, each, self, err);
                if (rc < 0)
                        return KP_WHILE(
                                err, "%s, line %" PRIu64, report->path, lines.n);
        }
        report->torn = lines.torn;
        if (lines.n == 0)
                return KP_FAIL(err, KP_EPARSE, "%s: empty: a run begins with a header",
                        report->path);
        return 0;
}

static int
count(void *self, const struct outcome *outcome, struct kp_error *err)
{
        struct kp_report *report = self;

        report->n_outcomes++;
        if (tally_outcome(report, outcome, err) < 0)
                return -1;
        return unknown_outcome(report, outcome, err);
}

static void
tables_init(struct kp_report *report)
{
        table_init(&report->scenarios, sizeof(struct scenario_row));
        table_init(&report->causes, sizeof(struct cause_row));
        for (size_t i = 0; i < KP_N_AXES; i++)
                table_init(&report->axes[i], sizeof(struct value_row));
        for (size_t i = 0; i < N_LEVELS; i++)
                table_init(&report->boxes[i], sizeof(struct box_row));
        table_init(&report->findings, sizeof(struct finding_row));
        table_init(&report->places, sizeof(struct place_row));
        table_init(&report->quads, sizeof(struct quad_row));
        table_init(&report->reasons, sizeof(struct reason_row));
        table_init(&report->unknowns, sizeof(struct unknown_row));
        table_init(&report->options, sizeof(struct option_row));
        table_init(&report->resting, sizeof(struct resting_row));
        table_init(&report->whys, sizeof(struct why_row));
}

int
kp_report_load(const char *dir, const struct kp_fixtures *fixtures,
        struct kp_report **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_report_free)
        struct kp_report *report = calloc(1, sizeof(*report));

        if (report == NULL || (report->dir = strdup(dir)) == NULL ||
                (report->path = kp_format("%s/%s", dir, LINES_NAME)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", dir);
        report->fixtures = fixtures;
        tables_init(report);
        if (report_walk(report, count, report, err) < 0 ||
                unknown_flush(report, err) < 0)
                return -1;
        *ret = KP_STEAL(report);
        return 0;
}

static void
scenario_done(void *row)
{
        json_decref(((struct scenario_row *)row)->root);
}

static void
cause_done(void *row)
{
        json_decref(((struct cause_row *)row)->root);
}

static void
value_done(void *row)
{
        json_decref(((struct value_row *)row)->root);
}

static void
finding_done(void *row)
{
        struct finding_row *finding = row;

        for (size_t i = 0; i < finding->n_ids; i++)
                free(finding->ids[i]);
        free(finding->example);
        free(finding->why);
}

static void
unknown_done(void *row)
{
        free(((struct unknown_row *)row)->fact);
}

static void
option_done(void *row)
{
        free(((struct option_row *)row)->value);
}

static void
resting_done(void *row)
{
        struct resting_row *resting = row;

        free(resting->fact);
        free(resting->value);
        free(resting->status);
}

static void
why_done(void *row)
{
        free(((struct why_row *)row)->why);
}

static void
branches_done(struct kp_report *report)
{
        for (size_t i = 0; i < report->n_branches; i++)
                json_decref(report->branches[i].assumed);
        free(report->branches);
        free(report->group_key);
        json_decref(report->group_axes);
}

void
kp_report_free(struct kp_report **at)
{
        struct kp_report *report = *at;

        if (report == NULL)
                return;
        branches_done(report);
        table_done(&report->scenarios, scenario_done);
        table_done(&report->causes, cause_done);
        for (size_t i = 0; i < KP_N_AXES; i++)
                table_done(&report->axes[i], value_done);
        for (size_t i = 0; i < N_LEVELS; i++)
                table_done(&report->boxes[i], NULL);
        table_done(&report->findings, finding_done);
        table_done(&report->places, NULL);
        table_done(&report->quads, NULL);
        free(report->samples);
        table_done(&report->reasons, NULL);
        table_done(&report->unknowns, unknown_done);
        table_done(&report->options, option_done);
        table_done(&report->resting, resting_done);
        table_done(&report->whys, why_done);
        json_decref(report->header);
        json_decref(report->pilot);
        free(report->dir);
        free(report->path);
        free(report);
        *at = NULL;
}
