/* io_keyed.c - a datagram listener whose layer attaches by key: instances on all workers. */
/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io_internal.h"
#include "io_keymap.h"
#include "sockaddr.h"

/*
 * One socket for all workers. One of them, the reader, takes the packets in, asks route() whose
 * they are, and hands those of other workers over in batches; every worker sends by itself.
 *
 * A socket per worker (SO_REUSEPORT) would spare the handing over for clients that keep their
 * address, but the kernel steers by address and a key does not change with it, so it would be
 * needed all the same; packets of one connection would arrive by two ways and out of order; a
 * second program of the same user could join the group instead of being told "address in use"; an
 * inherited descriptor would not do; and new connections would go where a hash puts them, not to
 * the worker with the fewest flows.
 */

#define INSTANCES    65536u
#define BUSY         128u  /* unproven instances from which on route() is told */
#define UNPROVEN_MAX 1024u /* of them at all */
#define HANDED_MAX   4096u /* packets on their way to one worker; more are lost */

struct keyed_worker;

/* An instance: the bottom of its stack. Its worker's, but for `keys`. */
struct keyed {
    struct keyed *next, **prev; /* of its worker */
    struct keyed_worker *kw;
    struct ge_stack *stack;
    struct gh_key *keys; /* under the lock */
    unsigned n_keys;     /* under the lock */
    struct sockaddr_storage peer;
    socklen_t n;
    struct gost_addr local; /* where the last packet came to; NONE: not known */
    uint8_t waiting, ended;
    uint8_t proven; /* a packet came with a key of its own, or after its handshake */
};

/* What one worker has of the listener. */
struct keyed_worker {
    struct gh_keyed *k;
    struct gh_worker *w;
    struct keyed *first;
    struct gh_frame frame;
    struct gh_poll poll; /* the reader's; others have it while a send waits */
    unsigned n_waiting;
    uint8_t closed;
    atomic_uint handed;
};

struct gh_keyed {
    struct gh_listener_conf conf;
    struct gost_addr local;
    struct gh_worker *reader;
    int fd, v6;
    uint16_t any_port; /* bound to any address: the port; else 0 */
    unsigned max;
    uv_mutex_t lock; /* all below */
    struct gh_keymap map;
    unsigned n, refs;
    atomic_uint unproven; /* instances; not under the lock */
    atomic_int closing;
    struct keyed_worker at[];
};

struct handed {
    struct handed *next;
    struct gh_datagram d; /* p.data is behind this struct */
    struct gost_route_key key;
    uint8_t data[];
};

struct batch {
    struct keyed_worker *kw;
    struct handed *first, **last;
};

static struct keyed_worker *here(struct gh_keyed *k, struct gh_worker *w)
{
    return &k->at[gh_worker_index(w)];
}

static void unref(struct gh_keyed *k)
{
    unsigned left;

    uv_mutex_lock(&k->lock);
    left = --k->refs;
    uv_mutex_unlock(&k->lock);
    if (left)
        return;
    gh_keymap_fini(&k->map);
    uv_mutex_destroy(&k->lock);
    close(k->fd);
    free(k);
}

static void ref(struct gh_keyed *k)
{
    uv_mutex_lock(&k->lock);
    k->refs++;
    uv_mutex_unlock(&k->lock);
}

/* ---- sending [worker] ---- */

static void poll_for(struct keyed_worker *kw)
{
    if (!kw->closed)
        gh_poll_want(kw->w, &kw->poll,
                     (kw->w == kw->k->reader && !kw->k->closing ? GH_POLL_IN : 0u) |
                         (kw->n_waiting ? GH_POLL_OUT : 0u));
}

static void set_waiting(struct keyed *a, int yes)
{
    if (a->waiting == yes)
        return;
    a->waiting = (uint8_t)yes;
    a->kw->n_waiting += yes ? 1u : -1u;
    if (a->kw->n_waiting == (unsigned)yes)
        poll_for(a->kw);
}

