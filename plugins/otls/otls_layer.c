/* otls_layer.c - one connection: bytes in records that look like TLS. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "otls.h"

/* A client's hello waits so long for the first data that it hides. GOST waits forever; then a
 * server that speaks first is never heard. */
#define ALONE_NS (100 * GOST_MS)

static int no_memory(struct gost_io *io)
{
    return gost_fail(io, GOST_ENOMEM, "out of memory");
}

/* ---- writing ---- */

static void fill_random(struct otls_random *r)
{
    gost_random(r, sizeof *r);
    gost_put32(r->random, (uint32_t)(gost_unix_time() / GOST_S));
}

static struct gost_bytes host_of(const struct otls_conf *c, struct gost_io *io, char *buf,
                                 size_t size)
{
    if (c->host && c->host[0])
        return gost_bytes_str(c->host);
    return gost_bytes(buf, gost_addr_format(&gost_target(io)->addr, buf, size));
}

/* The hello with the first of app's data. GOST hides all it has, but simple-obfs misreads a hello
 * that does not arrive in one piece. */
static int send_client_hello(struct otls_state *s, const struct otls_conf *c, struct gost_io *io,
                             struct gost_io *app)
{
    uint8_t buf[OTLS_RECORD_HEAD + OTLS_HELLO_BASE + OTLS_HOST_MAX + 32];
    char text[GOST_ADDR_TEXT];
    struct gost_bytes host = host_of(c, io, text, sizeof text);
    size_t n = gost_rx_len(app);
    struct otls_random r;

    host.n = host.n < OTLS_HOST_MAX ? host.n : OTLS_HOST_MAX;
    n = n < OTLS_FIRST_MAX ? n : OTLS_FIRST_MAX;
    fill_random(&r);
    gost_send(io, buf, otls_hello_begin(buf, &r, n, host));
    if (n > 0 && gost_move(io, app, n) != n)
        return no_memory(io);
    gost_send(io, buf, otls_hello_end(buf, host));
    s->sent = 1;
    return GOST_OK;
}

static void send_server_hello(struct otls_state *s, struct gost_io *io)
{
    uint8_t buf[OTLS_SERVER_SIZE];
    struct otls_random r;

    fill_random(&r);
    memcpy(r.id, s->id, sizeof r.id);
    otls_server_put(buf, &r);
    gost_send(io, buf, sizeof buf);
    s->sent = 1;
}

static int send_record(struct otls_state *s, struct gost_io *io, struct gost_io *app)
{
    uint8_t head[OTLS_RECORD_HEAD];
    size_t n = gost_rx_len(app);

    n = n < OTLS_RECORD_MAX ? n : OTLS_RECORD_MAX;
    otls_record_put(head, s->client || s->started ? OTLS_DATA : OTLS_HANDSHAKE, 0x0303,
                    (uint32_t)n);
    s->started = 1;
    gost_send(io, head, sizeof head);
    return gost_move(io, app, n) == n ? GOST_OK : no_memory(io);
}

static int otls_encode(void *state, const void *conf, struct gost_io *io)
{
    struct otls_state *s = state;
    struct gost_io *app = gost_app(io);
    int r = GOST_OK;

    while (r == GOST_OK && gost_rx_len(app) > 0) {
        if (gost_tx_room(io) == 0)
            return GOST_FULL;
        if (!s->sent && s->client) {
            r = send_client_hello(s, conf, io, app);
            continue;
        }
        if (!s->sent)
            send_server_hello(s, io);
        r = send_record(s, io, app);
    }
    return r < 0 ? r : GOST_AGAIN;
}

/* ---- reading ---- */

static int read_client_hello(struct otls_state *s, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, OTLS_RECORD_HEAD);
    struct gost_bytes payload;
    struct otls_record record;
    const char *why;
    size_t id_n;

    if (gost_rx_len(io) > 0 && gost_rx(io).p[0] != OTLS_HANDSHAKE)
        return gost_fail(io, GOST_EPROTO, "the client does not speak otls: its first byte is %u",
                         (unsigned)gost_rx(io).p[0]);
    if (!p)
        return GOST_AGAIN;
    record = otls_record_parse(p);
    if (record.length > OTLS_RECORD_TAKE)
        return gost_fail(io, GOST_ETOOBIG, "the client's first record has %u bytes",
                         (unsigned)record.length);
    p = gost_peek(io, OTLS_RECORD_HEAD + record.length);
    if (!p)
        return GOST_AGAIN;
    gost_random(s->id, sizeof s->id); /* what the client gives stands instead */
    if (otls_hello_parse(gost_bytes(p + OTLS_RECORD_HEAD, record.length), &payload, s->id, &id_n,
                         &why) != GOST_OK)
        return gost_fail(io, GOST_EPROTO, "the client does not speak otls: %s", why);
    if (payload.n > 0 && gost_send(gost_app(io), payload.p, payload.n) != GOST_OK)
        return no_memory(io);
    gost_consume(io, OTLS_RECORD_HEAD + record.length);
    return GOST_OK;
}

