/* yamux.h - what the files of the yamux layer share: a session, a stream. */
/* SPDX-License-Identifier: MIT */
#ifndef YAMUX_H
#define YAMUX_H

#include "smux.h"
#include "yamux_wire.h"

/* Unread bytes of all streams at which reading stops. */
#define YAMUX_UNREAD_MAX (16u << 20)

/* One session. */
struct yamux_state {
    uint32_t next_id;
    uint32_t last;             /* 1: the ids are used up */
    uint32_t filling;          /* the stream whose payload comes in */
    uint32_t left;             /* bytes of it still to come */
    uint32_t fin;              /* 1: it ends behind them */
    uint32_t ping_id;          /* of the last one that was sent */
    uint64_t unread;           /* delivered to all streams and not yet consumed */
    uint64_t ping_at, pong_by; /* 0: none */
};

/* One stream; the data of its port. */
struct yamux_stream {
    uint64_t to;           /* what the peer lets us send */
    uint64_t from, untold; /* what the peer may send; consumed since the last update */
    uint64_t unread;
    uint8_t fin_sent, fin_got;
};

/* ---- yamux_session.c ---- */

extern const struct gost_session_ops yamux_session_ops;

void yamux_frame(struct gost_io *io, enum yamux_type type, uint32_t flags, uint32_t id,
                 uint32_t length);
/* Gives a new port its stream. GOST_OK or GOST_ENOMEM. */
int yamux_attach(const struct smux_conf *c, struct gost_io *port, uint64_t to);
/* What a stream gets above the first window. */
uint32_t yamux_more(const struct smux_conf *c);
void yamux_ping(struct yamux_state *s, struct gost_io *io);

/* ---- yamux_step.c ---- */

extern const struct gost_layer_ops yamux_layer_ops;

#endif
