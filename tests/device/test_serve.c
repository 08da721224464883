/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "lender.h"

/* Simulated keys for other programs: sockets, UDP, a control socket. Spec: ours */
#define KEY "sim:yubikey-5-57"

/* { 1: hash, 2: { id }, 3: { id, name }, 4: [ ES256 ] }, after its command byte */
static size_t
make_request(uint8_t *ret, size_t room)
{
        struct kp_buf buf = { 0 };
        static const uint8_t hash[32] = { 7 }, user[4] = { 1, 2, 3, 4 };
        size_t n;

        kp_buf_put_u8(&buf, KP_CTAP_MAKE_CREDENTIAL);
        kp_cbor_put_map(&buf, 4);
        kp_cbor_put_int(&buf, 1);
        kp_cbor_put_bytes(&buf, hash, sizeof(hash));
        kp_cbor_put_int(&buf, 2);
        kp_cbor_put_map(&buf, 1);
        kp_cbor_put_text(&buf, "id");
        kp_cbor_put_text(&buf, "school.example");
        kp_cbor_put_int(&buf, 3);
        kp_cbor_put_map(&buf, 2);
        kp_cbor_put_text(&buf, "id");
        kp_cbor_put_bytes(&buf, user, sizeof(user));
        kp_cbor_put_text(&buf, "name");
        kp_cbor_put_text(&buf, "jan");
        kp_cbor_put_int(&buf, 4);
        kp_cbor_put_array(&buf, 1);
        kp_cbor_put_map(&buf, 2);
        kp_cbor_put_text(&buf, "alg");
        kp_cbor_put_int(&buf, -7);
        kp_cbor_put_text(&buf, "type");
        kp_cbor_put_text(&buf, "public-key");
        n = buf.len;
        cr_assert_leq(n, room);
        memcpy(ret, buf.data, n);
        kp_buf_done(&buf);
        return n;
}

static void
begin_make(int fd, uint32_t cid)
{
        uint8_t request[256];

        say_report(fd, cid, KP_CTAPHID_CBOR, request,
                make_request(request, sizeof(request)));
}

/* The CTAP status of what comes; -1 for anything else. */
static int
hear_status(int fd, uint32_t cid)
{
        struct kp_buf answer = { 0 };
        int status = -1;

        if (hear_answer(fd, cid, &answer) == KP_CTAPHID_CBOR && answer.len > 0)
                status = answer.data[0];
        kp_buf_done(&answer);
        return status;
}

