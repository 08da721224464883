/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_RIG_H
#define KEYPILOT_TESTS_RIG_H

#include <criterion/criterion.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/codec/authdata.h"
#include "keypilot/codec/cose.h"
#include "keypilot/codec/pinproto.h"
#include "keypilot/core/free.h"

/*
 * A simulated key on the bench and a platform that says exactly what a test wants it to
 * say, message by message.
 */
#define UNUSED __attribute__((unused))

struct rig {
        struct kp_random *random;
        struct kp_authenticator_profile *profile;
        struct kp_authenticator *key;
        struct kp_buf answer; /* status byte first */
        cbor_item_t *map;     /* the last answer; NULL: none */
        int64_t now_ms;
        struct kp_buf *record; /* keep what is sent here; NULL: do not */
        size_t n_record;
};

static const uint8_t cdh[32] = { 0xc1, 0xd2, 0xe3 };

static UNUSED void
rig_profile(const char *id, struct kp_authenticator_profile **ret)
{
        struct kp_error err = { 0 };
        char path[512], why[1024];

        (void)snprintf(path, sizeof(path), "%s/authenticators/%s.json",
                getenv("KEYPILOT_FIXTURES"), id);
        cr_assert_eq(kp_authenticator_profile_load(path, ret, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
}

static UNUSED void
rig_open(struct rig *rig, const char *id)
{
        struct kp_error err = { 0 };
        char why[1024];

        *rig = (struct rig){ .now_ms = 1000 };
        rig_profile(id, &rig->profile);
        cr_assert_eq(kp_random_new_seeded("rig", id, &rig->random, &err), 0);
        cr_assert_eq(kp_authenticator_new(
                             rig->profile, rig->random, rig->now_ms, &rig->key, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
}

static UNUSED void
rig_close(struct rig *rig)
{
        kp_authenticator_free(&rig->key);
        kp_authenticator_profile_free(&rig->profile);
        kp_random_free(&rig->random);
        kp_buf_done(&rig->answer);
        kp_free_cbor(&rig->map);
}

/* Send a message, keep the answer, return the status. */
static UNUSED uint8_t
rig_send(struct rig *rig, struct kp_buf *message)
{
        struct kp_error err = { 0 };
        char why[1024];

        kp_free_cbor(&rig->map);
        if (rig->record != NULL)
                kp_buf_put(&rig->record[rig->n_record++], message->data, message->len);
        kp_authenticator_message(rig->key, message->data, message->len, &rig->answer);
        kp_buf_done(message);
        cr_assert(rig->answer.len >= 1, "no status byte");
        if (rig->answer.len > 1)
                cr_assert_eq(kp_cbor_parse(rig->answer.data + 1, rig->answer.len - 1,
                                     KP_CBOR_CTAP2, &rig->map, NULL, &err),
                        0, "answer is not canonical: %s",
                        kp_error_format(&err, why, sizeof(why)));
        if (rig->answer.data[0] != 0)
                cr_assert_eq(rig->answer.len, 1, "an error carries nothing");
        return rig->answer.data[0];
}

static UNUSED uint8_t
rig_command(struct rig *rig, uint8_t command)
{
        struct kp_buf message = { 0 };

        kp_buf_put_u8(&message, command);
        return rig_send(rig, &message);
}

#define expect_status(got, wanted)                                                     \
        do {                                                                           \
                uint8_t expect_got = (uint8_t)(got);                                   \
                cr_assert_eq(expect_got, (wanted), "got %s, expected %s",              \
                        kp_ctap_status_name(expect_got), kp_ctap_status_name(wanted)); \
        } while (0)

/* ---- makeCredential and getAssertion, one argument at a time ---- */

struct ask {
        uint8_t command;     /* 0: makeCredential */
        const char *rp_id;   /* NULL: "example.org" */
        const char *user_id; /* NULL: "user-1" */
        const char *user_name;
        int algs[6];    /* all 0: ES256 */
        int rk, up, uv; /* 0: leave out, 1: false, 2: true */
        const struct kp_buf *list[24];
        size_t n_list;
        const char *list_type; /* NULL: "public-key" */
        bool empty_list;
        void (*extensions)(struct kp_buf *message);
        const uint8_t *token; /* 32 bytes: authenticate with it */
        int protocol;
        bool empty_param, wrong_param, no_protocol;
        int enterprise;         /* 0: leave out */
        const char *formats[4]; /* attestationFormatsPreference */
        bool empty_formats;     /* there, and empty */
};

enum { OMIT, FALSE_, TRUE_ };

static UNUSED void
put_list(struct kp_buf *m, const struct ask *ask, int64_t number)
{
        if (ask->n_list == 0 && !ask->empty_list)
                return;
        kp_cbor_put_int(m, number);
        kp_cbor_put_array(m, ask->n_list);
        for (size_t i = 0; i < ask->n_list; i++) {
                kp_cbor_put_map(m, 2);
                kp_cbor_put_text(m, "id");
                kp_cbor_put_bytes(m, ask->list[i]->data, ask->list[i]->len);
                kp_cbor_put_text(m, "type");
                kp_cbor_put_text(
                        m, ask->list_type == NULL ? "public-key" : ask->list_type);
        }
}

static UNUSED void
put_options(struct kp_buf *m, const struct ask *ask, int64_t number)
{
        size_t n = (size_t)(ask->rk != OMIT) + (ask->up != OMIT) + (ask->uv != OMIT);
        const struct {
                const char *name;
                int value;
        } all[] = { { "rk", ask->rk }, { "up", ask->up }, { "uv", ask->uv } };

        if (n == 0)
                return;
        kp_cbor_put_int(m, number);
        kp_cbor_put_map(m, n);
        for (size_t i = 0; i < 3; i++)
                if (all[i].value != OMIT) {
                        kp_cbor_put_text(m, all[i].name);
                        kp_cbor_put_bool(m, all[i].value == TRUE_);
                }
}

static UNUSED void
put_pin(struct kp_buf *m, const struct ask *ask, int64_t param, int64_t protocol)
{
        uint8_t tag[32];
        size_t n;

        if (ask->token == NULL && !ask->empty_param)
                return;
        kp_cbor_put_int(m, param);
        if (ask->empty_param) {
                kp_cbor_put_bytes(m, NULL, 0);
        } else {
                n = kp_pin_authenticate(
                        ask->protocol, ask->token, 32, cdh, sizeof(cdh), tag);
                tag[0] ^= ask->wrong_param;
                kp_cbor_put_bytes(m, tag, n);
        }
        if (ask->no_protocol)
                return;
        kp_cbor_put_int(m, protocol);
        kp_cbor_put_int(m, ask->protocol == 0 ? 1 : ask->protocol);
}

static UNUSED size_t
n_formats(const struct ask *ask)
{
        size_t n = 0;

        while (n < KP_NELEMS(ask->formats) && ask->formats[n] != NULL)
                n++;
        return n;
}

static UNUSED uint8_t
rig_make(struct rig *rig, const struct ask *ask)
{
        struct kp_buf m = { 0 };
        const char *rp_id = ask->rp_id == NULL ? "example.org" : ask->rp_id;
        const char *user_id = ask->user_id == NULL ? "user-1" : ask->user_id;
        size_t n_algs = 0, pin = ask->token != NULL || ask->empty_param;
        bool formats = n_formats(ask) > 0 || ask->empty_formats;

        while (ask->algs[n_algs] != 0)
                n_algs++;
        kp_buf_put_u8(&m, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(&m, 4 + (size_t)(ask->n_list > 0 || ask->empty_list) +
                                    (size_t)(ask->extensions != NULL) +
                                    (size_t)(ask->rk || ask->up || ask->uv) + pin +
                                    (size_t)(pin && !ask->no_protocol) +
                                    (size_t)(ask->enterprise != 0) + (size_t)formats);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_bytes(&m, cdh, sizeof(cdh));
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_map(&m, 1);
        kp_cbor_put_text(&m, "id");
        kp_cbor_put_text(&m, rp_id);
        kp_cbor_put_int(&m, 3);
        kp_cbor_put_map(&m, ask->user_name == NULL ? 1 : 3);
        kp_cbor_put_text(&m, "id");
        kp_cbor_put_bytes(&m, user_id, strlen(user_id));
        if (ask->user_name != NULL) {
                kp_cbor_put_text(&m, "name");
                kp_cbor_put_text(&m, ask->user_name);
                kp_cbor_put_text(&m, "displayName");
                kp_cbor_put_text(&m, ask->user_name);
        }
        kp_cbor_put_int(&m, 4);
        kp_cbor_put_array(&m, n_algs == 0 ? 1 : n_algs);
        for (size_t i = 0; i < (n_algs == 0 ? 1 : n_algs); i++) {
                kp_cbor_put_map(&m, 2);
                kp_cbor_put_text(&m, "alg");
                kp_cbor_put_int(&m, n_algs == 0 ? KP_COSE_ES256 : ask->algs[i]);
                kp_cbor_put_text(&m, "type");
                kp_cbor_put_text(&m, "public-key");
        }
        put_list(&m, ask, 5);
        if (ask->extensions != NULL) {
                kp_cbor_put_int(&m, 6);
                ask->extensions(&m);
        }
        put_options(&m, ask, 7);
        put_pin(&m, ask, 8, 9);
        if (ask->enterprise != 0) {
                kp_cbor_put_int(&m, 10);
                kp_cbor_put_int(&m, ask->enterprise);
        }
        if (formats) {
                kp_cbor_put_int(&m, 11);
                kp_cbor_put_array(&m, n_formats(ask));
        }
        for (size_t i = 0; i < n_formats(ask); i++)
                kp_cbor_put_text(&m, ask->formats[i]);
        return rig_send(rig, &m);
}

static UNUSED uint8_t
rig_get(struct rig *rig, const struct ask *ask)
{
        struct kp_buf m = { 0 };
        size_t pin = ask->token != NULL || ask->empty_param;

        kp_buf_put_u8(&m, KP_CTAP_GET_ASSERTION);
        kp_cbor_put_map(&m, 2 + (size_t)(ask->n_list > 0 || ask->empty_list) +
                                    (size_t)(ask->extensions != NULL) +
                                    (size_t)(ask->rk || ask->up || ask->uv) + pin +
                                    (size_t)(pin && !ask->no_protocol));
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_text(&m, ask->rp_id == NULL ? "example.org" : ask->rp_id);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_bytes(&m, cdh, sizeof(cdh));
        put_list(&m, ask, 3);
        if (ask->extensions != NULL) {
                kp_cbor_put_int(&m, 4);
                ask->extensions(&m);
        }
        put_options(&m, ask, 5);
        put_pin(&m, ask, 6, 7);
        return rig_send(rig, &m);
}

/* credProtect, by level */
static UNUSED void
protect_2(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "credProtect");
        kp_cbor_put_int(m, 2);
}

static UNUSED void
protect_3(struct kp_buf *m)
{
        kp_cbor_put_map(m, 1);
        kp_cbor_put_text(m, "credProtect");
        kp_cbor_put_int(m, 3);
}

/* ---- what came back ---- */

static UNUSED struct kp_authdata
rig_auth_data(const struct rig *rig)
{
        struct kp_error err = { 0 };
        struct kp_authdata data;
        const uint8_t *bytes;
        size_t len;

        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(rig->map, 2), &bytes, &len));
        cr_assert_eq(kp_authdata_parse(bytes, len, KP_CBOR_CTAP2, &data, &err), 0);
        return data;
}

/* The credential id of a registration, to keep. */
static UNUSED struct kp_buf
rig_id(const struct rig *rig)
{
        struct kp_authdata data = rig_auth_data(rig);
        struct kp_buf id = { 0 };

        kp_buf_put(&id, data.credential_id, data.credential_id_len);
        return id;
}

/* The id in an assertion. */
static UNUSED bool
rig_got(const struct rig *rig, const struct kp_buf *id)
{
        const uint8_t *bytes;
        size_t len;

        cr_assert(kp_cbor_is_bytes(
                kp_cbor_at_str(kp_cbor_at_int(rig->map, 1), "id"), &bytes, &len));
        return kp_bytes_equal(bytes, len, id->data, id->len);
}

static UNUSED bool
rig_flag(const struct rig *rig, uint8_t flag)
{
        return (rig_auth_data(rig).flags & flag) != 0;
}

/* Verify an assertion, or the self attestation of a registration, under a COSE key. */
static UNUSED bool
rig_verifies(
        const struct rig *rig, const struct kp_buf *cose, const cbor_item_t *signature)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        struct kp_error err = { 0 };
        const uint8_t *bytes, *sig;
        size_t len, sig_len;
        int alg;

        cr_assert_eq(kp_cose_key_parse(cose->data, cose->len, KP_CBOR_CTAP2, &pkey,
                             &alg, NULL, &err),
                0);
        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(rig->map, 2), &bytes, &len));
        cr_assert(kp_cbor_is_bytes(signature, &sig, &sig_len));
        kp_buf_put(&message, bytes, len);
        kp_buf_put(&message, cdh, sizeof(cdh));
        return kp_cose_verify(alg, pkey, message.data, message.len, sig, sig_len);
}

