/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_CTAP_H
#define KEYPILOT_DEVICE_CTAP_H

#include "keypilot/codec/pinproto.h"
#include "keypilot/device/driver.h"
#include "keypilot/device/extra.h"

/*
 * The inside of the driver `ctap`: our own CTAPHID, CTAP2 and U2F client.
 *
 * Files: ctap_hid.c one message and its answer; ctap_wire.c the same for whoever wants
 * to see it all; ctap_cbor.c requests and answers as CBOR; ctap_pin.c PINs and PIN/UV
 * tokens; ctap_session.c what a request needs before it goes out, and requests that
 * have subcommands; ctap_list.c lists that are too long for the key; ctap_u2f.c keys
 * that speak U2F only; ctap_blobs.c, ctap_blob_entry.c large blobs; ctap_passkeys.c,
 * ctap_config.c, ctap_fingers.c; driver_ctap.c puts them together.
 */
struct kp_ctap {
        struct kp_seam seam;
        struct kp_random *random;
        uint32_t cid;
        uint8_t capabilities;
        struct kp_key_info info;
        bool info_fresh; /* nothing was sent since that could have changed it */
        bool stuck;      /* the last message was given up: the channel needs an INIT */
};

/* What came back. Start with { 0 }; kp_buf_wipe(&answer.body) when done. */
struct kp_answer {
        uint8_t status;
        const char *transport; /* as in struct kp_make_reply */
        struct kp_buf body; /* without the status byte; U2F: without the status word */
        uint16_t status_word; /* U2F */
};
static inline bool
kp_answer_ok(const struct kp_answer *answer)
{
        return answer->transport == NULL && answer->status == KP_CTAP_OK;
}
void kp_answer_done(struct kp_answer *answer);
static inline void
kp_answer_said(const struct kp_answer *answer, struct kp_said *ret)
{
        ret->status = answer->transport == NULL ? answer->status : KP_CTAP_OK;
        ret->transport = answer->transport;
}

/* ---- ctap_hid.c ---- */

/* Get a channel. Errors  KP_EIO no answer; KP_ESAFETY. Spec: CTAP 2.1 §11.2.9.1.3 */
int kp_ctap_init(struct kp_ctap *ctap, struct kp_error *err) KP_MUST_CHECK;

/*
 * One message and its answer. A key that is busy with another program is asked again
 * for two seconds; one that does not answer, or waits longer than KP_CTAP_TOUCH_MS for
 * a touch, gets a cancel.
 *
 * Errors   KP_ESAFETY, KP_ENOMEM. What the key does wrong is in `ret`
 */
#define KP_CTAP_TOUCH_MS 120000
int kp_ctap_exchange(struct kp_ctap *ctap, uint8_t cmd, const uint8_t *payload,
        size_t payload_len, struct kp_answer *ret, struct kp_error *err) KP_MUST_CHECK;

/* One message as it goes. Errors  KP_ESAFETY, KP_ENOMEM */
int kp_ctap_wire(struct kp_ctap *ctap, const struct kp_wire_request *request,
        struct kp_wire_answer *ret, struct kp_error *err) KP_MUST_CHECK;

/* Let that much time pass. Errors  none of its own: what is read is dropped */
void kp_ctap_wait(struct kp_ctap *ctap, int ms);

/* CTAP2: command byte and CBOR out; status and CBOR in. */
int kp_ctap_cbor(struct kp_ctap *ctap, const struct kp_buf *request,
        struct kp_answer *ret, struct kp_error *err) KP_MUST_CHECK;

