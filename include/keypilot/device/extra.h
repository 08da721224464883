/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_EXTRA_H
#define KEYPILOT_DEVICE_EXTRA_H

#include "keypilot/device/driver.h"

/*
 * What a platform can do with a key besides enrolment and login: PINs and tokens, large
 * blobs, passkeys, settings, fingers, and CTAPHID itself. By subject, each a table of
 * functions; only our own client has them. On a real key the tap forbids all that
 * changes it (KP_ESAFETY); before a PIN it wants the number of tries to have been asked.
 *
 * The functions return 0 and `said` tells what the key said; -1 as of struct kp_driver.
 * Results are set only where the key said OK, and are ended by the caller.
 */
struct kp_said {
        uint8_t status;        /* enum kp_ctap_status */
        const char *transport; /* NULL, or a word as of struct kp_make_reply */
};
static inline bool
kp_said_ok(const struct kp_said *said)
{
        return said->transport == NULL && said->status == KP_CTAP_OK;
}

/*
 * How the person is verified: by a token that is there already, else by PIN, else by
 * the key's own method where it has one; NULL, or a key that has none: not at all.
 * Everything borrowed.
 */
struct kp_pin_or_token {
        const char *pin;
        const struct kp_token *token;
};

/* ---- PINs and tokens. Spec: CTAP 2.1 §6.5, §6.6 ---- */

/* pin NULL: by the key's own method; rp_id NULL: for none in particular */
struct kp_token_wish {
        const char *pin;
        uint8_t permissions; /* enum kp_ctap_permission, or'ed */
        const char *rp_id;
};

struct kp_pin_ops {
        int (*token)(void *self, const struct kp_token_wish *wish, struct kp_token *ret,
                struct kp_said *said, struct kp_error *err);
        int (*change)(void *self, const char *old_pin, const char *new_pin,
                struct kp_said *said, struct kp_error *err);
        int (*uv_retries)(
                void *self, int *ret, struct kp_said *said, struct kp_error *err);
        /* Everything on the key is gone: within ten seconds of power-up, and a touch */
        int (*reset)(void *self, struct kp_said *said, struct kp_error *err);
};

/*
 * encIdentifier and encCredStoreState, read with the token that they are for
 * (KP_CTAP_PERM_PCMR). False: another key's, or none.
 * Spec: CTAP 2.2 §6.4, CTAP 2.3 §6.4
 */
bool kp_key_identifier(
        const struct kp_key_info *info, const struct kp_token *token, uint8_t ret[16]);
bool kp_key_store_state(
        const struct kp_key_info *info, const struct kp_token *token, uint8_t ret[16]);

/* ---- large blobs. Spec: CTAP 2.1 §6.10 ---- */

#define KP_LARGE_BLOB_KEY 32
#define KP_LARGE_BLOB_MAX (4 << 20) /* bytes of one blob that is unpacked */

struct kp_blob_ops {
        /*
         * The whole array, CBOR, its checksum checked and taken off. One whose checksum
         * is wrong counts as empty, and `intact` false.
         */
        int (*read)(void *self, struct kp_buf *ret, bool *ret_intact,
                struct kp_said *said, struct kp_error *err);
        int (*write)(void *self, struct kp_bytes array,
                const struct kp_pin_or_token *proof, struct kp_said *said,
                struct kp_error *err);
        /*
         * One credential's blob, found by its key; other entries stay as they are, those
         * included that nobody can read. put writes it, or replaces what is there; get
         * and remove tell whether there was one.
         */
        int (*get)(void *self, const uint8_t key[KP_LARGE_BLOB_KEY], struct kp_buf *ret,
                bool *ret_found, struct kp_said *said, struct kp_error *err);
        int (*put)(void *self, const uint8_t key[KP_LARGE_BLOB_KEY],
                struct kp_bytes blob, const struct kp_pin_or_token *proof,
                struct kp_said *said, struct kp_error *err);
        int (*remove)(void *self, const uint8_t key[KP_LARGE_BLOB_KEY],
                const struct kp_pin_or_token *proof, bool *ret_found,
                struct kp_said *said, struct kp_error *err);
};

