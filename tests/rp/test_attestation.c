/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/asn1.h>

#include "statements.h"

/* How a leaf differs from a right one. */
struct leaf {
        const char *c, *o, *ou, *cn; /* NULL: left out */
        int version;
        const char *constraints; /* NULL: left out */
        const uint8_t *aaguid;   /* in the extension; NULL: no extension */
        bool critical;
        EVP_PKEY *signer;  /* NULL: the root */
        X509 *issuer;      /* likewise */
        const char *usage; /* NULL: left out */
};

static struct leaf
right_leaf(void)
{
        return (struct leaf){ .c = "NL",
                .o = "Testers",
                .ou = "Authenticator Attestation",
                .cn = "Key",
                .version = X509_VERSION_3,
                .constraints = "critical,CA:FALSE",
                .aaguid = test_aaguid };
}

static void
aaguid_put(X509 *certificate, const uint8_t *aaguid, bool critical)
{
        ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.45724.1.1.4", 1);
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        uint8_t bytes[18] = { 4, 16 };
        X509_EXTENSION *extension;

        memcpy(bytes + 2, aaguid, 16);
        ASN1_OCTET_STRING_set(value, bytes, sizeof(bytes));
        extension = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        ASN1_OBJECT_free(oid);
}

static X509 *
make_leaf(const struct leaf *leaf)
{
        X509 *certificate = certificate_begin(leaf_key, leaf->version, 2);
        X509_NAME *subject = X509_get_subject_name(certificate);

        name_put(subject, "C", leaf->c);
        name_put(subject, "O", leaf->o);
        name_put(subject, "OU", leaf->ou);
        name_put(subject, "CN", leaf->cn);
        X509_set_issuer_name(certificate,
                X509_get_subject_name(leaf->issuer != NULL ? leaf->issuer : root));
        if (leaf->usage != NULL)
                extension_put(certificate, NID_key_usage, leaf->usage);
        if (leaf->constraints != NULL)
                extension_put(certificate, NID_basic_constraints, leaf->constraints);
        if (leaf->aaguid != NULL)
                aaguid_put(certificate, leaf->aaguid, leaf->critical);
        cr_assert_gt(
                X509_sign(certificate, leaf->signer != NULL ? leaf->signer : root_key,
                        EVP_sha256()),
                0);
        return certificate;
}

TestSuite(attestation, .init = setup, .fini = teardown);

static json_t *
packed(EVP_PKEY *signer, int alg, X509 *const *chain, size_t n_chain)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };

        maker_parts(&m, true);
        sign_with(signer, alg, &m.hash_input, &sig);
        kp_cbor_put_map(&statement, chain == NULL ? 2 : 3);
        kp_cbor_put_text(&statement, "alg");
        kp_cbor_put_int(&statement, alg);
        kp_cbor_put_text(&statement, "sig");
        kp_cbor_put_bytes(&statement, sig.data, sig.len);
        if (chain != NULL)
                put_x5c(&statement, chain, n_chain);
        return maker_registration(&m, &statement);
}

static json_t *
packed_leaf(const struct leaf *leaf)
{
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(leaf);

        return packed(leaf_key, KP_COSE_ES256, &certificate, 1);
}

static json_t *
fido_u2f(EVP_PKEY *signer, X509 *const *chain, size_t n_chain, uint8_t first)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf sig = { 0 };
        unsigned char *point = NULL;
        size_t point_len;

        m.format = "fido-u2f";
        maker_parts(&m, true);
        point_len = EVP_PKEY_get1_encoded_public_key(m.key, &point);
        kp_buf_put_u8(&message, first);
        kp_buf_put(&message, m.authdata.data, 32);
        kp_buf_put(&message, m.hash_input.data + m.hash_input.len - 32, 32);
        kp_buf_put(&message, m.id, m.id_len);
        kp_buf_put(&message, point, point_len);
        OPENSSL_free(point);
        sign_with(signer, KP_COSE_ES256, &message, &sig);
        kp_cbor_put_map(&statement, 2);
        kp_cbor_put_text(&statement, "sig");
        kp_cbor_put_bytes(&statement, sig.data, sig.len);
        put_x5c(&statement, chain, n_chain);
        return maker_registration(&m, &statement);
}

