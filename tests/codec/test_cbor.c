/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/codec/cbor.h"
#include "keypilot/core/free.h"

#include "vectors_hex.h"

static int
parse(const char *hex, enum kp_cbor_mode mode, cbor_item_t **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = unhex(hex);

        return kp_cbor_parse(bytes.data, bytes.len, mode, ret, NULL, err);
}

static bool
accepts(const char *hex, enum kp_cbor_mode mode)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };

        if (parse(hex, mode, &item, &err) == 0)
                return true;
        cr_assert_eq(err.code, KP_EPARSE, "%s", hex);
        return false;
}

/* RFC 8949 appendix A, as far as CTAP2 canonical form admits it */
static const char *const canonical[] = { "00", "01", "0a", "17", "1818", "1864",
        "1903e8", "1a000f4240", "1b000000e8d4a51000", "1bffffffffffffffff",
        "3bffffffffffffffff", "20", "29", "3863", "3903e7", "f90000", "f93c00",
        "fb3ff199999999999a", "fa47c35000", "f97c00", "f97e00", "f4", "f5", "f6", "f7",
        "40", "4401020304", "60", "6161", "6449455446", "62225c", "62c3bc", "63e6b0b4",
        "64f0908591", "80", "83010203", "8301820203820405",
        "98190102030405060708090a0b0c0d0e0f101112131415161718181819", "a0",
        "a201020304", "a26161016162820203", "826161a161626163",
        "a56161614161626142616361436164614461656145" };

/* what a decoder SHOULD refuse and a lenient one reads */
static const char *const lenient_only[] = {
        /* RFC 8949 appendix A: tags, chunks and open lengths */
        "c11a514b67b0",
        "d74401020304",
        "d818456449455446",
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "9f018202039f0405ffff",
        "83018202039f0405ff",
        "bf61610161629f0203ffff",
        "826161bf61626163ff",
        /* numbers longer than needed, as value, length, count and key */
        "1800",
        "1817",
        "190018",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3800",
        "5800",
        "580141",
        "7800",
        "9800",
        "b800",
        "a1180100",
        /* order of keys: value, length before bytes, major type before both */
        "a202000100",
        "a2616200616100",
        "a262616100616200",
        "a2616100 0100",
        "a220000100",
        /* a key twice */
        "a201000100",
        "a2616100616100",
        /* tagged inside */
        "82c100c101",
        "a101d9d9f701",
};

static const char *const malformed[] = {
        /* RFC 8949 appendix F: ends too early */
        "",
        "18",
        "19",
        "1a",
        "1b",
        "1901",
        "1a0102",
        "1b01020304050607",
        "38",
        "58",
        "78",
        "98",
        "9a01ff00",
        "b8",
        "d8",
        "f8",
        "f900",
        "fa0000",
        "fb000000",
        "41",
        "61",
        "5affffffff00",
        "5bffffffffffffffff010203",
        "7affffffff00",
        "7b7fffffffffffffff010203",
        "81",
        "818181818181818181",
        "8200",
        "a1",
        "a20102",
        "a100",
        "a2000000",
        "5f4100",
        "7f6100",
        "9f",
        "9f0102",
        "bf",
        "bf01020102",
        "819f",
        "9f8000",
        "9f9f9f9f9fffffffff",
        "9f819f819f9fffffff",
        "c0",
        /* reserved heads */
        "1c",
        "1d",
        "1e",
        "3c",
        "5c",
        "7c",
        "9c",
        "bc",
        "dc",
        "fc",
        "fd",
        "fe",
        /* simple values */
        "e0",
        "f0",
        "f800",
        "f818",
        "f81f",
        "f820",
        "f8ff",
        /* chunks of another kind, or open themselves */
        "5f00ff",
        "5f21ff",
        "5f6100ff",
        "5f80ff",
        "5fa0ff",
        "5fc000ff",
        "5fe0ff",
        "7f4100ff",
        "5f5f4100ffff",
        "7f7f6100ffff",
        /* breaks out of place, and open lengths where there are none */
        "ff",
        "81ff",
        "8200ff",
        "a1ff",
        "a1ff00",
        "a100ff",
        "9f81ff",
        "1f",
        "3f",
        "df",
        "bf00ff",
        /* more than one item */
        "0000",
        "a000",
        "f6f6",
        /* UTF-8: overlong, surrogate, too high, cut short, loose tail */
        "62c080",
        "63e08080",
        "63eda080",
        "64f0808080",
        "64f4908080",
        "61c3",
        "6180",
        "61ff",
        "62c328",
        "63e28228",
        "64f0288cbc",
        "65f888808080",
        /* keys that are no numbers and no strings */
        "a18000",
        "a1a000",
        "a1f500",
        "a1c10000",
        "a1f9000000",
        "a15f4100ff00",
        /* counts that the bytes cannot hold */
        "9b0000000100000000",
        "bb0000000100000000",
        "9affffffff",
        "baffffffff",
        "b90fff00",
        "ba0100000000",
        "b817000102",
        /* deeper than eight levels */
        "818181818181818181 00",
        "a100a100a100a100a100a100a100a100a10000",
        "c1c1c1c1c1c1c1c1c100",
        "9f9f9f9f9f9f9f9f9f00ffffffffffffffffff",
};

