/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_ORACLE_JUDGE_H
#define KEYPILOT_TESTS_ORACLE_JUDGE_H

#include "oracle.h"

/* The inside of the oracle: its rules, and what both texts have in common. */

/* Status codes by their own numbers. Spec: CTAP 2.1 §8.2 */
enum {
        OK = 0x00,
        INVALID_PARAMETER = 0x02,
        UNEXPECTED_TYPE = 0x11,
        INVALID_CBOR = 0x12,
        MISSING_PARAMETER = 0x14,
        CREDENTIAL_EXCLUDED = 0x19,
        UNSUPPORTED_ALGORITHM = 0x26,
        OPERATION_DENIED = 0x27,
        KEY_STORE_FULL = 0x28,
        UNSUPPORTED_OPTION = 0x2b,
        INVALID_OPTION = 0x2c,
        NO_CREDENTIALS = 0x2e,
        USER_ACTION_TIMEOUT = 0x2f,
        PIN_INVALID = 0x31,
        PIN_BLOCKED = 0x32,
        PIN_AUTH_INVALID = 0x33,
        PIN_NOT_SET = 0x35,
        PUAT_REQUIRED = 0x36, /* PIN_REQUIRED in CTAP 2.0 */
};
#define ES256 (-7)
#define EDDSA (-8)