Test(attestation, packed_self_holds_for_each_algorithm)
{
        static const int algs[] = { KP_COSE_ES256, KP_COSE_ES384, KP_COSE_ES512,
                KP_COSE_EDDSA };

        for (size_t i = 0; i < KP_NELEMS(algs); i++) {
                maker_end(&m);
                maker_begin(&m, algs[i]);
                m.format = "packed";
                KP_CLEANUP(kp_rp_result_done)
                struct kp_rp_result result = verify(packed(m.key, algs[i], NULL, 0));
                cr_assert(result.accepted, "%d", algs[i]);
                cr_assert_str_eq(result.credential.type, "self");
                cr_assert_not(result.credential.trusted);
        }
}

Test(attestation, packed_self_wants_the_credential_key)
{
        cr_assert_str_eq(
                refusal(packed(leaf_key, KP_COSE_ES256, NULL, 0)), "attestation");
}

Test(attestation, packed_basic_leads_to_its_anchor)
{
        struct leaf leaf = right_leaf();
        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(packed_leaf(&leaf));

        cr_assert(result.accepted);
        cr_assert_str_eq(result.credential.type, "basic");
        cr_assert(result.credential.trusted);
}

Test(attestation, packed_basic_without_anchors_is_uncertain)
{
        struct leaf leaf = right_leaf();

        expect.n_anchors = 0;
        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(packed_leaf(&leaf));
        cr_assert(result.accepted);
        cr_assert_str_eq(result.credential.type, "uncertain");
        cr_assert_not(result.credential.trusted);
        expect.trust = KP_TRUST_ANCHORS;
        cr_assert_str_eq(refusal(packed_leaf(&leaf)), "trust-path");
}

Test(attestation, certificates_meet_each_requirement_of_the_packed_format)
{
        static const uint8_t other[16] = "another-aaguid..";
        struct leaf wrong[] = { right_leaf(), right_leaf(), right_leaf(), right_leaf(),
                right_leaf(), right_leaf(), right_leaf(), right_leaf(), right_leaf() };

        wrong[0].c = NULL;
        wrong[1].c = "nl";
        wrong[2].o = NULL;
        wrong[3].ou = "Authenticator attestation";
        wrong[4].cn = NULL;
        wrong[5].constraints = NULL;
        wrong[6].constraints = "critical,CA:TRUE";
        wrong[7].aaguid = other;
        wrong[8].critical = true;
        for (size_t i = 0; i < KP_NELEMS(wrong); i++)
                cr_expect_str_eq(
                        refusal(packed_leaf(&wrong[i])), "attestation", "case %zu", i);
        wrong[0] = right_leaf();
        wrong[0].aaguid = NULL;
        cr_expect_str_eq(
                refusal(packed_leaf(&wrong[0])), "", "the extension may be absent");
}

/* GHSA-6hxq-p678-4hr2: a root in x5c is no reason to trust it. */
Test(attestation, a_root_that_came_along_is_not_trusted)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *evil_key = EVP_EC_gen("P-256");
        KP_CLEANUP(kp_free_x509) X509 *evil_root = make_root(evil_key, "Test Root");
        struct leaf leaf = right_leaf();

        leaf.signer = evil_key;
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);
        X509 *chain[] = { certificate, evil_root };
        cr_assert_str_eq(
                refusal(packed(leaf_key, KP_COSE_ES256, chain, 2)), "trust-path");
}

Test(attestation, the_anchor_itself_may_stand_in_x5c)
{
        struct leaf leaf = right_leaf();
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);
        X509 *chain[] = { certificate, root };

        cr_assert_str_eq(refusal(packed(leaf_key, KP_COSE_ES256, chain, 2)), "");
}

Test(attestation, the_leaf_itself_may_be_the_anchor)
{
        struct leaf leaf = right_leaf();
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);

        expect.anchors[0] = certificate;
        cr_assert_str_eq(refusal(packed(leaf_key, KP_COSE_ES256, &certificate, 1)), "");
}

