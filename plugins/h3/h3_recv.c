/* h3_recv.c - requests and responses: frames of the peer, heads and bodies to the users. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "h3.h"

/* ---- heads ---- */

/* A client's new request. NULL: there is no room. */
static struct gost_io *accept_stream(struct h3 *h, struct h3_stream *st)
{
    struct gost_io *s = h->closing ? NULL : gost_stream_new(h->wire, st->id, 0);

    if (!s)
        return NULL;
    st->s = s;
    gost_set_data(s, st);
    return s;
}

/* The head is more than we take: said with 431 to a client, with a reset to a server. */
static int too_big(struct h3 *h, struct h3_stream *st)
{
    const struct gost_head head = {.size = sizeof head, .status = 431, .flags = GOST_HEAD_NO_BODY};

    gost_log(h->wire, GOST_LOG_DEBUG, "a head of more than %llu bytes or %u fields was refused",
             (unsigned long long)h->conf->max_header, GOST_BLOCK_FIELDS);
    if (!h3_bear(h, 5, "heads that are too big"))
        return GOST_EPROTO;
    if (h->client || st->s) {
        h3_stream_cut(st, H3_EXCESSIVE_LOAD);
        return GOST_END;
    }
    if (h3_send_head(h, st, &head) != GOST_OK)
        return gost_fail(h->wire, GOST_ENOMEM, "out of memory");
    gost_wire_leave(st->wire);
    h3_stream_free(st);
    return GOST_END;
}

static int malformed(struct h3 *h, struct h3_stream *st, const char *what)
{
    gost_log(h->wire, GOST_LOG_DEBUG, "a malformed message was refused: %s", what);
    if (!h3_bear(h, 5, "malformed messages"))
        return GOST_EPROTO;
    h3_stream_cut(st, H3_MESSAGE_ERROR);
    return GOST_END;
}

static int read_length(const struct gost_head *head, uint64_t *ret_n)
{
    uint64_t n = UINT64_MAX, v;
    uint32_t i;
    size_t k;

    for (i = 0; i < head->n_fields; i++) {
        struct gost_bytes b = head->fields[i].value;

        if (!gost_bytes_eq(head->fields[i].name, gost_bytes_str("content-length")))
            continue;
        if (b.n == 0 || b.n > 18)
            return GOST_EPROTO;
        for (v = 0, k = 0; k < b.n; k++) {
            if (b.p[k] < '0' || b.p[k] > '9')
                return GOST_EPROTO;
            v = v * 10 + (uint64_t)(b.p[k] - '0');
        }
        if (n != UINT64_MAX && n != v)
            return GOST_EPROTO;
        n = v;
    }
    *ret_n = n;
    return GOST_OK;
}

/* How long the body has to be. */
static int expect(struct h3_stream *st, const struct gost_head *head)
{
    uint64_t n;

    if (read_length(head, &n) != GOST_OK)
        return GOST_EPROTO;
    if (st->asks_head || head->status == 204 || head->status == 304 ||
        gost_bytes_eq(head->method, gost_bytes_str("CONNECT")))
        n = UINT64_MAX;
    st->expect = n;
    return GOST_OK;
}

static int deliver(struct h3 *h, struct h3_stream *st)
{
    struct gost_field *fields;
    struct gost_head head;
    int trailers = st->got_head, r = gost_block_head(&h->block, &head, &fields);

    if (r != GOST_OK)
        return gost_fail(h->wire, GOST_ENOMEM, "out of memory");
    if (trailers)
        head.flags = GOST_HEAD_TRAILERS;
    else if (head.status >= 100 && head.status < 200)
        head.flags = GOST_HEAD_INTERIM;
    if (!h->client && !trailers)
        st->asks_head = gost_bytes_eq(head.method, gost_bytes_str("HEAD"));
    if (!trailers && !(head.flags & GOST_HEAD_INTERIM) && expect(st, &head) != GOST_OK) {
        free(fields);
        return malformed(h, st, "a content-length that is none");
    }
    if (!st->s && !accept_stream(h, st)) {
        free(fields);
        if (!h3_bear(h, 1, "streams"))
            return GOST_EPROTO;
        h3_stream_cut(st, H3_REQUEST_REJECTED);
        return GOST_END;
    }
    st->got_trailers = (uint8_t)trailers;
    if (!(head.flags & GOST_HEAD_INTERIM))
        st->got_head = 1;
    r = gost_head_send(st->s, &head);
    free(fields);
    if (r == GOST_OK || r == GOST_ECLOSED)
        return GOST_OK;
    h3_stream_cut(st, H3_EXCESSIVE_LOAD);
    return GOST_END;
}

