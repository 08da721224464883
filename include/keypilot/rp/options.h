/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_OPTIONS_H
#define KEYPILOT_RP_OPTIONS_H

#include "keypilot/rp/rp.h"

/*
 * The options that went to a browser, as what a relying party expects in return.
 * Spec: WebAuthn L3 §5.1.8 PublicKeyCredentialCreationOptionsJSON, §5.1.9
 * PublicKeyCredentialRequestOptionsJSON
 */
struct kp_rp_options {
        struct kp_rp_expectation expect; /* borrows from below and from the JSON */
        struct kp_buf challenge;
        struct kp_buf user_handle;
        char rp_id[256];
        json_t *registered_ids;
        X509 *anchors[16];
};
void kp_rp_options_done(struct kp_rp_options *options);

/*
 * Read the options of a registration, or of an authentication.
 *
 * options  outlives `ret`; unknown members are passed over, as browsers do
 * origin   of the page, borrowed; its host is the RP ID where neither says one
 * rp_id    NULL: the one in the options
 * ret      overwritten; the caller ends it with kp_rp_options_done(), after errors too
 * Errors   KP_ESCHEMA a member is missing or mistyped (its name told)
 */
int kp_rp_options_read_creation(const json_t *options, const char *origin,
        const char *rp_id, struct kp_rp_options *ret,
        struct kp_error *err) KP_MUST_CHECK;
int kp_rp_options_read_request(const json_t *options, const char *origin,
        const char *rp_id, struct kp_rp_options *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Add trust anchors, copied: one or more in PEM, one in DER.
 *
 * Errors   KP_EPARSE no certificate in it, or more than fit
 */
int kp_rp_options_add_pem(struct kp_rp_options *options, const void *pem,
        size_t pem_len, struct kp_error *err) KP_MUST_CHECK;
int kp_rp_options_add_der(struct kp_rp_options *options, const uint8_t *der,
        size_t der_len, struct kp_error *err) KP_MUST_CHECK;

#endif
