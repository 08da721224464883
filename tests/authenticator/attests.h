/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_ATTESTS_H
#define KEYPILOT_TESTS_ATTESTS_H

#include <openssl/pem.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/rp/rp.h"

#include "rig.h"

/* Registrations of simulated keys as a browser hands them over, for several judges. */

#define ORIGIN "https://example.org"
static const uint8_t challenge[16] = { 1, 2, 3 };

struct wish {
        const char *key; /* profile */
        int alg;
        const char *format; /* asked for; NULL: none is preferred */
        int enterprise;
        const char *given; /* format of the answer */
        const char *type;  /* as the relying party sees it */
};

/* clang-format off */
static const struct wish wishes[] = {
        { "yubikey-5-57",      KP_COSE_ES256, NULL,          0, "packed",      "basic" },
        { "yubikey-5-57",      KP_COSE_EDDSA, NULL,          0, "packed",      "basic" },
        { "opensk",            KP_COSE_ES256, NULL,          0, "packed",      "self" },
        { "windows-hello-hw",  KP_COSE_RS256, NULL,          0, "tpm",         "attca" },
        { "windows-hello-sw",  KP_COSE_RS256, NULL,          0, "packed",      "self" },
        { "android-platform-key", KP_COSE_ES256, NULL,          0, "android-key", "basic" },
        { "apple-platform",    KP_COSE_ES256, NULL,          0, "apple",       "anonca" },
        { "keypilot-23",       KP_COSE_ES256, "fido-u2f",    0, "fido-u2f",    "basic" },
        { "keypilot-23",       KP_COSE_ES384, "fido-u2f",    0, "packed",      "basic" },
        { "attests-all",       KP_COSE_ES256, "example",     0, "packed",      "basic" },
        { "keypilot-23",       KP_COSE_ES512, "none",        0, "none",        "none" },
        { "keypilot-23",       KP_COSE_RS256, NULL,          0, "packed",      "basic" },
        { "attests-tpm",       KP_COSE_ES256, NULL,          0, "tpm",         "attca" },
        { "attests-tpm",       KP_COSE_ES384, NULL,          0, "tpm",         "attca" },
        { "attests-tpm",       KP_COSE_ES512, NULL,          0, "tpm",         "attca" },
        { "attests-all",       KP_COSE_ES256, NULL,          0, "packed",      "basic" },
        { "attests-all",       KP_COSE_ES256, "packed",      0, "packed",      "basic" },
        { "attests-all",       KP_COSE_ES256, "tpm",         0, "tpm",         "attca" },
        { "attests-all",       KP_COSE_EDDSA, "tpm",         0, "packed",      "basic" },
        { "attests-all",       KP_COSE_ES256, "android-key", 0, "android-key", "basic" },
        { "attests-all",       KP_COSE_ES384, "android-key", 0, "android-key", "basic" },
        { "attests-all",       KP_COSE_ES512, "android-key", 0, "android-key", "basic" },
        { "attests-all",       KP_COSE_EDDSA, "android-key", 0, "android-key", "basic" },
        { "attests-all",       KP_COSE_RS256, "android-key", 0, "android-key", "basic" },
        { "attests-all",       KP_COSE_ES256, "fido-u2f",    0, "fido-u2f",    "basic" },
        { "attests-all",       KP_COSE_ES256, "apple",       0, "apple",       "anonca" },
        { "attests-all",       KP_COSE_RS256, "apple",       0, "apple",       "anonca" },
        { "attests-all",       KP_COSE_ES256, "none",        0, "none",        "none" },
        { "attests-all",       KP_COSE_ES256, NULL,          2, "packed",      "basic" },
        { "attests-all",       KP_COSE_EDDSA, "tpm",         2, "packed",      "basic" },
};
/* clang-format on */

static char client_data[256];
static uint8_t client_hash[32];
static X509 *root;
static struct kp_rp_expectation expect;

static UNUSED X509 *
read_root(void)
{
        KP_CLEANUP(kp_free_str)
        char *path =
                kp_format("%s/keys/attestation-root.pem", getenv("KEYPILOT_FIXTURES"));
        KP_CLEANUP(kp_free_file) FILE *file = fopen(path, "r");

        cr_assert_not_null(file);
        return PEM_read_X509(file, NULL, NULL, NULL);
}

