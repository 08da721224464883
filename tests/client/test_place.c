/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

/*
 * Where a page stands: origins, RP IDs, related origins, frames, permissions policy,
 * clicks. The tables of frames are what Chromium 156 was seen to do.
 */
#define C "publickey-credentials-create"

static const char *
create_at(const struct kp_page *page, const char *client, const char *rp_id,
        const char **ret_reason)
{
        json_auto_t *options = bench_options("discouraged", "discouraged");
        static char name[32];
        struct bench b;

        if (rp_id == NULL)
                json_object_del(json_object_get(options, "rp"), "id");
        else
                json_object_set_new(
                        json_object_get(options, "rp"), "id", json_string(rp_id));
        bench_open(&b, client, "yubikey-5-57");
        b.page = *page;
        snprintf(name, sizeof(name), "%s", bench_call(&b, true, options));
        *ret_reason = b.exception.reason;
        bench_done(&b);
        return name;
}

/* clang-format off */
static const struct {
        /* rp_id NULL: not given; reason NULL: works */
        const char *origin, *rp_id, *reason;
} rp_ids[] = {
        { "https://example.com", NULL, NULL },
        { "https://example.com/path?q#f", NULL, NULL },
        { "https://EXAMPLE.com:8443", "example.com", NULL },
        { "https://login.example.com", "example.com", NULL },
        { "https://login.example.com", "login.example.com", NULL },
        { "https://login.example.com:1337", "m.login.example.com", "rp-id-not-for-origin" },
        { "https://login.example.com", "com", "rp-id-not-for-origin" },
        { "https://login.example.com", "xample.com", "rp-id-not-for-origin" },
        { "https://login.example.com", "", "rp-id-not-for-origin" },
        { "https://login.example.com", "EXAMPLE.COM", "rp-id-not-for-origin" },
        { "https://login.example.com", "https://example.com", "rp-id-not-for-origin" },
        { "https://login.example.com", "example.com:443", "rp-id-not-for-origin" },
        { "https://example.com", "login.example.com", "related-origins-unreadable" },
        { "https://school.co.uk", "co.uk", "related-origins-unreadable" },
        { "https://www.school.co.uk", "school.co.uk", NULL },
        { "https://a.github.io", "github.io", "related-origins-unreadable" },
        { "https://x.a.github.io", "a.github.io", NULL },
        { "https://login.unknowntld", "unknowntld", "related-origins-unreadable" },
        { "https://www.caf\xc3\xa9.example", "xn--caf-dma.example", NULL },
        { "https://localhost", NULL, NULL },
        { "http://localhost:3000", NULL, NULL },
        { "http://x.localhost", NULL, NULL },
        { "http://x.y.localhost", "y.localhost", NULL },
        { "http://x.y.localhost", "localhost", "rp-id-not-for-origin" },
        { "http://example.com", NULL, "origin-not-secure" },
        { "http://127.0.0.1:8080", NULL, "origin-not-domain" },
        { "https://192.0.2.1", NULL, "origin-not-domain" },
        { "https://192.0.2.1", "192.0.2.1", "origin-not-domain" },
        { "https://0x7f.1", NULL, "origin-not-domain" },
        { "https://[2001:db8::1]", NULL, "origin-not-domain" },
        { "http://[::1]:8080", NULL, "origin-not-domain" },
        { "null", NULL, "opaque-origin" },
};
/* clang-format on */

Test(place, rp_ids_fit_their_origin_or_are_refused)
{
        for (size_t i = 0; i < KP_NELEMS(rp_ids); i++) {
                struct kp_page page = { .origin = rp_ids[i].origin };
                const char *reason, *name, *wanted = rp_ids[i].reason;

                if (wanted != NULL &&
                        strcmp(wanted, "related-origins-unreadable") == 0 &&
                        rp_ids[i].rp_id != NULL)
                        page.well_known = NULL;
                name = create_at(&page, "chromium-debian", rp_ids[i].rp_id, &reason);
                if (wanted == NULL)
                        cr_expect_str_eq(name, "", "%s with %s: %s", rp_ids[i].origin,
                                rp_ids[i].rp_id, reason);
                else if (reason == NULL)
                        cr_expect_fail(
                                "%s with %s works", rp_ids[i].origin, rp_ids[i].rp_id);
                else
                        /* a client with related origins looks there first */
                        cr_expect(
                                strcmp(reason, wanted) == 0 ||
                                        (strcmp(wanted, "rp-id-not-for-origin") == 0 &&
                                                strcmp(reason,
                                                        "related-origins-unreadable") ==
                                                        0),
                                "%s with %s: %s", rp_ids[i].origin, rp_ids[i].rp_id,
                                reason);
        }
}

