/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_RUN_H
#define KEYPILOT_PILOT_RUN_H

#include <signal.h>

#include "keypilot/pilot/branch.h"
#include "keypilot/pilot/diagnose.h"
#include "keypilot/pilot/log.h"
#include "keypilot/pilot/plan.h"

/*
 * A run: every cell of a plan, by worker processes, into one log in the order of the
 * plan. A cell that crashes costs itself: it becomes an inconclusive outcome, and the
 * others go on. The bytes of the log depend on plan, seed, fixtures and version, on
 * nothing else.
 */

/* Why of an outcome that our own fault left without an answer. */
#define KP_WHY_CRASHED "the harness crashed in this cell"
#define KP_WHY_FAILED "the harness failed in this cell"
#define KP_WHY_STUCK "the harness did not finish this cell"

/* What to run, and how. Everything borrowed. */
struct kp_run_options {
        const struct kp_plan *plan;
        const struct kp_rules *rules;
        const char *out;  /* folder */
        const char *tool; /* "keypilot X.Y" */
        const char *seed;
        bool resume;
        unsigned jobs;         /* worker processes; 0: one for each core */
        unsigned cell_seconds; /* a cell that takes longer is given up; 0: never */
        enum kp_driver_choice driver;
        /* real keys: who answers for the PIN, and where what is made is written down */
        const struct kp_user *user;
        const char *ledger_path, *run_name;
        kp_cell_fn *cell;                  /* kp_cell_run, or a test's own */
        const volatile sig_atomic_t *stop; /* not 0: stop soon; NULL: never */
        struct kp_log_watch watch;         /* .outcome NULL: nobody watches */
        /* told now and then; and of each cell that was our fault. NULL: nobody */
        void *self;
        void (*progress)(void *self, uint64_t n_done, uint64_t n_cells);
        void (*fault)(void *self, const char *cell, const char *what);
};

struct kp_run_result {
        uint64_t n_cells; /* done in all, those of a resumed log included */
        uint64_t n_outcomes[KP_N_VERDICTS];
        uint64_t n_faults; /* outcomes that our own fault left without an answer */
        bool interrupted;  /* by `stop`; the log can be resumed */
};

/*
 * Run.
 *
 * Errors   as kp_log_create() and kp_log_resume(); KP_EIO; what a cell says when a
 *          fixture is wrong or a real key needs protection (the log can be resumed)
 */
int kp_run(const struct kp_run_options *options, struct kp_run_result *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* Cores that this process may use. */
unsigned kp_run_cores(void);

#endif
