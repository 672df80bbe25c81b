/* ssh_request.c - global requests: signs of life, listeners for the peer. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "ssh_channel.h"

#define CONTROL_BASE (1ull << 32) /* numbers of control streams: above those of channels */

/* ---- answers, in the order of the requests ---- */

static int flush(struct ssh_state *s)
{
    struct ssh_ask *a;
    int r = GOST_OK;

    while (r == GOST_OK && (a = s->asks) && a->stream == 0) {
        struct ssh_out m = {0};

        ssh_put_u8(&m, a->status ? SSH_REQUEST_FAILURE : SSH_REQUEST_SUCCESS);
        ssh_put(&m, a->payload.p, a->payload.n);
        m.bad |= a->payload.bad;
        s->asks = a->next;
        s->n_asks--;
        ssh_out_free(&a->payload);
        free(a);
        r = ssh_send(s, &m);
    }
    return r;
}

static struct ssh_ask *add(struct ssh_state *s, uint64_t stream, int status)
{
    struct ssh_ask **at = &s->asks, *a;

    if (s->n_asks >= SSH_ASKS_MAX || !(a = calloc(1, sizeof *a)))
        return NULL;
    while (*at)
        at = &(*at)->next;
    *at = a;
    s->n_asks++;
    a->stream = stream;
    a->status = status;
    return a;
}

static int answer_now(struct ssh_state *s, int status, const char *payload)
{
    struct ssh_ask *a = add(s, 0, status);

    if (!a)
        return ssh_fail(s, GOST_ELIMIT, 2, "too many requests that wait for an answer");
    ssh_put(&a->payload, payload, strlen(payload));
    return flush(s);
}

int ssh_answer(struct ssh_state *s, uint64_t stream, int status, struct gost_bytes payload)
{
    struct ssh_ask *a = s->asks;

    while (a && a->stream != stream)
        a = a->next;
    if (!a)
        return GOST_OK;
    a->stream = 0;
    a->status = status;
    ssh_put(&a->payload, payload.p, payload.n);
    return flush(s);
}

void ssh_asks_free(struct ssh_state *s)
{
    struct ssh_ask *a;

    while ((a = s->asks)) {
        s->asks = a->next;
        ssh_out_free(&a->payload);
        free(a);
    }
    s->n_asks = 0;
}

/* ---- a listener for the peer: a stream whose user listens ---- */

static int open_listener(struct ssh_state *s, struct gost_bytes data, uint8_t wants_reply)
{
    uint64_t id = CONTROL_BASE + s->next_control;
    struct ssh_in in = ssh_in(data);
    struct gost_io *port;
    struct ssh_out arg = {0};
    struct ssh_channel *c;
    int r;

    (void)ssh_get_string(&in);
    if (ssh_get_u32(&in) > 65535 || in.bad || in.n || data.n > SSH_OPEN_LIMIT ||
        !s->conf->forwards || !s->server || s->n_asks >= SSH_ASKS_MAX ||
        s->n_listeners >= SSH_LISTENERS_MAX || !(port = gost_stream_new(s->io, id, 0)))
        return wants_reply ? answer_now(s, GOST_EPEER, "") : GOST_OK;
    s->next_control++;
    s->n_listeners++;
    ssh_put_text(&arg, "tcpip-forward");
    ssh_put(&arg, data.p, data.n);
    r = ssh_attach(port, &c);
    if (r == GOST_OK)
        r = gost_stream_set_arg(port, ssh_out_bytes(&arg));
    ssh_out_free(&arg);
    if (r != GOST_OK || (wants_reply && !add(s, id, 0)))
        return gost_fail(s->io, GOST_ENOMEM, "out of memory");
    c->control = 1;
    c->peer_id = gost_get32(data.p + data.n - 4); /* the port that was asked for */
    gost_stream_set_credit(port, UINT64_MAX);
    return GOST_OK;
}

/* Its user says once whether it listens. The port is told only to who did not choose it. */
int ssh_control_data(struct ssh_state *s, struct gost_io *port)
{
    struct ssh_channel *c = gost_data(port);
    const uint8_t *p = gost_take(port, SSH_CONTROL);
    uint8_t answer[SSH_CONTROL];

    if (!p)
        return GOST_OK;
    memcpy(answer, p, sizeof answer);
    return ssh_answer(s, gost_stream_id(port), answer[0],
                      gost_bytes(answer + 1, answer[0] || c->peer_id ? 0 : 4));
}

/* ---- requests ---- */

int ssh_global_request(struct ssh_state *s, struct gost_bytes payload)
{
    struct ssh_in in = ssh_in(payload);
    struct gost_bytes name;
    uint8_t wants_reply;

    (void)ssh_get_u8(&in);
    name = ssh_get_string(&in);
    wants_reply = ssh_get_u8(&in);
    if (in.bad)
        return ssh_fail(s, GOST_EPROTO, 2, "a request that is cut off");
    if (ssh_is(name, "tcpip-forward"))
        return open_listener(s, gost_bytes(in.p, in.n), wants_reply);
    if (!wants_reply)
        return GOST_OK;
    if (ssh_is(name, "ping") && s->server && s->conf->forwards)
        return answer_now(s, 0, "pong");
    return answer_now(s, GOST_EUNSUPPORTED, "");
}

int ssh_ping(struct ssh_state *s)
{
    struct ssh_out m = {0};

    ssh_put_u8(&m, SSH_GLOBAL_REQUEST);
    ssh_put_text(&m, "ping");
    ssh_put_u8(&m, 1);
    s->pings++;
    return ssh_send(s, &m);
}

/* Whether the peer knows the request or not: it lives. */
int ssh_global_reply(struct ssh_state *s)
{
    if (!s->pings)
        return ssh_fail(s, GOST_EPROTO, 2, "an answer without a request");
    s->pings--;
    s->misses = 0;
    s->give_up_at = 0;
    gost_session_alive(s->io);
    return GOST_OK;
}
