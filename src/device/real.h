/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_REAL_H
#define KEYPILOT_DEVICE_REAL_H

#include "keypilot/device/key.h"
#include "keypilot/device/ledger.h"
#include "keypilot/device/tap.h"

/*
 * The driver of a key that is somebody's own: `libfido2` where that can say what is
 * asked, `ctap` otherwise, both on one seam; and around them the ledger, the check for
 * free places, the names that tell a test passkey apart, and the tries of a PIN.
 */
struct kp_real_rules {
        enum kp_driver_choice choice;
        struct kp_tap *tap;       /* borrowed */
        struct kp_ledger *ledger; /* borrowed; NULL: nothing may be made or removed */
        const char *run;          /* borrowed */
};

/*
 * Takes the seam over, on failure as well.
 *
 * Errors   as kp_driver_open_ctap()
 */
int kp_driver_open_real(struct kp_seam seam, const struct kp_real_rules *rules,
        struct kp_random *random, struct kp_driver *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* In driver_ctap.c, of a driver `ctap` only: places left, by credential management. */
int kp_driver_ctap_places(struct kp_driver *driver, const char *pin,
        uint8_t *ret_status, int64_t *ret_places, struct kp_error *err) KP_MUST_CHECK;

#endif
