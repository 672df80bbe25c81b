/* smux_session.c - what the host asks of a session: open, credit, reset, closed. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "smux.h"

void smux_frame(const struct smux_state *s, struct gost_io *io, enum smux_cmd cmd, uint32_t id,
                size_t length)
{
    struct smux_head head = {(uint8_t)s->version, (uint8_t)cmd, (uint16_t)length, id};
    uint8_t b[SMUX_HEAD];

    smux_head_put(b, &head);
    gost_send(io, b, sizeof b);
}

int smux_attach(const struct smux_state *s, struct gost_io *port)
{
    struct smux_stream *t = calloc(1, sizeof *t);

    if (!t)
        return GOST_ENOMEM;
    t->to.size = SMUX_FIRST_WINDOW;
    gost_set_data(port, t);
    gost_stream_set_credit(port, s->version == 2 ? SMUX_FIRST_WINDOW : UINT64_MAX);
    return GOST_OK;
}

static int smux_open(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                     uint32_t flags, uint64_t *ret_id)
{
    struct smux_state *s = state;

    if (s->last) {
        gost_session_goaway(io); /* the ids are used up: the next session begins anew */
        return GOST_FULL;
    }
    if (smux_attach(s, port) != GOST_OK)
        return GOST_ENOMEM;
    smux_frame(s, io, SMUX_SYN, s->next_id, 0);
    *ret_id = s->next_id;
    s->next_id += 2;
    s->last = s->next_id < 2;
    return GOST_OK;
}

static void tell_window(struct smux_state *s, struct gost_io *io, struct gost_io *port,
                        struct smux_stream *t)
{
    uint8_t body[SMUX_UPD_BODY];

    smux_frame(s, io, SMUX_UPD, (uint32_t)gost_stream_id(port), SMUX_UPD_BODY);
    smux_upd_put(body, t->consumed, (uint32_t)s->stream_buffer);
    gost_send(io, body, sizeof body);
    t->untold = 0;
}

static int smux_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                       size_t n)
{
    struct smux_stream *t = gost_data(port);
    struct smux_state *s = state;
    int first = t->consumed == 0 && t->untold == 0;

    s->unread -= n;
    t->unread -= n;
    t->consumed += (uint32_t)n;
    t->untold += (uint32_t)n;
    /* The first one shrinks the window that the peer assumed; GOST does the same. */
    if (s->version == 2 && !t->fin_got && (first || t->untold >= s->stream_buffer / 2))
        tell_window(s, io, port, t);
    return GOST_OK;
}

/* There is no reset on this wire: a FIN ends both directions. */
static int smux_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                      uint64_t code)
{
    struct smux_stream *t = gost_data(port);

    if (!t->fin_sent)
        smux_frame(state, io, SMUX_FIN, (uint32_t)gost_stream_id(port), 0);
    t->fin_sent = 1;
    return GOST_OK;
}

static void smux_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *port)
{
    struct smux_state *s = state;
    struct smux_stream *t = gost_data(port);

    if (!t)
        return;
    s->unread -= t->unread;
    gost_set_data(port, NULL);
    free(t);
}

const struct gost_session_ops smux_session_ops = {
    .size = sizeof(struct gost_session_ops),
    .flags = GOST_SESSION_RESET,
    .open = smux_open,
    .credit = smux_credit,
    .reset = smux_reset,
    .closed = smux_closed,
};
