/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/model/fault.h"

#include "cli.h"
#include "list_keys.h"

/* What can be listed: every folder of fixtures, and the keys. */
static const struct {
        const char *what, *folder;
} lists[] = {
        { "keys", "authenticators" },
        { "clients", "clients" },
        { "services", "services" },
        { "providers", "providers" },
        { "hubs", "hubs" },
        { "populations", "populations" },
        { "scenarios", "scenarios" },
        { "rules", "rules" },
        { "faults", "faults" },
        { "pilots", "pilots" },
};

/* A fault also tells where and when. */
static int
list_fault(const char *path, json_t *array, struct kp_error *err)
{
        KP_CLEANUP(kp_fault_done) struct kp_fault fault = { 0 };

        if (kp_fault_load(path, &fault, err) < 0)
                return -1;
        if (json_array_append_new(
                    array, json_pack("{s:s, s:{s:s, s:s}, s:s, s:s*, s:I, s:I, s:I}",
                                   "id", fault.id, "title", "en", fault.title.en, "nl",
                                   fault.title.nl, "point", fault.point, "command",
                                   fault.command, "nth", (json_int_t)fault.nth, "times",
                                   (json_int_t)fault.times, "value",
                                   (json_int_t)fault.value)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "list");
        return 0;
}

static int
list_one(const struct kp_fixtures *fixtures, const char *folder, const char *id,
        json_t *array, struct kp_error *err)
{
        KP_CLEANUP(kp_free_str) char *path = NULL;
        json_auto_t *root = NULL;
        const json_t *title;

        if (kp_fixtures_path(fixtures, folder, id, &path, err) < 0)
                return -1;
        if (strcmp(folder, "faults") == 0)
                return list_fault(path, array, err);
        if (kp_json_load(path, KP_JSON_MAX, &root, err) < 0)
                return -1;
        if ((title = json_object_get(root, "title")) == NULL)
                return KP_FAIL(err, KP_ESCHEMA, "%s: member 'title' is missing", path);
        if (json_array_append_new(
                    array, json_pack("{s:s, s:O}", "id", id, "title", title)) < 0)
                return KP_FAIL(err, KP_ENOMEM, "list");
        return 0;
}

static int
list_folder(struct kp_cli *cli, const char *folder, json_t *array, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };

        if (kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0 ||
                kp_fixtures_list(fixtures, folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.n_names; i++)
                if (list_one(fixtures, folder, names.names[i], array, err) < 0)
                        return -1;
        return 0;
}

static const char *
title_of(const json_t *item, enum kp_lang lang)
{
        const json_t *title = json_object_get(item, "title");

        return json_is_string(title) ? json_string_value(title)
                                     : kp_json_str(title, kp_say(lang, "en", "nl"), "");
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        json_auto_t *array = json_array();
        const char *what = kp_operand(cli, 0), *folder = NULL;
        const json_t *item;
        size_t i;

        for (i = 0; i < KP_NELEMS(lists); i++)
                if (strcmp(lists[i].what, what) == 0)
                        folder = lists[i].folder;
        if (folder == NULL)
                return KP_FAIL(err, KP_EUSAGE,
                        "cannot list '%.40s'; can list keys, clients, services, "
                        "providers, hubs, "
                        "populations, scenarios, rules, faults, pilots",
                        what);
        if (strcmp(what, "keys") == 0) {
                if (kp_list_keys(cli, array, err) < 0)
                        return -1;
        } else if (list_folder(cli, folder, array, err) < 0) {
                return -1;
        }
        if (cli->json)
                return kp_print_json(array, err) < 0 ? -1 : KP_EXIT_OK;
        json_array_foreach (array, i, item)
                printf("%-44s %s\n", kp_json_str(item, "id", ""),
                        title_of(item, cli->lang));
        return KP_EXIT_OK;
}

const struct kp_command kp_cmd_list = {
        .name = "list",
        .operands = "keys|clients|services|providers|hubs|populations|scenarios|rules|"
                    "faults|pilots",
        .min_operands = 1,
        .max_operands = 1,
        .help = { "what there is to choose from", "waaruit je kunt kiezen" },
        .run = run,
};
