/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/pilot/cell.h"
#include "keypilot/pilot/judge.h"

static struct kp_fixtures *fixtures;

static void
open_fixtures(void)
{
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err) == 0,
                "%s", kp_error_format(&err, text, sizeof(text)));
}

static void
close_fixtures(void)
{
        kp_fixtures_free(&fixtures);
        kp_cell_cache_clear();
}

TestSuite(cell, .init = open_fixtures, .fini = close_fixtures);

/* The usual axes, and changes: "axis", "value", ..., NULL. */
static json_t *
axes_with(const char *axis, ...)
{
        json_t *axes = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
                "key", "sim:yubikey-5-57-pin", "client", "chrome-windows", "service",
                "magister", "provider", "entra-id", "provider2", "none", "hub", "none",
                "home", "service", "population", "teacher", "settings", "none", "event",
                "none");
        va_list changes;

        va_start(changes, axis);
        for (; axis != NULL; axis = va_arg(changes, const char *))
                (void)json_object_set_new(
                        axes, axis, json_string(va_arg(changes, const char *)));
        va_end(changes);
        return axes;
}

/* Run a cell; takes `axes` and `set`. The caller ends the result. */
static struct kp_cell_result
ran(const char *scenario, json_t *axes, json_t *set, enum kp_driver_choice driver,
        const char *seed)
{
        const struct kp_cell_input input = {
                .fixtures = fixtures,
                .scenario = scenario,
                .axes = axes,
                .set = set,
                .seed = seed,
                .id = "test",
                .driver = driver,
        };
        struct kp_cell_result result = { 0 };
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(kp_cell_run(&input, &result, &err) == 0, "%s: %s", scenario,
                kp_error_format(&err, text, sizeof(text)));
        json_decref(axes);
        json_decref(set);
        return result;
}

static const json_t *
event_find(const json_t *trace, const char *name, const char *who)
{
        const json_t *event;
        size_t i;

        json_array_foreach (trace, i, event)
                if (strcmp(kp_json_str(event, "event", ""), name) == 0 &&
                        (who == NULL ||
                                strcmp(kp_json_str(event, "who", ""), who) == 0))
                        return event;
        return NULL;
}

Test(cell, passkey_at_the_service_opens_the_service)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran(
                "passkey-at-service", axes_with(NULL), NULL, KP_DRIVER_DEFAULT, "1");

        cr_assert_str_eq(kp_verdict_name(result.verdict), "works");
        cr_assert(json_is_true(json_object_get(
                event_find(result.trace, "rp.authentication", "service"), "uv")));
        cr_assert(event_find(result.trace, "ctap", "key") != NULL,
                "the key itself was asked");
}

Test(cell, passkey_at_the_provider_opens_the_service_through_a_signed_response)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran("passkey-at-provider",
                axes_with("home", "provider", NULL), NULL, KP_DRIVER_DEFAULT, "1");
        const json_t *response;

        cr_assert_str_eq(kp_verdict_name(result.verdict), "works");
        response = event_find(result.trace, "saml.response.received", "service");
        cr_assert(json_is_true(json_object_get(response, "accepted")));
        cr_assert(json_is_true(json_object_get(response, "assertion_signed")));
        cr_assert(event_find(result.trace, "rp.authentication", "provider") != NULL);
        cr_assert(event_find(result.trace, "rp.authentication", "service") == NULL);
}

Test(cell, a_parent_uses_a_passkey_at_the_service_without_any_provider)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran("passkey-at-service",
                axes_with("population", "parent", NULL), NULL, KP_DRIVER_DEFAULT, "1");

        cr_assert_str_eq(kp_verdict_name(result.verdict), "works");
        cr_assert(event_find(result.trace, "saml.request.sent", NULL) == NULL);
}

Test(cell, what_cannot_exist_is_not_applicable_and_says_why)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran("passkey-at-provider",
                axes_with("population", "parent", NULL), NULL, KP_DRIVER_DEFAULT, "1");

        cr_assert_str_eq(kp_verdict_name(result.verdict), "not-applicable");
        cr_assert(strstr(result.why, "no account at the provider") != NULL, "%s",
                result.why);
        cr_assert(event_find(result.trace, "step", NULL) == NULL, "nothing was run");
}

Test(cell, what_hangs_on_a_step_that_failed_at_the_key_is_skipped_and_says_so)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result =
                ran("key-lost-at-home", axes_with("key", "sim:yubikey-4-u2f", NULL),
                        NULL, KP_DRIVER_DEFAULT, "1");

        cr_assert_str_eq(kp_verdict_name(result.verdict), "skipped");
        cr_assert(
                strstr(result.why, "an earlier step failed") != NULL, "%s", result.why);
}

