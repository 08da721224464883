/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <string.h>

struct kp_text
verdict_text(enum kp_verdict verdict)
{
        return say_text((enum say)(SAY_VERDICT_WORKS + verdict));
}

struct kp_text
column_text(enum column column)
{
        return say_text((enum say)(SAY_COLUMN_ADD + column));
}

struct kp_text
home_text(enum home home)
{
        return say_text((enum say)(SAY_HOME_SERVICE + home));
}

struct kp_text
group_text(enum group group)
{
        return say_text((enum say)(SAY_GROUP_WITH_EIP + group));
}

struct kp_text
axis_text(size_t axis)
{
        return say_text((enum say)(SAY_AXIS_CLIENT + axis));
}

struct kp_text
evidence_text(enum evidence evidence)
{
        return say_text((enum say)(SAY_EVIDENCE_SIMULATED + evidence));
}

static const struct {
        const char *word;
        enum say say;
} owners[] = {
        { "school", SAY_OWNER_SCHOOL },
        { "key-vendor", SAY_OWNER_KEY },
        { "browser", SAY_OWNER_BROWSER },
        { "provider-vendor", SAY_OWNER_PROVIDER },
        { "service-vendor", SAY_OWNER_SERVICE },
        { "tool", SAY_OWNER_TOOL },
}, statuses[] = {
        { "reported", SAY_STATUS_REPORTED },
        { "assumed", SAY_STATUS_ASSUMED },
        { "unknown", SAY_STATUS_UNKNOWN },
        { "set", SAY_STATUS_SET },
};

struct kp_text
owner_text(const char *owner)
{
        for (size_t i = 0; i < KP_NELEMS(owners); i++)
                if (strcmp(owners[i].word, owner) == 0)
                        return say_text(owners[i].say);
        return say_text(SAY_OWNER_UNKNOWN);
}

struct kp_text
status_text(const char *status)
{
        for (size_t i = 0; i < KP_NELEMS(statuses); i++)
                if (strcmp(statuses[i].word, status) == 0)
                        return say_text(statuses[i].say);
        return plain(status);
}

struct kp_text
state_text(enum state state)
{
        static const enum say says[] = {
                [STATE_NOT_TESTED] = SAY_STATE_NOT_TESTED,
                [STATE_NOT_APPLICABLE] = SAY_STATE_NOT_APPLICABLE,
                [STATE_UNDECIDED] = SAY_STATE_UNDECIDED,
                [STATE_NO] = SAY_STATE_NO,
                [STATE_IF] = SAY_STATE_IF,
                [STATE_YES] = SAY_STATE_YES,
        };

        return say_text(says[state]);
}

enum kp_verdict
state_verdict(enum state state)
{
        static const enum kp_verdict verdicts[] = {
                [STATE_NOT_TESTED] = KP_SKIPPED,
                [STATE_NOT_APPLICABLE] = KP_NOT_APPLICABLE,
                [STATE_UNDECIDED] = KP_INCONCLUSIVE,
                [STATE_NO] = KP_BREAKS,
                [STATE_IF] = KP_LIMITS,
                [STATE_YES] = KP_WORKS,
        };

        return verdicts[state];
}

struct kp_text
answer_text(enum answer_kind kind)
{
        static const enum say says[] = {
                [ANSWER_CANNOT_SAY] = SAY_CANNOT_SAY,
                [ANSWER_NO] = SAY_NO,
                [ANSWER_IF] = SAY_YES_IF,
                [ANSWER_YES] = SAY_YES,
        };

        return say_text(says[kind]);
}

enum kp_verdict
answer_verdict(enum answer_kind kind)
{
        static const enum kp_verdict verdicts[] = {
                [ANSWER_CANNOT_SAY] = KP_INCONCLUSIVE,
                [ANSWER_NO] = KP_BREAKS,
                [ANSWER_IF] = KP_LIMITS,
                [ANSWER_YES] = KP_WORKS,
        };

        return verdicts[kind];
}

struct kp_text
answer_lead(struct page *page, const struct answer *answer)
{
        static const enum say says[] = {
                [WHY_NONE] = SAY_YES_LEAD,
                [WHY_SIMULATED] = SAY_BECAUSE_SIMULATED,
                [WHY_NOTHING] = SAY_BECAUSE_NOTHING,
                [WHY_UNDECIDED] = SAY_BECAUSE_UNDECIDED,
                [WHY_BREAKS] = SAY_BECAUSE_BREAKS,
                [WHY_PLACE] = SAY_IF_PLACE,
                [WHY_FIX] = SAY_IF_FIX,
                [WHY_LAB] = SAY_IF_LIVE,
                [WHY_REST] = SAY_IF_REST,
        };
        enum group group =
                answer_has_group(answer, WITH_EIP) ? WITH_EIP : GROUP_UNKNOWN;

        if (answer->why == WHY_PLACE)
                return say1(page, SAY_IF_PLACE, home_text(answer->best[group]));
        return say_text(says[answer->why]);
}

