/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"
#include "keypilot/device/key.h"

#include "cli.h"
#include "list_keys.h"

#define SAFE_PIN_RETRIES 5
#define FEW_PLACES 3

/* What was found out, with two commands at most. */
struct findings {
        struct kp_key_info info;
        const char *attachment;
        json_t *model; /* { "en", "nl" } */
        const char *source;
        int pin_retries; /* -1: no PIN, or not told */
};

/* ---- options in words ---- */

/* Spec table: CTAP 2.1 §6.4 "Option IDs", in canonical order of name. */
static const struct {
        const char *name;
        struct kp_text on, off;
} options[] = {
        { "ep",
                { "enterprise attestation is switched on",
                        "bedrijfsattestatie staat aan" },
                { "enterprise attestation can be switched on",
                        "bedrijfsattestatie kan aan" } },
        { "rk",
                { "holds passkeys (discoverable credentials)",
                        "bewaart wachtwoordsleutels" },
                { "holds no passkeys, only second factors",
                        "bewaart geen wachtwoordsleutels, alleen tweede factoren" } },
        { "up", { "asks for a touch", "vraagt om een aanraking" },
                { "cannot ask for a touch", "kan niet om een aanraking vragen" } },
        { "uv",
                { "checks who you are itself (fingerprint or screen), and is set up "
                  "for it",
                        "controleert zelf wie je bent (vinger of scherm), en dat is "
                        "ingesteld" },
                { "can check who you are itself, but is not set up for it",
                        "kan zelf controleren wie je bent, maar dat is nog niet "
                        "ingesteld" } },
        { "plat", { "part of the device itself", "onderdeel van het apparaat zelf" },
                { "a separate key", "een losse sleutel" } },
        { "uvAcfg",
                { "its own check may also change settings",
                        "de eigen controle mag ook instellingen wijzigen" },
                { "its own check may not change settings",
                        "de eigen controle mag geen instellingen wijzigen" } },
        { "alwaysUv",
                { "always asks for PIN or fingerprint",
                        "vraagt altijd om pincode of vinger" },
                { "asks for PIN or fingerprint only when the site wants it",
                        "vraagt alleen om pincode of vinger als de site dat wil" } },
        { "credMgmt",
                { "passkeys can be listed and removed one by one",
                        "wachtwoordsleutels zijn te bekijken en los te verwijderen" },
                { "passkeys cannot be removed one by one",
                        "wachtwoordsleutels zijn niet los te verwijderen" } },
        { "authnrCfg",
                { "its settings can be changed", "de instellingen zijn te wijzigen" },
                { "its settings cannot be changed",
                        "de instellingen zijn niet te wijzigen" } },
        { "bioEnroll", { "fingers are enrolled", "er zijn vingers ingesteld" },
                { "fingers can be enrolled, none are",
                        "er zijn nog geen vingers ingesteld" } },
        { "clientPin", { "a PIN is set", "er is een pincode ingesteld" },
                { "a PIN can be set, none is", "er is nog geen pincode ingesteld" } },
        { "largeBlobs",
                { "stores small files beside passkeys",
                        "bewaart kleine bestanden bij wachtwoordsleutels" },
                { "stores no files", "bewaart geen bestanden" } },
        { "uvBioEnroll",
                { "its own check may also enrol fingers",
                        "de eigen controle mag ook vingers toevoegen" },
                { "its own check may not enrol fingers",
                        "de eigen controle mag geen vingers toevoegen" } },
        { "pinUvAuthToken",
                { "grants permissions one by one (CTAP 2.1)",
                        "geeft rechten stuk voor stuk (CTAP 2.1)" },
                { "grants no permissions", "geeft geen rechten" } },
        { "setMinPINLength",
                { "its minimum PIN length can be raised",
                        "de minimale lengte van de pincode is te verhogen" },
                { "its minimum PIN length is fixed",
                        "de minimale lengte van de pincode staat vast" } },
        { "makeCredUvNotRqd",
                { "makes second factors without a PIN",
                        "maakt tweede factoren zonder pincode" },
                { "makes nothing without a PIN once one is set",
                        "maakt niets zonder pincode als die er is" } },
        { "credentialMgmtPreview",
                { "passkeys can be removed one by one (preview of CTAP 2.1)",
                        "wachtwoordsleutels zijn los te verwijderen (voorloper van "
                        "CTAP 2.1)" },
                { "passkeys cannot be removed one by one",
                        "wachtwoordsleutels zijn niet los te verwijderen" } },
        { "userVerificationMgmtPreview",
                { "fingers are enrolled (preview of CTAP 2.1)",
                        "er zijn vingers ingesteld (voorloper van CTAP 2.1)" },
                { "fingers can be enrolled, none are (preview of CTAP 2.1)",
                        "er zijn nog geen vingers ingesteld (voorloper van CTAP "
                        "2.1)" } },
        { "noMcGaPermissionsWithClientPin",
                { "its PIN may not make or use passkeys",
                        "de pincode mag geen wachtwoordsleutels maken of gebruiken" },
                { "its PIN may make and use passkeys",
                        "de pincode mag wachtwoordsleutels maken en gebruiken" } },
};