static void write_out(struct keyed *a)
{
    struct gost_packet p[GH_SEND_BATCH];
    struct gh_out out[GH_SEND_BATCH];
    struct sockaddr_storage to[GH_SEND_BATCH];
    unsigned n, i;
    int sent;

    while ((n = ge_tx_packets(a->stack, p, GH_SEND_BATCH)) > 0) {
        for (i = 0; i < n; i++) {
            if (!p[i].local && a->local.family != GOST_AF_NONE)
                p[i].local = &a->local;
            out[i].p = &p[i];
            out[i].to = p[i].addr ? &to[i] : &a->peer;
            out[i].n = p[i].addr ? gh_udp_sockaddr(&to[i], p[i].addr, a->kw->k->v6) : a->n;
            if (out[i].n == 0)
                break; /* no address of this socket's family: it cannot be sent */
        }
        sent = i > 0 ? gh_udp_send(a->kw->k->fd, &a->kw->frame, out, i) : 1;
        set_waiting(a, sent < 0);
        if (sent < 0)
            return;
        while (sent-- > 0)
            ge_tx_packet_drop(a->stack);
    }
}

/* ---- instances [worker] ---- */

/* Nothing leads to it any more. */
static void forget(struct keyed *a)
{
    struct gh_keyed *k = a->kw->k;
    struct gh_key *key;

    uv_mutex_lock(&k->lock);
    while ((key = a->keys)) {
        a->keys = key->next;
        gh_keymap_remove(&k->map, key);
    }
    k->n -= !a->ended;
    if (!a->ended && !a->proven)
        atomic_fetch_sub(&k->unproven, 1);
    uv_mutex_unlock(&k->lock);
    a->ended = 1;
}

static void keyed_want(struct ge_stack *s, void *ctx, unsigned what)
{
    if (what & GE_WANT_WRITE)
        write_out(ctx);
}

static void keyed_close(struct ge_stack *s, void *ctx, int abort)
{
    struct keyed *a = ctx;
    struct gh_keyed *k = a->kw->k;

    write_out(a); /* what its layer said at the end */
    set_waiting(a, 0);
    forget(a);
    *a->prev = a->next;
    if (a->next)
        a->next->prev = a->prev;
    free(a);
    unref(k);
}

static const struct ge_bottom_ops keyed_ops = {keyed_want, keyed_close};

static struct keyed *instance_new(struct keyed_worker *kw, const struct gh_datagram *d)
{
    struct ge_flow *none = ge_flow_new(kw->w->engine); /* until the receiver gives its own */
    struct keyed *a = calloc(1, sizeof *a);

    if (a && none) {
        a->kw = kw;
        a->peer = d->from;
        a->n = d->n;
        a->stack = ge_stack_new(none, GOST_DATAGRAM, &keyed_ops, a);
    }
    ge_flow_unref(none);
    if (!a || !a->stack) {
        free(a);
        return NULL;
    }
    ge_stack_take_segments(a->stack, 1);
    a->next = kw->first;
    if (a->next)
        a->next->prev = &a->next;
    kw->first = a;
    a->prev = &kw->first;
    ref(kw->k);
    return a;
}

/* With the lock held. A key may have ended here and begun anew on another worker, while packets
 * were on their way: it is not ours then. */
static struct gh_key *key_here(struct keyed_worker *kw, const struct gost_route_key *key)
{
    struct gh_key *e = gh_keymap_find(&kw->k->map, key->k, key->n);

    return e && e->worker == gh_worker_index(kw->w) ? e : NULL;
}

/* A key for which there will be no instance: its packet never comes to the worker. */
static void disown(struct keyed_worker *kw, const struct gost_route_key *key)
{
    struct gh_keyed *k = kw->k;
    struct gh_key *e;

    uv_mutex_lock(&k->lock);
    e = key_here(kw, key);
    if (e && !e->owner) {
        gh_keymap_remove(&k->map, e);
        k->n--;
        atomic_fetch_sub(&k->unproven, 1);
    }
    uv_mutex_unlock(&k->lock);
}

/* The key has no instance: make it. NULL: refused, or the reader took the key back; it is gone. */
static struct keyed *admit(struct keyed_worker *kw, const struct gh_datagram *d,
                           const struct gost_route_key *key)
{
    struct gh_keyed *k = kw->k;
    struct gh_accepted acc = {.worker = kw->w, .fd = -1, .remote = d->addr, .local = k->local};
    struct keyed *a = instance_new(kw, d);
    void (*accept)(void *arg, struct gh_accepted *a);
    struct gh_key *e;
    void *arg;

    uv_mutex_lock(&k->lock);
    accept = k->conf.accept;
    arg = k->conf.arg;
    e = a ? key_here(kw, key) : NULL;
    if (e) {
        e->owner = a;
        a->keys = e;
        a->n_keys = 1;
    } else if (a) {
        a->ended = 1; /* it was never counted */
    }
    uv_mutex_unlock(&k->lock);
    if (!a) {
        disown(kw, key);
        return NULL;
    }
    if (!e) {
        ge_stack_free(a->stack, 1);
        return NULL;
    }
    if (d->p.local)
        acc.local = *d->p.local;
    acc.packets = a->stack;
    accept(arg, &acc);
    /* refused: the stack was freed, and with it the instance */
    uv_mutex_lock(&k->lock);
    e = key_here(kw, key);
    a = e ? e->owner : NULL;
    uv_mutex_unlock(&k->lock);
    return a;
}