Test(attestation, certificates_have_their_time)
{
        struct leaf leaf = right_leaf();

        expect.now_ms += LATER;
        cr_assert_str_eq(refusal(packed_leaf(&leaf)), "trust-path");
        expect.now_ms = 1;
        cr_assert_str_eq(refusal(packed_leaf(&leaf)), "trust-path");
        expect.now_ms = 0;
        cr_assert_str_eq(refusal(packed_leaf(&leaf)), "", "not judged");
        expect.now_ms = LATER * 20;
        expect.trust = KP_TRUST_NONE;
        cr_assert_str_eq(refusal(packed_leaf(&leaf)), "", "not judged");
}

Test(attestation, a_statement_with_something_wrong_is_refused)
{
        struct leaf leaf = right_leaf();
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);
        X509 *many[9];

        for (size_t i = 0; i < KP_NELEMS(many); i++)
                many[i] = certificate;
        cr_assert_str_eq(
                refusal(packed(leaf_key, KP_COSE_ES256, many, 0)), "attestation");
        cr_assert_str_eq(
                refusal(packed(leaf_key, KP_COSE_ES256, many, 9)), "attestation");
        cr_assert_str_eq(refusal(packed(m.key, KP_COSE_ES256, many, 1)), "attestation");
}

Test(attestation, fido_u2f_holds)
{
        struct leaf leaf = { .cn = "U2F", .version = X509_VERSION_3 };
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);
        X509 *two[] = { certificate, root };

        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(fido_u2f(leaf_key, &certificate, 1, 0));
        cr_assert(result.accepted);
        cr_assert(result.credential.trusted);
        cr_assert_str_eq(
                refusal(fido_u2f(leaf_key, &certificate, 1, 1)), "attestation");
        cr_assert_str_eq(refusal(fido_u2f(m.key, &certificate, 1, 0)), "attestation");
        cr_assert_str_eq(refusal(fido_u2f(leaf_key, two, 2, 0)), "attestation");
        expect.mode = KP_RP_LENIENT;
        cr_assert_str_eq(refusal(fido_u2f(leaf_key, two, 2, 0)), "");
}

Test(attestation, fido_u2f_has_two_answers_about_the_aaguid)
{
        static const uint8_t zero[16] = { 0 };
        struct leaf leaf = { .cn = "U2F", .version = X509_VERSION_3 };
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);

        expect.u2f_zero_aaguid = true;
        cr_assert_str_eq(
                refusal(fido_u2f(leaf_key, &certificate, 1, 0)), "attestation");
        m.aaguid = zero;
        cr_assert_str_eq(refusal(fido_u2f(leaf_key, &certificate, 1, 0)), "");
}

Test(attestation, fido_u2f_is_p256_only)
{
        struct leaf leaf = { .cn = "U2F", .version = X509_VERSION_3 };

        EVP_PKEY_free(leaf_key);
        leaf_key = EVP_EC_gen("P-384");
        KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);
        cr_assert_str_eq(
                refusal(fido_u2f(leaf_key, &certificate, 1, 0)), "attestation");
}

Test(attestation, none_has_an_empty_statement)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf statement = { 0 };

        m.format = "none";
        cr_assert_str_eq(refusal(maker_none(&m)), "");
        kp_cbor_put_map(&statement, 1);
        kp_cbor_put_text(&statement, "x");
        kp_cbor_put_int(&statement, 1);
        cr_assert_str_eq(refusal(maker_registration(&m, &statement)), "attestation");
}

/* A CA between root and leaf; its key signs leaves. */
static X509 *
make_ca(EVP_PKEY *key, const char *constraints, const char *usage)
{
        X509 *ca = certificate_begin(key, X509_VERSION_3, 5);

        name_put(X509_get_subject_name(ca), "CN", "Between");
        X509_set_issuer_name(ca, X509_get_subject_name(root));
        extension_put(ca, NID_basic_constraints, constraints);
        if (usage != NULL)
                extension_put(ca, NID_key_usage, usage);
        cr_assert_gt(X509_sign(ca, root_key, EVP_sha256()), 0);
        return ca;
}

