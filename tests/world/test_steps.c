/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/profile.h"
#include "keypilot/world/world.h"

Test(steps, verbs_are_sorted_and_unique)
{
        const char *members, *spec, *name, *before = "";

        for (size_t i = 0; (name = kp_world_verb(i, &members, &spec)) != NULL; i++) {
                cr_expect(strcmp(before, name) < 0, "%s after %s", name, before);
                before = name;
        }
        cr_expect_str_eq(before, "wait");
}

static const char *
refusal(const char *steps, char text[KP_ERROR_TEXT])
{
        struct kp_scenario scenario = { .id = "x" };
        KP_CLEANUP(kp_json_free) json_t *list = NULL;
        struct kp_error err = { 0 };

        cr_assert(kp_json_parse("steps", steps, strlen(steps), &list, &err) == 0);
        scenario.steps = list;
        cr_assert(kp_world_check_scenario(&scenario, &err) < 0, "%s", steps);
        cr_expect_eq(err.code, KP_ESCHEMA);
        return kp_error_format(&err, text, KP_ERROR_TEXT);
}

Test(steps, what_is_wrong_with_a_step_is_said_by_name)
{
        static const struct {
                const char *steps, *says;
        } cases[] = {
                { "[{\"do\":\"enroll\",\"at\":\"service\"}]",
                        "'enroll' is not a verb" },
                { "[{\"do\":\"enrol\",\"door\":\"eip\"}]", "no member 'door'" },
                { "[{\"do\":\"lose-key\",\"at\":\"service\"}]", "no member 'at'" },
                { "[{\"do\":\"break-key\"}]", "needs the member 'fault'" },
                { "[{\"do\":\"mend-key\",\"fault\":\"cloned\"}]", "no member 'fault'" },
                { "[{\"do\":\"replug-key\",\"at\":\"home\"}]", "no member 'at'" },
                { "[{\"do\":\"wait\",\"seconds\":-1}]", "'seconds'" },
                { "[{\"do\":\"wait\",\"seconds\":\"60\"}]", "whole number" },
                { "[{\"do\":\"log-in\",\"with\":\"fingerprint\"}]",
                        "passkey|password|any" },
                { "[{\"do\":\"enrol\",\"keep\":1}]", "true or false" },
                { "[{\"do\":\"log-in\",\"tenant\":3}]", "from 1 to 2" },
                { "[{\"do\":\"visit\"},{\"do\":\"account-event\",\"event\":"
                  "\"graduated\"}]",
                        "step 2" },
        };
        char text[KP_ERROR_TEXT];

        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                cr_expect(strstr(refusal(cases[i].steps, text), cases[i].says) != NULL,
                        "%s: %s", cases[i].steps, text);
}

/* The fault was read with the scenario; what a key can have, the key knows. */
Test(steps, a_fault_that_no_key_can_have_is_refused_by_step_and_member)
{
        static const struct {
                const char *point, *command;
                int64_t value;
                const char *says;
        } cases[] = {
                { "counter.sideways", NULL, 0, "no point \"counter.sideways\"" },
                { "signature.wrong", NULL, 3, "member 'value'" },
                { "unplug.answer", NULL, 1000, "member 'value'" },
                { "signature.wrong", "getAssertions", 0, "\"getAssertions\"" },
        };
        KP_CLEANUP(kp_json_free)
        json_t *steps = json_pack(
                "[{s:s}, {s:s, s:s}]", "do", "enrol", "do", "break-key", "fault", "x");
        char text[KP_ERROR_TEXT];

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_fault faults[2] = { { 0 },
                        { .id = "x",
                                .point = cases[i].point,
                                .command = cases[i].command,
                                .nth = 1,
                                .value = cases[i].value } };
                struct kp_scenario scenario = {
                        .id = "x", .steps = steps, .faults = faults
                };
                struct kp_error err = { 0 };

                cr_assert(kp_world_check_scenario(&scenario, &err) < 0);
                (void)kp_error_format(&err, text, sizeof(text));
                cr_expect(strstr(text, cases[i].says) != NULL, "%s", text);
                cr_expect(strstr(text, "step 2: member 'fault'") != NULL, "%s", text);
        }
}

Test(steps, what_a_scenario_needs_is_one_of_a_few_words)
{
        json_auto_t *needs = json_pack("[s, s]", "set-clock", "set-clocks");
        struct kp_scenario scenario = { .id = "x", .needs = needs };
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(kp_world_check_scenario(&scenario, &err) < 0);
        cr_expect(
                strstr(kp_error_format(&err, text, sizeof(text)), "set-clocks") != NULL,
                "%s", text);
}

Test(steps, events_are_known_by_name)
{
        cr_expect(kp_world_event_known("none"));
        cr_expect(kp_world_event_known("upn-case"));
        cr_expect(!kp_world_event_known("axis"));
        cr_expect(!kp_world_event_known("graduated"));
        cr_expect(!kp_world_event_known("upn"));
}

static json_t *
schema(const char *name)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format(
                "%s/schema/%s.schema.json", getenv("KEYPILOT_FIXTURES"), name);
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];
        json_t *root = NULL;

        cr_assert(kp_json_load(path, KP_JSON_MAX, &root, &err) == 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
        return root;
}

static void
facts_equal(const char *name, const struct kp_fact_type *types)
{
        KP_CLEANUP(kp_json_free) json_t *root = schema(name);
        const json_t *facts =
                json_object_get(json_object_get(root, "properties"), "facts");
        const json_t *known = json_object_get(facts, "properties");
        const json_t *required = json_object_get(facts, "required"), *item;
        size_t n_types = 0, n_required = 0, i;

        for (const struct kp_fact_type *type = types; type->name != NULL; type++) {
                const json_t *fact = json_object_get(known, type->name);
                bool listed = false;

                n_types++;
                n_required += !type->optional;
                cr_expect(fact != NULL, "%s: no '%s' in the schema", name, type->name);
                cr_expect_str_eq(kp_json_str(fact, "description", ""), type->what);
                json_array_foreach (required, i, item)
                        if (strcmp(json_string_value(item), type->name) == 0)
                                listed = true;
                cr_expect_eq(listed, !type->optional, "%s: '%s'", name, type->name);
        }
        cr_expect_eq(json_object_size(known), n_types, "%s", name);
        cr_expect_eq(json_array_size(required), n_required, "%s", name);
}

Test(steps, schemas_list_the_facts_that_the_tables_list)
{
        facts_equal("service", kp_facts_service);
        facts_equal("provider", kp_facts_provider);
        facts_equal("hub", kp_facts_hub);
        facts_equal("population", kp_facts_population);
}

Test(steps, the_schema_of_scenarios_lists_the_verbs_and_their_members)
{
        KP_CLEANUP(kp_json_free) json_t *root = schema("scenario");
        const json_t *steps =
                json_object_get(json_object_get(root, "properties"), "steps");
        const json_t *kinds = json_object_get(json_object_get(steps, "items"), "oneOf");
        const char *name, *members, *spec;
        size_t i;

        for (i = 0; (name = kp_world_verb(i, &members, &spec)) != NULL; i++) {
                const json_t *properties =
                        json_object_get(json_array_get(kinds, i), "properties");
                size_t n_members = members[0] != '\0';

                for (const char *c = members; *c != '\0'; c++)
                        n_members += *c == ' ';
                cr_expect_str_eq(
                        kp_json_str(json_object_get(properties, "do"), "const", ""),
                        name);
                cr_expect_eq(json_object_size(properties), n_members + 1, "%s", name);
        }
        cr_expect_eq(json_array_size(kinds), i);
}
