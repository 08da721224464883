/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/codec/ctaphid.h"

#include "vectors_hex.h"

static uint8_t payload[KP_CTAPHID_MAX_MESSAGE];

static void
fill_payload(void)
{
        for (size_t i = 0; i < sizeof(payload); i++)
                payload[i] = (uint8_t)(i * 31 + i / 256);
}

static struct kp_buf
split(uint32_t cid, uint8_t cmd, size_t n)
{
        struct kp_buf reports = { 0 };

        fill_payload();
        kp_ctaphid_split(cid, cmd, payload, n, &reports);
        return reports;
}

Test(ctaphid, splits_at_57_and_then_every_59_bytes)
{
        static const struct {
                size_t payload, frames;
        } sizes[] = { { 0, 1 }, { 1, 1 }, { 57, 1 }, { 58, 2 }, { 116, 2 }, { 117, 3 },
                { 7609, 129 } };

        for (size_t i = 0; i < KP_NELEMS(sizes); i++) {
                KP_CLEANUP(kp_buf_done)
                struct kp_buf reports = split(1, KP_CTAPHID_CBOR, sizes[i].payload);

                cr_assert_eq(reports.len, sizes[i].frames * KP_CTAPHID_REPORT,
                        "%zu bytes", sizes[i].payload);
        }
}

Test(ctaphid, lays_out_frames_as_the_specification_draws_them)
{
        KP_CLEANUP(kp_buf_done)
        struct kp_buf reports = split(0x01020304, KP_CTAPHID_CBOR, 60);
        struct kp_ctaphid_frame frame;

        cr_assert_str_eq(tohex(reports.data, 7), "0102030490003c");
        cr_assert_eq(memcmp(reports.data + 7, payload, 57), 0);
        cr_assert_str_eq(tohex(reports.data + 64, 5), "0102030400");
        cr_assert_eq(memcmp(reports.data + 69, payload + 57, 3), 0);
        for (size_t i = 64 + 5 + 3; i < reports.len; i++)
                cr_assert_eq(reports.data[i], 0, "padding");

        kp_ctaphid_frame_read(reports.data, &frame);
        cr_assert(frame.is_init && frame.cid == 0x01020304 &&
                  frame.cmd == KP_CTAPHID_CBOR);
        cr_assert(frame.total == 60 && frame.data_len == 57 &&
                  frame.data == reports.data + 7);
        kp_ctaphid_frame_read(reports.data + 64, &frame);
        cr_assert(!frame.is_init && frame.seq == 0 && frame.data_len == 59);
}

Test(ctaphid, joins_what_it_split_at_every_length)
{
        struct kp_ctaphid_join join = { 0 };

        for (size_t n = 0; n <= KP_CTAPHID_MAX_MESSAGE; n += n < 300 ? 1 : 173) {
                KP_CLEANUP(kp_buf_done)
                struct kp_buf reports = split(0xffffffff, KP_CTAPHID_INIT, n);

                for (size_t at = 0; at < reports.len; at += KP_CTAPHID_REPORT)
                        cr_assert_eq(kp_ctaphid_join(&join, reports.data + at),
                                at + KP_CTAPHID_REPORT == reports.len ? KP_JOIN_DONE
                                                                      : KP_JOIN_MORE);
                cr_assert_eq(join.cmd, KP_CTAPHID_INIT);
                cr_assert(kp_bytes_equal(
                        join.payload.data, join.payload.len, payload, n));
        }
        kp_buf_wipe(&join.payload);
}

Test(ctaphid, an_initialization_frame_starts_over)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf first = split(1, KP_CTAPHID_CBOR, 200);
        KP_CLEANUP(kp_buf_done) struct kp_buf second = split(1, KP_CTAPHID_PING, 3);
        struct kp_ctaphid_join join = { 0 };

        cr_assert_eq(kp_ctaphid_join(&join, first.data), KP_JOIN_MORE);
        cr_assert_eq(kp_ctaphid_join(&join, second.data), KP_JOIN_DONE);
        cr_assert(join.cmd == KP_CTAPHID_PING && join.payload.len == 3);
        cr_assert_eq(kp_ctaphid_join(&join, first.data + 64), KP_JOIN_STRAY);
        kp_buf_wipe(&join.payload);
}

