/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define NEXT_MS 30000 /* CTAP 2.1 §6.3 step 3 */

/* authenticatorGetAssertion. Spec: CTAP 2.1 §6.2.2; its steps are named below. */
struct get {
        struct kp_auth_request request;
        struct kp_auth_list allow;
        bool cred_blob;
        struct kp_auth_hmac hmac;
        struct kp_auth_credential **list; /* applicable, newest first */
        size_t n;
};

static void
get_done(struct get *g)
{
        kp_auth_hmac_done(&g->hmac);
        free(g->list);
}

void
kp_auth_next_done(struct kp_authenticator *key)
{
        struct kp_auth_next *next = &key->next;

        if (!next->active)
                return;
        kp_auth_hmac_done(&next->hmac);
        free(next->list);
        *next = (struct kp_auth_next){ 0 };
}

static int
read_options(const cbor_item_t *options, struct kp_auth_request *r)
{
        int status = kp_auth_want_map(options, false);

        if (status != KP_CTAP_OK ||
                (status = kp_auth_want_option(options, "rk", &r->rk)) != KP_CTAP_OK ||
                (status = kp_auth_want_option(options, "up", &r->up)) != KP_CTAP_OK)
                return status;
        return kp_auth_want_option(options, "uv", &r->uv);
}

static int
get_read(const struct kp_authenticator *key, const cbor_item_t *params, struct get *g)
{
        struct kp_auth_request *r = &g->request;
        const cbor_item_t *allow = kp_cbor_at_int(params, 3);
        const char *rp_id;
        size_t rp_id_len, len;
        int status;

        r->permission = KP_CTAP_PERM_GA;
        r->has_pin_param = kp_cbor_at_int(params, 6) != NULL;
        r->has_protocol = kp_cbor_at_int(params, 7) != NULL;
        if ((status = kp_auth_want_text(
                     kp_cbor_at_int(params, 1), true, &rp_id, &rp_id_len)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(params, 2), true,
                         &r->client_data_hash, &len)) != 0)
                return status;
        if (len != KP_AUTH_HASH_LEN)
                return KP_CTAP1_ERR_INVALID_LENGTH;
        kp_auth_hash(rp_id, rp_id_len, r->rp_id_hash);
        if (allow != NULL && !kp_cbor_is_array(allow, &g->allow.n))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        g->allow.array = g->allow.n > 0 ? allow : NULL; /* an empty one is none */
        if ((status = kp_auth_list_check(key, &g->allow)) != 0 ||
                (status = kp_auth_want_map(kp_cbor_at_int(params, 4), false)) != 0 ||
                (status = read_options(kp_cbor_at_int(params, 5), r)) != 0 ||
                (status = kp_auth_want_bytes(kp_cbor_at_int(params, 6), false,
                         &r->pin_param, &r->pin_param_len)) != 0)
                return status;
        return kp_auth_want_int(kp_cbor_at_int(params, 7), false, &r->protocol);
}

