/* relay_message.c - encoding and decoding of relay messages: pure functions. */
/* SPDX-License-Identifier: MIT */
#include "relay_message.h"

enum feature { USER_AUTH = 1, ADDR = 2, ID = 3, NETWORK = 4 };

int gost_relay_head(const uint8_t head[GOST_RELAY_HEAD])
{
    return head[0] == 1 ? gost_get16(head + 2) : GOST_EPROTO;
}

static int user_auth(struct gost_relay_message *m, struct gost_bytes b)
{
    size_t u, p;

    if (b.n < 1 || b.n < 2u + b.p[0])
        return GOST_EPROTO;
    u = b.p[0];
    p = b.p[1 + u];
    if (b.n < 2 + u + p)
        return GOST_EPROTO;
    m->user = gost_bytes(b.p + 1, u);
    m->password = gost_bytes(b.p + 2 + u, p);
    m->has_auth = 1;
    return GOST_OK;
}

/* Some builds write ":2222" as the name "0.0.0.0::2222" with port 0: take the port from its end. */
static void mend_name(struct gost_addr *a)
{
    const char *colon = a->family == GOST_AF_NAME && a->port == 0 ? strrchr(a->name, ':') : NULL;
    unsigned port = 0;
    const char *p;

    if (!colon || colon == a->name)
        return;
    for (p = colon + 1; *p >= '0' && *p <= '9' && port < 65536; p++)
        port = port * 10 + (unsigned)(*p - '0');
    if (*p || p == colon + 1 || port > 65535)
        return;
    memset(a, 0, sizeof *a);
    a->port = (uint16_t)port;
}

static int address(struct gost_relay_message *m, struct gost_bytes b)
{
    struct gost_addr *a = m->n_addr == 0 ? &m->addr : &m->second;

    if (m->n_addr == 2)
        return GOST_OK;
    if (gost_socks_addr_parse(a, b) <= 0)
        return GOST_EPROTO;
    m->n_addr++;
    mend_name(a);
    return GOST_OK;
}

static int feature(struct gost_relay_message *m, uint8_t type, struct gost_bytes body)
{
    switch (type) {
    case USER_AUTH:
        return user_auth(m, body);
    case ADDR:
        return address(m, body);
    case ID: /* older ones send the UUID alone */
        if (body.n < 16)
            return GOST_EPROTO;
        memset(m->id, 0, sizeof m->id);
        memcpy(m->id, body.p, body.n < sizeof m->id ? body.n : sizeof m->id);
        m->has_id = 1;
        return GOST_OK;
    case NETWORK:
        if (body.n < 2)
            return GOST_EPROTO;
        m->network = gost_get16(body.p);
        m->has_network = 1;
        return GOST_OK;
    default:
        return GOST_OK;
    }
}

int gost_relay_features(struct gost_relay_message *m, struct gost_bytes f)
{
    while (f.n) {
        struct gost_bytes body;
        int r;

        if (f.n < 3 || f.n < 3u + gost_get16(f.p + 1))
            return GOST_EPROTO;
        body = gost_bytes(f.p + 3, gost_get16(f.p + 1));
        r = feature(m, f.p[0], body);
        if (r != GOST_OK)
            return r;
        f = gost_bytes(body.p + body.n, f.n - 3 - body.n);
    }
    return GOST_OK;
}

uint8_t *gost_relay_put_network(uint8_t *p, uint16_t network)
{
    *p++ = NETWORK;
    return gost_put16(gost_put16(p, 2), network);
}

uint8_t *gost_relay_put_auth(uint8_t *p, struct gost_bytes user, struct gost_bytes password)
{
    size_t u = user.n < 255 ? user.n : 255, k = password.n < 255 ? password.n : 255;

    *p++ = USER_AUTH;
    p = gost_put16(p, (uint16_t)(2 + u + k));
    *p++ = (uint8_t)u;
    if (u)
        memcpy(p, user.p, u);
    p += u;
    *p++ = (uint8_t)k;
    if (k)
        memcpy(p, password.p, k);
    return p + k;
}

uint8_t *gost_relay_put_addr(uint8_t *p, const struct gost_addr *a)
{
    size_t n = gost_socks_addr_put(p + 3, a);

    *p = ADDR;
    gost_put16(p + 1, (uint16_t)n);
    return p + 3 + n;
}

uint8_t *gost_relay_put_id(uint8_t *p, const uint8_t id[GOST_RELAY_ID])
{
    *p++ = ID;
    p = gost_put16(p, GOST_RELAY_ID);
    memcpy(p, id, GOST_RELAY_ID);
    return p + GOST_RELAY_ID;
}

size_t gost_relay_finish(uint8_t *buf, uint8_t code, const uint8_t *end)
{
    buf[0] = 1;
    buf[1] = code;
    gost_put16(buf + 2, (uint16_t)(end - buf - GOST_RELAY_HEAD));
    return (size_t)(end - buf);
}

size_t gost_relay_put_response(uint8_t buf[GOST_RELAY_RESPONSE_MAX], uint8_t status,
                               const struct gost_addr *addr)
{
    uint8_t *p = buf + GOST_RELAY_HEAD;

    return gost_relay_finish(buf, status, addr ? gost_relay_put_addr(p, addr) : p);
}

static const struct {
    int error;
    const char *text;
} statuses[] = {
    {GOST_OK, "success"},
    {GOST_EPROTO, "bad request"},
    {GOST_EAUTH, "user name or password refused"},
    {GOST_EDENIED, "forbidden"},
    {GOST_ETIMEDOUT, "timed out"},
    {GOST_ENOROUTE, "service unavailable"},
    {GOST_EUNREACHABLE, "host unreachable"},
    {GOST_EUNREACHABLE, "network unreachable"},
    {GOST_EPEER, "internal error"},
};

int gost_relay_error(uint8_t status)
{
    return status < sizeof statuses / sizeof statuses[0] ? statuses[status].error : GOST_EPEER;
}

const char *gost_relay_text(uint8_t status)
{
    return status < sizeof statuses / sizeof statuses[0] ? statuses[status].text : "unknown status";
}

uint32_t gost_relay_to_network(const struct gost_relay_message *m)
{
    if (m->code & GOST_RELAY_UDP_FLAG)
        return GOST_NET_UDP;
    switch (m->has_network ? m->network : GOST_RELAY_TCP) {
    case GOST_RELAY_UDP:
        return GOST_NET_UDP;
    case GOST_RELAY_IP:
        return GOST_NET_IP;
    case GOST_RELAY_UNIX:
        return GOST_NET_UNIX;
    case GOST_RELAY_SERIAL:
        return GOST_NET_SERIAL;
    default:
        return GOST_NET_TCP;
    }
}
