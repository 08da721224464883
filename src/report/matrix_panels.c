/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "reasons.h"
#include "trace_words.h"

#define MAX_TRACES 60 /* on the page, besides the first of each cause */
#define MAX_PLACES 8  /* values of one axis */
#define MAX_FACTS 60

static void
put_term(struct page *page, enum say say)
{
        page_raw(page, "<dt>");
        page_say(page, say);
        page_raw(page, "</dt><dd>");
}

static void
put_section(struct page *page, const char *id, enum say title)
{
        page_rawf(page, "<section id=\"%s\"><h2>", id);
        page_say(page, title);
        page_raw(page, "</h2>\n");
}

static void
put_table_head(struct page *page, const enum say *heads, size_t n_heads)
{
        page_raw(page, "<table class=\"d st\"><thead><tr>");
        for (size_t i = 0; i < n_heads; i++) {
                page_raw(page, "<th scope=\"col\">");
                page_say(page, heads[i]);
                page_raw(page, "</th>");
        }
        page_raw(page, "</tr></thead><tbody>\n");
}

/* Counts in one line: "12 × Breaks · 3 × Security risk" */
static void
put_tally_line(struct page *page, const struct tally *tally)
{
        static const enum kp_verdict order[] = { KP_RISK, KP_BREAKS, KP_LIMITS,
                KP_INCONCLUSIVE, KP_WORKS, KP_NOT_APPLICABLE, KP_SKIPPED };

        for (size_t i = 0; i < KP_NELEMS(order); i++) {
                if (tally->n[order[i]] == 0)
                        continue;
                page_raw(page, "<span class=\"o\">");
                page_icon(page, order[i], "s");
                page_raw(page, " ");
                page_put(page, say1(page, SAY_TIMES, number(page, tally->n[order[i]])));
                page_raw(page, " ");
                page_put(page, verdict_text(order[i]));
                page_raw(page, "</span> ");
        }
}

/* ---- causes ---- */

static void
put_cause_texts(struct page *page, const struct cause_row *cause)
{
        const json_t *spec;
        size_t i;

        if (*cause->meaning.en != '\0') {
                put_term(page, SAY_M_MEANING);
                page_put(page, cause->meaning);
                page_raw(page, "</dd>");
        }
        put_term(page, SAY_M_OWNER);
        page_put(page, capital(page, owner_text(cause->owner)));
        page_raw(page, "</dd>");
        if (*cause->fix.en != '\0') {
                put_term(page, SAY_M_FIX);
                page_put(page, cause->fix);
                page_raw(page, "</dd>");
        }
        if (json_array_size(cause->spec) == 0)
                return;
        put_term(page, SAY_M_SPEC);
        json_array_foreach (cause->spec, i, spec) {
                page_raw(page, i == 0 ? "" : "; ");
                page_text(page, json_is_string(spec) ? json_string_value(spec) : "");
        }
        page_raw(page, "</dd>");
}

/* The steps at which this cause was found, each a link to its evidence. */
static void
put_cause_findings(struct page *page, const struct kp_report *report, size_t cause)
{
        put_term(page, SAY_M_SEEN);
        page_raw(page, "<ul>");
        for (size_t i = 0; i < report->findings.n; i++) {
                const struct finding_row *finding = table_at(&report->findings, i);

                if (finding->cause != cause)
                        continue;
                page_rawf(page, "<li><a href=\"#f%zu\">", i);
                page_put(page, verdict_text(finding->verdict));
                page_raw(page, " – ");
                page_put(page, column_text(finding->column));
                page_raw(page, ", ");
                page_put(page, home_text(finding->home));
                page_raw(page, "</a>: ");
                page_put(page, cells(page, finding->n));
                page_raw(page, "</li>");
        }
        page_raw(page, "</ul></dd>");
}

