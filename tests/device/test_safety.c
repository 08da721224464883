/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido.h>
#include <fido/bio.h>
#include <fido/config.h>
#include <fido/credman.h>

#include "keypilot/codec/ctaphid.h"
#include "keypilot/device/driver.h"
#include "keypilot/device/tap.h"

#include "../../src/device/fido2.h"
#include "peer.h"

/*
 * The rules for other people's keys, counted where a key would be: at the far end of a
 * wire below libfido2. Nothing here looks at what the tap says it did.
 */
#define PIN "123456" /* of profiles whose state has one */

struct bench {
        struct peer *peer;
        struct kp_driver driver;
        struct kp_tap *tap;
        struct kp_seam seam; /* the tap's, for raw frames */
        fido_dev_t *dev;
        struct kp_random *random;
};

static void
bench_open_on(struct bench *bench, struct peer *peer, enum kp_tap_rules rules)
{
        struct kp_error err = { 0 };
        char why[512];

        *bench = (struct bench){ .peer = peer };
        cr_assert_eq(kp_random_new_seeded("safety", "bench", &bench->random, &err), 0);
        cr_assert_eq(kp_tap_new(peer_seam(peer), rules, NULL, &bench->seam, &bench->tap,
                             &err),
                0);
        cr_assert_eq(kp_driver_open_libfido2(
                             bench->seam, bench->random, &bench->driver, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
        bench->dev = ((struct kp_fido2 *)bench->driver.self)->dev;
}

static void
bench_open(struct bench *bench, const char *profile, enum kp_tap_rules rules)
{
        bench_open_on(bench, peer_start(profile), rules);
}

static struct peer *
bench_leave(struct bench *bench)
{
        kp_driver_close(&bench->driver);
        kp_random_free(&bench->random);
        return bench->peer;
}

static void
bench_close(struct bench *bench)
{
        peer_stop(bench_leave(bench));
}

static const char *
test_pin(const struct bench *bench)
{
        const char *pin = kp_authenticator_profile_test_pin(bench->peer->profile);

        return pin == NULL ? PIN : pin;
}

/* So that the PIN itself may pass, and what it is for is what gets stopped. */
static void
ask_retries(struct bench *bench)
{
        int retries = 0;

        ((struct kp_fido2 *)bench->driver.self)->failed.code = KP_OK;
        cr_assert_eq(fido_dev_get_retry_count(bench->dev, &retries), FIDO_OK);
        cr_assert_geq(retries, 5);
}

/* ---- what must never reach a key ---- */

static int
do_reset(struct bench *bench)
{
        return fido_dev_reset(bench->dev);
}

static int
do_set_pin(struct bench *bench)
{
        return fido_dev_set_pin(bench->dev, "another-pin", NULL);
}

static int
do_change_pin(struct bench *bench)
{
        return fido_dev_set_pin(bench->dev, "another-pin", test_pin(bench));
}

static int
do_bio_info(struct bench *bench)
{
        fido_bio_info_t *info = fido_bio_info_new();
        int r = fido_bio_dev_get_info(bench->dev, info);

        fido_bio_info_free(&info);
        return r;
}

static int
do_bio_enroll(struct bench *bench)
{
        fido_bio_template_t *template = fido_bio_template_new();
        fido_bio_enroll_t *enroll = fido_bio_enroll_new();
        int r = fido_bio_dev_enroll_begin(
                bench->dev, template, enroll, 1000, test_pin(bench));

        fido_bio_enroll_free(&enroll);
        fido_bio_template_free(&template);
        return r;
}

static int
do_bio_remove(struct bench *bench)
{
        fido_bio_template_t *template = fido_bio_template_new();
        int r;

        (void)fido_bio_template_set_id(template, (const unsigned char *)"x", 1);
        r = fido_bio_dev_enroll_remove(bench->dev, template, test_pin(bench));
        fido_bio_template_free(&template);
        return r;
}

static int
do_bio_list(struct bench *bench)
{
        fido_bio_template_array_t *list = fido_bio_template_array_new();
        int r = fido_bio_dev_get_template_array(bench->dev, list, test_pin(bench));

        fido_bio_template_array_free(&list);
        return r;
}

static int
do_enterprise(struct bench *bench)
{
        return fido_dev_enable_entattest(bench->dev, test_pin(bench));
}

static int
do_always_uv(struct bench *bench)
{
        return fido_dev_toggle_always_uv(bench->dev, test_pin(bench));
}

static int
do_force_pin_change(struct bench *bench)
{
        return fido_dev_force_pin_change(bench->dev, test_pin(bench));
}

static int
do_min_pin(struct bench *bench)
{
        return fido_dev_set_pin_minlen(bench->dev, 8, test_pin(bench));
}

static int
do_min_pin_rp(struct bench *bench)
{
        const char *const rp[] = { "example.org" };

        return fido_dev_set_pin_minlen_rpid(bench->dev, rp, 1, test_pin(bench));
}

static int
do_blob_set(struct bench *bench)
{
        const unsigned char key[32] = { 1 };

        return fido_dev_largeblob_set(
                bench->dev, key, sizeof(key), key, sizeof(key), test_pin(bench));
}

static int
do_blob_remove(struct bench *bench)
{
        const unsigned char key[32] = { 1 };

        return fido_dev_largeblob_remove(bench->dev, key, sizeof(key), test_pin(bench));
}

static int
do_blob_array(struct bench *bench)
{
        const unsigned char empty[] = { 0x80 };

        return fido_dev_largeblob_set_array(
                bench->dev, empty, sizeof(empty), test_pin(bench));
}

static int
do_delete(struct bench *bench)
{
        const unsigned char id[16] = { 1 };

        return fido_credman_del_dev_rk(bench->dev, id, sizeof(id), test_pin(bench));
}

static int
do_update(struct bench *bench)
{
        fido_cred_t *cred = fido_cred_new();
        const unsigned char id[16] = { 1 };
        int r;

        (void)fido_cred_set_id(cred, id, sizeof(id));
        (void)fido_cred_set_user(cred, id, sizeof(id), "somebody", "somebody", NULL);
        r = fido_credman_set_dev_rk(bench->dev, cred, test_pin(bench));
        fido_cred_free(&cred);
        return r;
}

static const struct {
        const char *name;
        int (*run)(struct bench *bench);
        bool needs_token; /* that a simulated key, without the feature, does not give */
} dangers[] = {
        { "fido_dev_reset", do_reset },
        { "fido_dev_set_pin", do_set_pin },
        { "fido_dev_set_pin, changing", do_change_pin },
        { "fido_bio_dev_get_info", do_bio_info },
        { "fido_bio_dev_enroll_begin", do_bio_enroll, true },
        { "fido_bio_dev_enroll_remove", do_bio_remove, true },
        { "fido_bio_dev_get_template_array", do_bio_list, true },
        { "fido_dev_enable_entattest", do_enterprise },
        { "fido_dev_toggle_always_uv", do_always_uv },
        { "fido_dev_force_pin_change", do_force_pin_change },
        { "fido_dev_set_pin_minlen", do_min_pin },
        { "fido_dev_set_pin_minlen_rpid", do_min_pin_rp },
        { "fido_dev_largeblob_set", do_blob_set, true },
        { "fido_dev_largeblob_remove", do_blob_remove },
        { "fido_dev_largeblob_set_array", do_blob_array, true },
        { "fido_credman_del_dev_rk", do_delete },
        { "fido_credman_set_dev_rk", do_update },
};

/* How many commands have come that no real key may hear. */
static unsigned
dangerous(struct peer *peer)
{
        static const uint8_t allowed[] = { 0x01, 0x02, 0x04, 0x06, 0x08, 0x0a, 0x0b,
                0x41 };
        unsigned n = 0;

        pthread_mutex_lock(&peer->lock);
        for (int cmd = 0; cmd < 256; cmd++)
                if (memchr(allowed, cmd, sizeof(allowed)) == NULL)
                        n += peer->n_ctap[cmd];
        n += peer->n_pin[0x03] + peer->n_pin[0x04];
        n += peer->n_management[0x06] + peer->n_management[0x07];
        n += peer->n_hid[KP_CTAPHID_LOCK];
        for (int cmd = 0x40; cmd < 0x80; cmd++)
                n += peer->n_hid[cmd];
        pthread_mutex_unlock(&peer->lock);
        return n;
}

static void
try_dangers(const char *profile, bool retries_first)
{
        struct bench bench;

        bench_open(&bench, profile, KP_TAP_REAL);
        for (size_t i = 0; i < KP_NELEMS(dangers); i++) {
                kp_fido2_begin(bench.driver.self);
                if (retries_first)
                        ask_retries(&bench);
                cr_expect_neq(dangers[i].run(&bench), FIDO_OK, "%s on %s went well",
                        dangers[i].name, profile);
                cr_expect_eq(dangerous(bench.peer), 0, "%s reached %s", dangers[i].name,
                        profile);
        }
        if (retries_first)
                cr_expect_gt(peer_look(bench.peer, &bench.peer->n_pin[0x02]), 0,
                        "nothing was tried at all");
        bench_close(&bench);
}

Test(safety, nothing_that_changes_a_key_reaches_it)
{
        try_dangers("yubikey-5-57-pin", true);
        try_dangers("yubikey-5-57-pin", false);
        try_dangers("yubikey-5-52-pin", true);
        try_dangers("yubikey-bio", true);
        try_dangers("yubikey-5-57", false); /* no PIN yet */
}

/* Otherwise the test above could not fail. */
Test(safety, the_same_commands_do_reach_a_simulated_key)
{
        for (size_t i = 0; i < KP_NELEMS(dangers); i++) {
                bool fresh = dangers[i].run == do_set_pin;
                struct bench bench;

                if (dangers[i].needs_token)
                        continue; /* forbidden_messages below */
                bench_open(&bench, fresh ? "yubikey-5-57" : "yubikey-5-57-pin",
                        KP_TAP_SIMULATED);
                (void)dangers[i].run(&bench); /* the key may well refuse it */
                cr_expect_gt(dangerous(bench.peer), 0, "%s did not reach the key",
                        dangers[i].name);
                bench_close(&bench);
        }
}

/* ---- raw frames ---- */

static void
first_frame(uint8_t report[64], uint32_t cid, uint8_t cmd, size_t total, uint8_t first)
{
        memset(report, 0, 64);
        report[0] = (uint8_t)(cid >> 24);
        report[1] = (uint8_t)(cid >> 16);
        report[2] = (uint8_t)(cid >> 8);
        report[3] = (uint8_t)cid;
        report[4] = 0x80 | cmd;
        report[5] = (uint8_t)(total >> 8);
        report[6] = (uint8_t)total;
        report[7] = first;
}

static uint32_t
channel(const struct bench *bench)
{
        return ((struct kp_fido2 *)bench->driver.self)->out.cid;
}

static int
raw(struct bench *bench, const uint8_t report[64], enum kp_code *ret_code)
{
        struct kp_error err = { 0 };
        int r = bench->seam.ops->write(bench->seam.self, report, &err);

        *ret_code = err.code;
        return r;
}

/* What was allowed has arrived when this returns: an answer to it came. */
static void
ping(struct bench *bench)
{
        struct kp_error err = { 0 };
        enum kp_code code;
        uint8_t report[64];

        first_frame(report, channel(bench), KP_CTAPHID_PING, 1, 0x55);
        cr_assert_eq(raw(bench, report, &code), 0);
        do
                cr_assert_eq(
                        bench->seam.ops->read(bench->seam.self, report, 5000, &err), 1);
        while (report[4] != (0x80 | KP_CTAPHID_PING));
}

Test(safety, unknown_commands_do_not_reach_a_key)
{
        static const uint8_t known[] = { 0x01, 0x02, 0x04, 0x08, 0x0b };
        struct bench bench;
        unsigned before;
        enum kp_code code;
        uint8_t report[64];

        bench_open(&bench, "yubikey-5-57-pin", KP_TAP_REAL);
        before = peer_look(bench.peer, &bench.peer->n_frames);
        for (int cmd = 0; cmd < 256; cmd++) { /* CTAP2 commands without parameters */
                if (memchr(known, cmd, sizeof(known)) != NULL)
                        continue;
                first_frame(report, channel(&bench), KP_CTAPHID_CBOR, 1, (uint8_t)cmd);
                cr_expect_eq(raw(&bench, report, &code), -1, "CTAP2 command %02x", cmd);
                cr_expect_eq(code, KP_ESAFETY);
        }
        for (int cmd = 0; cmd < 128; cmd++) { /* CTAPHID commands */
                if (cmd == KP_CTAPHID_PING || cmd == KP_CTAPHID_INIT ||
                        cmd == KP_CTAPHID_WINK || cmd == KP_CTAPHID_CANCEL)
                        continue;
                first_frame(report, channel(&bench), (uint8_t)cmd, 1, 0x07);
                cr_expect_eq(
                        raw(&bench, report, &code), -1, "CTAPHID command %02x", cmd);
                cr_expect_eq(code, KP_ESAFETY);
        }
        ping(&bench);
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_frames), before + 1,
                "only the ping");
        bench_close(&bench);
}

