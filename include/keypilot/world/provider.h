/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_PROVIDER_H
#define KEYPILOT_WORLD_PROVIDER_H

#include "keypilot/world/directory.h"
#include "keypilot/world/passkeys.h"
#include "keypilot/world/site.h"

/*
 * The identity provider: an HTTP application with a login page, passkeys, sessions, an
 * access policy, and answers to services that ask who somebody is. It may pass logins
 * on to a second provider.
 */

/* A login that is going on: a request that waits, or somebody's own account page. */
struct kp_flow {
        char id[33];
        bool used;
        int64_t made_ms;
        bool has_request; /* false: the person came to the provider itself */
        int peer;         /* whose request: index in `services` */
        struct kp_login_request request;
        char delegated_id[72];   /* our own request to the second provider; "": none */
        bool passkey_page_shown; /* the page where a passkey can be chosen was seen */
};

#define KP_SERVICES_MAX 6
#define KP_FLOWS_MAX 16
struct kp_provider {
        const struct kp_site_env *env;
        const struct kp_actor *actor;
        struct kp_directory directory;
        struct kp_passkeys passkeys;
        struct kp_sessions sessions;
        struct kp_codes codes;
        struct kp_flow flows[KP_FLOWS_MAX];
        size_t n_flows; /* ever begun; the oldest are overwritten */
        const struct kp_party *services[KP_SERVICES_MAX];
        const char *service_roles[KP_SERVICES_MAX];
        size_t n_services;
        const struct kp_party *upstream; /* provider that it passes logins on to */
        char origin[160], entity_id[200], sso_url[200], slo_url[200], acs_url[200];
        struct kp_party party;
};

/*
 * A provider that trusts nobody yet.
 *
 * env, actor         borrowed; the role is "provider" or "provider2"
 * key_pem, cert_pem  of its federation side, borrowed
 * ret                the caller frees it with kp_provider_free()
 * Errors             KP_ENOMEM, KP_EBUG
 */
int kp_provider_new(const struct kp_site_env *env, const struct kp_actor *actor,
        const char *key_pem, const char *cert_pem, struct kp_provider **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_provider_free(struct kp_provider **provider); /* NULL-safe, leaves NULL */

/* As `handle` of struct kp_site. */
int kp_provider_handle(void *provider, const struct kp_request *request,
        struct kp_response *ret, struct kp_error *err);

/*
 * A service, hub or other provider that may ask it.
 *
 * party    borrowed
 * role     how traces name it; borrowed
 * Errors   KP_EBUG there are too many
 */
int kp_provider_trust(struct kp_provider *provider, const struct kp_party *party,
        const char *role, struct kp_error *err) KP_MUST_CHECK;

/* The NameID that a service would get for an account. */
void kp_provider_subject(const struct kp_provider *provider,
        const struct kp_account *account, const char *service_entity, char ret[256]);

/*
 * Something happens to an account here.
 *
 * change   "blocked", "deleted", "renamed", "upn-case"
 */
void kp_provider_change(
        struct kp_provider *provider, struct kp_account *account, const char *change);

/* The help desk gives a person a pass for one login. False where there is no desk. */
bool kp_provider_desk(struct kp_provider *provider, struct kp_account *account);

#endif
