/* socks5_connector.c - the client: methods, authentication, CONNECT, UDP. */
/* SPDX-License-Identifier: MIT */
#include "socks5_client.h"

static int want_more(struct gost_io *io, const char *what)
{
    return gost_rx_eof(io)
               ? gost_fail(io, GOST_ECLOSED, "the proxy closed the connection before %s", what)
               : GOST_AGAIN;
}

static void send_offer(const struct socks5_connector_conf *cf, struct gost_io *io)
{
    uint8_t buf[6] = {5, 0};
    size_t n = 2;

    buf[n++] = SOCKS5_NO_AUTH;
    if (cf->user.n)
        buf[n++] = SOCKS5_USERPASS;
    if (!cf->notls)
        buf[n++] = SOCKS5_TLS;
    if (!cf->notls && cf->user.n)
        buf[n++] = SOCKS5_TLS_AUTH;
    buf[1] = (uint8_t)(n - 2);
    gost_send(io, buf, n);
}

static int on_method(struct socks5_client *c, const struct socks5_connector_conf *cf,
                     struct gost_io *io)
{
    const uint8_t *p = gost_take(io, 2);

    if (!p)
        return want_more(io, "it chose a method");
    c->method = p[1];
    if (p[0] != 5)
        return gost_fail(io, GOST_EPROTO, "the node does not speak SOCKS5 (first byte 0x%02x)",
                         p[0]);
    switch (p[1]) {
    case SOCKS5_NO_AUTH:
        c->phase = SOCKS5_CLIENT_REQUEST;
        return GOST_OK;
    case SOCKS5_USERPASS:
        c->phase = SOCKS5_CLIENT_USERPASS;
        return GOST_OK;
    case SOCKS5_TLS:
    case SOCKS5_TLS_AUTH:
        if (cf->notls)
            break;
        c->phase = SOCKS5_CLIENT_TLS;
        gost_phase(io, "the SOCKS5_CLIENT_TLS handshake inside socks5");
        return gost_asked(gost_upgrade(io, SOCKS5_CLIENT_TLS, SOCKS5_PROXY, GOST_CLIENT, "tls"));
    case SOCKS5_NONE:
        return gost_fail(io, GOST_EAUTH, "the proxy accepts none of our methods%s",
                         cf->user.n ? "" : ": it may want a user name and password");
    default:
        break;
    }
    return gost_fail(io, GOST_EPROTO, "the proxy chose method 0x%02x, which was not offered", p[1]);
}

static int on_auth_reply(struct socks5_client *c, struct gost_io *io)
{
    const uint8_t *p = gost_take(io, 2);

    if (!p)
        return want_more(io, "it answered the user name and password");
    if (p[1] != 0)
        return gost_fail(io, GOST_EAUTH, "the proxy refuses the user name or password");
    c->phase = SOCKS5_CLIENT_REQUEST;
    return GOST_OK;
}

void socks5_client_request(struct socks5_client *c, struct gost_io *io, uint8_t command,
                           const struct gost_addr *to)
{
    static const struct gost_addr none;
    uint8_t buf[SOCKS5_REQUEST_MAX];

    gost_send(io, buf, socks5_put_request(buf, command, to ? to : &none));
    gost_phase(io, "the socks5 reply");
    c->phase = SOCKS5_CLIENT_REPLY;
}

int socks5_take_reply(struct gost_io *io, uint8_t *ret_code, struct gost_addr *ret_addr)
{
    const uint8_t *p = gost_peek(io, 5);
    struct gost_addr addr;
    uint8_t code;
    int n;

    if (!p)
        return gost_rx_eof(io) ? GOST_ECLOSED : GOST_AGAIN;
    n = gost_socks_addr_size(gost_bytes(p + 3, 2));
    if (n <= 0)
        return GOST_EPROTO;
    p = gost_peek(io, 3 + (size_t)n);
    if (!p)
        return gost_rx_eof(io) ? GOST_ECLOSED : GOST_AGAIN;
    if (socks5_parse_request(gost_bytes(p, 3 + (size_t)n), &code, &addr) <= 0)
        return GOST_EPROTO;
    gost_consume(io, 3 + (size_t)n);
    *ret_code = code;
    *ret_addr = addr;
    return GOST_OK;
}

int socks5_client_reply(struct socks5_client *c, struct gost_io *io)
{
    uint8_t code;
    int r = socks5_take_reply(io, &code, &c->bound);

    if (r == GOST_AGAIN)
        return r;
    if (r == GOST_ECLOSED)
        return gost_fail(io, r, "the proxy closed the connection before its reply");
    if (r != GOST_OK)
        return gost_fail(io, r, "malformed reply");
    if (code != SOCKS5_OK)
        return gost_fail(io, socks5_error_of(code), "the proxy answers %u: %s", code,
                         socks5_reply_text(code));
    return GOST_OK;
}

int socks5_client_negotiate(struct socks5_client *c, const struct socks5_connector_conf *cf,
                            struct gost_io *io)
{
    uint8_t buf[SOCKS5_USERPASS_MAX];
    int r;

