/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_MODEL_RULE_H
#define KEYPILOT_MODEL_RULE_H

#include "keypilot/core/json.h"

/*
 * Rules: what a trace must look like to have one cause, and what that cause means. A
 * rule explains; it never decides: with every rule removed all verdicts stay as they
 * are. It knows events and facts, never a product, a scenario or a cell. File shape:
 * fixtures/schema/rule.schema.json; how to write one: docs/adding-a-rule.md
 *
 *   "when": {
 *     "verdict": "breaks",                    or a list: any of them
 *     "invariant": "gets-in",                 or a list
 *     "trace": [                              in this order, other events between them
 *       { "event": "client.get", "who": "client", "reason": ["a", "b"] },
 *       { "event": "rp.accepted", "absent": true } ] }
 *
 * "event" may be a list as well. A fact in a pattern (or the actor, "who") is a value,
 * a list (any of them), or { "not": value or list }; null stands for an absent fact,
 * and a value meets a list-valued fact that contains it. An absent pattern forbids such
 * an event between its neighbours. "invariant": "prompts" stands for "prompts:3" as
 * well.
 */
#define KP_RULE_PATTERNS 12

struct kp_rule_pattern {
        const json_t *events; /* a name, or an array of names: any of them */
        bool absent;
        const json_t *facts; /* the pattern's object, "event" and "absent" included */
};

struct kp_rule {
        const char *id;
        struct kp_text title;
        struct kp_text meaning;
        struct kp_text fix;
        /* school, key-vendor, browser, provider-vendor, service-vendor or tool */
        const char *owner;
        const char *grade; /* evidence: A reported, B reported in parts, C reasoned */
        json_t *spec;      /* strings */
        json_t *sources;   /* strings */
        json_t *when;
        json_t *note;             /* NULL: none */
        unsigned verdicts;        /* set of 1 << enum kp_verdict */
        const json_t *invariants; /* a string, an array of strings, or NULL: any */
        struct kp_rule_pattern patterns[KP_RULE_PATTERNS];
        size_t n_patterns;
        size_t n_conditions; /* how specific it is */
        json_t *root;
};

/*
 * Load a rule.
 *
 * ret      the caller frees it with kp_rule_free()
 * Errors   KP_EIO, KP_EPARSE; KP_ESCHEMA a wrong member, an event or fact that no trace
 *          can have, an id that is not the file's name
 */
int kp_rule_load(
        const char *path, struct kp_rule **ret, struct kp_error *err) KP_MUST_CHECK;
void kp_rule_free(struct kp_rule **rule); /* NULL-safe, leaves NULL */

/*
 * Does the rule fit?
 *
 * verdict    enum kp_verdict
 * invariant  the one that failed; NULL or "": none
 * trace      array of events, as of kp_trace_events()
 */
bool kp_rule_matches(const struct kp_rule *rule, int verdict, const char *invariant,
        const json_t *trace);

#endif
