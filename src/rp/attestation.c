/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <string.h>

#include "keypilot/codec/cose.h"

#include "ceremony.h"

/* clang-format off */
/*
 * Spec table: IANA WebAuthn Attestation Statement Format Identifiers; WebAuthn L3 §8. A
 * format without a function is known to exist and not verified here.
 */
static const struct attestation_format formats[] = {
        { "android-key",       NULL },
        { "android-safetynet", NULL },
        { "apple",             NULL },
        { "compound",          NULL },
        { "fido-u2f",          kp_rp_attestation_fido_u2f },
        { "none",              kp_rp_attestation_none },
        { "packed",            kp_rp_attestation_packed },
        { "tpm",               NULL },
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

bool
kp_rp_attestation_signed(struct ceremony *c, int alg, EVP_PKEY *key,
        const uint8_t *signature, size_t signature_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };

        kp_buf_put(&message, c->auth_bytes.data, c->auth_bytes.len);
        kp_buf_put(&message, c->client_hash, sizeof(c->client_hash));
        return !message.failed && kp_cose_verify(alg, key, message.data, message.len,
                                          signature, signature_len);
}

bool
kp_rp_statement_bytes(
        struct ceremony *c, const char *name, const uint8_t **ret, size_t *ret_len)
{
        const cbor_item_t *value = kp_cbor_at_str(c->statement, name);

        if (kp_cbor_is_bytes(value, ret, ret_len))
                return true;
        return kp_rp_refuse(c, "attestation statement: %s is %s", name,
                value == NULL ? "missing" : "not bytes");
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

static X509 *
certificate_read(const cbor_item_t *item)
{
        const uint8_t *der;
        size_t der_len;
        X509 *certificate = NULL;

        if (kp_cbor_is_bytes(item, &der, &der_len)) {
                const uint8_t *end = der + der_len;

                certificate = d2i_X509(NULL, &der, (long)der_len);
                if (certificate != NULL && der != end) {
                        X509_free(certificate); /* bytes behind it */
                        certificate = NULL;
                }
        }
        ERR_clear_error();
        return certificate;
}

bool
kp_rp_statement_chain(struct ceremony *c)
{
        const cbor_item_t *x5c = kp_cbor_at_str(c->statement, "x5c");
        cbor_item_t **items;
        size_t n;

        if (!kp_cbor_is_array(x5c, &n) || n == 0)
                return kp_rp_refuse(
                        c, "attestation statement: x5c is no array of certificates");
        if (n > CHAIN_MAX)
                return kp_rp_refuse(c,
                        "attestation statement: x5c has %zu certificates, more than %d",
                        n, CHAIN_MAX);
        items = cbor_array_handle(x5c);
        for (size_t i = 0; i < n; i++) {
                if ((c->chain[i] = certificate_read(items[i])) == NULL)
                        return kp_rp_refuse(c,
                                "attestation statement: x5c[%zu] is no certificate", i);
                c->n_chain++;
        }
        return true;
}
