/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_RECORD_H
#define KEYPILOT_RP_RECORD_H

#include "keypilot/rp/rp.h"

/*
 * Credential records as JSON: what `webauthn verify` prints and reads again. Shape:
 *
 *   { "id", "publicKey", "alg", "signCount", "aaguid", "uv", "be", "bs",
 *     "attestation": { "format", "type", "trusted" } }
 *
 * Bytes are base64url.
 */

/*
 * Write a record.
 *
 * ret      the caller releases it with json_decref()
 * Errors   KP_ENOMEM
 */
int kp_rp_credential_write(const struct kp_rp_credential *credential, json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Read one. "id" and "publicKey" are needed, the rest is taken where it stands;
 * "backupEligible" and "backupState" are other names for "be" and "bs". Members of no
 * meaning are passed over: services keep more beside a record than we know.
 *
 * ret      overwritten; the caller ends it with kp_rp_credential_done(), after errors
 *          too
 * Errors   KP_ESCHEMA a member is missing or mistyped (its name told)
 */
int kp_rp_credential_read(const json_t *object, struct kp_rp_credential *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
