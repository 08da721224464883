/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "report_internal.h"
#include "texts.h"

bool
is_plain_id(const char *id)
{
        size_t len = strlen(id);

        return len > 0 && len < 200 && id[0] != '.' &&
               strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

/* The fixture's file, or NULL: reports do without the ones that are gone. */
static json_t *
fixture(const struct kp_report *report, const char *folder, const char *id)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_error missing = { 0 };
        json_t *root = NULL;

        if (report->fixtures == NULL || !is_plain_id(id) ||
                kp_fixtures_path(report->fixtures, folder, id, &path, &missing) < 0 ||
                kp_json_load(path, KP_JSON_MAX, &root, &missing) < 0)
                return NULL;
        return root;
}

static struct kp_text
text_of(const json_t *root, const char *name, const char *fallback)
{
        const json_t *text = json_object_get(root, name);

        if (json_is_string(text))
                return (struct kp_text){ json_string_value(text),
                        json_string_value(text) };
        return (struct kp_text){ kp_json_str(text, "en", fallback),
                kp_json_str(text, "nl", fallback) };
}

/*
 * Which step of a login's life a scenario is about: the furthest one that its steps
 * reach. Verbs are the scenario's own; one that has none of these logs in.
 */
static const struct {
        const char *verb;
        enum column column;
} verb_columns[] = {
        { "account-event", COLUMN_CHANGE },
        { "choose", COLUMN_LOG_IN },
        { "enrol", COLUMN_ADD },
        { "log-in", COLUMN_LOG_IN },
        { "log-out", COLUMN_LOG_OUT },
        { "lose-key", COLUMN_LOST },
        { "recover", COLUMN_LOST },
        { "switch-person", COLUMN_SHARED },
        { "try-doors", COLUMN_LOG_IN },
        { "visit", COLUMN_LOG_IN },
};

/* What is known of a scenario's course after some of its steps. */
struct course {
        struct scenario_row *row;
        unsigned n_logins;
        bool known;
};

static void
course_reach(struct course *course, enum column column)
{
        if (column > course->row->column)
                course->row->column = column;
}

static void
course_enrol(struct course *course, const char *at)
{
        enum home home;

        if (strcmp(at, "home") == 0)
                course->row->follows_home = true;
        else if (home_parse(at, &home))
                course->row->homes |= 1u << home;
}

/* Logging in at a provider is reaching the service through it. */
static void
course_log_in(struct course *course, const char *at)
{
        if (strcmp(at, "home") == 0)
                course->row->logs_in_there = true;
        else if (strcmp(at, "provider") == 0 || strcmp(at, "hub") == 0)
                course_reach(course, COLUMN_THROUGH);
        if (++course->n_logins > 1)
                course_reach(course, COLUMN_AGAIN);
}

static void
course_take(struct course *course, const json_t *step, const char *verb)
{
        const char *at =
                kp_json_str(step, "at", strcmp(verb, "enrol") == 0 ? "home" : "any");

        for (size_t i = 0; i < KP_NELEMS(verb_columns); i++) {
                if (strcmp(verb_columns[i].verb, verb) != 0)
                        continue;
                course->known = true;
                course_reach(course, verb_columns[i].column);
        }
        if (strcmp(verb, "enrol") == 0)
                course_enrol(course, at);
        else if (strcmp(verb, "log-in") == 0)
                course_log_in(course, at);
        else if (strcmp(kp_json_str(step, "door", ""), "eip") == 0)
                course_reach(course, COLUMN_THROUGH);
}

/* The steps that a trace tells of: the next best where the scenario's file is gone. */
static void
course_follow_trace(struct course *course, const struct outcome *outcome)
{
        json_auto_t *trace =
                outcome->trace == NULL
                        ? NULL
                        : json_loadb(outcome->trace, outcome->trace_len, 0, NULL);
        const json_t *event;
        size_t i;

        json_array_foreach (trace, i, event)
                if (strcmp(kp_json_str(event, "event", ""), "step") == 0)
                        course_take(course, event, kp_json_str(event, "step", ""));
}

