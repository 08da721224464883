/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/authenticator/authenticator.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define RESET_WINDOW_MS 10000 /* CTAP 2.1 §6.6 */

bool
kp_auth_uv_ready(const struct kp_authenticator *key)
{
        return key->facts->options[KP_OPTION_UV] == 1;
}

bool
kp_auth_protected(const struct kp_authenticator *key)
{
        return key->pin_set || kp_auth_uv_ready(key);
}

/* Options whose commands a simulated key does not have are not told. */
static bool
is_simulated(enum kp_key_option_id id)
{
        return id != KP_OPTION_EP && id != KP_OPTION_LARGE_BLOBS &&
               id != KP_OPTION_BIO_ENROLL && id != KP_OPTION_UV_BIO_ENROLL &&
               id != KP_OPTION_UV_MGMT_PREVIEW;
}

int
kp_auth_option(const struct kp_authenticator *key, enum kp_key_option_id id)
{
        int value = key->facts->options[id];

        if (value < 0 || !is_simulated(id))
                return -1;
        if (id == KP_OPTION_CLIENT_PIN)
                return key->pin_set;
        if (id == KP_OPTION_ALWAYS_UV)
                return key->always_uv;
        /* CTAP 2.1 §7.2: while alwaysUv is on, makeCredUvNotRqd is false */
        if (id == KP_OPTION_MAKE_CRED_UV_NOT_RQD && key->always_uv)
                return 0;
        return value;
}

/* ---- commands ---- */

static bool
has_pin_command(const struct kp_authenticator *key)
{
        return key->facts->n_pin_protocols > 0;
}

static bool
has_management(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_CRED_MGMT) == 1;
}

static bool
has_management_preview(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_CRED_MGMT_PREVIEW) == 1;
}

static bool
has_config(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_AUTHNR_CFG) == 1;
}

static bool
has_selection(const struct kp_authenticator *key)
{
        return key->ctap21;
}

/* Spec table: CTAP 2.1 §6 "Authenticator API", in order of code. */
/* clang-format off */
static const struct command {
        uint8_t code;
        bool has_params;
        int (*run)(struct kp_authenticator *key, const cbor_item_t *params,
                struct kp_buf *answer);
        bool (*exists)(const struct kp_authenticator *key); /* NULL: all CTAP2 keys */
} commands[] = {
        { KP_CTAP_MAKE_CREDENTIAL,               true,  kp_auth_make_credential,       NULL },
        { KP_CTAP_GET_ASSERTION,                 true,  kp_auth_get_assertion,         NULL },
        { KP_CTAP_GET_INFO,                      false, kp_auth_get_info,              NULL },
        { KP_CTAP_CLIENT_PIN,                    true,  kp_auth_client_pin,            has_pin_command },
        { KP_CTAP_RESET,                         false, kp_auth_reset,                 NULL },
        { KP_CTAP_GET_NEXT_ASSERTION,            false, kp_auth_get_next_assertion,    NULL },
        { KP_CTAP_CREDENTIAL_MANAGEMENT,         true,  kp_auth_credential_management, has_management },
        { KP_CTAP_SELECTION,                     false, kp_auth_selection,             has_selection },
        { KP_CTAP_CONFIG,                        true,  kp_auth_config,                has_config },
        { KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW, true,  kp_auth_credential_management, has_management_preview },
};
/* clang-format on */

static const struct command *
command_find(const struct kp_authenticator *key, uint8_t code)
{
        for (size_t i = 0; i < KP_NELEMS(commands); i++)
                if (commands[i].code == code)
                        return commands[i].exists == NULL || commands[i].exists(key)
                                       ? &commands[i]
                                       : NULL;
        return NULL;
}

static bool
is_management(uint8_t code)
{
        return code == KP_CTAP_CREDENTIAL_MANAGEMENT ||
               code == KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW;
}

/* Any other command ends what is told in parts. Spec: CTAP 2.1 §6.3, §6.8 */
static void
end_sequences(struct kp_authenticator *key, uint8_t code)
{
        if (code != KP_CTAP_GET_NEXT_ASSERTION)
                kp_auth_next_done(key);
        if (!is_management(code))
                kp_auth_listing_done(key);
}

static int
command_run(struct kp_authenticator *key, const uint8_t *message, size_t message_len,
        struct kp_buf *answer)
{
        const struct command *command;
        KP_CLEANUP(kp_free_cbor) cbor_item_t *params = NULL;
        size_t n;

