/* io_dial.c - connecting to one of several addresses: happy eyeballs (RFC 8305, section 5). */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io_internal.h"

#define ADDRS_MAX  16
#define STAGGER_NS (250 * GOST_MS)

struct attempt {
    struct gh_poll poll;
    struct gh_dial *d;
    int fd;
    uint16_t tag;
};

struct gh_dial {
    struct gh_worker *w;
    struct ge_flow *flow;
    const struct gost_component *transport;
    const void *conf;
    uint32_t network;
    struct gh_sockopt opt;
    struct gost_addr addrs[ADDRS_MAX];
    struct attempt *at[ADDRS_MAX];
    unsigned n, next, running;
    struct ge_timer stagger, deadline;
    int last_error;
    unsigned last_addr;
    void (*done)(void *arg, int status, const char *text, struct ge_stack *stack,
                 const struct gost_addr *local, const struct gost_addr *remote);
    void *arg;
};

static const struct gost_transport_ops *ops_of(const struct gh_dial *d)
{
    return d->transport->ops;
}

static void attempt_close(struct gh_dial *d, unsigned i)
{
    struct attempt *a = d->at[i];

    if (!a)
        return;
    d->at[i] = NULL;
    d->running--;
    gh_poll_end(d->w, &a->poll);
    close(a->fd);
    free(a);
}

static void dial_free(struct gh_dial *d)
{
    unsigned i;

    for (i = 0; i < d->n; i++)
        attempt_close(d, i);
    ge_timer_stop(d->w->engine, &d->stagger);
    ge_timer_stop(d->w->engine, &d->deadline);
    ge_flow_unref(d->flow);
    free(d);
}

/* a: whose connection it is, owned; NULL: none */
static void end(struct gh_dial *d, int status, const char *text, struct attempt *a,
                const struct gost_socket *s)
{
    struct ge_stack *stack = NULL;
    struct gh_frame frame;

    if (a && (ops_of(d)->type & GOST_DATAGRAM)) {
        gh_poll_end(d->w, &a->poll);
        gh_frame_init(&frame, ops_of(d), GOST_CLIENT, a->tag);
        stack = gh_packets_adopt(d->w, d->flow, a->fd, &frame);
    } else if (a) {
        stack = gh_sock_adopt_polled(d->w, d->flow, a->fd, &a->poll);
    }
    if (a && !stack) {
        status = GOST_ENOMEM;
        text = "out of memory";
    }
    free(a);
    if (d->done)
        d->done(d->arg, status, text, stack, s ? s->local : NULL, s ? s->remote : NULL);
    dial_free(d);
}

static void fail(struct gh_dial *d)
{
    char text[400], where[GOST_ADDR_TEXT];

    gost_addr_format(&d->addrs[d->last_addr], where, sizeof where);
    snprintf(text, sizeof text, "cannot connect to %s: %s", where, gh_errno_text(d->last_error));
    end(d, gh_errno_code(d->last_error), text, NULL, NULL);
}

static void start_next(struct gh_dial *d);

static void try_failed(struct gh_dial *d, unsigned i, int err)
{
    d->last_error = err;
    d->last_addr = i;
    if (d->next < d->n)
        start_next(d);
    else if (d->running == 0)
        fail(d);
}

static void connected(struct gh_dial *d, unsigned i)
{
    struct gost_addr local, remote = d->addrs[i];
    struct gost_socket s = {.size = sizeof s,
                            .fd = d->at[i]->fd,
                            .role = GOST_CLIENT,
                            .network = d->network,
                            .addr = &d->addrs[i],
                            .local = &local,
                            .remote = &remote};
    struct attempt *a = d->at[i];
    int r;

    memset(&local, 0, sizeof local);
    r = ops_of(d)->connected ? ops_of(d)->connected(d->conf, &s) : GOST_OK;
    if (r != GOST_OK) {
        attempt_close(d, i);
        try_failed(d, i, r < 0 && r > -1000 ? -r : EIO);
        return;
    }
    d->at[i] = NULL;
    d->running--;
    end(d, GOST_OK, NULL, a, &s);
}

static void on_poll(struct gh_poll *p, unsigned events)
{
    struct attempt *a = (struct attempt *)((char *)p - offsetof(struct attempt, poll));
    struct gh_dial *d = a->d;
    socklen_t n = sizeof(int);
    unsigned i = 0;
    int err = 0;

    while (d->at[i] != a)
        i++;
    if (events & GH_POLL_FAILED)
        err = ENOMEM;
    else if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
        err = errno;
    if (!err) {
        connected(d, i);
        return;
    }
    attempt_close(d, i);
    try_failed(d, i, err);
}

