/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/wait.h>
#include <unistd.h>

#include "attests.h"

/*
 * Other people's relying parties judge what simulated keys attest: @simplewebauthn/server,
 * python3-fido2 and, for the certificates alone, the program openssl.
 * Spec: WebAuthn L3 §8
 */
TestSuite(attestation_peers, .init = setup, .fini = teardown);

static json_t *
case_of(const struct wish *wish)
{
        struct rig rig;
        json_t *one;

        open_key(&rig, wish->key);
        expect_status(make(&rig, wish), KP_CTAP_OK);
        one = json_pack("{s:s, s:s, s:i, s:b, s:o}", "key", wish->key, "format",
                wish->given, "alg", wish->alg, "path",
                strcmp(wish->type, "none") != 0 && strcmp(wish->type, "self") != 0,
                "response", response_of(&rig));
        cr_assert_not_null(one);
        rig_close(&rig);
        return one;
}

/* All registrations into one file; the folder is the caller's to remove. */
static void
write_cases(char folder[64], char file[96])
{
        json_auto_t *cases = json_array();

        (void)snprintf(folder, 64, "/tmp/keypilot-attests-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
        (void)snprintf(file, 96, "%s/cases.json", folder);
        for (size_t i = 0; i < KP_NELEMS(wishes); i++)
                json_array_append_new(cases, case_of(&wishes[i]));
        cr_assert_eq(json_dump_file(cases, file, 0), 0);
}

/* Its lines on stderr say what it thinks; 77: it is not there. */
static void
judge_with(const char *program, const char *script)
{
        KP_CLEANUP(kp_free_str) char *command = NULL;
        char folder[64], file[96];
        int status;

        write_cases(folder, file);
        command = kp_format("%s %s/tests/lab/%s %s %s/keys/attestation-root.pem 1>&2",
                program, getenv("KEYPILOT_SOURCE"), script, file,
                getenv("KEYPILOT_FIXTURES"));
        status = system(command);
        (void)unlink(file);
        (void)rmdir(folder);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
                cr_skip_test("%s: its libraries are not installed", script);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", command);
}

Test(attestation_peers, python_fido2_and_openssl_verify_statements_and_chains)
{
        if (access("/usr/bin/python3", X_OK) != 0)
                cr_skip_test("python3 is not installed");
        judge_with("/usr/bin/python3 -B", "attestation.py");
}

Test(attestation_peers, simplewebauthn_verifies_statements_and_chains)
{
        if (getenv("KEYPILOT_LAB_DIR") == NULL || access("/usr/bin/node", X_OK) != 0)
                cr_skip_test("Node or the npm packages of tests/lab are not there");
        judge_with("/usr/bin/node", "attestation.mjs");
}
