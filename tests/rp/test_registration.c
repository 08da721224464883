/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "vectors_ceremony.h"
#include "vectors_hex.h"

static struct kp_rp_result
verify(const struct kp_rp_expectation *expect, const json_t *response, bool all)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };

        cr_assert_eq(
                kp_rp_verify_registration(expect, response, all, &result, &err), 0);
        return result;
}

/* The id of the first check that refuses, "" where none does. */
static const char *
refusal(const struct kp_rp_expectation *expect, json_t *response)
{
        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(expect, response, false);

        json_decref(response);
        cr_assert_eq(result.accepted, result.n_refusals == 0);
        return result.accepted ? "" : result.refusals[0].id;
}

#define CLIENT(members) "{\"type\":\"webauthn.create\"," members "}"
#define CHALLENGE "\"challenge\":\"Y2hhbGxlbmdlLTEyMzQ1Ng\""
#define ORIGIN "\"origin\":\"https://example.org\""

Test(registration, reads_the_record)
{
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_ES256);
        m.sign_count = 7;
        m.flags |= KP_AUTHDATA_BE | KP_AUTHDATA_BS;
        json_auto_t *response = maker_none(&m);
        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(&expect, response, false);
        const struct kp_rp_credential *record = &result.credential;

        cr_assert(result.accepted);
        cr_assert_eq(result.n_refusals, 0);
        cr_assert(kp_bytes_equal(
                record->id.data, record->id.len, test_id, sizeof(test_id)));
        cr_assert_eq(record->alg, KP_COSE_ES256);
        cr_assert_eq(record->sign_count, 7);
        cr_assert_eq(memcmp(record->aaguid, test_aaguid, 16), 0);
        cr_assert(record->backup_known && record->backup_eligible &&
                  record->backup_state);
        cr_assert(record->uv);
        cr_assert_str_eq(record->format, "none");
        cr_assert_str_eq(record->type, "none");
        cr_assert_not(record->trusted);
        maker_end(&m);
}

Test(registration, says_of_each_wrong_client_data_which_check_refuses)
{
        static const struct {
                const char *client, *check;
        } wrong[] = {
                { "", "client-data" },
                { "[]", "client-data" },
                { "{", "client-data" },
                { "null", "client-data" },
                { "{}", "type" },
                { "{\"type\":7," CHALLENGE "," ORIGIN "}", "type" },
                { "{\"type\":\"webauthn.create\\u0000\"," CHALLENGE "," ORIGIN "}",
                        "type" },
                { "{\"type\":\"webauthn.get\"," CHALLENGE "," ORIGIN "}", "type" },
                { CLIENT(ORIGIN), "challenge" },
                { CLIENT("\"challenge\":\"\"," ORIGIN), "challenge" },
                { CLIENT("\"challenge\":\"Y2hhbGxlbmdlLTEyMzQ1Ng==\"," ORIGIN),
                        "challenge" },
                { CLIENT("\"challenge\":\"Y2hhbGxlbmdlLTEyMzQ1Nh\"," ORIGIN),
                        "challenge" },
                { CLIENT(CHALLENGE), "origin" },
                { CLIENT(CHALLENGE ",\"origin\":\"https://example.org\\u0000.evil\""),
                        "origin" },
                { CLIENT(CHALLENGE ",\"origin\":\"https://example.org:443\""),
                        "origin" },
                { CLIENT(CHALLENGE ",\"origin\":\"HTTPS://EXAMPLE.ORG\""), "origin" },
                { CLIENT(CHALLENGE "," ORIGIN "," ORIGIN), "client-data" },
                { CLIENT(CHALLENGE "," ORIGIN ",\"crossOrigin\":true"),
                        "cross-origin" },
                { CLIENT(CHALLENGE "," ORIGIN ",\"crossOrigin\":\"false\""),
                        "cross-origin" },
                { CLIENT(CHALLENGE "," ORIGIN ",\"topOrigin\":\"https://a.example\""),
                        "top-origin" },
                { CLIENT(CHALLENGE "," ORIGIN ",\"x\":\"\xff\""), "client-data" },
        };
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                m.client_data = wrong[i].client;
                cr_expect_str_eq(refusal(&expect, maker_none(&m)), wrong[i].check, "%s",
                        wrong[i].client);
        }
        maker_end(&m);
}

Test(registration, takes_every_way_to_write_the_same_json)
{
        static const char *const same[] = {
                CLIENT(CHALLENGE "," ORIGIN),
                "\xef\xbb\xbf" CLIENT(CHALLENGE "," ORIGIN),
                " \n" CLIENT(" " ORIGIN " , " CHALLENGE ",\"crossOrigin\":false") "\t",
                CLIENT(CHALLENGE ",\"origin\":\"https:\\/\\/ex\\u0061mple.org\""),
                CLIENT(CHALLENGE "," ORIGIN
                                 ",\"tokenBinding\":{\"status\":\"present\"}"),
                CLIENT(CHALLENGE "," ORIGIN
                                 ",\"other\":[1,{\"x\":null}],\"nul\":\"\\u0000\""),
        };
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        for (size_t i = 0; i < KP_NELEMS(same); i++) {
                m.client_data = same[i];
                cr_expect_str_eq(refusal(&expect, maker_none(&m)), "", "%s", same[i]);
        }
        maker_end(&m);
}

