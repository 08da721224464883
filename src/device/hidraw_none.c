/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/hidraw.h"

int
kp_hidraw_list(
        struct kp_hidraw_key ret[KP_HIDRAW_MAX], size_t *ret_n, struct kp_error *err)
{
        (void)ret;
        (void)err;
        *ret_n = 0;
        return 0;
}

int
kp_hidraw_open(const char *path, const volatile sig_atomic_t *interrupted,
        struct kp_seam *ret, struct kp_error *err)
{
        (void)interrupted;
        (void)ret;
        return KP_FAIL(
                err, KP_EENV, "%s: plugged-in keys can only be driven on Linux", path);
}
