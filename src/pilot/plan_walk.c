/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/model/outcome.h"

#include "plan_internal.h"

/* Where the walk stands in one section: the next cell that it would give. */
struct stand {
        const struct kp_plan_section *section;
        size_t at[KP_N_AXES]; /* the last axis turns fastest, as in sorted ids */
        struct kp_buf id;
        bool past;
};

/*
 * The sections of one scenario are walked together, the smallest id first; a cell that
 * several of them have is given once. Scenarios follow one another, so memory is
 * bounded by the number of blocks.
 */
struct kp_plan_walk {
        const struct kp_plan *plan;
        size_t next_section;
        struct stand *stands;
        size_t n_stands;
        struct kp_buf id; /* of the cell that was given last */
        uint64_t n_seen;  /* cells of all shards */
        uint64_t n_given;
};

static void
stands_done(struct kp_plan_walk *walk)
{
        for (size_t i = 0; i < walk->n_stands; i++)
                kp_buf_done(&walk->stands[i].id);
        walk->n_stands = 0;
}

void
kp_plan_walk_free(struct kp_plan_walk **walk)
{
        if (*walk == NULL)
                return;
        stands_done(*walk);
        kp_buf_done(&(*walk)->id);
        free((*walk)->stands);
        free(*walk);
        *walk = NULL;
}

int
kp_plan_walk_new(
        const struct kp_plan *plan, struct kp_plan_walk **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_plan_walk_free)
        struct kp_plan_walk *walk = calloc(1, sizeof(*walk));

        if (walk == NULL || (walk->stands = calloc(plan->n_sections + 1,
                                     sizeof(*walk->stands))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "plan");
        walk->plan = plan;
        *ret = KP_STEAL(walk);
        return 0;
}

/* Byte for byte what kp_outcome_id() makes of the same values. */
static void
stand_name(struct stand *stand)
{
        kp_buf_clear(&stand->id);
        kp_outcome_id_put(&stand->id, stand->section->scenario);
        for (int i = 0; i < KP_N_AXES; i++) {
                kp_buf_puts(&stand->id, " ");
                kp_buf_puts(&stand->id, kp_axis_name(i));
                kp_buf_puts(&stand->id, "=");
                kp_outcome_id_put(
                        &stand->id, stand->section->axes[i].names[stand->at[i]]);
        }
}

static void
stand_advance(struct stand *stand)
{
        for (int i = KP_N_AXES - 1; i >= 0; i--) {
                if (++stand->at[i] < stand->section->axes[i].n_names) {
                        stand_name(stand);
                        return;
                }
                stand->at[i] = 0;
        }
        stand->past = true;
}

/* Take up the sections of the next scenario. */
static void
walk_open(struct kp_plan_walk *walk)
{
        const struct kp_plan *plan = walk->plan;
        const char *scenario = NULL;

        stands_done(walk);
        while (walk->next_section < plan->n_sections) {
                const struct kp_plan_section *section =
                        &plan->sections[walk->next_section];
                struct stand *stand = &walk->stands[walk->n_stands];

                if (scenario != NULL && strcmp(scenario, section->scenario) != 0)
                        return;
                scenario = section->scenario;
                memset(stand, 0, sizeof(*stand));
                stand->section = section;
                stand_name(stand);
                walk->n_stands++;
                walk->next_section++;
        }
}

static struct stand *
walk_smallest(struct kp_plan_walk *walk)
{
        struct stand *smallest = NULL;

        for (size_t i = 0; i < walk->n_stands; i++) {
                struct stand *stand = &walk->stands[i];

                if (!stand->past &&
                        (smallest == NULL || strcmp(kp_buf_str(&stand->id),
                                                     kp_buf_str(&smallest->id)) < 0))
                        smallest = stand;
        }
        return smallest;
}

static void
cell_fill(
        struct kp_plan_walk *walk, const struct stand *stand, struct kp_plan_cell *ret)
{
        kp_buf_clear(&walk->id);
        kp_buf_put(&walk->id, stand->id.data, stand->id.len);
        ret->id = kp_buf_str(&walk->id);
        ret->scenario = stand->section->scenario;
        for (int i = 0; i < KP_N_AXES; i++)
                ret->values[i] = stand->section->axes[i].names[stand->at[i]];
}

/* The next cell of all shards; false past the last. */
static bool
walk_step(struct kp_plan_walk *walk, struct kp_plan_cell *ret)
{
        struct stand *smallest = walk_smallest(walk);

        while (smallest == NULL && walk->next_section < walk->plan->n_sections) {
                walk_open(walk);
                smallest = walk_smallest(walk);
        }
        if (smallest == NULL)
                return false;
        cell_fill(walk, smallest, ret);
        for (size_t i = 0; i < walk->n_stands; i++)
                if (!walk->stands[i].past &&
                        strcmp(kp_buf_str(&walk->stands[i].id), ret->id) == 0)
                        stand_advance(&walk->stands[i]);
        return true;
}

int
kp_plan_walk_next(struct kp_plan_walk *walk, struct kp_plan_cell *ret, bool *ret_more,
        struct kp_error *err)
{
        const struct kp_plan *plan = walk->plan;

        *ret_more = true;
        do {
                if (!walk_step(walk, ret)) {
                        *ret_more = false;
                        return 0;
                }
        } while (walk->n_seen++ % plan->n_shards != plan->shard - 1);
        ret->index = walk->n_given++;
        for (size_t i = 0; i < walk->n_stands; i++)
                if (kp_buf_check(&walk->stands[i].id, err) < 0)
                        return -1;
        return kp_buf_check(&walk->id, err);
}

json_t *
kp_plan_cell_axes(const struct kp_plan_cell *cell)
{
        json_t *axes = json_object();

        for (int i = 0; i < KP_N_AXES; i++)
                if (json_object_set_new(
                            axes, kp_axis_name(i), json_string(cell->values[i])) < 0) {
                        json_decref(axes);
                        return NULL;
                }
        return axes;
}

const json_t *
kp_plan_cell_set(const struct kp_plan *plan, const struct kp_plan_cell *cell)
{
        const struct kp_pilot_setting *setting =
                kp_pilot_setting_find(plan->pilot, cell->values[KP_AXIS_SETTINGS]);

        return setting == NULL ? NULL : setting->set;
}
