/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "federation_words.h"
#include "service_internal.h"

#define RECOVERY_TTL_S 3600

static int
logged_out_page(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        char path[96];

        if (kp_doc_begin(&doc, &at->web, "logged-out", err) < 0)
                return -1;
        kp_doc_text(&doc, "Je bent uitgelogd.");
        kp_doc_link(
                &doc, "login", service_path(at, "/login", path), "Opnieuw inloggen");
        return kp_doc_send(&doc, &at->web, 200, err);
}

static int
logout_ask(
        struct service_web *at, const struct kp_session *session, struct kp_error *err)
{
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation *federation = at->web.env->federation;
        struct kp_logout logout = { .issue_ms = kp_clock_ms(at->web.env->clock) };

        (void)snprintf(logout.subject, sizeof(logout.subject), "%s", session->subject);
        (void)snprintf(logout.subject_format, sizeof(logout.subject_format), "%s",
                session->subject_format);
        (void)snprintf(logout.session_index, sizeof(logout.session_index), "%s",
                session->index);
        (void)snprintf(
                logout.relay_state, sizeof(logout.relay_state), "%d", at->tenant);
        if (federation->build_logout(federation, &at->host->party, at->service->eip,
                    &logout, &out, err) < 0)
                return -1;
        words_logout_sent(at->web.env->trace, at->web.role, &logout);
        return kp_web_message(&at->web, &out, err);
}

int
service_logout(struct service_web *at, struct kp_error *err)
{
        struct kp_session *session = at->session;
        bool ask;

        if (kp_web_cookie(&at->web, SERVICE_COOKIE, NULL, "lax", err) < 0)
                return -1;
        if (session == NULL)
                return logged_out_page(at, err);
        session->alive = false;
        ask = session->by_eip &&
              kp_fact_is(at->service->actor, "logout", "federated") &&
              at->service->eip != NULL && at->service->eip->slo_url != NULL;
        kp_trace_add(at->web.env->trace, at->web.role, "session", "{s:s, s:s, s:i}",
                "at", at->web.role, "change", "ended", "account", session->account);
        return ask ? logout_ask(at, session, err) : logged_out_page(at, err);
}

/* The EIP asks us to end sessions, or answers what we asked. Core §3.7.3.2 */
int
service_slo(struct service_web *at, struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLRequest");
        struct kp_federation *federation = at->web.env->federation;
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation_verdict verdict = { 0 };
        struct kp_logout logout = { 0 }, answer = { .is_response = true };

        if (in.value == NULL)
                in = kp_web_message_in(&at->web, "SAMLResponse");
        if (federation->read_logout(federation, &in, &at->host->party, at->service->eip,
                    kp_clock_ms(at->web.env->clock), &logout, &verdict, err) < 0)
                return -1;
        words_logout_received(at->web.env->trace, at->web.role, &logout, &verdict);
        if (!verdict.accepted)
                return kp_web_refuse(&at->web, verdict.rule, err);
        if (logout.is_response)
                return logged_out_page(at, err);
        for (size_t i = 0; i < KP_SESSIONS_MAX; i++) {
                struct kp_session *session = &at->service->sessions.items[i];

                if (session->alive && strcmp(session->subject, logout.subject) == 0)
                        session->alive = false;
        }
        (void)snprintf(
                answer.in_response_to, sizeof(answer.in_response_to), "%s", logout.id);
        (void)snprintf(answer.relay_state, sizeof(answer.relay_state), "%s",
                logout.relay_state);
        (void)snprintf(answer.status[0], sizeof(answer.status[0]), "%s",
                "urn:oasis:names:tc:SAML:2.0:status:Success");
        answer.issue_ms = kp_clock_ms(at->web.env->clock);
        if (federation->build_logout(federation, &at->host->party, at->service->eip,
                    &answer, &out, err) < 0)
                return -1;
        words_logout_sent(at->web.env->trace, at->web.role, &answer);
        return kp_web_message(&at->web, &out, err);
}

int
service_recover_page(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        char path[96];

        if (kp_doc_begin(&doc, &at->web, "recovery", err) < 0)
                return -1;
        if (kp_fact_has(at->service->actor, "recovery", "mail"))
                kp_doc_form(&doc, "recover-mail",
                        service_path(at, "/recover/mail", path), "login", "", NULL);
        if (kp_fact_has(at->service->actor, "recovery", "helpdesk"))
                kp_doc_form(&doc, "recover-desk",
                        service_path(at, "/recover/code", path), "kind", "desk", "code",
                        "", NULL);
        return kp_doc_send(&doc, &at->web, 200, err);
}

