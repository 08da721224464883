/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/world/site.h"

enum kp_assurance
kp_proof_assurance(const struct kp_proof *proof)
{
        /* a key that anybody may touch is one factor: it resists phishing, not theft */
        if (proof->passkey && (proof->uv || proof->password))
                return KP_ASSURANCE_PHISHING_RESISTANT;
        /* the desk has seen the person: as good as the key it replaces */
        if (proof->desk)
                return KP_ASSURANCE_PHISHING_RESISTANT;
        if ((proof->password || proof->passkey || proof->mail) && proof->code)
                return KP_ASSURANCE_MFA;
        if (proof->passkey || proof->password || proof->code || proof->mail)
                return KP_ASSURANCE_SINGLE;
        return KP_ASSURANCE_NONE;
}

static const char *const assurances[] = { "any", "single", "mfa",
        "phishing-resistant" };

const char *
kp_assurance_name(enum kp_assurance assurance)
{
        return assurances[assurance];
}

bool
kp_assurance_parse(const char *name, enum kp_assurance *ret)
{
        for (size_t i = 0; i < KP_NELEMS(assurances); i++)
                if (strcmp(assurances[i], name) == 0) {
                        *ret = (enum kp_assurance)i;
                        return true;
                }
        return false;
}

const char *
kp_proof_method(const struct kp_proof *proof)
{
        if (proof->passkey)
                return proof->password ? "password-and-passkey" : "passkey";
        if (proof->password)
                return proof->code ? "password-and-code" : "password";
        if (proof->desk)
                return "help-desk";
        return proof->mail ? "mail" : "none";
}

void
kp_ledger_note(
        struct kp_ledger *ledger, const char *response_id, const struct kp_proof *proof)
{
        struct kp_ledger_entry *entry =
                &ledger->entries[ledger->n_entries++ % KP_LEDGER_MAX];

        (void)snprintf(
                entry->response_id, sizeof(entry->response_id), "%s", response_id);
        entry->proof = *proof;
}

const struct kp_proof *
kp_ledger_find(const struct kp_ledger *ledger, const char *response_id)
{
        for (size_t i = 0; i < KP_LEDGER_MAX; i++)
                if (response_id[0] != '\0' &&
                        strcmp(ledger->entries[i].response_id, response_id) == 0)
                        return &ledger->entries[i].proof;
        return NULL;
}

struct kp_one_time *
kp_code_issue(struct kp_codes *codes, const struct kp_site_env *env,
        const struct kp_one_time *like, int64_t ttl_s)
{
        struct kp_one_time *item = &codes->items[codes->n_items++ % KP_CODES_MAX];

        *item = *like;
        kp_token_draw(env->random, item->flow);
        kp_token_draw(env->random, item->code);
        item->until_ms = kp_clock_ms(env->clock) + ttl_s * 1000;
        item->used = false;
        return item;
}

const struct kp_one_time *
kp_code_take(struct kp_codes *codes, const struct kp_site_env *env,
        enum kp_code_kind kind, const char *code)
{
        for (size_t i = 0; i < KP_CODES_MAX; i++) {
                struct kp_one_time *item = &codes->items[i];

                if (code[0] == '\0' || item->used || item->kind != kind ||
                        strcmp(item->code, code) != 0 ||
                        kp_clock_ms(env->clock) > item->until_ms)
                        continue;
                item->used = true;
                return item;
        }
        return NULL;
}

const char *
kp_code_read(const struct kp_codes *codes, enum kp_code_kind kind, int person)
{
        const char *found = "";

        for (size_t n = codes->n_items, i = 0; i < KP_CODES_MAX && i < n; i++) {
                const struct kp_one_time *item =
                        &codes->items[(n - 1 - i) % KP_CODES_MAX];

                if (found[0] == '\0' && item->kind == kind && item->person == person &&
                        !item->used)
                        found = item->code;
        }
        return found;
}

void
kp_token_draw(struct kp_random *random, char ret[33])
{
        uint8_t raw[16];

        kp_random_bytes(random, raw, sizeof(raw));
        for (size_t i = 0; i < sizeof(raw); i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", raw[i]);
}

struct kp_session *
kp_session_begin(struct kp_sessions *sessions, const struct kp_site_env *env,
        const struct kp_session *like, int64_t ttl_s)
{
        struct kp_session *session =
                &sessions->items[sessions->n_items++ % KP_SESSIONS_MAX];
        int64_t now = kp_clock_ms(env->clock);

        *session = *like;
        kp_token_draw(env->random, session->id);
        session->alive = true;
        session->fresh = true;
        session->began_ms = now;
        session->until_ms = now + ttl_s * 1000;
        if (session->authn_ms == 0)
                session->authn_ms = now;
        return session;
}

size_t
kp_sessions_end(struct kp_sessions *sessions, int account)
{
        size_t ended = 0;

        for (size_t i = 0; i < KP_SESSIONS_MAX; i++) {
                struct kp_session *session = &sessions->items[i];

                if (session->alive && (account == 0 || session->account == account)) {
                        session->alive = false;
                        ended++;
                }
        }
        return ended;
}

bool
kp_fact_has(const struct kp_actor *actor, const char *name, const char *word)
{
        const json_t *words = kp_fact(actor, name), *item;
        size_t i;

        json_array_foreach (words, i, item)
                if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
                        return true;
        return false;
}

const char *
kp_fact_quiet(const struct kp_actor *actor, const char *name)
{
        struct kp_actor quiet = *actor;

        quiet.trace = NULL;
        return kp_fact_str(&quiet, name);
}
