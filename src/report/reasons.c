/* SPDX-License-Identifier: BSD-2-Clause */
#include "reasons.h"

#include <string.h>

/* clang-format off */
/* Whole reasons, as src/world and src/pilot write them into the log. */
static const struct {
        const char *log;
        struct kp_text text;
} reasons[] = {
        { "a ceremony ran out of time without a cause in the scenario", { "the time for the key ran out, and nothing in the task explains it", "de tijd voor de sleutel was op, en niets in de taak verklaart dat" } },
        { "a step before it did not succeed", { "an earlier step did not succeed", "een eerdere stap is niet gelukt" } },
        { "nobody in this group has a second account", { "nobody in this group has a second account", "niemand in deze groep heeft een tweede account" } },
        { "nobody reaches this service through a hub", { "nobody reaches this service through a hub", "niemand komt via een schakel bij deze dienst" } },
        { "the harness crashed in this cell", { "keypilot itself crashed in this combination", "keypilot zelf is in deze combinatie gecrasht" } },
        { "the harness did not finish this cell", { "keypilot itself did not finish this combination", "keypilot zelf heeft deze combinatie niet afgemaakt" } },
        { "the harness failed in this cell", { "keypilot itself failed in this combination", "keypilot zelf ging in deze combinatie de fout in" } },
        { "the hub has no passkeys", { "the hub has no passkeys", "de schakel heeft geen wachtwoordsleutels" } },
        { "the provider has no passkeys", { "the sign-in service (EIP) has no passkeys", "de inlogvoorziening (EIP) heeft geen wachtwoordsleutels" } },
        { "the second provider is the first one", { "the second sign-in service is the same as the first one", "de tweede inlogvoorziening is dezelfde als de eerste" } },
        { "the service has no login through the provider", { "the service has no login through the EIP", "de dienst heeft geen login via de EIP" } },
        { "the service has no passkeys", { "the service has no passkeys", "de dienst heeft geen wachtwoordsleutels" } },
        { "there is no hub", { "there is no hub in this set-up", "er zit geen schakel tussen" } },
        { "there is no second provider", { "there is no second sign-in service", "er is geen tweede inlogvoorziening" } },
        { "there is no second provider to move to", { "there is no second sign-in service to move to", "er is geen tweede inlogvoorziening om naar over te stappen" } },
        { "there is no second provider to pass logins on to", { "there is no second sign-in service to pass logins on to", "er is geen tweede inlogvoorziening om logins aan door te geven" } },
        { "this group does not log in through the provider", { "this group does not log in through the EIP", "deze groep logt niet in via de EIP" } },
        { "this group has no account at the provider", { "this group has no EIP account", "deze groep heeft geen EIP-account" } },
};

/* Reasons with something in them: a start, an end, and what is said around the rest. */
static const struct {
        const char *starts, *ends;
        enum say say;
} patterns[] = {
        { "an earlier step failed: ", "", SAY_WHY_EARLIER },
        { "the scenario needs '", "', which cannot be had here", SAY_WHY_NEEDS },
        { "more than ", " combinations of unknown facts; the others were not run", SAY_WHY_BRANCHES },
};

/* The words that can stand in them. */
static const struct {
        const char *log;
        struct kp_text text;
} words[] = {
        { "account-blocked", { "the account is blocked", "het account is geblokkeerd" } },
        { "account-events", { "changes to accounts", "veranderingen aan accounts" } },
        { "account-unknown", { "the service does not know the account", "de dienst kent het account niet" } },
        { "enrolment-closed", { "nobody may add a passkey there", "niemand mag daar een wachtwoordsleutel toevoegen" } },
        { "enrolment-not-for-eip", { "people with an EIP account may not add a passkey there", "mensen met een EIP-account mogen daar geen wachtwoordsleutel toevoegen" } },
        { "going-round", { "the pages kept leading round in a circle", "de pagina's bleven in een kringetje rondleiden" } },
        { "key-cannot-discover", { "the key is too old for it", "de sleutel is er te oud voor" } },
        { "key-full", { "the key is full", "de sleutel is vol" } },
        { "no-door-left", { "there was no way left to log in", "er was geen manier meer om in te loggen" } },
        { "no-key-in-reach", { "the browser could not reach the key", "de browser kon niet bij de sleutel" } },
        { "no-passkeys-here", { "no passkey can be added there", "daar kan geen wachtwoordsleutel worden toegevoegd" } },
        { "no-second-factor", { "the person has no second step", "de persoon heeft geen tweede stap" } },
        { "no-webauthn", { "this browser or app has no passkeys", "deze browser of app kent geen wachtwoordsleutels" } },
        { "password-wrong", { "the password was not accepted", "het wachtwoord werd niet geaccepteerd" } },
        { "pin-blocked", { "the PIN of the key is blocked", "de pincode van de sleutel is geblokkeerd" } },
        { "policy-device", { "the access rules forbid it on this device", "de toegangsregels verbieden het op dit apparaat" } },
        { "policy-location", { "the access rules forbid it from here", "de toegangsregels verbieden het vanaf hier" } },
        { "rp-id-not-for-app", { "the app may not use this passkey", "de app mag deze wachtwoordsleutel niet gebruiken" } },
        { "second-key", { "a second key", "een tweede sleutel" } },
        { "see-inside", { "a look inside the sites", "een kijkje in de sites" } },
        { "set-clock", { "a clock that can be set", "een klok die te verzetten is" } },
        { "uv-required-but-key-has-none", { "the key has no PIN and no fingerprint", "de sleutel heeft geen pincode en geen vingerafdruk" } },
};
/* clang-format on */

static const struct kp_text *
whole_find(const char *why)
{
        for (size_t i = 0; i < KP_NELEMS(reasons); i++)
                if (strcmp(reasons[i].log, why) == 0)
                        return &reasons[i].text;
        return NULL;
}

/* The word inside; a word that we do not know, or a number, stands for itself. */
static struct kp_text
inside(struct page *page, const char *text, size_t text_len)
{
        for (size_t i = 0; i < KP_NELEMS(words); i++)
                if (strlen(words[i].log) == text_len &&
                        strncmp(words[i].log, text, text_len) == 0)
                        return words[i].text;
        return plain_part(page, text, text_len);
}

/* Does it fit, and where does what varies begin and end? */
static bool
pattern_fits(size_t i, const char *why, size_t *ret_start, size_t *ret_len)
{
        size_t starts = strlen(patterns[i].starts), ends = strlen(patterns[i].ends),
               len = strlen(why);

        if (len <= starts + ends || strncmp(why, patterns[i].starts, starts) != 0 ||
                strcmp(why + len - ends, patterns[i].ends) != 0)
                return false;
        *ret_start = starts;
        *ret_len = len - starts - ends;
        return true;
}

bool
reason_is_known(const char *why)
{
        size_t start, len;

        if (whole_find(why) != NULL)
                return true;
        for (size_t i = 0; i < KP_NELEMS(patterns); i++)
                if (pattern_fits(i, why, &start, &len))
                        return true;
        return false;
}

struct kp_text
reason_text(struct page *page, const char *why)
{
        const struct kp_text *whole = whole_find(why);
        size_t start, len;

        if (whole != NULL)
                return *whole;
        for (size_t i = 0; i < KP_NELEMS(patterns); i++)
                if (pattern_fits(i, why, &start, &len))
                        return say1(
                                page, patterns[i].say, inside(page, why + start, len));
        return plain(why);
}
