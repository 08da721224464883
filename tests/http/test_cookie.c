/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "keypilot/core/clock.h"
#include "keypilot/http/cookie.h"

#define SP "https://magister.example/"
#define IDP "https://login.provider.example/"
#define T0 KP_CLOCK_START_MS

static struct kp_jar *
jar_new(enum kp_samesite_default by_default)
{
        struct kp_jar *jar = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_jar_new(by_default, &jar, &err), 0);
        return jar;
}

/* Why the header is refused when this address answers a typed request; "" when kept. */
static const char *
store_at(struct kp_jar *jar, const char *url, const char *set_cookie, int64_t now_ms)
{
        struct kp_cookie_context context = { url, "GET", NULL, true, now_ms };
        struct kp_error err = { 0 };
        const char *why = NULL;

        cr_assert_eq(kp_jar_store(jar, &context, set_cookie, &why, &err), 0);
        return why == NULL ? "" : why;
}

static char header[8192];
static size_t withheld;

static const char *
sent(struct kp_jar *jar, struct kp_cookie_context context)
{
        struct kp_buf buf = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_jar_header(jar, &context, &buf, &withheld, &err), 0);
        (void)snprintf(header, sizeof(header), "%s", kp_buf_str(&buf));
        kp_buf_done(&buf);
        return header;
}

/* What goes with an address that a person types. */
static const char *
typed(struct kp_jar *jar, const char *url, int64_t now_ms)
{
        return sent(jar, (struct kp_cookie_context){ url, "GET", NULL, true, now_ms });
}

static const char *
posted(struct kp_jar *jar, const char *url, const char *from, int64_t now_ms)
{
        return sent(jar, (struct kp_cookie_context){ url, "POST", from, true, now_ms });
}

/* Measured in Chromium 156: after 0.5 s and 100 s yes, after 125 s no; Lax never. */
Test(cookie, without_samesite_a_cross_site_post_carries_it_for_two_minutes)
{
        struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX_ALLOW_POST);

        cr_expect_str_eq(store_at(jar, SP, "fresh=1; Secure", T0), "");
        cr_expect_str_eq(store_at(jar, SP, "lax=1; Secure; SameSite=Lax", T0), "");
        cr_expect_str_eq(posted(jar, SP, IDP, T0 + 500), "fresh=1");
        cr_expect_eq(withheld, 1);
        cr_expect_str_eq(posted(jar, SP, IDP, T0 + 100000), "fresh=1");
        cr_expect_str_eq(posted(jar, SP, IDP, T0 + 120000), "fresh=1");
        cr_expect_str_eq(posted(jar, SP, IDP, T0 + 120001), "");
        cr_expect_str_eq(posted(jar, SP, IDP, T0 + 125000), "");
        cr_expect_eq(withheld, 2);
        kp_jar_free(&jar);
}

/* Measured in Chromium 156: set at 0 s and at 100 s, posted across sites at 125 s. */
Test(cookie, the_two_minutes_start_anew_only_with_a_new_value)
{
        struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX_ALLOW_POST);

        cr_expect_str_eq(store_at(jar, SP, "a=1; Secure", T0), "");
        cr_expect_str_eq(store_at(jar, SP, "b=1; Secure", T0), "");
        cr_expect_str_eq(store_at(jar, SP, "a=1; Secure", T0 + 100000), "");
        cr_expect_str_eq(store_at(jar, SP, "b=2; Secure", T0 + 100000), "");
        cr_expect_str_eq(posted(jar, SP, IDP, T0 + 125000), "b=2");
        kp_jar_free(&jar);
}

