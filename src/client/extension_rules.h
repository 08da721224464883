/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_EXTENSION_RULES_H
#define KEYPILOT_SRC_CLIENT_EXTENSION_RULES_H

#include "ceremony.h"

/*
 * What a client refuses about extension inputs before it asks a key, and the AppID it
 * will try. Spec: WebAuthn L3 §10.1
 */
int kp_extension_rules_check(
        struct kp_ceremony *ceremony, struct kp_error *err) KP_MUST_CHECK;

/* The client hands prf to keys in this ceremony. */
bool kp_extension_prf_works(const struct kp_ceremony *ceremony);

#endif
