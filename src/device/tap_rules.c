/* SPDX-License-Identifier: BSD-2-Clause */
#include "tap_rules.h"

#include <stdio.h>
#include <string.h>

#include "keypilot/core/free.h"

/* The subcommand under that key; 0, which no command has, where it is none. */
static uint8_t
subcommand_at(const cbor_item_t *params, int64_t key)
{
        int64_t value;

        if (!kp_cbor_is_int(kp_cbor_at_int(params, key), &value) || value < 1 ||
                value > 255)
                return 0;
        return (uint8_t)value;
}

void
kp_tap_message_read(uint32_t cid, uint8_t hid_cmd, const uint8_t *payload,
        size_t payload_len, struct kp_tap_message *ret)
{
        struct kp_error ignored = { 0 }; /* what cannot be read is judged as that */

        *ret = (struct kp_tap_message){ cid, hid_cmd, payload, payload_len, 0, 0,
                NULL };
        if (hid_cmd != KP_CTAPHID_CBOR || payload_len == 0)
                return;
        ret->ctap_cmd = payload[0];
        if (payload_len == 1 ||
                kp_cbor_parse(payload + 1, payload_len - 1, KP_CBOR_CTAP2, &ret->params,
                        NULL, &ignored) < 0)
                return;
        if (ret->ctap_cmd == KP_CTAP_CLIENT_PIN)
                ret->subcommand = subcommand_at(ret->params, 2);
        else if (ret->ctap_cmd == KP_CTAP_CREDENTIAL_MANAGEMENT ||
                 ret->ctap_cmd == KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW)
                ret->subcommand = subcommand_at(ret->params, 1);
}

void
kp_tap_message_done(struct kp_tap_message *message)
{
        kp_free_cbor(&message->params);
}

/* ---- PIN tries ---- */

bool
kp_tap_is_pin_try(const struct kp_tap_message *message)
{
        return message->hid_cmd == KP_CTAPHID_CBOR &&
               message->ctap_cmd == KP_CTAP_CLIENT_PIN &&
               (message->subcommand == KP_CTAP_PIN_GET_TOKEN ||
                       message->subcommand == KP_CTAP_PIN_GET_TOKEN_PIN_PERMS);
}

void
kp_tap_pin_tried(struct kp_tap_pin *pin)
{
        /* counted as wrong until it proves right: the answer may never come */
        pin->wrong_in_a_row++;
        pin->enough = false;
}

void
kp_tap_pin_answered(struct kp_tap_pin *pin, uint8_t status)
{
        switch (status) {
        case KP_CTAP_OK:
                pin->wrong_in_a_row = 0;
                pin->enough = true;
                break;
        case KP_CTAP2_ERR_PIN_INVALID:
                break;
        case KP_CTAP2_ERR_PIN_BLOCKED:
        case KP_CTAP2_ERR_PIN_AUTH_BLOCKED:
                pin->wrong_in_a_row = KP_TAP_PIN_WRONG;
                break;
        default: /* refused for another reason: the key did not look at the PIN */
                if (pin->wrong_in_a_row > 0)
                        pin->wrong_in_a_row--;
                break;
        }
}

void
kp_tap_pin_retries(struct kp_tap_pin *pin, const uint8_t *answer, size_t answer_len)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error ignored = { 0 }; /* what cannot be read allows nothing */
        bool replug = false;
        int64_t retries;

        pin->enough = false;
        if (answer_len < 2 || answer[0] != KP_CTAP_OK ||
                kp_cbor_parse(answer + 1, answer_len - 1, KP_CBOR_LENIENT, &map, NULL,
                        &ignored) < 0 ||
                !kp_cbor_is_int(kp_cbor_at_int(map, 3), &retries))
                return;
        (void)kp_cbor_is_bool(kp_cbor_at_int(map, 4), &replug); /* absent: false */
        pin->asked = true;
        pin->enough = retries >= KP_TAP_PIN_RETRIES && !replug;
}

/* ---- the allow-list ---- */

static bool
refuse(struct kp_tap_verdict *ret, const char *why, const char *what, const char *rest)
{
        ret->why = why;
        (void)snprintf(ret->text, sizeof(ret->text), "%s %s", what, rest);
        return false;
}

