/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>

#include "fault_session.h"

/*
 * Every fault of fixtures/faults/ happens, and what then differs from the same session
 * without it is exactly what its point says. Spec: ours
 */

/* ---- what each point says ---- */

static void
expect_status_value(const struct facts *got, const struct kp_fault *fault)
{
        cr_expect_eq(got->status, fault->value, "%s", fault->id);
}

static void
expect_error_value(const struct facts *got, const struct kp_fault *fault)
{
        cr_expect_eq(got->error, fault->value, "%s", fault->id);
}

/* Where to look (N_STEPS: where the fault's command is), which facts differ there, the
 * status that the key then answers (-1: as before), the flags that are the opposite. */
static const struct expected {
        const char *point;
        enum step step;
        int differs;
        int64_t status;
        int64_t flags;
        void (*check)(const struct facts *got, const struct kp_fault *fault);
} expected[] = {
        /* clang-format off */
        { "touch.withheld",         UV,      STATUS | CBOR | KEEPALIVES | MS,       0x2f, 0, NULL },
        { "touch.refused",          UV,      STATUS | CBOR,                         0x3f, 0, NULL },
        { "touch.late",             UV,      KEEPALIVES | MS,                       0x00, 0, NULL },
        { "unplug.request",         N_STEPS, LOST | KEEPALIVES | MS | UNPLUGGED,    -1,   0, NULL },
        { "unplug.answer",          N_STEPS, LOST | UNPLUGGED,                      -1,   0, NULL },
        { "keepalive.stuck",        N_STEPS, LOST | KEEPALIVES | MS,                -1,   0, NULL },
        { "keepalive.none",         N_STEPS, KEEPALIVES,                            0x00, 0, NULL },
        { "keepalive.late",         N_STEPS, AFTER,                                 0x00, 0, NULL },
        { "init.nonce",             INIT,    NONCE,                                 -1,   0, NULL },
        { "answer.channel",         N_STEPS, LOST | FOREIGN,                        -1,   0, NULL },
        { "answer.slow",            N_STEPS, KEEPALIVES | MS,                       0x00, 0, NULL },
        { "answer.none",            N_STEPS, LOST,                                  -1,   0, NULL },
        { "answer.empty",           N_STEPS, REFUSED,                               -1,   0, NULL },
        { "answer.error",           N_STEPS, REFUSED | ERROR,                       -1,   0, expect_error_value },
        { "answer.sequence",        N_STEPS, LOST | GAP,                            -1,   0, NULL },
        { "answer.frame-lost",      N_STEPS, LOST | GAP,                            -1,   0, NULL },
        { "answer.frame-twice",     N_STEPS, LOST | GAP,                            -1,   0, NULL },
        { "answer.truncated",       N_STEPS, CBOR | AUTH_DATA,                      0x00, 0, NULL },
        { "answer.oversized",       N_STEPS, CBOR,                                  0x00, 0, NULL },
        { "answer.non-canonical",   N_STEPS, CBOR,                                  0x00, 0, NULL },
        { "answer.status",          N_STEPS, REFUSED,                               -2,   0, expect_status_value },
        { "signature.wrong",        N_STEPS, SIGNATURE,                             0x00, 0, NULL },
        { "authdata.rp-id-hash",    N_STEPS, RP,                                    0x00, 0, NULL },
        { "authdata.up-cleared",    N_STEPS, FLAGS,                                 0x00, KP_AUTHDATA_UP, NULL },
        { "authdata.uv-cleared",    N_STEPS, FLAGS,                                 0x00, KP_AUTHDATA_UV, NULL },
        { "authdata.bs-without-be", N_STEPS, FLAGS,                                 0x00, KP_AUTHDATA_BS, NULL },
        { "authdata.be-flipped",    GET,     FLAGS,                                 0x00, KP_AUTHDATA_BE, NULL },
        { "counter.still",          N_STEPS, COUNT,                                 0x00, 0, NULL },
        { "counter.back",           N_STEPS, COUNT,                                 0x00, 0, NULL },
        { "counter.jump",           N_STEPS, COUNT,                                 0x00, 0, NULL },
        { "clone",                  N_STEPS, COUNT,                                 0x00, 0, NULL },
        { "pin.blocked",            PIN,     STATUS | CBOR,                         0x32, 0, NULL },
        { "pin.power-cycle",        PIN,     STATUS | CBOR,                         0x34, 0, NULL },
        { "uv.blocked",             UV,      STATUS | CBOR | KEEPALIVES | MS,       0x3c, 0, NULL },
        { "store.full",             MAKE,    REFUSED,                               0x28, 0, NULL },
        /* clang-format on */
};

