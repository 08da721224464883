/* SPDX-License-Identifier: BSD-2-Clause */
#include "throw.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct kp_client_reason kp_client_reasons[] = {
        { "aborted", "AbortError", "the page called the ceremony off" },
        { "algorithm-not-asked", "NotSupportedError", "no entry of pubKeyCredParams has a type that is known" },
        { "algorithm-not-on-key", "NotAllowedError", "the key has none of the algorithms that the site asks for" },
        { "appid-not-for-origin", "SecurityError", "the AppID belongs to another site" },
        { "appid-not-url", "SyntaxError", "the AppID is no URL" },
        { "attachment-not-in-reach", "NotAllowedError", "the site asks for a platform passkey or a security key, and only the other kind is there" },
        { "client-cannot-discover", "NotAllowedError", "this client makes no discoverable credentials on security keys" },
        { "conditional-create-declined", "NotAllowedError", "no credential manager was willing to add a passkey without a dialog" },
        { "conditional-not-supported", "NotSupportedError", "this client has no conditional mediation" },
        { "credential-excluded", "InvalidStateError", "the key already holds a credential from excludeCredentials" },
        { "credprotect-not-on-key", "NotAllowedError", "the protection level is to be enforced and the key has none" },
        { "extension-input", "NotSupportedError", "an extension asks for something that this ceremony cannot give" },
        { "extension-syntax", "SyntaxError", "an extension's input is malformed" },
        { "immediate-not-possible", "NotAllowedError", "nothing is at hand that could answer at once" },
        { "key-answer-invalid", "NotAllowedError", "the key's answer is not what the specification allows" },
        { "key-cannot-discover", "NotAllowedError", "the key cannot store discoverable credentials" },
        { "key-full", "NotAllowedError", "the key has no room for another discoverable credential" },
        { "key-lost", "NotAllowedError", "the connection to the key broke" },
        { "key-refused", "NotAllowedError", "the key refused with a status that has no word of its own" },
        { "large-blob-not-supported", "NotAllowedError", "a large blob is required and there is none" },
        { "no-credential", "NotAllowedError", "no key in reach holds a credential that the site accepts" },
        { "no-key-in-reach", "NotAllowedError", "there is no key that this client can reach" },
        { "no-webauthn", "NotSupportedError", "this client has no WebAuthn for the page or app" },
        { "opaque-origin", "NotAllowedError", "the page has no origin of its own" },
        { "option-mistyped", "TypeError", "a member of the options is missing or has the wrong type" },
        { "option-not-base64url", "EncodingError", "a member of the options is not base64url" },
        { "origin-not-domain", "SecurityError", "the page's host is an IP address or no domain" },
        { "origin-not-secure", "SecurityError", "the page came over plain HTTP" },
        { "permissions-policy", "NotAllowedError", "the frame or its page may not use passkeys" },
        { "person-gave-up", "NotAllowedError", "the person closed the dialog" },
        { "pin-blocked", "NotAllowedError", "the key's PIN is blocked for good: only a reset helps" },
        { "pin-change-required", "NotAllowedError", "the key wants another PIN first" },
        { "pin-locked-until-replug", "NotAllowedError", "three wrong PINs: the key must be taken out and put back" },
        { "pin-not-accepted", "NotAllowedError", "the key did not accept the new PIN" },
        { "platform-provider-not-here", "NotAllowedError", "the passkey provider does not exist on this client's system" },
        { "related-origin-not-listed", "SecurityError", "the RP ID's list of related origins does not name the page" },
        { "related-origins-unreadable", "SecurityError", "the RP ID's list of related origins could not be read" },
        { "rp-id-not-for-app", "NotAllowedError", "the app is not linked to the RP ID" },
        { "rp-id-not-for-origin", "SecurityError", "the RP ID is no registrable suffix of the page's domain" },
        { "timed-out", "NotAllowedError", "the ceremony's time was up" },
        { "touch-refused", "NotAllowedError", "the person or the key denied the operation" },
        { "touch-timed-out", "NotAllowedError", "nobody touched the key in time" },
        { "transport-not-listed", "NotAllowedError", "no credential is said to be on a key that is connected like this one" },
        { "user-activation-missing", "NotAllowedError", "the person did not click just before" },
        { "user-id-length", "TypeError", "user.id is not 1 to 64 bytes" },
        { "uv-blocked", "NotAllowedError", "the key's built-in verification failed too often" },
        { "uv-failed", "NotAllowedError", "the key's built-in verification failed" },
        { "uv-required-but-key-has-none", "NotAllowedError", "verification is required and the key has no PIN and no fingerprint" },
        { NULL },
};
/* clang-format on */

static const struct kp_client_reason *
reason_find(const char *word)
{
        for (const struct kp_client_reason *r = kp_client_reasons; r->word != NULL; r++)
                if (strcmp(r->word, word) == 0)
                        return r;
        abort(); /* a word that the table does not have: our bug */
}

int
kp_throw(struct kp_exception *exception, const char *reason, uint8_t ctap,
        const char *format, ...)
{
        const struct kp_client_reason *found = reason_find(reason);
        va_list args;

        (void)snprintf(
                exception->name, sizeof(exception->name), "%s", found->exception);
        va_start(args, format);
        (void)vsnprintf(exception->message, sizeof(exception->message), format, args);
        va_end(args);
        exception->ctap = ctap;
        exception->reason = found->word;
        return KP_THROWN;
}
