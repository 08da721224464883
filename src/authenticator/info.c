/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/*
 * authenticatorGetInfo. Spec: CTAP 2.1 §6.4; for members from 0x16 on CTAP 2.3 §6.4
 *
 * Each member has a function that appends its value, or says that the key does not tell
 * it now.
 */

/* The versions spoken now: U2F is off while verification is always asked for (§7.2). */
static bool
put_versions(struct kp_authenticator *key, struct kp_buf *answer)
{
        const struct kp_words *versions = &key->facts->versions;
        bool no_u2f = key->u2f && key->always_uv;

        kp_cbor_put_array(answer, versions->n - (size_t)no_u2f);
        for (size_t i = 0; i < versions->n; i++)
                if (!no_u2f || strcmp(versions->word[i], "U2F_V2") != 0)
                        kp_cbor_put_text(answer, versions->word[i]);
        return true;
}

static bool
put_words(const struct kp_words *words, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, words->n);
        for (size_t i = 0; i < words->n; i++)
                kp_cbor_put_text(answer, words->word[i]);
        return words->n > 0;
}

static bool
put_extensions(struct kp_authenticator *key, struct kp_buf *answer)
{
        const struct kp_words *all = &key->facts->extensions;
        struct kp_words told = { 0 };

        for (size_t i = 0; i < all->n; i++)
                if (kp_auth_extension(key, all->word[i]))
                        told.word[told.n++] = all->word[i];
        return put_words(&told, answer);
}

static bool
put_aaguid(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_bytes(answer, key->facts->aaguid, sizeof(key->facts->aaguid));
        return true;
}

/* Canonical order is the order of the enum. */
static bool
put_options(struct kp_authenticator *key, struct kp_buf *answer)
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
        return true;
}

/* A number where 0 stands for a member that the key does not tell. */
static bool
put_number(struct kp_buf *answer, int64_t value)
{
        kp_cbor_put_int(answer, value);
        return value > 0;
}

static bool
put_max_msg_size(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->max_msg_size);
}

static bool
put_protocols(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, key->facts->n_pin_protocols);
        for (size_t i = 0; i < key->facts->n_pin_protocols; i++)
                kp_cbor_put_int(answer, key->facts->pin_protocols[i]);
        return key->facts->n_pin_protocols > 0;
}

static bool
put_max_in_list(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->max_credentials_in_list);
}

static bool
put_max_id_length(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->max_credential_id_length);
}

static bool
put_transports(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_words(&key->facts->transports, answer) &&
               key->facts->tells_transports;
}

static bool
put_algorithms(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, key->facts->n_algorithms);
        for (size_t i = 0; i < key->facts->n_algorithms; i++) {
                kp_cbor_put_map(answer, 2);
                kp_cbor_put_text(answer, "alg");
                kp_cbor_put_int(answer, key->facts->algorithms[i]);
                kp_cbor_put_text(answer, "type");
                kp_cbor_put_text(answer, "public-key");
        }
        return key->facts->tells_algorithms;
}

static bool
put_max_large_blob(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->max_large_blob);
}

static bool
put_force_pin_change(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_bool(answer, key->force_pin_change);
        return key->facts->tells_force_pin_change || key->force_pin_change;
}

static bool
put_min_pin(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_int(answer, key->min_pin_length);
        return key->facts->tells_min_pin_length;
}

static bool
put_firmware(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->firmware_version);
}

static bool
put_max_blob(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->max_cred_blob_length);
}

/* There exactly where setMinPINLength is, if only to say that it takes no RP IDs. */
static bool
put_max_min_pin_rp_ids(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_int(answer, key->facts->max_min_pin_rp_ids);
        return kp_auth_option(key, KP_OPTION_SET_MIN_PIN_LENGTH) == 1;
}

static bool
put_platform_uv_attempts(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->platform_uv_attempts);
}

static bool
put_uv_modality(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->uv_modality);
}

/* Spec: CTAP 2.1 §7.3 */
static bool
put_certifications(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_map(answer, key->facts->n_certifications);
        for (size_t i = 0; i < key->facts->n_certifications; i++) {
                kp_cbor_put_text(answer, key->facts->certifications[i].name);
                kp_cbor_put_int(answer, key->facts->certifications[i].level);
        }
        return key->facts->n_certifications > 0;
}

static bool
put_remaining(struct kp_authenticator *key, struct kp_buf *answer)
{
        int64_t left = key->facts->places - (int64_t)kp_auth_store_used(key);

        kp_cbor_put_int(answer, left < 0 ? 0 : left);
        return key->facts->tells_places;
}

static bool
put_vendor_commands(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_array(answer, key->facts->n_vendor_config_commands);
        for (size_t i = 0; i < key->facts->n_vendor_config_commands; i++)
                kp_cbor_put_int(answer, key->facts->vendor_config_commands[i]);
        return key->facts->n_vendor_config_commands > 0;
}

/* "none" goes without saying, and must: so the list may be missing altogether. */
static bool
put_attestation_formats(struct kp_authenticator *key, struct kp_buf *answer)
{
        const struct kp_words *all = &key->facts->attestation_formats;
        struct kp_words told = { 0 };

        for (size_t i = 0; i < all->n; i++)
                if (strcmp(all->word[i], "none") != 0)
                        told.word[told.n++] = all->word[i];
        return put_words(&told, answer) && key->facts->tells_attestation_formats;
}