struct kp_text
reasons_text(struct page *page, const struct kp_report *report,
        const struct quadrant *quadrant)
{
        struct kp_text titles[MAX_REASONS];

        if (quadrant->n_reasons == 0 || quadrant->state < STATE_NO)
                return plain("");
        for (size_t i = 0; i < quadrant->n_reasons; i++)
                titles[i] = report_cause(report, quadrant->reasons[i])->title;
        return say1(page, quadrant->state == STATE_NO ? SAY_WHY_NOT : SAY_MIND,
                text_join(page, titles, quadrant->n_reasons, "; "));
}

#define MAX_NAMED 2

static struct kp_text
condition_text(struct page *page, const struct kp_report *report,
        const struct condition *condition)
{
        struct kp_text values[MAX_NAMED + 1];
        size_t n = 0;

        for (; n < condition->n_values && n < MAX_NAMED; n++)
                values[n] = report_value(report, condition->axis, condition->values[n])
                                    ->title;
        if (condition->n_values > n) {
                values[n] =
                        say1(page, SAY_AND_MORE, number(page, condition->n_values - n));
                n++;
        }
        return say2(page, condition->except ? SAY_V_NOT_WITH : SAY_V_ONLY_WITH,
                axis_text(condition->axis), text_join(page, values, n, " / "));
}

struct kp_text
claim_text(struct page *page, const struct kp_report *report, const struct claim *claim)
{
        struct kp_text title = report_scenario(report, claim->scenario)->title;
        struct kp_text at = say_text((enum say)(SAY_AT_SERVICE + claim->home));
        struct kp_text conditions[MAX_CONDITIONS];

        if (claim->n_conditions == 0)
                return say2(page, SAY_V_CLAIM, title, at);
        for (size_t i = 0; i < claim->n_conditions; i++)
                conditions[i] = condition_text(page, report, &claim->conditions[i]);
        return say3(page, SAY_V_CLAIM_IF, title, at,
                text_join(page, conditions, claim->n_conditions, "; "));
}

struct kp_text
compared_text(struct page *page, const struct answer *answer)
{
        enum home worse = answer->better == AT_SERVICE ? AT_PROVIDER : AT_SERVICE;
        struct kp_text better_at, worse_at;

        if (answer->n_compared == 0 || answer->better == N_HOMES)
                return plain("");
        better_at = say_text((enum say)(SAY_AT_SERVICE + answer->better));
        worse_at = say_text((enum say)(SAY_AT_SERVICE + worse));
        if (answer->n_compared == 1)
                return say2(page, SAY_COMPARED_ONE, better_at, worse_at);
        return say3(page, SAY_COMPARED, number(page, answer->n_compared), better_at,
                worse_at);
}

struct kp_text
capital(struct page *page, struct kp_text text)
{
        struct kp_text copy = text_join(page, &text, 1, "");

        /* texts of ours begin with an ASCII letter; others stay as they are */
        if (*copy.en >= 'a' && *copy.en <= 'z')
                *(char *)copy.en = (char)(*copy.en - 'a' + 'A');
        if (*copy.nl >= 'a' && *copy.nl <= 'z')
                *(char *)copy.nl = (char)(*copy.nl - 'a' + 'A');
        return copy;
}

struct kp_text
question_of(struct page *page, const struct unknown_row *unknown)
{
        struct kp_text text = question_text(unknown->fact);

        (void)page;
        return text.en == NULL ? plain(unknown->fact) : text;
}

struct kp_text
asked_of(const struct kp_report *report, const struct unknown_row *unknown)
{
        if (unknown->value == SIZE_MAX)
                return say_text(SAY_OWNER_UNKNOWN);
        return report_value(report, unknown->axis, unknown->value)->title;
}

bool
quadrant_is_shown(const struct answer *answer, enum home home, enum group group)
{
        if (group == GROUP_UNKNOWN)
                return answer->quadrants[home][group].state != STATE_NOT_TESTED;
        if (home == AT_SERVICE || home == AT_PROVIDER)
                return true;
        return home != AT_NONE &&
               (answer->quadrants[home][WITH_EIP].state != STATE_NOT_TESTED ||
                       answer->quadrants[home][WITHOUT_EIP].state != STATE_NOT_TESTED);
}

struct kp_text
incomplete_text(struct page *page, const struct kp_report *report)
{
        uint64_t planned = (uint64_t)kp_json_int(report->header, "cells", 0);

        if (!report->torn && planned <= report->n_cells)
                return plain("");
        return say2(page, SAY_INCOMPLETE, number(page, report->n_cells),
                number(page, planned));
}

/* The service that the run is most about; the others stand in the matrix. */
struct kp_text
services_text(const struct kp_report *report)
{
        const struct table *services = &report->axes[KP_AXIS_SERVICE];
        const struct value_row *most = NULL;

        for (size_t i = 0; i < services->n; i++) {
                const struct value_row *row = report_value(report, KP_AXIS_SERVICE, i);

                if (strcmp(table_key(services, i), "none") != 0 &&
                        (most == NULL ||
                                tally_all(&row->tally) > tally_all(&most->tally)))
                        most = row;
        }
        return most == NULL ? say_text(SAY_V_SERVICES) : most->title;
}

size_t
question_number(const size_t *questions, size_t n_questions, size_t unknown)
{
        for (size_t i = 0; i < n_questions; i++)
                if (questions[i] == unknown)
                        return i + 1;
        return 0;
}
