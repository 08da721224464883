/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keypilot/core/random.h"

#include "made.h"

/*
 * The engine, without a world: cells that answer from their own random stream, read
 * unknown facts in scenario "walk", and crash, fail or dawdle where a test tells them
 * to.
 */
static struct {
        const char *dies, *exits, *fails, *stops, *hangs; /* part of a cell's id */
        useconds_t dawdles_us;
} orders;

static bool
ordered(const char *where, const struct kp_cell_input *input)
{
        return where != NULL && strstr(input->id, where) != NULL;
}

static void
read_unknown(const struct kp_cell_input *input, json_t *unknown, const char *fact,
        const char *values)
{
        json_t *all = json_loads(values, 0, NULL);
        json_t *taken = json_object_get(input->take, fact);

        json_array_append_new(unknown,
                json_pack("{s:s, s:O, s:O}", "fact", fact, "values", all, "taken",
                        taken == NULL ? json_array_get(all, 0) : taken));
        json_decref(all);
}

static const char *
taken(const json_t *unknown, size_t i)
{
        return kp_json_str(json_array_get(unknown, i), "taken", "");
}

/* x ends it; y asks on: three values, of which q asks once more */
static void
read_facts(const struct kp_cell_input *input, json_t *unknown)
{
        if (strcmp(input->scenario, "walk") != 0)
                return;
        read_unknown(input, unknown, "service.a", "[\"x\", \"y\"]");
        if (strcmp(taken(unknown, 0), "y") != 0)
                return;
        read_unknown(input, unknown, "service.b", "[\"p\", \"q\", \"r\"]");
        if (strcmp(taken(unknown, 1), "q") == 0)
                read_unknown(input, unknown, "service.c", "[true, false]");
}

static int
cell(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = NULL;
        uint8_t drawn[4];

        if (orders.dawdles_us > 0)
                usleep(orders.dawdles_us);
        if (ordered(orders.dies, input))
                kill(getpid(), SIGKILL);
        if (ordered(orders.exits, input))
                _exit(3);
        while (ordered(orders.hangs, input))
                pause();
        if (ordered(orders.fails, input))
                return KP_FAIL(err, KP_EBUG, "this cell is not well");
        if (ordered(orders.stops, input))
                return KP_FAIL(err, KP_ESAFETY, "the key would be blocked");
        if (kp_random_new_seeded(input->seed, input->id, &random, err) < 0)
                return -1;
        kp_random_bytes(random, drawn, sizeof(drawn));
        ret->unknown = json_array();
        ret->rests_on = json_array();
        ret->trace = json_array();
        read_facts(input, ret->unknown);
        ret->verdict = (enum kp_verdict)(drawn[0] % 4);
        if (ret->verdict != KP_WORKS)
                strcpy(ret->invariant, "gets-in");
        for (int i = 0; i < drawn[1] % 8; i++)
                json_array_append_new(ret->trace,
                        json_pack("{s:i, s:s, s:s, s:i}", "t", i, "who", "agent",
                                "event", "page", "status", drawn[2]));
        ret->prompts = drawn[3] % 3;
        return 0;
}

/* walk: 8 cells of 1 + 2 + 2 branches; walk-far: 8; stand: 1 */
#define OUTCOMES (8 * 5 + 8 + 1)

static struct kp_run_options
options_for(const struct made *made, const char *out, unsigned jobs)
{
        return (struct kp_run_options){ .plan = made->plan,
                .rules = made->rules,
                .out = out,
                .tool = "keypilot test",
                .seed = "s",
                .jobs = jobs,
                .cell = cell };
}

/* A run into a folder of its own; its log. */
static char *
log_of(const struct made *made, const char *name, unsigned jobs, bool resume,
        struct kp_run_result *ret)
{
        KP_CLEANUP(kp_free_str) char *out = kp_format("%s/out/%s", made->dir, name);
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/outcomes.jsonl", out);
        struct kp_run_options options = options_for(made, out, jobs);
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };

        options.resume = resume;
        ok(kp_run(&options, ret, &err), &err);
        ok(kp_file_read(path, 1u << 28, &text, &err), &err);
        return strdup(kp_buf_str(&text));
}

