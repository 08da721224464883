/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "keypilot/rp/options.h"
#include "keypilot/rp/record.h"
#include "keypilot/rp/vector.h"

#include "vectors_ceremony.h"

#define ORIGIN "https://login.example.org:8443"

static json_t *
json(const char *text)
{
        json_error_t at;
        json_t *value = json_loads(text, JSON_DECODE_ANY, &at);

        cr_assert_not_null(value, "%s", at.text);
        return value;
}

Test(options, reads_creation_options)
{
        json_auto_t *options = json("{\"rp\":{\"id\":\"example.org\",\"name\":\"x\"},"
                                    "\"challenge\":\"AQID\",\"pubKeyCredParams\":["
                                    "{\"type\":\"public-key\",\"alg\":-7},"
                                    "{\"type\":\"other\",\"alg\":-8}],"
                                    "\"excludeCredentials\":[{\"id\":\"AAAA\"}],"
                                    "\"authenticatorSelection\":{\"userVerification\":"
                                    "\"required\"},\"unknown\":1}");
        KP_CLEANUP(kp_rp_options_done) struct kp_rp_options ret;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_rp_options_read_creation(options, ORIGIN, NULL, &ret, &err), 0);
        cr_assert_str_eq(ret.expect.rp_ids[0], "example.org");
        cr_assert_str_eq(ret.expect.origins[0], ORIGIN);
        cr_assert(kp_bytes_equal(
                ret.expect.challenge, ret.expect.challenge_len, "\1\2\3", 3));
        cr_assert_eq(ret.expect.n_algorithms, 1);
        cr_assert_eq(ret.expect.algorithms[0], -7);
        cr_assert(ret.expect.uv_required);
        cr_assert_eq(json_array_size(ret.expect.registered_ids), 1);
}

Test(options, takes_the_rp_id_from_the_caller_the_options_or_the_origin)
{
        json_auto_t *options = json("{\"challenge\":\"AQID\"}");
        struct kp_rp_options ret;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_rp_options_read_request(options, ORIGIN, NULL, &ret, &err), 0);
        cr_assert_str_eq(ret.expect.rp_ids[0], "login.example.org");
        kp_rp_options_done(&ret);
        json_object_set_new(options, "rpId", json_string("example.org"));
        cr_assert_eq(kp_rp_options_read_request(options, ORIGIN, NULL, &ret, &err), 0);
        cr_assert_str_eq(ret.expect.rp_ids[0], "example.org");
        kp_rp_options_done(&ret);
        cr_assert_eq(
                kp_rp_options_read_request(options, ORIGIN, "x.example", &ret, &err),
                0);
        cr_assert_str_eq(ret.expect.rp_ids[0], "x.example");
        kp_rp_options_done(&ret);
}

Test(options, an_empty_list_of_algorithms_stands_for_the_usual_two)
{
        json_auto_t *options =
                json("{\"rp\":{},\"challenge\":\"AQID\",\"pubKeyCredParams\":[]}");
        KP_CLEANUP(kp_rp_options_done) struct kp_rp_options ret;
        struct kp_error err = { 0 };

        cr_assert_eq(kp_rp_options_read_creation(options, ORIGIN, NULL, &ret, &err), 0);
        cr_assert_eq(ret.expect.n_algorithms, 2);
        cr_assert_eq(ret.expect.algorithms[1], KP_COSE_RS256);
}

