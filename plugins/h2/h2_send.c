/* h2_send.c - from the users of streams to nghttp2: heads, DATA, ends. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "h2.h"

#define QUANTUM 16384u /* DATA of one stream before the next one has its turn */

static int out_of_memory(struct h2 *h)
{
    return gost_fail(h->wire, GOST_ENOMEM, "out of memory");
}

/* ---- DATA ---- */

/* The trailers are due: they end the stream instead of an empty DATA frame. */
static ssize_t end_with_trailers(struct h2 *h, struct h2_stream *st, const struct gost_head *head,
                                 uint32_t *data_flags)
{
    struct gost_head trailers = *head;
    struct gost_field_list list;
    nghttp2_nv *nv;
    int r;

    trailers.flags |= GOST_HEAD_TRAILERS;
    if (h2_head_nv(&trailers, h->conf->profile, NULL, 0, &list, &nv) != GOST_OK)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    r = nghttp2_submit_trailer(h->ng, st->id, nv, list.n);
    free(nv);
    free(list.v);
    if (r)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    st->we_ended = 1;
    *data_flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return 0;
}

static ssize_t read_data(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t length,
                         uint32_t *data_flags, nghttp2_data_source *source, void *user_data)
{
    struct h2 *h = user_data;
    struct h2_stream *st = h2_stream_of(h, id);
    struct gost_head head;
    size_t n;

    if (!st)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    n = gost_rx_len(st->s);
    if (n > 0) {
        n = n < length ? n : length;
        n = st != h->turn ? 0 : n < h->quantum ? n : h->quantum;
        if (n == 0)
            return NGHTTP2_ERR_DEFERRED;
        h->quantum -= n;
        *data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        return (ssize_t)n;
    }
    if (gost_head_recv(st->s, &head) == GOST_OK)
        return end_with_trailers(h, st, &head, data_flags);
    if (!gost_rx_eof(st->s))
        return NGHTTP2_ERR_DEFERRED;
    st->we_ended = 1;
    *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    return 0;
}

