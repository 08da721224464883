/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "keypilot/authenticator/fault.h"

#include "attests.h"

/*
 * What a simulated key attests, judged by a relying party that shares no code with it.
 * Spec: WebAuthn L3 §8
 */

TestSuite(attestation, .init = setup, .fini = teardown);

static struct kp_rp_result
judge(const struct rig *rig)
{
        json_auto_t *response = response_of(rig);
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        cr_assert_eq(
                kp_rp_verify_registration(&expect, response, false, &result, &err), 0);
        return result;
}

static const char *
refusal(const struct rig *rig)
{
        struct kp_rp_result result = judge(rig);
        const char *id = result.accepted ? "" : result.refusals[0].id;

        kp_rp_result_done(&result);
        return id;
}

static bool
has_path(const struct wish *wish)
{
        return strcmp(wish->type, "none") != 0 && strcmp(wish->type, "self") != 0;
}

Test(attestation, a_relying_party_takes_every_format)
{
        for (size_t i = 0; i < KP_NELEMS(wishes); i++) {
                const struct wish *wish = &wishes[i];
                struct rig rig;

                open_key(&rig, wish->key);
                expect_status(make(&rig, wish), KP_CTAP_OK);
                KP_CLEANUP(kp_rp_result_done) struct kp_rp_result result = judge(&rig);
                cr_expect(result.accepted, "%s %s %d: %s", wish->key, wish->given,
                        wish->alg, result.refusals[0].reason);
                cr_expect_str_eq(result.credential.format, wish->given, "%s %d: %s",
                        wish->key, wish->alg, result.credential.format);
                cr_expect_str_eq(result.credential.type, wish->type, "%s", wish->key);
                cr_expect_eq(result.credential.alg, wish->alg);
                cr_expect_eq(result.credential.trusted, has_path(wish));
                rig_close(&rig);
        }
}

Test(attestation, every_statement_is_about_this_client_data)
{
        for (size_t i = 0; i < KP_NELEMS(wishes); i++) {
                const struct wish *wish = &wishes[i];
                struct rig rig;

                open_key(&rig, wish->key);
                expect_status(make(&rig, wish), KP_CTAP_OK);
                strcat(client_data, " "); /* the same to whoever parses it */
                cr_expect_str_eq(refusal(&rig),
                        strcmp(wish->given, "none") == 0 ? "" : "attestation", "%s %s",
                        wish->key, wish->given);
                client_data[strlen(client_data) - 1] = '\0';
                rig_close(&rig);
        }
}

Test(attestation, every_path_leads_to_the_test_root_and_to_no_other)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");

        X509_set_pubkey(root, key);
        X509_sign(root, key, EVP_sha256()); /* the name of the root, another key */
        for (size_t i = 0; i < KP_NELEMS(wishes); i++) {
                struct rig rig;

                open_key(&rig, wishes[i].key);
                expect_status(make(&rig, &wishes[i]), KP_CTAP_OK);
                cr_expect_str_eq(refusal(&rig),
                        has_path(&wishes[i]) ? "trust-path" : "", "%s %s",
                        wishes[i].key, wishes[i].given);
                rig_close(&rig);
        }
        EVP_PKEY_free(key);
}

static X509 *
x5c_at(const struct rig *rig, size_t i)
{
        const cbor_item_t *x5c = kp_cbor_at_str(kp_cbor_at_int(rig->map, 3), "x5c");
        const uint8_t *der;
        size_t der_len, n;

        cr_assert(kp_cbor_is_array(x5c, &n));
        cr_assert_lt(i, n);
        cr_assert(kp_cbor_is_bytes(cbor_array_handle(x5c)[i], &der, &der_len));
        return d2i_X509(NULL, &der, (long)der_len);
}