Test(registration, takes_framing_only_from_pages_that_are_expected)
{
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        expect.allow_cross_origin = true;
        m.client_data = CLIENT(CHALLENGE "," ORIGIN ",\"crossOrigin\":true");
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "");
        m.client_data = CLIENT(CHALLENGE
                "," ORIGIN
                ",\"crossOrigin\":true,\"topOrigin\":\"https://top.example\"");
        cr_assert_str_eq(
                refusal(&expect, maker_none(&m)), "top-origin", "none is expected");
        expect.top_origins[expect.n_top_origins++] = "https://top.example";
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "");
        m.client_data =
                CLIENT(CHALLENGE "," ORIGIN ",\"topOrigin\":\"https://top.example\"");
        cr_assert_str_eq(
                refusal(&expect, maker_none(&m)), "top-origin", "not cross-origin");
        maker_end(&m);
}

Test(registration, looks_at_the_flags)
{
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        m.flags = 0;
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "user-present");
        expect.up_not_required = true;
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "");
        m.flags = KP_AUTHDATA_UP;
        expect.uv_required = true;
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "user-verified");
        m.flags = KP_AUTHDATA_UP | KP_AUTHDATA_UV | KP_AUTHDATA_BS;
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "backup-flags");
        m.flags = KP_AUTHDATA_UP | KP_AUTHDATA_UV | 0x22; /* reserved */
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "");
        m.rp_id = "https://example.org";
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "rp-id-hash");
        maker_end(&m);
}

Test(registration, takes_only_algorithms_that_were_asked_for)
{
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_ES384);
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "");
        expect.algorithms[expect.n_algorithms++] = KP_COSE_ES256;
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "algorithm");
        expect.algorithms[expect.n_algorithms++] = KP_COSE_ES384;
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "");
        maker_end(&m);
}

Test(registration, knows_credential_ids_that_are_taken)
{
        struct kp_rp_expectation expect = usual_expectation();
        json_auto_t *taken =
                json_pack("[s, o]", "AAAA", json_bytes(test_id, sizeof(test_id)));
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        expect.registered_ids = taken;
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "credential-id-new");
        json_array_remove(taken, 1);
        cr_assert_str_eq(refusal(&expect, maker_none(&m)), "");
        maker_end(&m);
}

Test(registration, limits_the_length_of_a_credential_id)
{
        static const struct {
                size_t len;
                const char *strict, *lenient;
        } lens[] = { { 1, "", "" }, { 1023, "", "" },
                { 1024, "credential-id-length", "" } };
        static const uint8_t id[1024] = { 1 };
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        m.id = id;
        for (size_t i = 0; i < KP_NELEMS(lens); i++) {
                m.id_len = lens[i].len;
                expect.mode = KP_RP_STRICT;
                cr_assert_str_eq(refusal(&expect, maker_none(&m)), lens[i].strict);
                expect.mode = KP_RP_LENIENT;
                cr_assert_str_eq(refusal(&expect, maker_none(&m)), lens[i].lenient);
        }
        maker_end(&m);
}

Test(registration, tells_a_statement_that_fails_from_a_format_that_nobody_knows)
{
        static const struct {
                const char *format, *check;
        } formats[] = { { "tpm", "attestation" }, { "android-key", "attestation" },
                { "android-safetynet", "attestation" }, { "apple", "attestation" },
                { "compound", "attestation" }, { "TPM", "attestation-format" },
                { "", "attestation-format" }, { "example", "attestation-format" } };
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        for (size_t i = 0; i < KP_NELEMS(formats); i++) {
                m.format = formats[i].format;
                json_auto_t *response = maker_none(&m);
                KP_CLEANUP(kp_rp_result_done)
                struct kp_rp_result result = verify(&expect, response, false);

                cr_assert_not(result.accepted);
                cr_assert_str_eq(result.refusals[0].id, formats[i].check, "%s",
                        formats[i].format);
                cr_assert_not(result.unsupported);
                cr_assert_str_eq(result.credential.format, formats[i].format);
        }
        maker_end(&m);
}

Test(registration, tells_all_refusals_in_the_order_of_the_specification)
{
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;
        int last = 0;

        maker_begin(&m, KP_COSE_EDDSA);
        m.client_data = "{\"type\":\"x\",\"challenge\":\"x\",\"origin\":\"x\","
                        "\"crossOrigin\":true,\"topOrigin\":\"x\"}";
        m.rp_id = "evil.example";
        m.flags = KP_AUTHDATA_BS;
        m.format = "example";
        expect.uv_required = true;
        expect.algorithms[expect.n_algorithms++] = KP_COSE_ES256;
        json_auto_t *response = maker_none(&m);
        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(&expect, response, true);

        cr_assert_eq(result.n_refusals, 11);
        for (size_t i = 0; i < result.n_refusals; i++) {
                const char *step = strstr(result.refusals[i].check, "§7.1 step ");

                cr_assert_not_null(step, "%s", result.refusals[i].check);
                cr_assert_gt(atoi(step + strlen("§7.1 step ")), last);
                last = atoi(step + strlen("§7.1 step "));
                cr_assert_gt(strlen(result.refusals[i].reason), 0);
        }
        maker_end(&m);
}

