/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido.h>
#include <fido/credman.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include "rig.h"

/*
 * Somebody else's platform: libfido2 drives the simulated key report by report and
 * judges what it signs. Time jumps where libfido2 would wait. Spec: CTAP 2.1 §6, §11.2
 */
static struct rig *on_the_bench;

static void *
io_open(const char *path)
{
        (void)path;
        return on_the_bench;
}

static void
io_close(void *handle)
{
        (void)handle;
}

static int
io_read(void *handle, unsigned char *report, size_t len, int ms)
{
        struct rig *rig = handle;
        int64_t next;

        (void)ms;
        cr_assert_eq(len, KP_CTAPHID_REPORT);
        while (!kp_authenticator_next_report(rig->key, report)) {
                if ((next = kp_authenticator_next_event_ms(rig->key)) < 0)
                        return -1;
                rig->now_ms = next;
                kp_authenticator_tick(rig->key, next);
        }
        return (int)len;
}

static int
io_write(void *handle, const unsigned char *report, size_t len)
{
        struct rig *rig = handle;

        cr_assert_eq(len, KP_CTAPHID_REPORT + 1);
        kp_authenticator_feed(rig->key, report + 1, rig->now_ms);
        return (int)len;
}

static fido_dev_t *
plug_in(struct rig *rig, const char *id)
{
        const fido_dev_io_t io = { io_open, io_close, io_read, io_write };
        fido_dev_t *dev;

        fido_init(0);
        rig_open(rig, id);
        on_the_bench = rig;
        dev = fido_dev_new();
        cr_assert_not_null(dev);
        cr_assert_eq(fido_dev_set_io_functions(dev, &io), FIDO_OK);
        cr_assert_eq(fido_dev_open(dev, id), FIDO_OK, "%s", id);
        return dev;
}

static void
unplug(struct rig *rig, fido_dev_t *dev)
{
        (void)fido_dev_close(dev);
        fido_dev_free(&dev);
        rig_close(rig);
}

struct wish {
        const char *id;
        int alg;
        bool rk, pin, uv, hmac;
        int protect;
};

static fido_cred_t *
cred_new(const struct wish *wish, const char *user_id)
{
        fido_cred_t *cred = fido_cred_new();

        cr_assert_eq(fido_cred_set_type(cred, wish->alg), FIDO_OK);
        cr_assert_eq(fido_cred_set_clientdata_hash(cred, cdh, sizeof(cdh)), FIDO_OK);
        cr_assert_eq(fido_cred_set_rp(cred, "example.org", "Voorbeeld"), FIDO_OK);
        cr_assert_eq(fido_cred_set_user(cred, (const unsigned char *)user_id,
                             strlen(user_id), "kees", "Kees de Boer", NULL),
                FIDO_OK);
        if (wish->rk)
                cr_assert_eq(fido_cred_set_rk(cred, FIDO_OPT_TRUE), FIDO_OK);
        if (wish->uv)
                cr_assert_eq(fido_cred_set_uv(cred, FIDO_OPT_TRUE), FIDO_OK);
        if (wish->hmac || wish->protect)
                cr_assert_eq(
                        fido_cred_set_extensions(cred,
                                (wish->hmac ? FIDO_EXT_HMAC_SECRET : 0) |
                                        (wish->protect ? FIDO_EXT_CRED_PROTECT : 0)),
                        FIDO_OK);
        if (wish->protect)
                cr_assert_eq(fido_cred_set_prot(cred, wish->protect), FIDO_OK);
        return cred;
}

static const char *
pin_of(const struct rig *rig, const struct wish *wish)
{
        return wish->pin ? kp_authenticator_profile_test_pin(rig->profile) : NULL;
}

static int
assert_verify(const fido_assert_t *assertion, const fido_cred_t *cred, int alg)
{
        const unsigned char *key = fido_cred_pubkey_ptr(cred);
        size_t len = fido_cred_pubkey_len(cred);
        es256_pk_t *es256 = es256_pk_new();
        eddsa_pk_t *eddsa = eddsa_pk_new();
        rs256_pk_t *rs256 = rs256_pk_new();
        int rc = FIDO_ERR_INTERNAL;

        if (alg == COSE_ES256 && es256_pk_from_ptr(es256, key, len) == FIDO_OK)
                rc = fido_assert_verify(assertion, 0, alg, es256);
        else if (alg == COSE_EDDSA && eddsa_pk_from_ptr(eddsa, key, len) == FIDO_OK)
                rc = fido_assert_verify(assertion, 0, alg, eddsa);
        else if (alg == COSE_RS256 && rs256_pk_from_ptr(rs256, key, len) == FIDO_OK)
                rc = fido_assert_verify(assertion, 0, alg, rs256);
        es256_pk_free(&es256);
        eddsa_pk_free(&eddsa);
        rs256_pk_free(&rs256);
        return rc;
}

