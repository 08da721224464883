/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define NEXT_MS 30000 /* CTAP 2.1 §6.3 step 3 */

/* authenticatorGetAssertion. Spec: CTAP 2.1 §6.2.2; its steps are named below. */
struct get {
        struct kp_auth_request request;
        struct kp_auth_list allow;
        struct kp_auth_inputs inputs;
        struct kp_auth_credential **list; /* applicable, newest first */
        size_t n;
};

static void
get_done(struct get *g)
{
        kp_auth_inputs_done(&g->inputs);
        free(g->list);
}

void
kp_auth_next_done(struct kp_authenticator *key)
{
        struct kp_auth_next *next = &key->next;

        if (!next->active)
                return;
        kp_auth_inputs_done(&next->inputs);
        free(next->list);
        *next = (struct kp_auth_next){ 0 };
}

static int
get_read(const struct kp_authenticator *key, const cbor_item_t *params, struct get *g)
{
        static const struct kp_auth_members at = { 2, 3, 5, 6, 7 };
        const char *rp_id;
        size_t rp_id_len;
        int status =
                kp_auth_want_text(kp_cbor_at_int(params, 1), true, &rp_id, &rp_id_len);

        if (status != KP_CTAP_OK || (status = kp_auth_request_read(key, params, &at,
                                             &g->request, &g->allow)) != 0)
                return status;
        kp_auth_hash(rp_id, rp_id_len, g->request.rp_id_hash);
        g->request.permission = KP_CTAP_PERM_GA;
        if (g->allow.n == 0)
                g->allow.array = NULL; /* an empty one is none */
        return kp_auth_inputs_get(key, kp_cbor_at_int(params, 4), &g->inputs);
}

/* Step 4; in CTAP 2.0 §5.2 step 5 the code is the other one. */
static int
check_options(const struct kp_authenticator *key, struct kp_auth_request *r)
{
        int status = kp_auth_request_uv(key, r);

        if (status != KP_CTAP_OK)
                return status;
        if (r->rk >= 0)
                return key->ctap21 ? KP_CTAP2_ERR_UNSUPPORTED_OPTION
                                   : KP_CTAP2_ERR_INVALID_OPTION;
        if (r->up < 0)
                r->up = 1;
        return KP_CTAP_OK;
}

/* Steps 7.4 and 7.5: what credProtect keeps from a person who was not verified. */
static bool
is_visible(const struct kp_auth_credential *credential, bool verified, bool listed)
{
        return verified || credential->cred_protect == 1 ||
               (credential->cred_protect == 2 && listed);
}

/* Step 7: an allowList of foreign types only stays an allowList. */
static int
locate(struct kp_authenticator *key, struct get *g)
{
        const struct kp_auth_request *r = &g->request;

        if ((g->list = calloc(key->store.n + 1, sizeof(*g->list))) == NULL)
                return KP_CTAP1_ERR_OTHER;
        for (size_t i = 0; g->n == 0 && i < g->allow.n; i++) {
                struct kp_auth_credential *found;
                const uint8_t *id;
                size_t id_len;

                if (!kp_auth_list_at(&g->allow, i, &id, &id_len))
                        continue;
                found = kp_auth_store_find(key, r->rp_id_hash, id, id_len);
                if (found != NULL && is_visible(found, r->verified, true))
                        g->list[g->n++] = found;
        }
        for (size_t i = key->store.n; g->allow.array == NULL && i > 0; i--) {
                struct kp_auth_credential *at = key->store.items[i - 1];

                if (at->discoverable &&
                        memcmp(at->rp_id_hash, r->rp_id_hash, KP_AUTH_HASH_LEN) == 0 &&
                        is_visible(at, r->verified, false))
                        g->list[g->n++] = at;
        }
        return KP_CTAP_OK;
}

/* Step 10: the only input that is more than a wish. */
static int
read_salts(struct kp_authenticator *key, struct get *g)
{
        if (g->inputs.salts == NULL)
                return KP_CTAP_OK;
        if (g->request.up == 0) /* §12.5: no secret without a touch */
                return KP_CTAP2_ERR_UNSUPPORTED_OPTION;
        return kp_auth_hmac_read(key, g->inputs.salts, &g->inputs.hmac);
}

/* Members 1 to 7, without userSelected: no model has a display to choose on. */
static void
put_members(const struct kp_auth_next *next, const struct kp_auth_credential *of,
        const struct kp_buf *auth_data, const struct kp_buf *signature, bool first,
        struct kp_buf *answer)
{
        bool tells_user = of->discoverable && of->user_id.len > 0;
        bool tells_n = first && next->n > 1;
        bool tells_key = next->inputs.large_blob_key && of->has_large_blob_key;

