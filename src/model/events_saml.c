/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/trace.h"

/*
 * What federated login leaves in a trace. Contexts, formats, status codes and rule ids
 * are vocabulary of the protocol; names, addresses, NameIDs, ids and keys stay out.
 * Lists of parties are counts. The names speak of SAML, which is implemented first;
 * OpenID Connect maps acr_values, prompt and error onto the same facts.
 *
 *   binding        "redirect", "post"
 *   comparison     "exact", "minimum", "maximum", "better"; absent: nothing requested
 *   contexts       array: requested classes, in order
 *   context        the class that was stated
 *   nameid_format  the URI, absent where none
 *   status         array: top-level and second-level code, without their common prefix
 *   rule           the rule that refused it (docs/saml-rules.md)
 */
const struct kp_event_type kp_events_saml[] = {
        { "saml.logout.received",
                "accepted binding nameid_format response rule session_index signed "
                "status",
                "SAML 2.0 Profiles §4.4.3" },
        { "saml.logout.sent",
                "binding nameid_format response session_index signed status",
                "SAML 2.0 Profiles §4.4.3" },
        { "saml.metadata.read", "accepted peer rule signing_keys",
                "SAML 2.0 Metadata §2.3.2" },
        { "saml.request.received",
                "accepted allow_create binding comparison contexts force_authn hint "
                "nameid_format passive proxy_count relay_state requesters rule signed",
                "SAML 2.0 Profiles §4.1.3.3" },
        { "saml.request.sent",
                "allow_create binding comparison contexts force_authn hint "
                "nameid_format "
                "passive proxy_count relay_state requesters signed",
                "SAML 2.0 Profiles §4.1.3.3" },
        { "saml.response.received",
                "accepted assertion_signed attributes authorities binding context "
                "nameid_format response_signed rule session_until solicited status",
                "SAML 2.0 Profiles §4.1.3.5" },
        { "saml.response.sent",
                "assertion_signed attributes authorities binding context nameid_format "
                "response_signed session_until solicited status",
                "SAML 2.0 Profiles §4.1.3.5" },
        { NULL, NULL, NULL },
};
