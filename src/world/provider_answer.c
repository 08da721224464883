/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "federation_words.h"
#include "provider_internal.h"

#define NAMEID_11 "urn:oasis:names:tc:SAML:1.1:nameid-format:"
#define NAMEID_20 "urn:oasis:names:tc:SAML:2.0:nameid-format:"

/* How the session's method is called in the names of facts. */
static const char *
method_word(const struct kp_session *session)
{
        if (strncmp(session->method, "passkey", 7) == 0 ||
                strcmp(session->method, "password-and-passkey") == 0)
                return "passkey";
        if (strcmp(session->method, "password-and-code") == 0)
                return "mfa";
        return "password";
}

static const char *
stated_context(const struct provider_web *at, const struct kp_session *session)
{
        char name[48];

        if (session->by_eip && session->context[0] != '\0')
                return session->context;
        (void)snprintf(name, sizeof(name), "context_%s", method_word(session));
        return kp_fact_str(at->provider->actor, name);
}

static int
order_of(const json_t *order, const char *context)
{
        const json_t *item;
        size_t i;

        json_array_foreach (order, i, item)
                if (strcmp(json_string_value(item), context) == 0)
                        return (int)i;
        return -1;
}

/* Spec: SAML 2.0 Core §3.3.2.2.1 "Comparison" */
static bool
comparison_holds(enum kp_comparison comparison, int stated, int wanted)
{
        if (stated < 0 || wanted < 0)
                return false;
        switch (comparison) {
        case KP_MINIMUM:
                return stated >= wanted;
        case KP_MAXIMUM:
                return stated <= wanted;
        case KP_BETTER:
                return stated > wanted;
        case KP_COMPARISON_NONE:
        case KP_EXACT:
                return stated == wanted;
        }
        return false;
}

/* The requested class that this login fulfils, or NULL. */
static const char *
fulfilled_context(const struct provider_web *at, const struct kp_session *session,
        const char *stated)
{
        const struct kp_login_request *request = &at->flow->request;
        const struct kp_actor *actor = at->provider->actor;
        bool ordered = kp_fact_is(actor, "requested_context", "ordered");
        char name[48];
        const json_t *words;

        (void)snprintf(
                name, sizeof(name), "contexts_fulfilled_by_%s", method_word(session));
        words = kp_fact(actor, ordered ? "context_order" : name);
        for (size_t i = 0; i < request->n_contexts; i++) {
                const char *wanted = request->contexts[i];

                if (ordered &&
                        comparison_holds(request->comparison, order_of(words, stated),
                                order_of(words, wanted)))
                        return stated;
                if (!ordered && words_listed(words, wanted))
                        return wanted;
        }
        return NULL;
}

/*
 * What the request for a class does. Returns the class to state, or NULL with the
 * refusal in `ret_result`.
 */
static const char *
context_decide(const struct provider_web *at, const struct kp_session *session,
        bool existing, const char **ret_result)
{
        const struct kp_login_request *request = &at->flow->request;
        const char *stated = stated_context(at, session), *fulfilled, *behaviour;

        *ret_result = "stated";
        if (request->n_contexts == 0)
                return stated;
        behaviour = kp_fact_str(at->provider->actor, "requested_context");
        if (strcmp(behaviour, "ignored") == 0) {
                *ret_result = "ignored";
                fulfilled = stated;
        } else {
                fulfilled = fulfilled_context(at, session, stated);
                if (fulfilled == NULL)
                        *ret_result = strcmp(behaviour, "error-page") == 0
                                              ? "error-page"
                                              : "no-authn-context";
        }
        kp_trace_add(at->web.env->trace, at->web.role, "context.compared",
                "{s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "requested",
                request->contexts[0], "comparison",
                words_comparison_name(request->comparison), "method",
                method_word(session), "session", existing ? "existing" : "fresh",
                "fulfilled", fulfilled != NULL && strcmp(*ret_result, "ignored") != 0,
                "stated", stated, "result", *ret_result);
        return fulfilled;
}

