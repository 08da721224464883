/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/* authenticatorMakeCredential. Spec: CTAP 2.1 §6.1.2; its steps are named below. */
struct make {
        struct kp_auth_request request;
        const char *rp_id;
        size_t rp_id_len;
        const cbor_item_t *user, *algorithms, *extensions;
        struct kp_auth_list exclude;
        bool enterprise;
        int alg;

        int64_t cred_protect; /* 0: not asked for */
        bool hmac_secret, min_pin_length, has_cred_blob;
        const uint8_t *cred_blob;
        size_t cred_blob_len;
};

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
read_rp(const cbor_item_t *rp, struct make *m)
{
        int status = kp_auth_want_map(rp, true);

        if (status != KP_CTAP_OK)
                return status;
        status = kp_auth_want_text(
                kp_cbor_at_str(rp, "id"), true, &m->rp_id, &m->rp_id_len);
        if (status != KP_CTAP_OK)
                return status;
        kp_auth_hash(m->rp_id, m->rp_id_len, m->request.rp_id_hash);
        return KP_CTAP_OK;
}

static int
read_pin(const cbor_item_t *params, int64_t param, int64_t protocol,
        struct kp_auth_request *r)
{
        int status;

        r->has_pin_param = kp_cbor_at_int(params, param) != NULL;
        r->has_protocol = kp_cbor_at_int(params, protocol) != NULL;
        status = kp_auth_want_bytes(
                kp_cbor_at_int(params, param), false, &r->pin_param, &r->pin_param_len);
        if (status != KP_CTAP_OK)
                return status;
        return kp_auth_want_int(kp_cbor_at_int(params, protocol), false, &r->protocol);
}

static int
read_list(const struct kp_authenticator *key, const cbor_item_t *item,
        struct kp_auth_list *ret)
{
        if (item == NULL)
                return KP_CTAP_OK;
        if (!kp_cbor_is_array(item, &ret->n))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        ret->array = item;
        return kp_auth_list_check(key, ret);
}

/* A supported extension with input of a wrong type is an error; others are ignored. */
static int
read_extensions(const struct kp_authenticator *key, struct make *m)
{
        const cbor_item_t *ext = m->extensions, *item;
        int status = kp_auth_want_map(ext, false);

        if (status != KP_CTAP_OK)
                return status;
        item = kp_cbor_at_str(ext, "credProtect");
        if (item != NULL && kp_auth_extension(key, "credProtect")) {
                if (!kp_cbor_is_int(item, &m->cred_protect))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
                if (m->cred_protect < 1 || m->cred_protect > 3)
                        return KP_CTAP2_ERR_INVALID_OPTION;
        }
        item = kp_cbor_at_str(ext, "credBlob");
        if (item != NULL && kp_auth_extension(key, "credBlob")) {
                m->has_cred_blob = true;
                if (!kp_cbor_is_bytes(item, &m->cred_blob, &m->cred_blob_len))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        }
        item = kp_cbor_at_str(ext, "hmac-secret");
        if (item != NULL && kp_auth_extension(key, "hmac-secret") &&
                !kp_cbor_is_bool(item, &m->hmac_secret))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        item = kp_cbor_at_str(ext, "minPinLength");
        if (item != NULL && kp_auth_extension(key, "minPinLength") &&
                !kp_cbor_is_bool(item, &m->min_pin_length))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        return KP_CTAP_OK;
}

