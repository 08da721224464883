/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "report_internal.h"

/*
 * Which unknown facts change the answer. The branches of one cell, one for each value
 * that its unknown facts may have, follow one another in the log: they are gathered,
 * and two of them that differ in one fact alone show whether the verdict turns with it.
 */
#define MAX_BRANCHES 512 /* a cell with more is counted as it stands, uncompared */

static bool
same_but(const json_t *a, const json_t *b, const char *fact)
{
        const char *name;
        json_t *value;

        json_object_foreach ((json_t *)a, name, value) {
                const json_t *other = json_object_get(b, name);

                /* what only one of them read cannot part them */
                if (other != NULL && strcmp(name, fact) != 0 &&
                        !json_equal(value, other))
                        return false;
        }
        return true;
}

static bool
decides(const struct kp_report *report, const char *fact)
{
        for (size_t i = 0; i < report->n_branches; i++)
                for (size_t j = i + 1; j < report->n_branches; j++) {
                        const struct branch *a = &report->branches[i];
                        const struct branch *b = &report->branches[j];
                        const json_t *of_a = json_object_get(a->assumed, fact);
                        const json_t *of_b = json_object_get(b->assumed, fact);

                        if (a->verdict != b->verdict && of_a != NULL && of_b != NULL &&
                                !json_equal(of_a, of_b) &&
                                same_but(a->assumed, b->assumed, fact))
                                return true;
                }
        return false;
}

static int
option_count(struct kp_report *report, size_t unknown, const json_t *value,
        enum kp_verdict verdict, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct option_row *option;
        bool is_new;
        size_t i;

        if (json_is_string(value))
                kp_buf_puts(&text, json_string_value(value));
        else if (kp_json_write(value, &text, err) < 0)
                return -1;
        if (kp_buf_check(&text, err) < 0 ||
                table_rowf(&report->options, &i, &is_new, err, "%zu %s", unknown,
                        kp_buf_str(&text)) < 0)
                return -1;
        option = table_at(&report->options, i);
        option->unknown = unknown;
        option->tally.n[verdict]++;
        if (is_new && (option->value = strdup(kp_buf_str(&text))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        return 0;
}

/* The axis and the profile that a fact of this cell belongs to. */
static const char *
profile_of(const struct kp_report *report, const char *fact, size_t *ret_axis)
{
        char role[32] = "";
        size_t len = strcspn(fact, ".");
        enum kp_axis axis;

        *ret_axis = KP_N_AXES;
        if (len < sizeof(role))
                memcpy(role, fact, len);
        if (!kp_axis_parse(role, &axis))
                return "";
        *ret_axis = axis;
        return kp_json_str(report->group_axes, role, "");
}

static int
unknown_find(
        struct kp_report *report, const char *fact, size_t *ret, struct kp_error *err)
{
        struct unknown_row *row;
        const char *profile;
        size_t axis;
        bool is_new;

        profile = profile_of(report, fact, &axis);
        if (table_rowf(&report->unknowns, ret, &is_new, err, "%s %s", fact, profile) <
                0)
                return -1;
        if (!is_new)
                return 0;
        row = table_at(&report->unknowns, *ret);
        row->axis = axis;
        row->value = SIZE_MAX;
        if (axis != KP_N_AXES && !table_find(&report->axes[axis], profile, &row->value))
                row->value = SIZE_MAX;
        if ((row->fact = strdup(fact)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        return 0;
}

static int
fact_weigh(struct kp_report *report, const char *fact, struct kp_error *err)
{
        struct unknown_row *row;
        size_t unknown;

        if (unknown_find(report, fact, &unknown, err) < 0)
                return -1;
        row = table_at(&report->unknowns, unknown);
        row->n_cells++;
        if (report->n_branches > MAX_BRANCHES || !decides(report, fact))
                return 0;
        row->n_decisive++;
        row->n_quad[report->group_home][report->group_group]++;
        for (size_t i = 0; i < report->n_branches; i++) {
                const struct branch *branch = &report->branches[i];
                const json_t *value = json_object_get(branch->assumed, fact);

                if (value != NULL &&
                        option_count(report, unknown, value, branch->verdict, err) < 0)
                        return -1;
        }
        return 0;
}

int
unknown_flush(struct kp_report *report, struct kp_error *err)
{
        json_auto_t *seen = json_object();
        const char *fact;
        json_t *value;

        for (size_t i = 0; i < report->n_branches; i++)
                (void)json_object_update_missing(seen, report->branches[i].assumed);
        json_object_foreach (seen, fact, value)
                if (fact_weigh(report, fact, err) < 0)
                        return -1;
        for (size_t i = 0; i < report->n_branches; i++)
                json_decref(report->branches[i].assumed);
        report->n_branches = 0;
        return 0;
}

static int
group_begin(struct kp_report *report, const struct outcome *outcome, const char *key,
        struct kp_error *err)
{
        if (unknown_flush(report, err) < 0)
                return -1;
        report->n_cells++;
        free(report->group_key);
        json_decref(report->group_axes);
        report->group_axes = json_incref((json_t *)outcome->axes);
        report->group_home = outcome->home;
        report->group_group = outcome->group;
        if ((report->group_key = strdup(key)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        return 0;
}

int
unknown_outcome(
        struct kp_report *report, const struct outcome *outcome, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf key = { 0 };
        struct branch *grown;

        if (json_object_size(outcome->assumed) == 0) {
                report->n_cells++;
                return 0;
        }
        kp_buf_printf(&key, "%s ", outcome->scenario_id);
        if (kp_json_write(outcome->axes, &key, err) < 0)
                return -1;
        if ((report->group_key == NULL ||
                    strcmp(report->group_key, kp_buf_str(&key)) != 0) &&
                group_begin(report, outcome, kp_buf_str(&key), err) < 0)
                return -1;
        if (report->n_branches > MAX_BRANCHES)
                return 0;
        grown = reallocarray(report->branches, report->n_branches + 1, sizeof(*grown));
        if (grown == NULL)
                return KP_FAIL(err, KP_ENOMEM, "report");
        report->branches = grown;
        grown[report->n_branches++] =
                (struct branch){ json_incref((json_t *)outcome->assumed),
                        outcome->verdict };
        return 0;
}
