/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/authenticator/fault.h"

#include "rig.h"

/* The key as a smart card, APDU by APDU. Spec: CTAP 2.1 §11.3; ISO 7816-4 §5 */

static const uint8_t select_fido[] = { 0x00, 0xa4, 0x04, 0x00, 0x08, 0xa0, 0x00, 0x00,
        0x06, 0x47, 0x2f, 0x00, 0x01, 0x00 };

/* What came back last. */
static struct kp_buf back;

static uint16_t
send(struct rig *rig, const void *apdu, size_t len)
{
        kp_authenticator_apdu(rig->key, apdu, len, rig->now_ms, &back);
        if (back.len < 2)
                return 0; /* nothing at all */
        back.len -= 2;
        return (uint16_t)(back.data[back.len] << 8 | back.data[back.len + 1]);
}

#define expect_word(got, wanted)                                                       \
        do {                                                                           \
                uint16_t word_got = (got);                                             \
                cr_assert_eq(word_got, (wanted), "got %04x, expected %04x", word_got,  \
                        (unsigned)(wanted));                                           \
        } while (0)

#define expect_back(bytes, n)                                                          \
        cr_assert(kp_bytes_equal(back.data, back.len, (bytes), (n)),                   \
                "%zu bytes came back, the first is %02x", back.len,                    \
                back.len > 0 ? back.data[0] : 0)

/* One short APDU with data and Le 00. */
static uint16_t
command(struct rig *rig, uint8_t cla, uint8_t ins, uint8_t p1, const void *data,
        size_t len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf apdu = { 0 };
        const uint8_t head[] = { cla, ins, p1, 0, (uint8_t)len };

        cr_assert_leq(len, 255);
        kp_buf_put(&apdu, head, len > 0 ? 5 : 4);
        kp_buf_put(&apdu, data, len);
        kp_buf_put_u8(&apdu, 0x00);
        return send(rig, apdu.data, apdu.len);
}

static uint16_t
extended(struct rig *rig, uint8_t cla, uint8_t ins, uint8_t p1, const void *data,
        size_t len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf apdu = { 0 };
        const uint8_t head[] = { cla, ins, p1, 0, 0, (uint8_t)(len >> 8),
                (uint8_t)len };

        kp_buf_put(&apdu, head, sizeof(head));
        kp_buf_put(&apdu, data, len);
        kp_buf_put_be16(&apdu, 0x0000);
        return send(rig, apdu.data, apdu.len);
}

static void
open_selected(struct rig *rig, const char *id)
{
        rig_open(rig, id);
        kp_buf_clear(&back);
        expect_word(send(rig, select_fido, sizeof(select_fido)), 0x9000);
}

static void
close_all(struct rig *rig)
{
        kp_buf_done(&back);
        rig_close(rig);
}

/* makeCredential as the bench says it; the answer over the wire must be of its kind. */
static struct kp_buf
make_message(const char *name)
{
        struct kp_buf record[1] = { { 0 } };
        struct rig other;

        rig_open(&other, "yubikey-5-57");
        other.record = record;
        expect_status(
                rig_make(&other, &(struct ask){ .rk = TRUE_, .user_name = name }), 0);
        rig_close(&other);
        return record[0];
}

static char *
long_name(void)
{
        static char name[201];

        memset(name, 'n', 200);
        return name;
}

static const uint8_t get_info[] = { KP_CTAP_GET_INFO };
static const uint8_t selection[] = { KP_CTAP_SELECTION };

