/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/core/json.h"

#define LEDGER_MAX (64u << 20)

struct kp_ledger {
        char *path;
        int fd;
        const struct kp_clock *clock;
        struct kp_random *random;
};

/* ---- opening ---- */

static int
errno_fail(const char *path, const char *doing, struct kp_error *err)
{
        int why = errno;

        return KP_FAIL_AS(
                err, KP_EIO, "errno", why, "%s: %s: %s", path, doing, strerror(why));
}

/* Every folder above the file, for the owner only where it is new. */
static int
make_folders(const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *folder = strdup(path);

        if (folder == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        for (char *at = strchr(folder + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
                *at = '\0';
                if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                        return errno_fail(folder, "making the folder", err);
                *at = '/';
        }
        return 0;
}

/* The name of a new file is only on disk once its folder is. */
static int
sync_folder(const char *path, struct kp_error *err)
{
        const char *slash = strrchr(path, '/');
        KP_CLEANUP(kp_free_str)
        char *folder = slash == NULL   ? strdup(".")
                       : slash == path ? strdup("/")
                                       : strndup(path, (size_t)(slash - path));
        int fd, r;

        if (folder == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        if ((fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                return errno_fail(folder, "opening the folder", err);
        r = fsync(fd);
        (void)close(fd); /* only read */
        return r < 0 ? errno_fail(folder, "writing to disk", err) : 0;
}

/* A line that a crash cut off ends here, so that the next one stands alone. */
static int
end_last_line(struct kp_ledger *ledger, struct kp_error *err)
{
        off_t end = lseek(ledger->fd, 0, SEEK_END);
        char last;

        if (end <= 0)
                return 0;
        if (pread(ledger->fd, &last, 1, end - 1) != 1)
                return errno_fail(ledger->path, "reading", err);
        if (last != '\n' && write(ledger->fd, "\n", 1) != 1)
                return errno_fail(ledger->path, "writing", err);
        return 0;
}

int
kp_ledger_open(const char *path, const struct kp_clock *clock, struct kp_random *random,
        struct kp_ledger **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_ledger_free)
        struct kp_ledger *ledger = calloc(1, sizeof(*ledger));

        if (ledger == NULL)
                return KP_FAIL(err, KP_ENOMEM, "ledger");
        ledger->fd = -1;
        ledger->clock = clock;
        ledger->random = random;
        if ((ledger->path = strdup(path)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "ledger");
        if (make_folders(path, err) < 0)
                return KP_WHILE(err, "ledger");
        ledger->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        if (ledger->fd < 0)
                return errno_fail(path, "opening the ledger", err);
        if (flock(ledger->fd, LOCK_EX | LOCK_NB) < 0)
                return KP_FAIL(
                        err, KP_EENV, "%s: another keypilot is using the ledger", path);
        if (end_last_line(ledger, err) < 0 || sync_folder(path, err) < 0)
                return KP_WHILE(err, "ledger");
        *ret = KP_STEAL(ledger);
        return 0;
}

void
kp_ledger_free(struct kp_ledger **ledger)
{
        if (*ledger == NULL)
                return;
        if ((*ledger)->fd >= 0)
                (void)close((*ledger)->fd); /* every line was flushed */
        free((*ledger)->path);
        free(*ledger);
        *ledger = NULL;
}

int
kp_ledger_default_path(
        const char *xdg_state_home, const char *home, char **ret, struct kp_error *err)
{
        /* XDG Base Directory Specification 0.8: a relative path is ignored */
        if (xdg_state_home != NULL && xdg_state_home[0] == '/')
                *ret = kp_format("%s/keypilot/ledger.jsonl", xdg_state_home);
        else if (home != NULL && home[0] != '\0')
                *ret = kp_format("%s/.local/state/keypilot/ledger.jsonl", home);
        else
                return KP_FAIL(err, KP_EENV,
                        "no place for the ledger of test passkeys: set HOME or "
                        "XDG_STATE_HOME");
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "ledger") : 0;
}

/* ---- writing ---- */

static int
text_write(struct kp_ledger *ledger, const struct kp_buf *text, struct kp_error *err)
{
        if (kp_buf_check(text, err) < 0)
                return -1;
        /* O_APPEND, one write: whole or, after a crash, cut off at its end */
        if (write(ledger->fd, text->data, text->len) != (ssize_t)text->len)
                return errno_fail(ledger->path, "writing", err);
        if (fsync(ledger->fd) < 0)
                return errno_fail(ledger->path, "writing to disk", err);
        return 0;
}

/* Takes `line` over, on failure as well; NULL: there was no memory for it. */
static int
line_write(struct kp_ledger *ledger, json_t *line, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        char utc[KP_UTC_LEN];
        int r;

        if (line == NULL)
                return KP_FAIL(err, KP_ENOMEM, "ledger");
        (void)json_object_set_new(line, "time",
                json_string(kp_utc_format(kp_clock_ms(ledger->clock), utc)));
        r = kp_json_write(line, &text, err);
        json_decref(line);
        if (r < 0)
                return KP_WHILE(err, "ledger");
        kp_buf_put_u8(&text, '\n');
        return text_write(ledger, &text, err);
}

static json_t *
bytes_json(struct kp_bytes bytes)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes.data, bytes.len);
        return json_string(kp_buf_str(&text));
}

int
kp_ledger_prepare(struct kp_ledger *ledger, const struct kp_ledger_plan *plan,
        char entry[KP_LEDGER_ENTRY_LEN], struct kp_error *err)
{
        uint8_t draw[(KP_LEDGER_ENTRY_LEN - 1) / 2];

        kp_random_bytes(ledger->random, draw, sizeof(draw));
        for (size_t i = 0; i < sizeof(draw); i++)
                (void)snprintf(entry + 2 * i, 3, "%02x", draw[i]);
        return line_write(ledger,
                json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:b}", "event", "prepared",
                        "entry", entry, "run", plan->run, "rp", plan->rp_id, "user_id",
                        bytes_json(plan->user_id), "name", plan->name, "discoverable",
                        plan->discoverable),
                err);
}

