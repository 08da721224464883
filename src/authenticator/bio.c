/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/* authenticatorBioEnrollment, and its preview. Spec: CTAP 2.1 §6.7, §6.12 */
#define FINGERPRINT 0x01     /* the only modality */
#define TOUCH_SENSOR 1       /* fingerprintKind; a swipe sensor is 2 */
#define SAMPLE_MAX_MS 600000 /* no platform waits longer for one sample */
#define DEFAULT_SAMPLES 5
#define DEFAULT_NAME_LENGTH 64

enum sub_command {
        ENROLL_BEGIN = 0x01,
        ENROLL_CAPTURE_NEXT_SAMPLE = 0x02,
        CANCEL_CURRENT_ENROLLMENT = 0x03,
        ENUMERATE_ENROLLMENTS = 0x04,
        SET_FRIENDLY_NAME = 0x05,
        REMOVE_ENROLLMENT = 0x06,
        GET_FINGERPRINT_SENSOR_INFO = 0x07,
};

/* lastEnrollSampleStatus; any other value is a sample that does not count */
enum sample {
        SAMPLE_GOOD = 0x00,
        SAMPLE_NO_USER_ACTIVITY = 0x0d,
};

void
kp_authenticator_set_samples(struct kp_authenticator *authenticator,
        const uint8_t *samples, size_t n_samples)
{
        struct kp_auth_bio *bio = &authenticator->bio;

        bio->n_samples = n_samples < KP_SAMPLES_MAX ? n_samples : KP_SAMPLES_MAX;
        bio->at_sample = 0;
        if (bio->n_samples > 0)
                memcpy(bio->samples, samples, bio->n_samples);
}

void
kp_auth_bio_forget(struct kp_authenticator *key)
{
        key->bio.enrolling = false;
        key->bio.remaining = 0;
}

void
kp_auth_bio_clear(struct kp_authenticator *key)
{
        kp_auth_bio_forget(key);
        for (size_t i = 0; i < key->bio.n; i++)
                kp_buf_done(&key->bio.templates[i].name);
        key->bio.n = 0;
}

static struct kp_auth_template *
template_find(struct kp_authenticator *key, const uint8_t *id, size_t id_len)
{
        for (size_t i = 0; i < key->bio.n; i++)
                if (kp_bytes_equal(key->bio.templates[i].id,
                            sizeof(key->bio.templates[i].id), id, id_len))
                        return &key->bio.templates[i];
        return NULL;
}

static int64_t
or_default(int64_t fact, int64_t value)
{
        return fact > 0 ? fact : value;
}

static bool
is_full(const struct kp_authenticator *key)
{
        size_t places = (size_t)or_default(key->facts->bio_templates, KP_AUTH_BIO_MAX);

        return key->bio.n >= places || key->bio.n >= KP_AUTH_BIO_MAX;
}

/* ---- parameters ---- */

struct bio_params {
        int64_t modality, sub_command, protocol, timeout_ms;
        bool has_modality, has_sub_command, has_protocol, get_modality;
        const cbor_item_t *sub_params; /* NULL: absent */
        const uint8_t *param, *id;     /* NULL: absent */
        size_t param_len, id_len;
        const char *name; /* NULL: absent */
        size_t name_len;
};

static int
sub_params_read(const cbor_item_t *map, struct bio_params *ret)
{
        const cbor_item_t *timeout = kp_cbor_at_int(map, 3);
        int status;

        if ((status = kp_auth_want_bytes(
                     kp_cbor_at_int(map, 1), false, &ret->id, &ret->id_len)) != 0 ||
                (status = kp_auth_want_text(kp_cbor_at_int(map, 2), false, &ret->name,
                         &ret->name_len)) != 0)
                return status;
        ret->timeout_ms = KP_AUTH_TOUCH_MS;
        if (timeout == NULL)
                return KP_CTAP_OK;
        if (!cbor_isa_uint(timeout))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        ret->timeout_ms = cbor_get_int(timeout) < SAMPLE_MAX_MS
                                  ? (int64_t)cbor_get_int(timeout)
                                  : SAMPLE_MAX_MS;
        return KP_CTAP_OK;
}

