/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keypilot/core/free.h"

static void
close_fd(int *fd)
{
        if (*fd > STDERR_FILENO)
                (void)close(*fd); /* read side only: nothing left to lose */
}

int
kp_file_read(const char *path, size_t max, struct kp_buf *ret, struct kp_error *err)
{
        bool is_stdin = strcmp(path, "-") == 0;
        KP_CLEANUP(close_fd)
        int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
        size_t total = 0;
        char chunk[65536];
        ssize_t n;

        if (fd < 0)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot open: %s",
                        path, strerror(errno));
        while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return KP_FAIL_AS(err, KP_EIO, "errno", errno,
                                "%s: cannot read: %s", path, strerror(errno));
                total += (size_t)n;
                if (total > max)
                        return KP_FAIL(err, KP_EPARSE,
                                "%s: longer than the %zu bytes that are allowed", path,
                                max);
                kp_buf_put(ret, chunk, (size_t)n);
        }
        return kp_buf_check(ret, err);
}

static int
write_all(int fd, const uint8_t *bytes, size_t bytes_len)
{
        while (bytes_len > 0) {
                ssize_t n = write(fd, bytes, bytes_len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -1;
                bytes += n;
                bytes_len -= (size_t)n;
        }
        return fsync(fd);
}

int
kp_file_write(
        const char *path, const void *bytes, size_t bytes_len, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *temporary = kp_format("%s.tmp-XXXXXX", path);
        mode_t mask = umask(0);
        int fd, failed;

        (void)umask(mask); /* the only way to read it is to set it */
        if (temporary == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        if ((fd = mkstemp(temporary)) < 0)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "%s: cannot write: %s",
                        path, strerror(errno));
        failed = fchmod(fd, 0666 & ~mask) < 0 || write_all(fd, bytes, bytes_len) < 0;
        failed = close(fd) < 0 || failed;
        if (failed || rename(temporary, path) < 0) {
                int saved = errno;

                (void)unlink(temporary); /* best effort: the error below is the news */
                return KP_FAIL_AS(err, KP_EIO, "errno", saved, "%s: cannot write: %s",
                        path, strerror(saved));
        }
        return 0;
}

bool
kp_file_exists(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0;
}

static bool
ends_in(const char *name, const char *suffix)
{
        size_t name_len = strlen(name), suffix_len = strlen(suffix);

        return name_len > suffix_len &&
               strcmp(name + name_len - suffix_len, suffix) == 0;
}

static int
compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
names_add(struct kp_names *names, const char *name)
{
        char **grown = realloc(names->names, (names->n_names + 1) * sizeof(*grown));

        if (grown == NULL)
                return -1;
        names->names = grown;
        if ((grown[names->n_names] = strdup(name)) == NULL)
                return -1;
        names->n_names++;
        return 0;
}

static void
close_dir(DIR **dir)
{
        if (*dir != NULL)
                (void)closedir(*dir);
}

int
kp_dir_list(
        const char *dir, const char *suffix, struct kp_names *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        KP_CLEANUP(close_dir) DIR *stream = opendir(dir);
        struct dirent *entry;

        if (stream == NULL)
                return KP_FAIL_AS(err, errno == ENOENT ? KP_ENOTFOUND : KP_EIO, "errno",
                        errno, "%s: cannot list: %s", dir, strerror(errno));
        while ((entry = readdir(stream)) != NULL)
                if (entry->d_name[0] != '.' && ends_in(entry->d_name, suffix) &&
                        names_add(&names, entry->d_name) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "%s", dir);
        if (names.n_names > 0)
                qsort(names.names, names.n_names, sizeof(*names.names), compare_names);
        *ret = names;
        names = (struct kp_names){ 0 };
        return 0;
}

void
kp_names_done(struct kp_names *names)
{
        for (size_t i = 0; i < names->n_names; i++)
                free(names->names[i]);
        free(names->names);
        *names = (struct kp_names){ 0 };
}

char *
kp_format(const char *format, ...)
{
        char *text = NULL;
        va_list args;

        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                text = NULL;
        va_end(args);
        return text;
}
