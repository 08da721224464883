/* SPDX-License-Identifier: BSD-2-Clause */
#include "webauthn_common.h"

#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/client/client.h"
#include "keypilot/codec/b64url.h"
#include "keypilot/core/file.h"
#include "keypilot/core/free.h"
#include "keypilot/device/key.h"
#include "keypilot/device/ledger.h"

#include "webauthn_person.h"

#define DEFAULT_CLIENT "chromium-debian"
#define DEFAULT_KEY "sim:yubikey-5-57-pin"
#define MAX_KEYS 16

const struct kp_option kp_webauthn_options[KP_N_WEBAUTHN_OPTIONS] = {
        { "options", "FILE", true, false,
                { "options of the site as JSON; - is standard input",
                        "opties van de site als JSON; - is de standaardinvoer" } },
        { "origin", "URL", false, false,
                { "page that calls: in a tab of its own, after a click",
                        "pagina die aanroept: in een eigen tab, na een klik" } },
        { "page", "FILE", false, false,
                { "where the call stands, instead of --origin",
                        "waar de aanroep staat, in plaats van --origin" } },
        { "client", "NAME", false, false,
                { "client profile (" DEFAULT_CLIENT ")",
                        "profiel van de client (" DEFAULT_CLIENT ")" } },
        { "key", "KEY", false, true,
                { "sim:PROFILE or hid:PATH (" DEFAULT_KEY ")",
                        "sim:PROFIEL of hid:PAD (" DEFAULT_KEY ")" } },
        { "state", "FILE", false, true,
                { "memory of the simulated key, created when absent; one for each "
                  "--key",
                        "geheugen van de gesimuleerde sleutel, zo nodig gemaakt; een "
                        "voor elke --key" } },
        { "pin-file", "FILE", false, false,
                { "file with the PIN; without it a real key's PIN is asked for",
                        "bestand met de pincode; anders wordt die van een echte "
                        "sleutel "
                        "gevraagd" } },
        { "seed", "S", false, false,
                { "repeatable randomness, for simulated keys",
                        "herhaalbaar toeval, voor gesimuleerde sleutels" } },
};

/* A real key that waits for a touch is told to stop, so that it does not blink on. */
static volatile sig_atomic_t interrupted;

static void
interrupt(int signal_number)
{
        interrupted = signal_number;
}

/* One run of the command. */
struct ceremony {
        struct kp_cli *cli;
        bool create;
        struct kp_fixtures *fixtures;
        const struct kp_profile *profile;
        json_t *options, *page_json, *states[MAX_KEYS];
        struct kp_page page;
        struct kp_clock clock;
        struct kp_random *random;
        char *ledger;
        char *state_key; /* "sim:" and the profile that the state names; NULL: none */
        struct kp_key *keys[MAX_KEYS];
        struct kp_client_key client_keys[MAX_KEYS];
        size_t n_keys;
        bool real; /* one of them is */
        struct kp_person person;
};

static void
ceremony_done(struct ceremony *c)
{
        kp_random_install(NULL);
        kp_person_done(&c->person);
        for (size_t i = 0; i < c->n_keys; i++)
                kp_key_close(&c->keys[i]);
        for (size_t i = 0; i < MAX_KEYS; i++)
                json_decref(c->states[i]);
        kp_random_free(&c->random);
        kp_fixtures_free(&c->fixtures);
        json_decref(c->options);
        json_decref(c->page_json);
        free(c->ledger);
        free(c->state_key);
}

/* ---- what the command line says ---- */

static int
page_read(struct ceremony *c, struct kp_error *err)
{
        const char *origin = kp_arg(c->cli, "origin"), *file = kp_arg(c->cli, "page");

        if ((origin == NULL) == (file == NULL))
                return KP_FAIL(
                        err, KP_EUSAGE, "expected either --origin URL or --page FILE");
        if (origin != NULL) {
                struct kp_error why = { 0 };

                c->page = (struct kp_page){ .origin = origin, .user_activation = true };
                if (kp_page_origin_check(origin, &why) < 0)
                        return KP_FAIL(err, KP_EUSAGE, "option '--origin': %s",
                                why.frames[0].text);
                return 0;
        }
        if (kp_json_load(file, KP_JSON_MAX, &c->page_json, err) < 0)
                return -1;
        if (kp_page_read(c->page_json, &c->page, err) < 0)
                return KP_WHILE(err, "%s", file);
        return 0;
}

/* Without --key: the key whose memory it is, or the default one. */
static const char *
key_name(const struct ceremony *c, size_t i)
{
        if (kp_arg_count(c->cli, "key") > 0)
                return kp_arg_nth(c->cli, "key", i);
        return c->state_key == NULL ? DEFAULT_KEY : c->state_key;
}

static bool
is_real(const char *name)
{
        return strncmp(name, "hid:", 4) == 0;
}

