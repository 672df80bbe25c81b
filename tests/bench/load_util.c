/* load_util.c - clock, sockets, the driver's pipe and latency samples.
 * SPDX-License-Identifier: MIT
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_TIMEOUT_MS 15000

uint64_t load_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t load_new_seed(void)
{
    static uint64_t last;

    if (last == 0)
        last = (load_now() ^ ((uint64_t)getpid() << 40)) | 1;
    last = last * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return last;
}

void load_die(const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fputs("load: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

int load_tcp_socket(void)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        load_die("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return fd;
}

void load_wait_fd(int fd, short events, int timeout_ms, const char *what)
{
    struct pollfd p = {.fd = fd, .events = events};
    int n;

    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        load_die("%s: nothing happened for %d ms", what, timeout_ms);
    if (n < 0)
        load_die("%s: poll: %s", what, strerror(errno));
}

void load_send_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            load_wait_fd(fd, POLLOUT, CONTROL_TIMEOUT_MS, "sending a request");
        } else if (errno != EINTR) {
            load_die("sending a request: %s", strerror(errno));
        }
    }
}

void load_recv_all(int fd, void *data, size_t len)
{
    uint8_t *p = data;

    while (len > 0) {
        ssize_t n = recv(fd, p, len, 0);

        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n == 0) {
            load_die("the connection ended where a reply of the target was due");
        } else if (errno == EAGAIN) {
            load_wait_fd(fd, POLLIN, CONTROL_TIMEOUT_MS, "waiting for the target's reply");
        } else if (errno != EINTR) {
            load_die("waiting for the target's reply: %s", strerror(errno));
        }
    }
}

void load_request(int fd, enum load_op op, uint64_t seed, uint64_t length)
{
    struct load_head head = {LOAD_MAGIC, op, seed, length};

    load_send_all(fd, &head, sizeof(head));
}

void load_expect_reply(int fd, uint64_t seed, uint64_t bytes)
{
    struct load_reply r;

    load_recv_all(fd, &r, sizeof(r));
    if (r.magic != LOAD_MAGIC || r.seed != seed)
        load_die("a reply that is not the target's: the proxy mixed up or damaged bytes");
    if (r.bad != 0)
        load_die("the target got damaged bytes");
    if (r.bytes != bytes)
        load_die("the target got %llu bytes of %llu", (unsigned long long)r.bytes,
                 (unsigned long long)bytes);
}

void load_wait_go(void)
{
    char line[16];

    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL || strcmp(line, "go\n") != 0)
        load_die("the driver said no \"go\"");
}

void load_wait_quit(void)
{
    char line[16];

    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        return;
}

void load_samples_init(struct load_samples *s, size_t cap)
{
    s->ns = malloc(cap * sizeof(*s->ns));
    if (s->ns == NULL)
        load_die("no memory for %zu samples", cap);
    s->len = 0;
    s->cap = cap;
}

void load_samples_add(struct load_samples *s, uint64_t ns)
{
    if (s->len < s->cap)
        s->ns[s->len++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void load_samples_sort(struct load_samples *s)
{
    qsort(s->ns, s->len, sizeof(*s->ns), compare_u32);
}

double load_samples_us(const struct load_samples *s, double q)
{
    size_t at;

    if (s->len == 0)
        return 0;
    at = (size_t)(q * (double)(s->len - 1) + 0.5);
    return s->ns[at] / 1000.0;
}
