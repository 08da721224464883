/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "world_internal.h"

/*
 * A person at a browser: looks at the page, does the next sensible thing, and stops
 * when there is none. It knows what it means to do, its names, passwords and PIN, and
 * where it has passkeys; nothing of how sites work inside.
 */

#define MOVES_MAX 24

static struct kp_attempt *
current(struct kp_world *world)
{
        return &world->attempts[world->n_attempts - 1];
}

/* Memory of one try. */
struct drive {
        const struct intent *intent;
        bool typed[4];        /* the name was given to this site */
        bool key_failed[4];   /* the key did not open this site */
        bool other_failed[4]; /* nor did the password */
        bool fallen_back;  /* the intended way is not there: whatever is offered now */
        bool satisfied;    /* the intended proof was accepted, and more is asked */
        int again;         /* times started over */
        const char *stuck; /* why there is no next move; NULL */
};

static bool
wanted_here(const struct drive *drive, const char *site)
{
        const char *at = drive->intent->at;

        if (drive->fallen_back || drive->satisfied || strcmp(at, "any") == 0)
                return true;
        /* the second provider stands in for the first, which passes logins on to it */
        return strcmp(at, site) == 0 ||
               (strcmp(at, "provider") == 0 && strcmp(site, "provider2") == 0);
}

static void
door_missed(struct kp_world *world, struct drive *drive, const char *door)
{
        struct kp_attempt *attempt = current(world);
        const char *page = view_page(world);

        if (attempt->door_missing[0] != '\0')
                return;
        (void)snprintf(
                attempt->door_missing, sizeof(attempt->door_missing), "%s", door);
        kp_trace_add(world->env.trace, "person", "door.missing", "{s:s, s:s, s:s, s:s}",
                "at", drive->intent->at, "door", door, "page", page, "offered",
                view_site(world));
}

/* The intended door is not there: another one, or the end. */
static void
fall_back(
        struct kp_world *world, struct drive *drive, const char *door, const char *why)
{
        door_missed(world, drive, door);
        if (drive->intent->otherwise && !drive->fallen_back)
                drive->fallen_back = true;
        else
                drive->stuck = why;
}

static int
type_name(struct kp_world *world, struct drive *drive, const char *site,
        struct kp_error *err)
{
        const struct kp_person *as = person_as(world, drive->intent->tenant);
        char login[64];

        drive->typed[where_of(site)] = true;
        person_prompted(world, "username");
        if (strcmp(site, "service") != 0)
                (void)snprintf(login, sizeof(login), "%.63s", as->upn);
        else
                (void)snprintf(login, sizeof(login), "%s%.48s",
                        drive->intent->second ? "ouder." : "", as->login);
        return person_submit(world, "username", err, "login", login, NULL);
}

static int
type_password(struct kp_world *world, struct drive *drive, const char *site,
        struct kp_error *err)
{
        person_prompted(world, "password");
        if (person_submit(world, "password", err, "password",
                    person_as(world, drive->intent->tenant)->password, NULL) < 0)
                return -1;
        if (strcmp(view_page(world), "refused") == 0)
                drive->other_failed[where_of(site)] = true;
        return 0;
}

static int
use_key(struct kp_world *world, struct drive *drive, const char *site,
        struct kp_error *err)
{
        struct kp_attempt *attempt = current(world);
        const char *why;

        attempt->passkey_asked = true;
        if (person_ceremony(world, drive->intent->pause_ms, &why, err) < 0)
                return -1;
        if (why == NULL && strcmp(view_page(world), "refused") == 0)
                why = kp_json_str(world->agent.ops->view(world->agent.self)->data,
                        "error", "refused");
        if (why == NULL) {
                attempt->passkey_used = true;
                drive->satisfied = true;
                return 0;
        }
        drive->key_failed[where_of(site)] = true;
        attempt->dead_doors++;
        attempt->timed_out =
                drive->intent->pause_ms == 0 &&
                (strcmp(why, "timed-out") == 0 || strcmp(why, "touch-timed-out") == 0);
        (void)snprintf(attempt->reason, sizeof(attempt->reason), "%s", why);
        return 0;
}

static bool
wants_key(const struct kp_world *world, const struct drive *drive, const char *site)
{
        const struct kp_world_person *who = &world->people[world->person - 1];
        enum where where = where_of(site);

        if (drive->key_failed[where] || strcmp(drive->intent->with, "password") == 0)
                return false;
        /* where another door was meant, the key is tried only where it is known */
        if (drive->fallen_back || drive->satisfied ||
                strcmp(drive->intent->with, "any") == 0 ||
                strcmp(drive->intent->at, "any") == 0)
                return who->has_passkey_at[where] && !who->lost;
        return true;
}

