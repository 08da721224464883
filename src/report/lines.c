/* SPDX-License-Identifier: BSD-2-Clause */
#include "lines.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"

#define MAX_LINE (16u << 20)
#define CHAIN "{\"prev\":\"" /* every line begins with it and 64 digits */
#define HASH_LEN 64

int
lines_open(struct lines *lines, const char *path, struct kp_error *err)
{
        *lines = (struct lines){ .path = strdup(path) };
        if (lines->path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        if ((lines->file = fopen(path, "re")) == NULL)
                return KP_FAIL_AS(err, errno == ENOENT ? KP_ENOTFOUND : KP_EIO, "errno",
                        errno, "%s: cannot open: %s", path, strerror(errno));
        memset(lines->hash, '0', HASH_LEN);
        return 0;
}

void
lines_done(struct lines *lines)
{
        kp_free_file(&lines->file);
        free(lines->path);
        free(lines->text);
        *lines = (struct lines){ 0 };
}

static int
chain_step(struct lines *lines, size_t len, struct kp_error *err)
{
        static const char digits[] = "0123456789abcdef";
        size_t chain_len = strlen(CHAIN);
        uint8_t digest[HASH_LEN / 2];

        if (len < chain_len + HASH_LEN || memcmp(lines->text, CHAIN, chain_len) != 0 ||
                memcmp(lines->text + chain_len, lines->hash, HASH_LEN) != 0)
                return KP_FAIL(err, KP_EINTEGRITY,
                        "%s, line %" PRIu64 ": the chain is broken: it does not begin "
                        "with the hash of the line "
                        "before it",
                        lines->path, lines->n);
        if (EVP_Digest(lines->text, len, digest, NULL, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "no SHA-256");
        for (size_t i = 0; i < sizeof(digest); i++) {
                lines->hash[2 * i] = digits[digest[i] >> 4];
                lines->hash[2 * i + 1] = digits[digest[i] & 15];
        }
        return 0;
}

/* Past the array that begins at `at`; NULL when it does not end. */
static const char *
array_end(const char *at, const char *end)
{
        int depth = 0;

        for (; at < end; at++) {
                if (*at == '"') {
                        for (at++; at < end && *at != '"'; at++)
                                at += *at == '\\';
                } else if (*at == '[') {
                        depth++;
                } else if (*at == ']' && --depth == 0) {
                        return at + 1;
                }
        }
        return NULL;
}

/*
 * Where the trace stands in a compact line. A quote within a text has a backslash
 * before it, so the mark can be a member's name only.
 */
static bool
trace_find(const char *text, size_t len, const char **ret, size_t *ret_len)
{
        static const char mark[] = ",\"trace\":[";
        const char *at = memmem(text, len, mark, strlen(mark)), *end;

        if (at == NULL)
                return false;
        at += strlen(mark) - 1;
        if ((end = array_end(at, text + len)) == NULL)
                return false;
        *ret = at;
        *ret_len = (size_t)(end - at);
        return true;
}

/* The trace is put behind the rest of the line, and the rest is parsed. */
static int
line_parse(struct lines *lines, size_t len, json_t **ret, const char **ret_trace,
        size_t *ret_trace_len, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str)
        char *name = kp_format("%s, line %" PRIu64, lines->path, lines->n);
        KP_CLEANUP(kp_buf_done) struct kp_buf rest = { 0 };
        const char *trace;

        if (name == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", lines->path);
        *ret_trace = NULL;
        *ret_trace_len = 0;
        if (!trace_find(lines->text, len, &trace, ret_trace_len))
                return kp_json_parse(name, lines->text, len, ret, err);
        kp_buf_put(&rest, lines->text, (size_t)(trace - lines->text));
        kp_buf_puts(&rest, "0");
        trace += *ret_trace_len;
        kp_buf_put(&rest, trace, len - (size_t)(trace - lines->text));
        *ret_trace = trace - *ret_trace_len;
        if (kp_buf_check(&rest, err) < 0)
                return -1;
        return kp_json_parse(name, rest.data, rest.len, ret, err);
}

int
lines_next(struct lines *lines, json_t **ret, const char **ret_trace,
        size_t *ret_trace_len, struct kp_error *err)
{
        ssize_t n = getline(&lines->text, &lines->text_cap, lines->file);

        *ret = NULL;
        if (n < 0 && ferror(lines->file))
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot read: %s",
                        lines->path, strerror(errno));
        if (n <= 0)
                return 0;
        if (lines->text[n - 1] != '\n') {
                lines->torn = true;
                return 0;
        }
        lines->n++;
        if (n > MAX_LINE)
                return KP_FAIL(err, KP_EPARSE,
                        "%s, line %" PRIu64 ": longer than %u bytes", lines->path,
                        lines->n, MAX_LINE);
        if (chain_step(lines, (size_t)n - 1, err) < 0)
                return -1;
        return line_parse(lines, (size_t)n - 1, ret, ret_trace, ret_trace_len, err);
}
