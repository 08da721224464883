/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_SERVICE_H
#define KEYPILOT_WORLD_SERVICE_H

#include "keypilot/world/directory.h"
#include "keypilot/world/passkeys.h"
#include "keypilot/world/site.h"

/*
 * The service: an HTTP application with home-realm discovery, password, passkey and EIP
 * doors, schools and local sessions. What it does with them its profile's facts decide.
 */

/* An outstanding request to the EIP. */
struct kp_outstanding {
        char token[33]; /* RelayState, and the state cookie's value */
        char request_id[72];
        int tenant;
        int64_t made_ms;
        bool used;
        bool after_passkey; /* a passkey was accepted first, and the EIP demanded too */
};

/* What provisioning will tell the service later. */
struct kp_notice {
        int64_t due_ms;
        int person;
        enum kp_account_state state;
        bool done;
};

#define KP_SCHOOLS_MAX 2
#define KP_OUTSTANDING_MAX 16
struct kp_service {
        const struct kp_site_env *env;
        const struct kp_actor *actor;
        struct kp_directory directory;
        struct kp_passkeys passkeys;
        struct kp_sessions sessions;
        struct kp_codes codes;
        struct kp_outstanding outstanding[KP_OUTSTANDING_MAX];
        size_t n_outstanding; /* ever sent; the oldest are overwritten */
        struct kp_notice notices[8];
        size_t n_notices;
        const struct kp_party *eip; /* provider or hub that it is connected to; NULL */
        size_t n_hosts;
        struct kp_service_host {
                struct kp_service *service;
                int tenant; /* 0: all schools live here */
                char origin[160], entity_id[200], acs_url[200], slo_url[200];
                struct kp_party party;
        } hosts[KP_SCHOOLS_MAX];
};

/*
 * A service that is connected to nobody yet.
 *
 * env, actor         borrowed; the role is "service"
 * prefix             before its host name: a second service of the same kind has its
 *                    own; ""
 * n_schools          1 or 2
 * key_pem, cert_pem  of its federation side, borrowed
 * ret                the caller frees it with kp_service_free()
 * Errors             KP_ENOMEM, KP_EBUG
 */
int kp_service_new(const struct kp_site_env *env, const struct kp_actor *actor,
        const char *prefix, int n_schools, const char *key_pem, const char *cert_pem,
        struct kp_service **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_service_free(struct kp_service **service); /* NULL-safe, leaves NULL */

/* The host of a school: its site's `self` and the start of its addresses. Borrowed. */
struct kp_service_host *kp_service_host(struct kp_service *service, int tenant);

/* As `handle` of struct kp_site. */
int kp_service_handle(void *host, const struct kp_request *request,
        struct kp_response *ret, struct kp_error *err);

/*
 * Something happens to an account here.
 *
 * change   "blocked", "deleted", "to-eip"
 */
void kp_service_change(
        struct kp_service *service, struct kp_account *account, const char *change);

/* The provider's directory changed: it hears of it as its provisioning allows. */
bool kp_service_notify(
        struct kp_service *service, int person, enum kp_account_state state);

/* The help desk gives a person a pass for one login. False where there is no desk. */
bool kp_service_desk(struct kp_service *service, struct kp_account *account);

#endif
