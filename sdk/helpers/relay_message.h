/* relay_message.h - messages of GOST's relay protocol (libgost-helpers.a, not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_RELAY_MESSAGE_H
#define GOST_RELAY_MESSAGE_H

#include <gost/action.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gost_relay_command {
    GOST_RELAY_CONNECT = 1,
    GOST_RELAY_BIND = 2,
    GOST_RELAY_ASSOCIATE = 3,
    GOST_RELAY_UDP_FLAG = 0x80
};

enum gost_relay_status {
    GOST_RELAY_OK = 0,
    GOST_RELAY_BAD_REQUEST = 1,
    GOST_RELAY_UNAUTHORIZED = 2,
    GOST_RELAY_FORBIDDEN = 3,
    GOST_RELAY_TIMEOUT = 4,
    GOST_RELAY_UNAVAILABLE = 5,
    GOST_RELAY_HOST_UNREACHABLE = 6,
    GOST_RELAY_NET_UNREACHABLE = 7,
    GOST_RELAY_INTERNAL = 8
};

enum gost_relay_network {
    GOST_RELAY_TCP = 0,
    GOST_RELAY_UDP = 1,
    GOST_RELAY_IP = 2,
    GOST_RELAY_UNIX = 0x10,
    GOST_RELAY_SERIAL = 0x11
};

/* Of a tunnel or of one of its clients: a UUID, a byte of flags, two zeros, a weight. */
#define GOST_RELAY_ID 20

/* A request or a response; the first code is the command or the status. */
struct gost_relay_message {
    uint8_t code;
    uint8_t n_addr, has_auth, has_network, has_id;
    uint16_t network;
    struct gost_addr addr, second;    /* NONE with a port when the host is empty */
    struct gost_bytes user, password; /* views into the input */
    uint8_t id[GOST_RELAY_ID];
};

#define GOST_RELAY_HEAD 4

/* The four bytes of a head: length of the features behind it, or GOST_EPROTO. [any] */
int gost_relay_head(const uint8_t head[GOST_RELAY_HEAD]);

/* The features, all of them. GOST_OK or GOST_EPROTO. Unknown features are passed over. [any] */
int gost_relay_features(struct gost_relay_message *m, struct gost_bytes features);

/*
 * Writing: features one behind the other from buf + GOST_RELAY_HEAD, each call returns where the
 * next one begins; then finish writes the head and returns the length of the whole. [any]
 */
#define GOST_RELAY_ADDR_MAX (3 + GOST_SOCKS_ADDR_MAX)
#define GOST_RELAY_REQUEST_MAX \
    (GOST_RELAY_HEAD + 5 + 3 + 2 + 510 + 2 * GOST_RELAY_ADDR_MAX + 3 + GOST_RELAY_ID)
uint8_t *gost_relay_put_network(uint8_t *p, uint16_t network);
uint8_t *gost_relay_put_auth(uint8_t *p, struct gost_bytes user, struct gost_bytes password);
uint8_t *gost_relay_put_addr(uint8_t *p, const struct gost_addr *a);
uint8_t *gost_relay_put_id(uint8_t *p, const uint8_t id[GOST_RELAY_ID]);
size_t gost_relay_finish(uint8_t *buf, uint8_t code, const uint8_t *end);

/* Write a response with an address feature, or without (addr NULL). */
#define GOST_RELAY_RESPONSE_MAX (GOST_RELAY_HEAD + GOST_RELAY_ADDR_MAX)
size_t gost_relay_put_response(uint8_t buf[GOST_RELAY_RESPONSE_MAX], uint8_t status,
                               const struct gost_addr *addr);

int gost_relay_error(uint8_t status); /* enum gost_error */
const char *gost_relay_text(uint8_t status);
uint32_t gost_relay_to_network(const struct gost_relay_message *m); /* enum gost_network */

/*
 * Take exactly one message from the input of a port: what follows it is somebody else's. GOST_OK:
 * it is in *ret_message, without credentials. GOST_AGAIN: not there yet. Else it is none; nothing
 * is recorded. [worker]
 */
int gost_relay_take(struct gost_io *io, struct gost_relay_message *ret_message);

/* The same for an answer that must be success; else failed, with a text. `peer` is what the other
 * end is called: "relay". [worker] */
int gost_relay_answer(struct gost_io *io, const char *peer, struct gost_relay_message *ret_message);

/* A request, not consumed: credentials are views. *ret_n is its length. Failed with a text. */
int gost_relay_peek_request(struct gost_io *io, struct gost_relay_message *ret_message,
                            size_t *ret_n);

/* Takes a request and asks whether its user may come in. GOST_OK: *ret_message is it, without
 * credentials, and the RESULT will come; else what a step returns. [worker] */
int gost_relay_request(struct gost_io *io, uint32_t tag, struct gost_relay_message *ret_message);

/* A response to the port: an address feature, or none (addr NULL). [worker] */
void gost_relay_respond(struct gost_io *io, uint8_t status, const struct gost_addr *addr);

/* The same for a refusal; the flow fails with the error and the text, or what the status says (text
 * NULL). What a step returns. [worker] */
int gost_relay_refuse(struct gost_io *io, uint8_t status, int error, const char *text);

/*
 * The client's BIND of streams, once its request is sent: the answer, then a session in which the
 * peer opens a stream for each connection that arrives there, and says in front of it who came.
 * Zeroed: at its start. The caller looks after its own deadline for the answer. [worker]
 */
#define GOST_RELAY_HEADS 6 /* streams whose head is awaited at a time: ports 1 to 6 */
struct gost_relay_binder {
    uint8_t phase;
    uint8_t coding; /* bit n: the codec of port n is under way */
    struct gost_addr peer[GOST_RELAY_HEADS + 1];
};

struct gost_relay_binding {
    const char *peer;    /* what the other end is called */
    const char *session; /* argument of the layer smux: "1", "2 1048576" */
    const char *codec;   /* put on every stream before it is handed on; NULL: none */
};

/* Makes the connection at port 0 a session. What a step returns. [worker] */
int gost_relay_session(struct gost_io *io, uint32_t tag, uint32_t role, const char *session);

/* What every client's step begins with: its deadline (0: none), and the end of port 0. GOST_OK: go
 * on. [worker] */
int gost_relay_common(struct gost_io *io, const struct gost_event *ev, uint64_t timeout_ns,
                      const char *peer);

/* The step of a handler whose port 0 and port 1 are to be relayed: a child of SPAWN. [worker] */
int gost_visitor_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev);

/* What a step returns. */
int gost_relay_bind_step(struct gost_relay_binder *b, const struct gost_relay_binding *how,
                         struct gost_io *io, const struct gost_event *ev);

#ifdef __cplusplus
}
#endif
#endif
