/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/* authenticatorConfig. Spec: CTAP 2.1 §6.11 */

enum sub_command {
        TOGGLE_ALWAYS_UV = 0x02,
        SET_MIN_PIN_LENGTH = 0x03,
};

static int
toggle_always_uv(struct kp_authenticator *key, const cbor_item_t *params)
{
        (void)params;
        key->always_uv = !key->always_uv;
        return KP_CTAP_OK;
}

/* The whole new list, or nothing: kept only when every entry is right. */
static int
take_rp_ids(struct kp_authenticator *key, const cbor_item_t *array)
{
        const char *id;
        size_t n, len;

        if (array == NULL)
                return KP_CTAP_OK;
        if (!kp_cbor_is_array(array, &n))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        for (size_t i = 0; i < n; i++)
                if (!kp_cbor_is_text(cbor_array_handle(array)[i], &id, &len))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        if (n > (size_t)key->facts->max_min_pin_rp_ids || n > KP_AUTH_RP_IDS_MAX)
                return KP_CTAP2_ERR_KEY_STORE_FULL;
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                kp_buf_done(&key->min_pin_rp_ids[i]);
        key->n_min_pin_rp_ids = n;
        for (size_t i = 0; i < n; i++) {
                (void)kp_cbor_is_text(cbor_array_handle(array)[i], &id, &len);
                kp_buf_put(&key->min_pin_rp_ids[i], id, len);
        }
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.11.4 */
static int
set_min_pin_length(struct kp_authenticator *key, const cbor_item_t *params)
{
        int64_t length = key->min_pin_length;
        bool force = false;
        const cbor_item_t *wanted = kp_cbor_at_int(params, 3);
        int status = kp_auth_want_int(kp_cbor_at_int(params, 1), false, &length);

        if (status != KP_CTAP_OK)
                return status;
        if (wanted != NULL && !kp_cbor_is_bool(wanted, &force))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        if (length < key->min_pin_length || length > 63)
                return KP_CTAP2_ERR_PIN_POLICY_VIOLATION;
        if (force && !key->pin_set)
                return KP_CTAP2_ERR_PIN_NOT_SET;
        if ((status = take_rp_ids(key, kp_cbor_at_int(params, 2))) != KP_CTAP_OK)
                return status;
        key->min_pin_length = length;
        if (force || (key->pin_set && key->pin_code_points < length)) {
                key->force_pin_change = true;
                kp_auth_token_end(key);
        }
        return KP_CTAP_OK;
}

static const struct {
        uint8_t number;
        enum kp_key_option_id option; /* there where the subcommand is */
        int (*run)(struct kp_authenticator *key, const cbor_item_t *params);
} sub_commands[] = {
        { TOGGLE_ALWAYS_UV, KP_OPTION_ALWAYS_UV, toggle_always_uv },
        { SET_MIN_PIN_LENGTH, KP_OPTION_SET_MIN_PIN_LENGTH, set_min_pin_length },
};

/* verify(token, 32×0xff || 0x0d || subCommand || subCommandParams, pinUvAuthParam) */
static int
check_token(struct kp_authenticator *key, const cbor_item_t *map, uint8_t sub_command)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        const uint8_t *param;
        size_t param_len;
        int64_t protocol;
        uint8_t head[34];
        int status;

        if (!kp_auth_protected(key))
                return KP_CTAP_OK;
        if (kp_cbor_at_int(map, 4) == NULL)
                return KP_CTAP2_ERR_PUAT_REQUIRED;
        if ((status = kp_auth_want_int(kp_cbor_at_int(map, 3), true, &protocol)) != 0 ||
                (status = kp_auth_want_bytes(
                         kp_cbor_at_int(map, 4), true, &param, &param_len)) != 0)
                return status;
        if (!kp_auth_pin_protocol(key, protocol))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        memset(head, 0xff, 32);
        head[32] = KP_CTAP_CONFIG;
        head[33] = sub_command;
        kp_buf_put(&message, head, sizeof(head));
        if (kp_cbor_at_int(map, 2) != NULL)
                kp_cbor_put_item(&message, kp_cbor_at_int(map, 2));
        if (message.failed)
                return KP_CTAP1_ERR_OTHER;
        if (!kp_auth_token_verify(
                    key, (int)protocol, message.data, message.len, param, param_len) ||
                !kp_auth_token_allows(key, KP_CTAP_PERM_ACFG))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        return KP_CTAP_OK;
}

int
kp_auth_config(
        struct kp_authenticator *key, const cbor_item_t *map, struct kp_buf *answer)
{
        const cbor_item_t *params = kp_cbor_at_int(map, 2);
        int64_t number;
        int status;

        (void)answer;
        if ((status = kp_auth_want_int(kp_cbor_at_int(map, 1), true, &number)) != 0 ||
                (status = kp_auth_want_map(params, false)) != 0)
                return status;
        for (size_t i = 0; i < KP_NELEMS(sub_commands); i++) {
                if (sub_commands[i].number != number ||
                        kp_auth_option(key, sub_commands[i].option) < 0)
                        continue;
                if ((status = check_token(key, map, (uint8_t)number)) != KP_CTAP_OK)
                        return status;
                return sub_commands[i].run(key, params);
        }
        return KP_CTAP1_ERR_INVALID_PARAMETER;
}
