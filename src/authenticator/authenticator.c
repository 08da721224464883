/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/authenticator/authenticator.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

bool
kp_auth_uv_ready(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_UV) == 1;
}

bool
kp_auth_protected(const struct kp_authenticator *key)
{
        return key->pin_set || kp_auth_uv_ready(key);
}

/* Fingers can be enrolled, so built-in verification comes and goes with them. */
bool
kp_auth_has_fingers(const struct kp_authenticator *key)
{
        return key->facts->options[KP_OPTION_BIO_ENROLL] >= 0 ||
               key->facts->options[KP_OPTION_UV_MGMT_PREVIEW] >= 0;
}

/* Spec: CTAP 2.1 §6.4 "Option IDs" */
int
kp_auth_option(const struct kp_authenticator *key, enum kp_key_option_id id)
{
        int value = key->facts->options[id];

        if (value < 0)
                return -1;
        switch (id) {
        case KP_OPTION_EP:
                return key->enterprise;
        case KP_OPTION_CLIENT_PIN:
                return key->pin_set;
        case KP_OPTION_ALWAYS_UV:
                return key->always_uv;
        case KP_OPTION_UV:
                return kp_auth_has_fingers(key) ? key->bio.n > 0 : value;
        case KP_OPTION_BIO_ENROLL:
        case KP_OPTION_UV_MGMT_PREVIEW:
                return key->bio.n > 0;
        case KP_OPTION_MAKE_CRED_UV_NOT_RQD:
                /* CTAP 2.1 §7.2: while alwaysUv is on, it is false; so a model that
                 * came with alwaysUv on does not tell what it would be without */
                return !key->always_uv &&
                       (value == 1 || key->facts->options[KP_OPTION_ALWAYS_UV] == 1);
        default:
                return value;
        }
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
has_bio(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_BIO_ENROLL) >= 0;
}

static bool
has_bio_preview(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_UV_MGMT_PREVIEW) >= 0;
}

static bool
has_large_blobs(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_LARGE_BLOBS) == 1;
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
        { KP_CTAP_BIO_ENROLLMENT,                true,  kp_auth_bio_enrollment,        has_bio },
        { KP_CTAP_CREDENTIAL_MANAGEMENT,         true,  kp_auth_credential_management, has_management },
        { KP_CTAP_SELECTION,                     false, kp_auth_selection,             has_selection },
        { KP_CTAP_LARGE_BLOBS,                   true,  kp_auth_large_blobs,           has_large_blobs },
        { KP_CTAP_CONFIG,                        true,  kp_auth_config,                has_config },
        { KP_CTAP_BIO_ENROLLMENT_PREVIEW,        true,  kp_auth_bio_enrollment,        has_bio_preview },
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

/*
 * Any other command ends what goes on in parts: a key may count on each part coming
 * right after the one before. An enrolment goes on: a person may take longer over ten
 * samples than a token lasts. Spec: CTAP 2.1 §6 "stateful commands"
 */
static void
end_sequences(struct kp_authenticator *key, uint8_t code)
{
        if (code != KP_CTAP_GET_NEXT_ASSERTION)
                kp_auth_next_done(key);
        if (!is_management(code))
                kp_auth_listing_done(key);
        if (code != KP_CTAP_LARGE_BLOBS)
                kp_auth_blobs_forget(key);
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
        kp_auth_token_age(key);
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

/* ---- answers that go wrong ---- */

/* The pairs of the answer's map, last one first. */
static void
reverse(struct kp_authenticator *key, struct kp_buf *answer)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf reversed = { 0 };
        size_t n;

        if (kp_cbor_parse(answer->data + 1, answer->len - 1, KP_CBOR_CTAP2, &map, NULL,
                    &key->err) < 0 ||
                !kp_cbor_is_map(map, &n))
                return;
        kp_buf_put_u8(&reversed, answer->data[0]);
        kp_cbor_put_map(&reversed, n);
        for (size_t i = n; i > 0; i--) {
                kp_cbor_put_item(&reversed, cbor_map_handle(map)[i - 1].key);
                kp_cbor_put_item(&reversed, cbor_map_handle(map)[i - 1].value);
        }
        kp_buf_clear(answer);
        kp_buf_put(answer, reversed.data, reversed.len);
        answer->failed = answer->failed || reversed.failed;
}