static void
hub_cannot_be_home(void)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran("passkey-at-home",
                axes_with("home", "hub", NULL), NULL, KP_DRIVER_DEFAULT, "1");

        cr_assert_str_eq(kp_verdict_name(result.verdict), "not-applicable");
        cr_assert(strstr(result.why, "no hub") != NULL, "%s", result.why);
}

Test(cell, a_passkey_cannot_live_at_a_hub_that_is_not_there)
{
        hub_cannot_be_home();
}

/* Facts of a hub that has passkeys of its own. */
static json_t *
hub_with_passkeys(void)
{
        return json_pack(
                "{s:b, s:s, s:s, s:b, s:s, s:[i], s:i, s:s, s:s, s:b, s:s, s:i}",
                "hub.passkeys", 1, "hub.passkey_discoverable", "required",
                "hub.passkey_uv", "required", "hub.passkey_checks_uv", 1,
                "hub.passkey_attestation", "none", "hub.passkey_algorithms", -7,
                "hub.passkey_challenge_ttl_s", 300, "hub.passkey_user_handle",
                "random64", "hub.passkey_label", "person", "hub.passkey_checks_tenant",
                1, "hub.context_passkey",
                "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
                "hub.session_ttl_s", 3600);
}

Test(cell, a_passkey_can_live_at_a_hub_that_has_them)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran("passkey-at-home",
                axes_with("home", "hub", "hub", "entree", "service", "publisher", NULL),
                hub_with_passkeys(), KP_DRIVER_DEFAULT, "1");

        cr_assert_str_eq(
                kp_verdict_name(result.verdict), "works", "%s", result.invariant);
        cr_assert(event_find(result.trace, "rp.authentication", "hub") != NULL);
}

static char *
dumped(const struct kp_cell_result *result)
{
        json_auto_t *all = json_pack("{s:O, s:O, s:O}", "trace", result->trace,
                "unknown", result->unknown, "rests_on", result->rests_on);

        return json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
}

Test(cell, the_same_seed_gives_the_same_bytes)
{
        static const char *const scenarios[] = { "passkey-at-provider",
                "shared-computer", "two-schools-one-key", "leaver" };

        for (size_t i = 0; i < KP_NELEMS(scenarios); i++) {
                KP_CLEANUP(kp_cell_result_done)
                struct kp_cell_result first = ran(
                        scenarios[i], axes_with(NULL), NULL, KP_DRIVER_DEFAULT, "1");
                KP_CLEANUP(kp_cell_result_done)
                struct kp_cell_result again = ran(
                        scenarios[i], axes_with(NULL), NULL, KP_DRIVER_DEFAULT, "1");
                KP_CLEANUP(kp_cell_result_done)
                struct kp_cell_result other = ran(
                        scenarios[i], axes_with(NULL), NULL, KP_DRIVER_DEFAULT, "2");
                KP_CLEANUP(kp_free_str) char *a = dumped(&first);
                KP_CLEANUP(kp_free_str) char *b = dumped(&again);

                cr_expect_str_eq(a, b, "%s", scenarios[i]);
                cr_expect_eq(
                        first.verdict, other.verdict, "%s: another seed", scenarios[i]);
        }
}

/* Verdicts and what the person sees, whichever driver carries the ceremony. */
Test(cell, both_drivers_give_the_same_outcome_in_every_scenario)
{
        struct kp_names scenarios = { 0 };
        struct kp_error err = { 0 };
        unsigned n_same = 0;

        cr_assert(kp_fixtures_list(fixtures, "scenarios", &scenarios, &err) == 0);
        for (size_t i = 0; i < scenarios.n_names; i++) {
                KP_CLEANUP(kp_cell_result_done)
                struct kp_cell_result a = ran(scenarios.names[i],
                        axes_with("provider2", "ad-fs", NULL),
                        json_pack("{s:[i], s:[i]}", "provider.passkey_algorithms", -7,
                                "service.passkey_algorithms", -7),
                        KP_DRIVER_LIBFIDO2, "1");
                KP_CLEANUP(kp_cell_result_done)
                struct kp_cell_result b = ran(scenarios.names[i],
                        axes_with("provider2", "ad-fs", NULL),
                        json_pack("{s:[i], s:[i]}", "provider.passkey_algorithms", -7,
                                "service.passkey_algorithms", -7),
                        KP_DRIVER_CTAP, "1");

                if (a.verdict == KP_NOT_APPLICABLE || b.verdict == KP_NOT_APPLICABLE)
                        continue;
                cr_expect_eq(a.verdict, b.verdict, "%s: %s over libfido2, %s over ctap",
                        scenarios.names[i], kp_verdict_name(a.verdict),
                        kp_verdict_name(b.verdict));
                cr_expect_str_eq(a.invariant, b.invariant, "%s", scenarios.names[i]);
                cr_expect_eq(a.prompts, b.prompts, "%s", scenarios.names[i]);
                n_same++;
        }
        kp_names_done(&scenarios);
        cr_assert_geq(n_same, 15);
}

