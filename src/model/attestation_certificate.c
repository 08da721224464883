/* SPDX-License-Identifier: BSD-2-Clause */
/* RAND_set_rand_method() is the one way to leave a lent stream alone for a while. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "attestation_certificate.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "keypilot/core/free.h"

KP_FREE_WITH(free_octets, ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
KP_FREE_WITH(free_extension, X509_EXTENSION, X509_EXTENSION_free)
KP_FREE_WITH(free_object, ASN1_OBJECT, ASN1_OBJECT_free)

/* Positive, minimal and the same for the same thing: from its hash. */
static bool
set_serial(X509 *x509, const char *of)
{
        uint8_t hash[32];
        KP_CLEANUP(kp_free_bn) BIGNUM *number = NULL;

        if (EVP_Digest(of, strlen(of), hash, NULL, EVP_sha256(), NULL) != 1)
                return false;
        hash[0] = (hash[0] & 0x7f) | 0x40;
        number = BN_bin2bn(hash, 16, NULL);
        return number != NULL &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
}

/* A country becomes a PrintableString, everything else UTF-8, as OpenSSL's table says. */
static bool
set_subject(X509 *x509, const struct kp_certificate *certificate)
{
        X509_NAME *name = X509_get_subject_name(x509);

        for (size_t i = 0; i < KP_NELEMS(certificate->subject); i++)
                if (certificate->subject[i].value != NULL &&
                        X509_NAME_add_entry_by_txt(name, certificate->subject[i].field,
                                MBSTRING_UTF8,
                                (const unsigned char *)certificate->subject[i].value,
                                -1, -1, 0) != 1)
                        return false;
        return true;
}

static bool
add_text_extensions(X509 *x509, const struct kp_certificate *certificate)
{
        X509V3_CTX context;

        X509V3_set_ctx(&context, certificate->issuer, x509, NULL, NULL, 0);
        for (size_t i = 0; i < KP_NELEMS(certificate->extensions) &&
                           certificate->extensions[i].value != NULL;
                i++) {
                KP_CLEANUP(free_extension)
                X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context,
                        certificate->extensions[i].nid,
                        certificate->extensions[i].value);

                if (extension == NULL || X509_add_ext(x509, extension, -1) != 1)
                        return false;
        }
        return true;
}

static bool
add_der_extensions(X509 *x509, const struct kp_certificate *certificate)
{
        for (size_t i = 0; i < KP_NELEMS(certificate->others) &&
                           certificate->others[i].oid != NULL;
                i++) {
                KP_CLEANUP(free_object)
                ASN1_OBJECT *oid = OBJ_txt2obj(certificate->others[i].oid, 1);
                KP_CLEANUP(free_octets)
                ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
                KP_CLEANUP(free_extension) X509_EXTENSION *extension = NULL;

                if (oid == NULL || value == NULL ||
                        ASN1_OCTET_STRING_set(value, certificate->others[i].der,
                                (int)certificate->others[i].der_len) != 1)
                        return false;
                extension = X509_EXTENSION_create_by_OBJ(
                        NULL, oid, certificate->others[i].critical, value);
                if (extension == NULL || X509_add_ext(x509, extension, -1) != 1)
                        return false;
        }
        return true;
}

/* RSA blinding draws; the signature does not depend on what. */
static bool
sign(X509 *x509, EVP_PKEY *issuer_key)
{
        const RAND_METHOD *lent = RAND_get_rand_method();
        bool ok = RAND_set_rand_method(NULL) == 1 &&
                  X509_sign(x509, issuer_key, EVP_sha256()) > 0;

        return RAND_set_rand_method(lent) == 1 && ok;
}

int
kp_certificate_key(struct kp_random *random, EVP_PKEY **ret, struct kp_error *err)
{
        struct kp_random *before = kp_random_lend(random);

        *ret = EVP_EC_gen("P-256");
        kp_random_install(before);
        if (*ret == NULL) {
                ERR_clear_error();
                return KP_FAIL(err, KP_ENOMEM, "attestation key");
        }
        return 0;
}

int
kp_certificate_make(const struct kp_certificate *certificate, struct kp_buf *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_free_x509) X509 *x509 = X509_new();
        unsigned char *der = NULL;
        int der_len;

        if (x509 == NULL || X509_set_version(x509, X509_VERSION_3) != 1 ||
                !set_serial(x509, certificate->serial_of) ||
                !set_subject(x509, certificate) ||
                X509_set_issuer_name(
                        x509, X509_get_subject_name(certificate->issuer)) != 1 ||
                ASN1_TIME_set_string_X509(
                        X509_getm_notBefore(x509), "20200101000000Z") != 1 ||
                ASN1_TIME_set_string_X509(
                        X509_getm_notAfter(x509), "20491231235959Z") != 1 ||
                X509_set_pubkey(x509, certificate->key) != 1 ||
                !add_text_extensions(x509, certificate) ||
                !add_der_extensions(x509, certificate) ||
                !sign(x509, certificate->issuer_key) ||
                (der_len = i2d_X509(x509, &der)) <= 0) {
                ERR_clear_error();
                return KP_FAIL(err, KP_ENOMEM, "attestation certificate of '%s'",
                        certificate->serial_of);
        }
        kp_buf_put(ret, der, (size_t)der_len);
        OPENSSL_free(der);
        return kp_buf_check(ret, err);
}
