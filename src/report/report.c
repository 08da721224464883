/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/report/report.h"

#include <string.h>

#include "keypilot/core/free.h"

#include "pages.h"

static int
write_matrix(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        (void)lang;
        return matrix_write(report, out, err);
}

static int
write_verdict(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        (void)lang;
        return verdict_write(report, out, err);
}

static int
write_junit(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        (void)lang;
        return junit_write(report, out, err);
}

static int
write_tap(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        (void)lang;
        return tap_write(report, out, err);
}

static int
write_csv(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        (void)lang;
        return csv_write(report, out, err);
}

static int
write_json(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        (void)lang;
        return json_write(report, out, err);
}

static int
write_markdown(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        return markdown_write(report, lang, out, err);
}

typedef int write_fn(struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err);

/* Pages are files beside the run; streams go wherever the caller wants them. */
static const struct {
        const char *name;
        write_fn *write;
} pages[] = {
        { "matrix.html", write_matrix },
        { "verdict.html", write_verdict },
        { "junit.xml", write_junit },
}, streams[] = {
        { "csv", write_csv },
        { "json", write_json },
        { "junit", write_junit },
        { "md", write_markdown },
        { "tap", write_tap },
};

const char *
kp_report_format_name(size_t i)
{
        return i < KP_NELEMS(streams) ? streams[i].name : NULL;
}

int
kp_report_stream(struct kp_report *report, const char *format, enum kp_report_lang lang,
        FILE *out, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(streams); i++)
                if (strcmp(streams[i].name, format) == 0)
                        return streams[i].write(report, lang, out, err);
        return KP_FAIL(err, KP_EUSAGE, "no such format: '%.40s'", format);
}

static int
page_write(struct kp_report *report, const char *dir, size_t i, struct kp_error *err)
{
        KP_CLEANUP(page_file_drop) struct page_file file = { 0 };

        if (page_file_open(dir, pages[i].name, &file, err) < 0 ||
                pages[i].write(report, KP_REPORT_NL, file.out, err) < 0 ||
                page_file_keep(&file, err) < 0)
                return KP_WHILE(err, "%s", pages[i].name);
        return 0;
}

int
kp_report_write_pages(struct kp_report *report, const char *dir, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(pages); i++)
                if (page_write(report, dir, i, err) < 0)
                        return -1;
        return 0;
}

int
kp_report_write_all(
        const char *dir, const struct kp_fixtures *fixtures, struct kp_error *err)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;

        if (kp_report_load(dir, fixtures, &report, err) < 0)
                return -1;
        return kp_report_write_pages(report, dir, err);
}

int
kp_report_print(const struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        return summary_write(report, lang, out, err);
}

int
kp_report_summary(
        const char *dir, enum kp_report_lang lang, FILE *out, struct kp_error *err)
{
        KP_CLEANUP(kp_report_free) struct kp_report *report = NULL;
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;

        /* without fixtures the ids will do */
        if (kp_fixtures_open(NULL, &fixtures, err) < 0)
                kp_error_clear(err);
        if (kp_report_load(dir, fixtures, &report, err) < 0)
                return -1;
        return kp_report_print(report, lang, out, err);
}
