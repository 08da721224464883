/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keypilot/core/free.h"
#include "keypilot/pilot/run.h"

/*
 * bench [--pilot NAME] [--cells N] [--fixtures DIR] [--memory N]
 *
 * Runs N cells (all of the built-in pilot by default) on one core and on two, does the
 * same public-key operations bare on one core and on two, and prints the ratios; then
 * how much memory a run of 1,000 cells and one of N (100,000) takes.
 */
struct bench {
        const char *pilot_name, *fixtures_dir;
        uint64_t n_cells, n_memory;
        struct kp_fixtures *fixtures;
        struct kp_pilot *pilot;
        struct kp_rules *rules;
        struct counts *counts;
        char dir[64];
        int n_runs;
};

static void
die(const struct kp_error *err)
{
        char why[2048];

        fprintf(stderr, "bench: %s\n", kp_error_format(err, why, sizeof(why)));
        exit(EXIT_FAILURE);
}

static void
pin_to_one_core(const cpu_set_t *all)
{
        cpu_set_t one;
        int core = 0;

        while (!CPU_ISSET(core, all))
                core++;
        CPU_ZERO(&one);
        CPU_SET(core, &one);
        (void)sched_setaffinity(
                0, sizeof(one), &one); /* else: the figures are noisier */
}

/* A plan of about n cells: every k-th of all. */
static struct kp_plan *
plan_of(struct bench *b, uint64_t n)
{
        struct kp_plan_options options = { .shard = 1, .n_shards = 1 };
        struct kp_plan *plan = NULL;
        struct kp_error err = { 0 };
        uint64_t all;

        if (kp_plan_new(b->fixtures, b->pilot, &options, &plan, &err) < 0)
                die(&err);
        all = kp_plan_n_cells(plan);
        if (n == 0 || n >= all)
                return plan;
        kp_plan_free(&plan);
        options.n_shards = (unsigned)((all + n - 1) / n);
        if (kp_plan_new(b->fixtures, b->pilot, &options, &plan, &err) < 0)
                die(&err);
        return plan;
}

/* Wall and processor time: on a machine that does other things as well, the second
 * counts. */
struct spent {
        double wall, cpu;
};

static double
cpu_of(int who)
{
        struct rusage usage = { 0 };

        (void)getrusage(who, &usage); /* cannot fail for ourselves and our children */
        return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static struct spent
now(void)
{
        return (struct spent){ now_seconds(),
                cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) };
}

static struct spent
since(struct spent begin)
{
        struct spent end = now();

        return (struct spent){ end.wall - begin.wall, end.cpu - begin.cpu };
}

static struct spent
run_plan(struct bench *b, const struct kp_plan *plan, unsigned jobs,
        uint64_t *ret_outcomes, uint64_t *ret_bytes)
{
        KP_CLEANUP(kp_free_str) char *out = kp_format("%s/%d", b->dir, b->n_runs++);
        KP_CLEANUP(kp_free_str) char *log = kp_format("%s/outcomes.jsonl", out);
        struct kp_run_options options = { .plan = plan,
                .rules = b->rules,
                .out = out,
                .tool = "keypilot bench",
                .seed = "bench",
                .jobs = jobs,
                .cell = kp_cell_run };
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct spent begin = now(), passed;
        struct stat st = { 0 };

        if (kp_run(&options, &result, &err) < 0)
                die(&err);
        passed = since(begin);
        *ret_outcomes = 0;
        for (int i = 0; i < KP_N_VERDICTS; i++)
                *ret_outcomes += result.n_outcomes[i];
        (void)stat(log, &st); /* only told */
        *ret_bytes = (uint64_t)st.st_size;
        (void)unlink(log);
        (void)rmdir(out);
        return passed;
}

static void
print_counts(const struct counts *counts, uint64_t n_outcomes)
{
        printf("operations a cell and branch (bare, each):\n");
        for (int op = 0; op < N_OPS; op++)
                for (int key = 0; key < N_KEYS; key++)
                        if (counts->n[op][key] > 0)
                                printf("  %6.2f  %-15s %-9s %7.1f us\n",
                                        (double)counts->n[op][key] / (double)n_outcomes,
                                        op_names[op], key_names[key],
                                        floor_seconds(op, key) * 1e6);
}

