/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "federation_words.h"
#include "hub_internal.h"

int
hub_passkey_page(struct hub_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        json_t *options = NULL;
        char path[96], flow[33];

        if (at->flow == NULL || !kp_fact_bool(at->hub->actor, "passkeys"))
                return hub_refuse(at, "passkey", "no-such-door", err);
        if (kp_passkeys_get_options(&at->hub->passkeys, at->hub->origin, NULL,
                    "optional", flow, &options, err) < 0)
                return -1;
        if (kp_doc_begin(&doc, &at->web, "passkey", err) < 0) {
                json_decref(options);
                return -1;
        }
        kp_doc_ceremony(&doc, "get", "optional", hub_path(at, "/login/passkey", path),
                flow, options);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
hub_passkey(struct hub_web *at, struct kp_error *err)
{
        struct kp_passkey_answer answer = { .why = "login-page-unknown" };
        struct kp_session like = { .method = "passkey" };

        if (at->flow != NULL && !at->flow->used &&
                kp_passkeys_login(&at->hub->passkeys, at->hub->origin,
                        kp_web_param(&at->web, "flow"),
                        kp_web_param(&at->web, "credential"), 0, &answer, err) < 0)
                return -1;
        if (!answer.accepted)
                return hub_refuse(at, "passkey", answer.why, err);
        like.proof = (struct kp_proof){
                .person = at->web.env->ledger->at_keyboard,
                .passkey = true,
                .uv = answer.uv,
                .at = "hub",
                .ms = kp_clock_ms(at->web.env->clock),
        };
        return hub_open_session(at,
                kp_directory_get(&at->hub->directory, answer.account), &like, "passkey",
                err);
}

int
hub_enrol_page(struct hub_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        json_t *options = NULL;
        char flow[33];

        if (at->session == NULL || !kp_fact_bool(at->hub->actor, "passkeys"))
                return hub_account(at, err);
        if (kp_passkeys_create_options(&at->hub->passkeys, at->hub->origin,
                    kp_directory_get(&at->hub->directory, at->session->account), flow,
                    &options, err) < 0)
                return -1;
        if (kp_doc_begin(&doc, &at->web, "enrol", err) < 0) {
                json_decref(options);
                return -1;
        }
        kp_doc_ceremony(&doc, "create", "optional", "/enrol", flow, options);
        return kp_doc_send(&doc, &at->web, 200, err);
}

int
hub_enrol(struct hub_web *at, struct kp_error *err)
{
        KP_CLEANUP(kp_doc_done) struct kp_doc doc = { 0 };
        struct kp_passkey_answer answer;

        if (at->session == NULL)
                return hub_account(at, err);
        if (kp_passkeys_register(&at->hub->passkeys, at->hub->origin,
                    kp_web_param(&at->web, "flow"),
                    kp_web_param(&at->web, "credential"), &answer, err) < 0)
                return -1;
        if (!answer.accepted)
                return hub_refuse(at, "enrol", answer.why, err);
        if (kp_doc_begin(&doc, &at->web, "enrolled", err) < 0)
                return -1;
        kp_doc_link(&doc, "home", "/account", "Klaar");
        return kp_doc_send(&doc, &at->web, 200, err);
}

/* Logging out at a service ends the hub's session; the provider's is out of reach. */
int
hub_slo(struct hub_web *at, struct kp_error *err)
{
        struct kp_message_in in = kp_web_message_in(&at->web, "SAMLRequest");
        struct kp_federation *federation = at->web.env->federation;
        KP_CLEANUP(kp_message_out_done) struct kp_message_out out = { 0 };
        struct kp_federation_verdict verdict = { 0 };
        struct kp_logout logout = { 0 }, answer = { .is_response = true };
        const struct kp_party *from = NULL;
        char issuer[256];

        if (federation->read_issuer(federation, &in, issuer, err) < 0)
                return -1;
        for (size_t i = 0; i < at->hub->n_services; i++)
                if (strcmp(at->hub->services[i]->entity_id, issuer) == 0)
                        from = at->hub->services[i];
        if (at->hub->party.slo_url == NULL || from == NULL)
                return hub_refuse(at, "slo", "no-such-door", err);
        if (federation->read_logout(federation, &in, &at->hub->party, from,
                    kp_clock_ms(at->web.env->clock), &logout, &verdict, err) < 0)
                return -1;
        if (!verdict.accepted || logout.is_response)
                return hub_refuse(at, "slo", "logout-refused", err);
        if (at->session != NULL)
                at->session->alive = false;
        words_logout_received(at->web.env->trace, at->web.role, &logout, &verdict);
        (void)snprintf(
                answer.in_response_to, sizeof(answer.in_response_to), "%s", logout.id);
        (void)snprintf(answer.relay_state, sizeof(answer.relay_state), "%s",
                logout.relay_state);
        (void)snprintf(answer.status[0], sizeof(answer.status[0]), "%s",
                "urn:oasis:names:tc:SAML:2.0:status:Success");
        answer.issue_ms = kp_clock_ms(at->web.env->clock);
        if (federation->build_logout(
                    federation, &at->hub->party, from, &answer, &out, err) < 0)
                return -1;
        words_logout_sent(at->web.env->trace, at->web.role, &answer);
        return kp_web_message(&at->web, &out, err);
}
