/* test_endpoint.c - visitors of endpoints on another worker, handlers that live on one, tables. */
/* SPDX-License-Identifier: MIT */
#include "bridge_world.h"

#include "../../host/endpoint_private.h"

static int acted(int r)
{
    return r == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
}

/* ---- owners ---- */

/* An owner with a session: its peer, in the same worker, plays `part` on each stream. */
struct owner {
    const char *key;
    uint32_t weight;
    int session;
    int added, remove;
    unsigned worker;
    struct gh_flow *flow;
    struct ge_stack *peer; /* the other end of its port 0 */
    struct ge_flow *peer_flow;
    struct part part[64];
    int visitors;
    struct gost_addr source; /* of the last accepted one */
    int gone;
};

static int echo(struct gost_io *io)
{
    if (!io)
        return GOST_AGAIN;
    (void)gost_move(io, io, gost_rx_len(io));
    if (gost_rx_eof(io))
        gost_shut(io);
    return GOST_AGAIN;
}

static int owner_step(void *state, const void *conf, struct gost_io *io,
                      const struct gost_event *ev)
{
    struct owner *o;

    memcpy(&o, gost_arg(io).p, sizeof o);
    o->worker = gh_worker_index(gh_worker_current());
    if (ev->type == GOST_EV_START && o->session)
        return acted(gost_upgrade(io, 1, 0, GOST_SERVER, "mux"));
    if (ev->type == GOST_EV_CLOSED && ev->port == 0)
        return ev->status;
    if (ev->type == GOST_EV_START || (ev->type == GOST_EV_RESULT && ev->tag == 1)) {
        o->added = gost_endpoint_add(io, "t", gost_bytes_str(o->key), o->weight) == GOST_OK;
        return o->session ? GOST_AGAIN : acted(gost_accept(io, 2, 1, 0));
    }
    if (ev->type == GOST_EV_RESULT && ev->tag == 2 && ev->status == 0) {
        o->visitors++;
        o->source = ((const struct gost_result_dial *)ev->result)->remote;
        return GOST_AGAIN;
    }
    if (ev->port == 0 && ev->type == GOST_EV_READABLE) {
        gost_consume(io, gost_rx_len(io));
        gost_endpoint_remove(io, "t", gost_bytes_str(o->key));
        o->remove = 1;
        return GOST_AGAIN;
    }
    return echo(gost_port(io, 1));
}

static const struct gost_handler_ops owner_ops = {sizeof owner_ops, 0, owner_step, NULL};
static const struct gost_component owner = {
    .kind = GOST_KIND_HANDLER, .name = "owner", .summary = "t", .ops = &owner_ops};

static void owner_stream(struct ge_stack *session, void *arg, struct ge_stack *stream)
{
    struct owner *o = arg;
    struct part *p = &o->part[o->visitors++ % 64];
    struct gh_flow *f = flow_new();

    play(&talk, f, stream, p);
}

static void owner_open(void *arg)
{
    struct owner *o = arg;
    struct gh_flow *f = flow_new();
    struct ge_stack *near;
    struct ge_layer_spec spec = {
        .component = &mux_component, .conf = &port_conf, .role = GOST_CLIENT};

    o->peer_flow = ge_flow_new(gh_worker_engine(gh_worker_current()));
    ge_stack_pair(o->peer_flow, GOST_STREAM, &near, &o->peer);
    if (o->session) {
        ge_stack_push(o->peer, &spec);
        ge_session_on_stream(o->peer, owner_stream, o);
    }
    ge_stack_set_flow(near, f->ge);
    o->flow = gh_flow_handle(f, near, &owner, NULL, gost_bytes(&o, sizeof o)) ? f : NULL;
}

static void owner_end(void *arg)
{
    struct owner *o = arg;

    gh_flow_end(o->flow, 0, NULL);
}

static void owner_free(void *arg)
{
    struct owner *o = arg;

    ge_stack_free(o->peer, 0);
    ge_flow_unref(o->peer_flow);
    o->gone = 1;
}

static int owner_start(unsigned worker, struct owner *o)
{
    on(worker, owner_open, o);
    return until(worker, is_set, &o->added);
}