Test(options, name_the_member_that_is_wrong)
{
        static const struct {
                const char *options, *name;
        } wrong[] = {
                { "[]", "creation options" },
                { "{\"challenge\":\"AQID\",\"pubKeyCredParams\":[]}", "'rp'" },
                { "{\"rp\":1,\"challenge\":\"AQID\",\"pubKeyCredParams\":[]}", "'rp'" },
                { "{\"rp\":{\"id\":1},\"challenge\":\"AQID\",\"pubKeyCredParams\":[]}",
                        "'id'" },
                { "{\"rp\":{},\"pubKeyCredParams\":[]}", "'challenge'" },
                { "{\"rp\":{},\"challenge\":\"\",\"pubKeyCredParams\":[]}",
                        "'challenge'" },
                { "{\"rp\":{},\"challenge\":\"A=\",\"pubKeyCredParams\":[]}",
                        "'challenge'" },
                { "{\"rp\":{},\"challenge\":\"AQID\"}", "'pubKeyCredParams'" },
                { "{\"rp\":{},\"challenge\":\"AQID\",\"pubKeyCredParams\":{}}",
                        "'pubKeyCredParams'" },
                { "{\"rp\":{},\"challenge\":\"AQID\",\"pubKeyCredParams\":[{\"alg\":-7}"
                  "]}",
                        "'type'" },
                { "{\"rp\":{},\"challenge\":\"AQID\",\"pubKeyCredParams\":[{\"type\":"
                  "\"public-key\",\"alg\":\"-7\"}]}",
                        "'alg'" },
                { "{\"rp\":{},\"challenge\":\"AQID\",\"pubKeyCredParams\":[],"
                  "\"excludeCredentials\":[{}]}",
                        "'id'" },
                { "{\"rp\":{},\"challenge\":\"AQID\",\"pubKeyCredParams\":[],"
                  "\"authenticatorSelection\":[]}",
                        "'authenticatorSelection'" },
        };

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                json_auto_t *options = json(wrong[i].options);
                KP_CLEANUP(kp_rp_options_done) struct kp_rp_options ret;
                struct kp_error err = { 0 };
                char text[512];

                cr_assert_lt(
                        kp_rp_options_read_creation(options, ORIGIN, NULL, &ret, &err),
                        0, "%s", wrong[i].options);
                kp_error_format(&err, text, sizeof(text));
                cr_assert(strstr(text, wrong[i].name) != NULL, "%s: %s",
                        wrong[i].options, text);
        }
}

Test(options, anchors_are_certificates)
{
        KP_CLEANUP(kp_rp_options_done) struct kp_rp_options ret = { 0 };
        struct kp_error err = { 0 };

        cr_assert_lt(kp_rp_options_add_pem(&ret, "nothing", 7, &err), 0);
        cr_assert_eq(err.code, KP_EPARSE);
        cr_assert_lt(
                kp_rp_options_add_der(&ret, (const uint8_t *)"\x30\x00", 2, &err), 0);
        cr_assert_eq(ret.expect.n_anchors, 0);
}

Test(record, reads_what_it_wrote)
{
        KP_CLEANUP(kp_rp_credential_done) struct kp_rp_credential again = { 0 };
        struct ceremony_maker m;
        struct kp_error err = { 0 };
        json_t *written = NULL;

        maker_begin(&m, KP_COSE_ES256);
        KP_CLEANUP(kp_rp_credential_done)
        struct kp_rp_credential record = maker_record(&m);
        record.sign_count = 0xffffffff;
        record.backup_eligible = true;
        record.trusted = true;
        record.type = "basic";
        strcpy(record.format, "packed");
        memcpy(record.aaguid, test_aaguid, 16);
        cr_assert_eq(kp_rp_credential_write(&record, &written, &err), 0);
        cr_assert_eq(kp_rp_credential_read(written, &again, &err), 0);
        json_decref(written);
        cr_assert(kp_bytes_equal(
                again.id.data, again.id.len, record.id.data, record.id.len));
        cr_assert(kp_bytes_equal(again.public_key.data, again.public_key.len,
                record.public_key.data, record.public_key.len));
        cr_assert_eq(again.sign_count, 0xffffffff);
        cr_assert_eq(again.alg, KP_COSE_ES256);
        cr_assert(again.backup_known && again.backup_eligible && !again.backup_state);
        cr_assert_eq(memcmp(again.aaguid, test_aaguid, 16), 0);
        cr_assert_str_eq(again.format, "packed");
        cr_assert_str_eq(again.type, "basic");
        cr_assert(again.trusted);
        maker_end(&m);
}

