/* remote_packets.c - the peers of a packets port: one association per address, with an age. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "age.h"
#include "conf_meta.h"
#include "conf_tree.h"
#include "hash.h"
#include "remote_private.h"

enum { BUCKETS = 256, PEERS_MAX = 4096 };

struct peer {
    struct gost_age age;    /* by use */
    struct peer *next;      /* of its bucket */
    struct gh_peers *peers; /* NULL: it has ended, and only its flow has to let go */
    struct ge_stack *stack;
    struct gost_addr addr;
    struct ge_timer timer;
    uint64_t active;
};

struct gh_peers {
    struct gh_worker *worker;
    struct gh_service *service; /* *borrowed*: the listener holds it */
    struct ge_stack *port;      /* the packets; NULL: nothing came yet */
    struct gost_addr local;
    uint64_t ttl_ns;
    struct peer *bucket[BUCKETS];
    struct gost_ages ages;
    unsigned n;
};

static struct peer **bucket_of(struct gh_peers *p, const struct gost_addr *a)
{
    uint8_t key[20];

    memcpy(key, a->ip, 16);
    gost_put32(key + 16, (uint32_t)a->port << 8 | a->family);
    return &p->bucket[gh_hash(gost_bytes(key, sizeof key)) % BUCKETS];
}

/* Its next packet makes a new association. */
static void detach(struct peer *e)
{
    struct gh_peers *p = e->peers;
    struct peer **at;

    if (p == NULL)
        return;
    for (at = bucket_of(p, &e->addr); *at != e; at = &(*at)->next)
        ;
    *at = e->next;
    gost_age_remove(&p->ages, &e->age);
    p->n--;
    ge_timer_stop(gh_worker_engine(p->worker), &e->timer);
    e->peers = NULL;
}

static void end(struct peer *e)
{
    detach(e);
    ge_rx_end(e->stack, 0);
}

static void expired(struct ge_timer *t)
{
    struct peer *e = (struct peer *)((char *)t - offsetof(struct peer, timer));
    struct ge_worker *engine = gh_worker_engine(e->peers->worker);
    uint64_t at = e->active + e->peers->ttl_ns;

    if (at > ge_now(engine))
        ge_timer_start(engine, t, at);
    else
        end(e);
}

static void touch(struct peer *e)
{
    e->active = ge_now(gh_worker_engine(e->peers->worker));
    gost_age_remove(&e->peers->ages, &e->age);
    gost_age_add(&e->peers->ages, &e->age);
}

/* ---- the flow's end ---- */

static void peer_want(struct ge_stack *s, void *ctx, unsigned what)
{
    struct peer *e = ctx;
    struct gost_packet k;

    while (ge_tx_packet(s, &k) == GOST_OK) {
        if (e->peers != NULL && e->peers->port != NULL) {
            (void)gost_packet_put(ge_stack_io(e->peers->port), k.data, &e->addr);
            touch(e);
        }
        ge_tx_packet_drop(s);
    }
}

static void peer_close(struct ge_stack *s, void *ctx, int abort)
{
    detach(ctx);
    free(ctx);
}

static const struct ge_bottom_ops peer_ops = {peer_want, peer_close};

/* ---- packets ---- */

static struct peer *find(struct gh_peers *p, const struct gost_addr *a)
{
    struct peer *e = *bucket_of(p, a);

    while (e != NULL && !gost_addr_equal(&e->addr, a))
        e = e->next;
    return e;
}

static struct peer *peer_new(struct gh_peers *p, const struct gost_addr *a)
{
    struct gh_flow *f = gh_remote_flow(p->worker, p->service, a, &p->local);
    struct peer *e = f != NULL ? calloc(1, sizeof *e) : NULL, **bucket;

    if (e != NULL)
        e->stack = ge_stack_new(f->ge, GOST_DATAGRAM, &peer_ops, e);
    if (e == NULL || e->stack == NULL) {
        free(e);
        if (f != NULL)
            gh_flow_end(f, GOST_ENOMEM, "out of memory");
        return NULL;
    }
    if (p->n == PEERS_MAX)
        end((struct peer *)p->ages.oldest);
    e->addr = *a;
    e->peers = p;
    bucket = bucket_of(p, a);
    e->next = *bucket;
    *bucket = e;
    gost_age_add(&p->ages, &e->age);
    p->n++;
    e->active = ge_now(gh_worker_engine(p->worker));
    e->timer.fire = expired;
    ge_timer_start(gh_worker_engine(p->worker), &e->timer, e->active + p->ttl_ns);
    gh_flow_start(f, e->stack);
    return find(p, a); /* refused: it is gone already */
}

void gh_peers_receive(struct gh_peers *p, struct gost_io *io)
{
    struct gost_packet k;

    p->port = ge_io_stack(io);
    while (gost_packet_recv(io, &k) == GOST_OK) {
        struct peer *e = k.addr != NULL ? find(p, k.addr) : NULL;

        if (e == NULL && k.addr != NULL)
            e = peer_new(p, k.addr);
        if (e == NULL)
            continue;
        touch(e);
        (void)ge_rx_packet(e->stack, &k);
    }
}

struct gh_peers *gh_peers_new(struct gh_worker *w, struct gh_service *s,
                              const struct gost_addr *local)
{
    struct gh_peers *p = calloc(1, sizeof *p);
    int64_t ttl =
        gh_meta_duration_ns(gh_path(s->conf, "listener.metadata"), "ttl", 5 * (int64_t)GOST_S);

    if (p == NULL)
        return NULL;
    p->worker = w;
    p->service = s;
    p->local = *local;
    p->ttl_ns = ttl > 0 ? (uint64_t)ttl : 5 * GOST_S;
    return p;
}

void gh_peers_retarget(struct gh_peers *p, struct gh_service *s)
{
    p->service = s;
}

void gh_peers_free(struct gh_peers *p)
{
    if (p == NULL)
        return;
    while (p->ages.oldest != NULL)
        end((struct peer *)p->ages.oldest);
    free(p);
}