Test(cell, unknown_facts_that_were_read_are_named_in_order_and_can_be_taken)
{
        const struct kp_cell_input base = {
                .fixtures = fixtures,
                .scenario = "passkey-at-service",
                .seed = "1",
                .id = "test",
        };
        struct kp_cell_input input = base;
        KP_CLEANUP(kp_json_free) json_t *axes = axes_with(NULL);
        KP_CLEANUP(kp_json_free)
        json_t *take = json_pack("{s:s}", "service.passkey_step", "after-hrd");
        KP_CLEANUP(kp_cell_result_done) struct kp_cell_result first = { 0 };
        KP_CLEANUP(kp_cell_result_done) struct kp_cell_result second = { 0 };
        struct kp_error err = { 0 };

        input.axes = axes;
        cr_assert(kp_cell_run(&input, &first, &err) == 0);
        cr_assert_geq(json_array_size(first.unknown), 2);
        cr_assert_str_eq(kp_json_str(json_array_get(first.unknown, 0), "fact", ""),
                "service.passkey_step");
        input.take = take;
        cr_assert(kp_cell_run(&input, &second, &err) == 0);
        cr_assert_neq(first.verdict, second.verdict, "the passkey step decides");
        cr_assert_str_eq(second.invariant, "passkey-used");
}

Test(cell, facts_that_are_assumed_are_named_as_what_it_rests_on)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran(
                "passkey-at-provider", axes_with(NULL), NULL, KP_DRIVER_DEFAULT, "1");
        const json_t *item;
        bool protocol = false;
        size_t i;

        json_array_foreach (result.rests_on, i, item) {
                cr_assert_str_neq(kp_json_str(item, "status", ""), "verified");
                if (strcmp(kp_json_str(item, "fact", ""), "service.eip_protocol") == 0)
                        protocol = true;
        }
        cr_assert(protocol, "a SAML answer about this service is conditional");
}

/* Nothing that names a person, a host or a key gets into a trace. */
Test(cell, traces_carry_no_names_hosts_or_ids)
{
        static const char *const never[] = { "magister.net", "microsoft", ".example",
                "@", "jan.", "geheim", "https://sts", "entree" };
        struct kp_names scenarios = { 0 };
        struct kp_error err = { 0 };

        cr_assert(kp_fixtures_list(fixtures, "scenarios", &scenarios, &err) == 0);
        for (size_t i = 0; i < scenarios.n_names; i++) {
                KP_CLEANUP(kp_cell_result_done)
                struct kp_cell_result result = ran(scenarios.names[i],
                        axes_with("hub", "entree", "service", "publisher", "home",
                                "provider", NULL),
                        NULL, KP_DRIVER_DEFAULT, "1");
                KP_CLEANUP(kp_cell_result_done)
                struct kp_cell_result direct =
                        ran(scenarios.names[i], axes_with("provider2", "ad-fs", NULL),
                                NULL, KP_DRIVER_DEFAULT, "1");
                KP_CLEANUP(kp_free_str) char *a = dumped(&result);
                KP_CLEANUP(kp_free_str) char *b = dumped(&direct);

                for (size_t j = 0; j < KP_NELEMS(never); j++)
                        cr_expect(strstr(a, never[j]) == NULL &&
                                          strstr(b, never[j]) == NULL,
                                "%s: '%s' in a trace", scenarios.names[i], never[j]);
        }
        kp_names_done(&scenarios);
}

static const char *
refusal(json_t *axes, json_t *set, const char *scenario, char text[KP_ERROR_TEXT])
{
        const struct kp_cell_input input = {
                .fixtures = fixtures,
                .scenario = scenario,
                .axes = axes,
                .set = set,
                .seed = "1",
                .id = "test",
        };
        struct kp_cell_result result = { 0 };
        struct kp_error err = { 0 };

        cr_assert(kp_cell_run(&input, &result, &err) < 0);
        json_decref(axes);
        json_decref(set);
        return kp_error_format(&err, text, KP_ERROR_TEXT);
}

Test(cell, wrong_settings_are_refused_by_name)
{
        char text[KP_ERROR_TEXT];

        cr_expect(strstr(refusal(axes_with(NULL),
                                 json_pack("{s:s}", "service.hdr", "tile"),
                                 "passkey-at-service", text),
                          "hdr") != NULL,
                "%s", text);
        cr_expect(strstr(refusal(axes_with(NULL),
                                 json_pack("{s:s}", "service.hrd", "maybe"),
                                 "passkey-at-service", text),
                          "maybe") != NULL,
                "%s", text);
        cr_expect(strstr(refusal(axes_with(NULL),
                                 json_pack("{s:s}", "server.hrd", "tile"),
                                 "passkey-at-service", text),
                          "server.hrd") != NULL,
                "%s", text);
        cr_expect(strstr(refusal(axes_with(NULL), json_pack("{s:i}", "service.hrd", 1),
                                 "passkey-at-service", text),
                          "string") != NULL,
                "%s", text);
        cr_expect(strstr(refusal(axes_with("service", "magistar", NULL), NULL,
                                 "passkey-at-service", text),
                          "magistar") != NULL,
                "%s", text);
        cr_expect(strstr(refusal(axes_with("key", "sim:yubikee", NULL), NULL,
                                 "passkey-at-service", text),
                          "yubikee") != NULL,
                "%s", text);
}

