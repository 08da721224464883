/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "keypilot/codec/ctaphid.h"

#include "ctap.h"

#define INIT_NONCE 8
#define INIT_ANSWER 17   /* nonce, channel, protocol, three of version, capabilities */
#define SILENCE_MS 10000 /* a key at work says so ten times a second */
#define CANCEL_MS 1000
#define KEEPALIVE_MS 100
#define BUSY_TRIES 20
#define BUSY_MS 100
#define MAX_FRAMES 100000 /* of other programs, while we wait for ours */

void
kp_answer_done(struct kp_answer *answer)
{
        kp_buf_wipe(&answer->body);
        *answer = (struct kp_answer){ 0 };
}

/* The seam failed: a key that is gone is an outcome, a refusal of ours is not. */
static int
seam_failed(struct kp_answer *ret, struct kp_error *err)
{
        if (err->code != KP_EIO)
                return -1;
        kp_error_clear(err);
        ret->transport = "lost";
        return 0;
}

static int
send_message(struct kp_ctap *ctap, uint8_t cmd, const uint8_t *payload,
        size_t payload_len, struct kp_error *err)
{
        struct kp_buf reports = { 0 };
        int r;

        kp_ctaphid_split(ctap->cid, cmd, payload, payload_len, &reports);
        r = kp_buf_check(&reports, err);
        for (size_t i = 0; r == 0 && i < reports.len; i += KP_CTAPHID_REPORT)
                r = ctap->seam.ops->write(ctap->seam.self, reports.data + i, err);
        kp_buf_wipe(&reports);
        return r;
}

struct receiver {
        struct kp_ctap *ctap;
        uint8_t cmd;
        struct kp_ctaphid_join join;
        unsigned n_keepalives;
        bool cancelled;
        uint8_t hid_error;
};

enum received { RECEIVED_MORE, RECEIVED_ANSWER, RECEIVED_NOTHING, RECEIVED_NONSENSE };

static enum received
frame_take(struct receiver *receiver, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_ctaphid_frame frame;

        kp_ctaphid_frame_read(report, &frame);
        if (frame.cid != receiver->ctap->cid)
                return RECEIVED_MORE; /* to another program */
        switch (kp_ctaphid_join(&receiver->join, report)) {
        case KP_JOIN_MORE:
        case KP_JOIN_STRAY:
                return RECEIVED_MORE;
        case KP_JOIN_DONE:
                break;
        case KP_JOIN_BAD_SEQ:
        case KP_JOIN_BAD_LEN:
        default:
                return RECEIVED_NONSENSE;
        }
        if (receiver->join.cmd == receiver->cmd)
                return RECEIVED_ANSWER;
        if (receiver->join.cmd == KP_CTAPHID_KEEPALIVE)
                receiver->n_keepalives++;
        if (receiver->join.cmd != KP_CTAPHID_ERROR)
                return RECEIVED_MORE; /* or a late answer to something else */
        receiver->hid_error =
                receiver->join.payload.len > 0 ? receiver->join.payload.data[0] : 0;
        return RECEIVED_NONSENSE;
}

/* Cancel once: a key that still works answers KEEPALIVE_CANCEL. */
static int
cancel(struct receiver *receiver, struct kp_error *err)
{
        receiver->cancelled = true;
        return send_message(receiver->ctap, KP_CTAPHID_CANCEL, NULL, 0, err);
}

static int
receive(struct receiver *receiver, enum received *ret, struct kp_error *err)
{
        const struct kp_seam *seam = &receiver->ctap->seam;
        uint8_t report[KP_CTAPHID_REPORT];
        int r;

        for (unsigned i = 0; i < MAX_FRAMES; i++) {
                r = seam->ops->read(seam->self, report,
                        receiver->cancelled ? CANCEL_MS : SILENCE_MS, err);
                if (r < 0)
                        return -1;
                *ret = r == 0 ? RECEIVED_NOTHING : frame_take(receiver, report);
                if (*ret == RECEIVED_ANSWER || *ret == RECEIVED_NONSENSE ||
                        (*ret == RECEIVED_NOTHING && receiver->cancelled))
                        return 0;
                if (receiver->cancelled)
                        continue;
                if ((*ret == RECEIVED_NOTHING ||
                            receiver->n_keepalives > KP_CTAP_TOUCH_MS / KEEPALIVE_MS) &&
                        cancel(receiver, err) < 0)
                        return -1;
        }
        *ret = RECEIVED_NOTHING;
        return 0;
}

/* One try. ret_error  the CTAPHID error code where that is what came */
static int
exchange_once(struct kp_ctap *ctap, uint8_t cmd, const uint8_t *payload,
        size_t payload_len, struct kp_answer *ret, uint8_t *ret_error,
        struct kp_error *err)
{
        struct receiver receiver = { .ctap = ctap, .cmd = cmd };
        enum received received = RECEIVED_NOTHING;

        *ret_error = 0;
        if (send_message(ctap, cmd, payload, payload_len, err) < 0 ||
                receive(&receiver, &received, err) < 0) {
                kp_buf_wipe(&receiver.join.payload);
                return seam_failed(ret, err);
        }
        if (received == RECEIVED_ANSWER)
                kp_buf_put(&ret->body, receiver.join.payload.data,
                        receiver.join.payload.len);
        else
                ret->transport = received == RECEIVED_NOTHING ? "timeout" : "hid-error";
        *ret_error = receiver.hid_error;
        kp_buf_wipe(&receiver.join.payload);
        return kp_buf_check(&ret->body, err);
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
        uint8_t hid_error;

        for (unsigned i = 0; i < BUSY_TRIES; i++) {
                kp_answer_done(ret);
                if (exchange_once(
                            ctap, cmd, payload, payload_len, ret, &hid_error, err) < 0)
                        return -1;
                if (hid_error != KP_CTAP1_ERR_CHANNEL_BUSY)
                        break;
                kp_ctap_wait(ctap, BUSY_MS);
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
