/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_TAP_H
#define KEYPILOT_DEVICE_TAP_H

#include "keypilot/device/seam.h"
#include "keypilot/model/trace.h"

/*
 * The tap: a seam around a seam that puts the frames of both directions together,
 * counts commands, writes `ctap` events to a trace, and, on real keys, lets only
 * harmless commands through: no reset, no PIN set or change, no configuration, no
 * enrolment of fingers, no large-blob write; a PIN only when five or more tries are
 * left; removal only of what the ledger names.
 */
enum kp_tap_rules {
        KP_TAP_SIMULATED, /* everything passes */
        KP_TAP_REAL,      /* the allow-list */
        KP_TAP_READ_ONLY, /* getInfo, getPINRetries, U2F version (list, inspect) */
};
struct kp_tap;

/*
 * Wrap `inner`, which the tap takes over (on failure too).
 *
 * trace     borrowed; NULL: no events
 * ret_seam  the seam to give to a driver; closing it closes `inner` and frees the tap
 * ret       borrowed view of the same, for the functions below
 * Errors    KP_ENOMEM
 */
int kp_tap_new(struct kp_seam inner, enum kp_tap_rules rules, struct kp_trace *trace,
        struct kp_seam *ret_seam, struct kp_tap **ret,
        struct kp_error *err) KP_MUST_CHECK;

/* How many messages of a CTAPHID command, or of a CTAP2 command, went to the key. */
unsigned kp_tap_count_hid(const struct kp_tap *tap, uint8_t hid_cmd);
unsigned kp_tap_count_ctap(const struct kp_tap *tap, uint8_t ctap_cmd);

/* The last CTAP2 status that came back, and the last refusal of ours; NULL: none. */
uint8_t kp_tap_last_status(const struct kp_tap *tap);
const char *kp_tap_refusal(const struct kp_tap *tap);

/*
 * Allow the removal of this credential, which the ledger names.
 *
 * Errors   KP_ESAFETY a length that no credential id has; KP_ENOMEM
 */
int kp_tap_allow_remove(struct kp_tap *tap, const uint8_t *credential_id,
        size_t credential_id_len, struct kp_error *err) KP_MUST_CHECK;

#endif
