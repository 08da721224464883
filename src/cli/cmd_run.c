/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keypilot/core/free.h"
#include "keypilot/device/ledger.h"
#include "keypilot/pilot/baseline.h"
#include "keypilot/pilot/run.h"
#include "keypilot/report/report.h"

#include "cli.h"
#include "webauthn_person.h"

#define DEFAULT_PILOT "built-in"
#define DEFAULT_SEED "keypilot"
#define DEFAULT_OUT "keypilot-runs"
#define CELL_SECONDS 300    /* a simulated cell takes milliseconds: then it hangs */
#define TELL_EVERY_MS 10000 /* progress, where standard error is no terminal */
#define DRAW_EVERY_MS 200   /* and where it is one */
#define SHOW_DIFFERENCES 20

static const struct kp_option options[] = {
        { "key", "KEY", false, false,
                { "use this key for every cell: sim:PROFILE or hid:PATH",
                        "gebruik deze sleutel voor elke cel: sim:PROFIEL of "
                        "hid:PAD" } },
        { "out", "DIR", false, false,
                { "folder of the results (default " DEFAULT_OUT "/N)",
                        "map voor de resultaten (anders " DEFAULT_OUT "/N)" } },
        { "jobs", "N", false, false,
                { "worker processes (default: one for each core)",
                        "werkprocessen (anders: één per kern)" } },
        { "seed", "S", false, false,
                { "where all randomness comes from (default " DEFAULT_SEED ")",
                        "waar alle toeval uit komt (anders " DEFAULT_SEED ")" } },
        { "shard", "I/N", false, false,
                { "run the I-th of N parts", "voer het I-de van N delen uit" } },
        { "resume", NULL, false, false,
                { "go on with a run that was broken off",
                        "ga verder met een afgebroken testronde" } },
        { "filter", "AXIS=VALUE", false, true,
                { "only cells with this value; scenario=NAME too",
                        "alleen cellen met deze waarde; ook scenario=NAAM" } },
        { "pin-file", "FILE", false, false,
                { "PIN of a real key, in the first line; otherwise it is asked for",
                        "pincode van een echte sleutel, op de eerste regel; anders "
                        "wordt erom gevraagd" } },
        { "baseline", "FILE", false, false,
                { "compare with what was expected",
                        "vergelijk met wat was verwacht" } },
        { "fail-on", "VERDICT", false, false,
                { "exit 1 when there is an outcome like this (limits, breaks, risk: or "
                  "worse)",
                        "eindig met 1 bij zo'n uitkomst (limits, breaks, risk: of "
                        "erger)" } },
};

/* What a run of the command has at hand. */
struct session {
        struct kp_cli *cli;
        struct kp_fixtures *fixtures;
        struct kp_pilot *pilot;
        struct kp_plan *plan;
        struct kp_rules *rules;
        struct kp_baseline *baseline; /* NULL: none */
        const char **filters;
        struct kp_person person; /* at a real key */
        char *out, *ledger;
        bool resume, whole; /* whole: nothing was left out of the plan */
        const char *seed;
        bool has_fail_on;
        enum kp_verdict fail_on;
        int64_t jobs;
        /* counted while it runs */
        json_t *causes; /* cause: how often */
        uint64_t n_expectations[KP_N_EXPECTATIONS];
        uint64_t n_risks;  /* that nobody accepted */
        uint64_t n_failed; /* by --fail-on */
        uint64_t n_shown;
        int64_t told_ms;
        bool tty, drawn;
};

static volatile sig_atomic_t stop;

static void
on_signal(int number)
{
        stop = number;
}

static void
session_done(struct session *s)
{
        kp_baseline_free(&s->baseline);
        kp_rules_free(&s->rules);
        kp_plan_free(&s->plan);
        kp_pilot_free(&s->pilot);
        kp_fixtures_free(&s->fixtures);
        json_decref(s->causes);
        free(s->filters);
        free(s->out);
        free(s->ledger);
}

/* ---- arguments ---- */

static int
shard_read(const char *text, struct kp_plan_options *ret, struct kp_error *err)
{
        int used = 0;

        ret->shard = ret->n_shards = 1;
        if (text == NULL)
                return 0;
        if (strspn(text, "0123456789/") != strlen(text) ||
                sscanf(text, "%5u/%5u%n", &ret->shard, &ret->n_shards, &used) != 2 ||
                text[used] != '\0' || ret->shard < 1 || ret->shard > ret->n_shards)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--shard': '%.40s' is not I/N with I from 1 to N",
                        text);
        return 0;
}

static int
fail_on_read(struct session *s, struct kp_error *err)
{
        const char *text = kp_arg(s->cli, "fail-on");

        if (text == NULL)
                return 0;
        if (!kp_verdict_parse(text, &s->fail_on))
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--fail-on': '%.40s' is not a verdict; verdicts are "
                        "works, "
                        "limits, breaks, risk, inconclusive, not-applicable, skipped",
                        text);
        s->has_fail_on = true;
        return 0;
}