static bool
wants_password(const struct drive *drive, const char *site)
{
        return !drive->other_failed[where_of(site)] &&
               (drive->fallen_back || drive->satisfied ||
                       strcmp(drive->intent->with, "passkey") != 0);
}

/* The key at this site: at once, behind a door or the name. ret false: nowhere */
static int
try_key(struct kp_world *world, struct drive *drive, const char *site, bool *ret,
        struct kp_error *err)
{
        *ret = true;
        if (view_has_form(world, "passkey"))
                return use_key(world, drive, site, err);
        if (view_has_link(world, "door-passkey"))
                return person_follow(world, "door-passkey", err);
        if (view_has_form(world, "username") && !drive->typed[where_of(site)])
                return type_name(world, drive, site, err);
        *ret = false;
        return 0;
}

static int
try_password(struct kp_world *world, struct drive *drive, const char *site, bool *ret,
        struct kp_error *err)
{
        *ret = true;
        if (view_has_form(world, "password"))
                return type_password(world, drive, site, err);
        if (view_has_link(world, "back"))
                return person_follow(world, "back", err);
        if (view_has_form(world, "username") && !drive->typed[where_of(site)])
                return type_name(world, drive, site, err);
        *ret = false;
        return 0;
}

static bool
by_eip(const struct kp_world *world, const struct intent *intent)
{
        const struct kp_account *account = kp_directory_of(&world->service->directory,
                world->person, intent->tenant, intent->second);

        return account == NULL || account->eip;
}

/* On a page of the site where the person means to (or now must) prove who he is. */
static int
here(struct kp_world *world, struct drive *drive, const char *site,
        struct kp_error *err)
{
        bool done = false;

        if (wants_key(world, drive, site)) {
                if (try_key(world, drive, site, &done, err) < 0 || done)
                        return done ? 0 : -1;
        }
        /* somebody without a preference takes the door that his account is known by */
        if (strcmp(site, "service") == 0 && view_has_link(world, "door-eip") &&
                by_eip(world, drive->intent) &&
                (drive->fallen_back || strcmp(drive->intent->at, "any") == 0))
                return person_follow(world, "door-eip", err);
        if (strcmp(site, "hub") == 0 && view_has_link(world, "door-provider"))
                return person_follow(world, "door-provider", err);
        if (wants_password(drive, site)) {
                if (try_password(world, drive, site, &done, err) < 0 || done)
                        return done ? 0 : -1;
        }
        if (strcmp(drive->intent->at, "any") == 0 && view_has_form(world, "username") &&
                !drive->typed[where_of(site)])
                return type_name(world, drive, site, err);
        if (drive->fallen_back || strcmp(drive->intent->with, "any") == 0)
                drive->stuck = "no-door-left";
        else
                fall_back(world, drive, drive->intent->with,
                        drive->key_failed[where_of(site)] ? "key-did-not-open"
                                                          : "door-not-offered");
        return 0;
}

/* On the way to the site where the person means to prove who he is. */
static int
elsewhere(struct kp_world *world, struct drive *drive, const char *site,
        struct kp_error *err)
{
        bool from_service = strcmp(site, "service") == 0;

        if (from_service && view_has_link(world, "door-eip"))
                return person_follow(world, "door-eip", err);
        if (strcmp(site, "hub") == 0 && view_has_link(world, "door-provider"))
                return person_follow(world, "door-provider", err);
        if (from_service && view_has_form(world, "username") &&
                !drive->typed[AT_SERVICE])
                return type_name(world, drive, site, err);
        fall_back(world, drive, from_service ? "eip" : drive->intent->with,
                from_service ? "door-not-offered" : "sent-elsewhere");
        return 0;
}

static int
recovery_desk(struct kp_world *world, const struct intent *intent, bool *ret,
        struct kp_error *err)
{
        const char *site = view_site(world);
        struct kp_provider *provider =
                strcmp(site, "provider2") == 0 ? world->provider2 : world->provider;
        struct kp_account *account;
        const char *code;

        *ret = false;
        if (!view_has_link(world, "door-recovery") || strcmp(site, "service") == 0)
                return 0;
        account = kp_directory_of(
                &provider->directory, world->person, intent->tenant, false);
        if (account == NULL || !kp_provider_desk(provider, account))
                return 0;
        *ret = true;
        person_prompted(world, "help-desk");
        if (person_follow(world, "door-recovery", err) < 0)
                return -1;
        code = kp_code_read(&provider->codes, KP_CODE_DESK, world->person);
        return person_submit(world, "recover-desk", err, "code", code, NULL);
}

int
person_extra(struct kp_world *world, const struct intent *intent, bool *ret,
        struct kp_error *err)
{
        const char *site = view_site(world), *page = view_page(world);
        const struct kp_codes *codes =
                strcmp(site, "service") == 0     ? &world->service->codes
                : strcmp(site, "provider2") == 0 ? &world->provider2->codes
                                                 : &world->provider->codes;

