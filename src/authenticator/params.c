/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

#define NAME_MAX_LEN 64 /* CTAP 2.1 §6.1.2: at least 64 bytes of a name are kept */
#define USER_ID_MAX_LEN 64

static int
absent(bool required)
{
        return required ? KP_CTAP2_ERR_MISSING_PARAMETER : KP_CTAP_OK;
}

int
kp_auth_want_bytes(
        const cbor_item_t *item, bool required, const uint8_t **ret, size_t *ret_len)
{
        static const uint8_t empty;

        if (item == NULL)
                return absent(required);
        if (!kp_cbor_is_bytes(item, ret, ret_len))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        if (*ret == NULL)
                *ret = &empty; /* there, though empty */
        return KP_CTAP_OK;
}

int
kp_auth_want_text(
        const cbor_item_t *item, bool required, const char **ret, size_t *ret_len)
{
        if (item == NULL)
                return absent(required);
        if (!kp_cbor_is_text(item, ret, ret_len))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        if (*ret == NULL)
                *ret = "";
        return KP_CTAP_OK;
}

int
kp_auth_want_int(const cbor_item_t *item, bool required, int64_t *ret)
{
        if (item == NULL)
                return absent(required);
        return kp_cbor_is_int(item, ret) ? KP_CTAP_OK
                                         : KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
}

int
kp_auth_want_map(const cbor_item_t *item, bool required)
{
        size_t n;

        if (item == NULL)
                return absent(required);
        return kp_cbor_is_map(item, &n) ? KP_CTAP_OK
                                        : KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
}

int
kp_auth_want_option(const cbor_item_t *options, const char *name, int8_t *ret)
{
        const cbor_item_t *item = kp_cbor_at_str(options, name);
        bool value;

        *ret = -1;
        if (item == NULL)
                return KP_CTAP_OK;
        if (!kp_cbor_is_bool(item, &value))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        *ret = value;
        return KP_CTAP_OK;
}

/* A name, cut before the character that would pass the limit. */
static int
want_name(const cbor_item_t *item, struct kp_buf *ret)
{
        const char *text = NULL;
        size_t len = 0;
        int status = kp_auth_want_text(item, false, &text, &len);

        if (status != KP_CTAP_OK || text == NULL)
                return status;
        if (len > NAME_MAX_LEN)
                for (len = NAME_MAX_LEN; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80;
                        len--)
                        ;
        kp_buf_put(ret, text, len);
        return KP_CTAP_OK;
}

int
kp_auth_want_user(const cbor_item_t *item, struct kp_buf *id, struct kp_buf *name,
        struct kp_buf *display_name)
{
        const uint8_t *bytes;
        size_t len;
        int status = kp_auth_want_map(item, true);

        if (status != KP_CTAP_OK ||
                (status = kp_auth_want_bytes(
                         kp_cbor_at_str(item, "id"), true, &bytes, &len)) != 0 ||
                (status = want_name(kp_cbor_at_str(item, "name"), name)) != 0 ||
                (status = want_name(
                         kp_cbor_at_str(item, "displayName"), display_name)) != 0)
                return status;
        if (len > USER_ID_MAX_LEN)
                return KP_CTAP1_ERR_INVALID_LENGTH;
        kp_buf_put(id, bytes, len);
        return KP_CTAP_OK;
}

/* ---- lists of descriptors ---- */

int
kp_auth_list_check(const struct kp_authenticator *key, const struct kp_auth_list *list)
{
        int64_t most = key->facts->max_credentials_in_list;

        if (list->array == NULL)
                return KP_CTAP_OK;
        for (size_t i = 0; i < list->n; i++) {
                const cbor_item_t *entry = cbor_array_handle(list->array)[i];
                const uint8_t *id;
                const char *type;
                size_t len;
                int status = kp_auth_want_map(entry, true);

                if (status != KP_CTAP_OK ||
                        (status = kp_auth_want_bytes(
                                 kp_cbor_at_str(entry, "id"), true, &id, &len)) != 0 ||
                        (status = kp_auth_want_text(kp_cbor_at_str(entry, "type"), true,
                                 &type, &len)) != 0)
                        return status;
        }
        /* entries of other types count as well; a list is never cut short */
        if (most > 0 && list->n > (size_t)most)
                return KP_CTAP2_ERR_LIMIT_EXCEEDED;
        return KP_CTAP_OK;
}

bool
kp_auth_list_at(
        const struct kp_auth_list *list, size_t i, const uint8_t **ret, size_t *ret_len)
{
        static const char public_key[] = "public-key";
        const cbor_item_t *entry = cbor_array_handle(list->array)[i];
        const char *type;
        size_t type_len;

        return kp_cbor_is_text(kp_cbor_at_str(entry, "type"), &type, &type_len) &&
               kp_bytes_equal(type, type_len, public_key, strlen(public_key)) &&
               kp_cbor_is_bytes(kp_cbor_at_str(entry, "id"), ret, ret_len);
}

/* ---- answers ---- */

void
kp_auth_put_descriptor(struct kp_buf *answer, const struct kp_buf *id)
{
        kp_cbor_put_map(answer, 2);
        kp_cbor_put_text(answer, "id");
        kp_cbor_put_bytes(answer, id->data, id->len);
        kp_cbor_put_text(answer, "type");
        kp_cbor_put_text(answer, "public-key");
}

void
kp_auth_put_user(
        struct kp_buf *answer, const struct kp_auth_credential *credential, bool names)
{
        const struct kp_buf *name = &credential->user_name;
        const struct kp_buf *display_name = &credential->user_display_name;
        bool has_name = names && name->len > 0,
             has_display = names && display_name->len > 0;

        kp_cbor_put_map(answer, 1 + (size_t)has_name + (size_t)has_display);
        kp_cbor_put_text(answer, "id");
        kp_cbor_put_bytes(answer, credential->user_id.data, credential->user_id.len);
        if (has_name) {
                kp_cbor_put_text(answer, "name");
                kp_cbor_put_text_len(answer, (const char *)name->data, name->len);
        }
        if (has_display) {
                kp_cbor_put_text(answer, "displayName");
                kp_cbor_put_text_len(
                        answer, (const char *)display_name->data, display_name->len);
        }
}
