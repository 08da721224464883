/* SPDX-License-Identifier: BSD-2-Clause */
#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20) /* so that a worker seldom waits for the writer */

unsigned
kp_run_cores(void)
{
        cpu_set_t cores;
        int n = 0;

        if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
                n = CPU_COUNT(&cores);
        return n < 1 ? 1 : (unsigned)n;
}

static void
close_pair(int fds[2])
{
        for (int i = 0; i < 2; i++)
                if (fds[i] >= 0)
                        (void)close(fds[i]); /* pipes: nothing to lose */
}

/* The worker's half of what fork() copied. */
_Noreturn static void
become_worker(const struct kp_run_options *options, const struct kp_worker *others,
        size_t n_others, int orders, int frames, volatile uint64_t *current)
{
        (void)signal(SIGINT, SIG_IGN); /* the writer decides when to stop */
        (void)signal(SIGALRM, SIG_DFL);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* else: the next write fails */
        for (size_t i = 0; i < n_others; i++)
                if (others[i].pid > 0) {
                        (void)close(others[i].orders);
                        (void)close(others[i].frames);
                }
        kp_worker_main(options, orders, frames, current);
}

static int
fail_start(struct kp_worker *worker, int orders[2], int frames[2], struct kp_error *err)
{
        int saved = errno;

        close_pair(orders);
        close_pair(frames);
        if (worker->current != NULL)
                (void)munmap((void *)worker->current, sizeof(*worker->current));
        memset(worker, 0, sizeof(*worker));
        return KP_FAIL_AS(err, KP_EIO, "errno", saved, "cannot start a worker: %s",
                strerror(saved));
}

int
kp_worker_start(const struct kp_run_options *options, const struct kp_worker *others,
        size_t n_others, struct kp_worker *ret, struct kp_error *err)
{
        struct kp_worker worker = { 0 };
        int orders[2] = { -1, -1 }, frames[2] = { -1, -1 };
        void *shared = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (shared == MAP_FAILED || pipe2(orders, O_CLOEXEC) < 0 ||
                pipe2(frames, O_CLOEXEC) < 0)
                return fail_start(&worker, orders, frames, err);
        worker.current = shared;
        *worker.current = KP_WORKER_IDLE;
        (void)fcntl(frames[1], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one works too */
        (void)fcntl(frames[0], F_SETFL, O_NONBLOCK);
        (void)fflush(NULL); /* what is buffered now must not come out twice */
        if ((worker.pid = fork()) < 0)
                return fail_start(&worker, orders, frames, err);
        if (worker.pid == 0) {
                (void)close(orders[1]);
                (void)close(frames[0]);
                become_worker(options, others, n_others, orders[0], frames[1],
                        worker.current);
        }
        (void)close(orders[0]);
        (void)close(frames[1]);
        worker.orders = orders[1];
        worker.frames = frames[0];
        *ret = worker;
        return 0;
}

int
kp_worker_order(struct kp_worker *worker, uint64_t index, struct kp_error *err)
{
        ssize_t n;

        do
                n = write(worker->orders, &index, sizeof(index));
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno != EPIPE)
                return KP_FAIL_AS(
                        err, KP_EIO, "errno", errno, "worker: %s", strerror(errno));
        worker->outstanding[worker->n_outstanding++] = index;
        return 0;
}

int
kp_worker_end(struct kp_worker *worker)
{
        int status = 0;

        if (worker->pid <= 0)
                return 0;
        (void)close(worker->orders);
        (void)close(worker->frames);
        (void)kill(worker->pid, SIGKILL); /* ours, and not waited for yet */
        while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
                ;
        (void)munmap((void *)worker->current, sizeof(*worker->current));
        kp_buf_done(&worker->inbox);
        memset(worker, 0, sizeof(*worker));
        return status;
}