Test(nfc, the_application_says_which_protocols_it_speaks)
{
        static const struct {
                const char *id, *version;
        } cases[] = {
                { "yubikey-5-57", "U2F_V2" }, /* both */
                { "token2-pinplus", "FIDO_2_0" },
                { "yubikey-4-u2f", "U2F_V2" },
                /* U2F cannot verify anybody, so it is off. §7.2 */
                { "yubikey-5-57-always-uv", "FIDO_2_0" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;

                open_selected(&rig, cases[i].id);
                expect_back(cases[i].version, strlen(cases[i].version));
                /* without Le, as some platforms send it */
                expect_word(send(&rig, select_fido, sizeof(select_fido) - 1), 0x9000);
                expect_back(cases[i].version, strlen(cases[i].version));
                close_all(&rig);
        }
}

Test(nfc, nothing_is_understood_before_selection)
{
        static const uint8_t other[] = { 0xd2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01 };
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        expect_word(command(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x6986);
        expect_word(command(&rig, 0x00, 0x03, 0x00, NULL, 0), 0x6986);
        expect_word(command(&rig, 0x00, 0xc0, 0x00, NULL, 0), 0x6986);
        expect_word(command(&rig, 0x00, 0xa4, 0x04, other, sizeof(other)), 0x6a82);
        expect_word(command(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x6986);
        expect_word(command(&rig, 0x00, 0xa4, 0x00, select_fido + 5, 8), 0x6a86);
        expect_word(send(&rig, select_fido, sizeof(select_fido)), 0x9000);
        /* another application that is not there does not take its place */
        expect_word(command(&rig, 0x00, 0xa4, 0x04, other, sizeof(other)), 0x6a82);
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        expect_word(command(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x6986);
        close_all(&rig);
}

/* Sent in pieces of these sizes, and the rest; fetched with GET RESPONSE. */
static void
in_pieces(struct rig *rig, const struct kp_buf *message, const size_t *sizes,
        size_t n_sizes, struct kp_buf *answer)
{
        size_t at = 0;
        uint16_t word;

        for (size_t i = 0; i < n_sizes; i++) {
                expect_word(
                        command(rig, 0x90, 0x10, 0x00, message->data + at, sizes[i]),
                        0x9000);
                cr_assert_eq(back.len, 0);
                at += sizes[i];
        }
        word = command(rig, 0x80, 0x10, 0x00, message->data + at, message->len - at);
        for (;;) {
                cr_assert_leq(back.len, 256);
                kp_buf_put(answer, back.data, back.len);
                if (word == 0x9000)
                        return;
                cr_assert_eq(word >> 8, 0x61, "%04x", word);
                word = send(rig,
                        (const uint8_t[]){ 0x00, 0xc0, 0x00, 0x00, (uint8_t)word }, 5);
        }
}

static void
expect_made(const struct kp_buf *answer)
{
        struct kp_error err = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;

        cr_assert_eq(answer->data[0], KP_CTAP_OK);
        cr_assert_eq(kp_cbor_parse(answer->data + 1, answer->len - 1, KP_CBOR_CTAP2,
                             &map, NULL, &err),
                0);
        cr_assert_not_null(kp_cbor_at_int(map, 2));
        cr_assert_gt(answer->len, 256, "too short to show that it comes in parts");
}

Test(nfc, long_messages_come_and_go_in_parts)
{
        static const size_t full[] = { 255, 255 }, uneven[] = { 1, 200, 17, 255 };
        KP_CLEANUP(kp_buf_done) struct kp_buf message = make_message(long_name());
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };
        struct rig rig;

        cr_assert_gt(message.len, 511);
        open_selected(&rig, "yubikey-5-57");
        in_pieces(&rig, &message, full, 2, &answer);
        expect_made(&answer);
        kp_buf_clear(&answer);
        in_pieces(&rig, &message, uneven, 4, &answer);
        expect_made(&answer);
        /* whole, and whole back: an extended answer to an extended command */
        expect_word(
                extended(&rig, 0x80, 0x10, 0x00, message.data, message.len), 0x9000);
        expect_made(&back);
        close_all(&rig);
}

Test(nfc, an_answer_is_read_in_order_or_not_at_all)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = make_message("kees");
        struct rig rig;
        uint16_t word;

        open_selected(&rig, "yubikey-5-57");
        expect_word(
                extended(&rig, 0x80, 0x10, 0x00, message.data, message.len), 0x9000);
        cr_assert_gt(back.len, 256 + 256);
        word = command(&rig, 0x80, 0x10, 0x00, message.data, message.len);
        expect_word(word, 0x6100); /* 256 or more are left */
        expect_word(command(&rig, 0x80, 0xc0, 0x01, NULL, 0), 0x6a86);
        /* fewer than are there: the rest still waits */
        word = send(&rig, (const uint8_t[]){ 0x80, 0xc0, 0x00, 0x00, 0x10 }, 5);
        cr_assert_eq(word >> 8, 0x61);
        cr_assert_eq(back.len, 0x10);
        expect_word(command(&rig, 0x80, 0x55, 0x00, NULL, 0), 0x6d00);
        expect_word(command(&rig, 0x00, 0xc0, 0x00, NULL, 0), 0x6985);
        close_all(&rig);
}

/* An extended command may ask for less than there is as well. */
Test(nfc, le_limits_an_extended_answer)
{
        static const uint8_t apdu[] = { 0x80, 0x10, 0, 0, 0, 0, 1, KP_CTAP_GET_INFO, 0,
                100 };
        struct rig rig;
        uint16_t word;
        size_t whole;

        open_selected(&rig, "yubikey-5-57");
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        whole = back.len;
        word = send(&rig, apdu, sizeof(apdu));
        cr_assert_eq(word >> 8, 0x61);
        cr_assert_eq(back.len, 100);
        expect_word(send(&rig, (const uint8_t[]){ 0, 0xc0, 0, 0, 0, 0, 0 }, 7), 0x9000);
        cr_assert_eq(back.len, whole - 100);
        close_all(&rig);
}

Test(nfc, a_chain_is_a_run_of_the_same_command)
{
        static const uint8_t half[] = { 0x01, 0xa4, 0x01 };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        expect_word(command(&rig, 0x90, 0x10, 0x00, half, sizeof(half)), 0x9000);
        expect_word(command(&rig, 0x80, 0x55, 0x00, NULL, 0), 0x6d00);
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        cr_assert_eq(back.data[0], KP_CTAP_OK);
        expect_word(command(&rig, 0x90, 0x10, 0x00, half, sizeof(half)), 0x9000);
        expect_word(command(&rig, 0x90, 0x55, 0x00, half, sizeof(half)), 0x9000);
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        cr_assert_eq(back.data[0], KP_CTAP_OK);
        expect_word(command(&rig, 0x90, 0x10, 0x00, half, sizeof(half)), 0x9000);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x6985);
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        cr_assert_eq(back.data[0], KP_CTAP_OK);
        expect_word(command(&rig, 0x90, 0x10, 0x00, half, sizeof(half)), 0x9000);
        expect_word(send(&rig, select_fido, sizeof(select_fido)), 0x9000);
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        cr_assert_eq(back.data[0], KP_CTAP_OK);
        close_all(&rig);
}

Test(nfc, a_chain_without_end_is_too_large)
{
        static const uint8_t part[255] = { KP_CTAP_MAKE_CREDENTIAL };
        static const uint8_t too_large[] = { KP_CTAP2_ERR_REQUEST_TOO_LARGE };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        for (int i = 0; i < 300; i++)
                expect_word(
                        command(&rig, 0x90, 0x10, 0x00, part, sizeof(part)), 0x9000);
        expect_word(command(&rig, 0x80, 0x10, 0x00, part, sizeof(part)), 0x9000);
        expect_back(too_large, 1);
        /* above maxMsgSize, 1280, but not that long: the same */
        for (int i = 0; i < 5; i++)
                expect_word(
                        command(&rig, 0x90, 0x10, 0x00, part, sizeof(part)), 0x9000);
        expect_word(command(&rig, 0x80, 0x10, 0x00, part, sizeof(part)), 0x9000);
        expect_back(too_large, 1);
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        close_all(&rig);
}

Test(nfc, what_is_not_understood_has_its_status_word)
{
        static const struct {
                uint16_t word;
                uint8_t apdu[16];
                size_t len;
        } cases[] = {
                /* no such instruction, short and extended */
                { 0x6d00, { 0x80, 0x75, 0, 0, 1, 4, 0 }, 7 },
                { 0x6d00, { 0x80, 0x75, 0, 0, 0, 0, 1, 4, 0, 0 }, 10 },
                { 0x6d00, { 0x00, 0x75, 0, 0 }, 4 },
                { 0x6e00, { 0xe0, 0x10, 0, 0, 1, 4, 0 }, 7 },
                { 0x6e00, { 0x84, 0x10, 0, 0, 1, 4, 0 }, 7 },
                /* Lc that is not the length of the data */
                { 0x6700, { 0x80, 0x10, 0, 0, 0xff, 4, 0 }, 7 },
                { 0x6700, { 0x80, 0x10, 0, 0, 0, 0xff, 1, 4, 0, 0 }, 10 },
                { 0x6700, { 0x80, 0x10, 0, 0, 2, 4 }, 6 },
                { 0x6700, { 0x80, 0x10, 0, 0, 1, 4, 0, 0 }, 8 },
                { 0x6700, { 0x80, 0x10, 0, 0, 0, 0, 1, 4, 0 }, 9 },
                { 0x6700, { 0x80, 0x10, 0, 0, 0, 0, 1, 4, 0, 0, 0 }, 11 },
                { 0x6700, { 0x80, 0x10, 0, 0, 0, 4 }, 6 },
                { 0x6700, { 0x80, 0x10, 0 }, 3 },
                { 0x6700, { 0 }, 0 },
                /* a command without a command byte */
                { 0x6700, { 0x80, 0x10, 0, 0 }, 4 },
                { 0x6700, { 0x80, 0x10, 0, 0, 0 }, 5 },
                /* bits that are reserved */
                { 0x6a86, { 0x80, 0x10, 1, 0, 1, 4, 0 }, 7 },
                { 0x6a86, { 0x80, 0x10, 0, 1, 1, 4, 0 }, 7 },
                { 0x6a86, { 0x80, 0x11, 1, 0 }, 4 },
                { 0x6a86, { 0x80, 0x11, 0, 1 }, 4 },
                { 0x6a86, { 0x80, 0x12, 0, 0 }, 4 },
                { 0x6a86, { 0x80, 0x12, 1, 1 }, 4 },
                { 0x6700, { 0x80, 0x12, 1, 0, 1, 4 }, 6 },
                { 0x6a86, { 0x00, 0xa4, 0x04, 0x0c, 1, 4 }, 6 },
                { 0x6a82, { 0x00, 0xa4, 0x04, 0x00, 4, 0xa0, 0, 0, 6 }, 9 },
                { 0x6a82, { 0x00, 0xa4, 0x04, 0x00 }, 4 },
                /* nothing is waited for */
                { 0x6985, { 0x80, 0x11, 0, 0 }, 4 },
                { 0x6985, { 0x80, 0x11, 0x11, 0 }, 4 },
                { 0x6985, { 0x00, 0xc0, 0, 0, 0 }, 5 },
        };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                uint16_t word = send(&rig, cases[i].apdu, cases[i].len);

                cr_expect_eq(word, cases[i].word, "case %zu: %04x, not %04x", i, word,
                        cases[i].word);
                cr_expect_eq(back.len, 0, "case %zu: data with an error", i);
        }
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        close_all(&rig);
}