/* SameSite as set, by who asks and how. Spec: RFC 6265bis §5.8.3 */
Test(cookie, samesite_decides_what_goes_along)
{
        static const struct {
                enum kp_samesite_default by_default;
                const char *method, *initiator;
                bool top_level;
                const char *want;
        } cases[] = {
                { KP_SAMESITE_DEFAULT_LAX, "GET", NULL, true, "s=1; l=1; n=1; d=1" },
                { KP_SAMESITE_DEFAULT_LAX, "POST", SP, true, "s=1; l=1; n=1; d=1" },
                { KP_SAMESITE_DEFAULT_LAX, "POST", "https://x.magister.example", false,
                        "s=1; l=1; n=1; d=1" },
                { KP_SAMESITE_DEFAULT_LAX, "GET", IDP, true, "l=1; n=1; d=1" },
                { KP_SAMESITE_DEFAULT_LAX, "GET", "http://magister.example/", true,
                        "l=1; n=1; d=1" },
                { KP_SAMESITE_DEFAULT_LAX, "POST", IDP, true, "n=1" },
                { KP_SAMESITE_DEFAULT_LAX, "GET", IDP, false, "n=1" },
                { KP_SAMESITE_DEFAULT_LAX_ALLOW_POST, "POST", IDP, true, "n=1; d=1" },
                { KP_SAMESITE_DEFAULT_LAX_ALLOW_POST, "POST", IDP, false, "n=1" },
                { KP_SAMESITE_DEFAULT_LAX_ALLOW_POST, "GET", IDP, false, "n=1" },
                { KP_SAMESITE_DEFAULT_NONE, "POST", IDP, true, "n=1; d=1" },
                { KP_SAMESITE_DEFAULT_NONE, "GET", IDP, false, "n=1; d=1" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_jar *jar = jar_new(cases[i].by_default);

                cr_expect_str_eq(
                        store_at(jar, SP, "s=1; Secure; SameSite=Strict", T0), "");
                cr_expect_str_eq(
                        store_at(jar, SP, "l=1; Secure; SameSite=lax", T0), "");
                cr_expect_str_eq(
                        store_at(jar, SP, "n=1; Secure; SameSite=NONE", T0), "");
                cr_expect_str_eq(
                        store_at(jar, SP, "d=1; Secure; SameSite=what", T0), "");
                cr_expect_str_eq(
                        sent(jar, (struct kp_cookie_context){ SP, cases[i].method,
                                          cases[i].initiator, cases[i].top_level, T0 }),
                        cases[i].want, "case %zu: %s", i, header);
                kp_jar_free(&jar);
        }
}

/* What browsers refuse to keep. Spec: RFC 6265bis §5.7 */
Test(cookie, refuses_what_a_browser_refuses_and_says_why)
{
        static const char *const cases[][3] = {
                { "http://magister.example/", "a=1; Secure", "secure-on-http" },
                { "http://localhost:8080/", "a=1; Secure", "" },
                { "http://app.localhost/", "a=1; Secure", "" },
                { "http://127.0.0.1/", "a=1; Secure", "" },
                { "http://127.0.0.1.example/", "a=1; Secure", "secure-on-http" },
                { SP, "a=1; SameSite=None", "samesite-none-insecure" },
                { SP, "a=1; SameSite=None; Secure", "" },
                { "https://accounts.magister.net/", "a=1; Domain=net",
                        "public-suffix" },
                { "https://school.github.io/", "a=1; Domain=github.io",
                        "public-suffix" },
                { "https://github.io/", "a=1; Domain=github.io", "" },
                { "https://accounts.magister.net/", "a=1; Domain=magister.net", "" },
                { "https://accounts.magister.net/", "a=1; Domain=.Magister.NET", "" },
                { "https://accounts.magister.net/", "a=1; Domain=school.magister.net",
                        "other-domain" },
                { "https://magister.net/", "a=1; Domain=accounts.magister.net",
                        "other-domain" },
                { "https://evilmagister.net/", "a=1; Domain=magister.net",
                        "other-domain" },
                { "https://127.0.0.1/", "a=1; Domain=0.0.1", "other-domain" },
                { "https://127.0.0.1/", "a=1; Domain=127.0.0.1", "" },
                { SP, "a=1; Domain=b\xc3\xbc.example", "malformed" },
                { SP, "", "malformed" },
                { SP, "=", "malformed" },
                { SP, "a=1\x01", "malformed" },
                { SP, "a=\x7f", "malformed" },
                { SP, "a=\t1", "" },
                { SP, "novalue", "" },
                { SP, "__Secure-a=1", "prefix" },
                { SP, "__secure-a=1", "prefix" },
                { SP, "__Secure-a=1; Secure", "" },
                { SP, "__Host-a=1; Secure", "prefix" },
                { "https://magister.example/deep/er", "__Host-a=1; Secure", "prefix" },
                { SP, "__Host-a=1; Secure; Path=/", "" },
                { SP, "__Host-a=1; Secure; Path=/x", "prefix" },
                { SP, "__Host-a=1; Secure; Path=/; Domain=magister.example", "prefix" },
                { SP, "__Host-a=1; Path=/", "prefix" },
                { SP, "=__Host-a=1", "prefix" },
                { SP, "__Hosta=1", "" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);
                const char *why = store_at(jar, cases[i][0], cases[i][1], T0);

                cr_expect_str_eq(why, cases[i][2], "%s at %s: '%s'", cases[i][1],
                        cases[i][0], why);
                cr_expect_str_eq(typed(jar, "https://elsewhere.example/", T0), "");
                kp_jar_free(&jar);
        }
}

Test(cookie, an_iframe_or_image_cannot_leave_a_samesite_cookie_across_sites)
{
        static const struct {
                const char *set_cookie, *initiator;
                bool top_level;
                const char *want;
        } cases[] = {
                { "a=1; Secure", IDP, false, "cross-site" },
                { "a=1; Secure; SameSite=Lax", IDP, false, "cross-site" },
                { "a=1; Secure; SameSite=Strict", IDP, false, "cross-site" },
                { "a=1; Secure; SameSite=None", IDP, false, NULL },
                { "a=1; Secure; SameSite=Strict", IDP, true, NULL },
                { "a=1; Secure; SameSite=Strict", SP, false, NULL },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);
                struct kp_cookie_context context = { SP, "POST", cases[i].initiator,
                        cases[i].top_level, T0 };
                struct kp_error err = { 0 };
                const char *why = "unset";

                cr_assert_eq(
                        kp_jar_store(jar, &context, cases[i].set_cookie, &why, &err),
                        0);
                if (cases[i].want == NULL)
                        cr_expect_null(why, "case %zu", i);
                else
                        cr_expect_str_eq(why, cases[i].want, "case %zu", i);
                kp_jar_free(&jar);
        }
}

