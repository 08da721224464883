/* SPDX-License-Identifier: BSD-2-Clause */
#include "ceremony.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"

#include "client_data.h"
#include "extension_rules.h"
#include "page.h"
#include "rpid.h"

bool
kp_ceremony_fact_is(
        const struct kp_ceremony *ceremony, const char *name, const char *value)
{
        return kp_fact_is(&ceremony->client->actor, name, value);
}

/* Is there an API at all? Spec: ours; web views have one only if their app says so */
static int
api_check(struct kp_ceremony *c)
{
        c->browser = !kp_ceremony_fact_is(c, "webauthn_supported", "ctap_only");
        if (kp_ceremony_fact_is(c, "webauthn_supported", "no"))
                return kp_throw(c->exception, "no-webauthn", 0,
                        "This client has no Web Authentication.");
        if (kp_ceremony_fact_is(c, "webauthn_supported", "no_unless_app_enables") &&
                !kp_ceremony_fact_is(c, "app_opts_in", "for_app") &&
                !kp_ceremony_fact_is(c, "app_opts_in", "for_browser"))
                return kp_throw(c->exception, "no-webauthn", 0,
                        "The app has not enabled Web Authentication in its web view.");
        return 0;
}

/*
 * DEVIATION Secure Contexts §3: without a secure context the API is absent, and a
 * script that calls it gets a TypeError of its own making; we say SecurityError, which
 * tells why.
 */
static int
secure_check(struct kp_ceremony *c)
{
        const struct kp_origin *o = &c->origin;

        if (o->opaque || strcmp(o->scheme, "https") == 0 ||
                strncmp(o->host, "127.", 4) == 0 || strcmp(o->host, "[::1]") == 0)
                return 0;
        if (kp_host_is_localhost(o->host) &&
                kp_ceremony_fact_is(c, "http_localhost", "yes"))
                return 0;
        return kp_throw(c->exception, "origin-not-secure", 0,
                "Passkeys need a page that came over HTTPS.");
}

/* Spec: Credential Management L1 §2.5; WebAuthn L3 §5.9, §5.10 */
static int
policy_check(struct kp_ceremony *c)
{
        const char *feature = c->create ? "publickey-credentials-create"
                                        : "publickey-credentials-get";
        const char *rule = "";

        if (c->page->framing == KP_FRAME_TOP && c->page->permissions_policy == NULL)
                return 0;
        rule = kp_fact_str(&c->client->actor,
                c->create ? "cross_origin_iframe_create" : "cross_origin_iframe_get");
        if (strcmp(rule, "not_applicable") == 0)
                return 0;
        if ((c->page->framing == KP_FRAME_CROSS_ORIGIN &&
                    strcmp(rule, "denied") == 0) ||
                !kp_page_feature_allowed(c->page, &c->origin, feature,
                        strncmp(rule, "allowed_with_permissions_policy", 31) == 0))
                return kp_throw(c->exception, "permissions-policy", 0,
                        "The feature '%s' is not allowed where this page stands.",
                        feature);
        return 0;
}

/* Spec: WebAuthn L3 §5.1.3 step 2 */
static int
activation_check(struct kp_ceremony *c)
{
        const char *rule;

        if (c->page->user_activation)
                return 0;
        if (c->page->immediate && !c->create)
                return kp_throw(c->exception, "user-activation-missing", 0,
                        "An immediate request needs a click of the person just before "
                        "it.");
        rule = kp_fact_str(&c->client->actor, "user_activation_required");
        if (strcmp(rule, "create_and_get") == 0 ||
                (c->create && c->page->framing == KP_FRAME_CROSS_ORIGIN &&
                        strcmp(rule, "cross_origin_create_only") == 0))
                return kp_throw(c->exception, "user-activation-missing", 0,
                        "The call needs a click of the person just before it.");
        return 0;
}

/* Spec: WebAuthn L3 §5.1.3 step 4, §5.1.4 step 3 */
static int
mediation_check(struct kp_ceremony *c)
{
        const char *rule;

        if (c->page->mediation != KP_MEDIATION_CONDITIONAL)
                return 0;
        rule = kp_fact_str(&c->client->actor,
                c->create ? "conditional_create" : "conditional_get");
        if (strncmp(rule, "yes", 3) == 0)
                return 0;
        return kp_throw(c->exception, "conditional-not-supported", 0,
                "Conditional mediation is not supported.");
}

