/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire.h"

/*
 * A key whose memory is kept, and whose power goes at every single moment when it is
 * written: what is on disk is then either what was, or what was to be. Spec: ours
 */
enum { NEVER = 1 << 20 };

struct disk {
        struct rig *rig;
        json_t *saved; /* what is on disk */
        int calls;
        int cut_at;     /* the power goes at this call... */
        bool cut_after; /* ...after the file was written, not before */
        int64_t retries[64], uv_retries[64]; /* of each call */
};

static int
keep(void *self, struct kp_error *err)
{
        struct disk *disk = self;
        json_t *now = NULL;
        int call = disk->calls++;

        if (call == disk->cut_at && !disk->cut_after)
                return KP_FAIL(err, KP_EIO, "the power went");
        if (kp_authenticator_save(disk->rig->key, &now, err) < 0)
                return -1;
        json_decref(disk->saved);
        disk->saved = now;
        if (call < 64) {
                disk->retries[call] = kp_json_int(now, "pin_retries", -1);
                disk->uv_retries[call] = kp_json_int(now, "uv_retries", -1);
        }
        if (call == disk->cut_at)
                return KP_FAIL(err, KP_EIO, "the power went");
        return 0;
}

static json_t *
memory(struct rig *rig)
{
        json_t *state = NULL;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_authenticator_save(rig->key, &state, &err), 0);
        return state;
}

static void
watch(struct rig *rig, struct disk *disk)
{
        *disk = (struct disk){ .rig = rig, .cut_at = NEVER, .saved = memory(rig) };
        kp_authenticator_set_keeper(rig->key, keep, disk);
}

static uint8_t
try_pin(struct rig *rig, const char *pin)
{
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN,
                .protocol = 2,
                .pin = pin,
                .permissions = -1 };
        uint8_t token[32];

        return rig_token(rig, &ask, token);
}

Test(keep, a_try_is_on_disk_before_the_pin_is_compared)
{
        struct rig rig;
        struct disk disk;

        rig_open(&rig, "yubikey-5-57-pin");
        watch(&rig, &disk);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        disk.calls = 0;
        expect_status(try_pin(&rig, "0000"), KP_CTAP2_ERR_PIN_INVALID);
        cr_assert_eq(disk.calls, 1, "and the answer changes nothing more");
        cr_assert_eq(disk.retries[0], 7);
        disk.calls = 0;
        expect_status(try_pin(&rig, kp_authenticator_profile_test_pin(rig.profile)), 0);
        cr_assert_eq(disk.calls, 2);
        cr_assert_eq(
                disk.retries[0], 6, "counted before anybody knows that it is right");
        cr_assert_eq(disk.retries[1], 8);
        rig_close(&rig);
        json_decref(disk.saved);
}

Test(keep, a_finger_is_on_disk_before_it_is_compared)
{
        struct rig rig;
        struct disk disk;
        uint8_t token[32];
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_UV_PERMS,
                .protocol = 2,
                .permissions = KP_CTAP_PERM_GA,
                .rp_id = "example.org" };

        rig_open(&rig, "yubikey-bio");
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 10, false);
        watch(&rig, &disk);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        disk.calls = 0;
        expect_status(rig_token(&rig, &ask, token), KP_CTAP2_ERR_UV_INVALID);
        cr_assert_geq(disk.calls, 1);
        cr_assert_eq(disk.uv_retries[0], 2);
        rig_close(&rig);
        json_decref(disk.saved);
}

Test(keep, who_changes_nothing_is_not_kept)
{
        struct rig rig;
        struct disk disk;
        KP_CLEANUP(kp_buf_done) struct kp_buf id = { 0 };

        rig_open(&rig, "yubikey-5-57");
        expect_status(rig_make(&rig, &(struct ask){ 0 }), 0);
        id = rig_id(&rig);
        watch(&rig, &disk);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        cr_assert_eq(disk.calls, 1, "what is on disk is not known before");
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        expect_status(rig_command(&rig, KP_CTAP_SELECTION), 0);
        expect_status(
                rig_set_pin(&rig, 1, NULL, "1"), KP_CTAP2_ERR_PIN_POLICY_VIOLATION);
        cr_assert_eq(disk.calls, 1);
        expect_status(rig_get(&rig, &(struct ask){ .list = { &id }, .n_list = 1 }), 0);
        cr_assert_eq(disk.calls, 2, "the counter has moved");
        rig_close(&rig);
        json_decref(disk.saved);
}

