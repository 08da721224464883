/* SPDX-License-Identifier: BSD-2-Clause */
#include "oracle_judge.h"

/*
 * CTAP 2.0, for keys that speak nothing later. Two readings: its own order of steps,
 * and that of CTAP 2.1, which such keys often have already.
 */

/* ---- CTAP 2.0 §5.1 ---- */

static bool
old_empty(struct judge *j, enum rule rule)
{
        if (j->r->param != ORACLE_EMPTY || j->key->client_pin < 0)
                return false;
        if (!judge_is_touched(j))
                return judge_decide(j, rule, judge_untouched_status(j), 1);
        return judge_decide(
                j, rule, j->key->client_pin == 1 ? PIN_INVALID : PIN_NOT_SET, 1);
}

/* A pinAuth without a pinProtocol: of no supported one, or a parameter that misses. */
static bool
old_protocol(struct judge *j, enum rule rule)
{
        if (!judge_has_param(j) || judge_has_protocol(j->key, j->r->protocol))
                return false;
        if (j->r->protocol == 0)
                judge_also(j, rule, MISSING_PARAMETER, 0);
        return judge_decide(j, rule, PIN_AUTH_INVALID, 0);
}

/* Tokens of CTAP 2.0 have no permissions and no RP ID. */
static bool
old_verify(struct judge *j, enum rule rule)
{
        if (!judge_has_param(j) || !judge_has_protocol(j->key, j->r->protocol))
                return false;
        if (j->r->param == ORACLE_EMPTY || j->r->param == ORACLE_WRONG)
                return judge_decide(j, rule, PIN_AUTH_INVALID, 0);
        j->verified = true;
        return false;
}

/* A finger that does not come, or is not the right one: no text tells the two apart. */
static bool
old_consent(struct judge *j, enum rule rule, bool asked)
{
        bool given = j->uv ? j->r->finger == ORACLE_TOUCHES : judge_is_touched(j);

        if (!j->uv && !asked)
                return false;
        j->touches++;
        if (given) {
                j->verified = j->verified || j->uv;
                j->evidence = j->uv;
                return false;
        }
        if (j->uv && j->r->finger == ORACLE_WITHHOLDS)
                judge_also(j, rule, USER_ACTION_TIMEOUT, 1);
        return judge_decide(
                j, rule, j->uv ? OPERATION_DENIED : judge_untouched_status(j), -1);
}

/* The privacy of credProtect is not known to CTAP 2.0, but to its extension. */
static bool
old_mc_1(struct judge *j)
{
        return judge_is_excluded(j) &&
               judge_decide(j, OLD_MC_1, CREDENTIAL_EXCLUDED, 1);
}

static bool
old_mc_2(struct judge *j)
{
        if (judge_has_alg_entry(j->r, ORACLE_ALG_MISSING)) {
                judge_also(j, OLD_MC_2, MISSING_PARAMETER, 0);
                return judge_decide(j, OLD_MC_2, INVALID_CBOR, 0);
        }
        if (judge_has_alg_entry(j->r, ORACLE_ALG_TEXT))
                return judge_decide(j, OLD_MC_2, UNEXPECTED_TYPE, 0);
        j->alg = judge_algorithm(j->key, j->r);
        return j->alg == 0 && judge_decide(j, OLD_MC_2, UNSUPPORTED_ALGORITHM, 0);
}

static bool
old_mc_3(struct judge *j)
{
        j->uv = j->r->uv == ORACLE_TRUE;
        if ((j->uv && j->key->uv != 1) || (j->r->rk == ORACLE_TRUE && j->key->rk != 1))
                return judge_decide(j, OLD_MC_3A, UNSUPPORTED_OPTION, 0);
        return j->r->up != ORACLE_ABSENT &&
               judge_decide(j, OLD_MC_3B, INVALID_OPTION, 0);
}

/* The same for a key that already has pinAuth win over "uv", as later texts do. */
static bool
late_mc_3(struct judge *j)
{
        if (!judge_has_param(j) || j->r->uv != ORACLE_TRUE)
                return old_mc_3(j);
        if (j->r->rk == ORACLE_TRUE && j->key->rk != 1)
                return judge_decide(j, OLD_MC_3A, UNSUPPORTED_OPTION, 0);
        return j->r->up != ORACLE_ABSENT &&
               judge_decide(j, OLD_MC_3B, INVALID_OPTION, 0);
}

static bool
old_mc_4(struct judge *j)
{
        return judge_cred_protect(j, OLD_MC_4);
}

static bool
old_mc_empty(struct judge *j)
{
        return old_empty(j, OLD_MC_E);
}

