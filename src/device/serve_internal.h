/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_SERVE_INTERNAL_H
#define KEYPILOT_DEVICE_SERVE_INTERNAL_H

#include <poll.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/authenticator/fault.h"
#include "keypilot/codec/ctaphid.h"
#include "keypilot/device/serve.h"

/*
 * The inside of serving: a served key, the port in front of it, the control socket.
 */
struct kp_served;

/* ---- ports ---- */

#define KP_PORT_FDS 2

enum kp_port_sent { KP_PORT_SENT, KP_PORT_FULL, KP_PORT_NOBODY };

struct kp_port_ops {
        const char *name;
        /* What to wait for; `full`: also for room to send. */
        void (*fds)(void *self, bool full, struct pollfd ret[KP_PORT_FDS]);
        /* Take in what came, in calls of kp_served_feed() and the like. */
        void (*take)(void *self, struct kp_served *key, const struct pollfd *fds);
        enum kp_port_sent (*send)(void *self, const uint8_t report[KP_CTAPHID_REPORT]);
        void (*replug)(void *self, struct kp_served *key); /* may be NULL */
        void (*unplug)(void *self, struct kp_served *key); /* may be NULL */
        /* When it wants take() called even if nothing came; -1: never. May be NULL. */
        int64_t (*next_ms)(const void *self);
        void (*close)(void *self); /* frees self */
};

struct kp_port {
        const struct kp_port_ops *ops;
        void *self;
        char address[160];
};

int kp_port_socket(
        const struct kp_serve_key *spec, struct kp_port *ret, struct kp_error *err);
int kp_port_udp(
        const struct kp_serve_key *spec, struct kp_port *ret, struct kp_error *err);
int kp_port_vpcd(
        const struct kp_serve_key *spec, struct kp_port *ret, struct kp_error *err);
/* profile  what the device calls itself */
int kp_port_uhid(const struct kp_authenticator_profile *profile, struct kp_port *ret,
        struct kp_error *err);

/*
 * Listen at a path. A socket that nobody listens to is replaced; anything else that is
 * there stays, and is an error.
 */
struct kp_listener {
        int fd;
        char path[108];
        unsigned long long device, inode; /* of the socket that we made */
};
int kp_listener_open(
        const char *path, int type, struct kp_listener *ret, struct kp_error *err);
void kp_listener_close(struct kp_listener *listener); /* removes our own socket */

/* ---- what goes over the wire, for people (serve_watch.c) ---- */

struct kp_watch {
        struct kp_ctaphid_join in, out;
        char command[64]; /* "": none that is worth telling */
        bool waited, told_waits;
};
void kp_watch_in(struct kp_watch *watch, const uint8_t report[KP_CTAPHID_REPORT]);
/* True when a command was answered; `status` then holds with what. */
bool kp_watch_out(struct kp_watch *watch, const uint8_t report[KP_CTAPHID_REPORT],
        char status[40]);
void kp_watch_apdu(struct kp_watch *watch, const uint8_t *apdu, size_t apdu_len);
bool kp_watch_apdu_answer(
        struct kp_watch *watch, const struct kp_buf *answer, char status[40]);
void kp_watch_done(struct kp_watch *watch);

/* ---- a served key (serve_key.c) ---- */

struct kp_served {
        struct kp_serve *serve;
        size_t index;
        char *name;
        struct kp_authenticator_profile *profile;
        struct kp_authenticator *authenticator;
        struct kp_random *random;
        bool seeded;
        char *state; /* NULL: it forgets */

        struct kp_port port;
        bool has_report; /* that did not fit in the port yet */
        uint8_t report[KP_CTAPHID_REPORT];
        struct kp_watch watch;

        enum kp_serve_touch touch;
        bool armed; /* a single touch has yet to be given */
        bool verification;
        struct kp_fault *faults[16];
        size_t n_faults;
};

int kp_served_open(struct kp_serve *serve, const struct kp_serve_key *spec,
        struct kp_served **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_served_free(struct kp_served **key);
/* Write the state file. */
int kp_served_keep(struct kp_served *key, struct kp_error *err) KP_MUST_CHECK;

void kp_served_feed(struct kp_served *key, const uint8_t report[KP_CTAPHID_REPORT]);
void kp_served_apdu(struct kp_served *key, const uint8_t *apdu, size_t apdu_len,
        struct kp_buf *answer);
/* Let time pass, and send what is to be sent. */
void kp_served_tick(struct kp_served *key);
int64_t kp_served_next_ms(const struct kp_served *key); /* -1: nothing */
void kp_served_power_cycle(struct kp_served *key);
void kp_served_came(struct kp_served *key);
void kp_served_went(struct kp_served *key);
void kp_served_trouble(struct kp_served *key, const struct kp_error *err);

/* What a test driver may ask for. */
void kp_served_touch(struct kp_served *key, enum kp_serve_touch touch);
void kp_served_verification(struct kp_served *key, bool right);
int kp_served_fault(struct kp_served *key, const char *name, struct kp_error *err);
void kp_served_faults_clear(struct kp_served *key);

/* ---- the control socket (serve_control.c) ---- */

#define KP_CONTROL_CLIENTS 8
#define KP_CONTROL_LINE 65536

struct kp_control {
        bool open;
        struct kp_listener listener;
        struct {
                int fd;
                struct kp_buf line;
        } clients[KP_CONTROL_CLIENTS];
        size_t n_clients;
};
int kp_control_open(struct kp_control *control, const char *path, struct kp_error *err);
void kp_control_fds(const struct kp_control *control, struct pollfd *ret);
void kp_control_take(
        struct kp_control *control, struct kp_serve *serve, const struct pollfd *fds);
void kp_control_close(struct kp_control *control);

/* ---- all of it ---- */

struct kp_serve {
        struct kp_serve_env env;
        struct kp_served **keys;
        size_t n_keys;
        struct kp_control control;
};

int64_t kp_serve_now_ms(void); /* monotonic */
void kp_serve_say(struct kp_served *key, struct kp_serve_event event);

#endif
