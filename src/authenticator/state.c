/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <string.h>

#include "keypilot/codec/b64url.h"

#include "internal.h"

/*
 * The key's memory as JSON, in and out. Strict: what is unknown, missing or impossible
 * is refused by name. Shape: fixtures/schema/key-state.schema.json
 */
#define FORMAT 1
#define CREDENTIALS_MAX 20000
#define ID_MAX 1023
/* Drawn from the stream for each credential that is loaded: see skip_randoms(). */
#define RANDOMS_PER_CREDENTIAL 4096

/* ---- out ---- */

static int
set(json_t *object, const char *name, json_t *value, struct kp_error *err)
{
        if (json_object_set_new(object, name, value) < 0)
                return KP_FAIL(err, KP_ENOMEM, "key state");
        return 0;
}

static int
set_bytes(json_t *object, const char *name, const void *bytes, size_t bytes_len,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes, bytes_len);
        if (kp_buf_check(&text, err) < 0)
                return -1;
        return set(object, name, json_string(kp_buf_str(&text)), err);
}

static int
set_text(json_t *object, const char *name, const struct kp_buf *text,
        struct kp_error *err)
{
        if (text->len == 0)
                return 0;
        return set(
                object, name, json_stringn((const char *)text->data, text->len), err);
}

static int
save_user(const struct kp_auth_credential *of, json_t *object, struct kp_error *err)
{
        json_t *user;

        if (of->user_id.len == 0)
                return 0;
        if (set(object, "user", user = json_object(), err) < 0 ||
                set_bytes(user, "id", of->user_id.data, of->user_id.len, err) < 0 ||
                set_text(user, "name", &of->user_name, err) < 0)
                return -1;
        return set_text(user, "display_name", &of->user_display_name, err);
}

static int
save_private_key(
        const struct kp_auth_credential *of, json_t *object, struct kp_error *err)
{
        PKCS8_PRIV_KEY_INFO *info;
        unsigned char *der = NULL;
        int der_len = -1, rc;

        if (of->test_key >= 0)
                return set(object, "test_key", json_integer(of->test_key), err);
        if (of->key == NULL)
                return 0; /* made when first needed */
        if ((info = EVP_PKEY2PKCS8(of->key)) != NULL)
                der_len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
        PKCS8_PRIV_KEY_INFO_free(info);
        if (der_len <= 0)
                return KP_FAIL(err, KP_ENOMEM, "key state");
        rc = set_bytes(object, "private_key", der, (size_t)der_len, err);
        OPENSSL_clear_free(der, (size_t)der_len);
        return rc;
}

static int
save_credential(const struct kp_auth_credential *of, json_t *list, struct kp_error *err)
{
        json_t *object = json_object();

        if (json_array_append_new(list, object) < 0)
                return KP_FAIL(err, KP_ENOMEM, "key state");
        if (set_bytes(object, "id", of->id.data, of->id.len, err) < 0 ||
                (of->rp_id.len > 0 ? set_text(object, "rp_id", &of->rp_id, err)
                                   : set_bytes(object, "rp_id_hash", of->rp_id_hash,
                                             sizeof(of->rp_id_hash), err)) < 0 ||
                save_user(of, object, err) < 0 ||
                set(object, "algorithm", json_integer(of->alg), err) < 0 ||
                save_private_key(of, object, err) < 0 ||
                set(object, "counter", json_integer(of->counter), err) < 0 ||
                set(object, "cred_protect", json_integer(of->cred_protect), err) < 0 ||
                set(object, "discoverable", json_boolean(of->discoverable), err) < 0 ||
                set_bytes(object, "cred_random", of->cred_random,
                        sizeof(of->cred_random), err) < 0)
                return -1;
        if (of->cred_blob.len > 0)
                return set_bytes(object, "cred_blob", of->cred_blob.data,
                        of->cred_blob.len, err);
        return 0;
}

