/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/rule.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/model/outcome.h"
#include "keypilot/model/trace.h"

static const struct kp_field fields[] = {
        { "id", KP_STRING, true, offsetof(struct kp_rule, id) },
        { "title", KP_TEXT, true, offsetof(struct kp_rule, title) },
        { "when", KP_OBJECT, true, offsetof(struct kp_rule, when) },
        { "meaning", KP_TEXT, true, offsetof(struct kp_rule, meaning) },
        { "owner", KP_STRING, true, offsetof(struct kp_rule, owner) },
        { "fix", KP_TEXT, true, offsetof(struct kp_rule, fix) },
        { "spec", KP_STRINGS, true, offsetof(struct kp_rule, spec) },
        { "sources", KP_STRINGS, true, offsetof(struct kp_rule, sources) },
        { "grade", KP_STRING, true, offsetof(struct kp_rule, grade) },
        { "note", KP_STRINGS, false, offsetof(struct kp_rule, note) },
};

struct when {
        json_t *verdict;
        json_t *invariant;
        json_t *trace;
};
static const struct kp_field when_fields[] = {
        { "verdict", KP_ANY, true, offsetof(struct when, verdict) },
        { "invariant", KP_ANY, false, offsetof(struct when, invariant) },
        { "trace", KP_ARRAY, true, offsetof(struct when, trace) },
};

static bool
one_of(const char *word, const char *const *words, size_t n_words)
{
        for (size_t i = 0; i < n_words; i++)
                if (strcmp(words[i], word) == 0)
                        return true;
        return false;
}

static int
words_check(const struct kp_rule *rule, struct kp_error *err)
{
        static const char *const owners[] = { "school", "key-vendor", "browser",
                "provider-vendor", "service-vendor", "tool" };
        static const char *const grades[] = { "A", "B", "C" };

        if (!one_of(rule->owner, owners, KP_NELEMS(owners)))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'owner': expected school, key-vendor, browser, "
                        "provider-vendor, service-vendor or tool, not '%.40s'",
                        rule->owner);
        if (!one_of(rule->grade, grades, KP_NELEMS(grades)))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'grade': expected A (reported), B (reported in parts) "
                        "or "
                        "C (reasoned), not '%.40s'",
                        rule->grade);
        if (json_array_size(rule->spec) == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'spec': expected at least one section");
        return 0;
}

/* A text or an array of texts; the i-th of them, NULL past the end. */
static const char *
nth_text(const json_t *value, size_t i)
{
        if (json_is_array(value))
                return json_string_value(json_array_get(value, i));
        return i == 0 ? json_string_value(value) : NULL;
}

static size_t
n_texts(const json_t *value)
{
        return json_is_array(value) ? json_array_size(value) : 1;
}

static int
verdicts_read(const json_t *value, unsigned *ret, struct kp_error *err)
{
        enum kp_verdict verdict;

        *ret = 0;
        for (size_t i = 0; i < n_texts(value); i++) {
                if (!kp_verdict_parse(nth_text(value, i), &verdict) ||
                        !kp_verdict_fails(verdict))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'when.verdict': expected limits, breaks or "
                                "risk, "
                                "or a list of those");
                *ret |= 1u << verdict;
        }
        if (*ret == 0)
                return KP_FAIL(err, KP_ESCHEMA, "member 'when.verdict': an empty list");
        return 0;
}

static int
invariants_check(const json_t *value, struct kp_error *err)
{
        if (value == NULL)
                return 0;
        for (size_t i = 0; i < n_texts(value); i++)
                if (nth_text(value, i) == NULL)
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'when.invariant': expected a name or a list of "
                                "names");
        return 0;
}

static bool
plain(const json_t *value)
{
        return json_is_string(value) || json_is_integer(value) ||
               json_is_boolean(value) || json_is_null(value);
}

static bool
plain_or_list(const json_t *value)
{
        const json_t *item;
        size_t i;

        json_array_foreach (value, i, item)
                if (!plain(item))
                        return false;
        return plain(value) || json_array_size(value) > 0;
}

/* ---- what a trace can hold ---- */

static bool
event_type_lists(const struct kp_event_type *type, const char *fact)
{
        size_t fact_len = strlen(fact);

        for (const char *at = type->facts; *at != '\0'; at += strspn(at, " ")) {
                size_t len = strcspn(at, " ");

                if (len == fact_len && memcmp(at, fact, len) == 0)
                        return true;
                at += len;
        }
        return false;
}

/* ---- reading ---- */

