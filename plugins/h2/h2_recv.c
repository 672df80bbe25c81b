/* h2_recv.c - what nghttp2 tells: frames, heads and bodies of the peer, and bounds on its whims. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "h2.h"

#define BLOCK_FRAMES  16u   /* HEADERS and CONTINUATION of one block */
#define PATIENCE_RATE 100u  /* what a peer may annoy us with in each second */
#define OUTBOUND_MAX  4000u /* frames that wait for a peer that reads nothing */
#define EARLY_RESET   5u    /* what each of them costs */

nghttp2_session_callbacks *h2_callbacks;

/* 0: the peer has worn our patience out, and the session ends. */
static int bear(struct h2 *h, uint32_t cost, const char *what)
{
    uint64_t now = gost_now(), more = (now - h->patience_at) * PATIENCE_RATE / GOST_S;
    char why[100];

    if (more > 0) {
        h->patience = h->patience + more < H2_PATIENCE ? h->patience + more : H2_PATIENCE;
        h->patience_at = now;
    }
    if (h->patience >= cost) {
        h->patience -= cost;
        return 1;
    }
    snprintf(why, sizeof why, "the peer floods us with %s", what);
    h2_die(h, NGHTTP2_ENHANCE_YOUR_CALM, why);
    return 0;
}

static int on_begin_frame(nghttp2_session *ng, const nghttp2_frame_hd *hd, void *user_data)
{
    struct h2 *h = user_data;

    h->heard_at = gost_now();
    h->ping_at = 0;
    gost_session_alive(h->wire);
    if (hd->type == NGHTTP2_CONTINUATION && ++h->block.parts > BLOCK_FRAMES)
        h2_die(h, NGHTTP2_ENHANCE_YOUR_CALM, "the peer cuts a head into too many pieces");
    if (hd->type == NGHTTP2_PRIORITY || hd->type > NGHTTP2_CONTINUATION)
        (void)bear(h, 1, "frames that mean nothing here");
    if (nghttp2_session_get_outbound_queue_size(ng) > OUTBOUND_MAX)
        h2_die(h, NGHTTP2_ENHANCE_YOUR_CALM, "the peer asks for answers and reads none");
    return h->dead_at ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* ---- heads ---- */

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *user_data)
{
    struct h2 *h = user_data;

    if (frame->hd.type == NGHTTP2_PUSH_PROMISE)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    gost_block_begin(&h->block);
    return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags,
                     void *user_data)
{
    struct h2 *h = user_data;

    gost_block_add(&h->block, gost_bytes(name, name_n), gost_bytes(value, value_n),
                   h->conf->max_header);
    return 0;
}

static int refuse(struct h2 *h, int32_t id, uint32_t code)
{
    return nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, id, code) ? NGHTTP2_ERR_NOMEM : 0;
}

