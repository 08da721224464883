/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <string.h>

#include "internal.h"
#include "state.h"

/*
 * The key's memory, read again. Strict: what is unknown, missing or impossible is
 * refused by name. Shape: fixtures/schema/key-state.schema.json
 */
#define FORMAT 1
#define BLOBS_MIN 17
#define BLOBS_TRAILER 16

static int
load_pin(struct kp_authenticator *key, json_t *pin, struct kp_error *err)
{
        struct pin {
                const char *hash;
                int64_t code_points;
                bool must_change;
        } text = { 0 };
        static const struct kp_field fields[] = {
                { "hash", KP_STRING, true, offsetof(struct pin, hash) },
                { "code_points", KP_INT, true, offsetof(struct pin, code_points) },
                { "must_change", KP_BOOL, false, offsetof(struct pin, must_change) },
        };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf hash = { 0 };

        key->pin_set = key->force_pin_change = false;
        if (json_is_null(pin))
                return 0;
        if (kp_auth_option(key, KP_OPTION_CLIENT_PIN) < 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'pin': expected null, the key has none");
        if (kp_json_read(pin, fields, KP_NELEMS(fields), &text, err) < 0 ||
                kp_state_bytes("hash", text.hash, KP_AUTH_PIN_HASH_LEN,
                        KP_AUTH_PIN_HASH_LEN, &hash, err) < 0 ||
                kp_state_range("code_points", text.code_points, 4, 63, err) < 0)
                return KP_WHILE(err, "member 'pin'");
        memcpy(key->pin_hash, hash.data, KP_AUTH_PIN_HASH_LEN);
        key->pin_set = true;
        key->pin_code_points = text.code_points;
        key->force_pin_change = text.must_change;
        return 0;
}

static int
load_rp_ids(struct kp_authenticator *key, const json_t *list, struct kp_error *err)
{
        size_t i;
        json_t *item;

        if (json_array_size(list) > (size_t)key->facts->max_min_pin_rp_ids ||
                json_array_size(list) > KP_AUTH_RP_IDS_MAX)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'min_pin_length_rp_ids': more than the key can keep");
        json_array_foreach (list, i, item) {
                kp_buf_puts(&key->min_pin_rp_ids[i], json_string_value(item));
                key->n_min_pin_rp_ids = i + 1;
                if (kp_buf_check(&key->min_pin_rp_ids[i], err) < 0)
                        return -1;
        }
        return 0;
}

static int
load_finger(const json_t *object, struct kp_auth_template *ret, struct kp_error *err)
{
        struct finger {
                const char *id, *name;
        } text = { 0 };
        static const struct kp_field fields[] = {
                { "id", KP_STRING, true, offsetof(struct finger, id) },
                { "name", KP_STRING, false, offsetof(struct finger, name) },
        };
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        if (kp_json_read(object, fields, KP_NELEMS(fields), &text, err) < 0 ||
                kp_state_bytes(
                        "id", text.id, sizeof(ret->id), sizeof(ret->id), &id, err) < 0)
                return -1;
        memcpy(ret->id, id.data, sizeof(ret->id));
        if (text.name != NULL)
                kp_buf_puts(&ret->name, text.name);
        return kp_buf_check(&ret->name, err);
}

static int
load_fingers(struct kp_authenticator *key, const json_t *list, struct kp_error *err)
{
        int64_t most = key->facts->bio_templates;
        size_t i;
        json_t *item;

        if (list == NULL)
                return 0;
        if (!kp_auth_has_fingers(key))
                return KP_FAIL(err, KP_ESCHEMA, "member 'fingers': the key has none");
        if (json_array_size(list) > KP_AUTH_BIO_MAX ||
                (most > 0 && json_array_size(list) > (size_t)most))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'fingers': more than the key can keep");
        kp_auth_bio_clear(key);
        json_array_foreach (list, i, item) {
                key->bio.n = i + 1;
                if (load_finger(item, &key->bio.templates[i], err) < 0)
                        return KP_WHILE(err, "member 'fingers[%zu]'", i);
                for (size_t k = 0; k < i; k++)
                        if (memcmp(key->bio.templates[k].id, key->bio.templates[i].id,
                                    sizeof(key->bio.templates[i].id)) == 0)
                                return KP_FAIL(err, KP_ESCHEMA,
                                        "member 'fingers[%zu]': the same id twice", i);
        }
        return 0;
}

/* The serialized array, its trailer right. Spec: CTAP 2.1 §6.10 */
static int
load_blobs(struct kp_authenticator *key, const char *text, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf array = { 0 };
        uint8_t hash[KP_AUTH_HASH_LEN];

        if (text == NULL)
                return 0;
        if (kp_auth_option(key, KP_OPTION_LARGE_BLOBS) != 1)
                return KP_FAIL(
                        err, KP_ESCHEMA, "member 'large_blobs': the key has none");
        if (kp_state_bytes("large_blobs", text, BLOBS_MIN,
                    (size_t)key->facts->max_large_blob, &array, err) < 0)
                return -1;
        kp_auth_hash(array.data, array.len - BLOBS_TRAILER, hash);
        if (memcmp(array.data + array.len - BLOBS_TRAILER, hash, BLOBS_TRAILER) != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'large_blobs': expected the first 16 bytes of its "
                        "SHA-256 at the end");
        kp_buf_done(&key->blobs.array);
        key->blobs.array = array;
        array = (struct kp_buf){ 0 };
        return 0;
}

static int
load_identity(struct kp_authenticator *key, const json_t *object, struct kp_error *err)
{
        struct identity {
                const char *device, *store, *token;
                bool granted;
        } text = { 0 };
        static const struct kp_field fields[] = {
                { "device", KP_STRING, true, offsetof(struct identity, device) },
                { "store", KP_STRING, true, offsetof(struct identity, store) },
                { "token", KP_STRING, true, offsetof(struct identity, token) },
                { "granted", KP_BOOL, false, offsetof(struct identity, granted) },
        };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf device = { 0 };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf store = { 0 };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf token = { 0 };

        if (object == NULL)
                return 0;
        if (!kp_auth_has_identity(key))
                return KP_FAIL(err, KP_ESCHEMA, "member 'identity': the key has none");
        if (kp_json_read(object, fields, KP_NELEMS(fields), &text, err) < 0 ||
                kp_state_bytes("device", text.device, 16, 16, &device, err) < 0 ||
                kp_state_bytes("store", text.store, 16, 16, &store, err) < 0 ||
                kp_state_bytes("token", text.token, 32, 32, &token, err) < 0)
                return KP_WHILE(err, "member 'identity'");
        memcpy(key->device_identifier, device.data, device.len);
        memcpy(key->store_state, store.data, store.len);
        memcpy(key->persistent_token, token.data, token.len);
        key->persistent_granted = text.granted;
        return 0;
}

struct state_text {
        int64_t format, counter, pin_retries, uv_retries, min_pin_length, uv_count;
        const char *profile, *large_blobs;
        json_t *pin, *credentials, *rp_ids, *fingers, *identity;
        bool always_uv, enterprise, long_touch, pin_complex;
};

#define STATE_AT(member) offsetof(struct state_text, member)

/* clang-format off */
static const struct kp_field state_fields[] = {
        { "format", KP_INT, true, STATE_AT(format) },
        { "profile", KP_STRING, true, STATE_AT(profile) },
        { "counter", KP_INT, false, STATE_AT(counter) },
        { "pin", KP_ANY, true, STATE_AT(pin) },
        { "pin_retries", KP_INT, false, STATE_AT(pin_retries) },
        { "uv_retries", KP_INT, false, STATE_AT(uv_retries) },
        { "min_pin_length", KP_INT, false, STATE_AT(min_pin_length) },
        { "min_pin_length_rp_ids", KP_STRINGS, false, STATE_AT(rp_ids) },
        { "always_uv", KP_BOOL, false, STATE_AT(always_uv) },
        { "enterprise_attestation", KP_BOOL, false, STATE_AT(enterprise) },
        { "long_touch_for_reset", KP_BOOL, false, STATE_AT(long_touch) },
        { "pin_complexity_policy", KP_BOOL, false, STATE_AT(pin_complex) },
        { "large_blobs", KP_STRING, false, STATE_AT(large_blobs) },
        { "fingers", KP_ARRAY, false, STATE_AT(fingers) },
        { "uv_count", KP_INT, false, STATE_AT(uv_count) },
        { "identity", KP_OBJECT, false, STATE_AT(identity) },
        { "credentials", KP_ARRAY, true, STATE_AT(credentials) },
};
/* clang-format on */

/* Settings that only some models have: on where there is nothing to switch is wrong. */
static int
load_settings(struct kp_authenticator *key, const struct state_text *text,
        struct kp_error *err)
{
        const struct kp_key_facts *facts = key->facts;
        const struct {
                const char *member;
                bool on, exists;
                bool *ret;
        } settings[] = {
                { "always_uv", text->always_uv,
                        facts->options[KP_OPTION_ALWAYS_UV] >= 0, &key->always_uv },
                { "enterprise_attestation", text->enterprise,
                        facts->options[KP_OPTION_EP] >= 0, &key->enterprise },
                { "long_touch_for_reset", text->long_touch,
                        facts->long_touch_for_reset >= 0, &key->long_touch },
                { "pin_complexity_policy", text->pin_complex,
                        facts->pin_complexity_policy >= 0, &key->pin_complex },
        };

        for (size_t i = 0; i < KP_NELEMS(settings); i++) {
                if (settings[i].on && !settings[i].exists)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member '%s': the key does not have it",
                                settings[i].member);
                *settings[i].ret = settings[i].on;
        }
        return 0;
}

