/* engine.h - the sans-IO engine: queues, stacks, tasks, pump, timers. Used by host and test kit. */
/* SPDX-License-Identifier: MIT */
#ifndef GE_ENGINE_H
#define GE_ENGINE_H

#include <stdatomic.h>
#include <sys/uio.h>

#include <gost/plugin.h>

/* Which plugin code this thread runs, for the last line of a crash. */
extern _Thread_local const char *volatile ge_running_component, *volatile ge_running_phase;
extern _Thread_local uint32_t volatile ge_running_kind; /* of the component; 0: any */

static inline void ge_running(const char *component, uint32_t kind, const char *phase)
{
    ge_running_component = component;
    ge_running_kind = kind;
    ge_running_phase = phase;
}

static inline void ge_running_end(void)
{
    ge_running_component = ge_running_phase = NULL;
}

/*
 * Everything here belongs to one worker and is called on its thread only, unless marked [any].
 * The engine makes no system calls but malloc and free. Nothing in it calls the embedder back
 * inside a call of the embedder, except ge_run() and ge_timers_run(): those are where plugin code
 * and callbacks run.
 *
 *   ge_worker   one thread's pools, timers and list of things ready to run
 *   ge_stack    a stack of layers over a bottom end that the embedder moves bytes through
 *   ge_task     one handler or connector instance with its ports; each port is the top of a stack
 *   ge_flow     the record shared by the tasks and stacks of one connection
 */

struct ge_worker;
struct ge_stack;
struct ge_task;
struct ge_flow;

/* ---- what the embedder (host or test kit) gives ---- */

struct ge_layer_choice {
    const struct gost_component *component; /* NULL: not found */
    const void *conf;                       /* borrowed, outlives the stack */
};

struct ge_embed {
    uint64_t (*now)(void *ctx);
    uint64_t (*unix_time)(void *ctx);
    void (*random)(void *ctx, void *p, size_t n);
    void (*log)(void *ctx, struct ge_flow *flow, int level,
                const char *text); /* one finished line */
    /* Perform an action. All memory of `a` lives until the embedder calls ge_result() for it, or
     * the
     * task ends (the embedder learns of that by cancel()). DIAL, BIND, ACCEPT, ASSOCIATE, AUTH,
     * ASK,
     * SELECT, RESOLVE, HANDOFF, SPAWN, STREAM_OPEN, FILE, RECORD come here; the engine does
     * UPGRADE,
     * DOWNGRADE, PUMP, RELAY, TIE itself, and ACCEPT and STREAM_OPEN from a port that is a
     * session. */
    void (*act)(void *ctx, struct ge_task *task, const struct gost_action *a);
    /* The task ends with actions outstanding: forget them, call no ge_result for this task. */
    void (*cancel)(void *ctx, struct ge_task *task);
    /* Find the layer an UPGRADE names, configured for this task. text: fill on failure. */
    struct ge_layer_choice (*find_layer)(void *ctx, struct ge_task *task, struct gost_bytes name,
                                         uint32_t role);
    /* A connector's gost_bound() and gost_accepted(), after the step that called them: the task's
     * `port` is the stream that arrived, for ge_task_take(). What is not taken stays the
     * connector's. NULL: nobody wants to know. */
    void (*bound)(void *ctx, struct ge_task *task, const struct gost_addr *addr);
    void (*accepted)(void *ctx, struct ge_task *task, uint32_t port, const struct gost_addr *peer);
    /* Things became ready: call ge_run() soon, not from inside this call. */
    void (*wake)(void *ctx);
    /* Both stacks are identity down to their bottoms and the direction moved `moved` bytes so
     * far: may
     * the embedder take over (splice)? 1: it does and ends with ge_pump_resume(). NULL: never. */
    int (*splice)(void *ctx, struct ge_stack *from, struct ge_stack *to, uint64_t moved,
                  uint64_t left);
    /* remaining functions of struct gost_host that the engine does not implement itself (endpoints,
     * shared tables, policy sources, query): copied into the worker's table. NULL: none. */
    const struct gost_host *more;
};