/* One line to the control socket, its one line back. */
static bool
order(int control, const char *line, char *reply, size_t room)
{
        size_t n = 0;

        cr_assert_eq(
                send(control, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
        while (n + 1 < room && (n == 0 || reply[n - 1] != '\n')) {
                ssize_t got = hear(control, reply + n, 1, LENDER_PATIENCE_MS);

                cr_assert_eq(got, 1, "no answer to %s", line);
                n++;
        }
        reply[n] = '\0';
        return strcmp(reply, "{\"ok\":true}\n") == 0;
}

static void
obeyed(int control, const char *line)
{
        char reply[1024];

        cr_expect(order(control, line, reply, sizeof(reply)), "%s -> %s", line, reply);
}

static void
refused(int control, const char *line, const char *because)
{
        char reply[1024];

        cr_expect_not(order(control, line, reply, sizeof(reply)), "%s", line);
        cr_expect_not_null(strstr(reply, because), "%s -> %s", line, reply);
        cr_expect_eq(strncmp(reply, "{\"error\":\"", 10), 0, "%s", reply);
        cr_expect_not_null(strstr(reply, "\"ok\":false}\n"), "%s", reply);
}

/* ---- the socket ---- */

Test(serve, one_datagram_is_one_report)
{
        struct lender lender;
        struct kp_error err = { 0 };
        struct kp_buf answer = { 0 };
        uint8_t numbered[65] = { 0, 0xff, 0xff, 0xff, 0xff, 0x86, 0, 8, 9, 9 };
        uint8_t report[128];
        uint32_t cid;
        int fd;

        lender_init(&lender);
        must(lender_add(&lender, KEY, "a", NULL, &err), &err);
        lender_start(&lender);
        fd = lender_dial(&lender, "a", SOCK_SEQPACKET);
        cid = open_channel(fd);
        cr_expect_neq(cid, 0);
        say_report(fd, cid, KP_CTAPHID_PING, "hello", 5);
        cr_expect_eq(hear_answer(fd, cid, &answer), KP_CTAPHID_PING);
        cr_expect_eq(answer.len, 5);

        send(fd, numbered, sizeof(numbered), 0);
        cr_expect_eq(hear(fd, report, sizeof(report), LENDER_PATIENCE_MS), 64);
        cr_expect_eq(report[4], 0x86, "a leading report number is tolerated");
        numbered[0] = 1;
        send(fd, numbered, sizeof(numbered), 0);
        send(fd, numbered + 1, 63, 0);
        send(fd, numbered + 1, 1, 0);
        cr_expect_eq(hear(fd, report, sizeof(report), 200), -1, "no report, no answer");
        say_report(fd, cid, KP_CTAPHID_PING, "hello", 5);
        cr_expect_eq(hear_answer(fd, cid, &answer), KP_CTAPHID_PING, "and no harm");
        kp_buf_done(&answer);
        close(fd);
        lender_done(&lender);
}

Test(serve, a_long_message_comes_whole_to_who_reads_late)
{
        static uint8_t bytes[KP_CTAPHID_MAX_MESSAGE];
        struct lender lender;
        struct kp_error err = { 0 };
        struct kp_buf answer = { 0 };
        uint32_t cid;
        int fd;

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(i * 7);
        lender_init(&lender);
        must(lender_add(&lender, KEY, "a", NULL, &err), &err);
        lender_start(&lender);
        fd = lender_dial(&lender, "a", SOCK_SEQPACKET);
        cid = open_channel(fd);
        for (int i = 0; i < 12; i++) {
                say_report(fd, cid, KP_CTAPHID_PING, bytes, sizeof(bytes));
                usleep(5000); /* let answers pile up beyond what a socket holds */
        }
        for (int i = 0; i < 12; i++) {
                cr_assert_eq(hear_answer(fd, cid, &answer), KP_CTAPHID_PING, "%d", i);
                cr_assert_eq(answer.len, sizeof(bytes));
                cr_assert_eq(memcmp(answer.data, bytes, sizeof(bytes)), 0);
        }
        kp_buf_done(&answer);
        close(fd);
        lender_done(&lender);
}

Test(serve, a_connection_is_a_power_cycle)
{
        struct lender lender;
        struct kp_error err = { 0 };
        struct kp_buf answer = { 0 };
        uint8_t report[64];
        uint32_t cid;
        int first, second;

        lender_init(&lender);
        must(lender_add(&lender, KEY, "a", NULL, &err), &err);
        lender_start(&lender);
        first = lender_dial(&lender, "a", SOCK_SEQPACKET);
        cid = open_channel(first);
        second = lender_dial(&lender, "a", SOCK_SEQPACKET);
        cr_expect_eq(hear(first, report, sizeof(report), LENDER_PATIENCE_MS), 0,
                "the one before is hung up on");
        say_report(second, cid, KP_CTAPHID_PING, "hello", 5);
        cr_expect_eq(hear_answer(second, cid, &answer), KP_CTAPHID_ERROR,
                "channels are gone");
        cr_expect_neq(open_channel(second), 0);
        close(first);
        close(second);
        kp_buf_done(&answer);
        lender_done(&lender);
}

Test(serve, several_keys_live_apart)
{
        struct lender lender;
        struct kp_error err = { 0 };
        uint32_t cid_a, cid_b;
        int a, b, control;
        char path[128];

        lender_init(&lender);
        must(lender_add(&lender, KEY, "a", NULL, &err), &err);
        must(lender_add(&lender, "sim:solo-1", "b", NULL, &err), &err);
        must(kp_serve_control(lender.serve, lender_path(&lender, "c", path), &err),
                &err);
        lender_start(&lender);
        a = lender_dial(&lender, "a", SOCK_SEQPACKET);
        b = lender_dial(&lender, "b", SOCK_SEQPACKET);
        control = lender_dial(&lender, "c", SOCK_STREAM);
        cid_a = open_channel(a);
        cid_b = open_channel(b);
        refused(control, "{\"touch\":\"deny\"}\n", "say which with \\\"key\\\"");
        refused(control, "{\"touch\":\"deny\",\"key\":2}\n", "no such key");
        refused(control, "{\"touch\":\"deny\",\"key\":\"sim:x\"}\n", "no such key");
        obeyed(control, "{\"touch\":\"deny\",\"key\":\"sim:solo-1\"}\n");
        begin_make(a, cid_a);
        begin_make(b, cid_b);
        cr_expect_eq(hear_status(a, cid_a), KP_CTAP_OK);
        cr_expect_eq(hear_status(b, cid_b), KP_CTAP2_ERR_OPERATION_DENIED);
        obeyed(control, "{\"touch\":\"deny\",\"key\":0}\n");
        begin_make(a, cid_a);
        cr_expect_eq(hear_status(a, cid_a), KP_CTAP2_ERR_OPERATION_DENIED);
        close(a);
        close(b);
        close(control);
        lender_done(&lender);
}

/* ---- the person, told by a test driver ---- */

Test(serve, a_touch_comes_to_who_waits_and_once_is_once)
{
        struct lender lender;
        struct kp_error err = { 0 };
        struct kp_buf answer = { 0 };
        uint32_t cid;
        int fd, control;
        char path[128];

        lender_init(&lender);
        must(lender_add(&lender, KEY, "a", NULL, &err), &err);
        must(kp_serve_control(lender.serve, lender_path(&lender, "c", path), &err),
                &err);
        lender_start(&lender);
        fd = lender_dial(&lender, "a", SOCK_SEQPACKET);
        control = lender_dial(&lender, "c", SOCK_STREAM);
        cid = open_channel(fd);

        obeyed(control, "{\"touch\":\"withhold\"}\n");
        begin_make(fd, cid);
        cr_expect_eq(hear_message(fd, cid, &answer, LENDER_PATIENCE_MS),
                KP_CTAPHID_KEEPALIVE);
        cr_expect_eq(answer.data[0], 2, "user presence is what it waits for");
        obeyed(control, "{\"touch\":\"once\"}\n");
        cr_expect_eq(hear_status(fd, cid), KP_CTAP_OK, "who waits has it");
        begin_make(fd, cid);
        for (int i = 0; i < 3; i++)
                cr_expect_eq(hear_message(fd, cid, &answer, LENDER_PATIENCE_MS),
                        KP_CTAPHID_KEEPALIVE, "and nobody after that");
        obeyed(control, "{\"touch\":\"deny\"}\n");
        cr_expect_eq(hear_status(fd, cid), KP_CTAP2_ERR_OPERATION_DENIED);

        obeyed(control, "{\"touch\":\"once\"}\n");
        begin_make(fd, cid);
        cr_expect_eq(hear_status(fd, cid), KP_CTAP_OK, "it waits for the next one");
        begin_make(fd, cid);
        cr_expect_eq(hear_message(fd, cid, &answer, LENDER_PATIENCE_MS),
                KP_CTAPHID_KEEPALIVE);
        say_report(fd, cid, KP_CTAPHID_CANCEL, NULL, 0);
        cr_expect_eq(hear_status(fd, cid), KP_CTAP2_ERR_KEEPALIVE_CANCEL);
        obeyed(control, "{\"touch\":\"auto\"}\n");
        for (int i = 0; i < 2; i++) {
                begin_make(fd, cid);
                cr_expect_eq(hear_status(fd, cid), KP_CTAP_OK);
        }
        obeyed(control, "{\"power\":\"cycle\"}\n");
        say_report(fd, cid, KP_CTAPHID_PING, "x", 1);
        cr_expect_eq(hear_answer(fd, cid, &answer), KP_CTAPHID_ERROR,
                "power takes the channels, not the connection");
        cr_expect_neq(open_channel(fd), 0);
        close(fd);
        close(control);
        kp_buf_done(&answer);
        lender_done(&lender);
}

/* getInfo: a command that needs no finger */
static void
begin_info(int fd, uint32_t cid)
{
        static const uint8_t info = KP_CTAP_GET_INFO;

        say_report(fd, cid, KP_CTAPHID_CBOR, &info, 1);
}

Test(serve, what_goes_wrong_is_set_and_ended_by_name)
{
        struct lender lender;
        struct kp_error err = { 0 };
        uint8_t report[64];
        uint32_t cid;
        int fd, control;
        char path[128];

        lender_init(&lender);
        must(lender_add(&lender, KEY, "a", NULL, &err), &err);
        must(kp_serve_control(lender.serve, lender_path(&lender, "c", path), &err),
                &err);
        must(kp_serve_fault(lender.serve, "touch-refused", &err), &err);
        lender_start(&lender);
        fd = lender_dial(&lender, "a", SOCK_SEQPACKET);
        control = lender_dial(&lender, "c", SOCK_STREAM);
        cid = open_channel(fd);
        begin_make(fd, cid);
        cr_expect_eq(hear_status(fd, cid), KP_CTAP2_ERR_OPERATION_DENIED);
        obeyed(control, "{\"fault\":null}\n");
        begin_make(fd, cid);
        cr_expect_eq(hear_status(fd, cid), KP_CTAP_OK);

        obeyed(control, "{\"fault\":\"unplugged-before-answer\"}\n");
        begin_make(fd, cid);
        cr_expect_eq(hear(fd, report, sizeof(report), LENDER_PATIENCE_MS), 0,
                "a key that is pulled out hangs up");
        close(fd);
        obeyed(control, "{\"fault\":null}\n");
        fd = lender_dial(&lender, "a", SOCK_SEQPACKET);
        cid = open_channel(fd);
        cr_expect_neq(cid, 0, "and comes back with the next connection");
        begin_info(fd, cid);
        cr_expect_eq(hear_status(fd, cid), KP_CTAP_OK);
        close(fd);
        close(control);
        lender_done(&lender);
}

/* U2F has no waiting: the client asks again until the finger was there. */
static int
ask_u2f(int fd, uint32_t cid)
{
        uint8_t apdu[7 + 64 + 2] = { 0, 1, 3, 0, 0, 0, 64 };
        struct kp_buf answer = { 0 };
        int word = -1;

        say_report(fd, cid, KP_CTAPHID_MSG, apdu, sizeof(apdu));
        if (hear_answer(fd, cid, &answer) == KP_CTAPHID_MSG && answer.len >= 2)
                word = answer.data[answer.len - 2] << 8 | answer.data[answer.len - 1];
        kp_buf_done(&answer);
        return word;
}

Test(serve, a_single_touch_serves_one_u2f_registration)
{
        struct lender lender;
        struct kp_error err = { 0 };
        uint32_t cid;
        int fd, control;
        char path[128];

        lender_init(&lender);
        must(lender_add(&lender, "sim:yubikey-4-u2f", "a", NULL, &err), &err);
        must(kp_serve_control(lender.serve, lender_path(&lender, "c", path), &err),
                &err);
        lender_start(&lender);
        fd = lender_dial(&lender, "a", SOCK_SEQPACKET);
        control = lender_dial(&lender, "c", SOCK_STREAM);
        cid = open_channel(fd);
        cr_expect_eq(ask_u2f(fd, cid), KP_U2F_SW_NO_ERROR, "by itself, at once");
        obeyed(control, "{\"touch\":\"withhold\"}\n");
        cr_expect_eq(ask_u2f(fd, cid), KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        obeyed(control, "{\"touch\":\"once\"}\n");
        cr_expect_eq(ask_u2f(fd, cid), KP_U2F_SW_NO_ERROR);
        cr_expect_eq(ask_u2f(fd, cid), KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        cr_expect_eq(ask_u2f(fd, cid), KP_U2F_SW_CONDITIONS_NOT_SATISFIED);
        close(fd);
        close(control);
        lender_done(&lender);
}

Test(serve, whatever_a_test_driver_says_is_answered)
{
        struct lender lender;
        struct kp_error err = { 0 };
        char path[128], reply[1024], *long_line;
        struct kp_buf text = { 0 };
        int control, second;

        lender_init(&lender);
        must(lender_add(&lender, KEY, "a", NULL, &err), &err);
        must(kp_serve_control(lender.serve, lender_path(&lender, "c", path), &err),
                &err);
        lender_start(&lender);
        control = lender_dial(&lender, "c", SOCK_STREAM);
        refused(control, "nonsense\n", "order");
        refused(control, "\n", "order");
        refused(control, "[]\n", "object");
        refused(control, "{}\n", "nothing to do");
        refused(control, "{\"key\":0}\n", "nothing to do");
        refused(control, "{\"touch\":\"auto\",\"touch\":\"deny\"}\n", "touch");
        refused(control, "{\"touch\":\"perhaps\"}\n",
                "'perhaps' is not auto, once, deny or withhold");
        refused(control, "{\"touch\":1}\n", "touch");
        refused(control, "{\"power\":\"off\"}\n", "'off' is not cycle");
        refused(control, "{\"uv\":\"maybe\"}\n", "'maybe' is not ok or fail");
        refused(control, "{\"samples\":[0,256]}\n", "from 0 to 255");
        refused(control, "{\"samples\":\"0\"}\n", "samples");
        refused(control, "{\"fault\":7}\n", "expected the name of a fault");
        refused(control, "{\"fault\":\"no-such-fault\"}\n", "no-such-fault");
        refused(control, "{\"dance\":\"auto\"}\n", "dance");
        obeyed(control, "{\"samples\":[0,1,2],\"uv\":\"fail\",\"touch\":\"auto\"}\n");
        obeyed(control, "{\"fault\":null,\"uv\":\"ok\",\"key\":\"" KEY "\"}\n");

        cr_assert_eq(send(control, "{\"touch\":", 9, 0), 9);
        usleep(20000);
        obeyed(control, "\"auto\"}\n");
        second = lender_dial(&lender, "c", SOCK_STREAM);
        obeyed(second, "{\"touch\":\"auto\"}\n");
        kp_buf_puts(&text, "{\"touch\":\"");
        for (int i = 0; i < 70000; i++)
                kp_buf_put_u8(&text, 'x');
        long_line = strdup(kp_buf_str(&text));
        (void)send(second, long_line, strlen(long_line), MSG_NOSIGNAL);
        cr_expect_gt(hear(second, reply, sizeof(reply), LENDER_PATIENCE_MS), 0);
        obeyed(control, "{\"touch\":\"auto\"}\n");
        close(control);
        close(second);
        free(long_line);
        kp_buf_done(&text);
        lender_done(&lender);
}

/* ---- UDP ---- */

static void
keep_address(void *self, const struct kp_serve_event *event)
{
        if (event->news == KP_SERVE_READY)
                (void)snprintf(self, 64, "%s", event->address);
}

Test(serve, udp_answers_whoever_asked_last)
{
        struct lender lender;
        struct kp_error err = { 0 };
        struct kp_serve_key spec = { .name = KEY, .port = KP_SERVE_UDP };
        struct sockaddr_in at = { .sin_family = AF_INET };
        char address[64] = "";
        struct kp_serve_env env = {
                .enter_fd = -1, .say = keep_address, .self = address
        };
        int one = socket(AF_INET, SOCK_DGRAM, 0), two = socket(AF_INET, SOCK_DGRAM, 0);

        lender_init(&lender);
        kp_serve_free(&lender.serve);
        env.fixtures = lender.fixtures;
        must(kp_serve_new(&env, &lender.serve, &err), &err);
        must(kp_serve_add(lender.serve, &spec, &err), &err);
        lender_start(&lender);
        for (int i = 0; i < 1000 && address[0] == '\0'; i++)
                usleep(1000);
        cr_assert_eq(strncmp(address, "127.0.0.1:", 10), 0, "%s", address);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at.sin_port = htons((uint16_t)atoi(address + 10));
        cr_assert_eq(connect(one, (struct sockaddr *)&at, sizeof(at)), 0);
        cr_assert_eq(connect(two, (struct sockaddr *)&at, sizeof(at)), 0);
        cr_expect_neq(open_channel(one), 0);
        cr_expect_neq(open_channel(two), 0);
        cr_expect_neq(open_channel(one), 0);
        close(one);
        close(two);
        lender_done(&lender);
}

/* ---- files that are there already ---- */

static void
write_file(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        cr_assert_not_null(file);
        fputs(text, file);
        fclose(file);
}

static void
same_text(const char *path, const char *text)
{
        struct kp_buf now = { 0 };
        struct kp_error err = { 0 };

        must(kp_file_read(path, 1 << 20, &now, &err), &err);
        cr_expect_str_eq(kp_buf_str(&now), text, "%s", path);
        kp_buf_done(&now);
}

Test(serve, what_lies_at_the_path_is_only_replaced_if_it_is_a_dead_socket)
{
        struct lender lender;
        struct kp_error err = { 0 };
        char path[128];
        struct stat st;

        lender_init(&lender);
        write_file(lender_path(&lender, "a", path), "a thesis");
        cr_expect_lt(lender_add(&lender, KEY, "a", NULL, &err), 0);
        cr_expect_eq(err.code, KP_EIO);
        same_text(path, "a thesis");

        err = (struct kp_error){ 0 };
        must(lender_add(&lender, KEY, "b", NULL, &err), &err);
        cr_expect_lt(lender_add(&lender, KEY, "b", NULL, &err), 0);
        cr_expect_eq(err.code, KP_EENV, "somebody listens there");

        /* what a server leaves that was killed */
        lender_path(&lender, "d", path);
        {
                struct sockaddr_un at = { .sun_family = AF_UNIX };
                int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

                (void)snprintf(at.sun_path, sizeof(at.sun_path), "%.107s", path);
                cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
                close(fd);
        }
        err = (struct kp_error){ 0 };
        must(lender_add(&lender, KEY, "d", NULL, &err), &err);
        cr_expect_eq(stat(path, &st), 0);
        kp_serve_free(&lender.serve);
        cr_expect_lt(stat(path, &st), 0, "and our own goes when we go");
        cr_expect_lt(stat(lender_path(&lender, "b", path), &st), 0);
        same_text(lender_path(&lender, "a", path), "a thesis");
        lender_done(&lender);
}

Test(serve, a_memory_that_does_not_fit_is_left_alone)
{
        static const char *const wrong[] = { "", "[]", "{\"format\":1",
                "{\"format\":1,\"profile\":\"solo-1\"}",
                "{\"format\":99,\"profile\":\"yubikey-5-57\"}" };
        struct lender lender;
        char path[128];

        lender_init(&lender);
        lender_path(&lender, "state.json", path);
        for (size_t i = 0; i < KP_NELEMS(wrong); i++) {
                struct kp_error err = { 0 };
                char name[8];
                struct stat st;

                (void)snprintf(name, sizeof(name), "s%zu", i);
                write_file(path, wrong[i]);
                cr_expect_lt(lender_add(&lender, KEY, name, path, &err), 0, "%zu", i);
                cr_expect(err.code == KP_EPARSE || err.code == KP_ESCHEMA, "%zu", i);
                same_text(path, wrong[i]);
                cr_expect_lt(stat(lender_path(&lender, name, path), &st), 0);
                lender_path(&lender, "state.json", path);
        }
        lender_done(&lender);
}

Test(serve, the_memory_is_kept_for_its_owner_only)
{
        struct lender lender;
        struct kp_error err = { 0 };
        char path[128];
        struct kp_buf before = { 0 }, after = { 0 };
        struct stat st;
        uint32_t cid;
        int fd;

        lender_init(&lender);
        lender_path(&lender, "state.json", path);
        must(lender_add(&lender, KEY, "a", path, &err), &err);
        cr_expect_lt(stat(path, &st), 0, "nothing is written before it is served");
        lender_start(&lender);
        fd = lender_dial(&lender, "a", SOCK_SEQPACKET);
        cid = open_channel(fd);
        cr_assert_eq(stat(path, &st), 0);
        cr_expect_eq(st.st_mode & 07777, 0600);
        must(kp_file_read(path, 1 << 20, &before, &err), &err);
        begin_make(fd, cid);
        cr_expect_eq(hear_status(fd, cid), KP_CTAP_OK);
        must(kp_file_read(path, 1 << 20, &after, &err), &err);
        cr_expect_gt(after.len, before.len + 64, "before the answer goes out");
        cr_assert_eq(stat(path, &st), 0);
        cr_expect_eq(st.st_mode & 07777, 0600);

        /* where it cannot be kept, nothing is promised */
        cr_assert_eq(chmod(lender.dir, 0500), 0);
        if (access(lender.dir, W_OK) != 0) {
                begin_make(fd, cid);
                cr_expect_neq(hear_status(fd, cid), KP_CTAP_OK);
        }
        cr_assert_eq(chmod(lender.dir, 0700), 0);
        close(fd);
        kp_buf_done(&before);
        kp_buf_done(&after);
        lender_done(&lender);
}
