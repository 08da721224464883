/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/http/form.h"

static struct kp_html
parsed(const char *page)
{
        struct kp_html html = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_html_parse(page, strlen(page), &html, &err), 0);
        return html;
}

static const char controls[] =
        "<!doctype html><html><head><title> Inloggen\n bij  school </title>"
        "<base href='/base/'></head><body>"
        "<form id=login method=post action='/login?a=1&amp;b=2'>"
        "<input name=user value='Jip &amp; &quot;Janneke&quot; &eacute;'>"
        "<input type=password name=password>"
        "<input type=hidden name=token value=t1>"
        "<input name=off value=x disabled>"
        "<fieldset disabled><input name=off2 value=x></fieldset>"
        "<input value='no name'>"
        "<input type=checkbox name=stay><input type=checkbox name=keep checked>"
        "<input type=radio name=door value=eip checked><input type=radio name=door "
        "value=pw>"
        "<textarea name=note>\nline 1\nline 2</textarea>"
        "<select name=school><option>A<option selected value=b>B</select>"
        "<select name=first><option value=1>One<option value=2>Two</select>"
        "<select name=many multiple><option selected>x<option>y<option "
        "selected>z</select>"
        "<button name=go value=now>Verder</button><button type=button "
        "name=no>x</button>"
        "<input type=submit name=send value=OK><input type=image name=img><input "
        "type=file name=f>"
        "</form><input form=login name=outside value=in><input name=lost value=x>"
        "<a id=forgot href='../forgot?x=1&amp;y=2'>Wachtwoord "
        "<b>vergeten</b>?</a><a>no link</a>"
        "</body></html>";

Test(html, collects_what_a_browser_would_send)
{
        static const char *const want[][2] = {
                { "user", "Jip & \"Janneke\" \xc3\xa9" },
                { "password", "" },
                { "token", "t1" },
                { "keep", "on" },
                { "door", "eip" },
                { "note", "line 1\nline 2" },
                { "school", "b" },
                { "first", "1" },
                { "many", "x" },
                { "many", "z" },
                { "outside", "in" },
        };
        struct kp_html html = parsed(controls);
        const struct kp_html_form *form = html.forms;

        cr_assert_eq(html.n_forms, 1);
        cr_expect_str_eq(form->id, "login");
        cr_expect_str_eq(form->method, "POST");
        cr_expect_str_eq(form->action, "/login?a=1&b=2");
        cr_expect_not(form->auto_submit);
        cr_assert_eq(form->fields.n_items, KP_NELEMS(want));
        for (size_t i = 0; i < KP_NELEMS(want); i++) {
                cr_expect_str_eq(form->fields.items[i].name, want[i][0]);
                cr_expect_str_eq(form->fields.items[i].value, want[i][1]);
        }
        cr_assert_eq(form->buttons.n_items, 2);
        cr_expect_str_eq(form->buttons.items[0].name, "go");
        cr_expect_str_eq(kp_pairs_get(&form->buttons, "send"), "OK");
        kp_html_done(&html);
}

Test(html, sees_title_base_and_links)
{
        struct kp_html html = parsed(controls);

        cr_expect_str_eq(html.title, "Inloggen bij school");
        cr_expect_str_eq(html.base, "/base/");
        cr_expect_null(html.refresh);
        cr_expect_null(html.data);
        cr_assert_eq(html.n_links, 1);
        cr_expect_str_eq(html.links[0].id, "forgot");
        cr_expect_str_eq(html.links[0].href, "../forgot?x=1&y=2");
        cr_expect_str_eq(html.links[0].text, "Wachtwoord vergeten?");
        kp_html_done(&html);
}

Test(html, reads_the_data_that_a_page_carries_for_the_agent)
{
        struct kp_html html =
                parsed("<script>var x = '</b>';</script>"
                       "<script type='application/json' id=other>{}</script>"
                       "<script type='application/json' id='keypilot'>"
                       "{\"a\":\"<&amp;\"}</script>");

        cr_assert_not_null(html.data);
        cr_expect_str_eq(html.data, "{\"a\":\"<&amp;\"}");
        kp_html_done(&html);
}

Test(html, sees_where_a_page_refreshes_to)
{
        struct kp_html html =
                parsed("<meta http-equiv=Refresh content=\"0; URL='/next?a=1'\">");

        cr_expect_str_eq(html.refresh, "/next?a=1");
        kp_html_done(&html);
}

