/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/pilot/judge.h"
#include "keypilot/saml/saml.h"

#define SIDES 4 /* service, provider, second provider, hub */

/* One cell at work. */
struct cell {
        const struct kp_cell_input *input;
        const struct kp_scenario *scenario;
        struct kp_clock clock;
        struct kp_random *random;
        struct kp_trace *trace;
        struct kp_assumptions *assumptions;
        struct kp_federation *federation;
        const struct kp_authenticator_profile *key_profile; /* NULL: a real key */
        const char *key;
        struct kp_world_env world;
};

/*
 * What costs more to load than a cell costs to run stays for the life of the process:
 * key profiles, and the test keys of the federation's sides. Keyed by path, so that
 * another folder of fixtures has its own. Workers are processes: nobody else reaches in
 * here.
 */
#define CACHED_MAX 96
static struct cached {
        char *path;
        struct kp_authenticator_profile *profile;
        char *text;
} cache[CACHED_MAX];
static size_t n_cached;

static struct cached *
cache_find(const char *path)
{
        for (size_t i = 0; i < n_cached; i++)
                if (strcmp(cache[i].path, path) == 0)
                        return &cache[i];
        return NULL;
}

static struct cached *
cache_add(const char *path)
{
        struct cached *item;

        if (n_cached == CACHED_MAX)
                kp_cell_cache_clear();
        item = &cache[n_cached];
        if ((item->path = strdup(path)) != NULL)
                n_cached++;
        return item->path == NULL ? NULL : item;
}

void
kp_cell_cache_clear(void)
{
        for (size_t i = 0; i < n_cached; i++) {
                free(cache[i].path);
                free(cache[i].text);
                kp_authenticator_profile_free(&cache[i].profile);
                cache[i] = (struct cached){ 0 };
        }
        n_cached = 0;
}

static int
cached_profile(const char *fixtures_dir, const char *path,
        const struct kp_authenticator_profile **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        struct cached *item = cache_find(path);

        if (item == NULL) {
                if (kp_authenticator_profile_load_from(
                            fixtures_dir, path, &profile, err) < 0)
                        return -1;
                if ((item = cache_add(path)) == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "key profile");
                item->profile = KP_STEAL(profile);
        }
        *ret = item->profile;
        return 0;
}

static int
cached_text(const char *path, const char **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct cached *item = cache_find(path);

        if (item == NULL) {
                if (kp_file_read(path, KP_JSON_MAX, &text, err) < 0)
                        return -1;
                if ((item = cache_add(path)) == NULL ||
                        (item->text = strdup(kp_buf_str(&text))) == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "test key");
        }
        *ret = item->text;
        return 0;
}

void
kp_cell_result_done(struct kp_cell_result *result)
{
        kp_json_free(&result->unknown);
        kp_json_free(&result->rests_on);
        kp_json_free(&result->trace);
}

static const char *
axis(const struct cell *cell, const char *name)
{
        const char *value = kp_json_str(cell->input->axes, name, "none");

        return value[0] == '\0' ? "none" : value;
}

static bool
is_there(const char *value)
{
        return strcmp(value, "none") != 0;
}

/* The kind of profile that a role has; false: no such role. */
static bool
role_kind(const char *name, size_t role_len, enum kp_kind *ret)
{
        static const struct {
                const char *role;
                enum kp_kind kind;
        } roles[] = {
                { "client", KP_KIND_CLIENT },
                { "client2", KP_KIND_CLIENT },
                { "hub", KP_KIND_HUB },
                { "population", KP_KIND_POPULATION },
                { "provider", KP_KIND_PROVIDER },
                { "provider2", KP_KIND_PROVIDER },
                { "service", KP_KIND_SERVICE },
        };

        for (size_t i = 0; i < KP_NELEMS(roles); i++)
                if (strlen(roles[i].role) == role_len &&
                        strncmp(roles[i].role, name, role_len) == 0) {
                        *ret = roles[i].kind;
                        return true;
                }
        return false;
}

int
kp_cell_check_set(const json_t *set, struct kp_error *err)
{
        const char *name, *dot;
        enum kp_kind kind;
        json_t *value;

        json_object_foreach ((json_t *)set, name, value) {
                dot = strchr(name, '.');
                if (dot == NULL || !role_kind(name, (size_t)(dot - name), &kind))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "'%.60s': expected a role and a fact, as in "
                                "\"service.hrd\"; roles are client, client2, hub, "
                                "population, provider, provider2, service",
                                name);
                if (kp_fact_value_check(kind, dot + 1, value, err) < 0)
                        return KP_WHILE(err, "'%.60s'", name);
        }
        return 0;
}

