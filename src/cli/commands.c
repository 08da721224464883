/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands.h"

extern const struct kp_command kp_cmd_list;

const struct kp_command *const kp_commands[] = {
        &kp_cmd_list,
        NULL,
};
