/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_AUTHENTICATOR_KEYS_H
#define KEYPILOT_MODEL_AUTHENTICATOR_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "keypilot/core/buf.h"
#include "keypilot/model/authenticator.h"

/*
 * What the maker of a simulated key puts into it: attestation keys with their
 * certificates, and the pool of RSA pairs. From fixtures/keys/, public test values all.
 */
#define KP_RSA_POOL 16
struct kp_factory_keys {
        EVP_PKEY *batch_key;       /* NULL where the key attests nothing with it */
        struct kp_buf certificate; /* DER; empty likewise */
        struct {
                struct kp_buf der;
                EVP_PKEY *key; /* NULL: none, or not needed */
        } others[KP_N_CERTIFICATES];
        X509 *ca;                   /* parsed, to issue from */
        EVP_PKEY *rsa[KP_RSA_POOL]; /* never signed with: copies are handed out */
        size_t n_rsa;
};

/* Errors   KP_EIO a file is missing; KP_EPARSE it is not what it should be */
int kp_factory_keys_load(const char *dir, const char *id,
        const struct kp_key_facts *facts, struct kp_factory_keys *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_factory_keys_done(struct kp_factory_keys *keys);

int kp_factory_keys_rsa(const struct kp_factory_keys *keys, size_t index,
        EVP_PKEY **ret, struct kp_error *err) KP_MUST_CHECK;

/* Those of a profile (authenticator.c); borrowed. */
const struct kp_factory_keys *kp_authenticator_profile_keys(
        const struct kp_authenticator_profile *profile);

#endif
