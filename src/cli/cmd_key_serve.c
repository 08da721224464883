/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keypilot/core/free.h"
#include "keypilot/device/serve.h"

#include "cli.h"

#define MAX_KEYS 64
#define VPCD_PORT 35963

static const struct kp_option options[] = {
        { "socket", "PATH", false, true,
                { "listen at an AF_UNIX socket, 64 bytes a datagram",
                        "luister op een AF_UNIX-socket, 64 bytes per datagram" } },
        { "udp", "PORT", false, true,
                { "listen on 127.0.0.1, 64 bytes a datagram; 0: any free port",
                        "luister op 127.0.0.1, 64 bytes per datagram; 0: een vrije "
                        "poort" } },
        { "uhid", NULL, false, false,
                { "be a USB key of this machine, through /dev/uhid",
                        "wees een usb-sleutel van deze computer, via /dev/uhid" } },
        { "vpcd", NULL, false, false,
                { "be a smart card, through vsmartcard's vpcd",
                        "wees een smartcard, via vpcd van vsmartcard" } },
        { "vpcd-at", "HOST:PORT", false, true,
                { "where vpcd listens (127.0.0.1:35963, one further for each key)",
                        "waar vpcd luistert (127.0.0.1:35963, per sleutel een "
                        "hoger)" } },
        { "state", "FILE", false, true,
                { "memory of the key, created when absent",
                        "geheugen van de sleutel, zo nodig gemaakt" } },
        { "control", "PATH", false, false,
                { "take orders from test drivers at this socket, as JSON lines",
                        "neem op deze socket opdrachten aan van tests, als "
                        "JSON-regels" } },
        { "touch", "HOW", false, false,
                { "auto, once, withhold, deny, or ask: press Enter to touch (auto)",
                        "auto, once, withhold, deny, of ask: raak aan met Enter "
                        "(auto)" } },
        { "fault", "NAME", false, true,
                { "something that goes wrong, with every key",
                        "iets dat misgaat, bij elke sleutel" } },
        { "seed", "S", false, false,
                { "repeatable randomness", "herhaalbaar toeval" } },
};

/* ---- how it ends ---- */

static int stop_pipe[2] = { -1, -1 };

static void
on_signal(int signal_number)
{
        ssize_t n = write(stop_pipe[1], "", 1);

        (void)signal_number;
        (void)n; /* a full pipe has stopped us already */
}

static int
catch_signals(struct kp_error *err)
{
        const struct sigaction stop = { .sa_handler = on_signal };
        const struct sigaction ignore = { .sa_handler = SIG_IGN };

        if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) < 0 ||
                sigaction(SIGINT, &stop, NULL) < 0 ||
                sigaction(SIGTERM, &stop, NULL) < 0 ||
                sigaction(SIGPIPE, &ignore, NULL) < 0)
                return KP_FAIL_AS(
                        err, KP_EBUG, "errno", errno, "signals: %s", strerror(errno));
        return 0;
}

/* ---- what is told ---- */

struct talk {
        const struct kp_cli *cli;
        bool all; /* somebody is watching */
        bool ask;
        bool broken; /* standard output went away */
};

static void
say_ready(struct talk *talk, const struct kp_serve_event *event)
{
        const char *control = kp_arg(talk->cli, "control");
        KP_CLEANUP(kp_json_free) json_t *line = NULL;

        fprintf(stderr,
                kp_say(talk->cli->lang, "%s can be used at %s (%s); Ctrl-C stops it.\n",
                        "%s is te gebruiken op %s (%s); Ctrl-C stopt.\n"),
                event->key, event->address, event->port);
        if (!talk->cli->json)
                return;
        line = json_pack("{s:s, s:i, s:s, s:s, s:s*}", "key", event->key, "index",
                (int)event->index, "port", event->port, "address", event->address,
                "control", control);
        if (line == NULL ||
                json_dumpf(line, stdout, JSON_COMPACT | JSON_SORT_KEYS) < 0 ||
                putchar('\n') == EOF || fflush(stdout) == EOF)
                talk->broken = true;
}

static void
say_trouble(const struct talk *talk, const struct kp_serve_event *event)
{
        char why[512];

        fprintf(stderr,
                kp_say(talk->cli->lang, "%s: trouble: %s\n", "%s: probleem: %s\n"),
                event->key, kp_error_format(event->err, why, sizeof(why)));
}

static void
say_command(const struct talk *talk, const struct kp_serve_event *event)
{
        enum kp_lang lang = talk->cli->lang;

        if (event->news == KP_SERVE_ANSWERED)
                fprintf(stderr, "%s: %s: %s%s\n", event->key, event->command,
                        event->status,
                        event->waited ? kp_say(lang, ", after waiting for a finger",
                                                ", na wachten op een vinger")
                                      : "");
        else if (talk->ask)
                fprintf(stderr,
                        kp_say(lang, "%s: %s waits for a touch: press Enter\n",
                                "%s: %s wacht op een aanraking: druk op Enter\n"),
                        event->key, event->command);
        else
                fprintf(stderr,
                        kp_say(lang, "%s: %s waits for a touch\n",
                                "%s: %s wacht op een aanraking\n"),
                        event->key, event->command);
}

