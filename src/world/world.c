/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/world/world.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/http/transport_inproc.h"

#include "world_internal.h"

enum where
where_of(const char *role)
{
        static const char *const roles[] = { "service", "provider", "provider2",
                "hub" };

        for (size_t i = 0; i < KP_NELEMS(roles); i++)
                if (strcmp(roles[i], role) == 0)
                        return (enum where)i;
        return AT_NOWHERE;
}

struct kp_world_person *
world_sitting(struct kp_world *world)
{
        return &world->people[world->person - 1];
}

const char *
world_start_url(struct kp_world *world, const char *role, int tenant, char ret[256])
{
        switch (where_of(role)) {
        case AT_PROVIDER:
                (void)snprintf(ret, 256, "%s/", world->provider->origin);
                break;
        case AT_PROVIDER2:
                (void)snprintf(ret, 256, "%s/",
                        (world->provider2 != NULL ? world->provider2 : world->provider)
                                ->origin);
                break;
        case AT_HUB:
                (void)snprintf(ret, 256, "%s/",
                        world->hub != NULL ? world->hub->origin
                                           : "https://nowhere.example");
                break;
        case AT_SERVICE:
        case AT_NOWHERE:
                (void)snprintf(ret, 256, "%s/?tenant=%d",
                        kp_service_host(world->service, tenant)->origin, tenant);
                break;
        }
        return ret;
}

static void
site_add(struct kp_world *world, const char *origin, const char *role, void *self,
        int (*handle)(void *, const struct kp_request *, struct kp_response *,
                struct kp_error *))
{
        world->sites[world->n_sites] =
                (struct kp_site){ .origin = origin, .self = self, .handle = handle };
        world->names[world->n_sites++] = (struct kp_named_origin){ origin, role };
}

static void
client_fill(struct kp_world *world, const struct kp_actor *actor, struct kp_client *ret)
{
        *ret = (struct kp_client){
                .actor = *actor,
                .keys = &world->client_key,
                .clock = world->env.clock,
                .random = world->env.random,
                .user = &world->user,
        };
}

static bool
other_needed(const struct kp_scenario *scenario)
{
        const json_t *step;
        size_t i;

        json_array_foreach (scenario->steps, i, step)
                if (strcmp(kp_json_str(step, "to", ""), "other-service") == 0)
                        return true;
        return false;
}

static void
service_sites_add(struct kp_world *world, struct kp_service *service)
{
        for (size_t i = 0; i < service->n_hosts; i++)
                site_add(world, service->hosts[i].origin, "service", &service->hosts[i],
                        kp_service_handle);
}

static int
sites_build(struct kp_world *world, struct kp_error *err)
{
        const struct kp_world_env *env = &world->env;
        const struct kp_site_env *site = &world->site_env;

        if (kp_service_new(site, &env->service, "", world->n_schools, env->key_pem[0],
                    env->cert_pem[0], &world->service, err) < 0 ||
                kp_provider_new(site, &env->provider, env->key_pem[1], env->cert_pem[1],
                        &world->provider, err) < 0)
                return -1;
        if (env->provider2.profile != NULL &&
                kp_provider_new(site, &env->provider2, env->key_pem[2],
                        env->cert_pem[2], &world->provider2, err) < 0)
                return -1;
        if (env->hub.profile != NULL && kp_hub_new(site, &env->hub, env->key_pem[3],
                                                env->cert_pem[3], &world->hub, err) < 0)
                return -1;
        if (other_needed(env->scenario) &&
                kp_service_new(site, &env->service, "other.", world->n_schools,
                        env->key_pem[0], env->cert_pem[0], &world->other, err) < 0)
                return -1;
        service_sites_add(world, world->service);
        if (world->other != NULL)
                service_sites_add(world, world->other);
        site_add(world, world->provider->origin, "provider", world->provider,
                kp_provider_handle);
        if (world->provider2 != NULL)
                site_add(world, world->provider2->origin, "provider2", world->provider2,
                        kp_provider_handle);
        if (world->hub != NULL)
                site_add(world, world->hub->origin, "hub", world->hub, kp_hub_handle);
        return 0;
}