static const char *
option_words(const struct kp_key_option *option, enum kp_lang lang)
{
        for (size_t i = 0; i < KP_NELEMS(options); i++)
                if (strcmp(options[i].name, option->name) == 0)
                        return option->value ? kp_say(lang, options[i].on.en,
                                                       options[i].on.nl)
                                             : kp_say(lang, options[i].off.en,
                                                       options[i].off.nl);
        return option->value ? kp_say(lang, "yes", "ja") : kp_say(lang, "no", "nee");
}

/* ---- what it means for a school ---- */

static enum kp_ternary
option(const struct findings *f, const char *name)
{
        return kp_key_option(&f->info, name);
}

static bool
is_u2f(const struct findings *f)
{
        return f->info.u2f_only;
}

static bool
no_passkeys(const struct findings *f)
{
        return !f->info.u2f_only && option(f, "rk") != KP_TRUE;
}

static bool
cannot_verify(const struct findings *f)
{
        return !f->info.u2f_only && option(f, "clientPin") == KP_OMIT &&
               option(f, "uv") == KP_OMIT;
}

static bool
not_set_up(const struct findings *f)
{
        return !f->info.u2f_only && !cannot_verify(f) &&
               option(f, "clientPin") != KP_TRUE && option(f, "uv") != KP_TRUE;
}

static bool
locked(const struct findings *f)
{
        return f->pin_retries == 0 && option(f, "clientPin") == KP_TRUE;
}

static bool
few_retries(const struct findings *f)
{
        return f->pin_retries > 0 && f->pin_retries < SAFE_PIN_RETRIES;
}

static bool
must_change_pin(const struct findings *f)
{
        return f->info.force_pin_change;
}

static bool
is_full(const struct findings *f)
{
        return !f->info.u2f_only && f->info.remaining_rk == 0;
}

static bool
nearly_full(const struct findings *f)
{
        return f->info.remaining_rk > 0 && f->info.remaining_rk < FEW_PLACES;
}

static bool
long_pin(const struct findings *f)
{
        return option(f, "clientPin") != KP_OMIT && f->info.min_pin_len > 4;
}

static bool
cannot_remove(const struct findings *f)
{
        return option(f, "rk") == KP_TRUE && option(f, "credMgmt") != KP_TRUE &&
               option(f, "credentialMgmtPreview") != KP_TRUE &&
               option(f, "plat") != KP_TRUE;
}

static bool
ready(const struct findings *f)
{
        return option(f, "rk") == KP_TRUE &&
               (option(f, "clientPin") == KP_TRUE || option(f, "uv") == KP_TRUE) &&
               !locked(f) && !must_change_pin(f) && !is_full(f);
}

