/* unix_handler.c - forwards a connection to a socket of the forwarder, or into the chain. */
/* SPDX-License-Identifier: MIT */
#include "unix.h"

enum {
    TAG_SELECT = 1,
    TAG_DIAL
};

enum {
    CLIENT = 0,
    TARGET = 1
};

static int dial(struct unix_state *st, struct gost_io *io, uint32_t network, struct gost_bytes node)
{
    struct gost_act_dial a;

    gost_act_init(&a, sizeof a, GOST_ACT_DIAL, TAG_DIAL, TARGET);
    a.network = network;
    a.addr = st->target;
    a.node = node;
    gost_phase(io, "the target");
    return gost_asked(gost_act(io, &a.head));
}

static int selected(struct unix_state *st, struct gost_io *io, const struct gost_event *ev)
{
    const struct gost_result_node *node = ev->result;

    if (ev->status == GOST_EUNSUPPORTED) {
        /* No forwarder: a pass-through connector at the end of the chain ignores the address. */
        (void)gost_addr_set_host(&st->target, "@", 1, 0);
        return dial(st, io, GOST_NET_TCP, gost_bytes(NULL, 0));
    }
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "no target is usable");
    st->target = node->addr;
    if (st->target.family == GOST_AF_NAME && (node->network == 0 || node->network == GOST_NET_UNIX))
        st->target.family = GOST_AF_UNIX;
    return dial(st, io, node->network ? node->network : GOST_NET_UNIX, node->node);
}

static int dialed(struct gost_io *io, const struct gost_event *ev)
{
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the target was not reached");
    return gost_asked(gost_relay(io, CLIENT, TARGET, 0));
}

static int unix_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    switch (ev->type) {
    case GOST_EV_START:
        gost_phase(io, "a target of the forwarder");
        return gost_asked(gost_select(io, TAG_SELECT));
    case GOST_EV_RESULT:
        if (ev->kind == GOST_ACT_RELAY)
            return gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the relay did not start");
        return ev->tag == TAG_SELECT ? selected(state, io, ev) : dialed(io, ev);
    case GOST_EV_CLOSED:
        return ev->port == CLIENT ? gost_fail(io, GOST_ECLOSED, "the client is gone") : GOST_AGAIN;
    case GOST_EV_CANCEL:
        return gost_fail(io, GOST_ECANCELLED, "ended on request");
    default:
        return GOST_AGAIN;
    }
}

const struct gost_handler_ops unix_handler = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_STREAM,
    .step = unix_step,
};
