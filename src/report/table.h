/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_TABLE_H
#define KEYPILOT_REPORT_TABLE_H

#include <jansson.h>

#include "keypilot/core/base.h"
#include "keypilot/core/error.h"

/*
 * A table of rows that are found by a text key, in the order in which they first came.
 * Rows move when the table grows: keep their numbers, not their addresses.
 */
struct table {
        json_t *index; /* key -> number */
        char **keys;
        char *rows;
        size_t row_len, n, cap;
};

void table_init(struct table *table, size_t row_len);
/* done     releases what one row owns; NULL: nothing */
void table_done(struct table *table, void (*done)(void *row));

/* The row of a key; made, all zero, where it was not there. Errors  KP_ENOMEM */
int table_row(struct table *table, const char *key, size_t *ret, bool *ret_new,
        struct kp_error *err) KP_MUST_CHECK;
/* The same with a key made as by printf. */
int table_rowf(struct table *table, size_t *ret, bool *ret_new, struct kp_error *err,
        const char *format, ...) KP_PRINTF(5, 6) KP_MUST_CHECK;
void *table_at(const struct table *table, size_t i);
const char *table_key(const struct table *table, size_t i);
bool table_find(const struct table *table, const char *key, size_t *ret);

#endif