/* GetInfo into ctap->info. ret   whether and how the key refused */
int kp_ctap_get_info(struct kp_ctap *ctap, struct kp_answer *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* ---- info.c ---- */

/* Read authenticatorGetInfo's answer. Errors  KP_EPARSE. Spec: CTAP 2.1 §6.4 */
int kp_key_info_parse(const uint8_t *bytes, size_t bytes_len, struct kp_key_info *ret,
        struct kp_error *err) KP_MUST_CHECK;
/* What a key amounts to that speaks U2F only. */
void kp_key_info_u2f(struct kp_key_info *ret);

/* ---- ctap_cbor.c ---- */

/* A pinUvAuthParam; len 0: none. */
struct kp_pin_auth {
        int protocol;
        uint8_t param[32];
        size_t len;
};
/* The list that goes out, which need not be the one that was asked. */
struct kp_list {
        const struct kp_bytes *ids;
        size_t n_ids;
};
/* hmac_secret: keyAgreement, saltEnc, saltAuth as CBOR map; NULL: none */
struct kp_ctap_make {
        const struct kp_make_request *request;
        struct kp_list exclude;
        struct kp_bytes hmac_secret;
        const struct kp_pin_auth *auth;
};
void kp_ctap_put_make(struct kp_buf *buf, const struct kp_ctap_make *make);

struct kp_ctap_get {
        const char *rp_id;
        const uint8_t *client_data_hash; /* 32 bytes */
        struct kp_list allow;
        enum kp_ternary up, uv;
        struct kp_bytes hmac_secret; /* as above */
        bool get_cred_blob, large_blob_key, third_party_payment, uvm;
        const struct kp_pin_auth *auth;
};
void kp_ctap_put_get(struct kp_buf *buf, const struct kp_ctap_get *get);

/*
 * Take apart what came, borrowing nothing.
 *
 * secret   of hmac-secret; NULL: not asked
 * ret_n    numberOfCredentials, 1 if not told
 * Errors   KP_EPARSE
 */
int kp_ctap_parse_make(const struct kp_buf *body, const struct kp_pin_secret *secret,
        struct kp_make_reply *ret, struct kp_error *err) KP_MUST_CHECK;
int kp_ctap_parse_get(const struct kp_buf *body, const struct kp_pin_secret *secret,
        struct kp_assertion *ret, size_t *ret_n, struct kp_error *err) KP_MUST_CHECK;
/* The answer as a map. Errors  KP_EPARSE no map */
int kp_ctap_parse_map(const struct kp_buf *body, cbor_item_t **ret,
        struct kp_error *err) KP_MUST_CHECK;
/* Text that is cut before what does not fit, never within a character. */
void kp_ctap_take_text(const cbor_item_t *item, char *ret, size_t ret_len);

/* ---- ctap_pin.c ---- */

/* One key agreement: of use for a token and for hmac-secret. */
struct kp_agreement {
        struct kp_pin_secret secret;
        struct kp_buf public_key; /* ours, COSE */
};
void kp_agreement_done(struct kp_agreement *agreement);
int kp_ctap_agree(struct kp_ctap *ctap, struct kp_agreement *ret,
        struct kp_answer *answer, struct kp_error *err) KP_MUST_CHECK;

/* What a request needs before it can be sent. */
struct kp_wanted {
        const char *pin; /* NULL: by the key's own verification */
        enum kp_ternary uv;
        uint8_t permissions;          /* enum kp_ctap_permission */
        const char *rp_id;            /* NULL: none */
        bool agreement;               /* for hmac-secret, token or not */
        const struct kp_token *token; /* NULL: none yet */
};

/*
 * A PIN/UV token.
 *
 * ret      wipe it
 * answer   the key's; not OK: no token
 * Spec     CTAP 2.1 §6.5.5.7
 */
int kp_ctap_token(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        const struct kp_wanted *wanted, struct kp_token *ret, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;
void kp_ctap_authenticate(const struct kp_token *token, const void *message,
        size_t message_len, struct kp_pin_auth *ret);
/* old_pin   NULL: set one on a key that has none */
int kp_ctap_set_pin(struct kp_ctap *ctap, const char *old_pin, const char *pin,
        struct kp_answer *answer, struct kp_error *err) KP_MUST_CHECK;
int kp_ctap_pin_retries(struct kp_ctap *ctap, int *ret_retries,
        struct kp_answer *answer, struct kp_error *err) KP_MUST_CHECK;
int kp_ctap_uv_retries(struct kp_ctap *ctap, int *ret_retries, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;
/* hmac-secret's input map for these salts. */
int kp_ctap_put_salts(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        struct kp_bytes salts, struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;
/* The protocol to use: the key's first that we speak. Spec: CTAP 2.1 §6.5.5.4 */
int kp_ctap_pin_protocol(const struct kp_key_info *info);

/* ---- ctap_session.c ---- */

/* The key agreement and the token of one request. */
struct kp_session {
        struct kp_agreement agreement;
        struct kp_token token;
        struct kp_pin_auth auth;
};
void kp_session_done(struct kp_session *session);

/*
 * Get what the request needs before it can be sent. A token that is there is used as it
 * is; with a PIN always a token; for built-in verification a token where the key gives
 * those, the option "uv" where it does not.
 */
int kp_session_open(struct kp_ctap *ctap, const struct kp_wanted *wanted,
        struct kp_session *ret, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;
/* Into session->auth; none without a token. */
void kp_session_sign(
        struct kp_session *session, const void *message, size_t message_len);
/* The same for what is no make or get: by token, PIN or the key's own method. */
int kp_session_open_for(struct kp_ctap *ctap, const struct kp_pin_or_token *proof,
        uint8_t permission, struct kp_session *ret, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * A command that has subcommands, with the session's token.
 *
 * params    subCommandParams, a CBOR map; empty: none
 * modality  of bioEnrollment; 0: no such member
 * prefix    what stands before the subcommand in what is signed
 */
struct kp_ctap_sub {
        uint8_t cmd, number;
        const struct kp_buf *params;
        uint8_t modality;
        struct kp_bytes prefix;
};
int kp_ctap_sub(struct kp_ctap *ctap, const struct kp_ctap_sub *sub,
        struct kp_session *session, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;
/* Both at once. */
int kp_ctap_sub_once(struct kp_ctap *ctap, const struct kp_ctap_sub *sub,
        const struct kp_pin_or_token *proof, uint8_t permission,
        struct kp_answer *answer, struct kp_error *err) KP_MUST_CHECK;

/* ---- ctap_blob_entry.c ---- */

/* Errors  KP_EPARSE no array of entries */
struct kp_blob_array {
        struct kp_bytes *entries; /* CBOR as it came, into the array's bytes */
        size_t n;
};
int kp_blob_array_split(struct kp_bytes array, struct kp_blob_array *ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_blob_array_done(struct kp_blob_array *array);
/* False: not this key's, or nothing that can be read. */
bool kp_blob_open(struct kp_bytes entry, const uint8_t key[KP_LARGE_BLOB_KEY],
        struct kp_buf *ret);
int kp_blob_seal(const uint8_t key[KP_LARGE_BLOB_KEY], struct kp_bytes blob,
        struct kp_random *random, struct kp_buf *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* ---- what the driver hands out ---- */
extern const struct kp_wire_ops kp_ctap_wire_ops;
extern const struct kp_pin_ops kp_ctap_pin_ops;
extern const struct kp_blob_ops kp_ctap_blob_ops;
extern const struct kp_rk_ops kp_ctap_rk_ops;
extern const struct kp_config_ops kp_ctap_config_ops;
extern const struct kp_finger_ops kp_ctap_finger_ops;

/* ---- ctap_list.c ---- */

/*
 * Find, without a touch, a credential of the list that the key knows.
 *
 * get      what to ask: rp_id, auth; the rest is ours
 * ret      one id of `list`, or len 0: none
 * Spec     CTAP 2.1 §6.1.2 and §6.2.2 (pre-flight)
 */
int kp_ctap_preflight(struct kp_ctap *ctap, const struct kp_ctap_get *get,
        struct kp_list list, struct kp_bytes *ret, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;
/* Does the list go out as it is? */
bool kp_ctap_list_fits(
        const struct kp_key_info *info, struct kp_list list, size_t rest_len);

/* ---- ctap_u2f.c ---- */
int kp_ctap_u2f_make(struct kp_ctap *ctap, const struct kp_make_request *request,
        struct kp_make_reply *ret, struct kp_error *err) KP_MUST_CHECK;
int kp_ctap_u2f_get(struct kp_ctap *ctap, const struct kp_get_request *request,
        struct kp_get_reply *ret, struct kp_error *err) KP_MUST_CHECK;
/* A registration for nobody, which a touch answers: collects a touch. */
int kp_ctap_u2f_touch(struct kp_ctap *ctap, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;

#endif
