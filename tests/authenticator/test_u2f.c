/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/x509.h>

#include "keypilot/codec/ctaphid.h"

#include "rig.h"

/* U2F raw messages over CTAPHID_MSG. Spec: FIDO U2F Raw Message Formats v1.2 */

/* One APDU in, the answer in rig->answer, the status word back. */
static uint16_t
apdu_of_class(struct rig *rig, uint8_t cla, uint8_t ins, uint8_t p1,
        const struct kp_buf *data)
{
        static const uint8_t nonce[8];
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf reports = { 0 };
        struct kp_ctaphid_join join = { 0 };
        uint8_t report[KP_CTAPHID_REPORT];
        uint32_t cid = 0;

        kp_ctaphid_split(KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT, nonce, 8, &reports);
        kp_authenticator_feed(rig->key, reports.data, rig->now_ms);
        cr_assert(kp_authenticator_next_report(rig->key, report));
        for (int i = 0; i < 4; i++)
                cid = cid << 8 | report[7 + 8 + i];
        kp_buf_put_u8(&message, cla);
        kp_buf_put_u8(&message, ins);
        kp_buf_put_u8(&message, p1);
        kp_buf_put_u8(&message, 0);
        if (data != NULL) {
                kp_buf_put_u8(&message, 0);
                kp_buf_put_be16(&message, (uint16_t)data->len);
                kp_buf_put(&message, data->data, data->len);
                kp_buf_put_be16(&message, 0);
        } else {
                kp_buf_put(&message, nonce, 3);
        }
        kp_buf_clear(&reports);
        kp_ctaphid_split(cid, KP_CTAPHID_MSG, message.data, message.len, &reports);
        for (size_t at = 0; at < reports.len; at += KP_CTAPHID_REPORT)
                kp_authenticator_feed(rig->key, reports.data + at, rig->now_ms);
        while (kp_authenticator_next_report(rig->key, report))
                if (kp_ctaphid_join(&join, report) == KP_JOIN_DONE)
                        break;
        cr_assert_eq(join.cmd, KP_CTAPHID_MSG);
        cr_assert_geq(join.payload.len, 2);
        kp_buf_clear(&rig->answer);
        kp_buf_put(&rig->answer, join.payload.data, join.payload.len - 2);
        ins = join.payload.data[join.payload.len - 2];
        p1 = join.payload.data[join.payload.len - 1];
        kp_buf_wipe(&join.payload);
        return (uint16_t)(ins << 8 | p1);
}

static uint16_t
apdu(struct rig *rig, uint8_t ins, uint8_t p1, const struct kp_buf *data)
{
        return apdu_of_class(rig, 0, ins, p1, data);
}

static void
app_of(const char *rp_id, uint8_t ret[32])
{
        (void)SHA256((const uint8_t *)rp_id, strlen(rp_id), ret);
}

/* challenge || application [|| handle length || handle] */
static struct kp_buf
request(const char *rp_id, const struct kp_buf *handle)
{
        struct kp_buf data = { 0 };
        uint8_t app[32];

        app_of(rp_id, app);
        kp_buf_put(&data, cdh, 32);
        kp_buf_put(&data, app, 32);
        if (handle != NULL) {
                kp_buf_put_u8(&data, (uint8_t)handle->len);
                kp_buf_put(&data, handle->data, handle->len);
        }
        return data;
}

static EVP_PKEY *
key_of_point(const uint8_t point[65])
{
        struct kp_buf cose = { 0 };
        struct kp_error err = { 0 };
        EVP_PKEY *pkey = NULL;
        int alg;

        kp_cbor_put_map(&cose, 5);
        kp_cbor_put_int(&cose, 1);
        kp_cbor_put_int(&cose, 2);
        kp_cbor_put_int(&cose, 3);
        kp_cbor_put_int(&cose, -7);
        kp_cbor_put_int(&cose, -1);
        kp_cbor_put_int(&cose, 1);
        kp_cbor_put_int(&cose, -2);
        kp_cbor_put_bytes(&cose, point + 1, 32);
        kp_cbor_put_int(&cose, -3);
        kp_cbor_put_bytes(&cose, point + 33, 32);
        cr_assert_eq(kp_cose_key_parse(cose.data, cose.len, KP_CBOR_CTAP2, &pkey, &alg,
                             NULL, &err),
                0);
        kp_buf_done(&cose);
        return pkey;
}

