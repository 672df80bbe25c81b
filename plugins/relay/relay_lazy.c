/* relay_lazy.c - GOST's nodelay=false: request and response travel with the first bytes behind
 * them. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>

#include "relay.h"

#define HOLD_NS \
    (20 * GOST_MS) /* a server that speaks first must not wait for a client that listens */

static void move_all(struct gost_io *to, struct gost_io *from)
{
    (void)gost_move(to, from, gost_rx_len(from));
}

/* ---- server: the OK response goes with the first bytes of the target ---- */

static int response_encode(void *state, const void *conf, struct gost_io *io)
{
    static const uint8_t ok[GOST_RELAY_HEAD] = {1, GOST_RELAY_OK, 0, 0};
    struct gost_io *app = gost_app(io);

    if (!gost_rx_len(app) && !gost_rx_eof(app))
        return GOST_AGAIN;
    gost_send(io, ok, sizeof ok);
    move_all(io, app);
    gost_identity(io);
    return GOST_AGAIN;
}

static int response_decode(void *state, const void *conf, struct gost_io *io)
{
    move_all(gost_app(io), io);
    return GOST_AGAIN;
}

const struct gost_layer_ops relay_response_layer = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_CODEC,
    .decode = response_decode,
    .encode = response_encode,
};

/* ---- client: the request (our arg) goes with the first bytes of the user ---- */

static int request_open(void *state, const void *conf, struct gost_io *io)
{
    gost_set_deadline(io, gost_now() + HOLD_NS);
    return GOST_OK;
}

static void send_request(struct relay_lazy *l, struct gost_io *io)
{
    struct gost_bytes request = gost_arg(io);

    if (l->sent)
        return;
    l->sent = 1;
    gost_set_deadline(io, 0);
    gost_send(io, request.p, request.n);
}

static void maybe_identity(const struct relay_lazy *l, struct gost_io *io)
{
    if (l->sent && l->answered)
        gost_identity(io);
}

static int request_encode(void *state, const void *conf, struct gost_io *io)
{
    struct relay_lazy *l = state;
    struct gost_io *app = gost_app(io);

    if (!gost_rx_len(app) && !gost_rx_eof(app))
        return GOST_AGAIN;
    send_request(l, io);
    move_all(io, app);
    maybe_identity(l, io);
    return GOST_AGAIN;
}

static int request_deadline(void *state, const void *conf, struct gost_io *io)
{
    send_request(state, io);
    return GOST_AGAIN;
}

static int request_decode(void *state, const void *conf, struct gost_io *io)
{
    struct relay_lazy *l = state;
    const uint8_t *p;
    int n;

    if (!l->answered) {
        p = gost_peek(io, GOST_RELAY_HEAD);
        if (!p && gost_rx_eof(io) && !gost_rx_len(io))
            return GOST_END; /* a target that ends without a byte: GOST sends no answer either */
        if (!p && gost_rx_eof(io))
            return gost_fail(io, GOST_ECLOSED, "the relay closed the connection before its answer");
        if (!p)
            return GOST_AGAIN;
        n = gost_relay_head(p);
        if (n < 0)
            return gost_fail(io, GOST_EPROTO, "the node does not speak relay (first byte 0x%02x)",
                             p[0]);
        if (p[1] != GOST_RELAY_OK)
            return gost_fail(io, gost_relay_error(p[1]), "the relay answers %u: %s", p[1],
                             gost_relay_text(p[1]));
        if (gost_rx_len(io) < GOST_RELAY_HEAD + (size_t)n) {
            gost_want(io, GOST_RELAY_HEAD + (size_t)n);
            return GOST_AGAIN;
        }
        gost_consume(io, GOST_RELAY_HEAD + (size_t)n);
        l->answered = 1;
    }
    move_all(gost_app(io), io);
    maybe_identity(l, io);
    return GOST_AGAIN;
}

const struct gost_layer_ops relay_request_layer = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_CODEC,
    .open = request_open,
    .decode = request_decode,
    .encode = request_encode,
    .on_deadline = request_deadline,
};
