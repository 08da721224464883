/* SPDX-License-Identifier: BSD-2-Clause */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

void
table_init(struct table *table, size_t row_len)
{
        *table = (struct table){ .row_len = row_len };
}

void
table_done(struct table *table, void (*done)(void *row))
{
        for (size_t i = 0; i < table->n; i++) {
                if (done != NULL)
                        done(table_at(table, i));
                free(table->keys[i]);
        }
        free(table->keys);
        free(table->rows);
        json_decref(table->index);
        *table = (struct table){ .row_len = table->row_len };
}

static int
table_grow(struct table *table)
{
        size_t cap = table->cap == 0 ? 16 : 2 * table->cap;
        char *rows = reallocarray(table->rows, cap, table->row_len);
        char **keys;

        if (rows == NULL)
                return -1;
        table->rows = rows;
        if ((keys = reallocarray(table->keys, cap, sizeof(*keys))) == NULL)
                return -1;
        table->keys = keys;
        table->cap = cap;
        return 0;
}

bool
table_find(const struct table *table, const char *key, size_t *ret)
{
        const json_t *at = json_object_get(table->index, key);

        if (at == NULL)
                return false;
        *ret = (size_t)json_integer_value(at);
        return true;
}

int
table_row(struct table *table, const char *key, size_t *ret, bool *ret_new,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *own = NULL;

        *ret_new = false;
        if (table_find(table, key, ret))
                return 0;
        if (table->index == NULL)
                table->index = json_object();
        if ((table->n == table->cap && table_grow(table) < 0) ||
                (own = strdup(key)) == NULL ||
                json_object_set_new(
                        table->index, key, json_integer((json_int_t)table->n)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "report");
        memset(table->rows + table->n * table->row_len, 0, table->row_len);
        table->keys[table->n] = KP_STEAL(own);
        *ret = table->n++;
        *ret_new = true;
        return 0;
}

int
table_rowf(struct table *table, size_t *ret, bool *ret_new, struct kp_error *err,
        const char *format, ...)
{
        KP_CLEANUP(kp_free_str) char *key = NULL;
        va_list args;
        int rc;

        va_start(args, format);
        rc = vasprintf(&key, format, args);
        va_end(args);
        if (rc < 0) {
                key = NULL;
                return KP_FAIL(err, KP_ENOMEM, "report");
        }
        return table_row(table, key, ret, ret_new, err);
}

void *
table_at(const struct table *table, size_t i)
{
        return table->rows + i * table->row_len;
}

const char *
table_key(const struct table *table, size_t i)
{
        return table->keys[i];
}
