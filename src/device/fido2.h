/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_FIDO2_H
#define KEYPILOT_DEVICE_FIDO2_H

#include <fido.h>

#include "keypilot/codec/ctaphid.h"

#include "ctap.h"

/*
 * The inside of the driver `libfido2`. It listens in on its own reports, because
 * libfido2 1.12 swallows what a pilot wants to know: CTAPHID errors, time-outs and lost
 * keys are all FIDO_ERR_RX to it.
 *
 * Files: fido2_io.c reports below libfido2, and what its results mean;
 * driver_libfido2.c requests above it.
 */
struct kp_fido2 {
        fido_dev_t *dev;
        struct kp_seam seam;

        struct kp_ctaphid_join out, in;
        uint8_t asked; /* CTAP2 command that awaits its answer; 0: none */
        bool answered; /* `status` is the key's answer to it */
        uint8_t status;
        bool empty;        /* an answer without even a status */
        uint8_t hid_error; /* last CTAPHID_ERROR, or what was wrong with frames; or 0 */
        unsigned n_keepalives;
        bool silent; /* the key said nothing, or waited too long for a touch */
        struct kp_error failed; /* of the seam; KP_OK: none */

        struct kp_key_info info;
        bool info_fresh;
};

/* For a fido_dev_t: functions, and the path that leads back to `fido2`. */
#define KP_FIDO2_PATH_LEN 32
void kp_fido2_path(const struct kp_fido2 *fido2, char path[KP_FIDO2_PATH_LEN]);
extern const fido_dev_io_t kp_fido2_io;

/* Before each call of libfido2. */
void kp_fido2_begin(struct kp_fido2 *fido2);

/*
 * After it: sort its result into the key's status, a word for what came instead, or an
 * error of ours. A key that does not answer gets a cancel first.
 *
 * Errors   KP_ESAFETY the tap refused; KP_EUNSUPPORTED; KP_EIO libfido2's own trouble
 */
int kp_fido2_sort(struct kp_fido2 *fido2, int result, uint8_t *ret_status,
        const char **ret_transport, struct kp_error *err) KP_MUST_CHECK;

/* True: the key was busy with another program; a moment has passed, ask again. */
bool kp_fido2_busy(struct kp_fido2 *fido2, unsigned *tries);

#endif
