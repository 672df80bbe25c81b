/* direct.c - a node that is no proxy: what lies behind it is dialed from here. */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>

#include <gost/plugin.h>

enum {
    TAG_DIAL = 1,
    TAG_REJECT
};

#define TARGET 1 /* port of the direct connection */

struct direct_conf {
    const char *action;
};

static const struct gost_opt direct_options[] = {
    GOST_OPT_STRING(struct direct_conf, action, "action", NULL, GOST_OPT_CLIENT,
                    "\"reject\" ends every connection at once instead of dialing"),
    GOST_OPT_LAST,
};

static int is_reject(const struct direct_conf *conf)
{
    static const char word[] = "reject";
    const char *a = conf->action;
    size_t i;

    for (i = 0; a && i < sizeof word; i++)
        if ((a[i] | 0x20) != (word[i] | 0x20))
            return 0;
    return a != NULL;
}

/* ---- the stub below the connector ---- */

/* There is no node to talk to, but a chain has a connection per node. This descriptor never becomes
 * readable and costs no address: an unbound datagram socket. */
static int stub_dial(const void *conf, struct gost_socket *s)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    s->fd = fd;
    return GOST_OK;
}

static const struct gost_transport_ops direct_transport = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_STREAM,
    .dial = stub_dial,
    .flags = GOST_TRANSPORT_FIRST_ONLY,
};

static const struct gost_stack_ops direct_stack = {
    .size = sizeof(struct gost_stack_ops),
    .roles = GOST_CLIENT,
    .layers = "direct",
};

/* ---- the rejecting codec: reads give the end, writes fail ---- */

static int reject_open(void *state, const void *conf, struct gost_io *io)
{
    gost_shut(gost_app(io));
    return GOST_OK;
}

static int reject_decode(void *state, const void *conf, struct gost_io *io)
{
    return GOST_END;
}

static int reject_encode(void *state, const void *conf, struct gost_io *io)
{
    if (gost_rx_len(gost_app(io)) == 0)
        return GOST_AGAIN;
    return gost_fail(io, GOST_EDENIED, "this node rejects everything (action=reject)");
}

static const struct gost_layer_ops reject_layer = {
    .size = sizeof(struct gost_layer_ops),
    .flags = GOST_LAYER_CODEC,
    .open = reject_open,
    .decode = reject_decode,
    .encode = reject_encode,
};

/* ---- the connector ---- */

static int start(const struct direct_conf *conf, struct gost_io *io, uint32_t kind)
{
    struct gost_act_dial a;

    if (kind == GOST_ACT_DIAL && is_reject(conf))
        return gost_upgrade(io, TAG_REJECT, 0, GOST_CLIENT, "direct.reject");
    if (is_reject(conf))
        return gost_fail(io, GOST_EDENIED, "this node rejects everything (action=reject)");
    gost_act_init(&a, sizeof a, kind, TAG_DIAL, TARGET);
    a.network = gost_target(io)->network;
    a.addr = gost_target(io)->addr;
    a.flags = GOST_DIAL_DIRECT;
    gost_phase(io, "the target");
    return gost_act(io, &a.head);
}

static int result(struct gost_io *io, const struct gost_event *ev)
{
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the target was not reached");
    if (ev->tag == TAG_DIAL)
        gost_result_port(io, TARGET);
    return GOST_OK;
}

static int step(const struct direct_conf *conf, struct gost_io *io, const struct gost_event *ev,
                uint32_t kind)
{
    int r = GOST_OK;

    if (ev->type == GOST_EV_RESULT)
        return result(io, ev);
    if (ev->type == GOST_EV_CANCEL)
        return gost_fail(io, GOST_ECANCELLED, "ended on request");
    if (ev->type == GOST_EV_START)
        r = start(conf, io, kind);
    return r == GOST_OK ? GOST_AGAIN : r;
}

static int direct_connect(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    return step(conf, io, ev, GOST_ACT_DIAL);
}

static int direct_associate(void *state, const void *conf, struct gost_io *io,
                            const struct gost_event *ev)
{
    return step(conf, io, ev, GOST_ACT_ASSOCIATE);
}

static const struct gost_connector_ops direct_connector = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UDP | 1u << GOST_NET_UNIX,
    .connect = direct_connect,
    .associate = direct_associate,
};

static const struct gost_component direct_components[] = {
    {.kind = GOST_KIND_TRANSPORT,
     .name = "direct",
     .summary = "no connection at all: the connector dials",
     .ops = &direct_transport},
    {.kind = GOST_KIND_STACK,
     .name = "direct",
     .aliases = "virtual",
     .summary = "dialer of the connector of the same name",
     .ops = &direct_stack},
    {.kind = GOST_KIND_LAYER,
     .name = "direct.reject",
     .summary = "ends at once",
     .ops = &reject_layer},
    {.kind = GOST_KIND_CONNECTOR,
     .name = "direct",
     .aliases = "virtual",
     .summary = "dials the target from this host",
     .ops = &direct_connector,
     .options = direct_options,
     .conf_size = sizeof(struct direct_conf)},
};

GOST_PLUGIN("direct", "0.1.0", "MIT", "A node that is no proxy", direct_components,
            "transport:direct dialer:direct dialer:virtual layer:direct.reject "
            "connector:direct connector:virtual");