static int
params_read(const cbor_item_t *map, struct bio_params *ret)
{
        const cbor_item_t *get_modality = kp_cbor_at_int(map, 6);
        int status;

        ret->has_modality = kp_cbor_at_int(map, 1) != NULL;
        ret->has_sub_command = kp_cbor_at_int(map, 2) != NULL;
        ret->sub_params = kp_cbor_at_int(map, 3);
        ret->has_protocol = kp_cbor_at_int(map, 4) != NULL;
        if ((status = kp_auth_want_int(
                     kp_cbor_at_int(map, 1), false, &ret->modality)) != 0 ||
                (status = kp_auth_want_int(
                         kp_cbor_at_int(map, 2), false, &ret->sub_command)) != 0 ||
                (status = kp_auth_want_map(ret->sub_params, false)) != 0 ||
                (status = kp_auth_want_int(
                         kp_cbor_at_int(map, 4), false, &ret->protocol)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 5), false, &ret->param,
                         &ret->param_len)) != 0)
                return status;
        if (get_modality != NULL && !kp_cbor_is_bool(get_modality, &ret->get_modality))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        return sub_params_read(ret->sub_params, ret);
}

/* verify(pinUvAuthToken, fingerprint || subCommand || subCommandParams, param) */
static int
check_token(struct kp_authenticator *key, const struct bio_params *params)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        kp_buf_put_u8(&message, FINGERPRINT);
        kp_buf_put_u8(&message, (uint8_t)params->sub_command);
        if (params->sub_params != NULL)
                kp_cbor_put_item(&message, params->sub_params);
        if (message.failed)
                return KP_CTAP1_ERR_OTHER;
        if (!kp_auth_token_verify(key, (int)params->protocol, message.data, message.len,
                    params->param, params->param_len) ||
                !kp_auth_token_allows(key, KP_CTAP_PERM_BE))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        return KP_CTAP_OK;
}

/* ---- enrolment ---- */

/*
 * Wait for a finger and tell what the sensor made of it. That nobody came is no error
 * but a sample of its own. Returns a status.
 */
static int
sample_take(struct kp_authenticator *key, int64_t timeout_ms, uint8_t *ret)
{
        struct kp_auth_bio *bio = &key->bio;
        bool scripted = bio->at_sample < bio->n_samples;
        uint8_t next = scripted ? bio->samples[bio->at_sample] : SAMPLE_GOOD;
        bool nobody = next == SAMPLE_NO_USER_ACTIVITY;

        switch (kp_auth_finger_sample(key, timeout_ms, nobody)) {
        case KP_AUTH_TOUCH_PENDING:
                return KP_AUTH_PENDING;
        case KP_AUTH_TOUCH_GIVEN:
                *ret = next;
                break;
        case KP_AUTH_TOUCH_TIMEOUT:
                *ret = SAMPLE_NO_USER_ACTIVITY;
                scripted = scripted && nobody; /* a sample is still to come */
                break;
        default:
                return KP_CTAP2_ERR_OPERATION_DENIED;
        }
        bio->at_sample += scripted;
        return KP_CTAP_OK;
}

/* Count the sample, and keep the finger when there are enough. */
static void
sample_count(struct kp_authenticator *key, uint8_t sample)
{
        struct kp_auth_bio *bio = &key->bio;
        struct kp_auth_template *fresh;

        if (sample != SAMPLE_GOOD || --bio->remaining > 0)
                return;
        fresh = &bio->templates[bio->n++];
        *fresh = (struct kp_auth_template){ 0 };
        memcpy(fresh->id, bio->id, sizeof(fresh->id));
        kp_auth_bio_forget(key);
}

static void
put_sample(struct kp_authenticator *key, uint8_t sample, struct kp_buf *answer)
{
        kp_cbor_put_int(answer, 5); /* lastEnrollSampleStatus */
        kp_cbor_put_int(answer, sample);
        kp_cbor_put_int(answer, 6); /* remainingSamples */
        kp_cbor_put_int(answer, key->bio.remaining);
}

/* Spec: CTAP 2.1 §6.7.4 */
static int
enroll_begin(struct kp_authenticator *key, const struct bio_params *params,
        struct kp_buf *answer)
{
        struct kp_auth_bio *bio = &key->bio;
        uint8_t sample = SAMPLE_GOOD;
        int status;

