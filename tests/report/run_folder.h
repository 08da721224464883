/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_RUN_FOLDER_H
#define KEYPILOT_TESTS_RUN_FOLDER_H

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/core/json.h"
#include "keypilot/report/report.h"

/*
 * Runs for reports to read: lines without "prev" in, a folder with a chained log out.
 */
struct run_folder {
        char dir[64];
        struct kp_buf log;
        char prev[65];
        unsigned n_outcomes;
};

static inline void
run_begin(struct run_folder *run)
{
        memset(run, 0, sizeof(*run));
        (void)snprintf(run->dir, sizeof(run->dir), "/tmp/keypilot-report-XXXXXX");
        cr_assert_not_null(mkdtemp(run->dir));
        memset(run->prev, '0', 64);
}

/* Append the line of an object, compact, its chain first. */
static inline void
run_line(struct run_folder *run, const char *body)
{
        unsigned char digest[32];
        size_t from = run->log.len;

        kp_buf_printf(&run->log, "{\"prev\":\"%s\",%s", run->prev, body + 1);
        cr_assert_eq(EVP_Digest(run->log.data + from, run->log.len - from, digest, NULL,
                             EVP_sha256(), NULL),
                1);
        for (int i = 0; i < 32; i++)
                (void)snprintf(run->prev + 2 * i, 3, "%02x", digest[i]);
        kp_buf_put_u8(&run->log, '\n');
}

static inline void
run_header(struct run_folder *run, const char *evidence, int cells)
{
        char body[400];

        (void)snprintf(body, sizeof(body),
                "{\"type\":\"run\",\"format\":1,\"tool\":\"keypilot "
                "0.1.0\",\"seed\":\"1\","
                "\"fixtures\":\"9f9f\",\"evidence\":\"%s\",\"pilot\":{\"id\":\"small\","
                "\"title\":{\"en\":\"S\",\"nl\":\"S\"}},\"plan\":\"ab\",\"cells\":%d,"
                "\"shard\":\"1/1\"}",
                evidence, cells);
        run_line(run, body);
}

/* One outcome; texts may be hostile. NULL members are left out or null. */
struct row {
        const char *scenario, *key, *client, *home, *population, *provider;
        const char *verdict, *cause, *why, *evidence;
        const char *fact, *value; /* an unknown fact and the value taken for it */
        const char *trace;        /* JSON text of an array */
};

static inline void
run_outcome(struct run_folder *run, struct row row)
{
        json_auto_t *axes = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "key",
                row.key == NULL ? "sim:key-with-pin" : row.key, "client",
                row.client == NULL ? "browser-a" : row.client, "home",
                row.home == NULL ? "service" : row.home, "population",
                row.population == NULL ? "teacher" : row.population, "provider",
                row.provider == NULL ? "provider-a" : row.provider, "service",
                "school-system");
        json_auto_t *assumed = json_object();
        json_auto_t *trace =
                row.trace == NULL ? json_array() : json_loads(row.trace, 0, NULL);
        json_auto_t *line = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };
        char id[300];

        if (row.fact != NULL)
                (void)json_object_set_new(assumed, row.fact, json_string(row.value));
        (void)snprintf(id, sizeof(id), "%s n=%u", row.scenario, ++run->n_outcomes);
        line = json_pack(
                "{s:s, s:s, s:s, s:O, s:O, s:s, s:n, s:s?, s:s?, s:s, s:[], s:i, s:O}",
                "type", "outcome", "id", id, "scenario", row.scenario, "axes", axes,
                "assumed", assumed, "verdict", row.verdict, "invariant", "cause",
                row.cause, "why", row.why, "evidence",
                row.evidence == NULL ? "simulated" : row.evidence, "rests_on",
                "prompts", 1, "trace", trace);
        cr_assert_not_null(line);
        cr_assert_eq(kp_json_write(line, &text, &err), 0);
        run_line(run, kp_buf_str(&text));
}

static inline void
run_write(struct run_folder *run)
{
        char path[128];
        struct kp_error err = { 0 };

        (void)snprintf(path, sizeof(path), "%s/outcomes.jsonl", run->dir);
        cr_assert_eq(kp_file_write(path, run->log.data, run->log.len, &err), 0);
}

/* The folder of fixtures that belongs to data/small.jsonl. */
static inline struct kp_fixtures *
small_fixtures(void)
{
        struct kp_fixtures *fixtures = NULL;
        struct kp_error err = { 0 };
        char dir[4096], why[512];

        (void)snprintf(dir, sizeof(dir), "%s/tests/report/data/fixtures",
                getenv("KEYPILOT_SOURCE"));
        cr_assert_eq(kp_fixtures_open(dir, &fixtures, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        return fixtures;
}

static inline struct kp_report *
run_load(struct run_folder *run, const struct kp_fixtures *fixtures)
{
        struct kp_report *report = NULL;
        struct kp_error err = { 0 };
        char why[512];

        run_write(run);
        cr_assert_eq(kp_report_load(run->dir, fixtures, &report, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        return report;
}

static inline void
run_end(struct run_folder *run)
{
        static const char *const names[] = { "outcomes.jsonl", "matrix.html",
                "verdict.html", "junit.xml" };
        char path[128];

        for (size_t i = 0; i < KP_NELEMS(names); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", run->dir, names[i]);
                (void)unlink(path);
        }
        cr_expect_eq(rmdir(run->dir), 0, "nothing else was left in the folder");
        kp_buf_done(&run->log);
}

/* One format of a report as text; the caller frees it. */
static inline char *
streamed(struct kp_report *report, const char *format, enum kp_report_lang lang)
{
        char *text = NULL;
        size_t text_len;
        FILE *out = open_memstream(&text, &text_len);
        struct kp_error err = { 0 };
        int rc;

        if (strcmp(format, "summary") == 0)
                rc = kp_report_print(report, lang, out, &err);
        else
                rc = kp_report_stream(report, format, lang, out, &err);
        (void)fclose(out);
        cr_assert_eq(rc, 0, "%s", format);
        return text;
}

/* A page of the folder as text; the caller frees it. */
static inline char *
page_text_of(const struct run_folder *run, const char *name)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/%s", run->dir, name);
        cr_assert_eq(kp_file_read(path, 64 << 20, &text, &err), 0, "%s", path);
        return strdup(kp_buf_str(&text));
}

static inline json_t *
json_of(struct kp_report *report)
{
        KP_CLEANUP(kp_free_str) char *text = streamed(report, "json", KP_REPORT_EN);
        json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

        cr_assert_not_null(root);
        return root;
}

#endif
