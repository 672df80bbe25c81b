/* ssh_step.c - the session's own steps: versions, messages in, channels out, signs of life. */
/* SPDX-License-Identifier: MIT */
#include "ssh.h"

#define VERSION_MAX  255u /* of a version, RFC 4253 section 4.2 */
#define LINES_BEFORE 64u  /* a server may say other things first */

/* ---- versions ---- */

static int is_version(struct gost_bytes line)
{
    return line.n >= 8 &&
           (memcmp(line.p, "SSH-2.0-", 8) == 0 || (line.n >= 9 && !memcmp(line.p, "SSH-1.99-", 9)));
}

/* One line without its end. The view lives until the next call. */
static int next_line(struct ssh_state *s, struct gost_bytes *ret_line)
{
    size_t n = gost_rx_len(s->io);
    const uint8_t *p, *end;

    n = n < VERSION_MAX ? n : VERSION_MAX;
    p = n ? gost_peek(s->io, n) : NULL;
    end = p ? memchr(p, '\n', n) : NULL;
    if (!end && n == VERSION_MAX)
        return gost_fail(s->io, GOST_EPROTO, "the peer's first line does not end: it is no SSH");
    if (!end) {
        gost_want(s->io, n + 1);
        return GOST_AGAIN;
    }
    n = (size_t)(end - p);
    gost_consume(s->io, n + 1);
    *ret_line = gost_bytes(p, n && p[n - 1] == '\r' ? n - 1 : n);
    return GOST_OK;
}

static int read_version(struct ssh_state *s)
{
    struct gost_bytes line = {0};
    int r;

    while ((r = next_line(s, &line)) == GOST_OK && !is_version(line))
        if (s->server || s->tried++ >= LINES_BEFORE)
            return gost_fail(s->io, GOST_EPROTO, "the peer does not speak SSH: \"%.*s\"",
                             (int)(line.n < 40 ? line.n : 40), (const char *)line.p);
    if (r != GOST_OK)
        return r;
    s->tried = 0;
    ssh_put(&s->peer_version, line.p, line.n);
    s->phase = SSH_PH_KEX;
    gost_phase(s->io, "the key exchange");
    return ssh_kex_start(s);
}

/* ---- messages ---- */

static int on_disconnect(struct ssh_state *s, struct ssh_in *in)
{
    uint32_t reason = ssh_get_u32(in);
    struct gost_bytes text = ssh_get_string(in);

    return gost_fail(s->io, s->phase == SSH_PH_AUTH ? GOST_EAUTH : GOST_ECLOSED,
                     "the peer ended the session (%u): %.*s", (unsigned)reason,
                     (int)(text.n < 200 ? text.n : 200), text.n ? (const char *)text.p : "");
}

static int on_ext_info(struct ssh_state *s, struct ssh_in *in)
{
    uint32_t i, n = ssh_get_u32(in);

    for (i = 0; i < n && !in->bad; i++) {
        struct gost_bytes name = ssh_get_string(in), value = ssh_get_string(in);

        if (!ssh_is(name, "server-sig-algs") || in->bad)
            continue;
        ssh_out_free(&s->sig_algs);
        ssh_put(&s->sig_algs, value.p, value.n);
    }
    return GOST_OK;
}

static int is_kex(uint8_t type)
{
    return type >= SSH_KEXINIT && type < SSH_AUTH_REQUEST;
}

static int on_message(struct ssh_state *s, struct gost_bytes m)
{
    struct ssh_in in = ssh_in(m);
    uint8_t type = ssh_get_u8(&in);

    if (type == SSH_DISCONNECT)
        return on_disconnect(s, &in);
    if (is_kex(type))
        return ssh_kex_message(s, m);
    if ((s->strict && !s->keyed) || (s->kex && s->kex_got && type > SSH_DEBUG))
        return ssh_fail(s, GOST_EPROTO, 2, "message %u in a key exchange", type);
    if (type >= SSH_IGNORE && type <= SSH_DEBUG)
        return GOST_OK;
    if (!s->keyed)
        return ssh_fail(s, GOST_EPROTO, 2, "message %u before the keys", type);
    if (type == SSH_EXT_INFO)
        return on_ext_info(s, &in);
    if (s->phase == SSH_PH_AUTH)
        return s->server ? ssh_auth_request(s, m) : ssh_auth_reply(s, m);
    if (type >= SSH_AUTH_REQUEST && type < SSH_GLOBAL_REQUEST)
        return GOST_OK; /* RFC 4252 section 5.3: whoever is in, is in */
    return ssh_channel_message(s, m);
}

/* All that is there. until_open: not what follows the end of the handshake. */
static int read_all(struct ssh_state *s, int until_open)
{
    struct gost_bytes m;
    int r = GOST_OK;

    while (r == GOST_OK && !(until_open && s->phase == SSH_PH_OPEN)) {
        r = ssh_next_packet(s, &m);
        if (r == GOST_OK)
            r = on_message(s, m);
    }
    return r;
}

