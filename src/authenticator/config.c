/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/* authenticatorConfig. Spec: CTAP 2.1 §6.11; its newer parts are of CTAP 2.2 and 2.3 */
#define PIN_LENGTH_MAX 63

enum sub_command {
        ENABLE_ENTERPRISE_ATTESTATION = 0x01,
        TOGGLE_ALWAYS_UV = 0x02,
        SET_MIN_PIN_LENGTH = 0x03,
        ENABLE_LONG_TOUCH_FOR_RESET = 0x04,
        VENDOR_PROTOTYPE = 0xff,
};

/* Spec: CTAP 2.1 §6.11.1: once on, on until reset */
static int
enable_enterprise(struct kp_authenticator *key, const cbor_item_t *params)
{
        (void)params;
        key->enterprise = true;
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.1 §6.11.2; what follows from it is told by kp_auth_option() */
static int
toggle_always_uv(struct kp_authenticator *key, const cbor_item_t *params)
{
        (void)params;
        key->always_uv = !key->always_uv;
        return KP_CTAP_OK;
}

/* Spec: CTAP 2.3 §6.11; once on, on until reset */
static int
enable_long_touch(struct kp_authenticator *key, const cbor_item_t *params)
{
        (void)params;
        key->long_touch = true;
        return KP_CTAP_OK;
}

/* ---- setMinPINLength: CTAP 2.1 §6.11.4 ---- */

struct min_pin {
        int64_t length;
        const cbor_item_t *rp_ids; /* NULL: none, or an empty list */
        size_t n_rp_ids;
        bool force, complex;
};

static int
min_pin_read(const struct kp_authenticator *key, const cbor_item_t *params,
        struct min_pin *ret)
{
        const cbor_item_t *force = kp_cbor_at_int(params, 3);
        const cbor_item_t *complex = kp_cbor_at_int(params, 4);
        const char *id;
        size_t len;
        int status;

        ret->length = key->min_pin_length;
        ret->rp_ids = kp_cbor_at_int(params, 2);
        if ((status = kp_auth_want_int(
                     kp_cbor_at_int(params, 1), false, &ret->length)) != KP_CTAP_OK)
                return status;
        if ((force != NULL && !kp_cbor_is_bool(force, &ret->force)) ||
                (complex != NULL && !kp_cbor_is_bool(complex, &ret->complex)) ||
                (ret->rp_ids != NULL && !kp_cbor_is_array(ret->rp_ids, &ret->n_rp_ids)))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        for (size_t i = 0; i < ret->n_rp_ids; i++) {
                if (!kp_cbor_is_text(cbor_array_handle(ret->rp_ids)[i], &id, &len))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
                if (len > 0 && memchr(id, 0, len) != NULL) /* no domain has a NUL */
                        return KP_CTAP1_ERR_INVALID_PARAMETER;
        }
        return KP_CTAP_OK;
}

/* Steps 2 to 4 and 8, as far as they refuse: nothing has been written yet. */
static int
min_pin_check(const struct kp_authenticator *key, const struct min_pin *wanted)
{
        int64_t most = key->facts->max_pin_length > 0 ? key->facts->max_pin_length
                                                      : PIN_LENGTH_MAX;

        if (wanted->rp_ids != NULL && !kp_auth_extension(key, "minPinLength") &&
                !kp_auth_extension(key, "pinComplexityPolicy"))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (wanted->length < key->min_pin_length || wanted->length > most)
                return KP_CTAP2_ERR_PIN_POLICY_VIOLATION;
        if (wanted->force && !key->pin_set)
                return KP_CTAP2_ERR_PIN_NOT_SET;
        if (wanted->n_rp_ids > (size_t)key->facts->max_min_pin_rp_ids ||
                wanted->n_rp_ids > KP_AUTH_RP_IDS_MAX)
                return KP_CTAP2_ERR_KEY_STORE_FULL;
        return KP_CTAP_OK;
}

/* The whole new list in place of the old one; an empty list changes nothing. */
static int
take_rp_ids(struct kp_authenticator *key, const struct min_pin *wanted)
{
        bool failed = false;

        if (wanted->n_rp_ids == 0)
                return KP_CTAP_OK;
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                kp_buf_done(&key->min_pin_rp_ids[i]);
        key->n_min_pin_rp_ids = wanted->n_rp_ids;
        for (size_t i = 0; i < wanted->n_rp_ids; i++) {
                const char *id = NULL;
                size_t len = 0;

                (void)kp_cbor_is_text(cbor_array_handle(wanted->rp_ids)[i], &id, &len);
                kp_buf_put(&key->min_pin_rp_ids[i], id, len);
                failed = failed || key->min_pin_rp_ids[i].failed;
        }
        return failed ? KP_CTAP1_ERR_OTHER : KP_CTAP_OK;
}

/*
 * Step 5: the policy can be switched on where getInfo tells of one. A key keeps only a
 * hash, so it cannot know whether the PIN that is set would do: it must be changed.
 */
static void
take_complexity(struct kp_authenticator *key, const struct min_pin *wanted)
{
        if (!wanted->complex || key->facts->pin_complexity_policy < 0 ||
                key->pin_complex)
                return;
        key->pin_complex = true;
        key->force_pin_change = key->force_pin_change || key->pin_set;
}

static int
set_min_pin_length(struct kp_authenticator *key, const cbor_item_t *params)
{
        struct min_pin wanted = { 0 };
        int status;

        if ((status = min_pin_read(key, params, &wanted)) != KP_CTAP_OK ||
                (status = min_pin_check(key, &wanted)) != KP_CTAP_OK ||
                (status = take_rp_ids(key, &wanted)) != KP_CTAP_OK)
                return status;
        take_complexity(key, &wanted);
        key->min_pin_length = wanted.length;
        if (wanted.force || (key->pin_set && key->pin_code_points < wanted.length))
                key->force_pin_change = true;
        if (key->force_pin_change) { /* step 7 */
                kp_auth_token_end(key);
                kp_auth_persistent_end(key);
        }
        return KP_CTAP_OK;
}

/*
 * DEVIATION CTAP 2.1 §6.11.3: a vendor's own commands do something; what it is, is not
 * public, so ours are known by their numbers and do nothing.
 */
static int
vendor_prototype(struct kp_authenticator *key, const cbor_item_t *params)
{
        const struct kp_key_facts *facts = key->facts;
        int64_t id;
        int status = kp_auth_want_int(kp_cbor_at_int(params, 1), true, &id);

        if (status != KP_CTAP_OK)
                return status;
        for (size_t i = 0; i < facts->n_vendor_config_commands; i++)
                if (facts->vendor_config_commands[i] == id)
                        return KP_CTAP_OK;
        return KP_CTAP1_ERR_INVALID_PARAMETER;
}

/* ---- dispatch ---- */

static bool
has_enterprise(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_EP) >= 0;
}

