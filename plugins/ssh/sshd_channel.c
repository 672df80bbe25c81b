/* sshd_channel.c - one connection of an SSH client, or one port it has us listen at. */
/* SPDX-License-Identifier: MIT */
#include "ssh.h"
#include "sshd.h"

enum { CLIENT = 0, TARGET = 1, LISTENER = 1, VISITOR = 2, STREAM = 3 };    /* ports */
enum { DIAL = 1, SNIFF = 2, LISTEN = 3, ACCEPT = 4, OPEN = 5, CHILD = 6 }; /* tags */

/* What the channel was opened with, behind its type. */
static struct gost_bytes data_of(struct gost_io *io, struct gost_bytes *ret_type)
{
    struct ssh_in in = ssh_in(gost_stream_arg(io));

    *ret_type = ssh_get_string(&in);
    return gost_bytes(in.p, in.n);
}

/* ---- a connection ---- */

static int dial(struct gost_io *io, struct gost_bytes data)
{
    struct gost_addr addr;

    if (sshd_get_target(data, &addr) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the client names no target that could be");
    gost_phase(io, "the target");
    return gost_asked(gost_dial(io, DIAL, TARGET, GOST_NET_TCP, &addr));
}

/* ---- a listening port ---- */

/* The layer tells the client. */
static int say(struct sshd_channel *c, struct gost_io *io, uint8_t status, uint16_t port)
{
    uint8_t answer[SSH_CONTROL];

    answer[0] = status;
    gost_put32(answer + 1, port);
    c->said = 1;
    gost_send(io, answer, sizeof answer);
    return status ? GOST_OK : GOST_AGAIN;
}

static int listen_at(struct sshd_channel *c, struct gost_io *io, struct gost_bytes data)
{
    struct gost_addr addr;

    if (sshd_get_bind(data, &addr) != GOST_OK) {
        gost_log(io, GOST_LOG_WARN,
                 "the client asks for a port at a name: only addresses and "
                 "localhost can be listened at");
        return say(c, io, 1, 0);
    }
    gost_phase(io, "the bind");
    return gost_asked(gost_bind(io, LISTEN, LISTENER, GOST_NET_TCP, &addr, GOST_BIND_LOCAL));
}

static int next_visitor(struct gost_io *io)
{
    gost_phase(io, "a connection to the client's port");
    return gost_asked(gost_accept(io, ACCEPT, VISITOR, LISTENER));
}

static int give_away(struct sshd_channel *c, struct gost_io *io)
{
    struct ssh_out what = {0}, head = {0};
    struct gost_bytes type;

    sshd_put_visitor(&what, data_of(io, &type), c->bound_port, &c->visitor);
    ssh_put_open(&head, ssh_out_bytes(&what));
    gost_send(gost_port(io, STREAM), head.p, head.n);
    ssh_out_free(&what);
    ssh_out_free(&head);
    return gost_asked(gost_spawn(io, CHILD, VISITOR, STREAM, "sshd.visitor"));
}

/* The session may have no room for it: this one is lost, not the others. */
static int turn_away(struct gost_io *io)
{
    if (gost_port(io, VISITOR))
        gost_abort(gost_port(io, VISITOR), 0);
    if (gost_port(io, STREAM))
        gost_abort(gost_port(io, STREAM), 0);
    return next_visitor(io);
}

/* ---- results ---- */

static int on_failure(struct sshd_channel *c, struct gost_io *io, const struct gost_event *ev)
{
    const char *text = ev->text ? ev->text : "it did not work";

    if (ev->tag == OPEN || ev->tag == CHILD)
        return turn_away(io);
    if (ev->tag == LISTEN) {
        gost_log(io, GOST_LOG_WARN, "the client's port: %s", text);
        return say(c, io, 1, 0);
    }
    return gost_fail(io, ev->status, "%s", text);
}

static int on_result(struct sshd_channel *c, const struct sshd_conf *cf, struct gost_io *io,
                     const struct gost_event *ev)
{
    const struct gost_result_dial *res = ev->result;

    if (ev->status)
        return on_failure(c, io, ev);
    switch (ev->tag) {
    case DIAL:
        if (cf->sniffing)
            return gost_asked(gost_inspect(io, SNIFF, CLIENT, "sniff"));
        return gost_asked(gost_relay(io, CLIENT, TARGET, 0));
    case SNIFF:
        return gost_asked(gost_relay(io, CLIENT, TARGET, 0));
    case LISTEN:
        c->bound_port = res->local.port;
        (void)say(c, io, 0, res->local.port);
        return next_visitor(io);
    case ACCEPT:
        c->visitor = res->remote;
        return gost_asked(gost_dial_endpoint(io, OPEN, STREAM, "sshd", gost_arg(io)));
    case OPEN:
        return give_away(c, io);
    case CHILD:
        return next_visitor(io);
    default:
        return GOST_AGAIN;
    }
}

static int channel_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct sshd_channel *c = state;
    struct gost_bytes type, data;

    if (ev->type == GOST_EV_RESULT)
        return on_result(c, conf, io, ev);
    if (ev->type == GOST_EV_CLOSED && ev->port == CLIENT)
        return c->said ? GOST_OK : gost_fail(io, GOST_ECLOSED, "the client closed the channel");
    if (ev->type != GOST_EV_START)
        return GOST_AGAIN;
    data = data_of(io, &type);
    return ssh_is(type, "tcpip-forward") ? listen_at(c, io, data) : dial(io, data);
}

const struct gost_handler_ops sshd_channel_ops = {
    .size = sizeof(struct gost_handler_ops), .accepts = GOST_STREAM, .step = channel_step};

/* ---- a visitor of that port ---- */

/* Port 1 is its channel: one byte says that the client agreed. */
static int visitor_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct gost_io *stream = gost_port(io, 1);
    const uint8_t *p = stream ? gost_take(stream, 1) : NULL;

    gost_phase(io, "the client's answer about the visitor");
    if (p && *p == 0)
        return gost_asked(gost_relay(io, 0, 1, 0));
    if (p)
        return gost_fail(io, GOST_EREFUSED, "the client refuses the visitor (%u)", *p);
    if (ev->type == GOST_EV_CLOSED)
        return gost_fail(io, GOST_ECLOSED, ev->port == 1 ? "the client left" : "the visitor left");
    return GOST_AGAIN;
}

const struct gost_handler_ops sshd_visitor_ops = {
    .size = sizeof(struct gost_handler_ops), .accepts = GOST_STREAM, .step = visitor_step};
