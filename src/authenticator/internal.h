/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_AUTHENTICATOR_INTERNAL_H
#define KEYPILOT_AUTHENTICATOR_INTERNAL_H

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/codec/authdata.h"
#include "keypilot/codec/cbor.h"
#include "keypilot/codec/cose.h"
#include "keypilot/codec/ctaphid.h"
#include "keypilot/codec/pinproto.h"
#include "keypilot/core/free.h"

/*
 * The inside of a simulated key. Each file is one group of commands; what they share is
 * here.
 *
 * A command runs from its first step to its last each time. Where it needs a finger
 * that has not come yet, it answers KP_AUTH_PENDING and is run again from the top once
 * the finger has come; so before that point it changes nothing but what it would change
 * again.
 */
#define KP_AUTH_PENDING (-1) /* beside enum kp_ctap_status */

#define KP_AUTH_PIN_RETRIES 8      /* CTAP 2.1 §6.5.2.2 */
#define KP_AUTH_PIN_PER_POWER_UP 3 /* CTAP 2.1 §6.5.5.7 */
#define KP_AUTH_TOUCH_MS 30000     /* CTAP 2.1 §6.1: how long a touch is waited for */
#define KP_AUTH_HASH_LEN 32
#define KP_AUTH_PIN_HASH_LEN 16
#define KP_AUTH_RP_IDS_MAX 255

/* ---- credentials (store.c) ---- */

struct kp_auth_credential {
        struct kp_buf id;
        struct kp_buf rp_id; /* empty: registered over U2F, only the hash is known */
        uint8_t rp_id_hash[KP_AUTH_HASH_LEN];
        struct kp_buf user_id;
        struct kp_buf user_name, user_display_name; /* empty: none */
        int alg;
        EVP_PKEY *key;    /* NULL: made when first needed */
        int test_key;     /* index of the RSA pool, -1: a key of its own */
        uint32_t counter; /* where the model counts for each credential */
        int cred_protect; /* 1 to 3 */
        bool discoverable;
        uint8_t cred_random[2 * KP_AUTH_HASH_LEN]; /* with UV, then without */
        struct kp_buf cred_blob;
};

struct kp_auth_store {
        struct kp_auth_credential **items; /* oldest first */
        size_t n, cap;
};

/* A new, empty credential at the end of the store; NULL when out of memory. */
struct kp_auth_credential *kp_auth_store_add(struct kp_authenticator *key);
void kp_auth_store_remove(
        struct kp_authenticator *key, struct kp_auth_credential *credential);
void kp_auth_store_clear(struct kp_authenticator *key);
size_t kp_auth_store_used(const struct kp_authenticator *key); /* discoverable ones */
struct kp_auth_credential *kp_auth_store_find(const struct kp_authenticator *key,
        const uint8_t rp_id_hash[KP_AUTH_HASH_LEN], const uint8_t *id, size_t id_len);
/* The discoverable one of that account; NULL if none. */
struct kp_auth_credential *kp_auth_store_account(const struct kp_authenticator *key,
        const uint8_t rp_id_hash[KP_AUTH_HASH_LEN], const uint8_t *user_id,
        size_t user_id_len);
/* Places that are taken when the person first holds the key. */
bool kp_auth_store_fill(struct kp_authenticator *key, size_t n);

/* A fresh id, key pair and randoms. False when out of memory. */
bool kp_auth_credential_make(
        struct kp_authenticator *key, struct kp_auth_credential *credential);
/* The private key, made now if it is not there yet; borrowed. NULL: out of memory. */
EVP_PKEY *kp_auth_credential_key(
        struct kp_authenticator *key, struct kp_auth_credential *credential);
/* The signature counter after one more use. */
uint32_t kp_auth_credential_count(
        struct kp_authenticator *key, struct kp_auth_credential *credential);
void kp_auth_hash(const void *bytes, size_t bytes_len, uint8_t ret[KP_AUTH_HASH_LEN]);

/* ---- the finger (finger.c) ---- */

