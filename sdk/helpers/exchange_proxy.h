/* exchange_proxy.h - CONNECT over an exchange, both ends (libgost-helpers.a, not installed). */
/* SPDX-License-Identifier: MIT */
#ifndef GOST_EXCHANGE_PROXY_H
#define GOST_EXCHANGE_PROXY_H

#include <gost/component.h>
#include <gost/http1.h>

/* ---- a handler, whose client is port 0 [worker] ---- */

/* The client's request: GOST_OK, GOST_AGAIN, or why the flow fails. */
int gost_exchange_request(struct gost_io *io, struct gost_head *ret_head);

/* Asks whether the login of the request may come in; what a step returns then. */
int gost_exchange_login(struct gost_io *io, uint32_t tag, const struct gost_head *head);

/*
 * An answer without a body, and the end of what the client is told. A 407 has the challenge (the
 * value of proxy-authenticate) and nothing else; any other status has the fields.
 */
int gost_exchange_refuse(struct gost_io *io, uint32_t status, const char *challenge,
                         const struct gost_field *fields, uint32_t n_fields);

/* What a step returns to CANCEL and to CLOSED: without its client a request is over. */
int gost_exchange_closed(struct gost_io *io, const struct gost_event *ev);

/* ---- a connector, whose proxy is port 0 [worker] ---- */

#define GOST_EXCHANGE_FIELDS 80u

/* The request while it is made. Zeroed: empty. */
struct gost_exchange_connect {
    struct gost_head head; /* the caller's: authority, protocol, scheme and path, all borrowed */
    struct gost_field fields[GOST_EXCHANGE_FIELDS];
    int too_many;
    char auth[16 + GOST_HTTP1_BASIC_MAX / 3 * 4 + 4]; /* wiped when it is sent */
};

/* One more field, borrowed. With more than GOST_EXCHANGE_FIELDS of them nothing can be sent. */
void gost_exchange_put(struct gost_exchange_connect *c, struct gost_bytes name,
                       struct gost_bytes value);

/* proxy-authorization, when there is a user (may be NULL) or a password. */
void gost_exchange_put_login(struct gost_exchange_connect *c, const char *user,
                             struct gost_bytes password);

/* Sends it with accept-encoding and the agent (NULL: it is among the fields), and waits for the
 * answer up to `timeout` ns (0: for ever). What a step returns then. */
int gost_exchange_connect_send(struct gost_exchange_connect *c, struct gost_io *io,
                               const char *agent, uint64_t timeout);

/* An event that came while it waited. GOST_OK: 200, *ret_head lives until the next head is taken;
 * GOST_AGAIN; or why the flow fails. */
int gost_exchange_connect_answer(struct gost_io *io, const struct gost_event *ev,
                                 struct gost_head *ret_head);

#endif
