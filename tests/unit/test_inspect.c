/* test_inspect.c - an inspector on a task's port: what it sees, when it gives up, what is left. */
/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "../../sdk/testkit/test_embed.h"
#include "../../sdk/testkit/test_tap.h"

const struct gost_host *gost_host_;

/* ---- the embedder: an action is an inspection, asked for with its tag as the mode ---- */

/* ---- the inspector: "!" and a line; "%" takes a byte, "&" sends one ---- */

static int calls;

static int look(void *state, const void *conf, struct gost_io *io)
{
    size_t n = gost_rx_len(io);
    const uint8_t *p = gost_peek(io, n < 100 ? n : 100);
    struct gost_sniffed found;

    calls++;
    if (p[0] == '%')
        gost_consume(io, 1);
    if (p[0] == '&')
        gost_send(io, "x", 1);
    if (p[0] != '!')
        return GOST_OK;
    if (p[n - 1] != '\n') {
        gost_want(io, n + 1);
        return GOST_AGAIN;
    }
    memset(&found, 0, sizeof found);
    found.size = sizeof found;
    found.protocol = gost_bytes_str("bang");
    found.host = gost_bytes(p + 1, n - 2);
    gost_set_sniffed(io, &found);
    return GOST_OK;
}

static const struct gost_inspector_ops look_ops = {
    .size = sizeof look_ops, .limit = 40, .inspect = look};
static const struct gost_component inspector = {
    .kind = GOST_KIND_INSPECTOR, .name = "look", .summary = "t", .ops = &look_ops};

static int found_as, found_calls;

static void found(struct ge_task *t, void *arg, int r)
{
    found_as = r;
    found_calls++;
    ge_result(t, GOST_ACT_HANDOFF, 1, r < 0 ? r : 0, NULL, NULL, 0);
}

static uint64_t timeout_ns;
static struct ge_stack *target_side;

static void f_act(void *ctx, struct ge_task *t, const struct gost_action *a)
{
    struct ge_inspect_spec spec = {
        .component = &inspector, .port = 0, .timeout_ns = timeout_ns, .done = found};
    struct ge_stack *mine;

    ge_stack_pair(ge_task_flow(t), GOST_STREAM, &mine, &target_side);
    ge_port_open(t, 1, mine);
    ok(ge_task_inspect(t, &spec) == GOST_OK, "an inspection begins");
    ok(ge_task_inspect(t, &spec) == GOST_EINTERNAL, "one at a time");
}

/* ---- the handler: inspect, then relay ---- */

static int events;

static int handle(void *state, const void *conf, struct gost_io *io, const struct gost_event *ev)
{
    if (ev->type == GOST_EV_START)
        return gost_inspect(io, 1, 0, "look") == GOST_OK ? GOST_AGAIN : GOST_EINTERNAL;
    if (ev->type != GOST_EV_RESULT) {
        events++;
        return GOST_AGAIN;
    }
    if (ev->status)
        return gost_fail(io, ev->status, "refused");
    gost_relay(io, 0, 1, 0);
    return GOST_AGAIN;
}

static const struct gost_handler_ops handle_ops = {sizeof handle_ops, 0, handle, NULL};
static const struct gost_component handler = {
    .kind = GOST_KIND_HANDLER, .name = "h", .summary = "t", .ops = &handle_ops};

/* ---- one flow ---- */

static struct ge_worker *w;
static struct ge_flow *flow;
static struct ge_stack *client;
static struct ge_task *task;
static int done_status;

static void done(struct ge_task *t, void *ctx, int status)
{
    done_status = status;
    task = NULL;
}

static void run(void)
{
    int i;

    for (i = 0; i < 10000 && ge_run(w, 100); i++)
        ;
}

static void begin(uint64_t timeout)
{
    struct ge_task_spec spec = {.component = &handler, .done = done};
    struct ge_stack *server;

    calls = events = found_calls = 0;
    found_as = done_status = 77;
    timeout_ns = timeout;
    flow = ge_flow_new(w);
    spec.flow = flow;
    ge_stack_pair(flow, GOST_STREAM, &client, &server);
    task = ge_task_new(&spec, server);
    run();
}

