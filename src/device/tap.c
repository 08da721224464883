/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/tap.h"

#include <stdlib.h>
#include <string.h>

#include "keypilot/codec/ctaphid.h"

#include "tap_rules.h"
#include "tap_trace.h"

struct kp_tap {
        struct kp_seam inner;
        enum kp_tap_rules rules;
        struct kp_trace *trace;

        struct kp_ctaphid_join out; /* what the driver is writing */
        struct kp_ctaphid_join in;  /* what the key is answering */

        /* the message that awaits its answer; its payload is `waiting_payload` */
        bool waiting;
        bool touch_told;
        struct kp_tap_message message;
        struct kp_buf waiting_payload;

        struct kp_tap_pin pin;
        struct kp_buf removable;
        struct kp_tap_verdict refusal;
        uint8_t last_status;
        unsigned n_hid[128], n_ctap[256];
};

static void
waiting_done(struct kp_tap *tap)
{
        kp_tap_message_done(&tap->message);
        kp_buf_clear(&tap->waiting_payload);
        tap->waiting = false;
}

/* A whole message has gone to the key. */
static int
message_sent(struct kp_tap *tap, struct kp_error *err)
{
        const struct kp_ctaphid_join *out = &tap->out;
        struct kp_buf *payload = &tap->waiting_payload;

        tap->n_hid[out->cmd & 0x7f]++;
        if (out->cmd == KP_CTAPHID_CBOR && out->payload.len > 0)
                tap->n_ctap[out->payload.data[0]]++;
        if (out->cmd == KP_CTAPHID_CANCEL)
                return 0; /* has no answer of its own */
        waiting_done(tap);
        kp_buf_put(payload, out->payload.data, out->payload.len);
        if (kp_buf_check(payload, err) < 0)
                return -1;
        if (tap->rules == KP_TAP_SIMULATED && tap->trace == NULL)
                tap->message = (struct kp_tap_message){ .cid = out->cid,
                        .hid_cmd = out->cmd }; /* nobody asks what it says */
        else
                kp_tap_message_read(
                        out->cid, out->cmd, payload->data, payload->len, &tap->message);
        if (kp_tap_is_pin_try(&tap->message))
                kp_tap_pin_tried(&tap->pin);
        tap->waiting = true;
        tap->touch_told = false;
        return 0;
}

static int
refused(struct kp_tap *tap, const char *cmd, const char *subcommand,
        struct kp_error *err)
{
        kp_trace_add(tap->trace, "key", "tap.refused", "{s:s, s:s*, s:s}", "cmd", cmd,
                "subcommand", subcommand, "why", tap->refusal.why);
        return KP_FAIL(err, KP_ESAFETY, "%s", tap->refusal.text);
}

static int
forward(struct kp_tap *tap, struct kp_error *err)
{
        const struct kp_ctaphid_join *out = &tap->out;
        struct kp_buf reports = { 0 };
        int r;

        /* framed anew: what filled the last frame does not reach the key */
        kp_ctaphid_split(
                out->cid, out->cmd, out->payload.data, out->payload.len, &reports);
        r = kp_buf_check(&reports, err);
        for (size_t i = 0; r == 0 && i < reports.len; i += KP_CTAPHID_REPORT)
                r = tap->inner.ops->write(tap->inner.self, reports.data + i, err);
        kp_buf_wipe(&reports);
        return r;
}

/* Nothing goes out before the whole message is there and was judged. */
static int
write_guarded(struct kp_tap *tap, enum kp_ctaphid_joined joined, struct kp_error *err)
{
        const struct kp_ctaphid_join *out = &tap->out;
        struct kp_tap_message message;
        bool may;
        int r = 0;

        if (joined == KP_JOIN_MORE)
                return 0;
        if (joined != KP_JOIN_DONE) {
                tap->refusal = (struct kp_tap_verdict){ "malformed",
                        "frames that make no message are not sent to a real key" };
                return refused(tap, "unknown", NULL, err);
        }
        kp_tap_message_read(
                out->cid, out->cmd, out->payload.data, out->payload.len, &message);
        may = kp_tap_judge(
                tap->rules, &message, &tap->pin, &tap->removable, &tap->refusal);
        if (!may)
                r = refused(tap, kp_tap_message_name(&message),
                        kp_tap_subcommand_name(&message), err);
        kp_tap_message_done(&message);
        /* first counted, then sent: a PIN that went out halfway was tried */
        return r < 0 || message_sent(tap, err) < 0 ? -1 : forward(tap, err);
}

static int
tap_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        struct kp_tap *tap = self;
        enum kp_ctaphid_joined joined = kp_ctaphid_join(&tap->out, report);

        if (tap->rules != KP_TAP_SIMULATED)
                return write_guarded(tap, joined, err);
        /* first noted, then written: the key may answer from within the call */
        if (joined == KP_JOIN_DONE && message_sent(tap, err) < 0)
                return -1;
        return tap->inner.ops->write(tap->inner.self, report, err);
}

