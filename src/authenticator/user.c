/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

/*
 * What authenticatorMakeCredential and authenticatorGetAssertion ask of the person.
 * Spec: CTAP 2.1 §6.1.2, §6.2.2
 */

/* ---- the request ---- */

static int
read_options(const cbor_item_t *options, struct kp_auth_request *r)
{
        int status = kp_auth_want_map(options, false);

        if (status != KP_CTAP_OK ||
                (status = kp_auth_want_option(options, "rk", &r->rk)) != KP_CTAP_OK ||
                (status = kp_auth_want_option(options, "up", &r->up)) != KP_CTAP_OK)
                return status;
        return kp_auth_want_option(options, "uv", &r->uv);
}

static int
read_list(const struct kp_authenticator *key, const cbor_item_t *item,
        struct kp_auth_list *ret)
{
        if (item == NULL)
                return KP_CTAP_OK;
        if (!kp_cbor_is_array(item, &ret->n))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        ret->array = item;
        return kp_auth_list_check(key, ret);
}

static int
read_pin(const cbor_item_t *param, const cbor_item_t *protocol,
        struct kp_auth_request *r)
{
        int status = kp_auth_want_bytes(param, false, &r->pin_param, &r->pin_param_len);

        r->has_pin_param = param != NULL;
        r->has_protocol = protocol != NULL;
        return status != KP_CTAP_OK ? status
                                    : kp_auth_want_int(protocol, false, &r->protocol);
}

int
kp_auth_request_read(const struct kp_authenticator *key, const cbor_item_t *params,
        const struct kp_auth_members *at, struct kp_auth_request *r,
        struct kp_auth_list *list)
{
        size_t len = 0;
        int status = kp_auth_want_bytes(kp_cbor_at_int(params, at->client_data_hash),
                true, &r->client_data_hash, &len);

        if (status != KP_CTAP_OK)
                return status;
        if (len != KP_AUTH_HASH_LEN)
                return KP_CTAP1_ERR_INVALID_LENGTH;
        if ((status = read_list(key, kp_cbor_at_int(params, at->list), list)) != 0 ||
                (status = read_options(kp_cbor_at_int(params, at->options), r)) != 0)
                return status;
        return read_pin(kp_cbor_at_int(params, at->pin_param),
                kp_cbor_at_int(params, at->protocol), r);
}

/* MakeCredential step 5, GetAssertion step 4; in CTAP 2.0 both codes are reversed. */
int
kp_auth_request_uv(const struct kp_authenticator *key, struct kp_auth_request *r)
{
        if (r->has_pin_param)
                r->uv = 0;
        if (r->uv != 1 || kp_auth_uv_ready(key))
                return KP_CTAP_OK;
        return key->ctap21 ? KP_CTAP2_ERR_INVALID_OPTION
                           : KP_CTAP2_ERR_UNSUPPORTED_OPTION;
}

/* ---- the person ---- */

/* Steps 1 and 2 of both. */
int
kp_auth_request_pin_param(struct kp_authenticator *key, const struct kp_auth_request *r)
{
        int status;

        if (!r->has_pin_param)
                return KP_CTAP_OK;
        if (r->pin_param_len == 0 && key->facts->n_pin_protocols > 0) {
                /* a platform asks which of several keys the person means */
                status = kp_auth_touch_status(key, kp_auth_finger_touch(key));
                if (status != KP_CTAP_OK)
                        return status;
                return key->pin_set ? KP_CTAP2_ERR_PIN_INVALID
                                    : KP_CTAP2_ERR_PIN_NOT_SET;
        }
        if (!r->has_protocol)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        /* CTAP 2.0 §5.1 has PIN_AUTH_INVALID */
        if (!kp_auth_pin_protocol(key, r->protocol))
                return key->ctap21 ? KP_CTAP1_ERR_INVALID_PARAMETER
                                   : KP_CTAP2_ERR_PIN_AUTH_INVALID;
        return KP_CTAP_OK;
}

