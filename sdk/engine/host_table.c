/* host_table.c - struct gost_host: what plugins call, on the engine's queues. */
/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "internal.h"

#define FINE_NS GOST_S /* a layer's deadline nearer than this is fired to the millisecond */

static volatile int32_t log_level = GOST_LOG_INFO;

void ge_set_log_level(int level)
{
    __atomic_store_n(&log_level, level, __ATOMIC_RELAXED);
}

int ge_log_level(void)
{
    return __atomic_load_n(&log_level, __ATOMIC_RELAXED);
}

static struct ge_worker *io_worker(const struct gost_io *io)
{
    return io->lv->stack->w;
}

static struct ge_queue *rx_queue(struct gost_io *io)
{
    return io->side == GE_HI ? &io->lv->up : &io->lv->down;
}

static struct ge_queue *tx_queue(struct gost_io *io)
{
    return io->side == GE_HI ? &io->lv->down : &io->lv->up;
}

/* What a handler itself reads from and writes to its client counts as the flow's bytes. */
static int is_client(const struct gost_io *io)
{
    const struct ge_stack *s = io->lv->stack;

    return io->side == GE_HI && s->top == io->lv && s->task && s->port == 0 &&
           s->task->inst.comp->kind == GOST_KIND_HANDLER;
}

static void consumed(struct gost_io *io, size_t n)
{
    struct ge_stack *s = io->lv->stack;

    if (is_client(io))
        s->flow->rx += n;

    if (io->side == GE_LO) {
        if (s->session && io->lv == &s->bottom)
            ge_stream_sent(s, n);
        ge_down_consumed(io->lv);
        return;
    }
    ge_up_consumed(io->lv);
}

static void produced(struct gost_io *io, size_t n)
{
    if (is_client(io))
        io->lv->stack->flow->tx += n;
    if (io->side == GE_HI) {
        ge_down_produced(io->lv);
        return;
    }
    if (io->lv->stack->session && io->lv == &io->lv->stack->bottom)
        ge_stream_delivered(io->lv->stack, n);
    ge_up_produced(io->lv);
}

static void fail_io(struct gost_io *io, int code, const char *text)
{
    struct ge_inst *in = ge_io_inst(io);

    if (!in)
        return;
    if (!in->failed)
        in->failed = code;
    ge_flow_fail(in->flow, code, in->comp->name, "%s", text);
}

/* ---- bytes ---- */

static struct gost_bytes h_rx(struct gost_io *io)
{
    return ge_queue_first(rx_queue(io));
}

static const uint8_t *h_peek(struct gost_io *io, size_t n)
{
    const uint8_t *p;

    if (n > GOST_PEEK_MAX) {
        fail_io(io, GOST_EINTERNAL, "gost_peek of more than 65536 bytes");
        return NULL;
    }
    p = ge_queue_peek(io_worker(io), rx_queue(io), n);
    if (!p) {
        io->want = n;
        if (io->side == GE_HI)
            ge_up_wanted(io->lv);
    }
    return p;
}

static void h_consume(struct gost_io *io, size_t n)
{
    struct ge_queue *q = rx_queue(io);

    if (n > q->bytes)
        n = q->bytes;
    ge_queue_consume(io_worker(io), q, n);
    consumed(io, n);
}

static void h_want(struct gost_io *io, size_t n)
{
    io->want = n < GOST_PEEK_MAX ? n : GOST_PEEK_MAX;
    if (io->side == GE_HI)
        ge_up_wanted(io->lv);
}

static size_t h_rx_len(struct gost_io *io)
{
    struct ge_queue *q = rx_queue(io);

    return io->lv->type == GOST_DATAGRAM ? q->packets : q->bytes;
}

static int h_rx_eof(struct gost_io *io)
{
    struct ge_queue *q = rx_queue(io);
    int eof = q->end && (q->bytes == 0 || q->bytes < io->want) && q->packets == 0 && !q->heads;

    if (eof && io->side == GE_LO && io->lv->stack->session && io->lv == &io->lv->stack->bottom)
        ge_stream_end_seen(io->lv->stack);
    return eof;
}

