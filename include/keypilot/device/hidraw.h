/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_HIDRAW_H
#define KEYPILOT_DEVICE_HIDRAW_H

#include <signal.h>

#include "keypilot/device/seam.h"

/*
 * Plugged-in USB keys: libfido2 finds them, our own open, poll, read and write drive
 * them. On systems without hidraw nothing is found and nothing opens.
 */
struct kp_hidraw_key {
        char path[256];  /* "/dev/hidraw3" */
        char title[160]; /* "Yubico YubiKey OTP+FIDO+CCID"; "" if USB tells nothing */
        uint16_t vendor, product;
};
#define KP_HIDRAW_MAX 32

/*
 * What is plugged in, sorted by path.
 *
 * Errors   KP_EIO
 */
int kp_hidraw_list(struct kp_hidraw_key ret[KP_HIDRAW_MAX], size_t *ret_n,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Open one of them. Nothing is sent.
 *
 * interrupted  borrowed; once it is set, a read that waits returns as if the time were
 *              up, so that the driver cancels. NULL: never
 * Errors       KP_ENOTFOUND nothing there (what is plugged in is told); KP_EENV no
 *              permission (what to do is told); KP_EUSAGE a device that is no FIDO key;
 *              KP_EUNSUPPORTED reports that are not 64 bytes; KP_EIO
 */
int kp_hidraw_open(const char *path, const volatile sig_atomic_t *interrupted,
        struct kp_seam *ret, struct kp_error *err) KP_MUST_CHECK;

/*
 * Does a HID report descriptor speak of a FIDO device, and in reports of which size?
 *
 * ret_in, ret_out  bytes of a report, from and to the key
 * Spec             CTAP 2.1 §11.2.8.2; USB HID 1.11 §6.2.2
 */
bool kp_hidraw_is_fido(const uint8_t *descriptor, size_t descriptor_len, size_t *ret_in,
        size_t *ret_out);

#endif
