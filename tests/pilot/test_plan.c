/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/outcome.h"

#include "made.h"

static char *
ids(const struct kp_plan *plan, uint64_t *ret_n)
{
        KP_CLEANUP(kp_plan_walk_free) struct kp_plan_walk *walk = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_plan_cell cell;
        struct kp_error err = { 0 };
        bool more = true;

        *ret_n = 0;
        ok(kp_plan_walk_new(plan, &walk, &err), &err);
        for (;;) {
                ok(kp_plan_walk_next(walk, &cell, &more, &err), &err);
                if (!more)
                        return strdup(kp_buf_str(&text));
                cr_assert_eq(cell.index, (*ret_n)++);
                kp_buf_printf(&text, "%s\n", cell.id);
        }
}

Test(plan, every_cell_comes_once_in_order_of_id)
{
        KP_CLEANUP(kp_plan_walk_free) struct kp_plan_walk *walk = NULL;
        struct kp_plan_cell cell;
        struct kp_error err = { 0 };
        char before[512] = "";
        struct made made;
        bool more = true;
        int n = 0;

        made_begin(&made, false);
        ok(kp_plan_walk_new(made.plan, &walk, &err), &err);
        for (;; n++) {
                json_auto_t *axes = NULL;
                KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

                ok(kp_plan_walk_next(walk, &cell, &more, &err), &err);
                if (!more)
                        break;
                cr_expect(strcmp(before, cell.id) < 0, "%s\n%s", before, cell.id);
                strcpy(before, cell.id);
                axes = kp_plan_cell_axes(&cell);
                ok(kp_outcome_id(cell.scenario, axes, NULL, &id, &err), &err);
                cr_expect_str_eq(kp_buf_str(&id), cell.id);
                cr_expect_eq(json_object_size(axes), KP_N_AXES);
        }
        cr_expect_eq(n, MADE_CELLS);
        cr_expect_eq(kp_plan_n_cells(made.plan), MADE_CELLS);
        kp_plan_walk_free(&walk);
        made_end(&made);
}

Test(plan, an_axis_that_the_scenario_does_not_vary_has_the_default)
{
        KP_CLEANUP(kp_free_str) char *text = NULL;
        struct made made;
        uint64_t n;

        made_begin(&made, false);
        text = ids(made.plan, &n);
        cr_expect_not_null(
                strstr(text, "stand client=browser-a event=none home=service hub=none "
                             "key=sim:yubikey-5-57 population=teachers provider=idp-a "
                             "provider2=none "
                             "service=school settings=none\nwalk client=browser-a"));
        cr_expect_null(strstr(text, "walk-far client=browser-b"));
        cr_expect_not_null(strstr(text, "settings=all"));
        made_end(&made);
}

Test(plan, blocks_that_overlap_give_a_cell_once)
{
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        ok(made_plan(&made,
                   MADE_HEAD MADE_DEFAULTS
                   ", \"matrix\": ["
                   "{\"scenarios\": [\"walk\", \"walk\"], \"axes\": {\"client\": "
                   "[\"*\"]}},"
                   "{\"scenarios\": [\"walk\"], \"axes\": {\"key\": [\"*\", \"*\"]}},"
                   "{\"scenarios\": [\"stand\", \"walk\"], \"axes\": {}}]}",
                   NULL, &err),
                &err);
        cr_expect_eq(kp_plan_n_cells(made.plan), 2 + 2 - 1 + 1);
        made_end(&made);
}

Test(plan, shards_share_the_cells_out_and_know_each_other)
{
        struct kp_error err = { 0 };
        char whole[65];
        struct made made;
        uint64_t total = 0;

        made_begin(&made, false);
        strcpy(whole, kp_plan_hash(made.plan));
        for (unsigned i = 1; i <= 5; i++) {
                struct kp_plan_options options = { .shard = i, .n_shards = 5 };
                KP_CLEANUP(kp_free_str) char *text = NULL;
                uint64_t n;

                ok(made_plan(&made, MADE_PILOT, &options, &err), &err);
                text = ids(made.plan, &n);
                cr_expect_eq(n, kp_plan_n_cells(made.plan));
                cr_expect_str_eq(kp_plan_hash(made.plan), whole);
                total += n;
        }
        cr_expect_eq(total, MADE_CELLS);
        made_end(&made);
}

