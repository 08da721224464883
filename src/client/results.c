/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/core/free.h"

#include "prf.h"
#include "response.h"

/*
 * Client extension outputs. A failed allocation leaves a member out and shows in the
 * caller, who packs them into the response.
 */

/* What the key says about an extension; KP_OMIT: nothing, or no boolean. */
static enum kp_ternary
key_says(const struct kp_buf *auth_data, const char *extension)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_authdata data = { 0 };
        struct kp_error why = { 0 };
        bool value;

        if (kp_authdata_parse(auth_data->data, auth_data->len, KP_CBOR_LENIENT, &data,
                    &why) < 0 ||
                data.extensions == NULL ||
                kp_cbor_parse(data.extensions, data.extensions_len, KP_CBOR_LENIENT,
                        &map, NULL, &why) < 0 ||
                !kp_cbor_is_bool(kp_cbor_at_str(map, extension), &value))
                return KP_OMIT;
        return value ? KP_TRUE : KP_FALSE;
}

static void
put(json_t *results, const char *name, json_t *value)
{
        /* told by the caller's check */
        (void)json_object_set_new(results, name, value);
}

/* Spec: WebAuthn L3 §10.1.3 */
static json_t *
cred_props(const struct kp_made *made)
{
        json_t *props = json_object();

        if (made->rk_known != KP_OMIT)
                put(props, "rk", json_boolean(made->rk_known == KP_TRUE));
        return props;
}

/* Spec: WebAuthn L3 §10.1.4 AuthenticationExtensionsPRFOutputs */
static void
put_prf_results(json_t *prf, const struct kp_buf *output)
{
        json_t *values;

        if (output->len != 32 && output->len != 64)
                return;
        values = json_pack("{s:o}", "first", kp_response_bytes(output->data, 32));
        if (output->len == 64)
                put(values, "second", kp_response_bytes(output->data + 32, 32));
        put(prf, "results", values);
}

static json_t *
prf_made(const struct kp_made *made, bool enabled)
{
        json_t *prf = json_pack("{s:b}", "enabled", enabled);

        put_prf_results(prf, &made->reply.hmac_output);
        return prf;
}

static json_t *
prf_evaluated(const struct kp_assertion *assertion)
{
        json_t *prf = json_object();

        put_prf_results(prf, &assertion->hmac_output);
        return prf;
}

/* Spec: WebAuthn L3 §10.1.5 */
static json_t *
large_blob(const struct kp_extensions *x, const struct kp_signed *answer)
{
        json_t *blob = json_object();

        if (x->large_blob_write)
                put(blob, "written", json_boolean(answer->blob_written));
        else if (answer->blob_found)
                put(blob, "blob",
                        kp_response_bytes(answer->blob.data, answer->blob.len));
        return blob;
}

json_t *
kp_results_create(const struct kp_ceremony *ceremony, const struct kp_made *made,
        const struct kp_conveyed *conveyed)
{
        const struct kp_extensions *x = &ceremony->options.extensions;
        bool secret = key_says(&conveyed->auth_data, "hmac-secret") == KP_TRUE;
        json_t *results = json_object();

        /*
         * DEVIATION WebAuthn L3 §10.1.2: it says true; Chromium says nothing, and a
         * site that waits for it waits in vain.
         */
        if (x->app_id_exclude != NULL && ceremony->app_id != NULL &&
                !kp_ceremony_fact_is(
                        ceremony, "appid", "get_only_same_registrable_domain"))
                put(results, "appidExclude", json_true());
        if (x->cred_props)
                put(results, "credProps", cred_props(made));
        if (x->has_cred_blob && kp_ceremony_fact_is(ceremony, "cred_blob", "yes"))
                put(results, "credBlob",
                        json_boolean(
                                key_says(&conveyed->auth_data, "credBlob") == KP_TRUE));
        if (x->hmac_create_secret)
                put(results, "hmacCreateSecret", json_boolean(secret));
        if (x->prf && kp_prf_works(ceremony))
                put(results, "prf", prf_made(made, secret));
        if (x->large_blob && ceremony->browser)
                put(results, "largeBlob",
                        json_pack("{s:b}", "supported", made->large_blob));
        return results;
}

json_t *
kp_results_get(const struct kp_ceremony *ceremony, const struct kp_signed *answer)
{
        const struct kp_extensions *x = &ceremony->options.extensions;
        const struct kp_assertion *a = &answer->reply.assertions[answer->chosen];
        json_t *results = json_object();

        if (x->app_id != NULL && ceremony->app_id != NULL)
                put(results, "appid", json_boolean(answer->app_id_used));
        if (x->get_cred_blob && kp_ceremony_fact_is(ceremony, "cred_blob", "yes"))
                put(results, "getCredBlob",
                        kp_response_bytes(a->cred_blob.data, a->cred_blob.len));
        if (x->prf && kp_prf_works(ceremony))
                put(results, "prf", prf_evaluated(a));
        if ((x->large_blob_read || x->large_blob_write) && ceremony->browser)
                put(results, "largeBlob", large_blob(x, answer));
        return results;
}
