/* SPDX-License-Identifier: BSD-2-Clause */
#include "extensions.h"

#include <stdlib.h>
#include <string.h>

/* Inputs as their JSON forms have them, before anything is decoded. */
struct raw {
        bool cred_props, enforce, min_pin_length, get_cred_blob, hmac_create_secret;
        char *app_id, *app_id_exclude, *cred_protect, *cred_blob;
        const json_t *prf, *large_blob, *payment;
};

/* clang-format off */
static const struct kp_idl_member raw_members[] = {
        { "appid", KP_IDL_DOMSTRING, false, offsetof(struct raw, app_id) },
        { "appidExclude", KP_IDL_DOMSTRING, false, offsetof(struct raw, app_id_exclude) },
        { "credBlob", KP_IDL_DOMSTRING, false, offsetof(struct raw, cred_blob) },
        { "credProps", KP_IDL_BOOLEAN, false, offsetof(struct raw, cred_props) },
        { "credentialProtectionPolicy", KP_IDL_DOMSTRING, false, offsetof(struct raw, cred_protect) },
        { "enforceCredentialProtectionPolicy", KP_IDL_BOOLEAN, false, offsetof(struct raw, enforce) },
        { "getCredBlob", KP_IDL_BOOLEAN, false, offsetof(struct raw, get_cred_blob) },
        { "hmacCreateSecret", KP_IDL_BOOLEAN, false, offsetof(struct raw, hmac_create_secret) },
        { "largeBlob", KP_IDL_DICTIONARY, false, offsetof(struct raw, large_blob) },
        { "minPinLength", KP_IDL_BOOLEAN, false, offsetof(struct raw, min_pin_length) },
        { "payment", KP_IDL_DICTIONARY, false, offsetof(struct raw, payment) },
        { "prf", KP_IDL_DICTIONARY, false, offsetof(struct raw, prf) },
};
/* clang-format on */

static void
raw_done(struct raw *raw)
{
        free(raw->cred_blob); /* the other texts went on to their new owner */
        raw->cred_blob = NULL;
}

struct raw_values {
        char *first, *second;
};

static void
raw_values_done(struct raw_values *raw)
{
        free(raw->first);
        free(raw->second);
}

static const struct kp_idl_member values_members[] = {
        { "first", KP_IDL_DOMSTRING, true, offsetof(struct raw_values, first) },
        { "second", KP_IDL_DOMSTRING, false, offsetof(struct raw_values, second) },
};

/* Spec: WebAuthn L3 §10.1.4 AuthenticationExtensionsPRFValues */
static int
prf_values_read(const json_t *json, const char *where, struct kp_prf_values *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        KP_CLEANUP(raw_values_done) struct raw_values raw = { 0 };
        int r;

        if ((r = kp_idl_read(json, where, values_members, KP_NELEMS(values_members),
                     &raw, exception, err)) != 0)
                return r;
        ret->given = true;
        ret->has_second = raw.second != NULL;
        if ((r = kp_idl_base64url(raw.first, where, &ret->first, exception, err)) != 0)
                return r;
        if (raw.second == NULL)
                return 0;
        return kp_idl_base64url(raw.second, where, &ret->second, exception, err);
}

static int
compare_keys(const void *a, const void *b)
{
        return strcmp(
                ((const struct kp_prf_of *)a)->key, ((const struct kp_prf_of *)b)->key);
}

static int
prf_by_credential_read(const json_t *json, struct kp_extensions *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        size_t n = json_object_size(json);
        const char *key;
        json_t *values;
        int r;

        if (n == 0)
                return 0;
        if ((ret->prf_by_credential = calloc(n, sizeof(*ret->prf_by_credential))) ==
                NULL)
                return KP_FAIL(err, KP_ENOMEM, "options");
        json_object_foreach ((json_t *)json, key, values) {
                struct kp_prf_of *of =
                        &ret->prf_by_credential[ret->n_prf_by_credential++];

                if ((of->key = strdup(key)) == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "options");
                if ((r = prf_values_read(values, "extensions.prf.evalByCredential",
                             &of->values, exception, err)) != 0)
                        return r;
        }
        qsort(ret->prf_by_credential, n, sizeof(*ret->prf_by_credential), compare_keys);
        return 0;
}

struct raw_prf {
        const json_t *eval, *by_credential;
};

static const struct kp_idl_member prf_members[] = {
        { "eval", KP_IDL_DICTIONARY, false, offsetof(struct raw_prf, eval) },
        { "evalByCredential", KP_IDL_DICTIONARY, false,
                offsetof(struct raw_prf, by_credential) },
};

/* Spec: WebAuthn L3 §10.1.4 */
static int
prf_read(const json_t *json, struct kp_extensions *ret, struct kp_exception *exception,
        struct kp_error *err)
{
        struct raw_prf raw = { 0 };
        int r;

        if ((r = kp_idl_read(json, "extensions.prf", prf_members,
                     KP_NELEMS(prf_members), &raw, exception, err)) != 0)
                return r;
        ret->prf = true;
        ret->prf_by_credential_given = raw.by_credential != NULL;
        if (raw.eval != NULL && (r = prf_values_read(raw.eval, "extensions.prf.eval",
                                         &ret->prf_eval, exception, err)) != 0)
                return r;
        return prf_by_credential_read(raw.by_credential, ret, exception, err);
}

