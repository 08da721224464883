/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/fixtures.h"
#include "keypilot/model/profile.h"

/*
 * Tables of this test alone: a product may have a colour, a size and a door. They stand
 * in for the real ones, which the linker then leaves out.
 */
#define DOOR                                                                           \
        {                                                                              \
                "door", KP_STRING, "open|shut|ajar", false, "how the door stands"      \
        }
const struct kp_fact_type kp_facts_client[] = { { NULL } };
const struct kp_fact_type kp_facts_provider[] = { { NULL } };
const struct kp_fact_type kp_facts_hub[] = { { NULL } };
const struct kp_fact_type kp_facts_population[] = { { NULL } };
const struct kp_fact_type kp_facts_service[] = {
        DOOR,
        { "size", KP_INT, NULL, false, "how large it is" },
        { "colour", KP_STRING, NULL, true, "which colour it has" },
        { NULL },
};
const struct kp_event_type kp_events_ceremony[] = { { NULL } };
const struct kp_event_type kp_events_key[] = { { NULL } };
const struct kp_event_type kp_events_saml[] = { { NULL } };
const struct kp_event_type kp_events_world[] = {
        { "door.opened", "person width", NULL },
        { NULL },
};
const struct kp_event_type kp_events_run[] = { { "fact", "fact status value", NULL },
        { NULL } };

#define HEAD                                                                           \
        "{\"id\":\"shop\",\"title\":{\"en\":\"Shop\",\"nl\":\"Winkel\"},\"facts\":{"
#define SIZE "\"size\":{\"value\":3,\"status\":\"assumed\",\"source\":\"us\"}"
#define KNOWN                                                                          \
        "\"door\":{\"value\":\"open\",\"status\":\"verified\",\"source\":\"seen\"},"
#define UNKNOWN                                                                        \
        "\"door\":{\"status\":\"unknown\",\"values\":[\"shut\",\"ajar\"],\"source\":"  \
        "\"none\"},"

static char where[64];

static struct kp_profile *
load(const char *text, struct kp_error *err)
{
        struct kp_profile *profile = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        int failed;

        (void)snprintf(where, sizeof(where), "/tmp/keypilot-test-XXXXXX");
        cr_assert_not_null(mkdtemp(where));
        path = kp_format("%s/shop.json", where);
        cr_assert_eq(kp_file_write(path, text, strlen(text), err), 0);
        failed = kp_profile_load(KP_KIND_SERVICE, path, &profile, err);
        cr_assert_eq(unlink(path), 0);
        cr_assert_eq(rmdir(where), 0);
        return failed < 0 ? NULL : profile;
}

Test(profile, says_what_is_wrong_with_a_file)
{
        static const struct {
                const char *text, *says;
        } cases[] = {
                { HEAD KNOWN "\"size\":{\"value\":\"big\",\"status\":\"assumed\","
                             "\"source\":\"\"}}}",
                        "fact 'size': member 'value': expected an integer" },
                { HEAD SIZE "}}", "facts: 'door' is missing: how the door stands" },
                { HEAD KNOWN SIZE ",\"taste\":{\"value\":1,\"status\":\"assumed\","
                                  "\"source\":\"\"}}}",
                        "facts: a service has no fact 'taste'" },
                { HEAD SIZE ",\"door\":{\"value\":\"wide\",\"status\":\"assumed\","
                            "\"source\":\"\"}}}",
                        "fact 'door': value 'wide': expected one of open|shut|ajar" },
                { HEAD SIZE ",\"door\":{\"value\":\"open\",\"status\":\"sure\","
                            "\"source\":\"\"}}}",
                        "status 'sure': expected verified, reported, assumed or "
                        "unknown" },
                { HEAD SIZE ",\"door\":{\"value\":\"open\",\"status\":\"unknown\","
                            "\"source\":\"\"}}}",
                        "an unknown fact has no 'value' but 'values', two or more" },
                { HEAD SIZE ",\"door\":{\"status\":\"unknown\",\"values\":[\"open\","
                            "\"wide\"],\"source\":\"\"}}}",
                        "fact 'door': value 'wide': expected one of" },
                { HEAD SIZE ",\"door\":{\"value\":\"open\",\"status\":\"assumed\"}}}",
                        "fact 'door': member 'source' is missing" },
                { "{\"id\":\"other\",\"title\":{\"en\":\"\",\"nl\":\"\"},\"facts\":"
                  "{" KNOWN SIZE "}}",
                        "member 'id': 'other' is not the name of the file" },
                { HEAD KNOWN SIZE "},\"extra\":1}",
                        "member 'extra' is not known here" },
        };
        char text[2048];

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_error err = { 0 };

                cr_assert_null(load(cases[i].text, &err), "taken: %s", cases[i].text);
                cr_assert(strstr(kp_error_format(&err, text, sizeof(text)),
                                  cases[i].says) != NULL,
                        "%s gives: %s", cases[i].text, text);
                cr_assert(strstr(text, "shop.json") != NULL, "names no file: %s", text);
        }
}

