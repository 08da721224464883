/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/pilot/cell.h"

/*
 * Failure modes and flipped facts, each a pair of cells that are one change apart. The
 * expectations are data beside this file; the verdicts come out of real messages.
 */

static struct kp_fixtures *
fixtures_open(void)
{
        struct kp_fixtures *fixtures = NULL;
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err) == 0,
                "%s", kp_error_format(&err, text, sizeof(text)));
        return fixtures;
}

static json_t *
pairs_load(const char *name)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/tests/pilot/%s", getenv("KEYPILOT_SOURCE"), name);
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];
        json_t *root = NULL;

        cr_assert(kp_json_load(path, KP_JSON_MAX, &root, &err) == 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
        return root;
}

/* `base` with the members of `change` on top. */
static json_t *
merged(const json_t *base, const json_t *change)
{
        json_t *result = base == NULL ? json_object() : json_deep_copy(base);

        if (change != NULL)
                (void)json_object_update(result, (json_t *)change);
        return result;
}

static bool
event_has(const json_t *event, const json_t *wanted)
{
        const char *name;
        json_t *value;

        json_object_foreach ((json_t *)wanted, name, value)
                if (!json_equal(json_object_get(event, name), value))
                        return false;
        return true;
}

static bool
trace_shows(const json_t *trace, const json_t *wanted)
{
        const json_t *event;
        size_t i;

        json_array_foreach (trace, i, event)
                if (event_has(event, wanted))
                        return true;
        return false;
}

/* What a reader needs to see why: decisions and outcomes, not traffic. */
static void
trace_print(const json_t *trace)
{
        static const char *const quiet[] = { "fact", "http", "cookie.stored", "ctap",
                "ctap.touch", "prompt" };
        const json_t *event;
        size_t i;

        json_array_foreach (trace, i, event) {
                const char *name = kp_json_str(event, "event", "");
                bool skip = false;

                for (size_t j = 0; j < KP_NELEMS(quiet); j++)
                        skip = skip || strcmp(quiet[j], name) == 0;
                if (!skip) {
                        KP_CLEANUP(kp_free_str)
                        char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);

                        fprintf(stderr, "    %s\n", text);
                }
        }
}

struct expectation {
        const char *id, *verdict, *invariant; /* invariant NULL: not asked */
        const json_t *shows;                  /* events that must be there; NULL */
};

/* Run one cell; returns the number of things that are not as expected. */
static unsigned
cell_check(struct kp_fixtures *fixtures, const char *scenario, const json_t *axes,
        const json_t *set, const struct expectation *expect)
{
        KP_CLEANUP(kp_cell_result_done) struct kp_cell_result result = { 0 };
        const struct kp_cell_input input = {
                .fixtures = fixtures,
                .scenario = scenario,
                .axes = axes,
                .set = set,
                .seed = "modes",
                .id = expect->id,
        };
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];
        const json_t *event;
        unsigned wrong = 0;
        size_t i;

        if (kp_cell_run(&input, &result, &err) < 0) {
                fprintf(stderr, "%s: %s\n", expect->id,
                        kp_error_format(&err, text, sizeof(text)));
                return 1;
        }
        if (strcmp(kp_verdict_name(result.verdict), expect->verdict) != 0 ||
                (expect->invariant != NULL &&
                        strcmp(result.invariant, expect->invariant) != 0)) {
                fprintf(stderr, "%s: expected %s (%s), got %s (%s) %s\n", expect->id,
                        expect->verdict,
                        expect->invariant == NULL ? "" : expect->invariant,
                        kp_verdict_name(result.verdict), result.invariant, result.why);
                wrong++;
        }
        json_array_foreach (expect->shows, i, event)
                if (!trace_shows(result.trace, event)) {
                        KP_CLEANUP(kp_free_str) char *wanted = json_dumps(event, 0);

                        fprintf(stderr, "%s: the trace does not show %s\n", expect->id,
                                wanted);
                        wrong++;
                }
        if (wrong > 0)
                trace_print(result.trace);
        return wrong;
}

