/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <fido.h>
#include <linux/hidraw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keypilot/core/buf.h"
#include "keypilot/device/hidraw.h"

/* How often a waiting read looks whether it was interrupted. */
#define SLICE_MS 200
/* How long reads still wait after an interruption: for the answer to a cancel. */
#define GRACE_MS 500

struct hidraw {
        int fd;
        const volatile sig_atomic_t *interrupted;
        bool told; /* the driver knows of the interruption */
};

static int
by_path(const void *a, const void *b)
{
        return strcmp(((const struct kp_hidraw_key *)a)->path,
                ((const struct kp_hidraw_key *)b)->path);
}

static bool
key_describe(const fido_dev_info_t *info, struct kp_hidraw_key *ret)
{
        const char *path = fido_dev_info_path(info);
        const char *maker = fido_dev_info_manufacturer_string(info);
        const char *product = fido_dev_info_product_string(info);

        if (path == NULL || strlen(path) >= sizeof(ret->path))
                return false;
        *ret = (struct kp_hidraw_key){
                .vendor = (uint16_t)fido_dev_info_vendor(info),
                .product = (uint16_t)fido_dev_info_product(info),
        };
        (void)snprintf(ret->path, sizeof(ret->path), "%s", path);
        (void)snprintf(ret->title, sizeof(ret->title), "%s%s%s",
                maker == NULL ? "" : maker,
                maker == NULL || maker[0] == '\0' ? "" : " ",
                product == NULL ? "" : product);
        return true;
}

int
kp_hidraw_list(
        struct kp_hidraw_key ret[KP_HIDRAW_MAX], size_t *ret_n, struct kp_error *err)
{
        fido_dev_info_t *infos = fido_dev_info_new(KP_HIDRAW_MAX);
        size_t n_infos = 0, n = 0;
        int r;

        if (infos == NULL)
                return KP_FAIL(err, KP_ENOMEM, "plugged-in keys");
        r = fido_dev_info_manifest(infos, KP_HIDRAW_MAX, &n_infos);
        for (size_t i = 0; r == FIDO_OK && i < n_infos; i++)
                if (key_describe(fido_dev_info_ptr(infos, i), &ret[n]))
                        n++;
        fido_dev_info_free(&infos, KP_HIDRAW_MAX);
        /* a system without udev has no keys to list; that is no fault of ours */
        if (r != FIDO_OK && r != FIDO_ERR_INTERNAL)
                return KP_FAIL_AS(err, KP_EIO, "fido2", r,
                        "looking for plugged-in keys: %s", fido_strerr(r));
        qsort(ret, n, sizeof(ret[0]), by_path);
        *ret_n = n;
        return 0;
}

static int
hidraw_write(void *self, const uint8_t report[KP_CTAPHID_REPORT], struct kp_error *err)
{
        struct hidraw *hidraw = self;
        uint8_t bytes[1 + KP_CTAPHID_REPORT] = { 0 }; /* report id 0, then the report */
        ssize_t n;

        memcpy(bytes + 1, report, KP_CTAPHID_REPORT);
        do
                n = write(hidraw->fd, bytes, sizeof(bytes));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno, "writing to the key: %s",
                        strerror(errno));
        if (n != (ssize_t)sizeof(bytes))
                return KP_FAIL(err, KP_EIO, "writing to the key: %zd of %zu bytes went",
                        n, sizeof(bytes));
        return 0;
}

static int64_t
monotonic_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True once: the read that was waiting ends, and the driver sends its cancel. */
static bool
interruption(struct hidraw *hidraw)
{
        if (hidraw->told || hidraw->interrupted == NULL || !*hidraw->interrupted)
                return false;
        hidraw->told = true;
        return true;
}

/* 1 readable, 0 the time is up or somebody interrupted, -1 with an error */
static int
await(struct hidraw *hidraw, int timeout_ms, struct kp_error *err)
{
        bool forever = timeout_ms < 0 && !hidraw->told;
        int64_t deadline;

        if (hidraw->told && (timeout_ms < 0 || timeout_ms > GRACE_MS))
                timeout_ms = GRACE_MS;
        deadline = monotonic_ms() + timeout_ms;
        for (;;) {
                struct pollfd at = { .fd = hidraw->fd, .events = POLLIN };
                int64_t left = forever ? SLICE_MS : deadline - monotonic_ms();
                int r = poll(&at, 1,
                        left < 0          ? 0
                        : left < SLICE_MS ? (int)left
                                          : SLICE_MS);

                if (r > 0)
                        return 1;
                if (r < 0 && errno != EINTR)
                        return KP_FAIL_AS(err, KP_EIO, "errno", errno,
                                "waiting for the key: %s", strerror(errno));
                if (interruption(hidraw) || left <= 0)
                        return 0;
        }
}

