/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_POLICY_H
#define KEYPILOT_RP_POLICY_H

#include "keypilot/rp/rp.h"

/*
 * Relying-party policies: what the specification leaves to a site, as data. They come
 * from fixtures/relying-parties/ or a file of one's own.
 */

/*
 * Read a policy into what is expected, after the options of the ceremony. Origins are
 * added to those that are there; of the algorithms only those of both remain, in a
 * registration. What it does not say stays as it was.
 *
 * object   outlives `ret`. Shape: fixtures/schema/relying-party.schema.json
 * Errors   KP_ESCHEMA unknown, missing or mistyped member (its name told)
 */
int kp_rp_policy_read(const json_t *object, struct kp_rp_expectation *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* "ee882879-721c-4913-9775-3dfcce97072a"; false: it is not of that form. */
bool kp_rp_aaguid_parse(const char *text, uint8_t ret[16]);
#define KP_RP_AAGUID_TEXT 37
void kp_rp_aaguid_format(const uint8_t aaguid[16], char ret[KP_RP_AAGUID_TEXT]);

#endif