static const struct expected *
expected_of(const char *point)
{
        for (size_t i = 0; i < KP_NELEMS(expected); i++)
                if (strcmp(expected[i].point, point) == 0)
                        return &expected[i];
        return NULL;
}

static enum step
step_of(const struct expected *e, const struct kp_fault *fault)
{
        static const char *const commands[] = {
                [INFO] = "getInfo", [MAKE] = "makeCredential", [GET] = "getAssertion"
        };

        for (size_t i = 0; fault->command != NULL && i < KP_NELEMS(commands); i++)
                if (commands[i] != NULL && strcmp(commands[i], fault->command) == 0)
                        return (enum step)i;
        cr_assert_neq(e->step, N_STEPS, "%s: name a command", fault->id);
        return e->step;
}

/* The counters, relative to those before and without the fault. */
static void
check_count(const struct kp_fault *fault, const struct facts *base,
        const struct facts *got, enum step step)
{
        const char *point = fault->point;
        int64_t before = got[step - 1].count, count = got[step].count;

        if (strcmp(point, "counter.still") == 0)
                cr_expect_eq(count, before, "%s", fault->id);
        if (strcmp(point, "counter.back") == 0)
                cr_expect_lt(count, before, "%s", fault->id);
        if (strcmp(point, "counter.jump") == 0)
                cr_expect_eq(count, base[step].count + fault->value, "%s", fault->id);
        if (strcmp(point, "clone") == 0)
                cr_expect(count > base[step].count && got[step + 1].count < count,
                        "%s: the copy counts, the key does not know", fault->id);
}

static void
check(const struct kp_fault *fault, const struct facts *base)
{
        const struct expected *e = expected_of(fault->point);
        struct facts got[N_STEPS];
        enum step step;
        int64_t fired;
        int differs, may = (1 << N_FACTS) - 1;

        cr_assert_not_null(e, "%s: no row for the point %s", fault->id, fault->point);
        step = step_of(e, fault);
        fired = run(fault, got);
        cr_expect_geq(fired, 1, "%s did not happen", fault->id);
        if (fault->times > 0)
                cr_expect_leq(fired, fault->times, "%s", fault->id);
        for (enum step i = INIT; i < step; i++)
                cr_expect_eq(differences(&base[i], &got[i]), 0,
                        "%s: step %d differs before the fault: %04x", fault->id, i,
                        differences(&base[i], &got[i]));
        if (step < MAKE)
                may &= ~AUTH_DATA;
        differs = differences(&base[step], &got[step]);
        cr_expect_eq(differs, e->differs & may, "%s: %04x differ, not %04x", fault->id,
                differs, e->differs & may);
        if (e->status >= -1)
                cr_expect_eq(got[step].status, step == INIT ? -1 : e->status,
                        "%s: status %02x", fault->id, (unsigned)got[step].status);
        if (e->flags != 0)
                cr_expect_eq(base[step].flags ^ got[step].flags, e->flags,
                        "%s: flags %02x", fault->id, (unsigned)got[step].flags);
        if (e->check != NULL)
                e->check(&got[step], fault);
        if (e->differs == COUNT)
                check_count(fault, base, got, step);
}

/* ---- the tests ---- */