static int
make_read(const struct kp_authenticator *key, const cbor_item_t *params, struct make *m)
{
        size_t len;
        int64_t enterprise;
        int status;

        m->user = kp_cbor_at_int(params, 3);
        m->algorithms = kp_cbor_at_int(params, 4);
        m->extensions = kp_cbor_at_int(params, 6);
        m->enterprise = kp_cbor_at_int(params, 10) != NULL;
        m->request.permission = KP_CTAP_PERM_MC;
        if ((status = kp_auth_want_bytes(kp_cbor_at_int(params, 1), true,
                     &m->request.client_data_hash, &len)) != 0 ||
                (status = read_rp(kp_cbor_at_int(params, 2), m)) != 0 ||
                (status = kp_auth_want_map(m->user, true)) != 0)
                return status;
        if (len != KP_AUTH_HASH_LEN)
                return KP_CTAP1_ERR_INVALID_LENGTH;
        if (m->algorithms == NULL)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        if ((status = read_list(key, kp_cbor_at_int(params, 5), &m->exclude)) != 0 ||
                (status = read_extensions(key, m)) != 0 ||
                (status = read_options(kp_cbor_at_int(params, 7), &m->request)) != 0 ||
                (status = read_pin(params, 8, 9, &m->request)) != 0)
                return status;
        return kp_auth_want_int(kp_cbor_at_int(params, 10), false, &enterprise);
}

static bool
can_sign(const struct kp_authenticator *key, int64_t alg)
{
        for (size_t i = 0; i < key->facts->n_algorithms; i++)
                if (key->facts->algorithms[i] == alg)
                        return true;
        return false;
}

/* Step 3: all are looked at, the first that the key can sign with is taken. */
static int
choose_algorithm(const struct kp_authenticator *key, struct make *m)
{
        size_t n;

        if (!kp_cbor_is_array(m->algorithms, &n))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        for (size_t i = 0; i < n; i++) {
                const cbor_item_t *entry = cbor_array_handle(m->algorithms)[i];
                const char *type;
                size_t type_len;
                int64_t alg;
                int status = kp_auth_want_map(entry, true);

                if (status != KP_CTAP_OK)
                        return status;
                if (kp_cbor_at_str(entry, "alg") == NULL ||
                        kp_cbor_at_str(entry, "type") == NULL)
                        return KP_CTAP2_ERR_INVALID_CBOR;
                if (!kp_cbor_is_int(kp_cbor_at_str(entry, "alg"), &alg) ||
                        !kp_cbor_is_text(
                                kp_cbor_at_str(entry, "type"), &type, &type_len))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
                if (m->alg == 0 && kp_bytes_equal(type, type_len, "public-key", 10) &&
                        can_sign(key, alg))
                        m->alg = (int)alg;
        }
        return m->alg == 0 ? KP_CTAP2_ERR_UNSUPPORTED_ALGORITHM : KP_CTAP_OK;
}

/* Step 5; CTAP 2.0 §5.1 step 3 has the two codes the other way round, and no "up". */
static int
check_options(const struct kp_authenticator *key, struct kp_auth_request *r)
{
        int rk = kp_auth_option(key, KP_OPTION_RK);

        if (r->has_pin_param)
                r->uv = 0;
        if (r->uv == 1 && !kp_auth_uv_ready(key))
                return key->ctap21 ? KP_CTAP2_ERR_INVALID_OPTION
                                   : KP_CTAP2_ERR_UNSUPPORTED_OPTION;
        if ((r->rk >= 0 && rk < 0) || (r->rk == 1 && rk == 0))
                return KP_CTAP2_ERR_UNSUPPORTED_OPTION;
        if (r->up == 0 || (r->up == 1 && !key->ctap21))
                return KP_CTAP2_ERR_INVALID_OPTION;
        return KP_CTAP_OK;
}

/* Steps 7 and 8: may it be made without verification? */
static int
check_unverified(const struct kp_authenticator *key, const struct kp_auth_request *r)
{
        bool not_required = kp_auth_option(key, KP_OPTION_MAKE_CRED_UV_NOT_RQD) == 1;

        if (!kp_auth_protected(key) || r->uv == 1 || r->has_pin_param)
                return KP_CTAP_OK;
        /*
         * DEVIATION CTAP 2.1 §6.1.2 step 8: it refuses without verification wherever
         * makeCredUvNotRqd is absent; a key of CTAP 2.0 that has only a built-in method
         * does not, because there (§5.1 step 6) only a PIN that is set asks for it.
         */
        if (!key->ctap21 && !key->pin_set)
                return KP_CTAP_OK;
        if (not_required && r->rk != 1)
                return KP_CTAP_OK;
        return kp_auth_request_unverified(key, true);
}

