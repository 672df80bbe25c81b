/* http1_port.h - HTTP/1 on ports: heads, and an exchange between two (not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_HTTP1_PORT_H
#define GOST_HTTP1_PORT_H

#include <gost/host.h>
#include <gost/http1.h>

/* All is [worker] and belongs to the running step. */

/* ---- heads ---- http1_port.c */

/* How far the head at the front of a port has been looked at. Zeroed: not yet. */
struct gost_http1_reader {
    uint32_t line_ok; /* its first line is fine */
    size_t scanned;
};

/* Parse the head at the front of a port without taking it. GOST_OK; GOST_AGAIN: more is needed and
 * the port has been told so; an error with *ret_why. */
int gost_http1_read_head(struct gost_io *io, struct gost_http1_reader *reader, int is_response,
                         struct gost_http1_head *ret_head, const char **ret_why);

#define GOST_HTTP1_PUT_CLOSE   1u /* add Connection: close */
#define GOST_HTTP1_PUT_KEEP    2u /* add Connection: keep-alive */
#define GOST_HTTP1_PUT_UPGRADE 4u /* pass Upgrade on */
#define GOST_HTTP1_PUT_STRIP   8u /* without Transfer-Encoding */
void gost_http1_put_connection(struct gost_http1_out *out, const struct gost_http1_head *head,
                               uint32_t flags);
/* The response for the client, in its version. */
void gost_http1_put_response(struct gost_http1_out *out, const struct gost_http1_head *head,
                             uint32_t minor, uint32_t flags);

/* Memory for a text of at most size bytes; gost_http1_out_send() sends, wipes and frees it. */
int gost_http1_out_new(struct gost_http1_out *out, size_t size);
int gost_http1_out_send(struct gost_io *io, struct gost_http1_out *out);

/* ---- exchanges ---- http1_exchange.c */

#define GOST_HTTP1_CLIENT   0u
#define GOST_HTTP1_UPSTREAM 1u

/* The exchanges of one client, one after the other. The user fills what it knows of the request. */
struct gost_http1_exchange {
    uint8_t ended;  /* bit n: port n sends no more */
    uint8_t gone;   /* bit n: port n is closed in both directions */
    uint8_t reused; /* this request went to an upstream that had served another one */
    uint8_t kept;   /* the request's head is still queued */
    uint8_t minor;  /* HTTP version of the request */
    uint8_t is_head;
    uint8_t persistent; /* the client wants to send more requests */
    uint8_t closing;    /* no further request is served */
    uint8_t got_head;   /* the response's head has gone to the client */
    uint8_t strip;      /* chunk frames are taken off: the client speaks HTTP/1.0 */
    uint8_t keep_upstream;
    uint8_t pumping;  /* bit n: a pump from port n is under way */
    uint8_t single;   /* it ends with this response, within the time that was set */
    uint8_t switched; /* both sides speak something else now, and are relayed */
    uint32_t head_n;  /* bytes of the request's head */
    struct gost_http1_reader reader;
    struct gost_http1_body up, down;
    char upgrade[40]; /* the protocol asked for with Upgrade */
};

/* What the user of exchanges decides. */
struct gost_http1_how {
    uint64_t read_timeout,
        idle_timeout;          /* ns, 0: none. For the response's head; of a switched one */
    uint32_t keepalive;        /* of the upstream */
    uint32_t tag_up, tag_down; /* of pumps */
    void *owner;
    const void *conf;
    /* The upstream failed before a response: answer the client, return a negative code. */
    int (*failed)(const struct gost_http1_how *how, struct gost_io *io, int code, const char *text);
    /* A reused upstream closed without an answer: once more on a new connection. */
    int (*repeat)(const struct gost_http1_how *how, struct gost_io *io);
    /* The response is complete and the client may go on. x->keep_upstream: the upstream, too. */
    int (*next)(const struct gost_http1_how *how, struct gost_io *io);
};

/* What a request's head says, but for its target: all that later steps need when it may be gone. */
int gost_http1_take_facts(struct gost_http1_exchange *x, const struct gost_http1_head *head,
                          const char **ret_why);

/* The request's head once more, while it is still queued. */
int gost_http1_again(const struct gost_http1_exchange *x, struct gost_io *io,
                     struct gost_http1_head *ret_head);

/* Send the request that was built to the upstream, where the head is `head`; the exchange begins.
 */
int gost_http1_send_request(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                            struct gost_io *io, const struct gost_http1_head *head,
                            struct gost_http1_out *out);

/* The same when the user sent it itself. */
void gost_http1_begin(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                      struct gost_io *io);

/* Go on, after every event of either port. What a step returns. */
int gost_http1_go_on(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                     struct gost_io *io);

/* A pump ended. GOST_OK: go on. */
int gost_http1_pumped(struct gost_http1_exchange *x, const struct gost_http1_how *how,
                      struct gost_io *io, const struct gost_event *ev);

/* The connection is ready for another request. */
void gost_http1_reset(struct gost_http1_exchange *x);

#endif
