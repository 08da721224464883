/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/world/provider.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "federation_words.h"
#include "provider_internal.h"

const char *
provider_path(const struct provider_web *at, const char *path, char ret[96])
{
        (void)snprintf(ret, 96, "%s?at=%s", path, at->flow == NULL ? "" : at->flow->id);
        return ret;
}

struct kp_flow *
provider_flow_begin(struct kp_provider *provider)
{
        struct kp_flow *flow = &provider->flows[provider->n_flows++ % KP_FLOWS_MAX];

        *flow = (struct kp_flow){ .made_ms = kp_clock_ms(provider->env->clock) };
        kp_token_draw(provider->env->random, flow->id);
        return flow;
}

int
provider_refuse(struct provider_web *at, const struct kp_account *account,
        const char *door, const char *why, struct kp_error *err)
{
        kp_trace_add(at->web.env->trace, at->web.role, "login", "{s:i, s:s, s:b, s:s}",
                "account", account == NULL ? 0 : account->ordinal, "door", door, "in",
                0, "reason", why);
        return kp_web_refuse(&at->web, why, err);
}

const char *
provider_policy(const struct provider_web *at)
{
        const char *policy = kp_fact_str(at->provider->actor, "access_policy");
        const char *place = at->web.env->ledger->place;
        const char *why = NULL;

        if (strcmp(policy, "none") == 0)
                return NULL;
        if (strcmp(policy, "blocked-location") == 0 && strcmp(place, "elsewhere") == 0)
                why = "policy-location";
        if (strcmp(policy, "unmanaged-device") == 0 && strcmp(place, "own-device") == 0)
                why = "policy-device";
        kp_trace_add(at->web.env->trace, at->web.role, "policy", "{s:s, s:s, s:b}",
                "at", at->web.role, "policy", policy, "allowed", why == NULL);
        return why;
}

static int
service_find(const struct kp_provider *provider, const char *entity_id)
{
        for (size_t i = 0; i < provider->n_services; i++)
                if (strcmp(provider->services[i]->entity_id, entity_id) == 0)
                        return (int)i;
        return -1;
}

/* Read what a service asks. Returns the refusal's word, or NULL with `flow` filled. */
static int
request_read(struct provider_web *at, struct kp_flow *flow, const char **ret_why,
        struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLRequest");
        struct kp_federation *federation = at->web.env->federation;
        struct kp_federation_verdict verdict = { 0 };
        char issuer[256];

        *ret_why = NULL;
        if (federation->read_issuer(federation, &in, issuer, err) < 0)
                return -1;
        flow->peer = service_find(at->provider, issuer);
        if (flow->peer < 0) {
                *ret_why = "service-unknown";
                return 0;
        }
        if (federation->read_request(federation, &in, &at->provider->party,
                    at->provider->services[flow->peer], kp_clock_ms(at->web.env->clock),
                    &flow->request, &verdict, err) < 0)
                return -1;
        words_request_received(
                at->web.env->trace, at->web.role, &flow->request, &verdict);
        if (!verdict.accepted)
                *ret_why = verdict.rule;
        else if (!flow->request.sign &&
                 kp_fact_bool(at->provider->actor, "requires_signed_request"))
                *ret_why = "request-unsigned";
        flow->has_request = true;
        return 0;
}

static void
session_tell(const struct provider_web *at, const char *change, bool forced)
{
        int64_t now = kp_clock_ms(at->web.env->clock);

        kp_trace_add(at->web.env->trace, at->web.role, "session",
                "{s:s, s:s, s:i, s:s, s:I, s:b}", "at", at->web.role, "change", change,
                "account", at->session->account, "method", at->session->method, "age_s",
                (json_int_t)((now - at->session->began_ms) / 1000), "forced", forced);
}

int
provider_sso(struct provider_web *at, struct kp_error *err)
{
        const struct kp_actor *actor = at->provider->actor;
        struct kp_flow *flow = provider_flow_begin(at->provider);
        bool forced, passive;
        const char *why;
        char path[96];

        if (request_read(at, flow, &why, err) < 0)
                return -1;
        if (why != NULL)
                return provider_refuse(at, NULL, "sso", why, err);
        at->flow = flow;
        forced = flow->request.force_authn &&
                 kp_fact_is(actor, "force_authn", "honoured");
        passive =
                flow->request.is_passive && kp_fact_is(actor, "is_passive", "honoured");
        if (at->session != NULL && !forced) {
                session_tell(at, "reused", flow->request.force_authn);
                return provider_answer(at, at->session, true, err);
        }
        if (at->session != NULL)
                session_tell(at, "set-aside", true);
        if (passive)
                return provider_answer_status(at, "Responder", "NoPassive", err);
        return kp_web_redirect(&at->web, provider_path(at, "/login", path), err);
}

