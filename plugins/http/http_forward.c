/* http_forward.c - forwarding: reach the request's upstream and send it the head. */
/* SPDX-License-Identifier: MIT */
#include "http.h"

/* The upstream failed before a response. Ends the connection; returns a negative code. */
int http_forward_failed(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                        int code, const char *text)
{
    if (s->x.single)
        return http_decoy_503(io, conf);
    if (code == GOST_EDENIED)
        http_reply(io, conf, s->x.minor, 403, HTTP_REPLY_AGENT | HTTP_REPLY_HEADERS);
    else
        http_reply(io, conf, s->x.minor, 503, HTTP_REPLY_EMPTY);
    return gost_fail(io, code, "%s", text);
}

static int send_request(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                        const struct gost_http1_head *head, const struct http_target *target)
{
    struct gost_http1_how how;
    struct gost_http1_out out;
    uint32_t flags = s->x.upgrade[0]   ? GOST_HTTP1_PUT_UPGRADE
                     : conf->keepalive ? 0
                                       : GOST_HTTP1_PUT_CLOSE;
    int r = gost_http1_out_new(&out, 256 + head->length + 4 * (size_t)head->n_fields +
                                         2 * target->authority.n);

    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for a request of %u bytes", (unsigned)head->length);
    http_put_request(&out, head, target, flags);
    s->phase = HTTP_EXCHANGE;
    how = http_how(s, conf);
    r = gost_http1_send_request(&s->x, &how, io, head, &out);
    if (s->x.switched)
        s->phase = HTTP_TUNNEL;
    return r;
}

static int upstream_usable(const struct http_state *s, struct gost_io *io,
                           const struct gost_addr *addr)
{
    struct gost_io *up = s->connected ? gost_port(io, HTTP_UPSTREAM) : NULL;

    if (!up || (s->x.ended & 1u << HTTP_UPSTREAM) || gost_rx_eof(up) || gost_rx_len(up))
        return 0;
    return gost_addr_equal(&s->upstream, addr);
}

/* Finish with the upstream; a new dial takes its port. */
void http_upstream_close(struct http_state *s, struct gost_io *io)
{
    struct gost_io *up = s->connected ? gost_port(io, HTTP_UPSTREAM) : NULL;

    if (up)
        gost_shut(up);
    s->connected = 0;
}

static int dial(struct http_state *s, struct gost_io *io)
{
    http_upstream_close(s, io);
    s->x.reused = 0;
    s->phase = HTTP_DIAL;
    gost_phase(io, "the upstream");
    gost_set_deadline(io, 0);
    return gost_dial(io, HTTP_TAG_DIAL, HTTP_UPSTREAM, GOST_NET_TCP, &s->upstream);
}

int http_forward(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                 const struct gost_http1_head *head, const struct http_target *target)
{
    if (upstream_usable(s, io, &target->addr)) {
        s->x.reused = 1;
        return send_request(s, conf, io, head, target);
    }
    s->upstream = target->addr;
    return dial(s, io);
}

/* A reused upstream closed without an answer: once more on a new connection. */
int http_forward_repeat(struct http_state *s, struct gost_io *io)
{
    int r = dial(s, io);

    return r == GOST_OK ? GOST_AGAIN : r;
}

int http_forward_dialed(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct gost_http1_head head;
    struct http_target target;
    int r;

    if (ev->status != GOST_OK)
        return http_forward_failed(s, conf, io, ev->status,
                                   ev->text ? ev->text : "the upstream was not reached");
    s->connected = 1;
    s->x.ended &= (uint8_t) ~(1u << HTTP_UPSTREAM);
    s->x.gone &= (uint8_t) ~(1u << HTTP_UPSTREAM);
    r = gost_http1_again(&s->x, io, &head);
    if (r == GOST_OK && http_target_parse(&target, &head) != GOST_OK)
        r = gost_fail(io, GOST_EINTERNAL, "the request target changed while it was queued");
    return r == GOST_OK ? send_request(s, conf, io, &head, &target) : r;
}
