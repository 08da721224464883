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

#include "bio.h"
#include "blobs.h"
#include "fault.h"
#include "nfc.h"

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
        bool has_large_blob_key;
        uint8_t large_blob_key[KP_AUTH_HASH_LEN];
        bool third_party_payment;
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
/* The signature counter after one more use, faults applied (authdata.c). */
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
        bool withheld, refused; /* whatever the person does: a fault, or the script */
        int64_t late_ms;        /* a fault, or a touch that takes long */

        int64_t u2f_since_ms; /* first poll for a touch; -1: none */
        int64_t u2f_last_ms;
        bool u2f_withheld;
};

enum kp_auth_touch kp_auth_finger_touch(struct kp_authenticator *key);
/* A touch that the person holds for so long. */
enum kp_auth_touch kp_auth_finger_hold(struct kp_authenticator *key, int64_t hold_ms);
/* Any finger on the sensor; `nobody`: none comes, whatever the person does. */
enum kp_auth_touch kp_auth_finger_sample(
        struct kp_authenticator *key, int64_t timeout_ms, bool nobody);
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
        int64_t limit_ms; /* for the first use, and for the user's presence */
};

/* Invalidate what there is and begin a new one. Spec: CTAP 2.1 §6.5.3.2 */
void kp_auth_token_begin(struct kp_authenticator *key, int protocol, bool user_present);
void kp_auth_token_end(struct kp_authenticator *key);
void kp_auth_token_age(struct kp_authenticator *key); /* what has run out is over */
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
/* Code points of a PIN that the key accepts as a new one, else -1 (pin_policy.c). */
int64_t kp_auth_pin_points(const struct kp_authenticator *key, const uint8_t *pin,
        size_t pin_len);

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
        bool built_in; /* verified by the key itself, not by a PIN */
};
/* The numbers of the parameters that both have. */
struct kp_auth_members {
        int64_t client_data_hash, list, options, pin_param, protocol;
};
/* Read them, `list` (excludeList, allowList) included; each of the right type. */
struct kp_auth_list;
int kp_auth_request_read(const struct kp_authenticator *key, const cbor_item_t *params,
        const struct kp_auth_members *at, struct kp_auth_request *r,
        struct kp_auth_list *list);
/* The "uv" option: nothing beside a token, otherwise a method that is set up. */
int kp_auth_request_uv(const struct kp_authenticator *key, struct kp_auth_request *r);
/* Steps 1 and 2: an empty pinUvAuthParam asks for a touch; a protocol that exists. */
int kp_auth_request_pin_param(
        struct kp_authenticator *key, const struct kp_auth_request *r);
/* alwaysUv: verification is asked for, or refused. */
int kp_auth_request_always_uv(struct kp_authenticator *key, struct kp_auth_request *r);
/* Verify the token or the person. */
int kp_auth_request_verify(struct kp_authenticator *key, struct kp_auth_request *r);
/* Wait for the touch, unless there was evidence. */
int kp_auth_request_present(
        struct kp_authenticator *key, const struct kp_auth_request *r);
/* The same, and spend the token. */
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

/* hmac-secret and hmac-secret-mc (hmac_secret.c) */
struct kp_auth_hmac {
        bool asked;
        struct kp_pin_secret secret;
        struct kp_buf salts;
};
int kp_auth_hmac_read(struct kp_authenticator *key, const cbor_item_t *input,
        struct kp_auth_hmac *ret);
/* The output, without its name. */
int kp_auth_hmac_put(struct kp_authenticator *key, const struct kp_auth_hmac *hmac,
        const struct kp_auth_credential *credential, bool verified,
        struct kp_buf *answer);
void kp_auth_hmac_done(struct kp_auth_hmac *hmac);

/* Extensions (extensions.c): what was asked for. One that the model lacks was not. */
struct kp_auth_inputs {
        int64_t cred_protect; /* 0: not asked for */
        bool cred_blob, hmac_secret, large_blob_key, min_pin_length;
        bool pin_complexity_policy, third_party_payment, uvm;
        const uint8_t *blob; /* credBlob of MakeCredential; borrowed from the request */
        size_t blob_len;
        const cbor_item_t *salts; /* hmac-secret(-mc), not looked at yet; likewise */
        struct kp_auth_hmac hmac;
};
bool kp_auth_extension(const struct kp_authenticator *key, const char *name);
/* Inputs; return a status. `discoverable`: of the credential that will be made. */
int kp_auth_inputs_make(const struct kp_authenticator *key, const cbor_item_t *map,
        bool discoverable, struct kp_auth_inputs *ret);
