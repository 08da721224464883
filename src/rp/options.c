/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/rp/options.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"

#include "options_json.h"

void
kp_rp_options_done(struct kp_rp_options *options)
{
        for (size_t i = 0; i < options->expect.n_anchors; i++)
                X509_free(options->anchors[i]);
        json_decref(options->registered_ids);
        kp_buf_done(&options->challenge);
        kp_buf_done(&options->user_handle);
        memset(options, 0, sizeof(*options));
}

int
kp_rp_json_text(const json_t *object, const char *name, bool required, const char **ret,
        struct kp_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (value == NULL && !required)
                return 0;
        if (!json_is_string(value))
                return KP_FAIL(err, KP_ESCHEMA, "member '%s' is %s: expected a string",
                        name, value == NULL ? "missing" : "mistyped");
        *ret = json_string_value(value);
        return 0;
}

int
kp_rp_json_bytes(const json_t *object, const char *name, struct kp_buf *ret,
        struct kp_error *err)
{
        const char *text = NULL;

        if (kp_rp_json_text(object, name, true, &text, err) < 0)
                return -1;
        if (kp_b64url_decode(text, strlen(text), ret, err) < 0)
                return KP_WHILE(err, "member '%s'", name);
        if (ret->len == 0)
                return KP_FAIL(err, KP_ESCHEMA, "member '%s' is empty", name);
        return 0;
}

int
kp_rp_json_array(const json_t *object, const char *name, const json_t **ret,
        struct kp_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (value != NULL && !json_is_array(value))
                return KP_FAIL(err, KP_ESCHEMA, "member '%s': expected an array", name);
        *ret = value;
        return 0;
}

int
kp_rp_json_bool(const json_t *object, const char *name, bool *ret, struct kp_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (value == NULL)
                return 0;
        if (!json_is_boolean(value))
                return KP_FAIL(
                        err, KP_ESCHEMA, "member '%s': expected true or false", name);
        *ret = json_is_true(value);
        return 0;
}

static int
object_member(const json_t *object, const char *name, const json_t **ret,
        struct kp_error *err)
{
        const json_t *value = json_object_get(object, name);

        if (value != NULL && !json_is_object(value))
                return KP_FAIL(
                        err, KP_ESCHEMA, "member '%s': expected an object", name);
        *ret = value;
        return 0;
}

int
kp_rp_json_uv(
        const json_t *object, struct kp_rp_expectation *expect, struct kp_error *err)
{
        const char *uv = "preferred";

        if (kp_rp_json_text(object, "userVerification", false, &uv, err) < 0)
                return -1;
        expect->uv_required = strcmp(uv, "required") == 0;
        return 0;
}

/* Items of another type than "public-key" are passed over, as browsers do. */
static int
read_param(const json_t *param, struct kp_rp_expectation *expect, struct kp_error *err)
{
        const json_t *alg = json_object_get(param, "alg");
        const char *type = NULL;

        if (kp_rp_json_text(param, "type", true, &type, err) < 0)
                return -1;
        if (!json_is_integer(alg) || json_integer_value(alg) < INT32_MIN ||
                json_integer_value(alg) > INT32_MAX)
                return KP_FAIL(err, KP_ESCHEMA, "member 'alg': expected a number");
        if (strcmp(type, "public-key") != 0)
                return 0;
        if (expect->n_algorithms == KP_NELEMS(expect->algorithms))
                return KP_FAIL(err, KP_ESCHEMA, "more than %zu algorithms",
                        KP_NELEMS(expect->algorithms));
        expect->algorithms[expect->n_algorithms++] = (int)json_integer_value(alg);
        return 0;
}

int
kp_rp_json_params(
        const json_t *object, struct kp_rp_expectation *expect, struct kp_error *err)
{
        /* Spec: WebAuthn L3 §5.1.3 step 10: an empty list stands for these two */
        static const int usual[] = { -7, -257 };
        const json_t *params = NULL, *param;
        size_t i;

        if (kp_rp_json_array(object, "pubKeyCredParams", &params, err) < 0)
                return -1;
        json_array_foreach (params, i, param)
                if (read_param(param, expect, err) < 0)
                        return KP_WHILE(err, "pubKeyCredParams[%zu]", i);
        if (params != NULL && json_array_size(params) == 0) {
                memcpy(expect->algorithms, usual, sizeof(usual));
                expect->n_algorithms = KP_NELEMS(usual);
        }
        return 0;
}

static int
check_descriptors(const json_t *array, const char *name, struct kp_error *err)
{
        const json_t *item;
        size_t i;

        json_array_foreach (array, i, item) {
                KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

                if (kp_rp_json_bytes(item, "id", &id, err) < 0)
                        return KP_WHILE(err, "%s[%zu]", name, i);
        }
        return 0;
}

/* The ids of descriptors, which are checked to have some. */
static int
collect_ids(const json_t *descriptors, json_t **ret, struct kp_error *err)
{
        json_auto_t *ids = json_array();
        const json_t *item;
        size_t i;

        json_array_foreach (descriptors, i, item)
                if (json_array_append(ids, json_object_get(item, "id")) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "credential IDs");
        *ret = KP_STEAL(ids);
        return 0;
}

/* The host of an origin. Spec: WebAuthn L3 §5.1.3 step 8: its effective domain */
static void
host_of(const char *origin, char *ret, size_t ret_len)
{
        const char *host = strstr(origin, "://");

        host = host == NULL ? origin : host + 3;
        (void)snprintf(ret, ret_len, "%.*s", (int)strcspn(host, ":/"), host);
}

