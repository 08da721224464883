/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_BIO_ASK_H
#define KEYPILOT_TESTS_BIO_ASK_H

#include "keypilot/codec/ctaphid.h"

#include "peers.h"

/* A key with a fingerprint sensor, and what a platform says to it. */

#define BIO(state)                                                                     \
        "\"like\": \"yubikey-bio\", \"bio_templates\": 3, \"bio_samples\": 4,"         \
        " \"bio_name_length\": 16, \"uv_retries\": 3, " state
#define NEW_OPTIONS                                                                    \
        "\"options\": {\"uv\": false, \"bioEnroll\": false,"                           \
        " \"userVerificationMgmtPreview\": false}"
/* the PIN is set, no finger is */
#define NO_FINGER BIO(NEW_OPTIONS ", \"state\": {\"pin\": \"set\", \"fingers\": 0}")
#define ONE_FINGER BIO("\"state\": {\"pin\": \"set\", \"fingers\": 1}")

enum {
        BEGIN = 1,
        NEXT = 2,
        CANCEL = 3,
        ENUMERATE = 4,
        RENAME = 5,
        REMOVE = 6,
        SENSOR = 7,
};

/* One bioEnrollment message; zero members: as it should be, or left out. */
struct bio_ask {
        uint8_t command; /* 0: bioEnrollment */
        int sub;
        bool no_modality, no_protocol, wrong_param, empty_params;
        int modality; /* 0: fingerprint */
        const struct kp_buf *id;
        const char *name;
        int64_t timeout_ms;   /* -1: zero */
        const uint8_t *token; /* NULL: no pinUvAuthParam */
        int protocol;         /* 0: 2 */
};

static UNUSED void
put_sub_params(const struct bio_ask *ask, struct kp_buf *ret)
{
        kp_cbor_put_map(ret, (size_t)(ask->id != NULL) + (ask->name != NULL) +
                                     (ask->timeout_ms != 0));
        if (ask->id != NULL) {
                kp_cbor_put_int(ret, 1);
                kp_cbor_put_bytes(ret, ask->id->data, ask->id->len);
        }
        if (ask->name != NULL) {
                kp_cbor_put_int(ret, 2);
                kp_cbor_put_text(ret, ask->name);
        }
        if (ask->timeout_ms != 0) {
                kp_cbor_put_int(ret, 3);
                kp_cbor_put_int(ret, ask->timeout_ms < 0 ? 0 : ask->timeout_ms);
        }
}

static UNUSED void
put_bio(const struct bio_ask *ask, struct kp_buf *m)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf signed_ = { 0 };
        bool has_params = ask->id != NULL || ask->name != NULL ||
                          ask->timeout_ms != 0 || ask->empty_params;
        int protocol = ask->protocol == 0 ? 2 : ask->protocol;
        uint8_t tag[32];
        size_t tag_len;

        put_sub_params(ask, &params);
        kp_buf_put_u8(&signed_, 1);
        kp_buf_put_u8(&signed_, (uint8_t)ask->sub);
        if (has_params)
                kp_buf_put(&signed_, params.data, params.len);
        kp_buf_put_u8(m, ask->command == 0 ? KP_CTAP_BIO_ENROLLMENT : ask->command);
        kp_cbor_put_map(m, 1 + (size_t)!ask->no_modality + has_params +
                                   (ask->token != NULL && !ask->no_protocol) +
                                   (ask->token != NULL));
        if (!ask->no_modality) {
                kp_cbor_put_int(m, 1);
                kp_cbor_put_int(m, ask->modality == 0 ? 1 : ask->modality);
        }
        kp_cbor_put_int(m, 2);
        kp_cbor_put_int(m, ask->sub);
        if (has_params) {
                kp_cbor_put_int(m, 3);
                kp_buf_put(m, params.data, params.len);
        }
        if (ask->token == NULL)
                return;
        if (!ask->no_protocol) {
                kp_cbor_put_int(m, 4);
                kp_cbor_put_int(m, protocol);
        }
        tag_len = kp_pin_authenticate(
                protocol == 1 ? 1 : 2, ask->token, 32, signed_.data, signed_.len, tag);
        tag[0] ^= ask->wrong_param;
        kp_cbor_put_int(m, 5);
        kp_cbor_put_bytes(m, tag, tag_len);
}

