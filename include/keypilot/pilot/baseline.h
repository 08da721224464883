/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_BASELINE_H
#define KEYPILOT_PILOT_BASELINE_H

#include "keypilot/pilot/log.h"

/*
 * Baselines: the verdict and cause that each outcome is expected to have, so that a
 * build turns red when one changes. Expectations live here and nowhere else: no
 * scenario, rule or source file says what should come out.
 *
 * File shape (fixtures/schema/baseline.schema.json):
 *
 *   { "format": 1, "pilot": id, "accepted_risks": { CAUSE: why it is accepted },
 *     "outcomes": { id: { "verdict", "cause": id or null } } }
 *
 * A risk is accepted where its outcome has it in the baseline and its cause is among
 * the accepted ones: taking the cause out turns every build red that still has it.
 */
enum kp_expectation {
        KP_AS_EXPECTED,
        KP_REGRESSION,      /* worse than expected, or no longer decided */
        KP_CHANGED_CAUSE,   /* the verdict stayed, the reason did not */
        KP_UNEXPECTED_PASS, /* better than expected */
        KP_NEW,             /* not in the baseline */
        KP_REMOVED,         /* in the baseline, not in the run */
};
#define KP_N_EXPECTATIONS 6
const char *kp_expectation_name(enum kp_expectation expectation); /* "changed-cause" */

struct kp_baseline;

/*
 * Load a baseline.
 *
 * ret      the caller frees it with kp_baseline_free()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA unknown, missing or mistyped member
 */
int kp_baseline_load(
        const char *path, struct kp_baseline **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_baseline_free(struct kp_baseline **baseline); /* NULL-safe, leaves NULL */

/*
 * Hold an outcome against the baseline, which remembers that it came.
 *
 * ret_risk  the outcome is a risk that the baseline does not accept
 */
enum kp_expectation kp_baseline_judge(
        struct kp_baseline *baseline, const struct kp_log_entry *entry, bool *ret_risk);

/* Tell every expectation that nothing met. */
void kp_baseline_missing(const struct kp_baseline *baseline, void *self,
        void (*missing)(void *self, const char *id));

/*
 * Make a baseline of a run: what it found is what is expected from now on. Risks that
 * it has are accepted, under their causes; reasons that the file at `path` gave before
 * are kept.
 *
 * dir             the folder of the run
 * path            written whole or not at all
 * ret_n_outcomes  how many it holds
 * ret_n_risks     and how many of those are risks
 * Errors          KP_EIO, KP_EPARSE, KP_EINTEGRITY; KP_ESCHEMA the run was not finished
 */
int kp_baseline_write(const char *dir, const char *path, uint64_t *ret_n_outcomes,
        uint64_t *ret_n_risks, struct kp_error *err) KP_MUST_CHECK;

#endif
