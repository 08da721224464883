/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <string.h>

#include "keypilot/core/free.h"

#include "ctap.h"

/* authenticatorLargeBlobs. Spec: CTAP 2.1 §6.10 */
enum {
        BLOBS_GET = 1,
        BLOBS_SET = 2,
        BLOBS_OFFSET = 3,
        BLOBS_LENGTH = 4,
        BLOBS_PARAM = 5,
        BLOBS_PROTOCOL = 6,
};
#define TRAILER 16           /* of the array: SHA-256, cut short */
#define MESSAGE_OVERHEAD 64  /* maxFragmentLength = maxMsgSize - 64 */
#define DEFAULT_FRAGMENT 960 /* where a key tells nonsense */
#define ARRAY_MAX (1 << 20)  /* more than any key holds */
static const uint8_t empty_array[] = { 0x80 };

static int
check_blobs(const struct kp_ctap *ctap, struct kp_error *err)
{
        if (kp_key_option(&ctap->info, "largeBlobs") != KP_TRUE)
                return KP_FAIL(err, KP_EUNSUPPORTED, "this key keeps no large blobs");
        return 0;
}

static size_t
fragment_max(const struct kp_ctap *ctap)
{
        int64_t max = ctap->info.max_msg_size - MESSAGE_OVERHEAD;

        return max > 0 && max < KP_CTAPHID_MAX_MESSAGE ? (size_t)max : DEFAULT_FRAGMENT;
}

static int
sha256(const void *bytes, size_t len, uint8_t ret[32], struct kp_error *err)
{
        if (EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL) != 1)
                return KP_FAIL(err, KP_ENOMEM, "SHA-256");
        return 0;
}

/* ---- the whole array ---- */

