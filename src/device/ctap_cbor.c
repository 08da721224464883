/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/core/free.h"

#include "ctap.h"

/* ---- requests; every map in the CTAP2 canonical order ---- */

static void
put_descriptors(struct kp_buf *buf, struct kp_list list)
{
        kp_cbor_put_array(buf, list.n_ids);
        for (size_t i = 0; i < list.n_ids; i++) {
                kp_cbor_put_map(buf, 2);
                kp_cbor_put_text(buf, "id");
                kp_cbor_put_bytes(buf, list.ids[i].data, list.ids[i].len);
                kp_cbor_put_text(buf, "type");
                kp_cbor_put_text(buf, "public-key");
        }
}

static void
put_text_pair(struct kp_buf *buf, const char *name, const char *text)
{
        if (text == NULL)
                return;
        kp_cbor_put_text(buf, name);
        kp_cbor_put_text(buf, text);
}

static void
put_entities(struct kp_buf *buf, const struct kp_make_request *request)
{
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_map(buf, 1 + (request->rp_name != NULL));
        put_text_pair(buf, "id", request->rp_id);
        put_text_pair(buf, "name", request->rp_name);
        kp_cbor_put_int(buf, 3);
        kp_cbor_put_map(buf, 1 + (request->user_name != NULL) +
                                     (request->user_display_name != NULL));
        kp_cbor_put_text(buf, "id");
        kp_cbor_put_bytes(buf, request->user_id.data, request->user_id.len);
        put_text_pair(buf, "name", request->user_name);
        put_text_pair(buf, "displayName", request->user_display_name);
}

static void
put_algorithms(struct kp_buf *buf, const struct kp_make_request *request)
{
        kp_cbor_put_int(buf, 4);
        kp_cbor_put_array(buf, request->n_algorithms);
        for (size_t i = 0; i < request->n_algorithms; i++) {
                kp_cbor_put_map(buf, 2);
                kp_cbor_put_text(buf, "alg");
                kp_cbor_put_int(buf, request->algorithms[i]);
                kp_cbor_put_text(buf, "type");
                kp_cbor_put_text(buf, "public-key");
        }
}

/* attestationFormatsPreference. Spec: CTAP 2.2 §6.1 */
static void
put_formats(struct kp_buf *buf, const struct kp_make_request *request)
{
        if (request->n_formats == 0)
                return;
        kp_cbor_put_int(buf, 11);
        kp_cbor_put_array(buf, request->n_formats);
        for (size_t i = 0; i < request->n_formats; i++)
                kp_cbor_put_text(buf, request->formats[i]);
}

/* Pairs of a map that is counted while it is written. */
struct pairs {
        struct kp_buf bytes;
        size_t n;
};

static void
pair_true(struct pairs *pairs, const char *name, bool asked)
{
        if (!asked)
                return;
        kp_cbor_put_text(&pairs->bytes, name);
        kp_cbor_put_bool(&pairs->bytes, true);
        pairs->n++;
}

static void
pair_cbor(struct pairs *pairs, const char *name, struct kp_bytes value)
{
        if (value.data == NULL)
                return;
        kp_cbor_put_text(&pairs->bytes, name);
        kp_buf_put(&pairs->bytes, value.data, value.len);
        pairs->n++;
}

/* The map under that key of the request, if it is not empty. */
static void
put_pairs(struct kp_buf *buf, int key, struct pairs *pairs)
{
        if (pairs->n > 0) {
                kp_cbor_put_int(buf, key);
                kp_cbor_put_map(buf, pairs->n);
                kp_buf_put(buf, pairs->bytes.data, pairs->bytes.len);
                buf->failed = buf->failed || pairs->bytes.failed;
        }
        kp_buf_wipe(&pairs->bytes);
}

static void
make_extensions(const struct kp_ctap_make *make, struct pairs *ret)
{
        const struct kp_make_request *request = make->request;

        pair_true(ret, "uvm", request->uvm);
        if (request->cred_blob.data != NULL) {
                kp_cbor_put_text(&ret->bytes, "credBlob");
                kp_cbor_put_bytes(
                        &ret->bytes, request->cred_blob.data, request->cred_blob.len);
                ret->n++;
        }
        if (request->cred_protect != 0) {
                kp_cbor_put_text(&ret->bytes, "credProtect");
                kp_cbor_put_int(&ret->bytes, request->cred_protect);
                ret->n++;
        }
        pair_true(ret, "hmac-secret", request->hmac_secret);
        pair_true(ret, "largeBlobKey", request->large_blob_key);
        pair_true(ret, "minPinLength", request->min_pin_length);
        pair_cbor(ret, "hmac-secret-mc", make->hmac_secret);
        pair_true(ret, "thirdPartyPayment", request->third_party_payment);
        pair_true(ret, "pinComplexityPolicy", request->pin_complexity_policy);
}

