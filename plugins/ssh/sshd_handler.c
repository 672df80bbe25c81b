/* sshd_handler.c - a client's session: each of its channels and listeners becomes a flow. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "ssh.h"
#include "sshd.h"

enum { SESSION = 0, CHANNEL = 1 }; /* ports; CHANNEL is also the tag of ACCEPT */
enum { CHILD = 2 };

static int next_channel(struct gost_io *io)
{
    gost_phase(io, "a channel of the client");
    return gost_asked(gost_accept(io, CHANNEL, CHANNEL, SESSION));
}

/* Listeners find their way back to the session by its name. */
static int begin(struct sshd_handler *h, struct gost_io *io)
{
    uint8_t raw[(SSHD_KEY - 1) / 2];
    size_t i;

    gost_random(raw, sizeof raw);
    for (i = 0; i < sizeof raw; i++)
        snprintf(h->key + 2 * i, 3, "%02x", raw[i]);
    if (gost_endpoint_add(io, "sshd", gost_bytes_str(h->key), 1) != GOST_OK)
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    return next_channel(io);
}

static int give_away(const struct sshd_handler *h, struct gost_io *io)
{
    struct gost_act_spawn a;

    gost_act_init(&a, sizeof a, GOST_ACT_SPAWN, CHILD, CHANNEL);
    a.flags = GOST_SPAWN_TIED;
    a.component = gost_bytes_str("sshd.channel");
    a.arg = gost_bytes_str(h->key);
    return gost_asked(gost_act(io, &a.head));
}

static int on_result(const struct sshd_handler *h, struct gost_io *io, const struct gost_event *ev)
{
    if (ev->tag == CHANNEL && ev->status)
        return ev->status == GOST_ECLOSED
                   ? GOST_OK
                   : gost_fail(io, ev->status, "%s", ev->text ? ev->text : "the session ended");
    if (ev->tag == CHANNEL)
        return give_away(h, io);
    if (ev->status && gost_port(io, CHANNEL)) /* this one is lost, not the others */
        gost_abort(gost_port(io, CHANNEL), 0);
    return next_channel(io);
}

static int handler_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct sshd_handler *h = state;

    switch (ev->type) {
    case GOST_EV_START:
        return begin(h, io);
    case GOST_EV_RESULT:
        return on_result(h, io, ev);
    case GOST_EV_CLOSED:
        if (ev->port != SESSION)
            return GOST_AGAIN;
        return ev->status && ev->status != GOST_ECLOSED
                   ? gost_fail(io, ev->status, "the session broke")
                   : GOST_OK;
    default:
        return GOST_AGAIN;
    }
}

const struct gost_handler_ops sshd_handler_ops = {
    .size = sizeof(struct gost_handler_ops),
    .accepts = GOST_SESSION,
    .step = handler_step,
};
