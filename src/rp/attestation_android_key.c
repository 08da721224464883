/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "attestation.h"
#include "der.h"

/* Spec: WebAuthn L3 §8.4 "Android Key Attestation Statement Format" */

#define OID_KEY_DESCRIPTION "1.3.6.1.4.1.11129.2.1.17"
#define KM_ORIGIN_GENERATED 0
#define KM_PURPOSE_SIGN 2

/* Tags of AuthorizationList that are looked at. Spec: Android key attestation schema */
enum { TAG_PURPOSE = 1, TAG_ALL_APPLICATIONS = 600, TAG_ORIGIN = 702 };

struct authorizations {
        bool all_applications;
        bool has_origin;
        int64_t origin;
        bool has_purpose, signs, only_signs;
};

struct key_description {
        struct der challenge;
        struct authorizations software, tee;
};

static bool
read_purposes(struct der *in, struct authorizations *ret)
{
        struct der set;
        int64_t purpose;

        if (ret->has_purpose || !kp_rp_der_universal(in, V_ASN1_SET, &set))
                return false;
        ret->has_purpose = ret->only_signs = true;
        while (!kp_rp_der_at_end(&set)) {
                if (!kp_rp_der_number(&set, V_ASN1_INTEGER, &purpose))
                        return false;
                ret->signs = ret->signs || purpose == KM_PURPOSE_SIGN;
                ret->only_signs = ret->only_signs && purpose == KM_PURPOSE_SIGN;
        }
        return true;
}

static bool
read_authorization(struct der_item *item, struct authorizations *ret)
{
        struct der *content = &item->content;

        switch (item->tag) {
        case TAG_PURPOSE:
                return read_purposes(content, ret) && kp_rp_der_at_end(content);
        case TAG_ALL_APPLICATIONS:
                ret->all_applications = true;
                return true;
        case TAG_ORIGIN:
                if (ret->has_origin)
                        return false;
                ret->has_origin = true;
                return kp_rp_der_number(content, V_ASN1_INTEGER, &ret->origin) &&
                       kp_rp_der_at_end(content);
        default:
                return true;
        }
}

static bool
read_authorizations(struct der *in, struct authorizations *ret)
{
        struct der list;
        struct der_item item;

        if (!kp_rp_der_universal(in, V_ASN1_SEQUENCE, &list))
                return false;
        while (!kp_rp_der_at_end(&list))
                if (!kp_rp_der_next(&list, &item) ||
                        item.class != V_ASN1_CONTEXT_SPECIFIC ||
                        !read_authorization(&item, ret))
                        return false;
        return true;
}

/* Two versions, each with a security level; challenge, unique id, two lists. */
static bool
read_description(
        const struct certificate_extension *extension, struct key_description *ret)
{
        struct der whole = { extension->value,
                extension->value + extension->value_len };
        struct der fields, unique_id;
        int64_t ignored;

        return kp_rp_der_universal(&whole, V_ASN1_SEQUENCE, &fields) &&
               kp_rp_der_at_end(&whole) &&
               kp_rp_der_number(&fields, V_ASN1_INTEGER, &ignored) &&
               kp_rp_der_number(&fields, V_ASN1_ENUMERATED, &ignored) &&
               kp_rp_der_number(&fields, V_ASN1_INTEGER, &ignored) &&
               kp_rp_der_number(&fields, V_ASN1_ENUMERATED, &ignored) &&
               kp_rp_der_universal(&fields, V_ASN1_OCTET_STRING, &ret->challenge) &&
               kp_rp_der_universal(&fields, V_ASN1_OCTET_STRING, &unique_id) &&
               read_authorizations(&fields, &ret->software) &&
               read_authorizations(&fields, &ret->tee) && kp_rp_der_at_end(&fields);
}

/*
 * DEVIATION WebAuthn L3 §8.4: it says the values of origin and purpose are equal to...;
 * we take a list that does not have them, because in the specification's own test vector
 * both lists are empty. Where only a trusted environment will do, its list has both.
 */
static bool
check_list(struct ceremony *c, const struct authorizations *list, bool needed)
{
        if (list->has_origin ? list->origin != KM_ORIGIN_GENERATED : needed)
                return kp_rp_refuse(
                        c, "android-key: the key was not made on the device (origin)");
        if (list->has_purpose
                        ? !(c->strict ? list->only_signs && list->signs : list->signs)
                        : needed)
                return kp_rp_refuse(
                        c, "android-key: the key is not for signing only (purpose)");
        return true;
}

static bool
check_description(struct ceremony *c, X509 *leaf)
{
        struct certificate_extension extension;
        struct key_description description = { 0 };
        bool tee_only = c->expect->attestation.android_tee_only;

        if (!kp_rp_certificate_extension(c, leaf, OID_KEY_DESCRIPTION, &extension))
                return false;
        if (!extension.present)
                return kp_rp_refuse(
                        c, "android-key: the certificate describes no key of Android");
        if (!read_description(&extension, &description))
                return kp_rp_refuse(
                        c, "android-key: the certificate's key description is broken");
        if (!kp_bytes_equal(description.challenge.at,
                    (size_t)(description.challenge.end - description.challenge.at),
                    c->client_hash, sizeof(c->client_hash)))
                return kp_rp_refuse(c, "android-key: the certificate was made for "
                                       "another challenge");
        if (description.software.all_applications || description.tee.all_applications)
                return kp_rp_refuse(
                        c, "android-key: the key is not bound to one application");
        return check_list(c, &description.tee, tee_only) &&
               (tee_only || check_list(c, &description.software, false));
}

bool
kp_rp_attestation_android_key(struct ceremony *c)
{
        const uint8_t *sig;
        size_t sig_len;
        EVP_PKEY *key;
        int alg;

        if (!kp_rp_statement_size(c, 3) || !kp_rp_statement_alg(c, &alg) ||
                !kp_rp_statement_bytes(c, "sig", &sig, &sig_len) ||
                !kp_rp_statement_chain(c) || (key = kp_rp_path_key(c)) == NULL)
                return false;
        if (!kp_rp_attestation_signed(c, alg, key, sig, sig_len))
                return kp_rp_refuse(c,
                        "android-key: the signature does not verify with "
                        "the certificate");
        c->type = "basic";
        return kp_rp_path_certifies_credential(c) &&
               check_description(c, c->path.chain[0]);
}
