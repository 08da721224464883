/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_PILOT_MADE_H
#define KEYPILOT_TESTS_PILOT_MADE_H

/*
 * A folder of fixtures made for a test: two of everything, facts from the tables,
 * scenarios that vary this and that. The engine is tested on it without a world: the
 * cells are run by the test's own function.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/pilot/plan.h"
#include "keypilot/pilot/run.h"

static inline void
ok(int status, const struct kp_error *err)
{
        char why[4096];

        cr_assert_eq(status, 0, "%s", kp_error_format(err, why, sizeof(why)));
}

static inline bool
says(const struct kp_error *err, const char *what)
{
        char why[4096];

        kp_error_format(err, why, sizeof(why));
        if (strstr(why, what) == NULL)
                fprintf(stderr, "says: %s\n", why);
        return strstr(why, what) != NULL;
}

static inline void
made_write(const char *dir, const char *folder, const char *name, const char *text)
{
        KP_CLEANUP(kp_free_str) char *at = kp_format("%s/%s", dir, folder);
        KP_CLEANUP(kp_free_str) char *path = kp_format("%s/%s", at, name);
        struct kp_error err = { 0 };

        cr_assert(mkdir(at, 0777) == 0 || errno == EEXIST);
        ok(kp_file_write(path, text, strlen(text), &err), &err);
}

static inline json_t *
made_value(const struct kp_fact_type *type)
{
        if (type->type == KP_STRING)
                return type->values == NULL
                               ? json_string("x")
                               : json_stringn(type->values, strcspn(type->values, "|"));
        if (type->type == KP_INT)
                return json_integer(1);
        if (type->type == KP_BOOL)
                return json_true();
        return type->type == KP_OBJECT ? json_object() : json_array();
}

static inline void
made_profile(const char *dir, enum kp_kind kind, const struct kp_fact_type *types,
        const char *id)
{
        json_auto_t *facts = json_object(), *root = NULL;
        KP_CLEANUP(kp_free_str) char *name = kp_format("%s.json", id);
        KP_CLEANUP(kp_free_str) char *text = NULL;

        for (; types->name != NULL; types++)
                if (!types->optional)
                        json_object_set_new(facts, types->name,
                                json_pack("{s:o, s:s, s:s}", "value", made_value(types),
                                        "status", "assumed", "source", "made"));
        root = json_pack("{s:s, s:{s:s, s:s}, s:O}", "id", id, "title", "en", id, "nl",
                id, "facts", facts);
        text = json_dumps(root, 0);
        made_write(dir, kp_kind_folder(kind), name, text);
}

static inline void
made_scenario(const char *dir, const char *id, const char *vary)
{
        KP_CLEANUP(kp_free_str) char *name = kp_format("%s.json", id);
        KP_CLEANUP(kp_free_str)
        char *text =
                kp_format("{\"id\": \"%s\", \"title\": {\"en\": \"T\", \"nl\": "
                          "\"T\"}, \"vary\": [%s], \"needs\": [], \"steps\": "
                          "[{\"do\": \"visit\", \"at\": \"service\"}], \"expect\": "
                          "[\"gets-in\"]}",
                        id, vary);

        made_write(dir, "scenarios", name, text);
}

static inline void
made_copy(const char *dir, const char *folder, const char *name)
{
        KP_CLEANUP(kp_free_str)
        char *from = kp_format("%s/%s/%s", getenv("KEYPILOT_FIXTURES"), folder, name);
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        struct kp_error err = { 0 };

        ok(kp_file_read(from, 1u << 20, &text, &err), &err);
        made_write(dir, folder, name, kp_buf_str(&text));
}

static inline void
made_things(const char *dir, int i, bool backwards)
{
        if (backwards)
                i = 8 - i;
        switch (i) {
        case 0:
                made_copy(dir, "authenticators", "yubikey-5-57.json");
                break;
        case 1:
                made_copy(dir, "authenticators", "yubikey-4-u2f.json");
                break;
        case 2:
                made_profile(dir, KP_KIND_CLIENT, kp_facts_client, "browser-a");
                made_profile(dir, KP_KIND_CLIENT, kp_facts_client, "browser-b");
                break;
        case 3:
                made_profile(dir, KP_KIND_SERVICE, kp_facts_service, "school");
                break;
        case 4:
                made_profile(dir, KP_KIND_PROVIDER, kp_facts_provider, "idp-a");
                made_profile(dir, KP_KIND_PROVIDER, kp_facts_provider, "idp-b");
                break;
        case 5:
                made_profile(dir, KP_KIND_HUB, kp_facts_hub, "hub-a");
                break;
        case 6:
                made_profile(dir, KP_KIND_POPULATION, kp_facts_population, "teachers");
                made_profile(dir, KP_KIND_POPULATION, kp_facts_population, "pupils");
                break;
        case 7:
                made_scenario(dir, "walk", "\"key\", \"client\", \"population\"");
                made_scenario(dir, "walk-far", "\"key\", \"provider\", \"settings\"");
                break;
        default:
                made_scenario(dir, "stand", "");
                break;
        }
}

/* backwards: the files come into being in the opposite order */
static inline void
made_fixtures(const char *dir, bool backwards)
{
        KP_CLEANUP(kp_free_str) char *schema = kp_format("%s/schema", dir);

        cr_assert(mkdir(schema, 0777) == 0);
        made_copy(dir, "keys", "attestation-root.pem");
        made_copy(dir, "keys", "attestation-root-key.pem");
        made_copy(dir, "keys", "attestation-batch.pem");
        for (int i = 0; i <= 8; i++)
                made_things(dir, i, backwards);
}

