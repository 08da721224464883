/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "keypilot/codec/cbor.h"
#include "keypilot/core/free.h"

#include "serve_internal.h"

/*
 * What goes over the wire, in a word or two: the command and what came of it. Only
 * names are kept.
 */
#define CLA_ISO 0x00
#define CLA_FIDO 0x80
#define CLA_CHAINED 0x10
#define INS_SELECT 0xa4
#define INS_GET_RESPONSE_ISO 0xc0
#define INS_MSG 0x10
#define INS_GET_RESPONSE 0x11
#define SW_KEEPALIVE 0x9100

static void
name_u2f(struct kp_watch *watch, uint8_t ins, uint8_t p1)
{
        const char *name = ins == KP_U2F_REGISTER ? "u2f register"
                           : ins == KP_U2F_AUTHENTICATE
                                   ? (p1 == 0x07 ? "u2f check" : "u2f authenticate")
                           : ins == KP_U2F_VERSION ? "u2f version"
                                                   : "u2f unknown";

        (void)snprintf(watch->command, sizeof(watch->command), "%s", name);
}

/* The subcommand of clientPIN, the one command whose parts are worth telling apart. */
static const char *
pin_command(const uint8_t *params, size_t params_len)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error err = { 0 };
        int64_t code;

        if (kp_cbor_parse(params, params_len, KP_CBOR_LENIENT, &map, NULL, &err) < 0 ||
                !kp_cbor_is_int(kp_cbor_at_int(map, 2), &code) || code < 0 ||
                code > UINT8_MAX)
                return "";
        return kp_ctap_pin_cmd_name((uint8_t)code);
}

static void
name_ctap2(struct kp_watch *watch, const uint8_t *message, size_t message_len)
{
        const char *part = "";

        if (message_len == 0) {
                (void)snprintf(watch->command, sizeof(watch->command), "nothing");
                return;
        }
        if (message[0] == KP_CTAP_CLIENT_PIN)
                part = pin_command(message + 1, message_len - 1);
        (void)snprintf(watch->command, sizeof(watch->command), "%s%s%s",
                kp_ctap_cmd_name(message[0]), part[0] == '\0' ? "" : " ", part);
}

static void
name_message(struct kp_watch *watch, uint8_t cmd, const struct kp_buf *payload)
{
        watch->waited = watch->told_waits = false;
        watch->command[0] = '\0';
        if (cmd == KP_CTAPHID_CBOR)
                name_ctap2(watch, payload->data, payload->len);
        else if (cmd == KP_CTAPHID_MSG && payload->len >= 3)
                name_u2f(watch, payload->data[1], payload->data[2]);
        else if (cmd == KP_CTAPHID_WINK || cmd == KP_CTAPHID_LOCK)
                (void)snprintf(watch->command, sizeof(watch->command), "%s",
                        cmd == KP_CTAPHID_WINK ? "wink" : "lock");
}

void
kp_watch_in(struct kp_watch *watch, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_ctaphid_frame frame;

        kp_ctaphid_frame_read(report, &frame);
        /* a cancel, or a stranger, belongs to no message of its own */
        if (frame.is_init && frame.cmd == KP_CTAPHID_CANCEL)
                return;
        if (kp_ctaphid_join(&watch->in, report) == KP_JOIN_DONE)
                name_message(watch, watch->in.cmd, &watch->in.payload);
}

static bool
tell_status(const struct kp_watch *watch, uint8_t cmd, const struct kp_buf *payload,
        char status[40])
{
        const uint8_t *p = payload->data;
        size_t n = payload->len;

        if (watch->command[0] == '\0' || n == 0)
                return false;
        if (cmd == KP_CTAPHID_CBOR)
                (void)snprintf(status, 40, "%s", kp_ctap_status_name(p[0]));
        else if (cmd == KP_CTAPHID_MSG && n >= 2)
                (void)snprintf(status, 40, "%02x%02x", p[n - 2], p[n - 1]);
        else if (cmd == KP_CTAPHID_ERROR)
                (void)snprintf(status, 40, "CTAPHID_ERROR 0x%02x", p[0]);
        else
                return false;
        return true;
}

bool
kp_watch_out(struct kp_watch *watch, const uint8_t report[KP_CTAPHID_REPORT],
        char status[40])
{
        struct kp_ctaphid_join *out = &watch->out;
        bool told;

        if (kp_ctaphid_join(out, report) != KP_JOIN_DONE ||
                out->cmd == KP_CTAPHID_KEEPALIVE)
                return false;
        told = tell_status(watch, out->cmd, &out->payload, status);
        if (told && out->cmd != KP_CTAPHID_ERROR)
                watch->told_waits = false;
        return told;
}

/* ---- by radio or contacts ---- */

void
kp_watch_apdu(struct kp_watch *watch, const uint8_t *apdu, size_t apdu_len)
{
        size_t head = apdu_len > 4 && apdu[4] == 0 ? 7 : 5;

        if (apdu_len < 4 || apdu[1] == INS_GET_RESPONSE_ISO ||
                apdu[1] == INS_GET_RESPONSE)
                return;
        watch->waited = watch->told_waits = false;
        watch->command[0] = '\0';
        if ((apdu[0] & CLA_CHAINED) != 0)
                return; /* the last part counts, and it does not name the command */
        if (apdu[0] == CLA_ISO && apdu[1] == INS_SELECT)
                (void)snprintf(watch->command, sizeof(watch->command), "select");
        else if (apdu[0] == CLA_FIDO && apdu[1] == INS_MSG && apdu_len > head)
                name_ctap2(watch, apdu + head, 1);
        else if (apdu[0] == CLA_ISO)
                name_u2f(watch, apdu[1], apdu[2]);
}

bool
kp_watch_apdu_answer(
        struct kp_watch *watch, const struct kp_buf *answer, char status[40])
{
        const uint8_t *p = answer->data;
        size_t n = answer->len;
        unsigned word = n < 2 ? 0 : (unsigned)p[n - 2] << 8 | p[n - 1];

        if (watch->command[0] == '\0' || n < 2 || word == SW_KEEPALIVE)
                return false;
        if (n > 2 && strncmp(watch->command, "u2f", 3) != 0 &&
                strcmp(watch->command, "select") != 0)
                (void)snprintf(status, 40, "%s", kp_ctap_status_name(p[0]));
        else
                (void)snprintf(status, 40, "%04x", word);
        watch->command[0] = '\0'; /* what follows is the rest of this answer */
        return true;
}

void
kp_watch_done(struct kp_watch *watch)
{
        kp_buf_wipe(&watch->in.payload);
        kp_buf_wipe(&watch->out.payload);
        *watch = (struct kp_watch){ 0 };
}
