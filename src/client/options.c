/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/cose.h"

static const char *const requirement_names[] = { "discouraged", "preferred",
        "required" };
static const char *const conveyance_names[] = { "none", "indirect", "direct",
        "enterprise" };

/* Spec: WebAuthn L3 §5.8.4 AuthenticatorTransport */
static const char *const transports[KP_N_TRANSPORTS] = { "ble", "hybrid", "internal",
        "nfc", "smart-card", "usb" };

const char *
kp_requirement_name(enum kp_requirement requirement)
{
        return requirement_names[requirement];
}

const char *
kp_conveyance_name(enum kp_conveyance conveyance)
{
        return conveyance_names[conveyance];
}

/* Index of a word, or -1 for one that a client must ignore. */
static int
word_find(const char *const *words, size_t n_words, const char *word)
{
        for (size_t i = 0; word != NULL && i < n_words; i++)
                if (strcmp(words[i], word) == 0)
                        return (int)i;
        return -1;
}

const char *
kp_transport_known(const char *name)
{
        int i = word_find(transports, KP_N_TRANSPORTS, name);

        return i < 0 ? NULL : transports[i];
}

/* Dictionaries as their JSON forms have them; texts are freed by the *_done() below. */
struct raw_options {
        char *challenge, *attestation, *rp_id, *user_verification;
        const json_t *rp, *user, *params, *list, *selection, *hints, *formats,
                *extensions;
        struct kp_idl_ulong timeout;
};

static void
raw_options_done(struct raw_options *raw)
{
        free(raw->challenge);
        free(raw->attestation);
        free(raw->rp_id);
        free(raw->user_verification);
}

/* clang-format off */
/* Spec: WebAuthn L3 §5.1.8 PublicKeyCredentialCreationOptionsJSON */
static const struct kp_idl_member create_members[] = {
        { "attestation", KP_IDL_DOMSTRING, false, offsetof(struct raw_options, attestation) },
        { "attestationFormats", KP_IDL_SEQUENCE, false, offsetof(struct raw_options, formats) },
        { "authenticatorSelection", KP_IDL_DICTIONARY, false, offsetof(struct raw_options, selection) },
        { "challenge", KP_IDL_DOMSTRING, true, offsetof(struct raw_options, challenge) },
        { "excludeCredentials", KP_IDL_SEQUENCE, false, offsetof(struct raw_options, list) },
        { "extensions", KP_IDL_DICTIONARY, false, offsetof(struct raw_options, extensions) },
        { "hints", KP_IDL_SEQUENCE, false, offsetof(struct raw_options, hints) },
        { "pubKeyCredParams", KP_IDL_SEQUENCE, true, offsetof(struct raw_options, params) },
        { "rp", KP_IDL_DICTIONARY, true, offsetof(struct raw_options, rp) },
        { "timeout", KP_IDL_ULONG, false, offsetof(struct raw_options, timeout) },
        { "user", KP_IDL_DICTIONARY, true, offsetof(struct raw_options, user) },
};

/* Spec: WebAuthn L3 §5.1.9 PublicKeyCredentialRequestOptionsJSON */
static const struct kp_idl_member get_members[] = {
        { "allowCredentials", KP_IDL_SEQUENCE, false, offsetof(struct raw_options, list) },
        { "challenge", KP_IDL_DOMSTRING, true, offsetof(struct raw_options, challenge) },
        { "extensions", KP_IDL_DICTIONARY, false, offsetof(struct raw_options, extensions) },
        { "hints", KP_IDL_SEQUENCE, false, offsetof(struct raw_options, hints) },
        { "rpId", KP_IDL_DOMSTRING, false, offsetof(struct raw_options, rp_id) },
        { "timeout", KP_IDL_ULONG, false, offsetof(struct raw_options, timeout) },
        { "userVerification", KP_IDL_DOMSTRING, false, offsetof(struct raw_options, user_verification) },
};

