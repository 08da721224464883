/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido.h>

#include "../../src/device/fido2.h"
#include "bench.h"

/*
 * Large blobs through our client, and through libfido2 as somebody else's: what one
 * writes the other reads. Spec: CTAP 2.1 §6.10
 */
#define PIN "2468-blobs"

/* libfido2 on the same key, on a line of its own. */
struct stranger {
        struct kp_driver driver;
        fido_dev_t *dev;
};

static void
stranger_open(struct stranger *stranger, struct bench *bench)
{
        struct kp_error err = { 0 };

        must(kp_driver_open_libfido2(
                     bench_seam(bench), bench->random, &stranger->driver, &err),
                &err);
        stranger->dev = ((struct kp_fido2 *)stranger->driver.self)->dev;
}

static bool
has_blobs(struct bench *bench)
{
        struct kp_key_info info = bench_info(bench);

        return kp_key_option(&info, "largeBlobs") == KP_TRUE;
}

static bool
can_verify(struct bench *bench)
{
        struct kp_key_info info = bench_info(bench);

        return kp_key_option(&info, "clientPin") == KP_TRUE && bench->pin != NULL;
}

/* A key of that profile with a PIN that is known, or with none where none can be set. */
static bool
open_with_pin(struct bench *bench, const char *profile)
{
        struct kp_key_info info;

        bench_open(bench, profile);
        if (!has_blobs(bench)) {
                bench_close(bench);
                return false;
        }
        info = bench_info(bench);
        if (bench->pin == NULL && kp_key_option(&info, "clientPin") == KP_FALSE)
                bench_set_pin(bench, PIN);
        bench_dial(bench); /* what it can do has changed */
        if (can_verify(bench) && !bench_info(bench).force_pin_change &&
                kp_authenticator_profile_facts(bench->profile)->pin != KP_PIN_LOCKED)
                return true;
        bench_close(bench);
        return false;
}

static struct kp_bytes
text(const char *what)
{
        return (struct kp_bytes){ (const uint8_t *)what, strlen(what) };
}

static void
put(struct bench *bench, const uint8_t key[32], struct kp_bytes blob)
{
        struct kp_pin_or_token proof = bench_proof(bench);
        struct kp_error err = { 0 };
        struct kp_said said;

        must(bench->extra.blobs->put(bench->extra.self, key, blob, &proof, &said, &err),
                &err);
        cr_assert(kp_said_ok(&said), "%s", word(&said));
}

/* What our client reads is that; NULL: nothing. */
static void
expect_ours(struct bench *bench, const uint8_t key[32], struct kp_bytes blob)
{
        struct kp_error err = { 0 };
        struct kp_buf got = { 0 };
        struct kp_said said;
        bool found;

        must(bench->extra.blobs->get(bench->extra.self, key, &got, &found, &said, &err),
                &err);
        cr_assert(kp_said_ok(&said), "%s", word(&said));
        cr_expect_eq(found, blob.data != NULL);
        cr_expect(kp_bytes_equal(got.data, got.len, blob.data, blob.len),
                "%zu bytes for %zu", got.len, blob.len);
        kp_buf_done(&got);
}

static void
expect_theirs(struct stranger *stranger, const uint8_t key[32], struct kp_bytes blob)
{
        unsigned char *got = NULL;
        size_t got_len = 0;
        int r = fido_dev_largeblob_get(stranger->dev, key, 32, &got, &got_len);

        cr_expect_eq(r, blob.data == NULL ? FIDO_ERR_NOTFOUND : FIDO_OK, "%s",
                fido_strerr(r));
        cr_expect(kp_bytes_equal(got, got_len, blob.data, blob.len),
                "%zu bytes for %zu", got_len, blob.len);
        free(got);
}

static unsigned n_both_ways;

