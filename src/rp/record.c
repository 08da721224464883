/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/rp/record.h"

#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"

static json_t *
json_b64url(const uint8_t *bytes, size_t bytes_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes, bytes_len);
        return json_string(kp_buf_str(&text));
}

static json_t *
json_attestation(const struct kp_rp_credential *credential)
{
        return json_pack("{s:s, s:s?, s:b}", "format", credential->format, "type",
                credential->type, "trusted", credential->trusted);
}

int
kp_rp_credential_write(
        const struct kp_rp_credential *credential, json_t **ret, struct kp_error *err)
{
        json_auto_t *object = json_pack("{s:o, s:o, s:i, s:I, s:o, s:b, s:b, s:b}",
                "id", json_b64url(credential->id.data, credential->id.len), "publicKey",
                json_b64url(credential->public_key.data, credential->public_key.len),
                "alg", credential->alg, "signCount", (json_int_t)credential->sign_count,
                "aaguid", json_b64url(credential->aaguid, sizeof(credential->aaguid)),
                "uv", credential->uv, "be", credential->backup_eligible, "bs",
                credential->backup_state);

        if (object == NULL)
                return KP_FAIL(err, KP_ENOMEM, "credential record");
        /* a record that came without one goes without one */
        if (credential->format[0] != '\0' && json_object_set_new(object, "attestation",
                                                     json_attestation(credential)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "credential record");
        *ret = KP_STEAL(object);
        return 0;
}

static int
read_bytes(const json_t *object, const char *name, struct kp_buf *ret,
        struct kp_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (!json_is_string(value) || json_string_length(value) == 0)
                return KP_FAIL(
                        err, KP_ESCHEMA, "member '%s': expected base64url", name);
        if (kp_b64url_decode(
                    json_string_value(value), json_string_length(value), ret, err) < 0)
                return KP_WHILE(err, "member '%s'", name);
        return 0;
}

static int
read_bool(const json_t *object, const char *name, bool *ret, bool *ret_known,
        struct kp_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (value == NULL)
                return 0;
        if (!json_is_boolean(value))
                return KP_FAIL(
                        err, KP_ESCHEMA, "member '%s': expected true or false", name);
        *ret = json_is_true(value);
        *ret_known = true;
        return 0;
}

static int
read_number(const json_t *object, const char *name, json_int_t min, json_int_t max,
        json_int_t *ret, struct kp_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (value == NULL)
                return 0;
        if (!json_is_integer(value) || json_integer_value(value) < min ||
                json_integer_value(value) > max)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member '%s': expected a number from %lld to %lld", name,
                        (long long)min, (long long)max);
        *ret = json_integer_value(value);
        return 0;
}

static int
read_aaguid(const json_t *object, struct kp_rp_credential *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf aaguid = { 0 };

        if (json_object_get(object, "aaguid") == NULL)
                return 0;
        if (read_bytes(object, "aaguid", &aaguid, err) < 0)
                return -1;
        if (aaguid.len != sizeof(ret->aaguid))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'aaguid': expected %zu bytes, not %zu",
                        sizeof(ret->aaguid), aaguid.len);
        memcpy(ret->aaguid, aaguid.data, aaguid.len);
        return 0;
}

static void
read_attestation(const json_t *object, struct kp_rp_credential *ret)
{
        static const char *const types[] = { "none", "self", "basic", "attca", "anonca",
                "uncertain" };
        const json_t *attestation = json_object_get(object, "attestation");
        const char *format = json_string_value(json_object_get(attestation, "format"));
        const char *type = json_string_value(json_object_get(attestation, "type"));

        if (format != NULL)
                (void)snprintf(ret->format, sizeof(ret->format), "%s", format);
        for (size_t i = 0; type != NULL && i < KP_NELEMS(types); i++)
                if (strcmp(types[i], type) == 0)
                        ret->type = types[i];
        ret->trusted = json_is_true(json_object_get(attestation, "trusted"));
}

int
kp_rp_credential_read(
        const json_t *object, struct kp_rp_credential *ret, struct kp_error *err)
{
        json_int_t alg = KP_COSE_NONE, sign_count = 0;
        bool state_known = false, uv_known = false;

        memset(ret, 0, sizeof(*ret));
        if (!json_is_object(object))
                return KP_FAIL(
                        err, KP_ESCHEMA, "expected a credential record, an object");
        if (read_bytes(object, "id", &ret->id, err) < 0 ||
                read_bytes(object, "publicKey", &ret->public_key, err) < 0 ||
                read_number(object, "alg", INT32_MIN, INT32_MAX, &alg, err) < 0 ||
                read_number(object, "signCount", 0, UINT32_MAX, &sign_count, err) < 0 ||
                read_aaguid(object, ret, err) < 0 ||
                read_bool(object, "uv", &ret->uv, &uv_known, err) < 0 ||
                read_bool(object, "be", &ret->backup_eligible, &ret->backup_known,
                        err) < 0 ||
                read_bool(object, "bs", &ret->backup_state, &state_known, err) < 0 ||
                read_bool(object, "backupEligible", &ret->backup_eligible,
                        &ret->backup_known, err) < 0 ||
                read_bool(object, "backupState", &ret->backup_state, &state_known,
                        err) < 0)
                return -1;
        ret->alg = (int)alg;
        ret->sign_count = (uint32_t)sign_count;
        read_attestation(object, ret);
        return 0;
}
