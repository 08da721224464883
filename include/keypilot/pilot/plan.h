/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_PLAN_H
#define KEYPILOT_PILOT_PLAN_H

#include "keypilot/model/fixtures.h"
#include "keypilot/model/pilot_file.h"

/*
 * Plans: a pilot's matrix, expanded into cells. A scenario counts only the axes that it
 * varies; on the others its cells have the pilot's default, so cells that would differ
 * in nothing but an axis without meaning are one cell. Every cell comes once, in order
 * of id (byte value), however many blocks name it. Cells are made one at a time: a plan
 * of a hundred thousand needs no more memory than one of ten.
 */
struct kp_plan;

/* What the command line changes of a pilot. Borrowed. */
struct kp_plan_options {
        const char *key; /* instead of every key in the pilot; NULL: the pilot's */
        /* "AXIS=VALUE" or "scenario=NAME"; the same axis again: either value will do */
        const char *const *filters;
        size_t n_filters;
        unsigned shard, n_shards; /* 1/1: everything */
};

/*
 * Expand a pilot. Everything that it names is loaded and checked first.
 *
 * fixtures, pilot  borrowed while the plan lives
 * ret              the caller frees it with kp_plan_free()
 * Errors           KP_ENOTFOUND a scenario or profile that does not exist (the nearest
 *                  is told); KP_ESCHEMA a value that its axis does not have, a setting
 *                  of a fact that does not exist; KP_EUSAGE a filter that leaves
 *                  nothing
 */
int kp_plan_new(struct kp_fixtures *fixtures, const struct kp_pilot *pilot,
        const struct kp_plan_options *options, struct kp_plan **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_plan_free(struct kp_plan **plan); /* NULL-safe, leaves NULL */

uint64_t kp_plan_n_cells(const struct kp_plan *plan);  /* of this shard */
const char *kp_plan_shard(const struct kp_plan *plan); /* "I/N" */
const struct kp_pilot *kp_plan_pilot(const struct kp_plan *plan);
struct kp_fixtures *kp_plan_fixtures(const struct kp_plan *plan);

/*
 * SHA-256, lower-case hex, over the ids of all cells (not only this shard's), the
 * settings, and those files that the pilot names by path.
 */
const char *kp_plan_hash(const struct kp_plan *plan);

/* "simulated", or "lab" where a key is a real one. */
const char *kp_plan_evidence(const struct kp_plan *plan);

/* One cell; text borrowed until the walk goes on. */
struct kp_plan_cell {
        uint64_t index; /* within the shard, from 0 */
        const char *id;
        const char *scenario;
        const char *values[KP_N_AXES];
};

/* Goes over a plan's cells in order. */
struct kp_plan_walk;
int kp_plan_walk_new(const struct kp_plan *plan, struct kp_plan_walk **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_plan_walk_free(struct kp_plan_walk **walk); /* NULL-safe, leaves NULL */

/*
 * The next cell.
 *
 * ret_more  false past the last one
 * Errors    KP_ENOMEM
 */
int kp_plan_walk_next(struct kp_plan_walk *walk, struct kp_plan_cell *ret,
        bool *ret_more, struct kp_error *err) KP_MUST_CHECK;

/* axis -> value, as kp_cell_input wants it; the caller releases it. NULL: no memory */
json_t *kp_plan_cell_axes(const struct kp_plan_cell *cell);

/* What the cell's settings set; borrowed from the pilot; NULL: nothing. */
const json_t *kp_plan_cell_set(
        const struct kp_plan *plan, const struct kp_plan_cell *cell);

#endif
