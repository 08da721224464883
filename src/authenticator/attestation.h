/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_ATTESTATION_H
#define KEYPILOT_AUTHENTICATOR_ATTESTATION_H

#include "internal.h"

/*
 * Attestation statements, one function for each format: attStmt for this credential.
 * Spec: WebAuthn L3 §8 "Defined Attestation Statement Formats"
 */
struct kp_auth_attestation {
        struct kp_authenticator *key;
        struct kp_auth_credential *credential;
        EVP_PKEY *pkey; /* of the credential */
        const uint8_t *client_data_hash;
        int enterprise;
        struct kp_buf auth_data; /* as it is answered; a format may change it first */
};

/* Each returns a status and appends the statement's map. */
int kp_auth_attest_android_key(struct kp_auth_attestation *a, struct kp_buf *ret);
int kp_auth_attest_apple(struct kp_auth_attestation *a, struct kp_buf *ret);
int kp_auth_attest_tpm(struct kp_auth_attestation *a, struct kp_buf *ret);

/* ---- attestation.c ---- */

/* authenticatorData || clientDataHash */
void kp_auth_attested(const struct kp_auth_attestation *a, struct kp_buf *ret);
/* A signature over any message, which a fault may spoil. Returns a status. */
int kp_auth_sign_message(struct kp_authenticator *key, int alg, EVP_PKEY *pkey,
        const struct kp_buf *message, struct kp_buf *ret);
/* One certificate of the model as an element of x5c. */
void kp_auth_put_certificate(const struct kp_authenticator *key,
        enum kp_key_certificate which, struct kp_buf *ret);

#endif