Test(keep, after_a_failure_the_key_is_silent_until_it_is_plugged_in_again)
{
        struct rig rig;
        struct disk disk;
        static const uint8_t init[KP_CTAPHID_REPORT] = { 0xff, 0xff, 0xff, 0xff, 0x86,
                0x00, 0x08 };
        uint8_t report[KP_CTAPHID_REPORT];

        rig_open(&rig, "yubikey-5-57-pin");
        watch(&rig, &disk);
        disk.cut_at = 0;
        expect_status(rig_make(&rig, &(struct ask){ 0 }), KP_CTAP1_ERR_OTHER);
        cr_assert_eq(disk.calls, 1);
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), KP_CTAP1_ERR_OTHER);
        kp_authenticator_feed(rig.key, init, rig.now_ms);
        cr_assert(!kp_authenticator_next_report(rig.key, report));
        cr_assert_eq(kp_authenticator_next_event_ms(rig.key), -1);
        cr_assert_eq(disk.calls, 1);
        kp_authenticator_power_cycle(rig.key, rig.now_ms);
        kp_authenticator_feed(rig.key, init, rig.now_ms);
        cr_assert(kp_authenticator_next_report(rig.key, report));
        expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
        rig_close(&rig);
        json_decref(disk.saved);
}

/* U2F register: nobody's challenge, nobody's application. */
static uint16_t
u2f_register(struct rig *rig, uint32_t cid)
{
        uint8_t apdu[7 + 64 + 2] = { 0x00, 0x01, 0x03, 0x00, 0x00, 0x00, 0x40 };
        struct kp_ctaphid_join join = { 0 };
        uint16_t word;

        feed(rig, cid, KP_CTAPHID_MSG, apdu, sizeof(apdu));
        cr_assert(take(rig, &join));
        cr_assert_eq(join.cmd, KP_CTAPHID_MSG);
        word = (uint16_t)(join.payload.data[join.payload.len - 2] << 8 |
                          join.payload.data[join.payload.len - 1]);
        kp_buf_wipe(&join.payload);
        return word;
}

Test(keep, what_u2f_makes_is_on_disk_before_it_is_answered)
{
        struct rig rig;
        struct disk disk;
        uint32_t cid;

        rig_open(&rig, "yubikey-5-57");
        watch(&rig, &disk);
        cid = channel(&rig);
        cr_assert_eq(u2f_register(&rig, cid), KP_U2F_SW_NO_ERROR);
        cr_assert_eq(disk.calls, 1);
        cr_assert_eq(json_array_size(json_object_get(disk.saved, "credentials")), 1);
        disk.cut_at = 1;
        cr_assert_neq(u2f_register(&rig, cid), KP_U2F_SW_NO_ERROR);
        cr_assert_eq(json_array_size(json_object_get(disk.saved, "credentials")), 1);
        feed(&rig, cid, KP_CTAPHID_PING, "?", 1);
        expect_nothing(&rig);
        rig_close(&rig);
        json_decref(disk.saved);
}

/* ---- the power goes at every write ---- */

static const char *const pin = "123456";

static uint8_t
with_token(struct rig *rig, uint8_t permission, uint8_t token[32])
{
        const struct token_ask ask = { .sub_command = KP_CTAP_PIN_GET_TOKEN_PIN_PERMS,
                .protocol = 2,
                .pin = pin,
                .permissions = permission,
                .rp_id = permission & 3 ? "example.org" : NULL };

        return rig_token(rig, &ask, token);
}

static uint8_t
make_passkey(struct rig *rig)
{
        uint8_t token[32], status = with_token(rig, KP_CTAP_PERM_MC, token);

        if (status != 0)
                return status;
        return rig_make(rig, &(struct ask){ .rk = TRUE_,
                                     .user_id = "another",
                                     .token = token,
                                     .protocol = 2 });
}

static uint8_t
replace_passkey(struct rig *rig)
{
        uint8_t token[32], status = with_token(rig, KP_CTAP_PERM_MC, token);

        if (status != 0)
                return status;
        return rig_make(
                rig, &(struct ask){ .rk = TRUE_, .token = token, .protocol = 2 });
}

static uint8_t
assert_passkey(struct rig *rig)
{
        return rig_get(rig, &(struct ask){ 0 });
}

static uint8_t
wrong_pin(struct rig *rig)
{
        return try_pin(rig, "0000");
}

static uint8_t
right_pin(struct rig *rig)
{
        return try_pin(rig, pin);
}

static uint8_t
change_pin(struct rig *rig)
{
        return rig_set_pin(rig, 2, pin, "654321");
}

static uint8_t
toggle(struct rig *rig)
{
        uint8_t token[32], status = with_token(rig, KP_CTAP_PERM_ACFG, token);

        return status != 0 ? status
                           : rig_authorised(rig, KP_CTAP_CONFIG, 2, 2, token, NULL);
}

static uint8_t
reset(struct rig *rig)
{
        return rig_command(rig, KP_CTAP_RESET);
}

static const struct {
        const char *name;
        uint8_t (*run)(struct rig *rig);
        bool gives_tries; /* when it was right */
} commands[] = {
        { "make", make_passkey, true },
        { "replace", replace_passkey, true },
        { "get", assert_passkey, false },
        { "wrong PIN", wrong_pin, false },
        { "right PIN", right_pin, true },
        { "change PIN", change_pin, true },
        { "config", toggle, true },
        { "reset", reset, true },
};

