/* h2_session.c - the layer h2: opening, reading, writing, keep-alive, the end. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <gost/http1.h>

#include "h2.h"

#define PREFACE_N      24u
#define HTTP1_HEAD_MAX 8192u
#define GO_STREAMS     250
#define GROW_AFTER     32768u /* of the first data: then small windows are in the way */
#define GROWN_STREAM   (4 << 20)
#define GROWN_WHOLE    (8 << 20)
#define CUT_NS         (10 * GOST_S) /* how long a user may go on who has nobody to talk to */
#define DEAD_NS        (5 * GOST_S)  /* how long the peer may take to hear why */

/* ---- opening ---- */

/* What GOST's programs say first, in their order. */
static size_t settings_of(const struct h2 *h, nghttp2_settings_entry *v)
{
    const struct h2_conf *c = h->conf;
    int go = c->profile == H2_GO;
    int64_t streams = c->max_streams >= 0 ? c->max_streams : go ? GO_STREAMS : 0;
    uint32_t window = (uint32_t)c->window;
    size_t n = 0;

    if (go && !window)
        window = h->client ? 4194304 : 1048576;
#define PUT(key, val) (v[n].settings_id = NGHTTP2_SETTINGS_##key, v[n++].value = (uint32_t)(val))
    if (h->client && go)
        PUT(ENABLE_PUSH, 0);
    if (h->client && window)
        PUT(INITIAL_WINDOW_SIZE, window);
    if (go || !h->client)
        PUT(MAX_FRAME_SIZE, go && !h->client ? 1048576 : 16384);
    if (h->client && go)
        PUT(MAX_HEADER_LIST_SIZE, 10485760);
    if (!h->client && streams)
        PUT(MAX_CONCURRENT_STREAMS, streams);
    if (!h->client && go) {
        PUT(MAX_HEADER_LIST_SIZE, 1048896);
        PUT(HEADER_TABLE_SIZE, 4096);
    }
    if (!h->client && window)
        PUT(INITIAL_WINDOW_SIZE, window);
    if (!h->client && go)
        PUT(NO_RFC7540_PRIORITIES, 1);
    if (!h->client && c->extended_connect)
        PUT(ENABLE_CONNECT_PROTOCOL, 1);
#undef PUT
    return n;
}

static int greet(struct h2 *h)
{
    nghttp2_settings_entry v[10];
    size_t n = settings_of(h, v);
    int32_t whole = h->client ? 1073741824 + 65535 : 1048576;
    int r = nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, v, n);

    if (r == 0 && h->conf->profile == H2_GO)
        r = nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0, whole);
    return r;
}

/* In newer versions only. */
extern void nghttp2_option_set_stream_reset_rate_limit(nghttp2_option *option, uint64_t burst,
                                                       uint64_t rate) __attribute__((weak));

/* GOST's clients end every stream by a reset: we count those that come too early ourselves. */
static void allow_resets(nghttp2_option *o)
{
    if (nghttp2_option_set_stream_reset_rate_limit)
        nghttp2_option_set_stream_reset_rate_limit(o, 1000000, 1000000);
}

static int make_session(struct h2 *h)
{
    nghttp2_option *o;
    int r = nghttp2_option_new(&o);

    if (r)
        return r;
    nghttp2_option_set_no_auto_window_update(o, 1);
    nghttp2_option_set_no_closed_streams(o, 1);
    allow_resets(o);
    r = h->client ? nghttp2_session_client_new2(&h->ng, h2_callbacks, h, o)
                  : nghttp2_session_server_new2(&h->ng, h2_callbacks, h, o);
    nghttp2_option_del(o);
    return r ? r : greet(h);
}

static int h2_open(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;

    h->wire = io;
    h->conf = conf;
    h->client = gost_flow(io)->role == GOST_CLIENT;
    h->patience = H2_PATIENCE;
    h->patience_at = h->heard_at = h->idle_since = gost_now();
    if (make_session(h))
        return gost_fail(io, GOST_ENOMEM, "out of memory for an HTTP/2 session");
    return GOST_OK;
}

/* A server that chose another protocol in TLS will not speak HTTP/2. */
static int check_alpn(struct gost_io *io)
{
    const char *alpn = gost_flow(io)->alpn;

    if (!alpn || !*alpn || strcmp(alpn, "h2") == 0)
        return GOST_OK;
    return gost_fail(io, GOST_EPROTO, "the peer chose \"%s\" in TLS instead of h2", alpn);
}