/* Spec: WebAuthn L3 §5.4.2, §5.4.3 */
static const struct kp_idl_member rp_members[] = {
        { "id", KP_IDL_DOMSTRING, false, offsetof(struct kp_options, rp_id) },
        { "name", KP_IDL_DOMSTRING, true, offsetof(struct kp_options, rp_name) },
};

struct raw_user {
        char *id, *name, *display_name;
};
static const struct kp_idl_member user_members[] = {
        { "displayName", KP_IDL_DOMSTRING, true, offsetof(struct raw_user, display_name) },
        { "id", KP_IDL_DOMSTRING, true, offsetof(struct raw_user, id) },
        { "name", KP_IDL_DOMSTRING, true, offsetof(struct raw_user, name) },
};

/* Spec: WebAuthn L3 §5.3 */
struct raw_param {
        char *type;
        int32_t alg;
};
static const struct kp_idl_member param_members[] = {
        { "alg", KP_IDL_LONG, true, offsetof(struct raw_param, alg) },
        { "type", KP_IDL_DOMSTRING, true, offsetof(struct raw_param, type) },
};

/* Spec: WebAuthn L3 §5.8.3 */
struct raw_descriptor {
        char *id, *type;
        const json_t *transports;
};
static const struct kp_idl_member descriptor_members[] = {
        { "id", KP_IDL_DOMSTRING, true, offsetof(struct raw_descriptor, id) },
        { "transports", KP_IDL_SEQUENCE, false, offsetof(struct raw_descriptor, transports) },
        { "type", KP_IDL_DOMSTRING, true, offsetof(struct raw_descriptor, type) },
};

/* Spec: WebAuthn L3 §5.4.4 */
struct raw_selection {
        char *attachment, *resident_key, *user_verification;
        bool require_resident_key;
};
static const struct kp_idl_member selection_members[] = {
        { "authenticatorAttachment", KP_IDL_DOMSTRING, false, offsetof(struct raw_selection, attachment) },
        { "requireResidentKey", KP_IDL_BOOLEAN, false, offsetof(struct raw_selection, require_resident_key) },
        { "residentKey", KP_IDL_DOMSTRING, false, offsetof(struct raw_selection, resident_key) },
        { "userVerification", KP_IDL_DOMSTRING, false, offsetof(struct raw_selection, user_verification) },
};
/* clang-format on */

static void
raw_user_done(struct raw_user *raw)
{
        free(raw->id);
        free(raw->name);
        free(raw->display_name);
}

static void
raw_param_done(struct raw_param *raw)
{
        free(raw->type);
}

static void
raw_descriptor_done(struct raw_descriptor *raw)
{
        free(raw->id);
        free(raw->type);
}

static void
raw_selection_done(struct raw_selection *raw)
{
        free(raw->attachment);
        free(raw->resident_key);
        free(raw->user_verification);
}

static int
user_read(const json_t *json, struct kp_options *ret, struct kp_exception *exception,
        struct kp_error *err)
{
        KP_CLEANUP(raw_user_done) struct raw_user raw = { 0 };
        int r;

        if ((r = kp_idl_read(json, "user", user_members, KP_NELEMS(user_members), &raw,
                     exception, err)) != 0)
                return r;
        ret->user_name = KP_STEAL(raw.name);
        ret->user_display_name = KP_STEAL(raw.display_name);
        return kp_idl_base64url(raw.id, "user.id", &ret->user_id, exception, err);
}

static bool
type_known(const char *type)
{
        return strcmp(type, "public-key") == 0;
}

/* Spec: WebAuthn L3 §5.1.3 step 10 */
static int
params_read(const json_t *json, struct kp_options *ret, struct kp_exception *exception,
        struct kp_error *err)
{
        static const int defaults[] = { KP_COSE_ES256, KP_COSE_RS256 };
        size_t n = json_array_size(json), i;
        const json_t *param;
        int r;