/* Spec: Credential Management, CredentialUiMode; who is known needs no dialog */
static int
immediate_check(struct kp_ceremony *c)
{
        if (!c->page->immediate || c->create || c->options.list.n_given == 0)
                return 0;
        return kp_throw(c->exception, "immediate-not-possible", 0,
                "An immediate request takes no allowCredentials.");
}

/* Spec: WebAuthn L3 §5.1.3 steps 5 to 7, §5.1.4 steps 4 and 5 */
static int
domain_check(struct kp_ceremony *c)
{
        if (c->create && (c->options.user_id.len < 1 || c->options.user_id.len > 64))
                return kp_throw(c->exception, "user-id-length", 0,
                        "The user handle is not 1 to 64 bytes long.");
        if (c->origin.opaque)
                return kp_throw(c->exception, "opaque-origin", 0,
                        "The page's origin is opaque.");
        if (c->browser && kp_host_is_ip(c->origin.host))
                return kp_throw(c->exception, "origin-not-domain", 0,
                        "The page's host is not a domain.");
        return 0;
}

static bool
app_is_linked(const struct kp_ceremony *c)
{
        const json_t *linked = kp_fact(&c->client->actor, "app_linked_rp_ids"), *item;
        size_t i;

        json_array_foreach (linked, i, item)
                if (strcmp(json_string_value(item), c->rp_id) == 0)
                        return true;
        return false;
}

/* In an app's own call the system, not the browser, binds app and RP ID together. */
static int
app_check(struct kp_ceremony *c)
{
        bool own_call =
                kp_ceremony_fact_is(c, "webauthn_supported", "no_unless_app_enables") &&
                kp_ceremony_fact_is(c, "app_opts_in", "for_app");

        if (!own_call && !kp_ceremony_fact_is(c, "webauthn_supported",
                                 "only_rp_ids_linked_to_the_app"))
                return 0;
        if (!app_is_linked(c))
                return kp_throw(c->exception, "rp-id-not-for-app", 0,
                        "The app is not linked to the RP ID.");
        if (own_call && kp_fact_str(&c->client->actor, "app_origin") != NULL)
                c->client_origin = kp_fact_str(&c->client->actor, "app_origin");
        return 0;
}

/* Spec: WebAuthn L3 §5.1.3 step 8, §5.1.4 step 6 */
static int
rp_id_choose(struct kp_ceremony *c, struct kp_error *err)
{
        const char *requested = c->options.rp_id;
        bool related = false;
        int r;

        if (!c->browser) {
                c->rp_id = strdup(requested == NULL ? c->origin.host : requested);
                return c->rp_id == NULL ? KP_FAIL(err, KP_ENOMEM, "RP ID") : 0;
        }
        if (requested != NULL && !kp_rpid_is_suffix(requested, c->origin.host))
                related = kp_ceremony_fact_is(c, "related_origins", "yes_max_5_labels");
        if ((r = kp_rpid_choose(&c->origin, requested, c->page->well_known, related,
                     &c->rp_id, c->exception, err)) != 0)
                return r;
        return app_check(c);
}

/* Spec: WebAuthn L3 §5.1.3 step 10, §5.8.3 */
static int
types_check(struct kp_ceremony *c)
{
        if (c->create && c->options.n_algorithms == 0)
                return kp_throw(c->exception, "algorithm-not-asked", 0,
                        "No entry of pubKeyCredParams has a known type.");
        if (c->create || c->options.list.n_given == 0 || c->options.list.n_items > 0)
                return 0;
        if (c->browser && kp_ceremony_fact_is(
                                  c, "allow_list_of_unknown_types", "treated_as_empty"))
                return 0;
        return kp_throw(c->exception, "no-credential", 0,
                "No entry of allowCredentials has a known type.");
}

