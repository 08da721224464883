/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/core/json.h"

static const char *const names[KP_N_VERDICTS] = {
        [KP_WORKS] = "works",
        [KP_LIMITS] = "limits",
        [KP_BREAKS] = "breaks",
        [KP_RISK] = "risk",
        [KP_INCONCLUSIVE] = "inconclusive",
        [KP_NOT_APPLICABLE] = "not-applicable",
        [KP_SKIPPED] = "skipped",
};

const char *
kp_verdict_name(enum kp_verdict verdict)
{
        return names[verdict];
}

bool
kp_verdict_parse(const char *name, enum kp_verdict *ret)
{
        for (int i = 0; name != NULL && i < KP_N_VERDICTS; i++)
                if (strcmp(names[i], name) == 0) {
                        *ret = (enum kp_verdict)i;
                        return true;
                }
        return false;
}

bool
kp_verdict_fails(enum kp_verdict verdict)
{
        return verdict == KP_LIMITS || verdict == KP_BREAKS || verdict == KP_RISK;
}

void
kp_outcome_id_put(struct kp_buf *ret, const char *value)
{
        for (const char *c = value; *c != '\0'; c++)
                if ((unsigned char)*c <= ' ' || *c == '%' || *c == 0x7f)
                        kp_buf_printf(ret, "%%%02x", (unsigned char)*c);
                else
                        kp_buf_put_u8(ret, (uint8_t)*c);
}

struct pair {
        const char *name;
        const json_t *value;
};

static int
compare_pairs(const void *a, const void *b)
{
        return strcmp(((const struct pair *)a)->name, ((const struct pair *)b)->name);
}

static int
pair_put(const struct pair *pair, struct kp_buf *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        kp_buf_printf(ret, " %s=", pair->name);
        if (json_is_string(pair->value)) {
                kp_outcome_id_put(ret, json_string_value(pair->value));
                return 0;
        }
        if (kp_json_write(pair->value, &text, err) < 0)
                return -1;
        kp_outcome_id_put(ret, kp_buf_str(&text));
        return 0;
}

static size_t
pairs_take(struct pair *pairs, const json_t *from)
{
        const char *name;
        json_t *value;
        size_t n = 0;

        json_object_foreach ((json_t *)from, name, value)
                pairs[n++] = (struct pair){ name, value };
        return n;
}

static void
free_pairs(struct pair **pairs)
{
        free(*pairs);
}

int
kp_outcome_id(const char *scenario, const json_t *axes, const json_t *assumed,
        struct kp_buf *ret, struct kp_error *err)
{
        size_t n_pairs = json_object_size(axes) + json_object_size(assumed);
        KP_CLEANUP(free_pairs) struct pair *pairs = calloc(n_pairs + 1, sizeof(*pairs));

        if (pairs == NULL)
                return KP_FAIL(err, KP_ENOMEM, "outcome id");
        (void)pairs_take(pairs + pairs_take(pairs, axes), assumed); /* n_pairs in all */
        qsort(pairs, n_pairs, sizeof(*pairs), compare_pairs);
        kp_outcome_id_put(ret, scenario);
        for (size_t i = 0; i < n_pairs; i++)
                if (pair_put(&pairs[i], ret, err) < 0)
                        return -1;
        return kp_buf_check(ret, err);
}
