/* SPDX-License-Identifier: BSD-2-Clause */
#include "peers.h"

/* The large-blob array. Spec: CTAP 2.1 §6.10 */

#define LARGE                                                                          \
        "\"like\": \"yubikey-5-57\", \"max_msg_size\": 1200,"                          \
        " \"max_serialized_large_blob_array\": 4096"
#define NO_PIN LARGE ", \"state\": {\"pin\": \"none\"}"
#define WITH_PIN                                                                       \
        LARGE ", \"options\": {\"clientPin\": true}, \"state\": {\"pin\": \"set\"}"
#define FRAGMENT (1200 - 64)

enum { ABSENT = -1 };

/* One largeBlobs message; -1 and NULL leave a member out. */
struct blob_ask {
        int64_t get;
        const uint8_t *set;
        size_t set_len;
        int64_t offset, length;
        const uint8_t *token;
        int protocol; /* 0: 2 */
        bool no_protocol, wrong_param, only_protocol;
};

static void
put_pin_members(const struct blob_ask *ask, struct kp_buf *m)
{
        int protocol = ask->protocol == 0 ? 2 : ask->protocol;
        uint8_t signed_[70], tag[32];
        size_t tag_len;

        if (ask->token != NULL) {
                memset(signed_, 0xff, 32);
                signed_[32] = 0x0c;
                signed_[33] = 0x00;
                for (int i = 0; i < 4; i++)
                        signed_[34 + i] = (uint8_t)(ask->offset >> 8 * i);
                (void)SHA256(ask->set, ask->set_len, signed_ + 38);
                tag_len = kp_pin_authenticate(protocol == 1 ? 1 : 2, ask->token, 32,
                        signed_, sizeof(signed_), tag);
                tag[0] ^= ask->wrong_param;
                kp_cbor_put_int(m, 5);
                kp_cbor_put_bytes(m, tag, tag_len);
        }
        if ((ask->token != NULL && !ask->no_protocol) || ask->only_protocol) {
                kp_cbor_put_int(m, 6);
                kp_cbor_put_int(m, protocol);
        }
}

static uint8_t
blobs(struct rig *rig, const struct blob_ask *ask)
{
        struct kp_buf m = { 0 };

        kp_buf_put_u8(&m, KP_CTAP_LARGE_BLOBS);
        kp_cbor_put_map(&m, (size_t)(ask->get >= 0) + (ask->set != NULL) +
                                    (ask->offset >= 0) + (ask->length >= 0) +
                                    (ask->token != NULL) +
                                    ((ask->token != NULL && !ask->no_protocol) ||
                                            ask->only_protocol));
        if (ask->get >= 0) {
                kp_cbor_put_int(&m, 1);
                kp_cbor_put_int(&m, ask->get);
        }
        if (ask->set != NULL) {
                kp_cbor_put_int(&m, 2);
                kp_cbor_put_bytes(&m, ask->set, ask->set_len);
        }
        if (ask->offset >= 0) {
                kp_cbor_put_int(&m, 3);
                kp_cbor_put_int(&m, ask->offset);
        }
        if (ask->length >= 0) {
                kp_cbor_put_int(&m, 4);
                kp_cbor_put_int(&m, ask->length);
        }
        put_pin_members(ask, &m);
        return rig_send(rig, &m);
}

static uint8_t
get(struct rig *rig, int64_t offset, int64_t n)
{
        return blobs(rig,
                &(struct blob_ask){ .get = n, .offset = offset, .length = ABSENT });
}

/* A part of a write; the length is told with the first. */
static uint8_t
set(struct rig *rig, const struct kp_buf *array, size_t offset, size_t n,
        const uint8_t *token)
{
        return blobs(rig, &(struct blob_ask){ .get = ABSENT,
                                  .set = array->data + offset,
                                  .set_len = n,
                                  .offset = (int64_t)offset,
                                  .length = offset == 0 ? (int64_t)array->len : ABSENT,
                                  .token = token });
}

