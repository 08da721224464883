/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/http/transport_inproc.h"

Test(message, finds_headers_without_regard_to_case)
{
        struct kp_headers headers = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_headers_add(&headers, "Set-Cookie", "a=1", &err), 0);
        cr_assert_eq(kp_headers_add(&headers, "set-cookie", "b=2", &err), 0);
        cr_expect_str_eq(kp_headers_get(&headers, "SET-COOKIE"), "a=1");
        cr_expect_eq(headers.n_items, 2);
        cr_expect_null(kp_headers_get(&headers, "Set-Cooki"));
        kp_headers_done(&headers);
}

Test(message, refuses_a_header_that_would_start_a_new_line)
{
        static const char *const bad[][2] = {
                { "Location", "https://a/\r\nSet-Cookie: x=1" },
                { "Location", "a\nb" },
                { "Loca\rtion", "a" },
                { "Location:", "a" },
                { "", "a" },
        };

        for (size_t i = 0; i < KP_NELEMS(bad); i++) {
                struct kp_headers headers = { 0 };
                struct kp_error err = { 0 };

                cr_expect_eq(kp_headers_add(&headers, bad[i][0], bad[i][1], &err), -1);
                cr_expect_eq(err.code, KP_EPARSE);
                cr_expect_eq(headers.n_items, 0);
                kp_headers_done(&headers);
        }
}

static int
answer(void *self, const struct kp_request *request, struct kp_response *ret,
        struct kp_error *err)
{
        if (strstr(request->url, "broken") != NULL)
                return KP_FAIL(err, KP_EBUG, "broken");
        ret->status = *(int *)self;
        return 0;
}

static int
send_to(const char *url, int *ret_status, struct kp_error *err)
{
        int one = 201, two = 202;
        struct kp_site sites[] = {
                { "https://login.example", &one, answer },
                { "http://localhost:8080", &two, answer },
        };
        struct kp_inproc inproc = { sites, KP_NELEMS(sites) };
        struct kp_transport transport = kp_transport_inproc(&inproc);
        struct kp_request request = { .method = "GET", .url = strdup(url) };
        struct kp_response response = { 0 };
        int rc = transport.send(transport.self, &request, &response, err);

        *ret_status = response.status;
        kp_request_done(&request);
        kp_response_done(&response);
        return rc;
}

Test(transport, hands_a_request_to_the_site_of_its_origin)
{
        static const struct {
                const char *url;
                int status;
        } sent[] = {
                { "https://login.example/a?b#c", 201 },
                { "https://LOGIN.example:443", 201 },
                { "http://localhost:8080/x", 202 },
                { "http://localhost/x", 0 },
                { "http://login.example/", 0 },
                { "https://login.example.evil/", 0 },
                { "https://login.example@evil.example/", 0 },
        };

        for (size_t i = 0; i < KP_NELEMS(sent); i++) {
                struct kp_error err = { 0 };
                int status = -1;

                cr_assert_eq(send_to(sent[i].url, &status, &err), 0);
                cr_expect_eq(status, sent[i].status, "%s", sent[i].url);
        }
}

Test(transport, tells_which_site_failed)
{
        struct kp_error err = { 0 };
        char why[256];
        int status;

        cr_assert_eq(send_to("https://login.example/broken", &status, &err), -1);
        cr_expect_str_eq(kp_error_format(&err, why, sizeof(why)),
                "https://login.example: broken");
}
