/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/core/json.h"

#include "log_internal.h"

#define MAX_LINE (16u << 20)

struct kp_log_reader {
        char *path;
        FILE *file;
        char *line;
        size_t line_cap;
        uint64_t n_lines;
        uint64_t offset, end;
        char prev[KP_LOG_HASH_LEN + 1], next_prev[KP_LOG_HASH_LEN + 1];
        bool torn;
};

int
kp_log_reader_open(const char *path, struct kp_log_reader **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_log_reader_free)
        struct kp_log_reader *reader = calloc(1, sizeof(*reader));

        if (reader == NULL || (reader->path = strdup(path)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        if ((reader->file = fopen(path, "re")) == NULL)
                return KP_FAIL_AS(err, errno == ENOENT ? KP_ENOTFOUND : KP_EIO, "errno",
                        errno, "%s: cannot open: %s", path, strerror(errno));
        memcpy(reader->next_prev, KP_LOG_START, sizeof(reader->next_prev));
        *ret = KP_STEAL(reader);
        return 0;
}

void
kp_log_reader_free(struct kp_log_reader **reader)
{
        if (*reader == NULL)
                return;
        kp_free_file(&(*reader)->file);
        free((*reader)->line);
        free((*reader)->path);
        free(*reader);
        *reader = NULL;
}

static bool
chain_holds(const struct kp_log_reader *reader, size_t line_len)
{
        size_t prefix_len = strlen(KP_LOG_PREFIX);

        return line_len > prefix_len + KP_LOG_HASH_LEN &&
               memcmp(reader->line, KP_LOG_PREFIX, prefix_len) == 0 &&
               memcmp(reader->line + prefix_len, reader->next_prev, KP_LOG_HASH_LEN) ==
                       0;
}

static int
line_read(struct kp_log_reader *reader, size_t line_len, json_t **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str)
        char *name = kp_format("%s, line %" PRIu64, reader->path, reader->n_lines);

        if (name == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", reader->path);
        if (line_len > MAX_LINE)
                return KP_FAIL(
                        err, KP_EPARSE, "%s: longer than %u bytes", name, MAX_LINE);
        if (!chain_holds(reader, line_len))
                return KP_FAIL(err, KP_EINTEGRITY,
                        "%s: the chain is broken: it does not begin with the hash of "
                        "the line before it",
                        name);
        memcpy(reader->prev, reader->next_prev, sizeof(reader->prev));
        if (kp_log_hash(reader->line, line_len, reader->next_prev, err) < 0)
                return -1;
        return kp_json_parse(name, reader->line, line_len, ret, err);
}

int
kp_log_reader_next(struct kp_log_reader *reader, json_t **ret, struct kp_error *err)
{
        ssize_t n = getline(&reader->line, &reader->line_cap, reader->file);

        *ret = NULL;
        if (n < 0 && ferror(reader->file))
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot read: %s",
                        reader->path, strerror(errno));
        if (n <= 0)
                return 0;
        if (reader->line[n - 1] != '\n') {
                reader->torn = true;
                return 0;
        }
        reader->n_lines++;
        reader->offset = reader->end;
        reader->end += (uint64_t)n;
        return line_read(reader, (size_t)n - 1, ret, err);
}

uint64_t
kp_log_reader_line(const struct kp_log_reader *reader)
{
        return reader->n_lines;
}

bool
kp_log_reader_torn(const struct kp_log_reader *reader)
{
        return reader->torn;
}

uint64_t
kp_log_reader_offset(const struct kp_log_reader *reader)
{
        return reader->offset;
}

const char *
kp_log_reader_prev(const struct kp_log_reader *reader)
{
        return reader->prev;
}

uint64_t
kp_log_reader_end(const struct kp_log_reader *reader)
{
        return reader->end;
}

const char *
kp_log_reader_end_prev(const struct kp_log_reader *reader)
{
        return reader->next_prev;
}

int
kp_log_entry_read(const json_t *line, struct kp_log_entry *ret, struct kp_error *err)
{
        if (strcmp(kp_json_str(line, "type", ""), "outcome") != 0)
                return KP_FAIL(err, KP_ESCHEMA, "member 'type': expected \"outcome\"");
        ret->id = kp_json_str(line, "id", NULL);
        ret->cause = kp_json_str(line, "cause", NULL);
        ret->why = kp_json_str(line, "why", NULL);
        if (ret->id == NULL || !json_is_object(json_object_get(line, "axes")) ||
                kp_json_str(line, "scenario", NULL) == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "expected the members 'id', 'scenario' and 'axes'");
        if (!kp_verdict_parse(kp_json_str(line, "verdict", NULL), &ret->verdict))
                return KP_FAIL(err, KP_ESCHEMA, "member 'verdict': no such verdict");
        return 0;
}
