/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "internal.h"

/*
 * CTAPHID: channels, one transaction at a time, keep-alives, the lock.
 * Spec: CTAP 2.1 §11.2
 */

/*
 * How long the next frame of a message may take. §11.2.5.2 asks for a limit and gives no
 * number; half a second is a hundred times what USB takes for a frame, and a person who
 * waits for the other application does not notice it.
 */
#define FRAME_TIMEOUT_MS 500
#define KEEPALIVE_MS 100 /* §11.2.9.1.7 */
#define NONCE_LEN 8
#define PROTOCOL_VERSION 2
#define LOCK_MAX_S 10            /* §11.2.9.2.2 */
#define SW_MEMORY_FAILURE 0x6581 /* ISO 7816-4 §5.6 */

/* §11.2.9.1.7: what a keep-alive tells */
enum { STATUS_PROCESSING = 1, STATUS_UP_NEEDED = 2 };

static void
send_error(struct kp_authenticator *key, uint32_t cid, uint8_t code)
{
        kp_auth_hid_send(key, cid, KP_CTAPHID_ERROR, &code, 1);
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

static bool
is_locked(const struct kp_authenticator *key)
{
        return key->hid.lock_cid != 0 && key->now_ms < key->hid.lock_ms;
}

/* A channel in the middle of something is not the one to make room. */
static bool
is_engaged(const struct kp_authenticator *key, uint32_t cid)
{
        const struct kp_auth_hid *hid = &key->hid;

        return (hid->running && hid->cid == cid) ||
               (hid->join.active && hid->join.cid == cid) ||
               (is_locked(key) && hid->lock_cid == cid);
}

/* Remember a channel; the one that was idle longest makes room. */
static void
channel_add(struct kp_authenticator *key, uint32_t cid)
{
        struct kp_auth_hid *hid = &key->hid;
        size_t at = hid->n_channels;

        if (at < KP_AUTH_CHANNELS) {
                hid->n_channels++;
        } else {
                for (size_t i = 0; i < hid->n_channels; i++)
                        if (!is_engaged(key, hid->channels[i].cid) &&
                                (at == hid->n_channels ||
                                        hid->channels[i].last < hid->channels[at].last))
                                at = i;
        }
        hid->channels[at].cid = cid;
        hid->channels[at].last = ++hid->uses;
}

/* A number that nobody has. */
static uint32_t
channel_new(struct kp_authenticator *key)
{
        uint32_t cid;

        do
                kp_random_bytes(key->random, &cid, sizeof(cid));
        while (cid == 0 || cid == KP_CTAPHID_BROADCAST || channel_use(&key->hid, cid));
        channel_add(key, cid);
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

void
kp_auth_hid_stop(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;

        hid->running = hid->stuck = hid->mute = hid->holding = false;
        kp_buf_wipe(&hid->message);
        kp_buf_wipe(&hid->held);
        kp_auth_finger_forget(key);
}

static uint8_t
capabilities(const struct kp_authenticator *key)
{
        return (uint8_t)((key->facts->hid_wink ? KP_CTAPHID_CAP_WINK : 0) |
                         (key->facts->hid_lock ? KP_CTAPHID_CAP_LOCK : 0) |
                         (key->ctap2 ? KP_CTAPHID_CAP_CBOR : 0) |
                         (key->u2f ? 0 : KP_CTAPHID_CAP_NMSG));
}

static void
answer_init(
        struct kp_authenticator *key, uint32_t to, uint32_t cid, const uint8_t *nonce)
{
        int64_t firmware = key->facts->firmware_version;
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };

        kp_buf_put(&answer, nonce, NONCE_LEN);
        kp_buf_put_be32(&answer, cid);
        kp_buf_put_u8(&answer, PROTOCOL_VERSION);
        kp_buf_put_u8(&answer, (uint8_t)(firmware >> 16));
        kp_buf_put_u8(&answer, (uint8_t)(firmware >> 8));
        kp_buf_put_u8(&answer, (uint8_t)firmware);
        kp_buf_put_u8(&answer, capabilities(key));
        if (answer.failed)
                return;
        if (kp_auth_fault_apart(key, KP_POINT_INIT_NONCE))
                answer.data[0] ^= 0xff;
        kp_auth_hid_send(key, to, KP_CTAPHID_INIT, answer.data, answer.len);
}

/* §11.2.5.3: what the channel was doing is over; others are not disturbed. */
static void
resynchronize(struct kp_authenticator *key, uint32_t cid)
{
        struct kp_auth_hid *hid = &key->hid;

        if (hid->join.active && hid->join.cid == cid)
                hid->join.active = false;
        if (hid->running && hid->cid == cid)
                kp_auth_hid_stop(key);
        if (key->next.channel == cid)
                kp_auth_next_done(key);
        if (key->listing.channel == cid)
                kp_auth_listing_done(key);
        drop_reports(hid, cid);
}

/*
 * §11.2.9.1.3. DEVIATION CTAP 2.1 §11.2.5.1: it says that a request from another channel
 * fails while a transaction runs; we answer CTAPHID_INIT then too, because it disturbs
 * nobody, and a platform that gets no channel takes the key for broken. The
 * specification leaves open what INIT means on a channel that was never handed out: it
 * is one from now on, so an application whose channel had to make room can go on.
 */
static void
take_init(struct kp_authenticator *key, const struct kp_ctaphid_frame *frame)
{
        if (frame->total != NONCE_LEN) {
                send_error(key, frame->cid, KP_CTAP1_ERR_INVALID_LENGTH);
                return;
        }
        if (frame->cid == KP_CTAPHID_BROADCAST) {
                answer_init(key, KP_CTAPHID_BROADCAST, channel_new(key), frame->data);
                return;
        }
        if (channel_use(&key->hid, frame->cid))
                resynchronize(key, frame->cid);
        else
                channel_add(key, frame->cid);
        answer_init(key, frame->cid, frame->cid, frame->data);
}

/* ---- commands that take time ---- */

/* §11.2.9.1.7: each 100 ms, and whenever the status changes. */
static void
tell_status(struct kp_authenticator *key, uint8_t status)
{
        struct kp_auth_hid *hid = &key->hid;

        if (hid->cmd != KP_CTAPHID_CBOR)
                hid->mute = true; /* a U2F platform does not expect them */
        if (hid->mute || (status == hid->status && key->now_ms < hid->keepalive_ms))
                return;
        hid->status = status;
        hid->keepalive_ms = key->now_ms + KEEPALIVE_MS;
        kp_auth_hid_send(key, hid->cid, KP_CTAPHID_KEEPALIVE, &status, 1);
}

static void
answer(struct kp_authenticator *key, const struct kp_buf *bytes)
{
        kp_auth_hid_stop(key);
        kp_auth_hid_answer(key, key->hid.cid, key->hid.cmd, bytes);
}

/* The command is carried out; its answer may be slow. */
static void
finish(struct kp_authenticator *key, struct kp_buf *bytes)
{
        struct kp_auth_hid *hid = &key->hid;
        int64_t ms;

        if (!kp_auth_fault(key, KP_POINT_SLOW_ANSWER, &ms)) {
                answer(key, bytes);
                return;
        }
        kp_auth_finger_forget(key);
        hid->holding = true;
        hid->held = *bytes;
        *bytes = (struct kp_buf){ 0 };
        hid->held_ms = key->now_ms + ms;
        tell_status(key, STATUS_PROCESSING);
}

static void
run_cbor(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf bytes = { 0 };

        if (kp_auth_command(
                    key, hid->cid, hid->message.data, hid->message.len, &bytes)) {
                finish(key, &bytes);
                return;
        }
        if (kp_auth_fault(key, KP_POINT_KEEPALIVE_NONE, NULL))
                hid->mute = true;
        tell_status(key, STATUS_UP_NEEDED);
}

void
kp_auth_u2f_command(struct kp_authenticator *key, const uint8_t *message,
        size_t message_len, struct kp_buf *ret)
{
        kp_auth_next_done(key);
        kp_auth_listing_done(key);
        kp_auth_blobs_forget(key);
        kp_auth_u2f(key, message, message_len, ret);
        if (kp_auth_keep_changes(key) != KP_CTAP_OK) {
                kp_buf_clear(ret);
                kp_buf_put_be16(ret, SW_MEMORY_FAILURE);
        }
}

static void
run_message(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf bytes = { 0 };

        kp_auth_u2f_command(key, hid->message.data, hid->message.len, &bytes);
        finish(key, &bytes);
}

/* The whole message is there. */
static void
begin(struct kp_authenticator *key, struct kp_ctaphid_join *join)
{
        struct kp_auth_hid *hid = &key->hid;
        int64_t status = 0;

        kp_auth_hid_stop(key);
        hid->running = true;
        hid->cid = join->cid;
        hid->cmd = join->cmd;
        hid->message = join->payload;
        join->payload = (struct kp_buf){ 0 };
        hid->status = 0;
        hid->keepalive_ms = key->now_ms + KEEPALIVE_MS;
        key->command = hid->cmd == KP_CTAPHID_CBOR ? hid->message.data[0] : 0;
        kp_auth_faults_begin(key);
        if (hid->cmd == KP_CTAPHID_MSG) {
                run_message(key);
        } else if (kp_auth_fault(key, KP_POINT_KEEPALIVE_STUCK, &status)) {
                hid->stuck = true;
                tell_status(key, (uint8_t)status);
        } else {
                run_cbor(key);
        }
}

/* ---- the short commands ---- */

/* §11.2.9.2.2: whole seconds; 0 gives the key back to all. */
static void
take_lock(struct kp_authenticator *key, const struct kp_ctaphid_join *join)
{
        uint8_t seconds = join->payload.data[0];

        if (seconds > LOCK_MAX_S) {
                send_error(key, join->cid, KP_CTAP1_ERR_INVALID_PARAMETER);
                return;
        }
        key->hid.lock_cid = seconds > 0 ? join->cid : 0;
        key->hid.lock_ms = key->now_ms + seconds * 1000;
        kp_auth_hid_send(key, join->cid, KP_CTAPHID_LOCK, NULL, 0);
}

static void
take_message(struct kp_authenticator *key)
{
        struct kp_ctaphid_join *join = &key->hid.join;

        if (join->cmd == KP_CTAPHID_PING)
                kp_auth_hid_send(key, join->cid, KP_CTAPHID_PING, join->payload.data,
                        join->payload.len);
        else if (join->cmd == KP_CTAPHID_WINK)
                kp_auth_hid_send(key, join->cid, KP_CTAPHID_WINK, NULL, 0);
        else if (join->cmd == KP_CTAPHID_LOCK)
                take_lock(key, join);
        else if (key->nfc.running) /* by radio somebody else is served */
                send_error(key, join->cid, KP_CTAP1_ERR_CHANNEL_BUSY);
        else
                begin(key, join);
}

/*
 * §11.2.9.1.5: no answer of its own; the command that waits on this channel ends. What
 * is not waiting for a finger cannot be cancelled any more.
 */
static void
take_cancel(struct kp_authenticator *key, uint32_t cid)
{
        const struct kp_auth_hid *hid = &key->hid;
        KP_CLEANUP(kp_buf_done) struct kp_buf cancelled = { 0 };

        if (!hid->running || hid->cid != cid || hid->stuck || hid->holding)
                return;
        kp_buf_put_u8(&cancelled, KP_CTAP2_ERR_KEEPALIVE_CANCEL);
        answer(key, &cancelled);
}

/* ---- transactions ---- */

/*
 * A command that this key does not have, or that is never as long as it claims, is
 * refused at its first frame. Returns an error code, 0: take it.
 */
static uint8_t
refusal(const struct kp_authenticator *key, const struct kp_ctaphid_frame *frame)
{
        size_t min = 0, max = KP_CTAPHID_MAX_MESSAGE;
        bool has = true;

        switch (frame->cmd) {
        case KP_CTAPHID_PING:
                break;
        case KP_CTAPHID_MSG:
                has = key->u2f;
                min = 1;
                break;
        case KP_CTAPHID_CBOR:
                has = key->ctap2;
                min = 1;
                break;
        case KP_CTAPHID_WINK:
                has = key->facts->hid_wink;
                max = 0;
                break;
        case KP_CTAPHID_LOCK:
                has = key->facts->hid_lock;
                min = max = 1;
                break;
        default:
                has = false;
        }
        if (!has)
                return KP_CTAP1_ERR_INVALID_COMMAND;
        return frame->total < min || frame->total > max ? KP_CTAP1_ERR_INVALID_LENGTH
                                                        : KP_CTAP_OK;
}

/* The frame may be the one that never arrives. */
static bool
is_pulled(struct kp_authenticator *key, const struct kp_ctaphid_frame *frame)
{
        struct kp_auth_hid *hid = &key->hid;

        if (frame->is_init) {
                hid->frame = 0;
                key->command = frame->cmd == KP_CTAPHID_CBOR ? frame->data[0] : 0;
                kp_auth_faults_begin(key);
        } else if (hid->join.active && hid->join.cid == frame->cid) {
                hid->frame++;
        } else {
                return false;
        }
        if (!kp_auth_fault_at(key, KP_POINT_UNPLUG_REQUEST, hid->frame))
                return false;
        kp_auth_hid_pull(key);
        return true;
}

static void
take_frame(struct kp_authenticator *key, const struct kp_ctaphid_frame *frame,
        const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_auth_hid *hid = &key->hid;

        if (is_pulled(key, frame))
                return;
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

/* §11.2.5.1, §11.2.9.2.2: somebody else is being served. */
static bool
is_busy_for(const struct kp_authenticator *key, uint32_t cid)
{
        const struct kp_auth_hid *hid = &key->hid;

        return hid->running || (hid->join.active && hid->join.cid != cid) ||
               (is_locked(key) && hid->lock_cid != cid);
}

/* An initialization frame that begins a transaction, if one may begin now. */
static void
take_first_frame(struct kp_authenticator *key, const struct kp_ctaphid_frame *frame,
        const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_auth_hid *hid = &key->hid;
        uint8_t code = refusal(key, frame);

        if (is_busy_for(key, frame->cid)) {
                code = KP_CTAP1_ERR_CHANNEL_BUSY;
        } else if (!channel_use(hid, frame->cid)) {
                code = KP_CTAP1_ERR_INVALID_CHANNEL;
        } else if (hid->join.active) { /* a continuation was due */
                hid->join.active = false;
                code = KP_CTAP1_ERR_INVALID_SEQ;
        }
        if (code != KP_CTAP_OK)
                send_error(key, frame->cid, code);
        else
                take_frame(key, frame, report);
}

void
kp_auth_hid_feed(struct kp_authenticator *key, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_ctaphid_frame frame;

        if (key->hid.pulled)
                return;
        kp_ctaphid_frame_read(report, &frame);
        if (!frame.is_init) {
                if (channel_use(&key->hid, frame.cid))
                        take_frame(key, &frame, report); /* of another: ignored */
        } else if (frame.cmd == KP_CTAPHID_CANCEL) {
                take_cancel(key, frame.cid);
        } else if (frame.cid == 0 || (frame.cid == KP_CTAPHID_BROADCAST &&
                                             frame.cmd != KP_CTAPHID_INIT)) {
                send_error(key, frame.cid, KP_CTAP1_ERR_INVALID_CHANNEL);
        } else if (frame.cmd != KP_CTAPHID_INIT) {
                take_first_frame(key, &frame, report);
        } else if (frame.cid != KP_CTAPHID_BROADCAST && is_locked(key) &&
                   frame.cid != key->hid.lock_cid) {
                send_error(key, frame.cid, KP_CTAP1_ERR_CHANNEL_BUSY);
        } else {
                take_init(key, &frame);
        }
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

        if (!hid->running)
                return next;
        if (!hid->mute)
                next = sooner(next, hid->keepalive_ms);
        if (hid->holding)
                return sooner(next, hid->held_ms);
        return hid->stuck ? next : sooner(next, kp_auth_finger_next_ms(key));
}

static void
tick_running(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf held = { 0 };

        if (hid->stuck) {
                tell_status(key, hid->status);
        } else if (!hid->holding) {
                kp_auth_finger_tick(key);
                if (key->finger.outcome != KP_AUTH_TOUCH_PENDING)
                        run_cbor(key);
                else
                        tell_status(key, STATUS_UP_NEEDED);
        } else if (key->now_ms < hid->held_ms) {
                tell_status(key, STATUS_PROCESSING);
        } else {
                held = hid->held;
                hid->held = (struct kp_buf){ 0 };
                answer(key, &held);
        }
}

void
kp_auth_hid_tick(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;

        if (hid->join.active && key->now_ms >= hid->join_ms + FRAME_TIMEOUT_MS) {
                hid->join.active = false;
                send_error(key, hid->join.cid, KP_CTAP1_ERR_TIMEOUT);
        }
        if (hid->running)
                tick_running(key);
}

void
kp_auth_hid_done(struct kp_authenticator *key)
{
        struct kp_auth_hid *hid = &key->hid;

        kp_buf_wipe(&hid->join.payload);
        kp_buf_wipe(&hid->message);
        kp_buf_wipe(&hid->held);
        kp_buf_wipe(&hid->out);
        *hid = (struct kp_auth_hid){ 0 };
}