/* The head is more than we take: said with 431 to a client, with a reset to a server. */
static int too_big(struct h2 *h, int32_t id)
{
    static const nghttp2_nv nv = {(uint8_t *)(uintptr_t) ":status", (uint8_t *)(uintptr_t) "431", 7,
                                  3, NGHTTP2_NV_FLAG_NONE};
    struct h2_stream *st = h2_stream_of(h, id);

    gost_log(h->wire, GOST_LOG_DEBUG, "a head of more than %llu bytes or %u fields was refused",
             (unsigned long long)h->conf->max_header, GOST_BLOCK_FIELDS);
    if (!h->client && !st)
        return nghttp2_submit_response(h->ng, id, &nv, 1, NULL) ? NGHTTP2_ERR_NOMEM : 0;
    if (st) {
        st->gone = 1;
        gost_stream_reset(st->s, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    return refuse(h, id, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* A client's new stream. NULL: none to be had, it was refused. */
static struct h2_stream *accept_stream(struct h2 *h, int32_t id)
{
    struct gost_io *s = h->closing ? NULL : gost_stream_new(h->wire, (uint64_t)id, 0);
    struct h2_stream *st;

    if (!s)
        return NULL;
    st = h2_stream_new(h, s);
    if (!st) {
        gost_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
        return NULL;
    }
    st->id = id;
    gost_set_data(s, st);
    (void)nghttp2_session_set_stream_user_data(h->ng, id, st);
    h2_stream_window(h, st);
    return st;
}

static uint32_t flags_of(const struct h2_stream *st, const struct gost_head *head, int last)
{
    uint32_t flags = last ? GOST_HEAD_NO_BODY : 0;

    if (st->got_head)
        return flags | GOST_HEAD_TRAILERS;
    return head->status >= 100 && head->status < 200 ? flags | GOST_HEAD_INTERIM : flags;
}

static int deliver(struct h2 *h, struct h2_stream *st, int last)
{
    struct gost_field *fields;
    struct gost_head head;
    int r = gost_block_head(&h->block, &head, &fields);

    if (r == GOST_OK) {
        head.flags = flags_of(st, &head, last);
        st->asks_head |= gost_bytes_eq(head.method, gost_bytes_str("HEAD"));
        r = gost_head_send(st->s, &head);
        free(fields);
        if (!(head.flags & GOST_HEAD_INTERIM))
            st->got_head = 1;
    }
    if (r == GOST_ECLOSED)
        return 0; /* its user has let go of it */
    if (r == GOST_OK)
        return 0;
    st->gone = 1;
    gost_stream_reset(st->s, NGHTTP2_ENHANCE_YOUR_CALM);
    return refuse(h, st->id, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int got_headers(struct h2 *h, const nghttp2_frame *frame)
{
    int32_t id = frame->hd.stream_id;
    int last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct h2_stream *st = h2_stream_of(h, id);

    if (h->block.no_memory)
        return NGHTTP2_ERR_NOMEM;
    if (h->block.too_big)
        return bear(h, EARLY_RESET, "heads that are too big") ? too_big(h, id) : 0;
    if (!st && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        st = accept_stream(h, id);
        if (!st && bear(h, 1, "streams"))
            return refuse(h, id, NGHTTP2_REFUSED_STREAM);
    }
    return st && !st->gone ? deliver(h, st, last) : 0;
}

/* ---- frames ---- */

static int on_data_chunk(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t n, void *user_data)
{
    struct h2 *h = user_data;
    struct h2_stream *st = h2_stream_of(h, id);

    if (!st || st->gone || gost_send(st->s, data, n) != GOST_OK) {
        h2_unread(h, id, n);
        return 0;
    }
    return h2_received(h, id, n) == GOST_OK ? 0 : NGHTTP2_ERR_NOMEM;
}

static void got_settings(struct h2 *h, const nghttp2_frame *frame)
{
    struct h2_stream *st;

    if ((frame->hd.flags & NGHTTP2_FLAG_ACK) || !bear(h, 1, "SETTINGS"))
        return;
    h->got_settings = 1;
    for (st = h->streams; st; st = st->next)
        if (st->id)
            h2_stream_window(h, st);
}

static void got_window(struct h2 *h, const nghttp2_frame *frame)
{
    struct h2_stream *st = frame->hd.stream_id ? h2_stream_of(h, frame->hd.stream_id) : NULL;

    if (st)
        h2_stream_window(h, st);
}

/* One that opens streams and takes them back at once makes us work for nothing (CVE-2023-44487). */
static void got_reset(struct h2 *h, const nghttp2_frame *frame)
{
    struct h2_stream *st = h2_stream_of(h, frame->hd.stream_id);

    if (!st || !st->head_sent)
        (void)bear(h, EARLY_RESET, "streams that it resets at once");
}

static void got_goaway(struct h2 *h, const nghttp2_frame *frame)
{
    gost_session_goaway(h->wire);
    if (frame->goaway.error_code != NGHTTP2_NO_ERROR)
        gost_log(h->wire, GOST_LOG_INFO, "the peer ends the session: %s %.*s",
                 nghttp2_http2_strerror(frame->goaway.error_code),
                 (int)(frame->goaway.opaque_data_len < 80 ? frame->goaway.opaque_data_len : 80),
                 (const char *)frame->goaway.opaque_data);
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *user_data)
{
    struct h2 *h = user_data;
    struct h2_stream *st;
    int r = 0;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        r = got_headers(h, frame);
        break;
    case NGHTTP2_DATA:
        if (frame->hd.length == 0 && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
            (void)bear(h, 1, "empty DATA frames");
        break;
    case NGHTTP2_SETTINGS:
        got_settings(h, frame);
        break;
    case NGHTTP2_WINDOW_UPDATE:
        got_window(h, frame);
        break;
    case NGHTTP2_RST_STREAM:
        got_reset(h, frame);
        break;
    case NGHTTP2_GOAWAY:
        got_goaway(h, frame);
        break;
    default:
        break;
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
        (st = h2_stream_of(h, frame->hd.stream_id)) && !st->peer_ended) {
        st->peer_ended = 1;
        if (!st->gone)
            gost_shut(st->s);
    }
    return h->dead_at ? NGHTTP2_ERR_CALLBACK_FAILURE : r ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *user_data)
{
    struct h2 *h = user_data;
    struct h2_stream *st = h2_stream_of(h, id);

    if (st)
        h2_stream_lost(h, st, code);
    return 0;
}

/* ---- what became of our frames ---- */

/* Resets that nghttp2 answers faults with: a peer may be after those too. */
static int is_fault(uint32_t code)
{
    return code == NGHTTP2_PROTOCOL_ERROR || code == NGHTTP2_FLOW_CONTROL_ERROR ||
           code == NGHTTP2_STREAM_CLOSED || code == NGHTTP2_FRAME_SIZE_ERROR;
}

/* A head went out. Behind a server's answer that is complete, when nobody here reads the request,
 * its client is asked to stop. Not earlier: nghttp2 drops what waits in front of a reset. */
static void sent_head(struct h2 *h, const nghttp2_frame *frame)
{
    int32_t id = frame->hd.stream_id;
    struct h2_stream *st = h2_stream_of(h, id);

    if (st)
        h2_stream_window(h, st);
    if (h->client || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) || (st && !st->refusing) ||
        nghttp2_session_get_stream_remote_close(h->ng, id) != 0)
        return;
    (void)refuse(h, id, NGHTTP2_NO_ERROR);
    if (st && !st->peer_ended) {
        st->peer_ended = 1;
        gost_shut(st->s);
    }
}

static int on_frame_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *user_data)
{
    struct h2 *h = user_data;

    if (frame->hd.type == NGHTTP2_HEADERS)
        sent_head(h, frame);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
        h2_die(h, frame->goaway.error_code, /* nghttp2 found the peer to be at fault */
               h->why[0] ? h->why : "the peer broke the rules of HTTP/2");
    if (frame->hd.type == NGHTTP2_RST_STREAM && is_fault(frame->rst_stream.error_code))
        (void)bear(h, EARLY_RESET, "frames that a stream must not have");
    return 0;
}

static int on_frame_not_sent(nghttp2_session *ng, const nghttp2_frame *frame, int code,
                             void *user_data)
{
    struct h2 *h = user_data;
    struct h2_stream *st;

    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    for (st = h->streams; st; st = st->next) {
        if (st->id != frame->hd.stream_id || st->gone)
            continue;
        gost_log(h->wire, GOST_LOG_DEBUG, "a head was not sent: %s", nghttp2_strerror(code));
        st->gone = 1;
        gost_stream_reset(st->s, NGHTTP2_REFUSED_STREAM);
        break;
    }
    return 0;
}

static int on_error(nghttp2_session *ng, int code, const char *msg, size_t n, void *user_data)
{
    struct h2 *h = user_data;

    snprintf(h->why, sizeof h->why, "%.*s", (int)(n < 150 ? n : 150), msg);
    return 0;
}

/* [main] once. */
int h2_callbacks_init(void)
{
    nghttp2_session_callbacks *c;

    if (nghttp2_session_callbacks_new(&h2_callbacks))
        return GOST_ENOMEM;
    c = h2_callbacks;
    nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_frame_not_sent);
    nghttp2_session_callbacks_set_send_data_callback(c, h2_send_data);
    nghttp2_session_callbacks_set_error_callback2(c, on_error);
    return GOST_OK;
}
