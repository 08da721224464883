/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/codec/ctaphid.h"

#include <assert.h>
#include <string.h>

#define INIT_HEAD 7 /* CID, command, length */
#define CONT_HEAD 5 /* CID, sequence */

static void
put_report(struct kp_buf *reports, const uint8_t *head, size_t head_len,
        const uint8_t **payload, size_t *left)
{
        uint8_t report[KP_CTAPHID_REPORT] = { 0 };
        size_t room = sizeof(report) - head_len;
        size_t n = *left < room ? *left : room;

        memcpy(report, head, head_len);
        if (n > 0) {
                memcpy(report + head_len, *payload, n);
                *payload += n;
        }
        *left -= n;
        kp_buf_put(reports, report, sizeof(report));
}

void
kp_ctaphid_split(uint32_t cid, uint8_t cmd, const uint8_t *payload, size_t payload_len,
        struct kp_buf *reports)
{
        uint8_t head[INIT_HEAD] = { (uint8_t)(cid >> 24), (uint8_t)(cid >> 16),
                (uint8_t)(cid >> 8), (uint8_t)cid, cmd | 0x80,
                (uint8_t)(payload_len >> 8), (uint8_t)payload_len };
        size_t left = payload_len;

        assert(payload_len <= KP_CTAPHID_MAX_MESSAGE);
        put_report(reports, head, INIT_HEAD, &payload, &left);
        for (uint8_t seq = 0; left > 0; seq++) {
                head[4] = seq;
                put_report(reports, head, CONT_HEAD, &payload, &left);
        }
}

void
kp_ctaphid_frame_read(
        const uint8_t report[KP_CTAPHID_REPORT], struct kp_ctaphid_frame *ret)
{
        *ret = (struct kp_ctaphid_frame){
                .cid = (uint32_t)report[0] << 24 | (uint32_t)report[1] << 16 |
                       (uint32_t)report[2] << 8 | report[3],
                .is_init = (report[4] & 0x80) != 0,
        };
        if (ret->is_init) {
                ret->cmd = report[4] & 0x7f;
                ret->total = (size_t)report[5] << 8 | report[6];
                ret->data = report + INIT_HEAD;
                ret->data_len = KP_CTAPHID_REPORT - INIT_HEAD;
        } else {
                ret->seq = report[4];
                ret->data = report + CONT_HEAD;
                ret->data_len = KP_CTAPHID_REPORT - CONT_HEAD;
        }
}

static enum kp_ctaphid_joined
take_data(struct kp_ctaphid_join *join, const struct kp_ctaphid_frame *frame)
{
        size_t missing = join->total - join->payload.len;

        kp_buf_put(&join->payload, frame->data,
                missing < frame->data_len ? missing : frame->data_len);
        if (join->payload.failed) {
                /* no memory: as good as a message that is too long */
                join->active = false;
                return KP_JOIN_BAD_LEN;
        }
        if (join->payload.len < join->total)
                return KP_JOIN_MORE;
        join->active = false;
        return KP_JOIN_DONE;
}

enum kp_ctaphid_joined
kp_ctaphid_join(struct kp_ctaphid_join *join, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct kp_ctaphid_frame frame;

        kp_ctaphid_frame_read(report, &frame);
        if (frame.is_init) {
                kp_buf_clear(&join->payload);
                join->cid = frame.cid;
                join->cmd = frame.cmd;
                join->total = frame.total;
                join->next_seq = 0;
                join->active = frame.total <= KP_CTAPHID_MAX_MESSAGE;
                return join->active ? take_data(join, &frame) : KP_JOIN_BAD_LEN;
        }
        if (!join->active || frame.cid != join->cid)
                return KP_JOIN_STRAY;
        if (frame.seq != join->next_seq) {
                join->active = false;
                return KP_JOIN_BAD_SEQ;
        }
        join->next_seq++;
        return take_data(join, &frame);
}
