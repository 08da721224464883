/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "pages.h"

#define MAX_FIXES 5
#define MAX_CLAIMS 3
#define MAX_PROBLEMS 5
#define MAX_QUESTIONS 3

/* What one page is written from, found once for both languages. */
struct verdict {
        const struct kp_report *report;
        struct answer answer;
        struct fix *fixes;
        size_t n_fixes;
        struct claim *claims;
        size_t n_claims;
        size_t *questions;
        size_t n_questions;
        size_t listed[MAX_QUESTIONS]; /* questions that decide one of the answers */
        size_t n_listed;
};

static void
verdict_done(struct verdict *verdict)
{
        free(verdict->fixes);
        claims_done(verdict->claims, verdict->n_claims);
        free(verdict->questions);
}

static void
put_question(struct page *page, const struct verdict *verdict)
{
        const struct answer *answer = &verdict->answer;

        page_raw(page, "<p class=\"soft\">");
        page_say(page, SAY_V_TITLE);
        page_raw(page, "</p><h1>");
        page_put(page, say1(page, SAY_V_QUESTION, services_text(verdict->report)));
        page_rawf(page, "</h1>\n<div class=\"verdict v-%s\">",
                kp_verdict_name(answer_verdict(answer->kind)));
        page_icon(page, answer_verdict(answer->kind), "l");
        page_raw(page, "<div><p class=\"v\">");
        page_put(page, answer_text(answer->kind));
        page_raw(page, "</p><p class=\"lead\">");
        page_put(page, answer_lead(page, answer));
        page_raw(page, "</p></div></div>\n");
}

static void
put_quadrant(struct page *page, const struct verdict *verdict, enum home home,
        enum group group)
{
        const struct quadrant *quadrant = &verdict->answer.quadrants[home][group];
        struct kp_text why = reasons_text(page, verdict->report, quadrant);
        size_t n =
                question_number(verdict->listed, verdict->n_listed, quadrant->question);

        page_rawf(page, "<td class=\"v-%s\"><p class=\"g soft\">",
                kp_verdict_name(state_verdict(quadrant->state)));
        page_put(page, capital(page, group_text(group)));
        page_raw(page, "</p><p>");
        page_icon(page, state_verdict(quadrant->state), "s");
        page_raw(page, " <span class=\"st\">");
        page_put(page, state_text(quadrant->state));
        page_raw(page, "</span>");
        if (tally_decided(&quadrant->tally) > 0) {
                page_raw(page, "<span class=\"soft\"> (");
                page_put(page, say2(page, SAY_GOOD_OF,
                                       number(page, tally_good(&quadrant->tally)),
                                       number(page, tally_decided(&quadrant->tally))));
                page_raw(page, ")</span>");
        }
        page_raw(page, "</p>");
        if (*why.en != '\0') {
                page_raw(page, "<p>");
                page_put(page, why);
                page_raw(page, n > 0 ? ". " : ".");
                if (n > 0)
                        page_put(page, say1(page, SAY_DEPENDS, number(page, n)));
                page_raw(page, "</p>");
        }
        page_raw(page, "</td>");
}

static enum say
shows(const struct answer *answer)
{
        return (enum say)(SAY_SHOWS_SIMULATED + answer->base);
}

/* Nothing is known of the two plain places: then the others are worth the room. */
static bool
is_alone(const struct verdict *verdict)
{
        for (int group = 0; group < N_GROUPS; group++)
                if (verdict->answer.quadrants[AT_SERVICE][group].state >= STATE_NO ||
                        verdict->answer.quadrants[AT_PROVIDER][group].state >= STATE_NO)
                        return false;
        return true;
}

