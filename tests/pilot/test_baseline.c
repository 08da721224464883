/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/baseline.h"

#include "made.h"

/* What the cells of a test find: by scenario, so that a test can change its mind. */
static struct {
        enum kp_verdict walk, far, stand;
} finds;

static int
cell(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err)
{
        (void)err;
        ret->trace = json_array();
        ret->rests_on = json_array();
        ret->unknown = json_array();
        ret->verdict = strcmp(input->scenario, "walk") == 0       ? finds.walk
                       : strcmp(input->scenario, "walk-far") == 0 ? finds.far
                                                                  : finds.stand;
        return 0;
}

struct counts {
        struct kp_baseline *baseline;
        int n[KP_N_EXPECTATIONS], n_risks, n_missing;
};

static int
judge(void *self, const struct kp_log_entry *entry, struct kp_error *err)
{
        struct counts *counts = self;
        bool risk;

        (void)err;
        counts->n[kp_baseline_judge(counts->baseline, entry, &risk)]++;
        counts->n_risks += risk;
        return 0;
}

static void
miss(void *self, const char *id)
{
        struct counts *counts = self;

        (void)id;
        counts->n_missing++;
}

static void
run_into(const struct made *made, const char *name, struct counts *counts)
{
        KP_CLEANUP(kp_free_str) char *out = kp_format("%s/%s", made->dir, name);
        struct kp_run_options options = { .plan = made->plan,
                .rules = made->rules,
                .out = out,
                .tool = "keypilot test",
                .seed = "s",
                .jobs = 1,
                .cell = cell };
        struct kp_run_result result;
        struct kp_error err = { 0 };

        if (counts != NULL)
                options.watch = (struct kp_log_watch){ counts, judge };
        ok(kp_run(&options, &result, &err), &err);
}

static char *
baseline_of(
        const struct made *made, const char *name, uint64_t *ret_n, uint64_t *ret_risks)
{
        KP_CLEANUP(kp_free_str) char *dir = kp_format("%s/%s", made->dir, name);
        char *path = kp_format("%s/baseline.json", dir);
        struct kp_error err = { 0 };

        ok(kp_baseline_write(dir, path, ret_n, ret_risks, &err), &err);
        return path;
}

static struct counts
compare_with(const struct made *made, const char *baseline, const char *name)
{
        struct counts counts = { 0 };
        struct kp_error err = { 0 };

        ok(kp_baseline_load(baseline, &counts.baseline, &err), &err);
        run_into(made, name, &counts);
        kp_baseline_missing(counts.baseline, &counts, miss);
        kp_baseline_free(&counts.baseline);
        return counts;
}

Test(baseline, a_run_is_as_its_own_baseline_expects)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct counts counts;
        struct made made;
        uint64_t n, risks;

        made_begin(&made, false);
        finds.walk = KP_BREAKS;
        finds.far = KP_RISK;
        run_into(&made, "a", NULL);
        path = baseline_of(&made, "a", &n, &risks);
        cr_expect_eq(n, MADE_CELLS);
        cr_expect_eq(risks, 8);
        counts = compare_with(&made, path, "b");
        cr_expect_eq(counts.n[KP_AS_EXPECTED], MADE_CELLS);
        cr_expect_eq(counts.n_risks, 0);
        cr_expect_eq(counts.n_missing, 0);
        made_end(&made);
}

