/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/authenticator/fault.h"

#include "wire.h"

/*
 * CTAPHID where two applications meet: busy, locked, cancelled, out of channels, and
 * messages that are refused at their first frame. Spec: CTAP 2.1 §11.2
 */

static const uint8_t nonce[8] = { 9, 8, 7, 6, 5, 4, 3, 2 };

/* A key as the file has it, with other CTAPHID commands. */
static void
open_with(struct rig *rig, bool lock, bool wink)
{
        struct kp_key_facts *facts;

        rig_open(rig, "yubikey-5-57");
        facts = (struct kp_key_facts *)kp_authenticator_profile_facts(rig->profile);
        facts->hid_lock = lock;
        facts->hid_wink = wink;
}

static void
feed_first(struct rig *rig, uint32_t cid, uint8_t cmd, size_t total)
{
        uint8_t report[KP_CTAPHID_REPORT] = { (uint8_t)(cid >> 24),
                (uint8_t)(cid >> 16), (uint8_t)(cid >> 8), (uint8_t)cid,
                (uint8_t)(0x80 | cmd), (uint8_t)(total >> 8), (uint8_t)total };

        kp_authenticator_feed(rig->key, report, rig->now_ms);
}

static void
lock(struct rig *rig, uint32_t cid, uint8_t seconds)
{
        feed(rig, cid, KP_CTAPHID_LOCK, &seconds, 1);
}