static int
condition_check(
        const char *event, const char *fact, const json_t *wanted, struct kp_error *err)
{
        const struct kp_event_type *type = kp_event_type_find(event);
        const json_t *negated = json_object_get(wanted, "not");

        if (strcmp(fact, "who") != 0 && !event_type_lists(type, fact))
                return KP_FAIL(err, KP_ESCHEMA,
                        "event '%s' has no fact '%.40s'; it has: %s", event, fact,
                        type->facts);
        if (negated != NULL && json_object_size(wanted) == 1)
                wanted = negated;
        if (!plain_or_list(wanted))
                return KP_FAIL(err, KP_ESCHEMA,
                        "'%.40s': expected a text, number, true, false or null, a list "
                        "of those, or {\"not\": ...}",
                        fact);
        return 0;
}

/* Every event that the pattern allows must have the fact. */
static int
pattern_member(const struct kp_rule_pattern *pattern, const char *name,
        const json_t *value, struct kp_error *err)
{
        if (strcmp(name, "event") == 0 || strcmp(name, "absent") == 0)
                return 0;
        for (size_t i = 0; i < n_texts(pattern->events); i++)
                if (condition_check(nth_text(pattern->events, i), name, value, err) < 0)
                        return -1;
        return 0;
}

static int
events_check(const json_t *events, struct kp_error *err)
{
        if (json_array_size(events) == 0 && !json_is_string(events))
                return KP_FAIL(err, KP_ESCHEMA,
                        "expected an object with 'event', the name of one or a list");
        for (size_t i = 0; i < n_texts(events); i++) {
                const char *event = nth_text(events, i);

                if (event == NULL || kp_event_type_find(event) == NULL)
                        return KP_FAIL(err, KP_ESCHEMA, "no event is called '%.40s'",
                                event == NULL ? "" : event);
        }
        return 0;
}

static int
pattern_read(const json_t *object, struct kp_rule_pattern *ret, struct kp_error *err)
{
        const json_t *absent = json_object_get(object, "absent");
        const char *name;
        json_t *value;

        ret->facts = object;
        ret->events = json_object_get(object, "event");
        ret->absent = absent != NULL;
        if (events_check(ret->events, err) < 0)
                return -1;
        if (absent != NULL && !json_is_true(absent))
                return KP_FAIL(err, KP_ESCHEMA, "'absent': expected true");
        json_object_foreach ((json_t *)object, name, value)
                if (pattern_member(ret, name, value, err) < 0)
                        return -1;
        return 0;
}

static int
when_read(struct kp_rule *rule, struct kp_error *err)
{
        struct when when = { 0 };
        const json_t *item;
        size_t i;

        if (kp_json_read(rule->when, when_fields, KP_NELEMS(when_fields), &when, err) <
                0)
                return KP_WHILE(err, "member 'when'");
        if (verdicts_read(when.verdict, &rule->verdicts, err) < 0 ||
                invariants_check(when.invariant, err) < 0)
                return -1;
        rule->invariants = when.invariant;
        rule->n_conditions = 1 + (when.invariant != NULL);
        if (json_array_size(when.trace) < 1 ||
                json_array_size(when.trace) > KP_RULE_PATTERNS)
                return KP_FAIL(err, KP_ESCHEMA,
                        "member 'when.trace': expected 1 to %d patterns",
                        KP_RULE_PATTERNS);
        json_array_foreach (when.trace, i, item) {
                struct kp_rule_pattern *pattern = &rule->patterns[rule->n_patterns++];

                if (pattern_read(item, pattern, err) < 0)
                        return KP_WHILE(err, "member 'when.trace', pattern %zu", i + 1);
                rule->n_conditions += json_object_size(item) - pattern->absent;
        }
        return 0;
}

static bool
id_is_file_name(const char *id, const char *path)
{
        const char *slash = strrchr(path, '/');
        const char *name = slash == NULL ? path : slash + 1;
        size_t id_len = strlen(id);

        return strncmp(name, id, id_len) == 0 && strcmp(name + id_len, ".json") == 0;
}

int
kp_rule_load(const char *path, struct kp_rule **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = calloc(1, sizeof(*rule));

        if (rule == NULL)
                return KP_FAIL(err, KP_ENOMEM, "rule");
        if (kp_json_load(path, KP_JSON_MAX, &rule->root, err) < 0)
                return -1;
        if (kp_json_read(rule->root, fields, KP_NELEMS(fields), rule, err) < 0 ||
                words_check(rule, err) < 0 || when_read(rule, err) < 0)
                return KP_WHILE(err, "%s", path);
        if (!id_is_file_name(rule->id, path))
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: member 'id': expected the name of the file, not '%.60s'",
                        path, rule->id);
        *ret = KP_STEAL(rule);
        return 0;
}