static int
assumptions_fill(struct cell *cell, struct kp_error *err)
{
        const json_t *sets[] = { cell->scenario->set, cell->input->set };
        const char *name;
        json_t *value;

        if (kp_assumptions_new(&cell->assumptions, err) < 0)
                return -1;
        /* the pilot's settings win over the scenario's own conditions */
        for (size_t i = 0; i < KP_NELEMS(sets); i++) {
                if (kp_cell_check_set(sets[i], err) < 0)
                        return KP_WHILE(err,
                                i == 0 ? "scenario '%s', member 'set'"
                                       : "settings of cell '%.100s'",
                                i == 0 ? cell->scenario->id : cell->input->id);
                json_object_foreach ((json_t *)sets[i], name, value)
                        if (kp_assumptions_set(cell->assumptions, name, value, err) < 0)
                                return -1;
        }
        json_object_foreach ((json_t *)cell->input->take, name, value)
                if (kp_assumptions_take(cell->assumptions, name, value, err) < 0)
                        return -1;
        return 0;
}

/* Axes whose values are words of ours, not names of fixtures. */
static int
words_check(const struct cell *cell, struct kp_error *err)
{
        static const char *const homes[] = { "service", "provider", "both", "hub",
                "none" };
        const char *home = axis(cell, "home"), *event = axis(cell, "event");

        if (!kp_world_event_known(event))
                return KP_FAIL(err, KP_ESCHEMA,
                        "axis 'event': there is no event '%.40s'", event);
        for (size_t i = 0; i < KP_NELEMS(homes); i++)
                if (strcmp(homes[i], home) == 0)
                        return 0;
        return KP_FAIL(err, KP_ESCHEMA,
                "axis 'home': '%.40s': expected service, provider, both, hub or none",
                home);
}

static int
actor_fill(struct cell *cell, const char *role, const char *name, enum kp_kind kind,
        struct kp_actor *ret, struct kp_error *err)
{
        *ret = (struct kp_actor){
                .role = role,
                .assumptions = cell->assumptions,
                .trace = cell->trace,
        };
        if (!is_there(name))
                return 0;
        return kp_fixtures_profile(
                cell->input->fixtures, kind, name, &ret->profile, err);
}

/*
 * What a passkey was enrolled with beforehand is any client that could: what nobody
 * knows about that one opens no branches.
 */
static int
client2_settle(struct cell *cell, struct kp_error *err)
{
        const json_t *facts =
                json_object_get(kp_profile_json(cell->world.client2.profile), "facts");
        const char *name;
        json_t *fact, *values;
        char full[96];

        json_object_foreach ((json_t *)facts, name, fact) {
                (void)snprintf(full, sizeof(full), "client2.%s", name);
                values = json_object_get(fact, "values");
                if (values == NULL ||
                        json_object_get(cell->scenario->set, full) != NULL ||
                        json_object_get(cell->input->set, full) != NULL)
                        continue;
                if (kp_assumptions_set(cell->assumptions, full,
                            json_array_get(values, 0), err) < 0)
                        return -1;
        }
        return 0;
}

static int
actors_fill(struct cell *cell, struct kp_error *err)
{
        struct kp_world_env *world = &cell->world;
        const struct {
                const char *role, *axis;
                enum kp_kind kind;
                struct kp_actor *actor;
                bool required;
        } actors[] = {
                { "service", "service", KP_KIND_SERVICE, &world->service, true },
                { "provider", "provider", KP_KIND_PROVIDER, &world->provider, true },
                { "provider2", "provider2", KP_KIND_PROVIDER, &world->provider2,
                        false },
                { "hub", "hub", KP_KIND_HUB, &world->hub, false },
                { "population", "population", KP_KIND_POPULATION, &world->population,
                        true },
                { "client", "client", KP_KIND_CLIENT, &world->client, true },
                { "client2", "client", KP_KIND_CLIENT, &world->client2, true },
        };

        for (size_t i = 0; i < KP_NELEMS(actors); i++) {
                const char *name = axis(cell, actors[i].axis);

                if (actors[i].required && !is_there(name))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "a cell needs a value on axis '%s'", actors[i].axis);
                if (actor_fill(cell, actors[i].role, name, actors[i].kind,
                            actors[i].actor, err) < 0)
                        return -1;
        }
        return client2_settle(cell, err);
}