Test(hid_rules, a_locked_key_is_busy_for_all_others_until_the_time_is_up)
{
        struct rig rig;
        uint32_t a, b;

        open_with(&rig, true, true);
        cr_assert(capabilities(&rig) & KP_CTAPHID_CAP_LOCK);
        a = channel(&rig);
        b = channel(&rig);
        lock(&rig, a, 8);
        expect(&rig, a, KP_CTAPHID_LOCK, -1);
        feed(&rig, b, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, b, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        feed(&rig, b, KP_CTAPHID_CBOR, get_info, 1);
        expect(&rig, b, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        feed(&rig, b, KP_CTAPHID_INIT, nonce, 8);
        expect(&rig, b, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        lock(&rig, b, 0); /* only its owner gives it back */
        expect(&rig, b, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        (void)channel(&rig); /* a channel may be asked for */
        feed(&rig, a, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, a, KP_CTAPHID_PING, -1);
        cr_assert_eq(kp_authenticator_next_event_ms(rig.key), -1);
        rig_wait(&rig, 7999);
        feed(&rig, b, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, b, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        rig_wait(&rig, 1);
        feed(&rig, b, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, b, KP_CTAPHID_PING, -1);
        rig_close(&rig);
}

Test(hid_rules, a_lock_of_no_time_gives_the_key_back)
{
        struct rig rig;
        uint32_t a, b;

        open_with(&rig, true, true);
        a = channel(&rig);
        b = channel(&rig);
        lock(&rig, a, 0);
        expect(&rig, a, KP_CTAPHID_LOCK, -1);
        lock(&rig, a, 10);
        expect(&rig, a, KP_CTAPHID_LOCK, -1);
        lock(&rig, a, 0);
        expect(&rig, a, KP_CTAPHID_LOCK, -1);
        feed(&rig, b, KP_CTAPHID_INIT, nonce, 8);
        expect(&rig, b, KP_CTAPHID_INIT, 9);
        lock(&rig, b, 1);
        expect(&rig, b, KP_CTAPHID_LOCK, -1);
        rig_wait(&rig, 600);
        lock(&rig, b, 1); /* again: counted from now */
        expect(&rig, b, KP_CTAPHID_LOCK, -1);
        rig_wait(&rig, 600);
        feed(&rig, a, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        a = channel(&rig);
        feed(&rig, a, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, a, KP_CTAPHID_PING, -1);
        rig_close(&rig);
}

Test(hid_rules, a_lock_has_one_byte_of_at_most_ten_seconds)
{
        static const uint8_t two[] = { 1, 1 };
        struct rig rig;
        uint32_t a;

        open_with(&rig, true, true);
        a = channel(&rig);
        lock(&rig, a, 11);
        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_PARAMETER);
        feed(&rig, a, KP_CTAPHID_LOCK, two, 2);
        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_LENGTH);
        feed(&rig, a, KP_CTAPHID_LOCK, NULL, 0);
        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_LENGTH);
        rig_close(&rig);
}

Test(hid_rules, capabilities_and_commands_agree)
{
        struct rig rig;
        uint32_t a;

        for (int flags = 0; flags < 4; flags++) {
                open_with(&rig, flags & 1, flags & 2);
                cr_assert_eq((capabilities(&rig) & KP_CTAPHID_CAP_LOCK) != 0,
                        (flags & 1) != 0);
                cr_assert_eq((capabilities(&rig) & KP_CTAPHID_CAP_WINK) != 0,
                        (flags & 2) != 0);
                a = channel(&rig);
                lock(&rig, a, 0);
                if (flags & 1)
                        expect(&rig, a, KP_CTAPHID_LOCK, -1);
                else
                        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_COMMAND);
                feed(&rig, a, KP_CTAPHID_WINK, NULL, 0);
                if (flags & 2)
                        expect(&rig, a, KP_CTAPHID_WINK, -1);
                else
                        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_COMMAND);
                expect_nothing(&rig);
                rig_close(&rig);
        }
}

Test(hid_rules, a_message_that_cannot_be_is_refused_at_its_first_frame)
{
        static const struct {
                uint8_t cmd;
                size_t total;
                uint8_t code;
        } cases[] = {
                { 0x55, 300, KP_CTAP1_ERR_INVALID_COMMAND },
                { 0x55, 0xffff, KP_CTAP1_ERR_INVALID_COMMAND },
                { KP_CTAPHID_KEEPALIVE, 1, KP_CTAP1_ERR_INVALID_COMMAND },
                { KP_CTAPHID_ERROR, 1, KP_CTAP1_ERR_INVALID_COMMAND },
                { KP_CTAPHID_PING, 7610, KP_CTAP1_ERR_INVALID_LENGTH },
                { KP_CTAPHID_CBOR, 7610, KP_CTAP1_ERR_INVALID_LENGTH },
                { KP_CTAPHID_CBOR, 0xffff, KP_CTAP1_ERR_INVALID_LENGTH },
                { KP_CTAPHID_CBOR, 0, KP_CTAP1_ERR_INVALID_LENGTH },
                { KP_CTAPHID_MSG, 0, KP_CTAP1_ERR_INVALID_LENGTH },
                { KP_CTAPHID_WINK, 1, KP_CTAP1_ERR_INVALID_LENGTH },
        };
        struct rig rig;
        uint32_t a;

        open_with(&rig, true, true);
        a = channel(&rig);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                feed_first(&rig, a, cases[i].cmd, cases[i].total);
                expect(&rig, a, KP_CTAPHID_ERROR, cases[i].code);
                expect_nothing(&rig);
                cr_assert_eq(
                        kp_authenticator_next_event_ms(rig.key), -1, "case %zu", i);
        }
        rig_close(&rig);
}

/* A beginning where a continuation was due is out of sequence, whatever it claims. */
Test(hid_rules, out_of_sequence_comes_before_what_the_frame_says)
{
        static const struct {
                uint8_t cmd;
                size_t total;
        } cases[] = { { KP_CTAPHID_PING, 8 }, { KP_CTAPHID_PING, 0xffff },
                { 0x02, 0xffff }, { KP_CTAPHID_WINK, 0 }, { KP_CTAPHID_CBOR, 0 } };
        struct rig rig;
        uint32_t a;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                feed_first(&rig, a, KP_CTAPHID_PING, 1024);
                feed_first(&rig, a, cases[i].cmd, cases[i].total);
                expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_SEQ);
                rig_wait(&rig, 1000); /* the message is over, so it does not time out */
                expect_nothing(&rig);
        }
        rig_close(&rig);
}

