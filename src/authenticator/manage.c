/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* authenticatorCredentialManagement, and its preview. Spec: CTAP 2.1 §6.8; the
 * persistent token is of CTAP 2.2 */
#define NEXT_MS 30000 /* CTAP 2.1 §6 "stateful commands" */

enum sub_command {
        GET_CREDS_METADATA = 0x01,
        ENUMERATE_RPS_BEGIN = 0x02,
        ENUMERATE_RPS_NEXT = 0x03,
        ENUMERATE_CREDENTIALS_BEGIN = 0x04,
        ENUMERATE_CREDENTIALS_NEXT = 0x05,
        DELETE_CREDENTIAL = 0x06,
        UPDATE_USER_INFORMATION = 0x07,
};

void
kp_auth_listing_done(struct kp_authenticator *key)
{
        free(key->listing.list);
        key->listing = (struct kp_auth_listing){ 0 };
}

static int
listing_begin(struct kp_authenticator *key, uint8_t next)
{
        kp_auth_listing_done(key);
        key->listing.sub_command = next;
        key->listing.channel = key->channel;
        key->listing.since_ms = key->now_ms;
        key->listing.list = calloc(key->store.n + 1, sizeof(*key->listing.list));
        return key->listing.list == NULL ? KP_CTAP1_ERR_OTHER : KP_CTAP_OK;
}

static void
listing_add(struct kp_authenticator *key, struct kp_auth_credential *credential)
{
        key->listing.list[key->listing.n++] = credential;
}

static struct kp_auth_credential *
listing_take(struct kp_authenticator *key)
{
        return key->listing.at < key->listing.n ? key->listing.list[key->listing.at++]
                                                : NULL;
}

static int
get_metadata(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        int64_t used = (int64_t)kp_auth_store_used(key),
                left = key->facts->places - used;

        (void)params;
        kp_cbor_put_map(answer, 2);
        kp_cbor_put_int(answer, 1);
        kp_cbor_put_int(answer, used);
        kp_cbor_put_int(answer, 2);
        kp_cbor_put_int(answer, left < 0 ? 0 : left);
        return KP_CTAP_OK;
}

static void
put_rp(const struct kp_auth_credential *of, size_t total, struct kp_buf *answer)
{
        kp_cbor_put_map(answer, total > 0 ? 3 : 2);
        kp_cbor_put_int(answer, 3);
        kp_cbor_put_map(answer, 1);
        kp_cbor_put_text(answer, "id");
        kp_cbor_put_text_len(answer, (const char *)of->rp_id.data, of->rp_id.len);
        kp_cbor_put_int(answer, 4);
        kp_cbor_put_bytes(answer, of->rp_id_hash, sizeof(of->rp_id_hash));
        if (total > 0) {
                kp_cbor_put_int(answer, 5);
                kp_cbor_put_int(answer, (int64_t)total);
        }
}

static bool
rp_is_listed(const struct kp_authenticator *key, const struct kp_auth_credential *of)
{
        for (size_t i = 0; i < key->listing.n; i++)
                if (memcmp(key->listing.list[i]->rp_id_hash, of->rp_id_hash,
                            KP_AUTH_HASH_LEN) == 0)
                        return true;
        return false;
}

static int
rps_begin(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        (void)params;
        if (listing_begin(key, ENUMERATE_RPS_NEXT) != KP_CTAP_OK)
                return KP_CTAP1_ERR_OTHER;
        for (size_t i = 0; i < key->store.n; i++)
                if (key->store.items[i]->discoverable &&
                        !rp_is_listed(key, key->store.items[i]))
                        listing_add(key, key->store.items[i]);
        if (key->listing.n == 0) {
                kp_auth_listing_done(key);
                return KP_CTAP2_ERR_NO_CREDENTIALS;
        }
        put_rp(listing_take(key), key->listing.n, answer);
        return KP_CTAP_OK;
}

static int
rps_next(struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        const struct kp_auth_credential *of = listing_take(key);

        (void)params;
        if (of == NULL)
                return KP_CTAP2_ERR_NOT_ALLOWED;
        put_rp(of, 0, answer);
        return KP_CTAP_OK;
}

