/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido/bio.h>

#include "bio_ask.h"

/* Enrolment of fingers, with a scripted sensor. Spec: CTAP 2.1 §6.7 */

/* ---- what needs no token ---- */

Test(bio, tells_its_modality_and_its_sensor_to_everybody)
{
        struct rig rig;

        rig_open_own(&rig, NO_FINGER);
        expect_status(raw(&rig, "09a106f5"), 0);
        cr_assert_eq(member(&rig, 1), 1);
        expect_status(raw(&rig, "09a301010201"
                                "06f5"),
                0);
        cr_assert_eq(member(&rig, 1), 1, "getModality comes first");
        cr_assert_null(kp_cbor_at_int(rig.map, 4));
        expect_status(bio(&rig, &(struct bio_ask){ .sub = SENSOR }), 0);
        cr_assert_eq(member(&rig, 2), 1, "a touch sensor");
        cr_assert_eq(member(&rig, 3), 4);
        cr_assert_eq(member(&rig, 8), 16);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = CANCEL }), 0);
        cr_assert_eq(rig.answer.len, 1);
        rig_close(&rig);
}

Test(bio, the_preview_does_the_same_where_the_model_has_it)
{
        struct rig rig;
        uint8_t token[32];
        struct bio_ask ask = {
                .command = KP_CTAP_BIO_ENROLLMENT_PREVIEW, .sub = SENSOR, .token = NULL
        };

        rig_open_own(&rig, NO_FINGER);
        expect_status(raw(&rig, "40a106f5"), 0);
        cr_assert_eq(member(&rig, 1), 1);
        expect_status(bio(&rig, &ask), 0);
        cr_assert_eq(member(&rig, 3), 4);
        ask.sub = BEGIN;
        expect_status(bio(&rig, &ask), KP_CTAP2_ERR_PUAT_REQUIRED);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        ask.token = token;
        expect_status(bio(&rig, &ask), 0);
        cr_assert_eq(member(&rig, 6), 3);
        rig_close(&rig);
}

Test(bio, a_key_without_a_sensor_has_no_such_command)
{
        struct rig rig;

        rig_open(&rig, "yubikey-5-57");
        expect_status(raw(&rig, "09a106f5"), KP_CTAP1_ERR_INVALID_COMMAND);
        expect_status(raw(&rig, "40a106f5"), KP_CTAP1_ERR_INVALID_COMMAND);
        rig_close(&rig);
}

/* ---- what is refused ---- */

Test(bio, refuses_what_lacks_a_token_a_member_or_a_type)
{
        static const struct kp_buf id = { .data = (uint8_t *)"zz", .len = 2 };
        static const char long_name[] = "17 bytes too long";
        struct rig rig;
        uint8_t token[32], other[32];
        const struct {
                struct bio_ask ask;
                uint8_t status;
        } cases[] = {
                { { .sub = BEGIN }, KP_CTAP2_ERR_PUAT_REQUIRED },
                { { .sub = NEXT }, KP_CTAP2_ERR_PUAT_REQUIRED },
                { { .sub = ENUMERATE }, KP_CTAP2_ERR_PUAT_REQUIRED },
                { { .sub = RENAME }, KP_CTAP2_ERR_PUAT_REQUIRED },
                { { .sub = REMOVE }, KP_CTAP2_ERR_PUAT_REQUIRED },
                { { .sub = 8 }, KP_CTAP2_ERR_INVALID_SUBCOMMAND },
                { { .sub = 0 }, KP_CTAP2_ERR_INVALID_SUBCOMMAND },
                { { .sub = BEGIN, .token = token, .no_modality = true },
                        KP_CTAP2_ERR_MISSING_PARAMETER },
                { { .sub = BEGIN, .token = token, .modality = 2 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .sub = BEGIN, .token = token, .no_protocol = true },
                        KP_CTAP2_ERR_MISSING_PARAMETER },
                { { .sub = BEGIN, .token = token, .protocol = 3 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .sub = BEGIN, .token = token, .protocol = 1 },
                        KP_CTAP2_ERR_PIN_AUTH_INVALID },
                { { .sub = BEGIN, .token = token, .wrong_param = true },
                        KP_CTAP2_ERR_PIN_AUTH_INVALID },
                { { .sub = NEXT, .token = token }, KP_CTAP2_ERR_MISSING_PARAMETER },
                { { .sub = NEXT, .token = token, .timeout_ms = 5 },
                        KP_CTAP2_ERR_MISSING_PARAMETER },
                { { .sub = NEXT, .token = token, .id = &id },
                        KP_CTAP2_ERR_INVALID_OPTION },
                { { .sub = RENAME, .token = token, .id = &id },
                        KP_CTAP2_ERR_MISSING_PARAMETER },
                { { .sub = RENAME, .token = token, .name = "duim" },
                        KP_CTAP2_ERR_MISSING_PARAMETER },
                { { .sub = RENAME, .token = token, .id = &id, .name = "duim" },
                        KP_CTAP2_ERR_INVALID_OPTION },
                { { .sub = REMOVE, .token = token }, KP_CTAP2_ERR_MISSING_PARAMETER },
                { { .sub = REMOVE, .token = token, .id = &id },
                        KP_CTAP2_ERR_INVALID_OPTION },
                { { .sub = ENUMERATE, .token = token }, KP_CTAP2_ERR_INVALID_OPTION },
                /* the length of a name comes before its proof */
                { { .sub = RENAME,
                          .token = token,
                          .id = &id,
                          .name = long_name,
                          .wrong_param = true },
                        KP_CTAP1_ERR_INVALID_LENGTH },
        };

        rig_open_own(&rig, NO_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                cr_assert_eq(bio(&rig, &cases[i].ask), cases[i].status,
                        "case %zu: got %s, expected %s", i,
                        kp_ctap_status_name(rig.answer.data[0]),
                        kp_ctap_status_name(cases[i].status));
        rig_permit(&rig, 2, KP_CTAP_PERM_CM, other);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = other }),
                KP_CTAP2_ERR_PIN_AUTH_INVALID);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }),
                KP_CTAP2_ERR_PIN_AUTH_INVALID); /* a new token ends the old one */
        rig_close(&rig);
}

