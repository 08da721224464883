/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "service_internal.h"

int
service_passkey_page(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        json_t *options = NULL;
        char path[96], flow[33];

        if (!service_has_passkey_door(at->service))
                return service_refuse(at, NULL, "passkey", "no-such-door", err);
        if (kp_passkeys_get_options(&at->service->passkeys, at->host->origin, NULL,
                    "optional", flow, &options, err) < 0)
                return -1;
        if (kp_doc_begin(&doc, &at->web, "passkey", err) < 0) {
                json_decref(options);
                return -1;
        }
        kp_doc_ceremony(&doc, "get", "optional",
                service_path(at, "/login/passkey", path), flow, options);
        kp_doc_link(&doc, "back", service_path(at, "/login", path), "Terug");
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
service_passkey(struct service_web *at, struct kp_error *err)
{
        struct kp_passkey_answer answer;
        struct kp_proof proof = {
                .person = at->web.env->ledger->at_keyboard,
                .passkey = true,
                .at = "service",
                .ms = kp_clock_ms(at->web.env->clock),
        };

        if (kp_passkeys_login(&at->service->passkeys, at->host->origin,
                    kp_web_param(&at->web, "flow"),
                    kp_web_param(&at->web, "credential"), at->tenant, &answer, err) < 0)
                return -1;
        if (!answer.accepted)
                return service_refuse(at,
                        kp_directory_get(&at->service->directory, answer.account),
                        "passkey", answer.why, err);
        proof.uv = answer.uv;
        return service_finish_login(at,
                kp_directory_get(&at->service->directory, answer.account), &proof,
                "passkey", err);
}

/* Why this account may not add a passkey; NULL when it may. */
static const char *
gate(const struct service_web *at, const struct kp_account *account)
{
        const struct kp_actor *actor = at->service->actor;

        if (!service_has_passkey_door(at->service))
                return "no-passkeys-here";
        if (account->state != KP_ACCOUNT_ACTIVE)
                return "account-blocked";
        if (kp_fact_is(actor, "passkey_enrolment", "nobody"))
                return "enrolment-closed";
        if (account->eip && kp_fact_is(actor, "passkey_enrolment", "local-accounts"))
                return "enrolment-not-for-eip";
        return NULL;
}

static int
enrol_form(struct service_web *at, struct kp_account *account, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        json_t *options = NULL;
        char path[96], flow[33];

        if (kp_doc_begin(&doc, &at->web, "enrol", err) < 0 ||
                kp_passkeys_create_options(&at->service->passkeys, at->host->origin,
                        account, flow, &options, err) < 0)
                return -1;
        kp_doc_ceremony(&doc, "create", "optional", service_path(at, "/enrol", path),
                flow, options);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
service_enrol_page(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        struct kp_account *account;
        const char *why;
        char path[96];

        if (at->session == NULL)
                return kp_web_redirect(&at->web, service_path(at, "/login", path), err);
        account = kp_directory_get(&at->service->directory, at->session->account);
        if ((why = gate(at, account)) != NULL)
                return service_refuse(at, account, "enrol", why, err);
        /* who came by another door than the password has none to confirm with */
        if (at->session->proof.password &&
                strcmp(at->session->proof.at, "service") == 0 &&
                kp_fact_is(at->service->actor, "enrolment_needs", "password-again")) {
                if (kp_doc_begin(&doc, &at->web, "confirm", err) < 0)
                        return -1;
                kp_doc_form(&doc, "confirm", service_path(at, "/enrol/confirm", path),
                        "password", "", NULL);
                return kp_doc_send(&doc, &at->web, 200, err);
        }
        return enrol_form(at, account, err);
}

int
service_enrol_confirm(struct service_web *at, struct kp_error *err)
{
        struct kp_account *account;
        char path[96];

        if (at->session == NULL)
                return kp_web_redirect(&at->web, service_path(at, "/login", path), err);
        account = kp_directory_get(&at->service->directory, at->session->account);
        if (strcmp(account->password, kp_web_param(&at->web, "password")) != 0)
                return service_refuse(at, account, "enrol", "password-wrong", err);
        return enrol_form(at, account, err);
}

int
service_enrol(struct service_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        struct kp_passkey_answer answer;
        struct kp_account *account;
        char path[96];

        if (at->session == NULL)
                return kp_web_redirect(&at->web, service_path(at, "/login", path), err);
        account = kp_directory_get(&at->service->directory, at->session->account);
        if (kp_passkeys_register(&at->service->passkeys, at->host->origin,
                    kp_web_param(&at->web, "flow"),
                    kp_web_param(&at->web, "credential"), &answer, err) < 0)
                return -1;
        if (!answer.accepted)
                return service_refuse(at, account, "enrol", answer.why, err);
        if (kp_fact_is(at->service->actor, "password_after_passkey", "disabled"))
                account->password_off = true;
        if (kp_doc_begin(&doc, &at->web, "enrolled", err) < 0)
                return -1;
        kp_doc_link(&doc, "home", service_path(at, "/", path), "Klaar");
        return kp_doc_send(&doc, &at->web, 200, err);
}