Test(baseline, each_change_has_its_class)
{
        static const struct {
                enum kp_verdict was, is;
                enum kp_expectation class;
        } cases[] = {
                { KP_WORKS, KP_LIMITS, KP_REGRESSION },
                { KP_WORKS, KP_BREAKS, KP_REGRESSION },
                { KP_LIMITS, KP_BREAKS, KP_REGRESSION },
                { KP_BREAKS, KP_RISK, KP_REGRESSION },
                { KP_WORKS, KP_INCONCLUSIVE, KP_REGRESSION },
                { KP_BREAKS, KP_SKIPPED, KP_REGRESSION },
                { KP_BREAKS, KP_WORKS, KP_UNEXPECTED_PASS },
                { KP_RISK, KP_LIMITS, KP_UNEXPECTED_PASS },
                { KP_SKIPPED, KP_WORKS, KP_UNEXPECTED_PASS },
                { KP_NOT_APPLICABLE, KP_BREAKS, KP_REGRESSION },
                { KP_NOT_APPLICABLE, KP_SKIPPED, KP_CHANGED_CAUSE },
                { KP_LIMITS, KP_LIMITS, KP_AS_EXPECTED },
        };
        struct made made;

        made_begin(&made, false);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_free_str) char *was = kp_format("was%zu", i);
                KP_CLEANUP(kp_free_str) char *is = kp_format("is%zu", i);
                KP_CLEANUP(kp_free_str) char *path = NULL;
                struct counts counts;
                uint64_t n, risks;

                finds.stand = cases[i].was;
                run_into(&made, was, NULL);
                path = baseline_of(&made, was, &n, &risks);
                finds.stand = cases[i].is;
                counts = compare_with(&made, path, is);
                cr_expect_eq(counts.n[cases[i].class],
                        cases[i].class == KP_AS_EXPECTED ? MADE_CELLS : 1, "%s -> %s",
                        kp_verdict_name(cases[i].was), kp_verdict_name(cases[i].is));
                cr_expect_eq(counts.n_risks, cases[i].is == KP_RISK);
        }
        made_end(&made);
}

/* The file with one piece of text in place of another. */
static char *
edited(const char *path, const char *from, const char *to)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf out = { 0 };
        struct kp_error err = { 0 };
        char *other = kp_format("%s.edited.json", path);
        const char *all, *at;

        ok(kp_file_read(path, 1u << 20, &text, &err), &err);
        all = kp_buf_str(&text);
        cr_assert_not_null(at = strstr(all, from), "no %s in %s", from, all);
        kp_buf_put(&out, all, (size_t)(at - all));
        kp_buf_puts(&out, to);
        kp_buf_puts(&out, at + strlen(from));
        ok(kp_file_write(other, out.data, out.len, &err), &err);
        return other;
}

Test(baseline, another_cause_a_new_and_a_missing_outcome_are_told)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_free_str) char *other = NULL;
        KP_CLEANUP(kp_free_str) char *gone = NULL;
        struct counts counts;
        struct made made;
        uint64_t n, risks;

        made_begin(&made, false);
        finds.stand = KP_BREAKS;
        run_into(&made, "a", NULL);
        path = baseline_of(&made, "a", &n, &risks);
        other = edited(path, "\"cause\": \"unexplained\"", "\"cause\": \"the-moon\"");
        counts = compare_with(&made, other, "b");
        cr_expect_eq(counts.n[KP_CHANGED_CAUSE], 1);
        gone = edited(path, "\"stand client", "\"sit client");
        counts = compare_with(&made, gone, "c");
        cr_expect_eq(counts.n[KP_NEW], 1);
        cr_expect_eq(counts.n_missing, 1);
        made_end(&made);
}

Test(baseline, a_risk_is_accepted_by_id_and_by_cause)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_free_str) char *other = NULL;
        struct counts counts;
        struct made made;
        uint64_t n, risks;

        made_begin(&made, false);
        finds.far = KP_RISK;
        run_into(&made, "a", NULL);
        path = baseline_of(&made, "a", &n, &risks);
        other = edited(path, "\"unexplained\": \"found", "\"something-else\": \"found");
        counts = compare_with(&made, other, "b");
        cr_expect_eq(counts.n[KP_AS_EXPECTED], MADE_CELLS);
        cr_expect_eq(counts.n_risks, 8, "their cause is not accepted any more");
        finds.walk = KP_RISK;
        counts = compare_with(&made, path, "c");
        cr_expect_eq(counts.n_risks, 8, "new risks are not accepted");
        made_end(&made);
}

