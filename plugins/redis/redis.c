/* redis.c - policy source: a set, list, hash or string of a redis server. */
/* SPDX-License-Identifier: MIT */
#include "redis.h"

#include <stdlib.h>

enum { WIRE = 1 };

struct redis_state {
    struct redis_answer answer;
};

/* `q` NULL: fetch. */
static int opened(struct redis_state *s, const struct redis_conf *cf, const struct gost_q_record *q,
                  struct gost_io *io, const struct gost_event *ev)
{
    struct gost_io *wire = gost_port(io, WIRE);
    char *text;
    size_t n;
    int r;

    if (ev->status != GOST_OK || !wire)
        return gost_fail(io, ev->status ? ev->status : GOST_ECLOSED, "%s",
                         ev->text ? ev->text : "it cannot be reached");
    r = q ? redis_record_commands(cf, q->data, &text, &n, &s->answer.left)
          : redis_commands(cf, &text, &n, &s->answer.left);
    if (r != GOST_OK)
        return gost_fail(io, GOST_ENOMEM, "out of memory");
    (void)gost_send(wire, text, n);
    gost_wipe(text, n);
    free(text);
    gost_phase(io, "the reply");
    return GOST_AGAIN;
}

static int read_reply(struct redis_state *s, uint32_t type, struct gost_io *io)
{
    struct gost_io *wire = gost_port(io, WIRE);
    struct gost_bytes b;
    int r = GOST_AGAIN;

    while (wire && r == GOST_AGAIN && (b = gost_rx(wire)).n > 0) {
        r = redis_feed(&s->answer, type, b);
        gost_consume(wire, b.n);
    }
    if (r == GOST_AGAIN)
        return r;
    if (r != GOST_OK)
        return gost_fail(io, r, "%s", s->answer.error);
    if (type != REDIS_NO_DATA)
        gost_source_data(io, gost_bytes(s->answer.data, s->answer.n));
    return GOST_OK;
}

static int any_step(struct redis_state *state, const struct redis_conf *cf,
                    const struct gost_q_record *q, struct gost_io *io, const struct gost_event *ev)
{
    switch (ev->type) {
    case GOST_EV_START:
        gost_phase(io, "the connection");
        (void)gost_dial(io, 0, WIRE, GOST_NET_TCP, &cf->addr);
        return GOST_AGAIN;
    case GOST_EV_RESULT:
        return opened(state, cf, q, io, ev);
    case GOST_EV_READABLE:
        return ev->port == WIRE ? read_reply(state, q ? REDIS_NO_DATA : cf->type, io) : GOST_AGAIN;
    case GOST_EV_EOF:
    case GOST_EV_CLOSED:
        return ev->port == WIRE ? gost_fail(io, GOST_ECLOSED,
                                            "the connection ended before the reply was complete")
                                : GOST_AGAIN;
    default:
        return GOST_AGAIN;
    }
}

static int source_step(void *state, const void *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    return any_step(state, conf, NULL, io, ev);
}

static int recorder_step(void *state, const void *conf, struct gost_io *io,
                         const struct gost_event *ev)
{
    const struct gost_q_record *q = gost_question(io);

    if (!q)
        return gost_fail(io, GOST_EINTERNAL, "there is nothing to record");
    return any_step(state, conf, q, io, ev);
}

static void redis_destroy(void *state)
{
    redis_answer_free(&((struct redis_state *)state)->answer);
}

static int redis_prepare(void *conf, struct gost_prepare *p)
{
    struct redis_conf *cf = conf;

    if (cf->addr.family == GOST_AF_NONE)
        (void)gost_addr_set_host(&cf->addr, "localhost", 9, cf->addr.port);
    if (cf->addr.port == 0)
        cf->addr.port = 6379;
    return GOST_OK;
}

/* Where the server is, and how to log in. */
#define SERVER_OPTIONS                                                                    \
    GOST_OPT_ADDRESS(struct redis_conf, addr, "addr", "localhost:6379", GOST_OPT_CLIENT,  \
                     "host:port of the server"),                                          \
        GOST_OPT_INT(struct redis_conf, db, "db", "0", 0, 1 << 20, NULL, GOST_OPT_CLIENT, \
                     "the database"),                                                     \
        GOST_OPT_STRING(struct redis_conf, username, "username", NULL, GOST_OPT_CLIENT,   \
                        "name to log in with; only together with a password"),            \
        GOST_OPT_SECRET(struct redis_conf, password, "password", 0, GOST_OPT_CLIENT,      \
                        "password to log in with")

static const struct gost_opt options[] = {
    SERVER_OPTIONS,
    GOST_OPT_STRING(struct redis_conf, key, "key", "gost", GOST_OPT_CLIENT, "the key to read"),
    GOST_OPT_ENUM(struct redis_conf, type, "type", "set", "set list hash string", GOST_OPT_CLIENT,
                  "what is stored there; a policy knows which it can use"),
    GOST_OPT_LAST};

static const struct gost_opt recorder_options[] = {
    SERVER_OPTIONS,
    GOST_OPT_STRING(struct redis_conf, key, "key", NULL, GOST_OPT_REQUIRED | GOST_OPT_CLIENT,
                    "the key that records are added to"),
    GOST_OPT_ENUM(struct redis_conf, type, "type", "set", "set list sset", GOST_OPT_CLIENT,
                  "SADD, LPUSH, or ZINCRBY by 1"),
    GOST_OPT_LAST};

static const struct gost_source_ops source_ops = {
    .size = sizeof source_ops, .step = source_step, .destroy = redis_destroy};

static const struct gost_remote_ops recorder_ops = {.size = sizeof recorder_ops,
                                                    .policy = GOST_POLICY_RECORDER,
                                                    .step = recorder_step,
                                                    .destroy = redis_destroy};

static const struct gost_component components[] = {
    {GOST_KIND_SOURCE, 0, "redis", NULL, "policy data from a redis server", &source_ops, options,
     sizeof(struct redis_conf), sizeof(struct redis_state), redis_prepare, NULL},
    {GOST_KIND_REMOTE, 0, "redis-recorder", NULL, "records to a redis server", &recorder_ops,
     recorder_options, sizeof(struct redis_conf), sizeof(struct redis_state), redis_prepare, NULL},
};

GOST_PLUGIN("redis", "1.0", "MIT", "policy data from redis servers, and records to them",
            components, "source:redis remote:redis-recorder");