static int
load_numbers(struct kp_authenticator *key, const struct state_text *text,
        struct kp_error *err)
{
        const struct kp_key_facts *facts = key->facts;

        if (kp_state_range("format", text->format, FORMAT, FORMAT, err) < 0 ||
                kp_state_range("counter", text->counter, 0, UINT32_MAX, err) < 0 ||
                kp_state_range("pin_retries", text->pin_retries, 0, KP_AUTH_PIN_RETRIES,
                        err) < 0 ||
                kp_state_range("uv_retries", text->uv_retries, 0, facts->uv_retries,
                        err) < 0 ||
                kp_state_range("uv_count", text->uv_count, 0, UINT32_MAX, err) < 0 ||
                kp_state_range("min_pin_length", text->min_pin_length,
                        facts->min_pin_length, 63, err) < 0)
                return -1;
        key->counter = (uint32_t)text->counter;
        key->pin_retries = (unsigned)text->pin_retries;
        key->uv_retries = (unsigned)text->uv_retries;
        key->uv_count = (unsigned)text->uv_count;
        key->min_pin_length = text->min_pin_length;
        return 0;
}

/* What an older file does not say is as on a new key. */
static int
load_into(struct kp_authenticator *key, const json_t *state, struct kp_error *err)
{
        struct state_text text = {
                .pin_retries = KP_AUTH_PIN_RETRIES,
                .uv_retries = key->facts->uv_retries,
                .min_pin_length = key->facts->min_pin_length,
                .always_uv = key->always_uv,
                .enterprise = key->enterprise,
                .long_touch = key->long_touch,
                .pin_complex = key->pin_complex,
        };

        if (kp_json_read(state, state_fields, KP_NELEMS(state_fields), &text, err) < 0)
                return -1;
        if (strcmp(text.profile, kp_authenticator_profile_id(key->profile)) != 0)
                return KP_FAIL(err, KP_ESCHEMA, "member 'profile': expected \"%s\"",
                        kp_authenticator_profile_id(key->profile));
        if (load_numbers(key, &text, err) < 0 || load_settings(key, &text, err) < 0 ||
                load_pin(key, text.pin, err) < 0 ||
                load_rp_ids(key, text.rp_ids, err) < 0 ||
                load_fingers(key, text.fingers, err) < 0 ||
                load_blobs(key, text.large_blobs, err) < 0 ||
                load_identity(key, text.identity, err) < 0)
                return -1;
        return kp_state_credentials(key, text.credentials, err);
}

