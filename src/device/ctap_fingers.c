/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"

/* authenticatorBioEnrollment, and its preview. Spec: CTAP 2.1 §6.7, §6.12 */
enum {
        BIO_BEGIN = 1,
        BIO_NEXT = 2,
        BIO_CANCEL = 3,
        BIO_LIST = 4,
        BIO_NAME = 5,
        BIO_REMOVE = 6,
        BIO_INFO = 7,
};
#define FINGERPRINT 1
#define SAMPLES_MAX 1000 /* bad ones included: the person has given up long before */

static uint8_t
bio_cmd(const struct kp_key_info *info)
{
        if (kp_key_option(info, "bioEnroll") != KP_OMIT)
                return KP_CTAP_BIO_ENROLLMENT;
        if (kp_key_option(info, "userVerificationMgmtPreview") != KP_OMIT)
                return KP_CTAP_BIO_ENROLLMENT_PREVIEW;
        return 0;
}

static int
check_bio(const struct kp_ctap *ctap, struct kp_error *err)
{
        if (bio_cmd(&ctap->info) == 0)
                return KP_FAIL(err, KP_EUNSUPPORTED, "this key takes no fingers");
        return 0;
}

/* verify(token, fingerprint || subCommand || subCommandParams) */
static int
bio(struct kp_ctap *ctap, uint8_t number, const struct kp_buf *params,
        struct kp_session *session, struct kp_answer *answer, struct kp_error *err)
{
        static const uint8_t prefix[] = { FINGERPRINT };
        const struct kp_ctap_sub sub = {
                .cmd = bio_cmd(&ctap->info),
                .number = number,
                .params = params,
                .modality = FINGERPRINT,
                .prefix = { prefix, sizeof(prefix) },
        };

        return kp_ctap_sub(ctap, &sub, session, answer, err);
}

static int
bio_once(struct kp_ctap *ctap, uint8_t number, const struct kp_buf *params,
        const struct kp_pin_or_token *proof, struct kp_answer *answer,
        struct kp_error *err)
{
        KP_CLEANUP(kp_session_done) struct kp_session session = { 0 };

        if (check_bio(ctap, err) < 0 ||
                kp_session_open_for(
                        ctap, proof, KP_CTAP_PERM_BE, &session, answer, err) < 0)
                return -1;
        return kp_answer_ok(answer) ? bio(ctap, number, params, &session, answer, err)
                                    : 0;
}

/* The option "uv" follows the fingers. */
static int
refresh(struct kp_ctap *ctap, const struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer fresh = { 0 };

        return kp_answer_ok(answer) ? kp_ctap_get_info(ctap, &fresh, err) : 0;
}

/* A number under that key; `otherwise` where there is none. */
static int
number_at(const cbor_item_t *map, int key, int otherwise)
{
        int64_t value;

        if (!kp_cbor_is_int(kp_cbor_at_int(map, key), &value) || value < 0 ||
                value > INT32_MAX)
                return otherwise;
        return (int)value;
}

/* ---- what it can do ---- */

