/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/model/fault.h"
#include "keypilot/pilot/cell.h"

/*
 * Keys that go wrong in the middle of a scenario, and keys that were never right. Every
 * fault that there is is tried: what a site must refuse it refuses, and whatever
 * happened, a key that is whole again gets its owner in.
 */

static struct kp_fixtures *
fixtures_open(void)
{
        struct kp_fixtures *fixtures = NULL;
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        cr_assert(kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err) == 0,
                "%s", kp_error_format(&err, text, sizeof(text)));
        return fixtures;
}

/* Write DIR/NAME.json and return its path. */
static char *
written(const char *dir, const char *name, const char *format, const char *value)
{
        char *path = kp_format("%s/%s.json", dir, name);
        struct kp_error err = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        const char *at = strstr(format, "@");

        kp_buf_put(&text, format, (size_t)(at - format));
        kp_buf_puts(&text, value);
        kp_buf_puts(&text, at + 1);
        cr_assert_not_null(path);
        cr_assert_eq(kp_file_write(path, text.data, text.len, &err), 0);
        return path;
}

static json_t *
axes_of(const char *key)
{
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "client",
                "chrome-windows", "event", "none", "home", "provider", "hub", "none",
                "key", key, "population", "teacher", "provider", "entra-id",
                "provider2", "none", "service", "publisher", "settings", "none");
}

static int
run(struct kp_fixtures *fixtures, const char *scenario, const char *key,
        struct kp_cell_result *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_json_free) json_t *axes = axes_of(key);
        const struct kp_cell_input input = {
                .fixtures = fixtures,
                .scenario = scenario,
                .axes = axes,
                .seed = "faults",
                .id = scenario,
        };

        return kp_cell_run(&input, ret, err);
}

/* The n-th login of a trace, from 1. */
static const json_t *
nth_login(const json_t *trace, int n)
{
        const json_t *event;
        size_t i;

        json_array_foreach (trace, i, event)
                if (strcmp(kp_json_str(event, "event", ""), "attempt") == 0 &&
                        strcmp(kp_json_str(event, "purpose", ""), "login") == 0 &&
                        --n == 0)
                        return event;
        return NULL;
}

#define HEAD                                                                           \
        "\"title\":{\"en\":\"a\",\"nl\":\"b\"},\"vary\":[],\"needs\":[],\"set\":{"     \
        "\"provider.passkey_uv\":\"required\"},\"expect\":[\"gets-in\","               \
        "\"same-account\"],\"steps\":["
#define BREAK "{\"do\":\"break-key\",\"fault\":\"@\"},"
#define WHOLE "{\"do\":\"mend-key\"},{\"do\":\"replug-key\"},"
#define ENROL "{\"do\":\"enrol\",\"at\":\"provider\"},"
#define AFRESH "{\"do\":\"close-browser\",\"browser\":\"wiped\"},"
#define LOG_IN "{\"do\":\"log-in\",\"at\":\"provider\",\"with\":\"passkey\"}"

static const char at_enrolment[] =
        "{\"id\":\"at-enrolment\"," HEAD BREAK ENROL WHOLE ENROL LOG_IN "]}";
static const char at_login[] =
        "{\"id\":\"at-login\"," HEAD ENROL BREAK LOG_IN "," WHOLE AFRESH LOG_IN
        "," AFRESH LOG_IN "," AFRESH LOG_IN "]}";

/*
 * Points that spoil an assertion, and the step at which a relying party must see it,
 * unless the platform does (NULL). A clear UV only where the site asks for verification,
 * which this one does.
 */
static const struct {
        const char *point, *check, *spec;
} must_refuse[] = {
        { "authdata.rp-id-hash", NULL, "WebAuthn L3 §7.2 step 15" },
        { "authdata.up-cleared", "user-present", "WebAuthn L3 §7.2 step 16" },
        { "authdata.uv-cleared", "user-verified", "WebAuthn L3 §7.2 step 17" },
        { "authdata.bs-without-be", "backup-flags", "WebAuthn L3 §7.2 step 18" },
        { "authdata.be-flipped", "backup-eligibility", "WebAuthn L3 §7.2 step 19" },
        { "signature.wrong", "signature", "WebAuthn L3 §7.2 step 21" },
        { "counter.still", "counter", "WebAuthn L3 §7.2 step 22" },
        { "counter.back", "counter", "WebAuthn L3 §7.2 step 22" },
};

