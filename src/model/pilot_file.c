/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/pilot_file.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BLOCKS 256
#define MAX_SETTINGS 256
#define MAX_VALUES 1024
#define MAX_NAME 400 /* characters of one value: a path may be one */

static const char *const axis_names[KP_N_AXES] = { "client", "event", "home", "hub",
        "key", "population", "provider", "provider2", "service", "settings" };

const char *
kp_axis_name(enum kp_axis axis)
{
        return axis_names[axis];
}

bool
kp_axis_parse(const char *name, enum kp_axis *ret)
{
        for (int i = 0; i < KP_N_AXES; i++)
                if (strcmp(axis_names[i], name) == 0) {
                        *ret = (enum kp_axis)i;
                        return true;
                }
        return false;
}

struct file {
        json_t *defaults;
        json_t *settings;
        json_t *matrix;
        struct kp_pilot pilot;
};
#define PILOT(member) offsetof(struct file, pilot) + offsetof(struct kp_pilot, member)
static const struct kp_field file_fields[] = {
        { "id", KP_STRING, true, PILOT(id) },
        { "title", KP_TEXT, true, PILOT(title) },
        { "defaults", KP_OBJECT, true, offsetof(struct file, defaults) },
        { "settings", KP_ARRAY, false, offsetof(struct file, settings) },
        { "matrix", KP_ARRAY, true, offsetof(struct file, matrix) },
        { "source", KP_STRINGS, false, PILOT(source) },
        { "note", KP_STRINGS, false, PILOT(note) },
};

static const struct kp_field setting_fields[] = {
        { "id", KP_STRING, true, offsetof(struct kp_pilot_setting, id) },
        { "title", KP_TEXT, true, offsetof(struct kp_pilot_setting, title) },
        { "set", KP_OBJECT, true, offsetof(struct kp_pilot_setting, set) },
};

struct block_file {
        json_t *scenarios;
        json_t *axes;
        json_t *note;
};
static const struct kp_field block_fields[] = {
        { "scenarios", KP_STRINGS, true, offsetof(struct block_file, scenarios) },
        { "axes", KP_OBJECT, true, offsetof(struct block_file, axes) },
        { "note", KP_STRINGS, false, offsetof(struct block_file, note) },
};

static int
value_check(const char *value, struct kp_error *err)
{
        if (value == NULL || *value == '\0' || strlen(value) > MAX_NAME)
                return KP_FAIL(err, KP_ESCHEMA, "expected a name of 1 to %d characters",
                        MAX_NAME);
        return 0;
}

static int
values_check(const json_t *values, struct kp_error *err)
{
        const json_t *value;
        size_t i;

        if (json_array_size(values) < 1 || json_array_size(values) > MAX_VALUES)
                return KP_FAIL(err, KP_ESCHEMA, "expected a list of 1 to %d names",
                        MAX_VALUES);
        json_array_foreach (values, i, value)
                if (value_check(json_string_value(value), err) < 0)
                        return KP_WHILE(err, "item %zu", i + 1);
        return 0;
}

static int
fail_axis(const char *name, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf known = { 0 };

        for (int i = 0; i < KP_N_AXES; i++)
                kp_buf_printf(&known, "%s%s", i == 0 ? "" : ", ", axis_names[i]);
        return KP_FAIL(err, KP_ESCHEMA, "'%.40s' is not an axis; axes are %s", name,
                kp_buf_str(&known));
}

static int
defaults_read(json_t *object, const char *ret[KP_N_AXES], struct kp_error *err)
{
        enum kp_axis axis;
        const char *name;
        json_t *value;

        json_object_foreach (object, name, value) {
                if (!kp_axis_parse(name, &axis))
                        return fail_axis(name, err);
                if (value_check(json_string_value(value), err) < 0)
                        return KP_WHILE(err, "'%s'", name);
                ret[axis] = json_string_value(value);
        }
        for (int i = 0; i < KP_N_AXES; i++)
                if (ret[i] == NULL)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "axis '%s' is missing: expected a name, \"none\" where "
                                "there is none",
                                axis_names[i]);
        return 0;
}

static int
setting_read(json_t *object, struct kp_pilot *pilot, struct kp_error *err)
{
        struct kp_pilot_setting *setting = &pilot->settings[pilot->n_settings];

        if (kp_json_read(object, setting_fields, KP_NELEMS(setting_fields), setting,
                    err) < 0 ||
                value_check(setting->id, err) < 0)
                return -1;
        if (strcmp(setting->id, "none") == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "'id': \"none\" means that nothing is set; choose another "
                        "name");
        if (kp_pilot_setting_find(pilot, setting->id) != NULL)
                return KP_FAIL(err, KP_ESCHEMA, "'%.60s' is there twice", setting->id);
        pilot->n_settings++;
        return 0;
}

