/* SPDX-License-Identifier: BSD-2-Clause */
#include "federation_words.h"

#include <stdio.h>
#include <string.h>

static const char *const comparisons[] = {
        [KP_COMPARISON_NONE] = "none",
        [KP_EXACT] = "exact",
        [KP_MINIMUM] = "minimum",
        [KP_MAXIMUM] = "maximum",
        [KP_BETTER] = "better",
};

void
words_copy(const json_t *words, char ret[8][128], size_t *ret_n)
{
        const json_t *word;
        size_t i;

        *ret_n = 0;
        json_array_foreach (words, i, word)
                if (*ret_n < 8)
                        (void)snprintf(
                                ret[(*ret_n)++], 128, "%s", json_string_value(word));
}

size_t
words_borrow(const json_t *words, const char **ret)
{
        const json_t *word;
        size_t n = 0, i;

        json_array_foreach (words, i, word)
                if (n < KP_WORDS_MAX)
                        ret[n++] = json_string_value(word);
        return n;
}

enum kp_comparison
words_comparison(const char *word)
{
        for (size_t i = 0; i < KP_NELEMS(comparisons); i++)
                if (strcmp(comparisons[i], word) == 0)
                        return (enum kp_comparison)i;
        return KP_COMPARISON_NONE;
}

const char *
words_comparison_name(enum kp_comparison comparison)
{
        return comparisons[comparison];
}

void
words_signs(const char *word, bool *ret_response, bool *ret_assertion)
{
        *ret_response = strcmp(word, "assertion") != 0;
        *ret_assertion = strcmp(word, "response") != 0;
}

bool
words_listed(const json_t *words, const char *word)
{
        const json_t *item;
        size_t i;

        json_array_foreach (words, i, item)
                if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
                        return true;
        return false;
}

/* Status codes without their common prefix; NULL where there is none. */
static json_t *
status_json(const char status[2][128])
{
        json_t *list;

        if (status[0][0] == '\0')
                return NULL;
        list = json_array();
        for (size_t i = 0; i < 2 && status[i][0] != '\0'; i++) {
                const char *last = strrchr(status[i], ':');

                (void)json_array_append_new(
                        list, json_string(last == NULL ? status[i] : last + 1));
        }
        return list;
}

static const char *
or_null(const char *text)
{
        return text[0] == '\0' ? NULL : text;
}

static json_t *
request_json(const struct kp_login_request *request)
{
        json_t *contexts = json_array();

        for (size_t i = 0; i < request->n_contexts; i++)
                (void)json_array_append_new(
                        contexts, json_string(request->contexts[i]));
        return json_pack("{s:o, s:s*, s:b, s:b, s:b, s:s*, s:b, s:b, s:i}", "contexts",
                contexts, "comparison",
                request->n_contexts == 0 ? NULL
                                         : words_comparison_name(request->comparison),
                "force_authn", request->force_authn, "passive", request->is_passive,
                "signed", request->sign, "nameid_format",
                or_null(request->nameid_format), "hint", request->login_hint[0] != '\0',
                "relay_state", request->relay_state[0] != '\0', "requesters",
                (int)request->n_requesters);
}

static json_t *
response_json(const struct kp_login_response *response)
{
        return json_pack("{s:s*, s:s*, s:o*, s:b, s:b, s:b, s:i, s:i}", "context",
                or_null(response->context), "nameid_format",
                or_null(response->subject_format), "status",
                status_json((const char(*)[128])response->status), "response_signed",
                response->sign_response, "assertion_signed", response->sign_assertion,
                "solicited", response->in_response_to[0] != '\0', "attributes",
                (int)response->n_attributes, "authorities",
                (int)response->n_authorities);
}

static json_t *
logout_json(const struct kp_logout *logout)
{
        return json_pack("{s:b, s:b, s:o*}", "response", logout->is_response,
                "session_index", logout->session_index[0] != '\0', "status",
                status_json((const char(*)[128])logout->status));
}

/* Takes `facts`, also where there is no trace to put them in. */
static void
tell(struct kp_trace *trace, const char *who, const char *event, json_t *facts)
{
        kp_trace_add(trace, who, event, "O", facts);
        json_decref(facts);
}

/* The facts of a message that was judged, and the rule that refused it; takes them. */
static void
received(struct kp_trace *trace, const char *who, const char *event, json_t *facts,
        const struct kp_federation_verdict *verdict)
{
        if (facts == NULL)
                return;
        (void)json_object_set_new(facts, "accepted", json_boolean(verdict->accepted));
        if (!verdict->accepted && verdict->rule != NULL)
                (void)json_object_set_new(facts, "rule", json_string(verdict->rule));
        tell(trace, who, event, facts);
}

void
words_request_sent(
        struct kp_trace *trace, const char *who, const struct kp_login_request *request)
{
        tell(trace, who, "saml.request.sent", request_json(request));
}

void
words_response_sent(struct kp_trace *trace, const char *who,
        const struct kp_login_response *response)
{
        tell(trace, who, "saml.response.sent", response_json(response));
}

void
words_logout_sent(
        struct kp_trace *trace, const char *who, const struct kp_logout *logout)
{
        tell(trace, who, "saml.logout.sent", logout_json(logout));
}

void
words_request_received(struct kp_trace *trace, const char *who,
        const struct kp_login_request *request,
        const struct kp_federation_verdict *verdict)
{
        received(trace, who, "saml.request.received", request_json(request), verdict);
}

void
words_response_received(struct kp_trace *trace, const char *who,
        const struct kp_login_response *response,
        const struct kp_federation_verdict *verdict)
{
        received(
                trace, who, "saml.response.received", response_json(response), verdict);
}

void
words_logout_received(struct kp_trace *trace, const char *who,
        const struct kp_logout *logout, const struct kp_federation_verdict *verdict)
{
        received(trace, who, "saml.logout.received", logout_json(logout), verdict);
}

void
words_response_address(const struct kp_login_request *request,
        const struct kp_party *service, struct kp_login_response *ret)
{
        (void)snprintf(
                ret->in_response_to, sizeof(ret->in_response_to), "%s", request->id);
        (void)snprintf(
                ret->destination, sizeof(ret->destination), "%s", service->acs_url);
        (void)snprintf(ret->audience, sizeof(ret->audience), "%s", service->entity_id);
        (void)snprintf(
                ret->relay_state, sizeof(ret->relay_state), "%s", request->relay_state);
}

int
words_response_send(struct kp_web *web, const struct kp_party *own,
        const struct kp_party *service, struct kp_login_response *response,
        const struct kp_proof *proof, struct kp_error *err)
{
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation *federation = web->env->federation;

        if (federation->build_response(federation, own, service, response, &out, err) <
                0)
                return -1;
        if (proof != NULL)
                kp_ledger_note(web->env->ledger, response->id, proof);
        words_response_sent(web->env->trace, web->role, response);
        return kp_web_message(web, &out, err);
}
