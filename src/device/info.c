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

int
kp_key_info_parse(const uint8_t *bytes, size_t bytes_len, struct kp_key_info *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_key_info info = {
                .max_msg_size = 1024, .min_pin_len = 4, .remaining_rk = -1
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
        /* in order of member; absent or of another type: it stays as above */
        read_names(kp_cbor_at_int(map, 0x01), info.versions[0],
                sizeof(info.versions[0]), KP_INFO_MAX, &info.n_versions);
        read_names(kp_cbor_at_int(map, 0x02), info.extensions[0],
                sizeof(info.extensions[0]), KP_INFO_MAX, &info.n_extensions);
        read_options(kp_cbor_at_int(map, 0x04), &info);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x05), &info.max_msg_size);
        read_pin_protocols(kp_cbor_at_int(map, 0x06), &info);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x07), &info.max_credentials_in_list);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x08), &info.max_credential_id_len);
        read_names(kp_cbor_at_int(map, 0x09), info.transports[0],
                sizeof(info.transports[0]), KP_NELEMS(info.transports),
                &info.n_transports);
        read_algorithms(kp_cbor_at_int(map, 0x0a), &info);
        (void)kp_cbor_is_bool(kp_cbor_at_int(map, 0x0c), &info.force_pin_change);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x0d), &info.min_pin_len);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x0e), &info.firmware);
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 0x14), &info.remaining_rk);
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
                .remaining_rk = 0,
        };
        (void)snprintf(ret->versions[0], sizeof(ret->versions[0]), "U2F_V2");
}