/* Step 12: a match asks for a touch first, or the answer would tell who has what. */
static int
check_excluded(struct kp_authenticator *key, struct make *m)
{
        struct kp_auth_request *r = &m->request;

        for (size_t i = 0; i < m->exclude.n; i++) {
                const struct kp_auth_credential *credential;
                const uint8_t *id;
                size_t id_len;

                if (!kp_auth_list_at(&m->exclude, i, &id, &id_len))
                        continue;
                credential = kp_auth_store_find(key, r->rp_id_hash, id, id_len);
                if (credential == NULL ||
                        (credential->cred_protect == 3 && !r->verified))
                        continue;
                if (!r->present &&
                        !(r->has_pin_param && kp_auth_token_user_present(key)) &&
                        kp_auth_finger_touch(key) == KP_AUTH_TOUCH_PENDING)
                        return KP_AUTH_PENDING;
                return KP_CTAP2_ERR_CREDENTIAL_EXCLUDED;
        }
        return KP_CTAP_OK;
}

/* The minimum PIN length is told to relying parties on the list only. §12.4 */
static bool
tells_min_pin(const struct kp_authenticator *key, const struct make *m)
{
        for (size_t i = 0; m->min_pin_length && i < key->n_min_pin_rp_ids; i++)
                if (kp_bytes_equal(key->min_pin_rp_ids[i].data,
                            key->min_pin_rp_ids[i].len, m->rp_id, m->rp_id_len))
                        return true;
        return false;
}

/* Step 15: outputs, keys in canonical order. */
static void
put_extensions(const struct kp_authenticator *key, const struct make *m,
        struct kp_auth_credential *credential, struct kp_buf *ret)
{
        bool min_pin = tells_min_pin(key, m);
        bool kept = m->cred_blob_len <= (size_t)key->facts->max_cred_blob_length &&
                    credential->discoverable;
        size_t n = (size_t)m->has_cred_blob + (m->cred_protect != 0) +
                   (size_t)m->hmac_secret + (size_t)min_pin;

        if (n == 0)
                return;
        kp_cbor_put_map(ret, n);
        if (m->has_cred_blob) {
                kp_cbor_put_text(ret, "credBlob");
                kp_cbor_put_bool(ret, kept);
        }
        if (m->has_cred_blob && kept)
                kp_buf_put(&credential->cred_blob, m->cred_blob, m->cred_blob_len);
        if (m->cred_protect != 0) {
                kp_cbor_put_text(ret, "credProtect");
                kp_cbor_put_int(ret, m->cred_protect);
        }
        if (m->hmac_secret) {
                kp_cbor_put_text(ret, "hmac-secret");
                kp_cbor_put_bool(ret, true);
        }
        if (min_pin) {
                kp_cbor_put_text(ret, "minPinLength");
                kp_cbor_put_int(ret, key->min_pin_length);
        }
}

