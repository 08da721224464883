/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

#include "internal.h"

/*
 * The persistent token is there from the factory on; pcmr is what makes it good for
 * something. Which key this is, and whether its passkeys have changed, goes out in
 * getInfo to everybody, but can be read by those only who hold that token: encrypted
 * under a key made from it, with a fresh IV each time.
 * Spec: CTAP 2.2 §6.4 encIdentifier; CTAP 2.3 §6.4 encCredStoreState
 */
#define MEMBER_LEN 16

bool
kp_auth_has_identity(const struct kp_authenticator *key)
{
        return key->facts->tells_identifier || key->facts->tells_store_state ||
               key->facts->options[KP_OPTION_PER_CRED_MGMT_RO] == 1;
}

bool
kp_auth_identity_reset(struct kp_authenticator *key)
{
        kp_auth_persistent_end(key);
        kp_auth_store_changed(key);
        if (kp_auth_has_identity(key))
                kp_random_bytes(key->random, key->device_identifier,
                        sizeof(key->device_identifier));
        return true;
}

void
kp_auth_store_changed(struct kp_authenticator *key)
{
        if (kp_auth_has_identity(key))
                kp_random_bytes(
                        key->random, key->store_state, sizeof(key->store_state));
}

/* resetPersistentPinUvAuthToken: whoever holds the old one holds nothing. */
void
kp_auth_persistent_end(struct kp_authenticator *key)
{
        key->persistent_granted = false;
        if (kp_auth_has_identity(key))
                kp_random_bytes(key->random, key->persistent_token,
                        sizeof(key->persistent_token));
}

const uint8_t *
kp_auth_persistent_token(struct kp_authenticator *key)
{
        return key->persistent_token;
}

const uint8_t *
kp_auth_persistent_grant(struct kp_authenticator *key)
{
        key->persistent_granted = true;
        return key->persistent_token;
}

bool
kp_auth_persistent_verify(const struct kp_authenticator *key, int protocol,
        const void *message, size_t message_len, const uint8_t *param, size_t param_len)
{
        return key->persistent_granted &&
               kp_pin_verify(protocol, key->persistent_token,
                       sizeof(key->persistent_token), message, message_len, param,
                       param_len);
}

/* HKDF-SHA-256 with a salt of 32 zero bytes; info is the member's name. */
static bool
derive(const struct kp_authenticator *key, const char *info, uint8_t ret[MEMBER_LEN])
{
        static const uint8_t salt[32];
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
        size_t len = MEMBER_LEN;
        bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
                  EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
                  EVP_PKEY_CTX_set1_hkdf_salt(ctx, salt, sizeof(salt)) == 1 &&
                  EVP_PKEY_CTX_set1_hkdf_key(ctx, key->persistent_token,
                          sizeof(key->persistent_token)) == 1 &&
                  EVP_PKEY_CTX_add1_hkdf_info(
                          ctx, (const unsigned char *)info, (int)strlen(info)) == 1 &&
                  EVP_PKEY_derive(ctx, ret, &len) == 1 && len == MEMBER_LEN;

        EVP_PKEY_CTX_free(ctx);
        return ok;
}

/* AES-128-CBC of one block, without padding. */
static bool
encrypt(const uint8_t aes_key[MEMBER_LEN], const uint8_t iv[MEMBER_LEN],
        const uint8_t plain[MEMBER_LEN], uint8_t ret[MEMBER_LEN])
{
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int len = 0;
        bool ok = ctx != NULL &&
                  EVP_EncryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, aes_key, iv) == 1 &&
                  EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
                  EVP_EncryptUpdate(ctx, ret, &len, plain, MEMBER_LEN) == 1 &&
                  len == MEMBER_LEN;

        EVP_CIPHER_CTX_free(ctx);
        return ok;
}

bool
kp_auth_identity_put(
        struct kp_authenticator *key, bool store_state, struct kp_buf *answer)
{
        const char *info = store_state ? "encCredStoreState" : "encIdentifier";
        uint8_t aes_key[MEMBER_LEN], member[2 * MEMBER_LEN];
        bool ok;

        if (!kp_auth_has_identity(key))
                return false;
        kp_random_bytes(key->random, member, MEMBER_LEN);
        ok = derive(key, info, aes_key) &&
             encrypt(aes_key, member,
                     store_state ? key->store_state : key->device_identifier,
                     member + MEMBER_LEN);
        OPENSSL_cleanse(aes_key, sizeof(aes_key));
        if (ok)
                kp_cbor_put_bytes(answer, member, sizeof(member));
        return ok;
}
