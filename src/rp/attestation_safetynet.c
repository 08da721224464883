/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/json.h"

#include "attestation.h"

/*
 * Spec: WebAuthn L3 §8.5 "Android SafetyNet Attestation Statement Format"; the response
 * is a JWS in compact form, RFC 7515 §7.1
 */

#define RESPONSE_MAX (64u << 10)
#define SERVICE "attest.android.com"

struct jws {
        const char *text;
        size_t signed_len; /* header, dot and payload */
        json_t *header, *payload;
        struct kp_buf signature;
};

static void
jws_done(struct jws *jws)
{
        json_decref(jws->header);
        json_decref(jws->payload);
        kp_buf_done(&jws->signature);
}

static json_t *
read_object(const char *text, size_t text_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        struct kp_error ignored = { 0 };
        json_t *object = NULL;

        if (kp_b64url_decode_any_bits(text, text_len, &bytes, &ignored) == 0)
                object = json_loadb((const char *)bytes.data, bytes.len,
                        JSON_REJECT_DUPLICATES, NULL);
        if (json_is_object(object))
                return object;
        json_decref(object);
        return NULL;
}

static bool
read_jws(const char *text, size_t text_len, struct jws *ret)
{
        const char *end = text + text_len;
        const char *first = memchr(text, '.', text_len);
        const char *second =
                first == NULL ? NULL
                              : memchr(first + 1, '.', (size_t)(end - first - 1));
        struct kp_error ignored = { 0 };

        if (second == NULL || memchr(text, '\0', text_len) != NULL)
                return false;
        ret->text = text;
        ret->signed_len = (size_t)(second - text);
        ret->header = read_object(text, (size_t)(first - text));
        ret->payload = read_object(first + 1, (size_t)(second - first - 1));
        return ret->header != NULL && ret->payload != NULL &&
               kp_b64url_decode_any_bits(second + 1, (size_t)(end - second - 1),
                       &ret->signature, &ignored) == 0;
}

/* RFC 7515 §4.1.6: certificates in the standard alphabet */
static bool
read_chain(struct ceremony *c, const struct jws *jws)
{
        const json_t *x5c = json_object_get(jws->header, "x5c"), *item;
        size_t i;

        if (json_array_size(x5c) == 0)
                return kp_rp_refuse(
                        c, "android-safetynet: the response has no certificates");
        json_array_foreach (x5c, i, item) {
                KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
                struct kp_error ignored = { 0 };

                if (!json_is_string(item) ||
                        kp_b64_decode(json_string_value(item), json_string_length(item),
                                &der, &ignored) < 0)
                        return kp_rp_refuse(
                                c, "android-safetynet: x5c[%zu] is not base64", i);
                if (!kp_rp_path_add(c, der.data, der.len))
                        return false;
        }
        return true;
}

static bool
check_signature(struct ceremony *c, const struct jws *jws)
{
        static const struct {
                const char *name; /* RFC 7518 §3.1 */
                int alg;
        } algs[] = { { "RS256", KP_COSE_RS256 } };
        const char *name = kp_json_str(jws->header, "alg", "");
        EVP_PKEY *key = kp_rp_path_key(c);

        if (key == NULL)
                return false;
        for (size_t i = 0; i < KP_NELEMS(algs); i++)
                if (strcmp(algs[i].name, name) == 0 &&
                        kp_cose_verify(algs[i].alg, key, jws->text, jws->signed_len,
                                jws->signature.data, jws->signature.len))
                        return true;
        return kp_rp_refuse(c,
                "android-safetynet: the response's signature (%.20s) does not verify "
                "with its certificate",
                name);
}

static bool
check_service(struct ceremony *c)
{
        int matches = X509_check_host(c->path.chain[0], SERVICE, 0, 0, NULL);

        ERR_clear_error();
        if (matches == 1)
                return true;
        return kp_rp_refuse(
                c, "android-safetynet: the certificate is not that of %s", SERVICE);
}

/*
 * DEVIATION WebAuthn L3 §8.5, lenient only: it says the nonce is the hash; phones of 2018
 * put the authenticator data itself there, and behind it the hash of client data that
 * they wrote differently from what they sent. Nobody can check that hash.
 */
static bool
nonce_of_2018(const struct ceremony *c, const char *nonce)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        struct kp_error ignored = { 0 };
        size_t auth_len = c->auth_bytes.len;

        return !c->strict &&
               kp_b64_decode(nonce, strlen(nonce), &bytes, &ignored) == 0 &&
               bytes.len == auth_len + KP_SHA256_LEN &&
               memcmp(bytes.data, c->auth_bytes.data, auth_len) == 0;
}

static bool
check_nonce(struct ceremony *c, const struct jws *jws)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf wanted = { 0 };
        const char *nonce = kp_json_str(jws->payload, "nonce", "");
        uint8_t hash[KP_SHA256_LEN];

        kp_rp_attestation_hash(c, hash);
        kp_b64_put(&wanted, hash, sizeof(hash));
        if (strcmp(kp_buf_str(&wanted), nonce) == 0 || nonce_of_2018(c, nonce))
                return true;
        return kp_rp_refuse(
                c, "android-safetynet: the response is about other data (nonce)");
}

static bool
check_device(struct ceremony *c, const struct jws *jws)
{
        const json_t *matches = json_object_get(jws->payload, "ctsProfileMatch");

        if (!json_is_boolean(matches))
                return kp_rp_refuse(c, "android-safetynet: ctsProfileMatch is missing");
        if (json_is_true(matches) || !c->strict ||
                c->expect->attestation.safetynet_any_device)
                return true;
        return kp_rp_refuse(c, "android-safetynet: the device does not match a profile "
                               "that passed Android's tests");
}

static bool
check_age(struct ceremony *c, const struct jws *jws)
{
        const json_t *time = json_object_get(jws->payload, "timestampMs");
        int64_t limit = c->expect->attestation.safetynet_age_ms, age;

        if (!json_is_integer(time))
                return kp_rp_refuse(c, "android-safetynet: timestampMs is missing");
        if (limit == 0 || c->expect->now_ms == 0)
                return true;
        if (json_integer_value(time) < 0 ||
                json_integer_value(time) > c->expect->now_ms)
                return kp_rp_refuse(
                        c, "android-safetynet: the response is from the future");
        age = c->expect->now_ms - json_integer_value(time);
        if (age <= limit)
                return true;
        return kp_rp_refuse(c, "android-safetynet: the response is %lld s old",
                (long long)(age / 1000));
}

bool
kp_rp_attestation_android_safetynet(struct ceremony *c)
{
        KP_CLEANUP(jws_done) struct jws jws = { 0 };
        const char *ver;
        const uint8_t *response;
        size_t ver_len, response_len;

        if (!kp_rp_statement_size(c, 2) ||
                !kp_rp_statement_text(c, "ver", &ver, &ver_len) ||
                !kp_rp_statement_bytes(c, "response", &response, &response_len))
                return false;
        if (ver_len == 0)
                return kp_rp_refuse(c, "android-safetynet: ver is empty");
        if (response_len > RESPONSE_MAX ||
                !read_jws((const char *)response, response_len, &jws))
                return kp_rp_refuse(
                        c, "android-safetynet: the response is no signed message");
        c->type = "basic";
        return read_chain(c, &jws) && check_signature(c, &jws) && check_service(c) &&
               check_nonce(c, &jws) && check_device(c, &jws) && check_age(c, &jws);
}
