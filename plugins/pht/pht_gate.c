/* pht_gate.c - the server: one exchange, a push or a pull, and its way to the tunnel. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "pht.h"

enum { TAG_DIAL = 1, TAG_AGAIN, TAG_SPAWN };

#define RETRY_NS (10 * GOST_MS)
#define TRIES    500u /* of 10 ms, while another exchange makes the tunnel */
#define CLAIM_NS (10 * GOST_S)
#define MADE     2u /* the port of a tunnel that we made */

static struct gost_bytes key_of(const struct pht_gate *g)
{
    return gost_bytes(g->key, g->key_n);
}

/* ---- the request ---- */

static int finish(struct pht_gate *g, struct gost_io *io, uint32_t status)
{
    g->phase = GATE_DONE;
    gost_consume(io, gost_rx_len(io));
    (void)pht_answer(io, status);
    return GOST_OK;
}

static int is(struct gost_bytes a, const char *text)
{
    return gost_bytes_eq(a, gost_bytes_str(text));
}

/* A tunnel belongs to its service. */
static void set_key(struct pht_gate *g, struct gost_io *io, struct gost_bytes token)
{
    int n = snprintf(g->key, sizeof g->key, "%.*s@%.120s", (int)token.n, (const char *)token.p,
                     gost_flow(io)->service);

    g->key_n = (uint32_t)n;
}

static int seek(struct pht_gate *g, struct gost_io *io)
{
    g->phase = GATE_SEEK;
    return gost_asked(
        gost_dial_endpoint(io, g->claimed ? TAG_AGAIN : TAG_DIAL, 1, "pht", key_of(g)));
}

static int serve(struct pht_gate *g, const struct pht_conf *c, struct gost_io *io,
                 const struct gost_head *h)
{
    const uint8_t *mark = h->path.n ? memchr(h->path.p, '?', h->path.n) : NULL;
    size_t n = mark ? (size_t)(mark - h->path.p) : h->path.n;
    struct gost_bytes path = gost_bytes(h->path.p, n), token;

    token = pht_query_token(mark ? gost_bytes(mark + 1, h->path.n - n - 1) : gost_bytes(NULL, 0));
    if (is(path, c->authorize)) {
        g->phase = GATE_DONE;
        (void)pht_answer_token_page(io);
        return GOST_OK;
    }
    g->pull = is(path, c->pull);
    if (!g->pull && !is(path, c->push)) {
        g->phase = GATE_DONE;
        (void)pht_answer_missing(io);
        return GOST_OK;
    }
    if (!is(h->method, g->pull ? "GET" : "POST") || token.n == 0)
        return finish(g, io, 400);
    set_key(g, io, token);
    return seek(g, io);
}

static int request(struct pht_gate *g, const struct pht_conf *c, struct gost_io *io)
{
    struct gost_head h;
    int r = gost_head_recv(io, &h);

    gost_phase(io, "the request of a tunnel");
    if (r == GOST_OK)
        return serve(g, c, io, &h);
    return r == GOST_END ? GOST_OK : GOST_AGAIN;
}

/* ---- the tunnel ---- */

static int visit(struct pht_gate *g, struct gost_io *io, uint32_t port)
{
    uint8_t kind = g->pull ? PHT_PULL : PHT_PUSH;

    g->visit = port;
    g->sent_at = gost_now();
    g->phase = g->pull ? GATE_PULL : GATE_PUSH;
    if (g->claimed && port != MADE)
        (void)gost_table_put(PHT_CLAIMS, key_of(g), NULL, 1, 0, 0);
    if (g->pull)
        (void)pht_answer_pull(io);
    return gost_send(gost_port(io, port), &kind, 1);
}

/* Nobody has this token. It may have ended, or it is new: then exactly one exchange makes it. */
static int nobody(struct pht_gate *g, const struct pht_conf *c, struct gost_io *io)
{
    const struct pht_worker *w = gost_worker_data();
    uint8_t mark = 1;
    int r;

    if (gost_table_get(PHT_ENDED, key_of(g), &mark, 1) == GOST_OK) {
        if (g->claimed)
            (void)gost_table_put(PHT_CLAIMS, key_of(g), NULL, 1, 0, 0);
        return finish(g, io, 200); /* a pull without a line is the end */
    }
    if (g->claimed)
        return gost_asked(gost_spawn_pair(io, TAG_SPAWN, MADE, 0, key_of(g)));
    if (w && w->tunnels >= c->max_tunnels)
        return finish(g, io, 429);
    r = gost_table_put(PHT_CLAIMS, key_of(g), &mark, 1, CLAIM_NS, 1);
    g->claimed = r == GOST_OK;
    if (g->claimed)
        return seek(g, io); /* it may have come in between */
    if (r != GOST_EINUSE || g->tries++ == TRIES)
        return finish(g, io, 503);
    gost_set_deadline(io, gost_now() + RETRY_NS);
    return GOST_AGAIN;
}