static int h_send(struct gost_io *io, const void *p, size_t n)
{
    struct ge_queue *q = tx_queue(io);

    if (q->end) {
        if (q->status == 0 && n > 0)
            fail_io(io, GOST_EINTERNAL, "gost_send after gost_shut");
        return GOST_ECLOSED;
    }
    if (io->lv->type == GOST_DATAGRAM) {
        fail_io(io, GOST_EINTERNAL, "gost_send on a datagram port");
        return GOST_EINTERNAL;
    }
    if (ge_queue_append(io_worker(io), q, p, n) != GOST_OK) {
        fail_io(io, GOST_ENOMEM, "out of memory");
        return GOST_ENOMEM;
    }
    if (n)
        produced(io, n);
    return GOST_OK;
}

static uint8_t *h_reserve(struct gost_io *io, size_t n)
{
    struct ge_queue *q = tx_queue(io);
    uint8_t *p;

    if (n > GE_CHUNK_SIZE || q->end || io->lv->type == GOST_DATAGRAM) {
        fail_io(io, GOST_EINTERNAL, "gost_reserve of more than 16384 bytes, or after gost_shut");
        return NULL;
    }
    p = ge_queue_reserve(io_worker(io), q, n ? n : 1, NULL);
    if (!p)
        fail_io(io, GOST_ENOMEM, "out of memory");
    return p;
}

static void h_commit(struct gost_io *io, size_t n)
{
    ge_queue_commit(io_worker(io), tx_queue(io), n);
    if (n)
        produced(io, n);
}

static size_t h_tx_room(struct gost_io *io)
{
    struct ge_queue *q = tx_queue(io);
    size_t high = io_worker(io)->high;

    if (q->bytes >= high || q->end) {
        io->full = 1;
        return 0;
    }
    return high - q->bytes;
}

static size_t h_tx_len(struct gost_io *io)
{
    return tx_queue(io)->bytes;
}

static size_t h_move(struct gost_io *to, struct gost_io *from, size_t n)
{
    struct ge_queue *t = tx_queue(to);
    size_t moved;

    if (t->end || to->lv->type == GOST_DATAGRAM || from->lv->type == GOST_DATAGRAM)
        return 0;
    moved = ge_queue_move(io_worker(to), t, rx_queue(from), n);
    if (moved) {
        consumed(from, moved);
        produced(to, moved);
    }
    return moved;
}

static void h_shut(struct gost_io *io)
{
    if (io->side == GE_HI)
        ge_level_end_down(io->lv);
    else
        ge_level_end_up(io->lv, 0);
}

static void h_abort(struct gost_io *io, uint64_t code)
{
    struct ge_stack *s = io->lv->stack;

    if (io->side == GE_LO && s->session && io->lv == &s->bottom) {
        ge_stream_reset(io, code);
        return;
    }
    s->abort = 1;
    s->code = code;
    ge_stack_fail(s, GOST_ECANCELLED);
}

/* ---- packets and heads ---- */

static int h_packet_recv(struct gost_io *io, struct gost_packet *ret)
{
    struct ge_queue *q = rx_queue(io);
    struct ge_pkt **view = io->side == GE_HI ? &io->lv->view_hi : &io->lv->view_lo;
    struct ge_pkt *k = ge_queue_get_packet(q);

    free(*view);
    *view = k;
    if (!k)
        return q->end ? GOST_END : GOST_AGAIN;
    ge_pkt_view(k, ret);
    consumed(io, k->len);
    return GOST_OK;
}

/* Only a bottom may be able to send several packets as one: others get them one by one. */
static int send_segments(struct gost_io *io, const struct gost_packet *p)
{
    struct gost_packet one = *p;
    size_t at, n;
    int r = GOST_OK;

    one.segment = 0;
    for (at = 0; at < p->data.n && r == GOST_OK; at += n) {
        n = p->data.n - at < p->segment ? p->data.n - at : p->segment;
        one.data = gost_bytes(p->data.p + at, n);
        r = ge_queue_put_packet(tx_queue(io), &one);
        if (r == GOST_OK)
            produced(io, n);
    }
    return r;
}

static int h_packet_send(struct gost_io *io, const struct gost_packet *p)
{
    struct ge_queue *q = tx_queue(io);
    int r;

    if (io->lv->type != GOST_DATAGRAM) {
        fail_io(io, GOST_EINTERNAL, "gost_packet_send on a port that is no datagram port");
        return GOST_EINTERNAL;
    }
    if (q->end)
        return GOST_FULL;
    if (p->segment &&
        !(io->side == GE_HI && io->lv == &io->lv->stack->bottom && io->lv->stack->segments))
        return send_segments(io, p);
    r = ge_queue_put_packet(q, p);
    if (r == GOST_OK)
        produced(io, p->data.n);
    return r;
}

