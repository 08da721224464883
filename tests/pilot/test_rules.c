/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/pilot/run.h"

/* Rules on real cells: they name causes, and change nothing else. */

static void
ok(int status, const struct kp_error *err)
{
        char why[4096];

        cr_assert_eq(status, 0, "%s", kp_error_format(err, why, sizeof(why)));
}

/* ---- the files ---- */

static bool
starts_with_a_document(const char *spec)
{
        static const char *const documents[] = { "WebAuthn L3 §", "CTAP 2.1 §",
                "SAML 2.0 Core §", "SAML 2.0 Bindings §", "SAML 2.0 Profiles §",
                "RFC " };

        for (size_t i = 0; i < KP_NELEMS(documents); i++)
                if (strncmp(spec, documents[i], strlen(documents[i])) == 0)
                        return true;
        return false;
}

static void
text_check(const char *id, struct kp_text text)
{
        static const char *const never[] = { "credential", "relying party", "assertion",
                " u ", " uw ", "aanmelden", "TODO", "residentKey", "user handle",
                " bytes", "NameID", "AuthnContext", "ForceAuthn", "SameSite",
                "'required'", "'preferred'", "WebView)" };

        cr_expect_gt(strlen(text.en), 10, "%s", id);
        cr_expect_gt(strlen(text.nl), 10, "%s", id);
        cr_expect_str_neq(text.en, text.nl, "%s: not translated", id);
        for (size_t i = 0; i < KP_NELEMS(never); i++) {
                cr_expect_null(strstr(text.en, never[i]), "%s: '%s'", id, never[i]);
                cr_expect_null(strstr(text.nl, never[i]), "%s: '%s'", id, never[i]);
        }
}

Test(rules, each_says_what_whose_and_where_it_is_written)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_rules_free) struct kp_rules *rules = NULL;
        struct kp_error err = { 0 };
        const struct kp_rule *rule;
        size_t n = 0;

        ok(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err), &err);
        ok(kp_rules_load(fixtures, &rules, &err), &err);
        for (; (rule = kp_rules_nth(rules, n)) != NULL; n++) {
                const json_t *item;
                size_t i;

                text_check(rule->id, rule->title);
                text_check(rule->id, rule->meaning);
                text_check(rule->id, rule->fix);
                cr_expect_lt(strlen(rule->title.nl), 100, "%s", rule->id);
                json_array_foreach (rule->spec, i, item)
                        cr_expect(starts_with_a_document(json_string_value(item)),
                                "%s: %s", rule->id, json_string_value(item));
                json_array_foreach (rule->sources, i, item)
                        cr_expect_eq(strncmp(json_string_value(item), "https://", 8), 0,
                                "%s", rule->id);
                cr_expect(json_array_size(rule->sources) > 0 ||
                                  strcmp(rule->grade, "C") == 0,
                        "%s: only reasoned rules have no source", rule->id);
        }
        cr_expect_geq(n, 18);
}

/* ---- modes ---- */

/* The cause of one cell of tests/pilot/modes.json. */
static const char *
cause_of(struct kp_fixtures *fixtures, const struct kp_rules *rules,
        const json_t *defaults, const json_t *mode)
{
        json_auto_t *axes = json_deep_copy(defaults);
        struct kp_cell_input input = { .fixtures = fixtures,
                .seed = "modes",
                .scenario = kp_json_str(mode, "scenario", ""),
                .axes = axes,
                .set = json_object_get(mode, "set"),
                .id = kp_json_str(mode, "id", "") };
        KP_CLEANUP(kp_cell_result_done) struct kp_cell_result result = { 0 };
        struct kp_error err = { 0 };

        if (json_object_get(mode, "axes") != NULL)
                cr_assert_eq(
                        json_object_update(axes, json_object_get(mode, "axes")), 0);
        ok(kp_cell_run(&input, &result, &err), &err);
        return kp_rules_cause(rules, result.verdict, result.invariant, result.trace);
}

Test(rules, each_failure_mode_to_test_first_is_named_as_itself)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/tests/pilot/modes.json", getenv("KEYPILOT_SOURCE"));
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_rules_free) struct kp_rules *rules = NULL;
        json_auto_t *modes = NULL;
        struct kp_error err = { 0 };
        const json_t *mode;
        size_t i;

        ok(kp_json_load(path, KP_JSON_MAX, &modes, &err), &err);
        ok(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err), &err);
        ok(kp_rules_load(fixtures, &rules, &err), &err);
        json_array_foreach (json_object_get(modes, "modes"), i, mode) {
                const char *cause =
                        cause_of(fixtures, rules, json_object_get(modes, "axes"), mode);

                cr_assert_not_null(
                        cause, "%s does not fail", kp_json_str(mode, "id", ""));
                cr_expect_str_eq(cause, kp_json_str(mode, "id", ""));
        }
        cr_expect_geq(json_array_size(json_object_get(modes, "modes")), 23);
        kp_cell_cache_clear();
}

/* ---- runs of a part of the built-in pilot ---- */

struct part {
        char dir[64];
        struct kp_fixtures *fixtures;
        struct kp_pilot *pilot;
        struct kp_plan *plan;
        struct kp_rules *rules;
        int n_runs;
};