/* The bare operations in `n` processes at once, shared out; seconds until the last is
 * done. */
static struct spent
floor_on(const struct counts *counts, int n)
{
        struct spent begin = now();

        (void)fflush(stdout); /* or every process prints it again */
        for (int i = 0; i < n; i++)
                if (fork() == 0) {
                        floor_run(counts, (uint64_t)n);
                        _exit(EXIT_SUCCESS);
                }
        while (wait(NULL) > 0)
                ;
        return since(begin);
}

static void
print_row(const char *what, uint64_t n_outcomes, struct spent run, struct spent bare)
{
        printf("%-10s %8.2f s %8.2f s cpu %7.0f outcomes/s | bare %8.2f s %8.2f s cpu "
               "| "
               "ratio %.2f, cpu %.2f\n",
                what, run.wall, run.cpu, (double)n_outcomes / run.wall, bare.wall,
                bare.cpu, run.wall / bare.wall, run.cpu / bare.cpu);
}

static void
bench_speed(struct bench *b, const cpu_set_t *all)
{
        struct kp_plan *plan = plan_of(b, b->n_cells);
        uint64_t n_outcomes, n_bytes, n_cells = kp_plan_n_cells(plan);
        struct spent one, two, bare_one, bare_two;
        struct counts counts;

        (void)run_plan(b, plan, 1, &n_outcomes, &n_bytes); /* caches warm up */
        memset(b->counts, 0, sizeof(*b->counts));
        pin_to_one_core(all);
        one = run_plan(b, plan, 1, &n_outcomes, &n_bytes);
        counts = *b->counts;
        print_counts(&counts, n_outcomes);
        bare_one = floor_on(&counts, 1);
        (void)sched_setaffinity(0, sizeof(*all), all); /* as it was */
        two = run_plan(b, plan, 2, &n_outcomes, &n_bytes);
        bare_two = floor_on(&counts, 2);
        printf("%" PRIu64 " cells, %" PRIu64
               " outcomes, %.1f MB of log (%.1f KB each)\n",
                n_cells, n_outcomes, (double)n_bytes / 1e6,
                (double)n_bytes / 1e3 / (double)n_outcomes);
        print_row("one core", n_outcomes, one, bare_one);
        print_row("two cores", n_outcomes, two, bare_two);
        printf("gain of the second core: %.2f, of the bare operations %.2f, share "
               "%.2f\n",
                one.wall / two.wall, bare_one.wall / bare_two.wall,
                (one.wall / two.wall) / (bare_one.wall / bare_two.wall));
        kp_plan_free(&plan);
}

/* Cells whose answer costs nothing, so that a hundred thousand take seconds. */
static int
empty_cell(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err)
{
        (void)input;
        ret->trace = json_array();
        ret->rests_on = json_array();
        ret->unknown = json_array();
        for (int i = 0; i < 50; i++)
                if (json_array_append_new(
                            ret->trace, json_pack("{s:i, s:s, s:s}", "t", i, "who",
                                                "agent", "event", "page")) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "trace");
        return 0;
}

/* Peak of the writer and of its largest worker, in MB. */
static double
peak_of(struct bench *b, const struct kp_plan *plan, kp_cell_fn *cell)
{
        KP_CLEANUP(kp_free_str) char *out = kp_format("%s/%d", b->dir, b->n_runs++);
        KP_CLEANUP(kp_free_str) char *log = kp_format("%s/outcomes.jsonl", out);
        struct kp_run_options options = { .plan = plan,
                .rules = b->rules,
                .out = out,
                .tool = "keypilot bench",
                .seed = "bench",
                .jobs = 2,
                .cell = cell };
        struct kp_run_result result;
        struct kp_error err = { 0 };
        struct rusage usage = { 0 };
        int status = 0;
        pid_t pid;

        (void)fflush(stdout); /* or every process prints it again */
        if ((pid = fork()) == 0)
                _exit(kp_run(&options, &result, &err) < 0);
        if (wait4(pid, &status, 0, &usage) != pid || status != 0)
                fprintf(stderr, "bench: the run failed\n");
        (void)unlink(log);
        (void)rmdir(out);
        return (double)usage.ru_maxrss / 1e3;
}

