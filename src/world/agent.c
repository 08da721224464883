/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/world/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keypilot/core/free.h"
#include "keypilot/http/cookie.h"

#define HOPS_MAX                                                                       \
        20 /* redirects and self-posting forms in a row, as browsers stop them */
#define HOP_COSTS_MS 60 /* a request there and back */

struct simulated {
        struct kp_agent_env env;
        struct kp_jar *jar;
        char *url;
        struct kp_html html;
        json_t *data;
        struct kp_view view;
};

/* One request on its way. */
struct move {
        char method[8];
        char *url;
        char *initiator; /* NULL: typed by the person */
        struct kp_buf body;
        int status;
};

static void
move_done(struct move *move)
{
        free(move->url);
        free(move->initiator);
        kp_buf_done(&move->body);
}

static const char *
role_of(const struct simulated *agent, const char *url)
{
        for (size_t i = 0; i < agent->env.n_names; i++) {
                size_t len = strlen(agent->env.names[i].origin);

                if (strncmp(agent->env.names[i].origin, url, len) == 0 &&
                        (url[len] == '/' || url[len] == '\0' || url[len] == '?'))
                        return agent->env.names[i].role;
        }
        return "elsewhere";
}

static struct kp_cookie_context
cookie_context(const struct simulated *agent, const struct move *move)
{
        return (struct kp_cookie_context){
                .url = move->url,
                .method = move->method,
                .initiator = move->initiator,
                .top_level = true,
                .now_ms = kp_clock_ms(agent->env.clock),
        };
}

