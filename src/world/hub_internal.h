/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_HUB_INTERNAL_H
#define KEYPILOT_WORLD_HUB_INTERNAL_H

#include "keypilot/world/hub.h"

#define HUB_COOKIE "hubsession"
#define HUB_SCHOOL_COOKIE "school"

/* One request at the hub. */
struct hub_web {
        struct kp_web web;
        struct kp_hub *hub;
        struct kp_session *session;
        struct kp_hub_flow *flow;
};

const char *hub_path(const struct hub_web *at, const char *path, char ret[96]);
struct kp_hub_flow *hub_flow_begin(struct kp_hub *hub);
int hub_refuse(struct hub_web *at, const char *door, const char *why,
        struct kp_error *err) KP_MUST_CHECK;
int hub_open_session(struct hub_web *at, struct kp_account *account,
        const struct kp_session *like, const char *door,
        struct kp_error *err) KP_MUST_CHECK;
/* Answer the waiting request from a session. */
int hub_answer(struct hub_web *at, const struct kp_session *session,
        struct kp_error *err) KP_MUST_CHECK;
/* Pass on that it did not work. */
int hub_answer_status(struct hub_web *at, const char status[2][128],
        struct kp_error *err) KP_MUST_CHECK;

int hub_forward(struct hub_web *at, struct kp_error *err);
int hub_acs(struct hub_web *at, struct kp_error *err);
int hub_account(struct hub_web *at, struct kp_error *err);
int hub_passkey_page(struct hub_web *at, struct kp_error *err);
int hub_passkey(struct hub_web *at, struct kp_error *err);
int hub_enrol_page(struct hub_web *at, struct kp_error *err);
int hub_enrol(struct hub_web *at, struct kp_error *err);
int hub_slo(struct hub_web *at, struct kp_error *err);

#endif
