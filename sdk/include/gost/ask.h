/* ask.h - actions in short form: what action.h describes, as one call each. Included by host.h. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_ASK_H
#define GOST_ASK_H

#include <gost/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Clear an action of any kind and fill its head. */
static inline void gost_act_init(void *action, size_t size, uint32_t kind, uint32_t tag,
                                 uint32_t port)
{
    struct gost_action *head = (struct gost_action *)action;

    memset(action, 0, size);
    head->size = (uint32_t)size;
    head->kind = kind;
    head->tag = tag;
    head->port = port;
}

/* What a step returns that has asked: it waits for the RESULT. `r` is what gost_act() gave. */
static inline int gost_asked(int r)
{
    if (r == GOST_OK)
        return GOST_AGAIN;
    return GOST_EINTERNAL;
}

static inline int gost_dial(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t network,
                            const struct gost_addr *addr)
{
    struct gost_act_dial a;

    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, tag, port);
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

    gost_act_init(&a, sizeof a, GOST_ACT_ASSOCIATE, tag, port);
    a.network = GOST_NET_UDP;
    return gost_act(io, &a.head);
}

static inline int gost_bind(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t network,
                            const struct gost_addr *addr, uint32_t flags)
{
    struct gost_act_bind a;

    gost_act_init(&a, sizeof a, GOST_ACT_BIND, tag, port);
    a.network = network;
    a.flags = flags;
    a.addr = *addr;
    return gost_act(io, &a.head);
}

static inline int gost_accept(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t from)
{
    struct gost_act_accept a;

    gost_act_init(&a, sizeof a, GOST_ACT_ACCEPT, tag, port);
    a.from = from;
    return gost_act(io, &a.head);
}

static inline int gost_stream_open(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t from,
                                   uint32_t flags)
{
    struct gost_act_stream_open a;

    gost_act_init(&a, sizeof a, GOST_ACT_STREAM_OPEN, tag, port);
    a.from = from;
    a.flags = flags;
    return gost_act(io, &a.head);
}

static inline int gost_request(struct gost_io *io, uint32_t tag, uint32_t port,
                               struct gost_bytes name, struct gost_bytes payload)
{
    struct gost_act_request a;

    gost_act_init(&a, sizeof a, GOST_ACT_REQUEST, tag, port);
    a.name = name;
    a.payload = payload;
    return gost_act(io, &a.head);
}

static inline int gost_datagrams(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t from)
{
    struct gost_act_datagrams a;

    gost_act_init(&a, sizeof a, GOST_ACT_DATAGRAMS, tag, port);
    a.from = from;
    return gost_act(io, &a.head);
}

static inline int gost_auth(struct gost_io *io, uint32_t tag, struct gost_bytes user,
                            struct gost_bytes secret)
{
    struct gost_act_auth a;

    gost_act_init(&a, sizeof a, GOST_ACT_AUTH, tag, 0);
    a.user = user;
    a.secret = secret;
    return gost_act(io, &a.head);
}

/* `arg` is handed to the layer's open(). */
static inline int gost_upgrade_arg(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t role,
                                   const char *layer, struct gost_bytes arg)
{
    struct gost_act_upgrade a;

    gost_act_init(&a, sizeof a, GOST_ACT_UPGRADE, tag, port);
    a.role = role;
    a.layer = gost_bytes_str(layer);
    a.arg = arg;
    return gost_act(io, &a.head);
}

static inline int gost_upgrade(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t role,
                               const char *layer)
{
    return gost_upgrade_arg(io, tag, port, role, layer, gost_bytes(NULL, 0));
}

/* Put tls on `port` as a client; `server` is whom the certificate has to name, NULL: nobody. */
static inline int gost_start_tls(struct gost_io *io, uint32_t tag, uint32_t port,
                                 const struct gost_addr *server)
{
    struct gost_act_upgrade a;
    char host[GOST_ADDR_TEXT];

    gost_act_init(&a, sizeof a, GOST_ACT_UPGRADE, tag, port);
    a.role = GOST_CLIENT;
    a.layer = gost_bytes_str("tls");
    if (server)
        a.server_name = gost_bytes(host, gost_addr_host(server, host, sizeof host));
    return gost_act(io, &a.head);
}

/* Child `component` of this plugin gets our `port` as its port 0 and `second` (0: none) as 1. */
static inline int gost_spawn(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t second,
                             const char *component)
{
    struct gost_act_spawn a;

    gost_act_init(&a, sizeof a, GOST_ACT_SPAWN, tag, port);
    a.second = second;
    a.component = gost_bytes_str(component);
    return gost_act(io, &a.head);
}

/* `port` becomes a new stream; its other end goes to another instance of this component with that
 * arg, or (GOST_SPAWN_SERVE) to the service's handler. */
static inline int gost_spawn_pair(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t flags,
                                  struct gost_bytes arg)
{
    struct gost_act_spawn a;

    gost_act_init(&a, sizeof a, GOST_ACT_SPAWN, tag, port);
    a.flags = GOST_SPAWN_PAIR | flags;
    a.arg = arg;
    return gost_act(io, &a.head);
}

/* A gathering client: one more exchange becomes `port`. flags: GOST_DIAL_READY or 0. */
static inline int gost_dial_below(struct gost_io *io, uint32_t tag, uint32_t port, uint32_t flags)
{
    struct gost_act_dial a;

    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, tag, port);
    a.network = GOST_NET_BELOW;
    a.flags = flags;
    return gost_act(io, &a.head);
}

/* Read a file whole; GOST_ETOOBIG above `max` bytes. */
static inline int gost_file_read(struct gost_io *io, uint32_t tag, struct gost_bytes path,
                                 uint64_t max)
{
    struct gost_act_file a;

    gost_act_init(&a, sizeof a, GOST_ACT_FILE, tag, 0);
    a.op = GOST_FILE_READ;
    a.max = max;
    a.path = path;
    return gost_act(io, &a.head);
}

static inline int gost_handoff(struct gost_io *io, uint32_t kind, const char *component)
{
    struct gost_act_handoff a;

    gost_act_init(&a, sizeof a, GOST_ACT_HANDOFF, 0, 0);
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
    gost_act_init(&a, sizeof a, GOST_ACT_HANDOFF, tag, port);
    a.component_kind = GOST_KIND_INSPECTOR;
    a.component = gost_bytes_str(component);
    return gost_act(io, &a.head);
}

static inline int gost_pump(struct gost_io *io, uint32_t tag, uint32_t from, uint32_t to,
                            uint64_t n)
{
    struct gost_act_pump a;

    gost_act_init(&a, sizeof a, GOST_ACT_PUMP, tag, from);
    a.to = to;
    a.n = n;
    return gost_act(io, &a.head);
}

static inline int gost_relay(struct gost_io *io, uint32_t a_port, uint32_t b_port, uint64_t idle_ns)
{
    struct gost_act_relay a;

    gost_act_init(&a, sizeof a, GOST_ACT_RELAY, 0, a_port);
    a.to = b_port;
    a.idle_ns = idle_ns;
    return gost_act(io, &a.head);
}

static inline int gost_tie(struct gost_io *io, uint32_t mask)
{
    struct gost_act_tie a;

    gost_act_init(&a, sizeof a, GOST_ACT_TIE, 0, 0);
    a.mask = mask;
    return gost_act(io, &a.head);
}

static inline int gost_select(struct gost_io *io, uint32_t tag)
{
    struct gost_act_select a;

    gost_act_init(&a, sizeof a, GOST_ACT_SELECT, tag, 0);
    return gost_act(io, &a.head);
}

#ifdef __cplusplus
}
#endif
#endif
