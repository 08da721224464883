/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/pilot/cell.h"

/*
 * Every scenario over both drivers: libfido2, which real keys are driven with, and our
 * own CTAP client, which simulated ones are. What a person sees, what sites decide and
 * what is judged must be the same; only what passes below the driver may differ. What
 * libfido2 cannot say is counted and skipped with its reason.
 */

static void
ok(int status, const struct kp_error *err)
{
        char why[4096];

        cr_assert_eq(status, 0, "%s", kp_error_format(err, why, sizeof(why)));
}

/* One key, in a client that reaches it. */
struct bench {
        const char *key, *client;
        json_t *set; /* NULL: nothing */
        struct kp_fixtures *fixtures;
        unsigned n_equal, n_skipped, n_failed;
        unsigned n_other;  /* equal cells in which the drivers spoke differently */
        char reasons[512]; /* what was skipped, each once */
};

static const char *
with_default(const char *value, const char *fallback)
{
        return value == NULL ? fallback : value;
}

static json_t *
axes_of(const struct bench *bench, const char *home)
{
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "client",
                with_default(bench->client, "chrome-linux"), "event", "none", "home",
                home, "hub", "none", "key", bench->key, "population", "teacher-parent",
                "provider", "entra-id", "provider2", "none", "service", "magister",
                "settings", "none");
}

static void
run(const struct bench *bench, const char *scenario, const json_t *axes,
        enum kp_driver_choice driver, struct kp_cell_result *ret)
{
        const struct kp_cell_input input = {
                .fixtures = bench->fixtures,
                .scenario = scenario,
                .axes = axes,
                .set = bench->set,
                .seed = "drivers",
                .id = scenario,
                .driver = driver,
        };
        struct kp_error err = { 0 };

        ok(kp_cell_run(&input, ret, &err), &err);
}

/* What passes between driver and key is the driver's own business. */
static bool
is_below(const json_t *event)
{
        static const char *const events[] = { "ctap", "ctap.touch", "ctaphid.error",
                "key.lost", "tap.refused", "u2f" };
        const char *name = kp_json_str(event, "event", "");

        for (size_t i = 0; i < KP_NELEMS(events); i++)
                if (strcmp(events[i], name) == 0)
                        return true;
        return false;
}

static json_t *
part(const json_t *trace, bool below)
{
        json_t *kept = json_array();
        const json_t *event;
        size_t i;

        json_array_foreach (trace, i, event)
                if (is_below(event) == below)
                        json_array_append(kept, (json_t *)event);
        return kept;
}

/* The first event in which two traces differ; NULL: none. */
static char *
first_difference(const json_t *a, const json_t *b)
{
        json_auto_t *ours = part(a, false), *theirs = part(b, false);
        size_t n = json_array_size(ours) > json_array_size(theirs)
                           ? json_array_size(ours)
                           : json_array_size(theirs);

        for (size_t i = 0; i < n; i++) {
                json_t *one = json_array_get(ours, i),
                       *other = json_array_get(theirs, i);
                KP_CLEANUP(kp_free_str) char *text = NULL;
                KP_CLEANUP(kp_free_str) char *other_text = NULL;

                if (one != NULL && other != NULL && json_equal(one, other))
                        continue;
                text = one == NULL ? strdup("(end)") : json_dumps(one, 0);
                other_text = other == NULL ? strdup("(end)") : json_dumps(other, 0);
                return kp_format(
                        "event %zu: libfido2 %s, ctap %s", i + 1, text, other_text);
        }
        return NULL;
}

/* Two drivers never say quite the same: where they do, one of them was not there. */
static bool
spoke_differently(const json_t *a, const json_t *b)
{
        json_auto_t *ours = part(a, true), *theirs = part(b, true);

        return !json_equal(ours, theirs);
}

static bool
cannot_say(const struct kp_cell_result *result)
{
        return result->verdict == KP_NOT_APPLICABLE &&
               strstr(result->why, "libfido2 cannot ask for") != NULL;
}

