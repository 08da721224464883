/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve_internal.h"

/*
 * Reports over sockets, one datagram each: AF_UNIX SOCK_SEQPACKET, where a connection
 * is a power cycle, and UDP on loopback, where there is none.
 */

/* A datagram as it came; a leading report number 0 is tolerated. */
#define ROOM (KP_CTAPHID_REPORT + 2)

static const uint8_t *
report_in(const uint8_t *datagram, ssize_t n)
{
        if (n == KP_CTAPHID_REPORT)
                return datagram;
        if (n == KP_CTAPHID_REPORT + 1 && datagram[0] == 0)
                return datagram + 1;
        return NULL; /* no report: hardware would not have seen it either */
}

/* ---- AF_UNIX ---- */

struct connection {
        struct kp_listener listener;
        int fd; /* -1: nobody is connected */
};

static void
socket_fds(void *self, bool full, struct pollfd ret[KP_PORT_FDS])
{
        const struct connection *c = self;

        ret[0] = (struct pollfd){ .fd = c->listener.fd, .events = POLLIN };
        ret[1] = (struct pollfd){ .fd = c->fd,
                .events = (short)(POLLIN | (full ? POLLOUT : 0)) };
}

static void
hang_up(struct connection *c)
{
        if (c->fd >= 0)
                (void)close(c->fd);
        c->fd = -1;
}

/* Whoever goes takes the power along. */
static void
socket_gone(struct connection *c, struct kp_served *key)
{
        hang_up(c);
        kp_served_went(key);
        kp_served_power_cycle(key);
}

static void
socket_read(struct connection *c, struct kp_served *key)
{
        uint8_t datagram[ROOM];

        while (c->fd >= 0) {
                ssize_t n = recv(c->fd, datagram, sizeof(datagram), MSG_DONTWAIT);
                const uint8_t *report;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                        return;
                if (n <= 0) {
                        socket_gone(c, key);
                        return;
                }
                if ((report = report_in(datagram, n)) != NULL)
                        kp_served_feed(key, report);
        }
}

static void
socket_accept(struct connection *c, struct kp_served *key)
{
        int fd = accept4(c->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
                return; /* whoever it was has gone again */
        if (c->fd >= 0)
                socket_gone(c, key);
        c->fd = fd;
        kp_served_power_cycle(key);
        kp_served_came(key);
}

static void
socket_take(void *self, struct kp_served *key, const struct pollfd *fds)
{
        struct connection *c = self;

        if (fds[1].fd >= 0 && (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                socket_read(c, key);
        if ((fds[0].revents & POLLIN) != 0)
                socket_accept(c, key);
}

static enum kp_port_sent
socket_send(void *self, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct connection *c = self;
        ssize_t n;

        if (c->fd < 0)
                return KP_PORT_NOBODY;
        do
                n = send(c->fd, report, KP_CTAPHID_REPORT, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n == KP_CTAPHID_REPORT)
                return KP_PORT_SENT;
        return errno == EAGAIN || errno == ENOBUFS ? KP_PORT_FULL : KP_PORT_NOBODY;
}

static void
socket_unplug(void *self, struct kp_served *key)
{
        struct connection *c = self;

        if (c->fd < 0)
                return;
        hang_up(c);
        kp_serve_say(key, (struct kp_serve_event){ .news = KP_SERVE_PULLED });
}

static void
socket_close(void *self)
{
        struct connection *c = self;

        hang_up(c);
        kp_listener_close(&c->listener);
        free(c);
}

static const struct kp_port_ops socket_ops = {
        .name = "socket",
        .fds = socket_fds,
        .take = socket_take,
        .send = socket_send,
        .unplug = socket_unplug,
        .close = socket_close,
};

int
kp_port_socket(
        const struct kp_serve_key *spec, struct kp_port *ret, struct kp_error *err)
{
        struct connection *c = calloc(1, sizeof(*c));

        if (c == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", spec->path);
        c->fd = -1;
        if (kp_listener_open(spec->path, SOCK_SEQPACKET, &c->listener, err) < 0) {
                free(c);
                return -1;
        }
        *ret = (struct kp_port){ .ops = &socket_ops, .self = c };
        (void)snprintf(ret->address, sizeof(ret->address), "%s", spec->path);
        return 0;
}

/* ---- UDP ---- */

struct udp {
        int fd;
        struct sockaddr_in last; /* who asked last; port 0: nobody yet */
};

static void
udp_fds(void *self, bool full, struct pollfd ret[KP_PORT_FDS])
{
        const struct udp *udp = self;

        ret[0] = (struct pollfd){ .fd = udp->fd,
                .events = (short)(POLLIN | (full ? POLLOUT : 0)) };
}

static void
udp_take(void *self, struct kp_served *key, const struct pollfd *fds)
{
        struct udp *udp = self;
        uint8_t datagram[ROOM];

        if ((fds[0].revents & (POLLIN | POLLERR)) == 0)
                return;
        for (;;) {
                struct sockaddr_in from = { 0 };
                socklen_t from_len = sizeof(from);
                ssize_t n = recvfrom(udp->fd, datagram, sizeof(datagram), MSG_DONTWAIT,
                        (struct sockaddr *)&from, &from_len);
                const uint8_t *report;

                /* an error here is of a datagram that nobody took: go on */
                if (n < 0 && (errno == EINTR || errno == ECONNREFUSED))
                        continue;
                if (n < 0)
                        return;
                if ((report = report_in(datagram, n)) == NULL)
                        continue;
                udp->last = from;
                kp_served_feed(key, report);
        }
}

static enum kp_port_sent
udp_send(void *self, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct udp *udp = self;
        ssize_t n;

        if (udp->last.sin_port == 0)
                return KP_PORT_NOBODY;
        do
                n = sendto(udp->fd, report, KP_CTAPHID_REPORT, MSG_DONTWAIT,
                        (const struct sockaddr *)&udp->last, sizeof(udp->last));
        while (n < 0 && errno == EINTR);
        if (n == KP_CTAPHID_REPORT)
                return KP_PORT_SENT;
        return errno == EAGAIN || errno == ENOBUFS ? KP_PORT_FULL : KP_PORT_NOBODY;
}

static void
udp_close(void *self)
{
        struct udp *udp = self;

        (void)close(udp->fd);
        free(udp);
}

static const struct kp_port_ops udp_ops = {
        .name = "udp",
        .fds = udp_fds,
        .take = udp_take,
        .send = udp_send,
        .close = udp_close,
};

int
kp_port_udp(const struct kp_serve_key *spec, struct kp_port *ret, struct kp_error *err)
{
        struct sockaddr_in at = {
                .sin_family = AF_INET,
                .sin_port = htons((uint16_t)spec->number),
                .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) },
        };
        socklen_t at_len = sizeof(at);
        struct udp *udp = calloc(1, sizeof(*udp));

        if (udp == NULL)
                return KP_FAIL(err, KP_ENOMEM, "UDP port");
        udp->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (udp->fd < 0 || bind(udp->fd, (const struct sockaddr *)&at, at_len) < 0 ||
                getsockname(udp->fd, (struct sockaddr *)&at, &at_len) < 0) {
                int saved = errno;

                if (udp->fd >= 0)
                        (void)close(udp->fd);
                free(udp);
                return KP_FAIL_AS(err, KP_EENV, "errno", saved,
                        "UDP port %d: cannot listen there: %s", spec->number,
                        strerror(saved));
        }
        *ret = (struct kp_port){ .ops = &udp_ops, .self = udp };
        (void)snprintf(
                ret->address, sizeof(ret->address), "127.0.0.1:%u", ntohs(at.sin_port));
        return 0;
}
