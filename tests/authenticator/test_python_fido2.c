/* SPDX-License-Identifier: BSD-2-Clause */
#include "pipe.h"

/*
 * A second platform that is not ours: python3-fido2, at the other end of pipes.
 * Spec: CTAP 2.1 §6
 */
Test(python_fido2, registers_and_logs_in_with_its_own_verification)
{
        const struct {
                const char *id;
                int alg;
                bool rk;
        } cases[] = {
                { "yubikey-5-57", KP_COSE_ES256, false },
                { "yubikey-5-57-pin", KP_COSE_ES256, true },
                { "yubikey-5-57-pin", KP_COSE_EDDSA, false },
                { "google-titan-v2-pin", KP_COSE_ES256, true },
                { "swissbit-ishield", KP_COSE_RS256, false },
                { "opensk", KP_COSE_ES256, false },
                { "yubikey-4-u2f", KP_COSE_ES256, false },
        };

        if (!have_python_fido2())
                cr_skip_test("python3-fido2 is not installed");
        for (size_t i = 0; i < KP_NELEMS(cases); i++) {
                struct rig rig;
                char number[16], root[512];
                const char *pin;

                rig_open(&rig, cases[i].id);
                kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 150, true);
                /* the PIN is the public test value of the fixture */
                pin = kp_authenticator_profile_test_pin(rig.profile);
                (void)snprintf(number, sizeof(number), "%d", cases[i].alg);
                (void)snprintf(root, sizeof(root), "%s/keys/attestation-root.pem",
                        getenv("KEYPILOT_FIXTURES"));
                cr_expect_eq(pipe_run(&rig, "peer_fido2.py",
                                     (const char *[]){ pin == NULL ? "-" : pin, number,
                                             cases[i].rk ? "1" : "0", root, NULL }),
                        0, "%s, algorithm %d", cases[i].id, cases[i].alg);
                rig_close(&rig);
        }
}
