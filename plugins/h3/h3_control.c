/* h3_control.c - one-way streams: ours and the peer's control stream, those of QPACK. */
/* SPDX-License-Identifier: MIT */
#include "h3.h"

#define FRAME_MAX 4096u /* of the control stream */

enum { TYPE_CONTROL = 0, TYPE_PUSH = 1, TYPE_ENCODER = 2, TYPE_DECODER = 3 };

/* GOST_OK, or an error. */
int h3_control_open(struct h3 *h)
{
    struct gost_io *wire = gost_wire_open(h->wire, GOST_STREAM_ONEWAY);
    uint8_t buf[H3_SETTINGS_MAX + 24];
    size_t n;

    if (!wire)
        return gost_fail(h->wire, GOST_EPROTO, "the peer allows no control stream");
    h->control = h3_stream_new(h, wire, H3_OURS);
    if (!h->control) {
        gost_wire_reset(wire, H3_INTERNAL_ERROR);
        return gost_fail(h->wire, GOST_ENOMEM, "out of memory");
    }
    n = h3_varint_put(buf, TYPE_CONTROL);
    n += h3_settings_put(buf + n, h->conf, h->client);
    return gost_send(wire, buf, n);
}

/* A server says which request is the first that it will not serve. */
int h3_control_goaway(struct h3 *h)
{
    uint8_t buf[24], id[8];
    size_t n = h3_varint_put(id, h->client ? 0 : h->next_id), at;

    if (!h->control || !h->control->wire)
        return GOST_OK;
    at = h3_frame_put(buf, H3_GOAWAY, n);
    memcpy(buf + at, id, n);
    return gost_send(h->control->wire, buf, at + n);
}

/* ---- what the peer's are ---- */

static int is_second(uint8_t *seen)
{
    int r = *seen;

    *seen = 1;
    return r;
}

/* The type of a new stream. GOST_OK, GOST_AGAIN, GOST_END: it is refused, or an error. */
static int learn_type(struct h3 *h, struct h3_stream *st)
{
    size_t n = gost_rx_len(st->wire) < 8 ? gost_rx_len(st->wire) : 8;
    const uint8_t *p = n ? gost_peek(st->wire, n) : NULL;
    uint64_t type;
    int twice = 0;

    n = h3_varint_get(gost_bytes(p, p ? n : 0), &type);
    if (n == 0) {
        if (!gost_rx_eof(st->wire))
            return GOST_AGAIN;
        h3_stream_cut(st, H3_STREAM_CREATION_ERROR);
        return GOST_END;
    }
    gost_consume(st->wire, n);
    if (type == TYPE_PUSH)
        return h3_die(h, h->client ? H3_ID_ERROR : H3_STREAM_CREATION_ERROR,
                      "a push stream that nobody asked for");
    if (type == TYPE_CONTROL) {
        st->kind = H3_CONTROL;
        twice = is_second(&h->got_control);
    } else if (type == TYPE_ENCODER) {
        st->kind = H3_QPACK_ENCODER;
        twice = is_second(&h->got_encoder);
    } else if (type == TYPE_DECODER) {
        st->kind = H3_QPACK_DECODER;
        twice = is_second(&h->got_decoder);
    } else {
        h3_stream_cut(st, H3_STREAM_CREATION_ERROR);
        return h3_bear(h, 5, "streams of unknown types") ? GOST_END : GOST_EPROTO;
    }
    return twice ? h3_die(h, H3_STREAM_CREATION_ERROR, "a second stream of one type") : GOST_OK;
}

/* ---- the control stream ---- */

static int got_settings(struct h3 *h, struct gost_bytes b)
{
    int r;

    if (h->got_settings)
        return h3_die(h, H3_FRAME_UNEXPECTED, "SETTINGS came twice");
    r = h3_settings_get(b, &h->peer);
    if (r)
        return h3_die(h, (uint64_t)r, "SETTINGS that are none");
    h->got_settings = 1;
    return GOST_OK;
}

static int got_goaway(struct h3 *h, struct gost_bytes b)
{
    uint64_t id;

    if (h3_varint_get(b, &id) != b.n || b.n == 0)
        return h3_die(h, H3_FRAME_ERROR, "a GOAWAY that is none");
    if (h->client && id % 4 != 0)
        return h3_die(h, H3_ID_ERROR, "a GOAWAY for a stream that is no request");
    gost_session_goaway(h->wire);
    return GOST_OK;
}