static void
pairwise_make(
        const struct kp_account *account, const char *service_entity, char ret[256])
{
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned digest_len = 0;
        char text[320];
        int text_len = snprintf(
                text, sizeof(text), "%s|%s", account->object_id, service_entity);

        if (EVP_Digest(text, (size_t)text_len, digest, &digest_len, EVP_sha256(),
                    NULL) != 1)
                digest_len = 0;
        for (unsigned i = 0; i < 16 && i < digest_len; i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static void
subject_make(const struct kp_provider *provider, const struct kp_account *account,
        const char *source, const char *service_entity, char ret[256])
{
        ret[0] = '\0';
        if (strcmp(source, "pairwise") == 0)
                pairwise_make(account, service_entity, ret);
        else if (strcmp(source, "transient") == 0)
                kp_token_draw(provider->env->random, ret);
        else
                (void)snprintf(ret, 256, "%s", kp_account_value(account, source));
}

void
kp_provider_subject(const struct kp_provider *provider,
        const struct kp_account *account, const char *service_entity, char ret[256])
{
        subject_make(provider, account, kp_fact_str(provider->actor, "nameid_source"),
                service_entity, ret);
}

/* Where the NameID comes from after the request's policy; NULL: it cannot be met. */
static const char *
subject_source(const struct provider_web *at, const char **ret_format)
{
        static const struct {
                const char *format, *source;
        } formats[] = {
                { NAMEID_20 "persistent", "pairwise" },
                { NAMEID_20 "transient", "transient" },
                { NAMEID_11 "emailAddress", "mail" },
        };
        const struct kp_actor *actor = at->provider->actor;
        const char *asked = at->flow->request.nameid_format;

        *ret_format = kp_fact_str(actor, "nameid_format");
        if (asked[0] == '\0' || strcmp(asked, NAMEID_11 "unspecified") == 0 ||
                strcmp(asked, *ret_format) == 0 ||
                kp_fact_is(actor, "nameid_policy", "ignored"))
                return kp_fact_str(actor, "nameid_source");
        *ret_format = asked;
        for (size_t i = 0; i < KP_NELEMS(formats); i++)
                if (strcmp(formats[i].format, asked) == 0)
                        return formats[i].source;
        return NULL;
}

static void
attributes_fill(const struct provider_web *at, const struct kp_account *account,
        struct kp_login_response *ret)
{
        const json_t *names = kp_fact(at->provider->actor, "attributes"), *name;
        size_t i;

        json_array_foreach (names, i, name) {
                const char *value = kp_account_value(account, json_string_value(name));
                struct kp_attribute *attribute;

                if (value[0] == '\0' || ret->n_attributes == KP_NELEMS(ret->attributes))
                        continue;
                attribute = &ret->attributes[ret->n_attributes++];
                (void)snprintf(attribute->name, sizeof(attribute->name), "%s",
                        json_string_value(name));
                (void)snprintf(attribute->value, sizeof(attribute->value), "%s", value);
        }
}

static void
envelope_fill(const struct provider_web *at, struct kp_login_response *ret)
{
        const struct kp_actor *actor = at->provider->actor;
        const struct kp_party *service = at->provider->services[at->flow->peer];
        int64_t now = kp_clock_ms(at->web.env->clock) +
                      kp_fact_int(actor, "clock_ahead_s") * 1000;

        ret->issue_ms = now;
        ret->not_before_ms = now + kp_fact_int(actor, "not_before_s") * 1000;
        ret->not_on_or_after_ms = now + kp_fact_int(actor, "lifetime_s") * 1000;
        ret->confirmation_until_ms = now + kp_fact_int(actor, "confirmation_s") * 1000;
        words_signs(
                kp_fact_str(actor, "signs"), &ret->sign_response, &ret->sign_assertion);
        words_response_address(&at->flow->request, service, ret);
}

static int
send(struct provider_web *at, struct kp_login_response *response,
        const struct kp_proof *proof, struct kp_error *err)
{
        at->flow->used = true;
        return words_response_send(&at->web, &at->provider->party,
                at->provider->services[at->flow->peer], response, proof, err);
}

int
provider_answer_status(struct provider_web *at, const char *status, const char *status2,
        struct kp_error *err)
{
        struct kp_login_response response = { 0 };

        envelope_fill(at, &response);
        (void)snprintf(response.status[0], sizeof(response.status[0]),
                "urn:oasis:names:tc:SAML:2.0:status:%s", status);
        (void)snprintf(response.status[1], sizeof(response.status[1]),
                "urn:oasis:names:tc:SAML:2.0:status:%s", status2);
        /* without an assertion there is only the response to sign */
        response.sign_response = true;
        response.sign_assertion = false;
        return send(at, &response, NULL, err);
}

int
provider_answer(struct provider_web *at, const struct kp_session *session,
        bool existing, struct kp_error *err)
{
        const struct kp_account *account =
                kp_directory_get(&at->provider->directory, session->account);
        struct kp_login_response response = { .authn_ms = session->authn_ms };
        const char *context, *result, *source, *format, *why = provider_policy(at);

        if (why != NULL)
                return provider_refuse(at, account, "sso", why, err);
        context = context_decide(at, session, existing, &result);
        if (context == NULL && strcmp(result, "error-page") == 0)
                return provider_refuse(at, account, "sso", "context-mismatch", err);
        if (context == NULL)
                return provider_answer_status(at, "Responder", "NoAuthnContext", err);
        if ((source = subject_source(at, &format)) == NULL)
                return provider_answer_status(
                        at, "Requester", "InvalidNameIDPolicy", err);
        envelope_fill(at, &response);
        (void)snprintf(response.status[0], sizeof(response.status[0]),
                "urn:oasis:names:tc:SAML:2.0:status:Success");
        subject_make(
                at->provider, account, source, response.audience, response.subject);
        (void)snprintf(
                response.subject_format, sizeof(response.subject_format), "%s", format);
        (void)snprintf(response.context, sizeof(response.context), "%s", context);
        (void)snprintf(response.session_index, sizeof(response.session_index), "%s",
                session->index);
        attributes_fill(at, account, &response);
        kp_trace_add(at->web.env->trace, at->web.role, "subject", "{s:s, s:s, s:b}",
                "at", at->web.role, "source", source, "asked",
                at->flow->request.nameid_format[0] != '\0');
        return send(at, &response, &session->proof, err);
}
