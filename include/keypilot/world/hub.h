/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_HUB_H
#define KEYPILOT_WORLD_HUB_H

#include "keypilot/world/directory.h"
#include "keypilot/world/passkeys.h"
#include "keypilot/world/site.h"

/*
 * The hub: a service towards providers and a provider towards services. It passes
 * requests and answers on, with what its profile says gets lost on the way.
 */

/* A login on its way through. */
struct kp_hub_flow {
        char id[33];
        bool used;
        int64_t made_ms;
        bool has_request; /* false: the person came to the hub itself */
        int peer;         /* whose request: index in `services` */
        struct kp_login_request request;
        char forwarded_id[72]; /* our own request to the provider; "": none yet */
};

#define KP_HUB_PEERS_MAX 6
#define KP_HUB_FLOWS_MAX 16
struct kp_hub {
        const struct kp_site_env *env;
        const struct kp_actor *actor;
        struct kp_directory directory; /* made as people come by */
        struct kp_passkeys passkeys;
        struct kp_sessions sessions;
        struct kp_hub_flow flows[KP_HUB_FLOWS_MAX];
        size_t n_flows; /* ever begun; the oldest are overwritten */
        const struct kp_party *services[KP_HUB_PEERS_MAX];
        size_t n_services;
        const struct kp_party *provider; /* the school's */
        char origin[160], entity_id[200], sso_url[200], acs_url[200], slo_url[200];
        struct kp_party party;
};

/*
 * A hub that trusts nobody yet.
 *
 * env, actor         borrowed; the role is "hub"
 * key_pem, cert_pem  of its federation side, borrowed
 * ret                the caller frees it with kp_hub_free()
 * Errors             KP_ENOMEM, KP_EBUG
 */
int kp_hub_new(const struct kp_site_env *env, const struct kp_actor *actor,
        const char *key_pem, const char *cert_pem, struct kp_hub **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_hub_free(struct kp_hub **hub); /* NULL-safe, leaves NULL */

/* As `handle` of struct kp_site. */
int kp_hub_handle(void *hub, const struct kp_request *request, struct kp_response *ret,
        struct kp_error *err);

/*
 * A service that may ask it.
 *
 * party    borrowed
 * Errors   KP_EBUG there are too many
 */
int kp_hub_trust(struct kp_hub *hub, const struct kp_party *party,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * The NameID that a service would get for somebody whom the provider calls `subject`.
 *
 * service_entity  who asks
 */
void kp_hub_subject(const struct kp_hub *hub, const char *subject,
        const char *service_entity, char ret[256]);

#endif
