/* SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/parser.h>

#include "run_folder.h"

static char *
data_path(const char *name)
{
        return kp_format("%s/tests/report/data/%s", getenv("KEYPILOT_SOURCE"), name);
}

/* data/small.jsonl, with its chain. */
static void
small_run(struct run_folder *run)
{
        KP_CLEANUP(kp_free_str) char *path = data_path("small.jsonl");
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };

        run_begin(run);
        cr_assert_eq(kp_file_read(path, 1 << 20, &text, &err), 0);
        for (char *line = strtok((char *)kp_buf_str(&text), "\n"); line != NULL;
                line = strtok(NULL, "\n"))
                run_line(run, line);
}

/* The folder of a run has another name each time. */
static char *
without_folder(const char *text, const char *dir)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };
        const char *at;

        for (; (at = strstr(text, dir)) != NULL; text = at + strlen(dir)) {
                kp_buf_put(&buf, text, (size_t)(at - text));
                kp_buf_puts(&buf, "RUN");
        }
        kp_buf_puts(&buf, text);
        return strdup(kp_buf_str(&buf));
}

/* Compare with data/NAME byte for byte; UPDATE=1 writes it instead. */
static void
expect_golden(const char *name, const char *text)
{
        KP_CLEANUP(kp_free_str) char *path = data_path(name);
        KP_CLEANUP(kp_buf_done) struct kp_buf golden = { 0 };
        struct kp_error err = { 0 };

        if (getenv("UPDATE") != NULL) {
                cr_assert_eq(kp_file_write(path, text, strlen(text), &err), 0);
                return;
        }
        cr_assert_eq(kp_file_read(path, 8 << 20, &golden, &err), 0, "%s", path);
        cr_expect(strcmp(kp_buf_str(&golden), text) == 0,
                "%s differs; UPDATE=1 writes it anew, then look at the difference",
                name);
}

Test(report, of_the_small_run_is_as_it_was)
{
        static const struct {
                const char *format, *name;
                enum kp_report_lang lang;
        } streams[] = {
                { "summary", "small.nl.txt", KP_REPORT_NL },
                { "summary", "small.en.txt", KP_REPORT_EN },
                { "json", "small.json", KP_REPORT_EN },
                { "md", "small.nl.md", KP_REPORT_NL },
                { "csv", "small.csv", KP_REPORT_EN },
                { "tap", "small.tap", KP_REPORT_EN },
        };
        static const char *const pages[][2] = {
                { "verdict.html", "small.verdict.html" },
                { "matrix.html", "small.matrix.html" },
                { "junit.xml", "small.junit.xml" },
        };
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = small_fixtures();
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        struct kp_error err = { 0 };
        struct run_folder run;

        small_run(&run);
        report = run_load(&run, fixtures);
        for (size_t i = 0; i < KP_NELEMS(streams); i++) {
                KP_CLEANUP(kp_free_str)
                char *text = streamed(report, streams[i].format, streams[i].lang);
                KP_CLEANUP(kp_free_str) char *placeless = without_folder(text, run.dir);

                expect_golden(streams[i].name, placeless);
        }
        cr_assert_eq(kp_report_write_pages(report, run.dir, &err), 0);
        for (size_t i = 0; i < KP_NELEMS(pages); i++) {
                KP_CLEANUP(kp_free_str) char *text = page_text_of(&run, pages[i][0]);

                expect_golden(pages[i][1], text);
        }
        run_end(&run);
}

Test(report, counts_add_up_to_the_outcomes)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = small_fixtures();
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        json_auto_t *root = NULL;
        json_int_t sum = 0, caused = 0;
        const char *name;
        const json_t *cause;
        json_t *value;
        struct run_folder run;
        size_t i;

        small_run(&run);
        report = run_load(&run, fixtures);
        root = json_of(report);
        json_object_foreach (json_object_get(root, "counts"), name, value)
                sum += json_integer_value(value);
        cr_expect_eq(sum, kp_json_int(root, "outcomes", -1));
        json_array_foreach (json_object_get(root, "causes"), i, cause)
                json_object_foreach (json_object_get(cause, "counts"), name, value)
                        caused += json_integer_value(value);
        value = json_object_get(root, "counts");
        cr_expect_eq(caused, kp_json_int(value, "limits", 0) +
                                     kp_json_int(value, "breaks", 0) +
                                     kp_json_int(value, "risk", 0));
        cr_expect(kp_json_bool(root, "complete", false));
        run_end(&run);
}

Test(report, of_an_empty_run_says_so_and_promises_nothing)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_free_str) char *text = NULL;
        KP_CLEANUP(kp_free_str) char *page = NULL;
        struct kp_error err = { 0 };
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "simulated", 0);
        report = run_load(&run, NULL);
        cr_assert_eq(kp_report_write_pages(report, run.dir, &err), 0);
        page = page_text_of(&run, "matrix.html");
        cr_expect_not_null(strstr(page, "This run holds no combinations."));
        text = streamed(report, "summary", KP_REPORT_EN);
        cr_expect_not_null(strstr(text, "no combination gave a clear outcome"));
        run_end(&run);
}