static const struct meaning {
        bool (*holds)(const struct findings *f);
        struct kp_text text;
} meanings[] = {
        { is_u2f, { "This key knows no passkeys and no PIN: it can only be a second "
                    "step after a password. A site that asks for a passkey refuses it.",
                          "Deze sleutel kent geen wachtwoordsleutels en geen pincode: "
                          "hij kan alleen een tweede stap na een wachtwoord zijn. Een "
                          "site die om een wachtwoordsleutel vraagt weigert hem." } },
        { no_passkeys, { "This key keeps no passkeys: logging in without typing a user "
                         "name will not work.",
                               "Deze sleutel bewaart geen wachtwoordsleutels: inloggen "
                               "zonder gebruikersnaam werkt niet." } },
        { cannot_verify,
                { "This key cannot check who holds it: a site that asks for a PIN or "
                  "fingerprint refuses it.",
                        "Deze sleutel kan niet controleren wie hem vasthoudt: een site "
                        "die om pincode of vinger vraagt weigert hem." } },
        { not_set_up,
                { "No PIN or fingerprint is set yet: enrolment at a site that asks for "
                  "one will fail. Set it first, when the key is handed out.",
                        "Er is nog geen pincode of vinger ingesteld: toevoegen bij een "
                        "site die daarom vraagt mislukt. Stel die eerst in, bij de "
                        "uitgifte van de sleutel." } },
        { locked, { "The PIN is locked. Only a reset helps, and that erases every "
                    "passkey on the key: have a second way in before you do it.",
                          "De pincode is geblokkeerd. Alleen een reset helpt, en die "
                          "wist elke wachtwoordsleutel op de sleutel: zorg eerst voor "
                          "een tweede manier om in te loggen." } },
        { few_retries, { "Only a few tries of the PIN are left. keypilot sends no PIN "
                         "to this key until the right one was entered elsewhere.",
                               "Er zijn nog maar weinig pogingen voor de pincode over. "
                               "keypilot stuurt geen pincode naar deze sleutel tot de "
                               "juiste elders is ingevoerd." } },
        { must_change_pin, { "The PIN must be changed before the key can be used.",
                                   "De pincode moet eerst worden gewijzigd voordat de "
                                   "sleutel bruikbaar is." } },
        { is_full, { "There is no room for another passkey: enrolment will fail.",
                           "Er is geen plaats meer voor een wachtwoordsleutel: "
                           "toevoegen mislukt." } },
        { nearly_full, { "There is room for one or two more passkeys. keypilot leaves "
                         "those alone.",
                               "Er is nog plaats voor een of twee wachtwoordsleutels. "
                               "keypilot laat die met rust." } },
        { long_pin, { "The PIN must be longer than the usual four characters: tell "
                      "people before they choose one.",
                            "De pincode moet langer zijn dan de gebruikelijke vier "
                            "tekens: vertel dat voordat mensen er een kiezen." } },
        { cannot_remove,
                { "A passkey on this key cannot be removed without resetting the whole "
                  "key: use another key for tests, and expect old passkeys to pile up.",
                        "Een wachtwoordsleutel op deze sleutel is niet te verwijderen "
                        "zonder de hele sleutel te resetten: gebruik een andere "
                        "sleutel om te testen, en reken erop dat oude "
                        "wachtwoordsleutels blijven staan." } },
        { ready, { "Ready for passkeys: it has room for one, and can check who holds "
                   "it.",
                         "Klaar voor wachtwoordsleutels: er is plaats, en hij kan "
                         "controleren wie hem vasthoudt." } },
};

/* ---- finding out ---- */

static void
findings_done(struct findings *f)
{
        json_decref(f->model);
}

static int
ask_pin_retries(struct kp_key *key, struct findings *f, struct kp_error *err)
{
        uint8_t status = 0;
        int retries = 0;

        f->pin_retries = -1;
        if (option(f, "clientPin") == KP_OMIT)
                return 0;
        if (key->driver.ops->pin_retries(key->driver.self, &status, &retries, err) < 0)
                return -1;
        if (status == KP_CTAP_OK)
                f->pin_retries = retries;
        return 0;
}

/* The name: a profile's own title, or the model behind an AAGUID. */
static int
name_it(const struct kp_key_env *env, const struct kp_authenticator_profile *profile,
        struct findings *f, struct kp_error *err)
{
        struct kp_text title;

        if (profile == NULL) {
                f->source = "the key itself";
                if (kp_key_model(env->fixtures_dir, f->info.aaguid, &f->model, err) < 0)
                        return -1;
                if (f->model == NULL)
                        f->model = json_pack("{s:s, s:s}", "en",
                                "a model that keypilot has no profile of", "nl",
                                "een model waarvan keypilot geen profiel heeft");
        } else {
                f->source = kp_authenticator_profile_facts(profile)->source;
                title = kp_authenticator_profile_title(profile);
                f->model = json_pack("{s:s, s:s}", "en", title.en, "nl", title.nl);
        }
        return f->model == NULL ? KP_FAIL(err, KP_ENOMEM, "key") : 0;
}