Test(plan, filters_narrow_it)
{
        static const struct {
                const char *filters[3];
                size_t n_filters;
                uint64_t n_cells;
        } cases[] = {
                { { "scenario=walk" }, 1, 8 },
                { { "scenario=walk", "client=browser-b" }, 2, 4 },
                { { "scenario=walk", "key=yubikey-4-u2f" }, 2, 4 },
                { { "scenario=walk", "key=sim:yubikey-4-u2f", "key=yubikey-5-57" }, 3,
                        8 },
                { { "provider=idp-b" }, 1, 4 },
                { { "settings=all", "provider=idp-a" }, 2, 2 },
        };
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_plan_options options = { .filters = cases[i].filters,
                        .n_filters = cases[i].n_filters,
                        .shard = 1,
                        .n_shards = 1 };

                ok(made_plan(&made, MADE_PILOT, &options, &err), &err);
                cr_expect_eq(kp_plan_n_cells(made.plan), cases[i].n_cells, "%zu: %lu",
                        i, (unsigned long)kp_plan_n_cells(made.plan));
        }
        made_end(&made);
}

Test(plan, a_filter_that_leaves_nothing_is_told)
{
        static const struct {
                const char *filters[2];
                size_t n_filters;
                const char *says;
        } cases[] = {
                { { "colour=red" }, 1, "'colour' is not an axis" },
                { { "client" }, 1, "'client' is not AXIS=VALUE" },
                { { "client=" }, 1, "is not AXIS=VALUE" },
                { { "client=lynx" }, 1,
                        "the pilot has no client=lynx; it has browser-a" },
                { { "scenario=walk", "provider=idp-b" }, 2,
                        "no cell meets all filters" },
        };
        struct made made;

        made_begin(&made, false);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_plan_options options = { .filters = cases[i].filters,
                        .n_filters = cases[i].n_filters,
                        .shard = 1,
                        .n_shards = 1 };
                struct kp_error err = { 0 };

                cr_assert_eq(made_plan(&made, MADE_PILOT, &options, &err), -1);
                cr_expect_eq(err.code, KP_EUSAGE);
                cr_expect(says(&err, cases[i].says));
        }
        made_end(&made);
}

Test(plan, one_key_can_take_the_place_of_all)
{
        struct kp_plan_options options = {
                .key = "hid:/dev/hidraw9", .shard = 1, .n_shards = 1
        };
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        cr_expect_str_eq(kp_plan_evidence(made.plan), "simulated");
        ok(made_plan(&made, MADE_PILOT, &options, &err), &err);
        cr_expect_eq(kp_plan_n_cells(made.plan), 4 + 4 + 1);
        cr_expect_str_eq(kp_plan_evidence(made.plan), "lab");
        options.key = "sim:nope";
        cr_expect_eq(made_plan(&made, MADE_PILOT, &options, &err), -1);
        cr_expect(says(&err, "no 'nope'"));
        made_end(&made);
}

Test(plan, names_that_do_not_exist_are_refused_with_the_nearest)
{
        static const struct {
                const char *matrix, *says;
                enum kp_code code;
        } cases[] = {
                { "{\"scenarios\": [\"wolk\"], \"axes\": {}}", "did you mean 'walk'",
                        KP_ENOTFOUND },
                { "{\"scenarios\": [\"walk\"], \"axes\": {\"client\": "
                  "[\"browser-c\"]}}",
                        "did you mean 'browser-", KP_ENOTFOUND },
                { "{\"scenarios\": [\"stand\"], \"axes\": {\"client\": "
                  "[\"browser-c\"]}}",
                        "axis 'client'", KP_ENOTFOUND },
                { "{\"scenarios\": [\"walk\"], \"axes\": {\"key\": "
                  "[\"yubikey-5-57\"]}}",
                        "expected sim:PROFILE or hid:PATH", KP_ESCHEMA },
                { "{\"scenarios\": [\"walk\"], \"axes\": {\"key\": "
                  "[\"sim:yubikey-6\"]}}",
                        "did you mean 'yubikey-", KP_ENOTFOUND },
                { "{\"scenarios\": [\"walk\"], \"axes\": {\"home\": [\"cloud\"]}}",
                        "'cloud' is not one of: both hub none", KP_ESCHEMA },
                { "{\"scenarios\": [\"walk\"], \"axes\": {\"settings\": [\"hard\"]}}",
                        "no settings 'hard'; it has: none, all", KP_ESCHEMA },
                { "{\"scenarios\": [\"walk\"], \"axes\": {\"home\": [\"*\"]}}",
                        "\"*\" does not stand for anything here", KP_ESCHEMA },
                { "{\"scenarios\": [\"walk\"], \"axes\": {\"client\": [\"none\"]}}",
                        "axis 'client'", KP_ENOTFOUND },
        };
        struct made made;

        made_begin(&made, false);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_free_str)
                char *pilot = kp_format("%s%s, %s\"matrix\": [%s]}", MADE_HEAD,
                        MADE_DEFAULTS, MADE_SETTINGS, cases[i].matrix);
                struct kp_error err = { 0 };

                cr_assert_eq(
                        made_plan(&made, pilot, NULL, &err), -1, "%s", cases[i].matrix);
                cr_expect_eq(err.code, cases[i].code, "%s: %d", cases[i].matrix,
                        (int)err.code);
                cr_expect(says(&err, cases[i].says));
                cr_expect(says(&err, "pilot 'made', block 1"));
        }
        made_end(&made);
}

