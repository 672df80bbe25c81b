/* tunnel_http_head.c - heads of requests at an entry point: what they are for, and passing on. */
/* SPDX-License-Identifier: MIT */
#include "tunnel_entry.h"

/* "http://authority/path", or a path and the field Host. */
int tunnel_request_parse(struct tunnel_request *ret, const struct gost_http1_head *head)
{
    static const char scheme[] = "http://";
    struct tunnel_request t = {.authority = gost_http1_get(head, "host"), .path = head->target};
    size_t n = sizeof scheme - 1, i;

    if (head->target.n > n && gost_http1_is(gost_bytes(head->target.p, n), scheme)) {
        for (i = n; i < head->target.n && head->target.p[i] != '/' && head->target.p[i] != '?'; i++)
            ;
        t.authority = gost_bytes(head->target.p + n, i - n);
        t.path = gost_bytes(head->target.p + i, head->target.n - i);
    }
    for (i = 0; i < t.authority.n; i++)
        if (t.authority.p[i] <= ' ' || t.authority.p[i] == '@')
            return GOST_EPROTO;
    if (!t.authority.n ||
        gost_addr_parse(&t.addr, (const char *)t.authority.p, t.authority.n, 80) != GOST_OK ||
        t.addr.family == GOST_AF_NONE)
        return GOST_EPROTO;
    *ret = t;
    return GOST_OK;
}

/* Fields that go in front, or are ours. */
static int is_own(struct gost_bytes name)
{
    static const char *const names[] = {"host",     "user-agent",  "gost-forwarded-node",
                                        "gost-sid", "gost-record", NULL};
    const char *const *n;

    for (n = names; *n; n++)
        if (gost_http1_is(name, *n))
            return 1;
    return 0;
}

void tunnel_request_put(struct gost_http1_out *out, const struct gost_http1_head *head,
                        const struct tunnel_request *req, const char *node, const char *sid,
                        uint32_t flags)
{
    struct gost_bytes agent = gost_http1_get(head, "user-agent"),
                      given = gost_http1_get(head, "gost-sid");
    uint32_t i;

    gost_http1_put(out, head->method);
    gost_http1_put_str(out, " ");
    if (!req->path.n || req->path.p[0] == '?')
        gost_http1_put_str(out, "/");
    gost_http1_put(out, req->path);
    gost_http1_put_str(out, " HTTP/1.1\r\n");
    gost_http1_put_field(out, gost_bytes_str("Host"), req->authority);
    gost_http1_put_field(out, gost_bytes_str("User-Agent"),
                         agent.p ? agent : gost_bytes_str("Go-http-client/1.1"));
    gost_http1_put_field(out, gost_bytes_str("Gost-Forwarded-Node"), gost_bytes_str(node));
    gost_http1_put_field(out, gost_bytes_str("Gost-Sid"), given.n ? given : gost_bytes_str(sid));
    for (i = 0; i < head->n_fields; i++)
        if (!is_own(head->field[i].name) && !gost_http1_hop_by_hop(head, i))
            gost_http1_put_field(out, head->field[i].name, head->field[i].value);
    gost_http1_put_connection(out, head, flags);
    gost_http1_put_str(out, "\r\n");
}

int tunnel_request_loops(const struct gost_http1_head *head, const char *node)
{
    uint32_t i;

    for (i = 0; i < head->n_fields; i++)
        if (gost_http1_is(head->field[i].name, "gost-forwarded-node") && head->field[i].value.n &&
            memmem(head->field[i].value.p, head->field[i].value.n, node, strlen(node)))
            return 1;
    return 0;
}

void tunnel_sid_text(char text[TUNNEL_SID], const uint8_t id[12])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned i, bit;

    for (i = 0; i < TUNNEL_SID - 1; i++) {
        unsigned at = i * 5 / 8, v = (unsigned)id[at] << 8 | (at + 1 < 12 ? id[at + 1] : 0);

        bit = i * 5 % 8;
        text[i] = digits[v >> (11 - bit) & 31];
    }
    text[TUNNEL_SID - 1] = 0;
}