static int
ask_modality(
        struct kp_ctap *ctap, int *ret, struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error unreadable = { 0 };

        kp_buf_put_u8(&message, bio_cmd(&ctap->info));
        kp_cbor_put_map(&message, 1);
        kp_cbor_put_int(&message, 6); /* getModality */
        kp_cbor_put_bool(&message, true);
        if (kp_ctap_cbor(ctap, &message, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        if (kp_ctap_parse_map(&answer->body, &map, &unreadable) < 0)
                answer->transport = "unreadable";
        *ret = number_at(map, 1, 0);
        return 0;
}

static int
finger_info(void *self, struct kp_finger_info *ret, struct kp_said *said,
        struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_session_done) struct kp_session none = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        const struct kp_buf no_params = { 0 };
        struct kp_error unreadable = { 0 };
        struct kp_ctap *ctap = self;
        int modality = 0;

        if (check_bio(ctap, err) < 0 || ask_modality(ctap, &modality, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer) &&
                bio(ctap, BIO_INFO, &no_params, &none, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer) &&
                kp_ctap_parse_map(&answer.body, &map, &unreadable) < 0)
                answer.transport = "unreadable";
        kp_answer_said(&answer, said);
        if (kp_answer_ok(&answer))
                *ret = (struct kp_finger_info){ modality, number_at(map, 2, 0),
                        number_at(map, 3, 0), number_at(map, 8, 0) };
        return 0;
}

/* ---- enrolment ---- */

struct enrolling {
        struct kp_ctap *ctap;
        const struct kp_finger_enrolment *wish;
        struct kp_session *session;
        struct kp_answer *answer;
        struct kp_buf id; /* empty before the first sample */
        struct kp_finger_sample sample;
        bool called_off;
};

static void
put_sample_params(struct kp_buf *buf, const struct enrolling *e)
{
        size_t n = (size_t)(e->id.len > 0) + (e->wish->timeout_ms > 0);

        if (n == 0)
                return;
        kp_cbor_put_map(buf, n);
        if (e->id.len > 0) {
                kp_cbor_put_int(buf, 1);
                kp_cbor_put_bytes(buf, e->id.data, e->id.len);
        }
        if (e->wish->timeout_ms > 0) {
                kp_cbor_put_int(buf, 3);
                kp_cbor_put_int(buf, e->wish->timeout_ms);
        }
}

/* Errors  KP_EPARSE */
static int
read_sample(struct enrolling *e, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        const uint8_t *id;
        size_t id_len;

        if (kp_ctap_parse_map(&e->answer->body, &map, err) < 0)
                return -1;
        e->sample.status = number_at(map, 5, -1);
        e->sample.remaining = number_at(map, 6, -1);
        if (e->sample.status < 0 || e->sample.remaining < 0)
                return KP_FAIL(err, KP_EPARSE, "bioEnrollment: no sample");
        if (e->id.len > 0)
                return 0;
        if (!kp_cbor_is_bytes(kp_cbor_at_int(map, 4), &id, &id_len) || id_len == 0)
                return KP_FAIL(err, KP_EPARSE, "bioEnrollment: no templateId");
        kp_buf_put(&e->id, id, id_len);
        return kp_buf_check(&e->id, err);
}

static int
take_sample(struct enrolling *e, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };
        struct kp_error unreadable = { 0 };

        put_sample_params(&params, e);
        if (bio(e->ctap, e->id.len == 0 ? BIO_BEGIN : BIO_NEXT, &params, e->session,
                    e->answer, err) < 0)
                return -1;
        if (!kp_answer_ok(e->answer))
                return 0;
        if (read_sample(e, &unreadable) < 0)
                e->answer->transport = "unreadable";
        else if (e->wish->each != NULL)
                e->called_off = !e->wish->each(e->wish->self, &e->sample);
        return 0;
}

static int
call_off(struct enrolling *e, struct kp_error *err)
{
        KP_CLEANUP(kp_session_done) struct kp_session none = { 0 };
        const struct kp_buf no_params = { 0 };

        if (bio(e->ctap, BIO_CANCEL, &no_params, &none, e->answer, err) < 0)
                return -1;
        if (kp_answer_ok(e->answer))
                e->answer->status = KP_CTAP2_ERR_KEEPALIVE_CANCEL;
        return 0;
}

static int
take_samples(struct enrolling *e, struct kp_error *err)
{
        for (unsigned i = 0; i < SAMPLES_MAX; i++) {
                if (take_sample(e, err) < 0)
                        return -1;
                if (!kp_answer_ok(e->answer) || e->sample.remaining == 0)
                        return 0;
                if (e->called_off)
                        break;
        }
        return call_off(e, err);
}

