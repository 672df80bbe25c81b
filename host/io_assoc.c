/* io_assoc.c - a datagram listener: one association per peer address, in a hash table with LRU. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io_internal.h"
#include "sockaddr.h"

#define BUCKETS 4096u
#define PEERS   65536u
#define BATCHES 4

struct assoc {
    struct assoc *hash_next;
    struct assoc *newer, *older; /* LRU */
    struct gh_assoc_table *t;
    struct ge_stack *stack;
    struct sockaddr_storage peer;
    struct gost_addr addr;
    struct ge_timer timer;
    uint64_t active;
    socklen_t n;
    uint8_t waiting; /* the socket was full: in the table's line */
    uint8_t ended;   /* out of the table: only its owner has to let go */
};

struct gh_assoc_table {
    uv_poll_t poll;
    struct gh_worker *w;
    struct gh_listener_conf conf;
    struct gost_addr local;
    struct assoc *bucket[BUCKETS];
    struct assoc *newest, *oldest;
    unsigned n, max, n_waiting;
    unsigned n_open; /* those in the table and those that ended but are not let go of */
    int fd, closing;
};

static unsigned hash(const struct sockaddr_storage *ss, socklen_t n)
{
    const uint8_t *p = (const uint8_t *)ss;
    uint32_t h = 2166136261u;

    while (n--)
        h = (h ^ *p++) * 16777619u;
    return h % BUCKETS;
}

static void lru_remove(struct gh_assoc_table *t, struct assoc *a)
{
    if (a->newer)
        a->newer->older = a->older;
    else
        t->newest = a->older;
    if (a->older)
        a->older->newer = a->newer;
    else
        t->oldest = a->newer;
}

static void lru_push(struct gh_assoc_table *t, struct assoc *a)
{
    a->newer = NULL;
    a->older = t->newest;
    if (t->newest)
        t->newest->newer = a;
    else
        t->oldest = a;
    t->newest = a;
}

static void table_maybe_free(struct gh_assoc_table *t);

/* Out of the table: its peer's next datagram makes a new association. */
static void detach(struct assoc *a)
{
    struct gh_assoc_table *t = a->t;
    struct assoc **at = &t->bucket[hash(&a->peer, a->n)];

    if (a->ended)
        return;
    a->ended = 1;
    while (*at != a)
        at = &(*at)->hash_next;
    *at = a->hash_next;
    lru_remove(t, a);
    ge_timer_stop(t->w->engine, &a->timer);
    t->n_waiting -= a->waiting;
    a->waiting = 0;
    t->n--;
}

static void end(struct assoc *a)
{
    detach(a);
    ge_rx_end(a->stack, 0);
}

static void assoc_close(struct ge_stack *s, void *ctx, int abort)
{
    struct assoc *a = ctx;
    struct gh_assoc_table *t = a->t;

    detach(a);
    t->n_open--;
    free(a);
    table_maybe_free(t);
}

static void on_poll(uv_poll_t *h, int status, int events);

static void assoc_write(struct assoc *a)
{
    struct gh_assoc_table *t = a->t;
    struct gost_packet p;

    while (ge_tx_packet(a->stack, &p) == GOST_OK) {
        if (a->ended) {
            ge_tx_packet_drop(a->stack);
            continue;
        }
        if (sendto(t->fd, p.data.p, p.data.n, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (struct sockaddr *)&a->peer, a->n) < 0 &&
            errno == EAGAIN) {
            if (!a->waiting && t->n_waiting++ == 0)
                uv_poll_start(&t->poll, UV_READABLE | UV_WRITABLE, on_poll);
            a->waiting = 1;
            return;
        }
        ge_tx_packet_drop(a->stack);
        a->active = ge_now(t->w->engine);
        if (!t->conf.keepalive) /* GOST: one answer and the association is over */
            end(a);
    }
}

static void assoc_want(struct ge_stack *s, void *ctx, unsigned what)
{
    struct assoc *a = ctx;

    if (what & GE_WANT_WRITE)
        assoc_write(a);
}

static const struct ge_bottom_ops assoc_ops = {assoc_want, assoc_close};

static void on_expire(struct ge_timer *timer)
{
    struct assoc *a = (struct assoc *)((char *)timer - offsetof(struct assoc, timer));
    struct ge_worker *e = a->t->w->engine;

    if (a->active + a->t->conf.ttl_ns > ge_now(e))
        ge_timer_start(e, &a->timer, a->active + a->t->conf.ttl_ns);
    else
        end(a);
}

static struct assoc *assoc_new(struct gh_assoc_table *t, const struct sockaddr_storage *from,
                               socklen_t n)
{
    struct gh_accepted acc = {.worker = t->w, .fd = -1};
    struct ge_flow *none;
    struct assoc *a;

    if (gh_net_over_budget())
        return NULL; /* its handler needs a descriptor: rather this datagram than all services */
    if (t->n >= t->max && t->oldest)
        end(t->oldest);
    none = ge_flow_new(t->w->engine); /* until the receiver gives its own */
    a = calloc(1, sizeof *a);
    if (!a || !none) {
        ge_flow_unref(none);
        free(a);
        return NULL;
    }
    a->t = t;
    a->peer = *from;
    a->n = n;
    gost_sockaddr_get(&a->addr, from, n);
    a->hash_next = t->bucket[hash(from, n)];
    t->bucket[hash(from, n)] = a;
    lru_push(t, a);
    t->n++;
    t->n_open++;
    a->timer.fire = on_expire;
    a->active = ge_now(t->w->engine);
    ge_timer_start(t->w->engine, &a->timer, a->active + t->conf.ttl_ns);
    a->stack = ge_stack_new(none, GOST_DATAGRAM, &assoc_ops, a);
    ge_flow_unref(none);
    if (!a->stack) {
        assoc_close(NULL, a, 0);
        return NULL;
    }
    acc.packets = a->stack;
    acc.remote = a->addr;
    acc.local = t->local;
    t->conf.accept(t->conf.arg, &acc);
    /* refused: the stack was freed, and with it the entry */
    for (a = t->bucket[hash(from, n)]; a; a = a->hash_next)
        if (a->n == n && memcmp(&a->peer, from, n) == 0)
            return a;
    return NULL;
}

