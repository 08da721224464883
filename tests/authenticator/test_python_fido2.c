/* SPDX-License-Identifier: BSD-2-Clause */
#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

/*
 * A second platform that is not ours: python3-fido2, at the other end of pipes.
 * Spec: CTAP 2.1 §6
 */
#define PYTHON "/usr/bin/python3"

static bool
have_python_fido2(void)
{
        return access(PYTHON, X_OK) == 0 &&
               system(PYTHON " -c 'import fido2.hid.base' 2>/dev/null") == 0;
}

static pid_t
start(const char *pin, int alg, bool rk, int *to, int *from)
{
        char script[512], root[512], number[16];
        int in[2], out[2];
        pid_t pid;

        (void)snprintf(script, sizeof(script), "%s/tests/authenticator/peer_fido2.py",
                getenv("KEYPILOT_SOURCE"));
        (void)snprintf(root, sizeof(root), "%s/keys/attestation-root.pem",
                getenv("KEYPILOT_FIXTURES"));
        (void)snprintf(number, sizeof(number), "%d", alg);
        cr_assert(pipe(in) == 0 && pipe(out) == 0);
        cr_assert_geq(pid = fork(), 0);
        if (pid == 0) {
                (void)dup2(in[0], 0);
                (void)dup2(out[1], 1);
                (void)close(in[1]);
                (void)close(out[0]);
                /* the PIN is the public test value of the fixture */
                execl(PYTHON, PYTHON, "-B", script, pin == NULL ? "-" : pin, number,
                        rk ? "1" : "0", root, (char *)NULL);
                _exit(127);
        }
        (void)close(in[0]);
        (void)close(out[1]);
        *to = in[1];
        *from = out[0];
        return pid;
}

static int64_t
real_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Carry reports until the other end is done. It lives in real time, so the key does. */
static void
serve(struct rig *rig, int to, int from)
{
        uint8_t report[KP_CTAPHID_REPORT];
        int64_t offset = rig->now_ms - real_ms(), next;
        size_t have = 0;
        ssize_t n;

        for (;;) {
                struct pollfd at = { .fd = from, .events = POLLIN };

                rig->now_ms = real_ms() + offset;
                kp_authenticator_tick(rig->key, rig->now_ms);
                while (kp_authenticator_next_report(rig->key, report))
                        if (write(to, report, sizeof(report)) != sizeof(report))
                                return;
                next = kp_authenticator_next_event_ms(rig->key);
                if (poll(&at, 1, next < 0 ? -1 : (int)(next - rig->now_ms) + 1) <= 0)
                        continue;
                if ((n = read(from, report + have, sizeof(report) - have)) <= 0)
                        return;
                if ((have += (size_t)n) < sizeof(report))
                        continue;
                kp_authenticator_feed(rig->key, report, rig->now_ms);
                have = 0;
        }
}

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
                int to, from, status;
                pid_t pid;

                rig_open(&rig, cases[i].id);
                kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 150, true);
                pid = start(kp_authenticator_profile_test_pin(rig.profile),
                        cases[i].alg, cases[i].rk, &to, &from);
                serve(&rig, to, from);
                (void)close(to);
                (void)close(from);
                cr_assert_eq(waitpid(pid, &status, 0), pid);
                cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                        "%s, algorithm %d", cases[i].id, cases[i].alg);
                rig_close(&rig);
        }
}
