/* net_splice.c - moving a bulky direction between two sockets inside the kernel. */
/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net_private.h"

#define PIPE_SIZE   (256 * 1024)
#define RUN_MAX     (1024 * 1024)    /* bytes per wake-up */
#define SILENCE_NS  (100 * GOST_MS)  /* then the pipe is given back */
#define STRETCH_NS  GOST_S           /* then the engine counts what moved and decides anew */
#define IDLE_PIPES  4                /* kept per worker */

struct gh_pipe {
    struct gh_pipe *next;
    int fd[2];
};

/*
 * The engine has handed a direction over. Bytes go from -> pipe -> to. While the pipe holds bytes
 * only `to` is waited for, else only `from`.
 */
struct gh_splice {
    struct gh_sock *from, *to;
    struct gh_pipe *pipe;
    struct ge_timer timer;
    uint64_t left, moved; /* moved: given to `to` */
    uint64_t begun, last;
    size_t held;          /* bytes in the pipe */
    int status;           /* `from` broke; told when the pipe is empty */
    uint8_t eof, ending;  /* ending: read no more, resume when the pipe is empty */
};

static atomic_uint pipes_made;

/* ---- pipes ---- */

static unsigned pipes_allowed(void)
{
    static atomic_uint cached;
    unsigned n = atomic_load_explicit(&cached, memory_order_relaxed);
    unsigned long pages = 16384;
    size_t by_fds = gh_fd_max() / 8 / 2;
    FILE *f;

    if (n == 0) {
        f = fopen("/proc/sys/fs/pipe-user-pages-soft", "re");
        if (f && fscanf(f, "%lu", &pages) != 1)
            pages = 16384;
        if (f)
            fclose(f);
        if (pages == 0)
            pages = 1ul << 20; /* no limit */
        n = (unsigned)(pages / 2 * 4096 / PIPE_SIZE);
        atomic_store_explicit(&cached, n ? n : 1, memory_order_relaxed);
    }
    return by_fds < n ? (unsigned)by_fds : n;
}

static void pipe_free(struct gh_pipe *p)
{
    gh_fd_close(p->fd[0]);
    gh_fd_close(p->fd[1]);
    atomic_fetch_sub(&pipes_made, 1);
    free(p);
}

static struct gh_pipe *pipe_new(void)
{
    struct gh_pipe *p = malloc(sizeof *p);

    if (!p || pipe2(p->fd, O_NONBLOCK | O_CLOEXEC) < 0) {
        free(p);
        return NULL;
    }
    gh_fd_opened(2);
    atomic_fetch_add(&pipes_made, 1);
    if (fcntl(p->fd[1], F_SETPIPE_SZ, PIPE_SIZE) < 0) {
        pipe_free(p); /* a small pipe is worse than copying */
        return NULL;
    }
    return p;
}

static struct gh_pipe *pipe_get(struct gh_worker *w)
{
    struct gh_pipe *p = w->pipes;
    uint64_t now;

    if (p) {
        w->pipes = p->next;
        w->n_pipes--;
        return p;
    }
    now = uv_hrtime();
    if (now < w->no_pipe_until || gh_fd_short() || atomic_load(&pipes_made) >= pipes_allowed())
        return NULL;
    p = pipe_new();
    if (!p)
        w->no_pipe_until = now + GOST_S;
    return p;
}

/* One that still holds bytes of somebody is not used again. */
static void pipe_put(struct gh_worker *w, struct gh_pipe *p, int empty)
{
    if (!empty || w->n_pipes >= IDLE_PIPES) {
        pipe_free(p);
        return;
    }
    p->next = w->pipes;
    w->pipes = p;
    w->n_pipes++;
}

void gh_pipes_free(struct gh_worker *w)
{
    struct gh_pipe *p;

    while ((p = w->pipes)) {
        w->pipes = p->next;
        pipe_free(p);
    }
    w->n_pipes = 0;
}

/* ---- the end of a splice ---- */

void gh_splice_drop(struct gh_splice *sp)
{
    struct gh_worker *w = sp->from->w;

    ge_timer_stop(w->engine, &sp->timer);
    sp->from->out = NULL;
    sp->to->in = NULL;
    pipe_put(w, sp->pipe, sp->held == 0);
    free(sp);
}

