/* SPDX-License-Identifier: BSD-2-Clause */
#include "tap_trace.h"

#include <string.h>

#include "keypilot/codec/authdata.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/free.h"

static const char *
u2f_name(const struct kp_tap_message *message)
{
        switch (message->payload_len > 1 ? message->payload[1] : 0) {
        case KP_U2F_REGISTER:
                return "register";
        case KP_U2F_AUTHENTICATE:
                return "authenticate";
        case KP_U2F_VERSION:
                return "version";
        default:
                return "unknown";
        }
}

const char *
kp_tap_message_name(const struct kp_tap_message *message)
{
        switch (message->hid_cmd) {
        case KP_CTAPHID_CBOR:
                return kp_ctap_cmd_name(message->ctap_cmd);
        case KP_CTAPHID_MSG:
                return u2f_name(message);
        case KP_CTAPHID_INIT:
                return "init";
        case KP_CTAPHID_PING:
                return "ping";
        case KP_CTAPHID_LOCK:
                return "lock";
        case KP_CTAPHID_WINK:
                return "wink";
        case KP_CTAPHID_CANCEL:
                return "cancel";
        default:
                return "unknown";
        }
}

const char *
kp_tap_subcommand_name(const struct kp_tap_message *message)
{
        /* Spec table: CTAP 2.1 §6.8, subcommands, by value */
        static const char *const management[] = { "unknown", "getCredsMetadata",
                "enumerateRPsBegin", "enumerateRPsGetNextRP",
                "enumerateCredentialsBegin", "enumerateCredentialsGetNextCredential",
                "deleteCredential", "updateUserInformation" };

        switch (message->ctap_cmd) {
        case KP_CTAP_CLIENT_PIN:
                return kp_ctap_pin_cmd_name(message->subcommand);
        case KP_CTAP_CREDENTIAL_MANAGEMENT:
        case KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW:
                return message->subcommand < KP_NELEMS(management)
                               ? management[message->subcommand]
                               : management[0];
        default:
                return NULL;
        }
}

/* ---- facts of a request ---- */

struct facts {
        json_t *algorithms, *allow, *exclude, *extensions, *permissions, *pin_auth;
        json_t *rk, *up, *uv;
        json_t *user_present, *user_verified, *backup_eligible, *backed_up;
        json_t *credentials, *retries;
        const char *attestation;
};

static json_t *
bool_or_null(const cbor_item_t *item)
{
        bool value;

        return kp_cbor_is_bool(item, &value) ? json_boolean(value) : NULL;
}

static json_t *
count_or_null(const cbor_item_t *item)
{
        size_t n;

        return kp_cbor_is_array(item, &n) ? json_integer((json_int_t)n) : NULL;
}

static json_t *
algorithms(const cbor_item_t *list)
{
        json_t *names;
        size_t n;

        if (!kp_cbor_is_array(list, &n) || (names = json_array()) == NULL)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                int64_t alg = 0;

                (void)kp_cbor_is_int(kp_cbor_at_str(cbor_array_handle(list)[i], "alg"),
                        &alg); /* stays 0: "unknown" */
                (void)json_array_append_new(
                        names, json_string(kp_cose_alg_name((int)alg)));
        }
        return names;
}

static json_t *
extensions(const cbor_item_t *map)
{
        /* sorted; names of others are not of a fixed vocabulary */
        static const char *const known[] = { "credBlob", "credProtect", "hmac-secret",
                "largeBlobKey", "minPinLength", "uvm" };
        json_t *names;
        size_t n;

        if (!kp_cbor_is_map(map, &n) || (names = json_array()) == NULL)
                return NULL;
        for (size_t i = 0; i < KP_NELEMS(known); i++)
                if (kp_cbor_at_str(map, known[i]) != NULL)
                        (void)json_array_append_new(names, json_string(known[i]));
        return names;
}

