/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "ctap.h"

/* CTAPHID for whoever wants to see it. Spec: CTAP 2.1 §11.2.9 */
#define INIT_NONCE 8
#define INIT_ANSWER 17

static uint32_t
wire_channel(void *self)
{
        return ((const struct kp_ctap *)self)->cid;
}

static uint8_t
wire_capabilities(void *self)
{
        return ((const struct kp_ctap *)self)->capabilities;
}

static int
wire_exchange(void *self, const struct kp_wire_request *request,
        struct kp_wire_answer *ret, struct kp_error *err)
{
        struct kp_ctap *ctap = self;

        ctap->info_fresh = false;
        return kp_ctap_wire(ctap, request, ret, err);
}

/* One message whose answer is a word; a CTAPHID error is told by its number. */
static int
wire_ask(struct kp_ctap *ctap, const struct kp_wire_request *request,
        struct kp_wire_answer *ret, struct kp_said *said, struct kp_error *err)
{
        if (wire_exchange(ctap, request, ret, err) < 0)
                return -1;
        *said = (struct kp_said){ ret->hid_error, ret->transport };
        return 0;
}

static int
wire_init(void *self, uint32_t cid, uint32_t *ret_cid, struct kp_said *said,
        struct kp_error *err)
{
        KP_CLEANUP(kp_wire_answer_done) struct kp_wire_answer answer = { 0 };
        struct kp_ctap *ctap = self;
        uint8_t nonce[INIT_NONCE];
        const uint8_t *at;

        kp_random_bytes(ctap->random, nonce, sizeof(nonce));
        if (wire_ask(ctap,
                    &(struct kp_wire_request){ .cid = cid,
                            .cmd = KP_CTAPHID_INIT,
                            .payload = { nonce, sizeof(nonce) } },
                    &answer, said, err) < 0)
                return -1;
        if (!kp_said_ok(said))
                return 0;
        at = answer.payload.data;
        if (answer.payload.len < INIT_ANSWER || memcmp(at, nonce, sizeof(nonce)) != 0) {
                said->transport = "unreadable";
                return 0;
        }
        *ret_cid = (uint32_t)at[8] << 24 | (uint32_t)at[9] << 16 |
                   (uint32_t)at[10] << 8 | at[11];
        return 0;
}

static int
wire_ping(
        void *self, struct kp_bytes payload, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_wire_answer_done) struct kp_wire_answer answer = { 0 };
        const struct kp_wire_request request = { .cmd = KP_CTAPHID_PING,
                .payload = payload };

        if (wire_ask(self, &request, &answer, said, err) < 0)
                return -1;
        if (kp_said_ok(said) && !kp_bytes_equal(payload.data, payload.len,
                                        answer.payload.data, answer.payload.len))
                said->transport = "unreadable";
        return 0;
}

static int
wire_wink(void *self, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_wire_answer_done) struct kp_wire_answer answer = { 0 };
        const struct kp_wire_request request = { .cmd = KP_CTAPHID_WINK };

        return wire_ask(self, &request, &answer, said, err);
}

static int
wire_lock(void *self, uint8_t seconds, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_wire_answer_done) struct kp_wire_answer answer = { 0 };
        const struct kp_wire_request request = { .cmd = KP_CTAPHID_LOCK,
                .payload = { &seconds, 1 } };

        return wire_ask(self, &request, &answer, said, err);
}

const struct kp_wire_ops kp_ctap_wire_ops = { wire_channel, wire_capabilities,
        wire_exchange, wire_init, wire_ping, wire_wink, wire_lock };
