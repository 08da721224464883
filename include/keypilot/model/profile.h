/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_PROFILE_H
#define KEYPILOT_MODEL_PROFILE_H

#include <jansson.h>

#include "keypilot/core/json.h"
#include "keypilot/model/trace.h"

/*
 * Profiles: what is known about one product, fact by fact, each with its source and
 * status. Actors read facts only through kp_fact(), which writes the read into the
 * trace, so an outcome knows what it rests on. What is `unknown` carries its possible
 * values, and a cell that reads it is run once for each.
 *
 * File shape (fixtures/clients, services, providers, hubs, populations):
 *
 *   { "id": "...", "title": { "en", "nl" }, "facts": {
 *       "NAME": { "value": ..., "status": "verified|reported|assumed",
 *                 "source": "..." },
 *       "NAME": { "status": "unknown", "values": [ ... ], "source": "..." } } }
 *
 * The names, types and values that exist are a table per kind, in
 * src/model/facts_<kind>.c.
 */
enum kp_kind {
        KP_KIND_CLIENT,
        KP_KIND_SERVICE,
        KP_KIND_PROVIDER,
        KP_KIND_HUB,
        KP_KIND_POPULATION,
};
const char *kp_kind_name(enum kp_kind kind);   /* "client" */
const char *kp_kind_folder(enum kp_kind kind); /* "clients" */

/* One fact that profiles of a kind state. */
struct kp_fact_type {
        const char *name;
        enum kp_field_type type; /* all but KP_ARRAY and KP_TEXT */
        const char *values;      /* KP_STRING: "a|b|c", the only ones; NULL: any */
        bool optional;           /* absent means null, which kp_fact() returns */
        const char *what;        /* one line for the documentation */
};

/* Terminated by a NULL name; each in its own file src/model/facts_<kind>.c. */
extern const struct kp_fact_type kp_facts_client[];
extern const struct kp_fact_type kp_facts_service[];
extern const struct kp_fact_type kp_facts_provider[];
extern const struct kp_fact_type kp_facts_hub[];
extern const struct kp_fact_type kp_facts_population[];

struct kp_profile;

/*
 * Load a profile.
 *
 * ret      the caller frees it with kp_profile_free()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA unknown, missing or mistyped member or fact,
 *          an unknown without values, an id that is not the file's name
 */
int kp_profile_load(enum kp_kind kind, const char *path, struct kp_profile **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_profile_free(struct kp_profile **profile); /* NULL-safe, leaves NULL */

/* What it says of itself, and the whole file; borrowed. */
const char *kp_profile_id(const struct kp_profile *profile);
struct kp_text kp_profile_title(const struct kp_profile *profile);
const json_t *kp_profile_json(const struct kp_profile *profile);
enum kp_kind kp_profile_kind(const struct kp_profile *profile);

/*
 * One fact as the file has it ({ "value", "status", ... }), for reports; actors use
 * kp_fact(). NULL where an optional fact is absent; a name in no table aborts: our bug.
 */
const json_t *kp_profile_fact(const struct kp_profile *profile, const char *name);

/*
 * Would this value do for the fact?
 *
 * Errors   KP_ESCHEMA no such fact, or what was expected
 */
int kp_fact_value_check(enum kp_kind kind, const char *name, const json_t *value,
        struct kp_error *err) KP_MUST_CHECK;

/*
 * What a run settles on top of the profiles: values that a pilot sets ("service.hrd")
 * and values taken for unknown facts. Keeps the order in which unknown facts were first
 * read.
 */
struct kp_assumptions;
int kp_assumptions_new(struct kp_assumptions **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_assumptions_free(struct kp_assumptions **assumptions);

/*
 * A pilot sets a fact: it wins over the profile.
 *
 * name     "role.fact"
 * value    a reference of its own is taken
 * Errors   KP_ENOMEM
 */
int kp_assumptions_set(struct kp_assumptions *assumptions, const char *name,
        json_t *value, struct kp_error *err) KP_MUST_CHECK;

/* Take this value when the unknown fact is read; without it the first of its values. */
int kp_assumptions_take(struct kp_assumptions *assumptions, const char *name,
        json_t *value, struct kp_error *err) KP_MUST_CHECK;

/* Forget what was read, keep what was set and taken. */
void kp_assumptions_restart(struct kp_assumptions *assumptions);

/* An unknown fact that was read. Borrowed. */
struct kp_unknown_read {
        const char *name;     /* "service.passkey_step" */
        const json_t *values; /* all that it may have */
        const json_t *taken;  /* the one that was used */
};

/* The unknown facts that were read, in order. NULL past the end. */
const struct kp_unknown_read *kp_assumptions_unknown(
        const struct kp_assumptions *assumptions, size_t i);

/* One profile in use by one actor in one cell. Plain data, everything borrowed. */
struct kp_actor {
        const char *role; /* client service provider provider2 hub population */
        const struct kp_profile *profile;
        struct kp_assumptions *assumptions; /* NULL: unknowns take their first value */
        struct kp_trace *trace;             /* NULL: reads are not recorded */
};

/*
 * The value of a fact: what the pilot set, else what the profile says, else the value
 * taken for an unknown. The first read of each (role, fact) is written to the trace.
 *
 * name     must be in the table of the kind: anything else is our bug (aborts)
 * returns  borrowed; JSON null where an optional fact is absent
 */
const json_t *kp_fact(const struct kp_actor *actor, const char *name);

/* The same as text, number or flag; for null they are NULL, 0 and false. */
const char *kp_fact_str(const struct kp_actor *actor, const char *name);
int64_t kp_fact_int(const struct kp_actor *actor, const char *name);
bool kp_fact_bool(const struct kp_actor *actor, const char *name);

/* Is the fact this text? */
bool kp_fact_is(const struct kp_actor *actor, const char *name, const char *value);

#endif
