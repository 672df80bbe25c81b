/* pht.h - the pht plugin: one stream in many HTTP exchanges, GOST's plain HTTP tunnel. */
/* SPDX-License-Identifier: MIT */
#ifndef PHT_H
#define PHT_H

#include <gost/plugin.h>

#define PHT_TOKEN_MAX 64u /* of others; ours have 20 */
#define PHT_TOKEN     20u
#define PHT_LINE      32768u /* bytes of the stream in one line */
#define PHT_KEY_MAX   200u

struct pht_conf {
    const char *authorize, *push, *pull; /* paths */
    const char *host;
    struct gost_map header;
    int64_t max_tunnels;
    uint64_t heartbeat, timeout, remember; /* ns */
};

/* ---- pht_wire.c: pure ---- */

/* A line of base64 while it comes in. */
struct pht_decoder {
    uint32_t acc, digits, pads;
};

/* Decode from `in` to `to` (room for 3 bytes for each 4 of it, and 3 more). Stops behind the end of
 * a line: *ret_line is 1. Returns the bytes of `in` that were used, or GOST_EPROTO. */
int pht_decode(struct pht_decoder *d, struct gost_bytes in, uint8_t *to, size_t *ret_n,
               int *ret_line);
/* The line of `data`: base64 and a line end. `to` has room for pht_line_size(data.n). */
size_t pht_line_size(size_t n);
size_t pht_line(char *to, struct gost_bytes data);
/* The value of `token` in a query; .n 0: none that can be used. */
struct gost_bytes pht_query_token(struct gost_bytes query);
/* The token in the answer to authorize. */
struct gost_bytes pht_answer_token(struct gost_bytes body);
int pht_is_token(struct gost_bytes t);
/* 20 digits of 96 random bits. */
void pht_token(char *to, const uint8_t *random12);

/* ---- the server: a gate for each exchange, a tunnel for each token ---- */

/* What a gate says first to its tunnel. */
#define PHT_PUSH 'P'
#define PHT_PULL 'G'

enum pht_gate_phase {
    GATE_REQUEST = 0, /* waits for the head */
    GATE_SEEK,        /* looks for the tunnel */
    GATE_PUSH,        /* hands bytes over */
    GATE_PUSHED,      /* waits for the tunnel's word */
    GATE_PULL,
    GATE_DONE
};

enum pht_slot { SLOT_FREE = 0, SLOT_ACCEPTING, SLOT_NEW, SLOT_PUSH, SLOT_PULL };

#define PHT_STREAM     1u /* the tunnel's port to the service's handler */
#define PHT_FIRST_SLOT 2u

struct pht_gate {
    uint32_t phase; /* enum pht_gate_phase */
    uint32_t pull, claimed, tries, line_done;
    struct pht_decoder in;
    uint64_t sent_at; /* when the last line went out */
    uint32_t visit;   /* the port of the tunnel; 0: not open */
    uint32_t key_n;
    char key[PHT_KEY_MAX];
};

struct pht_tunnel {
    uint32_t slot[GOST_PORTS]; /* enum pht_slot; that of 0 is the first visitor */
    uint32_t got[GOST_PORTS];  /* a push had bytes */
    uint32_t open;             /* the service's handler is there */
    uint32_t counted;
    uint64_t lonely_since; /* no pull since; 0: there is one */
    uint32_t key_n;
    char key[PHT_KEY_MAX];
};

/* One handler in two parts: which one is decided by what port 0 is. */
struct pht_server {
    uint32_t is_tunnel;
    union {
        struct pht_gate gate;
        struct pht_tunnel tunnel;
    } u;
};

int pht_gate_step(struct pht_gate *g, const struct pht_conf *c, struct gost_io *io,
                  const struct gost_event *ev);
int pht_tunnel_step(struct pht_tunnel *t, const struct pht_conf *c, struct gost_io *io,
                    const struct gost_event *ev);
void pht_tunnel_gone(struct pht_tunnel *t);

/* What this worker has. */
struct pht_worker {
    int64_t tunnels;
};

/* pht_answer.c: what a server says */
int pht_answer(struct gost_io *io, uint32_t status);
int pht_answer_missing(struct gost_io *io);
int pht_answer_token_page(struct gost_io *io);
int pht_answer_pull(struct gost_io *io);

/* pht_line.c: the next n bytes of `from` (at most PHT_LINE) as one line. */
int pht_send_line(struct gost_io *to, struct gost_io *from, size_t n);

/* Names of tables. */
#define PHT_ENDED  "pht.ended"
#define PHT_CLAIMS "pht.claims"

/* ---- pht_client.c: one stream that we opened ---- */

enum pht_client_phase { CLIENT_TOKEN = 0, CLIENT_OPEN };
enum pht_push_phase { PUSH_IDLE = 0, PUSH_DIALING, PUSH_ANSWER };

struct pht_client {
    uint32_t phase; /* enum pht_client_phase */
    uint32_t push;  /* enum pht_push_phase */
    uint32_t
        got_head; /* the status of the answer to authorize, or to the pull under way; 0: none */
    uint32_t pulling, lines, ended, last;
    struct pht_decoder in;
    uint32_t token_n;
    char token[PHT_TOKEN_MAX];
};

int pht_client_step(struct pht_client *s, const struct pht_conf *c, struct gost_io *io,
                    const struct gost_event *ev);
/* pht_request.c: what a client asks */
enum pht_ask { PHT_ASK_TOKEN, PHT_ASK_PULL, PHT_ASK_PUSH };
int pht_request(struct gost_io *to, const struct pht_conf *c, enum pht_ask what,
                struct gost_bytes token, size_t length);

#endif