static size_t
n_lines(const char *text)
{
        size_t n = 0;

        for (; *text != '\0'; text++)
                n += *text == '\n';
        return n;
}

Test(run, every_branch_of_every_cell_is_an_outcome)
{
        KP_CLEANUP(kp_free_str) char *log = NULL;
        struct kp_run_result result;
        struct made made;

        made_begin(&made, false);
        log = log_of(&made, "a", 2, false, &result);
        cr_expect_eq(n_lines(log), 1 + OUTCOMES);
        cr_expect_eq(result.n_cells, MADE_CELLS);
        cr_expect_eq(result.n_outcomes[KP_WORKS] + result.n_outcomes[KP_LIMITS] +
                             result.n_outcomes[KP_BREAKS] + result.n_outcomes[KP_RISK],
                OUTCOMES);
        cr_expect_eq(result.n_faults, 0);
        cr_expect_not(result.interrupted);
        cr_expect_not_null(strstr(log, "service=school service.a=y service.b=q "
                                       "service.c=false settings=none\""));
        cr_expect_not_null(strstr(log, "\"assumed\":{\"service.a\":\"y\",\"service.b\":"
                                       "\"q\",\"service.c\":false}"));
        cr_expect_not_null(strstr(log, "\"cause\":\"unexplained\""));
        cr_expect_null(
                strstr(log, "\"cause\":\"unexplained\",\"evidence\":\"simulated\","
                            "\"id\":\"walk\",\"verdict\":\"works\""));
        made_end(&made);
}

Test(run, the_log_is_the_same_for_any_number_of_workers)
{
        KP_CLEANUP(kp_free_str) char *one = NULL;
        struct kp_run_result result;
        struct made made;

        made_begin(&made, false);
        one = log_of(&made, "1", 1, false, &result);
        for (unsigned jobs = 2; jobs <= 40; jobs = jobs * 2 + 1) {
                KP_CLEANUP(kp_free_str) char *name = kp_format("%u", jobs);
                KP_CLEANUP(kp_free_str)
                char *log = log_of(&made, name, jobs, false, &result);

                cr_expect_str_eq(log, one, "%u workers", jobs);
        }
        made_end(&made);
}

Test(run, the_log_does_not_know_zone_locale_folder_or_order_of_files)
{
        KP_CLEANUP(kp_free_str) char *here = NULL;
        KP_CLEANUP(kp_free_str) char *there = NULL;
        struct kp_run_result result;
        struct made a, b;

        made_begin(&a, false);
        here = log_of(&a, "a", 2, false, &result);
        setenv("TZ", "Pacific/Kiritimati", 1);
        setenv("LC_ALL", "nl_NL.UTF-8", 1);
        setenv("HOME", "/nowhere", 1);
        tzset();
        cr_assert_eq(chdir("/"), 0);
        made_begin(&b, true);
        there = log_of(&b, "b", 1, false, &result);
        cr_expect_str_eq(here, there);
        made_end(&a);
        made_end(&b);
}

Test(run, another_seed_gives_other_outcomes)
{
        KP_CLEANUP(kp_free_str) char *log = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf other = { 0 };
        KP_CLEANUP(kp_free_str) char *out = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_error err = { 0 };
        struct kp_run_result result;
        struct kp_run_options options;
        struct made made;

        made_begin(&made, false);
        log = log_of(&made, "a", 2, false, &result);
        out = kp_format("%s/other", made.dir);
        path = kp_format("%s/outcomes.jsonl", out);
        options = options_for(&made, out, 1);
        options.seed = "t";
        ok(kp_run(&options, &result, &err), &err);
        ok(kp_file_read(path, 1u << 20, &other, &err), &err);
        cr_expect_str_neq(log, kp_buf_str(&other));
        cr_expect_eq(n_lines(kp_buf_str(&other)), 1 + OUTCOMES);
        made_end(&made);
}

