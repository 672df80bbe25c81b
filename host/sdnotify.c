/* sdnotify.c - systemd: readiness, watchdog and sockets that it opened. */
/* SPDX-License-Identifier: MIT */
#include "sdnotify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_FD = 3, FDS_MAX = 64 };

static struct {
    bool read;
    unsigned n;
    int fd[FDS_MAX]; /* -1: taken */
} passed;

void gh_sd_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = path != NULL ? strlen(path) : 0;
    int fd;

    if (n == 0 || n >= sizeof addr.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(addr.sun_path, path, n);
    if (*path == '@')
        addr.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* The manager notices by itself when nothing arrives. */
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&addr,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

void gh_sd_reloading(void)
{
    struct timespec now;
    char text[80];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    gh_sd_notify(text);
}

static uint64_t number_of(const char *name)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static bool is_for_us(const char *name)
{
    return getenv(name) == NULL || number_of(name) == (uint64_t)getpid();
}

uint64_t gh_sd_watchdog_ns(void)
{
    return is_for_us("WATCHDOG_PID") ? number_of("WATCHDOG_USEC") * 1000 / 2 : 0;
}

/* ---- sockets ---- */

static void read_passed(void)
{
    uint64_t n = number_of("LISTEN_FDS");

    if (passed.read)
        return;
    passed.read = true;
    if (number_of("LISTEN_PID") != (uint64_t)getpid())
        return;
    for (unsigned i = 0; i < n && i < FDS_MAX; i++) {
        passed.fd[passed.n++] = FIRST_FD + (int)i;
        (void)fcntl(FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC);
        (void)fcntl(FIRST_FD + (int)i, F_SETFL, O_NONBLOCK);
    }
}

static bool is_kind(int fd, bool stream)
{
    int type = 0;
    socklen_t n = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
           type == (stream ? SOCK_STREAM : SOCK_DGRAM);
}

/* An address of any family, with port; the wildcard counts as no address. */
static bool is_bound_to(int fd, const struct gost_addr *addr)
{
    struct sockaddr_storage ss = {0};
    socklen_t n = sizeof ss;
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)&ss;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&ss;
    const struct sockaddr_un *un = (const struct sockaddr_un *)&ss;

    if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
        return false;
    if (ss.ss_family == AF_UNIX)
        return addr->family == GOST_AF_UNIX && strcmp(un->sun_path, addr->name) == 0;
    if (ss.ss_family == AF_INET && ntohs(in4->sin_port) == addr->port)
        return addr->family == GOST_AF_NONE ? in4->sin_addr.s_addr == 0
                                            : addr->family == GOST_AF_IP4 &&
                                                  memcmp(&in4->sin_addr, addr->ip, 4) == 0;
    if (ss.ss_family == AF_INET6 && ntohs(in6->sin6_port) == addr->port)
        return addr->family == GOST_AF_NONE ? IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr)
                                            : addr->family == GOST_AF_IP6 &&
                                                  memcmp(&in6->sin6_addr, addr->ip, 16) == 0;
    return false;
}

int gh_sd_take(const struct gost_addr *addr, bool stream)
{
    read_passed();
    for (unsigned i = 0; i < passed.n; i++) {
        int fd = passed.fd[i];

        if (fd < 0 || !is_kind(fd, stream) || !is_bound_to(fd, addr))
            continue;
        passed.fd[i] = -1;
        return fd;
    }
    return -1;
}

unsigned gh_sd_left(void)
{
    unsigned left = 0;

    read_passed();
    for (unsigned i = 0; i < passed.n; i++)
        left += passed.fd[i] >= 0;
    return left;
}
