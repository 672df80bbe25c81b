/* http2_connector.c - ask an HTTP/2 proxy with CONNECT: one stream of the session for each. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http2.h"

enum { TAG_CODEC = 1 };

static int start(const struct http2_connector_conf *c, struct gost_io *io)
{
    struct gost_exchange_connect q = {0};
    char authority[GOST_ADDR_TEXT];
    int agent = 0;
    uint32_t i;

    gost_addr_format(&gost_target(io)->addr, authority, sizeof authority);
    q.head.authority = gost_bytes_str(authority);
    gost_exchange_put_login(&q, c->username, c->password);
    for (i = 0; i < c->fields.n; i++) {
        agent |= gost_bytes_eq(c->fields.v[i].name, gost_bytes_str("user-agent"));
        gost_exchange_put(&q, c->fields.v[i].name, c->fields.v[i].value);
    }
    return gost_exchange_connect_send(&q, io, agent ? NULL : "Go-http-client/2.0", c->timeout);
}

static int answer(struct gost_io *io, const struct gost_event *ev)
{
    struct gost_head h;
    int r = gost_exchange_connect_answer(io, ev, &h);

    return r == GOST_OK ? gost_asked(gost_upgrade(io, TAG_CODEC, 0, GOST_CLIENT, "http2.tunnel"))
                        : r;
}

static int http2_connect(void *state, const void *conf, struct gost_io *io,
                         const struct gost_event *ev)
{
    switch (ev->type) {
    case GOST_EV_START:
        return start(conf, io);
    case GOST_EV_RESULT:
        return ev->status == GOST_OK
                   ? GOST_OK
                   : gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no tunnel");
    default:
        return answer(io, ev);
    }
}

int http2_connector_prepare(void *conf, struct gost_prepare *p)
{
    struct http2_connector_conf *c = conf;
    const char *wrong = http2_map_check(&c->header);

    if (!wrong)
        wrong = gost_http1_basic_check(c->username, c->password);
    if (!wrong && http2_list_make(&c->fields, &c->header) != GOST_OK)
        wrong = "out of memory";
    if (!wrong)
        return GOST_OK;
    snprintf(p->error, p->error_size, "%s", wrong);
    return GOST_EPROTO;
}

void http2_connector_release(void *conf)
{
    struct http2_connector_conf *c = conf;

    http2_list_free(&c->fields);
}

const struct gost_connector_ops http2_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP,
    .connect = http2_connect,
    .accepts = GOST_EXCHANGE,
};
