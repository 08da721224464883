/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_DIAGNOSE_H
#define KEYPILOT_PILOT_DIAGNOSE_H

#include "keypilot/model/fixtures.h"
#include "keypilot/model/outcome.h"
#include "keypilot/model/rule.h"

/*
 * Diagnosis: which rule explains a failing trace. Where several fit, the one with most
 * conditions wins (each member of "when" and of its patterns counts one), then the
 * first by id. No rule ever changes a verdict.
 */
struct kp_rules;

/*
 * Load every rule of the fixtures; a folder without rules is no error.
 *
 * ret      the caller frees it with kp_rules_free()
 * Errors   as kp_rule_load()
 */
int kp_rules_load(const struct kp_fixtures *fixtures, struct kp_rules **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_rules_free(struct kp_rules **rules); /* NULL-safe, leaves NULL */

/* In the order in which they are tried; NULL past the end. */
const struct kp_rule *kp_rules_nth(const struct kp_rules *rules, size_t i);

/*
 * The cause of an outcome: a rule's id (borrowed), KP_CAUSE_UNEXPLAINED where no rule
 * fits, NULL where the verdict is no failure.
 */
const char *kp_rules_cause(const struct kp_rules *rules, enum kp_verdict verdict,
        const char *invariant, const json_t *trace);

#endif