static UNUSED uint8_t
bio(struct rig *rig, const struct bio_ask *ask)
{
        struct kp_buf m = { 0 };

        put_bio(ask, &m);
        return rig_send(rig, &m);
}

static UNUSED int64_t
member(const struct rig *rig, int64_t number)
{
        int64_t value;

        return kp_cbor_is_int(kp_cbor_at_int(rig->map, number), &value) ? value : -1;
}

/* The id that enrollBegin told, to keep. */
static UNUSED struct kp_buf
template_id(const struct rig *rig)
{
        struct kp_buf id = { 0 };
        const uint8_t *bytes;
        size_t len;

        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(rig->map, 4), &bytes, &len));
        kp_buf_put(&id, bytes, len);
        return id;
}

/* Enrol one finger from the first sample to the last. */
static UNUSED struct kp_buf
enrol(struct rig *rig, const uint8_t *token)
{
        struct kp_buf id;

        expect_status(bio(rig, &(struct bio_ask){ .sub = BEGIN, .token = token }), 0);
        id = template_id(rig);
        for (int64_t left = 2; left >= 0; left--) {
                expect_status(bio(rig,
                                      &(struct bio_ask){
                                              .sub = NEXT, .id = &id, .token = token }),
                        0);
                cr_assert_eq(member(rig, 5), 0);
                cr_assert_eq(member(rig, 6), left);
                cr_assert_null(kp_cbor_at_int(rig->map, 4), "only the first has it");
        }
        return id;
}

static UNUSED size_t
n_enrolled(struct rig *rig, const uint8_t *token)
{
        size_t n;

        if (bio(rig, &(struct bio_ask){ .sub = ENUMERATE, .token = token }) != 0) {
                expect_status(rig->answer.data[0], KP_CTAP2_ERR_INVALID_OPTION);
                return 0;
        }
        cr_assert(kp_cbor_is_array(kp_cbor_at_int(rig->map, 7), &n));
        return n;
}

static UNUSED const char *
name_at(const struct rig *rig, size_t i, struct kp_buf *ret)
{
        const cbor_item_t *list = kp_cbor_at_int(rig->map, 7);
        const char *text;
        size_t len;

        kp_buf_clear(ret);
        cr_assert(kp_cbor_is_text(
                kp_cbor_at_int(cbor_array_handle(list)[i], 2), &text, &len));
        kp_buf_put(ret, text, len);
        return kp_buf_str(ret);
}

static UNUSED uint8_t
raw(struct rig *rig, const char *hex)
{
        struct kp_buf m = { 0 };
        unsigned byte;

        for (; *hex != '\0'; hex += 2) {
                cr_assert_eq(sscanf(hex, "%2x", &byte), 1);
                kp_buf_put_u8(&m, (uint8_t)byte);
        }
        return rig_send(rig, &m);
}

/* ---- report by report ---- */

static UNUSED void
say(struct rig *rig, uint32_t cid, uint8_t cmd, const void *payload, size_t len)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf reports = { 0 };

        kp_ctaphid_split(cid, cmd, payload, len, &reports);
        for (size_t at = 0; at < reports.len; at += KP_CTAPHID_REPORT)
                kp_authenticator_feed(rig->key, reports.data + at, rig->now_ms);
}

static UNUSED uint32_t
channel(struct rig *rig)
{
        static const uint8_t nonce[8] = { 1 };
        uint8_t report[KP_CTAPHID_REPORT];
        const uint8_t *at = report + 7 + sizeof(nonce);

        say(rig, KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT, nonce, sizeof(nonce));
        cr_assert(kp_authenticator_next_report(rig->key, report));
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
               at[3];
}

#endif
