/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/world/service.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service_internal.h"

const char *
service_path(const struct service_web *at, const char *path, char ret[96])
{
        (void)snprintf(ret, 96, "%s?tenant=%d", path, at->tenant);
        return ret;
}

bool
service_has_passkey_door(const struct kp_service *service)
{
        return kp_fact_has(service->actor, "doors", "passkey");
}

int
service_refuse(struct service_web *at, const struct kp_account *account,
        const char *door, const char *why, struct kp_error *err)
{
        kp_trace_add(at->web.env->trace, at->web.role, "login", "{s:i, s:s, s:b, s:s}",
                "account", account == NULL ? 0 : account->ordinal, "door", door, "in",
                0, "reason", why);
        return kp_web_refuse(&at->web, why, err);
}

static int
service_home(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        char path[96];

        if (at->session == NULL)
                return kp_web_redirect(&at->web, service_path(at, "/login", path), err);
        kp_trace_add(at->web.env->trace, at->web.role, "session",
                "{s:s, s:s, s:i, s:s, s:I}", "at", at->web.role, "change",
                at->session->fresh ? "opened" : "reused", "account",
                at->session->account, "method", at->session->method, "age_s",
                (json_int_t)((kp_clock_ms(at->web.env->clock) - at->session->began_ms) /
                             1000));
        at->session->fresh = false;
        if (kp_doc_begin(&doc, &at->web, "home", err) < 0)
                return -1;
        (void)json_object_set_new(
                doc.data, "account", json_integer(at->session->account));
        (void)json_object_set_new(
                doc.data, "tenant", json_integer(at->session->tenant));
        kp_doc_text(&doc, "Welkom.");
        if (service_has_passkey_door(at->service))
                kp_doc_link(&doc, "enrol", service_path(at, "/enrol", path),
                        "Wachtwoordsleutel toevoegen");
        kp_doc_link(&doc, "logout", service_path(at, "/logout", path), "Uitloggen");
        return kp_doc_send(&doc, &at->web, 200, err);
}

static const struct service_route routes[] = {
        /* method, path, run */
        { "GET", "/", service_home },
        { "GET", "/login", service_start },
        { "POST", "/login/username", service_username },
        { "POST", "/login/password", service_password },
        { "POST", "/login/code", service_code },
        { "GET", "/login/passkey", service_passkey_page },
        { "POST", "/login/passkey", service_passkey },
        { "GET", "/login/eip", service_eip },
        { "POST", "/acs", service_acs },
        { "GET", "/enrol", service_enrol_page },
        { "POST", "/enrol/confirm", service_enrol_confirm },
        { "POST", "/enrol", service_enrol },
        { "GET", "/logout", service_logout },
        { "GET", "/slo", service_slo },
        { "POST", "/slo", service_slo },
        { "GET", "/recover", service_recover_page },
        { "POST", "/recover/mail", service_recover_mail },
        { "POST", "/recover/code", service_recover_code },
};

/* Provisioning that is due by now has reached us before the request does. */
static void
notices_apply(struct kp_service *service)
{
        static const char *const changes[] = { "restored", "blocked", "deleted" };
        int64_t now = kp_clock_ms(service->env->clock);

        for (size_t i = 0; i < service->n_notices; i++) {
                struct kp_notice *notice = &service->notices[i];

                if (notice->done || notice->due_ms > now)
                        continue;
                notice->done = true;
                for (size_t j = 0; j < service->directory.n_accounts; j++)
                        if (service->directory.accounts[j].person == notice->person &&
                                service->directory.accounts[j].eip)
                                kp_service_change(service,
                                        &service->directory.accounts[j],
                                        changes[notice->state]);
        }
}

static int
route_run(struct service_web *at, struct kp_error *err)
{
        for (size_t i = 0; i < KP_NELEMS(routes); i++)
                if (kp_web_is(&at->web, routes[i].method, routes[i].path))
                        return routes[i].run(at, err);
        at->web.response->status = 404;
        return 0;
}

int
kp_service_handle(void *host, const struct kp_request *request, struct kp_response *ret,
        struct kp_error *err)
{
        struct service_web at = { .host = host };
        int tenant, result;

        at.service = at.host->service;
        if (kp_web_begin(&at.web, at.service->env, at.service->actor->role,
                    at.host->origin, request, ret, err) < 0)
                return -1;
        notices_apply(at.service);
        at.session = kp_web_session(&at.web, &at.service->sessions, SERVICE_COOKIE);
        tenant = atoi(kp_web_param(&at.web, "tenant"));
        at.tenant = at.host->tenant != 0 ? at.host->tenant
                    : tenant != 0        ? tenant
                    : at.session != NULL ? at.session->tenant
                                         : 1;
        result = route_run(&at, err);
        kp_web_done(&at.web);
        return result;
}

static void
host_fill(struct kp_service *service, struct kp_service_host *host, const char *prefix,
        int tenant, const char *key_pem, const char *cert_pem)
{
        const char *name = kp_fact_quiet(service->actor, "host");

        host->service = service;
        host->tenant = tenant;
        if (tenant > 1)
                (void)snprintf(host->origin, sizeof(host->origin),
                        "https://school%d.%s", tenant, name);
        else
                (void)snprintf(host->origin, sizeof(host->origin), "https://%s%s",
                        prefix, name);
        (void)snprintf(
                host->entity_id, sizeof(host->entity_id), "%s/saml", host->origin);
        (void)snprintf(host->acs_url, sizeof(host->acs_url), "%s/acs", host->origin);
        (void)snprintf(host->slo_url, sizeof(host->slo_url), "%s/slo", host->origin);
        host->party = (struct kp_party){
                .entity_id = host->entity_id,
                .acs_url = host->acs_url,
                .slo_url = host->slo_url,
                .key_pem = key_pem,
                .cert_pem = cert_pem,
        };
}

int
kp_service_new(const struct kp_site_env *env, const struct kp_actor *actor,
        const char *prefix, int n_schools, const char *key_pem, const char *cert_pem,
        struct kp_service **ret, struct kp_error *err)
{
        struct kp_service *service = calloc(1, sizeof(*service));
        bool own_hosts;

        if (service == NULL)
                return KP_FAIL(err, KP_ENOMEM, "service");
        service->env = env;
        service->actor = actor;
        own_hosts = n_schools > 1 && kp_fact_is(actor, "tenant_hosts", "own");
        service->n_hosts = own_hosts ? (size_t)n_schools : 1;
        for (size_t i = 0; i < service->n_hosts; i++)
                host_fill(service, &service->hosts[i], prefix,
                        own_hosts ? (int)i + 1 : 0, key_pem, cert_pem);
        service->passkeys = (struct kp_passkeys){
                .env = env,
                .actor = actor,
                .directory = &service->directory,
                .many_schools = n_schools > 1,
        };
        *ret = service;
        return 0;
}

void
kp_service_free(struct kp_service **service)
{
        if (*service == NULL)
                return;
        kp_passkeys_done(&(*service)->passkeys);
        OPENSSL_cleanse(*service, sizeof(**service)); /* passwords */
        free(*service);
        *service = NULL;
}

struct kp_service_host *
kp_service_host(struct kp_service *service, int tenant)
{
        if (service->n_hosts == 1)
                return &service->hosts[0];
        return &service->hosts[tenant - 1];
}
