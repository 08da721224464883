/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_FIXTURE_ID_H
#define KEYPILOT_MODEL_FIXTURE_ID_H

#include "keypilot/core/json.h"

/* Lower-case letters, digits and single hyphens, at most 64. */
bool kp_fixture_id_valid(const char *id);

/*
 * The member 'id' is the name of the file.
 *
 * Errors   KP_ESCHEMA; KP_ENOMEM
 */
int kp_fixture_id_check(
        const json_t *json, const char *path, struct kp_error *err) KP_MUST_CHECK;

#endif