static const uint8_t *
config(const struct rig *rig, size_t *ret_len)
{
        const uint8_t *bytes;

        cr_assert(kp_cbor_is_bytes(kp_cbor_at_int(rig->map, 1), &bytes, ret_len));
        return bytes;
}

/* All of it, fragment by fragment as a platform reads. */
static struct kp_buf
read_all(struct rig *rig)
{
        struct kp_buf all = { 0 };
        const uint8_t *bytes;
        size_t len;

        do {
                expect_status(get(rig, (int64_t)all.len, FRAGMENT), 0);
                bytes = config(rig, &len);
                kp_buf_put(&all, bytes, len);
        } while (len == FRAGMENT);
        return all;
}

/* `n` bytes that are an array with its trailer. */
static struct kp_buf
array_of(size_t n, uint8_t fill)
{
        struct kp_buf array = { 0 };
        uint8_t hash[32];

        for (size_t i = 0; i < n - 16; i++)
                kp_buf_put_u8(&array, (uint8_t)(fill + i));
        (void)SHA256(array.data, array.len, hash);
        kp_buf_put(&array, hash, 16);
        return array;
}

static void
expect_holds(struct rig *rig, const struct kp_buf *array)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf all = read_all(rig);

        cr_assert(kp_bytes_equal(all.data, all.len, array->data, array->len),
                "%zu bytes of %zu", all.len, array->len);
}

static struct kp_buf
initial(void)
{
        static const uint8_t bytes[] = { 0x80, 0x76, 0xbe, 0x8b, 0x52, 0x8d, 0x00, 0x75,
                0xf7, 0xaa, 0xe9, 0x8d, 0x6f, 0xa5, 0x7a, 0x6d, 0x3c };
        struct kp_buf array = { 0 };

        kp_buf_put(&array, bytes, sizeof(bytes));
        return array;
}

/* ---- reading ---- */

Test(blobs, begin_as_the_empty_array)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf empty = initial();
        size_t len;

        rig_open_own(&rig, NO_PIN);
        expect_holds(&rig, &empty);
        expect_status(get(&rig, 15, 100), 0);
        (void)config(&rig, &len);
        cr_assert_eq(len, 2, "what is left");
        expect_status(get(&rig, 3, 0), 0);
        (void)config(&rig, &len);
        cr_assert_eq(len, 0);
        expect_status(get(&rig, 17, 1), 0);
        (void)config(&rig, &len);
        cr_assert_eq(len, 0, "at the end there is nothing, which is no error");
        expect_status(get(&rig, 18, 1), KP_CTAP1_ERR_INVALID_PARAMETER);
        expect_status(get(&rig, 0, FRAGMENT + 1), KP_CTAP1_ERR_INVALID_LENGTH);
        expect_status(get(&rig, 18, FRAGMENT + 1), KP_CTAP1_ERR_INVALID_LENGTH);
        rig_close(&rig);
}

Test(blobs, are_not_there_where_the_option_is_not)
{
        const char *ids[] = { "yubikey-5-52", "solo-1" };

        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                struct rig rig;

                rig_open(&rig, ids[i]);
                expect_status(get(&rig, 0, 1), KP_CTAP1_ERR_INVALID_COMMAND);
                rig_close(&rig);
        }
}

