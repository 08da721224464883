/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/ecdsa.h>

#include "keypilot/rp/mds.h"

#include "statements.h"

/*
 * Metadata made here: the BLOB is signed under a root of its own, the keys attest under
 * the root of statements.h.
 */
#define AAGUID_TEXT "61616775-6964-2d6f-662d-612d74657374" /* test_aaguid */
#define NOW INT64_C(1788249600000)                         /* 2026-09-01 */

#define MIDNIGHT (NOW - INT64_C(8) * 3600 * 1000)

static EVP_PKEY *blob_root_key, *blob_key;
static X509 *blob_root, *blob_leaf;

static X509 *
signed_leaf(EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
        X509 *certificate = certificate_begin(key, X509_VERSION_3, 7);
        X509_NAME *subject = X509_get_subject_name(certificate);

        name_put(subject, "C", "NL");
        name_put(subject, "O", "Testers");
        name_put(subject, "OU", "Authenticator Attestation");
        name_put(subject, "CN", "Key");
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
        extension_put(certificate, NID_basic_constraints, "critical,CA:FALSE");
        cr_assert_gt(X509_sign(certificate, issuer_key, EVP_sha256()), 0);
        return certificate;
}

static void
begin(void)
{
        setup();
        expect.n_anchors = 0;
        blob_root_key = EVP_EC_gen("P-256");
        blob_key = EVP_EC_gen("P-256");
        blob_root = make_root(blob_root_key, "Metadata Root");
        blob_leaf = signed_leaf(blob_key, blob_root, blob_root_key);
}

static void
end(void)
{
        kp_rp_mds_free((struct kp_rp_mds **)&expect.metadata);
        X509_free(blob_root);
        X509_free(blob_leaf);
        EVP_PKEY_free(blob_root_key);
        EVP_PKEY_free(blob_key);
        teardown();
}

TestSuite(mds, .init = begin, .fini = end);

static json_t *
b64_certificate(X509 *certificate)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        unsigned char *der = NULL;
        int der_len = i2d_X509(certificate, &der);

        kp_b64_put(&text, der, (size_t)der_len);
        OPENSSL_free(der);
        return json_string(kp_buf_str(&text));
}

/* An entry for the test's model: attests under `root`, ES256, all well. */
static json_t *
usual_entry(void)
{
        return json_pack("{s:s, s:{s:[s], s:[s], s:[o]}, s:[{s:s, s:s}], s:s}",
                "aaguid", AAGUID_TEXT, "metadataStatement", "attestationTypes",
                "basic_full", "authenticationAlgorithms", "secp256r1_ecdsa_sha256_raw",
                "attestationRootCertificates", b64_certificate(root), "statusReports",
                "status", "FIDO_CERTIFIED_L1", "effectiveDate", "2024-01-01",
                "timeOfLastStatusChange", "2024-01-01");
}

static json_t *
payload_of(json_t *entry)
{
        return json_pack("{s:s, s:i, s:s, s:[o]}", "legalHeader", "made up", "no", 12,
                "nextUpdate", "2026-10-01", "entries", entry);
}

static void
put_part(struct kp_buf *ret, const json_t *part)
{
        char *text = json_dumps(part, JSON_COMPACT);

        kp_b64url_put(ret, text, strlen(text));
        free(text);
}

static void
put_raw_signature(struct kp_buf *ret, EVP_PKEY *key, const struct kp_buf *message)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf der = { 0 };
        const unsigned char *at;
        uint8_t raw[64];
        ECDSA_SIG *sig;

        sign_with(key, KP_COSE_ES256, message, &der);
        at = der.data;
        sig = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
        BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
        ECDSA_SIG_free(sig);
        kp_b64url_put(ret, raw, sizeof(raw));
}

/* `payload` is given up. */
static struct kp_buf
sign_blob(json_t *payload, const char *alg, bool x5c, EVP_PKEY *signer)
{
        json_auto_t *header = json_pack("{s:s, s:s}", "typ", "JWT", "alg", alg);
        struct kp_buf blob = { 0 };

        if (x5c)
                json_object_set_new(
                        header, "x5c", json_pack("[o]", b64_certificate(blob_leaf)));
        put_part(&blob, header);
        kp_buf_puts(&blob, ".");
        put_part(&blob, payload);
        json_decref(payload);
        KP_CLEANUP(kp_buf_done) struct kp_buf signature = { 0 };
        put_raw_signature(&signature, signer, &blob);
        kp_buf_puts(&blob, ".");
        kp_buf_puts(&blob, kp_buf_str(&signature));
        return blob;
}

