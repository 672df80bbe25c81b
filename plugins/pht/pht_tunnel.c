/* pht_tunnel.c - the server: one token, its stream to the service's handler and its visitors. */
/* SPDX-License-Identifier: MIT */
#include "pht.h"

enum { TAG_SPAWN = 1, TAG_ACCEPT = 16 /* + port */ };

static struct gost_bytes key_of(const struct pht_tunnel *t)
{
    return gost_bytes(t->key, t->key_n);
}

/* ---- life ---- */

static int begin(struct pht_tunnel *t, struct gost_io *io)
{
    struct pht_worker *w = gost_worker_data();
    struct gost_bytes key = gost_arg(io);

    if (key.n > sizeof t->key)
        return gost_fail(io, GOST_EINTERNAL, "the key of a tunnel is too long");
    memcpy(t->key, key.p, key.n);
    t->key_n = (uint32_t)key.n;
    t->slot[0] = SLOT_NEW;
    t->lonely_since = gost_now();
    if (w) {
        w->tunnels++;
        t->counted = 1;
    }
    return gost_asked(
        gost_spawn_pair(io, TAG_SPAWN, PHT_STREAM, GOST_SPAWN_SERVE, gost_bytes(NULL, 0)));
}

/* From now on exchanges that name this token are told that it ended. */
static void mark_ended(const struct pht_tunnel *t, uint64_t remember)
{
    uint8_t mark = 1;

    if (t->key_n)
        (void)gost_table_put(PHT_ENDED, key_of(t), &mark, 1, remember, 0);
}

void pht_tunnel_gone(struct pht_tunnel *t)
{
    struct pht_worker *w = t->counted ? gost_worker_data() : NULL;

    if (w)
        w->tunnels--;
}

static int end(struct pht_tunnel *t, const struct pht_conf *c)
{
    mark_ended(t, c->remember);
    return GOST_OK;
}

/* The client is gone. What it did not say to the end must not look complete. */
static int break_off(struct pht_tunnel *t, const struct pht_conf *c, struct gost_io *io)
{
    struct gost_io *s = gost_port(io, PHT_STREAM);

    if (s)
        gost_abort(s, 0);
    return end(t, c);
}

static int forsaken(struct pht_tunnel *t, const struct pht_conf *c, struct gost_io *io)
{
    gost_log(io, GOST_LOG_INFO, "nobody pulls from the tunnel: it ends after pht.timeout");
    return break_off(t, c, io);
}

/* ---- visitors ---- */

static int accept_more(struct pht_tunnel *t, struct gost_io *io)
{
    uint32_t i, free_slot = 0;

    for (i = PHT_FIRST_SLOT; i < GOST_PORTS; i++) {
        if (t->slot[i] == SLOT_ACCEPTING)
            return GOST_OK;
        if (t->slot[i] == SLOT_FREE)
            free_slot = i;
    }
    if (!free_slot)
        return GOST_OK;
    t->slot[free_slot] = SLOT_ACCEPTING;
    return gost_accept(io, TAG_ACCEPT + free_slot, free_slot, PHT_STREAM);
}

static int is_served(struct pht_tunnel *t, struct gost_io *io)
{
    struct gost_io *s = gost_port(io, PHT_STREAM);
    int r;

    if (!s)
        return gost_fail(io, GOST_ECLOSED, "the handler of the service ended at once");
    t->open = 1;
    r = gost_endpoint_add(s, "pht", key_of(t), 1);
    (void)gost_table_put(PHT_CLAIMS, key_of(t), NULL, 1, 0, 0);
    return r == GOST_OK ? accept_more(t, io) : r;
}

static void learn(struct pht_tunnel *t, struct gost_io *io, uint32_t i)
{
    struct gost_io *v = gost_port(io, i);
    const uint8_t *p = v && gost_rx_len(v) > 0 ? gost_peek(v, 1) : NULL;
    uint32_t k;

    if (!p)
        return;
    t->slot[i] = *p == PHT_PULL ? SLOT_PULL : SLOT_PUSH;
    t->got[i] = 0;
    gost_consume(v, 1);
    if (t->slot[i] != SLOT_PULL)
        return;
    t->lonely_since = 0;
    for (k = 0; k < GOST_PORTS; k++) {
        if (k == i || t->slot[k] != SLOT_PULL)
            continue;
        if (gost_port(io, k)) /* a newer one takes its place */
            gost_shut(gost_port(io, k));
        t->slot[k] = SLOT_FREE;
    }
}

