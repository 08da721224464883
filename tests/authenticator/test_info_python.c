/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/wait.h>
#include <unistd.h>

#include "keypilot/core/file.h"

#include "rig.h"

/* Somebody else's reader: python3-fido2 and its Info class. CTAP 2.1 §6.4 */
#define PYTHON "/usr/bin/python3"

static bool
have_python_fido2(void)
{
        return access(PYTHON, X_OK) == 0 &&
               system(PYTHON " -c 'import fido2.ctap2' 2>/dev/null") == 0;
}

/* One line for the peer; keys that speak only U2F have nothing to tell. */
static void
tell(FILE *peer, const char *file)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf hex = { 0 };
        struct rig rig;
        char id[128];

        (void)snprintf(id, sizeof(id), "%.*s", (int)strlen(file) - 5, file);
        rig_open(&rig, id);
        if (rig_command(&rig, KP_CTAP_GET_INFO) == KP_CTAP_OK) {
                kp_buf_put_hex(&hex, rig.answer.data + 1, rig.answer.len - 1);
                cr_assert_gt(fprintf(peer, "%s %s\n", id, kp_buf_str(&hex)), 0);
        }
        rig_close(&rig);
}

Test(info_python, python3_fido2_reads_what_every_profile_states)
{
        KP_CLEANUP(kp_names_done) struct kp_names files = { 0 };
        struct kp_error err = { 0 };
        char dir[512], command[1100];
        FILE *peer;

        if (!have_python_fido2())
                cr_skip_test("python3-fido2 is not installed");
        (void)snprintf(
                dir, sizeof(dir), "%s/authenticators", getenv("KEYPILOT_FIXTURES"));
        (void)snprintf(command, sizeof(command),
                PYTHON " -B '%s/tests/authenticator/peer_info.py' '%s'",
                getenv("KEYPILOT_SOURCE"), getenv("KEYPILOT_FIXTURES"));
        cr_assert_eq(kp_dir_list(dir, ".json", &files, &err), 0);
        cr_assert_not_null(peer = popen(command, "w"));
        for (size_t i = 0; i < files.n_names; i++)
                tell(peer, files.names[i]);
        cr_assert_eq(pclose(peer), 0, "it reads something else; see above");
}