static int
put_credential(struct kp_authenticator *key, struct kp_auth_credential *of,
        size_t total, struct kp_buf *answer)
{
        const EVP_PKEY *pkey = kp_auth_credential_key(key, of);
        bool protects = kp_auth_extension(key, "credProtect");
        bool pays = kp_auth_extension(key, "thirdPartyPayment");

        if (pkey == NULL)
                return KP_CTAP1_ERR_OTHER;
        kp_cbor_put_map(answer, 3 + (size_t)(total > 0) + (size_t)protects +
                                        (size_t)of->has_large_blob_key + (size_t)pays);
        kp_cbor_put_int(answer, 6);
        kp_auth_put_user(answer, of, true);
        kp_cbor_put_int(answer, 7);
        kp_auth_put_descriptor(answer, &of->id);
        kp_cbor_put_int(answer, 8);
        if (kp_cose_key_put(answer, pkey, of->alg, &key->err) < 0)
                return KP_CTAP1_ERR_OTHER;
        if (total > 0) {
                kp_cbor_put_int(answer, 9);
                kp_cbor_put_int(answer, (int64_t)total);
        }
        if (protects) {
                kp_cbor_put_int(answer, 10);
                kp_cbor_put_int(answer, of->cred_protect);
        }
        if (of->has_large_blob_key) {
                kp_cbor_put_int(answer, 11);
                kp_cbor_put_bytes(
                        answer, of->large_blob_key, sizeof(of->large_blob_key));
        }
        if (pays) {
                kp_cbor_put_int(answer, 12);
                kp_cbor_put_bool(answer, of->third_party_payment);
        }
        return KP_CTAP_OK;
}

static int
credentials_begin(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        const uint8_t *hash;
        size_t hash_len;
        int status =
                kp_auth_want_bytes(kp_cbor_at_int(params, 1), true, &hash, &hash_len);

        if (status != KP_CTAP_OK)
                return status;
        if (listing_begin(key, ENUMERATE_CREDENTIALS_NEXT) != KP_CTAP_OK)
                return KP_CTAP1_ERR_OTHER;
        for (size_t i = 0; i < key->store.n; i++)
                if (key->store.items[i]->discoverable &&
                        memcmp(key->store.items[i]->rp_id_hash, hash, hash_len) == 0)
                        listing_add(key, key->store.items[i]);
        if (key->listing.n == 0) {
                kp_auth_listing_done(key);
                return KP_CTAP2_ERR_NO_CREDENTIALS;
        }
        return put_credential(key, listing_take(key), key->listing.n, answer);
}

static int
credentials_next(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        struct kp_auth_credential *of = listing_take(key);

        (void)params;
        if (of == NULL)
                return KP_CTAP2_ERR_NOT_ALLOWED;
        return put_credential(key, of, 0, answer);
}

static struct kp_auth_credential *
find_discoverable(const struct kp_authenticator *key, const uint8_t *id, size_t id_len)
{
        for (size_t i = 0; i < key->store.n; i++) {
                struct kp_auth_credential *at = key->store.items[i];

                if (at->discoverable &&
                        kp_bytes_equal(at->id.data, at->id.len, id, id_len))
                        return at;
        }
        return NULL;
}

/*
 * The credential that the descriptor names, if the token may touch it. A token that
 * belongs to one RP is not told whether another's credential exists.
 */
static int
find_named(struct kp_authenticator *key, const cbor_item_t *params,
        struct kp_auth_credential **ret)
{
        const cbor_item_t *descriptor = kp_cbor_at_int(params, 2);
        const struct kp_auth_token *token = &key->pin.token;
        struct kp_auth_credential *found;
        const uint8_t *id;
        size_t id_len;
        int status = kp_auth_want_bytes(
                kp_cbor_at_str(descriptor, "id"), true, &id, &id_len);

