/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/pilot/diagnose.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

struct kp_rules {
        struct kp_rule **rules; /* the most specific first */
        size_t n_rules;
};

static int
compare_rules(const void *a, const void *b)
{
        const struct kp_rule *left = *(struct kp_rule *const *)a;
        const struct kp_rule *right = *(struct kp_rule *const *)b;

        if (left->n_conditions != right->n_conditions)
                return left->n_conditions > right->n_conditions ? -1 : 1;
        return strcmp(left->id, right->id);
}

int
kp_rules_load(
        const struct kp_fixtures *fixtures, struct kp_rules **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_rules_free) struct kp_rules *rules = calloc(1, sizeof(*rules));
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };

        if (rules == NULL)
                return KP_FAIL(err, KP_ENOMEM, "rules");
        if (kp_fixtures_list(fixtures, "rules", &names, err) < 0)
                return -1;
        rules->rules = calloc(names.n_names + 1, sizeof(struct kp_rule *));
        if (rules->rules == NULL)
                return KP_FAIL(err, KP_ENOMEM, "rules");
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str) char *path = NULL;

                if (kp_fixtures_path(fixtures, "rules", names.names[i], &path, err) <
                                0 ||
                        kp_rule_load(path, &rules->rules[i], err) < 0)
                        return -1;
                rules->n_rules++;
        }
        qsort(rules->rules, rules->n_rules, sizeof(struct kp_rule *), compare_rules);
        *ret = KP_STEAL(rules);
        return 0;
}

void
kp_rules_free(struct kp_rules **rules)
{
        if (*rules == NULL)
                return;
        for (size_t i = 0; i < (*rules)->n_rules; i++)
                kp_rule_free(&(*rules)->rules[i]);
        free((*rules)->rules);
        free(*rules);
        *rules = NULL;
}

const struct kp_rule *
kp_rules_nth(const struct kp_rules *rules, size_t i)
{
        return i < rules->n_rules ? rules->rules[i] : NULL;
}

const char *
kp_rules_cause(const struct kp_rules *rules, enum kp_verdict verdict,
        const char *invariant, const json_t *trace)
{
        if (!kp_verdict_fails(verdict))
                return NULL;
        for (size_t i = 0; i < rules->n_rules; i++)
                if (kp_rule_matches(rules->rules[i], (int)verdict, invariant, trace))
                        return rules->rules[i]->id;
        return KP_CAUSE_UNEXPLAINED;
}
