/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/driver.h"

#include <stdlib.h>
#include <string.h>

bool
kp_key_has_version(const struct kp_key_info *info, const char *version)
{
        for (size_t i = 0; i < info->n_versions; i++)
                if (strcmp(info->versions[i], version) == 0)
                        return true;
        return false;
}

bool
kp_key_has_extension(const struct kp_key_info *info, const char *extension)
{
        for (size_t i = 0; i < info->n_extensions; i++)
                if (strcmp(info->extensions[i], extension) == 0)
                        return true;
        return false;
}

enum kp_ternary
kp_key_option(const struct kp_key_info *info, const char *option)
{
        for (size_t i = 0; i < info->n_options; i++)
                if (strcmp(info->options[i].name, option) == 0)
                        return info->options[i].value ? KP_TRUE : KP_FALSE;
        return KP_OMIT;
}

void
kp_make_reply_done(struct kp_make_reply *reply)
{
        kp_buf_done(&reply->auth_data);
        kp_buf_done(&reply->statement);
        *reply = (struct kp_make_reply){ 0 };
}

void
kp_assertion_done(struct kp_assertion *assertion)
{
        kp_buf_done(&assertion->credential_id);
        kp_buf_done(&assertion->auth_data);
        kp_buf_done(&assertion->signature);
        kp_buf_done(&assertion->user_id);
        kp_buf_wipe(&assertion->hmac_output);
        kp_buf_wipe(&assertion->cred_blob);
}

void
kp_get_reply_done(struct kp_get_reply *reply)
{
        for (size_t i = 0; i < reply->n_assertions; i++)
                kp_assertion_done(&reply->assertions[i]);
        free(reply->assertions);
        *reply = (struct kp_get_reply){ 0 };
}

void
kp_driver_close(struct kp_driver *driver)
{
        if (driver->ops != NULL)
                driver->ops->close(driver->self);
        *driver = (struct kp_driver){ 0 };
}
