/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido.h>
#include <fido/bio.h>
#include <fido/credman.h>

#include "stranger.h"

/*
 * Passkeys and fingers of a key, listed and changed through our client; libfido2 as
 * somebody else's on the same key lists the same.
 */
#define PIN "2468-lists"

/* ---- passkeys ---- */

static void
enrol(struct bench *bench, const char *rp_id, const char *user)
{
        struct kp_make_reply made = bench_make(
                bench, (struct kp_make_request){ .rp_id = rp_id,
                               .user_id = { (const uint8_t *)user, strlen(user) },
                               .user_name = user,
                               .user_display_name = "Somebody",
                               .rk = KP_TRUE,
                               .pin = bench->pin });

        cr_assert_eq(made.status, KP_CTAP_OK, "%s", kp_ctap_status_name(made.status));
        kp_make_reply_done(&made);
}

static unsigned n_listed_too;

/* libfido2's list of the same site: as many, the same ids, names and keys. */
static void
expect_listed_too(
        struct stranger *stranger, struct bench *bench, const struct kp_rks *ours)
{
        fido_credman_rk_t *theirs;
        int r;

        if (!has_option(bench, "credentialMgmtPreview"))
                return; /* libfido2 1.12 knows no other command for it */
        theirs = fido_credman_rk_new();
        n_listed_too++;

        r = fido_credman_get_dev_rk(stranger->dev, "one.example", theirs, bench->pin);
        cr_assert_eq(r, FIDO_OK, "%s: %s", kp_authenticator_profile_id(bench->profile),
                fido_strerr(r));
        cr_assert_eq(fido_credman_rk_count(theirs), ours->n);
        for (size_t i = 0; i < ours->n; i++) {
                const fido_cred_t *cred = fido_credman_rk(theirs, i);
                const struct kp_rk *rk = &ours->items[i];

                cr_expect(kp_bytes_equal(rk->credential_id.data, rk->credential_id.len,
                        fido_cred_id_ptr(cred), fido_cred_id_len(cred)));
                cr_expect(kp_bytes_equal(rk->user_id.data, rk->user_id.len,
                        fido_cred_user_id_ptr(cred), fido_cred_user_id_len(cred)));
                cr_expect_str_eq(rk->user_name, fido_cred_user_name(cred));
                cr_expect_eq(rk->cred_protect, fido_cred_prot(cred));
        }
        fido_credman_rk_free(&theirs);
}

static const struct kp_rk_rp *
find_rp(const struct kp_rk_rps *rps, const char *id)
{
        for (size_t i = 0; i < rps->n; i++)
                if (kp_bytes_equal(rps->items[i].id.data, rps->items[i].id.len, id,
                            strlen(id)))
                        return &rps->items[i];
        return NULL;
}

static unsigned n_managed;

