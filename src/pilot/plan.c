/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/pilot/cell.h"
#include "keypilot/pilot/judge.h"

#include "plan_internal.h"

#define MAX_CELLS UINT64_C(10000000)

static void
section_done(struct kp_plan_section *section)
{
        for (int i = 0; i < KP_N_AXES; i++)
                free(section->axes[i].names);
}

void
kp_plan_free(struct kp_plan **plan)
{
        if (*plan == NULL)
                return;
        for (size_t i = 0; i < (*plan)->n_sections; i++)
                section_done(&(*plan)->sections[i]);
        for (int i = 0; i < KP_N_AXES; i++)
                json_decref((*plan)->checked[i]);
        free((*plan)->sections);
        json_decref((*plan)->texts);
        free(*plan);
        *plan = NULL;
}

static bool
varies(const struct kp_scenario *scenario, enum kp_axis axis)
{
        const json_t *name;
        size_t i;

        json_array_foreach (scenario->vary, i, name)
                if (strcmp(json_string_value(name), kp_axis_name(axis)) == 0)
                        return true;
        return false;
}

/* The block's values where the scenario varies the axis, else the default. */
static int
section_fill(struct kp_plan *plan, const struct kp_pilot_block *block,
        const struct kp_scenario *scenario, struct kp_plan_section *section,
        struct kp_error *err)
{
        for (int i = 0; i < KP_N_AXES; i++) {
                struct kp_plan_values *values = &section->axes[i];

                if (block->axes[i] != NULL && varies(scenario, i)) {
                        if (kp_plan_values_add(plan, i, block->axes[i], values, err) <
                                0)
                                return -1;
                } else if (kp_plan_value_add(plan, i, plan->pilot->defaults[i], values,
                                   err) < 0) {
                        return -1;
                }
                kp_plan_values_sort(values);
        }
        return 0;
}

/* What a cell would stumble over is found before the first one runs. */
static int
scenario_check(struct kp_plan *plan, const char *name, const struct kp_scenario **ret,
        struct kp_error *err)
{
        if (kp_fixtures_scenario(plan->fixtures, name, ret, err) < 0 ||
                kp_world_check_scenario(*ret, err) < 0 ||
                kp_judge_check_scenario(*ret, err) < 0)
                return -1;
        if (kp_cell_check_set((*ret)->set, err) < 0)
                return KP_WHILE(err, "scenario '%s', member 'set'", (*ret)->id);
        return 0;
}

static int
section_add(struct kp_plan *plan, const struct kp_pilot_block *block, const char *name,
        struct kp_error *err)
{
        struct kp_plan_section *sections =
                realloc(plan->sections, (plan->n_sections + 1) * sizeof(*sections));
        struct kp_plan_section *section;
        const struct kp_scenario *scenario;

        if (sections == NULL)
                return KP_FAIL(err, KP_ENOMEM, "plan");
        plan->sections = sections;
        section = &sections[plan->n_sections];
        memset(section, 0, sizeof(*section));
        if (scenario_check(plan, name, &scenario, err) < 0)
                return -1;
        if ((section->scenario = kp_plan_intern(plan, name)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "plan");
        plan->n_sections++;
        return section_fill(plan, block, scenario, section, err);
}

static int
block_add(
        struct kp_plan *plan, const struct kp_pilot_block *block, struct kp_error *err)
{
        const json_t *name;
        size_t i;

        json_array_foreach (block->scenarios, i, name) {
                KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };

                if (strcmp(json_string_value(name), "*") != 0) {
                        if (section_add(plan, block, json_string_value(name), err) < 0)
                                return -1;
                        continue;
                }
                if (kp_fixtures_list(plan->fixtures, "scenarios", &names, err) < 0)
                        return -1;
                for (size_t j = 0; j < names.n_names; j++)
                        if (section_add(plan, block, names.names[j], err) < 0)
                                return -1;
        }
        return 0;
}

