/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/outcome.h"
#include "keypilot/model/pilot_file.h"
#include "keypilot/model/rule.h"

static char dir[] = "/tmp/keypilot-test-XXXXXX";

static void
make_dir(void)
{
        cr_assert_not_null(mkdtemp(dir));
}

static void
remove_dir(void)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_dir_list(dir, "", &names, &err), 0);
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", dir, names.names[i]);

                cr_assert_eq(remove(path), 0);
        }
        cr_assert_eq(remove(dir), 0);
}

TestSuite(rule, .init = make_dir, .fini = remove_dir);
TestSuite(pilot_file, .init = make_dir, .fini = remove_dir);

static char *
file_write(const char *name, const char *text)
{
        char *path = kp_format("%s/%s", dir, name);
        struct kp_error err = { 0 };

        cr_assert_eq(kp_file_write(path, text, strlen(text), &err), 0);
        return path;
}

/* A right rule, but for its "when". */
static char *
rule_text(const char *when)
{
        return kp_format(
                "{\"id\": \"r\", \"title\": {\"en\": \"T\", \"nl\": \"T\"},"
                "\"when\": %s, \"meaning\": {\"en\": \"M\", \"nl\": \"M\"},"
                "\"owner\": \"school\", \"fix\": {\"en\": \"F\", \"nl\": \"F\"},"
                "\"spec\": [\"SAML 2.0 Core §1\"], \"sources\": [], "
                "\"grade\": \"A\"}",
                when);
}

static int
rule_make(const char *when, struct kp_rule **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *text = rule_text(when);
        KP_CLEANUP(kp_free_str) char *path = file_write("r.json", text);

        return kp_rule_load(path, ret, err);
}

