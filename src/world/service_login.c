/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "service_internal.h"

#define CODE_TTL_S 600

int
service_route_to_eip(struct service_web *at, const char *by, bool passkey_asked,
        struct kp_error *err)
{
        char path[96];

        kp_trace_add(at->web.env->trace, at->web.role, "route", "{s:s, s:s, s:b}", "to",
                "eip", "by", by, "passkey_asked_before", passkey_asked);
        return kp_web_redirect(&at->web, service_path(at, "/login/eip", path), err);
}

static bool
password_open(const struct kp_service *service, const struct kp_account *account)
{
        if (!kp_fact_has(service->actor, "doors", "password"))
                return false;
        if (account == NULL)
                return true; /* whether a name exists is not told */
        if (account->password_off)
                return false;
        return !account->eip || kp_fact_bool(service->actor, "eip_keeps_password");
}

/* The doors of the first page that need no name yet. */
static int
start_doors(struct service_web *at, struct kp_doc *doc, struct kp_error *err)
{
        const struct kp_actor *actor = at->service->actor;
        json_t *options = NULL;
        char path[96], flow[33];
        const char *step;

        if (kp_fact_is(actor, "hrd", "tile") && kp_fact_has(actor, "doors", "eip"))
                kp_doc_link(doc, "door-eip", service_path(at, "/login/eip", path),
                        "Inloggen met je schoolaccount");
        kp_doc_link(doc, "door-recovery", service_path(at, "/recover", path),
                "Kom je er niet in?");
        if (!service_has_passkey_door(at->service))
                return 0;
        step = kp_fact_str(actor, "passkey_step");
        if (strcmp(step, "before-username") == 0)
                kp_doc_link(doc, "door-passkey",
                        service_path(at, "/login/passkey", path),
                        "Inloggen met een wachtwoordsleutel");
        if (strcmp(step, "with-username") != 0)
                return 0;
        if (kp_passkeys_get_options(&at->service->passkeys, at->host->origin, NULL,
                    "conditional", flow, &options, err) < 0)
                return -1;
        kp_doc_ceremony(doc, "get", "conditional",
                service_path(at, "/login/passkey", path), flow, options);
        return 0;
}

int
service_start(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        const struct kp_actor *actor = at->service->actor;
        char path[96];

        if (at->session != NULL)
                return kp_web_redirect(&at->web, service_path(at, "/", path), err);
        if (kp_fact_is(actor, "hrd", "all"))
                return service_route_to_eip(at, "all", false, err);
        if (kp_doc_begin(&doc, &at->web, "username", err) < 0)
                return -1;
        if (start_doors(at, &doc, err) < 0)
                return -1;
        if (kp_fact_has(actor, "doors", "password") ||
                kp_fact_is(actor, "hrd", "username-first") ||
                service_has_passkey_door(at->service))
                kp_doc_form(&doc, "username", service_path(at, "/login/username", path),
                        "login", "", NULL);
        return kp_doc_send(&doc, &at->web, 200, err);
}

static struct kp_account *
account_by_login(struct service_web *at, const char *login)
{
        const struct kp_account_search search = {
                .name = "login", .value = login, .tenant = at->tenant, .fold = true
        };

        return kp_directory_find(&at->service->directory, &search);
}

