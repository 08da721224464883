/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "pages.h"

/*
 * The same report for programs: what was counted, the answer and what it rests on. A
 * member that holds text for people is an object with "en" and "nl".
 */
static json_t *
text_json(struct kp_text text)
{
        return json_pack("{s:s, s:s}", "en", text.en, "nl", text.nl);
}

static json_t *
tally_json(const struct tally *tally)
{
        json_t *object = json_object();

        for (int i = 0; i < KP_N_VERDICTS; i++)
                (void)json_object_set_new(object, kp_verdict_name((enum kp_verdict)i),
                        json_integer((json_int_t)tally->n[i]));
        return object;
}

static const char *
cause_id(const struct kp_report *report, size_t i)
{
        return table_key(&report->causes, i);
}

static json_t *
quadrant_json(const struct kp_report *report, const struct quadrant *quadrant,
        enum home home, enum group group)
{
        static const char *const groups[] = { "with-eip", "without-eip", "unknown" };
        json_t *causes = json_array();

        for (size_t i = 0; i < quadrant->n_reasons; i++)
                (void)json_array_append_new(
                        causes, json_string(cause_id(report, quadrant->reasons[i])));
        return json_pack("{s:s, s:s, s:s, s:o, s:o}", "home", home_name(home), "people",
                groups[group], "state", state_name(quadrant->state), "counts",
                tally_json(&quadrant->tally), "causes", causes);
}

static json_t *
answer_json(
        const struct kp_report *report, struct page *page, const struct answer *answer)
{
        json_t *quadrants = json_array();

        for (int home = 0; home < N_HOMES; home++)
                for (int group = 0; group < N_GROUPS; group++)
                        if (answer->quadrants[home][group].state != STATE_NOT_TESTED)
                                (void)json_array_append_new(quadrants,
                                        quadrant_json(report,
                                                &answer->quadrants[home][group],
                                                (enum home)home, (enum group)group));
        return json_pack("{s:s, s:s, s:o, s:o, s:o}", "answer",
                answer_name(answer->kind), "evidence", evidence_name(answer->base),
                "text", text_json(answer_text(answer->kind)), "because",
                text_json(answer_lead(page, answer)), "quadrants", quadrants);
}

static json_t *
causes_json(const struct kp_report *report, const struct fix *fixes, size_t n_fixes)
{
        json_t *array = json_array();

        for (size_t i = 0; i < n_fixes; i++) {
                const struct cause_row *cause = report_cause(report, fixes[i].cause);

                (void)json_array_append_new(
                        array, json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "id",
                                       cause_id(report, fixes[i].cause), "title",
                                       text_json(cause->title), "owner", cause->owner,
                                       "meaning", text_json(cause->meaning), "fix",
                                       text_json(cause->fix), "counts",
                                       tally_json(&cause->tally)));
        }
        return array;
}

static json_t *
condition_json(const struct kp_report *report, const struct condition *condition)
{
        json_t *values = json_array();

        for (size_t i = 0; i < condition->n_values; i++)
                (void)json_array_append_new(
                        values, json_string(table_key(&report->axes[condition->axis],
                                        condition->values[i])));
        return json_pack("{s:s, s:o}", "axis",
                kp_axis_name((enum kp_axis)condition->axis),
                condition->except ? "not" : "only", values);
}

static json_t *
claims_json(const struct kp_report *report, struct page *page,
        const struct claim *claims, size_t n_claims)
{
        json_t *array = json_array();

        for (size_t i = 0; i < n_claims; i++) {
                const struct claim *claim = &claims[i];
                json_t *conditions = json_array();

                for (size_t j = 0; j < claim->n_conditions; j++)
                        (void)json_array_append_new(conditions,
                                condition_json(report, &claim->conditions[j]));
                (void)json_array_append_new(array,
                        json_pack("{s:s, s:s, s:o, s:I, s:o}", "scenario",
                                table_key(&report->scenarios, claim->scenario), "home",
                                home_name(claim->home), "conditions", conditions,
                                "outcomes", (json_int_t)claim->n, "text",
                                text_json(claim_text(page, report, claim))));
        }
        return array;
}

static json_t *
options_json(const struct kp_report *report, size_t unknown)
{
        json_t *object = json_object();

        for (size_t i = 0; i < report->options.n; i++) {
                const struct option_row *option = table_at(&report->options, i);

                if (option->unknown == unknown)
                        (void)json_object_set_new(
                                object, option->value, tally_json(&option->tally));
        }
        return object;
}

static json_t *
questions_json(const struct kp_report *report, struct page *page,
        const size_t *questions, size_t n_questions)
{
        json_t *array = json_array();

        for (size_t i = 0; i < n_questions; i++) {
                const struct unknown_row *unknown =
                        table_at(&report->unknowns, questions[i]);

                (void)json_array_append_new(array,
                        json_pack("{s:s, s:o, s:o, s:I, s:o}", "fact", unknown->fact,
                                "to", text_json(asked_of(report, unknown)), "question",
                                text_json(question_of(page, unknown)), "weight",
                                (json_int_t)unknown->n_decisive, "answers",
                                options_json(report, questions[i])));
        }
        return array;
}

static json_t *
facts_json(const struct kp_report *report)
{
        json_t *array = json_array();

        for (size_t i = 0; i < report->resting.n; i++) {
                const struct resting_row *row = table_at(&report->resting, i);
                const char *of =
                        row->profile == SIZE_MAX
                                ? NULL
                                : table_key(&report->axes[row->axis], row->profile);

                (void)json_array_append_new(array,
                        json_pack("{s:s, s:s*, s:s, s:s, s:I}", "fact", row->fact,
                                "profile", of, "value", row->value, "status",
                                row->status, "outcomes", (json_int_t)row->n));
        }
        return array;
}

struct parts {
        struct fix *fixes;
        struct claim *claims;
        size_t *questions;
        size_t n_fixes, n_claims, n_questions;
};

static void
parts_done(struct parts *parts)
{
        free(parts->fixes);
        claims_done(parts->claims, parts->n_claims);
        free(parts->questions);
}

int
json_write(const struct kp_report *report, FILE *out, struct kp_error *err)
{
        KP_CLEANUP(parts_done) struct parts parts = { 0 };
        json_auto_t *root = NULL, *run = json_object();
        struct answer answer;
        struct page page;

        answer_find(report, &answer);
        if (fixes_find(report, &answer, &parts.fixes, &parts.n_fixes, err) < 0 ||
                claims_find(report, &parts.claims, &parts.n_claims, err) < 0 ||
                questions_find(report, &parts.questions, &parts.n_questions, err) < 0)
                return -1;
        (void)json_object_update(run, report->header);
        (void)json_object_del(run, "prev");
        (void)json_object_del(run, "type");
        page_init(&page, out, PAGE_EN);
        root = json_pack("{s:O, s:I, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "run", run,
                "outcomes", (json_int_t)report->n_outcomes, "complete",
                *incomplete_text(&page, report).en == '\0', "counts",
                tally_json(&report->total), "answer",
                answer_json(report, &page, &answer), "causes",
                causes_json(report, parts.fixes, parts.n_fixes), "works",
                claims_json(report, &page, parts.claims, parts.n_claims), "questions",
                questions_json(report, &page, parts.questions, parts.n_questions),
                "rests_on", facts_json(report));
        if (root == NULL ||
                json_dumpf(root, out, JSON_INDENT(2) | JSON_SORT_KEYS) < 0) {
                page.failed = true;
        }
        (void)fputc('\n', out); /* page_done() asks the file */
        return page_done(&page, err);
}
