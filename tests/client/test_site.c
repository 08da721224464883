/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

/*
 * What the site gets to see: attestation, public keys, origins of apps, extensions.
 */

static bool
aaguid_is_zero(const struct bench *b)
{
        static const uint8_t zeros[16];
        KP_CLEANUP(kp_buf_done) struct kp_buf data = { 0 };

        bench_bytes(
                json_object_get(b->response, "response"), "authenticatorData", &data);
        return memcmp(data.data + 37, zeros, sizeof(zeros)) == 0;
}

/* ---- attestation ---- */

/* clang-format off */
static const struct {
        const char *client, *key, *asked;
        bool refuses;
        const char *format;
        bool zeroed;
} attestations[] = {
        { "chromium-debian", "yubikey-5-57", "none", false, "none", true },
        { "chromium-debian", "yubikey-5-57", "direct", false, "packed", false },
        { "chromium-debian", "yubikey-5-57", "direct", true, "none", true },
        { "chromium-debian", "yubikey-4-u2f", "direct", false, "fido-u2f", true },
        { "firefox-linux", "yubikey-5-57", "direct", true, "none", true },
        { "firefox-linux", "yubikey-5-57", "direct", false, "packed", false },
        { "firefox-android", "yubikey-5-57", "direct", false, "none", true },
        { "libfido2-direct", "yubikey-5-57", "none", false, "packed", false },
};
/* clang-format on */

Test(site, attestation_is_conveyed_as_client_and_person_wish)
{
        for (size_t i = 0; i < KP_NELEMS(attestations); i++) {
                json_auto_t *options = bench_options("discouraged", "discouraged");
                struct bench b;

                json_object_set_new(
                        options, "attestation", json_string(attestations[i].asked));
                bench_open(&b, attestations[i].client, attestations[i].key);
                b.user.refuses_attestation = attestations[i].refuses;
                cr_assert_str_eq(bench_call(&b, true, options), "", "%s: %s",
                        attestations[i].client, b.exception.reason);
                cr_expect_str_eq(
                        kp_json_str(bench_event(&b, "client.create"), "format", ""),
                        attestations[i].format, "%s %s", attestations[i].client,
                        attestations[i].asked);
                cr_expect_eq(aaguid_is_zero(&b), attestations[i].zeroed, "%s %s",
                        attestations[i].client, attestations[i].asked);
                bench_done(&b);
        }
}

Test(site, chromium_keeps_the_model_of_platform_passkeys)
{
        struct bench b;

        bench_open(&b, "chrome-macos", "icloud-keychain");
        cr_assert_str_eq(bench_create(&b, "required", "required"), "");
        cr_expect_not(aaguid_is_zero(&b));
        bench_set(&b, "aaguid_zeroing", json_string("zeroed_for_none"));
        cr_assert_str_eq(bench_create(&b, "required", "required"), "");
        cr_expect(aaguid_is_zero(&b));
        bench_set(&b, "aaguid_zeroing", json_string("kept"));
        cr_assert_str_eq(bench_create(&b, "required", "required"), "");
        cr_expect_not(aaguid_is_zero(&b));
        bench_done(&b);
}

Test(site, safari_shows_the_public_key_of_es256_only)
{
        json_auto_t *options = bench_options("discouraged", "discouraged");
        struct bench b;

        json_object_set_new(options, "pubKeyCredParams",
                bench_json("[{\"type\":\"public-key\",\"alg\":-8}]"));
        bench_open(&b, "safari-ios", "yubikey-5-57");
        cr_assert_str_eq(bench_call(&b, true, options), "");
        cr_expect_null(
                json_object_get(json_object_get(b.response, "response"), "publicKey"));
        bench_done(&b);
        bench_open(&b, "chromium-debian", "yubikey-5-57");
        cr_assert_str_eq(bench_call(&b, true, options), "");
        cr_expect_not_null(
                json_object_get(json_object_get(b.response, "response"), "publicKey"));
        bench_done(&b);
}

/* ---- apps ---- */

Test(site, a_web_view_works_only_as_far_as_its_app_goes)
{
        struct bench b;

        bench_open(&b, "android-webview", "google-password-manager");
        cr_expect_str_eq(bench_create(&b, "required", "required"), "NotSupportedError");
        cr_expect(bench_reason(&b, "no-webauthn"));
        bench_set(&b, "app_opts_in", json_string("for_app"));
        cr_expect_str_eq(bench_create(&b, "required", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "rp-id-not-for-app"));
        bench_set(&b, "app_linked_rp_ids", bench_json("[\"example.com\"]"));
        cr_assert_str_eq(
                bench_create(&b, "required", "required"), "", "%s", b.exception.reason);
        bench_set(&b, "app_opts_in", json_string("for_browser"));
        bench_set(&b, "app_linked_rp_ids", json_array());
        cr_expect_str_eq(bench_create(&b, "required", "required"), "");
        bench_done(&b);

        bench_open(&b, "ios-wkwebview", "icloud-keychain");
        cr_expect_str_eq(bench_create(&b, "required", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "rp-id-not-for-app"));
        bench_set(&b, "app_linked_rp_ids", bench_json("[\"example.com\"]"));
        cr_expect_str_eq(bench_create(&b, "required", "required"), "");
        bench_done(&b);
}