Test(safety, other_u2f_commands_do_not_reach_a_key)
{
        struct bench bench;
        enum kp_code code;
        uint8_t report[64];

        bench_open(&bench, "yubikey-5-57-pin", KP_TAP_REAL);
        for (int ins = 0; ins < 256; ins++) {
                first_frame(report, channel(&bench), KP_CTAPHID_MSG, 7, 0);
                report[8] = (uint8_t)ins;
                report[9] = 0x03;
                if (ins >= 1 && ins <= 3)
                        continue;
                cr_expect_eq(
                        raw(&bench, report, &code), -1, "U2F instruction %02x", ins);
        }
        /* another class */
        first_frame(report, channel(&bench), KP_CTAPHID_MSG, 7, 0x80);
        report[8] = KP_U2F_VERSION;
        cr_expect_eq(raw(&bench, report, &code), -1);
        ping(&bench);
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_hid[KP_CTAPHID_MSG]), 0);
        bench_close(&bench);
}

Test(safety, half_a_message_does_not_leak)
{
        struct bench bench;
        unsigned before;
        enum kp_code code;
        uint8_t report[64];

        bench_open(&bench, "yubikey-5-57-pin", KP_TAP_REAL);
        before = peer_look(bench.peer, &bench.peer->n_frames);
        /* the first of two frames, of a message that may go and of one that may not */
        first_frame(
                report, channel(&bench), KP_CTAPHID_CBOR, 100, KP_CTAP_MAKE_CREDENTIAL);
        cr_expect_eq(raw(&bench, report, &code), 0);
        first_frame(report, channel(&bench), KP_CTAPHID_CBOR, 100, KP_CTAP_CONFIG);
        cr_expect_eq(raw(&bench, report, &code), 0);
        ping(&bench); /* abandons both */
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_frames), before + 1);
        /* a second frame that belongs to nothing */
        memset(report, 0, sizeof(report));
        first_frame(report, channel(&bench), 0, 0, 0);
        report[4] = 0x00;
        cr_expect_eq(raw(&bench, report, &code), -1);
        cr_expect_eq(code, KP_ESAFETY);
        /* the second frame completes what may not go: neither frame goes */
        first_frame(report, channel(&bench), KP_CTAPHID_CBOR, 58, KP_CTAP_CONFIG);
        cr_expect_eq(raw(&bench, report, &code), 0);
        report[4] = 0x00;
        cr_expect_eq(raw(&bench, report, &code), -1);
        cr_expect_eq(code, KP_ESAFETY);
        /* one out of order, and one that is too long */
        first_frame(
                report, channel(&bench), KP_CTAPHID_CBOR, 100, KP_CTAP_MAKE_CREDENTIAL);
        cr_expect_eq(raw(&bench, report, &code), 0);
        report[4] = 0x01;
        cr_expect_eq(raw(&bench, report, &code), -1);
        first_frame(report, channel(&bench), KP_CTAPHID_CBOR, 8000,
                KP_CTAP_MAKE_CREDENTIAL);
        cr_expect_eq(raw(&bench, report, &code), -1);
        ping(&bench);
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_frames), before + 2);
        bench_close(&bench);
}

