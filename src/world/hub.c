/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/world/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/http/cookie.h"

#include "federation_words.h"
#include "hub_internal.h"

const char *
hub_path(const struct hub_web *at, const char *path, char ret[96])
{
        (void)snprintf(ret, 96, "%s?at=%s", path, at->flow == NULL ? "" : at->flow->id);
        return ret;
}

struct kp_hub_flow *
hub_flow_begin(struct kp_hub *hub)
{
        struct kp_hub_flow *flow = &hub->flows[hub->n_flows++ % KP_HUB_FLOWS_MAX];

        *flow = (struct kp_hub_flow){ .made_ms = kp_clock_ms(hub->env->clock) };
        kp_token_draw(hub->env->random, flow->id);
        return flow;
}

int
hub_refuse(struct hub_web *at, const char *door, const char *why, struct kp_error *err)
{
        kp_trace_add(at->web.env->trace, at->web.role, "login", "{s:s, s:b, s:s}",
                "door", door, "in", 0, "reason", why);
        return kp_web_refuse(&at->web, why, err);
}

static int
request_read(struct hub_web *at, struct kp_hub_flow *flow, const char **ret_why,
        struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLRequest");
        struct kp_federation *federation = at->web.env->federation;
        struct kp_federation_verdict verdict = { 0 };
        char issuer[256];

        *ret_why = "service-unknown";
        flow->peer = -1;
        if (federation->read_issuer(federation, &in, issuer, err) < 0)
                return -1;
        for (size_t i = 0; i < at->hub->n_services; i++)
                if (strcmp(at->hub->services[i]->entity_id, issuer) == 0)
                        flow->peer = (int)i;
        if (flow->peer < 0)
                return 0;
        if (federation->read_request(federation, &in, &at->hub->party,
                    at->hub->services[flow->peer], kp_clock_ms(at->web.env->clock),
                    &flow->request, &verdict, err) < 0)
                return -1;
        words_request_received(
                at->web.env->trace, at->web.role, &flow->request, &verdict);
        flow->has_request = true;
        *ret_why = verdict.accepted ? NULL : verdict.rule;
        return 0;
}

/* Which page comes before the provider's: the choice of a school, a passkey, none. */
static int
where_from(struct hub_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf school = { 0 };
        const struct kp_actor *actor = at->hub->actor;
        bool passkeys = kp_fact_bool(actor, "passkeys");
        char path[96];

        if (!passkeys && (kp_fact_is(actor, "wayf", "never") ||
                                 (kp_fact_is(actor, "wayf", "remembered") &&
                                         kp_cookie_get(at->web.cookies,
                                                 HUB_SCHOOL_COOKIE, &school))))
                return hub_forward(at, err);
        if (kp_doc_begin(&doc, &at->web, "wayf", err) < 0)
                return -1;
        kp_doc_link(
                &doc, "door-provider", hub_path(at, "/forward", path), "Mijn school");
        if (passkeys)
                kp_doc_link(&doc, "door-passkey", hub_path(at, "/login/passkey", path),
                        "Inloggen met een wachtwoordsleutel");
        return kp_doc_send(&doc, &at->web, 200, err);
}

static int
hub_sso(struct hub_web *at, struct kp_error *err)
{
        struct kp_hub_flow *flow = hub_flow_begin(at->hub);
        const char *why;

        if (request_read(at, flow, &why, err) < 0)
                return -1;
        if (why != NULL)
                return hub_refuse(at, "sso", why, err);
        at->flow = flow;
        if (at->session != NULL && !flow->request.force_authn) {
                kp_trace_add(at->web.env->trace, at->web.role, "session",
                        "{s:s, s:s, s:i, s:s, s:I}", "at", at->web.role, "change",
                        "reused", "account", at->session->account, "method",
                        at->session->method, "age_s",
                        (json_int_t)((kp_clock_ms(at->web.env->clock) -
                                             at->session->began_ms) /
                                     1000));
                return hub_answer(at, at->session, err);
        }
        return where_from(at, err);
}