/* §11.2.5.1: from a different channel, allocated or not. */
Test(hid_rules, busy_comes_before_whether_the_channel_exists)
{
        struct rig rig;
        uint32_t a;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        feed_one(&rig, a, KP_CTAPHID_PING, 1024, 0);
        feed_first(&rig, a ^ 1, KP_CTAPHID_PING, 1024);
        expect(&rig, a ^ 1, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        feed_first(&rig, 0, KP_CTAPHID_PING, 8);
        expect(&rig, 0, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_CHANNEL);
        feed_first(&rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_PING, 8);
        expect(&rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_ERROR,
                KP_CTAP1_ERR_INVALID_CHANNEL);
        rig_wait(&rig, 500);
        expect(&rig, a, KP_CTAPHID_ERROR, KP_CTAP1_ERR_TIMEOUT);
        feed_first(&rig, a ^ 1, KP_CTAPHID_PING, 0);
        expect(&rig, a ^ 1, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_CHANNEL);
        rig_close(&rig);
}

Test(hid_rules, init_is_answered_on_its_own_channel)
{
        struct kp_ctaphid_join join = { 0 };
        const uint32_t mine = 0x11223344;
        struct rig rig;
        uint32_t a;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        feed(&rig, 0, KP_CTAPHID_INIT, nonce, 8);
        expect(&rig, 0, KP_CTAPHID_ERROR, KP_CTAP1_ERR_INVALID_CHANNEL);
        /* on a channel that another key, or this one before it was plugged in again, gave
         * out: it is one from now on, and what others do is not disturbed */
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 0);
        feed(&rig, mine, KP_CTAPHID_INIT, nonce, 8);
        cr_assert(take(&rig, &join));
        cr_assert_eq(join.cid, mine);
        cr_assert_eq(join.cmd, KP_CTAPHID_INIT);
        cr_assert_eq(join.payload.len, 17);
        cr_assert_eq(memcmp(join.payload.data, nonce, 8), 0);
        cr_assert_eq(memcmp(join.payload.data + 8, "\x11\x22\x33\x44", 4), 0);
        kp_buf_wipe(&join.payload);
        feed(&rig, mine, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, mine, KP_CTAPHID_ERROR, KP_CTAP1_ERR_CHANNEL_BUSY);
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 1);
        expect(&rig, a, KP_CTAPHID_PING, -1);
        feed(&rig, mine, KP_CTAPHID_PING, nonce, 8);
        expect(&rig, mine, KP_CTAPHID_PING, 9);
        rig_close(&rig);
}

/* What waits for a finger goes on when another application says hello. */
Test(hid_rules, init_elsewhere_does_not_end_a_wait)
{
        struct rig rig;
        uint32_t a, b;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        b = channel(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 150, true);
        feed(&rig, a, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, a, KP_CTAPHID_KEEPALIVE, 2);
        feed(&rig, b, KP_CTAPHID_INIT, nonce, 8);
        expect(&rig, b, KP_CTAPHID_INIT, 9);
        (void)channel(&rig);
        rig_wait(&rig, 100);
        expect(&rig, a, KP_CTAPHID_KEEPALIVE, 2);
        rig_wait(&rig, 50);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP_OK);
        rig_close(&rig);
}

Test(hid_rules, cancel_is_never_answered_itself)
{
        struct rig rig;
        uint32_t a;

        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        feed(&rig, 0, KP_CTAPHID_CANCEL, NULL, 0);
        feed(&rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_CANCEL, NULL, 0);
        feed(&rig, a ^ 1, KP_CTAPHID_CANCEL, NULL, 0);
        feed(&rig, a, KP_CTAPHID_CANCEL, nonce, 8);
        expect_nothing(&rig);
        /* no CBOR request is being processed: the message that comes in goes on */
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 0);
        feed(&rig, a, KP_CTAPHID_CANCEL, NULL, 0);
        expect_nothing(&rig);
        feed_one(&rig, a, KP_CTAPHID_PING, 100, 1);
        expect(&rig, a, KP_CTAPHID_PING, -1);
        rig_close(&rig);
}