Test(cookie, goes_to_its_host_domain_and_path_only)
{
        static const char *const cases[][4] = {
                { "https://a.school.example/", "x=1", "https://a.school.example/",
                        "x=1" },
                { "https://a.school.example/", "x=1", "https://b.a.school.example/",
                        "" },
                { "https://a.school.example/", "x=1; Domain=school.example",
                        "https://b.school.example/", "x=1" },
                { "https://a.school.example/", "x=1; Domain=school.example",
                        "https://school.example:8443/", "x=1" },
                { "https://a.school.example/", "x=1; Domain=school.example",
                        "https://myschool.example/", "" },
                { SP, "x=1; Path=/saml", SP "saml", "x=1" },
                { SP, "x=1; Path=/saml", SP "saml/acs", "x=1" },
                { SP, "x=1; Path=/saml", SP "samlx", "" },
                { SP, "x=1; Path=/saml/", SP "saml", "" },
                { SP, "x=1; Path=relative", SP "other", "x=1" },
                { SP "saml/acs", "x=1", SP "saml/other", "x=1" },
                { SP "saml/acs", "x=1", SP "login", "" },
                { SP "saml", "x=1", SP "login", "x=1" },
                { SP, "x=1; Secure", "http://magister.example/", "" },
                { SP, "x=1", "http://magister.example/", "x=1" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);

                cr_expect_str_eq(store_at(jar, cases[i][0], cases[i][1], T0), "");
                cr_expect_str_eq(typed(jar, cases[i][2], T0), cases[i][3],
                        "%s from %s to %s", cases[i][1], cases[i][0], cases[i][2]);
                cr_expect_eq(withheld, 0);
                kp_jar_free(&jar);
        }
}

