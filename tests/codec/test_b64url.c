/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/codec/b64url.h"

#include "vectors_hex.h"

/* RFC 4648 §10 */
static const struct pair {
        const char *plain, *coded;
} rfc4648[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
};

Test(b64, writes_and_reads_what_rfc_4648_shows)
{
        for (size_t i = 0; i < KP_NELEMS(rfc4648); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf coded = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
                struct kp_error err = { 0 };

                kp_b64_put(&coded, rfc4648[i].plain, strlen(rfc4648[i].plain));
                cr_assert_str_eq(kp_buf_str(&coded), rfc4648[i].coded);
                cr_assert_eq(kp_b64_decode(rfc4648[i].coded, strlen(rfc4648[i].coded),
                                     &plain, &err),
                        0);
                cr_assert_str_eq(kp_buf_str(&plain), rfc4648[i].plain);
        }
}

Test(b64, skips_white_space_between_letters)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        struct kp_error err = { 0 };
        const char *text = " Zm9v\r\n\tYmFy\n";

        cr_assert_eq(kp_b64_decode(text, strlen(text), &plain, &err), 0);
        cr_assert_str_eq(kp_buf_str(&plain), "foobar");
}

Test(b64, refuses_what_is_not_base64)
{
        static const char *const bad[] = { "Zg=", "Zg", "Zg===", "Zh==", "Zm9=", "Z",
                "Zm-v", "Zm_v", "Zg==Zg==", "Zm9v!", "====", "=", "Zm9vYg=\xc3" };

        for (size_t i = 0; i < KP_NELEMS(bad); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
                struct kp_error err = { 0 };

                cr_assert_lt(kp_b64_decode(bad[i], strlen(bad[i]), &plain, &err), 0,
                        "%s", bad[i]);
                cr_assert_eq(err.code, KP_EPARSE);
        }
}

Test(b64url, reads_back_every_length_it_wrote)
{
        uint8_t bytes[600];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(i * 167 + 13);
        for (size_t n = 0; n <= sizeof(bytes); n++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf coded = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
                struct kp_error err = { 0 };

                kp_b64url_put(&coded, bytes, n);
                cr_assert_eq(coded.len, (n * 4 + 2) / 3);
                cr_assert_eq(kp_b64url_decode(
                                     (const char *)coded.data, coded.len, &plain, &err),
                        0);
                cr_assert(kp_bytes_equal(plain.data, plain.len, bytes, n), "%zu bytes",
                        n);
        }
}

Test(b64url, uses_the_two_letters_of_the_url_alphabet)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf coded = { 0 };
        const uint8_t bytes[] = { 0xfb, 0xef, 0xff };

        kp_b64url_put(&coded, bytes, sizeof(bytes));
        cr_assert_str_eq(kp_buf_str(&coded), "--__");
}

Test(b64url, says_which_letter_is_wrong_and_where)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        struct kp_error err = { 0 };
        char text[256];

        cr_assert_lt(kp_b64url_decode("Zm9v+A", 6, &plain, &err), 0);
        kp_error_format(&err, text, sizeof(text));
        cr_assert(strstr(text, "'+' at 4") != NULL, "%s", text);
}

Test(b64url, refuses_padding_white_space_other_letters_and_loose_bits)
{
        static const struct {
                const char *text;
                size_t len;
        } bad[] = { { "Zg==", 4 }, { "Zm8=", 4 }, { "Zm9v\n", 5 }, { " Zm9v", 5 },
                { "Zm9+", 4 }, { "Zm9/", 4 }, { "Z", 1 }, { "Zm9vY", 5 }, { "Zh", 2 },
                { "Zm9", 3 }, { "Zm\0v", 4 }, { "Zm9\xff", 4 } };

        for (size_t i = 0; i < KP_NELEMS(bad); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
                struct kp_error err = { 0 };

                cr_assert_lt(kp_b64url_decode(bad[i].text, bad[i].len, &plain, &err), 0,
                        "case %zu", i);
                cr_assert_eq(err.code, KP_EPARSE);
        }
}

Test(b64url, leaves_loose_bits_to_those_who_ask_for_it)
{
        static const struct {
                const char *text, *plain;
        } loose[] = { { "Zh", "f" }, { "Zm9", "fo" }, { "Zm9v", "foo" },
                { "Zm9vYn", "foob" } };

        for (size_t i = 0; i < KP_NELEMS(loose); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
                struct kp_error err = { 0 };

                cr_assert_eq(kp_b64url_decode_any_bits(loose[i].text,
                                     strlen(loose[i].text), &plain, &err),
                        0);
                cr_assert_str_eq(kp_buf_str(&plain), loose[i].plain);
                cr_assert_lt(kp_b64url_decode_any_bits("Zm9vY", 5, &plain, &err), 0);
        }
}
