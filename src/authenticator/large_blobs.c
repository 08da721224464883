/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/* authenticatorLargeBlobs. Spec: CTAP 2.1 §6.10 */
#define TRAILER_LEN 16
#define SHORTEST 17         /* an empty array and its trailer */
#define SMALLEST_STORE 1024 /* every key that has large blobs stores this much */
#define MESSAGE_OVERHEAD 64 /* maxFragmentLength = maxMsgSize - 64 */
#define DEFAULT_MAX_MSG_SIZE 1024

static const uint8_t empty_array[SHORTEST] = { 0x80, 0x76, 0xbe, 0x8b, 0x52, 0x8d, 0x00,
        0x75, 0xf7, 0xaa, 0xe9, 0x8d, 0x6f, 0xa5, 0x7a, 0x6d, 0x3c };

void
kp_auth_blobs_forget(struct kp_authenticator *key)
{
        struct kp_auth_blobs *blobs = &key->blobs;

        kp_buf_done(&blobs->pending);
        blobs->expected_length = blobs->expected_next = 0;
        blobs->authenticated = false;
}

bool
kp_auth_blobs_clear(struct kp_authenticator *key)
{
        struct kp_buf fresh = { 0 };

        kp_buf_put(&fresh, empty_array, sizeof(empty_array));
        if (fresh.failed)
                return false;
        kp_auth_blobs_forget(key);
        kp_buf_done(&key->blobs.array);
        key->blobs.array = fresh;
        return true;
}

/* ---- parameters ---- */

struct blobs_params {
        bool has_get, has_offset, has_length, has_protocol;
        uint64_t get, offset, length;
        int64_t protocol;
        const uint8_t *set, *param; /* NULL: absent */
        size_t set_len, param_len;
};

static int
want_unsigned(const cbor_item_t *item, bool *ret_has, uint64_t *ret)
{
        *ret_has = item != NULL;
        if (item == NULL)
                return KP_CTAP_OK;
        if (!cbor_isa_uint(item))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        *ret = cbor_get_int(item);
        return KP_CTAP_OK;
}

static int
params_read(const cbor_item_t *map, struct blobs_params *ret)
{
        int status;

        ret->has_protocol = kp_cbor_at_int(map, 6) != NULL;
        if ((status = want_unsigned(
                     kp_cbor_at_int(map, 1), &ret->has_get, &ret->get)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 2), false, &ret->set,
                         &ret->set_len)) != 0 ||
                (status = want_unsigned(kp_cbor_at_int(map, 3), &ret->has_offset,
                         &ret->offset)) != 0 ||
                (status = want_unsigned(kp_cbor_at_int(map, 4), &ret->has_length,
                         &ret->length)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(map, 5), false, &ret->param,
                         &ret->param_len)) != 0)
                return status;
        return kp_auth_want_int(kp_cbor_at_int(map, 6), false, &ret->protocol);
}

static uint64_t
max_fragment_length(const struct kp_authenticator *key)
{
        int64_t size = key->facts->max_msg_size > 0 ? key->facts->max_msg_size
                                                    : DEFAULT_MAX_MSG_SIZE;

        return (uint64_t)(size - MESSAGE_OVERHEAD);
}

/* ---- get ---- */

static int
blobs_get(struct kp_authenticator *key, const struct blobs_params *params,
        struct kp_buf *answer)
{
        const struct kp_buf *array = &key->blobs.array;
        uint64_t left;

        /* anybody may read, so there is nothing to authenticate */
        if (params->has_length || params->param != NULL || params->has_protocol)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (params->get > max_fragment_length(key))
                return KP_CTAP1_ERR_INVALID_LENGTH;
        if (params->offset > array->len)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        left = array->len - params->offset;
        kp_cbor_put_map(answer, 1);
        kp_cbor_put_int(answer, 1);
        kp_cbor_put_bytes(answer, array->data + params->offset,
                (size_t)(params->get < left ? params->get : left));
        return KP_CTAP_OK;
}

/* ---- set ---- */