Test(cbor, reads_the_canonical_examples_in_both_modes)
{
        for (size_t i = 0; i < KP_NELEMS(canonical); i++) {
                cr_expect(accepts(canonical[i], KP_CBOR_CTAP2), "%s", canonical[i]);
                cr_expect(accepts(canonical[i], KP_CBOR_LENIENT), "%s", canonical[i]);
        }
}

Test(cbor, tells_should_from_must)
{
        for (size_t i = 0; i < KP_NELEMS(lenient_only); i++) {
                cr_expect_not(
                        accepts(lenient_only[i], KP_CBOR_CTAP2), "%s", lenient_only[i]);
                cr_expect(accepts(lenient_only[i], KP_CBOR_LENIENT), "%s",
                        lenient_only[i]);
        }
}

Test(cbor, refuses_malformed_bytes_in_both_modes)
{
        for (size_t i = 0; i < KP_NELEMS(malformed); i++) {
                cr_expect_not(accepts(malformed[i], KP_CBOR_CTAP2), "%s", malformed[i]);
                cr_expect_not(
                        accepts(malformed[i], KP_CBOR_LENIENT), "%s", malformed[i]);
        }
}

Test(cbor, reads_eight_levels)
{
        cr_assert(accepts("8181818181818181 00", KP_CBOR_CTAP2));
        cr_assert(accepts("a100a100a100a100a100a100a100a10000", KP_CBOR_CTAP2));
}

Test(cbor, every_cut_of_a_message_is_refused)
{
        KP_CLEANUP(kp_buf_done)
        struct kp_buf bytes =
                unhex("a4016441424344 025820"
                      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                      "03a26269646161646e616d656161 048263616c67f5");

        for (size_t n = 0; n < bytes.len; n++) {
                struct kp_error err = { 0 };
                size_t used;

                cr_assert_lt(kp_cbor_check(bytes.data, n, KP_CBOR_CTAP2, &used, &err),
                        0, "%zu", n);
        }
}

Test(cbor, says_what_is_wrong_and_at_which_byte)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };
        char text[256];

        cr_assert_lt(parse("a2010002a2616200616100", KP_CBOR_CTAP2, &item, &err), 0);
        kp_error_format(&err, text, sizeof(text));
        cr_assert(strstr(text, "byte 8") != NULL &&
                          strstr(text, "canonical order") != NULL,
                "%s", text);
}

Test(cbor, tells_where_the_first_item_ends)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = unhex("a10102 ffff");
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };
        size_t used = 0;

        cr_assert_eq(
                kp_cbor_check(bytes.data, bytes.len, KP_CBOR_CTAP2, &used, &err), 0);
        cr_assert_eq(used, 3);
        cr_assert_eq(
                kp_cbor_parse(bytes.data, bytes.len, KP_CBOR_CTAP2, &item, &used, &err),
                0);
        cr_assert_eq(used, 3);
}

Test(cbor, the_last_of_equal_keys_counts_when_lenient)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };
        int64_t value = 0;

        cr_assert_eq(parse("a2 01 05 1801 07", KP_CBOR_LENIENT, &item, &err), 0);
        cr_assert(kp_cbor_is_int(kp_cbor_at_int(item, 1), &value));
        cr_assert_eq(value, 7);
}

Test(cbor, joins_chunks_and_drops_tags_when_lenient)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };
        const uint8_t *bytes;
        const char *text;
        size_t len;

        cr_assert_eq(parse("d9d9f7 bf 6161 5f 42 0102 40 41 03 ff 6162 c1 7f 6178 6179 "
                           "ff ff",
                             KP_CBOR_LENIENT, &item, &err),
                0);
        cr_assert(kp_cbor_is_bytes(kp_cbor_at_str(item, "a"), &bytes, &len));
        cr_assert_str_eq(tohex(bytes, len), "010203");
        cr_assert(kp_cbor_is_text(kp_cbor_at_str(item, "b"), &text, &len));
        cr_assert(kp_bytes_equal(text, len, "xy", 2));
}

