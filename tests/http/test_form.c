/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/http/form.h"

static const char *
encoded(const char *name, const char *value, struct kp_buf *buf)
{
        struct kp_pairs pairs = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_pairs_add(&pairs, name, value, &err), 0);
        cr_assert_eq(kp_form_encode(&pairs, buf, &err), 0);
        kp_pairs_done(&pairs);
        return kp_buf_str(buf);
}

/* Spec: URL Standard §5.2 */
Test(form, encodes_as_the_url_standard_says)
{
        static const char *const known[][3] = {
                { "a", "b c", "a=b+c" },
                { "a", "", "a=" },
                { "*-._", "~!'()", "*-._=%7E%21%27%28%29" },
                { "q", "A+B/C==", "q=A%2BB%2FC%3D%3D" },
                { "\xc3\xa9", "\r\n", "%C3%A9=%0D%0A" },
        };

        for (size_t i = 0; i < KP_NELEMS(known); i++) {
                struct kp_buf buf = { 0 };

                cr_expect_str_eq(encoded(known[i][0], known[i][1], &buf), known[i][2]);
                kp_buf_done(&buf);
        }
}

Test(form, reads_back_what_it_wrote)
{
        struct kp_pairs pairs = { 0 }, back = { 0 };
        struct kp_buf buf = { 0 };
        struct kp_error err = { 0 };
        char every[256];

        for (int i = 0; i < 255; i++)
                every[i] = (char)(i + 1);
        every[255] = '\0';
        cr_assert_eq(kp_pairs_add(&pairs, every, every, &err), 0);
        cr_assert_eq(kp_pairs_add(&pairs, "same", "1", &err), 0);
        cr_assert_eq(kp_pairs_add(&pairs, "same", "2", &err), 0);
        cr_assert_eq(kp_form_encode(&pairs, &buf, &err), 0);
        cr_assert_eq(kp_form_decode(kp_buf_str(&buf), buf.len, &back, &err), 0);
        cr_assert_eq(back.n_items, 3);
        for (size_t i = 0; i < 3; i++) {
                cr_expect_str_eq(back.items[i].name, pairs.items[i].name);
                cr_expect_str_eq(back.items[i].value, pairs.items[i].value);
        }
        cr_expect_str_eq(kp_pairs_get(&back, "same"), "1", "the first counts");
        cr_expect_null(kp_pairs_get(&back, "other"));
        kp_pairs_done(&pairs);
        kp_pairs_done(&back);
        kp_buf_done(&buf);
}

Test(form, reads_queries_as_browsers_send_them)
{
        static const char text[] = "&&a&b=c=d&=e&f=%41%c3%A9+x&";
        struct kp_pairs pairs = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_form_decode(text, strlen(text), &pairs, &err), 0);
        cr_assert_eq(pairs.n_items, 4);
        cr_expect_str_eq(kp_pairs_get(&pairs, "a"), "");
        cr_expect_str_eq(kp_pairs_get(&pairs, "b"), "c=d");
        cr_expect_str_eq(kp_pairs_get(&pairs, ""), "e");
        cr_expect_str_eq(kp_pairs_get(&pairs, "f"), "A\xc3\xa9 x");
        kp_pairs_done(&pairs);
}

Test(form, refuses_broken_escapes_and_nul)
{
        static const char *const bad[] = { "a=%", "a=%4", "a=%4g", "a=%00", "%zz=b" };

        for (size_t i = 0; i < KP_NELEMS(bad); i++) {
                struct kp_pairs pairs = { 0 };
                struct kp_error err = { 0 };

                cr_expect_eq(kp_form_decode(bad[i], strlen(bad[i]), &pairs, &err), -1,
                        "%s", bad[i]);
                cr_expect_eq(err.code, KP_EPARSE);
                cr_expect_null(pairs.items);
        }
        /* a NUL, and an escape past the end, in text that has its own length */
        {
                struct kp_pairs pairs = { 0 };
                struct kp_error err = { 0 };

                cr_expect_eq(kp_form_decode("a=b\0c", 5, &pairs, &err), -1);
                cr_expect_eq(kp_form_decode("a=%41", 4, &pairs, &err), -1);
                cr_expect_eq(kp_form_decode("a=%41", 5, &pairs, &err), 0);
                cr_expect_str_eq(kp_pairs_get(&pairs, "a"), "A");
                kp_pairs_done(&pairs);
        }
}