Test(place, a_client_without_related_origins_does_not_look_for_them)
{
        struct kp_page page = { .origin = "https://school.nl" };
        const char *reason;

        cr_expect_str_eq(create_at(&page, "firefox-linux", "school.example", &reason),
                "SecurityError");
        cr_expect_str_eq(reason, "rp-id-not-for-origin");
}

/* clang-format off */
#define LIST(origins) "{\"host\":\"school.example\",\"status\":200,\"headers\":{\"Content-Type\":\"application/json; charset=utf-8\"},\"body\":\"{\\\"origins\\\":[" origins "]}\"}"
#define O(host) "\\\"https://" host "\\\""
static const struct {
        const char *well_known, *reason;
} lists[] = {
        { "[" LIST(O("school.nl")) "]", NULL },
        { "[" LIST(O("other.nl") "," O("school.nl")) "]", NULL },
        { "[" LIST(O("school.nl/path")) "]", NULL },
        { "[" LIST(O("school.nl:444")) "]", "related-origin-not-listed" },
        { "[" LIST(O("www.school.nl")) "]", "related-origin-not-listed" },
        { "[" LIST("\\\"http://school.nl\\\"") "]", "related-origin-not-listed" },
        { "[" LIST("") "]", "related-origin-not-listed" },
        { "[" LIST("5") "]", "related-origins-unreadable" },
        { "[" LIST("\\\"not a url\\\"," O("co.uk") "," O("school.nl")) "]", NULL },
        /* five labels count, no sixth; one may come again, in another country too */
        { "[" LIST(O("a.nl") "," O("b.nl") "," O("c.nl") "," O("d.nl") "," O("school.nl")) "]", NULL },
        { "[" LIST(O("a.nl") "," O("b.nl") "," O("c.nl") "," O("d.nl") "," O("e.nl") "," O("school.nl")) "]", "related-origin-not-listed" },
        { "[" LIST(O("a.nl") "," O("a.de") "," O("b.nl") "," O("b.co.uk") "," O("c.nl") "," O("d.nl") "," O("school.nl")) "]", NULL },
        { "[" LIST(O("school.be") "," O("a.nl") "," O("b.nl") "," O("c.nl") "," O("d.nl") "," O("school.nl")) "]", NULL },
        { "[]", "related-origins-unreadable" },
        { "[{\"host\":\"school.example\",\"status\":404,\"headers\":{\"content-type\":\"application/json\"},\"body\":\"{}\"}]", "related-origins-unreadable" },
        { "[{\"host\":\"school.example\",\"status\":200,\"headers\":{\"content-type\":\"text/html\"},\"body\":\"{\\\"origins\\\":[\\\"https://school.nl\\\"]}\"}]", "related-origins-unreadable" },
        { "[{\"host\":\"school.example\",\"status\":200,\"headers\":{\"content-type\":\"application/jsonp\"},\"body\":\"{\\\"origins\\\":[\\\"https://school.nl\\\"]}\"}]", "related-origins-unreadable" },
        { "[{\"host\":\"school.example\",\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":\"not json\"}]", "related-origins-unreadable" },
        { "[{\"host\":\"school.example\",\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":{\"origins\":[\"https://school.nl\"]}}]", NULL },
        { "[{\"host\":\"school.example\",\"status\":302,\"headers\":{\"location\":\"https://www.school.example/.well-known/webauthn\"}},{\"host\":\"www.school.example\",\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":\"{\\\"origins\\\":[\\\"https://school.nl\\\"]}\"}]", NULL },
        { "[{\"host\":\"school.example\",\"status\":302,\"headers\":{\"location\":\"http://www.school.example/.well-known/webauthn\"}},{\"host\":\"www.school.example\",\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":\"{\\\"origins\\\":[\\\"https://school.nl\\\"]}\"}]", "related-origins-unreadable" },
        { "[{\"host\":\"school.example\",\"status\":302,\"headers\":{\"location\":\"https://school.example/.well-known/webauthn\"}}]", "related-origins-unreadable" },
};
/* clang-format on */

Test(place, related_origins_are_what_the_rp_id_lists)
{
        for (size_t i = 0; i < KP_NELEMS(lists); i++) {
                json_auto_t *well_known = bench_json(lists[i].well_known);
                struct kp_page page = { .origin = "https://school.nl",
                        .well_known = well_known };
                const char *reason, *name = create_at(&page, "safari-macos",
                                            "school.example", &reason);

                page.user_activation = true;
                name = create_at(&page, "safari-macos", "school.example", &reason);
                if (lists[i].reason == NULL)
                        cr_expect_str_eq(
                                name, "", "%s: %s", lists[i].well_known, reason);
                else
                        cr_expect(
                                reason != NULL && strcmp(reason, lists[i].reason) == 0,
                                "%s: %s", lists[i].well_known, reason);
        }
}

/* clang-format off */
#define FRAME "https://frame.example"
static const struct {
        enum kp_framing framing;
        const char *allow, *policy, *reason;
} frames[] = {
        { KP_FRAME_CROSS_ORIGIN, NULL, NULL, "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C, NULL, NULL },
        { KP_FRAME_CROSS_ORIGIN, "camera; " C " ;x", NULL, NULL },
        { KP_FRAME_CROSS_ORIGIN, C " *", NULL, NULL },
        { KP_FRAME_CROSS_ORIGIN, C " 'src'", NULL, NULL },
        { KP_FRAME_CROSS_ORIGIN, C " " FRAME, NULL, NULL },
        { KP_FRAME_CROSS_ORIGIN, C " 'none'", NULL, "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C " 'self'", NULL, "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C " https://other.example", NULL, "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C "-more", NULL, "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C, C "=()", "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C, C "=(self)", "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C, C "=(self \"" FRAME "\")", NULL },
        { KP_FRAME_CROSS_ORIGIN, C, C "=*", NULL },
        { KP_FRAME_CROSS_ORIGIN, NULL, C "=*", "permissions-policy" },
        { KP_FRAME_CROSS_ORIGIN, C, "camera=(), " C "=(\"" FRAME "\"), x=*", NULL },
        { KP_FRAME_SAME_ORIGIN, NULL, NULL, NULL },
        { KP_FRAME_SAME_ORIGIN, C " 'none'", NULL, "permissions-policy" },
        { KP_FRAME_SAME_ORIGIN, NULL, C "=()", "permissions-policy" },
        { KP_FRAME_TOP, NULL, C "=()", "permissions-policy" },
        { KP_FRAME_TOP, NULL, C "=(self)", NULL },
        { KP_FRAME_TOP, NULL, C "=self", NULL },
        { KP_FRAME_TOP, NULL, C "=*", NULL },
        { KP_FRAME_TOP, NULL, C "=(\"https://other.example\")", "permissions-policy" },
        { KP_FRAME_TOP, NULL, "publickey-credentials-get=()", NULL },
        { KP_FRAME_TOP, NULL, "bogus((", NULL },
};
/* clang-format on */

Test(place, frames_need_what_the_permissions_policy_says)
{
        for (size_t i = 0; i < KP_NELEMS(frames); i++) {
                struct kp_page page = { .origin = FRAME,
                        .framing = frames[i].framing,
                        .top_origin = "https://top.example",
                        .allow = frames[i].allow,
                        .permissions_policy = frames[i].policy,
                        .user_activation = true };
                const char *reason;

                (void)create_at(&page, "chromium-debian", NULL, &reason);
                cr_expect(reason == frames[i].reason ||
                                  (reason != NULL && frames[i].reason != NULL &&
                                          strcmp(reason, frames[i].reason) == 0),
                        "allow %s, header %s: %s", frames[i].allow, frames[i].policy,
                        reason);
        }
}

Test(place, a_click_is_needed_where_the_client_wants_one)
{
        struct kp_page page = { .origin = FRAME };
        const char *reason;

        cr_expect_str_eq(create_at(&page, "chromium-debian", NULL, &reason), "");
        cr_expect_str_eq(
                create_at(&page, "safari-ios", NULL, &reason), "NotAllowedError");
        cr_expect_str_eq(reason, "user-activation-missing");
        page = (struct kp_page){ .origin = FRAME,
                .framing = KP_FRAME_CROSS_ORIGIN,
                .top_origin = "https://top.example",
                .allow = C };
        cr_expect_str_eq(
                create_at(&page, "chromium-debian", NULL, &reason), "NotAllowedError");
        cr_expect_str_eq(reason, "user-activation-missing");
        page.user_activation = true;
        cr_expect_str_eq(
                create_at(&page, "safari-ios", NULL, &reason), "NotAllowedError");
        cr_expect_str_eq(reason, "permissions-policy", "denied there");
}

Test(place, client_data_tell_the_frame_and_the_page_around_it)
{
        struct bench b;
        KP_CLEANUP(kp_free_str) char *id = NULL;
        const char *expected = "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiQUF"
                               "FQ0F3UUYiLCJvcmlnaW4iO"
                               "iJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwiY3Jvc3NPcmlnaW4i"
                               "OnRydWUsInRvcE9yaWdpbiI"
                               "6Imh0dHBzOi8vdG9wLmV4YW1wbGUifQ";

        bench_open(&b, "chromium-debian", "yubikey-5-57");
        b.page.framing = KP_FRAME_CROSS_ORIGIN;
        b.page.top_origin = "https://TOP.example:443/page";
        b.page.allow = C;
        cr_assert_str_eq(bench_create(&b, "discouraged", "discouraged"), "");
        cr_expect_str_eq(kp_json_str(json_object_get(b.response, "response"),
                                 "clientDataJSON", ""),
                expected);
        bench_done(&b);
}

/* ---- the --page file ---- */

Test(place, a_page_file_is_read)
{
        json_auto_t *json =
                bench_json("{\"origin\":\"https://a.example\",\"framing\":"
                           "\"cross-origin-iframe\",\"topOrigin\":"
                           "\"https://b.example\",\"allow\":\"x\","
                           "\"permissionsPolicy\":\"y\",\"userActivation\":"
                           "false,\"mediation\":\"conditional\",\"wellKnown\":"
                           "[{\"host\":\"c.example\",\"status\":200}]}");
        struct kp_error err = { 0 };
        struct kp_page page;

        cr_assert_eq(kp_page_read(json, &page, &err), 0, "%s", bench_why(&err));
        cr_expect_eq(page.framing, KP_FRAME_CROSS_ORIGIN);
        cr_expect_eq(page.mediation, KP_MEDIATION_CONDITIONAL);
        cr_expect_not(page.user_activation);
        cr_expect_eq(json_array_size(page.well_known), 1);
}

/* clang-format off */
static const struct {
        const char *text, *says;
} pages[] = {
        { "{}", "'origin' is missing" },
        { "{\"origin\":5}", "'origin': expected a string" },
        { "{\"origin\":\"example.com\"}", "is not the address of a page" },
        { "{\"origin\":\"ftp://example.com\"}", "is not the address of a page" },
        { "{\"origin\":\"https://a.example\",\"orgin\":1}", "'orgin' is not known" },
        { "{\"origin\":\"https://a.example\",\"framing\":\"inside\"}", "'framing': 'inside' is not known" },
        { "{\"origin\":\"https://a.example\",\"framing\":\"cross-origin-iframe\"}", "'topOrigin' is missing" },
        { "{\"origin\":\"https://a.example\",\"mediation\":\"maybe\"}", "known are: optional, conditional, required, silent" },
        { "{\"origin\":\"https://a.example\",\"userActivation\":\"yes\"}", "'userActivation': expected true or false" },
        { "{\"origin\":\"https://a.example\",\"wellKnown\":[{\"host\":\"x\"}]}", "item 1: member 'status' is missing" },
        { "{\"origin\":\"https://a.example\",\"wellKnown\":[{\"host\":\"x\",\"status\":9}]}", "expected an HTTP status" },
        { "{\"origin\":\"https://a.example\",\"wellKnown\":[{\"host\":\"x\",\"status\":200,\"headers\":{\"a\":1}}]}", "'headers': 'a': expected a string" },
};
/* clang-format on */

Test(place, a_wrong_page_file_is_told_by_member)
{
        for (size_t i = 0; i < KP_NELEMS(pages); i++) {
                json_auto_t *json = bench_json(pages[i].text);
                struct kp_error err = { 0 };
                struct kp_page page;

                cr_expect_eq(kp_page_read(json, &page, &err), -1, "%s", pages[i].text);
                cr_expect_not_null(strstr(bench_why(&err), pages[i].says), "%s: %s",
                        pages[i].text, bench_why(&err));
        }
}
