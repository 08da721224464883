/* SPDX-License-Identifier: BSD-2-Clause */
#include <jansson.h>
#include <sys/stat.h>

#include "keypilot/core/json.h"
#include "keypilot/device/ledger.h"
#include "keypilot/device/tap.h"

#include "../../src/device/real.h"
#include "peer.h"

/*
 * What the driver of a real key does beyond asking: the ledger, free places, names,
 * tries of the PIN. The key is simulated, at the far end of a wire; what reached it is
 * counted there.
 */
struct bench {
        char folder[64], path[128];
        struct kp_clock clock;
        struct kp_random *random;
        struct peer *peer;
        struct kp_ledger *ledger;
        struct kp_tap *tap;
        struct kp_driver driver;
};

static void
bench_attach(struct bench *bench, enum kp_driver_choice choice)
{
        struct kp_real_rules rules = { .choice = choice, .run = "7" };
        struct kp_error err = { 0 };
        struct kp_seam seam;
        char why[512];

        if (bench->path[0] != '\0')
                cr_assert_eq(kp_ledger_open(bench->path, &bench->clock, bench->random,
                                     &bench->ledger, &err),
                        0, "%s", kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(kp_tap_new(peer_seam(bench->peer), KP_TAP_REAL, NULL, &seam,
                             &bench->tap, &err),
                0);
        rules.tap = bench->tap;
        rules.ledger = bench->ledger;
        cr_assert_eq(
                kp_driver_open_real(seam, &rules, bench->random, &bench->driver, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
}

static void
bench_detach(struct bench *bench)
{
        kp_driver_close(&bench->driver);
        kp_ledger_free(&bench->ledger);
}

static void
bench_open(struct bench *bench, const char *profile, enum kp_driver_choice choice)
{
        struct kp_error err = { 0 };

        *bench = (struct bench){ .folder = "/tmp/keypilot-real-XXXXXX" };
        cr_assert_not_null(mkdtemp(bench->folder));
        (void)snprintf(
                bench->path, sizeof(bench->path), "%s/a/b/ledger.jsonl", bench->folder);
        bench->clock = kp_clock_simulated();
        cr_assert_eq(kp_random_new_seeded("real", profile, &bench->random, &err), 0);
        bench->peer = peer_start(profile);
        bench_attach(bench, choice);
}

static void
bench_close(struct bench *bench)
{
        char command[128];

        bench_detach(bench);
        peer_stop(bench->peer);
        kp_random_free(&bench->random);
        (void)snprintf(command, sizeof(command), "rm -r %s", bench->folder);
        cr_assert_eq(system(command), 0);
}

static const char *
pin_of(const struct bench *bench)
{
        return kp_authenticator_profile_test_pin(bench->peer->profile);
}

static const int es256 = -7;
static const int browsers[] = { -7, -257 };

static struct kp_make_request
a_request(const struct bench *bench, enum kp_ternary rk)
{
        return (struct kp_make_request){
                .rp_id = "example.org",
                .user_id = { (const uint8_t *)"user", 4 },
                .user_name = "anna@school.example",
                .algorithms = &es256,
                .n_algorithms = 1,
                .rk = rk,
                .pin = pin_of(bench),
        };
}

static int
ask(struct bench *bench, const struct kp_make_request *request,
        struct kp_make_reply *reply, struct kp_error *err)
{
        *err = (struct kp_error){ 0 };
        return bench->driver.ops->make(bench->driver.self, request, reply, err);
}

static struct kp_bytes
id_of(const struct kp_make_reply *reply)
{
        const uint8_t *data = reply->auth_data.data;

        return (struct kp_bytes){ data + 55, (size_t)data[53] << 8 | data[54] };
}

static unsigned
makes(struct bench *bench)
{
        return peer_look(bench->peer, &bench->peer->n_ctap[KP_CTAP_MAKE_CREDENTIAL]) +
               peer_look(bench->peer, &bench->peer->n_hid[KP_CTAPHID_MSG]);
}

/* The ledger's line `n`, or NULL. */
static json_t *
line(const struct bench *bench, int n)
{
        FILE *file = fopen(bench->path, "re");
        char text[4096];
        json_t *value = NULL;

        cr_assert_not_null(file);
        while (n >= 0 && fgets(text, sizeof(text), file) != NULL)
                if (n-- == 0)
                        value = json_loads(text, 0, NULL);
        fclose(file);
        return value;
}

Test(real, a_passkey_is_in_the_ledger_and_is_removed_again)
{
        static const char *const profiles[] = { "yubikey-5-57-pin",
                "yubikey-5-52-pin" };

        for (size_t i = 0; i < KP_NELEMS(profiles); i++) {
                struct bench bench;
                struct kp_make_request request;
                struct kp_make_reply reply;
                struct kp_error err = { 0 };
                json_t *prepared, *made, *removed, *left;
                uint8_t status = 0xff;
                char why[512];

                bench_open(&bench, profiles[i], KP_DRIVER_DEFAULT);
                request = a_request(&bench, KP_TRUE);
                cr_assert_eq(ask(&bench, &request, &reply, &err), 0, "%s: %s",
                        profiles[i], kp_error_format(&err, why, sizeof(why)));
                cr_assert_eq(reply.status, KP_CTAP_OK);
                prepared = line(&bench, 0);
                cr_expect_str_eq(kp_json_str(prepared, "event", ""), "prepared");
                cr_expect_str_eq(kp_json_str(prepared, "rp", ""), "example.org");
                cr_expect_str_eq(kp_json_str(prepared, "user_id", ""), "dXNlcg");
                cr_expect_str_eq(kp_json_str(prepared, "run", ""), "7");
                cr_expect_str_eq(kp_json_str(prepared, "name", ""),
                        "keypilot-test-anna@school.example");
                made = line(&bench, 1);
                cr_expect_str_eq(kp_json_str(made, "event", ""), "made");
                cr_expect_str_eq(kp_json_str(made, "entry", "a"),
                        kp_json_str(prepared, "entry", "b"));
                cr_assert_eq(kp_ledger_left(bench.ledger, &left, &err), 0);
                cr_expect_eq(json_array_size(left), 1);
                json_decref(left);
                cr_assert_eq(bench.driver.ops->remove(bench.driver.self, id_of(&reply),
                                     pin_of(&bench), &status, &err),
                        0, "%s: %s", profiles[i],
                        kp_error_format(&err, why, sizeof(why)));
                cr_expect_eq(status, KP_CTAP_OK);
                cr_expect_eq(peer_look(bench.peer, &bench.peer->n_management[0x06]), 1);
                removed = line(&bench, 2);
                cr_expect_str_eq(kp_json_str(removed, "event", ""), "removed");
                cr_assert_eq(kp_ledger_left(bench.ledger, &left, &err), 0);
                cr_expect_eq(json_array_size(left), 0);
                json_decref(left);
                /* a second time it is nobody's any more */
                cr_expect_eq(bench.driver.ops->remove(bench.driver.self, id_of(&reply),
                                     pin_of(&bench), &status, &err),
                        -1);
                cr_expect_eq(err.code, KP_ESAFETY);
                cr_expect_eq(peer_look(bench.peer, &bench.peer->n_management[0x06]), 1);
                kp_make_reply_done(&reply);
                json_decref(prepared);
                json_decref(made);
                json_decref(removed);
                bench_close(&bench);
        }
}

/* Written before it is asked for, since afterwards it may be too late. */
Test(real, what_cannot_be_written_down_is_not_made)
{
        struct bench bench;
        struct kp_make_request request;
        struct kp_make_reply reply;
        struct kp_error err;

        bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_DEFAULT);
        bench_detach(&bench);
        bench.path[0] = '\0'; /* no ledger */
        bench_attach(&bench, KP_DRIVER_DEFAULT);
        request = a_request(&bench, KP_TRUE);
        cr_expect_eq(ask(&bench, &request, &reply, &err), -1);
        cr_expect_eq(err.code, KP_ESAFETY);
        request = a_request(&bench, KP_OMIT);
        cr_expect_eq(ask(&bench, &request, &reply, &err), -1);
        cr_expect_eq(makes(&bench), 0);
        bench_close(&bench);
}

Test(real, an_entry_is_on_disk_before_the_key_is_asked)
{
        struct bench bench;
        struct kp_make_request request;
        struct kp_make_reply reply;
        struct kp_error err;
        json_t *prepared, *not_made, *left;

        bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_DEFAULT);
        bench.peer->watched = bench.path;
        /* refused by the key: the entry was there, and says so */
        kp_authenticator_set_finger(bench.peer->key, KP_FINGER_REFUSES, 0, true);
        request = a_request(&bench, KP_TRUE);
        cr_assert_eq(ask(&bench, &request, &reply, &err), 0);
        cr_expect_eq(reply.status, KP_CTAP2_ERR_OPERATION_DENIED);
        cr_expect_gt(bench.peer->watched_len, 50, "nothing was written before");
        prepared = line(&bench, 0);
        not_made = line(&bench, 1);
        cr_expect_str_eq(kp_json_str(prepared, "event", ""), "prepared");
        cr_expect_str_eq(kp_json_str(not_made, "event", ""), "not-made");
        cr_expect_str_eq(
                kp_json_str(not_made, "why", ""), "CTAP2_ERR_OPERATION_DENIED");
        cr_assert_eq(kp_ledger_left(bench.ledger, &left, &err), 0);
        cr_expect_eq(json_array_size(left), 0);
        json_decref(left);
        json_decref(prepared);
        json_decref(not_made);
        bench_close(&bench);
}

Test(real, a_key_that_cannot_forget_gets_no_passkey)
{
        static const char *const profiles[] = { "google-titan-v2-pin", "yubikey-5-51",
                "yubikey-5-57" /* without a PIN nothing can be removed */ };

        for (size_t i = 0; i < KP_NELEMS(profiles); i++) {
                struct bench bench;
                struct kp_make_request request;
                struct kp_make_reply reply;
                struct kp_error err;

                bench_open(&bench, profiles[i], KP_DRIVER_DEFAULT);
                request = a_request(&bench, KP_TRUE);
                cr_expect_eq(
                        ask(&bench, &request, &reply, &err), -1, "%s", profiles[i]);
                cr_expect_eq(err.code, KP_ESAFETY, "%s", profiles[i]);
                cr_expect_eq(makes(&bench), 0, "%s", profiles[i]);
                /* a credential that takes no place may be made */
                request = a_request(&bench, KP_FALSE);
                cr_expect_eq(ask(&bench, &request, &reply, &err), 0, "%s", profiles[i]);
                cr_expect_eq(makes(&bench), 1, "%s", profiles[i]);
                kp_make_reply_done(&reply);
                bench_close(&bench);
        }
}

/* Takes places through a driver without rules, until `left` are free. */
static void
fill(struct bench *bench, int left)
{
        struct kp_driver driver = { 0 };
        struct kp_key_info info;
        struct kp_error err = { 0 };
        struct kp_random *random;

        bench_detach(bench);
        cr_assert_eq(kp_random_new_seeded("fill", "", &random, &err), 0);
        cr_assert_eq(
                kp_driver_open_ctap(peer_seam(bench->peer), random, &driver, &err), 0);
        for (int i = 0;; i++) {
                struct kp_make_request request = a_request(bench, KP_TRUE);
                struct kp_make_reply reply;

                cr_assert_eq(driver.ops->info(driver.self, &info, &err), 0);
                if (info.remaining_rk <= left)
                        break;
                request.user_id = (struct kp_bytes){ (const uint8_t *)&i, sizeof(i) };
                cr_assert_eq(driver.ops->make(driver.self, &request, &reply, &err), 0);
                cr_assert_eq(reply.status, KP_CTAP_OK);
                kp_make_reply_done(&reply);
        }
        cr_assert_eq(info.remaining_rk, left);
        kp_driver_close(&driver);
        kp_random_free(&random);
        bench_attach(bench, KP_DRIVER_DEFAULT);
}

Test(real, two_places_stay_free)
{
        for (int left = 3; left >= 1; left--) {
                struct bench bench;
                struct kp_make_request request;
                struct kp_make_reply reply = { 0 };
                struct kp_error err;
                unsigned before;

                bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_DEFAULT);
                fill(&bench, left);
                before = makes(&bench);
                request = a_request(&bench, KP_TRUE);
                request.user_id = (struct kp_bytes){ (const uint8_t *)"new", 3 };
                cr_expect_eq(ask(&bench, &request, &reply, &err), left >= 3 ? 0 : -1,
                        "%d places", left);
                cr_expect_eq(
                        makes(&bench) - before, left >= 3 ? 1 : 0, "%d places", left);
                if (left < 3)
                        cr_expect_eq(err.code, KP_ESAFETY);
                kp_make_reply_done(&reply);
                bench_close(&bench);
        }
}