static int
read_at(struct kp_buf blob, int64_t now_ms, char why[512])
{
        struct kp_rp_mds *mds = NULL;
        struct kp_error err = { 0 };
        int status =
                kp_rp_mds_read(blob.data, blob.len, &blob_root, 1, now_ms, &mds, &err);

        kp_error_format(&err, why, 512);
        kp_rp_mds_free((struct kp_rp_mds **)&expect.metadata);
        expect.metadata = mds;
        kp_buf_done(&blob);
        return status;
}

static void
load(json_t *entry)
{
        char why[512];

        cr_assert_eq(read_at(sign_blob(payload_of(entry), "ES256", true, blob_key), NOW,
                             why),
                0, "%s", why);
}

static json_t *
registration_under(X509 *issuer, EVP_PKEY *issuer_key, long firmware)
{
        KP_CLEANUP(kp_free_x509)
        X509 *leaf = signed_leaf(leaf_key, issuer, issuer_key);
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
        const uint8_t version[] = { 2, 1, (uint8_t)firmware };

        if (firmware >= 0) {
                der_put(leaf, "1.3.6.1.4.1.45724.1.1.5", version, sizeof(version));
                cr_assert_gt(X509_sign(leaf, issuer_key, EVP_sha256()), 0);
        }
        maker_parts(&m, true);
        sign_with(leaf_key, KP_COSE_ES256, &m.hash_input, &sig);
        kp_cbor_put_map(&statement, 3);
        kp_cbor_put_text(&statement, "alg");
        kp_cbor_put_int(&statement, KP_COSE_ES256);
        kp_cbor_put_text(&statement, "sig");
        kp_cbor_put_bytes(&statement, sig.data, sig.len);
        put_x5c(&statement, &leaf, 1);
        return maker_registration(&m, &statement);
}

static json_t *
registration(void)
{
        return registration_under(root, root_key, -1);
}

Test(mds, gives_the_anchors_of_the_model)
{
        load(usual_entry());
        cr_assert_eq(kp_rp_mds_number(expect.metadata), 12);
        cr_assert_eq(kp_rp_mds_n_entries(expect.metadata), 1);
        struct kp_rp_result result = verify(registration());
        cr_assert(result.accepted);
        cr_assert(result.credential.trusted);
        cr_assert_str_eq(result.credential.type, "basic");
        kp_rp_result_done(&result);
}

Test(mds, refuses_a_key_that_another_root_attests)
{
        EVP_PKEY *other_key = EVP_EC_gen("P-256");
        X509 *other = make_root(other_key, "Another Root");
        X509 *same_name = make_root(other_key, "Test Root");

        load(usual_entry());
        cr_expect_str_eq(refusal(registration_under(other, other_key, -1)), "metadata");
        cr_expect_str_eq(
                refusal(registration_under(same_name, other_key, -1)), "trust-path");
        X509_free(other);
        X509_free(same_name);
        EVP_PKEY_free(other_key);
}

Test(mds, knows_no_model_with_another_aaguid)
{
        static const uint8_t other[16] = "another-aaguid-0";

        load(usual_entry());
        m.aaguid = other;
        cr_expect_str_eq(refusal(registration()), "metadata");
        /* with an anchor of one's own the metadata is not needed */
        expect.anchors[expect.n_anchors++] = root;
        cr_expect_str_eq(refusal(registration()), "");
}

Test(mds, the_leaf_itself_may_be_the_anchor)
{
        KP_CLEANUP(kp_free_x509) X509 *leaf = signed_leaf(leaf_key, root, root_key);
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
        json_t *entry = usual_entry();

        json_object_set_new(json_object_get(entry, "metadataStatement"),
                "attestationRootCertificates", json_pack("[o]", b64_certificate(leaf)));
        load(entry);
        maker_parts(&m, true);
        sign_with(leaf_key, KP_COSE_ES256, &m.hash_input, &sig);
        kp_cbor_put_map(&statement, 3);
        kp_cbor_put_text(&statement, "alg");
        kp_cbor_put_int(&statement, KP_COSE_ES256);
        kp_cbor_put_text(&statement, "sig");
        kp_cbor_put_bytes(&statement, sig.data, sig.len);
        put_x5c(&statement, &leaf, 1);
        cr_expect_str_eq(refusal(maker_registration(&m, &statement)), "");
}

