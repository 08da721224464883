/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/b64url.h"
#include "keypilot/core/free.h"
#include "keypilot/device/key.h"
#include "keypilot/device/ledger.h"

#include "cli.h"
#include "webauthn_person.h"

/* One clean-up: what the ledger says is left, and the key it may be on. */
struct cleaning {
        struct kp_cli *cli;
        const char *name;
        char *ledger;
        struct kp_clock clock;
        struct kp_random *random;
        struct kp_person person;
        struct kp_key *key;
        json_t *left;
        json_t *answer; /* array of { "name", "rp", "removed", "status" } */
        size_t n_remaining;
};

static void
cleaning_done(struct cleaning *c)
{
        kp_key_close(&c->key);
        kp_person_done(&c->person);
        kp_random_free(&c->random);
        json_decref(c->left);
        json_decref(c->answer);
        free(c->ledger);
}

/* The ledger is held alone: it is read and let go before the key takes hold of it. */
static int
ledger_read(struct cleaning *c, struct kp_error *err)
{
        KP_CLEANUP(kp_ledger_free) struct kp_ledger *ledger = NULL;

        if (kp_ledger_default_path(
                    getenv("XDG_STATE_HOME"), getenv("HOME"), &c->ledger, err) < 0 ||
                kp_ledger_open(c->ledger, &c->clock, c->random, &ledger, err) < 0)
                return -1;
        return kp_ledger_left(ledger, &c->left, err);
}

static int
begin(struct cleaning *c, struct kp_error *err)
{
        if (strncmp(c->name, "hid:", 4) != 0)
                return KP_FAIL(err, KP_EUSAGE,
                        "'%.60s' is not a real key: hid:PATH, as `keypilot list keys` "
                        "shows",
                        c->name);
        c->clock = kp_clock_system();
        kp_person_init(&c->person);
        c->person.lang = c->cli->lang;
        c->person.real = true;
        c->person.pin_file = kp_arg(c->cli, "pin-file");
        if ((c->answer = json_array()) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "answer");
        if (kp_random_new_system(&c->random, err) < 0 || ledger_read(c, err) < 0)
                return -1;
        return kp_person_read_pin(&c->person, err);
}

static int
key_open(struct cleaning *c, struct kp_error *err)
{
        const struct kp_key_env env = {
                .fixtures_dir = c->cli->fixtures_dir,
                .clock = &c->clock,
                .random = c->random,
                .ledger_path = c->ledger,
                .run = "clean",
        };

        return kp_key_open(c->name, KP_DRIVER_DEFAULT, &env, &c->key, err);
}

/* Ask once; the key says how many tries are left. 0: the person gives up. */
static int
pin_ask(struct cleaning *c, struct kp_buf *pin, struct kp_error *err)
{
        struct kp_driver *driver = &c->key->driver;
        uint8_t status = 0;
        int retries = -1;

        if (driver->ops->pin_retries(driver->self, &status, &retries, err) < 0)
                return -1;
        return c->person.user.pin(
                c->person.user.self, status == KP_CTAP_OK ? retries : -1, pin, err);
}

static int
remove_one(
        struct cleaning *c, const json_t *entry, const char *pin, struct kp_error *err)
{
        const char *text = kp_json_str(entry, "credential_id", NULL);
        struct kp_driver *driver = &c->key->driver;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        uint8_t status = KP_CTAP2_ERR_NO_CREDENTIALS;
        bool removed;

        if (text == NULL || !kp_json_bool(entry, "discoverable", true))
                return 0; /* the key stored nothing, or nobody knows what */
        if (kp_b64url_decode(text, strlen(text), &id, err) < 0)
                return KP_WHILE(err, "%s", c->ledger);
        if (driver->ops->remove(driver->self, (struct kp_bytes){ id.data, id.len }, pin,
                    &status, err) < 0) {
                if (err->code != KP_EUNSUPPORTED)
                        return -1;
                kp_error_clear(err); /* this key cannot: it stays, and is told */
                status = KP_CTAP1_ERR_INVALID_COMMAND;
        }
        removed = status == KP_CTAP_OK;
        c->n_remaining += !removed;
        if (json_array_append_new(
                    c->answer, json_pack("{s:s, s:s, s:b, s:s}", "name",
                                       kp_json_str(entry, "name", ""), "rp",
                                       kp_json_str(entry, "rp", ""), "removed", removed,
                                       "status", kp_ctap_status_name(status))) < 0)
                return KP_FAIL(err, KP_ENOMEM, "answer");
        return 0;
}

static int
clean(struct cleaning *c, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_wipe) struct kp_buf pin = { 0 };
        const json_t *entry;
        size_t i;
        int given;

        if (key_open(c, err) < 0 || (given = pin_ask(c, &pin, err)) < 0)
                return -1;
        if (given == 0) {
                c->n_remaining = json_array_size(c->left);
                return 0;
        }
        json_array_foreach (c->left, i, entry)
                if (remove_one(c, entry, kp_buf_str(&pin), err) < 0)
                        return -1;
        return 0;
}

static void
tell(const struct cleaning *c)
{
        const json_t *item;
        size_t i;

        if (json_array_size(c->left) == 0)
                puts(kp_say(c->cli->lang,
                        "Nothing to remove: the ledger names no passkey.",
                        "Niets te verwijderen: in het logboek staat geen "
                        "wachtwoordsleutel."));
        json_array_foreach (c->answer, i, item)
                printf("%s  %s\n",
                        kp_json_bool(item, "removed", false)
                                ? kp_say(c->cli->lang, "removed", "verwijderd")
                                : kp_say(c->cli->lang, "STILL THERE", "STAAT ER NOG"),
                        kp_json_str(item, "name", ""));
        if (c->n_remaining > 0)
                fprintf(stderr,
                        kp_say(c->cli->lang,
                                "%zu left. Is this the right key? Try again with the "
                                "other one.\n",
                                "Nog %zu over. Is dit de juiste sleutel? Probeer de "
                                "andere.\n"),
                        c->n_remaining);
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        KP_CLEANUP(cleaning_done)
        struct cleaning c = { .cli = cli, .name = kp_operand(cli, 0) };

        if (begin(&c, err) < 0)
                return -1;
        if (json_array_size(c.left) > 0 && clean(&c, err) < 0)
                return -1;
        if (!cli->json)
                tell(&c);
        else if (kp_print_json(c.answer, err) < 0)
                return -1;
        return c.n_remaining > 0 ? KP_EXIT_SAFETY : KP_EXIT_OK;
}

static const struct kp_option options[] = {
        { .name = "pin-file",
                .arg = "FILE",
                .help = { "file that holds the PIN; otherwise it is asked for",
                        "bestand met de pincode; anders wordt erom gevraagd" } },
};

const struct kp_command kp_cmd_key_clean = {
        .name = "key clean",
        .operands = "KEY",
        .min_operands = 1,
        .max_operands = 1,
        .help = { "remove the test passkeys that keypilot left on a real key",
                "haal de testwachtwoordsleutels van keypilot van een echte sleutel "
                "af" },
        .options = options,
        .n_options = KP_NELEMS(options),
        .run = run,
};