static int h_head_recv(struct gost_io *io, struct gost_head *ret)
{
    struct ge_queue *q = rx_queue(io);
    struct ge_headq **view = io->side == GE_HI ? &io->lv->head_hi : &io->lv->head_lo;
    struct ge_headq *h = ge_queue_get_head(q);

    free(*view);
    *view = h;
    if (!h)
        return q->end && !q->heads ? GOST_END : GOST_AGAIN;
    h->head.size = ret->size;
    memcpy(ret, &h->head, ret->size < sizeof *ret ? ret->size : sizeof *ret);
    if (io->side == GE_LO)
        ge_down_consumed(io->lv);
    return GOST_OK;
}

static int h_head_send(struct gost_io *io, const struct gost_head *head)
{
    struct ge_queue *q = tx_queue(io);
    int r;

    if (io->lv->type != GOST_EXCHANGE) {
        fail_io(io, GOST_EINTERNAL, "gost_head_send on a port that is no exchange port");
        return GOST_EINTERNAL;
    }
    if (q->end)
        return GOST_ECLOSED;
    r = ge_queue_put_head(q, head);
    if (r == GOST_OK)
        produced(io, 0);
    else if (r == GOST_ENOMEM)
        fail_io(io, r, "out of memory");
    return r;
}

/* ---- structure ---- */

static struct gost_io *h_port(struct gost_io *io, uint32_t n)
{
    struct ge_inst *in = ge_io_inst(io);

    if (!in)
        return NULL;
    if (in->is_task) {
        struct ge_stack *s = ge_task_port((struct ge_task *)in, n);

        return s ? &s->top->hi : NULL;
    }
    if (in->is_inspector)
        return n == 0 ? io : NULL;
    if (n == 0)
        return &((struct ge_layer *)in)->wire->hi;
    return n == GOST_APP && !((struct ge_layer *)in)->session ? &((struct ge_layer *)in)->app->lo
                                                              : NULL;
}

static uint32_t h_type(struct gost_io *io)
{
    return io->lv->type;
}

static void h_identity(struct gost_io *io)
{
    struct ge_inst *in = ge_io_inst(io);

    if (!in || in->is_task || in->is_inspector)
        return;
    ((struct ge_layer *)in)->identity = 1;
    ge_stack_ready(io->lv->stack);
}

static void *h_data(struct gost_io *io)
{
    return io->data;
}

static void h_set_data(struct gost_io *io, void *data)
{
    io->data = data;
}

/* ---- the flow ---- */

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static const struct gost_flow *h_flow(struct gost_io *io)
{
    static _Thread_local struct gost_flow v;
    struct ge_inst *in = ge_io_inst(io);
    const struct ge_flow *f = in ? in->flow : io->lv->stack->flow;

    memset(&v, 0, sizeof v);
    v.size = sizeof v;
    v.role = in && !in->is_task                            ? in->role
             : in && in->comp->kind == GOST_KIND_CONNECTOR ? GOST_CLIENT
                                                           : GOST_SERVER;
    v.id = f->id;
    v.service = or_empty(f->service);
    v.user = or_empty(f->user);
    v.node = or_empty(in ? in->node : NULL);
    v.source = &f->source;
    v.destination = &f->destination;
    v.original = &f->original;
    v.remote = &f->remote;
    v.local = &f->local;
    v.alpn = or_empty(f->alpn);
    /* What our client asked for in TLS is not what a dialed layer is to verify. */
    v.server_name = in && in->server_name   ? in->server_name
                    : v.role == GOST_CLIENT ? ""
                                            : or_empty(f->server_name);
    v.secure = f->secure;
    v.network = f->network;
    return &v;
}

static const struct gost_target *h_target(struct gost_io *io)
{
    static const struct gost_target none = {sizeof none, 0, {0}};
    struct ge_inst *in = ge_io_inst(io);

    return in && in->target ? in->target : &none;
}

static struct gost_bytes h_arg(struct gost_io *io)
{
    struct ge_inst *in = ge_io_inst(io);

    return in ? in->arg : gost_bytes(NULL, 0);
}

static void h_set_source(struct gost_io *io, const struct gost_addr *src,
                         const struct gost_addr *dst)
{
    struct ge_flow *f = io->lv->stack->flow;

    if (src)
        f->source = *src;
    if (dst)
        f->destination = *dst;
    f->source_changed = 1;
}