Test(baseline, reasons_that_people_wrote_survive_a_rewrite)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_free_str) char *other = NULL;
        KP_CLEANUP(kp_free_str) char *dir = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };
        struct made made;
        uint64_t n, risks;

        made_begin(&made, false);
        finds.far = KP_RISK;
        run_into(&made, "a", NULL);
        path = baseline_of(&made, "a", &n, &risks);
        other = edited(path, "found when the baseline was written", "until the summer");
        dir = kp_format("%s/a", made.dir);
        ok(kp_baseline_write(dir, other, &n, &risks, &err), &err);
        ok(kp_file_read(other, 1u << 20, &text, &err), &err);
        cr_expect_not_null(strstr(kp_buf_str(&text), "until the summer"));
        made_end(&made);
}

Test(baseline, an_unfinished_or_broken_run_makes_none)
{
        KP_CLEANUP(kp_free_str) char *dir = NULL;
        KP_CLEANUP(kp_free_str) char *log = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };
        struct made made;
        uint64_t n, risks;
        char *last;

        made_begin(&made, false);
        run_into(&made, "a", NULL);
        dir = kp_format("%s/a", made.dir);
        log = kp_format("%s/outcomes.jsonl", dir);
        path = kp_format("%s/baseline.json", dir);
        ok(kp_file_read(log, 1u << 20, &text, &err), &err);

        ok(kp_file_write(log, text.data, text.len - 10, &err), &err);
        cr_expect_eq(kp_baseline_write(dir, path, &n, &risks, &err), -1);
        cr_expect(says(&err, "the run is not finished"));
        text.data[text.len - 1] = '\0';
        cr_assert_not_null(last = strrchr((char *)text.data, '\n'));
        ok(kp_file_write(log, text.data, (size_t)(last + 1 - (char *)text.data), &err),
                &err);
        cr_expect_eq(kp_baseline_write(dir, path, &n, &risks, &err), -1);
        cr_expect(says(&err, "the run is not finished"));
        text.data[text.len / 2] ^= 1;
        text.data[text.len - 1] = '\n';
        ok(kp_file_write(log, text.data, text.len, &err), &err);
        cr_expect_eq(kp_baseline_write(dir, path, &n, &risks, &err), -1);
        cr_expect(err.code == KP_EINTEGRITY || err.code == KP_EPARSE);
        cr_expect_not(kp_file_exists(path));
        made_end(&made);
}

Test(baseline, a_wrong_file_is_refused_by_name_and_place)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "[]", "expected a JSON object" },
                { "{\"format\": 1}", "is missing" },
                { "{\"format\": 2, \"pilot\": \"p\", \"accepted_risks\": {}, "
                  "\"outcomes\": {}}",
                        "member 'format': expected 1" },
                { "{\"format\": 1, \"pilot\": \"p\", \"accepted_risks\": {\"x\": 1}, "
                  "\"outcomes\": {}}",
                        "'x': expected the reason" },
                { "{\"format\": 1, \"pilot\": \"p\", \"accepted_risks\": {}, "
                  "\"outcomes\": {\"a\": {\"verdict\": \"good\", \"cause\": null}}}",
                        "outcome 'a': 'good' is not a verdict" },
                { "{\"format\": 1, \"pilot\": \"p\", \"accepted_risks\": {}, "
                  "\"outcomes\": {\"a\": {\"verdict\": \"works\"}}}",
                        "member 'cause' is missing" },
                { "{\"format\": 1, \"pilot\": \"p\", \"accepted_risks\": {}, "
                  "\"outcomes\": {\"a\": {\"verdict\": \"works\", \"cause\": 3}}}",
                        "expected a string or null" },
                { "{\"format\": 1, \"pilot\": \"p\", \"accepted_risks\": {}, "
                  "\"outcomes\": {}, \"when\": 1}",
                        "member 'when'" },
        };
        struct made made;

        made_begin(&made, false);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_free_str) char *path = kp_format("%s/b/b.json", made.dir);
                KP_CLEANUP(kp_baseline_free) struct kp_baseline *baseline = NULL;
                struct kp_error err = { 0 };

                made_write(made.dir, "b", "b.json", cases[i].text);
                cr_assert_eq(kp_baseline_load(path, &baseline, &err), -1, "%s",
                        cases[i].text);
                cr_expect(says(&err, cases[i].says));
                cr_expect(says(&err, "b.json"));
        }
        made_end(&made);
}
