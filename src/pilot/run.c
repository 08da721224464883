/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keypilot/core/free.h"

#include "record.h"
#include "workers.h"

#define MAX_WORKERS 256
#define TICK_MS 200  /* how soon a stop is noticed while nothing comes in */
#define MAX_SPAWNS 3 /* workers that die without a cell at hand, in a row */
#define MAX_FRAME (64u << 20)

/* A cell between being ordered and being written. */
struct slot {
        struct kp_plan_cell cell; /* its id is ours */
        struct kp_buf frames;     /* of its outcomes */
        bool done;
};

/* The writer: hands out cells, puts what comes back into order, writes it. */
struct writer {
        const struct kp_run_options *options;
        struct kp_run_result *result;
        struct kp_log *log;
        struct kp_plan_walk *walk;
        struct kp_worker workers[MAX_WORKERS];
        size_t n_workers;
        struct slot *slots; /* a ring: cell i is in slot i % n_slots */
        size_t n_slots;
        uint64_t n_cells, next_order, next_write;
        int n_idle_deaths;
};

static struct slot *
slot_of(struct writer *w, uint64_t index)
{
        return &w->slots[index % w->n_slots];
}

static void
slot_clear(struct slot *slot)
{
        free((char *)slot->cell.id);
        slot->cell.id = NULL;
        kp_buf_clear(&slot->frames);
        slot->done = false;
}

/* ---- writing ---- */

static int
count_outcome(void *self, const struct kp_log_entry *entry, struct kp_error *err)
{
        struct writer *w = self;
        const struct kp_log_watch *watch = &w->options->watch;

        w->result->n_outcomes[entry->verdict]++;
        if (entry->why != NULL && (strcmp(entry->why, KP_WHY_CRASHED) == 0 ||
                                          strcmp(entry->why, KP_WHY_FAILED) == 0 ||
                                          strcmp(entry->why, KP_WHY_STUCK) == 0))
                w->result->n_faults++;
        return watch->outcome == NULL ? 0 : watch->outcome(watch->self, entry, err);
}

static int
frame_write(struct writer *w, const struct kp_frame *frame, const char *text,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *id = strndup(text, frame->id_len);
        KP_CLEANUP(kp_free_str)
        char *cause = strndup(text + frame->id_len, frame->cause_len);
        KP_CLEANUP(kp_free_str)
        char *why = strndup(text + frame->id_len + frame->cause_len, frame->why_len);
        const char *body = text + frame->id_len + frame->cause_len + frame->why_len;

        if (id == NULL || cause == NULL || why == NULL)
                return KP_FAIL(err, KP_ENOMEM, "outcome");
        if (kp_log_append(w->log, body, frame->body_len, err) < 0)
                return -1;
        return count_outcome(w,
                &(const struct kp_log_entry){ id, (enum kp_verdict)frame->code,
                        *cause == '\0' ? NULL : cause, *why == '\0' ? NULL : why },
                err);
}

static int
slot_write(struct writer *w, struct slot *slot, struct kp_error *err)
{
        struct kp_frame frame;
        size_t at = 0;

        if (kp_buf_check(&slot->frames, err) < 0)
                return -1;
        while (at < slot->frames.len) {
                memcpy(&frame, slot->frames.data + at, sizeof(frame));
                at += sizeof(frame);
                if (frame_write(w, &frame, (const char *)slot->frames.data + at, err) <
                        0)
                        return -1;
                at += frame.id_len + frame.cause_len + frame.why_len + frame.body_len;
        }
        return 0;
}

static int
write_ready(struct writer *w, struct kp_error *err)
{
        while (w->next_write < w->next_order && slot_of(w, w->next_write)->done) {
                struct slot *slot = slot_of(w, w->next_write);

                if (slot_write(w, slot, err) < 0)
                        return -1;
                slot_clear(slot);
                w->next_write++;
                w->result->n_cells = w->next_write;
        }
        return 0;
}

/* ---- our own faults ---- */

