/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_OUTCOME_H
#define KEYPILOT_MODEL_OUTCOME_H

#include <jansson.h>

#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * What one cell taught us. In outcomes.jsonl each is one line; the first line of the
 * file is the header. Shape: fixtures/schema/outcome.schema.json
 *
 *   header:  { "prev": 64 zeros, "type": "run", "format": 1, "tool": "keypilot X.Y",
 *              "seed", "fixtures": sha256, "evidence": "simulated|lab|live",
 *              "pilot": { "id", "title" }, "plan": sha256 of the whole plan,
 *              "cells": of this shard, "shard": "I/N" }
 *   outcome: { "prev": sha256 of the previous line without its newline,
 *              "type": "outcome", "id", "scenario", "axes": { axis: value },
 *              "assumed": { "role.fact": value taken for an unknown },
 *              "verdict", "invariant": the one that failed or null,
 *              "cause": id or null, "why": text or null (harness error, skip reason),
 *              "evidence", "rests_on": [ { "fact", "value", "status" } ] of facts read
 *              that are not verified, "prompts": n, "trace": [ ... ] }
 *
 * The trace in the log is that of the cell without its reads of facts (events "fact"):
 * those that are not verified stand in "rests_on", and the file would be half as large
 * again.
 *
 * Lines are compact JSON: "prev" first, then the other members sorted by name.
 *
 * An outcome's id is "SCENARIO axis=value axis=value ...", pairs sorted, with the
 * values taken for unknown facts among them as "role.fact=value". Texts stand as they
 * are, other values as compact JSON; a blank, '%' or control character in a value is
 * written "%20".
 */
enum kp_verdict {
        KP_WORKS,
        KP_LIMITS,
        KP_BREAKS,
        KP_RISK,
        KP_INCONCLUSIVE,
        KP_NOT_APPLICABLE,
        KP_SKIPPED,
};
#define KP_N_VERDICTS 7
const char *kp_verdict_name(enum kp_verdict verdict); /* "not-applicable" */

/* The verdict of that name; false if there is none. NULL-safe for `name`. */
bool kp_verdict_parse(const char *name, enum kp_verdict *ret);

/* Does this verdict need a cause: limits, breaks, risk. */
bool kp_verdict_fails(enum kp_verdict verdict);

/* The cause of a failure that no rule recognises. */
#define KP_CAUSE_UNEXPLAINED "unexplained"

/*
 * Append an outcome's id.
 *
 * axes     axis: text
 * assumed  "role.fact": any value; NULL: none
 * Errors   KP_ENOMEM
 */
int kp_outcome_id(const char *scenario, const json_t *axes, const json_t *assumed,
        struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

/* Append one value of an id, the characters that would part it written as "%20". */
void kp_outcome_id_put(struct kp_buf *ret, const char *value);

#endif
