/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/core/json.h"

struct kp_baseline {
        int64_t format;
        const char *pilot;
        json_t *accepted_risks;
        json_t *outcomes;
        json_t *note;
        json_t *seen; /* ids that came */
        json_t *root;
};

static const struct kp_field fields[] = {
        { "format", KP_INT, true, offsetof(struct kp_baseline, format) },
        { "pilot", KP_STRING, true, offsetof(struct kp_baseline, pilot) },
        { "accepted_risks", KP_OBJECT, true,
                offsetof(struct kp_baseline, accepted_risks) },
        { "outcomes", KP_OBJECT, true, offsetof(struct kp_baseline, outcomes) },
        { "note", KP_STRINGS, false, offsetof(struct kp_baseline, note) },
};

struct expected {
        const char *verdict_name;
        json_t *cause;
};
static const struct kp_field expected_fields[] = {
        { "verdict", KP_STRING, true, offsetof(struct expected, verdict_name) },
        { "cause", KP_ANY, true, offsetof(struct expected, cause) },
};

const char *
kp_expectation_name(enum kp_expectation expectation)
{
        static const char *const names[KP_N_EXPECTATIONS] = { "as-expected",
                "regression", "changed-cause", "unexpected-pass", "new", "removed" };

        return names[expectation];
}

static int
outcomes_check(const struct kp_baseline *baseline, struct kp_error *err)
{
        const char *id;
        json_t *value;

        json_object_foreach (baseline->outcomes, id, value) {
                struct expected expected = { 0 };
                enum kp_verdict verdict;

                if (kp_json_read(value, expected_fields, KP_NELEMS(expected_fields),
                            &expected, err) < 0)
                        return KP_WHILE(err, "outcome '%.120s'", id);
                if (!kp_verdict_parse(expected.verdict_name, &verdict))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "outcome '%.120s': '%.40s' is not a verdict", id,
                                expected.verdict_name);
                if (!json_is_null(expected.cause) && !json_is_string(expected.cause))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "outcome '%.120s': member 'cause': expected a string "
                                "or "
                                "null",
                                id);
        }
        json_object_foreach (baseline->accepted_risks, id, value)
                if (!json_is_string(value))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "member 'accepted_risks', '%.60s': expected the "
                                "reason, "
                                "a string",
                                id);
        return 0;
}

int
kp_baseline_load(const char *path, struct kp_baseline **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_baseline_free)
        struct kp_baseline *baseline = calloc(1, sizeof(*baseline));

        if (baseline == NULL || (baseline->seen = json_object()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "baseline");
        if (kp_json_load(path, KP_JSON_MAX_BULK, &baseline->root, err) < 0)
                return -1;
        if (kp_json_read(baseline->root, fields, KP_NELEMS(fields), baseline, err) < 0)
                return KP_WHILE(err, "%s", path);
        if (baseline->format != 1)
                return KP_FAIL(
                        err, KP_ESCHEMA, "%s: member 'format': expected 1", path);
        if (outcomes_check(baseline, err) < 0)
                return KP_WHILE(err, "%s", path);
        *ret = KP_STEAL(baseline);
        return 0;
}

void
kp_baseline_free(struct kp_baseline **baseline)
{
        if (*baseline == NULL)
                return;
        json_decref((*baseline)->root);
        json_decref((*baseline)->seen);
        free(*baseline);
        *baseline = NULL;
}

/* From good to bad; those that decide nothing stand apart. */
static int
rank(enum kp_verdict verdict)
{
        static const int ranks[KP_N_VERDICTS] = { [KP_WORKS] = 0,
                [KP_LIMITS] = 1,
                [KP_BREAKS] = 2,
                [KP_RISK] = 3,
                [KP_INCONCLUSIVE] = -1,
                [KP_NOT_APPLICABLE] = -1,
                [KP_SKIPPED] = -1 };

        return ranks[verdict];
}

static bool
same_text(const char *a, const char *b)
{
        return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static enum kp_expectation
compare(enum kp_verdict expected, const char *cause, const struct kp_log_entry *entry)
{
        int was = rank(expected), is = rank(entry->verdict);

        if (expected == entry->verdict)
                return same_text(cause, entry->cause) ? KP_AS_EXPECTED
                                                      : KP_CHANGED_CAUSE;
        if (was < 0 && is < 0)
                return KP_CHANGED_CAUSE;
        if (was < 0)
                return is >= rank(KP_BREAKS) ? KP_REGRESSION : KP_UNEXPECTED_PASS;
        return is < 0 || is > was ? KP_REGRESSION : KP_UNEXPECTED_PASS;
}

enum kp_expectation
kp_baseline_judge(
        struct kp_baseline *baseline, const struct kp_log_entry *entry, bool *ret_risk)
{
        const json_t *expected = json_object_get(baseline->outcomes, entry->id);
        const char *cause = kp_json_str(expected, "cause", NULL);
        enum kp_verdict verdict = KP_WORKS;

        *ret_risk = entry->verdict == KP_RISK;
        if (expected == NULL)
                return KP_NEW;
        /* no memory: told as missing, which is seen at once */
        (void)json_object_set_new(baseline->seen, entry->id, json_true());
        /* was checked when loaded */
        (void)kp_verdict_parse(kp_json_str(expected, "verdict", NULL), &verdict);
        if (entry->verdict == KP_RISK && verdict == KP_RISK && entry->cause != NULL &&
                same_text(cause, entry->cause))
                *ret_risk =
                        json_object_get(baseline->accepted_risks, entry->cause) == NULL;
        return compare(verdict, cause, entry);
}

void
kp_baseline_missing(const struct kp_baseline *baseline, void *self,
        void (*missing)(void *self, const char *id))
{
        const char *id;
        json_t *value;

        json_object_foreach (baseline->outcomes, id, value)
                if (json_object_get(baseline->seen, id) == NULL)
                        missing(self, id);
}