/* ---- the chain ---- */

static uint64_t
read_log(const char *path, struct kp_error *err, bool *ret_torn)
{
        KP_CLEANUP(kp_log_reader_free) struct kp_log_reader *reader = NULL;

        if (kp_log_reader_open(path, &reader, err) < 0)
                return 0;
        for (;;) {
                json_auto_t *line = NULL;

                if (kp_log_reader_next(reader, &line, err) < 0)
                        return 0;
                if (line == NULL)
                        break;
        }
        *ret_torn = kp_log_reader_torn(reader);
        return kp_log_reader_line(reader);
}

Test(run, each_line_begins_with_the_hash_of_the_line_before)
{
        KP_CLEANUP(kp_free_str) char *log = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_free_str) char *command = NULL;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;
        bool torn = true;

        made_begin(&made, false);
        log = log_of(&made, "a", 2, false, &result);
        path = kp_format("%s/out/a/outcomes.jsonl", made.dir);
        cr_expect_eq(read_log(path, &err, &torn), 1 + OUTCOMES);
        cr_expect_not(torn);
        /* the witness: sha256sum, line by line */
        command = kp_format(
                "prev=%064d; while IFS= read -r line; do "
                "case $line in '{\"prev\":\"'$prev'\",'*) ;; *) exit 1;; esac; "
                "prev=$(printf %%s \"$line\" | sha256sum | cut -d' ' -f1); "
                "done < %s",
                0, path);
        cr_expect_eq(system(command), 0);
        /* one byte changed in the middle */
        for (size_t i = 0; i < 5; i++) {
                size_t at = (strlen(log) - 2) * (i + 1) / 5;

                while (strchr("\n", log[at]) != NULL)
                        at--;
                log[at] ^= 1;
                ok(kp_file_write(path, log, strlen(log), &err), &err);
                cr_expect_eq(read_log(path, &err, &torn), i == 4 ? 0 : 0);
                cr_expect(err.code == KP_EINTEGRITY || err.code == KP_EPARSE);
                log[at] ^= 1;
                err = (struct kp_error){ 0 };
        }
        made_end(&made);
}

/* ---- going on ---- */

Test(run, a_log_that_was_cut_anywhere_is_completed_to_the_same_bytes)
{
        KP_CLEANUP(kp_free_str) char *whole = NULL;
        KP_CLEANUP(kp_free_str) char *out = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_run_result result, first;
        struct kp_error err = { 0 };
        struct made made;
        size_t len;

        made_begin(&made, false);
        whole = log_of(&made, "a", 2, false, &first);
        out = kp_format("%s/out/a", made.dir);
        path = kp_format("%s/outcomes.jsonl", out);
        len = strlen(whole);
        for (size_t i = 0; i <= 40; i++) {
                KP_CLEANUP(kp_free_str) char *log = NULL;

                ok(kp_file_write(path, whole, len * i / 40, &err), &err);
                log = log_of(&made, "a", 1 + i % 2, true, &result);
                cr_assert_str_eq(log, whole, "cut at %zu", len * i / 40);
                cr_expect_eq(memcmp(result.n_outcomes, first.n_outcomes,
                                     sizeof(first.n_outcomes)),
                        0, "cut at %zu", len * i / 40);
                cr_expect_eq(result.n_cells, MADE_CELLS);
        }
        made_end(&made);
}

static pid_t
start_slowly(const struct made *made, const char *out)
{
        pid_t pid = fork();
        struct kp_run_options options = options_for(made, out, 2);
        struct kp_run_result result;
        struct kp_error err = { 0 };

        if (pid != 0)
                return pid;
        orders.dawdles_us = 10000;
        _exit(kp_run(&options, &result, &err) < 0);
}

