/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keypilot/core/free.h"

#include "log_internal.h"

#define BATCH (64u << 10) /* bytes that are written at once */

struct kp_log {
        char *path;
        int fd;
        char prev[KP_LOG_HASH_LEN + 1];
        struct kp_buf pending;
};

int
kp_log_hash(const void *line, size_t line_len, char ret[KP_LOG_HASH_LEN + 1],
        struct kp_error *err)
{
        static const char digits[] = "0123456789abcdef";
        uint8_t digest[KP_LOG_HASH_LEN / 2];

        if (EVP_Digest(line, line_len, digest, NULL, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "log: no SHA-256");
        for (size_t i = 0; i < sizeof(digest); i++) {
                ret[2 * i] = digits[digest[i] >> 4];
                ret[2 * i + 1] = digits[digest[i] & 15];
        }
        ret[KP_LOG_HASH_LEN] = '\0';
        return 0;
}

int
kp_log_header(const struct kp_plan *plan, const char *tool, const char *seed,
        struct kp_buf *ret, struct kp_error *err)
{
        const struct kp_pilot *pilot = kp_plan_pilot(plan);
        json_auto_t *header = NULL;
        char fixtures[65];

        if (kp_fixtures_hash(kp_plan_fixtures(plan), fixtures, err) < 0)
                return -1;
        header = json_pack(
                "{s:s, s:i, s:s, s:s, s:s, s:s, s:{s:s, s:{s:s, s:s}}, s:s, s:I, s:s}",
                "type", "run", "format", 1, "tool", tool, "seed", seed, "fixtures",
                fixtures, "evidence", kp_plan_evidence(plan), "pilot", "id", pilot->id,
                "title", "en", pilot->title.en, "nl", pilot->title.nl, "plan",
                kp_plan_hash(plan), "cells", (json_int_t)kp_plan_n_cells(plan), "shard",
                kp_plan_shard(plan));
        if (header == NULL)
                return KP_FAIL(err, KP_ENOMEM, "log header");
        return kp_json_write(header, ret, err);
}

void
kp_log_free(struct kp_log **log)
{
        if (*log == NULL)
                return;
        if ((*log)->fd >= 0)
                (void)close((*log)->fd); /* what matters was flushed before */
        kp_buf_done(&(*log)->pending);
        free((*log)->path);
        free(*log);
        *log = NULL;
}

static int
log_open(const char *path, int flags, struct kp_log **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_log_free) struct kp_log *log = calloc(1, sizeof(*log));

        if (log == NULL || (log->path = strdup(path)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "log");
        memcpy(log->prev, KP_LOG_START, sizeof(log->prev));
        log->fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
        if (log->fd < 0)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot write: %s",
                        path, strerror(errno));
        *ret = KP_STEAL(log);
        return 0;
}

int
kp_log_open_at(const char *path, uint64_t offset, const char *prev, struct kp_log **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_log_free) struct kp_log *log = NULL;

        if (log_open(path, 0, &log, err) < 0)
                return -1;
        if (ftruncate(log->fd, (off_t)offset) < 0 ||
                lseek(log->fd, (off_t)offset, SEEK_SET) < 0)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot cut off: %s",
                        path, strerror(errno));
        memcpy(log->prev, prev, sizeof(log->prev));
        *ret = KP_STEAL(log);
        return 0;
}

/* The folder and those above it that are missing. */
static int
make_dirs(const char *dir, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = strdup(dir);

        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", dir);
        for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
                *slash = '\0';
                (void)mkdir(path, 0777); /* the last one tells what is wrong */
                *slash = '/';
        }
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno,
                        "%s: cannot make the folder: %s", dir, strerror(errno));
        return 0;
}

int
kp_log_create(
        const char *dir, const char *header, struct kp_log **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_log_free) struct kp_log *log = NULL;
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/" KP_LOG_NAME, dir);

        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", dir);
        if (make_dirs(dir, err) < 0 || kp_dir_list(dir, "", &names, err) < 0)
                return -1;
        if (names.n_names > 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "%s: the folder is used; choose another with --out, or go on "
                        "with that run: --resume",
                        dir);
        if (log_open(path, O_CREAT | O_EXCL, &log, err) < 0 ||
                kp_log_append(log, header, strlen(header), err) < 0 ||
                kp_log_flush(log, err) < 0)
                return -1;
        *ret = KP_STEAL(log);
        return 0;
}

int
kp_log_append(
        struct kp_log *log, const char *body, size_t body_len, struct kp_error *err)
{
        size_t start = log->pending.len;

        kp_buf_puts(&log->pending, KP_LOG_PREFIX);
        kp_buf_puts(&log->pending, log->prev);
        kp_buf_puts(&log->pending, "\",");
        /* its brace stands already */
        kp_buf_put(&log->pending, body + 1, body_len - 1);
        if (kp_buf_check(&log->pending, err) < 0 ||
                kp_log_hash(log->pending.data + start, log->pending.len - start,
                        log->prev, err) < 0)
                return -1;
        kp_buf_put_u8(&log->pending, '\n');
        return log->pending.len < BATCH ? 0 : kp_log_flush(log, err);
}

int
kp_log_flush(struct kp_log *log, struct kp_error *err)
{
        if (kp_buf_check(&log->pending, err) < 0)
                return -1;
        for (size_t done = 0; done < log->pending.len;) {
                ssize_t n = write(
                        log->fd, log->pending.data + done, log->pending.len - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return KP_FAIL_AS(err, KP_EIO, "errno", errno,
                                "%s: cannot write: %s", log->path, strerror(errno));
                done += (size_t)n;
        }
        kp_buf_clear(&log->pending);
        return 0;
}

int
kp_log_close(struct kp_log **log, struct kp_error *err)
{
        int failed;

        if (*log == NULL)
                return 0;
        failed = kp_log_flush(*log, err);
        if (failed == 0 && fdatasync((*log)->fd) < 0 && errno != EINVAL)
                failed = KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot write: %s",
                        (*log)->path, strerror(errno));
        kp_log_free(log);
        return failed;
}
