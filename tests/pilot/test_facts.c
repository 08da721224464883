/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/pilot/cell.h"
#include "keypilot/pilot/run.h"

/*
 * Verdicts follow facts, and nothing else: not the names of products, and not the
 * rules. What each flip in facts.json should do was derived from the specification
 * that it names.
 */

static void
ok(int status, const struct kp_error *err)
{
        char why[4096];

        cr_assert_eq(status, 0, "%s", kp_error_format(err, why, sizeof(why)));
}

/* ---- a folder of fixtures to change ---- */

struct copy {
        char dir[64];
        struct kp_fixtures *fixtures;
};

static void
copy_begin(struct copy *copy)
{
        const char *from = getenv("KEYPILOT_FIXTURES");
        KP_CLEANUP(kp_free_str) char *command = NULL;
        struct kp_error err = { 0 };

        cr_assert(from != NULL && from[0] != '\0', "KEYPILOT_FIXTURES is not set");
        *copy = (struct copy){ .dir = "/tmp/keypilot-facts-XXXXXX" };
        cr_assert_not_null(mkdtemp(copy->dir));
        command = kp_format(
                "cp -r '%s/.' %s && chmod -R u+w %s", from, copy->dir, copy->dir);
        cr_assert_eq(system(command), 0);
        ok(kp_fixtures_open(copy->dir, &copy->fixtures, &err), &err);
}

/* What was loaded is kept: after a change on disk everything is read afresh. */
static void
copy_changed(struct copy *copy)
{
        struct kp_error err = { 0 };

        kp_cell_cache_clear();
        kp_fixtures_free(&copy->fixtures);
        ok(kp_fixtures_open(copy->dir, &copy->fixtures, &err), &err);
}

static void
copy_end(struct copy *copy)
{
        KP_CLEANUP(kp_free_str) char *command = kp_format("rm -r %s", copy->dir);

        kp_cell_cache_clear();
        kp_fixtures_free(&copy->fixtures);
        cr_assert_eq(system(command), 0);
}

static json_t *
file_read(const struct copy *copy, const char *folder, const char *id)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/%s/%s.json", copy->dir, folder, id);
        struct kp_error err = { 0 };
        json_t *root = NULL;

        ok(kp_json_load(path, KP_JSON_MAX, &root, &err), &err);
        return root;
}

/* Takes `root` over. */
static void
file_write(const struct copy *copy, const char *folder, const char *id, json_t *root)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/%s/%s.json", copy->dir, folder, id);
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };

        json_object_set_new(root, "id", json_string(id));
        ok(kp_json_write(root, &text, &err), &err);
        ok(kp_file_write(path, text.data, text.len, &err), &err);
        json_decref(root);
}

/* ---- one cell ---- */

