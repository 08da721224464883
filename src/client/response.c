/* SPDX-License-Identifier: BSD-2-Clause */
#include "response.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"

json_t *
kp_response_bytes(const void *bytes, size_t bytes_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes, bytes_len);
        if (text.failed)
                return NULL;
        return json_stringn(kp_buf_str(&text), text.len);
}

static json_t *
buf_json(const struct kp_buf *buf)
{
        return kp_response_bytes(buf->data, buf->len);
}

static int
compare_words(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Spec: WebAuthn L3 §5.2.1 [[transports]] */
json_t *
kp_response_transports(const struct kp_ceremony *ceremony, const struct kp_made *made)
{
        const char *rule = kp_fact_str(&ceremony->client->actor, "transports_reported");
        const char *words[KP_NELEMS(made->info.transports) + 1];
        json_t *list = json_array();
        size_t n = 0;

        if (strcmp(rule, "always_usb") == 0)
                words[n++] = "usb";
        if (strcmp(rule, "yes") == 0)
                words[n++] = made->transport;
        if (strcmp(rule, "yes") == 0 || strcmp(rule, "from_getinfo") == 0)
                for (size_t i = 0; i < made->info.n_transports; i++)
                        words[n++] = made->info.transports[i];
        qsort(words, n, sizeof(*words), compare_words);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || strcmp(words[i], words[i - 1]) != 0)
                        /* caller's check */
                        (void)json_array_append_new(list, json_string(words[i]));
        return list;
}

static bool
key_is_shown(const struct kp_ceremony *c, int algorithm)
{
        const char *rule = kp_fact_str(&c->client->actor, "public_key_getters");

        if (strcmp(rule, "no") == 0)
                return false;
        if (strcmp(rule, "es256_only_others_null") == 0)
                return algorithm == KP_COSE_ES256;
        return true;
}

/* SubjectPublicKeyInfo; NULL: an unknown algorithm. Spec: WebAuthn L3 §5.2.1.1 */
static json_t *
public_key(const struct kp_ceremony *c, const struct kp_authdata *data, int algorithm)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = NULL;
        struct kp_error why = { 0 };
        unsigned char *der = NULL;
        json_t *json = NULL;
        int der_len, alg;

        if (!key_is_shown(c, algorithm) ||
                kp_cose_key_parse(data->public_key, data->public_key_len,
                        KP_CBOR_LENIENT, &key, &alg, NULL, &why) < 0)
                return NULL;
        if ((der_len = i2d_PUBKEY(key, &der)) > 0)
                json = kp_response_bytes(der, (size_t)der_len);
        OPENSSL_free(der);
        return json;
}

int
kp_response_create(struct kp_ceremony *ceremony, const struct kp_made *made,
        const struct kp_conveyed *conveyed, json_t **ret, struct kp_error *err)
{
        struct kp_authdata data = { 0 };
        json_t *id, *response;

        if (kp_authdata_parse(conveyed->auth_data.data, conveyed->auth_data.len,
                    KP_CBOR_LENIENT, &data, err) < 0)
                return -1;
        response = json_pack("{s:o, s:o, s:o, s:o, s:o*, s:i}", "clientDataJSON",
                buf_json(&ceremony->client_data), "authenticatorData",
                buf_json(&conveyed->auth_data), "transports",
                kp_response_transports(ceremony, made), "attestationObject",
                buf_json(&conveyed->object), "publicKey",
                public_key(ceremony, &data, conveyed->algorithm), "publicKeyAlgorithm",
                conveyed->algorithm);
        id = kp_response_bytes(data.credential_id, data.credential_id_len);
        *ret = json_pack("{s:O, s:o, s:o, s:s, s:o, s:s}", "id", id, "rawId", id,
                "response", response, "authenticatorAttachment", made->attachment,
                "clientExtensionResults", kp_results_create(ceremony, made, conveyed),
                "type", "public-key");
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "response") : 0;
}

/* Spec: WebAuthn L3 §6.1; the AppID's hash where that was used. */
static int
answer_check(struct kp_ceremony *c, const struct kp_signed *answer)
{
        const struct kp_buf *bytes =
                &answer->reply.assertions[answer->chosen].auth_data;
        const char *scope = answer->app_id_used ? c->app_id : c->rp_id;
        struct kp_authdata data = { 0 };
        struct kp_error why = { 0 };
        uint8_t hash[SHA256_DIGEST_LENGTH];

        SHA256((const uint8_t *)scope, strlen(scope), hash);
        if (kp_authdata_parse(bytes->data, bytes->len, KP_CBOR_LENIENT, &data, &why) ==
                        0 &&
                memcmp(data.rp_id_hash, hash, sizeof(hash)) == 0)
                return 0;
        return kp_throw(c->exception, "key-answer-invalid", 0, KP_NOT_ALLOWED_TEXT);
}

int
kp_response_get(struct kp_ceremony *ceremony, const struct kp_signed *answer,
        json_t **ret, struct kp_error *err)
{
        const struct kp_assertion *a = &answer->reply.assertions[answer->chosen];
        json_t *id, *response;
        int r;

        if ((r = answer_check(ceremony, answer)) != 0)
                return r;
        response = json_pack("{s:o, s:o, s:o, s:o*}", "clientDataJSON",
                buf_json(&ceremony->client_data), "authenticatorData",
                buf_json(&a->auth_data), "signature", buf_json(&a->signature),
                "userHandle", a->user_id.len > 0 ? buf_json(&a->user_id) : NULL);
        id = buf_json(&answer->credential_id);
        *ret = json_pack("{s:O, s:o, s:o, s:s, s:o, s:s}", "id", id, "rawId", id,
                "response", response, "authenticatorAttachment", answer->attachment,
                "clientExtensionResults", kp_results_get(ceremony, answer), "type",
                "public-key");
        return *ret == NULL ? KP_FAIL(err, KP_ENOMEM, "response") : 0;
}