Test(nfc, the_length_of_a_command_is_said_in_seven_ways)
{
        static const struct {
                uint8_t apdu[16];
                size_t len;
        } cases[] = {
                { { 0x80, 0x10, 0, 0, 1, 4 }, 6 }, /* short, no Le */
                { { 0x80, 0x10, 0, 0, 1, 4, 0 }, 7 },
                { { 0x80, 0x10, 0, 0, 0, 0, 1, 4 }, 8 }, /* extended, no Le */
                { { 0x80, 0x10, 0, 0, 0, 0, 1, 4, 0, 0 }, 10 },
                { { 0x80, 0x10, 0x80, 0, 0, 0, 1, 4, 0xff, 0xff }, 10 },
        };
        struct rig rig;

        open_selected(&rig, "opensk");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                uint16_t word = send(&rig, cases[i].apdu, cases[i].len);

                cr_expect(
                        word == 0x9000 || word >> 8 == 0x61, "case %zu: %04x", i, word);
                cr_expect_eq(back.data[0], KP_CTAP_OK);
        }
        close_all(&rig);
}

/* §11.3.4 */
Test(nfc, ending_deselects_the_application)
{
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        expect_word(send(&rig, (const uint8_t[]){ 0x80, 0x12, 0x01, 0x00 }, 4), 0x9000);
        expect_word(command(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x6986);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x6986);
        expect_word(command(&rig, 0x00, 0x03, 0x00, NULL, 0), 0x6986);
        expect_word(send(&rig, select_fido, sizeof(select_fido)), 0x9000);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x6985);
        close_all(&rig);
}