        if (status != KP_CTAP_OK)
                return status;
        found = find_discoverable(key, id, id_len);
        if (token->has_rp &&
                (found == NULL || !kp_auth_token_fits(key, found->rp_id_hash)))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        if (found == NULL)
                return KP_CTAP2_ERR_NO_CREDENTIALS;
        *ret = found;
        return KP_CTAP_OK;
}

static int
delete_credential(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        struct kp_auth_credential *found = NULL;
        int status = find_named(key, params, &found);

        (void)answer;
        if (status != KP_CTAP_OK)
                return status;
        kp_auth_store_remove(key, found);
        kp_auth_store_changed(key);
        return KP_CTAP_OK;
}

static int
update_user(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer)
{
        struct kp_auth_credential *found = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf display_name = { 0 };
        int status = find_named(key, params, &found);

        (void)answer;
        if (status != KP_CTAP_OK ||
                (status = kp_auth_want_user(
                         kp_cbor_at_int(params, 3), &id, &name, &display_name)) != 0)
                return status;
        if (!kp_bytes_equal(id.data, id.len, found->user_id.data, found->user_id.len))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        if (name.failed || display_name.failed)
                return KP_CTAP1_ERR_OTHER;
        kp_buf_done(&found->user_name);
        kp_buf_done(&found->user_display_name);
        found->user_name = name;
        found->user_display_name = display_name;
        name = display_name = (struct kp_buf){ 0 };
        kp_auth_store_changed(key);
        return KP_CTAP_OK;
}

/* What subCommandParams must hold. */
enum params {
        NOTHING = 0,
        RP_ID_HASH = 1,
        CREDENTIAL_ID = 2,
        USER = 4,
};

/* Spec table: CTAP 2.1 §6.8, subcommands in order of number. */
/* clang-format off */
static const struct sub {
        uint8_t number;
        bool is_next;   /* needs no token, follows its Begin on the same channel */
        bool reads;     /* the persistent token will do */
        bool preview;   /* the preview has it too */
        unsigned params;
        int (*run)(struct kp_authenticator *key, const cbor_item_t *params,
                struct kp_buf *answer);
} sub_commands[] = {
        { GET_CREDS_METADATA,          false, true,  true,  NOTHING,              get_metadata },
        { ENUMERATE_RPS_BEGIN,         false, true,  true,  NOTHING,              rps_begin },
        { ENUMERATE_RPS_NEXT,          true,  false, true,  NOTHING,              rps_next },
        { ENUMERATE_CREDENTIALS_BEGIN, false, true,  true,  RP_ID_HASH,           credentials_begin },
        { ENUMERATE_CREDENTIALS_NEXT,  true,  false, true,  NOTHING,              credentials_next },
        { DELETE_CREDENTIAL,           false, false, true,  CREDENTIAL_ID,        delete_credential },
        { UPDATE_USER_INFORMATION,     false, false, false, CREDENTIAL_ID | USER, update_user },
};
/* clang-format on */

/* Step 2 of each: the members that it must have, of the right type. */
static int
check_params(const struct sub *sub, const cbor_item_t *params)
{
        const uint8_t *hash;
        size_t hash_len;
        int status;

        if (sub->params & RP_ID_HASH) {
                status = kp_auth_want_bytes(
                        kp_cbor_at_int(params, 1), true, &hash, &hash_len);
                if (status != KP_CTAP_OK)
                        return status;
                if (hash_len != KP_AUTH_HASH_LEN)
                        return KP_CTAP1_ERR_INVALID_LENGTH;
        }
        if ((sub->params & CREDENTIAL_ID) &&
                (status = kp_auth_want_map(kp_cbor_at_int(params, 2), true)) != 0)
                return status;
        if (sub->params & USER)
                return kp_auth_want_map(kp_cbor_at_int(params, 3), true);
        return KP_CTAP_OK;
}

