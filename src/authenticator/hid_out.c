/* SPDX-License-Identifier: BSD-2-Clause */
#include "internal.h"

/*
 * CTAPHID on its way out: messages become reports in a queue. What a fault does to an
 * answer between the command and the wire is done here.
 * Spec: CTAP 2.1 §11.2.4
 */
#define STATUS_PROCESSING 1
#define SEQUENCE_MASK 0x40 /* far from the number that was due */

void
kp_auth_hid_send(struct kp_authenticator *key, uint32_t cid, uint8_t cmd,
        const void *payload, size_t payload_len)
{
        kp_ctaphid_split(cid, cmd, payload, payload_len, &key->hid.out);
}

void
kp_auth_hid_pull(struct kp_authenticator *key)
{
        kp_auth_hid_stop(key);
        key->hid.join.active = false;
        key->hid.pulled = true;
}

/* Report by report; false: the key was pulled out on the way. */
static bool
put_reports(struct kp_authenticator *key, struct kp_buf *reports)
{
        struct kp_buf *out = &key->hid.out;
        int64_t n = (int64_t)(reports->len / KP_CTAPHID_REPORT);

        for (int64_t i = 0; i < n; i++) {
                uint8_t *report = reports->data + i * KP_CTAPHID_REPORT;

                if (kp_auth_fault_at(key, KP_POINT_UNPLUG_ANSWER, i)) {
                        kp_auth_hid_pull(key);
                        return false;
                }
                if (i > 0 && kp_auth_fault_at(key, KP_POINT_ANSWER_SEQUENCE, i))
                        report[4] ^= SEQUENCE_MASK;
                if (kp_auth_fault_at(key, KP_POINT_ANSWER_FRAME_LOST, i))
                        continue;
                kp_buf_put(out, report, KP_CTAPHID_REPORT);
                if (kp_auth_fault_at(key, KP_POINT_ANSWER_FRAME_TWICE, i))
                        kp_buf_put(out, report, KP_CTAPHID_REPORT);
        }
        return true;
}

void
kp_auth_hid_answer(struct kp_authenticator *key, uint32_t cid, uint8_t cmd,
        const struct kp_buf *answer)
{
        static const uint8_t processing = STATUS_PROCESSING;
        KP_CLEANUP(kp_buf_wipe) struct kp_buf reports = { 0 };
        size_t len = answer->len;
        int64_t code = KP_CTAP1_ERR_OTHER;

        if (kp_auth_fault(key, KP_POINT_ANSWER_NONE, NULL))
                return;
        if (kp_auth_fault(key, KP_POINT_ANSWER_ERROR, &code) || answer->failed ||
                len > KP_CTAPHID_MAX_MESSAGE) {
                kp_auth_hid_send(key, cid, KP_CTAPHID_ERROR, &(uint8_t){ code }, 1);
                return;
        }
        if (kp_auth_fault(key, KP_POINT_WRONG_CHANNEL, NULL))
                cid ^= 1;
        if (kp_auth_fault(key, KP_POINT_ANSWER_EMPTY, NULL))
                len = 0;
        kp_ctaphid_split(cid, cmd, answer->data, len, &reports);
        if (!put_reports(key, &reports))
                return;
        if (cmd == KP_CTAPHID_CBOR && kp_auth_fault(key, KP_POINT_KEEPALIVE_LATE, NULL))
                kp_auth_hid_send(key, cid, KP_CTAPHID_KEEPALIVE, &processing, 1);
}
