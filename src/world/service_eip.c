/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/http/cookie.h"

#include "federation_words.h"
#include "service_internal.h"

static struct kp_outstanding *
outstanding_add(struct service_web *at, const char *request_id, const char *token)
{
        struct kp_service *service = at->service;
        struct kp_outstanding *item =
                &service->outstanding[service->n_outstanding++ % KP_OUTSTANDING_MAX];

        *item = (struct kp_outstanding){
                .tenant = at->tenant,
                .made_ms = kp_clock_ms(service->env->clock),
        };
        (void)snprintf(item->token, sizeof(item->token), "%s", token);
        (void)snprintf(item->request_id, sizeof(item->request_id), "%s", request_id);
        return item;
}

static void
request_fill(struct service_web *at, struct kp_login_request *ret)
{
        const struct kp_actor *actor = at->service->actor;
        const char *policy = kp_fact_str(actor, "nameid_policy");

        *ret = (struct kp_login_request){
                .issue_ms = kp_clock_ms(at->web.env->clock),
                .force_authn = kp_fact_bool(actor, "force_authn"),
                .is_passive = kp_fact_bool(actor, "is_passive"),
                .proxy_count = -1,
                .sign = kp_fact_bool(actor, "signs_request"),
                .allow_create = policy != NULL,
        };
        words_copy(
                kp_fact(actor, "requested_contexts"), ret->contexts, &ret->n_contexts);
        if (ret->n_contexts > 0)
                ret->comparison =
                        words_comparison(kp_fact_str(actor, "requested_comparison"));
        if (policy != NULL)
                (void)snprintf(
                        ret->nameid_format, sizeof(ret->nameid_format), "%s", policy);
        if (kp_fact_bool(actor, "sends_domain_hint"))
                (void)snprintf(ret->login_hint, sizeof(ret->login_hint),
                        "school%d.example", at->tenant);
}

int
service_eip(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation *federation = at->web.env->federation;
        const struct kp_actor *actor = at->service->actor;
        struct kp_login_request request;
        char token[33];

        if (at->service->eip == NULL || !kp_fact_has(actor, "doors", "eip"))
                return service_refuse(at, NULL, "eip", "no-such-door", err);
        /* the messages are SAML whatever the product speaks: outcomes rest on it */
        (void)kp_fact_str(actor, "eip_protocol");
        request_fill(at, &request);
        kp_token_draw(at->web.env->random, token);
        (void)snprintf(request.relay_state, sizeof(request.relay_state), "%s", token);
        if (federation->build_request(federation, &at->host->party, at->service->eip,
                    &request, &out, err) < 0)
                return -1;
        (void)outstanding_add(at, request.id, token);
        words_request_sent(at->web.env->trace, actor->role, &request);
        if (kp_fact_is(actor, "state", "cookie") &&
                kp_web_cookie(&at->web, SERVICE_STATE_COOKIE, token,
                        kp_fact_str(actor, "state_samesite"), err) < 0)
                return -1;
        return kp_web_message(&at->web, &out, err);
}

/* Why the request that this answers cannot be told; NULL when it is there. */
static const char *
outstanding_find(struct service_web *at, struct kp_outstanding **ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf cookie = { 0 };
        const char *token = kp_web_param(&at->web, "RelayState");
        struct kp_service *service = at->service;

        *ret = NULL;
        if (kp_fact_is(service->actor, "state", "cookie")) {
                if (!kp_cookie_get(at->web.cookies, SERVICE_STATE_COOKIE, &cookie))
                        return "cookie-missing";
                token = kp_buf_str(&cookie);
        }
        for (size_t i = 0; i < KP_OUTSTANDING_MAX; i++)
                if (token[0] != '\0' && !service->outstanding[i].used &&
                        strcmp(service->outstanding[i].token, token) == 0)
                        *ret = &service->outstanding[i];
        return *ret == NULL ? "unknown" : NULL;
}

/* The same with its age, told in the trace. */
static const char *
state_take(struct service_web *at, struct kp_outstanding **ret)
{
        int64_t now = kp_clock_ms(at->web.env->clock), age_s = 0;
        int64_t ttl_s = kp_fact_int(at->service->actor, "state_ttl_s");
        const char *why = outstanding_find(at, ret);

        if (*ret != NULL) {
                age_s = (now - (*ret)->made_ms) / 1000;
                if (age_s > ttl_s)
                        why = "expired";
        }
        kp_trace_add(at->web.env->trace, at->web.role, "state",
                "{s:s, s:s, s:b, s:I, s:I, s:s*}", "at", at->web.role, "kept",
                kp_fact_str(at->service->actor, "state"), "found", why == NULL, "age_s",
                (json_int_t)age_s, "ttl_s", (json_int_t)ttl_s, "why", why);
        if (why != NULL)
                *ret = NULL;
        return why;
}