/* cm, and where the token belongs to an RP: none that is asked for, or this one. */
static bool
token_allows(const struct kp_authenticator *key, const struct sub *sub,
        const cbor_item_t *params)
{
        const uint8_t *hash;
        size_t hash_len;

        if (!kp_auth_token_allows(key, KP_CTAP_PERM_CM))
                return false;
        if (!key->pin.token.has_rp || (sub->params & CREDENTIAL_ID))
                return true; /* find_named() looks */
        return (sub->params & RP_ID_HASH) &&
               kp_cbor_is_bytes(kp_cbor_at_int(params, 1), &hash, &hash_len) &&
               kp_auth_token_fits(key, hash);
}

/*
 * verify(token, subCommand || subCommandParams, pinUvAuthParam); what takes no
 * parameters is authenticated by its number alone. What only reads is authenticated by
 * the persistent token as well.
 */
static int
check_token(struct kp_authenticator *key, const cbor_item_t *map, const struct sub *sub,
        bool *persistent)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        const cbor_item_t *params = kp_cbor_at_int(map, 2);
        const uint8_t *param;
        size_t param_len;
        int64_t protocol;
        int status;

        if (kp_cbor_at_int(map, 4) == NULL)
                return KP_CTAP2_ERR_PUAT_REQUIRED;
        if ((status = check_params(sub, params)) != 0 ||
                (status = kp_auth_want_bytes(
                         kp_cbor_at_int(map, 4), true, &param, &param_len)) != 0 ||
                (status = kp_auth_want_int(kp_cbor_at_int(map, 3), true, &protocol)) !=
                        0)
                return status;
        if (!kp_auth_pin_protocol(key, protocol))
                return KP_CTAP1_ERR_INVALID_PARAMETER;
        kp_buf_put_u8(&message, sub->number);
        if (sub->params != NOTHING)
                kp_cbor_put_item(&message, params);
        if (message.failed)
                return KP_CTAP1_ERR_OTHER;
        *persistent = sub->reads &&
                      kp_auth_option(key, KP_OPTION_PER_CRED_MGMT_RO) == 1 &&
                      kp_auth_persistent_verify(key, (int)protocol, message.data,
                              message.len, param, param_len);
        if (*persistent)
                return KP_CTAP_OK;
        if (!kp_auth_token_verify(
                    key, (int)protocol, message.data, message.len, param, param_len) ||
                !token_allows(key, sub, params))
                return KP_CTAP2_ERR_PIN_AUTH_INVALID;
        return KP_CTAP_OK;
}

static int
run_next(struct kp_authenticator *key, const struct sub *sub, struct kp_buf *answer)
{
        int status;

        if (key->listing.sub_command != sub->number ||
                key->listing.channel != key->channel)
                return KP_CTAP2_ERR_NOT_ALLOWED;
        if (key->now_ms - key->listing.since_ms > NEXT_MS) {
                kp_auth_listing_done(key);
                return KP_CTAP2_ERR_NOT_ALLOWED;
        }
        status = sub->run(key, NULL, answer);
        key->listing.since_ms = key->now_ms;
        return status;
}

int
kp_auth_credential_management(
        struct kp_authenticator *key, const cbor_item_t *map, struct kp_buf *answer)
{
        const cbor_item_t *params = kp_cbor_at_int(map, 2);
        bool full = kp_auth_option(key, KP_OPTION_CRED_MGMT) == 1, persistent;
        int64_t number;
        int status;

        if ((status = kp_auth_want_int(kp_cbor_at_int(map, 1), true, &number)) != 0 ||
                (status = kp_auth_want_map(params, false)) != 0)
                return status;
        for (size_t i = 0; i < KP_NELEMS(sub_commands); i++) {
                const struct sub *sub = &sub_commands[i];

                if (sub->number != number || (!sub->preview && !full))
                        continue;
                if (sub->is_next)
                        return run_next(key, sub, answer);
                kp_auth_listing_done(key);
                if ((status = check_token(key, map, sub, &persistent)) != KP_CTAP_OK)
                        return status;
                status = sub->run(key, params, answer);
                key->listing.persistent = persistent;
                return status;
        }
        kp_auth_listing_done(key);
        return key->ctap21 ? KP_CTAP2_ERR_INVALID_SUBCOMMAND
                           : KP_CTAP1_ERR_INVALID_PARAMETER;
}
