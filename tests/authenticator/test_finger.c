/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/authenticator/fault.h"

#include "bio_ask.h"

/* Fingers that verify, and touches that go wrong. Spec: CTAP 2.1 §6.5.3.1 */

static struct kp_buf kept; /* the tries left, each time the memory was kept */

static int
keep_tries(void *self, struct kp_error *err)
{
        json_auto_t *state = NULL;

        if (kp_authenticator_save(self, &state, err) < 0)
                return -1;
        kp_buf_put_u8(&kept,
                (uint8_t)json_integer_value(json_object_get(state, "uv_retries")));
        return 0;
}

Test(finger, every_try_is_on_disk_before_the_finger_is_compared)
{
        struct rig rig;

        rig_open_own(&rig, ONE_FINGER);
        kp_authenticator_set_keeper(rig.key, keep_tries, rig.key);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 500, false);
        /* makeCredential asks three times by itself */
        expect_status(rig_make(&rig, &(struct ask){ .uv = TRUE_ }),
                KP_CTAP2_ERR_PUAT_REQUIRED);
        cr_assert_geq(kept.len, 3);
        cr_assert_eq(memcmp(kept.data, "\2\1\0", 3), 0);
        kp_buf_done(&kept);
        rig_close(&rig);
}

Test(finger, a_try_that_nobody_ended_has_been_spent)
{
        struct rig rig;
        uint8_t token[32];
        const struct token_ask uv = { .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_MC,
                .rp_id = "example.org" };

        rig_open_own(&rig, ONE_FINGER);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        expect_status(rig_token(&rig, &uv, token), KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 2);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 0, true);
        expect_status(rig_token(&rig, &uv, token), 0);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 3);
        rig_close(&rig);
}

/* performBuiltInUv step 3 */
Test(finger, with_the_pin_blocked_the_finger_is_blocked)
{
        struct rig rig;
        uint8_t token[32];
        struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 2,
                .pin = "0000",
                .permissions = KP_CTAP_PERM_BE };

        rig_open_own(&rig, ONE_FINGER);
        for (int i = 0; i < 8; i++) {
                if (i % 3 == 0)
                        kp_authenticator_power_cycle(rig.key, rig.now_ms);
                cr_assert_neq(rig_token(&rig, &ask, token), 0);
        }
        cr_assert_eq(pin_retries(&rig), 0);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 3);
        ask = (struct token_ask){ .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_MC,
                .rp_id = "example.org" };
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_UV_BLOCKED);
        cr_assert_eq(rig_retries(&rig, KP_CTAP_PIN_GET_UV_RETRIES, 5), 0);
        rig_close(&rig);
}

/* ---- touches that go wrong ---- */

Test(finger, touches_are_withheld_refused_and_late_by_fault)
{
        const struct kp_fault faults[] = {
                { .id = "w", .point = "touch.withheld", .nth = 1, .times = 1 },
                { .id = "r", .point = "touch.refused", .nth = 2, .times = 1 },
                { .id = "l",
                        .point = "touch.late",
                        .nth = 3,
                        .times = 1,
                        .value = 31000 },
        };
        struct kp_error err = { 0 };
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        for (size_t i = 0; i < 3; i++)
                cr_assert_eq(kp_authenticator_fault_add(rig.key, &faults[i], &err), 0);
        expect_status(
                rig_make(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        expect_status(
                rig_make(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_OPERATION_DENIED);
        expect_status(
                rig_make(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_USER_ACTION_TIMEOUT);
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        for (size_t i = 0; i < 3; i++)
                cr_assert_eq(kp_authenticator_fault_fired(rig.key, i), 1, "%zu", i);
        rig_close(&rig);
}

/* REGISTER, polled: the status word. */
static unsigned
poll_register(struct rig *rig, uint32_t cid)
{
        static const uint8_t apdu[7 + 64 + 2] = { 0, KP_U2F_REGISTER, 3, 0, 0, 0, 64 };
        struct kp_ctaphid_join join = { 0 };
        uint8_t report[KP_CTAPHID_REPORT];
        unsigned word;

        say(rig, cid, KP_CTAPHID_MSG, apdu, sizeof(apdu));
        do
                cr_assert(kp_authenticator_next_report(rig->key, report));
        while (kp_ctaphid_join(&join, report) != KP_JOIN_DONE);
        cr_assert_eq(join.cmd, KP_CTAPHID_MSG);
        word = (unsigned)join.payload.data[join.payload.len - 2] << 8 |
               join.payload.data[join.payload.len - 1];
        kp_buf_wipe(&join.payload);
        return word;
}

Test(finger, touches_of_u2f_are_late_and_withheld_by_fault)
{
        const struct kp_fault late = {
                .id = "l", .point = "touch.late", .nth = 1, .times = 1, .value = 2000
        };
        const struct kp_fault withheld = {
                .id = "w", .point = "touch.withheld", .nth = 2, .times = 1
        };
        struct kp_error err = { 0 };
        struct rig rig;
        uint32_t cid;

        rig_open(&rig, "yubikey-4-u2f");
        cr_assert_eq(kp_authenticator_fault_add(rig.key, &late, &err), 0);
        cr_assert_eq(kp_authenticator_fault_add(rig.key, &withheld, &err), 0);
        cid = channel(&rig);
        cr_assert_eq(poll_register(&rig, cid), KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        rig.now_ms += 1999;
        cr_assert_eq(poll_register(&rig, cid), KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        rig.now_ms += 1;
        cr_assert_eq(poll_register(&rig, cid), KP_U2F_SW_NO_ERROR);
        for (int i = 0; i < 8; i++) { /* nobody, however often it is asked */
                rig.now_ms += 5000;
                cr_assert_eq(
                        poll_register(&rig, cid), KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        }
        rig.now_ms += 11000; /* the light goes out, and the person is back */
        cr_assert_eq(poll_register(&rig, cid), KP_U2F_SW_NO_ERROR);
        rig_close(&rig);
}