/* Whole messages as libfido2 and others make them, short enough for one frame. */
static const struct {
        const char *what;
        uint8_t bytes[24];
        size_t len;
} forbidden[] = {
        { "reset", { 0x07 }, 1 },
        { "setPIN", { 0x06, 0xa2, 1, 1, 2, 3 }, 6 },
        { "changePIN", { 0x06, 0xa2, 1, 2, 2, 4 }, 6 },
        { "bioEnrollment begin", { 0x09, 0xa4, 1, 1, 2, 1, 4, 1, 5, 0x40 }, 10 },
        { "bioEnrollment begin, preview", { 0x40, 0xa4, 1, 1, 2, 1, 4, 1, 5, 0x40 },
                10 },
        { "largeBlobs set", { 0x0c, 0xa3, 2, 0x41, 1, 3, 0, 4, 1 }, 9 },
        { "largeBlobs get", { 0x0c, 0xa2, 1, 0x11, 3, 0 }, 6 },
        { "config toggleAlwaysUv", { 0x0d, 0xa1, 1, 2 }, 4 },
        { "config enableEnterpriseAttestation", { 0x0d, 0xa1, 1, 1 }, 4 },
        { "config setMinPINLength", { 0x0d, 0xa2, 1, 3, 2, 0xa1, 1, 8 }, 8 },
        { "deleteCredential",
                { 0x0a, 0xa2, 1, 6, 2, 0xa1, 2, 0xa2, 0x62, 'i', 'd', 0x41, 1, 0x64,
                        't', 'y', 'p', 'e', 0x61, 'p' },
                20 },
        { "deleteCredential, preview",
                { 0x41, 0xa2, 1, 6, 2, 0xa1, 2, 0xa1, 0x62, 'i', 'd', 0x41, 1 }, 13 },
        { "updateUserInformation", { 0x0a, 0xa1, 1, 7 }, 4 },
        { "a vendor's command", { 0xbf, 0xa0 }, 2 },
};