static int
sides_fill(struct cell *cell, struct kp_error *err)
{
        static const char *const names[SIDES] = { "saml-sp", "saml-idp-1", "saml-idp-2",
                "saml-hub" };
        const char *dir = kp_fixtures_dir(cell->input->fixtures);

        for (size_t i = 0; i < SIDES; i++) {
                KP_CLEANUP(kp_free_str)
                char *key = kp_format("%s/keys/%s-key.pem", dir, names[i]);
                KP_CLEANUP(kp_free_str)
                char *cert = kp_format("%s/keys/%s.pem", dir, names[i]);

                if (key == NULL || cert == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "test keys");
                if (cached_text(key, &cell->world.key_pem[i], err) < 0 ||
                        cached_text(cert, &cell->world.cert_pem[i], err) < 0)
                        return -1;
        }
        return 0;
}

static int
new_key(void *self, struct kp_key **ret, struct kp_error *err)
{
        struct cell *cell = self;
        const struct kp_key_env env = {
                .fixtures_dir = kp_fixtures_dir(cell->input->fixtures),
                .clock = &cell->clock,
                .random = cell->random,
                .trace = cell->trace,
                .ledger_path = cell->input->ledger_path,
                .run = cell->input->run,
                .profile = cell->key_profile,
        };

        return kp_key_open(cell->key, cell->input->driver, &env, ret, err);
}

static int
key_fill(struct cell *cell, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        const char *pin;

        cell->key = axis(cell, "key");
        cell->world.new_key = new_key;
        cell->world.new_key_self = cell;
        cell->world.user = cell->input->user;
        cell->world.pin = "";
        if (strncmp(cell->key, "sim:", 4) != 0)
                return 0;
        cell->world.user = NULL;
        if (kp_fixtures_path(cell->input->fixtures, "authenticators", cell->key + 4,
                    &path, err) < 0 ||
                cached_profile(kp_fixtures_dir(cell->input->fixtures), path,
                        &cell->key_profile, err) < 0)
                return -1;
        pin = kp_authenticator_profile_test_pin(cell->key_profile);
        cell->world.pin = pin == NULL ? "" : pin;
        return 0;
}

static bool
is_simulated(const struct cell *cell)
{
        return strncmp(axis(cell, "key"), "sim:", 4) == 0;
}

static int
cell_begin(struct cell *cell, struct kp_error *err)
{
        const struct kp_cell_input *input = cell->input;

        cell->clock = is_simulated(cell) ? kp_clock_simulated() : kp_clock_system();
        if ((is_simulated(cell) ? kp_random_new_seeded(
                                          input->seed, input->id, &cell->random, err)
                                : kp_random_new_system(&cell->random, err)) < 0)
                return -1;
        /* OpenSSL draws from the cell's stream as well, or two runs would differ */
        if (is_simulated(cell))
                kp_random_install(cell->random);
        if (kp_trace_new(&cell->clock, &cell->trace, err) < 0 ||
                kp_fixtures_scenario(
                        input->fixtures, input->scenario, &cell->scenario, err) < 0 ||
                kp_world_check_scenario(cell->scenario, err) < 0 ||
                kp_judge_check_scenario(cell->scenario, err) < 0 ||
                words_check(cell, err) < 0 || assumptions_fill(cell, err) < 0 ||
                actors_fill(cell, err) < 0 || sides_fill(cell, err) < 0 ||
                key_fill(cell, err) < 0 ||
                kp_saml_federation_new(cell->random, &cell->federation, err) < 0)
                return -1;
        cell->world.scenario = cell->scenario;
        cell->world.clock = &cell->clock;
        cell->world.random = cell->random;
        cell->world.trace = cell->trace;
        cell->world.federation = cell->federation;
        cell->world.home = axis(cell, "home");
        cell->world.event = axis(cell, "event");
        return 0;
}

static void
cell_done(struct cell *cell)
{
        if (cell->random != NULL && is_simulated(cell))
                kp_random_install(NULL);
        kp_saml_federation_free(&cell->federation);
        kp_assumptions_free(&cell->assumptions);
        kp_trace_free(&cell->trace);
        kp_random_free(&cell->random);
}

