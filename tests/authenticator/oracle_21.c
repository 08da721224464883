/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "oracle_judge.h"

/* CTAP 2.1, and what CTAP 2.2 adds to it. */

/* ---- steps of both commands, CTAP 2.1 ---- */

static bool
empty_param(struct judge *j, enum rule rule)
{
        if (j->r->param != ORACLE_EMPTY ||
                (j->key->token != 1 && j->key->client_pin < 0))
                return false;
        if (!judge_is_touched(j))
                return judge_decide(j, rule, judge_untouched_status(j), 1);
        return judge_decide(
                j, rule, j->key->client_pin == 1 ? PIN_INVALID : PIN_NOT_SET, 1);
}

static bool
protocol(struct judge *j, enum rule unsupported, enum rule absent)
{
        if (!judge_has_param(j))
                return false;
        if (j->r->protocol == 0)
                return judge_decide(j, absent, MISSING_PARAMETER, 0);
        return !judge_has_protocol(j->key, j->r->protocol) &&
               judge_decide(j, unsupported, INVALID_PARAMETER, 0);
}

/* pinUvAuthParam wins over "uv"; what is asked for must be there and set up. */
static bool
uv_option(struct judge *j, enum rule rule)
{
        j->uv = j->r->uv == ORACLE_TRUE && !judge_has_param(j);
        return j->uv && j->key->uv != 1 && judge_decide(j, rule, INVALID_OPTION, 0);
}

static bool
always_uv(struct judge *j, enum rule unprotected, enum rule unverified)
{
        if (j->key->always_uv != 1)
                return false;
        if (!judge_is_protected(j->key))
                return judge_decide(
                        j, unprotected, judge_needs_verification(j->key, false), 0);
        if (!judge_has_param(j) && j->key->uv == 1)
                j->uv = true;
        return !judge_has_param(j) && !j->uv &&
               judge_decide(j, unverified, judge_needs_verification(j->key, false), 0);
}

/* The four rules stand one after the other. */
static bool
verify(struct judge *j, enum rule first)
{
        if (!judge_has_param(j))
                return false;
        if (!judge_is_protected(j->key)) {
                judge_also(j, first, PIN_AUTH_INVALID, 0);
                return false;
        }
        switch (j->r->param) {
        case ORACLE_OTHER_RIGHT:
                return judge_decide(j, first + 2, PIN_AUTH_INVALID, 0);
        case ORACLE_OTHER_RP:
                return judge_decide(j, first + 3, PIN_AUTH_INVALID, 0);
        case ORACLE_TOKEN:
                j->verified = true;
                return false;
        default:
                return judge_decide(j, first + 1, PIN_AUTH_INVALID, 0);
        }
}

static bool
built_in(struct judge *j, enum rule rule)
{
        if (!j->uv)
                return false;
        switch (j->r->finger) {
        case ORACLE_TOUCHES:
                j->verified = j->evidence = true;
                j->touches++;
                return false;
        case ORACLE_WITHHOLDS:
                return judge_decide(j, rule, USER_ACTION_TIMEOUT, 1);
        default:
                break;
        }
        if (j->r->finger == ORACLE_WRONG_FINGER &&
                judge_needs_verification(j->key, true) == OPERATION_DENIED)
                judge_also(j, rule, PIN_BLOCKED, -1); /* if that was the last try */
        return judge_decide(j, rule, judge_needs_verification(j->key, true), -1);
}

static bool
touch(struct judge *j, enum rule rule)
{
        if (j->evidence)
                return false;
        j->touches++;
        return !judge_is_touched(j) &&
               judge_decide(j, rule, judge_untouched_status(j), 1);
}

/* ---- authenticatorMakeCredential, CTAP 2.1 §6.1.2 ---- */

static bool
mc_1(struct judge *j)
{
        return empty_param(j, MC_1);
}

static bool
mc_2(struct judge *j)
{
        return protocol(j, MC_2_1, MC_2_2);
}

/* All elements are looked at, also after one was chosen. */
static bool
mc_3(struct judge *j)
{
        if (judge_has_alg_entry(j->r, ORACLE_ALG_MISSING)) {
                judge_also(j, MC_3_1, MISSING_PARAMETER, 0);
                return judge_decide(j, MC_3_1, INVALID_CBOR, 0);
        }
        if (judge_has_alg_entry(j->r, ORACLE_ALG_TEXT))
                return judge_decide(j, MC_3_1, UNEXPECTED_TYPE, 0);
        j->alg = judge_algorithm(j->key, j->r);
        return j->alg == 0 && judge_decide(j, MC_3_2, UNSUPPORTED_ALGORITHM, 0);
}

static bool
mc_5(struct judge *j)
{
        if (uv_option(j, MC_5_UV))
                return true;
        if ((j->r->rk != ORACLE_ABSENT && j->key->rk < 0) ||
                (j->r->rk == ORACLE_TRUE && j->key->rk == 0))
                return judge_decide(j, MC_5_RK, UNSUPPORTED_OPTION, 0);
        return j->r->up == ORACLE_FALSE && judge_decide(j, MC_5_UP, INVALID_OPTION, 0);
}

static bool
mc_6(struct judge *j)
{
        return always_uv(j, MC_6_2, MC_6_4);
}

/* alwaysUv has makeCredUvNotRqd treated as false. */
static bool
mc_7_8(struct judge *j)
{
        bool not_required = j->key->uv_not_rqd == 1 && j->key->always_uv != 1;

        if (!judge_is_protected(j->key) || j->uv || judge_has_param(j))
                return false;
        if (!not_required)
                return judge_decide(j, MC_8, judge_needs_verification(j->key, true), 0);
        return j->r->rk == ORACLE_TRUE &&
               judge_decide(j, MC_7, judge_needs_verification(j->key, true), 0);
}