Test(mds, refuses_models_with_a_known_danger_from_its_day_on)
{
        static const char *const dangers[] = { "REVOKED", "USER_VERIFICATION_BYPASS",
                "ATTESTATION_KEY_COMPROMISE", "USER_KEY_REMOTE_COMPROMISE",
                "USER_KEY_PHYSICAL_COMPROMISE" };
        static const char *const fine[] = { "NOT_FIDO_CERTIFIED", "FIDO_CERTIFIED",
                "SELF_ASSERTION_SUBMITTED", "UPDATE_AVAILABLE", "FIDO_CERTIFIED_L3plus",
                "A_WORD_OF_TOMORROW" };

        for (size_t i = 0; i < KP_NELEMS(dangers); i++) {
                json_t *entry = usual_entry();

                json_array_append_new(json_object_get(entry, "statusReports"),
                        json_pack("{s:s, s:s}", "status", dangers[i], "effectiveDate",
                                "2026-09-01"));
                load(entry);
                cr_expect_str_eq(refusal(registration()), "metadata", "%s", dangers[i]);
                cr_expect(strstr(why_refused(registration()), dangers[i]) != NULL);
                expect.now_ms = MIDNIGHT - 1;
                cr_expect_str_eq(refusal(registration()), "", "%s", dangers[i]);
                expect.now_ms = NOW;
        }
        for (size_t i = 0; i < KP_NELEMS(fine); i++) {
                json_t *entry = usual_entry();

                json_array_append_new(json_object_get(entry, "statusReports"),
                        json_pack("{s:s}", "status", fine[i]));
                load(entry);
                cr_expect_str_eq(refusal(registration()), "", "%s", fine[i]);
        }
}

Test(mds, an_update_mends_what_a_newer_firmware_has)
{
        static const struct {
                const char *danger;
                long firmware;
                const char *refused;
        } cases[] = { { "USER_VERIFICATION_BYPASS", -1, "metadata" },
                { "USER_VERIFICATION_BYPASS", 4, "metadata" },
                { "USER_VERIFICATION_BYPASS", 5, "" },
                { "USER_VERIFICATION_BYPASS", 6, "" }, { "REVOKED", 6, "metadata" } };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                json_t *entry = usual_entry();
                json_auto_t *reports = json_pack("[{s:s, s:s}, {s:s, s:s, s:i}]",
                        "status", cases[i].danger, "effectiveDate", "2026-01-01",
                        "status", "UPDATE_AVAILABLE", "effectiveDate", "2026-02-01",
                        "authenticatorVersion", 5);

                json_array_extend(json_object_get(entry, "statusReports"), reports);
                load(entry);
                cr_expect_str_eq(
                        refusal(registration_under(root, root_key, cases[i].firmware)),
                        cases[i].refused, "%s, firmware %ld", cases[i].danger,
                        cases[i].firmware);
        }
}

Test(mds, says_that_an_update_is_there)
{
        json_t *entry = usual_entry();
        struct kp_rp_result result;

        json_array_append_new(json_object_get(entry, "statusReports"),
                json_pack("{s:s, s:i}", "status", "UPDATE_AVAILABLE",
                        "authenticatorVersion", 5));
        load(entry);
        result = verify(registration_under(root, root_key, 4));
        cr_expect(result.accepted);
        cr_assert_eq(result.n_warnings, 1);
        cr_expect_str_eq(result.warnings[0].id, "metadata");
        kp_rp_result_done(&result);
}

