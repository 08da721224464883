/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/* Extensions of MakeCredential and GetAssertion. Spec: CTAP 2.1 §12, CTAP 2.3 §12 */

/* Extensions that a simulated key has; what a profile lists besides is not told. */
static const char *const simulated[] = { "credBlob", "credProtect", "hmac-secret",
        "hmac-secret-mc", "largeBlobKey", "minPinLength", "pinComplexityPolicy",
        "thirdPartyPayment", "uvm" };

bool
kp_auth_extension(const struct kp_authenticator *key, const char *name)
{
        for (size_t i = 0; i < KP_NELEMS(simulated); i++)
                if (strcmp(simulated[i], name) == 0)
                        return kp_words_have(&key->facts->extensions, name);
        return false;
}

/* ---- inputs ---- */

/* Extensions whose input is a boolean. */
struct wish {
        const char *name;
        size_t offset; /* of a bool in struct kp_auth_inputs */
};
#define INPUT(member) offsetof(struct kp_auth_inputs, member)

static const struct wish wishes_of_make[] = {
        { "hmac-secret", INPUT(hmac_secret) },
        { "largeBlobKey", INPUT(large_blob_key) },
        { "minPinLength", INPUT(min_pin_length) },
        { "pinComplexityPolicy", INPUT(pin_complexity_policy) },
        { "thirdPartyPayment", INPUT(third_party_payment) },
        { "uvm", INPUT(uvm) },
};
static const struct wish wishes_of_get[] = {
        { "credBlob", INPUT(cred_blob) },
        { "largeBlobKey", INPUT(large_blob_key) },
        { "thirdPartyPayment", INPUT(third_party_payment) },
        { "uvm", INPUT(uvm) },
};

/* The input, if the key has the extension. */
static const cbor_item_t *
input_of(const struct kp_authenticator *key, const cbor_item_t *map, const char *name)
{
        const cbor_item_t *item = kp_cbor_at_str(map, name);

        return item != NULL && kp_auth_extension(key, name) ? item : NULL;
}

static int
read_wishes(const struct kp_authenticator *key, const cbor_item_t *map,
        const struct wish *wishes, size_t n, struct kp_auth_inputs *ret)
{
        for (size_t i = 0; i < n; i++) {
                const cbor_item_t *item = input_of(key, map, wishes[i].name);

                if (item != NULL && !kp_cbor_is_bool(item,
                                            (bool *)((char *)ret + wishes[i].offset)))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        }
        /* §12.3: true, or left out */
        if (input_of(key, map, "largeBlobKey") != NULL && !ret->large_blob_key)
                return KP_CTAP2_ERR_INVALID_OPTION;
        return KP_CTAP_OK;
}

int
kp_auth_inputs_make(const struct kp_authenticator *key, const cbor_item_t *map,
        bool discoverable, struct kp_auth_inputs *ret)
{
        const cbor_item_t *item;
        int status = kp_auth_want_map(map, false);

        if (status != KP_CTAP_OK || (status = read_wishes(key, map, wishes_of_make,
                                             KP_NELEMS(wishes_of_make), ret)) != 0)
                return status;
        if ((item = input_of(key, map, "credProtect")) != NULL) {
                if (!kp_cbor_is_int(item, &ret->cred_protect))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
                if (ret->cred_protect < 1 || ret->cred_protect > 3)
                        return KP_CTAP2_ERR_INVALID_OPTION;
        }
        if ((item = input_of(key, map, "credBlob")) != NULL) {
                ret->cred_blob = true;
                if (!kp_cbor_is_bytes(item, &ret->blob, &ret->blob_len))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        }
        if (ret->large_blob_key && !discoverable) /* §12.3 */
                return KP_CTAP2_ERR_INVALID_OPTION;
        /* CTAP 2.3 §12.8: only together */
        ret->salts = input_of(key, map, "hmac-secret-mc");
        return ret->salts != NULL && !ret->hmac_secret ? KP_CTAP2_ERR_MISSING_PARAMETER
                                                       : KP_CTAP_OK;
}

int
kp_auth_inputs_get(const struct kp_authenticator *key, const cbor_item_t *map,
        struct kp_auth_inputs *ret)
{
        int status = kp_auth_want_map(map, false);

        if (status != KP_CTAP_OK)
                return status;
        ret->salts = input_of(key, map, "hmac-secret");
        return read_wishes(key, map, wishes_of_get, KP_NELEMS(wishes_of_get), ret);
}

void
kp_auth_inputs_done(struct kp_auth_inputs *inputs)
{
        kp_auth_hmac_done(&inputs->hmac);
}

/* ---- outputs ---- */

/*
 * uvm: how the person was verified, how the key is protected, where the matcher runs.
 * Spec: WebAuthn L2 §10.3; FIDO Registry of Predefined Values v2.1 §3.1 to §3.3
 */
enum {
        USER_VERIFY_PRESENCE_INTERNAL = 0x01,
        USER_VERIFY_FINGERPRINT_INTERNAL = 0x02,
        USER_VERIFY_NONE = 0x200,
        USER_VERIFY_PASSCODE_EXTERNAL = 0x800,
        KEY_PROTECTION_HARDWARE = 0x02,
        MATCHER_PROTECTION_ON_CHIP = 0x04,
};

static void
put_uvm(const struct kp_authenticator *key, uint8_t flags, bool built_in,
        struct kp_buf *ret)
{
        int64_t method = flags & KP_AUTHDATA_UP ? USER_VERIFY_PRESENCE_INTERNAL
                                                : USER_VERIFY_NONE;

