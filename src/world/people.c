/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "world_internal.h"

/*
 * People: the accounts that the school's administrators enter for them, and what they
 * do when a browser asks for the PIN of their key or which passkey they mean.
 */

/* Who vouches for people towards the service, and under which name of this person. */
static void
subject_now(const struct kp_world *world, const struct kp_account *at_provider,
        const char *service_entity, char ret_issuer[256], char ret_subject[256])
{
        char inner[256];

        if (world->hub == NULL) {
                (void)snprintf(ret_issuer, 256, "%s", world->service->eip->entity_id);
                kp_provider_subject(
                        world->provider, at_provider, service_entity, ret_subject);
                return;
        }
        (void)snprintf(ret_issuer, 256, "%s", world->hub->entity_id);
        kp_provider_subject(world->provider, at_provider, world->hub->entity_id, inner);
        kp_hub_subject(world->hub, inner, service_entity, ret_subject);
}

/* The account as the school's administrator enters it: linked to the provider's. */
static int
service_account_add(struct kp_world *world, const struct kp_person *person,
        const struct kp_account *at_provider, bool second, bool eip,
        struct kp_error *err)
{
        const struct kp_service_host *host =
                kp_service_host(world->service, person->tenant);
        struct kp_account *account;

        if (kp_directory_add(&world->service->directory, person, world->env.random,
                    &account, err) < 0)
                return -1;
        account->second = second;
        account->eip = eip && at_provider != NULL;
        if (second)
                (void)snprintf(account->login, sizeof(account->login), "ouder.%.36s",
                        person->login);
        if (!account->eip || world->service->eip == NULL)
                return 0;
        if (second) { /* two accounts cannot both be found by the same values */
                account->upn[0] = account->number[0] = account->mail[0] = '\0';
                return 0;
        }
        memcpy(account->object_id, at_provider->object_id, sizeof(account->object_id));
        if (kp_fact_is(world->service->actor, "account_key", "nameid"))
                subject_now(world, at_provider, host->party.entity_id,
                        account->link_issuer, account->link_subject);
        else
                (void)snprintf(account->link_issuer, sizeof(account->link_issuer), "%s",
                        world->service->eip->entity_id);
        return 0;
}

static int
provider_account_add(struct kp_world *world, struct kp_provider *provider,
        const struct kp_person *person, struct kp_account **ret, struct kp_error *err)
{
        *ret = kp_directory_of(
                &provider->directory, person->ordinal, person->tenant, false);
        if (*ret != NULL)
                return 0;
        return kp_directory_add(
                &provider->directory, person, world->env.random, ret, err);
}

/* A school's provider knows its own people; the second school here has none. */
static bool
has_eip(const struct kp_world *world, int tenant)
{
        return tenant == 1 && kp_fact_bool(&world->env.population, "eip");
}

/* The person's accounts at the service that is in use. */
static int
service_accounts_add(struct kp_world *world, const struct kp_person *as,
        const struct kp_account *at_provider, struct kp_error *err)
{
        const struct kp_actor *population = &world->env.population;
        bool eip =
                at_provider != NULL && kp_fact_is(population, "service_account", "eip");
        const char *second;

        /*
         * Accounts that come into being by logging in are not entered beforehand,
         * unless the service finds people by their names: then it must know these.
         */
        if (!(eip && kp_fact_is(world->service->actor, "unknown_subject", "create") &&
                    !kp_fact_is(world->service->actor, "hrd", "username-first")) &&
                service_account_add(world, as, at_provider, false, eip, err) < 0)
                return -1;
        second = as->tenant == 1 ? kp_fact_str(population, "second_account") : "none";
        if (strcmp(second, "none") == 0)
                return 0;
        return service_account_add(
                world, as, at_provider, true, strcmp(second, "eip") == 0, err);
}

void
world_swap_services(struct kp_world *world)
{
        struct kp_service *service = world->service;

        world->service = world->other;
        world->other = service;
}

int
world_person_need(struct kp_world *world, int person, int tenant, struct kp_error *err)
{
        const struct kp_actor *population = &world->env.population;
        struct kp_world_person *who = &world->people[person - 1];
        struct kp_person *as = &who->as[tenant - 1];
        struct kp_account *at_provider = NULL, *ignored;
        int result;

        if (who->known[tenant - 1])
                return 0;
        who->known[tenant - 1] = true;
        kp_person_make(person, tenant, kp_fact_bool(population, "mail"),
                kp_fact_bool(population, "employee_number"), as);
        (void)snprintf(
                as->role, sizeof(as->role), "%s", kp_fact_str(population, "role"));
        if (has_eip(world, tenant) &&
                provider_account_add(world, world->provider, as, &at_provider, err) < 0)
                return -1;
        if (at_provider != NULL && world->provider->upstream != NULL &&
                provider_account_add(world, world->provider2, as, &ignored, err) < 0)
                return -1;
        if (service_accounts_add(world, as, at_provider, err) < 0)
                return -1;
        if (world->other == NULL)
                return 0;
        world_swap_services(world);
        result = service_accounts_add(world, as, at_provider, err);
        world_swap_services(world);
        return result;
}

