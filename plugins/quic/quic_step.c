/* quic_step.c - the layer's steps: packets in, packets out, time. */
/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <stdlib.h>

#include "quic.h"
#include "sockaddr.h"

#define BATCH_MAX   65000u /* bytes of packets sent as one */
#define BATCH_COUNT 44u
#define H3_OK       0x100u /* what a layer of HTTP/3 ends with when nothing is wrong */

/* ngtcp2's are aligned for less than a struct sockaddr_storage. */
static void to_addr(struct gost_addr *ret_addr, const ngtcp2_addr *from)
{
    struct sockaddr_storage ss = {0};

    memcpy(&ss, from->addr, from->addrlen);
    gost_sockaddr_get(ret_addr, &ss, from->addrlen);
}

/* ---- ends ---- */

/* Tell the peer why. Nothing is written afterwards. */
static void send_close(struct quic_state *s, const quic_error *error)
{
    uint8_t packet[QUIC_PACKET], sealed[QUIC_PACKET + QUIC_SEAL];
    struct gost_packet p = {.size = sizeof p};
    struct gost_addr to;
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info pi;
    ngtcp2_ssize n;

    if (!s->conn || s->over)
        return;
    s->over = 1;
    if (quic_is_draining(s->conn))
        return;
    ngtcp2_path_storage_zero(&ps);
    n = ngtcp2_conn_write_connection_close(s->conn, &ps.path, &pi, packet, sizeof packet, error,
                                           gost_now());
    if (n <= 0)
        return;
    p.data = gost_bytes(packet, (size_t)n);
    if (s->conf->cipher_key.n) {
        if (quic_seal(s->conf, packet, (size_t)n, sealed) < 0)
            return;
        p.data = gost_bytes(sealed, (size_t)n + QUIC_SEAL);
    }
    if (s->role == GOST_SERVER) {
        to_addr(&to, &ps.path.remote);
        p.addr = &to;
    }
    (void)gost_packet_send(s->wire, &p);
}

static int peer_closed(struct quic_state *s)
{
    quic_error e;

    s->over = 1;
    if (s->unknown)
        return gost_fail(s->wire, GOST_ECLOSED,
                         "%s knows nothing of the QUIC connection any more: it was restarted",
                         s->peer);
    quic_peer_error(s->conn, &e);
    if (gost_session_used(s->wire) && e.type == QUIC_ERROR_APPLICATION && e.error_code == H3_OK)
        return gost_fail(s->wire, GOST_ECLOSED, "%s closed the QUIC connection", s->peer);
    if (e.type == QUIC_ERROR_APPLICATION || e.error_code == 0)
        return gost_fail(s->wire, e.error_code ? GOST_EPEER : GOST_ECLOSED,
                         "%s closed the QUIC connection (code %llu: %.*s)", s->peer,
                         (unsigned long long)e.error_code,
                         (int)(e.reasonlen < 80 ? e.reasonlen : 80),
                         e.reason ? (const char *)e.reason : "");
    if (e.error_code >= 0x100 && e.error_code < 0x200)
        return gost_fail(s->wire, GOST_ETLS, "%s refused the TLS handshake: %s", s->peer,
                         gnutls_alert_get_name((gnutls_alert_description_t)(e.error_code & 0xff)));
    return gost_fail(s->wire, GOST_EPEER,
                     "%s gave up the QUIC connection (transport error 0x%llx: %.*s)", s->peer,
                     (unsigned long long)e.error_code, (int)(e.reasonlen < 80 ? e.reasonlen : 80),
                     e.reason ? (const char *)e.reason : "");
}

static int fail(struct quic_state *s, int r)
{
    char why[400];
    quic_error e;

    if (r == NGTCP2_ERR_DRAINING)
        return peer_closed(s);
    quic_error_default(&e);
    if (r == NGTCP2_ERR_IDLE_CLOSE || r == NGTCP2_ERR_HANDSHAKE_TIMEOUT) {
        s->over = 1;
        return gost_fail(s->wire, GOST_ETIMEDOUT,
                         r == NGTCP2_ERR_IDLE_CLOSE
                             ? "%s was silent for the whole idle time"
                             : "%s did not finish the QUIC handshake in time",
                         s->peer);
    }
    if (r == NGTCP2_ERR_CRYPTO) {
        quic_tls_reason(s, why, sizeof why);
        quic_error_alert(&e, ngtcp2_conn_get_tls_alert(s->conn), NULL, 0);
        send_close(s, &e);
        return gost_fail(s->wire, GOST_ETLS, "%s", why);
    }
    if (r == NGTCP2_ERR_NOMEM || r == NGTCP2_ERR_CALLBACK_FAILURE) {
        quic_error_library(&e, NGTCP2_ERR_INTERNAL, NULL, 0);
        send_close(s, &e);
        return gost_fail(s->wire, GOST_ENOMEM, "out of memory");
    }
    quic_error_library(&e, r, NULL, 0);
    send_close(s, &e);
    return gost_fail(s->wire, GOST_EPROTO, "the QUIC connection with %s failed: %s", s->peer,
                     ngtcp2_strerror(r));
}

