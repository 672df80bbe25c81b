/* host.h - the services of the host: one append-only function table and its wrappers. */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HOST_H
#define GOST_HOST_H

#include <stdarg.h>

#include <gost/action.h>
#include <gost/component.h>
#include <gost/policy.h>
#include <gost/session.h>
#include <gost/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gost_log_level {
    GOST_LOG_TRACE = 0,
    GOST_LOG_DEBUG = 1,
    GOST_LOG_INFO = 2,
    GOST_LOG_WARN = 3,
    GOST_LOG_ERROR = 4,
    GOST_LOG_FATAL = 5
};

/* The flow record as a component sees it. Borrowed, valid during the step. */
struct gost_flow {
    uint32_t size;
    uint32_t role; /* enum gost_role of port 0 */
    uint64_t id;
    const char *service;                 /* name; "" when none */
    const char *user;                    /* client id after AUTH; "" before */
    const char *node;                    /* connectors and dialer layers: "hop-0/node-1"; else "" */
    const struct gost_addr *source;      /* the client, PROXY protocol taken into account */
    const struct gost_addr *destination; /* what the client meant to reach here (our own address) */
    const struct gost_addr
        *original;                  /* redirected: where it really wanted to go; family NONE else */
    const struct gost_addr *remote; /* peer of the socket under port 0 */
    const struct gost_addr *local;  /* our end of it */
    const char *alpn;               /* negotiated by a layer below; "" when none */
    const char *server_name; /* asked for by the client in TLS, or to be verified by us; "" */
    uint32_t secure;         /* 1: a layer with GOST_LAYER_SECURE lies below */
    uint32_t network;        /* enum gost_network of port 0 */
};

/* What a layer with certificates tells about its peer. All views are copied. */
struct gost_secure {
    uint32_t size;
    uint32_t resumed;
    struct gost_bytes alpn, server_name, version, cipher;
    struct gost_bytes peer_subject;     /* empty when the peer showed no certificate */
    struct gost_bytes peer_fingerprint; /* SHA-256 of the certificate */
};

/* What an inspector found. */
struct gost_sniffed {
    uint32_t size;
    uint32_t reserved;
    struct gost_bytes protocol; /* "tls", "http", "ssh", "socks4", "socks5", ... */
    struct gost_bytes host;     /* server name or Host with its port, "a.org:443"; may be empty */
};

/* What CONNECTOR and layer steps are to reach. */
struct gost_target {
    uint32_t size;
    uint32_t network; /* enum gost_network */
    struct gost_addr addr;
};

/*
 * The table. Append only; `size` says how much of it this host has. A plugin whose needed minor is
 * at or below the host's may call everything of that minor without asking; the wrappers below check
 * nothing else. Every call with an io is [worker] and belongs to the running step.
 */
struct gost_host {
    uint32_t size;
    uint16_t abi_minor, reserved;
    const volatile int32_t
        *log_level; /* current level, read relaxed: calls below it cost nothing */

    /* ports: bytes */
    struct gost_bytes (*rx)(struct gost_io *io);
    const uint8_t *(*peek)(struct gost_io *io, size_t n);
    void (*consume)(struct gost_io *io, size_t n);
    void (*want)(struct gost_io *io, size_t n);
    size_t (*rx_len)(struct gost_io *io);
    int (*rx_eof)(struct gost_io *io);
    int (*send)(struct gost_io *io, const void *p, size_t n);
    uint8_t *(*reserve)(struct gost_io *io, size_t n);
    void (*commit)(struct gost_io *io, size_t n);
    size_t (*tx_room)(struct gost_io *io);
    size_t (*tx_len)(struct gost_io *io);
    size_t (*move)(struct gost_io *to, struct gost_io *from, size_t n);
    void (*shut)(struct gost_io *io);
    void (*abort)(struct gost_io *io, uint64_t code);

    /* ports: packets and heads */
    int (*packet_recv)(struct gost_io *io, struct gost_packet *ret_packet);
    int (*packet_send)(struct gost_io *io, const struct gost_packet *packet);
    int (*head_recv)(struct gost_io *io, struct gost_head *ret_head);
    int (*head_send)(struct gost_io *io, const struct gost_head *head);