int
world_migrate(struct kp_world *world, struct kp_error *err)
{
        struct kp_account *ignored;

        if (world->provider2 == NULL)
                return KP_FAIL(err, KP_EBUG, "migration without a second provider");
        for (size_t i = 0; i < KP_PEOPLE_MAX; i++)
                if (world->people[i].known[0] &&
                        provider_account_add(world, world->provider2,
                                &world->people[i].as[0], &ignored, err) < 0)
                        return -1;
        if (world->hub != NULL) {
                world->hub->provider = &world->provider2->party;
                return kp_provider_trust(
                        world->provider2, &world->hub->party, "hub", err);
        }
        world->service->eip = &world->provider2->party;
        for (size_t i = 0; i < world->service->n_hosts; i++)
                if (kp_provider_trust(world->provider2, &world->service->hosts[i].party,
                            "service", err) < 0)
                        return -1;
        return 0;
}

int
world_key_need(struct kp_world *world, struct kp_error *err)
{
        struct kp_world_person *who = world_sitting(world);

        if (who->key == NULL && !who->lost &&
                world->env.new_key(world->env.new_key_self, &who->key, err) < 0)
                return -1;
        world->client.n_keys = world->client2.n_keys = who->key != NULL;
        if (who->key != NULL)
                world->client_key = (struct kp_client_key){
                        .driver = &who->key->driver,
                        .attachment = who->key->attachment,
                        .real = who->key->real,
                };
        return 0;
}

void
world_sit_down(struct kp_world *world, int person)
{
        world->person = person;
        world->ledger.at_keyboard = person;
}

int
person_pin(void *self, int retries, struct kp_buf *ret, struct kp_error *err)
{
        struct kp_world *world = self;
        const char *pin = world_sitting(world)->pin;

        person_prompted(world, "pin");
        if (world->env.user != NULL)
                return world->env.user->pin(world->env.user->self, retries, ret, err);
        if (pin[0] == '\0')
                pin = world->env.pin;
        if (pin[0] == '\0')
                return 0;
        kp_buf_puts(ret, pin);
        return kp_buf_check(ret, err) < 0 ? -1 : 1;
}

int
person_new_pin(void *self, int64_t min_len, struct kp_buf *ret, struct kp_error *err)
{
        struct kp_world *world = self;
        char *pin = world_sitting(world)->pin;
        int64_t len = min_len < 6 ? 6 : min_len > 63 ? 63 : min_len;

        person_prompted(world, "new-pin");
        if (world->env.user != NULL)
                return world->env.user->new_pin == NULL
                               ? 0
                               : world->env.user->new_pin(
                                         world->env.user->self, min_len, ret, err);
        for (int64_t i = 0; i < len; i++)
                pin[i] = (char)('1' + (i * 4) % 9);
        pin[len] = '\0';
        kp_buf_puts(ret, pin);
        return kp_buf_check(ret, err) < 0 ? -1 : 1;
}

static bool
shows_school(const struct kp_assertion *assertion, int tenant)
{
        char school[24];

        (void)snprintf(school, sizeof(school), "(school %d)", tenant);
        return strstr(assertion->user_name, school) != NULL;
}

/* A person takes the entry with his school in it, else the first that looks right. */
int
person_pick(void *self, const struct kp_assertion *assertions, size_t n_assertions)
{
        struct kp_world *world = self;
        const struct kp_attempt *attempt = &world->attempts[world->n_attempts - 1];
        bool alike = true, right = false;
        int picked = 0;

        person_prompted(world, "choice");
        for (size_t i = 1; i < n_assertions; i++)
                if (strcmp(assertions[i].user_name, assertions[0].user_name) != 0)
                        alike = false;
        for (size_t i = n_assertions; i-- > 0;)
                if (shows_school(&assertions[i], attempt->tenant)) {
                        picked = (int)i;
                        right = true;
                }
        for (size_t i = n_assertions; !right && attempt->second && i-- > 0;)
                if (strncmp(assertions[i].user_name, "ouder.", 6) == 0)
                        picked = (int)i;
        kp_trace_add(world->env.trace, "agent", "passkey.picked",
                "{s:i, s:b, s:i, s:b}", "choices", (int)n_assertions, "alike", alike,
                "picked", picked + 1, "right", right);
        return picked;
}
