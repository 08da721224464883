/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve_internal.h"

/*
 * Orders from test drivers, one JSON object a line. An order is obeyed whole or not at
 * all, and answered once it has been.
 */
#define SAMPLES_MAX 64

struct order {
        const char *touch, *power, *uv;
        json_t *fault, *samples, *key;
};

/* clang-format off */
#define ORDER_AT(member) offsetof(struct order, member)
static const struct kp_field order_fields[] = {
        { "touch",   KP_STRING, false, ORDER_AT(touch) },
        { "power",   KP_STRING, false, ORDER_AT(power) },
        { "uv",      KP_STRING, false, ORDER_AT(uv) },
        { "fault",   KP_ANY,    false, ORDER_AT(fault) },
        { "samples", KP_ARRAY,  false, ORDER_AT(samples) },
        { "key",     KP_ANY,    false, ORDER_AT(key) },
};
/* clang-format on */

/* ---- reading an order ---- */

static int
find_key(struct kp_serve *serve, const json_t *which, struct kp_served **ret,
        struct kp_error *err)
{
        size_t n_found = 0;

        if (which == NULL && serve->n_keys != 1)
                return KP_FAIL(err, KP_ESCHEMA,
                        "several keys are served: say which with \"key\": its name, or "
                        "its index from 0 to %zu",
                        serve->n_keys - 1);
        for (size_t i = 0; i < serve->n_keys; i++) {
                if (which != NULL && json_is_string(which) &&
                        strcmp(json_string_value(which), serve->keys[i]->name) != 0)
                        continue;
                if (which != NULL && !json_is_string(which) &&
                        (!json_is_integer(which) ||
                                json_integer_value(which) != (json_int_t)i))
                        continue;
                *ret = serve->keys[i];
                n_found++;
        }
        if (n_found == 0)
                return KP_FAIL(err, KP_ESCHEMA, "member 'key': no such key is served");
        if (n_found > 1)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'key': several keys have that name: give an index");
        return 0;
}

static int
read_touch(const char *name, enum kp_serve_touch *ret, struct kp_error *err)
{
        for (int i = 0; i < KP_SERVE_N_TOUCHES; i++)
                if (strcmp(kp_serve_touch_name((enum kp_serve_touch)i), name) == 0) {
                        *ret = (enum kp_serve_touch)i;
                        return 0;
                }
        return KP_FAIL(err, KP_ESCHEMA,
                "member 'touch': '%.40s' is not auto, once, deny or withhold", name);
}

/* Spec: CTAP 2.1 §6.7.1, lastEnrollSampleStatus */
static int
read_samples(const json_t *array, uint8_t *ret, struct kp_error *err)
{
        size_t i;
        json_t *item;

        if (json_array_size(array) > SAMPLES_MAX)
                return KP_FAIL(
                        err, KP_ESCHEMA, "member 'samples': more than %d", SAMPLES_MAX);
        json_array_foreach (array, i, item) {
                if (!json_is_integer(item) || json_integer_value(item) < 0 ||
                        json_integer_value(item) > UINT8_MAX)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'samples': expected numbers from 0 to 255, "
                                "as CTAP has them (0 is a good sample)");
                ret[i] = (uint8_t)json_integer_value(item);
        }
        return 0;
}

