/* net_private.h - what the net_*.c files share: the worker, descriptors, errors, addresses. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_NET_PRIVATE_H
#define GH_NET_PRIVATE_H

#include <stdatomic.h>
#include <sys/socket.h>
#include <uv.h>

#include "net.h"

#define GH_OUTER(p, type, field) ((type *)((char *)(p)-offsetof(type, field)))

struct gh_post {
    struct gh_post *next;
    void (*fn)(struct gh_worker *w, void *arg);
    void *arg;
};

struct gh_datagram_buffers; /* net_datagram.h */

struct gh_worker {
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t timer;     /* runs the engine's wheel */
    uv_prepare_t prepare; /* run what is ready before the loop sleeps ... */
    uv_check_t check;     /* ... and right after it read */
    uv_idle_t idle;       /* active only while work is left over: the loop must not sleep */
    uv_thread_t thread;
    struct ge_worker *engine;
    struct ge_embed embed;
    uint64_t armed;       /* time the timer is set to, UINT64_MAX: not running */
    int awake;            /* the engine asked to be run */
    unsigned index;
    unsigned stopping;    /* 1: connections are told of the end, 2: they are ended */
    atomic_uint flows;    /* begun and not ended, and handed over but not begun */
    uv_mutex_t lock;      /* guards posts and last_post */
    struct gh_post *posts, **last_post;
    struct gh_datagram_buffers *buffers; /* made when the first datagram socket reads */
    struct gh_pipe *pipes;               /* idle pipes for splicing */
    unsigned n_pipes;
    uint64_t no_pipe_until;              /* the kernel gave none: do not ask before */
};

/* Every uv_poll_t and uv_timer_t of net_*.c points to one of these with its data field, so that a
 * worker that stops finds their owners. */
struct gh_handle_kind {
    void (*end)(uv_handle_t *handle); /* the program ends: close the handle and what it is of */
};

/* ---- net_worker.c ---- */
extern struct gh_net_conf gh_net;
int gh_net_running(void);
void gh_worker_log(struct gh_worker *w, int level, const char *fmt, ...) GOST_PRINTF(3, 4);
/* Wait until all that was posted to every worker before has been done. Not on a worker. */
void gh_workers_barrier(void);

/* ---- net_error.c ---- */
int gh_errno_status(int err);          /* errno value -> enum gost_error */
const char *gh_errno_text(int err);    /* "connection refused"; lower case, literal */
int gh_status_of(int r);               /* what a transport returned -> enum gost_error */
void gh_result_text(int r, char *buf, size_t size); /* the same as words */
/* "cannot listen on 127.0.0.1:80: address already in use; choose ..." */
void gh_listen_sentence(char *buf, size_t size, const struct gost_addr *addr, int datagram, int r);

/* ---- net_fd.c: the budget of descriptors [any] ---- */
void gh_fd_budget(size_t max_fds);     /* 0: from RLIMIT_NOFILE */
size_t gh_fd_max(void);
void gh_fd_opened(unsigned n);
void gh_fd_closed(unsigned n);
int gh_fd_short(void);                 /* 1: accept no more */
/* Close and account. Keeps errno. */
void gh_fd_close(int fd);
/* Somebody waits for descriptors: fn(arg) is called once, on any thread, when there are some again. */
struct gh_fd_waiter {
    struct gh_fd_waiter *next;
    void (*fn)(struct gh_fd_waiter *waiter);
    int queued;
};
void gh_fd_wait(struct gh_fd_waiter *waiter);
void gh_fd_unwait(struct gh_fd_waiter *waiter);

/* ---- net_sock.c ---- */
struct gh_splice;
struct gh_sock {
    const void *tag;       /* gh_sock_tag: what makes this bottom known to gh_splice() */
    uv_poll_t poll;
    struct ge_stack *stack;
    struct gh_worker *w;
    struct gh_splice *out; /* takes what this socket receives */
    struct gh_splice *in;  /* sends through this socket */
    int fd;
    uint8_t events;        /* polled for, enum uv_poll_event */
    uint8_t blocked;       /* the kernel's send queue is full */
    uint8_t eof, broken, no_splice;
};
extern const char gh_sock_tag[];
struct gh_sock *gh_sock_of(struct ge_stack *s); /* NULL: its bottom is something else */
void gh_sock_poll(struct gh_sock *s);           /* poll for what is needed now */
void gh_sock_broken(struct gh_sock *s, int status);

/* ---- net_splice.c ---- */
/* A socket of a splice is ready, or broke (status), or closes. */
void gh_splice_run(struct gh_splice *sp);
void gh_splice_end(struct gh_splice *sp, int status);
void gh_splice_drop(struct gh_splice *sp);
int gh_splice_wants_read(const struct gh_splice *sp);
int gh_splice_wants_write(const struct gh_splice *sp);
int gh_splice(void *ctx, struct ge_stack *from, struct ge_stack *to, uint64_t moved, uint64_t left);
void gh_pipes_free(struct gh_worker *w);

/* ---- net_datagram.c ---- */
void gh_datagram_buffers_free(struct gh_worker *w);

#endif