static void
run(const struct copy *copy, const char *scenario, const char *id, const json_t *axes,
        const json_t *set, struct kp_cell_result *ret)
{
        const struct kp_cell_input input = {
                .fixtures = copy->fixtures,
                .scenario = scenario,
                .axes = axes,
                .set = set,
                .seed = "facts",
                .id = id,
        };
        struct kp_error err = { 0 };
        char why[4096];

        cr_expect_eq(kp_cell_run(&input, ret, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
}

static void
told(const struct kp_cell_result *result, char ret[400])
{
        (void)snprintf(ret, 400, "%s%s%s%s%s", kp_verdict_name(result->verdict),
                result->invariant[0] == '\0' ? "" : ", ", result->invariant,
                result->why[0] == '\0' ? "" : ": ", result->why);
}

/* ---- flips ---- */

static json_t *
axes_with(const json_t *defaults, const json_t *own)
{
        json_t *axes = json_deep_copy(defaults);

        (void)json_object_update(axes, (json_t *)own);
        return axes;
}

/* "state.used": the member `used` of the member `state`. */
static void
member_set(json_t *root, const char *path, json_t *value)
{
        const char *dot = strchr(path, '.');
        KP_CLEANUP(kp_free_str) char *outer = NULL;

        if (dot == NULL) {
                json_object_set(root, path, value);
                return;
        }
        outer = strndup(path, (size_t)(dot - path));
        json_object_set(json_object_get(root, outer), dot + 1, value);
}

/* The same key with one member changed, and what that member drags along. */
static void
key_make(const struct copy *copy, const char *key, const char *member,
        const json_t *choice, const char *id)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/authenticators/%s.json", copy->dir, key + 4);
        struct kp_error err = { 0 };
        const char *name;
        json_t *root, *value;

        ok(kp_authenticator_profile_load(path, &profile, &err), &err);
        root = json_deep_copy(kp_authenticator_profile_json(profile));
        (void)json_object_del(root, "like");
        member_set(root, member, json_object_get(choice, "value"));
        json_object_foreach (json_object_get(choice, "with"), name, value)
                member_set(root, name, value);
        file_write(copy, "authenticators", id, root);
}

/* A flip that no scenario shows alone brings steps of its own. */
static void
scenario_make(const struct copy *copy, const json_t *flip, size_t number)
{
        KP_CLEANUP(kp_free_str) char *id = kp_format("flip-%zu", number);

        if (json_object_get(flip, "steps") == NULL)
                return;
        file_write(copy, "scenarios", id,
                json_pack("{s:{s:s, s:s}, s:[s], s:[], s:O, s:O}", "title", "en", "T",
                        "nl", "T", "vary", "service", "needs", "steps",
                        json_object_get(flip, "steps"), "expect",
                        json_object_get(flip, "expect")));
}

/* Did an actor read the fact, with this value? */
static bool
was_read(const struct kp_cell_result *result, const char *fact, const json_t *value)
{
        const json_t *event;
        size_t i;

        json_array_foreach (result->trace, i, event)
                if (strcmp(kp_json_str(event, "event", ""), "fact") == 0 &&
                        strcmp(kp_json_str(event, "fact", ""), fact) == 0)
                        return json_equal(
                                json_object_get(event, "value"), (json_t *)value);
        /* names of hosts stay out of traces */
        return strstr(fact, ".rp_id") != NULL || strstr(fact, ".host") != NULL;
}

static void
choice_run(const struct copy *copy, const json_t *root, const json_t *flip,
        size_t number, const json_t *choice, struct kp_cell_result *ret)
{
        const char *fact = kp_json_str(flip, "fact", "");
        bool key = strncmp(fact, "key.", 4) == 0;
        json_auto_t *axes =
                axes_with(json_object_get(root, "axes"), json_object_get(flip, "axes"));
        json_t *own = json_object_get(flip, "set");
        json_auto_t *set = own == NULL ? json_object() : json_deep_copy(own);
        KP_CLEANUP(kp_free_str) char *id = kp_format("flip-%zu", number);

        if (key) {
                key_make(copy, kp_json_str(axes, "key", ""), fact + 4, choice, id);
                json_object_set_new(axes, "key", json_sprintf("sim:%s", id));
                kp_cell_cache_clear();
        } else {
                json_object_set(set, fact, json_object_get(choice, "value"));
        }
        run(copy, kp_json_str(flip, "scenario", id), id, axes, set, ret);
        if (!key && ret->trace != NULL)
                cr_expect(was_read(ret, fact, json_object_get(choice, "value")),
                        "flip %zu: nobody read '%s'", number, fact);
}

static void
flip_check(const struct copy *copy, const json_t *root, const json_t *flip,
        size_t number, struct kp_cell_result *ret, const json_t *choice)
{
        const char *verdict = kp_json_str(choice, "verdict", "");
        const char *invariant = kp_json_str(choice, "invariant", "");
        KP_CLEANUP(kp_free_str)
        char *value = json_dumps(json_object_get(choice, "value"), JSON_ENCODE_ANY);
        char was[400];

        choice_run(copy, root, flip, number, choice, ret);
        told(ret, was);
        cr_expect(strcmp(kp_verdict_name(ret->verdict), verdict) == 0 &&
                          strcmp(ret->invariant, invariant) == 0,
                "flip %zu, %s = %s: expected %s %s, was %s\n  %s", number,
                kp_json_str(flip, "fact", ""), value, verdict, invariant, was,
                kp_json_str(flip, "because", ""));
}

Test(facts, verdicts_follow_facts)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/tests/pilot/facts.json", getenv("KEYPILOT_SOURCE"));
        json_auto_t *root = NULL, *facts = json_object();
        struct kp_error err = { 0 };
        const json_t *flip, *choice;
        size_t i, j, n_choices = 0;
        struct copy copy;

        copy_begin(&copy);
        ok(kp_json_load(path, KP_JSON_MAX, &root, &err), &err);
        json_array_foreach (json_object_get(root, "flips"), i, flip) {
                bool differs = false;
                enum kp_verdict first = KP_WORKS;

                scenario_make(&copy, flip, i + 1);
                json_object_set_new(facts, kp_json_str(flip, "fact", ""), json_true());
                json_array_foreach (json_object_get(flip, "values"), j, choice) {
                        struct kp_cell_result result = { 0 };

                        flip_check(&copy, root, flip, i + 1, &result, choice);
                        if (j == 0)
                                first = result.verdict;
                        differs |= result.verdict != first;
                        n_choices++;
                        kp_cell_result_done(&result);
                }
                cr_expect(differs, "flip %zu changes no verdict", i + 1);
        }
        cr_expect_geq(json_object_size(facts), 20);
        copy_end(&copy);
}