static int
by_name(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The paths of fixtures/faults/, sorted; the caller frees them. */
static size_t
fault_files(char *paths[256])
{
        char folder[400];
        DIR *dir;
        size_t n = 0;

        (void)snprintf(
                folder, sizeof(folder), "%s/faults", getenv("KEYPILOT_FIXTURES"));
        cr_assert_not_null(dir = opendir(folder));
        for (struct dirent *at; (at = readdir(dir)) != NULL;)
                if (at->d_name[0] != '.' && n < 256)
                        cr_assert_gt(
                                asprintf(&paths[n++], "%s/%s", folder, at->d_name), 0);
        (void)closedir(dir);
        qsort(paths, n, sizeof(*paths), by_name);
        return n;
}

Test(fault, a_session_without_one_is_what_it_was)
{
        struct facts a[N_STEPS], b[N_STEPS];

        cr_assert_eq(run(NULL, a), 0);
        cr_assert_eq(run(NULL, b), 0);
        for (int i = 0; i < N_STEPS; i++) {
                cr_expect_eq(differences(&a[i], &b[i]), 0, "step %d", i);
                cr_expect_eq(a[i].answered, 1, "step %d", i);
                cr_expect_eq(a[i].status, i == INIT ? -1 : 0, "step %d: %02x", i,
                        (unsigned)a[i].status);
                cr_expect_eq(a[i].error, -1);
        }
        for (int i = UV; i < N_STEPS; i++)
                cr_expect(a[i].keepalives == 3 && a[i].ms == TOUCH_MS,
                        "step %d: %d keep-alives", i, (int)a[i].keepalives);
        for (int i = MAKE; i < N_STEPS; i++)
                cr_expect(a[i].signature == 1 && a[i].rp == 1 &&
                                  (a[i].flags & KP_AUTHDATA_UV) != 0,
                        "step %d", i);
}

Test(fault, every_file_happens_and_changes_what_its_point_says, .timeout = 120)
{
        struct facts base[N_STEPS];
        char *paths[256], why[512];
        size_t n = fault_files(paths);

        (void)run(NULL, base);
        cr_assert_gt(n, 0);
        for (size_t i = 0; i < n; i++) {
                struct kp_fault fault = { 0 };
                struct kp_error err = { 0 };

                cr_assert_eq(kp_fault_load(paths[i], &fault, &err), 0, "%s",
                        kp_error_format(&err, why, sizeof(why)));
                check(&fault, base);
                kp_fault_done(&fault);
                free(paths[i]);
        }
}

Test(fault, every_point_has_a_file_and_a_row)
{
        char *paths[256];
        size_t n = fault_files(paths);
        struct kp_fault faults[256] = { 0 };
        struct kp_error err = { 0 };

        for (size_t i = 0; i < n; i++)
                cr_assert_eq(kp_fault_load(paths[i], &faults[i], &err), 0);
        cr_assert_eq(KP_NELEMS(expected), kp_n_fault_points);
        for (size_t p = 0; p < kp_n_fault_points; p++) {
                const struct kp_fault_point *point = &kp_fault_points[p];
                bool found = false;

                for (size_t i = 0; i < n; i++)
                        found |= strcmp(faults[i].point, point->name) == 0;
                cr_expect(found, "no file in fixtures/faults names %s", point->name);
                cr_expect_not_null(expected_of(point->name), "%s", point->name);
                cr_expect(point->about[0] != '\0' && point->min <= point->max &&
                                  (point->value != NULL || point->max == 0),
                        "%s", point->name);
                for (size_t q = 0; q < p; q++)
                        cr_expect_str_neq(point->name, kp_fault_points[q].name);
        }
        for (size_t i = 0; i < n; i++) {
                kp_fault_done(&faults[i]);
                free(paths[i]);
        }
}

/* The guide for people has the same rows in the same order. */
Test(fault, the_guide_lists_every_point)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf row = { 0 };
        char path[400], line[400];
        size_t p = 0;
        FILE *guide;

        (void)snprintf(path, sizeof(path), "%s/docs/adding-a-fault.md",
                getenv("KEYPILOT_SOURCE"));
        cr_assert_not_null(guide = fopen(path, "r"));
        while (fgets(line, sizeof(line), guide) != NULL) {
                const struct kp_fault_point *point = &kp_fault_points[p];

                if (strncmp(line, "| `", 3) != 0)
                        continue;
                cr_assert_lt(p++, kp_n_fault_points, "one row too many: %s", line);
                kp_buf_clear(&row);
                kp_buf_printf(&row, "| `%s` | %.*s |%s%s |\n", point->name,
                        (int)strlen(point->about) - 1, point->about,
                        point->value == NULL ? "" : " ",
                        point->value == NULL ? "" : point->value);
                cr_expect(strcasecmp(line, kp_buf_str(&row)) == 0, "%s", line);
        }
        (void)fclose(guide);
        cr_assert_eq(p, kp_n_fault_points);
}

static void
expect_refused(const char *point, int64_t value, const char *part)
{
        const struct kp_fault fault = { .id = "x", .point = point, .value = value };
        struct kp_error err = { 0 };
        struct rig rig;
        char why[512];

        rig_open(&rig, "yubikey-5-57");
        cr_expect_eq(kp_authenticator_fault_add(rig.key, &fault, &err), -1);
        cr_expect_eq(err.code, KP_ESCHEMA);
        cr_expect_not_null(strstr(kp_error_format(&err, why, sizeof(why)), part),
                "\"%s\" does not say \"%s\"", why, part);
        rig_close(&rig);
}