static UNUSED void
setup(void)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, challenge, sizeof(challenge));
        (void)snprintf(client_data, sizeof(client_data),
                "{\"type\":\"webauthn.create\",\"challenge\":\"%s\",\"origin\":"
                "\"" ORIGIN "\",\"crossOrigin\":false}",
                kp_buf_str(&text));
        SHA256((const uint8_t *)client_data, strlen(client_data), client_hash);
        root = read_root();
        expect = (struct kp_rp_expectation){ .mode = KP_RP_STRICT,
                .rp_ids = { "example.org" },
                .n_rp_ids = 1,
                .origins = { ORIGIN },
                .n_origins = 1,
                .challenge = challenge,
                .challenge_len = sizeof(challenge),
                .anchors = { root },
                .n_anchors = 1,
                .now_ms = KP_CLOCK_START_MS };
}

static UNUSED void
teardown(void)
{
        X509_free(root);
}

/* A key of the fixtures, or one of those that are made up beside this file. */
static UNUSED void
open_key(struct rig *rig, const char *id)
{
        KP_CLEANUP(kp_free_str)
        char *made = kp_format(
                "%s/tests/authenticator/keys/%s.json", getenv("KEYPILOT_SOURCE"), id);
        struct kp_error err = { 0 };
        char why[1024];

        if (!kp_file_exists(made)) {
                rig_open(rig, id);
                return;
        }
        *rig = (struct rig){ .now_ms = 1000 };
        cr_assert_eq(kp_authenticator_profile_load_from(
                             getenv("KEYPILOT_FIXTURES"), made, &rig->profile, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(kp_random_new_seeded("rig", id, &rig->random, &err), 0);
        cr_assert_eq(kp_authenticator_new(
                             rig->profile, rig->random, rig->now_ms, &rig->key, &err),
                0);
}

static UNUSED void
put_uv(struct kp_buf *m)
{
        kp_cbor_put_int(m, 7);
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "uv");
        kp_cbor_put_bool(m, true);
}

/* makeCredential over true client data; platform keys verify their person. */
static UNUSED uint8_t
make(struct rig *rig, const struct wish *wish)
{
        struct kp_buf m = { 0 };
        bool uv = kp_authenticator_profile_facts(rig->profile)->options[KP_OPTION_UV] ==
                  1;

        kp_buf_put_u8(&m, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(&m, 4 + (size_t)uv + (size_t)(wish->enterprise != 0) +
                                    (size_t)(wish->format != NULL));
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_bytes(&m, client_hash, sizeof(client_hash));
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_map(&m, 1);
        kp_cbor_put_text(&m, "id");
        kp_cbor_put_text(&m, "example.org");
        kp_cbor_put_int(&m, 3);
        kp_cbor_put_map(&m, 1);
        kp_cbor_put_text(&m, "id");
        kp_cbor_put_bytes(&m, "u", 1);
        kp_cbor_put_int(&m, 4);
        kp_cbor_put_array(&m, 1);
        kp_cbor_put_map(&m, 2);
        kp_cbor_put_text(&m, "alg");
        kp_cbor_put_int(&m, wish->alg);
        kp_cbor_put_text(&m, "type");
        kp_cbor_put_text(&m, "public-key");
        if (uv)
                put_uv(&m);
        if (wish->enterprise != 0) {
                kp_cbor_put_int(&m, 10);
                kp_cbor_put_int(&m, wish->enterprise);
        }
        if (wish->format != NULL) {
                kp_cbor_put_int(&m, 11);
                kp_cbor_put_array(&m, 1);
                kp_cbor_put_text(&m, wish->format);
        }
        return rig_send(rig, &m);
}

/* The answer as a browser hands it over: RegistrationResponseJSON. */
static UNUSED json_t *
response_of(const struct rig *rig)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf object = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf client = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        struct kp_authdata data = rig_auth_data(rig);

        kp_cbor_put_map(&object, 3);
        kp_cbor_put_text(&object, "fmt");
        kp_cbor_put_item(&object, kp_cbor_at_int(rig->map, 1));
        kp_cbor_put_text(&object, "attStmt");
        kp_cbor_put_item(&object, kp_cbor_at_int(rig->map, 3));
        kp_cbor_put_text(&object, "authData");
        kp_cbor_put_item(&object, kp_cbor_at_int(rig->map, 2));
        kp_b64url_put(&text, object.data, object.len);
        kp_b64url_put(&client, client_data, strlen(client_data));
        kp_b64url_put(&id, data.credential_id, data.credential_id_len);
        return json_pack("{s:s, s:s, s:s, s:s, s:{}, s:{s:s, s:s}}", "id",
                kp_buf_str(&id), "rawId", kp_buf_str(&id), "type", "public-key",
                "authenticatorAttachment", "cross-platform", "clientExtensionResults",
                "response", "clientDataJSON", kp_buf_str(&client), "attestationObject",
                kp_buf_str(&text));
}

#endif
