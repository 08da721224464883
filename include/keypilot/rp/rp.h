/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_RP_H
#define KEYPILOT_RP_RP_H

#include <jansson.h>
#include <openssl/x509.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/error.h"

/*
 * The WebAuthn relying party: what was expected and what came -> accepted, or the check
 * that refused it. Checks run in the order of the specification.
 * Spec: WebAuthn L3 §7.1, §7.2
 */

/*
 * Strict refuses what a relying party MUST and what it SHOULD refuse. Lenient refuses
 * what it MUST: it reads other forms of CBOR and base64, takes the last of two equal
 * members, and leaves policies (counter, attestation profile, copies in the JSON form)
 * alone.
 */
enum kp_rp_mode { KP_RP_STRICT, KP_RP_LENIENT };

enum kp_rp_trust {
        KP_TRUST_DEFAULT, /* judged where anchors are given */
        KP_TRUST_ANCHORS, /* must end at one of the anchors */
        KP_TRUST_NONE,    /* not judged */
};

/* What the relying party expects. Borrowed throughout; NULL and 0: not stated. */
struct kp_rp_expectation {
        enum kp_rp_mode mode;
        const char *rp_ids[4];
        size_t n_rp_ids;
        const char *origins[8];
        size_t n_origins;
        const uint8_t *challenge;
        size_t challenge_len;
        bool uv_required;
        bool up_not_required; /* conditional mediation, or told so */
        bool allow_cross_origin;
        const char *top_origins[4];
        size_t n_top_origins;
        int algorithms[32];
        size_t n_algorithms;           /* 0: any that we support, but none with SHA-1 */
        const char *expected_types[4]; /* 0: "webauthn.create" or "webauthn.get" */
        size_t n_expected_types;
        X509 *anchors[16]; /* trust anchors */
        size_t n_anchors;
        enum kp_rp_trust trust;
        int64_t now_ms; /* when certificate chains are judged; 0: not judged */
        /* registration */
        const json_t *registered_ids; /* array of base64url */
        bool u2f_zero_aaguid; /* U2F keys have AAGUID zero (FIDO), or any (WebAuthn) */
        /* authentication */
        const json_t *allow_credentials; /* array of descriptors; NULL: any */
        const uint8_t *user_handle;      /* of the user who was identified before */
        size_t user_handle_len;
        bool discoverable; /* the user was not known: userHandle must come */
};

/* Credential record. Spec: WebAuthn L3 §4 "Credential Record" */
struct kp_rp_credential {
        struct kp_buf id;
        struct kp_buf public_key; /* COSE */
        int alg;
        uint32_t sign_count;
        uint8_t aaguid[16];
        uint8_t flags;
        bool backup_eligible, backup_state;
        bool backup_known; /* the record says what BE was */
        bool uv;
        char format[32];  /* attestation, registration only */
        const char *type; /* "none", "self", "basic", "uncertain" */
        bool trusted;     /* the path ends at an anchor */
};
void kp_rp_credential_done(struct kp_rp_credential *credential);

/* Refusals, in the order in which the checks ran. */
#define KP_RP_REFUSALS 16
struct kp_rp_result {
        bool accepted;
        size_t n_refusals; /* 0 when accepted; 1 unless `all` was asked */
        struct kp_rp_refusal {
                const char *id;    /* stable name of the check: "challenge"... */
                const char *check; /* "WebAuthn L3 §7.1 step 8" */
                char reason[200];  /* a sentence for people */
        } refusals[KP_RP_REFUSALS];
        bool unsupported; /* refused only for a format or algorithm we do not know */
        struct kp_rp_credential credential; /* as far as it could be read */
        struct kp_buf user_handle;          /* authentication */
};
void kp_rp_result_done(struct kp_rp_result *result);

/*
 * Verify a RegistrationResponseJSON. Malformed responses are refused, not errors.
 *
 * all      go on after a refusal as far as that makes sense
 * ret      overwritten; the caller ends it with kp_rp_result_done()
 * Errors   KP_ENOMEM, KP_EBUG
 */
int kp_rp_verify_registration(const struct kp_rp_expectation *expect,
        const json_t *response, bool all, struct kp_rp_result *ret,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * Verify an AuthenticationResponseJSON against the stored record; otherwise the same.
 * The credential of the result is the record as it has to be stored now.
 */
int kp_rp_verify_authentication(const struct kp_rp_expectation *expect,
        const struct kp_rp_credential *stored, const json_t *response, bool all,
        struct kp_rp_result *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
