/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_VECTORS_CEREMONY_H
#define KEYPILOT_TESTS_VECTORS_CEREMONY_H

#include <criterion/criterion.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/codec/hash.h"
#include "keypilot/core/free.h"
#include "keypilot/rp/rp.h"

/*
 * Ceremonies made here, right unless a test makes one thing wrong. What is signed is
 * what is sent, so that no refusal comes from a signature by accident.
 */
static const uint8_t test_challenge[16] = "challenge-123456";
static const uint8_t test_aaguid[16] = "aaguid-of-a-test";
static const uint8_t test_id[20] = "credential-id-000001";

struct ceremony_maker {
        struct kp_random *random;
        EVP_PKEY *key; /* of the credential */
        int alg;
        /* what goes into the message */
        const char *rp_id, *client_data; /* NULL: the usual */
        const char *type;
        uint8_t flags;
        uint32_t sign_count;
        const uint8_t *aaguid;
        const uint8_t *id;
        size_t id_len;
        const char *extensions; /* CBOR as text of bytes; NULL: none */
        size_t extensions_len;
        const char *format;
        struct kp_buf authdata, client, hash_input; /* as made */
};

static inline void
maker_begin(struct ceremony_maker *m, int alg)
{
        struct kp_error err = { 0 };

        memset(m, 0, sizeof(*m));
        cr_assert_eq(kp_random_new_seeded("ceremony", "test", &m->random, &err), 0);
        cr_assert_eq(kp_cose_key_make(alg, m->random, &m->key, &err), 0);
        m->alg = alg;
        m->rp_id = "example.org";
        m->flags = KP_AUTHDATA_UP | KP_AUTHDATA_UV;
        m->aaguid = test_aaguid;
        m->id = test_id;
        m->id_len = sizeof(test_id);
        m->format = "none";
}

static inline void
maker_end(struct ceremony_maker *m)
{
        kp_random_free(&m->random);
        kp_free_pkey(&m->key);
        kp_buf_done(&m->authdata);
        kp_buf_done(&m->client);
        kp_buf_done(&m->hash_input);
}

static inline struct kp_rp_expectation
usual_expectation(void)
{
        return (struct kp_rp_expectation){ .rp_ids = { "example.org" },
                .n_rp_ids = 1,
                .origins = { "https://example.org" },
                .n_origins = 1,
                .challenge = test_challenge,
                .challenge_len = sizeof(test_challenge),
                .now_ms = INT64_C(1788249600000) };
}

/* authenticatorData, clientDataJSON, and their bytes to sign */
static inline void
maker_parts(struct ceremony_maker *m, bool attested)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf cose = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf challenge = { 0 };
        uint8_t rp_id_hash[32], client_hash[32];
        struct kp_authdata data = { .rp_id_hash = rp_id_hash,
                .flags = m->flags,
                .sign_count = m->sign_count,
                .aaguid = m->aaguid,
                .credential_id = m->id,
                .credential_id_len = m->id_len,
                .extensions = (const uint8_t *)m->extensions,
                .extensions_len = m->extensions_len };
        struct kp_error err = { 0 };

        kp_sha256(m->rp_id, strlen(m->rp_id), rp_id_hash);
        cr_assert_eq(kp_cose_key_put(&cose, m->key, m->alg, &err), 0);
        if (attested) {
                data.public_key = cose.data;
                data.public_key_len = cose.len;
        }
        kp_buf_clear(&m->authdata);
        kp_authdata_put(&m->authdata, &data);
        kp_buf_clear(&m->client);
        kp_b64url_put(&challenge, test_challenge, sizeof(test_challenge));
        if (m->client_data != NULL)
                kp_buf_puts(&m->client, m->client_data);
        else
                kp_buf_printf(&m->client,
                        "{\"type\":\"%s\",\"challenge\":\"%s\",\"origin\":"
                        "\"https://example.org\",\"crossOrigin\":false}",
                        m->type != NULL ? m->type
                        : attested      ? "webauthn.create"
                                        : "webauthn.get",
                        kp_buf_str(&challenge));
        kp_sha256(m->client.data, m->client.len, client_hash);
        kp_buf_clear(&m->hash_input);
        kp_buf_put(&m->hash_input, m->authdata.data, m->authdata.len);
        kp_buf_put(&m->hash_input, client_hash, sizeof(client_hash));
}

static inline json_t *
json_bytes(const void *bytes, size_t bytes_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes, bytes_len);
        return json_string(kp_buf_str(&text));
}

static inline json_t *
json_form(const uint8_t *id, size_t id_len, json_t *response)
{
        json_t *form = json_pack("{s:o, s:o, s:s, s:o, s:{}, s:s}", "id",
                json_bytes(id, id_len), "rawId", json_bytes(id, id_len), "type",
                "public-key", "response", response, "clientExtensionResults",
                "authenticatorAttachment", "cross-platform");

        cr_assert_not_null(form);
        return form;
}

/* RegistrationResponseJSON around a statement, which is CBOR. */
static inline json_t *
maker_registration(struct ceremony_maker *m, const struct kp_buf *statement)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf object = { 0 };

        kp_cbor_put_map(&object, 3);
        kp_cbor_put_text(&object, "fmt");
        kp_cbor_put_text(&object, m->format);
        kp_cbor_put_text(&object, "attStmt");
        kp_buf_put(&object, statement->data, statement->len);
        kp_cbor_put_text(&object, "authData");
        kp_cbor_put_bytes(&object, m->authdata.data, m->authdata.len);
        return json_form(m->id, m->id_len,
                json_pack("{s:o, s:o}", "clientDataJSON",
                        json_bytes(m->client.data, m->client.len), "attestationObject",
                        json_bytes(object.data, object.len)));
}

static inline json_t *
maker_none(struct ceremony_maker *m)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };

        maker_parts(m, true);
        kp_cbor_put_map(&statement, 0);
        return maker_registration(m, &statement);
}

static inline void
sign_with(EVP_PKEY *key, int alg, const struct kp_buf *message, struct kp_buf *ret)
{
        struct kp_error err = { 0 };

        cr_assert_eq(kp_cose_sign(alg, key, message->data, message->len, ret, &err), 0);
}

static inline json_t *
maker_assertion(struct ceremony_maker *m)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };

        maker_parts(m, false);
        sign_with(m->key, m->alg, &m->hash_input, &sig);
        return json_form(m->id, m->id_len,
                json_pack("{s:o, s:o, s:o}", "clientDataJSON",
                        json_bytes(m->client.data, m->client.len), "authenticatorData",
                        json_bytes(m->authdata.data, m->authdata.len), "signature",
                        json_bytes(sig.data, sig.len)));
}

/* The record that a registration with this key leaves. */
static inline struct kp_rp_credential
maker_record(struct ceremony_maker *m)
{
        struct kp_rp_credential record = { .alg = m->alg };
        struct kp_error err = { 0 };

        kp_buf_put(&record.id, m->id, m->id_len);
        cr_assert_eq(kp_cose_key_put(&record.public_key, m->key, m->alg, &err), 0);
        return record;
}

#endif
