/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire.h"

/* CTAPHID, report by report. Spec: CTAP 2.1 §11.2 */

Test(hid, hands_out_a_channel_of_its_own_to_everybody)
{
        struct rig rig;
        uint32_t a, b;

        rig_open(&rig, "yubikey-5-57");
        expect_nothing(&rig);
        cr_assert_eq(kp_authenticator_next_event_ms(rig.key), -1);
        a = channel(&rig);
        b = channel(&rig);
        cr_assert_neq(a, b);
        cr_assert_neq(a, 0u);
        cr_assert_neq(a, KP_CTAPHID_BROADCAST);
        rig_close(&rig);
}

Test(hid, capabilities_follow_the_model)
{
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        cr_assert_eq(capabilities(&rig), KP_CTAPHID_CAP_WINK | KP_CTAPHID_CAP_CBOR);
        rig_close(&rig);
        rig_open(&rig, "token2-pinplus");
        cr_assert_eq(capabilities(&rig),
                KP_CTAPHID_CAP_WINK | KP_CTAPHID_CAP_CBOR | KP_CTAPHID_CAP_NMSG);
        rig_close(&rig);
        rig_open(&rig, "yubikey-4-u2f");
        cr_assert_eq(capabilities(&rig), KP_CTAPHID_CAP_WINK);
        rig_close(&rig);
}

Test(hid, pings_of_every_length_come_back)
{
        const size_t lens[] = { 0, 1, 57, 58, 116, 117, 1024, 7609 };
        uint8_t payload[7609];
        struct rig rig;
        uint32_t cid;

        for (size_t i = 0; i < sizeof(payload); i++)
                payload[i] = (uint8_t)(i * 7);
        rig_open(&rig, "yubikey-5-57");
        cid = channel(&rig);
        for (size_t i = 0; i < KP_NELEMS(lens); i++) {
                struct kp_ctaphid_join join = { 0 };

                feed(&rig, cid, KP_CTAPHID_PING, payload, lens[i]);
                cr_assert(take(&rig, &join));
                cr_assert_eq(join.cmd, KP_CTAPHID_PING);
                cr_assert(kp_bytes_equal(
                        join.payload.data, join.payload.len, payload, lens[i]));
                kp_buf_wipe(&join.payload);
                expect_nothing(&rig);
        }
        feed(&rig, cid, KP_CTAPHID_WINK, NULL, 0);
        expect(&rig, cid, KP_CTAPHID_WINK, -1);
        rig_close(&rig);
}

Test(hid, what_does_not_belong_is_answered_with_its_error)
{
        struct rig rig;
        uint32_t cid;
        uint8_t report[KP_CTAPHID_REPORT] = { 0 };

        rig_open(&rig, "token2-pinplus");
        cid = channel(&rig);
        feed(&rig, 0, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, 0, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_CHANNEL);
        feed(&rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_ERROR,
                KP_CTAP1_ERR_INVALID_CHANNEL);
        feed(&rig, cid + 1, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, cid + 1, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_CHANNEL);
        feed(&rig, cid, 0x55, NULL, 0);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_COMMAND);
        feed(&rig, cid, KP_CTAPHID_LOCK, NULL, 0); /* not among the capabilities */
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_COMMAND);
        feed(&rig, cid, KP_CTAPHID_MSG, get_info, 1); /* this model has no U2F */
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_COMMAND);
        feed(&rig, cid, KP_CTAPHID_CBOR, NULL, 0);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_LENGTH);
        feed(&rig, cid, KP_CTAPHID_INIT, get_info, 1);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_LENGTH);
        memcpy(report,
                (uint8_t[]){ (uint8_t)(cid >> 24), (uint8_t)(cid >> 16),
                        (uint8_t)(cid >> 8), (uint8_t)cid, 0x80 | KP_CTAPHID_PING,
                        7610 >> 8, 7610 & 0xff },
                7);
        kp_authenticator_feed(rig.key, report, rig.now_ms);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_LENGTH);
        report[4] = 0; /* a continuation of nothing */
        kp_authenticator_feed(rig.key, report, rig.now_ms);
        expect_nothing(&rig);
        rig_close(&rig);
        rig_open(&rig, "yubikey-4-u2f");
        cid = channel(&rig);
        feed(&rig, cid, KP_CTAPHID_CBOR, get_info, 1);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
}

