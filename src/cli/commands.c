/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands.h"

extern const struct kp_command kp_cmd_run, kp_cmd_report, kp_cmd_explain, kp_cmd_list,
        kp_cmd_check, kp_cmd_baseline_write, kp_cmd_webauthn_create,
        kp_cmd_webauthn_get, kp_cmd_webauthn_verify, kp_cmd_saml_verify,
        kp_cmd_key_inspect, kp_cmd_key_clean, kp_cmd_key_serve;

const struct kp_command *const kp_commands[] = {
        &kp_cmd_run,
        &kp_cmd_report,
        &kp_cmd_baseline_write,
        &kp_cmd_explain,
        &kp_cmd_list,
        &kp_cmd_check,
        &kp_cmd_key_inspect,
        &kp_cmd_key_clean,
        &kp_cmd_key_serve,
        &kp_cmd_webauthn_create,
        &kp_cmd_webauthn_get,
        &kp_cmd_webauthn_verify,
        &kp_cmd_saml_verify,
        NULL,
};