static void
both_ways(const char *profile)
{
        static const uint8_t ours[32] = { 1 }, theirs[32] = { 2 }, nobodys[32] = { 3 };
        struct kp_bytes nothing = { 0 }, short_one = text("x"),
                        second_one = text("another text, of some length, 0123456789"),
                        long_one = text("the quick brown fox jumps over the lazy dog");
        struct kp_pin_or_token proof;
        struct stranger stranger;
        struct kp_error err = { 0 };
        struct bench bench;
        struct kp_said said;
        bool found;
        int r;

        if (!open_with_pin(&bench, profile))
                return;
        n_both_ways++;
        proof = bench_proof(&bench);
        stranger_open(&stranger, &bench);
        expect_ours(&bench, ours, nothing);
        put(&bench, ours, long_one);
        expect_theirs(&stranger, ours, long_one);
        cr_expect_eq(fido_dev_largeblob_set(stranger.dev, theirs, 32, long_one.data,
                             long_one.len, bench.pin),
                FIDO_OK);
        expect_ours(&bench, theirs, long_one);
        expect_ours(&bench, ours, long_one);
        expect_ours(&bench, nobodys, nothing);
        put(&bench, theirs, short_one); /* replaces what somebody else wrote */
        expect_ours(&bench, theirs, short_one);
        /* libfido2 1.12 neither writes nor reads what packs into less than 16 bytes */
        r = fido_dev_largeblob_set(
                stranger.dev, ours, 32, second_one.data, second_one.len, bench.pin);
        cr_expect_eq(r, FIDO_OK, "%s: %s", profile, fido_strerr(r));
        expect_ours(&bench, ours, second_one);
        cr_expect_eq(
                fido_dev_largeblob_remove(stranger.dev, ours, 32, bench.pin), FIDO_OK);
        expect_ours(&bench, ours, nothing);
        must(bench.extra.blobs->remove(
                     bench.extra.self, theirs, &proof, &found, &said, &err),
                &err);
        cr_expect(found && kp_said_ok(&said), "%s", word(&said));
        expect_theirs(&stranger, theirs, nothing);
        must(bench.extra.blobs->remove(
                     bench.extra.self, theirs, &proof, &found, &said, &err),
                &err);
        cr_expect(!found && kp_said_ok(&said), "%s", word(&said));
        kp_driver_close(&stranger.driver);
        bench_close(&bench);
}

Test(ctap_blobs, what_one_client_writes_the_other_reads)
{
        cr_expect_gt(each_profile(both_ways), 30);
        cr_expect_geq(n_both_ways, 3, "only %u keys with large blobs", n_both_ways);
}

/* The key of a real credential, from the moment it is made to a login. */
Test(ctap_blobs, a_credential_has_one_key_at_birth_and_at_login)
{
        struct kp_make_reply made, without;
        struct kp_get_reply got;
        struct bench bench;

        cr_assert(open_with_pin(&bench, "keypilot-23"));
        made = bench_make(&bench,
                (struct kp_make_request){
                        .rk = KP_TRUE, .pin = bench.pin, .large_blob_key = true });
        cr_assert_eq(made.status, KP_CTAP_OK, "%s", kp_ctap_status_name(made.status));
        cr_assert_eq(made.large_blob_key.len, KP_LARGE_BLOB_KEY);
        put(&bench, made.large_blob_key.data, text("certificate"));
        got = bench_get(&bench,
                (struct kp_get_request){ .pin = bench.pin, .large_blob_key = true });
        cr_assert_eq(got.n_assertions, 1);
        cr_expect(kp_bytes_equal(got.assertions[0].large_blob_key.data,
                got.assertions[0].large_blob_key.len, made.large_blob_key.data,
                made.large_blob_key.len));
        expect_ours(&bench, got.assertions[0].large_blob_key.data, text("certificate"));
        kp_get_reply_done(&got);
        got = bench_get(&bench, (struct kp_get_request){ .pin = bench.pin });
        cr_assert_eq(got.n_assertions, 1);
        cr_expect_eq(got.assertions[0].large_blob_key.len, 0, "nobody asked for it");
        without = bench_make(&bench,
                (struct kp_make_request){
                        .rk = KP_FALSE, .pin = bench.pin, .large_blob_key = true });
        cr_expect_eq(without.status, KP_CTAP2_ERR_INVALID_OPTION); /* §12.3 */
        kp_get_reply_done(&got);
        kp_make_reply_done(&made);
        kp_make_reply_done(&without);
        bench_close(&bench);
}

