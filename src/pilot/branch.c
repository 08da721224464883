/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/branch.h"

#include <stdio.h>
#include <string.h>

/*
 * Facts on the way to the branch that is run next: [ { "fact", "values", "at" } ], in
 * the order in which they are read.
 */
static int
path_extend(json_t *path, const json_t *unknown, struct kp_error *err)
{
        const json_t *read;
        size_t i;

        json_array_foreach (unknown, i, read) {
                const char *fact = kp_json_str(read, "fact", "");
                json_t *step = json_array_get(path, i);

                if (step != NULL && strcmp(kp_json_str(step, "fact", ""), fact) != 0)
                        return KP_FAIL(err, KP_EBUG,
                                "the cell is not repeatable: it read %s where it had "
                                "read %s",
                                fact, kp_json_str(step, "fact", ""));
                if (step == NULL &&
                        json_array_append_new(path,
                                json_pack("{s:s, s:O, s:i}", "fact", fact, "values",
                                        json_object_get(read, "values"), "at", 0)) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "branches");
        }
        if (json_array_size(unknown) < json_array_size(path))
                return KP_FAIL(err, KP_EBUG,
                        "the cell is not repeatable: it read fewer unknown facts");
        return 0;
}

static json_t *
step_value(const json_t *step)
{
        return json_array_get(
                json_object_get(step, "values"), (size_t)kp_json_int(step, "at", 0));
}

/* The next value of the last fact that has one left; false when all were run. */
static bool
path_turn(json_t *path)
{
        while (json_array_size(path) > 0) {
                json_t *step = json_array_get(path, json_array_size(path) - 1);
                json_t *at = json_object_get(step, "at");

                /* is an integer */
                (void)json_integer_set(at, json_integer_value(at) + 1);
                if (step_value(step) != NULL)
                        return true;
                (void)json_array_remove(path, json_array_size(path) - 1); /* exists */
        }
        return false;
}

static int
path_values(const json_t *path, json_t *ret, struct kp_error *err)
{
        const json_t *step;
        size_t i;

        json_array_foreach (path, i, step)
                if (json_object_set(
                            ret, kp_json_str(step, "fact", ""), step_value(step)) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "branches");
        return 0;
}

static int
run_one(kp_cell_fn *cell, struct kp_cell_input *input, json_t *path,
        const struct kp_branch_sink *sink, struct kp_error *err)
{
        KP_CLEANUP(kp_cell_result_done) struct kp_cell_result result = { 0 };
        json_auto_t *take = json_object(), *assumed = json_object();
        int failed;

        if (take == NULL || assumed == NULL)
                return KP_FAIL(err, KP_ENOMEM, "branches");
        if (path_values(path, take, err) < 0)
                return -1;
        input->take = take;
        failed = cell(input, &result, err);
        input->take = NULL;
        if (failed < 0)
                return -1;
        if (path_extend(path, result.unknown, err) < 0 ||
                path_values(path, assumed, err) < 0)
                return -1;
        return sink->outcome(sink->self, assumed, &result, err);
}

static int
give_up(const struct kp_branch_sink *sink, struct kp_error *err)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = { .verdict = KP_INCONCLUSIVE };
        json_auto_t *assumed = json_object();

        (void)snprintf(result.why, sizeof(result.why),
                "more than %d combinations of unknown facts; the others were not run",
                KP_MAX_BRANCHES);
        if (assumed == NULL || (result.trace = json_array()) == NULL ||
                (result.rests_on = json_array()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "branches");
        return sink->outcome(sink->self, assumed, &result, err);
}

int
kp_branches_run(kp_cell_fn *cell, struct kp_cell_input *input,
        const struct kp_branch_sink *sink, struct kp_error *err)
{
        json_auto_t *path = json_array();

        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "branches");
        for (int n = 0; n < KP_MAX_BRANCHES; n++) {
                if (run_one(cell, input, path, sink, err) < 0)
                        return -1;
                if (!path_turn(path))
                        return 0;
        }
        return give_up(sink, err);
}
