/* http_handler.c - the handler's steps: read a request, ask for the login, decide what it wants. */
/* SPDX-License-Identifier: MIT */
#include "http.h"

/* CONNECT, forwarding, UDP, or a refusal. */
static int http_dispatch(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                         const struct gost_http1_head *head)
{
    struct http_target target;
    int r;

    if (gost_bytes_eq(gost_http1_get(head, "x-gost-protocol"), gost_bytes_str("udp")))
        return http_udp_start(s, conf, io);
    r = http_target_parse(&target, head);
    if (r == GOST_EUNSUPPORTED) {
        http_reply(io, conf, s->x.minor, 503, HTTP_REPLY_EMPTY);
        return gost_fail(io, GOST_EPROTO,
                         "the request is for a web server, not for a proxy: set "
                         "this address as the proxy of the client");
    }
    if (r != GOST_OK) {
        http_reply(io, conf, 1, 400, HTTP_REPLY_HEADERS);
        return gost_fail(io, GOST_EPROTO,
                         "the request target is neither host:port nor an "
                         "http:// URL");
    }
    if (!s->is_connect)
        return http_forward(s, conf, io, head, &target);
    http_upstream_close(s, io);
    s->upstream = target.addr;
    s->phase = HTTP_DIAL;
    gost_set_deadline(io, 0);
    gost_phase(io, "the target");
    return gost_dial(io, HTTP_TAG_DIAL, HTTP_UPSTREAM, GOST_NET_TCP, &s->upstream);
}

static int http_ask_auth(struct http_state *s, struct gost_io *io,
                         const struct gost_http1_head *head)
{
    struct gost_bytes user = gost_bytes(NULL, 0), secret = user;
    uint8_t buf[GOST_HTTP1_BASIC_MAX];
    int r;

    if (gost_http1_basic_parse(gost_http1_get(head, "proxy-authorization"), buf, &user, &secret) !=
        GOST_OK)
        user = secret = gost_bytes(NULL, 0);
    s->phase = HTTP_AUTH;
    gost_phase(io, "the auther");
    r = gost_auth(io, HTTP_TAG_AUTH, user, secret);
    gost_wipe(buf, sizeof buf);
    return r;
}

/* Phase HTTP_REQUEST. */
static int http_intake(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    struct gost_http1_head head;
    const char *why = NULL;
    int r;

    if (gost_rx_len(io) == 0 && (gost_rx_eof(io) || (s->x.ended & 1)))
        return GOST_OK;
    if (s->x.closing && gost_rx_len(io) == 0)
        return GOST_OK;
    r = gost_http1_read_head(io, &s->x.reader, 0, &head, &why);
    if (r == GOST_AGAIN && (s->x.ended & 1))
        return gost_fail(io, GOST_ECLOSED, "the client closed in the middle of a request head");
    if (r == GOST_OK)
        r = gost_http1_take_facts(&s->x, &head, &why);
    if (r < 0)
        return gost_fail(io, r, "bad request from the client: %s", why);
    if (r != GOST_OK)
        return r;
    s->is_connect = (uint8_t)gost_http1_is(head.method, "CONNECT");
    r = s->authed ? http_dispatch(s, conf, io, &head) : http_ask_auth(s, io, &head);
    return r == GOST_OK ? GOST_AGAIN : r;
}

/* The connection is ready for another request. */
int http_next_request(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    s->phase = HTTP_REQUEST;
    gost_http1_reset(&s->x);
    gost_phase(io, "the next request");
    if (conf->idle_timeout)
        gost_set_deadline(io, gost_now() + conf->idle_timeout);
    return http_intake(s, conf, io);
}