/* What stands in the log for a cell that gave no answer. */
static int
slot_fault(struct writer *w, struct slot *slot, const char *why, const char *what,
        struct kp_error *err)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = { .verdict = KP_INCONCLUSIVE };
        json_auto_t *axes = kp_plan_cell_axes(&slot->cell);
        const struct kp_record record = { slot->cell.scenario, axes, NULL, &result,
                NULL, kp_plan_evidence(w->options->plan) };
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf body = { 0 };
        struct kp_frame head = { .kind = KP_FRAME_OUTCOME, .code = KP_INCONCLUSIVE };

        (void)snprintf(result.why, sizeof(result.why), "%s", why);
        if (axes == NULL)
                return KP_FAIL(err, KP_ENOMEM, "outcome");
        if (kp_record_write(&record, &id, &body, err) < 0)
                return -1;
        head.id_len = (uint32_t)id.len;
        head.why_len = (uint32_t)strlen(why);
        head.body_len = (uint32_t)body.len;
        kp_buf_clear(&slot->frames);
        kp_buf_put(&slot->frames, &head, sizeof(head));
        kp_buf_put(&slot->frames, id.data, id.len);
        kp_buf_puts(&slot->frames, why);
        kp_buf_put(&slot->frames, body.data, body.len);
        slot->done = true;
        if (w->options->fault != NULL)
                w->options->fault(w->options->self, slot->cell.id, what);
        return 0;
}

static const char *
death_text(int status, char text[64])
{
        if (WIFSIGNALED(status))
                (void)snprintf(text, 64, "the worker was ended by signal %d (%s)",
                        WTERMSIG(status), strsignal(WTERMSIG(status)));
        else
                (void)snprintf(text, 64, "the worker ended with status %d",
                        WEXITSTATUS(status));
        return text;
}

/*
 * A worker died: the cell at hand pays, the others that it had go to a new worker.
 * Frames that it had not sent are lost, so finished cells may run again, to the same
 * bytes.
 */
static int
worker_died(struct writer *w, struct kp_worker *worker, struct kp_error *err)
{
        struct kp_worker old = *worker;
        uint64_t current = *worker->current;
        int status = kp_worker_end(worker);
        char text[64];

        if (current == KP_WORKER_IDLE && ++w->n_idle_deaths > MAX_SPAWNS)
                return KP_FAIL(err, KP_EBUG, "workers die before they begin: %s",
                        death_text(status, text));
        if (current != KP_WORKER_IDLE &&
                slot_fault(w, slot_of(w, current),
                        WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM
                                ? KP_WHY_STUCK
                                : KP_WHY_CRASHED,
                        death_text(status, text), err) < 0)
                return -1;
        if (kp_worker_start(w->options, w->workers, w->n_workers, worker, err) < 0)
                return -1;
        for (size_t i = 0; i < old.n_outstanding; i++) {
                struct slot *slot = slot_of(w, old.outstanding[i]);

                if (slot->done)
                        continue;
                kp_buf_clear(&slot->frames);
                if (kp_worker_order(worker, old.outstanding[i], err) < 0)
                        return -1;
        }
        return 0;
}

/* ---- reading ---- */

static void
outstanding_drop(struct kp_worker *worker, uint64_t index)
{
        size_t n = 0;

        for (size_t i = 0; i < worker->n_outstanding; i++)
                if (worker->outstanding[i] != index)
                        worker->outstanding[n++] = worker->outstanding[i];
        worker->n_outstanding = n;
}

