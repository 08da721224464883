/* SPDX-License-Identifier: BSD-2-Clause */
#include "keypilot/device/extra.h"
#include "keypilot/device/tap.h"

#include "peer.h"

/*
 * All that our own client can ask and that would change a key, asked of a real one:
 * counted where a key would be, nothing arrives. Spec: ours
 */

/* Commands that no real key may hear, and subcommands of those that it may. */
static unsigned
dangerous(struct peer *peer)
{
        static const uint8_t never[] = { KP_CTAP_RESET, KP_CTAP_BIO_ENROLLMENT,
                KP_CTAP_LARGE_BLOBS, KP_CTAP_CONFIG, KP_CTAP_BIO_ENROLLMENT_PREVIEW };
        unsigned n = 0;

        pthread_mutex_lock(&peer->lock);
        for (size_t i = 0; i < sizeof(never); i++)
                n += peer->n_ctap[never[i]];
        n += peer->n_pin[KP_CTAP_PIN_SET] + peer->n_pin[KP_CTAP_PIN_CHANGE];
        n += peer->n_pin[KP_CTAP_PIN_GET_TOKEN] +
             peer->n_pin[KP_CTAP_PIN_GET_TOKEN_UV_PERMS];
        n += peer->n_management[6] + peer->n_management[7]; /* delete, update */
        n += peer->n_hid[KP_CTAPHID_LOCK];
        pthread_mutex_unlock(&peer->lock);
        return n;
}

static const uint8_t blob_key[32] = { 1 };
static const struct kp_bytes somebodys = { blob_key, 16 };

static int
ours_write_blobs(struct kp_extra *e, const struct kp_pin_or_token *by,
        struct kp_said *said, struct kp_error *err)
{
        static const uint8_t empty[] = { 0x80 };

        return e->blobs->write(e->self, (struct kp_bytes){ empty, 1 }, by, said, err);
}

static int
ours_put_blob(struct kp_extra *e, const struct kp_pin_or_token *by,
        struct kp_said *said, struct kp_error *err)
{
        return e->blobs->put(e->self, blob_key, somebodys, by, said, err);
}

static int
ours_remove_blob(struct kp_extra *e, const struct kp_pin_or_token *by,
        struct kp_said *said, struct kp_error *err)
{
        bool found;

        return e->blobs->remove(e->self, blob_key, by, &found, said, err);
}

static int
ours_remove(struct kp_extra *e, const struct kp_pin_or_token *by, struct kp_said *said,
        struct kp_error *err)
{
        return e->passkeys->remove(e->self, somebodys, by, said, err);
}

static int
ours_update(struct kp_extra *e, const struct kp_pin_or_token *by, struct kp_said *said,
        struct kp_error *err)
{
        return e->passkeys->update(e->self,
                &(struct kp_rk_user){ somebodys, somebodys, "x", "x" }, by, said, err);
}

static int
ours_config(struct kp_extra *e, const struct kp_pin_or_token *by, struct kp_said *said,
        struct kp_error *err)
{
        struct kp_config config = { KP_CONFIG_ENTERPRISE };

        for (; config.cmd <= KP_CONFIG_LONG_TOUCH; config.cmd++) {
                kp_error_clear(err);
                if (e->config->set(e->self, &config, by, said, err) == 0)
                        return 0;
        }
        return -1;
}

static int
ours_enrol(struct kp_extra *e, const struct kp_pin_or_token *by, struct kp_said *said,
        struct kp_error *err)
{
        const struct kp_finger_enrolment wish = { 0 };
        struct kp_buf id = { 0 };

        return e->fingers->enrol(e->self, &wish, by, &id, said, err);
}

static int
ours_unenrol(struct kp_extra *e, const struct kp_pin_or_token *by, struct kp_said *said,
        struct kp_error *err)
{
        return e->fingers->remove(e->self, somebodys, by, said, err);
}

static int
ours_change_pin(struct kp_extra *e, const struct kp_pin_or_token *by,
        struct kp_said *said, struct kp_error *err)
{
        return e->pin->change(e->self, by->pin, "another-pin", said, err);
}

static int
ours_reset(struct kp_extra *e, const struct kp_pin_or_token *by, struct kp_said *said,
        struct kp_error *err)
{
        (void)by;
        return e->pin->reset(e->self, said, err);
}

static int
ours_lock(struct kp_extra *e, const struct kp_pin_or_token *by, struct kp_said *said,
        struct kp_error *err)
{
        (void)by;
        return e->wire->lock(e->self, 5, said, err);
}

static int
ours_persistent(struct kp_extra *e, const struct kp_pin_or_token *by,
        struct kp_said *said, struct kp_error *err)
{
        struct kp_token token = { 0 };

        return e->pin->token(e->self,
                &(struct kp_token_wish){ by->pin, KP_CTAP_PERM_PCMR, NULL }, &token,
                said, err);
}

static const struct {
        const char *name;
        int (*run)(struct kp_extra *e, const struct kp_pin_or_token *by,
                struct kp_said *said, struct kp_error *err);
} our_dangers[] = {
        { "write large blobs", ours_write_blobs },
        { "put a large blob", ours_put_blob },
        { "remove a large blob", ours_remove_blob },
        { "remove a passkey", ours_remove },
        { "rename a passkey", ours_update },
        { "settings", ours_config },
        { "enrol a finger", ours_enrol },
        { "remove a finger", ours_unenrol },
        { "change the PIN", ours_change_pin },
        { "reset", ours_reset },
        { "lock", ours_lock },
        { "a token for good", ours_persistent },
};

/* With and without the question how many tries are left; the key has heard nothing. */
static void
try_our_dangers(const char *profile)
{
        for (size_t i = 0; i < KP_NELEMS(our_dangers) * 2; i++) {
                struct peer *peer = peer_start(profile);
                struct kp_pin_or_token by = {
                        kp_authenticator_profile_test_pin(peer->profile), NULL
                };
                struct kp_random *random = NULL;
                struct kp_error err = { 0 };
                struct kp_driver driver;
                struct kp_extra extra;
                struct kp_said said = { 0 };
                struct kp_seam seam;
                struct kp_tap *tap;
                uint8_t status;
                int retries;

                cr_assert_eq(kp_random_new_seeded("ours", profile, &random, &err), 0);
                cr_assert_eq(kp_tap_new(peer_seam(peer), KP_TAP_REAL, NULL, &seam, &tap,
                                     &err),
                        0);
                cr_assert_eq(kp_driver_open_ctap(seam, random, &driver, &err), 0);
                cr_assert_eq(kp_driver_extra(&driver, &extra, &err), 0);
                if (i % 2 == 1)
                        cr_assert_eq(driver.ops->pin_retries(
                                             driver.self, &status, &retries, &err),
                                0);
                cr_expect_eq(our_dangers[i / 2].run(&extra, &by, &said, &err), -1,
                        "%s on %s", our_dangers[i / 2].name, profile);
                cr_expect(err.code == KP_ESAFETY || err.code == KP_EUNSUPPORTED,
                        "%s on %s", our_dangers[i / 2].name, profile);
                cr_expect_eq(dangerous(peer), 0, "%s reached %s",
                        our_dangers[i / 2].name, profile);
                kp_driver_close(&driver);
                kp_random_free(&random);
                peer_stop(peer);
        }
}

Test(ctap_safety, nothing_of_ours_that_changes_a_key_reaches_it)
{
        try_our_dangers("yubikey-5-57-pin");
        try_our_dangers("keypilot-23-set");
        try_our_dangers("yubikey-bio");
}
