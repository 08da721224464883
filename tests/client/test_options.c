/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

/*
 * Options that are wrong in one thing. What should come is what Chromium 156 was seen
 * to do with the same options, unless the specification's text is cited.
 */
#define RP "\"rp\":{\"name\":\"x\",\"id\":\"example.com\"}"
#define USER "\"user\":{\"id\":\"AQID\",\"name\":\"n\",\"displayName\":\"d\"}"
#define CHALLENGE "\"challenge\":\"AAECAwQF\""
#define PARAMS "\"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":-7}]"
#define CREATE(more) "{" RP "," USER "," CHALLENGE "," PARAMS more "}"
#define GET(more) "{\"rpId\":\"example.com\"," CHALLENGE more "}"

struct line {
        const char *options;
        const char *name, *reason; /* "" and NULL: a credential */
};

/* clang-format off */
static const struct line creates[] = {
        { CREATE(""), "", NULL },
        { CREATE(",\"unknown\":{\"deep\":[1]}"), "", NULL },
        { "[]", "TypeError", "option-mistyped" },
        { "{" USER "," CHALLENGE "," PARAMS "}", "TypeError", "option-mistyped" },
        { "{\"rp\":null," USER "," CHALLENGE "," PARAMS "}", "TypeError", "option-mistyped" },
        { "{\"rp\":5," USER "," CHALLENGE "," PARAMS "}", "TypeError", "option-mistyped" },
        { "{\"rp\":{\"id\":\"example.com\"}," USER "," CHALLENGE "," PARAMS "}", "TypeError", "option-mistyped" },
        { "{\"rp\":{\"name\":null}," USER "," CHALLENGE "," PARAMS "}", "", NULL },
        { "{" RP "," CHALLENGE "," PARAMS "}", "TypeError", "option-mistyped" },
        { "{" RP ",\"user\":{\"id\":\"AQID\",\"name\":\"n\"}," CHALLENGE "," PARAMS "}", "TypeError", "option-mistyped" },
        { "{" RP ",\"user\":{\"id\":5,\"name\":\"n\",\"displayName\":\"d\"}," CHALLENGE "," PARAMS "}", "EncodingError", "option-not-base64url" },
        { "{" RP ",\"user\":{\"id\":\"AAE=\",\"name\":\"n\",\"displayName\":\"d\"}," CHALLENGE "," PARAMS "}", "EncodingError", "option-not-base64url" },
        { "{" RP ",\"user\":{\"id\":true,\"name\":5,\"displayName\":{}}," CHALLENGE "," PARAMS "}", "", NULL },
        /* WebAuthn L3 §5.1.3 step 5 */
        { "{" RP ",\"user\":{\"id\":\"\",\"name\":\"n\",\"displayName\":\"d\"}," CHALLENGE "," PARAMS "}", "TypeError", "user-id-length" },
        { "{" RP ",\"user\":{\"id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"name\":\"n\",\"displayName\":\"d\"}," CHALLENGE "," PARAMS "}", "", NULL },
        { "{" RP ",\"user\":{\"id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"name\":\"n\",\"displayName\":\"d\"}," CHALLENGE "," PARAMS "}", "TypeError", "user-id-length" },
        { "{" RP "," USER "," PARAMS "}", "TypeError", "option-mistyped" },
        { "{" RP "," USER ",\"challenge\":\"a b\"," PARAMS "}", "EncodingError", "option-not-base64url" },
        { "{" RP "," USER ",\"challenge\":\"AA+/\"," PARAMS "}", "EncodingError", "option-not-base64url" },
        { "{" RP "," USER ",\"challenge\":\"A\"," PARAMS "}", "EncodingError", "option-not-base64url" },
        { "{" RP "," USER ",\"challenge\":\"AAF\"," PARAMS "}", "", NULL },
        { "{" RP "," USER ",\"challenge\":null," PARAMS "}", "", NULL },
        { "{" RP "," USER "," CHALLENGE "}", "TypeError", "option-mistyped" },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":\"x\"}", "TypeError", "option-mistyped" },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[]}", "", NULL },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[5]}", "TypeError", "option-mistyped" },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"alg\":-7}]}", "TypeError", "option-mistyped" },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"type\":\"public-key\"}]}", "TypeError", "option-mistyped" },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"type\":\"x\",\"alg\":-7}]}", "NotSupportedError", "algorithm-not-asked" },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":\"-7\"}]}", "", NULL },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":4294967289}]}", "", NULL },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":-7.5}]}", "", NULL },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"type\":\"public-key\",\"alg\":\"x\"}]}", "NotAllowedError", "algorithm-not-on-key" },
        { "{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[{\"type\":\"x\",\"alg\":-257},{\"type\":\"public-key\",\"alg\":-7}]}", "", NULL },
        { CREATE(",\"timeout\":\"x\""), "", NULL },
        { CREATE(",\"timeout\":-1"), "", NULL },
        { CREATE(",\"excludeCredentials\":null"), "TypeError", "option-mistyped" },
        { CREATE(",\"excludeCredentials\":[{\"type\":\"public-key\"}]"), "TypeError", "option-mistyped" },
        { CREATE(",\"excludeCredentials\":[{\"type\":\"public-key\",\"id\":\"A A\"}]"), "EncodingError", "option-not-base64url" },
        { CREATE(",\"excludeCredentials\":[{\"type\":\"public-key\",\"id\":\"AAAA\",\"transports\":\"usb\"}]"), "TypeError", "option-mistyped" },
        { CREATE(",\"excludeCredentials\":[{\"type\":\"x\",\"id\":\"AAAA\"},{\"type\":\"public-key\",\"id\":\"AAAA\",\"transports\":[\"zz\",5]}]"), "", NULL },
        { CREATE(",\"authenticatorSelection\":null"), "", NULL },
        { CREATE(",\"authenticatorSelection\":\"x\""), "TypeError", "option-mistyped" },
        { CREATE(",\"authenticatorSelection\":{\"authenticatorAttachment\":\"x\",\"residentKey\":\"x\",\"userVerification\":\"x\"}"), "", NULL },
        { CREATE(",\"authenticatorSelection\":{\"authenticatorAttachment\":\"platform\"}"), "NotAllowedError", "attachment-not-in-reach" },
        { CREATE(",\"attestation\":\"x\""), "", NULL },
        { CREATE(",\"attestation\":5"), "", NULL },
        { CREATE(",\"hints\":\"x\""), "TypeError", "option-mistyped" },
        { CREATE(",\"hints\":[\"x\",5]"), "", NULL },
        { CREATE(",\"extensions\":\"x\""), "TypeError", "option-mistyped" },
        { CREATE(",\"extensions\":{\"unknown\":1}"), "", NULL },
        { CREATE(",\"extensions\":{\"appid\":\"https://example.com/x\"}"), "NotSupportedError", "extension-input" },
        { CREATE(",\"extensions\":{\"appidExclude\":\"x\"}"), "SyntaxError", "appid-not-url" },
        { CREATE(",\"extensions\":{\"appidExclude\":\"https://other.example/x\"}"), "SecurityError", "appid-not-for-origin" },
        { CREATE(",\"extensions\":{\"appidExclude\":\"https://example.com/x\"}"), "", NULL },
        { CREATE(",\"extensions\":{\"credentialProtectionPolicy\":\"x\"}"), "NotSupportedError", "extension-input" },
        { CREATE(",\"extensions\":{\"credentialProtectionPolicy\":\"userVerificationRequired\"}"), "NotSupportedError", "extension-input" },
        { CREATE(",\"extensions\":{\"enforceCredentialProtectionPolicy\":true}"), "NotSupportedError", "extension-input" },
        { CREATE(",\"extensions\":{\"credBlob\":\"A A\"}"), "EncodingError", "option-not-base64url" },
        { CREATE(",\"extensions\":{\"prf\":5}"), "TypeError", "option-mistyped" },
        { CREATE(",\"extensions\":{\"prf\":{\"eval\":{}}}"), "TypeError", "option-mistyped" },
        { CREATE(",\"extensions\":{\"prf\":{\"eval\":{\"first\":\"A A\"}}}"), "EncodingError", "option-not-base64url" },
        { CREATE(",\"extensions\":{\"prf\":{\"evalByCredential\":{\"AAAA\":{\"first\":\"AAEC\"}}}}"), "NotSupportedError", "extension-input" },
        { CREATE(",\"extensions\":{\"largeBlob\":{\"read\":true}}"), "NotSupportedError", "extension-input" },
        { CREATE(",\"extensions\":{\"largeBlob\":{\"support\":\"required\"}}"), "NotAllowedError", "large-blob-not-supported" },
        { CREATE(",\"extensions\":{\"largeBlob\":{\"support\":\"preferred\"}}"), "", NULL },
};

