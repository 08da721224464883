/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_ARGS_H
#define KEYPILOT_CLI_ARGS_H

#include "cli.h"

/* Options that every command knows. Terminated by a NULL name. */
extern const struct kp_option kp_global_options[];

/*
 * Parse what follows the command's name.
 *
 * ret      borrows `argv`; the caller frees it with kp_args_free()
 * Errors   KP_EUSAGE unknown option (the nearest is told), missing value, missing
 *          required option, too many or too few operands
 */
int kp_args_parse(const struct kp_command *command, int argc, char **argv,
        struct kp_args **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_args_free(struct kp_args **args);
const char *kp_args_get(const struct kp_args *args, const char *name);

#endif