    /* ports: structure */
    struct gost_io *(*port)(struct gost_io *io, uint32_t n);
    uint32_t (*type)(struct gost_io *io);
    void (*identity)(struct gost_io *io);
    void *(*data)(struct gost_io *io);
    void (*set_data)(struct gost_io *io, void *data);

    /* the flow */
    const struct gost_flow *(*flow)(struct gost_io *io);
    const struct gost_target *(*target)(struct gost_io *io);
    struct gost_bytes (*arg)(struct gost_io *io);
    void (*set_source)(struct gost_io *io, const struct gost_addr *src,
                       const struct gost_addr *dst);
    void (*set_secure)(struct gost_io *io, const struct gost_secure *info);
    void (*set_sniffed)(struct gost_io *io, const struct gost_sniffed *info);
    void (*set_phase)(struct gost_io *io, const char *phase);
    int (*failv)(struct gost_io *io, int code, const char *fmt, va_list args);
    void (*logv)(struct gost_io *io, int level, const char *fmt, va_list args);
    void *(*alloc)(struct gost_io *io, size_t n);
    int (*act)(struct gost_io *io, const struct gost_action *action);
    void (*set_deadline)(struct gost_io *io, uint64_t at_ns);

    /* time and chance */
    uint64_t (*now)(void);
    uint64_t (*unix_time)(void);
    void (*random)(void *p, size_t n);

    /* sessions */
    struct gost_io *(*stream_new)(struct gost_io *io, uint64_t id, uint32_t flags);
    struct gost_io *(*stream_next)(struct gost_io *io);
    struct gost_io *(*stream_port)(struct gost_io *io, uint64_t id);
    uint64_t (*stream_id)(struct gost_io *s);
    void (*stream_set_credit)(struct gost_io *s, uint64_t bytes);
    void (*stream_reset)(struct gost_io *s, uint64_t code);
    void (*session_goaway)(struct gost_io *io);
    void (*session_alive)(struct gost_io *io);
    void (*session_reply)(struct gost_io *io, uint32_t tag, int status, struct gost_bytes payload);
    int (*session_datagram)(struct gost_io *io, struct gost_io *s, struct gost_bytes data);

    /* connectors: bind */
    void (*bound)(struct gost_io *io, const struct gost_addr *addr);
    void (*accepted)(struct gost_io *io, struct gost_io *s, const struct gost_addr *peer);
    void (*result_port)(struct gost_io *io, uint32_t port);

    /* policies */
    void (*source_data)(struct gost_io *io, struct gost_bytes data);
    const void *(*question)(struct gost_io *io);
    void (*answer)(struct gost_io *io, const void *answer);

    /* across workers: endpoints and shared tables */
    int (*endpoint_add)(struct gost_io *io, const char *kind, struct gost_bytes key,
                        uint32_t weight);
    void (*endpoint_remove)(struct gost_io *io, const char *kind, struct gost_bytes key);
    int (*table_get)(const char *table, struct gost_bytes key, void *ret_value, size_t value_size);
    int (*table_put)(const char *table, struct gost_bytes key, const void *value, size_t value_size,
                     uint64_t ttl_ns, int only_new);

    /* growth by name: "vendor.thing/1"; NULL when this host does not have it */
    const void *(*query)(const char *id);

    /* since minor 2 */
    void (*stream_stop)(struct gost_io *s, uint64_t code);
    int (*key_add)(struct gost_io *io, struct gost_bytes key);
    void (*key_remove)(struct gost_io *io, struct gost_bytes key);
    void *(*worker_data)(const struct gost_host *const *self);
    int (*session_request)(struct gost_io *io, uint32_t tag, struct gost_bytes name,
                           struct gost_bytes payload);
    struct gost_bytes (*stream_arg)(struct gost_io *s);
    int (*stream_set_arg)(struct gost_io *s, struct gost_bytes arg);
    struct gost_io *(*wire_open)(struct gost_io *io, uint32_t flags);
    struct gost_io *(*wire_next)(struct gost_io *io);
    uint32_t (*wire_state)(struct gost_io *s, uint64_t *ret_code);
    void (*wire_leave)(struct gost_io *s);
    void (*wire_reset)(struct gost_io *s, uint64_t code);
    int (*wire_datagram)(struct gost_io *io, struct gost_bytes data);
    void (*wire_end)(struct gost_io *io, uint64_t code);
    uint64_t (*session_code)(struct gost_io *io);
    int (*session_used)(struct gost_io *io);
};

