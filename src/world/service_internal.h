/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_SERVICE_INTERNAL_H
#define KEYPILOT_WORLD_SERVICE_INTERNAL_H

#include "keypilot/world/service.h"

#define SERVICE_COOKIE "sid"
#define SERVICE_STATE_COOKIE "state"

/* One request at one host of the service. */
struct service_web {
        struct kp_web web;
        struct kp_service *service;
        struct kp_service_host *host;
        struct kp_session *session; /* NULL: nobody is logged in */
        int tenant;
};

struct service_route {
        const char *method, *path;
        int (*run)(struct service_web *at, struct kp_error *err);
};

/* An address of this host with the school in it. */
const char *service_path(const struct service_web *at, const char *path, char ret[96]);

/* Every local login ends here: account state, the EIP's rule, the second factor. */
int service_finish_login(struct service_web *at, struct kp_account *account,
        const struct kp_proof *proof, const char *door,
        struct kp_error *err) KP_MUST_CHECK;
/* The login through the EIP too, past the EIP's rule. */
int service_open_session(struct service_web *at, struct kp_account *account,
        const struct kp_session *like, const char *door,
        struct kp_error *err) KP_MUST_CHECK;
int service_refuse(struct service_web *at, const struct kp_account *account,
        const char *door, const char *why, struct kp_error *err) KP_MUST_CHECK;
/* Send the person to the EIP. by  "username", "tile", "all", "enforced" */
int service_route_to_eip(struct service_web *at, const char *by, bool passkey_asked,
        struct kp_error *err) KP_MUST_CHECK;
bool service_has_passkey_door(const struct kp_service *service);

int service_start(struct service_web *at, struct kp_error *err);
int service_username(struct service_web *at, struct kp_error *err);
int service_password(struct service_web *at, struct kp_error *err);
int service_code(struct service_web *at, struct kp_error *err);
int service_passkey_page(struct service_web *at, struct kp_error *err);
int service_passkey(struct service_web *at, struct kp_error *err);
int service_enrol_page(struct service_web *at, struct kp_error *err);
int service_enrol_confirm(struct service_web *at, struct kp_error *err);
int service_enrol(struct service_web *at, struct kp_error *err);
int service_eip(struct service_web *at, struct kp_error *err);
int service_acs(struct service_web *at, struct kp_error *err);
int service_logout(struct service_web *at, struct kp_error *err);
int service_slo(struct service_web *at, struct kp_error *err);
int service_recover_page(struct service_web *at, struct kp_error *err);
int service_recover_mail(struct service_web *at, struct kp_error *err);
int service_recover_code(struct service_web *at, struct kp_error *err);

#endif