static void
log_in(fido_dev_t *dev, struct rig *rig, const fido_cred_t *cred,
        const struct wish *wish)
{
        fido_assert_t *assertion = fido_assert_new();
        const unsigned char salt[32] = { 7 };
        int rc;

        cr_assert_eq(
                fido_assert_set_clientdata_hash(assertion, cdh, sizeof(cdh)), FIDO_OK);
        cr_assert_eq(fido_assert_set_rp(assertion, "example.org"), FIDO_OK);
        if (!wish->rk)
                cr_assert_eq(fido_assert_allow_cred(assertion, fido_cred_id_ptr(cred),
                                     fido_cred_id_len(cred)),
                        FIDO_OK);
        if (wish->uv)
                cr_assert_eq(fido_assert_set_uv(assertion, FIDO_OPT_TRUE), FIDO_OK);
        if (wish->hmac) {
                cr_assert_eq(
                        fido_assert_set_extensions(assertion, FIDO_EXT_HMAC_SECRET),
                        FIDO_OK);
                cr_assert_eq(fido_assert_set_hmac_salt(assertion, salt, sizeof(salt)),
                        FIDO_OK);
        }
        rc = fido_dev_get_assert(dev, assertion, pin_of(rig, wish));
        cr_assert_eq(rc, FIDO_OK, "%s: %s", wish->id, fido_strerr(rc));
        cr_assert_eq(fido_assert_count(assertion), 1);
        rc = assert_verify(assertion, cred, wish->alg);
        cr_assert_eq(rc, FIDO_OK, "%s: %s", wish->id, fido_strerr(rc));
        if (wish->hmac)
                cr_assert_eq(fido_assert_hmac_secret_len(assertion, 0), 32);
        if (wish->rk)
                cr_assert_eq(fido_assert_user_id_len(assertion, 0), 3);
        fido_assert_free(&assertion);
}

/* Registers, lets libfido2 check the statement, logs in, lets it check that as well. */
Test(libfido2, accepts_registrations_and_logins)
{
        const struct wish wishes[] = {
                /* no PIN */
                { "yubikey-5-57", COSE_ES256, .rk = false },
                { "yubikey-5-57", COSE_EDDSA, .rk = true },
                { "yubikey-5-57", COSE_ES256, .rk = true, .hmac = true,
                        .protect = FIDO_CRED_PROT_UV_OPTIONAL },
                { "google-titan-v2", COSE_ES256, .rk = true },
                { "opensk", COSE_ES256, .rk = false },
                { "nitrokey-3-am", COSE_EDDSA, .rk = false },
                /* PIN/UV protocol 2, with permissions */
                { "yubikey-5-57-pin", COSE_ES256, .rk = true, .pin = true,
                        .hmac = true },
                { "yubikey-5-57-pin", COSE_EDDSA, .rk = false, .pin = true,
                        .protect = FIDO_CRED_PROT_UV_REQUIRED },
                { "token2-pinplus-pin", COSE_EDDSA, .rk = true, .pin = true },
                { "yubikey-5-57-always-uv", COSE_ES256, .rk = false, .pin = true },
                { "feitian-epass-21", COSE_ES256, .rk = true, .pin = true },
                /* protocol 2 without permissions */
                { "yubikey-5-52-pin", COSE_ES256, .rk = true, .pin = true },
                { "yubikey-5-fips-54", COSE_EDDSA, .rk = false, .pin = true },
                /* protocol 1 */
                { "google-titan-v2-pin", COSE_ES256, .rk = true, .pin = true,
                        .hmac = true },
                { "swissbit-ishield", COSE_RS256, .rk = true, .pin = true },
                { "swissbit-ishield", COSE_RS256, .rk = false, .pin = true },
                /* a sensor of its own */
                { "yubikey-bio", COSE_ES256, .rk = true, .uv = true },
                { "ledger-nano-x", COSE_ES256, .rk = false, .uv = true },
                /* U2F only */
                { "yubikey-4-u2f", COSE_ES256, .rk = false },
        };

        for (size_t i = 0; i < KP_NELEMS(wishes); i++) {
                struct rig rig;
                fido_dev_t *dev = plug_in(&rig, wishes[i].id);
                fido_cred_t *cred = cred_new(&wishes[i], "u-1");
                int rc = fido_dev_make_cred(dev, cred, pin_of(&rig, &wishes[i]));

                cr_assert_eq(
                        rc, FIDO_OK, "%zu %s: %s", i, wishes[i].id, fido_strerr(rc));
                rc = fido_cred_x5c_len(cred) > 0 ? fido_cred_verify(cred)
                                                 : fido_cred_verify_self(cred);
                cr_assert_eq(
                        rc, FIDO_OK, "%zu %s: %s", i, wishes[i].id, fido_strerr(rc));
                log_in(dev, &rig, cred, &wishes[i]);
                fido_cred_free(&cred);
                unplug(&rig, dev);
        }
}

