/* ssh_channel_recv.c - channels: what the peer says about them. */
/* SPDX-License-Identifier: MIT */
#include "ssh_channel.h"

enum refusal { PROHIBITED = 1, CONNECT_FAILED = 2, UNKNOWN_TYPE = 3, SHORTAGE = 4 };

/* ---- the peer opens ---- */

static int refuse(struct ssh_state *s, uint32_t peer_id, enum refusal reason, const char *text,
                  struct gost_bytes type)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, SSH_OPEN_FAILURE);
    ssh_put_u32(&m, peer_id);
    ssh_put_u32(&m, reason);
    ssh_put_u32(&m, (uint32_t)(strlen(text) + type.n));
    ssh_put(&m, text, strlen(text));
    ssh_put(&m, type.p, type.n);
    ssh_put_text(&m, "");
    return ssh_send(s, &m);
}

static int is_served(const struct ssh_state *s, struct gost_bytes type)
{
    return s->server && ssh_is(type, s->conf->forwards ? "direct-tcpip" : "gost-tunnel");
}

static int accept_channel(struct ssh_state *s, struct gost_bytes type, struct gost_bytes data,
                          const struct ssh_channel *peer)
{
    struct gost_io *port = s->next_id < UINT32_MAX ? gost_stream_new(s->io, s->next_id, 0) : NULL;
    struct ssh_out m = {0}, arg = {0};
    struct ssh_channel *c;
    int r;

    if (!port)
        return refuse(s, peer->peer_id, SHORTAGE, "no more channels", gost_bytes(NULL, 0));
    ssh_put_string(&arg, type);
    ssh_put(&arg, data.p, data.n);
    r = ssh_attach(port, &c);
    if (r == GOST_OK)
        r = gost_stream_set_arg(port, ssh_out_bytes(&arg));
    ssh_out_free(&arg);
    if (r != GOST_OK)
        return gost_fail(s->io, GOST_ENOMEM, "out of memory");
    c->peer_id = peer->peer_id;
    c->peer_window = peer->peer_window;
    c->peer_max = peer->peer_max;
    c->open = 1;
    gost_stream_set_credit(port, c->peer_window);
    ssh_put_u8(&m, SSH_OPEN_CONFIRMATION);
    ssh_put_u32(&m, c->peer_id);
    ssh_put_u32(&m, s->next_id++);
    ssh_put_u32(&m, SSH_WINDOW);
    ssh_put_u32(&m, SSH_MAX_DATA);
    return ssh_send(s, &m);
}

static uint32_t at_most(uint32_t n)
{
    return n < SSH_MAX_DATA ? n : SSH_MAX_DATA;
}

static int on_open(struct ssh_state *s, struct ssh_in *in)
{
    struct gost_bytes type = ssh_get_string(in);
    struct ssh_channel peer = {.peer_id = ssh_get_u32(in)};

    peer.peer_window = ssh_get_u32(in);
    peer.peer_max = at_most(ssh_get_u32(in));
    if (in->bad || type.n > 256)
        return ssh_fail(s, GOST_EPROTO, 2, "a channel that is cut off");
    if (!is_served(s, type))
        return refuse(s, peer.peer_id, UNKNOWN_TYPE, "unsupported channel type: ", type);
    if (peer.peer_max == 0 || in->n > SSH_OPEN_LIMIT)
        return refuse(s, peer.peer_id, PROHIBITED, "the channel cannot carry anything",
                      gost_bytes(NULL, 0));
    return accept_channel(s, type, gost_bytes(in->p, in->n), &peer);
}

/* ---- the peer answers ---- */

static int on_confirmation(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c,
                           struct ssh_in *in)
{
    uint32_t peer_id = ssh_get_u32(in), window = ssh_get_u32(in);
    uint32_t max = at_most(ssh_get_u32(in));

    if (in->bad || (c && (c->open || c->lazy || c->control)) || max == 0)
        return ssh_fail(s, GOST_EPROTO, 2, "the confirmation of a channel that we did not open");
    if (!c) /* its user did not wait */
        return ssh_send_channel(s, SSH_CHANNEL_CLOSE, peer_id);
    c->peer_id = peer_id;
    c->peer_window = window;
    c->peer_max = max;
    c->open = 1;
    gost_stream_set_credit(port, window);
    if (c->announced) {
        c->skip = 1;
        gost_send(port, "", 1);
    }
    return c->eof_due ? ssh_send_eof(s, c) : GOST_OK;
}

static int on_failure(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c,
                      struct ssh_in *in)
{
    uint32_t reason = ssh_get_u32(in);
    struct gost_bytes text = ssh_get_string(in);