void
put_causes(struct page *page, const struct kp_report *report, const struct fix *fixes,
        size_t n_fixes)
{
        put_section(page, "causes", SAY_M_CAUSES);
        for (size_t i = 0; i < n_fixes; i++) {
                const struct cause_row *cause = report_cause(report, fixes[i].cause);

                page_rawf(page, "<details class=\"ev v-%s\" id=\"c%zu\"><summary>",
                        kp_verdict_name(fixes[i].worst), fixes[i].cause);
                page_icon(page, fixes[i].worst, "");
                page_raw(page, " <b>");
                page_put(page, say1(page, SAY_TIMES, number(page, fixes[i].n)));
                page_raw(page, "</b> ");
                page_put(page, cause->title);
                page_raw(page, " <code>");
                page_text(page, table_key(&report->causes, fixes[i].cause));
                page_raw(page, "</code></summary><dl>");
                put_cause_texts(page, cause);
                put_cause_findings(page, report, fixes[i].cause);
                page_raw(page, "</dl></details>\n");
        }
        page_raw(page, "</section>\n");
}

/* ---- findings ---- */

/* The places of one finding on one axis; nothing where the run has one value only. */
static void
put_places(
        struct page *page, const struct kp_report *report, size_t finding, size_t axis)
{
        size_t n = 0;

        if (report->axes[axis].n < 2)
                return;
        for (size_t i = 0; i < report->places.n; i++) {
                const struct place_row *place = table_at(&report->places, i);

                if (place->finding != finding || place->axis != axis)
                        continue;
                if (n == 0) {
                        page_raw(page, "<li>");
                        page_put(page, capital(page, axis_text(axis)));
                        page_raw(page, ": ");
                }
                if (n < MAX_PLACES) {
                        page_raw(page, n == 0 ? "" : "; ");
                        page_put(page, report_value(report, axis, place->value)->title);
                        page_raw(page, " (");
                        page_put(page, number(page, place->n));
                        page_raw(page, ")");
                }
                n++;
        }
        if (n > MAX_PLACES) {
                page_raw(page, ", ");
                page_put(page, say1(page, SAY_AND_MORE, number(page, n - MAX_PLACES)));
        }
        if (n > 0)
                page_raw(page, "</li>");
}

static void
put_ids(struct page *page, const struct finding_row *finding)
{
        page_raw(page, "<ul class=\"ids\">");
        for (size_t i = 0; i < finding->n_ids; i++) {
                page_raw(page, "<li><code>");
                page_text(page, finding->ids[i]);
                page_raw(page, "</code></li>");
        }
        if (finding->n > finding->n_ids) {
                page_raw(page, "<li>");
                page_put(page, say1(page, SAY_M_IDS_MORE,
                                       number(page, finding->n - finding->n_ids)));
                page_raw(page, "</li>");
        }
        page_raw(page, "</ul>");
}

static void
put_finding_head(struct page *page, const struct kp_report *report, size_t i)
{
        const struct finding_row *finding = table_at(&report->findings, i);

        page_rawf(page, "<details class=\"ev v-%s\" id=\"f%zu\"><summary>",
                kp_verdict_name(finding->verdict), i);
        page_icon(page, finding->verdict, "");
        page_raw(page, " <b>");
        page_put(page, verdict_text(finding->verdict));
        page_raw(page, "</b> – ");
        page_put(page, column_text(finding->column));
        page_raw(page, ", ");
        page_put(page, home_text(finding->home));
        if (finding->cause != NO_CAUSE) {
                page_raw(page, ": ");
                page_put(page, report_cause(report, finding->cause)->title);
        }
        page_raw(page, " <span class=\"soft small\">");
        page_put(page, cells(page, finding->n));
        page_raw(page, "</span></summary><dl>");
}

static int
put_finding(struct page *page, const struct kp_report *report, size_t i, bool traced,
        struct kp_error *err)
{
        const struct finding_row *finding = table_at(&report->findings, i);

