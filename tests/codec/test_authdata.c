/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/codec/authdata.h"

#include "vectors_hex.h"

#define RP "a379a6f6eeafb9a55e378c118034e2751e682fab9f2d30ab13d2125586ce1947"
#define AAGUID "0102030405060708090a0b0c0d0e0f10"
#define COSE "a10107" /* any map will do here */
#define ATTESTED AAGUID "0003c1c2c3" COSE
#define EXTENSIONS "a16161f5"

static int
parse(const char *hex, enum kp_cbor_mode mode, struct kp_buf *bytes,
        struct kp_authdata *ret, struct kp_error *err)
{
        *bytes = unhex(hex);
        return kp_authdata_parse(bytes->data, bytes->len, mode, ret, err);
}

Test(authdata, reads_all_parts)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        struct kp_authdata data;
        struct kp_error err = { 0 };

        cr_assert_eq(parse(RP "c500000102" ATTESTED EXTENSIONS, KP_CBOR_CTAP2, &bytes,
                             &data, &err),
                0);
        cr_assert_str_eq(tohex(data.rp_id_hash, 32), RP);
        cr_assert_eq(data.flags,
                KP_AUTHDATA_UP | KP_AUTHDATA_UV | KP_AUTHDATA_AT | KP_AUTHDATA_ED);
        cr_assert_eq(data.sign_count, 0x102);
        cr_assert_str_eq(tohex(data.aaguid, 16), AAGUID);
        cr_assert_str_eq(tohex(data.credential_id, data.credential_id_len), "c1c2c3");
        cr_assert_str_eq(tohex(data.public_key, data.public_key_len), COSE);
        cr_assert_str_eq(tohex(data.extensions, data.extensions_len), EXTENSIONS);
}

Test(authdata, writes_what_it_reads)
{
        static const char *const whole[] = { RP "01ffffffff", RP "4500000001" ATTESTED,
                RP "8100000000" EXTENSIONS, RP "dd00000102" ATTESTED EXTENSIONS };

        for (size_t i = 0; i < KP_NELEMS(whole); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf again = { 0 };
                struct kp_authdata data;
                struct kp_error err = { 0 };

                cr_assert_eq(parse(whole[i], KP_CBOR_CTAP2, &bytes, &data, &err), 0);
                kp_authdata_put(&again, &data);
                cr_assert_str_eq(tohex(again.data, again.len), whole[i]);
        }
}

Test(authdata, refuses_wrong_lengths_and_flags)
{
        static const char *const bad[] = {
                "", RP, RP "01000000",           /* too short */
                RP "010000000000",               /* a byte too many */
                RP "4100000000",                 /* AT without its part */
                RP "4100000000" AAGUID,          /* ends before the length */
                RP "4100000000" AAGUID "0003c1", /* ends inside the ID */
                RP "4100000000" AAGUID "0003c1c2c3",
                RP "4100000000" AAGUID "0003c1c2c3a101", RP "4100000000" ATTESTED "00",
                RP "0100000000" ATTESTED, /* AT=0 */
                RP "8100000000",          /* ED without its part */
                RP "8100000000" EXTENSIONS "00", RP "0100000000" EXTENSIONS, /* ED=0 */
                RP "810000000081f5",           /* extensions: an array */
                RP "8100000000a1616100616100", /* extensions: cut and loose */
        };

        for (size_t i = 0; i < KP_NELEMS(bad); i++)
                for (int mode = KP_CBOR_CTAP2; mode <= KP_CBOR_LENIENT; mode++) {
                        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
                        struct kp_authdata data;
                        struct kp_error err = { 0 };

                        cr_assert_lt(parse(bad[i], (enum kp_cbor_mode)mode, &bytes,
                                             &data, &err),
                                0, "case %zu", i);
                        cr_assert_eq(err.code, KP_EPARSE);
                }
}

Test(authdata, holds_inner_cbor_to_the_mode)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf strict = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf lenient = { 0 };
        const char *twice = RP "8100000000a2616100616101";
        struct kp_authdata data;
        struct kp_error err = { 0 };

        cr_assert_lt(parse(twice, KP_CBOR_CTAP2, &strict, &data, &err), 0);
        cr_assert_eq(parse(twice, KP_CBOR_LENIENT, &lenient, &data, &err), 0);
}

Test(authdata, takes_credential_ids_of_any_length)
{
        for (size_t n = 0; n <= 65535; n += 8191) {
                KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
                uint8_t id[65535] = { 7 };
                const uint8_t hash[32] = { 1 }, aaguid[16] = { 2 },
                              key[] = { 0xa1, 1, 2 };
                struct kp_authdata data = { .rp_id_hash = hash,
                        .aaguid = aaguid,
                        .credential_id = id,
                        .credential_id_len = n,
                        .public_key = key,
                        .public_key_len = sizeof(key) };
                struct kp_authdata again;
                struct kp_error err = { 0 };

                kp_authdata_put(&bytes, &data);
                cr_assert_eq(kp_authdata_parse(bytes.data, bytes.len, KP_CBOR_CTAP2,
                                     &again, &err),
                        0);
                cr_assert_eq(again.credential_id_len, n);
        }
}