int
scenario_describe(struct kp_report *report, const struct outcome *outcome,
        struct scenario_row *row, struct kp_error *err)
{
        struct course course = { .row = row };
        const json_t *steps, *step;
        size_t i;

        (void)err;
        row->root = fixture(report, "scenarios", outcome->scenario_id);
        row->title = text_of(row->root, "title",
                table_key(&report->scenarios,
                        (size_t)(row - report_scenario(report, 0))));
        steps = json_object_get(row->root, "steps");
        json_array_foreach (steps, i, step)
                course_take(&course, step, kp_json_str(step, "do", ""));
        if (steps == NULL)
                course_follow_trace(&course, outcome);
        if (course.known)
                return 0;
        /* neither a file nor steps in the trace: the axis is all there is */
        row->column = COLUMN_LOG_IN;
        row->follows_home = true;
        return 0;
}

int
cause_describe(struct kp_report *report, const char *id, struct cause_row *row,
        struct kp_error *err)
{
        const char *own = table_key(&report->causes, row - report_cause(report, 0));

        (void)err;
        row->root = fixture(report, "rules", id);
        row->title = text_of(row->root, "title", own);
        if (row->root == NULL && strcmp(id, KP_CAUSE_UNEXPLAINED) == 0)
                row->title = say_text(SAY_UNEXPLAINED);
        row->meaning = text_of(row->root, "meaning", "");
        row->fix = text_of(row->root, "fix", "");
        row->owner = kp_json_str(row->root, "owner", "");
        row->spec = json_object_get(row->root, "spec");
        return 0;
}

static const char *const axis_folders[KP_N_AXES] = {
        [KP_AXIS_CLIENT] = "clients",
        [KP_AXIS_HUB] = "hubs",
        [KP_AXIS_KEY] = "authenticators",
        [KP_AXIS_POPULATION] = "populations",
        [KP_AXIS_PROVIDER] = "providers",
        [KP_AXIS_PROVIDER2] = "providers",
        [KP_AXIS_SERVICE] = "services",
};

static const json_t *
setting_find(const struct kp_report *report, const char *id)
{
        const json_t *setting;
        size_t i;

        json_array_foreach (json_object_get(report->pilot, "settings"), i, setting)
                if (strcmp(kp_json_str(setting, "id", ""), id) == 0)
                        return setting;
        return NULL;
}

/* Does the school's provider know these people? The profile says so. */
static enum group
group_of(const json_t *population)
{
        const json_t *fact =
                json_object_get(json_object_get(population, "facts"), "eip");
        const json_t *value = json_object_get(fact, "value");

        if (!json_is_boolean(value))
                return GROUP_UNKNOWN;
        return json_is_true(value) ? WITH_EIP : WITHOUT_EIP;
}

int
value_describe(struct kp_report *report, enum kp_axis axis, const char *value,
        struct value_row *row, struct kp_error *err)
{
        const char *own = table_key(
                &report->axes[axis], (size_t)(row - report_value(report, axis, 0)));
        enum home home;

        (void)err;
        if (axis == KP_AXIS_KEY && strncmp(value, "sim:", 4) == 0)
                value += 4;
        if (axis_folders[axis] != NULL)
                row->root = fixture(report, axis_folders[axis], value);
        row->title = text_of(row->root, "title", own);
        if (axis == KP_AXIS_SETTINGS)
                row->title = text_of(setting_find(report, value), "title", own);
        if (axis == KP_AXIS_HOME && home_parse(value, &home))
                row->title = say_text(SAY_HOME_SERVICE + home);
        if (strcmp(own, "none") == 0 && axis != KP_AXIS_HOME)
                row->title = say_text(
                        axis == KP_AXIS_SETTINGS ? SAY_USUAL_SETTINGS : SAY_NONE);
        row->group = axis == KP_AXIS_POPULATION ? group_of(row->root) : GROUP_UNKNOWN;
        return 0;
}