Test(fault, a_wrong_one_is_refused_in_one_sentence)
{
        expect_refused("touch.forgotten", 0, "no point \"touch.forgotten\"");
        expect_refused("touch.refused", 1, "takes none");
        expect_refused("touch.late", 0, "from 1 to 600000 (milliseconds), not 0");
        expect_refused("answer.status", 256, "from 0 to 255 (status code), not 256");
}

Test(fault, several_at_once_count_for_themselves)
{
        static const struct kp_fault late = {
                .id = "a", .point = "touch.late", .nth = 2, .times = 1, .value = 1000
        };
        static const struct kp_fault slow = { .id = "b",
                .point = "answer.slow",
                .command = "selection",
                .nth = 1,
                .times = 2,
                .value = 500 };
        static const int64_t ms[] = { 500, 1500, 0, 0 };
        struct kp_error err = { 0 };
        struct session s = { 0 };
        struct facts f;
        uint8_t report[KP_CTAPHID_REPORT];

        rig_open(&s.rig, "yubikey-5-57");
        s.cid = channel(&s.rig);
        cr_assert_eq(kp_authenticator_fault_add(s.rig.key, &late, &err), 0);
        cr_assert_eq(kp_authenticator_fault_add(s.rig.key, &slow, &err), 0);
        for (size_t i = 0; i < KP_NELEMS(ms); i++) {
                struct kp_ctaphid_join join = { 0 };
                struct kp_buf m = { 0 };

                kp_buf_put_u8(&m, KP_CTAP_SELECTION);
                cr_assert(exchange(&s, &f, KP_CTAPHID_CBOR, &m, &join));
                cr_expect_eq(f.ms, ms[i], "%zu: %d ms", i, (int)f.ms);
                kp_buf_wipe(&join.payload);
                kp_buf_done(&m);
        }
        cr_assert_eq(kp_authenticator_fault_fired(s.rig.key, 0), 1);
        cr_assert_eq(kp_authenticator_fault_fired(s.rig.key, 1), 2);
        cr_assert_eq(kp_authenticator_fault_fired(s.rig.key, 2), 0);
        kp_authenticator_faults_clear(s.rig.key);
        cr_assert_eq(kp_authenticator_fault_fired(s.rig.key, 0), 0);
        cr_assert(!kp_authenticator_next_report(s.rig.key, report));
        rig_close(&s.rig);
}

/* A key that is pulled out at any frame, in either direction, and put back: it works. */
Test(fault, it_can_be_pulled_out_between_any_two_frames, .timeout = 120)
{
        static const char *const points[] = { "unplug.request", "unplug.answer" };
        struct kp_error err = { 0 };

        for (size_t p = 0; p < KP_NELEMS(points); p++) {
                for (int64_t frame = 0;; frame++) {
                        struct kp_fault fault = { .id = "pulled",
                                .point = points[p],
                                .command = "makeCredential",
                                .times = 1,
                                .value = frame };
                        struct kp_ctaphid_join join = { 0 };
                        struct session s = { 0 };
                        struct kp_buf m = make();
                        struct facts f;
                        bool answered;

                        rig_open(&s.rig, "yubikey-bio");
                        s.cid = channel(&s.rig);
                        cr_assert_eq(
                                kp_authenticator_fault_add(s.rig.key, &fault, &err), 0);
                        answered = exchange(&s, &f, KP_CTAPHID_CBOR, &m, &join);
                        kp_buf_wipe(&join.payload);
                        cr_assert_eq(answered, f.unplugged == 0);
                        if (!answered) {
                                cr_assert_eq(
                                        kp_authenticator_next_event_ms(s.rig.key), -1);
                                feed(&s.rig, s.cid, KP_CTAPHID_INIT, cdh, 8);
                                expect_nothing(&s.rig);
                                start_over(&s);
                                cr_assert(exchange(&s, &f, KP_CTAPHID_CBOR, &m, &join));
                                cr_assert_eq(join.payload.data[0], KP_CTAP_OK);
                                kp_buf_wipe(&join.payload);
                        }
                        kp_buf_done(&m);
                        rig_close(&s.rig);
                        if (answered) {
                                cr_assert_geq(frame, 2, "%s", points[p]);
                                break;
                        }
                }
        }
}
