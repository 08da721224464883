/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "keypilot/authenticator/fault.h"
#include "keypilot/core/free.h"
#include "keypilot/model/authenticator.h"
#include "keypilot/model/rule.h"
#include "keypilot/pilot/baseline.h"
#include "keypilot/pilot/cell.h"
#include "keypilot/pilot/judge.h"
#include "keypilot/pilot/plan.h"
#include "keypilot/rp/policy.h"

#include "cli.h"

/*
 * Says what is wrong with a file. What kind of file it is follows from its folder where
 * that has the name of one of ours, else from its members.
 */
enum kind {
        KIND_UNKNOWN,
        KIND_AUTHENTICATOR,
        KIND_FAULT,
        KIND_POLICY,
        KIND_PROFILE, /* of the kind kp_kind */
        KIND_SCENARIO,
        KIND_RULE,
        KIND_PILOT,
        KIND_BASELINE,
        KIND_LOG,
        KIND_SCHEMA, /* a published shape: only that it is JSON */
};

struct guess {
        enum kind kind;
        enum kp_kind profile;
        const char *name; /* for people */
};

static const struct {
        const char *folder;
        struct guess guess;
} folders[] = {
        { "authenticators", { KIND_AUTHENTICATOR, 0, "authenticator" } },
        { "faults", { KIND_FAULT, 0, "fault" } },
        { "relying-parties", { KIND_POLICY, 0, "relying-party" } },
        { "clients", { KIND_PROFILE, KP_KIND_CLIENT, "client" } },
        { "services", { KIND_PROFILE, KP_KIND_SERVICE, "service" } },
        { "providers", { KIND_PROFILE, KP_KIND_PROVIDER, "provider" } },
        { "hubs", { KIND_PROFILE, KP_KIND_HUB, "hub" } },
        { "populations", { KIND_PROFILE, KP_KIND_POPULATION, "population" } },
        { "scenarios", { KIND_SCENARIO, 0, "scenario" } },
        { "rules", { KIND_RULE, 0, "rule" } },
        { "pilots", { KIND_PILOT, 0, "pilot" } },
};

static const struct {
        const char *member;
        struct guess guess;
} members[] = {
        { "$schema", { KIND_SCHEMA, 0, "schema" } },
        { "matrix", { KIND_PILOT, 0, "pilot" } },
        { "defaults", { KIND_PILOT, 0, "pilot" } },
        { "steps", { KIND_SCENARIO, 0, "scenario" } },
        { "vary", { KIND_SCENARIO, 0, "scenario" } },
        { "when", { KIND_RULE, 0, "rule" } },
        { "owner", { KIND_RULE, 0, "rule" } },
        { "accepted_risks", { KIND_BASELINE, 0, "baseline" } },
        { "outcomes", { KIND_BASELINE, 0, "baseline" } },
        { "point", { KIND_FAULT, 0, "fault" } },
        { "aaguid", { KIND_AUTHENTICATOR, 0, "authenticator" } },
        { "faults", { KIND_AUTHENTICATOR, 0, "authenticator" } },
        { "options", { KIND_AUTHENTICATOR, 0, "authenticator" } },
        { "versions", { KIND_AUTHENTICATOR, 0, "authenticator" } },
};

static bool
in_folder(const char *path, const char *folder)
{
        const char *slash = strrchr(path, '/');
        size_t len = strlen(folder);

        if (slash == NULL || (size_t)(slash - path) < len)
                return false;
        return strncmp(slash - len, folder, len) == 0 &&
               (slash - len == path || slash[-(ptrdiff_t)len - 1] == '/');
}

static bool
has_suffix(const char *text, const char *suffix)
{
        size_t text_len = strlen(text), suffix_len = strlen(suffix);

        return text_len >= suffix_len &&
               strcmp(text + text_len - suffix_len, suffix) == 0;
}

/* The kind of profile whose table knows most of the facts. */
static struct guess
guess_profile(const json_t *facts)
{
        static const struct kp_fact_type *const tables[] = {
                [KP_KIND_CLIENT] = kp_facts_client,
                [KP_KIND_SERVICE] = kp_facts_service,
                [KP_KIND_PROVIDER] = kp_facts_provider,
                [KP_KIND_HUB] = kp_facts_hub,
                [KP_KIND_POPULATION] = kp_facts_population,
        };
        struct guess best = { KIND_UNKNOWN, 0, NULL };
        size_t most = 0;

        for (size_t i = 0; i < KP_NELEMS(tables); i++) {
                size_t n = 0;

                for (const struct kp_fact_type *type = tables[i]; type->name != NULL;
                        type++)
                        n += json_object_get(facts, type->name) != NULL;
                if (n > most) {
                        most = n;
                        best = (struct guess){ KIND_PROFILE, (enum kp_kind)i,
                                kp_kind_name((enum kp_kind)i) };
                }
        }
        return best;
}

