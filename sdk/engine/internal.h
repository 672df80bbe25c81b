/* internal.h - the structures of the engine; nothing outside sdk/engine includes it. */
/* SPDX-License-Identifier: MIT */
#ifndef GE_INTERNAL_H
#define GE_INTERNAL_H

#include <stdlib.h>

#include "engine.h"

/* ---- queues (queue.c) ---- */

#define GE_CHUNK_SIZE 16384u

struct ge_chunk {
    uint32_t refs, cap,
        used; /* used: bytes filled; only the holder of the last segment extends it */
    uint8_t data[];
};

struct ge_seg {
    struct ge_seg *next;
    struct ge_chunk *chunk;
    uint32_t off, len;
};

struct ge_pkt {
    struct ge_pkt *next;
    struct gost_addr addr;
    struct gost_addr *local; /* behind the data; NULL: not known */
    uint32_t len;
    uint16_t segment;
    uint8_t ecn, flags, has_addr;
    uint8_t data[];
};

struct ge_headq {
    struct ge_headq *next;
    uint64_t at;           /* follows this many bytes of its queue */
    struct gost_head head; /* its views point behind this struct */
};

/* Bytes or packets, in one direction, between two neighbours. */
struct ge_queue {
    struct ge_seg *head, *tail;
    struct ge_pkt *phead, **ptail; /* ptail NULL: no packets yet */
    struct ge_headq *heads;
    size_t bytes; /* queued bytes; packets: their payload */
    uint64_t in;  /* bytes ever queued: heads keep their place among them */
    uint32_t packets, n_heads;
    uint8_t end;      /* the producer finished */
    uint8_t end_seen; /* the consumer was told */
    int32_t status;   /* != 0: it ended by this error */
};

struct ge_chunk *ge_chunk_new(struct ge_worker *w, uint32_t cap);
void ge_chunk_unref(struct ge_worker *w, struct ge_chunk *c);
struct gost_bytes ge_queue_first(const struct ge_queue *q);
const uint8_t *ge_queue_peek(struct ge_worker *w, struct ge_queue *q, size_t n);
void ge_queue_consume(struct ge_worker *w, struct ge_queue *q, size_t n);
uint8_t *ge_queue_reserve(struct ge_worker *w, struct ge_queue *q, size_t n, size_t *ret_room);
void ge_queue_commit(struct ge_worker *w, struct ge_queue *q, size_t n);
int ge_queue_append(struct ge_worker *w, struct ge_queue *q, const void *p, size_t n);
size_t ge_queue_move(struct ge_worker *w, struct ge_queue *to, struct ge_queue *from, size_t n);
int ge_queue_adopt(struct ge_worker *w, struct ge_queue *q, struct ge_chunk *c, uint32_t off,
                   uint32_t len);
void ge_seg_drop(struct ge_worker *w, struct ge_seg *s);
void ge_queue_splice_front(struct ge_queue *q,
                           struct ge_queue *front); /* front's content comes first */
void ge_limbo_release(struct ge_worker *w);
void ge_queue_clear(struct ge_worker *w, struct ge_queue *q);
int ge_queue_put_packet(struct ge_queue *q, const struct gost_packet *p);
int ge_queue_add_packet(struct ge_queue *q, struct ge_pkt *k); /* GOST_OK: it is the queue's */
struct ge_pkt *ge_queue_get_packet(struct ge_queue *q);
void ge_pkt_view(const struct ge_pkt *k, struct gost_packet *ret_packet);
int ge_queue_put_head(struct ge_queue *q, const struct gost_head *head);
struct ge_headq *ge_queue_get_head(struct ge_queue *q); /* NULL: none, or bytes come first */
size_t ge_queue_move_exchange(struct ge_worker *w, struct ge_queue *to, struct ge_queue *from,
                              size_t n, size_t *ret_bytes);

#define GE_PACKETS_MAX      1024u /* a read brings up to 16 of the kernel's trains of 45 */
#define GE_PACKET_BYTES_MAX (1u << 20)
#define GE_HEADS_MAX        32u

#define GE_LINGER_NS (5 * GOST_S) /* how long a finished stack waits for its peer's end */

/* ---- ports ---- */

enum ge_side { GE_HI, GE_LO }; /* HI: user above the level; LO: the layer below it */

struct gost_io {
    struct ge_level *lv;
    void *data;
    size_t want;
    uint8_t side;
    uint8_t full; /* the user was told GOST_FULL: wake it below the low mark */
};

struct ge_level {
    struct ge_stack *stack;
    struct ge_layer *below, *above;
    struct ge_queue up, down;
    struct gost_io hi, lo;
    struct ge_pkt *view_hi, *view_lo; /* packet whose views were handed out */
    struct ge_headq *head_hi, *head_lo;
    uint32_t type;
    uint8_t reserved_seg; /* a bottom chunk is lent out by ge_rx_reserve */
};