/* One option of two, "rk" or "up" before "uv". */
static void
put_options(struct kp_buf *buf, int key, const char *first, enum kp_ternary value,
        enum kp_ternary uv)
{
        if (value == KP_OMIT && uv == KP_OMIT)
                return;
        kp_cbor_put_int(buf, key);
        kp_cbor_put_map(buf, (size_t)(value != KP_OMIT) + (uv != KP_OMIT));
        if (value != KP_OMIT) {
                kp_cbor_put_text(buf, first);
                kp_cbor_put_bool(buf, value == KP_TRUE);
        }
        if (uv != KP_OMIT) {
                kp_cbor_put_text(buf, "uv");
                kp_cbor_put_bool(buf, uv == KP_TRUE);
        }
}

static void
put_auth(struct kp_buf *buf, int key, const struct kp_pin_auth *auth)
{
        if (auth->len == 0)
                return;
        kp_cbor_put_int(buf, key);
        kp_cbor_put_bytes(buf, auth->param, auth->len);
        kp_cbor_put_int(buf, key + 1);
        kp_cbor_put_int(buf, auth->protocol);
}

/* Spec: CTAP 2.1 §6.1, CTAP 2.2 §6.1, members in order */
void
kp_ctap_put_make(struct kp_buf *buf, const struct kp_ctap_make *make)
{
        const struct kp_make_request *request = make->request;
        const struct kp_pin_auth *auth = make->auth;
        /* a token stands for the verification, so the option stays away */
        enum kp_ternary uv = auth->len > 0 ? KP_OMIT : request->uv;
        struct pairs extensions = { 0 };
        size_t n = 4;

        make_extensions(make, &extensions);
        n += make->exclude.n_ids > 0;
        n += extensions.n > 0;
        n += request->rk != KP_OMIT || uv != KP_OMIT;
        n += auth->len > 0 ? 2 : 0;
        n += request->enterprise != 0;
        n += request->n_formats > 0;

        kp_buf_put_u8(buf, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(buf, n);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_bytes(
                buf, request->client_data_hash, sizeof(request->client_data_hash));
        put_entities(buf, request);
        put_algorithms(buf, request);
        if (make->exclude.n_ids > 0) {
                kp_cbor_put_int(buf, 5);
                put_descriptors(buf, make->exclude);
        }
        put_pairs(buf, 6, &extensions);
        put_options(buf, 7, "rk", request->rk, uv);
        put_auth(buf, 8, auth);
        if (request->enterprise != 0) {
                kp_cbor_put_int(buf, 10);
                kp_cbor_put_int(buf, request->enterprise);
        }
        put_formats(buf, request);
}

/* Spec: CTAP 2.1 §6.2, members in order */
void
kp_ctap_put_get(struct kp_buf *buf, const struct kp_ctap_get *get)
{
        enum kp_ternary uv = get->auth->len > 0 ? KP_OMIT : get->uv;
        struct pairs extensions = { 0 };
        size_t n = 2;

        pair_true(&extensions, "uvm", get->uvm);
        pair_true(&extensions, "credBlob", get->get_cred_blob);
        pair_cbor(&extensions, "hmac-secret", get->hmac_secret);
        pair_true(&extensions, "largeBlobKey", get->large_blob_key);
        pair_true(&extensions, "thirdPartyPayment", get->third_party_payment);
        n += get->allow.n_ids > 0;
        n += extensions.n > 0;
        n += get->up != KP_OMIT || uv != KP_OMIT;
        n += get->auth->len > 0 ? 2 : 0;

        kp_buf_put_u8(buf, KP_CTAP_GET_ASSERTION);
        kp_cbor_put_map(buf, n);
        kp_cbor_put_int(buf, 1);
        kp_cbor_put_text(buf, get->rp_id);
        kp_cbor_put_int(buf, 2);
        kp_cbor_put_bytes(buf, get->client_data_hash, 32);
        if (get->allow.n_ids > 0) {
                kp_cbor_put_int(buf, 3);
                put_descriptors(buf, get->allow);
        }
        put_pairs(buf, 4, &extensions);
        put_options(buf, 5, "up", get->up, uv);
        put_auth(buf, 6, get->auth);
}

/* ---- answers ---- */

/* The bytes of a map's value as they came. Errors  KP_EPARSE the map has no such key */
static int
raw_value(const struct kp_buf *body, int64_t key, struct kp_bytes *ret,
        struct kp_error *err)
{
        size_t at = 1, used, n;
        int64_t found;

        if (body->len == 0 || body->data[0] < 0xa0 || body->data[0] > 0xb7)
                return KP_FAIL(err, KP_EPARSE, "answer: expected a short map");
        n = body->data[0] & 0x1f;
        for (size_t i = 0; i < n; i++) {
                KP_CLEANUP(kp_free_cbor) cbor_item_t *item = NULL;

                if (kp_cbor_parse(body->data + at, body->len - at, KP_CBOR_LENIENT,
                            &item, &used, err) < 0)
                        return -1;
                at += used;
                if (kp_cbor_check(body->data + at, body->len - at, KP_CBOR_LENIENT,
                            &used, err) < 0)
                        return -1;
                if (kp_cbor_is_int(item, &found) && found == key) {
                        *ret = (struct kp_bytes){ body->data + at, used };
                        return 0;
                }
                at += used;
        }
        return KP_FAIL(err, KP_EPARSE, "answer: member %d is missing", (int)key);
}

static int
take_bytes(const cbor_item_t *item, const char *name, struct kp_buf *ret,
        struct kp_error *err)
{
        const uint8_t *bytes;
        size_t len;

        if (!kp_cbor_is_bytes(item, &bytes, &len))
                return KP_FAIL(err, KP_EPARSE, "answer: no %s", name);
        kp_buf_put(ret, bytes, len);
        return kp_buf_check(ret, err);
}

void
kp_ctap_take_text(const cbor_item_t *item, char *ret, size_t ret_len)
{
        const char *text;
        size_t len;

        if (!kp_cbor_is_text(item, &text, &len))
                return;
        if (len >= ret_len)
                for (len = ret_len - 1; len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80;
                        len--)
                        ;
        (void)snprintf(ret, ret_len, "%.*s", (int)len, text);
}

/* A value of that name, if it is a byte string. */
static void
take_if_bytes(const cbor_item_t *item, struct kp_buf *ret)
{
        const uint8_t *bytes;
        size_t len;

        if (kp_cbor_is_bytes(item, &bytes, &len))
                kp_buf_put(ret, bytes, len);
}

/* A map as it came; what is none, is absent. */
static void
take_if_map(
        const struct kp_buf *body, const cbor_item_t *map, int key, struct kp_buf *ret)
{
        struct kp_error absent = { 0 };
        struct kp_bytes raw = { 0 };
        size_t n;

        if (kp_cbor_is_map(kp_cbor_at_int(map, key), &n) &&
                raw_value(body, key, &raw, &absent) == 0)
                kp_buf_put(ret, raw.data, raw.len);
}

int
kp_ctap_parse_map(const struct kp_buf *body, cbor_item_t **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        size_t n;

        if (kp_cbor_parse(body->data, body->len, KP_CBOR_LENIENT, &map, NULL, err) < 0)
                return -1;
        if (!kp_cbor_is_map(map, &n))
                return KP_FAIL(err, KP_EPARSE, "answer: expected a map");
        *ret = KP_STEAL(map);
        return 0;
}

/* What the key decrypts with `secret` under that name of the extensions. */
static int
take_hmac(const cbor_item_t *extensions, const char *name,
        const struct kp_pin_secret *secret, struct kp_buf *ret, struct kp_error *err)
{
        const uint8_t *bytes;
        size_t len;

        if (secret == NULL ||
                !kp_cbor_is_bytes(kp_cbor_at_str(extensions, name), &bytes, &len))
                return 0;
        if (kp_pin_decrypt(secret, bytes, len, ret, err) < 0)
                return KP_WHILE(err, "%s", name);
        return 0;
}

/* NULL: none. Errors  KP_EPARSE */
static int
parse_extensions(
        const struct kp_authdata *data, cbor_item_t **ret, struct kp_error *err)
{
        if (data->extensions == NULL)
                return 0;
        return kp_cbor_parse(data->extensions, data->extensions_len, KP_CBOR_LENIENT,
                ret, NULL, err);
}

static int
take_make_outputs(const struct kp_buf *body, const cbor_item_t *map,
        const struct kp_authdata *data, const struct kp_pin_secret *secret,
        struct kp_make_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *extensions = NULL;

        take_if_bytes(kp_cbor_at_int(map, 5), &ret->large_blob_key);
        take_if_map(body, map, 6, &ret->unsigned_outputs);
        if (parse_extensions(data, &extensions, err) < 0 ||
                take_hmac(extensions, "hmac-secret-mc", secret, &ret->hmac_output,
                        err) < 0)
                return -1;
        return kp_buf_check(&ret->large_blob_key, err) < 0 ||
                               kp_buf_check(&ret->unsigned_outputs, err) < 0
                       ? -1
                       : 0;
}

/* Spec: CTAP 2.1 §6.1.3 */
int
kp_ctap_parse_make(const struct kp_buf *body, const struct kp_pin_secret *secret,
        struct kp_make_reply *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_authdata parsed;
        struct kp_bytes statement = { 0 };
        bool enterprise = false;
        size_t n;

        if (kp_cbor_parse(body->data, body->len, KP_CBOR_LENIENT, &map, NULL, err) <
                        0 ||
                raw_value(body, 3, &statement, err) < 0)
                return KP_WHILE(err, "makeCredential");
        if (!kp_cbor_is_map(kp_cbor_at_int(map, 3), &n))
                return KP_FAIL(
                        err, KP_EPARSE, "makeCredential: no attestation statement");
        kp_ctap_take_text(kp_cbor_at_int(map, 1), ret->format, sizeof(ret->format));
        if (ret->format[0] == '\0')
                return KP_FAIL(err, KP_EPARSE, "makeCredential: no attestation format");
        if (take_bytes(kp_cbor_at_int(map, 2), "authenticator data", &ret->auth_data,
                    err) < 0 ||
                kp_authdata_parse(ret->auth_data.data, ret->auth_data.len,
                        KP_CBOR_LENIENT, &parsed, err) < 0)
                return KP_WHILE(err, "makeCredential");
        if (parsed.credential_id == NULL)
                return KP_FAIL(
                        err, KP_EPARSE, "makeCredential: no credential in the answer");
        kp_buf_put(&ret->statement, statement.data, statement.len);
        (void)kp_cbor_is_bool(kp_cbor_at_int(map, 4), &enterprise); /* absent: false */
        ret->enterprise = enterprise;
        if (take_make_outputs(body, map, &parsed, secret, ret, err) < 0)
                return KP_WHILE(err, "makeCredential");
        return kp_buf_check(&ret->statement, err);
}

/* Spec: CTAP 2.1 §12.2, §12.5; thirdPartyPayment is of CTAP 2.2 */
static int
take_extensions(const struct kp_authdata *data, const struct kp_pin_secret *secret,
        struct kp_assertion *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        bool payment;

        if (parse_extensions(data, &map, err) < 0)
                return -1;
        take_if_bytes(kp_cbor_at_str(map, "credBlob"), &ret->cred_blob);
        if (kp_cbor_is_bool(kp_cbor_at_str(map, "thirdPartyPayment"), &payment))
                ret->third_party_payment = payment ? KP_TRUE : KP_FALSE;
        if (take_hmac(map, "hmac-secret", secret, &ret->hmac_output, err) < 0)
                return -1;
        return kp_buf_check(&ret->cred_blob, err);
}

/* Spec: CTAP 2.1 §6.2.3 */
int
kp_ctap_parse_get(const struct kp_buf *body, const struct kp_pin_secret *secret,
        struct kp_assertion *ret, size_t *ret_n, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_authdata parsed;
        cbor_item_t *user;
        int64_t n = 1;

        if (kp_cbor_parse(body->data, body->len, KP_CBOR_LENIENT, &map, NULL, err) <
                        0 ||
                take_bytes(kp_cbor_at_int(map, 2), "authenticator data",
                        &ret->auth_data, err) < 0 ||
                take_bytes(kp_cbor_at_int(map, 3), "signature", &ret->signature, err) <
                        0 ||
                kp_authdata_parse(ret->auth_data.data, ret->auth_data.len,
                        KP_CBOR_LENIENT, &parsed, err) < 0 ||
                take_extensions(&parsed, secret, ret, err) < 0)
                return KP_WHILE(err, "getAssertion");
        take_if_bytes(
                kp_cbor_at_str(kp_cbor_at_int(map, 1), "id"), &ret->credential_id);
        user = kp_cbor_at_int(map, 4);
        take_if_bytes(kp_cbor_at_str(user, "id"), &ret->user_id);
        kp_ctap_take_text(
                kp_cbor_at_str(user, "name"), ret->user_name, sizeof(ret->user_name));
        kp_ctap_take_text(kp_cbor_at_str(user, "displayName"), ret->user_display_name,
                sizeof(ret->user_display_name));
        (void)kp_cbor_is_int(kp_cbor_at_int(map, 5), &n); /* absent: one */
        *ret_n = n < 1 ? 1 : (size_t)n;
        (void)kp_cbor_is_bool(kp_cbor_at_int(map, 6), &ret->user_selected);
        take_if_bytes(kp_cbor_at_int(map, 7), &ret->large_blob_key);
        take_if_map(body, map, 8, &ret->unsigned_outputs);
        if (kp_buf_check(&ret->large_blob_key, err) < 0 ||
                kp_buf_check(&ret->unsigned_outputs, err) < 0)
                return -1;
        if (kp_buf_check(&ret->credential_id, err) < 0)
                return -1;
        return kp_buf_check(&ret->user_id, err);
}
