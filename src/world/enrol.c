/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "world_internal.h"

#define MOVES_MAX 10

static const char *
view_error(const struct kp_world *world)
{
        return kp_json_str(
                world->agent.ops->view(world->agent.self)->data, "error", "refused");
}

static int
reach(struct kp_world *world, const struct intent *intent, bool *ret,
        struct kp_error *err)
{
        const struct intent log_in = {
                .to = intent->to,
                .at = "any",
                .with = "password",
                .purpose = "enrol",
                .tenant = intent->tenant,
                .second = intent->second,
        };
        struct kp_attempt *attempt;

        if (person_log_in(world, &log_in, err) < 0)
                return -1;
        /* getting there is part of enrolling, not a login of its own */
        attempt = &world->attempts[--world->n_attempts];
        *ret = attempt->in;
        return 0;
}

/* Pages of the enrolment, until there is a passkey or a reason. */
static int
walk(struct kp_world *world, const struct intent *intent,
        struct kp_enrolment *enrolment, struct kp_error *err)
{
        const char *why = NULL;
        bool extra = false;
        int again = 0;

        for (int i = 0; i < MOVES_MAX && why == NULL && !enrolment->done; i++) {
                const char *page = view_page(world);

                if (strcmp(page, "refused") == 0) {
                        why = view_error(world);
                        enrolment->refused = i <= 1;
                } else if (strcmp(page, "enrolled") == 0) {
                        enrolment->done = true;
                } else if (strcmp(page, "enrol") == 0) {
                        if (person_ceremony(world, intent->pause_ms, &why, err) < 0)
                                return -1;
                } else if (strcmp(page, "home") == 0) {
                        if (!view_has_link(world, "enrol") || again++ > 2) {
                                why = "no-passkeys-here";
                                enrolment->refused = true;
                        } else if (person_follow(world, "enrol", err) < 0) {
                                return -1;
                        }
                } else if (person_extra(world, intent, &extra, err) < 0) {
                        return -1;
                } else if (!extra) {
                        why = strcmp(page, "code") == 0 ? "no-second-factor"
                                                        : "going-round";
                }
        }
        if (why != NULL)
                (void)snprintf(enrolment->reason, sizeof(enrolment->reason), "%s", why);
        return 0;
}

int
person_enrol(struct kp_world *world, const struct intent *intent, struct kp_error *err)
{
        struct kp_enrolment *enrolment;
        bool there = false;

        if (world->n_enrolments == KP_ENROLMENTS_MAX)
                return KP_FAIL(err, KP_EBUG, "more than %d enrolments in one scenario",
                        KP_ENROLMENTS_MAX);
        enrolment = &world->enrolments[world->n_enrolments++];
        *enrolment = (struct kp_enrolment){
                .person = world->person,
                .tenant = intent->tenant,
                .at = intent->to,
        };
        if (reach(world, intent, &there, err) < 0)
                return -1;
        if (!there) {
                (void)snprintf(enrolment->reason, sizeof(enrolment->reason), "%s",
                        world->attempts[world->n_attempts].reason);
                return 0;
        }
        if (walk(world, intent, enrolment, err) < 0)
                return -1;
        if (enrolment->done)
                world_sitting(world)->has_passkey_at[where_of(intent->to)] = true;
        return 0;
}

/* The weakest door that a site leaves open to this person in ordinary times. */
static enum kp_assurance
weakest_door(const struct kp_world *world, const struct intent *intent)
{
        const struct kp_account *account =
                strcmp(intent->to, "service") == 0
                        ? kp_directory_of(&world->service->directory, world->person,
                                  intent->tenant, intent->second)
                        : kp_directory_of(&world->provider->directory, world->person,
                                  intent->tenant, false);
        const struct kp_actor *actor = strcmp(intent->to, "service") == 0
                                               ? &world->env.service
                                               : &world->env.provider;
        bool password = kp_fact_has(actor,
                strcmp(intent->to, "service") == 0 ? "doors" : "methods", "password");

        if (account == NULL)
                return KP_ASSURANCE_NONE;
        if (password && !account->password_off)
                return KP_ASSURANCE_SINGLE;
        return KP_ASSURANCE_PHISHING_RESISTANT;
}

