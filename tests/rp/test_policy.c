/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "keypilot/core/file.h"
#include "keypilot/core/json.h"
#include "keypilot/rp/policy.h"

#include "vectors_ceremony.h"

static struct ceremony_maker m;
static struct kp_rp_expectation expect;
static struct kp_rp_credential record;

static void
setup(void)
{
        maker_begin(&m, KP_COSE_ES256);
        expect = usual_expectation();
        record = maker_record(&m);
}

static void
teardown(void)
{
        kp_rp_credential_done(&record);
        maker_end(&m);
}

TestSuite(policy, .init = setup, .fini = teardown);

static const char *
refusal_of(json_t *response)
{
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        const char *id;

        cr_assert_eq(
                kp_rp_verify_registration(&expect, response, false, &result, &err), 0);
        id = result.accepted ? "" : result.refusals[0].id;
        kp_rp_result_done(&result);
        json_decref(response);
        return id;
}

static const char *
refusal(void)
{
        return refusal_of(maker_none(&m));
}

static const char *
login_refusal(void)
{
        json_auto_t *response = maker_assertion(&m);
        struct kp_rp_result result;
        struct kp_error err = { 0 };
        const char *id;

        cr_assert_eq(kp_rp_verify_authentication(
                             &expect, &record, response, false, &result, &err),
                0);
        id = result.accepted ? "" : result.refusals[0].id;
        kp_rp_result_done(&result);
        return id;
}

Test(policy, wants_passkeys_that_are_or_are_not_backed_up)
{
        static const struct {
                enum kp_rp_wish eligible, state;
                uint8_t flags;
                const char *refused;
        } cases[] = {
                { KP_RP_ANY, KP_RP_ANY, 0x18, "" },
                { KP_RP_NO, KP_RP_ANY, 0x00, "" },
                { KP_RP_NO, KP_RP_ANY, 0x08, "backup-eligible" },
                { KP_RP_YES, KP_RP_ANY, 0x00, "backup-eligible" },
                { KP_RP_YES, KP_RP_YES, 0x08, "backup-state" },
                { KP_RP_YES, KP_RP_YES, 0x18, "" },
                { KP_RP_YES, KP_RP_NO, 0x18, "backup-state" },
                { KP_RP_ANY, KP_RP_ANY, 0x10, "backup-flags" },
        };

        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                expect.policy.backup_eligible = cases[i].eligible;
                expect.policy.backed_up = cases[i].state;
                m.flags = KP_AUTHDATA_UP | KP_AUTHDATA_UV | cases[i].flags;
                cr_expect_str_eq(refusal(), cases[i].refused, "%zu", i);
                cr_expect_str_eq(login_refusal(), cases[i].refused, "%zu", i);
        }
}

Test(policy, lists_models_formats_and_types)
{
        memcpy(expect.policy.refuse.items[0], test_aaguid, 16);
        expect.policy.refuse.n_items = 1;
        cr_expect_str_eq(refusal(), "aaguid");
        expect.policy.refuse.n_items = 0;
        memcpy(expect.policy.allow.items[0], "another-aaguid-1", 16);
        expect.policy.allow.n_items = 1;
        cr_expect_str_eq(refusal(), "aaguid");
        memcpy(expect.policy.allow.items[1], test_aaguid, 16);
        expect.policy.allow.n_items = 2;
        cr_expect_str_eq(refusal(), "");
        expect.policy.formats[0] = "packed";
        expect.policy.n_formats = 1;
        cr_expect_str_eq(refusal(), "attestation-format-allowed");
        expect.policy.formats[0] = "none";
        cr_expect_str_eq(refusal(), "");
        expect.policy.types[0] = "basic";
        expect.policy.n_types = 1;
        cr_expect_str_eq(refusal(), "attestation-type");
        expect.policy.types[0] = "none";
        cr_expect_str_eq(refusal(), "");
        expect.policy.trusted_required = true;
        cr_expect_str_eq(refusal(), "attestation-type");
}

static json_t *
with_output(const char *name, json_t *value)
{
        json_t *response = maker_none(&m);

        json_object_set_new(
                json_object_get(response, "clientExtensionResults"), name, value);
        return response;
}