Test(cell, invariants_are_checked_by_name_and_parameter)
{
        static const struct {
                const char *expect, *says;
        } cases[] = {
                { "gets-inn", "not an invariant" },
                { "gets-in:3", "no parameter" },
                { "prompts", "number" },
                { "prompts:many", "number" },
                { "assurance:strong", "phishing-resistant" },
                { "assurance", "phishing-resistant" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                json_auto_t *expect = json_pack("[s]", cases[i].expect);
                const struct kp_scenario scenario = { .id = "x", .expect = expect };
                struct kp_error err = { 0 };
                char text[KP_ERROR_TEXT];

                cr_assert(kp_judge_check_scenario(&scenario, &err) < 0, "%s",
                        cases[i].expect);
                cr_expect(strstr(kp_error_format(&err, text, sizeof(text)),
                                  cases[i].says) != NULL,
                        "%s: %s", cases[i].expect, text);
        }
}

Test(cell, every_invariant_is_expected_by_some_scenario)
{
        struct kp_names scenarios = { 0 };
        struct kp_error err = { 0 };
        const char *name, *means;
        enum kp_verdict verdict;

        cr_assert(kp_fixtures_list(fixtures, "scenarios", &scenarios, &err) == 0);
        for (size_t k = 0; (name = kp_judge_invariant(k, &means, &verdict)) != NULL;
                k++) {
                bool used = false;

                for (size_t i = 0; i < scenarios.n_names && !used; i++) {
                        const struct kp_scenario *scenario;
                        const json_t *item;
                        size_t j;

                        cr_assert(kp_fixtures_scenario(fixtures, scenarios.names[i],
                                          &scenario, &err) == 0);
                        json_array_foreach (scenario->expect, j, item)
                                if (strncmp(json_string_value(item), name,
                                            strlen(name)) == 0)
                                        used = true;
                }
                cr_expect(used, "no scenario expects '%s'", name);
        }
        kp_names_done(&scenarios);
}

/* The ids of two profiles change places: so do their verdicts. */
static void
copy_renamed(const char *from_dir, const char *from, const char *to_dir, const char *to)
{
        KP_CLEANUP(kp_free_str) char *source = kp_format("%s/%s.json", from_dir, from);
        KP_CLEANUP(kp_free_str) char *target = kp_format("%s/%s.json", to_dir, to);
        KP_CLEANUP(kp_json_free) json_t *root = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };

        cr_assert(kp_json_load(source, KP_JSON_MAX, &root, &err) == 0);
        (void)json_object_set_new(root, "id", json_string(to));
        cr_assert(kp_json_write(root, &text, &err) == 0);
        cr_assert(kp_file_write(target, text.data, text.len, &err) == 0);
}

static enum kp_verdict
verdict_of(const char *provider)
{
        KP_CLEANUP(kp_cell_result_done)
        struct kp_cell_result result = ran("service-demands-password-login",
                axes_with("provider", provider, NULL), NULL, KP_DRIVER_DEFAULT, "1");

        return result.verdict;
}

Test(cell, swapping_the_ids_of_two_profiles_swaps_their_verdicts)
{
        KP_CLEANUP(kp_free_str)
        char *providers = kp_format("%s/providers", kp_fixtures_dir(fixtures));
        char dir[] = "/tmp/keypilot-swap-XXXXXX";
        KP_CLEANUP(kp_free_str) char *a = NULL;
        KP_CLEANUP(kp_free_str) char *b = NULL;

        cr_assert(mkdtemp(dir) != NULL);
        copy_renamed(providers, "entra-id", dir, "simplesamlphp");
        copy_renamed(providers, "simplesamlphp", dir, "entra-id");
        a = kp_format("%s/entra-id.json", dir);
        b = kp_format("%s/simplesamlphp.json", dir);
        cr_expect_eq(verdict_of("entra-id"), KP_BREAKS);
        cr_expect_eq(verdict_of("simplesamlphp"), KP_WORKS);
        cr_expect_eq(verdict_of(a), KP_WORKS);
        cr_expect_eq(verdict_of(b), KP_BREAKS);
        (void)remove(a);
        (void)remove(b);
        (void)remove(dir);
}
