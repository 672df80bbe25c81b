/* test_session.h - for tests: ends of a session in memory; the clock and the streams are ours. */
/* SPDX-License-Identifier: MIT */
#ifndef TEST_SESSION_H
#define TEST_SESSION_H

#include <stdlib.h>

#include "test_plugin.h"
#include "test_sides.h"

/* layer: which component. NULL: refused, conf_error says why. */
static inline struct ge_conf *make_conf(int layer, uint32_t role, const char *words)
{
    return conf_of(&gost_plugin_v1.components[layer], role, words);
}

static inline void run(void)
{
    run_worker(worker);
}

/* component: what stands on the stack; its options are those of the layer. */
static inline void side_push(struct side *s, const struct gost_component *component, int layer,
                             uint32_t role, const char *words)
{
    struct ge_layer_spec spec;

    s->conf = make_conf(layer, role, words);
    memset(&spec, 0, sizeof spec);
    spec.component = component;
    spec.conf = s->conf ? ge_conf_data(s->conf) : NULL;
    spec.role = role;
    spec.target.size = sizeof spec.target;
    if (!s->conf || ge_stack_push(s->session, &spec) != GOST_OK) {
        fprintf(stderr, "%s\n", conf_error);
        abort();
    }
    side_watch(s);
}

static inline void side_close(struct side *s)
{
    side_free(s);
    run();
    ge_flow_unref(s->flow);
    if (s->conf)
        ge_conf_free(s->conf);
}

/* ---- the streams' users ---- */

static inline void say(struct ge_stack *stream, const void *p, size_t n)
{
    gost_send(ge_stack_io(stream), p, n);
    run();
}

static inline size_t hear(struct ge_stack *stream, void *p, size_t size)
{
    struct gost_io *io = ge_stack_io(stream);
    struct gost_bytes b;
    size_t n = 0;

    while (n < size && (b = gost_rx(io)).n) {
        size_t k = b.n < size - n ? b.n : size - n;

        memcpy((uint8_t *)p + n, b.p, k);
        gost_consume(io, k);
        n += k;
        run();
    }
    return n;
}

static inline int heard_end(struct ge_stack *stream)
{
    return gost_rx_eof(ge_stack_io(stream));
}

static inline void say_end(struct ge_stack *stream)
{
    gost_shut(ge_stack_io(stream));
    run();
}

/* Users that read some streams, answer some and let go of others. */
static inline void side_use(struct side *s, uint8_t how)
{
    char buf[4096];
    int i;

    for (i = 0; i < s->n_accepted; i++) {
        if (!s->accepted[i])
            continue;
        if ((i + how) % 3 == 0)
            say(s->accepted[i], buf, hear(s->accepted[i], buf, sizeof buf));
        if ((i + how) % 5 == 1 && heard_end(s->accepted[i]))
            say_end(s->accepted[i]);
        if ((i + how) % 7 == 2) {
            ge_stack_free(s->accepted[i], how & 1);
            s->accepted[i] = NULL;
        }
    }
    run();
}

static inline const char *error_of(const struct side *s)
{
    return s->flow->error ? s->flow->error : "";
}

static inline void world_begin(void)
{
    struct ge_embed e = embedder();

    *gost_plugin_v1.host = ge_host_table();
    worker = ge_worker_new(&e, NULL);
    if (!worker)
        abort();
}

/* Nothing may be left. */
static inline int world_end(void)
{
    run();
    pass_time(20 * GOST_S);
    if (!nothing_left(worker))
        return 0;
    ge_worker_free(worker);
    return 1;
}

#endif