/* One fragment is appended. *ret_last  it was shorter than asked: the end */
static int
read_fragment(struct kp_ctap *ctap, struct kp_buf *ret, bool *ret_last,
        struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        KP_CLEANUP(kp_free_cbor) cbor_item_t *map = NULL;
        struct kp_error unreadable = { 0 };
        size_t max = fragment_max(ctap), len;
        const uint8_t *bytes;

        kp_buf_put_u8(&message, KP_CTAP_LARGE_BLOBS);
        kp_cbor_put_map(&message, 2);
        kp_cbor_put_int(&message, BLOBS_GET);
        kp_cbor_put_int(&message, (int64_t)max);
        kp_cbor_put_int(&message, BLOBS_OFFSET);
        kp_cbor_put_int(&message, (int64_t)ret->len);
        if (kp_ctap_cbor(ctap, &message, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        if (kp_ctap_parse_map(&answer->body, &map, &unreadable) < 0 ||
                !kp_cbor_is_bytes(kp_cbor_at_int(map, 1), &bytes, &len) || len > max ||
                ret->len + len > ARRAY_MAX) {
                answer->transport = "unreadable";
                return 0;
        }
        kp_buf_put(ret, bytes, len);
        *ret_last = len < max;
        return kp_buf_check(ret, err);
}

/* Take the checksum off; a wrong one leaves an empty array. Spec: CTAP 2.1 §6.10.2 */
static int
check_array(struct kp_buf *array, bool *ret_intact, struct kp_error *err)
{
        uint8_t hash[32];

        *ret_intact = false;
        if (array->len > TRAILER) {
                if (sha256(array->data, array->len - TRAILER, hash, err) < 0)
                        return -1;
                *ret_intact =
                        memcmp(hash, array->data + array->len - TRAILER, TRAILER) == 0;
        }
        if (*ret_intact) {
                array->len -= TRAILER;
                return 0;
        }
        kp_buf_clear(array);
        kp_buf_put(array, empty_array, sizeof(empty_array));
        return kp_buf_check(array, err);
}

static int
read_array(struct kp_ctap *ctap, struct kp_buf *ret, bool *ret_intact,
        struct kp_answer *answer, struct kp_error *err)
{
        bool last = false;

        if (check_blobs(ctap, err) < 0)
                return -1;
        while (!last) {
                if (read_fragment(ctap, ret, &last, answer, err) < 0)
                        return -1;
                if (!kp_answer_ok(answer))
                        return 0;
        }
        return check_array(ret, ret_intact, err);
}

static int
blobs_read(void *self, struct kp_buf *ret, bool *ret_intact, struct kp_said *said,
        struct kp_error *err)
{
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf array = { 0 };

        if (read_array(self, &array, ret_intact, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        if (kp_answer_ok(&answer)) {
                *ret = array;
                array = (struct kp_buf){ 0 };
        }
        return 0;
}

/* 32 × 0xff || 0x0c 0x00 || uint32LittleEndian(offset) || SHA-256(fragment) */
static int
sign_fragment(struct kp_session *session, struct kp_bytes fragment, size_t offset,
        struct kp_error *err)
{
        uint8_t message[32 + 2 + 4 + 32], *at = message + 32;

        memset(message, 0xff, 32);
        *at++ = KP_CTAP_LARGE_BLOBS;
        *at++ = 0;
        for (int shift = 0; shift < 32; shift += 8)
                *at++ = (uint8_t)(offset >> shift);
        if (sha256(fragment.data, fragment.len, at, err) < 0)
                return -1;
        kp_session_sign(session, message, sizeof(message));
        return 0;
}

static int
write_fragment(struct kp_ctap *ctap, struct kp_session *session,
        struct kp_bytes fragment, size_t offset, size_t total, struct kp_answer *answer,
        struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf message = { 0 };
        const struct kp_pin_auth *auth = &session->auth;

        if (sign_fragment(session, fragment, offset, err) < 0)
                return -1;
        kp_buf_put_u8(&message, KP_CTAP_LARGE_BLOBS);
        kp_cbor_put_map(&message, 2 + (size_t)(offset == 0) + (auth->len > 0 ? 2 : 0));
        kp_cbor_put_int(&message, BLOBS_SET);
        kp_cbor_put_bytes(&message, fragment.data, fragment.len);
        kp_cbor_put_int(&message, BLOBS_OFFSET);
        kp_cbor_put_int(&message, (int64_t)offset);
        if (offset == 0) {
                kp_cbor_put_int(&message, BLOBS_LENGTH);
                kp_cbor_put_int(&message, (int64_t)total);
        }
        if (auth->len > 0) {
                kp_cbor_put_int(&message, BLOBS_PARAM);
                kp_cbor_put_bytes(&message, auth->param, auth->len);
                kp_cbor_put_int(&message, BLOBS_PROTOCOL);
                kp_cbor_put_int(&message, auth->protocol);
        }
        return kp_ctap_cbor(ctap, &message, answer, err);
}

/* In as many fragments as it takes; the checksum is added. */
static int
write_array(struct kp_ctap *ctap, struct kp_session *session, struct kp_bytes array,
        struct kp_answer *answer, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf whole = { 0 };
        size_t max = fragment_max(ctap), len;
        uint8_t hash[32];

        if (sha256(array.data, array.len, hash, err) < 0)
                return -1;
        kp_buf_put(&whole, array.data, array.len);
        kp_buf_put(&whole, hash, TRAILER);
        if (kp_buf_check(&whole, err) < 0)
                return -1;
        for (size_t at = 0; at < whole.len; at += len) {
                len = whole.len - at < max ? whole.len - at : max;
                if (write_fragment(ctap, session,
                            (struct kp_bytes){ whole.data + at, len }, at, whole.len,
                            answer, err) < 0)
                        return -1;
                if (!kp_answer_ok(answer))
                        return 0;
        }
        return 0;
}

static int
blobs_write(void *self, struct kp_bytes array, const struct kp_pin_or_token *proof,
        struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_session_done) struct kp_session session = { 0 };
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };

        if (check_blobs(self, err) < 0 ||
                kp_session_open_for(
                        self, proof, KP_CTAP_PERM_LBW, &session, &answer, err) < 0)
                return -1;
        if (kp_answer_ok(&answer) &&
                write_array(self, &session, array, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        return 0;
}

/* ---- one credential's entry ---- */

/*
 * The array that is on the key, taken apart. One that is no array counts as empty, as
 * one with a wrong checksum does.
 */
static int
load(struct kp_ctap *ctap, struct kp_buf *array, struct kp_blob_array *ret,
        struct kp_answer *answer, struct kp_error *err)
{
        struct kp_error unreadable = { 0 };
        bool intact;

        if (read_array(ctap, array, &intact, answer, err) < 0)
                return -1;
        if (!kp_answer_ok(answer))
                return 0;
        if (kp_blob_array_split((struct kp_bytes){ array->data, array->len }, ret,
                    &unreadable) == 0)
                return 0;
        if (unreadable.code != KP_EPARSE) {
                *err = unreadable;
                return -1;
        }
        return 0;
}

static int
blobs_get(void *self, const uint8_t key[KP_LARGE_BLOB_KEY], struct kp_buf *ret,
        bool *ret_found, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_blob_array_done) struct kp_blob_array split = { 0 };
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf array = { 0 };

        *ret_found = false;
        if (load(self, &array, &split, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        for (size_t i = 0; !*ret_found && i < split.n; i++)
                *ret_found = kp_blob_open(split.entries[i], key, ret);
        return kp_buf_check(ret, err);
}

/* All entries but this key's, and `fresh` behind them. Returns how many were this key's. */
static size_t
rebuild(const struct kp_blob_array *split, const uint8_t key[KP_LARGE_BLOB_KEY],
        const struct kp_buf *fresh, struct kp_buf *ret)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf kept = { 0 };
        size_t n = 0, n_ours = 0;

        for (size_t i = 0; i < split->n; i++) {
                KP_CLEANUP(kp_buf_wipe) struct kp_buf opened = { 0 };

                if (kp_blob_open(split->entries[i], key, &opened)) {
                        n_ours++;
                        continue;
                }
                kp_buf_put(&kept, split->entries[i].data, split->entries[i].len);
                n++;
        }
        kp_cbor_put_array(ret, n + (fresh != NULL));
        if (kept.len > 0)
                kp_buf_put(ret, kept.data, kept.len);
        if (fresh != NULL)
                kp_buf_put(ret, fresh->data, fresh->len);
        ret->failed = ret->failed || kept.failed;
        return n_ours;
}

/* fresh  NULL: remove */
static int
change(struct kp_ctap *ctap, const uint8_t key[KP_LARGE_BLOB_KEY],
        const struct kp_buf *fresh, const struct kp_pin_or_token *proof,
        bool *ret_found, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_blob_array_done) struct kp_blob_array split = { 0 };
        KP_CLEANUP(kp_answer_done) struct kp_answer answer = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf array = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf changed = { 0 };

        *ret_found = false;
        if (load(ctap, &array, &split, &answer, err) < 0)
                return -1;
        kp_answer_said(&answer, said);
        if (!kp_answer_ok(&answer))
                return 0;
        *ret_found = rebuild(&split, key, fresh, &changed) > 0;
        if (kp_buf_check(&changed, err) < 0)
                return -1;
        if (fresh == NULL && !*ret_found)
                return 0; /* nothing to write */
        return blobs_write(
                ctap, (struct kp_bytes){ changed.data, changed.len }, proof, said, err);
}

static int
blobs_put(void *self, const uint8_t key[KP_LARGE_BLOB_KEY], struct kp_bytes blob,
        const struct kp_pin_or_token *proof, struct kp_said *said, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf fresh = { 0 };
        struct kp_ctap *ctap = self;
        bool found;

        if (check_blobs(ctap, err) < 0 ||
                kp_blob_seal(key, blob, ctap->random, &fresh, err) < 0)
                return -1;
        return change(ctap, key, &fresh, proof, &found, said, err);
}

static int
blobs_remove(void *self, const uint8_t key[KP_LARGE_BLOB_KEY],
        const struct kp_pin_or_token *proof, bool *ret_found, struct kp_said *said,
        struct kp_error *err)
{
        return change(self, key, NULL, proof, ret_found, said, err);
}

const struct kp_blob_ops kp_ctap_blob_ops = { blobs_read, blobs_write, blobs_get,
        blobs_put, blobs_remove };