Test(hid, frames_out_of_order_end_the_message)
{
        struct rig rig;
        uint32_t cid;

        rig_open(&rig, "yubikey-5-57");
        cid = channel(&rig);
        feed_one(&rig, cid, KP_CTAPHID_PING, 300, 0);
        feed_one(&rig, cid, KP_CTAPHID_PING, 300, 2);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_SEQ);
        feed_one(&rig, cid, KP_CTAPHID_PING, 300, 1); /* over: ignored */
        expect_nothing(&rig);
        feed_one(&rig, cid, KP_CTAPHID_PING, 300, 0);
        /* a beginning where a continuation was due */
        feed_one(&rig, cid, KP_CTAPHID_PING, 300, 0);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_SEQ);
        feed(&rig, cid, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, cid, KP_CTAPHID_PING, -1);
        rig_close(&rig);
}

Test(hid, a_message_that_stops_halfway_times_out)
{
        struct rig rig;
        uint32_t cid;

        rig_open(&rig, "yubikey-5-57");
        cid = channel(&rig);
        feed_one(&rig, cid, KP_CTAPHID_PING, 300, 0);
        cr_assert_eq(kp_authenticator_next_event_ms(rig.key), rig.now_ms + 500);
        rig_wait(&rig, 499);
        expect_nothing(&rig);
        /* each frame begins the time anew */
        feed_one(&rig, cid, KP_CTAPHID_PING, 300, 1);
        rig_wait(&rig, 499);
        expect_nothing(&rig);
        rig_wait(&rig, 1);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_TIMEOUT);
        cr_assert_eq(kp_authenticator_next_event_ms(rig.key), -1);
        rig_close(&rig);
}

Test(hid, other_channels_wait_while_one_is_served)
{
        struct rig rig;
        uint32_t a, b;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        b = channel(&rig);
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 0);
        feed(&rig, b, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, b, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        /* a new channel may always be asked for, and disturbs nobody */
        (void)channel(&rig);
        feed_one(&rig, b, KP_CTAPHID_PING, 100, 1); /* not of the message: ignored */
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 1);
        expect(&rig, a, KP_CTAPHID_PING, -1);
        expect_nothing(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 1000, true);
        feed(&rig, a, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, a, KP_CTAPHID_KEEPALIVE, 2);
        feed(&rig, b, KP_CTAPHID_CBOR, get_info, 1);
        expect(&rig, b, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        feed(&rig, a, KP_CTAPHID_CBOR, get_info, 1);
        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        rig_close(&rig);
}

Test(hid, init_on_its_own_channel_starts_over)
{
        static const uint8_t nonce[8] = { 9 };
        struct rig rig;
        uint32_t a, b;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        b = channel(&rig);
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 0);
        feed(&rig, a, KP_CTAPHID_INIT, nonce, 8);
        expect(&rig, a, KP_CTAPHID_INIT, 9);
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 1);
        expect_nothing(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 1000, true);
        feed(&rig, a, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, a, KP_CTAPHID_KEEPALIVE, 2);
        /* of another channel: does not abort */
        feed(&rig, b, KP_CTAPHID_INIT, nonce, 8);
        expect(&rig, b, KP_CTAPHID_INIT, 9);
        rig_wait(&rig, 150);
        feed(&rig, a, KP_CTAPHID_INIT, nonce, 8); /* also drops what was not read */
        expect(&rig, a, KP_CTAPHID_INIT, 9);
        rig_wait(&rig, 5000);
        expect_nothing(&rig);
        rig_close(&rig);
}