int
hub_account(struct hub_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };

        if (at->session == NULL) {
                at->flow = hub_flow_begin(at->hub);
                return where_from(at, err);
        }
        if (kp_doc_begin(&doc, &at->web, "home", err) < 0)
                return -1;
        (void)json_object_set_new(
                doc.data, "account", json_integer(at->session->account));
        if (kp_fact_bool(at->hub->actor, "passkeys"))
                kp_doc_link(&doc, "enrol", "/enrol", "Wachtwoordsleutel toevoegen");
        return kp_doc_send(&doc, &at->web, 200, err);
}

static const struct {
        const char *method, *path;
        int (*run)(struct hub_web *at, struct kp_error *err);
} routes[] = {
        { "GET", "/", hub_account },
        { "GET", "/sso", hub_sso },
        { "POST", "/sso", hub_sso },
        { "GET", "/forward", hub_forward },
        { "POST", "/acs", hub_acs },
        { "GET", "/account", hub_account },
        { "GET", "/login/passkey", hub_passkey_page },
        { "POST", "/login/passkey", hub_passkey },
        { "GET", "/enrol", hub_enrol_page },
        { "POST", "/enrol", hub_enrol },
        { "GET", "/slo", hub_slo },
        { "POST", "/slo", hub_slo },
};

int
kp_hub_handle(void *hub, const struct kp_request *request, struct kp_response *ret,
        struct kp_error *err)
{
        struct hub_web at = { .hub = hub };
        const char *flow;
        int result = 0;

        if (kp_web_begin(&at.web, at.hub->env, at.hub->actor->role, at.hub->origin,
                    request, ret, err) < 0)
                return -1;
        at.session = kp_web_session(&at.web, &at.hub->sessions, HUB_COOKIE);
        flow = kp_web_param(&at.web, "at");
        for (size_t i = 0; i < KP_HUB_FLOWS_MAX; i++)
                if (flow[0] != '\0' && strcmp(at.hub->flows[i].id, flow) == 0)
                        at.flow = &at.hub->flows[i];
        ret->status = 404;
        for (size_t i = 0; i < KP_NELEMS(routes); i++)
                if (kp_web_is(&at.web, routes[i].method, routes[i].path)) {
                        result = routes[i].run(&at, err);
                        break;
                }
        kp_web_done(&at.web);
        return result;
}

int
kp_hub_new(const struct kp_site_env *env, const struct kp_actor *actor,
        const char *key_pem, const char *cert_pem, struct kp_hub **ret,
        struct kp_error *err)
{
        struct kp_hub *hub = calloc(1, sizeof(*hub));

        if (hub == NULL)
                return KP_FAIL(err, KP_ENOMEM, "hub");
        hub->env = env;
        hub->actor = actor;
        (void)snprintf(hub->origin, sizeof(hub->origin), "https://%s",
                kp_fact_quiet(actor, "host"));
        (void)snprintf(
                hub->entity_id, sizeof(hub->entity_id), "%s/metadata", hub->origin);
        (void)snprintf(hub->sso_url, sizeof(hub->sso_url), "%s/sso", hub->origin);
        (void)snprintf(hub->acs_url, sizeof(hub->acs_url), "%s/acs", hub->origin);
        (void)snprintf(hub->slo_url, sizeof(hub->slo_url), "%s/slo", hub->origin);
        hub->party = (struct kp_party){
                .entity_id = hub->entity_id,
                .sso_url = hub->sso_url,
                .acs_url = hub->acs_url,
                .slo_url = kp_fact_is(actor, "logout", "none") ? NULL : hub->slo_url,
                .key_pem = key_pem,
                .cert_pem = cert_pem,
        };
        hub->passkeys = (struct kp_passkeys){
                .env = env, .actor = actor, .directory = &hub->directory
        };
        *ret = hub;
        return 0;
}

void
kp_hub_free(struct kp_hub **hub)
{
        if (*hub == NULL)
                return;
        kp_passkeys_done(&(*hub)->passkeys);
        free(*hub);
        *hub = NULL;
}

int
kp_hub_trust(struct kp_hub *hub, const struct kp_party *party, struct kp_error *err)
{
        if (hub->n_services == KP_HUB_PEERS_MAX)
                return KP_FAIL(err, KP_EBUG, "more than %d services at the hub",
                        KP_HUB_PEERS_MAX);
        hub->services[hub->n_services++] = party;
        return 0;
}
