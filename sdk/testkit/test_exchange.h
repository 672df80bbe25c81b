/* test_exchange.h - for tests: two sessions of exchanges in memory, or one and a peer that the test
 * plays. EXCHANGE_LAYER names the layer. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_EXCHANGE_H
#define TEST_EXCHANGE_H

#include "../engine/engine.h"
#include "test_capture.h"

extern const struct gost_plugin gost_plugin_v1;

static uint64_t clock_ns = 1000 * GOST_S;
static struct ge_worker *worker;
static char last_log[4096];

static inline uint64_t embed_now(void *ctx)
{
    return clock_ns;
}

static inline uint64_t embed_unix_time(void *ctx)
{
    return 1795418430 * GOST_S; /* Mon, 23 Nov 2026 07:20:30 GMT */
}

static inline void embed_random(void *ctx, void *p, size_t n)
{
    memset(p, 4, n);
}

static inline void embed_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
    size_t n = strlen(last_log);

    snprintf(last_log + n, sizeof last_log - n, "%s\n", text);
}

static inline void embed_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
}

static inline void embed_wake(void *ctx)
{
}

static const struct ge_embed embed = {
    .now = embed_now,
    .unix_time = embed_unix_time,
    .random = embed_random,
    .log = embed_log,
    .act = embed_act,
    .wake = embed_wake,
};

/* ---- configurations ---- */

static inline const struct gost_component *find_layer(const char *name)
{
    uint32_t i;

    for (i = 0; i < gost_plugin_v1.n_components; i++)
        if (strcmp(gost_plugin_v1.components[i].name, name) == 0 &&
            gost_plugin_v1.components[i].kind == GOST_KIND_LAYER)
            return &gost_plugin_v1.components[i];
    abort();
}

static inline void conf_report(void *arg, const char *text)
{
    printf("# %s\n", text);
}

/* Words "key=value" separated by blanks. */
static inline struct ge_conf *make_conf(const char *layer, uint32_t role, const char *words)
{
    struct ge_conf *conf = NULL;
    struct ge_kv kv[8];
    char text[256], *next = text, *word;
    uint32_t n = 0;

    snprintf(text, sizeof text, "%s", words);
    memset(kv, 0, sizeof kv);
    while ((word = strsep(&next, " ")) && *word) {
        kv[n].key = strsep(&word, "=");
        kv[n].text = word;
        kv[n++].place = "test";
    }
    if (ge_conf_new(&conf, find_layer(layer), role, "test", kv, n, conf_report, NULL) != GOST_OK)
        abort();
    return conf;
}

/* ---- sides ---- */

enum { CLIENT = 0, SERVER = 1, ACCEPTED = 600 };

static struct side {
    struct ge_flow *flow;
    struct ge_stack *session; /* NULL: freed */
    struct ge_conf *conf;
    struct ge_stack *accepted[ACCEPTED];
    int n_accepted, ready, ready_status, ended, end_status;
    size_t sent;
} side[2];

static size_t wire_step = 65536;
static int wire_cut; /* nothing passes */

static inline void wire_close(struct ge_stack *s, void *ctx, int abort_it)
{
    struct side *me = ctx, *other = &side[me == &side[0]];

    me->session = NULL;
    if (other->session)
        ge_rx_end(other->session, abort_it ? GOST_ECLOSED : 0);
}

static const struct ge_bottom_ops wire_ops = {NULL, wire_close};

static inline void on_stream(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    struct side *s = arg;
    struct ge_flow *f = ge_flow_new(worker);

    ge_stack_set_flow(stream, f);
    ge_flow_unref(f);
    if (s->n_accepted < ACCEPTED)
        s->accepted[s->n_accepted++] = stream;
    else
        ge_stack_free(stream, 1);
}

static inline void on_end(struct ge_stack *session, void *arg, int status)
{
    struct side *s = arg;

    s->ended++;
    s->end_status = status;
}

static inline void on_ready(struct ge_stack *session, void *arg, int status)
{
    struct side *s = arg;

    s->ready++;
    s->ready_status = status;
    ge_session_on_stream(session, on_stream, s);
    ge_session_on_end(session, on_end, s);
}

