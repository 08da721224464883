/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/model/trace.h"

/*
 * Events of a WebAuthn ceremony: what the client made of a page's request, and what the
 * relying party made of the answer.
 */
/* clang-format off */
const struct kp_event_type kp_events_ceremony[] = {
        { "client.create", "aaguid_zeroed algorithm attachment_asked attestation_asked be bs cred_protect ctap error extensions format framing key_attachment keys mediation prompts reason rk rk_requested transports uv uv_requested", "WebAuthn L3 §5.1.3" },
        { "client.get", "appid_used be bs choices ctap discoverable error extensions framing key_attachment keys listed mediation prompts reason up uv uv_requested", "WebAuthn L3 §5.1.4" },
        { "client.key", "answer ctap key_attachment number pin_tries reason", "WebAuthn L3 §5.1.3, §5.1.4" },
        { "rp.authentication", "accepted alg at be bs check counter_moved credential discoverable mode reason spec transports up uv uv_required", "WebAuthn L3 §7.2" },
        { "rp.registration", "accepted alg at attestation be bs check credential discoverable format mode reason spec transports trusted up uv uv_required", "WebAuthn L3 §7.1" },
        { NULL },
};
/* clang-format on */
