/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_CELL_H
#define KEYPILOT_PILOT_CELL_H

#include "keypilot/client/client.h"
#include "keypilot/device/key.h"
#include "keypilot/model/fixtures.h"
#include "keypilot/model/outcome.h"

/*
 * One cell: one scenario with one value on every axis, run in a world of its own and
 * judged by the scenario's invariants. It does not know what the answer should be, and
 * asks no rule.
 */
struct kp_cell_input {
        struct kp_fixtures *fixtures;
        const char *scenario; /* name */
        /*
         * axis -> value: "key" (sim:NAME), "client", "service", "provider",
         * "provider2", "hub", "home" (service, provider, both, hub, none),
         * "population", "settings", "event". Axes that the scenario does not vary are
         * present with the pilot's default.
         */
        const json_t *axes;
        const json_t *set;  /* "role.fact": value, from the settings axis; NULL: none */
        const json_t *take; /* "role.fact": value for unknown facts; NULL: none */
        const char *seed;
        const char *id; /* cell id: the random stream is derived from seed and id */
        enum kp_driver_choice driver;
        /* real keys: who answers for the PIN, and where what is made is written down */
        const struct kp_user *user;
        const char *ledger_path, *run;
};

struct kp_cell_result {
        enum kp_verdict verdict;
        char invariant[64]; /* the first that failed, in order of weight; "" */
        char why[256];      /* skipped, inconclusive, not applicable: the reason; "" */
        json_t *unknown;    /* [ { "fact", "values", "taken" } ], first read first */
        json_t *rests_on;   /* [ { "fact", "value", "status" } ] */
        json_t *trace;      /* array of events, as of kp_trace_events() */
        int prompts;        /* how often the person was asked for anything */
};
void kp_cell_result_done(struct kp_cell_result *result); /* frees, leaves { 0 } */

/*
 * Do the names in a "set" exist, with values that their facts may have?
 *
 * set      "role.fact": value; NULL: nothing
 * Errors   KP_ESCHEMA with the name
 */
int kp_cell_check_set(const json_t *set, struct kp_error *err) KP_MUST_CHECK;

/* Forget what the process keeps between cells: at its end, for leak checkers. */
void kp_cell_cache_clear(void);

/*
 * Run a cell.
 *
 * ret      the caller ends it with kp_cell_result_done()
 * Errors   the harness's own: a fixture that cannot be loaded (named), memory, bugs
 */
int kp_cell_run(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
