/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/model/authenticator.h"
#include "keypilot/model/outcome.h"
#include "keypilot/pilot/cell.h"

#include "plan_internal.h"

/* What the values of an axis are: profiles of a kind, or words. */
static const struct axis_values {
        bool profile; /* fixtures of `kind` */
        enum kp_kind kind;
        bool may_be_none;
        const char *words; /* the only ones; NULL: profiles, keys or settings */
} axes[KP_N_AXES] = {
        [KP_AXIS_CLIENT] = { true, KP_KIND_CLIENT, false, NULL },
        [KP_AXIS_EVENT] = { false, 0, false,
                "blocked deleted migrate none renamed to-eip upn-case" },
        [KP_AXIS_HOME] = { false, 0, false, "both hub none provider service" },
        [KP_AXIS_HUB] = { true, KP_KIND_HUB, true, NULL },
        [KP_AXIS_KEY] = { false, 0, false, NULL },
        [KP_AXIS_POPULATION] = { true, KP_KIND_POPULATION, false, NULL },
        [KP_AXIS_PROVIDER] = { true, KP_KIND_PROVIDER, false, NULL },
        [KP_AXIS_PROVIDER2] = { true, KP_KIND_PROVIDER, true, NULL },
        [KP_AXIS_SERVICE] = { true, KP_KIND_SERVICE, false, NULL },
        [KP_AXIS_SETTINGS] = { false, 0, true, NULL },
};

const char *
kp_plan_intern(struct kp_plan *plan, const char *text)
{
        if (json_object_get(plan->texts, text) == NULL &&
                json_object_set_new(plan->texts, text, json_true()) < 0)
                return NULL;
        return json_object_iter_key(json_object_iter_at(plan->texts, text));
}

bool
kp_plan_is_path(const char *value)
{
        size_t len = strlen(value);

        return strchr(value, '/') != NULL ||
               (len > 5 && strcmp(value + len - 5, ".json") == 0);
}

static bool
word_in(const char *words, const char *word)
{
        size_t word_len = strlen(word);

        for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
                size_t len = strcspn(at, " ");

                if (len == word_len && memcmp(at, word, len) == 0)
                        return true;
                at += len;
        }
        return false;
}

/* Whether a real key is there is found out when it is opened. */
static int
key_check(struct kp_plan *plan, const char *value, struct kp_error *err)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;

        if (strncmp(value, "hid:", 4) == 0) {
                plan->real_keys = true;
                return 0;
        }
        if (strncmp(value, "sim:", 4) != 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "'%.60s' is not a key; expected sim:PROFILE or hid:PATH",
                        value);
        if (kp_fixtures_path(plan->fixtures, "authenticators", value + 4, &path, err) <
                0)
                return -1;
        return kp_authenticator_profile_load_from(
                kp_fixtures_dir(plan->fixtures), path, &profile, err);
}

static int
setting_check(const struct kp_plan *plan, const char *value, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf known = { 0 };

        if (kp_pilot_setting_find(plan->pilot, value) != NULL)
                return 0;
        for (size_t i = 0; i < plan->pilot->n_settings; i++)
                kp_buf_printf(&known, ", %s", plan->pilot->settings[i].id);
        return KP_FAIL(err, KP_ESCHEMA,
                "the pilot has no settings '%.60s'; it has: none%s", value,
                kp_buf_str(&known));
}

static int
value_check(struct kp_plan *plan, enum kp_axis axis, const char *value,
        struct kp_error *err)
{
        const struct axis_values *is = &axes[axis];
        const struct kp_profile *profile;

        if (is->may_be_none && strcmp(value, "none") == 0)
                return 0;
        if (axis == KP_AXIS_KEY)
                return key_check(plan, value, err);
        if (axis == KP_AXIS_SETTINGS)
                return setting_check(plan, value, err);
        if (is->words != NULL && !word_in(is->words, value))
                return KP_FAIL(
                        err, KP_ESCHEMA, "'%.60s' is not one of: %s", value, is->words);
        if (!is->profile)
                return 0;
        return kp_fixtures_profile(plan->fixtures, is->kind, value, &profile, err);
}

