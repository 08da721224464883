/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "keypilot/core/free.h"
#include "keypilot/http/cookie.h"
#include "keypilot/http/form.h"
#include "keypilot/http/message.h"

#include "fuzz.h"

static void
jar_takes(const char *text)
{
        const struct kp_cookie_context context = {
                .url = "https://www.school.example/login",
                .method = "GET",
                .top_level = true,
                .now_ms = 1000,
        };
        KP_CLEANUP(kp_buf_done) struct kp_buf header = { 0 }, value = { 0 };
        KP_CLEANUP(kp_jar_free) struct kp_jar *jar = NULL;
        struct kp_error err = { 0 };
        const char *why;
        size_t withheld;

        if (kp_jar_new(KP_SAMESITE_DEFAULT_LAX, &jar, &err) < 0)
                return;
        kp_any(kp_jar_store(jar, &context, text, &why, &err));
        kp_any(kp_jar_header(jar, &context, &header, &withheld, &err));
        (void)kp_cookie_get(text, "a", &value);
}

/* Pages, forms, addresses and cookies that another server sends. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_free_str) char *resolved = NULL, *origin = NULL;
        KP_CLEANUP(kp_pairs_done) struct kp_pairs pairs = { 0 };
        KP_CLEANUP(kp_html_done) struct kp_html html = { 0 };
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
        struct kp_error err = { 0 };

        kp_buf_put(&text, data, size);
        kp_any(kp_html_parse(data, size, &html, &err));
        kp_any(kp_form_decode(kp_buf_str(&text), text.len, &pairs, &err));
        kp_any(kp_url_parse(kp_buf_str(&text), &url, &err));
        kp_any(kp_url_resolve(
                "https://a.example/b/c?d", kp_buf_str(&text), &resolved, &err));
        kp_any(kp_url_origin(kp_buf_str(&text), &origin, &err));
        jar_takes(kp_buf_str(&text));
        return 0;
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        static const char *const seeds[] = {
                "<html><head><title>A</title></head><body "
                "onload=\"document.forms[0].submit()\">"
                "<form id=f method=post action=\"/acs\"><input type=hidden "
                "name=SAMLResponse "
                "value=\"PHg+\"><select name=s><option selected "
                "value=1>x</select></form>"
                "<a id=l href=\"../x?y=1&amp;z\">go</a></body></html>",
                "a=1&b=%C3%A9+2&c=%00&d",
                "https://user@www.school.example:8443/a/../b;p?q=r#f",
                "http://[2001:db8::1]:80/%7Ea",
                "a=b; Domain=school.example; Path=/login; Expires=Wed, 09 Jun 2027 "
                "10:18:14 GMT; "
                "Max-Age=60; Secure; HttpOnly; SameSite=None",
                "__Host-a=b; Path=/; Secure; SameSite=Lax",
        };

        if (i >= KP_NELEMS(seeds))
                return false;
        kp_buf_puts(ret, seeds[i]);
        return true;
}