static void
answer_faults(struct kp_authenticator *key, struct kp_buf *answer)
{
        static const uint8_t zeroes[KP_CTAPHID_MAX_MESSAGE];
        int64_t value = 0;
        size_t n;

        if (answer->len > 1) { /* there is CBOR to damage */
                if (kp_auth_fault(key, KP_POINT_ANSWER_NON_CANONICAL, NULL))
                        reverse(key, answer);
                if (kp_auth_fault(key, KP_POINT_ANSWER_TRUNCATED, &value)) {
                        n = value < 1 ? 1 : (size_t)value;
                        answer->len = n < answer->len ? answer->len - n : 1;
                }
                if (kp_auth_fault(key, KP_POINT_ANSWER_OVERSIZED, &value)) {
                        n = value < 1 ? 1 : (size_t)value;
                        kp_buf_put(answer, zeroes,
                                n < sizeof(zeroes) ? n : sizeof(zeroes));
                }
        }
        if (kp_auth_fault(key, KP_POINT_WRONG_STATUS, &value)) {
                kp_buf_clear(answer);
                kp_buf_put_u8(answer, (uint8_t)value);
        }
}

/* ---- one message ---- */

bool
kp_auth_is_silent(const struct kp_authenticator *key)
{
        return key->keeper_failed || key->faults.unplugged || key->hid.pulled;
}

bool
kp_auth_command(struct kp_authenticator *key, uint32_t channel, const uint8_t *message,
        size_t message_len, struct kp_buf *answer)
{
        int status, kept;

        key->channel = channel;
        key->by_radio = channel == KP_AUTH_NFC_CHANNEL;
        key->command = message_len > 0 ? message[0] : 0;
        kp_buf_clear(answer);
        kp_buf_put_u8(answer, KP_CTAP_OK);
        status = command_run(key, message, message_len, answer);
        if (status == KP_AUTH_PENDING)
                return false;
        kp_auth_finger_forget(key);
        if ((kept = kp_auth_keep_changes(key)) != KP_CTAP_OK)
                status = kept;
        if (answer->failed) {
                kp_buf_wipe(answer);
                status = KP_CTAP1_ERR_OTHER;
        }
        if (status != KP_CTAP_OK) {
                kp_buf_clear(answer);
                kp_buf_put_u8(answer, (uint8_t)status);
        }
        answer_faults(key, answer);
        return true;
}

/* ---- life ---- */

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
        key->ctap21 = kp_words_have(versions, "FIDO_2_1") ||
                      kp_words_have(versions, "FIDO_2_2") ||
                      kp_words_have(versions, "FIDO_2_3");
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
        kp_auth_nfc_done(key);
        kp_auth_store_clear(key);
        free(key->store.items);
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                kp_buf_done(&key->min_pin_rp_ids[i]);
        kp_auth_bio_clear(key);
        kp_buf_done(&key->blobs.array);
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
        kp_auth_nfc_done(authenticator);
        kp_auth_finger_forget(authenticator);
        authenticator->finger.u2f_since_ms = -1;
        authenticator->keeper_failed = authenticator->faults.unplugged = false;
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
        if (!kp_auth_is_silent(authenticator))
                kp_auth_hid_feed(authenticator, report);
}

/* Step from event to event, so that a long jump sends what short ones would send. */
void
kp_authenticator_tick(struct kp_authenticator *authenticator, int64_t now_ms)
{
        int64_t next;

        while (!kp_auth_is_silent(authenticator) &&
                (next = kp_auth_hid_next_ms(authenticator)) >= 0 && next <= now_ms) {
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

        if (kp_auth_is_silent(authenticator))
                return -1;
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

        if (authenticator->faults.unplugged || hid->out_at >= hid->out.len)
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
        if (!authenticator->ctap2 || kp_auth_is_silent(authenticator)) {
                kp_buf_clear(answer);
                kp_buf_put_u8(answer, authenticator->ctap2
                                              ? KP_CTAP1_ERR_OTHER
                                              : KP_CTAP1_ERR_INVALID_COMMAND);
                return;
        }
        authenticator->command = message_len > 0 ? message[0] : 0;
        kp_auth_faults_begin(authenticator);
        while (!kp_auth_command(authenticator, 0, message, message_len, answer)) {
                move_clock(authenticator, kp_auth_finger_next_ms(authenticator));
                kp_auth_finger_tick(authenticator);
        }
}
