/* yamux_session.c - what the host asks of a session: open, credit, reset, ping, goaway, closed. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "yamux.h"

void yamux_frame(struct gost_io *io, enum yamux_type type, uint32_t flags, uint32_t id,
                 uint32_t length)
{
    struct yamux_head head = {(uint8_t)type, (uint16_t)flags, id, length};
    uint8_t b[YAMUX_HEAD];

    yamux_head_put(b, &head);
    gost_send(io, b, sizeof b);
}

uint32_t yamux_more(const struct smux_conf *c)
{
    return (uint32_t)(c->stream_window - YAMUX_FIRST_WINDOW);
}

int yamux_attach(const struct smux_conf *c, struct gost_io *port, uint64_t to)
{
    struct yamux_stream *t = calloc(1, sizeof *t);

    if (!t)
        return GOST_ENOMEM;
    t->to = to;
    t->from = c->stream_window;
    gost_set_data(port, t);
    gost_stream_set_credit(port, to);
    return GOST_OK;
}

static int yamux_open(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                      uint32_t flags, uint64_t *ret_id)
{
    struct yamux_state *s = state;

    if (s->last) {
        gost_session_goaway(io); /* the ids are used up: the next session begins anew */
        return GOST_FULL;
    }
    if (yamux_attach(conf, port, YAMUX_FIRST_WINDOW) != GOST_OK)
        return GOST_ENOMEM;
    yamux_frame(io, YAMUX_WINDOW, YAMUX_SYN, s->next_id, yamux_more(conf));
    *ret_id = s->next_id;
    s->next_id += 2;
    s->last = s->next_id < 2;
    return GOST_OK;
}

static int yamux_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                        size_t n)
{
    const struct smux_conf *c = conf;
    struct yamux_stream *t = gost_data(port);
    struct yamux_state *s = state;

    s->unread -= n;
    t->unread -= n;
    t->untold += n;
    if (t->fin_got || t->untold < c->stream_window / 2)
        return GOST_OK;
    yamux_frame(io, YAMUX_WINDOW, 0, (uint32_t)gost_stream_id(port), (uint32_t)t->untold);
    t->from += t->untold;
    t->untold = 0;
    return GOST_OK;
}

/* A reset ends both directions at the peer, who may not have read all yet: where our end was sent,
 * it comes only if the peer goes on sending. */
static int yamux_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                       uint64_t code)
{
    const struct yamux_stream *t = gost_data(port);

    if (t->fin_sent)
        return GOST_OK;
    yamux_frame(io, YAMUX_WINDOW, YAMUX_RST, (uint32_t)gost_stream_id(port), 0);
    return GOST_OK;
}

static void yamux_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *port)
{
    struct yamux_state *s = state;
    struct yamux_stream *t = gost_data(port);

    if (!t)
        return;
    s->unread -= t->unread;
    gost_set_data(port, NULL);
    free(t);
}

void yamux_ping(struct yamux_state *s, struct gost_io *io)
{
    yamux_frame(io, YAMUX_PING, YAMUX_SYN, 0, ++s->ping_id);
}

static int ping(void *state, const void *conf, struct gost_io *io)
{
    yamux_ping(state, io);
    return GOST_OK;
}

static int goaway(void *state, const void *conf, struct gost_io *io)
{
    yamux_frame(io, YAMUX_GOAWAY, 0, 0, YAMUX_NORMAL);
    return GOST_OK;
}

const struct gost_session_ops yamux_session_ops = {
    .size = sizeof(struct gost_session_ops),
    .flags = GOST_SESSION_RESET,
    .open = yamux_open,
    .credit = yamux_credit,
    .reset = yamux_reset,
    .closed = yamux_closed,
    .ping = ping,
    .goaway = goaway,
};
