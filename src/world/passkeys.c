/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/world/passkeys.h"

#include <stdio.h>
#include <string.h>

#include "keypilot/codec/b64url.h"

void
kp_passkeys_done(struct kp_passkeys *passkeys)
{
        for (size_t i = 0; i < passkeys->n_items; i++) {
                kp_rp_credential_done(&passkeys->items[i].record);
                kp_json_free(&passkeys->items[i].transports);
        }
        passkeys->n_items = 0;
}

bool
kp_passkeys_has(const struct kp_passkeys *passkeys, int account)
{
        for (size_t i = 0; i < passkeys->n_items; i++) {
                const struct kp_passkey *item = &passkeys->items[i];

                if (item->account == account && !item->removed && !item->hidden)
                        return true;
        }
        return false;
}

void
kp_passkeys_change(struct kp_passkeys *passkeys, int account, const char *change)
{
        for (size_t i = 0; i < passkeys->n_items; i++) {
                struct kp_passkey *item = &passkeys->items[i];

                if (item->account != account || item->removed)
                        continue;
                if (strcmp(change, "removed") == 0)
                        item->removed = true;
                else
                        item->hidden = true;
                kp_trace_add(passkeys->env->trace, passkeys->actor->role,
                        "passkey.changed", "{s:s, s:s, s:i}", "at",
                        passkeys->actor->role, "change", change, "passkey",
                        item->ordinal);
        }
}

static struct kp_challenge *
challenge_make(struct kp_passkeys *passkeys, int account)
{
        struct kp_challenge *challenge =
                &passkeys->challenges[passkeys->n_challenges++ % KP_CHALLENGES_MAX];

        *challenge = (struct kp_challenge){
                .account = account,
                .made_ms = kp_clock_ms(passkeys->env->clock),
        };
        kp_token_draw(passkeys->env->random, challenge->flow);
        kp_random_bytes(
                passkeys->env->random, challenge->bytes, sizeof(challenge->bytes));
        return challenge;
}

/* The host of an origin without a port: an RP ID where the site names no other. */
static int
rp_id_of(const struct kp_passkeys *passkeys, const char *origin, char ret[256],
        struct kp_error *err)
{
        KP_CLEANUP(kp_url_done) struct kp_url url = { 0 };
        const char *stated = kp_fact_quiet(passkeys->actor, "rp_id");

        if (stated == NULL && kp_url_parse(origin, &url, err) < 0)
                return -1;
        (void)snprintf(ret, 256, "%s", stated == NULL ? url.host : stated);
        return 0;
}

static int
handle_make(
        struct kp_passkeys *passkeys, struct kp_account *account, struct kp_error *err)
{
        int number = 0;

        if (account->handle_len > 0)
                return 0;
        /* within one school a local number is as unique as a random one */
        if (!passkeys->many_schools ||
                kp_fact_is(passkeys->actor, "passkey_user_handle", "random64")) {
                account->handle_len = sizeof(account->handle);
                kp_random_bytes(
                        passkeys->env->random, account->handle, account->handle_len);
                return 0;
        }
        for (int i = 1; i <= account->ordinal; i++)
                number += kp_directory_get(passkeys->directory, i)->tenant ==
                          account->tenant;
        account->handle_len = (size_t)snprintf(
                (char *)account->handle, sizeof(account->handle), "%08d", number);
        return account->handle_len == 8 ? 0 : KP_FAIL(err, KP_EBUG, "user handle");
}

static json_t *
b64url_json(const void *bytes, size_t bytes_len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_b64url_put(&text, bytes, bytes_len);
        return text.failed ? NULL : json_string(kp_buf_str(&text));
}

static json_t *
algorithms_json(const struct kp_actor *actor)
{
        const json_t *algorithms = kp_fact(actor, "passkey_algorithms"), *item;
        json_t *params = json_array();
        size_t i;

        json_array_foreach (algorithms, i, item)
                (void)json_array_append_new(params,
                        json_pack("{s:s, s:O}", "type", "public-key", "alg", item));
        return params;
}

