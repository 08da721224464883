/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one invariant says of a world. */
enum finding {
        HOLDS,
        FAILS,
        FAILS_AS_RISK, /* worse than its weight: the way back is weaker than the door */
        NOT_JUDGED,    /* nothing happened that it could be judged by */
};

struct invariant {
        const char *name;
        enum kp_verdict verdict; /* of a cell in which it fails */
        enum { NO_PARAMETER, LEVEL, COUNT } parameter;
        enum finding (*judge)(const struct kp_world *world, const char *parameter);
        const char *means;
};

static bool
is_login(const struct kp_attempt *attempt)
{
        return strcmp(attempt->purpose, "login") == 0;
}

/* The login that the scenario ends with; NULL: there was none. */
static const struct kp_attempt *
last_login(const struct kp_world *world)
{
        for (size_t i = world->n_attempts; i-- > 0;)
                if (is_login(&world->attempts[i]))
                        return &world->attempts[i];
        return NULL;
}

static enum finding
judge_enrols(const struct kp_world *world, const char *parameter)
{
        (void)parameter;
        if (world->n_enrolments == 0)
                return NOT_JUDGED;
        for (size_t i = 0; i < world->n_enrolments; i++)
                if (!world->enrolments[i].done)
                        return FAILS;
        return HOLDS;
}

static enum finding
judge_gets_in(const struct kp_world *world, const char *parameter)
{
        const struct kp_attempt *login = last_login(world);

        (void)parameter;
        if (login == NULL || login->left) /* who left should not get in */
                return NOT_JUDGED;
        return login->in ? HOLDS : FAILS;
}

/* Did an enrolment fail at the key, so that a later login could not be tried? */
static bool
enrolment_failed_at_key(const struct kp_world *world)
{
        for (size_t i = 0; i < world->n_enrolments; i++)
                if (!world->enrolments[i].done && !world->enrolments[i].refused)
                        return true;
        return false;
}

static enum finding
judge_is_refused(const struct kp_world *world, const char *parameter)
{
        const struct kp_attempt *login = last_login(world);

        (void)parameter;
        if (login == NULL || (login->no_passkey && enrolment_failed_at_key(world)))
                return NOT_JUDGED;
        return login->in ? FAILS : HOLDS;
}

static bool
is_right_account(const struct kp_attempt *attempt)
{
        if (attempt->owner != attempt->person)
                return false;
        return strcmp(attempt->to, "service") != 0 ||
               (attempt->tenant_in == attempt->tenant &&
                       attempt->second_in == attempt->second);
}

static bool
is_same_kind(const struct kp_attempt *a, const struct kp_attempt *b)
{
        return a->in && b->in && a->person == b->person && a->tenant == b->tenant &&
               a->second == b->second && a->other == b->other &&
               strcmp(a->to, b->to) == 0;
}

static enum finding
judge_same_account(const struct kp_world *world, const char *parameter)
{
        enum finding finding = NOT_JUDGED;

        (void)parameter;
        for (size_t i = 0; i < world->n_attempts; i++) {
                const struct kp_attempt *attempt = &world->attempts[i];

                if (!attempt->in || !is_login(attempt))
                        continue;
                if (!is_right_account(attempt))
                        return FAILS;
                finding = HOLDS;
                for (size_t j = 0; j < i; j++)
                        if (is_login(&world->attempts[j]) &&
                                is_same_kind(attempt, &world->attempts[j]) &&
                                attempt->account != world->attempts[j].account)
                                return FAILS;
        }
        return finding;
}

static enum finding
judge_assurance(const struct kp_world *world, const char *parameter)
{
        const struct kp_attempt *login = last_login(world);
        enum kp_assurance level = KP_ASSURANCE_NONE;

        if (login == NULL || !login->in)
                return NOT_JUDGED;
        (void)kp_assurance_parse(parameter, &level); /* checked beforehand */
        return kp_proof_assurance(&login->proof) >= level ? HOLDS : FAILS;
}

/* The service was told by which kind of login the person came. */
static enum finding
judge_method_told(const struct kp_world *world, const char *parameter)
{
        const struct kp_attempt *login = last_login(world);

        (void)parameter;
        if (login == NULL || !login->in || !login->eip_asked)
                return NOT_JUDGED;
        if (login->context[0] == '\0' || strstr(login->context, ":unspecified") != NULL)
                return FAILS;
        return HOLDS;
}

static enum finding
judge_leaver(const struct kp_world *world, const char *parameter)
{
        enum finding finding = NOT_JUDGED;

        (void)parameter;
        for (size_t i = 0; i < world->n_attempts; i++) {
                if (!world->attempts[i].left)
                        continue;
                if (world->attempts[i].in)
                        return FAILS;
                finding = HOLDS;
        }
        return finding;
}

static enum finding
judge_logged_out(const struct kp_world *world, const char *parameter)
{
        enum finding finding = NOT_JUDGED;

        (void)parameter;
        for (size_t i = 0; i < world->n_attempts; i++) {
                const struct kp_attempt *attempt = &world->attempts[i];

                if (!attempt->logged_out || !attempt->silent)
                        continue;
                if (attempt->in)
                        return FAILS;
                finding = HOLDS;
        }
        return finding;
}