/* The four answers: where the passkey stands × whether the EIP knows the people. */
static void
put_quadrants(struct page *page, const struct verdict *verdict)
{
        bool unknown = answer_has_group(&verdict->answer, GROUP_UNKNOWN);
        struct kp_text compared = compared_text(page, &verdict->answer);

        page_raw(page, "<h2>");
        page_say(page, shows(&verdict->answer));
        page_raw(page, "</h2><table class=\"q4\"><thead><tr><td></td>");
        for (int group = 0; group < N_GROUPS - !unknown; group++) {
                page_raw(page, "<th scope=\"col\">");
                page_put(page, capital(page, group_text((enum group)group)));
                page_raw(page, "</th>");
        }
        page_raw(page, "</tr></thead><tbody>\n");
        for (int home = 0; home < AT_NONE; home++) {
                if (home != AT_SERVICE && home != AT_PROVIDER && !is_alone(verdict))
                        continue;
                if (!quadrant_is_shown(&verdict->answer, (enum home)home, WITH_EIP))
                        continue;
                page_raw(page, "<tr><th scope=\"row\">");
                page_put(page, capital(page, home_text((enum home)home)));
                page_raw(page, "</th>");
                for (int group = 0; group < N_GROUPS - !unknown; group++)
                        put_quadrant(page, verdict, (enum home)home, (enum group)group);
                page_raw(page, "</tr>\n");
        }
        page_raw(page, "</tbody></table>\n");
        if (*compared.en != '\0') {
                page_raw(page, "<p class=\"cmp\">");
                page_put(page, compared);
                page_raw(page, "</p>\n");
        }
}

static void
put_fix(struct page *page, const struct verdict *verdict, const struct fix *fix,
        size_t n)
{
        const struct cause_row *cause = report_cause(verdict->report, fix->cause);

        page_rawf(page, "<tr><td class=\"n\">%zu</td><td>", n);
        page_put(page, cause->fix);
        page_raw(page, "</td><td>");
        page_put(page, capital(page, owner_text(cause->owner)));
        page_raw(page, "</td><td>");
        page_put(page, say2(page, SAY_V_PROBLEMS, number(page, fix->n),
                               number(page, failures(verdict->report))));
        page_raw(page, "</td></tr>\n");
}

/* What no rule explains, nobody can fix yet. */
static bool
has_fix(const struct verdict *verdict, const struct fix *fix)
{
        return *report_cause(verdict->report, fix->cause)->fix.en != '\0';
}

static void
put_fixes(struct page *page, const struct verdict *verdict)
{
        static const enum say heads[] = { SAY_V_WHAT, SAY_V_WHO, SAY_V_MUCH };
        size_t n_known = 0, n = 0;

        page_raw(page, "<h2>");
        page_say(page, SAY_V_FIRST);
        page_raw(page, "</h2>");
        for (size_t i = 0; i < verdict->n_fixes; i++)
                n_known += has_fix(verdict, &verdict->fixes[i]);
        if (n_known == 0) {
                page_raw(page, "<p>");
                page_say(page,
                        verdict->n_fixes == 0 ? SAY_V_NOTHING_FIRST : SAY_V_NO_RULE);
                page_raw(page, "</p>\n");
                return;
        }
        page_raw(page, "<table class=\"fix\"><thead><tr><td class=\"n\"></td>");
        for (size_t i = 0; i < KP_NELEMS(heads); i++) {
                page_raw(page, "<th scope=\"col\">");
                page_say(page, heads[i]);
                page_raw(page, "</th>");
        }
        page_raw(page, "</tr></thead><tbody>\n");
        for (size_t i = 0; i < verdict->n_fixes && n < MAX_FIXES; i++)
                if (has_fix(verdict, &verdict->fixes[i]))
                        put_fix(page, verdict, &verdict->fixes[i], ++n);
        page_raw(page, "</tbody></table>\n");
}

static void
put_item(struct page *page, enum kp_verdict verdict, struct kp_text text)
{
        page_raw(page, "<li>");
        page_icon(page, verdict, "s");
        page_raw(page, "<span>");
        page_put(page, text);
        page_raw(page, "</span></li>");
}

static void
put_works(struct page *page, const struct verdict *verdict)
{
        page_raw(page, "<section><h2>");
        page_say(page, verdict->answer.base == SIMULATED ? SAY_V_WORKS_SIMULATED
                                                         : SAY_V_WORKS);
        page_raw(page, "</h2><ul>");
        for (size_t i = 0; i < verdict->n_claims && i < MAX_CLAIMS; i++)
                put_item(page, KP_WORKS,
                        claim_text(page, verdict->report, &verdict->claims[i]));
        if (verdict->n_claims == 0) {
                page_raw(page, "<li>");
                page_say(page, SAY_V_NO_WORKS);
                page_raw(page, "</li>");
        }
        page_raw(page, "</ul></section>\n");
}

