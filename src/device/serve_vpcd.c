/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve_internal.h"

/*
 * A card in the virtual reader of vsmartcard: vpcd, a driver of pcscd, listens, and the
 * card connects. Each message has its length in two bytes before it; a message of one
 * byte is about power.
 */
#define POWER_OFF 0
#define POWER_ON 1
#define RESET 2
#define GET_ATR 4
#define RETRY_MS 1000
#define HOST "127.0.0.1"

struct vpcd {
        char host[64];
        int number;
        int fd; /* -1: not connected */
        int64_t retry_ms;
        struct kp_buf in, out;
};

/*
 * The answer to reset of a contactless card. ISO 7816-3; PC/SC part 3 §3.1.3.2.3:
 * historical bytes in compact TLV tell that chaining and extended lengths are known.
 */
static void
put_atr(struct kp_buf *atr)
{
        static const uint8_t historical[] = { 0x80, 0x73, 0xc0, 0x21, 0xc0, 0x54, 'F',
                'I', 'D', 'O' };
        static const uint8_t head[] = { 0x3b, 0x80 | sizeof(historical), 0x80, 0x01 };
        uint8_t check = 0;

        for (size_t i = 1; i < sizeof(head); i++)
                check ^= head[i];
        for (size_t i = 0; i < sizeof(historical); i++)
                check ^= historical[i];
        kp_buf_put(atr, head, sizeof(head));
        kp_buf_put(atr, historical, sizeof(historical));
        kp_buf_put_u8(atr, check);
}

static int
dial(const struct vpcd *vpcd)
{
        const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *found = NULL;
        char number[8];
        int fd = -1, on = 1;

        (void)snprintf(number, sizeof(number), "%d", vpcd->number);
        if (getaddrinfo(vpcd->host, number, &hints, &found) != 0) {
                errno = EADDRNOTAVAIL;
                return -1;
        }
        for (const struct addrinfo *at = found; at != NULL && fd < 0;
                at = at->ai_next) {
                fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
                        int saved = errno;

                        (void)close(fd);
                        errno = saved;
                        fd = -1;
                }
        }
        freeaddrinfo(found);
        if (fd >= 0) /* answers are small; only speed is lost without it */
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return fd;
}

static void
vpcd_fds(void *self, bool full, struct pollfd ret[KP_PORT_FDS])
{
        const struct vpcd *vpcd = self;

        (void)full;
        ret[0] = (struct pollfd){
                .fd = vpcd->fd,
                .events = (short)(POLLIN | (vpcd->out.len > 0 ? POLLOUT : 0)),
        };
}

static void
hang_up(struct vpcd *vpcd)
{
        if (vpcd->fd >= 0)
                (void)close(vpcd->fd);
        vpcd->fd = -1;
        vpcd->retry_ms = kp_serve_now_ms() + RETRY_MS;
        kp_buf_wipe(&vpcd->in);
        kp_buf_wipe(&vpcd->out);
}

static void
put_message(struct vpcd *vpcd, const struct kp_buf *message)
{
        if (message->len == 0 || message->len > UINT16_MAX)
                return;
        kp_buf_put_be16(&vpcd->out, (uint16_t)message->len);
        kp_buf_put(&vpcd->out, message->data, message->len);
}

static void
take_message(struct vpcd *vpcd, struct kp_served *key, const uint8_t *p, size_t n)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf answer = { 0 };

        if (n != 1) {
                kp_served_apdu(key, p, n, &answer);
                put_message(vpcd, &answer);
                return;
        }
        if (p[0] == GET_ATR) {
                put_atr(&answer);
                put_message(vpcd, &answer);
        } else if (p[0] == POWER_ON || p[0] == RESET) {
                kp_served_power_cycle(key);
        }
}

static void
take_messages(struct vpcd *vpcd, struct kp_served *key)
{
        size_t at = 0;

        while (vpcd->fd >= 0 && vpcd->in.len - at >= 2) {
                const uint8_t *p = vpcd->in.data + at;
                size_t n = (size_t)p[0] << 8 | p[1];

                if (vpcd->in.len - at - 2 < n)
                        break;
                if (n > 0)
                        take_message(vpcd, key, p + 2, n);
                at += 2 + n;
        }
        if (vpcd->fd < 0 || at == 0)
                return; /* a fault pulled the plug: nothing is left to move */
        memmove(vpcd->in.data, vpcd->in.data + at, vpcd->in.len - at);
        vpcd->in.len -= at;
}