static int
save_pin(const struct kp_authenticator *key, json_t *root, struct kp_error *err)
{
        json_t *pin;

        if (!key->pin_set)
                return set(root, "pin", json_null(), err);
        if (set(root, "pin", pin = json_object(), err) < 0 ||
                set_bytes(pin, "hash", key->pin_hash, sizeof(key->pin_hash), err) < 0 ||
                set(pin, "code_points", json_integer(key->pin_code_points), err) < 0)
                return -1;
        return set(pin, "must_change", json_boolean(key->force_pin_change), err);
}

int
kp_authenticator_save(const struct kp_authenticator *authenticator, json_t **ret,
        struct kp_error *err)
{
        const struct kp_authenticator *key = authenticator;
        json_auto_t *root = json_object();
        json_t *list, *rp_ids;

        if (root == NULL)
                return KP_FAIL(err, KP_ENOMEM, "key state");
        if (set(root, "format", json_integer(FORMAT), err) < 0 ||
                set(root, "profile",
                        json_string(kp_authenticator_profile_id(key->profile)),
                        err) < 0 ||
                set(root, "counter", json_integer(key->counter), err) < 0 ||
                save_pin(key, root, err) < 0 ||
                set(root, "pin_retries", json_integer(key->pin_retries), err) < 0 ||
                set(root, "uv_retries", json_integer(key->uv_retries), err) < 0 ||
                set(root, "min_pin_length", json_integer(key->min_pin_length), err) <
                        0 ||
                set(root, "always_uv", json_boolean(key->always_uv), err) < 0 ||
                set(root, "min_pin_length_rp_ids", rp_ids = json_array(), err) < 0 ||
                set(root, "credentials", list = json_array(), err) < 0)
                return -1;
        for (size_t i = 0; i < key->n_min_pin_rp_ids; i++)
                if (json_array_append_new(rp_ids,
                            json_stringn((const char *)key->min_pin_rp_ids[i].data,
                                    key->min_pin_rp_ids[i].len)) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "key state");
        for (size_t i = 0; i < key->store.n; i++)
                if (save_credential(key->store.items[i], list, err) < 0)
                        return -1;
        *ret = KP_STEAL(root);
        return 0;
}

/* ---- in ---- */

/* Base64url of at least `min` and at most `max` bytes. */
static int
read_bytes(const char *member, const char *text, size_t min, size_t max,
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

static int
check_range(const char *member, int64_t value, int64_t min, int64_t max,
        struct kp_error *err)
{
        if (value < min || value > max)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member '%s': expected a number from %lld to %lld", member,
                        (long long)min, (long long)max);
        return 0;
}

struct credential_text {
        const char *id, *rp_id, *rp_id_hash, *private_key, *cred_random, *cred_blob;
        json_t *user;
        int64_t algorithm, test_key, counter, cred_protect;
        bool discoverable;
};

#define AT(member) offsetof(struct credential_text, member)

/* clang-format off */
static const struct kp_field credential_fields[] = {
        { "id", KP_STRING, true, AT(id) },
        { "rp_id", KP_STRING, false, AT(rp_id) },
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
};
/* clang-format on */