/* What the scenario needs and this set-up cannot do; NULL: nothing. */
static const char *
need_missing(const struct cell *cell)
{
        static const char *const simulated[] = { "account-events", "see-inside",
                "set-clock", "second-key" };
        const json_t *need;
        size_t i;

        json_array_foreach (cell->scenario->needs, i, need) {
                const char *name = json_string_value(need);
                bool can = false;

                for (size_t j = 0; j < KP_NELEMS(simulated); j++)
                        if (strcmp(simulated[j], name) == 0)
                                can = j < 2 || is_simulated(cell);
                if (!can)
                        return name;
        }
        return NULL;
}

static json_t *
unknown_json(const struct cell *cell)
{
        const struct kp_unknown_read *read;
        json_t *list = json_array();

        for (size_t i = 0;
                (read = kp_assumptions_unknown(cell->assumptions, i)) != NULL; i++)
                (void)json_array_append_new(
                        list, json_pack("{s:s, s:O, s:O}", "fact", read->name, "values",
                                      read->values, "taken", read->taken));
        return list;
}

/* The facts that were read and that nobody has verified. */
static json_t *
rests_on_json(const struct cell *cell)
{
        const json_t *event;
        json_t *list = json_array();
        size_t i;

        json_array_foreach (kp_trace_events(cell->trace), i, event) {
                const char *status = kp_json_str(event, "status", "verified");

                if (strcmp(kp_json_str(event, "event", ""), "fact") != 0 ||
                        strcmp(status, "verified") == 0 || strcmp(status, "set") == 0)
                        continue;
                (void)json_array_append_new(list,
                        json_pack("{s:O, s:O, s:s}", "fact",
                                json_object_get(event, "fact"), "value",
                                json_object_get(event, "value"), "status", status));
        }
        return list;
}

static int
result_fill(struct cell *cell, const struct kp_world *world, struct kp_cell_result *ret,
        struct kp_error *err)
{
        struct kp_judgement judgement;

        if (world->not_applicable[0] != '\0') {
                ret->verdict = KP_NOT_APPLICABLE;
                (void)snprintf(ret->why, sizeof(ret->why), "%s", world->not_applicable);
        } else {
                kp_judge(world, &judgement);
                ret->verdict = judgement.verdict;
                memcpy(ret->invariant, judgement.invariant, sizeof(ret->invariant));
                memcpy(ret->why, judgement.why, sizeof(ret->why));
        }
        ret->prompts = world->prompts;
        if (kp_trace_check(cell->trace, err) < 0)
                return -1;
        return 0;
}

static int
records_fill(const struct cell *cell, struct kp_cell_result *ret, struct kp_error *err)
{
        ret->unknown = unknown_json(cell);
        ret->rests_on = rests_on_json(cell);
        ret->trace = json_incref((json_t *)kp_trace_events(cell->trace));
        if (ret->unknown == NULL || ret->rests_on == NULL)
                return KP_FAIL(err, KP_ENOMEM, "result of a cell");
        return 0;
}

static int
cell_run(struct cell *cell, struct kp_cell_result *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_world_free) struct kp_world *world = NULL;
        const char *missing;

        if (cell_begin(cell, err) < 0)
                return -1;
        if ((missing = need_missing(cell)) != NULL) {
                ret->verdict = KP_SKIPPED;
                (void)snprintf(ret->why, sizeof(ret->why),
                        "the scenario needs '%s', which cannot be had here", missing);
                return records_fill(cell, ret, err);
        }
        if (kp_world_new(&cell->world, &world, err) < 0)
                return -1;
        if (world->not_applicable[0] == '\0' && kp_world_run(world, err) < 0) {
                char text[KP_ERROR_TEXT];

                if (err->code != KP_EUNSUPPORTED)
                        return -1;
                (void)snprintf(world->not_applicable, sizeof(world->not_applicable),
                        "%.150s", kp_error_format(err, text, sizeof(text)));
                kp_error_clear(err);
        }
        if (result_fill(cell, world, ret, err) < 0)
                return -1;
        return records_fill(cell, ret, err);
}

int
kp_cell_run(const struct kp_cell_input *input, struct kp_cell_result *ret,
        struct kp_error *err)
{
        struct cell cell = { .input = input };
        int result;

        *ret = (struct kp_cell_result){ 0 };
        result = cell_run(&cell, ret, err);
        cell_done(&cell);
        if (result < 0) {
                kp_cell_result_done(ret);
                return KP_WHILE(err, "cell '%.160s'", input->id);
        }
        return 0;
}