static int
settings_read(json_t *array, struct kp_pilot *pilot, struct kp_error *err)
{
        json_t *object;
        size_t i;

        if (json_array_size(array) > MAX_SETTINGS)
                return KP_FAIL(err, KP_ESCHEMA, "expected at most %d", MAX_SETTINGS);
        pilot->settings = calloc(json_array_size(array) + 1, sizeof(*pilot->settings));
        if (pilot->settings == NULL)
                return KP_FAIL(err, KP_ENOMEM, "settings");
        json_array_foreach (array, i, object)
                if (setting_read(object, pilot, err) < 0)
                        return KP_WHILE(err, "item %zu", i + 1);
        return 0;
}

static int
block_axes_read(json_t *object, struct kp_pilot_block *block, struct kp_error *err)
{
        enum kp_axis axis;
        const char *name;
        json_t *values;

        json_object_foreach (object, name, values) {
                if (!kp_axis_parse(name, &axis))
                        return fail_axis(name, err);
                if (values_check(values, err) < 0)
                        return KP_WHILE(err, "'%s'", name);
                block->axes[axis] = values;
        }
        return 0;
}

static int
block_read(json_t *object, struct kp_pilot_block *block, struct kp_error *err)
{
        struct block_file file = { 0 };

        if (kp_json_read(object, block_fields, KP_NELEMS(block_fields), &file, err) < 0)
                return -1;
        if (values_check(file.scenarios, err) < 0)
                return KP_WHILE(err, "'scenarios'");
        block->scenarios = file.scenarios;
        block->note = file.note;
        if (block_axes_read(file.axes, block, err) < 0)
                return KP_WHILE(err, "'axes'");
        return 0;
}

static int
matrix_read(json_t *array, struct kp_pilot *pilot, struct kp_error *err)
{
        json_t *object;
        size_t i;

        if (json_array_size(array) < 1 || json_array_size(array) > MAX_BLOCKS)
                return KP_FAIL(err, KP_ESCHEMA, "expected 1 to %d blocks", MAX_BLOCKS);
        pilot->blocks = calloc(json_array_size(array), sizeof(*pilot->blocks));
        if (pilot->blocks == NULL)
                return KP_FAIL(err, KP_ENOMEM, "matrix");
        json_array_foreach (array, i, object)
                if (block_read(object, &pilot->blocks[pilot->n_blocks++], err) < 0)
                        return KP_WHILE(err, "block %zu", i + 1);
        return 0;
}

static int
pilot_read(struct kp_pilot *pilot, struct kp_error *err)
{
        struct file file = { .pilot = *pilot };

        if (kp_json_read(pilot->root, file_fields, KP_NELEMS(file_fields), &file, err) <
                0)
                return -1;
        *pilot = file.pilot;
        if (value_check(pilot->id, err) < 0)
                return KP_WHILE(err, "member 'id'");
        if (defaults_read(file.defaults, pilot->defaults, err) < 0)
                return KP_WHILE(err, "member 'defaults'");
        if (settings_read(file.settings, pilot, err) < 0)
                return KP_WHILE(err, "member 'settings'");
        if (matrix_read(file.matrix, pilot, err) < 0)
                return KP_WHILE(err, "member 'matrix'");
        return 0;
}

int
kp_pilot_load(const char *path, struct kp_pilot **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_pilot_free) struct kp_pilot *pilot = calloc(1, sizeof(*pilot));

        if (pilot == NULL)
                return KP_FAIL(err, KP_ENOMEM, "pilot");
        if (kp_json_load(path, KP_JSON_MAX, &pilot->root, err) < 0)
                return -1;
        if (pilot_read(pilot, err) < 0)
                return KP_WHILE(err, "%s", path);
        *ret = KP_STEAL(pilot);
        return 0;
}

void
kp_pilot_free(struct kp_pilot **pilot)
{
        if (*pilot == NULL)
                return;
        json_decref((*pilot)->root);
        free((*pilot)->settings);
        free((*pilot)->blocks);
        free(*pilot);
        *pilot = NULL;
}

const struct kp_pilot_setting *
kp_pilot_setting_find(const struct kp_pilot *pilot, const char *id)
{
        for (size_t i = 0; i < pilot->n_settings; i++)
                if (strcmp(pilot->settings[i].id, id) == 0)
                        return &pilot->settings[i];
        return NULL;
}