struct ge_worker *ge_worker_new(const struct ge_embed *embed, void *ctx);
void ge_worker_free(struct ge_worker *w);  /* all flows, stacks and tasks must be gone */
struct ge_worker *ge_worker_current(void); /* the one running on this thread */
void ge_worker_enter(struct ge_worker *w); /* it runs here from now on; ge_run() says so, too */
uint64_t ge_now(struct ge_worker *w);

/* Run what is ready, at most `budget` steps. 1: more is ready. */
int ge_run(struct ge_worker *w, unsigned budget);

/* Ask a layer that attaches by key whose packet it is: enum gost_route_verdict. */
int ge_route(struct ge_worker *w, const struct gost_component *layer, const void *conf,
             const struct gost_packet *p, struct gost_route_key *ret_key, uint8_t *reply,
             size_t *ret_reply_n);

/* The task whose port io is, for embed.more functions; NULL: a layer's. */
struct ge_task *ge_io_task(struct gost_io *io);
struct ge_stack *
ge_io_stack(struct gost_io *io); /* the port's stack; of a session's stream: the stream */

/* The table given to plugins: the same for all workers. Set *plugin->host to it. [any] */
const struct gost_host *ge_host_table(void);
void ge_set_log_level(int level); /* [any] */
int ge_log_level(void);           /* [any] */

/* Counters and limits of a worker, for budgets and tests. */
struct ge_usage {
    size_t chunks, chunk_bytes, idle_chunks, stacks, tasks, flows, timers;
};
void ge_worker_usage(const struct ge_worker *w, struct ge_usage *ret_usage);

/* Queue marks of stacks made from now on: stop reading above high, go on below low. */
void ge_worker_marks(struct ge_worker *w, size_t high, size_t low);

/*
 * ---- timers: one hierarchical wheel ----
 * Ordinary timers fire at multiples of 10 ms, so that many of them share one wake-up; a fine one
 * (layers that measure round trips) at the next millisecond.
 */

struct ge_timer {
    struct ge_timer *next, **prev; /* NULL prev: not running */
    uint64_t at;
    void (*fire)(struct ge_timer *t);
};
void ge_timer_start(struct ge_worker *w, struct ge_timer *t, uint64_t at_ns); /* restarts */
void ge_timer_start_fine(struct ge_worker *w, struct ge_timer *t, uint64_t at_ns);
void ge_timer_stop(struct ge_worker *w, struct ge_timer *t); /* harmless if idle */
uint64_t
ge_timers_next(const struct ge_worker *w); /* when to call ge_timers_run; UINT64_MAX: never */
void ge_timers_run(struct ge_worker *w);   /* fires all that are due at now() */

/* ---- limits ---- */

/*
 * A rate, shared by any number of flows on all workers. The embedder owns it, sets rate and burst
 * at any time (amount per second, amount at once; rate 0: no limit) and keeps it while a flow
 * points to it. Amounts are bytes for the pump, anything for others. [any]
 */
struct ge_bucket {
    _Atomic uint64_t used; /* private: the time up to which it is used up */
    _Atomic uint64_t rate, burst;
};
/* What may pass now; UINT64_MAX: anything. 0: *ret_at (may be NULL) says when to look again. */
uint64_t ge_bucket_room(const struct ge_bucket *b, uint64_t now, uint64_t *ret_at);
/* It passed. More than the room is fine: it is missing afterwards. */
void ge_bucket_charge(struct ge_bucket *b, uint64_t now, uint64_t amount);

#define GE_LIMITS      4
#define GE_FROM_CLIENT 0
#define GE_TO_CLIENT   1

/* ---- flow record ---- */

/* Reference counted: tasks and stacks hold one each. Fields are set by the embedder and by
 * layers. */
