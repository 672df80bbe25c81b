/* ssh_packet.c - messages to packets and back; what waits for the end of a key exchange. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "ssh.h"

int ssh_enter(struct ssh_state *s, struct gost_io *io)
{
    s->io = io;
    s->secret = s->phase != SSH_PH_OPEN;
    if (!s->rx)
        s->rx = malloc(SSH_PACKET_MAX);
    if (!s->tx)
        s->tx = malloc(SSH_PACKET_MAX);
    return s->rx && s->tx ? GOST_OK : gost_fail(io, GOST_ENOMEM, "out of memory");
}

/* An idle session holds no buffers. What went through them may have been a password. */
void ssh_leave(struct ssh_state *s)
{
    if (s->rx && s->secret)
        gost_wipe(s->rx, SSH_PACKET_MAX);
    if (s->tx && s->secret)
        gost_wipe(s->tx, SSH_PACKET_MAX);
    free(s->rx);
    free(s->tx);
    s->rx = s->tx = NULL;
}

/* The payload stands at tx + 5. */
static int seal(struct ssh_state *s, size_t n)
{
    size_t block = ssh_dir_block(&s->out), apart = s->out.kind && !(s->out.mac && !s->out.etm);
    size_t pad = block - (1 + n + (apart ? 0 : 4)) % block, total;

    if (pad < 4)
        pad += block;
    gost_put32(s->tx, (uint32_t)(1 + n + pad));
    s->tx[4] = (uint8_t)pad;
    gost_random(s->tx + 5 + n, pad);
    if (ssh_dir_seal(&s->out, s->tx, 5 + n + pad, &total) != GOST_OK)
        return gost_fail(s->io, GOST_EINTERNAL, "a packet could not be enciphered");
    gost_send(s->io, s->tx, total);
    return GOST_OK;
}

static int send_now(struct ssh_state *s, struct gost_bytes m)
{
    if (m.n > SSH_PACKET_MAX - 128)
        return gost_fail(s->io, GOST_ETOOBIG, "a message of %zu bytes", m.n);
    memcpy(s->tx + 5, m.p, m.n);
    return seal(s, m.n);
}

/* Those that may be sent while a key exchange is under way, RFC 4253 section 7.1. */
static int passes(uint8_t type)
{
    return type <= SSH_DEBUG || (type >= SSH_KEXINIT && type < SSH_AUTH_REQUEST);
}

int ssh_send(struct ssh_state *s, struct ssh_out *m)
{
    int r = GOST_OK;

    if (m->bad)
        r = gost_fail(s->io, GOST_ENOMEM, "out of memory");
    else if (gost_tx_len(s->io) > SSH_UNREAD_MAX)
        r = gost_fail(s->io, GOST_ELIMIT, "the peer asks much and reads nothing");
    else if (!s->sending_held || passes(m->p[0]))
        r = send_now(s, ssh_out_bytes(m));
    else if (s->held.n + m->n > SSH_HELD_MAX)
        r = gost_fail(s->io, GOST_ELIMIT, "the peer does not finish a key exchange");
    else
        ssh_put_string(&s->held, ssh_out_bytes(m));
    ssh_out_free(m);
    return r;
}

int ssh_send_held(struct ssh_state *s)
{
    struct ssh_in in = ssh_in(ssh_out_bytes(&s->held));
    int r = s->held.bad ? gost_fail(s->io, GOST_ENOMEM, "out of memory") : GOST_OK;

    while (r == GOST_OK && in.n)
        r = send_now(s, ssh_get_string(&in));
    ssh_out_free(&s->held);
    return r;
}

int ssh_send_data(struct ssh_state *s, uint32_t channel, const uint8_t *p, size_t n)
{
    s->tx[5] = SSH_CHANNEL_DATA;
    gost_put32(s->tx + 6, channel);
    gost_put32(s->tx + 10, (uint32_t)n);
    memcpy(s->tx + 14, p, n);
    return seal(s, 9 + n);
}

int ssh_next_packet(struct ssh_state *s, struct gost_bytes *ret_payload)
{
    const char *why = "";
    int r = ssh_dir_open(&s->in, s->io, s->rx, ret_payload, &why);

    if (r < 0)
        return ssh_fail(s, r, 2, "%s", why);
    if (r == GOST_OK && ret_payload->n == 0)
        return ssh_fail(s, GOST_EPROTO, 2, "a packet without a message");
    return r;
}

int ssh_fail(struct ssh_state *s, int code, uint32_t reason, const char *fmt, ...)
{
    struct ssh_out m = {0};
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ssh_put_u8(&m, SSH_DISCONNECT);
    ssh_put_u32(&m, reason);
    ssh_put_text(&m, text);
    ssh_put_text(&m, "");
    if (s->phase != SSH_PH_VERSION)
        (void)ssh_send(s, &m);
    ssh_out_free(&m);
    return gost_fail(s->io, code, "%s", text);
}