static void
put_not_yet(struct page *page, const struct verdict *verdict)
{
        page_raw(page, "<section><h2>");
        page_say(page, SAY_V_NOT_YET);
        page_raw(page, "</h2><ul>");
        for (size_t i = 0; i < verdict->n_fixes && i < MAX_PROBLEMS; i++)
                put_item(page, verdict->fixes[i].worst,
                        report_cause(verdict->report, verdict->fixes[i].cause)->title);
        if (verdict->n_fixes == 0) {
                page_raw(page, "<li>");
                page_say(page, SAY_V_NO_PROBLEMS);
                page_raw(page, "</li>");
        }
        page_raw(page, "</ul></section>\n");
}

static void
put_line(struct page *page, struct kp_text text)
{
        page_raw(page, "<p>");
        page_put(page, text);
        page_raw(page, "</p>");
}

/* Steps that the run has a scenario for, but no outcome that decides anything. */
static size_t
open_columns(const struct kp_report *report, struct kp_text *ret)
{
        size_t n = 0;

        for (int column = 0; column < N_COLUMNS; column++) {
                uint64_t decided = 0;

                for (size_t i = 0; i < report->scenarios.n; i++)
                        if ((int)report_scenario(report, i)->column == column)
                                decided += tally_decided(
                                        &report_scenario(report, i)->tally);
                if (decided == 0)
                        ret[n++] = column_text((enum column)column);
        }
        return n;
}

static void
put_not_tested(struct page *page, const struct verdict *verdict)
{
        const struct kp_report *report = verdict->report;
        struct kp_text columns[N_COLUMNS];
        size_t n = open_columns(report, columns);

        page_raw(page, "<section><h2>");
        page_say(page, SAY_V_NOT_TESTED);
        page_raw(page, "</h2>");
        if (tally_decided(&report->by_evidence[LAB]) == 0 &&
                tally_decided(&report->by_evidence[LIVE]) == 0)
                put_line(page, say_text(SAY_V_NO_REAL_KEY));
        if (tally_decided(&report->by_evidence[LIVE]) == 0)
                put_line(page, say_text(SAY_V_NO_REAL_SITES));
        for (int group = 0; group < GROUP_UNKNOWN; group++)
                if (!answer_has_group(&verdict->answer, (enum group)group))
                        put_line(page,
                                say1(page, SAY_V_NO_GROUP,
                                        capital(page, group_text((enum group)group))));
        if (n > 0)
                put_line(page, say1(page, SAY_V_NO_COLUMNS,
                                       text_join(page, columns, n, ", ")));
        if (report->total.n[KP_SKIPPED] > 0)
                put_line(page, say1(page, SAY_V_SKIPPED,
                                       number(page, report->total.n[KP_SKIPPED])));
        page_raw(page, "</section>\n");
}

static uint64_t
n_tried(const struct kp_report *report, enum kp_axis axis)
{
        uint64_t n = 0;

        for (size_t i = 0; i < report->axes[axis].n; i++)
                if (tally_decided(&report_value(report, axis, i)->tally) > 0)
                        n++;
        return n;
}

static void
put_turns(struct page *page, const struct verdict *verdict)
{
        const struct kp_report *report = verdict->report;

        if (verdict->n_questions == 0)
                return;
        put_line(page,
                verdict->n_questions == 1
                        ? say_text(SAY_V_TURNS_ONE)
                        : say1(page, SAY_V_TURNS, number(page, verdict->n_questions)));
        page_raw(page, "<ol>");
        for (size_t i = 0; i < verdict->n_listed; i++) {
                const struct unknown_row *unknown =
                        table_at(&report->unknowns, verdict->listed[i]);

                page_raw(page, "<li>");
                page_put(page, say2(page, SAY_V_TO, asked_of(report, unknown),
                                       question_of(page, unknown)));
                page_raw(page, "</li>");
        }
        page_raw(page, "</ol>");
}

