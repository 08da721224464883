/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace_words.h"

#include <inttypes.h>
#include <string.h>

#include "keypilot/core/json.h"

#define MAX_STEPS 40   /* of one trace */
#define FIRST_STEPS 10 /* of them from its beginning: what went wrong is at the end */

/* clang-format off */
static const struct {
        const char *event;
        struct kp_text text;
} events[] = {
        { "account.event", { "something happens to the account", "er gebeurt iets met het account" } },
        { "account.found", { "looks for the account", "zoekt het account" } },
        { "attempt", { "the person has tried to get in", "de persoon heeft geprobeerd binnen te komen" } },
        { "browser", { "the browser is changed", "de browser verandert" } },
        { "client.create", { "asks the key for a new passkey", "vraagt de sleutel om een nieuwe wachtwoordsleutel" } },
        { "client.get", { "asks the key to log in", "vraagt de sleutel om in te loggen" } },
        { "client.key", { "the key has answered", "de sleutel heeft geantwoord" } },
        { "context.compared", { "compares the way of logging in with what was asked", "vergelijkt de manier van inloggen met wat is gevraagd" } },
        { "cookie.stored", { "the browser is asked to keep a cookie", "de browser moet een cookie bewaren" } },
        { "ctap", { "command to the key", "opdracht aan de sleutel" } },
        { "ctap.touch", { "the key waits for a touch", "de sleutel wacht op een aanraking" } },
        { "ctaphid.error", { "the key reports an error", "de sleutel meldt een fout" } },
        { "door.chosen", { "chooses a way to log in", "kiest een manier om in te loggen" } },
        { "door.missing", { "does not find this way to log in", "vindt deze manier om in te loggen niet" } },
        { "federation.logout", { "message about logging out", "bericht over uitloggen" } },
        { "federation.request", { "asks the other side to let the person log in", "vraagt de andere kant de persoon te laten inloggen" } },
        { "federation.request.read", { "has read that request", "heeft die vraag gelezen" } },
        { "federation.response", { "answers who has logged in", "antwoordt wie er is ingelogd" } },
        { "federation.response.read", { "has read that answer", "heeft dat antwoord gelezen" } },
        { "http", { "goes to a page", "gaat naar een pagina" } },
        { "invariant", { "is this as it should be?", "is dit zoals het moet?" } },
        { "key.lost", { "the key is gone", "de sleutel is weg" } },
        { "login", { "decides about the login", "beslist over de login" } },
        { "notes.compared", { "two services compare what they know of the person", "twee diensten vergelijken wat zij van de persoon weten" } },
        { "page", { "sees a page", "ziet een pagina" } },
        { "passkey.asked", { "asks for a passkey", "vraagt om een wachtwoordsleutel" } },
        { "passkey.changed", { "a passkey is changed", "een wachtwoordsleutel verandert" } },
        { "passkey.enrolled", { "has checked the new passkey", "heeft de nieuwe wachtwoordsleutel gecontroleerd" } },
        { "passkey.login", { "has checked the login with the passkey", "heeft de login met de wachtwoordsleutel gecontroleerd" } },
        { "passkey.picked", { "picks a passkey from the list", "kiest een wachtwoordsleutel uit de lijst" } },
        { "passkey.school", { "asks whether the passkey is of this school", "vraagt of de wachtwoordsleutel van deze school is" } },
        { "policy", { "looks at the access rules", "kijkt naar de toegangsregels" } },
        { "prompt", { "is asked for something", "krijgt een vraag" } },
        { "recovery", { "looks for a way back without the key", "zoekt een weg terug zonder de sleutel" } },
        { "route", { "decides where the person goes to log in", "beslist waar de persoon gaat inloggen" } },
        { "rp.authentication", { "checks the answer of the key", "controleert het antwoord van de sleutel" } },
        { "rp.registration", { "checks the new passkey", "controleert de nieuwe wachtwoordsleutel" } },
        { "saml.logout.received", { "receives a message about logging out", "ontvangt een bericht over uitloggen" } },
        { "saml.logout.sent", { "sends a message about logging out", "stuurt een bericht over uitloggen" } },
        { "saml.metadata.read", { "reads the details of the other side", "leest de gegevens van de andere kant" } },
        { "saml.request.received", { "receives a request to log in (SAML)", "ontvangt een vraag om in te loggen (SAML)" } },
        { "saml.request.sent", { "sends a request to log in (SAML)", "stuurt een vraag om in te loggen (SAML)" } },
        { "saml.response.received", { "receives the answer (SAML)", "ontvangt het antwoord (SAML)" } },
        { "saml.response.sent", { "sends the answer (SAML)", "stuurt het antwoord (SAML)" } },
        { "session", { "a session begins, goes on or ends", "een sessie begint, gaat door of stopt" } },
        { "state", { "remembers or looks up a login under way", "onthoudt of zoekt een login die bezig is" } },
        { "step", { "next step", "volgende stap" } },
        { "subject", { "decides under which name it knows the person", "beslist onder welke naam het de persoon kent" } },
        { "tap.refused", { "a command was held back to protect the key", "een opdracht is tegengehouden om de sleutel te beschermen" } },
        { "time", { "time passes", "er gaat tijd voorbij" } },
        { "u2f", { "command to the key (U2F)", "opdracht aan de sleutel (U2F)" } },
};

