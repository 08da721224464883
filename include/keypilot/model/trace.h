/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_TRACE_H
#define KEYPILOT_MODEL_TRACE_H

#include <jansson.h>

#include "keypilot/core/clock.h"
#include "keypilot/core/error.h"

/*
 * Traces: what happened in one cell, event by event. This is the privacy boundary: an
 * event type lists the facts that it may carry, and nothing else gets in. Never allowed
 * are ids, handles, keys, signatures, challenges, names, addresses, host names and
 * serial numbers; people and credentials are ordinals ("person": 1, "credential": 2).
 */
struct kp_event_type {
        const char *name;  /* "client.create" */
        const char *facts; /* names separated by spaces, sorted */
        const char *spec;  /* where the step is defined; NULL: ours */
};

/* Terminated by a NULL name; each in its own file src/model/events_<group>.c. */
extern const struct kp_event_type kp_events_ceremony[]; /* client and rp */
extern const struct kp_event_type kp_events_key[];      /* device and authenticator */
extern const struct kp_event_type kp_events_saml[];
extern const struct kp_event_type kp_events_world[]; /* sites, people, directories */
extern const struct kp_event_type kp_events_run[];   /* facts read, steps, invariants */

/* The type of an event by its name, in whichever table; NULL: there is none. */
const struct kp_event_type *kp_event_type_find(const char *name);

struct kp_trace;

/*
 * An empty trace.
 *
 * clock    borrowed; the time of an event is told since the trace began, in ms
 * ret      the caller frees it with kp_trace_free()
 * Errors   KP_ENOMEM
 */
int kp_trace_new(const struct kp_clock *clock, struct kp_trace **ret,
        struct kp_error *err) KP_MUST_CHECK;
void kp_trace_free(struct kp_trace **trace); /* NULL-safe, leaves NULL */

/*
 * Append an event. NULL-safe for `trace`. What goes wrong (memory, a fact that the
 * event type does not list, an unknown event) is kept for kp_trace_check().
 *
 * who      the actor: "agent", "client", "key", "service", "provider", "hub"...
 * format   jansson's json_pack format for an object, "{s:s, s:b}"; "s*" leaves NULL
 *          out. Values are booleans, integers, short strings of a fixed vocabulary, or
 *          arrays of those
 */
void kp_trace_add(struct kp_trace *trace, const char *who, const char *event,
        const char *format, ...);

/* Errors   KP_EBUG with the offending event or fact; KP_ENOMEM */
int kp_trace_check(const struct kp_trace *trace, struct kp_error *err) KP_MUST_CHECK;

/* Array of { "t", "who", "event", ...facts }; borrowed. */
const json_t *kp_trace_events(const struct kp_trace *trace);

#endif
