/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_COMMANDS_H
#define KEYPILOT_CLI_COMMANDS_H

#include "cli.h"

/* All commands, in the order of --help. Terminated by NULL. */
extern const struct kp_command *const kp_commands[];

#endif