        if (message_len == 0)
                return KP_CTAP1_ERR_INVALID_LENGTH;
        if ((command = command_find(key, message[0])) == NULL)
                return KP_CTAP1_ERR_INVALID_COMMAND;
        if (key->facts->max_msg_size > 0 &&
                message_len > (size_t)key->facts->max_msg_size)
                return KP_CTAP2_ERR_REQUEST_TOO_LARGE;
        end_sequences(key, message[0]);
        if (!command->has_params)
                return command->run(key, NULL, answer);
        if (message_len == 1)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if (kp_cbor_parse(message + 1, message_len - 1, KP_CBOR_CTAP2, &params, NULL,
                    &key->err) < 0)
                return KP_CTAP2_ERR_INVALID_CBOR;
        if (!kp_cbor_is_map(params, &n))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        return command->run(key, params, answer);
}

bool
kp_auth_command(struct kp_authenticator *key, uint32_t channel, const uint8_t *message,
        size_t message_len, struct kp_buf *answer)
{
        int status;

        key->channel = channel;
        kp_buf_clear(answer);
        kp_buf_put_u8(answer, KP_CTAP_OK);
        status = command_run(key, message, message_len, answer);
        if (status == KP_AUTH_PENDING)
                return false;
        kp_auth_finger_forget(key);
        if (answer->failed) {
                kp_buf_wipe(answer);
                status = KP_CTAP1_ERR_OTHER;
        }
        if (status != KP_CTAP_OK) {
                kp_buf_clear(answer);
                kp_buf_put_u8(answer, (uint8_t)status);
        }
        return true;
}

/* Spec: CTAP 2.1 §6.6 */
int
kp_auth_reset(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        enum kp_auth_touch touch;

        (void)params;
        (void)answer;
        /* the window closes for a request that comes late, not for a touch that does */
        if (!key->finger.asked && key->now_ms - key->powered_ms > RESET_WINDOW_MS)
                return KP_CTAP2_ERR_NOT_ALLOWED;
        touch = kp_auth_finger_touch(key);
        if (touch == KP_AUTH_TOUCH_PENDING)
                return KP_AUTH_PENDING;
        if (touch == KP_AUTH_TOUCH_TIMEOUT)
                return KP_CTAP2_ERR_USER_ACTION_TIMEOUT;
        if (touch != KP_AUTH_TOUCH_GIVEN)
                return KP_CTAP2_ERR_OPERATION_DENIED;
        kp_auth_store_clear(key);
        key->counter = 0;
        OPENSSL_cleanse(key->pin_hash, sizeof(key->pin_hash));
        key->pin_set = false;
        key->pin_code_points = 0;
        key->pin_retries = KP_AUTH_PIN_RETRIES;
        key->uv_retries = (unsigned)key->facts->uv_retries;
        key->min_pin_length = key->facts->min_pin_length;
        key->force_pin_change = false;
        key->always_uv = key->facts->options[KP_OPTION_ALWAYS_UV] == 1;
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                kp_buf_done(&key->min_pin_rp_ids[i]);
        key->n_min_pin_rp_ids = 0;
        kp_auth_forget_session(key);
        return KP_CTAP_OK;
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

/* ---- life ---- */

void
kp_auth_forget_session(struct kp_authenticator *key)
{
        kp_auth_next_done(key);
        kp_auth_listing_done(key);
        kp_auth_token_end(key);
        for (int i = 0; i < 2; i++)
                kp_free_pkey(&key->pin.agreement[i]);
        key->pin.wrong = 0;
}

bool
kp_auth_factory(struct kp_authenticator *key)
{
        const char *pin = kp_authenticator_profile_test_pin(key->profile);

        key->pin_retries = KP_AUTH_PIN_RETRIES;
        key->uv_retries = (unsigned)key->facts->uv_retries;
        key->min_pin_length = key->facts->min_pin_length;
        key->always_uv = key->facts->options[KP_OPTION_ALWAYS_UV] == 1;
        if (pin != NULL)
                kp_auth_pin_store(key, (const uint8_t *)pin, strlen(pin));
        if (key->facts->pin == KP_PIN_LOCKED)
                key->pin_retries = 0;
        key->force_pin_change = key->facts->force_pin_change;
        return kp_auth_store_fill(key, (size_t)key->facts->used);
}

int
kp_authenticator_new(const struct kp_authenticator_profile *profile,
        struct kp_random *random, int64_t now_ms, struct kp_authenticator **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_authenticator_free)
        struct kp_authenticator *key = calloc(1, sizeof(*key));
        const struct kp_words *versions;

        if (key == NULL)
                return KP_FAIL(err, KP_ENOMEM, "simulated key");
        key->profile = profile;
        key->facts = kp_authenticator_profile_facts(profile);
        key->random = random;
        key->now_ms = key->powered_ms = now_ms;
        key->finger.u2f_since_ms = -1;
        key->finger.verification = true; /* the right person unless told otherwise */
        versions = &key->facts->versions;
        key->u2f = kp_words_have(versions, "U2F_V2");
        key->ctap21 = kp_words_have(versions, "FIDO_2_1");
        key->ctap2 = key->ctap21 || kp_words_have(versions, "FIDO_2_0") ||
                     kp_words_have(versions, "FIDO_2_1_PRE");
        if (!kp_auth_factory(key))
                return KP_FAIL(err, KP_ENOMEM, "simulated key");
        *ret = KP_STEAL(key);
        return 0;
}

