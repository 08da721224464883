/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_RESPONSE_H
#define KEYPILOT_SRC_CLIENT_RESPONSE_H

#include "make.h"
#include "sign.h"

/*
 * What a page gets: RegistrationResponseJSON and AuthenticationResponseJSON, and what
 * of it goes into the trace. Spec: WebAuthn L3 §5.1 toJSON()
 */

/* What the site is given of a registration, once attestation was conveyed or not. */
struct kp_conveyed {
        struct kp_buf auth_data;
        struct kp_buf object; /* attestation object */
        const char *format;   /* borrowed */
        bool aaguid_zeroed;
        int algorithm;
        uint8_t flags;
};
void kp_conveyed_done(struct kp_conveyed *conveyed);

/*
 * Keep or remove attestation, as the site asked and the client does.
 *
 * Throws   key-answer-invalid: authenticator data that cannot be read, or of another RP
 *          ID
 * Spec     WebAuthn L3 §5.1.3 step 21 "If any authenticator indicates success", §6.5.4
 */
int kp_convey(struct kp_ceremony *ceremony, const struct kp_made *made,
        struct kp_conveyed *ret, struct kp_error *err) KP_MUST_CHECK;

int kp_response_create(struct kp_ceremony *ceremony, const struct kp_made *made,
        const struct kp_conveyed *conveyed, json_t **ret,
        struct kp_error *err) KP_MUST_CHECK;
/* Throws  key-answer-invalid */
int kp_response_get(struct kp_ceremony *ceremony, const struct kp_signed *answer,
        json_t **ret, struct kp_error *err) KP_MUST_CHECK;

/* How the site is told that the key can be reached: sorted, unique. New reference. */
json_t *kp_response_transports(
        const struct kp_ceremony *ceremony, const struct kp_made *made);

/* base64url as a JSON string. New reference, NULL when out of memory. */
json_t *kp_response_bytes(const void *bytes, size_t bytes_len);

/* Client extension outputs. New reference. Spec: WebAuthn L3 §10.1 */
json_t *kp_results_create(const struct kp_ceremony *ceremony,
        const struct kp_made *made, const struct kp_conveyed *conveyed);
json_t *kp_results_get(
        const struct kp_ceremony *ceremony, const struct kp_signed *answer);

#endif
