/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/*
 * Authenticator data, and what a broken key makes of it. Spec: WebAuthn L3 §6.1
 */

/* The counter that the model keeps; NULL where it counts nothing. */
static uint32_t *
counter_of(struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        switch (key->facts->counter) {
        case KP_COUNTER_DEVICE:
                return &key->counter;
        case KP_COUNTER_CREDENTIAL:
                return &credential->counter;
        case KP_COUNTER_ZERO:
                break;
        }
        return NULL;
}

/* By how much a faulty counter is off: at least by one. */
static bool
is_off(struct kp_authenticator *key, enum kp_auth_point point, uint32_t *ret)
{
        int64_t value = 0;

        if (!kp_auth_fault(key, point, &value))
                return false;
        *ret = value < 1 ? 1 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
        return true;
}

uint32_t
kp_auth_credential_count(
        struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        uint32_t *counter = counter_of(key, credential), by;

        if (counter == NULL)
                return 0;
        /* the copy answers, and this key's own counter does not know of its uses */
        if (is_off(key, KP_POINT_CLONE, &by))
                return *counter + by;
        if (is_off(key, KP_POINT_COUNTER_BACK, &by))
                return *counter -= by < *counter ? by : *counter;
        if (is_off(key, KP_POINT_COUNTER_JUMP, &by))
                *counter += by;
        if (kp_auth_fault(key, KP_POINT_COUNTER_STILL, NULL))
                return *counter;
        return ++*counter;
}

/* Flags of the backup and of the person, wrong where a fault says so. */
static uint8_t
flags_of(struct kp_authenticator *key, uint8_t flags, bool registration)
{
        if (key->facts->backup_eligible)
                flags |= KP_AUTHDATA_BE;
        if (key->facts->backed_up)
                flags |= KP_AUTHDATA_BS;
        /* another than at registration; without BE there is no BS either */
        if (!registration && kp_auth_fault(key, KP_POINT_BE_FLIPPED, NULL)) {
                flags ^= KP_AUTHDATA_BE;
                if ((flags & KP_AUTHDATA_BE) == 0)
                        flags &= (uint8_t)~KP_AUTHDATA_BS;
        }
        if (kp_auth_fault(key, KP_POINT_BS_WITHOUT_BE, NULL))
                flags = (uint8_t)((flags & ~KP_AUTHDATA_BE) | KP_AUTHDATA_BS);
        if (kp_auth_fault(key, KP_POINT_FLAG_UP, NULL))
                flags &= (uint8_t)~KP_AUTHDATA_UP;
        if (kp_auth_fault(key, KP_POINT_FLAG_UV, NULL))
                flags &= (uint8_t)~KP_AUTHDATA_UV;
        return flags;
}

int
kp_auth_data(struct kp_authenticator *key, struct kp_auth_credential *credential,
        uint8_t flags, const struct kp_buf *public_key, const struct kp_buf *extensions,
        struct kp_buf *ret)
{
        static const char another[] = "another.invalid";
        bool registration = public_key->len > 0;
        uint8_t wrong[KP_AUTH_HASH_LEN];
        struct kp_authdata data = {
                .rp_id_hash = credential->rp_id_hash,
                .flags = flags_of(key, flags, registration),
                .sign_count = kp_auth_credential_count(key, credential),
                .extensions = extensions->data,
                .extensions_len = extensions->len,
        };

        if (public_key->failed || extensions->failed)
                return KP_CTAP1_ERR_OTHER;
        if (kp_auth_fault(key, KP_POINT_RP_ID_HASH, NULL)) {
                kp_auth_hash(another, strlen(another), wrong);
                data.rp_id_hash = wrong;
        }
        if (registration) {
                data.aaguid = key->facts->aaguid;
                data.credential_id = credential->id.data;
                data.credential_id_len = credential->id.len;
                data.public_key = public_key->data;
                data.public_key_len = public_key->len;
        }
        kp_authdata_put(ret, &data);
        return ret->failed ? KP_CTAP1_ERR_OTHER : KP_CTAP_OK;
}