static bool
put_uv_count(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_int(answer, key->uv_count);
        return key->facts->tells_uv_count;
}

static bool
put_long_touch(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_bool(answer, key->long_touch);
        return key->facts->long_touch_for_reset >= 0;
}

/*
 * What stands behind encIdentifier and encCredStoreState is told under the persistent
 * token. It is there from the start, whether or not a platform has asked for it: so they
 * are told from the start, as a YubiKey with firmware 5.8 does.
 */
static bool
put_encrypted(struct kp_authenticator *key, bool store_state, struct kp_buf *answer)
{
        (void)kp_auth_persistent_token(key); /* drawn now if it was not */
        return kp_auth_identity_put(key, store_state, answer);
}

static bool
put_identifier(struct kp_authenticator *key, struct kp_buf *answer)
{
        return key->facts->tells_identifier && put_encrypted(key, false, answer);
}

static bool
put_reset_transports(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_words(&key->facts->transports_for_reset, answer);
}

static bool
put_pin_complexity(struct kp_authenticator *key, struct kp_buf *answer)
{
        kp_cbor_put_bool(answer, key->pin_complex);
        return key->facts->pin_complexity_policy >= 0;
}

/* A URL, but in a byte string. */
static bool
put_pin_complexity_url(struct kp_authenticator *key, struct kp_buf *answer)
{
        const char *url = key->facts->pin_complexity_url;

        if (url != NULL)
                kp_cbor_put_bytes(answer, url, strlen(url));
        return url != NULL;
}

static bool
put_max_pin(struct kp_authenticator *key, struct kp_buf *answer)
{
        return put_number(answer, key->facts->max_pin_length);
}

static bool
put_store_state(struct kp_authenticator *key, struct kp_buf *answer)
{
        return key->facts->tells_store_state && put_encrypted(key, true, answer);
}

/* Spec table: CTAP 2.1 §6.11, CTAP 2.3 §6.11.5, subcommands in order of number. */
static bool
put_config_commands(struct kp_authenticator *key, struct kp_buf *answer)
{
        const struct {
                uint8_t number;
                bool exists;
        } commands[] = {
                { 0x01, kp_auth_option(key, KP_OPTION_EP) >= 0 },
                { 0x02, kp_auth_option(key, KP_OPTION_ALWAYS_UV) >= 0 },
                { 0x03, kp_auth_option(key, KP_OPTION_SET_MIN_PIN_LENGTH) == 1 },
                { 0x04, key->facts->long_touch_for_reset >= 0 &&
                                !key->facts->long_touch_fixed },
                { 0xff, key->facts->n_vendor_config_commands > 0 },
        };
        size_t n = 0;

        for (size_t i = 0; i < KP_NELEMS(commands); i++)
                n += commands[i].exists;
        kp_cbor_put_array(answer, n);
        for (size_t i = 0; i < KP_NELEMS(commands); i++)
                if (commands[i].exists)
                        kp_cbor_put_int(answer, commands[i].number);
        return key->facts->tells_config_commands;
}

/* Spec table: CTAP 2.3 §6.4, members in order of number. */
static const struct {
        uint8_t number;
        bool (*put)(struct kp_authenticator *key, struct kp_buf *answer);
} members[] = {
        { 0x01, put_versions },
        { 0x02, put_extensions },
        { 0x03, put_aaguid },
        { 0x04, put_options },
        { 0x05, put_max_msg_size },
        { 0x06, put_protocols },
        { 0x07, put_max_in_list },
        { 0x08, put_max_id_length },
        { 0x09, put_transports },
        { 0x0a, put_algorithms },
        { 0x0b, put_max_large_blob },
        { 0x0c, put_force_pin_change },
        { 0x0d, put_min_pin },
        { 0x0e, put_firmware },
        { 0x0f, put_max_blob },
        { 0x10, put_max_min_pin_rp_ids },
        { 0x11, put_platform_uv_attempts },
        { 0x12, put_uv_modality },
        { 0x13, put_certifications },
        { 0x14, put_remaining },
        { 0x15, put_vendor_commands },
        { 0x16, put_attestation_formats },
        { 0x17, put_uv_count },
        { 0x18, put_long_touch },
        { 0x19, put_identifier },
        { 0x1a, put_reset_transports },
        { 0x1b, put_pin_complexity },
        { 0x1c, put_pin_complexity_url },
        { 0x1d, put_max_pin },
        { 0x1e, put_store_state },
        { 0x1f, put_config_commands },
};

int
kp_auth_get_info(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf pairs = { 0 };
        size_t n = 0;

        (void)params;
        for (size_t i = 0; i < KP_NELEMS(members); i++) {
                size_t before = pairs.len;

                kp_cbor_put_int(&pairs, members[i].number);
                if (members[i].put(key, &pairs))
                        n++;
                else
                        pairs.len = before;
        }
        if (pairs.failed)
                return KP_CTAP1_ERR_OTHER;
        kp_cbor_put_map(answer, n);
        kp_buf_put(answer, pairs.data, pairs.len);
        return KP_CTAP_OK;
}