/* Descriptors of an account's passkeys. Spec: WebAuthn L3 §5.8.3 */
static json_t *
descriptors_json(const struct kp_passkeys *passkeys, int account)
{
        json_t *list = json_array();

        for (size_t i = 0; i < passkeys->n_items; i++) {
                const struct kp_passkey *item = &passkeys->items[i];

                if (item->account != account || item->removed || item->hidden)
                        continue;
                (void)json_array_append_new(list,
                        json_pack("{s:s, s:o, s:O*}", "type", "public-key", "id",
                                b64url_json(item->record.id.data, item->record.id.len),
                                "transports", item->transports));
        }
        return list;
}

static void
label_make(const struct kp_passkeys *passkeys, const struct kp_account *account,
        char ret[64])
{
        if (passkeys->many_schools &&
                kp_fact_is(passkeys->actor, "passkey_label", "school-and-person"))
                (void)snprintf(
                        ret, 64, "%s (school %d)", account->login, account->tenant);
        else
                (void)snprintf(ret, 64, "%s", account->login);
}

static void
timeout_put(const struct kp_passkeys *passkeys, json_t *options)
{
        const json_t *timeout = kp_fact(passkeys->actor, "passkey_timeout_ms");

        if (json_is_integer(timeout))
                (void)json_object_set(options, "timeout", (json_t *)timeout);
}

int
kp_passkeys_create_options(struct kp_passkeys *passkeys, const char *origin,
        struct kp_account *account, char ret_flow[33], json_t **ret,
        struct kp_error *err)
{
        const struct kp_actor *actor = passkeys->actor;
        const char *discoverable = kp_fact_str(actor, "passkey_discoverable");
        const char *uv = kp_fact_str(actor, "passkey_uv");
        struct kp_challenge *challenge;
        char rp_id[256], label[64];
        json_t *options;

        if (rp_id_of(passkeys, origin, rp_id, err) < 0 ||
                handle_make(passkeys, account, err) < 0)
                return -1;
        challenge = challenge_make(passkeys, account->ordinal);
        label_make(passkeys, account, label);
        options = json_pack("{s:{s:s, s:s}, s:{s:o, s:s, s:s}, s:o, s:o, s:o, "
                            "s:{s:s, s:b, s:s}, s:s, s:{s:b}}",
                "rp", "id", rp_id, "name", rp_id, "user", "id",
                b64url_json(account->handle, account->handle_len), "name", label,
                "displayName", label, "challenge",
                b64url_json(challenge->bytes, sizeof(challenge->bytes)),
                "pubKeyCredParams", algorithms_json(actor), "excludeCredentials",
                descriptors_json(passkeys, account->ordinal), "authenticatorSelection",
                "residentKey", discoverable, "requireResidentKey",
                strcmp(discoverable, "required") == 0, "userVerification", uv,
                "attestation", kp_fact_str(actor, "passkey_attestation"), "extensions",
                "credProps", 1);
        if (options == NULL)
                return KP_FAIL(err, KP_ENOMEM, "creation options");
        timeout_put(passkeys, options);
        kp_trace_add(passkeys->env->trace, actor->role, "passkey.asked",
                "{s:s, s:s, s:s, s:s}", "at", actor->role, "ceremony", "create",
                "discoverable", discoverable, "uv", uv);
        memcpy(ret_flow, challenge->flow, sizeof(challenge->flow));
        *ret = options;
        return 0;
}

int
kp_passkeys_get_options(struct kp_passkeys *passkeys, const char *origin,
        const struct kp_account *account, const char *mediation, char ret_flow[33],
        json_t **ret, struct kp_error *err)
{
        const struct kp_actor *actor = passkeys->actor;
        const char *uv = kp_fact_str(actor, "passkey_uv");
        struct kp_challenge *challenge;
        json_t *allow, *options;
        size_t n_allow;
        char rp_id[256];

        if (rp_id_of(passkeys, origin, rp_id, err) < 0)
                return -1;
        challenge = challenge_make(passkeys, account == NULL ? 0 : account->ordinal);
        allow = account == NULL ? json_array()
                                : descriptors_json(passkeys, account->ordinal);
        n_allow = json_array_size(allow);
        options = json_pack("{s:o, s:s, s:o, s:s}", "challenge",
                b64url_json(challenge->bytes, sizeof(challenge->bytes)), "rpId", rp_id,
                "allowCredentials", allow, "userVerification", uv);
        if (options == NULL)
                return KP_FAIL(err, KP_ENOMEM, "request options");
        timeout_put(passkeys, options);
        kp_trace_add(passkeys->env->trace, actor->role, "passkey.asked",
                "{s:s, s:s, s:s, s:b, s:i, s:s}", "at", actor->role, "ceremony", "get",
                "uv", uv, "usernameless", account == NULL, "listed", (int)n_allow,
                "mediation", mediation);
        memcpy(ret_flow, challenge->flow, sizeof(challenge->flow));
        *ret = options;
        return 0;
}