    for (;;) {
        switch (c->phase) {
        case SOCKS5_CLIENT_OFFER:
            send_offer(cf, io);
            gost_phase(io, "the socks5 method");
            c->phase = SOCKS5_CLIENT_METHOD;
            break;
        case SOCKS5_CLIENT_METHOD:
            if ((r = on_method(c, cf, io)) != GOST_OK)
                return r;
            break;
        case SOCKS5_CLIENT_USERPASS:
            gost_send(io, buf, socks5_put_userpass(buf, cf->user, cf->password));
            gost_wipe(buf, sizeof buf);
            gost_phase(io, "the answer to user name and password");
            c->phase = SOCKS5_CLIENT_AUTH_REPLY;
            break;
        case SOCKS5_CLIENT_AUTH_REPLY:
            if ((r = on_auth_reply(c, io)) != GOST_OK)
                return r;
            break;
        case SOCKS5_CLIENT_REQUEST:
            return GOST_OK;
        default:
            return GOST_AGAIN;
        }
    }
}

int socks5_client_common(struct socks5_client *c, const struct socks5_connector_conf *cf,
                         struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START && cf->timeout)
        gost_set_deadline(io, gost_now() + cf->timeout);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the proxy did not answer in time");
    if (ev->type == GOST_EV_RESULT && ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "failed");
    if (ev->type == GOST_EV_CLOSED && ev->port == SOCKS5_PROXY)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                         "the connection to the proxy broke");
    if (ev->type == GOST_EV_RESULT && c->phase == SOCKS5_CLIENT_TLS)
        c->phase = c->method == SOCKS5_TLS_AUTH ? SOCKS5_CLIENT_USERPASS : SOCKS5_CLIENT_REQUEST;
    return GOST_OK;
}

/* Packets through a UDP-TUN on the control stream. */
static int tun(struct socks5_client *c, const struct socks5_connector_conf *cf, struct gost_io *io,
               const struct gost_addr *peer)
{
    uint8_t to[GOST_SOCKS_ADDR_MAX];
    int fixed = peer && peer->family != GOST_AF_NONE;
    struct gost_bytes arg = gost_bytes(to, fixed ? gost_socks_addr_put(to, peer) : 0);

    c->phase = SOCKS5_CLIENT_CODEC;
    return gost_asked(gost_upgrade_arg(io, c->phase, 0, GOST_CLIENT, "socks5.tun", arg));
}

static int udp_socket(struct socks5_client *c, struct gost_io *io)
{
    struct gost_act_dial a;

    if (c->bound.family == GOST_AF_NONE || c->bound.port == 0)
        return gost_fail(io, GOST_EPROTO, "the proxy names no UDP port");
    c->phase = SOCKS5_CLIENT_UDP_DIAL;
    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, SOCKS5_CLIENT_UDP_DIAL, SOCKS5_UDP_PORT);
    a.network = GOST_NET_UDP;
    a.flags = GOST_DIAL_DIRECT | GOST_DIAL_NO_POLICY;
    a.addr = c->bound;
    return gost_asked(gost_act(io, &a.head));
}

static int packets_step(struct socks5_client *c, const struct socks5_connector_conf *cf,
                        struct gost_io *io, const struct gost_event *ev,
                        const struct gost_addr *peer)
{
    int r = socks5_client_common(c, cf, io, ev);

    if (r != GOST_OK)
        return r;
    if (ev->type == GOST_EV_RESULT && c->phase == SOCKS5_CLIENT_UDP_DIAL) {
        c->phase = SOCKS5_CLIENT_CODEC;
        return gost_asked(
            gost_upgrade(io, SOCKS5_CLIENT_CODEC, SOCKS5_UDP_PORT, GOST_CLIENT, "socks5.udp"));
    }
    if (ev->type == GOST_EV_RESULT && c->phase == SOCKS5_CLIENT_CODEC) {
        if (c->udp_relay)
            gost_result_port(io, SOCKS5_UDP_PORT);
        return GOST_OK;
    }
    r = socks5_client_negotiate(c, cf, io);
    if (r == GOST_OK) {
        c->udp_relay = cf->relay != 0;
        /* A port to listen at there is a wish of an association; one peer needs none. */
        socks5_client_request(c, io, c->udp_relay ? SOCKS5_UDP : SOCKS5_UDP_TUN,
                              peer || c->udp_relay ? NULL : &gost_target(io)->addr);
        return GOST_AGAIN;
    }
    if (r != GOST_AGAIN || c->phase != SOCKS5_CLIENT_REPLY)
        return r;
    r = socks5_client_reply(c, io);
    if (r != GOST_OK)
        return r;
    gost_bound(io, &c->bound);
    return c->udp_relay ? udp_socket(c, io) : tun(c, cf, io, peer);
}

static int associate_step(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    return packets_step(state, conf, io, ev, NULL);
}

static int connect_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct socks5_client *c = state;
    const struct socks5_connector_conf *cf = conf;
    const struct gost_target *t = gost_target(io);
    int r;

    if (t->network == GOST_NET_UDP)
        return packets_step(c, cf, io, ev, &t->addr);
    r = socks5_client_common(c, cf, io, ev);
    if (r == GOST_OK)
        r = socks5_client_negotiate(c, cf, io);
    if (r == GOST_OK) {
        socks5_client_request(c, io, SOCKS5_CONNECT, &t->addr);
        return GOST_AGAIN;
    }
    if (r != GOST_AGAIN || c->phase != SOCKS5_CLIENT_REPLY)
        return r;
    return socks5_client_reply(c, io);
}

const struct gost_connector_ops socks5_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UDP,
    .connect = connect_step,
    .associate = associate_step,
    .bind = socks5_bind_step,
};
