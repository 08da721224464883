/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/core/free.h"
#include "keypilot/model/outcome.h"
#include "keypilot/model/rule.h"

#include "cli.h"

/* Whose move it is, in words. ux: glossary */
static const struct {
        const char *owner;
        struct kp_text text;
} owners[] = {
        { "school", { "the school", "de school" } },
        { "key-vendor", { "the maker of the security key",
                                "de maker van de beveiligingssleutel" } },
        { "browser", { "the maker of the browser or app",
                             "de maker van de browser of app" } },
        { "provider-vendor", { "the supplier of the sign-in service (EIP)",
                                     "de leverancier van de inlogvoorziening (EIP)" } },
        { "service-vendor",
                { "the supplier of the service", "de leverancier van de dienst" } },
        { "tool", { "keypilot itself", "keypilot zelf" } },
};

static const char *
say_text(enum kp_lang lang, struct kp_text text)
{
        return kp_say(lang, text.en, text.nl);
}

static const char *
owner_text(enum kp_lang lang, const char *owner)
{
        for (size_t i = 0; i < KP_NELEMS(owners); i++)
                if (strcmp(owners[i].owner, owner) == 0)
                        return say_text(lang, owners[i].text);
        return owner;
}

static const char *
grade_text(enum kp_lang lang, const char *grade)
{
        if (strcmp(grade, "A") == 0)
                return kp_say(lang, "reported from practice", "gemeld uit de praktijk");
        if (strcmp(grade, "B") == 0)
                return kp_say(lang,
                        "the parts are reported, the combination is reasoned",
                        "de onderdelen zijn gemeld, de combinatie is beredeneerd");
        return kp_say(lang, "reasoned from the specifications",
                "beredeneerd uit de specificaties");
}

static void
print_list(const char *head, const json_t *list)
{
        const json_t *item;
        size_t i;

        if (json_array_size(list) == 0)
                return;
        printf("%s\n", head);
        json_array_foreach (list, i, item)
                printf("  %s\n", json_string_value(item));
}

static void
print_rule(const struct kp_rule *rule, enum kp_lang lang)
{
        printf("%s\n%s\n\n", rule->id, say_text(lang, rule->title));
        printf("%s\n\n", say_text(lang, rule->meaning));
        printf("%s %s\n", kp_say(lang, "Whose move:", "Wie is aan zet:"),
                owner_text(lang, rule->owner));
        printf("%s %s\n\n", kp_say(lang, "What to do:", "Wat te doen:"),
                say_text(lang, rule->fix));
        print_list(kp_say(lang, "For technicians:", "Voor technici (Engels):"),
                rule->note);
        print_list(kp_say(lang, "Specification:", "Specificatie:"), rule->spec);
        print_list(kp_say(lang, "Sources:", "Bronnen:"), rule->sources);
        printf("%s %s (%s)\n", kp_say(lang, "Evidence:", "Bewijs:"), rule->grade,
                grade_text(lang, rule->grade));
}

static int
explain_unexplained(struct kp_cli *cli)
{
        puts(kp_say(cli->lang,
                "unexplained\nNo rule recognises this failure. The verdict stands; the "
                "reason has to be read from the trace in outcomes.jsonl.\nWhose move: "
                "keypilot itself",
                "unexplained\nGeen regel herkent deze fout. Het oordeel staat; de "
                "oorzaak "
                "moet uit het verloop in outcomes.jsonl worden gelezen.\nWie is aan "
                "zet: "
                "keypilot zelf"));
        return KP_EXIT_OK;
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_rule_free) struct kp_rule *rule = NULL;
        KP_CLEANUP(kp_free_str) char *path = NULL;
        const char *cause = kp_operand(cli, 0);

        if (strcmp(cause, KP_CAUSE_UNEXPLAINED) == 0 && !cli->json)
                return explain_unexplained(cli);
        if (kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0 ||
                kp_fixtures_path(fixtures, "rules", cause, &path, err) < 0 ||
                kp_rule_load(path, &rule, err) < 0)
                return -1;
        if (cli->json)
                return kp_print_json(rule->root, err) < 0 ? -1 : KP_EXIT_OK;
        print_rule(rule, cli->lang);
        return KP_EXIT_OK;
}

const struct kp_command kp_cmd_explain = {
        .name = "explain",
        .operands = "CAUSE",
        .min_operands = 1,
        .max_operands = 1,
        .help = { "what a cause means, whose move it is, what to do",
                "wat een oorzaak betekent, wie aan zet is, wat te doen" },
        .run = run,
};