static unsigned
send_forbidden(enum kp_tap_rules rules)
{
        struct bench bench;
        unsigned n;
        enum kp_code code;
        uint8_t report[64];

        bench_open(&bench, "yubikey-5-57-pin", rules);
        for (size_t i = 0; i < KP_NELEMS(forbidden); i++) {
                first_frame(
                        report, channel(&bench), KP_CTAPHID_CBOR, forbidden[i].len, 0);
                memcpy(report + 7, forbidden[i].bytes, forbidden[i].len);
                cr_expect_eq(raw(&bench, report, &code),
                        rules == KP_TAP_SIMULATED ? 0 : -1, "%s", forbidden[i].what);
                ping(&bench); /* one transaction at a time */
        }
        n = dangerous(bench.peer);
        bench_close(&bench);
        return n;
}

Test(safety, forbidden_messages_do_not_reach_a_real_key)
{
        cr_expect_eq(send_forbidden(KP_TAP_REAL), 0);
        cr_expect_eq(send_forbidden(KP_TAP_SIMULATED), KP_NELEMS(forbidden));
}

/*
 * A token that is for more than making, using and listing passkeys is not asked for: a
 * PIN would go out for what is forbidden anyway. By PIN (9) and by finger (6).
 */
Test(safety, no_token_is_asked_for_what_is_forbidden)
{
        static const uint8_t subcommands[] = { KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                KP_CTAP_PIN_GET_TOKEN_UV_PERMS };
        struct kp_error err = { 0 };
        struct bench bench;
        enum kp_code code;
        uint8_t report[64];
        unsigned before;

        bench_open(&bench, "yubikey-5-57-pin", KP_TAP_REAL);
        for (size_t i = 0; i < KP_NELEMS(subcommands); i++)
                for (unsigned permissions = 0; permissions < 256; permissions++) {
                        const uint8_t message[] = { 0x06, 0xa3, 1, 2, 2, subcommands[i],
                                9, 0x18, (uint8_t)permissions };
                        const uint8_t small[] = { 0x06, 0xa3, 1, 2, 2, subcommands[i],
                                9, (uint8_t)permissions };
                        bool is_small = permissions < 24;
                        size_t len = is_small ? sizeof(small) : sizeof(message);
                        bool may = (permissions & ~0x07u) == 0;

                        kp_fido2_begin(bench.driver.self);
                        ask_retries(&bench);
                        before = peer_look(
                                bench.peer, &bench.peer->n_pin[subcommands[i]]);
                        first_frame(report, channel(&bench), KP_CTAPHID_CBOR, len, 0);
                        memcpy(report + 7, is_small ? small : message, len);
                        cr_expect_eq(raw(&bench, report, &code), may ? 0 : -1,
                                "subcommand %u, permissions %02x", subcommands[i],
                                permissions);
                        if (!may)
                                cr_expect_eq(code, KP_ESAFETY);
                        report[4] = 0;
                        while (may && report[4] != (0x80 | KP_CTAPHID_CBOR) &&
                                bench.seam.ops->read(
                                        bench.seam.self, report, 5000, &err) == 1)
                                ; /* the tap counts a PIN that is not answered */
                        ping(&bench);
                        cr_expect_eq(peer_look(bench.peer,
                                             &bench.peer->n_pin[subcommands[i]]),
                                before + may);
                }
        bench_close(&bench);
}

