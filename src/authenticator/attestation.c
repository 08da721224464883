/* SPDX-License-Identifier: BSD-2-Clause */
#include "attestation.h"

#include <string.h>

#define AAGUID_AT 37 /* in authenticator data: behind hash, flags and counter */
#define AAGUID_LEN 16
#define POINT_LEN 65

int
kp_auth_sign_message(struct kp_authenticator *key, int alg, EVP_PKEY *pkey,
        const struct kp_buf *message, struct kp_buf *ret)
{
        size_t before = ret->len;

        if (pkey == NULL || message->failed ||
                kp_cose_sign(alg, pkey, message->data, message->len, ret, &key->err) <
                        0 ||
                ret->failed || ret->len == before)
                return KP_CTAP1_ERR_OTHER;
        if (kp_auth_fault(key, KP_POINT_SIGNATURE, NULL))
                ret->data[ret->len - 1] ^= 0x01; /* of the right form, and wrong */
        return KP_CTAP_OK;
}

int
kp_auth_sign(struct kp_authenticator *key, int alg, EVP_PKEY *pkey,
        const struct kp_buf *auth_data,
        const uint8_t client_data_hash[KP_AUTH_HASH_LEN], struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        if (auth_data->failed)
                return KP_CTAP1_ERR_OTHER;
        kp_buf_put(&message, auth_data->data, auth_data->len);
        kp_buf_put(&message, client_data_hash, KP_AUTH_HASH_LEN);
        return kp_auth_sign_message(key, alg, pkey, &message, ret);
}

void
kp_auth_attested(const struct kp_auth_attestation *a, struct kp_buf *ret)
{
        kp_buf_put(ret, a->auth_data.data, a->auth_data.len);
        kp_buf_put(ret, a->client_data_hash, KP_AUTH_HASH_LEN);
}

void
kp_auth_put_certificate(const struct kp_authenticator *key,
        enum kp_key_certificate which, struct kp_buf *ret)
{
        size_t der_len;
        const uint8_t *der =
                kp_authenticator_profile_x509(key->profile, which, &der_len);

        kp_cbor_put_bytes(ret, der, der_len);
}

/* Spec: WebAuthn L3 §8.7 */
static int
attest_none(struct kp_auth_attestation *a, struct kp_buf *ret)
{
        (void)a;
        kp_cbor_put_map(ret, 0);
        return KP_CTAP_OK;
}

static int
put_packed(struct kp_auth_attestation *a, int alg, EVP_PKEY *signer, bool certified,
        struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        int status = kp_auth_sign(
                a->key, alg, signer, &a->auth_data, a->client_data_hash, &signature);

        if (status != KP_CTAP_OK)
                return status;
        kp_cbor_put_map(ret, certified ? 3 : 2);
        kp_cbor_put_text(ret, "alg");
        kp_cbor_put_int(ret, alg);
        kp_cbor_put_text(ret, "sig");
        kp_cbor_put_bytes(ret, signature.data, signature.len);
        if (certified) {
                kp_cbor_put_text(ret, "x5c");
                kp_cbor_put_array(ret, 1);
        }
        return KP_CTAP_OK;
}

static void
put_batch_certificate(const struct kp_authenticator *key, struct kp_buf *ret)
{
        size_t der_len;
        const uint8_t *der =
                kp_authenticator_profile_certificate(key->profile, &der_len);

        kp_cbor_put_bytes(ret, der, der_len);
}

/* Spec: CTAP 2.1 §7.1: the statement tells which single key it is */
static int
attest_individual(struct kp_auth_attestation *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *signer = NULL;
        int status;

        if (kp_authenticator_profile_attester(a->key->profile,
                    KP_CERTIFICATE_INDIVIDUAL, &signer, &a->key->err) < 0)
                return KP_CTAP1_ERR_OTHER;
        status = put_packed(a, KP_COSE_ES256, signer, true, ret);
        if (status == KP_CTAP_OK)
                kp_auth_put_certificate(a->key, KP_CERTIFICATE_INDIVIDUAL, ret);
        return status;
}

/* Spec: WebAuthn L3 §8.2 */
static int
attest_packed(struct kp_auth_attestation *a, struct kp_buf *ret)
{
        int status;

        if (a->enterprise != 0)
                return attest_individual(a, ret);
        if (a->key->facts->attestation != KP_ATTESTATION_PACKED_BASIC)
                return put_packed(a, a->credential->alg, a->pkey, false, ret);
        status = put_packed(a, KP_COSE_ES256,
                kp_authenticator_profile_batch_key(a->key->profile), true, ret);
        if (status == KP_CTAP_OK)
                put_batch_certificate(a->key, ret);
        return status;
}

/* U2F has no AAGUID: who maps it onto CTAP2 writes zeros. Spec: CTAP 2.1 §10 */
static void
forget_aaguid(struct kp_auth_attestation *a)
{
        if (a->auth_data.len >= AAGUID_AT + AAGUID_LEN)
                memset(a->auth_data.data + AAGUID_AT, 0, AAGUID_LEN);
}

