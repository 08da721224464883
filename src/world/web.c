/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/http/cookie.h"
#include "keypilot/world/site.h"

int
kp_web_begin(struct kp_web *web, const struct kp_site_env *env, const char *role,
        const char *origin, const struct kp_request *request,
        struct kp_response *response, struct kp_error *err)
{
        const char *cookies = kp_headers_get(&request->headers, "Cookie");
        struct kp_error ignored = { 0 };

        *web = (struct kp_web){
                .env = env,
                .role = role,
                .origin = origin,
                .request = request,
                .response = response,
                .cookies = cookies == NULL ? "" : cookies,
        };
        if (kp_url_parse(request->url, &web->url, err) < 0)
                return -1;
        /* a foreign query or body that cannot be read is as good as an empty one */
        if (web->url.query != NULL &&
                kp_form_decode(web->url.query, strlen(web->url.query), &web->query,
                        &ignored) < 0)
                kp_error_clear(&ignored);
        if (request->body.len > 0 &&
                kp_form_decode((const char *)request->body.data, request->body.len,
                        &web->form, &ignored) < 0)
                kp_error_clear(&ignored);
        return 0;
}

void
kp_web_done(struct kp_web *web)
{
        kp_url_done(&web->url);
        kp_pairs_done(&web->query);
        kp_pairs_done(&web->form);
}

bool
kp_web_is(const struct kp_web *web, const char *method, const char *path)
{
        return strcmp(web->request->method, method) == 0 &&
               strcmp(web->url.path, path) == 0;
}

const char *
kp_web_param(const struct kp_web *web, const char *name)
{
        const char *value = kp_pairs_get(&web->form, name);

        if (value == NULL)
                value = kp_pairs_get(&web->query, name);
        return value == NULL ? "" : value;
}

struct kp_session *
kp_web_session(struct kp_web *web, struct kp_sessions *sessions, const char *cookie)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        int64_t now = kp_clock_ms(web->env->clock);

        if (!kp_cookie_get(web->cookies, cookie, &id))
                return NULL;
        for (size_t i = 0; i < KP_SESSIONS_MAX; i++) {
                struct kp_session *session = &sessions->items[i];

                if (!session->alive || strcmp(session->id, kp_buf_str(&id)) != 0)
                        continue;
                if (now < session->until_ms)
                        return session;
                session->alive = false;
                kp_trace_add(web->env->trace, web->role, "session",
                        "{s:s, s:s, s:i, s:I}", "at", web->role, "change", "expired",
                        "account", session->account, "age_s",
                        (json_int_t)((now - session->began_ms) / 1000));
                return NULL;
        }
        return NULL;
}

int
kp_web_cookie(struct kp_web *web, const char *name, const char *value,
        const char *samesite, struct kp_error *err)
{
        static const struct {
                const char *word, *attribute;
        } words[] = {
                { "none", "; SameSite=None" },
                { "lax", "; SameSite=Lax" },
                { "strict", "; SameSite=Strict" },
                { "absent", "" },
        };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        const char *attribute = "";

        for (size_t i = 0; i < KP_NELEMS(words); i++)
                if (strcmp(words[i].word, samesite) == 0)
                        attribute = words[i].attribute;
        kp_buf_printf(&text, "%s=%s; Path=/; Secure; HttpOnly%s%s", name,
                value == NULL ? "" : value, attribute,
                value == NULL ? "; Max-Age=0" : "");
        if (kp_buf_check(&text, err) < 0)
                return -1;
        return kp_headers_add(
                &web->response->headers, "Set-Cookie", kp_buf_str(&text), err);
}

int
kp_web_redirect(struct kp_web *web, const char *url, struct kp_error *err)
{
        web->response->status = strcmp(web->request->method, "POST") == 0 ? 303 : 302;
        return kp_headers_add(&web->response->headers, "Location", url, err);
}

int
kp_web_message(struct kp_web *web, struct kp_message_out *out, struct kp_error *err)
{
        struct kp_buf *body = &web->response->body;

        if (out->field[0] == '\0')
                return kp_web_redirect(web, kp_buf_str(&out->url), err);
        web->response->status = 200;
        /* HTML's own event handler: works wherever pages may run scripts at all */
        kp_buf_puts(body, "<!DOCTYPE html><html><head><title>Verder</title></head>"
                          "<body onload=\"document.forms[0].submit()\">"
                          "<form id=\"message\" method=\"post\" action=\"");
        kp_html_put(body, kp_buf_str(&out->url));
        kp_buf_printf(
                body, "\"><input type=\"hidden\" name=\"%s\" value=\"", out->field);
        kp_html_put(body, kp_buf_str(&out->value));
        kp_buf_puts(body, "\">");
        if (out->relay_state[0] != '\0') {
                kp_buf_puts(
                        body, "<input type=\"hidden\" name=\"RelayState\" value=\"");
                kp_html_put(body, out->relay_state);
                kp_buf_puts(body, "\">");
        }
        kp_buf_puts(body,
                "<noscript><button>Verder</button></noscript></form></body></html>");
        if (kp_buf_check(body, err) < 0)
                return -1;
        return kp_headers_add(&web->response->headers, "Content-Type",
                "text/html; charset=utf-8", err);
}

