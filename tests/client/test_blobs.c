/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench.h"

/*
 * largeBlob and prf at creation, on keys that have them.
 * Spec: WebAuthn L3 §10.1.4, §10.1.5
 */
static const json_t *
result(const struct bench *b, const char *extension)
{
        return json_object_get(
                json_object_get(b->response, "clientExtensionResults"), extension);
}

static const char *
create_with(struct bench *b, const char *rk, const char *extensions)
{
        json_auto_t *options = bench_options(rk, "preferred");

        json_object_set_new(options, "extensions", bench_json(extensions));
        return bench_call(b, true, options);
}

static const char *
get_with(struct bench *b, const char *id, const char *uv, const char *extensions)
{
        json_auto_t *options = json_pack("{s:s, s:s, s:s, s:[{s:s, s:s}]}", "challenge",
                "AAECAwQF", "rpId", "example.com", "userVerification", uv,
                "allowCredentials", "type", "public-key", "id", id);

        json_object_set_new(options, "extensions", bench_json(extensions));
        return bench_call(b, false, options);
}

Test(blobs, what_a_site_writes_it_reads_again_after_one_pin)
{
        struct bench b;
        KP_CLEANUP(kp_free_str) char *id = NULL;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        /* not "required": Chromium would have it hidden from unverified people */
        cr_assert_str_eq(create_with(&b, "preferred",
                                 "{\"largeBlob\":{\"support\":\"required\"}}"),
                "", "%s", b.exception.reason);
        cr_expect(json_is_true(json_object_get(result(&b, "largeBlob"), "supported")));
        id = bench_id(&b);
        cr_assert_str_eq(
                get_with(&b, id, "discouraged", "{\"largeBlob\":{\"read\":true}}"), "");
        cr_expect_eq(json_object_size(result(&b, "largeBlob")), 0, "nothing yet");
        cr_assert_str_eq(get_with(&b, id, "discouraged",
                                 "{\"largeBlob\":{\"write\":\"AAECAw\"}}"),
                "");
        cr_expect(json_is_true(json_object_get(result(&b, "largeBlob"), "written")));
        /* a protected key writes for a verified person only; once is enough */
        cr_expect(bench_prompts(&b, "client.get", "pin touch"));
        cr_assert_str_eq(
                get_with(&b, id, "preferred", "{\"largeBlob\":{\"read\":true}}"), "");
        cr_expect_str_eq(kp_json_str(result(&b, "largeBlob"), "blob", ""), "AAECAw");
        bench_done(&b);
}

Test(blobs, a_wrong_pin_writes_nothing_and_costs_a_question)
{
        struct bench b;
        KP_CLEANUP(kp_free_str) char *id = NULL;
        const char *right;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        right = b.pins[0];
        cr_assert_str_eq(create_with(&b, "required",
                                 "{\"largeBlob\":{\"support\":\"preferred\"}}"),
                "");
        id = bench_id(&b);
        b.n_asked = 0;
        b.pins[0] = "000000";
        b.pins[1] = right;
        cr_assert_str_eq(
                get_with(&b, id, "required", "{\"largeBlob\":{\"write\":\"AAEC\"}}"),
                "", "%s", b.exception.reason);
        cr_expect(json_is_true(json_object_get(result(&b, "largeBlob"), "written")));
        cr_expect(bench_prompts(&b, "client.get", "pin pin touch"));
        bench_done(&b);
}

Test(blobs, a_key_or_a_passkey_without_has_none)
{
        struct bench b;
        KP_CLEANUP(kp_free_str) char *id = NULL;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        cr_expect_str_eq(create_with(&b, "discouraged",
                                 "{\"largeBlob\":{\"support\":\"required\"}}"),
                "NotAllowedError", "only discoverable ones have a blob");
        cr_expect(bench_reason(&b, "large-blob-not-supported"));
        cr_assert_str_eq(create_with(&b, "required", "{}"), "");
        id = bench_id(&b);
        cr_assert_str_eq(
                get_with(&b, id, "required", "{\"largeBlob\":{\"write\":\"AAEC\"}}"),
                "");
        cr_expect(json_is_false(json_object_get(result(&b, "largeBlob"), "written")));
        bench_done(&b);
        bench_open(&b, "chromium-debian", "yubikey-5-52-pin");
        cr_assert_str_eq(create_with(&b, "required",
                                 "{\"largeBlob\":{\"support\":\"preferred\"}}"),
                "");
        cr_expect(json_is_false(json_object_get(result(&b, "largeBlob"), "supported")));
        bench_done(&b);
}

Test(blobs, a_client_that_has_none_asks_no_key)
{
        struct bench b;

        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        bench_set(&b, "large_blob", json_string("no"));
        cr_expect_str_eq(create_with(&b, "required",
                                 "{\"largeBlob\":{\"support\":\"required\"}}"),
                "NotAllowedError");
        bench_done(&b);
}

Test(blobs, a_newer_key_evaluates_prf_when_the_passkey_is_made)
{
        struct bench b;
        KP_CLEANUP(kp_free_str) char *id = NULL, *first = NULL;

        bench_open(&b, "chromium-debian", "yubikey-5-58");
        b.new_pin = "135790"; /* it has none yet */
        for (size_t i = 0; i < KP_NELEMS(b.pins); i++)
                b.pins[i] = b.new_pin;
        cr_assert_str_eq(create_with(&b, "required",
                                 "{\"prf\":{\"eval\":{\"first\":\"AAEC\"}}}"),
                "", "%s", b.exception.reason);
        cr_expect(json_is_true(json_object_get(result(&b, "prf"), "enabled")));
        id = bench_id(&b);
        first = strdup(kp_json_str(
                json_object_get(result(&b, "prf"), "results"), "first", ""));
        cr_expect_eq(strlen(first), 43);
        cr_assert_str_eq(get_with(&b, id, "required",
                                 "{\"prf\":{\"eval\":{\"first\":\"AAEC\"}}}"),
                "");
        cr_expect_str_eq(kp_json_str(json_object_get(result(&b, "prf"), "results"),
                                 "first", "-"),
                first, "the login gives the same");
        bench_done(&b);
}