Test(profile, a_read_is_written_to_the_trace_once_with_its_status)
{
        struct kp_clock clock = kp_clock_simulated();
        struct kp_error err = { 0 };
        KP_CLEANUP(kp_profile_free)
        struct kp_profile *profile = load(HEAD KNOWN SIZE "}}", &err);
        KP_CLEANUP(kp_assumptions_free) struct kp_assumptions *a = NULL;
        KP_CLEANUP(kp_trace_free) struct kp_trace *trace = NULL;
        const json_t *event;

        cr_assert_eq(kp_assumptions_new(&a, &err), 0);
        cr_assert_eq(kp_trace_new(&clock, &trace, &err), 0);
        const struct kp_actor actor = { "service", profile, a, trace };

        cr_assert(kp_fact_is(&actor, "door", "open"));
        cr_assert_eq(kp_fact_int(&actor, "size"), 3);
        cr_assert_eq(kp_fact_int(&actor, "size"), 3);
        cr_assert_null(kp_fact_str(&actor, "colour"));
        cr_assert_eq(kp_trace_check(trace, &err), 0);
        cr_assert_eq(json_array_size(kp_trace_events(trace)), 3);
        event = json_array_get(kp_trace_events(trace), 1);
        cr_assert_str_eq(kp_json_str(event, "fact", ""), "service.size");
        cr_assert_str_eq(kp_json_str(event, "status", ""), "assumed");
        cr_assert_eq(kp_json_int(event, "value", 0), 3);
        cr_assert_null(kp_assumptions_unknown(a, 0));
}

Test(profile, an_unknown_takes_its_first_value_until_told_and_a_pilot_wins_over_all)
{
        struct kp_error err = { 0 };
        KP_CLEANUP(kp_profile_free)
        struct kp_profile *profile = load(HEAD UNKNOWN SIZE "}}", &err);
        KP_CLEANUP(kp_assumptions_free) struct kp_assumptions *a = NULL;
        json_auto_t *ajar = json_string("ajar"), *open = json_string("open");

        cr_assert_eq(kp_assumptions_new(&a, &err), 0);
        const struct kp_actor actor = { "service", profile, a, NULL };

        cr_assert(kp_fact_is(&actor, "door", "shut"));
        cr_assert_str_eq(kp_assumptions_unknown(a, 0)->name, "service.door");
        cr_assert_eq(json_array_size(kp_assumptions_unknown(a, 0)->values), 2);
        cr_assert_null(kp_assumptions_unknown(a, 1));
        cr_assert_eq(kp_assumptions_take(a, "service.door", ajar, &err), 0);
        kp_assumptions_restart(a);
        cr_assert_null(kp_assumptions_unknown(a, 0));
        cr_assert(kp_fact_is(&actor, "door", "ajar"));
        cr_assert_eq(kp_assumptions_set(a, "service.door", open, &err), 0);
        kp_assumptions_restart(a);
        cr_assert(kp_fact_is(&actor, "door", "open"));
        cr_assert_null(
                kp_assumptions_unknown(a, 0), "what a pilot sets is not unknown");
}

/* What the trace says about one event. */
static const char *
complaint(const char *event, const char *format, const char *name, int value)
{
        static char text[512];
        struct kp_clock clock = kp_clock_simulated();
        KP_CLEANUP(kp_trace_free) struct kp_trace *trace = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_trace_new(&clock, &trace, &err), 0);
        kp_trace_add(trace, "agent", event, format, name, value);
        if (kp_trace_check(trace, &err) == 0)
                return "";
        cr_assert_eq(json_array_size(kp_trace_events(trace)), 0);
        return kp_error_format(&err, text, sizeof(text));
}

Test(trace, carries_only_what_its_event_type_lists)
{
        cr_assert_str_eq(complaint("door.opened", "{s:i}", "person", 1), "");
        cr_assert_str_eq(complaint("door.opened", "{s:i}", "per", 1),
                "trace: event 'door.opened' may not carry 'per'");
        cr_assert_str_eq(complaint("door.opened", "{s:i}", "credentialId", 1),
                "trace: event 'door.opened' may not carry 'credentialId'");
        cr_assert_str_eq(complaint("door.kicked", "{s:i}", "person", 1),
                "trace: no event type 'door.kicked'");
}

Test(fixtures, a_wrong_name_is_answered_with_the_nearest_one)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_error err = { 0 };
        char text[1024];

        cr_assert_eq(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err), 0);
        cr_assert_eq(
                kp_fixtures_path(fixtures, "schema", "outcome.shema", &path, &err), -1);
        cr_assert_eq(err.code, KP_ENOTFOUND);
        cr_assert(strstr(kp_error_format(&err, text, sizeof(text)),
                          "did you mean 'outcome.schema'?") != NULL,
                "%s", text);
        kp_error_clear(&err);
        cr_assert_eq(
                kp_fixtures_path(fixtures, "schema", "./my-own.json", &path, &err), 0);
        cr_assert_str_eq(path, "./my-own.json");
}

Test(fixtures, a_folder_without_fixtures_is_refused)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_fixtures_open("/tmp", &fixtures, &err), -1);
        cr_assert_eq(err.code, KP_EENV);
}