static json_t *
permissions(const cbor_item_t *item)
{
        /* Spec table: CTAP 2.1 §6.5.5.7, permissions, by bit */
        static const char *const bits[] = { "mc", "ga", "cm", "be", "lbw", "acfg" };
        json_t *names;
        int64_t value;

        if (!kp_cbor_is_int(item, &value) || (names = json_array()) == NULL)
                return NULL;
        for (size_t i = 0; i < KP_NELEMS(bits); i++)
                if (value >> i & 1)
                        (void)json_array_append_new(names, json_string(bits[i]));
        return names;
}

static void
facts_of_options(const cbor_item_t *options, struct facts *ret)
{
        ret->rk = bool_or_null(kp_cbor_at_str(options, "rk"));
        ret->up = bool_or_null(kp_cbor_at_str(options, "up"));
        ret->uv = bool_or_null(kp_cbor_at_str(options, "uv"));
}

static void
facts_of_request(const struct kp_tap_message *asked, struct facts *ret)
{
        const cbor_item_t *params = asked->params;

        switch (asked->ctap_cmd) {
        case KP_CTAP_MAKE_CREDENTIAL:
                ret->algorithms = algorithms(kp_cbor_at_int(params, 4));
                ret->exclude = count_or_null(kp_cbor_at_int(params, 5));
                ret->extensions = extensions(kp_cbor_at_int(params, 6));
                facts_of_options(kp_cbor_at_int(params, 7), ret);
                ret->pin_auth = json_boolean(kp_cbor_at_int(params, 8) != NULL);
                break;
        case KP_CTAP_GET_ASSERTION:
                ret->allow = count_or_null(kp_cbor_at_int(params, 3));
                ret->extensions = extensions(kp_cbor_at_int(params, 4));
                facts_of_options(kp_cbor_at_int(params, 5), ret);
                ret->pin_auth = json_boolean(kp_cbor_at_int(params, 6) != NULL);
                break;
        case KP_CTAP_CLIENT_PIN:
                ret->permissions = permissions(kp_cbor_at_int(params, 9));
                break;
        default:
                break;
        }
}

/* ---- facts of an answer ---- */

static void
facts_of_auth_data(const cbor_item_t *item, struct facts *ret)
{
        const uint8_t *bytes;
        size_t len;

        if (!kp_cbor_is_bytes(item, &bytes, &len) || len < 37)
                return;
        ret->user_present = json_boolean(bytes[32] & KP_AUTHDATA_UP);
        ret->user_verified = json_boolean(bytes[32] & KP_AUTHDATA_UV);
        ret->backup_eligible = json_boolean(bytes[32] & KP_AUTHDATA_BE);
        ret->backed_up = json_boolean(bytes[32] & KP_AUTHDATA_BS);
}

/* Spec: WebAuthn L3 §8 */
static const char *
attestation(const cbor_item_t *item)
{
        static const char *const known[] = { "packed", "tpm", "android-key",
                "android-safetynet", "fido-u2f", "apple", "none", "compound" };
        const char *text;
        size_t len;

        if (!kp_cbor_is_text(item, &text, &len))
                return NULL;
        for (size_t i = 0; i < KP_NELEMS(known); i++)
                if (kp_bytes_equal(text, len, known[i], strlen(known[i])))
                        return known[i];
        return "other";
}

static void
facts_of_answer(
        const struct kp_tap_message *asked, const cbor_item_t *map, struct facts *ret)
{
        int64_t n;

        switch (asked->ctap_cmd) {
        case KP_CTAP_MAKE_CREDENTIAL:
                ret->attestation = attestation(kp_cbor_at_int(map, 1));
                facts_of_auth_data(kp_cbor_at_int(map, 2), ret);
                break;
        case KP_CTAP_GET_ASSERTION:
        case KP_CTAP_GET_NEXT_ASSERTION:
                facts_of_auth_data(kp_cbor_at_int(map, 2), ret);
                if (kp_cbor_is_int(kp_cbor_at_int(map, 5), &n) && n > 1)
                        ret->credentials = json_integer(n);
                break;
        case KP_CTAP_CLIENT_PIN:
                if (kp_cbor_is_int(kp_cbor_at_int(map, 3), &n) ||
                        kp_cbor_is_int(kp_cbor_at_int(map, 5), &n))
                        ret->retries = json_integer(n);
                break;
        default:
                break;
        }
}