Test(run, after_kill_9_it_goes_on_to_the_same_bytes, .timeout = 60)
{
        KP_CLEANUP(kp_free_str) char *whole = NULL;
        struct kp_run_result result;
        struct made made;
        int cut_short = 0;

        made_begin(&made, false);
        whole = log_of(&made, "whole", 2, false, &result);
        for (int i = 1; i <= 6; i++) {
                KP_CLEANUP(kp_free_str) char *name = kp_format("%d", i);
                KP_CLEANUP(kp_free_str) char *out = kp_format("%s/out/%d", made.dir, i);
                KP_CLEANUP(kp_free_str) char *log = NULL;
                pid_t pid = start_slowly(&made, out);
                int status;

                usleep((useconds_t)i * 40000);
                cr_assert_eq(kill(pid, SIGKILL), 0);
                cr_assert_eq(waitpid(pid, &status, 0), pid);
                cut_short += WIFSIGNALED(status);
                log = log_of(&made, name, 2, true, &result);
                cr_expect_str_eq(log, whole, "killed after %d ms", i * 40);
        }
        cr_expect_gt(cut_short, 0, "no run was killed before its end");
        made_end(&made);
}

Test(run, a_log_of_something_else_is_not_gone_on_with)
{
        KP_CLEANUP(kp_free_str) char *whole = NULL;
        KP_CLEANUP(kp_free_str) char *out = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf after = { 0 };
        struct kp_plan_options shard = { .shard = 1, .n_shards = 2 };
        struct kp_run_options options;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        whole = log_of(&made, "a", 2, false, &result);
        out = kp_format("%s/out/a", made.dir);
        path = kp_format("%s/outcomes.jsonl", out);
        options = options_for(&made, out, 1);
        options.resume = true;

        options.seed = "t";
        cr_expect_eq(kp_run(&options, &result, &err), -1);
        cr_expect_eq(err.code, KP_ESCHEMA);
        cr_expect(says(&err, "with another seed"));
        options.seed = "s";
        options.tool = "keypilot 0";
        cr_expect_eq(kp_run(&options, &result, &err), -1);
        cr_expect(says(&err, "by another version"));
        options.tool = "keypilot test";
        ok(made_plan(&made, MADE_PILOT, &shard, &err), &err);
        options.plan = made.plan;
        cr_expect_eq(kp_run(&options, &result, &err), -1);
        cr_expect(says(&err, "of another shard") || says(&err, "of another plan"));
        ok(made_plan(&made, MADE_PILOT, NULL, &err), &err);
        options.plan = made.plan;
        made_scenario(made.dir, "new", "");
        cr_expect_eq(kp_run(&options, &result, &err), -1);
        cr_expect(says(&err, "with other fixtures"));

        ok(kp_file_read(path, 1u << 20, &after, &err), &err);
        cr_expect_str_eq(kp_buf_str(&after), whole, "the log was touched");
        made_end(&made);
}

Test(run, a_used_folder_is_left_alone)
{
        KP_CLEANUP(kp_free_str) char *out = NULL;
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_run_options options;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        made_write(made.dir, "photos", "holiday.jpg", "...");
        out = kp_format("%s/photos", made.dir);
        options = options_for(&made, out, 1);
        cr_expect_eq(kp_run(&options, &result, &err), -1);
        cr_expect_eq(err.code, KP_EUSAGE);
        cr_expect(says(&err, "the folder is used"));
        options.resume = true;
        cr_expect_eq(kp_run(&options, &result, &err), -1);
        ok(kp_dir_list(out, "", &names, &err), &err);
        cr_expect_eq(names.n_names, 1);
        made_end(&made);
}

/* ---- our own faults ---- */

struct told {
        int n;
        char cell[512], what[512];
};