static UNUSED struct kp_buf
rig_public_key(const struct rig *rig)
{
        struct kp_authdata data = rig_auth_data(rig);
        struct kp_buf key = { 0 };

        kp_buf_put(&key, data.public_key, data.public_key_len);
        return key;
}

/* ---- the PIN ---- */

static UNUSED void
rig_agree(struct rig *rig, int protocol, struct kp_pin_secret *secret,
        struct kp_buf *public)
{
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *own = NULL;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *peer = NULL;
        struct kp_error err = { 0 };
        struct kp_buf m = { 0 };

        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(&m, 2);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, protocol);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, KP_CTAP_PIN_GET_KEY_AGREEMENT);
        expect_status(rig_send(rig, &m), KP_CTAP_OK);
        cr_assert_eq(kp_pin_key_parse(kp_cbor_at_int(rig->map, 1), &peer, &err), 0);
        cr_assert_eq(kp_pin_key_make(rig->random, &own, &err), 0);
        cr_assert_eq(kp_pin_agree(protocol, own, peer, secret, &err), 0);
        cr_assert_eq(kp_pin_key_put(public, own, &err), 0);
}

static UNUSED void
pin_hash(const char *pin, uint8_t ret[16])
{
        uint8_t hash[32];

        (void)SHA256((const uint8_t *)pin, strlen(pin), hash);
        memcpy(ret, hash, 16);
}