static bool
old_mc_5(struct judge *j)
{
        return old_verify(j, OLD_MC_5);
}

static bool
old_mc_6(struct judge *j)
{
        return !judge_has_param(j) && j->key->client_pin == 1 &&
               judge_decide(j, OLD_MC_6, PUAT_REQUIRED, 0);
}

/* A key that takes built-in verification in place of a PIN, as later texts do. */
static bool
late_mc_6(struct judge *j)
{
        return !j->uv && old_mc_6(j);
}

static bool
old_mc_7(struct judge *j)
{
        return old_protocol(j, OLD_MC_7);
}

static bool
old_mc_8(struct judge *j)
{
        return !j->evidence && old_consent(j, OLD_MC_8, true);
}

/* Built-in verification before excludeList, as later texts have it. */
static bool
late_mc_8(struct judge *j)
{
        return j->uv && old_consent(j, OLD_MC_8, true);
}

static bool
old_mc_10(struct judge *j)
{
        return judge_store_full(
                j, OLD_MC_10, j->r->rk == ORACLE_TRUE || j->key->always_discoverable);
}

/* Parameters of later texts are not understood, and ignored. */
static bool
old_mc_11(struct judge *j)
{
        (void)judge_made(
                j, OLD_MC_11, j->r->rk == ORACLE_TRUE || j->key->always_discoverable);
        return true;
}

/* In the order of the text, and in that of CTAP 2.1, which such keys often have. */
static const struct step old_make_steps[] = { { old_mc_4 }, { old_mc_1 }, { old_mc_2 },
        { old_mc_3 }, { old_mc_empty }, { old_mc_5 }, { old_mc_6 }, { old_mc_7 },
        { old_mc_8 }, { old_mc_10 }, { old_mc_11 } };
static const struct step late_make_steps[] = { { old_mc_4 }, { old_mc_empty },
        { old_mc_7 }, { old_mc_2 }, { late_mc_3 }, { late_mc_6 }, { old_mc_5 },
        { late_mc_8 }, { old_mc_1 }, { old_mc_8 }, { old_mc_10 }, { old_mc_11 } };

/* ---- CTAP 2.0 §5.2 ---- */

static bool
old_ga_empty(struct judge *j)
{
        return old_empty(j, OLD_GA_E);
}

static bool
old_ga_2(struct judge *j)
{
        return old_verify(j, OLD_GA_2);
}

static bool
old_ga_3(struct judge *j)
{
        return old_protocol(j, OLD_GA_3);
}

static bool
old_ga_5(struct judge *j)
{
        j->uv = j->r->uv == ORACLE_TRUE;
        if (j->uv && j->key->uv != 1)
                return judge_decide(j, OLD_GA_5A, UNSUPPORTED_OPTION, 0);
        return j->r->rk != ORACLE_ABSENT &&
               judge_decide(j, OLD_GA_5B, INVALID_OPTION, 0);
}

static bool
late_ga_5(struct judge *j)
{
        if (!judge_has_param(j) || j->r->uv != ORACLE_TRUE)
                return old_ga_5(j);
        return j->r->rk != ORACLE_ABSENT &&
               judge_decide(j, OLD_GA_5B, INVALID_OPTION, 0);
}

static bool
old_ga_7(struct judge *j)
{
        return old_consent(j, OLD_GA_7, j->r->up != ORACLE_FALSE);
}

static bool
old_ga_8(struct judge *j)
{
        int newest;

        return judge_locate(j, &newest) == 0 &&
               judge_decide(j, OLD_GA_8, NO_CREDENTIALS, j->touches);
}

static bool
old_ga_9(struct judge *j)
{
        return judge_asserted(j, OLD_GA_9, OLD_GA_10, OLD_GA_10);
}

static const struct step old_get_steps[] = { { old_ga_empty }, { old_ga_2 },
        { old_ga_3 }, { old_ga_5 }, { old_ga_7 }, { old_ga_8 }, { old_ga_9 } };
static const struct step late_get_steps[] = { { old_ga_empty }, { old_ga_3 },
        { late_ga_5 }, { old_ga_2 }, { old_ga_7 }, { old_ga_8 }, { old_ga_9 } };

void
judge_make_20(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request)
{
        JUDGE_READ(ret, key, request, old_make_steps);
        JUDGE_READ(ret, key, request, late_make_steps);
}

void
judge_get_20(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request)
{
        struct oracle_request filled = *request;

        filled.list = request->list && request->n_entries > 0;
        JUDGE_READ(ret, key, &filled, old_get_steps);
        JUDGE_READ(ret, key, &filled, late_get_steps);
}
