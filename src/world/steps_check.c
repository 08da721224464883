/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "keypilot/authenticator/fault.h"
#include "keypilot/core/buf.h"
#include "keypilot/core/json.h"

#include "world_internal.h"

/*
 * Are a scenario's steps what they should be? The verbs themselves are in steps.c.
 */

/* Members of steps: type, and the words or bounds allowed. */
static const struct {
        const char *name;
        enum kp_field_type type;
        const char *words;
        int64_t min, max;
} members[] = {
        { "account", KP_STRING, "second", 0, 0 },
        { "at", KP_STRING, "home|service|provider|hub", 0, 0 },
        { "beforehand", KP_BOOL, NULL, 0, 0 },
        { "browser", KP_STRING, "kept|closed|wiped", 0, 0 },
        { "door", KP_STRING, "passkey|password|eip", 0, 0 },
        { "event", KP_STRING,
                "axis|none|blocked|deleted|renamed|upn-case|migrate|to-eip", 0, 0 },
        { "fault", KP_ANY, NULL, 0, 0 }, /* read with the scenario */
        { "keep", KP_BOOL, NULL, 0, 0 },
        { "otherwise", KP_STRING, "any", 0, 0 },
        { "pause_s", KP_INT, NULL, 0, 86400 },
        { "person", KP_INT, NULL, 1, KP_PEOPLE_MAX },
        { "place", KP_STRING, "school|elsewhere|own-device", 0, 0 },
        { "seconds", KP_INT, NULL, 0, 366 * 86400 },
        { "start", KP_STRING, "service|provider|hub", 0, 0 },
        { "tenant", KP_INT, NULL, 1, KP_SCHOOLS_MAX },
        { "to", KP_STRING, "service|other-service|provider|hub", 0, 0 },
        { "with", KP_STRING, "passkey|password|any", 0, 0 },
};

/* Is `item` one of the words in `list`, which `separator` separates? */
static bool
listed(const char *list, char separator, const char *item)
{
        size_t item_len = strlen(item);

        for (const char *at = list; at != NULL; at = strchr(at, separator)) {
                at += *at == separator;
                if (strncmp(at, item, item_len) == 0 &&
                        (at[item_len] == separator || at[item_len] == '\0'))
                        return true;
        }
        return false;
}

bool
kp_world_event_known(const char *event)
{
        for (size_t i = 0; i < KP_NELEMS(members); i++)
                if (strcmp(members[i].name, "event") == 0)
                        return strcmp(event, "axis") != 0 &&
                               listed(members[i].words, '|', event);
        return false;
}

/* What a step with this verb may have; NULL: there is no such verb. */
static const char *
verb_members(const char *name)
{
        const char *verb, *has, *spec;

        for (size_t i = 0; (verb = kp_world_verb(i, &has, &spec)) != NULL; i++)
                if (strcmp(verb, name) == 0)
                        return has;
        return NULL;
}

static int
fail_verb(const char *name, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf known = { 0 };
        const char *verb, *has, *spec;

        for (size_t i = 0; (verb = kp_world_verb(i, &has, &spec)) != NULL; i++)
                kp_buf_printf(&known, "%s%s", i == 0 ? "" : ", ", verb);
        return KP_FAIL(err, KP_ESCHEMA,
                "member 'do': '%.40s' is not a verb; verbs are %s", name,
                kp_buf_str(&known));
}

static int
member_check(const char *name, const json_t *value, struct kp_error *err)
{
        size_t i = 0;

        while (i < KP_NELEMS(members) && strcmp(members[i].name, name) != 0)
                i++;
        if (i == KP_NELEMS(members))
                return KP_FAIL(err, KP_EBUG, "step member '%s' has no type", name);
        if (members[i].type == KP_BOOL && !json_is_boolean(value))
                return KP_FAIL(
                        err, KP_ESCHEMA, "member '%s': expected true or false", name);
        if (members[i].type == KP_INT &&
                (!json_is_integer(value) ||
                        json_integer_value(value) < members[i].min ||
                        json_integer_value(value) > members[i].max))
                return KP_FAIL(err, KP_ESCHEMA,
                        "member '%s': expected a whole number from %lld to %lld", name,
                        (long long)members[i].min, (long long)members[i].max);
        if (members[i].type == KP_STRING &&
                (!json_is_string(value) ||
                        !listed(members[i].words, '|', json_string_value(value))))
                return KP_FAIL(err, KP_ESCHEMA, "member '%s': expected one of %s", name,
                        members[i].words);
        return 0;
}

static int
step_check(const json_t *step, struct kp_error *err)
{
        const char *name = kp_json_str(step, "do", "");
        const char *has = verb_members(name), *member;
        json_t *value;

        if (has == NULL)
                return fail_verb(name, err);
        json_object_foreach ((json_t *)step, member, value) {
                if (strcmp(member, "do") == 0)
                        continue;
                if (has[0] == '\0' || !listed(has, ' ', member))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "'%s' has no member '%.40s'; it has: %s", name, member,
                                has);
                if (member_check(member, value, err) < 0)
                        return -1;
        }
        if (strcmp(name, "break-key") == 0 && json_object_get(step, "fault") == NULL)
                return KP_FAIL(err, KP_ESCHEMA,
                        "'break-key' needs the member 'fault': the name of one, see "
                        "'keypilot list faults'");
        return 0;
}

/* A name was found when the scenario was loaded; is it a fault that a key can have? */
static int
fault_check(const struct kp_scenario *scenario, size_t i, struct kp_error *err)
{
        if (scenario->faults == NULL || scenario->faults[i].point == NULL)
                return 0;
        if (kp_authenticator_fault_check(&scenario->faults[i], err) < 0)
                return KP_WHILE(err, "member 'fault'");
        return 0;
}

int
kp_world_check_scenario(const struct kp_scenario *scenario, struct kp_error *err)
{
        static const char needs[] = "account-events|second-key|see-inside|set-clock";
        const json_t *step, *need;
        size_t i;

        json_array_foreach (scenario->needs, i, need)
                if (!listed(needs, '|', json_string_value(need)))
                        return KP_FAIL(err, KP_ESCHEMA,
                                "scenario '%s', member 'needs': '%.40s': expected one "
                                "of %s",
                                scenario->id, json_string_value(need), needs);

        json_array_foreach (scenario->steps, i, step)
                if (step_check(step, err) < 0 || fault_check(scenario, i, err) < 0)
                        return KP_WHILE(
                                err, "scenario '%s', step %zu", scenario->id, i + 1);
        return 0;
}