static int not_otls(struct gost_io *io, const struct otls_record *r)
{
    if (r->type == OTLS_ALERT)
        return gost_fail(io, GOST_EPEER,
                         "the server answered with a TLS alert: is there a real TLS server at the "
                         "other end, and no otls listener?");
    return gost_fail(io, GOST_EPROTO,
                     "the server does not speak otls: a record of type %u and %u bytes came",
                     (unsigned)r->type, (unsigned)r->length);
}

/* ServerHello and ChangeCipherSpec. GOST_OK: one of them was taken. */
static int read_server_hello(struct otls_state *s, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, OTLS_RECORD_HEAD);
    struct otls_record r;

    if (!p)
        return GOST_AGAIN;
    r = otls_record_parse(p);
    if (s->hellos == 0 ? r.type != OTLS_HANDSHAKE || r.length > OTLS_RECORD_MAX
                       : r.type != OTLS_CHANGE_CIPHER || r.length != 1)
        return not_otls(io, &r);
    p = gost_peek(io, OTLS_RECORD_HEAD + r.length);
    if (!p)
        return GOST_AGAIN;
    if (s->hellos == 0 && (r.length < 4 || p[OTLS_RECORD_HEAD] != 2))
        return not_otls(io, &r);
    gost_consume(io, OTLS_RECORD_HEAD + r.length);
    s->hellos++;
    return GOST_OK;
}

/* The head of a record with data. GOST_OK: its body comes now. */
static int read_record(struct otls_state *s, struct gost_io *io)
{
    const uint8_t *p = gost_peek(io, OTLS_RECORD_HEAD);
    struct otls_record r;

    if (!p)
        return GOST_AGAIN;
    r = otls_record_parse(p);
    if (s->client && r.type != OTLS_HANDSHAKE && r.type != OTLS_DATA)
        return not_otls(io, &r);
    gost_consume(io, OTLS_RECORD_HEAD);
    s->left = r.length;
    return GOST_OK;
}

static int pass(struct otls_state *s, struct gost_io *io, struct gost_io *app)
{
    size_t n = gost_rx_len(io), room = gost_tx_room(app);

    if (room == 0)
        return GOST_FULL;
    if (n == 0)
        return GOST_AGAIN;
    n = n < room ? n : room;
    n = gost_move(app, io, n < s->left ? n : s->left);
    s->left -= (uint32_t)n;
    return n ? GOST_OK : no_memory(io);
}

static int otls_decode(void *state, const void *conf, struct gost_io *io)
{
    struct otls_state *s = state;
    struct gost_io *app = gost_app(io);
    int r = GOST_OK;

    while (r == GOST_OK) {
        if (s->left > 0)
            r = pass(s, io, app);
        else
            r = s->client && s->hellos < 2 ? read_server_hello(s, io) : read_record(s, io);
    }
    if (r == GOST_AGAIN && s->left > 0 && gost_rx_eof(io))
        return gost_fail(io, GOST_ECLOSED, "the connection broke in the middle of a record");
    return r;
}

/* ---- the rest of the step ---- */

static int otls_open(void *state, const void *conf, struct gost_io *io)
{
    struct otls_state *s = state;

    s->client = gost_flow(io)->role == GOST_CLIENT;
    if (s->client)
        gost_set_deadline(io, gost_now() + ALONE_NS);
    return GOST_OK;
}

static int otls_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct otls_state *s = state;

    if (s->client)
        return GOST_OK;
    gost_phase(io, "the otls ClientHello");
    return read_client_hello(s, io);
}

static int otls_on_deadline(void *state, const void *conf, struct gost_io *io)
{
    struct otls_state *s = state;

    return s->sent ? GOST_AGAIN : send_client_hello(s, conf, io, gost_app(io));
}

const struct gost_layer_ops otls_layer_ops = {
    .size = sizeof(struct gost_layer_ops),
    .below = GOST_STREAM,
    .above = GOST_STREAM,
    .open = otls_open,
    .handshake = otls_handshake,
    .decode = otls_decode,
    .encode = otls_encode,
    .on_deadline = otls_on_deadline,
};