/* ---- passkeys. Spec: CTAP 2.1 §6.8 ---- */

struct kp_rk_rp {
        struct kp_buf id; /* text; a key may cut it short */
        uint8_t id_hash[32];
};
struct kp_rk_rps {
        struct kp_rk_rp *items;
        size_t n;
};
void kp_rk_rps_done(struct kp_rk_rps *rps);

struct kp_rk {
        struct kp_buf credential_id, user_id, public_key /* COSE */, large_blob_key;
        char user_name[65], user_display_name[65];
        int cred_protect;                    /* 0 not told */
        enum kp_ternary third_party_payment; /* KP_OMIT: not told */
};
struct kp_rks {
        struct kp_rk *items;
        size_t n;
};
void kp_rks_done(struct kp_rks *passkeys);

/* Everything borrowed; names NULL: none. */
struct kp_rk_user {
        struct kp_bytes credential_id, user_id;
        const char *name, *display_name;
};

/* Reading takes a token for KP_CTAP_PERM_CM or KP_CTAP_PERM_PCMR; a key without any of
 * it: KP_EUNSUPPORTED. That there are none is NO_CREDENTIALS or an empty list. */
struct kp_rk_ops {
        int (*places)(void *self, const struct kp_pin_or_token *proof,
                int64_t *ret_used, int64_t *ret_left, struct kp_said *said,
                struct kp_error *err);
        int (*rps)(void *self, const struct kp_pin_or_token *proof,
                struct kp_rk_rps *ret, struct kp_said *said, struct kp_error *err);
        int (*list)(void *self, const uint8_t rp_id_hash[32],
                const struct kp_pin_or_token *proof, struct kp_rks *ret,
                struct kp_said *said, struct kp_error *err);
        int (*remove)(void *self, struct kp_bytes credential_id,
                const struct kp_pin_or_token *proof, struct kp_said *said,
                struct kp_error *err);
        int (*update)(void *self, const struct kp_rk_user *user,
                const struct kp_pin_or_token *proof, struct kp_said *said,
                struct kp_error *err);
};

/* ---- settings. Spec: CTAP 2.1 §6.11, CTAP 2.3 §6.11 ---- */

enum kp_config_cmd {
        KP_CONFIG_ENTERPRISE = 0x01,
        KP_CONFIG_ALWAYS_UV = 0x02, /* the other way round */
        KP_CONFIG_MIN_PIN = 0x03,
        KP_CONFIG_LONG_TOUCH = 0x04,
};
/* Everything borrowed; all but `cmd` is of KP_CONFIG_MIN_PIN. */
struct kp_config {
        enum kp_config_cmd cmd;
        int min_pin_len; /* code points; 0: as it is */
        const char *const *rp_ids;
        size_t n_rp_ids; /* 0: as they are */
        bool force_change, complexity;
};

struct kp_config_ops {
        int (*set)(void *self, const struct kp_config *config,
                const struct kp_pin_or_token *proof, struct kp_said *said,
                struct kp_error *err);
};

/* ---- fingers. Spec: CTAP 2.1 §6.7 ---- */

struct kp_finger_info {
        int modality;    /* 1: fingerprint */
        int kind;        /* 1: touch, 2: swipe */
        int max_samples; /* good ones that an enrolment takes */
        int max_name;    /* bytes; 0 not told */
};
struct kp_finger_sample {
        int status; /* lastEnrollSampleStatus; 0: good */
        int remaining;
};
struct kp_finger_entry {
        struct kp_buf id, name;
};
struct kp_fingers {
        struct kp_finger_entry *items;
        size_t n;
};
void kp_fingers_done(struct kp_fingers *fingers);

/* timeout_ms of each sample; 0: the key's own. each: false calls the enrolment off */
struct kp_finger_enrolment {
        int timeout_ms;
        bool (*each)(void *self, const struct kp_finger_sample *sample); /* or NULL */
        void *self;
};