/* A subcommand that a sloppy reader takes for another. */
Test(safety, trick_encodings_do_not_reach_a_key)
{
        static const struct {
                const char *what;
                uint8_t bytes[24];
                size_t len;
        } tricks[] = {
                { "the same key twice", { 0x06, 0xa3, 1, 1, 2, 1, 2, 4 }, 8 },
                { "259, whose low byte is 3", { 0x06, 0xa2, 1, 1, 2, 0x19, 0x01, 0x03 },
                        8 },
                { "257, whose low byte is 1", { 0x06, 0xa2, 1, 1, 2, 0x19, 0x01, 0x01 },
                        8 },
                { "setPIN in a long head", { 0x06, 0xa2, 1, 1, 2, 0x18, 0x03 }, 7 },
                { "getPINRetries in a long head", { 0x06, 0xa2, 1, 1, 2, 0x18, 0x01 },
                        7 },
                { "keys out of order", { 0x06, 0xa2, 2, 1, 1, 1 }, 6 },
                { "an indefinite map", { 0x06, 0xbf, 1, 1, 2, 1, 0xff }, 7 },
                { "bytes behind the map", { 0x06, 0xa2, 1, 1, 2, 1, 0x00 }, 7 },
                { "no subcommand", { 0x06, 0xa1, 1, 1 }, 4 },
                { "a cut-off map", { 0x06, 0xa2, 1, 1, 2 }, 5 },
                { "nothing", { 0 }, 0 },
        };
        struct bench bench;
        unsigned before;
        enum kp_code code;
        uint8_t report[64];

        bench_open(&bench, "yubikey-5-57-pin", KP_TAP_REAL);
        before = peer_look(bench.peer, &bench.peer->n_frames);
        for (size_t i = 0; i < KP_NELEMS(tricks); i++) {
                first_frame(report, channel(&bench), KP_CTAPHID_CBOR, tricks[i].len, 0);
                memcpy(report + 7, tricks[i].bytes, tricks[i].len);
                cr_expect_eq(raw(&bench, report, &code), -1, "%s", tricks[i].what);
                cr_expect_eq(code, KP_ESAFETY, "%s", tricks[i].what);
        }
        ping(&bench);
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_frames), before + 1);
        bench_close(&bench);
}

