/* exchange_proxy.c - CONNECT over an exchange: a proxy's request, login and answers; a client. */
/* SPDX-License-Identifier: MIT */
#include "exchange_proxy.h"

#include <gost/host.h>

#include "headblock.h"
#include "http1_fields.h"

/* ---- handler ---- */

int gost_exchange_request(struct gost_io *io, struct gost_head *ret_head)
{
    int r;

    gost_phase(io, "the request");
    r = gost_head_recv(io, ret_head);
    if (r == GOST_OK || r == GOST_AGAIN)
        return r;
    return gost_fail(io, GOST_ECLOSED, "the client ended its request before the head");
}

int gost_exchange_login(struct gost_io *io, uint32_t tag, const struct gost_head *head)
{
    uint8_t buf[GOST_HTTP1_BASIC_MAX];
    struct gost_bytes user = gost_bytes(NULL, 0), secret = user;
    struct gost_bytes value = gost_head_get(head, "proxy-authorization");
    int r;

    if (value.n && gost_http1_basic_parse(value, buf, &user, &secret) != GOST_OK)
        user = secret = gost_bytes(NULL, 0);
    r = gost_auth(io, tag, user, secret);
    gost_wipe(buf, sizeof buf);
    return gost_asked(r);
}

int gost_exchange_refuse(struct gost_io *io, uint32_t status, const char *challenge,
                         const struct gost_field *fields, uint32_t n_fields)
{
    const struct gost_field login = {gost_bytes_str("proxy-authenticate"),
                                     gost_bytes_str(challenge)};
    struct gost_head h = {.size = sizeof h, .status = status, .flags = GOST_HEAD_NO_BODY};
    int r;

    h.fields = status == 407 ? &login : fields;
    h.n_fields = status == 407 ? 1 : n_fields;
    r = gost_head_send(io, &h);
    if (r == GOST_OK)
        gost_shut(io);
    return r;
}

int gost_exchange_closed(struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_CANCEL)
        return gost_fail(io, GOST_ECANCELLED, "the service ends");
    if (ev->port == 0)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "the client has gone");
    return GOST_AGAIN;
}

/* ---- connector ---- */

void gost_exchange_put(struct gost_exchange_connect *c, struct gost_bytes name,
                       struct gost_bytes value)
{
    c->too_many |= c->head.n_fields == GOST_EXCHANGE_FIELDS;
    if (c->too_many)
        return;
    c->fields[c->head.n_fields].name = name;
    c->fields[c->head.n_fields++].value = value;
}

void gost_exchange_put_login(struct gost_exchange_connect *c, const char *user,
                             struct gost_bytes password)
{
    struct gost_http1_out out = {(uint8_t *)c->auth, 0, sizeof c->auth, 0};

    if (!user && !password.n)
        return;
    gost_http1_put_basic(&out, gost_bytes_str(user), password);
    gost_exchange_put(c, gost_bytes_str("proxy-authorization"), gost_bytes(c->auth, out.n));
}

int gost_exchange_connect_send(struct gost_exchange_connect *c, struct gost_io *io,
                               const char *agent, uint64_t timeout)
{
    int r;

    c->head.size = sizeof c->head;
    c->head.method = gost_bytes_str("CONNECT");
    c->head.fields = c->fields;
    gost_exchange_put(c, gost_bytes_str("accept-encoding"), gost_bytes_str("gzip"));
    if (agent)
        gost_exchange_put(c, gost_bytes_str("user-agent"), gost_bytes_str(agent));
    r = c->too_many ? GOST_ETOOBIG : gost_head_send(io, &c->head);
    gost_wipe(c->auth, sizeof c->auth);
    if (r != GOST_OK)
        return gost_fail(io, r, "the CONNECT request could not be sent");
    gost_phase(io, "the proxy's answer to CONNECT");
    if (timeout)
        gost_set_deadline(io, gost_now() + timeout);
    return GOST_AGAIN;
}

int gost_exchange_connect_answer(struct gost_io *io, const struct gost_event *ev,
                                 struct gost_head *ret_head)
{
    int r;

    if (ev->type == GOST_EV_DEADLINE)
        return gost_fail(io, GOST_ETIMEDOUT, "the proxy did not answer CONNECT within timeout");
    if (ev->type == GOST_EV_CANCEL)
        return gost_fail(io, GOST_ECANCELLED, "cancelled");
    if (ev->port != 0)
        return GOST_AGAIN;
    do {
        r = gost_head_recv(io, ret_head);
        if (r == GOST_AGAIN)
            return GOST_AGAIN;
        if (r != GOST_OK)
            return gost_fail(io, GOST_ECLOSED, "the proxy ended without an answer to CONNECT");
    } while (ret_head->flags & GOST_HEAD_INTERIM);
    if (ret_head->status != 200)
        return gost_fail(io, gost_http1_error(ret_head->status),
                         "the proxy answered CONNECT with %u %s", (unsigned)ret_head->status,
                         gost_http1_reason(ret_head->status));
    gost_set_deadline(io, 0);
    return GOST_OK;
}