/* A key with a passkey, a PIN, and three tries gone. */
static void
begin(struct rig *rig, struct disk *disk)
{
        rig_open(rig, "yubikey-5-57");
        expect_status(rig_make(rig, &(struct ask){ .rk = TRUE_, .user_name = "u" }), 0);
        expect_status(rig_set_pin(rig, 2, NULL, pin), 0);
        expect_status(wrong_pin(rig), KP_CTAP2_ERR_PIN_INVALID);
        watch(rig, disk);
        expect_status(rig_command(rig, KP_CTAP_GET_INFO), 0);
        disk->calls = 0;
}

/* Every credential on disk can be used; each account has one. */
static void
expect_whole(struct rig *rig, const json_t *saved, const char *where)
{
        const json_t *list = json_object_get(saved, "credentials");
        size_t i, n = json_array_size(list);
        json_t *at;

        cr_assert_leq(n, 2, "%s", where);
        json_array_foreach (list, i, at) {
                cr_assert_not_null(json_object_get(at, "private_key"), "%s", where);
                cr_assert_not_null(json_object_get(at, "user"), "%s", where);
        }
        expect_status(rig_get(rig, &(struct ask){ .up = FALSE_ }),
                n == 0 ? KP_CTAP2_ERR_NO_CREDENTIALS : KP_CTAP_OK);
}

static void
expect_reload(const struct disk *disk, const json_t *before, const char *where)
{
        struct rig fresh;
        struct kp_error err = { 0 };
        char why[1024];
        json_auto_t *loaded = NULL;

        rig_open(&fresh, "yubikey-5-57");
        cr_assert_eq(kp_authenticator_load(fresh.key, disk->saved, &err), 0, "%s: %s",
                where, kp_error_format(&err, why, sizeof(why)));
        loaded = memory(&fresh);
        cr_assert(json_equal(loaded, disk->saved), "%s: not what was written", where);
        cr_assert_geq(kp_json_int(loaded, "counter", -1),
                json_array_size(json_object_get(loaded, "credentials")) == 0
                        ? 0
                        : kp_json_int(before, "counter", -1),
                "%s: the counter went back", where);
        expect_whole(&fresh, disk->saved, where);
        rig_close(&fresh);
}

/* One command, cut at one write. False: there is no such write. */
static bool
cut(size_t command, int at, bool after)
{
        struct rig rig;
        struct disk disk;
        json_auto_t *before = NULL;
        char where[64];
        uint8_t status;
        int64_t had, has;
        bool reached;

        (void)snprintf(where, sizeof(where), "%s, %s write %d", commands[command].name,
                after ? "after" : "before", at);
        begin(&rig, &disk);
        before = json_deep_copy(disk.saved);
        disk.cut_at = at;
        disk.cut_after = after;
        status = commands[command].run(&rig);
        reached = disk.calls > at;
        had = kp_json_int(before, "pin_retries", -1);
        has = kp_json_int(disk.saved, "pin_retries", -1);
        if (reached) {
                cr_assert_eq(disk.calls, at + 1, "%s: it went on", where);
                cr_assert_eq(status, KP_CTAP1_ERR_OTHER, "%s: it answered", where);
        } else {
                json_auto_t *now = memory(&rig);

                cr_assert(json_equal(now, disk.saved), "%s: it answered first", where);
        }
        cr_assert(has <= had || (has == 8 && commands[command].gives_tries),
                "%s: %lld tries, and there were %lld", where, (long long)has,
                (long long)had);
        expect_reload(&disk, before, where);
        rig_close(&rig);
        json_decref(disk.saved);
        return reached;
}

Test(keep, the_power_may_go_at_every_write_of_every_command)
{
        int writes = 0;

        for (size_t i = 0; i < KP_NELEMS(commands); i++) {
                int at = 0;

                while (cut(i, at, false))
                        cr_assert(cut(i, at++, true));
                cr_assert_gt(at, 0, "%s writes nothing", commands[i].name);
                writes += at;
        }
        cr_assert_geq(writes, 14); /* it has not become a test of nothing */
}

/* Tries that are cut off are lost tries: nobody gets more than eight by pulling plugs. */
Test(keep, pulling_the_plug_gives_no_try_back)
{
        struct rig rig;
        struct disk disk;
        struct kp_error err = { 0 };
        int tries = 0;

        begin(&rig, &disk);
        while (kp_json_int(disk.saved, "pin_retries", -1) > 0 && tries < 20) {
                expect_status(rig_command(&rig, KP_CTAP_GET_INFO), 0);
                disk.calls = disk.cut_at = 0;
                disk.cut_after = true;
                expect_status(wrong_pin(&rig), KP_CTAP1_ERR_OTHER);
                tries++;
                kp_authenticator_power_cycle(rig.key, rig.now_ms += 1000);
                cr_assert_eq(kp_authenticator_load(rig.key, disk.saved, &err), 0);
                disk.cut_at = NEVER;
        }
        cr_assert_eq(tries, 7);
        expect_status(right_pin(&rig), KP_CTAP2_ERR_PIN_BLOCKED);
        rig_close(&rig);
        json_decref(disk.saved);
}
