/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/authdata.h"
#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"
#include "keypilot/core/json.h"

#include "fuzz.h"

/* CBOR, authenticator data, COSE keys, base64url, JSON: one byte string into each. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        for (enum kp_cbor_mode mode = KP_CBOR_CTAP2; mode <= KP_CBOR_LENIENT; mode++) {
                KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
                struct kp_authdata auth_data;
                struct kp_error err = { 0 };
                size_t used;
                int alg;

                kp_any(kp_cbor_parse(data, size, mode, &item, NULL, &err));
                kp_any(kp_authdata_parse(data, size, mode, &auth_data, &err));
                kp_any(kp_cose_key_parse(data, size, mode, &key, &alg, &used, &err));
        }
        {
                KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
                json_auto_t *value = NULL;
                struct kp_error err = { 0 };

                kp_any(kp_b64url_decode((const char *)data, size, &bytes, &err));
                kp_any(kp_b64_decode((const char *)data, size, &bytes, &err));
                kp_any(kp_json_parse("fuzz", data, size, &value, &err));
        }
        return 0;
}

static void
put_key(struct kp_buf *buf)
{
        static const uint8_t x[32] = { 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47,
                0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81,
                0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
                0x96 };
        static const uint8_t y[32] = { 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b,
                0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57,
                0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
                0xf5 };

        kp_cbor_put_map(buf, 5);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_int(buf, 3);
        kp_cbor_put_int(buf, -7);
        kp_cbor_put_int(buf, -1);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_int(buf, -2);
        kp_cbor_put_bytes(buf, x, 32);
        kp_cbor_put_int(buf, -3);
        kp_cbor_put_bytes(buf, y, 32);
}

static void
put_auth_data(struct kp_buf *buf)
{
        static const uint8_t hash[32] = { 1 }, aaguid[16] = { 2 }, id[20] = { 3 };
        KP_CLEANUP(kp_buf_done) struct kp_buf key = { 0 };
        struct kp_authdata data = { .rp_id_hash = hash,
                .flags = KP_AUTHDATA_UP | KP_AUTHDATA_UV,
                .aaguid = aaguid,
                .credential_id = id,
                .credential_id_len = sizeof(id),
                .extensions = (const uint8_t *)"\xa1\x6b"
                                               "credProtect\x02",
                .extensions_len = 14 };

        put_key(&key);
        data.public_key = key.data;
        data.public_key_len = key.len;
        kp_authdata_put(buf, &data);
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        switch (i) {
        case 0:
                put_key(ret);
                return true;
        case 1:
                put_auth_data(ret);
                return true;
        case 2:
                kp_cbor_put_map(ret, 2);
                kp_cbor_put_text(ret, "fmt");
                kp_cbor_put_text(ret, "none");
                kp_cbor_put_text(ret, "attStmt");
                kp_cbor_put_array(ret, 1);
                kp_cbor_put_bool(ret, true);
                return true;
        case 3:
                kp_buf_puts(ret,
                        "{\"a\":[1,2.5,\"\\u00e9\",null,true],\"b\":{\"c\":\"x\"}}");
                return true;
        case 4:
                kp_buf_puts(ret, "AMMPt4UxxGTStncdq417YDwBFi8vpIa-pw8oOuVW4TA");
                return true;
        default:
                return false;
        }
}
