/* crossing.c - a plugin for test_crossing.py: what is per worker, on one worker, across workers. */
/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <gost/plugin.h>

struct mine {
    int id, served;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int last_id;

static int worker_init(void **ret_worker)
{
    struct mine *m = calloc(1, sizeof *m);

    if (!m)
        return GOST_ENOMEM;
    pthread_mutex_lock(&lock);
    m->id = ++last_id;
    pthread_mutex_unlock(&lock);
    *ret_worker = m;
    return GOST_OK;
}

static void worker_fini(void *worker)
{
    struct mine *m = worker;

    fprintf(stderr, "fini %d %d\n", m->id, m->served);
    free(m);
}

static int here(void)
{
    const struct mine *m = gost_worker_data();

    return m ? m->id : 0;
}

static int say(struct gost_io *io, const char *word, int a, int b)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%s %d %d\n", word, a, b);

    return gost_send(io, text, (size_t)n);
}

static int acted(int r)
{
    return r == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
}

/* Tells which worker serves, and the how many-th it is there. */
static int each_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    struct mine *m = gost_worker_data();

    if (ev->type != GOST_EV_START)
        return GOST_AGAIN;
    say(io, "each", m->id, ++m->served);
    return GOST_OK;
}

/* The same for a handler that lives on one worker: what it counts needs no lock. */
static int lone_step(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    static int served;

    if (ev->type == GOST_EV_START) {
        say(io, "lone", here(), ++served);
        return GOST_AGAIN;
    }
    (void)gost_move(io, io, gost_rx_len(io));
    return gost_rx_eof(io) ? GOST_OK : GOST_AGAIN;
}

/* Offers itself; each visitor gets a flow of its own. */
static int offer_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct gost_act_spawn a = {{sizeof a, GOST_ACT_SPAWN, 2, 1}, 0, 0, {NULL, 0}, {NULL, 0}};

    if (ev->type == GOST_EV_START) {
        if (gost_endpoint_add(io, "crossing", gost_bytes_str("here"), 1) != GOST_OK)
            return GOST_EINTERNAL;
        say(io, "offered", here(), 0);
        return acted(gost_accept(io, 1, 1, 0));
    }
    if (ev->type == GOST_EV_RESULT && ev->status)
        return ev->status;
    if (ev->type == GOST_EV_RESULT && ev->tag == 1) {
        a.component = gost_bytes_str("crossing.visited");
        return acted(gost_act(io, &a.head));
    }
    if (ev->type == GOST_EV_RESULT)
        return acted(gost_accept(io, 1, 1, 0));
    /* A client that left before it read its line resets the connection: that is no EOF. */
    return (ev->type == GOST_EV_EOF || ev->type == GOST_EV_CLOSED) && ev->port == 0 ? GOST_OK
                                                                                    : GOST_AGAIN;
}

static int visited_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START)
        say(io, "visited", here(), gost_flow(io)->source->port);
    (void)gost_move(io, io, gost_rx_len(io));
    return gost_rx_eof(io) ? GOST_OK : GOST_AGAIN;
}

static int visit_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START) {
        say(io, "visit", here(), 0);
        return acted(gost_dial_endpoint(io, 1, 1, "crossing", gost_bytes_str("here")));
    }
    if (ev->type == GOST_EV_RESULT && ev->status) {
        say(io, "nobody", ev->status, 0);
        return gost_fail(io, ev->status, "%s", ev->text);
    }
    return ev->type == GOST_EV_RESULT ? acted(gost_relay(io, 0, 1, 0)) : GOST_AGAIN;
}

static const struct gost_handler_ops each_ops = {sizeof each_ops, 0, each_step, NULL};
static const struct gost_handler_ops lone_ops = {sizeof lone_ops, 0, lone_step, NULL};
static const struct gost_handler_ops offer_ops = {sizeof offer_ops, 0, offer_step, NULL};
static const struct gost_handler_ops visited_ops = {sizeof visited_ops, 0, visited_step, NULL};
static const struct gost_handler_ops visit_ops = {sizeof visit_ops, 0, visit_step, NULL};

static const struct gost_component components[] = {
    {.kind = GOST_KIND_HANDLER, .name = "each", .summary = "tells its worker", .ops = &each_ops},
    {.kind = GOST_KIND_HANDLER,
     .flags = GOST_COMPONENT_SINGLE,
     .name = "lone",
     .summary = "lives on one worker",
     .ops = &lone_ops},
    {.kind = GOST_KIND_HANDLER, .name = "offer", .summary = "may be visited", .ops = &offer_ops},
    {.kind = GOST_KIND_HANDLER, .name = "visit", .summary = "visits", .ops = &visit_ops},
    {.kind = GOST_KIND_HANDLER,
     .name = "crossing.visited",
     .summary = "a visitor's",
     .ops = &visited_ops},
};

GOST_PLUGIN_FULL("crossing", "1", "MIT", "for a test", components,
                 "handler:each handler:lone handler:offer handler:visit", NULL, worker_init,
                 worker_fini);