/* Whose answer is worth reading. */
static bool
has_facts(const struct kp_tap_message *asked)
{
        switch (asked->ctap_cmd) {
        case KP_CTAP_MAKE_CREDENTIAL:
        case KP_CTAP_GET_ASSERTION:
        case KP_CTAP_GET_NEXT_ASSERTION:
                return true;
        case KP_CTAP_CLIENT_PIN:
                return asked->subcommand == KP_CTAP_PIN_GET_RETRIES ||
                       asked->subcommand == KP_CTAP_PIN_GET_UV_RETRIES;
        default:
                return false;
        }
}

static void
trace_ctap(struct kp_trace *trace, const struct kp_tap_message *asked,
        const uint8_t *answer, size_t answer_len)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error ignored = { 0 }; /* an unreadable answer just has no facts */
        struct facts f = { 0 };

        facts_of_request(asked, &f);
        if (answer_len > 1 && has_facts(asked) &&
                kp_cbor_parse(answer + 1, answer_len - 1, KP_CBOR_LENIENT, &map, NULL,
                        &ignored) == 0)
                facts_of_answer(asked, map, &f);
        kp_trace_add(trace, "key", "ctap",
                "{s:s, s:s*, s:s*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, "
                "s:o*,"
                " s:o*, s:o*, s:o*, s:o*, s:o*, s:o*, s:s*}",
                "cmd", kp_tap_message_name(asked), "subcommand",
                kp_tap_subcommand_name(asked), "status",
                answer_len > 0 ? kp_ctap_status_name(answer[0]) : NULL, "algorithms",
                f.algorithms, "allow", f.allow, "exclude", f.exclude, "extensions",
                f.extensions, "permissions", f.permissions, "pin_auth", f.pin_auth,
                "rk", f.rk, "up", f.up, "uv", f.uv, "user_present", f.user_present,
                "user_verified", f.user_verified, "backup_eligible", f.backup_eligible,
                "backed_up", f.backed_up, "credentials", f.credentials, "retries",
                f.retries, "attestation", f.attestation);
}

/* Spec: FIDO U2F Raw Message Formats v1.2 §3.3 */
static const char *
u2f_status(const uint8_t *answer, size_t answer_len)
{
        if (answer_len < 2)
                return "none";
        switch (answer[answer_len - 2] << 8 | answer[answer_len - 1]) {
        case KP_U2F_SW_NO_ERROR:
                return "SW_NO_ERROR";
        case KP_U2F_SW_CONDITIONS_NOT_SATISFIED:
                return "SW_CONDITIONS_NOT_SATISFIED";
        case KP_U2F_SW_COMMAND_NOT_ALLOWED:
                return "SW_COMMAND_NOT_ALLOWED";
        case KP_U2F_SW_WRONG_DATA:
                return "SW_WRONG_DATA";
        case KP_U2F_SW_WRONG_LENGTH:
                return "SW_WRONG_LENGTH";
        case KP_U2F_SW_CLA_NOT_SUPPORTED:
                return "SW_CLA_NOT_SUPPORTED";
        case KP_U2F_SW_INS_NOT_SUPPORTED:
                return "SW_INS_NOT_SUPPORTED";
        default:
                return "other";
        }
}

void
kp_tap_trace_exchange(struct kp_trace *trace, const struct kp_tap_message *asked,
        const uint8_t *answer, size_t answer_len)
{
        bool check_only;

        if (trace == NULL)
                return;
        if (asked->hid_cmd == KP_CTAPHID_CBOR)
                trace_ctap(trace, asked, answer, answer_len);
        if (asked->hid_cmd != KP_CTAPHID_MSG)
                return;
        check_only = asked->payload_len > 2 &&
                     asked->payload[1] == KP_U2F_AUTHENTICATE &&
                     asked->payload[2] == 0x07;
        kp_trace_add(trace, "key", "u2f", "{s:s, s:b, s:s}", "cmd",
                kp_tap_message_name(asked), "check_only", check_only, "status",
                u2f_status(answer, answer_len));
}