/* A head of HTTP/1 gets a short answer. The client closes: if we did, the answer might be lost. */
static int answer_http1(struct h2 *h, struct gost_io *io)
{
    uint32_t status = (uint32_t)h->conf->http1_status;
    size_t n = gost_rx_len(io) < HTTP1_HEAD_MAX ? gost_rx_len(io) : HTTP1_HEAD_MAX;
    const uint8_t *p = n ? gost_peek(io, n) : NULL, *line;
    char date[GOST_HTTP_DATE], text[200];
    int k, strange;

    line = p ? memchr(p, '\n', n) : NULL;
    strange = p && (p[0] < 'A' || p[0] > 'Z');
    strange |= line && !memmem(p, (size_t)(line - p), " HTTP/1.", 8);
    if (!h->http1 && (strange || n == HTTP1_HEAD_MAX))
        return gost_fail(io, GOST_EPROTO, "the client does not speak HTTP/2");
    if (!h->http1 && (!p || !memmem(p, n, "\r\n\r\n", 4))) {
        gost_want(io, n + 1);
        return GOST_AGAIN;
    }
    gost_consume(io, gost_rx_len(io));
    if (h->http1)
        return GOST_AGAIN;
    h->http1 = 1;
    gost_http_date(date, gost_unix_time() / GOST_S);
    k = snprintf(text, sizeof text, "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Length: 0\r\n\r\n",
                 (unsigned)status, gost_http1_reason(status), date);
    gost_send(io, text, (size_t)k);
    gost_shut(io);
    gost_log(io, GOST_LOG_INFO, "answered %u: the client speaks HTTP/1", (unsigned)status);
    return GOST_AGAIN;
}

/* The client's first bytes: is it HTTP/2 at all? */
static int check_preface(struct h2 *h, struct gost_io *io)
{
    static const char preface[] = NGHTTP2_CLIENT_MAGIC;
    size_t n = gost_rx_len(io) < PREFACE_N ? gost_rx_len(io) : PREFACE_N;
    const uint8_t *p = n ? gost_peek(io, n) : NULL;

    if (h->http1 || (p && memcmp(p, preface, n) != 0 && h->conf->http1_status))
        return answer_http1(h, io);
    if (p && memcmp(p, preface, n) != 0)
        return gost_fail(io, GOST_EPROTO, "the client does not speak HTTP/2");
    if (n == PREFACE_N)
        return GOST_OK;
    gost_want(io, n + 1);
    return GOST_AGAIN;
}

static int h2_decode(void *state, const void *conf, struct gost_io *io);

static int h2_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;
    int r;

    h->wire = io;
    gost_phase(io, "the HTTP/2 preface");
    r = h->client ? check_alpn(io) : check_preface(h, io);
    if (r != GOST_OK)
        return r;
    if (h->client && h->conf->extended_connect && !h->got_settings) {
        r = h2_flush(h);
        if (r >= 0)
            r = h2_decode(state, conf, io);
        if (r < 0 || !h->got_settings)
            return r < 0 ? r : GOST_AGAIN;
    }
    h->ready = 1;
    gost_phase(io, "HTTP/2 frames");
    h2_arm(h);
    return GOST_OK;
}

/* ---- the end ---- */

/* End the session: the peer is told, all streams break off. */
void h2_die(struct h2 *h, uint32_t code, const char *why)
{
    struct h2_stream *st;

    if (h->dead_at)
        return;
    h->dead_at = gost_now();
    gost_log(h->wire, GOST_LOG_WARN, "the HTTP/2 session is ended: %s", why);
    (void)nghttp2_session_terminate_session(h->ng, code);
    for (st = h->streams; st; st = st->next) {
        st->gone = 1;
        gost_stream_reset(st->s, code);
    }
    gost_session_goaway(h->wire);
    h2_arm(h);
}

/* ---- reading ---- */

/* The profile begins with small windows; one who sends much gets larger ones. */
static int grow(struct h2 *h)
{
    nghttp2_settings_entry v = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GROWN_STREAM};

    if (h->grown || h->received < GROW_AFTER || h->conf->profile != H2_GRPC || h->conf->window)
        return 0;
    h->grown = 1;
    if (nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, &v, 1))
        return NGHTTP2_ERR_NOMEM;
    return nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0, GROWN_WHOLE);
}

static int h2_decode(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;
    struct gost_bytes b;
    ssize_t n;

    h->wire = io;
    while ((b = gost_rx(io)).n > 0) {
        if (h->dead_at) {
            gost_consume(io, gost_rx_len(io));
            break;
        }
        n = nghttp2_session_mem_recv(h->ng, b.p, b.n);
        if (n < 0 && !h->dead_at) {
            if (n == NGHTTP2_ERR_NOMEM || n == NGHTTP2_ERR_CALLBACK_FAILURE)
                return gost_fail(io, GOST_ENOMEM, "out of memory");
            h2_die(h,
                   n == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? NGHTTP2_PROTOCOL_ERROR
                                                     : NGHTTP2_ENHANCE_YOUR_CALM,
                   h->why[0] ? h->why : nghttp2_strerror((int)n));
        }
        gost_consume(io, n < 0 ? b.n : (size_t)n);
    }
    if (grow(h))
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    return GOST_AGAIN;
}