        ret->algorithms = calloc(n + KP_NELEMS(defaults), sizeof(*ret->algorithms));
        if (ret->algorithms == NULL)
                return KP_FAIL(err, KP_ENOMEM, "options");
        json_array_foreach (json, i, param) {
                KP_CLEANUP(raw_param_done) struct raw_param raw = { 0 };

                if ((r = kp_idl_read(param, "pubKeyCredParams", param_members,
                             KP_NELEMS(param_members), &raw, exception, err)) != 0)
                        return r;
                if (type_known(raw.type))
                        ret->algorithms[ret->n_algorithms++] = raw.alg;
        }
        for (i = 0; n == 0 && i < KP_NELEMS(defaults); i++)
                ret->algorithms[ret->n_algorithms++] = defaults[i];
        return 0;
}

static int
transports_read(const json_t *json, struct kp_descriptor *ret, struct kp_error *err)
{
        const json_t *item;
        const char *known;
        char *name;
        size_t i;

        json_array_foreach (json, i, item) {
                if (kp_idl_string(item, &name, err) < 0)
                        return -1;
                known = kp_transport_known(name);
                free(name);
                if (known != NULL &&
                        word_find(ret->transports, ret->n_transports, known) < 0)
                        ret->transports[ret->n_transports++] = known;
        }
        return 0;
}

/* The ids are decoded in a second round: each TypeError precedes an EncodingError. */
static int
descriptor_read(const json_t *json, const char *where, bool decode,
        struct kp_descriptors *ret, struct kp_exception *exception,
        struct kp_error *err)
{
        KP_CLEANUP(raw_descriptor_done) struct raw_descriptor raw = { 0 };
        struct kp_descriptor *item = &ret->items[ret->n_items];
        int r;

        if ((r = kp_idl_read(json, where, descriptor_members,
                     KP_NELEMS(descriptor_members), &raw, exception, err)) != 0)
                return r;
        if (!decode)
                return 0;
        r = kp_idl_base64url(raw.id, where, &item->id, exception, err);
        if (r != 0) {
                kp_buf_done(&item->id);
                return r;
        }
        if (!type_known(raw.type)) {
                ret->others[ret->n_others++] = item->id;
                item->id = (struct kp_buf){ 0 };
                return 0;
        }
        ret->n_items++;
        return transports_read(raw.transports, item, err);
}

static int
descriptors_read(const json_t *json, const char *where, bool decode,
        struct kp_descriptors *ret, struct kp_exception *exception,
        struct kp_error *err)
{
        const json_t *item;
        size_t i;
        int r;

        if (ret->items == NULL)
                ret->items = calloc(json_array_size(json) + 1, sizeof(*ret->items));
        if (ret->others == NULL)
                ret->others = calloc(json_array_size(json) + 1, sizeof(*ret->others));
        if (ret->items == NULL || ret->others == NULL)
                return KP_FAIL(err, KP_ENOMEM, "options");
        json_array_foreach (json, i, item)
                if ((r = descriptor_read(item, where, decode, ret, exception, err)) !=
                        0)
                        return r;
        ret->n_given = json_array_size(json);
        return 0;
}

/* Unknown words count as absent. Spec: WebAuthn L3 §2.1.1, §5.4.4 */
static int
selection_read(const json_t *json, struct kp_options *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        static const char *const attachments[] = { "", "platform", "cross-platform" };
        KP_CLEANUP(raw_selection_done) struct raw_selection raw = { 0 };
        int r, at;

        ret->user_verification = KP_PREFERRED;
        if (json == NULL)
                return 0;
        if ((r = kp_idl_read(json, "authenticatorSelection", selection_members,
                     KP_NELEMS(selection_members), &raw, exception, err)) != 0)
                return r;
        if ((at = word_find(attachments, KP_NELEMS(attachments), raw.attachment)) > 0)
                ret->attachment = (enum kp_attachment)at;
        at = word_find(
                requirement_names, KP_NELEMS(requirement_names), raw.user_verification);
        if (at >= 0)
                ret->user_verification = (enum kp_requirement)at;
        at = word_find(
                requirement_names, KP_NELEMS(requirement_names), raw.resident_key);
        ret->resident_key_given = at >= 0;
        ret->require_resident_key = raw.require_resident_key;
        ret->resident_key = at >= 0                    ? (enum kp_requirement)at
                            : raw.require_resident_key ? KP_REQUIRED
                                                       : KP_DISCOURAGED;
        return 0;
}

