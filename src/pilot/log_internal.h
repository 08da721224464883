/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_LOG_INTERNAL_H
#define KEYPILOT_PILOT_LOG_INTERNAL_H

#include "keypilot/pilot/log.h"

/* What log.c (writing), log_read.c and log_resume.c share: the chain. */

#define KP_LOG_HASH_LEN 64
#define KP_LOG_PREFIX "{\"prev\":\"" /* every line begins with it and the hash */
#define KP_LOG_START "0000000000000000000000000000000000000000000000000000000000000000"

/* The hash of a line without its newline, as hexadecimal digits. */
int kp_log_hash(const void *line, size_t line_len, char ret[KP_LOG_HASH_LEN + 1],
        struct kp_error *err) KP_MUST_CHECK;

/* Open a log for appending after `offset`, everything behind it cut off. */
int kp_log_open_at(const char *path, uint64_t offset, const char *prev,
        struct kp_log **ret, struct kp_error *err) KP_MUST_CHECK;

/* Where the line began that the reader gave last, and the hash that it began with. */
uint64_t kp_log_reader_offset(const struct kp_log_reader *reader);
const char *kp_log_reader_prev(const struct kp_log_reader *reader);
/* The same for the line to come: where a new one would be appended. */
uint64_t kp_log_reader_end(const struct kp_log_reader *reader);
const char *kp_log_reader_end_prev(const struct kp_log_reader *reader);

#endif
