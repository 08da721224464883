/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_WORLD_WORLD_INTERNAL_H
#define KEYPILOT_WORLD_WORLD_INTERNAL_H

#include "keypilot/world/world.h"

/* Sites by number: where a passkey can live. */
enum where { AT_SERVICE, AT_PROVIDER, AT_PROVIDER2, AT_HUB, AT_NOWHERE };
enum where where_of(const char *role);

/* What a person means to do. Texts borrowed. */
struct intent {
        const char *to;      /* role of the site to reach */
        const char *at;      /* role of the site to prove oneself at; "any" */
        const char *with;    /* "passkey", "password", "any" */
        const char *purpose; /* NULL: "login" */
        const char *start;   /* role of the site to open first; NULL: `to` */
        bool otherwise;      /* when that is not offered, whatever is */
        bool silent;
        int tenant;
        bool second;      /* the second account */
        bool other;       /* at the second service, which stands in for the first now */
        int64_t pause_ms; /* before the key is touched */
};

/* ---- world.c and people.c ---- */

/* Make sure that a person exists in a school, with accounts. */
int world_person_need(struct kp_world *world, int person, int tenant,
        struct kp_error *err) KP_MUST_CHECK;
/* The key of the person who sits there, opened on first use. */
int world_key_need(struct kp_world *world, struct kp_error *err) KP_MUST_CHECK;
void world_sit_down(struct kp_world *world, int person);
/* The second service takes the place of the first, and back. */
void world_swap_services(struct kp_world *world);
int world_migrate(struct kp_world *world, struct kp_error *err) KP_MUST_CHECK;
const char *world_start_url(
        struct kp_world *world, const char *role, int tenant, char ret[256]);
struct kp_world_person *world_sitting(struct kp_world *world);

/* ---- people.c: kp_user's functions, `self` being the world ---- */
int person_pin(void *self, int retries, struct kp_buf *ret, struct kp_error *err);
int person_new_pin(
        void *self, int64_t min_len, struct kp_buf *ret, struct kp_error *err);
int person_pick(void *self, const struct kp_assertion *assertions, size_t n_assertions);

/* ---- applicable.c ---- */

/* Fill `not_applicable` where this combination cannot exist. */
void world_applicable(struct kp_world *world);

/* ---- person.c ---- */

/* Open the start page for an intent: begins an attempt. */
int person_visit(struct kp_world *world, const struct intent *intent,
        struct kp_error *err) KP_MUST_CHECK;
/* Choose a door of the page by name. */
int person_choose(struct kp_world *world, const struct intent *intent, const char *door,
        struct kp_error *err) KP_MUST_CHECK;
/* Go on until in, refused or stuck: ends the attempt. Visits first if need be. */
int person_log_in(struct kp_world *world, const struct intent *intent,
        struct kp_error *err) KP_MUST_CHECK;
/* An attempt that could not even begin. */
void person_cannot(
        struct kp_world *world, const struct intent *intent, const char *reason);

/* Answer a page that asks for a code or a password. ret false: it asks for nothing */
int person_extra(struct kp_world *world, const struct intent *intent, bool *ret,
        struct kp_error *err) KP_MUST_CHECK;

/* ---- enrol.c ---- */
int person_enrol(struct kp_world *world, const struct intent *intent,
        struct kp_error *err) KP_MUST_CHECK;
int person_recover(struct kp_world *world, const struct intent *intent,
        struct kp_error *err) KP_MUST_CHECK;

/* ---- hands.c: the page that is shown, and what is done with it ---- */
#define WORLD_TYPING_MS 4000 /* reading a page and filling it in */
#define WORLD_TOUCH_MS 2500

const char *view_page(const struct kp_world *world);
const char *view_site(const struct kp_world *world);
bool view_has_form(const struct kp_world *world, const char *id);
bool view_has_link(const struct kp_world *world, const char *id);
void person_prompted(struct kp_world *world, const char *kind);
int person_follow(
        struct kp_world *world, const char *link, struct kp_error *err) KP_MUST_CHECK;
/* Fill in one form: "name", "value", ..., NULL */
int person_submit(struct kp_world *world, const char *form, struct kp_error *err, ...)
        __attribute__((sentinel)) KP_MUST_CHECK;
/* Use the key at this page. ret_why  stable word when nothing was sent; NULL */
int person_ceremony(struct kp_world *world, int64_t pause_ms, const char **ret_why,
        struct kp_error *err) KP_MUST_CHECK;
const struct kp_person *person_as(const struct kp_world *world, int tenant);

#endif
