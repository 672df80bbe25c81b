/* test_stack.h - two tls layers in memory, with the wire between them in our hands. */
/* SPDX-License-Identifier: MIT */
#ifndef TLS_TEST_STACK_H
#define TLS_TEST_STACK_H

#include "../../sdk/engine/engine.h"
#include "test_certs.h"

extern const struct gost_plugin gost_plugin_v1;

/* ---- the embedder ---- */

static uint64_t clock_ns = 1000000000;
static char last_log[2048]; /* lines of the debug log since the link was made */

static uint64_t embed_now(void *ctx)
{
    return clock_ns;
}

static void embed_random(void *ctx, void *p, size_t n)
{
    memset(p, 4, n);
}

static void embed_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
    size_t n = strlen(last_log);

    snprintf(last_log + n, sizeof last_log - n, "%s\n", text);
}

static void embed_act(void *ctx, struct ge_task *task, const struct gost_action *a)
{
}

static void embed_wake(void *ctx)
{
}

static const struct ge_embed embed = {
    .now = embed_now,
    .unix_time = embed_now,
    .random = embed_random,
    .log = embed_log,
    .act = embed_act,
    .wake = embed_wake,
};

static struct ge_worker *worker;

/* ---- configurations ---- */

static char conf_error[1024];

static void conf_report(void *arg, const char *text)
{
    snprintf(conf_error, sizeof conf_error, "%s", text);
}

/* Words "key=value" up to NULL. NULL: refused, conf_error says why. */
static struct ge_conf *make_conf(uint32_t role, const char *const *words)
{
    const struct gost_component *c = &gost_plugin_v1.components[0];
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
    conf_error[0] = 0;
    (void)ge_conf_new(&conf, c, role, "test", kv, n, conf_report, NULL);
    return conf;
}

/* ---- a link: client and server ---- */

struct end {
    struct ge_stack *stack; /* NULL: the engine freed it */
    struct ge_flow *flow;
    struct ge_conf *conf;
    int ready, ready_status;
    size_t sent; /* bytes that left its bottom */
};

struct link {
    struct end client, server;
    size_t split;           /* at most so many bytes at once over the wire */
    size_t cut_from_client; /* drop what the client sends after so many bytes; SIZE_MAX: nothing */
    int paired;             /* the wire is a ge_stack_pair */
};

static void on_want(struct ge_stack *s, void *ctx, unsigned what)
{
}

static void on_close(struct ge_stack *s, void *ctx, int abort_it)
{
    ((struct end *)ctx)->stack = NULL;
}

static const struct ge_bottom_ops bottom = {on_want, on_close};

static void on_ready(struct ge_stack *s, void *arg, int status)
{
    struct end *e = arg;

    e->ready = 1;
    e->ready_status = status;
}

static void push_tls(struct end *e, uint32_t role, const char *target, const char *server_name)
{
    struct ge_layer_spec spec;

    memset(&spec, 0, sizeof spec);
    spec.component = &gost_plugin_v1.components[0];
    spec.conf = ge_conf_data(e->conf);
    spec.role = role;
    spec.target.size = sizeof spec.target;
    spec.server_name = gost_bytes_str(server_name);
    if (target && gost_addr_parse(&spec.target.addr, target, strlen(target), 443) != GOST_OK)
        abort();
    if (ge_stack_push(e->stack, &spec) != GOST_OK)
        abort();
    ge_stack_on_ready(e->stack, on_ready, e);
}

/* The wire alone; a side with words NULL gets no tls layer: the test speaks for it. */
static void link_open(struct link *l, const char *const *client, const char *const *server,
                      const char *target)
{
    last_log[0] = 0;
    l->client.flow = ge_flow_new(worker);
    l->server.flow = ge_flow_new(worker);
    l->cut_from_client = SIZE_MAX;
    if (l->split == 0)
        l->split = 65536;
    if (l->paired) {
        ge_stack_pair(l->client.flow, GOST_STREAM, &l->client.stack, &l->server.stack);
        ge_stack_set_flow(l->server.stack, l->server.flow);
    } else {
        l->client.stack = ge_stack_new(l->client.flow, GOST_STREAM, &bottom, &l->client);
        l->server.stack = ge_stack_new(l->server.flow, GOST_STREAM, &bottom, &l->server);
    }
    if (client) {
        l->client.conf = make_conf(GOST_CLIENT, client);
        if (!l->client.conf) {
            printf("# client: %s\n", conf_error);
            abort();
        }
        push_tls(&l->client, GOST_CLIENT, target, "");
    }
    if (server) {
        l->server.conf = make_conf(GOST_SERVER, server);
        if (!l->server.conf) {
            printf("# server: %s\n", conf_error);
            abort();
        }
        push_tls(&l->server, GOST_SERVER, NULL, "");
    }
}

static void end_close(struct end *e)
{
    struct ge_stack *s = e->stack;

    e->stack = NULL;
    if (s)
        ge_stack_free(s, 0);
    ge_flow_unref(e->flow);
    ge_conf_free(e->conf);
    memset(e, 0, sizeof *e);
}

static void link_close(struct link *l)
{
    end_close(&l->client);
    end_close(&l->server);
    while (ge_run(worker, 64))
        ;
}

/* One piece from one bottom to the other. 1: something moved. */
static int carry(struct link *l, struct end *from, struct end *to)
{
    size_t limit = from == &l->client ? l->cut_from_client : SIZE_MAX, n, keep;
    struct gost_bytes room;
    struct iovec iov;

    if (!from->stack || !to->stack)
        return 0;
    if (ge_tx_iov(from->stack, &iov, 1) == 1) {
        n = iov.iov_len < l->split ? iov.iov_len : l->split;
        keep = from->sent + n <= limit ? n : from->sent < limit ? limit - from->sent : 0;
        if (keep) {
            room = ge_rx_reserve(to->stack);
            if (room.n == 0)
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
static void settle(struct link *l)
{
    int moved;

    do {
        while (ge_run(worker, 64))
            ;
        moved = 0;
        if (!l->paired)
            moved = carry(l, &l->client, &l->server) | carry(l, &l->server, &l->client);
    } while (moved);
}

static const char *error_of(const struct end *e)
{
    return e->flow->error ? e->flow->error : "";
}

static int says(const struct end *e, const char *words)
{
    if (strstr(error_of(e), words))
        return 1;
    printf("# status %d: %s\n", e->flow->status, error_of(e));
    return 0;
}

static int is_up(const struct link *l)
{
    if (l->client.ready && l->server.ready && !l->client.ready_status && !l->server.ready_status)
        return 1;
    printf("# client %d %s, server %d %s\n", l->client.ready, error_of(&l->client), l->server.ready,
           error_of(&l->server));
    return 0;
}

#endif
