/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_AUTHENTICATOR_H
#define KEYPILOT_MODEL_AUTHENTICATOR_H

#include "keypilot/core/json.h"

/*
 * Authenticator profiles: what one model of security key says and does. The declarative
 * half of a simulated key, and the expected half of a real one. From
 * fixtures/authenticators/; never changes after loading.
 */
struct kp_authenticator_profile;

/*
 * Errors   KP_EIO, KP_EPARSE, KP_ESCHEMA (member told). The caller frees `ret` with
 *          kp_authenticator_profile_free()
 */
int kp_authenticator_profile_load(const char *path, struct kp_authenticator_profile **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_authenticator_profile_free(struct kp_authenticator_profile **profile);
const char *kp_authenticator_profile_id(const struct kp_authenticator_profile *profile);
struct kp_text kp_authenticator_profile_title(const struct kp_authenticator_profile *profile);
const json_t *kp_authenticator_profile_json(const struct kp_authenticator_profile *profile);

#endif
