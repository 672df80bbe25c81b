/* io_assoc.c - a datagram listener: one association per peer address, in a hash table with LRU. */
/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "age.h"
#include "io_internal.h"
#include "siphash.h"
#include "sockaddr.h"

#define BUCKETS 4096u
#define PEERS   65536u

struct assoc {
    struct gost_age age; /* by use */
    struct assoc *hash_next;
    struct gh_assoc_table *t;
    struct ge_stack *stack;
    struct sockaddr_storage peer;
    struct gost_addr addr;
    struct gost_addr local; /* where its packets come to; NONE: not known */
    struct ge_timer timer;
    uint64_t active;
    socklen_t n;
    uint8_t waiting; /* the socket was full: in the table's line */
    uint8_t ended;   /* out of the table: only its owner has to let go */
};

struct gh_assoc_table {
    struct gh_poll poll;
    struct gh_frame frame;
    struct gh_worker *w;
    struct gh_listener_conf conf;
    struct gost_addr local;
    struct assoc *bucket[BUCKETS];
    struct gost_ages ages;
    unsigned n, max, n_waiting;
    unsigned n_open; /* those in the table and those that ended but are not let go of */
    int fd, closing;
    uint16_t any_port; /* bound to any address: the port; else 0 */
    uint8_t secret[GH_SIPHASH_KEY];
};

static unsigned hash(const struct gh_assoc_table *t, const struct sockaddr_storage *ss, socklen_t n)
{
    return gh_siphash(t->secret, ss, n) % BUCKETS;
}

static void table_maybe_free(struct gh_assoc_table *t);

