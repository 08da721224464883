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

struct ceremony {
        const struct kp_rp_expectation *expect;
        const struct kp_rp_credential *stored; /* authentication */
        const char *usual_type;                /* "webauthn.create" or "webauthn.get" */
        bool strict;

        unsigned parts;   /* that could be read */
        char why[200];    /* set by the check that refuses */
        bool unsupported; /* set with it: we only do not know */

        const json_t *form; /* as the caller got it */
        bool level3;        /* and as a Level 3 client writes it */
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
        X509 *chain[CHAIN_MAX]; /* trust path, leaf first */
        size_t n_chain;
        const char *type; /* "none", "self", "uncertain" */

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
 * The bytes of a base64url member of `response`. Lenient: other alphabets, padding and
 * foreign characters are read over.
 */
bool kp_rp_member_bytes(struct ceremony *c, const json_t *object, const char *name,
        struct kp_buf *ret, char why[200]);

/* form.c: what both ceremonies share */
void kp_rp_decode_form(struct ceremony *c);
bool kp_rp_check_form(struct ceremony *c);
bool kp_rp_check_extension_results(struct ceremony *c);
bool kp_rp_check_rp_id_hash(struct ceremony *c);
bool kp_rp_check_user_present(struct ceremony *c);
bool kp_rp_check_user_verified(struct ceremony *c);
bool kp_rp_check_backup_flags(struct ceremony *c);
void kp_rp_decode_authdata(struct ceremony *c);

/* client_data.c */
void kp_rp_decode_client_data(struct ceremony *c);
bool kp_rp_check_client_data(struct ceremony *c);
bool kp_rp_check_type(struct ceremony *c);
bool kp_rp_check_challenge(struct ceremony *c);
bool kp_rp_check_origin(struct ceremony *c);
bool kp_rp_check_cross_origin(struct ceremony *c);
bool kp_rp_check_top_origin(struct ceremony *c);

/* attestation.c */
struct attestation_format {
        const char *name;
        bool (*verify)(struct ceremony *c); /* NULL: registered, not verified here */
};
const struct attestation_format *kp_rp_attestation_format_find(
        const char *name, size_t name_len);
bool kp_rp_attestation_none(struct ceremony *c);
bool kp_rp_attestation_packed(struct ceremony *c);
bool kp_rp_attestation_fido_u2f(struct ceremony *c);

/* The signature over authenticator data and client data hash, as attestations sign. */
bool kp_rp_attestation_signed(struct ceremony *c, int alg, EVP_PKEY *key,
        const uint8_t *signature, size_t signature_len);
/* The member as bytes; a refusal otherwise. */
bool kp_rp_statement_bytes(
        struct ceremony *c, const char *name, const uint8_t **ret, size_t *ret_len);
/* Strict: exactly so many members. */
bool kp_rp_statement_size(struct ceremony *c, size_t n_wanted);
/* x5c into c->chain. */
bool kp_rp_statement_chain(struct ceremony *c);

/* certificate.c. Spec: WebAuthn L3 §8.2.1 */
bool kp_rp_certificate_packed(struct ceremony *c, X509 *leaf);

/* trust.c. Spec: WebAuthn L3 §7.1 step 24 */
bool kp_rp_check_trust(struct ceremony *c);
bool kp_rp_trust_judged(const struct ceremony *c);

#endif
