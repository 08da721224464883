/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

/*
 * python3-fido2 as it talks to smart card readers, at the other end of pipes.
 * Spec: CTAP 2.1 §11.3
 */
#define PYTHON "/usr/bin/python3"
#define TAP_IS_OVER_MS 121000 /* so that a finger is waited for. CTAP 2.1 §5 */

static pid_t
start(const char *form, const char *pin, int *to, int *from)
{
        char script[512], root[512];
        int in[2], out[2];
        pid_t pid;

        (void)snprintf(script, sizeof(script), "%s/tests/authenticator/peer_pcsc.py",
                getenv("KEYPILOT_SOURCE"));
        (void)snprintf(root, sizeof(root), "%s/keys/attestation-root.pem",
                getenv("KEYPILOT_FIXTURES"));
        cr_assert(pipe(in) == 0 && pipe(out) == 0);
        cr_assert_geq(pid = fork(), 0);
        if (pid == 0) {
                (void)dup2(in[0], 0);
                (void)dup2(out[1], 1);
                (void)close(in[1]);
                (void)close(out[0]);
                /* the PIN is the public test value of the fixture */
                execl(PYTHON, PYTHON, "-B", script, form, pin == NULL ? "-" : pin, root,
                        (char *)NULL);
                _exit(127);
        }
        (void)close(in[0]);
        (void)close(out[1]);
        *to = in[1];
        *from = out[0];
        return pid;
}

static bool
read_all(int fd, uint8_t *bytes, size_t len)
{
        for (size_t at = 0; at < len;) {
                ssize_t n = read(fd, bytes + at, len - at);

                if (n <= 0)
                        return false;
                at += (size_t)n;
        }
        return true;
}

static int64_t
real_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Carry APDUs until the other end is done. It lives in real time, so the key does. */
static void
serve(struct rig *rig, int to, int from)
{
        int64_t offset = rig->now_ms - real_ms();
        KP_CLEANUP(kp_buf_done) struct kp_buf answer = { 0 };
        uint8_t head[2], apdu[UINT16_MAX];
        size_t len;

        while (read_all(from, head, 2)) {
                len = (size_t)head[0] << 8 | head[1];
                if (!read_all(from, apdu, len))
                        return;
                rig->now_ms = real_ms() + offset;
                kp_authenticator_apdu(rig->key, apdu, len, rig->now_ms, &answer);
                head[0] = (uint8_t)(answer.len >> 8);
                head[1] = (uint8_t)answer.len;
                if (write(to, head, 2) != 2 ||
                        write(to, answer.data, answer.len) != (ssize_t)answer.len)
                        return;
        }
}

Test(python_pcsc, registers_and_logs_in_through_a_reader)
{
        static const char *const ids[] = { "yubikey-5-57", "yubikey-5-57-pin", "opensk",
                "token2-pinplus", "yubikey-4-u2f" };
        static const char *const forms[] = { "short", "extended" };

        if (system(PYTHON " -c 'import fido2.hid.base' 2>/dev/null") != 0)
                cr_skip_test("python3-fido2 is not installed");
        for (size_t i = 0; i < KP_NELEMS(ids) * KP_NELEMS(forms); i++) {
                const char *id = ids[i / 2], *form = forms[i % 2];
                struct rig rig;
                int to, from, status;
                pid_t pid;

                rig_open(&rig, id);
                rig.now_ms += TAP_IS_OVER_MS;
                kp_authenticator_set_finger(rig.key, KP_FINGER_TOUCHES, 50, true);
                pid = start(form, kp_authenticator_profile_test_pin(rig.profile), &to,
                        &from);
                serve(&rig, to, from);
                (void)close(to);
                (void)close(from);
                cr_assert_eq(waitpid(pid, &status, 0), pid);
                cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s, %s", id,
                        form);
                rig_close(&rig);
        }
}