#define FORM                                                                           \
        "<form id=one></form><form id=two method=post><input "                         \
        "name=SAMLResponse></form>"

/* Which form a page posts by itself; -1: none. */
static int
posts_itself(const char *page)
{
        struct kp_html html = parsed(page);
        int which = -1;

        for (size_t i = 0; i < html.n_forms; i++)
                if (html.forms[i].auto_submit)
                        which = (int)i;
        kp_html_done(&html);
        return which;
}

/* The ways of Keycloak, AD FS, Entra ID, SimpleSAMLphp and Shibboleth, and others. */
Test(html, knows_the_pages_that_post_themselves)
{
        static const struct {
                const char *page;
                int which;
        } pages[] = {
                { "<body Onload=\"document.forms[0].submit()\">" FORM, 0 },
                { "<body onload=\"document.forms[1].submit()\">" FORM, 1 },
                { "<body onload=\"document.getElementById('two').submit();\">" FORM,
                        1 },
                { "<body onload=\"document.two.submit()\">" FORM, 1 },
                { "<body "
                  "onload=\"document.getElementsByTagName('input')[0].click();\">" FORM,
                        0 },
                { FORM "<script>window.setTimeout('document.forms[0].submit()', "
                       "0);</script>",
                        0 },
                { "<script>addEventListener('load', () => "
                  "document.forms['two'].submit())"
                  "</script>" FORM,
                        1 },
                { FORM "<script src='post.js'></script>", 1 },
                { "<form><input name=user></form><script src='post.js'></script>", -1 },
                { FORM "<script>b.addEventListener('click', () => f.submit())</script>",
                        -1 },
                { FORM "<script>document.title = 'x'</script>", -1 },
                { FORM "<noscript><input type=submit></noscript>", -1 },
                { FORM "<p onload='document.forms[0].submit()'>x</p>", -1 },
                { "<body onload=\"document.forms[7].submit()\">" FORM, -1 },
                { "<body onload='document.forms[0].submit()'>no form", -1 },
        };

        for (size_t i = 0; i < KP_NELEMS(pages); i++)
                cr_expect_eq(posts_itself(pages[i].page), pages[i].which, "%s",
                        pages[i].page);
}

Test(html, survives_pages_that_are_no_html)
{
        struct kp_buf deep = { 0 };
        struct kp_html html = { 0 };
        struct kp_error err = { 0 };
        static const char bytes[] = "\xff\xfe<\0<form<input name='a\x01'></\xc3>";

        cr_assert_eq(kp_html_parse(NULL, 0, &html, &err), 0);
        cr_expect_str_eq(html.title, "");
        kp_html_done(&html);
        cr_assert_eq(kp_html_parse(bytes, sizeof(bytes), &html, &err), 0);
        kp_html_done(&html);
        for (int i = 0; i < 100000; i++)
                kp_buf_puts(&deep, "<div>");
        kp_buf_puts(&deep, "<form><input name=a></form>");
        cr_assert_eq(kp_html_parse(deep.data, deep.len, &html, &err), 0);
        kp_html_done(&html);
        kp_buf_done(&deep);
}

Test(html, refuses_a_page_without_end)
{
        char *page = calloc(1, KP_HTML_MAX + 1);
        struct kp_html html = { 0 };
        struct kp_error err = { 0 };

        cr_expect_eq(kp_html_parse(page, KP_HTML_MAX + 1, &html, &err), -1);
        cr_expect_eq(err.code, KP_EPARSE);
        free(page);
}

Test(html, text_put_into_a_page_comes_back_as_it_was)
{
        static const char hostile[] =
                "</title><script>alert(\"1\")</script>' onload='x' &amp;";
        struct kp_buf page = { 0 };
        struct kp_html html = { 0 };
        struct kp_error err = { 0 };

        kp_buf_puts(&page, "<form><input name='a' value='");
        kp_html_put(&page, hostile);
        kp_buf_puts(&page, "'></form>");
        cr_assert_eq(kp_html_parse(page.data, page.len, &html, &err), 0);
        cr_expect_str_eq(kp_pairs_get(&html.forms[0].fields, "a"), hostile);
        cr_expect_null(strstr(kp_buf_str(&page), "<script"));
        kp_html_done(&html);
        kp_buf_done(&page);
}
