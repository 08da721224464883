/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_VERSION_H
#define KEYPILOT_CLI_VERSION_H

/* keypilot and the libraries that decide verdicts, as text on stdout. */
void kp_version_print(void);

#endif