/* CTAP 2.1 §5: putting the key on the reader is the touch, for two minutes. */
Test(nfc, a_tap_is_a_touch)
{
        static const uint8_t ok[] = { KP_CTAP_OK }, waiting[] = { 2 };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 5000, true);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9000);
        expect_back(ok, 1);
        rig_wait(&rig, 120000);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9000);
        rig_wait(&rig, 1);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        expect_back(waiting, 1);
        /* from now on a finger is waited for: 5 seconds */
        rig_wait(&rig, 4999);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x9100);
        expect_back(waiting, 1);
        rig_wait(&rig, 1);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x9000);
        expect_back(ok, 1);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x6985);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        expect_word(send(&rig, select_fido, sizeof(select_fido)), 0x9000);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9000);
        close_all(&rig);
}

/* §11.3.7.1: status updates only to a client that says it understands them. */
Test(nfc, a_client_that_does_not_poll_gets_the_answer_alone)
{
        static const uint8_t timeout[] = { KP_CTAP2_ERR_USER_ACTION_TIMEOUT };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_word(command(&rig, 0x80, 0x10, 0x00, selection, 1), 0x9000);
        expect_back(timeout, 1);
        close_all(&rig);
}

/* CTAP 2.2 §11.3.7.2 */
Test(nfc, a_poll_can_cancel)
{
        static const uint8_t cancelled[] = { KP_CTAP2_ERR_KEEPALIVE_CANCEL };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        expect_word(command(&rig, 0x80, 0x11, 0x11, NULL, 0), 0x9000);
        expect_back(cancelled, 1);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x6985);
        /* whoever sends another command does not wait for the one before */
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        expect_word(extended(&rig, 0x80, 0x10, 0x80, get_info, 1), 0x9000);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x6985);
        close_all(&rig);
}