int
kp_ledger_made(struct kp_ledger *ledger, const char *entry,
        struct kp_bytes credential_id, struct kp_error *err)
{
        return line_write(ledger,
                json_pack("{s:s, s:s, s:o}", "event", "made", "entry", entry,
                        "credential_id", bytes_json(credential_id)),
                err);
}

int
kp_ledger_not_made(struct kp_ledger *ledger, const char *entry, const char *why,
        struct kp_error *err)
{
        return line_write(ledger,
                json_pack("{s:s, s:s, s:s}", "event", "not-made", "entry", entry, "why",
                        why),
                err);
}

int
kp_ledger_removed(
        struct kp_ledger *ledger, struct kp_bytes credential_id, struct kp_error *err)
{
        return line_write(ledger,
                json_pack("{s:s, s:o}", "event", "removed", "credential_id",
                        bytes_json(credential_id)),
                err);
}

/* ---- reading ---- */

/* entries: entry -> the "prepared" line, with "credential_id" once made */
static void
line_apply(json_t *entries, json_t *line)
{
        const char *event = kp_json_str(line, "event", "");
        const char *entry = kp_json_str(line, "entry", "");
        const char *id = kp_json_str(line, "credential_id", "");
        json_t *known = json_object_get(entries, entry);
        const char *name;
        json_t *value;
        void *next;

        if (strcmp(event, "prepared") == 0 && entry[0] != '\0')
                (void)json_object_set(entries, entry, line);
        else if (strcmp(event, "made") == 0 && known != NULL && id[0] != '\0')
                (void)json_object_set_new(known, "credential_id", json_string(id));
        else if (strcmp(event, "not-made") == 0)
                (void)json_object_del(entries, entry);
        else if (strcmp(event, "removed") == 0)
                json_object_foreach_safe (entries, next, name, value)
                        if (strcmp(kp_json_str(value, "credential_id", ""), id) == 0)
                                (void)json_object_del(entries, name);
}

static int
entries_read(struct kp_ledger *ledger, json_t **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_json_free) json_t *entries = json_object();
        const char *at, *end;

        if (entries == NULL)
                return KP_FAIL(err, KP_ENOMEM, "ledger");
        if (kp_file_read(ledger->path, LEDGER_MAX, &text, err) < 0)
                return KP_WHILE(err, "ledger");
        for (at = kp_buf_str(&text); (end = strchr(at, '\n')) != NULL; at = end + 1) {
                json_auto_t *line = json_loadb(
                        at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);

                if (json_is_object(line))
                        line_apply(entries, line);
        }
        *ret = KP_STEAL(entries);
        return 0;
}

int
kp_ledger_names(struct kp_ledger *ledger, struct kp_bytes credential_id, bool *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_json_free) json_t *entries = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        const char *name;
        json_t *entry;

        if (entries_read(ledger, &entries, err) < 0)
                return -1;
        kp_b64url_put(&id, credential_id.data, credential_id.len);
        if (kp_buf_check(&id, err) < 0)
                return -1;
        *ret = false;
        json_object_foreach (entries, name, entry)
                if (strcmp(kp_json_str(entry, "credential_id", ""), kp_buf_str(&id)) ==
                                0 &&
                        strncmp(kp_json_str(entry, "name", ""), KP_LEDGER_PREFIX,
                                strlen(KP_LEDGER_PREFIX)) == 0)
                        *ret = true;
        return 0;
}

int
kp_ledger_left(struct kp_ledger *ledger, json_t **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_json_free) json_t *entries = NULL;
        KP_CLEANUP(kp_json_free) json_t *left = json_array();
        const char *name;
        json_t *entry;

        if (left == NULL)
                return KP_FAIL(err, KP_ENOMEM, "ledger");
        if (entries_read(ledger, &entries, err) < 0)
                return -1;
        json_object_foreach (entries, name, entry) { /* jansson keeps insertion order */
                (void)json_object_del(entry, "event");
                if (json_array_append(left, entry) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "ledger");
        }
        *ret = KP_STEAL(left);
        return 0;
}
