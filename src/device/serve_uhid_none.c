/* SPDX-License-Identifier: BSD-2-Clause */
#include "serve_internal.h"

int
kp_port_uhid(const struct kp_authenticator_profile *profile, struct kp_port *ret,
        struct kp_error *err)
{
        (void)profile;
        (void)ret;
        return KP_FAIL(err, KP_EENV,
                "only Linux has /dev/uhid; serve the key with --socket or --udp");
}
