/* relay_wire.c - encoding and decoding of relay messages. */
/* SPDX-License-Identifier: MIT */
#include "relay.h"

enum feature { USER_AUTH = 1, ADDR = 2, NETWORK = 4 };

int relay_head(const uint8_t head[RELAY_HEAD])
{
    return head[0] == 1 ? gost_get16(head + 2) : GOST_EPROTO;
}

static int user_auth(struct relay_message *m, struct gost_bytes b)
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

int relay_features(struct relay_message *m, struct gost_bytes f)
{
    while (f.n) {
        struct gost_bytes body;
        int r = GOST_OK;

        if (f.n < 3 || f.n < 3u + gost_get16(f.p + 1))
            return GOST_EPROTO;
        body = gost_bytes(f.p + 3, gost_get16(f.p + 1));
        if (f.p[0] == USER_AUTH) {
            r = user_auth(m, body);
        } else if (f.p[0] == ADDR && !m->has_addr) {
            r = gost_socks_addr_parse(&m->addr, body) > 0 ? GOST_OK : GOST_EPROTO;
            m->has_addr = 1;
            mend_name(&m->addr);
        } else if (f.p[0] == NETWORK) {
            if (body.n < 2)
                return GOST_EPROTO;
            m->network = gost_get16(body.p);
            m->has_network = 1;
        }
        if (r != GOST_OK)
            return r;
        f = gost_bytes(body.p + body.n, f.n - 3 - body.n);
    }
    return GOST_OK;
}

static uint8_t *put_network(uint8_t *p, uint16_t network)
{
    *p++ = NETWORK;
    return gost_put16(gost_put16(p, 2), network);
}

static uint8_t *put_auth(uint8_t *p, const struct relay_message *m)
{
    size_t u = m->user.n < 255 ? m->user.n : 255, k = m->password.n < 255 ? m->password.n : 255;

    *p++ = USER_AUTH;
    p = gost_put16(p, (uint16_t)(2 + u + k));
    *p++ = (uint8_t)u;
    if (u)
        memcpy(p, m->user.p, u);
    p += u;
    *p++ = (uint8_t)k;
    if (k)
        memcpy(p, m->password.p, k);
    return p + k;
}

static uint8_t *put_addr(uint8_t *p, const struct gost_addr *a)
{
    size_t n = gost_socks_addr_put(p + 3, a);

    *p = ADDR;
    gost_put16(p + 1, (uint16_t)n);
    return p + 3 + n;
}

size_t relay_put_request(uint8_t buf[RELAY_REQUEST_MAX], const struct relay_message *m, int bind)
{
    static const uint8_t no_target[] = {ADDR, 0, 4, 3, 0, 0, 0}; /* an empty name, port 0 */
    uint8_t *p = buf + RELAY_HEAD;

    if (!bind && m->network != RELAY_TCP)
        p = put_network(p, m->network);
    if (m->has_auth)
        p = put_auth(p, m);
    if (bind)
        p = put_network(p, m->network);
    if (m->has_addr && m->addr.family == GOST_AF_NONE && m->addr.port == 0 && !bind) {
        memcpy(p, no_target, sizeof no_target);
        p += sizeof no_target;
    } else if (m->has_addr) {
        p = put_addr(p, &m->addr);
    }
    buf[0] = 1;
    buf[1] = m->code;
    gost_put16(buf + 2, (uint16_t)(p - buf - RELAY_HEAD));
    return (size_t)(p - buf);
}

size_t relay_put_response(uint8_t buf[RELAY_RESPONSE_MAX], uint8_t status,
                          const struct gost_addr *addr)
{
    uint8_t *p = buf + RELAY_HEAD;

    if (addr)
        p = put_addr(p, addr);
    buf[0] = 1;
    buf[1] = status;
    gost_put16(buf + 2, (uint16_t)(p - buf - RELAY_HEAD));
    return (size_t)(p - buf);
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
    {GOST_EPEER, "internal error of the relay"},
};

int relay_error_of(uint8_t status)
{
    return status < sizeof statuses / sizeof statuses[0] ? statuses[status].error : GOST_EPEER;
}

const char *relay_status_text(uint8_t status)
{
    return status < sizeof statuses / sizeof statuses[0] ? statuses[status].text : "unknown status";
}

uint32_t relay_to_network(const struct relay_message *m)
{
    if (m->code & RELAY_UDP_FLAG)
        return GOST_NET_UDP;
    switch (m->has_network ? m->network : RELAY_TCP) {
    case RELAY_UDP:
        return GOST_NET_UDP;
    case RELAY_IP:
        return GOST_NET_IP;
    case RELAY_UNIX:
        return GOST_NET_UNIX;
    case RELAY_SERIAL:
        return GOST_NET_SERIAL;
    default:
        return GOST_NET_TCP;
    }
}