static const struct line gets[] = {
        { "{}", "TypeError", "option-mistyped" },
        { GET(""), "NotAllowedError", "no-credential" },
        { GET(",\"allowCredentials\":null"), "TypeError", "option-mistyped" },
        { GET(",\"allowCredentials\":[{}]"), "TypeError", "option-mistyped" },
        { GET(",\"allowCredentials\":[{\"type\":\"public-key\",\"id\":\"A\"}]"), "EncodingError", "option-not-base64url" },
        { GET(",\"allowCredentials\":[{\"type\":\"public-key\",\"id\":\"AAAA\"}]"), "NotAllowedError", "no-credential" },
        { GET(",\"allowCredentials\":[{\"type\":\"public-key\",\"id\":\"AAAA\",\"transports\":[\"nfc\"]}]"), "NotAllowedError", "transport-not-listed" },
        { GET(",\"extensions\":{\"credProps\":true}"), "NotSupportedError", "extension-input" },
        /* WebAuthn L3 §10.1.1: an AppID without a list */
        { GET(",\"extensions\":{\"appid\":\"x\"}"), "SyntaxError", "appid-not-url" },
        { GET(",\"extensions\":{\"appid\":\"https://other.example/x\"}"), "SecurityError", "appid-not-for-origin" },
        { GET(",\"allowCredentials\":[{\"type\":\"public-key\",\"id\":\"AAAA\"}],\"extensions\":{\"appid\":\"x\"}"), "SyntaxError", "appid-not-url" },
        { GET(",\"allowCredentials\":[{\"type\":\"public-key\",\"id\":\"AAAA\"}],\"extensions\":{\"prf\":{\"evalByCredential\":{\"\":{\"first\":\"AA\"}}}}"), "SyntaxError", "extension-syntax" },
        { GET(",\"allowCredentials\":[{\"type\":\"public-key\",\"id\":\"AAAA\"}],\"extensions\":{\"prf\":{\"evalByCredential\":{\"BBBB\":{\"first\":\"AA\"}}}}"), "SyntaxError", "extension-syntax" },
        { GET(",\"extensions\":{\"prf\":{\"evalByCredential\":{\"BBBB\":{\"first\":\"AA\"}}}}"), "NotSupportedError", "extension-input" },
        { GET(",\"extensions\":{\"largeBlob\":{\"read\":true,\"write\":\"AA\"}}"), "NotSupportedError", "extension-input" },
};
/* clang-format on */

