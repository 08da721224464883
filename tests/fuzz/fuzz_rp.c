/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/clock.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/core/json.h"
#include "keypilot/rp/options.h"
#include "keypilot/rp/record.h"
#include "keypilot/rp/rp.h"

#include "fuzz.h"

/* A stranger's bytes as each part of a response, in both modes, every check run. */
static json_t *
base64url(const void *bytes, size_t bytes_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes, bytes_len);
        return json_string(kp_buf_str(&text));
}

static json_t *
form(const char *part, const uint8_t *data, size_t size)
{
        json_t *response = json_pack("{s:s, s:s, s:s, s:s}", "clientDataJSON", "e30",
                "attestationObject", "oA", "authenticatorData", "AAAA", "signature",
                "AAAA");

        json_object_set_new(response, part, base64url(data, size));
        return json_pack("{s:s, s:s, s:s, s:o, s:{}}", "id", "AQID", "rawId", "AQID",
                "type", "public-key", "response", response, "clientExtensionResults");
}

static void
judge(const struct kp_rp_expectation *expect, const uint8_t *data, size_t size)
{
        static const char *const parts[] = { "clientDataJSON", "attestationObject",
                "authenticatorData", "signature" };

        for (size_t i = 0; i < KP_NELEMS(parts); i++) {
                KP_CLEANUP(kp_rp_result_done) struct kp_rp_result made = { 0 };
                KP_CLEANUP(kp_rp_result_done) struct kp_rp_result got = { 0 };
                KP_CLEANUP(kp_rp_credential_done)
                struct kp_rp_credential stored = { 0 };
                json_auto_t *response = form(parts[i], data, size);
                struct kp_error err = { 0 };

                kp_buf_put(&stored.id, "\1\2\3", 3);
                kp_buf_put(&stored.public_key, data, size);
                kp_any(kp_rp_verify_registration(expect, response, true, &made, &err));
                kp_any(kp_rp_verify_authentication(
                        expect, &stored, response, true, &got, &err));
        }
}

/* The same bytes as a file: a response, options or a record, where they are JSON. */
static void
read_file(const struct kp_rp_expectation *expect, const uint8_t *data, size_t size)
{
        KP_CLEANUP(kp_rp_options_done) struct kp_rp_options create = { 0 }, get = { 0 };
        KP_CLEANUP(kp_rp_credential_done) struct kp_rp_credential record = { 0 };
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result made = { 0 }, got = { 0 };
        KP_CLEANUP(kp_json_free) json_t *json = NULL;
        static const char origin[] = "https://example.org";
        struct kp_error err = { 0 };

        if (kp_json_parse("fuzz", data, size, &json, &err) < 0)
                return;
        kp_any(kp_rp_options_read_creation(json, origin, NULL, &create, &err));
        kp_any(kp_rp_options_read_request(json, origin, NULL, &get, &err));
        kp_any(kp_rp_credential_read(json, &record, &err));
        kp_any(kp_rp_verify_registration(expect, json, true, &made, &err));
        kp_any(kp_rp_verify_authentication(expect, &record, json, true, &got, &err));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct kp_rp_expectation expect = { .rp_ids = { "example.org" },
                .n_rp_ids = 1,
                .origins = { "https://example.org" },
                .n_origins = 1,
                .challenge = (const uint8_t *)"challenge",
                .challenge_len = 9,
                .now_ms = KP_CLOCK_START_MS };

        read_file(&expect, data, size);
        judge(&expect, data, size);
        expect.mode = KP_RP_LENIENT;
        expect.policy.unasked_extensions = KP_RP_WARN;
        judge(&expect, data, size);
        expect.policy.limited_client_data = true;
        judge(&expect, data, size);
        return 0;
}

static void
put_object(struct kp_buf *ret, const char *fmt, const char *stmt, size_t stmt_len)
{
        static const uint8_t hash[32] = { 1 }, aaguid[16] = { 2 };
        static const uint8_t ed25519[] =
                "\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"
                "\x3d\x40\x17\xc3\xe8\x43\x89\x5a\x92\xb7\x0a\xa7\x4d\x1b"
                "\x7e\xbc\x9c\x98\x2c\xcf\x2e\xc4\x96\x8c\xc0\xcd\x55\xf1"
                "\x2a\xf4\x66\x0c";
        KP_CLEANUP(kp_buf_done) struct kp_buf auth = { 0 };
        struct kp_authdata data = { .rp_id_hash = hash,
                .flags = KP_AUTHDATA_UP,
                .aaguid = aaguid,
                .credential_id = (const uint8_t *)"\1\2\3",
                .credential_id_len = 3,
                .public_key = ed25519,
                .public_key_len = sizeof(ed25519) - 1 };

        kp_authdata_put(&auth, &data);
        kp_cbor_put_map(ret, 3);
        kp_cbor_put_text(ret, "fmt");
        kp_cbor_put_text(ret, fmt);
        kp_cbor_put_text(ret, "attStmt");
        kp_buf_put(ret, stmt, stmt_len);
        kp_cbor_put_text(ret, "authData");
        kp_cbor_put_bytes(ret, auth.data, auth.len);
}

/* ---- seeds: some of our own, and other people's vectors where they are ---- */