static void
say(void *self, const struct kp_serve_event *event)
{
        struct talk *talk = self;
        enum kp_lang lang = talk->cli->lang;
        const char *what = NULL;

        switch (event->news) {
        case KP_SERVE_READY:
                say_ready(talk, event);
                return;
        case KP_SERVE_TROUBLE:
                say_trouble(talk, event);
                return;
        case KP_SERVE_WAITS:
        case KP_SERVE_ANSWERED:
                if (talk->all)
                        say_command(talk, event);
                return;
        case KP_SERVE_CAME:
                what = kp_say(lang, "a program came", "een programma kwam");
                break;
        case KP_SERVE_WENT:
                what = kp_say(lang, "the program went", "het programma is weg");
                break;
        case KP_SERVE_PULLED:
                what = kp_say(lang, "pulled out", "eruit getrokken");
                break;
        case KP_SERVE_POWERED:
                return; /* goes with all the others */
        }
        if (talk->all)
                fprintf(stderr, "%s: %s\n", event->key, what);
}

/* ---- what the command line says ---- */

struct plan {
        struct kp_serve_key keys[MAX_KEYS];
        char *hosts[MAX_KEYS];
        size_t n;
};

static void
plan_done(struct plan *plan)
{
        for (size_t i = 0; i < plan->n; i++)
                free(plan->hosts[i]);
}

/* Where each key listens: the one kind of port that was asked for. */
static int
read_kind(const struct kp_cli *cli, enum kp_serve_port *ret, struct kp_error *err)
{
        const bool asked[] = {
                [KP_SERVE_SOCKET] = kp_arg(cli, "socket") != NULL,
                [KP_SERVE_UDP] = kp_arg(cli, "udp") != NULL,
                [KP_SERVE_UHID] = kp_arg(cli, "uhid") != NULL,
                [KP_SERVE_VPCD] =
                        kp_arg(cli, "vpcd") != NULL || kp_arg(cli, "vpcd-at") != NULL,
        };
        size_t n = 0;

        for (size_t i = 0; i < KP_NELEMS(asked); i++) {
                n += asked[i];
                if (asked[i])
                        *ret = (enum kp_serve_port)i;
        }
        if (n != 1)
                return KP_FAIL(err, KP_EUSAGE,
                        "expected one of --socket PATH, --udp PORT, --uhid, --vpcd");
        return 0;
}

/* An option that each key has its own of: the first is the first key's, and so on. */
static int
check_each(
        const struct kp_cli *cli, const char *name, bool optional, struct kp_error *err)
{
        size_t n = kp_arg_count(cli, name), n_keys = kp_n_operands(cli);

        if (n == n_keys || (optional && n == 0))
                return 0;
        return KP_FAIL(err, KP_EUSAGE,
                "option '--%s' is given %zu times for %zu keys: give it once for each "
                "key, "
                "in their order",
                name, n, n_keys);
}

static int
read_number(
        const char *option, const char *text, int min, int *ret, struct kp_error *err)
{
        char *end = NULL;
        long value;

        errno = 0;
        value = strtol(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || value < min || value > 65535)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--%s': '%.40s' is not a port from %d to 65535", option,
                        text, min);
        *ret = (int)value;
        return 0;
}

