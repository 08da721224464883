/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

static const struct kp_field fields[] = {
        { "id", KP_STRING, true, offsetof(struct kp_scenario, id) },
        { "title", KP_TEXT, true, offsetof(struct kp_scenario, title) },
        { "vary", KP_STRINGS, true, offsetof(struct kp_scenario, vary) },
        { "needs", KP_STRINGS, true, offsetof(struct kp_scenario, needs) },
        { "set", KP_OBJECT, false, offsetof(struct kp_scenario, set) },
        { "steps", KP_ARRAY, true, offsetof(struct kp_scenario, steps) },
        { "expect", KP_STRINGS, true, offsetof(struct kp_scenario, expect) },
        { "note", KP_STRINGS, false, offsetof(struct kp_scenario, note) },
};

/* The axes that a scenario may name. DESIGN "Words": matrix */
static bool
is_axis(const char *name)
{
        static const char *const axes[] = { "key", "client", "service", "provider",
                "provider2", "hub", "home", "population", "settings", "event" };

        for (size_t i = 0; i < KP_NELEMS(axes); i++)
                if (strcmp(axes[i], name) == 0)
                        return true;
        return false;
}

static int
scenario_check(const struct kp_scenario *scenario, struct kp_error *err)
{
        const json_t *item;
        size_t i;

        json_array_foreach (scenario->vary, i, item)
                if (!is_axis(json_string_value(item)))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'vary': '%.40s' is not an axis; axes are key, "
                                "client, "
                                "service, provider, provider2, hub, home, population, "
                                "settings, "
                                "event",
                                json_string_value(item));
        json_array_foreach (scenario->steps, i, item)
                if (kp_json_str(item, "do", NULL) == NULL)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'steps', item %zu: expected an object with the "
                                "string "
                                "'do'",
                                i + 1);
        if (json_array_size(scenario->steps) == 0 ||
                json_array_size(scenario->expect) == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "members 'steps' and 'expect': expected at least one item "
                        "each");
        return 0;
}

/* Steps that break a key say how: a fault's name, or the fault itself. */
static int
faults_read(
        const char *fixtures_dir, struct kp_scenario *scenario, struct kp_error *err)
{
        const json_t *step, *fault;
        size_t i;

        scenario->faults =
                calloc(json_array_size(scenario->steps), sizeof(*scenario->faults));
        if (scenario->faults == NULL)
                return KP_FAIL(err, KP_ENOMEM, "scenario");
        json_array_foreach (scenario->steps, i, step) {
                if ((fault = json_object_get(step, "fault")) == NULL)
                        continue;
                if (kp_fault_read(fault, fixtures_dir, &scenario->faults[i], err) < 0)
                        return KP_WHILE(
                                err, "member 'steps', item %zu, member 'fault'", i + 1);
        }
        return 0;
}

int
kp_scenario_load_from(const char *fixtures_dir, const char *path,
        struct kp_scenario **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_scenario_free)
        struct kp_scenario *scenario = calloc(1, sizeof(*scenario));

        if (scenario == NULL)
                return KP_FAIL(err, KP_ENOMEM, "scenario");
        if (kp_json_load(path, KP_JSON_MAX, &scenario->root, err) < 0)
                return -1;
        if (kp_json_read(scenario->root, fields, KP_NELEMS(fields), scenario, err) <
                        0 ||
                scenario_check(scenario, err) < 0 ||
                faults_read(fixtures_dir, scenario, err) < 0)
                return KP_WHILE(err, "%s", path);
        *ret = KP_STEAL(scenario);
        return 0;
}

int
kp_scenario_load(const char *path, struct kp_scenario **ret, struct kp_error *err)
{
        const char *slash = strrchr(path, '/');
        KP_CLEANUP(kp_free_str)
        char *beside = slash == NULL ? strdup("..")
                                     : kp_format("%.*s/..", (int)(slash - path), path);

        if (beside == NULL)
                return KP_FAIL(err, KP_ENOMEM, "scenario");
        return kp_scenario_load_from(beside, path, ret, err);
}

void
kp_scenario_free(struct kp_scenario **scenario)
{
        if (*scenario == NULL)
                return;
        for (size_t i = 0;
                (*scenario)->faults != NULL && i < json_array_size((*scenario)->steps);
                i++)
                kp_fault_done(&(*scenario)->faults[i]);
        free((*scenario)->faults);
        json_decref((*scenario)->root);
        free(*scenario);
        *scenario = NULL;
}
