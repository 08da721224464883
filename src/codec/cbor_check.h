/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_CBOR_CHECK_H
#define KEYPILOT_CODEC_CBOR_CHECK_H

#include "keypilot/codec/cbor.h"

/*
 * Walk the first item without building it.
 *
 * plain     NULL, or empty: where tags are dropped and chunked strings joined, the item
 *           as it reads without them (lenient mode); left empty where there were none
 * ret_used  NULL: the item must fill all bytes
 */
int kp_cbor_walk(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        struct kp_buf *plain, size_t *ret_used, struct kp_error *err) KP_MUST_CHECK;

#endif
