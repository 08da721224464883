/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#include "keypilot/core/free.h"

#include "attestation.h"

/*
 * Spec: WebAuthn L3 §8.3.1 "TPM Attestation Statement Certificate Requirements"; TCG EK
 * Credential Profile for TPM Family 2.0 §3.2.9 "Subject Alternative Name"
 */

#define OID_TPM_MANUFACTURER "2.23.133.2.1"
#define OID_TPM_MODEL "2.23.133.2.2"
#define OID_TPM_VERSION "2.23.133.2.3"
#define OID_AIK_CERTIFICATE "2.23.133.8.3" /* tcg-kp-AIKCertificate */

KP_FREE_WITH(free_names, GENERAL_NAMES, GENERAL_NAMES_free)
KP_FREE_WITH(free_usages, EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)

/* clang-format off */
/* Spec table: TCG TPM Vendor ID Registry, "Capability Vendor IDs", in its order. */
static const struct {
        const char *id, *name;
} makers[] = {
        { "414D4400", "AMD" },
        { "414E5400", "Ant Group" },
        { "41544D4C", "Atmel" },
        { "4252434D", "Broadcom" },
        { "4353434F", "Cisco" },
        { "464C5953", "Flyslice" },
        { "524F4343", "Fuzhou Rockchip" },
        { "474F4F47", "Google" },
        { "48504900", "HPI" },
        { "48504500", "HPE" },
        { "48495349", "Huawei" },
        { "49424D00", "IBM" },
        { "49465800", "Infineon" },
        { "494E5443", "Intel" },
        { "4C454E00", "Lenovo" },
        { "4D534654", "Microsoft" },
        { "4E534D20", "National Semiconductor" },
        { "4E545A00", "Nationz" },
        { "4E534700", "NSING" },
        { "4E544300", "Nuvoton" },
        { "51434F4D", "Qualcomm" },
        { "534D534E", "Samsung" },
        { "53454345", "SecEdge" },
        { "534E5300", "Sinosun" },
        { "534D5343", "SMSC" },
        { "53544D20", "STMicroelectronics" },
        { "54584E00", "Texas Instruments" },
        { "57454300", "Winbond" },
        { "5345414C", "Wisekey" },
};
/* clang-format on */
static const char test_maker[] = "FFFFF1D0"; /* of FIDO's conformance tests */

/* "id:" and eight hexadecimal digits. */
static bool
maker_is(const char *id, const ASN1_STRING *value)
{
        const char *text = (const char *)ASN1_STRING_get0_data(value);

        return ASN1_STRING_length(value) == 11 && memcmp(text, "id:", 3) == 0 &&
               strncasecmp(text + 3, id, 8) == 0;
}

static bool
maker_known(const struct ceremony *c, const ASN1_STRING *value)
{
        enum kp_rp_tpm_makers policy = c->expect->attestation.tpm_makers;

        if (policy == KP_TPM_MAKERS_ANY || !c->strict)
                return true;
        for (size_t i = 0; i < KP_NELEMS(makers); i++)
                if (maker_is(makers[i].id, value))
                        return true;
        return policy == KP_TPM_MAKERS_TEST && maker_is(test_maker, value);
}

/*
 * The value of an attribute, wherever in the name it stands: some makers put all three
 * into one relative name, some each in its own. NULL: none, empty, or more than one.
 */
static const ASN1_STRING *
attribute(const X509_NAME *name, const char *oid)
{
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        int at = X509_NAME_get_index_by_OBJ(name, object, -1);
        bool one = at >= 0 && X509_NAME_get_index_by_OBJ(name, object, at) < 0;
        const ASN1_STRING *value;

        ASN1_OBJECT_free(object);
        if (!one)
                return NULL;
        value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
        return ASN1_STRING_length(value) == 0 ? NULL : value;
}

static bool
check_tpm_name(struct ceremony *c, const X509_NAME *name)
{
        const ASN1_STRING *maker = attribute(name, OID_TPM_MANUFACTURER);

        if (maker == NULL)
                return kp_rp_refuse(c, "tpm: the certificate names no manufacturer");
        if (attribute(name, OID_TPM_MODEL) == NULL)
                return kp_rp_refuse(c, "tpm: the certificate names no model");
        if (attribute(name, OID_TPM_VERSION) == NULL)
                return kp_rp_refuse(c, "tpm: the certificate names no version");
        if (maker_known(c, maker))
                return true;
        return kp_rp_refuse(c, "tpm: the TCG knows no manufacturer '%.*s'",
                ASN1_STRING_length(maker) > 40 ? 40 : ASN1_STRING_length(maker),
                ASN1_STRING_get0_data(maker));
}

static bool
check_alternative_name(struct ceremony *c, X509 *leaf)
{
        int critical = 0;
        KP_CLEANUP(free_names)
        GENERAL_NAMES *names =
                X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
        const X509_NAME *found = NULL;

        ERR_clear_error();
        if (names == NULL)
                return kp_rp_refuse(c, "tpm: the certificate's subject alternative "
                                       "name is missing or unreadable");
        /* RFC 5280 §4.2.1.6, which the profile repeats: the subject is empty */
        if (c->strict && critical == 0)
                return kp_rp_refuse(c, "tpm: the certificate's subject alternative "
                                       "name is not critical");
        for (int i = 0; i < sk_GENERAL_NAME_num(names) && found == NULL; i++) {
                const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

                if (name->type == GEN_DIRNAME)
                        found = name->d.directoryName;
        }
        if (found == NULL)
                return kp_rp_refuse(c, "tpm: the certificate's subject alternative "
                                       "name is no directory name");
        return check_tpm_name(c, found);
}

static bool
check_usage(struct ceremony *c, X509 *leaf)
{
        KP_CLEANUP(free_usages)
        EXTENDED_KEY_USAGE *usages =
                X509_get_ext_d2i(leaf, NID_ext_key_usage, NULL, NULL);
        ASN1_OBJECT *wanted = OBJ_txt2obj(OID_AIK_CERTIFICATE, 1);
        bool found = false;

        for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++)
                found = found || OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), wanted) == 0;
        ASN1_OBJECT_free(wanted);
        ERR_clear_error();
        if (found)
                return true;
        return kp_rp_refuse(c,
                "tpm: the certificate is not for attestation keys (extended key usage "
                "%s)",
                OID_AIK_CERTIFICATE);
}

bool
kp_rp_certificate_aik(struct ceremony *c, X509 *leaf)
{
        if (!kp_rp_certificate_version_3(c, leaf))
                return false;
        if (X509_NAME_entry_count(X509_get_subject_name(leaf)) != 0)
                return kp_rp_refuse(c, "tpm: the certificate's subject is not empty");
        return check_alternative_name(c, leaf) && check_usage(c, leaf) &&
               kp_rp_certificate_no_ca(c, leaf) && kp_rp_certificate_aaguid(c, leaf);
}
