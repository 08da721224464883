/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_PLAN_INTERNAL_H
#define KEYPILOT_PILOT_PLAN_INTERNAL_H

#include "keypilot/pilot/plan.h"

/* What the files share: plan.c builds, plan_names.c checks, plan_walk.c walks. */

/* The values of one axis, sorted as ids sort them, each once. */
struct kp_plan_values {
        const char **names; /* borrowed from the plan's texts */
        size_t n_names;
};

/* One scenario in one block. Sections are sorted by scenario. */
struct kp_plan_section {
        const char *scenario;
        struct kp_plan_values axes[KP_N_AXES];
};

struct kp_plan {
        struct kp_fixtures *fixtures;
        const struct kp_pilot *pilot;
        json_t *checked[KP_N_AXES]; /* sets: values that were found to be right */
        json_t *texts; /* a set: every name that the plan holds is a key in it */
        struct kp_plan_section *sections;
        size_t n_sections;
        unsigned shard, n_shards;
        char shard_text[24];
        uint64_t n_cells;
        char hash[65];
        bool real_keys;
};

/*
 * Add the values that `from` (strings, "*" for all) stands for to `ret`, checked
 * against the fixtures.
 */
int kp_plan_values_add(struct kp_plan *plan, enum kp_axis axis, const json_t *from,
        struct kp_plan_values *ret, struct kp_error *err) KP_MUST_CHECK;
int kp_plan_value_add(struct kp_plan *plan, enum kp_axis axis, const char *value,
        struct kp_plan_values *ret, struct kp_error *err) KP_MUST_CHECK;
void kp_plan_values_sort(struct kp_plan_values *values);

/* The plan's own copy of a text; NULL: no memory */
const char *kp_plan_intern(struct kp_plan *plan, const char *text);

/* Do the settings of the pilot set facts that exist, to values that they may have? */
int kp_plan_check_settings(
        const struct kp_pilot *pilot, struct kp_error *err) KP_MUST_CHECK;

/* A file of one's own instead of a fixture. */
bool kp_plan_is_path(const char *value);

#endif