/* Did the relying party refuse the first login, at the step where it must? */
static unsigned
refusal_wrong(const struct kp_fault *fault, const json_t *trace)
{
        const json_t *login = nth_login(trace, 1), *event;
        size_t i, k = 0;

        while (k < KP_NELEMS(must_refuse) &&
                strcmp(must_refuse[k].point, fault->point) != 0)
                k++;
        if (k == KP_NELEMS(must_refuse))
                return 0;
        if (!json_is_false(json_object_get(login, "in")))
                return 1;
        if (must_refuse[k].check == NULL)
                return 0; /* by the platform already */
        json_array_foreach (trace, i, event)
                if (strcmp(kp_json_str(event, "event", ""), "rp.authentication") == 0 &&
                        strcmp(kp_json_str(event, "check", ""), must_refuse[k].check) ==
                                0 &&
                        strcmp(kp_json_str(event, "spec", ""), must_refuse[k].spec) ==
                                0)
                        return 0;
        return 1;
}

static unsigned
tried(struct kp_fixtures *fixtures, const char *dir, const char *name, bool login)
{
        KP_CLEANUP(kp_cell_result_done) struct kp_cell_result result = { 0 };
        KP_CLEANUP(kp_fault_done) struct kp_fault fault = { 0 };
        KP_CLEANUP(kp_free_str)
        char *id = kp_format("%s-%s", name, login ? "at-login" : "at-enrolment");
        KP_CLEANUP(kp_free_str)
        char *path = written(dir, id, login ? at_login : at_enrolment, name);
        KP_CLEANUP(kp_free_str)
        char *file = kp_format("%s/faults/%s.json", kp_fixtures_dir(fixtures), name);
        enum kp_verdict wanted = KP_WORKS;
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];
        unsigned wrong = 0;
        int status;

        cr_assert_eq(kp_fault_load(file, &fault, &err), 0);
        status = run(fixtures, path, "sim:yubikey-5-57-pin", &result, &err);
        (void)unlink(path);
        if (status < 0) {
                fprintf(stderr, "%s: %s\n", id,
                        kp_error_format(&err, text, sizeof(text)));
                return 1;
        }
        /* the key itself cannot know how often its copy was used */
        if (login && strcmp(fault.point, "clone") == 0)
                wanted = KP_BREAKS;
        if (result.verdict != wanted ||
                (login && refusal_wrong(&fault, result.trace))) {
                KP_CLEANUP(kp_free_str)
                char *first = json_dumps(nth_login(result.trace, 1), JSON_SORT_KEYS);

                fprintf(stderr, "%s: %s (%s %s); first login %s\n", id,
                        kp_verdict_name(result.verdict), result.invariant, result.why,
                        first);
                wrong++;
        }
        return wrong;
}

Test(faults, whatever_goes_wrong_is_refused_or_told_and_a_whole_key_opens)
{
        struct kp_fixtures *fixtures = fixtures_open();
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        char dir[] = "/tmp/keypilot-faults-XXXXXX";
        struct kp_error err = { 0 };
        unsigned wrong = 0;

        cr_assert_not_null(mkdtemp(dir));
        cr_assert_eq(kp_fixtures_list(fixtures, "faults", &names, &err), 0);
        cr_assert_geq(names.n_names, 35);
        for (size_t i = 0; i < names.n_names; i++)
                wrong += tried(fixtures, dir, names.names[i], false) +
                         tried(fixtures, dir, names.names[i], true);
        cr_expect_eq(wrong, 0);
        (void)rmdir(dir);
        kp_fixtures_free(&fixtures);
        kp_cell_cache_clear();
}

/* A profile may say what is wrong with each of its keys. */
static const char factory[] =
        "{\"id\":\"from-the-factory\",\"title\":{\"en\":\"a\",\"nl\":\"b\"},"
        "\"source\":\"ours\",\"like\":\"yubikey-5-57\",\"options\":{\"clientPin\":true}"
        ","
        "\"state\":{\"pin\":\"set\"},\"faults\":[@]}";

static enum kp_verdict
verdict_with(struct kp_fixtures *fixtures, const char *dir, const char *faults)
{
        KP_CLEANUP(kp_cell_result_done) struct kp_cell_result result = { 0 };
        KP_CLEANUP(kp_free_str)
        char *path = written(dir, "from-the-factory", factory, faults);
        KP_CLEANUP(kp_free_str) char *key = kp_format("sim:%s", path);
        struct kp_error err = { 0 };
        char text[KP_ERROR_TEXT];

        kp_cell_cache_clear(); /* the same path, another profile */
        cr_assert(run(fixtures, "passkey-at-provider", key, &result, &err) == 0, "%s",
                kp_error_format(&err, text, sizeof(text)));
        (void)unlink(path);
        return result.verdict;
}

