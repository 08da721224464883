/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "attestation.h"

/*
 * What attestation certificates must say. §8.2.1 "Certificate Requirements for Packed
 * Attestation Statements"; the TPM's (certificate_aik.c) share parts of it.
 */

#define OID_AAGUID "1.3.6.1.4.1.45724.1.1.4" /* id-fido-gen-ce-aaguid */

/* The subject's value if there is exactly one. Borrowed from the certificate. */
static const ASN1_STRING *
subject_value(X509 *leaf, int nid)
{
        const X509_NAME *subject = X509_get_subject_name(leaf);
        int at = X509_NAME_get_index_by_NID(subject, nid, -1);

        if (at < 0 || X509_NAME_get_index_by_NID(subject, nid, at) >= 0)
                return NULL;
        return X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
}

static bool
is_country(const ASN1_STRING *value)
{
        const unsigned char *text = ASN1_STRING_get0_data(value);

        return ASN1_STRING_length(value) == 2 && text[0] >= 'A' && text[0] <= 'Z' &&
               text[1] >= 'A' && text[1] <= 'Z';
}

static bool
check_subject(struct ceremony *c, X509 *leaf)
{
        static const char unit[] = "Authenticator Attestation";
        const ASN1_STRING *country = subject_value(leaf, NID_countryName);
        const ASN1_STRING *organisation = subject_value(leaf, NID_organizationName);
        const ASN1_STRING *ou = subject_value(leaf, NID_organizationalUnitName);
        const ASN1_STRING *name = subject_value(leaf, NID_commonName);

        if (country == NULL || (c->strict && !is_country(country)))
                return kp_rp_refuse(
                        c, "packed: the certificate's subject C is no country code");
        if (organisation == NULL || ASN1_STRING_length(organisation) == 0)
                return kp_rp_refuse(c, "packed: the certificate's subject has no O");
        if (ou == NULL ||
                !kp_bytes_equal(ASN1_STRING_get0_data(ou),
                        (size_t)ASN1_STRING_length(ou), unit, sizeof(unit) - 1))
                return kp_rp_refuse(
                        c, "packed: the certificate's subject OU is not \"%s\"", unit);
        if (name == NULL || ASN1_STRING_length(name) == 0)
                return kp_rp_refuse(c, "packed: the certificate's subject has no CN");
        return true;
}

bool
kp_rp_certificate_version_3(struct ceremony *c, X509 *leaf)
{
        if (X509_get_version(leaf) == X509_VERSION_3)
                return true;
        return kp_rp_refuse(c, "%s: the attestation certificate is not of version 3",
                c->format->name);
}

bool
kp_rp_certificate_no_ca(struct ceremony *c, X509 *leaf)
{
        int critical = 0;
        BASIC_CONSTRAINTS *constraints =
                X509_get_ext_d2i(leaf, NID_basic_constraints, &critical, NULL);
        bool present = constraints != NULL, ca = present && constraints->ca != 0;

        BASIC_CONSTRAINTS_free(constraints);
        ERR_clear_error();
        if (ca)
                return kp_rp_refuse(c, "%s: the attestation certificate is one of a CA",
                        c->format->name);
        if (present || (!c->strict && critical == -1))
                return true;
        return kp_rp_refuse(c,
                "%s: the certificate's basic constraints are missing or unreadable",
                c->format->name);
}

bool
kp_rp_certificate_extension(struct ceremony *c, X509 *certificate, const char *oid,
        struct certificate_extension *ret)
{
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        int at = X509_get_ext_by_OBJ(certificate, object, -1);
        bool twice = at >= 0 && X509_get_ext_by_OBJ(certificate, object, at) >= 0;
        X509_EXTENSION *extension;
        const ASN1_OCTET_STRING *value;

        *ret = (struct certificate_extension){ 0 };
        ASN1_OBJECT_free(object);
        if (twice)
                return kp_rp_refuse(c, "%s: the certificate has extension %s twice",
                        c->format->name, oid);
        if (at < 0)
                return true;
        extension = X509_get_ext(certificate, at);
        value = X509_EXTENSION_get_data(extension);
        ret->present = true;
        ret->critical = X509_EXTENSION_get_critical(extension) != 0;
        ret->value = ASN1_STRING_get0_data(value);
        ret->value_len = (size_t)ASN1_STRING_length(value);
        return true;
}

/* The extension's value is an OCTET STRING in an OCTET STRING. */
static bool
aaguid_is(const struct certificate_extension *extension, const uint8_t *aaguid)
{
        return extension->value_len == 2 + KP_AAGUID_LEN &&
               extension->value[0] == V_ASN1_OCTET_STRING &&
               extension->value[1] == KP_AAGUID_LEN &&
               memcmp(extension->value + 2, aaguid, KP_AAGUID_LEN) == 0;
}

bool
kp_rp_certificate_aaguid(struct ceremony *c, X509 *leaf)
{
        struct certificate_extension extension;

        if (!kp_rp_certificate_extension(c, leaf, OID_AAGUID, &extension))
                return false;
        if (!extension.present)
                return true;
        if (c->strict && extension.critical)
                return kp_rp_refuse(c,
                        "%s: the certificate's AAGUID extension is critical",
                        c->format->name);
        if (aaguid_is(&extension, c->auth.aaguid))
                return true;
        return kp_rp_refuse(
                c, "%s: the certificate is for another AAGUID", c->format->name);
}

bool
kp_rp_certificate_packed(struct ceremony *c, X509 *leaf)
{
        return kp_rp_certificate_version_3(c, leaf) && check_subject(c, leaf) &&
               kp_rp_certificate_no_ca(c, leaf) && kp_rp_certificate_aaguid(c, leaf);
}
