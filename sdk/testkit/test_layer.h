/* test_layer.h - for tests: a layer of streams in both roles, with the wire in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_LAYER_H
#define TEST_LAYER_H

#include "../engine/engine.h"
#include "test_capture.h"

extern const struct gost_plugin gost_plugin_v1;

/* ---- the embedder ---- */

static uint64_t layer_clock = 1000 * GOST_S, layer_date = 1795418393 * GOST_S;
static char layer_log[4096]; /* lines of the debug log since the link was made */

/* What gost_random() gives first: recorded keys and masks. Then all bytes are 4. */
static uint8_t layer_chance[4096];
static size_t layer_chance_n, layer_chance_at;

static struct ge_worker *layer_worker;

static uint64_t layer_now(void *ctx)
{
    return layer_clock;
}

static uint64_t layer_unix_time(void *ctx)
{
    return layer_date;
}

static void layer_random(void *ctx, void *p, size_t n)
{
    uint8_t *to = p;

    for (; n > 0; n--)
        *to++ = layer_chance_at < layer_chance_n ? layer_chance[layer_chance_at++] : 4;
}

static inline void layer_chance_set(const void *p, size_t n)
{
    if (layer_chance_at == layer_chance_n)
        layer_chance_at = layer_chance_n = 0;
    memcpy(layer_chance + layer_chance_n, p, n);
    layer_chance_n += n;
}

static void layer_log_line(void *ctx, struct ge_flow *flow, int level, const char *text)
{
    size_t n = strlen(layer_log);

    snprintf(layer_log + n, sizeof layer_log - n, "%s\n", text);
}

static void layer_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
}

static void layer_wake(void *ctx)
{
}

static const struct ge_embed layer_embed = {
    .now = layer_now,
    .unix_time = layer_unix_time,
    .random = layer_random,
    .log = layer_log_line,
    .act = layer_act,
    .wake = layer_wake,
};

static inline void layer_begin(void)
{
    *gost_plugin_v1.host = ge_host_table();
    ge_set_log_level(GOST_LOG_DEBUG);
    layer_worker = ge_worker_new(&layer_embed, NULL);
}

static inline int layer_finish(void)
{
    struct ge_usage u;

    ge_worker_usage(layer_worker, &u);
    ok(u.stacks == 0 && u.flows == 0 && u.chunks == 0 && u.timers == 0, "nothing is left behind");
    ge_worker_free(layer_worker);
    return test_end();
}

/* ---- configurations ---- */

static char layer_refused[1024]; /* why a configuration was */

static void layer_report(void *arg, int status, const char *text)
{
    snprintf(layer_refused, sizeof layer_refused, "%s", text);
}

/* Words "key=value" up to NULL. NULL: refused. The layer is the plugin's first component. */
static inline struct ge_conf *layer_conf(uint32_t role, const char *const *words,
                                         const struct gost_map *header)
{
    struct ge_conf *conf = NULL;
    struct ge_kv kv[16];
    char keys[16][64];
    uint32_t n = 0;

    memset(kv, 0, sizeof kv);
    for (; words && *words; words++, n++) {
        const char *equals = strchr(*words, '=');

        snprintf(keys[n], sizeof keys[n], "%.*s", (int)(equals - *words), *words);
        kv[n].key = keys[n];
        kv[n].text = equals + 1;
        kv[n].place = "test";
    }
    if (header) {
        kv[n].key = "header";
        kv[n].place = "test";
        kv[n].map = header->v;
        kv[n].n_map = header->n;
        n++;
    }
    layer_refused[0] = 0;
    (void)ge_conf_new(&conf, &gost_plugin_v1.components[0], role, "test", kv, n, layer_report,
                      NULL);
    return conf;
}

#define W(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE   ((const char *const[]){NULL})

/* ---- a link: client and server ---- */

struct lend {
    struct ge_stack *stack; /* NULL: the engine freed it */
    struct ge_flow *flow;
    struct ge_conf *conf;
    int ready, ready_status, blocked; /* blocked: takes nothing from the wire */
    size_t sent;                      /* bytes that left its bottom */
};

