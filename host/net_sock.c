/* net_sock.c - a connected stream descriptor as the bottom of a stack. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net_private.h"

#define READ_BUDGET 65536 /* bytes per wake-up: others are waiting too */
#define IOV_MAX_USED 16

const char gh_sock_tag[] = "gh_sock";

/* A peer's reset is reported by epoll always, but libuv wants something to poll for. */
#define RESET_ONLY UV_PRIORITIZED

static void on_poll(uv_poll_t *poll, int status, int events);

struct gh_sock *gh_sock_of(struct ge_stack *stack)
{
    struct gh_sock *s = ge_stack_ctx(stack);

    return s && s->tag == gh_sock_tag ? s : NULL;
}

static int wants_read(const struct gh_sock *s)
{
    if (s->out)
        return gh_splice_wants_read(s->out);
    return !s->eof && ge_rx_wanted(s->stack);
}

static int wants_write(const struct gh_sock *s)
{
    return s->blocked || (s->in && gh_splice_wants_write(s->in));
}

static void poll_for(struct gh_sock *s, int events)
{
    if (s->broken || events == s->events)
        return;
    s->events = (uint8_t)events;
    uv_poll_start(&s->poll, events, on_poll);
}

/* Adding is immediate. Reading is given up only when it fires without need (see on_poll), because a
 * stop and a start cost two system calls and most pauses are over before the next input. */
void gh_sock_poll(struct gh_sock *s)
{
    int events = wants_write(s) ? UV_WRITABLE : 0;

    if (wants_read(s) || (s->events & UV_READABLE))
        events |= UV_READABLE;
    poll_for(s, events ? events : RESET_ONLY);
}

void gh_sock_broken(struct gh_sock *s, int status)
{
    struct gh_splice *in = s->in, *out = s->out;
    struct iovec iov[IOV_MAX_USED];
    int n;

    if (s->broken)
        return;
    s->broken = 1;
    s->blocked = 0;
    uv_poll_stop(&s->poll);
    if (in)
        gh_splice_end(in, status);
    if (out)
        gh_splice_end(out, status);
    ge_rx_end(s->stack, status);
    while ((n = ge_tx_iov(s->stack, iov, IOV_MAX_USED)) > 0) /* it will reach nobody */
        while (n > 0)
            ge_tx_consume(s->stack, iov[--n].iov_len);
    if (ge_tx_shut(s->stack))
        ge_tx_shut_done(s->stack);
}

/* The error that epoll told of without saying which. 0: none. */
static int pending_error(const struct gh_sock *s)
{
    int err = 0;
    socklen_t n = sizeof err;

    return getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n) == 0 ? err : 0;
}

/* ---- reading ---- */

static void read_some(struct gh_sock *s)
{
    size_t budget = READ_BUDGET;

    while (!s->eof && ge_rx_wanted(s->stack)) {
        struct gost_bytes room = ge_rx_reserve(s->stack);
        ssize_t n;

        if (room.n == 0)
            return;
        do {
            n = read(s->fd, (uint8_t *)room.p, room.n);
        } while (n < 0 && errno == EINTR);
        ge_rx_commit(s->stack, n > 0 ? (size_t)n : 0);
        if (n == 0) {
            s->eof = 1;
            ge_rx_end(s->stack, 0);
        } else if (n < 0 && errno != EAGAIN) {
            gh_sock_broken(s, gh_errno_status(errno));
        }
        if (n <= 0 || (size_t)n < room.n || (size_t)n >= budget)
            return;
        budget -= (size_t)n;
    }
}

/* ---- writing ---- */

static void finish_writing(struct gh_sock *s)
{
    s->blocked = 0;
    if (!ge_tx_shut(s->stack))
        return;
    (void)shutdown(s->fd, SHUT_WR); /* a descriptor without half-close ends by its close */
    ge_tx_shut_done(s->stack);
}

static void write_some(struct gh_sock *s)
{
    struct iovec iov[IOV_MAX_USED];
    int count;

    while ((count = ge_tx_iov(s->stack, iov, IOV_MAX_USED)) > 0) {
        ssize_t n = writev(s->fd, iov, count);

        if (n >= 0) {
            ge_tx_consume(s->stack, (size_t)n);
        } else if (errno == EAGAIN) {
            s->blocked = 1;
            return;
        } else if (errno != EINTR) {
            gh_sock_broken(s, gh_errno_status(errno));
            return;
        }
    }
    finish_writing(s);
}

