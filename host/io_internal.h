/* io_internal.h - what the files behind net.h share. */
/* SPDX-License-Identifier: MIT */
#ifndef GH_IO_INTERNAL_H
#define GH_IO_INTERNAL_H

#include <stdatomic.h>
#include <uv.h>

#include "net.h"

struct gh_post {
    struct gh_post *next;
    void (*fn)(struct gh_worker *w, void *arg);
    void *arg;
};

/* A descriptor that one worker waits for: io_poll.c. */
enum {
    GH_POLL_IN = 1,     /* data, or the peer's end */
    GH_POLL_OUT = 2,    /* room, or connected */
    GH_POLL_ERR = 4,    /* an error, asked for or not */
    GH_POLL_HUP = 8,    /* over in both directions, asked for or not */
    GH_POLL_FAILED = 16 /* it cannot be waited for */
};
#define GH_POLL_OTHER 0xff
struct gh_poll {
    struct gh_poll *next, **prev; /* of those whose wish changed in this turn */
    void (*fn)(struct gh_poll *p, unsigned events);
    void (*gone)(struct gh_poll *p);
    int fd;
    uint8_t want, told; /* by us; to the kernel, if it is known there */
    uint8_t known;
};

struct gh_frame;
struct gh_sock; /* a stream descriptor under a stack: io_sock.c */
struct gh_splice;
struct gh_pipe;

struct gh_worker {
    uv_loop_t loop;   /* of libuv, for what it does in threads: names */
    uv_async_t alive; /* for a loop without handles uv_run() does nothing */
    uv_thread_t thread;
    uv_mutex_t lock; /* the posts, and asleep */
    struct gh_post *posts, **posts_tail;
    int asleep; /* it wants to be woken for a post */
    struct gh_poll wake, libuv;
    struct ge_worker *engine;
    struct gh_sock *socks;
    struct gh_poll *polls, *closed; /* whose wish changed; that were closed in this turn */
    struct epoll_event *ready;      /* what the kernel said last, n_ready of them */
    int n_ready, epoll;
    struct gh_packets *packets;
    uint64_t now;
    uint8_t chance[512]; /* random bytes, chance_n of them not given yet */
    size_t chance_n;
    atomic_uint flows;
    unsigned index;
    int busy, stopping;
    uint8_t *recv_buf; /* datagrams, made at first use */
    struct gh_pipe *pipes;
    unsigned n_pipes;
};

#define GH_RECV_BATCH 16
#define GH_RECV_SIZE  65536u
#define GH_SEND_BATCH 16
/* After so many packets of one socket, others are looked at, and what these made is done. */
#define GH_READ_PACKETS 64

/* io_worker.c */
extern struct gh_net_conf gh_net_conf;
extern atomic_int gh_net_fds; /* descriptors of flows, for the budget */
uint8_t *gh_worker_recv_buf(struct gh_worker *w);
/* io_error.c */
int gh_errno_code(int err); /* errno -> enum gost_error */
const char *gh_errno_text(int err);
/* io_poll.c [worker] */
int gh_polls_init(struct gh_worker *w);
void gh_polls_free(struct gh_worker *w);
void gh_polls_settle(struct gh_worker *w); /* tells the kernel what changed; before it sleeps */
void gh_polls_wait(struct gh_worker *w, int ms); /* sleeps, and calls what is ready */
void gh_poll_init(struct gh_poll *p, int fd, void (*fn)(struct gh_poll *p, unsigned events));
/* From the next sleep on; an error and the end of both directions are always told. */
void gh_poll_want(struct gh_worker *w, struct gh_poll *p, unsigned events);
/* Nothing is told any more, until something is wanted again. Before the socket is closed. */
void gh_poll_end(struct gh_worker *w, struct gh_poll *p);
/* Ends it; gone() is called before the next sleep: callers of callers may look at it until then. */
void gh_poll_close(struct gh_worker *w, struct gh_poll *p, void (*gone)(struct gh_poll *p));
/* `to`, initialized for the same socket, takes the place of `from`, which is ended. */
void gh_poll_move(struct gh_worker *w, struct gh_poll *from, struct gh_poll *to);
/* io_sock.c */
void gh_socks_close_all(struct gh_worker *w);
/* As gh_sock_adopt(), for a socket that `had` has waited for. */
struct ge_stack *gh_sock_adopt_polled(struct gh_worker *w, struct ge_flow *flow, int fd,
                                      struct gh_poll *had);