static int
find_out(struct kp_key *key, const struct kp_key_env *env, struct findings *f,
        struct kp_error *err)
{
        f->attachment = key->attachment;
        if (key->driver.ops->info(key->driver.self, &f->info, err) < 0 ||
                ask_pin_retries(key, f, err) < 0)
                return -1;
        return name_it(env, key->profile, f, err);
}

/* ---- telling ---- */

static void
print_pair(const char *label, const char *value)
{
        /* two columns; letters beyond ASCII take more bytes than places */
        int wide = 0;

        for (const char *at = label; *at != '\0'; at++)
                wide += ((unsigned char)*at & 0xc0) != 0x80;
        printf("  %s%*s  %s\n", label, wide < 16 ? 16 - wide : 0, "", value);
}

static void
print_pin(const struct findings *f, enum kp_lang lang)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };
        enum kp_ternary pin = option(f, "clientPin");

        if (pin == KP_OMIT) {
                print_pair(
                        kp_say(lang, "PIN", "Pincode"), kp_say(lang, "none", "geen"));
                return;
        }
        kp_buf_puts(&text, pin == KP_TRUE ? kp_say(lang, "set", "ingesteld")
                                          : kp_say(lang, "not set", "niet ingesteld"));
        if (f->pin_retries >= 0 && pin == KP_TRUE)
                kp_buf_printf(&text,
                        f->pin_retries == 1
                                ? kp_say(lang, ", %d try left", ", nog %d poging")
                                : kp_say(lang, ", %d tries left", ", nog %d pogingen"),
                        f->pin_retries);
        kp_buf_printf(&text,
                kp_say(lang, ", at least %d characters", ", minstens %d tekens"),
                (int)f->info.min_pin_len);
        print_pair(kp_say(lang, "PIN", "Pincode"), kp_buf_str(&text));
}

static void
print_places(const struct findings *f, enum kp_lang lang)
{
        char text[64];

        if (f->info.u2f_only || option(f, "rk") != KP_TRUE)
                (void)snprintf(text, sizeof(text), "%s",
                        kp_say(lang, "keeps no passkeys",
                                "bewaart geen wachtwoordsleutels"));
        else if (f->info.remaining_rk < 0)
                (void)snprintf(text, sizeof(text), "%s",
                        kp_say(lang, "not told without a PIN",
                                "zegt hij niet zonder pincode"));
        else
                (void)snprintf(text, sizeof(text), "%d", (int)f->info.remaining_rk);
        print_pair(kp_say(lang, "Places left", "Plaatsen vrij"), text);
}

static void
print_lists(const struct findings *f, enum kp_lang lang)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf versions = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf algorithms = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf transports = { 0 };
        const struct kp_key_info *info = &f->info;
        const char *untold = kp_say(lang, "not told", "zegt hij niet");

        for (size_t i = 0; i < info->n_versions; i++)
                kp_buf_printf(&versions, "%s%s", i == 0 ? "" : ", ", info->versions[i]);
        for (size_t i = 0; i < info->n_algorithms; i++)
                kp_buf_printf(&algorithms, "%s%s", i == 0 ? "" : ", ",
                        kp_cose_alg_name(info->algorithms[i]));
        for (size_t i = 0; i < info->n_transports; i++)
                kp_buf_printf(
                        &transports, "%s%s", i == 0 ? "" : ", ", info->transports[i]);
        print_pair(kp_say(lang, "Speaks", "Spreekt"), kp_buf_str(&versions));
        print_pair(kp_say(lang, "Algorithms", "Algoritmen"),
                algorithms.len > 0 ? kp_buf_str(&algorithms) : untold);
        print_pair(kp_say(lang, "Connects by", "Verbinding"),
                transports.len > 0 ? kp_buf_str(&transports) : untold);
}

static void
print_findings(const char *name, const struct findings *f, enum kp_lang lang)
{
        char aaguid[KP_AAGUID_TEXT_LEN];

        printf("%s\n", name);
        print_pair(kp_say(lang, "Model", "Model"),
                kp_json_str(f->model, kp_say(lang, "en", "nl"), ""));
        print_pair("AAGUID", kp_aaguid_format(f->info.aaguid, aaguid));
        print_lists(f, lang);
        print_pin(f, lang);
        print_places(f, lang);
        if (f->info.n_options > 0)
                printf("\n%s\n", kp_say(lang, "What it says it can do",
                                         "Wat hij zegt te kunnen"));
        for (size_t i = 0; i < f->info.n_options; i++)
                print_pair(f->info.options[i].name,
                        option_words(&f->info.options[i], lang));
        printf("\n%s\n",
                kp_say(lang, "What it means for you", "Wat het voor jullie betekent"));
        for (size_t i = 0; i < KP_NELEMS(meanings); i++)
                if (meanings[i].holds(f))
                        printf("  %s\n",
                                kp_say(lang, meanings[i].text.en, meanings[i].text.nl));
}

