/* SPDX-License-Identifier: BSD-2-Clause */
#include "reach.h"

#include <stdio.h>
#include <string.h>

const char *
kp_reach_transport(const struct kp_client_key *key)
{
        if (key->transport != NULL)
                return key->transport;
        return strcmp(key->attachment, "platform") == 0 ? "internal" : "usb";
}

/* Is the key's AAGUID in the list? */
static bool
provider_listed(const json_t *aaguids, const uint8_t aaguid[16])
{
        const json_t *item;
        char text[37];
        size_t i;

        (void)snprintf(text, sizeof(text),
                "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                aaguid[0], aaguid[1], aaguid[2], aaguid[3], aaguid[4], aaguid[5],
                aaguid[6], aaguid[7], aaguid[8], aaguid[9], aaguid[10], aaguid[11],
                aaguid[12], aaguid[13], aaguid[14], aaguid[15]);
        json_array_foreach (aaguids, i, item)
                if (strcmp(json_string_value(item), text) == 0)
                        return true;
        return false;
}

/* The client's dialogs offer this way to a key. */
static bool
transport_works(const struct kp_ceremony *c, const char *transport)
{
        static const struct {
                const char *transport, *fact;
        } facts[] = {
                { "ble", "ble" },
                { "hybrid", "hybrid_transport" },
                { "nfc", "nfc_security_keys" },
                { "usb", "usb_security_keys" },
        };

        for (size_t i = 0; i < KP_NELEMS(facts); i++)
                if (strcmp(facts[i].transport, transport) == 0)
                        return strncmp(kp_fact_str(&c->client->actor, facts[i].fact),
                                       "no", 2) != 0;
        return true;
}

static int
reach_check(const struct kp_attempt *t)
{
        struct kp_ceremony *c = t->ceremony;
        const struct kp_actor *actor = &c->client->actor;

        if (!c->browser)
                return 0;
        if (strcmp(t->transport, "internal") == 0 &&
                !provider_listed(kp_fact(actor, "platform_aaguids"), t->info.aaguid) &&
                !provider_listed(kp_fact(actor, "extension_aaguids"), t->info.aaguid))
                return kp_throw(c->exception, "platform-provider-not-here", 0,
                        KP_NOT_ALLOWED_TEXT);
        if (!transport_works(c, t->transport))
                return kp_throw(
                        c->exception, "no-key-in-reach", 0, KP_NOT_ALLOWED_TEXT);
        return 0;
}

/* Spec: WebAuthn L3 §5.1.3 step 21, authenticatorAttachment */
static int
attachment_check(const struct kp_attempt *t)
{
        struct kp_ceremony *c = t->ceremony;
        bool platform = strcmp(t->key->attachment, "platform") == 0;

        if ((c->options.attachment == KP_ATTACH_PLATFORM && !platform) ||
                (c->options.attachment == KP_ATTACH_CROSS_PLATFORM && platform))
                return kp_throw(c->exception, "attachment-not-in-reach", 0,
                        KP_NOT_ALLOWED_TEXT);
        /* at once means without anybody fetching a key. Measured in Chromium 156 */
        if (!c->create && c->page->immediate && strcmp(t->transport, "internal") != 0)
                return kp_throw(c->exception, "immediate-not-possible", 0,
                        "No passkey is at hand that could answer at once.");
        /* a security key cannot create without a person: only a provider can agree */
        if (c->create && c->page->mediation == KP_MEDIATION_CONDITIONAL && !platform)
                return kp_throw(c->exception, "conditional-create-declined", 0,
                        KP_NOT_ALLOWED_TEXT);
        return 0;
}

int
kp_reach_begin(struct kp_ceremony *ceremony, struct kp_client_key *key,
        struct kp_attempt *ret, struct kp_error *err)
{
        int r;

        *ret = (struct kp_attempt){
                .ceremony = ceremony,
                .key = key,
                .transport = kp_reach_transport(key),
        };
        if ((r = attachment_check(ret)) != 0)
                return r;
        if (key->driver->ops->info(key->driver->self, &ret->info, err) < 0)
                return -1;
        return reach_check(ret);
}

#define N_RANKS 3

/*
 * Which keys are offered first: those that the site hints at, then what is in the
 * device, which answers without being fetched. Spec: WebAuthn L3 §5.8.8
 */