struct ge_flow {
    uint32_t refs;
    uint32_t network;
    uint64_t id;
    struct ge_worker *worker;
    void *ctx;           /* the embedder's own record; borrowed */
    const char *service; /* borrowed, outlives the flow */
    const char *user, *alpn, *server_name, *sniffed_protocol, *sniffed_host,
        *version; /* NULL: none; owned */
    uint32_t secure, source_set;
    struct gost_addr source, destination, original, remote, local;
    int source_changed; /* set by gost_set_source; the embedder clears it after admission */
    int status;         /* first failure: enum gost_error; 0 none */
    char *error;        /* its sentence, owned; NULL none */
    const char *phase;  /* what was being waited for then; literal */
    char component[32]; /* which component failed */
    uint64_t rx, tx;    /* bytes from and to the client, counted by the pump and bottom of port 0 */
    uint64_t rx_spliced, tx_spliced; /* of these, what the embedder's splice moved */
    /* Of what the pump moves from and to port 0, GE_FROM_CLIENT and GE_TO_CLIENT; ends with NULL.
     * A direction with limits is never spliced. Borrowed. */
    struct ge_bucket *limit[2][GE_LIMITS];
};
struct ge_flow *ge_flow_new(struct ge_worker *w);
struct ge_flow *ge_flow_ref(struct ge_flow *f);
void ge_flow_unref(struct ge_flow *f);
void ge_flow_fail(struct ge_flow *f, int status, const char *component, const char *fmt, ...)
    GOST_PRINTF(4, 5); /* first call wins */

/* ---- stacks ---- */

#define GE_WANT_READ  1u /* there is room for input: read (was full before, or is new) */
#define GE_WANT_WRITE 2u /* output is queued, or an end or abort is to be sent */

struct ge_bottom_ops {
    /* Something to do for the embedder, GE_WANT_*. Comes from ge_run() only. */
    void (*want)(struct ge_stack *s, void *ctx, unsigned what);
    /* The stack is being freed: forget it, close the descriptor. abort: reset instead of FIN. */
    void (*close)(struct ge_stack *s, void *ctx, int abort);
};

/* type: GOST_STREAM or GOST_DATAGRAM of the bottom. The stack belongs to whoever holds it: the
 * caller,
 * then the task whose port it becomes. */
struct ge_stack *ge_stack_new(struct ge_flow *flow, uint32_t type, const struct ge_bottom_ops *ops,
                              void *ctx);
void ge_stack_free(struct ge_stack *s, int abort); /* calls close() once */
/* Its bottom tells an end from a cut, and passes on ge_stack_code(): where a relay breaks off it is
 * closed without our end, after what was still to be sent, as streams of sessions are. */
void ge_stack_resets(struct ge_stack *s);
/* It has no half-close: as GOST_LAYER_NO_HALF_CLOSE of a layer. */
void ge_stack_no_half_close(struct ge_stack *s);
/* The holder is finished with it: send what is queued, end our direction, let the peer end its
 * own for
 * at most 5 s, then free. A session waits for its streams. */
void ge_stack_linger(struct ge_stack *s);
void *ge_stack_ctx(struct ge_stack *s);
const struct ge_bottom_ops *
ge_stack_bottom_ops(const struct ge_stack *s); /* as given; NULL: pair, stream */
struct ge_flow *ge_stack_flow(struct ge_stack *s);
void ge_stack_set_flow(struct ge_stack *s, struct ge_flow *flow);

/* Input side of a stream bottom: reserve room, read into it, commit. reserve gives 0 bytes when the
 * queue is above its high mark. A chunk is borrowed from the pool only between reserve and empty.
 * */
struct gost_bytes ge_rx_reserve(struct ge_stack *s); /* writable although the view is const */
void ge_rx_commit(struct ge_stack *s, size_t n);     /* n may be 0: gives the room back */
int ge_rx_wanted(const struct ge_stack *s);     /* 1: below the high mark and somebody listens */
void ge_rx_end(struct ge_stack *s, int status); /* 0: EOF; else enum gost_error: broken */
/* Output side of a stream bottom. */
int ge_tx_iov(struct ge_stack *s, struct iovec *iov, int max); /* returns how many are filled */
void ge_tx_consume(struct ge_stack *s, size_t n);
int ge_tx_shut(
    const struct ge_stack *s); /* 1: all is sent and our direction is to be ended (FIN) */
