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

/* Which makers of a TPM are known. Spec: TCG Vendor ID Registry */
enum kp_rp_tpm_makers {
        KP_TPM_MAKERS_LISTED, /* strict: those of the registry; lenient: any */
        KP_TPM_MAKERS_TEST,   /* and FFFFF1D0, of FIDO's conformance tests */
        KP_TPM_MAKERS_ANY,
};

/* What the specification leaves to a relying party when it verifies a statement. */
struct kp_rp_attestation_policy {
        enum kp_rp_tpm_makers tpm_makers;
        bool android_tee_only;     /* §8.4: only keys of a trusted environment */
        bool safetynet_any_device; /* ctsProfileMatch may be false */
        int64_t safetynet_age_ms; /* older responses are refused; 0: any, as with now_ms 0 */
        bool compound_any;        /* §8.9: one part that verifies is enough, not all */
};

/* What to do about something that a relying party decides by itself. */
enum kp_rp_reaction {
        KP_RP_AS_MODE, /* what the mode says: told beside each */
        KP_RP_IGNORE,
        KP_RP_WARN, /* accepted, and told in the result's warnings */
        KP_RP_REFUSE,
};

/* What must hold of something that may be either way. */
enum kp_rp_wish { KP_RP_ANY, KP_RP_YES, KP_RP_NO };

/* AAGUIDs of a policy. */
#define KP_RP_AAGUIDS 64
struct kp_rp_aaguids {
        uint8_t items[KP_RP_AAGUIDS][16];
        size_t n_items;
};

/*
 * What the specification leaves to a relying party; all zero: what most do. Texts are
 * borrowed. Read from a file by keypilot/rp/policy.h.
 */
struct kp_rp_policy {
        enum kp_rp_reaction counter; /* not risen. As mode: strict refuses */
        enum kp_rp_reaction
                eligibility_change; /* BE since registration. As mode: refused */
        enum kp_rp_reaction unasked_extensions; /* as mode: ignored */
        enum kp_rp_reaction
                metadata_expired; /* as mode: strict refuses, lenient warns */
        enum kp_rp_wish backup_eligible, backed_up;
        bool discoverable_required;    /* refused where credProps says that it is not */
        bool user_handle_required;     /* in assertions, known user or not */
        bool limited_client_data;      /* §5.8.1.2 instead of a JSON parser */
        int64_t challenge_lifetime_ms; /* 0: for ever */
        const char *formats[8];        /* of attestation; none: any */
        size_t n_formats;
        const char *types[6]; /* "none", "self", "basic"...; none: any */
        size_t n_types;
        bool trusted_required;              /* a trust path that ends at an anchor */
        struct kp_rp_aaguids allow, refuse; /* allow none: all but those refused */
};

struct kp_rp_mds;

/* What the relying party expects. Borrowed throughout; NULL and 0: not stated. */
struct kp_rp_expectation {
        enum kp_rp_mode mode;
        const char *rp_ids[4];
        size_t n_rp_ids;
        const char *origins[8];
        size_t n_origins;
        const uint8_t *challenge;
        size_t challenge_len;
        int64_t challenge_sent_ms; /* 0: not known, and then its age is not judged */
        bool challenge_used;       /* it was answered before */
        const json_t *extensions;  /* that were asked for; NULL: none */
        struct kp_rp_policy policy;
        bool uv_required;
        bool up_not_required; /* conditional mediation, or told so */
        bool allow_cross_origin;
        const char *top_origins[4];
        size_t n_top_origins;
        int algorithms[32];
        size_t n_algorithms;           /* 0: any that we support, but none with SHA-1 */
        bool sha1_too;                 /* 0: and those with SHA-1 as well */
        const char *expected_types[4]; /* 0: "webauthn.create" or "webauthn.get" */
        size_t n_expected_types;
        X509 *anchors[16]; /* trust anchors */
        size_t n_anchors;
        X509 *issuers
                [16]; /* known intermediates: on the way to an anchor, never its end */
        size_t n_issuers;
        enum kp_rp_trust trust;
        int64_t now_ms; /* when certificate chains are judged; 0: not judged */
        /* registration */
        const json_t *registered_ids; /* array of base64url */
        bool u2f_zero_aaguid; /* U2F keys have AAGUID zero (FIDO), or any (WebAuthn) */
        struct kp_rp_attestation_policy attestation;
        const struct kp_rp_mds *metadata; /* NULL: trust anchors only */
        /* authentication */
        const json_t *allow_credentials; /* array of descriptors; NULL: any */
        const uint8_t *user_handle;      /* of the user who was identified before */
        size_t user_handle_len;
        bool discoverable;  /* the user was not known: userHandle must come */
        const char *app_id; /* extension appid was asked for with it */
};

/* Credential record. Spec: WebAuthn L3 §4 "Credential Record" */
struct kp_rp_credential {
        struct kp_buf id;
        struct kp_buf public_key; /* COSE */
        EVP_PKEY *key;            /* the same, loaded; NULL: read for each assertion */
        int alg;
        uint32_t sign_count;
        uint8_t aaguid[16];
        uint8_t flags;
        bool backup_eligible, backup_state;
        bool backup_known; /* the record says what BE was */
        bool uv;
        char format[32];  /* attestation, registration only */
        const char *type; /* "none", "self", "basic", "attca", "anonca", "uncertain" */
        bool trusted;     /* the path ends at an anchor */
};
void kp_rp_credential_done(struct kp_rp_credential *credential);

/*
 * Load the public key, once for many assertions: `key` and `alg`.
 *
 * Errors   as kp_cose_key_parse()
 */
int kp_rp_credential_load(struct kp_rp_credential *credential, enum kp_rp_mode mode,
        struct kp_error *err) KP_MUST_CHECK;

/* Refusals, in the order in which the checks ran; more than there are checks. */
#define KP_RP_REFUSALS 40
#define KP_RP_WARNINGS 4
struct kp_rp_result {
        bool accepted;
        size_t n_refusals; /* 0 when accepted; 1 unless `all` was asked */
        struct kp_rp_refusal {
                const char *id;    /* stable name of the check: "challenge"... */
                const char *check; /* "WebAuthn L3 §7.1 step 8" */
                char reason[200];  /* a sentence for people */
        } refusals[KP_RP_REFUSALS];
        size_t n_warnings; /* let pass by policy */
        struct kp_rp_refusal warnings[KP_RP_WARNINGS];
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

/* An AuthenticationResponseJSON that was read before, as bytes. Borrowed. */
struct kp_rp_assertion {
        const uint8_t *id, *client_data, *authenticator_data, *signature;
        size_t id_len, client_data_len, authenticator_data_len, signature_len;
        const uint8_t *user_handle; /* NULL: none came */
        size_t user_handle_len;
        const json_t *extension_results; /* NULL: none */
};

/* The same from parsed data: all checks but those on the JSON form. */
int kp_rp_verify_assertion(const struct kp_rp_expectation *expect,
        const struct kp_rp_credential *stored, const struct kp_rp_assertion *assertion,
        bool all, struct kp_rp_result *ret, struct kp_error *err) KP_MUST_CHECK;

#endif
