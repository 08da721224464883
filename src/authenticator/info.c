/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/* authenticatorGetInfo. Spec: CTAP 2.1 §6.4 */

/* The versions spoken now: U2F is off while verification is always asked for (§7.2). */
static void
put_versions(const struct kp_authenticator *key, struct kp_buf *answer)
{
        const struct kp_words *versions = &key->facts->versions;
        bool no_u2f = key->u2f && key->always_uv;

        kp_cbor_put_array(answer, versions->n - (size_t)no_u2f);
        for (size_t i = 0; i < versions->n; i++)
                if (!no_u2f || strcmp(versions->word[i], "U2F_V2") != 0)
                        kp_cbor_put_text(answer, versions->word[i]);
}

static size_t
n_extensions(const struct kp_authenticator *key)
{
        size_t n = 0;

        for (size_t i = 0; i < key->facts->extensions.n; i++)
                n += kp_auth_extension(key, key->facts->extensions.word[i]);
        return n;
}

static void
put_extensions(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, n_extensions(key));
        for (size_t i = 0; i < key->facts->extensions.n; i++)
                if (kp_auth_extension(key, key->facts->extensions.word[i]))
                        kp_cbor_put_text(answer, key->facts->extensions.word[i]);
}

static void
put_aaguid(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_bytes(answer, key->facts->aaguid, sizeof(key->facts->aaguid));
}

/* Canonical order is the order of the enum. */
static void
put_options(const struct kp_authenticator *key, struct kp_buf *answer)
{
        size_t n = 0;

        for (int id = 0; id < KP_N_OPTIONS; id++)
                n += kp_auth_option(key, (enum kp_key_option_id)id) >= 0;
        kp_cbor_put_map(answer, n);
        for (int id = 0; id < KP_N_OPTIONS; id++) {
                int value = kp_auth_option(key, (enum kp_key_option_id)id);

                if (value < 0)
                        continue;
                kp_cbor_put_text(answer, kp_key_option_name((enum kp_key_option_id)id));
                kp_cbor_put_bool(answer, value == 1);
        }
}

static void
put_protocols(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, key->facts->n_pin_protocols);
        for (size_t i = 0; i < key->facts->n_pin_protocols; i++)
                kp_cbor_put_int(answer, key->facts->pin_protocols[i]);
}

static void
put_transports(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, key->facts->transports.n);
        for (size_t i = 0; i < key->facts->transports.n; i++)
                kp_cbor_put_text(answer, key->facts->transports.word[i]);
}

static void
put_algorithms(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, key->facts->n_algorithms);
        for (size_t i = 0; i < key->facts->n_algorithms; i++) {
                kp_cbor_put_map(answer, 2);
                kp_cbor_put_text(answer, "alg");
                kp_cbor_put_int(answer, key->facts->algorithms[i]);
                kp_cbor_put_text(answer, "type");
                kp_cbor_put_text(answer, "public-key");
        }
}

static void
put_force_pin_change(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_bool(answer, key->force_pin_change);
}

static void
put_remaining(const struct kp_authenticator *key, struct kp_buf *answer)
{
        int64_t left = key->facts->places - (int64_t)kp_auth_store_used(key);

        kp_cbor_put_int(answer, left < 0 ? 0 : left);
}

/* One number of the profile: told where it is not 0. */
#define NUMBER(name, value)                                                            \
        static void put_##name(                                                        \
                const struct kp_authenticator *key, struct kp_buf *answer)             \
        {                                                                              \
                kp_cbor_put_int(answer, value);                                        \
        }                                                                              \
        static bool tells_##name(const struct kp_authenticator *key)                   \
        {                                                                              \
                return (value) > 0;                                                    \
        }

NUMBER(max_msg_size, key->facts->max_msg_size)
NUMBER(max_in_list, key->facts->max_credentials_in_list)
NUMBER(max_id_length, key->facts->max_credential_id_length)
NUMBER(firmware, key->facts->firmware_version)
NUMBER(max_blob, key->facts->max_cred_blob_length)
NUMBER(platform_uv_attempts, key->facts->platform_uv_attempts)
NUMBER(uv_modality, key->facts->uv_modality)

static void
put_min_pin(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_int(answer, key->min_pin_length);
}

static void
put_max_min_pin_rp_ids(const struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_int(answer, key->facts->max_min_pin_rp_ids);
}

static bool
tells_extensions(const struct kp_authenticator *key)
{
        return n_extensions(key) > 0;
}

static bool
tells_protocols(const struct kp_authenticator *key)
{
        return key->facts->n_pin_protocols > 0;
}

static bool
tells_transports(const struct kp_authenticator *key)
{
        return key->facts->tells_transports;
}

static bool
tells_algorithms(const struct kp_authenticator *key)
{
        return key->facts->tells_algorithms;
}

static bool
tells_force_pin_change(const struct kp_authenticator *key)
{
        return key->facts->tells_force_pin_change || key->force_pin_change;
}

static bool
tells_min_pin(const struct kp_authenticator *key)
{
        return key->facts->tells_min_pin_length;
}

static bool
tells_max_min_pin_rp_ids(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_SET_MIN_PIN_LENGTH) == 1;
}

static bool
tells_remaining(const struct kp_authenticator *key)
{
        return key->facts->tells_places;
}

/* Spec table: CTAP 2.1 §6.4, members in order of number. */
/* clang-format off */
static const struct {
        uint8_t number;
        bool (*tells)(const struct kp_authenticator *key); /* NULL: always */
        void (*put)(const struct kp_authenticator *key, struct kp_buf *answer);
} members[] = {
        { 0x01, NULL,                      put_versions },
        { 0x02, tells_extensions,          put_extensions },
        { 0x03, NULL,                      put_aaguid },
        { 0x04, NULL,                      put_options },
        { 0x05, tells_max_msg_size,        put_max_msg_size },
        { 0x06, tells_protocols,           put_protocols },
        { 0x07, tells_max_in_list,         put_max_in_list },
        { 0x08, tells_max_id_length,       put_max_id_length },
        { 0x09, tells_transports,          put_transports },
        { 0x0a, tells_algorithms,          put_algorithms },
        { 0x0c, tells_force_pin_change,    put_force_pin_change },
        { 0x0d, tells_min_pin,             put_min_pin },
        { 0x0e, tells_firmware,            put_firmware },
        { 0x0f, tells_max_blob,            put_max_blob },
        { 0x10, tells_max_min_pin_rp_ids,  put_max_min_pin_rp_ids },
        { 0x11, tells_platform_uv_attempts, put_platform_uv_attempts },
        { 0x12, tells_uv_modality,         put_uv_modality },
        { 0x14, tells_remaining,           put_remaining },
};
/* clang-format on */

int
kp_auth_get_info(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        size_t n = 0;

        (void)params;
        for (size_t i = 0; i < KP_NELEMS(members); i++)
                n += members[i].tells == NULL || members[i].tells(key);
        kp_cbor_put_map(answer, n);
        for (size_t i = 0; i < KP_NELEMS(members); i++) {
                if (members[i].tells != NULL && !members[i].tells(key))
                        continue;
                kp_cbor_put_int(answer, members[i].number);
                members[i].put(key, answer);
        }
        return KP_CTAP_OK;
}