Test(plan, settings_set_facts_that_exist_to_values_that_they_may_have)
{
        static const struct {
                const char *set, *says;
        } cases[] = {
                { "\"service.hrt\": \"all\"", "hrt" },
                { "\"service.hrd\": \"sometimes\"", "hrd" },
                { "\"service.hrd\": 3", "hrd" },
                { "\"hrd\": \"all\"", "roles are client" },
                { "\"person.hrd\": \"all\"", "roles are client" },
        };
        struct made made;

        made_begin(&made, false);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_free_str)
                char *pilot =
                        kp_format("%s%s, \"settings\": [{\"id\": \"s\", \"title\": "
                                  "{\"en\": \"\", \"nl\": \"\"}, \"set\": {%s}}], "
                                  "\"matrix\": [{\"scenarios\": [\"walk\"], "
                                  "\"axes\": {}}]}",
                                MADE_HEAD, MADE_DEFAULTS, cases[i].set);
                struct kp_error err = { 0 };

                cr_assert_eq(
                        made_plan(&made, pilot, NULL, &err), -1, "%s", cases[i].set);
                cr_expect_eq(err.code, KP_ESCHEMA);
                cr_expect(says(&err, cases[i].says));
                cr_expect(says(&err, "settings 's'"));
        }
        made_end(&made);
}

Test(plan, the_order_of_files_on_disk_does_not_show)
{
        KP_CLEANUP(kp_free_str) char *forth = NULL;
        KP_CLEANUP(kp_free_str) char *back = NULL;
        struct made a, b;
        uint64_t n;

        made_begin(&a, false);
        made_begin(&b, true);
        forth = ids(a.plan, &n);
        back = ids(b.plan, &n);
        cr_expect_str_eq(forth, back);
        cr_expect_str_eq(kp_plan_hash(a.plan), kp_plan_hash(b.plan));
        made_end(&a);
        made_end(&b);
}

Test(plan, what_settings_set_is_part_of_its_hash)
{
        KP_CLEANUP(kp_free_str) char *other = strdup(MADE_PILOT);
        struct kp_error err = { 0 };
        char hash[65];
        struct made made;

        made_begin(&made, false);
        strcpy(hash, kp_plan_hash(made.plan));
        memcpy(strstr(other, "\"service.hrd\": \"all\""), "\"service.hrd\":\"none\"",
                20);
        ok(made_plan(&made, other, NULL, &err), &err);
        cr_expect_str_neq(kp_plan_hash(made.plan), hash);
        made_end(&made);
}

/* A scenario that varies much: 256 x 2 x 2 x 2 x 5 x 7 cells for each client. */
static int
large_plan(struct made *made, int n_clients, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf pilot = { 0 };

        made_scenario(made->dir, "far",
                "\"event\", \"key\", \"client\", \"home\", \"provider\", "
                "\"population\", \"settings\"");
        kp_buf_puts(&pilot, MADE_HEAD MADE_DEFAULTS ", \"settings\": [");
        for (int i = 0; i < 255; i++)
                kp_buf_printf(&pilot,
                        "%s{\"id\": \"s%d\", \"title\": {\"en\": \"\", \"nl\": "
                        "\"\"}, \"set\": {}}",
                        i == 0 ? "" : ",", i);
        kp_buf_puts(&pilot,
                "], \"matrix\": [{\"scenarios\": [\"far\"], \"axes\": {"
                "\"client\": [\"*\"], \"key\": [\"*\"], \"settings\": [\"*\"], "
                "\"provider\": [\"*\"], \"population\": [\"*\"], \"home\": "
                "[\"service\", \"provider\", \"both\", \"hub\", \"none\"], "
                "\"event\": [\"none\", \"blocked\", \"deleted\", \"renamed\", "
                "\"upn-case\", \"migrate\", \"to-eip\"]}}]}");
        for (int i = 2; i < n_clients; i++) {
                char id[16];

                snprintf(id, sizeof(id), "c%d", i);
                made_profile(made->dir, KP_KIND_CLIENT, kp_facts_client, id);
        }
        return made_plan(made, kp_buf_str(&pilot), NULL, err);
}

Test(plan, many_cells_are_counted_and_more_than_anybody_can_run_are_refused)
{
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        ok(large_plan(&made, 2, &err), &err);
        cr_expect_eq(kp_plan_n_cells(made.plan), 2 * 256 * 8 * 5 * 7);
        cr_assert_eq(large_plan(&made, 150, &err), -1);
        cr_expect(says(&err, "more than 10000000 cells"));
        made_end(&made);
}