static void
remember(void *self, const char *which, const char *what)
{
        struct told *told = self;

        told->n++;
        snprintf(told->cell, sizeof(told->cell), "%s", which);
        snprintf(told->what, sizeof(told->what), "%s", what);
}

static void
fault_costs_one_cell(const char *why, const char *what)
{
        KP_CLEANUP(kp_free_str) char *whole = NULL;
        KP_CLEANUP(kp_free_str) char *out = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf first = { 0 };
        struct kp_run_options options;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        for (unsigned jobs = 1; jobs <= 3; jobs++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf log = { 0 };
                struct told told = { 0 };

                free(out);
                free(path);
                out = kp_format("%s/out/%u", made.dir, jobs);
                path = kp_format("%s/outcomes.jsonl", out);
                options = options_for(&made, out, jobs);
                options.self = &told;
                options.fault = remember;
                options.cell_seconds = orders.hangs == NULL ? 0 : 1;
                ok(kp_run(&options, &result, &err), &err);
                ok(kp_file_read(path, 1u << 20, &log, &err), &err);
                cr_expect_eq(result.n_faults, 1);
                cr_expect_eq(result.n_outcomes[KP_INCONCLUSIVE], 1);
                cr_expect_eq(result.n_cells, MADE_CELLS);
                cr_expect_eq(n_lines(kp_buf_str(&log)), 1 + OUTCOMES - 4);
                cr_expect_not_null(strstr(kp_buf_str(&log), why));
                cr_expect_eq(told.n, 1);
                cr_expect_not_null(strstr(told.cell, "walk client=browser-b"));
                cr_expect_not_null(strstr(told.what, what), "%s", told.what);
                if (jobs == 1)
                        kp_buf_put(&first, log.data, log.len);
                cr_expect_str_eq(kp_buf_str(&log), kp_buf_str(&first));
        }
        made_end(&made);
}

#define VICTIM                                                                         \
        "walk client=browser-b event=none home=service hub=none key=sim:yubikey-5-57 " \
        "population=pupils"

Test(run, a_cell_that_is_killed_costs_itself, .timeout = 60)
{
        orders.dies = VICTIM;
        fault_costs_one_cell(KP_WHY_CRASHED, "signal 9");
}

Test(run, a_cell_that_ends_its_process_costs_itself, .timeout = 60)
{
        orders.exits = VICTIM;
        fault_costs_one_cell(KP_WHY_CRASHED, "ended with status 3");
}

Test(run, a_cell_that_hangs_costs_itself, .timeout = 60)
{
        orders.hangs = VICTIM;
        fault_costs_one_cell(KP_WHY_STUCK, "signal 14");
}

Test(run, a_cell_that_the_harness_cannot_run_costs_itself)
{
        orders.fails = VICTIM;
        fault_costs_one_cell(KP_WHY_FAILED, "this cell is not well");
}

Test(run, every_cell_may_crash_and_the_run_still_ends, .timeout = 60)
{
        struct kp_run_options options;
        KP_CLEANUP(kp_free_str) char *out = NULL;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        out = kp_format("%s/out", made.dir);
        options = options_for(&made, out, 2);
        orders.dies = "walk";
        ok(kp_run(&options, &result, &err), &err);
        cr_expect_eq(result.n_faults, 16);
        made_end(&made);
}

Test(run, protecting_a_real_key_stops_the_run)
{
        struct kp_run_options options;
        KP_CLEANUP(kp_free_str) char *out = NULL;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        out = kp_format("%s/out", made.dir);
        options = options_for(&made, out, 1);
        orders.stops = "walk-far";
        cr_expect_eq(kp_run(&options, &result, &err), -1);
        cr_expect_eq(err.code, KP_ESAFETY);
        cr_expect(says(&err, "the key would be blocked"));
        cr_expect_eq(result.n_cells, 9);
        made_end(&made);
}

/* ---- stopping ---- */

static volatile sig_atomic_t stop;