/* What no scenario varies is checked too: a wrong name in a file is wrong. */
static int
check_unused(
        struct kp_plan *plan, const struct kp_pilot_block *block, struct kp_error *err)
{
        for (int i = 0; i < KP_N_AXES; i++) {
                struct kp_plan_values values = { 0 };
                int failed =
                        block->axes[i] != NULL &&
                        kp_plan_values_add(plan, i, block->axes[i], &values, err) < 0;

                free(values.names);
                if (failed)
                        return -1;
        }
        return 0;
}

static int
compare_sections(const void *a, const void *b)
{
        return strcmp(((const struct kp_plan_section *)a)->scenario,
                ((const struct kp_plan_section *)b)->scenario);
}

static int
expand(struct kp_plan *plan, struct kp_error *err)
{
        for (size_t i = 0; i < plan->pilot->n_blocks; i++)
                if (check_unused(plan, &plan->pilot->blocks[i], err) < 0 ||
                        block_add(plan, &plan->pilot->blocks[i], err) < 0)
                        return KP_WHILE(
                                err, "pilot '%s', block %zu", plan->pilot->id, i + 1);
        qsort(plan->sections, plan->n_sections, sizeof(*plan->sections),
                compare_sections);
        return 0;
}

/* ---- --key ---- */

static int
keys_replace(struct kp_plan *plan, const char *key, struct kp_error *err)
{
        plan->real_keys = false;
        for (size_t i = 0; i < plan->n_sections; i++) {
                struct kp_plan_values *keys = &plan->sections[i].axes[KP_AXIS_KEY];

                keys->n_names = 0;
                if (kp_plan_value_add(plan, KP_AXIS_KEY, key, keys, err) < 0)
                        return KP_WHILE(err, "option '--key'");
        }
        return 0;
}

/* ---- --filter ---- */

#define AXIS_SCENARIO (-1)

struct filter {
        int axis; /* enum kp_axis or AXIS_SCENARIO */
        const char *value;
};

static int
filter_read(const char *text, struct filter *ret, struct kp_error *err)
{
        const char *equals = strchr(text, '=');
        char name[24];
        enum kp_axis axis;

        if (equals == NULL || equals[1] == '\0' ||
                (size_t)(equals - text) >= sizeof(name))
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--filter': '%.60s' is not AXIS=VALUE", text);
        memcpy(name, text, (size_t)(equals - text));
        name[equals - text] = '\0';
        ret->value = equals + 1;
        ret->axis = AXIS_SCENARIO;
        if (strcmp(name, "scenario") == 0)
                return 0;
        if (!kp_axis_parse(name, &axis))
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--filter': '%s' is not an axis; axes are scenario, "
                        "client, event, home, hub, key, population, provider, "
                        "provider2, "
                        "service, settings",
                        name);
        ret->axis = (int)axis;
        return 0;
}

/* "sim:" may be left out. */
static bool
filter_meets(const struct filter *filter, const char *value)
{
        if (filter->axis == KP_AXIS_KEY && strncmp(value, "sim:", 4) == 0 &&
                strcmp(value + 4, filter->value) == 0)
                return true;
        return strcmp(value, filter->value) == 0;
}

static bool
filters_pass(
        const struct filter *filters, size_t n_filters, int axis, const char *value)
{
        bool asked = false;

        for (size_t i = 0; i < n_filters; i++) {
                if (filters[i].axis != axis)
                        continue;
                asked = true;
                if (filter_meets(&filters[i], value))
                        return true;
        }
        return !asked;
}

/* Does any section have it at all? A mistyped value must not mean "nothing found". */
static bool
filter_known(
        const struct kp_plan *plan, const struct filter *filter, struct kp_buf *known)
{
        json_auto_t *told = json_object();

        for (size_t i = 0; i < plan->n_sections; i++) {
                const struct kp_plan_section *section = &plan->sections[i];
                const struct kp_plan_values one = { (const char **)&section->scenario,
                        1 };
                const struct kp_plan_values *values =
                        filter->axis == AXIS_SCENARIO ? &one
                                                      : &section->axes[filter->axis];

                for (size_t j = 0; j < values->n_names; j++) {
                        if (filter_meets(filter, values->names[j]))
                                return true;
                        if (json_object_get(told, values->names[j]) != NULL)
                                continue;
                        /* at worst it is told twice */
                        (void)json_object_set_new(told, values->names[j], json_true());
                        kp_buf_printf(known, "%s%s", known->len == 0 ? "" : ", ",
                                values->names[j]);
                }
        }
        return false;
}

