/* test_world.h - HTTP/3 over a session in memory: our layer, and at the other end it or bytes. */
/* SPDX-License-Identifier: MIT */
#ifndef H3_TEST_WORLD_H
#define H3_TEST_WORLD_H

#include "../../sdk/testkit/test_mux.h"
#include "../../sdk/testkit/test_sides.h"
#include "h3.h"

extern const struct gost_plugin gost_plugin_v1;

static struct {
    struct side side[2];
    struct h3_conf conf;
    struct mux_conf mux;
} t;

static unsigned world_layer;   /* which of the plugin's components lies on both sides */
static const void *world_conf; /* NULL: t.conf */

static inline void run(void)
{
    run_worker(worker);
}

static void on_end(struct ge_stack *session, void *arg, int status)
{
    side_on_end(session, arg, status);
    ((struct side *)arg)->session = NULL;
    ge_stack_free(session, 0);
}

static void push(struct side *s, const struct gost_component *c, const void *conf, uint32_t role)
{
    struct ge_layer_spec spec = {.component = c, .conf = conf, .role = role};

    if (ge_stack_push(s->session, &spec) != GOST_OK)
        abort();
}

/* bare: that side has no layer of HTTP/3, but the streams below. -1: neither. */
static void begin(int bare)
{
    struct ge_embed e = embedder();
    struct ge_stack *a, *b;
    int i;

    *gost_plugin_v1.host = ge_host_table();
    memset(&t, 0, sizeof t);
    mux_quic = 1;
    mux_code = 0;
    worker = ge_worker_new(&e, NULL);
    t.mux.window = 65536;
    t.conf.max_header = 8000;
    t.conf.extended_connect = t.conf.datagrams = 1;
    for (i = 0; i < 2; i++)
        t.side[i].flow = ge_flow_new(worker);
    ge_stack_pair(t.side[SERVER].flow, GOST_STREAM, &a, &b);
    t.side[SERVER].session = a;
    t.side[CLIENT].session = b;
    ge_stack_set_flow(b, t.side[CLIENT].flow);
    for (i = 0; i < 2; i++) {
        uint32_t role = i == SERVER ? GOST_SERVER : GOST_CLIENT;

        push(&t.side[i], &mux_component, &t.mux, role);
        if (i != bare)
            push(&t.side[i], &gost_plugin_v1.components[world_layer],
                 world_conf ? world_conf : &t.conf, role);
        side_watch(&t.side[i]);
        ge_session_on_end(t.side[i].session, on_end, &t.side[i]);
    }
    run();
}

/* 1: nothing is left. */
static int end(void)
{
    int i, good;

    for (i = 0; i < 2; i++) {
        side_free(&t.side[i]);
        run();
    }
    for (i = 0; i < 2; i++)
        ge_flow_unref(t.side[i].flow);
    run();
    good = nothing_left(worker) && mux_streams_open == 0;
    ge_worker_free(worker);
    return good;
}

static struct ge_stack *open_stream(int who, uint32_t flags)
{
    return side_stream(&t.side[who], flags);
}

static inline void put(struct ge_stack *s, const void *p, size_t n)
{
    gost_send(ge_stack_io(s), p, n);
    run();
}

/* A frame whose payload are the fields of a head. Returns its length. */
static inline size_t head_frame(uint8_t *to, const struct gost_field *f, size_t n)
{
    nghttp3_qpack_encoder *e;
    nghttp3_buf a, b, c;
    nghttp3_nv nv[32];
    size_t i, at;

    for (i = 0; i < n; i++) {
        nv[i].name = (uint8_t *)(uintptr_t)f[i].name.p;
        nv[i].namelen = f[i].name.n;
        nv[i].value = (uint8_t *)(uintptr_t)(f[i].value.n ? f[i].value.p : f[i].name.p);
        nv[i].valuelen = f[i].value.n;
        nv[i].flags = NGHTTP3_NV_FLAG_NONE;
    }
    nghttp3_buf_init(&a);
    nghttp3_buf_init(&b);
    nghttp3_buf_init(&c);
    if (nghttp3_qpack_encoder_new(&e, 0, nghttp3_mem_default()) ||
        nghttp3_qpack_encoder_encode(e, &a, &b, &c, 0, nv, n))
        abort();
    at = h3_frame_put(to, H3_HEADERS, (uint64_t)(a.last - a.pos) + (uint64_t)(b.last - b.pos));
    memcpy(to + at, a.pos, (size_t)(a.last - a.pos));
    at += (size_t)(a.last - a.pos);
    if (b.last > b.pos)
        memcpy(to + at, b.pos, (size_t)(b.last - b.pos));
    at += (size_t)(b.last - b.pos);
    nghttp3_buf_free(&a, nghttp3_mem_default());
    nghttp3_buf_free(&b, nghttp3_mem_default());
    nghttp3_buf_free(&c, nghttp3_mem_default());
    nghttp3_qpack_encoder_del(e);
    return at;
}

/* The same from text: "name: value", NULL at the end; a pseudo field begins with a colon. */
static inline size_t head_text(uint8_t *to, const char *const *lines)
{
    struct gost_field f[32];
    size_t n = 0;

    for (; lines[n]; n++) {
        size_t k = 1 + strcspn(lines[n] + 1, ":");

        f[n].name = gost_bytes(lines[n], k);
        f[n].value = gost_bytes_str(lines[n] + k + 2);
    }
    return head_frame(to, f, n);
}

#endif
