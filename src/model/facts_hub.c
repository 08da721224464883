/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/profile.h"

/*
 * What profiles of hubs state: service provider on one side, identity provider on the
 * other.
 */
/* clang-format off */
const struct kp_fact_type kp_facts_hub[] = {
        { "host", KP_STRING, NULL, false, "host name of its pages" },
        { "wayf", KP_STRING, "always|remembered|never", false, "does it ask which school one comes from?" },
        { "session_ttl_s", KP_INT, NULL, false, "life of its session; 0: none" },
        { "session_samesite", KP_STRING, "none|lax|strict|absent", false, "SameSite of its cookies" },
        { "request_ttl_s", KP_INT, NULL, false, "how long it remembers an outstanding request" },
        { "forwards_requested_context", KP_BOOL, NULL, false, "passes on which class a service asks for" },
        { "forwards_force_authn", KP_BOOL, NULL, false, "passes on ForceAuthn" },
        { "forwards_is_passive", KP_BOOL, NULL, false, "passes on IsPassive" },
        { "context", KP_STRING, "passed-on|constant", false, "the class it states: the school's, or always the same" },
        { "context_constant", KP_STRING, NULL, true, "that class" },
        { "accepted_contexts", KP_STRINGS, NULL, false, "classes it accepts; empty: any" },
        { "names_authority", KP_BOOL, NULL, false, "names the provider in AuthenticatingAuthority" },
        { "nameid_source", KP_STRING, "pairwise|passed-on|uid-hash", false, "where its NameID comes from" },
        { "nameid_format", KP_STRING, NULL, false, "its Format" },
        { "attributes", KP_STRINGS, NULL, false, "upn, mail, object-id, employee-number: what it passes on" },
        { "signs", KP_STRING, "assertion|response|both", false, "what it signs" },
        { "wants_signed", KP_STRING, "either|assertion|response|both", false, "what must be signed in a response" },
        { "skew_s", KP_INT, NULL, false, "clock difference it tolerates" },
        { "lifetime_s", KP_INT, NULL, false, "NotOnOrAfter of the conditions" },
        { "logout", KP_STRING, "none|front-channel", false, "single logout" },
        /* passkeys; absent where it has none */
        { "passkeys", KP_BOOL, NULL, false, "people can log in at the hub itself with a passkey" },
        { "context_passkey", KP_STRING, NULL, true, "class it states after that" },
        { "rp_id", KP_STRING, NULL, true, "RP ID; absent: the host itself" },
        { "passkey_discoverable", KP_STRING, "required|preferred|discouraged", true, "residentKey at enrolment" },
        { "passkey_uv", KP_STRING, "required|preferred|discouraged", true, "userVerification" },
        { "passkey_checks_uv", KP_BOOL, NULL, true, "an answer without user verification is refused" },
        { "passkey_attestation", KP_STRING, "none|indirect|direct|enterprise", true, "attestation conveyance" },
        { "passkey_algorithms", KP_ARRAY, NULL, true, "COSE algorithms, in order" },
        { "passkey_timeout_ms", KP_INT, NULL, true, "timeout in the options" },
        { "passkey_challenge_ttl_s", KP_INT, NULL, true, "how long a challenge is accepted" },
        { "passkey_user_handle", KP_STRING, "random64|tenant-local-number", true, "what user.id is" },
        { "passkey_label", KP_STRING, "person|school-and-person", true, "what user.name shows in a chooser" },
        { "passkey_checks_tenant", KP_BOOL, NULL, true, "a passkey of another school's account is refused" },
        { "passkey_counter", KP_STRING, "refuse|warn|ignore", true, "an answer whose signature counter has not risen: refused, let in and noted, let in; absent: refused" },
        { NULL },
};
/* clang-format on */