/* Step 4; the codes of CTAP 2.0 §5.2 step 5 are the other way round. */
static int
check_options(const struct kp_authenticator *key, struct kp_auth_request *r)
{
        if (r->has_pin_param)
                r->uv = 0;
        if (r->uv == 1 && !kp_auth_uv_ready(key))
                return key->ctap21 ? KP_CTAP2_ERR_INVALID_OPTION
                                   : KP_CTAP2_ERR_UNSUPPORTED_OPTION;
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

/* Step 10, inputs. */
static int
read_extensions(
        struct kp_authenticator *key, const cbor_item_t *extensions, struct get *g)
{
        const cbor_item_t *blob = kp_cbor_at_str(extensions, "credBlob");
        const cbor_item_t *hmac = kp_cbor_at_str(extensions, "hmac-secret");

        if (blob != NULL && kp_auth_extension(key, "credBlob") &&
                !kp_cbor_is_bool(blob, &g->cred_blob))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        if (hmac == NULL || !kp_auth_extension(key, "hmac-secret"))
                return KP_CTAP_OK;
        if (g->request.up == 0) /* §12.5: no secret without a touch */
                return KP_CTAP2_ERR_UNSUPPORTED_OPTION;
        return kp_auth_hmac_read(key, hmac, &g->hmac);
}

/* Step 10, outputs; keys in canonical order. */
static int
put_extensions(struct kp_authenticator *key, const struct kp_auth_next *next,
        const struct kp_auth_credential *credential, struct kp_buf *ret)
{
        if (!next->cred_blob && !next->hmac.asked)
                return KP_CTAP_OK;
        kp_cbor_put_map(ret, (size_t)next->cred_blob + (size_t)next->hmac.asked);
        if (next->cred_blob) {
                kp_cbor_put_text(ret, "credBlob");
                kp_cbor_put_bytes(
                        ret, credential->cred_blob.data, credential->cred_blob.len);
        }
        if (!next->hmac.asked)
                return KP_CTAP_OK;
        return kp_auth_hmac_put(
                key, &next->hmac, credential, next->flags & KP_AUTHDATA_UV, ret);
}

/* Steps 12.3 and 13: the answer about one credential. */
static int
put_assertion(struct kp_authenticator *key, const struct kp_auth_next *next,
        struct kp_auth_credential *credential, bool first, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf extensions = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf auth_data = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        bool tells_user = credential->discoverable && credential->user_id.len > 0;
        bool tells_n = first && next->n > 1;
        EVP_PKEY *pkey = kp_auth_credential_key(key, credential);
        struct kp_authdata data = {
                .rp_id_hash = next->rp_id_hash,
                .flags = next->flags,
                .sign_count = kp_auth_credential_count(key, credential),
        };
        int status = put_extensions(key, next, credential, &extensions);

        if (status != KP_CTAP_OK)
                return status;
        if (pkey == NULL || extensions.failed)
                return KP_CTAP1_ERR_OTHER;
        data.extensions = extensions.data;
        data.extensions_len = extensions.len;
        kp_authdata_put(&auth_data, &data);
        status = kp_auth_sign(key, credential->alg, pkey, &auth_data,
                next->client_data_hash, &signature);
        if (status != KP_CTAP_OK)
                return status;
        kp_cbor_put_map(answer, 3 + (size_t)tells_user + (size_t)tells_n);
        kp_cbor_put_int(answer, 1);
        kp_auth_put_descriptor(answer, &credential->id);
        kp_cbor_put_int(answer, 2);
        kp_cbor_put_bytes(answer, auth_data.data, auth_data.len);
        kp_cbor_put_int(answer, 3);
        kp_cbor_put_bytes(answer, signature.data, signature.len);
        if (tells_user) { /* names only to choose by, for a person who was verified */
                kp_cbor_put_int(answer, 4);
                kp_auth_put_user(answer, credential,
                        next->n > 1 && (next->flags & KP_AUTHDATA_UV));
        }
        if (tells_n) {
                kp_cbor_put_int(answer, 5);
                kp_cbor_put_int(answer, (int64_t)next->n);
        }
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
                         (r->verified ? KP_AUTHDATA_UV : 0) |
                         (key->facts->backup_eligible ? KP_AUTHDATA_BE : 0) |
                         (key->facts->backed_up ? KP_AUTHDATA_BS : 0),
                .cred_blob = g->cred_blob,
                .hmac = g->hmac,
                .list = KP_STEAL(g->list),
                .n = g->n,
                .at = 1,
        };
        g->hmac = (struct kp_auth_hmac){ 0 };
        memcpy(next->client_data_hash, r->client_data_hash, KP_AUTH_HASH_LEN);
        memcpy(next->rp_id_hash, r->rp_id_hash, KP_AUTH_HASH_LEN);
        status = put_assertion(key, next, next->list[0], true, answer);
        if (status != KP_CTAP_OK || next->n == 1)
                kp_auth_next_done(key);
        return status;
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
        /*
         * DEVIATION CTAP 2.1 §6.2.2 step 7.6: it returns NO_CREDENTIALS at once; we ask
         * for the touch first, as CTAP 2.0 §5.2 does and keys on the market do, because
         * the answer would otherwise tell a page what is on the key without the person
         * knowing.
         */
        if (r->up == 1 && (status = kp_auth_request_touch(key, r)) != 0)
                return status;
        if (g.n == 0)
                return KP_CTAP2_ERR_NO_CREDENTIALS;
        if ((status = read_extensions(key, kp_cbor_at_int(params, 4), &g)) != 0)
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
