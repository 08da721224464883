/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The hand of a person in a guest that has little else.
 *
 *   hand type LINE... -- PROGRAM ARGUMENT...   runs it on a terminal of its own, and
 *                                              types the next line at each prompt (": ")
 *   hand order SOCKET LINE                     one line to a socket; prints its answer
 */

static int
order(const char *path, const char *line)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        char answer[512];
        ssize_t n;

        snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
        if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
                dprintf(fd, "%s\n", line) < 0 ||
                (n = read(fd, answer, sizeof(answer) - 1)) <= 0) {
                perror(path);
                return 1;
        }
        answer[n] = '\0';
        printf("%s", answer);
        return strcmp(answer, "{\"ok\":true}\n") != 0;
}

static void
become(int terminal, char **argv)
{
        setsid();
        if (ioctl(terminal, TIOCSCTTY, 0) < 0)
                _exit(126);
        dup2(terminal, 0);
        dup2(terminal, 1);
        dup2(terminal, 2);
        execvp(argv[0], argv);
        _exit(127);
}

/* Copy what it says, and answer each prompt once. */
static void
converse(int fd, char **lines, int n_lines)
{
        char chunk[512], tail[2] = "";
        struct pollfd at = { .fd = fd, .events = POLLIN };
        int next = 0;

        for (;;) {
                int r = poll(&at, 1, 200);
                ssize_t n;

                if (r > 0) {
                        if ((n = read(fd, chunk, sizeof(chunk))) <= 0)
                                return;
                        if (write(1, chunk, (size_t)n) != n)
                                return;
                        tail[0] = n > 1 ? chunk[n - 2] : tail[1];
                        tail[1] = chunk[n - 1];
                } else if (tail[0] == ':' && tail[1] == ' ' && next < n_lines) {
                        dprintf(fd, "%s\n", lines[next++]);
                        tail[1] = '\0';
                }
        }
}

static int
type(char **argv)
{
        int n_lines = 0, fd, terminal, status;
        pid_t pid;

        while (argv[n_lines] != NULL && strcmp(argv[n_lines], "--") != 0)
                n_lines++;
        if (argv[n_lines] == NULL || argv[n_lines + 1] == NULL)
                return 2;
        if ((fd = posix_openpt(O_RDWR | O_NOCTTY)) < 0 || grantpt(fd) < 0 ||
                unlockpt(fd) < 0 || (terminal = open(ptsname(fd), O_RDWR)) < 0) {
                perror("pty");
                return 1;
        }
        if ((pid = fork()) == 0)
                become(terminal, argv + n_lines + 1);
        close(terminal);
        converse(fd, argv, n_lines);
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return 1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int
main(int argc, char **argv)
{
        if (argc == 4 && strcmp(argv[1], "order") == 0)
                return order(argv[2], argv[3]);
        if (argc > 3 && strcmp(argv[1], "type") == 0)
                return type(argv + 2);
        fprintf(stderr,
                "usage: hand type LINE... -- PROGRAM... | hand order SOCKET LINE\n");
        return 2;
}
