/* pht_client.c - the client: authorize, one pull that stays, one push after the other. */
/* SPDX-License-Identifier: MIT */
#include "pht.h"

enum { PORT_TOKEN = 1, PORT_PULL = 2, PORT_PUSH = 3 }; /* and the tags of their dials */

static struct gost_bytes token_of(const struct pht_client *s)
{
    return gost_bytes(s->token, s->token_n);
}

static int ask(struct pht_client *s, const struct pht_conf *c, struct gost_io *io, uint32_t port,
               size_t length)
{
    struct gost_io *to = gost_port(io, port);
    enum pht_ask what = port == PORT_TOKEN  ? PHT_ASK_TOKEN
                        : port == PORT_PULL ? PHT_ASK_PULL
                                            : PHT_ASK_PUSH;
    int r = to ? pht_request(to, c, what, token_of(s), length) : GOST_ECLOSED;

    if (r == GOST_OK)
        return GOST_OK;
    return gost_fail(io, r, "a request of the tunnel could not be sent");
}

/* The final head's status; 0: it has not come. */
static uint32_t status_of(struct gost_io *from)
{
    struct gost_head h;

    while (from && gost_head_recv(from, &h) == GOST_OK)
        if (!(h.flags & (GOST_HEAD_INTERIM | GOST_HEAD_TRAILERS)))
            return h.status;
    return 0;
}

/* ---- the token ---- */

/* A server that gives none, as those do that know only tokens of clients: we make one. */
static void invent(struct pht_client *s)
{
    uint8_t random[12];

    gost_random(random, sizeof random);
    pht_token(s->token, random);
    s->token_n = PHT_TOKEN;
}

static int take_token(struct pht_client *s, struct gost_io *io)
{
    struct gost_io *from = gost_port(io, PORT_TOKEN);
    struct gost_bytes t;
    uint32_t status;
    const uint8_t *p;
    size_t n;

    gost_phase(io, "a token");
    if (!s->got_head) {
        status = status_of(from);
        if (status == 0)
            return GOST_AGAIN;
        if (status != 200 && status != 404)
            return gost_fail(io, GOST_EPEER,
                             "the server answered %u to authorize; it may be no listener pht, or "
                             "have another authorizePath",
                             (unsigned)status);
        s->got_head = status;
    }
    n = gost_rx_len(from);
    if (n > 4096)
        return gost_fail(io, GOST_EPROTO, "the answer to authorize is no token");
    gost_want(from, n + 1);
    if (!gost_rx_eof(from))
        return GOST_AGAIN;
    p = n ? gost_peek(from, n) : NULL;
    t = pht_answer_token(gost_bytes(p, p ? n : 0));
    if (s->got_head == 404)
        invent(s);
    else if (t.n == 0)
        return gost_fail(io, GOST_EPROTO, "the answer to authorize is no token");
    else
        memcpy(s->token, t.p, s->token_n = (uint32_t)t.n);
    gost_consume(from, n);
    s->got_head = 0;
    s->phase = CLIENT_OPEN;
    return gost_asked(gost_dial_below(io, PORT_PULL, PORT_PULL, GOST_DIAL_READY));
}

/* ---- pull ---- */

static int take_lines(struct pht_client *s, struct gost_io *io, struct gost_io *from)
{
    uint8_t plain[3 * 1024 + 3];
    struct gost_bytes in;
    size_t n;
    int used, line;

    while (gost_rx_len(from) > 0) {
        if (gost_tx_room(io) == 0)
            return GOST_AGAIN;
        in = gost_rx(from);
        in.n = in.n < 4096 ? in.n : 4096;
        used = pht_decode(&s->in, in, plain, &n, &line);
        if (used < 0)
            return gost_fail(io, GOST_EPROTO, "a line of the server is no base64");
        gost_consume(from, (size_t)used);
        s->lines |= line != 0;
        if (n && gost_send(io, plain, n) == GOST_EINTERNAL)
            return GOST_EINTERNAL;
    }
    return GOST_OK;
}

/* An answer that ended: with lines the next one goes on, without it was the end. */
static int pull_ended(struct pht_client *s, struct gost_io *io)
{
    if (s->in.digits > 0)
        return gost_fail(io, GOST_ECLOSED, "the server's answer ended in the middle of a line");
    s->pulling = s->got_head = 0;
    if (s->lines) {
        s->lines = 0;
        return gost_asked(gost_dial_below(io, PORT_PULL, PORT_PULL, GOST_DIAL_READY));
    }
    s->ended = 1;
    gost_shut(io);
    return GOST_AGAIN;
}

