/* http_exchange.c - one request and its response: bodies in both directions, heads, the end. */
/* SPDX-License-Identifier: MIT */
#include "http.h"

/* Body bytes that are not all queued are left to the host's pump; it looks after full queues. */
struct mover {
    struct gost_io *from, *to;
    struct gost_http1_body *body;
    uint32_t tag, from_port, to_port;
    int ended; /* `from` sends no more than what is queued */
    int strip; /* drop chunk frames */
};

static int pump(struct http_state *s, struct gost_io *io, const struct mover *m, uint64_t n)
{
    int r = gost_pump(io, m->tag, m->from_port, m->to_port, n);

    if (r == GOST_OK)
        s->pumping |= (uint8_t)(1u << m->from_port);
    return r == GOST_OK ? GOST_AGAIN : r;
}

/* Chunk frames. GOST_OK: go on; GOST_AGAIN: no bytes yet. */
static int move_frames(const struct mover *m)
{
    struct gost_bytes view = gost_rx(m->from);
    int used;

    if (view.n == 0)
        return m->ended ? gost_http1_body_end(m->body) : GOST_AGAIN;
    used = gost_http1_body_feed(m->body, view);
    if (used < 0)
        return used;
    if (m->strip)
        gost_consume(m->from, (size_t)used);
    else
        gost_move(m->to, m->from, (size_t)used);
    return GOST_OK;
}

/* GOST_OK: the body is over. GOST_AGAIN, GOST_FULL: later. */
static int move_body(struct http_state *s, struct gost_io *io, const struct mover *m)
{
    uint64_t n;
    size_t moved;
    int r;

    while (!gost_http1_body_done(m->body)) {
        if (gost_tx_room(m->to) == 0)
            return GOST_FULL;
        n = gost_http1_body_opaque(m->body);
        if (n > gost_rx_len(m->from))
            return pump(s, io, m, n);
        if (n > 0) {
            moved = gost_move(m->to, m->from, (size_t)n);
            gost_http1_body_pass(m->body, moved);
            if (moved == 0)
                return GOST_FULL;
            continue;
        }
        r = move_frames(m);
        if (r != GOST_OK)
            return r;
    }
    return GOST_OK;
}

static void arm_response_timeout(const struct http_conf *conf, struct gost_io *io)
{
    gost_phase(io, "the upstream's response");
    gost_set_deadline(io, conf->read_timeout ? gost_now() + conf->read_timeout : 0);
}

/* The request's head has gone to the upstream. */
void http_exchange_begin(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    s->phase = HTTP_EXCHANGE;
    s->got_head = 0;
    s->reader.line_ok = 0;
    s->reader.scanned = 0;
    memset(&s->down, 0, sizeof s->down);
    gost_phase(io, "the request body");
    gost_set_deadline(io, 0);
    if (gost_http1_body_done(&s->up))
        arm_response_timeout(conf, io);
}

/* A pump ended. GOST_OK: go on. */
int http_pumped(struct http_state *s, struct gost_io *io, const struct gost_event *ev)
{
    int up = ev->tag == HTTP_TAG_PUMP_UP;
    struct gost_http1_body *body = up ? &s->up : &s->down;
    uint32_t port = up ? HTTP_CLIENT : HTTP_UPSTREAM;
    const struct gost_result_pump *result = ev->result;

    s->pumping &= (uint8_t)~(1u << port);
    if (ev->status == GOST_OK && result) {
        gost_http1_body_pass(body, result->moved);
        if (!result->eof)
            return GOST_OK;
        s->ended |= (uint8_t)(1u << port);
        if (gost_http1_body_end(body) == GOST_OK)
            return GOST_OK;
        if (up)
            return gost_fail(io, GOST_ECLOSED, "the client closed in the middle of a body");
        return gost_fail(io, GOST_ECLOSED, "the upstream closed in the middle of a body");
    }
    if (!up)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the response broke off");
    /* The upstream takes no more; its response may still come. */
    s->closing = 1;
    s->gone |= 1u << HTTP_UPSTREAM;
    return GOST_OK;
}

static int upload(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    struct mover m = {io,  gost_port(io, HTTP_UPSTREAM), &s->up, HTTP_TAG_PUMP_UP, HTTP_CLIENT,
                      HTTP_UPSTREAM, s->ended & 1u << HTTP_CLIENT, 0};
    int r;

    if (gost_http1_body_done(&s->up))
        return GOST_OK;
    if ((s->pumping & 1u << HTTP_CLIENT) || (s->gone & 1u << HTTP_UPSTREAM) || !m.to)
        return GOST_AGAIN;
    r = move_body(s, io, &m);
    if (r == GOST_EPROTO)
        return gost_fail(io, r, "bad chunk in the request body");
    if (r < 0)
        return gost_fail(io, r, "the client closed in the middle of a body");
    if (r == GOST_OK && !s->got_head)
        arm_response_timeout(conf, io);
    return r;
}

/* 101: both sides now speak something else. */
static int switch_protocol(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                           const struct gost_http1_head *head)
{
    struct gost_http1_out out;
    int r;

    if (s->upgrade[0] == 0 || !gost_http1_is(gost_http1_get(head, "upgrade"), s->upgrade))
        return http_forward_failed(s, conf, io, GOST_EPROTO,
                                   "the upstream switched to a protocol nobody asked for");
    r = http_out_new(&out, 256 + head->length + 4 * (size_t)head->n_fields);
    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for a response of %u bytes", (unsigned)head->length);
    http_put_response(&out, head, 1, HTTP_PUT_UPGRADE);
    r = http_out_send(io, &out);
    gost_consume(gost_port(io, HTTP_UPSTREAM), head->length);
    if (s->kept)
        gost_consume(io, s->head_n);
    gost_set_deadline(io, 0);
    s->phase = HTTP_TUNNEL;
    if (r == GOST_OK)
        r = gost_relay(io, HTTP_CLIENT, HTTP_UPSTREAM, conf->idle_timeout);
    return r == GOST_OK ? GOST_AGAIN : r;
}

