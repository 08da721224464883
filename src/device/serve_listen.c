/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve_internal.h"

/*
 * A socket at a path. What lies there already is only replaced when it is a socket that
 * nobody listens to any more.
 */

static int
socket_at(const char *path, int type, struct sockaddr_un *at, struct kp_error *err)
{
        int fd;

        *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (path[0] == '\0' || strlen(path) >= sizeof(at->sun_path))
                return KP_FAIL(err, KP_EUSAGE,
                        "'%s': the path of a socket has 1 to %zu bytes; choose a "
                        "shorter one",
                        path, sizeof(at->sun_path) - 1);
        memcpy(at->sun_path, path, strlen(path));
        if ((fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
                return KP_FAIL_AS(err, KP_EENV, "errno", errno,
                        "%s: cannot make a socket: %s", path, strerror(errno));
        return fd;
}

/* Is anybody there? A refused connection is the only sign that nobody is. */
static bool
is_stale(const char *path, int type)
{
        struct kp_error err = { 0 };
        struct sockaddr_un at;
        int fd = socket_at(path, type, &at, &err);
        bool refused;

        if (fd < 0)
                return false;
        refused = connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 &&
                  errno == ECONNREFUSED;
        (void)close(fd);
        return refused;
}

static int
make_room(const char *path, int type, struct kp_error *err)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return 0;
        if (!S_ISSOCK(st.st_mode))
                return KP_FAIL(err, KP_EIO,
                        "%s: is there already and is no socket; choose another path or "
                        "remove it yourself",
                        path);
        if (!is_stale(path, type))
                return KP_FAIL(err, KP_EENV,
                        "%s: another program listens there; stop it or choose another "
                        "path",
                        path);
        if (unlink(path) < 0)
                return KP_FAIL_AS(err, KP_EENV, "errno", errno,
                        "%s: cannot replace an old socket: %s", path, strerror(errno));
        return 0;
}

int
kp_listener_open(
        const char *path, int type, struct kp_listener *ret, struct kp_error *err)
{
        struct sockaddr_un at;
        struct stat st;
        int fd = socket_at(path, type, &at, err);

        if (fd < 0)
                return -1;
        if (make_room(path, type, err) < 0) {
                (void)close(fd);
                return -1;
        }
        if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
                listen(fd, 16) < 0 || lstat(path, &st) < 0) {
                int saved = errno;

                (void)close(fd);
                return KP_FAIL_AS(err, KP_EENV, "errno", saved,
                        "%s: cannot listen there: %s", path, strerror(saved));
        }
        *ret = (struct kp_listener){
                .fd = fd, .device = st.st_dev, .inode = st.st_ino
        };
        memcpy(ret->path, path, strlen(path) + 1);
        return 0;
}

void
kp_listener_close(struct kp_listener *listener)
{
        struct stat st;

        (void)close(listener->fd);
        if (lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
                st.st_ino == listener->inode)
                (void)unlink(listener->path); /* best effort: a stale one is replaced */
        listener->fd = -1;
}
