/* io_sock.c - a connected stream socket as the bottom of a stack. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io_internal.h"

#define READS_PER_WAKE 4 /* a busy connection lets others in after this many chunks */
#define IOVS           16

struct gh_sock {
    struct gh_poll poll;
    struct gh_worker *w;
    struct ge_stack *stack;
    struct gh_sock *next, **prev;
    struct gh_splice *in, *out; /* it is the source or the sink of a kernel splice */
    int fd;
    uint8_t blocked; /* the last write said EAGAIN */
    uint8_t broken;  /* writing is over */
    uint8_t gone;    /* reset: polled no more */
};

static struct gh_sock *sock_of(struct gh_poll *p)
{
    return (struct gh_sock *)((char *)p - offsetof(struct gh_sock, poll));
}

static int wants_read(const struct gh_sock *s)
{
    return s->in ? gh_splice_wants_read(s->in) : ge_rx_wanted(s->stack);
}

static int wants_write(const struct gh_sock *s)
{
    return s->blocked || (s->out && gh_splice_wants_write(s->out));
}

static void arm(struct gh_sock *s)
{
    if (s->stack && !s->gone)
        gh_poll_want(s->w, &s->poll,
                     (wants_read(s) ? GH_POLL_IN : 0u) | (wants_write(s) ? GH_POLL_OUT : 0u));
}

void gh_sock_rearm(struct gh_sock *s)
{
    arm(s);
}

static void do_read(struct gh_sock *s)
{
    int i;

    for (i = 0; i < READS_PER_WAKE && ge_rx_wanted(s->stack); i++) {
        struct gost_bytes room = ge_rx_reserve(s->stack);
        ssize_t n;

        if (!room.n)
            return;
        n = recv(s->fd, (void *)room.p, room.n, 0);
        ge_rx_commit(s->stack, n > 0 ? (size_t)n : 0);
        if (n == 0) {
            ge_rx_end(s->stack, 0);
        } else if (n < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN)
                ge_rx_end(s->stack, gh_errno_code(errno));
            return;
        } else if ((size_t)n < room.n) {
            return; /* the socket is empty: no need to ask it once more */
        }
    }
}

static void broken(struct gh_sock *s, int err)
{
    s->broken = 1;
    s->blocked = 0;
    ge_rx_end(s->stack, gh_errno_code(err));
}

static void do_write(struct gh_sock *s)
{
    struct iovec iov[IOVS];
    struct msghdr m = {.msg_iov = iov};
    int n;

    s->blocked = 0;
    while ((n = ge_tx_iov(s->stack, iov, IOVS)) > 0) {
        ssize_t r;

        m.msg_iovlen = (size_t)n;
        if (s->broken) { /* nobody will read it */
            size_t all = 0;

            while (n > 0)
                all += iov[--n].iov_len;
            ge_tx_consume(s->stack, all);
            continue;
        }
        r = sendmsg(s->fd, &m, MSG_NOSIGNAL);
        if (r >= 0) {
            ge_tx_consume(s->stack, (size_t)r);
        } else if (errno == EAGAIN) {
            s->blocked = 1;
            return;
        } else if (errno != EINTR) {
            broken(s, errno);
        }
    }
    if (ge_tx_shut(s->stack)) {
        shutdown(s->fd, SHUT_WR);
        ge_tx_shut_done(s->stack);
    }
}

static void reset(struct gh_sock *s, int err)
{
    gh_poll_end(s->w, &s->poll);
    s->gone = 1;
    if (s->out)
        gh_splice_broken(s->out, gh_errno_code(err));
    if (s->in)
        gh_splice_broken(s->in, gh_errno_code(err));
    broken(s, err);
    do_write(s); /* drops what is queued */
}

/* An error, or both directions ended while nothing is wanted. */
static void hung_up(struct gh_sock *s)
{
    socklen_t n = sizeof(int);
    int err = 0;

    if (s->in) /* what came before, and the error */
        gh_splice_event(s->in);
    else
        do_read(s);
    (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n);
    if (err)
        reset(s, err);
    else if (wants_read(s) || wants_write(s))
        arm(s);
    else
        gh_poll_end(s->w, &s->poll); /* it would be told again and again */
}