static void
check(bool create, const struct line *lines, size_t n_lines)
{
        for (size_t i = 0; i < n_lines; i++) {
                json_auto_t *options = bench_json(lines[i].options);
                struct bench b;

                bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
                cr_expect_str_eq(bench_call(&b, create, options), lines[i].name,
                        "%s: %s (%s)", lines[i].options, b.exception.name,
                        b.exception.message);
                if (lines[i].reason != NULL)
                        cr_expect(bench_reason(&b, lines[i].reason), "%s",
                                lines[i].options);
                bench_done(&b);
        }
}

Test(options, of_a_registration_are_refused_as_a_browser_refuses_them)
{
        check(true, creates, KP_NELEMS(creates));
}

Test(options, of_a_login_are_refused_as_a_browser_refuses_them)
{
        check(false, gets, KP_NELEMS(gets));
}

Test(options, without_algorithms_mean_es256_and_rs256)
{
        json_auto_t *options =
                bench_json("{" RP "," USER "," CHALLENGE ",\"pubKeyCredParams\":[]}");
        struct bench b;

        bench_open(&b, "chrome-windows", "windows-hello-hw");
        cr_expect_str_eq(bench_call(&b, true, options), "", "%s", b.exception.reason);
        cr_expect_eq(kp_json_int(json_object_get(b.response, "response"),
                             "publicKeyAlgorithm", 0),
                -257);
        bench_done(&b);
}
