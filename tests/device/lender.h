/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_DEVICE_LENDER_H
#define KEYPILOT_TESTS_DEVICE_LENDER_H

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "keypilot/codec/cbor.h"
#include "keypilot/codec/ctaphid.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/driver.h"
#include "keypilot/device/serve.h"

/*
 * Served keys in a thread of their own, and a client that knows nothing of them but
 * where they listen.
 */
#define LENDER_PATIENCE_MS 10000

struct lender {
        char dir[64];
        struct kp_fixtures *fixtures;
        struct kp_serve *serve;
        int stop[2];
        pthread_t thread;
        bool running;
};

static inline void
must(int r, const struct kp_error *err)
{
        char why[1024];

        cr_assert_eq(r, 0, "%s", kp_error_format(err, why, sizeof(why)));
}

static inline const char *
lender_path(const struct lender *lender, const char *name, char path[128])
{
        (void)snprintf(path, 128, "%s/%s", lender->dir, name);
        return path;
}

static inline void
lender_init(struct lender *lender)
{
        struct kp_serve_env env = { .enter_fd = -1 };
        struct kp_error err = { 0 };

        *lender = (struct lender){ .dir = "/tmp/keypilot-serve-XXXXXX" };
        cr_assert_not_null(mkdtemp(lender->dir));
        must(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &lender->fixtures, &err),
                &err);
        env.fixtures = lender->fixtures;
        must(kp_serve_new(&env, &lender->serve, &err), &err);
        cr_assert_eq(pipe(lender->stop), 0);
}

/* One more key, with a socket of that name in our folder. */
static inline int
lender_add(struct lender *lender, const char *key, const char *name, const char *state,
        struct kp_error *err)
{
        char path[128];
        struct kp_serve_key spec = {
                .name = key,
                .port = KP_SERVE_SOCKET,
                .path = lender_path(lender, name, path),
                .state = state,
        };

        return kp_serve_add(lender->serve, &spec, err);
}

static inline void *
lender_run(void *arg)
{
        struct lender *lender = arg;
        struct kp_error err = { 0 };

        return kp_serve_run(lender->serve, lender->stop[0], &err) < 0 ? lender : NULL;
}

static inline void
lender_start(struct lender *lender)
{
        lender->running = true;
        cr_assert_eq(pthread_create(&lender->thread, NULL, lender_run, lender), 0);
}

static inline void
lender_done(struct lender *lender)
{
        char command[128];
        void *bad = NULL;

        if (lender->running) {
                cr_assert_eq(write(lender->stop[1], "", 1), 1);
                pthread_join(lender->thread, &bad);
                cr_expect_null(bad, "serving ends well");
        }
        kp_serve_free(&lender->serve);
        kp_fixtures_free(&lender->fixtures);
        close(lender->stop[0]);
        close(lender->stop[1]);
        (void)snprintf(command, sizeof(command), "rm -rf '%s'", lender->dir);
        cr_expect_eq(system(command), 0);
}

/* ---- the far end ---- */

static inline int
dial(const char *path, int type)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.107s", path);
        if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
                return fd;
        if (fd >= 0)
                close(fd);
        return -1;
}

static inline int
lender_dial(const struct lender *lender, const char *name, int type)
{
        char path[128];
        int fd = dial(lender_path(lender, name, path), type);

        cr_assert_geq(fd, 0, "%s", path);
        return fd;
}

/* Bytes of the next datagram; 0 when hung up, -1 when nothing came. */
static inline ssize_t
hear(int fd, void *bytes, size_t room, int timeout_ms)
{
        struct pollfd at = { .fd = fd, .events = POLLIN };

        if (poll(&at, 1, timeout_ms) <= 0)
                return -1;
        return recv(fd, bytes, room, 0);
}

static inline void
say_report(int fd, uint32_t cid, uint8_t cmd, const void *payload, size_t payload_len)
{
        struct kp_buf reports = { 0 };

        kp_ctaphid_split(cid, cmd, payload, payload_len, &reports);
        for (size_t at = 0; at < reports.len; at += KP_CTAPHID_REPORT)
                cr_assert_eq(
                        send(fd, reports.data + at, KP_CTAPHID_REPORT, MSG_NOSIGNAL),
                        KP_CTAPHID_REPORT);
        kp_buf_done(&reports);
}

/* The next message on the channel; its command, -1 when none came. */
static inline int
hear_message(int fd, uint32_t cid, struct kp_buf *ret, int timeout_ms)
{
        struct kp_ctaphid_join join = { 0 };
        uint8_t report[KP_CTAPHID_REPORT];

        kp_buf_clear(ret);
        while (hear(fd, report, sizeof(report), timeout_ms) == sizeof(report)) {
                struct kp_ctaphid_frame frame;

                kp_ctaphid_frame_read(report, &frame);
                if (frame.cid != cid || kp_ctaphid_join(&join, report) != KP_JOIN_DONE)
                        continue;
                kp_buf_put(ret, join.payload.data, join.payload.len);
                kp_buf_done(&join.payload);
                return join.cmd;
        }
        kp_buf_done(&join.payload);
        return -1;
}

/* The same, keep-alives let by. */
static inline int
hear_answer(int fd, uint32_t cid, struct kp_buf *ret)
{
        int cmd;

        do
                cmd = hear_message(fd, cid, ret, LENDER_PATIENCE_MS);
        while (cmd == KP_CTAPHID_KEEPALIVE);
        return cmd;
}

static inline uint32_t
open_channel(int fd)
{
        static const uint8_t nonce[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        struct kp_buf answer = { 0 };
        uint32_t cid = 0;

        say_report(fd, KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT, nonce, sizeof(nonce));
        if (hear_answer(fd, KP_CTAPHID_BROADCAST, &answer) == KP_CTAPHID_INIT &&
                answer.len == 17 && memcmp(answer.data, nonce, 8) == 0)
                for (int i = 8; i < 12; i++)
                        cid = cid << 8 | answer.data[i];
        kp_buf_done(&answer);
        return cid;
}

/* A wire for a driver: `self` points to the descriptor, which stays open. */
static inline int
fd_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        const int *fd = self;

        if (send(*fd, report, KP_CTAPHID_REPORT, MSG_NOSIGNAL) != KP_CTAPHID_REPORT)
                return KP_FAIL(err, KP_EIO, "the key is gone");
        return 0;
}

static inline int
fd_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        const int *fd = self;
        int patience = timeout_ms < 0 || timeout_ms > LENDER_PATIENCE_MS
                               ? LENDER_PATIENCE_MS
                               : timeout_ms;
        ssize_t n = hear(*fd, report, KP_CTAPHID_REPORT, patience);

        if (n == KP_CTAPHID_REPORT)
                return 1;
        return n < 0 ? 0 : KP_FAIL(err, KP_EIO, "the key is gone");
}

static inline void
fd_close(void *self)
{
        (void)self;
}

static const struct kp_seam_ops fd_ops = { fd_write, fd_read, fd_close };

#endif