static int
keys_check(struct ceremony *c, struct kp_error *err)
{
        size_t given = kp_arg_count(c->cli, "key");

        c->n_keys = given == 0 ? 1 : given;
        if (c->n_keys > MAX_KEYS)
                return KP_FAIL(
                        err, KP_EUSAGE, "option '--key': at most %d keys", MAX_KEYS);
        for (size_t i = 0; i < c->n_keys; i++)
                c->real |= is_real(key_name(c, i));
        if (kp_arg(c->cli, "state") != NULL &&
                (c->real || kp_arg_count(c->cli, "state") != c->n_keys))
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--state' belongs to one simulated key: give one "
                        "--key for each, in the same order");
        if (kp_arg(c->cli, "seed") != NULL && c->real)
                return KP_FAIL(err, KP_EUSAGE,
                        "option '--seed' is for simulated keys: a real key's "
                        "ceremonies "
                        "are never repeatable");
        return 0;
}

static int
state_read(struct ceremony *c, size_t i, struct kp_error *err)
{
        const char *path = kp_arg_nth(c->cli, "state", i), *profile;

        if (!kp_file_exists(path))
                return 0;
        if (kp_json_load(path, KP_JSON_MAX_BULK, &c->states[i], err) < 0)
                return -1;
        if (i == 0 && (profile = kp_json_str(c->states[i], "profile", NULL)) != NULL &&
                (c->state_key = kp_format("sim:%s", profile)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        return 0;
}

static int
states_read(struct ceremony *c, struct kp_error *err)
{
        for (size_t i = 0; i < kp_arg_count(c->cli, "state"); i++)
                if (state_read(c, i, err) < 0)
                        return -1;
        return 0;
}

/* ---- what the ceremony runs on ---- */

/*
 * With a seed, and the same memory, everything repeats; but a key that has lived on
 * draws other numbers, or a second passkey would get the id of the first.
 */
static int
random_open(struct ceremony *c, struct kp_error *err)
{
        const char *seed = kp_arg(c->cli, "seed");
        KP_CLEANUP(kp_buf_wipe) struct kp_buf memory = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf label = { 0 };
        uint8_t hash[SHA256_DIGEST_LENGTH];

        c->clock = c->real ? kp_clock_system() : kp_clock_simulated();
        if (seed == NULL)
                return kp_random_new_system(&c->random, err);
        for (size_t i = 0; i < c->n_keys; i++)
                if (c->states[i] != NULL &&
                        kp_json_write(c->states[i], &memory, err) < 0)
                        return -1;
        SHA256(memory.len == 0 ? (const uint8_t *)"" : memory.data, memory.len, hash);
        kp_buf_puts(&label, c->create ? "webauthn create " : "webauthn get ");
        kp_buf_put_hex(&label, hash, sizeof(hash));
        if (kp_buf_check(&label, err) < 0 ||
                kp_random_new_seeded(seed, kp_buf_str(&label), &c->random, err) < 0)
                return -1;
        kp_random_install(c->random);
        return 0;
}

/* A simulated key is plugged in where it can be; otherwise the first way that it has. */
static const char *
transport_of(const struct kp_key *key)
{
        const struct kp_words *words;

        if (key->profile == NULL)
                return NULL;
        words = &kp_authenticator_profile_facts(key->profile)->transports;
        return words->n == 0 || kp_words_have(words, "usb") ? NULL : words->word[0];
}

static int
key_open(struct ceremony *c, size_t i, struct kp_error *err)
{
        const struct kp_key_env env = {
                .fixtures_dir = kp_fixtures_dir(c->fixtures),
                .clock = &c->clock,
                .random = c->random,
                .state = c->states[i],
                .ledger_path = c->ledger,
                .interrupted = c->real ? &interrupted : NULL,
        };
        const char *name = key_name(c, i);
        bool touches, verifies;

        if (kp_key_open(name, KP_DRIVER_DEFAULT, &env, &c->keys[i], err) < 0)
                return c->states[i] == NULL
                               ? KP_WHILE(err, "key %s", name)
                               : KP_WHILE(err, "%s", kp_arg_nth(c->cli, "state", i));
        c->client_keys[i] = (struct kp_client_key){
                .driver = &c->keys[i]->driver,
                .attachment = c->keys[i]->attachment,
                .real = c->keys[i]->real,
                .transport = transport_of(c->keys[i]),
        };
        kp_page_person(&c->page, i, &touches, &verifies);
        if (c->keys[i]->authenticator != NULL)
                kp_authenticator_set_finger(c->keys[i]->authenticator,
                        touches ? KP_FINGER_TOUCHES : KP_FINGER_WITHHOLDS, 0, verifies);
        if (c->keys[i]->profile != NULL)
                kp_person_know(&c->person, c->keys[i]->profile);
        return 0;
}

static int
open_all(struct ceremony *c, struct kp_error *err)
{
        const struct sigaction action = { .sa_handler = interrupt };
        const char *client = kp_arg(c->cli, "client");
        size_t n = c->n_keys;

        if (c->real && sigaction(SIGINT, &action, NULL) < 0)
                return KP_FAIL(err, KP_EBUG, "SIGINT");

        if (kp_fixtures_open(c->cli->fixtures_dir, &c->fixtures, err) < 0 ||
                kp_fixtures_profile(c->fixtures, KP_KIND_CLIENT,
                        client == NULL ? DEFAULT_CLIENT : client, &c->profile,
                        err) < 0 ||
                random_open(c, err) < 0)
                return -1;
        if (c->real && kp_ledger_default_path(getenv("XDG_STATE_HOME"), getenv("HOME"),
                               &c->ledger, err) < 0)
                return -1;
        for (c->n_keys = 0; c->n_keys < n; c->n_keys++)
                if (key_open(c, c->n_keys, err) < 0)
                        return -1;
        return 0;
}

/* ---- what comes out ---- */

static int
state_write(struct ceremony *c, size_t i, struct kp_error *err)
{
        const char *path = kp_arg_nth(c->cli, "state", i);
        KP_CLEANUP(kp_buf_wipe) struct kp_buf text = { 0 };
        json_auto_t *state = NULL;
        char *pretty;

        if (kp_authenticator_save(c->keys[i]->authenticator, &state, err) < 0)
                return -1;
        if ((pretty = json_dumps(state, JSON_INDENT(2) | JSON_SORT_KEYS)) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        kp_buf_puts(&text, pretty);
        kp_buf_puts(&text, "\n");
        free(pretty);
        if (kp_buf_check(&text, err) < 0)
                return -1;
        return kp_file_write(path, text.data, text.len, err);
}

static int
states_write(struct ceremony *c, struct kp_error *err)
{
        for (size_t i = 0; i < kp_arg_count(c->cli, "state"); i++)
                if (state_write(c, i, err) < 0)
                        return -1;
        return 0;
}

static int
print_exception(const struct kp_exception *e, struct kp_error *err)
{
        json_auto_t *json = json_pack("{s:{s:s, s:s, s:s?, s:s}}", "error", "name",
                e->name, "message", e->message, "ctap",
                e->ctap == 0 ? NULL : kp_ctap_status_name(e->ctap), "reason",
                e->reason);

        if (json == NULL)
                return KP_FAIL(err, KP_ENOMEM, "answer");
        return kp_print_json(json, err);
}

/* A passkey on somebody's real key does not stay there without a word. */
static void
tell_removal(const struct ceremony *c)
{
        if (!c->create || !c->real)
                return;
        fprintf(stderr,
                kp_say(c->cli->lang,
                        "If the key stored this test passkey, this removes it again:\n"
                        "  keypilot key clean %s\n"
                        "It stands in the ledger %s.\n",
                        "Heeft de sleutel deze testwachtwoordsleutel opgeslagen, dan "
                        "haalt dit hem weer weg:\n"
                        "  keypilot key clean %s\n"
                        "Hij staat in het logboek %s.\n"),
                key_name(c, 0), c->ledger);
}

static int
run_ceremony(struct ceremony *c, struct kp_error *err)
{
        json_auto_t *response = NULL;
        struct kp_exception exception;
        struct kp_client client = {
                .actor = { .role = "client", .profile = c->profile },
                .keys = c->client_keys,
                .n_keys = c->n_keys,
                .clock = &c->clock,
                .random = c->random,
                .user = &c->person.user,
        };
        int r = c->create ? kp_client_create(&client, &c->page, c->options, &response,
                                    &exception, err)
                          : kp_client_get(&client, &c->page, c->options, &response,
                                    &exception, err);

        if (r < 0 || states_write(c, err) < 0)
                return -1;
        if (interrupted != 0)
                return KP_EXIT_INTERRUPTED;
        if (exception.name[0] != '\0')
                return print_exception(&exception, err) < 0 ? -1 : KP_EXIT_DIFFERS;
        if (kp_print_json(response, err) < 0)
                return -1;
        tell_removal(c);
        return KP_EXIT_OK;
}

int
kp_webauthn_run(struct kp_cli *cli, bool create, struct kp_error *err)
{
        KP_CLEANUP(ceremony_done) struct ceremony c = { .cli = cli, .create = create };

        kp_person_init(&c.person);
        if (page_read(&c, err) < 0 || keys_check(&c, err) < 0 ||
                kp_json_load(kp_arg(cli, "options"), KP_JSON_MAX, &c.options, err) <
                        0 ||
                states_read(&c, err) < 0)
                return -1;
        c.person.lang = cli->lang;
        c.person.real = c.real;
        c.person.pin_file = kp_arg(cli, "pin-file");
        if (kp_person_read_pin(&c.person, err) < 0 || open_all(&c, err) < 0)
                return -1;
        return run_ceremony(&c, err);
}