Test(real, the_other_driver_is_asked_where_libfido2_cannot)
{
        struct bench bench;
        struct kp_make_request request;
        struct kp_make_reply reply = { 0 };
        struct kp_error err;

        bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_DEFAULT);
        request = a_request(&bench, KP_OMIT);
        request.algorithms = browsers;
        request.n_algorithms = 2;
        cr_expect_eq(ask(&bench, &request, &reply, &err), 0);
        cr_expect_eq(reply.status, KP_CTAP_OK);
        kp_make_reply_done(&reply);
        bench_detach(&bench);
        bench_attach(&bench, KP_DRIVER_LIBFIDO2);
        cr_expect_eq(ask(&bench, &request, &reply, &err), -1);
        cr_expect_eq(err.code, KP_EUNSUPPORTED);
        bench_close(&bench);
}

Test(real, a_u2f_key_is_driven_without_sleeping)
{
        struct bench bench;
        struct kp_make_request request;
        struct kp_make_reply reply = { 0 };
        struct kp_error err;

        bench_open(&bench, "yubikey-4-u2f", KP_DRIVER_DEFAULT);
        request = a_request(&bench, KP_OMIT);
        cr_expect_eq(ask(&bench, &request, &reply, &err), 0);
        cr_expect_eq(reply.status, KP_CTAP_OK);
        cr_expect_str_eq(reply.format, "fido-u2f");
        kp_make_reply_done(&reply);
        bench_close(&bench);
}