static enum finding
judge_way_back(const struct kp_world *world, const char *parameter)
{
        const struct kp_way_back *way = &world->way_back;

        (void)parameter;
        if (!way->tried)
                return NOT_JUDGED;
        if (!way->found)
                return FAILS;
        return kp_proof_assurance(&way->proof) < way->weakest ? FAILS_AS_RISK : HOLDS;
}

static enum finding
judge_no_dead_door(const struct kp_world *world, const char *parameter)
{
        const struct kp_attempt *login = last_login(world);

        (void)parameter;
        if (login == NULL || !login->in)
                return NOT_JUDGED;
        return login->dead_doors == 0 ? HOLDS : FAILS;
}

static enum finding
judge_prompts(const struct kp_world *world, const char *parameter)
{
        const struct kp_attempt *login = last_login(world);

        if (login == NULL || !login->in)
                return NOT_JUDGED;
        return login->prompts <= atoi(parameter) ? HOLDS : FAILS;
}

static enum finding
judge_passkey_used(const struct kp_world *world, const char *parameter)
{
        const struct kp_attempt *login = last_login(world);

        (void)parameter;
        if (login == NULL || !login->in)
                return NOT_JUDGED;
        return login->passkey_used ? HOLDS : FAILS;
}

/* Is a line of `a` also in `b`? */
static bool
share_a_line(const char *a, const char *b)
{
        for (const char *line = a; *line != '\0'; line = strchr(line, '\n') + 1) {
                size_t len = (size_t)(strchr(line, '\n') - line) + 1;

                for (const char *at = b; *at != '\0'; at = strchr(at, '\n') + 1)
                        if (strncmp(at, line, len) == 0)
                                return true;
        }
        return false;
}

/* Two services compare what they were given: a name or a value that is the same. */
static enum finding
judge_not_linkable(const struct kp_world *world, const char *parameter)
{
        enum finding finding = NOT_JUDGED;

        (void)parameter;
        for (size_t i = 0; i < world->n_attempts; i++)
                for (size_t j = 0; j < i; j++) {
                        const struct kp_attempt *a = &world->attempts[i];
                        const struct kp_attempt *b = &world->attempts[j];

                        if (!a->in || !b->in || a->person != b->person ||
                                a->other == b->other || a->subject[0] == '\0' ||
                                b->subject[0] == '\0')
                                continue;
                        if (strcmp(a->subject, b->subject) == 0 ||
                                share_a_line(a->released, b->released))
                                return FAILS;
                        finding = HOLDS;
                }
        return finding;
}

/* clang-format off */
/* In order of the table in DESIGN "A verdict emerges". */
static const struct invariant invariants[] = {
        { "gets-in",              KP_BREAKS, NO_PARAMETER, judge_gets_in,      "the person gets in" },
        { "enrols",               KP_BREAKS, NO_PARAMETER, judge_enrols,       "every passkey that was to be added was added" },
        { "is-refused",           KP_RISK,   NO_PARAMETER, judge_is_refused,   "the last login was refused, as policy says" },
        { "same-account",         KP_RISK,   NO_PARAMETER, judge_same_account, "each login opened the person's own account, the same one as last time" },
        { "assurance",            KP_RISK,   LEVEL,        judge_assurance,    "who got in had proved himself at least so well" },
        { "method-told",          KP_LIMITS, NO_PARAMETER, judge_method_told,  "the service was told how the person logged in" },
        { "leaver-stays-out",     KP_RISK,   NO_PARAMETER, judge_leaver,       "somebody whose account was ended gets in by no door" },
        { "logged-out-everywhere", KP_RISK,  NO_PARAMETER, judge_logged_out,   "after logging out nothing opens without a new login" },
        { "way-back",             KP_BREAKS, NO_PARAMETER, judge_way_back,     "a lost key leaves a way back, no weaker than the door" },
        { "no-dead-door",         KP_LIMITS, NO_PARAMETER, judge_no_dead_door, "no door was offered that did not open" },
        { "prompts",              KP_LIMITS, COUNT,        judge_prompts,      "the last login asked no more often than this" },
        { "passkey-used",         KP_LIMITS, NO_PARAMETER, judge_passkey_used, "the last login was made with the passkey" },
        { "not-linkable",         KP_RISK,   NO_PARAMETER, judge_not_linkable, "two services cannot tell that it is the same person" },
};
/* clang-format on */

/* "name:parameter" -> the invariant, and where its parameter begins ("" if none). */
static const struct invariant *
invariant_find(const char *text, const char **ret_parameter)
{
        const char *colon = strchr(text, ':');
        size_t name_len = colon == NULL ? strlen(text) : (size_t)(colon - text);

        *ret_parameter = colon == NULL ? "" : colon + 1;
        for (size_t i = 0; i < KP_NELEMS(invariants); i++)
                if (strlen(invariants[i].name) == name_len &&
                        strncmp(invariants[i].name, text, name_len) == 0)
                        return &invariants[i];
        return NULL;
}