struct link {
    struct lend client, server;
    size_t split;           /* at most so many bytes at once over the wire */
    size_t cut_from_client; /* drop what the client sends after so many bytes; SIZE_MAX: nothing */
    int paired;             /* the wire is a ge_stack_pair */
    int timeless;           /* exchange() lets no time pass */
    const char *target;     /* whom the client means; NULL: the usual one, "": nobody */
    const struct gost_map *client_header, *server_header;
};

static void lend_want(struct ge_stack *s, void *ctx, unsigned what)
{
}

static void lend_close(struct ge_stack *s, void *ctx, int abort_it)
{
    ((struct lend *)ctx)->stack = NULL;
}

static const struct ge_bottom_ops lend_ops = {lend_want, lend_close};

static void lend_ready(struct ge_stack *s, void *arg, int status)
{
    struct lend *e = arg;

    e->ready = 1;
    e->ready_status = status;
}

static inline void lend_push(struct lend *e, uint32_t role, const char *const *words,
                             const struct gost_map *header, const char *target)
{
    struct ge_layer_spec spec;

    e->conf = layer_conf(role, words, header);
    if (!e->conf) {
        printf("Bail out! %s\n", layer_refused);
        exit(1);
    }
    memset(&spec, 0, sizeof spec);
    spec.component = &gost_plugin_v1.components[0];
    spec.conf = ge_conf_data(e->conf);
    spec.role = role;
    spec.target.size = sizeof spec.target;
    if (target && *target &&
        gost_addr_parse(&spec.target.addr, target, strlen(target), 80) != GOST_OK)
        abort();
    if (ge_stack_push(e->stack, &spec) != GOST_OK)
        abort();
    ge_stack_on_ready(e->stack, lend_ready, e);
}

/* A side with words NULL gets no layer: the test speaks for it. */
static inline void link_open(struct link *l, const char *const *client, const char *const *server)
{
    layer_log[0] = 0;
    l->client.flow = ge_flow_new(layer_worker);
    l->server.flow = ge_flow_new(layer_worker);
    if (l->split == 0)
        l->split = 65536;
    l->cut_from_client = SIZE_MAX;
    if (l->paired) {
        ge_stack_pair(l->client.flow, GOST_STREAM, &l->client.stack, &l->server.stack);
        ge_stack_set_flow(l->server.stack, l->server.flow);
    } else {
        l->client.stack = ge_stack_new(l->client.flow, GOST_STREAM, &lend_ops, &l->client);
        l->server.stack = ge_stack_new(l->server.flow, GOST_STREAM, &lend_ops, &l->server);
    }
    if (client)
        lend_push(&l->client, GOST_CLIENT, client, l->client_header,
                  l->target ? l->target : "127.0.0.1:18002");
    if (server)
        lend_push(&l->server, GOST_SERVER, server, l->server_header, NULL);
}

static inline void lend_end(struct lend *e)
{
    struct ge_stack *s = e->stack;

    e->stack = NULL;
    if (s)
        ge_stack_free(s, 0);
    ge_flow_unref(e->flow);
    ge_conf_free(e->conf);
    memset(e, 0, sizeof *e);
}

static inline void link_close(struct link *l)
{
    lend_end(&l->client);
    lend_end(&l->server);
    while (ge_run(layer_worker, 64))
        ;
}

/* One piece from one bottom to the other. 1: something moved. */
static inline int link_carry(struct link *l, struct lend *from, struct lend *to)
{
    size_t limit = from == &l->client ? l->cut_from_client : SIZE_MAX, n, keep;
    struct gost_bytes room;
    struct iovec iov;

    if (!from->stack || !to->stack || to->blocked)
        return 0;
    if (ge_tx_iov(from->stack, &iov, 1) == 1) {
        n = iov.iov_len < l->split ? iov.iov_len : l->split;
        keep = from->sent + n <= limit ? n : from->sent < limit ? limit - from->sent : 0;
        if (keep) {
            if (!ge_rx_wanted(to->stack) || !(room = ge_rx_reserve(to->stack)).n)
                return 0;
            if (room.n < keep)
                n = keep = room.n;
            memcpy((uint8_t *)room.p, iov.iov_base, keep);
            ge_rx_commit(to->stack, keep);
        }
        from->sent += n;
        ge_tx_consume(from->stack, n);
        if (from->sent >= limit)
            ge_rx_end(to->stack, 0);
        return 1;
    }
    if (ge_tx_shut(from->stack)) {
        ge_tx_shut_done(from->stack);
        ge_rx_end(to->stack, 0);
        return 1;
    }
    return 0;
}

