/* pin.c - a layer of the host: packets for anybody become packets for one peer. */
/* SPDX-License-Identifier: MIT */
#include "pin.h"

#include "policy.h"
#include "service.h"

struct pin {
    struct gost_addr peer;
};

static int pin_open(void *state, const void *conf, struct gost_io *io)
{
    struct gost_bytes arg = gost_arg(io);

    if (arg.n != sizeof(struct gost_addr))
        return gost_fail(io, GOST_EINTERNAL, "a peer's address has %zu bytes", arg.n);
    memcpy(&((struct pin *)state)->peer, arg.p, arg.n);
    return GOST_OK;
}

static int pin_decode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_packet p;

    while (gost_packet_recv(io, &p) == GOST_OK)
        (void)gost_packet_send(gost_app(io), &p); /* full: datagrams may be lost */
    return GOST_AGAIN;
}

static int pin_encode(void *state, const void *conf, struct gost_io *io)
{
    const struct pin *pin = state;
    struct gost_packet p;

    while (gost_packet_recv(gost_app(io), &p) == GOST_OK) {
        p.addr = &pin->peer; /* a relayed packet carries the address it came from */
        (void)gost_packet_send(io, &p);
    }
    return GOST_AGAIN;
}

static const struct gost_layer_ops ops = {.size = sizeof ops,
                                          .below = GOST_DATAGRAM,
                                          .above = GOST_DATAGRAM,
                                          .flags = GOST_LAYER_CODEC,
                                          .open = pin_open,
                                          .decode = pin_decode,
                                          .encode = pin_encode};

static const struct gost_component component = {.kind = GOST_KIND_LAYER,
                                                .name = "host.pin",
                                                .summary = "packets for one peer",
                                                .ops = &ops,
                                                .state_size = sizeof(struct pin)};

void gh_pin_init(void)
{
    gost_host_ = ge_host_table();
}

int gh_pin_push(struct ge_stack *stack, const struct gost_addr *peer)
{
    struct ge_layer_spec spec = {
        .component = &component, .role = GOST_CLIENT, .arg = gost_bytes(peer, sizeof *peer)};

    return ge_stack_push(stack, &spec);
}

/* ---- the bypass, for packets ---- */

static bool forbidden(const struct gh_service *s, struct gost_io *io, const struct gost_addr *addr)
{
    const struct gost_flow *flow = gost_flow(io);
    struct gost_q_target q = {.size = sizeof q,
                              .network = GOST_NET_UDP,
                              .addr = addr,
                              .client = flow->source,
                              .user = gost_bytes_str(flow->user)};

    return addr != NULL && addr->family != GOST_AF_NONE && gh_policy_bypass(&s->bypasses, &q);
}

static int guard_decode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_packet p;

    while (gost_packet_recv(io, &p) == GOST_OK)
        if (!forbidden(conf, io, p.addr))
            (void)gost_packet_send(gost_app(io), &p);
    return GOST_AGAIN;
}

static int guard_encode(void *state, const void *conf, struct gost_io *io)
{
    struct gost_packet p;

    while (gost_packet_recv(gost_app(io), &p) == GOST_OK)
        if (!forbidden(conf, io, p.addr))
            (void)gost_packet_send(io, &p);
    return GOST_AGAIN;
}

static const struct gost_layer_ops guard_ops = {.size = sizeof guard_ops,
                                                .below = GOST_DATAGRAM,
                                                .above = GOST_DATAGRAM,
                                                .flags = GOST_LAYER_CODEC,
                                                .decode = guard_decode,
                                                .encode = guard_encode};

static const struct gost_component guard_component = {.kind = GOST_KIND_LAYER,
                                                      .name = "host.bypass",
                                                      .summary = "drops forbidden packets",
                                                      .ops = &guard_ops};

int gh_guard_push(struct ge_stack *stack, const struct gh_service *service)
{
    struct ge_layer_spec spec = {
        .component = &guard_component, .conf = service, .role = GOST_CLIENT};

    return ge_stack_push(stack, &spec);
}