Test(report, of_a_run_with_only_skipped_cells_cannot_say_and_tells_why)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_free_str) char *page = NULL;
        json_auto_t *root = NULL;
        struct kp_error err = { 0 };
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "live", 0);
        run_outcome(&run, (struct row){ .scenario = "s",
                                  .verdict = "skipped",
                                  .why = "needs set-clock",
                                  .evidence = "live" });
        report = run_load(&run, NULL);
        cr_assert_eq(kp_report_write_pages(report, run.dir, &err), 0);
        page = page_text_of(&run, "matrix.html");
        cr_expect_not_null(strstr(page, "needs set-clock"));
        cr_expect_not_null(strstr(page, "Nog niet te zeggen"));
        root = json_of(report);
        cr_expect_str_eq(kp_json_str(json_object_get(root, "answer"), "answer", ""),
                "cannot-say");
        run_end(&run);
}

Test(report, says_that_a_run_is_not_finished)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_free_str) char *text = NULL;
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "simulated", 1200);
        run_outcome(&run, (struct row){ .scenario = "s", .verdict = "works" });
        report = run_load(&run, NULL);
        text = streamed(report, "summary", KP_REPORT_EN);
        cr_expect_not_null(
                strstr(text, "This run is not finished: 1 of 1,200 combinations."));
        cr_expect_not_null(strstr(text, "--resume"));
        run_end(&run);
}

Test(report, reads_a_log_that_ends_in_the_middle_of_a_line)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        json_auto_t *root = NULL;
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "simulated", 1);
        run_outcome(&run, (struct row){ .scenario = "s", .verdict = "works" });
        kp_buf_puts(&run.log, "{\"prev\":\"12");
        report = run_load(&run, NULL);
        root = json_of(report);
        cr_expect_eq(kp_json_int(root, "outcomes", 0), 1);
        cr_expect_not(kp_json_bool(root, "complete", true));
        run_end(&run);
}

/* Why a folder cannot be read; "" when it can. */
static const char *
refusal(struct run_folder *run, enum kp_code *ret_code)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        static char why[512];
        struct kp_error err = { 0 };

        run_write(run);
        why[0] = '\0';
        if (kp_report_load(run->dir, NULL, &report, &err) < 0)
                (void)kp_error_format(&err, why, sizeof(why));
        *ret_code = err.code;
        return why;
}

Test(report, refuses_lines_that_are_no_outcomes_and_names_their_place)
{
        static const struct {
                const char *line, *why;
                enum kp_code code;
        } bad[] = {
                { "{\"type\":\"outcome\"}", "line 2: expected the members",
                        KP_ESCHEMA },
                { "{\"type\":\"other\"}", "member 'type'", KP_ESCHEMA },
                { "{\"axes\":{},\"id\":\"s\",\"scenario\":\"s\",\"type\":\"outcome\","
                  "\"verdict\":\"fine\"}",
                        "no such verdict", KP_ESCHEMA },
                { "{\"axes\":{},\"evidence\":\"guess\",\"id\":\"s\",\"scenario\":\"s\","
                  "\"type\":\"outcome\",\"verdict\":\"works\"}",
                        "expected simulated, lab or live", KP_ESCHEMA },
                { "{\"axes\":{\"home\":\"moon\"},\"evidence\":\"lab\",\"id\":\"s\","
                  "\"scenario\":\"s\",\"type\":\"outcome\",\"verdict\":\"works\"}",
                        "home 'moon'", KP_ESCHEMA },
                { "{\"axes\":{\"colour\":\"red\"},\"evidence\":\"lab\",\"id\":\"s\","
                  "\"scenario\":\"s\",\"type\":\"outcome\",\"verdict\":\"works\"}",
                        "'colour' is no axis", KP_ESCHEMA },
                { "{\"axes\":{\"key\":1},\"evidence\":\"lab\",\"id\":\"s\","
                  "\"scenario\":\"s\",\"type\":\"outcome\",\"verdict\":\"works\"}",
                        "'key' is no axis with a text value", KP_ESCHEMA },
                { "{]", "not JSON", KP_EPARSE },
        };

        for (size_t i = 0; i < KP_NELEMS(bad); i++) {
                struct run_folder run;
                enum kp_code code;
                const char *why;

                run_begin(&run);
                run_header(&run, "lab", 1);
                run_line(&run, bad[i].line);
                why = refusal(&run, &code);
                cr_expect_not_null(
                        strstr(why, bad[i].why), "'%s' tells '%s'", bad[i].why, why);
                cr_expect_not_null(strstr(why, "line 2"), "%s", why);
                cr_expect_eq(code, bad[i].code, "%s", why);
                run_end(&run);
        }
}

Test(report, refuses_a_log_that_was_tampered_with)
{
        struct run_folder run;
        enum kp_code code;
        char *at;

        run_begin(&run);
        run_header(&run, "lab", 2);
        run_outcome(&run, (struct row){ .scenario = "s", .verdict = "breaks" });
        run_outcome(&run, (struct row){ .scenario = "s", .verdict = "works" });
        at = strstr((char *)kp_buf_str(&run.log), "breaks");
        memcpy(at, "limits", 6);
        (void)refusal(&run, &code);
        cr_expect_eq(code, KP_EINTEGRITY);
        run_end(&run);
}