Test(cbor, looks_at_types_before_values)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };
        const uint8_t *bytes = NULL;
        const char *text = NULL;
        int64_t number = 42;
        bool flag = true;
        size_t n = 7;

        cr_assert_eq(parse("a60000013bffffffffffffffff024101036161048100 05f4",
                             KP_CBOR_CTAP2, &item, &err),
                0);
        cr_assert(kp_cbor_is_map(item, &n) && n == 6);
        cr_assert_not(kp_cbor_is_array(item, &n));
        cr_assert(kp_cbor_is_int(kp_cbor_at_int(item, 0), &number) && number == 0);
        cr_assert_not(kp_cbor_is_int(kp_cbor_at_int(item, 1), &number), "past int64_t");
        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(item, 2), &bytes, &n) && n == 1);
        cr_assert_not(kp_cbor_is_text(kp_cbor_at_int(item, 2), &text, &n));
        cr_assert(kp_cbor_is_text(kp_cbor_at_int(item, 3), &text, &n) && n == 1);
        cr_assert(kp_cbor_is_array(kp_cbor_at_int(item, 4), &n) && n == 1);
        cr_assert(kp_cbor_is_bool(kp_cbor_at_int(item, 5), &flag) && !flag);
        cr_assert_null(kp_cbor_at_int(item, 6));
        cr_assert_null(kp_cbor_at_str(item, "0"));
        cr_assert_null(kp_cbor_at_int(NULL, 0));
        cr_assert_null(
                kp_cbor_at_int(kp_cbor_at_int(item, 4), 0), "an array has no keys");
        cr_assert_not(kp_cbor_is_int(NULL, &number));
        cr_assert_not(kp_cbor_is_bool(NULL, &flag));
}

Test(cbor, writes_shortest_heads)
{
        static const struct {
                int64_t value;
                const char *hex;
        } numbers[] = { { 0, "00" }, { 23, "17" }, { 24, "1818" }, { 255, "18ff" },
                { 256, "190100" }, { 65535, "19ffff" }, { 65536, "1a00010000" },
                { 4294967295, "1affffffff" }, { 4294967296, "1b0000000100000000" },
                { INT64_MAX, "1b7fffffffffffffff" }, { -1, "20" }, { -24, "37" },
                { -25, "3818" }, { -257, "390100" }, { -65535, "39fffe" },
                { INT64_MIN, "3b7fffffffffffffff" } };

        for (size_t i = 0; i < KP_NELEMS(numbers); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };

                kp_cbor_put_int(&buf, numbers[i].value);
                cr_assert_str_eq(tohex(buf.data, buf.len), numbers[i].hex);
        }
}

Test(cbor, writes_what_it_reads)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf buf = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf again = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };

        kp_cbor_put_map(&buf, 3);
        kp_cbor_put_int(&buf, -1);
        kp_cbor_put_bytes(&buf, "\x01\x02", 2);
        kp_cbor_put_text(&buf, "alg");
        kp_cbor_put_array(&buf, 2);
        kp_cbor_put_bool(&buf, true);
        kp_cbor_put_int(&buf, 1000);
        kp_cbor_put_text(&buf, "name");
        kp_cbor_put_text_len(&buf, "xyz", 2);
        cr_assert_str_eq(tohex(buf.data, buf.len),
                "a32042010263616c6782f51903e8646e616d65627879");
        cr_assert_eq(
                kp_cbor_parse(buf.data, buf.len, KP_CBOR_CTAP2, &item, NULL, &err), 0);
        kp_cbor_put_item(&again, item);
        cr_assert(kp_bytes_equal(buf.data, buf.len, again.data, again.len));
}

Test(cbor, any_order_is_canonical_but_for_the_order)
{
        static const char *const good[] = { "a202000100", "a2616200616100",
                "a220000100", "a30300 0100 0200", "a262616100616100" };

        for (size_t i = 0; i < KP_NELEMS(good); i++)
                cr_expect(accepts(good[i], KP_CBOR_ANY_ORDER), "%s", good[i]);
        for (size_t i = 0; i < KP_NELEMS(canonical); i++)
                cr_expect(accepts(canonical[i], KP_CBOR_ANY_ORDER), "%s", canonical[i]);
        for (size_t i = 0; i < KP_NELEMS(malformed); i++)
                cr_expect_not(
                        accepts(malformed[i], KP_CBOR_ANY_ORDER), "%s", malformed[i]);
        cr_expect_not(accepts("a3 0200 0100 0200", KP_CBOR_ANY_ORDER), "a key twice");
        cr_expect_not(accepts("a2 0200 1801 00", KP_CBOR_ANY_ORDER), "a longer number");
        cr_expect_not(accepts("bf0200ff", KP_CBOR_ANY_ORDER), "an open length");
        cr_expect_not(accepts("c100", KP_CBOR_ANY_ORDER), "a tag");
}

Test(cbor, any_order_compares_up_to_32_keys)
{
        for (unsigned n = 31; n <= 33; n++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf map = { 0 };
                struct kp_error err = { 0 };
                size_t used;

                kp_cbor_put_map(&map, n);
                for (unsigned i = n; i > 0; i--) {
                        kp_cbor_put_int(&map, i);
                        kp_cbor_put_int(&map, 0);
                }
                cr_assert_eq(kp_cbor_check(
                                     map.data, map.len, KP_CBOR_ANY_ORDER, &used, &err),
                        n <= 32 ? 0 : -1);
        }
}

Test(cbor, a_number_with_a_fraction_is_no_boolean)
{
        static const uint8_t half[] = { 0xf9, 0x38, 0x00 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;
        struct kp_error err = { 0 };
        bool value;

        cr_assert_eq(
                kp_cbor_parse(half, sizeof(half), KP_CBOR_CTAP2, &item, NULL, &err), 0);
        cr_assert_not(kp_cbor_is_bool(item, &value));
}