        put_finding_head(page, report, i);
        if (finding->cause != NO_CAUSE) {
                const struct cause_row *cause = report_cause(report, finding->cause);

                put_term(page, SAY_M_OWNER);
                page_put(page, capital(page, owner_text(cause->owner)));
                page_raw(page, "</dd>");
                put_term(page, SAY_M_FIX);
                page_put(page, *cause->fix.en == '\0' ? cause->title : cause->fix);
                page_rawf(page, " <a href=\"#c%zu\">", finding->cause);
                page_say(page, SAY_M_MEANING);
                page_raw(page, "</a></dd>");
        }
        if (finding->why != NULL) {
                put_term(page, SAY_M_WHY);
                page_put(page, reason_text(page, finding->why));
                page_raw(page, "</dd>");
        }
        put_term(page, SAY_M_WHERE);
        page_raw(page, "<ul>");
        for (size_t axis = 0; axis < KP_N_AXES; axis++)
                if (axis != KP_AXIS_HOME)
                        put_places(page, report, i, axis);
        page_raw(page, "</ul></dd>");
        put_term(page, SAY_M_IDS);
        put_ids(page, finding);
        page_raw(page, "</dd></dl>");
        if (traced && finding->example != NULL && strcmp(finding->example, "[]") != 0) {
                page_raw(page, "<h4>");
                page_say(page, SAY_M_EXAMPLE);
                page_raw(page, "</h4>");
                if (trace_write(page, finding->example, err) < 0)
                        return -1;
        }
        page_raw(page, "</details>\n");
        return 0;
}

/* The first finding of its cause: its example stands on the page in any case. */
static bool
is_first_of_cause(const struct kp_report *report, size_t i)
{
        const struct finding_row *finding = table_at(&report->findings, i);

        if (finding->cause == NO_CAUSE)
                return false;
        for (size_t j = 0; j < i; j++)
                if (((struct finding_row *)table_at(&report->findings, j))->cause ==
                        finding->cause)
                        return false;
        return true;
}

static int
put_findings_of(struct page *page, const struct kp_report *report,
        enum kp_verdict verdict, enum column column, size_t *n_traced,
        struct kp_error *err)
{
        for (size_t i = 0; i < report->findings.n; i++) {
                const struct finding_row *finding = table_at(&report->findings, i);
                bool traced;

                if (finding->verdict != verdict || finding->column != column)
                        continue;
                traced = is_first_of_cause(report, i) || ++*n_traced <= MAX_TRACES;
                if (put_finding(page, report, i, traced, err) < 0)
                        return -1;
        }
        return 0;
}

/* What matters most comes first, and keeps its example when there are too many. */
int
put_findings(struct page *page, const struct kp_report *report, struct kp_error *err)
{
        static const enum kp_verdict order[KP_N_VERDICTS] = { KP_RISK, KP_BREAKS,
                KP_LIMITS, KP_INCONCLUSIVE, KP_WORKS, KP_SKIPPED, KP_NOT_APPLICABLE };
        size_t n_traced = 0;

        put_section(page, "evidence", SAY_M_EVIDENCE);
        for (size_t v = 0; v < KP_N_VERDICTS; v++)
                for (int column = 0; column < N_COLUMNS; column++)
                        if (put_findings_of(page, report, order[v], (enum column)column,
                                    &n_traced, err) < 0)
                                return -1;
        page_raw(page, "</section>\n");
        return 0;
}

/* ---- questions ---- */

static void
put_options(struct page *page, const struct kp_report *report, size_t unknown)
{
        page_raw(page, "<ul class=\"opt\">");
        for (size_t i = 0; i < report->options.n; i++) {
                const struct option_row *option = table_at(&report->options, i);

                if (option->unknown != unknown)
                        continue;
                page_raw(page, "<li><code>");
                page_text(page, option->value);
                page_raw(page, "</code> ");
                put_tally_line(page, &option->tally);
                page_raw(page, "</li>");
        }
        page_raw(page, "</ul>");
}

static void
put_question(struct page *page, const struct kp_report *report, size_t n, size_t row)
{
        const struct unknown_row *unknown = table_at(&report->unknowns, row);

        page_rawf(page, "<tr><td>%zu</td><td>", n);
        page_put(page, question_of(page, unknown));
        page_raw(page, "<br><code>");
        page_text(page, unknown->fact);
        page_raw(page, "</code></td><td>");
        page_put(page, asked_of(report, unknown));
        page_raw(page, "</td><td>");
        page_put(page, cells(page, unknown->n_decisive));
        page_raw(page, "</td><td>");
        put_options(page, report, row);
        page_raw(page, "</td></tr>\n");
}

