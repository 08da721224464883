/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_FAULT_INTERNAL_H
#define KEYPILOT_AUTHENTICATOR_FAULT_INTERNAL_H

#include "keypilot/authenticator/fault.h"

/* In the order of the table kp_fault_points. */
enum kp_auth_point {
        KP_POINT_TOUCH_WITHHELD, /* finger.c */
        KP_POINT_TOUCH_REFUSED,
        KP_POINT_TOUCH_LATE,
        KP_POINT_UNPLUG_REQUEST, /* hid.c, nfc.c: at frame `value` of the request */
        KP_POINT_UNPLUG_ANSWER,  /* hid_out.c, nfc.c: before frame `value` */
        KP_POINT_KEEPALIVE_STUCK,
        KP_POINT_KEEPALIVE_NONE,
        KP_POINT_KEEPALIVE_LATE,
        KP_POINT_INIT_NONCE,
        KP_POINT_WRONG_CHANNEL,
        KP_POINT_SLOW_ANSWER,
        KP_POINT_ANSWER_NONE,
        KP_POINT_ANSWER_EMPTY,
        KP_POINT_ANSWER_ERROR,
        KP_POINT_ANSWER_SEQUENCE,
        KP_POINT_ANSWER_FRAME_LOST,
        KP_POINT_ANSWER_FRAME_TWICE,
        KP_POINT_ANSWER_TRUNCATED, /* authenticator.c, of the finished answer */
        KP_POINT_ANSWER_OVERSIZED,
        KP_POINT_ANSWER_NON_CANONICAL,
        KP_POINT_WRONG_STATUS,
        KP_POINT_SIGNATURE,  /* attestation.c: kp_auth_sign() */
        KP_POINT_RP_ID_HASH, /* authdata.c: kp_auth_data() */
        KP_POINT_FLAG_UP,
        KP_POINT_FLAG_UV,
        KP_POINT_BS_WITHOUT_BE,
        KP_POINT_BE_FLIPPED,
        KP_POINT_COUNTER_STILL,
        KP_POINT_COUNTER_BACK,
        KP_POINT_COUNTER_JUMP,
        KP_POINT_CLONE,
        KP_POINT_PIN_BLOCKED, /* pin.c */
        KP_POINT_PIN_POWER_CYCLE,
        KP_POINT_UV_BLOCKED,
        KP_POINT_STORE_FULL, /* make.c */
        KP_N_POINTS,
};

#define KP_AUTH_FAULTS_MAX 16
struct kp_auth_faults {
        struct {
                const struct kp_fault *fault;
                enum kp_auth_point point;
                int64_t met, fired;
                bool decided, fires; /* for the command that runs */
        } items[KP_AUTH_FAULTS_MAX];
        size_t n;
        bool unplugged;
};

/*
 * A command begins. Whoever takes one in says so before it is run: one that waits for a
 * finger is run several times, and meets each point once.
 */
void kp_auth_faults_begin(struct kp_authenticator *key);

/*
 * The running command has come to this point: does it go wrong now? Counts once for
 * each command. `ret_value` may be NULL.
 */
bool kp_auth_fault(
        struct kp_authenticator *key, enum kp_auth_point point, int64_t *ret_value);

/* The same for a point whose value is the place where it happens: frame `at`. */
bool kp_auth_fault_at(
        struct kp_authenticator *key, enum kp_auth_point point, int64_t at);

/* The same for what is no command and may come while one waits: CTAPHID_INIT. */
bool kp_auth_fault_apart(struct kp_authenticator *key, enum kp_auth_point point);

#endif
