/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_PILOT_WORKERS_H
#define KEYPILOT_PILOT_WORKERS_H

#include <sys/types.h>

#include "keypilot/pilot/run.h"

/*
 * Worker processes and what passes between them and the writer. A worker is told cells
 * by index, walks its own copy of the plan to them, and answers with frames: one for
 * each outcome, then one that ends the cell.
 */
enum kp_frame_kind {
        KP_FRAME_OUTCOME, /* id, cause and body */
        KP_FRAME_DONE,    /* the cell is whole */
        KP_FRAME_FAULT,   /* the cell could not be run; body: what went wrong */
        KP_FRAME_ERROR,   /* the run must stop; body: what went wrong */
};

struct kp_frame {
        uint64_t index;
        uint32_t kind;
        uint32_t code; /* enum kp_verdict of an outcome, enum kp_code of an error */
        uint32_t id_len, cause_len, why_len, body_len; /* bytes that follow, no NULs */
};

#define KP_WORKER_IDLE UINT64_MAX

struct kp_worker {
        pid_t pid;
        int orders, frames;         /* pipes: indices to it, frames from it */
        volatile uint64_t *current; /* shared: the cell at hand, or KP_WORKER_IDLE */
        struct kp_buf inbox;        /* frames that are not whole yet */
        uint64_t outstanding[16];   /* ordered and not done, in order */
        size_t n_outstanding;
};
#define KP_WORKER_DEPTH 16

/*
 * Start a worker.
 *
 * others   workers whose pipes the new one must not keep open
 * Errors   KP_EIO no process, no pipe
 */
int kp_worker_start(const struct kp_run_options *options,
        const struct kp_worker *others, size_t n_others, struct kp_worker *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* Errors   KP_EIO; a worker that is gone is no error: its end is seen when reading */
int kp_worker_order(
        struct kp_worker *worker, uint64_t index, struct kp_error *err) KP_MUST_CHECK;

/* End it at once if it still runs. Returns its wait status. */
int kp_worker_end(struct kp_worker *worker);

/* The worker's side: never returns. */
_Noreturn void kp_worker_main(const struct kp_run_options *options, int orders,
        int frames, volatile uint64_t *current);

#endif