Test(real, a_wrong_pin_goes_out_twice_at_most)
{
        struct bench bench;
        struct kp_make_request request;
        struct kp_make_reply reply = { 0 };
        struct kp_error err;
        const unsigned *pins;

        bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_DEFAULT);
        pins = &bench.peer->n_pin[KP_CTAP_PIN_GET_TOKEN_PIN_PERMS];
        request = a_request(&bench, KP_OMIT);
        request.pin = "wrong";
        for (unsigned i = 1; i <= 2; i++) {
                cr_expect_eq(ask(&bench, &request, &reply, &err), 0);
                cr_expect_eq(reply.status, KP_CTAP2_ERR_PIN_INVALID);
                cr_expect_eq(peer_look(bench.peer, pins), i);
        }
        request.pin = pin_of(&bench);
        cr_expect_eq(ask(&bench, &request, &reply, &err), -1);
        cr_expect_eq(err.code, KP_ESAFETY);
        cr_expect_eq(peer_look(bench.peer, pins), 2);
        bench_close(&bench);
}

Test(real, setting_a_pin_does_not_reach_the_key)
{
        static const enum kp_driver_choice choices[] = { KP_DRIVER_LIBFIDO2,
                KP_DRIVER_CTAP };

        for (size_t i = 0; i < KP_NELEMS(choices); i++) {
                struct bench bench;
                struct kp_error err = { 0 };
                uint8_t status;

                bench_open(&bench, "yubikey-5-57", choices[i]);
                cr_expect_eq(bench.driver.ops->set_pin(
                                     bench.driver.self, "a fine PIN", &status, &err),
                        -1);
                cr_expect_eq(err.code, KP_ESAFETY);
                cr_expect_eq(
                        peer_look(bench.peer, &bench.peer->n_pin[KP_CTAP_PIN_SET]), 0);
                bench_close(&bench);
        }
}