/* ---- instances: what runs plugin code ---- */

struct ge_block {
    struct ge_block *next;
    max_align_t data[];
};

struct ge_inst {
    const struct gost_component *comp;
    const void *conf;
    void *state;
    struct ge_worker *w;
    struct ge_flow *flow;
    struct ge_block *arena;
    size_t arena_bytes;
    struct ge_timer timer;
    const char *phase, *node;
    struct gost_target *target;
    struct gost_bytes arg;
    char *server_name;
    int32_t failed; /* first error, 0 none */
    uint8_t is_task, is_inspector, deadline_due;
    uint8_t role;
};

struct ge_layer {
    struct ge_inst inst; /* first */
    struct ge_stack *stack;
    struct ge_level *wire, *app; /* a session's app level carries no bytes: only its ends */
    struct ge_session *session;
    uint8_t opened, ready, dec, enc, dec_full, enc_full, shut_done, identity, ended;
};

struct ge_stack {
    struct ge_stack *rnext, **rprev; /* ready list */
    struct ge_worker *w;
    struct ge_flow *flow;
    const struct ge_bottom_ops *ops; /* NULL: pair or session */
    void *ctx;
    struct ge_level *top;
    struct ge_level bottom;
    struct ge_task *task;       /* the task whose port this is */
    struct ge_stack *peer;      /* pair */
    struct ge_session *session; /* the bottom is a stream of it */
    uint64_t code;              /* of gost_abort() here, or of the peer's reset */
    void (*on_ready)(struct ge_stack *s, void *arg, int status);
    void *on_ready_arg;
    struct ge_timer linger;
    uint64_t sent_at; /* lingering: when the bottom last took something */
    uint32_t port;
    int32_t status; /* a layer failed, or the bottom broke */
    uint8_t want, no_half_close, freed, lingering, running, abort, tx_shut_done, spliced;
    uint8_t segments; /* the bottom takes packets with `segment` */
    uint8_t owned;    /* a stream that the layer on top of its session works with */
    uint8_t ready_due, rx_paused, cut_short; /* cut_short: lingers, and then resets its stream */
    uint8_t resets;                          /* the bottom can tell a cut from an end */
};

/* Circular; next NULL: in no list. */
struct ge_link {
    struct ge_link *next, *prev;
};

/* A stream of a session. */
struct ge_stream {
    struct ge_stack stack;                    /* first: both are freed as one */
    struct ge_link all, queue, owed, waiting; /* queue: urgent, normal or aside */
    struct ge_stream *hnext;
    struct ge_request *arg; /* what it opens with; NULL: nothing */
    struct ge_dgram *dgram; /* the port of its datagrams; NULL: none */
    uint64_t id, credit, delivered, credited;
    size_t given_bytes; /* what was queued when stream_next gave it last */
    uint32_t given_heads, flags;
    uint8_t known, reset; /* known: the layer has it. reset: the peer did it */
    uint8_t stopped;      /* the peer wants no more of it: what the user sends is dropped */
    uint64_t stop_code;
};

struct ge_session {
    struct ge_layer *layer;
    struct ge_link streams;
    struct ge_link urgent, normal, aside; /* with something to send; aside: could not, this time */
    struct ge_link owed;                  /* their users consumed: the peer is owed credit */
    struct ge_link waiting;               /* opened by the peer, not yet reported; or with news */
    struct ge_stream *given;              /* by stream_next, last */
    struct ge_stream **buckets;
    size_t n_buckets, n_streams, limit;
    void (*accept)(struct ge_stack *session, void *arg, struct ge_stack *stream);
    void *accept_arg;
    void (*end)(struct ge_stack *session, void *arg, int status);
    void *end_arg;
    void (*change)(struct ge_stack *session, void *arg, unsigned what);
    void *change_arg;
    struct ge_request *requests, *asked, *answers; /* ours, the peer's, what our user said */
    uint32_t last_request;
    struct ge_dgram *dgram; /* the port of its own datagrams; NULL: none */
    struct ge_timer ping;
    uint64_t ping_ns;
    uint64_t heard, bytes, read_at, wrote_at; /* the last two: when it was not stuck */
    uint64_t served;  /* when a stream was last delivered something, or a ping answered */
    uint64_t code;    /* by which the layer above ended it */
    uint64_t refused; /* when its wire was told that nobody is there; 0: never */
    uint8_t peer_goaway, goaway_sent, quiet, news; /* news: GE_SESSION_*, to be told */
};

/* ---- tasks ---- */

struct ge_act {
    struct ge_act *next;
    const struct gost_action *a;
};

