/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CORE_FILE_H
#define KEYPILOT_CORE_FILE_H

#include "keypilot/core/base.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * Whole files in and out, and folders listed in a fixed order.
 */

/*
 * Read a file, a pipe or "-" (standard input) into `ret`.
 *
 * max      refuse anything longer, in bytes
 * ret      appended to; the caller ends it with kp_buf_done()
 * Errors   KP_EIO unreadable, or a folder; KP_EPARSE longer than `max`; KP_ENOMEM
 */
int kp_file_read(const char *path, size_t max, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Write a file so that readers see the old contents or the new, never half: a temporary
 * name beside it, flushed, then renamed.
 *
 * Errors   KP_EIO, KP_ENOMEM; the file that was there is untouched
 */
int kp_file_write(const char *path, const void *bytes, size_t bytes_len,
        struct kp_error *err) KP_MUST_CHECK;

bool kp_file_exists(const char *path);

struct kp_names {
        char **names; /* file names without the folder */
        size_t n_names;
};

/*
 * Names in a folder that end in `suffix`, sorted by byte value; hidden ones left out.
 *
 * ret      overwritten on success only; the caller ends it with kp_names_done()
 * Errors   KP_ENOTFOUND no such folder; KP_EIO, KP_ENOMEM
 */
int kp_dir_list(const char *dir, const char *suffix, struct kp_names *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_names_done(struct kp_names *names);

/* malloc'ed "%s"-style text; NULL when out of memory. The caller frees it. */
char *kp_format(const char *format, ...) KP_PRINTF(1, 2);

#endif
