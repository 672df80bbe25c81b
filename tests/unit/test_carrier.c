/* test_carrier.c - the pool of sessions: single flight, fullness, checks, ages, ends. */
/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "../../host/carrier.h"
#include "../../sdk/testkit/test_tap.h"
#include "mux.h"

/* ---- one worker; everything runs on its thread ---- */

struct errand {
    void (*fn)(void);
    sem_t done;
};

static struct gh_worker *w;

static void run_errand(struct gh_worker *worker, void *arg)
{
    struct errand *e = arg;

    e->fn();
    sem_post(&e->done);
}

static void on_worker(void (*fn)(void))
{
    struct errand e = {.fn = fn};

    sem_init(&e.done, 0, 0);
    gh_worker_post(w, run_errand, &e);
    while (sem_wait(&e.done) < 0)
        ;
    sem_destroy(&e.done);
}

/* Until a question asked on the worker is answered by yes, or for 20 s. */
static int (*question)(void);
static int answer;

static void ask(void)
{
    answer = question();
}

static int until(int (*fn)(void))
{
    int i;

    question = fn;
    for (i = 0; i < 20000; i++) {
        on_worker(ask);
        if (answer)
            return 1;
        usleep(1000);
    }
    return 0;
}

static void e_act(void *ctx, struct ge_task *t, const struct gost_action *a)
{
}

static void e_cancel(void *ctx, struct ge_task *t)
{
}

static void e_log(void *ctx, struct ge_flow *flow, int level, const char *text)
{
}

static const struct ge_embed embed = {.act = e_act, .cancel = e_cancel, .log = e_log};

/* ---- a node and its peer ---- */

enum { STREAMS = 8 };

static struct gh_carrier_conf conf;
static struct gh_node node = {.label = "hop/node", .addr_text = "", .carrier = &conf};
static struct gh_path path = {.node = {&node}, .n = 1};
static struct gh_service service = {.refs = 1000000};
static struct mux_conf ours = {16384, 0, 0, 0}, theirs = {16384, 0, 0, 0};

static struct ge_flow *flow;
static struct ge_stack *session, *peer, *stream[STREAMS], *accepted[STREAMS];
static int n_accepted, ready, peer_over;
static struct gh_carrier *dialed;
static uint64_t id;
static struct gh_carrier_wait waits[3];
static int woken[3];

static void on_accept(struct ge_stack *s, void *arg, struct ge_stack *st)
{
    accepted[n_accepted++] = st;
}

static void on_peer_end(struct ge_stack *s, void *arg, int status)
{
    peer_over = 1;
    peer = NULL;
    ge_stack_linger(s);
}

static void on_ready(struct ge_stack *s, void *arg, int status)
{
    ready = 1;
}

static void push(struct ge_stack *s, uint32_t role, const struct mux_conf *c)
{
    struct ge_layer_spec spec = {.component = &mux_component, .conf = c, .role = role};

    if (ge_stack_push(s, &spec) != GOST_OK)
        abort();
}

static void dial(void)
{
    ge_stack_pair(flow, GOST_STREAM, &session, &peer);
    push(session, GOST_CLIENT, &ours);
    push(peer, GOST_SERVER, &theirs);
    n_accepted = ready = peer_over = 0;
    memset(stream, 0, sizeof stream);
    ge_session_on_stream(peer, on_accept, NULL);
    ge_session_on_end(peer, on_peer_end, NULL);
    ge_stack_on_ready(session, on_ready, NULL);
}

static int is_ready(void)
{
    return ready;
}

static void go(void *arg)
{
    (*(int *)arg)++;
}

static enum gh_carrier_state find(struct gh_carrier **ret, int i)
{
    waits[i].go = go;
    waits[i].arg = &woken[i];
    return gh_carrier_find(w, &path, 1, ret, &waits[i]);
}

static void begin(void)
{
    memset(woken, 0, sizeof woken);
    dialed = gh_carrier_begin(w, &service, &path, 1);
    id = gh_carrier_id(dialed);
    dial();
}

static int take_over_status;

