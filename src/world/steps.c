/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/core/json.h"

#include "world_internal.h"

/* Facts that steps need and give. */
enum {
        HAS_PASSKEY = 1u << 0, /* somebody enrolled one */
        IS_VISITING = 1u << 1, /* a page is open, the login not finished */
        WAS_IN = 1u << 2,      /* somebody got in */
        LOST_KEY = 1u << 3,
};

struct step {
        const json_t *object;
        int number;
        const char *reason; /* why it could not be done; NULL */
        const char *fault;  /* what was broken; NULL */
};

struct verb {
        const char *name;
        const char *members; /* that a step may have besides "do" */
        unsigned needs, gives;
        int (*run)(struct kp_world *world, struct step *step, struct kp_error *err);
        const char *spec;
};

/* A fixed word for what a step says, so that it outlives the step. */
static const char *
word(const struct step *step, const char *member, const char *fallback)
{
        static const char *const words[] = { "service", "provider", "hub", "any",
                "home", "passkey", "password", "eip" };
        const char *is = kp_json_str(step->object, member, fallback);

        for (size_t i = 0; i < KP_NELEMS(words); i++)
                if (strcmp(words[i], is) == 0)
                        return words[i];
        return fallback;
}

static int
tenant_of(const struct step *step)
{
        return (int)kp_json_int(step->object, "tenant", 1);
}

static struct intent
intent_of(const struct kp_world *world, const struct step *step)
{
        struct intent intent = {
                .to = word(step, "to", "service"),
                .other = strcmp(kp_json_str(step->object, "to", ""), "other-service") ==
                         0,
                .at = word(step, "at", "any"),
                .with = word(step, "with", "passkey"),
                .start = kp_json_str(step->object, "start", NULL) == NULL
                                 ? NULL
                                 : word(step, "start", "service"),
                .otherwise = kp_json_str(step->object, "otherwise", NULL) != NULL,
                .tenant = tenant_of(step),
                .second = kp_json_str(step->object, "account", NULL) != NULL,
                .pause_ms = kp_json_int(step->object, "pause_s", 0) * 1000,
        };

        if (strcmp(intent.at, "home") != 0)
                return intent;
        /* the passkey lives where the axis says; of several homes, who asks first */
        intent.at = "any";
        for (size_t i = 0; i < 3; i++) {
                static const char *const homes[] = { "service", "provider", "hub" };

                if (strcmp(homes[i], world->env.home) == 0)
                        intent.at = homes[i];
        }
        if (strcmp(world->env.home, "none") == 0)
                intent.with = "password";
        return intent;
}

static int
enrol_at(
        struct kp_world *world, struct step *step, const char *at, struct kp_error *err)
{
        struct intent intent = intent_of(world, step);

        intent.to = intent.at = at;
        if (person_enrol(world, &intent, err) < 0)
                return -1;
        step->reason = world->enrolments[world->n_enrolments - 1].done
                               ? NULL
                               : world->enrolments[world->n_enrolments - 1].reason;
        if (kp_json_bool(step->object, "keep", false))
                return 0;
        return world->agent.ops->forget(world->agent.self, KP_AGENT_WIPE, err);
}

/* Is this one of the places where the step puts a passkey? */
static bool
enrols_at(const struct kp_world *world, const char *at, const char *place)
{
        const char *home = world->env.home;

        if (strcmp(at, "home") != 0)
                return strcmp(at, place) == 0;
        return strcmp(home, place) == 0 ||
               (strcmp(home, "both") == 0 && strcmp(place, "hub") != 0);
}

static int
run_enrol(struct kp_world *world, struct step *step, struct kp_error *err)
{
        static const char *const places[] = { "service", "provider", "hub" };
        const char *at = word(step, "at", "home");
        int result = 0;

        if (world_person_need(world, world->person, tenant_of(step), err) < 0)
                return -1;
        if (kp_json_bool(step->object, "beforehand", false))
                world->client_in_use = &world->client2;
        step->reason = "no-passkey-wanted";
        for (size_t i = 0; i < KP_NELEMS(places) && result == 0; i++)
                if (enrols_at(world, at, places[i]))
                        result = enrol_at(world, step, places[i], err);
        world->client_in_use = &world->client;
        return result;
}