Test(attestation, a_path_is_in_order_and_repeats_nothing)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
        KP_CLEANUP(kp_free_x509) X509 *ca = make_ca(key, "critical,CA:TRUE", NULL);
        struct leaf leaf = right_leaf();
        X509 *certificate;

        leaf.signer = key;
        leaf.issuer = ca;
        certificate = make_leaf(&leaf);
        const struct {
                X509 *chain[4];
                size_t n;
                bool right;
        } paths[] = {
                { { certificate, ca }, 2, true },
                { { certificate, ca, root }, 3, true },
                { { certificate }, 1, false },
                { { certificate, root }, 2, false },
                { { certificate, root, ca }, 3, false },
                { { certificate, certificate, ca }, 3, false },
                { { certificate, ca, ca }, 3, false },
                { { certificate, ca, root, root }, 4, false },
        };

        for (size_t i = 0; i < KP_NELEMS(paths); i++)
                cr_expect_str_eq(refusal(packed(leaf_key, KP_COSE_ES256, paths[i].chain,
                                         paths[i].n)),
                        paths[i].right ? "" : "trust-path", "%zu", i);
        /* any of them, the leaf too, may be what is trusted */
        X509 *const anchors[] = { certificate, ca, root };
        for (size_t i = 0; i < KP_NELEMS(anchors); i++) {
                expect.anchors[0] = anchors[i];
                cr_expect_str_eq(
                        refusal(packed(leaf_key, KP_COSE_ES256, paths[0].chain, 2)), "",
                        "%zu", i);
        }
        X509_free(certificate);
}

Test(attestation, issuers_are_cas_and_keys_are_used_for_what_they_are)
{
        static const struct {
                const char *constraints, *ca_usage, *leaf_usage;
                bool right;
        } cases[] = {
                { "critical,CA:TRUE", NULL, NULL, true },
                { "critical,CA:TRUE,pathlen:0", "critical,keyCertSign",
                        "critical,digitalSignature", true },
                { "critical,CA:FALSE", NULL, NULL, false },
                { "critical,CA:TRUE", "critical,digitalSignature", NULL, false },
                { "critical,CA:TRUE", NULL, "critical,keyAgreement", false },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *key = EVP_EC_gen("P-256");
                KP_CLEANUP(kp_free_x509)
                X509 *ca = make_ca(key, cases[i].constraints, cases[i].ca_usage);
                struct leaf leaf = right_leaf();

                leaf.signer = key;
                leaf.issuer = ca;
                leaf.usage = cases[i].leaf_usage;
                KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);
                X509 *chain[] = { certificate, ca };
                cr_expect_str_eq(refusal(packed(leaf_key, KP_COSE_ES256, chain, 2)),
                        cases[i].right ? "" : "trust-path", "%zu", i);
        }
}

Test(attestation, an_aaguid_extension_of_another_shape_is_refused)
{
        static const struct {
                const char *bytes;
                size_t len;
        } shapes[] = {
                { "aaguid-of-a-test", 16 }, /* wrapped only once */
                { "\x04\x0f"
                  "aaguid-of-a-tes",
                        17 },
                { "\x04\x10"
                  "aaguid-of-a-test\0",
                        19 },
                { "\x0c\x10"
                  "aaguid-of-a-test",
                        18 },
                { "", 0 },
        };

        for (size_t i = 0; i < KP_NELEMS(shapes); i++) {
                struct leaf leaf = right_leaf();

                leaf.aaguid = NULL;
                KP_CLEANUP(kp_free_x509) X509 *certificate = make_leaf(&leaf);
                der_put(certificate, "1.3.6.1.4.1.45724.1.1.4", shapes[i].bytes,
                        shapes[i].len);
                X509_sign(certificate, root_key, EVP_sha256());
                cr_expect_str_eq(
                        refusal(packed(leaf_key, KP_COSE_ES256, &certificate, 1)),
                        "attestation", "%zu", i);
        }
}