static void
write_out(struct vpcd *vpcd)
{
        ssize_t n;

        if (vpcd->fd < 0 || vpcd->out.len == 0)
                return;
        n = send(vpcd->fd, vpcd->out.data, vpcd->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0)
                return; /* the reading side hears of it when the other end is gone */
        memmove(vpcd->out.data, vpcd->out.data + n, vpcd->out.len - (size_t)n);
        vpcd->out.len -= (size_t)n;
}

static void
read_in(struct vpcd *vpcd, struct kp_served *key)
{
        uint8_t chunk[4096];
        ssize_t n = recv(vpcd->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                hang_up(vpcd);
                kp_served_went(key);
                return;
        }
        kp_buf_put(&vpcd->in, chunk, (size_t)n);
        take_messages(vpcd, key);
}

static void
redial(struct vpcd *vpcd, struct kp_served *key)
{
        if (kp_serve_now_ms() < vpcd->retry_ms)
                return;
        if ((vpcd->fd = dial(vpcd)) < 0) {
                vpcd->retry_ms = kp_serve_now_ms() + RETRY_MS;
                return;
        }
        kp_served_power_cycle(key);
        kp_served_came(key);
}

static void
vpcd_take(void *self, struct kp_served *key, const struct pollfd *fds)
{
        struct vpcd *vpcd = self;

        if (vpcd->fd < 0) {
                if (!kp_authenticator_is_unplugged(key->authenticator))
                        redial(vpcd, key);
                return;
        }
        if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                read_in(vpcd, key);
        write_out(vpcd);
}

static int64_t
vpcd_next_ms(const void *self)
{
        const struct vpcd *vpcd = self;

        return vpcd->fd < 0 ? vpcd->retry_ms : -1;
}

/* A card has no reports to send. */
static enum kp_port_sent
vpcd_send(void *self, const uint8_t report[KP_CTAPHID_REPORT])
{
        (void)self;
        (void)report;
        return KP_PORT_NOBODY;
}

/* Out of the reader and in again, a moment later. */
static void
vpcd_replug(void *self, struct kp_served *key)
{
        (void)key;
        hang_up(self);
}

static void
vpcd_unplug(void *self, struct kp_served *key)
{
        struct vpcd *vpcd = self;

        if (vpcd->fd < 0)
                return;
        hang_up(vpcd);
        kp_serve_say(key, (struct kp_serve_event){ .news = KP_SERVE_PULLED });
}

static void
vpcd_close(void *self)
{
        struct vpcd *vpcd = self;

        hang_up(vpcd);
        free(vpcd);
}

static const struct kp_port_ops vpcd_ops = {
        .name = "vpcd",
        .fds = vpcd_fds,
        .take = vpcd_take,
        .send = vpcd_send,
        .replug = vpcd_replug,
        .unplug = vpcd_unplug,
        .next_ms = vpcd_next_ms,
        .close = vpcd_close,
};

int
kp_port_vpcd(const struct kp_serve_key *spec, struct kp_port *ret, struct kp_error *err)
{
        struct vpcd *vpcd = calloc(1, sizeof(*vpcd));

        if (vpcd == NULL)
                return KP_FAIL(err, KP_ENOMEM, "vpcd");
        (void)snprintf(vpcd->host, sizeof(vpcd->host), "%s",
                spec->host == NULL ? HOST : spec->host);
        vpcd->number = spec->number;
        if ((vpcd->fd = dial(vpcd)) < 0) {
                int saved = errno;

                (void)KP_FAIL_AS(err, KP_EENV, "errno", saved,
                        "no vpcd listens at %s:%d (%s): install vsmartcard-vpcd and "
                        "start pcscd",
                        vpcd->host, vpcd->number, strerror(saved));
                free(vpcd);
                return -1;
        }
        *ret = (struct kp_port){ .ops = &vpcd_ops, .self = vpcd };
        (void)snprintf(
                ret->address, sizeof(ret->address), "%s:%d", vpcd->host, vpcd->number);
        return 0;
}