static int
run_visit(struct kp_world *world, struct step *step, struct kp_error *err)
{
        struct intent intent = intent_of(world, step);

        intent.to = word(step, "at", "service");
        if (where_of(intent.to) == AT_NOWHERE)
                intent.to = "service";
        intent.at = "any";
        if (world_person_need(world, world->person, intent.tenant, err) < 0)
                return -1;
        return person_visit(world, &intent, err);
}

static int
run_choose(struct kp_world *world, struct step *step, struct kp_error *err)
{
        struct intent intent = intent_of(world, step);

        return person_choose(world, &intent, word(step, "door", "eip"), err);
}

/* Is there a passkey that this login could use? */
static bool
passkey_for(const struct kp_world *world, const struct intent *intent)
{
        const struct kp_world_person *who = &world->people[world->person - 1];
        enum where at = where_of(intent->at);

        if (strcmp(intent->with, "passkey") != 0)
                return true;
        if (at != AT_NOWHERE)
                return who->has_passkey_at[at];
        for (size_t i = 0; i < KP_NELEMS(who->has_passkey_at); i++)
                if (who->has_passkey_at[i])
                        return true;
        return false;
}

/* What two services see when they lay what they were given side by side. */
static void
notes_compare(const struct kp_world *world, const struct kp_attempt *attempt)
{
        for (size_t i = 0; attempt->in && i + 1 < world->n_attempts; i++) {
                const struct kp_attempt *before = &world->attempts[i];

                if (!before->in || before->other || before->person != attempt->person)
                        continue;
                kp_trace_add(world->env.trace, "service", "notes.compared",
                        "{s:b, s:b, s:b}", "same_name",
                        strcmp(before->subject, attempt->subject) == 0, "same_values",
                        before->released[0] != '\0' &&
                                strcmp(before->released, attempt->released) == 0,
                        "hub", world->hub != NULL);
                return;
        }
}

static int
run_log_in(struct kp_world *world, struct step *step, struct kp_error *err)
{
        struct intent intent = intent_of(world, step);
        const struct kp_world_person *who = world_sitting(world);
        struct kp_attempt *attempt;
        int result;

        world->facts &= ~IS_VISITING;
        if (world_person_need(world, world->person, intent.tenant, err) < 0)
                return -1;
        if (!passkey_for(world, &intent) && !intent.otherwise) {
                step->reason = "no-passkey";
                person_cannot(world, &intent, "no-passkey");
                return 0;
        }
        if (intent.other)
                world_swap_services(world);
        result = person_log_in(world, &intent, err);
        if (intent.other)
                world_swap_services(world);
        if (result < 0)
                return -1;
        attempt = &world->attempts[world->n_attempts - 1];
        /* a key that went wrong on purpose is cause enough */
        if (who->key != NULL && kp_key_went_wrong(who->key))
                attempt->timed_out = false;
        if (intent.other)
                notes_compare(world, attempt);
        if (!attempt->in)
                step->reason = attempt->reason;
        return 0;
}

/* One look whether a browser opens the service without being given anything. */
static int
look(struct kp_world *world, int tenant, struct kp_error *err)
{
        const struct intent intent = {
                .to = "service",
                .at = "any",
                .with = "any",
                .purpose = "look",
                .silent = true,
                .tenant = tenant,
        };

        return person_log_in(world, &intent, err);
}

static int
run_look(struct kp_world *world, struct step *step, struct kp_error *err)
{
        return look(world, tenant_of(step), err);
}

