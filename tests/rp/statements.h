/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_STATEMENTS_H
#define KEYPILOT_TESTS_STATEMENTS_H

#include <criterion/criterion.h>
#include <openssl/x509v3.h>

#include "vectors_ceremony.h"

/* Certificates and a relying party for attestation statements that tests make. */
#define UNUSED __attribute__((unused))
#define LATER (INT64_C(10) * 365 * 86400 * 1000)

static struct ceremony_maker m;
static struct kp_rp_expectation expect;
static EVP_PKEY *root_key, *leaf_key;
static X509 *root;

static UNUSED void
name_put(X509_NAME *name, const char *field, const char *value)
{
        if (value != NULL)
                X509_NAME_add_entry_by_txt(
                        name, field, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0);
}

static UNUSED X509 *
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

static UNUSED void
extension_put(X509 *certificate, int nid, const char *value)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

        cr_assert_not_null(extension);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
}

static UNUSED X509 *
make_root(EVP_PKEY *key, const char *name)
{
        X509 *certificate = certificate_begin(key, X509_VERSION_3, 1);

        name_put(X509_get_subject_name(certificate), "CN", name);
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
        extension_put(certificate, NID_basic_constraints, "critical,CA:TRUE");
        cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
        return certificate;
}

static UNUSED void
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

static UNUSED void
teardown(void)
{
        maker_end(&m);
        EVP_PKEY_free(root_key);
        EVP_PKEY_free(leaf_key);
        X509_free(root);
}

static UNUSED struct kp_rp_result
verify(json_t *response)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        cr_assert_eq(
                kp_rp_verify_registration(&expect, response, false, &result, &err), 0);
        json_decref(response);
        return result;
}

static UNUSED const char *
refusal(json_t *response)
{
        struct kp_rp_result result = verify(response);
        const char *id = result.accepted ? "" : result.refusals[0].id;

        kp_rp_result_done(&result);
        return id;
}

static UNUSED void
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

/* The reason, until the next call; "" where nothing is refused. */
static UNUSED const char *
why_refused(json_t *response)
{
        static char why[sizeof(((struct kp_rp_refusal *)NULL)->reason)];
        struct kp_rp_result result = verify(response);

        (void)snprintf(why, sizeof(why), "%s",
                result.accepted ? "" : result.refusals[0].reason);
        kp_rp_result_done(&result);
        return why;
}

/* An extension whose value is this DER, not critical. */
static UNUSED void
der_put(X509 *certificate, const char *oid, const void *der, size_t der_len)
{
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
        X509_EXTENSION *extension;

        ASN1_OCTET_STRING_set(value, der, (int)der_len);
        extension = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        ASN1_OCTET_STRING_free(value);
        ASN1_OBJECT_free(object);
}

#endif