Test(report, refuses_what_has_no_header_or_is_not_there)
{
        struct run_folder run;
        enum kp_code code;

        run_begin(&run);
        (void)refusal(&run, &code);
        cr_expect_eq(code, KP_EPARSE, "an empty file");
        run_outcome(&run, (struct row){ .scenario = "s", .verdict = "works" });
        cr_expect_not_null(strstr(refusal(&run, &code), "header of a run"));
        run_end(&run);
        {
                KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
                struct kp_error err = { 0 };

                cr_expect_eq(kp_report_load("/nowhere", NULL, &report, &err), -1);
                cr_expect_eq(err.code, KP_ENOTFOUND);
        }
}

Test(report, leaves_pages_as_they_were_when_it_cannot_write)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        struct kp_error err = { 0 };
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "lab", 0);
        report = run_load(&run, NULL);
        cr_expect_eq(kp_report_write_pages(report, "/nowhere/at/all", &err), -1);
        cr_expect_eq(err.code, KP_EIO);
        run_end(&run);
}

/* ---- JUnit ---- */

static unsigned
count_elements(const xmlNode *node, const char *name)
{
        unsigned n = 0;

        for (; node != NULL; node = node->next) {
                n += node->type == XML_ELEMENT_NODE &&
                     strcmp((const char *)node->name, name) == 0;
                n += count_elements(node->children, name);
        }
        return n;
}

static const char hostile[] =
        "<script>alert(\"1\")</script>&'\x01\x0b\x7f ]]> \xe2\x80\xa8"
        " \xef\xbf\xbf --> end";

Test(report, junit_is_well_formed_whatever_an_outcome_says)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_free_str) char *text = NULL;
        static const char *const verdicts[] = { "works", "limits", "breaks", "risk",
                "inconclusive", "skipped", "not-applicable" };
        struct run_folder run;
        xmlDoc *doc;
        xmlNode *root;

        run_begin(&run);
        run_header(&run, "simulated", 7);
        for (size_t i = 0; i < KP_NELEMS(verdicts); i++)
                run_outcome(&run, (struct row){ .scenario = hostile,
                                          .key = hostile,
                                          .verdict = verdicts[i],
                                          .why = hostile,
                                          .cause = hostile });
        report = run_load(&run, NULL);
        text = streamed(report, "junit", KP_REPORT_EN);
        doc = xmlReadMemory(
                text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);
        cr_assert_not_null(doc, "%s", text);
        root = xmlDocGetRootElement(doc);
        cr_expect_eq(count_elements(root, "testcase"), 7);
        cr_expect_eq(count_elements(root, "failure"), 2);
        cr_expect_eq(count_elements(root, "error"), 1);
        cr_expect_eq(count_elements(root, "skipped"), 2);
        cr_expect_eq(count_elements(root, "script"), 0);
        xmlFreeDoc(doc);
        run_end(&run);
}

Test(report, csv_cells_are_no_formulas)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_free_str) char *text = NULL;
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "simulated", 1);
        run_outcome(&run, (struct row){ .scenario = "=HYPERLINK(\"x\")",
                                  .verdict = "works",
                                  .key = "+1",
                                  .client = "-1",
                                  .population = "@x" });
        report = run_load(&run, NULL);
        text = streamed(report, "csv", KP_REPORT_EN);
        cr_expect_not_null(strstr(text, "\"'=HYPERLINK(\"\"x\"\")\""));
        cr_expect_not_null(strstr(text, "\"'+1\""));
        cr_expect_not_null(strstr(text, "\"'-1\""));
        cr_expect_not_null(strstr(text, "\"'@x\""));
        run_end(&run);
}

Test(report, tap_keeps_one_line_for_a_test_point)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_free_str) char *text = NULL;
        struct run_folder run;

        run_begin(&run);
        run_header(&run, "simulated", 1);
        run_outcome(&run,
                (struct row){ .scenario = "a # SKIP\nok 2", .verdict = "breaks" });
        report = run_load(&run, NULL);
        text = streamed(report, "tap", KP_REPORT_EN);
        cr_expect_str_eq(text, "TAP version 14\n1..1\n"
                               "not ok 1 - a \\# SKIP ok 2 n=1\n"
                               "  ---\n  severity: breaks\n  ...\n");
        run_end(&run);
}

Test(report, knows_its_formats)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        struct kp_error err = { 0 };
        struct run_folder run;
        size_t n = 0;

        run_begin(&run);
        run_header(&run, "simulated", 0);
        report = run_load(&run, NULL);
        for (; kp_report_format_name(n) != NULL; n++) {
                KP_CLEANUP(kp_free_str)
                char *text = streamed(report, kp_report_format_name(n), KP_REPORT_EN);

                cr_expect_gt(strlen(text), 0);
        }
        cr_expect_eq(n, 5);
        cr_expect_eq(kp_report_stream(report, "pdf", KP_REPORT_EN, stdout, &err), -1);
        cr_expect_eq(err.code, KP_EUSAGE);
        run_end(&run);
}