/* clang-format off */
#define STATEMENT(format, bytes) { format, bytes, sizeof(bytes) - 1 }
#define X5C "\x63" "x5c\x81\x44\x30\x02\x05\x00"
#define ALG_SIG "\x63" "alg\x27\x63" "sig\x41\x00"
static const struct {
        const char *format, *statement;
        size_t statement_len;
} statements[] = {
        STATEMENT("none",        "\xa0"),
        STATEMENT("packed",      "\xa2" ALG_SIG),
        STATEMENT("packed",      "\xa3" ALG_SIG X5C),
        STATEMENT("fido-u2f",    "\xa2\x63" "sig\x41\x00" X5C),
        STATEMENT("tpm",         "\xa6" ALG_SIG "\x63" "ver\x63" "2.0" X5C
                                 "\x67" "pubArea\x4a\x00\x23\x00\x0b\x00\x00\x00\x72\x00\x00"
                                 "\x68" "certInfo\x4a\xff\x54\x43\x47\x80\x17\x00\x00\x00\x00"),
        STATEMENT("android-key", "\xa3" ALG_SIG X5C),
        STATEMENT("android-safetynet", "\xa2\x63" "ver\x61" "1\x68" "response\x4c" "e30.e30.AAAA"),
        STATEMENT("apple",       "\xa1" X5C),
        STATEMENT("compound",    "\x82\xa2\x63" "fmt\x64" "none\x67" "attStmt\xa0"
                                 "\xa2\x63" "fmt\x64" "none\x67" "attStmt\xa0"),
};
/* clang-format on */

static const char *const texts[] = {
        "{\"type\":\"webauthn.create\",\"challenge\":\"Y2hhbGxlbmdl\","
        "\"origin\":\"https://example.org\",\"crossOrigin\":true,"
        "\"topOrigin\":\"https://a.example\"}",
        "{\"rp\":{\"id\":\"example.org\",\"name\":\"S\"},\"user\":{\"id\":\"AA\","
        "\"name\":\"j\",\"displayName\":\"J\"},\"challenge\":\"Y2hhbGxlbmdl\","
        "\"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":-7}],"
        "\"excludeCredentials\":[{\"type\":\"public-key\",\"id\":\"AQID\"}],"
        "\"attestation\":\"direct\"}",
        "{\"challenge\":\"Y2hhbGxlbmdl\",\"rpId\":\"example.org\","
        "\"allowCredentials\":[{\"type\":\"public-key\",\"id\":\"AQID\","
        "\"transports\":[\"usb\"]}],\"userVerification\":\"required\","
        "\"extensions\":{\"appid\":\"https://a\"}}",
        "{\"id\":\"AQID\",\"publicKey\":\"pAEBAycgBiFYIA\",\"signCount\":1,"
        "\"backupEligible\":true,\"transports\":[\"usb\"]}",
        "{\"id\":\"AQID\",\"rawId\":\"AQID\",\"type\":\"public-key\","
        "\"response\":{\"clientDataJSON\":\"e30\",\"authenticatorData\":\"AAAA\","
        "\"signature\":\"AAAA\",\"attestationObject\":\"oA\",\"userHandle\":null},"
        "\"clientExtensionResults\":{\"appid\":true}}",
};

/* Attestation objects, authenticator data and client data out of all vectors. */
static struct kp_buf vectors[512];
static size_t n_vectors;

static void
take_member(const json_t *response, const char *name)
{
        const char *text = kp_json_str(response, name, NULL);
        struct kp_error ignored = { 0 };

        if (text == NULL || n_vectors == KP_NELEMS(vectors))
                return;
        if (kp_b64url_decode(text, strlen(text), &vectors[n_vectors], &ignored) == 0)
                n_vectors++;
        else
                kp_buf_done(&vectors[n_vectors]);
}

static void
take_file(const char *path)
{
        static const char *const members[] = { "attestationObject", "authenticatorData",
                "clientDataJSON" };
        KP_CLEANUP(kp_json_free) json_t *file = NULL;
        struct kp_error ignored = { 0 };
        const json_t *vector;
        size_t i;

        if (kp_json_load_any(path, KP_JSON_MAX_BULK, &file, &ignored) < 0)
                return;
        json_array_foreach (file, i, vector)
                for (size_t k = 0; k < KP_NELEMS(members); k++)
                        if (i % 3 == k || k == 0) /* all objects, some of the rest */
                                take_member(json_object_get(
                                                    json_object_get(vector, "response"),
                                                    "response"),
                                        members[k]);
}

static void
take_vectors(void)
{
        static bool taken;
        const char *root = getenv("KEYPILOT_VECTORS");
        KP_CLEANUP(kp_free_str) char *folder = kp_format("%s/webauthn", root);
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_error ignored = { 0 };

        if (taken || root == NULL || kp_dir_list(folder, ".json", &names, &ignored) < 0)
                return;
        taken = true;
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", folder, names.names[i]);

                take_file(path);
        }
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        if (i < KP_NELEMS(statements)) {
                put_object(ret, statements[i].format, statements[i].statement,
                        statements[i].statement_len);
                return true;
        }
        i -= KP_NELEMS(statements);
        if (i < KP_NELEMS(texts)) {
                kp_buf_puts(ret, texts[i]);
                return true;
        }
        i -= KP_NELEMS(texts);
        take_vectors();
        if (i >= n_vectors)
                return false;
        *ret = vectors[i]; /* moved */
        vectors[i] = (struct kp_buf){ 0 };
        return true;
}
