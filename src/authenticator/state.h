/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_STATE_H
#define KEYPILOT_AUTHENTICATOR_STATE_H

#include "internal.h"

/*
 * Reading a key's memory. Strict: what is unknown, missing or impossible is refused by
 * name. Shape: fixtures/schema/key-state.schema.json
 */

/* Base64url of at least `min` and at most `max` bytes. */
int kp_state_bytes(const char *member, const char *text, size_t min, size_t max,
        struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;
int kp_state_range(const char *member, int64_t value, int64_t min, int64_t max,
        struct kp_error *err) KP_MUST_CHECK;
int kp_state_credentials(struct kp_authenticator *key, const json_t *list,
        struct kp_error *err) KP_MUST_CHECK;
/* After the credentials: see there. */
void kp_state_skip_randoms(struct kp_authenticator *key);

#endif