/* What the challenge's own timer says: NULL when it may still be answered. */
static const char *
challenge_take(
        struct kp_passkeys *passkeys, const char *flow, struct kp_challenge **ret)
{
        int64_t ttl_ms = kp_fact_int(passkeys->actor, "passkey_challenge_ttl_s") * 1000;
        int64_t now = kp_clock_ms(passkeys->env->clock);

        *ret = NULL;
        for (size_t i = 0; i < KP_CHALLENGES_MAX; i++)
                if (flow[0] != '\0' && strcmp(passkeys->challenges[i].flow, flow) == 0)
                        *ret = &passkeys->challenges[i];
        if (*ret == NULL || (*ret)->used)
                return "challenge-unknown";
        (*ret)->used = true;
        return now - (*ret)->made_ms > ttl_ms ? "challenge-expired" : NULL;
}

static void
expectation_fill(const struct kp_passkeys *passkeys, const char *origin,
        const char *rp_id, const struct kp_challenge *challenge,
        struct kp_rp_expectation *ret)
{
        const json_t *item;
        size_t i;

        *ret = (struct kp_rp_expectation){
                .mode = KP_RP_STRICT,
                .rp_ids = { rp_id },
                .n_rp_ids = 1,
                .origins = { origin },
                .n_origins = 1,
                .challenge = challenge->bytes,
                .challenge_len = sizeof(challenge->bytes),
                .uv_required = kp_fact_bool(passkeys->actor, "passkey_checks_uv"),
                .trust = KP_TRUST_NONE,
                .now_ms = kp_clock_ms(passkeys->env->clock),
        };
        json_array_foreach (kp_fact(passkeys->actor, "passkey_algorithms"), i, item)
                if (ret->n_algorithms < KP_NELEMS(ret->algorithms))
                        ret->algorithms[ret->n_algorithms++] =
                                (int)json_integer_value(item);
}

static const char *
first_check(const struct kp_rp_result *result)
{
        return result->n_refusals == 0 ? NULL : result->refusals[0].check;
}

static const char *
first_refusal(const struct kp_rp_result *result)
{
        return result->n_refusals == 0 ? "refused" : result->refusals[0].id;
}

static int
passkey_store(struct kp_passkeys *passkeys, int account, struct kp_rp_result *result,
        const json_t *response, struct kp_error *err)
{
        const json_t *inner = json_object_get(response, "response");
        const json_t *transports = json_object_get(inner, "transports");
        struct kp_passkey *item;

        if (passkeys->n_items == KP_PASSKEYS_MAX)
                return KP_FAIL(err, KP_EBUG, "more than %d passkeys at one site",
                        KP_PASSKEYS_MAX);
        item = &passkeys->items[passkeys->n_items++];
        *item = (struct kp_passkey){
                .ordinal = (int)passkeys->n_items,
                .account = account,
                .record = result->credential,
                .transports =
                        json_is_array(transports) ? json_deep_copy(transports) : NULL,
        };
        result->credential = (struct kp_rp_credential){ 0 }; /* moved */
        return 0;
}

/* The facts of a judged ceremony that a trace may tell. */
static json_t *
judged_json(const struct kp_passkeys *passkeys, const struct kp_passkey_answer *answer,
        const struct kp_rp_result *result, int passkey, uint8_t flags)
{
        return json_pack("{s:s, s:b, s:s*, s:s*, s:b, s:b, s:b, s:b, s:b, s:i}", "at",
                passkeys->actor->role, "accepted", answer->accepted, "check",
                answer->why, "spec", first_check(result), "up",
                (flags & KP_AUTHDATA_UP) != 0, "uv", (flags & KP_AUTHDATA_UV) != 0,
                "be", (flags & KP_AUTHDATA_BE) != 0, "bs",
                (flags & KP_AUTHDATA_BS) != 0, "uv_required",
                kp_fact_bool(passkeys->actor, "passkey_checks_uv"), "credential",
                passkey);
}

