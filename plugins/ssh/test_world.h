/* test_world.h - two ends of a session in memory; the clock and the wire are in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef SSH_TEST_WORLD_H
#define SSH_TEST_WORLD_H

#include "../../sdk/testkit/test_session.h"
#include "ssh.h"

#define KEYS "plugins/ssh/keys/"

static inline const char *top_dir(void)
{
    const char *top = getenv("TOP_SRCDIR");

    return top ? top : ".";
}

static inline void sides_open(struct side *client, struct side *server, int layer,
                              const char *client_words, const char *server_words)
{
    memset(client, 0, sizeof *client);
    memset(server, 0, sizeof *server);
    client->flow = ge_flow_new(worker);
    server->flow = ge_flow_new(worker);
    ge_stack_pair(client->flow, GOST_STREAM, &client->session, &server->session);
    ge_stack_set_flow(server->session, server->flow);
    side_push(server, &gost_plugin_v1.components[layer], layer, GOST_SERVER, server_words);
    side_push(client, &gost_plugin_v1.components[layer], layer, GOST_CLIENT, client_words);
    run();
}

static inline struct ge_stack *open_stream(struct side *s, const char *arg, size_t n)
{
    struct ge_stack *stream = NULL;

    if (ge_session_open_arg(s->session, s->flow, 0, gost_bytes(arg, n), &stream) != GOST_OK)
        return NULL;
    run();
    return stream;
}

/* ---- a session behind its handshake, whose packets are in the open ---- */

static inline int bare_handshake(void *state, const void *conf, struct gost_io *io)
{
    struct ssh_state *s = state;

    s->phase = SSH_PH_OPEN;
    s->keyed = 1;
    if (s->conf->keepalive) {
        s->ping_at = gost_now() + s->conf->interval_ns;
        gost_set_deadline(io, s->ping_at);
    }
    return GOST_OK;
}

static struct gost_layer_ops bare_ops;
static struct gost_component bare_component;

static inline const struct gost_component *bare(void)
{
    bare_ops = ssh_layer_ops;
    bare_ops.handshake = bare_handshake;
    bare_component = gost_plugin_v1.components[1];
    bare_component.ops = &bare_ops;
    return &bare_component;
}

/* One session of sshd; *ret_wire is what its peer holds. Its version is taken away. */
static inline void bare_open(struct side *s, uint32_t role, const char *words,
                             struct ge_stack **ret_wire)
{
    memset(s, 0, sizeof *s);
    s->flow = ge_flow_new(worker);
    ge_stack_pair(s->flow, GOST_STREAM, &s->session, ret_wire);
    side_push(s, bare(), 1, role, words);
    run();
    gost_consume(ge_stack_io(*ret_wire), strlen(SSH_VERSION) + 2);
}

/* A packet in the open. */
static inline void put_packet(struct ge_stack *wire, const struct ssh_out *m)
{
    size_t pad = 8 - (5 + m->n) % 8;
    uint8_t head[5], zero[16] = {0};

    pad += pad < 4 ? 8 : 0;
    gost_put32(head, (uint32_t)(1 + m->n + pad));
    head[4] = (uint8_t)pad;
    gost_send(ge_stack_io(wire), head, sizeof head);
    gost_send(ge_stack_io(wire), m->p, m->n);
    gost_send(ge_stack_io(wire), zero, pad);
    run();
}

/* The next message; empty: none. The view lives until the next call on the wire. */
static inline struct gost_bytes take_packet(struct ge_stack *wire)
{
    struct gost_io *io = ge_stack_io(wire);
    const uint8_t *p = gost_peek(io, 5);
    size_t n = p ? gost_get32(p) : 0;

    p = p ? gost_take(io, 4 + n) : NULL;
    return p ? gost_bytes(p + 5, n - 1 - p[4]) : gost_bytes(NULL, 0);
}

#endif
