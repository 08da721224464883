/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_MAKE_H
#define KEYPILOT_SRC_CLIENT_MAKE_H

#include "attempt.h"

/*
 * Create a credential on one key: what the options become for this key, and what it
 * says.
 */
struct kp_made {
        struct kp_make_reply reply;
        bool rk;                  /* a discoverable credential was asked for */
        enum kp_ternary rk_known; /* credProps.rk; KP_OMIT: nobody knows */
        int cred_protect;         /* level asked, 0 none */
        bool hmac_secret, cred_blob, large_blob;
        struct kp_key_info info;
        const char *transport, *attachment;
};
void kp_made_done(struct kp_made *made);

/* For kp_reach_each(); self is a struct kp_made, emptied first. */
int kp_make_on_key(
        struct kp_attempt *attempt, void *self, struct kp_error *err) KP_MUST_CHECK;

#endif