static struct assoc *find(struct gh_assoc_table *t, const struct sockaddr_storage *from,
                          socklen_t n)
{
    struct assoc *a;

    for (a = t->bucket[hash(from, n)]; a; a = a->hash_next)
        if (a->n == n && memcmp(&a->peer, from, n) == 0)
            return a;
    return t->closing ? NULL : assoc_new(t, from, n);
}

static int read_batch(struct gh_assoc_table *t)
{
    struct mmsghdr m[GH_RECV_BATCH];
    struct iovec iov[GH_RECV_BATCH];
    struct sockaddr_storage from[GH_RECV_BATCH];
    uint8_t *buf = gh_worker_recv_buf(t->w);
    int i, n;

    if (!buf)
        return 0;
    memset(m, 0, sizeof m);
    memset(from, 0, sizeof from);
    for (i = 0; i < GH_RECV_BATCH; i++) {
        iov[i].iov_base = buf + (size_t)i * GH_RECV_SIZE;
        iov[i].iov_len = GH_RECV_SIZE;
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
        m[i].msg_hdr.msg_name = &from[i];
        m[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    n = recvmmsg(t->fd, m, GH_RECV_BATCH, MSG_DONTWAIT, NULL);
    for (i = 0; i < n; i++) {
        struct assoc *a = find(t, &from[i], m[i].msg_hdr.msg_namelen);
        struct gost_packet p = {.size = sizeof p, .data = {iov[i].iov_base, m[i].msg_len}};

        if (!a)
            continue;
        p.addr = &a->addr;
        a->active = ge_now(t->w->engine);
        lru_remove(t, a);
        lru_push(t, a);
        (void)ge_rx_packet(a->stack, &p);
    }
    return n;
}

static void on_poll(uv_poll_t *h, int status, int events)
{
    struct gh_assoc_table *t = h->data;
    struct assoc *a, *next;
    int i;

    for (i = 0; i < BATCHES && !t->closing && read_batch(t) == GH_RECV_BATCH; i++)
        ;
    if (!(events & UV_WRITABLE) || t->closing)
        return;
    for (a = t->newest; a && t->n_waiting; a = next) {
        next = a->older;
        if (!a->waiting)
            continue;
        a->waiting = 0;
        t->n_waiting--;
        assoc_write(a);
    }
    if (!t->n_waiting)
        uv_poll_start(&t->poll, UV_READABLE, on_poll);
}

static void start(struct gh_worker *w, void *arg)
{
    struct gh_assoc_table *t = arg;

    if (uv_poll_init(&w->loop, &t->poll, t->fd))
        abort();
    t->poll.data = t;
    uv_poll_start(&t->poll, UV_READABLE, on_poll);
}

struct gh_assoc_table *gh_assoc_open(const struct gh_listener_conf *conf, int fd,
                                     struct gh_worker *w)
{
    struct gh_assoc_table *t = calloc(1, sizeof *t);
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;

    if (!t)
        return NULL;
    t->conf = *conf;
    if (!t->conf.ttl_ns)
        t->conf.ttl_ns = 5 * GOST_S;
    t->fd = fd;
    t->w = w;
    t->max = conf->max_peers ? conf->max_peers : PEERS;
    if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
        gost_sockaddr_get(&t->local, &ss, n);
    gh_worker_post(w, start, t);
    return t;
}

struct change {
    struct gh_assoc_table *t;
    void (*accept)(void *arg, struct gh_accepted *a);
    void *arg;
};

static void on_change(struct gh_worker *w, void *arg)
{
    struct change *c = arg;

    c->t->conf.accept = c->accept;
    c->t->conf.arg = c->arg;
    free(c);
}

void gh_assoc_retarget(struct gh_assoc_table *t, void (*accept)(void *arg, struct gh_accepted *a),
                       void *arg)
{
    struct change *c = malloc(sizeof *c);

    if (!c)
        abort();
    c->t = t;
    c->accept = accept;
    c->arg = arg;
    gh_worker_post(t->w, on_change, c);
}

static void on_table_closed(uv_handle_t *h)
{
    struct gh_assoc_table *t = h->data;

    close(t->fd);
    free(t);
}

static void table_maybe_free(struct gh_assoc_table *t)
{
    if (t->closing && t->n_open == 0 && !uv_is_closing((uv_handle_t *)&t->poll))
        uv_close((uv_handle_t *)&t->poll, on_table_closed);
}

static void on_close(struct gh_worker *w, void *arg)
{
    struct gh_assoc_table *t = arg;
    struct assoc *a, *next;

    t->closing = 1;
    uv_poll_stop(&t->poll);
    for (a = t->newest; a; a = next) {
        next = a->older;
        end(a);
    }
    table_maybe_free(t);
}

void gh_assoc_close(struct gh_assoc_table *t)
{
    gh_worker_post(t->w, on_close, t);
}
