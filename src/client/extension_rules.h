/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_EXTENSION_RULES_H
#define KEYPILOT_SRC_CLIENT_EXTENSION_RULES_H

#include "ceremony.h"

/*
 * What a client refuses about extension inputs before it looks at the page's place.
 * Spec: WebAuthn L3 §10.1
 */
int kp_extension_rules_check(
        struct kp_ceremony *ceremony, struct kp_error *err) KP_MUST_CHECK;

/*
 * What is refused once the page's place and RP ID are known, and whether the page may
 * use the AppID that it asks for, which is kept in the ceremony.
 */
int kp_extension_place_check(
        struct kp_ceremony *ceremony, struct kp_error *err) KP_MUST_CHECK;

#endif