/* Register; check the statement; hand back handle and key. */
static struct kp_buf
registered(struct rig *rig, const char *rp_id, EVP_PKEY **ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf data = request(rp_id, NULL);
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_free_x509) X509 *certificate = NULL;
        struct kp_buf handle = { 0 };
        const uint8_t *at, *end;

        cr_assert_eq(apdu(rig, KP_U2F_REGISTER, 0, &data), KP_U2F_SW_NO_ERROR);
        at = rig->answer.data;
        end = at + rig->answer.len;
        cr_assert_eq(at[0], 0x05);
        kp_buf_put(&handle, at + 67, at[66]);
        *ret = key_of_point(at + 1);
        kp_buf_put_u8(&message, 0);
        kp_buf_put(&message, data.data + 32, 32);
        kp_buf_put(&message, data.data, 32);
        kp_buf_put(&message, handle.data, handle.len);
        kp_buf_put(&message, at + 1, 65);
        at += 67 + handle.len;
        certificate = d2i_X509(NULL, &at, (long)(end - at));
        cr_assert_not_null(certificate);
        cr_assert(kp_cose_verify(KP_COSE_ES256, X509_get0_pubkey(certificate),
                message.data, message.len, at, (size_t)(end - at)));
        return handle;
}

static void
verify_answer(struct rig *rig, const char *rp_id, EVP_PKEY *pkey, uint8_t presence)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        uint8_t app[32];

        app_of(rp_id, app);
        cr_assert_eq(rig->answer.data[0], presence);
        kp_buf_put(&message, app, 32);
        kp_buf_put(&message, rig->answer.data, 5);
        kp_buf_put(&message, cdh, 32);
        cr_assert(kp_cose_verify(KP_COSE_ES256, pkey, message.data, message.len,
                rig->answer.data + 5, rig->answer.len - 5));
}

Test(u2f, registers_and_authenticates_under_all_three_controls)
{
        const char *const ids[] = { "yubikey-4-u2f", "yubikey-5-57", "opensk" };

        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                struct rig rig;
                KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
                KP_CLEANUP(kp_buf_done) struct kp_buf handle = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf mine = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf foreign = { 0 };

                rig_open(&rig, ids[i]);
                handle = registered(&rig, "example.org", &pkey);
                mine = request("example.org", &handle);
                foreign = request("other.org", &handle);
                cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x03, &mine),
                        KP_U2F_SW_NO_ERROR);
                verify_answer(&rig, "example.org", pkey, 1);
                cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x08, &mine),
                        KP_U2F_SW_NO_ERROR);
                verify_answer(&rig, "example.org", pkey, 0);
                cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x07, &mine),
                        KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
                cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x07, &foreign),
                        KP_U2F_SW_WRONG_DATA);
                cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x03, &foreign),
                        KP_U2F_SW_WRONG_DATA);
                cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x00, &mine),
                        KP_U2F_SW_INCORRECT_P1P2);
                cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x09, &mine),
                        KP_U2F_SW_INCORRECT_P1P2);
                rig_close(&rig);
        }
}

Test(u2f, asks_again_until_the_finger_comes_and_takes_a_touch_once)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf data = request("example.org", NULL);

        rig_open(&rig, "yubikey-4-u2f");
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 3000, true);
        cr_assert_eq(apdu(&rig, KP_U2F_REGISTER, 0, &data),
                KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        cr_assert_eq(kp_authenticator_next_event_ms(rig.key), rig.now_ms + 3000);
        rig_wait(&rig, 2900);
        cr_assert_eq(apdu(&rig, KP_U2F_REGISTER, 0, &data),
                KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        rig_wait(&rig, 100);
        cr_assert_eq(apdu(&rig, KP_U2F_REGISTER, 0, &data), KP_U2F_SW_NO_ERROR);
        cr_assert_eq(apdu(&rig, KP_U2F_REGISTER, 0, &data),
                KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        rig_wait(&rig, 20000); /* nobody asked for so long: it begins anew */
        cr_assert_eq(apdu(&rig, KP_U2F_REGISTER, 0, &data),
                KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        rig_wait(&rig, 5000);
        cr_assert_eq(apdu(&rig, KP_U2F_REGISTER, 0, &data),
                KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        rig_close(&rig);
}

Test(u2f, says_what_it_does_not_understand)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf data = request("example.org", NULL);

        rig_open(&rig, "yubikey-4-u2f");
        cr_assert_eq(apdu(&rig, KP_U2F_VERSION, 0, NULL), KP_U2F_SW_NO_ERROR);
        cr_assert(kp_bytes_equal(rig.answer.data, rig.answer.len, "U2F_V2", 6));
        cr_assert_eq(apdu(&rig, KP_U2F_VERSION, 0, &data), KP_U2F_SW_WRONG_LENGTH);
        cr_assert_eq(apdu(&rig, 0x44, 0, NULL), KP_U2F_SW_INS_NOT_SUPPORTED);
        cr_assert_eq(
                apdu_of_class(&rig, 0x80, KP_U2F_VERSION, 0, NULL), 0x6e00, "class");
        kp_buf_put_u8(&data, 1);
        cr_assert_eq(apdu(&rig, KP_U2F_REGISTER, 0, &data), KP_U2F_SW_WRONG_LENGTH);
        cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 3, &data), KP_U2F_SW_WRONG_LENGTH);
        rig_close(&rig);
}

Test(u2f, and_ctap2_open_each_others_credentials)
{
        struct rig rig;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf handle = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };

        rig_open(&rig, "yubikey-5-57");
        handle = registered(&rig, "example.org", &pkey);
        expect_status(
                rig_get(&rig, &(struct ask){ .list = { &handle }, .n_list = 1 }), 0);
        expect_status(rig_make(&rig, &(struct ask){ .list = { &handle }, .n_list = 1 }),
                KP_CTAP2_ERR_CREDENTIAL_EXCLUDED);
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        id = rig_id(&rig);
        data = request("example.org", &id);
        cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x03, &data), KP_U2F_SW_NO_ERROR);
        rig_close(&rig);
}

