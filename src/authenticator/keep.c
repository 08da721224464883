/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "internal.h"

/*
 * Whoever keeps the key's memory hears of every change before the key says a word. What
 * has changed is found by comparing all that kp_authenticator_save() writes with what
 * was kept last: no command can change something and forget to say so.
 */

static int
digest(const struct kp_authenticator *key, uint8_t ret[KP_AUTH_HASH_LEN],
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf text = { 0 };
        json_auto_t *state = NULL;

        if (kp_authenticator_save(key, &state, err) < 0 ||
                kp_json_write(state, &text, err) < 0 || kp_buf_check(&text, err) < 0)
                return -1;
        kp_auth_hash(text.data, text.len, ret);
        return 0;
}

void
kp_authenticator_set_keeper(struct kp_authenticator *authenticator,
        int (*keep)(void *self, struct kp_error *err), void *self)
{
        authenticator->keep = keep;
        authenticator->keeper = self;
        authenticator->keeper_failed = false;
        authenticator->has_kept = false;
}

/* `now` is the digest of what is kept; NULL: it could not be had. */
static int
keep(struct kp_authenticator *key, const uint8_t *now)
{
        if (!key->keeper_failed && now != NULL &&
                key->keep(key->keeper, &key->err) == 0) {
                memcpy(key->kept, now, sizeof(key->kept));
                key->has_kept = true;
                return KP_CTAP_OK;
        }
        key->keeper_failed = true;
        return KP_CTAP1_ERR_OTHER;
}

int
kp_auth_keep(struct kp_authenticator *key)
{
        uint8_t now[KP_AUTH_HASH_LEN];

        if (key->keep == NULL)
                return KP_CTAP_OK;
        return keep(key, digest(key, now, &key->err) == 0 ? now : NULL);
}

int
kp_auth_keep_changes(struct kp_authenticator *key)
{
        uint8_t now[KP_AUTH_HASH_LEN];
        bool told;

        if (key->keep == NULL)
                return KP_CTAP_OK;
        told = digest(key, now, &key->err) == 0;
        if (!key->keeper_failed && key->has_kept && told &&
                memcmp(now, key->kept, sizeof(now)) == 0)
                return KP_CTAP_OK;
        return keep(key, told ? now : NULL);
}
