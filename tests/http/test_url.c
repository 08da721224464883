/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/http/message.h"

/* What browsers make of an address; NULL: refused. Checked against Node's URL class. */
static const struct whole {
        const char *text, *href;
} wholes[] = {
        { "https://Login.Example", "https://login.example/" },
        { "HTTPS://login.example:443/a", "https://login.example/a" },
        { "http://login.example:443/a", "http://login.example:443/a" },
        { "  https://login.example/a b\t\n", "https://login.example/a%20b" },
        { "https://login.example/a/./b/../c/%2e%2E/d", "https://login.example/a/d" },
        { "https://login.example/a/..", "https://login.example/" },
        { "https://login.example/../../x/.", "https://login.example/x/" },
        { "https://login.example?a=b c&d='e'#f g",
                "https://login.example/?a=b%20c&d=%27e%27#f%20g" },
        { "https:\\\\login.example\\a\\b?c\\d", "https://login.example/a/b?c\\d" },
        { "https:///login.example/x", "https://login.example/x" },
        { "https://b\xc3\xbc"
          "cher.example/\xc3\xa9",
                "https://xn--bcher-kva.example/%C3%A9" },
        { "https://%6cogin.example/", "https://login.example/" },
        { "https://127.1/", "https://127.0.0.1/" },
        { "https://0x7f.0.0.1/", "https://127.0.0.1/" },
        { "http://[::1]:8080/", "http://[::1]:8080/" },
        { "http://[0:0:0:0:0:0:0:1]/", "http://[::1]/" },
        { "https://login.example:/", "https://login.example/" },
        { "https://login.example/?", "https://login.example/?" },
        { "https://login.example/#", "https://login.example/#" },
        { "https://login.example/a%zz", "https://login.example/a%zz" },
        { "https://login.example/a//b", "https://login.example/a//b" },
        { "", NULL },
        { "login.example/x", NULL },
        { "/x", NULL },
        { "https://", NULL },
        { "https://login.example:65536/", NULL },
        { "https://login.example:8a/", NULL },
        { "https://login example/", NULL },
        { "https://a<b/", NULL },
        { "https://999.1.1.1/", NULL },
        { "https://[::1", NULL },
        { "https://[zz]/", NULL },
        { "https://%00/", NULL },
};

Test(url, reads_addresses_as_browsers_do)
{
        for (size_t i = 0; i < KP_NELEMS(wholes); i++) {
                KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
                KP_CLEANUP(kp_free_str) char *href = NULL;
                struct kp_error err = { 0 };
                int rc = kp_url_parse(wholes[i].text, &url, &err);

                cr_expect_eq(
                        rc, wholes[i].href == NULL ? -1 : 0, "'%s'", wholes[i].text);
                if (rc < 0) {
                        cr_expect_eq(err.code, KP_EPARSE, "'%s'", wholes[i].text);
                        continue;
                }
                cr_assert_eq(kp_url_write(&url, &href, &err), 0);
                cr_expect_str_eq(
                        href, wholes[i].href, "'%s' gave '%s'", wholes[i].text, href);
        }
}

/* Spec: RFC 3986 §5.4.1 and §5.4.2, the examples that are about paths and queries */
static const struct resolved {
        const char *reference, *target;
} resolved[] = {
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g/" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q#s" },
        { "g#s", "http://a/b/c/g#s" },
        { "g?y#s", "http://a/b/c/g?y#s" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/../x", "http://a/b/c/g#s/../x" },
        { "http:g", "http://a/b/c/g" },
        { "https://x/y", "https://x/y" },
        { "\\\\x\\y", "http://x/y" },
        { "mailto:a@b", "mailto:a@b" },
        { "myapp:done", "myapp:done" },
};

Test(url, resolves_references_as_the_standard_lists_them)
{
        for (size_t i = 0; i < KP_NELEMS(resolved); i++) {
                KP_CLEANUP(kp_free_str) char *target = NULL;
                struct kp_error err = { 0 };

                cr_assert_eq(kp_url_resolve("http://a/b/c/d;p?q", resolved[i].reference,
                                     &target, &err),
                        0);
                cr_expect_str_eq(target, resolved[i].target, "'%s' gave '%s'",
                        resolved[i].reference, target);
        }
}

Test(url, an_origin_has_a_port_only_where_it_is_not_the_usual_one)
{
        static const char *const origins[][2] = {
                { "https://Login.Example:443/a?b", "https://login.example" },
                { "http://localhost:8080/a", "http://localhost:8080" },
                { "https://magister.net@login.example/", "https://login.example" },
                { "https://login.example\\@magister.net/", "https://login.example" },
        };

        for (size_t i = 0; i < KP_NELEMS(origins); i++) {
                KP_CLEANUP(kp_free_str) char *origin = NULL;
                struct kp_error err = { 0 };

                cr_assert_eq(kp_url_origin(origins[i][0], &origin, &err), 0);
                cr_expect_str_eq(origin, origins[i][1]);
        }
}

Test(url, refuses_an_origin_of_what_has_no_host)
{
        char *origin = NULL;
        struct kp_error err = { 0 };

        cr_expect_eq(kp_url_origin("mailto:a@b", &origin, &err), -1);
        cr_expect_eq(err.code, KP_EPARSE);
        cr_expect_null(origin);
}