static void
message_answered(struct kp_tap *tap)
{
        const struct kp_buf *answer = &tap->in.payload;
        const struct kp_tap_message *asked = &tap->message;

        if (tap->in.cmd == KP_CTAPHID_ERROR) {
                kp_trace_add(tap->trace, "key", "ctaphid.error", "{s:s, s:s}", "cmd",
                        kp_tap_message_name(asked), "code",
                        kp_ctap_status_name(answer->len > 0 ? answer->data[0] : 0));
                waiting_done(tap);
                return;
        }
        if (tap->in.cmd != asked->hid_cmd)
                return; /* a late answer to something else */
        if (asked->hid_cmd == KP_CTAPHID_CBOR && answer->len > 0) {
                tap->last_status = answer->data[0];
                if (kp_tap_is_pin_try(asked))
                        kp_tap_pin_answered(&tap->pin, answer->data[0]);
                if (asked->ctap_cmd == KP_CTAP_CLIENT_PIN &&
                        asked->subcommand == KP_CTAP_PIN_GET_RETRIES)
                        kp_tap_pin_retries(&tap->pin, answer->data, answer->len);
        }
        kp_tap_trace_exchange(tap->trace, asked, answer->data, answer->len);
        waiting_done(tap);
}

/* Spec: CTAP 2.1 §11.2.9.1.7 */
#define KEEPALIVE_UPNEEDED 2

static void
keepalive_seen(struct kp_tap *tap)
{
        const struct kp_buf *payload = &tap->in.payload;

        if (tap->touch_told || payload->len == 0 ||
                payload->data[0] != KEEPALIVE_UPNEEDED)
                return;
        tap->touch_told = true;
        kp_trace_add(tap->trace, "key", "ctap.touch", "{s:s}", "cmd",
                kp_tap_message_name(&tap->message));
}

static int
tap_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        struct kp_tap *tap = self;
        struct kp_ctaphid_frame frame;
        int r = tap->inner.ops->read(tap->inner.self, report, timeout_ms, err);

        if (r < 0 && tap->waiting) {
                kp_trace_add(tap->trace, "key", "key.lost", "{s:s}", "cmd",
                        kp_tap_message_name(&tap->message));
                waiting_done(tap);
        }
        if (r <= 0 || !tap->waiting)
                return r;
        /* a plugged-in key's answers to other programs pass here too */
        kp_ctaphid_frame_read(report, &frame);
        if (frame.cid != tap->message.cid ||
                kp_ctaphid_join(&tap->in, report) != KP_JOIN_DONE)
                return r;
        if (tap->in.cmd == KP_CTAPHID_KEEPALIVE)
                keepalive_seen(tap);
        else
                message_answered(tap);
        return r;
}

static void
tap_close(void *self)
{
        struct kp_tap *tap = self;

        tap->inner.ops->close(tap->inner.self);
        kp_tap_message_done(&tap->message);
        kp_buf_wipe(&tap->waiting_payload);
        kp_buf_wipe(&tap->out.payload);
        kp_buf_wipe(&tap->in.payload);
        kp_buf_done(&tap->removable);
        free(tap);
}

static const struct kp_seam_ops tap_ops = { tap_write, tap_read, tap_close };

int
kp_tap_new(struct kp_seam inner, enum kp_tap_rules rules, struct kp_trace *trace,
        struct kp_seam *ret_seam, struct kp_tap **ret, struct kp_error *err)
{
        struct kp_tap *tap = calloc(1, sizeof(*tap));

        if (tap == NULL) {
                inner.ops->close(inner.self);
                return KP_FAIL(err, KP_ENOMEM, "tap");
        }
        tap->inner = inner;
        tap->rules = rules;
        tap->trace = trace;
        *ret_seam = (struct kp_seam){ &tap_ops, tap };
        *ret = tap;
        return 0;
}

unsigned
kp_tap_count_hid(const struct kp_tap *tap, uint8_t hid_cmd)
{
        return tap->n_hid[hid_cmd & 0x7f];
}

unsigned
kp_tap_count_ctap(const struct kp_tap *tap, uint8_t ctap_cmd)
{
        return tap->n_ctap[ctap_cmd];
}

uint8_t
kp_tap_last_status(const struct kp_tap *tap)
{
        return tap->last_status;
}

const char *
kp_tap_refusal(const struct kp_tap *tap)
{
        return tap->refusal.why == NULL ? NULL : tap->refusal.text;
}

int
kp_tap_allow_remove(struct kp_tap *tap, const uint8_t *credential_id,
        size_t credential_id_len, struct kp_error *err)
{
        if (credential_id_len == 0 || credential_id_len > UINT16_MAX)
                return KP_FAIL(err, KP_ESAFETY,
                        "a credential id of %zu bytes is not removed",
                        credential_id_len);
        kp_buf_put_be16(&tap->removable, (uint16_t)credential_id_len);
        kp_buf_put(&tap->removable, credential_id, credential_id_len);
        return kp_buf_check(&tap->removable, err);
}