static bool
matches(const char *when, const char *trace_text)
{
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;
        struct kp_error err = { 0 };
        char why[1024];
        json_auto_t *trace = json_loads(trace_text, 0, NULL);

        cr_assert_not_null(trace, "%s", trace_text);
        cr_assert_eq(rule_make(when, &rule, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        return kp_rule_matches(rule, KP_BREAKS, "gets-in", trace);
}

#define DOOR(d)                                                                        \
        "{\"t\":0,\"who\":\"agent\",\"event\":\"door.chosen\",\"at\":\"service\","     \
        "\"door\":\"" d "\"}"
#define ROUTE                                                                          \
        "{\"t\":0,\"who\":\"service\",\"event\":\"route\",\"by\":\"username\",\"to\":" \
        "\"provider\"}"
#define PAGE(...)                                                                      \
        "{\"t\":0,\"who\":\"service\",\"event\":\"page\",\"doors\":[" __VA_ARGS__ "]}"

Test(rule, patterns_are_found_in_order_with_anything_between)
{
        const char *when = "{\"verdict\": \"breaks\", \"trace\": ["
                           "{\"event\": \"door.chosen\", \"door\": \"passkey\"},"
                           "{\"event\": \"route\", \"who\": \"service\"}]}";

        cr_expect(matches(when, "[" DOOR("passkey") "," ROUTE "]"));
        cr_expect(matches(when, "[" PAGE("") "," DOOR("passkey") "," PAGE(
                                        "") "," ROUTE "," PAGE("") "]"));
        cr_expect_not(matches(when, "[" ROUTE "," DOOR("passkey") "]"));
        cr_expect_not(matches(when, "[" DOOR("password") "," ROUTE "]"));
        cr_expect_not(matches(when, "[" DOOR("passkey") "]"));
        cr_expect_not(matches(when, "[]"));
}

Test(rule, an_absent_pattern_forbids_the_event_between_its_neighbours)
{
        const char *between = "{\"verdict\": \"breaks\", \"trace\": ["
                              "{\"event\": \"door.chosen\"},"
                              "{\"event\": \"page\", \"absent\": true},"
                              "{\"event\": \"route\"}]}";
        const char *first = "{\"verdict\": \"breaks\", \"trace\": ["
                            "{\"event\": \"page\", \"absent\": true},"
                            "{\"event\": \"route\"}]}";
        const char *last = "{\"verdict\": \"breaks\", \"trace\": ["
                           "{\"event\": \"route\"},"
                           "{\"event\": \"page\", \"absent\": true}]}";
        const char *only = "{\"verdict\": \"breaks\", \"trace\": [{\"event\": "
                           "\"page\", \"absent\": true}]}";

        cr_expect(matches(between, "[" DOOR("a") "," ROUTE "]"));
        cr_expect_not(matches(between, "[" DOOR("a") "," PAGE("") "," ROUTE "]"));
        /* a later door, or an earlier route, can be the neighbour */
        cr_expect(matches(between,
                "[" DOOR("a") "," PAGE("") "," ROUTE "," DOOR("b") "," ROUTE "]"));
        cr_expect(matches(
                between, "[" PAGE("") "," DOOR("a") "," ROUTE "," PAGE("") "]"));
        cr_expect(matches(first, "[" ROUTE "," PAGE("") "]"));
        cr_expect_not(matches(first, "[" PAGE("") "," ROUTE "]"));
        cr_expect(matches(last, "[" PAGE("") "," ROUTE "]"));
        cr_expect_not(matches(last, "[" ROUTE "," PAGE("") "]"));
        cr_expect(matches(last, "[" ROUTE "," PAGE("") "," ROUTE "]"));
        cr_expect(matches(only, "[" ROUTE "]"));
        cr_expect_not(matches(only, "[" ROUTE "," PAGE("") "]"));
        cr_expect(matches(only, "[]"));
}

Test(rule, facts_are_values_lists_negations_and_absences)
{
        static const struct {
                const char *pattern, *event;
                bool fits;
        } cases[] = {
                { "\"door\": \"eip\"", DOOR("eip"), true },
                { "\"door\": [\"eip\", \"passkey\"]", DOOR("passkey"), true },
                { "\"door\": [\"eip\", \"passkey\"]", DOOR("password"), false },
                { "\"door\": {\"not\": \"eip\"}", DOOR("passkey"), true },
                { "\"door\": {\"not\": \"eip\"}", DOOR("eip"), false },
                { "\"door\": {\"not\": [\"eip\", \"passkey\"]}", DOOR("passkey"),
                        false },
                { "\"door\": null", DOOR("eip"), false },
                { "\"door\": {\"not\": null}", DOOR("eip"), true },
                { "\"who\": \"agent\"", DOOR("eip"), true },
                { "\"who\": \"service\"", DOOR("eip"), false },
                { "\"who\": [\"service\", \"agent\"]", DOOR("eip"), true },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_free_str)
                char *when =
                        kp_format("{\"verdict\": \"breaks\", \"trace\": [{\"event\": "
                                  "\"door.chosen\", %s}]}",
                                cases[i].pattern);
                KP_CLEANUP(kp_free_str) char *trace = kp_format("[%s]", cases[i].event);

                cr_expect_eq(matches(when, trace), cases[i].fits, "%s on %s",
                        cases[i].pattern, cases[i].event);
        }
        cr_expect(matches("{\"verdict\": \"breaks\", \"trace\": [{\"event\": "
                          "[\"page\", \"route\"]}]}",
                "[" ROUTE "]"));
        cr_expect_not(matches("{\"verdict\": \"breaks\", \"trace\": [{\"event\": "
                              "[\"page\", \"door.chosen\"], \"at\": \"service\"}]}",
                "[" ROUTE "]"));
        cr_expect(matches("{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\", "
                          "\"doors\": \"eip\"}]}",
                "[" PAGE("\"password\",\"eip\"") "]"));
        cr_expect_not(
                matches("{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\", "
                        "\"doors\": \"passkey\"}]}",
                        "[" PAGE("\"password\",\"eip\"") "]"));
        cr_expect(matches("{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\", "
                          "\"doors\": {\"not\": \"passkey\"}}]}",
                "[" PAGE("\"password\",\"eip\"") "]"));
}

Test(rule, verdict_and_invariant_narrow_it)
{
        const char *trace = "[" ROUTE "]";

        cr_expect(matches("{\"verdict\": [\"limits\", \"breaks\"], \"invariant\": "
                          "\"gets-in\", \"trace\": [{\"event\": \"route\"}]}",
                trace));
        cr_expect(matches(
                "{\"verdict\": \"breaks\", \"invariant\": [\"x\", \"gets-in\"], "
                "\"trace\": [{\"event\": \"route\"}]}",
                trace));
        cr_expect_not(matches("{\"verdict\": \"risk\", \"trace\": [{\"event\": "
                              "\"route\"}]}",
                trace));
        cr_expect_not(matches("{\"verdict\": \"breaks\", \"invariant\": \"x\", "
                              "\"trace\": [{\"event\": \"route\"}]}",
                trace));
}

Test(rule, an_invariant_may_be_named_without_its_parameter)
{
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;
        struct kp_error err = { 0 };
        json_auto_t *trace = json_loads("[" ROUTE "]", 0, NULL);

        cr_assert_eq(rule_make("{\"verdict\": \"limits\", \"invariant\": \"prompts\", "
                               "\"trace\": [{\"event\": \"route\"}]}",
                             &rule, &err),
                0);
        cr_expect(kp_rule_matches(rule, KP_LIMITS, "prompts:3", trace));
        cr_expect(kp_rule_matches(rule, KP_LIMITS, "prompts", trace));
        cr_expect_not(kp_rule_matches(rule, KP_LIMITS, "promptsx", trace));
        cr_expect_not(kp_rule_matches(rule, KP_LIMITS, "", trace));
        cr_expect_not(kp_rule_matches(rule, KP_LIMITS, NULL, trace));
}

Test(rule, a_long_trace_does_not_make_the_search_explode)
{
        json_auto_t *trace = json_array();
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;
        struct kp_error err = { 0 };

        for (int i = 0; i < 20000; i++)
                json_array_append_new(
                        trace, json_pack("{s:s, s:s, s:i}", "event", "page", "who",
                                       "service", "status", 200));
        cr_assert_eq(rule_make("{\"verdict\": \"breaks\", \"trace\": ["
                               "{\"event\": \"page\"}, {\"event\": \"page\"},"
                               "{\"event\": \"page\"}, {\"event\": \"page\"},"
                               "{\"event\": \"page\"}, {\"event\": \"page\"},"
                               "{\"event\": \"page\", \"absent\": true},"
                               "{\"event\": \"page\"}, {\"event\": \"page\"},"
                               "{\"event\": \"page\", \"status\": 404}]}",
                             &rule, &err),
                0);
        cr_expect_not(kp_rule_matches(rule, KP_BREAKS, "gets-in", trace));
}

Test(rule, says_what_is_wrong_with_it)
{
        static const struct {
                const char *when, *says;
        } cases[] = {
                { "{\"trace\": []}", "member 'verdict' is missing" },
                { "{\"verdict\": \"works\", \"trace\": [{\"event\": \"page\"}]}",
                        "expected limits, breaks or risk" },
                { "{\"verdict\": [], \"trace\": [{\"event\": \"page\"}]}",
                        "an empty list" },
                { "{\"verdict\": \"breaks\", \"trace\": []}",
                        "expected 1 to 12 patterns" },
                { "{\"verdict\": \"breaks\", \"invariant\": 3, \"trace\": [{\"event\": "
                  "\"page\"}]}",
                        "'when.invariant'" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"pag\"}]}",
                        "no event is called 'pag'" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\", "
                  "\"door\": "
                  "1}]}",
                        "event 'page' has no fact 'door'" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\", \"at\": "
                  "{\"is\": 1}}]}",
                        "'at': expected a text" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\", \"at\": "
                  "[]}]}",
                        "'at': expected a text" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\", "
                  "\"absent\": false}]}",
                        "'absent': expected true" },
                { "{\"verdict\": \"breaks\", \"axes\": {}, \"trace\": [{\"event\": "
                  "\"page\"}]}",
                        "member 'axes' is not known here" },
                { "{\"verdict\": \"breaks\", \"trace\": [3]}", "pattern 1" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": []}]}",
                        "the name of one or a list" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": [\"page\", "
                  "\"pag\"]}]}",
                        "no event is called 'pag'" },
                { "{\"verdict\": \"breaks\", \"trace\": [{\"event\": [\"page\", "
                  "\"route\"], \"by\": \"x\"}]}",
                        "event 'page' has no fact 'by'" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;
                struct kp_error err = { 0 };
                char why[2048];

                cr_assert_eq(
                        rule_make(cases[i].when, &rule, &err), -1, "%s", cases[i].when);
                kp_error_format(&err, why, sizeof(why));
                cr_expect(strstr(why, cases[i].says) != NULL, "%s: %s", cases[i].when,
                        why);
                cr_expect(strstr(why, "r.json") != NULL, "%s", why);
        }
}

Test(rule, its_id_is_the_name_of_its_file_and_its_owner_one_of_six)
{
        KP_CLEANUP(kp_free_str)
        char *text = rule_text(
                "{\"verdict\": \"breaks\", \"trace\": [{\"event\": \"page\"}]}");
        KP_CLEANUP(kp_free_str) char *path = file_write("other.json", text);
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;
        struct kp_error err = { 0 };
        char why[1024];

        cr_assert_eq(kp_rule_load(path, &rule, &err), -1);
        cr_expect(strstr(kp_error_format(&err, why, sizeof(why)),
                          "expected the name of the file, not 'r'") != NULL,
                "%s", why);
        memcpy(strstr(text, "\"school\""), "\"schoof\"", 8);
        free(file_write("r.json", text));
        free(path);
        path = kp_format("%s/r.json", dir);
        cr_assert_eq(kp_rule_load(path, &rule, &err), -1);
        cr_expect(strstr(kp_error_format(&err, why, sizeof(why)), "member 'owner'") !=
                          NULL,
                "%s", why);
}

/* ---- pilot files ---- */

#define DEFAULTS                                                                       \
        "\"defaults\": {\"client\": \"c\", \"event\": \"none\", \"home\": "            \
        "\"service\","                                                                 \
        "\"hub\": \"none\", \"key\": \"sim:k\", \"population\": \"p\","                \
        "\"provider\": \"i\", \"provider2\": \"none\", \"service\": \"s\","            \
        "\"settings\": \"none\"}"
#define HEAD "{\"id\": \"x\", \"title\": {\"en\": \"X\", \"nl\": \"X\"}, "
#define MATRIX                                                                         \
        "\"matrix\": [{\"scenarios\": [\"a\"], \"axes\": {\"key\": [\"sim:k\"]}}]"

Test(pilot_file, a_right_one_is_read)
{
        KP_CLEANUP(kp_free_str)
        char *path = file_write("x.json",
                HEAD DEFAULTS ", \"settings\": [{\"id\": \"q\", \"title\": {\"en\": "
                              "\"Q\", \"nl\": \"Q\"}, \"set\": {\"service.hrd\": "
                              "\"all\"}}], " MATRIX "}");
        KP_CLEANUP(kp_pilot_free) struct kp_pilot *pilot = NULL;
        struct kp_error err = { 0 };
        char why[1024];

        cr_assert_eq(kp_pilot_load(path, &pilot, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        cr_expect_str_eq(pilot->id, "x");
        cr_expect_str_eq(pilot->defaults[KP_AXIS_KEY], "sim:k");
        cr_expect_eq(pilot->n_blocks, 1);
        cr_expect_not_null(pilot->blocks[0].axes[KP_AXIS_KEY]);
        cr_expect_null(pilot->blocks[0].axes[KP_AXIS_CLIENT]);
        cr_assert_not_null(kp_pilot_setting_find(pilot, "q"));
        cr_expect_null(kp_pilot_setting_find(pilot, "none"));
}

Test(pilot_file, a_wrong_one_is_refused_by_name_and_place)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "[]", "expected a JSON object" },
                { "{", "not JSON" },
                { HEAD DEFAULTS "}", "member 'matrix' is missing" },
                { HEAD DEFAULTS ", \"extra\": 1, " MATRIX "}", "member 'extra'" },
                { HEAD "\"defaults\": {\"key\": \"sim:k\"}, " MATRIX "}",
                        "axis 'client' is missing" },
                { HEAD "\"defaults\": {\"colour\": \"red\"}, " MATRIX "}",
                        "'colour' is not an axis; axes are client, event" },
                { HEAD "\"defaults\": {\"key\": 5}, " MATRIX "}",
                        "'key': expected a name" },
                { HEAD DEFAULTS ", \"matrix\": []}", "expected 1 to 256 blocks" },
                { HEAD DEFAULTS ", \"matrix\": [7]}", "block 1: expected an object" },
                { HEAD DEFAULTS ", \"matrix\": [{\"scenarios\": [], \"axes\": {}}]}",
                        "block 1: 'scenarios': expected a list of 1" },
                { HEAD DEFAULTS
                        ", \"matrix\": [{\"scenarios\": [\"\"], \"axes\": {}}]}",
                        "item 1: expected a name" },
                { HEAD DEFAULTS ", \"matrix\": [{\"scenarios\": [\"a\"], \"axes\": "
                                "{\"key\": []}}]}",
                        "block 1: 'axes': 'key'" },
                { HEAD DEFAULTS ", \"matrix\": [{\"scenarios\": [\"a\"], \"axes\": "
                                "{\"keys\": [\"k\"]}}]}",
                        "'keys' is not an axis" },
                { HEAD DEFAULTS ", \"settings\": [{\"id\": \"q\"}], " MATRIX "}",
                        "member 'settings': item 1: member 'title' is missing" },
                { HEAD DEFAULTS
                        ", \"settings\": [{\"id\": \"none\", \"title\": {\"en\": "
                        "\"\", \"nl\": \"\"}, \"set\": {}}], " MATRIX "}",
                        "\"none\" means that nothing is set" },
                { HEAD DEFAULTS ", " DEFAULTS ", " MATRIX "}", "duplicate" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                KP_CLEANUP(kp_free_str)
                char *path = file_write("x.json", cases[i].text);
                KP_CLEANUP(kp_pilot_free) struct kp_pilot *pilot = NULL;
                struct kp_error err = { 0 };
                char why[2048];

                cr_assert_eq(
                        kp_pilot_load(path, &pilot, &err), -1, "%s", cases[i].text);
                kp_error_format(&err, why, sizeof(why));
                cr_expect(strstr(why, cases[i].says) != NULL, "%s: %s", cases[i].text,
                        why);
                cr_expect(strstr(why, "x.json") != NULL, "%s", why);
        }
}

/* ---- outcomes ---- */

Test(outcome, verdicts_have_names_that_are_read_back)
{
        for (int i = 0; i < KP_N_VERDICTS; i++) {
                enum kp_verdict verdict = KP_WORKS;

                cr_assert(kp_verdict_parse(
                        kp_verdict_name((enum kp_verdict)i), &verdict));
                cr_expect_eq((int)verdict, i);
        }
        cr_expect_not(kp_verdict_parse("fine", &(enum kp_verdict){ 0 }));
        cr_expect_not(kp_verdict_parse(NULL, &(enum kp_verdict){ 0 }));
}

Test(outcome, an_id_is_the_scenario_and_its_sorted_pairs)
{
        json_auto_t *axes = json_pack("{s:s, s:s, s:s}", "provider2", "b c", "key",
                "sim:k", "provider", "a%");
        json_auto_t *assumed =
                json_pack("{s:b, s:[s, s]}", "hub.x", 1, "service.y", "p", "q");
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_outcome_id("log-in", axes, assumed, &id, &err), 0);
        cr_expect_str_eq(kp_buf_str(&id),
                "log-in hub.x=true key=sim:k provider=a%25 provider2=b%20c "
                "service.y=[\"p\",\"q\"]");
}
