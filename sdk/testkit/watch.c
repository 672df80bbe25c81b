/* watch.c - stands between engine and plugin, and sees when one breaks the rules. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

struct kit_world *kit_now;

/* ---- the component's operations ---- */

/* The original of the component that the engine is calling. */
static const void *original(uint32_t kind)
{
    const struct ge_plugin *p = kit_now->kit->plugin;
    const char *name = ge_running_component;
    uint32_t i;

    for (i = 0; name && i < p->n_components; i++) {
        if (p->components[i].kind == kind && strcmp(p->components[i].name, name) == 0)
            return p->components[i].ops;
    }
    return NULL;
}

static void enter(const char *what)
{
    kit_now->inside++;
    kit_now->calling = what;
    kit_now->outcome->steps++;
}

static int leave(int r, int highest)
{
    struct kit_world *w = kit_now;
    const char *what = w->calling;

    w->inside--;
    if (r > highest || (r < 0 && (r > GOST_EPROTO || r < GOST_EINUSE)))
        kit_break(w, "%s returned %d, which is no result and no error of base.h", what, r);
    if (r < 0 && w->flow->status == 0)
        kit_break(w, "%s returned the error %d without a text: use gost_fail()", what, r);
    return r;
}

#define TASK_CALL(ops_type, kind, field)                                                     \
    static int watch_##ops_type##_##field(void *state, const void *conf, struct gost_io *io, \
                                          const struct gost_event *ev)                       \
    {                                                                                        \
        const struct gost_##ops_type##_ops *ops = original(kind);                            \
                                                                                             \
        enter(#field);                                                                       \
        return leave(ops->field(state, conf, io, ev), GOST_FULL);                            \
    }

#define LAYER_CALL(field)                                                             \
    static int watch_layer_##field(void *state, const void *conf, struct gost_io *io) \
    {                                                                                 \
        const struct gost_layer_ops *ops = original(GOST_KIND_LAYER);                 \
                                                                                      \
        enter(#field);                                                                \
        return leave(ops->field(state, conf, io), GOST_END);                          \
    }

#define DESTROY_CALL(ops_type, kind)                              \
    static void watch_##ops_type##_destroy(void *state)           \
    {                                                             \
        const struct gost_##ops_type##_ops *ops = original(kind); \
                                                                  \
        ops->destroy(state);                                      \
    }

TASK_CALL(handler, GOST_KIND_HANDLER, step)
TASK_CALL(connector, GOST_KIND_CONNECTOR, connect)
TASK_CALL(connector, GOST_KIND_CONNECTOR, associate)
TASK_CALL(connector, GOST_KIND_CONNECTOR, bind)
TASK_CALL(source, GOST_KIND_SOURCE, step)
TASK_CALL(remote, GOST_KIND_REMOTE, step)
LAYER_CALL(open)
LAYER_CALL(handshake)
LAYER_CALL(decode)
LAYER_CALL(encode)
LAYER_CALL(shut)
LAYER_CALL(on_deadline)
DESTROY_CALL(handler, GOST_KIND_HANDLER)
DESTROY_CALL(connector, GOST_KIND_CONNECTOR)
DESTROY_CALL(source, GOST_KIND_SOURCE)
DESTROY_CALL(remote, GOST_KIND_REMOTE)
DESTROY_CALL(layer, GOST_KIND_LAYER)

/* ---- the calls of a session layer ---- */

static const struct gost_session_ops *session_ops(void)
{
    const struct gost_layer_ops *ops = original(GOST_KIND_LAYER);

    return ops->session;
}

static int watch_open(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                      uint32_t flags, uint64_t *ret_id)
{
    enter("open");
    return leave(session_ops()->open(state, conf, io, s, flags, ret_id), GOST_FULL);
}

static int watch_credit(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                        size_t n)
{
    enter("credit");
    return leave(session_ops()->credit(state, conf, io, s, n), GOST_FULL);
}

static int watch_reset(void *state, const void *conf, struct gost_io *io, struct gost_io *s,
                       uint64_t code)
{
    enter("reset");
    return leave(session_ops()->reset(state, conf, io, s, code), GOST_FULL);
}

static void watch_closed(void *state, const void *conf, struct gost_io *io, struct gost_io *s)
{
    enter("closed");
    session_ops()->closed(state, conf, io, s);
    kit_now->inside--;
}

static int watch_ping(void *state, const void *conf, struct gost_io *io)
{
    enter("ping");
    return leave(session_ops()->ping(state, conf, io), GOST_FULL);
}

static int watch_goaway(void *state, const void *conf, struct gost_io *io)
{
    enter("goaway");
    return leave(session_ops()->goaway(state, conf, io), GOST_FULL);
}

/* An inspector runs as a handler: the engine has no other place for it. */
static int watch_inspect(void *state, const void *conf, struct gost_io *io,
                         const struct gost_event *ev)
{
    const struct gost_inspector_ops *ops = original(GOST_KIND_INSPECTOR);

    enter("inspect");
    return leave(ops->inspect(state, conf, io), GOST_FULL);
}

/* A copy of a table in this program's size; what the plugin's lacks is zero. */
static void *copy_ops(const void *ops, size_t size)
{
    uint32_t theirs = *(const uint32_t *)ops;
    void *copy = calloc(1, size);

    if (copy) {
        memcpy(copy, ops, theirs < size ? theirs : size);
        *(uint32_t *)copy = (uint32_t)size;
    }
    return copy;
}

#define REPLACE(ops, field, with)  \
    do {                           \
        if ((ops)->field)          \
            (ops)->field = (with); \
    } while (0)

static void *watch_connector(const void *from)
{
    struct gost_connector_ops *ops = copy_ops(from, sizeof *ops);

    if (ops) {
        REPLACE(ops, connect, watch_connector_connect);
        REPLACE(ops, associate, watch_connector_associate);
        REPLACE(ops, bind, watch_connector_bind);
        REPLACE(ops, destroy, watch_connector_destroy);
    }
    return ops;
}

/* A copy of its own: freed with the kit. */
static const struct gost_session_ops *watch_session(const struct gost_session_ops *from)
{
    struct gost_session_ops *ops = from ? copy_ops(from, sizeof *ops) : NULL;

    if (ops) {
        REPLACE(ops, open, watch_open);
        REPLACE(ops, credit, watch_credit);
        REPLACE(ops, reset, watch_reset);
        REPLACE(ops, closed, watch_closed);
        REPLACE(ops, ping, watch_ping);
        REPLACE(ops, goaway, watch_goaway);
    }
    return ops;
}

static void *watch_layer(const void *from)
{
    struct gost_layer_ops *ops = copy_ops(from, sizeof *ops);

    if (ops) {
        REPLACE(ops, open, watch_layer_open);
        REPLACE(ops, handshake, watch_layer_handshake);
        REPLACE(ops, decode, watch_layer_decode);
        REPLACE(ops, encode, watch_layer_encode);
        REPLACE(ops, shut, watch_layer_shut);
        REPLACE(ops, on_deadline, watch_layer_on_deadline);
        REPLACE(ops, destroy, watch_layer_destroy);
        ops->session = watch_session(ops->session);
    }
    return ops;
}

static void *watch_handler(const void *from)
{
    struct gost_handler_ops *ops = copy_ops(from, sizeof *ops);

    if (ops) {
        REPLACE(ops, step, watch_handler_step);
        REPLACE(ops, destroy, watch_handler_destroy);
    }
    return ops;
}

static void *watch_source(const void *from, int remote)
{
    struct gost_source_ops *ops = copy_ops(from, sizeof *ops);

    if (ops) {
        REPLACE(ops, step, remote ? watch_remote_step : watch_source_step);
        REPLACE(ops, destroy, remote ? watch_remote_destroy : watch_source_destroy);
    }
    return ops;
}

static void *watch_inspector(void)
{
    struct gost_handler_ops *ops = calloc(1, sizeof *ops);

    if (ops) {
        ops->size = sizeof *ops;
        ops->step = watch_inspect;
    }
    return ops;
}

static int watch_component(struct gost_component *c, void **ret_ops)
{
    switch (c->kind) {
    case GOST_KIND_HANDLER:
        *ret_ops = watch_handler(c->ops);
        break;
    case GOST_KIND_CONNECTOR:
        *ret_ops = watch_connector(c->ops);
        break;
    case GOST_KIND_LAYER:
        *ret_ops = watch_layer(c->ops);
        break;
    case GOST_KIND_SOURCE:
    case GOST_KIND_REMOTE:
        *ret_ops = watch_source(c->ops, c->kind == GOST_KIND_REMOTE);
        break;
    case GOST_KIND_INSPECTOR:
        *ret_ops = watch_inspector();
        c->kind = GOST_KIND_HANDLER;
        break;
    default:
        return GOST_OK;
    }
    c->ops = *ret_ops;
    return *ret_ops ? GOST_OK : GOST_ENOMEM;
}

/* ---- the host's table ---- */

/* Every call with an io belongs to a running step. */
static int allowed(const char *call)
{
    if (kit_now && kit_now->inside)
        return 1;
    if (kit_now)
        kit_break(kit_now, "%s() was called outside of a step", call);
    return 0;
}

static int host_send(struct gost_io *io, const void *p, size_t n)
{
    return allowed("gost_send") ? ge_host_table()->send(io, p, n) : GOST_EINTERNAL;
}

static struct gost_bytes host_rx(struct gost_io *io)
{
    return allowed("gost_rx") ? ge_host_table()->rx(io) : gost_bytes(NULL, 0);
}

static const uint8_t *host_peek(struct gost_io *io, size_t n)
{
    return allowed("gost_peek") ? ge_host_table()->peek(io, n) : NULL;
}

static void host_consume(struct gost_io *io, size_t n)
{
    if (!allowed("gost_consume"))
        return;
    if (n > ge_host_table()->rx_len(io) && io->lv->type != GOST_DATAGRAM)
        kit_break(kit_now, "gost_consume() of %zu bytes, but only %zu are queued", n,
                  ge_host_table()->rx_len(io));
    ge_host_table()->consume(io, n);
}

static int host_packet_send(struct gost_io *io, const struct gost_packet *packet)
{
    return allowed("gost_packet_send") ? ge_host_table()->packet_send(io, packet) : GOST_EINTERNAL;
}

static void host_shut(struct gost_io *io)
{
    if (allowed("gost_shut"))
        ge_host_table()->shut(io);
}

static int host_act(struct gost_io *io, const struct gost_action *action)
{
    int r = allowed("gost_act") ? ge_host_table()->act(io, action) : GOST_EINTERNAL;

    if (r != GOST_OK && kit_now)
        kit_break(kit_now, "gost_act() of kind %u was malformed: %d", action->kind, r);
    return r;
}

static void *host_alloc(struct gost_io *io, size_t n)
{
    struct kit_world *w = kit_now;

    if (!allowed("gost_alloc"))
        return NULL;
    w->outcome->allocs++;
    return w->outcome->allocs == w->how.deny_alloc ? NULL : ge_host_table()->alloc(io, n);
}

static int host_failv(struct gost_io *io, int code, const char *fmt, va_list args)
{
    if (!fmt || !*fmt)
        kit_break(kit_now, "gost_fail() with an empty text");
    if (code > GOST_EPROTO || code < GOST_EINUSE)
        kit_break(kit_now, "gost_fail() with %d, which is no error of base.h", code);
    return ge_host_table()->failv(io, code, fmt, args);
}

int kit_watch(struct gost_kit *kit)
{
    uint32_t i, n = kit->plugin->n_components;
    int r = GOST_OK;

    kit->host = *ge_host_table();
    kit->host.worker_data = kit_worker_data;
    kit->host.table_get = kit_table_get;
    kit->host.table_put = kit_table_put;
    kit->host.send = host_send;
    kit->host.rx = host_rx;
    kit->host.peek = host_peek;
    kit->host.consume = host_consume;
    kit->host.packet_send = host_packet_send;
    kit->host.shut = host_shut;
    kit->host.act = host_act;
    kit->host.alloc = host_alloc;
    kit->host.failv = host_failv;
    kit->watched = calloc(n, sizeof *kit->watched);
    kit->ops = calloc(n, sizeof *kit->ops);
    if (!kit->watched || !kit->ops)
        return GOST_ENOMEM;
    for (i = 0; i < n && r == GOST_OK; i++) {
        kit->watched[i] = kit->plugin->components[i];
        r = watch_component(&kit->watched[i], &kit->ops[i]);
    }
    return r;
}
