/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_PILOT_FILE_H
#define KEYPILOT_MODEL_PILOT_FILE_H

#include "keypilot/core/json.h"

/*
 * Pilot files: a school's set-up and the matrix that is run over it. Names of fixtures
 * are only text here; whether they exist is the plan's business. File shape:
 * fixtures/schema/pilot.schema.json; how to write one: docs/adding-a-pilot.md
 *
 *   "defaults": { axis: value }             every axis, one value
 *   "settings": [ { "id", "title", "set": { "role.fact": value } } ]
 *   "matrix":   [ { "scenarios": [ names or "*" ],
 *                   "axes": { axis: [ values or "*" ] } } ]
 */

/* DESIGN "Words": matrix; in order of name, which is the order inside ids. */
enum kp_axis {
        KP_AXIS_CLIENT,
        KP_AXIS_EVENT,
        KP_AXIS_HOME,
        KP_AXIS_HUB,
        KP_AXIS_KEY,
        KP_AXIS_POPULATION,
        KP_AXIS_PROVIDER,
        KP_AXIS_PROVIDER2,
        KP_AXIS_SERVICE,
        KP_AXIS_SETTINGS,
};
#define KP_N_AXES 10
const char *kp_axis_name(enum kp_axis axis); /* "provider2" */

/* The axis of that name; false if there is none. */
bool kp_axis_parse(const char *name, enum kp_axis *ret);

/* Facts that are set on top of the profiles, by the name of an axis value. */
struct kp_pilot_setting {
        const char *id;
        struct kp_text title;
        json_t *set; /* "role.fact": value */
};

/* One product of axes. Borrowed from the file, as everything below. */
struct kp_pilot_block {
        json_t *scenarios;       /* names, "*": all */
        json_t *axes[KP_N_AXES]; /* values, "*": all of that kind; NULL: default */
        json_t *note;            /* NULL: none */
};

struct kp_pilot {
        const char *id;
        struct kp_text title;
        const char *defaults[KP_N_AXES];
        struct kp_pilot_setting *settings;
        size_t n_settings;
        struct kp_pilot_block *blocks;
        size_t n_blocks;
        json_t *source; /* NULL: none; strings */
        json_t *note;   /* NULL: none; strings */
        json_t *root;
};

/*
 * Load a pilot file.
 *
 * ret      the caller frees it with kp_pilot_free()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA unknown, missing or mistyped member (place
 *          told), an axis that does not exist, a setting twice
 */
int kp_pilot_load(
        const char *path, struct kp_pilot **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_pilot_free(struct kp_pilot **pilot); /* NULL-safe, leaves NULL */

/* The setting of that id; NULL where the pilot has none, and for "none". */
const struct kp_pilot_setting *kp_pilot_setting_find(
        const struct kp_pilot *pilot, const char *id);

#endif
