/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/core/json.h"

#include "log_internal.h"

/*
 * Going on with a log. The last cell in it may lack branches, so its outcomes are held
 * back until the next cell is seen, and cut off when there is none.
 */
struct scan {
        struct kp_log_reader *reader;
        const struct kp_plan *plan;
        struct kp_plan_walk *walk;
        const struct kp_log_watch *watch;
        struct kp_plan_cell cell; /* the last one that was seen */
        bool begun;               /* there is a last one */
        json_t *held;             /* its lines */
        uint64_t keep;            /* the log up to here stays */
        char keep_prev[KP_LOG_HASH_LEN + 1];
        uint64_t n_cells; /* whole ones */
};

static int
held_show(struct scan *scan, struct kp_error *err)
{
        const json_t *line;
        size_t i;

        json_array_foreach (scan->held, i, line) {
                struct kp_log_entry entry;

                if (kp_log_entry_read(line, &entry, err) < 0)
                        return -1;
                if (scan->watch != NULL &&
                        scan->watch->outcome(scan->watch->self, &entry, err) < 0)
                        return -1;
        }
        (void)json_array_clear(scan->held); /* is an array */
        return 0;
}

/* The outcome belongs to the cell at hand, or to the plan's next one. */
static int
cell_follow(struct scan *scan, const json_t *line, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        bool more = true;

        if (kp_outcome_id(kp_json_str(line, "scenario", ""),
                    json_object_get(line, "axes"), NULL, &id, err) < 0)
                return -1;
        if (scan->begun && strcmp(scan->cell.id, kp_buf_str(&id)) == 0)
                return 0;
        if (scan->begun) {
                scan->n_cells++;
                if (held_show(scan, err) < 0)
                        return -1;
        }
        if (kp_plan_walk_next(scan->walk, &scan->cell, &more, err) < 0)
                return -1;
        if (!more || strcmp(scan->cell.id, kp_buf_str(&id)) != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "'%.120s' is not the cell that the plan has here",
                        kp_buf_str(&id));
        scan->begun = true;
        scan->keep = kp_log_reader_offset(scan->reader);
        memcpy(scan->keep_prev, kp_log_reader_prev(scan->reader),
                sizeof(scan->keep_prev));
        return 0;
}

static int
outcome_take(struct scan *scan, json_t *line, struct kp_error *err)
{
        struct kp_log_entry entry;

        if (kp_log_entry_read(line, &entry, err) < 0 ||
                cell_follow(scan, line, err) < 0)
                return -1;
        /* only what the watch wants is held, not the trace */
        (void)json_object_del(line, "trace"); /* may be missing: then nothing is lost */
        if (json_array_append(scan->held, line) < 0)
                return KP_FAIL(err, KP_ENOMEM, "log");
        return 0;
}

static int
scan_outcomes(struct scan *scan, struct kp_error *err)
{
        scan->keep = kp_log_reader_end(scan->reader);
        memcpy(scan->keep_prev, kp_log_reader_end_prev(scan->reader),
                sizeof(scan->keep_prev));
        for (;;) {
                json_auto_t *line = NULL;

                if (kp_log_reader_next(scan->reader, &line, err) < 0)
                        return -1;
                if (line == NULL)
                        return 0;
                if (outcome_take(scan, line, err) < 0)
                        return KP_WHILE(
                                err, "line %" PRIu64, kp_log_reader_line(scan->reader));
        }
}

/* Each member that decides what the outcomes are. */
static int
header_check(json_t *line, const char *wanted, struct kp_error *err)
{
        static const struct {
                const char *member, *what;
        } members[] = {
                { "format", "in another format" },
                { "tool", "by another version" },
                { "seed", "with another seed" },
                { "fixtures", "with other fixtures" },
                { "evidence", "with another kind of key" },
                { "pilot", "of another pilot" },
                { "plan", "of another plan (pilot, filters or settings)" },
                { "shard", "of another shard" },
        };
        json_auto_t *header = NULL;

        if (kp_json_parse("header", wanted, strlen(wanted), &header, err) < 0)
                return -1;
        for (size_t i = 0; i < KP_NELEMS(members); i++)
                if (!json_equal(json_object_get(line, members[i].member),
                            json_object_get(header, members[i].member)))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "the run in this folder was made %s; choose another "
                                "folder with --out",
                                members[i].what);
        return 0;
}

static void
scan_done(struct scan *scan)
{
        kp_log_reader_free(&scan->reader);
        kp_plan_walk_free(&scan->walk);
        json_decref(scan->held);
}

static int
scan_log(struct scan *scan, const char *path, const char *header, bool *ret_empty,
        struct kp_error *err)
{
        json_auto_t *line = NULL;

        *ret_empty = false;
        if (kp_log_reader_open(path, &scan->reader, err) < 0 ||
                kp_plan_walk_new(scan->plan, &scan->walk, err) < 0)
                return -1;
        if ((scan->held = json_array()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        if (kp_log_reader_next(scan->reader, &line, err) < 0)
                return -1;
        if (line == NULL) {
                *ret_empty = true;
                return 0;
        }
        if (header_check(line, header, err) < 0 || scan_outcomes(scan, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

int
kp_log_resume(const char *dir, const char *header, const struct kp_plan *plan,
        const struct kp_log_watch *watch, struct kp_log **ret, uint64_t *ret_n_cells,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/" KP_LOG_NAME, dir);
        KP_CLEANUP(scan_done) struct scan scan = { .plan = plan, .watch = watch };
        KP_CLEANUP(kp_log_free) struct kp_log *log = NULL;
        bool empty;

        *ret_n_cells = 0;
        if (path == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", dir);
        if (!kp_file_exists(path))
                return kp_log_create(dir, header, ret, err);
        if (scan_log(&scan, path, header, &empty, err) < 0)
                return -1;
        if (kp_log_open_at(path, empty ? 0 : scan.keep,
                    empty ? KP_LOG_START : scan.keep_prev, &log, err) < 0)
                return -1;
        if (empty && (kp_log_append(log, header, strlen(header), err) < 0 ||
                             kp_log_flush(log, err) < 0))
                return -1;
        *ret_n_cells = scan.n_cells;
        *ret = KP_STEAL(log);
        return 0;
}