/* A long answer that was waited for comes in parts too. */
Test(nfc, a_poll_answers_in_parts)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = make_message("kees");
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };
        struct rig rig;
        uint16_t word;

        open_selected(&rig, "yubikey-5-57");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_word(command(&rig, 0x80, 0x10, 0x80, message.data, message.len), 0x9100);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 100, true);
        rig_wait(&rig, 100);
        word = command(&rig, 0x80, 0x11, 0x00, NULL, 0);
        cr_assert_eq(word >> 8, 0x61);
        kp_buf_put(&answer, back.data, back.len);
        while (word >> 8 == 0x61) {
                word = command(&rig, 0x80, 0xc0, 0x00, NULL, 0);
                kp_buf_put(&answer, back.data, back.len);
        }
        expect_word(word, 0x9000);
        expect_made(&answer);
        close_all(&rig);
}

Test(nfc, u2f_goes_straight_through)
{
        uint8_t data[64] = { 1 };
        struct rig rig;
        uint16_t word;

        open_selected(&rig, "yubikey-4-u2f");
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 5000, true);
        expect_word(command(&rig, 0x00, 0x03, 0x00, NULL, 0), 0x9000);
        expect_back("U2F_V2", 6);
        expect_word(extended(&rig, 0x00, 0x01, 0x00, data, sizeof(data)), 0x9000);
        cr_assert_eq(back.data[0], 0x05);
        word = command(&rig, 0x00, 0x01, 0x00, data, sizeof(data));
        cr_assert_eq(word >> 8, 0x61, "a tap is a touch for U2F as well: %04x", word);
        expect_word(command(&rig, 0x00, 0x01, 0x00, data, 63), 0x6700);
        expect_word(command(&rig, 0x00, 0x55, 0x00, NULL, 0), 0x6d00);
        /* in two APDUs */
        expect_word(command(&rig, 0x10, 0x01, 0x00, data, 32), 0x9000);
        word = command(&rig, 0x00, 0x01, 0x00, data + 32, 32);
        cr_assert_eq(word >> 8, 0x61);
        /* a key that speaks U2F only knows no other class */
        expect_word(command(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x6e00);
        close_all(&rig);
        open_selected(&rig, "token2-pinplus"); /* no U2F */
        expect_word(command(&rig, 0x00, 0x03, 0x00, NULL, 0), 0x6d00);
        close_all(&rig);
}