/* ---- signs of life ---- */

static void set_deadline(const struct ssh_state *s)
{
    gost_set_deadline(s->io, s->give_up_at ? s->give_up_at : s->ping_at);
}

static void opened(struct ssh_state *s)
{
    const struct ssh_conf *c = s->conf;

    gost_set_deadline(s->io, 0);
    gost_phase(s->io, "channels");
    if (s->server || !c->keepalive)
        return;
    s->ping_at = gost_now() + c->interval_ns;
    set_deadline(s);
}

static int look_for_life(struct ssh_state *s)
{
    const struct ssh_conf *c = s->conf;
    uint64_t now = gost_now();
    int r = GOST_OK;

    if (s->give_up_at && now >= s->give_up_at) {
        s->misses++;
        s->give_up_at = 0;
        s->ping_at = now;
        if (s->misses >= (uint32_t)c->retries)
            return ssh_fail(s, GOST_ETIMEDOUT, 11,
                            "the peer did not answer within keepalive.timeout");
    }
    if (!s->give_up_at && now >= s->ping_at) {
        r = ssh_ping(s);
        s->give_up_at = now + c->timeout_ns;
        s->ping_at = now + c->interval_ns;
    }
    set_deadline(s);
    return r;
}

static int ssh_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;
    int r = ssh_enter(s, io);

    if (r == GOST_OK && s->phase != SSH_PH_OPEN)
        r = gost_fail(io, GOST_ETIMEDOUT, "the handshake took longer than handshakeTimeout");
    else if (r == GOST_OK)
        r = look_for_life(s);
    ssh_leave(s);
    return r;
}

/* ---- steps ---- */

static int ssh_open(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;

    s->conf = conf;
    s->server = gost_flow(io)->role == GOST_SERVER;
    gost_send(io, SSH_VERSION "\r\n", strlen(SSH_VERSION "\r\n"));
    gost_phase(io, "the peer's version");
    if (!s->server && s->conf->handshake_ns)
        gost_set_deadline(io, gost_now() + s->conf->handshake_ns);
    return GOST_OK;
}

static int ssh_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;
    int r = ssh_enter(s, io);

    if (r == GOST_OK && s->phase == SSH_PH_VERSION)
        r = read_version(s);
    if (r == GOST_OK)
        r = read_all(s, 1);
    if (r == GOST_OK)
        opened(s);
    ssh_leave(s);
    return r;
}

static int rekey(struct ssh_state *s)
{
    if (s->kex || s->in.bytes + s->out.bytes < SSH_REKEY_BYTES)
        return GOST_OK;
    return ssh_kex_start(s);
}

static int ssh_decode(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;
    int r = ssh_enter(s, io);

    if (r == GOST_OK)
        r = rekey(s);
    if (r == GOST_OK)
        r = read_all(s, 0);
    ssh_leave(s);
    return r;
}

/* One message of each channel in turn; none while keys change. */
static int write_all(struct ssh_state *s)
{
    struct gost_io *port;
    int r = GOST_OK;

    while (r == GOST_OK) {
        if (s->sending_held)
            return GOST_AGAIN;
        if (!gost_tx_room(s->io))
            return GOST_FULL;
        port = gost_stream_next(s->io);
        if (!port)
            return GOST_AGAIN;
        r = ssh_encode_stream(s, port);
        if (r == GOST_OK)
            r = rekey(s);
    }
    return r;
}

static int ssh_encode(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;
    int r = ssh_enter(s, io);

    if (r == GOST_OK)
        r = write_all(s);
    ssh_leave(s);
    return r;
}

static int ssh_shut(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;
    struct ssh_out m = {0};
    int r = ssh_enter(s, io);

    ssh_put_u8(&m, SSH_DISCONNECT);
    ssh_put_u32(&m, 11);
    ssh_put_text(&m, "");
    ssh_put_text(&m, "");
    if (r == GOST_OK && s->keyed)
        r = ssh_send(s, &m);
    ssh_out_free(&m);
    ssh_leave(s);
    return r;
}

static void ssh_destroy(void *state)
{
    struct ssh_state *s = state;

    ssh_leave(s);
    ssh_kex_free(s);
    ssh_asks_free(s);
    ssh_dir_free(&s->in);
    ssh_dir_free(&s->out);
    ssh_out_free(&s->peer_version);
    ssh_out_free(&s->held);
    ssh_out_free(&s->sig_algs);
    gost_wipe(s->session_id, sizeof s->session_id);
}

const struct gost_layer_ops ssh_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_SESSION,
    .flags = GOST_LAYER_SECURE,
    .open = ssh_open,
    .handshake = ssh_handshake,
    .decode = ssh_decode,
    .encode = ssh_encode,
    .shut = ssh_shut,
    .on_deadline = ssh_on_deadline,
    .destroy = ssh_destroy,
    .session = &ssh_session_ops,
};
