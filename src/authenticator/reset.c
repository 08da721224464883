/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "internal.h"

#define RESET_WINDOW_MS 10000 /* CTAP 2.1 §6.6 */
#define LONG_TOUCH_MS 10000   /* what keys on the market ask */

/* ---- what power keeps alive, and what a factory sets ---- */

void
kp_auth_forget_session(struct kp_authenticator *key)
{
        kp_auth_next_done(key);
        kp_auth_listing_done(key);
        kp_auth_bio_forget(key);
        kp_auth_blobs_forget(key);
        kp_auth_token_end(key);
        for (int i = 0; i < 2; i++)
                kp_free_pkey(&key->pin.agreement[i]);
        key->pin.wrong = 0;
}

static bool
defaults(struct kp_authenticator *key)
{
        const struct kp_key_facts *facts = key->facts;

        OPENSSL_cleanse(key->pin_hash, sizeof(key->pin_hash));
        key->pin_set = false;
        key->pin_code_points = 0;
        key->pin_retries = KP_AUTH_PIN_RETRIES;
        key->uv_retries = (unsigned)facts->uv_retries;
        key->min_pin_length = facts->min_pin_length;
        key->force_pin_change = false;
        key->always_uv = facts->options[KP_OPTION_ALWAYS_UV] == 1;
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                kp_buf_done(&key->min_pin_rp_ids[i]);
        key->n_min_pin_rp_ids = 0;
        key->enterprise = false;
        key->long_touch = facts->long_touch_for_reset == 1;
        key->pin_complex = facts->pin_complexity_policy == 1;
        key->uv_count = 0;
        kp_auth_bio_clear(key);
        return kp_auth_blobs_clear(key) && kp_auth_identity_reset(key);
}

/* The fingers that are enrolled when a person first holds the key. */
static void
enrol_fingers(struct kp_authenticator *key)
{
        int64_t n = key->facts->fingers;

        if (n == 0 && (key->facts->options[KP_OPTION_BIO_ENROLL] == 1 ||
                              key->facts->options[KP_OPTION_UV_MGMT_PREVIEW] == 1))
                n = 1; /* the options say so */
        for (int64_t i = 0; i < n && i < KP_AUTH_BIO_MAX; i++) {
                key->bio.templates[i].id[0] = 0;
                key->bio.templates[i].id[1] = (uint8_t)(i + 1);
                key->bio.n = (size_t)i + 1;
        }
}

bool
kp_auth_factory(struct kp_authenticator *key)
{
        const char *pin = kp_authenticator_profile_test_pin(key->profile);

        if (!defaults(key))
                return false;
        if (pin != NULL)
                kp_auth_pin_store(key, (const uint8_t *)pin, strlen(pin));
        if (key->facts->pin == KP_PIN_LOCKED)
                key->pin_retries = 0;
        key->force_pin_change = key->facts->force_pin_change;
        key->enterprise =
                key->facts->enterprise || key->facts->options[KP_OPTION_EP] == 1;
        enrol_fingers(key);
        return kp_auth_store_fill(key, (size_t)key->facts->used);
}

/* ---- commands ---- */

static bool
resets_by_this_way(const struct kp_authenticator *key)
{
        const struct kp_words *ways = &key->facts->transports_for_reset;

        return ways->n == 0 || kp_words_have(ways, key->by_radio ? "nfc" : "usb");
}

/* Spec: CTAP 2.1 §6.6; transportsForReset and longTouchForReset are of CTAP 2.2 */
int
kp_auth_reset(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        enum kp_auth_touch touch;

        (void)params;
        (void)answer;
        if (!resets_by_this_way(key))
                return KP_CTAP2_ERR_OPERATION_DENIED;
        /* the window closes for a request that comes late, not for a touch that does */
        if (!key->finger.asked && key->now_ms - key->powered_ms > RESET_WINDOW_MS)
                return KP_CTAP2_ERR_NOT_ALLOWED;
        touch = kp_auth_finger_hold(key, key->long_touch ? LONG_TOUCH_MS : 0);
        if (touch == KP_AUTH_TOUCH_PENDING)
                return KP_AUTH_PENDING;
        if (touch == KP_AUTH_TOUCH_TIMEOUT)
                return KP_CTAP2_ERR_USER_ACTION_TIMEOUT;
        if (touch != KP_AUTH_TOUCH_GIVEN)
                return KP_CTAP2_ERR_OPERATION_DENIED;
        kp_auth_forget_session(key);
        kp_auth_store_clear(key);
        key->counter = 0;
        return defaults(key) ? KP_CTAP_OK : KP_CTAP1_ERR_OTHER;
}

/* Spec: CTAP 2.1 §6.9 */
int
kp_auth_selection(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        (void)params;
        (void)answer;
        switch (kp_auth_finger_touch(key)) {
        case KP_AUTH_TOUCH_PENDING:
                return KP_AUTH_PENDING;
        case KP_AUTH_TOUCH_GIVEN:
                return KP_CTAP_OK;
        case KP_AUTH_TOUCH_TIMEOUT:
                return KP_CTAP2_ERR_USER_ACTION_TIMEOUT;
        default:
                return KP_CTAP2_ERR_OPERATION_DENIED;
        }
}
