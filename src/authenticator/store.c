/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define RSA_BITS 2048

void
kp_auth_hash(const void *bytes, size_t bytes_len, uint8_t ret[KP_AUTH_HASH_LEN])
{
        (void)SHA256(bytes, bytes_len, ret);
}

static void
credential_free(struct kp_auth_credential *credential)
{
        kp_buf_done(&credential->id);
        kp_buf_done(&credential->rp_id);
        kp_buf_done(&credential->user_id);
        kp_buf_done(&credential->user_name);
        kp_buf_done(&credential->user_display_name);
        kp_buf_wipe(&credential->cred_blob);
        kp_free_pkey(&credential->key);
        OPENSSL_cleanse(credential, sizeof(*credential));
        free(credential);
}

struct kp_auth_credential *
kp_auth_store_add(struct kp_authenticator *key)
{
        struct kp_auth_store *store = &key->store;
        struct kp_auth_credential *credential;

        if (store->n == store->cap) {
                size_t cap = store->cap == 0 ? 8 : 2 * store->cap;
                void *items = realloc(store->items, cap * sizeof(*store->items));

                if (items == NULL)
                        return NULL;
                store->items = items;
                store->cap = cap;
        }
        if ((credential = calloc(1, sizeof(*credential))) == NULL)
                return NULL;
        credential->test_key = -1;
        credential->cred_protect = 1;
        store->items[store->n++] = credential;
        return credential;
}

void
kp_auth_store_remove(
        struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        struct kp_auth_store *store = &key->store;

        for (size_t i = 0; i < store->n; i++) {
                if (store->items[i] != credential)
                        continue;
                memmove(&store->items[i], &store->items[i + 1],
                        (store->n - i - 1) * sizeof(*store->items));
                store->n--;
                credential_free(credential);
                return;
        }
}

void
kp_auth_store_clear(struct kp_authenticator *key)
{
        for (size_t i = 0; i < key->store.n; i++)
                credential_free(key->store.items[i]);
        key->store.n = 0;
}

size_t
kp_auth_store_used(const struct kp_authenticator *key)
{
        size_t used = 0;

        for (size_t i = 0; i < key->store.n; i++)
                used += key->store.items[i]->discoverable;
        return used;
}

static bool
is_of(const struct kp_auth_credential *credential,
        const uint8_t rp_id_hash[KP_AUTH_HASH_LEN])
{
        return memcmp(credential->rp_id_hash, rp_id_hash, KP_AUTH_HASH_LEN) == 0;
}

struct kp_auth_credential *
kp_auth_store_find(const struct kp_authenticator *key,
        const uint8_t rp_id_hash[KP_AUTH_HASH_LEN], const uint8_t *id, size_t id_len)
{
        for (size_t i = 0; i < key->store.n; i++) {
                struct kp_auth_credential *at = key->store.items[i];

                if (kp_bytes_equal(at->id.data, at->id.len, id, id_len) &&
                        is_of(at, rp_id_hash))
                        return at;
        }
        return NULL;
}

struct kp_auth_credential *
kp_auth_store_account(const struct kp_authenticator *key,
        const uint8_t rp_id_hash[KP_AUTH_HASH_LEN], const uint8_t *user_id,
        size_t user_id_len)
{
        for (size_t i = 0; i < key->store.n; i++) {
                struct kp_auth_credential *at = key->store.items[i];

                if (at->discoverable && is_of(at, rp_id_hash) &&
                        kp_bytes_equal(at->user_id.data, at->user_id.len, user_id,
                                user_id_len))
                        return at;
        }
        return NULL;
}

static bool
id_is_taken(const struct kp_authenticator *key, const struct kp_auth_credential *new)
{
        for (size_t i = 0; i < key->store.n; i++)
                if (key->store.items[i] !=
                        new &&kp_bytes_equal(key->store.items[i]->id.data,
                                key->store.items[i]->id.len, new->id.data, new->id.len))
                        return true;
        return false;
}

/* Random from the first byte: a constant prefix would tell the model to everybody. */
static bool
make_id(struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        uint8_t id[1024];
        size_t len = (size_t)key->facts->credential_id_length;

        do {
                kp_random_bytes(key->random, id, len);
                kp_buf_clear(&credential->id);
                kp_buf_put(&credential->id, id, len);
                if (credential->id.failed)
                        return false;
        } while (id_is_taken(key, credential));
        kp_random_bytes(
                key->random, credential->cred_random, sizeof(credential->cred_random));
        return true;
}

static bool
test_key_is_taken(const struct kp_authenticator *key, int index)
{
        for (size_t i = 0; i < key->store.n; i++)
                if (key->store.items[i]->test_key == index)
                        return true;
        return false;
}

/*
 * RSA: one of the test keys, beginning anywhere so that two keys seldom share one; a
 * pair of its own, at great cost, only when all are in use.
 */
static EVP_PKEY *
make_rsa(struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        size_t n = kp_authenticator_profile_n_test_keys(key->profile);
        EVP_PKEY *pkey = NULL;
        uint8_t first;

        kp_random_bytes(key->random, &first, sizeof(first));
        for (size_t i = 0; i < n; i++) {
                int index = (int)((first + i) % n);

                if (test_key_is_taken(key, index))
                        continue;
                if (kp_authenticator_profile_test_key(
                            key->profile, (size_t)index, &pkey, &key->err) < 0)
                        return NULL;
                credential->test_key = index;
                return pkey;
        }
        return EVP_RSA_gen(RSA_BITS);
}

EVP_PKEY *
kp_auth_credential_key(
        struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        if (credential->key != NULL)
                return credential->key;
        if (credential->alg == KP_COSE_RS256)
                credential->key = make_rsa(key, credential);
        else if (kp_cose_key_make(
                         credential->alg, key->random, &credential->key, &key->err) < 0)
                return NULL;
        return credential->key;
}

bool
kp_auth_credential_make(
        struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        return make_id(key, credential) &&
               kp_auth_credential_key(key, credential) != NULL;
}

bool
kp_auth_store_fill(struct kp_authenticator *key, size_t n)
{
        for (size_t i = 1; i <= n; i++) {
                struct kp_auth_credential *at = kp_auth_store_add(key);

                if (at == NULL)
                        return false;
                at->alg = key->facts->algorithms[0];
                at->discoverable = true;
                kp_buf_printf(&at->rp_id, "place-%zu.invalid", i);
                kp_buf_printf(&at->user_id, "%zu", i);
                kp_buf_printf(&at->user_name, "place %zu", i);
                kp_auth_hash(at->rp_id.data, at->rp_id.len, at->rp_id_hash);
                if (at->rp_id.failed || at->user_id.failed || at->user_name.failed ||
                        !make_id(key, at))
                        return false;
        }
        return true;
}