Test(cookie, sends_longer_paths_first_and_then_the_oldest)
{
        struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);

        (void)store_at(jar, SP, "second=1", T0 + 1);
        (void)store_at(jar, SP, "first=1", T0);
        (void)store_at(jar, SP, "same=1", T0 + 1);
        (void)store_at(jar, SP, "long=1; Path=/a", T0 + 9);
        (void)store_at(jar, SP, "bare", T0 + 10);
        cr_expect_str_eq(
                typed(jar, SP "a", T0 + 10), "long=1; first=1; second=1; same=1; bare");
        kp_jar_free(&jar);
}

Test(cookie, replaces_by_name_domain_and_path)
{
        struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);

        (void)store_at(jar, SP, "a=1", T0);
        (void)store_at(jar, SP, "a=2", T0);
        cr_expect_str_eq(typed(jar, SP, T0), "a=2");
        (void)store_at(jar, SP, "a=3; Domain=magister.example", T0);
        cr_expect_str_eq(typed(jar, SP, T0), "a=2; a=3");
        (void)store_at(jar, SP, "a=; Max-Age=0", T0);
        cr_expect_str_eq(typed(jar, SP, T0), "a=3");
        kp_jar_free(&jar);
}

Test(cookie, an_insecure_page_cannot_replace_a_secure_cookie)
{
        struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);

        (void)store_at(jar, SP, "a=1; Secure; Path=/saml", T0);
        cr_expect_str_eq(
                store_at(jar, "http://magister.example/", "a=2; Path=/saml/x", T0),
                "secure-on-http");
        cr_expect_str_eq(
                store_at(jar, "http://magister.example/", "a=2; Path=/", T0), "");
        cr_expect_str_eq(
                store_at(jar, "http://magister.example/", "b=2; Path=/saml/x", T0), "");
        kp_jar_free(&jar);
}

Test(cookie, ends_when_it_says)
{
        static const struct {
                const char *set_cookie;
                int64_t last_ms; /* sent just before this, not at it; 0: never kept */
        } cases[] = {
                { "a=1; Max-Age=10", 10000 },
                { "a=1; Max-Age=10; Expires=Wed, 02 Sep 2026 08:00:00 GMT", 10000 },
                { "a=1; Expires=Wed, 02 Sep 2026 08:00:00 GMT", 86400000 },
                { "a=1; Expires=Wednesday, 02-Sep-26 08:00:00 GMT", 86400000 },
                { "a=1; Expires=Wed Sep  2 08:00:00 2026", 86400000 },
                { "a=1; Expires=8:0:0 september 2 26", 86400000 },
                { "a=1; Max-Age=0", 0 },
                { "a=1; Max-Age=-1", 0 },
                { "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0 },
                { "a=1; Max-Age=99999999999999999999", INT64_C(400) * 86400000 },
                { "a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
                        INT64_C(400) * 86400000 },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);

                cr_expect_str_eq(store_at(jar, SP, cases[i].set_cookie, T0), "");
                if (cases[i].last_ms > 0)
                        cr_expect_str_eq(typed(jar, SP, T0 + cases[i].last_ms - 1),
                                "a=1", "%s", cases[i].set_cookie);
                cr_expect_str_eq(typed(jar, SP, T0 + cases[i].last_ms), "", "%s",
                        cases[i].set_cookie);
                kp_jar_free(&jar);
        }
}