/* ---- the ledger alone ---- */

Test(real, a_ledger_is_for_one_at_a_time_and_its_owner)
{
        struct bench bench;
        struct kp_ledger *second = NULL;
        struct kp_error err = { 0 };
        struct stat at;

        bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_CTAP);
        cr_assert_eq(stat(bench.path, &at), 0);
        cr_expect_eq(at.st_mode & 0777, 0600);
        cr_expect_eq(
                kp_ledger_open(bench.path, &bench.clock, bench.random, &second, &err),
                -1);
        cr_expect_eq(err.code, KP_EENV);
        bench_close(&bench);
}

static void
append(const struct bench *bench, const char *text)
{
        FILE *file = fopen(bench->path, "ae");

        cr_assert_not_null(file);
        cr_assert_geq(fputs(text, file), 0);
        fclose(file);
}

Test(real, what_a_ledger_does_not_say_clearly_it_does_not_say)
{
        static const uint8_t id[] = { 1, 2, 3 };
        static const char *const lies[] = {
                /* "AQID" is the id */
                "{\"event\":\"made\",\"entry\":\"1\",\"credential_id\":"
                "\"AQID\"}\n", /* of nothing */
                "{\"event\":\"prepared\",\"entry\":\"2\",\"name\":"
                "\"anna\"}\n"
                "{\"event\":\"made\",\"entry\":\"2\",\"credential_id\":"
                "\"AQID\"}\n", /* a person's */
                "{\"event\":\"prepared\",\"entry\":\"3\",\"name\":"
                "\"keypilot-test-a\"}\n"
                "{\"event\":\"made\",\"entry\":\"3\",\"credential_id\":"
                "\"AQID", /* cut off */
                "\n[]\n\"AQID\"\nnot JSON\n{\"event\":7}\n",
        };
        struct bench bench;
        struct kp_error err = { 0 };
        bool ours = true;

        bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_CTAP);
        for (size_t i = 0; i < KP_NELEMS(lies); i++) {
                append(&bench, lies[i]);
                cr_assert_eq(kp_ledger_names(bench.ledger, (struct kp_bytes){ id, 3 },
                                     &ours, &err),
                        0);
                cr_expect_not(ours, "%s", lies[i]);
        }
        append(&bench,
                "{\"event\":\"prepared\",\"entry\":\"4\",\"name\":\"keypilot-test-a\"}"
                "\n"
                "{\"event\":\"made\",\"entry\":\"4\",\"credential_id\":\"AQID\"}\n");
        cr_assert_eq(
                kp_ledger_names(bench.ledger, (struct kp_bytes){ id, 3 }, &ours, &err),
                0);
        cr_expect(ours);
        bench_close(&bench);
}