static const char *
attribute(const struct kp_login_response *response, const char *name)
{
        for (size_t i = 0; i < response->n_attributes; i++)
                if (strcmp(response->attributes[i].name, name) == 0)
                        return response->attributes[i].value;
        return "";
}

/* How an account is looked for, and what came of it. */
struct lookup {
        const char *key;
        struct kp_account_search search; /* by value, whatever its case and issuer */
        bool case_differs, issuer_differs;
};

static struct lookup
lookup_make(const struct service_web *at, const struct kp_login_response *response)
{
        struct lookup lookup = { .key = kp_fact_str(
                                         at->service->actor, "account_key") };
        bool nameid = strcmp(lookup.key, "nameid") == 0;

        lookup.search = (struct kp_account_search){
                .name = nameid ? "link" : lookup.key,
                .value = nameid ? response->subject : attribute(response, lookup.key),
                .tenant = at->tenant,
                .fold = true,
        };
        return lookup;
}

/*
 * The account for a value. Whether case and issuer count is only looked up where it
 * makes a difference: a fact that changes nothing is not read.
 */
static struct kp_account *
lookup_run(struct service_web *at, const char *issuer, struct lookup *lookup)
{
        struct kp_directory *directory = &at->service->directory;
        const struct kp_actor *actor = at->service->actor;
        struct kp_account_search exact = lookup->search;
        struct kp_account *account;

        if (lookup->search.value[0] == '\0')
                return NULL;
        exact.fold = false;
        account = kp_directory_find(directory, &exact);
        if (account == NULL &&
                (account = kp_directory_find(directory, &lookup->search)) != NULL &&
                kp_fact_is(actor, "account_key_compare", "exact"))
                lookup->case_differs = true;
        if (account != NULL && account->link_issuer[0] != '\0' &&
                strcmp(account->link_issuer, issuer) != 0 &&
                kp_fact_bool(actor, "account_key_issuer"))
                lookup->issuer_differs = true;
        return lookup->case_differs || lookup->issuer_differs ? NULL : account;
}

static void
account_tell(struct service_web *at, const struct lookup *lookup,
        const struct kp_login_response *response, const struct kp_account *account,
        const char *by, bool created)
{
        const struct kp_account_search by_mail = {
                .name = "mail",
                .value = attribute(response, "mail"),
                .tenant = at->tenant,
                .fold = true,
        };
        kp_trace_add(at->web.env->trace, at->web.role, "account.found",
                "{s:s, s:b, s:i, s:s, s:b, s:b, s:b, s:b, s:b, s:s*}", "key",
                lookup->key, "found", account != NULL, "account",
                account == NULL ? 0 : account->ordinal, "by", by, "created", created,
                "value_came", lookup->search.value[0] != '\0', "case_differs",
                lookup->case_differs, "issuer_differs", lookup->issuer_differs,
                "mail_known",
                kp_directory_find(&at->service->directory, &by_mail) != NULL, "state",
                account == NULL ? NULL : kp_account_state_name(account->state));
}

/* A new account for a subject that nobody knew, as its assertion describes it. */
static int
account_create(struct service_web *at, const struct kp_login_response *response,
        int person, struct kp_account **ret, struct kp_error *err)
{
        struct kp_person somebody = { .ordinal = person, .tenant = at->tenant };
        struct kp_account *account;

        (void)snprintf(
                somebody.login, sizeof(somebody.login), "%.40s", response->subject);
        if (kp_directory_add(&at->service->directory, &somebody, at->web.env->random,
                    &account, err) < 0)
                return -1;
        account->eip = true;
        account->password_off = true;
        (void)snprintf(account->upn, sizeof(account->upn), "%.95s",
                attribute(response, "upn"));
        (void)snprintf(account->mail, sizeof(account->mail), "%.95s",
                attribute(response, "mail"));
        (void)snprintf(account->number, sizeof(account->number), "%.15s",
                attribute(response, "employee-number"));
        *ret = account;
        return 0;
}

static void
account_link(struct kp_account *account, const struct kp_login_response *response)
{
        (void)snprintf(account->link_issuer, sizeof(account->link_issuer), "%s",
                response->issuer);
        (void)snprintf(account->link_subject, sizeof(account->link_subject), "%s",
                response->subject);
}

