/* ws_read.c - reading: frames become bytes, control frames are answered. */
/* SPDX-License-Identifier: MIT */
#include "ws.h"

#define PIECE        16384u /* unmasked at once */
#define ANSWERED_MAX 4096u  /* Pongs that wait for a peer which reads nothing: more are left out */

/* Tell the peer what it did wrong, and fail of it. */
static int protocol_error(struct ws_state *s, struct gost_io *io, uint32_t code, const char *why)
{
    uint8_t payload[WS_CONTROL_MAX];
    size_t n = strlen(why);

    n = n < sizeof payload - 2 ? n : sizeof payload - 2;
    gost_put16(payload, (uint16_t)code);
    memcpy(payload + 2, why, n);
    ws_send_control(s, io, WS_CLOSE, gost_bytes(payload, n + 2));
    s->failed = 1;
    return gost_fail(io, GOST_EPROTO, "the peer broke the WebSocket protocol: %s", why);
}

/* ---- control frames ---- */

static void answer_ping(struct ws_state *s, struct gost_io *io, struct gost_bytes payload)
{
    if (gost_tx_room(io) > 0)
        s->answered = 0;
    if (s->answered > ANSWERED_MAX)
        return; /* the Pongs before it say as much (RFC 6455 section 5.5.3) */
    s->answered += (uint32_t)payload.n + 6;
    ws_send_control(s, io, WS_PONG, payload);
}

static int take_close(struct ws_state *s, struct gost_io *io, struct gost_bytes payload)
{
    uint8_t code_bytes[2];
    const char *why;
    uint32_t code;

    if (ws_close_parse(&code, payload, &why) != GOST_OK)
        return protocol_error(s, io, 1002, why);
    gost_log(io, GOST_LOG_DEBUG, "the peer closed the WebSocket, code %u", (unsigned)code);
    gost_put16(code_bytes, (uint16_t)code);
    ws_send_control(s, io, WS_CLOSE, gost_bytes(code_bytes, code == WS_CLOSE_NONE ? 0 : 2));
    s->closed = 1;
    return GOST_END;
}

/* GOST_OK; GOST_AGAIN: not all of it is there; GOST_END: it was a Close; an error. */
static int take_control(struct ws_state *s, struct gost_io *io, const struct ws_head *head)
{
    uint8_t payload[WS_CONTROL_MAX];
    size_t n = (size_t)head->length;
    const uint8_t *p = gost_peek(io, head->size + n);

    if (!p)
        return GOST_AGAIN;
    ws_mask(payload, p + head->size, n, head->key, 0);
    gost_consume(io, head->size + n);
    if (head->opcode == WS_CLOSE)
        return take_close(s, io, gost_bytes(payload, n));
    if (head->opcode == WS_PING)
        answer_ping(s, io, gost_bytes(payload, n));
    return GOST_OK;
}

/* ---- data frames ---- */

static void begin_frame(struct ws_state *s, struct gost_io *io, const struct ws_head *head)
{
    gost_consume(io, head->size);
    if (!s->message)
        s->deflated = head->rsv1;
    s->message = s->in_frame = 1;
    s->fin = head->fin;
    s->left = head->length;
    memcpy(s->key, head->key, sizeof s->key);
    s->mask_at = 0;
}

/* The next frame's head. GOST_OK: handled, or its payload comes now. */
static int read_head(struct ws_state *s, struct gost_io *io)
{
    struct ws_rules rules = {!s->client, s->deflate, s->message};
    uint8_t buf[WS_HEAD_MAX];
    struct ws_head head;
    const uint8_t *p;
    const char *why;
    size_t need = 2;
    int r = GOST_AGAIN;

    while (r == GOST_AGAIN) {
        p = gost_peek(io, need);
        if (!p)
            return GOST_AGAIN;
        memcpy(buf, p, need);
        r = ws_head_parse(&head, gost_bytes(buf, need), &rules, &need, &why);
    }
    if (r != GOST_OK)
        return protocol_error(s, io, 1002, why);
    if (head.opcode & 8)
        return take_control(s, io, &head);
    begin_frame(s, io, &head);
    return GOST_OK;
}

