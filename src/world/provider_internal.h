/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_PROVIDER_INTERNAL_H
#define KEYPILOT_WORLD_PROVIDER_INTERNAL_H

#include "keypilot/world/provider.h"

#define PROVIDER_COOKIE "idpsession"

/* One request at the provider. */
struct provider_web {
        struct kp_web web;
        struct kp_provider *provider;
        struct kp_session *session; /* NULL: nobody is logged in */
        struct kp_flow *flow;       /* the login that the address names; NULL: none */
};

struct provider_route {
        const char *method, *path;
        int (*run)(struct provider_web *at, struct kp_error *err);
};

/* An address with the login that is going on in it. */
const char *provider_path(
        const struct provider_web *at, const char *path, char ret[96]);
struct kp_flow *provider_flow_begin(struct kp_provider *provider);
int provider_refuse(struct provider_web *at, const struct kp_account *account,
        const char *door, const char *why, struct kp_error *err) KP_MUST_CHECK;

/* Every login ends here: the account's state, the second factor, and what waits. */
int provider_finish_login(struct provider_web *at, struct kp_account *account,
        const struct kp_proof *proof, const char *door,
        struct kp_error *err) KP_MUST_CHECK;
int provider_open_session(struct provider_web *at, struct kp_account *account,
        const struct kp_session *like, const char *door,
        struct kp_error *err) KP_MUST_CHECK;
/* Ask for a code. */
int provider_code_page(struct provider_web *at, const struct kp_account *account,
        const struct kp_proof *proof, struct kp_error *err) KP_MUST_CHECK;

/* Answer the request that waits, from a session. existing  it was there before */
int provider_answer(struct provider_web *at, const struct kp_session *session,
        bool existing, struct kp_error *err) KP_MUST_CHECK;
int provider_answer_status(struct provider_web *at, const char *status,
        const char *status2, struct kp_error *err) KP_MUST_CHECK;
/* NULL: allowed. Otherwise the stable word of the refusal. Told in the trace. */
const char *provider_policy(const struct provider_web *at);

int provider_delegate(
        struct provider_web *at, const char *by, struct kp_error *err) KP_MUST_CHECK;

int provider_sso(struct provider_web *at, struct kp_error *err);
int provider_login(struct provider_web *at, struct kp_error *err);
int provider_username(struct provider_web *at, struct kp_error *err);
int provider_password(struct provider_web *at, struct kp_error *err);
int provider_passkey_page(struct provider_web *at, struct kp_error *err);
int provider_passkey(struct provider_web *at, struct kp_error *err);
int provider_code(struct provider_web *at, struct kp_error *err);
int provider_federated_acs(struct provider_web *at, struct kp_error *err);
int provider_account(struct provider_web *at, struct kp_error *err);
int provider_launch(struct provider_web *at, struct kp_error *err);
int provider_enrol_page(struct provider_web *at, struct kp_error *err);
int provider_enrol(struct provider_web *at, struct kp_error *err);
int provider_slo(struct provider_web *at, struct kp_error *err);
int provider_logout(struct provider_web *at, struct kp_error *err);
int provider_recover_page(struct provider_web *at, struct kp_error *err);
int provider_recover_mail(struct provider_web *at, struct kp_error *err);
int provider_recover_code(struct provider_web *at, struct kp_error *err);

#endif
