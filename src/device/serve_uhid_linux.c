/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/uhid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve_internal.h"

/*
 * A HID device of this machine, through /dev/uhid: browsers and every FIDO program see
 * it as a USB key.
 */
#define DEVICE "/dev/uhid"
#define BUS_OF_USB 0x03 /* programs look no further than USB */
#define VENDOR 0x1209
#define PRODUCT 0xf1d0

/* Spec: CTAP 2.1 §11.2.8.1: one report of 64 bytes in, one out, no numbers */
/* clang-format off */
static const uint8_t descriptor[] = {
        0x06, 0xd0, 0xf1, /* usage page: FIDO alliance */
        0x09, 0x01,       /* usage: CTAPHID */
        0xa1, 0x01,       /* collection: application */
        0x09, 0x20,       /*  usage: data in */
        0x15, 0x00,       /*  logical minimum */
        0x26, 0xff, 0x00, /*  logical maximum */
        0x75, 0x08,       /*  report size in bits */
        0x95, 0x40,       /*  report count */
        0x81, 0x02,       /*  input: data, variable, absolute */
        0x09, 0x21,       /*  usage: data out */
        0x15, 0x00,
        0x26, 0xff, 0x00,
        0x75, 0x08,
        0x95, 0x40,
        0x91, 0x02,       /*  output: data, variable, absolute */
        0xc0,
};
/* clang-format on */

struct uhid {
        int fd;
        char title[120], id[56];
        bool plugged;
};

/* The kernel takes an event whole, or not at all. */
static bool
tell_kernel(const struct uhid *uhid, const struct uhid_event *event)
{
        ssize_t n;

        do
                n = write(uhid->fd, event, sizeof(*event));
        while (n < 0 && errno == EINTR);
        return n == sizeof(*event);
}

static bool
plug_in(struct uhid *uhid)
{
        struct uhid_event event = { .type = UHID_CREATE2 };
        struct uhid_create2_req *create = &event.u.create2;

        (void)snprintf((char *)create->name, sizeof(create->name), "%s", uhid->title);
        (void)snprintf((char *)create->phys, sizeof(create->phys), "keypilot");
        (void)snprintf((char *)create->uniq, sizeof(create->uniq), "%s", uhid->id);
        create->bus = BUS_OF_USB;
        create->vendor = VENDOR;
        create->product = PRODUCT;
        create->rd_size = sizeof(descriptor);
        memcpy(create->rd_data, descriptor, sizeof(descriptor));
        uhid->plugged = tell_kernel(uhid, &event);
        return uhid->plugged;
}

static void
pull_out(struct uhid *uhid)
{
        const struct uhid_event event = { .type = UHID_DESTROY };

        if (uhid->plugged)
                (void)tell_kernel(uhid, &event); /* closing it does the same */
        uhid->plugged = false;
}

static void
uhid_fds(void *self, bool full, struct pollfd ret[KP_PORT_FDS])
{
        const struct uhid *uhid = self;

        ret[0] = (struct pollfd){ .fd = uhid->fd,
                .events = (short)(POLLIN | (full ? POLLOUT : 0)) };
}

/* Feature reports: a security key has none. Unanswered, the asker waits 5 s. */
static void
refuse(const struct uhid *uhid, const struct uhid_event *asked)
{
        struct uhid_event event = { 0 };

        if (asked->type == UHID_GET_REPORT) {
                event.type = UHID_GET_REPORT_REPLY;
                event.u.get_report_reply.id = asked->u.get_report.id;
                event.u.get_report_reply.err = EIO;
        } else {
                event.type = UHID_SET_REPORT_REPLY;
                event.u.set_report_reply.id = asked->u.set_report.id;
                event.u.set_report_reply.err = EIO;
        }
        (void)tell_kernel(uhid, &event); /* the asker's time-out is the fallback */
}

/* With or without the report number, as the writer's kernel had it. */
static void
take_output(struct kp_served *key, const struct uhid_output_req *output)
{
        if (output->rtype != UHID_OUTPUT_REPORT)
                return;
        if (output->size == KP_CTAPHID_REPORT)
                kp_served_feed(key, output->data);
        else if (output->size == KP_CTAPHID_REPORT + 1 && output->data[0] == 0)
                kp_served_feed(key, output->data + 1);
}

