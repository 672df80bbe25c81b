/* ws_write.c - writing: bytes become frames. */
/* SPDX-License-Identifier: MIT */
#include "ws.h"

#define PIECE 16384u /* masked at once */

static void send_head(struct gost_io *io, struct ws_head *head)
{
    uint8_t *to = gost_reserve(io, WS_HEAD_MAX);

    if (!to)
        return; /* sticky: the flow ends after the step */
    if (head->masked)
        gost_random(head->key, sizeof head->key);
    gost_commit(io, ws_head_put(to, head));
}

static void send_masked(struct gost_io *io, const struct ws_head *head, const uint8_t *p, size_t n,
                        size_t at)
{
    uint8_t *to;
    size_t part;

    for (; n > 0; p += part, n -= part, at += part) {
        part = n < PIECE ? n : PIECE;
        to = gost_reserve(io, part);
        if (!to)
            return;
        ws_mask(to, p, part, head->key, at);
        gost_commit(io, part);
    }
}

void ws_send_frame(struct gost_io *io, struct ws_head *head, const uint8_t *p)
{
    send_head(io, head);
    if (head->masked)
        send_masked(io, head, p, (size_t)head->length, 0);
    else
        gost_send(io, p, (size_t)head->length);
}

void ws_send_control(const struct ws_state *s, struct gost_io *io, uint8_t opcode,
                     struct gost_bytes payload)
{
    struct ws_head head = {.fin = 1, .opcode = opcode, .masked = s->client, .length = payload.n};

    ws_send_frame(io, &head, payload.p);
}

static void move_masked(struct gost_io *io, struct gost_io *app, const struct ws_head *head)
{
    size_t n = (size_t)head->length, at = 0;
    struct gost_bytes run;

    while (at < n && (run = gost_rx(app)).n > 0) {
        run.n = run.n < n - at ? run.n : n - at;
        send_masked(io, head, run.p, run.n, at);
        gost_consume(app, run.n);
        at += run.n;
    }
}

/* One frame of the message that is being sent, straight from app's queue. */
static int send_part(struct ws_state *s, struct gost_io *io, struct gost_io *app, size_t n)
{
    struct ws_head head = {.fin = n == s->out_left,
                           .opcode = s->out_begun ? WS_CONTINUATION : WS_BINARY,
                           .masked = s->client,
                           .length = n};

    send_head(io, &head);
    if (s->client)
        move_masked(io, app, &head);
    else if (gost_move(io, app, n) != n)
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    s->out_left -= (uint32_t)n;
    s->out_begun = s->out_left > 0;
    return GOST_OK;
}

/* As GOST: a client's message goes out in frames of the buffer's size, a server's in one. */
int ws_encode(void *state, const void *conf, struct gost_io *io)
{
    struct ws_state *s = state;
    const struct ws_conf *c = conf;
    struct gost_io *app = gost_app(io);
    size_t n;
    int r;

    while ((n = gost_rx_len(app)) > 0) {
        if (s->closed)
            return gost_fail(io, GOST_ECLOSED, "the peer closed the WebSocket");
        if (s->failed)
            return GOST_AGAIN;
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        s->answered = 0;
        n = n < WS_MESSAGE_MAX ? n : WS_MESSAGE_MAX;
        if (s->deflate) {
            if (ws_deflate(s, io, app, n, (size_t)c->write_size) != GOST_OK)
                return gost_fail(io, GOST_ENOMEM, "out of memory to compress a message");
            continue;
        }
        if (s->out_left == 0)
            s->out_left = (uint32_t)n;
        n = s->out_left;
        r = send_part(s, io, app, s->client && n > c->write_size ? (size_t)c->write_size : n);
        if (r != GOST_OK)
            return r;
    }
    return GOST_AGAIN;
}