static void take_over(void)
{
    take_over_status = gh_carrier_ready(dialed, session, flow, &stream[0]);
}

static void end_all(void)
{
    int i;

    for (i = 0; i < STREAMS; i++)
        if (stream[i])
            ge_stack_free(stream[i], 0);
    for (i = 0; i < n_accepted; i++)
        ge_stack_free(accepted[i], 0);
    gh_carriers_end(w);
    if (peer)
        ge_stack_free(peer, 0);
    peer = NULL;
}

/* A carrier with one stream. */
static void start(struct gh_carrier_conf c)
{
    conf = c;
    on_worker(begin);
    if (!until(is_ready))
        abort();
    on_worker(take_over);
}

static const struct gh_carrier_conf plain = {.check_after = 1000 * GOST_S,
                                             .check_timeout = 1000 * GOST_S};

/* ---- finding ---- */

static enum gh_carrier_state found[4];
static struct gh_carrier *which;

static void find_once(void)
{
    found[0] = find(&which, 0);
    gh_carrier_unwait(&waits[0]);
}

static enum gh_carrier_state look(void)
{
    on_worker(find_once);
    return found[0];
}

static void find_two(void)
{
    found[0] = find(&which, 0);
    found[1] = find(&which, 1);
}

static int open_status;

static void open_one(void)
{
    int i = 0;

    while (stream[i])
        i++;
    open_status = gh_carrier_open(which, flow, &stream[i]);
}

static void close_first(void)
{
    ge_stack_free(stream[0], 0);
    stream[0] = NULL;
}

static int usable(void)
{
    return gh_carrier_usable(w, id);
}

static int unusable(void)
{
    return !usable();
}

static int is_over(void)
{
    return peer_over;
}

static int both_woken(void)
{
    return woken[0] + woken[1] >= 2;
}

static void test_single_flight(void)
{
    conf = plain;
    ok(look() == GH_CARRIER_NONE, "an empty pool");
    on_worker(begin);
    on_worker(find_two);
    ok(found[0] == GH_CARRIER_WAIT && found[1] == GH_CARRIER_WAIT, "others wait for who dials");
    until(is_ready);
    on_worker(take_over);
    ok(take_over_status == GOST_OK && stream[0] && woken[0] == 1 && woken[1] == 1,
       "they are told when it is ready, after the one who dialed");
    ok(look() == GH_CARRIER_READY && gh_carrier_id(which) == id, "and find it");
    on_worker(end_all);
}

static void fail_it(void)
{
    gh_carrier_failed(dialed);
    ge_stack_free(session, 0);
}

static void test_failed_dial(void)
{
    on_worker(begin);
    on_worker(find_two);
    on_worker(fail_it);
    ok(woken[0] == 1 && woken[1] == 1 && look() == GH_CARRIER_NONE && until(unusable),
       "who waits is told of a failure, and it is gone");
    on_worker(end_all);
}

/* ---- limits ---- */

static void test_max_streams(void)
{
    struct gh_carrier_conf c = plain;

    c.max_streams = 2;
    start(c);
    ok(look() == GH_CARRIER_READY, "one stream of two");
    on_worker(open_one);
    ok(open_status == GOST_OK && look() == GH_CARRIER_NONE && usable(), "two: it is full");
    on_worker(close_first);
    ok(look() == GH_CARRIER_READY, "one again: it has room");
    on_worker(end_all);
}

static void test_full(void)
{
    start(plain);
    (void)look();
    ours.refuse = 1;
    on_worker(open_one);
    ours.refuse = 0;
    ok(open_status == GOST_FULL && look() == GH_CARRIER_NONE && usable(),
       "a session that gives no more streams stays, and another is dialed");
    on_worker(close_first);
    ok(look() == GH_CARRIER_READY, "it is asked again when it has fewer");
    on_worker(end_all);
}

static void say_much(void)
{
    static char block[5000];

    gost_send(ge_stack_io(stream[0]), block, sizeof block);
}

static int much_went(void)
{
    return ge_session_bytes(session) >= 5000;
}

