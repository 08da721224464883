/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_OUTCOME_H
#define KEYPILOT_MODEL_OUTCOME_H

#include <jansson.h>

#include "keypilot/core/error.h"

/*
 * What one cell taught us. In outcomes.jsonl each is one line; the first line of the file is
 * the header. Shape: fixtures/schema/outcome.schema.json
 *
 *   header:  { "type": "run", "format": 1, "tool": "keypilot X.Y", "seed", "fixtures":
 *              sha256, "evidence": "simulated|lab|live", "pilot": { "id", "title" }, "plan":
 *              sha256 of the cells' ids, "shard": "I/N", "prev": 64 zeros }
 *   outcome: { "type": "outcome", "id", "scenario", "axes": { axis: value }, "assumed":
 *              { "role.fact": value taken for an unknown }, "verdict", "invariant": the one
 *              that failed or null, "cause": id or null, "why": text or null (harness
 *              error, skip reason), "evidence", "rests_on": [ { "fact", "value", "status" } ]
 *              of facts read that are not verified, "doors": {...}, "prompts": n, "trace":
 *              [...], "prev": sha256 of the previous line without its newline }
 *
 * An outcome's id is "SCENARIO axis=value axis=value ...", pairs sorted, with the values
 * taken for unknown facts among them as "role.fact=value".
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
const char *kp_verdict_name(enum kp_verdict verdict); /* "works", ..., "not-applicable" */
bool kp_verdict_parse(const char *name, enum kp_verdict *ret);

#endif
