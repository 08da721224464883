/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_WEBAUTHN_COMMON_H
#define KEYPILOT_CLI_WEBAUTHN_COMMON_H

#include "cli.h"

/*
 * What `webauthn create` and `webauthn get` have in common: all but the ceremony
 * itself.
 */
extern const struct kp_option kp_webauthn_options[];
#define KP_N_WEBAUTHN_OPTIONS 8

/* Returns an exit code, or -1 with an error. */
int kp_webauthn_run(struct kp_cli *cli, bool create, struct kp_error *err);

#endif