static void
uhid_take(void *self, struct kp_served *key, const struct pollfd *fds)
{
        struct uhid *uhid = self;
        struct uhid_event event;

        if ((fds[0].revents & POLLIN) == 0)
                return;
        for (;;) {
                ssize_t n = read(uhid->fd, &event, sizeof(event));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < (ssize_t)sizeof(event.type))
                        return;
                memset((uint8_t *)&event + n, 0, sizeof(event) - (size_t)n);
                if (event.type == UHID_OUTPUT)
                        take_output(key, &event.u.output);
                else if (event.type == UHID_OPEN)
                        kp_served_came(key);
                else if (event.type == UHID_CLOSE)
                        kp_served_went(key);
                else if (event.type == UHID_GET_REPORT || event.type == UHID_SET_REPORT)
                        refuse(uhid, &event);
        }
}

static enum kp_port_sent
uhid_send(void *self, const uint8_t report[KP_CTAPHID_REPORT])
{
        struct uhid *uhid = self;
        struct uhid_event event = { .type = UHID_INPUT2 };

        if (!uhid->plugged)
                return KP_PORT_NOBODY;
        event.u.input2.size = KP_CTAPHID_REPORT;
        memcpy(event.u.input2.data, report, KP_CTAPHID_REPORT);
        return tell_kernel(uhid, &event) ? KP_PORT_SENT : KP_PORT_NOBODY;
}

static void
uhid_replug(void *self, struct kp_served *key)
{
        struct uhid *uhid = self;
        struct kp_error err = { 0 };

        pull_out(uhid);
        if (plug_in(uhid))
                return;
        (void)KP_FAIL_AS(&err, KP_EIO, "errno", errno, DEVICE ": %s", strerror(errno));
        kp_served_trouble(key, &err);
}

static void
uhid_unplug(void *self, struct kp_served *key)
{
        struct uhid *uhid = self;

        if (!uhid->plugged)
                return;
        pull_out(uhid);
        kp_serve_say(key, (struct kp_serve_event){ .news = KP_SERVE_PULLED });
}

static void
uhid_close(void *self)
{
        struct uhid *uhid = self;

        pull_out(uhid);
        (void)close(uhid->fd);
        free(uhid);
}

static const struct kp_port_ops uhid_ops = {
        .name = "uhid",
        .fds = uhid_fds,
        .take = uhid_take,
        .send = uhid_send,
        .replug = uhid_replug,
        .unplug = uhid_unplug,
        .close = uhid_close,
};

static int
fail_to_open(int why, struct kp_error *err)
{
        if (why == ENOENT || why == ENODEV)
                return KP_FAIL_AS(err, KP_EENV, "errno", why,
                        DEVICE " is not there: load it with 'sudo modprobe uhid'");
        if (why == EACCES || why == EPERM)
                return KP_FAIL_AS(err, KP_EENV, "errno", why,
                        "no permission on " DEVICE
                        ": run this as root, or add the udev rule KERNEL==\"uhid\", "
                        "GROUP=\"plugdev\", MODE=\"0660\" and join that group");
        return KP_FAIL_AS(err, KP_EENV, "errno", why, DEVICE ": %s", strerror(why));
}

int
kp_port_uhid(const struct kp_authenticator_profile *profile, struct kp_port *ret,
        struct kp_error *err)
{
        struct uhid *uhid = calloc(1, sizeof(*uhid));

        if (uhid == NULL)
                return KP_FAIL(err, KP_ENOMEM, DEVICE);
        (void)snprintf(uhid->title, sizeof(uhid->title), "%s",
                kp_authenticator_profile_title(profile).en);
        (void)snprintf(uhid->id, sizeof(uhid->id), "sim:%s",
                kp_authenticator_profile_id(profile));
        uhid->fd = open(DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (uhid->fd < 0 || !plug_in(uhid)) {
                int saved = errno;

                if (uhid->fd >= 0)
                        (void)close(uhid->fd);
                free(uhid);
                return fail_to_open(saved, err);
        }
        *ret = (struct kp_port){ .ops = &uhid_ops, .self = uhid };
        (void)snprintf(ret->address, sizeof(ret->address), DEVICE);
        return 0;
}
