/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SRC_CLIENT_THROW_H
#define KEYPILOT_SRC_CLIENT_THROW_H

#include "keypilot/client/client.h"

/*
 * Steps of a ceremony return 0 to go on, KP_THROWN after they filled the exception, or
 * -1 with an error of the harness: if ((r = step(...)) != 0) return r;
 */
#define KP_THROWN 1

/* Fill the exception that belongs to the reason's word. Always KP_THROWN. */
int kp_throw(struct kp_exception *exception, const char *reason, uint8_t ctap,
        const char *format, ...) KP_PRINTF(4, 5);

/* The sentence that browsers show for everything that a site must not learn. */
#define KP_NOT_ALLOWED_TEXT "The request timed out or was not allowed."

#endif