static void
skip_note(struct bench *bench, const struct kp_cell_result *result)
{
        const char *reason = strstr(result->why, "libfido2 cannot ask for");
        size_t len = strlen(bench->reasons);

        bench->n_skipped++;
        if (strstr(bench->reasons, reason) == NULL)
                (void)snprintf(bench->reasons + len, sizeof(bench->reasons) - len,
                        "%s%s", len == 0 ? "" : "; ", reason);
}

static void
outcomes_compare(struct bench *bench, const char *scenario, const char *home,
        const struct kp_cell_result *fido2, const struct kp_cell_result *ctap)
{
        KP_CLEANUP(kp_free_str) char *difference = NULL;
        bool same = fido2->verdict == ctap->verdict &&
                    strcmp(fido2->invariant, ctap->invariant) == 0 &&
                    strcmp(fido2->why, ctap->why) == 0;

        if (cannot_say(fido2) && !cannot_say(ctap)) {
                skip_note(bench, fido2);
                return;
        }
        difference = first_difference(fido2->trace, ctap->trace);
        cr_expect(same, "%s, %s at %s: %s %s %s with libfido2, %s %s %s with ctap",
                bench->key, scenario, home, kp_verdict_name(fido2->verdict),
                fido2->invariant, fido2->why, kp_verdict_name(ctap->verdict),
                ctap->invariant, ctap->why);
        cr_expect_eq(fido2->prompts, ctap->prompts,
                "%s, %s at %s: %d prompts with libfido2, %d with ctap", bench->key,
                scenario, home, fido2->prompts, ctap->prompts);
        cr_expect_null(
                difference, "%s, %s at %s: %s", bench->key, scenario, home, difference);
        if (same && fido2->prompts == ctap->prompts && difference == NULL)
                bench->n_equal++;
        else
                bench->n_failed++;
        bench->n_other += spoke_differently(fido2->trace, ctap->trace);
}

static void
both(struct bench *bench, const char *scenario, const char *home)
{
        struct kp_cell_result fido2 = { 0 }, ctap = { 0 };
        json_auto_t *axes = axes_of(bench, home);

        run(bench, scenario, axes, KP_DRIVER_LIBFIDO2, &fido2);
        run(bench, scenario, axes, KP_DRIVER_CTAP, &ctap);
        outcomes_compare(bench, scenario, home, &fido2, &ctap);
        kp_cell_result_done(&fido2);
        kp_cell_result_done(&ctap);
}

static bool
varies(const struct bench *bench, const char *scenario, const char *axis)
{
        const struct kp_scenario *loaded = NULL;
        struct kp_error err = { 0 };
        const json_t *item;
        size_t i;

        ok(kp_fixtures_scenario(bench->fixtures, scenario, &loaded, &err), &err);
        json_array_foreach (loaded->vary, i, item)
                if (strcmp(json_string_value(item), axis) == 0)
                        return true;
        return false;
}

/*
 * Passkeys as second factors were: nothing stored on the key, ids listed, no
 * verification asked for.
 */
static json_t *
listed(void)
{
        return json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:b, s:s, s:s}",
                "service.passkey_discoverable", "discouraged", "service.passkey_uv",
                "discouraged", "service.passkey_checks_uv", 0, "service.passkey_step",
                "after-username-before-hrd", "provider.passkey_discoverable",
                "discouraged", "provider.passkey_uv", "discouraged",
                "provider.passkey_checks_uv", 0, "provider.passkey_door",
                "after-username", "provider.enrolment_needs", "session");
}

static void
key_over_both(const char *key, const char *client, json_t *set)
{
        struct bench bench = { .key = key, .client = client, .set = set };
        struct kp_names scenarios = { 0 };
        struct kp_error err = { 0 };

        ok(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &bench.fixtures, &err), &err);
        ok(kp_fixtures_list(bench.fixtures, "scenarios", &scenarios, &err), &err);
        for (size_t i = 0; i < scenarios.n_names; i++) {
                if (!varies(&bench, scenarios.names[i], "key"))
                        continue;
                both(&bench, scenarios.names[i], "service");
                if (varies(&bench, scenarios.names[i], "home"))
                        both(&bench, scenarios.names[i], "provider");
        }
        kp_names_done(&scenarios);
        kp_fixtures_free(&bench.fixtures);
        json_decref(set);
        kp_cell_cache_clear();
        cr_expect_gt(bench.n_equal, 10, "%s: only %u cells were compared", key,
                bench.n_equal);
        if (bench.n_failed == 0 && bench.n_skipped > 0)
                cr_skip_test("%u cells are equal; %u skipped: %s", bench.n_equal,
                        bench.n_skipped, bench.reasons);
}