/* ---- writing ---- */

/* What nghttp2 has ready. GOST_OK, GOST_FULL or an error. */
int h2_flush(struct h2 *h)
{
    const uint8_t *p;
    ssize_t n;

    while (gost_tx_room(h->wire) > 0) {
        n = nghttp2_session_mem_send(h->ng, &p);
        if (n < 0)
            return gost_fail(h->wire, n == NGHTTP2_ERR_NOMEM ? GOST_ENOMEM : GOST_EINTERNAL,
                             "HTTP/2 frames could not be made: %s", nghttp2_strerror((int)n));
        if (n == 0)
            return GOST_OK;
        gost_send(h->wire, p, (size_t)n);
    }
    return GOST_FULL;
}

static int h2_encode(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;
    struct gost_io *s;
    int r;

    h->wire = io;
    r = h2_flush(h);
    while (r == GOST_OK && (s = gost_stream_next(io)))
        r = h2_stream_send(h, gost_data(s));
    return r == GOST_OK ? GOST_AGAIN : r;
}

/* All streams are through: the last word. */
static int h2_shut(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;
    int r = GOST_OK;

    h->wire = io;
    if (!h->dead_at && nghttp2_session_terminate_session(h->ng, NGHTTP2_NO_ERROR) == 0)
        r = h2_flush(h);
    gost_shut(io);
    return r < 0 ? r : GOST_OK;
}

/* ---- time ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a && (!b || a < b) ? a : b;
}

/* When to look again. */
void h2_arm(struct h2 *h)
{
    const struct h2_conf *c = h->conf;
    const struct h2_stream *st;
    uint64_t at = h->dead_at ? h->dead_at + DEAD_NS : 0;

    for (st = h->streams; st; st = st->next)
        at = earlier(st->cut_at ? st->cut_at + CUT_NS : 0, at);
    if (h->ready && c->keepalive)
        at = earlier(
            h->ping_at ? h->ping_at + c->keepalive_timeout : h->heard_at + c->keepalive_time, at);
    if (h->ready && c->max_idle && h->n_streams == 0 && !h->closing)
        at = earlier(h->idle_since + c->max_idle, at);
    gost_set_deadline(h->wire, at);
}

static int keep_alive(struct h2 *h, uint64_t now)
{
    const struct h2_conf *c = h->conf;

    if (h->ping_at && now >= h->ping_at + c->keepalive_timeout)
        return gost_fail(h->wire, GOST_ETIMEDOUT, "the peer did not answer a PING within %llu ms",
                         (unsigned long long)(c->keepalive_timeout / GOST_MS));
    if (h->ping_at || now < h->heard_at + c->keepalive_time)
        return GOST_OK;
    if (h->n_streams == 0 && !c->permit_without_stream) {
        h->heard_at = now; /* nobody to keep it alive for */
        return GOST_OK;
    }
    h->ping_at = now;
    if (nghttp2_submit_ping(h->ng, NGHTTP2_FLAG_NONE, NULL))
        return gost_fail(h->wire, GOST_ENOMEM, "out of memory");
    return h2_flush(h);
}

static int h2_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct h2 *h = state;
    struct h2_stream *st, *next;
    uint64_t now = gost_now();
    int r = GOST_OK;

    h->wire = io;
    if (h->dead_at && now >= h->dead_at + DEAD_NS)
        return gost_fail(io, GOST_EPROTO, "%s", h->why[0] ? h->why : "the session was ended");
    for (st = h->streams; st; st = next) {
        next = st->next;
        if (!st->cut_at || now < st->cut_at + CUT_NS)
            continue;
        st->cut_at = 0;
        gost_stream_reset(st->s, NGHTTP2_CANCEL);
    }
    if (h->ready && h->conf->keepalive && !h->dead_at)
        r = keep_alive(h, now);
    if (h->conf->max_idle && h->n_streams == 0 && !h->closing &&
        now >= h->idle_since + h->conf->max_idle)
        gost_session_goaway(io);
    h2_arm(h);
    return r < 0 ? r : GOST_AGAIN;
}

static void h2_destroy(void *state)
{
    struct h2 *h = state;

    nghttp2_session_del(h->ng);
    gost_block_free(&h->block);
    while (h->streams)
        h2_stream_free(h, h->streams);
}

const struct gost_layer_ops h2_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_EXCHANGE,
    .open = h2_open,
    .handshake = h2_handshake,
    .decode = h2_decode,
    .encode = h2_encode,
    .shut = h2_shut,
    .on_deadline = h2_on_deadline,
    .destroy = h2_destroy,
    .session = &h2_session_ops,
};