/* A whole HEADERS frame, or what it is too big for. */
static int got_headers(struct h3 *h, struct h3_stream *st, const struct h3_frame *f)
{
    size_t n = f->head + (size_t)f->length;
    const char *wrong;
    const uint8_t *p;
    int r;

    if (st->got_trailers)
        return h3_die(h, H3_FRAME_UNEXPECTED, "a head behind the trailers");
    if (f->length > h->conf->max_header)
        return too_big(h, st);
    p = gost_peek(st->wire, n);
    if (!p)
        return GOST_AGAIN;
    r = h3_head_decode(h->decoder, gost_bytes(p + f->head, (size_t)f->length), st->id,
                       (size_t)h->conf->max_header, &h->block);
    gost_consume(st->wire, n);
    if (r == GOST_ENOMEM)
        return gost_fail(h->wire, r, "out of memory");
    if (r != GOST_OK)
        return h3_die(h, H3_QPACK_DECOMPRESSION_FAILED, "a head that QPACK cannot read");
    if (h->block.too_big)
        return too_big(h, st);
    wrong = h3_head_check(&h->block, (int)h->client, st->got_head);
    return wrong ? malformed(h, st, wrong) : deliver(h, st);
}

/* ---- frames ---- */

static int got_frame(struct h3 *h, struct h3_stream *st, const struct h3_frame *f)
{
    switch (f->type) {
    case H3_HEADERS:
        return got_headers(h, st, f);
    case H3_DATA:
        if (!st->got_head || st->got_trailers)
            return h3_die(h, H3_FRAME_UNEXPECTED, "DATA before a head or behind the trailers");
        if (st->expect != UINT64_MAX && f->length > st->expect)
            return malformed(h, st, "a body longer than its content-length");
        if (st->expect != UINT64_MAX)
            st->expect -= f->length;
        st->left = f->length;
        break;
    case H3_PUSH_PROMISE:
        return h3_die(h, h->client ? H3_ID_ERROR : H3_FRAME_UNEXPECTED, "a push was promised");
    case H3_CANCEL_PUSH:
    case H3_SETTINGS:
    case H3_GOAWAY:
    case H3_MAX_PUSH_ID:
    case 0x02:
    case 0x06:
    case 0x08:
    case 0x09:
        return h3_die(h, H3_FRAME_UNEXPECTED, "a frame that a request must not have");
    default:
        if (!h3_bear(h, 1, "frames that mean nothing here"))
            return GOST_EPROTO;
        st->skip = f->length;
    }
    gost_consume(st->wire, f->head);
    return GOST_OK;
}

static int next_frame(struct h3 *h, struct h3_stream *st)
{
    size_t n = gost_rx_len(st->wire), k = n < 16 ? n : 16;
    const uint8_t *p = k ? gost_peek(st->wire, k) : NULL;
    struct h3_frame f;

    if (!p)
        return GOST_AGAIN;
    if (h3_frame_get(gost_bytes(p, k), &f) == GOST_OK)
        return got_frame(h, st, &f);
    gost_want(st->wire, n + 1);
    return GOST_AGAIN;
}

/* Bytes of the body. GOST_OK: the frame is through. GOST_FULL: the user has to read first. */
static int pass_data(struct h3_stream *st)
{
    size_t room = gost_tx_room(st->s), n;

    while (st->left > 0 && gost_rx_len(st->wire) > 0) {
        if (room == 0)
            return GOST_FULL;
        n = gost_rx_len(st->wire);
        n = n < st->left ? n : (size_t)st->left;
        n = gost_move(st->s, st->wire, n < room ? n : room);
        if (n == 0) { /* its user has let go of it */
            n = gost_rx_len(st->wire) < st->left ? gost_rx_len(st->wire) : (size_t)st->left;
            gost_consume(st->wire, n);
        }
        st->left -= n;
        room = gost_tx_room(st->s);
    }
    return st->left > 0 ? GOST_AGAIN : GOST_OK;
}

