/* relay_bind.c - BIND: the streams of a listening port become streams of a session, both sides. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "relay.h"

#define MUX "1" /* the version of smux unless mux.version says another */

/* ---- server ---- */

enum { LISTEN = 1, VISITOR = 2, STREAM = 3 }; /* ports, and tags of the actions on them */
enum { SESSION = 4, CHILD = 5 };

int relay_bind_start(struct gost_io *io, uint32_t network, const struct gost_addr *addr)
{
    gost_phase(io, "the bind");
    return gost_asked(gost_bind(io, LISTEN, LISTEN, network, addr, 0));
}

static int next_visitor(struct gost_io *io)
{
    gost_phase(io, "a connection to the bound port");
    return gost_asked(gost_accept(io, VISITOR, VISITOR, LISTEN));
}

/* Who came is what the stream begins with. */
static int give_away(const struct gost_addr *peer, struct gost_io *io)
{
    gost_relay_respond(gost_port(io, STREAM), GOST_RELAY_OK, peer);
    return gost_asked(gost_spawn(io, CHILD, VISITOR, STREAM, "relay.visitor"));
}

/* The session may have no room for it: this one is lost, not the others. */
static int turn_away(struct gost_io *io, const struct gost_event *ev)
{
    if (ev->status == GOST_ECLOSED)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the session ended");
    if (gost_port(io, VISITOR))
        gost_abort(gost_port(io, VISITOR), 0);
    return next_visitor(io);
}

int relay_bind_result(struct gost_addr *peer, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_result_dial *res = ev->result;

    if (ev->status && ev->tag == LISTEN)
        return gost_relay_refuse(io, GOST_RELAY_UNAVAILABLE, ev->status,
                                 ev->text ? ev->text : "cannot listen");
    if (ev->status && (ev->tag == STREAM || ev->tag == CHILD))
        return turn_away(io, ev);
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the bind ended");
    switch (ev->tag) {
    case LISTEN:
        gost_relay_respond(io, GOST_RELAY_OK, &res->local);
        return gost_relay_session(io, SESSION, GOST_CLIENT, MUX);
    case SESSION:
    case CHILD:
        return next_visitor(io);
    case VISITOR:
        *peer = res->remote;
        return gost_asked(gost_stream_open(io, STREAM, STREAM, 0, 0));
    case STREAM:
        return give_away(peer, io);
    default:
        return GOST_AGAIN;
    }
}

const struct gost_handler_ops relay_visitor_ops = {
    .size = sizeof(struct gost_handler_ops), .accepts = GOST_STREAM, .step = gost_visitor_step};

/* ---- client ---- */

static void ask(const struct relay_client_conf *cf, struct gost_io *io)
{
    const struct gost_target *t = gost_target(io);
    uint8_t buf[GOST_RELAY_REQUEST_MAX];
    struct gost_relay_message m;

    memset(&m, 0, sizeof m);
    m.code = GOST_RELAY_BIND;
    m.network = t->network == GOST_NET_UNIX ? GOST_RELAY_UNIX : GOST_RELAY_TCP;
    m.has_auth = cf->user.n > 0;
    m.user = cf->user;
    m.password = cf->password;
    m.n_addr = 1;
    m.addr = t->addr;
    gost_send(io, buf, relay_put_request(buf, &m, 1));
    gost_wipe(buf, sizeof buf);
    gost_phase(io, "the relay's answer");
}

int relay_bind_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    static const struct gost_relay_binding how = {"relay", MUX, NULL};
    const struct relay_client_conf *cf = conf;
    struct relay_client *c = state;
    int r = gost_relay_common(io, ev, cf->timeout, how.peer);

    if (r != GOST_OK)
        return r;
    if (ev->type == GOST_EV_START) {
        ask(cf, io);
        return GOST_AGAIN;
    }
    return gost_relay_bind_step(&c->binder, &how, io, ev);
}
