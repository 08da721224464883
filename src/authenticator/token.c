/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "internal.h"

/*
 * The pinUvAuthToken. Each protocol has one, and beginning to use one ends the others,
 * so one that knows its protocol is enough. Spec: CTAP 2.1 §6.5.2.1
 */
#define INITIAL_USE_MS 30000     /* over USB: used within this time, or over */
#define INITIAL_USE_NFC_MS 19800 /* by radio; also how long the user is present */
#define LIFETIME_MS 600000

void
kp_auth_token_begin(struct kp_authenticator *key, int protocol, bool user_present)
{
        struct kp_auth_token *token = &key->pin.token;
        bool plain = key->facts->options[KP_OPTION_PIN_UV_AUTH_TOKEN] != 1;

        /* CTAP 2.0 §5.5.2: made at power-up and the same until the next one */
        if (token->in_use && token->plain && plain) {
                token->protocol = protocol;
                return;
        }
        kp_auth_token_end(key);
        kp_random_bytes(key->random, token->bytes, sizeof(token->bytes));
        token->in_use = true;
        token->plain = plain;
        token->protocol = protocol;
        token->user_present = user_present;
        token->user_verified = true;
        token->since_ms = key->now_ms;
        token->limit_ms = key->by_radio ? INITIAL_USE_NFC_MS : INITIAL_USE_MS;
}

/* What the token began and has not finished ends with it. Spec: CTAP 2.1 §6 "stateful
 * commands" */
void
kp_auth_token_end(struct kp_authenticator *key)
{
        if (key->pin.token.in_use) {
                if ((key->next.flags & KP_AUTHDATA_UV) && !key->next.built_in)
                        kp_auth_next_done(key);
                if (!key->listing.persistent)
                        kp_auth_listing_done(key);
                if (key->blobs.authenticated)
                        kp_auth_blobs_forget(key);
        }
        OPENSSL_cleanse(&key->pin.token, sizeof(key->pin.token));
}

/* pinUvAuthTokenUsageTimerObserver: what ran out while nobody looked. */
void
kp_auth_token_age(struct kp_authenticator *key)
{
        struct kp_auth_token *token = &key->pin.token;
        int64_t age = key->now_ms - token->since_ms;

        if (!token->in_use || token->plain)
                return;
        if (age > token->limit_ms)
                token->user_present = false;
        if (age > LIFETIME_MS || (!token->used && age > token->limit_ms))
                kp_auth_token_end(key);
}

bool
kp_auth_token_verify(struct kp_authenticator *key, int protocol, const void *message,
        size_t message_len, const uint8_t *param, size_t param_len)
{
        struct kp_auth_token *token = &key->pin.token;

        kp_auth_token_age(key);
        if (!token->in_use || token->protocol != protocol ||
                !kp_pin_verify(protocol, token->bytes, sizeof(token->bytes), message,
                        message_len, param, param_len))
                return false;
        token->used = true;
        return true;
}

bool
kp_auth_token_allows(const struct kp_authenticator *key, uint8_t permission)
{
        const struct kp_auth_token *token = &key->pin.token;

        return token->plain || ((token->permissions & permission) == permission &&
                                       token->user_verified);
}

bool
kp_auth_token_fits(
        const struct kp_authenticator *key, const uint8_t rp_id_hash[KP_AUTH_HASH_LEN])
{
        const struct kp_auth_token *token = &key->pin.token;

        return !token->has_rp ||
               memcmp(token->rp_id_hash, rp_id_hash, KP_AUTH_HASH_LEN) == 0;
}

void
kp_auth_token_bind(
        struct kp_authenticator *key, const uint8_t rp_id_hash[KP_AUTH_HASH_LEN])
{
        struct kp_auth_token *token = &key->pin.token;

        if (token->plain || token->has_rp)
                return;
        token->has_rp = true;
        memcpy(token->rp_id_hash, rp_id_hash, KP_AUTH_HASH_LEN);
}

bool
kp_auth_token_user_present(struct kp_authenticator *key)
{
        kp_auth_token_age(key);
        return key->pin.token.in_use && key->pin.token.user_present;
}

void
kp_auth_token_spend(struct kp_authenticator *key)
{
        struct kp_auth_token *token = &key->pin.token;

        if (!token->in_use || token->plain)
                return;
        token->user_present = false;
        token->user_verified = false;
        token->permissions &= KP_CTAP_PERM_LBW;
}
