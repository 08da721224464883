/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/cbor.h"

#include <string.h>

#include "keypilot/core/free.h"

#include "cbor_check.h"

int
kp_cbor_parse(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        cbor_item_t **ret, size_t *ret_used, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct cbor_load_result result;
        size_t used = 0;

        if (kp_cbor_walk(bytes, bytes_len, mode, &plain,
                    ret_used == NULL ? NULL : &used, err) < 0)
                return -1;
        if (ret_used == NULL)
                used = bytes_len;
        if (plain.len > 0)
                item = cbor_load(plain.data, plain.len, &result);
        else
                item = cbor_load(bytes, used, &result);
        if (item == NULL && result.error.code == CBOR_ERR_MEMERROR)
                return KP_FAIL(err, KP_ENOMEM, "CBOR item");
        if (item == NULL)
                return KP_FAIL_AS(err, KP_EPARSE, "libcbor", (int)result.error.code,
                        "CBOR: byte %zu: libcbor refuses it", result.error.position);
        if (ret_used != NULL)
                *ret_used = used;
        *ret = KP_STEAL(item);
        return 0;
}

/* The last of equal keys counts; only lenient parsing lets several through. */
static cbor_item_t *
map_find(const cbor_item_t *map, bool (*matches)(const cbor_item_t *, const void *),
        const void *wanted)
{
        struct cbor_pair *pairs;

        if (map == NULL || !cbor_isa_map(map))
                return NULL;
        pairs = cbor_map_handle(map);
        for (size_t i = cbor_map_size(map); i-- > 0;)
                if (matches(pairs[i].key, wanted))
                        return pairs[i].value;
        return NULL;
}

static bool
matches_int(const cbor_item_t *key, const void *wanted)
{
        int64_t value;

        return kp_cbor_is_int(key, &value) && value == *(const int64_t *)wanted;
}

static bool
matches_str(const cbor_item_t *key, const void *wanted)
{
        const char *text;
        size_t text_len;

        return kp_cbor_is_text(key, &text, &text_len) &&
               kp_bytes_equal(text, text_len, wanted, strlen(wanted));
}

cbor_item_t *
kp_cbor_at_int(const cbor_item_t *map, int64_t key)
{
        return map_find(map, matches_int, &key);
}

cbor_item_t *
kp_cbor_at_str(const cbor_item_t *map, const char *key)
{
        return map_find(map, matches_str, key);
}

bool
kp_cbor_is_int(const cbor_item_t *item, int64_t *ret)
{
        uint64_t value;

        if (item == NULL || !cbor_is_int(item) ||
                (value = cbor_get_int(item)) > INT64_MAX)
                return false;
        *ret = cbor_isa_negint(item) ? -1 - (int64_t)value : (int64_t)value;
        return true;
}

bool
kp_cbor_is_bool(const cbor_item_t *item, bool *ret)
{
        /* libcbor aborts when asked whether a floating-point number is a boolean */
        if (item == NULL || !cbor_isa_float_ctrl(item) ||
                cbor_float_get_width(item) != CBOR_FLOAT_0 || !cbor_is_bool(item))
                return false;
        *ret = cbor_get_bool(item);
        return true;
}

bool
kp_cbor_is_bytes(const cbor_item_t *item, const uint8_t **ret, size_t *ret_len)
{
        if (item == NULL || !cbor_isa_bytestring(item) ||
                !cbor_bytestring_is_definite(item))
                return false;
        *ret = cbor_bytestring_handle(item);
        *ret_len = cbor_bytestring_length(item);
        return true;
}

bool
kp_cbor_is_text(const cbor_item_t *item, const char **ret, size_t *ret_len)
{
        if (item == NULL || !cbor_isa_string(item) || !cbor_string_is_definite(item))
                return false;
        *ret = (const char *)cbor_string_handle(item);
        *ret_len = cbor_string_length(item);
        return true;
}

bool
kp_cbor_is_array(const cbor_item_t *item, size_t *ret_n)
{
        if (item == NULL || !cbor_isa_array(item))
                return false;
        *ret_n = cbor_array_size(item);
        return true;
}

bool
kp_cbor_is_map(const cbor_item_t *item, size_t *ret_n)
{
        if (item == NULL || !cbor_isa_map(item))
                return false;
        *ret_n = cbor_map_size(item);
        return true;
}

/* Spec: RFC 8949 §3, shortest head */
static void
put_head(struct kp_buf *buf, unsigned major, uint64_t value)
{
        uint8_t head[9] = { (uint8_t)(major << 5) };
        unsigned n_bytes = value < 24            ? 0
                           : value <= UINT8_MAX  ? 1
                           : value <= UINT16_MAX ? 2
                           : value <= UINT32_MAX ? 4
                                                 : 8;
        static const uint8_t info[] = { [1] = 24, [2] = 25, [4] = 26, [8] = 27 };

        head[0] |= n_bytes == 0 ? (uint8_t)value : info[n_bytes];
        for (unsigned i = n_bytes; i > 0; i--, value >>= 8)
                head[i] = (uint8_t)value;
        kp_buf_put(buf, head, n_bytes + 1);
}

void
kp_cbor_put_int(struct kp_buf *buf, int64_t value)
{
        if (value < 0)
                put_head(buf, 1, (uint64_t)(-1 - value));
        else
                put_head(buf, 0, (uint64_t)value);
}

void
kp_cbor_put_bool(struct kp_buf *buf, bool value)
{
        kp_buf_put_u8(buf, value ? 0xf5 : 0xf4);
}

void
kp_cbor_put_bytes(struct kp_buf *buf, const void *bytes, size_t bytes_len)
{
        put_head(buf, 2, bytes_len);
        kp_buf_put(buf, bytes, bytes_len);
}

void
kp_cbor_put_text(struct kp_buf *buf, const char *text)
{
        kp_cbor_put_text_len(buf, text, strlen(text));
}

void
kp_cbor_put_text_len(struct kp_buf *buf, const char *text, size_t text_len)
{
        put_head(buf, 3, text_len);
        kp_buf_put(buf, text, text_len);
}

void
kp_cbor_put_array(struct kp_buf *buf, size_t n_items)
{
        put_head(buf, 4, n_items);
}

void
kp_cbor_put_map(struct kp_buf *buf, size_t n_pairs)
{
        put_head(buf, 5, n_pairs);
}

void
kp_cbor_put_item(struct kp_buf *buf, const cbor_item_t *item)
{
        unsigned char *bytes = NULL;
        size_t cap = 0, len = cbor_serialize_alloc(item, &bytes, &cap);

        if (len == 0)
                buf->failed = true;
        kp_buf_put(buf, bytes, len);
        free(bytes);
}
