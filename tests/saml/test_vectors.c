/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keypilot/core/file.h"
#include "keypilot/core/json.h"
#include "keypilot/saml/saml.h"
#include "keypilot/saml/vectors.h"

/*
 * Messages from the test suites of five other implementations. Where they are absent,
 * the tests are skipped with the reason.
 */
static struct kp_saml_vectors vectors;

/* returns  false where there are none */
static bool
find(struct kp_saml_vectors *ret, struct kp_error *err)
{
        const char *folder = getenv("KEYPILOT_VECTORS");
        char *path = kp_format("%s/saml/index.json", folder != NULL ? folder : "");
        bool found = kp_file_exists(path);
        char why[300];

        if (found)
                cr_assert_eq(kp_saml_vectors_load(path, ret, err), 0, "%s",
                        kp_error_format(err, why, sizeof(why)));
        free(path);
        return found;
}

static void
load(void)
{
        struct kp_error err = { 0 };

        if (!find(&vectors, &err))
                cr_skip_test("no vectors: KEYPILOT_VECTORS leads nowhere");
}

static void
unload(void)
{
        kp_saml_vectors_done(&vectors);
        kp_saml_shutdown();
}

TestSuite(vectors, .init = load, .fini = unload);

static struct kp_saml_vector_result
run(size_t i, struct kp_saml_vector_mode mode)
{
        struct kp_saml_vector_result result;
        struct kp_error err = { 0 };
        char why[300];

        cr_assert_eq(kp_saml_vector_run(&vectors, i, &mode, &result, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        return result;
}

Test(vectors, all_agree_with_a_strict_reader)
{
        size_t n_run = 0;

        for (size_t i = 0; i < json_array_size(vectors.vectors); i++) {
                struct kp_saml_vector_result r =
                        run(i, (struct kp_saml_vector_mode){ 0 });

                n_run += r.agreement != KP_SAML_SKIPPED;
                cr_expect_neq(r.agreement, KP_SAML_DISAGREES,
                        "%s: they say %s (%s), we say %s: %s", r.id, r.expected,
                        r.reason, r.verdict.accepted ? "accept" : "refuse", r.note);
        }
        cr_assert_geq(
                n_run, 162, "only those without a fitting decryption key are skipped");
}

static bool
is_agreed(const struct kp_saml_vector_result *r)
{
        return r->agreement != KP_SAML_DISAGREES;
}

Test(vectors, all_agree_with_a_lenient_reader)
{
        for (size_t i = 0; i < json_array_size(vectors.vectors); i++) {
                struct kp_saml_vector_result r =
                        run(i, (struct kp_saml_vector_mode){ .lenient = true });

                cr_expect(is_agreed(&r), "%s: they say %s (%s), we say %s: %s", r.id,
                        r.expected, r.reason, r.verdict.accepted ? "accept" : "refuse",
                        r.note);
        }
}

Test(vectors, without_sha1_exactly_the_old_signatures_are_refused)
{
        const struct kp_saml_vector_mode mode = { .refuse_sha1 = true };
        size_t n_accepted = 0, n_refused = 0;

        for (size_t i = 0; i < json_array_size(vectors.vectors); i++) {
                struct kp_saml_vector_result r = run(i, mode);

                if (strcmp(r.expected, "accept") != 0)
                        continue;
                n_accepted += r.verdict.accepted;
                n_refused += !r.verdict.accepted;
                if (!r.verdict.accepted)
                        cr_expect_str_eq(r.verdict.rule, "signature-sha1", "%s: %s",
                                r.id, r.verdict.reason);
        }
        cr_expect_eq(n_accepted, 3, "%zu", n_accepted);
        cr_expect_eq(n_refused, 26, "%zu", n_refused);
}

/* For each kind of attack, the rules that may see it. */
static const struct {
        const char *attack, *rules; /* separated by spaces */
} reasons[] = {
        { "bad_digest", "signature-value signature-reference id-form xml-well-formed "
                        "signature-missing encryption assertion-missing" },
        { "bad_keyinfo", "signature-value signature-position" },
        { "bad_signature_position", "signature-order" },
        { "duplicate_attributes", "attribute-twice" },
        { "duplicate_id", "id-twice unsolicited" },
        { "empty_reference_uri", "signature-reference" },
        { "encrypted_injection", "signature-reference" },
        { "encrypted_unsigned", "signature-missing" },
        { "no_authnstatement", "authn-statement" },
        { "no_conditions", "conditions" },
        { "no_nameid", "name-id" },
        { "no_subjectconfirmation", "confirmation confirmation-data" },
        { "session_expired", "session-expired" },
        { "transforms_dos", "signature-transforms" },
        { "wrong_destination", "destination" },
        { "wrong_spnamequalifier", "sp-name-qualifier" },
        { "wrong_version", "message-type" },
        { "xxe", "xml-doctype" },
};

static bool
has_word(const char *words, const char *word)
{
        const char *at = strstr(words, word);
        size_t len = strlen(word);

        while (at != NULL && !((at == words || at[-1] == ' ') &&
                                     (at[len] == ' ' || at[len] == '\0')))
                at = strstr(at + 1, word);
        return at != NULL;
}

Test(vectors, are_refused_for_what_was_done_to_them)
{
        size_t n = 0;

        for (size_t i = 0; i < json_array_size(vectors.vectors); i++) {
                const json_t *vector = json_array_get(vectors.vectors, i);
                const char *attack = kp_json_str(vector, "attack", "");
                struct kp_saml_vector_result r;

                if (kp_json_bool(vector, "needs_signature_check_off", false) ||
                        strcmp(kp_json_str(vector, "expect", ""), "reject") != 0)
                        continue;
                r = run(i, (struct kp_saml_vector_mode){ 0 });
                for (size_t j = 0; j < KP_NELEMS(reasons); j++)
                        if (strcmp(reasons[j].attack, attack) == 0) {
                                n++;
                                cr_expect(has_word(reasons[j].rules, r.verdict.rule),
                                        "%s (%s): refused by %s: %s", r.id, attack,
                                        r.verdict.rule, r.verdict.reason);
                        }
        }
        cr_expect_gt(n, 35, "%zu", n);
}

/* One member turned round must show: an index that lies is not agreed with. */
Test(vectors, a_lying_index_is_found_out)
{
        json_t *first = json_array_get(vectors.vectors, 0);
        json_t *message = json_object_get(first, "message");
        struct kp_saml_vector_result r;

        json_object_set_new(message, "issuer", json_string("http://other.example/"));
        r = run(0, (struct kp_saml_vector_mode){ 0 });
        cr_expect_eq(r.agreement, KP_SAML_DISAGREES);
        cr_expect_not_null(strstr(r.note, "issuer"));
        json_object_set_new(message, "issuer", json_string("http://idp.example.com/"));
        json_object_set_new(first, "expect", json_string("reject"));
        r = run(0, (struct kp_saml_vector_mode){ 0 });
        cr_expect_eq(r.agreement, KP_SAML_DISAGREES);
        json_object_set_new(first, "expect", json_string("perhaps"));
        r = run(0, (struct kp_saml_vector_mode){ 0 });
        cr_expect_eq(r.agreement, KP_SAML_SKIPPED);
}

static size_t n_judged;

static void
say_count(void)
{
        printf("# vectors: %zu\n", n_judged);
}

/*
 * How many were judged. Criterion closes the standard output to its tests, so the
 * program that runs them counts for itself and speaks at its very end.
 */
ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
        const struct kp_saml_vector_mode mode = { 0 };
        const char *folder = getenv("KEYPILOT_VECTORS");
        char *path = kp_format("%s/saml/index.json", folder != NULL ? folder : "");
        struct kp_saml_vectors all = { 0 };
        struct kp_saml_vector_result result;
        struct kp_error err = { 0 };

        (void)stats;
        if (kp_saml_vectors_load(path, &all, &err) == 0) {
                for (size_t i = 0; i < json_array_size(all.vectors); i++)
                        if (kp_saml_vector_run(&all, i, &mode, &result, &err) == 0)
                                n_judged += result.agreement != KP_SAML_SKIPPED;
                kp_saml_vectors_done(&all);
                if (atexit(say_count) != 0)
                        abort();
        }
        kp_saml_shutdown();
        free(path);
}
