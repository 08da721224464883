/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "keypilot/core/file.h"
#include "keypilot/saml/saml.h"
#include "keypilot/saml/vectors.h"

/*
 * Messages from the test suites of five other implementations. Where they are absent,
 * the tests are skipped with the reason.
 */
static struct kp_saml_vectors vectors;

static void
load(void)
{
        const char *folder = getenv("KEYPILOT_VECTORS");
        char *path = kp_format("%s/saml/index.json", folder != NULL ? folder : "");
        struct kp_error err = { 0 };
        char why[300];

        if (!kp_file_exists(path))
                cr_skip_test("no vectors at KEYPILOT_VECTORS: %s", path);
        cr_assert_eq(kp_saml_vectors_load(path, &vectors, &err), 0, "%s",
                kp_error_format(&err, why, sizeof(why)));
        free(path);
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
                cr_expect_eq(r.agreement, KP_SAML_AGREES,
                        "%s: they say %s (%s), we say %s: %s", r.id, r.expected,
                        r.reason, r.verdict.accepted ? "accept" : "refuse", r.note);
        }
        printf("# vectors: %zu\n", n_run);
        fflush(stdout);
        cr_assert_gt(n_run, 150);
}