/* The built-in pilot, its accounts of events multiplied until there are n cells. */
static struct kp_plan *
large_plan(struct bench *b, uint64_t n)
{
        struct kp_plan_options options = { .shard = 1, .n_shards = 1 };
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/large.json", b->dir);
        json_auto_t *root = json_deep_copy(b->pilot->root);
        json_t *blocks = json_object_get(root, "matrix"), *block;
        struct kp_plan *plan = NULL;
        struct kp_error err = { 0 };
        size_t i;

        json_array_foreach (blocks, i, block) {
                json_t *axes = json_object_get(block, "axes");

                json_object_set_new(axes, "key", json_pack("[s]", "*"));
                json_object_set_new(axes, "client", json_pack("[s]", "*"));
                json_object_set_new(axes, "provider", json_pack("[s]", "*"));
                json_object_set_new(axes, "population", json_pack("[s]", "*"));
        }
        kp_pilot_free(&b->pilot);
        if (json_dump_file(root, path, 0) < 0 ||
                kp_pilot_load(path, &b->pilot, &err) < 0 ||
                kp_plan_new(b->fixtures, b->pilot, &options, &plan, &err) < 0)
                die(&err);
        (void)unlink(path);
        if (n >= kp_plan_n_cells(plan))
                return plan;
        options.n_shards = (unsigned)(kp_plan_n_cells(plan) / n);
        kp_plan_free(&plan);
        if (kp_plan_new(b->fixtures, b->pilot, &options, &plan, &err) < 0)
                die(&err);
        return plan;
}

static void
bench_memory(struct bench *b)
{
        struct kp_plan *few = plan_of(b, 1000), *many;
        uint64_t n_few = kp_plan_n_cells(few);
        double real = peak_of(b, few, kp_cell_run), small = peak_of(b, few, empty_cell);

        kp_plan_free(&few);
        many = large_plan(b, b->n_memory);
        printf("peak memory: %.1f MB for %" PRIu64 " real cells; %.1f MB for %" PRIu64
               " empty ones, %.1f MB for %" PRIu64 "\n",
                real, n_few, small, n_few, peak_of(b, many, empty_cell),
                kp_plan_n_cells(many));
        kp_plan_free(&many);
}

static void
arguments(struct bench *b, int argc, char **argv)
{
        b->pilot_name = "built-in";
        b->n_memory = 100000;
        for (int i = 1; i + 1 < argc; i += 2) {
                if (strcmp(argv[i], "--pilot") == 0)
                        b->pilot_name = argv[i + 1];
                else if (strcmp(argv[i], "--cells") == 0)
                        b->n_cells = strtoull(argv[i + 1], NULL, 10);
                else if (strcmp(argv[i], "--memory") == 0)
                        b->n_memory = strtoull(argv[i + 1], NULL, 10);
                else if (strcmp(argv[i], "--fixtures") == 0)
                        b->fixtures_dir = argv[i + 1];
        }
}

int
main(int argc, char **argv)
{
        struct bench b = { 0 };
        struct kp_error err = { 0 };
        KP_CLEANUP(kp_free_str) char *path = NULL;
        cpu_set_t all;

        arguments(&b, argc, argv);
        (void)sched_getaffinity(0, sizeof(all), &all); /* cannot fail for ourselves */
        strcpy(b.dir, "/tmp/keypilot-bench-XXXXXX");
        if (mkdtemp(b.dir) == NULL || (b.counts = counts_share()) == NULL)
                return EXIT_FAILURE;
        if (kp_fixtures_open(b.fixtures_dir, &b.fixtures, &err) < 0 ||
                kp_fixtures_path(b.fixtures, "pilots", b.pilot_name, &path, &err) < 0 ||
                kp_pilot_load(path, &b.pilot, &err) < 0 ||
                kp_rules_load(b.fixtures, &b.rules, &err) < 0)
                die(&err);
        bench_speed(&b, &all);
        bench_memory(&b);
        kp_rules_free(&b.rules);
        kp_pilot_free(&b.pilot);
        kp_fixtures_free(&b.fixtures);
        return rmdir(b.dir) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