/* ---- events ---- */

static void readable(struct gh_sock *s)
{
    if (s->out)
        gh_splice_run(s->out);
    else if (!s->eof && ge_rx_wanted(s->stack))
        read_some(s);
    if (!s->broken && !wants_read(s)) {
        s->events &= (uint8_t)~UV_READABLE;
        s->events |= 0x80; /* differs from any set, so that it is given to libuv */
    }
}

/* An error, or the end of both directions while nothing is read. */
static void trouble(struct gh_sock *s, int status)
{
    int err;

    if (status < 0)
        s->events = 0; /* libuv has stopped polling */
    if (!s->out && !s->eof && ge_rx_wanted(s->stack))
        read_some(s); /* what came before the error, and the error */
    if (s->broken)
        return;
    err = pending_error(s);
    if (err) {
        gh_sock_broken(s, gh_errno_status(err));
        return;
    }
    if (status == 0) {
        uv_poll_stop(&s->poll); /* hung up: it would be told again and again */
        s->events = 0;
    } else if (s->out || s->in) {
        gh_splice_run(s->out ? s->out : s->in);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct gh_sock *s = GH_OUTER(poll, struct gh_sock, poll);

    if (status < 0 || events == RESET_ONLY) {
        trouble(s, status);
        if (status < 0 && !s->broken && (wants_read(s) || wants_write(s)))
            gh_sock_poll(s);
        return;
    }
    if (events & UV_WRITABLE) {
        if (s->in)
            gh_splice_run(s->in);
        else
            write_some(s);
    }
    if ((events & UV_READABLE) && !s->broken)
        readable(s);
    if (!s->broken)
        gh_sock_poll(s);
}

static void bottom_want(struct ge_stack *stack, void *ctx, unsigned what)
{
    struct gh_sock *s = ctx;

    if (s->broken) {
        s->broken = 0; /* whatever was queued meanwhile is dropped the same way */
        gh_sock_broken(s, GOST_ECLOSED);
        return;
    }
    if ((what & GE_WANT_WRITE) && !s->blocked && !s->in)
        write_some(s);
    if ((what & GE_WANT_READ) && !s->broken)
        read_some(s);
    if (!s->broken)
        gh_sock_poll(s);
}

static void freed(uv_handle_t *handle)
{
    free(GH_OUTER(handle, struct gh_sock, poll));
}

static void bottom_close(struct ge_stack *stack, void *ctx, int abort)
{
    struct gh_sock *s = ctx;
    struct linger hard = {1, 0};

    if (s->in)
        gh_splice_drop(s->in);
    if (s->out)
        gh_splice_drop(s->out);
    if (abort)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    uv_close((uv_handle_t *)&s->poll, freed);
    gh_fd_close(s->fd);
}

static const struct ge_bottom_ops sock_ops = {bottom_want, bottom_close};

static void end_sock(uv_handle_t *handle)
{
    struct gh_sock *s = GH_OUTER(handle, struct gh_sock, poll);

    if (s->w->stopping == 1)
        gh_sock_broken(s, GOST_ECANCELLED);
    else
        ge_stack_free(s->stack, 0);
}

static struct gh_handle_kind sock_kind = {end_sock};

struct ge_stack *gh_sock_adopt(struct gh_worker *w, struct ge_flow *flow, int fd)
{
    struct gh_sock *s = calloc(1, sizeof *s);

    gh_fd_opened(1);
    if (!s || uv_poll_init(&w->loop, &s->poll, fd) < 0) {
        free(s);
        gh_fd_close(fd);
        return NULL;
    }
    s->tag = gh_sock_tag;
    s->poll.data = &sock_kind;
    s->w = w;
    s->fd = fd;
    s->stack = ge_stack_new(flow, GOST_STREAM, &sock_ops, s);
    if (!s->stack) {
        uv_close((uv_handle_t *)&s->poll, freed);
        gh_fd_close(fd);
    }
    return s->stack;
}
