/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "pages.h"

/*
 * JUnit XML, as CI systems read it: a test case for each outcome, its class the
 * scenario and its name the cell. Readers differ in what they show of a failure: the
 * cause stands in the message and in the text.
 */
struct junit {
        const struct kp_report *report;
        FILE *out;
};

static void
put_attribute(FILE *out, const char *name, const char *value)
{
        (void)fprintf(out, " %s=\"", name); /* junit_write() asks the file */
        xml_text(out, value);
        (void)fputc('"', out);
}

/* The cell without its scenario, which is the class already. */
static const char *
name_of(const struct outcome *outcome)
{
        size_t len = strlen(outcome->scenario_id);

        if (strncmp(outcome->id, outcome->scenario_id, len) == 0 &&
                outcome->id[len] == ' ')
                return outcome->id + len + 1;
        return outcome->id;
}

static void
put_cause(const struct junit *junit, const struct outcome *outcome)
{
        const struct cause_row *cause;

        if (outcome->cause == NO_CAUSE) {
                xml_text(junit->out, outcome->why == NULL ? "" : outcome->why);
                return;
        }
        cause = report_cause(junit->report, outcome->cause);
        xml_text(junit->out, outcome->cause_id);
        (void)fputs(": ", junit->out);
        xml_text(junit->out, cause->title.en);
        if (*cause->fix.en != '\0') {
                (void)fputs(". ", junit->out);
                xml_text(junit->out, cause->fix.en);
        }
}

static void
put_result(const struct junit *junit, const struct outcome *outcome,
        const char *element, const char *type)
{
        (void)fprintf(junit->out, "      <%s", element);
        if (type != NULL)
                put_attribute(junit->out, "type", type);
        (void)fputs(" message=\"", junit->out);
        put_cause(junit, outcome);
        (void)fputs("\">", junit->out);
        put_cause(junit, outcome);
        (void)fprintf(junit->out, "</%s>\n", element);
}

static void
put_verdict(const struct junit *junit, const struct outcome *outcome)
{
        switch (outcome->verdict) {
        case KP_WORKS:
                return;
        case KP_LIMITS:
                (void)fputs("      <system-out>limits: ", junit->out);
                put_cause(junit, outcome);
                (void)fputs("</system-out>\n", junit->out);
                return;
        case KP_BREAKS:
                put_result(junit, outcome, "failure", "breaks");
                return;
        case KP_RISK:
                put_result(junit, outcome, "failure", "security-risk");
                return;
        case KP_INCONCLUSIVE:
                put_result(junit, outcome, "error", "inconclusive");
                return;
        case KP_NOT_APPLICABLE:
        case KP_SKIPPED:
                put_result(junit, outcome, "skipped", NULL);
                return;
        }
}

static int
put_case(void *self, const struct outcome *outcome, struct kp_error *err)
{
        const struct junit *junit = self;

        (void)err;
        (void)fputs("    <testcase", junit->out);
        put_attribute(junit->out, "classname", outcome->scenario_id);
        put_attribute(junit->out, "name", name_of(outcome));
        (void)fputs(" time=\"0\">\n", junit->out);
        put_verdict(junit, outcome);
        (void)fputs("    </testcase>\n", junit->out);
        return 0;
}

static void
put_numbers(FILE *out, const struct tally *tally)
{
        (void)fprintf(out,
                " tests=\"%" PRIu64 "\" failures=\"%" PRIu64 "\" errors=\"%" PRIu64
                "\"",
                tally_all(tally), tally->n[KP_BREAKS] + tally->n[KP_RISK],
                tally->n[KP_INCONCLUSIVE]);
}

int
junit_write(struct kp_report *report, FILE *out, struct kp_error *err)
{
        struct junit junit = { report, out };
        const json_t *pilot = json_object_get(report->header, "pilot");

        (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
        put_attribute(out, "name", "keypilot");
        put_numbers(out, &report->total);
        (void)fputs(">\n  <testsuite", out);
        put_attribute(out, "name", kp_json_str(pilot, "id", "pilot"));
        put_numbers(out, &report->total);
        (void)fprintf(out, " skipped=\"%" PRIu64 "\">\n",
                report->total.n[KP_SKIPPED] + report->total.n[KP_NOT_APPLICABLE]);
        if (report_walk(report, put_case, &junit, err) < 0)
                return -1;
        (void)fputs("  </testsuite>\n</testsuites>\n", out);
        return ferror(out) ? KP_FAIL(err, KP_EIO, "cannot write junit.xml") : 0;
}