Test(mds, a_compromised_certificate_speaks_only_against_its_own_keys)
{
        EVP_PKEY *other_key = EVP_EC_gen("P-256");
        X509 *other = make_root(other_key, "Another Root");
        X509 *const named[] = { root, other };
        static const char *const refused[] = { "metadata", "" };

        for (size_t i = 0; i < KP_NELEMS(named); i++) {
                json_t *entry = usual_entry();

                json_array_append_new(json_object_get(entry, "statusReports"),
                        json_pack("{s:s, s:o}", "status", "ATTESTATION_KEY_COMPROMISE",
                                "certificate", b64_certificate(named[i])));
                load(entry);
                cr_expect_str_eq(refusal(registration()), refused[i], "%zu", i);
        }
        X509_free(other);
        EVP_PKEY_free(other_key);
}

Test(mds, compares_types_and_algorithms_with_the_model)
{
        static const struct {
                const char *member, *value, *refused;
        } cases[] = {
                { "attestationTypes", "basic_full", "" },
                { "attestationTypes", "attca", "" },
                { "attestationTypes", "anonca", "" },
                { "attestationTypes", "basic_surrogate", "metadata" },
                { "attestationTypes", "ecdaa", "metadata" },
                { "attestationTypes", "none", "metadata" },
                { "authenticationAlgorithms", "secp256r1_ecdsa_sha256_der", "" },
                { "authenticationAlgorithms", "ed25519_eddsa_sha512_raw", "metadata" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                json_t *entry = usual_entry();

                json_object_set_new(json_object_get(entry, "metadataStatement"),
                        cases[i].member, json_pack("[s]", cases[i].value));
                load(entry);
                cr_expect_str_eq(refusal(registration()), cases[i].refused, "%s",
                        cases[i].value);
        }
}

Test(mds, self_attestation_is_for_models_that_have_it)
{
        json_t *entry = usual_entry();
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };

        maker_parts(&m, true);
        sign_with(m.key, KP_COSE_ES256, &m.hash_input, &sig);
        kp_cbor_put_map(&statement, 2);
        kp_cbor_put_text(&statement, "alg");
        kp_cbor_put_int(&statement, KP_COSE_ES256);
        kp_cbor_put_text(&statement, "sig");
        kp_cbor_put_bytes(&statement, sig.data, sig.len);
        load(json_deep_copy(entry));
        cr_expect_str_eq(refusal(maker_registration(&m, &statement)), "metadata");
        json_object_set_new(json_object_get(entry, "metadataStatement"),
                "attestationTypes", json_pack("[s]", "basic_surrogate"));
        load(entry);
        cr_expect_str_eq(refusal(maker_registration(&m, &statement)), "");
}

/* U2F keys have no AAGUID: their entry is found by the certificate's key. */
Test(mds, finds_models_without_an_aaguid_by_their_certificates)
{
        static const uint8_t none[16] = { 0 };
        json_t *entry = usual_entry();
        unsigned char digest[20];
        char name[41] = "";

        X509_pubkey_digest(root, EVP_sha1(), digest, NULL);
        for (size_t i = 0; i < sizeof(digest); i++)
                sprintf(name + 2 * i, "%02x", digest[i]);
        m.aaguid = none;
        load(json_deep_copy(entry));
        cr_expect_str_eq(refusal(registration()), "metadata", "no entry for it");

        KP_CLEANUP(kp_free_x509) X509 *leaf = signed_leaf(leaf_key, root, root_key);
        X509_pubkey_digest(leaf, EVP_sha1(), digest, NULL);
        for (size_t i = 0; i < sizeof(digest); i++)
                sprintf(name + 2 * i, "%02x", digest[i]);
        json_object_del(entry, "aaguid");
        json_object_set_new(
                entry, "attestationCertificateKeyIdentifiers", json_pack("[s]", name));
        load(entry);
        cr_expect_str_eq(refusal(registration()), "");
}

