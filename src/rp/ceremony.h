/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_RP_CEREMONY_H
#define KEYPILOT_RP_CEREMONY_H

#include <cbor.h>
#include <openssl/evp.h>

#include "keypilot/codec/hash.h"
#include "keypilot/rp/rp.h"

/*
 * One ceremony under judgement. First everything is decoded that can be decoded, then
 * the checks run in the order of the specification and say what they think of it.
 */

/* What must have been read before a check makes sense. */
enum part {
        PART_FORM = 0x01,        /* the JSON form around everything */
        PART_CLIENT_DATA = 0x02, /* clientDataJSON, parsed */
        PART_ATTESTATION = 0x04, /* attestationObject, decoded */
        PART_AUTHDATA = 0x08,
        PART_ATTESTED = 0x10,  /* attested credential data */
        PART_KEY = 0x20,       /* credential public key, in OpenSSL */
        PART_FORMAT = 0x40,    /* a format that we verify */
        PART_STATEMENT = 0x80, /* its statement verified */
        PART_SIGNATURE = 0x100,
};

#define CHAIN_MAX 8
#define STATEMENTS_MAX 8 /* of a compound statement */

/* What an attestation statement brings along to be trusted: leaf first. */
struct trust_path {
        X509 *chain[CHAIN_MAX];
        size_t n_chain;
};
void kp_rp_path_clear(struct trust_path *path);

struct ceremony {
        const struct kp_rp_expectation *expect;
        const struct kp_rp_credential *stored; /* authentication */
        const char *usual_type;                /* "webauthn.create" or "webauthn.get" */
        bool strict;

        unsigned parts;   /* that could be read */
        char why[200];    /* set by the check that refuses */
        bool warned;      /* set by one that only warns, with `why` */
        bool unsupported; /* set with it: we only do not know */

        const json_t *form;                      /* as the caller got it */
        const struct kp_rp_assertion *assertion; /* in its stead */
        bool level3;                             /* and as a Level 3 client writes it */
        const json_t *response;
        struct kp_buf id;

        struct kp_buf client_bytes;
        uint8_t client_hash[KP_SHA256_LEN];
        json_t *client;
        char client_why[200]; /* why there is no PART_CLIENT_DATA; the same below */

        struct kp_buf attestation_bytes;
        cbor_item_t *attestation;
        char attestation_why[200];

        struct kp_buf auth_bytes;
        struct kp_authdata auth; /* points into auth_bytes */
        char auth_why[200];

        EVP_PKEY *key;
        int alg;
        bool alg_known;       /* the key names an algorithm */
        bool alg_unsupported; /* which we do not verify */
        char key_why[200];

        const cbor_item_t *statement;
        const struct attestation_format *format;
        struct trust_path path; /* of the statement that is being verified */
        struct trust_path kept[STATEMENTS_MAX]; /* of the parts of a compound one */
        size_t n_kept;
        struct kp_rp_expectation *widened; /* by anchors from metadata, registration */
        X509 *anchors[16];                 /* those */
        size_t n_anchors;
        const char
                *type; /* as in struct kp_rp_credential, but never "basic" by trust */
        bool trusted;  /* the trust path was judged, and leads to an anchor */

        struct kp_buf signature;
        struct kp_buf user_handle;
        bool has_user_handle;
};
void kp_rp_ceremony_done(struct ceremony *c);

struct check {
        const char *id;
        const char *spec;
        unsigned needs; /* parts; without them the check is passed over */
        bool (*holds)(struct ceremony *c);
};

/* Run the checks in order; the first refusal ends it unless `all`. */
void kp_rp_ceremony_judge(struct ceremony *c, const struct check *checks,
        size_t n_checks, bool all, struct kp_rp_result *ret);

/* Note the reason. Evaluates to false. */
bool kp_rp_refuse(struct ceremony *c, const char *format, ...) KP_PRINTF(2, 3);

/*
 * The same as a policy has it: refused (false), or let pass, with a warning or without.
 *
 * usual    what the mode makes of KP_RP_AS_MODE
 */
bool kp_rp_react(struct ceremony *c, enum kp_rp_reaction reaction,
        enum kp_rp_reaction usual, const char *format, ...) KP_PRINTF(4, 5);

/*
 * The bytes of a base64url member of `response`. Lenient: other alphabets, padding and
 * foreign characters are read over.
 */
bool kp_rp_member_bytes(struct ceremony *c, const json_t *object, const char *name,
        struct kp_buf *ret, char why[200]);

/* form.c: what both ceremonies share */
void kp_rp_decode_form(struct ceremony *c);
bool kp_rp_check_form(struct ceremony *c);
const json_t *kp_rp_extension_results(const struct ceremony *c); /* NULL: none */
bool kp_rp_check_extension_results(struct ceremony *c);
bool kp_rp_check_rp_id_hash(struct ceremony *c);
bool kp_rp_check_user_present(struct ceremony *c);
bool kp_rp_check_user_verified(struct ceremony *c);
bool kp_rp_check_backup_flags(struct ceremony *c);
void kp_rp_decode_authdata(struct ceremony *c);

/* policy.c: what is left to the relying party */
bool kp_rp_check_backup_eligible(struct ceremony *c);
bool kp_rp_check_backed_up(struct ceremony *c);
bool kp_rp_check_extensions(struct ceremony *c);
bool kp_rp_check_discoverable(struct ceremony *c);
bool kp_rp_check_attestation_format(struct ceremony *c);
bool kp_rp_check_attestation_type(struct ceremony *c);
bool kp_rp_check_aaguid(struct ceremony *c);

/* mds_judge.c */
bool kp_rp_check_metadata(struct ceremony *c);

/* client_data_limited.c: the client data, or NULL and why. Spec: §5.8.1.2 */
json_t *kp_rp_client_data_limited(
        const struct ceremony *c, const struct kp_buf *text, char why[200]);

/* client_data.c */
void kp_rp_decode_client_data(struct ceremony *c);
bool kp_rp_check_client_data(struct ceremony *c);
bool kp_rp_check_type(struct ceremony *c);
bool kp_rp_check_challenge(struct ceremony *c);
bool kp_rp_check_challenge_fresh(struct ceremony *c);
bool kp_rp_check_origin(struct ceremony *c);
bool kp_rp_check_cross_origin(struct ceremony *c);
bool kp_rp_check_top_origin(struct ceremony *c);

#endif
