/* sni_cover.c - connector sni, and the layer that changes the first bytes it carries. */
/* SPDX-License-Identifier: MIT */
#include <gost/host.h>
#include <stdlib.h>

#include "sni.h"

enum {
    TAG_COVER = 1
};

#define COVER_TIMEOUT (15 * GOST_S) /* for the rest of a first message that came in part */

/* Nothing is said to the peer: it reads the name from the first bytes. */
static int sni_connect(void *state, const void *conf_, struct gost_io *io,
                       const struct gost_event *ev)
{
    const struct sni_connector_conf *conf = conf_;
    struct sni_connector_state *s = state;
    int r;

    if (ev->type == GOST_EV_RESULT)
        return ev->status == GOST_OK
                   ? GOST_OK
                   : gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no cover layer");
    if (ev->type == GOST_EV_CLOSED || ev->type == GOST_EV_CANCEL)
        return gost_fail(io, GOST_ECLOSED, "the peer closed");
    if (!conf->host || !conf->host[0])
        return GOST_OK;
    if (s->upgrading)
        return GOST_AGAIN;
    s->upgrading = 1;
    r = gost_upgrade_arg(io, TAG_COVER, 0, GOST_CLIENT, "sni.cover", gost_bytes_str(conf->host));
    return r == GOST_OK ? GOST_AGAIN : r;
}

const struct gost_connector_ops sni_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP,
    .connect = sni_connect,
};

static int cover_decode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_io *app = gost_app(io);

    for (;;) {
        if (gost_rx_eof(io)) {
            gost_shut(app);
            return GOST_END;
        }
        if (gost_tx_room(app) == 0)
            return GOST_FULL;
        if (gost_move(app, io, gost_rx_len(io)) == 0)
            return GOST_AGAIN;
    }
}

/* Try to rewrite what the user has sent so far. GOST_AGAIN: *need bytes must come first. */
static int cover_try(struct gost_io *io, struct gost_bytes in, struct gost_bytes host,
                     size_t *need)
{
    struct gost_http1_out out = {NULL, 0, in.n + SNI_COVER_EXTRA, 0};
    struct gost_bytes bare = host;
    const uint8_t *colon = host.n ? memchr(host.p, ':', host.n) : NULL;
    size_t used = 0;
    int r;

    if (in.p[0] != 0x16 && !sni_http_likely(in))
        return GOST_EUNSUPPORTED;
    out.p = malloc(out.size);
    if (!out.p)
        return GOST_ENOMEM;
    *need = in.n + 1;
    if (colon)
        bare.n = (size_t)(colon - host.p); /* a server name has no port */
    r = in.p[0] == 0x16 ? sni_hello_cover(&out, in, bare, &used, need)
                        : sni_http_cover(&out, in, host, &used);
    if (r == GOST_OK) {
        r = gost_send(io, out.p, out.n);
        gost_consume(gost_app(io), used);
    }
    free(out.p);
    return r;
}

static int cover_encode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_io *app = gost_app(io);
    struct sni_cover_state *s = state;
    size_t n = gost_rx_len(app), need = 0;
    const uint8_t *p;
    int r;

    if (!s->over && n > 0) {
        p = gost_peek(app, n < GOST_PEEK_MAX ? n : GOST_PEEK_MAX);
        if (!p)
            return GOST_AGAIN;
        r = cover_try(io, gost_bytes(p, n < GOST_PEEK_MAX ? n : GOST_PEEK_MAX), gost_arg(io),
                      &need);
        if (r == GOST_AGAIN && need <= GOST_PEEK_MAX) {
            if (!s->waiting)
                gost_set_deadline(io, gost_now() + COVER_TIMEOUT);
            s->waiting = 1;
            gost_want(app, need);
            return GOST_AGAIN;
        }
        gost_set_deadline(io, 0);
        if (r == GOST_ENOMEM)
            return gost_fail(io, r, "no memory to hide the host name");
        if (r != GOST_OK)
            gost_log(io, GOST_LOG_WARN, "the host name is not hidden: the connection starts with "
                                        "neither a ClientHello with a server name nor HTTP");
        s->over = 1;
        gost_move(io, app, gost_rx_len(app));
        gost_identity(io);
    }
    if (gost_rx_eof(app))
        return GOST_END;
    if (s->over)
        gost_move(io, app, gost_rx_len(app));
    return GOST_AGAIN;
}

static int cover_deadline(void *state, const void *conf, struct gost_io *io)
{
    return gost_fail(io, GOST_ETIMEDOUT, "the client sent only a part of its first message");
}

const struct gost_layer_ops sni_cover_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .flags = GOST_LAYER_CODEC,
    .decode = cover_decode,
    .encode = cover_encode,
    .on_deadline = cover_deadline,
};