static unsigned
rank(const struct kp_ceremony *c, const struct kp_client_key *key, bool by_hint)
{
        bool platform = strcmp(key->attachment, "platform") == 0, hinted = platform;

        /* what a password manager steps back for is offered last, whatever the hint */
        if (!platform && c->client->n_keys > 1 &&
                kp_ceremony_fact_is(
                        c, "usb_security_keys", "only_by_fallback_to_browser"))
                return N_RANKS - 1;
        if (by_hint && strcmp(c->options.hint, "hybrid") == 0)
                hinted = strcmp(kp_reach_transport(key), "hybrid") == 0;
        else if (by_hint && strcmp(c->options.hint, "security-key") == 0)
                hinted = !platform;
        return hinted ? 0 : platform ? 1 : 2;
}

/* What says more to whoever looks for the cause wins over what says less. */
static int
weight(const char *reason)
{
        static const char *const light[] = { "no-key-in-reach",
                "attachment-not-in-reach", "platform-provider-not-here",
                "transport-not-listed", "no-credential" };

        for (size_t i = 0; reason != NULL && i < KP_NELEMS(light); i++)
                if (strcmp(light[i], reason) == 0)
                        return (int)i + 1;
        return reason == NULL ? 0 : (int)KP_NELEMS(light) + 1;
}

/*
 * Does the refusal end the ceremony, whatever other keys there are? A site may learn
 * that a key is registered already; the person's no is meant for the whole ceremony.
 */
static bool
ends(const char *reason)
{
        return strcmp(reason, "credential-excluded") == 0 ||
               strcmp(reason, "person-gave-up") == 0 ||
               strcmp(reason, "timed-out") == 0 || strcmp(reason, "touch-refused") == 0;
}

static void
record(const struct kp_ceremony *c, size_t number, const struct kp_client_key *key,
        const struct kp_attempt *attempt, bool thrown)
{
        const struct kp_exception *e = c->exception;

        if (c->client->n_keys < 2) /* the event of the ceremony says it all */
                return;
        kp_trace_add(c->client->actor.trace, "client", "client.key",
                "{s:I, s:s, s:s, s:i, s:s*, s:s*}", "number", (json_int_t)number,
                "key_attachment", key->attachment, "answer",
                thrown ? "refused" : "given", "pin_tries", attempt->pin_tries, "reason",
                thrown ? e->reason : NULL, "ctap",
                thrown && e->ctap != 0 ? kp_ctap_status_name(e->ctap) : NULL);
}

static int
try_key(struct kp_ceremony *c, size_t i,
        int (*one)(struct kp_attempt *, void *, struct kp_error *), void *self,
        struct kp_error *err)
{
        KP_CLEANUP(kp_attempt_done) struct kp_attempt attempt = { 0 };
        int r = kp_reach_begin(c, &c->client->keys[i], &attempt, err);

        if (r == 0)
                r = one(&attempt, self, err);
        if (r >= 0)
                record(c, i + 1, &c->client->keys[i], &attempt, r != 0);
        return r;
}

int
kp_reach_each(struct kp_ceremony *ceremony,
        int (*one)(struct kp_attempt *attempt, void *self, struct kp_error *err),
        void *self, const struct kp_client_key **ret_key, struct kp_error *err)
{
        struct kp_ceremony *c = ceremony;
        struct kp_exception worst = { 0 };
        bool by_hint = c->options.hint != NULL && c->client->n_keys > 1 &&
                       kp_ceremony_fact_is(c, "hints", "yes");
        size_t n = c->client->n_keys;

        *ret_key = NULL;
        for (unsigned round = 0; round < N_RANKS; round++)
                for (size_t i = 0; i < n; i++) {
                        int r;

                        if (rank(c, &c->client->keys[i], by_hint) != round)
                                continue;
                        r = try_key(c, i, one, self, err);
                        if (r <= 0 || ends(c->exception->reason)) {
                                *ret_key = &c->client->keys[i];
                                return r;
                        }
                        if (weight(c->exception->reason) > weight(worst.reason))
                                worst = *c->exception;
                        *c->exception = (struct kp_exception){ 0 };
                }
        if (worst.reason == NULL)
                return kp_throw(
                        c->exception, "no-key-in-reach", 0, KP_NOT_ALLOWED_TEXT);
        *c->exception = worst;
        return KP_THROWN;
}