static void
values_filter(struct kp_plan_values *values, const struct filter *filters,
        size_t n_filters, int axis)
{
        size_t n = 0;

        for (size_t i = 0; i < values->n_names; i++)
                if (filters_pass(filters, n_filters, axis, values->names[i]))
                        values->names[n++] = values->names[i];
        values->n_names = n;
}

static bool
section_empty(const struct kp_plan_section *section)
{
        for (int i = 0; i < KP_N_AXES; i++)
                if (section->axes[i].n_names == 0)
                        return true;
        return false;
}

static void
sections_filter(struct kp_plan *plan, const struct filter *filters, size_t n_filters)
{
        size_t n = 0;

        for (size_t i = 0; i < plan->n_sections; i++) {
                struct kp_plan_section *section = &plan->sections[i];

                for (int axis = 0; axis < KP_N_AXES; axis++)
                        values_filter(&section->axes[axis], filters, n_filters, axis);
                if (section_empty(section) || !filters_pass(filters, n_filters,
                                                      AXIS_SCENARIO, section->scenario))
                        section_done(section);
                else
                        plan->sections[n++] = *section;
        }
        plan->n_sections = n;
}

static void
free_filters(struct filter **filters)
{
        free(*filters);
}

static int
apply_filters(struct kp_plan *plan, const struct kp_plan_options *options,
        struct kp_error *err)
{
        KP_CLEANUP(free_filters)
        struct filter *filters = calloc(options->n_filters + 1, sizeof(*filters));

        if (filters == NULL)
                return KP_FAIL(err, KP_ENOMEM, "plan");
        for (size_t i = 0; i < options->n_filters; i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf known = { 0 };

                if (filter_read(options->filters[i], &filters[i], err) < 0)
                        return -1;
                if (!filter_known(plan, &filters[i], &known))
                        return KP_FAIL(err, KP_EUSAGE,
                                "option '--filter': the pilot has no %.60s; it has %s",
                                options->filters[i], kp_buf_str(&known));
        }
        sections_filter(plan, filters, options->n_filters);
        if (plan->n_sections == 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--filter': no cell meets all filters together");
        return 0;
}

/* ---- counting and hashing ---- */

static int
check_size(const struct kp_plan *plan, struct kp_error *err)
{
        uint64_t total = 0;

        for (size_t i = 0; i < plan->n_sections; i++) {
                uint64_t n = 1;

                for (int axis = 0; axis < KP_N_AXES && n <= MAX_CELLS; axis++)
                        n *= plan->sections[i].axes[axis].n_names;
                total += n;
                if (n > MAX_CELLS || total > MAX_CELLS)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "pilot '%s': more than %" PRIu64 " cells; name fewer "
                                "values",
                                plan->pilot->id, MAX_CELLS);
        }
        return 0;
}

static int
hash_files(const struct kp_plan *plan, EVP_MD_CTX *ctx, struct kp_error *err)
{
        const char *name;
        json_t *unused;

        json_object_foreach (plan->texts, name, unused) {
                const char *path = strncmp(name, "sim:", 4) == 0 ? name + 4 : name;
                KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

                if (!kp_plan_is_path(path) || strncmp(name, "hid:", 4) == 0)
                        continue;
                if (kp_file_read(path, KP_JSON_MAX, &text, err) < 0)
                        return -1;
                if (EVP_DigestUpdate(ctx, text.data, text.len) != 1)
                        return KP_FAIL(err, KP_ENOMEM, "plan: no SHA-256");
        }
        return 0;
}

static int
hash_settings(const struct kp_plan *plan, EVP_MD_CTX *ctx, struct kp_error *err)
{
        for (size_t i = 0; i < plan->pilot->n_settings; i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

                kp_buf_printf(&text, "%s ", plan->pilot->settings[i].id);
                if (kp_json_write(plan->pilot->settings[i].set, &text, err) < 0)
                        return -1;
                kp_buf_puts(&text, "\n");
                if (EVP_DigestUpdate(ctx, text.data, text.len) != 1)
                        return KP_FAIL(err, KP_ENOMEM, "plan: no SHA-256");
        }
        return 0;
}

