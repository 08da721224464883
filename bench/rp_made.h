/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_BENCH_RP_MADE_H
#define KEYPILOT_BENCH_RP_MADE_H

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/codec/hash.h"
#include "keypilot/rp/rp.h"

/*
 * One registration with a packed statement over a root, an intermediate and a leaf, and
 * one assertion with the same passkey. All keys are P-256. Made once, before anything
 * is measured; what fails ends the program.
 */
struct made {
        struct kp_random *random;
        EVP_PKEY *key, *root_key, *ca_key, *leaf_key;
        X509 *root, *ca, *leaf;
        struct kp_rp_credential record;
        struct kp_buf auth_data, client_data, signature;
        char *registration, *assertion; /* JSON */
};

#define MADE_ORIGIN "https://school.example"
#define MADE_RP_ID "school.example"
static const uint8_t made_challenge[32] = "a challenge of 32 bytes, no more";
static const uint8_t made_aaguid[16] = "aaguid of a test";
static const uint8_t made_id[32] = "a credential ID of 32 bytes only";

static void
must(bool holds, const char *what)
{
        if (holds)
                return;
        fprintf(stderr, "rp: %s\n", what);
        exit(EXIT_FAILURE);
}

static X509 *
made_certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key,
        const char *constraints)
{
        static long serial = 1;
        X509 *certificate = X509_new();
        X509_NAME *subject = X509_get_subject_name(certificate);
        X509_EXTENSION *extension =
                X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, constraints);
        const char *parts[][2] = { { "C", "NL" }, { "O", "keypilot" },
                { "OU", "Authenticator Attestation" }, { "CN", name } };

        for (size_t i = 0; i < KP_NELEMS(parts); i++)
                X509_NAME_add_entry_by_txt(subject, parts[i][0], MBSTRING_UTF8,
                        (const uint8_t *)parts[i][1], -1, -1, 0);
        X509_set_version(certificate, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
        ASN1_TIME_set(X509_getm_notBefore(certificate), 1700000000);
        ASN1_TIME_set(X509_getm_notAfter(certificate), 2500000000);
        X509_set_issuer_name(
                certificate, issuer == NULL ? subject : X509_get_subject_name(issuer));
        X509_set_pubkey(certificate, key);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        must(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "certificate");
        return certificate;
}

static void
made_parts(struct made *m, const char *type, bool attested)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf challenge = { 0 };
        uint8_t hash[KP_SHA256_LEN];
        struct kp_authdata data = { .rp_id_hash = hash,
                .flags = KP_AUTHDATA_UP | KP_AUTHDATA_UV,
                .sign_count = attested ? 1 : 2,
                .aaguid = made_aaguid,
                .credential_id = made_id,
                .credential_id_len = sizeof(made_id) };

        if (attested) {
                data.public_key = m->record.public_key.data;
                data.public_key_len = m->record.public_key.len;
        }
        kp_sha256(MADE_RP_ID, strlen(MADE_RP_ID), hash);
        kp_buf_clear(&m->auth_data);
        kp_authdata_put(&m->auth_data, &data);
        kp_b64url_put(&challenge, made_challenge, sizeof(made_challenge));
        kp_buf_clear(&m->client_data);
        kp_buf_printf(&m->client_data,
                "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":\"" MADE_ORIGIN
                "\",\"crossOrigin\":false}",
                type, kp_buf_str(&challenge));
}

static void
made_sign(struct made *m, EVP_PKEY *key, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        uint8_t hash[KP_SHA256_LEN];
        struct kp_error err = { 0 };

        kp_sha256(m->client_data.data, m->client_data.len, hash);
        kp_buf_put(&message, m->auth_data.data, m->auth_data.len);
        kp_buf_put(&message, hash, sizeof(hash));
        kp_buf_clear(ret);
        must(kp_cose_sign(KP_COSE_ES256, key, message.data, message.len, ret, &err) ==
                        0,
                "signature");
}

static json_t *
made_b64url(const struct kp_buf *bytes)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes->data, bytes->len);
        return json_string(kp_buf_str(&text));
}