/* May a PIN open these commands? Spec: CTAP 2.1 §6.4 noMcGaPermissionsWithClientPin */
static bool
takes_pin(const struct kp_authenticator *key, bool if_set)
{
        int pin = kp_auth_option(key, KP_OPTION_CLIENT_PIN);

        return (pin == 1 || (pin == 0 && !if_set)) &&
               kp_auth_option(key, KP_OPTION_NO_MC_GA_WITH_PIN) != 1;
}

int
kp_auth_request_unverified(const struct kp_authenticator *key, bool if_set)
{
        return takes_pin(key, if_set) ? KP_CTAP2_ERR_PUAT_REQUIRED
                                      : KP_CTAP2_ERR_OPERATION_DENIED;
}

/* MakeCredential step 6, GetAssertion step 5. */
int
kp_auth_request_always_uv(struct kp_authenticator *key, struct kp_auth_request *r)
{
        if (!key->always_uv)
                return KP_CTAP_OK;
        if (!kp_auth_protected(key))
                return kp_auth_request_unverified(key, false);
        if (r->has_pin_param)
                return KP_CTAP_OK;
        if (kp_auth_uv_ready(key))
                r->uv = 1;
        return r->uv == 1 ? KP_CTAP_OK : kp_auth_request_unverified(key, false);
}

/*
 * DEVIATION CTAP 2.1 §6.1.2 step 11, §6.2.2 step 6: looks at pinUvAuthParam only where
 * the key is protected; we refuse it on an unprotected key too, because no token can
 * have been handed out and CTAP 2.0 has PIN_AUTH_INVALID there.
 */
static int
verify_token(struct kp_authenticator *key, struct kp_auth_request *r)
{
        if (!kp_auth_token_verify(key, (int)r->protocol, r->client_data_hash,
                    KP_AUTH_HASH_LEN, r->pin_param, r->pin_param_len) ||
                !kp_auth_token_allows(key, r->permission) ||
                !kp_auth_token_fits(key, r->rp_id_hash))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        kp_auth_token_bind(key, r->rp_id_hash);
        r->verified = true;
        /* a finger was there when the key gave it out, none when the PIN was typed */
        r->built_in = kp_auth_uv_ready(key) && kp_auth_token_user_present(key);
        return KP_CTAP_OK;
}

static int
verify_person(struct kp_authenticator *key, struct kp_auth_request *r)
{
        switch (kp_auth_finger_verify(key, true)) {
        case KP_AUTH_TOUCH_PENDING:
                return KP_AUTH_PENDING;
        case KP_AUTH_TOUCH_GIVEN:
                r->verified = r->present = r->built_in = true;
                return KP_CTAP_OK;
        case KP_AUTH_TOUCH_TIMEOUT:
                return KP_CTAP2_ERR_USER_ACTION_TIMEOUT;
        default:
                break;
        }
        if (!key->ctap21) /* CTAP 2.0 §5.1 step 8, §5.2 step 7 know one code */
                return KP_CTAP2_ERR_OPERATION_DENIED;
        if (takes_pin(key, true))
                return KP_CTAP2_ERR_PUAT_REQUIRED;
        return key->uv_retries == 0 ? KP_CTAP2_ERR_PIN_BLOCKED
                                    : KP_CTAP2_ERR_OPERATION_DENIED;
}

/* MakeCredential step 11, GetAssertion step 6. */
int
kp_auth_request_verify(struct kp_authenticator *key, struct kp_auth_request *r)
{
        if (r->has_pin_param)
                return verify_token(key, r);
        return r->uv == 1 ? verify_person(key, r) : KP_CTAP_OK;
}

/* MakeCredential steps 13 and 14, GetAssertion steps 8 and 9. */
int
kp_auth_request_present(struct kp_authenticator *key, const struct kp_auth_request *r)
{
        if (r->present || (r->has_pin_param && kp_auth_token_user_present(key)))
                return KP_CTAP_OK;
        return kp_auth_touch_status(key, kp_auth_finger_touch(key));
}

int
kp_auth_request_touch(struct kp_authenticator *key, struct kp_auth_request *r)
{
        int status = kp_auth_request_present(key, r);

        if (status == KP_CTAP_OK && !r->present)
                kp_auth_token_spend(key);
        return status;
}
