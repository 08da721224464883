/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "world_internal.h"

/*
 * Combinations that cannot exist, told before anything runs: a population without an
 * account at the provider in a scenario about the provider, a passkey at a hub where
 * there is none.
 */

/* The first reason counts. Reports translate it: src/report/reasons.c knows each. */
static void
because(struct kp_world *world, const char *reason)
{
        if (world->not_applicable[0] == '\0')
                (void)snprintf(world->not_applicable, sizeof(world->not_applicable),
                        "%s", reason);
}

static void
needs_eip(struct kp_world *world)
{
        if (!kp_fact_bool(&world->env.population, "eip"))
                because(world, "this group has no account at the provider");
        else if (!kp_fact_has(&world->env.service, "doors", "eip"))
                because(world, "the service has no login through the provider");
}

static bool
event_is(const struct kp_world *world, const json_t *step, const char *event)
{
        const char *is = kp_json_str(step, "event", "");

        return strcmp(strcmp(is, "axis") == 0 ? world->env.event : is, event) == 0;
}

/* Does an event of the scenario put the account under the provider on the way? */
static bool
is_switched(const struct kp_world *world)
{
        const json_t *step;
        size_t i;

        json_array_foreach (world->env.scenario->steps, i, step)
                if (event_is(world, step, "to-eip"))
                        return true;
        return false;
}

/* Only an account that logs in through the provider is under its rules. */
static void
needs_eip_account(struct kp_world *world)
{
        needs_eip(world);
        if (!kp_fact_is(&world->env.population, "service_account", "eip") &&
                !is_switched(world))
                because(world, "this group does not log in through the provider");
}

static void
needs_passkeys_at(struct kp_world *world, enum where where)
{
        switch (where) {
        case AT_SERVICE:
                if (!kp_fact_has(&world->env.service, "doors", "passkey"))
                        because(world, "the service has no passkeys");
                break;
        case AT_PROVIDER:
        case AT_PROVIDER2:
                needs_eip(world);
                if (!kp_fact_has(&world->env.provider, "methods", "passkey"))
                        because(world, "the provider has no passkeys");
                break;
        case AT_HUB:
                needs_eip(world);
                if (world->hub == NULL)
                        because(world, "there is no hub");
                else if (!kp_fact_bool(&world->env.hub, "passkeys"))
                        because(world, "the hub has no passkeys");
                break;
        case AT_NOWHERE:
                break;
        }
}

/* What a step at a place needs to exist. */
static void
step_needs(struct kp_world *world, const json_t *step)
{
        const char *verb = kp_json_str(step, "do", ""),
                   *at = kp_json_str(step, "at", "");
        bool enrols = strcmp(verb, "enrol") == 0;

        if (strcmp(at, "home") == 0)
                at = world->env.home;
        if (strcmp(at, "both") == 0) {
                needs_passkeys_at(world, AT_SERVICE);
                needs_passkeys_at(world, AT_PROVIDER);
        } else if (enrols) {
                needs_passkeys_at(world, where_of(at));
        } else if (where_of(at) == AT_PROVIDER && strcmp(verb, "log-in") == 0) {
                needs_eip_account(world);
        } else if (where_of(at) == AT_PROVIDER && !event_is(world, step, "none")) {
                needs_eip(world);
        } else if (where_of(at) == AT_HUB && world->hub == NULL) {
                because(world, "there is no hub");
        }
        if (strcmp(verb, "move") == 0) /* which the provider's rules alone look at */
                needs_eip_account(world);
        if (strcmp(kp_json_str(step, "to", ""), "hub") == 0 && world->hub == NULL)
                because(world, "there is no hub");
        if (strcmp(kp_json_str(step, "account", ""), "second") == 0 &&
                kp_fact_is(&world->env.population, "second_account", "none"))
                because(world, "nobody in this group has a second account");
}

static void
needs_second_provider(struct kp_world *world, const char *missing)
{
        if (world->provider2 == NULL)
                because(world, missing);
        else if (strcmp(world->provider2->origin, world->provider->origin) == 0)
                because(world, "the second provider is the first one");
}

/* A scenario that states conditions of a party needs that party. */
static void
conditions_need(struct kp_world *world)
{
        const char *name;
        json_t *value;

        json_object_foreach (world->env.scenario->set, name, value) {
                if (strncmp(name, "hub.", 4) == 0 && world->hub == NULL)
                        because(world, "there is no hub");
                if (strncmp(name, "provider2.", 10) == 0 && world->provider2 == NULL)
                        because(world, "there is no second provider");
        }
}

void
world_applicable(struct kp_world *world)
{
        const json_t *step;
        size_t i;

        conditions_need(world);
        if (world->hub != NULL && !kp_fact_bool(&world->env.service, "hub_logins"))
                because(world, "nobody reaches this service through a hub");
        if (strcmp(world->env.home, "hub") == 0)
                needs_passkeys_at(world, AT_HUB);
        if (kp_fact_is(&world->env.provider, "federates_to", "provider2"))
                needs_second_provider(
                        world, "there is no second provider to pass logins on to");
        if (kp_fact_is(&world->env.service, "hrd", "all"))
                needs_eip(world);
        json_array_foreach (world->env.scenario->steps, i, step) {
                step_needs(world, step);
                if (event_is(world, step, "to-eip"))
                        needs_eip(world);
                if (event_is(world, step, "migrate"))
                        needs_second_provider(
                                world, "there is no second provider to move to");
        }
}