struct ge_res {
    struct ge_res *next;
    struct gost_event ev;
    /* text and result follow */
};

/* What a connector told of its bind, for after the step. */
struct ge_note {
    struct ge_note *next;
    uint32_t port; /* GE_BOUND: the address is ours, else who arrived at this port */
    struct gost_addr addr;
};
#define GE_BOUND UINT32_MAX

struct ge_pump {
    struct ge_pump *next;
    uint64_t left, moved;
    uint32_t tag;
    uint8_t from, to, relay, done, held, spliced, ret, last_eof;
    uint64_t spliced_at; /* `moved` when the last try was made */
};

struct ge_port {
    struct ge_stack *stack;
    uint32_t upgrade_tag;
    uint8_t readable, writable, eof_told, closed_told;
};

/* An inspector at work: its task gets no events of ports meanwhile. */
struct ge_inspect {
    struct ge_inst inst; /* first */
    struct ge_task *task;
    struct ge_inspect_spec spec;
    struct ge_timer limit;
    size_t seen; /* queued bytes when it looked last */
    uint8_t late, again;
};

struct ge_task {
    struct ge_inst inst; /* first */
    struct ge_task *rnext, **rprev;
    struct ge_task_spec spec;
    struct ge_port port[GOST_PORTS];
    struct ge_act *acts, **acts_tail, *running_acts;
    struct ge_res *results, **results_tail;
    struct ge_note *notes;
    struct ge_pump *pumps;
    struct ge_inspect *inspect; /* NULL: none */
    uint64_t activity, idle_ns;
    struct ge_timer idle;
    struct ge_timer limit; /* a pump waits for its rate */
    uint32_t tie, result_port, outstanding, relay_tag;
    uint8_t started, stepping, ended, cancel_due, idle_due, relay_return, relaying, relay_over,
        cancelled;
};

struct ge_worker {
    struct ge_embed embed;
    void *ctx;
    struct ge_chunk *pool[64];
    unsigned n_pool;
    struct ge_seg *seg_pool, *limbo; /* limbo: consumed while plugin code runs */
    unsigned in_step;
    struct ge_stack *ready_stacks, **ready_stacks_tail;
    struct ge_task *ready_tasks, **ready_tasks_tail;
    struct ge_usage usage;
    size_t high, low;
    int awake;
    struct ge_wheel *wheel;
};

extern _Thread_local struct ge_worker *ge_current;

/* worker.c */
void ge_stack_ready(struct ge_stack *s);
void ge_task_ready(struct ge_task *t);
void ge_stack_unready(struct ge_stack *s);
void ge_task_unready(struct ge_task *t);
/* timer.c */
struct ge_wheel *ge_wheel_new(uint64_t now);
void ge_wheel_free(struct ge_wheel *wheel);
/* stack.c */
void ge_stack_run(struct ge_stack *s);
void ge_stack_fail(struct ge_stack *s, int status);
void ge_up_produced(struct ge_level *lv);
void ge_up_consumed(struct ge_level *lv);
void ge_up_wanted(struct ge_level *lv); /* hi.want was raised */
void ge_down_produced(struct ge_level *lv);
void ge_down_consumed(struct ge_level *lv);
void ge_level_end_up(struct ge_level *lv, int status);
void ge_level_end_down(struct ge_level *lv);
void ge_stack_init(struct ge_stack *s, struct ge_flow *flow, uint32_t type);
/* bottom.c */
void ge_bottom_sent(struct ge_stack *s);
/* inst.c */
int ge_inst_init(struct ge_inst *in, struct ge_worker *w, const struct gost_component *c,
                 const void *conf, struct ge_flow *flow, const struct gost_target *target,
                 struct gost_bytes arg, const char *node);