static int http_authed(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    struct gost_http1_head head;
    int r;

    if (ev->status != GOST_OK)
        return http_auth_failed(s, conf, io, ev);
    s->authed = 1;
    r = gost_http1_again(&s->x, io, &head);
    if (r == GOST_OK)
        r = http_dispatch(s, conf, io, &head);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int http_connect_dialed(struct http_state *s, const struct http_conf *conf,
                               struct gost_io *io, const struct gost_event *ev)
{
    struct gost_http1_out out;
    int r;

    if (ev->status != GOST_OK) {
        http_reply(io, conf, 1, ev->status == GOST_EDENIED ? 403 : 503,
                   HTTP_REPLY_AGENT | HTTP_REPLY_HEADERS);
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the target was not reached");
    }
    r = gost_http1_out_new(&out, 128 + strlen(conf->proxy_agent));
    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for the reply");
    http_put_established(&out, conf);
    r = gost_http1_out_send(io, &out);
    gost_consume(io, s->x.head_n);
    s->phase = HTTP_TUNNEL;
    if (r == GOST_OK && conf->sniffing)
        r = gost_inspect(io, HTTP_TAG_INSPECT, HTTP_CLIENT, "sniff");
    else if (r == GOST_OK)
        r = gost_relay(io, HTTP_CLIENT, HTTP_UPSTREAM, conf->idle_timeout);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int http_inspected(const struct http_conf *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    int r = ev->status;

    if (r != GOST_OK)
        return gost_fail(io, r, "%s", ev->text ? ev->text : "the first bytes are refused");
    r = gost_relay(io, HTTP_CLIENT, HTTP_UPSTREAM, conf->idle_timeout);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int http_result(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    struct gost_http1_how how;
    int r;

    switch (ev->tag) {
    case HTTP_TAG_AUTH:
        return http_authed(s, conf, io, ev);
    case HTTP_TAG_DIAL:
        return s->is_connect ? http_connect_dialed(s, conf, io, ev)
                             : http_forward_dialed(s, conf, io, ev);
    case HTTP_TAG_INSPECT:
        return http_inspected(conf, io, ev);
    case HTTP_TAG_PUMP_UP:
    case HTTP_TAG_PUMP_DOWN:
        how = http_how(s, conf);
        r = gost_http1_pumped(&s->x, &how, io, ev);
        return r == GOST_OK ? http_exchange(s, conf, io) : r;
    case HTTP_TAG_ASSOCIATE:
    case HTTP_TAG_CODEC:
        return http_udp_result(s, conf, io, ev);
    default:
        return http_decoy_result(s, conf, io, ev);
    }
}

static int http_deadline(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    if (s->phase == HTTP_REQUEST)
        return GOST_OK;
    if (s->phase == HTTP_DECOY || s->x.single)
        return s->x.got_head ? GOST_OK : http_decoy_503(io, conf);
    if (s->phase == HTTP_EXCHANGE && !s->x.got_head)
        return http_forward_failed(s, conf, io, GOST_ETIMEDOUT,
                                   "the upstream sent no response within readTimeout");
    return GOST_AGAIN;
}

int http_step(void *state, const void *conf_, struct gost_io *io, const struct gost_event *ev)
{
    const struct http_conf *conf = conf_;
    struct http_state *s = state;

    switch (ev->type) {
    case GOST_EV_START:
        gost_phase(io, "the request");
        break;
    case GOST_EV_RESULT:
        return http_result(s, conf, io, ev);
    case GOST_EV_DEADLINE:
        return http_deadline(s, conf, io);
    case GOST_EV_CLOSED:
        if (ev->port == HTTP_CLIENT)
            return s->phase == HTTP_REQUEST ? GOST_OK
                                            : gost_fail(io, GOST_ECLOSED, "the client went away");
        if (s->phase == HTTP_DIAL || s->phase == HTTP_DECOY)
            return GOST_AGAIN; /* the previous upstream; the new one is not there yet */
        s->x.gone |= (uint8_t)(1u << ev->port);
        s->x.ended |= (uint8_t)(1u << ev->port);
        break;
    case GOST_EV_EOF:
        if (ev->port == HTTP_UPSTREAM && s->phase == HTTP_DIAL)
            return GOST_AGAIN;
        s->x.ended |= (uint8_t)(1u << ev->port);
        break;
    case GOST_EV_CANCEL:
        s->x.closing = 1;
        break;
    default:
        break;
    }
    if (s->phase == HTTP_REQUEST)
        return http_intake(s, conf, io);
    if (s->phase == HTTP_EXCHANGE)
        return http_exchange(s, conf, io);
    return GOST_AGAIN;
}
