/* SPDX-License-Identifier: BSD-2-Clause */
#include <fido/config.h>
#include <fido/es256.h>

#include "peers.h"
#include "pipe.h"

/* Extensions as two platforms that are not ours ask for them. CTAP 2.1 §12 */
#define PIN "482613" /* a public test value */

Test(extensions_peers, python_fido2_uses_each_that_it_knows)
{
        const char *ids[] = { "keypilot-23", "yubikey-5-57" };

        if (!have_python_fido2())
                cr_skip_test("python3-fido2 is not installed");
        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                struct rig rig;

                rig_open(&rig, ids[i]);
                cr_expect_eq(pipe_run(&rig, "peer_extensions.py",
                                     (const char *[]){ PIN, NULL }),
                        0, "%s", ids[i]);
                rig_close(&rig);
        }
}

#define EXTENSIONS (FIDO_EXT_HMAC_SECRET | FIDO_EXT_LARGEBLOB_KEY | FIDO_EXT_CRED_BLOB)

static const unsigned char blob[] = "a small blob";
static const unsigned char salts[64] = { 7, 8, 9 };

static fido_cred_t *
enrolled(fido_dev_t *dev)
{
        fido_cred_t *cred = fido_cred_new();

        cr_assert_not_null(cred);
        expect_fido(fido_cred_set_type(cred, COSE_ES256));
        expect_fido(fido_cred_set_clientdata_hash(cred, cdh, sizeof(cdh)));
        expect_fido(fido_cred_set_rp(cred, "example.org", "Voorbeeld"));
        expect_fido(fido_cred_set_user(
                cred, (const unsigned char *)"kees", 4, "kees", NULL, NULL));
        expect_fido(fido_cred_set_rk(cred, FIDO_OPT_TRUE));
        expect_fido(fido_cred_set_extensions(cred, EXTENSIONS));
        expect_fido(fido_cred_set_prot(cred, FIDO_CRED_PROT_UV_REQUIRED));
        expect_fido(fido_cred_set_pin_minlen(cred, 4)); /* what the key must tell */
        expect_fido(fido_cred_set_blob(cred, blob, sizeof(blob)));
        expect_fido(fido_dev_make_cred(dev, cred, PIN));
        expect_fido(fido_cred_verify(cred));
        return cred;
}

static fido_assert_t *
asserted(fido_dev_t *dev, const fido_cred_t *cred)
{
        fido_assert_t *assertion = fido_assert_new();
        es256_pk_t *key = es256_pk_new();

        cr_assert(assertion != NULL && key != NULL);
        expect_fido(fido_assert_set_clientdata_hash(assertion, cdh, sizeof(cdh)));
        expect_fido(fido_assert_set_rp(assertion, "example.org"));
        expect_fido(fido_assert_set_extensions(assertion, EXTENSIONS));
        expect_fido(fido_assert_set_hmac_salt(assertion, salts, sizeof(salts)));
        expect_fido(fido_dev_get_assert(dev, assertion, PIN));
        cr_assert_eq(fido_assert_count(assertion), 1);
        expect_fido(es256_pk_from_ptr(
                key, fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)));
        expect_fido(fido_assert_verify(assertion, 0, COSE_ES256, key));
        es256_pk_free(&key);
        return assertion;
}

Test(extensions_peers, libfido2_uses_each_that_it_knows)
{
        const char *const rp_ids[] = { "example.org" };
        struct rig rig;
        fido_dev_t *dev;
        fido_cred_t *cred;
        fido_assert_t *first, *second;

        rig_open(&rig, "keypilot-23");
        dev = fido_plug_in(&rig);
        expect_fido(fido_dev_set_pin(dev, PIN, NULL));
        fido_unplug(dev); /* it looks at the flags when it opens a key */
        dev = fido_plug_in(&rig);
        expect_fido(fido_dev_set_pin_minlen_rpid(dev, rp_ids, 1, PIN));
        cred = enrolled(dev);
        cr_assert_eq(fido_cred_pin_minlen(cred), 4);
        cr_assert_eq(fido_cred_prot(cred), FIDO_CRED_PROT_UV_REQUIRED);
        cr_assert_eq(fido_cred_largeblob_key_len(cred), 32);
        first = asserted(dev, cred);
        second = asserted(dev, cred);
        cr_assert(kp_bytes_equal(fido_assert_blob_ptr(first, 0),
                fido_assert_blob_len(first, 0), blob, sizeof(blob)));
        cr_assert(kp_bytes_equal(fido_assert_largeblob_key_ptr(first, 0),
                fido_assert_largeblob_key_len(first, 0),
                fido_cred_largeblob_key_ptr(cred), 32));
        cr_assert_eq(fido_assert_hmac_secret_len(first, 0), 64);
        cr_assert(kp_bytes_equal(fido_assert_hmac_secret_ptr(first, 0), 64,
                fido_assert_hmac_secret_ptr(second, 0),
                fido_assert_hmac_secret_len(second, 0)));
        fido_assert_free(&first);
        fido_assert_free(&second);
        fido_cred_free(&cred);
        fido_unplug(dev);
        rig_close(&rig);
}