/* 0, or why not: errno */
static int attempt_start(struct gh_dial *d, unsigned i)
{
    struct gost_socket s = {.size = sizeof s,
                            .fd = -1,
                            .role = GOST_CLIENT,
                            .network = d->network,
                            .addr = &d->addrs[i],
                            .interface_name = d->opt.interface_name,
                            .mark = d->opt.mark};
    struct attempt *a = calloc(1, sizeof *a);
    int r = a ? ops_of(d)->dial(d->conf, &s) : -ENOMEM;

    if (r < 0) {
        free(a);
        return r > -1000 ? -r : EPROTONOSUPPORT;
    }
    a->d = d;
    a->fd = s.fd;
    a->tag = s.tag;
    d->at[i] = a;
    d->running++;
    /* connected at once (a unix socket) is seen as writable at the next turn: never inside this
     * call */
    gh_poll_init(&a->poll, s.fd, on_poll);
    gh_poll_want(d->w, &a->poll, GH_POLL_OUT);
    return 0;
}

static void start_next(struct gh_dial *d)
{
    unsigned i = d->next++;
    int err = attempt_start(d, i);

    if (err) {
        try_failed(d, i, err);
        return;
    }
    if (d->next < d->n)
        ge_timer_start(d->w->engine, &d->stagger, ge_now(d->w->engine) + STAGGER_NS);
    else
        ge_timer_stop(d->w->engine, &d->stagger); /* no address is left */
}

static void on_stagger(struct ge_timer *t)
{
    struct gh_dial *d = (struct gh_dial *)((char *)t - offsetof(struct gh_dial, stagger));

    if (d->next < d->n) /* a failure may have started the last one meanwhile */
        start_next(d);
}

static void on_deadline(struct ge_timer *t)
{
    struct gh_dial *d = (struct gh_dial *)((char *)t - offsetof(struct gh_dial, deadline));
    char text[400], where[GOST_ADDR_TEXT];

    gost_addr_format(&d->addrs[0], where, sizeof where);
    snprintf(text, sizeof text, "cannot connect to %s: no answer in time", where);
    end(d, GOST_ETIMEDOUT, text, NULL, NULL);
}

static void on_first(struct ge_timer *t)
{
    struct gh_dial *d = (struct gh_dial *)((char *)t - offsetof(struct gh_dial, stagger));

    d->stagger.fire = on_stagger;
    start_next(d);
}

struct gh_dial *
gh_sock_dial(struct gh_worker *w, struct ge_flow *flow, const struct gost_component *transport,
             const void *conf, uint32_t network, const struct gost_addr *addrs, unsigned n,
             const struct gh_sockopt *opt, uint64_t deadline_ns,
             void (*done)(void *arg, int status, const char *text, struct ge_stack *stack,
                          const struct gost_addr *local, const struct gost_addr *remote),
             void *arg)
{
    struct gh_dial *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->w = w;
    d->flow = ge_flow_ref(flow);
    d->transport = transport;
    d->conf = conf;
    d->network = network;
    if (opt)
        d->opt = *opt;
    d->n = n < ADDRS_MAX ? n : ADDRS_MAX;
    memcpy(d->addrs, addrs, d->n * sizeof *addrs);
    d->done = done;
    d->arg = arg;
    d->deadline.fire = on_deadline;
    if (deadline_ns)
        ge_timer_start(w->engine, &d->deadline, deadline_ns);
    /* The usual case: one address, connection under way. Failures must not call back from in
     * here. */
    if (d->n && attempt_start(d, 0) == 0) {
        d->next = 1;
        d->stagger.fire = on_stagger;
        if (d->n > 1)
            ge_timer_start(w->engine, &d->stagger, ge_now(w->engine) + STAGGER_NS);
        return d;
    }
    d->stagger.fire = on_first; /* try again from the loop, where failing may be told */
    if (!d->n)
        d->n = 1;
    ge_timer_start(w->engine, &d->stagger, ge_now(w->engine));
    return d;
}

void gh_sock_dial_cancel(struct gh_dial *d)
{
    d->done = NULL;
    dial_free(d);
}