/* ---- a minimum PIN length is the key's to enforce, and the client's to know ---- */

static int
six_digits(void *self, int64_t min_len, struct kp_buf *ret, struct kp_error *err)
{
        int *asked_for = self;

        *asked_for = (int)min_len;
        kp_buf_puts(ret, "271828");
        return kp_buf_check(ret, err) < 0 ? -1 : 1;
}

static json_t *
options_uv_required(void)
{
        return json_pack("{s:{s:s, s:s}, s:{s:s, s:s, s:s}, s:s, s:[{s:s, s:i}], "
                         "s:{s:s, s:s}}",
                "rp", "id", "school.example", "name", "S", "user", "id", "AQ", "name",
                "j", "displayName", "J", "challenge", "MTIzNDU2Nzg5MDEyMzQ1Ng",
                "pubKeyCredParams", "type", "public-key", "alg", -7,
                "authenticatorSelection", "residentKey", "required", "userVerification",
                "required");
}

/* A person who takes six digits, at a key fresh out of the box; the client's answer. */
static void
six_digits_on(const struct copy *copy, const char *key, struct kp_exception *ret,
        int *ret_asked_for)
{
        KP_CLEANUP(kp_random_free) struct kp_random *random = NULL;
        KP_CLEANUP(kp_key_close) struct kp_key *opened = NULL;
        json_auto_t *options = options_uv_required(), *response = NULL;
        struct kp_clock clock = kp_clock_simulated();
        struct kp_user user = { .self = ret_asked_for, .new_pin = six_digits };
        const struct kp_page page = { .origin = "https://school.example",
                .user_activation = true };
        struct kp_client_key client_key;
        struct kp_client client = {
                .keys = &client_key, .n_keys = 1, .user = &user, .clock = &clock
        };
        struct kp_error err = { 0 };
        struct kp_key_env env = { .fixtures_dir = copy->dir, .clock = &clock };

        ok(kp_random_new_seeded("facts", key, &random, &err), &err);
        env.random = client.random = random;
        ok(kp_key_open(key, KP_DRIVER_CTAP, &env, &opened, &err), &err);
        client_key = (struct kp_client_key){ .driver = &opened->driver,
                .attachment = opened->attachment };
        client.actor.role = "client";
        ok(kp_fixtures_profile(copy->fixtures, KP_KIND_CLIENT, "chrome-linux",
                   &client.actor.profile, &err),
                &err);
        ok(kp_client_create(&client, &page, options, &response, ret, &err), &err);
}

Test(facts, a_minimum_pin_length_refuses_a_shorter_pin)
{
        static const struct {
                int min;
                bool enough;
        } keys[] = { { 4, true }, { 6, true }, { 7, false }, { 8, false } };
        struct kp_exception exception;
        struct copy copy;
        int asked_for = 0;

        copy_begin(&copy);
        for (size_t i = 0; i < KP_NELEMS(keys); i++) {
                KP_CLEANUP(kp_free_str) char *id = kp_format("minimum-%d", keys[i].min);
                KP_CLEANUP(kp_free_str) char *key = kp_format("sim:%s", id);
                json_auto_t *choice = json_pack("{s:i}", "value", keys[i].min);

                key_make(&copy, "sim:yubikey-5-57", "min_pin_length", choice, id);
                six_digits_on(&copy, key, &exception, &asked_for);
                cr_expect_eq(asked_for, keys[i].min, "the person hears %d, not %d",
                        asked_for, keys[i].min);
                if (keys[i].enough)
                        cr_expect_str_empty(exception.name, "%s", exception.reason);
                else
                        cr_expect_str_eq(exception.reason, "pin-not-accepted");
        }
        copy_end(&copy);
}