/* RFC 5280 by the letter, as OpenSSL knows it. */
Test(attestation, every_chain_passes_the_strictest_of_openssl)
{
        for (size_t i = 0; i < KP_NELEMS(wishes); i++) {
                struct rig rig;
                X509_STORE *store = X509_STORE_new();
                X509_STORE_CTX *ctx = X509_STORE_CTX_new();
                STACK_OF(X509) *rest = sk_X509_new_null();
                X509 *leaf;

                open_key(&rig, wishes[i].key);
                expect_status(make(&rig, &wishes[i]), KP_CTAP_OK);
                if (has_path(&wishes[i])) {
                        X509_STORE_add_cert(store, root);
                        leaf = x5c_at(&rig, 0);
                        if (cbor_array_size(kp_cbor_at_str(
                                    kp_cbor_at_int(rig.map, 3), "x5c")) > 1)
                                sk_X509_push(rest, x5c_at(&rig, 1));
                        X509_STORE_CTX_init(ctx, store, leaf, rest);
                        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
                        X509_STORE_CTX_set_time(ctx, 0, KP_CLOCK_START_MS / 1000);
                        cr_expect_eq(X509_verify_cert(ctx), 1, "%s: %s", wishes[i].key,
                                X509_verify_cert_error_string(
                                        X509_STORE_CTX_get_error(ctx)));
                        X509_free(leaf);
                }
                sk_X509_pop_free(rest, X509_free);
                X509_STORE_CTX_free(ctx);
                X509_STORE_free(store);
                rig_close(&rig);
        }
}

Test(attestation, the_same_model_has_the_same_certificates_always)
{
        static const enum kp_key_certificate all[] = { KP_CERTIFICATE_INDIVIDUAL,
                KP_CERTIFICATE_AIK, KP_CERTIFICATE_CA, KP_CERTIFICATE_ROOT };
        struct rig first, second;

        open_key(&first, "attests-all");
        open_key(&second, "attests-all");
        for (size_t i = 0; i < KP_NELEMS(all); i++) {
                size_t a_len, b_len;
                const uint8_t *a =
                        kp_authenticator_profile_x509(first.profile, all[i], &a_len);
                const uint8_t *b =
                        kp_authenticator_profile_x509(second.profile, all[i], &b_len);

                cr_assert_gt(a_len, 100);
                cr_assert(kp_bytes_equal(a, a_len, b, b_len));
        }
        rig_close(&second);
        rig_close(&first);
}

/* A profile that is loaded in a cell, or was loaded before it, is the same to the cell. */
Test(attestation, making_a_certificate_draws_nothing_from_a_stream_that_is_lent)
{
        static const char *const ids[] = { "windows-hello-hw", "keypilot-23",
                "android-platform-key" };
        uint8_t left[16], right[16];

        for (size_t i = 0; i < KP_NELEMS(ids); i++) {
                struct rig rig;
                struct kp_authenticator_profile *again = NULL;

                rig_open(&rig, ids[i]);
                kp_random_install(rig.random);
                rig_profile(ids[i], &again);
                kp_random_bytes(rig.random, left, sizeof(left));
                kp_random_install(NULL);
                kp_authenticator_profile_free(&again);
                rig_close(&rig);
                rig_open(&rig, ids[i]);
                kp_random_bytes(rig.random, right, sizeof(right));
                cr_expect_arr_eq(left, right, sizeof(left), "%s", ids[i]);
                rig_close(&rig);
        }
}

/* A lent stream is lent again afterwards. */
Test(attestation, a_certificate_gives_the_lent_stream_back)
{
        struct kp_random *random = NULL;
        struct kp_authenticator_profile *profile = NULL;
        struct kp_error err = { 0 };
        uint8_t drawn[16], wanted[16];

        cr_assert_eq(kp_random_new_seeded("lent", "x", &random, &err), 0);
        kp_random_install(random);
        rig_profile("keypilot-23", &profile);
        cr_assert_eq(RAND_bytes(drawn, sizeof(drawn)), 1);
        kp_random_free(&random);
        cr_assert_eq(kp_random_new_seeded("lent", "x", &random, &err), 0);
        kp_random_bytes(random, wanted, sizeof(wanted));
        cr_assert_arr_eq(drawn, wanted, sizeof(drawn));
        kp_random_free(&random);
        kp_authenticator_profile_free(&profile);
}

Test(attestation, one_phone_makes_another_certificate_for_each_credential)
{
        static const struct wish keys[] = { { .key = "android-platform-key",
                                                    .alg = KP_COSE_ES256 },
                { .key = "apple-platform", .alg = KP_COSE_ES256 } };

        for (size_t i = 0; i < KP_NELEMS(keys); i++) {
                struct rig rig;
                X509 *a, *b;

                open_key(&rig, keys[i].key);
                expect_status(make(&rig, &keys[i]), KP_CTAP_OK);
                a = x5c_at(&rig, 0);
                expect_status(make(&rig, &keys[i]), KP_CTAP_OK);
                b = x5c_at(&rig, 0);
                cr_assert_neq(ASN1_INTEGER_cmp(X509_get0_serialNumber(a),
                                      X509_get0_serialNumber(b)),
                        0);
                cr_assert_neq(EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)), 1);
                X509_free(a);
                X509_free(b);
                rig_close(&rig);
        }
}

