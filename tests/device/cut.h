/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_CUT_H
#define KEYPILOT_TESTS_CUT_H

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "keypilot/authenticator/authenticator.h"
#include "keypilot/codec/authdata.h"
#include "keypilot/codec/b64url.h"
#include "keypilot/codec/cose.h"
#include "keypilot/core/json.h"

#include "lender.h"

/* A session with a served key, and the hand that kills it at its n-th deed. */
#define PROFILE "yubikey-5-57"
#define RP_ID "school.example"
#define PIN "271828"
#define OTHER_PIN "314159"
#define ALL_TRIES 8
#define MADE_MAX 8
#define POINTS_MAX 2000

/* ---- what the client knows ---- */

enum step {
        STEP_NONE,
        STEP_SET_PIN,
        STEP_MAKE,
        STEP_WRONG_PIN,
        STEP_REMOVE,
        STEP_BLOB,
        STEP_RESET,
};

struct made {
        uint8_t id[128];
        size_t id_len;
        int alg;
        EVP_PKEY *key;
        bool gone; /* removal or reset was answered */
};

struct session {
        char dir[64], socket[128], state[128];
        int fd;
        struct made made[MADE_MAX];
        size_t n_made;
        bool pin_set;
        int tries;      /* as far as the answers told */
        enum step step; /* asked, and not answered yet */
        size_t removing;
        int blob, asked_blob;         /* number of the large blob array that it holds */
        uint8_t asked_cmd, asked_sub; /* the last CTAP2 request on the wire */
        bool dead, complete;
        int stop_fd;
};

/* ---- the session ---- */

static int
watched_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        struct session *s = self;

        if (report[4] == (0x80 | KP_CTAPHID_CBOR)) {
                s->asked_cmd = report[7];
                /* {1: sub, ...}, or for clientPIN {1: protocol, 2: sub, ...} */
                s->asked_sub =
                        report[7] == KP_CTAP_CLIENT_PIN ? report[12] : report[10];
        }
        return fd_write(&s->fd, report, err);
}

static int
watched_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        struct session *s = self;
        int r = fd_read(&s->fd, report, timeout_ms, err);

        s->dead |= r < 0;
        return r;
}

static const struct kp_seam_ops watched_ops = { watched_write, watched_read, fd_close };

/* Each returns false when the key is gone. */
static bool
do_set_pin(struct session *s, struct kp_driver *driver)
{
        struct kp_error err = { 0 };
        uint8_t status = 0xff;

        s->step = STEP_SET_PIN;
        if (driver->ops->set_pin(driver->self, PIN, &status, &err) < 0)
                return false;
        cr_expect_eq(status, KP_CTAP_OK);
        s->pin_set = true;
        s->step = STEP_NONE;
        return true;
}

static void
note_made(struct session *s, const struct kp_make_reply *reply)
{
        struct made *made = &s->made[s->n_made];
        struct kp_authdata data;
        struct kp_error err = { 0 };

        must(kp_authdata_parse(reply->auth_data.data, reply->auth_data.len,
                     KP_CBOR_CTAP2, &data, &err),
                &err);
        cr_assert_leq(data.credential_id_len, sizeof(made->id));
        memcpy(made->id, data.credential_id, data.credential_id_len);
        made->id_len = data.credential_id_len;
        must(kp_cose_key_parse(data.public_key, data.public_key_len, KP_CBOR_CTAP2,
                     &made->key, &made->alg, NULL, &err),
                &err);
        s->n_made++;
}

static bool
do_make(struct session *s, struct kp_driver *driver, uint8_t user, bool discoverable)
{
        static const int algorithms[] = { KP_COSE_ES256 };
        struct kp_make_request request = {
                .rp_id = RP_ID,
                .user_id = { &user, 1 },
                .user_name = "jan",
                .algorithms = algorithms,
                .n_algorithms = 1,
                .rk = discoverable ? KP_TRUE : KP_OMIT,
                .pin = PIN,
        };
        struct kp_make_reply reply = { 0 };
        struct kp_error err = { 0 };

        s->step = STEP_MAKE;
        if (driver->ops->make(driver->self, &request, &reply, &err) < 0 ||
                reply.transport != NULL) {
                kp_make_reply_done(&reply);
                return false;
        }
        cr_expect_eq(reply.status, KP_CTAP_OK, "0x%02x", reply.status);
        if (reply.status == KP_CTAP_OK)
                note_made(s, &reply);
        kp_make_reply_done(&reply);
        s->tries = ALL_TRIES;
        s->step = STEP_NONE;
        return true;
}

