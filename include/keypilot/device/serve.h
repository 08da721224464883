/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_SERVE_H
#define KEYPILOT_DEVICE_SERVE_H

#include "keypilot/core/error.h"
#include "keypilot/model/fixtures.h"

/*
 * Simulated keys that any program can use. One loop serves several keys, in real time
 * and without threads; each key has one port that other programs know how to talk to.
 * Nothing here knows what a key answers: see keypilot/authenticator/authenticator.h.
 */
struct kp_serve;

enum kp_serve_port {
        KP_SERVE_SOCKET, /* AF_UNIX SOCK_SEQPACKET; a connection is a power cycle */
        KP_SERVE_UDP,    /* 127.0.0.1; answers go to whoever asked last */
        KP_SERVE_UHID,   /* /dev/uhid: a HID device of this machine */
        KP_SERVE_VPCD,   /* vsmartcard's vpcd: a card in a reader of this machine */
};

/* What the person does. */
enum kp_serve_touch {
        KP_SERVE_TOUCH_AUTO, /* touches at once, every time */
        KP_SERVE_TOUCH_ONCE, /* one touch for who waits, or will wait; then none */
        KP_SERVE_TOUCH_DENY,
        KP_SERVE_TOUCH_WITHHOLD,
};
#define KP_SERVE_N_TOUCHES 4
const char *kp_serve_touch_name(enum kp_serve_touch touch); /* "auto" */

/*
 * One key to serve. Everything borrowed until kp_serve_add() returns.
 *
 * name     sim:PROFILE
 * path     of the socket
 * host     vpcd: its host; NULL: 127.0.0.1
 * number   UDP port, 0: any that is free; TCP port of vpcd
 * state    file that keeps the key's memory, made when absent; NULL: it forgets
 * seed     repeatable randomness; NULL: the system's
 */
struct kp_serve_key {
        const char *name;
        enum kp_serve_port port;
        const char *path, *host;
        int number;
        const char *state, *seed;
        enum kp_serve_touch touch;
};

/* What happens, told to whoever set `say`. No secrets, all borrowed. */
enum kp_serve_news {
        KP_SERVE_READY,    /* `address` can be used from now on */
        KP_SERVE_CAME,     /* a program connected, or opened the device */
        KP_SERVE_WENT,     /* and went */
        KP_SERVE_POWERED,  /* off and on again */
        KP_SERVE_PULLED,   /* a fault pulled the plug */
        KP_SERVE_WAITS,    /* `command` waits for a finger */
        KP_SERVE_ANSWERED, /* `command` was answered with `status` */
        KP_SERVE_TROUBLE,  /* `err`: went wrong on our side, serving goes on */
};
struct kp_serve_event {
        enum kp_serve_news news;
        size_t index;        /* in the order of kp_serve_add() */
        const char *key;     /* "sim:PROFILE" */
        const char *port;    /* "socket", "udp", "uhid", "vpcd" */
        const char *address; /* path, HOST:PORT or device */
        const char *command; /* "makeCredential", "clientPIN setPIN", "u2f register" */
        const char *status;  /* "CTAP2_ERR_PIN_INVALID", "6985" */
        bool waited;         /* for a finger */
        const struct kp_error *err;
};

/*
 * What serving needs from its surroundings; everything borrowed for as long as it
 * lives.
 *
 * fixtures  profiles and faults
 * enter_fd  a line read from it is one touch for every key that waits; -1: none
 * say       NULL: nobody listens
 */
struct kp_serve_env {
        const struct kp_fixtures *fixtures;
        int enter_fd;
        void (*say)(void *self, const struct kp_serve_event *event);
        void *self;
};

/* ret      the caller frees it with kp_serve_free(). Errors  KP_ENOMEM */
int kp_serve_new(const struct kp_serve_env *env, struct kp_serve **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_serve_free(struct kp_serve **serve); /* NULL-safe, leaves NULL */

/*
 * Make a key and open its port. A state file that exists is read now, never written
 * before kp_serve_run().
 *
 * Errors   KP_EUSAGE no sim: name, a path that is too long; KP_ENOTFOUND no such
 *          profile; KP_EPARSE, KP_ESCHEMA profile or state, that of another profile
 *          included; KP_EIO a file that is no socket is in the way; KP_EENV the port is
 *          taken, or not there (what to do is told)
 */
int kp_serve_add(struct kp_serve *serve, const struct kp_serve_key *key,
        struct kp_error *err) KP_MUST_CHECK;

/* Something goes wrong with every key from now on. Errors  as kp_fault_load() */
int kp_serve_fault(
        struct kp_serve *serve, const char *name, struct kp_error *err) KP_MUST_CHECK;

/*
 * Take orders from test drivers, JSON lines over AF_UNIX SOCK_STREAM at `path`:
 * {"touch": "auto|once|deny|withhold"}, {"power": "cycle"}, {"uv": "ok|fail"},
 * {"fault": "NAME"} (null clears), {"samples": [0, 2, ...]}; with several keys
 * "key": "sim:NAME" or its index. Each line is answered with one line, {"ok": true} or
 * {"ok": false, "error": "..."}, once it has been obeyed.
 *
 * Errors   KP_EUSAGE, KP_EIO, KP_EENV as kp_serve_add()
 */
int kp_serve_control(
        struct kp_serve *serve, const char *path, struct kp_error *err) KP_MUST_CHECK;

/*
 * Serve until `stop_fd` becomes readable. Sockets that were made are removed.
 *
 * Errors   KP_EIO a state file that cannot be made; KP_ENOMEM
 */
int kp_serve_run(
        struct kp_serve *serve, int stop_fd, struct kp_error *err) KP_MUST_CHECK;

#endif