Test(real, a_line_that_a_crash_cut_off_spoils_no_other)
{
        struct bench bench;
        struct kp_make_request request;
        struct kp_make_reply reply;
        struct kp_error err;
        json_t *left;

        bench_open(&bench, "yubikey-5-57-pin", KP_DRIVER_CTAP);
        bench_detach(&bench);
        append(&bench, "{\"event\":\"prepa");
        bench_attach(&bench, KP_DRIVER_CTAP);
        request = a_request(&bench, KP_TRUE);
        cr_assert_eq(ask(&bench, &request, &reply, &err), 0);
        cr_assert_eq(kp_ledger_left(bench.ledger, &left, &err), 0);
        cr_expect_eq(json_array_size(left), 1);
        cr_expect_neq(
                kp_json_str(json_array_get(left, 0), "credential_id", "")[0], '\0');
        json_decref(left);
        kp_make_reply_done(&reply);
        bench_close(&bench);
}

Test(real, the_ledger_lies_where_state_lies)
{
        struct kp_error err = { 0 };
        char *path = NULL;

        cr_assert_eq(kp_ledger_default_path("/var/state", "/home/a", &path, &err), 0);
        cr_expect_str_eq(path, "/var/state/keypilot/ledger.jsonl");
        free(path);
        cr_assert_eq(kp_ledger_default_path("relative", "/home/a", &path, &err), 0);
        cr_expect_str_eq(path, "/home/a/.local/state/keypilot/ledger.jsonl");
        free(path);
        cr_expect_eq(kp_ledger_default_path(NULL, "", &path, &err), -1);
        cr_expect_eq(err.code, KP_EENV);
}