static int
recover_mail(struct kp_world *world, const struct intent *intent,
        const struct kp_codes *codes, struct kp_error *err)
{
        const struct kp_person *as = person_as(world, intent->tenant);
        const char *code;

        person_prompted(world, "mail");
        if (person_submit(world, "recover-mail", err, "login",
                    strcmp(intent->to, "service") == 0 ? as->login : as->upn, NULL) < 0)
                return -1;
        code = kp_code_read(codes, KP_CODE_MAIL, world->person);
        if (code[0] == '\0' || !view_has_form(world, "mail-link"))
                return 0; /* nothing came */
        return person_submit(world, "mail-link", err, "code", code, NULL);
}

static int
recover_desk(struct kp_world *world, const struct intent *intent,
        const struct kp_codes *codes, struct kp_error *err)
{
        bool service = strcmp(intent->to, "service") == 0;
        struct kp_account *account = kp_directory_of(
                service ? &world->service->directory : &world->provider->directory,
                world->person, intent->tenant, service && intent->second);

        if (account == NULL)
                return 0;
        /* no code: no way */
        (void)(service ? kp_service_desk(world->service, account)
                       : kp_provider_desk(world->provider, account));
        person_prompted(world, "help-desk");
        return person_submit(world, "recover-desk", err, "code",
                kp_code_read(codes, KP_CODE_DESK, world->person), NULL);
}

/* Go to the page for people who cannot get in, and try what it offers, best first. */
static int
recovery_page(struct kp_world *world, const struct intent *intent,
        struct kp_way_back *way, struct kp_error *err)
{
        const struct kp_codes *codes = strcmp(intent->to, "service") == 0
                                               ? &world->service->codes
                                               : &world->provider->codes;
        char site[16];

        for (int i = 0; i < 4 && !view_has_link(world, "door-recovery"); i++) {
                (void)snprintf(site, sizeof(site), "%s", view_site(world));
                if (!view_has_form(world, "username") || strcmp(site, intent->to) != 0)
                        return 0;
                if (person_submit(world, "username", err, "login",
                            strcmp(site, "service") == 0
                                    ? person_as(world, intent->tenant)->login
                                    : person_as(world, intent->tenant)->upn,
                            NULL) < 0)
                        return -1;
        }
        if (!view_has_link(world, "door-recovery"))
                return 0;
        if (person_follow(world, "door-recovery", err) < 0)
                return -1;
        if (view_has_form(world, "recover-desk")) {
                (void)snprintf(way->door, sizeof(way->door), "help-desk");
                return recover_desk(world, intent, codes, err);
        }
        if (view_has_form(world, "recover-mail")) {
                (void)snprintf(way->door, sizeof(way->door), "mail");
                return recover_mail(world, intent, codes, err);
        }
        return 0;
}

static const struct kp_session *
newest_session(const struct kp_sessions *sessions)
{
        return &sessions->items[(sessions->n_items - 1) % KP_SESSIONS_MAX];
}

int
person_recover(
        struct kp_world *world, const struct intent *intent, struct kp_error *err)
{
        struct kp_way_back *way = &world->way_back;
        const struct intent doors = {
                .to = intent->to,
                .at = "any",
                .with = "password",
                .purpose = "recover",
                .tenant = intent->tenant,
                .second = intent->second,
        };
        const struct kp_attempt *attempt;
        int before = world->prompts;

        way->tried = true;
        way->weakest = weakest_door(world, intent);
        if (person_log_in(world, &doors, err) < 0)
                return -1;
        attempt = &world->attempts[--world->n_attempts];
        if (attempt->in) {
                way->found = true;
                way->proof = attempt->proof;
                (void)snprintf(way->door, sizeof(way->door), "password");
        } else {
                char url[256];

                if (world->agent.ops->open(world->agent.self,
                            world_start_url(world, intent->to, intent->tenant, url),
                            err) < 0 ||
                        recovery_page(world, intent, way, err) < 0)
                        return -1;
                way->found = strcmp(view_page(world), "home") == 0;
                if (way->found)
                        way->proof =
                                newest_session(strcmp(intent->to, "service") == 0
                                                       ? &world->service->sessions
                                                       : &world->provider->sessions)
                                        ->proof;
        }
        way->prompts = world->prompts - before;
        kp_trace_add(world->env.trace, "person", "recovery",
                "{s:s, s:b, s:s*, s:b, s:i}", "at", intent->to, "found", way->found,
                "door", way->door[0] == '\0' ? NULL : way->door, "weaker_than_door",
                way->found && kp_proof_assurance(&way->proof) < way->weakest, "prompts",
                way->prompts);
        return 0;
}
