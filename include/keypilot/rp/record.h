/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_RECORD_H
#define KEYPILOT_RP_RECORD_H

#include "keypilot/rp/rp.h"

/*
 * Credential records as JSON: what `webauthn verify` prints and reads again.
 * Shape: {"id", "publicKey", "alg", "signCount", "aaguid", "uv", "be", "bs",
 * "attestation": {"format", "type", "trusted"}}, bytes as base64url.
 */

/* ret   new; the caller releases it. Errors  KP_ENOMEM */
int kp_rp_credential_write(const struct kp_rp_credential *credential, json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * id and publicKey are needed, the rest is taken where it stands; "backupEligible" and
 * "backupState" are other names for "be" and "bs". Members of no meaning are passed over:
 * services keep more beside a record than we know.
 *
 * ret      overwritten; ended with kp_rp_credential_done() by the caller, also after errors
 * Errors   KP_ESCHEMA a member is missing or mistyped (its name told)
 */
int kp_rp_credential_read(const json_t *object, struct kp_rp_credential *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