void
kp_rule_free(struct kp_rule **rule)
{
        if (*rule == NULL)
                return;
        json_decref((*rule)->root);
        free(*rule);
        *rule = NULL;
}

/* ---- matching ---- */

/* Is the fact the value, or a list that contains it? null: absent. */
static bool
fact_has(const json_t *fact, const json_t *value)
{
        const json_t *item;
        size_t i;

        if (json_is_null(value))
                return fact == NULL || json_is_null(fact);
        json_array_foreach (fact, i, item)
                if (json_equal((json_t *)item, (json_t *)value))
                        return true;
        return fact != NULL && json_equal((json_t *)fact, (json_t *)value);
}

static bool
fact_meets(const json_t *fact, const json_t *wanted)
{
        const json_t *item;
        size_t i;

        if (json_is_object(wanted))
                return !fact_meets(fact, json_object_get(wanted, "not"));
        json_array_foreach (wanted, i, item)
                if (fact_has(fact, item))
                        return true;
        return !json_is_array(wanted) && fact_has(fact, wanted);
}

static bool
pattern_fits(const struct kp_rule_pattern *pattern, const json_t *event)
{
        const char *name;
        json_t *wanted;

        if (!fact_meets(json_object_get(event, "event"), pattern->events))
                return false;
        json_object_foreach ((json_t *)pattern->facts, name, wanted) {
                if (strcmp(name, "event") == 0 || strcmp(name, "absent") == 0)
                        continue;
                if (!fact_meets(json_object_get(event, name), wanted))
                        return false;
        }
        return true;
}

static bool
any_fits(const struct kp_rule_pattern *patterns, size_t n_patterns, const json_t *event)
{
        for (size_t i = 0; i < n_patterns; i++)
                if (pattern_fits(&patterns[i], event))
                        return true;
        return false;
}

/*
 * One present pattern with the absent ones before it (present NULL: those at the end).
 *
 * fits     fits[k] says on entry whether the patterns after this one fit into the
 *          events from k on, and on return whether this one and those after it do.
 *          Working from the end looks at each event once a pattern, so no trace can
 *          make it explode
 */
static void
fit_backwards(const struct kp_rule_pattern *present,
        const struct kp_rule_pattern *absent, size_t n_absent, const json_t *trace,
        bool *fits)
{
        size_t n = json_array_size(trace);
        bool after = fits[n];

        fits[n] = present == NULL;
        for (size_t k = n; k-- > 0;) {
                const json_t *event = json_array_get(trace, k);
                bool here = present != NULL && after && pattern_fits(present, event);

                after = fits[k];
                fits[k] = here || (fits[k + 1] && !any_fits(absent, n_absent, event));
        }
}

static bool
trace_fits(const struct kp_rule *rule, const json_t *trace, bool *fits)
{
        const struct kp_rule_pattern *present = NULL;
        size_t end = rule->n_patterns;

        memset(fits, true, json_array_size(trace) + 1);
        while (end > 0 || present != NULL) {
                size_t start = end;

                while (start > 0 && rule->patterns[start - 1].absent)
                        start--;
                if (present != NULL || start < end)
                        fit_backwards(present, &rule->patterns[start], end - start,
                                trace, fits);
                present = start > 0 ? &rule->patterns[start - 1] : NULL;
                end = start > 0 ? start - 1 : 0;
        }
        return fits[0];
}

/* "prompts" stands for "prompts:3" as well. */
static bool
names_have(const json_t *names, const char *name)
{
        for (size_t i = 0; name != NULL && i < n_texts(names); i++) {
                const char *wanted = nth_text(names, i);
                size_t len = strlen(wanted);

                if (strncmp(wanted, name, len) == 0 &&
                        (name[len] == '\0' || name[len] == ':'))
                        return true;
        }
        return false;
}

bool
kp_rule_matches(const struct kp_rule *rule, int verdict, const char *invariant,
        const json_t *trace)
{
        bool *fits, matches;

        if ((rule->verdicts & 1u << verdict) == 0 ||
                (rule->invariants != NULL && !names_have(rule->invariants, invariant)))
                return false;
        if ((fits = malloc(json_array_size(trace) + 1)) == NULL)
                abort(); /* a few hundred bytes; going on would change the answer */
        matches = trace_fits(rule, trace, fits);
        free(fits);
        return matches;
}