bool
kp_tap_may_remove(const struct kp_buf *removable, const uint8_t *id, size_t id_len)
{
        size_t at = 0;

        while (at + 2 <= removable->len) {
                size_t len = (size_t)removable->data[at] << 8 | removable->data[at + 1];

                if (kp_bytes_equal(removable->data + at + 2, len, id, id_len))
                        return true;
                at += 2 + len;
        }
        return false;
}

static bool
judge_pin_try(
        const struct kp_tap_pin *pin, const char *name, struct kp_tap_verdict *ret)
{
        if (pin->wrong_in_a_row >= KP_TAP_PIN_WRONG)
                return refuse(ret, "pin-wrong-twice", name,
                        "is not sent: the PIN was wrong twice in a row");
        if (!pin->asked)
                return refuse(ret, "pin-retries-unknown", name,
                        "is not sent before the key has said how many tries are left");
        if (!pin->enough)
                return refuse(ret, "pin-retries-low", name,
                        "is not sent: ask again how many tries are left; five must be");
        return true;
}

/*
 * A token may be for what is allowed afterwards: enrolment, login, passkeys. Whoever
 * asks for one that writes large blobs, enrols fingers, changes settings, or is kept for
 * good, wants what a real key is not asked for: the PIN does not go out at all.
 * Spec: CTAP 2.1 §6.5.5.7
 */
static bool
judge_permissions(const struct kp_tap_message *message, const char *name,
        struct kp_tap_verdict *ret)
{
        static const int64_t allowed =
                KP_CTAP_PERM_MC | KP_CTAP_PERM_GA | KP_CTAP_PERM_CM;
        const cbor_item_t *item = kp_cbor_at_int(message->params, 9);
        int64_t permissions;

        if (item == NULL)
                return true; /* the key refuses it, or it is of CTAP 2.0 */
        if (!kp_cbor_is_int(item, &permissions) || permissions < 0 ||
                (permissions & ~allowed) != 0)
                return refuse(ret, "not-allowed", name,
                        "is not sent to a real key for other than making, using and "
                        "listing passkeys");
        return true;
}

/* Spec: CTAP 2.1 §6.5.5 */
static bool
judge_client_pin(const struct kp_tap_message *message, const struct kp_tap_pin *pin,
        struct kp_tap_verdict *ret)
{
        const char *name = kp_ctap_pin_cmd_name(message->subcommand);

        switch (message->subcommand) {
        case KP_CTAP_PIN_GET_RETRIES:
        case KP_CTAP_PIN_GET_KEY_AGREEMENT:
        case KP_CTAP_PIN_GET_UV_RETRIES:
                return true;
        case KP_CTAP_PIN_GET_TOKEN_UV_PERMS:
                return judge_permissions(message, name, ret);
        case KP_CTAP_PIN_GET_TOKEN:
        case KP_CTAP_PIN_GET_TOKEN_PIN_PERMS:
                return judge_permissions(message, name, ret) &&
                       judge_pin_try(pin, name, ret);
        default:
                return refuse(ret, "not-allowed", name, "is never sent to a real key");
        }
}

/* Spec: CTAP 2.1 §6.8 */
enum { CM_METADATA = 1, CM_LAST_READING = 5, CM_DELETE = 6 };

static bool
judge_credential_management(const struct kp_tap_message *message,
        const struct kp_buf *removable, struct kp_tap_verdict *ret)
{
        const uint8_t *id;
        size_t id_len;

        if (message->subcommand >= CM_METADATA &&
                message->subcommand <= CM_LAST_READING)
                return true;
        if (message->subcommand != CM_DELETE)
                return refuse(ret, "not-allowed", "credentialManagement",
                        "only reads and removes on a real key");
        if (!kp_cbor_is_bytes(
                    kp_cbor_at_str(
                            kp_cbor_at_int(kp_cbor_at_int(message->params, 2), 2),
                            "id"),
                    &id, &id_len) ||
                !kp_tap_may_remove(removable, id, id_len))
                return refuse(ret, "not-ours", "a passkey",
                        "is not removed: the ledger does not name it");
        return true;
}

