/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_DEVICE_DRIVER_H
#define KEYPILOT_DEVICE_DRIVER_H

#include "keypilot/codec/ctap.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/random.h"
#include "keypilot/device/seam.h"

/*
 * What a platform can ask of a security key, whichever driver carries it: `libfido2`
 * (the default for real keys) or `ctap` (our own; several algorithms in one request,
 * exact bytes, CTAPHID errors, U2F).
 *
 * A key that refuses is an answer: the functions return 0 and `status` says why. They
 * return -1 only when the harness failed; KP_EUNSUPPORTED when this driver cannot
 * express the request, KP_ESAFETY when the tap forbade it.
 */
struct kp_driver;

enum kp_ternary { KP_OMIT, KP_FALSE, KP_TRUE };

/*
 * authenticatorGetInfo, or what a U2F key amounts to, in order of member. What is too
 * long for its place here is left out, never cut short.
 * Spec: CTAP 2.3 §6.4
 */
#define KP_INFO_MAX 32
struct kp_key_info {
        bool u2f_only;
        char versions[KP_INFO_MAX][24];
        size_t n_versions;
        char extensions[KP_INFO_MAX][24];
        size_t n_extensions;
        struct kp_key_option {
                char name[32];
                bool value;
        } options[KP_INFO_MAX];
        size_t n_options;
        uint8_t aaguid[16];
        int64_t max_msg_size;
        int pin_protocols[4];
        size_t n_pin_protocols;
        int64_t max_credentials_in_list; /* 0 not told */
        int64_t max_credential_id_len;   /* 0 not told */
        char transports[8][16];
        size_t n_transports;
        int algorithms[KP_INFO_MAX];
        size_t n_algorithms;
        int64_t max_large_blob; /* whole array, bytes; 0 not told */
        bool force_pin_change;
        int64_t min_pin_len;   /* code points; 4 where not told */
        int64_t firmware;      /* 0 not told */
        int64_t max_cred_blob; /* bytes; 0 not told */
        int64_t max_rp_ids;    /* of setMinPINLength; -1 not told */
        int64_t uv_attempts;   /* preferredPlatformUvAttempts; 0 not told */
        int64_t uv_modality;   /* FIDO registry, USER_VERIFY bits; 0 not told */
        struct kp_key_certification_told {
                char name[32];
                int64_t level;
        } certifications[8];
        size_t n_certifications;
        int64_t remaining_rk;        /* -1 not told */
        uint64_t vendor_commands[8]; /* vendorPrototypeConfigCommands */
        size_t n_vendor_commands;
        /* of CTAP 2.2 and 2.3 */
        char attestation_formats[8][32];
        size_t n_attestation_formats;
        int64_t uv_count; /* verifications since the last PIN entry; -1 not told */
        enum kp_ternary long_touch_for_reset;
        uint8_t enc_identifier[64];
        size_t enc_identifier_len;
        char transports_for_reset[8][16];
        size_t n_transports_for_reset;
        enum kp_ternary pin_complexity_policy;
        char pin_complexity_url[256]; /* "" not told */
        int64_t max_pin_len;          /* code points; 63 where not told */
        uint8_t enc_store_state[64];  /* encCredStoreState */
        size_t enc_store_state_len;
        int config_commands[16];
        size_t n_config_commands;
        bool tells_config_commands;
};

bool kp_key_has_version(const struct kp_key_info *info, const char *version);
bool kp_key_has_extension(const struct kp_key_info *info, const char *extension);

/* KP_OMIT where the option is absent. */
enum kp_ternary kp_key_option(const struct kp_key_info *info, const char *option);

struct kp_bytes {
        const uint8_t *data;
        size_t len;
};

/*
 * A PIN/UV token that its owner keeps for the length of a ceremony, so that one PIN
 * entry serves all of it: get one with struct kp_pin_ops, give it to the requests, wipe
 * it at the end. How long it lives is the key's business; one that is over is answered
 * with PIN_AUTH_INVALID. Only the one that reads passkeys (KP_CTAP_PERM_PCMR) may be
 * kept for longer: until the key's PIN is changed or the key is reset.
 *
 * permissions  what the key gave; a touch in make or get leaves KP_CTAP_PERM_LBW, and
 *              whoever carried the request takes the rest away here
 * plain        from getPinToken of CTAP 2.0: good for everything, and stays so
 * Spec         CTAP 2.1 §6.5.5.7
 */
struct kp_token {
        int protocol;
        uint8_t bytes[32];
        size_t len; /* 0: none */
        uint8_t permissions;
        bool plain;
};
void kp_token_wipe(struct kp_token *token); /* leaves { 0 } */

/* authenticatorMakeCredential. Everything borrowed. Spec: CTAP 2.1 §6.1 */
struct kp_make_request {
        uint8_t client_data_hash[32];
        const char *rp_id;
        const char *rp_name; /* NULL: none */
        struct kp_bytes user_id;
        const char *user_name, *user_display_name; /* NULL: none */
        const int *algorithms;
        size_t n_algorithms;
        const struct kp_bytes *exclude;
        size_t n_exclude;
        enum kp_ternary rk, uv;
        int cred_protect; /* 0: not asked; 1 to 3 */
        bool hmac_secret;
        bool min_pin_length;
        struct kp_bytes cred_blob; /* NULL: none */
        int enterprise;            /* 0: not asked; 1, 2 */
        const char *pin;           /* NULL: none; verified through a PIN/UV token */
        struct kp_token *token;    /* NULL: none; used instead of `pin`, and spent */
        /* attestationFormatsPreference, preferred first; n 0: not asked */
        const char *const *formats;
        size_t n_formats;
        bool large_blob_key;
        struct kp_bytes hmac_salts; /* hmac-secret-mc; NULL: none; 32 or 64 bytes */
        bool third_party_payment;
        bool pin_complexity_policy;
        bool uvm;
};

