/* smux.h - what the files of the smux layer share: its options, a session, a stream. */
/* SPDX-License-Identifier: MIT */
#ifndef SMUX_H
#define SMUX_H

#include <gost/plugin.h>

#include "smux_wire.h"

enum { SMUX_STREAM_BUFFER = 65536 }; /* unless options or the user of the layer say another */

struct smux_conf {
    uint32_t type;   /* of the words of mux.type: by it the host chose the layer */
    int64_t version; /* 0: not given */
    uint32_t no_keepalive;
    uint64_t interval_ns, timeout_ns;
    uint64_t frame_size, session_buffer, stream_buffer;
    uint64_t stream_window; /* yamux */
};

/* One session. */
struct smux_state {
    uint32_t version;
    uint64_t stream_buffer; /* window of a stream of version 2 */
    uint32_t next_id;
    uint32_t last;    /* 1: the ids are used up */
    uint32_t filling; /* the stream whose payload comes in */
    uint32_t left;    /* bytes of it still to come */
    uint32_t heard;   /* something came since the last check */
    uint32_t stopped; /* nothing is read: the session's buffer is full */
    uint64_t unread;  /* delivered to all streams and not yet consumed */
    uint64_t nop_at, check_at;
};

/* One stream; the data of its port. */
struct smux_stream {
    struct smux_window to;     /* version 2: what the peer takes */
    uint32_t consumed, untold; /* by our user: in all, since the last UPD; wraps */
    uint64_t unread;
    uint8_t fin_sent, fin_got;
};

/* ---- smux_turns.c ---- */

typedef void smux_turn_fn(const void *state, const void *conf, struct gost_io *io,
                          struct gost_io *port);

/* Encode: one frame of each stream in turn, while the wire has room. */
int smux_turns(const void *state, const void *conf, struct gost_io *io, smux_turn_fn *turn);

/* Up to *left bytes of a payload go to the stream as they come; port NULL: nobody reads them, they
 * are passed over. How many it took. */
size_t smux_deliver(struct gost_io *io, struct gost_io *port, uint32_t *left);

/* ---- smux_session.c ---- */

extern const struct gost_session_ops smux_session_ops;

void smux_frame(const struct smux_state *s, struct gost_io *io, enum smux_cmd cmd, uint32_t id,
                size_t length);
/* Gives a new port its stream. GOST_OK or GOST_ENOMEM. */
int smux_attach(const struct smux_state *s, struct gost_io *port);

/* ---- smux_step.c ---- */

extern const struct gost_layer_ops smux_layer_ops;

#endif
