/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/authdata.h"

#include "ceremony.h"
#include "reach.h"
#include "response.h"

/* What was asked and what came of it. Nothing here names a person, a site or a key. */
static json_t *
facts_asked(const struct kp_ceremony *c, const struct kp_client_key *key)
{
        static const char *const attachments[] = { NULL, "platform", "cross-platform" };
        const struct kp_exception *e = c->exception;
        const struct kp_options *o = &c->options;

        return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s, s:s, s:s, s:s*, s:s, s:s, s:o, "
                         "s:o, s:I}",
                "error", e->name[0] == '\0' ? NULL : e->name, "reason", e->reason,
                "ctap", e->ctap == 0 ? NULL : kp_ctap_status_name(e->ctap),
                "attachment_asked", attachments[o->attachment], "attestation_asked",
                kp_conveyance_name(o->attestation), "rk_requested",
                kp_requirement_name(o->resident_key), "uv_requested",
                kp_requirement_name(o->user_verification), "key_attachment",
                key == NULL ? NULL : key->attachment, "framing",
                kp_framing_name(c->page->framing), "mediation",
                kp_mediation_name(c->page->mediation), "extensions",
                kp_extensions_names(&o->extensions), "prompts", kp_ceremony_prompts(c),
                "keys", (json_int_t)c->client->n_keys);
}

static json_t *
facts_made(const struct kp_ceremony *c, const struct kp_made *made,
        const struct kp_conveyed *conveyed)
{
        return json_pack("{s:b, s:i, s:b, s:b, s:i, s:s, s:b, s:o, s:b}",
                "aaguid_zeroed", conveyed->aaguid_zeroed, "algorithm",
                conveyed->algorithm, "be", (conveyed->flags & KP_AUTHDATA_BE) != 0,
                "bs", (conveyed->flags & KP_AUTHDATA_BS) != 0, "cred_protect",
                made->cred_protect, "format", conveyed->format, "rk", made->rk,
                "transports", kp_response_transports(c, made), "uv",
                (conveyed->flags & KP_AUTHDATA_UV) != 0);
}

static void
record(const struct kp_ceremony *c, const struct kp_made *made,
        const struct kp_conveyed *conveyed, const struct kp_client_key *key)
{
        struct kp_trace *trace = c->client->actor.trace;
        json_auto_t *facts = NULL, *more = NULL;

        if (trace == NULL)
                return;
        facts = facts_asked(c, key);
        if (c->exception->name[0] == '\0')
                more = facts_made(c, made, conveyed);
        (void)json_object_update(facts, more); /* no memory: kp_trace_check() tells */
        kp_trace_add(trace, "client", "client.create", "O", facts);
}

static int
create(struct kp_ceremony *c, const json_t *options, struct kp_made *made,
        struct kp_conveyed *conveyed, const struct kp_client_key **key, json_t **ret,
        struct kp_error *err)
{
        int r;

        if ((r = kp_ceremony_begin(c, options, err)) != 0 ||
                (r = kp_reach_each(c, kp_make_on_key, made, key, err)) != 0)
                return r;
        /*
         * DEVIATION WebAuthn L3 §5.1.3 step 21: it cancels the key when the time is up;
         * we find out afterwards, so that the key may keep a credential that no site
         * knows.
         */
        if (kp_ceremony_expired(c))
                return kp_throw(c->exception, "timed-out", 0, KP_NOT_ALLOWED_TEXT);
        if ((r = kp_convey(c, made, conveyed, err)) != 0)
                return r;
        return kp_response_create(c, made, conveyed, ret, err);
}

int
kp_client_create(struct kp_client *client, const struct kp_page *page,
        const json_t *options, json_t **ret_response,
        struct kp_exception *ret_exception, struct kp_error *err)
{
        KP_CLEANUP(kp_ceremony_done)
        struct kp_ceremony ceremony = { .client = client,
                .page = page,
                .create = true,
                .exception = ret_exception };
        KP_CLEANUP(kp_made_done) struct kp_made made = { 0 };
        KP_CLEANUP(kp_conveyed_done) struct kp_conveyed conveyed = { 0 };
        const struct kp_client_key *key = NULL;
        json_t *response = NULL;

        *ret_response = NULL;
        *ret_exception = (struct kp_exception){ 0 };
        if (create(&ceremony, options, &made, &conveyed, &key, &response, err) < 0)
                return -1;
        record(&ceremony, &made, &conveyed, key);
        *ret_response = response;
        return 0;
}