Test(site, an_apps_own_call_carries_the_apps_origin)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf client = { 0 };
        struct bench b;

        bench_open(&b, "android-webview", "google-password-manager");
        bench_set(&b, "app_opts_in", json_string("for_app"));
        bench_set(&b, "app_linked_rp_ids", bench_json("[\"example.com\"]"));
        cr_assert_str_eq(bench_create(&b, "required", "required"), "");
        bench_bytes(json_object_get(b.response, "response"), "clientDataJSON", &client);
        cr_expect_not_null(
                strstr(kp_buf_str(&client), "\"origin\":\"android:apk-key-hash:"));
        bench_done(&b);
}

/* ---- mediation ---- */

Test(site, conditional_mediation_asks_for_discoverable_ones_only)
{
        KP_CLEANUP(kp_free_str) char *id = NULL, *other = NULL;
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        cr_assert_str_eq(bench_create(&b, "required", "required"), "");
        id = bench_id(&b);
        cr_assert_str_eq(bench_create(&b, "discouraged", "required"), "");
        other = bench_id(&b);
        b.page.mediation = KP_MEDIATION_CONDITIONAL;
        cr_expect_str_eq(bench_get(&b, id, "required"), "", "%s", b.exception.reason);
        cr_expect_str_eq(bench_get(&b, other, "required"), "NotAllowedError");
        cr_expect_str_eq(bench_create(&b, "required", "required"), "NotAllowedError");
        cr_expect(bench_reason(&b, "conditional-create-declined"));
        bench_set(&b, "conditional_get", json_string("no"));
        cr_expect_str_eq(bench_get(&b, id, "required"), "NotSupportedError");
        cr_expect(bench_reason(&b, "conditional-not-supported"));
        bench_done(&b);
}

/* ---- extensions ---- */

Test(site, a_u2f_credential_is_found_by_its_app_id)
{
        json_auto_t *options = bench_options("discouraged", "discouraged");
        json_auto_t *login = NULL;
        KP_CLEANUP(kp_free_str) char *id = NULL;
        struct bench b;

        bench_open(&b, "libfido2-direct", "yubikey-4-u2f");
        json_object_set_new(json_object_get(options, "rp"), "id",
                json_string("https://login.example.com/appid"));
        cr_assert_str_eq(bench_call(&b, true, options), "", "%s", b.exception.reason);
        id = bench_id(&b);
        json_object_set_new(
                json_object_get(options, "rp"), "id", json_string("example.com"));
        bench_set(&b, "webauthn_supported", json_string("yes"));
        login = json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "challenge", "AAEC", "rpId",
                "example.com", "allowCredentials", "type", "public-key", "id", id);
        cr_expect_str_eq(bench_call(&b, false, login), "NotAllowedError");
        json_object_set_new(login, "extensions",
                bench_json("{\"appid\":\"https://login.example.com/appid\"}"));
        cr_assert_str_eq(bench_call(&b, false, login), "", "%s", b.exception.reason);
        cr_expect(json_is_true(json_object_get(
                json_object_get(b.response, "clientExtensionResults"), "appid")));
        json_object_set_new(options, "excludeCredentials", bench_list(id, 0));
        cr_expect_str_eq(bench_call(&b, true, options), "");
        json_object_set_new(options, "extensions",
                bench_json("{\"appidExclude\":\"https://login.example.com/appid\"}"));
        cr_expect_str_eq(bench_call(&b, true, options), "InvalidStateError");
        bench_done(&b);
}

Test(site, prf_gives_the_same_secret_for_the_same_input)
{
        json_auto_t *options = bench_options("required", "required");
        json_auto_t *login =
                bench_json("{\"challenge\":\"AAEC\",\"rpId\":\"example.com\","
                           "\"extensions\":{\"prf\":"
                           "{\"eval\":{\"first\":\"AAEC\",\"second\":\"AAED\"}}}}");
        json_auto_t *once = NULL;
        struct bench b;

        json_object_set_new(options, "extensions", bench_json("{\"prf\":{}}"));
        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        cr_assert_str_eq(bench_call(&b, true, options), "");
        cr_expect(json_is_true(json_object_get(
                json_object_get(
                        json_object_get(b.response, "clientExtensionResults"), "prf"),
                "enabled")));
        cr_assert_str_eq(bench_call(&b, false, login), "", "%s", b.exception.reason);
        once = json_incref(json_object_get(b.response, "clientExtensionResults"));
        cr_expect_eq(json_object_size(
                             json_object_get(json_object_get(once, "prf"), "results")),
                2);
        cr_assert_str_eq(bench_call(&b, false, login), "");
        cr_expect(json_equal(
                once, json_object_get(b.response, "clientExtensionResults")));
        bench_done(&b);
}

Test(site, cred_props_tell_what_is_known)
{
        static const struct {
                const char *key, *rk, *expected;
        } lines[] = {
                { "yubikey-5-57-pin", "required", "{\"rk\":true}" },
                { "yubikey-5-57-pin", "discouraged", "{\"rk\":false}" },
                { "yubikey-5-51", "discouraged",
                        "{}" }, /* CTAP 2.0 may store it anyway */
                { "yubikey-4-u2f", "discouraged", "{\"rk\":false}" },
        };

        for (size_t i = 0; i < KP_NELEMS(lines); i++) {
                json_auto_t *options = bench_options(lines[i].rk, "preferred");
                json_auto_t *expected = bench_json(lines[i].expected);
                struct bench b;

                json_object_set_new(
                        options, "extensions", bench_json("{\"credProps\":true}"));
                bench_open(&b, "chromium-debian", lines[i].key);
                cr_assert_str_eq(bench_call(&b, true, options), "");
                cr_expect(json_equal(expected,
                                  json_object_get(json_object_get(b.response,
                                                          "clientExtensionResults"),
                                          "credProps")),
                        "%s", lines[i].key);
                bench_done(&b);
        }
}
