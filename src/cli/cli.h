/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CLI_CLI_H
#define KEYPILOT_CLI_CLI_H

#include "keypilot/core/json.h"
#include "keypilot/model/fixtures.h"

/*
 * The command line: one table per command, read by the parser, --help and the manual
 * alike. Exit codes: DESIGN "Contracts".
 */
enum kp_exit {
        KP_EXIT_OK = 0,
        KP_EXIT_DIFFERS = 1, /* also: a refused ceremony or message */
        KP_EXIT_USAGE = 2,
        KP_EXIT_INPUT = 3,
        KP_EXIT_ENV = 4,
        KP_EXIT_UNDECIDED = 5,
        KP_EXIT_RISK = 6,
        KP_EXIT_INTEGRITY = 7,
        KP_EXIT_SAFETY = 8,
        KP_EXIT_BUG = 70,
        KP_EXIT_INTERRUPTED = 130,
};

enum kp_lang { KP_LANG_EN, KP_LANG_NL };

struct kp_option {
        const char *name; /* without the dashes */
        const char *arg;  /* "FILE"; NULL: a switch */
        bool required;
        bool repeat; /* may come several times */
        struct kp_text help;
};

struct kp_args; /* parsed */

/* One run of a command: what it was given, and where it may look. */
struct kp_cli {
        const struct kp_args *args;
        bool json;
        enum kp_lang lang;
        const char *fixtures_dir; /* from --fixtures; NULL: find them */
};

/* Value of an option (the last one), "" for a switch that is on, NULL when absent. */
const char *kp_arg(const struct kp_cli *cli, const char *name);
size_t kp_arg_count(const struct kp_cli *cli, const char *name);
const char *kp_arg_nth(const struct kp_cli *cli, const char *name, size_t i);
/* What stands without dashes; NULL past the end. */
const char *kp_operand(const struct kp_cli *cli, size_t i);
size_t kp_n_operands(const struct kp_cli *cli);
/* An option's value as a whole number within bounds. Errors  KP_EUSAGE */
int kp_arg_int(const struct kp_cli *cli, const char *name, int64_t min, int64_t max,
        int64_t fallback, int64_t *ret, struct kp_error *err) KP_MUST_CHECK;

struct kp_command {
        const char *name;                  /* "webauthn verify" */
        const char *operands;              /* "FILE...", "[PILOT]", "" */
        size_t min_operands, max_operands; /* SIZE_MAX: any number */
        struct kp_text help;               /* one line */
        const struct kp_option *options;
        size_t n_options;
        /* Returns an exit code, or -1 with an error, which main turns into one. */
        int (*run)(struct kp_cli *cli, struct kp_error *err);
};

/* One of two texts, by language; may be printf formats with the same arguments. */
const char *kp_say(enum kp_lang lang, const char *en, const char *nl)
        __attribute__((__format_arg__(2), __format_arg__(3)));

/* Print a JSON value on stdout, indented, members sorted, with a newline. */
int kp_print_json(const json_t *value, struct kp_error *err) KP_MUST_CHECK;

#endif
