/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/driver.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/device/extra.h"

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
kp_token_wipe(struct kp_token *token)
{
        OPENSSL_cleanse(token, sizeof(*token));
}

void
kp_make_reply_done(struct kp_make_reply *reply)
{
        kp_buf_done(&reply->auth_data);
        kp_buf_done(&reply->statement);
        kp_buf_wipe(&reply->large_blob_key);
        kp_buf_wipe(&reply->hmac_output);
        kp_buf_done(&reply->unsigned_outputs);
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
        kp_buf_wipe(&assertion->large_blob_key);
        kp_buf_done(&assertion->unsigned_outputs);
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

/* ---- what extra.h hands out ---- */

void
kp_rk_rps_done(struct kp_rk_rps *rps)
{
        for (size_t i = 0; i < rps->n; i++)
                kp_buf_done(&rps->items[i].id);
        free(rps->items);
        *rps = (struct kp_rk_rps){ 0 };
}

void
kp_rks_done(struct kp_rks *rks)
{
        for (size_t i = 0; i < rks->n; i++) {
                kp_buf_done(&rks->items[i].credential_id);
                kp_buf_done(&rks->items[i].user_id);
                kp_buf_done(&rks->items[i].public_key);
                kp_buf_wipe(&rks->items[i].large_blob_key);
        }
        free(rks->items);
        *rks = (struct kp_rks){ 0 };
}

void
kp_fingers_done(struct kp_fingers *fingers)
{
        for (size_t i = 0; i < fingers->n; i++) {
                kp_buf_done(&fingers->items[i].id);
                kp_buf_done(&fingers->items[i].name);
        }
        free(fingers->items);
        *fingers = (struct kp_fingers){ 0 };
}

void
kp_wire_answer_done(struct kp_wire_answer *answer)
{
        kp_buf_wipe(&answer->payload);
        kp_buf_done(&answer->frames);
        *answer = (struct kp_wire_answer){ 0 };
}

int
kp_driver_extra(
        const struct kp_driver *driver, struct kp_extra *ret, struct kp_error *err)
{
        if (driver->ops->extra == NULL)
                return KP_FAIL(err, KP_EUNSUPPORTED, "%s cannot ask for more",
                        driver->ops->name);
        return driver->ops->extra(driver->self, ret, err);
}