static void resume(struct gh_splice *sp, int status)
{
    struct gh_sock *from = sp->from, *to = sp->to;
    uint64_t moved = sp->moved;
    int eof = sp->eof && status == 0;

    if (sp->eof)
        from->eof = 1;
    gh_splice_drop(sp);
    ge_pump_resume(from->stack, to->stack, moved, eof, status);
    if (!to->broken)
        gh_sock_poll(to);
}

void gh_splice_end(struct gh_splice *sp, int status)
{
    resume(sp, status);
}

int gh_splice_wants_read(const struct gh_splice *sp)
{
    return sp->held == 0 && !sp->ending;
}

int gh_splice_wants_write(const struct gh_splice *sp)
{
    return sp->held > 0;
}

/* ---- moving ---- */

/* Bytes taken in; 0: none now. */
static size_t fill(struct gh_splice *sp)
{
    uint64_t room = PIPE_SIZE - sp->held;
    ssize_t n;

    if (room > sp->left)
        room = sp->left;
    if (sp->ending || room == 0)
        return 0;
    n = splice(sp->from->fd, NULL, sp->pipe->fd[1], NULL, (size_t)room,
               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
        sp->held += (size_t)n;
        sp->left -= (uint64_t)n;
        if (sp->left == 0)
            sp->ending = 1;
        return (size_t)n;
    }
    if (n == 0) {
        sp->eof = sp->ending = 1;
    } else if (errno == EINVAL || errno == ENOSYS) {
        sp->from->no_splice = sp->ending = 1; /* this kind of descriptor cannot */
    } else if (errno != EAGAIN && errno != EINTR) {
        sp->status = gh_errno_status(errno);
        sp->ending = 1;
    }
    return 0;
}

/* Bytes given out; 0: none now; -1: `to` broke and the splice is gone. */
static ssize_t drain(struct gh_splice *sp)
{
    ssize_t n;

    if (sp->held == 0)
        return 0;
    n = splice(sp->pipe->fd[0], NULL, sp->to->fd, NULL, sp->held,
               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
        sp->held -= (size_t)n;
        sp->moved += (uint64_t)n;
        return n;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    gh_sock_broken(sp->to, n < 0 ? gh_errno_status(errno) : GOST_ECLOSED); /* ends us too */
    return -1;
}

void gh_splice_run(struct gh_splice *sp)
{
    struct gh_sock *from = sp->from, *to = sp->to;
    size_t total = 0, in;
    ssize_t out;

    do {
        in = fill(sp);
        out = drain(sp);
        if (out < 0)
            return;
        total += in;
    } while ((in > 0 || out > 0) && sp->held + total < RUN_MAX);
    if (total > 0)
        sp->last = uv_hrtime();
    if (sp->ending && sp->held == 0) {
        resume(sp, sp->status);
        return;
    }
    if (!from->broken)
        gh_sock_poll(from);
    if (!to->broken)
        gh_sock_poll(to);
}

static void on_tick(struct ge_timer *timer)
{
    struct gh_splice *sp = GH_OUTER(timer, struct gh_splice, timer);
    uint64_t now = uv_hrtime();

    if (now >= sp->last + SILENCE_NS || now >= sp->begun + STRETCH_NS)
        sp->ending = 1;
    if (sp->ending && sp->held == 0)
        resume(sp, sp->status);
    else
        ge_timer_start(sp->from->w->engine, timer, now + SILENCE_NS);
}

static struct gh_splice *splice_new(struct gh_sock *from, struct gh_sock *to, uint64_t left)
{
    struct gh_splice *sp = calloc(1, sizeof *sp);

    if (!sp)
        return NULL;
    sp->pipe = pipe_get(from->w);
    if (!sp->pipe) {
        free(sp);
        return NULL;
    }
    sp->from = from;
    sp->to = to;
    sp->left = left;
    sp->begun = sp->last = uv_hrtime();
    sp->timer.fire = on_tick;
    return sp;
}

int gh_splice(void *ctx, struct ge_stack *from, struct ge_stack *to, uint64_t moved, uint64_t left)
{
    struct gh_sock *a = gh_sock_of(from), *b = gh_sock_of(to);
    struct gh_splice *sp;

    if (!a || !b || a->w != b->w || a->broken || b->broken || a->eof || a->out || b->in ||
        b->blocked || a->no_splice)
        return 0;
    sp = splice_new(a, b, left);
    if (!sp)
        return 0;
    a->out = sp;
    b->in = sp;
    ge_timer_start(a->w->engine, &sp->timer, sp->begun + SILENCE_NS);
    gh_sock_poll(a);
    return 1;
}
