/* hello.c - a complete handler: "HELLO user secret host:port\n", the answer "OK\n", then a relay.
 * */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

#include "hello.h"

struct conf {
    const char *greeting;
    uint64_t timeout;
};

enum phase { REQUEST, AUTH, DIAL };

struct hello {
    enum phase phase;
    struct gost_addr target;
};

static int on_request(struct hello *h, const struct conf *conf, struct gost_io *io)
{
    struct hello_request rq;
    size_t len = gost_rx_len(io) < HELLO_MAX ? gost_rx_len(io) : HELLO_MAX;
    int n = hello_parse(gost_bytes(len ? gost_peek(io, len) : NULL, len), &rq);

    if (n < 0)
        return gost_fail(io, GOST_EPROTO, "expected \"HELLO user secret host:port\"");
    if (n == 0)
        gost_want(io, len + 1); /* not before there is more */
    if (n == 0)
        return gost_rx_eof(io) ? gost_fail(io, GOST_ECLOSED, "the client left early") : GOST_AGAIN;
    h->target = rq.target;
    h->phase = AUTH;
    n = gost_auth(io, AUTH, rq.user, rq.secret) ? GOST_EINTERNAL : n;
    if (n > 0)
        gost_consume(io, (size_t)n); /* the views in rq end here */
    return n < 0 ? n : GOST_AGAIN;
}

static int step(void *state, const void *c, struct gost_io *io, const struct gost_event *ev)
{
    struct hello *h = state;
    const struct conf *conf = c;

    if (ev->type == GOST_EV_START)
        gost_set_deadline(io, gost_now() + conf->timeout);
    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "no request in time");
    if (h->phase == REQUEST)
        return on_request(h, conf, io);
    if (ev->type != GOST_EV_RESULT)
        return ev->type == GOST_EV_CLOSED && ev->port == 0 ? GOST_ECLOSED : GOST_AGAIN;
    if (ev->status) {
        gost_send(io, "NO\n", 3);
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "refused");
    }
    if (h->phase == AUTH) {
        h->phase = DIAL;
        gost_dial(io, DIAL, 1, GOST_NET_TCP, &h->target);
        return GOST_AGAIN;
    }
    gost_set_deadline(io, 0);
    gost_send(io, conf->greeting, strlen(conf->greeting));
    gost_send(io, "\n", 1);
    gost_relay(io, 0, 1, 0);
    return GOST_AGAIN;
}

static const struct gost_opt options[] = {GOST_OPT_STRING(struct conf, greeting, "greeting", "OK",
                                                          GOST_OPT_SERVER, "what a client is told"),
                                          GOST_OPT_DURATION(struct conf, timeout, "readTimeout",
                                                            "15s", 1, 3600000, GOST_OPT_SERVER,
                                                            "how long the request may take"),
                                          GOST_OPT_LAST};
static const struct gost_handler_ops ops = {sizeof ops, GOST_STREAM, step, NULL};
static const struct gost_component components[] = {
    {GOST_KIND_HANDLER, 0, "hello", NULL, "a greeting, then a relay", &ops, options,
     sizeof(struct conf), sizeof(struct hello), NULL, NULL}};
GOST_PLUGIN("hello", "1.0", "MIT", "the plugin template", components, "handler:hello");