/* ---- names ---- */

/* Two files trade their contents, not their names. */
static void
contents_swap(const struct copy *copy, const char *folder, const char *a, const char *b)
{
        json_t *in_a = file_read(copy, folder, a), *in_b = file_read(copy, folder, b);

        file_write(copy, folder, a, in_b);
        file_write(copy, folder, b, in_a);
}

struct swap {
        const char *folder, *axis, *names[2];
        const char *at[6]; /* axis, value, axis, value...: where it differs most */
};

/* One random stream for all: a trace that differs does so by a fact. */
static void
side_run(const struct copy *copy, const struct swap *swap, const char *scenario,
        const json_t *defaults, const char *name, struct kp_cell_result *ret)
{
        json_auto_t *axes = json_deep_copy(defaults);
        bool key = strcmp(swap->axis, "key") == 0;

        for (size_t i = 0; i + 1 < KP_NELEMS(swap->at) && swap->at[i] != NULL; i += 2)
                json_object_set_new(axes, swap->at[i], json_string(swap->at[i + 1]));
        json_object_set_new(
                axes, swap->axis, json_sprintf("%s%s", key ? "sim:" : "", name));
        run(copy, scenario, scenario, axes, NULL, ret);
}

static bool
same_outcome(const struct kp_cell_result *a, const struct kp_cell_result *b)
{
        return a->verdict == b->verdict && strcmp(a->invariant, b->invariant) == 0 &&
               strcmp(a->why, b->why) == 0 && a->prompts == b->prompts &&
               json_equal(a->trace, b->trace) && json_equal(a->unknown, b->unknown) &&
               json_equal(a->rests_on, b->rests_on);
}

/* Does the scenario vary this axis? */
static bool
varies(const struct copy *copy, const char *scenario, const char *axis)
{
        const struct kp_scenario *loaded = NULL;
        struct kp_error err = { 0 };
        const json_t *item;
        size_t i;

        ok(kp_fixtures_scenario(copy->fixtures, scenario, &loaded, &err), &err);
        json_array_foreach (loaded->vary, i, item)
                if (strcmp(json_string_value(item), axis) == 0)
                        return true;
        return false;
}

struct sides {
        char scenario[80];
        struct kp_cell_result of[2];
};

static size_t
sides_run(const struct copy *copy, const struct swap *swap, const json_t *defaults,
        const struct kp_names *scenarios, struct sides *ret)
{
        size_t n = 0;

        for (size_t i = 0; i < scenarios->n_names; i++) {
                const char *scenario = scenarios->names[i];

                if (!varies(copy, scenario, swap->axis))
                        continue;
                (void)snprintf(
                        ret[n].scenario, sizeof(ret[n].scenario), "%s", scenario);
                for (int side = 0; side < 2; side++)
                        side_run(copy, swap, scenario, defaults, swap->names[side],
                                &ret[n].of[side]);
                n++;
        }
        return n;
}

static void
swap_check(const struct swap *swap, const struct sides *before,
        const struct sides *after, size_t n)
{
        size_t n_differ = 0;

        for (size_t i = 0; i < n; i++) {
                const struct kp_cell_result *a = before[i].of, *b = after[i].of;
                char was[400], is[400];

                for (int side = 0; side < 2; side++) {
                        told(&a[side], was);
                        told(&b[1 - side], is);
                        cr_expect(same_outcome(&a[side], &b[1 - side]),
                                "%s: '%s' had '%s'; under the name of '%s' it has '%s'",
                                before[i].scenario, swap->names[side], was,
                                swap->names[1 - side], is);
                }
                n_differ += a[0].verdict != a[1].verdict;
        }
        cr_expect_gt(n_differ, 0, "'%s' and '%s' never differ: nothing was swapped",
                swap->names[0], swap->names[1]);
}

static json_t *
default_axes(void)
{
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/tests/pilot/facts.json", getenv("KEYPILOT_SOURCE"));
        json_auto_t *root = NULL;
        struct kp_error err = { 0 };

        ok(kp_json_load(path, KP_JSON_MAX, &root, &err), &err);
        return json_incref(json_object_get(root, "axes"));
}

#define SCENARIOS_MAX 64