static const struct provider_route routes[] = {
        /* method, path, run */
        { "GET", "/", provider_account },
        { "GET", "/sso", provider_sso },
        { "POST", "/sso", provider_sso },
        { "GET", "/login", provider_login },
        { "POST", "/login/username", provider_username },
        { "POST", "/login/password", provider_password },
        { "GET", "/login/passkey", provider_passkey_page },
        { "POST", "/login/passkey", provider_passkey },
        { "POST", "/login/code", provider_code },
        { "POST", "/federated/acs", provider_federated_acs },
        { "GET", "/account", provider_account },
        { "GET", "/launch", provider_launch },
        { "GET", "/enrol", provider_enrol_page },
        { "POST", "/enrol", provider_enrol },
        { "GET", "/slo", provider_slo },
        { "POST", "/slo", provider_slo },
        { "GET", "/logout", provider_logout },
        { "GET", "/recover", provider_recover_page },
        { "POST", "/recover/mail", provider_recover_mail },
        { "POST", "/recover/code", provider_recover_code },
};

static struct kp_flow *
flow_find(struct kp_provider *provider, const char *id)
{
        for (size_t i = 0; i < KP_FLOWS_MAX; i++)
                if (id[0] != '\0' && strcmp(provider->flows[i].id, id) == 0)
                        return &provider->flows[i];
        return NULL;
}

static int
route_run(struct provider_web *at, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(routes); i++)
                if (kp_web_is(&at->web, routes[i].method, routes[i].path))
                        return routes[i].run(at, err);
        at->web.response->status = 404;
        return 0;
}

int
kp_provider_handle(void *provider, const struct kp_request *request,
        struct kp_response *ret, struct kp_error *err)
{
        struct provider_web at = { .provider = provider };
        int result;

        if (kp_web_begin(&at.web, at.provider->env, at.provider->actor->role,
                    at.provider->origin, request, ret, err) < 0)
                return -1;
        at.session = kp_web_session(&at.web, &at.provider->sessions, PROVIDER_COOKIE);
        at.flow = flow_find(at.provider, kp_web_param(&at.web, "at"));
        result = route_run(&at, err);
        kp_web_done(&at.web);
        return result;
}

int
kp_provider_new(const struct kp_site_env *env, const struct kp_actor *actor,
        const char *key_pem, const char *cert_pem, struct kp_provider **ret,
        struct kp_error *err)
{
        struct kp_provider *provider = calloc(1, sizeof(*provider));

        if (provider == NULL)
                return KP_FAIL(err, KP_ENOMEM, "provider");
        provider->env = env;
        provider->actor = actor;
        (void)snprintf(provider->origin, sizeof(provider->origin), "https://%s",
                kp_fact_quiet(actor, "host"));
        (void)snprintf(provider->entity_id, sizeof(provider->entity_id), "%s/metadata",
                provider->origin);
        (void)snprintf(provider->sso_url, sizeof(provider->sso_url), "%s/sso",
                provider->origin);
        (void)snprintf(provider->slo_url, sizeof(provider->slo_url), "%s/slo",
                provider->origin);
        (void)snprintf(provider->acs_url, sizeof(provider->acs_url), "%s/federated/acs",
                provider->origin);
        provider->party = (struct kp_party){
                .entity_id = provider->entity_id,
                .sso_url = provider->sso_url,
                .acs_url = provider->acs_url,
                .slo_url =
                        kp_fact_is(actor, "logout", "none") ? NULL : provider->slo_url,
                .key_pem = key_pem,
                .cert_pem = cert_pem,
        };
        provider->passkeys = (struct kp_passkeys){
                .env = env,
                .actor = actor,
                .directory = &provider->directory,
        };
        *ret = provider;
        return 0;
}

void
kp_provider_free(struct kp_provider **provider)
{
        if (*provider == NULL)
                return;
        kp_passkeys_done(&(*provider)->passkeys);
        OPENSSL_cleanse(*provider, sizeof(**provider)); /* passwords */
        free(*provider);
        *provider = NULL;
}

int
kp_provider_trust(struct kp_provider *provider, const struct kp_party *party,
        const char *role, struct kp_error *err)
{
        if (provider->n_services == KP_SERVICES_MAX)
                return KP_FAIL(err, KP_EBUG, "more than %d services at one provider",
                        KP_SERVICES_MAX);
        provider->service_roles[provider->n_services] = role;
        provider->services[provider->n_services++] = party;
        return 0;
}