static int
service_connect(
        struct kp_world *world, struct kp_service *service, struct kp_error *err)
{
        service->eip =
                world->hub != NULL ? &world->hub->party : &world->provider->party;
        for (size_t i = 0; i < service->n_hosts; i++) {
                const struct kp_party *party = &service->hosts[i].party;

                if ((world->hub != NULL ? kp_hub_trust(world->hub, party, err)
                                        : kp_provider_trust(world->provider, party,
                                                  "service", err)) < 0)
                        return -1;
        }
        return 0;
}

/* Exchange of metadata: who knows whom. */
static int
sites_connect(struct kp_world *world, struct kp_error *err)
{
        if (world->hub != NULL) {
                world->hub->provider = &world->provider->party;
                if (kp_provider_trust(world->provider, &world->hub->party, "hub", err) <
                        0)
                        return -1;
        }
        if (service_connect(world, world->service, err) < 0 ||
                (world->other != NULL && service_connect(world, world->other, err) < 0))
                return -1;
        if (!kp_fact_is(&world->env.provider, "federates_to", "provider2") ||
                world->provider2 == NULL)
                return 0;
        world->provider->upstream = &world->provider2->party;
        return kp_provider_trust(
                world->provider2, &world->provider->party, "provider", err);
}

static int
agent_build(struct kp_world *world, struct kp_error *err)
{
        struct kp_agent_env env = {
                .clock = world->env.clock,
                .trace = world->env.trace,
                .client = &world->client_in_use,
                .names = world->names,
                .n_names = world->n_sites,
        };

        if ((world->inproc = calloc(1, sizeof(*world->inproc))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "transport");
        *world->inproc = (struct kp_inproc){ world->sites, world->n_sites };
        env.transport = kp_transport_inproc(world->inproc);
        world->user = (struct kp_user){
                .self = world,
                .pin = person_pin,
                .new_pin = person_new_pin,
                .choose = person_pick,
        };
        client_fill(world, &world->env.client, &world->client);
        client_fill(world, &world->env.client2, &world->client2);
        world->client_in_use = &world->client;
        return kp_agent_new_simulated(&env, &world->agent, err);
}

static int
schools_needed(const struct kp_scenario *scenario)
{
        const json_t *step;
        int n = 1;
        size_t i;

        json_array_foreach (scenario->steps, i, step)
                if (kp_json_int(step, "tenant", 1) > n)
                        n = (int)kp_json_int(step, "tenant", 1);
        return n > KP_SCHOOLS_MAX ? KP_SCHOOLS_MAX : n;
}

int
kp_world_new(
        const struct kp_world_env *env, struct kp_world **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_world_free) struct kp_world *world = calloc(1, sizeof(*world));

        if (world == NULL)
                return KP_FAIL(err, KP_ENOMEM, "world");
        world->env = *env;
        world->n_schools = schools_needed(env->scenario);
        world->ledger.place = "school";
        world->site_env = (struct kp_site_env){
                .clock = env->clock,
                .random = env->random,
                .trace = env->trace,
                .federation = env->federation,
                .ledger = &world->ledger,
        };
        world_sit_down(world, 1);
        if (sites_build(world, err) < 0 || sites_connect(world, err) < 0 ||
                agent_build(world, err) < 0 || world_person_need(world, 1, 1, err) < 0)
                return -1;
        world_applicable(world);
        *ret = KP_STEAL(world);
        return 0;
}

void
kp_world_free(struct kp_world **world)
{
        struct kp_world *w = *world;

        if (w == NULL)
                return;
        kp_agent_free(&w->agent);
        for (size_t i = 0; i < KP_PEOPLE_MAX; i++)
                kp_key_close(&w->people[i].key);
        kp_service_free(&w->service);
        kp_service_free(&w->other);
        kp_provider_free(&w->provider);
        kp_provider_free(&w->provider2);
        kp_hub_free(&w->hub);
        OPENSSL_cleanse(w->people, sizeof(w->people)); /* PINs and passwords */
        free(w->inproc);
        free(w);
        *world = NULL;
}