Test(policy, wants_discoverable_credentials_where_the_client_tells)
{
        expect.policy.discoverable_required = true;
        cr_expect_str_eq(refusal(), "", "nothing told");
        cr_expect_str_eq(
                refusal_of(with_output("credProps", json_pack("{s:b}", "rk", 1))), "");
        cr_expect_str_eq(refusal_of(with_output("credProps", json_object())), "");
        cr_expect_str_eq(
                refusal_of(with_output("credProps", json_pack("{s:b}", "rk", 0))),
                "discoverable");
        expect.policy.discoverable_required = false;
        cr_expect_str_eq(
                refusal_of(with_output("credProps", json_pack("{s:b}", "rk", 0))), "");
}

Test(policy, notices_extensions_that_nobody_asked_for)
{
        json_auto_t *asked = json_pack("{s:b, s:s}", "credProps", 1,
                "credentialProtectionPolicy", "userVerificationRequired");

        expect.extensions = asked;
        cr_expect_str_eq(refusal_of(with_output("prf", json_object())), "");
        expect.policy.unasked_extensions = KP_RP_REFUSE;
        cr_expect_str_eq(refusal_of(with_output("prf", json_object())), "extensions");
        cr_expect_str_eq(refusal_of(with_output("credProps", json_object())), "");
        m.extensions = "\xa1\x6b"
                       "credProtect\x03";
        m.extensions_len = 14;
        cr_expect_str_eq(refusal(), "", "asked for under its other name");
        m.extensions = "\xa1\x68"
                       "credBlob\xf5";
        m.extensions_len = 11;
        cr_expect_str_eq(refusal(), "extensions");
        expect.policy.unasked_extensions = KP_RP_WARN;
        cr_expect_str_eq(refusal(), "");
}

#define BEGIN                                                                          \
        "{\"type\":\"webauthn.create\",\"challenge\":\"Y2hhbGxlbmdlLTEyMzQ1Ng\","      \
        "\"origin\":\"https://example.org\",\"crossOrigin\":"

/* Spec: WebAuthn L3 §5.8.1.2 */
Test(policy, reads_client_data_without_a_parser)
{
        static const struct {
                const char *client, *refused;
        } cases[] = {
                { BEGIN "false}", "" },
                { BEGIN "false,\"other\":[{\"x\":1}]}", "" },
                { BEGIN "false,\"tokenBinding\":{\"status\":\"supported\"}}", "" },
                { BEGIN "true}", "" },
                { BEGIN "true,\"topOrigin\":\"https://top.example\"}", "" },
                { BEGIN "true,\"topOrigin\":\"https://evil.example\"}", "client-data" },
                { BEGIN "false,\"topOrigin\":\"https://top.example\"}", "client-data" },
                { BEGIN "false", "client-data" },
                { BEGIN "falsehood\":1}", "client-data" },
                { BEGIN "false}}", "client-data" },
                { BEGIN "false }", "client-data" },
                { BEGIN " false}", "client-data" },
                { " " BEGIN "false}", "client-data" },
                { "\xef\xbb\xbf" BEGIN "false}", "client-data" },
                { "{\"challenge\":\"Y2hhbGxlbmdlLTEyMzQ1Ng\",\"type\":\"webauthn."
                  "create\",\"origin\":\"https://example.org\",\"crossOrigin\":false}",
                        "client-data" },
                { "", "client-data" },
        };

        expect.policy.limited_client_data = true;
        expect.allow_cross_origin = true;
        expect.top_origins[expect.n_top_origins++] = "https://top.example";
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                m.client_data = cases[i].client;
                cr_expect_str_eq(refusal(), cases[i].refused, "%s", cases[i].client);
        }
        expect.allow_cross_origin = false;
        m.client_data = BEGIN "true}";
        cr_expect_str_eq(refusal(), "client-data");
}

Test(policy, knows_related_origins)
{
        m.client_data = "{\"type\":\"webauthn.create\",\"challenge\":"
                        "\"Y2hhbGxlbmdlLTEyMzQ1Ng\",\"origin\":\"https://example.nl\"}";
        cr_expect_str_eq(refusal(), "origin");
        expect.origins[expect.n_origins++] = "https://example.nl";
        cr_expect_str_eq(refusal(), "");
}

