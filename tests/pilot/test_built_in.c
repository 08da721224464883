/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/pilot/run.h"

/*
 * The built-in pilot and the one of broken keys, run for real: every rule has something
 * to explain in them, and nothing in them stays unexplained. No verdict is expected of any cell here: that is
 * what baselines are for.
 */
static void
ok(int status, const struct kp_error *err)
{
        char why[4096];

        cr_assert_eq(status, 0, "%s", kp_error_format(err, why, sizeof(why)));
}

struct found {
        json_t *causes; /* cause: an id */
        json_t *verdicts;
        uint64_t n, n_unexplained;
};

static int
find(void *self, const struct kp_log_entry *entry, struct kp_error *err)
{
        struct found *found = self;

        (void)err;
        found->n++;
        json_object_set_new(found->verdicts, kp_verdict_name(entry->verdict),
                json_string(entry->id));
        if (entry->cause == NULL)
                return 0;
        json_object_set_new(found->causes, entry->cause, json_string(entry->id));
        if (strcmp(entry->cause, KP_CAUSE_UNEXPLAINED) == 0 &&
                found->n_unexplained++ < 10)
                fprintf(stderr, "unexplained: %s\n", entry->id);
        return 0;
}

static void
tell_fault(void *self, const char *cell, const char *what)
{
        (void)self;
        fprintf(stderr, "fault: %s: %s\n", cell, what);
}

static uint64_t
count_traces(const char *log, uint64_t *ret_bytes)
{
        KP_CLEANUP(kp_log_reader_free) struct kp_log_reader *reader = NULL;
        json_auto_t *traces = json_object();
        struct kp_error err = { 0 };

        *ret_bytes = 0;
        ok(kp_log_reader_open(log, &reader, &err), &err);
        for (;;) {
                KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
                json_auto_t *line = NULL;

                ok(kp_log_reader_next(reader, &line, &err), &err);
                if (line == NULL)
                        break;
                if (json_object_get(line, "trace") == NULL)
                        continue;
                ok(kp_json_write(json_object_get(line, "trace"), &text, &err), &err);
                *ret_bytes += text.len;
                json_object_set_new(traces, kp_buf_str(&text), json_true());
        }
        cr_expect_not(kp_log_reader_torn(reader));
        return json_object_size(traces);
}

/* Run a pilot with its log in `dir`; counts the different traces, removes the log. */
static uint64_t
run_pilot(struct kp_fixtures *fixtures, const char *name, const char *dir,
        struct found *found)
{
        KP_CLEANUP(kp_pilot_free) struct kp_pilot *pilot = NULL;
        KP_CLEANUP(kp_rules_free) struct kp_rules *rules = NULL;
        KP_CLEANUP(kp_plan_free) struct kp_plan *plan = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_free_str) char *out = kp_format("%s/%s", dir, name);
        KP_CLEANUP(kp_free_str) char *log = kp_format("%s/outcomes.jsonl", out);
        struct kp_plan_options all = { .shard = 1, .n_shards = 1 };
        struct kp_run_options options = { .tool = "keypilot test",
                .seed = "built-in",
                .cell = kp_cell_run,
                .watch = { found, find },
                .fault = tell_fault };
        struct kp_run_result result;
        struct kp_error err = { 0 };
        uint64_t n = found->n, n_bytes, n_traces;

        ok(kp_fixtures_path(fixtures, "pilots", name, &path, &err), &err);
        ok(kp_pilot_load(path, &pilot, &err), &err);
        ok(kp_rules_load(fixtures, &rules, &err), &err);
        ok(kp_plan_new(fixtures, pilot, &all, &plan, &err), &err);
        options.plan = plan;
        options.rules = rules;
        options.out = out;
        ok(kp_run(&options, &result, &err), &err);
        cr_expect_eq(result.n_faults, 0);
        n_traces = count_traces(log, &n_bytes);
        cr_expect_lt(n_bytes / (found->n - n), 20000,
                "traces have grown: %lu bytes an outcome",
                (unsigned long)(n_bytes / (found->n - n)));
        cr_assert_eq(unlink(log), 0);
        cr_assert_eq(rmdir(out), 0);
        return n_traces;
}

Test(built_in, every_rule_explains_something_and_nothing_stays_unexplained)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_rules_free) struct kp_rules *rules = NULL;
        char dir[] = "/tmp/keypilot-built-in-XXXXXX";
        struct found found = { json_object(), json_object(), 0, 0 };
        struct kp_error err = { 0 };

        cr_assert_not_null(mkdtemp(dir));
        ok(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err), &err);
        ok(kp_rules_load(fixtures, &rules, &err), &err);
        cr_expect_geq(run_pilot(fixtures, "built-in", dir, &found), 200);
        cr_expect_geq(found.n, 2000);
        cr_expect_geq(run_pilot(fixtures, "keys-that-go-wrong", dir, &found), 20);
        cr_expect_eq(found.n_unexplained, 0, "%lu outcomes have no cause",
                (unsigned long)found.n_unexplained);
        for (size_t i = 0; kp_rules_nth(rules, i) != NULL; i++)
                cr_expect_not_null(
                        json_object_get(found.causes, kp_rules_nth(rules, i)->id),
                        "the rule '%s' explains no outcome",
                        kp_rules_nth(rules, i)->id);
        cr_expect_not_null(json_object_get(found.verdicts, "works"));
        cr_expect_not_null(json_object_get(found.verdicts, "limits"));
        cr_expect_not_null(json_object_get(found.verdicts, "breaks"));
        cr_expect_not_null(json_object_get(found.verdicts, "risk"));
        json_decref(found.causes);
        json_decref(found.verdicts);
        cr_assert_eq(rmdir(dir), 0);
}