static int
begin(const json_t *options, const char *origin, const char *rp_id,
        const char *own_rp_id, struct kp_rp_options *ret, struct kp_error *err)
{
        struct kp_rp_expectation *expect = &ret->expect;

        if (rp_id == NULL)
                rp_id = own_rp_id;
        if (rp_id == NULL)
                host_of(origin, ret->rp_id, sizeof(ret->rp_id));
        else
                (void)snprintf(ret->rp_id, sizeof(ret->rp_id), "%s", rp_id);
        expect->rp_ids[expect->n_rp_ids++] = ret->rp_id;
        expect->origins[expect->n_origins++] = origin;
        if (kp_rp_json_bytes(options, "challenge", &ret->challenge, err) < 0)
                return -1;
        expect->challenge = ret->challenge.data;
        expect->challenge_len = ret->challenge.len;
        return 0;
}

int
kp_rp_options_read_creation(const json_t *options, const char *origin,
        const char *rp_id, struct kp_rp_options *ret, struct kp_error *err)
{
        const json_t *rp = NULL, *selection = NULL, *exclude = NULL;
        const json_t *extensions = NULL;
        const char *own_rp_id = NULL;

        memset(ret, 0, sizeof(*ret));
        if (!json_is_object(options))
                return KP_FAIL(err, KP_ESCHEMA, "expected creation options, an object");
        if (object_member(options, "rp", &rp, err) < 0)
                return -1;
        if (rp == NULL)
                return KP_FAIL(
                        err, KP_ESCHEMA, "member 'rp' is missing: expected an object");
        if (kp_rp_json_text(rp, "id", false, &own_rp_id, err) < 0)
                return KP_WHILE(err, "rp");
        if (json_object_get(options, "pubKeyCredParams") == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'pubKeyCredParams' is missing: expected an array");
        if (begin(options, origin, rp_id, own_rp_id, ret, err) < 0 ||
                kp_rp_json_params(options, &ret->expect, err) < 0 ||
                object_member(options, "authenticatorSelection", &selection, err) < 0 ||
                kp_rp_json_array(options, "excludeCredentials", &exclude, err) < 0 ||
                check_descriptors(exclude, "excludeCredentials", err) < 0 ||
                collect_ids(exclude, &ret->registered_ids, err) < 0 ||
                object_member(options, "extensions", &extensions, err) < 0)
                return -1;
        ret->expect.extensions = extensions;
        ret->expect.registered_ids = ret->registered_ids;
        if (kp_rp_json_uv(selection, &ret->expect, err) < 0)
                return KP_WHILE(err, "authenticatorSelection");
        return 0;
}

int
kp_rp_options_read_request(const json_t *options, const char *origin, const char *rp_id,
        struct kp_rp_options *ret, struct kp_error *err)
{
        const char *own_rp_id = NULL;
        const json_t *extensions = NULL;

        memset(ret, 0, sizeof(*ret));
        if (!json_is_object(options))
                return KP_FAIL(err, KP_ESCHEMA, "expected request options, an object");
        if (object_member(options, "extensions", &extensions, err) < 0)
                return -1;
        ret->expect.extensions = extensions;
        if (kp_rp_json_text(extensions, "appid", false, &ret->expect.app_id, err) < 0)
                return KP_WHILE(err, "extensions");
        if (kp_rp_json_text(options, "rpId", false, &own_rp_id, err) < 0 ||
                begin(options, origin, rp_id, own_rp_id, ret, err) < 0 ||
                kp_rp_json_array(options, "allowCredentials",
                        &ret->expect.allow_credentials, err) < 0 ||
                check_descriptors(
                        ret->expect.allow_credentials, "allowCredentials", err) < 0)
                return -1;
        return kp_rp_json_uv(options, &ret->expect, err);
}

static int
add_anchor(struct kp_rp_options *options, X509 *anchor, struct kp_error *err)
{
        struct kp_rp_expectation *expect = &options->expect;

        if (expect->n_anchors == KP_NELEMS(options->anchors)) {
                X509_free(anchor);
                return KP_FAIL(err, KP_EPARSE, "more than %zu trust anchors",
                        KP_NELEMS(options->anchors));
        }
        options->anchors[expect->n_anchors] = anchor;
        expect->anchors[expect->n_anchors++] = anchor;
        return 0;
}

int
kp_rp_options_add_der(struct kp_rp_options *options, const uint8_t *der, size_t der_len,
        struct kp_error *err)
{
        const uint8_t *at = der;
        X509 *anchor = d2i_X509(NULL, &at, (long)der_len);

        ERR_clear_error();
        if (anchor == NULL || at != der + der_len) {
                X509_free(anchor);
                return KP_FAIL(err, KP_EPARSE, "trust anchor: not a DER certificate");
        }
        return add_anchor(options, anchor, err);
}

int
kp_rp_options_add_pem(struct kp_rp_options *options, const void *pem, size_t pem_len,
        struct kp_error *err)
{
        BIO *bio = pem_len > INT32_MAX ? NULL : BIO_new_mem_buf(pem, (int)pem_len);
        size_t before = options->expect.n_anchors;
        X509 *anchor;
        int status = 0;

        while (status == 0 && bio != NULL &&
                (anchor = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
                status = add_anchor(options, anchor, err);
        BIO_free(bio);
        ERR_clear_error();
        if (status < 0)
                return -1;
        if (options->expect.n_anchors == before)
                return KP_FAIL(
                        err, KP_EPARSE, "trust anchors: no PEM certificate in it");
        return 0;
}