static void on_poll(struct gh_poll *p, unsigned events)
{
    struct gh_sock *s = sock_of(p);

    if (!s->stack)
        return;
    if (events & GH_POLL_FAILED) {
        reset(s, ENOMEM);
        return;
    }
    /* Both ends over, and nothing else said: whoever waits for one of them is told. */
    if (events == GH_POLL_HUP)
        events |= p->told;
    if ((events & GH_POLL_ERR) || events == GH_POLL_HUP) {
        hung_up(s);
        return;
    }
    if ((events & GH_POLL_IN) && s->in)
        gh_splice_event(s->in);
    else if (events & GH_POLL_IN)
        do_read(s);
    if (s->stack && (events & GH_POLL_OUT)) {
        if (s->out)
            gh_splice_event(s->out);
        else
            do_write(s);
    }
    arm(s);
}

static void sock_want(struct ge_stack *stack, void *ctx, unsigned what)
{
    struct gh_sock *s = ctx;

    if ((what & GE_WANT_WRITE) && !s->blocked)
        do_write(s);
    arm(s);
}

static void on_gone(struct gh_poll *p)
{
    free(sock_of(p));
}

static void sock_close(struct ge_stack *stack, void *ctx, int abort)
{
    struct gh_sock *s = ctx;
    struct linger l = {1, 0};

    if (s->in)
        gh_splice_drop(s->in);
    if (s->out)
        gh_splice_drop(s->out);
    s->stack = NULL;
    *s->prev = s->next;
    if (s->next)
        s->next->prev = s->prev;
    gh_poll_end(s->w, &s->poll); /* while the descriptor is ours */
    if (abort)
        setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    close(s->fd);
    atomic_fetch_sub_explicit(&gh_net_fds, 1, memory_order_relaxed);
    gh_listeners_resume();
    gh_poll_close(s->w, &s->poll, on_gone);
}

static const struct ge_bottom_ops sock_ops = {sock_want, sock_close};

struct ge_stack *gh_sock_adopt_polled(struct gh_worker *w, struct ge_flow *flow, int fd,
                                      struct gh_poll *had)
{
    struct gh_sock *s = calloc(1, sizeof *s);

    if (!s) {
        if (had)
            gh_poll_end(w, had);
        close(fd);
        return NULL;
    }
    gh_poll_init(&s->poll, fd, on_poll);
    if (had)
        gh_poll_move(w, had, &s->poll);
    s->w = w;
    s->fd = fd;
    s->next = w->socks;
    if (s->next)
        s->next->prev = &s->next;
    w->socks = s;
    s->prev = &w->socks;
    atomic_fetch_add_explicit(&gh_net_fds, 1, memory_order_relaxed);
    s->stack = ge_stack_new(flow, GOST_STREAM, &sock_ops, s);
    if (!s->stack) {
        sock_close(NULL, s, 0);
        return NULL;
    }
    return s->stack;
}

struct ge_stack *gh_sock_adopt(struct gh_worker *w, struct ge_flow *flow, int fd)
{
    return gh_sock_adopt_polled(w, flow, fd, NULL);
}

void gh_socks_close_all(struct gh_worker *w)
{
    struct gh_sock *s;

    for (s = w->socks; s; s = s->next) {
        s->broken = 1;
        ge_rx_end(s->stack, GOST_ECANCELLED);
    }
    while (ge_run(w->engine, 1000))
        ;
    while ((s = w->socks))
        ge_stack_free(s->stack, 0);
}

int gh_sock_is(const struct ge_stack *stack, struct gh_sock **ret_sock)
{
    struct gh_sock *s = ge_stack_ctx((struct ge_stack *)stack);

    if (ge_stack_bottom_ops(stack) != &sock_ops)
        return 0;
    *ret_sock = s;
    return 1;
}

int gh_sock_fd(const struct gh_sock *s)
{
    return s->fd;
}

struct ge_stack *gh_sock_stack(const struct gh_sock *s)
{
    return s->stack;
}

void gh_sock_set_splice(struct gh_sock *s, int sink, struct gh_splice *sp)
{
    if (sink)
        s->out = sp;
    else
        s->in = sp;
}
