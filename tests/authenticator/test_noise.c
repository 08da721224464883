/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

/*
 * Right messages with something wrong in them: the key answers, and goes on so.
 * Spec: CTAP 2.1 §8
 */

#define RECORDS 48
#define ROUNDS 400 /* of each message */

static void
protect(struct kp_buf *m)
{
        kp_cbor_put_map(m, 3);
        kp_cbor_put_text(m, "credBlob");
        kp_cbor_put_bytes(m, "blob", 4);
        kp_cbor_put_text(m, "credProtect");
        kp_cbor_put_int(m, 2);
        kp_cbor_put_text(m, "hmac-secret");
        kp_cbor_put_bool(m, true);
}

/* One of everything, recorded. */
static void
record(struct rig *rig)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        uint8_t token[32];

        (void)rig_make(
                rig, &(struct ask){
                             .rk = TRUE_, .extensions = protect, .user_name = "Naam" });
        id = rig_id(rig);
        (void)rig_make(
                rig, &(struct ask){ .list = { &id, &id }, .n_list = 2, .uv = FALSE_ });
        (void)rig_get(rig, &(struct ask){ .list = { &id }, .n_list = 1 });
        (void)rig_get(rig, &(struct ask){ 0 });
        (void)rig_command(rig, KP_CTAP_GET_NEXT_ASSERTION);
        (void)rig_command(rig, KP_CTAP_GET_INFO);
        for (int protocol = 1; protocol <= 2; protocol++) {
                const struct token_ask ask = { .sub_command =
                                                       KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                        .protocol = protocol,
                        .pin = "123456",
                        .permissions = 7,
                        .rp_id = "example.org" };

                (void)rig_set_pin(
                        rig, protocol, protocol == 1 ? NULL : "123456", "123456");
                expect_status(rig_token(rig, &ask, token), 0);
                (void)rig_authorised(
                        rig, KP_CTAP_CREDENTIAL_MANAGEMENT, 1, protocol, token, NULL);
                (void)rig_make(
                        rig, &(struct ask){ .token = token, .protocol = protocol });
        }
        (void)rig_authorised(rig, KP_CTAP_CONFIG, 3, 1, token, NULL);
}

/* A byte changed, the end cut off, a piece twice, or bytes behind. */
static void
damage(struct rig *rig, const struct kp_buf *good, struct kp_buf *ret)
{
        uint8_t random[4];
        size_t at;

        kp_random_bytes(rig->random, random, sizeof(random));
        at = (size_t)(random[1] << 8 | random[2]) % good->len;
        kp_buf_clear(ret);
        switch (random[0] % 4) {
        case 0:
                kp_buf_put(ret, good->data, good->len);
                ret->data[at] = random[3];
                break;
        case 1:
                kp_buf_put(ret, good->data, at);
                break;
        case 2:
                kp_buf_put(ret, good->data, good->len);
                kp_buf_put(ret, good->data + at, good->len - at);
                break;
        default:
                kp_buf_put(ret, good->data, at);
                kp_buf_put_u8(ret, random[3]);
                kp_buf_put(ret, good->data + at, good->len - at);
        }
}

Test(noise, damaged_messages_are_answered_and_change_no_rule)
{
        struct rig rig;
        struct kp_buf records[RECORDS] = { { 0 } };
        KP_CLEANUP(kp_buf_done) struct kp_buf bad = { 0 };
        struct kp_error err = { 0 };
        size_t n;

        rig_open(&rig, "yubikey-5-57");
        rig.record = records;
        record(&rig);
        rig.record = NULL;
        n = rig.n_record;
        cr_assert_leq(n, RECORDS);
        for (size_t i = 0; i < n; i++) {
                for (int round = 0; round < ROUNDS; round++) {
                        damage(&rig, &records[i], &bad);
                        /* resetting is right as well, and not what is tried here */
                        if (bad.len > 0 && bad.data[0] == KP_CTAP_RESET)
                                continue;
                        kp_authenticator_message(
                                rig.key, bad.data, bad.len, &rig.answer);
                        cr_assert_geq(rig.answer.len, 1);
                        if (rig.answer.len > 1)
                                cr_assert_eq(kp_cbor_check(rig.answer.data + 1,
                                                     rig.answer.len - 1, KP_CBOR_CTAP2,
                                                     NULL, &err),
                                        0);
                }
                kp_buf_done(&records[i]);
        }
        {
                json_auto_t *state = NULL;

                cr_assert_eq(kp_authenticator_save(rig.key, &state, &err), 0);
                cr_assert_eq(kp_authenticator_load(rig.key, state, &err), 0,
                        "its memory is still one that it would take");
        }
        rig_close(&rig);
}