static struct guess
guess_members(const json_t *root)
{
        if (json_object_get(root, "facts") != NULL)
                return guess_profile(json_object_get(root, "facts"));
        for (size_t i = 0; i < KP_NELEMS(members); i++)
                if (json_object_get(root, members[i].member) != NULL)
                        return members[i].guess;
        return (struct guess){ KIND_UNKNOWN, 0, NULL };
}

static int
guess_kind(const char *path, struct guess *ret, struct kp_error *err)
{
        json_auto_t *root = NULL;

        if (has_suffix(path, ".jsonl")) {
                *ret = (struct guess){ KIND_LOG, 0, "log" };
                return 0;
        }
        for (size_t i = 0; i < KP_NELEMS(folders); i++)
                if (in_folder(path, folders[i].folder)) {
                        *ret = folders[i].guess;
                        return 0;
                }
        if (kp_json_load(path, KP_JSON_MAX_BULK, &root, err) < 0)
                return -1;
        *ret = guess_members(root);
        if (ret->kind == KIND_UNKNOWN)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: neither its folder nor its members tell what it is; "
                        "expected "
                        "an authenticator, fault, client, service, provider, hub, "
                        "population, "
                        "scenario, rule, pilot, baseline or outcomes.jsonl",
                        path);
        return 0;
}

/* ---- each kind ---- */

/* Among fixtures by what lies beside it; anywhere else by the fixtures in use. */
static int
load_authenticator(struct kp_cli *cli, const char *path,
        struct kp_authenticator_profile **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;

        if (in_folder(path, "authenticators"))
                return kp_authenticator_profile_load(path, ret, err);
        if (kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0)
                return -1;
        return kp_authenticator_profile_load_from(
                kp_fixtures_dir(fixtures), path, ret, err);
}

static int
check_authenticator(struct kp_cli *cli, const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_authenticator_profile_free)
        struct kp_authenticator_profile *profile = NULL;
        const struct kp_fault *faults;
        size_t n_faults;

        if (load_authenticator(cli, path, &profile, err) < 0)
                return -1;
        faults = kp_authenticator_profile_faults(profile, &n_faults);
        for (size_t i = 0; i < n_faults; i++)
                if (kp_authenticator_fault_check(&faults[i], err) < 0)
                        return KP_WHILE(
                                err, "%s: member 'faults', item %zu", path, i + 1);
        return 0;
}