static bool
do_wrong_pin(struct session *s, struct kp_driver *driver)
{
        struct kp_get_request request = { .rp_id = RP_ID, .pin = OTHER_PIN };
        struct kp_get_reply reply = { 0 };
        struct kp_error err = { 0 };
        int r;

        s->step = STEP_WRONG_PIN;
        r = driver->ops->get(driver->self, &request, &reply, &err);
        if (r < 0 || reply.transport != NULL) {
                kp_get_reply_done(&reply);
                return false;
        }
        cr_expect_eq(reply.status, KP_CTAP2_ERR_PIN_INVALID, "0x%02x", reply.status);
        kp_get_reply_done(&reply);
        s->tries--;
        s->step = STEP_NONE;
        return true;
}

static bool
do_remove(struct session *s, struct kp_driver *driver, size_t which)
{
        struct made *made = &s->made[which];
        struct kp_error err = { 0 };
        uint8_t status = 0xff;

        s->step = STEP_REMOVE;
        s->removing = which;
        if (driver->ops->remove(driver->self,
                    (struct kp_bytes){ made->id, made->id_len }, PIN, &status,
                    &err) < 0)
                return false;
        cr_expect_eq(status, KP_CTAP_OK, "0x%02x", status);
        made->gone = true;
        s->tries = ALL_TRIES;
        s->step = STEP_NONE;
        return true;
}

/* One message on a channel of its own; false when the key is gone. */
static bool
ask_raw(struct session *s, uint8_t cmd, const struct kp_buf *message,
        struct kp_buf *answer)
{
        static const uint8_t nonce[8] = { 8, 7, 6, 5, 4, 3, 2, 1 };
        struct kp_buf reports = { 0 };
        uint32_t cid = 0;
        bool alive;

        kp_ctaphid_split(
                KP_CTAPHID_BROADCAST, KP_CTAPHID_INIT, nonce, sizeof(nonce), &reports);
        (void)send(s->fd, reports.data, reports.len, MSG_NOSIGNAL);
        if (hear_answer(s->fd, KP_CTAPHID_BROADCAST, answer) == KP_CTAPHID_INIT)
                for (int i = 8; i < 12; i++)
                        cid = cid << 8 | answer->data[i];
        kp_buf_clear(&reports);
        kp_ctaphid_split(cid, cmd, message->data, message->len, &reports);
        for (size_t at = 0; cid != 0 && at < reports.len; at += KP_CTAPHID_REPORT)
                (void)send(s->fd, reports.data + at, KP_CTAPHID_REPORT, MSG_NOSIGNAL);
        kp_buf_done(&reports);
        alive = cid != 0 && hear_answer(s->fd, cid, answer) == cmd && answer->len > 0;
        return alive;
}

/* A large blob array of one number; 0: the empty one. Spec: CTAP 2.1 §6.10.2 */
static void
put_blob(struct kp_buf *buf, int number)
{
        uint8_t hash[32];

        kp_cbor_put_array(buf, number == 0 ? 0 : 1);
        if (number != 0)
                kp_cbor_put_int(buf, number);
        SHA256(buf->data, buf->len, hash);
        kp_buf_put(buf, hash, 16);
}

static bool
do_blob(struct session *s, int number)
{
        struct kp_buf blob = { 0 }, message = { 0 }, answer = { 0 };
        bool alive;

        s->step = STEP_BLOB;
        s->asked_cmd = KP_CTAP_LARGE_BLOBS;
        s->asked_blob = number;
        put_blob(&blob, number);
        kp_buf_put_u8(&message, KP_CTAP_LARGE_BLOBS);
        kp_cbor_put_map(&message, 3);
        kp_cbor_put_int(&message, 2);
        kp_cbor_put_bytes(&message, blob.data, blob.len);
        kp_cbor_put_int(&message, 3);
        kp_cbor_put_int(&message, 0);
        kp_cbor_put_int(&message, 4);
        kp_cbor_put_int(&message, (int64_t)blob.len);
        alive = ask_raw(s, KP_CTAPHID_CBOR, &message, &answer);
        if (alive) {
                cr_expect_eq(answer.data[0], KP_CTAP_OK, "0x%02x", answer.data[0]);
                s->blob = number;
                s->step = STEP_NONE;
        }
        kp_buf_done(&blob);
        kp_buf_done(&message);
        kp_buf_done(&answer);
        return alive;
}