/* Out of the table: its peer's next datagram makes a new association. */
static void detach(struct assoc *a)
{
    struct gh_assoc_table *t = a->t;
    struct assoc **at = &t->bucket[hash(t, &a->peer, a->n)];

    if (a->ended)
        return;
    a->ended = 1;
    while (*at != a)
        at = &(*at)->hash_next;
    *at = a->hash_next;
    gost_age_remove(&t->ages, &a->age);
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

static void on_poll(struct gh_poll *p, unsigned events);

/* Send what is queued in one call. How many are done with; -1: the socket is full. */
static int send_batch(struct assoc *a, unsigned max)
{
    struct gost_packet p[GH_SEND_BATCH];
    struct gh_out out[GH_SEND_BATCH];
    unsigned i, n = ge_tx_packets(a->stack, p, max);

    for (i = 0; i < n; i++) {
        if (!p[i].local && a->local.family != GOST_AF_NONE)
            p[i].local = &a->local;
        out[i].p = &p[i];
        out[i].to = &a->peer;
        out[i].n = a->n;
    }
    return n ? gh_udp_send(a->t->fd, &a->t->frame, out, n) : 0;
}

static void assoc_write(struct assoc *a)
{
    struct gh_assoc_table *t = a->t;
    struct gost_packet p;
    int sent;

    while (ge_tx_packet(a->stack, &p) == GOST_OK) {
        if (a->ended) {
            ge_tx_packet_drop(a->stack);
            continue;
        }
        sent = send_batch(a, t->conf.keepalive ? GH_SEND_BATCH : 1);
        if (sent < 0) {
            if (!a->waiting && t->n_waiting++ == 0)
                gh_poll_want(t->w, &t->poll, GH_POLL_IN | GH_POLL_OUT);
            a->waiting = 1;
            return;
        }
        while (sent-- > 0)
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

static struct assoc *find_known(const struct gh_assoc_table *t, const struct sockaddr_storage *from,
                                socklen_t n)
{
    struct assoc *a = t->bucket[hash(t, from, n)];

    while (a && (a->n != n || memcmp(&a->peer, from, n) != 0))
        a = a->hash_next;
    return a;
}

static struct assoc *assoc_new(struct gh_assoc_table *t, const struct gh_datagram *d)
{
    const struct sockaddr_storage *from = &d->from;
    socklen_t n = d->n;
    unsigned at = hash(t, from, n);
    struct gh_accepted acc = {.worker = t->w, .fd = -1};
    struct ge_flow *none;
    struct assoc *a;

    if (gh_net_over_budget())
        return NULL; /* its handler needs a descriptor: rather this datagram than all services */
    if (t->n >= t->max && t->ages.oldest)
        end((struct assoc *)t->ages.oldest);
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
    a->addr = d->addr;
    a->hash_next = t->bucket[at];
    t->bucket[at] = a;
    gost_age_add(&t->ages, &a->age);
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
    ge_stack_take_segments(a->stack, 1);
    acc.packets = a->stack;
    acc.remote = a->addr;
    acc.local = d->p.local ? *d->p.local : t->local;
    t->conf.accept(t->conf.arg, &acc);
    /* refused: the stack was freed, and with it the entry */
    return find_known(t, from, n);
}

static struct assoc *find(struct gh_assoc_table *t, const struct gh_datagram *d)
{
    struct assoc *a = find_known(t, &d->from, d->n);

    return a || t->closing ? a : assoc_new(t, d);
}

static void deliver(struct gh_assoc_table *t, const struct gh_datagram *d)
{
    struct assoc *a = find(t, d);

    if (!a)
        return;
    if (d->p.local)
        a->local = *d->p.local;
    a->active = ge_now(t->w->engine);
    gost_age_remove(&t->ages, &a->age);
    gost_age_add(&t->ages, &a->age);
    (void)ge_rx_packet(a->stack, &d->p);
}

/* How many packets came; *more: the socket may have others. */
static int read_batch(struct gh_assoc_table *t, int *more)
{
    struct gh_datagram d[GH_RECV_BATCH];
    int i, n = gh_udp_recv(t->w, t->fd, &t->frame, t->any_port, d);
    int packets = 0;

    for (i = 0; i < n; i++) {
        for (; gh_datagram_next(&d[i]); packets++)
            deliver(t, &d[i]);
    }
    *more = n == GH_RECV_BATCH;
    return packets;
}

static struct gh_assoc_table *table_of(struct gh_poll *p)
{
    return (struct gh_assoc_table *)((char *)p - offsetof(struct gh_assoc_table, poll));
}

static void on_poll(struct gh_poll *p, unsigned events)
{
    struct gh_assoc_table *t = table_of(p);
    struct assoc *a, *next;
    int n = 0, more = 1;

    if (events & GH_POLL_FAILED)
        abort(); /* a listener that cannot be waited for: no memory at start */
    while (more && n < GH_READ_PACKETS && !t->closing)
        n += read_batch(t, &more);
    if (!(events & GH_POLL_OUT) || t->closing)
        return;
    for (a = (struct assoc *)t->ages.newest; a && t->n_waiting; a = next) {
        next = (struct assoc *)a->age.older;
        if (!a->waiting)
            continue;
        a->waiting = 0;
        t->n_waiting--;
        assoc_write(a);
    }
    if (!t->n_waiting)
        gh_poll_want(t->w, &t->poll, GH_POLL_IN);
}

static void start(struct gh_worker *w, void *arg)
{
    struct gh_assoc_table *t = arg;

    gh_poll_init(&t->poll, t->fd, on_poll);
    gh_poll_want(w, &t->poll, GH_POLL_IN);
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
    gh_frame_init(&t->frame, conf->transport->ops, GOST_SERVER, 0);
    gh_udp_details(fd);
    t->any_port = gh_udp_any(&t->local) ? t->local.port : 0;
    if (getrandom(t->secret, sizeof t->secret, 0) != sizeof t->secret)
        abort(); /* the kernel has no randomness: nothing here is safe */
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
    struct change *c = gh_must_malloc(sizeof *c);

    c->t = t;
    c->accept = accept;
    c->arg = arg;
    gh_worker_post(t->w, on_change, c);
}

static void on_table_gone(struct gh_poll *p)
{
    free(table_of(p));
}

static void table_maybe_free(struct gh_assoc_table *t)
{
    if (!t->closing || t->n_open > 0 || t->fd < 0)
        return;
    gh_poll_close(t->w, &t->poll, on_table_gone);
    close(t->fd);
    t->fd = -1;
}

static void on_close(struct gh_worker *w, void *arg)
{
    struct gh_assoc_table *t = arg;
    struct assoc *a, *next;

    t->closing = 1;
    gh_poll_end(w, &t->poll);
    for (a = (struct assoc *)t->ages.newest; a; a = next) {
        next = (struct assoc *)a->age.older;
        end(a);
    }
    table_maybe_free(t);
}

void gh_assoc_close(struct gh_assoc_table *t)
{
    gh_worker_post(t->w, on_close, t);
}