static void deliver(struct keyed_worker *kw, struct gh_datagram *d,
                    const struct gost_route_key *key)
{
    struct gh_keyed *k = kw->k;
    struct keyed *a = NULL;
    struct gh_key *e;
    int own;

    uv_mutex_lock(&k->lock);
    e = key_here(kw, key);
    if (e && e->owner)
        a = e->owner;
    own = e && e->own;
    uv_mutex_unlock(&k->lock);
    if (a && !a->proven && (own || !*ge_stack_layer_name(a->stack))) {
        a->proven = 1;
        atomic_fetch_sub(&k->unproven, 1);
    }
    if (!e || k->closing)
        return; /* it ended meanwhile */
    if (!a && !(a = admit(kw, d, key)))
        return;
    a->peer = d->from;
    a->n = d->n;
    if (d->p.local)
        a->local = *d->p.local;
    d->p.flags = 0;
    (void)ge_rx_packet(a->stack, &d->p);
}

/* ---- keys the instance chooses ---- */

static struct keyed *of_io(struct gost_io *io)
{
    struct ge_stack *s = ge_io_stack(io);

    return ge_stack_bottom_ops(s) == &keyed_ops ? ge_stack_ctx(s) : NULL;
}

int gh_key_add(struct gost_io *io, struct gost_bytes key)
{
    struct keyed *a = of_io(io);
    struct gh_key *e;
    int r = GOST_OK;

    if (!a || a->ended)
        return GOST_OK;
    if (key.n == 0 || key.n > GH_KEY_MAX)
        return GOST_ETOOBIG;
    uv_mutex_lock(&a->kw->k->lock);
    e = gh_keymap_find(&a->kw->k->map, key.p, key.n);
    if (e) {
        r = e->owner == a ? GOST_OK : GOST_EINUSE;
    } else if (a->n_keys >= GH_KEYS_MAX) {
        r = GOST_ELIMIT;
    } else if ((e = gh_keymap_add(&a->kw->k->map, key.p, key.n, gh_worker_index(a->kw->w)))) {
        e->owner = a;
        e->own = 1;
        e->next = a->keys;
        a->keys = e;
        a->n_keys++;
    } else {
        r = GOST_ENOMEM;
    }
    uv_mutex_unlock(&a->kw->k->lock);
    return r;
}

void gh_key_remove(struct gost_io *io, struct gost_bytes key)
{
    struct keyed *a = of_io(io);
    struct gh_key **at;

    if (!a)
        return;
    uv_mutex_lock(&a->kw->k->lock);
    for (at = &a->keys; *at; at = &(*at)->next)
        if ((*at)->n == key.n && memcmp((*at)->k, key.p, key.n) == 0)
            break;
    if (*at) {
        struct gh_key *e = *at;

        *at = e->next;
        a->n_keys--;
        gh_keymap_remove(&a->kw->k->map, e);
    }
    uv_mutex_unlock(&a->kw->k->lock);
}

/* ---- the reader ---- */

/* 1: ret_key says whose it is. 0: it was answered or dropped. */
static int route(struct gh_keyed *k, struct gh_datagram *d, struct gost_route_key *ret_key)
{
    uint8_t reply[2048];
    size_t n = d->p.data.n * 3 < sizeof reply ? d->p.data.n * 3 : sizeof reply, room = n;
    struct gost_packet p = {.size = sizeof p, .local = d->p.local};
    struct gh_out out = {.p = &p, .to = &d->from, .n = d->n};
    int r;

    ret_key->n = ret_key->fresh = 0;
    r = ge_route(k->reader->engine, k->conf.layer, k->conf.layer_conf, &d->p, ret_key, reply, &n);
    if (r == GOST_ROUTE_ANSWER && n > 0 && n <= room) {
        p.data = gost_bytes(reply, n);
        (void)gh_udp_send(k->fd, &here(k, k->reader)->frame, &out, 1);
    }
    return r == GOST_ROUTE_KEY && ret_key->n > 0 && ret_key->n <= GH_KEY_MAX;
}

