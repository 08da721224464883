/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_HASH_H
#define KEYPILOT_CODEC_HASH_H

#include "keypilot/core/base.h"

/*
 * SHA-256, the hash of WebAuthn and CTAP: RP IDs, client data, PINs.
 * Spec: FIPS 180-4 §6.2
 */
#define KP_SHA256_LEN 32

/* Cannot fail: the algorithm is there or the process cannot work. */
void kp_sha256(const void *bytes, size_t bytes_len, uint8_t ret[KP_SHA256_LEN]);

#endif
