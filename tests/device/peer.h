/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_DEVICE_PEER_H
#define KEYPILOT_TESTS_DEVICE_PEER_H

#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/seam.h"

/*
 * A key at the far end of a socket pair that carries 64-byte reports, and counts what
 * reaches it with its own eyes: from the bytes of first frames, not with the code under
 * test.
 */
struct peer {
        int ours, theirs;
        pthread_t thread;
        struct kp_authenticator_profile *profile;
        struct kp_authenticator *key;
        struct kp_random *random;
        struct kp_clock clock;

        pthread_mutex_t lock;
        unsigned n_frames;
        unsigned n_hid[128];
        unsigned n_ctap[256];
        unsigned n_pin[256];        /* clientPIN, by subcommand */
        unsigned n_management[256]; /* credentialManagement, by subcommand */
        const char *watched;        /* a file; NULL: none */
        long watched_len;           /* its length when makeCredential came */
};

static inline void
peer_count(struct peer *peer, const uint8_t report[64])
{
        struct stat at;

        pthread_mutex_lock(&peer->lock);
        peer->n_frames++;
        if (report[4] & 0x80) {
                peer->n_hid[report[4] & 0x7f]++;
                if (report[4] == (0x80 | 0x10)) {
                        peer->n_ctap[report[7]]++;
                        if (report[7] == 0x01 && peer->watched != NULL &&
                                stat(peer->watched, &at) == 0)
                                peer->watched_len = (long)at.st_size;
                        if (report[7] == 0x06)
                                peer->n_pin[report[12]]++;
                        if (report[7] == 0x0a || report[7] == 0x41)
                                peer->n_management[report[10]]++;
                }
        }
        pthread_mutex_unlock(&peer->lock);
}

/* Answer everything that is to be said, time jumping along. */
static inline void
peer_answer(struct peer *peer)
{
        uint8_t report[64];
        int64_t event;

        for (int i = 0; i < 10000; i++) {
                if (kp_authenticator_next_report(peer->key, report)) {
                        if (send(peer->theirs, report, sizeof(report), MSG_NOSIGNAL) <
                                0)
                                return;
                        continue;
                }
                event = kp_authenticator_next_event_ms(peer->key);
                if (event < 0)
                        return;
                kp_clock_advance(&peer->clock, event - kp_clock_ms(&peer->clock));
                kp_authenticator_tick(peer->key, kp_clock_ms(&peer->clock));
        }
}

static inline void *
peer_run(void *arg)
{
        struct peer *peer = arg;
        uint8_t report[64];
        int left = 0; /* frames of the message that have yet to come */

        while (recv(peer->theirs, report, sizeof(report), 0) == sizeof(report)) {
                int total = report[5] << 8 | report[6];

                peer_count(peer, report);
                if (report[4] & 0x80)
                        left = total > 57 ? (total - 57 + 58) / 59 : 0;
                else
                        left--;
                kp_authenticator_feed(peer->key, report, kp_clock_ms(&peer->clock));
                if (left <= 0) /* time must not jump in the middle of a message */
                        peer_answer(peer);
        }
        return NULL;
}

static inline struct peer *
peer_start(const char *profile)
{
        struct kp_error err = { 0 };
        struct peer *peer = calloc(1, sizeof(*peer));
        char *path = kp_format(
                "%s/authenticators/%s.json", getenv("KEYPILOT_FIXTURES"), profile);
        char why[512];
        int ends[2];

        cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        peer->ours = ends[0];
        peer->theirs = ends[1];
        peer->clock = kp_clock_simulated();
        pthread_mutex_init(&peer->lock, NULL);
        cr_assert_eq(kp_random_new_seeded("peer", profile, &peer->random, &err), 0);
        cr_assert_eq(kp_authenticator_profile_load(path, &peer->profile, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(kp_authenticator_new(peer->profile, peer->random,
                             kp_clock_ms(&peer->clock), &peer->key, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
        free(path);
        cr_assert_eq(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
        return peer;
}

static inline void
peer_stop(struct peer *peer)
{
        shutdown(peer->ours, SHUT_RDWR);
        close(peer->ours);
        pthread_join(peer->thread, NULL);
        close(peer->theirs);
        kp_authenticator_free(&peer->key);
        kp_authenticator_profile_free(&peer->profile);
        kp_random_free(&peer->random);
        pthread_mutex_destroy(&peer->lock);
        free(peer);
}

/* ---- our end, as a seam ---- */

static inline int
wire_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        struct peer *peer = self;

        if (send(peer->ours, report, KP_CTAPHID_REPORT, MSG_NOSIGNAL) !=
                KP_CTAPHID_REPORT)
                return KP_FAIL(err, KP_EIO, "the peer is gone");
        return 0;
}

static inline int
wire_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        struct peer *peer = self;
        struct pollfd at = { .fd = peer->ours, .events = POLLIN };

        if (poll(&at, 1, timeout_ms < 0 || timeout_ms > 5000 ? 5000 : timeout_ms) <= 0)
                return 0;
        if (recv(peer->ours, report, KP_CTAPHID_REPORT, 0) != KP_CTAPHID_REPORT)
                return KP_FAIL(err, KP_EIO, "the peer is gone");
        return 1;
}

static inline void
wire_close(void *self)
{
        (void)self; /* the same peer may be opened again; peer_stop() ends it */
}

static const struct kp_seam_ops wire_ops = { wire_write, wire_read, wire_close };

static inline struct kp_seam
peer_seam(struct peer *peer)
{
        return (struct kp_seam){ &wire_ops, peer };
}

/* A look at a counter, which another thread moves. */
static inline unsigned
peer_look(struct peer *peer, const unsigned *counter)
{
        unsigned n;

        pthread_mutex_lock(&peer->lock);
        n = *counter;
        pthread_mutex_unlock(&peer->lock);
        return n;
}

#endif