void ge_tx_shut_done(struct ge_stack *s);
/* Datagram bottoms. Received packets above the queue's cap are dropped (GOST_FULL). */
int ge_rx_packet(struct ge_stack *s, const struct gost_packet *p);
/* A datagram was answered by "nobody is there". It ends nothing. */
void ge_rx_refused(struct ge_stack *s);
int ge_tx_packet(struct ge_stack *s,
                 struct gost_packet *ret_p); /* GOST_AGAIN: none; valid until drop */
void ge_tx_packet_drop(struct ge_stack *s);  /* sent or given up: the next one */
/* The first of those that wait, for one system call; valid until drop. Returns how many. */
unsigned ge_tx_packets(struct ge_stack *s, struct gost_packet *v, unsigned max);
/* Whether the bottom can send packets with `segment` set; if not (as at first) the engine takes
 * them apart. */
void ge_stack_take_segments(struct ge_stack *s, int yes);

/*
 * Crossing workers: what a bottom has to send, detached from its worker. Chunks go along where
 * nobody else points into them, else they are copied; the receiver must synchronise with the sender
 * (a lock, a posted message).
 */
struct ge_parcel;
/* At most `max` bytes (GOST_DATAGRAM: packets) of what is to be sent. NULL: there is nothing, or no
 * memory. Only from want() or close(), and where no plugin code runs. */
struct ge_parcel *ge_parcel_take(struct ge_stack *s, size_t max);
/* Appends it to what the bottom received. GOST_OK: the parcel is gone. GOST_FULL (packets) or
 * GOST_ENOMEM: what is left in it is still the caller's; want() says when to go on. */
int ge_parcel_give(struct ge_stack *s, struct ge_parcel *p);
void ge_parcel_free(struct ge_parcel *p);               /* [any] */
struct ge_parcel **ge_parcel_next(struct ge_parcel *p); /* a link of the holder's [any] */
size_t ge_parcel_bytes(const struct ge_parcel *p);      /* [any] */
uint32_t ge_parcel_packets(const struct ge_parcel *p);  /* [any] */
/* The code of a gost_abort(), or of the reset that ended it; and giving one with ge_rx_end(). */
uint64_t ge_stack_code(const struct ge_stack *s);
void ge_rx_reset(struct ge_stack *s, int status, uint64_t code);

/* Layers. push: on the top; bytes queued at the top become its input. spec fields are copied. */
struct ge_layer_spec {
    const struct gost_component *component;
    const void *conf; /* borrowed */
    uint32_t role;
    uint32_t reserved;
    struct gost_target target; /* what it will reach: for SNI */
    struct gost_bytes server_name, arg;
    const char *node; /* "hop-0/node-1", literal or outliving the stack; NULL none */
};
int ge_stack_push(struct ge_stack *s, const struct ge_layer_spec *spec);
/* Tell once when all pushed layers are through their handshake (status 0) or one failed. */
void ge_stack_on_ready(struct ge_stack *s, void (*ready)(struct ge_stack *s, void *arg, int status),
                       void *arg);
uint32_t ge_stack_top_type(const struct ge_stack *s);
int ge_stack_identity(
    const struct ge_stack *s); /* no layer transforms anything and no bytes are queued */
/* The port at the top, for an embedder that speaks itself (tests, the test kit). */
struct gost_io *ge_stack_io(struct ge_stack *s);
const char *ge_stack_layer_name(const struct ge_stack *s); /* topmost unfinished layer; "" */

/* Two stacks whose bottoms are each other, for session streams, the bridge and tests. */
void ge_stack_pair(struct ge_flow *flow, uint32_t type, struct ge_stack **ret_a,
                   struct ge_stack **ret_b);

/*
 * A stream of a session layer becomes a stack of its own (its bottom is the session): free it,
 * linger it or
 * make it a task's port like any other, before or after its session. Opening, freeing, lingering
 * and pinging
 * call the session layer at once; all callbacks come from ge_run().
 *
 * Peer-opened streams are reported to `accept`, which owns them. Without it: a session that is a
 * task's port
 * keeps them for its ACCEPT actions; any other resets them. None is reported before
 * ge_stack_on_ready() is told.
 */
