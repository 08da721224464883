/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/http/transport_inproc.h"
#include "keypilot/model/fixtures.h"
#include "keypilot/world/agent.h"

/* Two sites that write down what reaches them. */
static struct {
        char method[8], url[256], cookie[256], body[256];
        unsigned n;
} last;

static void
page(struct kp_response *ret, const char *html)
{
        ret->status = 200;
        kp_buf_puts(&ret->body, html);
}

static void
remember(const struct kp_request *request)
{
        const char *cookie = kp_headers_get(&request->headers, "Cookie");

        last.n++;
        memcpy(last.method, request->method, sizeof(last.method));
        (void)snprintf(last.url, sizeof(last.url), "%s", request->url);
        (void)snprintf(
                last.cookie, sizeof(last.cookie), "%s", cookie == NULL ? "" : cookie);
        (void)snprintf(last.body, sizeof(last.body), "%.*s", (int)request->body.len,
                request->body.len == 0 ? "" : (const char *)request->body.data);
}

static int
redirect(struct kp_response *ret, int status, const char *to, struct kp_error *err)
{
        ret->status = status;
        return kp_headers_add(&ret->headers, "Location", to, err);
}

static int
shop(void *self, const struct kp_request *request, struct kp_response *ret,
        struct kp_error *err)
{
        (void)self;
        remember(request);
        if (strstr(request->url, "/set") != NULL) {
                page(ret, "<a id=go href=/plain>go</a>");
                if (kp_headers_add(&ret->headers, "Set-Cookie",
                            "lax=1; Secure; SameSite=Lax", err) < 0)
                        return -1;
                return kp_headers_add(&ret->headers, "Set-Cookie",
                        "none=1; Secure; SameSite=None; Max-Age=9999", err);
        }
        if (strstr(request->url, "/loop") != NULL)
                return redirect(ret, 302, "/loop", err);
        if (strstr(request->url, "/303") != NULL)
                return redirect(ret, 303, "/plain", err);
        if (strstr(request->url, "/307") != NULL)
                return redirect(ret, 307, "/plain", err);
        if (strstr(request->url, "/form") != NULL)
                page(ret, "<form id=f method=post action=/303><input name=a value=1>"
                          "<input name=b value=2></form>"
                          "<form id=g method=post action=/307><input name=c "
                          "value=3></form>");
        else
                page(ret, "<script type=\"application/json\" id=\"keypilot\">"
                          "{\"site\":\"shop\",\"page\":\"plain\"}</script>");
        return 0;
}

static int
bank(void *self, const struct kp_request *request, struct kp_response *ret,
        struct kp_error *err)
{
        (void)self;
        (void)err;
        remember(request);
        if (strstr(request->url, "/post") != NULL)
                page(ret,
                        "<body onload=\"document.forms[0].submit()\"><form method=post "
                        "action=https://shop.example/plain><input name=x "
                        "value=y></form>");
        else
                page(ret, "<a id=shop href=https://shop.example/plain>shop</a>");
        return 0;
}

static const struct kp_site sites[] = {
        { "https://shop.example", NULL, shop },
        { "https://bank.example", NULL, bank },
};
static struct kp_inproc inproc = { sites, 2 };
static struct kp_clock clock_;
static struct kp_fixtures *fixtures;
static struct kp_client client, *client_in_use;
static struct kp_agent agent;

static void
begin(void)
{
        struct kp_error err = { 0 };
        struct kp_agent_env env = {
                .transport = kp_transport_inproc(&inproc),
                .clock = &clock_,
                .client = &client_in_use,
        };

        memset(&last, 0, sizeof(last));
        clock_ = kp_clock_simulated();
        cr_assert(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err) == 0);
        client.actor.role = "client";
        cr_assert(kp_fixtures_profile(fixtures, KP_KIND_CLIENT, "chrome-linux",
                          &client.actor.profile, &err) == 0);
        client_in_use = &client;
        cr_assert(kp_agent_new_simulated(&env, &agent, &err) == 0);
}

static void
end(void)
{
        kp_agent_free(&agent);
        kp_fixtures_free(&fixtures);
}

TestSuite(agent, .init = begin, .fini = end);