static int
frame_take(struct writer *w, struct kp_worker *worker, const struct kp_frame *frame,
        const char *bytes, struct kp_error *err)
{
        struct slot *slot = slot_of(w, frame->index);
        const char *body = bytes + sizeof(*frame) + frame->id_len + frame->cause_len +
                           frame->why_len;
        KP_CLEANUP(kp_free_str) char *what = NULL;

        if (frame->kind == KP_FRAME_OUTCOME) {
                kp_buf_put(
                        &slot->frames, bytes, (size_t)(body - bytes) + frame->body_len);
                return 0;
        }
        outstanding_drop(worker, frame->index);
        w->n_idle_deaths = 0;
        slot->done = true;
        if (frame->kind == KP_FRAME_DONE)
                return 0;
        if ((what = strndup(body, frame->body_len)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "worker");
        if (frame->kind == KP_FRAME_FAULT)
                return slot_fault(w, slot, KP_WHY_FAILED, what, err);
        slot->done = false; /* the log ends before it */
        return KP_FAIL(err, (enum kp_code)frame->code, "%s", what);
}

static int
inbox_take(struct writer *w, struct kp_worker *worker, struct kp_error *err)
{
        struct kp_buf *inbox = &worker->inbox;
        size_t at = 0;

        if (kp_buf_check(inbox, err) < 0)
                return -1;
        while (inbox->len - at >= sizeof(struct kp_frame)) {
                struct kp_frame frame;
                size_t len;

                memcpy(&frame, inbox->data + at, sizeof(frame));
                len = sizeof(frame) + frame.id_len + frame.cause_len + frame.why_len +
                      frame.body_len;
                if (len > MAX_FRAME)
                        return KP_FAIL(err, KP_EBUG, "an outcome of %zu bytes", len);
                if (inbox->len - at < len)
                        break;
                if (frame_take(w, worker, &frame, (const char *)inbox->data + at, err) <
                        0)
                        return -1;
                at += len;
        }
        if (at > 0)
                memmove(inbox->data, inbox->data + at, inbox->len - at);
        inbox->len -= at;
        return 0;
}

static int
worker_read(struct writer *w, struct kp_worker *worker, struct kp_error *err)
{
        static char chunk[256u << 10];
        ssize_t n = read(worker->frames, chunk, sizeof(chunk));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return 0;
        if (n < 0)
                return KP_FAIL_AS(
                        err, KP_EIO, "errno", errno, "worker: %s", strerror(errno));
        if (n == 0)
                return worker_died(w, worker, err);
        kp_buf_put(&worker->inbox, chunk, (size_t)n);
        return inbox_take(w, worker, err);
}

/* ---- the loop ---- */

static int
order_next(struct writer *w, struct kp_worker *worker, struct kp_error *err)
{
        struct slot *slot = slot_of(w, w->next_order);
        struct kp_plan_cell cell;
        bool more = true;

        if (kp_plan_walk_next(w->walk, &cell, &more, err) < 0)
                return -1;
        if (!more)
                return KP_FAIL(err, KP_EBUG, "the plan ends before its end");
        slot->cell = cell;
        if ((slot->cell.id = strdup(cell.id)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "cell");
        w->next_order++;
        return kp_worker_order(worker, cell.index, err);
}

static struct kp_worker *
least_busy(struct writer *w)
{
        struct kp_worker *least = &w->workers[0];

        for (size_t i = 1; i < w->n_workers; i++)
                if (w->workers[i].n_outstanding < least->n_outstanding)
                        least = &w->workers[i];
        return least;
}

/* Cells are handed out singly and evenly, as far as the window reaches. */
static int
hand_out(struct writer *w, struct kp_error *err)
{
        while (w->next_order < w->n_cells &&
                w->next_order < w->next_write + w->n_slots) {
                struct kp_worker *worker = least_busy(w);

                if (worker->n_outstanding == KP_WORKER_DEPTH)
                        return 0;
                if (order_next(w, worker, err) < 0)
                        return -1;
        }
        return 0;
}

static int
wait_and_read(struct writer *w, struct kp_error *err)
{
        struct pollfd polls[MAX_WORKERS];
        int n;

        for (size_t i = 0; i < w->n_workers; i++)
                polls[i] =
                        (struct pollfd){ .fd = w->workers[i].frames, .events = POLLIN };
        if ((n = poll(polls, w->n_workers, 0)) == 0) {
                /* nobody has anything: the time to write and to tell */
                if (kp_log_flush(w->log, err) < 0)
                        return -1;
                n = poll(polls, w->n_workers, TICK_MS);
        }
        if (n < 0 && errno != EINTR)
                return KP_FAIL_AS(
                        err, KP_EIO, "errno", errno, "workers: %s", strerror(errno));
        for (size_t i = 0; n > 0 && i < w->n_workers; i++)
                if (polls[i].revents != 0 && worker_read(w, &w->workers[i], err) < 0)
                        return -1;
        return 0;
}

static bool
stopped(const struct writer *w)
{
        return w->options->stop != NULL && *w->options->stop != 0;
}

static int
loop(struct writer *w, struct kp_error *err)
{
        while (w->next_write < w->n_cells && !stopped(w)) {
                if (hand_out(w, err) < 0 || wait_and_read(w, err) < 0 ||
                        write_ready(w, err) < 0)
                        return -1;
                if (w->options->progress != NULL)
                        w->options->progress(
                                w->options->self, w->next_write, w->n_cells);
        }
        w->result->interrupted = w->next_write < w->n_cells;
        return 0;
}

/* ---- beginning and end ---- */

static int
log_begin(struct writer *w, struct kp_error *err)
{
        const struct kp_run_options *options = w->options;
        const struct kp_log_watch watch = { w, count_outcome };
        KP_CLEANUP(kp_buf_done) struct kp_buf header = { 0 };

        if (kp_log_header(options->plan, options->tool, options->seed, &header, err) <
                0)
                return -1;
        if (!options->resume)
                return kp_log_create(options->out, kp_buf_str(&header), &w->log, err);
        return kp_log_resume(options->out, kp_buf_str(&header), options->plan, &watch,
                &w->log, &w->next_write, err);
}

static int
walk_begin(struct writer *w, struct kp_error *err)
{
        struct kp_plan_cell cell;
        bool more = true;

        if (kp_plan_walk_new(w->options->plan, &w->walk, err) < 0)
                return -1;
        for (uint64_t i = 0; i < w->next_write && more; i++)
                if (kp_plan_walk_next(w->walk, &cell, &more, err) < 0)
                        return -1;
        w->next_order = w->next_write;
        w->result->n_cells = w->next_write;
        return 0;
}

static int
workers_begin(struct writer *w, struct kp_error *err)
{
        size_t n = w->options->jobs == 0 ? kp_run_cores() : w->options->jobs;

        if (n > MAX_WORKERS)
                n = MAX_WORKERS;
        if (n > w->n_cells - w->next_write)
                n = (size_t)(w->n_cells - w->next_write);
        w->n_slots = 64 + n * 2 * KP_WORKER_DEPTH;
        if ((w->slots = calloc(w->n_slots, sizeof(*w->slots))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "run");
        for (; w->n_workers < n; w->n_workers++)
                if (kp_worker_start(w->options, w->workers, w->n_workers,
                            &w->workers[w->n_workers], err) < 0)
                        return -1;
        return 0;
}

static void
writer_done(struct writer *w)
{
        for (size_t i = 0; i < w->n_workers; i++)
                (void)kp_worker_end(&w->workers[i]); /* its work is done or given up */
        for (size_t i = 0; w->slots != NULL && i < w->n_slots; i++) {
                slot_clear(&w->slots[i]);
                kp_buf_done(&w->slots[i].frames);
        }
        free(w->slots);
        kp_plan_walk_free(&w->walk);
        kp_log_free(&w->log);
}

static int
run(struct writer *w, struct kp_error *err)
{
        struct kp_error second = { 0 };
        int status;

        if (log_begin(w, err) < 0 || walk_begin(w, err) < 0 ||
                workers_begin(w, err) < 0)
                return -1;
        status = loop(w, err);
        /* after an error that one is the news, not a second one */
        if (status < 0)
                status = write_ready(w, &second) < 0 ? -1 : status;
        if (kp_log_close(&w->log, status < 0 ? &second : err) < 0)
                status = -1;
        return status;
}

int
kp_run(const struct kp_run_options *options, struct kp_run_result *ret,
        struct kp_error *err)
{
        struct writer *w = calloc(1, sizeof(*w));
        struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
        int status;

        memset(ret, 0, sizeof(*ret));
        if (w == NULL)
                return KP_FAIL(err, KP_ENOMEM, "run");
        w->options = options;
        w->result = ret;
        w->n_cells = kp_plan_n_cells(options->plan);
        /* a worker's end is seen by reading */
        (void)sigaction(SIGPIPE, &ignore, &before);
        status = run(w, err);
        writer_done(w);
        (void)sigaction(SIGPIPE, &before, NULL);
        free(w);
        return status;
}