void ge_session_on_stream(struct ge_stack *session,
                          void (*accept)(struct ge_stack *session, void *arg,
                                         struct ge_stack *stream),
                          void *arg);
/* Tell once when nothing more can come of it: it failed (status; its streams were told the same),
 * or it
 * drained and all is encoded (0), or its peer left while it had no streams (0). The stack is
 * still the
 * holder's: ge_stack_linger() or ge_stack_free(). */
void ge_session_on_end(struct ge_stack *session,
                       void (*end)(struct ge_stack *session, void *arg, int status), void *arg);
/* GOST_OK; GOST_AGAIN: its handshake is not over; GOST_FULL: no more streams now; GOST_ECLOSED: it
 * ended or drains; else the layer's error. */
int ge_session_open(struct ge_stack *session, struct ge_flow *flow, uint32_t flags,
                    struct ge_stack **ret_stream);
/* The same for a stream that opens with `arg`: gost_stream_arg() of the layer. */
int ge_session_open_arg(struct ge_stack *session, struct ge_flow *flow, uint32_t flags,
                        struct gost_bytes arg, struct ge_stack **ret_stream);
/* Fail the session with GOST_ETIMEDOUT unless its peer answers within that time.
 * GOST_EUNSUPPORTED: the
 * layer has no ping. One at a time: a second call while one is under way is GOST_OK and changes
 * nothing. */
int ge_session_ping(struct ge_stack *session, uint64_t timeout_ns);
/* No new streams either way; the peer is told. When the last one ended the wire is ended:
 * on_end(). */
void ge_session_drain(struct ge_stack *session);
void ge_session_limit(struct ge_stack *session,
                      size_t streams); /* at once, both ways; default 4096 */
/* Tell what happens to it, for a pool of sessions. Not told any more once it lingers. */
#define GE_SESSION_ALIVE 1u /* a ping was answered */
#define GE_SESSION_EMPTY 2u /* its last stream is gone */
void ge_session_on_change(struct ge_stack *session,
                          void (*change)(struct ge_stack *session, void *arg, unsigned what),
                          void *arg);
uint64_t ge_session_heard(const struct ge_stack *session); /* gost_now() of the last input */
/* gost_now() of the last bytes that a stream was given, or of the last answer to a ping: input that
 * means something, which a stranger's packets do not; 0: none yet. */
uint64_t ge_session_served(const struct ge_stack *session);
/* Whether, since the last input, its wire was told that nobody is at the other end. */
int ge_session_refused(const struct ge_stack *session);
/* How long its layer could not read, or the wire would take nothing; 0: neither is so. */
uint64_t ge_session_stuck(const struct ge_stack *session);
uint64_t ge_session_bytes(const struct ge_stack *session); /* ever, both ways, of all streams */
size_t ge_session_streams(const struct ge_stack *session);
int ge_session_draining(const struct ge_stack *session);

/* ---- tasks ---- */

struct ge_task_spec {
    const struct gost_component *component; /* HANDLER, CONNECTOR, SOURCE or REMOTE */
    const void *conf;
    struct ge_flow *flow;
    void *ctx;                        /* the embedder's own, ge_task_ctx() */
    const struct gost_target *target; /* connector; copied. NULL none */
    uint32_t verb;                    /* connector: GE_CONNECT, GE_ASSOCIATE, GE_BIND */
    const char *node;                 /* for messages; outlives the task; NULL none */
    struct gost_bytes arg;            /* copied */
    /* The task ended. status 0: done (connector: connected), else enum gost_error; the text is in
     * the
     * flow. Ports still open are the embedder's to take (ge_task_take) or are closed after this
     * call:
     * flushed when status is 0 or the port is 0. The task is freed afterwards. */
    void (*done)(struct ge_task *t, void *ctx, int status);
};
enum ge_verb { GE_CONNECT = 1, GE_ASSOCIATE = 2, GE_BIND = 3 };