/* What the final head means for the two connections; the flags it is to be written with. */
static uint32_t decide(struct http_state *s, const struct http_conf *conf,
                       const struct gost_http1_head *head)
{
    int persistent = gost_http1_persistent(head);
    uint32_t strip = s->minor == 0 ? HTTP_PUT_STRIP : 0;

    s->strip = strip && s->down.framing == GOST_HTTP1_CHUNKED;
    s->keep_upstream = conf->keepalive && persistent && s->down.framing != GOST_HTTP1_CLOSE;
    if (s->down.framing == GOST_HTTP1_CLOSE || s->strip || !gost_http1_body_done(&s->up) ||
        !(conf->keepalive || persistent))
        s->persistent = 0;
    if (s->closing)
        s->persistent = 0;
    if (s->decoy) {
        s->persistent = 0;
        return (head->status == 200 ? HTTP_PUT_KEEP : HTTP_PUT_CLOSE) | strip;
    }
    if (!s->persistent)
        return HTTP_PUT_CLOSE | strip;
    return (s->minor == 0 ? HTTP_PUT_KEEP : 0) | strip;
}

static int pass_head(struct http_state *s, const struct http_conf *conf, struct gost_io *io,
                     const struct gost_http1_head *head)
{
    struct gost_http1_out out;
    uint32_t flags = 0;
    int interim = head->status < 200;
    int r;

    if (!interim) {
        flags = decide(s, conf, head);
        s->got_head = 1;
        if (!s->decoy) /* a decoy's time is limited as a whole */
            gost_set_deadline(io, 0);
        gost_phase(io, "the end of the response");
        if (s->kept)
            gost_consume(io, s->head_n);
        s->kept = 0;
    }
    if (interim && (s->minor == 0 || s->decoy)) {
        gost_consume(gost_port(io, HTTP_UPSTREAM), head->length);
        return GOST_OK;
    }
    r = http_out_new(&out, 256 + head->length + 4 * (size_t)head->n_fields);
    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for a response of %u bytes", (unsigned)head->length);
    http_put_response(&out, head, s->minor, flags);
    gost_consume(gost_port(io, HTTP_UPSTREAM), head->length);
    return http_out_send(io, &out);
}

/* Read heads until the final one. GOST_OK: it has gone to the client, s->down is set. */
static int response_head(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    struct gost_io *up = gost_port(io, HTTP_UPSTREAM);
    struct gost_bytes method = gost_bytes_str(s->is_head ? "HEAD" : "GET");
    struct gost_http1_head head;
    const char *why = NULL;
    int r;

    while (!s->got_head) {
        r = up ? http_read_head(up, &s->reader, 1, &head, &why) : GOST_AGAIN;
        if (r == GOST_AGAIN && (!up || gost_rx_eof(up) || (s->ended & 1u << HTTP_UPSTREAM))) {
            if (s->reused && (!up || gost_rx_len(up) == 0))
                return http_forward_repeat(s, io);
            return http_forward_failed(s, conf, io, GOST_ECLOSED,
                                       "the upstream closed without a response");
        }
        if (r == GOST_AGAIN)
            return r;
        if (r == GOST_OK && head.status >= 200)
            r = gost_http1_response_body(&s->down, &head, method, &why);
        if (r != GOST_OK)
            return http_forward_failed(s, conf, io, r, why);
        s->reader.line_ok = 0;
        s->reader.scanned = 0;
        s->reused = 0;
        if (head.status == 101)
            return switch_protocol(s, conf, io, &head);
        r = pass_head(s, conf, io, &head);
        if (r != GOST_OK)
            return r;
    }
    return GOST_OK;
}

static int download(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    struct mover m = {gost_port(io, HTTP_UPSTREAM), io, &s->down, HTTP_TAG_PUMP_DOWN,
                      HTTP_UPSTREAM, HTTP_CLIENT, 0, s->strip};
    int r;

    if (gost_http1_body_done(&s->down))
        return GOST_OK;
    if (s->pumping & 1u << HTTP_UPSTREAM)
        return GOST_AGAIN;
    if (!m.from)
        return gost_fail(io, GOST_ECLOSED, "the upstream closed in the middle of a body");
    m.ended = s->ended & 1u << HTTP_UPSTREAM;
    r = move_body(s, io, &m);
    if (r == GOST_EPROTO)
        return gost_fail(io, r, "bad chunk in the response body");
    return r < 0 ? gost_fail(io, r, "the upstream closed in the middle of a body") : r;
}

/* The response is complete. */
static int finish(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    /* An answer before the end of the upload: what follows in the client's queue is body. */
    if (!s->persistent || s->closing || !gost_http1_body_done(&s->up))
        return GOST_OK;
    if (!s->keep_upstream)
        http_upstream_close(s, io);
    return http_next_request(s, conf, io);
}

int http_exchange(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    int up, down;

    up = upload(s, conf, io);
    if (up < 0)
        return up;
    down = response_head(s, conf, io);
    if (down != GOST_OK || s->phase != HTTP_EXCHANGE)
        return down == GOST_AGAIN && up == GOST_FULL ? GOST_FULL : down;
    down = download(s, conf, io);
    if (down == GOST_OK)
        return finish(s, conf, io);
    return down == GOST_AGAIN && up == GOST_FULL ? GOST_FULL : down;
}