/* Until nothing moves any more. */
static inline void settle(struct link *l)
{
    int moved;

    do {
        while (ge_run(layer_worker, 64))
            ;
        moved = !l->paired &&
                (link_carry(l, &l->client, &l->server) | link_carry(l, &l->server, &l->client));
    } while (moved);
}

/* Let time pass; deadlines that come are served. */
static inline void pass(struct link *l, uint64_t ns)
{
    layer_clock += ns;
    ge_timers_run(layer_worker);
    settle(l);
}

static inline const char *error_of(const struct lend *e)
{
    return e->flow->error ? e->flow->error : "";
}

static inline int says(const struct lend *e, const char *words)
{
    if (strstr(error_of(e), words))
        return 1;
    printf("# status %d: %s\n", e->flow->status, error_of(e));
    return 0;
}

static inline int is_up(const struct link *l)
{
    if (!l->client.flow->status && !l->server.flow->status)
        return 1;
    printf("# client %d %s, server %d %s\n", l->client.ready, error_of(&l->client), l->server.ready,
           error_of(&l->server));
    return 0;
}

/* ---- speaking ---- */

static inline void say(struct lend *e, const void *p, size_t n)
{
    if (e->stack)
        gost_send(ge_stack_io(e->stack), p, n);
}

static inline void say_text(struct lend *e, const char *text)
{
    say(e, text, strlen(text));
}

static inline void say_record(struct lend *e, const struct record *r)
{
    say(e, r->p, r->n);
}

static inline void hang_up(struct lend *e)
{
    gost_shut(ge_stack_io(e->stack));
}

/* All that came to this end is taken. */
static inline void hear(struct lend *e, struct record *ret)
{
    struct gost_io *io = e->stack ? ge_stack_io(e->stack) : NULL;
    struct gost_bytes run;

    ret->n = 0;
    while (io && (run = gost_rx(io)).n > 0) {
        size_t n = run.n < sizeof ret->p - ret->n ? run.n : sizeof ret->p - ret->n;

        memcpy(ret->p + ret->n, run.p, n);
        ret->n += n;
        gost_consume(io, run.n);
    }
}

static inline int hears(struct lend *e, const void *p, size_t n)
{
    static struct record r;

    hear(e, &r);
    if (r.n == n && memcmp(r.p, p, n) == 0)
        return 1;
    printf("# wanted %zu bytes, got %zu:\n# %.*s\n", n, r.n, (int)(r.n < 400 ? r.n : 400),
           (const char *)r.p);
    return 0;
}

static inline int hears_text(struct lend *e, const char *text)
{
    return hears(e, text, strlen(text));
}

static inline int hears_end(struct lend *e)
{
    return !e->stack || gost_rx_eof(ge_stack_io(e->stack));
}

/* ---- moving much ---- */

static inline uint8_t layer_pattern(size_t i, int side)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) + (size_t)side * 101);
}

struct lstream {
    struct lend *from, *to;
    size_t total, sent, got;
    int side, shut, bad, ended;
};

static inline int lstream_in(struct lstream *t, size_t step)
{
    struct gost_io *io = t->from->stack ? ge_stack_io(t->from->stack) : NULL;
    uint8_t buf[65536];
    size_t n = t->total - t->sent, i;

    if (!io || t->shut)
        return 0;
    if (n == 0) {
        gost_shut(io);
        return t->shut = 1;
    }
    n = n < step ? n : step;
    if (gost_tx_room(io) < n)
        return 0;
    for (i = 0; i < n; i++)
        buf[i] = layer_pattern(t->sent + i, t->side);
    gost_send(io, buf, n);
    t->sent += n;
    return 1;
}

