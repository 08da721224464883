/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "keypilot/codec/ctaphid.h"

#include "ctap.h"

#define INIT_NONCE 8
#define INIT_ANSWER 17   /* nonce, channel, protocol, three of version, capabilities */
#define SILENCE_MS 10000 /* a key at work says so ten times a second */
#define CANCEL_MS 1000
#define KEEPALIVE_MS 100
#define CANCEL_KEEPALIVES 20 /* of a key that does not hear the cancel */
#define BUSY_TRIES 20
#define BUSY_MS 100
#define MAX_FRAMES 100000 /* of other programs, while we wait for ours */

void
kp_answer_done(struct kp_answer *answer)
{
        kp_buf_wipe(&answer->body);
        *answer = (struct kp_answer){ 0 };
}

static int
send_message(struct kp_ctap *ctap, uint32_t cid, uint8_t cmd, struct kp_bytes payload,
        struct kp_error *err)
{
        struct kp_buf reports = { 0 };
        int r;

        kp_ctaphid_split(cid, cmd, payload.data, payload.len, &reports);
        r = kp_buf_check(&reports, err);
        for (size_t i = 0; r == 0 && i < reports.len; i += KP_CTAPHID_REPORT)
                r = ctap->seam.ops->write(ctap->seam.self, reports.data + i, err);
        kp_buf_wipe(&reports);
        return r;
}

struct receiver {
        struct kp_ctap *ctap;
        const struct kp_wire_request *request;
        uint32_t cid;
        struct kp_ctaphid_join join;
        struct kp_wire_answer *answer;
        unsigned n_after_cancel;
};

enum received { RECEIVED_MORE, RECEIVED_ANSWER, RECEIVED_NOTHING, RECEIVED_NONSENSE };

static enum received
message_take(struct receiver *receiver)
{
        const struct kp_buf *payload = &receiver->join.payload;

        if (receiver->join.cmd == receiver->request->cmd)
                return RECEIVED_ANSWER;
        if (receiver->join.cmd == KP_CTAPHID_KEEPALIVE) {
                receiver->answer->n_keepalives++;
                receiver->answer->keepalive = payload->len > 0 ? payload->data[0] : 0;
                receiver->n_after_cancel += receiver->answer->cancelled;
        }
        if (receiver->join.cmd != KP_CTAPHID_ERROR)
                return RECEIVED_MORE; /* or a late answer to something else */
        receiver->answer->hid_error =
                payload->len > 0 ? payload->data[0] : KP_CTAP1_ERR_OTHER;
        return RECEIVED_NONSENSE;
}

static enum received
frame_take(struct receiver *receiver, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_ctaphid_frame frame;

        kp_ctaphid_frame_read(report, &frame);
        if (frame.cid != receiver->cid)
                return RECEIVED_MORE; /* to another program */
        if (receiver->request->keep_frames)
                kp_buf_put(&receiver->answer->frames, report, KP_CTAPHID_REPORT);
        switch (kp_ctaphid_join(&receiver->join, report)) {
        case KP_JOIN_MORE:
        case KP_JOIN_STRAY:
                return RECEIVED_MORE;
        case KP_JOIN_DONE:
                return message_take(receiver);
        case KP_JOIN_BAD_SEQ:
                receiver->answer->hid_error = KP_CTAP1_ERR_INVALID_SEQ;
                return RECEIVED_NONSENSE;
        case KP_JOIN_BAD_LEN:
        default:
                receiver->answer->hid_error = KP_CTAP1_ERR_INVALID_LENGTH;
                return RECEIVED_NONSENSE;
        }
}

/* Cancel once: a key that still works answers KEEPALIVE_CANCEL. */
static int
cancel(struct receiver *receiver, struct kp_error *err)
{
        receiver->answer->cancelled = true;
        return send_message(receiver->ctap, receiver->cid, KP_CTAPHID_CANCEL,
                (struct kp_bytes){ 0 }, err);
}

/* Has the key kept us waiting for too long? */
static bool
is_enough(const struct receiver *receiver, enum received received)
{
        unsigned most = receiver->request->cancel_after;

        if (most == 0)
                most = KP_CTAP_TOUCH_MS / KEEPALIVE_MS + 1;
        return received == RECEIVED_NOTHING || receiver->answer->n_keepalives >= most;
}