static int
load_rp(const struct credential_text *text, struct kp_auth_credential *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf hash = { 0 };

        if ((text->rp_id == NULL) == (text->rp_id_hash == NULL))
                return KP_FAIL(
                        err, KP_ESCHEMA, "expected 'rp_id' or 'rp_id_hash', not both");
        if (text->rp_id != NULL && text->rp_id[0] == '\0')
                return KP_FAIL(err, KP_ESCHEMA, "member 'rp_id': expected a domain");
        if (text->rp_id != NULL) {
                kp_buf_puts(&ret->rp_id, text->rp_id);
                kp_auth_hash(text->rp_id, strlen(text->rp_id), ret->rp_id_hash);
                return kp_buf_check(&ret->rp_id, err);
        }
        if (read_bytes("rp_id_hash", text->rp_id_hash, KP_AUTH_HASH_LEN,
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
                read_bytes("id", user.id, 1, 64, &ret->user_id, err) < 0)
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
        char group[32] = "";

        switch (alg) {
        case KP_COSE_ES256:
        case KP_COSE_ES384:
                return EVP_PKEY_is_a(pkey, "EC") &&
                       EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
                       strcmp(group,
                               alg == KP_COSE_ES256 ? "prime256v1" : "secp384r1") == 0;
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
        if (read_bytes("private_key", text->private_key, 1, 8192, &der, err) < 0)
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
                if (read_bytes("cred_random", text->cred_random,
                            sizeof(ret->cred_random), sizeof(ret->cred_random), &random,
                            err) < 0)
                        return -1;
                memcpy(ret->cred_random, random.data, sizeof(ret->cred_random));
        }
        if (text->cred_blob == NULL)
                return 0;
        return read_bytes("cred_blob", text->cred_blob, 0,
                (size_t)key->facts->max_cred_blob_length, &ret->cred_blob, err);
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
                check_range("counter", text.counter, 0, UINT32_MAX, err) < 0 ||
                check_range("cred_protect", text.cred_protect, 1, 3, err) < 0)
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
        if (read_bytes("id", text.id, 1, ID_MAX, &credential->id, err) < 0 ||
                load_rp(&text, credential, err) < 0 ||
                load_user(text.user, credential, err) < 0 ||
                load_private_key(key, &text, credential, err) < 0)
                return -1;
        if (credential->discoverable &&
                (credential->rp_id.len == 0 || text.user == NULL))
                return KP_FAIL(err, KP_ESCHEMA,
                        "a discoverable credential needs 'rp_id' and 'user'");
        return load_secrets(key, &text, credential, err);
}