/* Spec: WebAuthn L3 §5.1.3 steps 13 to 15, §5.1.4 steps 9 to 11 */
static int
client_data_make(struct kp_ceremony *c, struct kp_error *err)
{
        KP_CLEANUP(kp_origin_done) struct kp_origin top = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf challenge = { 0 };
        struct kp_client_data data = { .origin = c->client_origin };
        bool framed = c->page->framing == KP_FRAME_CROSS_ORIGIN;
        unsigned hash_len = 0;

        if (framed && c->page->top_origin != NULL &&
                kp_origin_parse(c->page->top_origin, &top, err) < 0)
                return KP_WHILE(err, "origin of the top page");
        kp_b64url_put(&challenge, c->options.challenge.data, c->options.challenge.len);
        data.type = c->create ? "webauthn.create" : "webauthn.get";
        data.challenge = kp_buf_str(&challenge);
        data.cross_origin = framed;
        data.top_origin = top.text;
        kp_client_data_put(&c->client_data, &data);
        if (kp_buf_check(&challenge, err) < 0 || kp_buf_check(&c->client_data, err) < 0)
                return -1;
        if (EVP_Digest(c->client_data.data, c->client_data.len, c->client_data_hash,
                    &hash_len, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "SHA-256");
        return 0;
}

static int
place_check(struct kp_ceremony *c, struct kp_error *err)
{
        int r = 0;

        if (c->page->aborted)
                return kp_throw(
                        c->exception, "aborted", 0, "signal is aborted without reason");
        if (c->browser &&
                ((r = policy_check(c)) != 0 || (r = activation_check(c)) != 0 ||
                        (r = mediation_check(c)) != 0))
                return r;
        if (c->browser && (r = immediate_check(c)) != 0)
                return r;
        if ((r = kp_extension_rules_check(c, err)) != 0 || (r = types_check(c)) != 0 ||
                (r = domain_check(c)) != 0 || (r = rp_id_choose(c, err)) != 0)
                return r;
        return kp_extension_place_check(c, err);
}

int
kp_ceremony_begin(struct kp_ceremony *ret, const json_t *options, struct kp_error *err)
{
        struct kp_ceremony *c = ret;
        int r;

        c->began_ms = kp_clock_ms(c->client->clock);
        if (kp_origin_parse(c->page->origin, &c->origin, err) < 0)
                return KP_WHILE(err, "origin of the page");
        c->client_origin = c->origin.text;
        if ((r = api_check(c)) != 0 || (c->browser && (r = secure_check(c)) != 0))
                return r;
        r = c->create ? kp_options_read_create(options, &c->options, c->exception, err)
                      : kp_options_read_get(options, &c->options, c->exception, err);
        if (r != 0 || (r = place_check(c, err)) != 0)
                return r;
        return client_data_make(c, err);
}

void
kp_ceremony_done(struct kp_ceremony *ceremony)
{
        kp_options_done(&ceremony->options);
        kp_origin_done(&ceremony->origin);
        kp_free_str(&ceremony->rp_id);
        kp_free_str(&ceremony->app_id);
        kp_buf_done(&ceremony->client_data);
}

/* The time that the client grants; -1: for ever. */
static int64_t
lifetime_ms(const struct kp_ceremony *c)
{
        const json_t *rule = kp_fact(&c->client->actor, "default_timeout");
        int64_t ms = kp_json_int(rule, "default_ms", -1);
        int64_t min = kp_json_int(rule, "min_ms", 0);
        int64_t max = kp_json_int(rule, "max_ms", INT64_MAX);

        if (!c->create && c->page->mediation == KP_MEDIATION_CONDITIONAL)
                return -1;
        if (c->options.timeout_ms.present)
                ms = c->options.timeout_ms.value;
        if (ms < 0)
                return -1;
        return ms < min ? min : ms > max ? max : ms;
}

bool
kp_ceremony_expired(const struct kp_ceremony *ceremony)
{
        int64_t passed = kp_clock_ms(ceremony->client->clock) - ceremony->began_ms;
        int64_t granted;

        if (passed <= 0) /* no need to know the rule */
                return false;
        granted = lifetime_ms(ceremony);
        return granted >= 0 && passed > granted;
}

void
kp_ceremony_prompt(struct kp_ceremony *ceremony, const char *what)
{
        if (ceremony->n_prompts < KP_MAX_PROMPTS)
                ceremony->prompts[ceremony->n_prompts++] = what;
}

json_t *
kp_ceremony_prompts(const struct kp_ceremony *ceremony)
{
        json_t *prompts = json_array();

        for (size_t i = 0; i < ceremony->n_prompts; i++)
                /* trace only */
                (void)json_array_append_new(prompts, json_string(ceremony->prompts[i]));
        return prompts;
}

const char *
kp_framing_name(enum kp_framing framing)
{
        static const char *const names[] = { "top", "same-origin-iframe",
                "cross-origin-iframe" };

        return names[framing];
}

const char *
kp_mediation_name(enum kp_mediation mediation)
{
        static const char *const names[] = { "optional", "conditional", "required",
                "silent" };

        return names[mediation];
}