Test(bio, refuses_members_of_another_type)
{
        struct rig rig;
        const struct {
                const char *hex;
                uint8_t status;
        } cases[] = {
                { "09", KP_CTAP2_ERR_MISSING_PARAMETER },
                { "0980", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a0", KP_CTAP2_ERR_MISSING_PARAMETER },
                { "09a106f4", KP_CTAP2_ERR_MISSING_PARAMETER },
                { "09a10601", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a20141010207", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a2010102617a", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a3010102070380", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a30101020103a10101", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a30101020103a10241ff", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a30101020103a10320", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a3010102010501", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { "09a301010201046131", KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
        };

        rig_open_own(&rig, NO_FINGER);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                cr_assert_eq(raw(&rig, cases[i].hex), cases[i].status, "%s: %s",
                        cases[i].hex, kp_ctap_status_name(rig.answer.data[0]));
        }
        rig_close(&rig);
}

/* ---- enrolment ---- */

Test(bio, enrols_a_finger_and_then_verifies_with_it)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        const struct token_ask uv = { .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_MC,
                .rp_id = "example.org" };

        rig_open_own(&rig, NO_FINGER);
        cr_assert_eq(rig_option(&rig, "bioEnroll"), 0);
        cr_assert_eq(rig_option(&rig, "uv"), 0);
        expect_status(rig_token(&rig, &uv, token), KP_CTAP2_ERR_NOT_ALLOWED);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        id = enrol(&rig, token);
        cr_assert_eq(n_enrolled(&rig, token), 1);
        expect_status(
                bio(&rig, &(struct bio_ask){ .sub = NEXT, .id = &id, .token = token }),
                KP_CTAP2_ERR_INVALID_OPTION); /* it is done */
        cr_assert_eq(rig_option(&rig, "bioEnroll"), 1);
        cr_assert_eq(rig_option(&rig, "uv"), 1);
        cr_assert_eq(rig_option(&rig, "userVerificationMgmtPreview"), 1);
        expect_status(rig_token(&rig, &uv, token), 0);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        expect_status(
                bio(&rig,
                        &(struct bio_ask){ .sub = REMOVE, .id = &id, .token = token }),
                0);
        cr_assert_eq(n_enrolled(&rig, token), 0);
        cr_assert_eq(rig_option(&rig, "bioEnroll"), 0);
        cr_assert_eq(rig_option(&rig, "uv"), 0);
        expect_status(rig_token(&rig, &uv, token), KP_CTAP2_ERR_NOT_ALLOWED);
        rig_close(&rig);
}

