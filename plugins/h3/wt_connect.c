/* wt_connect.c - the CONNECT of a WebTransport session: asking, answering, capsules, the end. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "wt.h"

/* draft-ietf-webtrans-http3-02, as GOST's library speaks it; later drafts need neither. */
#define ASKS    "sec-webtransport-http3-draft02"
#define ANSWERS "sec-webtransport-http3-draft"
#define VERSION "draft02"

#define FIELDS_MAX 64u

/* ---- asking [client] ---- */

/* Names of fields are lower case in HTTP/3, and people write them as they like. */
static struct gost_bytes lower(struct gost_io *io, const char *name)
{
    size_t n = strlen(name), i;
    char *text = gost_alloc(io, n + 1);

    if (!text)
        return gost_bytes(NULL, 0);
    for (i = 0; i < n; i++)
        text[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    return gost_bytes(text, n);
}

static struct gost_bytes authority(const struct wt *w, char text[GOST_ADDR_TEXT])
{
    if (w->conf->host && *w->conf->host)
        return gost_bytes_str(w->conf->host);
    gost_addr_host(&gost_target(w->h.wire)->addr, text, GOST_ADDR_TEXT);
    return gost_bytes_str(*text ? text : "localhost");
}

int wt_connect_open(struct wt *w)
{
    struct gost_io *wire = gost_wire_open(w->h.wire, 0);
    struct gost_field fields[FIELDS_MAX] = {{gost_bytes_str(ASKS), gost_bytes_str("1")}};
    struct gost_head head = {.size = sizeof head,
                             .method = gost_bytes_str("CONNECT"),
                             .protocol = gost_bytes_str("webtransport"),
                             .scheme = gost_bytes_str("https"),
                             .path = gost_bytes_str(w->conf->path),
                             .fields = fields,
                             .n_fields = 1};
    char text[GOST_ADDR_TEXT];
    uint32_t i;

    if (!wire)
        return gost_fail(w->h.wire, GOST_ECLOSED, "the server allows no stream for the session");
    w->connect = h3_stream_new(&w->h, wire, H3_REQUEST);
    if (!w->connect) {
        gost_wire_reset(wire, H3_INTERNAL_ERROR);
        return gost_fail(w->h.wire, GOST_ENOMEM, "out of memory");
    }
    head.authority = authority(w, text);
    for (i = 0; i < w->conf->header.n && head.n_fields < FIELDS_MAX; i++) {
        struct gost_bytes name = lower(w->h.wire, w->conf->header.v[i].key);

        if (!name.n)
            return gost_fail(w->h.wire, GOST_ENOMEM, "out of memory");
        fields[head.n_fields++] =
            (struct gost_field){name, gost_bytes_str(w->conf->header.v[i].value)};
    }
    if (h3_send_head(&w->h, w->connect, &head) != GOST_OK)
        return gost_fail(w->h.wire, GOST_ENOMEM, "out of memory");
    return GOST_OK;
}

static int got_answer(struct wt *w, const struct gost_head *head)
{
    if (head->status >= 100 && head->status < 200)
        return GOST_OK;
    if (head->status < 200 || head->status > 299)
        return gost_fail(w->h.wire, GOST_EPEER,
                         "the server answers %u to WebTransport at %s: is wt.path the same on both "
                         "sides?",
                         head->status, w->conf->path);
    w->connect->got_head = 1;
    w->session = w->connect->id;
    w->established = 1;
    return GOST_OK;
}

/* ---- answering [server] ---- */

/* GOST_OK; GOST_END: the request is refused and gone; or an error. */
static int answer(struct wt *w, struct h3_stream *st, uint32_t status, int old)
{
    struct gost_field field = {gost_bytes_str(ANSWERS), gost_bytes_str(VERSION)};
    struct gost_head head = {.size = sizeof head,
                             .status = status,
                             .fields = &field,
                             .n_fields = (uint32_t)old,
                             .flags = status == 200 ? 0 : GOST_HEAD_NO_BODY};

    if (h3_send_head(&w->h, st, &head) != GOST_OK)
        return gost_fail(w->h.wire, GOST_ENOMEM, "out of memory");
    if (status == 200)
        return GOST_OK;
    gost_wire_leave(st->wire);
    h3_stream_free(st);
    return GOST_END;
}

static uint32_t judge(const struct wt *w, const struct gost_head *head)
{
    const char *path = w->conf->path;
    size_t n = strlen(path);

    if (!gost_bytes_eq(head->method, gost_bytes_str("CONNECT")) ||
        (!gost_bytes_eq(head->protocol, gost_bytes_str("webtransport")) &&
         !gost_bytes_eq(head->protocol, gost_bytes_str("webtransport-h3"))))
        return 404; /* an HTTP/3 server that has nothing else */
    if (head->path.n < n || memcmp(head->path.p, path, n) != 0 ||
        (head->path.n > n && head->path.p[n] != '?'))
        return 404;
    return w->established || w->over ? 429 : 200;
}

static int got_request(struct wt *w, struct h3_stream *st, const struct gost_head *head)
{
    uint32_t status = judge(w, head);
    struct h3_stream *other, *next;
    int r;

    if (status != 200) {
        gost_log(w->h.wire, GOST_LOG_DEBUG, "a request that is no WebTransport at %s: %u",
                 w->conf->path, status);
        if (!h3_bear(&w->h, 5, "requests that are none of ours"))
            return GOST_EPROTO;
        return answer(w, st, status, 0);
    }
    r = answer(w, st, 200, gost_head_has(head, ASKS));
    if (r != GOST_OK)
        return r;
    st->got_head = 1;
    w->connect = st;
    w->session = st->id;
    w->established = 1;
    for (other = w->h.streams; r == GOST_OK && other; other = next) {
        next = other->next;
        if (other->kind == H3_REQUEST && other != st)
            r = wt_stream_begin(w, other);
    }
    return r;
}

/* ---- frames ---- */

static int got_head(struct wt *w, struct h3_stream *st)
{
    const char *wrong = h3_head_check(&w->h.block, w->h.client, 0);
    struct gost_field *fields;
    struct gost_head head;
    int r;

    if (wrong || w->h.block.too_big) {
        if (!h3_bear(&w->h, 5, "malformed messages"))
            return GOST_EPROTO;
        if (w->h.client)
            return gost_fail(w->h.wire, GOST_EPROTO, "the server's answer is malformed: %s",
                             wrong ? wrong : "it is too big");
        h3_stream_cut(st, H3_MESSAGE_ERROR);
        return GOST_END;
    }
    if (gost_block_head(&w->h.block, &head, &fields) != GOST_OK)
        return gost_fail(w->h.wire, GOST_ENOMEM, "out of memory");
    r = w->h.client ? got_answer(w, &head) : got_request(w, st, &head);
    free(fields);
    return r;
}

/* A whole HEADERS frame. */
static int read_head(struct wt *w, struct h3_stream *st, const struct h3_frame *f)
{
    const uint8_t *p;
    int r;

    if (f->length > w->h.conf->max_header)
        return h3_die(&w->h, H3_EXCESSIVE_LOAD, "a head of %llu bytes",
                      (unsigned long long)f->length);
    p = gost_peek(st->wire, f->head + (size_t)f->length);
    if (!p)
        return GOST_AGAIN;
    r = h3_head_decode(w->h.decoder, gost_bytes(p + f->head, (size_t)f->length), st->id,
                       (size_t)w->h.conf->max_header, &w->h.block);
    gost_consume(st->wire, f->head + (size_t)f->length);
    if (r == GOST_ENOMEM)
        return gost_fail(w->h.wire, r, "out of memory");
    if (r != GOST_OK)
        return h3_die(&w->h, H3_QPACK_DECOMPRESSION_FAILED, "a head that QPACK cannot read");
    return got_head(w, st);
}

static int session_over(struct wt *w)
{
    w->over = 1;
    gost_wire_end(w->h.wire, H3_NO_ERROR);
    w->h.dead = 1;
    return gost_fail(w->h.wire, GOST_ECLOSED, "the peer ended the WebTransport session");
}

/* Capsules (RFC 9297): all but the one that ends the session are passed over. */
static int read_capsules(struct wt *w, struct h3_stream *st)
{
    while (st->left > 0 && gost_rx_len(st->wire) > 0) {
        size_t n = gost_rx_len(st->wire) < st->left ? gost_rx_len(st->wire) : (size_t)st->left;
        struct h3_frame f;
        const uint8_t *p;

        if (!w->in_capsule) {
            p = gost_peek(st->wire, n < 16 ? n : 16);
            if (h3_frame_get(gost_bytes(p, n < 16 ? n : 16), &f) != GOST_OK) {
                if (n < st->left)
                    gost_want(st->wire, n + 1);
                else
                    return h3_die(&w->h, H3_FRAME_ERROR, "a capsule in two frames");
                return GOST_AGAIN;
            }
            if (!h3_bear(&w->h, 1, "capsules"))
                return GOST_EPROTO;
            gost_consume(st->wire, f.head);
            st->left -= f.head;
            w->capsule = f.type;
            w->capsule_left = f.length;
            w->in_capsule = 1;
        } else {
            n = n < w->capsule_left ? n : (size_t)w->capsule_left;
            gost_consume(st->wire, n);
            st->left -= n;
            w->capsule_left -= n;
        }
        if (w->in_capsule && w->capsule_left == 0) {
            w->in_capsule = 0;
            if (w->capsule == WT_CLOSE)
                return session_over(w);
        }
    }
    return st->left > 0 ? GOST_AGAIN : GOST_OK;
}

static int read_frame(struct wt *w, struct h3_stream *st)
{
    size_t n = gost_rx_len(st->wire), k = n < 16 ? n : 16;
    const uint8_t *p = k ? gost_peek(st->wire, k) : NULL;
    struct h3_frame f;

    if (!p)
        return GOST_AGAIN;
    if (h3_frame_get(gost_bytes(p, k), &f) != GOST_OK) {
        gost_want(st->wire, n + 1);
        return GOST_AGAIN;
    }
    if (f.type == H3_HEADERS && !st->got_head)
        return read_head(w, st, &f);
    if (!h3_bear(&w->h, 1, "frames"))
        return GOST_EPROTO;
    gost_consume(st->wire, f.head);
    if (f.type == H3_DATA && st->got_head)
        st->left = f.length;
    else if (f.type == H3_DATA || f.type == H3_HEADERS || f.type == H3_SETTINGS)
        return h3_die(&w->h, H3_FRAME_UNEXPECTED, "a frame that a session must not have here");
    else
        st->skip = f.length;
    return GOST_OK;
}

static void pass_over(struct h3_stream *st)
{
    size_t n = gost_rx_len(st->wire) < st->skip ? gost_rx_len(st->wire) : (size_t)st->skip;

    gost_consume(st->wire, n);
    st->skip -= n;
}

/* The peer's end of a request. */
static int ended(struct wt *w, struct h3_stream *st)
{
    if (st == w->connect && w->established)
        return session_over(w);
    if (st == w->connect)
        return gost_fail(w->h.wire, GOST_ECLOSED, "the server refuses the WebTransport session");
    h3_stream_cut(st, H3_REQUEST_INCOMPLETE);
    return h3_bear(&w->h, 5, "streams without a head") ? GOST_OK : GOST_EPROTO;
}

int wt_connect_read(struct wt *w, struct h3_stream *st)
{
    int r = GOST_OK;

    while (r == GOST_OK && gost_rx_len(st->wire) > 0) {
        if (st->left > 0)
            r = read_capsules(w, st);
        else if (st->skip > 0)
            pass_over(st);
        else
            r = read_frame(w, st);
    }
    if (r < 0 || r == GOST_END)
        return r < 0 ? r : GOST_OK;
    if ((gost_wire_state(st->wire, NULL) & GOST_WIRE_RESET) || gost_rx_eof(st->wire))
        return ended(w, st);
    return GOST_OK;
}

void wt_connect_close(struct wt *w)
{
    static const uint8_t capsule[] = {0x68, 0x43, 4, 0, 0, 0, 0}; /* code 0, no reason */
    uint8_t frame[16];

    if (!w->connect || !w->connect->wire || !w->established)
        return;
    (void)gost_send(w->connect->wire, frame, h3_frame_put(frame, H3_DATA, sizeof capsule));
    (void)gost_send(w->connect->wire, capsule, sizeof capsule);
    gost_shut(w->connect->wire);
}