static void
put_sure(struct page *page, const struct verdict *verdict)
{
        const struct kp_report *report = verdict->report;
        struct kp_text incomplete = incomplete_text(page, report), service;

        page_raw(page, "<section><h2>");
        page_say(page, SAY_V_SURE);
        page_raw(page, "</h2>");
        if (*incomplete.en != '\0')
                put_line(page, incomplete);
        put_line(
                page, say3(page, SAY_V_COUNTED, number(page, tally_all(&report->total)),
                              number(page, n_tried(report, KP_AXIS_KEY)),
                              number(page, n_tried(report, KP_AXIS_CLIENT))));
        if (report->total.n[KP_INCONCLUSIVE] == 1)
                put_line(page, say_text(SAY_V_UNCLEAR_ONE));
        else if (report->total.n[KP_INCONCLUSIVE] > 1)
                put_line(page, say1(page, SAY_V_UNCLEAR,
                                       number(page, report->total.n[KP_INCONCLUSIVE])));
        if (report->resting.n > 0)
                put_line(page,
                        say1(page, SAY_V_ASSUMED, number(page, report->resting.n)));
        put_turns(page, verdict);
        if (protocol_is_unsure(report, &service))
                put_line(page, say1(page, SAY_V_PROTOCOL, service));
        page_raw(page, "</section>\n");
}

static void
put_footer(struct page *page, const struct kp_report *report)
{
        page_raw(page, "<footer><p>");
        page_say(page, SAY_V_EIP);
        page_raw(page, " ");
        page_say(page, SAY_V_EXPIRES);
        page_raw(page, "</p><p>");
        page_say(page, SAY_V_MORE);
        page_raw(page, " ");
        page_say(page, SAY_V_PRIVACY);
        page_raw(page, "<br>");
        put_run(page, report);
        page_raw(page, "</p></footer>\n");
}

static void
put_article(struct page *page, const struct verdict *verdict)
{
        page_rawf(page, "<article lang=\"%s\">", page->lang == PAGE_NL ? "nl" : "en");
        put_question(page, verdict);
        put_quadrants(page, verdict);
        put_fixes(page, verdict);
        page_raw(page, "<div class=\"cols\">");
        put_works(page, verdict);
        put_not_yet(page, verdict);
        page_raw(page, "</div><div class=\"cols small\">");
        put_not_tested(page, verdict);
        put_sure(page, verdict);
        page_raw(page, "</div>");
        put_footer(page, verdict->report);
        page_raw(page, "</article>\n");
}

static void
list_question(struct verdict *verdict, size_t unknown)
{
        if (verdict->n_listed < MAX_QUESTIONS && unknown != SIZE_MAX &&
                question_number(verdict->listed, verdict->n_listed, unknown) == 0)
                verdict->listed[verdict->n_listed++] = unknown;
}

/* First what the four answers hang on, then the weightiest of the rest. */
static void
list_questions(struct verdict *verdict)
{
        for (int home = 0; home < AT_NONE; home++)
                for (int group = 0; group < N_GROUPS; group++)
                        list_question(verdict,
                                verdict->answer.quadrants[home][group].question);
        for (size_t i = 0; i < verdict->n_questions; i++)
                list_question(verdict, verdict->questions[i]);
}

int
verdict_write(const struct kp_report *report, FILE *out, struct kp_error *err)
{
        KP_CLEANUP(verdict_done) struct verdict verdict = { .report = report };
        struct page page;

        answer_find(report, &verdict.answer);
        if (fixes_find(report, &verdict.answer, &verdict.fixes, &verdict.n_fixes, err) <
                        0 ||
                claims_find(report, &verdict.claims, &verdict.n_claims, err) < 0 ||
                questions_find(report, &verdict.questions, &verdict.n_questions, err) <
                        0)
                return -1;
        list_questions(&verdict);
        page_init(&page, out, PAGE_BOTH);
        if (page_begin(&page, SAY_V_TITLE, style_verdict, NULL, err) < 0)
                return -1;
        put_switch(&page);
        page_raw(&page, "<div>");
        page.lang = PAGE_NL;
        put_article(&page, &verdict);
        page.lang = PAGE_EN;
        put_article(&page, &verdict);
        page_raw(&page, "</div></main>");
        page_end(&page, NULL);
        return page_done(&page, err);
}