static int
read_text(const char *text, char why[512])
{
        static json_t *kept; /* the expectation borrows from it */
        struct kp_error err = { 0 };
        int status;

        kp_json_free(&kept);
        kept = json_loads(text, 0, NULL);
        expect = usual_expectation();
        status = kp_rp_policy_read(kept, &expect, &err);
        kp_error_format(&err, why, 512);
        if (status < 0)
                kp_json_free(&kept);
        return status;
}

#define HEAD "{\"id\":\"x\",\"title\":{\"en\":\"x\",\"nl\":\"x\"},\"source\":\"x\""

Test(policy, reads_its_file_and_names_what_is_wrong)
{
        static const struct {
                const char *text, *why;
        } wrong[] = {
                { "{}", "id" },
                { HEAD ",\"counters\":\"warn\"}", "counters" },
                { HEAD ",\"counter\":\"maybe\"}", "'counter'" },
                { HEAD ",\"counter\":7}", "counter" },
                { HEAD ",\"backup\":{\"eligible\":\"sometimes\"}}", "'eligible'" },
                { HEAD ",\"backup\":{\"elegible\":\"no\"}}", "elegible" },
                { HEAD ",\"attestation\":{\"aaguids\":[\"1234\"]}}", "'aaguids[0]'" },
                { HEAD ",\"algorithms\":[\"ES256\"]}", "'algorithms[0]'" },
                { HEAD ",\"challenge_lifetime_ms\":-1}", "'challenge_lifetime_ms'" },
                { HEAD ",\"origins\":[1]}", "origins" },
        };
        char why[512];

        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                cr_expect_lt(read_text(wrong[i].text, why), 0, "%s", wrong[i].text);
                cr_expect(strstr(why, wrong[i].why) != NULL, "%s: %s", wrong[i].text,
                        why);
        }
        cr_assert_eq(read_text(HEAD ",\"counter\":\"warn\",\"user_verification\":"
                                    "\"required\",\"attestation\":{\"aaguids\":"
                                    "[\"61616775-6964-2D6f-662d-612d74657374\"]},"
                                    "\"origins\":[\"https://example.nl\"],"
                                    "\"algorithms\":[-8,-7]}",
                             why),
                0, "%s", why);
        cr_expect_eq(expect.policy.counter, KP_RP_WARN);
        cr_expect(expect.uv_required);
        cr_expect_eq(expect.n_origins, 2);
        cr_expect_eq(expect.n_algorithms, 2);
        cr_expect_eq(memcmp(expect.policy.allow.items[0], test_aaguid, 16), 0);
}

Test(policy, keeps_the_algorithms_that_both_want)
{
        json_auto_t *file = json_loads(HEAD ",\"algorithms\":[-8,-7,-257]}", 0, NULL);
        json_auto_t *none = json_loads(HEAD ",\"algorithms\":[-36]}", 0, NULL);
        struct kp_error err = { 0 };

        expect.algorithms[expect.n_algorithms++] = KP_COSE_ES256;
        expect.algorithms[expect.n_algorithms++] = KP_COSE_ES384;
        cr_assert_eq(kp_rp_policy_read(file, &expect, &err), 0);
        cr_assert_eq(expect.n_algorithms, 1);
        cr_assert_eq(expect.algorithms[0], KP_COSE_ES256);
        cr_assert_lt(kp_rp_policy_read(none, &expect, &err), 0);
}

Test(policy, every_policy_of_ours_is_read_and_named_as_its_file)
{
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        KP_CLEANUP(kp_free_str)
        char *folder = kp_format("%s/relying-parties", getenv("KEYPILOT_FIXTURES"));
        struct kp_error err = { 0 };
        char why[512];

        cr_assert_eq(kp_dir_list(folder, ".json", &names, &err), 0);
        cr_assert_gt(names.n_names, 0);
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", folder, names.names[i]);
                KP_CLEANUP(kp_json_free) json_t *json = NULL;
                const char *id;

                cr_assert_eq(kp_json_load(path, KP_JSON_MAX, &json, &err), 0);
                expect = usual_expectation();
                cr_expect_eq(kp_rp_policy_read(json, &expect, &err), 0, "%s: %s", path,
                        kp_error_format(&err, why, sizeof(why)));
                id = kp_json_str(json, "id", "");
                cr_expect(strncmp(names.names[i], id, strlen(id)) == 0 &&
                                  strcmp(names.names[i] + strlen(id), ".json") == 0,
                        "%s", names.names[i]);
        }
}
