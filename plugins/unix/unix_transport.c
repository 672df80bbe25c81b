/* unix_transport.c - stream sockets in the file system. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockaddr.h"
#include "unix.h"

const struct gost_opt unix_options[] = {
    GOST_OPT_STRING(struct unix_conf, mode_text, "mode", NULL, GOST_OPT_SERVER,
                    "Permissions of the socket file, for instance 0660"),
    GOST_OPT_LAST,
};

int unix_prepare(void *conf, struct gost_prepare *p)
{
    struct unix_conf *c = conf;

    if (!c->mode_text)
        return GOST_OK;
    if (unix_parse_mode(&c->mode, c->mode_text)) {
        snprintf(p->error, p->error_size,
                 "mode \"%s\" is no file mode: write it as 0660 (octal, with the zero)",
                 c->mode_text);
        return GOST_EPROTO;
    }
    c->has_mode = 1;
    return GOST_OK;
}

/* A socket at the address of s. Returns 0 or a negative errno; ss and n are for bind or connect. */
static int make(const struct gost_socket *s, int *ret_fd, struct sockaddr_storage *ss, socklen_t *n)
{
    struct gost_addr addr = *s->addr;
    int fd;

    if (addr.family == GOST_AF_NAME)
        addr.family = GOST_AF_UNIX; /* a relative path without a slash looks like a name */
    *n = gost_sockaddr_put(ss, &addr);
    if (addr.family != GOST_AF_UNIX)
        return -EAFNOSUPPORT;
    if (*n == 0)
        return addr.len ? -ENAMETOOLONG : -EDESTADDRREQ;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

/* Remove a socket file nobody listens on any more; a living one and other files stay. */
static void remove_stale(const struct sockaddr_storage *ss, socklen_t n, const char *path)
{
    struct stat st;
    int fd;

    if (path[0] == '@' || lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)ss, n) < 0 && errno == ECONNREFUSED)
        (void)unlink(path);
    close(fd);
}

static int unix_listen(const void *conf, struct gost_socket *s)
{
    const struct unix_conf *c = conf;
    struct sockaddr_storage ss;
    socklen_t n;
    int fd, r;

    r = make(s, &fd, &ss, &n);
    if (r)
        return r;
    remove_stale(&ss, n, s->addr->name);
    if (bind(fd, (struct sockaddr *)&ss, n) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    if ((c->has_mode && s->addr->name[0] != '@' && chmod(s->addr->name, c->mode) < 0) ||
        listen(fd, SOMAXCONN) < 0) {
        r = -errno;
        (void)unlink(s->addr->name);
        close(fd);
        return r;
    }
    s->fd = fd;
    if (s->local)
        *s->local = *s->addr;
    return GOST_OK;
}

static int unix_dial(const void *conf, struct gost_socket *s)
{
    struct sockaddr_storage ss;
    socklen_t n;
    int fd, r;

    r = make(s, &fd, &ss, &n);
    if (r)
        return r;
    if (connect(fd, (struct sockaddr *)&ss, n) < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    s->fd = fd;
    return GOST_OK;
}

static void unix_unlisten(const void *conf, struct gost_socket *s)
{
    struct stat st;
    const char *path = s->addr->name;

    if (path[0] != '@' && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        (void)unlink(path);
}

const struct gost_transport_ops unix_transport = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_STREAM,
    .listen = unix_listen,
    .dial = unix_dial,
    .unlisten = unix_unlisten,
    .flags = GOST_TRANSPORT_PATH,
};
