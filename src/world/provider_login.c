/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "federation_words.h"
#include "provider_internal.h"

#define CODE_TTL_S 600

static bool
has_method(const struct provider_web *at, const char *method)
{
        return kp_fact_has(at->provider->actor, "methods", method);
}

/* Why the page that was filled in is no longer good; NULL when it is. */
static const char *
flow_trouble(const struct provider_web *at)
{
        int64_t ttl_s = kp_fact_int(at->provider->actor, "login_ttl_s"), age_s;

        if (at->flow == NULL || at->flow->used)
                return "login-page-unknown";
        age_s = (kp_clock_ms(at->web.env->clock) - at->flow->made_ms) / 1000;
        if (age_s <= ttl_s)
                return NULL;
        kp_trace_add(at->web.env->trace, at->web.role, "state",
                "{s:s, s:s, s:b, s:I, s:I, s:s}", "at", at->web.role, "kept",
                "login-page", "found", 0, "age_s", (json_int_t)age_s, "ttl_s",
                (json_int_t)ttl_s, "why", "expired");
        return "login-page-expired";
}

int
provider_delegate(struct provider_web *at, const char *by, struct kp_error *err)
{
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation *federation = at->web.env->federation;
        struct kp_login_request request = {
                .issue_ms = kp_clock_ms(at->web.env->clock),
                .force_authn = at->flow->request.force_authn,
                .proxy_count = -1,
                .sign = true,
        };

        if (at->provider->upstream == NULL)
                return provider_refuse(
                        at, NULL, "federated", "no-second-provider", err);
        kp_trace_add(at->web.env->trace, at->web.role, "route", "{s:s, s:s, s:b, s:b}",
                "to", "provider2", "by", by, "hint",
                at->flow->request.login_hint[0] != '\0', "passkey_asked_before",
                at->flow->passkey_page_shown);
        (void)snprintf(
                request.relay_state, sizeof(request.relay_state), "%s", at->flow->id);
        if (federation->build_request(federation, &at->provider->party,
                    at->provider->upstream, &request, &out, err) < 0)
                return -1;
        (void)snprintf(at->flow->delegated_id, sizeof(at->flow->delegated_id), "%s",
                request.id);
        words_request_sent(at->web.env->trace, at->web.role, &request);
        return kp_web_message(&at->web, &out, err);
}

static bool
is_federated(const struct provider_web *at)
{
        return kp_fact_is(at->provider->actor, "federates_to", "provider2");
}

int
provider_login(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        const struct kp_actor *actor = at->provider->actor;
        char path[96];

        if (at->flow == NULL)
                at->flow = provider_flow_begin(at->provider);
        if (at->flow->request.login_hint[0] != '\0' && is_federated(at) &&
                kp_fact_bool(actor, "honours_domain_hint"))
                return provider_delegate(at, "domain-hint", err);
        if (kp_doc_begin(&doc, &at->web, "username", err) < 0)
                return -1;
        kp_doc_form(&doc, "username", provider_path(at, "/login/username", path),
                "login", "", NULL);
        if (has_method(at, "passkey") &&
                kp_fact_is(actor, "passkey_door", "first-page")) {
                at->flow->passkey_page_shown = true;
                kp_doc_link(&doc, "door-passkey",
                        provider_path(at, "/login/passkey", path), "Aanmeldingsopties");
        }
        return kp_doc_send(&doc, &at->web, 200, err);
}

static struct kp_account *
account_by_login(struct provider_web *at)
{
        const struct kp_account_search search = {
                .name = "upn", .value = kp_web_param(&at->web, "login"), .fold = true
        };

        return kp_directory_find(&at->provider->directory, &search);
}

static int
passkey_form(struct provider_web *at, struct kp_doc *doc,
        const struct kp_account *account, struct kp_error *err)
{
        json_t *options = NULL;
        char path[96], flow[33];

        if (kp_passkeys_get_options(&at->provider->passkeys, at->provider->origin,
                    account, "optional", flow, &options, err) < 0)
                return -1;
        at->flow->passkey_page_shown = true;
        kp_doc_ceremony(doc, "get", "optional",
                provider_path(at, "/login/passkey", path), flow, options);
        return 0;
}

static void
recovery_link(struct provider_web *at, struct kp_doc *doc)
{
        char path[96];

        kp_doc_link(doc, "door-recovery", provider_path(at, "/recover", path),
                "Andere manier");
}