/* Sixteen newcomers do not push out the one that is being served. */
Test(hid_rules, a_channel_in_use_does_not_make_room)
{
        struct rig rig;
        uint32_t a, locker;

        open_with(&rig, true, true);
        locker = channel(&rig);
        lock(&rig, locker, 10);
        expect(&rig, locker, KP_CTAPHID_LOCK, -1);
        for (int i = 0; i < 40; i++)
                (void)channel(&rig);
        feed(&rig, locker, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, locker, KP_CTAPHID_PING, -1);
        lock(&rig, locker, 0);
        expect(&rig, locker, KP_CTAPHID_LOCK, -1);
        a = channel(&rig);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        feed(&rig, a, KP_CTAPHID_CBOR, selection, 1);
        expect(&rig, a, KP_CTAPHID_KEEPALIVE, 2);
        for (int i = 0; i < 40; i++)
                (void)channel(&rig);
        feed(&rig, a, KP_CTAPHID_CANCEL, NULL, 0);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP2_ERR_KEEPALIVE_CANCEL);
        feed(&rig, a, KP_CTAPHID_PING, NULL, 0);
        expect(&rig, a, KP_CTAPHID_PING, -1);
        rig_close(&rig);
}

Test(hid_rules, channels_are_all_different)
{
        uint32_t seen[64];
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        for (size_t i = 0; i < KP_NELEMS(seen); i++) {
                seen[i] = channel(&rig);
                for (size_t j = 0; j < i; j++)
                        cr_assert_neq(seen[i], seen[j]);
        }
        rig_close(&rig);
}

/* The longest message has sequence numbers up to 0x7f. */
Test(hid_rules, the_longest_message_passes_in_both_directions)
{
        static uint8_t payload[7609];
        struct kp_ctaphid_join join = { 0 };
        uint8_t report[KP_CTAPHID_REPORT], last = 0;
        struct rig rig;
        size_t n = 0;
        uint32_t a;

        for (size_t i = 0; i < sizeof(payload); i++)
                payload[i] = (uint8_t)(i * 13 + 1);
        rig_open(&rig, "yubikey-5-57");
        a = channel(&rig);
        feed(&rig, a, KP_CTAPHID_PING, payload, sizeof(payload));
        for (; kp_authenticator_next_report(rig.key, report); n++) {
                last = report[4];
                (void)kp_ctaphid_join(&join, report);
        }
        cr_assert_eq(n, 129);
        cr_assert_eq(last, 0x7f);
        cr_assert(kp_bytes_equal(
                join.payload.data, join.payload.len, payload, sizeof(payload)));
        kp_buf_wipe(&join.payload);
        rig_close(&rig);
}

/* A U2F message is answered at once or asked for again: no keep-alives. */
Test(hid_rules, u2f_has_no_keepalives)
{
        static const uint8_t version[] = { 0, 3, 0, 0, 0, 0, 0 };
        static const struct kp_fault slow = {
                .id = "slow", .point = "answer.slow", .times = 1, .value = 1000
        };
        struct kp_error err = { 0 };
        struct kp_ctaphid_join join = { 0 };
        struct rig rig;
        uint32_t a;

        rig_open(&rig, "yubikey-4-u2f");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        a = channel(&rig);
        feed(&rig, a, KP_CTAPHID_MSG, version, sizeof(version));
        cr_assert(take(&rig, &join));
        cr_assert_eq(join.cmd, KP_CTAPHID_MSG);
        cr_assert(kp_bytes_equal(
                join.payload.data, join.payload.len, "U2F_V2\x90\x00", 8));
        kp_buf_wipe(&join.payload);
        rig_wait(&rig, 5000);
        expect_nothing(&rig);
        /* not even while an answer is slow */
        cr_assert_eq(kp_authenticator_fault_add(rig.key, &slow, &err), 0);
        feed(&rig, a, KP_CTAPHID_MSG, version, sizeof(version));
        rig_wait(&rig, 999);
        expect_nothing(&rig);
        feed(&rig, a, KP_CTAPHID_CANCEL, NULL, 0);
        rig_wait(&rig, 1);
        expect(&rig, a, KP_CTAPHID_MSG, 'U');
        expect_nothing(&rig);
        rig_close(&rig);
}

Test(hid_rules, nobody_touches_for_half_a_minute)
{
        struct rig rig;
        uint32_t a;

        rig_open(&rig, "yubikey-5-57");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        a = channel(&rig);
        feed(&rig, a, KP_CTAPHID_CBOR, selection, 1);
        rig_wait(&rig, 60000);
        for (int i = 0; i < 300; i++)
                expect(&rig, a, KP_CTAPHID_KEEPALIVE, 2);
        expect(&rig, a, KP_CTAPHID_CBOR, KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        expect_nothing(&rig);
        rig_close(&rig);
}
