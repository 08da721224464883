/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_WIRE_H
#define KEYPILOT_TESTS_WIRE_H

#include "keypilot/codec/ctaphid.h"

#include "rig.h"

/* The bench's key at the end of a cable: CTAPHID messages and single reports. */

static UNUSED void
feed(struct rig *rig, uint32_t cid, uint8_t cmd, const void *payload, size_t len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf reports = { 0 };

        kp_ctaphid_split(cid, cmd, payload, len, &reports);
        for (size_t at = 0; at < reports.len; at += KP_CTAPHID_REPORT)
                kp_authenticator_feed(rig->key, reports.data + at, rig->now_ms);
}

/* Report number `i` of a message. */
static UNUSED void
feed_one(struct rig *rig, uint32_t cid, uint8_t cmd, size_t len, size_t i)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf reports = { 0 };
        static const uint8_t zero[7609];

        kp_ctaphid_split(cid, cmd, zero, len, &reports);
        kp_authenticator_feed(
                rig->key, reports.data + i * KP_CTAPHID_REPORT, rig->now_ms);
}

/* The next whole message from the key; false if none waits. */
static UNUSED bool
take(struct rig *rig, struct kp_ctaphid_join *join)
{
        uint8_t report[KP_CTAPHID_REPORT];

        while (kp_authenticator_next_report(rig->key, report))
                if (kp_ctaphid_join(join, report) == KP_JOIN_DONE)
                        return true;
        return false;
}

static UNUSED void
expect(struct rig *rig, uint32_t cid, uint8_t cmd, int first)
{
        struct kp_ctaphid_join join = { 0 };

        cr_assert(take(rig, &join), "the key says nothing");
        cr_assert_eq(join.cid, cid, "%08x, not %08x", join.cid, cid);
        cr_assert_eq(join.cmd, cmd, "command %02x, not %02x", join.cmd, cmd);
        if (first >= 0)
                cr_assert_eq(join.payload.data[0], first, "%02x, not %02x",
                        join.payload.data[0], first);
        kp_buf_wipe(&join.payload);
}

static UNUSED void
expect_nothing(struct rig *rig)
{
        uint8_t report[KP_CTAPHID_REPORT];

        cr_assert(!kp_authenticator_next_report(rig->key, report));
}

static UNUSED uint32_t
channel(struct rig *rig)
{
        static const uint8_t nonce[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
        struct kp_ctaphid_join join = { 0 };
        const uint8_t *at;
        uint32_t cid;

        feed(rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT, nonce, 8);
        cr_assert(take(rig, &join));
        cr_assert_eq(join.cid, KP_CTAPHID_BROADCAST);
        cr_assert_eq(join.payload.len, 17);
        cr_assert_eq(memcmp(join.payload.data, nonce, 8), 0);
        at = join.payload.data + 8;
        cid = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
              at[3];
        cr_assert_eq(at[4], 2, "protocol version");
        kp_buf_wipe(&join.payload);
        return cid;
}

static UNUSED uint8_t
capabilities(struct rig *rig)
{
        static const uint8_t nonce[8];
        struct kp_ctaphid_join join = { 0 };
        uint8_t flags;

        feed(rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT, nonce, 8);
        cr_assert(take(rig, &join));
        flags = join.payload.data[16];
        kp_buf_wipe(&join.payload);
        return flags;
}

static const uint8_t selection[] = { KP_CTAP_SELECTION };
static const uint8_t get_info[] = { KP_CTAP_GET_INFO };

#endif