static int
account_resolve(struct service_web *at, const struct kp_login_response *response,
        int person, struct kp_account **ret, struct kp_error *err)
{
        struct lookup lookup = lookup_make(at, response);
        const struct kp_account_search by_mail = {
                .name = "mail",
                .value = attribute(response, "mail"),
                .tenant = at->tenant,
                .fold = true,
        };
        const char *by = "key";
        bool created = false;

        *ret = lookup_run(at, response->issuer, &lookup);
        account_tell(at, &lookup, response, *ret, by, false);
        if (*ret != NULL || kp_fact_is(at->service->actor, "unknown_subject", "refuse"))
                return 0;
        if (kp_fact_is(at->service->actor, "unknown_subject", "link-by-mail")) {
                by = "mail";
                *ret = kp_directory_find(&at->service->directory, &by_mail);
        } else {
                by = "created";
                created = true;
                if (account_create(at, response, person, ret, err) < 0)
                        return -1;
        }
        if (*ret != NULL)
                account_link(*ret, response);
        account_tell(at, &lookup, response, *ret, by, created);
        return 0;
}

static void
policy_fill(struct service_web *at, const struct kp_outstanding *outstanding,
        const char **contexts, struct kp_response_policy *ret)
{
        const struct kp_actor *actor = at->service->actor;
        const char *wants = kp_fact_str(actor, "wants_signed");

        *ret = (struct kp_response_policy){
                .own = &at->host->party,
                .peer = at->service->eip,
                .request_id = outstanding == NULL ? NULL : outstanding->request_id,
                .allow_unsolicited = outstanding == NULL,
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

static void
released_put(const struct kp_login_response *response, char ret[512])
{
        size_t len = 0;

        for (size_t i = 0; i < response->n_attributes && len < 400; i++)
                len += (size_t)snprintf(ret + len, 512 - len, "%.32s=%.64s\n",
                        response->attributes[i].name, response->attributes[i].value);
}

/* Accepted: find the account and open its session. */
static int
acs_accept(struct service_web *at, const struct kp_login_response *response,
        struct kp_error *err)
{
        const struct kp_proof *proof =
                kp_ledger_find(at->web.env->ledger, response->id);
        struct kp_session like = { .by_eip = true, .authn_ms = response->authn_ms };
        struct kp_account *account;

        if (proof != NULL)
                like.proof = *proof;
        if (account_resolve(at, response, like.proof.person, &account, err) < 0)
                return -1;
        if (account == NULL)
                return service_refuse(at, NULL, "eip", "account-unknown", err);
        if (account->state != KP_ACCOUNT_ACTIVE)
                return service_refuse(at, account, "eip", "account-blocked", err);
        account_link(account, response);
        (void)snprintf(like.method, sizeof(like.method), "eip");
        (void)snprintf(like.context, sizeof(like.context), "%s", response->context);
        (void)snprintf(like.index, sizeof(like.index), "%s", response->session_index);
        (void)snprintf(like.subject, sizeof(like.subject), "%s", response->subject);
        (void)snprintf(like.subject_format, sizeof(like.subject_format), "%s",
                response->subject_format);
        released_put(response, like.released);
        return service_open_session(at, account, &like, "eip", err);
}

int
service_acs(struct service_web *at, struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLResponse");
        struct kp_federation *federation = at->web.env->federation;
        struct kp_federation_verdict verdict = { 0 };
        struct kp_login_response response = { 0 };
        const char *contexts[KP_WORDS_MAX], *why;
        struct kp_outstanding *outstanding;
        struct kp_response_policy policy;

        if (at->service->eip == NULL)
                return service_refuse(at, NULL, "eip", "no-such-door", err);
        why = state_take(at, &outstanding);
        if (why != NULL && !kp_fact_bool(at->service->actor, "accepts_unsolicited"))
                return service_refuse(at, NULL, "eip",
                        strcmp(why, "expired") == 0 ? "request-expired" : "state-lost",
                        err);
        if (outstanding != NULL) {
                outstanding->used = true;
                if (at->host->tenant == 0)
                        at->tenant = outstanding->tenant;
        }
        policy_fill(at, outstanding, contexts, &policy);
        if (federation->read_response(
                    federation, &in, &policy, &response, &verdict, err) < 0)
                return -1;
        words_response_received(at->web.env->trace, at->web.role, &response, &verdict);
        if (!verdict.accepted)
                return service_refuse(at, NULL, "eip", verdict.rule, err);
        return acs_accept(at, &response, err);
}