static void owner_stop(unsigned worker, struct owner *o)
{
    on(worker, owner_end, o);
    on(worker, owner_free, o);
}

/* ---- visitors ---- */

struct visitor {
    const char *key;
    struct part part; /* played by the visitor's own client */
    int result, done;
    int watch; /* it does not relay, but looks how its stream ends */
    int closed;
    size_t got;
    uint64_t code;
    unsigned worker;
    struct gh_flow *flow, *client;
};

static int watch_step(struct visitor *v, struct gost_io *io, const struct gost_event *ev)
{
    struct gost_io *s = gost_port(io, 1);

    if (s && gost_rx_len(s)) {
        v->got += gost_rx_len(s);
        gost_consume(s, gost_rx_len(s));
    }
    if (ev->type != GOST_EV_CLOSED || ev->port != 1)
        return GOST_AGAIN;
    v->code = ev->code;
    v->closed = 1;
    return GOST_OK;
}

static int visitor_step(void *state, const void *conf, struct gost_io *io,
                        const struct gost_event *ev)
{
    struct visitor *v;

    memcpy(&v, gost_arg(io).p, sizeof v);
    v->worker = gh_worker_index(gh_worker_current());
    if (ev->type == GOST_EV_START)
        return acted(gost_dial_endpoint(io, 1, 1, "t", gost_bytes_str(v->key)));
    if (v->watch && v->done)
        return watch_step(v, io, ev);
    if (ev->type != GOST_EV_RESULT)
        return GOST_AGAIN;
    v->result = ev->status;
    v->done = 1;
    if (ev->status)
        return gost_fail(io, ev->status, "%s", ev->text);
    return v->watch ? GOST_AGAIN : acted(gost_relay(io, 0, 1, 0));
}

static const struct gost_handler_ops visitor_ops = {sizeof visitor_ops, 0, visitor_step, NULL};
static const struct gost_component visitor = {
    .kind = GOST_KIND_HANDLER, .name = "visitor", .summary = "t", .ops = &visitor_ops};

static void visitor_open(void *arg)
{
    struct visitor *v = arg;
    struct gh_flow *f = flow_new(), *g = flow_new();
    struct part *p = &v->part;
    struct ge_stack *a, *b;

    f->ge->source = (struct gost_addr){.family = GOST_AF_IP4, .ip = {198, 51, 100, 7}, .port = 77};
    ge_stack_pair(f->ge, GOST_STREAM, &a, &b);
    v->client = play(&talk, g, b, p);
    v->flow = gh_flow_handle(f, a, &visitor, NULL, gost_bytes(&v, sizeof v)) ? f : NULL;
}

static int visit(unsigned worker, struct visitor *v)
{
    on(worker, visitor_open, v);
    return until(worker, is_set, &v->done) && until(worker, has_ended, &v->part);
}

static int went_well(const struct visitor *v, size_t n)
{
    return v->result == 0 && v->part.got == n && !v->part.bad && !v->part.closed;
}

/* ---- tests ---- */

static void test_nobody(void)
{
    static struct visitor v = {.key = "k"};

    ok(visit(0, &v) && v.result == GOST_ENOROUTE, "a key that nobody serves has no route");
    ok(nothing_left(), "nothing is left");
}

static void test_session(void)
{
    static struct owner o = {.key = "k", .session = 1, .part = {{.send = 400000}, {.send = 9}}};
    static struct visitor v = {.key = "k", .part = {.send = 300000}};
    static struct visitor same = {.key = "k", .part = {.send = 5}};

    ok(owner_start(1, &o), "a session is offered");
    ok(visit(0, &v) && went_well(&v, 400000), "a visitor of another worker gets a stream of it");
    ok(until(1, has_ended, &o.part[0]) && v.worker == 0 && o.worker == 1 && o.part[0].worker == 1,
       "visitor and owner were on different workers");
    ok(o.part[0].got == 300000 && !o.part[0].bad && o.part[0].eof, "whose peer hears all it says");
    ok(visit(1, &same) && went_well(&same, 9) && same.worker == 1,
       "so does one of the same worker");
    on(1, owner_end, &o);
    v.done = v.part.eof = 0;
    ok(visit(0, &v) && v.result == GOST_ENOROUTE, "an offer ends with its task");
    on(1, owner_free, &o);
    ok(nothing_left(), "nothing is left");
}