/* Set by the loader before any other code of the plugin runs; defined by GOST_PLUGIN(). */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((visibility("hidden")))
#endif
extern const struct gost_host *gost_host_;

/* ---- bytes ----------------------------------------------------------------------------------- */

/* The first contiguous run of queued input; may be shorter than gost_rx_len(). Empty: nothing. */
static inline struct gost_bytes gost_rx(struct gost_io *io)
{
    return gost_host_->rx(io);
}

/* n contiguous bytes of input without consuming them, n <= GOST_PEEK_MAX; NULL: fewer are queued,
 * and the next READABLE (decode, handshake) comes when n are there or the input ended. */
static inline const uint8_t *gost_peek(struct gost_io *io, size_t n)
{
    return gost_host_->peek(io, n);
}

/* Drop n bytes of input (at most gost_rx_len). Views from before stay valid until the next call. */
static inline void gost_consume(struct gost_io *io, size_t n)
{
    gost_host_->consume(io, n);
}

/* gost_peek and gost_consume in one; the view lives until the next call on io. */
static inline const uint8_t *gost_take(struct gost_io *io, size_t n)
{
    const uint8_t *p = gost_host_->peek(io, n);
    if (p)
        gost_host_->consume(io, n);
    return p;
}

/* Call me again only when at least n bytes are queued, or the input ended. */
static inline void gost_want(struct gost_io *io, size_t n)
{
    gost_host_->want(io, n);
}

/* Bytes (GOST_DATAGRAM: packets) queued as input. */
static inline size_t gost_rx_len(struct gost_io *io)
{
    return gost_host_->rx_len(io);
}

/* 1: the peer ended its direction, and all input is consumed, or less is left than the last short
 * peek or gost_want() asked for: the message is cut off and nothing will complete it. */
static inline int gost_rx_eof(struct gost_io *io)
{
    return gost_host_->rx_eof(io);
}

/* Queue a copy for sending. GOST_OK, or GOST_ENOMEM: sticky, the flow ends after the step, so an
 * encoder needs no error path. Never blocks; look at gost_tx_room() to be polite. */
static inline int gost_send(struct gost_io *io, const void *p, size_t n)
{
    return gost_host_->send(io, p, n);
}

/* n contiguous writable bytes (n <= 16384) at the end of the output; NULL: out of memory. Valid
 * until the next call on io; nothing is queued before gost_commit(io, used <= n). */
static inline uint8_t *gost_reserve(struct gost_io *io, size_t n)
{
    return gost_host_->reserve(io, n);
}
static inline void gost_commit(struct gost_io *io, size_t n)
{
    gost_host_->commit(io, n);
}

/* Bytes until the output's high mark; 0: return GOST_FULL and be called when there is room. */
static inline size_t gost_tx_room(struct gost_io *io)
{
    return gost_host_->tx_room(io);
}

/* Bytes queued as output and not yet taken. */
static inline size_t gost_tx_len(struct gost_io *io)
{
    return gost_host_->tx_len(io);
}

/* Move up to n bytes of from's input to to's output without copying. Returns how many. */
static inline size_t gost_move(struct gost_io *to, struct gost_io *from, size_t n)
{
    return gost_host_->move(to, from, n);
}

/* End our direction after what is queued (FIN, close_notify, END_STREAM). On GOST_APP or a stream
 * of a session: tell the user that the peer ended. Further gost_send is an error of the plugin. */
static inline void gost_shut(struct gost_io *io)
{
    gost_host_->shut(io);
}