int kp_auth_inputs_get(const struct kp_authenticator *key, const cbor_item_t *map,
        struct kp_auth_inputs *ret);
void kp_auth_inputs_done(struct kp_auth_inputs *inputs);
/* What goes with the new credential, and the map of outputs; nothing if there are none. */
int kp_auth_outputs_make(struct kp_authenticator *key,
        const struct kp_auth_inputs *inputs, const struct kp_auth_request *r,
        struct kp_auth_credential *credential, struct kp_buf *ret);
int kp_auth_outputs_get(struct kp_authenticator *key,
        const struct kp_auth_inputs *inputs, uint8_t flags, bool built_in,
        const struct kp_auth_credential *credential, struct kp_buf *ret);

/* The authenticator data of MakeCredential and GetAssertion, faults applied, counter
 * counted (authdata.c). `extensions` and `public_key` may be empty. */
int kp_auth_data(struct kp_authenticator *key, struct kp_auth_credential *credential,
        uint8_t flags, const struct kp_buf *public_key, const struct kp_buf *extensions,
        struct kp_buf *ret);

/*
 * Members 1 to 3 of MakeCredential's answer: fmt, authData, attStmt, without the head of
 * the map, so that the caller counts what follows them (attestation.c). Returns a
 * status.
 */
struct kp_auth_statement {
        /* "packed", "none"...; NULL: the one that the model gives unless asked. One that
         * the model cannot give is answered with the model's own. */
        const char *format;
        int enterprise; /* granted: 1 or 2, by an individual certificate; 0 */
        const struct kp_buf *auth_data;
        const uint8_t *client_data_hash;
};
int kp_auth_attest_as(struct kp_authenticator *key,
        struct kp_auth_credential *credential, const struct kp_auth_statement *asked,
        struct kp_buf *answer);
/* Can the model give it for a credential of this algorithm? "none" it always can. */
bool kp_auth_attests(const struct kp_authenticator *key, const char *format, int alg);

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
        bool built_in;
        struct kp_auth_inputs inputs;
        struct kp_auth_credential **list;
        size_t n, at;
};
void kp_auth_next_done(struct kp_authenticator *key);

/* A list of credentials or relying parties that is told in parts (manage.c). */
struct kp_auth_listing {
        uint8_t sub_command; /* the Next that may follow; 0: none */
        uint32_t channel;
        int64_t since_ms; /* its last part */
        bool persistent;  /* begun with the persistent token */
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

        bool running; /* a command is not answered yet: it waits for a finger, or is slow */
        uint32_t cid; /* its channel */
        uint8_t cmd;  /* KP_CTAPHID_CBOR or KP_CTAPHID_MSG */
        struct kp_buf message;
        uint8_t status;       /* told by the last keep-alive; 0: none yet */
        int64_t keepalive_ms; /* when the next one falls due */
        bool stuck, mute;     /* faults: keep-alives for ever, none at all */
        bool holding;         /* the answer is there, and slow */
        struct kp_buf held;
        int64_t held_ms; /* when it comes */

        uint32_t lock_cid; /* holds the lock until lock_ms; 0: nobody */
        int64_t lock_ms;

        int64_t frame; /* of the request that is coming in: its number, from 0 */
        bool pulled;   /* a fault pulled the key out; what is in `out` got away */
        struct kp_buf out; /* reports that wait to be read */
        size_t out_at;
};
void kp_auth_hid_feed(
        struct kp_authenticator *key, const uint8_t report[KP_CTAPHID_REPORT]);
void kp_auth_hid_tick(struct kp_authenticator *key);
int64_t kp_auth_hid_next_ms(const struct kp_authenticator *key);
void kp_auth_hid_done(struct kp_authenticator *key);
/* Queue a message that is no answer to a command: nothing goes wrong with it. */
void kp_auth_hid_send(struct kp_authenticator *key, uint32_t cid, uint8_t cmd,
        const void *payload, size_t payload_len);
/* Queue the answer to a command, faults applied (hid_out.c). */
void kp_auth_hid_answer(struct kp_authenticator *key, uint32_t cid, uint8_t cmd,
        const struct kp_buf *answer);
/* A fault pulls the key out; what is queued was on the wire already. */
void kp_auth_hid_pull(struct kp_authenticator *key);
/* The command that runs is given up. */
void kp_auth_hid_stop(struct kp_authenticator *key);
/* kp_auth_u2f() as a command among others: it ends sequences, and changes are kept. */
void kp_auth_u2f_command(struct kp_authenticator *key, const uint8_t *message,
        size_t message_len, struct kp_buf *ret);

