/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_MATRIX_JUDGE_H
#define KEYPILOT_TESTS_MATRIX_JUDGE_H

#include "matrix.h"

/* What a key answered, held against what the oracle allows, and a difference in words. */
#define SHOWN 12 /* differences of one key that are told in full */

static const char *const option_words[] = { "-", "false", "true" };
static const char *const finger_words[] = { "touches", "refuses", "withholds",
        "wrong finger" };
static const char *const param_words[] = { "none", "empty", "good", "wrong",
        "without the permission", "for another RP ID" };

/* ---- telling a difference ---- */

static void
put_entry_words(struct kp_buf *text, const struct oracle_request *r)
{
        if (!r->list)
                return;
        kp_buf_puts(text, ", list [");
        for (size_t i = 0; i < r->n_entries; i++) {
                int at = r->entries[i];

                if (at == ORACLE_MISS)
                        kp_buf_puts(text, " unknown");
                else if (at == ORACLE_FOREIGN)
                        kp_buf_puts(text, " other-type");
                else
                        kp_buf_printf(text, " %s/level-%d",
                                r->credentials[at].discoverable ? "passkey"
                                                                : "server-side",
                                r->credentials[at].cred_protect);
        }
        kp_buf_puts(text, " ]");
}

static void
put_request_words(struct kp_buf *text, const struct oracle_request *r, bool make)
{
        kp_buf_printf(text,
                "%s: rk %s, uv %s, up %s, pinUvAuthParam %s of protocol %d, %s",
                make ? "makeCredential" : "getAssertion", option_words[r->rk],
                option_words[r->uv], option_words[r->up], param_words[r->param],
                r->protocol, finger_words[r->finger]);
        put_entry_words(text, r);
        if (!make)
                return;
        kp_buf_puts(text, ", algorithms [");
        for (size_t i = 0; r->algs[i] != 0; i++)
                kp_buf_printf(text, " %d", r->algs[i]);
        kp_buf_puts(text, " ]");
        if (r->cred_protect_asked)
                kp_buf_printf(text, ", credProtect %d", r->cred_protect);
        if (r->hmac_secret_asked)
                kp_buf_puts(text, ", hmac-secret");
        if (r->enterprise >= 0)
                kp_buf_printf(text, ", enterprise %d", r->enterprise);
        if (r->formats_asked)
                kp_buf_printf(text, ", formats [ %s %s ]",
                        r->formats[0] == NULL ? "" : r->formats[0],
                        r->formats[1] == NULL ? "" : r->formats[1]);
}

static void
put_expected_words(struct kp_buf *text, const struct oracle_answer *answer)
{
        for (size_t i = 0; i < answer->n; i++) {
                const struct oracle_verdict *v = &answer->may[i];

                kp_buf_printf(text, "\n#   %s %s (%s: %s)", i == 0 ? "expected" : "or",
                        v->status == 0 ? "success" : kp_ctap_status_name(v->status),
                        oracle_rules[v->rule].spec, oracle_rules[v->rule].about);
                if (v->touches >= 0)
                        kp_buf_printf(text, ", %d touches", v->touches);
        }
}

/* ---- judging what came ---- */

/* NULL: as the verdict has it; otherwise what differs. */
static const char *
flags_differ(const struct kp_authdata *data, const struct oracle_verdict *v)
{
        if (((data->flags & KP_AUTHDATA_UP) != 0) != v->up)
                return "the UP flag";
        if (((data->flags & KP_AUTHDATA_UV) != 0) != v->uv)
                return "the UV flag";
        if (((data->flags & KP_AUTHDATA_AT) != 0) != v->at)
                return "the AT flag";
        if (((data->flags & KP_AUTHDATA_ED) != 0) != (data->extensions_len > 0))
                return "the ED flag";
        return NULL;
}

static const char *
extensions_differ(const struct kp_authdata *data, const struct oracle_verdict *v)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error err = { 0 };
        int64_t level = 0;
        size_t n = 0;
        bool hmac = false;

        if (data->extensions_len > 0 &&
                (kp_cbor_parse(data->extensions, data->extensions_len, KP_CBOR_CTAP2,
                         &map, NULL, &err) < 0 ||
                        !kp_cbor_is_map(map, &n) || n == 0))
                return "the extensions are no map";
        (void)kp_cbor_is_int(kp_cbor_at_str(map, "credProtect"), &level);
        (void)kp_cbor_is_bool(kp_cbor_at_str(map, "hmac-secret"), &hmac);
        if (v->cred_protect >= 0 ? level != v->cred_protect : level < 0 || level > 3)
                return "the level of credProtect";
        if (hmac != v->hmac_secret)
                return "hmac-secret";
        if (n != (size_t)(level != 0) + (size_t)hmac)
                return "an extension that nobody asked for";
        return NULL;
}