/* io_packets.c */
void gh_packets_close_all(struct gh_worker *w); /* those that nobody has any more */
int gh_sock_is(const struct ge_stack *s, struct gh_sock **ret_sock);
int gh_sock_fd(const struct gh_sock *s);
void gh_sock_rearm(struct gh_sock *s);
void gh_sock_set_splice(struct gh_sock *s, int sink, struct gh_splice *sp); /* NULL: none */
struct ge_stack *gh_sock_stack(const struct gh_sock *s);
/* io_packets.c: a connected datagram descriptor as a stack, which owns it (also on failure) */
struct ge_stack *gh_packets_adopt(struct gh_worker *w, struct ge_flow *flow, int fd,
                                  const struct gh_frame *fr);
/* io_udp.c: what every datagram socket does alike */
struct gh_datagram { /* received; p's views point into this struct and the worker's buffer */
    struct gost_packet p;
    struct gost_bytes rest; /* packets that came as one; each as long as `piece`, the last less */
    size_t piece;
    struct sockaddr_storage from;
    socklen_t n;
    struct gost_addr addr, local;
};
struct gh_out {
    const struct gost_packet *p;
    const struct sockaddr_storage *to;
    socklen_t n; /* 0: the socket is connected */
};
void gh_udp_details(int fd);      /* each packet's own address, ECN bits; larger socket buffers */
void gh_udp_no_fragments(int fd); /* its packets fit by themselves */
int gh_udp_any(const struct gost_addr *local); /* 1: bound to no address of its own */
/* For a socket of that family; 0: the other family, or no IP address. */
socklen_t gh_udp_sockaddr(struct sockaddr_storage *ss, const struct gost_addr *addr, int v6);
/* Of a descriptor whose transport frames packets; without one, ops is NULL. */
struct gh_frame {
    const struct gost_transport_ops *ops;
    struct gost_frame f;
};
void gh_frame_init(struct gh_frame *fr, const struct gost_transport_ops *ops, uint32_t role,
                   uint16_t tag);
/* port: of a socket bound to any address, to tell each packet's own one; 0: not asked for. v has
 * room for GH_RECV_BATCH. Returns how many came, each of them one packet or more; negative: errno
 * says why none. */
int gh_udp_recv(struct gh_worker *w, int fd, const struct gh_frame *fr, uint16_t port,
                struct gh_datagram *v);
/* The next packet of d goes into d->p. 0: there is none. */
int gh_datagram_next(struct gh_datagram *d);
enum { GH_SEND_FULL = -1, GH_SEND_REFUSED = -2 };

/* How many were sent, or given up because the kernel refuses them. GH_SEND_FULL: the socket is
 * full. GH_SEND_REFUSED: the peer of a connected socket says, of an earlier one, that nobody is
 * there; nothing was sent, another try will be. */
int gh_udp_send(int fd, struct gh_frame *fr, const struct gh_out *v, unsigned n);
/* io_splice.c */
struct gh_splice;
int gh_splice_start(void *ctx, struct ge_stack *from, struct ge_stack *to, uint64_t moved,
                    uint64_t left);
void gh_splice_event(struct gh_splice *sp);
void gh_splice_drop(struct gh_splice *sp);               /* one of its stacks goes */
void gh_splice_broken(struct gh_splice *sp, int status); /* one of its sockets was reset */
void gh_pipes_free(struct gh_worker *w);
int gh_splice_wants_read(const struct gh_splice *sp);
int gh_splice_wants_write(const struct gh_splice *sp);
/* io_listen.c */
void gh_listeners_resume(void); /* descriptors were given back [any] */
int gh_net_over_budget(void);   /* no new client now [any] */
/* io_assoc.c */
struct gh_assoc_table;
struct gh_assoc_table *gh_assoc_open(const struct gh_listener_conf *conf, int fd,
                                     struct gh_worker *w);
void gh_assoc_retarget(struct gh_assoc_table *t, void (*accept)(void *arg, struct gh_accepted *a),
                       void *arg);
void gh_assoc_close(struct gh_assoc_table *t);
/* io_keyed.c: a datagram listener whose layer attaches by key */
struct gh_keyed;
struct gh_keyed *gh_keyed_open(const struct gh_listener_conf *conf, int fd, struct gh_worker *w);
void gh_keyed_retarget(struct gh_keyed *k, void (*accept)(void *arg, struct gh_accepted *a),
                       void *arg, const void *layer_conf);
void gh_keyed_close(struct gh_keyed *k);
int gh_key_add(struct gost_io *io, struct gost_bytes key);
void gh_key_remove(struct gost_io *io, struct gost_bytes key);
/* io_reserve.c */
void gh_reserve_init(void);     /* before anything of libuv */
void *gh_must_malloc(size_t n); /* never NULL [any] */
/* io_main.c */
uv_loop_t *gh_main_loop(void);
void gh_main_posts_init(void);

#endif