/* ---- NFC and smart card readers (nfc.c) ---- */

#define KP_AUTH_NFC_CHANNEL KP_CTAPHID_BROADCAST /* no command over HID comes from it */
void kp_auth_nfc_done(struct kp_authenticator *key);

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
        bool enterprise;   /* enterprise attestation is switched on */
        bool long_touch;   /* a reset takes a long touch */
        bool pin_complex;  /* the PIN complexity policy is on */
        unsigned uv_count; /* since the PIN was entered last. CTAP 2.2 §6.4 */
        /* CTAP 2.2: the persistent token, and what stands behind encIdentifier and
         * encCredStoreState; made anew by reset */
        bool persistent_granted; /* the persistent token has its permission, pcmr */
        uint8_t persistent_token[32];
        uint8_t device_identifier[16], store_state[16];
        struct kp_auth_bio bio;
        struct kp_auth_blobs blobs;

        int (*keep)(void *self, struct kp_error *err); /* NULL: nobody keeps it */
        void *keeper;
        bool keeper_failed;
        bool has_kept; /* the digest below is of what was kept last */
        uint8_t kept[KP_AUTH_HASH_LEN];

        struct kp_auth_pin pin;
        struct kp_auth_finger finger;
        struct kp_auth_next next;
        struct kp_auth_listing listing;
        struct kp_auth_hid hid;
        struct kp_auth_nfc nfc;
        struct kp_auth_faults faults;
        uint8_t command;  /* that runs: enum kp_ctap_cmd */
        uint32_t channel; /* of the command that runs */
        bool by_radio;    /* it came by NFC, not by USB */
};

/* The option as getInfo tells it now; -1 absent. */
int kp_auth_option(const struct kp_authenticator *key, enum kp_key_option_id id);
/* Protected by some form of user verification. Spec: CTAP 2.1 §6.1.2 */
bool kp_auth_protected(const struct kp_authenticator *key);
bool kp_auth_uv_ready(const struct kp_authenticator *key); /* built in, and set up */
bool kp_auth_has_fingers(const struct kp_authenticator *key); /* can be enrolled */

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
int kp_auth_bio_enrollment(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);
int kp_auth_large_blobs(
        struct kp_authenticator *key, const cbor_item_t *params, struct kp_buf *answer);

/* The memory has changed in a way that must outlive a power cut before anything else
 * is done: a try that was counted (keep.c). Returns a status. */
int kp_auth_keep(struct kp_authenticator *key);
/* Something may have changed, and an answer is about to be given: keep it if so. Every
 * way in calls this once. Returns a status. */
int kp_auth_keep_changes(struct kp_authenticator *key);
/* Nothing goes in or out until power_cycle(): unplugged, or its memory cannot be kept.
 */
bool kp_auth_is_silent(const struct kp_authenticator *key);
/* Discoverable credentials have changed: encCredStoreState tells so. */
void kp_auth_store_changed(struct kp_authenticator *key);
/* The enrolment that runs, when power goes. §6.7 lets it outlive other commands, and its
 * token: a platform may ask for a new one between two samples. */
void kp_auth_bio_forget(struct kp_authenticator *key);
void kp_auth_bio_clear(struct kp_authenticator *key);    /* all fingers: reset */
void kp_auth_blobs_forget(struct kp_authenticator *key); /* the write that runs */
bool kp_auth_blobs_clear(struct kp_authenticator *key);  /* the empty array: reset */
/* The persistent token, encIdentifier and encCredStoreState (identity.c). CTAP 2.2 */
bool kp_auth_has_identity(const struct kp_authenticator *key);
bool kp_auth_identity_reset(struct kp_authenticator *key);
/* The member's value, a byte string. False, nothing written: the model has none. */
bool kp_auth_identity_put(
        struct kp_authenticator *key, bool store_state, struct kp_buf *answer);
const uint8_t *kp_auth_persistent_token(struct kp_authenticator *key); /* 32 bytes */
/* Give it pcmr; its 32 bytes. */
const uint8_t *kp_auth_persistent_grant(struct kp_authenticator *key);
void kp_auth_persistent_end(struct kp_authenticator *key);
bool kp_auth_persistent_verify(const struct kp_authenticator *key, int protocol,
        const void *message, size_t message_len, const uint8_t *param,
        size_t param_len);

#endif