static int64_t
made_algorithm(const struct kp_authdata *data)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error err = { 0 };
        int64_t alg = 0;

        if (kp_cbor_parse(data->public_key, data->public_key_len, KP_CBOR_CTAP2, &map,
                    NULL, &err) == 0)
                (void)kp_cbor_is_int(kp_cbor_at_int(map, 3), &alg);
        return alg;
}

static const char *
statement_differs(const struct bench *b, const struct oracle_verdict *v)
{
        const cbor_item_t *statement = kp_cbor_at_int(b->rig.map, 3);
        const char *format = NULL;
        size_t len = 0, n = 0;
        bool none, enterprise = false;

        (void)kp_cbor_is_text(kp_cbor_at_int(b->rig.map, 1), &format, &len);
        if (format == NULL ||
                (v->format != NULL &&
                        !kp_bytes_equal(format, len, v->format, strlen(v->format))))
                return "the attestation format";
        if (statement != NULL && !kp_cbor_is_map(statement, &n))
                return "the attestation statement is no map";
        none = v->no_statement || kp_bytes_equal(format, len, "none", 4);
        if (none != (n == 0))
                return "the attestation statement";
        (void)kp_cbor_is_bool(kp_cbor_at_int(b->rig.map, 4), &enterprise);
        return v->enterprise == 0 && enterprise ? "epAtt" : NULL;
}

static const char *
made_differs(struct bench *b, const struct oracle_verdict *v)
{
        const struct kp_auth_store *store = &b->rig.key->store;
        struct kp_authdata data = rig_auth_data(&b->rig);
        const char *what = flags_differ(&data, v);

        if (what != NULL || (what = extensions_differ(&data, v)) != NULL ||
                (what = statement_differs(b, v)) != NULL)
                return what;
        if (made_algorithm(&data) != v->alg)
                return "the algorithm";
        if (store->n != b->kept_n + 1)
                return "how many credentials there are now";
        if (store->items[store->n - 1]->discoverable != (v->discoverable == 1))
                return "whether it is discoverable";
        return NULL;
}

static const char *
user_differs(const struct bench *b, const struct oracle_verdict *v)
{
        const cbor_item_t *user = kp_cbor_at_int(b->rig.map, 4);

        if (v->user >= 0 && (user != NULL) != v->user)
                return "the user";
        if (!v->uv && (kp_cbor_at_str(user, "name") != NULL ||
                              kp_cbor_at_str(user, "displayName") != NULL))
                return "the user's name without verification";
        return NULL;
}

static bool
is_credential(const struct bench *b, size_t i)
{
        const uint8_t *id;
        size_t len;

        return kp_cbor_is_bytes(kp_cbor_at_str(kp_cbor_at_int(b->rig.map, 1), "id"),
                       &id, &len) &&
               kp_bytes_equal(id, len, b->ids[i].data, b->ids[i].len);
}

static const char *
asserted_differs(
        struct bench *b, const struct oracle_request *r, const struct oracle_verdict *v)
{
        struct kp_authdata data = rig_auth_data(&b->rig);
        const char *what = flags_differ(&data, v);
        int64_t n = 1;
        bool listed = false;

        if (what != NULL || (what = user_differs(b, v)) != NULL)
                return what;
        for (size_t i = 0; i < r->n_entries; i++)
                listed = listed ||
                         (r->entries[i] >= 0 &&
                                 is_credential(b, (size_t)r->entries[i]) &&
                                 (v->uv || r->credentials[r->entries[i]].cred_protect <
                                                   3));
        if (v->credential >= 0 ? !is_credential(b, (size_t)v->credential) : !listed)
                return "the credential";
        (void)kp_cbor_is_int(kp_cbor_at_int(b->rig.map, 5), &n);
        if ((size_t)n != v->n_applicable ||
                (n == 1 && kp_cbor_at_int(b->rig.map, 5) != NULL))
                return "numberOfCredentials";
        return NULL;
}

static const char *
differs(struct bench *b, const struct oracle_request *r, bool make, uint8_t status,
        const struct oracle_verdict *v)
{
        if (status != v->status)
                return "the status";
        if (v->touches >= 0 && bench_touches(b, r->finger) != v->touches)
                return "how often a finger is asked for";
        if (status != KP_CTAP_OK)
                return b->rig.key->store.n == b->kept_n ? NULL : "a credential is left";
        return make ? made_differs(b, v) : asserted_differs(b, r, v);
}

static void
tell(struct bench *b, const struct oracle_request *r, bool make, uint8_t status,
        const struct oracle_answer *answer, const char *what)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        if (b->n_wrong > SHOWN)
                return;
        put_request_words(&text, r, make);
        put_expected_words(&text, answer);
        (void)fprintf(stderr, "# %s, PIN %s: %s\n#   got %s, %d touches: %s differs\n",
                kp_authenticator_profile_id(b->rig.profile),
                b->key.client_pin == 1 ? "set" : "not set", kp_buf_str(&text),
                kp_ctap_status_name(status), bench_touches(b, r->finger), what);
}

#endif
