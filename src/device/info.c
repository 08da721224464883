/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"

/* Names into rows of `width` bytes; what does not fit is left out, never cut short. */
static void
read_names(const cbor_item_t *list, char *rows, size_t width, size_t max, size_t *ret_n)
{
        size_t n = 0, len;
        const char *text;

        *ret_n = 0;
        if (!kp_cbor_is_array(list, &n))
                return;
        for (size_t i = 0; i < n && *ret_n < max; i++)
                if (kp_cbor_is_text(cbor_array_handle(list)[i], &text, &len) &&
                        len < width)
                        (void)snprintf(rows + width * (*ret_n)++, width, "%.*s",
                                (int)len, text);
}

static void
read_options(const cbor_item_t *map, struct kp_key_info *ret)
{
        size_t n = 0, len;
        const char *text;
        bool value;

        if (!kp_cbor_is_map(map, &n))
                return;
        for (size_t i = 0; i < n && ret->n_options < KP_INFO_MAX; i++) {
                const struct cbor_pair *pair = &cbor_map_handle(map)[i];
                struct kp_key_option *option = &ret->options[ret->n_options];

                if (!kp_cbor_is_text(pair->key, &text, &len) ||
                        len >= sizeof(option->name) ||
                        !kp_cbor_is_bool(pair->value, &value))
                        continue;
                (void)snprintf(
                        option->name, sizeof(option->name), "%.*s", (int)len, text);
                option->value = value;
                ret->n_options++;
        }
}

static void
read_algorithms(const cbor_item_t *list, struct kp_key_info *ret)
{
        size_t n = 0;
        int64_t alg;

        if (!kp_cbor_is_array(list, &n))
                return;
        for (size_t i = 0; i < n && ret->n_algorithms < KP_INFO_MAX; i++)
                if (kp_cbor_is_int(
                            kp_cbor_at_str(cbor_array_handle(list)[i], "alg"), &alg))
                        ret->algorithms[ret->n_algorithms++] = (int)alg;
}

/* One name; one that does not fit is left out. */
static void
read_name(const char *text, size_t len, char *ret, size_t ret_len)
{
        if (len < ret_len)
                (void)snprintf(ret, ret_len, "%.*s", (int)len, text);
}

/* Spec: CTAP 2.1 §7.3 */
static void
read_certifications(const cbor_item_t *map, struct kp_key_info *ret)
{
        size_t n = 0, len;
        const char *text;
        int64_t level;

        if (!kp_cbor_is_map(map, &n))
                return;
        for (size_t i = 0;
                i < n && ret->n_certifications < KP_NELEMS(ret->certifications); i++) {
                const struct cbor_pair *pair = &cbor_map_handle(map)[i];

                if (!kp_cbor_is_text(pair->key, &text, &len) ||
                        len >= sizeof(ret->certifications[0].name) ||
                        !kp_cbor_is_int(pair->value, &level))
                        continue;
                read_name(text, len, ret->certifications[ret->n_certifications].name,
                        sizeof(ret->certifications[0].name));
                ret->certifications[ret->n_certifications++].level = level;
        }
}

/* Numbers of 64 bits that are nobody's but the vendor's. */
static void
read_vendor_commands(const cbor_item_t *list, struct kp_key_info *ret)
{
        size_t n = 0;

        if (!kp_cbor_is_array(list, &n))
                return;
        for (size_t i = 0;
                i < n && ret->n_vendor_commands < KP_NELEMS(ret->vendor_commands); i++)
                if (cbor_isa_uint(cbor_array_handle(list)[i]))
                        ret->vendor_commands[ret->n_vendor_commands++] =
                                cbor_get_int(cbor_array_handle(list)[i]);
}

static void
read_config_commands(const cbor_item_t *list, struct kp_key_info *ret)
{
        size_t n = 0;
        int64_t number;

        ret->tells_config_commands = kp_cbor_is_array(list, &n);
        for (size_t i = 0;
                i < n && ret->n_config_commands < KP_NELEMS(ret->config_commands); i++)
                if (kp_cbor_is_int(cbor_array_handle(list)[i], &number))
                        ret->config_commands[ret->n_config_commands++] = (int)number;
}

static void
read_bytes(const cbor_item_t *item, uint8_t *ret, size_t ret_size, size_t *ret_len)
{
        const uint8_t *bytes;
        size_t len;

        if (!kp_cbor_is_bytes(item, &bytes, &len) || len == 0 || len > ret_size)
                return;
        memcpy(ret, bytes, len);
        *ret_len = len;
}

static enum kp_ternary
read_ternary(const cbor_item_t *item)
{
        bool value;

        if (!kp_cbor_is_bool(item, &value))
                return KP_OMIT;
        return value ? KP_TRUE : KP_FALSE;
}

static void
read_pin_protocols(const cbor_item_t *list, struct kp_key_info *ret)
{
        size_t n = 0;
        int64_t protocol;

        if (!kp_cbor_is_array(list, &n))
                return;
        for (size_t i = 0;
                i < n && ret->n_pin_protocols < KP_NELEMS(ret->pin_protocols); i++)
                if (kp_cbor_is_int(cbor_array_handle(list)[i], &protocol))
                        ret->pin_protocols[ret->n_pin_protocols++] = (int)protocol;
}