Test(blobs, refuse_requests_that_do_not_say_what_they_want)
{
        static const uint8_t piece[17] = { 1 }, token[32] = { 2 };
        static const uint8_t big[FRAGMENT + 1];
        struct rig rig;
        const struct {
                struct blob_ask ask;
                uint8_t status;
        } cases[] = {
                { { .get = 1, .offset = ABSENT, .length = ABSENT },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = ABSENT, .offset = 0, .length = ABSENT },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = 1, .set = piece, .set_len = 17, .offset = 0, .length = 17 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = 1, .offset = 0, .length = 17 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = 1, .offset = 0, .length = ABSENT, .token = token },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = 1,
                          .offset = 0,
                          .length = ABSENT,
                          .token = token,
                          .no_protocol = true },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = 1, .offset = 0, .length = ABSENT, .only_protocol = true },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 0,
                          .length = ABSENT },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 0,
                          .length = 16 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 0,
                          .length = 0 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 0,
                          .length = 4097 },
                        KP_CTAP2_ERR_LARGE_BLOB_STORAGE_FULL },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 0,
                          .length = 0x100000011 },
                        KP_CTAP2_ERR_LARGE_BLOB_STORAGE_FULL },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 0,
                          .length = INT64_MAX },
                        KP_CTAP2_ERR_LARGE_BLOB_STORAGE_FULL },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 1,
                          .length = ABSENT },
                        KP_CTAP1_ERR_INVALID_SEQ },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 0x100000000,
                          .length = ABSENT },
                        KP_CTAP1_ERR_INVALID_SEQ },
                { { .get = ABSENT,
                          .set = piece,
                          .set_len = 17,
                          .offset = 1,
                          .length = 17 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
                { { .get = ABSENT,
                          .set = big,
                          .set_len = sizeof(big),
                          .offset = 0,
                          .length = sizeof(big) },
                        KP_CTAP1_ERR_INVALID_LENGTH },
                { { .get = ABSENT,
                          .set = big,
                          .set_len = 18,
                          .offset = 0,
                          .length = 17 },
                        KP_CTAP1_ERR_INVALID_PARAMETER },
        };

        rig_open_own(&rig, NO_PIN);
        for (size_t i = 0; i < KP_NELEMS(cases); i++)
                cr_assert_eq(blobs(&rig, &cases[i].ask), cases[i].status,
                        "case %zu: got %s, expected %s", i,
                        kp_ctap_status_name(rig.answer.data[0]),
                        kp_ctap_status_name(cases[i].status));
        rig_close(&rig);
}

