/* load.h - the load generator: its little protocol and what its files share.
 * SPDX-License-Identifier: MIT
 *
 * One binary is both ends. `load target` serves; the other modes are clients that reach the
 * target through a proxy. All numbers travel in the machine's byte order: both ends are here.
 * The program is single-threaded; a function that cannot go on prints why and ends the process.
 */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_MAGIC UINT64_C(0x31646f6c74736f67)
#define LOAD_STOP UINT64_C(0x706f7473706f7473)
#define LOAD_ENDLESS UINT64_MAX
#define LOAD_BATCH 32      /* datagrams per system call */
#define LOAD_GRACE_S 15    /* how long past its time a run may take to finish */
#define LOAD_DATAGRAM 2048 /* largest datagram, proxy header included */

/* What a client asks of the target. After each request a connection may carry another one. */
enum load_op {
    LOAD_OP_UP = 1, /* the client sends pattern and an end word; the target replies */
    LOAD_OP_DOWN,   /* the target sends pattern and an end word; LOAD_STOP ends it early */
    LOAD_OP_ECHO,   /* the target sends back what it gets, until `length` bytes */
    LOAD_OP_HELLO,  /* the target replies at once */
    LOAD_OP_STAT,   /* the target replies with its datagram counters */
};

struct load_head {
    uint64_t magic;
    uint64_t op;     /* enum load_op */
    uint64_t seed;   /* of the pattern */
    uint64_t length; /* bytes of pattern, a multiple of 8, or LOAD_ENDLESS */
};

struct load_reply {
    uint64_t magic;
    uint64_t seed;  /* of the request */
    uint64_t bytes; /* verified bytes; for LOAD_OP_STAT verified datagrams */
    uint64_t bad;   /* 0, or how many pieces did not hold what they should */
};

/* Starts each datagram; pattern words follow. */
struct load_packet {
    uint64_t magic;
    uint64_t seed;
    uint64_t seq;
    uint64_t echo; /* 1: send it back */
};

enum load_via { LOAD_VIA_FORWARD, LOAD_VIA_SOCKS5, LOAD_VIA_HTTP };

struct load_options {
    enum load_via via;
    struct sockaddr_in proxy;
    struct sockaddr_in target;
    unsigned flows;
    unsigned window; /* datagrams under way per flow */
    unsigned size;   /* bytes per message or datagram */
    double secs;
    uint64_t bytes; /* that an idle pair moves each way */
    uint64_t max;   /* connections at most */
    bool up;
    bool flood;
};

/* ---- load_util.c ---- */

uint64_t load_now(void); /* nanoseconds, monotonic */
uint64_t load_new_seed(void);
void load_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* A non-blocking TCP socket without Nagle's delay. */
int load_tcp_socket(void);
/* Waits up to `timeout_ms` for `events` on `fd`; dies after that. */
void load_wait_fd(int fd, short events, int timeout_ms, const char *what);
void load_send_all(int fd, const void *data, size_t len);
void load_recv_all(int fd, void *data, size_t len);
void load_request(int fd, enum load_op op, uint64_t seed, uint64_t length);
/* Dies unless the target's reply is about `seed` and says that nothing was wrong. */
void load_expect_reply(int fd, uint64_t seed, uint64_t bytes);
/* Tells the driver "ready" and waits for its line "go". */
void load_wait_go(void);
/* Waits until the driver has looked at us: a line, or the end of its pipe. */
void load_wait_quit(void);

/* Latencies of at most `cap` samples, in nanoseconds. */
struct load_samples {
    uint32_t *ns;
    size_t len;
    size_t cap;
};

void load_samples_init(struct load_samples *s, size_t cap);
void load_samples_add(struct load_samples *s, uint64_t ns);
void load_samples_sort(struct load_samples *s);
/* The `q` quantile (0 to 1) in microseconds; 0 without samples. Sort first. */
double load_samples_us(const struct load_samples *s, double q);

/* ---- load_pattern.c ---- */

/* Sends the pattern of `seed` from byte `off` up to `end`, then, if `mark`, the end word. */
struct load_out {
    uint64_t seed;
    uint64_t off;
    uint64_t end; /* LOAD_ENDLESS until known */
    bool mark;
};

/* Receives and verifies whole words until the end word. */
struct load_in {
    uint64_t seed;
    uint64_t word;
    uint8_t carry[8];
    unsigned carried;
};

enum load_step { LOAD_DONE = 0, LOAD_AGAIN = 1, LOAD_EOF = -1, LOAD_BAD = -2 };

void load_fill(void *dst, size_t cap, uint64_t seed, uint64_t off, size_t len);
bool load_check(const void *src, uint64_t seed, uint64_t off, size_t len);
/* The out stream ends at the next whole word. */
void load_out_finish(struct load_out *out);
enum load_step load_out_send(struct load_out *out, int fd);
enum load_step load_in_recv(struct load_in *in, int fd);

/* ---- load_dial.c ---- */

enum load_dial_phase {
    LOAD_DIAL_CONNECT,
    LOAD_DIAL_GREETING,
    LOAD_DIAL_REPLY,
    LOAD_DIAL_HTTP,
    LOAD_DIAL_OPEN,
};

/* A connection on its way through the proxy. Its requests fit any socket buffer. */
struct load_dial {
    int fd;
    enum load_dial_phase phase;
    uint8_t command; /* socks5: 1 CONNECT, 3 UDP ASSOCIATE */
    uint8_t in[1024];
    size_t in_len;
    struct sockaddr_in bound; /* socks5: what the proxy bound */
};

/* 0 or a negative errno. */
int load_dial_start(struct load_dial *d, const struct load_options *o, uint8_t command);
/* LOAD_DONE when the way to the target is open. */
enum load_step load_dial_step(struct load_dial *d, const struct load_options *o);
/* Dials and waits; dies on failure. Gives a non-blocking descriptor, owned by the caller. */
int load_dial_wait(const struct load_options *o);
int load_dial_associate(const struct load_options *o, struct sockaddr_in *ret_relay);

/* ---- load_bulk.c ---- */

struct load_flow {
    int fd;
    bool done;
    bool replying; /* all is sent, the target's verdict is awaited */
    struct load_out out;
    struct load_in in;
    uint64_t bytes;
};

/* Moves pattern on all flows until `deadline` (0: none) or `limit` bytes on each, to the last
 * verified byte. Gives the seconds it took. */
double load_bulk_move(struct load_flow *flows, unsigned n, enum load_op op, uint64_t limit,
                      uint64_t deadline);

/* ---- the modes ---- */

int load_run_target(void);
int load_run_bulk(const struct load_options *o);
int load_run_rr(const struct load_options *o);
int load_run_conn(const struct load_options *o);
int load_run_idle(const struct load_options *o);
int load_run_udp(const struct load_options *o);

/* ---- load_packet.c ---- */

/* Fills a datagram of `size` bytes. */
void load_packet_make(uint8_t *buf, unsigned size, uint64_t seed, uint64_t seq, bool echo);
/* True when `len` bytes are a whole, undamaged datagram. */
bool load_packet_check(const uint8_t *buf, size_t len);

#endif
