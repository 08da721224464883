/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_REACH_H
#define KEYPILOT_SRC_CLIENT_REACH_H

#include "attempt.h"

/*
 * Which keys a client can reach and the request lets in, and in which order a person
 * tries them. What came of each.
 */

/* How the key is connected. */
const char *kp_reach_transport(const struct kp_client_key *key);

/*
 * Begin with a key: is it in reach, is its kind asked for? Reads what the key says of
 * itself.
 *
 * ret      filled; the caller ends it with kp_attempt_done()
 * Throws   NotAllowedError: this key is no candidate, others may be
 */
int kp_reach_begin(struct kp_ceremony *ceremony, struct kp_client_key *key,
        struct kp_attempt *ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * Try the keys one after the other, until one gives a credential or says something that
 * ends the ceremony.
 *
 * one      asks one key; 0 done, KP_THROWN, -1
 * self     handed on to `one`
 * ret_key  the key that ended it; NULL: none did
 */
int kp_reach_each(struct kp_ceremony *ceremony,
        int (*one)(struct kp_attempt *attempt, void *self, struct kp_error *err),
        void *self, const struct kp_client_key **ret_key,
        struct kp_error *err) KP_MUST_CHECK;

#endif
