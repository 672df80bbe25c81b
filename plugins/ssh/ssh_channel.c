/* ssh_channel.c - channels: what the host asks of them. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ssh_channel.h"

int ssh_attach(struct gost_io *port, struct ssh_channel **ret_channel)
{
    struct ssh_channel *c = calloc(1, sizeof *c);

    if (!c)
        return GOST_ENOMEM;
    c->window = SSH_WINDOW;
    gost_set_data(port, c);
    gost_stream_set_credit(port, 0);
    *ret_channel = c;
    return GOST_OK;
}

int ssh_send_channel(struct ssh_state *s, uint8_t type, uint32_t peer_id)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, type);
    ssh_put_u32(&m, peer_id);
    return ssh_send(s, &m);
}

/* CLOSE follows as soon as both directions ended, or one end gives up. */
int ssh_send_close(struct ssh_state *s, struct ssh_channel *c)
{
    if (c->close_sent || !c->open)
        return GOST_OK;
    c->close_sent = 1;
    return ssh_send_channel(s, SSH_CHANNEL_CLOSE, c->peer_id);
}

int ssh_send_eof(struct ssh_state *s, struct ssh_channel *c)
{
    int r = GOST_OK;

    if (!c->open) {
        c->eof_due = 1;
        return GOST_OK;
    }
    if (!c->eof_sent && !c->close_sent)
        r = ssh_send_channel(s, SSH_CHANNEL_EOF, c->peer_id);
    c->eof_sent = 1;
    return r == GOST_OK && c->eof_got ? ssh_send_close(s, c) : r;
}

/* what: string(channel type), its data. */
static int send_open(struct ssh_state *s, uint32_t id, struct gost_bytes what)
{
    struct ssh_in in = ssh_in(what);
    struct gost_bytes type = ssh_get_string(&in);
    struct ssh_out m = {0};

    ssh_put_u8(&m, SSH_CHANNEL_OPEN);
    ssh_put_string(&m, type);
    ssh_put_u32(&m, id);
    ssh_put_u32(&m, SSH_WINDOW);
    ssh_put_u32(&m, SSH_MAX_DATA);
    ssh_put(&m, in.p, in.n);
    return ssh_send(s, &m);
}

void ssh_put_open(struct ssh_out *o, struct gost_bytes what)
{
    ssh_put(o, SSH_OPEN_WORD, strlen(SSH_OPEN_WORD));
    ssh_put_string(o, what);
}

/* ---- session operations ---- */

static int channel_open(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                        uint32_t flags, uint64_t *ret_id)
{
    struct gost_bytes arg = gost_stream_arg(port);
    struct ssh_state *s = state;
    struct ssh_out what = {0};
    struct ssh_channel *c;
    int r = ssh_enter(s, io);

    if (s->next_id == UINT32_MAX) {
        gost_session_goaway(io); /* the numbers are used up: the next session begins anew */
        r = GOST_FULL;
    } else if (r == GOST_OK) {
        r = ssh_attach(port, &c);
    }
    if (r == GOST_OK) {
        *ret_id = s->next_id++;
        if (!s->conf->forwards && !arg.n) {
            ssh_put_text(&what, "gost-tunnel");
            arg = ssh_out_bytes(&what);
        }
        c->lazy = arg.n == 0;
        if (c->lazy)
            gost_stream_set_credit(port, SSH_OPEN_HEAD + SSH_OPEN_LIMIT);
        else
            r = send_open(s, (uint32_t)*ret_id, arg);
    }
    ssh_out_free(&what);
    ssh_leave(s);
    return r;
}

int ssh_consumed(struct ssh_state *s, struct ssh_channel *c, size_t n)
{
    struct ssh_out m = {0};

    c->untold += (uint32_t)n;
    if (c->untold < SSH_WINDOW / 2 || c->eof_got || c->close_sent)
        return GOST_OK;
    ssh_put_u8(&m, SSH_WINDOW_ADJUST);
    ssh_put_u32(&m, c->peer_id);
    ssh_put_u32(&m, c->untold);
    c->window += c->untold;
    c->untold = 0;
    return ssh_send(s, &m);
}

