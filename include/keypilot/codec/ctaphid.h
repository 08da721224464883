/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_CODEC_CTAPHID_H
#define KEYPILOT_CODEC_CTAPHID_H

#include "keypilot/codec/ctap.h"
#include "keypilot/core/buf.h"

/*
 * CTAPHID framing: one message <-> 64-byte reports. Used by the simulated key, the tap
 * and our own driver; it has no opinion about channels or time.
 * Spec: CTAP 2.1 §11.2.4
 */

/* Append the reports of one message to `reports` (a multiple of 64 bytes). */
void kp_ctaphid_split(uint32_t cid, uint8_t cmd, const uint8_t *payload,
        size_t payload_len, struct kp_buf *reports);

/* One report, taken apart; `data` points into it. */
struct kp_ctaphid_frame {
        uint32_t cid;
        bool is_init;
        uint8_t cmd;  /* initialization frame, without the high bit */
        size_t total; /* initialization frame: payload bytes of the whole message */
        uint8_t seq;  /* continuation frame */
        const uint8_t *data;
        size_t data_len; /* room in this frame: 57 or 59 */
};
void kp_ctaphid_frame_read(
        const uint8_t report[KP_CTAPHID_REPORT], struct kp_ctaphid_frame *ret);

/* Collects one message. Start with { 0 }; end with kp_buf_wipe(&join.payload). */
struct kp_ctaphid_join {
        uint32_t cid;
        uint8_t cmd;
        size_t total;
        uint8_t next_seq;
        bool active;
        struct kp_buf payload;
};
enum kp_ctaphid_joined {
        KP_JOIN_MORE,
        KP_JOIN_DONE,
        KP_JOIN_STRAY,
        KP_JOIN_BAD_SEQ,
        KP_JOIN_BAD_LEN
};

/*
 * Take one report. An initialization frame starts over.
 *
 * returns  KP_JOIN_MORE frames are missing; KP_JOIN_DONE cmd and payload are complete;
 *          KP_JOIN_STRAY a continuation frame that belongs to no message;
 *          KP_JOIN_BAD_SEQ, KP_JOIN_BAD_LEN the message is given up
 */
enum kp_ctaphid_joined kp_ctaphid_join(
        struct kp_ctaphid_join *join, const uint8_t report[KP_CTAPHID_REPORT]);

#endif