/* The worker that has the key, or will have it from now on; NULL: nobody. */
static struct keyed_worker *owner_of(struct gh_keyed *k, const struct gost_route_key *key,
                                     int *ret_full)
{
    struct keyed_worker *kw = NULL, *least = here(k, gh_worker_least());
    struct gh_key *e;

    uv_mutex_lock(&k->lock);
    e = gh_keymap_find(&k->map, key->k, key->n);
    if (!e && key->fresh) {
        *ret_full = k->n >= k->max || atomic_load(&k->unproven) >= UNPROVEN_MAX ||
                    gh_net_over_budget() ||
                    atomic_load(&least->handed) >= HANDED_MAX; /* a key without its packet stays */
        if (!*ret_full)
            e = gh_keymap_add(&k->map, key->k, key->n, gh_worker_index(least->w));
        if (e) {
            k->n++;
            atomic_fetch_add(&k->unproven, 1);
        }
    }
    if (e)
        kw = &k->at[e->worker];
    uv_mutex_unlock(&k->lock);
    return kw;
}

static void hand(struct batch *b, struct keyed_worker *kw, const struct gh_datagram *d,
                 const struct gost_route_key *key)
{
    struct handed *h;

    h = atomic_load_explicit(&kw->handed, memory_order_relaxed) < HANDED_MAX
            ? malloc(sizeof *h + d->p.data.n)
            : NULL; /* that worker does not keep up */
    if (!h) {
        disown(kw, key);
        return;
    }
    atomic_fetch_add_explicit(&kw->handed, 1, memory_order_relaxed);
    h->next = NULL;
    h->d = *d;
    h->key = *key;
    memcpy(h->data, d->p.data.p, d->p.data.n);
    h->d.p.data.p = h->data;
    h->d.p.addr = &h->d.addr;
    h->d.p.local = d->p.local ? &h->d.local : NULL;
    if (!b->first)
        b->last = &b->first;
    b->kw = kw;
    *b->last = h;
    b->last = &h->next;
}

static void on_handed(struct gh_worker *w, void *arg)
{
    struct batch *b = arg;
    struct keyed_worker *kw = b->kw;
    struct handed *h, *next;

    for (h = b->first; h; h = next) {
        next = h->next;
        deliver(kw, &h->d, &h->key);
        free(h);
        atomic_fetch_sub_explicit(&kw->handed, 1, memory_order_relaxed);
    }
    free(b);
    unref(kw->k);
}

/* One message for all of a round. */
static void send_batch(struct batch *b)
{
    struct batch *copy = b->first ? malloc(sizeof *copy) : NULL;
    struct handed *h;

    if (copy) {
        *copy = *b;
        ref(b->kw->k);
        gh_worker_post(b->kw->w, on_handed, copy);
        return;
    }
    while ((h = b->first)) {
        b->first = h->next;
        disown(b->kw, &h->key);
        free(h);
        atomic_fetch_sub_explicit(&b->kw->handed, 1, memory_order_relaxed);
    }
}

static void dispatch(struct gh_keyed *k, struct gh_datagram *d, struct batch *batch)
{
    struct gost_route_key key;
    struct keyed_worker *kw;
    int full = 0;

    d->p.flags = atomic_load(&k->unproven) >= BUSY ? GOST_PACKET_BUSY : 0;
    if (!route(k, d, &key))
        return;
    kw = owner_of(k, &key, &full);
    if (!kw) {
        d->p.flags |= GOST_PACKET_STRAY;
        if (!full)
            (void)route(k, d, &key);
    } else if (kw->w == k->reader) {
        deliver(kw, d, &key);
    } else {
        hand(&batch[gh_worker_index(kw->w)], kw, d, &key);
    }
}

