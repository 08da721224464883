/* SPDX-License-Identifier: BSD-2-Clause */
#include "statements.h"

/* Statements that hold others: compound ones, and SafetyNet's signed message. */

TestSuite(many, .init = setup, .fini = teardown);

/* ---- compound ---- */

enum part { SELF, SELF_WRONG, CERTIFIED, UNTRUSTED, NONE, NESTED, UNKNOWN, SHAPELESS };

static X509 *
make_batch(EVP_PKEY *signer)
{
        X509 *leaf = certificate_begin(leaf_key, X509_VERSION_3, 3);
        X509_NAME *subject = X509_get_subject_name(leaf);

        name_put(subject, "C", "NL");
        name_put(subject, "O", "Testers");
        name_put(subject, "OU", "Authenticator Attestation");
        name_put(subject, "CN", "Key");
        X509_set_issuer_name(leaf, X509_get_subject_name(root));
        extension_put(leaf, NID_basic_constraints, "critical,CA:FALSE");
        cr_assert_gt(X509_sign(leaf, signer, EVP_sha256()), 0);
        return leaf;
}

static void
put_packed(struct kp_buf *ret, EVP_PKEY *signer, X509 *leaf)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };

        sign_with(signer, KP_COSE_ES256, &m.hash_input, &sig);
        kp_cbor_put_map(ret, leaf == NULL ? 2 : 3);
        kp_cbor_put_text(ret, "alg");
        kp_cbor_put_int(ret, KP_COSE_ES256);
        kp_cbor_put_text(ret, "sig");
        kp_cbor_put_bytes(ret, sig.data, sig.len);
        if (leaf != NULL)
                put_x5c(ret, &leaf, 1);
}

static void
put_part(struct kp_buf *ret, enum part part)
{
        static const char *const names[] = { [SELF] = "packed",
                [SELF_WRONG] = "packed",
                [CERTIFIED] = "packed",
                [UNTRUSTED] = "packed",
                [NONE] = "none",
                [NESTED] = "compound",
                [UNKNOWN] = "example",
                [SHAPELESS] = "packed" };
        KP_CLEANUP(kp_free_x509)
        X509 *leaf = make_batch(part == UNTRUSTED ? leaf_key : root_key);

        kp_cbor_put_map(ret, 2);
        kp_cbor_put_text(ret, "fmt");
        kp_cbor_put_text(ret, names[part]);
        kp_cbor_put_text(ret, "attStmt");
        if (part == SELF || part == SELF_WRONG)
                put_packed(ret, part == SELF ? m.key : leaf_key, NULL);
        else if (part == CERTIFIED || part == UNTRUSTED)
                put_packed(ret, leaf_key, leaf);
        else if (part == NESTED || part == SHAPELESS)
                kp_cbor_put_array(ret, 0);
        else
                kp_cbor_put_map(ret, 0);
}

static json_t *
compound(const enum part *parts, size_t n)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };

        m.format = "compound";
        maker_parts(&m, true);
        kp_cbor_put_array(&statement, n);
        for (size_t i = 0; i < n; i++)
                put_part(&statement, parts[i]);
        return maker_registration(&m, &statement);
}

Test(many, compound_holds_if_all_its_statements_do)
{
        static const struct {
                enum part parts[3];
                size_t n;
                const char *type;
                bool trusted;
        } right[] = {
                { { SELF, SELF }, 2, "self", false },
                { { SELF, CERTIFIED }, 2, "basic", true },
                { { CERTIFIED, CERTIFIED, NONE }, 3, "basic", true },
                { { NONE, NONE }, 2, "none", false },
        };

        for (size_t i = 0; i < KP_NELEMS(right); i++) {
                KP_CLEANUP(kp_rp_result_done)
                struct kp_rp_result result =
                        verify(compound(right[i].parts, right[i].n));

                cr_assert(result.accepted, "%zu: %s", i, result.refusals[0].reason);
                cr_expect_str_eq(result.credential.format, "compound");
                cr_expect_str_eq(result.credential.type, right[i].type, "%zu", i);
                cr_expect_eq(result.credential.trusted, right[i].trusted, "%zu", i);
        }
}