static int
put_answer(struct kp_authenticator *key, const struct make *m,
        struct kp_auth_credential *credential, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf public_key = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf extensions = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf auth_data = { 0 };
        const EVP_PKEY *pkey = kp_auth_credential_key(key, credential);
        struct kp_authdata data;

        put_extensions(key, m, credential, &extensions);
        if (pkey == NULL || kp_cose_key_put(&public_key, pkey, m->alg, &key->err) < 0)
                return KP_CTAP1_ERR_OTHER;
        data = (struct kp_authdata){
                .rp_id_hash = credential->rp_id_hash,
                .flags = KP_AUTHDATA_UP | (m->request.verified ? KP_AUTHDATA_UV : 0) |
                         (key->facts->backup_eligible ? KP_AUTHDATA_BE : 0) |
                         (key->facts->backed_up ? KP_AUTHDATA_BS : 0),
                .sign_count = kp_auth_credential_count(key, credential),
                .aaguid = key->facts->aaguid,
                .credential_id = credential->id.data,
                .credential_id_len = credential->id.len,
                .public_key = public_key.data,
                .public_key_len = public_key.len,
                .extensions = extensions.data,
                .extensions_len = extensions.len,
        };
        kp_authdata_put(&auth_data, &data);
        if (extensions.failed || credential->cred_blob.failed)
                return KP_CTAP1_ERR_OTHER;
        return kp_auth_attest(
                key, credential, &auth_data, m->request.client_data_hash, answer);
}

static int
fill_credential(struct kp_authenticator *key, const struct make *m,
        struct kp_auth_credential *credential, struct kp_buf *answer)
{
        int status;

        credential->alg = m->alg;
        credential->cred_protect = m->cred_protect == 0 ? 1 : (int)m->cred_protect;
        credential->discoverable =
                m->request.rk == 1 || key->facts->always_discoverable;
        memcpy(credential->rp_id_hash, m->request.rp_id_hash, KP_AUTH_HASH_LEN);
        kp_buf_put(&credential->rp_id, m->rp_id, m->rp_id_len);
        status = kp_auth_want_user(m->user, &credential->user_id,
                &credential->user_name, &credential->user_display_name);
        if (status != KP_CTAP_OK)
                return status;
        if (credential->rp_id.failed || credential->user_id.failed ||
                credential->user_name.failed || credential->user_display_name.failed ||
                !kp_auth_credential_make(key, credential))
                return KP_CTAP1_ERR_OTHER;
        return put_answer(key, m, credential, answer);
}

/* Steps 16 to 19: the new one is complete before the one that it replaces goes. */
static int
create(struct kp_authenticator *key, const struct make *m, struct kp_buf *answer)
{
        struct kp_auth_credential *old = NULL, *credential;
        const uint8_t *user_id = NULL;
        size_t user_id_len = 0;
        bool discoverable = m->request.rk == 1 || key->facts->always_discoverable;
        int status = kp_auth_want_bytes(
                kp_cbor_at_str(m->user, "id"), true, &user_id, &user_id_len);

        if (status != KP_CTAP_OK)
                return status;
        if (discoverable)
                old = kp_auth_store_account(
                        key, m->request.rp_id_hash, user_id, user_id_len);
        if (discoverable && old == NULL &&
                kp_auth_store_used(key) >= (size_t)key->facts->places)
                return KP_CTAP2_ERR_KEY_STORE_FULL;
        if ((credential = kp_auth_store_add(key)) == NULL)
                return KP_CTAP1_ERR_OTHER;
        status = fill_credential(key, m, credential, answer);
        if (status != KP_CTAP_OK)
                kp_auth_store_remove(key, credential);
        else if (old != NULL)
                kp_auth_store_remove(key, old);
        return status;
}

int
kp_auth_make_credential(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        struct make m = { 0 };
        struct kp_auth_request *r = &m.request;
        int status = make_read(key, params, &m);

        if (status != 0 || (status = kp_auth_request_pin_param(key, r)) != 0 ||
                (status = choose_algorithm(key, &m)) != 0 ||
                (status = check_options(key, r)) != 0 ||
                (status = kp_auth_request_always_uv(key, r)) != 0 ||
                (status = check_unverified(key, r)) != 0)
                return status;
        if (m.enterprise) /* step 9: not capable of it */
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if ((status = kp_auth_request_verify(key, r)) != 0 ||
                (status = check_excluded(key, &m)) != 0 ||
                (status = kp_auth_request_touch(key, r)) != 0)
                return status;
        return create(key, &m, answer);
}
