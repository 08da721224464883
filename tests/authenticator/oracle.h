/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_ORACLE_H
#define KEYPILOT_TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a key must answer to authenticatorMakeCredential and authenticatorGetAssertion,
 * written from the text of the specification and from nothing else: it shares no code
 * and no header with the key. Plain data in, plain data out.
 *
 * Where the text leaves room, or where a key speaks only CTAP 2.0 and the order of its
 * steps is not that of later texts, there are several verdicts; each is complete, and
 * the key must fulfil one of them entirely.
 *
 * Spec: CTAP 2.0 §5.1, §5.2; CTAP 2.1 §6.1.2, §6.2.2; CTAP 2.2 §6.1.2 step 19
 */
#define ORACLE_FORMATS 6
#define ORACLE_LIST 4
#define ORACLE_VERDICTS 6

/* A key as its getInfo and the person's own knowledge describe it. */
struct oracle_key {
        bool ctap21; /* tells FIDO_2_1 or later; otherwise CTAP 2.0 is its text */
        /* options: 1, 0, -1 absent */
        int rk, uv, client_pin, token, always_uv, uv_not_rqd, no_mc_ga, ep;
        int protocols[2];
        size_t n_protocols;
        int algs[8];
        size_t n_algs;
        bool cred_protect, hmac_secret;      /* extensions */
        const char *format;                  /* of the attestation nobody chose */
        const char *formats[ORACLE_FORMATS]; /* attestationFormats; [0] NULL: one */
        int64_t places_left;                 /* for discoverable credentials */
        bool always_discoverable;            /* CTAP 2.0 only: whatever "rk" says */
        uint8_t untouched;                   /* status when nobody touches it */
};

enum oracle_option { ORACLE_ABSENT, ORACLE_FALSE, ORACLE_TRUE };

/* pinUvAuthParam. */
enum oracle_param {
        ORACLE_NO_PARAM,
        ORACLE_EMPTY,
        ORACLE_TOKEN,       /* made with a token that may do this, here */
        ORACLE_WRONG,       /* one bit is wrong */
        ORACLE_OTHER_RIGHT, /* the token lacks the permission */
        ORACLE_OTHER_RP,    /* the token is for another RP ID */
};

enum oracle_finger {
        ORACLE_TOUCHES,
        ORACLE_REFUSES,
        ORACLE_WITHHOLDS,
        ORACLE_WRONG_FINGER,
};

/* Entries of pubKeyCredParams that are no algorithm. */
#define ORACLE_ALG_END 0
#define ORACLE_ALG_MISSING 1    /* an element without "alg" */
#define ORACLE_ALG_TEXT 2       /* "alg" is a text */
#define ORACLE_ALG_OTHER_TYPE 3 /* ES256, but of a type that nobody knows */

/* A credential of the RP ID that is asked about, oldest first. */
struct oracle_credential {
        bool discoverable;
        int cred_protect; /* 1 to 3 */
};
#define ORACLE_MISS (-1)    /* a list entry that no credential of the key has */
#define ORACLE_FOREIGN (-2) /* credential 0, but with another type */

struct oracle_request {
        enum oracle_option rk, uv, up;
        enum oracle_param param;
        int protocol; /* 0: absent */
        enum oracle_finger finger;
        bool list;                /* excludeList or allowList is there */
        int entries[ORACLE_LIST]; /* indexes of credentials, or the two above */
        size_t n_entries;
        const struct oracle_credential *credentials;
        size_t n_credentials;

        /* authenticatorMakeCredential */
        int algs[4];
        bool cred_protect_asked;
        int cred_protect;
        bool hmac_secret_asked;
        bool formats_asked; /* attestationFormatsPreference is there */
        const char *formats[3];
        int enterprise; /* -1: absent */
};

/* One complete answer. */
struct oracle_verdict {
        size_t rule; /* of oracle_rules[]: the one that decided */
        uint8_t status;
        int touches; /* how often the person is asked for a finger; -1: not told */

        /* when the status is 0 */
        bool up, uv, at; /* ED: an extension has an output */
        int alg;
        int discoverable; /* 1, 0 */
        int cred_protect; /* output; 0: none; -1: 1 to 3 or none */
        bool hmac_secret;
        const char *format;
        bool no_statement;   /* the statement is empty, or not there */
        int enterprise;      /* epAtt: 0 not true, -1 either */
        int credential;      /* the one that asserts; -1: any of the list */
        size_t n_applicable; /* of numberOfCredentials; 1: member not there */
        int user;            /* 1 must be told, 0 must not, -1 either */
};

struct oracle_answer {
        struct oracle_verdict may[ORACLE_VERDICTS];
        size_t n;
};

void oracle_make(const struct oracle_key *key, const struct oracle_request *request,
        struct oracle_answer *ret);
void oracle_get(const struct oracle_key *key, const struct oracle_request *request,
        struct oracle_answer *ret);

/* Every rule, in the order of the text. */
struct oracle_rule {
        const char *spec;  /* "CTAP 2.1 §6.1.2 step 5" */
        const char *about; /* one English clause */
};
extern const struct oracle_rule oracle_rules[];
extern const size_t oracle_n_rules;

#endif