/* What a write may be long, and where it may go on. */
static int
write_check(struct kp_authenticator *key, const struct blobs_params *params)
{
        struct kp_auth_blobs *blobs = &key->blobs;

        if (params->offset != 0) {
                if (params->has_length)
                        return KP_CTAP1_ERR_INVALID_PARAMETER;
                return params->offset == blobs->expected_next &&
                                       blobs->channel == key->channel
                               ? KP_CTAP_OK
                               : KP_CTAP1_ERR_INVALID_SEQ;
        }
        if (!params->has_length)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (params->length > SMALLEST_STORE &&
                params->length > (uint64_t)key->facts->max_large_blob)
                return KP_CTAP2_ERR_LARGE_BLOB_STORAGE_FULL;
        if (params->length < SHORTEST)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        kp_auth_blobs_forget(key);
        blobs->expected_length = params->length;
        blobs->channel = key->channel;
        return KP_CTAP_OK;
}

/* 32 × 0xff || 0x0c 0x00 || uint32LittleEndian(offset) || SHA-256(set) */
static bool
token_signed(struct kp_authenticator *key, const struct blobs_params *params)
{
        uint8_t message[32 + 2 + 4 + KP_AUTH_HASH_LEN];
        uint8_t *at = message + 32;

        memset(message, 0xff, 32);
        *at++ = KP_CTAP_LARGE_BLOBS;
        *at++ = 0;
        for (int shift = 0; shift < 32; shift += 8)
                *at++ = (uint8_t)(params->offset >> shift);
        kp_auth_hash(params->set, params->set_len, at);
        return kp_auth_token_verify(key, (int)params->protocol, message,
                sizeof(message), params->param, params->param_len);
}

static int
check_token(struct kp_authenticator *key, const struct blobs_params *params)
{
        const struct kp_auth_token *token = &key->pin.token;

        if (!kp_auth_protected(key) && !key->always_uv)
                return KP_CTAP_OK;
        if (params->param == NULL)
                return KP_CTAP2_ERR_PUAT_REQUIRED;
        if (!params->has_protocol)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if (!kp_auth_pin_protocol(key, params->protocol))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        /* lbw outlives the touch that spends the user verified flag: only it is asked */
        if (!token_signed(key, params) ||
                (!token->plain && !(token->permissions & KP_CTAP_PERM_LBW)))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        key->blobs.authenticated = true;
        return KP_CTAP_OK;
}

/* All of it is there: it replaces the array if its trailer is right. */
static int
write_finish(struct kp_authenticator *key)
{
        struct kp_auth_blobs *blobs = &key->blobs;
        size_t content_len = blobs->pending.len - TRAILER_LEN;
        uint8_t hash[KP_AUTH_HASH_LEN];
        bool intact;

        kp_auth_hash(blobs->pending.data, content_len, hash);
        intact = memcmp(hash, blobs->pending.data + content_len, TRAILER_LEN) == 0;
        if (intact) {
                struct kp_buf old = blobs->array;

                blobs->array = blobs->pending;
                blobs->pending = old;
        }
        kp_auth_blobs_forget(key);
        return intact ? KP_CTAP_OK : KP_CTAP2_ERR_INTEGRITY_FAILURE;
}

static int
blobs_set(struct kp_authenticator *key, const struct blobs_params *params)
{
        struct kp_auth_blobs *blobs = &key->blobs;
        int status;

        if (params->set_len > max_fragment_length(key))
                return KP_CTAP1_ERR_INVALID_LENGTH;
        kp_auth_token_age(key); /* one that has run out takes its write with it */
        if ((status = write_check(key, params)) != KP_CTAP_OK ||
                (status = check_token(key, params)) != KP_CTAP_OK)
                return status;
        if (params->set_len > blobs->expected_length - params->offset)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        kp_buf_put(&blobs->pending, params->set, params->set_len);
        if (blobs->pending.failed) {
                kp_auth_blobs_forget(key);
                return KP_CTAP1_ERR_OTHER;
        }
        blobs->expected_next = blobs->pending.len;
        return blobs->expected_next == blobs->expected_length ? write_finish(key)
                                                              : KP_CTAP_OK;
}

int
kp_auth_large_blobs(
        struct kp_authenticator *key, const cbor_item_t *map, struct kp_buf *answer)
{
        struct blobs_params params = { 0 };
        int status = params_read(map, &params);

        if (status != KP_CTAP_OK)
                return status;
        if (!params.has_offset || params.has_get == (params.set != NULL))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        return params.has_get ? blobs_get(key, &params, answer)
                              : blobs_set(key, &params);
}