static void
manage_on(struct bench *bench, bool full)
{
        const struct kp_rk_ops *ops = bench->extra.passkeys;
        struct kp_pin_or_token by_pin = bench_proof(bench);
        struct kp_error err = { 0 };
        struct kp_rk_rps rps = { 0 };
        struct kp_rks rks = { 0 };
        struct stranger stranger;
        struct kp_said said;
        int64_t used, left, used_later;

        must(ops->places(bench->extra.self, &by_pin, &used, &left, &said, &err), &err);
        cr_assert(kp_said_ok(&said), "%s", word(&said));
        if (left < 3)
                return;
        enrol(bench, "one.example", "anna");
        enrol(bench, "one.example", "bert");
        enrol(bench, "two.example", "anna");
        must(ops->places(bench->extra.self, &by_pin, &used_later, &left, &said, &err),
                &err);
        cr_expect_eq(used_later, used + 3);
        must(ops->rps(bench->extra.self, &by_pin, &rps, &said, &err), &err);
        cr_assert(kp_said_ok(&said), "%s", word(&said));
        cr_assert_not_null(find_rp(&rps, "one.example"));
        cr_assert_not_null(find_rp(&rps, "two.example"));
        must(ops->list(bench->extra.self, find_rp(&rps, "one.example")->id_hash,
                     &by_pin, &rks, &said, &err),
                &err);
        cr_assert_eq(rks.n, 2);
        stranger_open(&stranger, bench);
        expect_listed_too(&stranger, bench, &rks);
        if (full) {
                const struct kp_rk *rk = &rks.items[0];

                must(ops->update(bench->extra.self,
                             &(struct kp_rk_user){
                                     { rk->credential_id.data, rk->credential_id.len },
                                     { rk->user_id.data, rk->user_id.len }, "new name",
                                     "New Name" },
                             &by_pin, &said, &err),
                        &err);
                cr_expect_str_eq(word(&said), "CTAP2_OK");
                kp_rks_done(&rks);
                must(ops->list(bench->extra.self, find_rp(&rps, "one.example")->id_hash,
                             &by_pin, &rks, &said, &err),
                        &err);
                cr_expect(strcmp(rks.items[0].user_name, "new name") == 0 ||
                          strcmp(rks.items[1].user_name, "new name") == 0);
                expect_listed_too(&stranger, bench, &rks);
        }
        must(ops->remove(bench->extra.self,
                     (struct kp_bytes){ rks.items[0].credential_id.data,
                             rks.items[0].credential_id.len },
                     &by_pin, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        kp_rks_done(&rks);
        must(ops->list(bench->extra.self, find_rp(&rps, "one.example")->id_hash,
                     &by_pin, &rks, &said, &err),
                &err);
        cr_expect_eq(rks.n, 1);
        expect_listed_too(&stranger, bench, &rks);
        kp_rks_done(&rks);
        kp_rk_rps_done(&rps);
        kp_driver_close(&stranger.driver);
        n_managed++;
}

static void
manage(const char *profile)
{
        struct bench bench;

        bench_open(&bench, profile);
        if (with_pin(&bench, PIN) &&
                (has_option(&bench, "credMgmt") ||
                        has_option(&bench, "credentialMgmtPreview")))
                manage_on(&bench, has_option(&bench, "credMgmt"));
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §6.8 */
Test(ctap_lists, both_clients_list_the_same_passkeys)
{
        (void)each_profile(manage);
        cr_expect_gt(n_managed, 8, "only %u keys", n_managed);
        cr_expect_gt(n_listed_too, 8, "only %u lists", n_listed_too);
}

/*
 * The token that only reads outlives the plug, and tells which key this is. Spec: CTAP
 * 2.2 §6.4 encIdentifier, §6.5.5.7 pcmr; CTAP 2.3 §6.4 encCredStoreState
 */
Test(ctap_lists, a_reading_token_lists_and_knows_the_key_again)
{
        struct kp_token token, other = { .protocol = 2, .len = 32 };
        struct kp_pin_or_token reads = { NULL, &token };
        uint8_t first[16], second[16], state[16], later[16];
        struct kp_error err = { 0 };
        struct kp_rk_rps rps = { 0 };
        struct kp_rks rks = { 0 };
        struct kp_key_info info;
        struct kp_said said;
        struct bench bench;

        bench_open(&bench, "keypilot-23-set");
        enrol(&bench, "one.example", "anna");
        token = token_for(&bench, KP_CTAP_PERM_PCMR, NULL);
        info = bench_info(&bench);
        cr_assert(kp_key_identifier(&info, &token, first));
        cr_assert(kp_key_store_state(&info, &token, state));
        bench_replug(&bench);
        info = bench_info(&bench);
        cr_assert(kp_key_identifier(&info, &token, second));
        cr_expect_arr_eq(first, second, sizeof(first), "the same key");
        cr_assert(kp_key_store_state(&info, &token, later));
        cr_expect_arr_eq(state, later, sizeof(state), "nothing has changed");
        cr_assert(kp_key_identifier(&info, &other, second));
        cr_expect_arr_neq(first, second, sizeof(first), "another token reads noise");
        must(bench.extra.passkeys->rps(bench.extra.self, &reads, &rps, &said, &err),
                &err);
        cr_assert(kp_said_ok(&said), "%s", word(&said));
        cr_assert_not_null(find_rp(&rps, "one.example"));
        must(bench.extra.passkeys->list(bench.extra.self,
                     find_rp(&rps, "one.example")->id_hash, &reads, &rks, &said, &err),
                &err);
        cr_assert_eq(rks.n, 1, "%s", word(&said));
        must(bench.extra.passkeys->remove(bench.extra.self,
                     (struct kp_bytes){ rks.items[0].credential_id.data,
                             rks.items[0].credential_id.len },
                     &reads, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_PIN_AUTH_INVALID", "it only reads");
        enrol(&bench, "one.example", "bert");
        info = bench_info(&bench);
        cr_assert(kp_key_store_state(&info, &token, later));
        cr_expect_arr_neq(state, later, sizeof(state), "something has changed");
        kp_rks_done(&rks);
        kp_rk_rps_done(&rps);
        bench_close(&bench);
}

/* ---- fingers ---- */

struct samples {
        int status[32];
        int remaining[32];
        size_t n, stop_after; /* 0: never */
};

static bool
note_sample(void *self, const struct kp_finger_sample *sample)
{
        struct samples *samples = self;

        cr_assert_lt(samples->n, 32);
        samples->status[samples->n] = sample->status;
        samples->remaining[samples->n++] = sample->remaining;
        return samples->n != samples->stop_after;
}

static const char *
enrol_finger(struct bench *bench, struct samples *samples, struct kp_buf *id)
{
        struct kp_pin_or_token by_pin = bench_proof(bench);
        const struct kp_finger_enrolment wish = { 10000, note_sample, samples };
        struct kp_error err = { 0 };
        struct kp_said said;

        must(bench->extra.fingers->enrol(
                     bench->extra.self, &wish, &by_pin, id, &said, &err),
                &err);
        return word(&said);
}

/* libfido2's list: as many, the same ids and names. */
static void
expect_fingers_too(struct bench *bench, const struct kp_fingers *ours)
{
        fido_bio_template_array_t *theirs = fido_bio_template_array_new();
        struct stranger stranger;

        stranger_open(&stranger, bench);
        cr_assert_eq(fido_bio_dev_get_template_array(stranger.dev, theirs, bench->pin),
                FIDO_OK);
        cr_assert_eq(fido_bio_template_array_count(theirs), ours->n);
        for (size_t i = 0; i < ours->n; i++) {
                const fido_bio_template_t *at = fido_bio_template(theirs, i);

                cr_expect(kp_bytes_equal(ours->items[i].id.data, ours->items[i].id.len,
                        fido_bio_template_id_ptr(at), fido_bio_template_id_len(at)));
                cr_expect(kp_bytes_equal(ours->items[i].name.data,
                        ours->items[i].name.len, fido_bio_template_name(at),
                        strlen(fido_bio_template_name(at))));
        }
        fido_bio_template_array_free(&theirs);
        kp_driver_close(&stranger.driver);
}

/* Spec: CTAP 2.1 §6.7 */
Test(ctap_lists, a_finger_is_enrolled_named_listed_and_removed)
{
        static const uint8_t script[] = { 0, 1, 0, 0x0d, 0 }; /* too high; nobody */
        struct kp_finger_info info = { 0 };
        struct samples samples = { 0 };
        struct kp_fingers fingers = { 0 };
        struct kp_pin_or_token by_pin;
        struct kp_error err = { 0 };
        struct kp_buf id = { 0 };
        struct kp_said said;
        struct bench bench;
        size_t before;

        bench_open(&bench, "keypilot-23");
        bench_set_pin(&bench, PIN);
        by_pin = bench_proof(&bench);
        must(bench.extra.fingers->info(bench.extra.self, &info, &said, &err), &err);
        cr_assert(kp_said_ok(&said));
        cr_expect_eq(info.modality, 1);
        cr_expect_eq(info.kind, 1);
        cr_expect_eq(info.max_samples, 4);
        cr_expect_eq(info.max_name, 64);
        must(bench.extra.fingers->list(
                     bench.extra.self, &by_pin, &fingers, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_ERR_INVALID_OPTION", "none yet");
        kp_authenticator_set_samples(bench.key, script, sizeof(script));
        cr_assert_str_eq(enrol_finger(&bench, &samples, &id), "CTAP2_OK");
        cr_expect_eq(samples.n, 6);
        cr_expect_eq(samples.status[1], 1);
        cr_expect_eq(samples.remaining[1], 3);
        cr_expect_eq(samples.status[3], 0x0d);
        cr_expect_eq(samples.remaining[5], 0);
        cr_expect(has_option(&bench, "uv"), "the key can verify by itself now");
        must(bench.extra.fingers->rename(bench.extra.self,
                     (struct kp_bytes){ id.data, id.len }, "left thumb", &by_pin, &said,
                     &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        must(bench.extra.fingers->list(
                     bench.extra.self, &by_pin, &fingers, &said, &err),
                &err);
        cr_assert_eq(fingers.n, 1);
        cr_expect(kp_bytes_equal(fingers.items[0].name.data, fingers.items[0].name.len,
                "left thumb", 10));
        expect_fingers_too(&bench, &fingers);
        before = fingers.n;
        kp_fingers_done(&fingers);
        /* called off after the second sample: nothing stays */
        samples = (struct samples){ .stop_after = 2 };
        cr_expect_str_eq(
                enrol_finger(&bench, &samples, &id), "CTAP2_ERR_KEEPALIVE_CANCEL");
        must(bench.extra.fingers->list(
                     bench.extra.self, &by_pin, &fingers, &said, &err),
                &err);
        cr_expect_eq(fingers.n, before);
        must(bench.extra.fingers->remove(bench.extra.self,
                     (struct kp_bytes){ id.data, id.len }, &by_pin, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        cr_expect_not(has_option(&bench, "uv"));
        kp_fingers_done(&fingers);
        kp_buf_done(&id);
        bench_close(&bench);
}

static unsigned n_bio;

static void
enrol_on(const char *profile)
{
        struct samples samples = { 0 };
        struct kp_fingers fingers = { 0 };
        struct kp_pin_or_token by_pin;
        struct kp_error err = { 0 };
        struct kp_buf id = { 0 };
        struct kp_key_info info;
        struct kp_said said;
        struct bench bench;

        bench_open(&bench, profile);
        info = bench_info(&bench);
        if ((kp_key_option(&info, "bioEnroll") == KP_OMIT &&
                    kp_key_option(&info, "userVerificationMgmtPreview") == KP_OMIT) ||
                !with_pin(&bench, PIN)) {
                bench_close(&bench);
                return;
        }
        n_bio++;
        by_pin = bench_proof(&bench);
        cr_expect_str_eq(
                enrol_finger(&bench, &samples, &id), "CTAP2_OK", "%s", profile);
        must(bench.extra.fingers->list(
                     bench.extra.self, &by_pin, &fingers, &said, &err),
                &err);
        cr_assert(kp_said_ok(&said), "%s: %s", profile, word(&said));
        cr_expect_geq(fingers.n, 1);
        expect_fingers_too(&bench, &fingers);
        kp_fingers_done(&fingers);
        kp_buf_done(&id);
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §6.7 */
Test(ctap_lists, both_clients_list_the_same_fingers)
{
        (void)each_profile(enrol_on);
        cr_expect_geq(n_bio, 3, "only %u keys", n_bio);
}