static int
check_fault(const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_fault_done) struct kp_fault fault = { 0 };

        if (kp_fault_load(path, &fault, err) < 0)
                return -1;
        if (kp_authenticator_fault_check(&fault, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

static int
check_policy(const char *path, struct kp_error *err)
{
        json_auto_t *policy = NULL;
        struct kp_rp_expectation unused = { 0 };

        if (kp_json_load(path, KP_JSON_MAX, &policy, err) < 0)
                return -1;
        if (kp_rp_policy_read(policy, &unused, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

static int
check_profile(enum kp_kind kind, const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_profile_free) struct kp_profile *profile = NULL;

        return kp_profile_load(kind, path, &profile, err);
}

static int
load_scenario(struct kp_cli *cli, const char *path, struct kp_scenario **ret,
        struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;

        if (in_folder(path, "scenarios"))
                return kp_scenario_load(path, ret, err);
        if (kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0)
                return -1;
        return kp_scenario_load_from(kp_fixtures_dir(fixtures), path, ret, err);
}

static int
check_scenario(struct kp_cli *cli, const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_scenario_free) struct kp_scenario *scenario = NULL;

        if (load_scenario(cli, path, &scenario, err) < 0)
                return -1;
        if (kp_world_check_scenario(scenario, err) < 0 ||
                kp_judge_check_scenario(scenario, err) < 0 ||
                kp_cell_check_set(scenario->set, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

static int
check_rule(const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;

        return kp_rule_load(path, &rule, err);
}

static int
check_baseline(const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_baseline_free) struct kp_baseline *baseline = NULL;

        return kp_baseline_load(path, &baseline, err);
}

/* What it names must exist, too. */
static int
check_pilot(struct kp_cli *cli, const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_pilot_free) struct kp_pilot *pilot = NULL;
        KP_CLEANUP(kp_plan_free) struct kp_plan *plan = NULL;
        const struct kp_plan_options everything = { .shard = 1, .n_shards = 1 };

        if (kp_pilot_load(path, &pilot, err) < 0 ||
                kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0)
                return -1;
        if (kp_plan_new(fixtures, pilot, &everything, &plan, err) < 0)
                return KP_WHILE(err, "%s", path);
        return 0;
}

static int
check_log(const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_log_reader_free) struct kp_log_reader *reader = NULL;
        struct kp_log_entry entry;

        if (kp_log_reader_open(path, &reader, err) < 0)
                return -1;
        for (;;) {
                json_auto_t *line = NULL;

                if (kp_log_reader_next(reader, &line, err) < 0)
                        return -1;
                if (line == NULL)
                        break;
                if (kp_log_reader_line(reader) > 1 &&
                        kp_log_entry_read(line, &entry, err) < 0)
                        return KP_WHILE(err, "%s, line %" PRIu64, path,
                                kp_log_reader_line(reader));
        }
        if (kp_log_reader_torn(reader) || kp_log_reader_line(reader) == 0)
                return KP_FAIL(err, KP_ESCHEMA,
                        "%s: ends within a line: the run was broken off; go on with "
                        "it: "
                        "--resume",
                        path);
        return 0;
}

static int
check_file(
        struct kp_cli *cli, const char *path, struct guess *ret, struct kp_error *err)
{
        if (guess_kind(path, ret, err) < 0)
                return -1;
        switch (ret->kind) {
        case KIND_AUTHENTICATOR:
                return check_authenticator(cli, path, err);
        case KIND_FAULT:
                return check_fault(path, err);
        case KIND_PROFILE:
                return check_profile(ret->profile, path, err);
        case KIND_POLICY:
                return check_policy(path, err);
        case KIND_SCENARIO:
                return check_scenario(cli, path, err);
        case KIND_RULE:
                return check_rule(path, err);
        case KIND_PILOT:
                return check_pilot(cli, path, err);
        case KIND_BASELINE:
                return check_baseline(path, err);
        case KIND_LOG:
                return check_log(path, err);
        case KIND_SCHEMA:
                return 0;
        case KIND_UNKNOWN:
                break;
        }
        return KP_FAIL(err, KP_EBUG, "%s: no check for this kind", path);
}

static int
tell_file(struct kp_cli *cli, const char *path, json_t *told, struct kp_error *err)
{
        char text[KP_ERROR_FRAMES * KP_ERROR_TEXT] = "";
        struct guess guess = { KIND_UNKNOWN, 0, NULL };
        struct kp_error wrong = { 0 };
        int status = KP_EXIT_OK;
        json_t *item;

        if (check_file(cli, path, &guess, &wrong) < 0) {
                status =
                        wrong.code == KP_EINTEGRITY ? KP_EXIT_INTEGRITY : KP_EXIT_INPUT;
                /* returns its text */
                (void)kp_error_format(&wrong, text, sizeof(text));
                fprintf(stderr, "keypilot: %s\n", text);
        } else if (!cli->json) {
                printf("%s: %s\n", path, kp_say(cli->lang, "good", "goed"));
        }
        item = json_pack("{s:s, s:s?, s:b, s:s?}", "file", path, "kind", guess.name,
                "ok", status == KP_EXIT_OK, "error", *text == '\0' ? NULL : text);
        if (json_array_append_new(told, item) < 0)
                return KP_FAIL(err, KP_ENOMEM, "check");
        return status;
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        json_auto_t *told = json_array();
        int worst = KP_EXIT_OK;

        for (size_t i = 0; i < kp_n_operands(cli); i++) {
                int status = tell_file(cli, kp_operand(cli, i), told, err);

                if (status < 0)
                        return -1;
                worst = status > worst ? status : worst;
        }
        if (cli->json && kp_print_json(told, err) < 0)
                return -1;
        return worst;
}

const struct kp_command kp_cmd_check = {
        .name = "check",
        .operands = "FILE...",
        .min_operands = 1,
        .max_operands = SIZE_MAX,
        .help = { "say what is wrong with a profile, fault, scenario, rule, pilot or "
                  "baseline",
                "zeg wat er mis is met een profiel, storing, scenario, regel, pilot of "
                "verwachting" },
        .run = run,
};