static void set_text(const char **at, struct gost_bytes v)
{
    char *s;

    if (!v.n || v.n > 1024 || !(s = malloc(v.n + 1)))
        return;
    memcpy(s, v.p, v.n);
    s[v.n] = 0;
    free((char *)*at);
    *at = s;
}

static void h_set_secure(struct gost_io *io, const struct gost_secure *info)
{
    struct ge_flow *f = io->lv->stack->flow;

    f->secure = 1;
    set_text(&f->alpn, info->alpn);
    set_text(&f->server_name, info->server_name);
    set_text(&f->version, info->version);
}

static void h_set_sniffed(struct gost_io *io, const struct gost_sniffed *info)
{
    struct ge_flow *f = io->lv->stack->flow;

    set_text(&f->sniffed_protocol, info->protocol);
    set_text(&f->sniffed_host, info->host);
}

static void h_set_phase(struct gost_io *io, const char *phase)
{
    struct ge_inst *in = ge_io_inst(io);

    if (!in)
        return;
    in->phase = phase;
    if (ge_running_component == in->comp->name)
        ge_running_phase = phase;
}

static int h_failv(struct gost_io *io, int code, const char *fmt, va_list args) GOST_PRINTF(3, 0);

static int h_failv(struct gost_io *io, int code, const char *fmt, va_list args)
{
    struct ge_inst *in = ge_io_inst(io);

    return in ? ge_inst_failv(in, code, fmt, args) : code;
}

static void h_logv(struct gost_io *io, int level, const char *fmt, va_list args) GOST_PRINTF(3, 0);

static void h_logv(struct gost_io *io, int level, const char *fmt, va_list args)
{
    struct ge_inst *in = ge_io_inst(io);
    struct ge_worker *w = io_worker(io);
    char text[1024];
    int n;

    n = snprintf(text, sizeof text, "%s: ", in ? in->comp->name : "plugin");
    vsnprintf(text + n, sizeof text - (size_t)n, fmt, args);
    w->embed.log(w->ctx, in ? in->flow : NULL, level, text);
}

static void *h_alloc(struct gost_io *io, size_t n)
{
    struct ge_inst *in = ge_io_inst(io);

    return in ? ge_inst_alloc(in, n) : NULL;
}

static int h_act(struct gost_io *io, const struct gost_action *action)
{
    struct ge_inst *in = ge_io_inst(io);

    return in && in->is_task ? ge_act_queue((struct ge_task *)in, action) : GOST_EINTERNAL;
}

static void h_set_deadline(struct gost_io *io, uint64_t at_ns)
{
    struct ge_inst *in = ge_io_inst(io);

    if (!in)
        return;
    if (!at_ns)
        ge_timer_stop(in->w, &in->timer);
    else if (in->is_task || at_ns > ge_now(in->w) + FINE_NS)
        ge_timer_start(in->w, &in->timer, at_ns);
    else
        ge_timer_start_fine(in->w, &in->timer, at_ns);
}

/* ---- time and chance ---- */

static uint64_t h_now(void)
{
    return ge_current->embed.now(ge_current->ctx);
}

static uint64_t h_unix_time(void)
{
    return ge_current->embed.unix_time(ge_current->ctx);
}

static void h_random(void *p, size_t n)
{
    ge_current->embed.random(ge_current->ctx, p, n);
}

/* ---- what the embedder may add ---- */

static void h_bound(struct gost_io *io, const struct gost_addr *addr)
{
    ge_task_note(io, GE_BOUND, addr);
}

static void h_accepted(struct gost_io *io, struct gost_io *s, const struct gost_addr *peer)
{
    ge_task_note(io, s->lv->stack->port, peer);
}

static void h_result_port(struct gost_io *io, uint32_t port)
{
    struct ge_inst *in = ge_io_inst(io);

    if (in && in->is_task && port < GOST_PORTS)
        ((struct ge_task *)in)->result_port = port;
}

static void h_source_data(struct gost_io *io, struct gost_bytes data)
{
}

static const void *h_question(struct gost_io *io)
{
    return NULL;
}

static void h_answer(struct gost_io *io, const void *answer)
{
}

static int h_endpoint_add(struct gost_io *io, const char *kind, struct gost_bytes key,
                          uint32_t weight)
{
    return GOST_EUNSUPPORTED;
}

static void h_endpoint_remove(struct gost_io *io, const char *kind, struct gost_bytes key)
{
}

static int h_table_get(const char *table, struct gost_bytes key, void *ret_value, size_t value_size)
{
    return GOST_EUNSUPPORTED;
}