struct kp_message_in
kp_web_message_in(const struct kp_web *web, const char *field)
{
        const char *relay = kp_web_param(web, "RelayState");
        bool posted = strcmp(web->request->method, "POST") == 0;

        return (struct kp_message_in){
                .method = web->request->method,
                .query = posted ? NULL : web->url.query,
                .value = posted ? kp_pairs_get(&web->form, field) : NULL,
                .relay_state = relay[0] == '\0' ? NULL : relay,
        };
}

int
kp_doc_begin(struct kp_doc *doc, const struct kp_web *web, const char *page,
        struct kp_error *err)
{
        *doc = (struct kp_doc){ .data = json_pack("{s:s, s:s}", "site", web->role,
                                        "page", page) };
        if (doc->data == NULL)
                return KP_FAIL(err, KP_ENOMEM, "page");
        return 0;
}

void
kp_doc_done(struct kp_doc *doc)
{
        json_decref(doc->data);
        kp_buf_done(&doc->body);
        doc->data = NULL;
}

void
kp_doc_text(struct kp_doc *doc, const char *text)
{
        kp_buf_puts(&doc->body, "<p>");
        kp_html_put(&doc->body, text);
        kp_buf_puts(&doc->body, "</p>");
}

void
kp_doc_link(struct kp_doc *doc, const char *id, const char *href, const char *text)
{
        kp_buf_printf(&doc->body, "<a id=\"%s\" href=\"", id);
        kp_html_put(&doc->body, href);
        kp_buf_puts(&doc->body, "\">");
        kp_html_put(&doc->body, text);
        kp_buf_puts(&doc->body, "</a>");
}

void
kp_doc_form(struct kp_doc *doc, const char *id, const char *action, ...)
{
        const char *name, *value;
        va_list inputs;

        kp_buf_printf(&doc->body, "<form id=\"%s\" method=\"post\" action=\"", id);
        kp_html_put(&doc->body, action);
        kp_buf_puts(&doc->body, "\">");
        va_start(inputs, action);
        while ((name = va_arg(inputs, const char *)) != NULL) {
                value = va_arg(inputs, const char *);
                kp_buf_printf(&doc->body, "<input name=\"%s\" value=\"", name);
                kp_html_put(&doc->body, value);
                kp_buf_puts(&doc->body, "\">");
        }
        va_end(inputs);
        kp_buf_puts(&doc->body, "<button>Verder</button></form>");
}

void
kp_doc_ceremony(struct kp_doc *doc, const char *ceremony, const char *mediation,
        const char *action, const char *flow, json_t *options)
{
        const char *form = strcmp(ceremony, "create") == 0 ? "enrol" : "passkey";

        if (options == NULL ||
                json_object_set_new(doc->data, "publicKey", options) < 0 ||
                json_object_set_new(doc->data, "ceremony", json_string(ceremony)) < 0 ||
                json_object_set_new(doc->data, "form", json_string(form)) < 0 ||
                json_object_set_new(doc->data, "mediation", json_string(mediation)) < 0)
                doc->body.failed = true;
        kp_doc_form(doc, form, action, "flow", flow, "credential", "", NULL);
}

int
kp_doc_send(struct kp_doc *doc, struct kp_web *web, int status, struct kp_error *err)
{
        struct kp_buf *to = &web->response->body;
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };

        if (kp_buf_check(&doc->body, err) < 0 ||
                kp_json_write(doc->data, &data, err) < 0)
                return -1;
        web->response->status = status;
        kp_buf_puts(to, "<!DOCTYPE html><html><head><title>");
        kp_html_put(to, kp_json_str(doc->data, "page", ""));
        kp_buf_puts(to, "</title></head><body><script type=\"application/json\" "
                        "id=\"keypilot\">");
        /* "</script" cannot occur: every text in `data` is ours or base64url */
        kp_buf_put(to, data.data, data.len);
        kp_buf_puts(to, "</script>");
        kp_buf_put(to, doc->body.data, doc->body.len);
        kp_buf_puts(to, "</body></html>");
        if (kp_buf_check(to, err) < 0)
                return -1;
        return kp_headers_add(&web->response->headers, "Content-Type",
                "text/html; charset=utf-8", err);
}

int
kp_web_refuse(struct kp_web *web, const char *why, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };

        if (kp_doc_begin(&doc, web, "refused", err) < 0)
                return -1;
        if (json_object_set_new(doc.data, "error", json_string(why)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "page");
        kp_doc_text(&doc, "Inloggen is niet gelukt.");
        return kp_doc_send(&doc, web, 403, err);
}