static int
hints_read(const json_t *json, struct kp_options *ret, struct kp_error *err)
{
        static const char *const known[] = { "security-key", "client-device",
                "hybrid" };
        const json_t *item;
        char *hint;
        size_t i;
        int at;

        json_array_foreach (json, i, item) {
                if (kp_idl_string(item, &hint, err) < 0)
                        return -1;
                at = word_find(known, KP_NELEMS(known), hint);
                free(hint);
                if (at >= 0 && ret->hint == NULL)
                        ret->hint = known[at];
        }
        return 0;
}

/* What only registrations have; no base64url is decoded before every type is right. */
static int
create_read(const struct raw_options *raw, struct kp_options *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        int r, at;

        if ((r = kp_idl_read(raw->rp, "rp", rp_members, KP_NELEMS(rp_members), ret,
                     exception, err)) != 0 ||
                (r = params_read(raw->params, ret, exception, err)) != 0 ||
                (r = descriptors_read(raw->list, "excludeCredentials", false,
                         &ret->list, exception, err)) != 0 ||
                (r = selection_read(raw->selection, ret, exception, err)) != 0 ||
                (r = user_read(raw->user, ret, exception, err)) != 0)
                return r;
        at = word_find(conveyance_names, KP_NELEMS(conveyance_names), raw->attestation);
        ret->attestation = at >= 0 ? (enum kp_conveyance)at : KP_CONVEY_NONE;
        return 0;
}

/* What both have in common, bytes last. */
static int
common_read(const struct raw_options *raw, const char *list, struct kp_options *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        int r;

        ret->timeout_ms = raw->timeout;
        if ((r = hints_read(raw->hints, ret, err)) != 0 ||
                (r = kp_idl_base64url(raw->challenge, "challenge", &ret->challenge,
                         exception, err)) != 0 ||
                (r = descriptors_read(
                         raw->list, list, true, &ret->list, exception, err)) != 0)
                return r;
        if (raw->extensions == NULL)
                return 0;
        return kp_extensions_read(raw->extensions, &ret->extensions, exception, err);
}

int
kp_options_read_create(const json_t *json, struct kp_options *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        KP_CLEANUP(raw_options_done) struct raw_options raw = { 0 };
        int r;

        if ((r = kp_idl_read(json, "", create_members, KP_NELEMS(create_members), &raw,
                     exception, err)) != 0 ||
                (r = create_read(&raw, ret, exception, err)) != 0)
                return r;
        return common_read(&raw, "excludeCredentials", ret, exception, err);
}

int
kp_options_read_get(const json_t *json, struct kp_options *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        KP_CLEANUP(raw_options_done) struct raw_options raw = { 0 };
        int r, at;

        if ((r = kp_idl_read(json, "", get_members, KP_NELEMS(get_members), &raw,
                     exception, err)) != 0 ||
                (r = descriptors_read(raw.list, "allowCredentials", false, &ret->list,
                         exception, err)) != 0)
                return r;
        at = word_find(
                requirement_names, KP_NELEMS(requirement_names), raw.user_verification);
        ret->user_verification = at >= 0 ? (enum kp_requirement)at : KP_PREFERRED;
        ret->rp_id = KP_STEAL(raw.rp_id);
        return common_read(&raw, "allowCredentials", ret, exception, err);
}

void
kp_options_done(struct kp_options *options)
{
        free(options->rp_id);
        free(options->rp_name);
        free(options->user_name);
        free(options->user_display_name);
        free(options->algorithms);
        kp_buf_done(&options->user_id);
        kp_buf_done(&options->challenge);
        for (size_t i = 0; i < options->list.n_items; i++)
                kp_buf_done(&options->list.items[i].id);
        free(options->list.items);
        for (size_t i = 0; i < options->list.n_others; i++)
                kp_buf_done(&options->list.others[i]);
        free(options->list.others);
        kp_extensions_done(&options->extensions);
        memset(options, 0, sizeof(*options));
}