/* Spec table: CTAP 2.1 §6.1.2 and §6.2.2 in order, then CTAP 2.0 §5.1 and §5.2. */
/* clang-format off */
#define RULES(R)                                                                       \
        R(MC_1,     "CTAP 2.1 §6.1.2 step 1",    "an empty pinUvAuthParam asks for a touch, then PIN_INVALID or PIN_NOT_SET") \
        R(MC_2_1,   "CTAP 2.1 §6.1.2 step 2.1",  "pinUvAuthProtocol is not supported")    \
        R(MC_2_2,   "CTAP 2.1 §6.1.2 step 2.2",  "pinUvAuthProtocol is absent")           \
        R(MC_3_1,   "CTAP 2.1 §6.1.2 step 3.1",  "an element of pubKeyCredParams is malformed, wherever it stands") \
        R(MC_3_2,   "CTAP 2.1 §6.1.2 step 3.2",  "no algorithm of the list is supported") \
        R(MC_5_UV,  "CTAP 2.1 §6.1.2 step 5, uv", "built-in verification is asked for and not there, or not set up") \
        R(MC_5_RK,  "CTAP 2.1 §6.1.2 step 5, rk", "rk is asked for and not supported")     \
        R(MC_5_UP,  "CTAP 2.1 §6.1.2 step 5, up", "up is false")                          \
        R(MC_6_2,   "CTAP 2.1 §6.1.2 step 6.2",  "alwaysUv, and nothing to verify with")   \
        R(MC_6_4,   "CTAP 2.1 §6.1.2 step 6.4",  "alwaysUv, and no verification in the request") \
        R(MC_7,     "CTAP 2.1 §6.1.2 step 7",    "a discoverable credential needs verification") \
        R(MC_8,     "CTAP 2.1 §6.1.2 step 8",    "any credential needs verification without makeCredUvNotRqd") \
        R(MC_9_1,   "CTAP 2.1 §6.1.2 step 9.1",  "enterprise attestation is not there, or off") \
        R(MC_9_2_1, "CTAP 2.1 §6.1.2 step 9.2.1", "enterpriseAttestation is neither 1 nor 2") \
        R(MC_11,    "CTAP 2.1 §6.1.2 step 11; CTAP 2.0 §5.1 step 5", "a pinUvAuthParam where nothing protects the key: passed over by 2.1, refused by 2.0") \
        R(MC_11_1A, "CTAP 2.1 §6.1.2 step 11.1, verify", "pinUvAuthParam is not right")        \
        R(MC_11_1B, "CTAP 2.1 §6.1.2 step 11.1, permission", "the token lacks mc")         \
        R(MC_11_1C, "CTAP 2.1 §6.1.2 step 11.1, RP ID", "the token is for another RP ID")  \
        R(MC_11_2,  "CTAP 2.1 §6.1.2 step 11.2", "built-in verification fails")           \
        R(MC_12,    "CTAP 2.1 §6.1.2 step 12",   "a credential of excludeList is here, and may be known") \
        R(MC_14,    "CTAP 2.1 §6.1.2 step 14",   "nobody touches, or refuses to")         \
        R(MC_15,    "CTAP 2.1 §6.1.2 step 15; §12.1", "credProtect has no such level: refused, or a level that is told") \
        R(MC_17_4,  "CTAP 2.1 §6.1.2 step 17.4", "no place for a discoverable credential")  \
        R(MC_17,    "CTAP 2.1 §6.1.2 step 17",   "a discoverable credential")             \
        R(MC_18,    "CTAP 2.1 §6.1.2 step 18",   "a credential that is not discoverable")  \
        R(MC_19,    "CTAP 2.2 §6.1.2 step 19",   "attestationFormatsPreference is only \"none\": no attestation") \
        R(MC_19_1,  "CTAP 2.2 §6.1.2 step 19",   "the first format of the list that is supported") \
        R(GA_1,     "CTAP 2.1 §6.2.2 step 1",    "an empty pinUvAuthParam asks for a touch, then PIN_INVALID or PIN_NOT_SET") \
        R(GA_2_1,   "CTAP 2.1 §6.2.2 step 2.1",  "pinUvAuthProtocol is not supported")    \
        R(GA_2_2,   "CTAP 2.1 §6.2.2 step 2.2",  "pinUvAuthProtocol is absent")           \
        R(GA_4_UV,  "CTAP 2.1 §6.2.2 step 4, uv", "built-in verification is asked for and not there, or not set up") \
        R(GA_4_RK,  "CTAP 2.1 §6.2.2 step 4, rk", "rk is present")                         \
        R(GA_5_1,   "CTAP 2.1 §6.2.2 step 5.1",  "alwaysUv, a touch, and nothing to verify with") \
        R(GA_5_5,   "CTAP 2.1 §6.2.2 step 5.5",  "alwaysUv, a touch, and no verification in the request") \
        R(GA_6,     "CTAP 2.1 §6.2.2 step 6; CTAP 2.0 §5.2 step 2", "a pinUvAuthParam where nothing protects the key: passed over by 2.1, refused by 2.0") \
        R(GA_6_1A,  "CTAP 2.1 §6.2.2 step 6.1, verify", "pinUvAuthParam is not right")         \
        R(GA_6_1B,  "CTAP 2.1 §6.2.2 step 6.1, permission", "the token lacks ga")          \
        R(GA_6_1C,  "CTAP 2.1 §6.2.2 step 6.1, RP ID", "the token is for another RP ID")   \
        R(GA_6_2,   "CTAP 2.1 §6.2.2 step 6.2",  "built-in verification fails")           \
        R(GA_7,     "CTAP 2.1 §6.2.2 step 7",    "no credential is applicable")           \
        R(GA_7_T,   "CTAP 2.0 §5.2 step 7",      "existence is not disclosed before the person has touched") \
        R(GA_9,     "CTAP 2.1 §6.2.2 step 9",    "nobody touches, or refuses to")         \
        R(GA_11,    "CTAP 2.1 §6.2.2 step 11",   "any applicable credential of allowList") \
        R(GA_12_1,  "CTAP 2.1 §6.2.2 step 12.1", "the one discoverable credential")        \
        R(GA_12_2,  "CTAP 2.1 §6.2.2 step 12.2", "the newest of several discoverable credentials, and their number") \
        R(OLD_MC_1, "CTAP 2.0 §5.1 step 1",      "a credential of excludeList is here")    \
        R(OLD_MC_2, "CTAP 2.0 §5.1 step 2",      "no algorithm of the list is supported, or an element is malformed") \
        R(OLD_MC_3A, "CTAP 2.0 §5.1 step 3",     "an option that is not supported")        \
        R(OLD_MC_3B, "CTAP 2.0 §5.1 step 3",     "an option that is not valid for this command") \
        R(OLD_MC_4, "CTAP 2.0 §5.1 step 4",      "credProtect has no such level: refused, or a level that is told") \
        R(OLD_MC_E, "CTAP 2.0 §5.5.8.1",         "an empty pinAuth asks for a touch, then PIN_INVALID or PIN_NOT_SET") \
        R(OLD_MC_5, "CTAP 2.0 §5.1 step 5",      "pinAuth is not right")                  \
        R(OLD_MC_6, "CTAP 2.0 §5.1 step 6",      "no pinAuth, and a PIN is set")           \
        R(OLD_MC_7, "CTAP 2.0 §5.1 step 7",      "pinProtocol is not supported")          \
        R(OLD_MC_8, "CTAP 2.0 §5.1 step 8",      "nobody touches, or refuses to, or is not the right one") \
        R(OLD_MC_10, "CTAP 2.0 §5.1 step 10",    "no place for a discoverable credential")  \
        R(OLD_MC_11, "CTAP 2.0 §5.1 step 11",    "a credential")                          \
        R(OLD_GA_E, "CTAP 2.0 §5.5.8.2",         "an empty pinAuth asks for a touch, then PIN_INVALID or PIN_NOT_SET") \
        R(OLD_GA_2, "CTAP 2.0 §5.2 step 2",      "pinAuth is not right")                  \
        R(OLD_GA_3, "CTAP 2.0 §5.2 step 3",      "pinProtocol is not supported")          \
        R(OLD_GA_5A, "CTAP 2.0 §5.2 step 5",     "an option that is not supported")        \
        R(OLD_GA_5B, "CTAP 2.0 §5.2 step 5",     "an option that is not valid for this command") \
        R(OLD_GA_7, "CTAP 2.0 §5.2 step 7",      "nobody touches, or refuses to, or is not the right one") \
        R(OLD_GA_8, "CTAP 2.0 §5.2 step 8",      "no credential was located, told after the touch") \
        R(OLD_GA_9, "CTAP 2.0 §5.2 step 9",      "any credential of allowList")            \
        R(OLD_GA_10, "CTAP 2.0 §5.2 step 10",    "the newest credential, and their number")