        if (flags & KP_AUTHDATA_UV)
                method = !built_in ? USER_VERIFY_PASSCODE_EXTERNAL
                         : key->facts->uv_modality > 0
                                 ? key->facts->uv_modality
                                 : USER_VERIFY_FINGERPRINT_INTERNAL;
        kp_cbor_put_text(ret, "uvm");
        kp_cbor_put_array(ret, 1);
        kp_cbor_put_array(ret, 3);
        kp_cbor_put_int(ret, method);
        kp_cbor_put_int(ret, KEY_PROTECTION_HARDWARE);
        kp_cbor_put_int(ret, MATCHER_PROTECTION_ON_CHIP);
}

/* What the PIN must be like is told to relying parties on the list only. §12.4 */
static bool
is_on_list(const struct kp_authenticator *key, const struct kp_buf *rp_id)
{
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                if (kp_bytes_equal(key->min_pin_rp_ids[i].data,
                            key->min_pin_rp_ids[i].len, rp_id->data, rp_id->len))
                        return true;
        return false;
}

static bool
keep_blob(const struct kp_authenticator *key, const struct kp_auth_inputs *inputs,
        struct kp_auth_credential *credential)
{
        if (!inputs->cred_blob || !credential->discoverable ||
                inputs->blob_len > (size_t)key->facts->max_cred_blob_length)
                return false;
        kp_buf_put(&credential->cred_blob, inputs->blob, inputs->blob_len);
        return true;
}

static void
put_bool(struct kp_buf *ret, const char *name, bool value)
{
        kp_cbor_put_text(ret, name);
        kp_cbor_put_bool(ret, value);
}

static void
put_int(struct kp_buf *ret, const char *name, int64_t value)
{
        kp_cbor_put_text(ret, name);
        kp_cbor_put_int(ret, value);
}

/* In canonical order of the names. largeBlobKey and thirdPartyPayment tell nothing. */
static int
put_outputs_make(struct kp_authenticator *key, const struct kp_auth_inputs *inputs,
        const struct kp_auth_request *r, struct kp_auth_credential *credential,
        struct kp_buf *ret)
{
        bool listed = is_on_list(key, &credential->rp_id);
        bool min_pin = inputs->min_pin_length && listed,
             complexity = inputs->pin_complexity_policy && listed;
        size_t n = (size_t)inputs->uvm + (size_t)inputs->cred_blob +
                   (inputs->cred_protect != 0) + (size_t)inputs->hmac_secret +
                   (size_t)min_pin + (size_t)inputs->hmac.asked + (size_t)complexity;
        bool kept = keep_blob(key, inputs, credential);
        int status = KP_CTAP_OK;

        if (n == 0)
                return KP_CTAP_OK;
        kp_cbor_put_map(ret, n);
        if (inputs->uvm)
                put_uvm(key, KP_AUTHDATA_UP | (r->verified ? KP_AUTHDATA_UV : 0),
                        r->built_in, ret);
        if (inputs->cred_blob)
                put_bool(ret, "credBlob", kept);
        if (inputs->cred_protect != 0)
                put_int(ret, "credProtect", inputs->cred_protect);
        if (inputs->hmac_secret)
                put_bool(ret, "hmac-secret", true);
        if (min_pin)
                put_int(ret, "minPinLength", key->min_pin_length);
        if (inputs->hmac.asked) {
                kp_cbor_put_text(ret, "hmac-secret-mc");
                status = kp_auth_hmac_put(
                        key, &inputs->hmac, credential, r->verified, ret);
        }
        if (complexity)
                put_bool(ret, "pinComplexityPolicy", key->pin_complex);
        return status;
}

int
kp_auth_outputs_make(struct kp_authenticator *key, const struct kp_auth_inputs *inputs,
        const struct kp_auth_request *r, struct kp_auth_credential *credential,
        struct kp_buf *ret)
{
        if (inputs->cred_protect != 0)
                credential->cred_protect = (int)inputs->cred_protect;
        credential->third_party_payment = inputs->third_party_payment;
        credential->has_large_blob_key = inputs->large_blob_key;
        if (inputs->large_blob_key)
                kp_random_bytes(key->random, credential->large_blob_key,
                        sizeof(credential->large_blob_key));
        return put_outputs_make(key, inputs, r, credential, ret);
}

int
kp_auth_outputs_get(struct kp_authenticator *key, const struct kp_auth_inputs *inputs,
        uint8_t flags, bool built_in, const struct kp_auth_credential *credential,
        struct kp_buf *ret)
{
        size_t n = (size_t)inputs->uvm + (size_t)inputs->cred_blob +
                   (size_t)inputs->hmac.asked + (size_t)inputs->third_party_payment;
        int status = KP_CTAP_OK;

        if (n == 0)
                return KP_CTAP_OK;
        kp_cbor_put_map(ret, n);
        if (inputs->uvm)
                put_uvm(key, flags, built_in, ret);
        if (inputs->cred_blob) { /* empty where the credential has none */
                kp_cbor_put_text(ret, "credBlob");
                kp_cbor_put_bytes(
                        ret, credential->cred_blob.data, credential->cred_blob.len);
        }
        if (inputs->hmac.asked) {
                kp_cbor_put_text(ret, "hmac-secret");
                status = kp_auth_hmac_put(key, &inputs->hmac, credential,
                        (flags & KP_AUTHDATA_UV) != 0, ret);
        }
        if (inputs->third_party_payment)
                put_bool(ret, "thirdPartyPayment", credential->third_party_payment);
        return status;
}
