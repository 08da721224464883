/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_SEAM_H
#define KEYPILOT_DEVICE_SEAM_H

#include "keypilot/codec/ctap.h"
#include "keypilot/core/error.h"

/*
 * The one seam below every driver: 64-byte reports to and from one security key. What
 * is behind it (a simulated key, a USB key, a recording, the tap around one of those)
 * is nobody's business above it.
 */
struct kp_seam;

struct kp_seam_ops {
        /*
         * Write one report. Returns 0, or -1 with KP_EIO, or KP_ESAFETY where the tap
         * refuses a command.
         */
        int (*write)(void *self, const uint8_t report[KP_CTAPHID_REPORT],
                struct kp_error *err);
        /*
         * Read one report, waiting at most `timeout_ms` (-1: as long as the key has
         * something to say). Returns 1 with a report, 0 when the time is up or nothing
         * will come, -1 with KP_EIO.
         */
        int (*read)(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
                struct kp_error *err);
        void (*close)(void *self); /* frees self */
};

struct kp_seam {
        const struct kp_seam_ops *ops;
        void *self;
};

#endif
