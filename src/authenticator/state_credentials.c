/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <string.h>

#include "keypilot/codec/b64url.h"

#include "internal.h"
#include "state.h"

/* The credentials of a key's memory, read again. */
#define CREDENTIALS_MAX 20000
#define ID_MAX 1023
#define RP_ID_MAX 7609 /* no message is longer */
/* Drawn from the stream for each credential that is loaded: kp_state_skip_randoms(). */
#define RANDOMS_PER_CREDENTIAL 4096

int
kp_state_bytes(const char *member, const char *text, size_t min, size_t max,
        struct kp_buf *ret, struct kp_error *err)
{
        if (kp_b64url_decode(text, strlen(text), ret, err) < 0)
                return KP_WHILE(err, "member '%s'", member);
        if (ret->len < min || ret->len > max)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member '%s': expected %zu to %zu bytes, got %zu", member, min,
                        max, ret->len);
        return 0;
}

int
kp_state_range(const char *member, int64_t value, int64_t min, int64_t max,
        struct kp_error *err)
{
        if (value < min || value > max)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member '%s': expected a number from %lld to %lld", member,
                        (long long)min, (long long)max);
        return 0;
}

struct credential_text {
        const char *id, *rp_id, *rp_id_bytes, *rp_id_hash, *private_key, *cred_random,
                *cred_blob, *large_blob_key;
        json_t *user;
        int64_t algorithm, test_key, counter, cred_protect;
        bool discoverable, third_party_payment;
};

#define AT(member) offsetof(struct credential_text, member)

/* clang-format off */
static const struct kp_field credential_fields[] = {
        { "id", KP_STRING, true, AT(id) },
        { "rp_id", KP_STRING, false, AT(rp_id) },
        { "rp_id_bytes", KP_STRING, false, AT(rp_id_bytes) },
        { "rp_id_hash", KP_STRING, false, AT(rp_id_hash) },
        { "user", KP_OBJECT, false, AT(user) },
        { "algorithm", KP_INT, true, AT(algorithm) },
        { "private_key", KP_STRING, false, AT(private_key) },
        { "test_key", KP_INT, false, AT(test_key) },
        { "counter", KP_INT, false, AT(counter) },
        { "cred_protect", KP_INT, false, AT(cred_protect) },
        { "discoverable", KP_BOOL, false, AT(discoverable) },
        { "cred_random", KP_STRING, false, AT(cred_random) },
        { "cred_blob", KP_STRING, false, AT(cred_blob) },
        { "large_blob_key", KP_STRING, false, AT(large_blob_key) },
        { "third_party_payment", KP_BOOL, false, AT(third_party_payment) },
};
/* clang-format on */

static int
load_rp(const struct credential_text *text, struct kp_auth_credential *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf hash = { 0 };

        if ((text->rp_id != NULL) + (text->rp_id_bytes != NULL) +
                        (text->rp_id_hash != NULL) !=
                1)
                return KP_FAIL(err, KP_ESCHEMA,
                        "expected one of 'rp_id', 'rp_id_bytes' and 'rp_id_hash'");
        if (text->rp_id != NULL && text->rp_id[0] == '\0')
                return KP_FAIL(err, KP_ESCHEMA, "member 'rp_id': expected a domain");
        if (text->rp_id != NULL)
                kp_buf_puts(&ret->rp_id, text->rp_id);
        if (text->rp_id_bytes != NULL &&
                kp_state_bytes("rp_id_bytes", text->rp_id_bytes, 0, RP_ID_MAX,
                        &ret->rp_id, err) < 0)
                return -1;
        if (text->rp_id_hash == NULL) {
                kp_auth_hash(ret->rp_id.data, ret->rp_id.len, ret->rp_id_hash);
                return kp_buf_check(&ret->rp_id, err);
        }
        if (kp_state_bytes("rp_id_hash", text->rp_id_hash, KP_AUTH_HASH_LEN,
                    KP_AUTH_HASH_LEN, &hash, err) < 0)
                return -1;
        memcpy(ret->rp_id_hash, hash.data, KP_AUTH_HASH_LEN);
        return 0;
}

