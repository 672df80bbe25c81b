/* ws.h - what the files of the ws plugin share: configuration and a connection's state. */
/* SPDX-License-Identifier: MIT */
#ifndef WS_H
#define WS_H

#include <gost/host.h>
#include <gost/http1.h>

#include "http1_fields.h"
#include "ws_frame.h"
#include "ws_path.h"

#define WS_KEY_SIZE    24    /* base64 of 16 bytes */
#define WS_ACCEPT_SIZE 28    /* base64 of a SHA-1 digest */
#define WS_MESSAGE_MAX 32768 /* longest message of ours: as much as GOST writes at once */

/* What prepare() derives from the options. Immutable afterwards. */
struct ws_made {
    char path[WS_PATH_MAX];       /* as it is compared */
    char target[3 * WS_PATH_MAX]; /* as it is asked for */
};

struct ws_conf {
    const char *path, *host;
    struct gost_map header;
    uint64_t handshake_timeout, read_header_timeout, ping_interval;
    uint64_t read_size, write_size;
    int64_t backlog;
    uint32_t compression, ping;
    struct ws_made *made;
};

struct ws_inflate;

/* One connection. */
struct ws_state {
    uint8_t client, ready;
    uint8_t deflate; /* permessage-deflate was agreed on */
    uint8_t failed;  /* a Close with an error was sent */
    uint8_t closed;  /* the peer's Close came and was answered */
    uint8_t waiting; /* decode stopped because the reader above is slow */
    /* reading */
    uint8_t message;            /* between the first and the last frame of a message */
    uint8_t in_frame;           /* within a data frame */
    uint8_t fin;                /* which is the last of its message */
    uint8_t deflated;           /* this message is compressed */
    uint8_t pending;            /* and more of it can be had without more input */
    uint8_t key[4];             /* its mask */
    uint32_t mask_at;           /* payload bytes of it read, modulo 4 */
    uint64_t left;              /* payload bytes of it to come */
    uint32_t answered;          /* bytes of Pongs while nothing else could be sent */
    uint64_t alive_at;          /* when something came last */
    struct ws_inflate *inflate; /* while a compressed message is being read */
    /* writing */
    uint32_t out_left; /* bytes of the message that is being sent */
    uint8_t out_begun; /* its first frame is out */
    /* handshake */
    size_t scanned;
    char accept[WS_ACCEPT_SIZE]; /* client: what the server has to answer */
};

/* ---- ws_key.c ---- [any] */

/* A client's key of 16 random bytes. */
void ws_key_put(char key[WS_KEY_SIZE], const uint8_t raw[16]);
/* 1: the base64 of exactly 16 bytes. */
int ws_key_valid(struct gost_bytes key);
void ws_key_accept(char accept[WS_ACCEPT_SIZE], struct gost_bytes key);

/* ---- ws_offer.c ---- [any] */

extern const char ws_deflate_offer[]; /* the client's offer and the server's answer alike */

/* 1: a field Sec-WebSocket-Extensions of a client offers compression that we can do. */
int ws_offer_accepts(const struct gost_http1_head *head);
/* What the server agreed on: GOST_OK and *ret_deflate, or GOST_EPROTO when it is not what we
 * offered. */
int ws_offer_check(const struct gost_http1_head *head, int offered, int *ret_deflate);

/* ---- ws_answer.c, ws_server.c, ws_client.c ---- [worker] */

/* The answer of a plain web server. Returns 1 when the connection may carry another request. */
int ws_answer(struct gost_io *io, uint32_t status, const struct gost_http1_head *head, int body);
/* To something that is no HTTP; ends the connection. */
int ws_answer_no_http(struct gost_io *io, uint32_t status, const char *detail);
/* To a path with dots or double slashes. Returns 1 as ws_answer(). */
int ws_answer_redirect(struct gost_io *io, const struct gost_http1_head *head,
                       struct gost_bytes path, struct gost_bytes query, int body);

int ws_server_handshake(struct ws_state *s, const struct ws_conf *c, struct gost_io *io);
void ws_client_ask(struct ws_state *s, const struct ws_conf *c, struct gost_io *io);
int ws_client_handshake(struct ws_state *s, const struct ws_conf *c, struct gost_io *io);

/* ---- ws_read.c, ws_write.c ---- [worker] */

int ws_decode(void *state, const void *conf, struct gost_io *io);
int ws_encode(void *state, const void *conf, struct gost_io *io);
/* A control frame with at most WS_CONTROL_MAX bytes. */
void ws_send_control(const struct ws_state *s, struct gost_io *io, uint8_t opcode,
                     struct gost_bytes payload);

/* One frame of a message; its payload is p. */
void ws_send_frame(struct gost_io *io, struct ws_head *head, const uint8_t *p);

/* ---- ws_step.c ---- */

extern const struct gost_layer_ops ws_layer_ops;

/* ---- ws_deflate.c ---- [worker] */

/* Decompress `in`, the next bytes of a message; *ret_used is how many were taken. Output goes to
 * app while it has room. GOST_OK: all was taken and given; GOST_FULL: call again with the rest,
 * which may be empty; GOST_EPROTO; GOST_ENOMEM. */
int ws_inflate(struct ws_state *s, struct gost_io *app, struct gost_bytes in, size_t *ret_used);
/* The message is complete. GOST_OK; GOST_FULL: call again; an error as above. */
int ws_inflate_finish(struct ws_state *s, struct gost_io *app);
void ws_inflate_end(struct ws_state *s);
/* Compress the next n bytes of app and send them as one message, in frames of at most `frame`
 * payload bytes. GOST_OK or GOST_ENOMEM. */
int ws_deflate(const struct ws_state *s, struct gost_io *io, struct gost_io *app, size_t n,
               size_t frame);

#endif
