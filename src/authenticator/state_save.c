/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <string.h>

#include "keypilot/codec/b64url.h"

#include "internal.h"

/* The key's memory as JSON. Shape: fixtures/schema/key-state.schema.json */
#define FORMAT 1

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

/* JSON that is read strictly has no NUL in its texts: a name ends before it. */
static int
set_text(json_t *object, const char *name, const struct kp_buf *text,
        struct kp_error *err)
{
        size_t len = text->len == 0 ? 0 : strnlen((const char *)text->data, text->len);

        if (len == 0)
                return 0;
        return set(object, name, json_stringn((const char *)text->data, len), err);
}

/* As text where it can be, for people to read. */
static int
save_rp(const struct kp_auth_credential *of, json_t *object, struct kp_error *err)
{
        if (of->rp_id.len == 0 && !of->discoverable)
                return set_bytes(object, "rp_id_hash", of->rp_id_hash,
                        sizeof(of->rp_id_hash), err);
        if (of->rp_id.len == 0 || memchr(of->rp_id.data, 0, of->rp_id.len) != NULL)
                return set_bytes(
                        object, "rp_id_bytes", of->rp_id.data, of->rp_id.len, err);
        return set_text(object, "rp_id", &of->rp_id, err);
}

static int
save_user(const struct kp_auth_credential *of, json_t *object, struct kp_error *err)
{
        json_t *user;

        if (of->user_id.len == 0 && !of->discoverable)
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
                save_rp(of, object, err) < 0 || save_user(of, object, err) < 0 ||
                set(object, "algorithm", json_integer(of->alg), err) < 0 ||
                save_private_key(of, object, err) < 0 ||
                set(object, "counter", json_integer(of->counter), err) < 0 ||
                set(object, "cred_protect", json_integer(of->cred_protect), err) < 0 ||
                set(object, "discoverable", json_boolean(of->discoverable), err) < 0 ||
                set_bytes(object, "cred_random", of->cred_random,
                        sizeof(of->cred_random), err) < 0)
                return -1;
        if (of->cred_blob.len > 0 && set_bytes(object, "cred_blob", of->cred_blob.data,
                                             of->cred_blob.len, err) < 0)
                return -1;
        if (of->has_large_blob_key &&
                set_bytes(object, "large_blob_key", of->large_blob_key,
                        sizeof(of->large_blob_key), err) < 0)
                return -1;
        if (of->third_party_payment)
                return set(object, "third_party_payment", json_true(), err);
        return 0;
}

static int
save_fingers(const struct kp_authenticator *key, json_t *root, struct kp_error *err)
{
        json_t *list;

        if (!kp_auth_has_fingers(key))
                return 0;
        if (set(root, "fingers", list = json_array(), err) < 0)
                return -1;
        for (size_t i = 0; i < key->bio.n; i++) {
                const struct kp_auth_template *of = &key->bio.templates[i];
                json_t *object = json_object();

                if (json_array_append_new(list, object) < 0)
                        return KP_FAIL(err, KP_ENOMEM, "key state");
                if (set_bytes(object, "id", of->id, sizeof(of->id), err) < 0 ||
                        set_text(object, "name", &of->name, err) < 0)
                        return -1;
        }
        return set(root, "uv_count", json_integer(key->uv_count), err);
}

/* Settings and storage that only some models have. */
static int
save_settings(const struct kp_authenticator *key, json_t *root, struct kp_error *err)
{
        if (kp_auth_option(key, KP_OPTION_EP) >= 0 &&
                set(root, "enterprise_attestation", json_boolean(key->enterprise),
                        err) < 0)
                return -1;
        if (key->facts->long_touch_for_reset >= 0 &&
                set(root, "long_touch_for_reset", json_boolean(key->long_touch), err) <
                        0)
                return -1;
        if (key->facts->pin_complexity_policy >= 0 &&
                set(root, "pin_complexity_policy", json_boolean(key->pin_complex),
                        err) < 0)
                return -1;
        if (kp_auth_option(key, KP_OPTION_LARGE_BLOBS) != 1)
                return 0;
        return set_bytes(
                root, "large_blobs", key->blobs.array.data, key->blobs.array.len, err);
}

static int
save_identity(const struct kp_authenticator *key, json_t *root, struct kp_error *err)
{
        json_t *object;

        if (!kp_auth_has_identity(key))
                return 0;
        if (set(root, "identity", object = json_object(), err) < 0 ||
                set_bytes(object, "device", key->device_identifier,
                        sizeof(key->device_identifier), err) < 0 ||
                set_bytes(object, "store", key->store_state, sizeof(key->store_state),
                        err) < 0 ||
                set_bytes(object, "token", key->persistent_token,
                        sizeof(key->persistent_token), err) < 0)
                return -1;
        return set(object, "granted", json_boolean(key->persistent_granted), err);
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
                save_settings(key, root, err) < 0 || save_fingers(key, root, err) < 0 ||
                save_identity(key, root, err) < 0 ||
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