static int
run_try_doors(struct kp_world *world, struct step *step, struct kp_error *err)
{
        static const struct {
                const char *at, *with;
        } doors[] = {
                { "service", "passkey" },
                { "service", "password" },
                { "provider", "passkey" },
                { "provider", "password" },
        };
        struct intent intent = intent_of(world, step);

        if (look(world, intent.tenant, err) < 0)
                return -1;
        for (size_t i = 0; i < KP_NELEMS(doors); i++) {
                if (world->attempts[world->n_attempts - 1].in)
                        break; /* one open door is enough to know */
                intent.at = doors[i].at;
                intent.with = doors[i].with;
                if (!passkey_for(world, &intent))
                        continue;
                if (world->agent.ops->forget(world->agent.self, KP_AGENT_WIPE, err) <
                                0 ||
                        person_log_in(world, &intent, err) < 0)
                        return -1;
        }
        return 0;
}

static int
run_log_out(struct kp_world *world, struct step *step, struct kp_error *err)
{
        char url[256], out[280];
        const char *at = word(step, "at", "service"), *query;

        world_sitting(world)->logged_out = true;
        if (strcmp(view_site(world), at) == 0 && view_has_link(world, "logout"))
                return person_follow(world, "logout", err);
        world_start_url(world, at, tenant_of(step), url);
        query = strchr(url, '?');
        (void)snprintf(out, sizeof(out), "%.*slogout%s",
                (int)(query == NULL ? strlen(url) : (size_t)(query - url)), url,
                query == NULL ? "" : query);
        return world->agent.ops->open(world->agent.self, out, err);
}

static const char *
event_of(const struct kp_world *world, const struct step *step)
{
        const char *event = kp_json_str(step->object, "event", "none");

        return strcmp(event, "axis") == 0 ? world->env.event : event;
}

/* An event in the provider's directory, and what the service hears of it. */
static void
event_at_provider(struct kp_world *world, int person, const char *event)
{
        struct kp_account *account =
                kp_directory_of(&world->provider->directory, person, 1, false);
        bool ends = strcmp(event, "blocked") == 0 || strcmp(event, "deleted") == 0;
        bool heard;

        if (account == NULL)
                return;
        kp_provider_change(world->provider, account, event);
        if (strcmp(event, "renamed") == 0) /* and is told so: it types the new name */
                memcpy(world->people[person - 1].as[0].upn, account->upn,
                        sizeof(account->upn));
        if (world->provider->upstream != NULL && world->provider2 != NULL &&
                kp_directory_of(&world->provider2->directory, person, 1, false) != NULL)
                kp_provider_change(world->provider2,
                        kp_directory_of(&world->provider2->directory, person, 1, false),
                        event);
        if (!ends)
                return;
        world->people[person - 1].left = true;
        heard = kp_service_notify(world->service, person, account->state);
        kp_trace_add(world->env.trace, "school", "account.event", "{s:s, s:s, s:b}",
                "at", "provider", "change", event, "reaches_service", heard);
}

static int
run_account_event(struct kp_world *world, struct step *step, struct kp_error *err)
{
        const char *event = event_of(world, step);
        int person = (int)kp_json_int(step->object, "person", world->person);
        struct kp_account *account;

        if (strcmp(event, "none") == 0)
                return 0;
        if (strcmp(event, "migrate") == 0) {
                kp_trace_add(world->env.trace, "school", "account.event", "{s:s, s:s}",
                        "at", "provider", "change", event);
                return world_migrate(world, err);
        }
        if (strcmp(event, "to-eip") != 0 &&
                strcmp(kp_json_str(step->object, "at", "provider"), "provider") == 0) {
                event_at_provider(world, person, event);
                return 0;
        }
        account = kp_directory_of(
                &world->service->directory, person, tenant_of(step), false);
        if (account != NULL)
                kp_service_change(world->service, account, event);
        return 0;
}

static int
run_wait(struct kp_world *world, struct step *step, struct kp_error *err)
{
        int64_t seconds = kp_json_int(step->object, "seconds", 0);

        (void)err;
        kp_clock_advance(world->env.clock, seconds * 1000);
        kp_trace_add(world->env.trace, "school", "time", "{s:s, s:I}", "why", "wait",
                "passed_s", (json_int_t)seconds);
        return 0;
}