Test(blobs, refuse_members_of_another_type)
{
        const struct {
                uint8_t message[8];
                size_t len;
                uint8_t status;
        } cases[] = {
                { { 0x0c }, 1, KP_CTAP2_ERR_MISSING_PARAMETER },
                { { 0x0c, 0x80 }, 2, KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { { 0x0c, 0xa0 }, 2, KP_CTAP1_ERR_INVALID_PARAMETER },
                { { 0x0c, 0xa2, 1, 0x20, 3, 0 }, 6, KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { { 0x0c, 0xa2, 1, 0xf5, 3, 0 }, 6, KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { { 0x0c, 0xa2, 1, 1, 3, 0x20 }, 6, KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { { 0x0c, 0xa2, 2, 0x60, 3, 0 }, 6, KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { { 0x0c, 0xa3, 1, 1, 3, 0, 4, 0x40 }, 8,
                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { { 0x0c, 0xa3, 1, 1, 3, 0, 5, 0x00 }, 8,
                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
                { { 0x0c, 0xa3, 1, 1, 3, 0, 6, 0x40 }, 8,
                        KP_CTAP2_ERR_CBOR_UNEXPECTED_TYPE },
        };
        struct rig rig;

        rig_open_own(&rig, NO_PIN);
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_buf m = { 0 };

                kp_buf_put(&m, cases[i].message, cases[i].len);
                cr_assert_eq(rig_send(&rig, &m), cases[i].status, "case %zu: %s", i,
                        kp_ctap_status_name(rig.answer.data[0]));
        }
        rig_close(&rig);
}

/* ---- writing ---- */

Test(blobs, are_written_without_a_token_while_nothing_protects_the_key)
{
        const size_t sizes[] = { 17, 18, 100, FRAGMENT, FRAGMENT + 1, 2 * FRAGMENT,
                4096 };
        struct rig rig;

        rig_open_own(&rig, NO_PIN);
        for (size_t i = 0; i < KP_NELEMS(sizes); i++) {
                KP_CLEANUP(kp_buf_done)
                struct kp_buf array = array_of(sizes[i], (uint8_t)i);

                for (size_t at = 0; at < array.len; at += FRAGMENT) {
                        size_t left = array.len - at;

                        expect_status(set(&rig, &array, at,
                                              left < FRAGMENT ? left : FRAGMENT, NULL),
                                0);
                        cr_assert_eq(rig.answer.len, 1);
                }
                expect_holds(&rig, &array);
        }
        rig_close(&rig);
}

Test(blobs, stay_as_they_were_until_all_of_the_new_ones_is_there_and_right)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf old = array_of(60, 1);
        KP_CLEANUP(kp_buf_done) struct kp_buf new = array_of(300, 2);
        KP_CLEANUP(kp_buf_done) struct kp_buf wrong = array_of(17, 3);

        rig_open_own(&rig, NO_PIN);
        expect_status(set(&rig, &old, 0, 60, NULL), 0);
        expect_status(set(&rig, &new, 0, 100, NULL), 0);
        expect_holds(&rig, &old);
        expect_status(set(&rig, &new, 100, 100, NULL), 0);
        expect_status(set(&rig, &new, 100, 100, NULL), KP_CTAP1_ERR_INVALID_SEQ);
        expect_status(set(&rig, &new, 201, 99, NULL), KP_CTAP1_ERR_INVALID_SEQ);
        expect_status(set(&rig, &new, 200, 101, NULL), KP_CTAP1_ERR_INVALID_PARAMETER);
        expect_holds(&rig, &old);
        expect_status(set(&rig, &new, 200, 100, NULL), 0);
        expect_holds(&rig, &new);
        expect_status(set(&rig, &new, 200, 100, NULL), KP_CTAP1_ERR_INVALID_SEQ);
        wrong.data[16] ^= 1;
        expect_status(set(&rig, &wrong, 0, 17, NULL), KP_CTAP2_ERR_INTEGRITY_FAILURE);
        expect_holds(&rig, &new);
        wrong.data[16] ^= 1;
        wrong.data[0] ^= 1;
        expect_status(set(&rig, &wrong, 0, 17, NULL), KP_CTAP2_ERR_INTEGRITY_FAILURE);
        expect_holds(&rig, &new);
        expect_status(set(&rig, &old, 0, 30, NULL), 0);
        expect_status(set(&rig, &new, 0, 30, NULL), 0);
        expect_status(set(&rig, &new, 30, 270, NULL), 0); /* the second beginning */
        expect_holds(&rig, &new);
        rig_close(&rig);
}

Test(blobs, a_write_ends_with_another_command_or_with_power)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf new = array_of(300, 2);
        KP_CLEANUP(kp_buf_done) struct kp_buf empty = initial();

        rig_open_own(&rig, NO_PIN);
        expect_status(set(&rig, &new, 0, 100, NULL), 0);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        expect_status(set(&rig, &new, 100, 200, NULL), KP_CTAP1_ERR_INVALID_SEQ);
        expect_status(set(&rig, &new, 0, 100, NULL), 0);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        expect_status(set(&rig, &new, 100, 200, NULL), KP_CTAP1_ERR_INVALID_SEQ);
        expect_holds(&rig, &empty);
        rig_close(&rig);
}

Test(blobs, a_reset_empties_them)
{
        struct rig rig;
        KP_CLEANUP(kp_buf_done) struct kp_buf new = array_of(300, 2);
        KP_CLEANUP(kp_buf_done) struct kp_buf empty = initial();

        rig_open_own(&rig, NO_PIN);
        expect_status(set(&rig, &new, 0, 300, NULL), 0);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        expect_holds(&rig, &new);
        expect_status(rig_command(&rig, KP_CTAP_RESET), 0);
        expect_holds(&rig, &empty);
        rig_close(&rig);
}

Test(blobs, are_in_the_memory_and_a_write_half_done_is_not)
{
        struct rig rig, other;
        KP_CLEANUP(kp_buf_done) struct kp_buf array = array_of(300, 2);
        json_auto_t *state = NULL;
        struct kp_error err = { 0 };

        rig_open_own(&rig, NO_PIN);
        expect_status(set(&rig, &array, 0, 300, NULL), 0);
        expect_status(set(&rig, &array, 0, 100, NULL), 0);
        cr_assert_eq(kp_authenticator_save(rig.key, &state, &err), 0);
        rig_close(&rig);
        rig_open_own(&other, NO_PIN);
        cr_assert_eq(kp_authenticator_load(other.key, state, &err), 0);
        expect_status(set(&other, &array, 100, 200, NULL), KP_CTAP1_ERR_INVALID_SEQ);
        expect_holds(&other, &array);
        rig_close(&other);
}

/* ---- the token ---- */

Test(blobs, need_a_token_once_the_key_is_protected)
{
        struct rig rig;
        uint8_t token[32], other[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf array = array_of(300, 2);
        struct blob_ask ask = { .get = ABSENT,
                .set = array.data,
                .set_len = 300,
                .offset = 0,
                .length = 300 };

        rig_open_own(&rig, WITH_PIN);
        expect_status(get(&rig, 0, 17), 0); /* everybody may read */
        expect_status(blobs(&rig, &ask), KP_CTAP2_ERR_PUAT_REQUIRED);
        rig_permit(&rig, 2, KP_CTAP_PERM_LBW, token);
        ask.token = token;
        ask.no_protocol = true;
        expect_status(blobs(&rig, &ask), KP_CTAP2_ERR_MISSING_PARAMETER);
        ask.no_protocol = false;
        ask.protocol = 3;
        expect_status(blobs(&rig, &ask), KP_CTAP1_ERR_INVALID_PARAMETER);
        ask.protocol = 1;
        expect_status(blobs(&rig, &ask), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        ask.protocol = 2;
        ask.wrong_param = true;
        expect_status(blobs(&rig, &ask), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        ask.wrong_param = false;
        expect_status(blobs(&rig, &ask), 0);
        expect_holds(&rig, &array);
        /* the proof names the offset, and every part is proven */
        expect_status(set(&rig, &array, 0, 100, token), 0);
        expect_status(set(&rig, &array, 100, 100, NULL), KP_CTAP2_ERR_PUAT_REQUIRED);
        expect_status(set(&rig, &array, 100, 100, token), 0);
        expect_status(set(&rig, &array, 200, 100, token), 0);
        rig_permit(&rig, 2, KP_CTAP_PERM_MC | KP_CTAP_PERM_CM, other);
        ask.token = other;
        expect_status(blobs(&rig, &ask), KP_CTAP2_ERR_PIN_AUTH_INVALID);
        /* storage and sequence come before the proof */
        ask.token = NULL;
        ask.length = 4097;
        expect_status(blobs(&rig, &ask), KP_CTAP2_ERR_LARGE_BLOB_STORAGE_FULL);
        expect_status(set(&rig, &array, 100, 100, NULL), KP_CTAP1_ERR_INVALID_SEQ);
        rig_close(&rig);
}

Test(blobs, the_permission_outlives_the_touch_that_made_a_passkey)
{
        struct rig rig;
        uint8_t token[32];
        KP_CLEANUP(kp_buf_done) struct kp_buf array = array_of(40, 2);

        rig_open_own(&rig, WITH_PIN);
        rig_permit(&rig, 2, KP_CTAP_PERM_MC | KP_CTAP_PERM_LBW, token);
        expect_status(
                rig_make(&rig, &(struct ask){ .token = token, .protocol = 2 }), 0);
        expect_status(set(&rig, &array, 0, 40, token), 0);
        expect_holds(&rig, &array);
        rig_close(&rig);
}

Test(blobs, a_write_ends_with_its_token)
{
        struct rig rig;
        uint8_t token[32], report[KP_CTAPHID_REPORT];
        KP_CLEANUP(kp_buf_done) struct kp_buf array = array_of(40, 2);

        rig_open_own(&rig, WITH_PIN);
        rig_permit(&rig, 2, KP_CTAP_PERM_LBW, token);
        expect_status(set(&rig, &array, 0, 20, token), 0);
        kp_authenticator_tick(rig.key, rig.now_ms + 601000);
        cr_assert(!kp_authenticator_next_report(rig.key, report));
        expect_status(set(&rig, &array, 20, 20, token), KP_CTAP1_ERR_INVALID_SEQ);
        rig_close(&rig);
}

/* ---- somebody else's platform ---- */

/* libfido2 1.12 gets a token for every write to a key that knows permissions. */
Test(blobs, libfido2_writes_and_reads_an_array)
{
        struct rig rig;
        fido_dev_t *dev;
        /* [h'00..'], longer than one fragment */
        unsigned char cbor[4 + 1500] = { 0x81, 0x59, 0x05, 0xdc }, *back = NULL;
        size_t len = 0;
        const char *pin;

        rig_open_own(&rig, WITH_PIN);
        pin = kp_authenticator_profile_test_pin(rig.profile);
        dev = fido_plug_in(&rig);
        expect_fido(fido_dev_largeblob_get_array(dev, &back, &len));
        cr_assert(kp_bytes_equal(back, len, "\x80", 1));
        free(back);
        expect_fido(fido_dev_largeblob_set_array(dev, cbor, sizeof(cbor), pin));
        expect_fido(fido_dev_largeblob_get_array(dev, &back, &len));
        cr_assert(kp_bytes_equal(back, len, cbor, sizeof(cbor)));
        free(back);
        cr_assert_eq(fido_dev_largeblob_set_array(dev, cbor, sizeof(cbor), NULL),
                FIDO_ERR_PIN_REQUIRED);
        fido_unplug(dev);
        rig_close(&rig);
}

/* A blob behind a passkey: the key of it comes with the credential. */
Test(blobs, libfido2_keeps_a_blob_with_a_passkey)
{
        struct rig rig;
        fido_dev_t *dev;
        fido_cred_t *cred = fido_cred_new();
        const unsigned char *key, blob[600] = "een briefje met veel wit";
        unsigned char *back = NULL;
        size_t key_len, len = 0;
        const char *pin;

        rig_open_own(&rig, WITH_PIN);
        pin = kp_authenticator_profile_test_pin(rig.profile);
        dev = fido_plug_in(&rig);
        expect_fido(fido_cred_set_type(cred, COSE_ES256));
        expect_fido(fido_cred_set_clientdata_hash(cred, cdh, sizeof(cdh)));
        expect_fido(fido_cred_set_rp(cred, "example.org", "Voorbeeld"));
        expect_fido(fido_cred_set_user(
                cred, (const unsigned char *)"u-1", 3, "kees", "Kees", NULL));
        expect_fido(fido_cred_set_rk(cred, FIDO_OPT_TRUE));
        expect_fido(fido_cred_set_extensions(cred, FIDO_EXT_LARGEBLOB_KEY));
        expect_fido(fido_dev_make_cred(dev, cred, pin));
        key = fido_cred_largeblob_key_ptr(cred);
        key_len = fido_cred_largeblob_key_len(cred);
        cr_assert_eq(key_len, 32);
        expect_fido(fido_dev_largeblob_set(dev, key, key_len, blob, sizeof(blob), pin));
        expect_fido(fido_dev_largeblob_get(dev, key, key_len, &back, &len));
        cr_assert(kp_bytes_equal(back, len, blob, sizeof(blob)));
        free(back);
        expect_fido(fido_dev_largeblob_remove(dev, key, key_len, pin));
        cr_assert_neq(fido_dev_largeblob_get(dev, key, key_len, &back, &len), FIDO_OK);
        fido_cred_free(&cred);
        fido_unplug(dev);
        rig_close(&rig);
}