/* What belongs to whoever holds the key, not to the key: `from` lives on in `to`. */
static void
take_surroundings(struct kp_authenticator *to, const struct kp_authenticator *from)
{
        to->powered_ms = from->powered_ms;
        to->finger = from->finger;
        to->faults = from->faults;
        to->keep = from->keep;
        to->keeper = from->keeper;
        memcpy(to->bio.samples, from->bio.samples, sizeof(to->bio.samples));
        to->bio.n_samples = from->bio.n_samples;
        to->bio.at_sample = from->bio.at_sample;
        kp_auth_finger_forget(to);
}

/* Loaded aside and swapped in: a bad state leaves the key as it was. */
int
kp_authenticator_load(struct kp_authenticator *authenticator, const json_t *state,
        struct kp_error *err)
{
        struct kp_authenticator *key = authenticator;
        KP_CLEANUP(kp_authenticator_free) struct kp_authenticator *fresh = NULL;
        struct kp_authenticator old;

        if (kp_authenticator_new(key->profile, key->random, key->now_ms, &fresh, err) <
                0)
                return -1;
        kp_auth_store_clear(fresh);
        if (load_into(fresh, state, err) < 0)
                return KP_WHILE(err, "key state");
        kp_state_skip_randoms(fresh);
        old = *key;
        *key = *fresh;
        *fresh = old;
        take_surroundings(key, &old);
        OPENSSL_cleanse(&old, sizeof(old));
        return 0;
}