Test(nfc, one_way_in_at_a_time)
{
        static const uint8_t selection_report[KP_CTAPHID_REPORT] = { 0x11, 0x22, 0x33,
                0x44, 0x80 | KP_CTAPHID_CBOR, 0, 1, KP_CTAP_SELECTION };
        static const uint8_t init[KP_CTAPHID_REPORT] = { 0x11, 0x22, 0x33, 0x44,
                0x80 | KP_CTAPHID_INIT, 0, 8 };
        uint8_t report[KP_CTAPHID_REPORT];
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        kp_authenticator_feed(rig.key, init, rig.now_ms);
        kp_authenticator_feed(rig.key, selection_report, rig.now_ms);
        cr_assert(kp_authenticator_next_report(rig.key, report));
        cr_assert(kp_authenticator_next_report(rig.key, report));
        cr_assert_eq(report[4], 0x80 | KP_CTAPHID_ERROR);
        cr_assert_eq(report[7], KP_CTAP1_ERR_CHANNEL_BUSY);
        /* by radio it is over, however it ended */
        expect_word(send(&rig, (const uint8_t[]){ 0x80, 0x12, 0x01, 0x00 }, 4), 0x9000);
        kp_authenticator_feed(rig.key, selection_report, rig.now_ms);
        cr_assert(kp_authenticator_next_report(rig.key, report));
        cr_assert_eq(report[4], 0x80 | KP_CTAPHID_KEEPALIVE);
        expect_word(send(&rig, select_fido, sizeof(select_fido)), 0x6985);
        expect_word(command(&rig, 0x80, 0x10, 0x80, get_info, 1), 0x6985);
        close_all(&rig);
}

/* CTAP 2.3 §6.6: a key may take a reset over some of its transports only. */
Test(nfc, a_command_knows_by_which_way_it_came)
{
        static const uint8_t reset[] = { KP_CTAP_RESET }, ok[] = { KP_CTAP_OK },
                             refused[] = { KP_CTAP2_ERR_OPERATION_DENIED };
        struct kp_key_facts *facts;
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        facts = (struct kp_key_facts *)kp_authenticator_profile_facts(rig.profile);
        facts->transports_for_reset = (struct kp_words){ { "usb" }, 1 };
        expect_word(command(&rig, 0x80, 0x10, 0x00, reset, 1), 0x9000);
        expect_back(refused, 1);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP_OK);
        facts->transports_for_reset.word[0] = "nfc";
        expect_word(command(&rig, 0x80, 0x10, 0x00, reset, 1), 0x9000);
        expect_back(ok, 1);
        expect_status(rig_command(&rig, KP_CTAP_RESET), KP_CTAP2_ERR_OPERATION_DENIED);
        close_all(&rig);
}

/* ---- faults ---- */

static void
add_fault(struct rig *rig, const struct kp_fault *fault)
{
        struct kp_error err = { 0 };

        cr_assert_eq(kp_authenticator_fault_add(rig->key, fault, &err), 0);
}

Test(nfc, a_card_is_taken_away_at_any_apdu)
{
        static const size_t sizes[] = { 250, 250 };
        KP_CLEANUP(kp_buf_done) struct kp_buf message = make_message(long_name());
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };

        for (int64_t part = 0; part < 5; part++) {
                struct kp_fault fault = { .id = "taken",
                        .point = part < 3 ? "unplug.request" : "unplug.answer",
                        .command = "makeCredential",
                        .times = 1,
                        .value = part < 3 ? part : part - 3 };
                const uint8_t *at = message.data;
                struct rig rig;

                open_selected(&rig, "yubikey-5-57");
                add_fault(&rig, &fault);
                for (size_t i = 0; i < 2; at += sizes[i++])
                        expect_word(command(&rig, 0x90, 0x10, 0, at, sizes[i]),
                                part < 3 && (int64_t)i >= part ? 0 : 0x9000);
                cr_assert_eq(command(&rig, 0x80, 0x10, 0, at, message.len - 500) == 0,
                        part != 4);
                if (part == 4) /* the second part of the answer */
                        cr_assert_eq(command(&rig, 0x00, 0xc0, 0, NULL, 0), 0);
                cr_assert(kp_authenticator_is_unplugged(rig.key));
                cr_assert_eq(back.len, 0);
                cr_assert_eq(send(&rig, select_fido, sizeof(select_fido)), 0);
                kp_authenticator_power_cycle(rig.key, rig.now_ms);
                expect_word(send(&rig, select_fido, sizeof(select_fido)), 0x9000);
                kp_buf_clear(&answer);
                in_pieces(&rig, &message, sizes, 2, &answer);
                close_all(&rig);
        }
}

