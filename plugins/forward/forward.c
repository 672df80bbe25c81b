/* forward.c - port forwards: handlers tcp, udp, forward; connectors that are a plain pipe. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

struct forward_conf {
    uint64_t idle;
    uint32_t sniffing;
    int64_t proxy_protocol;
};

enum forward_phase { SELECT, SNIFF, DIAL, HEADER, RELAY };

struct forward {
    enum forward_phase phase;
    struct gost_addr host; /* that the client asks for; NONE: not known */
};

enum { CLIENT = 0, TARGET = 1 };

/* The node's own network decides; else packets are forwarded as packets. */
static uint32_t network_of(struct gost_io *io, const struct gost_result_node *node)
{
    if (node && node->network)
        return node->network;
    return gost_io_type(io) == GOST_DATAGRAM ? GOST_NET_UDP : GOST_NET_TCP;
}

static int dial(struct forward *f, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_result_node *node = ev->result;
    struct gost_act_dial a;

    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, DIAL, TARGET);
    a.network = network_of(io, node);
    if (node) {
        a.addr = node->addr;
        if (a.addr.family == GOST_AF_NONE && a.addr.port == 0)
            a.addr = f->host; /* a target without an address is the client's own */
        a.node = node->node;
    }
    gost_phase(io, "the connection to the forward target");
    f->phase = DIAL;
    return gost_asked(gost_act(io, &a.head));
}

/* SELECT by what was sniffed; found NULL: nothing was. */
static int choose(struct forward *f, struct gost_io *io, const struct gost_sniffed *found)
{
    struct gost_act_select a;

    f->phase = SELECT;
    gost_act_init(&a, sizeof a, GOST_ACT_SELECT, SELECT, 0);
    if (found) {
        a.protocol = found->protocol;
        a.host = found->host;
        if (found->host.n && gost_addr_parse(&f->host, (const char *)found->host.p, found->host.n,
                                             0) != GOST_OK)
            memset(&f->host, 0, sizeof f->host);
    }
    return gost_asked(gost_act(io, &a.head));
}

static int start(struct forward *f, const struct forward_conf *cf, struct gost_io *io)
{
    if (!cf->sniffing || gost_io_type(io) != GOST_STREAM)
        return choose(f, io, NULL);
    f->phase = SNIFF;
    return gost_asked(gost_inspect(io, SNIFF, CLIENT, "sniff"));
}

static int relay(struct forward *f, const struct forward_conf *cf, struct gost_io *io)
{
    f->phase = RELAY;
    return gost_asked(gost_relay(io, CLIENT, TARGET, cf->idle));
}

static int step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct forward *f = state;
    const struct forward_conf *cf = conf;

    if (ev->type == GOST_EV_START)
        return start(f, cf, io);
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED,
                         "the client left before it was forwarded");
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN; /* what the client sends meanwhile stays queued */
    if (f->phase == SELECT && ev->status == GOST_EUNSUPPORTED)
        return dial(f, io, ev); /* no targets: a chain whose last node knows where to go */
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no target");
    if (f->phase == SNIFF)
        return choose(f, io, ev->result);
    if (f->phase == SELECT)
        return dial(f, io, ev);
    if (f->phase == DIAL && cf->proxy_protocol > 0 && gost_io_type(io) == GOST_STREAM) {
        f->phase = HEADER;
        return gost_asked(gost_upgrade(io, HEADER, TARGET, GOST_CLIENT, "proxyproto"));
    }
    return relay(f, cf, io);
}

static int pass(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    return GOST_OK; /* the node is the target */
}

static const struct gost_opt options[] = {
    GOST_OPT_DURATION(struct forward_conf, idle, "idleTimeout", NULL, 0, 86400000, GOST_OPT_SERVER,
                      "End a connection that is silent in both directions for this long; 0: never"),
    GOST_OPT_INT(struct forward_conf, proxy_protocol, "proxyProtocol", NULL, 0, 1000, NULL,
                 GOST_OPT_SERVER, "Send a PROXY protocol header to the target: 1, or 2; 0: none"),
    GOST_OPT_BOOL(struct forward_conf, sniffing, "sniffing", "false", GOST_OPT_SERVER,
                  "Choose the target by the protocol and host of the client's first bytes"),
    GOST_OPT_LAST,
};

static const struct gost_handler_ops handler_ops = {sizeof handler_ops, GOST_STREAM | GOST_DATAGRAM,
                                                    step, NULL};

static const struct gost_connector_ops connector_ops = {
    .size = sizeof connector_ops,
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UDP,
    .connect = pass,
    .accepts = GOST_STREAM | GOST_DATAGRAM,
    .flags = GOST_CONNECTOR_PASS,
};

#define HANDLER(name, text)                                                 \
    {                                                                       \
        GOST_KIND_HANDLER, 0, name, NULL, text, &handler_ops, options,      \
            sizeof(struct forward_conf), sizeof(struct forward), NULL, NULL, \
            "inspector:sniff?sniffing" \
    }
#define CONNECTOR(name, text)                                                            \
    {                                                                                    \
        GOST_KIND_CONNECTOR, 0, name, NULL, text, &connector_ops, NULL, 0, 0, NULL, NULL \
    }

static const struct gost_component components[] = {
    HANDLER("forward", "forwards to a target of the forwarder"),
    HANDLER("tcp", "forwards TCP to a target of the forwarder"),
    HANDLER("udp", "forwards UDP to a target of the forwarder"),
    HANDLER("rtcp", "forwards what arrived at the end of a chain"),
    HANDLER("rudp", "forwards what arrived at the end of a chain"),
    HANDLER("runix", "forwards what arrived at the end of a chain"),
    CONNECTOR("forward", "the node is the target: addresses are ignored"),
    CONNECTOR("tcp", "the node is the target: addresses are ignored"),
};

GOST_PLUGIN("forward", "1.0", "MIT", "port forwarding", components,
            "handler:forward handler:tcp handler:udp handler:rtcp handler:rudp handler:runix "
            "connector:forward connector:tcp");
