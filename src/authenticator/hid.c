/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/*
 * CTAPHID: channels, one transaction at a time, keep-alives.
 * Spec: CTAP 2.1 §11.2
 */
#define FRAME_TIMEOUT_MS 500
#define KEEPALIVE_MS 100
#define NONCE_LEN 8
#define STATUS_UP_NEEDED 2
#define PROTOCOL_VERSION 2

static void
send(struct kp_authenticator *key, uint32_t cid, uint8_t cmd, const void *payload,
        size_t payload_len)
{
        kp_ctaphid_split(cid, cmd, payload, payload_len, &key->hid.out);
}

static void
send_error(struct kp_authenticator *key, uint32_t cid, uint8_t code)
{
        send(key, cid, KP_CTAPHID_ERROR, &code, 1);
}

/* ---- channels ---- */

static bool
channel_use(struct kp_auth_hid *hid, uint32_t cid)
{
        for (size_t i = 0; i < hid->n_channels; i++) {
                if (hid->channels[i].cid != cid)
                        continue;
                hid->channels[i].last = ++hid->uses;
                return true;
        }
        return false;
}

/* A number that nobody has; the channel that was idle longest makes room. */
static uint32_t
channel_new(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;
        size_t at = hid->n_channels;
        uint32_t cid;

        do
                kp_random_bytes(key->random, &cid, sizeof(cid));
        while (cid == 0 || cid == KP_CTAPHID_BROADCAST || channel_use(hid, cid));
        if (at < KP_AUTH_CHANNELS) {
                hid->n_channels++;
        } else {
                at = 0;
                for (size_t i = 1; i < hid->n_channels; i++)
                        if (hid->channels[i].last < hid->channels[at].last)
                                at = i;
        }
        hid->channels[at].cid = cid;
        hid->channels[at].last = ++hid->uses;
        return cid;
}

static uint32_t
report_cid(const uint8_t *report)
{
        return (uint32_t)report[0] << 24 | (uint32_t)report[1] << 16 |
               (uint32_t)report[2] << 8 | report[3];
}

/* Reports for the channel that nobody has read yet are gone. */
static void
drop_reports(struct kp_auth_hid *hid, uint32_t cid)
{
        size_t keep = hid->out_at;

        for (size_t at = hid->out_at; at < hid->out.len; at += KP_CTAPHID_REPORT) {
                if (report_cid(hid->out.data + at) == cid)
                        continue;
                memmove(hid->out.data + keep, hid->out.data + at, KP_CTAPHID_REPORT);
                keep += KP_CTAPHID_REPORT;
        }
        hid->out.len = keep;
}

static void
stop_running(struct kp_authenticator *key)
{
        key->hid.running = false;
        kp_buf_wipe(&key->hid.message);
        kp_auth_finger_forget(key);
}

static void
answer_init(
        struct kp_authenticator *key, uint32_t to, uint32_t cid, const uint8_t *nonce)
{
        int64_t firmware = key->facts->firmware_version;
        uint8_t capabilities = KP_CTAPHID_CAP_WINK |
                               (key->ctap2 ? KP_CTAPHID_CAP_CBOR : 0) |
                               (key->u2f ? 0 : KP_CTAPHID_CAP_NMSG);
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };

        kp_buf_put(&answer, nonce, NONCE_LEN);
        kp_buf_put_be32(&answer, cid);
        kp_buf_put_u8(&answer, PROTOCOL_VERSION);
        kp_buf_put_u8(&answer, (uint8_t)(firmware >> 16));
        kp_buf_put_u8(&answer, (uint8_t)(firmware >> 8));
        kp_buf_put_u8(&answer, (uint8_t)firmware);
        kp_buf_put_u8(&answer, capabilities);
        if (!answer.failed)
                send(key, to, KP_CTAPHID_INIT, answer.data, answer.len);
}

/* §11.2.9.1.3: a new channel; an existing one starts over. Others are not disturbed. */
static void
take_init(struct kp_authenticator *key, const struct kp_ctaphid_frame *frame)
{
        struct kp_auth_hid *hid = &key->hid;

        if (frame->total != NONCE_LEN) {
                send_error(key, frame->cid, KP_CTAP1_ERR_INVALID_LENGTH);
                return;
        }
        if (frame->cid == KP_CTAPHID_BROADCAST) {
                answer_init(key, KP_CTAPHID_BROADCAST, channel_new(key), frame->data);
                return;
        }
        if (!channel_use(hid, frame->cid)) {
                send_error(key, frame->cid, KP_CTAP1_ERR_INVALID_CHANNEL);
                return;
        }
        if (hid->join.active && hid->join.cid == frame->cid)
                hid->join.active = false;
        if (hid->running && hid->cid == frame->cid)
                stop_running(key);
        if (key->next.channel == frame->cid)
                kp_auth_next_done(key);
        if (key->listing.channel == frame->cid)
                kp_auth_listing_done(key);
        drop_reports(hid, frame->cid);
        answer_init(key, frame->cid, frame->cid, frame->data);
}

/* ---- transactions ---- */

static void
run_cbor(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf answer = { 0 };

        if (!kp_auth_command(
                    key, hid->cid, hid->message.data, hid->message.len, &answer))
                return;
        stop_running(key);
        if (answer.len <= KP_CTAPHID_MAX_MESSAGE)
                send(key, hid->cid, KP_CTAPHID_CBOR, answer.data, answer.len);
}

static void
begin_cbor(struct kp_authenticator *key, struct kp_ctaphid_join *join)
{
        struct kp_auth_hid *hid = &key->hid;

        if (join->payload.len == 0) {
                send_error(key, join->cid, KP_CTAP1_ERR_INVALID_LENGTH);
                return;
        }
        hid->running = true;
        hid->cid = join->cid;
        hid->message = join->payload;
        join->payload = (struct kp_buf){ 0 };
        hid->keepalive_ms = key->now_ms + KEEPALIVE_MS;
        run_cbor(key);
}