Test(record, names_the_member_that_is_wrong)
{
        static const struct {
                const char *record, *name;
        } wrong[] = {
                { "7", "credential record" },
                { "{}", "'id'" },
                { "{\"id\":\"AAAA\"}", "'publicKey'" },
                { "{\"id\":\"AAA=\",\"publicKey\":\"AAAA\"}", "'id'" },
                { "{\"id\":\"AAAA\",\"publicKey\":\"AAAA\",\"signCount\":-1}",
                        "'signCount'" },
                { "{\"id\":\"AAAA\",\"publicKey\":\"AAAA\",\"signCount\":4294967296}",
                        "'signCount'" },
                { "{\"id\":\"AAAA\",\"publicKey\":\"AAAA\",\"be\":1}", "'be'" },
                { "{\"id\":\"AAAA\",\"publicKey\":\"AAAA\",\"aaguid\":\"AAAA\"}",
                        "'aaguid'" },
        };

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                json_auto_t *record = json(wrong[i].record);
                KP_CLEANUP(kp_rp_credential_done) struct kp_rp_credential ret;
                struct kp_error err = { 0 };
                char text[512];

                cr_assert_lt(kp_rp_credential_read(record, &ret, &err), 0, "%s",
                        wrong[i].record);
                kp_error_format(&err, text, sizeof(text));
                cr_assert(strstr(text, wrong[i].name) != NULL, "%s: %s",
                        wrong[i].record, text);
        }
}

static enum kp_rp_agreement
vector_of(
        struct ceremony_maker *m, const char *expected, const char *rest, char why[256])
{
        json_auto_t *vector = json(rest);
        struct kp_rp_vector_outcome outcome;
        struct kp_error err = { 0 };

        json_object_set_new(vector, "name", json_string("made"));
        json_object_set_new(vector, "kind", json_string("registration"));
        json_object_set_new(vector, "expect", json_string(expected));
        json_object_set_new(vector, "response", maker_none(m));
        json_object_set_new(vector, "options",
                json_pack("{s:s, s:s, s:o}", "rpId", "example.org", "origin",
                        "https://example.org", "challenge",
                        json_bytes(test_challenge, sizeof(test_challenge))));
        cr_assert_eq(kp_rp_vector_run(vector, KP_RP_STRICT, 0, &outcome, &err), 0);
        strcpy(why, outcome.why);
        return outcome.agreement;
}

Test(vector, agrees_only_if_verdict_and_facts_do)
{
        struct ceremony_maker m;
        char why[256];

        maker_begin(&m, KP_COSE_EDDSA);
        cr_assert_eq(vector_of(&m, "valid", "{}", why), KP_RP_AGREE);
        cr_assert_eq(vector_of(&m, "invalid", "{}", why), KP_RP_DISAGREE);
        cr_assert_eq(vector_of(&m, "valid", "{\"facts\":{\"alg\":-8,\"fmt\":\"none\"}}",
                             why),
                KP_RP_AGREE);
        cr_assert_eq(vector_of(&m, "valid", "{\"facts\":{\"alg\":-7}}", why),
                KP_RP_DISAGREE);
        cr_assert(strstr(why, "alg") != NULL, "%s", why);
        cr_assert_eq(vector_of(&m, "valid", "{\"facts\":{\"flags\":\"69\"}}", why),
                KP_RP_DISAGREE);
        m.rp_id = "evil.example";
        cr_assert_eq(vector_of(&m, "valid", "{}", why), KP_RP_DISAGREE);
        cr_assert_eq(vector_of(&m, "invalid", "{}", why), KP_RP_AGREE);
        cr_assert_eq(vector_of(&m, "invalid", "{\"facts\":{\"alg\":-7}}", why),
                KP_RP_DISAGREE, "facts count where the message is refused as well");
        maker_end(&m);
}

Test(vector, skips_what_it_cannot_judge_and_says_why)
{
        struct ceremony_maker m;
        char why[256];

        maker_begin(&m, KP_COSE_EDDSA);
        cr_assert_eq(
                vector_of(&m, "valid", "{\"needs\":[\"rp-state\",\"ML-DSA\"]}", why),
                KP_RP_SKIPPED);
        cr_assert_str_eq(why, "ML-DSA");
        maker_end(&m);
}