/* Payload as it is: not masked and not compressed. */
static int pass(struct ws_state *s, struct gost_io *io, struct gost_io *app, size_t room)
{
    size_t n = gost_rx_len(io);

    n = n < room ? n : room;
    n = n < s->left ? n : (size_t)s->left;
    n = gost_move(app, io, n);
    s->left -= n;
    return n ? GOST_OK : gost_fail(io, GOST_ENOMEM, "out of memory");
}

static int unmask(struct ws_state *s, struct gost_io *io, struct gost_io *app)
{
    struct gost_bytes run = gost_rx(io);
    size_t n = run.n < PIECE ? run.n : PIECE;
    uint8_t *to;

    n = n < s->left ? n : (size_t)s->left;
    to = gost_reserve(app, n);
    if (!to)
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    ws_mask(to, run.p, n, s->key, s->mask_at);
    gost_commit(app, n);
    gost_consume(io, n);
    s->mask_at = (s->mask_at + (uint32_t)n) & 3;
    s->left -= n;
    return GOST_OK;
}

static int inflate_error(struct ws_state *s, struct gost_io *io, int r)
{
    if (r == GOST_ENOMEM)
        return gost_fail(io, GOST_ENOMEM, "out of memory to decompress a message");
    return protocol_error(s, io, 1007, "a message is not compressed as it says");
}

static int decompress(struct ws_state *s, struct gost_io *io, struct gost_io *app)
{
    uint8_t plain[4096];
    struct gost_bytes run = gost_rx(io);
    size_t n = run.n < sizeof plain ? run.n : sizeof plain, used = 0;
    int r;

    n = n < s->left ? n : (size_t)s->left;
    ws_mask(plain, run.p, n, s->key, s->mask_at);
    r = ws_inflate(s, app, gost_bytes(plain, n), &used);
    gost_consume(io, used);
    s->mask_at = (s->mask_at + (uint32_t)used) & 3;
    s->left -= used;
    return r < 0 ? inflate_error(s, io, r) : r;
}

/* GOST_OK: some of it was read. */
static int read_some(struct ws_state *s, struct gost_io *io, struct gost_io *app)
{
    size_t room = gost_tx_room(app);

    if (room == 0)
        return GOST_FULL;
    if (gost_rx_len(io) == 0 && !s->pending)
        return GOST_AGAIN;
    if (s->deflated)
        return decompress(s, io, app);
    return s->client ? pass(s, io, app, room) : unmask(s, io, app);
}

/* GOST_OK: the frame is over. */
static int read_payload(struct ws_state *s, struct gost_io *io, struct gost_io *app)
{
    int r;

    while (s->left > 0 || s->pending)
        if ((r = read_some(s, io, app)) != GOST_OK)
            return r;
    if (s->deflated && s->fin) {
        r = ws_inflate_finish(s, app);
        if (r != GOST_OK)
            return r < 0 ? inflate_error(s, io, r) : r;
        s->deflated = 0;
    }
    s->in_frame = 0;
    s->message = !s->fin;
    return GOST_OK;
}

/* ---- the step ---- */

/* The wire is empty. Its end between two messages is the peer's half-close: GOST sends
 * no Close frame; the host passes the end on. */
static int no_input(struct ws_state *s, struct gost_io *io)
{
    if (gost_rx_eof(io) && s->message)
        return gost_fail(io, GOST_ECLOSED,
                         "the connection broke in the middle of a WebSocket message");
    return GOST_AGAIN;
}

static int end_it(struct gost_io *io, struct gost_io *app)
{
    gost_consume(io, gost_rx_len(io));
    gost_shut(app);
    gost_shut(io);
    return GOST_END;
}

static int read_frames(struct ws_state *s, struct gost_io *io, struct gost_io *app)
{
    int r = GOST_OK;

    while (r == GOST_OK)
        r = s->in_frame ? read_payload(s, io, app) : read_head(s, io);
    return r;
}

int ws_decode(void *state, const void *conf, struct gost_io *io)
{
    struct ws_state *s = state;
    struct gost_io *app = gost_app(io);
    int r;

    if (s->closed) {
        gost_consume(io, gost_rx_len(io));
        return GOST_END;
    }
    if (gost_rx_len(io) > 0)
        s->alive_at = gost_now();
    r = read_frames(s, io, app);
    s->waiting = r == GOST_FULL;
    if (r == GOST_END)
        return end_it(io, app);
    return r == GOST_AGAIN ? no_input(s, io) : r;
}