static void pass_over(struct h3_stream *st)
{
    size_t n = gost_rx_len(st->wire) < st->skip ? gost_rx_len(st->wire) : (size_t)st->skip;

    gost_consume(st->wire, n);
    st->skip -= n;
}

/* ---- ends ---- */

static int peer_ended(struct h3 *h, struct h3_stream *st)
{
    if (st->left > 0 || st->skip > 0 || gost_rx_len(st->wire) > 0)
        return h3_die(h, H3_FRAME_ERROR, "a stream ended in the middle of a frame");
    if (!st->got_head) {
        h3_stream_cut(st, H3_REQUEST_INCOMPLETE);
        return h3_bear(h, 5, "streams without a head") ? GOST_END : GOST_EPROTO;
    }
    if (st->expect != UINT64_MAX && st->expect != 0)
        return malformed(h, st, "a body shorter than its content-length");
    st->peer_ended = 1;
    gost_shut(st->s);
    return GOST_OK;
}

/* The peer reset the stream, or wants no more of it. */
static int look_at_state(struct h3 *h, struct h3_stream *st)
{
    uint64_t code = H3_REQUEST_CANCELLED;
    uint32_t state = gost_wire_state(st->wire, &code);

    if (state & GOST_WIRE_RESET) {
        uint32_t cost = h->client || st->head_sent ? 0 : 5;

        h3_stream_cut(st, code);
        return h3_bear(h, cost, "streams that it resets at once") ? GOST_END : GOST_EPROTO;
    }
    if ((state & GOST_WIRE_STOPPED) && !st->we_ended) {
        st->we_ended = 1;
        if (st->s)
            gost_stream_stop(st->s, code);
    }
    return GOST_OK;
}

/* News of a request's stream. GOST_OK or an error. */
int h3_recv(struct h3 *h, struct h3_stream *st)
{
    int r = GOST_OK;

    while (r == GOST_OK && !st->peer_ended) {
        if (st->left > 0) {
            r = pass_data(st);
        } else if (st->skip > 0 && gost_rx_len(st->wire) > 0) {
            pass_over(st);
        } else if (st->skip > 0) {
            break;
        } else {
            r = next_frame(h, st);
        }
    }
    if (r < 0 || r == GOST_END) /* GOST_END: the stream is gone */
        return r < 0 ? r : GOST_OK;
    if (r != GOST_FULL || (gost_wire_state(st->wire, NULL) & GOST_WIRE_STOPPED))
        r = look_at_state(h, st);
    else
        return GOST_OK;
    if (r != GOST_OK)
        return r < 0 ? r : GOST_OK;
    if (!st->peer_ended && st->left == 0 && gost_rx_eof(st->wire))
        r = peer_ended(h, st);
    else if (!st->peer_ended && st->left > 0 && gost_rx_len(st->wire) == 0 && gost_rx_eof(st->wire))
        r = peer_ended(h, st);
    return r < 0 ? r : GOST_OK;
}

/* ---- datagrams ---- */

/* What belongs to no stream we know is dropped: it may be early or late. */
int h3_recv_datagrams(struct h3 *h)
{
    struct gost_packet p;
    struct gost_io *s;
    uint64_t quarter;
    size_t n;

    while (gost_packet_recv(h->wire, &p) == GOST_OK) {
        if (!h->conf->datagrams)
            continue;
        n = h3_varint_get(p.data, &quarter);
        if (n == 0 || quarter >= 1ull << 60)
            return h3_die(h, H3_DATAGRAM_ERROR, "a datagram without a stream");
        s = gost_stream_port(h->wire, quarter * 4);
        if (s)
            (void)gost_session_datagram(h->wire, s, gost_bytes(p.data.p + n, p.data.n - n));
    }
    return GOST_OK;
}