    if (in->bad || (c && (c->open || c->lazy || c->control)))
        return ssh_fail(s, GOST_EPROTO, 2, "the refusal of a channel that we did not open");
    if (!c)
        return GOST_OK;
    gost_log(s->io, GOST_LOG_DEBUG, "the peer refuses a channel (%u): %.*s", (unsigned)reason,
             (int)(text.n < 200 ? text.n : 200), text.n ? (const char *)text.p : "");
    c->close_sent = 1; /* there is nothing to close */
    if (c->announced) {
        uint8_t word = reason && reason < 256 ? (uint8_t)reason : CONNECT_FAILED;

        gost_send(port, &word, 1);
        gost_shut(port);
    } else {
        gost_stream_reset(port, reason);
    }
    return GOST_OK;
}

/* ---- what goes on in a channel ---- */

static int on_data(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c,
                   struct ssh_in *in, int extended)
{
    struct gost_bytes data;

    if (extended)
        (void)ssh_get_u32(in);
    data = ssh_get_string(in);
    if (in->bad)
        return ssh_fail(s, GOST_EPROTO, 2, "data that is cut off");
    if (!c)
        return GOST_OK;
    if (!c->open || data.n > c->window)
        return ssh_fail(s, GOST_EPROTO, 2, "the peer sends more than the window of a channel");
    c->window -= (uint32_t)data.n;
    if (c->eof_got)
        return GOST_OK;
    if (extended)
        return ssh_consumed(s, c, data.n);
    gost_send(port, data.p, data.n);
    return GOST_OK;
}

static int on_adjust(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c,
                     struct ssh_in *in)
{
    uint32_t n = ssh_get_u32(in);

    if (in->bad || (c && (!c->open || c->peer_window + n > UINT32_MAX)))
        return ssh_fail(s, GOST_EPROTO, 2, "a window that is too large");
    if (!c)
        return GOST_OK;
    c->peer_window += n;
    gost_stream_set_credit(port, c->peer_window);
    return GOST_OK;
}

static int on_eof(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c)
{
    if (!c || c->eof_got || !c->open)
        return GOST_OK;
    c->eof_got = 1;
    gost_shut(port);
    return c->eof_sent ? ssh_send_close(s, c) : GOST_OK;
}

/* It ends both directions. GOST, and whoever let go of a TLS connection within, ends its own so:
 * what came before is good, and nobody reads what we still send. */
static int on_close(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c)
{
    if (!c || c->close_got)
        return GOST_OK;
    if (!c->open)
        return ssh_fail(s, GOST_EPROTO, 2, "the end of a channel that is not open");
    c->close_got = 1;
    if (!c->eof_got)
        gost_shut(port);
    c->eof_got = 1;
    gost_stream_stop(port, 0);
    return ssh_send_close(s, c);
}

static int on_request(struct ssh_state *s, struct ssh_channel *c, struct ssh_in *in)
{
    (void)ssh_get_string(in);
    if (!ssh_get_u8(in) || in->bad || !c || !c->open || c->close_sent)
        return GOST_OK;
    return ssh_send_channel(s, SSH_CHANNEL_FAILURE, c->peer_id);
}

/* Messages about one channel; those of a channel that is gone may still be under way. */
static int of_channel(struct ssh_state *s, uint8_t type, struct ssh_in *in)
{
    uint32_t id = ssh_get_u32(in);
    struct gost_io *port = gost_stream_port(s->io, id);
    struct ssh_channel *c = port ? gost_data(port) : NULL;

    if (in->bad || id >= s->next_id)
        return ssh_fail(s, GOST_EPROTO, 2, "message %u about a channel that never was", type);
    switch (type) {
    case SSH_OPEN_CONFIRMATION:
        return on_confirmation(s, port, c, in);
    case SSH_OPEN_FAILURE:
        return on_failure(s, port, c, in);
    case SSH_WINDOW_ADJUST:
        return on_adjust(s, port, c, in);
    case SSH_CHANNEL_DATA:
    case SSH_EXTENDED_DATA:
        return on_data(s, port, c, in, type == SSH_EXTENDED_DATA);
    case SSH_CHANNEL_EOF:
        return on_eof(s, port, c);
    case SSH_CHANNEL_CLOSE:
        return on_close(s, port, c);
    case SSH_CHANNEL_REQUEST:
        return on_request(s, c, in);
    default: /* answers to requests, which we do not make */
        return GOST_OK;
    }
}

int ssh_channel_message(struct ssh_state *s, struct gost_bytes payload)
{
    struct ssh_in in = ssh_in(payload);
    uint8_t type = ssh_get_u8(&in);
    struct ssh_out m = {0};

    if (type == SSH_GLOBAL_REQUEST)
        return ssh_global_request(s, payload);
    if (type == SSH_REQUEST_SUCCESS || type == SSH_REQUEST_FAILURE)
        return ssh_global_reply(s);
    if (type == SSH_CHANNEL_OPEN)
        return on_open(s, &in);
    if (type > SSH_CHANNEL_OPEN && type <= SSH_CHANNEL_FAILURE)
        return of_channel(s, type, &in);
    ssh_put_u8(&m, SSH_UNIMPLEMENTED);
    ssh_put_u32(&m, s->in.seq - 1);
    return ssh_send(s, &m);
}
