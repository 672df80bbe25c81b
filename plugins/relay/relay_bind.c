/* relay_bind.c - BIND: the streams of a listening port become streams of a session, both sides. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "relay.h"

/* The connection becomes a session. Roles are reversed: the server opens the streams. */
static int become_session(struct gost_io *io, uint32_t tag, uint32_t role)
{
    /* version 1 unless mux.version says another */
    gost_phase(io, "the session on the bound connection");
    return gost_asked(gost_upgrade_arg(io, tag, 0, role, "smux", gost_bytes("1", 1)));
}

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
    uint8_t buf[RELAY_RESPONSE_MAX];

    gost_send(gost_port(io, STREAM), buf, relay_put_response(buf, RELAY_OK, peer));
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
    uint8_t buf[RELAY_RESPONSE_MAX];

    if (ev->status && ev->tag == LISTEN) {
        gost_send(io, buf, relay_put_response(buf, RELAY_UNAVAILABLE, NULL));
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "cannot listen");
    }
    if (ev->status && (ev->tag == STREAM || ev->tag == CHILD))
        return turn_away(io, ev);
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the bind ended");
    switch (ev->tag) {
    case LISTEN:
        gost_send(io, buf, relay_put_response(buf, RELAY_OK, &res->local));
        return become_session(io, SESSION, GOST_CLIENT);
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

/* A visitor and its stream. */
static int visitor_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    return ev->type == GOST_EV_START ? gost_asked(gost_relay(io, 0, 1, 0)) : GOST_AGAIN;
}

const struct gost_handler_ops relay_visitor_ops = {
    .size = sizeof(struct gost_handler_ops), .accepts = GOST_STREAM, .step = visitor_step};

/* ---- client ---- */

enum { FIRST = 1, LAST = 6 }; /* ports of streams whose head is awaited */
enum client_phase { ASK, ANSWER, UPGRADE, SERVING };

static int ask(const struct relay_client_conf *cf, struct gost_io *io)
{
    const struct gost_target *t = gost_target(io);
    uint8_t buf[RELAY_REQUEST_MAX];
    struct relay_message m;

    memset(&m, 0, sizeof m);
    m.code = RELAY_BIND;
    m.network = t->network == GOST_NET_UNIX ? RELAY_UNIX : RELAY_TCP;
    m.has_auth = cf->user.n > 0;
    m.user = cf->user;
    m.password = cf->password;
    m.has_addr = 1;
    m.addr = t->addr;
    gost_send(io, buf, relay_put_request(buf, &m, 1));
    gost_wipe(buf, sizeof buf);
    gost_phase(io, "the relay's answer");
    return GOST_AGAIN;
}

static int serve_port(struct gost_io *io, uint32_t port)
{
    return gost_asked(gost_accept(io, port, port, 0));
}

/* The head of a stream says who came; what follows is theirs. */
static int on_stream(struct gost_io *io, uint32_t port)
{
    struct gost_io *s = gost_port(io, port);
    struct relay_message m;
    int r = s ? relay_take(s, &m) : GOST_AGAIN;

    if (r == GOST_AGAIN)
        return GOST_AGAIN;
    if (r != GOST_OK || m.code != RELAY_OK) { /* this one is of no use; the next one may be */
        gost_abort(s, 0);
        return serve_port(io, port);
    }
    gost_accepted(io, s, &m.addr);
    return serve_port(io, port);
}

static int on_result(struct relay_client *c, struct gost_io *io, const struct gost_event *ev)
{
    uint32_t i;
    int r = GOST_AGAIN;

    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the session ended");
    if (c->phase != UPGRADE)
        return on_stream(io, ev->tag);
    c->phase = SERVING;
    for (i = FIRST; i <= LAST && r == GOST_AGAIN; i++)
        r = serve_port(io, i);
    return r;
}

static int on_answer(struct relay_client *c, struct gost_io *io)
{
    struct relay_message m;
    int r = relay_answer(io, &m);

    if (r != GOST_OK)
        return r;
    gost_set_deadline(io, 0);
    gost_bound(io, &m.addr);
    c->phase = UPGRADE;
    return become_session(io, SESSION, GOST_SERVER);
}

int relay_bind_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct relay_client *c = state;
    const struct relay_client_conf *cf = conf;

    if (ev->type == GOST_EV_START && cf->timeout)
        gost_set_deadline(io, gost_now() + cf->timeout);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the relay did not answer in time");
    if (ev->type == GOST_EV_CLOSED && ev->port == 0)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                         "the connection to the relay broke");
    if (ev->type == GOST_EV_RESULT)
        return on_result(c, io, ev);
    if (c->phase == ASK) {
        c->phase = ANSWER;
        return ask(cf, io);
    }
    if (c->phase == ANSWER)
        return on_answer(c, io);
    return c->phase == SERVING && ev->port != 0 ? on_stream(io, ev->port) : GOST_AGAIN;
}