static bool
has_always_uv(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_ALWAYS_UV) >= 0;
}

static bool
has_min_pin_length(const struct kp_authenticator *key)
{
        return kp_auth_option(key, KP_OPTION_SET_MIN_PIN_LENGTH) == 1;
}

static bool
has_long_touch(const struct kp_authenticator *key)
{
        return key->facts->long_touch_for_reset >= 0 && !key->facts->long_touch_fixed;
}

static bool
has_vendor_prototype(const struct kp_authenticator *key)
{
        return key->facts->n_vendor_config_commands > 0;
}

/* Spec table: CTAP 2.3 §6.11, subcommands in order of number. */
/* clang-format off */
static const struct {
        uint8_t number;
        bool (*exists)(const struct kp_authenticator *key);
        int (*run)(struct kp_authenticator *key, const cbor_item_t *params);
} sub_commands[] = {
        { ENABLE_ENTERPRISE_ATTESTATION, has_enterprise,       enable_enterprise },
        { TOGGLE_ALWAYS_UV,              has_always_uv,        toggle_always_uv },
        { SET_MIN_PIN_LENGTH,            has_min_pin_length,   set_min_pin_length },
        { ENABLE_LONG_TOUCH_FOR_RESET,   has_long_touch,       enable_long_touch },
        { VENDOR_PROTOTYPE,              has_vendor_prototype, vendor_prototype },
};
/* clang-format on */

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

        if (kp_cbor_at_int(map, 4) == NULL)
                return kp_auth_protected(key) ? KP_CTAP2_ERR_PUAT_REQUIRED
                                              : kp_auth_request_unverified(key, false);
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

/*
 * Steps 3 and 4: nobody can be verified on a key that has no PIN yet and came with
 * alwaysUv on, so that alone may be switched off without; everything else asks.
 */
static bool
needs_token(const struct kp_authenticator *key, int64_t number)
{
        if (kp_auth_protected(key))
                return true;
        return key->always_uv && number != TOGGLE_ALWAYS_UV;
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
                if (sub_commands[i].number != number || !sub_commands[i].exists(key))
                        continue;
                if (needs_token(key, number) &&
                        (status = check_token(key, map, (uint8_t)number)) != KP_CTAP_OK)
                        return status;
                return sub_commands[i].run(key, params);
        }
        return KP_CTAP1_ERR_INVALID_PARAMETER;
}