Test(libfido2, waits_through_a_slow_touch_without_a_real_second)
{
        const struct wish wish = { "yubikey-5-57", COSE_ES256, .rk = true };
        struct rig rig;
        fido_dev_t *dev = plug_in(&rig, wish.id);
        fido_cred_t *cred = cred_new(&wish, "u-1");
        int64_t begun = rig.now_ms;

        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 12345, true);
        cr_assert_eq(fido_dev_make_cred(dev, cred, NULL), FIDO_OK);
        cr_assert_geq(rig.now_ms - begun, 12345);
        kp_authenticator_set_finger(rig.key, KP_FINGER_REFUSES, 0, true);
        cr_assert_eq(fido_dev_make_cred(dev, cred, NULL), FIDO_ERR_OPERATION_DENIED);
        fido_cred_free(&cred);
        unplug(&rig, dev);
}

Test(libfido2, sees_a_pin_refused_counted_and_blocked)
{
        const struct wish wish = { "yubikey-5-57-pin", COSE_ES256, .rk = true };
        struct rig rig;
        fido_dev_t *dev = plug_in(&rig, wish.id);
        fido_cred_t *cred = cred_new(&wish, "u-1");
        int retries;

        cr_assert_eq(fido_dev_make_cred(dev, cred, NULL), FIDO_ERR_PIN_REQUIRED);
        cr_assert_eq(fido_dev_make_cred(dev, cred, "0000"), FIDO_ERR_PIN_INVALID);
        cr_assert_eq(fido_dev_get_retry_count(dev, &retries), FIDO_OK);
        cr_assert_eq(retries, 7);
        cr_assert_eq(fido_dev_make_cred(dev, cred, "0000"), FIDO_ERR_PIN_INVALID);
        cr_assert_eq(fido_dev_make_cred(dev, cred, "0000"), FIDO_ERR_PIN_AUTH_BLOCKED);
        fido_cred_free(&cred);
        unplug(&rig, dev);
}

Test(libfido2, sets_and_changes_a_pin_and_resets)
{
        const char *ids[] = { "yubikey-5-57", "token2-pinplus", "google-titan-v2" };

        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                struct rig rig;
                fido_dev_t *dev = plug_in(&rig, ids[i]);

                cr_assert(!fido_dev_has_pin(dev) && fido_dev_supports_pin(dev));
                cr_assert_eq(fido_dev_set_pin(dev, "geheim1", NULL), FIDO_OK);
                cr_assert_eq(fido_dev_set_pin(dev, "geheim2", "geheim1"), FIDO_OK);
                cr_assert_eq(fido_dev_set_pin(dev, "geheim3", "geheim1"),
                        FIDO_ERR_PIN_INVALID);
                cr_assert_eq(fido_dev_reset(dev), FIDO_OK);
                cr_assert_eq(fido_dev_set_pin(dev, "geheim4", NULL), FIDO_OK);
                kp_authenticator_power_cycle(rig.key, rig.now_ms);
                unplug(&rig, dev);
        }
}

