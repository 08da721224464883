/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_ANSWER_H
#define KEYPILOT_REPORT_ANSWER_H

#include "report_internal.h"

/*
 * What a run amounts to: the answer for the school, for each home and group of people;
 * what to fix first; what may be promised; what to ask suppliers. All of it is counted
 * from outcomes.
 */
enum state {
        STATE_NOT_TESTED,
        STATE_NOT_APPLICABLE,
        STATE_UNDECIDED,
        STATE_NO,
        STATE_IF,
        STATE_YES,
};
const char *state_name(enum state state);

#define MAX_REASONS 2

/* One home for one group of people. */
struct quadrant {
        enum state state;
        struct tally tally;
        size_t n_scenarios, n_untested; /* of the run's, for this home and group */
        size_t reasons[MAX_REASONS];    /* causes, the heaviest first */
        size_t n_reasons;
        size_t question; /* the weightiest unknown that decides here; SIZE_MAX: none */
};

enum answer_kind { ANSWER_CANNOT_SAY, ANSWER_NO, ANSWER_IF, ANSWER_YES };
const char *answer_name(enum answer_kind kind);

/* Why an answer is not a plain yes. */
enum answer_why {
        WHY_NONE,
        WHY_SIMULATED,
        WHY_NOTHING,
        WHY_UNDECIDED,
        WHY_BREAKS,
        WHY_PLACE,
        WHY_FIX,
        WHY_LAB,
        WHY_REST,
};

struct answer {
        enum answer_kind kind;
        enum answer_why why;
        enum evidence base; /* the strongest that decided a login */
        struct quadrant quadrants[N_HOMES][N_GROUPS];
        enum home best[N_GROUPS]; /* N_HOMES: none */
        /*
         * The same scenarios at the service and at the provider, for people whom the
         * EIP knows: where less goes wrong.
         */
        size_t n_compared;
        enum home better; /* N_HOMES: neither */
};
void answer_find(const struct kp_report *report, struct answer *ret);
bool answer_has_group(const struct answer *answer, enum group group);

/* A cause and what fixing it would be worth. */
struct fix {
        size_t cause;
        uint64_t n, weight;
        enum kp_verdict worst;
};
/*
 * The causes of failures. With an answer: those first that stand in the way of what it
 * advises, by how often a scenario meets them; without: those first that explain most.
 *
 * ret      malloc'ed
 */
int fixes_find(const struct kp_report *report, const struct answer *answer,
        struct fix **ret, size_t *ret_n, struct kp_error *err) KP_MUST_CHECK;
uint64_t failures(const struct kp_report *report);

#define MAX_CONDITIONS 3

/* Only with, or never with, these values of one axis. */
struct condition {
        size_t axis;
        bool except;    /* the values are those with which it fails */
        size_t *values; /* rows of the axis */
        size_t n_values;
};

/* What goes well wherever it was tried, or wherever all its conditions hold. */
struct claim {
        enum home home;
        size_t scenario;
        struct condition conditions[MAX_CONDITIONS];
        size_t n_conditions;
        uint64_t n; /* outcomes that bear it out */
};
/* ret   ended with claims_done(); those about getting in first */
int claims_find(const struct kp_report *report, struct claim **ret, size_t *ret_n,
        struct kp_error *err) KP_MUST_CHECK;
void claims_done(struct claim *claims, size_t n_claims);

/*
 * Unknowns that change the outcome, the weightiest first.
 *
 * ret      malloc'ed row numbers
 */
int questions_find(const struct kp_report *report, size_t **ret, size_t *ret_n,
        struct kp_error *err) KP_MUST_CHECK;

/* The facts that say over which protocol the EIP is linked, where that is not sure. */
bool protocol_is_unsure(const struct kp_report *report, struct kp_text *ret_service);

#endif