static inline int lstream_out(struct lstream *t)
{
    struct gost_io *io = t->to->stack ? ge_stack_io(t->to->stack) : NULL;
    struct gost_bytes run;
    int moved = 0;
    size_t i;

    while (io && (run = gost_rx(io)).n > 0) {
        for (i = 0; i < run.n; i++)
            t->bad |= run.p[i] != layer_pattern(t->got + i, t->side);
        t->got += run.n;
        gost_consume(io, run.n);
        moved = 1;
    }
    if (io && !t->ended && gost_rx_eof(io))
        moved = t->ended = 1;
    return moved;
}

static inline int lstream_good(const struct lstream *t)
{
    if (t->got == t->total && !t->bad && t->ended)
        return 1;
    printf("# %zu of %zu bytes, bad %d, ended %d\n", t->got, t->total, t->bad, t->ended);
    return 0;
}

/* Both directions; `first` ends the client's (1) or the server's (2) first, 0: both at their
 * time. When all is still, a second goes by once: what waits for a deadline comes. */
static inline int exchange(struct link *l, size_t up, size_t down, size_t step, int first)
{
    struct lstream a = {.from = &l->client, .to = &l->server, .total = up, .side = 1};
    struct lstream b = {.from = &l->server, .to = &l->client, .total = down, .side = 2};
    int moved, waits = 0;

    do {
        moved = 0;
        if (first != 2 || b.ended)
            moved |= lstream_in(&a, step);
        if (first != 1 || a.ended)
            moved |= lstream_in(&b, step);
        settle(l);
        moved |= lstream_out(&a) | lstream_out(&b);
        if (!moved && !l->timeless && waits++ == 0) {
            pass(l, GOST_S);
            moved = lstream_out(&a) | lstream_out(&b);
        }
    } while (moved);
    return lstream_good(&a) & lstream_good(&b) & is_up(l);
}

static inline int run_exchange(const char *const *client, const char *const *server, size_t split,
                               size_t bytes, size_t step, int first)
{
    struct link l = {.split = split};
    int good;

    link_open(&l, client, server);
    good = exchange(&l, bytes, bytes + 3, step, first);
    link_close(&l);
    return good;
}

/* A reader that does not read: what waits stays bounded. */
static inline int stays_bounded(const char *const *client, const char *const *server)
{
    struct link l = {.split = 16384};
    struct lstream a = {.from = &l.client, .to = &l.server, .total = 64 << 20, .side = 1};
    struct ge_usage u;
    int i;

    link_open(&l, client, server);
    for (i = 0; i < 2000; i++) {
        lstream_in(&a, 16384);
        settle(&l);
    }
    ge_worker_usage(layer_worker, &u);
    link_close(&l);
    return a.sent > 100000 && u.chunk_bytes < 2 << 20;
}

/* For fuzz targets: what a hostile peer sends. The first byte says who we are and how the rest is
 * cut. `come_up` opens the link and brings our side past its handshake; NULL: without one. */
static inline void layer_fuzz(const uint8_t *data, size_t size,
                              void (*come_up)(struct link *l, int server, uint8_t how))
{
    static struct record heard;
    struct link l = {.split = 0};
    struct lend *own, *peer;
    struct ge_usage u;
    int i, server;

    if (size < 1 || size > 65536)
        return;
    if (!layer_worker)
        layer_begin();
    server = data[0] & 1;
    if (come_up)
        come_up(&l, server, data[0]);
    else
        link_open(&l, server ? NULL : NONE, server ? NONE : NULL);
    own = server ? &l.server : &l.client;
    peer = server ? &l.client : &l.server;
    l.split = data[0] & 4 ? 1 + data[0] / 8u : 65536;
    say(peer, data + 1, size - 1);
    for (i = 0; i < 8; i++) {
        say_text(own, "data of the user");
        settle(&l);
        hear(own, &heard);
        hear(peer, &heard);
    }
    hang_up(peer);
    settle(&l);
    ge_worker_usage(layer_worker, &u);
    if (u.chunk_bytes > 4u << 20)
        abort();
    link_close(&l);
    ge_worker_usage(layer_worker, &u);
    if (u.stacks || u.flows || u.chunks)
        abort();
}

#endif
