/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_CTAP_H
#define KEYPILOT_DEVICE_CTAP_H

#include "keypilot/codec/pinproto.h"
#include "keypilot/device/driver.h"

/*
 * The inside of the driver `ctap`: our own CTAPHID, CTAP2 and U2F client.
 *
 * Files: ctap_hid.c one message and its answer; ctap_cbor.c requests and answers as
 * CBOR; ctap_pin.c PIN/UV tokens; ctap_list.c lists that are too long for the key;
 * ctap_u2f.c keys that speak U2F only; driver_ctap.c puts them together.
 */
struct kp_ctap {
        struct kp_seam seam;
        struct kp_random *random;
        uint32_t cid;
        uint8_t capabilities;
        struct kp_key_info info;
        bool info_fresh; /* nothing was sent since that could have changed it */
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
void kp_ctap_put_make(struct kp_buf *buf, const struct kp_make_request *request,
        struct kp_list exclude, const struct kp_pin_auth *auth);

/* hmac-secret's input: keyAgreement, saltEnc, saltAuth, already CBOR. */
struct kp_ctap_get {
        const char *rp_id;
        const uint8_t *client_data_hash; /* 32 bytes */
        struct kp_list allow;
        enum kp_ternary up, uv;
        struct kp_bytes hmac_secret; /* CBOR map; NULL: none */
        bool get_cred_blob;
        const struct kp_pin_auth *auth;
};
void kp_ctap_put_get(struct kp_buf *buf, const struct kp_ctap_get *get);

/* Errors  KP_EPARSE. Takes apart what came, borrowing nothing. */
int kp_ctap_parse_make(const struct kp_buf *body, struct kp_make_reply *ret,
        struct kp_error *err) KP_MUST_CHECK;
/*
 * secret   of hmac-secret; NULL: not asked
 * ret_n    numberOfCredentials, 1 if not told
 */
int kp_ctap_parse_get(const struct kp_buf *body, const struct kp_pin_secret *secret,
        struct kp_assertion *ret, size_t *ret_n, struct kp_error *err) KP_MUST_CHECK;

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
        uint8_t permissions; /* enum kp_ctap_permission */
        const char *rp_id;   /* NULL: none */
        bool agreement;      /* for hmac-secret, token or not */
};

/*
 * A PIN/UV token.
 *
 * ret      appended to; wipe it
 * answer   the key's; not OK: no token
 * Spec     CTAP 2.1 §6.5.5.7
 */
int kp_ctap_token(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        const struct kp_wanted *wanted, struct kp_buf *ret, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;
void kp_ctap_authenticate(const struct kp_agreement *agreement,
        const struct kp_buf *token, const void *message, size_t message_len,
        struct kp_pin_auth *ret);
int kp_ctap_set_pin(struct kp_ctap *ctap, const char *pin, struct kp_answer *answer,
        struct kp_error *err) KP_MUST_CHECK;
int kp_ctap_pin_retries(struct kp_ctap *ctap, int *ret_retries,
        struct kp_answer *answer, struct kp_error *err) KP_MUST_CHECK;
/* hmac-secret's input map for these salts. */
int kp_ctap_put_salts(struct kp_ctap *ctap, const struct kp_agreement *agreement,
        struct kp_bytes salts, struct kp_buf *ret, struct kp_error *err) KP_MUST_CHECK;
/* The protocol to use: the key's first that we speak. Spec: CTAP 2.1 §6.5.5.4 */
int kp_ctap_pin_protocol(const struct kp_key_info *info);

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
