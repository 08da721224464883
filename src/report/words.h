/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_WORDS_H
#define KEYPILOT_REPORT_WORDS_H

#include "answer.h"
#include "page.h"

/*
 * Sentences that more than one page says, made from what was counted.
 */
struct kp_text verdict_text(enum kp_verdict verdict);
struct kp_text column_text(enum column column);
struct kp_text home_text(enum home home);
struct kp_text group_text(enum group group);
struct kp_text axis_text(size_t axis);
struct kp_text owner_text(const char *owner);
struct kp_text status_text(const char *status);
struct kp_text evidence_text(enum evidence evidence);
struct kp_text state_text(enum state state);
struct kp_text answer_text(enum answer_kind kind); /* "Yes, if …" */
enum kp_verdict answer_verdict(enum answer_kind kind);
enum kp_verdict state_verdict(enum state state);
/* The half sentence after it. */
struct kp_text answer_lead(struct page *page, const struct answer *answer);
/* "Because: a; b" or "Mind: a; b"; "" texts when there is nothing to say. */
struct kp_text reasons_text(struct page *page, const struct kp_report *report,
        const struct quadrant *quadrant);
/* Service against provider on the same scenarios; "" texts: nothing to compare. */
struct kp_text compared_text(struct page *page, const struct answer *answer);
struct kp_text capital(struct page *page, struct kp_text text);
/* "Logging in; passkey at the service; only with key: A, B" */
struct kp_text claim_text(
        struct page *page, const struct kp_report *report, const struct claim *claim);
struct kp_text question_of(struct page *page, const struct unknown_row *unknown);
struct kp_text asked_of(
        const struct kp_report *report, const struct unknown_row *unknown);
/* Is this home for this group worth a line? */
bool quadrant_is_shown(const struct answer *answer, enum home home, enum group group);
/* Finished? "" texts when it is. */
struct kp_text incomplete_text(struct page *page, const struct kp_report *report);
struct kp_text services_text(const struct kp_report *report);
size_t question_number(const size_t *questions, size_t n_questions, size_t unknown);

#endif