Test(drivers, ctap_2_0_without_pin)
{
        key_over_both("sim:solo-1", NULL, NULL);
}

Test(drivers, ctap_2_0_with_pin)
{
        key_over_both("sim:google-titan-v2-pin", NULL, NULL);
}

Test(drivers, ctap_2_1_preview_with_pin)
{
        key_over_both("sim:yubikey-5-52-pin", NULL, NULL);
}

Test(drivers, ctap_2_1_with_pin)
{
        key_over_both("sim:yubikey-5-57-pin", NULL, NULL);
}

Test(drivers, ctap_2_1_without_pin)
{
        key_over_both("sim:yubikey-5-57", NULL, NULL);
}

Test(drivers, ctap_2_1_without_pin_where_none_is_set)
{
        key_over_both("sim:yubikey-5-57", "firefox-linux", NULL);
}

Test(drivers, always_verifies)
{
        key_over_both("sim:yubikey-5-57-always-uv", NULL, NULL);
}

Test(drivers, full)
{
        key_over_both("sim:yubikey-5-57-full", NULL, NULL);
}

Test(drivers, locked)
{
        key_over_both("sim:yubikey-5-57-locked", NULL, NULL);
}

Test(drivers, pin_must_be_changed)
{
        key_over_both("sim:yubikey-5-57-change-pin", NULL, NULL);
}

Test(drivers, minimum_pin_of_six)
{
        key_over_both("sim:yubikey-5-fips-54", NULL, NULL);
}

Test(drivers, fingerprint)
{
        key_over_both("sim:yubikey-bio", NULL, NULL);
}

Test(drivers, fingerprint_not_enrolled)
{
        key_over_both("sim:yubikey-bio-new", NULL, NULL);
}

Test(drivers, synced)
{
        key_over_both("sim:icloud-keychain", "safari-macos", NULL);
}

Test(drivers, rsa_of_the_platform)
{
        key_over_both("sim:windows-hello-hw", "chrome-windows", NULL);
}

Test(drivers, u2f)
{
        key_over_both("sim:yubikey-4-u2f", NULL, NULL);
}

Test(drivers, u2f_where_ids_are_listed)
{
        key_over_both("sim:yubikey-4-u2f", NULL, listed());
}

Test(drivers, ctap_2_0_where_ids_are_listed)
{
        key_over_both("sim:google-titan-v2-pin", "firefox-linux", listed());
}

Test(drivers, ctap_2_1_where_ids_are_listed)
{
        key_over_both("sim:yubikey-5-57-pin", NULL, listed());
}

Test(drivers, fingerprint_where_ids_are_listed)
{
        key_over_both("sim:yubikey-bio", NULL, listed());
}

/* Equal outcomes mean nothing where one driver stands for both. */
Test(drivers, there_are_two_of_them)
{
        static const char *const keys[] = { "sim:yubikey-5-57-pin", "sim:solo-1",
                "sim:yubikey-bio" };

        for (size_t i = 0; i < KP_NELEMS(keys); i++) {
                struct bench bench = { .key = keys[i] };
                struct kp_error err = { 0 };

                ok(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &bench.fixtures, &err),
                        &err);
                both(&bench, "passkey-at-service", "service");
                cr_expect_eq(bench.n_equal, 1);
                cr_expect_eq(bench.n_other, 1, "%s: nothing differs below the drivers",
                        keys[i]);
                kp_fixtures_free(&bench.fixtures);
                kp_cell_cache_clear();
        }
}