static bool
is_count(const char *text)
{
        size_t len = strlen(text);

        return len > 0 && len < 4 && strspn(text, "0123456789") == len;
}

static int
expectation_check(const char *text, struct kp_error *err)
{
        const struct invariant *invariant;
        enum kp_assurance ignored;
        const char *parameter;

        if ((invariant = invariant_find(text, &parameter)) == NULL) {
                KP_CLEANUP(kp_buf_done) struct kp_buf known = { 0 };

                for (size_t i = 0; i < KP_NELEMS(invariants); i++)
                        kp_buf_printf(
                                &known, "%s%s", i == 0 ? "" : ", ", invariants[i].name);
                return KP_FAIL(err, KP_ESCHEMA,
                        "'%.40s' is not an invariant; they are %s", text,
                        kp_buf_str(&known));
        }
        if (invariant->parameter == NO_PARAMETER && strchr(text, ':') != NULL)
                return KP_FAIL(
                        err, KP_ESCHEMA, "'%s' takes no parameter", invariant->name);
        if (invariant->parameter == COUNT && !is_count(parameter))
                return KP_FAIL(err, KP_ESCHEMA,
                        "'%s:%.20s': expected a number, as in '%s:3'", invariant->name,
                        parameter, invariant->name);
        if (invariant->parameter == LEVEL && !kp_assurance_parse(parameter, &ignored))
                return KP_FAIL(err, KP_ESCHEMA,
                        "'%s:%.20s': expected any, single, mfa or phishing-resistant",
                        invariant->name, parameter);
        return 0;
}

int
kp_judge_check_scenario(const struct kp_scenario *scenario, struct kp_error *err)
{
        const json_t *item;
        size_t i;

        json_array_foreach (scenario->expect, i, item)
                if (expectation_check(json_string_value(item), err) < 0)
                        return KP_WHILE(err, "scenario '%s', member 'expect', item %zu",
                                scenario->id, i + 1);
        return 0;
}

/* Risk outranks breaks outranks limits. */
static bool
outranks(enum kp_verdict a, enum kp_verdict b)
{
        return a > b; /* works, limits, breaks, risk stand in this order */
}

static void
told(const struct kp_world *world, const char *text, enum finding finding,
        enum kp_verdict verdict)
{
        if (finding == NOT_JUDGED)
                kp_trace_add(world->env.trace, "pilot", "invariant", "{s:s, s:s}",
                        "invariant", text, "why", "nothing-to-judge");
        else
                kp_trace_add(world->env.trace, "pilot", "invariant", "{s:s, s:b, s:s}",
                        "invariant", text, "holds", finding == HOLDS, "weight",
                        kp_verdict_name(verdict));
}

static void
one_judged(const struct kp_world *world, const char *text, struct kp_judgement *ret,
        size_t *n_judged)
{
        const char *parameter;
        const struct invariant *invariant = invariant_find(text, &parameter);
        enum finding finding = invariant->judge(world, parameter);
        enum kp_verdict verdict =
                finding == FAILS_AS_RISK ? KP_RISK : invariant->verdict;

        told(world, text, finding, verdict);
        if (finding == NOT_JUDGED)
                return;
        (*n_judged)++;
        if (finding == HOLDS || !outranks(verdict, ret->verdict))
                return;
        ret->verdict = verdict;
        (void)snprintf(ret->invariant, sizeof(ret->invariant), "%s", text);
}

static const char *
failed_enrolment(const struct kp_world *world)
{
        for (size_t i = 0; i < world->n_enrolments; i++)
                if (!world->enrolments[i].done)
                        return world->enrolments[i].reason;
        return "a step before it did not succeed";
}

void
kp_judge(const struct kp_world *world, struct kp_judgement *ret)
{
        const struct kp_attempt *login = last_login(world);
        const json_t *item;
        size_t i, n_judged = 0;

        *ret = (struct kp_judgement){ .verdict = KP_WORKS };
        json_array_foreach (world->env.scenario->expect, i, item)
                one_judged(world, json_string_value(item), ret, &n_judged);
        if (n_judged == 0) {
                ret->verdict = KP_SKIPPED;
                (void)snprintf(ret->why, sizeof(ret->why), "an earlier step failed: %s",
                        failed_enrolment(world));
        } else if (ret->verdict == KP_BREAKS && login != NULL && login->timed_out) {
                ret->verdict = KP_INCONCLUSIVE;
                (void)snprintf(ret->why, sizeof(ret->why),
                        "a ceremony ran out of time without a cause in the scenario");
        }
}

const char *
kp_judge_invariant(size_t i, const char **ret_means, enum kp_verdict *ret_verdict)
{
        if (i >= KP_NELEMS(invariants))
                return NULL;
        *ret_means = invariants[i].means;
        *ret_verdict = invariants[i].verdict;
        return invariants[i].name;
}