static int
load_user(const json_t *object, struct kp_auth_credential *ret, struct kp_error *err)
{
        struct user {
                const char *id, *name, *display_name;
        } user = { 0 };
        static const struct kp_field fields[] = {
                { "id", KP_STRING, true, offsetof(struct user, id) },
                { "name", KP_STRING, false, offsetof(struct user, name) },
                { "display_name", KP_STRING, false,
                        offsetof(struct user, display_name) },
        };

        if (object == NULL)
                return 0;
        if (kp_json_read(object, fields, KP_NELEMS(fields), &user, err) < 0 ||
                kp_state_bytes("id", user.id, 0, 64, &ret->user_id, err) < 0)
                return KP_WHILE(err, "member 'user'");
        if (user.name != NULL)
                kp_buf_puts(&ret->user_name, user.name);
        if (user.display_name != NULL)
                kp_buf_puts(&ret->user_display_name, user.display_name);
        if (kp_buf_check(&ret->user_name, err) < 0)
                return -1;
        return kp_buf_check(&ret->user_display_name, err);
}

static bool
key_fits(EVP_PKEY *pkey, int alg)
{
        static const struct {
                int alg;
                const char *group;
        } curves[] = {
                { KP_COSE_ES256, "prime256v1" },
                { KP_COSE_ES384, "secp384r1" },
                { KP_COSE_ES512, "secp521r1" },
                { KP_COSE_ES256K, "secp256k1" },
        };
        char group[32] = "";

        for (size_t i = 0; i < KP_NELEMS(curves); i++)
                if (curves[i].alg == alg)
                        return EVP_PKEY_is_a(pkey, "EC") &&
                               EVP_PKEY_get_group_name(
                                       pkey, group, sizeof(group), NULL) == 1 &&
                               strcmp(group, curves[i].group) == 0;
        switch (alg) {
        case KP_COSE_EDDSA:
                return EVP_PKEY_is_a(pkey, "ED25519");
        default:
                return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) >= 2048;
        }
}

static int
load_private_key(const struct kp_authenticator *key, const struct credential_text *text,
        struct kp_auth_credential *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf der = { 0 };
        const uint8_t *at;

        if (text->test_key >= 0) {
                if (text->private_key != NULL || ret->alg != KP_COSE_RS256)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'test_key': only with algorithm -257 and "
                                "without "
                                "'private_key'");
                ret->test_key = (int)text->test_key;
                if (kp_authenticator_profile_test_key(
                            key->profile, (size_t)text->test_key, &ret->key, err) < 0)
                        return KP_WHILE(err, "member 'test_key'");
                return 0;
        }
        if (text->private_key == NULL)
                return 0;
        if (kp_state_bytes("private_key", text->private_key, 1, 8192, &der, err) < 0)
                return -1;
        at = der.data;
        ret->key = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
        if (ret->key == NULL || at != der.data + der.len ||
                !key_fits(ret->key, ret->alg))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'private_key': expected PKCS #8 of a key for the "
                        "algorithm");
        return 0;
}

static int
load_secrets(const struct kp_authenticator *key, const struct credential_text *text,
        struct kp_auth_credential *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf random = { 0 };

        if (text->cred_random == NULL) {
                kp_random_bytes(
                        key->random, ret->cred_random, sizeof(ret->cred_random));
        } else {
                if (kp_state_bytes("cred_random", text->cred_random,
                            sizeof(ret->cred_random), sizeof(ret->cred_random), &random,
                            err) < 0)
                        return -1;
                memcpy(ret->cred_random, random.data, sizeof(ret->cred_random));
        }
        if (text->cred_blob == NULL)
                return 0;
        return kp_state_bytes("cred_blob", text->cred_blob, 0,
                (size_t)key->facts->max_cred_blob_length, &ret->cred_blob, err);
}

