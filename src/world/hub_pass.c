/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "federation_words.h"
#include "hub_internal.h"

/* Our own request to the school's provider, with what is passed on of the service's. */
static void
forward_fill(const struct hub_web *at, struct kp_login_request *ret)
{
        const struct kp_actor *actor = at->hub->actor;
        const struct kp_login_request *asked = &at->flow->request;

        *ret = (struct kp_login_request){
                .issue_ms = kp_clock_ms(at->web.env->clock),
                .proxy_count = -1,
                .sign = true,
        };
        (void)snprintf(ret->relay_state, sizeof(ret->relay_state), "%s", at->flow->id);
        if (!at->flow->has_request)
                return;
        ret->force_authn =
                asked->force_authn && kp_fact_bool(actor, "forwards_force_authn");
        ret->is_passive =
                asked->is_passive && kp_fact_bool(actor, "forwards_is_passive");
        if (asked->n_contexts > 0 &&
                kp_fact_bool(actor, "forwards_requested_context")) {
                memcpy(ret->contexts, asked->contexts, sizeof(ret->contexts));
                ret->n_contexts = asked->n_contexts;
                ret->comparison = asked->comparison;
        }
        ret->n_requesters = 1;
        (void)snprintf(ret->requesters[0], sizeof(ret->requesters[0]), "%s",
                at->hub->services[at->flow->peer]->entity_id);
}

int
hub_forward(struct hub_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation *federation = at->web.env->federation;
        struct kp_login_request request;

        if (at->flow == NULL || at->hub->provider == NULL)
                return hub_refuse(at, "forward", "login-page-unknown", err);
        forward_fill(at, &request);
        if (kp_fact_is(at->hub->actor, "wayf", "remembered") &&
                kp_web_cookie(&at->web, HUB_SCHOOL_COOKIE, "1",
                        kp_fact_str(at->hub->actor, "session_samesite"), err) < 0)
                return -1;
        if (federation->build_request(federation, &at->hub->party, at->hub->provider,
                    &request, &out, err) < 0)
                return -1;
        (void)snprintf(at->flow->forwarded_id, sizeof(at->flow->forwarded_id), "%s",
                request.id);
        words_request_sent(at->web.env->trace, at->web.role, &request);
        return kp_web_message(&at->web, &out, err);
}

static const char *
attribute(const struct kp_login_response *response, const char *name)
{
        for (size_t i = 0; i < response->n_attributes; i++)
                if (strcmp(response->attributes[i].name, name) == 0)
                        return response->attributes[i].value;
        return "";
}

/* The hub's own record of somebody who comes by, made on the first visit. */
static int
visitor(struct hub_web *at, const struct kp_login_response *response, int person,
        struct kp_account **ret, struct kp_error *err)
{
        const struct kp_account_search search = {
                .name = "link", .value = response->subject, .issuer = response->issuer
        };
        struct kp_person somebody = { .ordinal = person, .tenant = 1 };
        struct kp_account *account = kp_directory_find(&at->hub->directory, &search);

        if (account == NULL) {
                if (kp_directory_add(&at->hub->directory, &somebody,
                            at->web.env->random, &account, err) < 0)
                        return -1;
                (void)snprintf(account->login, sizeof(account->login), "%.40s",
                        response->subject);
                (void)snprintf(account->link_issuer, sizeof(account->link_issuer), "%s",
                        response->issuer);
                (void)snprintf(account->link_subject, sizeof(account->link_subject),
                        "%s", response->subject);
        }
        (void)snprintf(account->upn, sizeof(account->upn), "%.95s",
                attribute(response, "upn"));
        (void)snprintf(account->mail, sizeof(account->mail), "%.95s",
                attribute(response, "mail"));
        (void)snprintf(account->number, sizeof(account->number), "%.15s",
                attribute(response, "employee-number"));
        (void)snprintf(account->object_id, sizeof(account->object_id), "%.39s",
                attribute(response, "object-id"));
        *ret = account;
        return 0;
}

static const char *
flow_take(struct hub_web *at)
{
        int64_t ttl_s = kp_fact_int(at->hub->actor, "request_ttl_s"), age_s;
        const char *id = kp_web_param(&at->web, "RelayState");

        for (size_t i = 0; i < KP_HUB_FLOWS_MAX; i++)
                if (id[0] != '\0' && strcmp(at->hub->flows[i].id, id) == 0)
                        at->flow = &at->hub->flows[i];
        if (at->flow == NULL || at->flow->used || at->flow->forwarded_id[0] == '\0')
                return "state-lost";
        age_s = (kp_clock_ms(at->web.env->clock) - at->flow->made_ms) / 1000;
        kp_trace_add(at->web.env->trace, at->web.role, "state",
                "{s:s, s:s, s:b, s:I, s:I}", "at", at->web.role, "kept", "server",
                "found", age_s <= ttl_s, "age_s", (json_int_t)age_s, "ttl_s",
                (json_int_t)ttl_s);
        return age_s > ttl_s ? "request-expired" : NULL;
}