static int
load_pin(struct kp_authenticator *key, json_t *pin, struct kp_error *err)
{
        struct pin {
                const char *hash;
                int64_t code_points;
                bool must_change;
        } text = { 0 };
        static const struct kp_field fields[] = {
                { "hash", KP_STRING, true, offsetof(struct pin, hash) },
                { "code_points", KP_INT, true, offsetof(struct pin, code_points) },
                { "must_change", KP_BOOL, false, offsetof(struct pin, must_change) },
        };
        KP_CLEANUP(kp_buf_wipe) struct kp_buf hash = { 0 };

        key->pin_set = key->force_pin_change = false;
        if (json_is_null(pin))
                return 0;
        if (kp_auth_option(key, KP_OPTION_CLIENT_PIN) < 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'pin': expected null, the key has none");
        if (kp_json_read(pin, fields, KP_NELEMS(fields), &text, err) < 0 ||
                read_bytes("hash", text.hash, KP_AUTH_PIN_HASH_LEN,
                        KP_AUTH_PIN_HASH_LEN, &hash, err) < 0 ||
                check_range("code_points", text.code_points, 4, 63, err) < 0)
                return KP_WHILE(err, "member 'pin'");
        memcpy(key->pin_hash, hash.data, KP_AUTH_PIN_HASH_LEN);
        key->pin_set = true;
        key->pin_code_points = text.code_points;
        key->force_pin_change = text.must_change;
        return 0;
}

static int
load_rp_ids(struct kp_authenticator *key, const json_t *list, struct kp_error *err)
{
        size_t i;
        json_t *item;

        if (json_array_size(list) > (size_t)key->facts->max_min_pin_rp_ids ||
                json_array_size(list) > KP_AUTH_RP_IDS_MAX)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'min_pin_length_rp_ids': more than the key can keep");
        json_array_foreach (list, i, item) {
                kp_buf_puts(&key->min_pin_rp_ids[i], json_string_value(item));
                key->n_min_pin_rp_ids = i + 1;
                if (kp_buf_check(&key->min_pin_rp_ids[i], err) < 0)
                        return -1;
        }
        return 0;
}

/*
 * A seed that is used again with the memory of last time must not make the same passkey
 * again: move on by more than any credential can have drawn.
 */
static void
skip_randoms(struct kp_authenticator *key)
{
        uint8_t bytes[RANDOMS_PER_CREDENTIAL];

        for (size_t i = 0; i < key->store.n; i++)
                kp_random_bytes(key->random, bytes, sizeof(bytes));
        OPENSSL_cleanse(bytes, sizeof(bytes));
}

static int
load_credentials(struct kp_authenticator *key, const json_t *list, struct kp_error *err)
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

struct state_text {
        int64_t format, counter, pin_retries, uv_retries, min_pin_length;
        const char *profile;
        json_t *pin, *credentials, *rp_ids;
        bool always_uv;
};

#define STATE_AT(member) offsetof(struct state_text, member)

/* clang-format off */
static const struct kp_field state_fields[] = {
        { "format", KP_INT, true, STATE_AT(format) },
        { "profile", KP_STRING, true, STATE_AT(profile) },
        { "counter", KP_INT, false, STATE_AT(counter) },
        { "pin", KP_ANY, true, STATE_AT(pin) },
        { "pin_retries", KP_INT, false, STATE_AT(pin_retries) },
        { "uv_retries", KP_INT, false, STATE_AT(uv_retries) },
        { "min_pin_length", KP_INT, false, STATE_AT(min_pin_length) },
        { "min_pin_length_rp_ids", KP_STRINGS, false, STATE_AT(rp_ids) },
        { "always_uv", KP_BOOL, false, STATE_AT(always_uv) },
        { "credentials", KP_ARRAY, true, STATE_AT(credentials) },
};
/* clang-format on */

static int
load_into(struct kp_authenticator *key, const json_t *state, struct kp_error *err)
{
        struct state_text text = {
                .pin_retries = KP_AUTH_PIN_RETRIES,
                .uv_retries = key->facts->uv_retries,
                .min_pin_length = key->facts->min_pin_length,
                .always_uv = key->always_uv,
        };

        if (kp_json_read(state, state_fields, KP_NELEMS(state_fields), &text, err) <
                        0 ||
                check_range("format", text.format, FORMAT, FORMAT, err) < 0 ||
                check_range("counter", text.counter, 0, UINT32_MAX, err) < 0 ||
                check_range("pin_retries", text.pin_retries, 0, KP_AUTH_PIN_RETRIES,
                        err) < 0 ||
                check_range("uv_retries", text.uv_retries, 0, key->facts->uv_retries,
                        err) < 0 ||
                check_range("min_pin_length", text.min_pin_length,
                        key->facts->min_pin_length, 63, err) < 0)
                return -1;
        if (strcmp(text.profile, kp_authenticator_profile_id(key->profile)) != 0)
                return KP_FAIL(err, KP_ESCHEMA, "member 'profile': expected \"%s\"",
                        kp_authenticator_profile_id(key->profile));
        if (text.always_uv && key->facts->options[KP_OPTION_ALWAYS_UV] < 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'always_uv': the key does not have it");
        key->counter = (uint32_t)text.counter;
        key->pin_retries = (unsigned)text.pin_retries;
        key->uv_retries = (unsigned)text.uv_retries;
        key->min_pin_length = text.min_pin_length;
        key->always_uv = text.always_uv;
        if (load_pin(key, text.pin, err) < 0 || load_rp_ids(key, text.rp_ids, err) < 0)
                return -1;
        return load_credentials(key, text.credentials, err);
}

/* Loaded aside and swapped in: a bad state leaves the key as it was. */
int
kp_authenticator_load(struct kp_authenticator *authenticator, const json_t *state,
        struct kp_error *err)
{
        struct kp_authenticator *key = authenticator;
        KP_CLEANUP(kp_authenticator_free) struct kp_authenticator *fresh = NULL;
        struct kp_auth_finger finger = key->finger;
        struct kp_authenticator old;
        int64_t powered_ms = key->powered_ms;

        if (kp_authenticator_new(key->profile, key->random, key->now_ms, &fresh, err) <
                0)
                return -1;
        kp_auth_store_clear(fresh);
        if (load_into(fresh, state, err) < 0)
                return KP_WHILE(err, "key state");
        skip_randoms(fresh);
        old = *key;
        *key = *fresh;
        *fresh = old;
        key->powered_ms = powered_ms;
        key->finger = finger;
        kp_auth_finger_forget(key);
        OPENSSL_cleanse(&old, sizeof(old));
        return 0;
}