static struct kp_one_time
one_time_for(const struct kp_account *account, enum kp_code_kind kind)
{
        return (struct kp_one_time){
                .kind = kind,
                .account = account->ordinal,
                .tenant = account->tenant,
                .person = account->person,
        };
}

int
service_recover_mail(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        const struct kp_account_search search = {
                .name = "login",
                .value = kp_web_param(&at->web, "login"),
                .tenant = at->tenant,
                .fold = true,
        };
        const struct kp_account *account =
                kp_directory_find(&at->service->directory, &search);
        struct kp_one_time like;
        char path[96];

        if (!kp_fact_has(at->service->actor, "recovery", "mail"))
                return service_refuse(at, account, "recovery", "no-such-door", err);
        if (account != NULL && account->mail[0] != '\0' &&
                account->state == KP_ACCOUNT_ACTIVE) {
                like = one_time_for(account, KP_CODE_MAIL);
                (void)kp_code_issue(
                        &at->service->codes, at->web.env, &like, RECOVERY_TTL_S);
        }
        if (kp_doc_begin(&doc, &at->web, "mail-sent", err) < 0)
                return -1;
        kp_doc_form(&doc, "mail-link", service_path(at, "/recover/code", path), "kind",
                "mail", "code", "", NULL);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
service_recover_code(struct service_web *at, struct kp_error *err)
{
        bool desk = strcmp(kp_web_param(&at->web, "kind"), "desk") == 0;
        const struct kp_one_time *taken = kp_code_take(&at->service->codes, at->web.env,
                desk ? KP_CODE_DESK : KP_CODE_MAIL, kp_web_param(&at->web, "code"));
        struct kp_proof proof = {
                .person = at->web.env->ledger->at_keyboard,
                .desk = desk,
                .mail = !desk,
                .at = "service",
                .ms = kp_clock_ms(at->web.env->clock),
        };

        if (taken == NULL)
                return service_refuse(at, NULL, "recovery", "code-wrong", err);
        return service_finish_login(at,
                kp_directory_get(&at->service->directory, taken->account), &proof,
                "recovery", err);
}

bool
kp_service_desk(struct kp_service *service, struct kp_account *account)
{
        struct kp_one_time like = one_time_for(account, KP_CODE_DESK);

        if (!kp_fact_has(service->actor, "recovery", "helpdesk"))
                return false;
        (void)kp_code_issue(&service->codes, service->env, &like, RECOVERY_TTL_S);
        return true;
}

/* What becomes of the passkeys of an account that is switched to the EIP. */
static void
to_eip(struct kp_service *service, struct kp_account *account)
{
        const char *fate;

        account->eip = true;
        if (!kp_passkeys_has(&service->passkeys, account->ordinal))
                return;
        fate = kp_fact_str(service->actor, "passkey_on_eip_switch");
        if (strcmp(fate, "kept") != 0)
                kp_passkeys_change(&service->passkeys, account->ordinal, fate);
}

void
kp_service_change(
        struct kp_service *service, struct kp_account *account, const char *change)
{
        bool blocks = strcmp(change, "blocked") == 0,
             deletes = strcmp(change, "deleted") == 0;

        if (deletes)
                account->state = KP_ACCOUNT_DELETED;
        else if (blocks)
                account->state = KP_ACCOUNT_BLOCKED;
        else if (strcmp(change, "restored") == 0)
                account->state = KP_ACCOUNT_ACTIVE;
        else if (strcmp(change, "to-eip") == 0)
                to_eip(service, account);
        kp_trace_add(service->env->trace, service->actor->role, "account.event",
                "{s:s, s:s, s:i}", "at", service->actor->role, "change", change,
                "account", account->ordinal);
        if (deletes || (blocks && kp_fact_bool(service->actor, "block_ends_sessions")))
                (void)kp_sessions_end(&service->sessions, account->ordinal);
}

bool
kp_service_notify(struct kp_service *service, int person, enum kp_account_state state)
{
        if (kp_fact_is(service->actor, "provisioning", "none") ||
                service->n_notices == KP_NELEMS(service->notices))
                return false;
        service->notices[service->n_notices++] = (struct kp_notice){
                .due_ms = kp_clock_ms(service->env->clock) +
                          kp_fact_int(service->actor, "provisioning_delay_s") * 1000,
                .person = person,
                .state = state,
        };
        return true;
}
