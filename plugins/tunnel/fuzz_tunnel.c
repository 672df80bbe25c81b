/* fuzz_tunnel.c - requests of relays and of web clients, rules and ids from arbitrary bytes. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tunnel_entry.h"

const struct gost_host *gost_host_;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void relay(struct gost_bytes in)
{
    uint8_t buf[GOST_RELAY_REQUEST_MAX], *p = buf + GOST_RELAY_HEAD;
    struct gost_relay_message m, again;
    char name[TUNNEL_NAME];
    struct tunnel_id id;
    size_t n;

    if (in.n < GOST_RELAY_HEAD || gost_relay_head(in.p) < 0)
        return;
    memset(&m, 0, sizeof m);
    if (gost_relay_features(&m, gost_bytes(in.p + GOST_RELAY_HEAD, in.n - GOST_RELAY_HEAD)) !=
        GOST_OK)
        return;
    memcpy(id.b, m.id, sizeof m.id);
    (void)tunnel_name(name, &id);
    p = gost_relay_put_addr(p, &m.addr);
    p = gost_relay_put_addr(p, &m.second);
    n = gost_relay_finish(buf, in.p[1], gost_relay_put_id(p, m.id));
    memset(&again, 0, sizeof again);
    if (gost_relay_head(buf) != (int)n - GOST_RELAY_HEAD ||
        gost_relay_features(&again, gost_bytes(buf + GOST_RELAY_HEAD, n - GOST_RELAY_HEAD)) !=
            GOST_OK ||
        memcmp(again.id, m.id, sizeof m.id) != 0 || again.n_addr != 2)
        abort();
}

static void web(struct gost_bytes in)
{
    static uint8_t room[2 * GOST_HTTP1_HEAD_MAX];
    static struct gost_http1_head head;
    struct gost_http1_out out = {room, 0, sizeof room, 0};
    struct tunnel_request req;

    if (gost_http1_parse_request(&head, in, NULL) != GOST_OK ||
        tunnel_request_parse(&req, &head) != GOST_OK)
        return;
    (void)tunnel_request_loops(&head, "node");
    tunnel_request_put(&out, &head, &req, "node", "sid", 0);
    if (out.full)
        abort();
    /* Four fields more may be too many for the parser. */
    if (gost_http1_parse_request(&head, gost_bytes(out.p, out.n), NULL) == GOST_EPROTO)
        abort();
}

/* Lines of rules; the last one is what is looked for. */
static void rules(struct gost_bytes in)
{
    struct tunnel_rules *r = tunnel_rules_new();
    const uint8_t *p = in.p, *end = in.p + in.n, *nl;
    struct gost_bytes line = in;
    struct tunnel_id id;

    while (r && p < end) {
        nl = memchr(p, '\n', (size_t)(end - p));
        nl = nl ? nl : end;
        line = gost_bytes(p, (size_t)(nl - p));
        (void)tunnel_rules_add_line(r, line);
        p = nl + (nl < end);
    }
    if (r) {
        tunnel_rules_sort(r);
        (void)tunnel_id_parse(&id, tunnel_rules_find(r, line));
    }
    (void)tunnel_id_parse(&id, line);
    tunnel_rules_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    relay(gost_bytes(data, size));
    web(gost_bytes(data, size));
    rules(gost_bytes(data, size));
    return 0;
}