/* A reset passes three joints: the session, the bridge and the visitor's port. */
static void test_reset(void)
{
    static struct owner o = {.key = "k", .session = 1, .part = {{.send = 70000, .abort = 55}}};
    static struct visitor v = {.key = "k", .watch = 1};

    o.part[0].go = 1;
    (void)owner_start(1, &o);
    on(0, visitor_open, &v);
    ok(until(0, is_set, &v.closed) && v.code == 55 && v.worker != o.worker,
       "a reset by the owner's peer reaches the visitor, with its code");
    owner_stop(1, &o);
    ok(nothing_left(), "nothing is left");
}

static void test_accept(void)
{
    static struct owner o = {.key = "plain"};
    static struct visitor v = {.key = "plain", .part = {.send = 200000}};

    ok(owner_start(1, &o), "a task without a session offers itself");
    ok(visit(0, &v) && went_well(&v, 200000), "ACCEPT gives it a visitor");
    ok(until(1, is_set, &o.visitors) && v.worker != o.worker && o.source.port == 77 &&
           o.source.ip[0] == 198,
       "of another worker, with its source");
    owner_stop(1, &o);
    ok(nothing_left(), "nothing is left");
}

static void test_crowd(void)
{
    static struct owner o = {.key = "plain"};
    static struct visitor v[80];
    int refused = 0, ended = 1;

    ok(owner_start(1, &o), "one that accepts one visitor");
    for (int i = 0; i < 80; i++) {
        v[i].key = "plain";
        v[i].part.send = 10;
        on(0, visitor_open, &v[i]);
    }
    for (int i = 0; i < 80; i++)
        (void)until(0, is_set, &v[i].done);
    for (int i = 0; i < 80; i++)
        refused += v[i].result == GOST_ELIMIT;
    ok(refused == 80 - 65, "a bounded number waits, the others are refused");
    owner_stop(1, &o);
    for (int i = 0; i < 80; i++)
        ended &= until(0, has_ended, &v[i].part);
    ok(ended, "when it leaves, those who wait are told");
    ok(nothing_left(), "nothing is left");
}

/* Another owner is asked when the session of one is dead. */
static void kill_session(void *arg)
{
    struct owner *o = arg;

    ge_session_drain(o->peer);
}

static void test_next_owner(void)
{
    static struct owner dead = {.key = "k", .session = 1, .weight = GOST_ENDPOINT_EXCLUSIVE};
    static struct owner live = {.key = "k", .session = 1, .part = {{.send = 3}}};
    static struct visitor v = {.key = "k", .part = {.send = 1}};

    ok(owner_start(1, &dead) && owner_start(0, &live), "two owners of one key");
    on(1, kill_session, &dead);
    ok(visit(0, &v) && went_well(&v, 3), "one that takes no streams is passed over");
    on(1, owner_free, &dead);
    owner_stop(0, &live);
    ok(nothing_left(), "nothing is left");
}

struct picks {
    int n[3];
};

static void pick(void *arg)
{
    struct picks *p = arg;
    struct gh_endpoint_ref ref;

    memset(p, 0, sizeof *p);
    for (int i = 0; i < 4000; i++)
        if (gh_endpoint_choose("t/w", NULL, 0, &ref))
            p->n[ref.id % 3]++;
}

static void test_weights(void)
{
    static struct owner o[3] = {{.key = "w", .weight = 1}, {.key = "w", .weight = 3}};
    struct picks p;
    int most, least;

    (void)owner_start(0, &o[0]);
    (void)owner_start(1, &o[1]);
    on(0, pick, &p);
    most = p.n[0] > p.n[1] ? p.n[0] : p.n[1];
    most = most > p.n[2] ? most : p.n[2];
    least = 4000 - most;
    ok(p.n[0] + p.n[1] + p.n[2] == 4000 && most > 2700 && least > 700,
       "owners are chosen in proportion to their weights");
    o[2].key = "w";
    o[2].weight = GOST_ENDPOINT_EXCLUSIVE;
    (void)owner_start(1, &o[2]);
    on(0, pick, &p);
    ok(p.n[0] == 4000 || p.n[1] == 4000 || p.n[2] == 4000, "an exclusive one gets all visitors");
    owner_stop(0, &o[0]);
    owner_stop(1, &o[1]);
    owner_stop(1, &o[2]);
    ok(nothing_left(), "nothing is left");
}