static void
enrolment_tell(const struct kp_passkeys *passkeys,
        const struct kp_passkey_answer *answer, const struct kp_rp_result *result,
        uint8_t flags)
{
        const struct kp_passkey *item =
                answer->accepted ? &passkeys->items[passkeys->n_items - 1] : NULL;
        json_t *facts = judged_json(
                passkeys, answer, result, item == NULL ? 0 : item->ordinal, flags);

        if (item != NULL) {
                (void)json_object_set_new(
                        facts, "format", json_string(item->record.format));
                (void)json_object_set_new(facts, "alg", json_integer(item->record.alg));
        }
        kp_trace_add(passkeys->env->trace, passkeys->actor->role, "rp.registration",
                "O", facts);
        json_decref(facts);
}

int
kp_passkeys_register(struct kp_passkeys *passkeys, const char *origin, const char *flow,
        const char *credential, struct kp_passkey_answer *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = { 0 };
        KP_CLEANUP(kp_json_free) json_t *registered = NULL;
        KP_CLEANUP(kp_json_free) json_t *response = NULL;
        struct kp_rp_expectation expect;
        struct kp_challenge *challenge;
        struct kp_error ignored = { 0 };
        uint8_t flags = 0;
        char rp_id[256];

        *ret = (struct kp_passkey_answer){ .why = challenge_take(
                                                   passkeys, flow, &challenge) };
        if (challenge != NULL)
                ret->account = challenge->account;
        if (ret->why == NULL && kp_json_parse("credential", credential,
                                        strlen(credential), &response, &ignored) < 0)
                ret->why = "malformed";
        if (ret->why != NULL) {
                enrolment_tell(passkeys, ret, &result, 0);
                return 0;
        }
        if (rp_id_of(passkeys, origin, rp_id, err) < 0)
                return -1;
        expectation_fill(passkeys, origin, rp_id, challenge, &expect);
        registered = json_array();
        for (size_t i = 0; i < passkeys->n_items; i++)
                (void)json_array_append_new(
                        registered, b64url_json(passkeys->items[i].record.id.data,
                                            passkeys->items[i].record.id.len));
        expect.registered_ids = registered;
        if (kp_rp_verify_registration(&expect, response, false, &result, err) < 0)
                return -1;
        ret->accepted = result.accepted;
        flags = result.credential.flags;
        ret->uv = (flags & KP_AUTHDATA_UV) != 0;
        if (!result.accepted)
                ret->why = first_refusal(&result);
        else if (passkey_store(passkeys, ret->account, &result, response, err) < 0)
                return -1;
        enrolment_tell(passkeys, ret, &result, flags);
        return 0;
}

static struct kp_passkey *
passkey_by_id(struct kp_passkeys *passkeys, const json_t *response)
{
        const char *text = kp_json_str(response, "id", "");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        struct kp_error ignored = { 0 };

        if (kp_b64url_decode(text, strlen(text), &id, &ignored) < 0)
                return NULL;
        for (size_t i = 0; i < passkeys->n_items; i++) {
                struct kp_passkey *item = &passkeys->items[i];

                if (!item->removed && kp_bytes_equal(item->record.id.data,
                                              item->record.id.len, id.data, id.len))
                        return item;
        }
        return NULL;
}

/* What is wrong before any signature is looked at; NULL: nothing. */
static const char *
login_precheck(const struct kp_passkey *item, const struct kp_challenge *challenge)
{
        if (item == NULL)
                return "credential-unknown";
        if (item->hidden)
                return "credential-hidden";
        if (challenge->account != 0 && challenge->account != item->account)
                return "other-account";
        return NULL;
}

/* What the site does about a counter that has not risen; false: it refuses. */
static bool
counter_reaction(const struct kp_passkeys *passkeys, enum kp_rp_reaction *ret)
{
        const char *rule = kp_fact_str(passkeys->actor, "passkey_counter");

        if (rule == NULL || strcmp(rule, "refuse") == 0)
                return false;
        *ret = strcmp(rule, "warn") == 0 ? KP_RP_WARN : KP_RP_IGNORE;
        return true;
}