static void
names_swapped(const struct swap *swap)
{
        static struct sides before[SCENARIOS_MAX], after[SCENARIOS_MAX];
        json_auto_t *defaults = default_axes();
        struct kp_names scenarios = { 0 };
        struct kp_error err = { 0 };
        struct copy copy;
        size_t n;

        copy_begin(&copy);
        ok(kp_fixtures_list(copy.fixtures, "scenarios", &scenarios, &err), &err);
        cr_assert_leq(scenarios.n_names, SCENARIOS_MAX);
        n = sides_run(&copy, swap, defaults, &scenarios, before);
        contents_swap(&copy, swap->folder, swap->names[0], swap->names[1]);
        copy_changed(&copy);
        cr_assert_eq(sides_run(&copy, swap, defaults, &scenarios, after), n);
        swap_check(swap, before, after, n);
        for (size_t i = 0; i < n; i++)
                for (int side = 0; side < 2; side++) {
                        kp_cell_result_done(&before[i].of[side]);
                        kp_cell_result_done(&after[i].of[side]);
                }
        kp_names_done(&scenarios);
        copy_end(&copy);
}

Test(facts, providers_that_trade_names_trade_verdicts)
{
        names_swapped(&(struct swap){ "providers", "provider",
                { "entra-id", "simplesamlphp" }, { "home", "provider" } });
}

Test(facts, keys_that_trade_names_trade_verdicts)
{
        names_swapped(&(struct swap){ "authenticators", "key",
                { "yubikey-5-57-pin", "yubikey-4-u2f" }, { NULL } });
}

Test(facts, clients_that_trade_names_trade_verdicts)
{
        names_swapped(&(struct swap){
                "clients", "client", { "chrome-linux", "android-webview" }, { NULL } });
}

Test(facts, services_that_trade_names_trade_verdicts)
{
        names_swapped(&(struct swap){
                "services", "service", { "magister", "publisher" }, { NULL } });
}

Test(facts, populations_that_trade_names_trade_verdicts)
{
        names_swapped(&(struct swap){
                "populations", "population", { "parent", "support-staff" }, { NULL } });
}

/* ---- rules ---- */

#define SMALL_PILOT                                                                    \
        "{\"id\": \"small\", \"title\": {\"en\": \"S\", \"nl\": \"S\"}, "              \
        "\"defaults\": {\"client\": \"chrome-linux\", \"event\": \"none\", "           \
        "\"home\": \"service\", \"hub\": \"none\", \"key\": "                          \
        "\"sim:yubikey-5-57-pin\", \"population\": \"teacher\", \"provider\": "        \
        "\"entra-id\", \"provider2\": \"none\", \"service\": \"magister\", "           \
        "\"settings\": \"none\"}, "                                                    \
        "\"matrix\": [{\"scenarios\": [\"*\"], \"axes\": {\"home\": [\"service\", "    \
        "\"provider\"]}}]}"

struct logged {
        json_t *verdicts; /* id: "verdict invariant why" */
        size_t n_causes, n_unexplained;
};

static void
log_read(const char *path, struct logged *ret)
{
        KP_CLEANUP(kp_log_reader_free) struct kp_log_reader *reader = NULL;
        struct kp_error err = { 0 };
        json_t *line = NULL;

        ret->verdicts = json_object();
        ok(kp_log_reader_open(path, &reader, &err), &err);
        for (;;) {
                const char *cause;

                ok(kp_log_reader_next(reader, &line, &err), &err);
                if (line == NULL)
                        return;
                if (strcmp(kp_json_str(line, "type", ""), "outcome") == 0) {
                        cause = kp_json_str(line, "cause", NULL);
                        ret->n_causes += cause != NULL;
                        ret->n_unexplained += cause != NULL &&
                                              strcmp(cause, KP_CAUSE_UNEXPLAINED) == 0;
                        json_object_set_new(ret->verdicts, kp_json_str(line, "id", ""),
                                json_sprintf("%s %s %s",
                                        kp_json_str(line, "verdict", ""),
                                        kp_json_str(line, "invariant", ""),
                                        kp_json_str(line, "why", "")));
                }
                kp_json_free(&line);
        }
}

