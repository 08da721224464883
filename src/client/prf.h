/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_PRF_H
#define KEYPILOT_SRC_CLIENT_PRF_H

#include "ceremony.h"

/*
 * prf, which keys know as hmac-secret. Spec: WebAuthn L3 §10.1.4; CTAP 2.1 §12.5
 */

/* One or two salts of 32 bytes for the key; wipe them afterwards. */
int kp_prf_salts(const struct kp_prf_values *values, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* The client hands prf to keys in this ceremony. */
bool kp_prf_works(const struct kp_ceremony *ceremony);

#endif