Test(faults, a_key_that_is_broken_from_the_factory_is_one_file)
{
        struct kp_fixtures *fixtures = fixtures_open();
        char dir[] = "/tmp/keypilot-faults-XXXXXX";

        cr_assert_not_null(mkdtemp(dir));
        cr_expect_eq(verdict_with(fixtures, dir, ""), KP_WORKS);
        cr_expect_eq(verdict_with(fixtures, dir, "\"signature-wrong\""), KP_BREAKS);
        cr_expect_eq(
                verdict_with(fixtures, dir, "{\"point\":\"store.full\",\"times\":0}"),
                KP_BREAKS);
        cr_expect_eq(verdict_with(fixtures, dir,
                             "{\"point\":\"signature.wrong\",\"command\":"
                             "\"getAssertion\",\"nth\":9}"),
                KP_WORKS);
        (void)rmdir(dir);
        kp_fixtures_free(&fixtures);
        kp_cell_cache_clear();
}

/* ---- names ---- */

static const char *
profile_refusal(const char *dir, const char *faults, char why[1024])
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        KP_CLEANUP(kp_free_str)
        char *path = written(dir, "from-the-factory", factory, faults);
        struct kp_error err = { 0 };

        why[0] = '\0';
        if (kp_authenticator_profile_load_from(
                    getenv("KEYPILOT_FIXTURES"), path, &profile, &err) < 0)
                (void)kp_error_format(&err, why, 1024);
        (void)unlink(path);
        return why;
}

Test(faults, a_wrong_name_is_told_with_file_member_and_what_exists)
{
        static const struct {
                const char *faults, *says[3];
        } wrong[] = {
                { "\"coned\"", { "from-the-factory.json", "member 'faults', item 1",
                                       "did you mean 'cloned'?" } },
                { "\"cloned\", 7", { "from-the-factory.json", "item 2",
                                           "expected the name of a fault" } },
                { "{\"value\":1}", { "item 1", "'point' is missing", "" } },
                { "{\"point\":\"clone\",\"nht\":1}", { "item 1", "'nht'", "" } },
                { "{\"point\":\"clone\",\"nth\":0}", { "item 1", "'nth'", "" } },
                { "1,1,1,1,1,1,1,1,1", { "member 'faults': more than 8", "", "" } },
        };
        char dir[] = "/tmp/keypilot-faults-XXXXXX", why[1024];

        cr_assert_not_null(mkdtemp(dir));
        for (size_t i = 0; i < KP_NELEMS(wrong); i++)
                for (size_t k = 0; k < 3; k++)
                        cr_expect(strstr(profile_refusal(dir, wrong[i].faults, why),
                                          wrong[i].says[k]) != NULL,
                                "%s: %s", wrong[i].faults, why);
        (void)rmdir(dir);
}

Test(faults, a_scenario_finds_them_in_the_fixtures_of_its_run)
{
        char dir[] = "/tmp/keypilot-faults-XXXXXX", why[1024];
        KP_CLEANUP(kp_scenario_free) struct kp_scenario *scenario = NULL;
        KP_CLEANUP(kp_free_str) char *schema = NULL;
        KP_CLEANUP(kp_free_str) char *faults = NULL;
        KP_CLEANUP(kp_free_str) char *fault = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        struct kp_error err = { 0 };

        cr_assert_not_null(mkdtemp(dir));
        schema = kp_format("%s/schema", dir);
        faults = kp_format("%s/faults", dir);
        cr_assert_eq(mkdir(schema, 0700) + mkdir(faults, 0700), 0);
        fault = written(faults, "only-here",
                "{\"id\":\"only-here\",\"title\":{\"en\":\"a\",\"nl\":\"b\"},"
                "\"point\":\"@\"}",
                "clone");
        cr_assert_not_null(fault);
        path = written(dir, "at-login", at_login, "only-here");
        cr_assert_eq(kp_scenario_load_from(dir, path, &scenario, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        cr_expect_str_eq(scenario->faults[1].id, "only-here");
        cr_expect_null(scenario->faults[0].point);
        kp_scenario_free(&scenario);

        cr_expect_lt(kp_scenario_load_from(
                             getenv("KEYPILOT_FIXTURES"), path, &scenario, &err),
                0);
        (void)kp_error_format(&err, why, sizeof(why));
        cr_expect(strstr(why, "at-login.json") != NULL &&
                          strstr(why, "item 2, member 'fault'") != NULL &&
                          strstr(why, "keypilot list faults") != NULL,
                "%s", why);
        (void)unlink(fault);
        (void)unlink(path);
        (void)rmdir(schema);
        (void)rmdir(faults);
        (void)rmdir(dir);
}