/* 05 || point || handle length || handle || ... Spec: U2F Raw Message Formats §4.3 */
static void
note_registered(struct session *s, const struct kp_buf *answer)
{
        struct made *made = &s->made[s->n_made++];
        struct kp_buf cose = { 0 };
        struct kp_error err = { 0 };

        made->id_len = answer->data[66];
        cr_assert_leq(made->id_len, sizeof(made->id));
        memcpy(made->id, answer->data + 67, made->id_len);
        kp_cbor_put_map(&cose, 5);
        kp_cbor_put_int(&cose, 1);
        kp_cbor_put_int(&cose, 2);
        kp_cbor_put_int(&cose, 3);
        kp_cbor_put_int(&cose, KP_COSE_ES256);
        kp_cbor_put_int(&cose, -1);
        kp_cbor_put_int(&cose, 1);
        kp_cbor_put_int(&cose, -2);
        kp_cbor_put_bytes(&cose, answer->data + 2, 32);
        kp_cbor_put_int(&cose, -3);
        kp_cbor_put_bytes(&cose, answer->data + 34, 32);
        must(kp_cose_key_parse(cose.data, cose.len, KP_CBOR_CTAP2, &made->key,
                     &made->alg, NULL, &err),
                &err);
        kp_buf_done(&cose);
}

static bool
do_u2f(struct session *s)
{
        static const uint8_t head[7] = { 0, KP_U2F_REGISTER, 3, 0, 0, 0, 64 };
        struct kp_buf message = { 0 }, answer = { 0 };
        uint8_t hash[32];
        bool alive;

        s->step = STEP_MAKE;
        s->asked_cmd = 0; /* no CTAP2 command */
        SHA256((const uint8_t *)RP_ID, strlen(RP_ID), hash);
        kp_buf_put(&message, head, sizeof(head));
        kp_buf_put(&message, hash, 32); /* any challenge */
        kp_buf_put(&message, hash, 32);
        alive = ask_raw(s, KP_CTAPHID_MSG, &message, &answer);
        if (alive) {
                cr_expect_eq(answer.data[0], 5);
                note_registered(s, &answer);
                s->step = STEP_NONE;
        }
        kp_buf_done(&message);
        kp_buf_done(&answer);
        return alive;
}

static bool
do_reset(struct session *s)
{
        struct kp_buf message = { 0 }, answer = { 0 };
        bool alive;

        s->step = STEP_RESET;
        s->asked_cmd = KP_CTAP_RESET;
        kp_buf_put_u8(&message, KP_CTAP_RESET);
        alive = ask_raw(s, KP_CTAPHID_CBOR, &message, &answer);
        if (alive) {
                cr_expect_eq(answer.data[0], KP_CTAP_OK, "0x%02x", answer.data[0]);
                for (size_t i = 0; i < s->n_made; i++)
                        s->made[i].gone = true;
                s->pin_set = false;
                s->tries = ALL_TRIES;
                s->blob = 0;
                s->step = STEP_NONE;
        }
        kp_buf_done(&message);
        kp_buf_done(&answer);
        return alive;
}

static bool
play(struct session *s, struct kp_driver *driver)
{
        return do_blob(s, 1) && do_set_pin(s, driver) &&
               do_make(s, driver, 'a', true) && do_wrong_pin(s, driver) &&
               do_wrong_pin(s, driver) && do_make(s, driver, 'b', true) &&
               do_make(s, driver, 'c', false) && do_make(s, driver, 'b', true) &&
               do_remove(s, driver, 0) && do_u2f(s) && do_wrong_pin(s, driver) &&
               do_reset(s) && do_blob(s, 2) && do_set_pin(s, driver) &&
               do_make(s, driver, 'd', true);
}

static void *
client(void *arg)
{
        struct session *s = arg;
        KP_CLEANUP(kp_random_free) struct kp_random *random = NULL;
        struct kp_driver driver = { 0 };
        struct kp_error err = { 0 };

        must(kp_random_new_system(&random, &err), &err);
        while ((s->fd = dial(s->socket, SOCK_SEQPACKET)) < 0 && errno == EAGAIN)
                usleep(1000);
        /* a driver may make do with a key that dies after its first answer */
        if (s->fd >= 0 &&
                kp_driver_open_ctap((struct kp_seam){ &watched_ops, s }, random,
                        &driver, &err) == 0 &&
                !s->dead)
                s->complete = play(s, &driver);
        kp_driver_close(&driver);
        if (write(s->stop_fd, "", 1) != 1)
                s->complete = false;
        return NULL;
}

/* ---- the key's process, and the hand that kills it ---- */

static void
cannot_start(int ready_fd, const struct kp_error *err)
{
        char why[1024];

        kp_error_format(err, why, sizeof(why));
        _exit(write(ready_fd, why, strlen(why) + 1) > 0 ? 2 : 3);
}

