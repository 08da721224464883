/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_AUTHENTICATOR_CHECKS_H
#define KEYPILOT_MODEL_AUTHENTICATOR_CHECKS_H

#include "keypilot/model/authenticator.h"

/*
 * Members of a profile that are right one by one and cannot be true together.
 *
 * Errors   KP_ESCHEMA with the rule that is broken
 */
int kp_key_facts_check(
        const struct kp_key_facts *facts, struct kp_error *err) KP_MUST_CHECK;

#endif