static int
seed_read(struct session *s, struct kp_error *err)
{
        s->seed = kp_arg(s->cli, "seed");
        if (s->seed == NULL)
                s->seed = DEFAULT_SEED;
        if (*s->seed == '\0' || strlen(s->seed) > 200)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--seed': expected 1 to 200 characters");
        return 0;
}

/* The number behind the last run in keypilot-runs; 0: none. */
static unsigned long
last_run(void)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_error ignored = { 0 };
        unsigned long last = 0;

        if (kp_dir_list(DEFAULT_OUT, "", &names, &ignored) < 0)
                return 0; /* no such folder: no run yet */
        for (size_t i = 0; i < names.n_names; i++) {
                const char *name = names.names[i];
                unsigned long n = strtoul(name, NULL, 10);

                if (strspn(name, "0123456789") == strlen(name) && strlen(name) < 10 &&
                        n > last)
                        last = n;
        }
        return last;
}

static int
out_choose(struct session *s, struct kp_error *err)
{
        const char *out = kp_arg(s->cli, "out");
        unsigned long last = out == NULL ? last_run() : 0;

        if (out != NULL && *out == '\0')
                return KP_FAIL(err, KP_EUSAGE, "option '--out': expected a folder");
        if (out == NULL && s->resume && last == 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--resume': there is no run in " DEFAULT_OUT
                        "; name one with --out");
        s->out = out != NULL
                         ? strdup(out)
                         : kp_format(DEFAULT_OUT "/%lu", last + (s->resume ? 0 : 1));
        return s->out == NULL ? KP_FAIL(err, KP_ENOMEM, "--out") : 0;
}

