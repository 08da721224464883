/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_BRANCH_H
#define KEYPILOT_PILOT_BRANCH_H

#include "keypilot/pilot/cell.h"

/*
 * Branches: a cell that reads a fact nobody knows is run once for each value that the
 * fact may have, and only for facts that were read. Depth first: the last fact read
 * turns fastest, and a value that leads past another unknown opens that one too.
 */
#define KP_MAX_BRANCHES 64

/* How a cell is run: kp_cell_run(), or a test's own. */
typedef int kp_cell_fn(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err);

/* Takes each branch's outcome, in order. */
struct kp_branch_sink {
        void *self;
        /*
         * assumed   "role.fact": value of the unknown facts that were read; borrowed
         * result    borrowed
         */
        int (*outcome)(void *self, const json_t *assumed,
                const struct kp_cell_result *result, struct kp_error *err);
};

/*
 * Run a cell through all of its branches. Past KP_MAX_BRANCHES one last outcome without
 * assumptions, `inconclusive`, says so.
 *
 * input    `take` is overwritten
 * Errors   what `cell` and the sink say; KP_EBUG a cell that read other facts the
 *          second time
 */
int kp_branches_run(kp_cell_fn *cell, struct kp_cell_input *input,
        const struct kp_branch_sink *sink, struct kp_error *err) KP_MUST_CHECK;

#endif