int
provider_username(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        struct kp_account *account = account_by_login(at);
        const char *why = flow_trouble(at);
        char path[96];

        if (why != NULL)
                return provider_refuse(at, account, "username", why, err);
        if (is_federated(at))
                return provider_delegate(at, "username", err);
        if (kp_doc_begin(&doc, &at->web, "method", err) < 0)
                return -1;
        if (has_method(at, "passkey") && account != NULL &&
                kp_passkeys_has(&at->provider->passkeys, account->ordinal) &&
                passkey_form(at, &doc, account, err) < 0)
                return -1;
        if (has_method(at, "password") && (account == NULL || !account->password_off))
                kp_doc_form(&doc, "password",
                        provider_path(at, "/login/password", path), "login",
                        kp_web_param(&at->web, "login"), "password", "", NULL);
        recovery_link(at, &doc);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
provider_password(struct provider_web *at, struct kp_error *err)
{
        struct kp_account *account = account_by_login(at);
        const char *why = flow_trouble(at);
        struct kp_proof proof = {
                .person = at->web.env->ledger->at_keyboard,
                .password = true,
                .ms = kp_clock_ms(at->web.env->clock),
        };

        (void)snprintf(proof.at, sizeof(proof.at), "%s", at->web.role);
        if (why == NULL && (account == NULL || account->password_off ||
                                   !has_method(at, "password") ||
                                   strcmp(account->password,
                                           kp_web_param(&at->web, "password")) != 0))
                why = "password-wrong";
        if (why != NULL)
                return provider_refuse(at, account, "password", why, err);
        return provider_finish_login(at, account, &proof, "password", err);
}

int
provider_passkey_page(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        char path[96];

        if (at->flow == NULL || !has_method(at, "passkey"))
                return provider_refuse(at, NULL, "passkey", "no-such-door", err);
        if (kp_doc_begin(&doc, &at->web, "passkey", err) < 0 ||
                passkey_form(at, &doc, NULL, err) < 0)
                return -1;
        kp_doc_link(&doc, "back", provider_path(at, "/login", path), "Terug");
        recovery_link(at, &doc);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
provider_passkey(struct provider_web *at, struct kp_error *err)
{
        struct kp_passkey_answer answer = { .why = flow_trouble(at) };
        struct kp_account *account;
        struct kp_proof proof = {
                .person = at->web.env->ledger->at_keyboard,
                .passkey = true,
                .ms = kp_clock_ms(at->web.env->clock),
        };

        (void)snprintf(proof.at, sizeof(proof.at), "%s", at->web.role);
        if (answer.why == NULL &&
                kp_passkeys_login(&at->provider->passkeys, at->provider->origin,
                        kp_web_param(&at->web, "flow"),
                        kp_web_param(&at->web, "credential"), 0, &answer, err) < 0)
                return -1;
        account = kp_directory_get(&at->provider->directory, answer.account);
        if (!answer.accepted)
                return provider_refuse(at, account, "passkey", answer.why, err);
        proof.uv = answer.uv;
        return provider_finish_login(at, account, &proof, "passkey", err);
}

int
provider_code_page(struct provider_web *at, const struct kp_account *account,
        const struct kp_proof *proof, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        const struct kp_one_time like = {
                .kind = KP_CODE_SECOND_FACTOR,
                .account = account->ordinal,
                .tenant = account->tenant,
                .person = account->person,
                .before = { .proof = *proof },
        };
        char path[96];

        (void)kp_code_issue(&at->provider->codes, at->web.env, &like, CODE_TTL_S);
        if (kp_doc_begin(&doc, &at->web, "code", err) < 0)
                return -1;
        kp_doc_form(
                &doc, "code", provider_path(at, "/login/code", path), "code", "", NULL);
        recovery_link(at, &doc);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
provider_code(struct provider_web *at, struct kp_error *err)
{
        const struct kp_one_time *taken = kp_code_take(&at->provider->codes,
                at->web.env, KP_CODE_SECOND_FACTOR, kp_web_param(&at->web, "code"));
        const char *why = flow_trouble(at);
        struct kp_proof proof;

        if (taken == NULL && why == NULL)
                why = "code-wrong";
        if (why != NULL)
                return provider_refuse(at, NULL, "code", why, err);
        proof = taken->before.proof;
        proof.code = true;
        return provider_finish_login(at,
                kp_directory_get(&at->provider->directory, taken->account), &proof,
                "code", err);
}

int
provider_open_session(struct provider_web *at, struct kp_account *account,
        const struct kp_session *like, const char *door, struct kp_error *err)
{
        const struct kp_actor *actor = at->provider->actor;
        int64_t ttl_s = kp_fact_int(actor, "session_ttl_s");
        struct kp_session *session;
        char path[96];

        session = kp_session_begin(&at->provider->sessions, at->web.env, like, ttl_s);
        session->account = account->ordinal;
        session->tenant = account->tenant;
        (void)snprintf(session->index, sizeof(session->index), "_%s", session->id);
        kp_trace_add(at->web.env->trace, at->web.role, "login", "{s:i, s:s, s:b, s:s}",
                "account", account->ordinal, "door", door, "in", 1, "by",
                session->method);
        if (ttl_s > 0 && kp_web_cookie(&at->web, PROVIDER_COOKIE, session->id,
                                 kp_fact_str(actor, "session_samesite"), err) < 0)
                return -1;
        if (at->flow->has_request)
                return provider_answer(at, session, false, err);
        at->flow->used = true;
        return kp_web_redirect(&at->web, provider_path(at, "/account", path), err);
}

int
provider_finish_login(struct provider_web *at, struct kp_account *account,
        const struct kp_proof *proof, const char *door, struct kp_error *err)
{
        struct kp_session like = { .proof = *proof };

        if (account->state != KP_ACCOUNT_ACTIVE)
                return provider_refuse(at, account, door, "account-blocked", err);
        if (kp_proof_assurance(proof) < KP_ASSURANCE_MFA &&
                kp_fact_bool(at->provider->actor, "mfa_required"))
                return provider_code_page(at, account, proof, err);
        (void)snprintf(like.method, sizeof(like.method), "%s", kp_proof_method(proof));
        return provider_open_session(at, account, &like, door, err);
}

/* The account that the second provider vouches for. */
static struct kp_account *
federated_account(
        struct kp_provider *provider, const struct kp_login_response *response)
{
        struct kp_account_search search = {
                .name = "upn", .value = response->subject, .fold = true
        };

        for (size_t i = 0; i < response->n_attributes; i++)
                if (strcmp(response->attributes[i].name, "upn") == 0)
                        search.value = response->attributes[i].value;
        return kp_directory_find(&provider->directory, &search);
}

int
provider_federated_acs(struct provider_web *at, struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLResponse");
        struct kp_federation *federation = at->web.env->federation;
        struct kp_federation_verdict verdict = { 0 };
        struct kp_login_response response = { 0 };
        const struct kp_proof *proof;
        struct kp_session like = { .by_eip = true };
        struct kp_response_policy policy = {
                .own = &at->provider->party,
                .peer = at->provider->upstream,
                .now_ms = kp_clock_ms(at->web.env->clock),
                .skew_ms = 300 * 1000,
        };
        struct kp_account *account;

        for (size_t i = 0; i < KP_FLOWS_MAX; i++)
                if (strcmp(at->provider->flows[i].id,
                            kp_web_param(&at->web, "RelayState")) == 0)
                        at->flow = &at->provider->flows[i];
        if (at->flow == NULL || at->flow->used || at->flow->delegated_id[0] == '\0')
                return provider_refuse(
                        at, NULL, "federated", "login-page-unknown", err);
        policy.request_id = at->flow->delegated_id;
        if (federation->read_response(
                    federation, &in, &policy, &response, &verdict, err) < 0)
                return -1;
        words_response_received(at->web.env->trace, at->web.role, &response, &verdict);
        if (!verdict.accepted)
                return provider_refuse(at, NULL, "federated", verdict.rule, err);
        account = federated_account(at->provider, &response);
        if (account == NULL || account->state != KP_ACCOUNT_ACTIVE)
                return provider_refuse(at, account, "federated",
                        account == NULL ? "account-unknown" : "account-blocked", err);
        if ((proof = kp_ledger_find(at->web.env->ledger, response.id)) != NULL)
                like.proof = *proof;
        /* of a login elsewhere this provider can tell only the class that it got */
        (void)snprintf(like.method, sizeof(like.method), "federated");
        (void)snprintf(like.context, sizeof(like.context), "%s", response.context);
        return provider_open_session(at, account, &like, "federated", err);
}