struct ge_task *ge_task_new(const struct ge_task_spec *spec,
                            struct ge_stack *port0); /* START is queued */
void ge_task_cancel(struct ge_task *t, int status);  /* destroy now; done() is not called */
void ge_task_event_cancel(struct ge_task *t);        /* GOST_EV_CANCEL: please finish */
void *ge_task_ctx(struct ge_task *t);
struct ge_flow *ge_task_flow(struct ge_task *t);
const struct ge_task_spec *ge_task_spec(const struct ge_task *t);
struct ge_stack *ge_task_port(struct ge_task *t, uint32_t port);
struct ge_stack *ge_task_take(struct ge_task *t, uint32_t port); /* the port becomes empty */
uint32_t ge_task_result_port(const struct ge_task *t);           /* gost_result_port(), default 0 */
int ge_port_open(struct ge_task *t, uint32_t port,
                 struct ge_stack *s); /* before ge_result of DIAL */
/* Answer an action. result and text are copied. Queued: plugin code runs in ge_run(). */
void ge_result(struct ge_task *t, uint32_t kind, uint32_t tag, int status, const char *text,
               const void *result, size_t result_size);
uint64_t ge_task_last_activity(const struct ge_task *t); /* gost_now() of the last byte moved */

/* The embedder's splice for this direction ended: `moved` more bytes went; eof as for ge_rx_end;
 * the pump
 * goes on. status != 0: broken. */
/* The embedder's splice moved bytes and goes on: they count, and the flow is not idle. */
void ge_pump_progress(struct ge_stack *from, struct ge_stack *to, uint64_t moved);
void ge_pump_resume(struct ge_stack *from, struct ge_stack *to, uint64_t moved, int eof,
                    int status);

/* ---- inspectors: a component of kind INSPECTOR looks at what a port has received ---- */

struct ge_inspect_spec {
    const struct gost_component *component;
    const void *conf; /* borrowed, outlives the task */
    uint32_t port;
    uint64_t timeout_ns; /* 0: none */
    void *arg;
    /* GOST_OK: it decided, gost_set_sniffed() has filled the flow. GOST_AGAIN: it gave up, because
     * of its limit, the time, the client's end, or because another port got bytes before the client
     * sent any. Negative: it failed. Comes once, unless the task ends before. */
    void (*done)(struct ge_task *t, void *arg, int found);
};

/* The task gets no events about ports until done() was called. Bytes stay queued. */
int ge_task_inspect(struct ge_task *t, const struct ge_inspect_spec *spec);

/* ---- options: binding a configuration to a component's table [main] ---- */

struct ge_kv {        /* one given option */
    const char *key;  /* "auth.username", "readTimeout" */
    const char *text; /* scalar as text; NULL: list or map below */
    const char *const *list;
    uint32_t n_list;
    const struct gost_pair *map;
    uint32_t n_map;
    const char *place; /* "gost.yml:12", "-L #1" */
    int used;          /* out: an option claimed it */
};
struct ge_conf; /* an owned conf object with its arena */
/* Fill defaults, apply values, check ranges and files, call prepare(). GOST_OK or an error with
 * every problem reported through report(): status, GOST_OK for a warning, and a text that names
 * value, place, range, remedy. role: GOST_OPT_SERVER or GOST_OPT_CLIENT filter. Keys no option
 * knows stay with used == 0: the caller decides. */
int ge_conf_new(struct ge_conf **ret_conf, const struct gost_component *c, uint32_t role,
                const char *object, struct ge_kv *kv, uint32_t n,
                void (*report)(void *arg, int status, const char *text), void *arg);
const void *ge_conf_data(const struct ge_conf *c);
void ge_conf_free(struct ge_conf *c); /* release(), wipe secrets */
/* The field of conf that the option of this name and type fills; NULL: the component has none. */
const void *ge_opt_field(const struct gost_component *c, const void *conf, const char *name,
                         uint32_t type);
int ge_parse_duration(const char *text, uint64_t *ret_ns);
int ge_parse_size(const char *text, uint64_t *ret_bytes);

#endif