enum kp_auth_touch {
        KP_AUTH_TOUCH_PENDING,
        KP_AUTH_TOUCH_GIVEN,
        KP_AUTH_TOUCH_REFUSED,
        KP_AUTH_TOUCH_TIMEOUT,
        KP_AUTH_TOUCH_FAILED, /* touched, but not by the right finger */
};

struct kp_auth_finger {
        enum kp_finger finger;
        int64_t after_ms;
        bool verification;

        bool asked; /* the running command waits, or waited, for a finger */
        bool verifying;
        enum kp_auth_touch outcome;
        unsigned attempts; /* left in this command */
        int64_t due_ms, deadline_ms;

        int64_t u2f_since_ms; /* first poll for a touch; -1: none */
        int64_t u2f_last_ms;
};

enum kp_auth_touch kp_auth_finger_touch(struct kp_authenticator *key);
/* performBuiltInUv. Spec: CTAP 2.1 §6.5.3.1 */
enum kp_auth_touch kp_auth_finger_verify(
        struct kp_authenticator *key, bool internal_retry);
void kp_auth_finger_tick(struct kp_authenticator *key);
void kp_auth_finger_forget(struct kp_authenticator *key); /* the command is over */
int64_t kp_auth_finger_next_ms(const struct kp_authenticator *key); /* -1: nothing */
/* U2F does not wait: has the person touched since the first poll? Spends the touch. */
bool kp_auth_finger_u2f(struct kp_authenticator *key);
/* The status of a touch that was not given. */
int kp_auth_touch_status(const struct kp_authenticator *key, enum kp_auth_touch touch);

/* ---- PIN, token (pin.c, token.c) ---- */

struct kp_auth_token {
        bool in_use;
        bool plain; /* CTAP 2.0: no permissions, no RP ID, no end */
        int protocol;
        uint8_t bytes[32];
        uint8_t permissions;
        bool has_rp;
        uint8_t rp_id_hash[KP_AUTH_HASH_LEN];
        bool user_present, user_verified, used;
        int64_t since_ms;
};

/* Invalidate what there is and begin a new one. Spec: CTAP 2.1 §6.5.3.2 */
void kp_auth_token_begin(struct kp_authenticator *key, int protocol, bool user_present);
void kp_auth_token_end(struct kp_authenticator *key);
/* verify(pinUvAuthToken, message, param), without looking at permissions. */
bool kp_auth_token_verify(struct kp_authenticator *key, int protocol,
        const void *message, size_t message_len, const uint8_t *param,
        size_t param_len);
bool kp_auth_token_allows(const struct kp_authenticator *key, uint8_t permission);
/* No RP ID is bound, or this one. */
bool kp_auth_token_fits(
        const struct kp_authenticator *key, const uint8_t rp_id_hash[KP_AUTH_HASH_LEN]);
void kp_auth_token_bind(
        struct kp_authenticator *key, const uint8_t rp_id_hash[KP_AUTH_HASH_LEN]);
bool kp_auth_token_user_present(struct kp_authenticator *key);
/* clearUserPresentFlag, clearUserVerifiedFlag, and all permissions but lbw. */
void kp_auth_token_spend(struct kp_authenticator *key);

struct kp_auth_pin {
        EVP_PKEY *agreement[2]; /* of protocol 1 and 2; NULL until asked for */
        unsigned wrong;         /* in a row since power-up */
        struct kp_auth_token token;
};

/* decapsulate. Returns a status. */
int kp_auth_pin_decapsulate(struct kp_authenticator *key, int protocol,
        const cbor_item_t *peer, struct kp_pin_secret *ret);
bool kp_auth_pin_protocol(const struct kp_authenticator *key, int64_t protocol);
void kp_auth_pin_store(
        struct kp_authenticator *key, const uint8_t *pin, size_t pin_len);

/* ---- what several commands ask ---- */

