/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"

#define MAX_CAUSES 8

static const enum kp_verdict order[KP_N_VERDICTS] = { KP_WORKS, KP_LIMITS, KP_BREAKS,
        KP_RISK, KP_INCONCLUSIVE, KP_NOT_APPLICABLE, KP_SKIPPED };

struct lists {
        struct fix *fixes; /* those that explain most first */
        size_t n_fixes;
        size_t first; /* the cause to arrange first; NO_CAUSE: none that a rule knows */
        size_t *questions;
        size_t n_questions;
};

static void
lists_done(struct lists *lists)
{
        free(lists->fixes);
        free(lists->questions);
}

static int
lists_find(const struct kp_report *report, const struct answer *answer,
        struct lists *lists, struct kp_error *err)
{
        struct fix *weighed;
        size_t n;

        if (fixes_find(report, answer, &weighed, &n, err) < 0)
                return -1;
        lists->first = NO_CAUSE;
        for (size_t i = n; i-- > 0;)
                if (report_cause(report, weighed[i].cause)->root != NULL)
                        lists->first = weighed[i].cause;
        free(weighed);
        if (fixes_find(report, NULL, &lists->fixes, &lists->n_fixes, err) < 0)
                return -1;
        return questions_find(report, &lists->questions, &lists->n_questions, err);
}

/* Characters on screen; a soft hyphen shows none. */
static int
width(const char *text)
{
        int n = 0;

        for (; *text != '\0'; text++)
                if ((*text & 0xc0) != 0x80 && (text[0] != '\xc2' || text[1] != '\xad'))
                        n++;
        return n;
}

static void
put_padded(struct page *page, struct kp_text text, int columns)
{
        int n = width(page_pick(page, text));

        page_plain(page, text);
        page_rawf(page, "%*s", n < columns ? columns - n : 0, "");
}

static void
put_counts_lines(struct page *page, const struct kp_report *report)
{
        for (int i = 0; i < KP_N_VERDICTS; i++) {
                if (report->total.n[order[i]] == 0)
                        continue;
                page_raw(page, "  ");
                put_padded(page, verdict_text(order[i]), 24);
                page_rawf(page, "%8s\n",
                        page_pick(page, number(page, report->total.n[order[i]])));
        }
}

static uint64_t
n_rules(const struct kp_report *report, const struct lists *lists)
{
        uint64_t n = 0;

        for (size_t i = 0; i < lists->n_fixes; i++)
                n += report_cause(report, lists->fixes[i].cause)->root != NULL;
        return n;
}

static void
put_causes_lines(
        struct page *page, const struct kp_report *report, const struct lists *lists)
{
        uint64_t n = n_rules(report, lists);
        struct kp_text explained = number(page, report->n_explained);
        struct kp_text all = number(page, failures(report));

        page_raw(page, "\n");
        if (lists->n_fixes == 0) {
                page_plain(page, say_text(SAY_T_NO_CAUSES));
                page_raw(page, "\n");
                return;
        }
        page_plain(page,
                n == 1 ? say2(page, SAY_T_CAUSE_ONE, explained, all)
                       : say3(page, SAY_T_CAUSES, number(page, n), explained, all));
        page_raw(page, "\n");
        for (size_t i = 0; i < lists->n_fixes && i < MAX_CAUSES; i++) {
                const struct fix *fix = &lists->fixes[i];

                page_rawf(page, "%8s  ", page_pick(page, number(page, fix->n)));
                put_padded(page, verdict_text(fix->worst), 22);
                page_plain(page, report_cause(report, fix->cause)->title);
                page_raw(page, "\n                                ");
                page_plain(page, plain(table_key(&report->causes, fix->cause)));
                page_raw(page, "\n");
        }
        if (lists->n_fixes > MAX_CAUSES) {
                page_raw(page, "          ");
                page_plain(page, say1(page, SAY_AND_MORE,
                                         number(page, lists->n_fixes - MAX_CAUSES)));
                page_raw(page, "\n");
        }
}

