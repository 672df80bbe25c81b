/* relay_port.c - relay messages on a port: taking them, and the client's side of a BIND. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "relay_message.h"

/* GOST_OK: a whole message is queued, parsed with its views; *ret_n is its length. */
static int look(struct gost_io *io, struct gost_relay_message *m, size_t *ret_n)
{
    const uint8_t *p = gost_peek(io, GOST_RELAY_HEAD);
    int n;

    if (!p)
        return gost_rx_eof(io) ? GOST_ECLOSED : GOST_AGAIN;
    n = gost_relay_head(p);
    if (n < 0)
        return GOST_EPROTO;
    if (GOST_RELAY_HEAD + (size_t)n > GOST_PEEK_MAX)
        return GOST_ETOOBIG;
    p = gost_peek(io, GOST_RELAY_HEAD + (size_t)n);
    if (!p)
        return gost_rx_eof(io) ? GOST_ECLOSED : GOST_AGAIN;
    memset(m, 0, sizeof *m);
    m->code = p[1];
    *ret_n = GOST_RELAY_HEAD + (size_t)n;
    return gost_relay_features(m, gost_bytes(p + GOST_RELAY_HEAD, (size_t)n));
}

int gost_relay_take(struct gost_io *io, struct gost_relay_message *ret_message)
{
    struct gost_relay_message m;
    size_t n = 0;
    int r = look(io, &m, &n);

    if (r != GOST_OK)
        return r;
    m.user = m.password = gost_bytes(NULL, 0);
    gost_consume(io, n);
    *ret_message = m;
    return GOST_OK;
}

static uint8_t first_byte(struct gost_io *io)
{
    struct gost_bytes view = gost_rx(io);

    return view.n ? *view.p : 0;
}

int gost_relay_answer(struct gost_io *io, const char *peer, struct gost_relay_message *ret_message)
{
    uint8_t byte = first_byte(io);
    int r = gost_relay_take(io, ret_message);

    if (r == GOST_AGAIN)
        return r;
    if (r == GOST_ECLOSED)
        return gost_fail(io, r, "the %s closed the connection before its answer", peer);
    if (r != GOST_OK)
        return gost_fail(
            io, r, "the node's answer is none of the relay protocol (first byte 0x%02x)", byte);
    if (ret_message->code != GOST_RELAY_OK)
        return gost_fail(io, gost_relay_error(ret_message->code), "the %s answers %u: %s", peer,
                         ret_message->code, gost_relay_text(ret_message->code));
    return GOST_OK;
}

int gost_relay_peek_request(struct gost_io *io, struct gost_relay_message *ret_message,
                            size_t *ret_n)
{
    uint8_t byte = first_byte(io);
    int whole = gost_rx_len(io) >= GOST_RELAY_HEAD, r = look(io, ret_message, ret_n);

    gost_phase(io, "the request");
    if (r == GOST_ECLOSED)
        return gost_fail(io, r, "the client left %s its request",
                         whole ? "in the middle of" : "before");
    if (r == GOST_ETOOBIG)
        return gost_fail(io, r, "a request of more than %d bytes", GOST_PEEK_MAX);
    if (r == GOST_EPROTO && byte != 1)
        return gost_fail(io, r, "not a relay request (first byte 0x%02x)", byte);
    if (r == GOST_EPROTO)
        return gost_fail(io, r, "malformed features in a relay request");
    return r;
}

int gost_relay_request(struct gost_io *io, uint32_t tag, struct gost_relay_message *ret_message)
{
    struct gost_relay_message m;
    size_t n;
    int r = gost_relay_peek_request(io, &m, &n);

    if (r != GOST_OK)
        return r;
    r = gost_auth(io, tag, m.user, m.password);
    gost_consume(io, n);
    m.user = m.password = gost_bytes(NULL, 0);
    *ret_message = m;
    return r == GOST_OK ? GOST_OK : GOST_EINTERNAL;
}

void gost_relay_respond(struct gost_io *io, uint8_t status, const struct gost_addr *addr)
{
    uint8_t buf[GOST_RELAY_RESPONSE_MAX];

    gost_send(io, buf, gost_relay_put_response(buf, status, addr));
}

int gost_relay_refuse(struct gost_io *io, uint8_t status, int error, const char *text)
{
    gost_relay_respond(io, status, NULL);
    return gost_fail(io, error, "%s", text ? text : gost_relay_text(status));
}

