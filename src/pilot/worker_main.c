/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "record.h"
#include "workers.h"

/* Frames are kept for one write, until they are this many bytes or this old. */
#define SEND_AT (128u << 10)
#define SEND_AFTER_MS 50

/* What a worker has at hand. */
struct bench {
        const struct kp_run_options *options;
        int orders, frames;
        volatile uint64_t *current;
        struct kp_plan_walk *walk;
        struct kp_plan_cell cell;
        json_t *axes;
        struct kp_buf outbox;
        int64_t sent_ms;
};

static void
frame_put(struct bench *bench, struct kp_frame head, const char *id, const char *cause,
        const char *why, const struct kp_buf *body)
{
        head.index = bench->cell.index;
        head.id_len = (uint32_t)strlen(id);
        head.cause_len = (uint32_t)strlen(cause);
        head.why_len = (uint32_t)strlen(why);
        head.body_len = body == NULL ? 0 : (uint32_t)body->len;
        kp_buf_put(&bench->outbox, &head, sizeof(head));
        kp_buf_puts(&bench->outbox, id);
        kp_buf_puts(&bench->outbox, cause);
        kp_buf_puts(&bench->outbox, why);
        if (body != NULL)
                kp_buf_put(&bench->outbox, body->data, body->len);
}

static int
take_outcome(void *self, const json_t *assumed, const struct kp_cell_result *result,
        struct kp_error *err)
{
        struct bench *bench = self;
        const char *cause = kp_rules_cause(bench->options->rules, result->verdict,
                result->invariant, result->trace);
        const struct kp_record record = { bench->cell.scenario, bench->axes, assumed,
                result, cause, kp_plan_evidence(bench->options->plan) };
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf body = { 0 };

        if (kp_record_write(&record, &id, &body, err) < 0)
                return -1;
        frame_put(bench,
                (struct kp_frame){
                        .kind = KP_FRAME_OUTCOME, .code = (uint32_t)result->verdict },
                kp_buf_str(&id), cause == NULL ? "" : cause, result->why, &body);
        return kp_buf_check(&bench->outbox, err);
}

/* Our fault costs the cell; wrong files, an unready machine and real keys, the run. */
static bool
stops_run(enum kp_code code)
{
        switch (code) {
        case KP_EPARSE:
        case KP_ESCHEMA:
        case KP_ENOTFOUND:
        case KP_EUNSUPPORTED:
        case KP_EUSAGE:
        case KP_EENV:
        case KP_ESAFETY:
        case KP_EINTEGRITY:
                return true;
        default:
                return false;
        }
}

static void
tell_error(struct bench *bench, const struct kp_error *err)
{
        char text[KP_ERROR_FRAMES * KP_ERROR_TEXT];
        KP_CLEANUP(kp_buf_done) struct kp_buf body = { 0 };

        kp_buf_puts(&body, kp_error_format(err, text, sizeof(text)));
        frame_put(bench,
                (struct kp_frame){
                        .kind = stops_run(err->code) ? KP_FRAME_ERROR : KP_FRAME_FAULT,
                        .code = (uint32_t)err->code },
                "", "", "", &body);
}

static void
run_cell(struct bench *bench)
{
        const struct kp_run_options *options = bench->options;
        const struct kp_branch_sink sink = { bench, take_outcome };
        struct kp_cell_input input = {
                .fixtures = kp_plan_fixtures(options->plan),
                .scenario = bench->cell.scenario,
                .set = kp_plan_cell_set(options->plan, &bench->cell),
                .seed = options->seed,
                .id = bench->cell.id,
                .driver = options->driver,
                .user = options->user,
                .ledger_path = options->ledger_path,
                .run = options->run_name,
        };
        size_t start = bench->outbox.len;
        struct kp_error err = { 0 };

        json_decref(bench->axes);
        bench->axes = kp_plan_cell_axes(&bench->cell);
        input.axes = bench->axes;
        if (bench->axes == NULL)
                (void)KP_FAIL(&err, KP_ENOMEM, "cell");
        else if (kp_branches_run(options->cell, &input, &sink, &err) == 0) {
                frame_put(bench, (struct kp_frame){ .kind = KP_FRAME_DONE }, "", "", "",
                        NULL);
                return;
        }
        bench->outbox.len = start; /* the branches before the fault do not count */
        tell_error(bench, &err);
}

/* The writer is gone when this fails: there is nobody left to tell. */
static void
send_frames(struct bench *bench)
{
        for (size_t done = 0; done < bench->outbox.len;) {
                ssize_t n = write(bench->frames, bench->outbox.data + done,
                        bench->outbox.len - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        exit(EXIT_FAILURE);
                done += (size_t)n;
        }
        if (bench->outbox.failed)
                abort(); /* out of memory: counts as a crash of this cell */
        kp_buf_clear(&bench->outbox);
}

/* Only for pacing: nothing that is written depends on it. */
static int64_t
now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* cannot fail here */
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
orders_wait(int orders)
{
        int n = 0;

        return ioctl(orders, FIONREAD, &n) == 0 && n > 0;
}

static bool
order_take(struct bench *bench, uint64_t *ret)
{
        ssize_t n;

        if (bench->outbox.len >= SEND_AT || !orders_wait(bench->orders) ||
                now_ms() - bench->sent_ms >= SEND_AFTER_MS) {
                send_frames(bench);
                bench->sent_ms = now_ms();
        }
        do
                n = read(bench->orders, ret, sizeof(*ret));
        while (n < 0 && errno == EINTR);
        return n == (ssize_t)sizeof(*ret);
}

static void
walk_to(struct bench *bench, uint64_t index)
{
        struct kp_error err = { 0 };
        bool more = true;

        /* a worker's orders only go forward: what is run again goes to a new one */
        while (bench->cell.id == NULL || bench->cell.index < index)
                if (kp_plan_walk_next(bench->walk, &bench->cell, &more, &err) < 0 ||
                        !more)
                        abort();
}

_Noreturn void
kp_worker_main(const struct kp_run_options *options, int orders, int frames,
        volatile uint64_t *current)
{
        struct bench bench = { options, orders, frames, current };
        struct kp_error err = { 0 };
        uint64_t index;

        if (kp_plan_walk_new(options->plan, &bench.walk, &err) < 0)
                abort();
        while (order_take(&bench, &index)) {
                *current = index;
                walk_to(&bench, index);
                (void)alarm(options->cell_seconds);
                run_cell(&bench);
                (void)alarm(0);
                *current = KP_WORKER_IDLE;
        }
        send_frames(&bench);
        kp_plan_walk_free(&bench.walk);
        json_decref(bench.axes);
        kp_buf_done(&bench.outbox);
        exit(EXIT_SUCCESS);
}
