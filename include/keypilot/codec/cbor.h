/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_CBOR_H
#define KEYPILOT_CODEC_CBOR_H

#include <cbor.h>

#include "keypilot/core/buf.h"

/*
 * CBOR as CTAP2 and WebAuthn use it: libcbor, behind a byte-walking check that runs
 * before anything is allocated.
 *
 * KP_CBOR_CTAP2 demands the CTAP2 canonical form; KP_CBOR_ANY_ORDER all of it but the
 * order of keys (in maps of up to 32 pairs); KP_CBOR_LENIENT tolerates what a decoder
 * only SHOULD refuse: order of keys, a key twice (the last one counts), non-minimal
 * heads, indefinite lengths, tags (dropped). All refuse truncation, bad UTF-8, map keys
 * that are neither numbers nor strings, nesting deeper than 8 and counts that the
 * remaining bytes cannot hold.
 * Spec: CTAP 2.1 §8 "Message Encoding"; WebAuthn L3 §2.2
 */
enum kp_cbor_mode { KP_CBOR_CTAP2, KP_CBOR_ANY_ORDER, KP_CBOR_LENIENT };

/*
 * Parse the one item at the start of the bytes.
 *
 * ret       set on success only; the caller frees it with kp_free_cbor()
 * ret_used  bytes of the item; NULL: the item must fill all bytes
 * Errors    KP_EPARSE with what is wrong and at which byte
 */
int kp_cbor_parse(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        cbor_item_t **ret, size_t *ret_used, struct kp_error *err) KP_MUST_CHECK;

/* The same check without building the item: how many bytes the first item has. */
int kp_cbor_check(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        size_t *ret_used, struct kp_error *err) KP_MUST_CHECK;

/* The value under a key, borrowed; NULL if absent, or if `map` is NULL or no map. */
cbor_item_t *kp_cbor_at_int(const cbor_item_t *map, int64_t key);
cbor_item_t *kp_cbor_at_str(const cbor_item_t *map, const char *key);

/*
 * The value if it is of that type; false leaves `ret` alone. NULL items are of no type.
 * Pointers are borrowed from the item; text is not NUL-terminated.
 */
bool kp_cbor_is_int(const cbor_item_t *item, int64_t *ret);
bool kp_cbor_is_bool(const cbor_item_t *item, bool *ret);
bool kp_cbor_is_bytes(const cbor_item_t *item, const uint8_t **ret, size_t *ret_len);
bool kp_cbor_is_text(const cbor_item_t *item, const char **ret, size_t *ret_len);
bool kp_cbor_is_array(const cbor_item_t *item, size_t *ret_n);
bool kp_cbor_is_map(const cbor_item_t *item, size_t *ret_n);

/* Writers. Whoever writes a map counts its pairs and keeps its keys in order. */
void kp_cbor_put_int(struct kp_buf *buf, int64_t value);
void kp_cbor_put_bool(struct kp_buf *buf, bool value);
void kp_cbor_put_bytes(struct kp_buf *buf, const void *bytes, size_t bytes_len);
void kp_cbor_put_text(struct kp_buf *buf, const char *text);
void kp_cbor_put_text_len(struct kp_buf *buf, const char *text, size_t text_len);
void kp_cbor_put_array(struct kp_buf *buf, size_t n_items);
void kp_cbor_put_map(struct kp_buf *buf, size_t n_pairs);

/* An item that was parsed, written again. */
void kp_cbor_put_item(struct kp_buf *buf, const cbor_item_t *item);

#endif