static int
request_fill(struct simulated *agent, const struct move *move,
        struct kp_request *request, size_t *ret_withheld, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf cookies = { 0 };
        struct kp_cookie_context context = cookie_context(agent, move);

        (void)snprintf(request->method, sizeof(request->method), "%s", move->method);
        if ((request->url = strdup(move->url)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "request");
        if (kp_jar_header(agent->jar, &context, &cookies, ret_withheld, err) < 0)
                return -1;
        if (cookies.len > 0 && kp_headers_add(&request->headers, "Cookie",
                                       kp_buf_str(&cookies), err) < 0)
                return -1;
        if (strcmp(move->method, "POST") != 0)
                return 0;
        kp_buf_put(&request->body, move->body.data, move->body.len);
        if (kp_buf_check(&request->body, err) < 0)
                return -1;
        return kp_headers_add(&request->headers, "Content-Type",
                "application/x-www-form-urlencoded", err);
}

static const char *
samesite_word(const char *set_cookie)
{
        const char *at = strcasestr(set_cookie, "samesite=");

        if (at == NULL)
                return "absent";
        at += strlen("samesite=");
        if (strncasecmp(at, "none", 4) == 0)
                return "none";
        return strncasecmp(at, "lax", 3) == 0 ? "lax" : "strict";
}

static int
cookies_store(struct simulated *agent, const struct move *move,
        const struct kp_response *response, struct kp_error *err)
{
        struct kp_cookie_context context = cookie_context(agent, move);

        for (size_t i = 0; i < response->headers.n_items; i++) {
                const struct kp_header *header = &response->headers.items[i];
                const char *why = NULL, *equals;
                char name[24];

                if (strcasecmp(header->name, "Set-Cookie") != 0)
                        continue;
                if (kp_jar_store(agent->jar, &context, header->value, &why, err) < 0)
                        return -1;
                equals = strchr(header->value, '=');
                if (strstr(header->value, "Max-Age=0") != NULL || equals == NULL)
                        continue;
                (void)snprintf(name, sizeof(name), "%.*s",
                        (int)(equals - header->value), header->value);
                kp_trace_add(agent->env.trace, "agent", "cookie.stored",
                        "{s:s, s:s, s:b, s:s*}", "name", name, "samesite",
                        samesite_word(header->value), "stored", why == NULL, "why",
                        why);
        }
        return 0;
}

static int
exchange(struct simulated *agent, struct move *move, struct kp_response *response,
        struct kp_error *err)
{
        KP_CLEANUP(kp_request_done) struct kp_request request = { 0 };
        bool same = true;
        size_t withheld = 0;

        if (move->initiator != NULL &&
                kp_same_site(move->initiator, move->url, &same, err) < 0)
                return -1;
        if (request_fill(agent, move, &request, &withheld, err) < 0)
                return -1;
        kp_clock_advance(agent->env.clock, HOP_COSTS_MS);
        if (agent->env.transport.send(
                    agent->env.transport.self, &request, response, err) < 0)
                return -1;
        move->status = response->status;
        kp_trace_add(agent->env.trace, "agent", "http", "{s:s, s:s, s:i, s:b, s:i}",
                "method", move->method, "to", role_of(agent, move->url), "status",
                response->status, "cross_site", !same, "withheld", (int)withheld);
        return cookies_store(agent, move, response, err);
}

/* After a redirect 307 and 308 keep the method, others make it a GET. RFC 9110 §15.4 */
static int
move_redirect(struct move *move, const struct kp_response *response, bool *ret,
        struct kp_error *err)
{
        const char *location = kp_headers_get(&response->headers, "Location");
        char *url = NULL;

        *ret = response->status >= 300 && response->status < 400 && location != NULL;
        if (!*ret)
                return 0;
        if (kp_url_resolve(move->url, location, &url, err) < 0)
                return -1;
        free(move->url);
        move->url = url;
        if (response->status != 307 && response->status != 308) {
                memcpy(move->method, "GET", sizeof("GET"));
                kp_buf_clear(&move->body);
        }
        return 0;
}

/* The page submits a form by itself: the next move starts from this page. */
static int
move_auto_submit(
        struct simulated *agent, struct move *move, bool *ret, struct kp_error *err)
{
        const struct kp_html_form *form = NULL;
        char *url = NULL;

        for (size_t i = 0; i < agent->html.n_forms && form == NULL; i++)
                if (agent->html.forms[i].auto_submit)
                        form = &agent->html.forms[i];
        *ret = form != NULL &&
               !kp_fact_is(&(*agent->env.client)->actor, "auto_post_forms", "no");
        if (!*ret)
                return 0;
        if (kp_url_resolve(agent->url, form->action, &url, err) < 0)
                return -1;
        free(move->url);
        move->url = url;
        free(move->initiator);
        move->initiator = strdup(agent->url);
        (void)snprintf(move->method, sizeof(move->method), "%s", form->method);
        kp_buf_clear(&move->body);
        return kp_form_encode(&form->fields, &move->body, err);
}

static int
page_show(struct simulated *agent, const struct move *move,
        const struct kp_response *response, struct kp_error *err)
{
        struct kp_error ignored = { 0 };

        kp_html_done(&agent->html);
        agent->html = (struct kp_html){ 0 };
        kp_json_free(&agent->data);
        free(agent->url);
        if ((agent->url = strdup(move->url)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "address");
        if (response->body.len > 0 &&
                kp_html_parse(
                        response->body.data, response->body.len, &agent->html, err) < 0)
                return -1;
        /* a page of somebody else's site has none, or a broken one: none then */
        if (agent->html.data != NULL &&
                kp_json_parse("page", agent->html.data, strlen(agent->html.data),
                        &agent->data, &ignored) < 0)
                kp_error_clear(&ignored);
        agent->view = (struct kp_view){
                .status = response->status,
                .url = agent->url,
                .html = &agent->html,
                .data = agent->data,
                .moves = agent->view.moves + 1,
        };
        return 0;
}

/* Doors as a person sees them: forms and links with a name. */
static void
page_tell(struct simulated *agent)
{
        json_auto_t *doors = json_array();

        for (size_t i = 0; i < agent->html.n_forms; i++)
                (void)json_array_append_new(
                        doors, json_string(agent->html.forms[i].id));
        for (size_t i = 0; i < agent->html.n_links; i++)
                if (strncmp(agent->html.links[i].id, "door-", 5) == 0)
                        (void)json_array_append_new(
                                doors, json_string(agent->html.links[i].id));
        kp_trace_add(agent->env.trace, "agent", "page", "{s:s, s:s, s:O, s:s*, s:i}",
                "at", role_of(agent, agent->url), "page",
                kp_json_str(agent->data, "page", "unknown"), "doors", doors, "error",
                kp_json_str(agent->data, "error", NULL), "status", agent->view.status);
}

/* Go, and on through redirects and self-posting forms until a page stays. */
static int
go(struct simulated *agent, struct move *move, struct kp_error *err)
{
        bool again = true;

        for (int hop = 0; again && hop < HOPS_MAX; hop++) {
                KP_CLEANUP(kp_response_done) struct kp_response response = { 0 };

                if (exchange(agent, move, &response, err) < 0 ||
                        move_redirect(move, &response, &again, err) < 0)
                        return -1;
                if (again)
                        continue;
                if (page_show(agent, move, &response, err) < 0 ||
                        move_auto_submit(agent, move, &again, err) < 0)
                        return -1;
        }
        if (again) {
                /* what a browser shows after too many redirects */
                struct kp_response stopped = { .status = 0 };

                if (page_show(agent, move, &stopped, err) < 0)
                        return -1;
                agent->data = json_pack(
                        "{s:s, s:s}", "page", "refused", "error", "redirect-loop");
                agent->view.data = agent->data;
        }
        page_tell(agent);
        return 0;
}

static int
simulated_open(void *self, const char *url, struct kp_error *err)
{
        KP_CLEANUP(move_done)
        struct move move = { .method = "GET", .url = strdup(url) };

        return go(self, &move, err);
}

static int
simulated_follow(void *self, const char *link_id, struct kp_error *err)
{
        struct simulated *agent = self;
        KP_CLEANUP(move_done) struct move move = { .method = "GET" };
        const char *href = NULL;

        for (size_t i = 0; i < agent->html.n_links; i++)
                if (strcmp(agent->html.links[i].id, link_id) == 0)
                        href = agent->html.links[i].href;
        if (href == NULL)
                return KP_FAIL(err, KP_ENOTFOUND, "the page has no link '%s'", link_id);
        if (kp_url_resolve(agent->url, href, &move.url, err) < 0)
                return -1;
        move.initiator = strdup(agent->url);
        return go(agent, &move, err);
}

static int
fields_merge(const struct kp_html_form *form, const struct kp_pairs *values,
        struct kp_pairs *ret, struct kp_error *err)
{
        for (size_t i = 0; i < form->fields.n_items; i++) {
                const struct kp_pair *field = &form->fields.items[i];
                const char *value =
                        values == NULL ? NULL : kp_pairs_get(values, field->name);

                if (kp_pairs_add(ret, field->name, value == NULL ? field->value : value,
                            err) < 0)
                        return -1;
        }
        return 0;
}

static int
simulated_submit(void *self, const char *form_id, const struct kp_pairs *values,
        struct kp_error *err)
{
        struct simulated *agent = self;
        KP_CLEANUP(move_done) struct move move = { 0 };
        KP_CLEANUP(kp_pairs_done) struct kp_pairs fields = { 0 };
        const struct kp_html_form *form = NULL;

        for (size_t i = 0; i < agent->html.n_forms; i++)
                if (strcmp(agent->html.forms[i].id, form_id) == 0)
                        form = &agent->html.forms[i];
        if (form == NULL)
                return KP_FAIL(err, KP_ENOTFOUND, "the page has no form '%s'", form_id);
        (void)snprintf(move.method, sizeof(move.method), "%s", form->method);
        if (kp_url_resolve(agent->url, form->action, &move.url, err) < 0 ||
                fields_merge(form, values, &fields, err) < 0 ||
                kp_form_encode(&fields, &move.body, err) < 0)
                return -1;
        move.initiator = strdup(agent->url);
        return go(agent, &move, err);
}

static int
ceremony_run(struct simulated *agent, json_t **ret_response, struct kp_exception *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *origin = NULL;
        const char *mediation = kp_json_str(agent->data, "mediation", "optional");
        const json_t *options = json_object_get(agent->data, "publicKey");
        bool create = strcmp(kp_json_str(agent->data, "ceremony", ""), "create") == 0;
        struct kp_page page = {
                .framing = KP_FRAME_TOP,
                .user_activation = true, /* the person pressed a button for it */
                .mediation = strcmp(mediation, "conditional") == 0
                                     ? KP_MEDIATION_CONDITIONAL
                                     : KP_MEDIATION_OPTIONAL,
        };

        if (kp_url_origin(agent->url, &origin, err) < 0)
                return -1;
        page.origin = origin;
        return (create ? kp_client_create : kp_client_get)(
                *agent->env.client, &page, options, ret_response, ret, err);
}

static int
simulated_ceremony(void *self, struct kp_exception *ret, struct kp_error *err)
{
        struct simulated *agent = self;
        KP_CLEANUP(kp_json_free) json_t *response = NULL;
        KP_CLEANUP(kp_pairs_done) struct kp_pairs values = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        char form[24];

        if (json_object_get(agent->data, "publicKey") == NULL)
                return KP_FAIL(err, KP_ENOTFOUND, "the page asks for no passkey");
        if (ceremony_run(agent, &response, ret, err) < 0)
                return -1;
        if (ret->name[0] != '\0')
                return 0;
        (void)snprintf(form, sizeof(form), "%s", kp_json_str(agent->data, "form", ""));
        if (kp_json_write(response, &text, err) < 0 ||
                kp_pairs_add(&values, "credential", kp_buf_str(&text), err) < 0)
                return -1;
        return simulated_submit(agent, form, &values, err);
}

static const struct kp_view *
simulated_view(void *self)
{
        return &((struct simulated *)self)->view;
}

static int
simulated_forget(void *self, enum kp_agent_forget what, struct kp_error *err)
{
        struct simulated *agent = self;

        (void)err;
        if (what == KP_AGENT_CLOSE)
                kp_jar_end_session(agent->jar);
        else
                kp_jar_clear(agent->jar);
        kp_html_done(&agent->html);
        agent->html = (struct kp_html){ 0 };
        kp_json_free(&agent->data);
        agent->view.data = NULL;
        kp_trace_add(agent->env.trace, "agent", "browser", "{s:s}", "change",
                what == KP_AGENT_CLOSE ? "closed" : "wiped");
        return 0;
}

static void
simulated_free(void *self)
{
        struct simulated *agent = self;

        kp_jar_free(&agent->jar);
        kp_html_done(&agent->html);
        kp_json_free(&agent->data);
        free(agent->url);
        free(agent);
}

static const struct kp_agent_ops simulated_ops = {
        .name = "simulated",
        .open = simulated_open,
        .follow = simulated_follow,
        .submit = simulated_submit,
        .ceremony = simulated_ceremony,
        .view = simulated_view,
        .forget = simulated_forget,
        .free = simulated_free,
};

static enum kp_samesite_default
samesite_default(const struct kp_actor *client)
{
        return kp_fact_is(client, "samesite_default",
                       "unspecified_is_lax_with_2_minute_post_exception")
                       ? KP_SAMESITE_DEFAULT_LAX_ALLOW_POST
                       : KP_SAMESITE_DEFAULT_NONE;
}

int
kp_agent_new_simulated(
        const struct kp_agent_env *env, struct kp_agent *ret, struct kp_error *err)
{
        struct simulated *agent = calloc(1, sizeof(*agent));

        if (agent == NULL)
                return KP_FAIL(err, KP_ENOMEM, "agent");
        agent->env = *env;
        if (kp_jar_new(samesite_default(&(*env->client)->actor), &agent->jar, err) <
                0) {
                free(agent);
                return -1;
        }
        *ret = (struct kp_agent){ .ops = &simulated_ops, .self = agent };
        return 0;
}

void
kp_agent_free(struct kp_agent *agent)
{
        if (agent->ops != NULL)
                agent->ops->free(agent->self);
        *agent = (struct kp_agent){ 0 };
}