static int
values_append(struct kp_plan *plan, const char *value, struct kp_plan_values *ret,
        struct kp_error *err)
{
        const char **grown =
                realloc(ret->names, (ret->n_names + 1) * sizeof(*ret->names));

        if (grown != NULL)
                ret->names = grown;
        if (grown == NULL ||
                (grown[ret->n_names] = kp_plan_intern(plan, value)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "plan");
        ret->n_names++;
        return 0;
}

int
kp_plan_value_add(struct kp_plan *plan, enum kp_axis axis, const char *value,
        struct kp_plan_values *ret, struct kp_error *err)
{
        json_t *checked = plan->checked[axis];

        if (json_object_get(checked, value) == NULL) {
                if (value_check(plan, axis, value, err) < 0)
                        return KP_WHILE(err, "axis '%s'", kp_axis_name(axis));
                /* at worst it is checked again */
                (void)json_object_set_new(checked, value, json_true());
        }
        return values_append(plan, value, ret, err);
}

static int
add_folder(struct kp_plan *plan, enum kp_axis axis, struct kp_plan_values *ret,
        struct kp_error *err)
{
        const char *folder = axis == KP_AXIS_KEY ? "authenticators"
                                                 : kp_kind_folder(axes[axis].kind);
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };

        if (kp_fixtures_list(plan->fixtures, folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *value = kp_format(
                        "%s%s", axis == KP_AXIS_KEY ? "sim:" : "", names.names[i]);

                if (value == NULL)
                        return KP_FAIL(err, KP_ENOMEM, "plan");
                if (kp_plan_value_add(plan, axis, value, ret, err) < 0)
                        return -1;
        }
        return 0;
}

static int
add_all(struct kp_plan *plan, enum kp_axis axis, struct kp_plan_values *ret,
        struct kp_error *err)
{
        if (axes[axis].profile || axis == KP_AXIS_KEY)
                return add_folder(plan, axis, ret, err);
        if (axis != KP_AXIS_SETTINGS)
                return KP_FAIL(err, KP_ESCHEMA,
                        "axis '%s': \"*\" does not stand for anything here; name the "
                        "values",
                        kp_axis_name(axis));
        for (size_t i = 0; i < plan->pilot->n_settings; i++)
                if (values_append(plan, plan->pilot->settings[i].id, ret, err) < 0)
                        return -1;
        return values_append(plan, "none", ret, err);
}

int
kp_plan_values_add(struct kp_plan *plan, enum kp_axis axis, const json_t *from,
        struct kp_plan_values *ret, struct kp_error *err)
{
        const json_t *value;
        size_t i;

        json_array_foreach (from, i, value) {
                bool all = strcmp(json_string_value(value), "*") == 0;

                if (all && add_all(plan, axis, ret, err) < 0)
                        return -1;
                if (!all && kp_plan_value_add(
                                    plan, axis, json_string_value(value), ret, err) < 0)
                        return -1;
        }
        return 0;
}

static int
compare_in_ids(const void *a, const void *b)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf left = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf right = { 0 };

        kp_outcome_id_put(&left, *(const char *const *)a);
        kp_outcome_id_put(&right, *(const char *const *)b);
        return strcmp(kp_buf_str(&left), kp_buf_str(&right));
}

void
kp_plan_values_sort(struct kp_plan_values *values)
{
        size_t n = 0;

        if (values->n_names == 0)
                return;
        qsort(values->names, values->n_names, sizeof(*values->names), compare_in_ids);
        for (size_t i = 1; i < values->n_names; i++)
                /* interned: same text, same place */
                if (values->names[i] != values->names[n])
                        values->names[++n] = values->names[i];
        values->n_names = n + 1;
}

int
kp_plan_check_settings(const struct kp_pilot *pilot, struct kp_error *err)
{
        for (size_t i = 0; i < pilot->n_settings; i++)
                if (kp_cell_check_set(pilot->settings[i].set, err) < 0)
                        return KP_WHILE(err, "settings '%.60s', member 'set'",
                                pilot->settings[i].id);
        return 0;
}