static int
login_verify(struct kp_passkeys *passkeys, const char *origin,
        const struct kp_challenge *challenge, struct kp_passkey *item,
        const json_t *response, struct kp_rp_result *result, struct kp_error *err)
{
        const struct kp_account *account =
                kp_directory_get(passkeys->directory, item->account);
        KP_CLEANUP(kp_json_free) json_t *allow = NULL;
        struct kp_rp_expectation expect;
        char rp_id[256];

        if (rp_id_of(passkeys, origin, rp_id, err) < 0)
                return -1;
        expectation_fill(passkeys, origin, rp_id, challenge, &expect);
        expect.discoverable = challenge->account == 0;
        expect.user_handle = account->handle;
        expect.user_handle_len = account->handle_len;
        if (challenge->account != 0) {
                allow = descriptors_json(passkeys, challenge->account);
                expect.allow_credentials = allow;
        }
        if (kp_rp_verify_authentication(
                    &expect, &item->record, response, false, result, err) < 0)
                return -1;
        /* the site's rule about counters matters, and is read, only where one is met */
        if (!result->accepted && strcmp(first_refusal(result), "counter") == 0 &&
                counter_reaction(passkeys, &expect.policy.counter)) {
                kp_rp_result_done(result);
                *result = (struct kp_rp_result){ 0 };
                if (kp_rp_verify_authentication(
                            &expect, &item->record, response, false, result, err) < 0)
                        return -1;
        }
        if (result->accepted)
                item->record.sign_count = result->credential.sign_count;
        return 0;
}

static void
login_tell(const struct kp_passkeys *passkeys, const struct kp_passkey_answer *answer,
        const struct kp_passkey *item, const struct kp_challenge *challenge,
        const struct kp_rp_result *result)
{
        json_t *facts = judged_json(passkeys, answer, result,
                item == NULL ? 0 : item->ordinal, result->credential.flags);

        (void)json_object_set_new(facts, "discoverable",
                json_boolean(challenge != NULL && challenge->account == 0));
        kp_trace_add(passkeys->env->trace, passkeys->actor->role, "rp.authentication",
                "O", facts);
        json_decref(facts);
}

/* A passkey of one school at the door of another. */
static void
school_check(const struct kp_passkeys *passkeys, const struct kp_challenge *challenge,
        struct kp_passkey_answer *answer)
{
        bool checks = kp_fact_bool(passkeys->actor, "passkey_checks_tenant");

        if (checks) {
                answer->accepted = false;
                answer->why = "other-school";
        }
        kp_trace_add(passkeys->env->trace, passkeys->actor->role, "passkey.school",
                "{s:s, s:b, s:b, s:b}", "at", passkeys->actor->role, "same", 0,
                "allowed", !checks, "usernameless", challenge->account == 0);
}

int
kp_passkeys_login(struct kp_passkeys *passkeys, const char *origin, const char *flow,
        const char *credential, int tenant, struct kp_passkey_answer *ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = { 0 };
        KP_CLEANUP(kp_json_free) json_t *response = NULL;
        struct kp_passkey *item = NULL;
        struct kp_challenge *challenge;
        struct kp_error ignored = { 0 };

        *ret = (struct kp_passkey_answer){ .why = challenge_take(
                                                   passkeys, flow, &challenge) };
        if (ret->why == NULL && kp_json_parse("credential", credential,
                                        strlen(credential), &response, &ignored) < 0)
                ret->why = "malformed";
        if (ret->why == NULL) {
                item = passkey_by_id(passkeys, response);
                ret->why = login_precheck(item, challenge);
        }
        if (ret->why == NULL) {
                if (login_verify(passkeys, origin, challenge, item, response, &result,
                            err) < 0)
                        return -1;
                ret->accepted = result.accepted;
                ret->account = item->account;
                ret->uv = (result.credential.flags & KP_AUTHDATA_UV) != 0;
                if (!result.accepted)
                        ret->why = first_refusal(&result);
        }
        login_tell(passkeys, ret, item, challenge, &result);
        if (ret->accepted && tenant != 0 &&
                kp_directory_get(passkeys->directory, ret->account)->tenant != tenant)
                school_check(passkeys, challenge, ret);
        return 0;
}