static int pull(struct pht_client *s, struct gost_io *io)
{
    struct gost_io *from = gost_port(io, PORT_PULL);
    uint32_t status;
    int r;

    if (!s->pulling || !from)
        return GOST_AGAIN;
    if (!s->got_head) {
        status = status_of(from);
        if (status == 0)
            return GOST_AGAIN;
        if (status != 200)
            return gost_fail(io, GOST_EPEER, "the server answered %u to pull", (unsigned)status);
        s->got_head = status;
    }
    r = take_lines(s, io, from);
    if (r != GOST_OK)
        return r;
    (void)status_of(from); /* trailers say nothing */
    return gost_rx_eof(from) ? pull_ended(s, io) : GOST_AGAIN;
}

/* ---- push ---- */

/* One at a time: the next one goes out after the answer to this one. */
static int push(struct pht_client *s, struct gost_io *io)
{
    struct gost_io *from = gost_port(io, PORT_PUSH);
    uint32_t status;

    if (s->push == PUSH_ANSWER) {
        status = status_of(from);
        if (status == 0)
            return GOST_AGAIN;
        if (status != 200 && !s->last)
            return gost_fail(io, GOST_EPEER, "the server answered %u to a push%s", (unsigned)status,
                             status == 410 ? ": the tunnel has ended" : "");
        gost_consume(from, gost_rx_len(from));
        s->push = PUSH_IDLE;
        if (s->last)
            return GOST_OK;
    }
    if (s->push != PUSH_IDLE || s->phase != CLIENT_OPEN)
        return GOST_AGAIN;
    if (gost_rx_len(io) == 0 && !gost_rx_eof(io))
        return GOST_AGAIN;
    if (s->ended) /* nobody is there to be told */
        return gost_rx_eof(io) ? GOST_OK : (gost_consume(io, gost_rx_len(io)), GOST_AGAIN);
    s->push = PUSH_DIALING;
    return gost_asked(gost_dial_below(io, PORT_PUSH, PORT_PUSH, 0));
}

/* An empty push is the end. */
static int send_push(struct pht_client *s, const struct pht_conf *c, struct gost_io *io)
{
    struct gost_io *to = gost_port(io, PORT_PUSH);
    size_t n = gost_rx_len(io);
    int r;

    n = n < PHT_LINE ? n : PHT_LINE;
    s->last = n == 0;
    s->push = PUSH_ANSWER;
    r = ask(s, c, io, PORT_PUSH, n ? pht_line_size(n) : 0);
    if (r == GOST_OK && n)
        r = pht_send_line(to, io, n);
    if (r != GOST_OK)
        return gost_fail(io, r, "a push could not be sent");
    gost_shut(to);
    return GOST_AGAIN;
}

/* ---- all together ---- */

static int dialed(struct pht_client *s, const struct pht_conf *c, struct gost_io *io,
                  const struct gost_event *ev)
{
    int r;

    if (ev->status != 0)
        return s->last ? GOST_OK : gost_fail(io, ev->status, "%s", ev->text ? ev->text : "");
    if (ev->tag == PORT_PUSH)
        return send_push(s, c, io);
    r = ask(s, c, io, ev->tag, 0);
    if (r != GOST_OK)
        return r;
    gost_shut(gost_port(io, ev->tag));
    s->pulling |= ev->tag == PORT_PULL;
    return GOST_AGAIN;
}

static int closed(struct pht_client *s, struct gost_io *io, const struct gost_event *ev)
{
    uint32_t needed = s->phase == CLIENT_TOKEN ? PORT_TOKEN : PORT_PULL;

    if (ev->port == 0) /* cut by our user: so is the tunnel */
        return GOST_OK;
    if (ev->port == needed && !s->ended)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the server is gone");
    if (ev->port == PORT_PUSH && s->push == PUSH_ANSWER)
        return s->last ? GOST_OK
                       : gost_fail(io, ev->status, "%s", ev->text ? ev->text : "a push was cut");
    return GOST_AGAIN;
}

static int step(struct pht_client *s, const struct pht_conf *c, struct gost_io *io,
                const struct gost_event *ev)
{
    int r = GOST_AGAIN;

    if (ev->type == GOST_EV_START)
        return gost_asked(gost_dial_below(io, PORT_TOKEN, PORT_TOKEN, 0));
    if (ev->type == GOST_EV_RESULT)
        r = dialed(s, c, io, ev);
    else if (ev->type == GOST_EV_CLOSED)
        r = closed(s, io, ev);
    if (r != GOST_AGAIN)
        return r;
    if (s->phase == CLIENT_TOKEN)
        return gost_port(io, PORT_TOKEN) ? take_token(s, io) : GOST_AGAIN;
    r = pull(s, io);
    return r == GOST_AGAIN ? push(s, io) : r;
}

/* At its end the pull is given up, and with it its connection. */
int pht_client_step(struct pht_client *s, const struct pht_conf *c, struct gost_io *io,
                    const struct gost_event *ev)
{
    int r = step(s, c, io, ev);

    if (r != GOST_AGAIN && s->pulling && gost_port(io, PORT_PULL))
        gost_abort(gost_port(io, PORT_PULL), 0);
    return r;
}