static void say_remove(void *arg)
{
    gost_send(ge_stack_io(((struct owner *)arg)->peer), "x", 1);
}

static void test_remove(void)
{
    static struct owner o = {.key = "plain"};
    static struct visitor v = {.key = "plain"};

    (void)owner_start(1, &o);
    on(1, say_remove, &o);
    ok(until(1, is_set, &o.remove) && visit(0, &v) && v.result == GOST_ENOROUTE,
       "an offer may be taken back");
    owner_stop(1, &o);
    ok(nothing_left(), "nothing is left");
}

/* Visitors, owners and their sessions end while dials are under way. */
static void visitor_leaves(void *arg)
{
    struct visitor *v = arg;

    visitor_open(v);
    ge_run(gh_worker_engine(gh_worker_current()), 1000);
    gh_flow_end(v->flow, 0, NULL);
}

static void test_races(void)
{
    static struct owner o[20];
    static struct visitor v[20][3];

    for (int i = 0; i < 20; i++) {
        o[i].key = "r";
        o[i].session = i & 1;
        for (int k = 0; k < 64; k++)
            o[i].part[k].send = 100000;
        (void)owner_start(1, &o[i]);
        for (int k = 0; k < 3; k++) {
            v[i][k].key = "r";
            v[i][k].part.send = 100000;
        }
        on(0, visitor_leaves, &v[i][0]);
        on(0, visitor_open, &v[i][1]);
        on(i & 1, visitor_open, &v[i][2]);
        owner_stop(1, &o[i]);
    }
    ok(nothing_left(), "all may end at any time");
}

/* ---- a handler that lives on one worker ---- */

static struct lone {
    int instances, wrong;
    unsigned worker;
} lone; /* shared by its instances, without locks */

static int single_step(void *state, const void *conf, struct gost_io *io,
                       const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START) {
        lone.wrong += lone.instances++ && lone.worker != gh_worker_index(gh_worker_current());
        lone.worker = gh_worker_index(gh_worker_current());
        lone.wrong += gost_flow(io)->source->port != 99;
    }
    if (ev->type == GOST_EV_CLOSED)
        return ev->status;
    (void)echo(io);
    return gost_rx_eof(io) ? GOST_OK : GOST_AGAIN;
}

static const struct gost_handler_ops single_ops = {sizeof single_ops, 0, single_step, NULL};
static const struct gost_component single = {.kind = GOST_KIND_HANDLER,
                                             .flags = GOST_COMPONENT_SINGLE,
                                             .name = "single",
                                             .summary = "t",
                                             .ops = &single_ops};

static void single_open(void *arg)
{
    struct part *p = arg;
    struct gh_flow *f = flow_new(), *g = flow_new();
    struct ge_stack *a, *b;

    f->ge->source = (struct gost_addr){.family = GOST_AF_IP4, .port = 99};
    ge_stack_pair(f->ge, GOST_STREAM, &a, &b);
    play(&talk, g, b, p);
    (void)gh_flow_handle(f, a, &single, NULL, gost_bytes(NULL, 0));
}

static void test_single(void)
{
    static struct part p[20];
    int good = 1;

    for (int i = 0; i < 20; i++) {
        p[i].send = 50000;
        on(i & 1, single_open, &p[i]);
    }
    for (int i = 0; i < 20; i++)
        good &= until(i & 1, has_ended, &p[i]) && p[i].got == 50000 && !p[i].bad;
    ok(good, "clients of all workers are served");
    ok(nothing_left() && lone.instances == 20 && !lone.wrong,
       "by instances that all live on one worker");
}

int main(void)
{
    world_start();
    test_nobody();
    test_session();
    test_reset();
    test_accept();
    test_crowd();
    test_next_owner();
    test_weights();
    test_remove();
    test_races();
    test_single();
    world_stop();
    ok(mux_streams_open == 0, "every stream was closed once");
    return test_end();
}
