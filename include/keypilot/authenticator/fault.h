/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_FAULT_H
#define KEYPILOT_AUTHENTICATOR_FAULT_H

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/model/fault.h"

/*
 * Faults of a simulated key. The points at which it can go wrong are one table
 * (src/authenticator/fault.c); a fault names one of them.
 */
struct kp_fault_point {
        const char *name;  /* "answer.truncated" */
        const char *about; /* one English sentence: what happens */
        const char *value; /* what `value` means there; NULL: nothing */
        int64_t min, max;  /* of `value` */
};
extern const struct kp_fault_point kp_fault_points[];
extern const size_t kp_n_fault_points;

/*
 * Does the fault name a point that exists, a value that it takes, and a command?
 *
 * Errors   KP_ESCHEMA with the member
 */
int kp_authenticator_fault_check(
        const struct kp_fault *fault, struct kp_error *err) KP_MUST_CHECK;

/*
 * From now on this goes wrong as well; several may be set, each counts for itself, and
 * counts once for each command that comes to its point. Over U2F only a fault without
 * `command` is met.
 *
 * fault    borrowed until kp_authenticator_faults_clear(), or the key is freed
 * Errors   KP_ESCHEMA a point that does not exist, or a value that is none of its own;
 *          KP_ENOMEM
 */
int kp_authenticator_fault_add(struct kp_authenticator *authenticator,
        const struct kp_fault *fault, struct kp_error *err) KP_MUST_CHECK;
void kp_authenticator_faults_clear(struct kp_authenticator *authenticator);

/* How often the fault that was added i-th has happened. */
int64_t kp_authenticator_fault_fired(
        const struct kp_authenticator *authenticator, size_t i);

/* The key was pulled out by a fault: nothing goes in or out until power_cycle(). What was
 * on the wire already still comes out; then this is true. */
bool kp_authenticator_is_unplugged(const struct kp_authenticator *authenticator);

#endif