/* Reset both directions at once; what is queued is dropped. */
static inline void gost_abort(struct gost_io *io, uint64_t code)
{
    gost_host_->abort(io, code);
}

/* ---- packets and heads ----------------------------------------------------------------------- */

/* Next packet. GOST_OK: ret_packet is filled, its views live until the next call on io. GOST_AGAIN:
 * none. GOST_END: none, and none will come. */
static inline int gost_packet_recv(struct gost_io *io, struct gost_packet *ret_packet)
{
    ret_packet->size = (uint32_t)sizeof *ret_packet;
    return gost_host_->packet_recv(io, ret_packet);
}

/* Queue a copy. GOST_OK; GOST_FULL: dropped, the queue is full; GOST_ETOOBIG. */
static inline int gost_packet_send(struct gost_io *io, const struct gost_packet *packet)
{
    return gost_host_->packet_send(io, packet);
}

/* The common case of a packet with payload and address only; addr NULL: the peer. */
static inline int gost_packet_put(struct gost_io *io, struct gost_bytes data,
                                  const struct gost_addr *addr)
{
    struct gost_packet p;
    memset(&p, 0, sizeof p);
    p.size = (uint32_t)sizeof p;
    p.data = data;
    p.addr = addr;
    return gost_host_->packet_send(io, &p);
}

/* Next head of an exchange: GOST_OK, GOST_AGAIN, GOST_END. */
static inline int gost_head_recv(struct gost_io *io, struct gost_head *ret_head)
{
    ret_head->size = (uint32_t)sizeof *ret_head;
    return gost_host_->head_recv(io, ret_head);
}
static inline int gost_head_send(struct gost_io *io, const struct gost_head *head)
{
    return gost_host_->head_send(io, head);
}

/* ---- structure ------------------------------------------------------------------------------- */

/* Port n of the running component; NULL: not open. */
static inline struct gost_io *gost_port(struct gost_io *io, uint32_t n)
{
    return gost_host_->port(io, n);
}
static inline struct gost_io *gost_app(struct gost_io *io)
{
    return gost_host_->port(io, GOST_APP);
}
static inline uint32_t gost_io_type(struct gost_io *io)
{
    return gost_host_->type(io);
}

/* A layer: I transform nothing any more, unlink me (both directions, after queued bytes). */
static inline void gost_identity(struct gost_io *io)
{
    gost_host_->identity(io);
}

/* One pointer of the component's own per port. */
static inline void *gost_data(struct gost_io *io)
{
    return gost_host_->data(io);
}
static inline void gost_set_data(struct gost_io *io, void *data)
{
    gost_host_->set_data(io, data);
}

/* ---- the flow -------------------------------------------------------------------------------- */

static inline const struct gost_flow *gost_flow(struct gost_io *io)
{
    return gost_host_->flow(io);
}

/* Connector: what to ask the peer for. Client layer: what will be reached (host name for SNI). */
static inline const struct gost_target *gost_target(struct gost_io *io)
{
    return gost_host_->target(io);
}

/* The arg of the UPGRADE or SPAWN action that made this instance; empty when none. */
static inline struct gost_bytes gost_arg(struct gost_io *io)
{
    return gost_host_->arg(io);
}

/* A layer learned the real client (PROXY protocol, trusted proxy): admission is asked again. */
static inline void gost_set_source(struct gost_io *io, const struct gost_addr *src,
                                   const struct gost_addr *dst)
{
    gost_host_->set_source(io, src, dst);
}
static inline void gost_set_secure(struct gost_io *io, const struct gost_secure *info)
{
    gost_host_->set_secure(io, info);
}
static inline void gost_set_sniffed(struct gost_io *io, const struct gost_sniffed *info)
{
    gost_host_->set_sniffed(io, info);
}

/* What is being waited for, as messages say it: "the method reply". Must be a literal. */
static inline void gost_phase(struct gost_io *io, const char *phase)
{
    gost_host_->set_phase(io, phase);
}

