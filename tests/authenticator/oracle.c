/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "oracle_judge.h"

#define RULE_ROW(name, spec, about) { spec, about },
const struct oracle_rule oracle_rules[] = { RULES(RULE_ROW) };
const size_t oracle_n_rules = sizeof(oracle_rules) / sizeof(oracle_rules[0]);

bool
judge_decide(struct judge *j, enum rule rule, uint8_t status, int touches)
{
        j->v = (struct oracle_verdict){
                .rule = rule, .status = status, .touches = touches
        };
        return true;
}

/* Two readings may end alike; format names are literals or the key's own. */
static bool
is_same(const struct oracle_verdict *a, const struct oracle_verdict *b)
{
        return a->status == b->status && a->touches == b->touches && a->up == b->up &&
               a->uv == b->uv && a->discoverable == b->discoverable &&
               a->format == b->format && a->no_statement == b->no_statement &&
               a->credential == b->credential && a->n_applicable == b->n_applicable;
}

void
judge_add(struct oracle_answer *answer, const struct oracle_verdict *verdict)
{
        for (size_t i = 0; i < answer->n; i++)
                if (is_same(&answer->may[i], verdict))
                        return;
        if (answer->n < ORACLE_VERDICTS)
                answer->may[answer->n++] = *verdict;
}

/* What the text allows as well; the reading goes on. */
void
judge_also(struct judge *j, enum rule rule, uint8_t status, int touches)
{
        const struct oracle_verdict verdict = {
                .rule = rule, .status = status, .touches = touches
        };

        judge_add(j->answer, &verdict);
}

/* ---- facts ---- */

bool
judge_has_protocol(const struct oracle_key *key, int protocol)
{
        for (size_t i = 0; i < key->n_protocols; i++)
                if (key->protocols[i] == protocol)
                        return true;
        return false;
}

/* "Protected by some form of user verification": a PIN is set, or uv is set up. */
bool
judge_is_protected(const struct oracle_key *key)
{
        return key->client_pin == 1 || key->uv == 1;
}

bool
judge_has_param(const struct judge *j)
{
        return j->r->param != ORACLE_NO_PARAM;
}

/* A PIN may stand in for built-in verification, if it is set. */
uint8_t
judge_needs_verification(const struct oracle_key *key, bool if_set)
{
        bool pin = if_set ? key->client_pin == 1 : key->client_pin >= 0;

        return pin && key->no_mc_ga != 1 ? PUAT_REQUIRED : OPERATION_DENIED;
}

uint8_t
judge_untouched_status(const struct judge *j)
{
        return j->r->finger == ORACLE_REFUSES ? OPERATION_DENIED : j->key->untouched;
}

bool
judge_is_touched(const struct judge *j)
{
        return j->r->finger == ORACLE_TOUCHES || j->r->finger == ORACLE_WRONG_FINGER;
}

int
judge_algorithm(const struct oracle_key *key, const struct oracle_request *r)
{
        for (size_t i = 0; r->algs[i] != ORACLE_ALG_END; i++)
                for (size_t k = 0; k < key->n_algs; k++)
                        if (key->algs[k] == r->algs[i])
                                return r->algs[i];
        return 0;
}

bool
judge_has_alg_entry(const struct oracle_request *r, int entry)
{
        for (size_t i = 0; r->algs[i] != ORACLE_ALG_END; i++)
                if (r->algs[i] == entry)
                        return true;
        return false;
}

/* The credential that a list entry denotes; NULL: none. */
const struct oracle_credential *
judge_denoted(const struct oracle_request *r, size_t i)
{
        return r->entries[i] < 0 ? NULL : &r->credentials[r->entries[i]];
}

/* ---- what both texts have ---- */

bool
judge_is_excluded(const struct judge *j)
{
        for (size_t i = 0; i < j->r->n_entries; i++) {
                const struct oracle_credential *credential = judge_denoted(j->r, i);

                if (credential != NULL &&
                        (credential->cred_protect != 3 || j->verified))
                        return true;
        }
        return false;
}