/* Spec: WebAuthn L3 §8.6; FIDO U2F Raw Message Formats §4.3 */
static int
attest_fido_u2f(struct kp_auth_attestation *a, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        unsigned char *point = NULL;
        size_t point_len = EVP_PKEY_get1_encoded_public_key(a->pkey, &point);
        int status;

        forget_aaguid(a);
        kp_buf_put_u8(&message, 0x00);
        kp_buf_put(&message, a->credential->rp_id_hash, KP_AUTH_HASH_LEN);
        kp_buf_put(&message, a->client_data_hash, KP_AUTH_HASH_LEN);
        kp_buf_put(&message, a->credential->id.data, a->credential->id.len);
        kp_buf_put(&message, point, point_len);
        OPENSSL_free(point);
        if (point_len != POINT_LEN)
                return KP_CTAP1_ERR_OTHER;
        status = kp_auth_sign_message(a->key, KP_COSE_ES256,
                kp_authenticator_profile_batch_key(a->key->profile), &message,
                &signature);
        if (status != KP_CTAP_OK)
                return status;
        kp_cbor_put_map(ret, 2);
        kp_cbor_put_text(ret, "sig");
        kp_cbor_put_bytes(ret, signature.data, signature.len);
        kp_cbor_put_text(ret, "x5c");
        kp_cbor_put_array(ret, 1);
        put_batch_certificate(a->key, ret);
        return KP_CTAP_OK;
}

static bool
any_key(int alg)
{
        return alg != KP_COSE_NONE;
}

static bool
p256_key(int alg)
{
        return alg == KP_COSE_ES256;
}

/* TPM 2.0 knows no Edwards curve. */
static bool
tpm_key(int alg)
{
        return alg == KP_COSE_ES256 || alg == KP_COSE_ES384 || alg == KP_COSE_ES512 ||
               alg == KP_COSE_RS256;
}

/* clang-format off */
/* Spec table: WebAuthn L3 §8, those that an authenticator makes, in order of section. */
static const struct format {
        const char *name;
        bool (*fits)(int alg);
        int (*attest)(struct kp_auth_attestation *a, struct kp_buf *ret);
} formats[] = {
        { "packed",      any_key,  attest_packed },
        { "tpm",         tpm_key,  kp_auth_attest_tpm },
        { "android-key", any_key,  kp_auth_attest_android_key },
        { "fido-u2f",    p256_key, attest_fido_u2f },
        { "none",        any_key,  attest_none },
        { "apple",       any_key,  kp_auth_attest_apple },
};
/* clang-format on */

static const struct format *
find(const struct kp_authenticator *key, const char *name, int alg)
{
        if (strcmp(name, "none") != 0 &&
                !kp_words_have(&key->facts->attestation_formats, name))
                return NULL;
        for (size_t i = 0; i < KP_NELEMS(formats); i++)
                if (strcmp(formats[i].name, name) == 0 && formats[i].fits(alg))
                        return &formats[i];
        return NULL;
}

bool
kp_auth_attests(const struct kp_authenticator *key, const char *format, int alg)
{
        return find(key, format, alg) != NULL;
}

/* What the model gives unless asked; the next best where that does not fit the key. */
static const struct format *
usual(const struct kp_authenticator *key, int alg)
{
        static const char *const own[] = {
                [KP_ATTESTATION_NONE] = "none",
                [KP_ATTESTATION_PACKED_SELF] = "packed",
                [KP_ATTESTATION_PACKED_BASIC] = "packed",
                [KP_ATTESTATION_FIDO_U2F] = "fido-u2f",
                [KP_ATTESTATION_TPM] = "tpm",
                [KP_ATTESTATION_ANDROID_KEY] = "android-key",
                [KP_ATTESTATION_APPLE] = "apple",
        };
        const struct kp_words *names = &key->facts->attestation_formats;
        const struct format *found = find(key, own[key->facts->attestation], alg);

        for (size_t i = 0; found == NULL && i < names->n; i++)
                found = find(key, names->word[i], alg);
        return found != NULL ? found : find(key, "none", alg);
}

static const struct format *
choose(const struct kp_authenticator *key, const struct kp_auth_statement *asked,
        int alg)
{
        const struct format *found = NULL;

        if (asked->enterprise != 0)
                found = find(key, "packed", alg);
        else if (asked->format != NULL)
                found = find(key, asked->format, alg);
        return found != NULL ? found : usual(key, alg);
}

int
kp_auth_attest_as(struct kp_authenticator *key, struct kp_auth_credential *credential,
        const struct kp_auth_statement *asked, struct kp_buf *answer)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        struct kp_auth_attestation a = { .key = key,
                .credential = credential,
                .pkey = kp_auth_credential_key(key, credential),
                .client_data_hash = asked->client_data_hash,
                .enterprise = asked->enterprise };
        const struct format *format = choose(key, asked, credential->alg);
        int status = KP_CTAP1_ERR_OTHER;

        kp_buf_put(&a.auth_data, asked->auth_data->data, asked->auth_data->len);
        if (a.pkey != NULL && !a.auth_data.failed && !asked->auth_data->failed)
                status = format->attest(&a, &statement);
        if (status == KP_CTAP_OK && !statement.failed) {
                kp_cbor_put_int(answer, 1);
                kp_cbor_put_text(answer, format->name);
                kp_cbor_put_int(answer, 2);
                kp_cbor_put_bytes(answer, a.auth_data.data, a.auth_data.len);
                kp_cbor_put_int(answer, 3);
                kp_buf_put(answer, statement.data, statement.len);
        }
        kp_buf_done(&a.auth_data);
        return statement.failed ? KP_CTAP1_ERR_OTHER : status;
}
