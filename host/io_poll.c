/* io_poll.c - what a worker sleeps on: its sockets, in an epoll of its own. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io_internal.h"

/* Under libuv a descriptor is taken out of epoll and put in again whenever what is polled for
 * changes, and tried out at first: 21 calls of epoll_ctl for a connection and the one that it is
 * forwarded to. Here the kernel is told, once a turn, what has really changed: 6. */

#define BATCH 128

static uint32_t wish(const struct gh_poll *p)
{
    return (p->want & GH_POLL_IN ? (uint32_t)EPOLLIN : 0) |
           (p->want & GH_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
}

static void unlist(struct gh_poll *p)
{
    if (!p->prev)
        return;
    *p->prev = p->next;
    if (p->next)
        p->next->prev = p->prev;
    p->prev = NULL;
}

static void list(struct gh_worker *w, struct gh_poll *p)
{
    if (p->prev)
        return;
    p->next = w->polls;
    if (p->next)
        p->next->prev = &p->next;
    w->polls = p;
    p->prev = &w->polls;
}

/* What the kernel said of p in this turn is nobody's any more. */
static void forget(struct gh_worker *w, const struct gh_poll *p)
{
    int i;

    for (i = 0; i < w->n_ready; i++)
        if (w->ready[i].data.ptr == p)
            w->ready[i].data.ptr = NULL;
}

void gh_poll_init(struct gh_poll *p, int fd, void (*fn)(struct gh_poll *p, unsigned events))
{
    *p = (struct gh_poll){.fn = fn, .fd = fd};
}

void gh_poll_want(struct gh_worker *w, struct gh_poll *p, unsigned events)
{
    p->want = (uint8_t)events;
    if (!p->known || p->told != p->want)
        list(w, p);
}

void gh_poll_end(struct gh_worker *w, struct gh_poll *p)
{
    unlist(p);
    forget(w, p);
    if (p->known) /* a child before its exec() may have the socket, too: closing is not enough */
        epoll_ctl(w->epoll, EPOLL_CTL_DEL, p->fd, NULL);
    p->known = 0;
}

void gh_poll_move(struct gh_worker *w, struct gh_poll *from, struct gh_poll *to)
{
    to->known = from->known;
    to->told = GH_POLL_OTHER;
    list(w, to);
    from->known = 0;
    gh_poll_end(w, from);
}

void gh_poll_close(struct gh_worker *w, struct gh_poll *p, void (*gone)(struct gh_poll *p))
{
    gh_poll_end(w, p);
    p->gone = gone;
    p->next = w->closed;
    w->closed = p;
}

static void bury(struct gh_worker *w)
{
    struct gh_poll *p;

    while ((p = w->closed)) {
        w->closed = p->next;
        p->gone(p);
    }
}

void gh_polls_settle(struct gh_worker *w)
{
    struct gh_poll *p;

    bury(w);
    while ((p = w->polls)) {
        struct epoll_event e = {.events = wish(p), .data.ptr = p};

        unlist(p);
        if (p->known && p->told == p->want)
            continue;
        if (epoll_ctl(w->epoll, p->known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p->fd, &e) < 0) {
            p->fn(p, GH_POLL_FAILED); /* no memory, or fs.epoll.max_user_watches is reached */
            continue;
        }
        p->known = 1;
        p->told = p->want;
    }
}

void gh_polls_wait(struct gh_worker *w, int ms)
{
    int i, n = epoll_wait(w->epoll, w->ready, BATCH, ms);

    w->now = 0;
    w->n_ready = n > 0 ? n : 0;
    for (i = 0; i < w->n_ready; i++) {
        struct gh_poll *p = w->ready[i].data.ptr;
        uint32_t e = w->ready[i].events;

        w->ready[i].data.ptr = NULL;
        if (p)
            p->fn(p, (e & EPOLLIN ? GH_POLL_IN : 0u) | (e & EPOLLOUT ? GH_POLL_OUT : 0u) |
                         (e & EPOLLERR ? GH_POLL_ERR : 0u) | (e & EPOLLHUP ? GH_POLL_HUP : 0u));
    }
    w->n_ready = 0;
}

int gh_polls_init(struct gh_worker *w)
{
    w->ready = calloc(BATCH, sizeof *w->ready);
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    return w->ready && w->epoll >= 0 ? GOST_OK : GOST_ENOMEM;
}

void gh_polls_free(struct gh_worker *w)
{
    bury(w);
    close(w->epoll);
    free(w->ready);
}