struct token_ask {
        uint8_t sub_command; /* 5, 6 or 9 */
        int protocol;
        const char *pin;
        int permissions; /* -1: leave out */
        const char *rp_id;
};

/* Get a token; on success it is in `token`. */
static UNUSED uint8_t
rig_token(struct rig *rig, const struct token_ask *ask, uint8_t token[32])
{
        struct kp_pin_secret secret;
        KP_CLEANUP(kp_buf_done) struct kp_buf public = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf enc = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf plain = { 0 };
        struct kp_buf m = { 0 };
        struct kp_error err = { 0 };
        uint8_t hash[16], status;
        const uint8_t *bytes;
        size_t len;

        rig_agree(rig, ask->protocol, &secret, &public);
        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(&m, 3 + (size_t)(ask->pin != NULL) + (ask->permissions >= 0) +
                                    (ask->rp_id != NULL));
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, ask->protocol);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, ask->sub_command);
        kp_cbor_put_int(&m, 3);
        kp_buf_put(&m, public.data, public.len);
        if (ask->pin != NULL) {
                pin_hash(ask->pin, hash);
                cr_assert_eq(
                        kp_pin_encrypt(&secret, rig->random, hash, 16, &enc, &err), 0);
                kp_cbor_put_int(&m, 6);
                kp_cbor_put_bytes(&m, enc.data, enc.len);
        }
        if (ask->permissions >= 0) {
                kp_cbor_put_int(&m, 9);
                kp_cbor_put_int(&m, ask->permissions);
        }
        if (ask->rp_id != NULL) {
                kp_cbor_put_int(&m, 10);
                kp_cbor_put_text(&m, ask->rp_id);
        }
        status = rig_send(rig, &m);
        if (status != KP_CTAP_OK)
                return status;
        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(rig->map, 2), &bytes, &len));
        cr_assert_eq(kp_pin_decrypt(&secret, bytes, len, &plain, &err), 0);
        cr_assert_eq(plain.len, 32);
        memcpy(token, plain.data, 32);
        return status;
}

