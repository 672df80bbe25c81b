/* sni_handler.c - handler sni: relay to the host that a ClientHello or an HTTP head names. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <gost/plugin.h>

#include "sni.h"

enum {
    TAG_DIAL = 1
};

struct sni_conf {
    uint64_t read_timeout; /* ns */
};

struct sni_state {
    uint32_t dialing;
    uint32_t line_ok;
    size_t scanned;
};

/* The host of an HTTP request head. */
static int http_addr(struct sni_state *s, struct gost_bytes in, struct gost_addr *ret_addr,
                     const char **why)
{
    struct gost_http1_head head;
    struct gost_bytes host;
    int r;

    if (!gost_http1_find_end(in, &s->scanned) && s->line_ok && in.n < GOST_HTTP1_HEAD_MAX)
        return GOST_AGAIN;
    r = gost_http1_parse_request(&head, in, why);
    s->line_ok = r == GOST_AGAIN && in.n > 2 && memchr(in.p + 2, '\n', in.n - 2) != NULL;
    if (r != GOST_OK)
        return r;
    *why = "it has no usable Host";
    host = gost_http1_get(&head, "host");
    if (host.n == 0)
        return GOST_EPROTO;
    return gost_addr_parse(ret_addr, (const char *)host.p, host.n, 80);
}

static int tls_addr(struct gost_bytes in, size_t *need, struct gost_addr *ret_addr,
                    const char **why)
{
    char name[SNI_NAME_MAX];
    int r;

    *why = "the ClientHello is malformed";
    r = sni_hello_name(in, need, name);
    if (r != GOST_OK)
        return r;
    *why = "the ClientHello has no server name";
    if (name[0] == 0)
        return GOST_EPROTO;
    return gost_addr_set_host(ret_addr, name, strlen(name), 443);
}

static int look(struct sni_state *s, struct gost_io *io)
{
    size_t n = gost_rx_len(io), need;
    struct gost_addr addr;
    const char *why = NULL;
    const uint8_t *p;
    int r;

    if (n > GOST_PEEK_MAX)
        n = GOST_PEEK_MAX;
    p = n ? gost_peek(io, n) : NULL;
    if (!p)
        return gost_rx_eof(io) ? GOST_OK : GOST_AGAIN;
    need = n + 1;
    r = p[0] == 0x16 ? tls_addr(gost_bytes(p, n), &need, &addr, &why)
                     : http_addr(s, gost_bytes(p, n), &addr, &why);
    if (r == GOST_AGAIN && need > GOST_PEEK_MAX)
        return gost_fail(io, GOST_ETOOBIG, "the client's first message is longer than %d bytes",
                         GOST_PEEK_MAX);
    if (r == GOST_AGAIN) {
        gost_want(io, need);
        return GOST_AGAIN;
    }
    if (r == GOST_OK && (addr.family == GOST_AF_NONE || addr.port == 0))
        r = GOST_EPROTO;
    if (r != GOST_OK)
        return gost_fail(io, r, "no host in the client's first message: %s", why);
    s->dialing = 1;
    gost_set_deadline(io, 0);
    gost_phase(io, "the target");
    r = gost_dial(io, TAG_DIAL, 1, GOST_NET_TCP, &addr);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int sni_step(void *state, const void *conf_, struct gost_io *io,
                    const struct gost_event *ev)
{
    const struct sni_conf *conf = conf_;
    struct sni_state *s = state;
    int r;

    switch (ev->type) {
    case GOST_EV_RESULT:
        if (ev->status != GOST_OK)
            return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the target was not "
                                                                         "reached");
        r = gost_relay(io, 0, 1, 0);
        return r == GOST_OK ? GOST_AGAIN : r;
    case GOST_EV_DEADLINE:
        return gost_fail(io, GOST_ETIMEDOUT, "the client sent no ClientHello or HTTP request "
                                             "within readTimeout");
    case GOST_EV_START:
        gost_phase(io, "the client's first message");
        if (conf->read_timeout)
            gost_set_deadline(io, gost_now() + conf->read_timeout);
        break;
    case GOST_EV_CLOSED:
        return s->dialing ? gost_fail(io, GOST_ECLOSED, "the client went away") : GOST_OK;
    case GOST_EV_EOF:
        if (!s->dialing)
            r = look(s, io);
        else
            return GOST_AGAIN;
        return r == GOST_AGAIN && !s->dialing
                   ? gost_fail(io, GOST_ECLOSED, "the client closed before it named a host")
                   : r;
    default:
        break;
    }
    return s->dialing ? GOST_AGAIN : look(s, io);
}

static int sni_prepare(void *conf_, struct gost_prepare *p)
{
    struct sni_conf *conf = conf_;

    if (conf->read_timeout == 0)
        conf->read_timeout = 15 * GOST_S;
    return GOST_OK;
}

static int sni_connector_prepare(void *conf_, struct gost_prepare *p)
{
    const struct sni_connector_conf *conf = conf_;
    struct gost_bytes host = gost_bytes_str(conf->host);

    if (host.n < SNI_NAME_MAX && gost_http1_valid_value(host) &&
        !(conf->host && strchr(conf->host, ' ')))
        return GOST_OK;
    snprintf(p->error, p->error_size, "host '%.100s' is not a host name of at most %d bytes",
             conf->host, SNI_NAME_MAX - 1);
    return GOST_EPROTO;
}

static const struct gost_opt handler_options[] = {
    GOST_OPT_DURATION(struct sni_conf, read_timeout, "readTimeout", "15s", 0, 0, 0,
                      "longest wait for the client's first message; 0: 15s"),
    GOST_OPT_LAST,
};

static const struct gost_opt connector_options[] = {
    GOST_OPT_STRING(struct sni_connector_conf, host, "host", NULL, 0,
                    "name shown instead of the real one, which older gost servers still find"),
    GOST_OPT_LAST,
};

static const struct gost_handler_ops handler_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_STREAM,
    .step = sni_step,
};

static const struct gost_component components[] = {
    {
        .kind = GOST_KIND_HANDLER,
        .name = "sni",
        .summary = "relay to the host named in TLS or HTTP",
        .ops = &handler_ops,
        .options = handler_options,
        .conf_size = sizeof(struct sni_conf),
        .state_size = sizeof(struct sni_state),
        .prepare = sni_prepare,
    },
    {
        .kind = GOST_KIND_CONNECTOR,
        .name = "sni",
        .summary = "pass connections to an sni server as they are",
        .ops = &sni_connector_ops,
        .options = connector_options,
        .conf_size = sizeof(struct sni_connector_conf),
        .state_size = sizeof(struct sni_connector_state),
        .prepare = sni_connector_prepare,
    },
    {
        .kind = GOST_KIND_LAYER,
        .name = "sni.cover",
        .summary = "hides the host name in the first bytes",
        .ops = &sni_cover_ops,
        .state_size = sizeof(struct sni_cover_state),
    },
};

GOST_PLUGIN("sni", "1.0", "MIT", "proxy without a protocol of its own", components,
            "handler:sni connector:sni layer:sni.cover");
