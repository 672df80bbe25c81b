/* test_unix.c - file modes, and the life of a socket file. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../sdk/testkit/test_tap.h"
#include "unix.h"

static int mode_is(const char *text, uint32_t want)
{
    uint32_t mode = 0;

    return unix_parse_mode(&mode, text) == GOST_OK && mode == want;
}

static int mode_refused(const char *text)
{
    uint32_t mode = 7;

    return unix_parse_mode(&mode, text) == GOST_EPROTO && mode == 7;
}

static void test_modes(void)
{
    ok(mode_is("0660", 0660), "a leading zero means octal");
    ok(mode_is("0o660", 0660), "0o means octal");
    ok(mode_is("0x1b0", 0660), "0x means hexadecimal");
    ok(mode_is("432", 0660), "else decimal");
    ok(mode_is("0", 0), "zero");
    ok(mode_refused(""), "nothing is refused");
    ok(mode_refused("rw"), "words are refused");
    ok(mode_refused("-1"), "a sign is refused");
    ok(mode_refused("0668"), "a digit that is not octal is refused");
    ok(mode_refused("010000"), "more than 07777 is refused");
}

static void test_prepare(void)
{
    char error[200] = "";
    struct gost_prepare p = {.size = sizeof p, .error = error, .error_size = sizeof error};
    struct unix_conf conf = {.mode_text = "0640"};

    ok(unix_prepare(&conf, &p) == GOST_OK && conf.has_mode && conf.mode == 0640, "mode is taken");
    conf.mode_text = "x";
    ok(unix_prepare(&conf, &p) < 0 && strstr(error, "0660"), "a bad mode is explained");
}

static int listen_at(const struct unix_conf *conf, struct gost_addr *addr, int *ret_fd)
{
    struct gost_socket s = {.size = sizeof s, .fd = -1, .role = GOST_SERVER, .addr = addr};
    int r = unix_transport.listen(conf, &s);

    *ret_fd = s.fd;
    return r;
}

static int dial_at(struct gost_addr *addr, int *ret_fd)
{
    struct unix_conf conf = {.mode_text = NULL};
    struct gost_socket s = {.size = sizeof s, .fd = -1, .role = GOST_CLIENT, .addr = addr};
    int r = unix_transport.dial(&conf, &s);

    *ret_fd = s.fd;
    return r;
}

static void test_socket_file(const char *dir)
{
    struct unix_conf conf = {.has_mode = 1, .mode = 0600};
    struct gost_socket s = {.size = sizeof s};
    struct gost_addr addr;
    struct stat st;
    char path[200];
    FILE *f;
    int fd, fd2, n = snprintf(path, sizeof path, "%s/s", dir);

    gost_addr_set_path(&addr, path, (size_t)n);
    ok(dial_at(&addr, &fd) == -ENOENT, "nobody listens yet");
    ok(listen_at(&conf, &addr, &fd) == GOST_OK && fd >= 0, "listen");
    ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "the mode is set");
    ok(dial_at(&addr, &fd2) == GOST_OK, "dial");
    close(fd2);
    ok(listen_at(&conf, &addr, &fd2) == -EADDRINUSE, "a living listener is not replaced");
    close(fd);
    ok(dial_at(&addr, &fd2) == -ECONNREFUSED, "the file outlives its listener");
    ok(listen_at(&conf, &addr, &fd) == GOST_OK, "a stale file is replaced");
    s.addr = &addr;
    unix_transport.unlisten(&conf, &s);
    ok(stat(path, &st) < 0 && errno == ENOENT, "unlisten removes the file");
    close(fd);
    f = fopen(path, "w");
    fclose(f);
    ok(listen_at(&conf, &addr, &fd) == -EADDRINUSE, "a file that is no socket is left alone");
    unix_transport.unlisten(&conf, &s);
    ok(stat(path, &st) == 0, "and is not removed either");
    unlink(path);
}

static void test_addresses(void)
{
    struct gost_addr addr;
    char path[200];
    int fd;

    memset(path, 'x', sizeof path);
    gost_addr_set_path(&addr, path, sizeof path);
    ok(dial_at(&addr, &fd) == -ENAMETOOLONG, "a path longer than the kernel's limit");
    gost_addr_set_path(&addr, "", 0);
    ok(dial_at(&addr, &fd) == -EDESTADDRREQ, "an empty path");
    gost_addr_set_host(&addr, "127.0.0.1", 9, 80);
    ok(dial_at(&addr, &fd) == -EAFNOSUPPORT, "an IP address");
}

int main(void)
{
    char dir[] = "/tmp/gost-unix-XXXXXX";

    if (!mkdtemp(dir)) {
        printf("Bail out! no directory for the test\n");
        return 1;
    }
    test_modes();
    test_prepare();
    test_socket_file(dir);
    test_addresses();
    rmdir(dir);
    return test_end();
}
