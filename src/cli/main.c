/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "commands.h"
#include "version.h"

const char *
kp_say(enum kp_lang lang, const char *en, const char *nl)
{
        return lang == KP_LANG_NL ? nl : en;
}

int
kp_print_json(const json_t *value, struct kp_error *err)
{
        if (json_dumpf(value, stdout,
                    JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY) < 0 ||
                putchar('\n') == EOF || fflush(stdout) == EOF)
                return KP_FAIL(err, KP_EIO, "standard output: cannot write");
        return 0;
}

/* Dutch for a Dutch locale, else English. POSIX.1 §8.2: LC_ALL, LC_MESSAGES, LANG */
static enum kp_lang
lang_of_locale(void)
{
        static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

        for (size_t i = 0; i < KP_NELEMS(variables); i++) {
                const char *value = getenv(variables[i]);

                if (value != NULL && *value != '\0')
                        return strncmp(value, "nl", 2) == 0 ? KP_LANG_NL : KP_LANG_EN;
        }
        return KP_LANG_EN;
}

static enum kp_exit
exit_of(enum kp_code code)
{
        static const enum kp_exit exits[] = {
                [KP_OK] = KP_EXIT_BUG,
                [KP_ENOMEM] = KP_EXIT_BUG,
                [KP_EIO] = KP_EXIT_INPUT,
                [KP_EPARSE] = KP_EXIT_INPUT,
                [KP_ESCHEMA] = KP_EXIT_INPUT,
                [KP_ENOTFOUND] = KP_EXIT_INPUT,
                [KP_EUNSUPPORTED] = KP_EXIT_INPUT,
                [KP_EUSAGE] = KP_EXIT_USAGE,
                [KP_EENV] = KP_EXIT_ENV,
                [KP_ESAFETY] = KP_EXIT_SAFETY,
                [KP_EINTEGRITY] = KP_EXIT_INTEGRITY,
                [KP_EBUG] = KP_EXIT_BUG,
        };

        return exits[code];
}

static int
complain(
        const struct kp_error *err, const struct kp_command *command, enum kp_lang lang)
{
        char text[KP_ERROR_FRAMES * KP_ERROR_TEXT];

        fprintf(stderr, "keypilot: %s\n", kp_error_format(err, text, sizeof(text)));
        if (err->code == KP_EUSAGE && command != NULL)
                fprintf(stderr,
                        kp_say(lang, "Try: keypilot %s --help\n",
                                "Probeer: keypilot %s --help\n"),
                        command->name);
        else if (err->code == KP_EUSAGE)
                fputs(kp_say(lang, "Try: keypilot --help\n",
                              "Probeer: keypilot --help\n"),
                        stderr);
        return (int)exit_of(err->code);
}

static void
print_options(const struct kp_option *options, size_t n_options, enum kp_lang lang)
{
        for (size_t i = 0; i < n_options && options[i].name != NULL; i++) {
                char head[64];

                (void)snprintf(head, sizeof(head), "--%s%s%s", options[i].name,
                        options[i].arg == NULL ? "" : " ",
                        options[i].arg == NULL ? "" : options[i].arg);
                printf("  %-26s %s%s%s\n", head,
                        kp_say(lang, options[i].help.en, options[i].help.nl),
                        options[i].required
                                ? kp_say(lang, " (required)", " (verplicht)")
                                : "",
                        options[i].repeat
                                ? kp_say(lang, " (may be repeated)", " (mag vaker)")
                                : "");
        }
}

static void
print_command_help(const struct kp_command *command, enum kp_lang lang)
{
        printf("keypilot %s%s%s%s\n\n%s\n\n", command->name,
                command->n_options > 0 ? " [OPTION]..." : "",
                command->operands[0] == '\0' ? "" : " ", command->operands,
                kp_say(lang, command->help.en, command->help.nl));
        print_options(command->options, command->n_options, lang);
        print_options(kp_global_options, SIZE_MAX, lang);
}

