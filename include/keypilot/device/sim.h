/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_SIM_H
#define KEYPILOT_DEVICE_SIM_H

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/core/clock.h"
#include "keypilot/device/seam.h"

/*
 * The seam over a simulated key. Reading lets time pass: it jumps from one event of the
 * key to the next until there is a report or the time is up, and never sleeps. A
 * simulated clock jumps along; under the system clock the key lives in a time of its
 * own that runs ahead.
 *
 * authenticator  borrowed; must outlive the seam
 * clock          borrowed
 * ret            the caller closes it
 * Errors         KP_ENOMEM
 */
int kp_sim_open(struct kp_authenticator *authenticator, struct kp_clock *clock,
        struct kp_seam *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