/* Record why this component fails and return code: `return gost_fail(io, GOST_EPROTO, "...")`.
 * The first call wins; the host logs it once with the whole context. Never put secrets here. */
static inline int gost_fail(struct gost_io *io, int code, const char *fmt, ...) GOST_PRINTF(3, 4);
static inline int gost_fail(struct gost_io *io, int code, const char *fmt, ...)
{
    va_list ap;
    int r;

    va_start(ap, fmt);
    r = gost_host_->failv(io, code, fmt, ap);
    va_end(ap);
    return r;
}

/* Log about this flow. A level that is off costs one relaxed load. */
static inline int gost_log_on(int level)
{
#if defined(__GNUC__) || defined(__clang__)
    return level >= __atomic_load_n(gost_host_->log_level, __ATOMIC_RELAXED);
#else
    return level >= *gost_host_->log_level;
#endif
}
static inline void gost_log(struct gost_io *io, int level, const char *fmt, ...) GOST_PRINTF(3, 4);
static inline void gost_log(struct gost_io *io, int level, const char *fmt, ...)
{
    va_list ap;

    if (!gost_log_on(level))
        return;
    va_start(ap, fmt);
    gost_host_->logv(io, level, fmt, ap);
    va_end(ap);
}

/* Zeroed memory that lives as long as this instance. NULL: out of memory or of the flow's budget.
 * */
static inline void *gost_alloc(struct gost_io *io, size_t n)
{
    return gost_host_->alloc(io, n);
}

/* Ask for an action. GOST_OK: taken, its RESULT will come. Else it was malformed and nothing
 * comes: that is a defect, pass the error on. */
static inline int gost_act(struct gost_io *io, const struct gost_action *action)
{
    return gost_host_->act(io, action);
}

/* Step me with GOST_EV_DEADLINE (layers: on_deadline) at this time of gost_now(); 0: never. One
 * per instance; setting replaces. At most 10 ms late; a layer's of the next second 1 ms. */
static inline void gost_set_deadline(struct gost_io *io, uint64_t at_ns)
{
    gost_host_->set_deadline(io, at_ns);
}

/* ---- time and chance ------------------------------------------------------------------------- */

static inline uint64_t gost_now(void)
{
    return gost_host_->now();
} /* ns, monotonic */
static inline uint64_t gost_unix_time(void)
{
    return gost_host_->unix_time();
} /* ns since 1970 */
static inline void gost_random(void *p, size_t n)
{
    gost_host_->random(p, n);
}

#define GOST_MS 1000000ull
#define GOST_S  1000000000ull

/* ---- sessions: see session.h ----------------------------------------------------------------- */

static inline struct gost_io *gost_stream_new(struct gost_io *io, uint64_t id, uint32_t flags)
{
    return gost_host_->stream_new(io, id, flags);
}
static inline struct gost_io *gost_stream_next(struct gost_io *io)
{
    return gost_host_->stream_next(io);
}
static inline struct gost_io *gost_stream_port(struct gost_io *io, uint64_t id)
{
    return gost_host_->stream_port(io, id);
}
static inline uint64_t gost_stream_id(struct gost_io *s)
{
    return gost_host_->stream_id(s);
}
static inline void gost_stream_set_credit(struct gost_io *s, uint64_t bytes)
{
    gost_host_->stream_set_credit(s, bytes);
}
static inline void gost_stream_reset(struct gost_io *s, uint64_t code)
{
    gost_host_->stream_reset(s, code);
}
static inline void gost_stream_stop(struct gost_io *s, uint64_t code)
{
    gost_host_->stream_stop(s, code);
}
static inline void gost_session_goaway(struct gost_io *io)
{
    gost_host_->session_goaway(io);
}
static inline void gost_session_alive(struct gost_io *io)
{
    gost_host_->session_alive(io);
}

/* A layer: the peer's answer to our request `tag`. A task, io its session port: the answer to the
 * peer's request `tag` of GOST_EV_REQUEST. status: 0, or an error (GOST_EPEER: the peer says no,
 * GOST_EUNSUPPORTED). */
