/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"

/*
 * Which key this is, for those who hold its persistent token: a block under AES-128-CBC
 * behind its IV, the key by HKDF-SHA-256 from the token with 32 zero bytes of salt and
 * the member's name.
 * Spec: CTAP 2.2 §6.4 encIdentifier; CTAP 2.3 §6.4 encCredStoreState
 */
#define BLOCK 16

static bool
derive(const struct kp_token *token, const char *name, uint8_t ret[BLOCK])
{
        static const uint8_t salt[32];
        KP_CLEANUP(kp_free_pkey_ctx)
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
        size_t len = BLOCK;

        return ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
               EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set1_hkdf_salt(ctx, salt, sizeof(salt)) == 1 &&
               EVP_PKEY_CTX_set1_hkdf_key(ctx, token->bytes, (int)token->len) == 1 &&
               EVP_PKEY_CTX_add1_hkdf_info(
                       ctx, (const unsigned char *)name, (int)strlen(name)) == 1 &&
               EVP_PKEY_derive(ctx, ret, &len) == 1 && len == BLOCK;
}

static bool
decrypt(const uint8_t key[BLOCK], const uint8_t member[2 * BLOCK], uint8_t ret[BLOCK])
{
        KP_CLEANUP(kp_free_cipher_ctx) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        int len = 0;

        return ctx != NULL &&
               EVP_DecryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, key, member) == 1 &&
               EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
               EVP_DecryptUpdate(ctx, ret, &len, member + BLOCK, BLOCK) == 1 &&
               len == BLOCK;
}

static bool
read_member(const struct kp_token *token, const char *name, const uint8_t *member,
        size_t member_len, uint8_t ret[BLOCK])
{
        uint8_t key[BLOCK];
        bool ok = token->len > 0 && member_len == 2 * BLOCK &&
                  derive(token, name, key) && decrypt(key, member, ret);

        OPENSSL_cleanse(key, sizeof(key));
        return ok;
}

bool
kp_key_identifier(const struct kp_key_info *info, const struct kp_token *token,
        uint8_t ret[BLOCK])
{
        return read_member(token, "encIdentifier", info->enc_identifier,
                info->enc_identifier_len, ret);
}

bool
kp_key_store_state(const struct kp_key_info *info, const struct kp_token *token,
        uint8_t ret[BLOCK])
{
        return read_member(token, "encCredStoreState", info->enc_store_state,
                info->enc_store_state_len, ret);
}