/* A token for mc or ga on example.org, with the key's own test PIN. */
static UNUSED void
rig_permit(struct rig *rig, int protocol, int permissions, uint8_t token[32])
{
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = protocol,
                .pin = kp_authenticator_profile_test_pin(rig->profile),
                .permissions = permissions,
                .rp_id = permissions & 3 ? "example.org" : NULL };

        expect_status(rig_token(rig, &ask, token), KP_CTAP_OK);
}

/* setPIN (current NULL) or changePIN. */
static UNUSED uint8_t
rig_set_pin(struct rig *rig, int protocol, const char *current, const char *pin)
{
        struct kp_pin_secret secret;
        KP_CLEANUP(kp_buf_done) struct kp_buf public = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf new_enc = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf hash_enc = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf both = { 0 };
        struct kp_buf m = { 0 };
        struct kp_error err = { 0 };
        uint8_t padded[64] = { 0 }, hash[16], tag[32];
        const uint8_t *hmac_key;
        size_t hmac_key_len, tag_len;

        rig_agree(rig, protocol, &secret, &public);
        memcpy(padded, pin, strlen(pin) > 64 ? 64 : strlen(pin));
        cr_assert_eq(
                kp_pin_encrypt(&secret, rig->random, padded, 64, &new_enc, &err), 0);
        kp_buf_put(&both, new_enc.data, new_enc.len);
        if (current != NULL) {
                pin_hash(current, hash);
                cr_assert_eq(
                        kp_pin_encrypt(&secret, rig->random, hash, 16, &hash_enc, &err),
                        0);
                kp_buf_put(&both, hash_enc.data, hash_enc.len);
        }
        hmac_key = kp_pin_hmac_key(&secret, &hmac_key_len);
        tag_len = kp_pin_authenticate(
                protocol, hmac_key, hmac_key_len, both.data, both.len, tag);
        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(&m, current == NULL ? 5 : 6);
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, protocol);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, current == NULL ? KP_CTAP_PIN_SET : KP_CTAP_PIN_CHANGE);
        kp_cbor_put_int(&m, 3);
        kp_buf_put(&m, public.data, public.len);
        kp_cbor_put_int(&m, 4);
        kp_cbor_put_bytes(&m, tag, tag_len);
        kp_cbor_put_int(&m, 5);
        kp_cbor_put_bytes(&m, new_enc.data, new_enc.len);
        if (current != NULL) {
                kp_cbor_put_int(&m, 6);
                kp_cbor_put_bytes(&m, hash_enc.data, hash_enc.len);
        }
        return rig_send(rig, &m);
}

