/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/trace.h"

/*
 * Events of the simulated world: what travels, what sites decide, what happens to
 * accounts. Accounts, people and passkeys are ordinals; parties are roles.
 */
/* clang-format off */
const struct kp_event_type kp_events_world[] = {
        { "account.event", "account at change reaches_service", NULL },
        { "account.found", "account by case_differs created found issuer_differs key mail_known state value_came", NULL },
        { "browser", "change", NULL },
        { "context.compared", "comparison fulfilled method requested result session stated", "SAML 2.0 Core §3.3.2.2.1" },
        { "cookie.stored", "name samesite stored why", "RFC 6265bis §5.7" },
        { "door.chosen", "at door", NULL },
        { "door.missing", "at door offered page", NULL },
        { "http", "cross_site method status to withheld", "RFC 9110" },
        { "login", "account by door eip in reason", NULL },
        { "notes.compared", "hub same_name same_values", NULL },
        { "page", "at doors error page status", NULL },
        { "passkey.asked", "at ceremony discoverable listed mediation usernameless uv", "WebAuthn L3 §5.4, §5.5" },
        { "passkey.changed", "at change passkey", NULL },
        { "passkey.picked", "alike choices picked right", "CTAP 2.1 §6.2" },
        { "passkey.school", "allowed at same usernameless", NULL },
        { "policy", "allowed at policy", NULL },
        { "prompt", "at kind", NULL },
        { "route", "by hint passkey_asked_before to", "SAML 2.0 Profiles §4.1.3.2" },
        { "session", "account age_s at change forced method since_s", NULL },
        { "state", "age_s at found kept ttl_s why", "SAML 2.0 Bindings §3.4.3" },
        { "subject", "asked at source", "SAML 2.0 Core §8.3" },
        { "time", "passed_s why", NULL },
        { NULL },
};
/* clang-format on */
