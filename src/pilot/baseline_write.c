/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/core/json.h"
#include "keypilot/pilot/baseline.h"

/* A baseline in the making: one line for each outcome, so that a diff reads well. */
struct draft {
        struct kp_buf outcomes;
        json_t *risks;   /* cause: reason */
        json_t *reasons; /* of the file that is there already */
        char pilot[128];
        uint64_t n_outcomes, n_risks, n_cells, n_cells_seen;
        char cell[4096]; /* the cell that was seen last */
};

static void
draft_done(struct draft *draft)
{
        kp_buf_done(&draft->outcomes);
        json_decref(draft->risks);
        json_decref(draft->reasons);
}

static int
text_put(struct kp_buf *buf, const char *text, struct kp_error *err)
{
        json_auto_t *value = json_string(text);

        return kp_json_write(value, buf, err);
}

static int
risk_put(struct draft *draft, const struct kp_log_entry *entry, struct kp_error *err)
{
        if (entry->verdict != KP_RISK || entry->cause == NULL)
                return 0;
        draft->n_risks++;
        if (json_object_set_new(draft->risks, entry->cause,
                    json_string(kp_json_str(draft->reasons, entry->cause,
                            "found when the baseline was written"))) < 0)
                return KP_FAIL(err, KP_ENOMEM, "baseline");
        return 0;
}

/* An unfinished run would make a baseline that every whole run differs from. */
static int
cell_count(struct draft *draft, const json_t *line, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        if (kp_outcome_id(kp_json_str(line, "scenario", ""),
                    json_object_get(line, "axes"), NULL, &id, err) < 0)
                return -1;
        if (strncmp(kp_buf_str(&id), draft->cell, sizeof(draft->cell) - 1) == 0)
                return 0;
        (void)strncpy(draft->cell, kp_buf_str(&id), sizeof(draft->cell) - 1);
        draft->n_cells_seen++;
        return 0;
}

static int
outcome_put(struct draft *draft, const json_t *line, struct kp_error *err)
{
        struct kp_buf *out = &draft->outcomes;
        struct kp_log_entry entry;

        if (kp_log_entry_read(line, &entry, err) < 0 ||
                cell_count(draft, line, err) < 0)
                return -1;
        kp_buf_puts(out, draft->n_outcomes++ == 0 ? "\n    " : ",\n    ");
        if (text_put(out, entry.id, err) < 0)
                return -1;
        kp_buf_printf(out,
                ": {\"verdict\": \"%s\", \"cause\": ", kp_verdict_name(entry.verdict));
        if (entry.cause == NULL)
                kp_buf_puts(out, "null");
        else if (text_put(out, entry.cause, err) < 0)
                return -1;
        kp_buf_puts(out, "}");
        return risk_put(draft, &entry, err);
}

static int
header_take(struct draft *draft, const json_t *line, struct kp_error *err)
{
        const char *pilot = kp_json_str(json_object_get(line, "pilot"), "id", NULL);

        if (strcmp(kp_json_str(line, "type", ""), "run") != 0 || pilot == NULL ||
                strlen(pilot) >= sizeof(draft->pilot))
                return KP_FAIL(err, KP_ESCHEMA, "line 1: expected the header of a run");
        (void)strcpy(draft->pilot, pilot);
        draft->n_cells = (uint64_t)kp_json_int(line, "cells", 0);
        return 0;
}

static int
log_take(struct draft *draft, const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_log_reader_free) struct kp_log_reader *reader = NULL;

        if (kp_log_reader_open(path, &reader, err) < 0)
                return -1;
        for (;;) {
                json_auto_t *line = NULL;
                int failed;

                if (kp_log_reader_next(reader, &line, err) < 0)
                        return -1;
                if (line == NULL)
                        break;
                failed = kp_log_reader_line(reader) == 1
                                 ? header_take(draft, line, err)
                                 : outcome_put(draft, line, err);
                if (failed < 0)
                        return KP_WHILE(err, "%s, line %" PRIu64, path,
                                kp_log_reader_line(reader));
        }
        if (kp_log_reader_torn(reader) || kp_log_reader_line(reader) == 0 ||
                draft->n_cells_seen < draft->n_cells)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: the run is not finished; go on with it first: --resume",
                        path);
        return 0;
}

static int
draft_write(struct draft *draft, const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        const char *cause;
        json_t *reason;
        size_t n = 0;

        kp_buf_puts(&text, "{\n  \"format\": 1,\n  \"pilot\": ");
        if (text_put(&text, draft->pilot, err) < 0)
                return -1;
        kp_buf_puts(&text, ",\n  \"accepted_risks\": {");
        json_object_foreach (draft->risks, cause, reason) {
                kp_buf_puts(&text, n++ == 0 ? "\n    " : ",\n    ");
                if (text_put(&text, cause, err) < 0)
                        return -1;
                kp_buf_puts(&text, ": ");
                if (kp_json_write(reason, &text, err) < 0)
                        return -1;
        }
        kp_buf_puts(
                &text, n == 0 ? "},\n  \"outcomes\": {" : "\n  },\n  \"outcomes\": {");
        kp_buf_put(&text, draft->outcomes.data, draft->outcomes.len);
        kp_buf_puts(&text, draft->n_outcomes == 0 ? "}\n}\n" : "\n  }\n}\n");
        if (kp_buf_check(&text, err) < 0)
                return -1;
        return kp_file_write(path, text.data, text.len, err);
}

int
kp_baseline_write(const char *dir, const char *path, uint64_t *ret_n_outcomes,
        uint64_t *ret_n_risks, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *log = kp_format("%s/" KP_LOG_NAME, dir);
        KP_CLEANUP(draft_done) struct draft draft = { 0 };
        struct kp_baseline *before = NULL;
        json_auto_t *root = NULL;

        if (log == NULL || (draft.risks = json_object()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "baseline");
        if (kp_file_exists(path)) {
                if (kp_baseline_load(path, &before, err) < 0)
                        return -1;
                kp_baseline_free(&before);
                if (kp_json_load(path, KP_JSON_MAX_BULK, &root, err) < 0)
                        return -1;
                draft.reasons = json_incref(json_object_get(root, "accepted_risks"));
        }
        if (log_take(&draft, log, err) < 0 || draft_write(&draft, path, err) < 0)
                return -1;
        *ret_n_outcomes = draft.n_outcomes;
        *ret_n_risks = draft.n_risks;
        return 0;
}