/* Spec: CTAP 2.1 §7.1; key state says that it is switched on */
Test(attestation, an_enterprise_learns_which_single_key_it_is)
{
        struct rig rig;
        struct wish wish = {
                .key = "attests-all", .alg = KP_COSE_ES256, .enterprise = 2
        };
        X509_NAME *name;
        X509 *batch, *individual;
        EVP_PKEY *signer = NULL;
        struct kp_error err = { 0 };
        size_t len;
        const uint8_t *der;
        char serial[64];

        open_key(&rig, wish.key);
        der = kp_authenticator_profile_certificate(rig.profile, &len);
        batch = d2i_X509(NULL, &der, (long)len);
        der = kp_authenticator_profile_x509(
                rig.profile, KP_CERTIFICATE_INDIVIDUAL, &len);
        individual = d2i_X509(NULL, &der, (long)len);
        cr_assert(batch != NULL && individual != NULL);
        name = X509_get_subject_name(individual);
        cr_assert_gt(X509_NAME_get_text_by_NID(
                             name, NID_serialNumber, serial, sizeof(serial)),
                8);
        cr_assert_lt(X509_NAME_get_index_by_NID(
                             X509_get_subject_name(batch), NID_serialNumber, -1),
                0);
        cr_assert_eq(kp_authenticator_profile_attester(
                             rig.profile, KP_CERTIFICATE_INDIVIDUAL, &signer, &err),
                0);
        cr_assert_eq(EVP_PKEY_eq(signer, X509_get0_pubkey(individual)), 1);
        cr_assert_neq(EVP_PKEY_eq(signer, X509_get0_pubkey(batch)), 1);
        EVP_PKEY_free(signer);
        X509_free(batch);
        expect_status(make(&rig, &wish), KP_CTAP_OK);
        batch = x5c_at(&rig, 0);
        cr_assert_eq(X509_cmp(batch, individual), 0, "the statement has it");
        X509_free(batch);
        X509_free(individual);
        rig_close(&rig);
}

/* A signature that is spoilt is refused where it is checked, and only there. */
Test(attestation, a_spoilt_signature_is_refused)
{
        static const struct wish cases[] = {
                { "yubikey-5-57", KP_COSE_ES256, NULL, 0, "packed", "basic" },
                { "opensk", KP_COSE_ES256, NULL, 0, "packed", "self" },
                { "windows-hello-hw", KP_COSE_RS256, NULL, 0, "tpm", "attca" },
                { "android-platform-key", KP_COSE_ES256, NULL, 0, "android-key",
                        "basic" },
                { "keypilot-23", KP_COSE_ES256, "fido-u2f", 0, "fido-u2f", "basic" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct kp_fault fault = { .id = "wrong-signature",
                        .command = "makeCredential",
                        .nth = 1,
                        .times = 1 };
                struct kp_error err = { 0 };
                struct rig rig;
                char why[512];

                for (size_t k = 0; k < kp_n_fault_points; k++)
                        if (strstr(kp_fault_points[k].name, "signature") != NULL)
                                fault.point = kp_fault_points[k].name;
                open_key(&rig, cases[i].key);
                cr_assert_eq(kp_authenticator_fault_add(rig.key, &fault, &err), 0, "%s",
                        kp_error_format(&err, why, sizeof(why)));
                expect_status(make(&rig, &cases[i]), KP_CTAP_OK);
                cr_expect_eq(kp_authenticator_fault_fired(rig.key, 0), 1);
                cr_expect_str_eq(refusal(&rig), "attestation", "%s", cases[i].key);
                expect_status(make(&rig, &cases[i]), KP_CTAP_OK);
                cr_expect_str_eq(refusal(&rig), "", "%s: only once", cases[i].key);
                rig_close(&rig);
        }
}

/* FIDO's conformance tests want it of every fido-u2f statement. */
Test(attestation, a_u2f_statement_tells_no_model)
{
        static const struct wish wish = {
                .key = "keypilot-23", .alg = KP_COSE_ES256, .format = "fido-u2f"
        };
        struct rig rig;

        expect.u2f_zero_aaguid = true;
        open_key(&rig, wish.key);
        expect_status(make(&rig, &wish), KP_CTAP_OK);
        cr_assert_str_eq(refusal(&rig), "");
        rig_close(&rig);
}