/* No text says what a level out of range comes to, or when: only what levels exist. */
bool
judge_cred_protect(struct judge *j, enum rule rule)
{
        if (!j->r->cred_protect_asked || !j->key->cred_protect ||
                (j->r->cred_protect >= 1 && j->r->cred_protect <= 3))
                return false;
        judge_also(j, rule, INVALID_OPTION, -1);
        j->blind_level = true;
        return false;
}

bool
judge_store_full(struct judge *j, enum rule rule, bool discoverable)
{
        return discoverable && j->key->places_left <= 0 &&
               judge_decide(j, rule, KEY_STORE_FULL, j->touches);
}

bool
judge_made(struct judge *j, enum rule rule, bool discoverable)
{
        bool protect = j->r->cred_protect_asked && j->key->cred_protect;
        bool hmac = j->r->hmac_secret_asked && j->key->hmac_secret;

        (void)judge_decide(j, rule, OK, j->touches);
        j->v.up = j->v.at = true;
        j->v.uv = j->verified;
        j->v.alg = j->alg;
        j->v.discoverable = discoverable;
        j->v.cred_protect = j->blind_level ? -1 : protect ? j->r->cred_protect : 0;
        j->v.hmac_secret = hmac;
        j->v.format = j->key->format;
        j->v.enterprise = j->r->enterprise > 0 && j->key->ep == 1 ? -1 : 0;
        return true;
}

static bool
is_visible(const struct judge *j, const struct oracle_credential *credential)
{
        return j->verified || credential->cred_protect == 1 ||
               (credential->cred_protect == 2 && j->r->list);
}

/* How many are applicable, and the newest of them. */
size_t
judge_locate(const struct judge *j, int *ret_newest)
{
        size_t n = 0;

        *ret_newest = -1;
        for (size_t i = 0; j->r->list && i < j->r->n_entries; i++)
                n += judge_denoted(j->r, i) != NULL &&
                     is_visible(j, judge_denoted(j->r, i));
        for (size_t i = 0; !j->r->list && i < j->r->n_credentials; i++) {
                if (!j->r->credentials[i].discoverable ||
                        !is_visible(j, &j->r->credentials[i]))
                        continue;
                *ret_newest = (int)i;
                n++;
        }
        return n;
}

bool
judge_asserted(struct judge *j, enum rule listed, enum rule one, enum rule several)
{
        int newest;
        size_t n = judge_locate(j, &newest);

        (void)judge_decide(j,
                j->r->list ? listed
                : n == 1   ? one
                           : several,
                OK, j->touches);
        j->v.up = j->evidence || j->r->up != ORACLE_FALSE;
        j->v.uv = j->verified;
        j->v.credential = newest;
        j->v.n_applicable = j->r->list ? 1 : n;
        j->v.user = j->r->list ? -1 : 1;
        return true;
}

/* ---- the two questions ---- */

void
judge_read(struct oracle_answer *ret, const struct oracle_key *key,
        const struct oracle_request *request, const struct step *steps, size_t n_steps)
{
        struct judge j = { .key = key, .r = request, .answer = ret };

        for (size_t i = 0; i < n_steps; i++)
                if (steps[i].decides(&j)) {
                        judge_add(ret, &j.v);
                        return;
                }
}

void
oracle_make(const struct oracle_key *key, const struct oracle_request *request,
        struct oracle_answer *ret)
{
        ret->n = 0;
        if (key->ctap21)
                judge_make_21(ret, key, request);
        else
                judge_make_20(ret, key, request);
}

void
oracle_get(const struct oracle_key *key, const struct oracle_request *request,
        struct oracle_answer *ret)
{
        ret->n = 0;
        if (key->ctap21)
                judge_get_21(ret, key, request);
        else
                judge_get_20(ret, key, request);
}
