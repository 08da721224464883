/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"

/*
 * Outcomes as lines: TAP and CSV. One walk over the log each; nothing is kept.
 */
struct lines {
        const struct kp_report *report;
        FILE *out;
        uint64_t n;
};

/* One line stays one line, and "#" begins a directive. Spec: TAP 14 "Test points" */
static void
put_tap_text(FILE *out, const char *text)
{
        for (; *text != '\0'; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '#' || c == '\\')
                        (void)fputc('\\', out); /* tap_write() asks the file */
                (void)fputc(c < ' ' || c == 0x7f ? ' ' : c, out);
        }
}

static bool
is_skip(enum kp_verdict verdict)
{
        return verdict == KP_SKIPPED || verdict == KP_NOT_APPLICABLE;
}

static int
put_point(void *self, const struct outcome *outcome, struct kp_error *err)
{
        struct lines *lines = self;
        bool ok = outcome->verdict == KP_WORKS || outcome->verdict == KP_LIMITS ||
                  is_skip(outcome->verdict);

        (void)err;
        (void)fprintf(
                lines->out, "%s %" PRIu64 " - ", ok ? "ok" : "not ok", ++lines->n);
        put_tap_text(lines->out, outcome->id);
        if (is_skip(outcome->verdict)) {
                (void)fputs(" # SKIP ", lines->out);
                put_tap_text(lines->out, outcome->why == NULL
                                                 ? kp_verdict_name(outcome->verdict)
                                                 : outcome->why);
        }
        (void)fputc('\n', lines->out);
        if (outcome->verdict == KP_WORKS || is_skip(outcome->verdict))
                return 0;
        (void)fprintf(lines->out, "  ---\n  severity: %s\n",
                kp_verdict_name(outcome->verdict));
        if (outcome->cause_id != NULL) {
                (void)fputs("  cause: ", lines->out);
                put_tap_text(lines->out, outcome->cause_id);
                (void)fputc('\n', lines->out);
        }
        (void)fputs("  ...\n", lines->out);
        return 0;
}

int
tap_write(struct kp_report *report, FILE *out, struct kp_error *err)
{
        struct lines lines = { report, out, 0 };

        (void)fprintf(out, "TAP version 14\n1..%" PRIu64 "\n", report->n_outcomes);
        if (report_walk(report, put_point, &lines, err) < 0)
                return -1;
        return ferror(out) ? KP_FAIL(err, KP_EIO, "cannot write TAP") : 0;
}

/*
 * Spec: RFC 4180. A value that a spreadsheet would take for a formula gets an
 * apostrophe, and line breaks become blanks.
 */
static void
put_csv(FILE *out, const char *text)
{
        (void)fputc('"', out); /* csv_write() asks the file */
        if (*text != '\0' && strchr("=+-@\t\r", *text) != NULL)
                (void)fputc('\'', out);
        for (; *text != '\0'; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '"')
                        (void)fputc('"', out);
                (void)fputc(c < ' ' || c == 0x7f ? ' ' : c, out);
        }
        (void)fputc('"', out);
}

static int
put_record(void *self, const struct outcome *outcome, struct kp_error *err)
{
        struct lines *lines = self;

        (void)err;
        put_csv(lines->out, outcome->scenario_id);
        for (int axis = 0; axis < KP_N_AXES; axis++) {
                (void)fputc(',', lines->out);
                put_csv(lines->out, kp_json_str(outcome->axes,
                                            kp_axis_name((enum kp_axis)axis), ""));
        }
        (void)fprintf(lines->out, ",%s,", kp_verdict_name(outcome->verdict));
        put_csv(lines->out, outcome->cause_id == NULL ? "" : outcome->cause_id);
        (void)fprintf(lines->out, ",%s,", evidence_name(outcome->evidence));
        put_csv(lines->out, outcome->why == NULL ? "" : outcome->why);
        (void)fputc(',', lines->out);
        put_csv(lines->out, outcome->id);
        (void)fputs("\r\n", lines->out);
        return 0;
}

int
csv_write(struct kp_report *report, FILE *out, struct kp_error *err)
{
        struct lines lines = { report, out, 0 };

        (void)fputs("scenario", out);
        for (int axis = 0; axis < KP_N_AXES; axis++)
                (void)fprintf(out, ",%s", kp_axis_name((enum kp_axis)axis));
        (void)fputs(",verdict,cause,evidence,why,id\r\n", out);
        if (report_walk(report, put_record, &lines, err) < 0)
                return -1;
        return ferror(out) ? KP_FAIL(err, KP_EIO, "cannot write CSV") : 0;
}
