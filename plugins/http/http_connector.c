/* http_connector.c - ask an HTTP proxy for a connection with CONNECT. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http.h"

enum { TAG_CODEC = 1 };

/* Fields that are set here, or that a header map cannot set. */
static int is_fixed(const char *name)
{
    static const char *const fixed[] = {"host",    "user-agent",        "content-length",
                                        "trailer", "transfer-encoding", NULL};
    const char *const *f;

    for (f = fixed; *f; f++)
        if (gost_http1_is(gost_bytes_str(name), *f))
            return 1;
    return 0;
}

/* `authority` is empty when any UDP destination is meant. */
void http_put_connect(struct gost_http1_out *out, const struct http_connector_conf *conf,
                      const char *authority, int udp)
{
    const char *agent = "Go-http-client/1.1";
    char auth[16 + GOST_HTTP1_BASIC_MAX / 3 * 4 + 4];
    struct gost_http1_out value = {(uint8_t *)auth, 0, sizeof auth - 1, 0};
    struct gost_http1_list list;
    uint32_t i;

    list.n = 0;
    if (conf->username || conf->password.n) {
        gost_http1_put_basic(&value, gost_bytes_str(conf->username), conf->password);
        out->full |= value.full;
        auth[value.n] = 0;
        gost_http1_list_add(&list, "Proxy-Authorization", auth);
    }
    gost_http1_list_add(&list, "Proxy-Connection", "keep-alive");
    if (udp)
        gost_http1_list_add(&list, "X-Gost-Protocol", "udp");
    for (i = 0; i < conf->header.n; i++) {
        if (gost_http1_is(gost_bytes_str(conf->header.v[i].key), "user-agent"))
            agent = conf->header.v[i].value;
        else if (!is_fixed(conf->header.v[i].key))
            gost_http1_list_add(&list, conf->header.v[i].key, conf->header.v[i].value);
    }
    gost_http1_put_str(out, "CONNECT ");
    gost_http1_put_str(out, authority);
    gost_http1_put_str(out, " HTTP/1.1\r\n");
    gost_http1_put_field(out, gost_bytes_str("Host"), gost_bytes_str(authority));
    gost_http1_put_field(out, gost_bytes_str("User-Agent"), gost_bytes_str(agent));
    gost_http1_put_list(out, &list);
    gost_http1_put_str(out, "\r\n");
    gost_wipe(auth, sizeof auth);
}

static int start(struct http_connector_state *s, const struct http_connector_conf *conf,
                 struct gost_io *io, int udp, int any)
{
    char authority[GOST_ADDR_TEXT];
    struct gost_http1_out out;
    int r;

    s->udp = (uint32_t)udp;
    authority[0] = 0;
    if (!any)
        gost_addr_format(&gost_target(io)->addr, authority, sizeof authority);
    r = gost_http1_out_new(&out, 2048 + 2 * sizeof authority + gost_http1_map_size(&conf->header));
    if (r != GOST_OK)
        return gost_fail(io, r, "no memory for the CONNECT request");
    http_put_connect(&out, conf, authority, udp);
    r = gost_http1_out_send(io, &out);
    if (r != GOST_OK)
        return gost_fail(io, r, "the CONNECT request could not be sent");
    gost_phase(io, "the proxy's answer to CONNECT");
    if (conf->timeout)
        gost_set_deadline(io, gost_now() + conf->timeout);
    return GOST_AGAIN;
}

static int put_codec_on(struct gost_io *io, int any)
{
    uint8_t target[GOST_SOCKS_ADDR_MAX];
    size_t n = any ? 0 : gost_socks_addr_put(target, &gost_target(io)->addr);
    /* where packets without an address go */
    int r = gost_upgrade_arg(io, TAG_CODEC, 0, GOST_CLIENT, "http.udp", gost_bytes(target, n));

    return r == GOST_OK ? GOST_AGAIN : r;
}

/* Read heads until the final one. */
static int answer(struct http_connector_state *s, struct gost_io *io, int any)
{
    struct gost_http1_head head;
    const char *why = NULL;
    int r;

    do {
        r = gost_http1_read_head(io, &s->reader, 1, &head, &why);
        if (r == GOST_AGAIN && gost_rx_eof(io))
            return gost_fail(io, GOST_ECLOSED, "the proxy closed without an answer to CONNECT");
        if (r < 0)
            return gost_fail(io, r, "the proxy's answer to CONNECT is not HTTP/1: %s", why);
        if (r != GOST_OK)
            return r;
        if (head.status / 100 != 2 && head.status >= 200)
            return gost_fail(io, gost_http1_error(head.status),
                             "the proxy answered CONNECT with %u %.*s", (unsigned)head.status,
                             (int)(head.reason.n > 200 ? 200 : head.reason.n),
                             head.reason.n ? (const char *)head.reason.p : "");
        gost_consume(io, head.length);
        memset(&s->reader, 0, sizeof s->reader);
    } while (head.status < 200);
    gost_set_deadline(io, 0);
    return s->udp ? put_codec_on(io, any) : GOST_OK;
}

static int step(struct http_connector_state *s, const struct http_connector_conf *conf,
                struct gost_io *io, const struct gost_event *ev, int any)
{
    switch (ev->type) {
    case GOST_EV_START:
        return start(s, conf, io, any || gost_target(io)->network == GOST_NET_UDP, any);
    case GOST_EV_RESULT:
        return ev->status == GOST_OK
                   ? GOST_OK
                   : gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no UDP framing");
    case GOST_EV_DEADLINE:
        return gost_fail(io, GOST_ETIMEDOUT, "the proxy did not answer CONNECT within timeout");
    case GOST_EV_CANCEL:
        return gost_fail(io, GOST_ECANCELLED, "cancelled");
    case GOST_EV_EOF:
    case GOST_EV_CLOSED:
        if (gost_rx_len(io) == 0)
            return gost_fail(io, GOST_ECLOSED, "the proxy closed without an answer to CONNECT");
        return answer(s, io, any);
    default:
        return answer(s, io, any);
    }
}

static int http_connect(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    return step(state, conf, io, ev, 0);
}

static int http_associate(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    return step(state, conf, io, ev, 1);
}

int http_connector_prepare(void *conf_, struct gost_prepare *p)
{
    struct http_connector_conf *conf = conf_;
    const char *wrong = gost_http1_map_check(&conf->header);

    if (!wrong)
        wrong = gost_http1_basic_check(conf->username, conf->password);
    if (!wrong)
        return GOST_OK;
    snprintf(p->error, p->error_size, "%s", wrong);
    return GOST_EPROTO;
}

const struct gost_connector_ops http_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UDP,
    .connect = http_connect,
    .associate = http_associate,
};
