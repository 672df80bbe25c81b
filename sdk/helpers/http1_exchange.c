/* http1_exchange.c - one request and its response: bodies in both directions, heads, the end. */
/* SPDX-License-Identifier: MIT */
#include "http1_port.h"

#define CLIENT   GOST_HTTP1_CLIENT
#define UPSTREAM GOST_HTTP1_UPSTREAM

/* Body bytes that are not all queued are left to the host's pump; it looks after full queues. */
struct mover {
    struct gost_io *from, *to;
    struct gost_http1_body *body;
    uint32_t tag, from_port, to_port;
    int ended; /* `from` sends no more than what is queued */
    int strip; /* drop chunk frames */
};

static int pump(struct gost_http1_exchange *x, struct gost_io *io, const struct mover *m,
                uint64_t n)
{
    int r = gost_pump(io, m->tag, m->from_port, m->to_port, n);

    if (r == GOST_OK)
        x->pumping |= (uint8_t)(1u << m->from_port);
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
static int move_body(struct gost_http1_exchange *x, struct gost_io *io, const struct mover *m)
{
    uint64_t n;
    size_t moved;
    int r;

    while (!gost_http1_body_done(m->body)) {
        if (gost_tx_room(m->to) == 0)
            return GOST_FULL;
        n = gost_http1_body_opaque(m->body);
        if (n > gost_rx_len(m->from))
            return pump(x, io, m, n);
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

static void arm_response_timeout(const struct gost_http1_how *how, struct gost_io *io)
{
    gost_phase(io, "the upstream's response");
    gost_set_deadline(io, how->read_timeout ? gost_now() + how->read_timeout : 0);
}

/* The request's head has gone to the upstream. */
void gost_http1_begin(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                      struct gost_io *io)
{
    x->got_head = 0;
    x->reader.line_ok = 0;
    x->reader.scanned = 0;
    memset(&x->down, 0, sizeof x->down);
    gost_phase(io, "the request body");
    gost_set_deadline(io, 0);
    if (gost_http1_body_done(&x->up))
        arm_response_timeout(how, io);
}

/* A pump ended. GOST_OK: go on. */
int gost_http1_pumped(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                      struct gost_io *io, const struct gost_event *ev)
{
    int up = ev->tag == how->tag_up;
    struct gost_http1_body *body = up ? &x->up : &x->down;
    uint32_t port = up ? CLIENT : UPSTREAM;
    const struct gost_result_pump *result = ev->result;

    x->pumping &= (uint8_t) ~(1u << port);
    if (ev->status == GOST_OK && result) {
        gost_http1_body_pass(body, result->moved);
        if (!result->eof)
            return GOST_OK;
        x->ended |= (uint8_t)(1u << port);
        if (gost_http1_body_end(body) == GOST_OK)
            return GOST_OK;
        if (up)
            return gost_fail(io, GOST_ECLOSED, "the client closed in the middle of a body");
        return gost_fail(io, GOST_ECLOSED, "the upstream closed in the middle of a body");
    }
    if (!up)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the response broke off");
    /* The upstream takes no more; its response may still come. */
    x->closing = 1;
    x->gone |= 1u << UPSTREAM;
    return GOST_OK;
}

static int upload(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                  struct gost_io *io)
{
    struct mover m = {io,       gost_port(io, UPSTREAM), &x->up, how->tag_up, CLIENT,
                      UPSTREAM, x->ended & 1u << CLIENT, 0};
    int r;

    if (gost_http1_body_done(&x->up))
        return GOST_OK;
    if ((x->pumping & 1u << CLIENT) || (x->gone & 1u << UPSTREAM) || !m.to)
        return GOST_AGAIN;
    r = move_body(x, io, &m);
    if (r == GOST_EPROTO)
        return gost_fail(io, r, "bad chunk in the request body");
    if (r < 0)
        return gost_fail(io, r, "the client closed in the middle of a body");
    if (r == GOST_OK && !x->got_head)
        arm_response_timeout(how, io);
    return r;
}

/* 101: both sides now speak something else. */
static int switch_protocol(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                           struct gost_io *io, const struct gost_http1_head *head)
{
    struct gost_http1_out out;
    int r;

    if (x->upgrade[0] == 0 || !gost_http1_is(gost_http1_get(head, "upgrade"), x->upgrade))
        return how->failed(how, io, GOST_EPROTO,
                           "the upstream switched to a protocol nobody asked for");
    r = gost_http1_out_new(&out, 256 + head->length + 4 * (size_t)head->n_fields);
    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for a response of %u bytes", (unsigned)head->length);
    gost_http1_put_response(&out, head, 1, GOST_HTTP1_PUT_UPGRADE);
    r = gost_http1_out_send(io, &out);
    gost_consume(gost_port(io, UPSTREAM), head->length);
    if (x->kept)
        gost_consume(io, x->head_n);
    gost_set_deadline(io, 0);
    x->switched = 1;
    if (r == GOST_OK)
        r = gost_relay(io, CLIENT, UPSTREAM, how->idle_timeout);
    return r == GOST_OK ? GOST_AGAIN : r;
}

/* What the final head means for the two connections; the flags it is to be written with. */
static uint32_t decide(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                       const struct gost_http1_head *head)
{
    int persistent = gost_http1_persistent(head);
    uint32_t strip = x->minor == 0 ? GOST_HTTP1_PUT_STRIP : 0;

    x->strip = strip && x->down.framing == GOST_HTTP1_CHUNKED;
    x->keep_upstream = how->keepalive && persistent && x->down.framing != GOST_HTTP1_CLOSE;
    if (x->down.framing == GOST_HTTP1_CLOSE || x->strip || !gost_http1_body_done(&x->up) ||
        !(how->keepalive || persistent))
        x->persistent = 0;
    if (x->closing)
        x->persistent = 0;
    if (x->single) {
        x->persistent = 0;
        return (head->status == 200 ? GOST_HTTP1_PUT_KEEP : GOST_HTTP1_PUT_CLOSE) | strip;
    }
    if (!x->persistent)
        return GOST_HTTP1_PUT_CLOSE | strip;
    return (x->minor == 0 ? GOST_HTTP1_PUT_KEEP : 0) | strip;
}

static int pass_head(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                     struct gost_io *io, const struct gost_http1_head *head)
{
    struct gost_http1_out out;
    uint32_t flags = 0;
    int interim = head->status < 200;
    int r;

    if (!interim) {
        flags = decide(x, how, head);
        x->got_head = 1;
        if (!x->single) /* a decoy's time is limited as a whole */
            gost_set_deadline(io, 0);
        gost_phase(io, "the end of the response");
        if (x->kept)
            gost_consume(io, x->head_n);
        x->kept = 0;
    }
    if (interim && (x->minor == 0 || x->single)) {
        gost_consume(gost_port(io, UPSTREAM), head->length);
        return GOST_OK;
    }
    r = gost_http1_out_new(&out, 256 + head->length + 4 * (size_t)head->n_fields);
    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for a response of %u bytes", (unsigned)head->length);
    gost_http1_put_response(&out, head, x->minor, flags);
    gost_consume(gost_port(io, UPSTREAM), head->length);
    return gost_http1_out_send(io, &out);
}

/* Read heads until the final one. GOST_OK: it has gone to the client, x->down is set. */
static int response_head(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                         struct gost_io *io)
{
    struct gost_io *up = gost_port(io, UPSTREAM);
    struct gost_bytes method = gost_bytes_str(x->is_head ? "HEAD" : "GET");
    struct gost_http1_head head;
    const char *why = NULL;
    int r;

    while (!x->got_head) {
        r = up ? gost_http1_read_head(up, &x->reader, 1, &head, &why) : GOST_AGAIN;
        if (r == GOST_AGAIN && (!up || gost_rx_eof(up) || (x->ended & 1u << UPSTREAM))) {
            if (x->reused && (!up || gost_rx_len(up) == 0))
                return how->repeat(how, io);
            return how->failed(how, io, GOST_ECLOSED, "the upstream closed without a response");
        }
        if (r == GOST_AGAIN)
            return r;
        if (r == GOST_OK && head.status >= 200)
            r = gost_http1_response_body(&x->down, &head, method, &why);
        if (r != GOST_OK)
            return how->failed(how, io, r, why);
        x->reader.line_ok = 0;
        x->reader.scanned = 0;
        x->reused = 0;
        if (head.status == 101)
            return switch_protocol(x, how, io, &head);
        r = pass_head(x, how, io, &head);
        if (r != GOST_OK)
            return r;
    }
    return GOST_OK;
}

static int download(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                    struct gost_io *io)
{
    struct mover m = {
        gost_port(io, UPSTREAM), io, &x->down, how->tag_down, UPSTREAM, CLIENT, 0, x->strip};
    int r;

    if (gost_http1_body_done(&x->down))
        return GOST_OK;
    if (x->pumping & 1u << UPSTREAM)
        return GOST_AGAIN;
    if (!m.from)
        return gost_fail(io, GOST_ECLOSED, "the upstream closed in the middle of a body");
    m.ended = x->ended & 1u << UPSTREAM;
    r = move_body(x, io, &m);
    if (r == GOST_EPROTO)
        return gost_fail(io, r, "bad chunk in the response body");
    return r < 0 ? gost_fail(io, r, "the upstream closed in the middle of a body") : r;
}

/* The response is complete. */
static int finish(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                  struct gost_io *io)
{
    /* An answer before the end of the upload: what follows in the client's queue is body. */
    if (!x->persistent || x->closing || !gost_http1_body_done(&x->up))
        return GOST_OK;
    return how->next(how, io);
}

int gost_http1_go_on(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                     struct gost_io *io)
{
    int up, down;

    up = upload(x, how, io);
    if (up < 0)
        return up;
    down = response_head(x, how, io);
    if (down != GOST_OK || x->switched)
        return down == GOST_AGAIN && up == GOST_FULL ? GOST_FULL : down;
    down = download(x, how, io);
    if (down == GOST_OK)
        return finish(x, how, io);
    return down == GOST_AGAIN && up == GOST_FULL ? GOST_FULL : down;
}

/* ---- the request ---- */

int gost_http1_take_facts(struct gost_http1_exchange *x, const struct gost_http1_head *head,
                          const char **ret_why)
{
    struct gost_bytes token = gost_http1_get(head, "upgrade");

    x->head_n = head->length;
    x->minor = (uint8_t)head->minor;
    x->is_head = (uint8_t)gost_http1_is(head->method, "HEAD");
    x->persistent = (uint8_t)gost_http1_persistent(head);
    x->upgrade[0] = 0;
    if (token.n && token.n < sizeof x->upgrade &&
        gost_http1_has_token(head, "connection", "upgrade")) {
        memcpy(x->upgrade, token.p, token.n);
        x->upgrade[token.n] = 0;
    }
    return gost_http1_request_body(&x->up, head, ret_why);
}

int gost_http1_again(const struct gost_http1_exchange *x, struct gost_io *io,
                     struct gost_http1_head *ret_head)
{
    const uint8_t *p = gost_peek(io, x->head_n);
    const char *why;

    if (!p || gost_http1_parse_request(ret_head, gost_bytes(p, x->head_n), &why) != GOST_OK)
        return gost_fail(io, GOST_EINTERNAL, "the request head is no longer queued");
    return GOST_OK;
}

/* 1: safe to send a second time (RFC 9110 section 9.2.2). */
static int may_repeat(const struct gost_http1_head *head)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", NULL};
    const char *const *m;

    for (m = methods; *m; m++)
        if (gost_http1_is(head->method, *m))
            return 1;
    return 0;
}

int gost_http1_send_request(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                            struct gost_io *io, const struct gost_http1_head *head,
                            struct gost_http1_out *out)
{
    int r;

    /* Without a body the head stays queued until the response: it can be sent again when a reused
     * upstream turns out to have closed. */
    x->kept = x->up.framing == GOST_HTTP1_NONE;
    if (!x->kept || !may_repeat(head))
        x->reused = 0;
    if (!x->kept)
        gost_consume(io, x->head_n);
    r = gost_http1_out_send(gost_port(io, UPSTREAM), out);
    if (r != GOST_OK && r != GOST_ECLOSED)
        return gost_fail(io, r, "the request could not be sent");
    if (r == GOST_ECLOSED) /* seen again, with what the upstream still said, in the exchange */
        x->ended |= 1u << UPSTREAM;
    gost_http1_begin(x, how, io);
    return gost_http1_go_on(x, how, io);
}

void gost_http1_reset(struct gost_http1_exchange *x)
{
    x->reader.line_ok = 0;
    x->reader.scanned = 0;
    x->got_head = x->reused = x->kept = x->strip = 0;
}