Test(mds, an_old_one_is_refused_or_told_by_policy)
{
        static const struct {
                enum kp_rp_mode mode;
                enum kp_rp_reaction reaction;
                const char *refused;
                size_t n_warnings;
        } cases[] = { { KP_RP_STRICT, KP_RP_AS_MODE, "metadata", 0 },
                { KP_RP_LENIENT, KP_RP_AS_MODE, "", 1 },
                { KP_RP_STRICT, KP_RP_WARN, "", 1 },
                { KP_RP_STRICT, KP_RP_IGNORE, "", 0 },
                { KP_RP_LENIENT, KP_RP_REFUSE, "metadata", 0 } };
        const int64_t day = INT64_C(86400000), next = MIDNIGHT + 30 * day;

        load(usual_entry());
        expect.now_ms = next + day - 1;
        cr_expect_str_eq(refusal(registration()), "", "the day itself still counts");
        expect.now_ms = next + day;
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_rp_result result;

                expect.mode = cases[i].mode;
                expect.policy.metadata_expired = cases[i].reaction;
                result = verify(registration());
                cr_expect_str_eq(result.accepted ? "" : result.refusals[0].id,
                        cases[i].refused, "%zu", i);
                cr_expect_eq(result.n_warnings, cases[i].n_warnings, "%zu", i);
                kp_rp_result_done(&result);
        }
}

Test(mds, believes_only_what_its_root_signed)
{
        EVP_PKEY *other = EVP_EC_gen("P-256");
        struct kp_buf blob;
        char why[512];

        cr_expect_lt(read_at(sign_blob(payload_of(usual_entry()), "ES256", true, other),
                             NOW, why),
                0);
        cr_expect(strstr(why, "signature") != NULL, "%s", why);
        cr_expect_lt(
                read_at(sign_blob(payload_of(usual_entry()), "none", true, blob_key),
                        NOW, why),
                0);
        cr_expect(strstr(why, "'none' is not accepted") != NULL, "%s", why);
        cr_expect_lt(
                read_at(sign_blob(payload_of(usual_entry()), "HS256", true, blob_key),
                        NOW, why),
                0);
        cr_expect_lt(
                read_at(sign_blob(payload_of(usual_entry()), "RS256", true, blob_key),
                        NOW, why),
                0, "the key is of another kind");
        /* a self-made leaf of the same name is of no use */
        X509_free(blob_leaf);
        blob_leaf = signed_leaf(other, blob_root, other);
        cr_expect_lt(read_at(sign_blob(payload_of(usual_entry()), "ES256", true, other),
                             NOW, why),
                0);
        cr_expect(strstr(why, "do not lead to") != NULL, "%s", why);
        /* without x5c the root itself has to have signed */
        cr_expect_lt(
                read_at(sign_blob(payload_of(usual_entry()), "ES256", false, other),
                        NOW, why),
                0);
        cr_expect_eq(read_at(sign_blob(payload_of(usual_entry()), "ES256", false,
                                     blob_root_key),
                             NOW, why),
                0, "%s", why);
        /* every byte counts */
        blob = sign_blob(payload_of(usual_entry()), "ES256", false, blob_root_key);
        blob.data[blob.len / 2] ^= 1;
        cr_expect_lt(read_at(blob, NOW, why), 0);
        EVP_PKEY_free(other);
}

Test(mds, its_certificates_have_their_time)
{
        char why[512];

        cr_expect_lt(
                read_at(sign_blob(payload_of(usual_entry()), "ES256", true, blob_key),
                        INT64_C(1900000001000), why),
                0);
        cr_expect(strstr(why, "expired") != NULL, "%s", why);
        cr_expect_eq(
                read_at(sign_blob(payload_of(usual_entry()), "ES256", true, blob_key),
                        0, why),
                0, "%s", why);
}