void
put_questions(struct page *page, const struct kp_report *report,
        const size_t *questions, size_t n_questions)
{
        static const enum say heads[] = { SAY_M_QUESTION, SAY_M_TO, SAY_M_WEIGHT,
                SAY_M_IF_ANSWER };

        put_section(page, "questions", SAY_M_QUESTIONS);
        if (n_questions == 0) {
                page_raw(page, "<p>");
                page_say(page, SAY_NONE);
                page_raw(page, "</p></section>\n");
                return;
        }
        page_raw(page, "<p class=\"soft\">");
        page_say(page, SAY_M_QUESTIONS_LEAD);
        page_raw(page, "</p><table class=\"d st\"><thead><tr><td></td>");
        for (size_t i = 0; i < KP_NELEMS(heads); i++) {
                page_raw(page, "<th scope=\"col\">");
                page_say(page, heads[i]);
                page_raw(page, "</th>");
        }
        page_raw(page, "</tr></thead><tbody>\n");
        for (size_t i = 0; i < n_questions; i++)
                put_question(page, report, i + 1, questions[i]);
        page_raw(page, "</tbody></table></section>\n");
}

/* ---- facts and reasons ---- */

static int
compare_resting(const void *x, const void *y, void *context)
{
        const struct kp_report *report = context;
        const struct resting_row *a = table_at(&report->resting, *(const size_t *)x);
        const struct resting_row *b = table_at(&report->resting, *(const size_t *)y);

        if (a->n != b->n)
                return a->n > b->n ? -1 : 1;
        return *(const size_t *)x < *(const size_t *)y ? -1 : 1;
}

static void
put_fact(struct page *page, const struct kp_report *report,
        const struct resting_row *row)
{
        page_raw(page, "<tr><td><code>");
        page_text(page, row->fact);
        page_raw(page, "</code>");
        if (row->profile != SIZE_MAX) {
                page_raw(page, " ");
                page_put(page, report_value(report, row->axis, row->profile)->title);
        }
        page_raw(page, "</td><td>");
        page_text(page, row->value);
        page_raw(page, "</td><td>");
        page_put(page, status_text(row->status));
        page_raw(page, "</td><td>");
        page_put(page, cells(page, row->n));
        page_raw(page, "</td></tr>\n");
}

void
put_facts_table(struct page *page, const struct kp_report *report)
{
        static const enum say heads[] = { SAY_M_FACT, SAY_M_VALUE, SAY_M_STATUS,
                SAY_M_USED };
        size_t n = report->resting.n;
        size_t *order = calloc(n + 1, sizeof(*order));

        if (order == NULL) {
                page->failed = true;
                return;
        }
        for (size_t i = 0; i < n; i++)
                order[i] = i;
        qsort_r(order, n, sizeof(*order), compare_resting, (void *)report);
        put_section(page, "facts", SAY_M_FACTS);
        page_raw(page, "<p class=\"soft\">");
        page_say(page, SAY_M_FACTS_LEAD);
        page_raw(page, "</p>");
        put_table_head(page, heads, KP_NELEMS(heads));
        for (size_t i = 0; i < n && i < MAX_FACTS; i++)
                put_fact(page, report, table_at(&report->resting, order[i]));
        page_raw(page, "</tbody></table>");
        if (n > MAX_FACTS) {
                page_raw(page, "<p>");
                page_put(page, say1(page, SAY_AND_MORE, number(page, n - MAX_FACTS)));
                page_raw(page, "</p>");
        }
        page_raw(page, "</section>\n");
        free(order);
}

void
put_whys(struct page *page, const struct kp_report *report)
{
        if (report->whys.n == 0)
                return;
        put_section(page, "remaining", SAY_M_REMAINING);
        page_raw(page, "<ul>");
        for (size_t i = 0; i < report->whys.n; i++) {
                const struct why_row *why = table_at(&report->whys, i);

                page_raw(page, "<li>");
                page_icon(page, why->verdict, "s");
                page_raw(page, " <b>");
                page_put(page, say1(page, SAY_TIMES, number(page, why->n)));
                page_raw(page, "</b> ");
                page_put(page, reason_text(page, why->why));
                page_raw(page, "</li>");
        }
        page_raw(page, "</ul></section>\n");
}