/*
 * No status came: `transport` says what came instead, `status` is 0.
 *   "timeout"     nothing, and a cancel was not answered either
 *   "lost"        the key went away, or it could not be written to
 *   "hid-error"   a CTAPHID error frame, or frames out of order
 *   "unreadable"  an answer that is not what CTAP says it must be (libfido2: or that
 *                 it does not know, such as an attestation format)
 */
struct kp_make_reply {
        uint8_t status;        /* enum kp_ctap_status */
        const char *transport; /* NULL, or one of the words above */
        char format[32];       /* attestation statement format */
        struct kp_buf auth_data;
        struct kp_buf statement; /* attStmt as CBOR */
        int enterprise;          /* 1: epAtt was true */
        struct kp_buf large_blob_key;
        struct kp_buf hmac_output;      /* of hmac-secret-mc, decrypted */
        struct kp_buf unsigned_outputs; /* CBOR map; empty: none */
};
void kp_make_reply_done(struct kp_make_reply *reply); /* frees, leaves { 0 } */

/* authenticatorGetAssertion and all of its Next. Spec: CTAP 2.1 §6.2, §6.3 */
struct kp_get_request {
        uint8_t client_data_hash[32];
        const char *rp_id;
        /* NULL: none. U2F keys only: tried when rp_id is not known */
        const char *app_id;
        const struct kp_bytes *allow;
        size_t n_allow;
        enum kp_ternary up, uv;
        struct kp_bytes hmac_salts; /* NULL: none; 32 or 64 bytes */
        bool get_cred_blob;
        const char *pin;        /* NULL: none */
        struct kp_token *token; /* NULL: none; used instead of `pin`, and spent */
        bool large_blob_key;
        bool third_party_payment;
        bool uvm;
};

struct kp_assertion {
        struct kp_buf credential_id; /* empty where the key left it out */
        struct kp_buf auth_data;
        struct kp_buf signature;
        struct kp_buf user_id; /* empty: none */
        char user_name[65], user_display_name[65];
        struct kp_buf hmac_output; /* decrypted */
        struct kp_buf cred_blob;
        struct kp_buf large_blob_key;
        struct kp_buf unsigned_outputs;      /* CBOR map; empty: none */
        bool user_selected;                  /* on the key's own display */
        enum kp_ternary third_party_payment; /* KP_OMIT: not told */
};

struct kp_get_reply {
        uint8_t status;        /* enum kp_ctap_status */
        const char *transport; /* NULL, or a word as of kp_make_reply */
        bool app_id_used;
        struct kp_assertion *assertions;
        size_t n_assertions;
};
void kp_get_reply_done(struct kp_get_reply *reply); /* frees, leaves { 0 } */
void kp_assertion_done(struct kp_assertion *assertion);

struct kp_extra; /* keypilot/device/extra.h */

/* What each driver does. Replies start as { 0 }, and the caller ends them. */
struct kp_driver_ops {
        const char *name; /* "libfido2", "ctap" */
        int (*info)(void *self, struct kp_key_info *ret, struct kp_error *err);
        int (*make)(void *self, const struct kp_make_request *request,
                struct kp_make_reply *ret, struct kp_error *err);
        int (*get)(void *self, const struct kp_get_request *request,
                struct kp_get_reply *ret, struct kp_error *err);
        /* getPINRetries; ret_status 0 and ret_retries, or what the key answered */
        int (*pin_retries)(void *self, uint8_t *ret_status, int *ret_retries,
                struct kp_error *err);
        /* setPIN on a key that has none; the tap refuses it on real keys */
        int (*set_pin)(
                void *self, const char *pin, uint8_t *ret_status, struct kp_error *err);
        /* Remove one discoverable credential. KP_EUNSUPPORTED where the key cannot. */
        int (*remove)(void *self, struct kp_bytes credential_id, const char *pin,
                uint8_t *ret_status, struct kp_error *err);
        /* Wait for a touch that chooses this key among several. */
        int (*select)(void *self, uint8_t *ret_status, struct kp_error *err);
        /* Everything else; NULL: this driver has no more. See kp_driver_extra(). */
        int (*extra)(void *self, struct kp_extra *ret, struct kp_error *err);
        void (*close)(void *self); /* closes the seam and frees self */
};

struct kp_driver {
        const struct kp_driver_ops *ops;
        void *self;
};

/*
 * Put a driver on a seam. Takes the seam over, on failure as well.
 *
 * random   borrowed; nonces, key agreement
 * Errors   KP_EIO the key does not answer INIT
 */
int kp_driver_open_libfido2(struct kp_seam seam, struct kp_random *random,
        struct kp_driver *ret, struct kp_error *err) KP_MUST_CHECK;
int kp_driver_open_ctap(struct kp_seam seam, struct kp_random *random,
        struct kp_driver *ret, struct kp_error *err) KP_MUST_CHECK;
void kp_driver_close(struct kp_driver *driver); /* { 0 }-safe, leaves { 0 } */

#endif