/* What authenticatorMakeCredential and GetAssertion have in common (user.c). */
struct kp_auth_request {
        const uint8_t *client_data_hash;
        uint8_t rp_id_hash[KP_AUTH_HASH_LEN];
        bool has_pin_param;
        const uint8_t *pin_param;
        size_t pin_param_len;
        bool has_protocol;
        int64_t protocol;
        int8_t rk, up, uv; /* options: 1, 0, -1 absent */
        uint8_t permission;
        bool verified; /* the answer's "uv" bit */
        bool present;  /* evidence of interaction while verifying */
};
/* Steps 1 and 2: an empty pinUvAuthParam asks for a touch; a protocol that exists. */
int kp_auth_request_pin_param(
        struct kp_authenticator *key, const struct kp_auth_request *r);
/* alwaysUv: verification is asked for, or refused. */
int kp_auth_request_always_uv(struct kp_authenticator *key, struct kp_auth_request *r);
/* Verify the token or the person. */
int kp_auth_request_verify(struct kp_authenticator *key, struct kp_auth_request *r);
/* Wait for the touch, unless there was evidence, and spend the token. */
int kp_auth_request_touch(struct kp_authenticator *key, struct kp_auth_request *r);
/* PUAT_REQUIRED where a PIN could help, else OPERATION_DENIED. */
int kp_auth_request_unverified(const struct kp_authenticator *key, bool if_set);

/* One entry of excludeList or allowList: false where it is of another type. */
struct kp_auth_list {
        const cbor_item_t *array; /* NULL: absent */
        size_t n;
};
int kp_auth_list_check(
        const struct kp_authenticator *key, const struct kp_auth_list *list);
bool kp_auth_list_at(const struct kp_auth_list *list, size_t i, const uint8_t **ret,
        size_t *ret_len);

/* hmac-secret (extensions.c) */
struct kp_auth_hmac {
        bool asked;
        struct kp_pin_secret secret;
        struct kp_buf salts;
};
int kp_auth_hmac_read(struct kp_authenticator *key, const cbor_item_t *input,
        struct kp_auth_hmac *ret);
int kp_auth_hmac_put(struct kp_authenticator *key, const struct kp_auth_hmac *hmac,
        const struct kp_auth_credential *credential, bool verified,
        struct kp_buf *answer);
void kp_auth_hmac_done(struct kp_auth_hmac *hmac);
bool kp_auth_extension(const struct kp_authenticator *key, const char *name);

/* Attestation statement of MakeCredential (attestation.c): fmt and attStmt. */
int kp_auth_attest(struct kp_authenticator *key, struct kp_auth_credential *credential,
        const struct kp_buf *auth_data,
        const uint8_t client_data_hash[KP_AUTH_HASH_LEN], struct kp_buf *answer);
int kp_auth_sign(struct kp_authenticator *key, int alg, EVP_PKEY *pkey,
        const struct kp_buf *auth_data,
        const uint8_t client_data_hash[KP_AUTH_HASH_LEN], struct kp_buf *ret);

/* An assertion that is told in parts (get.c). */
struct kp_auth_next {
        bool active;
        uint32_t channel;
        int64_t since_ms;
        uint8_t client_data_hash[KP_AUTH_HASH_LEN];
        uint8_t rp_id_hash[KP_AUTH_HASH_LEN];
        uint8_t flags;
        bool cred_blob;
        struct kp_auth_hmac hmac;
        struct kp_auth_credential **list;
        size_t n, at;
};
void kp_auth_next_done(struct kp_authenticator *key);

/* A list of credentials or relying parties that is told in parts (manage.c). */
struct kp_auth_listing {
        uint8_t sub_command; /* the Next that may follow; 0: none */
        uint32_t channel;
        struct kp_auth_credential **list;
        size_t n, at;
};
void kp_auth_listing_done(struct kp_authenticator *key);

/* ---- members of a request map; each returns a status ---- */

int kp_auth_want_bytes(
        const cbor_item_t *item, bool required, const uint8_t **ret, size_t *ret_len);
int kp_auth_want_text(
        const cbor_item_t *item, bool required, const char **ret, size_t *ret_len);