Test(u2f, makes_no_passkeys_but_uses_those_of_ctap2_and_counts_with_it)
{
        struct rig rig;
        KP_CLEANUP(kp_free_pkey) EVP_PKEY *pkey = NULL;
        KP_CLEANUP(kp_buf_done) struct kp_buf handle = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };
        uint32_t count;

        rig_open(&rig, "keypilot-23"); /* counts for each credential */
        handle = registered(&rig, "example.org", &pkey);
        expect_status(rig_get(&rig, &(struct ask){ 0 }), KP_CTAP2_ERR_NO_CREDENTIALS);
        expect_status(rig_make(&rig, &(struct ask){ .rk = TRUE_ }), 0);
        id = rig_id(&rig);
        count = rig_auth_data(&rig).sign_count;
        data = request("example.org", &id);
        cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x03, &data), KP_U2F_SW_NO_ERROR);
        cr_assert_eq(rig.answer.data[4], count + 1);
        expect_status(rig_get(&rig, &(struct ask){ 0 }), 0);
        cr_assert(rig_got(&rig, &id), "the one of U2F is not found without its handle");
        cr_assert_eq(rig_auth_data(&rig).sign_count, count + 2);
        rig_close(&rig);
}

Test(u2f, opens_nothing_that_needs_verification_or_another_algorithm)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };

        rig_open(&rig, "yubikey-5-57");
        /* level 2 asks for a handle, and U2F always has one */
        expect_status(rig_make(&rig, &(struct ask){ .extensions = protect_2 }), 0);
        id = rig_id(&rig);
        data = request("example.org", &id);
        cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, 0x03, &data), KP_U2F_SW_NO_ERROR);
        kp_buf_done(&id);
        kp_buf_done(&data);
        expect_status(rig_make(&rig, &(struct ask){ .extensions = protect_3 }), 0);
        id = rig_id(&rig);
        data = request("example.org", &id);
        for (uint8_t p1 = 0x03; p1 <= 0x08; p1++)
                if (p1 == 0x03 || p1 >= 0x07)
                        cr_assert_eq(apdu(&rig, KP_U2F_AUTHENTICATE, p1, &data),
                                KP_U2F_SW_WRONG_DATA);
        kp_buf_done(&id);
        kp_buf_done(&data);
        expect_status(rig_make(&rig, &(struct ask){ .algs = { KP_COSE_EDDSA } }), 0);
        id = rig_id(&rig);
        data = request("example.org", &id);
        cr_assert_eq(
                apdu(&rig, KP_U2F_AUTHENTICATE, 0x07, &data), KP_U2F_SW_WRONG_DATA);
        rig_close(&rig);
}

Test(u2f, is_off_while_verification_is_always_asked_for)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf data = request("example.org", NULL);

        rig_open(&rig, "yubikey-5-57-always-uv");
        cr_assert_eq(
                apdu(&rig, KP_U2F_REGISTER, 0, &data), KP_U2F_SW_COMMAND_NOT_ALLOWED);
        rig_close(&rig);
}