/* 1: the client said that this is the end. */
static int take_push(struct pht_tunnel *t, struct gost_io *io, uint32_t i)
{
    struct gost_io *v = gost_port(io, i), *s = gost_port(io, PHT_STREAM);
    size_t n;

    while (v && s && (n = gost_rx_len(v)) > 0) {
        if (gost_tx_room(s) == 0)
            return 0;
        t->got[i] = 1;
        if (gost_move(s, v, n) == 0)
            gost_consume(v, n);
    }
    if (!v || !gost_rx_eof(v))
        return 0;
    (void)gost_send(v, "1", 1);
    gost_shut(v);
    t->slot[i] = SLOT_FREE;
    return !t->got[i];
}

/* 1: all is said that there will be. */
static int give_pull(struct gost_io *io, uint32_t i)
{
    struct gost_io *v = gost_port(io, i), *s = gost_port(io, PHT_STREAM);
    size_t n;

    while (v && s && (n = gost_rx_len(s)) > 0) {
        if (gost_tx_room(v) == 0)
            return 0;
        if (gost_move(v, s, n) == 0)
            return 0;
    }
    return !s || gost_rx_eof(s);
}

/* ---- all together ---- */

static int work(struct pht_tunnel *t, const struct pht_conf *c, struct gost_io *io)
{
    uint32_t i;
    int over = 0, client_over = 0;

    if (!t->open)
        return GOST_AGAIN;
    for (i = 0; i < GOST_PORTS; i++)
        if (t->slot[i] == SLOT_NEW)
            learn(t, io, i);
    for (i = 0; i < GOST_PORTS; i++) {
        if (t->slot[i] == SLOT_PUSH)
            client_over |= take_push(t, io, i);
        else if (t->slot[i] == SLOT_PULL)
            over |= give_pull(io, i);
    }
    if (over || client_over)
        return end(t, c);
    if (t->lonely_since == 0)
        gost_set_deadline(io, 0);
    else if (gost_now() >= t->lonely_since + c->timeout)
        return forsaken(t, c, io);
    else
        gost_set_deadline(io, t->lonely_since + c->timeout);
    return accept_more(t, io) == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
}

/* A visitor ended both its directions, or was cut. */
static int left(struct pht_tunnel *t, const struct pht_conf *c, struct gost_io *io,
                const struct gost_event *ev)
{
    uint32_t kind = t->slot[ev->port];

    if (ev->port == PHT_STREAM) {
        uint32_t i;

        for (i = 0; i < GOST_PORTS; i++)
            if (t->slot[i] == SLOT_PULL && gost_port(io, i))
                gost_abort(gost_port(io, i), 0);
        return end(t, c);
    }
    if (kind == SLOT_FREE || kind == SLOT_ACCEPTING)
        return GOST_AGAIN;
    t->slot[ev->port] = SLOT_FREE;
    /* A pull that its client cuts takes bytes with it; a push may be there in part. */
    return kind == SLOT_NEW ? GOST_AGAIN : break_off(t, c, io);
}

int pht_tunnel_step(struct pht_tunnel *t, const struct pht_conf *c, struct gost_io *io,
                    const struct gost_event *ev)
{
    int r = GOST_OK;

    gost_phase(io, "the client of a tunnel");
    if (ev->type == GOST_EV_START)
        return begin(t, io);
    if (ev->type == GOST_EV_CLOSED) {
        r = left(t, c, io, ev);
        if (r != GOST_AGAIN)
            return r;
    } else if (ev->type == GOST_EV_RESULT && ev->tag == TAG_SPAWN) {
        if (ev->status != 0)
            return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no stream");
        r = is_served(t, io);
    } else if (ev->type == GOST_EV_RESULT && ev->tag > TAG_ACCEPT) {
        t->slot[ev->tag - TAG_ACCEPT] = ev->status == 0 ? SLOT_NEW : SLOT_FREE;
        if (ev->status != 0)
            return GOST_AGAIN;
    }
    return r < 0 ? r : work(t, c, io);
}