static inline void gost_session_reply(struct gost_io *io, uint32_t tag, int status,
                                      struct gost_bytes payload)
{
    gost_host_->session_reply(io, tag, status, payload);
}
static inline int gost_session_request(struct gost_io *io, uint32_t tag, struct gost_bytes name,
                                       struct gost_bytes payload)
{
    return gost_host_->session_request(io, tag, name, payload);
}
static inline int gost_session_datagram(struct gost_io *io, struct gost_io *s,
                                        struct gost_bytes data)
{
    return gost_host_->session_datagram(io, s, data);
}

/* What a stream opens with; empty: nothing, or it is no stream of a session. A user reads it on
 * its port, as long as the session is there. */
static inline struct gost_bytes gost_stream_arg(struct gost_io *s)
{
    return gost_host_->stream_arg(s);
}
static inline int gost_stream_set_arg(struct gost_io *s, struct gost_bytes arg)
{
    return gost_host_->stream_set_arg(s, arg);
}

/* A session layer: by which code the layer above ended the session; 0: none, or nobody is above. */
static inline uint64_t gost_session_code(struct gost_io *io)
{
    return gost_host_->session_code(io);
}
/* A session layer: 1: a layer stands on it, which takes streams of every kind. */
static inline int gost_session_used(struct gost_io *io)
{
    return gost_host_->session_used(io);
}

/* ---- layers on top of a session: see session.h ----------------------------------------------- */

/* A new stream of the session below; NULL: it gives none now. */
static inline struct gost_io *gost_wire_open(struct gost_io *io, uint32_t flags)
{
    return gost_host_->wire_open(io, flags);
}
/* The next stream with something new; NULL: none. */
static inline struct gost_io *gost_wire_next(struct gost_io *io)
{
    return gost_host_->wire_next(io);
}
/* GOST_WIRE_*; ret_code: the peer's code, untouched when it gave none. */
static inline uint32_t gost_wire_state(struct gost_io *s, uint64_t *ret_code)
{
    return gost_host_->wire_state(s, ret_code);
}
/* Let go of a stream: what is queued is still sent, then our end. s is no port any more. */
static inline void gost_wire_leave(struct gost_io *s)
{
    gost_host_->wire_leave(s);
}
/* Reset what has not ended of a stream. s is no port any more. */
static inline void gost_wire_reset(struct gost_io *s, uint64_t code)
{
    gost_host_->wire_reset(s, code);
}
/* Send an unreliable datagram of the session: GOST_OK, GOST_FULL: dropped, GOST_ETOOBIG,
 * GOST_EUNSUPPORTED, GOST_ECLOSED. */
static inline int gost_wire_datagram(struct gost_io *io, struct gost_bytes data)
{
    return gost_host_->wire_datagram(io, data);
}
/* End the session below by this code. */
static inline void gost_wire_end(struct gost_io *io, uint64_t code)
{
    gost_host_->wire_end(io, code);
}

/* ---- datagram layers that attach by key: see session.h --------------------------------------- */
/* Packets with this key (1 to 22 bytes) are ours from now on. GOST_OK, also on a socket that is
 * ours alone; GOST_EINUSE: another instance has it; GOST_ELIMIT: we have 32; GOST_ENOMEM. */
static inline int gost_key_add(struct gost_io *io, struct gost_bytes key)
{
    return gost_host_->key_add(io, key);
}
/* They are strays from now on. A key that is not ours: nothing happens. */
static inline void gost_key_remove(struct gost_io *io, struct gost_bytes key)
{
    gost_host_->key_remove(io, key);
}

/* ---- connectors: bind ------------------------------------------------------------------------ */

/* The peer listens at addr. A connector that associates may tell it too, before GOST_OK. */
static inline void gost_bound(struct gost_io *io, const struct gost_addr *addr)
{
    gost_host_->bound(io, addr);
}

/* A stream arrived there: s is a port that ACCEPT on the session at port 0 gave (what of its input
 * was not consumed goes along), or io itself when the bind gives exactly one (SOCKS5 BIND). After
 * this step the port is empty and may be used for the next ACCEPT. */