Test(registration, refuses_forms_that_are_none_and_stays_calm)
{
        static const char *const forms[] = { "{}", "[]", "7", "null", "\"x\"",
                "{\"id\":\"AAAA\"}", "{\"id\":7,\"rawId\":7,\"type\":\"public-key\"}",
                "{\"id\":\"\",\"rawId\":\"\",\"type\":\"public-key\",\"response\":{}}",
                "{\"id\":\"AAAA\",\"rawId\":\"AAAA\",\"type\":\"public-key\","
                "\"response\":[]}",
                "{\"id\":\"AAAA\",\"rawId\":\"AAAA\",\"type\":\"public-key\","
                "\"response\":{}}",
                "{\"id\":\"AAAA\",\"rawId\":\"AAAA\",\"type\":\"public-key\","
                "\"response\":{"
                "\"clientDataJSON\":\"e30\",\"attestationObject\":{}}}" };

        for (size_t i = 0; i < KP_NELEMS(forms); i++)
                for (int mode = KP_RP_STRICT; mode <= KP_RP_LENIENT; mode++) {
                        struct kp_rp_expectation expect = usual_expectation();
                        json_auto_t *form = json_loads(forms[i], JSON_DECODE_ANY, NULL);

                        expect.mode = (enum kp_rp_mode)mode;
                        KP_CLEANUP(kp_rp_result_done)
                        struct kp_rp_result result = verify(&expect, form, true);
                        cr_assert_not(result.accepted, "%s", forms[i]);
                }
}

Test(registration, refuses_cbor_that_asks_for_the_moon)
{
        static const char *const objects[] = { "bb00000000ffffffff",
                "9b00000000ffffffff", "5b7fffffffffffffff00",
                "a1 63666d74 9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f9f",
                "a363666d74646e6f6e656761747453746d74ba00ffffff68617574684461746140" };

        for (size_t i = 0; i < KP_NELEMS(objects); i++)
                for (int mode = KP_RP_STRICT; mode <= KP_RP_LENIENT; mode++) {
                        KP_CLEANUP(kp_buf_done)
                        struct kp_buf object = unhex(objects[i]);
                        struct kp_rp_expectation expect = usual_expectation();
                        struct ceremony_maker m;

                        maker_begin(&m, KP_COSE_EDDSA);
                        expect.mode = (enum kp_rp_mode)mode;
                        json_t *response = maker_none(&m);
                        json_object_set_new(json_object_get(response, "response"),
                                "attestationObject",
                                json_bytes(object.data, object.len));
                        cr_assert_str_eq(
                                refusal(&expect, response), "attestation-object");
                        maker_end(&m);
                }
}

Test(registration, compares_the_copies_that_level_3_added)
{
        struct kp_rp_expectation expect = usual_expectation();
        struct ceremony_maker m;
        unsigned char *spki = NULL;
        int spki_len;

        maker_begin(&m, KP_COSE_ES256);
        spki_len = i2d_PUBKEY(m.key, &spki);
        json_auto_t *form = maker_none(&m);
        json_t *inner = json_object_get(form, "response");

        json_object_set_new(inner, "publicKey", json_bytes(spki, (size_t)spki_len));
        json_object_set_new(inner, "publicKeyAlgorithm", json_integer(-7));
        json_object_set_new(inner, "authenticatorData",
                json_bytes(m.authdata.data, m.authdata.len));
        cr_assert_str_eq(refusal(&expect, json_deep_copy(form)), "");

        spki[spki_len - 1] ^= 1;
        json_object_set_new(inner, "publicKey", json_bytes(spki, (size_t)spki_len));
        cr_assert_str_eq(refusal(&expect, json_deep_copy(form)), "copies");
        json_object_del(inner, "publicKey");
        json_object_set_new(inner, "publicKeyAlgorithm", json_integer(-8));
        cr_assert_str_eq(refusal(&expect, json_deep_copy(form)), "copies");
        expect.mode = KP_RP_LENIENT;
        cr_assert_str_eq(refusal(&expect, json_deep_copy(form)), "");
        OPENSSL_free(spki);
        maker_end(&m);
}

Test(registration, an_expectation_of_nothing_accepts_nothing)
{
        struct kp_rp_expectation expect = { 0 };
        struct ceremony_maker m;

        maker_begin(&m, KP_COSE_EDDSA);
        json_auto_t *response = maker_none(&m);
        KP_CLEANUP(kp_rp_result_done)
        struct kp_rp_result result = verify(&expect, response, true);

        cr_assert_not(result.accepted);
        cr_assert_eq(result.n_refusals, 3, "challenge, origin, RP ID");
        maker_end(&m);
}