static void test_max_bytes(void)
{
    struct gh_carrier_conf c = plain;

    c.max_bytes = 5000;
    start(c);
    ok(look() == GH_CARRIER_READY, "before it carried anything");
    on_worker(say_much);
    until(much_went);
    ok(look() == GH_CARRIER_NONE && !usable() && ge_session_streams(session) == 1,
       "it carried enough: no more streams, and the one it has goes on");
    on_worker(close_first);
    ok(until(is_over), "with its last stream it ends");
    on_worker(end_all);
}

static void test_age(void)
{
    struct gh_carrier_conf c = plain;

    c.max_age = 50 * GOST_MS;
    start(c);
    ok(until(unusable) && ge_session_streams(session) == 1, "too old: no more streams");
    on_worker(close_first);
    ok(until(is_over), "it ends with its last one");
    on_worker(end_all);
}

static void test_idle(void)
{
    struct gh_carrier_conf c = plain;

    c.idle = 30 * GOST_MS;
    start(c);
    usleep(200000);
    on_worker(ask);
    ok(usable(), "a session in use is not idle");
    on_worker(close_first);
    ok(until(is_over) && unusable(), "one without streams ends after carrier.idle");
    on_worker(end_all);
}

/* ---- signs of life ---- */

static void test_check(void)
{
    struct gh_carrier_conf c = plain;

    c.check_after = GOST_MS;
    start(c);
    usleep(20000);
    on_worker(find_two);
    ok(found[0] == GH_CARRIER_WAIT && found[1] == GH_CARRIER_WAIT, "a silent one is asked first");
    ok(until(both_woken) && usable(), "its answer lets them go on with it");
    on_worker(end_all);

    c.check_timeout = 30 * GOST_MS;
    theirs.mute = 1;
    start(c);
    usleep(20000);
    on_worker(find_two);
    ok(found[0] == GH_CARRIER_WAIT && until(both_woken) && unusable() && look() == GH_CARRIER_NONE,
       "one that does not answer is gone, and another is dialed");
    theirs.mute = 0;
    on_worker(end_all);
}

static uint64_t since;

static void suspect_early(void)
{
    gh_carrier_suspect(w, id, since);
}

static void note_now(void)
{
    since = ge_now(gh_worker_engine(w));
}

static void test_suspect(void)
{
    start(plain);
    since = 0;
    on_worker(suspect_early);
    ok(usable(), "something came back on it");
    on_worker(note_now);
    on_worker(suspect_early);
    ok(!usable(), "nothing came back on it: used no more");
    on_worker(suspect_early);
    id = 0;
    on_worker(suspect_early);
    ok(!usable(), "one that is gone cannot be suspected");
    on_worker(end_all);
}

/* ---- the peer ---- */

static void peer_goes(void)
{
    ge_session_drain(peer);
}

static void peer_dies(void)
{
    ge_stack_free(peer, 1);
    peer = NULL;
}

static void test_peer(void)
{
    start(plain);
    on_worker(peer_goes);
    ok(until(unusable) && look() == GH_CARRIER_NONE && ge_session_streams(session) == 1,
       "a peer that says goodbye: no more streams, and the one it has goes on");
    on_worker(close_first);
    ok(until(is_over), "it ends with its last one");
    on_worker(end_all);
    start(plain);
    on_worker(peer_dies);
    ok(until(unusable) && look() == GH_CARRIER_NONE, "a peer that dies");
    on_worker(end_all);
}

int main(void)
{
    struct gh_net_conf net = {.workers = 1, .embed = &embed};

    gost_host_ = ge_host_table();
    if (gh_net_start(&net) != GOST_OK)
        return 1;
    w = gh_worker_get(0);
    flow = ge_flow_new(gh_worker_engine(w));
    test_single_flight();
    test_failed_dial();
    test_max_streams();
    test_full();
    test_max_bytes();
    test_age();
    test_idle();
    test_check();
    test_suspect();
    test_peer();
    ge_flow_unref(flow);
    gh_net_stop();
    return test_end();
}