/* ---- PIN tries ---- */

static unsigned
pins_sent(struct bench *bench)
{
        return peer_look(bench->peer, &bench->peer->n_pin[0x05]) +
               peer_look(bench->peer, &bench->peer->n_pin[0x09]);
}

/* A login with a PIN, through libfido2; its result. */
static int
log_in(struct bench *bench, const char *pin)
{
        fido_assert_t *assert = fido_assert_new();
        const unsigned char hash[32] = { 1 };
        int r;

        kp_fido2_begin(bench->driver.self);
        (void)fido_assert_set_rp(assert, "example.org");
        (void)fido_assert_set_clientdata_hash(assert, hash, sizeof(hash));
        r = fido_dev_get_assert(bench->dev, assert, pin);
        fido_assert_free(&assert);
        return r;
}

static void
try_pins(const char *profile)
{
        struct bench bench;

        bench_open(&bench, profile, KP_TAP_REAL);
        (void)log_in(&bench, test_pin(&bench));
        cr_expect_eq(pins_sent(&bench), 0, "%s: a PIN went out before the question",
                profile);
        ask_retries(&bench);
        cr_expect_eq(log_in(&bench, "wrong-1"), FIDO_ERR_PIN_INVALID);
        cr_expect_eq(pins_sent(&bench), 1);
        (void)log_in(&bench, "wrong-2");
        cr_expect_eq(
                pins_sent(&bench), 1, "%s: a second PIN went out unasked", profile);
        ask_retries(&bench);
        cr_expect_eq(log_in(&bench, "wrong-2"), FIDO_ERR_PIN_INVALID);
        cr_expect_eq(pins_sent(&bench), 2);
        ask_retries(&bench);
        (void)log_in(&bench, test_pin(&bench));
        cr_expect_eq(pins_sent(&bench), 2, "%s: a third PIN went out", profile);
        bench_close(&bench);
}

