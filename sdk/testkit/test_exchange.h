/* test_exchange.h - for tests: two sessions of exchanges in memory, or one and a peer that the test
 * plays. EXCHANGE_LAYER names the layer. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_EXCHANGE_H
#define TEST_EXCHANGE_H

#include <stdlib.h>

#include "test_capture.h"
#include "test_plugin.h"
#include "test_wire.h"

static inline uint64_t exchange_date(void *ctx)
{
    return 1795418430 * GOST_S; /* Mon, 23 Nov 2026 07:20:30 GMT */
}

/* ---- configurations ---- */

static inline const struct gost_component *find_layer(const char *name)
{
    const struct gost_component *c = component_of(GOST_KIND_LAYER, gost_bytes_str(name));

    if (!c)
        abort();
    return c;
}

static inline struct ge_conf *make_conf(const char *layer, uint32_t role, const char *words)
{
    struct ge_conf *conf = conf_of(find_layer(layer), role, words);

    if (!conf)
        abort();
    return conf;
}

/* ---- sides ---- */

/* Every stream has a flow of its own. */
static inline void on_stream(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    struct ge_flow *f = ge_flow_new(worker);

    ge_stack_set_flow(stream, f);
    ge_flow_unref(f);
    side_on_stream(session, arg, stream);
}

static inline void side_open(int which, const char *words)
{
    struct side *s = &side[which];
    struct ge_layer_spec spec = {.component = find_layer(EXCHANGE_LAYER)};

    spec.role = which == CLIENT ? GOST_CLIENT : GOST_SERVER;
    if (!wire_end(s))
        abort();
    if (!words)
        return;
    s->conf = make_conf(EXCHANGE_LAYER, spec.role, words);
    spec.conf = ge_conf_data(s->conf);
    if (ge_stack_push(s->session, &spec) != GOST_OK)
        abort();
    side_watch(s);
    ge_session_on_stream(s->session, on_stream, s);
}

/* Words for the layer of each side; NULL: the test plays it. */
static inline void world_open(const char *client, const char *server)
{
    wire_step = 65536;
    wire_cut = 0;
    wire_played = !client || !server;
    last_log[0] = 0;
    side_open(CLIENT, client);
    side_open(SERVER, server);
    run();
}

/* Frees what is left and says whether anything leaked. */
static inline int world_close(void)
{
    int i;

    for (i = 0; i < 2; i++)
        side_free(&side[i]);
    run();
    pass_time(20 * GOST_S);
    for (i = 0; i < 2; i++) {
        ge_flow_unref(side[i].flow);
        ge_conf_free(side[i].conf);
        memset(&side[i], 0, sizeof side[i]);
    }
    return nothing_left(worker);
}

/* ---- users of streams ---- */

static inline struct ge_stack *open_stream(void)
{
    struct ge_flow *f = ge_flow_new(worker);
    struct ge_stack *s = NULL;

    if (ge_session_open(side[CLIENT].session, f, 0, &s) == GOST_OK)
        side[CLIENT].accepted[side[CLIENT].n_accepted++] = s;
    ge_flow_unref(f);
    return s;
}

static inline struct gost_head request(const char *method, const char *path)
{
    struct gost_head h = {.size = sizeof h};

    h.method = gost_bytes_str(method);
    h.authority = gost_bytes_str("a.example:80");
    if (*path) {
        h.path = gost_bytes_str(path);
        h.scheme = gost_bytes_str("http");
    }
    return h;
}

/* A stream whose request is sent. */
static inline struct ge_stack *ask(const char *method, const char *path, uint32_t flags)
{
    struct gost_head h = request(method, path);
    struct ge_stack *s = open_stream();

    h.flags = flags;
    if (s)
        gost_head_send(top(s), &h);
    run();
    return s;
}

/* The peer's stream that came last. */
static inline struct ge_stack *accepted(void)
{
    return side[SERVER].n_accepted ? side[SERVER].accepted[side[SERVER].n_accepted - 1] : NULL;
}

static inline void forget(struct ge_stack *s)
{
    int i, k;

    for (k = 0; k < 2; k++)
        for (i = 0; i < side[k].n_accepted; i++)
            if (side[k].accepted[i] == s)
                side[k].accepted[i] = NULL;
}

static inline void let_go(struct ge_stack *s)
{
    forget(s);
    ge_stack_free(s, 0);
    run();
}

static inline void respond(struct ge_stack *s, uint32_t status, uint32_t flags)
{
    struct gost_head h = {.size = sizeof h, .status = status, .flags = flags};

    gost_head_send(top(s), &h);
    run();
}

static inline size_t take_all(struct ge_stack *s)
{
    size_t n, all = 0;

    do {
        n = gost_rx_len(top(s));
        gost_consume(top(s), n);
        all += n;
        run();
    } while (n);
    return all;
}

static inline const char *value_of(const struct gost_head *h, const char *name)
{
    static char text[256];
    uint32_t i;

    for (i = 0; i < h->n_fields; i++) {
        if (!gost_bytes_eq(h->fields[i].name, gost_bytes_str(name)))
            continue;
        snprintf(text, sizeof text, "%.*s", (int)h->fields[i].value.n,
                 (const char *)h->fields[i].value.p);
        return text;
    }
    return "";
}

/* What a handler might do with a stream: read, answer, send, end, let go. */
static inline void use_stream(struct ge_stack *s, unsigned what, uint32_t status)
{
    struct gost_head h;

    while (gost_head_recv(top(s), &h) == GOST_OK)
        ;
    gost_consume(top(s), gost_rx_len(top(s)));
    if (what & 1)
        respond(s, status, what & 2 ? GOST_HEAD_NO_BODY : 0);
    if ((what & 5) == 5)
        say(s, "some bytes of the answer");
    if (what & 8)
        gost_shut(top(s));
    if (what & 16)
        let_go(s);
    run();
}

/* ---- a peer that the test plays ---- */

static uint8_t peer_out[1 << 20];
static size_t peer_out_n;

static inline void feed(int which, const void *p, size_t n)
{
    const uint8_t *from = p;
    struct gost_bytes room;
    size_t k;

    while (n > 0 && side[which].session && (room = ge_rx_reserve(side[which].session)).n > 0) {
        k = room.n < n ? room.n : n;
        memcpy((void *)(uintptr_t)room.p, from, k);
        ge_rx_commit(side[which].session, k);
        from += k;
        n -= k;
        run();
    }
}

/* What side `which` has sent since. */
static inline void collect(int which)
{
    struct iovec v;

    peer_out_n = 0;
    run();
    while (side[which].session && ge_tx_iov(side[which].session, &v, 1) == 1) {
        size_t n =
            v.iov_len < sizeof peer_out - peer_out_n ? v.iov_len : sizeof peer_out - peer_out_n;

        memcpy(peer_out + peer_out_n, v.iov_base, n);
        peer_out_n += n;
        ge_tx_consume(side[which].session, v.iov_len);
        run();
    }
}

static inline void test_begin(void)
{
    struct ge_embed e = embedder();

    e.unix_time = exchange_date;
    *gost_plugin_v1.host = ge_host_table();
    if (gost_plugin_v1.init && gost_plugin_v1.init() != GOST_OK)
        abort();
    worker = ge_worker_new(&e, NULL);
}

static inline int test_finish(void)
{
    ge_worker_free(worker);
    return test_end();
}

#endif
