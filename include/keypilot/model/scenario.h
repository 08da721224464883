/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_SCENARIO_H
#define KEYPILOT_MODEL_SCENARIO_H

#include "keypilot/core/json.h"
#include "keypilot/model/fault.h"

/*
 * Scenarios: steps that a person takes and what must hold afterwards. Never a key, a
 * product or a verdict. File shape: fixtures/schema/scenario.schema.json
 */
struct kp_scenario {
        const char *id;
        struct kp_text title;
        json_t *vary;   /* names of the axes that matter to it */
        json_t *needs;  /* what agent and transport must be able to do */
        json_t *steps;  /* objects: { "do": VERB, ... } */
        json_t *expect; /* names of invariants, "name" or "name:parameter" */
        json_t *set;    /* "role.fact": value, conditions of the scenario; NULL: none */
        json_t *note;   /* NULL: none */
        json_t *root;
        struct kp_fault *faults; /* one for each step; `point` NULL: it names none */
};

/*
 * Load a scenario. Verbs and invariants are checked by their owners. Faults that its
 * steps name come from the folder faults/ beside the scenario's folder.
 *
 * ret      the caller frees it with kp_scenario_free()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA unknown, missing or mistyped member;
 *          KP_ENOTFOUND no such fault (the nearest name is told)
 */
int kp_scenario_load(
        const char *path, struct kp_scenario **ret, struct kp_error *err) KP_MUST_CHECK;

/* The same for a file that may lie anywhere: faults are looked for in `fixtures_dir`. */
int kp_scenario_load_from(const char *fixtures_dir, const char *path,
        struct kp_scenario **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_scenario_free(struct kp_scenario **scenario); /* NULL-safe, leaves NULL */

#endif
