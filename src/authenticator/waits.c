/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

enum kp_waits
kp_authenticator_waits(const struct kp_authenticator *authenticator)
{
        const struct kp_auth_finger *finger = &authenticator->finger;

        if (finger->asked && finger->outcome == KP_AUTH_TOUCH_PENDING)
                return KP_WAITS_COMMAND;
        return finger->u2f_since_ms >= 0 ? KP_WAITS_POLL : KP_WAITS_NOT;
}