static int
plan_make(struct session *s, struct kp_error *err)
{
        const char *name =
                kp_operand(s->cli, 0) == NULL ? DEFAULT_PILOT : kp_operand(s->cli, 0);
        size_t n_filters = kp_arg_count(s->cli, "filter");
        struct kp_plan_options plan = { .key = kp_arg(s->cli, "key") };
        KP_CLEANUP(kp_free_str) char *path = NULL;

        if (shard_read(kp_arg(s->cli, "shard"), &plan, err) < 0)
                return -1;
        if ((s->filters = calloc(n_filters + 1, sizeof(*s->filters))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "--filter");
        for (size_t i = 0; i < n_filters; i++)
                s->filters[i] = kp_arg_nth(s->cli, "filter", i);
        plan.filters = s->filters;
        plan.n_filters = n_filters;
        s->whole = n_filters == 0 && plan.key == NULL && plan.n_shards == 1;
        if (kp_fixtures_open(s->cli->fixtures_dir, &s->fixtures, err) < 0 ||
                kp_fixtures_path(s->fixtures, "pilots", name, &path, err) < 0 ||
                kp_pilot_load(path, &s->pilot, err) < 0)
                return -1;
        if (kp_plan_new(s->fixtures, s->pilot, &plan, &s->plan, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

/* Everything is read and checked before the first byte is written. */
static int
session_begin(struct session *s, struct kp_error *err)
{
        s->resume = kp_arg(s->cli, "resume") != NULL;
        s->tty = isatty(STDERR_FILENO) == 1;
        if (fail_on_read(s, err) < 0 || seed_read(s, err) < 0 ||
                kp_arg_int(s->cli, "jobs", 1, 256, 0, &s->jobs, err) < 0 ||
                out_choose(s, err) < 0 || plan_make(s, err) < 0 ||
                kp_rules_load(s->fixtures, &s->rules, err) < 0)
                return -1;
        if (kp_arg(s->cli, "baseline") != NULL &&
                kp_baseline_load(kp_arg(s->cli, "baseline"), &s->baseline, err) < 0)
                return -1;
        if ((s->causes = json_object()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "run");
        return 0;
}

/* ---- while it runs ---- */

static int64_t
now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
wipe_line(struct session *s)
{
        if (s->drawn)
                fputs("\r\033[K", stderr);
        s->drawn = false;
}

static void
on_progress(void *self, uint64_t n_done, uint64_t n_cells)
{
        struct session *s = self;
        int64_t now = now_ms();

        if (now - s->told_ms < (s->tty ? DRAW_EVERY_MS : TELL_EVERY_MS))
                return;
        s->told_ms = now;
        fprintf(stderr, "%s%" PRIu64 " %s %" PRIu64 " %s (%u %%)%s",
                s->tty ? "\r\033[K" : "keypilot: ", n_done,
                kp_say(s->cli->lang, "of", "van"), n_cells,
                kp_say(s->cli->lang, "cells", "cellen"),
                (unsigned)(n_cells == 0 ? 100 : n_done * 100 / n_cells),
                s->tty ? "" : "\n");
        s->drawn = s->tty;
}

static void
on_fault(void *self, const char *cell, const char *what)
{
        struct session *s = self;

        wipe_line(s);
        fprintf(stderr, "keypilot: %s\n  %s\n  %s\n",
                kp_say(s->cli->lang, "our own fault in the cell",
                        "een eigen fout in de cel"),
                cell, what);
}

static void
tell_difference(struct session *s, const char *what, const char *id,
        const char *verdict, const char *cause)
{
        if (s->n_shown++ >= SHOW_DIFFERENCES)
                return;
        wipe_line(s);
        fprintf(stderr, "keypilot: %s: %s%s%s%s%s\n", what, id,
                verdict == NULL ? "" : " -> ", verdict == NULL ? "" : verdict,
                cause == NULL ? "" : ", ", cause == NULL ? "" : cause);
}

/* limits, breaks and risk mean "or worse"; the others only themselves. */
static bool
fails(const struct session *s, enum kp_verdict verdict)
{
        if (!s->has_fail_on)
                return false;
        if (kp_verdict_fails(s->fail_on))
                return kp_verdict_fails(verdict) && verdict >= s->fail_on;
        return verdict == s->fail_on;
}

static int
on_outcome(void *self, const struct kp_log_entry *entry, struct kp_error *err)
{
        struct session *s = self;
        enum kp_expectation is = KP_NEW;
        bool risk = entry->verdict == KP_RISK;

        if (entry->cause != NULL &&
                json_object_set_new(s->causes, entry->cause,
                        json_integer(kp_json_int(s->causes, entry->cause, 0) + 1)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "causes");
        if (s->baseline != NULL) {
                is = kp_baseline_judge(s->baseline, entry, &risk);
                s->n_expectations[is]++;
                if (is != KP_AS_EXPECTED || risk)
                        tell_difference(s,
                                is == KP_AS_EXPECTED ? "risk not accepted"
                                                     : kp_expectation_name(is),
                                entry->id, kp_verdict_name(entry->verdict),
                                entry->cause);
        }
        s->n_risks += risk;
        s->n_failed += is != KP_AS_EXPECTED && fails(s, entry->verdict);
        return 0;
}

/* ---- at the end ---- */

static void
on_missing(void *self, const char *id)
{
        struct session *s = self;

        s->n_expectations[KP_REMOVED]++;
        tell_difference(s, kp_expectation_name(KP_REMOVED), id, NULL, NULL);
}

static int
undecided(const struct kp_run_result *result)
{
        return result->n_outcomes[KP_WORKS] + result->n_outcomes[KP_LIMITS] +
                       result->n_outcomes[KP_BREAKS] + result->n_outcomes[KP_RISK] ==
               0;
}

/* In order of precedence. DESIGN "Contracts": exit codes */
static int
exit_code(const struct session *s, const struct kp_run_result *result)
{
        uint64_t differs = s->n_failed;

        for (int i = KP_AS_EXPECTED + 1; i < KP_N_EXPECTATIONS; i++)
                differs += s->n_expectations[i];
        if (result->interrupted)
                return KP_EXIT_INTERRUPTED;
        if ((s->baseline != NULL || s->has_fail_on) && s->n_risks > 0)
                return KP_EXIT_RISK;
        if (result->n_faults > 0)
                return KP_EXIT_BUG;
        if (differs > 0)
                return KP_EXIT_DIFFERS;
        return undecided(result) ? KP_EXIT_UNDECIDED : KP_EXIT_OK;
}

static int
print_summary(const struct session *s, const struct kp_run_result *result,
        struct kp_error *err)
{
        json_auto_t *verdicts = json_object(), *expectations = json_object();
        json_auto_t *summary = NULL;

        for (int i = 0; i < KP_N_VERDICTS; i++)
                (void)json_object_set_new(verdicts, kp_verdict_name((enum kp_verdict)i),
                        json_integer((json_int_t)result->n_outcomes[i])); /* below */
        for (int i = 0; s->baseline != NULL && i < KP_N_EXPECTATIONS; i++)
                (void)json_object_set_new(expectations,
                        kp_expectation_name((enum kp_expectation)i),
                        json_integer((json_int_t)s->n_expectations[i])); /* below */
        summary = json_pack("{s:s, s:s, s:s, s:I, s:O, s:O, s:I, s:b, s:s, s:i}", "out",
                s->out, "pilot", s->pilot->id, "evidence", kp_plan_evidence(s->plan),
                "cells", (json_int_t)result->n_cells, "verdicts", verdicts, "causes",
                s->causes, "faults", (json_int_t)result->n_faults, "interrupted",
                (int)result->interrupted, "seed", s->seed, "exit",
                exit_code(s, result));
        if (summary == NULL || json_object_size(verdicts) != KP_N_VERDICTS)
                return KP_FAIL(err, KP_ENOMEM, "summary");
        if (s->baseline != NULL &&
                json_object_set(summary, "baseline", expectations) < 0)
                return KP_FAIL(err, KP_ENOMEM, "summary");
        return kp_print_json(summary, err);
}

static void
tell_baseline(const struct session *s)
{
        if (s->baseline == NULL)
                return;
        fprintf(stderr, "keypilot: %s",
                kp_say(s->cli->lang, "baseline:", "vergeleken met de verwachting:"));
        for (int i = 0; i < KP_N_EXPECTATIONS; i++)
                fprintf(stderr, " %" PRIu64 " %s%s", s->n_expectations[i],
                        kp_expectation_name((enum kp_expectation)i),
                        i + 1 < KP_N_EXPECTATIONS ? "," : "");
        fprintf(stderr, "; %" PRIu64 " %s\n", s->n_risks,
                kp_say(s->cli->lang, "risks not accepted",
                        "risico's niet geaccepteerd"));
}

/* The pages, and what a person or a program wants to know at once. */
static int
report(struct session *s, const struct kp_run_result *result, struct kp_error *err)
{
        KP_CLEANUP(kp_report_free) struct kp_report *pages = NULL;

        if (kp_report_load(s->out, s->fixtures, &pages, err) < 0 ||
                kp_report_write_pages(pages, s->out, err) < 0)
                return -1;
        if (s->cli->json)
                return print_summary(s, result, err);
        return kp_report_print(pages,
                s->cli->lang == KP_LANG_NL ? KP_REPORT_NL : KP_REPORT_EN, stdout, err);
}

static int
finish(struct session *s, const struct kp_run_result *result, struct kp_error *err)
{
        wipe_line(s);
        if (result->interrupted) {
                fprintf(stderr, "keypilot: %s --resume --out %s\n",
                        kp_say(s->cli->lang,
                                "interrupted; go on with the same command and",
                                "onderbroken; ga verder met dezelfde opdracht en"),
                        s->out);
                return 0;
        }
        if (s->baseline != NULL && s->whole)
                kp_baseline_missing(s->baseline, s, on_missing);
        tell_baseline(s);
        return report(s, result, err);
}

static void
catch_signals(void)
{
        struct sigaction action = { .sa_handler = on_signal };

        (void)sigaction(SIGINT, &action, NULL); /* cannot fail for these signals */
        (void)sigaction(SIGTERM, &action, NULL);
        (void)sigaction(SIGHUP, &action, NULL);
}

/* One key, one hand; no hurry; and nothing is made on it that is not written down. */
static int
real_key(struct session *s, struct kp_run_options *run, struct kp_error *err)
{
        if (kp_ledger_default_path(
                    getenv("XDG_STATE_HOME"), getenv("HOME"), &s->ledger, err) < 0)
                return -1;
        kp_person_init(&s->person);
        s->person.lang = s->cli->lang;
        s->person.real = true;
        s->person.pin_file = kp_arg(s->cli, "pin-file");
        run->user = &s->person.user;
        run->ledger_path = s->ledger;
        run->run_name = s->pilot->id;
        run->jobs = 1;
        run->cell_seconds = 0;
        return 0;
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        KP_CLEANUP(session_done) struct session s = { .cli = cli };
        struct kp_run_options run = { .tool = "keypilot " KP_VERSION };
        struct kp_run_result result;

        if (session_begin(&s, err) < 0)
                return -1;
        run.plan = s.plan;
        run.rules = s.rules;
        run.out = s.out;
        run.seed = s.seed;
        run.resume = s.resume;
        run.jobs = (unsigned)s.jobs;
        run.cell = kp_cell_run;
        run.stop = &stop;
        run.watch = (struct kp_log_watch){ &s, on_outcome };
        run.self = &s;
        run.progress = on_progress;
        run.fault = on_fault;
        run.cell_seconds = CELL_SECONDS;
        if (strcmp(kp_plan_evidence(s.plan), "simulated") != 0 &&
                real_key(&s, &run, err) < 0)
                return -1;
        s.told_ms = now_ms();
        catch_signals();
        if (kp_run(&run, &result, err) < 0) {
                wipe_line(&s);
                return -1;
        }
        if (finish(&s, &result, err) < 0)
                return -1;
        return exit_code(&s, &result);
}

const struct kp_command kp_cmd_run = {
        .name = "run",
        .operands = "[PILOT]",
        .max_operands = 1,
        .help = { "run a pilot: log which combinations break, and why",
                "voer een pilot uit: welke combinaties werken niet, en waarom" },
        .options = options,
        .n_options = KP_NELEMS(options),
        .run = run,
};