        *ret = true;
        if (strcmp(page, "confirm") == 0) {
                person_prompted(world, "password");
                return person_submit(world, "confirm", err, "password",
                        person_as(world, intent->tenant)->password, NULL);
        }
        if (strcmp(page, "code") != 0) {
                *ret = false;
                return 0;
        }
        if (!kp_fact_bool(&world->env.population, "second_factor"))
                return recovery_desk(world, intent, ret, err);
        person_prompted(world, "code");
        return person_submit(world, "code", err, "code",
                kp_code_read(codes, KP_CODE_SECOND_FACTOR, world->person), NULL);
}

/* One sensible move on the page that is shown. */
static int
move(struct kp_world *world, struct drive *drive, struct kp_error *err)
{
        char site[16];
        bool done;

        (void)snprintf(site, sizeof(site), "%s", view_site(world));
        if (where_of(site) == AT_NOWHERE) {
                drive->stuck = "no-answer";
                return 0;
        }
        if (strncmp(site, "provider", 8) == 0)
                current(world)->eip_asked = true;
        if (strcmp(view_page(world), "home") == 0 &&
                view_has_link(world, "door-service"))
                return person_follow(world, "door-service", err);
        if (drive->intent->silent) {
                /* only what opens without proving anything: a name is no proof */
                if (strcmp(site, "service") == 0 && view_has_link(world, "door-eip"))
                        return person_follow(world, "door-eip", err);
                if (strcmp(site, "service") == 0 && view_has_form(world, "username") &&
                        !drive->typed[AT_SERVICE])
                        return type_name(world, drive, site, err);
                drive->stuck = "asked-to-log-in";
                return 0;
        }
        if (person_extra(world, drive->intent, &done, err) < 0)
                return -1;
        if (done)
                return 0;
        if (strcmp(view_page(world), "code") == 0) {
                drive->stuck = "no-second-factor";
                return 0;
        }
        return wanted_here(drive, site) ? here(world, drive, site, err)
                                        : elsewhere(world, drive, site, err);
}

int
person_visit(struct kp_world *world, const struct intent *intent, struct kp_error *err)
{
        const struct kp_world_person *who = world_sitting(world);
        struct kp_attempt *attempt;
        char url[256];

        if (world->n_attempts == KP_ATTEMPTS_MAX)
                return KP_FAIL(err, KP_EBUG, "more than %d attempts in one scenario",
                        KP_ATTEMPTS_MAX);
        attempt = &world->attempts[world->n_attempts++];
        *attempt = (struct kp_attempt){
                .number = (int)world->n_attempts,
                .person = world->person,
                .tenant = intent->tenant,
                .to = intent->to,
                .at = intent->at,
                .with = intent->with,
                .purpose = intent->purpose == NULL ? "login" : intent->purpose,
                .second = intent->second,
                .silent = intent->silent,
                .other = intent->other,
                .left = who->left,
                .logged_out = who->logged_out,
        };
        world->visiting = true;
        kp_clock_advance(world->env.clock, WORLD_TYPING_MS);
        return world->agent.ops->open(world->agent.self,
                world_start_url(world,
                        intent->start == NULL ? intent->to : intent->start,
                        intent->tenant, url),
                err);
}

int
person_choose(struct kp_world *world, const struct intent *intent, const char *door,
        struct kp_error *err)
{
        struct drive drive = { .intent = intent };
        char link[24];

        (void)snprintf(link, sizeof(link), "door-%s", door);
        if (view_has_link(world, link))
                return person_follow(world, link, err);
        if (strcmp(door, "eip") == 0 && strcmp(view_site(world), "service") != 0)
                return 0; /* we were sent through that door already */
        if (strcmp(door, "eip") == 0 && view_has_form(world, "username"))
                return type_name(world, &drive, "service", err);
        if (!view_has_form(world, door) && !view_has_form(world, "username"))
                door_missed(world, &drive, door);
        return 0;
}