static void
run_message(struct kp_authenticator *key, struct kp_ctaphid_join *join)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };

        kp_auth_next_done(key);
        kp_auth_listing_done(key);
        kp_auth_u2f(key, join->payload.data, join->payload.len, &answer);
        if (!answer.failed)
                send(key, join->cid, KP_CTAPHID_MSG, answer.data, answer.len);
}

static void
take_message(struct kp_authenticator *key)
{
        struct kp_ctaphid_join *join = &key->hid.join;

        if (join->cmd == KP_CTAPHID_PING)
                send(key, join->cid, KP_CTAPHID_PING, join->payload.data,
                        join->payload.len);
        else if (join->cmd == KP_CTAPHID_WINK)
                send(key, join->cid, KP_CTAPHID_WINK, NULL, 0);
        else if (join->cmd == KP_CTAPHID_CBOR && key->ctap2)
                begin_cbor(key, join);
        else if (join->cmd == KP_CTAPHID_MSG && key->u2f)
                run_message(key, join);
        else
                send_error(key, join->cid, KP_CTAP1_ERR_INVALID_COMMAND);
}

static void
take_frame(struct kp_authenticator *key, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_auth_hid *hid = &key->hid;

        switch (kp_ctaphid_join(&hid->join, report)) {
        case KP_JOIN_MORE:
                hid->join_ms = key->now_ms;
                break;
        case KP_JOIN_DONE:
                take_message(key);
                break;
        case KP_JOIN_BAD_SEQ:
                send_error(key, hid->join.cid, KP_CTAP1_ERR_INVALID_SEQ);
                break;
        case KP_JOIN_BAD_LEN:
                send_error(key, hid->join.cid, KP_CTAP1_ERR_INVALID_LENGTH);
                break;
        case KP_JOIN_STRAY:
                break;
        }
}

/* §11.2.9.1.5: no answer of its own; the command that waits on this channel ends. */
static void
take_cancel(struct kp_authenticator *key, uint32_t cid)
{
        static const uint8_t cancelled = KP_CTAP2_ERR_KEEPALIVE_CANCEL;

        if (!key->hid.running || key->hid.cid != cid)
                return;
        stop_running(key);
        send(key, cid, KP_CTAPHID_CBOR, &cancelled, 1);
}

/* An initialization frame that begins a transaction, if one may begin now. */
static void
take_first_frame(struct kp_authenticator *key, const struct kp_ctaphid_frame *frame,
        const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_auth_hid *hid = &key->hid;

        if (frame->cmd == KP_CTAPHID_CANCEL) {
                take_cancel(key, frame->cid);
        } else if (hid->running || (hid->join.active && hid->join.cid != frame->cid)) {
                send_error(key, frame->cid, KP_CTAP1_ERR_CHANNEL_BUSY);
        } else if (hid->join.active) { /* a continuation was due */
                hid->join.active = false;
                send_error(key, frame->cid, KP_CTAP1_ERR_INVALID_SEQ);
        } else {
                take_frame(key, report);
        }
}

void
kp_auth_hid_feed(struct kp_authenticator *key, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_ctaphid_frame frame;

        kp_ctaphid_frame_read(report, &frame);
        if (frame.is_init && frame.cmd == KP_CTAPHID_INIT && frame.cid != 0) {
                take_init(key, &frame);
                return;
        }
        if (frame.cid == 0 || frame.cid == KP_CTAPHID_BROADCAST ||
                !channel_use(&key->hid, frame.cid)) {
                if (frame.is_init)
                        send_error(key, frame.cid, KP_CTAP1_ERR_INVALID_CHANNEL);
                return;
        }
        if (frame.is_init)
                take_first_frame(key, &frame, report);
        else
                take_frame(key, report); /* of another channel: stray, ignored */
}

/* ---- time ---- */

static int64_t
sooner(int64_t a, int64_t b)
{
        if (a < 0 || b < 0)
                return a < 0 ? b : a;
        return a < b ? a : b;
}

int64_t
kp_auth_hid_next_ms(const struct kp_authenticator *key)
{
        const struct kp_auth_hid *hid = &key->hid;
        int64_t next = hid->join.active ? hid->join_ms + FRAME_TIMEOUT_MS : -1;

        if (hid->running)
                next = sooner(
                        next, sooner(kp_auth_finger_next_ms(key), hid->keepalive_ms));
        return next;
}

void
kp_auth_hid_tick(struct kp_authenticator *key)
{
        static const uint8_t up_needed = STATUS_UP_NEEDED;
        struct kp_auth_hid *hid = &key->hid;

        if (hid->join.active && key->now_ms >= hid->join_ms + FRAME_TIMEOUT_MS) {
                hid->join.active = false;
                send_error(key, hid->join.cid, KP_CTAP1_ERR_TIMEOUT);
        }
        if (!hid->running)
                return;
        kp_auth_finger_tick(key);
        if (key->finger.outcome != KP_AUTH_TOUCH_PENDING)
                run_cbor(key);
        if (hid->running && key->now_ms >= hid->keepalive_ms) {
                send(key, hid->cid, KP_CTAPHID_KEEPALIVE, &up_needed, 1);
                hid->keepalive_ms = key->now_ms + KEEPALIVE_MS;
        }
}

void
kp_auth_hid_done(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;

        kp_buf_wipe(&hid->join.payload);
        kp_buf_wipe(&hid->message);
        kp_buf_wipe(&hid->out);
        *hid = (struct kp_auth_hid){ 0 };
}