/* Bytes that do not compress, in more than one fragment, until the key is full. */
Test(ctap_blobs, a_long_array_goes_in_fragments_until_the_key_is_full)
{
        struct kp_pin_or_token proof;
        struct kp_error err = { 0 };
        struct stranger stranger;
        struct kp_said said;
        struct bench bench;
        uint8_t noise[4000], key[32] = { 7 };

        cr_assert(open_with_pin(&bench, "yubikey-5-57-pin"));
        cr_assert_lt(bench_info(&bench).max_msg_size, 2000, "several fragments");
        proof = bench_proof(&bench);
        kp_random_bytes(bench.random, noise, sizeof(noise));
        put(&bench, key, (struct kp_bytes){ noise, 3500 });
        expect_ours(&bench, key, (struct kp_bytes){ noise, 3500 });
        stranger_open(&stranger, &bench);
        expect_theirs(&stranger, key, (struct kp_bytes){ noise, 3500 });
        key[1] = 1;
        must(bench.extra.blobs->put(bench.extra.self, key,
                     (struct kp_bytes){ noise, sizeof(noise) }, &proof, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_LARGE_BLOB_STORAGE_FULL");
        key[1] = 0;
        expect_ours(&bench, key, (struct kp_bytes){ noise, 3500 });
        kp_driver_close(&stranger.driver);
        bench_close(&bench);
}

/* Sizes at which an array ends exactly with a fragment. */
Test(ctap_blobs, an_array_of_any_length_comes_back_whole)
{
        struct kp_pin_or_token proof;
        struct kp_error err = { 0 };
        struct bench bench;
        struct kp_said said;
        bool intact;

        cr_assert(open_with_pin(&bench, "yubikey-5-57-pin"));
        proof = bench_proof(&bench);
        for (size_t len = (size_t)bench_info(&bench).max_msg_size - 64 - 16 - 3;
                len < (size_t)bench_info(&bench).max_msg_size - 64 - 16 + 3; len++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf array = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf back = { 0 };
                KP_CLEANUP(kp_free_str) char *filler = calloc(len, 1);

                kp_cbor_put_array(&array, 1);
                kp_cbor_put_bytes(&array, filler, len - 4);
                cr_assert_eq(array.len, len);
                must(bench.extra.blobs->write(bench.extra.self,
                             (struct kp_bytes){ array.data, array.len }, &proof, &said,
                             &err),
                        &err);
                cr_assert(kp_said_ok(&said), "%zu: %s", len, word(&said));
                must(bench.extra.blobs->read(
                             bench.extra.self, &back, &intact, &said, &err),
                        &err);
                cr_expect(intact &&
                          kp_bytes_equal(back.data, back.len, array.data, array.len));
        }
        bench_close(&bench);
}

/* Entries that nobody can read, or that are none, stay where they are. */
Test(ctap_blobs, what_is_not_ours_is_kept)
{
        static const uint8_t strange[] = { 0x83, 0x01, 0x63, 'a', 'b', 'c', 0xa1, 0x01,
                0x41, 0x00 };
        static const uint8_t key[32] = { 9 };
        KP_CLEANUP(kp_buf_done) struct kp_buf back = { 0 };
        struct kp_pin_or_token proof;
        struct kp_error err = { 0 };
        struct bench bench;
        struct kp_said said;
        bool intact, found;

        cr_assert(open_with_pin(&bench, "keypilot-23"));
        proof = bench_proof(&bench);
        must(bench.extra.blobs->write(bench.extra.self,
                     (struct kp_bytes){ strange, sizeof(strange) }, &proof, &said,
                     &err),
                &err);
        put(&bench, key, text("ours"));
        must(bench.extra.blobs->read(bench.extra.self, &back, &intact, &said, &err),
                &err);
        cr_assert_gt(back.len, sizeof(strange));
        cr_expect_eq(back.data[0], 0x84);
        cr_expect_arr_eq(back.data + 1, strange + 1, sizeof(strange) - 1);
        must(bench.extra.blobs->remove(
                     bench.extra.self, key, &proof, &found, &said, &err),
                &err);
        cr_expect(found);
        kp_buf_clear(&back);
        kp_buf_done(&back);
        must(bench.extra.blobs->read(bench.extra.self, &back, &intact, &said, &err),
                &err);
        cr_expect(kp_bytes_equal(back.data, back.len, strange, sizeof(strange)));
        bench_close(&bench);
}

/* ---- one entry, without a key ---- */

static void
seal(const uint8_t key[32], struct kp_bytes blob, struct kp_buf *ret)
{
        struct kp_random *random = NULL;
        struct kp_error err = { 0 };

        must(kp_random_new_seeded("entry", "seal", &random, &err), &err);
        must(kp_blob_seal(key, blob, random, ret, &err), &err);
        kp_random_free(&random);
}

/* Every byte of it matters; the wrong key opens nothing. */
Test(ctap_blobs, an_entry_that_was_touched_does_not_open)
{
        static const uint8_t key[32] = { 5 }, other[32] = { 6 };
        KP_CLEANUP(kp_buf_done) struct kp_buf entry = { 0 };
        KP_CLEANUP(kp_buf_done) struct kp_buf opened = { 0 };

        seal(key, text("some text that is some text"), &entry);
        cr_assert(
                kp_blob_open((struct kp_bytes){ entry.data, entry.len }, key, &opened));
        cr_expect(kp_bytes_equal(
                opened.data, opened.len, "some text that is some text", 27));
        kp_buf_clear(&opened);
        cr_expect_not(kp_blob_open(
                (struct kp_bytes){ entry.data, entry.len }, other, &opened));
        for (size_t i = 0; i < entry.len * 8; i++) {
                entry.data[i / 8] ^= (uint8_t)(1u << i % 8);
                cr_expect_not(kp_blob_open((struct kp_bytes){ entry.data, entry.len },
                                      key, &opened),
                        "bit %zu", i);
                entry.data[i / 8] ^= (uint8_t)(1u << i % 8);
        }
        for (size_t len = 0; len < entry.len; len++)
                cr_expect_not(kp_blob_open((struct kp_bytes){ entry.data, len }, key,
                                      &opened),
                        "cut at %zu", len);
        cr_expect_eq(opened.len, 0);
}

Test(ctap_blobs, an_entry_of_nothing_and_of_much_opens_again)
{
        static const uint8_t key[32] = { 5 };
        static const size_t sizes[] = { 0, 1, 2, 100, 65536, 1 << 20 };
        struct kp_error err = { 0 };

        for (size_t i = 0; i < KP_NELEMS(sizes); i++) {
                KP_CLEANUP(kp_buf_done) struct kp_buf entry = { 0 };
                KP_CLEANUP(kp_buf_done) struct kp_buf opened = { 0 };
                KP_CLEANUP(kp_free_str) char *zeros = calloc(sizes[i] + 1, 1);

                seal(key, (struct kp_bytes){ (uint8_t *)zeros, sizes[i] }, &entry);
                cr_assert(kp_blob_open(
                        (struct kp_bytes){ entry.data, entry.len }, key, &opened));
                cr_expect_eq(opened.len, sizes[i]);
                cr_expect(entry.len < 2000);
        }
        {
                KP_CLEANUP(kp_buf_done) struct kp_buf entry = { 0 };

                cr_expect_eq(kp_blob_seal(key,
                                     (struct kp_bytes){ key, KP_LARGE_BLOB_MAX + 1u },
                                     NULL, &entry, &err),
                        -1);
                cr_expect_eq(err.code, KP_EUSAGE);
        }
}

Test(ctap_blobs, what_is_no_array_is_refused)
{
        static const struct {
                const char *what;
                uint8_t bytes[8];
                size_t len;
        } wrong[] = {
                { "nothing", { 0 }, 0 },
                { "a map", { 0xa0 }, 1 },
                { "an array without its entry", { 0x81 }, 1 },
                { "a head that is cut off", { 0x98 }, 1 },
                { "a head of two bytes that is cut off", { 0x99, 0xff }, 2 },
                { "an array of four bytes of length", { 0x9a, 0, 0, 0, 0 }, 5 },
                { "an array without an end", { 0x9f, 0xff }, 2 },
                { "bytes behind it", { 0x80, 0x00 }, 2 },
                { "an entry that is cut off", { 0x81, 0x42, 0x00 }, 3 },
        };
        struct kp_blob_array split = { 0 };
        struct kp_error err;

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                err = (struct kp_error){ 0 };
                cr_expect_eq(kp_blob_array_split(
                                     (struct kp_bytes){ wrong[i].bytes, wrong[i].len },
                                     &split, &err),
                        -1, "%s", wrong[i].what);
                cr_expect_eq(err.code, KP_EPARSE, "%s", wrong[i].what);
        }
}

/* Whatever a key sends as its array, nothing is read past its end. */
Test(ctap_blobs, a_spoiled_array_is_refused_or_read)
{
        static const uint8_t key[32] = { 5 };
        KP_CLEANUP(kp_buf_done) struct kp_buf array = { 0 };
        struct kp_random *random = NULL;
        struct kp_error err = { 0 };
        unsigned n_refused = 0, n_read = 0;

        must(kp_random_new_seeded("spoiled", "array", &random, &err), &err);
        kp_cbor_put_array(&array, 2);
        seal(key, text("first"), &array);
        seal(key, text("second"), &array);
        for (unsigned i = 0; i < 20000; i++) {
                KP_CLEANUP(kp_blob_array_done) struct kp_blob_array split = { 0 };
                uint8_t *copy, dice[4];
                size_t len;

                kp_random_bytes(random, dice, sizeof(dice));
                len = dice[2] < 64 ? array.len * dice[3] / 256 : array.len;
                copy = malloc(len + 1); /* to the byte, so that the sanitizer sees */
                memcpy(copy, array.data, len);
                copy = realloc(copy, len > 0 ? len : 1);
                if (len > 0)
                        copy[dice[0] % len] = dice[1];
                if (kp_blob_array_split((struct kp_bytes){ copy, len }, &split, &err) <
                        0) {
                        cr_expect_eq(err.code, KP_EPARSE);
                        kp_error_clear(&err);
                        n_refused++;
                }
                for (size_t j = 0; j < split.n; j++) {
                        KP_CLEANUP(kp_buf_done) struct kp_buf opened = { 0 };

                        n_read += kp_blob_open(split.entries[j], key, &opened);
                }
                free(copy);
        }
        cr_expect_gt(n_refused, 1000);
        cr_expect_gt(n_read, 1000);
        kp_random_free(&random);
}

/* No PIN, none given where one is set, and a token for something else. */
Test(ctap_blobs, who_may_not_write_is_told)
{
        static const uint8_t key[32] = { 4 };
        struct kp_error err = { 0 };
        struct kp_token token = { 0 };
        struct kp_pin_or_token by_token = { NULL, &token };
        struct bench bench;
        struct kp_said said;

        bench_open(&bench, "keypilot-23");
        must(bench.extra.blobs->put(
                     bench.extra.self, key, text("open"), NULL, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK"); /* nobody can be verified yet */
        bench_set_pin(&bench, PIN);
        must(bench.extra.blobs->put(
                     bench.extra.self, key, text("shut"), NULL, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_PUAT_REQUIRED");
        must(bench.extra.pin->token(bench.extra.self,
                     &(struct kp_token_wish){ PIN, KP_CTAP_PERM_CM, NULL }, &token,
                     &said, &err),
                &err);
        cr_assert(kp_said_ok(&said));
        must(bench.extra.blobs->put(
                     bench.extra.self, key, text("shut"), &by_token, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_PIN_AUTH_INVALID");
        expect_ours(&bench, key, text("open"));
        bench_close(&bench);
}

/* A platform's ceremony: one PIN entry, a login, and the blob written after the touch. */
Test(ctap_blobs, one_pin_entry_serves_a_login_and_a_write)
{
        struct kp_error err = { 0 };
        struct kp_token token = { 0 };
        struct kp_pin_or_token by_token = { NULL, &token };
        struct kp_make_reply made;
        struct kp_get_reply got;
        struct bench bench;
        struct kp_said said;

        cr_assert(open_with_pin(&bench, "keypilot-23"));
        made = bench_make(&bench,
                (struct kp_make_request){
                        .rk = KP_TRUE, .pin = bench.pin, .large_blob_key = true });
        must(bench.extra.pin->token(bench.extra.self,
                     &(struct kp_token_wish){
                             bench.pin, KP_CTAP_PERM_GA | KP_CTAP_PERM_LBW, BENCH_RP },
                     &token, &said, &err),
                &err);
        cr_assert(kp_said_ok(&said), "%s", word(&said));
        got = bench_get(&bench,
                (struct kp_get_request){ .token = &token, .large_blob_key = true });
        cr_assert_eq(got.n_assertions, 1);
        cr_expect_eq(got.assertions[0].auth_data.data[32] & 0x05, 0x05);
        cr_expect_eq(token.permissions, KP_CTAP_PERM_LBW, "spent by the touch");
        must(bench.extra.blobs->put(bench.extra.self, made.large_blob_key.data,
                     text("written"), &by_token, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        expect_ours(&bench, made.large_blob_key.data, text("written"));
        kp_get_reply_done(&got);
        got = bench_get(&bench, (struct kp_get_request){ .token = &token });
        cr_expect_eq(got.status, KP_CTAP2_ERR_PIN_AUTH_INVALID);
        kp_get_reply_done(&got);
        kp_make_reply_done(&made);
        kp_token_wipe(&token);
        bench_close(&bench);
}
