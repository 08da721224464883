/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_LOG_H
#define KEYPILOT_PILOT_LOG_H

#include "keypilot/core/buf.h"
#include "keypilot/model/outcome.h"
#include "keypilot/pilot/plan.h"

/*
 * The log of a run, outcomes.jsonl: a header line, then one line for each outcome in
 * the order of the plan. Append-only; each line begins with the SHA-256 of the line
 * before it. The shape of the lines: keypilot/model/outcome.h
 */
#define KP_LOG_NAME "outcomes.jsonl"

/* What an outcome amounts to, for whoever counts and compares while the run goes on. */
struct kp_log_entry {
        const char *id;
        enum kp_verdict verdict;
        const char *cause; /* NULL: none */
        const char *why;   /* NULL: none */
};

/* Sees every outcome that is written, in order. */
struct kp_log_watch {
        void *self;
        int (*outcome)(
                void *self, const struct kp_log_entry *entry, struct kp_error *err);
};

/*
 * The header of a plan's log, without "prev": compact JSON, appended to `ret`.
 *
 * tool     "keypilot X.Y"
 * Errors   KP_ENOMEM
 */
int kp_log_header(const struct kp_plan *plan, const char *tool, const char *seed,
        struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

/* ---- writing ---- */

struct kp_log;

/*
 * Begin a log in `dir`, which is made where it does not exist.
 *
 * header   from kp_log_header()
 * ret      the caller ends it with kp_log_close() or kp_log_free()
 * Errors   KP_EUSAGE the folder is used; KP_EIO
 */
int kp_log_create(const char *dir, const char *header, struct kp_log **ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Go on with the log in `dir`, or begin it. A last line that was cut off is removed,
 * and so are all outcomes of the last cell, whose other branches may be missing.
 *
 * watch        is shown every outcome that stays
 * ret_n_cells  cells that need not be run again
 * Errors       KP_EINTEGRITY the chain is broken (line told); KP_ESCHEMA the log is of
 *              another plan, seed, tool or set of fixtures (which one is told)
 */
int kp_log_resume(const char *dir, const char *header, const struct kp_plan *plan,
        const struct kp_log_watch *watch, struct kp_log **ret, uint64_t *ret_n_cells,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Append an outcome.
 *
 * body     compact JSON of an object without "prev"
 * Errors   KP_EIO, KP_ENOMEM
 */
int kp_log_append(struct kp_log *log, const char *body, size_t body_len,
        struct kp_error *err) KP_MUST_CHECK;

/* Hand what was appended to the system: it survives the end of this process. */
int kp_log_flush(struct kp_log *log, struct kp_error *err) KP_MUST_CHECK;

/* Flush to the disk and close; NULL-safe, leaves NULL. */
int kp_log_close(struct kp_log **log, struct kp_error *err) KP_MUST_CHECK;
void kp_log_free(struct kp_log **log); /* closes without flushing; NULL-safe */

/* ---- reading ---- */

/* Goes over the lines of a log, its chain checked on the way. */
struct kp_log_reader;
int kp_log_reader_open(const char *path, struct kp_log_reader **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_log_reader_free(struct kp_log_reader **reader); /* NULL-safe, leaves NULL */

/*
 * The next line.
 *
 * ret      a new reference to its object; NULL past the last whole line
 * Errors   KP_EINTEGRITY, KP_EPARSE (line told), KP_EIO
 */
int kp_log_reader_next(
        struct kp_log_reader *reader, json_t **ret, struct kp_error *err) KP_MUST_CHECK;

/* Number of the line that was read last, from 1. */
uint64_t kp_log_reader_line(const struct kp_log_reader *reader);
bool kp_log_reader_torn(const struct kp_log_reader *reader); /* ends within a line */

/*
 * Read an outcome's line.
 *
 * ret      borrows from `line`
 * Errors   KP_ESCHEMA a member is missing or mistyped
 */
int kp_log_entry_read(const json_t *line, struct kp_log_entry *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
