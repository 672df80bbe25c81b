/* http_exchange.c - one request and its response, by the shared exchange. */
/* SPDX-License-Identifier: MIT */
#include "http.h"

static int failed(const struct gost_http1_how *how, struct gost_io *io, int code, const char *text)
{
    return http_forward_failed(how->owner, how->conf, io, code, text);
}

static int repeat(const struct gost_http1_how *how, struct gost_io *io)
{
    return http_forward_repeat(how->owner, io);
}

static int next(const struct gost_http1_how *how, struct gost_io *io)
{
    struct http_state *s = how->owner;

    if (!s->x.keep_upstream)
        http_upstream_close(s, io);
    return http_next_request(s, how->conf, io);
}

struct gost_http1_how http_how(struct http_state *s, const struct http_conf *conf)
{
    struct gost_http1_how how = {.read_timeout = conf->read_timeout,
                                 .idle_timeout = conf->idle_timeout,
                                 .keepalive = conf->keepalive,
                                 .tag_up = HTTP_TAG_PUMP_UP,
                                 .tag_down = HTTP_TAG_PUMP_DOWN,
                                 .owner = s,
                                 .conf = conf,
                                 .failed = failed,
                                 .repeat = repeat,
                                 .next = next};

    return how;
}

int http_exchange(struct http_state *s, const struct http_conf *conf, struct gost_io *io)
{
    struct gost_http1_how how = http_how(s, conf);
    int r = gost_http1_go_on(&s->x, &how, io);

    if (s->x.switched)
        s->phase = HTTP_TUNNEL;
    return r;
}
