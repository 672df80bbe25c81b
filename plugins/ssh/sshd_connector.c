/* sshd_connector.c - asks an SSH server for a target: one channel of the shared session. */
/* SPDX-License-Identifier: MIT */
#include "ssh.h"
#include "sshd.h"

static int ask(struct gost_io *io)
{
    const struct gost_target *t = gost_target(io);
    struct ssh_out what = {0}, head = {0};
    int r = sshd_put_target(&what, t->network, &t->addr);

    if (r != GOST_OK)
        return gost_fail(io, r, "SSH carries no datagrams");
    ssh_put_open(&head, ssh_out_bytes(&what));
    r = head.bad ? GOST_ENOMEM : gost_send(io, head.p, head.n);
    ssh_out_free(&what);
    ssh_out_free(&head);
    gost_phase(io, "the SSH server's answer about the target");
    return r == GOST_OK ? GOST_AGAIN : gost_fail(io, GOST_ENOMEM, "out of memory");
}

/* The reasons of RFC 4254 section 5.1. */
static int answered(struct gost_io *io, uint8_t reason)
{
    switch (reason) {
    case 0:
        return GOST_OK;
    case 1:
        return gost_fail(io, GOST_EDENIED,
                         "the SSH server forbids it (AllowTcpForwarding, "
                         "PermitOpen)");
    case 2:
        return gost_fail(io, GOST_EREFUSED, "the SSH server cannot reach the target");
    case 3:
        return gost_fail(io, GOST_EUNSUPPORTED, "the SSH server does no port forwarding");
    case 4:
        return gost_fail(io, GOST_ELIMIT, "the SSH server has no room for more channels");
    default:
        return gost_fail(io, GOST_EPEER, "the SSH server refuses the target (%u)", reason);
    }
}

static int connector_step(void *state, const void *conf, struct gost_io *io,
                          const struct gost_event *ev)
{
    struct sshd_connector *c = state;
    const uint8_t *p;

    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the SSH session ended");
    if (!c->asked) {
        c->asked = 1;
        return ask(io);
    }
    p = gost_take(io, 1);
    if (p)
        return answered(io, *p);
    if (gost_rx_eof(io))
        return gost_fail(io, GOST_ECLOSED, "the SSH session ended");
    return GOST_AGAIN;
}

const struct gost_connector_ops sshd_connector_ops = {
    .size = sizeof(struct gost_connector_ops),
    .networks = 1u << GOST_NET_TCP | 1u << GOST_NET_UNIX,
    .connect = connector_step,
};