/* Members 0x01 to 0x0a, which CTAP 2.0 began. What is of another type is absent. */
static void
read_first(const cbor_item_t *map, struct kp_key_info *info)
{
        read_names(kp_cbor_at_int(map, 0x01), info->versions[0],
                sizeof(info->versions[0]), KP_INFO_MAX, &info->n_versions);
        read_names(kp_cbor_at_int(map, 0x02), info->extensions[0],
                sizeof(info->extensions[0]), KP_INFO_MAX, &info->n_extensions);
        read_options(kp_cbor_at_int(map, 0x04), info);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x05), &info->max_msg_size);
        read_pin_protocols(kp_cbor_at_int(map, 0x06), info);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x07), &info->max_credentials_in_list);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x08), &info->max_credential_id_len);
        read_names(kp_cbor_at_int(map, 0x09), info->transports[0],
                sizeof(info->transports[0]), KP_NELEMS(info->transports),
                &info->n_transports);
        read_algorithms(kp_cbor_at_int(map, 0x0a), info);
}

/* Members 0x0b to 0x15, of CTAP 2.1. */
static void
read_second(const cbor_item_t *map, struct kp_key_info *info)
{
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x0b), &info->max_large_blob);
        (void)kp_cbor_is_bool(kp_cbor_at_int(map, 0x0c), &info->force_pin_change);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x0d), &info->min_pin_len);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x0e), &info->firmware);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x0f), &info->max_cred_blob);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x10), &info->max_rp_ids);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x11), &info->uv_attempts);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x12), &info->uv_modality);
        read_certifications(kp_cbor_at_int(map, 0x13), info);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x14), &info->remaining_rk);
        read_vendor_commands(kp_cbor_at_int(map, 0x15), info);
}

/* Members 0x16 to 0x1f, of CTAP 2.2 and 2.3. */
static void
read_third(const cbor_item_t *map, struct kp_key_info *info)
{
        const uint8_t *url;
        size_t url_len;

        read_names(kp_cbor_at_int(map, 0x16), info->attestation_formats[0],
                sizeof(info->attestation_formats[0]),
                KP_NELEMS(info->attestation_formats), &info->n_attestation_formats);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x17), &info->uv_count);
        info->long_touch_for_reset = read_ternary(kp_cbor_at_int(map, 0x18));
        read_bytes(kp_cbor_at_int(map, 0x19), info->enc_identifier,
                sizeof(info->enc_identifier), &info->enc_identifier_len);
        read_names(kp_cbor_at_int(map, 0x1a), info->transports_for_reset[0],
                sizeof(info->transports_for_reset[0]),
                KP_NELEMS(info->transports_for_reset), &info->n_transports_for_reset);
        info->pin_complexity_policy = read_ternary(kp_cbor_at_int(map, 0x1b));
        if (kp_cbor_is_bytes(kp_cbor_at_int(map, 0x1c), &url, &url_len) &&
                (url_len == 0 || memchr(url, 0, url_len) == NULL))
                read_name((const char *)url, url_len, info->pin_complexity_url,
                        sizeof(info->pin_complexity_url));
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x1d), &info->max_pin_len);
        read_bytes(kp_cbor_at_int(map, 0x1e), info->enc_store_state,
                sizeof(info->enc_store_state), &info->enc_store_state_len);
        read_config_commands(kp_cbor_at_int(map, 0x1f), info);
}

int
kp_key_info_parse(const uint8_t *bytes, size_t bytes_len, struct kp_key_info *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_key_info info = {
                .max_msg_size = 1024,
                .min_pin_len = 4,
                .max_rp_ids = -1,
                .remaining_rk = -1,
                .uv_count = -1,
                .max_pin_len = 63,
        };
        const uint8_t *aaguid;
        size_t n;

        if (kp_cbor_parse(bytes, bytes_len, KP_CBOR_LENIENT, &map, NULL, err) < 0)
                return KP_WHILE(err, "GetInfo");
        if (!kp_cbor_is_map(map, &n) ||
                !kp_cbor_is_array(kp_cbor_at_int(map, 0x01), &n))
                return KP_FAIL(err, KP_EPARSE, "GetInfo: no list of versions");
        if (!kp_cbor_is_bytes(kp_cbor_at_int(map, 0x03), &aaguid, &n) ||
                n != sizeof(info.aaguid))
                return KP_FAIL(err, KP_EPARSE, "GetInfo: no AAGUID of 16 bytes");
        memcpy(info.aaguid, aaguid, sizeof(info.aaguid));
        read_first(map, &info);
        read_second(map, &info);
        read_third(map, &info);
        *ret = info;
        return 0;
}

void
kp_key_info_u2f(struct kp_key_info *ret)
{
        *ret = (struct kp_key_info){
                .u2f_only = true,
                .n_versions = 1,
                .max_msg_size = 1024,
                .algorithms = { -7 },
                .n_algorithms = 1,
                .min_pin_len = 4,
                .max_rp_ids = -1,
                .remaining_rk = 0,
                .uv_count = -1,
                .max_pin_len = 63,
        };
        (void)snprintf(ret->versions[0], sizeof(ret->versions[0]), "U2F_V2");
}