/* ---- out ---- */

/* Packets of one length and for one place, sent as one. */
struct out {
    uint8_t buf[BATCH_MAX + QUIC_PACKET];
    size_t used, segment, last;
    unsigned count;
    ngtcp2_path_storage path;
    uint8_t ecn;
};

static void send_some(struct quic_state *s, const uint8_t *data, size_t n, size_t segment,
                      const ngtcp2_path *path, uint8_t ecn)
{
    uint8_t sealed[QUIC_PACKET + QUIC_SEAL];
    struct gost_packet p = {.size = sizeof p, .ecn = ecn};
    struct gost_addr to, from;

    if (s->role == GOST_SERVER) {
        to_addr(&to, &path->remote);
        to_addr(&from, &path->local);
        p.addr = &to;
        if (s->local_known && gost_addr_is_ip(&from))
            p.local = &from;
    }
    if (s->conf->cipher_key.n) {
        if (quic_seal(s->conf, data, n, sealed) < 0)
            return;
        p.ecn = 0;
        p.data = gost_bytes(sealed, n + QUIC_SEAL);
    } else {
        p.segment = n > segment ? (uint16_t)segment : 0;
        p.data = gost_bytes(data, n);
    }
    (void)gost_packet_send(s->wire, &p); /* full: it is lost, and sent again like any lost packet */
}

static void out_flush(struct quic_state *s, struct out *o)
{
    if (o->used)
        send_some(s, o->buf, o->used, o->segment, &o->path.path, o->ecn);
    o->used = o->count = 0;
}

/* A packet of n bytes was written behind what is there. */
static void out_add(struct quic_state *s, struct out *o, size_t n, const ngtcp2_path *path,
                    uint8_t ecn)
{
    if (o->used && (n > o->segment || ecn != o->ecn || !ngtcp2_path_eq(path, &o->path.path))) {
        size_t at = o->used;

        out_flush(s, o);
        memmove(o->buf, o->buf + at, n);
    }
    if (!o->used) {
        o->segment = n;
        o->ecn = ecn;
        ngtcp2_path_storage_zero(&o->path);
        ngtcp2_path_copy(&o->path.path, path);
    }
    o->used += n;
    o->count++;
    if (n < o->segment || o->used > BATCH_MAX - QUIC_PACKET || o->count == BATCH_COUNT ||
        s->conf->cipher_key.n)
        out_flush(s, o);
}

/* Write one packet, or as much into one as there is. > 0: a packet was written. 0: no more now. */
static int write_one(struct quic_state *s, struct out *o, uint64_t now)
{
    uint8_t *at = o->buf + o->used;
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info pi;
    int full = !s->handshaken; /* no stream may send */

    ngtcp2_path_storage_zero(&ps);
    for (;;) {
        ngtcp2_vec v[2] = {{NULL, 0}, {NULL, 0}};
        ngtcp2_ssize taken = -1, n;
        size_t n_v = 0;
        int fin = 0;
        struct quic_stream *t = full ? NULL : quic_stream_pick(s, v, &n_v, &fin);

        n = ngtcp2_conn_writev_stream(s->conn, &ps.path, &pi, at, QUIC_PACKET, &taken,
                                      (t ? NGTCP2_WRITE_STREAM_FLAG_MORE : 0) |
                                          (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0),
                                      t ? t->id : -1, v, n_v, now);
        if (t && taken >= 0) {
            size_t all = (n_v > 0 ? v[0].len : 0) + (n_v > 1 ? v[1].len : 0);

            quic_stream_sent(s, t, (size_t)taken, fin && (size_t)taken == all);
        }
        if (n == NGTCP2_ERR_WRITE_MORE)
            continue;
        if (t && n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
            /* The window of the connection: nobody tells when it is open again, so the stream
             * stays in the line and is tried with the next packet that comes. */
            full = ngtcp2_conn_get_max_data_left(s->conn) == 0;
            if (!full)
                quic_stream_blocked(s, t);
            continue;
        }
        if (t && (n == NGTCP2_ERR_STREAM_SHUT_WR || n == NGTCP2_ERR_STREAM_NOT_FOUND)) {
            quic_stream_cut(s, t);
            continue;
        }
        if (n > 0)
            out_add(s, o, (size_t)n, &ps.path, (uint8_t)(pi.ecn & 3));
        return (int)n;
    }
}