/* A command that is asked for again and again comes to each point once. */
Test(nfc, a_poll_does_not_count_as_another_time)
{
        static const struct kp_fault mute = {
                .id = "mute", .point = "keepalive.none", .nth = 2, .times = 1
        };
        static const uint8_t timeout[] = { KP_CTAP2_ERR_USER_ACTION_TIMEOUT };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        add_fault(&rig, &mute);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        for (int i = 0; i < 5; i++)
                expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x9100);
        expect_word(command(&rig, 0x80, 0x11, 0x11, NULL, 0), 0x9000);
        /* not a sign of life until it ends */
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9000);
        expect_back(timeout, 1);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        cr_assert_eq(kp_authenticator_fault_fired(rig.key, 0), 1);
        close_all(&rig);
}

Test(nfc, slow_and_stuck_answers_are_polled_for)
{
        static const struct kp_fault slow = {
                .id = "a", .point = "answer.slow", .times = 2, .value = 700
        };
        static const struct kp_fault stuck = {
                .id = "b", .point = "keepalive.stuck", .nth = 3, .times = 0, .value = 2
        };
        static const uint8_t processing[] = { 1 }, touch[] = { 2 }, ok[] = { 0 };
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        add_fault(&rig, &slow);
        add_fault(&rig, &stuck);
        expect_word(command(&rig, 0x80, 0x10, 0x80, selection, 1), 0x9100);
        expect_back(processing, 1);
        rig_wait(&rig, 699);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x9100);
        /* what is done already cannot be cancelled */
        expect_word(command(&rig, 0x80, 0x11, 0x11, NULL, 0), 0x9100);
        rig_wait(&rig, 1);
        expect_word(command(&rig, 0x80, 0x11, 0x00, NULL, 0), 0x9000);
        expect_back(ok, 1);
        /* a client that does not poll waits for it */
        expect_word(command(&rig, 0x80, 0x10, 0x00, selection, 1), 0x9000);
        expect_back(ok, 1);
        for (int i = 0; i < 100; i++) {
                expect_word(command(&rig, 0x80, i == 0 ? 0x10 : 0x11, i == 0 ? 0x80 : 0,
                                    selection, i == 0),
                        0x9100);
                expect_back(touch, 1);
                rig_wait(&rig, 1000);
        }
        expect_word(command(&rig, 0x80, 0x10, 0x00, selection, 1), 0); /* for ever */
        close_all(&rig);
}

Test(nfc, survives_noise)
{
        uint8_t apdu[64], n[2];
        struct rig rig;

        open_selected(&rig, "yubikey-5-57");
        for (int i = 0; i < 20000; i++) {
                kp_random_bytes(rig.random, n, sizeof(n));
                kp_random_bytes(rig.random, apdu, sizeof(apdu));
                if (n[1] & 1) {
                        apdu[0] = n[1] & 2 ? 0x80 : n[1] & 4 ? 0x90 : 0x00;
                        apdu[1] = 0x10 + (apdu[1] & 3);
                        apdu[2] &= 0x80;
                        apdu[3] = 0;
                        apdu[4] &= 0x3f;
                        apdu[5] &= 0x0f;
                }
                (void)send(&rig, apdu, n[0] % sizeof(apdu));
                rig.now_ms += n[0];
        }
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 0, true);
        (void)send(&rig, (const uint8_t[]){ 0, 0, 0, 0 }, 4); /* ends any chain */
        expect_word(send(&rig, select_fido, sizeof(select_fido)), 0x9000);
        expect_word(extended(&rig, 0x80, 0x10, 0x00, get_info, 1), 0x9000);
        close_all(&rig);
}