static void
policy_fill(
        const struct hub_web *at, const char **contexts, struct kp_response_policy *ret)
{
        const struct kp_actor *actor = at->hub->actor;
        const char *wants = kp_fact_str(actor, "wants_signed");

        *ret = (struct kp_response_policy){
                .own = &at->hub->party,
                .peer = at->hub->provider,
                .request_id = at->flow->forwarded_id,
                .want_assertion_signed =
                        strcmp(wants, "assertion") == 0 || strcmp(wants, "both") == 0,
                .want_response_signed =
                        strcmp(wants, "response") == 0 || strcmp(wants, "both") == 0,
                .now_ms = kp_clock_ms(at->web.env->clock),
                .skew_ms = kp_fact_int(actor, "skew_s") * 1000,
        };
        ret->n_contexts = words_borrow(kp_fact(actor, "accepted_contexts"), contexts);
        if (ret->n_contexts > 0)
                ret->contexts = contexts;
}

int
hub_acs(struct hub_web *at, struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLResponse");
        struct kp_federation *federation = at->web.env->federation;
        struct kp_federation_verdict verdict = { 0 };
        struct kp_login_response response = { 0 };
        const char *contexts[KP_WORDS_MAX], *why = flow_take(at);
        struct kp_session like = { .by_eip = true, .method = "provider" };
        struct kp_response_policy policy;
        struct kp_account *account;
        const struct kp_proof *proof;

        if (why != NULL)
                return hub_refuse(at, "eip", why, err);
        policy_fill(at, contexts, &policy);
        if (federation->read_response(
                    federation, &in, &policy, &response, &verdict, err) < 0)
                return -1;
        words_response_received(at->web.env->trace, at->web.role, &response, &verdict);
        if (!verdict.accepted && response.status[1][0] != '\0' && at->flow->has_request)
                return hub_answer_status(at, (const char(*)[128])response.status, err);
        if (!verdict.accepted)
                return hub_refuse(at, "eip", verdict.rule, err);
        if ((proof = kp_ledger_find(at->web.env->ledger, response.id)) != NULL)
                like.proof = *proof;
        if (visitor(at, &response, like.proof.person, &account, err) < 0)
                return -1;
        like.authn_ms = response.authn_ms;
        (void)snprintf(like.context, sizeof(like.context), "%s", response.context);
        (void)snprintf(like.index, sizeof(like.index), "%s", response.session_index);
        (void)snprintf(like.subject, sizeof(like.subject), "%s", response.subject);
        (void)snprintf(like.subject_format, sizeof(like.subject_format), "%s",
                response.subject_format);
        return hub_open_session(at, account, &like, "eip", err);
}

int
hub_open_session(struct hub_web *at, struct kp_account *account,
        const struct kp_session *like, const char *door, struct kp_error *err)
{
        const struct kp_actor *actor = at->hub->actor;
        int64_t ttl_s = kp_fact_int(actor, "session_ttl_s");
        struct kp_session *session =
                kp_session_begin(&at->hub->sessions, at->web.env, like, ttl_s);

        session->account = account->ordinal;
        session->tenant = account->tenant;
        kp_trace_add(at->web.env->trace, at->web.role, "login", "{s:i, s:s, s:b, s:s}",
                "account", account->ordinal, "door", door, "in", 1, "by",
                session->method);
        if (ttl_s > 0 && kp_web_cookie(&at->web, HUB_COOKIE, session->id,
                                 kp_fact_str(actor, "session_samesite"), err) < 0)
                return -1;
        if (at->flow->has_request)
                return hub_answer(at, session, err);
        at->flow->used = true;
        return kp_web_redirect(&at->web, "/account", err);
}