Test(safety, a_pin_goes_out_twice_at_most)
{
        try_pins("yubikey-5-57-pin");
        try_pins("yubikey-5-52-pin");
}

Test(safety, the_right_pin_may_go_out_again_and_again)
{
        struct bench bench;

        bench_open(&bench, "yubikey-5-57-pin", KP_TAP_REAL);
        ask_retries(&bench);
        for (unsigned i = 1; i <= 5; i++) {
                cr_expect_eq(log_in(&bench, test_pin(&bench)), FIDO_ERR_NO_CREDENTIALS);
                cr_expect_eq(pins_sent(&bench), i);
        }
        cr_expect_eq(log_in(&bench, "wrong-1"), FIDO_ERR_PIN_INVALID);
        ask_retries(&bench);
        cr_expect_eq(log_in(&bench, test_pin(&bench)), FIDO_ERR_NO_CREDENTIALS);
        cr_expect_eq(pins_sent(&bench), 7);
        bench_close(&bench);
}

/* Somebody else has used up four of the eight tries. */
Test(safety, no_pin_goes_out_when_fewer_than_five_tries_are_left)
{
        struct peer *peer = peer_start("yubikey-5-57-pin");
        struct bench bench;
        int retries = 0;

        for (int i = 0; i < 4; i++) {
                bench_open_on(&bench, peer, KP_TAP_SIMULATED);
                cr_assert_neq(log_in(&bench, "wrong"), FIDO_OK);
                (void)bench_leave(&bench);
                if (i == 2) /* out of the three-tries lock */
                        kp_authenticator_power_cycle(
                                peer->key, kp_clock_ms(&peer->clock));
        }
        bench_open_on(&bench, peer, KP_TAP_REAL);
        cr_assert_eq(pins_sent(&bench), 4);
        cr_assert_eq(fido_dev_get_retry_count(bench.dev, &retries), FIDO_OK);
        cr_assert_eq(retries, 4);
        (void)log_in(&bench, test_pin(&bench));
        cr_expect_eq(pins_sent(&bench), 4);
        bench_close(&bench);
}