Test(libfido2, manages_credentials_on_old_keys_and_new_ones)
{
        const char *ids[] = { "yubikey-5-57-pin", "yubikey-5-52-pin",
                "feitian-epass-21" };

        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                const struct wish wish = { ids[i], COSE_ES256, .rk = true,
                        .pin = true };
                struct rig rig;
                fido_dev_t *dev = plug_in(&rig, ids[i]);
                const char *pin = pin_of(&rig, &wish);
                fido_credman_metadata_t *metadata = fido_credman_metadata_new();
                fido_credman_rk_t *rk = fido_credman_rk_new();
                fido_credman_rp_t *rp = fido_credman_rp_new();
                int rc;

                for (int u = 0; u < 2; u++) {
                        fido_cred_t *cred = cred_new(&wish, u == 0 ? "u-1" : "u-2");

                        rc = fido_dev_make_cred(dev, cred, pin);
                        cr_assert_eq(rc, FIDO_OK, "%s: %s", ids[i], fido_strerr(rc));
                        fido_cred_free(&cred);
                }
                rc = fido_credman_get_dev_metadata(dev, metadata, pin);
                cr_assert_eq(rc, FIDO_OK, "%s: %s", ids[i], fido_strerr(rc));
                cr_assert_eq(fido_credman_rk_existing(metadata), 2);
                rc = fido_credman_get_dev_rp(dev, rp, pin);
                cr_assert_eq(rc, FIDO_OK, "%s: %s", ids[i], fido_strerr(rc));
                cr_assert_eq(fido_credman_rp_count(rp), 1);
                cr_assert_str_eq(fido_credman_rp_id(rp, 0), "example.org");
                rc = fido_credman_get_dev_rk(dev, "example.org", rk, pin);
                cr_assert_eq(rc, FIDO_OK, "%s: %s", ids[i], fido_strerr(rc));
                cr_assert_eq(fido_credman_rk_count(rk), 2);
                rc = fido_credman_del_dev_rk(dev,
                        fido_cred_id_ptr(fido_credman_rk(rk, 0)),
                        fido_cred_id_len(fido_credman_rk(rk, 0)), pin);
                cr_assert_eq(rc, FIDO_OK, "%s: %s", ids[i], fido_strerr(rc));
                rc = fido_credman_get_dev_metadata(dev, metadata, pin);
                cr_assert_eq(rc, FIDO_OK, "%s: %s", ids[i], fido_strerr(rc));
                cr_assert_eq(fido_credman_rk_existing(metadata), 1);
                fido_credman_metadata_free(&metadata);
                fido_credman_rk_free(&rk);
                fido_credman_rp_free(&rp);
                unplug(&rig, dev);
        }
}

Test(libfido2, is_told_that_a_credential_is_excluded)
{
        const struct wish wish = { "yubikey-5-57", COSE_ES256, .rk = false };
        struct rig rig;
        fido_dev_t *dev = plug_in(&rig, wish.id);
        fido_cred_t *first = cred_new(&wish, "u-1"), *second = cred_new(&wish, "u-1");

        cr_assert_eq(fido_dev_make_cred(dev, first, NULL), FIDO_OK);
        cr_assert_eq(fido_cred_exclude(
                             second, fido_cred_id_ptr(first), fido_cred_id_len(first)),
                FIDO_OK);
        cr_assert_eq(
                fido_dev_make_cred(dev, second, NULL), FIDO_ERR_CREDENTIAL_EXCLUDED);
        fido_cred_free(&first);
        fido_cred_free(&second);
        unplug(&rig, dev);
}

Test(libfido2, gets_all_accounts_of_a_person)
{
        const struct wish wish = { "yubikey-5-57-pin", COSE_ES256, .rk = true,
                .pin = true };
        struct rig rig;
        fido_dev_t *dev = plug_in(&rig, wish.id);
        fido_assert_t *assertion = fido_assert_new();
        const char *users[] = { "u-1", "u-2", "u-3" };

        for (size_t i = 0; i < 3; i++) {
                fido_cred_t *cred = cred_new(&wish, users[i]);

                cr_assert_eq(
                        fido_dev_make_cred(dev, cred, pin_of(&rig, &wish)), FIDO_OK);
                fido_cred_free(&cred);
        }
        cr_assert_eq(
                fido_assert_set_clientdata_hash(assertion, cdh, sizeof(cdh)), FIDO_OK);
        cr_assert_eq(fido_assert_set_rp(assertion, "example.org"), FIDO_OK);
        cr_assert_eq(fido_dev_get_assert(dev, assertion, pin_of(&rig, &wish)), FIDO_OK);
        cr_assert_eq(fido_assert_count(assertion), 3);
        cr_assert_eq(memcmp(fido_assert_user_id_ptr(assertion, 0), "u-3", 3), 0);
        cr_assert_str_eq(fido_assert_user_display_name(assertion, 2), "Kees de Boer");
        fido_assert_free(&assertion);
        unplug(&rig, dev);
}

/* An empty pinAuth chooses one of several keys. */
Test(libfido2, finds_out_which_key_was_touched)
{
        struct rig rig;
        fido_dev_t *dev = plug_in(&rig, "yubikey-5-57");
        int touched = 0;

        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 700, true);
        cr_assert_eq(fido_dev_get_touch_begin(dev), FIDO_OK);
        for (int i = 0; i < 20 && !touched; i++)
                cr_assert_eq(fido_dev_get_touch_status(dev, &touched, 100), FIDO_OK);
        cr_assert(touched);
        unplug(&rig, dev);
}
