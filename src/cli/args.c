/* SPDX-License-Identifier: BSD-2-Clause */
#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct kp_args {
        struct given {
                const char *name, *value;
        } * given;
        size_t n_given;
        const char **operands;
        size_t n_operands;
};

const struct kp_option kp_global_options[] = {
        { .name = "help", .help = { "show this help", "toon deze hulp" } },
        { .name = "json",
                .help = { "machine-readable output", "uitvoer voor programma's" } },
        { .name = "lang",
                .arg = "nl|en",
                .help = { "language of what people read",
                        "taal van wat mensen lezen" } },
        { .name = "fixtures",
                .arg = "DIR",
                .help = { "folder of fixtures to use", "map met fixtures" } },
        { .name = NULL },
};

static const struct kp_option *
option_find(const struct kp_command *command, const char *name, size_t name_len)
{
        for (size_t i = 0; i < command->n_options; i++)
                if (strncmp(command->options[i].name, name, name_len) == 0 &&
                        command->options[i].name[name_len] == '\0')
                        return &command->options[i];
        for (const struct kp_option *option = kp_global_options; option->name != NULL;
                option++)
                if (strncmp(option->name, name, name_len) == 0 &&
                        option->name[name_len] == '\0')
                        return option;
        return NULL;
}

static int
option_take(struct kp_args *args, const struct kp_command *command, int *i, int argc,
        char **argv, struct kp_error *err)
{
        const char *name = argv[*i] + 2, *equals = strchr(name, '=');
        size_t name_len = equals == NULL ? strlen(name) : (size_t)(equals - name);
        const struct kp_option *option = option_find(command, name, name_len);
        const char *value = "";

        if (option == NULL)
                return KP_FAIL(err, KP_EUSAGE, "unknown option '%.60s'", argv[*i]);
        if (option->arg == NULL && equals != NULL)
                return KP_FAIL(
                        err, KP_EUSAGE, "option '--%s' takes no value", option->name);
        if (option->arg != NULL && equals == NULL && ++*i == argc)
                return KP_FAIL(err, KP_EUSAGE, "option '--%s' needs a value: --%s %s",
                        option->name, option->name, option->arg);
        if (option->arg != NULL)
                value = equals != NULL ? equals + 1 : argv[*i];
        if (!option->repeat && kp_args_get(args, option->name) != NULL)
                return KP_FAIL(err, KP_EUSAGE, "option '--%s' may be given once",
                        option->name);
        args->given[args->n_given++] = (struct given){ option->name, value };
        return 0;
}

static int
args_complete(const struct kp_args *args, const struct kp_command *command,
        struct kp_error *err)
{
        for (size_t i = 0; i < command->n_options; i++)
                if (command->options[i].required &&
                        kp_args_get(args, command->options[i].name) == NULL)
                        return KP_FAIL(err, KP_EUSAGE, "option '--%s %s' is missing",
                                command->options[i].name, command->options[i].arg);
        if (args->n_operands < command->min_operands)
                return KP_FAIL(err, KP_EUSAGE, "missing: %s", command->operands);
        if (args->n_operands > command->max_operands)
                return KP_FAIL(err, KP_EUSAGE, "'%.60s' is one argument too many",
                        args->operands[command->max_operands]);
        return 0;
}

int
kp_args_parse(const struct kp_command *command, int argc, char **argv,
        struct kp_args **ret, struct kp_error *err)
{
        KP_CLEANUP(kp_args_free) struct kp_args *args = calloc(1, sizeof(*args));
        bool only_operands = false;

        if (args == NULL ||
                (args->given = calloc((size_t)argc + 1, sizeof(*args->given))) ==
                        NULL ||
                (args->operands = calloc((size_t)argc + 1, sizeof(*args->operands))) ==
                        NULL)
                return KP_FAIL(err, KP_ENOMEM, "arguments");
        for (int i = 0; i < argc; i++) {
                if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
                        args->operands[args->n_operands++] = argv[i];
                } else if (strcmp(argv[i], "--") == 0) {
                        only_operands = true;
                } else if (strcmp(argv[i], "-h") == 0) {
                        args->given[args->n_given++] = (struct given){ "help", "" };
                } else if (argv[i][1] != '-') {
                        return KP_FAIL(err, KP_EUSAGE,
                                "unknown option '%.60s': options begin with two dashes",
                                argv[i]);
                } else if (option_take(args, command, &i, argc, argv, err) < 0) {
                        return -1;
                }
        }
        if (kp_args_get(args, "help") == NULL && args_complete(args, command, err) < 0)
                return -1;
        *ret = KP_STEAL(args);
        return 0;
}

void
kp_args_free(struct kp_args **args)
{
        if (*args == NULL)
                return;
        free((*args)->given);
        free((*args)->operands);
        free(*args);
        *args = NULL;
}

const char *
kp_args_get(const struct kp_args *args, const char *name)
{
        for (size_t i = args->n_given; i > 0; i--)
                if (strcmp(args->given[i - 1].name, name) == 0)
                        return args->given[i - 1].value;
        return NULL;
}

const char *
kp_arg(const struct kp_cli *cli, const char *name)
{
        return kp_args_get(cli->args, name);
}

const char *
kp_arg_nth(const struct kp_cli *cli, const char *name, size_t i)
{
        for (size_t j = 0; j < cli->args->n_given; j++)
                if (strcmp(cli->args->given[j].name, name) == 0 && i-- == 0)
                        return cli->args->given[j].value;
        return NULL;
}

size_t
kp_arg_count(const struct kp_cli *cli, const char *name)
{
        size_t n = 0;

        while (kp_arg_nth(cli, name, n) != NULL)
                n++;
        return n;
}

const char *
kp_operand(const struct kp_cli *cli, size_t i)
{
        return i < cli->args->n_operands ? cli->args->operands[i] : NULL;
}

size_t
kp_n_operands(const struct kp_cli *cli)
{
        return cli->args->n_operands;
}

int
kp_arg_int(const struct kp_cli *cli, const char *name, int64_t min, int64_t max,
        int64_t fallback, int64_t *ret, struct kp_error *err)
{
        const char *text = kp_arg(cli, name);
        char *end = NULL;
        long long value;

        *ret = fallback;
        if (text == NULL)
                return 0;
        errno = 0;
        value = strtoll(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || value < min || value > max)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--%s': '%.40s' is not a whole number from %lld to "
                        "%lld",
                        name, text, (long long)min, (long long)max);
        *ret = value;
        return 0;
}