static char *
made_form(json_t *response)
{
        const struct kp_buf id = { .data = (uint8_t *)made_id, .len = sizeof(made_id) };
        json_t *form = json_pack("{s:o, s:o, s:s, s:o, s:{}, s:s}", "id",
                made_b64url(&id), "rawId", made_b64url(&id), "type", "public-key",
                "response", response, "clientExtensionResults",
                "authenticatorAttachment", "cross-platform");
        char *text = json_dumps(form, JSON_COMPACT);

        must(text != NULL, "response");
        json_decref(form);
        return text;
}

static void
made_put_certificate(struct kp_buf *ret, X509 *certificate)
{
        unsigned char *der = NULL;
        int der_len = i2d_X509(certificate, &der);

        must(der_len > 0, "certificate");
        kp_cbor_put_bytes(ret, der, (size_t)der_len);
        OPENSSL_free(der);
}

static void
made_registration(struct made *m)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf object = { 0 };

        made_parts(m, "webauthn.create", true);
        made_sign(m, m->leaf_key, &m->signature);
        kp_cbor_put_map(&object, 3);
        kp_cbor_put_text(&object, "fmt");
        kp_cbor_put_text(&object, "packed");
        kp_cbor_put_text(&object, "attStmt");
        kp_cbor_put_map(&object, 3);
        kp_cbor_put_text(&object, "alg");
        kp_cbor_put_int(&object, KP_COSE_ES256);
        kp_cbor_put_text(&object, "sig");
        kp_cbor_put_bytes(&object, m->signature.data, m->signature.len);
        kp_cbor_put_text(&object, "x5c");
        kp_cbor_put_array(&object, 2);
        made_put_certificate(&object, m->leaf);
        made_put_certificate(&object, m->ca);
        kp_cbor_put_text(&object, "authData");
        kp_cbor_put_bytes(&object, m->auth_data.data, m->auth_data.len);
        m->registration = made_form(
                json_pack("{s:o, s:o}", "clientDataJSON", made_b64url(&m->client_data),
                        "attestationObject", made_b64url(&object)));
}

static void
made_begin(struct made *m)
{
        struct kp_error err = { 0 };

        memset(m, 0, sizeof(*m));
        must(kp_random_new_seeded("bench", "rp", &m->random, &err) == 0 &&
                        kp_cose_key_make(KP_COSE_ES256, m->random, &m->key, &err) == 0,
                "key");
        m->root_key = EVP_EC_gen("P-256");
        m->ca_key = EVP_EC_gen("P-256");
        m->leaf_key = EVP_EC_gen("P-256");
        m->root = made_certificate(
                m->root_key, "Root", NULL, m->root_key, "critical,CA:TRUE");
        m->ca = made_certificate(
                m->ca_key, "CA", m->root, m->root_key, "critical,CA:TRUE,pathlen:0");
        m->leaf = made_certificate(
                m->leaf_key, "Leaf", m->ca, m->ca_key, "critical,CA:FALSE");
        kp_buf_put(&m->record.id, made_id, sizeof(made_id));
        must(kp_cose_key_put(&m->record.public_key, m->key, KP_COSE_ES256, &err) == 0,
                "public key");
        made_registration(m);
        made_parts(m, "webauthn.get", false);
        made_sign(m, m->key, &m->signature);
        m->assertion = made_form(json_pack("{s:o, s:o, s:o}", "clientDataJSON",
                made_b64url(&m->client_data), "authenticatorData",
                made_b64url(&m->auth_data), "signature", made_b64url(&m->signature)));
}

static void
made_end(struct made *m)
{
        EVP_PKEY *keys[] = { m->key, m->root_key, m->ca_key, m->leaf_key };
        X509 *certificates[] = { m->root, m->ca, m->leaf };

        for (size_t i = 0; i < KP_NELEMS(keys); i++)
                EVP_PKEY_free(keys[i]);
        for (size_t i = 0; i < KP_NELEMS(certificates); i++)
                X509_free(certificates[i]);
        kp_rp_credential_done(&m->record);
        kp_buf_done(&m->auth_data);
        kp_buf_done(&m->client_data);
        kp_buf_done(&m->signature);
        kp_random_free(&m->random);
        free(m->registration);
        free(m->assertion);
}

#endif