static unsigned
pair_check(struct kp_fixtures *fixtures, const json_t *axes, const json_t *mode)
{
        const json_t *neighbour = json_object_get(mode, "neighbour");
        KP_CLEANUP(kp_json_free)
        json_t *own_axes = merged(axes, json_object_get(mode, "axes"));
        KP_CLEANUP(kp_json_free)
        json_t *next_axes = merged(own_axes, json_object_get(neighbour, "axes"));
        KP_CLEANUP(kp_json_free)
        json_t *next_set =
                merged(json_object_get(mode, "set"), json_object_get(neighbour, "set"));
        const char *scenario = kp_json_str(mode, "scenario", "");
        const struct expectation own = {
                .id = kp_json_str(mode, "id", ""),
                .verdict = kp_json_str(mode, "verdict", ""),
                .invariant = kp_json_str(mode, "invariant", NULL),
                .shows = json_object_get(mode, "shows"),
        };
        const struct expectation next = {
                .id = own.id,
                .verdict = kp_json_str(neighbour, "verdict", ""),
                .invariant = kp_json_str(neighbour, "invariant", NULL),
        };

        return cell_check(fixtures, scenario, own_axes, json_object_get(mode, "set"),
                       &own) +
               cell_check(fixtures, scenario, next_axes, next_set, &next);
}

static unsigned
pairs_check(const char *name, size_t at_least)
{
        struct kp_fixtures *fixtures = fixtures_open();
        KP_CLEANUP(kp_json_free) json_t *root = pairs_load(name);
        const json_t *modes = json_object_get(root, "modes"), *mode;
        unsigned wrong = 0;
        size_t i;

        cr_assert_geq(json_array_size(modes), at_least);
        json_array_foreach (modes, i, mode)
                wrong += pair_check(fixtures, json_object_get(root, "axes"), mode);
        kp_fixtures_free(&fixtures);
        kp_cell_cache_clear();
        return wrong;
}

Test(modes, each_failure_mode_fails_by_its_mechanism_and_its_neighbour_works)
{
        cr_assert_eq(pairs_check("modes.json", 18), 0);
}

Test(modes, verdicts_follow_facts_that_are_flipped)
{
        cr_assert_eq(pairs_check("flips.json", 20), 0);
}

/* A pair must differ in one thing, or it would show nothing. */
static void
one_change(const char *name)
{
        KP_CLEANUP(kp_json_free) json_t *root = pairs_load(name);
        const json_t *mode;
        size_t i;

        json_array_foreach (json_object_get(root, "modes"), i, mode) {
                const json_t *neighbour = json_object_get(mode, "neighbour");
                size_t n = json_object_size(json_object_get(neighbour, "axes")) +
                           json_object_size(json_object_get(neighbour, "set"));

                cr_expect(n == 1, "%s: %zu changes", kp_json_str(mode, "id", ""), n);
        }
}

Test(modes, neighbours_are_one_change_away)
{
        one_change("modes.json");
        one_change("flips.json");
}

/* Profiles are data: no line of the actors' or the judge's code knows one by name. */
Test(modes, no_scenario_and_no_actor_names_a_profile)
{
        static const char *const kinds[] = { "services", "providers", "hubs",
                "populations", "authenticators" };
        struct kp_fixtures *fixtures = fixtures_open();
        struct kp_names scenarios = { 0 };
        struct kp_error err = { 0 };

        cr_assert(kp_fixtures_list(fixtures, "scenarios", &scenarios, &err) == 0);
        cr_assert_geq(scenarios.n_names, 18);
        for (size_t k = 0; k < KP_NELEMS(kinds); k++) {
                struct kp_names ids = { 0 };

                cr_assert(kp_fixtures_list(fixtures, kinds[k], &ids, &err) == 0);
                for (size_t i = 0; i < scenarios.n_names; i++) {
                        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
                        KP_CLEANUP(kp_free_str)
                        char *path = kp_format("%s/scenarios/%s.json",
                                kp_fixtures_dir(fixtures), scenarios.names[i]);

                        cr_assert(kp_file_read(path, KP_JSON_MAX, &text, &err) == 0);
                        for (size_t j = 0; j < ids.n_names; j++) {
                                KP_CLEANUP(kp_free_str)
                                char *quoted = kp_format("\"%s\"", ids.names[j]);

                                cr_expect(strstr(kp_buf_str(&text), quoted) == NULL,
                                        "scenario %s names %s", scenarios.names[i],
                                        ids.names[j]);
                        }
                }
                kp_names_done(&ids);
        }
        kp_names_done(&scenarios);
        kp_fixtures_free(&fixtures);
}
