/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <unistd.h>

#include "keypilot/codec/b64url.h"

#include "bench.h"

/*
 * The profiles of clients, the words for refusals, and client data against the vectors
 * of the specification.
 */

Test(profiles, all_load_and_are_listed_in_the_table)
{
        KP_CLEANUP(kp_free_str) char *dir = kp_format("%s/clients", bench_fixtures());
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_dir_list(dir, ".json", &names, &err), 0, "%s", bench_why(&err));
        cr_expect_geq(names.n_names, 13);
        for (size_t i = 0; i < names.n_names; i++) {
                KP_CLEANUP(kp_free_str)
                char *path = kp_format("%s/%s", dir, names.names[i]);
                KP_CLEANUP(kp_profile_free) struct kp_profile *profile = NULL;

                cr_expect_eq(kp_profile_load(KP_KIND_CLIENT, path, &profile, &err), 0,
                        "%s", bench_why(&err));
        }
}

Test(profiles, a_word_that_no_actor_knows_is_refused_by_name)
{
        static const struct {
                const char *fact, *value, *says;
        } lines[] = {
                { "uv_required_without_pin_behaviour", "\"ask_nicely\"",
                        "expected one of prompt_set_pin" },
                { "usb_security_keys", "true", "expected a string" },
                { "app_linked_rp_ids", "[5]", "expected an array of strings" },
                { "favourite_colour", "\"blue\"", "a client has no fact" },
        };

        for (size_t i = 0; i < KP_NELEMS(lines); i++) {
                json_auto_t *value = bench_json(lines[i].value);
                struct kp_error err = { 0 };

                cr_expect_eq(
                        kp_fact_value_check(KP_KIND_CLIENT, lines[i].fact, value, &err),
                        -1, "%s", lines[i].fact);
                cr_expect_not_null(
                        strstr(bench_why(&err), lines[i].says), "%s", bench_why(&err));
        }
}

/* A trace carries plain values of at most 160 bytes: longer facts could not be read. */
Test(profiles, every_fact_that_is_read_fits_into_a_trace)
{
        KP_CLEANUP(kp_free_str) char *dir = kp_format("%s/clients", bench_fixtures());
        KP_CLEANUP(kp_names_done) struct kp_names names = { 0 };
        struct kp_error err = { 0 };

        cr_assert_eq(kp_dir_list(dir, ".json", &names, &err), 0);
        for (size_t i = 0; i < names.n_names; i++) {
                struct bench b;

                names.names[i][strlen(names.names[i]) - strlen(".json")] = '\0';
                bench_open(&b, names.names[i], "yubikey-4-u2f");
                for (const struct kp_fact_type *t = kp_facts_client; t->name != NULL;
                        t++) {
                        (void)kp_fact(&b.client.actor, t->name);
                        cr_expect_eq(kp_trace_check(b.trace, &err), 0, "%s: %s",
                                names.names[i], t->name);
                }
                bench_done(&b);
        }
}

Test(profiles, reasons_are_in_order_and_kebab_case)
{
        static const char *const names[] = { "AbortError", "EncodingError",
                "InvalidStateError", "NotAllowedError", "NotSupportedError",
                "SecurityError", "SyntaxError", "TypeError" };
        const char *last = "";

        for (const struct kp_client_reason *r = kp_client_reasons; r->word != NULL;
                r++) {
                bool known = false;

                cr_expect_lt(strcmp(last, r->word), 0, "%s", r->word);
                cr_expect_eq(strspn(r->word, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                        strlen(r->word), "%s", r->word);
                for (size_t i = 0; i < KP_NELEMS(names); i++)
                        known |= strcmp(r->exception, names[i]) == 0;
                cr_expect(known, "%s: %s", r->word, r->exception);
                last = r->word;
        }
}

/* ---- client data, against somebody else's ---- */

static json_t *
client_data_of(const json_t *vector)
{
        const char *text = kp_json_str(
                json_object_get(json_object_get(vector, "response"), "response"),
                "clientDataJSON", "");
        KP_CLEANUP(kp_buf_done) struct kp_buf bytes = { 0 };
        struct kp_error err = { 0 };
        json_t *json = NULL;

        cr_assert_eq(kp_b64url_decode(text, strlen(text), &bytes, &err), 0);
        cr_assert_eq(
                kp_json_parse("client data", bytes.data, bytes.len, &json, &err), 0);
        json_object_set_new(json, "raw", json_string(text));
        return json;
}

/* Same challenge, origin and place: the same bytes, up to what is added. */
static void
compare_client_data(const json_t *vector, const json_t *data)
{
        bool create = strcmp(kp_json_str(vector, "kind", ""), "registration") == 0;
        const char *top = kp_json_str(data, "topOrigin", NULL);
        json_auto_t *options = create ? bench_options("discouraged", "discouraged")
                                      : json_pack("{s:s}", "challenge", "");
        struct bench b;

        json_object_set(options, "challenge", json_object_get(data, "challenge"));
        if (create)
                json_object_del(json_object_get(options, "rp"), "id");
        bench_open(&b, "chromium-debian", "yubikey-5-57-pin");
        b.page.origin = kp_json_str(data, "origin", "");
        if (kp_json_bool(data, "crossOrigin", false)) {
                b.page.framing = KP_FRAME_CROSS_ORIGIN;
                b.page.top_origin = top;
                b.page.allow =
                        "publickey-credentials-create; publickey-credentials-get";
        }
        if (!create) { /* something to log in with */
                struct kp_page page = b.page;
                json_auto_t *enrolment = bench_options("required", "required");

                b.page = (struct kp_page){ .origin = page.origin };
                json_object_del(json_object_get(enrolment, "rp"), "id");
                cr_assert_str_eq(bench_call(&b, true, enrolment), "");
                b.page = page;
        }
        cr_assert_str_eq(bench_call(&b, create, options), "", "%s", b.exception.reason);
        cr_expect_str_eq(kp_json_str(json_object_get(b.response, "response"),
                                 "clientDataJSON", ""),
                kp_json_str(data, "raw", "-"), "%s", kp_json_str(vector, "name", ""));
        bench_done(&b);
}

Test(profiles, client_data_are_byte_for_byte_those_of_the_specification)
{
        const char *dir = getenv("KEYPILOT_VECTORS");
        KP_CLEANUP(kp_free_str)
        char *path = kp_format("%s/webauthn/w3c-l3-spec.json", dir == NULL ? "" : dir);
        json_auto_t *vectors = NULL;
        struct kp_error err = { 0 };
        const json_t *vector;
        size_t i, n = 0;

        if (dir == NULL || !kp_file_exists(path))
                cr_skip_test("no vectors: set KEYPILOT_VECTORS");
        cr_assert_eq(kp_json_load_any(path, KP_JSON_MAX_BULK, &vectors, &err), 0, "%s",
                bench_why(&err));
        json_array_foreach (vectors, i, vector) {
                json_auto_t *data = client_data_of(vector);

                /*
                 * The others carry members that only a future client would add, or say
                 * crossOrigin without the page around it, which we always know.
                 */
                if (json_object_get(data, "extraData") != NULL)
                        continue;
                compare_client_data(vector, data);
                n++;
        }
        cr_expect_gt(n, 10);
}
