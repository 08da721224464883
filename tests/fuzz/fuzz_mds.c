/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/core/json.h"
#include "keypilot/rp/mds.h"
#include "keypilot/rp/policy.h"

#include "../../bench/rp_made.h"
#include "fuzz.h"

/*
 * Signed JSON and metadata: the bytes as a whole BLOB, and as a payload that was signed
 * under the right root, which then judges a registration. As policies they are JSON too.
 */
static struct made made;
static EVP_PKEY *blob_key;
static X509 *blob_root;

static void
stop(void)
{
        made_end(&made);
        EVP_PKEY_free(blob_key);
        X509_free(blob_root);
}

static void
start(void)
{
        if (blob_key != NULL)
                return;
        made_begin(&made);
        blob_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        must(blob_key != NULL, "key");
        blob_root = X509_new();
        X509_set_version(blob_root, X509_VERSION_3);
        X509_set_pubkey(blob_root, blob_key);
        must(X509_sign(blob_root, blob_key, NULL) > 0 && atexit(stop) == 0, "root");
}

static void
judge(const struct kp_rp_mds *mds, enum kp_rp_mode mode)
{
        struct kp_rp_expectation expect = { .mode = mode,
                .rp_ids = { MADE_RP_ID },
                .n_rp_ids = 1,
                .origins = { MADE_ORIGIN },
                .n_origins = 1,
                .challenge = made_challenge,
                .challenge_len = sizeof(made_challenge),
                .metadata = mds,
                .now_ms = INT64_C(1788249600000) };
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = { 0 };
        KP_CLEANUP(kp_json_free) json_t *response = NULL;
        struct kp_error err = { 0 };

        must(kp_json_parse("made", made.registration, strlen(made.registration),
                     &response, &err) == 0,
                "registration");
        kp_any(kp_rp_verify_registration(&expect, response, true, &result, &err));
}

static void
read_blob(const struct kp_buf *text)
{
        KP_CLEANUP(kp_rp_mds_free) struct kp_rp_mds *mds = NULL;
        struct kp_error err = { 0 };

        if (kp_rp_mds_read(text->data, text->len, &blob_root, 1, 0, &mds, &err) < 0)
                return;
        judge(mds, KP_RP_STRICT);
        judge(mds, KP_RP_LENIENT);
}

static void
read_payload(const uint8_t *data, size_t size)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf blob = { 0 }, signature = { 0 };
        struct kp_error err = { 0 };

        kp_b64url_put(&blob, "{\"alg\":\"EdDSA\"}", 15);
        kp_buf_puts(&blob, ".");
        kp_b64url_put(&blob, data, size);
        must(kp_cose_sign(KP_COSE_EDDSA, blob_key, blob.data, blob.len, &signature,
                     &err) == 0,
                "signature");
        kp_buf_puts(&blob, ".");
        kp_b64url_put(&blob, signature.data, signature.len);
        read_blob(&blob);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct kp_rp_expectation expect = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        KP_CLEANUP(kp_json_free) json_t *json = NULL;
        struct kp_error err = { 0 };

        start();
        kp_buf_put(&text, data, size);
        read_blob(&text);
        read_payload(data, size);
        if (kp_json_parse("fuzz", data, size, &json, &err) == 0)
                kp_any(kp_rp_policy_read(json, &expect, &err));
        return 0;
}

static void
put_root(struct kp_buf *ret)
{
        unsigned char *der = NULL;
        int der_len = i2d_X509(made.root, &der);

        must(der_len > 0, "root");
        kp_b64_put(ret, der, (size_t)der_len);
        OPENSSL_free(der);
}

bool
kp_fuzz_seed(size_t i, struct kp_buf *ret)
{
        /* the made passkey's AAGUID, "aaguid of a test" */
        static const char entry[] =
                "{\"legalHeader\":\"x\",\"no\":3,\"nextUpdate\":\"2026-10-01\","
                "\"entries\":[{\"aaguid\":\"61616775-6964-206f-6620-612074657374\","
                "\"metadataStatement\":{\"attestationTypes\":[\"basic_full\"],"
                "\"authenticationAlgorithms\":[\"secp256r1_ecdsa_sha256_raw\"],"
                "\"attestationRootCertificates\":[\"";
        static const char rest[] =
                "\"]},\"statusReports\":[{\"status\":\"UPDATE_AVAILABLE\","
                "\"effectiveDate\":\"2025-01-01\",\"authenticatorVersion\":5},"
                "{\"status\":\"REVOKED\",\"effectiveDate\":\"2027-01-01\","
                "\"certificate\":\"AAAA\"}]},{\"attestationCertificateKeyIdentifiers\":"
                "[\"0123456789abcdef0123456789abcdef01234567\"],\"statusReports\":[]}]"
                "}";

        start();
        switch (i) {
        case 0:
                kp_buf_puts(ret, entry);
                put_root(ret);
                kp_buf_puts(ret, rest);
                return true;
        case 1:
                kp_buf_puts(ret, "eyJhbGciOiJFUzI1NiIsIng1YyI6WyJNQUE9Il19.e30.AAAA");
                return true;
        case 2:
                kp_buf_puts(ret,
                        "{\"id\":\"x\",\"title\":{\"en\":\"x\",\"nl\":\"x\"},"
                        "\"source\":\"x\",\"counter\":\"warn\",\"algorithms\":[-7],"
                        "\"origins\":[\"https://a.example\"],\"backup\":{\"eligible\":"
                        "\"no\"},\"attestation\":{\"formats\":[\"packed\"],"
                        "\"aaguids\":[\"61616775-6964-206f-6620-612074657374\"]}}");
                return true;
        default:
                return false;
        }
}
