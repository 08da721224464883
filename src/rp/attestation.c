/* SPDX-License-Identifier: BSD-2-Clause */
#include "attestation.h"

#include <openssl/err.h>
#include <string.h>

#include "keypilot/codec/cose.h"

/* clang-format off */
/* Spec table: IANA WebAuthn Attestation Statement Format Identifiers; WebAuthn L3 §8. */
static const struct attestation_format formats[] = {
        { "android-key",       kp_rp_attestation_android_key },
        { "android-safetynet", kp_rp_attestation_android_safetynet },
        { "apple",             kp_rp_attestation_apple },
        { "compound",          kp_rp_attestation_compound },
        { "fido-u2f",          kp_rp_attestation_fido_u2f },
        { "none",              kp_rp_attestation_none },
        { "packed",            kp_rp_attestation_packed },
        { "tpm",               kp_rp_attestation_tpm },
};
/* clang-format on */

/* Spec: WebAuthn L3 §7.1 step 21: case-sensitive */
const struct attestation_format *
kp_rp_attestation_format_find(const char *name, size_t name_len)
{
        for (size_t i = 0; i < KP_NELEMS(formats); i++)
                if (kp_bytes_equal(
                            formats[i].name, strlen(formats[i].name), name, name_len))
                        return &formats[i];
        return NULL;
}

void
kp_rp_attested_bytes(const struct ceremony *c, struct kp_buf *ret)
{
        kp_buf_put(ret, c->auth_bytes.data, c->auth_bytes.len);
        kp_buf_put(ret, c->client_hash, sizeof(c->client_hash));
}

bool
kp_rp_attestation_signed(struct ceremony *c, int alg, EVP_PKEY *key,
        const uint8_t *signature, size_t signature_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        kp_rp_attested_bytes(c, &message);
        return !message.failed && kp_cose_verify(alg, key, message.data, message.len,
                                          signature, signature_len);
}

void
kp_rp_attestation_hash(const struct ceremony *c, uint8_t ret[KP_SHA256_LEN])
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        kp_rp_attested_bytes(c, &message);
        kp_sha256(message.data, message.len, ret);
}

static bool
refuse_member(struct ceremony *c, const char *name, const cbor_item_t *value,
        const char *expected)
{
        return kp_rp_refuse(c, "attestation statement: %s is %s%s", name,
                value == NULL ? "missing" : "not ", value == NULL ? "" : expected);
}

bool
kp_rp_statement_bytes(
        struct ceremony *c, const char *name, const uint8_t **ret, size_t *ret_len)
{
        const cbor_item_t *value = kp_cbor_at_str(c->statement, name);

        return kp_cbor_is_bytes(value, ret, ret_len) ||
               refuse_member(c, name, value, "bytes");
}

bool
kp_rp_statement_text(
        struct ceremony *c, const char *name, const char **ret, size_t *ret_len)
{
        const cbor_item_t *value = kp_cbor_at_str(c->statement, name);

        return kp_cbor_is_text(value, ret, ret_len) ||
               refuse_member(c, name, value, "a text");
}

bool
kp_rp_statement_alg(struct ceremony *c, int *ret)
{
        const cbor_item_t *value = kp_cbor_at_str(c->statement, "alg");
        int64_t alg;

        if (!kp_cbor_is_int(value, &alg))
                return refuse_member(c, "alg", value, "a number");
        if (alg < INT32_MIN || alg > INT32_MAX || !kp_cose_alg_supported((int)alg)) {
                c->unsupported = true;
                return kp_rp_refuse(c,
                        "attestation statement: algorithm %lld is not verified here",
                        (long long)alg);
        }
        *ret = (int)alg;
        return true;
}

bool
kp_rp_statement_size(struct ceremony *c, size_t n_wanted)
{
        size_t n = 0;

        if (!c->strict || (kp_cbor_is_map(c->statement, &n) && n == n_wanted))
                return true;
        return kp_rp_refuse(
                c, "attestation statement has %zu members, expected %zu", n, n_wanted);
}

/* Is it this one? Compared as it is encoded. */
static bool
is_encoded_as(X509 *certificate, const uint8_t *der, size_t der_len)
{
        unsigned char *own = NULL;
        int own_len = i2d_X509(certificate, NULL);
        bool same = false;

        if (own_len > 0 && (size_t)own_len == der_len &&
                i2d_X509(certificate, &own) == own_len)
                same = memcmp(own, der, der_len) == 0;
        OPENSSL_free(own);
        return same;
}

/* An intermediate that is loaded need not be read again, which costs two signatures. */
static X509 *
known_issuer(const struct ceremony *c, const uint8_t *der, size_t der_len)
{
        for (size_t i = 0; i < c->expect->n_issuers; i++) {
                X509 *issuer = c->expect->issuers[i];

                if (is_encoded_as(issuer, der, der_len) && X509_up_ref(issuer) == 1)
                        return issuer;
        }
        return NULL;
}

bool
kp_rp_path_add(struct ceremony *c, const uint8_t *der, size_t der_len)
{
        struct trust_path *path = &c->path;
        const uint8_t *at = der;
        X509 *certificate;

        if (path->n_chain == CHAIN_MAX)
                return kp_rp_refuse(c,
                        "attestation statement: x5c has more than %d certificates",
                        CHAIN_MAX);
        if ((certificate = known_issuer(c, der, der_len)) != NULL) {
                path->chain[path->n_chain++] = certificate;
                return true;
        }
        certificate = d2i_X509(NULL, &at, (long)der_len);
        ERR_clear_error();
        if (certificate == NULL || at != der + der_len) { /* none, or bytes behind it */
                X509_free(certificate);
                return kp_rp_refuse(c,
                        "attestation statement: x5c[%zu] is no certificate",
                        path->n_chain);
        }
        path->chain[path->n_chain++] = certificate;
        return true;
}

bool
kp_rp_statement_chain(struct ceremony *c)
{
        const cbor_item_t *x5c = kp_cbor_at_str(c->statement, "x5c");
        const uint8_t *der;
        size_t der_len, n;

        if (!kp_cbor_is_array(x5c, &n) || n == 0)
                return kp_rp_refuse(
                        c, "attestation statement: x5c is no array of certificates");
        for (size_t i = 0; i < n; i++) {
                if (!kp_cbor_is_bytes(cbor_array_handle(x5c)[i], &der, &der_len))
                        return kp_rp_refuse(
                                c, "attestation statement: x5c[%zu] is not bytes", i);
                if (!kp_rp_path_add(c, der, der_len))
                        return false;
        }
        return true;
}

EVP_PKEY *
kp_rp_path_key(struct ceremony *c)
{
        EVP_PKEY *key = X509_get0_pubkey(c->path.chain[0]);

        ERR_clear_error();
        if (key == NULL)
                (void)kp_rp_refuse(c, "%s: the key of the certificate is unreadable",
                        c->format->name);
        return key;
}

bool
kp_rp_path_certifies_credential(struct ceremony *c)
{
        EVP_PKEY *key = kp_rp_path_key(c);

        if (key == NULL)
                return false;
        if (EVP_PKEY_eq(key, c->key) == 1)
                return true;
        ERR_clear_error();
        return kp_rp_refuse(c, "%s: the certificate is not for the credential key",
                c->format->name);
}