Test(hid, a_touch_of_three_seconds_is_bridged_by_keepalives_each_100_ms)
{
        struct rig rig;
        uint32_t cid;
        int64_t begun;

        rig_open(&rig, "yubikey-5-57");
        cid = channel(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 3000, true);
        begun = rig.now_ms;
        feed(&rig, cid, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, cid, KP_CTAPHID_KEEPALIVE, 2); /* the status has changed */
        expect_nothing(&rig);
        for (int i = 1; i < 30; i++) {
                cr_assert_eq(kp_authenticator_next_event_ms(rig.key), begun + 100 * i);
                rig_wait(&rig, kp_authenticator_next_event_ms(rig.key) - rig.now_ms);
                expect(&rig, cid, KP_CTAPHID_KEEPALIVE, 2);
                expect_nothing(&rig);
        }
        rig_wait(&rig, 100);
        expect(&rig, cid, KP_CTAPHID_CBOR, KP_CTAP_OK);
        expect_nothing(&rig);
        cr_assert_eq(kp_authenticator_next_event_ms(rig.key), -1);
        /* one long jump says the same as many short ones */
        feed(&rig, cid, KP_CTAPHID_CBOR, selection, 1);
        rig_wait(&rig, 10000);
        for (int i = 0; i < 30; i++)
                expect(&rig, cid, KP_CTAPHID_KEEPALIVE, 2);
        expect(&rig, cid, KP_CTAPHID_CBOR, KP_CTAP_OK);
        expect_nothing(&rig);
        rig_close(&rig);
}

Test(hid, cancel_ends_the_wait_of_its_own_channel)
{
        struct rig rig;
        uint32_t a, b;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        b = channel(&rig);
        feed(&rig, a, KP_CTAPHID_CANCEL, NULL, 0); /* nothing to cancel: no answer */
        expect_nothing(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        feed(&rig, a, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, a, KP_CTAPHID_KEEPALIVE, 2);
        feed(&rig, b, KP_CTAPHID_CANCEL, NULL, 0);
        expect_nothing(&rig);
        feed(&rig, a, KP_CTAPHID_CANCEL, NULL, 0);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP2_ERR_KEEPALIVE_CANCEL);
        feed(&rig, a, KP_CTAPHID_CANCEL, NULL, 0);
        expect_nothing(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 0, true);
        feed(&rig, b, KP_CTAPHID_CBOR, selection, 1); /* free again */
        expect(&rig, b, KP_CTAPHID_CBOR, KP_CTAP_OK);
        rig_close(&rig);
}

Test(hid, a_finger_that_changes_its_mind_counts_from_then)
{
        struct rig rig;
        uint32_t cid;

        rig_open(&rig, "yubikey-5-57");
        cid = channel(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        feed(&rig, cid, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, cid, KP_CTAPHID_KEEPALIVE, 2);
        rig_wait(&rig, 50);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 20, true);
        rig_wait(&rig, 20);
        expect(&rig, cid, KP_CTAPHID_CBOR, KP_CTAP_OK);
        rig_close(&rig);
}

Test(hid, the_next_assertion_belongs_to_the_channel_of_the_first)
{
        static const uint8_t next[] = { KP_CTAP_GET_NEXT_ASSERTION };
        struct rig rig;
        uint32_t a, b;
        KP_CLEANUP(kp_buf_done) struct kp_buf get = { 0 };

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_, .user_id = "b" }), 0);
        kp_buf_put_u8(&get, KP_CTAP_GET_ASSERTION);
        kp_cbor_put_map(&get, 2);
        kp_cbor_put_int(&get, 1);
        kp_cbor_put_text(&get, "example.org");
        kp_cbor_put_int(&get, 2);
        kp_cbor_put_bytes(&get, cdh, 32);
        a = channel(&rig);
        b = channel(&rig);
        feed(&rig, a, KP_CTAPHID_CBOR, get.data, get.len);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP_OK);
        feed(&rig, b, KP_CTAPHID_CBOR, next, 1);
        expect(&rig, b, KP_CTAPHID_CBOR, KP_CTAP2_ERR_NOT_ALLOWED);
        feed(&rig, a, KP_CTAPHID_CBOR, next, 1);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP_OK);
        /* INIT starts that over too */
        feed(&rig, a, KP_CTAPHID_CBOR, get.data, get.len);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP_OK);
        feed(&rig, a, KP_CTAPHID_INIT, cdh, 8);
        expect(&rig, a, KP_CTAPHID_INIT, cdh[0]);
        feed(&rig, a, KP_CTAPHID_CBOR, next, 1);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP2_ERR_NOT_ALLOWED);
        rig_close(&rig);
}