static int
run_lose_key(struct kp_world *world, struct step *step, struct kp_error *err)
{
        struct kp_world_person *who = world_sitting(world);

        (void)step;
        (void)err;
        kp_key_close(&who->key);
        who->lost = true;
        return 0;
}

/* The fault outlives the key: it is the scenario's, which outlives the world. */
static int
run_break_key(struct kp_world *world, struct step *step, struct kp_error *err)
{
        const struct kp_fault *fault = &world->env.scenario->faults[step->number - 1];
        struct kp_world_person *who = world_sitting(world);

        if (world_key_need(world, err) < 0)
                return -1;
        step->fault = fault->id;
        if (who->key == NULL) {
                step->reason = "no-key";
                return 0;
        }
        return kp_key_break(who->key, fault, err);
}

static int
run_mend_key(struct kp_world *world, struct step *step, struct kp_error *err)
{
        struct kp_world_person *who = world_sitting(world);

        (void)step;
        return who->key == NULL ? 0 : kp_key_mend(who->key, err);
}

static int
run_replug_key(struct kp_world *world, struct step *step, struct kp_error *err)
{
        struct kp_world_person *who = world_sitting(world);

        (void)step;
        kp_clock_advance(world->env.clock, WORLD_TYPING_MS);
        return who->key == NULL ? 0 : kp_key_replug(who->key, err);
}

static int
run_recover(struct kp_world *world, struct step *step, struct kp_error *err)
{
        struct intent intent = intent_of(world, step);

        intent.to = word(step, "at", "service");
        if (strcmp(intent.to, "home") == 0)
                intent.to = strcmp(intent.at, "any") == 0 ? "service" : intent.at;
        if (person_recover(world, &intent, err) < 0)
                return -1;
        if (!world->way_back.found)
                step->reason = "no-way-back";
        return 0;
}

static int
browser(struct kp_world *world, const char *how, struct kp_error *err)
{
        if (strcmp(how, "kept") == 0)
                return 0;
        return world->agent.ops->forget(world->agent.self,
                strcmp(how, "closed") == 0 ? KP_AGENT_CLOSE : KP_AGENT_WIPE, err);
}

static int
run_switch_person(struct kp_world *world, struct step *step, struct kp_error *err)
{
        int person = (int)kp_json_int(step->object, "person", 2);

        world_sit_down(world, person);
        if (world_person_need(world, person, tenant_of(step), err) < 0)
                return -1;
        return browser(world, kp_json_str(step->object, "browser", "kept"), err);
}

static int
run_close_browser(struct kp_world *world, struct step *step, struct kp_error *err)
{
        return browser(world, kp_json_str(step->object, "browser", "closed"), err);
}

static int
run_move(struct kp_world *world, struct step *step, struct kp_error *err)
{
        static const char *const places[] = { "school", "elsewhere", "own-device" };
        const char *place = kp_json_str(step->object, "place", "elsewhere");

        (void)err;
        for (size_t i = 0; i < KP_NELEMS(places); i++)
                if (strcmp(places[i], place) == 0)
                        world->ledger.place = places[i];
        return 0;
}

/* clang-format off */
static const struct verb verbs[] = {
        /* name            members                                              needs        gives        run                specification */
        { "account-event", "at event person tenant",                            0,           0,           run_account_event, "RFC 7644 §3.5 where provisioning tells the service" },
        { "break-key",     "fault",                                             0,           0,           run_break_key,     "" },
        { "choose",        "door",                                              IS_VISITING, 0,           run_choose,        "SAML 2.0 Profiles §4.1.3.2" },
        { "close-browser", "browser",                                           0,           0,           run_close_browser, "RFC 6265bis §5.7 (session cookies)" },
        { "enrol",         "account at beforehand keep pause_s tenant",         0,           HAS_PASSKEY, run_enrol,         "WebAuthn L3 §7.1" },
        { "log-in",        "account at otherwise pause_s start tenant to with", 0,           WAS_IN,      run_log_in,        "WebAuthn L3 §7.2; SAML 2.0 Profiles §4.1" },
        { "log-out",       "at tenant",                                         WAS_IN,      0,           run_log_out,       "SAML 2.0 Profiles §4.4" },
        { "look",          "tenant",                                            0,           0,           run_look,          "" },
        { "lose-key",      "",                                                  HAS_PASSKEY, LOST_KEY,    run_lose_key,      "" },
        { "mend-key",      "",                                                  0,           0,           run_mend_key,      "" },
        { "move",          "place",                                             0,           0,           run_move,          "" },
        { "recover",       "account at tenant",                                 LOST_KEY,    0,           run_recover,       "" },
        { "replug-key",    "",                                                  0,           0,           run_replug_key,    "CTAP 2.1 §6.5.5.7" },
        { "switch-person", "browser person tenant",                             0,           0,           run_switch_person, "" },
        { "try-doors",     "account tenant",                                    0,           0,           run_try_doors,     "" },
        { "visit",         "at tenant",                                         0,           IS_VISITING, run_visit,         "" },
        { "wait",          "seconds",                                           0,           0,           run_wait,          "" },
};
/* clang-format on */