static int
stop_after_five(void *self, const struct kp_log_entry *entry, struct kp_error *err)
{
        int *n = self;

        (void)entry;
        (void)err;
        if (++*n == 5)
                stop = 1;
        return 0;
}

Test(run, stopping_leaves_a_log_that_can_be_gone_on_with)
{
        KP_CLEANUP(kp_free_str) char *whole = NULL;
        KP_CLEANUP(kp_free_str) char *log = NULL;
        KP_CLEANUP(kp_free_str) char *out = NULL;
        struct kp_run_options options;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;
        int n = 0;

        made_begin(&made, false);
        whole = log_of(&made, "whole", 2, false, &result);
        out = kp_format("%s/out/stopped", made.dir);
        options = options_for(&made, out, 2);
        options.stop = &stop;
        options.watch = (struct kp_log_watch){ &n, stop_after_five };
        orders.dawdles_us = 5000;
        ok(kp_run(&options, &result, &err), &err);
        cr_expect(result.interrupted);
        cr_expect_lt(result.n_cells, MADE_CELLS);
        orders.dawdles_us = 0;
        log = log_of(&made, "stopped", 2, true, &result);
        cr_expect_str_eq(log, whole);
        cr_expect_not(result.interrupted);
        made_end(&made);
}

/* ---- branches ---- */

static int
wide_cell(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err)
{
        (void)err;
        ret->unknown = json_array();
        ret->rests_on = json_array();
        ret->trace = json_array();
        for (int i = 0; i < 10; i++) {
                char fact[32];

                snprintf(fact, sizeof(fact), "service.f%d", i);
                read_unknown(input, ret->unknown, fact, "[1, 2, 3]");
        }
        return 0;
}

Test(run, past_64_branches_one_outcome_says_that_there_are_more)
{
        KP_CLEANUP(kp_free_str) char *out = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf log = { 0 };
        const char *filters[] = { "scenario=stand" };
        struct kp_plan_options one = {
                .filters = filters, .n_filters = 1, .shard = 1, .n_shards = 1
        };
        struct kp_run_options options;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        ok(made_plan(&made, MADE_PILOT, &one, &err), &err);
        out = kp_format("%s/out", made.dir);
        path = kp_format("%s/outcomes.jsonl", out);
        options = options_for(&made, out, 1);
        options.cell = wide_cell;
        ok(kp_run(&options, &result, &err), &err);
        cr_expect_eq(result.n_outcomes[KP_WORKS], KP_MAX_BRANCHES);
        cr_expect_eq(result.n_outcomes[KP_INCONCLUSIVE], 1);
        cr_expect_eq(result.n_faults, 0);
        ok(kp_file_read(path, 1u << 20, &log, &err), &err);
        cr_expect_not_null(strstr(kp_buf_str(&log), "more than 64 combinations"));
        made_end(&made);
}

/* Reads another fact each time: our own fault, not an answer. */
static int
fickle_cell(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err)
{
        static int n;
        char fact[32];

        (void)err;
        snprintf(fact, sizeof(fact), "service.f%d", n++);
        ret->unknown = json_array();
        ret->trace = json_array();
        read_unknown(input, ret->unknown, fact, "[1, 2]");
        return 0;
}

Test(run, a_cell_that_cannot_be_repeated_is_our_fault)
{
        KP_CLEANUP(kp_free_str) char *out = NULL;
        struct told told = { 0 };
        struct kp_run_options options;
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct made made;

        made_begin(&made, false);
        out = kp_format("%s/out", made.dir);
        options = options_for(&made, out, 1);
        options.cell = fickle_cell;
        options.self = &told;
        options.fault = remember;
        ok(kp_run(&options, &result, &err), &err);
        cr_expect_eq(result.n_faults, MADE_CELLS);
        cr_expect_not_null(strstr(told.what, "not repeatable"));
        made_end(&made);
}
