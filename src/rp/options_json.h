/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_OPTIONS_JSON_H
#define KEYPILOT_RP_OPTIONS_JSON_H

#include "keypilot/rp/rp.h"

/*
 * Members of options and vectors, read by name. Members that are absent leave `ret`
 * alone unless they are required.
 *
 * Errors   KP_ESCHEMA with the member's name
 */
int kp_rp_json_text(const json_t *object, const char *name, bool required,
        const char **ret, struct kp_error *err) KP_MUST_CHECK;
int kp_rp_json_bytes(const json_t *object, const char *name, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK; /* required, not empty */
int kp_rp_json_array(const json_t *object, const char *name, const json_t **ret,
        struct kp_error *err) KP_MUST_CHECK; /* NULL where absent */
int kp_rp_json_bool(const json_t *object, const char *name, bool *ret,
        struct kp_error *err) KP_MUST_CHECK;
int kp_rp_json_uv(const json_t *object, struct kp_rp_expectation *expect,
        struct kp_error *err) KP_MUST_CHECK;
int kp_rp_json_params(const json_t *object, struct kp_rp_expectation *expect,
        struct kp_error *err) KP_MUST_CHECK;

#endif