/* "Cannot say yet, because …" and its half sentence, joined. */
static void
put_answer_line(struct page *page, const struct answer *answer)
{
        const char *head = page_pick(page, answer_text(answer->kind));
        const char *dots = strstr(head, " …");

        page_raw(page, "\n");
        page_plain(page, say_text(SAY_T_ANSWER));
        page_rawf(page, " %.*s%s ",
                dots == NULL ? (int)strlen(head) : (int)(dots - head), head,
                dots == NULL ? "." : "");
        page_plain(page, answer_lead(page, answer));
        page_raw(page, "\n");
}

static void
put_quadrant_lines(
        struct page *page, const struct kp_report *report, const struct answer *answer)
{
        page_raw(page, "  ");
        page_plain(page, say_text((enum say)(SAY_SHOWS_SIMULATED + answer->base)));
        page_raw(page, ":\n");
        for (int home = 0; home < AT_NONE; home++)
                for (int group = 0; group < N_GROUPS; group++) {
                        const struct quadrant *quadrant =
                                &answer->quadrants[home][group];
                        struct kp_text why = reasons_text(page, report, quadrant);

                        if (!quadrant_is_shown(
                                    answer, (enum home)home, (enum group)group))
                                continue;
                        page_raw(page, "  - ");
                        page_plain(
                                page, say3(page, SAY_QUADRANT,
                                              capital(page, home_text((enum home)home)),
                                              group_text((enum group)group),
                                              state_text(quadrant->state)));
                        page_raw(page, "\n");
                        if (*page_pick(page, why) == '\0')
                                continue;
                        page_raw(page, "      ");
                        page_plain(page, why);
                        page_raw(page, "\n");
                }
}

static void
put_compared_line(struct page *page, const struct answer *answer)
{
        struct kp_text compared = compared_text(page, answer);

        if (*compared.en == '\0')
                return;
        page_raw(page, "  ");
        page_plain(page, compared);
        page_raw(page, "\n");
}

static void
put_question_line(
        struct page *page, const struct kp_report *report, const struct lists *lists)
{
        const struct unknown_row *unknown;

        if (lists->n_questions == 0)
                return;
        unknown = table_at(&report->unknowns, lists->questions[0]);
        page_raw(page, "\n");
        page_plain(page,
                lists->n_questions == 1
                        ? say1(page, SAY_T_QUESTION_ONE, asked_of(report, unknown))
                        : say2(page, SAY_T_QUESTIONS, number(page, lists->n_questions),
                                  asked_of(report, unknown)));
        page_raw(page, "\n  ");
        page_plain(page, question_of(page, unknown));
        page_raw(page, "\n");
}

static void
put_next(struct page *page, const struct kp_report *report, const struct lists *lists,
        bool incomplete)
{
        page_raw(page, "\n");
        put_padded(page, say_text(SAY_T_REPORT), 10);
        page_rawf(page, "%s/verdict.html  ", report->dir);
        page_plain(page, say_text(SAY_T_ONE_PAGE));
        page_rawf(page, "\n          %s/matrix.html   ", report->dir);
        page_plain(page, say_text(SAY_T_ALL));
        page_raw(page, "\n");
        put_padded(page, say_text(SAY_T_NEXT), 10);
        if (incomplete) {
                page_rawf(page, "keypilot run --out %s --resume  ", report->dir);
                page_plain(page, say_text(SAY_T_NEXT_RESUME));
        } else if (lists->first != NO_CAUSE) {
                page_rawf(page, "keypilot explain %s  ",
                        table_key(&report->causes, lists->first));
                page_plain(page, say_text(SAY_T_NEXT_EXPLAIN));
        } else {
                page_raw(page, "keypilot list keys  ");
                page_plain(page, say_text(SAY_T_NEXT_KEYS));
        }
        page_raw(page, "\n");
}

