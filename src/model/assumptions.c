/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/model/profile.h"

#define FACT_TEXT_MAX 120 /* of an object's JSON text in a trace */

struct kp_assumptions {
        json_t *set;  /* "role.fact": value */
        json_t *take; /* "role.fact": value */
        json_t *seen; /* "role.fact": true, facts whose first read is in the trace */
        struct kp_unknown_read *reads;
        size_t n_reads;
};

int
kp_assumptions_new(struct kp_assumptions **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_assumptions_free)
        struct kp_assumptions *a = calloc(1, sizeof(*a));

        if (a == NULL || (a->set = json_object()) == NULL ||
                (a->take = json_object()) == NULL || (a->seen = json_object()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "assumptions");
        *ret = KP_STEAL(a);
        return 0;
}

void
kp_assumptions_free(struct kp_assumptions **assumptions)
{
        struct kp_assumptions *a = *assumptions;

        if (a == NULL)
                return;
        kp_assumptions_restart(a);
        json_decref(a->set);
        json_decref(a->take);
        json_decref(a->seen);
        free(a);
        *assumptions = NULL;
}

int
kp_assumptions_set(struct kp_assumptions *assumptions, const char *name, json_t *value,
        struct kp_error *err)
{
        if (json_object_set(assumptions->set, name, value) < 0)
                return KP_FAIL(err, KP_ENOMEM, "assumption '%s'", name);
        return 0;
}

int
kp_assumptions_take(struct kp_assumptions *assumptions, const char *name, json_t *value,
        struct kp_error *err)
{
        if (json_object_set(assumptions->take, name, value) < 0)
                return KP_FAIL(err, KP_ENOMEM, "assumption '%s'", name);
        return 0;
}

void
kp_assumptions_restart(struct kp_assumptions *assumptions)
{
        for (size_t i = 0; i < assumptions->n_reads; i++)
                free((char *)assumptions->reads[i].name);
        free(assumptions->reads);
        assumptions->reads = NULL;
        assumptions->n_reads = 0;
        json_object_clear(assumptions->seen);
}

const struct kp_unknown_read *
kp_assumptions_unknown(const struct kp_assumptions *assumptions, size_t i)
{
        return i < assumptions->n_reads ? &assumptions->reads[i] : NULL;
}

/* Out of memory here would silently lose a branch of the answer: stop instead. */
static void
remember_unknown(struct kp_assumptions *a, const char *name, const json_t *values,
        const json_t *taken)
{
        struct kp_unknown_read *reads;

        for (size_t i = 0; i < a->n_reads; i++)
                if (strcmp(a->reads[i].name, name) == 0)
                        return;
        reads = realloc(a->reads, (a->n_reads + 1) * sizeof(*reads));
        if (reads == NULL)
                abort();
        a->reads = reads;
        reads[a->n_reads] = (struct kp_unknown_read){ strdup(name), values, taken };
        if (reads[a->n_reads++].name == NULL)
                abort();
}

/* Bytes of the head of a text, cut between characters. */
static int
head_len(const struct kp_buf *text)
{
        size_t len = text->len < FACT_TEXT_MAX ? text->len : FACT_TEXT_MAX;

        while (len > 0 && len < text->len && (text->data[len] & 0xc0) == 0x80)
                len--;
        return (int)len;
}

static void
record(const struct kp_actor *actor, const char *name, const json_t *value,
        const char *status)
{
        json_t *seen = actor->assumptions == NULL ? NULL : actor->assumptions->seen;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error ignored = { 0 };

        if (actor->trace == NULL || json_object_get(seen, name) != NULL)
                return;
        /* at worst it is told twice */
        (void)json_object_set_new(seen, name, json_true());
        if (json_is_object(value)) {
                /* events carry plain values: of an object the head of its text */
                if (kp_json_write(value, &text, &ignored) < 0)
                        return;
                kp_trace_add(actor->trace, actor->role, "fact", "{s:s, s:s#, s:s}",
                        "fact", name, "value", kp_buf_str(&text), head_len(&text),
                        "status", status);
                return;
        }
        kp_trace_add(actor->trace, actor->role, "fact", "{s:s, s:O, s:s}", "fact", name,
                "value", value, "status", status);
}

const json_t *
kp_fact(const struct kp_actor *actor, const char *name)
{
        const json_t *fact = kp_profile_fact(actor->profile, name);
        struct kp_assumptions *a = actor->assumptions;
        const char *status = kp_json_str(fact, "status", "verified");
        const json_t *value = json_object_get(fact, "value");
        const json_t *values = json_object_get(fact, "values");
        const json_t *chosen = NULL;
        char full[96];

        (void)snprintf(full, sizeof(full), "%s.%s", actor->role, name);
        if (a != NULL && (chosen = json_object_get(a->set, full)) != NULL) {
                record(actor, full, chosen, "set");
                return chosen;
        }
        if (values != NULL) {
                if (a != NULL)
                        chosen = json_object_get(a->take, full);
                value = chosen != NULL ? chosen : json_array_get(values, 0);
                if (a != NULL)
                        remember_unknown(a, full, values, value);
        }
        if (value == NULL)
                value = json_null();
        record(actor, full, value, status);
        return value;
}

const char *
kp_fact_str(const struct kp_actor *actor, const char *name)
{
        return json_string_value(kp_fact(actor, name));
}

int64_t
kp_fact_int(const struct kp_actor *actor, const char *name)
{
        return json_integer_value(kp_fact(actor, name));
}

bool
kp_fact_bool(const struct kp_actor *actor, const char *name)
{
        return json_is_true(kp_fact(actor, name));
}

bool
kp_fact_is(const struct kp_actor *actor, const char *name, const char *value)
{
        const char *is = kp_fact_str(actor, name);

        return is != NULL && strcmp(is, value) == 0;
}
