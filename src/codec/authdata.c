/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/authdata.h"

#include <string.h>

/* Takes parts off the front. */
struct reader {
        const uint8_t *at;
        size_t left;
};

static const uint8_t *
take(struct reader *r, size_t n)
{
        const uint8_t *part = r->at;

        if (n > r->left)
                return NULL;
        r->at += n;
        r->left -= n;
        return part;
}

static int
take_cbor(struct reader *r, enum kp_cbor_mode mode, const uint8_t **ret,
        size_t *ret_len, struct kp_error *err)
{
        if (kp_cbor_check(r->at, r->left, mode, ret_len, err) < 0)
                return -1;
        *ret = take(r, *ret_len);
        return 0;
}

/* Spec: WebAuthn L3 §6.5.1 "Attested Credential Data" */
static int
take_attested(struct reader *r, enum kp_cbor_mode mode, struct kp_authdata *data,
        struct kp_error *err)
{
        const uint8_t *len;

        if ((data->aaguid = take(r, KP_AAGUID_LEN)) == NULL)
                return KP_FAIL(
                        err, KP_EPARSE, "authenticator data ends inside the AAGUID");
        if ((len = take(r, 2)) == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "authenticator data ends inside the credential ID length");
        data->credential_id_len = (size_t)len[0] << 8 | len[1];
        data->credential_id = take(r, data->credential_id_len);
        if (data->credential_id == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "authenticator data ends inside the credential ID");
        if (take_cbor(r, mode, &data->public_key, &data->public_key_len, err) < 0)
                return KP_WHILE(err, "credential public key");
        return 0;
}

int
kp_authdata_parse(const uint8_t *bytes, size_t bytes_len, enum kp_cbor_mode mode,
        struct kp_authdata *ret, struct kp_error *err)
{
        struct reader r = { bytes, bytes_len };
        struct kp_authdata data = { 0 };
        const uint8_t *fixed;

        data.rp_id_hash = take(&r, 32);
        if (data.rp_id_hash == NULL || (fixed = take(&r, 5)) == NULL)
                return KP_FAIL(err, KP_EPARSE,
                        "authenticator data has %zu bytes, at least 37 are needed",
                        bytes_len);
        data.flags = fixed[0];
        data.sign_count = (uint32_t)fixed[1] << 24 | (uint32_t)fixed[2] << 16 |
                          (uint32_t)fixed[3] << 8 | fixed[4];
        if ((data.flags & KP_AUTHDATA_AT) != 0 &&
                take_attested(&r, mode, &data, err) < 0)
                return -1;
        if ((data.flags & KP_AUTHDATA_ED) != 0) {
                if (take_cbor(&r, mode, &data.extensions, &data.extensions_len, err) <
                        0)
                        return KP_WHILE(err, "extension outputs");
                if (data.extensions[0] >> 5 != 5)
                        return KP_FAIL(
                                err, KP_EPARSE, "extension outputs are not a CBOR map");
        }
        if (r.left > 0)
                return KP_FAIL(err, KP_EPARSE,
                        "%zu bytes follow the authenticator data", r.left);
        *ret = data;
        return 0;
}

void
kp_authdata_put(struct kp_buf *buf, const struct kp_authdata *data)
{
        uint8_t flags = data->flags & (uint8_t) ~(KP_AUTHDATA_AT | KP_AUTHDATA_ED);

        if (data->public_key != NULL)
                flags |= KP_AUTHDATA_AT;
        if (data->extensions != NULL)
                flags |= KP_AUTHDATA_ED;
        kp_buf_put(buf, data->rp_id_hash, 32);
        kp_buf_put_u8(buf, flags);
        kp_buf_put_be32(buf, data->sign_count);
        if (data->public_key != NULL) {
                kp_buf_put(buf, data->aaguid, KP_AAGUID_LEN);
                kp_buf_put_be16(buf, (uint16_t)data->credential_id_len);
                kp_buf_put(buf, data->credential_id, data->credential_id_len);
                kp_buf_put(buf, data->public_key, data->public_key_len);
        }
        if (data->extensions != NULL)
                kp_buf_put(buf, data->extensions, data->extensions_len);
}