static inline void side_open(int which, const char *words)
{
    struct side *s = &side[which];
    struct ge_layer_spec spec = {.component = find_layer(EXCHANGE_LAYER)};

    memset(s, 0, sizeof *s);
    spec.role = which == CLIENT ? GOST_CLIENT : GOST_SERVER;
    s->flow = ge_flow_new(worker);
    s->session = ge_stack_new(s->flow, GOST_STREAM, &wire_ops, s);
    if (!words)
        return;
    s->conf = make_conf(EXCHANGE_LAYER, spec.role, words);
    spec.conf = ge_conf_data(s->conf);
    if (ge_stack_push(s->session, &spec) != GOST_OK)
        abort();
    ge_stack_on_ready(s->session, on_ready, s);
}

/* One piece over the wire. 1: something moved. */
static inline int carry(struct side *from, struct side *to)
{
    struct gost_bytes room;
    struct iovec v;
    size_t n;

    if (!from->session || !to->session || wire_cut)
        return 0;
    if (ge_tx_iov(from->session, &v, 1) == 1) {
        if (!ge_rx_wanted(to->session) || !(room = ge_rx_reserve(to->session)).n)
            return 0;
        n = v.iov_len < room.n ? v.iov_len : room.n;
        n = n < wire_step ? n : wire_step;
        memcpy((void *)(uintptr_t)room.p, v.iov_base, n);
        ge_rx_commit(to->session, n);
        ge_tx_consume(from->session, n);
        from->sent += n;
        return 1;
    }
    if (!ge_tx_shut(from->session))
        return 0;
    ge_tx_shut_done(from->session);
    ge_rx_end(to->session, 0);
    return 1;
}

static inline void run(void)
{
    int i, more;

    for (i = 0; i < 3000000; i++) {
        more = ge_run(worker, 50);
        if (side[CLIENT].conf && side[SERVER].conf)
            more |= carry(&side[CLIENT], &side[SERVER]) | carry(&side[SERVER], &side[CLIENT]);
        if (!more)
            return;
    }
    ok(0, "it comes to rest");
}

static inline void pass_time(uint64_t ns)
{
    clock_ns += ns;
    ge_timers_run(worker);
    run();
}

/* Words for the layer of each side; NULL: the test plays it. */
static inline void world_open(const char *client, const char *server)
{
    wire_step = 65536;
    wire_cut = 0;
    last_log[0] = 0;
    side_open(CLIENT, client);
    side_open(SERVER, server);
    run();
}

/* Frees what is left and says whether anything leaked. */
static inline int world_close(void)
{
    struct ge_usage u;
    int i, k;

    for (i = 0; i < 2; i++) {
        for (k = 0; k < side[i].n_accepted; k++)
            if (side[i].accepted[k])
                ge_stack_free(side[i].accepted[k], 0);
        if (side[i].session)
            ge_stack_free(side[i].session, 0);
    }
    run();
    pass_time(20 * GOST_S);
    for (i = 0; i < 2; i++) {
        ge_flow_unref(side[i].flow);
        ge_conf_free(side[i].conf);
        memset(&side[i], 0, sizeof side[i]);
    }
    ge_worker_usage(worker, &u);
    if (!u.stacks && !u.tasks && !u.flows && !u.chunks && !u.timers)
        return 1;
    printf("# left: %zu stacks, %zu flows, %zu chunks, %zu timers\n", u.stacks, u.flows, u.chunks,
           u.timers);
    return 0;
}

/* ---- users of streams ---- */

static inline struct gost_io *top(struct ge_stack *s)
{
    return ge_stack_io(s);
}

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

static inline int got(struct ge_stack *s, const char *want)
{
    size_t n = gost_rx_len(top(s));
    const uint8_t *p = n == strlen(want) && n ? gost_peek(top(s), n) : NULL;
    int same = p ? memcmp(p, want, n) == 0 : n == strlen(want);

    gost_consume(top(s), n);
    return same;
}

static inline void say(struct ge_stack *s, const char *text)
{
    gost_send(top(s), text, strlen(text));
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
    *gost_plugin_v1.host = ge_host_table();
    if (gost_plugin_v1.init && gost_plugin_v1.init() != GOST_OK)
        abort();
    worker = ge_worker_new(&embed, NULL);
}

static inline int test_finish(void)
{
    ge_worker_free(worker);
    return test_end();
}

#endif