static int result(struct pht_gate *g, const struct pht_conf *c, struct gost_io *io,
                  const struct gost_event *ev)
{
    int r;

    if (ev->status == GOST_ENOROUTE || ev->status == GOST_ECLOSED)
        return nobody(g, c, io);
    if (ev->status != 0)
        return finish(g, io, ev->status == GOST_ELIMIT ? 429 : 503);
    r = visit(g, io, ev->tag == TAG_SPAWN ? MADE : 1);
    if (r == GOST_OK)
        return GOST_AGAIN;
    if (!g->pull)
        return finish(g, io, 410);
    gost_abort(io, 0); /* its answer has begun */
    return GOST_OK;
}

/* ---- push ---- */

static int bad_push(struct pht_gate *g, struct gost_io *io)
{
    gost_abort(gost_port(io, g->visit), 0);
    return finish(g, io, 400);
}

/* One line. What follows it is not read, as in GOST. */
static int push(struct pht_gate *g, struct gost_io *io)
{
    struct gost_io *to = gost_port(io, g->visit);
    uint8_t plain[3 * 1024 + 3];
    struct gost_bytes in;
    size_t n;
    int used, line = 0;

    while (to && !g->line_done && gost_rx_len(io) > 0) {
        if (gost_tx_room(to) == 0)
            return GOST_AGAIN;
        in = gost_rx(io);
        in.n = in.n < 4096 ? in.n : 4096;
        used = pht_decode(&g->in, in, plain, &n, &line);
        if (used < 0)
            return bad_push(g, io);
        gost_consume(io, (size_t)used);
        (void)gost_send(to, plain, n);
        g->line_done = line != 0;
    }
    if (g->line_done)
        gost_consume(io, gost_rx_len(io));
    if (!gost_rx_eof(io))
        return GOST_AGAIN;
    if (!g->line_done && g->in.digits > 0)
        return bad_push(g, io);
    g->phase = GATE_PUSHED;
    if (to)
        gost_shut(to);
    return GOST_AGAIN;
}

/* The tunnel says "1" when the bytes are where they belong. */
static int pushed(struct pht_gate *g, struct gost_io *io)
{
    struct gost_io *from = gost_port(io, g->visit);

    if (from && gost_rx_len(from) > 0)
        return finish(g, io, 200);
    return !from || gost_rx_eof(from) ? finish(g, io, 410) : GOST_AGAIN;
}

/* ---- pull ---- */

static int put_line(struct pht_gate *g, struct gost_io *io, struct gost_io *from)
{
    size_t n = gost_rx_len(from);

    g->sent_at = gost_now();
    return pht_send_line(io, from, n < PHT_LINE ? n : PHT_LINE);
}

static int pull(struct pht_gate *g, const struct pht_conf *c, struct gost_io *io)
{
    struct gost_io *from = gost_port(io, g->visit);

    gost_consume(io, gost_rx_len(io));
    while (from && gost_rx_len(from) > 0) {
        if (gost_tx_room(io) == 0)
            return GOST_AGAIN;
        if (put_line(g, io, from) != GOST_OK)
            return GOST_ENOMEM;
    }
    if (!from || gost_rx_eof(from)) {
        g->phase = GATE_DONE;
        gost_shut(io);
        return GOST_OK;
    }
    if (c->heartbeat && gost_now() >= g->sent_at + c->heartbeat) {
        g->sent_at = gost_now();
        (void)gost_send(io, "\n", 1);
    }
    if (c->heartbeat)
        gost_set_deadline(io, g->sent_at + c->heartbeat);
    return GOST_AGAIN;
}

/* ---- all together ---- */

static int closed(struct pht_gate *g, struct gost_io *io, const struct gost_event *ev)
{
    if (ev->port == 0) { /* the client is gone, and what was on its way with it */
        if (g->visit && gost_port(io, g->visit))
            gost_abort(gost_port(io, g->visit), 0);
        return GOST_OK;
    }
    if (ev->port != g->visit)
        return GOST_AGAIN;
    if (g->phase != GATE_PULL)
        return finish(g, io, 410);
    gost_abort(io, 0); /* what broke off must not look complete */
    return GOST_OK;
}

int pht_gate_step(struct pht_gate *g, const struct pht_conf *c, struct gost_io *io,
                  const struct gost_event *ev)
{
    if (ev->type == GOST_EV_CLOSED)
        return closed(g, io, ev);
    if (ev->type == GOST_EV_RESULT) {
        int r = result(g, c, io, ev);

        if (r != GOST_AGAIN)
            return r;
    } else if (ev->type == GOST_EV_DEADLINE && g->phase == GATE_SEEK) {
        return seek(g, io);
    }
    if (g->phase == GATE_REQUEST)
        return request(g, c, io);
    if (g->phase == GATE_PUSH)
        return push(g, io);
    if (g->phase == GATE_PUSHED)
        return pushed(g, io);
    if (g->phase == GATE_PULL)
        return pull(g, c, io);
    return GOST_AGAIN;
}
