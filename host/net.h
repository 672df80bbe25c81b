/* net.h - workers and sockets: everything of the host that touches libuv or a descriptor. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_NET_H
#define GH_NET_H

#include <stdbool.h>

#include "engine.h"

/* ---- workers: one thread, one uv loop, one ge_worker each ---- */

struct gh_worker;

struct gh_net_conf {
    unsigned workers;
    size_t max_fds;   /* descriptor budget: accepting pauses near it; 0: from RLIMIT_NOFILE */
    size_t high, low; /* queue marks in bytes; 0: defaults */
    const struct ge_embed *embed; /* act, cancel, find_layer, log and more: the control side's; the
                                     net side fills now, unix_time, random, wake, splice */
    void (*begin)(struct gh_worker *w); /* first and last on each worker's thread; NULL none */
    void (*end)(struct gh_worker *w);
};

/* Start and stop all workers [main]. The main thread's own loop is not a worker. */
int gh_net_start(const struct gh_net_conf *conf);
void gh_net_stop(void); /* ends all flows, joins threads */
unsigned gh_worker_count(void);
struct gh_worker *gh_worker_get(unsigned i);
struct gh_worker *gh_worker_least(void);   /* the one with the fewest flows [any] */
struct gh_worker *gh_worker_current(void); /* NULL on the main thread */
unsigned gh_worker_index(const struct gh_worker *w);
struct ge_worker *gh_worker_engine(struct gh_worker *w);
/* It ends, or has ended: nothing new is to be started there. [its thread] */
int gh_worker_stopping(const struct gh_worker *w);
/* Run fn(arg) on that worker's thread, in order, never inside the call. [any] */
void gh_worker_post(struct gh_worker *w, void (*fn)(struct gh_worker *w, void *arg), void *arg);
/* The same on the main thread. [any] */
void gh_main_post(void (*fn)(void *arg), void *arg);
/* Flow accounting for gh_worker_least and the descriptor budget. [worker] */
void gh_worker_flow_begin(struct gh_worker *w);
void gh_worker_flow_end(struct gh_worker *w);

/* ---- names ---- */

/* Look a name up off the loop (getaddrinfo). Calls back once on the same worker, never inside this
 * call: status GOST_OK with 1 to 16 addresses in order of preference, or GOST_ERESOLVE. family: 0
 * any,
 * 4, 6. Returns a handle to cancel with. [worker] */
struct gh_lookup;
struct gh_lookup *gh_resolve(struct gh_worker *w, const char *name, uint16_t port, int family,
                             void (*done)(void *arg, int status, const char *text,
                                          const struct gost_addr *v, unsigned n),
                             void *arg);
void gh_resolve_cancel(struct gh_lookup *l);

/* ---- sockets as stack bottoms [worker] ---- */

struct gh_sockopt {
    const char *interface_name; /* NULL none */
    uint32_t mark;
};

/* A connected stream descriptor becomes a stack; the stack owns it from now on (also on failure).
 * */
struct ge_stack *gh_sock_adopt(struct gh_worker *w, struct ge_flow *flow, int fd);

/* Connect to addr (an IP address, or a path) with a transport. Names are not resolved here. Happy
 * eyeballs over several addresses: the next one is started 250 ms after the former or when it
 * failed.
 * done: once, never inside the call; status 0: stack is the caller's, flow->remote/local are
 * untouched,
 * local and remote given. */
struct gh_dial;
struct gh_dial *
gh_sock_dial(struct gh_worker *w, struct ge_flow *flow, const struct gost_component *transport,
             const void *conf, uint32_t network, const struct gost_addr *addrs, unsigned n,
             const struct gh_sockopt *opt, uint64_t deadline_ns,
             void (*done)(void *arg, int status, const char *text, struct ge_stack *stack,
                          const struct gost_addr *local, const struct gost_addr *remote),
             void *arg);
void gh_sock_dial_cancel(struct gh_dial *d);

/* A local datagram socket as a stack: packets to and from anybody; names in packet addresses are
 * looked up (a few datagrams wait meanwhile). peer != NULL: connected to it. *ret_local: our
 * address. */