static void set_deadline(struct quic_state *s)
{
    uint64_t at = s->over ? UINT64_MAX : ngtcp2_conn_get_expiry(s->conn);

    gost_set_deadline(s->wire, at == UINT64_MAX ? 0 : at ? at : 1);
}

/* Everything that may be sent now. GOST_AGAIN, GOST_FULL or an error. */
static int write_all(struct quic_state *s)
{
    uint64_t now = gost_now();
    struct out o;
    int n = 0, r = GOST_AGAIN;

    if (s->over || !s->conn)
        return GOST_AGAIN;
    o.used = o.count = 0;
    for (;;) {
        if (!gost_tx_room(s->wire)) {
            r = GOST_FULL;
            break;
        }
        n = write_one(s, &o, now);
        if (n <= 0)
            break;
    }
    out_flush(s, &o);
    if (n < 0)
        r = fail(s, n);
    set_deadline(s);
    return r;
}

int quic_send_datagram(struct quic_state *s, struct gost_bytes data)
{
    ngtcp2_vec v = {(uint8_t *)data.p, data.n};
    ngtcp2_path_storage ps;
    ngtcp2_pkt_info pi;
    uint8_t packet[QUIC_PACKET];
    ngtcp2_ssize n;
    int accepted = 0;

    if (s->over || !s->handshaken)
        return GOST_ECLOSED;
    ngtcp2_path_storage_zero(&ps);
    n = ngtcp2_conn_writev_datagram(s->conn, &ps.path, &pi, packet, sizeof packet, &accepted, 0, 0,
                                    &v, 1, gost_now());
    if (n > 0)
        send_some(s, packet, (size_t)n, (size_t)n, &ps.path, (uint8_t)(pi.ecn & 3));
    if (n == NGTCP2_ERR_INVALID_STATE)
        return GOST_EUNSUPPORTED; /* the peer takes none */
    if (n == NGTCP2_ERR_INVALID_ARGUMENT)
        return GOST_ETOOBIG;
    return accepted ? GOST_OK : GOST_FULL;
}

/* ---- in ---- */

/* Where a packet came from and to, as ngtcp2 tells paths apart. */
static void note_path(struct quic_state *s, const struct gost_packet *p)
{
    const struct gost_flow *flow = gost_flow(s->wire);
    const struct gost_addr *from = p->addr ? p->addr : flow->remote;
    const struct gost_addr *to = p->local ? p->local : flow->local;

    if (s->role == GOST_CLIENT)
        return;
    s->local_known |= p->local != NULL;
    memset(&s->remote, 0, sizeof s->remote);
    memset(&s->local, 0, sizeof s->local);
    s->remote_n = gost_sockaddr_put(&s->remote, from);
    s->local_n = gost_sockaddr_put(&s->local, to);
    if (s->remote_n == 0 || s->remote.ss_family == AF_UNIX) { /* a wire without addresses */
        ((struct sockaddr_in *)&s->remote)->sin_family = AF_INET;
        s->remote_n = sizeof(struct sockaddr_in);
    }
    if (s->local_n == 0 || s->local.ss_family == AF_UNIX) {
        ((struct sockaddr_in *)&s->local)->sin_family = AF_INET;
        s->local_n = sizeof(struct sockaddr_in);
    }
}