/* A ClientPIN subcommand without parameters that answers one number. */
static UNUSED int64_t
rig_retries(struct rig *rig, uint8_t sub_command, int64_t member)
{
        struct kp_buf m = { 0 };
        int64_t n;

        kp_buf_put_u8(&m, KP_CTAP_CLIENT_PIN);
        kp_cbor_put_map(&m, 1);
        kp_cbor_put_int(&m, 2);
        kp_cbor_put_int(&m, sub_command);
        expect_status(rig_send(rig, &m), KP_CTAP_OK);
        cr_assert(kp_cbor_is_int(kp_cbor_at_int(rig->map, member), &n));
        return n;
}

static UNUSED int64_t
pin_retries(struct rig *rig)
{
        return rig_retries(rig, KP_CTAP_PIN_GET_RETRIES, 3);
}

/* A credentialManagement or config message with a token. */
static UNUSED uint8_t
rig_authorised(struct rig *rig, uint8_t command, uint8_t sub_command, int protocol,
        const uint8_t *token, const struct kp_buf *params)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf signed_ = { 0 };
        struct kp_buf m = { 0 };
        uint8_t tag[32];
        size_t tag_len;

        if (command == KP_CTAP_CONFIG) {
                for (int i = 0; i < 32; i++)
                        kp_buf_put_u8(&signed_, 0xff);
                kp_buf_put_u8(&signed_, command);
        }
        kp_buf_put_u8(&signed_, sub_command);
        if (params != NULL)
                kp_buf_put(&signed_, params->data, params->len);
        kp_buf_put_u8(&m, command);
        kp_cbor_put_map(&m, 1 + (size_t)(params != NULL) + (token != NULL ? 2 : 0));
        kp_cbor_put_int(&m, 1);
        kp_cbor_put_int(&m, sub_command);
        if (params != NULL) {
                kp_cbor_put_int(&m, 2);
                kp_buf_put(&m, params->data, params->len);
        }
        if (token != NULL) {
                tag_len = kp_pin_authenticate(
                        protocol, token, 32, signed_.data, signed_.len, tag);
                kp_cbor_put_int(&m, 3);
                kp_cbor_put_int(&m, protocol);
                kp_cbor_put_int(&m, 4);
                kp_cbor_put_bytes(&m, tag, tag_len);
        }
        return rig_send(rig, &m);
}

static UNUSED void
rig_wait(struct rig *rig, int64_t ms)
{
        rig->now_ms += ms;
        kp_authenticator_tick(rig->key, rig->now_ms);
}

/* A member of getInfo; NULL if absent. */
static UNUSED cbor_item_t *
rig_info(struct rig *rig, int64_t member)
{
        expect_status(rig_command(rig, KP_CTAP_GET_INFO), KP_CTAP_OK);
        return kp_cbor_at_int(rig->map, member);
}

/* An option of getInfo: 1, 0, -1 absent. */
static UNUSED int
rig_option(struct rig *rig, const char *name)
{
        bool value;

        return kp_cbor_is_bool(kp_cbor_at_str(rig_info(rig, 4), name), &value) ? value
                                                                               : -1;
}

static UNUSED bool
rig_info_has(struct rig *rig, int64_t member, const char *word)
{
        cbor_item_t *list = rig_info(rig, member);
        size_t n, len;
        const char *text;

        if (!kp_cbor_is_array(list, &n))
                return false;
        for (size_t i = 0; i < n; i++)
                if (kp_cbor_is_text(cbor_array_handle(list)[i], &text, &len) &&
                        kp_bytes_equal(text, len, word, strlen(word)))
                        return true;
        return false;
}

#endif