static int
hidraw_read(void *self, uint8_t report[KP_CTAPHID_REPORT], int timeout_ms,
        struct kp_error *err)
{
        struct hidraw *hidraw = self;
        ssize_t n;
        int r;

        if ((r = await(hidraw, timeout_ms, err)) <= 0)
                return r;
        do
                n = read(hidraw->fd, report, KP_CTAPHID_REPORT);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return KP_FAIL_AS(err, KP_EIO, "errno", errno,
                        "reading from the key: %s", strerror(errno));
        if (n != KP_CTAPHID_REPORT)
                return KP_FAIL(err, KP_EIO,
                        "reading from the key: a report of %zd bytes, expected %d", n,
                        KP_CTAPHID_REPORT);
        return 1;
}

static void
hidraw_close(void *self)
{
        struct hidraw *hidraw = self;

        (void)close(hidraw->fd); /* nothing is lost: reports are not buffered */
        free(hidraw);
}

static const struct kp_seam_ops hidraw_ops = { hidraw_write, hidraw_read,
        hidraw_close };

static int
not_found(const char *path, struct kp_error *err)
{
        KP_CLEANUP(kp_buf_done) struct kp_buf names = { 0 };
        struct kp_hidraw_key keys[KP_HIDRAW_MAX];
        size_t n_keys = 0;

        if (kp_hidraw_list(keys, &n_keys, err) < 0)
                return KP_WHILE(err, "%s", path);
        for (size_t i = 0; i < n_keys; i++)
                kp_buf_printf(&names, "%shid:%s", i == 0 ? "" : ", ", keys[i].path);
        return KP_FAIL(err, KP_ENOTFOUND, "no key at '%s'; plugged in: %s", path,
                n_keys == 0 ? "none" : kp_buf_str(&names));
}

static int
not_opened(const char *path, int why, struct kp_error *err)
{
        if (why == ENOENT || why == ENOTDIR || why == ENODEV || why == ENXIO)
                return not_found(path, err);
        if (why == EACCES || why == EPERM)
                return KP_FAIL_AS(err, KP_EENV, "errno", why,
                        "%s: no permission; sit at the machine itself (not ssh or "
                        "cron), see "
                        "that the package libfido2-1 (udev rules) is installed, then "
                        "pull "
                        "the key out and put it back",
                        path);
        return KP_FAIL_AS(err, KP_EIO, "errno", why, "%s: %s", path, strerror(why));
}

/* A keyboard is a hidraw node too: nothing is written before this has said yes. */
static int
is_fido(int fd, const char *path, struct kp_error *err)
{
        struct hidraw_report_descriptor descriptor = { 0 };
        size_t in, out;
        int size = 0;

        if (ioctl(fd, HIDIOCGRDESCSIZE, &size) < 0 || size < 0 ||
                size > HID_MAX_DESCRIPTOR_SIZE)
                return KP_FAIL(err, KP_EUSAGE, "%s is not a security key", path);
        descriptor.size = (unsigned)size;
        if (ioctl(fd, HIDIOCGRDESC, &descriptor) < 0 ||
                !kp_hidraw_is_fido(descriptor.value, descriptor.size, &in, &out))
                return KP_FAIL(err, KP_EUSAGE, "%s is not a FIDO security key", path);
        if (in != KP_CTAPHID_REPORT || out != KP_CTAPHID_REPORT)
                return KP_FAIL(err, KP_EUNSUPPORTED,
                        "%s speaks in reports of %zu and %zu bytes, not of %d", path,
                        in, out, KP_CTAPHID_REPORT);
        return 0;
}

int
kp_hidraw_open(const char *path, const volatile sig_atomic_t *interrupted,
        struct kp_seam *ret, struct kp_error *err)
{
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct hidraw *hidraw;

        if (fd < 0)
                return not_opened(path, errno, err);
        if (is_fido(fd, path, err) < 0) {
                (void)close(fd); /* nothing was sent */
                return -1;
        }
        if ((hidraw = calloc(1, sizeof(*hidraw))) == NULL) {
                (void)close(fd); /* nothing was sent */
                return KP_FAIL(err, KP_ENOMEM, "%s", path);
        }
        hidraw->fd = fd;
        hidraw->interrupted = interrupted;
        *ret = (struct kp_seam){ &hidraw_ops, hidraw };
        return 0;
}