static int
load_extensions(const struct credential_text *text, struct kp_auth_credential *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf blob_key = { 0 };

        ret->third_party_payment = text->third_party_payment;
        if (text->large_blob_key == NULL)
                return 0;
        if (kp_state_bytes("large_blob_key", text->large_blob_key,
                    sizeof(ret->large_blob_key), sizeof(ret->large_blob_key), &blob_key,
                    err) < 0)
                return -1;
        memcpy(ret->large_blob_key, blob_key.data, sizeof(ret->large_blob_key));
        ret->has_large_blob_key = true;
        return 0;
}

static int
load_credential(
        struct kp_authenticator *key, const json_t *object, struct kp_error *err)
{
        struct credential_text text = { .cred_protect = 1, .test_key = -1 };
        struct kp_auth_credential *credential = kp_auth_store_add(key);
        bool signs = false;

        if (credential == NULL)
                return KP_FAIL(err, KP_ENOMEM, "key state");
        if (kp_json_read(object, credential_fields, KP_NELEMS(credential_fields), &text,
                    err) < 0 ||
                kp_state_range("counter", text.counter, 0, UINT32_MAX, err) < 0 ||
                kp_state_range("cred_protect", text.cred_protect, 1, 3, err) < 0)
                return -1;
        for (size_t i = 0; i < key->facts->n_algorithms; i++)
                signs = signs || key->facts->algorithms[i] == text.algorithm;
        if (!signs)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'algorithm': %lld is none of the key's",
                        (long long)text.algorithm);
        credential->alg = (int)text.algorithm;
        credential->counter = (uint32_t)text.counter;
        credential->cred_protect = (int)text.cred_protect;
        credential->discoverable = text.discoverable;
        if (kp_state_bytes("id", text.id, 1, ID_MAX, &credential->id, err) < 0 ||
                load_rp(&text, credential, err) < 0 ||
                load_user(text.user, credential, err) < 0 ||
                load_private_key(key, &text, credential, err) < 0 ||
                load_extensions(&text, credential, err) < 0)
                return -1;
        if (credential->discoverable && (text.rp_id_hash != NULL || text.user == NULL))
                return KP_FAIL(err, KP_ESCHEMA,
                        "a discoverable credential needs 'rp_id' and 'user'");
        return load_secrets(key, &text, credential, err);
}

/*
 * A seed that is used again with the memory of last time must not make the same passkey
 * again: move on by more than any credential can have drawn.
 */
void
kp_state_skip_randoms(struct kp_authenticator *key)
{
        uint8_t bytes[RANDOMS_PER_CREDENTIAL];

        for (size_t i = 0; i < key->store.n; i++)
                kp_random_bytes(key->random, bytes, sizeof(bytes));
        OPENSSL_cleanse(bytes, sizeof(bytes));
}

int
kp_state_credentials(
        struct kp_authenticator *key, const json_t *list, struct kp_error *err)
{
        size_t i;
        json_t *item;

        if (json_array_size(list) > CREDENTIALS_MAX)
                return KP_FAIL(err, KP_ESCHEMA, "member 'credentials': more than %d",
                        CREDENTIALS_MAX);
        json_array_foreach (list, i, item)
                if (load_credential(key, item, err) < 0)
                        return KP_WHILE(err, "member 'credentials[%zu]'", i);
        for (i = 0; i < key->store.n; i++) {
                const struct kp_auth_credential *at = key->store.items[i];

                if (kp_auth_store_find(key, at->rp_id_hash, at->id.data, at->id.len) !=
                        at)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'credentials[%zu]': the same id twice", i);
                if (at->discoverable &&
                        kp_auth_store_account(key, at->rp_id_hash, at->user_id.data,
                                at->user_id.len) != at)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'credentials[%zu]': the same account twice", i);
        }
        if (kp_auth_store_used(key) > (size_t)key->facts->places)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'credentials': more discoverable ones than 'places'");
        return 0;
}