Test(ctaphid, notices_lost_repeated_and_foreign_frames)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf reports = split(1, KP_CTAPHID_CBOR, 300);
        KP_CLEANUP(kp_buf_done) struct kp_buf other = split(2, KP_CTAPHID_CBOR, 300);
        struct kp_ctaphid_join join = { 0 };

        cr_assert_eq(kp_ctaphid_join(&join, reports.data + 64), KP_JOIN_STRAY,
                "no message yet");
        cr_assert_eq(kp_ctaphid_join(&join, reports.data), KP_JOIN_MORE);
        cr_assert_eq(kp_ctaphid_join(&join, other.data + 64), KP_JOIN_STRAY,
                "other channel");
        cr_assert_eq(kp_ctaphid_join(&join, reports.data + 64), KP_JOIN_MORE);
        cr_assert_eq(
                kp_ctaphid_join(&join, reports.data + 64), KP_JOIN_BAD_SEQ, "repeated");
        cr_assert_eq(
                kp_ctaphid_join(&join, reports.data + 128), KP_JOIN_STRAY, "given up");

        cr_assert_eq(kp_ctaphid_join(&join, reports.data), KP_JOIN_MORE);
        cr_assert_eq(
                kp_ctaphid_join(&join, reports.data + 128), KP_JOIN_BAD_SEQ, "lost");
        kp_buf_wipe(&join.payload);
}

Test(ctaphid, refuses_more_than_sequence_numbers_can_count)
{
        uint8_t report[KP_CTAPHID_REPORT] = { 0, 0, 0, 1, 0x90, 0x1d, 0xba }; /* 7610 */
        struct kp_ctaphid_join join = { 0 };

        cr_assert_eq(kp_ctaphid_join(&join, report), KP_JOIN_BAD_LEN);
        report[6] = 0xb9;
        cr_assert_eq(kp_ctaphid_join(&join, report), KP_JOIN_MORE);
        kp_buf_wipe(&join.payload);
}

Test(ctap, names_commands_and_statuses)
{
        cr_assert_str_eq(kp_ctap_cmd_name(KP_CTAP_MAKE_CREDENTIAL), "makeCredential");
        cr_assert_str_eq(
                kp_ctap_cmd_name(KP_CTAP_GET_NEXT_ASSERTION), "getNextAssertion");
        cr_assert_str_eq(kp_ctap_cmd_name(0x55), "unknown");
        cr_assert_str_eq(kp_ctap_pin_cmd_name(KP_CTAP_PIN_GET_TOKEN), "getPinToken");
        cr_assert_str_eq(kp_ctap_pin_cmd_name(0x08), "unknown");
        cr_assert_str_eq(kp_ctap_status_name(0x31), "CTAP2_ERR_PIN_INVALID");
        cr_assert_str_eq(kp_ctap_status_name(0x3c), "CTAP2_ERR_UV_BLOCKED");
        cr_assert_str_eq(kp_ctap_status_name(0x7f), "CTAP1_ERR_OTHER");
        cr_assert_str_eq(kp_ctap_status_name(0xee), "CTAP_ERR_UNKNOWN");
}

Test(ctap, no_two_statuses_share_a_name)
{
        for (unsigned a = 0; a < 256; a++)
                for (unsigned b = a + 1; b < 256; b++) {
                        const char *name = kp_ctap_status_name((uint8_t)a);

                        cr_assert(strcmp(name, "CTAP_ERR_UNKNOWN") == 0 ||
                                          strcmp(name,
                                                  kp_ctap_status_name((uint8_t)b)) != 0,
                                "%02x %02x", a, b);
                }
}