static int
finger_enrol(void *self, const struct kp_finger_enrolment *enrolment,
        const struct kp_pin_or_token *proof, struct kp_buf *ret_id,
        struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_session_done) struct kp_session session = { 0 };
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        struct enrolling e = {
                .ctap = self, .wish = enrolment, .session = &session, .answer = &answer
        };
        int r;

        if (check_bio(e.ctap, err) < 0 ||
                kp_session_open_for(
                        e.ctap, proof, KP_CTAP_PERM_BE, &session, &answer, err) < 0)
                return -1;
        r = kp_answer_ok(&answer) ? take_samples(&e, err) : 0;
        kp_answer_said(&answer, said);
        if (r == 0 && kp_answer_ok(&answer)) {
                kp_buf_put(ret_id, e.id.data, e.id.len);
                r = kp_buf_check(ret_id, err) < 0 ? -1 : refresh(e.ctap, &answer, err);
        }
        kp_buf_done(&e.id);
        return r;
}

/* ---- what is enrolled ---- */

/* Errors  KP_EPARSE, KP_ENOMEM */
static int
read_fingers(const struct kp_buf *body, struct kp_fingers *ret, struct kp_error *err)
{
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        const cbor_item_t *list;
        const uint8_t *id;
        const char *name;
        size_t n, len;

        if (kp_ctap_parse_map(body, &map, err) < 0)
                return -1;
        list = kp_cbor_at_int(map, 7);
        if (!kp_cbor_is_array(list, &n))
                return KP_FAIL(err, KP_EPARSE, "bioEnrollment: no list");
        if ((ret->items = calloc(n + 1, sizeof(*ret->items))) == NULL)
                return KP_FAIL(err, KP_ENOMEM, "fingers");
        for (size_t i = 0; i < n; i++) {
                const cbor_item_t *at = cbor_array_handle(list)[i];
                struct kp_finger_entry *entry = &ret->items[ret->n++];

                if (!kp_cbor_is_bytes(kp_cbor_at_int(at, 1), &id, &len))
                        return KP_FAIL(err, KP_EPARSE, "bioEnrollment: no templateId");
                kp_buf_put(&entry->id, id, len);
                if (kp_cbor_is_text(kp_cbor_at_int(at, 2), &name, &len))
                        kp_buf_put(&entry->name, name, len);
                if (kp_buf_check(&entry->id, err) < 0 ||
                        kp_buf_check(&entry->name, err) < 0)
                        return -1;
        }
        return 0;
}

static int
finger_list(void *self, const struct kp_pin_or_token *proof, struct kp_fingers *ret,
        struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_fingers_done) struct kp_fingers fingers = { 0 };
        const struct kp_buf no_params = { 0 };
        struct kp_error trouble = { 0 };

        if (bio_once(self, BIO_LIST, &no_params, proof, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer) &&
                read_fingers(&answer.body, &fingers, &trouble) < 0) {
                if (trouble.code != KP_EPARSE) {
                        *err = trouble;
                        return -1;
                }
                answer.transport = "unreadable";
        }
        kp_answer_said(&answer, said);
        if (kp_answer_ok(&answer)) {
                *ret = fingers;
                fingers = (struct kp_fingers){ 0 };
        }
        return 0;
}

static int
finger_change(struct kp_ctap *ctap, uint8_t number, struct kp_bytes id,
        const char *name, const struct kp_pin_or_token *proof, struct kp_said *said,
        struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf params = { 0 };

        kp_cbor_put_map(&params, 1 + (size_t)(name != NULL));
        kp_cbor_put_int(&params, 1);
        kp_cbor_put_bytes(&params, id.data, id.len);
        if (name != NULL) {
                kp_cbor_put_int(&params, 2);
                kp_cbor_put_text(&params, name);
        }
        if (bio_once(ctap, number, &params, proof, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        return refresh(ctap, &answer, err);
}

static int
finger_rename(void *self, struct kp_bytes id, const char *name,
        const struct kp_pin_or_token *proof, struct kp_said *said, struct kp_error *err)
{
        return finger_change(self, BIO_NAME, id, name, proof, said, err);
}

static int
finger_remove(void *self, struct kp_bytes id, const struct kp_pin_or_token *proof,
        struct kp_said *said, struct kp_error *err)
{
        return finger_change(self, BIO_REMOVE, id, NULL, proof, said, err);
}

const struct kp_finger_ops kp_ctap_finger_ops = { finger_info, finger_enrol,
        finger_list, finger_rename, finger_remove };