static int got_frame(struct h3 *h, uint64_t type, struct gost_bytes b)
{
    if (!h->got_settings && type != H3_SETTINGS)
        return h3_die(h, H3_MISSING_SETTINGS, "the control stream does not begin with SETTINGS");
    if (!h3_bear(h, 1, "frames of the control stream"))
        return GOST_EPROTO;
    switch (type) {
    case H3_SETTINGS:
        return got_settings(h, b);
    case H3_GOAWAY:
        return got_goaway(h, b);
    case H3_CANCEL_PUSH:
    case H3_MAX_PUSH_ID:
        return h->client && type == H3_MAX_PUSH_ID
                   ? h3_die(h, H3_FRAME_UNEXPECTED, "a MAX_PUSH_ID from a server")
                   : GOST_OK;
    case H3_DATA:
    case H3_HEADERS:
    case H3_PUSH_PROMISE:
    case 0x02:
    case 0x06:
    case 0x08:
    case 0x09:
        return h3_die(h, H3_FRAME_UNEXPECTED, "a frame that a control stream must not have");
    default:
        return GOST_OK;
    }
}

static int read_control(struct h3 *h, struct h3_stream *st)
{
    struct h3_frame f;
    const uint8_t *p;
    size_t n;
    int r = GOST_OK;

    while (r == GOST_OK && (n = gost_rx_len(st->wire)) > 0) {
        p = gost_peek(st->wire, n < 16 ? n : 16);
        if (h3_frame_get(gost_bytes(p, n < 16 ? n : 16), &f) != GOST_OK) {
            gost_want(st->wire, n + 1);
            break;
        }
        if (f.length > FRAME_MAX)
            return h3_die(h, H3_EXCESSIVE_LOAD, "a frame of %llu bytes on the control stream",
                          (unsigned long long)f.length);
        p = gost_peek(st->wire, f.head + (size_t)f.length);
        if (!p)
            break;
        r = got_frame(h, f.type, gost_bytes(p + f.head, (size_t)f.length));
        if (r == GOST_OK)
            gost_consume(st->wire, f.head + (size_t)f.length);
    }
    return r;
}

static int read_encoder(struct h3 *h, struct h3_stream *st)
{
    struct gost_bytes b;

    while ((b = gost_rx(st->wire)).n > 0) {
        if (nghttp3_qpack_decoder_read_encoder(h->decoder, b.p, b.n) < 0)
            return h3_die(h, H3_QPACK_ENCODER_STREAM_ERROR, "a wrong instruction for QPACK");
        gost_consume(st->wire, b.n);
    }
    return GOST_OK;
}

static int read_decoder(struct h3 *h, struct h3_stream *st)
{
    struct gost_bytes b;

    while ((b = gost_rx(st->wire)).n > 0) {
        if (nghttp3_qpack_encoder_read_decoder(h->encoder, b.p, b.n) < 0)
            return h3_die(h, H3_QPACK_DECODER_STREAM_ERROR, "a wrong answer about QPACK");
        gost_consume(st->wire, b.n);
    }
    return GOST_OK;
}

/* News of a one-way stream. GOST_OK or an error. */
int h3_control_read(struct h3 *h, struct h3_stream *st)
{
    int r = GOST_OK;

    if (st->kind == H3_UNKNOWN) {
        r = learn_type(h, st);
        if (r != GOST_OK)
            return r < 0 ? r : GOST_OK;
    }
    if (st->kind == H3_CONTROL)
        r = read_control(h, st);
    else if (st->kind == H3_QPACK_ENCODER)
        r = read_encoder(h, st);
    else if (st->kind == H3_QPACK_DECODER)
        r = read_decoder(h, st);
    if (r < 0)
        return r;
    if (gost_wire_state(st->wire, NULL) || (st->kind != H3_OURS && gost_rx_eof(st->wire)))
        return h3_die(h, H3_CLOSED_CRITICAL_STREAM, "the peer closed a stream that must stay");
    return GOST_OK;
}
