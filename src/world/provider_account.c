/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "federation_words.h"
#include "provider_internal.h"

#define RECOVERY_TTL_S 3600

/* The person's own page at the provider. */
int
provider_account(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        char path[96];

        if (at->session == NULL) {
                at->flow = provider_flow_begin(at->provider);
                return kp_web_redirect(
                        &at->web, provider_path(at, "/login", path), err);
        }
        if (kp_doc_begin(&doc, &at->web, "home", err) < 0)
                return -1;
        (void)json_object_set_new(
                doc.data, "account", json_integer(at->session->account));
        (void)json_object_set_new(
                doc.data, "tenant", json_integer(at->session->tenant));
        if (kp_fact_has(at->provider->actor, "methods", "passkey"))
                kp_doc_link(&doc, "enrol", "/enrol", "Wachtwoordsleutel toevoegen");
        if (at->provider->n_services > 0)
                kp_doc_link(&doc, "door-service", "/launch", "Naar de dienst");
        kp_doc_link(&doc, "logout", "/logout", "Afmelden");
        return kp_doc_send(&doc, &at->web, 200, err);
}

/* To a service from the provider's own page, unasked. Spec: SAML 2.0 Profiles §4.1.5 */
int
provider_launch(struct provider_web *at, struct kp_error *err)
{
        if (at->session == NULL || at->provider->n_services == 0)
                return provider_account(at, err);
        at->flow = provider_flow_begin(at->provider);
        at->flow->has_request = true;
        at->flow->peer = 0;
        at->flow->request.issue_ms = kp_clock_ms(at->web.env->clock);
        return provider_answer(at, at->session, true, err);
}

int
provider_enrol_page(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        const struct kp_actor *actor = at->provider->actor;
        struct kp_account *account;
        json_t *options = NULL;
        char flow[33];

        if (at->session == NULL)
                return provider_account(at, err);
        account = kp_directory_get(&at->provider->directory, at->session->account);
        if (!kp_fact_has(actor, "methods", "passkey"))
                return provider_refuse(at, account, "enrol", "no-passkeys-here", err);
        /* of a login at another provider this one knows only that it was one */
        if ((at->session->by_eip ||
                    kp_proof_assurance(&at->session->proof) < KP_ASSURANCE_MFA) &&
                kp_fact_is(actor, "enrolment_needs", "mfa")) {
                at->flow = provider_flow_begin(at->provider);
                return provider_code_page(at, account, &at->session->proof, err);
        }
        if (kp_passkeys_create_options(&at->provider->passkeys, at->provider->origin,
                    account, flow, &options, err) < 0)
                return -1;
        if (kp_doc_begin(&doc, &at->web, "enrol", err) < 0) {
                json_decref(options);
                return -1;
        }
        kp_doc_ceremony(&doc, "create", "optional", "/enrol", flow, options);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
provider_enrol(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        struct kp_passkey_answer answer;
        struct kp_account *account;

        if (at->session == NULL)
                return provider_account(at, err);
        account = kp_directory_get(&at->provider->directory, at->session->account);
        if (kp_passkeys_register(&at->provider->passkeys, at->provider->origin,
                    kp_web_param(&at->web, "flow"),
                    kp_web_param(&at->web, "credential"), &answer, err) < 0)
                return -1;
        if (!answer.accepted)
                return provider_refuse(at, account, "enrol", answer.why, err);
        if (kp_fact_is(at->provider->actor, "password_after_passkey", "disabled"))
                account->password_off = true;
        if (kp_doc_begin(&doc, &at->web, "enrolled", err) < 0)
                return -1;
        kp_doc_link(&doc, "home", "/account", "Klaar");
        return kp_doc_send(&doc, &at->web, 200, err);
}

static int
logged_out_page(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };

        if (kp_doc_begin(&doc, &at->web, "logged-out", err) < 0)
                return -1;
        return kp_doc_send(&doc, &at->web, 200, err);
}

static void
session_end(struct provider_web *at, const char *change)
{
        if (at->session == NULL)
                return;
        at->session->alive = false;
        kp_trace_add(at->web.env->trace, at->web.role, "session", "{s:s, s:s, s:i}",
                "at", at->web.role, "change", change, "account", at->session->account);
}

int
provider_logout(struct provider_web *at, struct kp_error *err)
{
        session_end(at, "ended");
        if (kp_web_cookie(&at->web, PROVIDER_COOKIE, NULL, "lax", err) < 0)
                return -1;
        return logged_out_page(at, err);
}

/* A service asks to log out. Spec: SAML 2.0 Profiles §4.4.3 */
int
provider_slo(struct provider_web *at, struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLRequest");
        struct kp_federation *federation = at->web.env->federation;
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation_verdict verdict = { 0 };
        struct kp_logout logout = { 0 }, answer = { .is_response = true };
        const struct kp_party *from = NULL;
        char issuer[256];

        if (at->provider->party.slo_url == NULL)
                return provider_refuse(at, NULL, "slo", "no-such-door", err);
        if (federation->read_issuer(federation, &in, issuer, err) < 0)
                return -1;
        for (size_t i = 0; i < at->provider->n_services; i++)
                if (strcmp(at->provider->services[i]->entity_id, issuer) == 0)
                        from = at->provider->services[i];
        if (from == NULL)
                return provider_refuse(at, NULL, "slo", "service-unknown", err);
        if (federation->read_logout(federation, &in, &at->provider->party, from,
                    kp_clock_ms(at->web.env->clock), &logout, &verdict, err) < 0)
                return -1;
        words_logout_received(at->web.env->trace, at->web.role, &logout, &verdict);
        if (!verdict.accepted || logout.is_response)
                return provider_refuse(at, NULL, "slo", "logout-refused", err);
        session_end(at, "ended-by-service");
        (void)snprintf(
                answer.in_response_to, sizeof(answer.in_response_to), "%s", logout.id);
        (void)snprintf(answer.relay_state, sizeof(answer.relay_state), "%s",
                logout.relay_state);
        (void)snprintf(answer.status[0], sizeof(answer.status[0]), "%s",
                "urn:oasis:names:tc:SAML:2.0:status:Success");
        answer.issue_ms = kp_clock_ms(at->web.env->clock);
        if (federation->build_logout(
                    federation, &at->provider->party, from, &answer, &out, err) < 0)
                return -1;
        words_logout_sent(at->web.env->trace, at->web.role, &answer);
        return kp_web_message(&at->web, &out, err);
}