static json_t *
pin_json(const struct findings *f)
{
        enum kp_ternary pin = option(f, "clientPin");

        return json_pack("{s:b, s:b, s:o, s:I, s:b}", "supported", pin != KP_OMIT,
                "set", pin == KP_TRUE, "retries",
                f->pin_retries < 0 ? json_null() : json_integer(f->pin_retries),
                "min_length", (json_int_t)f->info.min_pin_len, "must_change",
                f->info.force_pin_change);
}

static int
print_findings_json(const char *name, const struct findings *f, struct kp_error *err)
{
        const struct kp_key_info *info = &f->info;
        json_t *extensions = json_array(), *transports = json_array(),
               *means = json_array();
        char aaguid[KP_AAGUID_TEXT_LEN];
        json_auto_t *root = NULL;

        for (size_t i = 0; i < info->n_extensions; i++)
                (void)json_array_append_new(
                        extensions, json_string(info->extensions[i]));
        for (size_t i = 0; i < info->n_transports; i++)
                (void)json_array_append_new(
                        transports, json_string(info->transports[i]));
        for (size_t i = 0; i < KP_NELEMS(meanings); i++)
                if (meanings[i].holds(f))
                        (void)json_array_append_new(means,
                                json_pack("{s:s, s:s}", "en", meanings[i].text.en, "nl",
                                        meanings[i].text.nl));
        root = json_pack(
                "{s:s, s:O, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I,"
                " s:s, s:o}",
                "id", name, "title", f->model, "source", f->source, "aaguid",
                kp_aaguid_format(info->aaguid, aaguid), "versions",
                kp_key_versions_json(info), "extensions", extensions, "options",
                kp_key_options_json(info), "algorithms", kp_key_algorithms_json(info),
                "transports", transports, "pin", pin_json(f), "places",
                info->remaining_rk < 0 ? json_null() : json_integer(info->remaining_rk),
                "firmware", (json_int_t)info->firmware, "max_message",
                (json_int_t)info->max_msg_size, "attachment", f->attachment, "means",
                means);
        return root == NULL ? KP_FAIL(err, KP_ENOMEM, "key") : kp_print_json(root, err);
}

static int
inspect(struct kp_cli *cli, struct kp_key_env *env, struct kp_error *err)
{
        KP_CLEANUP(kp_key_close) struct kp_key *key = NULL;
        KP_CLEANUP(findings_done) struct findings f = { 0 };
        const char *name = kp_operand(cli, 0);

        if (kp_key_open(name, KP_DRIVER_DEFAULT, env, &key, err) < 0 ||
                find_out(key, env, &f, err) < 0)
                return -1;
        if (cli->json)
                return print_findings_json(name, &f, err) < 0 ? -1 : KP_EXIT_OK;
        print_findings(name, &f, cli->lang);
        return KP_EXIT_OK;
}

static int
run(struct kp_cli *cli, struct kp_error *err)
{
        KP_CLEANUP(kp_fixtures_free) struct kp_fixtures *fixtures = NULL;
        KP_CLEANUP(kp_random_free) struct kp_random *random = NULL;
        struct kp_clock clock = kp_clock_simulated();
        struct kp_key_env env = { .clock = &clock, .read_only = true };

        if (kp_fixtures_open(cli->fixtures_dir, &fixtures, err) < 0 ||
                kp_random_new_system(&random, err) < 0)
                return -1;
        env.fixtures_dir = kp_fixtures_dir(fixtures);
        env.random = random;
        return inspect(cli, &env, err);
}

const struct kp_command kp_cmd_key_inspect = {
        .name = "key inspect",
        .operands = "KEY",
        .min_operands = 1,
        .max_operands = 1,
        .help = { "what a key is and what state it is in; only looks",
                "wat een sleutel is en hoe hij ervoor staat; kijkt alleen" },
        .run = run,
};