Test(mds, says_what_is_wrong_and_where)
{
        static const struct {
                const char *payload, *why;
        } wrong[] = {
                { "{}", "'no'" },
                { "{\"no\":1}", "'nextUpdate'" },
                { "{\"no\":1,\"nextUpdate\":\"soon\",\"entries\":[]}", "'nextUpdate'" },
                { "{\"no\":1,\"nextUpdate\":\"2026-10-01\"}", "'entries'" },
                { "{\"no\":1,\"nextUpdate\":\"2026-10-01\",\"entries\":[7]}",
                        "entries[0]" },
                { "{\"no\":1,\"nextUpdate\":\"2026-10-01\",\"entries\":[{}]}",
                        "'statusReports'" },
                { "{\"no\":1,\"nextUpdate\":\"2026-10-01\",\"entries\":["
                  "{\"statusReports\":[{}]}]}",
                        "'statusReports[0].status'" },
                { "{\"no\":1,\"nextUpdate\":\"2026-10-01\",\"entries\":["
                  "{\"statusReports\":[],\"aaguid\":\"x\"}]}",
                        "'aaguid'" },
                { "{\"no\":1,\"nextUpdate\":\"2026-10-01\",\"entries\":["
                  "{\"statusReports\":[],\"aaguid\":\"" AAGUID_TEXT "\"},"
                  "{\"statusReports\":[],\"aaguid\":\"" AAGUID_TEXT "\"}]}",
                        "stands in two entries" },
                { "{\"no\":1,\"nextUpdate\":\"2026-10-01\",\"entries\":["
                  "{\"statusReports\":[],\"attestationCertificateKeyIdentifiers\":"
                  "[\"ABCDEF\"]}]}",
                        "KeyIdentifiers[0]" },
        };
        static const char *const no_jwt[] = { "", "a", "a.b", "..", "e30.e30.",
                "e30.e30.AAAA", "eyJhIjoxLCJhIjoyfQ.e30.AAAA", "e30=.e30.AAAA",
                "e30.e30.AAAA.AAAA", "W10.e30.AAAA" };
        char why[512];

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                json_t *payload = json_loads(wrong[i].payload, 0, NULL);

                cr_expect_lt(
                        read_at(sign_blob(payload, "ES256", true, blob_key), NOW, why),
                        0, "%s", wrong[i].payload);
                cr_expect(strstr(why, wrong[i].why) != NULL, "%s: %s", wrong[i].payload,
                        why);
        }
        for (size_t i = 0; i < KP_NELEMS(no_jwt); i++) {
                struct kp_buf blob = { 0 };

                kp_buf_puts(&blob, no_jwt[i]);
                cr_expect_lt(read_at(blob, NOW, why), 0, "%s", no_jwt[i]);
        }
}

/* Spec: WebAuthn L3 §7.1, its last paragraph: chains that clients leave incomplete */
Test(mds, a_known_intermediate_completes_a_path_and_ends_none)
{
        EVP_PKEY *ca_key = EVP_EC_gen("P-256");
        X509 *ca = certificate_begin(ca_key, X509_VERSION_3, 9);

        name_put(X509_get_subject_name(ca), "CN", "Test CA");
        X509_set_issuer_name(ca, X509_get_subject_name(root));
        extension_put(ca, NID_basic_constraints, "critical,CA:TRUE");
        cr_assert_gt(X509_sign(ca, root_key, EVP_sha256()), 0);
        expect.anchors[expect.n_anchors++] = root;
        cr_expect_str_eq(refusal(registration_under(ca, ca_key, -1)), "trust-path");
        expect.issuers[expect.n_issuers++] = ca;
        cr_expect_str_eq(refusal(registration_under(ca, ca_key, -1)), "");
        expect.n_anchors = 0;
        expect.trust = KP_TRUST_ANCHORS;
        cr_expect_str_eq(refusal(registration_under(ca, ca_key, -1)), "trust-path");
        X509_free(ca);
        EVP_PKEY_free(ca_key);
}

Test(mds, of_models_with_one_certificate_key_the_worst_counts)
{
        static const uint8_t none[16] = { 0 };
        KP_CLEANUP(kp_free_x509) X509 *leaf = signed_leaf(leaf_key, root, root_key);
        unsigned char digest[20];
        char name[41] = "", why[512];
        json_t *payload, *revoked;

        X509_pubkey_digest(leaf, EVP_sha1(), digest, NULL);
        for (size_t i = 0; i < sizeof(digest); i++)
                sprintf(name + 2 * i, "%02x", digest[i]);
        json_t *good = usual_entry();
        json_object_del(good, "aaguid");
        json_object_set_new(
                good, "attestationCertificateKeyIdentifiers", json_pack("[s]", name));
        revoked = json_deep_copy(good);
        json_array_append_new(json_object_get(revoked, "statusReports"),
                json_pack("{s:s}", "status", "REVOKED"));
        payload = payload_of(good);
        json_array_append_new(json_object_get(payload, "entries"), revoked);
        m.aaguid = none;
        cr_assert_eq(read_at(sign_blob(payload, "ES256", true, blob_key), NOW, why), 0,
                "%s", why);
        cr_expect_str_eq(refusal(registration()), "metadata");
}