static void
part_begin(struct part *part, const char *fixtures_dir, unsigned n_shards)
{
        struct kp_plan_options options = { .shard = 1, .n_shards = n_shards };
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_error err = { 0 };

        memset(part, 0, sizeof(*part));
        strcpy(part->dir, "/tmp/keypilot-part-XXXXXX");
        cr_assert_not_null(mkdtemp(part->dir));
        ok(kp_fixtures_open(fixtures_dir, &part->fixtures, &err), &err);
        ok(kp_fixtures_path(part->fixtures, "pilots", "built-in", &path, &err), &err);
        ok(kp_pilot_load(path, &part->pilot, &err), &err);
        ok(kp_rules_load(part->fixtures, &part->rules, &err), &err);
        ok(kp_plan_new(part->fixtures, part->pilot, &options, &part->plan, &err), &err);
}

static void
part_end(struct part *part)
{
        KP_CLEANUP(kp_free_str) char *command = kp_format("rm -r %s", part->dir);

        kp_plan_free(&part->plan);
        kp_pilot_free(&part->pilot);
        kp_rules_free(&part->rules);
        kp_fixtures_free(&part->fixtures);
        cr_assert_eq(system(command), 0);
}

static char *
part_run(struct part *part, unsigned jobs, const struct kp_log_watch *watch)
{
        KP_CLEANUP(kp_free_str)
        char *out = kp_format("%s/%d", part->dir, part->n_runs++);
        KP_CLEANUP(kp_free_str) char *log = kp_format("%s/outcomes.jsonl", out);
        struct kp_run_options options = { .plan = part->plan,
                .rules = part->rules,
                .out = out,
                .tool = "keypilot test",
                .seed = "part",
                .jobs = jobs,
                .cell = kp_cell_run };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_run_result result;
        struct kp_error err = { 0 };

        if (watch != NULL)
                options.watch = *watch;
        ok(kp_run(&options, &result, &err), &err);
        cr_expect_eq(result.n_faults, 0);
        ok(kp_file_read(log, 1u << 28, &text, &err), &err);
        return strdup(kp_buf_str(&text));
}

static int
note_verdict(void *self, const struct kp_log_entry *entry, struct kp_error *err)
{
        json_t *verdicts = self;

        (void)err;
        return json_object_set_new(
                verdicts, entry->id, json_string(kp_verdict_name(entry->verdict)));
}

Test(rules, removing_every_rule_changes_no_verdict)
{
        json_auto_t *with = json_object(), *without = json_object();
        struct kp_log_watch watch = { with, note_verdict };
        KP_CLEANUP(kp_free_str) char *first = NULL;
        KP_CLEANUP(kp_free_str) char *second = NULL;
        struct kp_rules *rules;
        struct part part;
        char empty[] = "/tmp/keypilot-empty-XXXXXX";
        KP_CLEANUP(kp_free_str) char *schema = NULL;
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *none = NULL;
        struct kp_error err = { 0 };

        part_begin(&part, getenv("KEYPILOT_FIXTURES"), 20);
        first = part_run(&part, 2, &watch);
        rules = part.rules;
        part.rules = NULL;
        cr_assert_not_null(mkdtemp(empty));
        schema = kp_format("%s/schema", empty);
        cr_assert_eq(mkdir(schema, 0777), 0);
        ok(kp_fixtures_open(empty, &none, &err), &err);
        ok(kp_rules_load(none, &part.rules, &err), &err);
        cr_assert_null(kp_rules_nth(part.rules, 0));
        watch.self = without;
        second = part_run(&part, 2, &watch);
        cr_expect_gt(json_object_size(with), 100);
        cr_expect(json_equal(with, without));
        cr_expect_null(strstr(first, "\"cause\":\"unexplained\""));
        cr_expect_not_null(strstr(second, "\"cause\":\"unexplained\""));
        kp_rules_free(&rules);
        part_end(&part);
        cr_assert_eq(rmdir(schema), 0);
        cr_assert_eq(rmdir(empty), 0);
}

/* The fixtures in another folder, their files made in the opposite order. */
static char *
copy_backwards(const char *from)
{
        char *to = strdup("/tmp/keypilot-copy-XXXXXX");
        KP_CLEANUP(kp_free_str) char *command = NULL;

        cr_assert_not_null(mkdtemp(to));
        command = kp_format("cd '%s' && find . -type f | LC_ALL=C sort -r | cpio -pdm "
                            "--quiet '%s' 2>/dev/null || cp -r '%s'/. '%s'",
                from, to, from, to);
        cr_assert_eq(system(command), 0);
        return to;
}

Test(rules, real_cells_do_not_know_workers_date_zone_locale_or_folder)
{
        KP_CLEANUP(kp_free_str) char *one = NULL;
        KP_CLEANUP(kp_free_str) char *two = NULL;
        KP_CLEANUP(kp_free_str) char *there = NULL;
        KP_CLEANUP(kp_free_str)
        char *copy = copy_backwards(getenv("KEYPILOT_FIXTURES"));
        KP_CLEANUP(kp_free_str) char *command = kp_format("rm -r %s", copy);
        struct part part, other;

        part_begin(&part, getenv("KEYPILOT_FIXTURES"), 40);
        one = part_run(&part, 1, NULL);
        two = part_run(&part, 2, NULL);
        cr_expect_str_eq(one, two, "one worker and two");
        setenv("TZ", "Pacific/Kiritimati", 1);
        setenv("LC_ALL", "nl_NL.UTF-8", 1);
        setenv("HOME", "/nowhere", 1);
        tzset();
        cr_assert_eq(chdir("/"), 0);
        part_begin(&other, copy, 40);
        there = part_run(&other, 2, NULL);
        cr_expect_str_eq(one, there, "another zone, locale and folder");
        part_end(&part);
        part_end(&other);
        cr_assert_eq(system(command), 0);
}