        kp_cbor_put_map(
                answer, 3 + (size_t)tells_user + (size_t)tells_n + (size_t)tells_key);
        kp_cbor_put_int(answer, 1);
        kp_auth_put_descriptor(answer, &of->id);
        kp_cbor_put_int(answer, 2);
        kp_cbor_put_bytes(answer, auth_data->data, auth_data->len);
        kp_cbor_put_int(answer, 3);
        kp_cbor_put_bytes(answer, signature->data, signature->len);
        if (tells_user) { /* names only to choose by, for a person who was verified */
                kp_cbor_put_int(answer, 4);
                kp_auth_put_user(
                        answer, of, next->n > 1 && (next->flags & KP_AUTHDATA_UV));
        }
        if (tells_n) {
                kp_cbor_put_int(answer, 5);
                kp_cbor_put_int(answer, (int64_t)next->n);
        }
        if (tells_key) {
                kp_cbor_put_int(answer, 7);
                kp_cbor_put_bytes(
                        answer, of->large_blob_key, sizeof(of->large_blob_key));
        }
}

/* Steps 12.3 and 13: the answer about one credential. */
static int
put_assertion(struct kp_authenticator *key, const struct kp_auth_next *next,
        struct kp_auth_credential *credential, bool first, struct kp_buf *answer)
{
        static const struct kp_buf no_key;
        KP_CLEANUP(kp_buf_done) struct kp_buf extensions = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf auth_data = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        EVP_PKEY *pkey = kp_auth_credential_key(key, credential);
        int status;

        if (pkey == NULL)
                return KP_CTAP1_ERR_OTHER;
        if ((status = kp_auth_outputs_get(key, &next->inputs, next->flags,
                     next->built_in, credential, &extensions)) != 0 ||
                (status = kp_auth_data(key, credential, next->flags, &no_key,
                         &extensions, &auth_data)) != 0 ||
                (status = kp_auth_sign(key, credential->alg, pkey, &auth_data,
                         next->client_data_hash, &signature)) != 0)
                return status;
        put_members(next, credential, &auth_data, &signature, first, answer);
        return KP_CTAP_OK;
}

/* Steps 11 to 13: answer about the newest, and remember the rest. */
static int
answer_first(struct kp_authenticator *key, struct get *g, struct kp_buf *answer)
{
        const struct kp_auth_request *r = &g->request;
        struct kp_auth_next *next = &key->next;
        int status;

        *next = (struct kp_auth_next){
                .active = true,
                .channel = key->channel,
                .since_ms = key->now_ms,
                .flags = (r->up == 1 || r->present ? KP_AUTHDATA_UP : 0) |
                         (r->verified ? KP_AUTHDATA_UV : 0),
                .built_in = r->built_in,
                .inputs = g->inputs,
                .list = KP_STEAL(g->list),
                .n = g->n,
                .at = 1,
        };
        g->inputs = (struct kp_auth_inputs){ 0 };
        next->inputs.salts = NULL; /* it ends with the request */
        memcpy(next->client_data_hash, r->client_data_hash, KP_AUTH_HASH_LEN);
        memcpy(next->rp_id_hash, r->rp_id_hash, KP_AUTH_HASH_LEN);
        status = put_assertion(key, next, next->list[0], true, answer);
        if (status != KP_CTAP_OK || next->n == 1)
                kp_auth_next_done(key);
        return status;
}

/*
 * DEVIATION CTAP 2.1 §6.2.2 step 7.6: it returns NO_CREDENTIALS at once; we ask for the
 * touch first, as CTAP 2.0 §5.2 does and keys on the market do, because the answer would
 * otherwise tell a page what is on the key without the person knowing. The token is not
 * spent by it, so that a platform can ask for the rest of a long list.
 */
static int
answer_none(struct kp_authenticator *key, const struct kp_auth_request *r)
{
        int status = r->up == 1 ? kp_auth_request_present(key, r) : KP_CTAP_OK;

        return status == KP_CTAP_OK ? KP_CTAP2_ERR_NO_CREDENTIALS : status;
}

int
kp_auth_get_assertion(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        KP_CLEANUP(get_done) struct get g = { 0 };
        struct kp_auth_request *r = &g.request;
        int status = get_read(key, params, &g);

        if (status != 0 || (status = kp_auth_request_pin_param(key, r)) != 0 ||
                (status = check_options(key, r)) != 0 ||
                (r->up == 1 && (status = kp_auth_request_always_uv(key, r)) != 0) ||
                (status = kp_auth_request_verify(key, r)) != 0 ||
                (status = locate(key, &g)) != 0)
                return status;
        if (g.n == 0)
                return answer_none(key, r);
        if (r->up == 1 && (status = kp_auth_request_touch(key, r)) != 0)
                return status;
        if ((status = read_salts(key, &g)) != 0)
                return status;
        return answer_first(key, &g, answer);
}

/* Spec: CTAP 2.1 §6.3 */
int
kp_auth_get_next_assertion(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        struct kp_auth_next *next = &key->next;
        int status;

        (void)params;
        if (!next->active || next->channel != key->channel)
                return KP_CTAP2_ERR_NOT_ALLOWED;
        if (next->at >= next->n || key->now_ms - next->since_ms > NEXT_MS) {
                kp_auth_next_done(key);
                return KP_CTAP2_ERR_NOT_ALLOWED;
        }
        status = put_assertion(key, next, next->list[next->at], false, answer);
        next->at++;
        next->since_ms = key->now_ms;
        if (status != KP_CTAP_OK)
                kp_auth_next_done(key);
        return status;
}
