/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* authenticatorMakeCredential. Spec: CTAP 2.1 §6.1.2; its steps are named below. */
struct make {
        struct kp_auth_request request;
        const char *rp_id;
        size_t rp_id_len;
        struct kp_buf user_id, user_name, user_display_name;
        const cbor_item_t *algorithms, *formats;
        struct kp_auth_list exclude;
        bool has_enterprise;
        int64_t enterprise; /* 0: a usual attestation */
        int alg;
        bool discoverable;
        struct kp_auth_inputs inputs;
};

static void
make_done(struct make *m)
{
        kp_buf_done(&m->user_id);
        kp_buf_done(&m->user_name);
        kp_buf_done(&m->user_display_name);
        kp_auth_inputs_done(&m->inputs);
}

static int
read_rp(const cbor_item_t *rp, struct make *m)
{
        const char *name;
        size_t name_len;
        int status = kp_auth_want_map(rp, true);

        if (status != KP_CTAP_OK ||
                (status = kp_auth_want_text(kp_cbor_at_str(rp, "id"), true, &m->rp_id,
                         &m->rp_id_len)) != 0 ||
                (status = kp_auth_want_text(
                         kp_cbor_at_str(rp, "name"), false, &name, &name_len)) != 0)
                return status;
        kp_auth_hash(m->rp_id, m->rp_id_len, m->request.rp_id_hash);
        return KP_CTAP_OK;
}

/* Of CTAP 2.2; to an older key the parameter is unknown. */
static bool
has_formats(const struct kp_authenticator *key)
{
        return key->facts->tells_attestation_formats ||
               kp_words_have(&key->facts->versions, "FIDO_2_3");
}

static int
read_formats(
        const struct kp_authenticator *key, const cbor_item_t *formats, struct make *m)
{
        size_t n, len;
        const char *text;

        if (formats == NULL || !has_formats(key))
                return KP_CTAP_OK;
        if (!kp_cbor_is_array(formats, &n))
                return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        for (size_t i = 0; i < n; i++)
                if (!kp_cbor_is_text(cbor_array_handle(formats)[i], &text, &len))
                        return KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE;
        m->formats = formats;
        return KP_CTAP_OK;
}

