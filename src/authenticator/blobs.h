/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_BLOBS_H
#define KEYPILOT_AUTHENTICATOR_BLOBS_H

#include "keypilot/core/buf.h"

/* The serialized large-blob array of a simulated key. Spec: CTAP 2.1 §6.10 */
struct kp_auth_blobs {
        struct kp_buf array; /* kept without power; with its 16-byte trailer */
        /* lost without power: the write that runs */
        struct kp_buf pending;
        uint64_t expected_length, expected_next;
        uint32_t channel;   /* it goes on where it began */
        bool authenticated; /* it ends with its token */
};

#endif