Test(bio, a_bad_sample_is_told_and_not_counted)
{
        static const uint8_t bad[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                0x09, 0x0a, 0x0b, 0x0d, 0x0e };
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        rig_open_own(&rig, NO_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        kp_authenticator_set_samples(rig.key, bad, sizeof(bad));
        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }), 0);
        id = template_id(&rig);
        cr_assert_eq(member(&rig, 5), bad[0]);
        cr_assert_eq(member(&rig, 6), 4);
        for (size_t i = 1; i < sizeof(bad); i++) {
                expect_status(bio(&rig,
                                      &(struct bio_ask){
                                              .sub = NEXT, .id = &id, .token = token }),
                        0);
                cr_assert_eq(member(&rig, 5), bad[i]);
                cr_assert_eq(member(&rig, 6), 4);
        }
        for (int64_t left = 3; left >= 0; left--) {
                expect_status(bio(&rig,
                                      &(struct bio_ask){
                                              .sub = NEXT, .id = &id, .token = token }),
                        0);
                cr_assert_eq(member(&rig, 5), 0, "the script has run out");
                cr_assert_eq(member(&rig, 6), left);
        }
        cr_assert_eq(n_enrolled(&rig, token), 1);
        rig_close(&rig);
}

/* How long the key waits for the sample when nobody comes. */
static int64_t
waited(struct rig *rig, const struct bio_ask *ask)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf m = { 0 };
        uint8_t report[KP_CTAPHID_REPORT];
        struct kp_ctaphid_join join = { 0 };
        int64_t begun;
        size_t keepalives = 0;

        put_bio(ask, &m);
        say(rig, channel(rig), KP_CTAPHID_CBOR, m.data, m.len);
        begun = rig->now_ms;
        for (;;) {
                while (!kp_authenticator_next_report(rig->key, report)) {
                        rig->now_ms = kp_authenticator_next_event_ms(rig->key);
                        cr_assert_geq(rig->now_ms, 0);
                        kp_authenticator_tick(rig->key, rig->now_ms);
                }
                if (kp_ctaphid_join(&join, report) != KP_JOIN_DONE)
                        continue;
                if (join.cmd != KP_CTAPHID_KEEPALIVE)
                        break;
                cr_assert_eq(join.payload.data[0], 2, "STATUS_UPNEEDED");
                keepalives++;
        }
        cr_assert_eq(join.cmd, KP_CTAPHID_CBOR);
        cr_assert_eq(join.payload.data[0], 0, "%s",
                kp_ctap_status_name(join.payload.data[0]));
        cr_assert_geq(keepalives, (size_t)(rig->now_ms - begun) / 100 - 1);
        kp_buf_wipe(&join.payload);
        return rig->now_ms - begun;
}

Test(bio, waits_for_a_finger_as_long_as_the_platform_says)
{
        static const uint8_t nobody = 0x0d;
        struct rig rig;
        uint8_t token[32];

        rig_open_own(&rig, NO_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        kp_authenticator_set_finger(rig.key, KP_FINGER_WITHHOLDS, 0, true);
        cr_assert_eq(waited(&rig, &(struct bio_ask){ .sub = BEGIN,
                                          .token = token,
                                          .timeout_ms = 5000 }),
                5000);
        cr_assert_eq(
                waited(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }), 30000);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 700, true);
        cr_assert_eq(
                waited(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }), 700);
        kp_authenticator_set_samples(rig.key, &nobody, 1);
        cr_assert_eq(waited(&rig, &(struct bio_ask){ .sub = BEGIN,
                                          .token = token,
                                          .timeout_ms = 2000 }),
                2000);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }), 0);
        cr_assert_eq(member(&rig, 5), 0, "the script has run out");
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 700, true);
        expect_status(bio(&rig,
                              &(struct bio_ask){
                                      .sub = BEGIN, .token = token, .timeout_ms = -1 }),
                0);
        cr_assert_eq(member(&rig, 5), 0x0d);
        cr_assert_eq(member(&rig, 6), 4);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }),
                KP_CTAP2_ERR_OPERATION_DENIED);
        rig_close(&rig);
}

