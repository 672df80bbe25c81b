/* ss_handler.c - the server of streams: a target's address, then the target. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "ss.h"

enum phase { CODEC, ADDRESS, DIAL, SNIFF, RELAY };
enum { CLIENT = 0, TARGET = 1 };

/* The header is the client's word, proven by its key: errors from here on are told. */
static int on_address(struct ss_step *s, const struct ss_conf *cf, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, 2);
    int n = p ? gost_socks_addr_size(gost_bytes(p, 2)) : 0;

    if (n < 0)
        return gost_fail(io, n, "unknown address type 0x%02x in the header", p[0]);
    if (n > 0)
        p = gost_peek(io, (size_t)n);
    if (!p)
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "the header ended early") : GOST_AGAIN;
    if (gost_socks_addr_parse(&s->target, gost_bytes(p, (size_t)n)) <= 0 ||
        s->target.family == GOST_AF_NONE)
        return gost_fail(io, GOST_EPROTO, "the header names no target");
    gost_consume(io, (size_t)n);
    gost_set_deadline(io, 0);
    gost_phase(io, "the connection to the target");
    s->phase = DIAL;
    return gost_asked(gost_dial(io, DIAL, TARGET, GOST_NET_TCP, &s->target));
}

static int on_result(struct ss_step *s, const struct ss_conf *cf, struct gost_io *io,
                     const struct gost_event *ev)
{
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed");
    if (s->phase == DIAL && cf->sniffing) {
        s->phase = SNIFF;
        return gost_asked(gost_inspect(io, SNIFF, CLIENT, "sniff"));
    }
    if (s->phase == DIAL || s->phase == SNIFF) {
        s->phase = RELAY;
        return gost_asked(gost_relay(io, CLIENT, TARGET, 0));
    }
    s->phase = ADDRESS;
    gost_phase(io, "the target's address");
    if (cf->timeout)
        gost_set_deadline(io, gost_now() + cf->timeout);
    return on_address(s, cf, io);
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct ss_step *s = state;
    const struct ss_conf *cf = conf;
    struct ss_arg arg;

    switch (ev->type) {
    case GOST_EV_START:
        memset(&arg, 0, sizeof arg);
        arg.keys = cf->made;
        arg.timeout_ns = cf->timeout;
        return ss_upgrade(io, CODEC, GOST_SERVER, "ss.stream", &arg);
    case GOST_EV_RESULT:
        return on_result(s, cf, io, ev);
    case GOST_EV_DEADLINE:
        return gost_fail(io, GOST_ETIMEDOUT, "the client did not send its header in time");
    case GOST_EV_CLOSED:
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the connection ended");
    default:
        return s->phase == ADDRESS ? on_address(s, cf, io) : GOST_AGAIN;
    }
}

const struct gost_handler_ops ss_handler_ops = {sizeof ss_handler_ops, GOST_STREAM, step, NULL};