static void say(struct ge_stack *s, const char *text)
{
    gost_send(ge_stack_io(s), text, strlen(text));
    run();
}

static int heard(struct ge_stack *s, const char *want)
{
    size_t n = strlen(want);
    const uint8_t *p = gost_rx_len(ge_stack_io(s)) == n ? gost_peek(ge_stack_io(s), n) : NULL;
    int good = n == 0 ? gost_rx_len(ge_stack_io(s)) == 0 : p && memcmp(p, want, n) == 0;

    gost_consume(ge_stack_io(s), gost_rx_len(ge_stack_io(s)));
    return good;
}

static void end(void)
{
    if (task)
        ge_task_cancel(task, 0);
    ge_stack_free(client, 0);
    ge_stack_free(target_side, 0);
    ge_flow_unref(flow);
    run();
    clock_ns += 20 * GOST_S;
    ge_timers_run(w);
    run();
}

/* ---- tests ---- */

static void test_decided(void)
{
    begin(0);
    say(client, "!a.");
    ok(calls == 1 && found_calls == 0 && heard(target_side, ""), "it waits for what it wants");
    say(client, "b\n");
    ok(found_calls == 1 && found_as == GOST_OK && flow->sniffed_host &&
           strcmp(flow->sniffed_host, "a.b") == 0 && strcmp(flow->sniffed_protocol, "bang") == 0,
       "it decides");
    ok(heard(target_side, "!a.b\n"), "and has taken nothing");
    say(target_side, "back");
    ok(heard(client, "back") && events == 0, "the flow goes on as if nothing had been");
    end();
}

static void test_gives_up(void)
{
    begin(0);
    say(client, "!234567890123456789012345678901234567890123456789");
    ok(found_as == GOST_AGAIN &&
           heard(target_side, "!234567890123456789012345678901234567890123456789"),
       "it gives up at its limit");
    end();
    begin(GOST_S);
    say(client, "!part");
    ok(found_calls == 0, "it waits");
    clock_ns += 2 * GOST_S;
    ge_timers_run(w);
    run();
    ok(found_as == GOST_AGAIN && heard(target_side, "!part"), "it gives up in time");
    end();
    begin(0);
    say(client, "!part");
    gost_shut(ge_stack_io(client));
    run();
    ok(found_as == GOST_AGAIN && heard(target_side, "!part") &&
           gost_rx_eof(ge_stack_io(target_side)),
       "it gives up when the client ends, whose end is passed on");
    end();
    begin(0);
    say(target_side, "220 ready");
    ok(calls == 0 && found_as == GOST_AGAIN && heard(client, "220 ready"),
       "it gives up when the other side speaks first");
    end();
    begin(0);
    say(client, "!part");
    say(target_side, "early");
    ok(found_calls == 0 && heard(client, ""), "but not when the client has begun");
    end();
}

static void test_defects(void)
{
    begin(0);
    say(client, "%12");
    ok(found_as == GOST_EINTERNAL && done_status == GOST_EINTERNAL, "it may take nothing");
    end();
    begin(0);
    say(client, "&12");
    ok(found_as == GOST_EINTERNAL && done_status == GOST_EINTERNAL, "it may send nothing");
    end();
}

static void test_cancelled(void)
{
    begin(10 * GOST_S);
    say(client, "!part");
    ge_task_cancel(task, GOST_ECANCELLED);
    task = NULL;
    ok(found_calls == 0, "a cancelled task's inspection ends with it");
    end();
}

int main(void)
{
    struct ge_embed e = embedder();

    e.act = f_act;
    w = ge_worker_new(&e, NULL);
    gost_host_ = ge_host_table();
    test_decided();
    test_gives_up();
    test_defects();
    test_cancelled();
    ok(nothing_left(w), "nothing is left");
    ge_worker_free(w);
    return test_end();
}