static bool
judge_cbor(const struct kp_tap_message *message, const struct kp_tap_pin *pin,
        const struct kp_buf *removable, struct kp_tap_verdict *ret)
{
        const char *name = kp_ctap_cmd_name(message->ctap_cmd);

        if (message->payload_len == 0)
                return refuse(ret, "malformed", "an empty message", "is not sent");
        if (message->payload_len > 1 && message->params == NULL)
                return refuse(ret, "malformed", name,
                        "is not sent: its parameters are not canonical CBOR");
        switch (message->ctap_cmd) {
        case KP_CTAP_MAKE_CREDENTIAL:
        case KP_CTAP_GET_ASSERTION:
        case KP_CTAP_GET_INFO:
        case KP_CTAP_GET_NEXT_ASSERTION:
        case KP_CTAP_SELECTION:
                return true;
        case KP_CTAP_CLIENT_PIN:
                return judge_client_pin(message, pin, ret);
        case KP_CTAP_CREDENTIAL_MANAGEMENT:
        case KP_CTAP_CREDENTIAL_MANAGEMENT_PREVIEW:
                return judge_credential_management(message, removable, ret);
        default:
                return refuse(ret, "not-allowed", name, "is never sent to a real key");
        }
}

/* Spec: FIDO U2F Raw Message Formats v1.2 §3 */
static bool
judge_u2f(const struct kp_tap_message *message, struct kp_tap_verdict *ret)
{
        const uint8_t *apdu = message->payload;

        if (message->payload_len < 4 || apdu[0] != 0)
                return refuse(
                        ret, "malformed", "a U2F message", "of that class is not sent");
        switch (apdu[1]) {
        case KP_U2F_REGISTER:
        case KP_U2F_VERSION:
                return true;
        case KP_U2F_AUTHENTICATE:
                if (apdu[2] == 0x03 || apdu[2] == 0x07 || apdu[2] == 0x08)
                        return true;
                return refuse(
                        ret, "malformed", "U2F authenticate", "has an unknown control");
        default:
                return refuse(ret, "not-allowed", "a U2F command",
                        "beyond the three is not sent");
        }
}

/* Spec: CTAP 2.1 §11.2.9 */
static bool
judge_real(const struct kp_tap_message *message, const struct kp_tap_pin *pin,
        const struct kp_buf *removable, struct kp_tap_verdict *ret)
{
        switch (message->hid_cmd) {
        case KP_CTAPHID_PING:
        case KP_CTAPHID_INIT:
        case KP_CTAPHID_WINK:
        case KP_CTAPHID_CANCEL:
                return true;
        case KP_CTAPHID_MSG:
                return judge_u2f(message, ret);
        case KP_CTAPHID_CBOR:
                return judge_cbor(message, pin, removable, ret);
        default:
                return refuse(ret, "not-allowed", "a CTAPHID command",
                        "other than INIT, PING, WINK, CANCEL, MSG, CBOR is not sent");
        }
}

static bool
judge_read_only(const struct kp_tap_message *message, struct kp_tap_verdict *ret)
{
        static const char *const rest = "is not sent: this only looks at the key";

        switch (message->hid_cmd) {
        case KP_CTAPHID_INIT:
        case KP_CTAPHID_CANCEL: /* ends a request of ours that is not answered */
                return true;
        case KP_CTAPHID_MSG:
                if (message->payload_len >= 4 && message->payload[0] == 0 &&
                        message->payload[1] == KP_U2F_VERSION)
                        return true;
                return refuse(ret, "read-only", "a U2F command", rest);
        case KP_CTAPHID_CBOR:
                if (message->ctap_cmd == KP_CTAP_GET_INFO && message->payload_len == 1)
                        return true;
                if (message->ctap_cmd == KP_CTAP_CLIENT_PIN &&
                        message->subcommand == KP_CTAP_PIN_GET_RETRIES)
                        return true;
                return refuse(
                        ret, "read-only", kp_ctap_cmd_name(message->ctap_cmd), rest);
        default:
                return refuse(ret, "read-only", "a CTAPHID command", rest);
        }
}

bool
kp_tap_judge(enum kp_tap_rules rules, const struct kp_tap_message *message,
        const struct kp_tap_pin *pin, const struct kp_buf *removable,
        struct kp_tap_verdict *ret)
{
        switch (rules) {
        case KP_TAP_SIMULATED:
                return true;
        case KP_TAP_REAL:
                return judge_real(message, pin, removable, ret);
        case KP_TAP_READ_ONLY:
        default:
                return judge_read_only(message, ret);
        }
}
