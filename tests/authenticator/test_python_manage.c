/* SPDX-License-Identifier: BSD-2-Clause */
#include "peers.h"
#include "pipe.h"

/*
 * python3-fido2 enrols fingers and keeps large blobs, at the other end of pipes.
 * Spec: CTAP 2.1 §6.7, §6.10
 */
static void
manage(const char *what, const char *profile)
{
        static const uint8_t samples[] = { 0x00, 0x03, 0x07 };
        struct rig rig;
        char argument[128];

        if (!have_python_fido2())
                cr_skip_test("python3-fido2 is not installed");
        rig_open_own(&rig, profile);
        kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 120, true);
        kp_authenticator_set_samples(rig.key, samples, sizeof(samples));
        /* the PIN is the public test value of the fixture */
        (void)snprintf(argument, sizeof(argument), "%s %s", what,
                kp_authenticator_profile_test_pin(rig.profile));
        cr_assert_eq(
                pipe_run(&rig, "peer_manage.py", (const char *[]){ argument, NULL }), 0,
                "%s", what);
        rig_close(&rig);
}

Test(python_manage, enrols_fingers_with_python_fido2)
{
        manage("fingers", "\"like\": \"yubikey-bio\", \"bio_samples\": 4, \"options\":"
                          " {\"uv\": false, \"bioEnroll\": false,"
                          " \"userVerificationMgmtPreview\": false},"
                          " \"state\": {\"pin\": \"set\", \"fingers\": 0}");
}

Test(python_manage, keeps_large_blobs_for_python_fido2)
{
        manage("blobs",
                "\"like\": \"yubikey-5-57\", \"options\": {\"clientPin\": true},"
                " \"state\": {\"pin\": \"set\"}");
}