Test(bio, beginning_again_cancelling_and_power_end_an_enrolment)
{
        struct rig rig;
        uint8_t token[32];

        rig_open_own(&rig, NO_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        for (int how = 0; how < 3; how++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf first = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf second = { 0 };

                expect_status(
                        bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }),
                        0);
                first = template_id(&rig);
                if (how == 0) {
                        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN,
                                                        .token = token }),
                                0);
                        second = template_id(&rig);
                        cr_assert(!kp_bytes_equal(
                                first.data, first.len, second.data, second.len));
                } else if (how == 1) {
                        expect_status(bio(&rig, &(struct bio_ask){ .sub = CANCEL }), 0);
                } else {
                        kp_authenticator_power_cycle(rig.key, rig.now_ms);
                        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
                }
                expect_status(bio(&rig, &(struct bio_ask){ .sub = NEXT,
                                                .id = &first,
                                                .token = token }),
                        KP_CTAP2_ERR_INVALID_OPTION);
                cr_assert_eq(n_enrolled(&rig, token), 0);
        }
        rig_close(&rig);
}

Test(bio, an_enrolment_goes_on_after_questions_about_the_sensor)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        rig_open_own(&rig, NO_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }), 0);
        id = template_id(&rig);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = SENSOR }), 0);
        expect_status(raw(&rig, "09a106f5"), 0);
        cr_assert_eq(n_enrolled(&rig, token), 0);
        expect_status(
                bio(&rig, &(struct bio_ask){ .sub = NEXT, .id = &id, .token = token }),
                0);
        cr_assert_eq(member(&rig, 6), 2);
        rig_close(&rig);
}

Test(bio, is_full_when_it_is_full)
{
        struct rig rig;
        uint8_t token[32];

        rig_open_own(&rig, ONE_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        cr_assert_eq(n_enrolled(&rig, token), 1, "from the factory");
        for (int i = 0; i < 2; i++) {
                struct kp_buf id = enrol(&rig, token);

                kp_buf_done(&id);
        }
        cr_assert_eq(n_enrolled(&rig, token), 3);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = BEGIN, .token = token }),
                KP_CTAP2_ERR_FP_DATABASE_FULL);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        cr_assert_eq(n_enrolled(&rig, token), 3, "kept without power");
        rig_close(&rig);
}

Test(bio, names_fingers_and_forgets_the_right_one)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        struct kp_buf ids[3];
        const char *names[] = { "duim", "wijsvinger", "16 bytes precies" };

        rig_open_own(&rig, NO_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        for (size_t i = 0; i < 3; i++) {
                ids[i] = enrol(&rig, token);
                cr_assert_eq(n_enrolled(&rig, token), i + 1);
                cr_assert_str_eq(name_at(&rig, i, &name), "");
                for (int twice = 0; twice < 2; twice++)
                        expect_status(bio(&rig, &(struct bio_ask){ .sub = RENAME,
                                                        .id = &ids[i],
                                                        .name = names[i],
                                                        .token = token }),
                                0);
                cr_assert_eq(rig.answer.len, 1);
        }
        expect_status(bio(&rig,
                              &(struct bio_ask){
                                      .sub = REMOVE, .id = &ids[1], .token = token }),
                0);
        cr_assert_eq(rig.answer.len, 1);
        expect_status(bio(&rig,
                              &(struct bio_ask){
                                      .sub = REMOVE, .id = &ids[1], .token = token }),
                KP_CTAP2_ERR_INVALID_OPTION);
        cr_assert_eq(n_enrolled(&rig, token), 2);
        cr_assert_str_eq(name_at(&rig, 0, &name), names[0]);
        cr_assert_str_eq(name_at(&rig, 1, &name), names[2]);
        for (size_t i = 0; i < 3; i++)
                kp_buf_done(&ids[i]);
        rig_close(&rig);
}

Test(bio, fingers_and_their_names_are_in_the_memory)
{
        struct rig rig, other;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf name = { 0 };
        json_auto_t *state = NULL;
        struct kp_error err = { 0 };

        rig_open_own(&rig, ONE_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE, token);
        id = enrol(&rig, token);
        expect_status(bio(&rig, &(struct bio_ask){ .sub = RENAME,
                                        .id = &id,
                                        .name = "duim",
                                        .token = token }),
                0);
        cr_assert_eq(kp_authenticator_save(rig.key, &state, &err), 0);
        rig_close(&rig);
        rig_open_own(&other, ONE_FINGER);
        cr_assert_eq(kp_authenticator_load(other.key, state, &err), 0);
        rig_permit(&other, 2, KP_CTAP_PERM_BE, token);
        cr_assert_eq(n_enrolled(&other, token), 2);
        cr_assert_str_eq(name_at(&other, 1, &name), "duim");
        expect_status(
                bio(&other,
                        &(struct bio_ask){ .sub = REMOVE, .id = &id, .token = token }),
                0);
        rig_close(&other);
}