static const struct {
        const char *who;
        struct kp_text text;
} actors[] = {
        { "agent", { "browser", "browser" } },
        { "client", { "browser", "browser" } },
        { "driver", { "browser", "browser" } },
        { "hub", { "hub", "schakel" } },
        { "key", { "key", "sleutel" } },
        { "person", { "person", "persoon" } },
        { "pilot", { "test", "test" } },
        { "provider", { "sign-in service (EIP)", "inlogvoorziening (EIP)" } },
        { "provider2", { "second sign-in service", "tweede inlogvoorziening" } },
        { "rp", { "site", "site" } },
        { "school", { "school", "school" } },
        { "service", { "service", "dienst" } },
};
/* clang-format on */

struct kp_text
event_text(const char *event)
{
        for (size_t i = 0; i < KP_NELEMS(events); i++)
                if (strcmp(events[i].event, event) == 0)
                        return events[i].text;
        return plain(event);
}

struct kp_text
actor_text(const char *who)
{
        for (size_t i = 0; i < KP_NELEMS(actors); i++)
                if (strcmp(actors[i].who, who) == 0)
                        return actors[i].text;
        return plain(who);
}

bool
event_is_shown(const char *event)
{
        /* facts that were read stand in a table of their own */
        return strcmp(event, "fact") != 0;
}

/* Did something go wrong in this step? Then it stands out. */
static bool
is_bad(const json_t *event)
{
        static const char *const no[] = { "accepted", "holds", "allowed", "fulfilled",
                "stored", "done", "in" };

        for (size_t i = 0; i < KP_NELEMS(no); i++)
                if (json_is_false(json_object_get(event, no[i])))
                        return true;
        return json_object_get(event, "error") != NULL ||
               strcmp(kp_json_str(event, "event", ""), "door.missing") == 0;
}

static int
put_value(struct page *page, const json_t *value, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf text = { 0 };

        if (json_is_string(value)) {
                page_text(page, json_string_value(value));
                return 0;
        }
        if (kp_json_write(value, &text, err) < 0)
                return -1;
        page_text(page, kp_buf_str(&text));
        return 0;
}

static int
put_facts(struct page *page, const json_t *event, struct kp_error *err)
{
        const char *name;
        json_t *value;
        bool first = true;

        json_object_foreach ((json_t *)event, name, value) {
                if (strcmp(name, "t") == 0 || strcmp(name, "who") == 0 ||
                        strcmp(name, "event") == 0 || json_is_null(value))
                        continue;
                page_raw(page, first ? "" : " · ");
                first = false;
                page_text(page, name);
                page_raw(page, "=");
                if (put_value(page, value, err) < 0)
                        return -1;
        }
        return 0;
}

static int
put_step(struct page *page, const json_t *event, struct kp_error *err)
{
        int64_t t = kp_json_int(event, "t", 0);

        page_rawf(page, "<tr%s><td>%" PRId64 ".%01" PRId64 " s</td><td>",
                is_bad(event) ? " class=\"bad\"" : "", t / 1000, t % 1000 / 100);
        page_put(page, actor_text(kp_json_str(event, "who", "")));
        page_raw(page, "</td><td>");
        page_put(page, event_text(kp_json_str(event, "event", "")));
        page_raw(page, "</td><td class=\"f\">");
        if (put_facts(page, event, err) < 0)
                return -1;
        page_raw(page, "</td></tr>\n");
        return 0;
}

static void
put_head(struct page *page)
{
        static const enum say heads[] = { SAY_M_TIME, SAY_M_ACTOR, SAY_M_HAPPENS,
                SAY_M_DETAILS };

        page_raw(page, "<table class=\"d st\"><thead><tr>");
        for (size_t i = 0; i < KP_NELEMS(heads); i++) {
                page_raw(page, "<th scope=\"col\">");
                page_say(page, heads[i]);
                page_raw(page, "</th>");
        }
        page_raw(page, "</tr></thead><tbody>\n");
}

static size_t
count_shown(const json_t *trace)
{
        const json_t *event;
        size_t i, n = 0;

        json_array_foreach (trace, i, event)
                n += event_is_shown(kp_json_str(event, "event", ""));
        return n;
}

static void
put_gap(struct page *page, size_t n_left_out)
{
        page_raw(page, "<tr><td>…</td><td></td><td colspan=\"2\" class=\"soft\">");
        page_put(page, say1(page, SAY_M_STEPS_LEFT, number(page, n_left_out)));
        page_raw(page, "</td></tr>\n");
}

int
trace_write(struct page *page, const char *trace, struct kp_error *err)
{
        json_auto_t *root = NULL;
        const json_t *event;
        size_t i, n = 0, n_out;

        if (kp_json_parse("trace", trace, strlen(trace), &root, err) < 0)
                return -1;
        n_out = count_shown(root);
        n_out = n_out > MAX_STEPS ? n_out - MAX_STEPS : 0;
        put_head(page);
        json_array_foreach (root, i, event) {
                if (!event_is_shown(kp_json_str(event, "event", "")))
                        continue;
                n++;
                if (n_out > 0 && n == FIRST_STEPS + 1)
                        put_gap(page, n_out);
                if (n > FIRST_STEPS && n <= FIRST_STEPS + n_out)
                        continue;
                if (put_step(page, event, err) < 0)
                        return -1;
        }
        page_raw(page, "</tbody></table>\n");
        return 0;
}