        if (is_full(key))
                return KP_CTAP2_ERR_FP_DATABASE_FULL;
        kp_auth_bio_forget(key);
        if ((status = sample_take(key, params->timeout_ms, &sample)) != KP_CTAP_OK)
                return status;
        do
                kp_random_bytes(key->random, bio->id, sizeof(bio->id));
        while (template_find(key, bio->id, sizeof(bio->id)) != NULL);
        bio->enrolling = true;
        bio->remaining = or_default(key->facts->bio_samples, DEFAULT_SAMPLES);
        sample_count(key, sample);
        kp_cbor_put_map(answer, 3);
        kp_cbor_put_int(answer, 4); /* templateId */
        kp_cbor_put_bytes(answer, bio->id, sizeof(bio->id));
        put_sample(key, sample, answer);
        return KP_CTAP_OK;
}

static int
enroll_capture_next_sample(struct kp_authenticator *key,
        const struct bio_params *params, struct kp_buf *answer)
{
        struct kp_auth_bio *bio = &key->bio;
        uint8_t sample = SAMPLE_GOOD;
        int status;

        /* the text has no code for it; it has this one for any other unknown id */
        if (!bio->enrolling ||
                !kp_bytes_equal(bio->id, sizeof(bio->id), params->id, params->id_len))
                return KP_CTAP2_ERR_INVALID_OPTION;
        if (is_full(key))
                return KP_CTAP2_ERR_FP_DATABASE_FULL;
        if ((status = sample_take(key, params->timeout_ms, &sample)) != KP_CTAP_OK)
                return status;
        sample_count(key, sample);
        kp_cbor_put_map(answer, 2);
        put_sample(key, sample, answer);
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.7.5: nothing can be wrong with it */
static int
cancel_current_enrollment(struct kp_authenticator *key, const struct bio_params *params,
        struct kp_buf *answer)
{
        (void)params;
        (void)answer;
        kp_auth_bio_forget(key);
        return KP_CTAP_OK;
}

/* ---- what is enrolled ---- */

/* Spec: CTAP 2.1 §6.7.6 */
static int
enumerate_enrollments(struct kp_authenticator *key, const struct bio_params *params,
        struct kp_buf *answer)
{
        const struct kp_auth_bio *bio = &key->bio;

        (void)params;
        if (bio->n == 0)
                return KP_CTAP2_ERR_INVALID_OPTION;
        kp_cbor_put_map(answer, 1);
        kp_cbor_put_int(answer, 7); /* templateInfos */
        kp_cbor_put_array(answer, bio->n);
        for (size_t i = 0; i < bio->n; i++) {
                const struct kp_auth_template *at = &bio->templates[i];

                /* a name is optional, but platforms read one: then it is empty */
                kp_cbor_put_map(answer, 2);
                kp_cbor_put_int(answer, 1);
                kp_cbor_put_bytes(answer, at->id, sizeof(at->id));
                kp_cbor_put_int(answer, 2);
                kp_cbor_put_text_len(answer,
                        at->name.len > 0 ? (const char *)at->name.data : "",
                        at->name.len);
        }
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.7.7 */
static int
set_friendly_name(struct kp_authenticator *key, const struct bio_params *params,
        struct kp_buf *answer)
{
        struct kp_auth_template *found = template_find(key, params->id, params->id_len);
        struct kp_buf name = { 0 };

        (void)answer;
        if (found == NULL)
                return KP_CTAP2_ERR_INVALID_OPTION;
        kp_buf_put(&name, params->name, params->name_len);
        if (name.failed)
                return KP_CTAP1_ERR_OTHER;
        kp_buf_done(&found->name);
        found->name = name;
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.7.8 */
static int
remove_enrollment(struct kp_authenticator *key, const struct bio_params *params,
        struct kp_buf *answer)
{
        struct kp_auth_template *found = template_find(key, params->id, params->id_len);
        struct kp_auth_bio *bio = &key->bio;
        size_t after;

        (void)answer;
        if (found == NULL)
                return KP_CTAP2_ERR_INVALID_OPTION;
        after = (size_t)(bio->templates + bio->n - (found + 1));
        kp_buf_done(&found->name);
        memmove(found, found + 1, after * sizeof(*found));
        bio->n--;
        bio->templates[bio->n] = (struct kp_auth_template){ 0 };
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.7.3; the preview does not know the length of names */
static int
get_fingerprint_sensor_info(struct kp_authenticator *key,
        const struct bio_params *params, struct kp_buf *answer)
{
        bool preview = key->command == KP_CTAP_BIO_ENROLLMENT_PREVIEW;

        (void)params;
        kp_cbor_put_map(answer, preview ? 2 : 3);
        kp_cbor_put_int(answer, 2); /* fingerprintKind */
        kp_cbor_put_int(answer, TOUCH_SENSOR);
        kp_cbor_put_int(answer, 3); /* maxCaptureSamplesRequiredForEnroll */
        kp_cbor_put_int(answer, or_default(key->facts->bio_samples, DEFAULT_SAMPLES));
        if (preview)
                return KP_CTAP_OK;
        kp_cbor_put_int(answer, 8); /* maxTemplateFriendlyName */
        kp_cbor_put_int(
                answer, or_default(key->facts->bio_name_length, DEFAULT_NAME_LENGTH));
        return KP_CTAP_OK;
}

/* ---- dispatch ---- */

/* Spec table: CTAP 2.1 §6.7, subcommands in order of number. */
/* clang-format off */
static const struct sub_command_entry {
        uint8_t number;
        bool has_token;
        bool has_id, has_name; /* mandatory subCommandParams */
        int (*run)(struct kp_authenticator *key, const struct bio_params *params,
                struct kp_buf *answer);
} sub_commands[] = {
        { ENROLL_BEGIN,                true,  false, false, enroll_begin },
        { ENROLL_CAPTURE_NEXT_SAMPLE,  true,  true,  false, enroll_capture_next_sample },
        { CANCEL_CURRENT_ENROLLMENT,   false, false, false, cancel_current_enrollment },
        { ENUMERATE_ENROLLMENTS,       true,  false, false, enumerate_enrollments },
        { SET_FRIENDLY_NAME,           true,  true,  true,  set_friendly_name },
        { REMOVE_ENROLLMENT,           true,  true,  false, remove_enrollment },
        { GET_FINGERPRINT_SENSOR_INFO, false, false, false, get_fingerprint_sensor_info },
};
/* clang-format on */

/* Steps 1 to 5 of every subcommand that takes a token. */
static int
check_request(struct kp_authenticator *key, const struct sub_command_entry *of,
        const struct bio_params *params)
{
        int64_t name_max = or_default(key->facts->bio_name_length, DEFAULT_NAME_LENGTH);

        if (params->param == NULL)
                return KP_CTAP2_ERR_PUAT_REQUIRED;
        if (!params->has_modality || !params->has_protocol ||
                (of->has_id && params->id == NULL) ||
                (of->has_name && params->name == NULL))
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if (params->modality != FINGERPRINT ||
                !kp_auth_pin_protocol(key, params->protocol))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (of->has_name && params->name_len > (size_t)name_max)
                return KP_CTAP1_ERR_INVALID_LENGTH;
        /* while a finger is awaited the token may run out: it has been verified */
        return key->finger.asked ? KP_CTAP_OK : check_token(key, params);
}

int
kp_auth_bio_enrollment(
        struct kp_authenticator *key, const cbor_item_t *map, struct kp_buf *answer)
{
        struct bio_params params = { 0 };
        int status = params_read(map, &params);

        if (status != KP_CTAP_OK)
                return status;
        if (params.get_modality) {
                kp_cbor_put_map(answer, 1);
                kp_cbor_put_int(answer, 1);
                kp_cbor_put_int(answer, FINGERPRINT);
                return KP_CTAP_OK;
        }
        if (!params.has_sub_command)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        for (size_t i = 0; i < KP_NELEMS(sub_commands); i++) {
                if (sub_commands[i].number != params.sub_command)
                        continue;
                status = sub_commands[i].has_token
                                 ? check_request(key, &sub_commands[i], &params)
                                 : KP_CTAP_OK;
                return status != KP_CTAP_OK ? status
                                            : sub_commands[i].run(key, &params, answer);
        }
        /* CTAP 2.0 knows no code for it */
        return key->ctap21 ? KP_CTAP2_ERR_INVALID_SUBCOMMAND
                           : KP_CTAP1_ERR_INVALID_PARAMETER;
}
