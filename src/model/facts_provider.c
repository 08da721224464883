/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/profile.h"

/*
 * What profiles of identity providers state. The passkey part has the same names for
 * services, providers and hubs.
 */
/* clang-format off */
const struct kp_fact_type kp_facts_provider[] = {
        /* where it is */
        { "host", KP_STRING, NULL, false, "host name of its login pages" },
        /* logging in */
        { "methods", KP_STRINGS, NULL, false, "password, passkey: what people can log in with" },
        { "passkey_door", KP_STRING, "first-page|after-username", false, "where the passkey is offered" },
        { "federates_to", KP_STRING, "none|provider2", false, "are logins for the school's domain passed on to a second provider?" },
        { "honours_domain_hint", KP_BOOL, NULL, false, "a domain hint skips its own pages" },
        { "mfa_required", KP_BOOL, NULL, false, "a password alone is not enough" },
        { "access_policy", KP_STRING, "none|blocked-location|unmanaged-device", false, "access rule that this person's situation breaks" },
        { "login_ttl_s", KP_INT, NULL, false, "how long its login page is good for" },
        { "session_ttl_s", KP_INT, NULL, false, "life of its session; 0: none" },
        { "session_samesite", KP_STRING, "none|lax|strict|absent", false, "SameSite of the session cookie" },
        { "disable_ends_sessions", KP_BOOL, NULL, false, "disabling an account ends its sessions" },
        { "enrolment_needs", KP_STRING, "session|mfa", false, "what is asked before a passkey is added" },
        { "password_after_passkey", KP_STRING, "kept|disabled", false, "what becomes of the password once a passkey is there" },
        { "recovery", KP_STRINGS, NULL, false, "ways back after a lost key: mail, helpdesk" },
        /* passkeys. Spec: WebAuthn L3 §5.4, §5.5 */
        { "rp_id", KP_STRING, NULL, true, "RP ID; absent: the host itself" },
        { "passkey_discoverable", KP_STRING, "required|preferred|discouraged", false, "residentKey at enrolment" },
        { "passkey_uv", KP_STRING, "required|preferred|discouraged", false, "userVerification" },
        { "passkey_checks_uv", KP_BOOL, NULL, false, "an answer without user verification is refused" },
        { "passkey_attestation", KP_STRING, "none|indirect|direct|enterprise", false, "attestation conveyance" },
        { "passkey_algorithms", KP_ARRAY, NULL, false, "COSE algorithms, in order" },
        { "passkey_timeout_ms", KP_INT, NULL, true, "timeout in the options" },
        { "passkey_challenge_ttl_s", KP_INT, NULL, false, "how long a challenge is accepted" },
        { "passkey_user_handle", KP_STRING, "random64|tenant-local-number", false, "what user.id is" },
        { "passkey_label", KP_STRING, "person|school-and-person", false, "what user.name shows in a chooser" },
        { "passkey_checks_tenant", KP_BOOL, NULL, false, "a passkey of another school's account is refused" },
        { "passkey_counter", KP_STRING, "refuse|warn|ignore", true, "an answer whose signature counter has not risen: refused, let in and noted, let in; absent: refused" },
        /* authentication context. Spec: SAML 2.0 Core §3.3.2.2.1 */
        { "requested_context", KP_STRING, "ignored|error-page|no-authn-context|ordered", false, "a request for a class it did not use: ignored, a page at the provider, a status to the service, compared by strength" },
        { "context_password", KP_STRING, NULL, false, "class it states after a password" },
        { "context_mfa", KP_STRING, NULL, false, "class it states after password and code" },
        { "context_passkey", KP_STRING, NULL, false, "class it states after a passkey" },
        { "contexts_fulfilled_by_password", KP_STRINGS, NULL, false, "requested classes that a password login fulfils" },
        { "contexts_fulfilled_by_mfa", KP_STRINGS, NULL, false, "requested classes that password and code fulfil" },
        { "contexts_fulfilled_by_passkey", KP_STRINGS, NULL, false, "requested classes that a passkey login fulfils" },
        { "context_order", KP_STRINGS, NULL, false, "classes from weak to strong, where compared by strength" },
        { "force_authn", KP_STRING, "honoured|ignored", false, "ForceAuthn" },
        { "is_passive", KP_STRING, "honoured|ignored", false, "IsPassive" },
        /* subject. Spec: SAML 2.0 Core §8.3 */
        { "nameid_source", KP_STRING, "pairwise|upn|mail|object-id|login|transient", false, "where the NameID comes from" },
        { "nameid_format", KP_STRING, NULL, false, "its Format" },
        { "nameid_policy", KP_STRING, "honoured|ignored", false, "a NameIDPolicy that it cannot meet is an error, or is ignored" },
        { "attributes", KP_STRINGS, NULL, false, "upn, mail, object-id, employee-number: what it releases" },
        /* messages. Spec: SAML 2.0 Profiles §4.1.4.2 */
        { "signs", KP_STRING, "assertion|response|both", false, "what it signs" },
        { "requires_signed_request", KP_BOOL, NULL, false, "unsigned requests are refused" },
        { "not_before_s", KP_INT, NULL, false, "NotBefore, seconds relative to issuing" },
        { "lifetime_s", KP_INT, NULL, false, "NotOnOrAfter of the conditions" },
        { "confirmation_s", KP_INT, NULL, false, "NotOnOrAfter of the subject confirmation" },
        { "clock_ahead_s", KP_INT, NULL, false, "how far its clock is ahead" },
        { "logout", KP_STRING, "none|front-channel", false, "single logout" },
        { NULL },
};
/* clang-format on */