int h2_send_data(nghttp2_session *ng, nghttp2_frame *frame, const uint8_t *framehd, size_t length,
                 nghttp2_data_source *source, void *user_data)
{
    struct h2 *h = user_data;
    struct h2_stream *st = h2_stream_of(h, frame->hd.stream_id);
    struct gost_bytes b;

    if (!st)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    gost_send(h->wire, framehd, 9);
    while (length > 0 && (b = gost_rx(st->s)).n > 0) {
        b.n = b.n < length ? b.n : length;
        gost_send(h->wire, b.p, b.n);
        gost_consume(st->s, b.n);
        length -= b.n;
    }
    return length == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* ---- heads ---- */

/* What Go's servers add to an answer; grpc-go does not. Returns how many of at most two. */
static uint32_t additions(const struct h2 *h, const struct h2_stream *st,
                          const struct gost_head *head, char *date, struct gost_field *more)
{
    uint32_t n = 0;

    if (head->status < 200 || h->conf->profile != H2_GO)
        return 0;
    if ((head->flags & GOST_HEAD_NO_BODY) && !st->asks_head && head->status != 204 &&
        head->status != 304 && !gost_head_has(head, "content-length")) {
        more[n].name = gost_bytes_str("content-length");
        more[n++].value = gost_bytes_str("0");
    }
    if (!gost_head_has(head, "date")) {
        gost_http_date(date, gost_unix_time() / GOST_S);
        more[n].name = gost_bytes_str("date");
        more[n++].value = gost_bytes_str(date);
    }
    return n;
}

static int submit(struct h2 *h, struct h2_stream *st, const struct gost_head *head, int has_body)
{
    nghttp2_data_provider body = {.source = {.ptr = NULL}, .read_callback = read_data};
    nghttp2_data_provider *p = has_body ? &body : NULL;
    char date[GOST_HTTP_DATE];
    struct gost_field_list list;
    nghttp2_nv *nv;
    int32_t r;
    struct gost_field more[2];
    uint32_t n_more = additions(h, st, head, date, more);

    if (h2_head_nv(head, h->conf->profile, more, n_more, &list, &nv) != GOST_OK)
        return NGHTTP2_ERR_NOMEM;
    if (head->status && (head->flags & GOST_HEAD_INTERIM)) {
        r = nghttp2_submit_headers(h->ng, NGHTTP2_FLAG_NONE, st->id, NULL, nv, list.n, NULL);
    } else if (head->status) {
        r = nghttp2_submit_response(h->ng, st->id, nv, list.n, p);
    } else {
        r = nghttp2_submit_request(h->ng, NULL, nv, list.n, p, st);
        if (r > 0)
            st->id = r;
    }
    free(nv);
    free(list.v);
    return r;
}

/* A head of the wrong kind, or an extension the peer does not know. NULL: fine. */
static const char *unfit(const struct h2 *h, const struct gost_head *head)
{
    if (h->client == (head->status != 0) || (head->flags & GOST_HEAD_TRAILERS))
        return "a head of the wrong kind was sent on a stream";
    if (head->protocol.n && h->client &&
        !nghttp2_session_get_remote_settings(h->ng, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL))
        return "the server does not know extended CONNECT (RFC 8441)";
    return NULL;
}

static int send_heads(struct h2 *h, struct h2_stream *st)
{
    struct gost_head head;
    const char *why;
    int r, has_body;

    while (!st->head_sent && gost_head_recv(st->s, &head) == GOST_OK) {
        why = unfit(h, &head);
        if (why) {
            gost_log(h->wire, GOST_LOG_WARN, "%s", why);
            st->head_sent = st->gone = 1;
            gost_stream_reset(st->s, NGHTTP2_INTERNAL_ERROR);
            return GOST_OK;
        }
        st->head_sent = !(head.flags & GOST_HEAD_INTERIM);
        has_body = st->head_sent && !(head.flags & GOST_HEAD_NO_BODY);
        r = submit(h, st, &head, has_body);
        if (r == NGHTTP2_ERR_NOMEM)
            return out_of_memory(h);
        if (r < 0) {
            gost_log(h->wire, GOST_LOG_DEBUG, "a head was not sent: %s", nghttp2_strerror(r));
            st->gone = 1;
            gost_stream_reset(st->s, NGHTTP2_REFUSED_STREAM);
            return GOST_OK;
        }
        if (st->head_sent && !has_body) {
            st->we_ended = 1;
            st->refusing = !h->client && !st->peer_ended;
        }
    }
    return GOST_OK;
}

/* Nobody at the other end reads it: a user who goes on sending learns so. */
static void drop(struct h2_stream *st)
{
    struct gost_head head;
    size_t n = gost_rx_len(st->s);

    gost_consume(st->s, n);
    while (gost_head_recv(st->s, &head) == GOST_OK)
        ;
    (void)gost_rx_eof(st->s);
    if (n > 0 && st->cut_at)
        gost_stream_reset(st->s, NGHTTP2_CANCEL);
}

/* One stream's turn: its heads, then at most a quantum of its body. GOST_OK, GOST_FULL or an
 * error. */
int h2_stream_send(struct h2 *h, struct h2_stream *st)
{
    int r = GOST_OK;

    if (st->gone) {
        drop(st);
        return GOST_OK;
    }
    if (!st->head_sent) {
        r = send_heads(h, st);
        if (r != GOST_OK || st->gone)
            return r;
        if (!st->head_sent && (gost_rx_len(st->s) > 0 || gost_rx_eof(st->s))) {
            gost_log(h->wire, GOST_LOG_DEBUG, "a stream ended before its head");
            if (st->id)
                (void)nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, st->id,
                                                NGHTTP2_INTERNAL_ERROR);
            st->gone = 1;
            gost_stream_reset(st->s, NGHTTP2_INTERNAL_ERROR);
            return GOST_OK;
        }
    } else if (!st->we_ended) {
        (void)nghttp2_session_resume_data(h->ng, st->id); /* if it was not waiting: no matter */
    }
    h->turn = st;
    h->quantum = QUANTUM;
    r = h2_flush(h);
    h->turn = NULL;
    return r;
}