Test(bio, a_reset_forgets_all_fingers)
{
        struct rig rig;

        rig_open_own(&rig, ONE_FINGER);
        cr_assert_eq(rig_option(&rig, "uv"), 1);
        expect_status(rig_command(&rig, KP_CTAP_RESET), 0);
        cr_assert_eq(rig_option(&rig, "uv"), 0);
        cr_assert_eq(rig_option(&rig, "bioEnroll"), 0);
        rig_close(&rig);
}

/* The text: a token SHOULD NOT be spent by an enrolment, which tests no presence. */
Test(bio, the_token_of_an_enrolment_still_makes_a_passkey)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        rig_open_own(&rig, NO_FINGER);
        rig_permit(&rig, 2, KP_CTAP_PERM_BE | KP_CTAP_PERM_MC, token);
        id = enrol(&rig, token);
        expect_status(
                rig_make(&rig, &(struct ask){ .token = token, .protocol = 2 }), 0);
        rig_close(&rig);
}

/* ---- somebody else's platform ---- */

Test(bio, libfido2_enrols_names_lists_and_removes_fingers)
{
        static const uint8_t bad[] = { FIDO_BIO_ENROLL_FP_TOO_HIGH, 0,
                FIDO_BIO_ENROLL_FP_MERGE_FAILURE };
        struct rig rig;
        fido_dev_t *dev;
        fido_bio_info_t *info = fido_bio_info_new();
        fido_bio_template_t *finger = fido_bio_template_new();
        fido_bio_enroll_t *enrolment = fido_bio_enroll_new();
        fido_bio_enroll_t *given_up = fido_bio_enroll_new();
        fido_bio_template_array_t *all = fido_bio_template_array_new();
        const char *pin;

        rig_open_own(&rig, NO_FINGER);
        pin = kp_authenticator_profile_test_pin(rig.profile);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 1500, true);
        kp_authenticator_set_samples(rig.key, bad, sizeof(bad));
        dev = fido_plug_in(&rig);
        expect_fido(fido_bio_dev_get_info(dev, info));
        cr_assert_eq(fido_bio_info_type(info), 1);
        cr_assert_eq(fido_bio_info_max_samples(info), 4);
        cr_assert_neq(fido_bio_dev_get_template_array(dev, all, pin), FIDO_OK);
        expect_fido(fido_bio_dev_enroll_begin(dev, finger, enrolment, 10000, pin));
        cr_assert_eq(fido_bio_enroll_last_status(enrolment), bad[0]);
        cr_assert_eq(fido_bio_enroll_remaining_samples(enrolment), 4);
        for (int more = 0; fido_bio_enroll_remaining_samples(enrolment) > 0; more++) {
                cr_assert_lt(more, 5);
                expect_fido(
                        fido_bio_dev_enroll_continue(dev, finger, enrolment, 10000));
        }
        expect_fido(fido_bio_template_set_name(finger, "Duim"));
        expect_fido(fido_bio_dev_set_template_name(dev, finger, pin));
        expect_fido(fido_bio_dev_get_template_array(dev, all, pin));
        cr_assert_eq(fido_bio_template_array_count(all), 1);
        cr_assert_str_eq(fido_bio_template_name(fido_bio_template(all, 0)), "Duim");
        expect_fido(fido_bio_dev_enroll_remove(dev, finger, pin));
        cr_assert_eq(
                fido_bio_dev_enroll_remove(dev, finger, pin), FIDO_ERR_INVALID_OPTION);
        expect_fido(fido_bio_dev_enroll_begin(dev, finger, given_up, 10000, pin));
        expect_fido(fido_bio_dev_enroll_cancel(dev));
        cr_assert_eq(fido_bio_dev_enroll_continue(dev, finger, given_up, 10000),
                FIDO_ERR_INVALID_OPTION);
        fido_bio_info_free(&info);
        fido_bio_template_free(&finger);
        fido_bio_enroll_free(&enrolment);
        fido_bio_enroll_free(&given_up);
        fido_bio_template_array_free(&all);
        fido_unplug(dev);
        rig_close(&rig);
}