/* How many packets came; *more: the socket may have others. */
static int read_batch(struct gh_keyed *k, int *more)
{
    struct gh_datagram d[GH_RECV_BATCH];
    struct batch batch[gh_worker_count()];
    unsigned w;
    int i, n, packets = 0;

    memset(batch, 0, sizeof batch);
    n = gh_udp_recv(k->reader, k->fd, &here(k, k->reader)->frame, k->any_port, d);
    for (i = 0; i < n; i++) {
        for (; gh_datagram_next(&d[i]); packets++)
            dispatch(k, &d[i], batch);
    }
    for (w = 0; w < gh_worker_count(); w++)
        send_batch(&batch[w]);
    *more = n == GH_RECV_BATCH;
    return packets;
}

static void on_poll(struct gh_poll *p, unsigned events)
{
    struct keyed_worker *kw =
        (struct keyed_worker *)((char *)p - offsetof(struct keyed_worker, poll));
    struct keyed *a, *next;
    int n = 0, more = (events & GH_POLL_IN) != 0;

    if (events & GH_POLL_FAILED)
        abort(); /* a listener that cannot be waited for: no memory at start */
    while (more && n < GH_READ_PACKETS && !kw->k->closing)
        n += read_batch(kw->k, &more);
    if (!(events & GH_POLL_OUT))
        return;
    for (a = kw->first; a && kw->n_waiting; a = next) {
        next = a->next;
        if (a->waiting)
            write_out(a);
    }
}

/* ---- the listener [main] ---- */

static void start(struct gh_worker *w, void *arg)
{
    poll_for(here(arg, w));
}

struct gh_keyed *gh_keyed_open(const struct gh_listener_conf *conf, int fd, struct gh_worker *w)
{
    unsigned n = gh_worker_count(), i;
    struct gh_keyed *k = calloc(1, sizeof *k + n * sizeof k->at[0]);
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    if (!k)
        return NULL;
    if (uv_mutex_init(&k->lock) || gh_keymap_init(&k->map) != GOST_OK) {
        free(k);
        return NULL;
    }
    k->conf = *conf;
    k->reader = w;
    k->fd = fd;
    k->max = conf->max_peers ? conf->max_peers : INSTANCES;
    k->refs = 1;
    if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
        gost_sockaddr_get(&k->local, &ss, len);
    k->v6 = ss.ss_family == AF_INET6;
    k->any_port = gh_udp_any(&k->local) ? k->local.port : 0;
    for (i = 0; i < n; i++) {
        k->at[i].k = k;
        k->at[i].w = gh_worker_get(i);
        gh_poll_init(&k->at[i].poll, fd, on_poll);
        gh_frame_init(&k->at[i].frame, conf->transport->ops, GOST_SERVER, 0);
    }
    if (k->at[0].frame.ops)
        k->local.port = k->any_port = 0; /* the kernel tells the number of the protocol there */
    gh_udp_details(fd);
    gh_udp_no_fragments(fd);
    gh_worker_post(w, start, k);
    return k;
}

struct change {
    struct gh_keyed *k;
    void (*accept)(void *arg, struct gh_accepted *a);
    void *arg;
    const void *layer_conf;
};

/* Instances are made on any worker: all of them must have read the old ones for the last time. */
static void on_change(struct gh_worker *w, void *arg)
{
    struct change *c = arg;

    uv_mutex_lock(&c->k->lock);
    c->k->conf.accept = c->accept;
    c->k->conf.arg = c->arg;
    c->k->conf.layer_conf = c->layer_conf;
    uv_mutex_unlock(&c->k->lock);
    free(c);
}

void gh_keyed_retarget(struct gh_keyed *k, void (*accept)(void *arg, struct gh_accepted *a),
                       void *arg, const void *layer_conf)
{
    struct change *c = gh_must_malloc(sizeof *c);

    c->k = k;
    c->accept = accept;
    c->arg = arg;
    c->layer_conf = layer_conf;
    gh_worker_post(k->reader, on_change, c);
}

static void on_close(struct gh_worker *w, void *arg)
{
    struct keyed_worker *kw = here(arg, w);
    struct keyed *a, *next;

    for (a = kw->first; a; a = next) {
        next = a->next;
        forget(a);
        ge_rx_end(a->stack, 0);
    }
    kw->closed = 1;
    gh_poll_end(w, &kw->poll);
    unref(kw->k);
}

void gh_keyed_close(struct gh_keyed *k)
{
    unsigned i;

    k->closing = 1;
    for (i = 0; i < gh_worker_count(); i++) {
        ref(k);
        gh_worker_post(gh_worker_get(i), on_close, k);
    }
    unref(k);
}
