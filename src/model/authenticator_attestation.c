/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/objects.h>

#include "keypilot/model/authenticator.h"

#include "attestation_certificate.h"
#include "authenticator_keys.h"

/* The certificates of a profile that are not those of a batch. */

const uint8_t *
kp_authenticator_profile_x509(const struct kp_authenticator_profile *profile,
        enum kp_key_certificate which, size_t *ret_len)
{
        const struct kp_buf *der =
                &kp_authenticator_profile_keys(profile)->others[which].der;

        *ret_len = der->len;
        return der->data;
}

int
kp_authenticator_profile_attester(const struct kp_authenticator_profile *profile,
        enum kp_key_certificate which, EVP_PKEY **ret, struct kp_error *err)
{
        EVP_PKEY *key = kp_authenticator_profile_keys(profile)->others[which].key;

        if (key == NULL || which == KP_CERTIFICATE_CA)
                return KP_FAIL(err, KP_ENOTFOUND, "no such attestation key");
        if ((*ret = EVP_PKEY_dup(key)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "attestation key");
        return 0;
}

int
kp_authenticator_profile_certify(const struct kp_authenticator_profile *profile,
        const struct kp_key_leaf *leaf, struct kp_buf *ret, struct kp_error *err)
{
        const struct kp_factory_keys *keys = kp_authenticator_profile_keys(profile);
        const char *organisation =
                leaf->unit == NULL ? NULL : "keypilot test authenticators";
        struct kp_certificate certificate = { .serial_of = leaf->serial_of,
                .subject = { { "CN", leaf->common_name }, { "OU", leaf->unit },
                        { "O", organisation } },
                .key = leaf->key,
                .issuer = keys->ca,
                .issuer_key = keys->others[KP_CERTIFICATE_CA].key,
                .extensions = { { NID_basic_constraints, "critical,CA:FALSE" },
                        { NID_key_usage, leaf->usage },
                        { NID_authority_key_identifier, "keyid:always" } },
                .others = { { leaf->oid, leaf->der, leaf->der_len, false } } };

        if (certificate.issuer_key == NULL)
                return KP_FAIL(err, KP_ENOTFOUND, "the model has no CA");
        return kp_certificate_make(&certificate, ret, err);
}