/* Counts this shard's cells and hashes everybody's, so that shards know each other. */
static int
count_and_hash(struct kp_plan *plan, EVP_MD_CTX *ctx, struct kp_error *err)
{
        KP_CLEANUP(kp_plan_walk_free) struct kp_plan_walk *walk = NULL;
        struct kp_plan whole = *plan;
        struct kp_plan_cell cell;
        bool more = true;
        uint64_t n = 0;

        whole.shard = whole.n_shards = 1;
        if (kp_plan_walk_new(&whole, &walk, err) < 0)
                return -1;
        while (kp_plan_walk_next(walk, &cell, &more, err) == 0 && more) {
                if (EVP_DigestUpdate(ctx, cell.id, strlen(cell.id)) != 1 ||
                        EVP_DigestUpdate(ctx, "\n", 1) != 1)
                        return KP_FAIL(err, KP_ENOMEM, "plan: no SHA-256");
                n++;
        }
        if (more)
                return -1;
        plan->n_cells = (n + plan->n_shards - plan->shard) / plan->n_shards;
        return 0;
}

static int
plan_hash(struct kp_plan *plan, struct kp_error *err)
{
        KP_CLEANUP(kp_free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        uint8_t digest[32];

        if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "plan: no SHA-256");
        if (count_and_hash(plan, ctx, err) < 0 || hash_settings(plan, ctx, err) < 0 ||
                hash_files(plan, ctx, err) < 0)
                return -1;
        if (EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "plan: no SHA-256");
        for (size_t i = 0; i < sizeof(digest); i++)
                (void)snprintf(plan->hash + 2 * i, 3, "%02x", digest[i]);
        return 0;
}

static int
build(struct kp_plan *plan, const struct kp_plan_options *options, struct kp_error *err)
{
        if (kp_plan_check_settings(plan->pilot, err) < 0)
                return KP_WHILE(err, "pilot '%s'", plan->pilot->id);
        if (expand(plan, err) < 0)
                return -1;
        if (options->key != NULL && keys_replace(plan, options->key, err) < 0)
                return -1;
        if (apply_filters(plan, options, err) < 0 || check_size(plan, err) < 0)
                return -1;
        return plan_hash(plan, err);
}

int
kp_plan_new(struct kp_fixtures *fixtures, const struct kp_pilot *pilot,
        const struct kp_plan_options *options, struct kp_plan **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_plan_free) struct kp_plan *plan = calloc(1, sizeof(*plan));

        if (plan == NULL || (plan->texts = json_object()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "plan");
        for (int i = 0; i < KP_N_AXES; i++)
                if ((plan->checked[i] = json_object()) == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "plan");
        plan->fixtures = fixtures;
        plan->pilot = pilot;
        plan->shard = options->n_shards == 0 ? 1 : options->shard;
        plan->n_shards = options->n_shards == 0 ? 1 : options->n_shards;
        (void)snprintf(plan->shard_text, sizeof(plan->shard_text), "%u/%u", plan->shard,
                plan->n_shards);
        if (build(plan, options, err) < 0)
                return -1;
        *ret = KP_STEAL(plan);
        return 0;
}

uint64_t
kp_plan_n_cells(const struct kp_plan *plan)
{
        return plan->n_cells;
}

const char *
kp_plan_shard(const struct kp_plan *plan)
{
        return plan->shard_text;
}

const struct kp_pilot *
kp_plan_pilot(const struct kp_plan *plan)
{
        return plan->pilot;
}

struct kp_fixtures *
kp_plan_fixtures(const struct kp_plan *plan)
{
        return plan->fixtures;
}

const char *
kp_plan_hash(const struct kp_plan *plan)
{
        return plan->hash;
}

const char *
kp_plan_evidence(const struct kp_plan *plan)
{
        return plan->real_keys ? "lab" : "simulated";
}