static void
opened(const char *url)
{
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(agent.ops->open(agent.self, url, &err) == 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
}

static void
submitted(const char *form, const struct kp_pairs *values)
{
        struct kp_error err = { 0 };

        cr_assert(agent.ops->submit(agent.self, form, values, &err) == 0);
}

Test(agent, a_form_goes_out_with_its_fields_and_what_was_typed)
{
        KP_CLEANUP(kp_pairs_done) struct kp_pairs typed = { 0 };
        struct kp_error err = { 0 };

        opened("https://shop.example/form");
        cr_assert(kp_pairs_add(&typed, "b", "x y", &err) == 0);
        submitted("g", &typed);
        cr_expect_str_eq(last.method, "POST");
        cr_expect_str_eq(last.body, "c=3", "only fields that the form has");
}

Test(agent, see_other_becomes_a_get_and_307_stays_a_post)
{
        opened("https://shop.example/form");
        submitted("f", NULL);
        cr_expect_str_eq(last.method, "GET");
        cr_expect_str_eq(last.body, "");
        opened("https://shop.example/form");
        submitted("g", NULL);
        cr_expect_str_eq(last.method, "POST");
        cr_expect_str_eq(last.body, "c=3");
        cr_expect_str_eq(last.url, "https://shop.example/plain");
}

Test(agent, a_page_that_posts_itself_to_another_site_leaves_lax_cookies_behind)
{
        opened("https://shop.example/set");
        opened("https://bank.example/post");
        cr_expect_str_eq(last.method, "POST");
        cr_expect_str_eq(last.body, "x=y");
        cr_expect_str_eq(last.cookie, "none=1");
}

Test(agent, a_link_from_another_site_brings_lax_cookies)
{
        struct kp_error err = { 0 };

        opened("https://shop.example/set");
        opened("https://bank.example/");
        cr_assert(agent.ops->follow(agent.self, "shop", &err) == 0);
        cr_expect(strstr(last.cookie, "lax=1") != NULL, "%s", last.cookie);
}

Test(agent, closing_ends_session_cookies_and_wiping_ends_all)
{
        struct kp_error err = { 0 };

        opened("https://shop.example/set");
        cr_assert(agent.ops->forget(agent.self, KP_AGENT_CLOSE, &err) == 0);
        opened("https://shop.example/plain");
        cr_expect_str_eq(last.cookie, "none=1");
        cr_assert(agent.ops->forget(agent.self, KP_AGENT_WIPE, &err) == 0);
        opened("https://shop.example/plain");
        cr_expect_str_eq(last.cookie, "");
}

Test(agent, where_scripts_do_not_run_the_form_stays)
{
        KP_CLEANUP(kp_assumptions_free) struct kp_assumptions *assumptions = NULL;
        struct kp_error err = { 0 };
        json_t *no = json_string("no");

        opened("https://bank.example/post");
        cr_expect_str_eq(last.url, "https://shop.example/plain");
        cr_assert(kp_assumptions_new(&assumptions, &err) == 0);
        cr_assert(kp_assumptions_set(assumptions, "client.auto_post_forms", no, &err) ==
                  0);
        json_decref(no);
        client.actor.assumptions = assumptions;
        opened("https://bank.example/post");
        cr_expect_str_eq(last.url, "https://bank.example/post");
        client.actor.assumptions = NULL;
}

Test(agent, redirects_in_a_circle_end_like_in_a_browser)
{
        const struct kp_view *view;

        opened("https://shop.example/loop");
        view = agent.ops->view(agent.self);
        cr_expect_str_eq(kp_json_str(view->data, "error", ""), "redirect-loop");
        cr_expect_leq(last.n, 25u);
}

Test(agent, the_pages_own_data_is_read_and_time_passes)
{
        int64_t before = kp_clock_ms(&clock_);

        opened("https://shop.example/plain");
        cr_expect_str_eq(
                kp_json_str(agent.ops->view(agent.self)->data, "page", ""), "plain");
        cr_expect_gt(kp_clock_ms(&clock_), before);
}

Test(agent, nobody_at_an_address_is_status_0)
{
        opened("https://nobody.example/");
        cr_expect_eq(agent.ops->view(agent.self)->status, 0);
        cr_expect(agent.ops->view(agent.self)->data == NULL);
}

Test(agent, links_forms_and_ceremonies_that_are_not_there_are_told)
{
        struct kp_exception exception = { 0 };
        struct kp_error err = { 0 };

        opened("https://shop.example/plain");
        cr_expect(agent.ops->follow(agent.self, "door", &err) < 0);
        cr_expect_eq(err.code, KP_ENOTFOUND);
        kp_error_clear(&err);
        cr_expect(agent.ops->submit(agent.self, "form", NULL, &err) < 0);
        cr_expect_eq(err.code, KP_ENOTFOUND);
        kp_error_clear(&err);
        cr_expect(agent.ops->ceremony(agent.self, &exception, &err) < 0);
        cr_expect_eq(err.code, KP_ENOTFOUND);
}
