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
                        (void)snprintf(ret[(*ret_n)++], 128, "%s", json_string_value(word));
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

const char *
words_status(const char *status)
{
        const char *last = strrchr(status, ':');

        if (status[0] == '\0')
                return NULL;
        return last == NULL ? status : last + 1;
}

static json_t *
contexts_json(const struct kp_login_request *request)
{
        json_t *list = json_array();

        for (size_t i = 0; i < request->n_contexts; i++)
                (void)json_array_append_new(list, json_string(request->contexts[i]));
        return list;
}

void
words_request_tell(struct kp_trace *trace, const char *who, const char *to,
        const struct kp_login_request *request)
{
        kp_trace_add(trace, who, "federation.request",
                "{s:s, s:o, s:s, s:b, s:b, s:b, s:b}", "to", to, "contexts",
                contexts_json(request), "comparison",
                words_comparison_name(request->comparison), "force_authn",
                request->force_authn, "is_passive", request->is_passive, "signed",
                request->sign, "domain_hint", request->login_hint[0] != '\0');
}

void
words_request_read_tell(struct kp_trace *trace, const char *who, const char *from,
        const struct kp_login_request *request, const struct kp_federation_verdict *verdict)
{
        kp_trace_add(trace, who, "federation.request.read", "{s:s, s:b, s:b, s:s*}", "from",
                from, "accepted", verdict->accepted, "signed", request->sign, "rule",
                verdict->accepted ? NULL : verdict->rule);
}

void
words_response_tell(struct kp_trace *trace, const char *who, const char *to,
        const struct kp_login_response *response, const char *nameid_source,
        const char *signs)
{
        kp_trace_add(trace, who, "federation.response",
                "{s:s, s:s*, s:s*, s:s*, s:i, s:s*, s:s*}", "to", to, "status",
                words_status(response->status[0]), "status2",
                words_status(response->status[1]), "context",
                response->context[0] == '\0' ? NULL : response->context, "authorities",
                (int)response->n_authorities, "nameid_source", nameid_source, "signs",
                signs);
}

void
words_response_read_tell(struct kp_trace *trace, const char *who, const char *from,
        const struct kp_login_response *response,
        const struct kp_federation_verdict *verdict)
{
        kp_trace_add(trace, who, "federation.response.read",
                "{s:s, s:b, s:s*, s:s*, s:s*, s:s*, s:s*}", "from", from, "accepted",
                verdict->accepted, "rule", verdict->accepted ? NULL : verdict->rule, "spec",
                verdict->accepted ? NULL : verdict->spec, "status",
                words_status(response->status[0]), "status2",
                words_status(response->status[1]), "context",
                response->context[0] == '\0' ? NULL : response->context);
}
