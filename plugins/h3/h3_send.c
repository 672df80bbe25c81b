/* h3_send.c - from the users of streams to the wire: heads, DATA, ends. */
/* SPDX-License-Identifier: MIT */
#include "h3.h"

#define DATA_MAX 16384u /* of one frame */

/* GOST_OK or GOST_ENOMEM. A head without a body ends our half. */
int h3_send_head(struct h3 *h, struct h3_stream *st, const struct gost_head *head)
{
    nghttp3_buf prefix, body;
    uint8_t frame[16];
    size_t n, a, b;
    int r = h3_head_encode(h->encoder, head, st->id, &prefix, &body);

    if (r != GOST_OK)
        return r;
    a = (size_t)(prefix.last - prefix.pos);
    b = (size_t)(body.last - body.pos);
    n = h3_frame_put(frame, H3_HEADERS, a + b);
    r = gost_send(st->wire, frame, n);
    if (r == GOST_OK)
        r = gost_send(st->wire, prefix.pos, a);
    if (r == GOST_OK && b > 0)
        r = gost_send(st->wire, body.pos, b);
    nghttp3_buf_free(&prefix, nghttp3_mem_default());
    nghttp3_buf_free(&body, nghttp3_mem_default());
    if (r == GOST_OK && (head->flags & GOST_HEAD_NO_BODY)) {
        st->we_ended = 1;
        gost_shut(st->wire);
    }
    return r == GOST_ECLOSED ? GOST_OK : r;
}

/* A head of the wrong kind, or an extension the peer does not know. NULL: fine. */
static const char *unfit(const struct h3 *h, const struct h3_stream *st,
                         const struct gost_head *head)
{
    if (st->head_sent)
        return NULL; /* trailers */
    if (h->client == (head->status != 0) || (head->flags & GOST_HEAD_TRAILERS))
        return "a head of the wrong kind was sent on a stream";
    if (head->protocol.n && h->client && !h->peer.connect_protocol)
        return "the server does not know extended CONNECT (RFC 9220)";
    return NULL;
}

static void refuse(struct h3 *h, struct h3_stream *st, const char *why)
{
    gost_log(h->wire, GOST_LOG_WARN, "%s", why);
    h3_stream_cut(st, H3_INTERNAL_ERROR);
}

/* GOST_OK; GOST_END: the stream was given up; or an error. */
static int send_heads(struct h3 *h, struct h3_stream *st)
{
    struct gost_head head;
    const char *why;
    int r;

    while (!st->we_ended && gost_head_recv(st->s, &head) == GOST_OK) {
        why = unfit(h, st, &head);
        if (why) {
            refuse(h, st, why);
            return GOST_END;
        }
        if (st->head_sent)
            head.flags |= GOST_HEAD_TRAILERS | GOST_HEAD_NO_BODY;
        if (h->client && !st->head_sent)
            st->asks_head = gost_bytes_eq(head.method, gost_bytes_str("HEAD"));
        st->head_sent |= !(head.flags & GOST_HEAD_INTERIM);
        r = h3_send_head(h, st, &head);
        if (r != GOST_OK)
            return gost_fail(h->wire, GOST_ENOMEM, "out of memory");
    }
    return GOST_OK;
}

/* GOST_OK; GOST_FULL: the wire has to take something first. */
static int send_body(struct h3_stream *st)
{
    uint8_t frame[16];
    size_t n, room;

    while ((n = gost_rx_len(st->s)) > 0) {
        room = gost_tx_room(st->wire);
        if (room == 0)
            return GOST_FULL;
        n = n < room ? n : room;
        n = n < DATA_MAX ? n : DATA_MAX;
        if (gost_send(st->wire, frame, h3_frame_put(frame, H3_DATA, n)) != GOST_OK ||
            gost_move(st->wire, st->s, n) != n)
            return GOST_ECLOSED;
    }
    return GOST_OK;
}

/* Nobody takes it any more. */
static void drop(struct h3_stream *st)
{
    struct gost_head head;

    gost_consume(st->s, gost_rx_len(st->s));
    while (gost_head_recv(st->s, &head) == GOST_OK)
        ;
    (void)gost_rx_eof(st->s);
}

/* What a user has to send. GOST_OK or an error. */
int h3_send(struct h3 *h, struct h3_stream *st)
{
    int r;

    if (!st->wire || st->we_ended) {
        drop(st);
        return GOST_OK;
    }
    r = send_heads(h, st);
    if (r != GOST_OK)
        return r < 0 ? r : GOST_OK;
    if (!st->head_sent && (gost_rx_len(st->s) > 0 || gost_rx_eof(st->s))) {
        refuse(h, st, "a stream ended before its head");
        return GOST_OK;
    }
    r = st->we_ended ? GOST_OK : send_body(st);
    if (r == GOST_FULL) {
        st->waits = 1;
        gost_stream_set_credit(st->s, 0);
        return GOST_OK;
    }
    if (r == GOST_OK) /* trailers stand behind the body */
        r = send_heads(h, st);
    if (r != GOST_OK || st->we_ended)
        return r == GOST_END || r == GOST_ECLOSED ? GOST_OK : r;
    if (gost_rx_eof(st->s)) {
        st->we_ended = 1;
        gost_shut(st->wire);
    }
    return GOST_OK;
}
