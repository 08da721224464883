/* SPDX-License-Identifier: BSD-2-Clause */
#include "texts.h"

#include <string.h>

static const struct kp_text texts[SAY_N] = {
#define SAY_ROW(id, en, nl) [id] = { en, nl },
        SAY_TABLE(SAY_ROW)
#undef SAY_ROW
};

struct kp_text
say_text(enum say id)
{
        return texts[id];
}

/* Also "aanmelden", which is used for both adding a key and logging in. */
const char *const say_forbidden[] = { "simply", "obviously", "please", "user error",
        "illegal", "abort", "fatal", "leverage", "utilize", "robust", "seamless",
        "simpelweg", "uiteraard", "aanmelden", "helaas", "gebruikersfout", "credential",
        "assertion", "authenticator", "relying party", "attestation", NULL };

/* clang-format off */
const struct fact_question fact_questions[] = {
        { "aaguid_zeroing", { "Does a site learn which model of key it is, if it does not ask?", "Ziet een site welk model sleutel het is, als die er niet om vraagt?" } },
        { "accepted_contexts", { "Which ways of logging in do you accept from the EIP?", "Welke manieren van inloggen neem je aan van de EIP?" } },
        { "accepts_unsolicited", { "Do you take a login that you did not ask for?", "Neem je een login aan waar je niet om hebt gevraagd?" } },
        { "access_policy", { "Which rule decides from where people may log in?", "Welke regel bepaalt vanaf waar mensen mogen inloggen?" } },
        { "account_key", { "By which value of the EIP do you find the account?", "Met welk gegeven van de EIP vind je het account?" } },
        { "account_key_compare", { "Do capitals matter when you compare that value?", "Maken hoofdletters verschil als je dat gegeven vergelijkt?" } },
        { "account_key_issuer", { "Does it also matter which EIP sent that value?", "Telt ook mee welke EIP dat gegeven stuurt?" } },
        { "attestation_direct_consent", { "What does the person see when a site asks which key it is?", "Wat ziet de persoon als een site vraagt welke sleutel het is?" } },
        { "block_ends_passkey", { "Does blocking an account also stop its passkeys?", "Stopt het blokkeren van een account ook de wachtwoordsleutels?" } },
        { "block_ends_sessions", { "Does blocking an account also end open sessions?", "Stopt het blokkeren van een account ook lopende sessies?" } },
        { "can_set_pin_on_key", { "Can a person set a first PIN on the key in your dialogs?", "Kan iemand in jullie schermen een eerste pincode op de sleutel zetten?" } },
        { "conditional_create", { "Is a passkey added by itself after a login?", "Wordt na een login vanzelf een wachtwoordsleutel toegevoegd?" } },
        { "conditional_get", { "Are passkeys offered among the suggestions of a text field?", "Staan wachtwoordsleutels tussen de suggesties van een invoerveld?" } },
        { "context", { "Do you pass on how the person logged in?", "Geef je door hoe iemand is ingelogd?" } },
        { "context_passkey", { "What do you state about a login with a passkey?", "Wat meld je over een login met een wachtwoordsleutel?" } },
        { "contexts_fulfilled_by_passkey", { "Which requests does a login with a passkey fulfil?", "Aan welke eisen voldoet een login met een wachtwoordsleutel?" } },
        { "cred_blob", { "Can a site keep a little data on the key?", "Kan een site een beetje gegevens op de sleutel bewaren?" } },
        { "cross_origin_iframe_create", { "May a frame of another site add a passkey?", "Mag een kader van een andere site een wachtwoordsleutel toevoegen?" } },
        { "cross_origin_iframe_get", { "May a frame of another site log in with a passkey?", "Mag een kader van een andere site inloggen met een wachtwoordsleutel?" } },
        { "disable_ends_sessions", { "Does disabling an account also end open sessions?", "Stopt het uitzetten van een account ook lopende sessies?" } },
        { "doors", { "Which ways of logging in do you offer?", "Welke manieren van inloggen bied je aan?" } },
        { "eip_counts_as_two_factor", { "Does a login through the EIP count as two-step verification?", "Telt een login via de EIP als tweestapsverificatie?" } },
        { "eip_keeps_password", { "Can someone with an EIP account still log in with a password of yours?", "Kan iemand met een EIP-account nog met een wachtwoord bij jullie inloggen?" } },
        { "eip_protocol", { "Is the EIP linked with SAML or with OpenID Connect?", "Is de EIP gekoppeld met SAML of met OpenID Connect?" } },
        { "enforces_idp", { "What happens when someone with an EIP account uses a login of your own: let in, sent on to the EIP, or refused?", "Wat gebeurt er als iemand met een EIP-account een eigen login van jullie gebruikt: binnenlaten, doorsturen naar de EIP of weigeren?" } },
        { "enrolment_needs", { "What do you ask before someone may add a passkey?", "Wat vraag je voordat iemand een wachtwoordsleutel mag toevoegen?" } },
        { "force_authn", { "Do you ask the EIP to let people log in anew?", "Vraag je de EIP om mensen opnieuw te laten inloggen?" } },
        { "forwards_force_authn", { "Do you pass on the request to log in anew?", "Geef je de vraag om opnieuw in te loggen door?" } },
        { "forwards_requested_context", { "Do you pass on which way of logging in a service asks for?", "Geef je door welke manier van inloggen een dienst vraagt?" } },
        { "honours_domain_hint", { "Do you skip your own pages when a service names the school's domain?", "Sla je je eigen pagina's over als een dienst het domein van de school noemt?" } },
        { "hrd", { "How do you send people to the EIP: never, by user name, by a button, or always?", "Hoe stuur je mensen naar de EIP: nooit, op gebruikersnaam, met een knop of altijd?" } },
        { "hub_logins", { "Can people reach you through a hub such as Entree Federatie?", "Kunnen mensen jullie via een schakel zoals Entree Federatie bereiken?" } },
        { "hybrid_transport", { "Can a person use a passkey on a phone nearby?", "Kan iemand een wachtwoordsleutel op een telefoon in de buurt gebruiken?" } },
        { "logout", { "Does logging out also log people out of the EIP?", "Logt uitloggen mensen ook uit bij de EIP?" } },
        { "mfa_required", { "Is a password alone not enough?", "Is alleen een wachtwoord niet genoeg?" } },
        { "nameid_source", { "Which value names the person in what you send?", "Welk gegeven noemt de persoon in wat je stuurt?" } },
        { "passkey_attestation", { "Do you ask which model of key it is?", "Vraag je welk model sleutel het is?" } },
        { "passkey_checks_tenant", { "Do you refuse a passkey of another school's account?", "Weiger je een wachtwoordsleutel van een account van een andere school?" } },
        { "passkey_checks_uv", { "Do you refuse a login without PIN or fingerprint?", "Weiger je een login zonder pincode of vingerafdruk?" } },
        { "passkey_counter", { "What do you do when the signature counter of a key goes back, which may mean that there is a copy of it?", "Wat doe je als de handtekeningteller van een sleutel teruggaat, wat kan betekenen dat er een kopie van is?" } },
        { "passkey_discoverable", { "Must the passkey be kept on the key itself?", "Moet de wachtwoordsleutel op de sleutel zelf staan?" } },
        { "passkey_door", { "Where on your page is the passkey offered?", "Waar op je pagina wordt de wachtwoordsleutel aangeboden?" } },
        { "passkey_enrolment", { "Who may add a passkey?", "Wie mag een wachtwoordsleutel toevoegen?" } },
        { "passkey_label", { "Which name do people see when they choose a passkey?", "Welke naam zien mensen als ze een wachtwoordsleutel kiezen?" } },
        { "passkey_on_eip_switch", { "What happens to passkeys when an account is switched to the EIP?", "Wat gebeurt er met wachtwoordsleutels als een account overgaat op de EIP?" } },
        { "passkey_step", { "Where in the login is the passkey asked for: before the user name, with it, or after it?", "Waar in de login wordt de wachtwoordsleutel gevraagd: voor de gebruikersnaam, ermee of erna?" } },
        { "passkey_user_handle", { "Can two schools give the same number to an account?", "Kunnen twee scholen hetzelfde nummer aan een account geven?" } },
        { "passkey_uv", { "Is a PIN or fingerprint required with the passkey?", "Is een pincode of vingerafdruk verplicht bij de wachtwoordsleutel?" } },
        { "passkeys", { "Can people log in at you with a passkey?", "Kunnen mensen bij jullie met een wachtwoordsleutel inloggen?" } },
        { "password_after_passkey", { "Does the password stay once a passkey is there?", "Blijft het wachtwoord bestaan als er een wachtwoordsleutel is?" } },
        { "provisioning", { "How do you hear that an account at the EIP changes or ends?", "Hoe hoor je dat een account bij de EIP verandert of stopt?" } },
        { "provisioning_delay_s", { "How much later do you hear that?", "Hoeveel later hoor je dat?" } },
        { "recovery", { "Which ways back are there for someone who lost the key?", "Welke weg terug is er voor wie de sleutel kwijt is?" } },
        { "related_origins", { "May one passkey serve several web addresses of a supplier?", "Mag één wachtwoordsleutel voor meer webadressen van een leverancier gelden?" } },
        { "request_ttl_s", { "How long do you remember an open request?", "Hoe lang onthoud je een open vraag?" } },
        { "requested_comparison", { "How strictly do you compare the way of logging in?", "Hoe streng vergelijk je de manier van inloggen?" } },
        { "requested_context", { "What do you do with a request for a way of logging in that was not used?", "Wat doe je met een vraag naar een manier van inloggen die niet is gebruikt?" } },
        { "requested_contexts", { "Do you ask the EIP for a certain way of logging in, such as a password?", "Vraag je de EIP om een bepaalde manier van inloggen, zoals een wachtwoord?" } },
        { "resident_key_preferred_fallback_when_full", { "What happens when the key has no place left for another passkey?", "Wat gebeurt er als op de sleutel geen plaats meer is voor nog een wachtwoordsleutel?" } },
        { "residentkey_on_usb", { "Can a passkey be kept on a USB key itself?", "Kan een wachtwoordsleutel op een usb-sleutel zelf staan?" } },
        { "rp_id", { "For which web address are passkeys made?", "Voor welk webadres worden wachtwoordsleutels gemaakt?" } },
        { "sends_domain_hint", { "Do you name the school's domain when you send people to the EIP?", "Noem je het domein van de school als je mensen naar de EIP stuurt?" } },
        { "session_samesite", { "How strictly is your session cookie tied to your own site?", "Hoe streng hoort je sessiecookie bij je eigen site?" } },
        { "session_ttl_s", { "How long does a session last?", "Hoe lang duurt een sessie?" } },
        { "state", { "Where do you remember a login that is under way?", "Waar onthoud je een login die bezig is?" } },
        { "state_samesite", { "How strictly is the cookie of a login under way tied to your own site?", "Hoe streng hoort de cookie van een login die bezig is bij je eigen site?" } },
        { "state_ttl_s", { "How long may someone take to log in?", "Hoe lang mag iemand over het inloggen doen?" } },
        { "tenant_hosts", { "Do all schools share one login address?", "Delen alle scholen één inlogadres?" } },
        { "third_party_cookies", { "Are cookies of another site's frame kept?", "Worden cookies van een kader van een andere site bewaard?" } },
        { "two_factor_for", { "Who must use two-step verification?", "Wie moet tweestapsverificatie gebruiken?" } },
        { "unknown_subject", { "What do you do with someone from the EIP whom you do not know yet?", "Wat doe je met iemand van de EIP die je nog niet kent?" } },
        { "user_activation_required", { "Must the person have clicked just before?", "Moet de persoon net daarvoor hebben geklikt?" } },
        { "uv_preferred_with_pinless_key", { "What happens with a key without PIN when a site would like one?", "Wat gebeurt er met een sleutel zonder pincode als een site die graag wil?" } },
        { "uv_required_without_pin_behaviour", { "What happens with a key without PIN when a site demands one?", "Wat gebeurt er met een sleutel zonder pincode als een site die eist?" } },
        { "wants_signed", { "Which part of the EIP's answer must be signed?", "Welk deel van het antwoord van de EIP moet ondertekend zijn?" } },
        { NULL, { NULL, NULL } },
};
/* clang-format on */

struct kp_text
question_text(const char *fact)
{
        const char *dot = strchr(fact, '.');
        const char *name = dot == NULL ? fact : dot + 1;

        for (const struct fact_question *q = fact_questions; q->fact != NULL; q++)
                if (strcmp(q->fact, name) == 0)
                        return q->text;
        return (struct kp_text){ NULL, NULL };
}
