/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "attestation.h"

/*
 * Checks that say something only where the relying party wants it: the specification
 * leaves backup, extensions, models and kinds of attestation to policy.
 */

static bool
wish_holds(enum kp_rp_wish wish, bool is)
{
        return wish == KP_RP_ANY || (wish == KP_RP_YES) == is;
}

bool
kp_rp_check_backup_eligible(struct ceremony *c)
{
        bool is = (c->auth.flags & KP_AUTHDATA_BE) != 0;

        if (wish_holds(c->expect->policy.backup_eligible, is))
                return true;
        return kp_rp_refuse(c, "flag BE is %s, and policy wants it %s",
                is ? "set" : "clear", is ? "clear" : "set");
}

bool
kp_rp_check_backed_up(struct ceremony *c)
{
        bool is = (c->auth.flags & KP_AUTHDATA_BS) != 0;

        if (wish_holds(c->expect->policy.backed_up, is))
                return true;
        return kp_rp_refuse(c, "flag BS is %s, and policy wants it %s",
                is ? "set" : "clear", is ? "clear" : "set");
}

/* clang-format off */
/*
 * Spec table: authenticator extensions that a client asks for under another name.
 * CTAP 2.1 §12, in alphabetical order of the output.
 */
static const struct {
        const char *output, *input;
} renamed[] = {
        { "credBlob",           "getCredBlob" },
        { "credProtect",        "credentialProtectionPolicy" },
        { "hmac-secret",        "hmacCreateSecret" },
        { "hmac-secret",        "hmacGetSecret" },
        { "hmac-secret",        "prf" },
        { "hmac-secret-mc",     "prf" },
        { "thirdPartyPayment",  "payment" },
        { "uvm",                "uvm" },
};
/* clang-format on */

static bool
was_asked(const struct ceremony *c, const char *output)
{
        const json_t *asked = c->expect->extensions;

        if (json_object_get(asked, output) != NULL)
                return true;
        for (size_t i = 0; i < KP_NELEMS(renamed); i++)
                if (strcmp(renamed[i].output, output) == 0 &&
                        json_object_get(asked, renamed[i].input) != NULL)
                        return true;
        return false;
}

/* The first output of the authenticator that nobody asked for, in `name`. */
static bool
authenticator_is_silent(const struct ceremony *c, char name[64])
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error ignored = { 0 };
        const char *text;
        size_t n = 0, text_len;

        if (c->auth.extensions == NULL ||
                kp_cbor_parse(c->auth.extensions, c->auth.extensions_len,
                        KP_CBOR_LENIENT, &map, NULL, &ignored) < 0 ||
                !kp_cbor_is_map(map, &n))
                return true;
        for (size_t i = 0; i < n; i++) {
                if (!kp_cbor_is_text(cbor_map_handle(map)[i].key, &text, &text_len))
                        text_len = 0;
                (void)snprintf(name, 64, "%.*s", text_len > 60 ? 60 : (int)text_len,
                        text_len == 0 ? "" : text);
                if (!was_asked(c, name))
                        return false;
        }
        return true;
}

bool
kp_rp_check_extensions(struct ceremony *c)
{
        enum kp_rp_reaction reaction = c->expect->policy.unasked_extensions;
        json_t *results = (json_t *)kp_rp_extension_results(c), *value;
        const char *output;
        char name[64] = "";

        if (reaction == KP_RP_AS_MODE || reaction == KP_RP_IGNORE)
                return true;
        json_object_foreach (results, output, value)
                if (!was_asked(c, output))
                        return kp_rp_react(c, reaction, KP_RP_IGNORE,
                                "extension output '%.60s' was not asked for", output);
        if (authenticator_is_silent(c, name))
                return true;
        return kp_rp_react(c, reaction, KP_RP_IGNORE,
                "authenticator extension output '%s' was not asked for", name);
}

/* Only credProps tells, and not every client has it. Spec: WebAuthn L3 §10.1.3 */
bool
kp_rp_check_discoverable(struct ceremony *c)
{
        const json_t *props = json_object_get(kp_rp_extension_results(c), "credProps");

        if (!c->expect->policy.discoverable_required ||
                !json_is_false(json_object_get(props, "rk")))
                return true;
        return kp_rp_refuse(
                c, "the credential is not discoverable, and policy wants it to be");
}

static bool
is_one_of(const char *text, const char *const *list, size_t n_list)
{
        for (size_t i = 0; i < n_list; i++)
                if (strcmp(list[i], text) == 0)
                        return true;
        return n_list == 0;
}

bool
kp_rp_check_attestation_format(struct ceremony *c)
{
        const struct kp_rp_policy *policy = &c->expect->policy;

        if (is_one_of(c->format->name, policy->formats, policy->n_formats))
                return true;
        return kp_rp_refuse(
                c, "attestation format '%s' is not allowed by policy", c->format->name);
}

/* A path that leads to an anchor of makers' models is basic, or AttCA where it says so. */
bool
kp_rp_check_attestation_type(struct ceremony *c)
{
        const struct kp_rp_policy *policy = &c->expect->policy;
        const char *type = c->type == NULL ? "none" : c->type;

        if (c->trusted && strcmp(type, "uncertain") == 0)
                type = "basic";
        if (!is_one_of(type, policy->types, policy->n_types))
                return kp_rp_refuse(
                        c, "attestation type '%s' is not allowed by policy", type);
        if (c->trusted || !policy->trusted_required)
                return true;
        return kp_rp_refuse(c,
                "attestation type '%s' without a trust path to an anchor, and policy "
                "wants one",
                type);
}

static bool
is_listed(const struct kp_rp_aaguids *list, const uint8_t *aaguid)
{
        for (size_t i = 0; i < list->n_items; i++)
                if (memcmp(list->items[i], aaguid, KP_AAGUID_LEN) == 0)
                        return true;
        return false;
}

bool
kp_rp_check_aaguid(struct ceremony *c)
{
        const struct kp_rp_policy *policy = &c->expect->policy;

        if (is_listed(&policy->refuse, c->auth.aaguid))
                return kp_rp_refuse(c, "policy refuses keys with this AAGUID");
        if (policy->allow.n_items == 0 || is_listed(&policy->allow, c->auth.aaguid))
                return true;
        return kp_rp_refuse(c, "the AAGUID is not one that policy allows");
}