int ge_inst_failv(struct ge_inst *in, int code, const char *fmt, va_list ap) GOST_PRINTF(3, 0);
void ge_host_set_more(const struct gost_host *more);
void ge_inst_fini(struct ge_inst *in, void (*destroy)(void *state));
void *ge_inst_alloc(struct ge_inst *in, size_t n);
struct ge_inst *ge_io_inst(struct gost_io *io);
/* session.c */
struct ge_session *ge_session_new(struct ge_layer *l);
struct ge_session *ge_session_of(const struct ge_stack *stack); /* NULL: its top is none */
struct ge_session *ge_session_of_layer(struct gost_io *io);     /* NULL: io is no layer's */
const struct gost_session_ops *ge_session_ops(const struct ge_session *x);
void ge_session_free(struct ge_session *x);
void ge_session_run(struct ge_session *x);
void ge_session_tell(struct ge_stack *stack);
void ge_session_fail(struct ge_session *x, int status);
int ge_session_over(const struct ge_session *x);
struct gost_io *ge_stream_new(struct gost_io *io, uint64_t id, uint32_t flags);
struct gost_io *ge_stream_next(struct gost_io *io);
struct gost_io *ge_stream_port(struct gost_io *io, uint64_t id);
uint64_t ge_stream_id(struct gost_io *s);
void ge_stream_set_credit(struct gost_io *s, uint64_t bytes);
void ge_stream_reset(struct gost_io *s, uint64_t code);
void ge_stream_stop(struct gost_io *s, uint64_t code);
void ge_session_goaway(struct gost_io *io);
void ge_session_alive(struct gost_io *io);
void ge_stream_changed(struct ge_stack *s);
void ge_stream_delivered(struct ge_stack *s, size_t n);
void ge_stream_sent(struct ge_stack *s, size_t n);
void ge_stream_end_seen(struct ge_stack *s);
void ge_stream_close(struct ge_stack *s, int abort);
void ge_session_enter(struct ge_session *x, const char *phase); /* around a call of the layer */
int ge_session_leave(struct ge_session *x, int r);
void ge_session_wake(struct ge_session *x);
int ge_session_open_used(struct ge_session *x, uint32_t flags, struct ge_stack **ret_stream);
struct ge_stream *ge_session_news(struct ge_session *x);
void ge_stream_news(struct ge_stack *s);
/* session_use.c: a layer on top of a session */
struct ge_layer *ge_session_user(const struct ge_session *x); /* NULL: none */
void ge_session_user_wake(struct ge_session *x);
struct gost_io *ge_wire_open(struct gost_io *io, uint32_t flags);
struct gost_io *ge_wire_next(struct gost_io *io);
uint32_t ge_wire_state(struct gost_io *s, uint64_t *ret_code);
void ge_wire_leave(struct gost_io *s);
void ge_wire_reset(struct gost_io *s, uint64_t code);
int ge_wire_datagram(struct gost_io *io, struct gost_bytes data);
void ge_wire_end(struct gost_io *io, uint64_t code);
uint64_t ge_session_code(struct gost_io *io);
int ge_session_used(struct gost_io *io);
/* session_request.c */
void ge_act_request(struct ge_task *t, const struct gost_act_request *a);
void ge_requests_fail(struct ge_session *x, int status);
void ge_requests_free(struct ge_session *x);
void ge_requests_refuse(struct ge_session *x);
void ge_requests_run(struct ge_session *x);
struct ge_res *ge_request_event(struct ge_session *x);
int ge_session_request(struct gost_io *io, uint32_t tag, struct gost_bytes name,
                       struct gost_bytes payload);
void ge_session_reply(struct gost_io *io, uint32_t tag, int status, struct gost_bytes payload);
int ge_stream_keep_arg(struct ge_stream *st, struct gost_bytes arg);
int ge_stream_set_arg(struct gost_io *s, struct gost_bytes arg);
struct gost_bytes ge_stream_arg(struct gost_io *s);
/* session_dgram.c */
void ge_dgram_end(struct ge_dgram **place);
void ge_act_datagrams(struct ge_task *t, const struct gost_act_datagrams *a);
int ge_session_datagram(struct gost_io *io, struct gost_io *s, struct gost_bytes data);
/* task.c */
void ge_task_run(struct ge_task *t);
/* inspect.c */
void ge_inspect_run(struct ge_task *t);
void ge_inspect_free(struct ge_task *t);
void ge_task_port_event(struct ge_task *t, uint32_t port, struct ge_stack *s);
void ge_task_finish(struct ge_task *t, int status);
void ge_task_note(struct gost_io *io, uint32_t port, const struct gost_addr *addr);
/* action.c */
int ge_act_queue(struct ge_task *t, const struct gost_action *a);
void ge_act_dispatch(struct ge_task *t);
void ge_act_free_all(struct ge_task *t);
int ge_act_give_stream(struct ge_task *t, uint32_t port, struct ge_stack *s);
void ge_act_no_streams(struct ge_task *t, uint32_t port, int status);
/* pump.c */
int ge_pump_start(struct ge_task *t, const struct gost_action *a);
void ge_pumps_run(struct ge_task *t);
/* limit.c: the buckets of a direction of a flow, together. */
int ge_limited(const struct ge_flow *f, int direction);
uint64_t ge_limits_room(const struct ge_flow *f, int direction, uint64_t now, uint64_t *ret_at);
void ge_limits_charge(struct ge_flow *f, int direction, uint64_t now, uint64_t amount);

int ge_pumping_from(const struct ge_task *t, uint32_t port);
void ge_pumps_free(struct ge_task *t);

#define GE_OP(ops, type, field)                                                              \
    (((const type *)(ops))->size >= offsetof(type, field) + sizeof(((const type *)0)->field) \
         ? ((const type *)(ops))->field                                                      \
         : 0)

#endif