struct raw_blob {
        char *support, *write;
        bool read;
};

static const struct kp_idl_member blob_members[] = {
        { "read", KP_IDL_BOOLEAN, false, offsetof(struct raw_blob, read) },
        { "support", KP_IDL_DOMSTRING, false, offsetof(struct raw_blob, support) },
        { "write", KP_IDL_DOMSTRING, false, offsetof(struct raw_blob, write) },
};

/* Spec: WebAuthn L3 §10.1.5 */
static int
large_blob_read(const json_t *json, struct kp_extensions *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        struct raw_blob raw = { 0 };
        int r = kp_idl_read(json, "extensions.largeBlob", blob_members,
                KP_NELEMS(blob_members), &raw, exception, err);

        ret->large_blob = true;
        ret->large_blob_support = raw.support;
        ret->large_blob_read = raw.read;
        ret->large_blob_write = raw.write != NULL;
        if (r == 0 && raw.write != NULL)
                r = kp_idl_base64url(raw.write, "extensions.largeBlob.write",
                        &ret->large_blob_data, exception, err);
        free(raw.write);
        return r;
}

struct raw_payment {
        bool is_payment;
};

static const struct kp_idl_member payment_members[] = {
        { "isPayment", KP_IDL_BOOLEAN, false,
                offsetof(struct raw_payment, is_payment) },
};

/* Spec: Secure Payment Confirmation §5.1 */
static int
payment_read(const json_t *json, struct kp_extensions *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        struct raw_payment raw = { 0 };
        int r = kp_idl_read(json, "extensions.payment", payment_members,
                KP_NELEMS(payment_members), &raw, exception, err);

        ret->payment = raw.is_payment;
        return r;
}

int
kp_extensions_read(const json_t *json, struct kp_extensions *ret,
        struct kp_exception *exception, struct kp_error *err)
{
        KP_CLEANUP(raw_done) struct raw raw = { 0 };
        int r = kp_idl_read(json, "extensions", raw_members, KP_NELEMS(raw_members),
                &raw, exception, err);

        ret->cred_props = raw.cred_props;
        ret->app_id = raw.app_id;
        ret->app_id_exclude = raw.app_id_exclude;
        ret->cred_protect = raw.cred_protect;
        ret->enforce_cred_protect = raw.enforce;
        ret->min_pin_length = raw.min_pin_length;
        ret->get_cred_blob = raw.get_cred_blob;
        ret->hmac_create_secret = raw.hmac_create_secret;
        ret->has_cred_blob = raw.cred_blob != NULL;
        if (r == 0 && raw.prf != NULL)
                r = prf_read(raw.prf, ret, exception, err);
        if (r == 0 && raw.large_blob != NULL)
                r = large_blob_read(raw.large_blob, ret, exception, err);
        if (r == 0 && raw.payment != NULL)
                r = payment_read(raw.payment, ret, exception, err);
        if (r == 0 && raw.cred_blob != NULL)
                r = kp_idl_base64url(raw.cred_blob, "extensions.credBlob",
                        &ret->cred_blob, exception, err);
        return r;
}

static void
prf_values_done(struct kp_prf_values *values)
{
        kp_buf_wipe(&values->first);
        kp_buf_wipe(&values->second);
}

void
kp_extensions_done(struct kp_extensions *extensions)
{
        free(extensions->app_id);
        free(extensions->app_id_exclude);
        free(extensions->cred_protect);
        free(extensions->large_blob_support);
        kp_buf_wipe(&extensions->cred_blob);
        kp_buf_wipe(&extensions->large_blob_data);
        prf_values_done(&extensions->prf_eval);
        for (size_t i = 0; i < extensions->n_prf_by_credential; i++) {
                free(extensions->prf_by_credential[i].key);
                prf_values_done(&extensions->prf_by_credential[i].values);
        }
        free(extensions->prf_by_credential);
        memset(extensions, 0, sizeof(*extensions));
}

int
kp_cred_protect_level(const char *policy)
{
        static const char *const levels[] = { "userVerificationOptional",
                "userVerificationOptionalWithCredentialIDList",
                "userVerificationRequired" };

        if (policy == NULL)
                return 0;
        for (size_t i = 0; i < KP_NELEMS(levels); i++)
                if (strcmp(levels[i], policy) == 0)
                        return (int)i + 1;
        return -1;
}

json_t *
kp_extensions_names(const struct kp_extensions *extensions)
{
        const struct {
                bool asked;
                const char *name;
        } all[] = {
                { extensions->app_id != NULL, "appid" },
                { extensions->app_id_exclude != NULL, "appidExclude" },
                { extensions->has_cred_blob, "credBlob" },
                { extensions->cred_props, "credProps" },
                { extensions->cred_protect != NULL, "credProtect" },
                { extensions->get_cred_blob, "getCredBlob" },
                { extensions->hmac_create_secret, "hmacCreateSecret" },
                { extensions->large_blob, "largeBlob" },
                { extensions->min_pin_length, "minPinLength" },
                { extensions->payment, "payment" },
                { extensions->prf, "prf" },
        };
        json_t *names = json_array();

        for (size_t i = 0; i < KP_NELEMS(all); i++)
                if (all[i].asked)
                        /* for the trace only */
                        (void)json_array_append_new(names, json_string(all[i].name));
        return names;
}