static int
receive(struct receiver *receiver, enum received *ret, struct kp_error *err)
{
        const struct kp_seam *seam = &receiver->ctap->seam;
        int silence_ms = receiver->request->silence_ms;
        uint8_t report[KP_CTAPHID_REPORT];
        int r;

        if (silence_ms <= 0)
                silence_ms = SILENCE_MS;
        for (unsigned i = 0; i < MAX_FRAMES; i++) {
                r = seam->ops->read(seam->self, report,
                        receiver->answer->cancelled ? CANCEL_MS : silence_ms, err);
                if (r < 0)
                        return -1;
                *ret = r == 0 ? RECEIVED_NOTHING : frame_take(receiver, report);
                if (*ret == RECEIVED_ANSWER || *ret == RECEIVED_NONSENSE)
                        return 0;
                if (receiver->answer->cancelled) {
                        if (*ret == RECEIVED_NOTHING ||
                                receiver->n_after_cancel > CANCEL_KEEPALIVES)
                                break;
                } else if (is_enough(receiver, *ret) && cancel(receiver, err) < 0) {
                        return -1;
                }
        }
        *ret = RECEIVED_NOTHING;
        return 0;
}

/*
 * A message was given up in the middle: INIT on its channel ends whatever the key still
 * does for it, so that a late answer is not taken for the next one. One try; a key that
 * does not answer shows it at the next message.
 * Spec: CTAP 2.1 §11.2.9.1.3
 */
static int
resync(struct kp_ctap *ctap, uint32_t cid, struct kp_error *err)
{
        uint8_t nonce[INIT_NONCE], report[KP_CTAPHID_REPORT];
        struct kp_ctaphid_frame frame;

        ctap->stuck = false;
        kp_random_bytes(ctap->random, nonce, sizeof(nonce));
        if (send_message(ctap, cid, KP_CTAPHID_INIT,
                    (struct kp_bytes){ nonce, sizeof(nonce) }, err) < 0)
                return -1;
        for (unsigned i = 0; i < MAX_FRAMES; i++) {
                int r = ctap->seam.ops->read(ctap->seam.self, report, CANCEL_MS, err);

                if (r <= 0)
                        return r;
                kp_ctaphid_frame_read(report, &frame);
                if (frame.is_init && frame.cmd == KP_CTAPHID_INIT &&
                        memcmp(frame.data, nonce, sizeof(nonce)) == 0)
                        break;
        }
        return 0;
}

static int
wire(struct receiver *receiver, enum received *ret, struct kp_error *err)
{
        const struct kp_wire_request *request = receiver->request;
        struct kp_ctap *ctap = receiver->ctap;

        if (request->part != KP_WIRE_AWAIT) {
                if (ctap->stuck && request->cmd != KP_CTAPHID_INIT &&
                        resync(ctap, ctap->cid, err) < 0)
                        return -1;
                if (send_message(ctap, receiver->cid, request->cmd, request->payload,
                            err) < 0)
                        return -1;
        }
        if (request->part == KP_WIRE_SEND) {
                *ret = RECEIVED_ANSWER;
                return 0;
        }
        return receive(receiver, ret, err);
}

int
kp_ctap_wire(struct kp_ctap *ctap, const struct kp_wire_request *request,
        struct kp_wire_answer *ret, struct kp_error *err)
{
        struct receiver receiver = {
                .ctap = ctap,
                .request = request,
                .cid = request->cid != 0 ? request->cid : ctap->cid,
                .answer = ret,
        };
        enum received received = RECEIVED_NOTHING;

        *ret = (struct kp_wire_answer){ 0 };
        if (wire(&receiver, &received, err) < 0) {
                kp_buf_wipe(&receiver.join.payload);
                if (err->code != KP_EIO)
                        return -1; /* a refusal of ours, which is no outcome */
                kp_error_clear(err);
                ret->transport = "lost";
                return 0;
        }
        if (received == RECEIVED_ANSWER) {
                ret->payload = receiver.join.payload;
                return kp_buf_check(&ret->payload, err) < 0 ||
                                       kp_buf_check(&ret->frames, err) < 0
                               ? -1
                               : 0;
        }
        kp_buf_wipe(&receiver.join.payload);
        ret->transport = received == RECEIVED_NOTHING ? "timeout" : "hid-error";
        ctap->stuck = ctap->stuck ||
                      (received == RECEIVED_NOTHING && receiver.cid == ctap->cid);
        return 0;
}