static inline void gost_accepted(struct gost_io *io, struct gost_io *s,
                                 const struct gost_addr *peer)
{
    gost_host_->accepted(io, s, peer);
}

/* The connector's answer is this port instead of port 0 (SOCKS5 UDP associate: the UDP port). The
 * ports stay tied. */
static inline void gost_result_port(struct gost_io *io, uint32_t port)
{
    gost_host_->result_port(io, port);
}

/* ---- across workers: endpoints and shared tables --------------------------------------------- */

/*
 * Offer the port io of this task to visitors: a handler of any worker whose gost_dial_endpoint()
 * names the same kind and key. kind: a literal without '/', best the plugin's name. key: up to 200
 * bytes without zero. Several tasks may offer one key; a dial takes one of them by chance, in
 * proportion to weight (0 counts as 1), and asks up to three when owners refuse. While one with
 * GOST_ENDPOINT_EXCLUSIVE is there the others get no visitors. An offer ends with its task.
 *
 * io is a session: each visitor gets a new stream of it, as by STREAM_OPEN, on this worker; the
 * task need not do anything, and the stream outlives it. Who visits is told to the peer by what the
 * visitor writes first; the host records the visitor's source.
 *
 * io is anything else: each visitor is a stream that ACCEPT with `from` = this port gives, where
 * the `remote` of its result is the visitor's source (SPAWN makes it the child flow's source).
 * Up to 64 visitors wait to be accepted; more are refused with GOST_ELIMIT.
 *
 * GOST_OK, GOST_ETOOBIG (kind or key), GOST_ENOMEM, GOST_EUNSUPPORTED (a layer, not a task).
 */
#define GOST_ENDPOINT_EXCLUSIVE 0xffffffffu
static inline int gost_endpoint_add(struct gost_io *io, const char *kind, struct gost_bytes key,
                                    uint32_t weight)
{
    return gost_host_->endpoint_add(io, kind, key, weight);
}
static inline void gost_endpoint_remove(struct gost_io *io, const char *kind,
                                        struct gost_bytes key)
{
    gost_host_->endpoint_remove(io, kind, key);
}

/*
 * A value that all workers share, in a table by name; its first put says how large its values are
 * (1 to 256 bytes, plain data; keys have 1 to 256). A table holds 65536 values at most: beyond, the
 * ones that were put longest ago go. ttl_ns 0: no other end.
 *
 * get: GOST_OK and the value, GOST_END: none. put: GOST_OK; with only_new GOST_EINUSE when the key
 * is there (and nothing is changed); value NULL: forget the key. Both: GOST_EINTERNAL when
 * value_size is not the table's, put: GOST_ETOOBIG, GOST_ENOMEM.
 */
static inline int gost_table_get(const char *table, struct gost_bytes key, void *ret_value,
                                 size_t value_size)
{
    return gost_host_->table_get(table, key, ret_value, value_size);
}
static inline int gost_table_put(const char *table, struct gost_bytes key, const void *value,
                                 size_t value_size, uint64_t ttl_ns, int only_new)
{
    return gost_host_->table_put(table, key, value, value_size, ttl_ns, only_new);
}

/* ---- policies: see policy.h ------------------------------------------------------------------ */

/* SOURCE: the data, one entry a line. REMOTE: its question (or NULL) and its answer. Copied. */
static inline void gost_source_data(struct gost_io *io, struct gost_bytes data)
{
    gost_host_->source_data(io, data);
}
static inline const void *gost_question(struct gost_io *io)
{
    return gost_host_->question(io);
}
static inline void gost_answer(struct gost_io *io, const void *answer)
{
    gost_host_->answer(io, answer);
}

/* What the plugin's worker_init() gave on this worker; no other worker touches it. NULL: nothing.
 * Each plugin has a gost_host_ of its own, which tells it from the others. [worker] */
static inline void *gost_worker_data(void)
{
    return gost_host_->worker_data(&gost_host_);
}

#ifdef __cplusplus
}
#endif

#include <gost/ask.h>

#endif
