/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEYPILOT_TESTS_PEERS_H
#define KEYPILOT_TESTS_PEERS_H

#include <fido.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

/*
 * A key whose profile a test writes itself, and libfido2 at its other end. Time jumps
 * where libfido2 would wait.
 */

/* `members`: what the profile says beside its id and title, "like" first. */
static UNUSED void
rig_open_own(struct rig *rig, const char *members)
{
        char dir[] = "/tmp/keypilot-test-XXXXXX", path[64], root[512], why[1024];
        struct kp_error err = { 0 };
        FILE *file;
        int rc;

        *rig = (struct rig){ .now_ms = 1000 };
        cr_assert_not_null(mkdtemp(dir));
        (void)snprintf(path, sizeof(path), "%s/own-key.json", dir);
        cr_assert_not_null(file = fopen(path, "w"));
        (void)fprintf(file,
                "{\"id\": \"own-key\", \"title\": {\"en\": \"Own\", \"nl\": \"Eigen\"},"
                " \"source\": \"ours\", %s}",
                members);
        cr_assert_eq(fclose(file), 0);
        (void)snprintf(root, sizeof(root), "%s", getenv("KEYPILOT_FIXTURES"));
        rc = kp_authenticator_profile_load_from(root, path, &rig->profile, &err);
        (void)unlink(path);
        (void)rmdir(dir);
        cr_assert_eq(rc, 0, "%s", kp_error_format(&err, why, sizeof(why)));
        cr_assert_eq(kp_random_new_seeded("rig", "own-key", &rig->random, &err), 0);
        cr_assert_eq(kp_authenticator_new(
                             rig->profile, rig->random, rig->now_ms, &rig->key, &err),
                0, "%s", kp_error_format(&err, why, sizeof(why)));
}

static struct rig *fido_rig;

static UNUSED void *
fido_io_open(const char *path)
{
        (void)path;
        return fido_rig;
}

static UNUSED void
fido_io_close(void *handle)
{
        (void)handle;
}

static UNUSED int
fido_io_read(void *handle, unsigned char *report, size_t len, int ms)
{
        struct rig *rig = handle;
        int64_t next;

        (void)ms;
        cr_assert_eq(len, KP_CTAPHID_REPORT);
        while (!kp_authenticator_next_report(rig->key, report)) {
                if ((next = kp_authenticator_next_event_ms(rig->key)) < 0)
                        return -1;
                rig->now_ms = next;
                kp_authenticator_tick(rig->key, next);
        }
        return (int)len;
}

static UNUSED int
fido_io_write(void *handle, const unsigned char *report, size_t len)
{
        struct rig *rig = handle;

        cr_assert_eq(len, KP_CTAPHID_REPORT + 1);
        kp_authenticator_feed(rig->key, report + 1, rig->now_ms);
        return (int)len;
}

static UNUSED fido_dev_t *
fido_plug_in(struct rig *rig)
{
        const fido_dev_io_t io = { fido_io_open, fido_io_close, fido_io_read,
                fido_io_write };
        fido_dev_t *dev;

        fido_init(FIDO_DISABLE_U2F_FALLBACK);
        fido_rig = rig;
        cr_assert_not_null(dev = fido_dev_new());
        cr_assert_eq(fido_dev_set_io_functions(dev, &io), FIDO_OK);
        cr_assert_eq(fido_dev_open(dev, "own"), FIDO_OK);
        return dev;
}

static UNUSED void
fido_unplug(fido_dev_t *dev)
{
        (void)fido_dev_close(dev);
        fido_dev_free(&dev);
}

#define expect_fido(got)                                                               \
        do {                                                                           \
                int expect_rc = (got);                                                 \
                cr_assert_eq(expect_rc, FIDO_OK, "%s", fido_strerr(expect_rc));        \
        } while (0)

#endif