static void
serve(const struct session *s, int ready_fd, int stop_fd)
{
        struct kp_fixtures *fixtures = NULL;
        struct kp_serve *lent = NULL;
        struct kp_serve_env env = { .enter_fd = -1 };
        struct kp_serve_key spec = {
                .name = "sim:" PROFILE,
                .port = KP_SERVE_SOCKET,
                .path = s->socket,
                .state = s->state,
        };
        struct kp_error err = { 0 };

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (kp_fixtures_open(getenv("KEYPILOT_FIXTURES"), &fixtures, &err) < 0)
                cannot_start(ready_fd, &err);
        env.fixtures = fixtures;
        if (kp_serve_new(&env, &lent, &err) < 0 || kp_serve_add(lent, &spec, &err) < 0)
                cannot_start(ready_fd, &err);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(2);
        close(ready_fd);
        raise(SIGSTOP);
        _exit(kp_serve_run(lent, stop_fd, &err) == 0 ? 0 : 3);
}

/* Does something that the world could see? */
static bool
is_deed(const struct __ptrace_syscall_info *info)
{
        switch (info->entry.nr) {
        case SYS_openat:
                return (info->entry.args[2] & O_CREAT) != 0;
        case SYS_write:
        case SYS_pwrite64:
        case SYS_writev:
        case SYS_ftruncate:
        case SYS_fchmod:
        case SYS_fchmodat:
        case SYS_fsync:
        case SYS_fdatasync:
        case SYS_renameat:
        case SYS_renameat2:
#ifdef SYS_rename
        case SYS_rename:
        case SYS_unlink:
#endif
        case SYS_unlinkat:
        case SYS_sendto:
        case SYS_sendmsg:
                return true;
        default:
                return false;
        }
}

/* Where it was killed. */
struct cut {
        bool done; /* it was not: the session came to its end */
        long call;
        uint8_t report[KP_CTAPHID_REPORT]; /* that was about to go out, for sendto */
};

static void
peek(pid_t pid, unsigned long long from, uint8_t *to, size_t n)
{
        for (size_t i = 0; i < n; i += sizeof(long)) {
                long word = ptrace(PTRACE_PEEKDATA, pid, (void *)(from + i), NULL);

                memcpy(to + i, &word, sizeof(word));
        }
}

static void
trace(pid_t pid, unsigned at, struct cut *cut)
{
        struct __ptrace_syscall_info info;
        unsigned n = 0;
        int status, signal_number = 0;

        *cut = (struct cut){ 0 };
        for (;;) {
                if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)signal_number) <
                                0 ||
                        waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
                        break;
                signal_number = 0;
                if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
                        signal_number = WSTOPSIG(status);
                        continue;
                }
                cr_assert_gt(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info),
                                     &info),
                        0);
                if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_deed(&info) || ++n < at)
                        continue;
                cut->call = (long)info.entry.nr;
                if (cut->call == SYS_sendto && info.entry.args[2] == KP_CTAPHID_REPORT)
                        peek(pid, info.entry.args[1], cut->report, KP_CTAPHID_REPORT);
                kill(pid, SIGKILL);
                waitpid(pid, &status, 0);
                break;
        }
        cut->done = WIFEXITED(status);
        if (cut->done)
                cr_assert_eq(WEXITSTATUS(status), 0);
}

/* Cut the session at its n-th deed. */
static void
session_cut(struct session *s, unsigned at, struct cut *cut)
{
        int ready[2], stop[2], status;
        pthread_t thread;
        char why[1024] = "";
        pid_t pid;

        *s = (struct session){ .fd = -1, .tries = ALL_TRIES };
        /* in memory where there is such a folder: thousands of flushes */
        (void)snprintf(s->dir, sizeof(s->dir), "%s/keypilot-cut-XXXXXX",
                access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        cr_assert_not_null(mkdtemp(s->dir));
        (void)snprintf(s->socket, sizeof(s->socket), "%s/key", s->dir);
        (void)snprintf(s->state, sizeof(s->state), "%s/state.json", s->dir);
        cr_assert_eq(pipe2(ready, O_CLOEXEC) | pipe2(stop, O_CLOEXEC), 0);
        s->stop_fd = stop[1];
        cr_assert_geq(pid = fork(), 0);
        if (pid == 0)
                serve(s, ready[1], stop[0]);
        close(ready[1]);
        cr_assert_eq(read(ready[0], why, sizeof(why)), 0, "%s", why);
        close(ready[0]);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFSTOPPED(status));
        cr_assert_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL,
                             (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
                0);
        cr_assert_eq(pthread_create(&thread, NULL, client, s), 0);
        trace(pid, at, cut);
        pthread_join(thread, NULL);
        close(stop[0]);
        close(stop[1]);
}

static void
session_done(struct session *s)
{
        char command[128];

        if (s->fd >= 0)
                close(s->fd);
        for (size_t i = 0; i < s->n_made; i++)
                EVP_PKEY_free(s->made[i].key);
        (void)snprintf(command, sizeof(command), "rm -rf '%s'", s->dir);
        cr_expect_eq(system(command), 0);
}

#endif
