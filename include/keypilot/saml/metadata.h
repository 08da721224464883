/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_SAML_METADATA_H
#define KEYPILOT_SAML_METADATA_H

#include "keypilot/model/federation.h"

/*
 * Metadata of one party in one role, in and out. Who may sign it is not asked here: the
 * file was given by the person who runs this.
 * Spec: SAML 2.0 Metadata §2.3.2, §2.4
 */
enum kp_saml_role { KP_SAML_PROVIDER, KP_SAML_SERVICE };

struct kp_saml_entity {
        enum kp_saml_role role;
        char *entity_id;
        char *sso_url;   /* provider: HTTP-Redirect, else HTTP-POST; NULL: none */
        char *acs_url;   /* service: HTTP-POST, the default one; NULL: none */
        char **acs_urls; /* service: all of HTTP-POST, in order */
        size_t n_acs_urls;
        char *slo_url;  /* HTTP-Redirect, else HTTP-POST; NULL: none */
        char *cert_pem; /* those for signing, one after the other; NULL: none */
        size_t n_certs;
        bool wants_signed;      /* provider: requests; service: assertions */
        bool signs_requests;    /* service */
        int64_t valid_until_ms; /* 0: not stated */
};

/*
 * Read an EntityDescriptor, or the only one of that role in an EntitiesDescriptor.
 *
 * name     what to call the text in an error
 * ret      filled on success only; the caller ends it with kp_saml_entity_done()
 * Errors   KP_EPARSE not XML; KP_ESCHEMA no such role in it, no entityID, no
 *          certificate to verify a provider with, no address for responses, a broken
 *          certificate
 */
int kp_saml_metadata_read(const char *name, const void *xml, size_t xml_len,
        enum kp_saml_role role, struct kp_saml_entity *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_saml_entity_done(struct kp_saml_entity *entity); /* frees, leaves { 0 } */

/* The entity as a party, everything borrowed from it. */
struct kp_party kp_saml_entity_party(const struct kp_saml_entity *entity);

/*
 * Write an EntityDescriptor, unsigned.
 *
 * party        its certificates, all of them, become KeyDescriptors
 * wants_signed provider: WantAuthnRequestsSigned; service: WantAssertionsSigned
 * ret          appended to
 * Errors       KP_EPARSE a broken certificate; KP_ENOMEM
 */
int kp_saml_metadata_write(const struct kp_party *party, enum kp_saml_role role,
        bool wants_signed, struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