static int channel_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                          size_t n)
{
    struct ssh_channel *c = gost_data(port);
    struct ssh_state *s = state;
    int r = ssh_enter(s, io);

    if (n && c->skip) {
        c->skip = 0;
        n--;
    }
    if (r == GOST_OK && c->open)
        r = ssh_consumed(s, c, n);
    ssh_leave(s);
    return r;
}

static int channel_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *port,
                         uint64_t code)
{
    struct ssh_channel *c = gost_data(port);
    struct ssh_state *s = state;
    int r = ssh_enter(s, io);

    if (r == GOST_OK && c->control)
        r = ssh_answer(s, gost_stream_id(port), GOST_ECLOSED, gost_bytes(NULL, 0));
    else if (r == GOST_OK)
        r = ssh_send_close(s, c);
    ssh_leave(s);
    return r;
}

static void channel_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *port)
{
    struct ssh_channel *c = gost_data(port);
    struct ssh_state *s = state;

    if (c && c->control)
        s->n_listeners--;
    gost_set_data(port, NULL);
    free(c);
}

static int session_ping(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;
    int r = ssh_enter(s, io);

    if (r == GOST_OK)
        r = ssh_ping(s);
    ssh_leave(s);
    return r;
}

const struct gost_session_ops ssh_session_ops = {
    .size = sizeof(struct gost_session_ops),
    .flags = GOST_SESSION_RESET,
    .open = channel_open,
    .credit = channel_credit,
    .reset = channel_reset,
    .closed = channel_closed,
    .ping = session_ping,
};

/* ---- out ---- */

/* What the user wants opened. GOST_AGAIN: not all of it is there. */
static int encode_head(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c)
{
    const uint8_t *p = gost_peek(port, SSH_OPEN_HEAD);
    size_t n = p ? gost_get32(p + 4) : 0;
    int r;

    if (p && (memcmp(p, SSH_OPEN_WORD, 4) != 0 || n > SSH_OPEN_LIMIT)) {
        gost_log(s->io, GOST_LOG_ERROR,
                 "a stream of sshd does not say what it opens: the dialer sshd serves the "
                 "connector sshd only");
        gost_stream_reset(port, 0);
        return GOST_OK;
    }
    p = p ? gost_peek(port, SSH_OPEN_HEAD + n) : NULL;
    if (!p) {
        if (gost_rx_eof(port))
            gost_stream_reset(port, 0);
        return GOST_OK;
    }
    r = send_open(s, (uint32_t)gost_stream_id(port), gost_bytes(p + SSH_OPEN_HEAD, n));
    gost_consume(port, SSH_OPEN_HEAD + n);
    c->lazy = 0;
    c->announced = 1;
    gost_stream_set_credit(port, 0);
    return r;
}

static int encode_data(struct ssh_state *s, struct gost_io *port, struct ssh_channel *c)
{
    size_t n = gost_rx_len(port);
    const uint8_t *p;
    int r;

    n = n < c->peer_max ? n : c->peer_max;
    n = n < c->peer_window ? n : (size_t)c->peer_window;
    p = n ? gost_peek(port, n) : NULL;
    if (!p)
        return GOST_OK;
    r = ssh_send_data(s, c->peer_id, p, n);
    gost_consume(port, n);
    c->peer_window -= n;
    return r;
}

int ssh_encode_stream(struct ssh_state *s, struct gost_io *port)
{
    struct ssh_channel *c = gost_data(port);
    int r = GOST_OK;

    if (c->control)
        return ssh_control_data(s, port);
    if (c->lazy)
        return encode_head(s, port, c);
    if (c->open && !c->close_sent)
        r = encode_data(s, port, c);
    if (r == GOST_OK && gost_rx_eof(port))
        r = ssh_send_eof(s, c);
    return r;
}