/* clang-format on */

#define RULE_NAME(name, spec, about) name,
enum rule { RULES(RULE_NAME) };

/* One reading of the text for one request. */
struct judge {
        const struct oracle_key *key;
        const struct oracle_request *r;
        struct oracle_answer *answer;
        bool uv;          /* the option, after defaults and precedence */
        bool verified;    /* the "uv" bit */
        bool evidence;    /* of interaction, from built-in verification */
        int touches;      /* asked so far */
        int alg;          /* chosen */
        bool blind_level; /* credProtect out of range was not refused */
        struct oracle_verdict v;
};
/* A step decides, and fills in the verdict, or lets the request go on. */
struct step {
        bool (*decides)(struct judge *j);
};

/* What both texts have (oracle.c). judge_decide() is always true: a step ends with it. */
bool judge_decide(struct judge *j, enum rule rule, uint8_t status, int touches);
void judge_add(struct oracle_answer *answer, const struct oracle_verdict *verdict);
void judge_also(struct judge *j, enum rule rule, uint8_t status, int touches);
bool judge_has_protocol(const struct oracle_key *key, int protocol);
bool judge_has_param(const struct judge *j);
uint8_t judge_untouched_status(const struct judge *j);
bool judge_is_touched(const struct judge *j);
int judge_algorithm(const struct oracle_key *key, const struct oracle_request *r);
bool judge_has_alg_entry(const struct oracle_request *r, int entry);
bool judge_is_excluded(const struct judge *j);
bool judge_cred_protect(struct judge *j, enum rule rule);
bool judge_store_full(struct judge *j, enum rule rule, bool discoverable);
bool judge_made(struct judge *j, enum rule rule, bool discoverable);
size_t judge_locate(const struct judge *j, int *ret_newest);
bool judge_asserted(
        struct judge *j, enum rule listed, enum rule one, enum rule several);
bool judge_is_protected(const struct oracle_key *key);
uint8_t judge_needs_verification(const struct oracle_key *key, bool if_set);
const struct oracle_credential *judge_denoted(const struct oracle_request *r, size_t i);

/* Read the steps in their order until one decides. */
void judge_read(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request, const struct step *steps, size_t n_steps);
void judge_make_21(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request);
void judge_get_21(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request);
void judge_make_20(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request);
void judge_get_20(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request);
#define JUDGE_READ(ret, key, request, steps)                                           \
        judge_read(ret, key, request, steps, sizeof(steps) / sizeof((steps)[0]))

#endif