Test(hid, the_next_of_a_list_belongs_to_the_channel_of_its_beginning)
{
        static const uint8_t next[] = { KP_CTAP_CREDENTIAL_MANAGEMENT, 0xa1, 0x01,
                0x03 };
        struct rig rig;
        uint32_t cid;
        uint8_t token[32];
        struct kp_buf m = { 0 };

        rig_open(&rig, "yubikey-5-57-full"); /* a hundred parties */
        rig_permit(&rig, 2, KP_CTAP_PERM_CM, token);
        expect_status(
                rig_authorised(&rig, KP_CTAP_CREDENTIAL_MANAGEMENT, 2, 2, token, NULL),
                0);
        cid = channel(&rig);
        feed(&rig, cid, KP_CTAPHID_CBOR, next, sizeof(next));
        expect(&rig, cid, KP_CTAPHID_CBOR, KP_CTAP2_ERR_NOT_ALLOWED);
        /* the bench talks on a channel of its own */
        kp_buf_put(&m, next, sizeof(next));
        expect_status(rig_send(&rig, &m), KP_CTAP_OK);
        rig_close(&rig);
}

Test(hid, a_message_above_maxMsgSize_is_too_large)
{
        struct rig rig;
        uint32_t cid;
        uint8_t message[1300] = { KP_CTAP_MAKE_CREDENTIAL };

        rig_open(&rig, "yubikey-5-57"); /* 1280 */
        cid = channel(&rig);
        feed(&rig, cid, KP_CTAPHID_CBOR, message, 1281);
        expect(&rig, cid, KP_CTAPHID_CBOR, KP_CTAP2_ERR_REQUEST_TOO_LARGE);
        feed(&rig, cid, KP_CTAPHID_CBOR, message, 1280);
        expect(&rig, cid, KP_CTAPHID_CBOR, KP_CTAP2_ERR_INVALID_CBOR);
        rig_close(&rig);
}

Test(hid, pulling_the_plug_forgets_the_channels)
{
        struct rig rig;
        uint32_t cid;

        rig_open(&rig, "yubikey-5-57");
        cid = channel(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        feed(&rig, cid, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, cid, KP_CTAPHID_KEEPALIVE, 2);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        rig_wait(&rig, 60000);
        expect_nothing(&rig);
        feed(&rig, cid, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, cid, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_CHANNEL);
        rig_close(&rig);
}

Test(hid, channels_run_out_at_the_one_that_was_idle_longest)
{
        struct rig rig;
        uint32_t first, second;

        rig_open(&rig, "yubikey-5-57");
        first = channel(&rig);
        second = channel(&rig);
        for (int i = 0; i < 14; i++)
                (void)channel(&rig);
        feed(&rig, first, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, first, KP_CTAPHID_PING, -1);
        (void)channel(&rig);
        feed(&rig, second, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, second, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_CHANNEL);
        feed(&rig, first, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, first, KP_CTAPHID_PING, -1);
        rig_close(&rig);
}

/* Reports of noise: nothing may crash, and the key must still answer afterwards. */
Test(hid, survives_noise)
{
        struct rig rig;
        uint8_t report[KP_CTAPHID_REPORT];
        uint32_t cid;

        rig_open(&rig, "yubikey-5-57");
        cid = channel(&rig);
        for (int i = 0; i < 20000; i++) {
                kp_random_bytes(rig.random, report, sizeof(report));
                if (report[63] & 1)
                        memcpy(report,
                                (uint8_t[]){ (uint8_t)(cid >> 24), (uint8_t)(cid >> 16),
                                        (uint8_t)(cid >> 8), (uint8_t)cid },
                                4);
                if (report[63] & 2) {
                        report[4] = 0x80 | KP_CTAPHID_CBOR;
                        report[5] = 0;
                        report[6] &= 0x3f;
                        report[7] &= 0x0f;
                }
                kp_authenticator_feed(rig.key, report, rig.now_ms += report[62]);
                while (kp_authenticator_next_report(rig.key, report))
                        ;
        }
        rig_wait(&rig, 60000);
        while (kp_authenticator_next_report(rig.key, report))
                ;
        cid = channel(&rig);
        feed(&rig, cid, KP_CTAPHID_CBOR, get_info, 1);
        expect(&rig, cid, KP_CTAPHID_CBOR, KP_CTAP_OK);
        rig_close(&rig);
}