void
kp_authenticator_free(struct kp_authenticator **authenticator)
{
        struct kp_authenticator *key = *authenticator;

        if (key == NULL)
                return;
        kp_auth_forget_session(key);
        kp_auth_hid_done(key);
        kp_auth_store_clear(key);
        free(key->store.items);
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                kp_buf_done(&key->min_pin_rp_ids[i]);
        OPENSSL_cleanse(key, sizeof(*key));
        free(key);
        *authenticator = NULL;
}

void
kp_authenticator_power_cycle(struct kp_authenticator *authenticator, int64_t now_ms)
{
        authenticator->now_ms = authenticator->powered_ms = now_ms;
        kp_auth_forget_session(authenticator);
        kp_auth_hid_done(authenticator);
        kp_auth_finger_forget(authenticator);
        authenticator->finger.u2f_since_ms = -1;
}

static void
move_clock(struct kp_authenticator *key, int64_t now_ms)
{
        if (now_ms > key->now_ms)
                key->now_ms = now_ms;
}

void
kp_authenticator_feed(struct kp_authenticator *authenticator,
        const uint8_t report[KP_CTAPHID_REPORT], int64_t now_ms)
{
        kp_authenticator_tick(authenticator, now_ms);
        kp_auth_hid_feed(authenticator, report);
}

/* Step from event to event, so that a long jump sends what short ones would send. */
void
kp_authenticator_tick(struct kp_authenticator *authenticator, int64_t now_ms)
{
        int64_t next;

        while ((next = kp_auth_hid_next_ms(authenticator)) >= 0 && next <= now_ms) {
                move_clock(authenticator, next);
                kp_auth_hid_tick(authenticator);
        }
        move_clock(authenticator, now_ms);
}

int64_t
kp_authenticator_next_event_ms(const struct kp_authenticator *authenticator)
{
        int64_t next = kp_auth_hid_next_ms(authenticator);
        const struct kp_auth_finger *finger = &authenticator->finger;
        int64_t touch = finger->u2f_since_ms + finger->after_ms;

        /* a polled U2F key does nothing by itself, but the finger is on its way */
        if (next < 0 && finger->u2f_since_ms >= 0 &&
                finger->finger == KP_FINGER_TOUCHES && touch > authenticator->now_ms)
                next = touch;
        return next;
}

bool
kp_authenticator_next_report(
        struct kp_authenticator *authenticator, uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_auth_hid *hid = &authenticator->hid;

        if (hid->out_at >= hid->out.len)
                return false;
        memcpy(report, hid->out.data + hid->out_at, KP_CTAPHID_REPORT);
        hid->out_at += KP_CTAPHID_REPORT;
        if (hid->out_at == hid->out.len) {
                kp_buf_clear(&hid->out);
                hid->out_at = 0;
        }
        return true;
}

void
kp_authenticator_message(struct kp_authenticator *authenticator, const uint8_t *message,
        size_t message_len, struct kp_buf *answer)
{
        if (!authenticator->ctap2) {
                kp_buf_clear(answer);
                kp_buf_put_u8(answer, KP_CTAP1_ERR_INVALID_COMMAND);
                return;
        }
        while (!kp_auth_command(authenticator, 0, message, message_len, answer)) {
                move_clock(authenticator, kp_auth_finger_next_ms(authenticator));
                kp_auth_finger_tick(authenticator);
        }
}