static int h_table_put(const char *table, struct gost_bytes key, const void *value,
                       size_t value_size, uint64_t ttl_ns, int only_new)
{
    return GOST_EUNSUPPORTED;
}

/* Without a table of keys below there is one instance only, and all packets are its own. */
static int h_key_add(struct gost_io *io, struct gost_bytes key)
{
    return GOST_OK;
}

static void h_key_remove(struct gost_io *io, struct gost_bytes key)
{
}

static void *h_worker_data(const struct gost_host *const *self)
{
    return NULL;
}

static const void *h_query(const char *id)
{
    return NULL;
}

static struct gost_host table = {
    .size = sizeof table,
    .abi_minor = GOST_ABI_MINOR,
    .log_level = &log_level,
    .rx = h_rx,
    .peek = h_peek,
    .consume = h_consume,
    .want = h_want,
    .rx_len = h_rx_len,
    .rx_eof = h_rx_eof,
    .send = h_send,
    .reserve = h_reserve,
    .commit = h_commit,
    .tx_room = h_tx_room,
    .tx_len = h_tx_len,
    .move = h_move,
    .shut = h_shut,
    .abort = h_abort,
    .packet_recv = h_packet_recv,
    .packet_send = h_packet_send,
    .head_recv = h_head_recv,
    .head_send = h_head_send,
    .port = h_port,
    .type = h_type,
    .identity = h_identity,
    .data = h_data,
    .set_data = h_set_data,
    .flow = h_flow,
    .target = h_target,
    .arg = h_arg,
    .set_source = h_set_source,
    .set_secure = h_set_secure,
    .set_sniffed = h_set_sniffed,
    .set_phase = h_set_phase,
    .failv = h_failv,
    .logv = h_logv,
    .alloc = h_alloc,
    .act = h_act,
    .set_deadline = h_set_deadline,
    .now = h_now,
    .unix_time = h_unix_time,
    .random = h_random,
    .stream_new = ge_stream_new,
    .stream_next = ge_stream_next,
    .stream_port = ge_stream_port,
    .stream_id = ge_stream_id,
    .stream_set_credit = ge_stream_set_credit,
    .stream_reset = ge_stream_reset,
    .session_goaway = ge_session_goaway,
    .session_alive = ge_session_alive,
    .session_reply = ge_session_reply,
    .session_datagram = ge_session_datagram,
    .bound = h_bound,
    .accepted = h_accepted,
    .result_port = h_result_port,
    .source_data = h_source_data,
    .question = h_question,
    .answer = h_answer,
    .endpoint_add = h_endpoint_add,
    .endpoint_remove = h_endpoint_remove,
    .table_get = h_table_get,
    .table_put = h_table_put,
    .query = h_query,
    .stream_stop = ge_stream_stop,
    .key_add = h_key_add,
    .key_remove = h_key_remove,
    .worker_data = h_worker_data,
    .session_request = ge_session_request,
    .stream_arg = ge_stream_arg,
    .stream_set_arg = ge_stream_set_arg,
    .wire_open = ge_wire_open,
    .wire_next = ge_wire_next,
    .wire_state = ge_wire_state,
    .wire_leave = ge_wire_leave,
    .wire_reset = ge_wire_reset,
    .wire_datagram = ge_wire_datagram,
    .wire_end = ge_wire_end,
    .session_code = ge_session_code,
    .session_used = ge_session_used,
};

#define TAKE(field)                    \
    do {                               \
        if (more->field)               \
            table.field = more->field; \
    } while (0)

/* The embedder's own functions replace the refusing ones. Before the first worker runs. [main] */
void ge_host_set_more(const struct gost_host *more)
{
    if (!more)
        return;
    TAKE(source_data);
    TAKE(question);
    TAKE(answer);
    TAKE(endpoint_add);
    TAKE(endpoint_remove);
    TAKE(table_get);
    TAKE(table_put);
    TAKE(query);
    TAKE(key_add);
    TAKE(key_remove);
    TAKE(worker_data);
}

const struct gost_host *ge_host_table(void)
{
    return &table;
}

struct ge_task *ge_io_task(struct gost_io *io)
{
    struct ge_inst *in = ge_io_inst(io);

    return in && in->is_task ? (struct ge_task *)in : NULL;
}

struct ge_stack *ge_io_stack(struct gost_io *io)
{
    return io->lv->stack;
}

struct gost_io *ge_stack_io(struct ge_stack *s)
{
    return &s->top->hi;
}
