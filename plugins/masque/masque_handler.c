/* masque_handler.c - one request of a client: login, CONNECT or CONNECT-UDP. */
/* SPDX-License-Identifier: MIT */
#include "masque.h"

enum { TAG_AUTH = 1, TAG_DIAL, TAG_DATAGRAMS, TAG_CODEC, TAG_RELAY };

static const struct gost_field capsules = {{(const uint8_t *)"capsule-protocol", 16},
                                           {(const uint8_t *)"?1", 2}};

static int refuse(struct gost_io *io, const struct masque_conf *conf, uint32_t status)
{
    return gost_exchange_refuse(io, status, conf->challenge, NULL, 0);
}

static int bad_request(struct gost_io *io, const struct masque_conf *conf, uint32_t status,
                       const char *what)
{
    (void)refuse(io, conf, status);
    return gost_fail(io, GOST_EPROTO, "a request that is refused with %u: %s", (unsigned)status,
                     what);
}

static int got_request(struct masque_state *s, const struct masque_conf *conf, struct gost_io *io)
{
    int r = gost_exchange_request(io, &s->head);

    if (r != GOST_OK)
        return r;
    if (!gost_bytes_eq(s->head.method, gost_bytes_str("CONNECT")))
        return bad_request(io, conf, 405, "the method is not CONNECT");
    s->udp = s->head.protocol.n > 0;
    if (s->udp && !gost_bytes_eq(s->head.protocol, gost_bytes_str("connect-udp")))
        return bad_request(io, conf, 400, "the protocol is not connect-udp");
    s->phase = MASQUE_LOGIN;
    return gost_exchange_login(io, TAG_AUTH, &s->head);
}

/* The target of the request. NULL, or why there is none. */
static const char *find_target(struct masque_state *s)
{
    struct gost_bytes a = s->head.authority;

    if (s->udp && masque_path_parse(s->head.path, &s->target) != GOST_OK)
        return "its path is not /.well-known/masque/udp/HOST/PORT/";
    if (s->udp)
        return gost_bytes_eq(gost_head_get(&s->head, "capsule-protocol"), capsules.value)
                   ? NULL
                   : "it has no capsule-protocol: ?1";
    if (a.n == 0 || memchr(a.p, '@', a.n) ||
        gost_addr_parse(&s->target, (const char *)a.p, a.n, 443) != GOST_OK ||
        s->target.family == GOST_AF_NONE || s->target.port == 0)
        return "its authority is no HOST:PORT";
    return NULL;
}

static int authorized(struct masque_state *s, const struct masque_conf *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    const char *wrong;

    if (ev->status != GOST_OK) {
        (void)refuse(io, conf, 407);
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the login was refused");
    }
    wrong = find_target(s);
    if (wrong)
        return bad_request(io, conf, 400, wrong);
    s->phase = MASQUE_DIAL;
    gost_phase(io, "the target");
    return gost_asked(
        gost_dial(io, TAG_DIAL, MASQUE_TARGET, s->udp ? GOST_NET_UDP : GOST_NET_TCP, &s->target));
}

static int dialed(struct masque_state *s, const struct masque_conf *conf, struct gost_io *io,
                  const struct gost_event *ev)
{
    struct gost_head h = {.size = sizeof h, .status = 200};

    if (ev->status != GOST_OK) {
        (void)refuse(io, conf, ev->status == GOST_EDENIED ? 403 : 503);
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the target was not reached");
    }
    if (s->udp) {
        s->phase = MASQUE_CODEC;
        return gost_asked(gost_datagrams(io, TAG_DATAGRAMS, MASQUE_PACKETS, MASQUE_CLIENT));
    }
    s->phase = MASQUE_RELAY;
    if (gost_head_send(io, &h) != GOST_OK)
        return gost_fail(io, GOST_ECLOSED, "the client has gone");
    return gost_asked(gost_relay(io, MASQUE_CLIENT, MASQUE_TARGET, conf->read_timeout));
}

/* The datagrams of the stream are a port, or have their codec. */
static int prepared(struct masque_state *s, const struct masque_conf *conf, struct gost_io *io,
                    const struct gost_event *ev)
{
    struct gost_head h = {.size = sizeof h, .status = 200, .fields = &capsules, .n_fields = 1};

    if (ev->status != GOST_OK) {
        (void)refuse(io, conf, 400);
        return gost_fail(io, ev->status,
                         "the listener has no HTTP datagrams: use http3, with enableDatagrams");
    }
    if (ev->tag == TAG_DATAGRAMS)
        return gost_asked(gost_upgrade(io, TAG_CODEC, MASQUE_PACKETS, GOST_SERVER, "masque.udp"));
    s->phase = MASQUE_RELAY;
    if (gost_head_send(io, &h) != GOST_OK)
        return gost_fail(io, GOST_ECLOSED, "the client has gone");
    return gost_asked(gost_relay(io, MASQUE_PACKETS, MASQUE_TARGET, 0));
}

static int result(struct masque_state *s, const struct masque_conf *conf, struct gost_io *io,
                  const struct gost_event *ev)
{
    switch (ev->tag) {
    case TAG_AUTH:
        return authorized(s, conf, io, ev);
    case TAG_DIAL:
        return dialed(s, conf, io, ev);
    default:
        return prepared(s, conf, io, ev);
    }
}

/* Capsules on a stream of CONNECT-UDP: no type of them has to be known (RFC 9297 section 3.2), and
 * datagrams may get lost. The client's end is the tunnel's. */
static int stream_of_udp(struct gost_io *io)
{
    gost_consume(io, gost_rx_len(io));
    if (!gost_rx_eof(io))
        return GOST_AGAIN;
    gost_shut(io);
    return GOST_OK;
}

int masque_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct masque_state *s = state;

    switch (ev->type) {
    case GOST_EV_RESULT:
        return result(s, conf, io, ev);
    case GOST_EV_CANCEL:
    case GOST_EV_CLOSED:
        return gost_exchange_closed(io, ev);
    default:
        if (s->phase == MASQUE_REQUEST)
            return got_request(s, conf, io);
        return s->udp && s->phase == MASQUE_RELAY && ev->port == MASQUE_CLIENT ? stream_of_udp(io)
                                                                               : GOST_AGAIN;
    }
}