/* ---- looking only ---- */

Test(safety, a_look_at_a_key_sends_two_commands_and_no_more)
{
        struct bench bench;
        int retries = 0;
        enum kp_code code;
        uint8_t report[64];
        unsigned before;

        bench_open(&bench, "yubikey-5-57-pin", KP_TAP_READ_ONLY);
        cr_expect_eq(fido_dev_get_retry_count(bench.dev, &retries), FIDO_OK);
        cr_expect_eq(retries, 8);
        before = peer_look(bench.peer, &bench.peer->n_frames);
        (void)log_in(&bench, NULL);
        (void)log_in(&bench, test_pin(&bench));
        for (size_t i = 0; i < KP_NELEMS(dangers); i++) {
                kp_fido2_begin(bench.driver.self);
                cr_expect_neq(dangers[i].run(&bench), FIDO_OK, "%s", dangers[i].name);
        }
        first_frame(report, channel(&bench), KP_CTAPHID_PING, 1, 0x55);
        cr_expect_eq(raw(&bench, report, &code), -1);
        first_frame(report, channel(&bench), KP_CTAPHID_WINK, 0, 0);
        cr_expect_eq(raw(&bench, report, &code), -1);
        /* an allowed command, to see that all before it would have arrived */
        kp_fido2_begin(bench.driver.self);
        cr_expect_eq(fido_dev_get_retry_count(bench.dev, &retries), FIDO_OK);
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_frames), before + 1);
        bench_close(&bench);
}

/* ---- removal ---- */

Test(safety, only_what_is_allowed_is_removed)
{
        const unsigned char ours[16] = { 1 }, theirs[16] = { 2 };
        struct kp_error err = { 0 };
        struct bench bench;

        bench_open(&bench, "yubikey-5-52-pin", KP_TAP_REAL); /* libfido2's command */
        cr_assert_eq(kp_tap_allow_remove(bench.tap, ours, sizeof(ours), &err), 0);
        ask_retries(&bench);
        cr_expect_neq(fido_credman_del_dev_rk(
                              bench.dev, theirs, sizeof(theirs), test_pin(&bench)),
                FIDO_OK);
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_management[0x06]), 0);
        kp_fido2_begin(bench.driver.self);
        ask_retries(&bench);
        (void)fido_credman_del_dev_rk(
                bench.dev, ours, sizeof(ours) - 1, test_pin(&bench));
        cr_expect_eq(
                peer_look(bench.peer, &bench.peer->n_management[0x06]), 0, "a prefix");
        kp_fido2_begin(bench.driver.self);
        ask_retries(&bench);
        cr_expect_eq(fido_credman_del_dev_rk(
                             bench.dev, ours, sizeof(ours), test_pin(&bench)),
                FIDO_ERR_NO_CREDENTIALS);
        cr_expect_eq(peer_look(bench.peer, &bench.peer->n_management[0x06]), 1);
        bench_close(&bench);
}
