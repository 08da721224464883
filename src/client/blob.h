/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_BLOB_H
#define KEYPILOT_SRC_CLIENT_BLOB_H

#include "keypilot/device/extra.h"

#include "sign.h"

/*
 * largeBlob: bytes of a site that lie on the key beside the passkey.
 * Spec: WebAuthn L3 §10.1.5; CTAP 2.1 §6.10, §12.3
 */

/* Client and key have it. */
bool kp_blob_works(const struct kp_attempt *attempt);

/*
 * A token that is good for the login and for writing afterwards, so that the person is
 * verified once. Nothing to do where nobody is verified, or for keys of CTAP 2.0.
 *
 * pin      NULL: by the key's own method
 * ret_said what the key said, if it did not give one
 */
int kp_blob_token(struct kp_attempt *attempt, const char *pin, struct kp_token *ret,
        struct kp_said *ret_said, struct kp_error *err) KP_MUST_CHECK;

/*
 * Read or write what the site asked for; how it went stands in `answer`.
 *
 * token    that kp_blob_token() gave; len 0: none
 */
int kp_blob_serve(struct kp_attempt *attempt, const struct kp_token *token,
        struct kp_signed *answer, struct kp_error *err) KP_MUST_CHECK;

#endif
