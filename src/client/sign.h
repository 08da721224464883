/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_SIGN_H
#define KEYPILOT_SRC_CLIENT_SIGN_H

#include "attempt.h"

/*
 * Get an assertion from one key: what the options become for this key, and what it
 * says.
 */
struct kp_signed {
        struct kp_get_reply reply;
        size_t chosen;               /* index of the assertion that the person picked */
        struct kp_buf credential_id; /* the only one listed where the key left it out */
        bool app_id_used;
        bool discoverable; /* no list was sent */
        struct kp_buf blob;
        bool blob_found, blob_written;
        const char *transport, *attachment;
};
void kp_signed_done(struct kp_signed *answer);

/* For kp_reach_each(); self is a struct kp_signed, emptied first. */
int kp_sign_on_key(
        struct kp_attempt *attempt, void *self, struct kp_error *err) KP_MUST_CHECK;

#endif