static void
pilot_run(const struct copy *copy, const char *out, struct logged *ret)
{
        static const struct kp_plan_options everything = { .shard = 1, .n_shards = 1 };
        KP_CLEANUP(kp_free_str)
        char *pilot_path = kp_format("%s/small.json", copy->dir);
        KP_CLEANUP(kp_free_str) char *folder = kp_format("%s/%s", copy->dir, out);
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/" KP_LOG_NAME, folder);
        struct kp_run_options options = { .out = folder,
                .tool = "keypilot test",
                .seed = "facts",
                .jobs = 1,
                .cell = kp_cell_run };
        struct kp_run_result result = { 0 };
        struct kp_error err = { 0 };
        struct kp_pilot *pilot = NULL;
        struct kp_rules *rules = NULL;
        struct kp_plan *plan = NULL;

        ok(kp_file_write(pilot_path, SMALL_PILOT, strlen(SMALL_PILOT), &err), &err);
        ok(kp_pilot_load(pilot_path, &pilot, &err), &err);
        ok(kp_plan_new(copy->fixtures, pilot, &everything, &plan, &err), &err);
        ok(kp_rules_load(copy->fixtures, &rules, &err), &err);
        options.plan = plan;
        options.rules = rules;
        ok(kp_run(&options, &result, &err), &err);
        cr_expect_eq(
                result.n_faults, 0, "%zu faults of our own", (size_t)result.n_faults);
        log_read(path, ret);
        kp_plan_free(&plan);
        kp_rules_free(&rules);
        kp_pilot_free(&pilot);
}

Test(facts, without_rules_the_verdicts_are_the_same)
{
        struct logged with = { 0 }, without = { 0 };
        KP_CLEANUP(kp_free_str) char *command = NULL;
        const char *id;
        struct copy copy;
        json_t *verdict;

        copy_begin(&copy);
        pilot_run(&copy, "with", &with);
        command = kp_format("rm -r %s/rules", copy.dir);
        cr_assert_eq(system(command), 0);
        copy_changed(&copy);
        pilot_run(&copy, "without", &without);

        cr_expect_gt(json_object_size(with.verdicts), 40);
        cr_expect_eq(
                json_object_size(with.verdicts), json_object_size(without.verdicts));
        json_object_foreach (with.verdicts, id, verdict)
                cr_expect(json_equal(verdict, json_object_get(without.verdicts, id)),
                        "%s: '%s' without rules, '%s' with", id,
                        kp_json_str(without.verdicts, id, "(not there)"),
                        json_string_value(verdict));
        cr_expect_gt(with.n_causes, with.n_unexplained, "no rule explained anything");
        cr_expect_eq(without.n_causes, without.n_unexplained);
        cr_expect_eq(without.n_causes, with.n_causes);
        json_decref(with.verdicts);
        json_decref(without.verdicts);
        copy_end(&copy);
}

/* ---- no scenario and no C file names a profile ---- */

static void
ids_put(const char *folder, FILE *patterns)
{
        KP_CLEANUP(kp_free_str)
        char *dir = kp_format("%s/%s", getenv("KEYPILOT_FIXTURES"), folder);
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };

        ok(kp_dir_list(dir, ".json", &names, &err), &err);
        cr_assert_gt(names.n_names, 0);
        for (size_t i = 0; i < names.n_names; i++) {
                int len = (int)strlen(names.names[i]) - (int)strlen(".json");

                fprintf(patterns, "\"%.*s\"\n:%.*s\"\n", len, names.names[i], len,
                        names.names[i]);
        }
        kp_names_done(&names);
}

/* Only the command line does, where it has a default. */
Test(facts, nothing_below_the_command_line_names_a_profile)
{
        static const char *const folders[] = { "authenticators", "clients", "services",
                "providers", "hubs", "populations" };
        char path[] = "/tmp/keypilot-names-XXXXXX", line[512];
        int file = mkstemp(path);
        FILE *patterns = fdopen(file, "w"), *found;
        KP_CLEANUP(kp_free_str) char *command = NULL;

        cr_assert_not_null(patterns);
        for (size_t i = 0; i < KP_NELEMS(folders); i++)
                ids_put(folders[i], patterns);
        fclose(patterns);
        command = kp_format("cd '%s' && grep -rnF -f %s --include='*.[ch]' "
                            "--exclude-dir=cli src include; "
                            "grep -rnF -f %s fixtures/scenarios",
                getenv("KEYPILOT_SOURCE"), path, path);
        cr_assert_not_null(found = popen(command, "r"));
        while (fgets(line, sizeof(line), found) != NULL)
                cr_expect(false, "%s", line);
        cr_assert_geq(pclose(found), 0);
        remove(path);
}
