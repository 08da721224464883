/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/profile.h"

/*
 * What profiles of services state: the relying party and service provider that the
 * person wants to reach. The passkey part has the same names for services, providers
 * and hubs.
 */
/* clang-format off */
const struct kp_fact_type kp_facts_service[] = {
        /* where it is */
        { "host", KP_STRING, NULL, false, "host name of its login pages" },
        { "tenant_hosts", KP_STRING, "shared|own", false, "do its schools share one login host?" },
        /* doors */
        { "doors", KP_STRINGS, NULL, false, "password, passkey, eip: the doors that exist at all" },
        { "hrd", KP_STRING, "none|username-first|tile|all", false, "how a person is sent to the EIP: never, by username, by a button, always" },
        { "passkey_step", KP_STRING, "before-username|with-username|after-username-before-hrd|after-hrd", false, "where in the login the passkey is asked for" },
        { "enforces_idp", KP_STRING, "no|redirect|refuse", false, "an EIP account that used a local door: let in, sent on to the EIP, refused" },
        { "eip_keeps_password", KP_BOOL, NULL, false, "an EIP account can still log in with a local password" },
        { "passkey_enrolment", KP_STRING, "anyone|local-accounts|nobody", false, "who may add a passkey" },
        { "passkey_on_eip_switch", KP_STRING, "kept|hidden|removed", false, "what becomes of passkeys when an account is switched to the EIP" },
        { "password_after_passkey", KP_STRING, "kept|disabled", false, "what becomes of the local password once a passkey is there" },
        { "enrolment_needs", KP_STRING, "session|password-again", false, "what is asked before a passkey is added" },
        { "two_factor_for", KP_STRINGS, NULL, false, "roles that must use a second factor" },
        { "eip_counts_as_two_factor", KP_BOOL, NULL, false, "a login through the EIP fulfils that duty" },
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
        /* sessions and state */
        { "session_ttl_s", KP_INT, NULL, false, "life of the local session" },
        { "session_samesite", KP_STRING, "none|lax|strict|absent", false, "SameSite of the session cookie" },
        { "state", KP_STRING, "cookie|server", false, "where it remembers an outstanding request" },
        { "state_samesite", KP_STRING, "none|lax|strict|absent", false, "SameSite of the state cookie" },
        { "state_ttl_s", KP_INT, NULL, false, "how long an outstanding request is remembered" },
        { "logout", KP_STRING, "local|federated", false, "logging out ends the own session, or tells the EIP too" },
        /* federation, asking. Spec: SAML 2.0 Core §3.4.1 */
        { "eip_protocol", KP_STRING, "saml|oidc", false, "protocol of the leg to the EIP" },
        { "requested_contexts", KP_STRINGS, NULL, false, "authentication context classes it asks for" },
        { "requested_comparison", KP_STRING, "exact|minimum|maximum|better", false, "and how they are compared" },
        { "force_authn", KP_BOOL, NULL, false, "asks for a fresh login" },
        { "is_passive", KP_BOOL, NULL, false, "asks for a login that shows nothing" },
        { "nameid_policy", KP_STRING, NULL, true, "NameID format it asks for" },
        { "signs_request", KP_BOOL, NULL, false, "signs what it asks" },
        { "sends_domain_hint", KP_BOOL, NULL, false, "names the school's domain in the request" },
        /* federation, accepting. Spec: SAML 2.0 Profiles §4.1.4.3 */
        { "accepted_contexts", KP_STRINGS, NULL, false, "classes it accepts; empty: any" },
        { "wants_signed", KP_STRING, "either|assertion|response|both", false, "what must be signed in a response" },
        { "skew_s", KP_INT, NULL, false, "clock difference it tolerates" },
        { "hub_logins", KP_BOOL, NULL, false, "people can reach it through a hub; not where it is itself the provider that a hub asks" },
        { "accepts_unsolicited", KP_BOOL, NULL, false, "takes responses that it did not ask for" },
        /* accounts */
        { "account_key", KP_STRING, "nameid|upn|mail|object-id|employee-number", false, "which value of the EIP finds the account" },
        { "account_key_compare", KP_STRING, "exact|case-insensitive", false, "how that value is compared" },
        { "account_key_issuer", KP_BOOL, NULL, false, "the issuer is part of the key" },
        { "unknown_subject", KP_STRING, "refuse|create|link-by-mail", false, "what a value does that finds no account" },
        { "provisioning", KP_STRING, "none|scim", false, "how it hears about account changes at the EIP" },
        { "provisioning_delay_s", KP_INT, NULL, false, "and how much later" },
        { "block_ends_passkey", KP_BOOL, NULL, false, "blocking an account stops its passkeys" },
        { "block_ends_sessions", KP_BOOL, NULL, false, "blocking an account ends its sessions" },
        { NULL },
};
/* clang-format on */