/* A key without: KP_EUNSUPPORTED. An enrolment that was called off: KEEPALIVE_CANCEL */
struct kp_finger_ops {
        int (*info)(void *self, struct kp_finger_info *ret, struct kp_said *said,
                struct kp_error *err);
        int (*enrol)(void *self, const struct kp_finger_enrolment *enrolment,
                const struct kp_pin_or_token *proof, struct kp_buf *ret_id,
                struct kp_said *said, struct kp_error *err);
        int (*list)(void *self, const struct kp_pin_or_token *proof,
                struct kp_fingers *ret, struct kp_said *said, struct kp_error *err);
        int (*rename)(void *self, struct kp_bytes id, const char *name,
                const struct kp_pin_or_token *proof, struct kp_said *said,
                struct kp_error *err);
        int (*remove)(void *self, struct kp_bytes id,
                const struct kp_pin_or_token *proof, struct kp_said *said,
                struct kp_error *err);
};

/* ---- CTAPHID. Spec: CTAP 2.1 §11.2.9 ---- */

/*
 * One message and what comes back, as it comes: a busy key is not asked again.
 *
 * cid           0: the driver's own channel; another one must have come from an INIT
 * part          send only, or wait for what was sent before; several channels in turn
 * silence_ms    give up after so long without a frame; 0: ten seconds
 * cancel_after  send CANCEL at the so-manieth keep-alive; 0: after two minutes of them
 * keep_frames   collect every report that came on this channel
 */
enum kp_wire_part { KP_WIRE_ALL, KP_WIRE_SEND, KP_WIRE_AWAIT };
struct kp_wire_request {
        uint32_t cid;
        uint8_t cmd; /* enum kp_ctaphid_cmd */
        struct kp_bytes payload;
        enum kp_wire_part part;
        int silence_ms;
        unsigned cancel_after;
        bool keep_frames;
};
struct kp_wire_answer {
        const char *transport; /* NULL: it came; "timeout", "lost", "hid-error" */
        uint8_t hid_error;     /* of CTAPHID_ERROR, or INVALID_SEQ, INVALID_LENGTH */
        struct kp_buf payload;
        unsigned n_keepalives;
        uint8_t keepalive;    /* the last one: 1 working, 2 waits for a touch */
        bool cancelled;       /* CANCEL was sent */
        struct kp_buf frames; /* of 64 bytes each */
};
void kp_wire_answer_done(struct kp_wire_answer *answer);

struct kp_wire_ops {
        uint32_t (*channel)(void *self);
        uint8_t (*capabilities)(void *self); /* enum kp_ctaphid_capability */
        int (*exchange)(void *self, const struct kp_wire_request *request,
                struct kp_wire_answer *ret, struct kp_error *err);
        /* INIT: on KP_CTAPHID_BROADCAST a new channel; on one that exists, the same */
        int (*init)(void *self, uint32_t cid, uint32_t *ret_cid, struct kp_said *said,
                struct kp_error *err);
        int (*ping)(void *self, struct kp_bytes payload, struct kp_said *said,
                struct kp_error *err);
        int (*wink)(void *self, struct kp_said *said, struct kp_error *err);
        /* seconds 0 to 10; 0 gives the lock back */
        int (*lock)(void *self, uint8_t seconds, struct kp_said *said,
                struct kp_error *err);
};

/* All of it. `self` is what the functions take. */
struct kp_extra {
        void *self;
        const struct kp_pin_ops *pin;
        const struct kp_blob_ops *blobs;
        const struct kp_rk_ops *passkeys;
        const struct kp_config_ops *config;
        const struct kp_finger_ops *fingers;
        const struct kp_wire_ops *wire;
};

/*
 * ret      borrowed from the driver: of use until it is closed
 * Errors   KP_EUNSUPPORTED this driver has none, or the key speaks U2F only; KP_EIO
 */
int kp_driver_extra(const struct kp_driver *driver, struct kp_extra *ret,
        struct kp_error *err) KP_MUST_CHECK;

#endif