static int
read_vpcd(const struct kp_cli *cli, size_t i, struct plan *plan, struct kp_error *err)
{
        const char *at = kp_arg_nth(cli, "vpcd-at", i);
        const char *colon;

        plan->keys[i].number = VPCD_PORT + (int)i;
        if (at == NULL)
                return 0;
        if ((colon = strrchr(at, ':')) == NULL || colon == at)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--vpcd-at': '%.80s' is not HOST:PORT", at);
        if ((plan->hosts[i] = strndup(at, (size_t)(colon - at))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "--vpcd-at");
        plan->keys[i].host = plan->hosts[i];
        return read_number("vpcd-at", colon + 1, 1, &plan->keys[i].number, err);
}

static int
read_touch(const struct kp_cli *cli, enum kp_serve_touch *ret, bool *ret_ask,
        struct kp_error *err)
{
        const char *touch = kp_arg(cli, "touch");

        *ret_ask = touch != NULL && strcmp(touch, "ask") == 0;
        if (touch == NULL)
                return 0;
        if (*ret_ask && isatty(STDIN_FILENO) == 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--touch': ask needs a terminal; tests use --control");
        *ret = KP_SERVE_TOUCH_WITHHOLD;
        if (*ret_ask)
                return 0;
        for (int i = 0; i < KP_SERVE_N_TOUCHES; i++)
                if (strcmp(kp_serve_touch_name((enum kp_serve_touch)i), touch) == 0) {
                        *ret = (enum kp_serve_touch)i;
                        return 0;
                }
        return KP_FAIL(err, KP_EUSAGE,
                "option '--touch': '%.40s' is not auto, once, withhold, deny or ask",
                touch);
}

static int
check_counts(const struct kp_cli *cli, enum kp_serve_port port, struct kp_error *err)
{
        if (kp_n_operands(cli) > MAX_KEYS)
                return KP_FAIL(err, KP_EUSAGE, "at most %d keys", MAX_KEYS);
        if (check_each(cli, "state", true, err) < 0)
                return -1;
        if (port == KP_SERVE_SOCKET)
                return check_each(cli, "socket", false, err);
        if (port == KP_SERVE_UDP)
                return check_each(cli, "udp", false, err);
        return check_each(cli, "vpcd-at", true, err);
}

/* Two keys in one file would lose one another's passkeys. */
static int
check_states(const struct plan *plan, struct kp_error *err)
{
        for (size_t i = 0; i < plan->n; i++)
                for (size_t j = 0; j < i; j++)
                        if (plan->keys[i].state != NULL &&
                                strcmp(plan->keys[i].state, plan->keys[j].state) == 0)
                                return KP_FAIL(err, KP_EUSAGE,
                                        "option '--state': '%s' is given to two keys",
                                        plan->keys[i].state);
        return 0;
}

static int
read_plan(const struct kp_cli *cli, struct plan *plan, bool *ret_ask,
        struct kp_error *err)
{
        enum kp_serve_touch touch = KP_SERVE_TOUCH_AUTO;
        enum kp_serve_port port = KP_SERVE_SOCKET;

        if (read_kind(cli, &port, err) < 0 || check_counts(cli, port, err) < 0 ||
                read_touch(cli, &touch, ret_ask, err) < 0)
                return -1;
        for (plan->n = 0; plan->n < kp_n_operands(cli); plan->n++) {
                size_t i = plan->n;

                plan->keys[i] = (struct kp_serve_key){
                        .name = kp_operand(cli, i),
                        .port = port,
                        .path = kp_arg_nth(cli, "socket", i),
                        .state = kp_arg_nth(cli, "state", i),
                        .seed = kp_arg(cli, "seed"),
                        .touch = touch,
                };
                if (port == KP_SERVE_UDP &&
                        read_number("udp", kp_arg_nth(cli, "udp", i), 0,
                                &plan->keys[i].number, err) < 0)
                        return -1;
                if (port == KP_SERVE_VPCD && read_vpcd(cli, i, plan, err) < 0)
                        return -1;
        }
        return check_states(plan, err);
}

/* ---- running ---- */

static int
open_all(const struct kp_cli *cli, const struct plan *plan, struct kp_serve *serve,
        struct kp_error *err)
{
        for (size_t i = 0; i < plan->n; i++)
                if (kp_serve_add(serve, &plan->keys[i], err) < 0)
                        return -1;
        for (size_t i = 0; i < kp_arg_count(cli, "fault"); i++)
                if (kp_serve_fault(serve, kp_arg_nth(cli, "fault", i), err) < 0)
                        return -1;
        if (kp_arg(cli, "control") != NULL &&
                kp_serve_control(serve, kp_arg(cli, "control"), err) < 0)
                return -1;
        return 0;
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_serve_free) struct kp_serve *serve = NULL;
        KP_CLEANUP(plan_done) struct plan plan = { 0 };
        struct talk talk = { .cli = cli, .all = isatty(STDERR_FILENO) != 0 };
        struct kp_serve_env env = { .enter_fd = -1, .say = say, .self = &talk };

        if (read_plan(cli, &plan, &talk.ask, err) < 0 ||
                kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0 ||
                catch_signals(err) < 0)
                return -1;
        env.fixtures = fixtures;
        if (talk.ask)
                env.enter_fd = STDIN_FILENO;
        if (kp_serve_new(&env, &serve, err) < 0 ||
                open_all(cli, &plan, serve, err) < 0 ||
                kp_serve_run(serve, stop_pipe[0], err) < 0)
                return -1;
        if (talk.broken)
                return KP_FAIL(err, KP_EIO, "standard output: cannot write");
        fputs(kp_say(cli->lang, "Stopped.\n", "Gestopt.\n"), stderr);
        return KP_EXIT_OK;
}

const struct kp_command kp_cmd_key_serve = {
        .name = "key serve",
        .operands = "KEY...",
        .min_operands = 1,
        .max_operands = SIZE_MAX,
        .help = { "lend a simulated key to any program",
                "leen een gesimuleerde sleutel uit aan elk programma" },
        .options = options,
        .n_options = KP_NELEMS(options),
        .run = run,
};
