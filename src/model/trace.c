/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/trace.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FACT_TEXT_MAX 160 /* longest text of a fixed vocabulary: class URIs */

struct kp_trace {
        const struct kp_clock *clock;
        int64_t began_ms;
        json_t *events;
        struct kp_error trouble; /* the first thing that went wrong; KP_OK: nothing */
};

static const struct kp_event_type *const tables[] = {
        kp_events_ceremony,
        kp_events_key,
        kp_events_saml,
        kp_events_world,
        kp_events_run,
};

int
kp_trace_new(const struct kp_clock *clock, struct kp_trace **ret, struct kp_error *err)
{
        struct kp_trace *trace = calloc(1, sizeof(*trace));

        if (trace == NULL || (trace->events = json_array()) == NULL) {
                free(trace);
                return KP_FAIL(err, KP_ENOMEM, "trace");
        }
        trace->clock = clock;
        trace->began_ms = kp_clock_ms(clock);
        *ret = trace;
        return 0;
}

void
kp_trace_free(struct kp_trace **trace)
{
        if (*trace == NULL)
                return;
        json_decref((*trace)->events);
        free(*trace);
        *trace = NULL;
}

const struct kp_event_type *
kp_event_type_find(const char *name)
{
        for (size_t i = 0; i < KP_NELEMS(tables); i++)
                for (const struct kp_event_type *type = tables[i]; type->name != NULL;
                        type++)
                        if (strcmp(type->name, name) == 0)
                                return type;
        return NULL;
}

static bool
fact_listed(const struct kp_event_type *type, const char *fact)
{
        size_t fact_len = strlen(fact);

        for (const char *at = type->facts; (at = strstr(at, fact)) != NULL;
                at += fact_len)
                if ((at == type->facts || at[-1] == ' ') &&
                        (at[fact_len] == ' ' || at[fact_len] == '\0'))
                        return true;
        return false;
}

static bool
value_plain(const json_t *value)
{
        const json_t *item;
        size_t i;

        if (json_is_string(value))
                return json_string_length(value) <= FACT_TEXT_MAX;
        if (!json_is_array(value))
                return json_is_boolean(value) || json_is_integer(value) ||
                       json_is_null(value);
        json_array_foreach (value, i, item)
                if (json_is_array(item) || !value_plain(item))
                        return false;
        return true;
}

/* Nothing passes that its event type does not list: the privacy boundary. */
static int
facts_check(const char *event, json_t *facts, struct kp_error *err)
{
        const struct kp_event_type *type = kp_event_type_find(event);
        const char *name;
        json_t *value;

        if (type == NULL)
                return KP_FAIL(err, KP_EBUG, "trace: no event type '%s'", event);
        json_object_foreach (facts, name, value) {
                if (!fact_listed(type, name))
                        return KP_FAIL(err, KP_EBUG,
                                "trace: event '%s' may not carry '%s'", event, name);
                if (!value_plain(value))
                        return KP_FAIL(err, KP_EBUG,
                                "trace: '%s' of event '%s' is not a short plain value",
                                name, event);
        }
        return 0;
}

static int
event_append(struct kp_trace *trace, const char *who, const char *event, json_t *facts)
{
        json_int_t t = kp_clock_ms(trace->clock) - trace->began_ms;

        if (json_object_set_new(facts, "t", json_integer(t)) < 0 ||
                json_object_set_new(facts, "who", json_string(who)) < 0 ||
                json_object_set_new(facts, "event", json_string(event)) < 0 ||
                json_array_append(trace->events, facts) < 0)
                return KP_FAIL(&trace->trouble, KP_ENOMEM, "trace");
        return 0;
}

void
kp_trace_add(struct kp_trace *trace, const char *who, const char *event,
        const char *format, ...)
{
        json_auto_t *facts = NULL;
        json_error_t at;
        va_list args;

        if (trace == NULL || trace->trouble.code != KP_OK)
                return;
        va_start(args, format);
        facts = json_vpack_ex(&at, 0, format, args);
        va_end(args);
        if (facts == NULL) {
                (void)KP_FAIL(&trace->trouble, KP_EBUG, "trace: event '%s': %s", event,
                        at.text);
                return;
        }
        if (facts_check(event, facts, &trace->trouble) == 0)
                (void)event_append(trace, who, event, facts); /* kept in trouble */
}

int
kp_trace_check(const struct kp_trace *trace, struct kp_error *err)
{
        if (trace->trouble.code == KP_OK)
                return 0;
        *err = trace->trouble;
        return -1;
}

const json_t *
kp_trace_events(const struct kp_trace *trace)
{
        return trace->events;
}