/* Spec: RFC 6265bis §5.1.1: no date is no date; the cookie lives as a session's. */
Test(cookie, a_wrong_date_makes_a_session_cookie)
{
        static const char *const cases[] = {
                "a=1; Expires=Wed, 30 Feb 2026 08:00:00 GMT",
                "a=1; Expires=Wed, 02 Sep 2026 24:00:00 GMT",
                "a=1; Expires=Wed, 02 Sep 1600 08:00:00 GMT",
                "a=1; Expires=Wed, 02 Sep 2026",
                "a=1; Expires=02 2026 08:00:00",
                "a=1; Expires=tomorrow",
                "a=1; Expires=",
                "a=1; Max-Age=",
                "a=1; Max-Age=-",
                "a=1; Max-Age=1x",
                "a=1; Max-Age=+1",
                "a=1",
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);

                cr_expect_str_eq(store_at(jar, SP, cases[i], T0), "");
                cr_expect_str_eq(typed(jar, SP, T0 + INT64_C(500) * 86400000), "a=1",
                        "%s", cases[i]);
                kp_jar_end_session(jar);
                cr_expect_str_eq(typed(jar, SP, T0), "", "%s", cases[i]);
                kp_jar_free(&jar);
        }
}

Test(cookie, a_closed_browser_forgets_session_cookies_only)
{
        struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);

        (void)store_at(jar, SP, "session=1", T0);
        (void)store_at(jar, SP, "stay=1; Max-Age=1000", T0);
        kp_jar_end_session(jar);
        cr_expect_str_eq(typed(jar, SP, T0), "stay=1");
        kp_jar_clear(jar);
        cr_expect_str_eq(typed(jar, SP, T0), "");
        kp_jar_free(&jar);
        kp_jar_free(&jar);
}

Test(cookie, long_ones_are_ignored_as_browsers_do)
{
        struct kp_jar *jar = jar_new(KP_SAMESITE_DEFAULT_LAX);
        char text[6000];

        (void)snprintf(text, sizeof(text), "a=%04095d", 1);
        cr_expect_str_eq(store_at(jar, SP, text, T0), "");
        (void)snprintf(text, sizeof(text), "b=%04096d", 1);
        cr_expect_str_eq(store_at(jar, SP, text, T0), "malformed");
        (void)snprintf(text, sizeof(text), "c=1; Path=/%01024d", 1);
        cr_expect_str_eq(store_at(jar, SP, text, T0), "");
        cr_expect_not_null(
                strstr(typed(jar, SP, T0), "c=1"), "a long attribute is no attribute");
        kp_jar_free(&jar);
}

Test(cookie, sites_are_scheme_and_registrable_domain)
{
        static const struct {
                const char *a, *b;
                bool same;
        } cases[] = {
                { "https://a.school.nl", "https://b.school.nl:8443/x", true },
                { "https://a.school.nl", "http://a.school.nl", false },
                { "https://school.nl", "https://other.nl", false },
                { "https://a.co.uk", "https://b.co.uk", false },
                { "https://x.a.co.uk", "https://a.co.uk", true },
                { "https://a.github.io", "https://b.github.io", false },
                { "https://magister.example", "https://a.magister.example", true },
                { "http://localhost:1", "http://localhost:2", true },
                { "http://localhost", "http://127.0.0.1", false },
                { "http://10.0.0.1", "http://10.1.0.1", false },
                { "http://[::1]", "http://[::1]:80", true },
                { "https://net", "https://net", true },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_error err = { 0 };
                bool same = !cases[i].same;

                cr_assert_eq(kp_same_site(cases[i].a, cases[i].b, &same, &err), 0);
                cr_expect_eq(same, cases[i].same, "%s and %s", cases[i].a, cases[i].b);
        }
}

Test(cookie, finds_one_value_in_a_request)
{
        static const char *const cases[][3] = {
                { "a=1; b=2", "b", "2" },
                { "ab=1; b=2=3", "b", "2=3" },
                { "a=1;b=", "b", "" },
                { "a=1; bb=2", "b", NULL },
                { "", "b", NULL },
                { "b", "b", NULL },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_buf value = { 0 };
                bool found = kp_cookie_get(cases[i][0], cases[i][1], &value);

                cr_expect_eq(found, cases[i][2] != NULL, "%s", cases[i][0]);
                if (found)
                        cr_expect_str_eq(kp_buf_str(&value), cases[i][2]);
                kp_buf_done(&value);
        }
        cr_expect_not(kp_cookie_get(NULL, "b", NULL));
}