/* The page after the name: whatever this account may use. */
static int
method_page(struct service_web *at, struct kp_account *account, bool passkey, bool eip,
        struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        json_t *options = NULL;
        char path[96], flow[33];

        if (kp_doc_begin(&doc, &at->web, passkey ? "method" : "password", err) < 0)
                return -1;
        if (passkey) {
                if (kp_passkeys_get_options(&at->service->passkeys, at->host->origin,
                            account, "optional", flow, &options, err) < 0)
                        return -1;
                kp_doc_ceremony(&doc, "get", "optional",
                        service_path(at, "/login/passkey", path), flow, options);
        }
        if (password_open(at->service, account))
                kp_doc_form(&doc, "password", service_path(at, "/login/password", path),
                        "login", kp_web_param(&at->web, "login"), "password", "", NULL);
        if (eip)
                kp_doc_link(&doc, "door-eip", service_path(at, "/login/eip", path),
                        "Inloggen met je schoolaccount");
        kp_doc_link(&doc, "door-recovery", service_path(at, "/recover", path),
                "Kom je er niet in?");
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
service_username(struct service_web *at, struct kp_error *err)
{
        struct kp_account *account =
                account_by_login(at, kp_web_param(&at->web, "login"));
        const struct kp_actor *actor = at->service->actor;
        bool routed = account != NULL && account->eip &&
                      kp_fact_is(actor, "hrd", "username-first");
        bool passkey = false;

        if (account != NULL && service_has_passkey_door(at->service) &&
                kp_passkeys_has(&at->service->passkeys, account->ordinal)) {
                const char *step = kp_fact_str(actor, "passkey_step");

                passkey = strcmp(step, "after-username-before-hrd") == 0 ||
                          (!routed && strcmp(step, "after-hrd") == 0);
        }
        if (routed && !passkey)
                return service_route_to_eip(at, "username", false, err);
        return method_page(at, account, passkey, routed, err);
}

int
service_password(struct service_web *at, struct kp_error *err)
{
        struct kp_account *account =
                account_by_login(at, kp_web_param(&at->web, "login"));
        const struct kp_proof proof = {
                .person = at->web.env->ledger->at_keyboard,
                .password = true,
                .at = "service",
                .ms = kp_clock_ms(at->web.env->clock),
        };

        if (account == NULL || !password_open(at->service, account) ||
                strcmp(account->password, kp_web_param(&at->web, "password")) != 0)
                return service_refuse(at, account, "password", "password-wrong", err);
        return service_finish_login(at, account, &proof, "password", err);
}

/* Ask for the second factor that the account's role must use. */
static int
code_page(struct service_web *at, const struct kp_account *account,
        const struct kp_session *waiting, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        const struct kp_one_time like = {
                .kind = KP_CODE_SECOND_FACTOR,
                .account = account->ordinal,
                .tenant = account->tenant,
                .person = account->person,
                .before = *waiting,
        };
        char path[96];

        (void)kp_code_issue(&at->service->codes, at->web.env, &like, CODE_TTL_S);
        if (kp_doc_begin(&doc, &at->web, "code", err) < 0)
                return -1;
        kp_doc_form(
                &doc, "code", service_path(at, "/login/code", path), "code", "", NULL);
        return kp_doc_send(&doc, &at->web, 200, err);
}

/*
 * Must a code be asked? By what this site itself knows: of a login through the EIP only
 * that it was one, whatever was done there.
 */
static bool
needs_code(const struct service_web *at, const struct kp_account *account,
        const struct kp_session *like)
{
        const struct kp_actor *actor = at->service->actor;

        if (!kp_fact_has(actor, "two_factor_for", account->role))
                return false;
        if (like->by_eip)
                return strcmp(like->method, "eip") == 0 &&
                       !kp_fact_bool(actor, "eip_counts_as_two_factor");
        return kp_proof_assurance(&like->proof) < KP_ASSURANCE_MFA;
}

int
service_open_session(struct service_web *at, struct kp_account *account,
        const struct kp_session *like, const char *door, struct kp_error *err)
{
        const struct kp_actor *actor = at->service->actor;
        struct kp_session *session;
        char path[96];

        if (needs_code(at, account, like))
                return code_page(at, account, like, err);
        session = kp_session_begin(&at->service->sessions, at->web.env, like,
                kp_fact_int(actor, "session_ttl_s"));
        session->account = account->ordinal;
        session->tenant = account->tenant;
        kp_trace_add(at->web.env->trace, at->web.role, "login",
                "{s:i, s:s, s:b, s:b, s:s}", "account", account->ordinal, "door", door,
                "in", 1, "eip", account->eip, "by", session->method);
        if (kp_web_cookie(&at->web, SERVICE_COOKIE, session->id,
                    kp_fact_str(actor, "session_samesite"), err) < 0)
                return -1;
        return kp_web_redirect(&at->web, service_path(at, "/", path), err);
}

int
service_finish_login(struct service_web *at, struct kp_account *account,
        const struct kp_proof *proof, const char *door, struct kp_error *err)
{
        const struct kp_actor *actor = at->service->actor;
        bool passkey = strcmp(door, "passkey") == 0;
        struct kp_session like = { .proof = *proof };

        if (account->state == KP_ACCOUNT_DELETED ||
                (account->state == KP_ACCOUNT_BLOCKED &&
                        (!passkey || kp_fact_bool(actor, "block_ends_passkey"))))
                return service_refuse(at, account, door, "account-blocked", err);
        if (account->eip && kp_fact_is(actor, "enforces_idp", "redirect"))
                return service_route_to_eip(at, "enforced", passkey, err);
        if (account->eip && kp_fact_is(actor, "enforces_idp", "refuse"))
                return service_refuse(at, account, door, "eip-required", err);
        memcpy(like.method, kp_proof_method(proof), strlen(kp_proof_method(proof)) + 1);
        return service_open_session(at, account, &like, door, err);
}

int
service_code(struct service_web *at, struct kp_error *err)
{
        const struct kp_one_time *taken = kp_code_take(&at->service->codes, at->web.env,
                KP_CODE_SECOND_FACTOR, kp_web_param(&at->web, "code"));
        struct kp_account *account;
        struct kp_session like;

        if (taken == NULL)
                return service_refuse(at, NULL, "code", "code-wrong", err);
        like = taken->before;
        like.proof.code = true;
        account = kp_directory_get(&at->service->directory, taken->account);
        if (!like.by_eip)
                return service_finish_login(at, account, &like.proof, "code", err);
        (void)snprintf(like.method, sizeof(like.method), "eip-and-code");
        return service_open_session(at, account, &like, "code", err);
}
