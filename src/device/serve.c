/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/serve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keypilot/core/file.h"

#include "serve_internal.h"

/* stop, Enter, and what the control socket has */
#define FIXED_FDS (2 + 1 + KP_CONTROL_CLIENTS)

const char *
kp_serve_touch_name(enum kp_serve_touch touch)
{
        static const char *const names[KP_SERVE_N_TOUCHES] = {
                [KP_SERVE_TOUCH_AUTO] = "auto",
                [KP_SERVE_TOUCH_ONCE] = "once",
                [KP_SERVE_TOUCH_DENY] = "deny",
                [KP_SERVE_TOUCH_WITHHOLD] = "withhold",
        };

        return names[touch];
}

/* Keys live in real time; nobody who sets the date moves a key's time-outs. */
int64_t
kp_serve_now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
kp_serve_say(struct kp_served *key, struct kp_serve_event event)
{
        const struct kp_serve_env *env = &key->serve->env;

        if (env->say == NULL)
                return;
        event.index = key->index;
        event.key = key->name;
        event.port = key->port.ops == NULL ? "" : key->port.ops->name;
        event.address = key->port.address;
        env->say(env->self, &event);
}

/* ---- making it ---- */

int
kp_serve_new(
        const struct kp_serve_env *env, struct kp_serve **ret, struct kp_error *err)
{
        struct kp_serve *serve = calloc(1, sizeof(*serve));

        if (serve == NULL)
                return KP_FAIL(err, KP_ENOMEM, "serving");
        serve->env = *env;
        *ret = serve;
        return 0;
}

void
kp_serve_free(struct kp_serve **serve)
{
        if (*serve == NULL)
                return;
        kp_random_install(NULL);
        kp_control_close(&(*serve)->control);
        for (size_t i = 0; i < (*serve)->n_keys; i++)
                kp_served_free(&(*serve)->keys[i]);
        free((*serve)->keys);
        free(*serve);
        *serve = NULL;
}

int
kp_serve_add(
        struct kp_serve *serve, const struct kp_serve_key *key, struct kp_error *err)
{
        struct kp_served **grown =
                realloc(serve->keys, (serve->n_keys + 1) * sizeof(*grown));

        if (grown == NULL)
                return KP_FAIL(err, KP_ENOMEM, "serving");
        serve->keys = grown;
        if (kp_served_open(serve, key, &grown[serve->n_keys], err) < 0)
                return -1;
        serve->n_keys++;
        return 0;
}

int
kp_serve_fault(struct kp_serve *serve, const char *name, struct kp_error *err)
{
        for (size_t i = 0; i < serve->n_keys; i++)
                if (kp_served_fault(serve->keys[i], name, err) < 0)
                        return -1;
        return 0;
}

int
kp_serve_control(struct kp_serve *serve, const char *path, struct kp_error *err)
{
        return kp_control_open(&serve->control, path, err);
}

/* ---- the loop ---- */

static int64_t
sooner(int64_t a, int64_t b)
{
        if (a < 0 || b < 0)
                return a < 0 ? b : a;
        return a < b ? a : b;
}

static int
wait_ms(const struct kp_serve *serve)
{
        int64_t next = -1, left;

        for (size_t i = 0; i < serve->n_keys; i++) {
                const struct kp_served *key = serve->keys[i];

                next = sooner(next, kp_served_next_ms(key));
                if (key->port.ops->next_ms != NULL)
                        next = sooner(next, key->port.ops->next_ms(key->port.self));
        }
        if (next < 0)
                return -1;
        left = next - kp_serve_now_ms();
        if (left < 0)
                return 0;
        return left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Enter: one touch for every key that waits. */
static void
take_enter(struct kp_serve *serve)
{
        char line[256];
        ssize_t n = read(serve->env.enter_fd, line, sizeof(line));

        if (n <= 0) {
                serve->env.enter_fd = -1; /* the terminal went away */
                return;
        }
        if (memchr(line, '\n', (size_t)n) == NULL)
                return;
        for (size_t i = 0; i < serve->n_keys; i++)
                if (kp_authenticator_waits(serve->keys[i]->authenticator) !=
                        KP_WAITS_NOT)
                        kp_served_touch(serve->keys[i], KP_SERVE_TOUCH_ONCE);
}

/*
 * What to wait for: stop, Enter, the control socket, and KP_PORT_FDS places for each
 * key, so that each finds its own again.
 */
static size_t
gather(struct kp_serve *serve, int stop_fd, struct pollfd *fds)
{
        size_t n = FIXED_FDS;

        for (size_t i = 0; i < FIXED_FDS + serve->n_keys * KP_PORT_FDS; i++)
                fds[i] = (struct pollfd){ .fd = -1 };
        fds[0] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
        fds[1] = (struct pollfd){ .fd = serve->env.enter_fd, .events = POLLIN };
        kp_control_fds(&serve->control, fds + 2);
        for (size_t i = 0; i < serve->n_keys; i++, n += KP_PORT_FDS) {
                struct kp_port *port = &serve->keys[i]->port;

                port->ops->fds(port->self, serve->keys[i]->has_report, fds + n);
        }
        return n;
}

static void
turn(struct kp_serve *serve, const struct pollfd *fds)
{
        /* orders last: who asks for a touch has first sent what waits for it */
        for (size_t i = 0; i < serve->n_keys; i++) {
                struct kp_served *key = serve->keys[i];

                key->port.ops->take(
                        key->port.self, key, fds + FIXED_FDS + i * KP_PORT_FDS);
                kp_served_tick(key);
        }
        if ((fds[1].revents & (POLLIN | POLLHUP)) != 0)
                take_enter(serve);
        kp_control_take(&serve->control, serve, fds + 2);
}

static int
begin(struct kp_serve *serve, struct kp_error *err)
{
        for (size_t i = 0; i < serve->n_keys; i++) {
                struct kp_served *key = serve->keys[i];

                if (key->state != NULL && !kp_file_exists(key->state) &&
                        kp_served_keep(key, err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < serve->n_keys; i++)
                kp_serve_say(serve->keys[i],
                        (struct kp_serve_event){ .news = KP_SERVE_READY });
        return 0;
}

int
kp_serve_run(struct kp_serve *serve, int stop_fd, struct kp_error *err)
{
        size_t n_fds = FIXED_FDS + serve->n_keys * KP_PORT_FDS;
        struct pollfd *fds = calloc(n_fds, sizeof(*fds));

        if (fds == NULL)
                return KP_FAIL(err, KP_ENOMEM, "serving");
        if (begin(serve, err) < 0) {
                free(fds);
                return -1;
        }
        for (;;) {
                size_t n = gather(serve, stop_fd, fds);

                if (poll(fds, n, wait_ms(serve)) < 0)
                        continue; /* a signal, or the kernel is out of memory */
                if (fds[0].revents != 0)
                        break;
                turn(serve, fds);
        }
        free(fds);
        return 0;
}