static const struct verb *
verb_find(const char *name)
{
        for (size_t i = 0; i < KP_NELEMS(verbs); i++)
                if (strcmp(verbs[i].name, name) == 0)
                        return &verbs[i];
        return NULL;
}

const char *
kp_world_verb(size_t i, const char **ret_members, const char **ret_spec)
{
        if (i >= KP_NELEMS(verbs))
                return NULL;
        *ret_members = verbs[i].members;
        *ret_spec = verbs[i].spec;
        return verbs[i].name;
}

static const char *
missing(const struct kp_world *world, const struct verb *verb)
{
        unsigned lacks = verb->needs & ~world->facts;

        if (lacks & HAS_PASSKEY)
                return "no-passkey";
        if (lacks & LOST_KEY)
                return "no-key-lost";
        if (lacks & WAS_IN)
                return "nobody-was-in";
        return lacks & IS_VISITING ? "no-page-open" : NULL;
}

/* Known before anybody is asked to touch anything: can this key be broken at all? */
static int
keys_breakable(struct kp_world *world, struct kp_error *err)
{
        const json_t *object;
        size_t i;

        json_array_foreach (world->env.scenario->steps, i, object) {
                const struct kp_world_person *who = world_sitting(world);

                if (strcmp(kp_json_str(object, "do", ""), "break-key") != 0)
                        continue;
                if (world_key_need(world, err) < 0)
                        return -1;
                if (who->key != NULL && who->key->real)
                        return KP_FAIL(err, KP_EUNSUPPORTED,
                                "only a simulated key can be made to go wrong");
                return 0;
        }
        return 0;
}

int
kp_world_run(struct kp_world *world, struct kp_error *err)
{
        const json_t *object;
        size_t i;

        if (keys_breakable(world, err) < 0)
                return -1;
        json_array_foreach (world->env.scenario->steps, i, object) {
                struct step step = { .object = object, .number = (int)i + 1 };
                const struct verb *verb = verb_find(kp_json_str(object, "do", ""));
                const char *lacks;

                if (verb == NULL)
                        return KP_FAIL(err, KP_EBUG, "step %zu was not checked", i + 1);
                lacks = missing(world, verb);
                if (lacks == NULL && verb->run(world, &step, err) < 0)
                        return KP_WHILE(err, "step %zu, '%s'", i + 1, verb->name);
                if (lacks == NULL && step.reason == NULL)
                        world->facts |= verb->gives;
                kp_trace_add(world->env.trace, "pilot", "step",
                        "{s:i, s:s, s:s*, s:b, s:s*, s:s*, s:s*, s:s*}", "number",
                        step.number, "step", verb->name, "at",
                        kp_json_str(object, "at", NULL), "done",
                        lacks == NULL && step.reason == NULL, "missing", lacks,
                        "reason",
                        step.reason == NULL || step.reason[0] == '\0' ? NULL
                                                                      : step.reason,
                        "place",
                        strcmp(verb->name, "move") == 0 ? world->ledger.place : NULL,
                        "fault", step.fault);
        }
        return 0;
}
