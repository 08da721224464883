/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_WORLD_H
#define KEYPILOT_WORLD_WORLD_H

#include "keypilot/device/key.h"
#include "keypilot/model/scenario.h"
#include "keypilot/world/agent.h"
#include "keypilot/world/hub.h"
#include "keypilot/world/provider.h"
#include "keypilot/world/service.h"

/*
 * A small school: people with keys and a browser, a service, its providers and a hub,
 * and a record of what really happened. Scenarios' steps run here; nothing is judged
 * here.
 */

/* One try of a person to reach a site. */
struct kp_attempt {
        int number, person, tenant;
        const char *to; /* role of the site that the person wants to reach */
        const char *at; /* role of the site where the person means to prove who he is */
        const char *with;    /* "passkey", "password", "any" */
        const char *purpose; /* "login", "enrol", "recover", "look" */
        bool silent;         /* looking whether somebody is still logged in */
        bool in;
        int account;    /* ordinal at `to`; 0: none */
        int tenant_in;  /* school of that account */
        int owner;      /* the truth: whose account that is */
        bool second;    /* the person's second account is meant */
        bool second_in; /* and that is what was opened */
        struct kp_proof proof;
        char context[128]; /* class that the site believes */
        /* what the site learned of the person; never told */
        char subject[256];  /* NameID */
        char released[512]; /* attributes, "name=value" lines */
        bool other;         /* at the second service */
        int prompts;
        bool passkey_asked; /* the key was asked for anything at all */
        bool passkey_used;  /* and its answer was accepted on the way in */
        bool eip_asked;
        int dead_doors; /* doors that were offered, tried, and did not open */
        char door_missing[24];
        char reason[48]; /* why not in; "" when in */
        bool timed_out;  /* a ceremony ran out of time without a cause that we set */
        bool no_passkey; /* there was no passkey to try with */
        bool left;       /* after the person's account was ended at the provider */
        bool logged_out; /* after the person logged out */
};

/* One try of a person to add a passkey. */
struct kp_enrolment {
        int person, tenant;
        const char *at; /* role of the site */
        bool done;
        bool refused;    /* the site said no before the key was asked */
        char reason[48]; /* why not; "" when done */
};

/* How a person whose key is lost gets in again. */
struct kp_way_back {
        bool tried, found;
        struct kp_proof proof;     /* what it took */
        enum kp_assurance weakest; /* door that was open before the key was lost */
        char door[16];
        int prompts;
};

#define KP_PEOPLE_MAX 3
#define KP_ATTEMPTS_MAX 32
#define KP_ENROLMENTS_MAX 16

/* What the world is made from. Everything borrowed. */
struct kp_world_env {
        const struct kp_scenario *scenario;
        struct kp_clock *clock;
        struct kp_random *random;
        struct kp_trace *trace;
        struct kp_federation *federation;
        struct kp_actor service, provider, population, client; /* always there */
        struct kp_actor provider2, hub; /* profile NULL: not there */
        struct kp_actor client2; /* what a passkey was enrolled with beforehand */
        const char *home;        /* "service", "provider", "both", "hub", "none" */
        const char *event;       /* account event of the axis; "none" */
        /* who answers for a real key; NULL: the simulated person */
        const struct kp_user *user;
        /* Another key of the same kind, for a second person or a replacement. */
        int (*new_key)(void *self, struct kp_key **ret, struct kp_error *err);
        void *new_key_self;
        /* PIN that the people know; "": none. Wiped by its owner. */
        const char *pin;
        /* of each side: 0 service, 1 provider, 2 second provider, 3 hub */
        const char *key_pem[4], *cert_pem[4];
};

struct kp_world {
        struct kp_world_env env;
        struct kp_site_env site_env;
        struct kp_ledger ledger;
        struct kp_service *service;
        struct kp_service *other; /* a second one of the same kind; NULL: not needed */
        struct kp_provider *provider, *provider2;
        struct kp_hub *hub;
        struct kp_site sites[8];
        struct kp_named_origin names[8];
        size_t n_sites;
        struct kp_inproc *inproc;
        struct kp_agent agent;
        struct kp_user user;
        struct kp_client client, client2, *client_in_use;
        struct kp_client_key client_key;
        struct kp_world_person {
                struct kp_person as[KP_SCHOOLS_MAX]; /* in each school */
                bool known[KP_SCHOOLS_MAX];
                struct kp_key *key;
                char pin[64]; /* chosen on the way; "": the one that everybody has */
                bool lost;
                bool has_passkey_at[4]; /* service, provider, second provider, hub */
                bool left, logged_out;
        } people[KP_PEOPLE_MAX];
        int person; /* who sits there now, 1... */
        int n_schools;
        struct kp_attempt attempts[KP_ATTEMPTS_MAX];
        size_t n_attempts;
        bool visiting; /* the last attempt is still going on */
        struct kp_enrolment enrolments[KP_ENROLMENTS_MAX];
        size_t n_enrolments;
        struct kp_way_back way_back;
        unsigned facts;           /* that hold for steps: see steps.c */
        int prompts;              /* of the whole cell */
        int pins_asked;           /* counted by the key's owner */
        char not_applicable[160]; /* why this combination cannot exist; "" */
};

/*
 * Build the sites and the first person's accounts.
 *
 * ret      the caller frees it with kp_world_free()
 * Errors   KP_ENOMEM, KP_EBUG. A combination that cannot exist is no error: it is told
 *          in `not_applicable`, and nothing may be run then
 */
int kp_world_new(const struct kp_world_env *env, struct kp_world **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_world_free(struct kp_world **world); /* NULL-safe, leaves NULL */

/*
 * Run the scenario's steps. A step that fails is an outcome and the next ones go on.
 *
 * Errors   the harness's own only
 */
int kp_world_run(struct kp_world *world, struct kp_error *err) KP_MUST_CHECK;

/*
 * Are verbs and members of a scenario's steps what they should be?
 *
 * Errors   KP_ESCHEMA with the step's number, the verb and the member
 */
int kp_world_check_scenario(
        const struct kp_scenario *scenario, struct kp_error *err) KP_MUST_CHECK;

/* Is there an account event of this name, "none" included? */
bool kp_world_event_known(const char *event);

/* The verbs, NULL past the end; and what each does, for the documentation. */
const char *kp_world_verb(size_t i, const char **ret_members, const char **ret_spec);

#endif
