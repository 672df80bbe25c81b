/* ss_packet.c - the codec of packets, and the packets of 2017. */
/* SPDX-License-Identifier: MIT */
#include "ss_packet.h"

static const uint8_t zero_nonce[SS_NONCE];

static int open_2017(struct ss_packet *s, int server, struct gost_bytes in, uint8_t *buf,
                     struct gost_addr *ret_addr, struct gost_bytes *ret_data, const char **ret_why)
{
    const struct ss_keys *k = s->arg.keys;
    const struct ss_method *m = k->method;
    uint8_t subkey[SS_KEY_MAX];
    size_t n;
    int r;

    *ret_why = "a datagram too short for Shadowsocks";
    if (in.n < (size_t)m->salt + m->tag || in.n > SS_PACKET_MAX)
        return GOST_EPROTO;
    r = ss_subkey(m, s->key->psk, gost_bytes(in.p, m->salt), subkey);
    if (r == GOST_OK)
        r = ss_open_once(m, subkey, zero_nonce, buf, gost_bytes(in.p + m->salt, in.n - m->salt));
    gost_wipe(subkey, sizeof subkey);
    *ret_why = "a datagram that does not authenticate";
    if (r != GOST_OK)
        return r;
    *ret_why = "a datagram that was here before: a replay";
    if (server && k->memory &&
        !ss_replay_fresh(k->memory->packets, gost_bytes(in.p, m->salt), gost_now()))
        return GOST_EAUTH;
    *ret_why = "a datagram with a malformed address";
    n = in.n - m->salt - m->tag;
    r = gost_socks_addr_parse(ret_addr, gost_bytes(buf, n));
    if (r <= 0)
        return GOST_EPROTO;
    *ret_data = gost_bytes(buf + r, n - (size_t)r);
    return GOST_OK;
}

static int seal_2017(struct ss_packet *s, const struct gost_addr *addr, struct gost_bytes data,
                     uint8_t *buf, struct gost_bytes *ret_out)
{
    const struct ss_method *m = s->arg.keys->method;
    uint8_t subkey[SS_KEY_MAX], *body = buf + m->salt;
    size_t n = gost_socks_addr_put(body, addr);
    int r;

    if (m->salt + n + data.n + m->tag > SS_DATAGRAM_MAX)
        return GOST_ETOOBIG;
    if (data.n)
        memcpy(body + n, data.p, data.n);
    n += data.n;
    gost_random(buf, m->salt);
    r = ss_subkey(m, s->key->psk, gost_bytes(buf, m->salt), subkey);
    if (r == GOST_OK)
        r = ss_seal_once(m, subkey, zero_nonce, body, gost_bytes(body, n));
    gost_wipe(subkey, sizeof subkey);
    *ret_out = gost_bytes(buf, m->salt + n + m->tag);
    return r;
}

int ss_packet_open(struct ss_packet *s, int server, struct gost_bytes in, uint8_t *buf,
                   struct gost_addr *ret_addr, struct gost_bytes *ret_data, const char **ret_why)
{
    if (s->arg.keys->method->family == SS_2022)
        return ss_packet22_open(s, server, in, buf, ret_addr, ret_data, ret_why);
    return open_2017(s, server, in, buf, ret_addr, ret_data, ret_why);
}

int ss_packet_seal(struct ss_packet *s, int server, const struct gost_addr *addr,
                   struct gost_bytes data, uint8_t *buf, struct gost_bytes *ret_out)
{
    if (s->arg.keys->method->family == SS_2022)
        return ss_packet22_seal(s, server, addr, data, buf, ret_out);
    return seal_2017(s, addr, data, buf, ret_out);
}

static int is_server(struct gost_io *io)
{
    return gost_flow(io)->role == GOST_SERVER;
}

static int packet_open(void *state, const void *conf, struct gost_io *io)
{
    struct ss_packet *s = state;
    int r = ss_arg_read(io, &s->arg);

    if (r != GOST_OK)
        return r;
    s->key = ss_keys_own(s->arg.keys);
    if (is_server(io))
        return GOST_OK;
    if (s->arg.addr_n &&
        gost_socks_addr_parse(&s->peer, gost_bytes(s->arg.addr, s->arg.addr_n)) <= 0)
        return gost_fail(io, GOST_EINTERNAL, "the codec's target is malformed");
    if (s->arg.keys->method->family == SS_2022)
        gost_random(s->session, sizeof s->session);
    return GOST_OK;
}

static int packet_decode(void *state, const void *conf, struct gost_io *io)
{
    uint8_t buf[SS_PACKET_MAX];
    struct ss_packet *s = state;
    struct gost_packet pkt;
    struct gost_addr addr;
    struct gost_bytes data;
    const char *why;
    int r;

    while ((r = gost_packet_recv(io, &pkt)) == GOST_OK) {
        if (ss_packet_open(s, is_server(io), pkt.data, buf, &addr, &data, &why) != GOST_OK) {
            gost_log(io, GOST_LOG_DEBUG, "dropped %s", why);
            continue;
        }
        s->heard = 1;
        (void)gost_packet_put(gost_app(io), data, &addr);
    }
    return r;
}

static int packet_encode(void *state, const void *conf, struct gost_io *io)
{
    static const struct gost_addr none;
    uint8_t buf[SS_PACKET_MAX + SS_VARIABLE_MAX];
    struct ss_packet *s = state;
    struct gost_packet pkt;
    struct gost_bytes out;
    int r;

    while ((r = gost_packet_recv(gost_app(io), &pkt)) == GOST_OK) {
        const struct gost_addr *addr = pkt.addr ? pkt.addr : &none;

        if (s->peer.family != GOST_AF_NONE)
            addr = &s->peer;
        if (is_server(io) && !s->heard)
            continue; /* nobody to answer yet */
        if (ss_packet_seal(s, is_server(io), addr, pkt.data, buf, &out) == GOST_OK)
            (void)gost_packet_put(io, out, NULL);
        else
            gost_log(io, GOST_LOG_DEBUG, "dropped a datagram of %zu bytes that cannot be sealed",
                     pkt.data.n);
    }
    return r;
}

static uint32_t packet_mtu(const void *conf, uint32_t below)
{
    const uint32_t head = SS_KEY_MAX + SS_TAG + 19; /* salt, tag, address of IPv6 */

    return below > head ? below - head : 0;
}

const struct gost_layer_ops ss_packet_layer = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_DATAGRAM,
    .above = GOST_DATAGRAM,
    .flags = GOST_LAYER_CODEC,
    .open = packet_open,
    .decode = packet_decode,
    .encode = packet_encode,
    .mtu = packet_mtu,
};
