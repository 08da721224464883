/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/core/free.h"

#include "extension_rules.h"
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

json_t *
kp_results_create(const struct kp_ceremony *ceremony, const struct kp_made *made,
        const struct kp_conveyed *conveyed)
{
        const struct kp_extensions *x = &ceremony->options.extensions;
        bool secret = key_says(&conveyed->auth_data, "hmac-secret") == KP_TRUE;
        json_t *results = json_object();

        if (x->app_id_exclude != NULL && ceremony->app_id != NULL)
                put(results, "appidExclude", json_true());
        if (x->cred_props)
                put(results, "credProps", cred_props(made));
        if (x->has_cred_blob && kp_ceremony_fact_is(ceremony, "cred_blob", "yes"))
                put(results, "credBlob",
                        json_boolean(
                                key_says(&conveyed->auth_data, "credBlob") == KP_TRUE));
        if (x->hmac_create_secret)
                put(results, "hmacCreateSecret", json_boolean(secret));
        if (x->prf && kp_extension_prf_works(ceremony))
                put(results, "prf", json_pack("{s:b}", "enabled", secret));
        /*
         * DEVIATION WebAuthn L3 §10.1.5: it lets a key with largeBlobKey keep a blob;
         * we have no command for that and say that there is none.
         */
        if (x->large_blob && ceremony->browser)
                put(results, "largeBlob", json_pack("{s:b}", "supported", false));
        return results;
}

/* Spec: WebAuthn L3 §10.1.4 AuthenticationExtensionsPRFOutputs */
static json_t *
prf_output(const struct kp_buf *output)
{
        json_t *values;

        if (output->len != 32 && output->len != 64)
                return json_object();
        values = json_pack("{s:o}", "first", kp_response_bytes(output->data, 32));
        if (output->len == 64)
                put(values, "second", kp_response_bytes(output->data + 32, 32));
        return json_pack("{s:o}", "results", values);
}

json_t *
kp_results_get(const struct kp_ceremony *ceremony, const struct kp_signed *answer)
{
        const struct kp_extensions *x = &ceremony->options.extensions;
        const struct kp_assertion *a = &answer->reply.assertions[answer->chosen];
        json_t *results = json_object();

        if (x->app_id != NULL && ceremony->app_id != NULL)
                put(results, "appid", json_boolean(answer->app_id_used));
        if (x->get_cred_blob && a->cred_blob.len > 0)
                put(results, "getCredBlob",
                        kp_response_bytes(a->cred_blob.data, a->cred_blob.len));
        if (x->prf && kp_extension_prf_works(ceremony))
                put(results, "prf", prf_output(&a->hmac_output));
        if (x->large_blob_read && ceremony->browser)
                put(results, "largeBlob", json_object());
        if (x->large_blob_write && ceremony->browser)
                put(results, "largeBlob", json_pack("{s:b}", "written", false));
        return results;
}
