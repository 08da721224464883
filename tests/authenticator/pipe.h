/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_PIPE_H
#define KEYPILOT_TESTS_PIPE_H

#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

/* A program at the other end of two pipes, 64 bytes a report, in real time. */
#define PYTHON "/usr/bin/python3"

static UNUSED bool
have_python_fido2(void)
{
        return access(PYTHON, X_OK) == 0 &&
               system(PYTHON " -c 'import fido2.hid.base' 2>/dev/null") == 0;
}

static UNUSED int64_t
real_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Carry reports until the other end is done. */
static UNUSED void
pipe_serve(struct rig *rig, int to, int from)
{
        uint8_t report[KP_CTAPHID_REPORT];
        int64_t offset = rig->now_ms - real_ms(), next;
        size_t have = 0;
        ssize_t n;

        for (;;) {
                struct pollfd at = { .fd = from, .events = POLLIN };

                rig->now_ms = real_ms() + offset;
                kp_authenticator_tick(rig->key, rig->now_ms);
                while (kp_authenticator_next_report(rig->key, report))
                        if (write(to, report, sizeof(report)) != sizeof(report))
                                return;
                next = kp_authenticator_next_event_ms(rig->key);
                if (poll(&at, 1, next < 0 ? -1 : (int)(next - rig->now_ms) + 1) <= 0)
                        continue;
                if ((n = read(from, report + have, sizeof(report) - have)) <= 0)
                        return;
                if ((have += (size_t)n) < sizeof(report))
                        continue;
                kp_authenticator_feed(rig->key, report, rig->now_ms);
                have = 0;
        }
}

/* Run tests/authenticator/`script` against the key; its status. At most four
 * arguments, NULL-terminated. */
static UNUSED int
pipe_run(struct rig *rig, const char *script, const char *const *arguments)
{
        char path[512];
        int in[2], out[2], status;
        const char *argv[8] = { PYTHON, "-B", path };
        pid_t pid;

        (void)snprintf(path, sizeof(path), "%s/tests/authenticator/%s",
                getenv("KEYPILOT_SOURCE"), script);
        for (size_t i = 0; i < 4 && arguments[i] != NULL; i++)
                argv[3 + i] = arguments[i];
        cr_assert(pipe(in) == 0 && pipe(out) == 0);
        cr_assert_geq(pid = fork(), 0);
        if (pid == 0) {
                (void)dup2(in[0], 0);
                (void)dup2(out[1], 1);
                (void)close(in[1]);
                (void)close(out[0]);
                execv(PYTHON, (char *const *)argv);
                _exit(127);
        }
        (void)close(in[0]);
        (void)close(out[1]);
        pipe_serve(rig, in[1], out[0]);
        (void)close(in[1]);
        (void)close(out[0]);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
