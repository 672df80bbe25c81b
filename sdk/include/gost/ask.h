/* ask.h - actions in short form: what action.h describes, as one call each. Included by host.h. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_ASK_H
#define GOST_ASK_H

#include <gost/host.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline int gost_dial(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t network,
                            const struct gost_addr *addr)
{
    struct gost_act_dial a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_DIAL;
    a.head.tag = tag;
    a.head.port = port;
    a.network = network;
    a.addr = *addr;
    return gost_act(io, &a.head);
}

/* Visit an endpoint: `port` becomes a stream of who offers kind and key. GOST_ENOROUTE: nobody
 * does. No policy is asked: the handler has its own target to ask about. */
static inline int gost_dial_endpoint(struct gost_io *io, uint32_t tag, uint32_t port,
                                     const char *kind, struct gost_bytes key)
{
    struct gost_addr a;
    size_t n = strlen(kind);

    memset(&a, 0, sizeof a);
    if (n + 1 + key.n >= sizeof a.name)
        return GOST_ETOOBIG;
    a.family = GOST_AF_NAME;
    a.len = (uint8_t)(n + 1 + key.n);
    memcpy(a.name, kind, n);
    a.name[n] = '/';
    memcpy(a.name + n + 1, key.p, key.n);
    return gost_dial(io, tag, port, GOST_NET_ENDPOINT, &a);
}

static inline int gost_associate(struct gost_io *io, uint32_t tag, uint32_t port)
{
    struct gost_act_dial a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_ASSOCIATE;
    a.head.tag = tag;
    a.head.port = port;
    a.network = GOST_NET_UDP;
    return gost_act(io, &a.head);
}

static inline int gost_bind(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t network,
                            const struct gost_addr *addr, uint32_t flags)
{
    struct gost_act_bind a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_BIND;
    a.head.tag = tag;
    a.head.port = port;
    a.network = network;
    a.flags = flags;
    a.addr = *addr;
    return gost_act(io, &a.head);
}

static inline int gost_accept(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t from)
{
    struct gost_act_accept a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_ACCEPT;
    a.head.tag = tag;
    a.head.port = port;
    a.from = from;
    return gost_act(io, &a.head);
}

static inline int gost_stream_open(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t from,
                                   uint32_t flags)
{
    struct gost_act_stream_open a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_STREAM_OPEN;
    a.head.tag = tag;
    a.head.port = port;
    a.from = from;
    a.flags = flags;
    return gost_act(io, &a.head);
}

static inline int gost_request(struct gost_io *io, uint32_t tag, uint32_t port,
                               struct gost_bytes name, struct gost_bytes payload)
{
    struct gost_act_request a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_REQUEST;
    a.head.tag = tag;
    a.head.port = port;
    a.name = name;
    a.payload = payload;
    return gost_act(io, &a.head);
}

static inline int gost_datagrams(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t from)
{
    struct gost_act_datagrams a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_DATAGRAMS;
    a.head.tag = tag;
    a.head.port = port;
    a.from = from;
    return gost_act(io, &a.head);
}

static inline int gost_auth(struct gost_io *io, uint32_t tag, struct gost_bytes user,
                            struct gost_bytes secret)
{
    struct gost_act_auth a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_AUTH;
    a.head.tag = tag;
    a.user = user;
    a.secret = secret;
    return gost_act(io, &a.head);
}

static inline int gost_upgrade(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t role,
                               const char *layer)
{
    struct gost_act_upgrade a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_UPGRADE;
    a.head.tag = tag;
    a.head.port = port;
    a.role = role;
    a.layer = gost_bytes_str(layer);
    return gost_act(io, &a.head);
}

static inline int gost_handoff(struct gost_io *io, uint32_t kind, const char *component)
{
    struct gost_act_handoff a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_HANDOFF;
    a.component_kind = kind;
    a.component = gost_bytes_str(component);
    return gost_act(io, &a.head);
}

/* Let an inspector look at what the client sends first; RESULT: struct gost_sniffed. */
static inline int gost_inspect(struct gost_io *io, uint32_t tag, uint32_t port,
                               const char *component)
{
    struct gost_act_handoff a;
    gost_phase(io, "the client's first bytes");
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_HANDOFF;
    a.head.tag = tag;
    a.head.port = port;
    a.component_kind = GOST_KIND_INSPECTOR;
    a.component = gost_bytes_str(component);
    return gost_act(io, &a.head);
}

static inline int gost_pump(struct gost_io *io, uint32_t tag, uint32_t from, uint32_t to,
                            uint64_t n)
{
    struct gost_act_pump a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_PUMP;
    a.head.tag = tag;
    a.head.port = from;
    a.to = to;
    a.n = n;
    return gost_act(io, &a.head);
}

static inline int gost_relay(struct gost_io *io, uint32_t a_port, uint32_t b_port, uint64_t idle_ns)
{
    struct gost_act_relay a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_RELAY;
    a.head.port = a_port;
    a.to = b_port;
    a.idle_ns = idle_ns;
    return gost_act(io, &a.head);
}

static inline int gost_tie(struct gost_io *io, uint32_t mask)
{
    struct gost_act_tie a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_TIE;
    a.mask = mask;
    return gost_act(io, &a.head);
}

static inline int gost_select(struct gost_io *io, uint32_t tag)
{
    struct gost_act_select a;
    memset(&a, 0, sizeof a);
    a.head.size = (uint32_t)sizeof a;
    a.head.kind = GOST_ACT_SELECT;
    a.head.tag = tag;
    return gost_act(io, &a.head);
}

#ifdef __cplusplus
}
#endif
#endif