int kp_auth_want_int(const cbor_item_t *item, bool required, int64_t *ret);
int kp_auth_want_map(const cbor_item_t *item, bool required);
int kp_auth_want_option(const cbor_item_t *options, const char *name, int8_t *ret);
/* A user entity: id required; names cut to 64 bytes between characters. */
int kp_auth_want_user(const cbor_item_t *item, struct kp_buf *id, struct kp_buf *name,
        struct kp_buf *display_name);
void kp_auth_put_descriptor(struct kp_buf *answer, const struct kp_buf *id);
void kp_auth_put_user(
        struct kp_buf *answer, const struct kp_auth_credential *credential, bool names);

/* ---- CTAPHID (hid.c) ---- */

#define KP_AUTH_CHANNELS 16
struct kp_auth_hid {
        struct {
                uint32_t cid;
                uint64_t last; /* order of use */
        } channels[KP_AUTH_CHANNELS];
        size_t n_channels;
        uint64_t uses;

        struct kp_ctaphid_join join; /* the one message that is coming in */
        int64_t join_ms;             /* its last frame */

        bool running; /* a CTAP2 command waits for a finger */
        uint32_t cid; /* its channel */
        struct kp_buf message;
        int64_t keepalive_ms; /* when the next one falls due */

        struct kp_buf out; /* reports that wait to be read */
        size_t out_at;
};
void kp_auth_hid_feed(
        struct kp_authenticator *key, const uint8_t report[KP_CTAPHID_REPORT]);
void kp_auth_hid_tick(struct kp_authenticator *key);
int64_t kp_auth_hid_next_ms(const struct kp_authenticator *key);
void kp_auth_hid_done(struct kp_authenticator *key);

/* ---- the key ---- */

struct kp_authenticator {
        const struct kp_authenticator_profile *profile;
        const struct kp_key_facts *facts;
        struct kp_random *random;
        struct kp_error err; /* what a library said last; never leaves the key */
        int64_t now_ms, powered_ms;
        bool ctap2, ctap21, u2f; /* what the model speaks */

        /* kept without power */
        struct kp_auth_store store;
        uint32_t counter; /* where the model counts for the whole device */
        bool pin_set;
        uint8_t pin_hash[KP_AUTH_PIN_HASH_LEN];
        int64_t pin_code_points;
        unsigned pin_retries, uv_retries;
        int64_t min_pin_length;
        bool force_pin_change, always_uv;
        struct kp_buf min_pin_rp_ids[KP_AUTH_RP_IDS_MAX];
        size_t n_min_pin_rp_ids;

        /* lost without power */
        struct kp_auth_pin pin;
        struct kp_auth_finger finger;
        struct kp_auth_next next;
        struct kp_auth_listing listing;
        struct kp_auth_hid hid;
        uint32_t channel; /* of the command that runs */
};

/* The option as getInfo tells it now; -1 absent. */
int kp_auth_option(const struct kp_authenticator *key, enum kp_key_option_id id);
/* Protected by some form of user verification. Spec: CTAP 2.1 §6.1.2 */
bool kp_auth_protected(const struct kp_authenticator *key);
bool kp_auth_uv_ready(const struct kp_authenticator *key); /* built in, and set up */

/* Run one CTAP2 message. False: it waits for a finger, nothing was answered. */
bool kp_auth_command(struct kp_authenticator *key, uint32_t channel,
        const uint8_t *message, size_t message_len, struct kp_buf *answer);
/* Run one U2F message; the answer ends in a status word. */
void kp_auth_u2f(struct kp_authenticator *key, const uint8_t *message,
        size_t message_len, struct kp_buf *answer);
void kp_auth_forget_session(struct kp_authenticator *key); /* what power keeps alive */
bool kp_auth_factory(struct kp_authenticator *key);        /* factory state */

/* Commands. Each returns a status or KP_AUTH_PENDING and appends the answer's map. */
int kp_auth_make_credential(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_get_assertion(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_get_next_assertion(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_get_info(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_client_pin(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_reset(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_selection(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_credential_management(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_config(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);

#endif