int
provider_recover_page(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        char path[96];

        if (kp_doc_begin(&doc, &at->web, "recovery", err) < 0)
                return -1;
        if (kp_fact_has(at->provider->actor, "recovery", "mail"))
                kp_doc_form(&doc, "recover-mail",
                        provider_path(at, "/recover/mail", path), "login", "", NULL);
        if (kp_fact_has(at->provider->actor, "recovery", "helpdesk"))
                kp_doc_form(&doc, "recover-desk",
                        provider_path(at, "/recover/code", path), "kind", "desk",
                        "code", "", NULL);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
provider_recover_mail(struct provider_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        const struct kp_account_search search = {
                .name = "upn", .value = kp_web_param(&at->web, "login"), .fold = true
        };
        const struct kp_account *account =
                kp_directory_find(&at->provider->directory, &search);
        char path[96];

        if (!kp_fact_has(at->provider->actor, "recovery", "mail"))
                return provider_refuse(at, account, "recovery", "no-such-door", err);
        if (account != NULL && account->mail[0] != '\0' &&
                account->state == KP_ACCOUNT_ACTIVE) {
                const struct kp_one_time like = {
                        .kind = KP_CODE_MAIL,
                        .account = account->ordinal,
                        .tenant = account->tenant,
                        .person = account->person,
                };

                (void)kp_code_issue(
                        &at->provider->codes, at->web.env, &like, RECOVERY_TTL_S);
        }
        if (kp_doc_begin(&doc, &at->web, "mail-sent", err) < 0)
                return -1;
        kp_doc_form(&doc, "mail-link", provider_path(at, "/recover/code", path), "kind",
                "mail", "code", "", NULL);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
provider_recover_code(struct provider_web *at, struct kp_error *err)
{
        bool desk = strcmp(kp_web_param(&at->web, "kind"), "desk") == 0;
        const struct kp_one_time *taken = kp_code_take(&at->provider->codes,
                at->web.env, desk ? KP_CODE_DESK : KP_CODE_MAIL,
                kp_web_param(&at->web, "code"));
        struct kp_proof proof = {
                .person = at->web.env->ledger->at_keyboard,
                .desk = desk,
                .mail = !desk,
                .ms = kp_clock_ms(at->web.env->clock),
        };

        (void)snprintf(proof.at, sizeof(proof.at), "%s", at->web.role);
        if (taken == NULL || at->flow == NULL)
                return provider_refuse(at, NULL, "recovery", "code-wrong", err);
        return provider_finish_login(at,
                kp_directory_get(&at->provider->directory, taken->account), &proof,
                "recovery", err);
}

bool
kp_provider_desk(struct kp_provider *provider, struct kp_account *account)
{
        const struct kp_one_time like = {
                .kind = KP_CODE_DESK,
                .account = account->ordinal,
                .tenant = account->tenant,
                .person = account->person,
        };

        if (!kp_fact_has(provider->actor, "recovery", "helpdesk"))
                return false;
        (void)kp_code_issue(&provider->codes, provider->env, &like, RECOVERY_TTL_S);
        return true;
}

/* "jan.devries@..." becomes "Jan.Devries@...": the same address to a person. */
static void
upn_recase(char *upn)
{
        bool start = true;

        for (char *c = upn; *c != '\0' && *c != '@'; c++) {
                if (start && *c >= 'a' && *c <= 'z')
                        *c = (char)(*c - 'a' + 'A');
                start = *c == '.';
        }
}

/* Another surname: login name and UPN change, number and object id stay. */
static void
account_rename(struct kp_account *account)
{
        char login[sizeof(account->login)];

        (void)snprintf(login, sizeof(login), "nieuw.%.40s", account->login);
        memcpy(account->login, login, sizeof(login));
        (void)snprintf(account->upn, sizeof(account->upn), "%s@school%d.example", login,
                account->tenant);
}

void
kp_provider_change(
        struct kp_provider *provider, struct kp_account *account, const char *change)
{
        if (strcmp(change, "blocked") == 0)
                account->state = KP_ACCOUNT_BLOCKED;
        else if (strcmp(change, "deleted") == 0)
                account->state = KP_ACCOUNT_DELETED;
        else if (strcmp(change, "upn-case") == 0)
                upn_recase(account->upn);
        else if (strcmp(change, "renamed") == 0)
                account_rename(account);
        kp_trace_add(provider->env->trace, provider->actor->role, "account.event",
                "{s:s, s:s, s:i}", "at", provider->actor->role, "change", change,
                "account", account->ordinal);
        if (account->state != KP_ACCOUNT_ACTIVE &&
                kp_fact_bool(provider->actor, "disable_ends_sessions"))
                (void)kp_sessions_end(&provider->sessions, account->ordinal);
}