static int read_one(struct quic_state *s, const struct gost_packet *p)
{
    uint8_t plain[QUIC_PACKET + QUIC_SEAL];
    struct gost_bytes data = p->data;
    ngtcp2_pkt_info pi = {.ecn = p->ecn};
    ngtcp2_path path = {
        {(struct sockaddr *)&s->local, 0}, {(struct sockaddr *)&s->remote, 0}, NULL};
    uint64_t before;
    int r;

    if (s->conf->cipher_key.n) {
        r = quic_unseal(s->conf, data, plain);
        if (r <= 0)
            return GOST_OK; /* not one of ours: it ends nothing */
        data = gost_bytes(plain, (size_t)r);
    }
    note_path(s, p);
    if (!s->conn) {
        r = quic_server_new(s, data, p->addr);
        if (r != GOST_OK)
            return r < 0 ? r : GOST_OK;
    }
    path.local.addrlen = s->local_n;
    path.remote.addrlen = s->remote_n;
    before = quic_opened();
    r = ngtcp2_conn_read_pkt(s->conn, &path, &pi, data.p, data.n, gost_now());
    if (r == 0 && quic_opened() != before)
        gost_session_alive(s->wire);
    if (r == 0 || r == NGTCP2_ERR_RETRY)
        return GOST_OK;
    if (r == NGTCP2_ERR_DROP_CONN) {
        s->over = 1;
        return gost_fail(s->wire, GOST_EPROTO, "the first packet of %s is none of QUIC", s->peer);
    }
    return fail(s, r);
}

static int read_all(struct quic_state *s)
{
    struct gost_packet p;
    int r;

    while ((r = gost_packet_recv(s->wire, &p)) == GOST_OK)
        if (!s->over && (r = read_one(s, &p)) < 0)
            return r;
    return r;
}

/* ---- the layer ---- */

static struct quic_state *state_of(void *state, struct gost_io *io)
{
    struct quic_state *s = state;

    s->wire = io;
    return s;
}

static int quic_open(void *state, const void *conf, struct gost_io *io)
{
    struct quic_state *s = state_of(state, io);

    s->conf = conf;
    s->role = gost_flow(io)->role;
    s->peer = s->role == GOST_SERVER ? "the client" : "the server";
    gost_phase(io, "the QUIC handshake");
    return s->role == GOST_CLIENT ? quic_client_new(s) : GOST_OK;
}

static int quic_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct quic_state *s = state_of(state, io);
    int r = read_all(s);

    if (r < 0)
        return r;
    r = write_all(s);
    if (r < 0 || !s->handshaken)
        return r < 0 ? r : GOST_AGAIN;
    quic_tls_tell(s);
    gost_phase(io, "QUIC packets");
    return GOST_OK;
}

/* The wire ends when its listener closes: the peer is told, no packet will come any more. */
static void leave(struct quic_state *s)
{
    quic_error e;

    quic_error_default(&e);
    quic_error_application(&e, gost_session_code(s->wire), (const uint8_t *)"closed", 6);
    send_close(s, &e);
}

static int quic_decode(void *state, const void *conf, struct gost_io *io)
{
    struct quic_state *s = state_of(state, io);
    int r = read_all(s);

    if (r == GOST_END)
        leave(s);
    return r < 0 ? r : GOST_AGAIN;
}

static int quic_encode(void *state, const void *conf, struct gost_io *io)
{
    return write_all(state_of(state, io));
}

static int quic_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct quic_state *s = state_of(state, io);
    int r;

    if (!s->conn || s->over)
        return GOST_AGAIN;
    r = ngtcp2_conn_handle_expiry(s->conn, gost_now());
    if (r != 0)
        return fail(s, r);
    r = write_all(s);
    if (s->pinging && r >= 0) {
        s->pinging = 0;
        ngtcp2_conn_set_keep_alive_timeout(s->conn, quic_keepalive(s->conf));
        set_deadline(s);
    }
    return r;
}

static int quic_shut(void *state, const void *conf, struct gost_io *io)
{
    leave(state_of(state, io));
    gost_shut(io);
    return GOST_OK;
}

static void quic_destroy(void *state)
{
    struct quic_state *s = state;

    if (s->conn)
        ngtcp2_conn_del(s->conn);
    if (s->tls)
        gnutls_deinit(s->tls);
    quic_streams_free(s);
}

static uint32_t quic_mtu(const void *conf, uint32_t below)
{
    return below > 60 ? below - 60 : 0;
}

const struct gost_layer_ops quic_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_DATAGRAM,
    .above = GOST_SESSION,
    .flags = GOST_LAYER_SECURE,
    .open = quic_open,
    .handshake = quic_handshake,
    .decode = quic_decode,
    .encode = quic_encode,
    .shut = quic_shut,
    .on_deadline = quic_deadline,
    .mtu = quic_mtu,
    .destroy = quic_destroy,
    .session = &quic_session_ops,
    .attach = &quic_attach_ops,
};
