/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_JUDGE_H
#define KEYPILOT_PILOT_JUDGE_H

#include "keypilot/model/outcome.h"
#include "keypilot/world/world.h"

/*
 * The judge: does what a scenario expects hold in the world as it really was? It knows
 * no product, no rule, and no answer; only invariants by name (DESIGN "A verdict
 * emerges").
 */
struct kp_judgement {
        enum kp_verdict verdict;
        char invariant[64]; /* the weightiest that failed, as a scenario has it; "" */
        char why[256];      /* where nothing could be judged; "" */
};

/*
 * Are the names and parameters in `expect` what they should be?
 *
 * Errors   KP_ESCHEMA with the item
 */
int kp_judge_check_scenario(
        const struct kp_scenario *scenario, struct kp_error *err) KP_MUST_CHECK;

/* Judge a world whose steps have run; every invariant is told in its trace. */
void kp_judge(const struct kp_world *world, struct kp_judgement *ret);

/* The invariants, NULL past the end; what each means, and the verdict if it fails. */
const char *kp_judge_invariant(
        size_t i, const char **ret_means, enum kp_verdict *ret_verdict);

#endif
