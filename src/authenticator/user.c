/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

/*
 * What authenticatorMakeCredential and authenticatorGetAssertion ask of the person.
 * Spec: CTAP 2.1 §6.1.2, §6.2.2
 */

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

int
kp_auth_request_unverified(const struct kp_authenticator *key, bool if_set)
{
        int pin = kp_auth_option(key, KP_OPTION_CLIENT_PIN);

        return pin == 1 || (pin == 0 && !if_set) ? KP_CTAP2_ERR_PUAT_REQUIRED
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
        return KP_CTAP_OK;
}

static int
verify_person(struct kp_authenticator *key, struct kp_auth_request *r)
{
        switch (kp_auth_finger_verify(key, true)) {
        case KP_AUTH_TOUCH_PENDING:
                return KP_AUTH_PENDING;
        case KP_AUTH_TOUCH_GIVEN:
                r->verified = r->present = true;
                return KP_CTAP_OK;
        case KP_AUTH_TOUCH_TIMEOUT:
                return KP_CTAP2_ERR_USER_ACTION_TIMEOUT;
        default:
                break;
        }
        if (key->pin_set)
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
kp_auth_request_touch(struct kp_authenticator *key, struct kp_auth_request *r)
{
        int status;

        if (r->present)
                return KP_CTAP_OK;
        if (!r->has_pin_param || !kp_auth_token_user_present(key)) {
                status = kp_auth_touch_status(key, kp_auth_finger_touch(key));
                if (status != KP_CTAP_OK)
                        return status;
        }
        kp_auth_token_spend(key);
        return KP_CTAP_OK;
}