Test(many, compound_says_which_statement_is_wrong)
{
        static const struct {
                enum part parts[3];
                size_t n;
                const char *words;
        } wrong[] = {
                { { SELF }, 1, "two statements" },
                { { SELF }, 0, "two statements" },
                { { SELF, SELF_WRONG }, 2, "statement 1: packed: the signature" },
                { { SELF_WRONG, SELF }, 2, "statement 0: packed: the signature" },
                { { SELF, NESTED }, 2, "cannot hold another" },
                { { SELF, UNKNOWN }, 2, "no attestation format 'example'" },
                { { SHAPELESS, SELF }, 2, "statement 0: attStmt" },
                { { SELF, CERTIFIED, UNTRUSTED }, 3, "trust anchor" },
        };

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                const char *why = why_refused(compound(wrong[i].parts, wrong[i].n));

                cr_expect(strstr(why, wrong[i].words) != NULL, "%zu: %s", i, why);
        }
}

Test(many, compound_has_a_limit)
{
        enum part parts[9] = { SELF };

        cr_assert_str_eq(refusal(compound(parts, 8)), "");
        cr_assert_str_eq(refusal(compound(parts, 9)), "attestation");
}

Test(many, compound_policy_may_be_content_with_one)
{
        static const enum part first[] = { SELF_WRONG, CERTIFIED },
                               second[] = { UNTRUSTED, CERTIFIED },
                               none[] = { SELF_WRONG, NESTED },
                               untrusted[] = { UNTRUSTED, UNTRUSTED };

        expect.attestation.compound_any = true;
        cr_assert_str_eq(refusal(compound(first, 2)), "");
        cr_assert_str_eq(refusal(compound(second, 2)), "");
        cr_assert_str_eq(refusal(compound(none, 2)), "attestation");
        cr_assert_str_eq(refusal(compound(untrusted, 2)), "trust-path");
}

Test(many, other_formats_have_no_array)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        static const char *const formats[] = { "packed", "none", "tpm", "fido-u2f",
                "apple", "android-key", "android-safetynet" };

        kp_cbor_put_array(&statement, 0);
        for (size_t i = 0; i < KP_NELEMS(formats); i++) {
                maker_parts(&m, true);
                m.format = formats[i];
                cr_expect_str_eq(refusal(maker_registration(&m, &statement)),
                        "attestation", "%s", formats[i]);
        }
}

/* ---- SafetyNet ---- */

struct safetynet {
        const char *ver, *host, *alg;
        bool other_nonce, cts_false, no_cts, other_signature, no_chain, two_parts;
        int64_t timestamp_ms; /* 0: none */
};

static struct safetynet
right_message(void)
{
        return (struct safetynet){ .ver = "1",
                .host = "attest.android.com",
                .alg = "RS256",
                .timestamp_ms = expect.now_ms - 1000 };
}

static X509 *
make_service(const struct safetynet *s)
{
        X509 *leaf = certificate_begin(leaf_key, X509_VERSION_3, 4);
        char names[80];

        (void)snprintf(names, sizeof(names), "DNS:%s", s->host);
        name_put(X509_get_subject_name(leaf), "CN", "Service");
        X509_set_issuer_name(leaf, X509_get_subject_name(root));
        extension_put(leaf, NID_subject_alt_name, names);
        cr_assert_gt(X509_sign(leaf, root_key, EVP_sha256()), 0);
        return leaf;
}

static void
put_header(const struct safetynet *s, struct kp_buf *ret)
{
        KP_CLEANUP(kp_free_x509) X509 *leaf = make_service(s);
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        json_auto_t *header = json_pack("{s:s, s:[]}", "alg", s->alg, "x5c");
        unsigned char *der = NULL;
        int der_len = i2d_X509(leaf, &der);
        char *json;

        kp_b64_put(&text, der, (size_t)der_len);
        if (!s->no_chain)
                json_array_append_new(
                        json_object_get(header, "x5c"), json_string(kp_buf_str(&text)));
        json = json_dumps(header, JSON_COMPACT);
        kp_b64url_put(ret, json, strlen(json));
        free(json);
        OPENSSL_free(der);
}