static int
make_read(const struct kp_authenticator *key, const cbor_item_t *params, struct make *m)
{
        static const struct kp_auth_members at = { 1, 5, 7, 8, 9 };
        const cbor_item_t *enterprise = kp_cbor_at_int(params, 10);
        int status = kp_auth_request_read(key, params, &at, &m->request, &m->exclude);

        if (status != KP_CTAP_OK ||
                (status = read_rp(kp_cbor_at_int(params, 2), m)) != 0 ||
                (status = kp_auth_want_user(kp_cbor_at_int(params, 3), &m->user_id,
                         &m->user_name, &m->user_display_name)) != 0)
                return status;
        if ((m->algorithms = kp_cbor_at_int(params, 4)) == NULL)
                return KP_CTAP2_ERR_MISSING_PARAMETER;
        m->request.permission = KP_CTAP_PERM_MC;
        /* of CTAP 2.1; to an older key the parameter is unknown */
        m->has_enterprise = enterprise != NULL &&
                            (key->ctap21 || kp_auth_option(key, KP_OPTION_EP) >= 0);
        m->discoverable = m->request.rk == 1 || key->facts->always_discoverable;
        if ((m->has_enterprise && (status = kp_auth_want_int(
                                           enterprise, true, &m->enterprise)) != 0) ||
                (status = read_formats(key, kp_cbor_at_int(params, 11), m)) != 0)
                return status;
        return kp_auth_inputs_make(
                key, kp_cbor_at_int(params, 6), m->discoverable, &m->inputs);
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
                        return key->ctap21 ? KP_CTAP2_ERR_INVALID_CBOR
                                           : KP_CTAP2_ERR_MISSING_PARAMETER;
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

/* Step 5; CTAP 2.0 §5.1 has no "up". */
static int
check_options(const struct kp_authenticator *key, struct kp_auth_request *r)
{
        int rk = kp_auth_option(key, KP_OPTION_RK);
        int status = kp_auth_request_uv(key, r);

        if (status != KP_CTAP_OK)
                return status;
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

static bool
may_identify(const struct kp_authenticator *key, const struct make *m)
{
        const struct kp_words *list = &key->facts->enterprise_rp_ids;

        /* 2: the platform has vetted the relying party */
        if (m->enterprise == 2)
                return true;
        for (size_t i = 0; i < list->n; i++)
                if (kp_bytes_equal(list->word[i], strlen(list->word[i]), m->rp_id,
                            m->rp_id_len))
                        return true;
        return false;
}

/* Step 9: is an enterprise attestation asked for, and may it be given? */
static int
check_enterprise(const struct kp_authenticator *key, struct make *m)
{
        if (!m->has_enterprise)
                return KP_CTAP_OK;
        if (kp_auth_option(key, KP_OPTION_EP) != 1)
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (m->enterprise != 1 && m->enterprise != 2)
                return KP_CTAP2_ERR_INVALID_OPTION;
        if (!may_identify(key, m))
                m->enterprise = 0;
        return KP_CTAP_OK;
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
                if (kp_auth_request_present(key, r) == KP_AUTH_PENDING)
                        return KP_AUTH_PENDING;
                return KP_CTAP2_ERR_CREDENTIAL_EXCLUDED;
        }
        return KP_CTAP_OK;
}

/*
 * Step 19: the first that the key can give; `ret` holds it. NULL: the key's own choice.
 *
 * DEVIATION CTAP 2.3 §6.1.2 step 19: where "none" is the only one it says "omit
 * attestation from the output"; we answer fmt "none" with the empty statement that
 * WebAuthn L3 §8.7 gives it, because platforms take an answer without attStmt for
 * malformed.
 */
static const char *
choose_format(const struct kp_authenticator *key, const struct make *m, char ret[32])
{
        size_t n = 0, len;
        const char *text;

        if (m->formats == NULL || !kp_cbor_is_array(m->formats, &n))
                return NULL;
        for (size_t i = 0; i < n; i++) {
                if (!kp_cbor_is_text(cbor_array_handle(m->formats)[i], &text, &len) ||
                        len >= 32)
                        continue;
                (void)snprintf(ret, 32, "%.*s", (int)len, len == 0 ? "" : text);
                if (strlen(ret) == len && kp_auth_attests(key, ret, m->alg))
                        return ret;
        }
        return NULL;
}

/* fmt, authData, attStmt, epAtt, largeBlobKey */
static int
put_members(struct kp_authenticator *key, const struct make *m,
        struct kp_auth_credential *credential, const struct kp_buf *auth_data,
        struct kp_buf *answer)
{
        char name[32];
        struct kp_auth_statement statement = {
                .format = choose_format(key, m, name),
                .enterprise = (int)m->enterprise,
                .auth_data = auth_data,
                .client_data_hash = m->request.client_data_hash,
        };
        int status;

        /* who wants no attestation is not told which key this is */
        if (statement.format != NULL && strcmp(statement.format, "none") == 0)
                statement.enterprise = 0;
        kp_cbor_put_map(answer, 3 + (size_t)(statement.enterprise != 0) +
                                        (size_t)credential->has_large_blob_key);
        status = kp_auth_attest_as(key, credential, &statement, answer);
        if (status != KP_CTAP_OK)
                return status;
        if (statement.enterprise != 0) {
                kp_cbor_put_int(answer, 4);
                kp_cbor_put_bool(answer, true);
        }
        if (credential->has_large_blob_key) {
                kp_cbor_put_int(answer, 5);
                kp_cbor_put_bytes(answer, credential->large_blob_key,
                        sizeof(credential->large_blob_key));
        }
        return KP_CTAP_OK;
}

static int
put_answer(struct kp_authenticator *key, const struct make *m,
        struct kp_auth_credential *credential, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf public_key = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf extensions = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf auth_data = { 0 };
        const EVP_PKEY *pkey = kp_auth_credential_key(key, credential);
        uint8_t flags = KP_AUTHDATA_UP | (m->request.verified ? KP_AUTHDATA_UV : 0);
        int status = kp_auth_outputs_make(
                key, &m->inputs, &m->request, credential, &extensions);

        if (status != KP_CTAP_OK)
                return status;
        if (pkey == NULL || credential->cred_blob.failed ||
                kp_cose_key_put(&public_key, pkey, m->alg, &key->err) < 0)
                return KP_CTAP1_ERR_OTHER;
        status = kp_auth_data(
                key, credential, flags, &public_key, &extensions, &auth_data);
        if (status != KP_CTAP_OK)
                return status;
        return put_members(key, m, credential, &auth_data, answer);
}

static void
put_copy(struct kp_buf *to, const struct kp_buf *from)
{
        kp_buf_put(to, from->data, from->len);
}

static int
fill_credential(struct kp_authenticator *key, const struct make *m,
        struct kp_auth_credential *credential, struct kp_buf *answer)
{
        credential->alg = m->alg;
        credential->discoverable = m->discoverable;
        memcpy(credential->rp_id_hash, m->request.rp_id_hash, KP_AUTH_HASH_LEN);
        kp_buf_put(&credential->rp_id, m->rp_id, m->rp_id_len);
        put_copy(&credential->user_id, &m->user_id);
        put_copy(&credential->user_name, &m->user_name);
        put_copy(&credential->user_display_name, &m->user_display_name);
        if (credential->rp_id.failed || credential->user_id.failed ||
                credential->user_name.failed || credential->user_display_name.failed ||
                !kp_auth_credential_make(key, credential))
                return KP_CTAP1_ERR_OTHER;
        return put_answer(key, m, credential, answer);
}

static bool
is_full(struct kp_authenticator *key)
{
        return kp_auth_fault(key, KP_POINT_STORE_FULL, NULL) ||
               kp_auth_store_used(key) >= (size_t)key->facts->places;
}

/* Steps 16 to 19: the new one is complete before the one that it replaces goes. */
static int
create(struct kp_authenticator *key, const struct make *m, struct kp_buf *answer)
{
        struct kp_auth_credential *old = NULL, *credential;
        int status;

        if (m->discoverable)
                old = kp_auth_store_account(
                        key, m->request.rp_id_hash, m->user_id.data, m->user_id.len);
        if (m->discoverable && old == NULL && is_full(key))
                return KP_CTAP2_ERR_KEY_STORE_FULL;
        if ((credential = kp_auth_store_add(key)) == NULL)
                return KP_CTAP1_ERR_OTHER;
        status = fill_credential(key, m, credential, answer);
        if (status != KP_CTAP_OK)
                kp_auth_store_remove(key, credential);
        else if (old != NULL)
                kp_auth_store_remove(key, old);
        if (status == KP_CTAP_OK && m->discoverable)
                kp_auth_store_changed(key);
        return status;
}

int
kp_auth_make_credential(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        KP_CLEANUP(make_done) struct make m = { 0 };
        struct kp_auth_request *r = &m.request;
        int status = make_read(key, params, &m);

        if (status != 0 || (status = kp_auth_request_pin_param(key, r)) != 0 ||
                (status = choose_algorithm(key, &m)) != 0 ||
                (status = check_options(key, r)) != 0 ||
                (status = kp_auth_request_always_uv(key, r)) != 0 ||
                (status = check_unverified(key, r)) != 0 ||
                (status = check_enterprise(key, &m)) != 0 ||
                (status = kp_auth_request_verify(key, r)) != 0 ||
                (status = check_excluded(key, &m)) != 0 ||
                (status = kp_auth_request_touch(key, r)) != 0)
                return status;
        if (m.inputs.salts != NULL && /* step 15 */
                (status = kp_auth_hmac_read(key, m.inputs.salts, &m.inputs.hmac)) != 0)
                return status;
        return create(key, &m, answer);
}