#define MADE_DEFAULTS                                                                  \
        "\"defaults\": {\"client\": \"browser-a\", \"event\": \"none\", \"home\": "    \
        "\"service\", \"hub\": \"none\", \"key\": \"sim:yubikey-5-57\", "              \
        "\"population\": \"teachers\", \"provider\": \"idp-a\", \"provider2\": "       \
        "\"none\", \"service\": \"school\", \"settings\": \"none\"}"
#define MADE_HEAD                                                                      \
        "{\"id\": \"made\", \"title\": {\"en\": \"Made\", \"nl\": \"Gemaakt\"}, "
#define MADE_SETTINGS                                                                  \
        "\"settings\": [{\"id\": \"all\", \"title\": {\"en\": \"A\", \"nl\": \"A\"}, " \
        "\"set\": {\"service.hrd\": \"all\"}}], "

/* walk: 2 keys x 2 clients x 2 populations; walk-far: 2 x 2 x 2; stand: 1 */
#define MADE_PILOT                                                                     \
        MADE_HEAD MADE_DEFAULTS ", " MADE_SETTINGS                                     \
                                "\"matrix\": [{\"scenarios\": [\"*\"], \"axes\": "     \
                                "{\"key\": [\"*\"], \"client\": "                      \
                                "[\"*\"], \"population\": [\"pupils\", "               \
                                "\"teachers\"], \"provider\": [\"idp-b\", "            \
                                "\"idp-a\"], \"settings\": [\"*\"]}}]}"
#define MADE_CELLS 17

/* Everything that a plan needs, in one folder. */
struct made {
        char dir[64];
        struct kp_fixtures *fixtures;
        struct kp_pilot *pilot;
        struct kp_plan *plan;
        struct kp_rules *rules;
};

static inline int
made_plan(struct made *made, const char *pilot, const struct kp_plan_options *options,
        struct kp_error *err)
{
        static const struct kp_plan_options everything = { .shard = 1, .n_shards = 1 };
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/pilots/made.json", made->dir);

        made_write(made->dir, "pilots", "made.json", pilot);
        kp_plan_free(&made->plan);
        kp_pilot_free(&made->pilot);
        ok(kp_pilot_load(path, &made->pilot, err), err);
        return kp_plan_new(made->fixtures, made->pilot,
                options == NULL ? &everything : options, &made->plan, err);
}

static inline void
made_begin(struct made *made, bool backwards)
{
        struct kp_error err = { 0 };

        memset(made, 0, sizeof(*made));
        strcpy(made->dir, "/tmp/keypilot-made-XXXXXX");
        cr_assert_not_null(mkdtemp(made->dir));
        made_fixtures(made->dir, backwards);
        ok(kp_fixtures_open(made->dir, &made->fixtures, &err), &err);
        ok(kp_rules_load(made->fixtures, &made->rules, &err), &err);
        ok(made_plan(made, MADE_PILOT, NULL, &err), &err);
}

static inline void
made_end(struct made *made)
{
        KP_CLEANUP(kp_free_str) char *command = kp_format("rm -r %s", made->dir);

        kp_plan_free(&made->plan);
        kp_pilot_free(&made->pilot);
        kp_rules_free(&made->rules);
        kp_fixtures_free(&made->fixtures);
        cr_assert_eq(system(command), 0);
}

#endif