/* Where the person ended up, by the site's own page and the site's own books. */
static void
arrival(struct kp_world *world, struct kp_attempt *attempt)
{
        const json_t *data = world->agent.ops->view(world->agent.self)->data;
        enum where where = where_of(attempt->to);
        struct kp_directory *directory =
                where == AT_SERVICE ? &world->service->directory
                : where == AT_HUB   ? &world->hub->directory
                                    : &world->provider->directory;
        struct kp_sessions *sessions = where == AT_SERVICE ? &world->service->sessions
                                       : where == AT_HUB   ? &world->hub->sessions
                                                           : &world->provider->sessions;
        const struct kp_account *account;
        int64_t newest = -1;

        attempt->in = true;
        attempt->reason[0] = '\0';
        attempt->account = (int)kp_json_int(data, "account", 0);
        account = kp_directory_get(directory, attempt->account);
        if (account != NULL) {
                attempt->owner = account->person;
                attempt->tenant_in = account->tenant;
                attempt->second_in = account->second;
        }
        for (size_t i = 0; i < KP_SESSIONS_MAX; i++) {
                const struct kp_session *session = &sessions->items[i];

                if (!session->alive || session->account != attempt->account ||
                        session->began_ms < newest)
                        continue;
                newest = session->began_ms;
                attempt->proof = session->proof;
                (void)snprintf(attempt->context, sizeof(attempt->context), "%s",
                        session->context);
                (void)snprintf(attempt->subject, sizeof(attempt->subject), "%s",
                        session->subject);
                memcpy(attempt->released, session->released, sizeof(attempt->released));
        }
}

static void
attempt_tell(struct kp_world *world, const struct kp_attempt *attempt)
{
        kp_trace_add(world->env.trace, "person", "attempt",
                "{s:s, s:i, s:i, s:s, s:s, s:s, s:b, s:i, s:b, s:i, s:s, s:i, s:b, "
                "s:b, "
                "s:b, s:s*, s:s*, s:b}",
                "purpose", attempt->purpose, "number", attempt->number, "person",
                attempt->person, "to", attempt->to, "door", attempt->at, "with",
                attempt->with, "in", attempt->in, "account", attempt->account, "own",
                attempt->in && attempt->owner == attempt->person, "tenant",
                attempt->tenant_in, "assurance",
                kp_assurance_name(kp_proof_assurance(&attempt->proof)), "prompts",
                attempt->prompts, "passkey_asked", attempt->passkey_asked,
                "passkey_used", attempt->passkey_used, "eip_asked", attempt->eip_asked,
                "reason", attempt->reason[0] == '\0' ? NULL : attempt->reason,
                "door_missing",
                attempt->door_missing[0] == '\0' ? NULL : attempt->door_missing,
                "silent", attempt->silent);
        world->visiting = false;
}

static bool
arrived(const struct kp_world *world, const char *to)
{
        const char *site = view_site(world);

        return strcmp(view_page(world), "home") == 0 && strcmp(site, to) == 0;
}

/* Refused: start over by another door, where there is one and the person would. */
static int
refused(struct kp_world *world, struct drive *drive, struct kp_error *err)
{
        const char *why = kp_json_str(
                world->agent.ops->view(world->agent.self)->data, "error", "refused");
        char url[256];

        (void)snprintf(
                current(world)->reason, sizeof(current(world)->reason), "%s", why);
        if (!drive->intent->otherwise || drive->again >= 2 || drive->intent->silent) {
                drive->stuck = current(world)->reason;
                return 0;
        }
        drive->again++;
        drive->fallen_back = true;
        memset(drive->typed, 0, sizeof(drive->typed));
        return world->agent.ops->open(world->agent.self,
                world_start_url(world, drive->intent->to, drive->intent->tenant, url),
                err);
}

int
person_log_in(struct kp_world *world, const struct intent *intent, struct kp_error *err)
{
        struct drive drive = { .intent = intent };
        struct kp_attempt *attempt;
        int result = 0;

        if (!world->visiting && person_visit(world, intent, err) < 0)
                return -1;
        attempt = current(world);
        attempt->at = intent->at;
        attempt->with = intent->with;
        for (int i = 0; i < MOVES_MAX && result == 0 && drive.stuck == NULL &&
                        !arrived(world, intent->to);
                i++)
                result = strcmp(view_page(world), "refused") == 0
                                 ? refused(world, &drive, err)
                                 : move(world, &drive, err);
        if (result < 0)
                return -1;
        if (arrived(world, intent->to))
                arrival(world, attempt);
        else if (attempt->reason[0] == '\0' || drive.stuck == NULL)
                (void)snprintf(attempt->reason, sizeof(attempt->reason), "%s",
                        drive.stuck == NULL ? "going-round" : drive.stuck);
        attempt_tell(world, attempt);
        return 0;
}

void
person_cannot(struct kp_world *world, const struct intent *intent, const char *reason)
{
        struct kp_attempt *attempt;

        if (world->n_attempts == KP_ATTEMPTS_MAX)
                return;
        if (!world->visiting)
                world->n_attempts++;
        attempt = current(world);
        *attempt = (struct kp_attempt){
                .number = (int)world->n_attempts,
                .person = world->person,
                .tenant = intent->tenant,
                .to = intent->to,
                .at = intent->at,
                .with = intent->with,
                .purpose = "login",
                .left = world_sitting(world)->left,
                .no_passkey = true,
        };
        (void)snprintf(attempt->reason, sizeof(attempt->reason), "%s", reason);
        attempt_tell(world, attempt);
}