static void
hash_subject(const char *subject, const char *salt, char ret[256])
{
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned digest_len = 0;
        char text[640];
        int text_len = snprintf(text, sizeof(text), "%s|%s", subject, salt);

        if (EVP_Digest(text, (size_t)text_len, digest, &digest_len, EVP_sha256(),
                    NULL) != 1)
                digest_len = 0;
        for (unsigned i = 0; i < 20 && i < digest_len; i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

void
kp_hub_subject(const struct kp_hub *hub, const char *subject,
        const char *service_entity, char ret[256])
{
        const char *source = kp_fact_str(hub->actor, "nameid_source");

        if (strcmp(source, "passed-on") == 0)
                (void)snprintf(ret, 256, "%s", subject);
        else
                hash_subject(subject,
                        strcmp(source, "pairwise") == 0 ? service_entity
                                                        : hub->entity_id,
                        ret);
}

static void
envelope_fill(const struct hub_web *at, struct kp_login_response *ret)
{
        const struct kp_party *service = at->hub->services[at->flow->peer];
        int64_t now = kp_clock_ms(at->web.env->clock);

        ret->issue_ms = now;
        ret->not_before_ms = now - 1000;
        ret->not_on_or_after_ms =
                now + kp_fact_int(at->hub->actor, "lifetime_s") * 1000;
        ret->confirmation_until_ms = ret->not_on_or_after_ms;
        words_signs(kp_fact_str(at->hub->actor, "signs"), &ret->sign_response,
                &ret->sign_assertion);
        words_response_address(&at->flow->request, service, ret);
}

static int
send(struct hub_web *at, struct kp_login_response *response,
        const struct kp_proof *proof, struct kp_error *err)
{
        at->flow->used = true;
        return words_response_send(&at->web, &at->hub->party,
                at->hub->services[at->flow->peer], response, proof, err);
}

int
hub_answer_status(struct hub_web *at, const char status[2][128], struct kp_error *err)
{
        struct kp_login_response response = { 0 };

        envelope_fill(at, &response);
        memcpy(response.status, status, sizeof(response.status));
        response.sign_response = true;
        response.sign_assertion = false;
        return send(at, &response, NULL, err);
}

/* The class that the service gets to see. */
static const char *
stated_context(const struct hub_web *at, const struct kp_session *session)
{
        const struct kp_actor *actor = at->hub->actor;
        const char *constant;

        if (!session->by_eip &&
                (constant = kp_fact_str(actor, "context_passkey")) != NULL)
                return constant;
        if (kp_fact_is(actor, "context", "passed-on"))
                return session->context;
        constant = kp_fact_str(actor, "context_constant");
        return constant == NULL ? "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
                                : constant;
}

static void
attributes_fill(const struct hub_web *at, const struct kp_account *account,
        struct kp_login_response *ret)
{
        const json_t *names = kp_fact(at->hub->actor, "attributes"), *name;
        size_t i;

        json_array_foreach (names, i, name) {
                const char *value = kp_account_value(account, json_string_value(name));
                struct kp_attribute *item;

                if (value[0] == '\0' || ret->n_attributes == KP_NELEMS(ret->attributes))
                        continue;
                item = &ret->attributes[ret->n_attributes++];
                (void)snprintf(
                        item->name, sizeof(item->name), "%s", json_string_value(name));
                (void)snprintf(item->value, sizeof(item->value), "%s", value);
        }
}

int
hub_answer(struct hub_web *at, const struct kp_session *session, struct kp_error *err)
{
        const struct kp_actor *actor = at->hub->actor;
        const struct kp_account *account =
                kp_directory_get(&at->hub->directory, session->account);
        struct kp_login_response response = { .authn_ms = session->authn_ms };

        envelope_fill(at, &response);
        (void)snprintf(response.status[0], sizeof(response.status[0]),
                "urn:oasis:names:tc:SAML:2.0:status:Success");
        kp_hub_subject(
                at->hub, account->link_subject, response.audience, response.subject);
        (void)snprintf(response.subject_format, sizeof(response.subject_format), "%s",
                kp_fact_str(actor, "nameid_format"));
        (void)snprintf(response.context, sizeof(response.context), "%s",
                stated_context(at, session));
        (void)snprintf(response.session_index, sizeof(response.session_index), "_%s",
                session->id);
        if (session->by_eip && kp_fact_bool(actor, "names_authority")) {
                response.n_authorities = 1;
                (void)snprintf(response.authorities[0], sizeof(response.authorities[0]),
                        "%s", at->hub->provider->entity_id);
        }
        attributes_fill(at, account, &response);
        kp_trace_add(at->web.env->trace, at->web.role, "subject", "{s:s, s:s, s:b}",
                "at", at->web.role, "source", kp_fact_str(actor, "nameid_source"),
                "asked", at->flow->request.nameid_format[0] != '\0');
        return send(at, &response, &session->proof, err);
}