static void
print_help(enum kp_lang lang)
{
        puts(kp_say(lang,
                "keypilot shows which combinations of security keys and single sign-on "
                "work.\n",
                "keypilot laat zien welke combinaties van beveiligingssleutels en "
                "inlogvoorzieningen werken.\n"));
        for (size_t i = 0; kp_commands[i] != NULL; i++) {
                char head[64];

                (void)snprintf(head, sizeof(head), "%s %s", kp_commands[i]->name,
                        kp_commands[i]->operands);
                printf("  %-34s %s\n", head,
                        kp_say(lang, kp_commands[i]->help.en, kp_commands[i]->help.nl));
        }
        puts(kp_say(lang,
                "\nEvery command has --help, --json and --lang nl|en. Begin with: "
                "keypilot run",
                "\nElke opdracht heeft --help, --json en --lang nl|en. Begin met: "
                "keypilot run"));
}

/* "webauthn verify" before "webauthn"; how many words the name took. */
static const struct kp_command *
command_find(int argc, char **argv, int *ret_words)
{
        char two[64] = "";

        if (argc > 2)
                (void)snprintf(two, sizeof(two), "%s %s", argv[1], argv[2]);
        for (size_t i = 0; kp_commands[i] != NULL; i++) {
                *ret_words = strcmp(kp_commands[i]->name, two) == 0 ? 2 : 1;
                if (*ret_words == 2 || strcmp(kp_commands[i]->name, argv[1]) == 0)
                        return kp_commands[i];
        }
        return NULL;
}

static int
lang_read(const char *text, enum kp_lang *ret, struct kp_error *err)
{
        if (text == NULL)
                return 0;
        if (strcmp(text, "nl") != 0 && strcmp(text, "en") != 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--lang': '%.20s' is not nl or en", text);
        *ret = strcmp(text, "nl") == 0 ? KP_LANG_NL : KP_LANG_EN;
        return 0;
}

static void
free_args(struct kp_args **args)
{
        kp_args_free(args);
}

static int
run_command(const struct kp_command *command, int argc, char **argv, enum kp_lang lang)
{
        KP_CLEANUP(free_args) struct kp_args *args = NULL;
        struct kp_cli cli = { .lang = lang };
        struct kp_error err = { 0 };
        int status;

        if (kp_args_parse(command, argc, argv, &args, &err) < 0)
                return complain(&err, command, lang);
        cli.args = args;
        cli.json = kp_arg(&cli, "json") != NULL;
        cli.fixtures_dir = kp_arg(&cli, "fixtures");
        if (lang_read(kp_arg(&cli, "lang"), &cli.lang, &err) < 0)
                return complain(&err, command, lang);
        if (kp_arg(&cli, "help") != NULL) {
                print_command_help(command, cli.lang);
                return KP_EXIT_OK;
        }
        if ((status = command->run(&cli, &err)) < 0)
                return complain(&err, command, cli.lang);
        return status;
}

int
main(int argc, char **argv)
{
        enum kp_lang lang = lang_of_locale();
        const struct kp_command *command;
        int words = 0, status;

        if (argc > 1 && strcmp(argv[1], "--lang") == 0 && argc > 2 &&
                strcmp(argv[2], "nl") == 0)
                lang = KP_LANG_NL;
        if (argc > 1 && strcmp(argv[1], "--version") == 0) {
                kp_version_print();
                return KP_EXIT_OK;
        }
        if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                strcmp(argv[1], "--lang") == 0) {
                print_help(lang);
                return argc < 2 ? KP_EXIT_USAGE : KP_EXIT_OK;
        }
        if ((command = command_find(argc, argv, &words)) == NULL) {
                struct kp_error err = { 0 };

                (void)KP_FAIL(&err, KP_EUSAGE, "unknown command '%.60s'", argv[1]);
                return complain(&err, NULL, lang);
        }
        status = run_command(command, argc - 1 - words, argv + 1 + words, lang);
        if (fflush(stdout) == EOF && status == KP_EXIT_OK)
                return KP_EXIT_INPUT; /* the reader never got the answer */
        return status;
}