static int
check_order(const struct order *order, struct kp_error *err)
{
        if (order->touch == NULL && order->power == NULL && order->uv == NULL &&
                order->fault == NULL && order->samples == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "nothing to do: expected touch, power, uv, fault or samples");
        if (order->power != NULL && strcmp(order->power, "cycle") != 0)
                return KP_FAIL(err, KP_ESCHEMA, "member 'power': '%.40s' is not cycle",
                        order->power);
        if (order->uv != NULL && strcmp(order->uv, "ok") != 0 &&
                strcmp(order->uv, "fail") != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'uv': '%.40s' is not ok or fail", order->uv);
        if (order->fault != NULL && !json_is_string(order->fault) &&
                !json_is_null(order->fault))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'fault': expected the name of a fault, or null");
        return 0;
}

/* ---- obeying it ---- */

static void
cycle_power(struct kp_served *key)
{
        kp_served_power_cycle(key);
        if (key->port.ops->replug != NULL)
                key->port.ops->replug(key->port.self, key);
}

/*
 * The fault first: it is all that can still fail. The touch last, since it may end the
 * command that the rest is about.
 */
static int
obey(struct kp_serve *serve, const struct order *order, struct kp_error *err)
{
        enum kp_serve_touch touch = KP_SERVE_TOUCH_AUTO;
        uint8_t samples[SAMPLES_MAX];
        struct kp_served *key = NULL;

        if (check_order(order, err) < 0 || find_key(serve, order->key, &key, err) < 0 ||
                (order->touch != NULL && read_touch(order->touch, &touch, err) < 0) ||
                read_samples(order->samples, samples, err) < 0)
                return -1;
        if (json_is_string(order->fault) &&
                kp_served_fault(key, json_string_value(order->fault), err) < 0)
                return -1;
        if (json_is_null(order->fault))
                kp_served_faults_clear(key);
        if (order->power != NULL)
                cycle_power(key);
        if (order->samples != NULL)
                kp_authenticator_set_samples(
                        key->authenticator, samples, json_array_size(order->samples));
        if (order->uv != NULL)
                kp_served_verification(key, strcmp(order->uv, "ok") == 0);
        if (order->touch != NULL)
                kp_served_touch(key, touch);
        return 0;
}

static int
take_order(
        struct kp_serve *serve, const char *line, size_t line_len, struct kp_error *err)
{
        KP_CLEANUP(kp_json_free) json_t *json = NULL;
        struct order order = { 0 };

        if (kp_json_parse("order", line, line_len, &json, err) < 0 ||
                kp_json_read(json, order_fields, KP_NELEMS(order_fields), &order, err) <
                        0)
                return -1;
        return obey(serve, &order, err);
}

static void
answer_order(struct kp_serve *serve, int fd, const char *line, size_t line_len)
{
        KP_CLEANUP(kp_json_free) json_t *answer = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };
        char why[512];

        if (take_order(serve, line, line_len, &err) == 0)
                answer = json_pack("{s:b}", "ok", 1);
        else
                answer = json_pack("{s:b, s:s}", "ok", 0, "error",
                        kp_error_format(&err, why, sizeof(why)));
        if (answer == NULL || kp_json_write(answer, &text, &err) < 0)
                return;
        kp_buf_puts(&text, "\n");
        /* who sends orders and reads no answers loses them, and nobody waits */
        (void)send(fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* ---- the socket ---- */

static void
drop_client(struct kp_control *control, size_t i)
{
        (void)close(control->clients[i].fd);
        kp_buf_done(&control->clients[i].line);
        control->clients[i] = control->clients[--control->n_clients];
        control->clients[control->n_clients].line = (struct kp_buf){ 0 };
}

static void
take_lines(struct kp_control *control, size_t i, struct kp_serve *serve, bool ended)
{
        struct kp_buf *line = &control->clients[i].line;
        int fd = control->clients[i].fd;
        uint8_t *end;

        while (line->len > 0 && (end = memchr(line->data, '\n', line->len)) != NULL) {
                size_t n = (size_t)(end - line->data);

                answer_order(serve, fd, (const char *)line->data, n);
                memmove(line->data, end + 1, line->len - n - 1);
                line->len -= n + 1;
        }
        if (ended && line->len > 0)
                answer_order(serve, fd, (const char *)line->data, line->len);
}

/* False: this client is done. */
static bool
read_client(struct kp_control *control, size_t i, struct kp_serve *serve)
{
        struct kp_buf *line = &control->clients[i].line;
        char chunk[4096];
        ssize_t n = recv(control->clients[i].fd, chunk, sizeof(chunk), MSG_DONTWAIT);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        kp_buf_put(line, chunk, (size_t)n);
        if (line->failed)
                return false;
        take_lines(control, i, serve, n == 0);
        if (line->len > KP_CONTROL_LINE) {
                /* what cannot be JSON gives the answer that it deserves */
                answer_order(serve, control->clients[i].fd, "", 0);
                return false;
        }
        return n > 0;
}

int
kp_control_open(struct kp_control *control, const char *path, struct kp_error *err)
{
        if (kp_listener_open(path, SOCK_STREAM, &control->listener, err) < 0)
                return KP_WHILE(err, "control socket");
        control->open = true;
        return 0;
}

void
kp_control_fds(const struct kp_control *control, struct pollfd *ret)
{
        /* a full house lets the next one wait at the door */
        ret[0] = (struct pollfd){
                .fd = control->open && control->n_clients < KP_CONTROL_CLIENTS
                              ? control->listener.fd
                              : -1,
                .events = POLLIN,
        };
        for (size_t i = 0; i < control->n_clients; i++)
                ret[1 + i] = (struct pollfd){ .fd = control->clients[i].fd,
                        .events = POLLIN };
}

void
kp_control_take(
        struct kp_control *control, struct kp_serve *serve, const struct pollfd *fds)
{
        int fd;

        /* from the end: who goes is replaced by the last one */
        for (size_t i = control->n_clients; i > 0; i--)
                if (fds[i].revents != 0 && !read_client(control, i - 1, serve))
                        drop_client(control, i - 1);
        if (fds[0].revents == 0)
                return;
        fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0)
                control->clients[control->n_clients++].fd = fd;
}

void
kp_control_close(struct kp_control *control)
{
        while (control->n_clients > 0)
                drop_client(control, 0);
        if (control->open)
                kp_listener_close(&control->listener);
        control->open = false;
}
