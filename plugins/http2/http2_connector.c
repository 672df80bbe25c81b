/* http2_connector.c - ask an HTTP/2 proxy with CONNECT: one stream of the session for each. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "http2.h"

enum { TAG_CODEC = 1 };

#define FIELDS_MAX 80u

static int start(const struct http2_connector_conf *c, struct gost_io *io)
{
    char authority[GOST_ADDR_TEXT], auth[16 + GOST_HTTP1_BASIC_MAX / 3 * 4 + 4];
    struct gost_http1_out value = {(uint8_t *)auth, 0, sizeof auth, 0};
    struct gost_field f[FIELDS_MAX];
    struct gost_head h = {.size = sizeof h, .fields = f};
    int r, agent = 0;
    uint32_t i;

    gost_addr_format(&gost_target(io)->addr, authority, sizeof authority);
    h.method = gost_bytes_str("CONNECT");
    h.authority = gost_bytes_str(authority);
    if (c->username || c->password.n) {
        gost_http1_put_basic(&value, gost_bytes_str(c->username), c->password);
        f[h.n_fields].name = gost_bytes_str("proxy-authorization");
        f[h.n_fields++].value = gost_bytes(auth, value.n);
    }
    for (i = 0; i < c->fields.n; i++) {
        agent |= gost_bytes_eq(c->fields.v[i].name, gost_bytes_str("user-agent"));
        f[h.n_fields++] = c->fields.v[i];
    }
    f[h.n_fields].name = gost_bytes_str("accept-encoding");
    f[h.n_fields++].value = gost_bytes_str("gzip");
    if (!agent) {
        f[h.n_fields].name = gost_bytes_str("user-agent");
        f[h.n_fields++].value = gost_bytes_str("Go-http-client/2.0");
    }
    r = gost_head_send(io, &h);
    gost_wipe(auth, sizeof auth);
    if (r != GOST_OK)
        return gost_fail(io, r, "the CONNECT request could not be sent");
    gost_phase(io, "the proxy's answer to CONNECT");
    if (c->timeout)
        gost_set_deadline(io, gost_now() + c->timeout);
    return GOST_AGAIN;
}

static int answer(struct gost_io *io)
{
    struct gost_head h;
    int r;

    do {
        r = gost_head_recv(io, &h);
        if (r == GOST_AGAIN)
            return GOST_AGAIN;
        if (r != GOST_OK)
            return gost_fail(io, GOST_ECLOSED, "the proxy ended without an answer to CONNECT");
    } while (h.flags & GOST_HEAD_INTERIM);
    if (h.status != 200)
        return gost_fail(io, gost_http1_error(h.status), "the proxy answered CONNECT with %u %s",
                         (unsigned)h.status, gost_http1_reason(h.status));
    gost_set_deadline(io, 0);
    r = gost_upgrade(io, TAG_CODEC, 0, GOST_CLIENT, "http2.tunnel");
    return r == GOST_OK ? GOST_AGAIN : r;
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
    case GOST_EV_DEADLINE:
        return gost_fail(io, GOST_ETIMEDOUT, "the proxy did not answer CONNECT within timeout");
    case GOST_EV_CANCEL:
        return gost_fail(io, GOST_ECANCELLED, "cancelled");
    default:
        return answer(io);
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