void
kp_ctap_wait(struct kp_ctap *ctap, int ms)
{
        struct kp_error ignored = { 0 }; /* the next message will meet it again */
        uint8_t report[KP_CTAPHID_REPORT];

        for (unsigned i = 0; i < MAX_FRAMES; i++)
                if (ctap->seam.ops->read(ctap->seam.self, report, ms, &ignored) <= 0)
                        break;
}

int
kp_ctap_exchange(struct kp_ctap *ctap, uint8_t cmd, const uint8_t *payload,
        size_t payload_len, struct kp_answer *ret, struct kp_error *err)
{
        const struct kp_wire_request request = { .cmd = cmd,
                .payload = { payload, payload_len } };
        struct kp_wire_answer answer;
        bool busy = true;

        for (unsigned i = 0; busy && i < BUSY_TRIES; i++) {
                kp_answer_done(ret);
                if (kp_ctap_wire(ctap, &request, &answer, err) < 0) {
                        kp_wire_answer_done(&answer);
                        return -1;
                }
                ret->transport = answer.transport;
                ret->body = answer.payload;
                answer.payload = (struct kp_buf){ 0 };
                busy = answer.hid_error == KP_CTAP1_ERR_CHANNEL_BUSY;
                if (busy)
                        kp_ctap_wait(ctap, BUSY_MS);
                kp_wire_answer_done(&answer);
        }
        return 0;
}

int
kp_ctap_init(struct kp_ctap *ctap, struct kp_error *err)
{
        struct kp_answer answer = { 0 };
        uint8_t nonce[INIT_NONCE];
        const uint8_t *at;
        int r;

        ctap->cid = KP_CTAPHID_BROADCAST;
        kp_random_bytes(ctap->random, nonce, sizeof(nonce));
        r = kp_ctap_exchange(ctap, KP_CTAPHID_INIT, nonce, sizeof(nonce), &answer, err);
        at = answer.body.data;
        if (r == 0 && (answer.transport != NULL || answer.body.len < INIT_ANSWER ||
                              memcmp(at, nonce, sizeof(nonce)) != 0))
                r = KP_FAIL(err, KP_EIO, "the key does not answer (%s)",
                        answer.transport != NULL ? answer.transport
                                                 : "wrong answer to INIT");
        if (r == 0) {
                ctap->cid = (uint32_t)at[8] << 24 | (uint32_t)at[9] << 16 |
                            (uint32_t)at[10] << 8 | at[11];
                ctap->capabilities = at[16];
        }
        kp_answer_done(&answer);
        return r;
}

int
kp_ctap_cbor(struct kp_ctap *ctap, const struct kp_buf *request, struct kp_answer *ret,
        struct kp_error *err)
{
        if (kp_buf_check(request, err) < 0)
                return -1;
        ctap->info_fresh = false;
        if (kp_ctap_exchange(
                    ctap, KP_CTAPHID_CBOR, request->data, request->len, ret, err) < 0)
                return -1;
        if (ret->transport != NULL)
                return 0;
        if (ret->body.len == 0) {
                ret->transport = "unreadable";
                return 0;
        }
        ret->status = ret->body.data[0];
        ret->body.len--;
        memmove(ret->body.data, ret->body.data + 1, ret->body.len);
        return 0;
}

int
kp_ctap_get_info(struct kp_ctap *ctap, struct kp_answer *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf request = { 0 };
        struct kp_error unreadable = { 0 };

        kp_buf_put_u8(&request, KP_CTAP_GET_INFO);
        if (kp_ctap_cbor(ctap, &request, ret, err) < 0)
                return -1;
        if (!kp_answer_ok(ret))
                return 0;
        if (kp_key_info_parse(ret->body.data, ret->body.len, &ctap->info, &unreadable) <
                0)
                ret->transport = "unreadable";
        else
                ctap->info_fresh = true;
        return 0;
}
