/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/authdata.h"

#include "ceremony.h"
#include "reach.h"
#include "response.h"

/* What was asked and what came of it. Nothing here names a person, a site or a key. */
static json_t *
facts_asked(const struct kp_ceremony *c, const struct kp_client_key *key)
{
        const struct kp_exception *e = c->exception;
        const struct kp_options *o = &c->options;

        return json_pack("{s:s*, s:s*, s:s*, s:s, s:s*, s:s, s:s, s:I, s:o, s:o, s:I}",
                "error", e->name[0] == '\0' ? NULL : e->name, "reason", e->reason,
                "ctap", e->ctap == 0 ? NULL : kp_ctap_status_name(e->ctap),
                "uv_requested", kp_requirement_name(o->user_verification),
                "key_attachment", key == NULL ? NULL : key->attachment, "framing",
                kp_framing_name(c->page->framing), "mediation",
                kp_mediation_name(c->page->mediation), "listed",
                (json_int_t)o->list.n_given, "extensions",
                kp_extensions_names(&o->extensions), "prompts", kp_ceremony_prompts(c),
                "keys", (json_int_t)c->client->n_keys);
}

static json_t *
facts_signed(const struct kp_signed *answer)
{
        const struct kp_buf *data = &answer->reply.assertions[answer->chosen].auth_data;
        uint8_t flags = data->data[32]; /* after the RP ID's hash; checked before */

        return json_pack("{s:b, s:b, s:b, s:I, s:b, s:b, s:b}", "appid_used",
                answer->app_id_used, "be", (flags & KP_AUTHDATA_BE) != 0, "bs",
                (flags & KP_AUTHDATA_BS) != 0, "choices",
                (json_int_t)answer->reply.n_assertions, "discoverable",
                answer->discoverable, "up", (flags & KP_AUTHDATA_UP) != 0, "uv",
                (flags & KP_AUTHDATA_UV) != 0);
}

static void
record(const struct kp_ceremony *c, const struct kp_signed *answer,
        const struct kp_client_key *key)
{
        struct kp_trace *trace = c->client->actor.trace;
        json_auto_t *facts = NULL, *more = NULL;

        if (trace == NULL)
                return;
        facts = facts_asked(c, key);
        if (c->exception->name[0] == '\0')
                more = facts_signed(answer);
        (void)json_object_update(facts, more); /* no memory: kp_trace_check() tells */
        kp_trace_add(trace, "client", "client.get", "O", facts);
}

static int
get(struct kp_ceremony *c, const json_t *options, struct kp_signed *answer,
        const struct kp_client_key **key, json_t **ret, struct kp_error *err)
{
        int r;

        if ((r = kp_ceremony_begin(c, options, err)) != 0 ||
                (r = kp_reach_each(c, kp_sign_on_key, answer, key, err)) != 0)
                return r;
        if (kp_ceremony_expired(c))
                return kp_throw(c->exception, "timed-out", 0, KP_NOT_ALLOWED_TEXT);
        return kp_response_get(c, answer, ret, err);
}

int
kp_client_get(struct kp_client *client, const struct kp_page *page,
        const json_t *options, json_t **ret_response,
        struct kp_exception *ret_exception, struct kp_error *err)
{
        KP_CLEANUP(kp_ceremony_done)
        struct kp_ceremony ceremony = {
                .client = client, .page = page, .exception = ret_exception
        };
        KP_CLEANUP(kp_signed_done) struct kp_signed answer = { 0 };
        const struct kp_client_key *key = NULL;
        json_t *response = NULL;

        *ret_response = NULL;
        *ret_exception = (struct kp_exception){ 0 };
        if (get(&ceremony, options, &answer, &key, &response, err) < 0)
                return -1;
        record(&ceremony, &answer, key);
        *ret_response = response;
        return 0;
}
