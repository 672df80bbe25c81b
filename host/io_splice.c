/* io_splice.c - moving a bulky direction between two sockets inside the kernel, through a pipe. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io_internal.h"

#define PIPE_SIZE  (256 * 1024)    /* through 64 KiB splice costs nearly as much CPU as copying */
#define SILENCE_NS (100 * GOST_MS) /* a flow gives its pipe back after this */
#define ROUNDS     8

struct gh_pipe {
    struct gh_pipe *next;
    int fd[2];
};

struct gh_splice {
    struct ge_timer timer;
    struct gh_worker *w;
    struct gh_sock *from, *to;
    struct gh_pipe *pipe;
    uint64_t moved, left, reported; /* out of the pipe; still allowed in; told to the engine */
    uint64_t at_timer;
    size_t filled; /* bytes in the pipe */
    uint8_t eof, blocked;
    int status;
};

/* Pipes that this process may have: half of what the kernel gives an unprivileged user in full
 * size,
 * and an eighth of the descriptors. */
static int pipe_budget(void)
{
    static atomic_int budget = -1;
    int n = atomic_load(&budget);
    long pages = 16384;
    FILE *f;

    if (n >= 0)
        return n;
    f = fopen("/proc/sys/fs/pipe-user-pages-soft", "re");
    if (f) {
        if (fscanf(f, "%ld", &pages) != 1 || pages <= 0)
            pages = 1 << 20;
        fclose(f);
    }
    n = (int)(pages / 2 * sysconf(_SC_PAGESIZE) / PIPE_SIZE);
    if ((size_t)n > gh_net_conf.max_fds / 16)
        n = (int)(gh_net_conf.max_fds / 16);
    atomic_store(&budget, n);
    return n;
}

static atomic_int pipes_open;

static struct gh_pipe *pipe_get(struct gh_worker *w)
{
    struct gh_pipe *p = w->pipes;

    if (p) {
        w->pipes = p->next;
        w->n_pipes--;
        return p;
    }
    if (atomic_load(&pipes_open) >= pipe_budget() || !(p = calloc(1, sizeof *p)))
        return NULL;
    if (pipe2(p->fd, O_NONBLOCK | O_CLOEXEC) < 0) {
        free(p);
        return NULL;
    }
    atomic_fetch_add(&pipes_open, 1);
    if (fcntl(p->fd[1], F_SETPIPE_SZ, PIPE_SIZE) < PIPE_SIZE) { /* a small one is worse than none */
        close(p->fd[0]);
        close(p->fd[1]);
        free(p);
        atomic_fetch_sub(&pipes_open, 1);
        return NULL;
    }
    return p;
}

static void pipe_close(struct gh_pipe *p)
{
    close(p->fd[0]);
    close(p->fd[1]);
    free(p);
    atomic_fetch_sub(&pipes_open, 1);
}

static void pipe_put(struct gh_worker *w, struct gh_pipe *p, size_t filled)
{
    if (filled > 0 || w->n_pipes >= 16) { /* bytes of one flow must never meet another */
        pipe_close(p);
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
        pipe_close(p);
    }
    w->n_pipes = 0;
}

int gh_splice_wants_read(const struct gh_splice *sp)
{
    return !sp->eof && !sp->blocked && sp->left > 0;
}

int gh_splice_wants_write(const struct gh_splice *sp)
{
    return sp->blocked;
}

/* End it: the engine takes the direction back, with what the source ended by. */
static void finish(struct gh_splice *sp)
{
    struct gh_sock *from = sp->from, *to = sp->to;

    ge_timer_stop(gh_worker_engine(sp->w), &sp->timer);
    gh_sock_set_splice(from, 0, NULL);
    gh_sock_set_splice(to, 1, NULL);
    pipe_put(sp->w, sp->pipe, sp->filled);
    ge_pump_resume(gh_sock_stack(from), gh_sock_stack(to), sp->moved - sp->reported, sp->eof,
                   sp->status);
    free(sp);
    gh_sock_rearm(from);
    gh_sock_rearm(to);
}

