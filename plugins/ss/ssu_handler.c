/* ssu_handler.c - the server of datagrams: sealed packets, or GOST's frames inside a stream. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "ss.h"

enum phase { STREAM, ADDRESS, FRAMES, PACKETS, FIRST, ASSOCIATE, RELAY };
enum { CLIENT = 0, OUT = 1 };

static int start(struct ss_step *s, const struct ss_conf *cf, struct gost_io *io)
{
    struct ss_arg arg;

    memset(&arg, 0, sizeof arg);
    arg.keys = cf->made;
    arg.timeout_ns = cf->timeout;
    if (gost_io_type(io) == GOST_DATAGRAM) {
        s->phase = PACKETS;
        return ss_upgrade(io, PACKETS, GOST_SERVER, "ss.packet", &arg);
    }
    s->phase = STREAM;
    return ss_upgrade(io, STREAM, GOST_SERVER, "ss.stream", &arg);
}

/* Every frame names its own target: the header's is passed over, as GOST does. */
static int on_address(struct ss_step *s, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, 2);
    int n = p ? gost_socks_addr_size(gost_bytes(p, 2)) : 0;

    if (n < 0)
        return gost_fail(io, n, "unknown address type 0x%02x in the header", p[0]);
    if (!p || gost_rx_len(io) < (size_t)n) {
        gost_want(io, p ? (size_t)n : 2);
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "the header ended early") : GOST_AGAIN;
    }
    gost_consume(io, (size_t)n);
    gost_set_deadline(io, 0);
    s->phase = FRAMES;
    return gost_asked(gost_upgrade(io, FRAMES, CLIENT, GOST_SERVER, "ss.frames"));
}

static int associate(struct ss_step *s, struct gost_io *io)
{
    s->phase = ASSOCIATE;
    return gost_asked(gost_associate(io, ASSOCIATE, OUT));
}

/* A stranger's datagram must not cost a socket: wait for one that is authentic. */
static int on_first(struct ss_step *s, struct gost_io *io)
{
    if (gost_rx_len(io))
        return associate(s, io);
    return gost_rx_eof(io) ? GOST_OK : GOST_AGAIN; /* none came; the codec has said what did */
}

static int on_result(struct ss_step *s, const struct ss_conf *cf, struct gost_io *io,
                     const struct gost_event *ev)
{
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed");
    switch (s->phase) {
    case STREAM:
        s->phase = ADDRESS;
        if (cf->timeout)
            gost_set_deadline(io, gost_now() + cf->timeout);
        return on_address(s, io);
    case FRAMES:
        return associate(s, io);
    case PACKETS:
        s->phase = FIRST;
        return on_first(s, io);
    default:
        s->phase = RELAY;
        return gost_asked(gost_relay(io, CLIENT, OUT, 0));
    }
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct ss_step *s = state;
    const struct ss_conf *cf = conf;

    switch (ev->type) {
    case GOST_EV_START:
        return start(s, cf, io);
    case GOST_EV_RESULT:
        return on_result(s, cf, io, ev);
    case GOST_EV_DEADLINE:
        return gost_fail(io, GOST_ETIMEDOUT, "the client did not send its header in time");
    case GOST_EV_CLOSED:
        if (s->phase == FIRST && !ev->status)
            return GOST_OK;
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the connection ended");
    default:
        if (s->phase == ADDRESS)
            return on_address(s, io);
        return s->phase == FIRST ? on_first(s, io) : GOST_AGAIN;
    }
}

const struct gost_handler_ops ssu_handler_ops = {sizeof ssu_handler_ops,
                                                 GOST_STREAM | GOST_DATAGRAM, step, NULL};
