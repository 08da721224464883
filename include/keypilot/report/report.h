/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_REPORT_H
#define KEYPILOT_REPORT_REPORT_H

#include <stdio.h>

#include "keypilot/model/fixtures.h"
#include "keypilot/model/outcome.h"

/*
 * Reports: what one run found, for people and for machines. Reads outcomes.jsonl and
 * the rule files, never a world. The run is streamed: memory grows with the number of
 * different axis values and causes, not with the number of cells. Nothing here knows
 * what an answer should be: it is counted.
 */
enum kp_report_lang { KP_REPORT_EN, KP_REPORT_NL };

/* A run, counted: kp_report_load() reads it once, every page is written from it. */
struct kp_report;

/*
 * Read "DIR/outcomes.jsonl". An unfinished run is read as far as it goes, and says so.
 *
 * fixtures  titles and the rules' texts come from there; borrowed while the report
 *           lives. NULL: ids stand where titles would
 * ret       the caller frees it with kp_report_free()
 * Errors    KP_ENOTFOUND no such file; KP_EPARSE, KP_ESCHEMA a line that is no outcome
 *           (its number told); KP_EINTEGRITY a line that does not carry the hash of the
 *           one before it
 */
int kp_report_load(const char *dir, const struct kp_fixtures *fixtures,
        struct kp_report **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_report_free(struct kp_report **report); /* NULL-safe, leaves NULL */

/*
 * Print what a person wants to know when a run is done: counts, causes, the answer in
 * one sentence, where the pages lie and what to type next. Plain text, no colour.
 *
 * Errors   KP_EIO `out` cannot be written to; KP_ENOMEM
 */
int kp_report_print(const struct kp_report *report, enum kp_report_lang lang, FILE *out,
        struct kp_error *err) KP_MUST_CHECK;

/* The same from a folder, with the fixtures beside the program. */
int kp_report_summary(const char *dir, enum kp_report_lang lang, FILE *out,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Write matrix.html, verdict.html and junit.xml into `dir`, each whole or not at all.
 *
 * Errors   KP_EIO, KP_ENOMEM
 */
int kp_report_write_pages(
        struct kp_report *report, const char *dir, struct kp_error *err) KP_MUST_CHECK;

/* Load the run in `dir` and write the pages beside it. */
int kp_report_write_all(const char *dir, const struct kp_fixtures *fixtures,
        struct kp_error *err) KP_MUST_CHECK;

/* Formats that go to a stream: "csv", "json", "junit", "md"... NULL past the end. */
const char *kp_report_format_name(size_t i);

/*
 * Write one of them. Those with a line for each outcome read the log again.
 *
 * lang     of the texts, where a format has one language
 * Errors   KP_EUSAGE no such format; KP_EIO, KP_ENOMEM
 */
int kp_report_stream(struct kp_report *report, const char *format,
        enum kp_report_lang lang, FILE *out, struct kp_error *err) KP_MUST_CHECK;

#endif