void gh_splice_drop(struct gh_splice *sp)
{
    sp->status = GOST_ECLOSED;
    finish(sp);
}

void gh_splice_broken(struct gh_splice *sp, int status)
{
    sp->status = status;
    finish(sp);
}

static void fill(struct gh_splice *sp)
{
    size_t room = PIPE_SIZE - sp->filled;
    ssize_t n;

    if (room > sp->left)
        room = (size_t)sp->left;
    if (sp->eof || !room)
        return;
    n = splice(gh_sock_fd(sp->from), NULL, sp->pipe->fd[1], NULL, room,
               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0) {
        sp->filled += (size_t)n;
        sp->left -= (uint64_t)n;
    } else if (n == 0) {
        sp->eof = 1;
    } else if (errno != EAGAIN && errno != EINTR) {
        sp->eof = 1;
        sp->status = gh_errno_code(errno);
    }
}

/* 1: moved something. */
static int drain(struct gh_splice *sp)
{
    ssize_t n = splice(sp->pipe->fd[0], NULL, gh_sock_fd(sp->to), NULL, sp->filled,
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n > 0) {
        sp->filled -= (size_t)n;
        sp->moved += (uint64_t)n;
        return 1;
    }
    if (n < 0 && errno == EAGAIN) {
        sp->blocked = 1;
    } else if (n < 0 && errno != EINTR) {
        sp->eof = 1;
        sp->status = gh_errno_code(errno);
    }
    return 0;
}

void gh_splice_event(struct gh_splice *sp)
{
    struct gh_sock *from = sp->from, *to = sp->to;
    size_t before;
    int i;

    sp->blocked = 0;
    for (i = 0; i < ROUNDS; i++) {
        before = sp->filled;
        fill(sp);
        if (!sp->filled)
            break;
        if (!drain(sp) || (sp->filled == before && sp->eof))
            break;
    }
    if (sp->status || (!sp->filled && (sp->eof || !sp->left))) {
        finish(sp);
        return;
    }
    if (sp->filled) /* also when the rounds are used up: it must not wait for the source to go on */
        sp->blocked = 1;
    gh_sock_rearm(from);
    gh_sock_rearm(to);
}

static void on_silence(struct ge_timer *t)
{
    struct gh_splice *sp = (struct gh_splice *)((char *)t - offsetof(struct gh_splice, timer));
    struct ge_worker *e = gh_worker_engine(sp->w);

    if (sp->moved == sp->at_timer && !sp->filled) {
        finish(sp);
        return;
    }
    ge_pump_progress(gh_sock_stack(sp->from), gh_sock_stack(sp->to), sp->moved - sp->reported);
    sp->reported = sp->at_timer = sp->moved;
    ge_timer_start(e, &sp->timer, ge_now(e) + SILENCE_NS);
}

int gh_splice_start(void *ctx, struct ge_stack *from, struct ge_stack *to, uint64_t moved,
                    uint64_t left)
{
    struct gh_worker *w = ctx;
    struct gh_sock *a, *b;
    struct gh_splice *sp;

    if (!gh_sock_is(from, &a) || !gh_sock_is(to, &b))
        return 0;
    sp = calloc(1, sizeof *sp);
    if (!sp)
        return 0;
    sp->pipe = pipe_get(w);
    if (!sp->pipe) {
        free(sp);
        return 0;
    }
    sp->w = w;
    sp->from = a;
    sp->to = b;
    sp->left = left;
    sp->timer.fire = on_silence;
    gh_sock_set_splice(a, 0, sp);
    gh_sock_set_splice(b, 1, sp);
    ge_timer_start(w->engine, &sp->timer, ge_now(w->engine) + SILENCE_NS);
    gh_sock_rearm(a);
    return 1;
}