static void
put_head(struct page *page, const struct kp_report *report)
{
        const json_t *pilot = json_object_get(report->header, "pilot");
        struct kp_text incomplete = incomplete_text(page, report);
        struct kp_text evidence[N_EVIDENCE];
        size_t n = 0;

        for (int i = 0; i < N_EVIDENCE; i++)
                if (tally_all(&report->by_evidence[i]) > 0)
                        evidence[n++] = evidence_text((enum evidence)i);
        page_plain(page, plain(kp_json_str(report->header, "tool", "keypilot")));
        page_raw(page, ", pilot ");
        page_plain(page, plain(kp_json_str(pilot, "id", "?")));
        page_raw(page, ": ");
        page_plain(page, cells(page, report->n_outcomes));
        page_raw(page, n == 0 ? "" : ", ");
        page_plain(page, text_join(page, evidence, n, ", "));
        page_raw(page, "\n");
        if (*incomplete.en == '\0')
                return;
        page_plain(page, incomplete);
        page_raw(page, "\n");
}

int
summary_write(const struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        KP_CLEANUP(lists_done) struct lists lists = { 0 };
        struct answer answer;
        struct page page;

        answer_find(report, &answer);
        if (lists_find(report, &answer, &lists, err) < 0)
                return -1;
        page_init(&page, out, lang == KP_REPORT_NL ? PAGE_NL : PAGE_EN);
        put_head(&page, report);
        page_raw(&page, "\n");
        put_counts_lines(&page, report);
        put_causes_lines(&page, report, &lists);
        put_answer_line(&page, &answer);
        put_quadrant_lines(&page, report, &answer);
        put_compared_line(&page, &answer);
        put_question_line(&page, report, &lists);
        put_next(&page, report, &lists, *incomplete_text(&page, report).en != '\0');
        return page_done(&page, err);
}

/* ---- Markdown: the same, for a pull request or a wiki ---- */

/* Characters that mean something in Markdown are escaped, line breaks become blanks. */
static void
put_md(struct page *page, struct kp_text text)
{
        for (const char *c = page_pick(page, text); *c != '\0'; c++) {
                if (c[0] == '\xc2' && c[1] == '\xad') {
                        c++;
                        continue;
                }
                if (strchr("\\`*_{}[]<>#|!&~", *c) != NULL)
                        (void)fputc('\\', page->out); /* page_done() asks the file */
                (void)fputc(
                        (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c, page->out);
        }
}

int
markdown_write(const struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err)
{
        KP_CLEANUP(lists_done) struct lists lists = { 0 };
        struct answer answer;
        struct page page;

        answer_find(report, &answer);
        if (lists_find(report, &answer, &lists, err) < 0)
                return -1;
        page_init(&page, out, lang == KP_REPORT_NL ? PAGE_NL : PAGE_EN);
        page_raw(&page, "# ");
        put_md(&page, say_text(SAY_M_TITLE));
        page_raw(&page, "\n\n**");
        put_md(&page, answer_text(answer.kind));
        page_raw(&page, "** ");
        put_md(&page, answer_lead(&page, &answer));
        page_raw(&page, "\n\n");
        for (int i = 0; i < KP_N_VERDICTS; i++) {
                page_raw(&page, "- ");
                put_md(&page, verdict_text(order[i]));
                page_rawf(&page, ": %s\n",
                        page_pick(&page, number(&page, report->total.n[order[i]])));
        }
        page_raw(&page, "\n");
        for (size_t i = 0; i < lists.n_fixes; i++) {
                const struct cause_row *cause =
                        report_cause(report, lists.fixes[i].cause);

                page_rawf(&page, "%zu. **%" PRIu64 " ×** ", i + 1, lists.fixes[i].n);
                put_md(&page, cause->title);
                page_raw(&page, " – ");
                put_md(&page, owner_text(cause->owner));
                page_raw(&page, ". ");
                put_md(&page, cause->fix);
                page_raw(&page, "\n");
        }
        return page_done(&page, err);
}