int gh_sock_packets(struct gh_worker *w, struct ge_flow *flow, const struct gost_addr *bind_addr,
                    const struct gost_addr *peer, uint16_t port_min, uint16_t port_max,
                    const struct gh_sockopt *opt, struct ge_stack **ret_stack,
                    struct gost_addr *ret_local, char *error, size_t error_size);

/* A dialed datagram socket whose layer makes its packets fit by itself: they are never cut in
 * pieces on the way, and larger socket buffers are asked for. Others: nothing happens. */
void gh_sock_no_fragments(struct ge_stack *stack);

/* A listening socket of a flow (SOCKS5 BIND): accept() gives one stream per call. */
struct gh_bind;
int gh_bind_open(struct gh_worker *w, const struct gost_addr *addr, uint16_t port_min,
                 uint16_t port_max, struct gh_bind **ret_bind, struct gost_addr *ret_local,
                 char *error, size_t error_size);
void gh_bind_accept(struct gh_bind *b, struct ge_flow *flow,
                    void (*done)(void *arg, int status, struct ge_stack *stack,
                                 const struct gost_addr *peer),
                    void *arg);
void gh_bind_close(struct gh_bind *b); /* a pending accept is forgotten */

/* ---- service listeners ---- */

struct gh_listener;

struct gh_accepted {
    struct gh_worker *worker;
    int fd; /* stream listeners: the receiver owns it */
    struct ge_stack
        *packets; /* datagram listeners: the association with this peer, bottom of the flow */
    struct gost_addr local, remote, original;
};

struct gh_listener_conf {
    const struct gost_component *transport;
    const void *conf;
    struct gost_addr addr; /* resolved: NONE (any, dual stack), IP or path */
    const char *name;      /* service name, for messages */
    int inherited_fd;      /* systemd or an older generation: use this one; -1 none */
    /* datagram listeners */
    uint64_t ttl_ns;    /* idle time of an association */
    int keepalive;      /* 0: the association ends after one answer */
    unsigned max_peers; /* cap of the table, LRU beyond; 0: 65536 */
    /* A first layer that attaches by key: its instances are spread over all workers, one for each
     * key; ttl and keepalive mean nothing then. NULL: one association per peer address. */
    const struct gost_component *layer;
    const void *layer_conf;
    /* A connection or a new peer [worker]. For datagrams make a flow and give it with
     * ge_stack_set_flow before returning; refuse with ge_stack_free. */
    void (*accept)(void *arg, struct gh_accepted *a);
    void *arg;
};

/* Bind [main]. error: a sentence with address and remedy ("address in use by ..."). */
int gh_listener_open(const struct gh_listener_conf *conf, struct gh_listener **ret_listener,
                     char *error, size_t error_size);
int gh_listener_start(struct gh_listener *l); /* begin accepting [main] */
/* Change what accept calls (reload): from the next connection on. The descriptor stays.
 * layer_conf: of the same first layer, if there is one. [main] */
void gh_listener_retarget(struct gh_listener *l, void (*accept)(void *arg, struct gh_accepted *a),
                          void *arg, const void *layer_conf);
void gh_listener_close(struct gh_listener *l); /* stop accepting and close [main] */
void gh_listener_local(const struct gh_listener *l,
                       struct gost_addr *ret_addr); /* port 0 resolved */
int gh_listener_fd(const struct gh_listener *l);

/* ---- the main loop [main] ---- */
struct gh_main_ops {
    void (*on_signal)(int signum, void *arg); /* SIGINT SIGTERM SIGHUP */
    void (*on_second)(void *arg); /* about once a second while running; NULL none (then no timer) */
    void *arg;
};
/* From now on SIGINT, SIGTERM and SIGHUP wait until gh_main_run() serves them. */
void gh_main_hold_signals(void);
int gh_main_run(const struct gh_main_ops *ops); /* until gh_main_quit */
void gh_main_quit(void);

/* Runs work(arg) on a thread of its own turn, then done(arg) on the main thread. False: it cannot,
 * nothing was run. [main] */
bool gh_main_work(void (*work)(void *arg), void (*done)(void *arg), void *arg);
/* Waits for all of that work; its done() is called. The loop must not run. [main] */
void gh_main_settle(void);

#endif