static bool
mc_9(struct judge *j)
{
        if (j->r->enterprise < 0)
                return false;
        if (j->key->ep != 1)
                return judge_decide(j, MC_9_1, INVALID_PARAMETER, 0);
        return (j->r->enterprise < 1 || j->r->enterprise > 2) &&
               judge_decide(j, MC_9_2_1, INVALID_OPTION, 0);
}

static bool
mc_11_1(struct judge *j)
{
        return verify(j, MC_11);
}

static bool
mc_11_2(struct judge *j)
{
        return built_in(j, MC_11_2);
}

/* Whether the touch comes or not, what follows is the same. */
static bool
mc_12(struct judge *j)
{
        return judge_is_excluded(j) && judge_decide(j, MC_12, CREDENTIAL_EXCLUDED, 1);
}

static bool
mc_14(struct judge *j)
{
        return touch(j, MC_14);
}

static bool
mc_15(struct judge *j)
{
        return judge_cred_protect(j, MC_15);
}

static bool
mc_17_4(struct judge *j)
{
        return judge_store_full(j, MC_17_4, j->r->rk == ORACLE_TRUE);
}

/* Spec: WebAuthn L3 §8.3, §8.6: not every format can tell of every key. */
static bool
can_attest(const char *format, int alg)
{
        if (strcmp(format, "fido-u2f") == 0)
                return alg == ES256;
        return strcmp(format, "tpm") != 0 || alg != EDDSA;
}

/* The format of lowest index that the key supports; NULL: any will do. */
static const char *
preferred(const struct judge *j)
{
        const struct oracle_key *key = j->key;

        for (size_t i = 0; i < 3 && j->r->formats[i] != NULL; i++)
                for (size_t k = 0; k < ORACLE_FORMATS && key->formats[k] != NULL; k++)
                        if (strcmp(key->formats[k], j->r->formats[i]) == 0 &&
                                can_attest(key->formats[k], j->alg))
                                return key->formats[k];
        return NULL;
}

/* A key that does not tell attestationFormats may know the parameter or not. */
static bool
mc_19(struct judge *j)
{
        const struct oracle_request *r = j->r;
        bool several = j->key->formats[0] != NULL;
        struct oracle_verdict plain;

        (void)judge_made(j, r->rk == ORACLE_TRUE ? MC_17 : MC_18, r->rk == ORACLE_TRUE);
        if (!r->formats_asked || r->formats[0] == NULL || j->v.enterprise != 0)
                return true;
        if (strcmp(r->formats[0], "none") == 0 && r->formats[1] == NULL) {
                plain = j->v;
                if (!several)
                        judge_add(j->answer, &plain);
                j->v.rule = MC_19;
                j->v.format = "none";
                j->v.no_statement = true;
                return true;
        }
        if (several) {
                j->v.rule = MC_19_1;
                j->v.format = preferred(j);
        }
        return true;
}

static const struct step make_steps[] = { { mc_15 }, { mc_1 }, { mc_2 }, { mc_3 },
        { mc_5 }, { mc_6 }, { mc_7_8 }, { mc_9 }, { mc_11_1 }, { mc_11_2 }, { mc_12 },
        { mc_14 }, { mc_17_4 }, { mc_19 } };

/* ---- authenticatorGetAssertion, CTAP 2.1 §6.2.2 ---- */

static bool
ga_1(struct judge *j)
{
        return empty_param(j, GA_1);
}

static bool
ga_2(struct judge *j)
{
        return protocol(j, GA_2_1, GA_2_2);
}

static bool
ga_4(struct judge *j)
{
        if (uv_option(j, GA_4_UV))
                return true;
        return j->r->rk != ORACLE_ABSENT &&
               judge_decide(j, GA_4_RK, UNSUPPORTED_OPTION, 0);
}

static bool
ga_5(struct judge *j)
{
        return j->r->up != ORACLE_FALSE && always_uv(j, GA_5_1, GA_5_5);
}

static bool
ga_6_1(struct judge *j)
{
        return verify(j, GA_6);
}

static bool
ga_6_2(struct judge *j)
{
        return built_in(j, GA_6_2);
}

/*
 * By CTAP 2.1 the answer comes at once. CTAP 2.0 has the touch first, for the person's
 * privacy, and a key that speaks both may do so still.
 */
static bool
ga_7(struct judge *j)
{
        int newest;

        if (judge_locate(j, &newest) > 0)
                return false;
        if (j->r->up != ORACLE_FALSE && !j->evidence)
                judge_also(j, GA_7_T,
                        judge_is_touched(j) ? NO_CREDENTIALS
                                            : judge_untouched_status(j),
                        1);
        return judge_decide(j, GA_7, NO_CREDENTIALS, j->touches);
}

static bool
ga_9(struct judge *j)
{
        return j->r->up != ORACLE_FALSE && touch(j, GA_9);
}

static bool
ga_11(struct judge *j)
{
        return judge_asserted(j, GA_11, GA_12_1, GA_12_2);
}

static const struct step get_steps[] = { { ga_1 }, { ga_2 }, { ga_4 }, { ga_5 },
        { ga_6_1 }, { ga_6_2 }, { ga_7 }, { ga_9 }, { ga_11 } };

void
judge_make_21(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request)
{
        JUDGE_READ(ret, key, request, make_steps);
}

/* An empty allowList is not absent, but lists nothing: both are read. */
void
judge_get_21(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request)
{
        struct oracle_request absent = *request;

        JUDGE_READ(ret, key, request, get_steps);
        absent.list = request->list && request->n_entries > 0;
        if (absent.list != request->list)
                JUDGE_READ(ret, key, &absent, get_steps);
}