/* ---- the client of a BIND ---- */

enum { CODEC = 16, SESSION = 32 }; /* tags: CODEC + port, the session's; below: ports of ACCEPT */
enum phase { ANSWER, UPGRADE, SERVING };

static int serve_port(struct gost_io *io, uint32_t port)
{
    return gost_asked(gost_accept(io, port, port, 0));
}

static int hand_on(const struct gost_relay_binder *b, struct gost_io *io, uint32_t port)
{
    gost_accepted(io, gost_port(io, port), &b->peer[port]);
    return serve_port(io, port);
}

static int discard(struct gost_io *io, uint32_t port)
{
    if (gost_port(io, port))
        gost_abort(gost_port(io, port), 0);
    return serve_port(io, port);
}

/* The head of a stream says who came; what follows is theirs. */
static int on_stream(struct gost_relay_binder *b, const struct gost_relay_binding *how,
                     struct gost_io *io, uint32_t port)
{
    struct gost_io *s = port <= GOST_RELAY_HEADS ? gost_port(io, port) : NULL;
    struct gost_relay_message m;
    int r;

    if (!s || b->coding & 1u << port)
        return GOST_AGAIN;
    r = gost_relay_take(s, &m);
    if (r == GOST_AGAIN)
        return GOST_AGAIN;
    if (r != GOST_OK || m.code != GOST_RELAY_OK)
        return discard(io, port); /* of no use; the next one may be */
    b->peer[port] = m.addr;
    if (!how->codec)
        return hand_on(b, io, port);
    b->coding |= (uint8_t)(1u << port);
    return gost_asked(gost_upgrade(io, CODEC + port, port, GOST_CLIENT, how->codec));
}

static int on_codec(struct gost_relay_binder *b, struct gost_io *io, const struct gost_event *ev)
{
    uint32_t port = ev->tag - CODEC;

    b->coding &= (uint8_t) ~(1u << port);
    return ev->status || !gost_port(io, port) ? discard(io, port) : hand_on(b, io, port);
}

static int on_result(struct gost_relay_binder *b, const struct gost_relay_binding *how,
                     struct gost_io *io, const struct gost_event *ev)
{
    uint32_t i;
    int r = GOST_AGAIN;

    if (ev->tag > CODEC && ev->tag <= CODEC + GOST_RELAY_HEADS)
        return on_codec(b, io, ev);
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the session ended");
    if (ev->tag != SESSION)
        return on_stream(b, how, io, ev->tag);
    b->phase = SERVING;
    for (i = 1; i <= GOST_RELAY_HEADS && r == GOST_AGAIN; i++)
        r = serve_port(io, i);
    return r;
}

/* Roles are reversed: the peer opens the streams. */
static int on_answer(struct gost_relay_binder *b, const struct gost_relay_binding *how,
                     struct gost_io *io)
{
    struct gost_relay_message m;
    int r = gost_relay_answer(io, how->peer, &m);

    if (r != GOST_OK)
        return r;
    gost_set_deadline(io, 0);
    gost_bound(io, &m.addr);
    b->phase = UPGRADE;
    return gost_relay_session(io, SESSION, GOST_SERVER, how->session);
}

int gost_relay_bind_step(struct gost_relay_binder *b, const struct gost_relay_binding *how,
                         struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_RESULT)
        return on_result(b, how, io, ev);
    if (b->phase == ANSWER)
        return on_answer(b, how, io);
    return b->phase == SERVING && ev->port != 0 ? on_stream(b, how, io, ev->port) : GOST_AGAIN;
}

int gost_relay_session(struct gost_io *io, uint32_t tag, uint32_t role, const char *session)
{
    gost_phase(io, "the session on the bound connection");
    return gost_asked(gost_upgrade_arg(io, tag, 0, role, "smux", gost_bytes_str(session)));
}

int gost_relay_common(struct gost_io *io, const struct gost_event *ev, uint64_t timeout_ns,
                      const char *peer)
{
    if (ev->type == GOST_EV_START && timeout_ns)
        gost_set_deadline(io, gost_now() + timeout_ns);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the %s did not answer in time", peer);
    if (ev->type == GOST_EV_CLOSED && ev->port == 0)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                         "the connection to the %s broke", peer);
    return GOST_OK;
}

int gost_visitor_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    return ev->type == GOST_EV_START ? gost_asked(gost_relay(io, 0, 1, 0)) : GOST_AGAIN;
}
