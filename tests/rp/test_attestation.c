/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <openssl/asn1.h>

#include "vectors_ceremony.h"

#define LATER (INT64_C(10) * 365 * 86400 * 1000)

static struct ceremony_maker m;
static struct kp_rp_expectation expect;
static EVP_PKEY *root_key, *leaf_key;
static X509 *root;

/* How a leaf differs from a right one. */
struct leaf {
        const char *c, *o, *ou, *cn; /* NULL: left out */
        int version;
        const char *constraints; /* NULL: left out */
        const uint8_t *aaguid;   /* in the extension; NULL: no extension */
        bool critical;
        EVP_PKEY *signer; /* NULL: the root */
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
name_put(X509_NAME *name, const char *field, const char *value)
{
        if (value != NULL)
                X509_NAME_add_entry_by_txt(
                        name, field, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0);
}

static X509 *
certificate_begin(EVP_PKEY *key, int version, long serial)
{
        X509 *certificate = X509_new();

        X509_set_version(certificate, version);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
        ASN1_TIME_set(X509_getm_notBefore(certificate), 1700000000);
        ASN1_TIME_set(X509_getm_notAfter(certificate), 1900000000);
        X509_set_pubkey(certificate, key);
        return certificate;
}

static void
extension_put(X509 *certificate, int nid, const char *value)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

        cr_assert_not_null(extension);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
}

static X509 *
make_root(EVP_PKEY *key, const char *name)
{
        X509 *certificate = certificate_begin(key, X509_VERSION_3, 1);

        name_put(X509_get_subject_name(certificate), "CN", name);
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
        extension_put(certificate, NID_basic_constraints, "critical,CA:TRUE");
        cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
        return certificate;
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
        X509_set_issuer_name(certificate, X509_get_subject_name(root));
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

static void
setup(void)
{
        maker_begin(&m, KP_COSE_ES256);
        m.format = "packed";
        root_key = EVP_EC_gen("P-256");
        leaf_key = EVP_EC_gen("P-256");
        root = make_root(root_key, "Test Root");
        expect = usual_expectation();
        expect.anchors[expect.n_anchors++] = root;
}

static void
teardown(void)
{
        maker_end(&m);
        EVP_PKEY_free(root_key);
        EVP_PKEY_free(leaf_key);
        X509_free(root);
}

TestSuite(attestation, .init = setup, .fini = teardown);

static struct kp_rp_result
verify(json_t *response)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        cr_assert_eq(
                kp_rp_verify_registration(&expect, response, false, &result, &err), 0);
        json_decref(response);
        return result;
}

static const char *
refusal(json_t *response)
{
        struct kp_rp_result result = verify(response);
        const char *id = result.accepted ? "" : result.refusals[0].id;

        kp_rp_result_done(&result);
        return id;
}

static void
put_x5c(struct kp_buf *statement, X509 *const *chain, size_t n_chain)
{
        kp_cbor_put_text(statement, "x5c");
        kp_cbor_put_array(statement, n_chain);
        for (size_t i = 0; i < n_chain; i++) {
                unsigned char *der = NULL;
                int der_len = i2d_X509(chain[i], &der);

                kp_cbor_put_bytes(statement, der, (size_t)der_len);
                OPENSSL_free(der);
        }
}

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
