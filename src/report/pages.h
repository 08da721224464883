/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_PAGES_H
#define KEYPILOT_REPORT_PAGES_H

#include "words.h"

/* Each writes one report of a run to a stream. */
int matrix_write(
        const struct kp_report *report, FILE *out, struct kp_error *err) KP_MUST_CHECK;
int verdict_write(
        const struct kp_report *report, FILE *out, struct kp_error *err) KP_MUST_CHECK;
int junit_write(
        struct kp_report *report, FILE *out, struct kp_error *err) KP_MUST_CHECK;
int tap_write(struct kp_report *report, FILE *out, struct kp_error *err) KP_MUST_CHECK;
int csv_write(struct kp_report *report, FILE *out, struct kp_error *err) KP_MUST_CHECK;
int json_write(
        const struct kp_report *report, FILE *out, struct kp_error *err) KP_MUST_CHECK;
int markdown_write(const struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err) KP_MUST_CHECK;
int summary_write(const struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err) KP_MUST_CHECK;

/* <main> and, within it, the choice of language: without a script. */
void put_switch(struct page *page);
void put_run(struct page *page, const struct kp_report *report);
void put_counts(struct page *page, const struct tally *tally);

/* matrix_panels.c: what stands below the tables, where their cells lead */
void put_causes(struct page *page, const struct kp_report *report,
        const struct fix *fixes, size_t n_fixes);
int put_findings(struct page *page, const struct kp_report *report,
        struct kp_error *err) KP_MUST_CHECK;
void put_questions(struct page *page, const struct kp_report *report,
        const size_t *questions, size_t n_questions);
void put_facts_table(struct page *page, const struct kp_report *report);
void put_whys(struct page *page, const struct kp_report *report);

#endif
