/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

/*
 * CTAPHID through our client, and what becomes of a client when a key goes wrong: each
 * fault under fixtures/faults/ ends in a status or in a word.
 */

static struct kp_wire_answer
wire(struct bench *bench, struct kp_wire_request request)
{
        struct kp_wire_answer answer;
        struct kp_error err = { 0 };

        must(bench->extra.wire->exchange(bench->extra.self, &request, &answer, &err),
                &err);
        return answer;
}

static uint32_t
another_channel(struct bench *bench)
{
        struct kp_error err = { 0 };
        struct kp_said said;
        uint32_t cid = 0;

        must(bench->extra.wire->init(
                     bench->extra.self, KP_CTAPHID_BROADCAST, &cid, &said, &err),
                &err);
        cr_assert(kp_said_ok(&said));
        cr_assert_neq(cid, bench->extra.wire->channel(bench->extra.self));
        return cid;
}

/* A message that waits for a touch: authenticatorSelection. */
static const uint8_t selection[] = { KP_CTAP_SELECTION };
#define SELECTION .cmd = KP_CTAPHID_CBOR, .payload = { selection, sizeof(selection) }

/* Spec: CTAP 2.1 §11.2 */
Test(ctap_wire, a_ping_comes_back_at_every_length)
{
        static const size_t lengths[] = { 0, 1, 57, 58, 116, 117, 1024, 7608, 7609 };
        struct kp_error err = { 0 };
        uint8_t noise[7609];
        struct bench bench;
        struct kp_said said;

        bench_open(&bench, "keypilot-23");
        kp_random_bytes(bench.random, noise, sizeof(noise));
        for (size_t i = 0; i < KP_NELEMS(lengths); i++) {
                must(bench.extra.wire->ping(bench.extra.self,
                             (struct kp_bytes){ noise, lengths[i] }, &said, &err),
                        &err);
                cr_expect_str_eq(word(&said), "CTAP2_OK", "%zu", lengths[i]);
        }
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §11.2 */
Test(ctap_wire, a_key_winks_where_it_says_so)
{
        struct kp_error err = { 0 };
        struct bench bench;
        struct kp_said said;

        bench_open(&bench, "keypilot-23");
        cr_expect(
                bench.extra.wire->capabilities(bench.extra.self) & KP_CTAPHID_CAP_WINK);
        must(bench.extra.wire->wink(bench.extra.self, &said, &err), &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §11.2.9.2.2: the other channel is busy until the lock is over */
Test(ctap_wire, a_lock_keeps_others_out_and_ends)
{
        struct kp_error err = { 0 };
        struct kp_wire_answer answer;
        struct bench bench;
        struct kp_said said;
        uint32_t other;

        bench_open(&bench, "keypilot-23");
        cr_expect(
                bench.extra.wire->capabilities(bench.extra.self) & KP_CTAPHID_CAP_LOCK);
        other = another_channel(&bench);
        must(bench.extra.wire->lock(bench.extra.self, 5, &said, &err), &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        answer = wire(&bench,
                (struct kp_wire_request){ .cid = other, .cmd = KP_CTAPHID_PING });
        cr_expect_str_eq(answer.transport, "hid-error");
        cr_expect_eq(answer.hid_error, KP_CTAP1_ERR_CHANNEL_BUSY);
        kp_wire_answer_done(&answer);
        must(bench.extra.wire->ping(
                     bench.extra.self, (struct kp_bytes){ 0 }, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK", "whoever has the lock goes on");
        kp_clock_advance(&bench.clock, 5100);
        answer = wire(&bench,
                (struct kp_wire_request){ .cid = other, .cmd = KP_CTAPHID_PING });
        cr_expect_null(answer.transport);
        kp_wire_answer_done(&answer);
        must(bench.extra.wire->lock(bench.extra.self, 10, &said, &err), &err);
        must(bench.extra.wire->lock(bench.extra.self, 0, &said, &err), &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        answer = wire(&bench,
                (struct kp_wire_request){ .cid = other, .cmd = KP_CTAPHID_PING });
        cr_expect_null(answer.transport, "given back");
        kp_wire_answer_done(&answer);
        must(bench.extra.wire->lock(bench.extra.self, 11, &said, &err), &err);
        cr_expect_str_eq(word(&said), "hid-error");
        cr_expect_eq(said.status, KP_CTAP1_ERR_INVALID_PARAMETER);
        bench_close(&bench);
}

/* One waits for a touch; the other hears so, and takes nothing from it. Spec: CTAP 2.1 §11.2 */
Test(ctap_wire, a_busy_key_says_so_to_others_only)
{
        struct kp_wire_answer answer;
        struct bench bench;
        uint32_t other;

        bench_open(&bench, "keypilot-23");
        other = another_channel(&bench);
        kp_authenticator_set_finger(bench.key, KP_FINGER_TOUCHES, 3000, true);
        answer = wire(
                &bench, (struct kp_wire_request){ SELECTION, .part = KP_WIRE_SEND });
        kp_wire_answer_done(&answer);
        answer = wire(&bench, (struct kp_wire_request){ .cid = other, SELECTION });
        cr_expect_str_eq(answer.transport, "hid-error");
        cr_expect_eq(answer.hid_error, KP_CTAP1_ERR_CHANNEL_BUSY);
        kp_wire_answer_done(&answer);
        answer = wire(&bench, (struct kp_wire_request){ SELECTION,
                                      .part = KP_WIRE_AWAIT, .keep_frames = true });
        cr_expect_null(answer.transport);
        cr_expect_eq(answer.payload.len, 1);
        cr_expect_eq(answer.payload.data[0], KP_CTAP_OK);
        cr_expect_geq(answer.n_keepalives, 25, "ten a second for three seconds");
        cr_expect_eq(answer.keepalive, 2, "waits for a touch");
        cr_expect_eq(answer.frames.len, 64 * (answer.n_keepalives + 1));
        kp_wire_answer_done(&answer);
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §11.2.9.1.5: no answer of its own, and the request is answered */
Test(ctap_wire, a_cancel_ends_what_waits)
{
        struct kp_wire_answer answer;
        struct bench bench;

        bench_open(&bench, "keypilot-23");
        kp_authenticator_set_finger(bench.key, KP_FINGER_WITHHOLDS, 0, true);
        answer = wire(&bench, (struct kp_wire_request){ SELECTION, .cancel_after = 3 });
        cr_expect_null(answer.transport);
        cr_expect(answer.cancelled);
        cr_expect_eq(answer.payload.len, 1);
        cr_expect_eq(answer.payload.data[0], KP_CTAP2_ERR_KEEPALIVE_CANCEL);
        kp_wire_answer_done(&answer);
        bench_close(&bench);
}

/* Spec: CTAP 2.1 §11.2.9.1.3 and §11.2.9.1.6 */
Test(ctap_wire, wrong_channels_and_commands_have_their_error)
{
        static const struct {
                const char *what;
                uint32_t cid;
                uint8_t cmd;
                uint8_t error;
        } table[] = {
                { "a ping for everybody", KP_CTAPHID_BROADCAST, KP_CTAPHID_PING,
                        KP_CTAP1_ERR_INVALID_CHANNEL },
                { "a command that there is not", 0, 0x22,
                        KP_CTAP1_ERR_INVALID_COMMAND },
        };
        struct kp_error err = { 0 };
        struct kp_wire_answer answer;
        struct kp_said said;
        struct bench bench;
        uint32_t cid = 0;

        bench_open(&bench, "keypilot-23");
        for (size_t i = 0; i < KP_NELEMS(table); i++) {
                answer = wire(&bench, (struct kp_wire_request){ .cid = table[i].cid,
                                              .cmd = table[i].cmd });
                cr_assert_not_null(answer.transport, "%s", table[i].what);
                cr_expect_str_eq(answer.transport, "hid-error", "%s", table[i].what);
                cr_expect_eq(answer.hid_error, table[i].error, "%s: %02x",
                        table[i].what, answer.hid_error);
                kp_wire_answer_done(&answer);
        }
        /* INIT on a channel that exists gives the same again, and ends what waits */
        kp_authenticator_set_finger(bench.key, KP_FINGER_WITHHOLDS, 0, true);
        answer = wire(
                &bench, (struct kp_wire_request){ SELECTION, .part = KP_WIRE_SEND });
        kp_wire_answer_done(&answer);
        must(bench.extra.wire->init(bench.extra.self,
                     bench.extra.wire->channel(bench.extra.self), &cid, &said, &err),
                &err);
        cr_expect(kp_said_ok(&said));
        cr_expect_eq(cid, bench.extra.wire->channel(bench.extra.self));
        must(bench.extra.wire->ping(
                     bench.extra.self, (struct kp_bytes){ 0 }, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        bench_close(&bench);
}

/* ---- faults ---- */

/*
 * No report of the key's for as long as this in simulated time, and a test that waits
 * for ever would be one that hangs.
 */
#define PATIENCE_MS 400000

static const char *const words[] = { "timeout", "lost", "hid-error", "unreadable" };

static bool
is_word(const char *transport)
{
        for (size_t i = 0; i < KP_NELEMS(words); i++)
                if (strcmp(words[i], transport) == 0)
                        return true;
        return false;
}

/* A status that CTAP knows, or one of the words; never both, never anything else. */
static void
expect_named(const char *fault, const char *what, uint8_t status, const char *transport)
{
        if (transport != NULL)
                cr_expect(is_word(transport) && status == KP_CTAP_OK, "%s, %s: %s %02x",
                        fault, what, transport, status);
        else
                cr_expect_str_neq(kp_ctap_status_name(status), "CTAP_ERR_UNKNOWN",
                        "%s, %s: %02x", fault, what, status);
}

struct tally {
        unsigned n_words, n_statuses, n_fine;
};

static void
count(struct tally *tally, uint8_t status, const char *transport)
{
        if (transport != NULL)
                tally->n_words++;
        else if (status != KP_CTAP_OK)
                tally->n_statuses++;
        else
                tally->n_fine++;
}

static void
ask_make(struct bench *bench, const char *fault, struct tally *tally)
{
        struct kp_make_reply made = bench_make(
                bench, (struct kp_make_request){ .rk = KP_TRUE, .pin = bench->pin });

        expect_named(fault, "make", made.status, made.transport);
        cr_expect((made.auth_data.len > 0) ==
                  (made.transport == NULL && made.status == KP_CTAP_OK));
        count(tally, made.status, made.transport);
        kp_make_reply_done(&made);
}

static void
ask_get(struct bench *bench, const char *fault, struct tally *tally)
{
        struct kp_get_reply got =
                bench_get(bench, (struct kp_get_request){ .pin = bench->pin });

        expect_named(fault, "get", got.status, got.transport);
        cr_expect((got.n_assertions > 0) ==
                  (got.transport == NULL && got.status == KP_CTAP_OK));
        count(tally, got.status, got.transport);
        kp_get_reply_done(&got);
}

/* What the key is, or one sentence that says why nobody knows. */
static void
ask_info(struct bench *bench, const char *fault, struct tally *tally)
{
        struct kp_error err = { 0 };
        struct kp_key_info info;
        bool named = false;
        char why[512];

        if (bench->driver.ops->info(bench->driver.self, &info, &err) == 0) {
                tally->n_fine++;
                return;
        }
        cr_expect_eq(err.code, KP_EIO, "%s, info", fault);
        (void)kp_error_format(&err, why, sizeof(why));
        for (size_t i = 0; i < KP_NELEMS(words); i++)
                named = named || strstr(why, words[i]) != NULL;
        cr_expect(named || strstr(why, "CTAP") != NULL, "%s, info: %s", fault, why);
        tally->n_words++;
}

static void
ask_extra(struct bench *bench, const char *fault, struct tally *tally)
{
        struct kp_pin_or_token by_pin = bench_proof(bench);
        struct kp_error err = { 0 };
        struct kp_rk_rps rps = { 0 };
        struct kp_buf blobs = { 0 };
        struct kp_said said = { 0 };
        bool intact;

        must(bench->extra.passkeys->rps(bench->extra.self, &by_pin, &rps, &said, &err),
                &err);
        expect_named(fault, "list", said.status, said.transport);
        count(tally, said.status, said.transport);
        must(bench->extra.blobs->read(bench->extra.self, &blobs, &intact, &said, &err),
                &err);
        expect_named(fault, "blobs", said.status, said.transport);
        count(tally, said.status, said.transport);
        must(bench->extra.wire->ping(
                     bench->extra.self, (struct kp_bytes){ 0 }, &said, &err),
                &err);
        if (said.transport != NULL)
                cr_expect(is_word(said.transport), "%s, ping", fault);
        kp_rk_rps_done(&rps);
        kp_buf_done(&blobs);
}

/* It goes wrong while the client is at work, in each order of questions. */
static void
run_fault(const char *path, const char *id, const char *profile, struct tally *tally)
{
        void (*const asks[])(struct bench *, const char *, struct tally *) = { ask_make,
                ask_get, ask_info, ask_extra };
        struct kp_error err = { 0 };

        for (size_t i = 0; i < KP_NELEMS(asks); i++) {
                struct kp_fault fault = { 0 };
                struct bench bench;
                int64_t before;

                bench_open(&bench, profile);
                must(kp_fault_load(path, &fault, &err), &err);
                must(kp_authenticator_fault_add(bench.key, &fault, &err), &err);
                before = kp_clock_ms(&bench.clock);
                for (size_t j = 0; j < KP_NELEMS(asks); j++)
                        asks[(i + j) % KP_NELEMS(asks)](&bench, id, tally);
                cr_expect_lt(kp_clock_ms(&bench.clock) - before, 8 * PATIENCE_MS,
                        "%s: for ever", id);
                bench_close(&bench);
                kp_fault_done(&fault);
        }
}

/* Spec: ours */
Test(ctap_wire, every_fault_ends_in_a_name)
{
        static const char *const profiles[] = { "keypilot-23-set", "yubikey-5-57-pin" };
        char *folder = kp_format("%s/faults", getenv("KEYPILOT_FIXTURES"));
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };
        struct tally all = { 0 };

        must(kp_dir_list(folder, ".json", &names, &err), &err);
        cr_assert_gt(names.n_names, 30);
        for (size_t i = 0; i < names.n_names * KP_NELEMS(profiles); i++) {
                const char *name = names.names[i / KP_NELEMS(profiles)];
                char *path = kp_format("%s/%s", folder, name);
                char *id = strndup(name, strlen(name) - strlen(".json"));

                run_fault(path, id, profiles[i % KP_NELEMS(profiles)], &all);
                free(path);
                free(id);
        }
        fprintf(stderr, "# %zu faults: %u words, %u statuses, %u went well\n",
                names.n_names, all.n_words, all.n_statuses, all.n_fine);
        cr_expect_gt(all.n_words, 100);
        cr_expect_gt(all.n_statuses, 30);
        cr_expect_gt(all.n_fine, 100);
        kp_names_done(&names);
        free(folder);
}

/* The other driver names what it meets as well, in the same words. Spec: ours */
Test(ctap_wire, every_fault_ends_in_a_name_over_libfido2_too)
{
        char *folder = kp_format("%s/faults", getenv("KEYPILOT_FIXTURES"));
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };
        struct tally all = { 0 };

        must(kp_dir_list(folder, ".json", &names, &err), &err);
        for (size_t i = 0; i < names.n_names; i++) {
                char *path = kp_format("%s/%s", folder, names.names[i]);
                struct kp_fault fault = { 0 };
                struct bench bench;

                bench_plug(&bench, "keypilot-23-set");
                must(kp_driver_open_libfido2(
                             bench_seam(&bench), bench.random, &bench.driver, &err),
                        &err);
                must(kp_fault_load(path, &fault, &err), &err);
                must(kp_authenticator_fault_add(bench.key, &fault, &err), &err);
                ask_make(&bench, fault.id, &all);
                ask_get(&bench, fault.id, &all);
                ask_info(&bench, fault.id, &all);
                bench_close(&bench);
                kp_fault_done(&fault);
                free(path);
        }
        cr_expect_gt(all.n_words, 10);
        cr_expect_gt(all.n_statuses, 5);
        cr_expect_gt(all.n_fine, 30);
        kp_names_done(&names);
        free(folder);
}

/* One that goes wrong while it is opened, and is told so, or is opened after all. Spec: ours */
Test(ctap_wire, a_fault_at_the_start_is_told)
{
        char *folder = kp_format("%s/faults", getenv("KEYPILOT_FIXTURES"));
        struct kp_names names = { 0 };
        struct kp_error err = { 0 };
        unsigned n_refused = 0;

        must(kp_dir_list(folder, ".json", &names, &err), &err);
        for (size_t i = 0; i < names.n_names; i++) {
                char *path = kp_format("%s/%s", folder, names.names[i]);
                struct kp_fault fault = { 0 };
                struct bench bench;

                bench_plug(&bench, "keypilot-23");
                must(kp_fault_load(path, &fault, &err), &err);
                must(kp_authenticator_fault_add(bench.key, &fault, &err), &err);
                if (kp_driver_open_ctap(bench_seam(&bench), bench.random, &bench.driver,
                            &err) < 0) {
                        cr_expect_eq(err.code, KP_EIO, "%s", names.names[i]);
                        n_refused++;
                        kp_error_clear(&err);
                }
                bench_close(&bench);
                kp_fault_done(&fault);
                free(path);
        }
        cr_expect_gt(n_refused, 0);
        kp_names_done(&names);
        free(folder);
}

/* ---- how each of the transport's faults comes out ---- */

static const char *
after(const char *name, const char *profile)
{
        char *path = kp_format("%s/faults/%s.json", getenv("KEYPILOT_FIXTURES"), name);
        struct kp_make_reply made;
        struct kp_fault fault = { 0 };
        struct kp_error err = { 0 };
        struct bench bench;
        const char *said;

        bench_open(&bench, profile);
        must(kp_fault_load(path, &fault, &err), &err);
        must(kp_authenticator_fault_add(bench.key, &fault, &err), &err);
        made = bench_make(&bench, (struct kp_make_request){ .pin = bench.pin });
        said = made.transport != NULL ? made.transport
                                      : kp_ctap_status_name(made.status);
        kp_make_reply_done(&made);
        bench_close(&bench);
        kp_fault_done(&fault);
        free(path);
        return said;
}

/* Spec: ours */
Test(ctap_wire, each_fault_has_the_name_that_belongs_to_it)
{
        static const struct {
                const char *fault, *said;
        } table[] = {
                { "answer-empty", "unreadable" },
                { "answer-frame-lost", "hid-error" },
                { "answer-hid-error", "hid-error" },
                { "answer-none", "timeout" },
                { "answer-slow", "CTAP2_OK" },
                { "answer-truncated", "unreadable" },
                { "answer-wrong-channel", "timeout" },
                { "answer-wrong-sequence", "hid-error" },
                { "keepalive-stuck", "timeout" },
                { "pin-blocked", "CTAP2_ERR_PIN_BLOCKED" },
                { "pin-power-cycle", "CTAP2_ERR_PIN_AUTH_BLOCKED" },
                { "touch-late", "CTAP2_OK" },
                { "touch-refused", "CTAP2_ERR_OPERATION_DENIED" },
        };

        for (size_t i = 0; i < KP_NELEMS(table); i++)
                cr_expect_str_eq(after(table[i].fault, "keypilot-23-set"),
                        table[i].said, "%s: %s", table[i].fault,
                        after(table[i].fault, "keypilot-23-set"));
}

/* A late answer is not taken for the next one: the channel is made fresh in between. Spec: ours */
Test(ctap_wire, after_a_time_out_the_next_answer_is_the_next_ones)
{
        struct kp_error err = { 0 };
        struct kp_make_reply made;
        struct bench bench;
        struct kp_said said;
        struct kp_wire_answer answer;

        bench_open(&bench, "keypilot-23-set");
        kp_authenticator_set_finger(bench.key, KP_FINGER_WITHHOLDS, 0, true);
        /* given up at once, and again while it is being cancelled */
        answer = wire(&bench, (struct kp_wire_request){ SELECTION, .silence_ms = 1 });
        cr_expect(answer.cancelled);
        kp_wire_answer_done(&answer);
        kp_authenticator_set_finger(bench.key, KP_FINGER_TOUCHES, 0, true);
        made = bench_make(&bench, (struct kp_make_request){ .pin = bench.pin });
        cr_expect_eq(made.status, KP_CTAP_OK);
        cr_expect_null(made.transport);
        kp_make_reply_done(&made);
        must(bench.extra.wire->ping(
                     bench.extra.self, (struct kp_bytes){ 0 }, &said, &err),
                &err);
        cr_expect_str_eq(word(&said), "CTAP2_OK");
        bench_close(&bench);
}