static void
put_payload(const struct safetynet *s, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf nonce = { 0 };
        json_auto_t *payload = json_object();
        uint8_t hash[32];
        char *json;

        kp_sha256(m.hash_input.data, m.hash_input.len, hash);
        hash[5] ^= s->other_nonce;
        kp_b64_put(&nonce, hash, sizeof(hash));
        json_object_set_new(payload, "nonce", json_string(kp_buf_str(&nonce)));
        if (s->timestamp_ms != 0)
                json_object_set_new(
                        payload, "timestampMs", json_integer(s->timestamp_ms));
        if (!s->no_cts)
                json_object_set_new(
                        payload, "ctsProfileMatch", json_boolean(!s->cts_false));
        json = json_dumps(payload, JSON_COMPACT);
        kp_b64url_put(ret, json, strlen(json));
        free(json);
}

static json_t *
safetynet(const struct safetynet *s)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };

        m.format = "android-safetynet";
        maker_parts(&m, true);
        put_header(s, &message);
        kp_buf_puts(&message, ".");
        put_payload(s, &message);
        sign_with(leaf_key, KP_COSE_RS256, &message, &sig);
        sig.data[9] ^= s->other_signature;
        if (!s->two_parts) {
                kp_buf_puts(&message, ".");
                kp_b64url_put(&message, sig.data, sig.len);
        }
        kp_cbor_put_map(&statement, 2);
        kp_cbor_put_text(&statement, "ver");
        kp_cbor_put_text(&statement, s->ver);
        kp_cbor_put_text(&statement, "response");
        kp_cbor_put_bytes(&statement, message.data, message.len);
        return maker_registration(&m, &statement);
}

static void
use_rsa(void)
{
        EVP_PKEY_free(leaf_key);
        leaf_key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
}

Test(many, safetynet_holds)
{
        struct safetynet s = right_message();

        use_rsa();
        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(safetynet(&s));
        cr_assert(result.accepted, "%s", result.refusals[0].reason);
        cr_assert_str_eq(result.credential.type, "basic");
        cr_assert(result.credential.trusted);
}

Test(many, safetynet_names_one_wrong_thing)
{
        struct safetynet s[12];
        const char *words[12];
        size_t n = 0;

#define WRONG(change, text)                                                            \
        do {                                                                           \
                s[n] = right_message();                                                \
                s[n].change;                                                           \
                words[n++] = (text);                                                   \
        } while (0)
        use_rsa();
        WRONG(ver = "", "ver");
        WRONG(host = "attest.android.com.evil.example", "attest.android.com");
        WRONG(host = "android.com", "attest.android.com");
        WRONG(alg = "none", "signature (none)");
        WRONG(alg = "HS256", "signature (HS256)");
        WRONG(other_signature = true, "signature");
        WRONG(other_nonce = true, "nonce");
        WRONG(cts_false = true, "profile");
        WRONG(no_cts = true, "ctsProfileMatch");
        WRONG(no_chain = true, "no certificates");
        WRONG(two_parts = true, "no signed message");
        WRONG(timestamp_ms = 0, "timestampMs");
        for (size_t i = 0; i < n; i++) {
                const char *why = why_refused(safetynet(&s[i]));

                cr_expect(strstr(why, words[i]) != NULL, "%zu: '%s' lacks '%s'", i, why,
                        words[i]);
        }
}

Test(many, safetynet_policy_decides_about_devices_and_age)
{
        struct safetynet s = right_message();

        use_rsa();
        s.cts_false = true;
        expect.attestation.safetynet_any_device = true;
        cr_assert_str_eq(refusal(safetynet(&s)), "");
        expect.attestation.safetynet_age_ms = 60000;
        cr_assert_str_eq(refusal(safetynet(&s)), "");
        s.timestamp_ms = expect.now_ms - 60001;
        cr_assert(strstr(why_refused(safetynet(&s)), "60 s old") != NULL);
        s.timestamp_ms = expect.now_ms + 1;
        cr_assert(strstr(why_refused(safetynet(&s)), "future") != NULL);
        expect.attestation.safetynet_age_ms = 0;
        cr_assert_str_eq(refusal(safetynet(&s)), "");
}
