/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_AUTHENTICATOR_FACTS_H
#define KEYPILOT_MODEL_AUTHENTICATOR_FACTS_H

#include "keypilot/model/authenticator.h"

#define KP_KEY_PIN_MAX 63 /* CTAP 2.1 §6.5.1: bytes, so code points as well */

/*
 * Read what a profile states, all members, without what contradicts what.
 *
 * json     the whole file, what it is like merged in
 * ret      strings are borrowed from `json`
 * Errors   KP_ESCHEMA with the member
 */
int kp_key_facts_read(const json_t *json, struct kp_key_facts *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
