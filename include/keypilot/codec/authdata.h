/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_AUTHDATA_H
#define KEYPILOT_CODEC_AUTHDATA_H

#include "keypilot/codec/cbor.h"
#include "keypilot/core/buf.h"

/*
 * Authenticator data.
 * Spec: WebAuthn L3 §6.1, §6.5.1
 */
enum kp_authdata_flag {
        KP_AUTHDATA_UP = 0x01,
        KP_AUTHDATA_UV = 0x04,
        KP_AUTHDATA_BE = 0x08,
        KP_AUTHDATA_BS = 0x10,
        KP_AUTHDATA_AT = 0x40,
        KP_AUTHDATA_ED = 0x80,
};

#define KP_AAGUID_LEN 16

/* Pointers into the bytes that were parsed; NULL and 0 where a part is absent. */
struct kp_authdata {
        const uint8_t *rp_id_hash; /* 32 bytes */
        uint8_t flags;
        uint32_t sign_count;
        const uint8_t *aaguid; /* 16 bytes; with AT */
        const uint8_t *credential_id;
        size_t credential_id_len;
        const uint8_t *public_key; /* COSE_Key, raw */
        size_t public_key_len;
        const uint8_t *extensions; /* CBOR map, raw; with ED */
        size_t extensions_len;
};

/*
 * Take it apart.
 *
 * mode     for the public key and the extensions
 * ret      overwritten on success only; points into `bytes`
 * Errors   KP_EPARSE short, trailing bytes, AT or ED without its part, part not CBOR
 */
int kp_authdata_parse(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        struct kp_authdata *ret, struct kp_error *err) KP_MUST_CHECK;

/* Write it; AT and ED follow from whether public_key and extensions are there. */
void kp_authdata_put(struct kp_buf *buf, const struct kp_authdata *data);

#endif
