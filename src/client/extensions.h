/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_EXTENSIONS_H
#define KEYPILOT_SRC_CLIENT_EXTENSIONS_H

#include "webidl.h"

/*
 * Extension inputs, read from JSON. What they make the client do lies in create.c,
 * get.c and results.c. Spec: WebAuthn L3 §9, §10; CTAP 2.1 §12
 */
struct kp_prf_values {
        bool given;
        struct kp_buf first, second;
        bool has_second;
};

struct kp_extensions {
        bool cred_props;
        char *app_id, *app_id_exclude;
        char *cred_protect; /* credentialProtectionPolicy as written */
        bool enforce_cred_protect;
        bool min_pin_length;
        bool has_cred_blob;
        struct kp_buf cred_blob;
        bool get_cred_blob;
        bool hmac_create_secret;
        bool prf;
        struct kp_prf_values prf_eval;
        struct kp_prf_of {
                char *key; /* base64url as written */
                struct kp_prf_values values;
        } * prf_by_credential;
        size_t n_prf_by_credential;
        bool prf_by_credential_given; /* if only with nothing in it */
        bool large_blob;
        char *large_blob_support; /* NULL: not given */
        bool large_blob_read, large_blob_write;
        struct kp_buf large_blob_data; /* to be written */
        bool payment; /* isPayment. Secure Payment Confirmation §5.1 */
};

/*
 * ret      starts as { 0 }; the caller ends it with kp_extensions_done()
 * Throws   TypeError, EncodingError
 */
int kp_extensions_read(const json_t *json, struct kp_extensions *ret,
        struct kp_exception *exception, struct kp_error *err) KP_MUST_CHECK;
void kp_extensions_done(struct kp_extensions *extensions);

/* 0 none given, 1 to 3, -1 an unknown policy. Spec: CTAP 2.1 §12.1 */
int kp_cred_protect_level(const char *policy);

/* Names of what was asked, sorted, for the trace. New reference. */
json_t *kp_extensions_names(const struct kp_extensions *extensions);

#endif
