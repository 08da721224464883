/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_REPORT_TEXTS_H
#define KEYPILOT_REPORT_TEXTS_H

#include "keypilot/core/json.h"

/*
 * Every text that a report says, in English and Dutch, in one table. {1}, {2} and {3}
 * stand for what the caller fills in. Short words, short sentences: a school leader
 * reads this.
 */
/* clang-format off */
#define SAY_TABLE(X) \
        /* places and people; the order is that of the enums in report_internal.h */ \
        X(SAY_HOME_SERVICE, "passkey at the service", "wachtwoordsleutel bij de dienst") \
        X(SAY_HOME_PROVIDER, "passkey at the sign-in service (EIP)", "wachtwoordsleutel bij de inlogvoorziening (EIP)") \
        X(SAY_HOME_BOTH, "a passkey at both", "bij allebei een wachtwoordsleutel") \
        X(SAY_HOME_HUB, "passkey at the hub", "wachtwoordsleutel bij de schakel") \
        X(SAY_HOME_NONE, "no passkey", "geen wachtwoordsleutel") \
        X(SAY_AT_SERVICE, "at the service", "bij de dienst") \
        X(SAY_AT_PROVIDER, "at the EIP", "bij de EIP") \
        X(SAY_AT_BOTH, "at both", "bij allebei") \
        X(SAY_AT_HUB, "at the hub", "bij de schakel") \
        X(SAY_AT_NONE, "without a passkey", "zonder wachtwoordsleutel") \
        X(SAY_GROUP_WITH_EIP, "people with an EIP account", "mensen met een EIP-account") \
        X(SAY_GROUP_WITHOUT_EIP, "people without an EIP account", "mensen zonder EIP-account") \
        X(SAY_GROUP_UNKNOWN, "people of an unknown group", "mensen van een onbekende groep") \
        X(SAY_EVIDENCE_SIMULATED, "simulated", "gesimuleerd") \
        X(SAY_EVIDENCE_LAB, "in our lab", "in ons lab") \
        X(SAY_EVIDENCE_LIVE, "real", "echt") \
        X(SAY_COLUMN_ADD, "Add", "Toevoegen") \
        X(SAY_COLUMN_LOG_IN, "Log in", "Inloggen") \
        X(SAY_COLUMN_THROUGH, "Through the EIP", "Via de EIP") \
        X(SAY_COLUMN_AGAIN, "Already logged in", "Al ingelogd") \
        X(SAY_COLUMN_LOG_OUT, "Log out", "Uitloggen") \
        X(SAY_COLUMN_SHARED, "Shared computer", "Gedeelde computer") \
        X(SAY_COLUMN_CHANGE, "Account changes", "Account verandert") \
        X(SAY_COLUMN_LOST, "Key lost", "Sleutel kwijt") \
        X(SAY_VERDICT_WORKS, "Works", "Werkt") \
        X(SAY_VERDICT_LIMITS, "Works with limits", "Werkt, met beperking") \
        X(SAY_VERDICT_BREAKS, "Breaks", "Werkt niet") \
        X(SAY_VERDICT_RISK, "Security risk", "Beveiligings\xc2\xadrisico") \
        X(SAY_VERDICT_INCONCLUSIVE, "Cannot tell", "Niet vast te stellen") \
        X(SAY_VERDICT_NOT_APPLICABLE, "Does not apply", "Niet van toepassing") \
        X(SAY_VERDICT_SKIPPED, "Skipped", "Overgeslagen") \
        X(SAY_OWNER_SCHOOL, "the school", "de school") \
        X(SAY_OWNER_KEY, "the maker of the key", "de maker van de sleutel") \
        X(SAY_OWNER_BROWSER, "the maker of the browser", "de maker van de browser") \
        X(SAY_OWNER_PROVIDER, "the supplier of the sign-in service (EIP)", "de leverancier van de inlogvoorziening (EIP)") \
        X(SAY_OWNER_SERVICE, "the supplier of the service", "de leverancier van de dienst") \
        X(SAY_OWNER_TOOL, "keypilot itself", "keypilot zelf") \
        X(SAY_OWNER_UNKNOWN, "not known yet", "nog niet bekend") \
        X(SAY_NONE, "none", "geen") \
        X(SAY_USUAL_SETTINGS, "the usual settings", "de gewone instellingen") \
        X(SAY_UNEXPLAINED, "No rule explains this yet", "Nog geen regel verklaart dit") \
        X(SAY_AXIS_CLIENT, "browser or app", "browser of app") \
        X(SAY_AXIS_EVENT, "account event", "gebeurtenis met het account") \
        X(SAY_AXIS_HOME, "where the passkey is kept", "waar de wachtwoordsleutel staat") \
        X(SAY_AXIS_HUB, "hub", "schakel") \
        X(SAY_AXIS_KEY, "key", "sleutel") \
        X(SAY_AXIS_POPULATION, "people", "mensen") \
        X(SAY_AXIS_PROVIDER, "sign-in service (EIP)", "inlogvoorziening (EIP)") \
        X(SAY_AXIS_PROVIDER2, "second sign-in service", "tweede inlogvoorziening") \
        X(SAY_AXIS_SERVICE, "service", "dienst") \
        X(SAY_AXIS_SETTINGS, "settings", "instellingen") \
        /* numbers with their word */ \
        X(SAY_N_CELLS, "{1} combinations", "{1} combinaties") \
        X(SAY_ONE_CELL, "1 combination", "1 combinatie") \
        X(SAY_OF, "{1} of {2}", "{1} van {2}") \
        X(SAY_AND_MORE, "and {1} more", "en nog {1}") \
        X(SAY_TIMES, "{1} ×", "{1} ×") \
        /* the answer */ \
        X(SAY_YES, "Yes", "Ja") \
        X(SAY_YES_IF, "Yes, if …", "Ja, mits …") \
        X(SAY_NO, "No, because …", "Nee, omdat …") \
        X(SAY_CANNOT_SAY, "Cannot say yet, because …", "Nog niet te zeggen, omdat …") \
        X(SAY_BECAUSE_SIMULATED, "everything was only simulated. A simulation shows what to expect and what to ask; it is no proof for your own keys, accounts and suppliers.", "alles alleen gesimuleerd is. Een simulatie laat zien wat je kunt verwachten en wat je moet vragen; voor jullie eigen sleutels, accounts en leveranciers is het geen bewijs.") \
        X(SAY_BECAUSE_NOTHING, "no combination gave a clear outcome.", "geen enkele combinatie een duidelijke uitkomst gaf.") \
        X(SAY_BECAUSE_UNDECIDED, "the most important steps gave no clear outcome.", "de belangrijkste stappen geen duidelijke uitkomst gaven.") \
        X(SAY_BECAUSE_BREAKS, "logging in with a passkey does not go well in the set-ups that were tested.", "inloggen met een wachtwoordsleutel niet goed gaat in de opstellingen die zijn getest.") \
        X(SAY_IF_PLACE, "the passkey stands in the right place: {1}.", "de wachtwoordsleutel op de goede plek staat: {1}.") \
        X(SAY_IF_FIX, "you first arrange what stands below.", "je eerst regelt wat hieronder staat.") \
        X(SAY_IF_LIVE, "it also works with your own accounts; so far it was tested in a lab.", "het ook met jullie eigen accounts werkt; tot nu toe is het in een lab getest.") \
        X(SAY_IF_REST, "the steps that were not tested with real accounts work as well.", "de stappen die nog niet met echte accounts zijn getest ook werken.") \
        X(SAY_YES_LEAD, "Logging in with a passkey works in everything that was tested.", "Inloggen met een wachtwoordsleutel werkt in alles wat is getest.") \
        X(SAY_SHOWS_SIMULATED, "What the simulation shows", "Wat de simulatie laat zien") \
        X(SAY_SHOWS_LAB, "What the lab shows", "Wat het lab laat zien") \
        X(SAY_SHOWS_LIVE, "What the test shows", "Wat de test laat zien") \
        X(SAY_STATE_YES, "goes well", "gaat goed") \
        X(SAY_STATE_IF, "goes well on conditions", "gaat goed onder voorwaarden") \
        X(SAY_STATE_NO, "does not go well", "gaat niet goed") \
        X(SAY_STATE_UNDECIDED, "cannot be told", "is niet vast te stellen") \
        X(SAY_STATE_NOT_APPLICABLE, "is not possible: they have no account there", "kan niet: zij hebben daar geen account") \
        X(SAY_STATE_NOT_TESTED, "was not tested", "is niet getest") \
        X(SAY_GOOD_OF, "{1} of {2} reach the goal", "{1} van {2} bereiken het doel") \
        X(SAY_MIND, "Mind: {1}", "Let op: {1}") \
        X(SAY_WHY_NOT, "Because: {1}", "Want: {1}") \
        X(SAY_DEPENDS, "It depends on question {1}.", "Het hangt af van vraag {1}.") \
        X(SAY_QUADRANT, "{1}, {2}: {3}.", "{1}, {2}: {3}.") \
        X(SAY_COMPARED, "With the same {1} tasks, less goes wrong {2} than {3}.", "Bij dezelfde {1} taken gaat er {2} minder mis dan {3}.") \
        X(SAY_COMPARED_ONE, "With the same task, less goes wrong {1} than {2}.", "Bij dezelfde taak gaat er {1} minder mis dan {2}.") \
        /* verdict.html */ \
        X(SAY_V_TITLE, "Outcome of the passkey pilot", "Uitkomst van de pilot met wachtwoordsleutels") \
        X(SAY_V_QUESTION, "Can we use passkeys with our own sign-in service (EIP) and {1}?", "Kunnen wij wachtwoordsleutels (passkeys) gebruiken met onze eigen inlogvoorziening (EIP) en {1}?") \
        X(SAY_V_SERVICES, "our services", "onze diensten") \
        X(SAY_V_EIP, "EIP means: the sign-in service of the school itself, such as Microsoft Entra or Google.", "EIP betekent: externe identity provider, de inlogvoorziening van de school zelf, zoals Microsoft Entra of Google.") \
        X(SAY_V_FIRST, "Arrange first", "Eerst regelen") \
        X(SAY_V_WHAT, "What", "Wat") \
        X(SAY_V_WHO, "Who", "Wie") \
        X(SAY_V_MUCH, "How much it solves", "Hoeveel het oplost") \
        X(SAY_V_PROBLEMS, "{1} of {2} problems", "{1} van {2} problemen") \
        X(SAY_V_NOTHING_FIRST, "Nothing: no problem was found.", "Niets: er is geen probleem gevonden.") \
        X(SAY_V_NO_RULE, "Nobody knows yet: no rule explains what went wrong.", "Dat weet nog niemand: geen regel verklaart wat er misging.") \
        X(SAY_V_WORKS, "This works", "Dit werkt") \
        X(SAY_V_WORKS_SIMULATED, "This works in the simulation", "Dit werkt in de simulatie") \
        X(SAY_V_NOT_YET, "This does not work well yet", "Dit werkt nog niet goed") \
        X(SAY_V_NO_WORKS, "Nothing that we can promise.", "Niets dat we kunnen beloven.") \
        X(SAY_V_NO_PROBLEMS, "No problem was found.", "Er is geen probleem gevonden.") \
        X(SAY_V_CLAIM, "{1}, {2}", "{1}, {2}") \
        X(SAY_V_CLAIM_IF, "{1}, {2} – {3}", "{1}, {2} – {3}") \
        X(SAY_V_ONLY_WITH, "only with {1}: {2}", "alleen met {1}: {2}") \
        X(SAY_V_NOT_WITH, "not with {1}: {2}", "niet met {1}: {2}") \
        X(SAY_V_NOT_TESTED, "We did not test this", "Dit hebben wij niet getest") \
        X(SAY_V_SURE, "How sure is this?", "Hoe zeker is dit?") \
        X(SAY_V_NO_REAL_KEY, "Real security keys.", "Echte beveiligingssleutels.") \
        X(SAY_V_NO_REAL_SITES, "The real sign-in services and services of suppliers.", "De echte inlogvoorzieningen en diensten van leveranciers.") \
        X(SAY_V_NO_HOME, "A {1}.", "Een {1}.") \
        X(SAY_V_NO_GROUP, "{1}.", "{1}.") \
        X(SAY_V_NO_COLUMNS, "These steps: {1}.", "Deze stappen: {1}.") \
        X(SAY_V_SKIPPED, "{1} combinations that were skipped; matrix.html says why.", "{1} combinaties die zijn overgeslagen; matrix.html zegt waarom.") \
        X(SAY_V_ALL_TESTED, "Everything that the pilot names was tested.", "Alles wat de pilot noemt, is getest.") \
        X(SAY_V_COUNTED, "{1} combinations, with {2} kinds of key and {3} browsers and apps.", "{1} combinaties, met {2} soorten sleutels en {3} browsers en apps.") \
        X(SAY_V_UNCLEAR_ONE, "1 of them gave no clear outcome.", "1 daarvan gaf geen duidelijke uitkomst.") \
        X(SAY_V_UNCLEAR, "{1} of them gave no clear outcome.", "{1} daarvan gaven geen duidelijke uitkomst.") \
        X(SAY_V_ASSUMED, "The outcome rests on {1} facts that nobody has checked for us yet.", "De uitkomst rust op {1} feiten die nog niemand voor ons heeft nagekeken.") \
        X(SAY_V_TURNS_ONE, "1 unanswered question changes the outcome:", "1 open vraag verandert de uitkomst:") \
        X(SAY_V_TURNS, "{1} unanswered questions change the outcome. The heaviest:", "{1} open vragen veranderen de uitkomst. De zwaarste:") \
        X(SAY_V_TO, "{1}: {2}", "{1}: {2}") \
        X(SAY_V_PROTOCOL, "For {1} it is not certain that the EIP is linked with SAML; it may be OpenID Connect. What is said here about logging in through the EIP holds for SAML.", "Van {1} staat niet vast dat de EIP met SAML is gekoppeld; het kan ook OpenID Connect zijn. Wat hier over inloggen via de EIP staat, geldt voor SAML.") \
        X(SAY_V_PRIVACY, "This report holds no names, accounts, PINs or data of keys.", "Dit rapport bevat geen namen, accounts, pincodes of gegevens van sleutels.") \
        X(SAY_V_EXPIRES, "It holds for these versions of products and settings. Repeat it when one of them changes.", "Het geldt voor deze versies van producten en instellingen. Herhaal het als er een verandert.") \
        X(SAY_V_CHECK, "Check this run: {1}", "Controleer deze run: {1}") \
        X(SAY_V_MORE, "All combinations and causes stand in matrix.html.", "Alle combinaties en oorzaken staan in matrix.html.") \
        X(SAY_INCOMPLETE, "This run is not finished: {1} of {2} combinations.", "Deze run is niet af: {1} van {2} combinaties.") \
        /* matrix.html */ \
        X(SAY_M_TITLE, "Which combinations work?", "Welke combinaties werken?") \
        X(SAY_M_SKIP, "To the overview", "Naar het overzicht") \
        X(SAY_M_CONTENTS, "On this page", "Op deze pagina") \
        X(SAY_M_COUNTS, "Numbers", "Aantallen") \
        X(SAY_M_BEHIND, "What is behind it: {1} causes explain {2} of {3} problems", "Wat zit erachter? {1} oorzaken verklaren {2} van {3} problemen") \
        X(SAY_M_BEHIND_ONE, "What is behind it: 1 cause explains {1} of {2} problems", "Wat zit erachter? 1 oorzaak verklaart {1} van {2} problemen") \
        X(SAY_M_BEHIND_NONE, "What is behind it: no problem was found", "Wat zit erachter? Er is geen probleem gevonden") \
        X(SAY_M_MOVE, "move: {1}", "aan zet: {1}") \
        X(SAY_M_ANSWER, "The answer in short", "Het antwoord in het kort") \
        X(SAY_M_MATRIX, "Overview", "Overzicht") \
        X(SAY_M_KEY_CLIENT, "Key and browser", "Sleutel en browser") \
        X(SAY_M_REAL, "Real keys", "Echte sleutels") \
        X(SAY_M_SIMULATED, "Simulated keys (test cases, no real devices)", "Gesimuleerde sleutels (testgevallen, geen echte apparaten)") \
        X(SAY_M_MERGED, "There are many combinations: each cell holds several set-ups together.", "Er zijn veel combinaties: in elk vak staan meer opstellingen bij elkaar.") \
        X(SAY_M_MERGED2, "There are very many combinations: each cell holds several set-ups and browsers together.", "Er zijn heel veel combinaties: in elk vak staan meer opstellingen en browsers bij elkaar.") \
        X(SAY_M_CELL, "Each cell shows the worst outcome, and how many of its combinations have it.", "Elk vak toont de slechtste uitkomst, en hoeveel combinaties in dat vak die hebben.") \
        X(SAY_M_VIA, "{1} by way of {2}", "{1} via {2}") \
        X(SAY_M_EVERYTHING, "All set-ups", "Alle opstellingen") \
        X(SAY_M_QUESTIONS, "Questions to put to suppliers, the weightiest first", "Vragen aan leveranciers, de zwaarste eerst") \
        X(SAY_M_QUESTIONS_LEAD, "These facts are not public. For each we ran every possible answer; these are the ones that change the outcome.", "Deze feiten zijn niet openbaar. Van elk hebben we alle mogelijke antwoorden doorgerekend; deze veranderen de uitkomst.") \
        X(SAY_M_QUESTION, "Question", "Vraag") \
        X(SAY_M_TO, "To", "Aan") \
        X(SAY_M_WEIGHT, "Weight", "Gewicht") \
        X(SAY_M_IF_ANSWER, "If the answer is", "Als het antwoord is") \
        X(SAY_M_FACTS, "What the outcome rests on", "Waar de uitkomst op rust") \
        X(SAY_M_FACTS_LEAD, "These facts about products are reported or assumed, and not yet checked.", "Deze feiten over producten zijn gemeld of aangenomen, en nog niet nagekeken.") \
        X(SAY_M_FACT, "Fact", "Feit") \
        X(SAY_M_VALUE, "Value", "Waarde") \
        X(SAY_M_STATUS, "Status", "Status") \
        X(SAY_M_USED, "Used in", "Gebruikt in") \
        X(SAY_STATUS_REPORTED, "reported", "gemeld") \
        X(SAY_STATUS_ASSUMED, "assumed", "aangenomen") \
        X(SAY_STATUS_UNKNOWN, "unknown", "onbekend") \
        X(SAY_STATUS_SET, "set by the pilot", "ingesteld door de pilot") \
        X(SAY_M_CAUSES, "Causes", "Oorzaken") \
        X(SAY_M_MEANING, "What it means", "Wat het betekent") \
        X(SAY_M_OWNER, "Whose move", "Wie aan zet is") \
        X(SAY_M_FIX, "What to do", "Wat je doet") \
        X(SAY_M_SPEC, "Rule of the standards", "Regel uit de standaarden") \
        X(SAY_M_SEEN, "Seen", "Gezien") \
        X(SAY_M_ONLY_SIMULATED, "only in simulation", "alleen in simulatie") \
        X(SAY_M_EVIDENCE, "Evidence by step", "Bewijs per stap") \
        X(SAY_M_WHERE, "Where", "Waar") \
        X(SAY_M_EXAMPLE, "One example, step by step", "Een voorbeeld, stap voor stap") \
        X(SAY_M_TIME, "After", "Na") \
        X(SAY_M_ACTOR, "Who", "Wie") \
        X(SAY_M_HAPPENS, "What happens", "Wat er gebeurt") \
        X(SAY_M_DETAILS, "Details", "Bijzonderheden") \
        X(SAY_M_STEPS_LEFT, "{1} steps left out; they stand in outcomes.jsonl", "{1} stappen weggelaten; ze staan in outcomes.jsonl") \
        X(SAY_M_IDS, "Combinations", "Combinaties") \
        X(SAY_M_IDS_MORE, "and {1} more in outcomes.jsonl", "en nog {1} in outcomes.jsonl") \
        X(SAY_M_WHY, "Reason", "Reden") \
        X(SAY_M_EMPTY, "This run holds no combinations.", "Deze run bevat geen combinaties.") \
        X(SAY_M_FILTER, "Filter", "Filter") \
        X(SAY_M_SEARCH, "Search", "Zoek") \
        X(SAY_M_ROWS, "rows", "rijen") \
        X(SAY_M_RUN, "pilot {1}, seed {2}, {3}", "pilot {1}, seed {2}, {3}") \
        X(SAY_M_FIXTURES, "fixtures {1}", "fixtures {1}") \
        X(SAY_WHY_EARLIER, "an earlier step failed: {1}", "een eerdere stap mislukte: {1}") \
        X(SAY_WHY_NEEDS, "the task needs what cannot be had here: {1}", "de taak heeft iets nodig dat hier niet kan: {1}") \
        X(SAY_WHY_BRANCHES, "more than {1} combinations of open questions; the others were not run", "meer dan {1} combinaties van open vragen; de andere zijn niet gedraaid") \
        X(SAY_M_REMAINING, "Skipped and undecided, and why", "Overgeslagen en onbeslist, en waarom") \
        X(SAY_M_VERDICT_LINK, "The answer on one page: verdict.html", "Het antwoord op één pagina: verdict.html") \
        /* terminal */ \
        X(SAY_T_CAUSES, "{1} causes explain {2} of {3} problems:", "{1} oorzaken verklaren {2} van {3} problemen:") \
        X(SAY_T_CAUSE_ONE, "1 cause explains {1} of {2} problems:", "1 oorzaak verklaart {1} van {2} problemen:") \
        X(SAY_T_NO_CAUSES, "No problem was found.", "Er is geen probleem gevonden.") \
        X(SAY_T_ANSWER, "Answer:", "Antwoord:") \
        X(SAY_T_REPORT, "Report:", "Rapport:") \
        X(SAY_T_ONE_PAGE, "the answer on one page", "het antwoord op één pagina") \
        X(SAY_T_ALL, "all combinations and causes", "alle combinaties en oorzaken") \
        X(SAY_T_NEXT, "Next:", "Verder:") \
        X(SAY_T_NEXT_EXPLAIN, "explains what to arrange first", "legt uit wat je het eerst regelt") \
        X(SAY_T_NEXT_KEYS, "tries it with a real key", "probeert het met een echte sleutel") \
        X(SAY_T_NEXT_RESUME, "finishes this run", "maakt deze run af") \
        X(SAY_T_QUESTION_ONE, "1 unanswered question changes the outcome, for {1}:", "1 open vraag verandert de uitkomst, voor {1}:") \
        X(SAY_T_QUESTIONS, "{1} unanswered questions change the outcome. The first, for {2}:", "{1} open vragen veranderen de uitkomst. De eerste, voor {2}:")
/* clang-format on */

#define SAY_ENUM(id, en, nl) id,
enum say { SAY_TABLE(SAY_ENUM) SAY_N };
#undef SAY_ENUM

struct kp_text say_text(enum say id);

/* Words that no text may hold, because they blame, frighten or need a dictionary. */
extern const char *const say_forbidden[];

/* What a vendor is asked about a fact, named without its role; NULL text: no words. */
struct kp_text question_text(const char *fact);
struct fact_question {
        const char *fact;
        struct kp_text text;
};
extern const struct fact_question fact_questions[]; /* ends with a NULL fact */

#endif
