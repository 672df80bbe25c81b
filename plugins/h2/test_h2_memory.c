/* test_h2_memory.c - an exchange in which one allocation after the other fails. */
/* SPDX-License-Identifier: MIT */
#include "test_world.h"

/* Linked with --wrap: this many allocations succeed, then one fails; -1: all succeed. */
static long alloc_left = -1;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static int fails(void)
{
    return alloc_left >= 0 && alloc_left-- == 0;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

/* A request and its answer, as far as they come. 1: all of it came through. */
static int exchange(struct ge_flow *flow)
{
    const struct gost_field end[] = {{gost_bytes_str("x-end"), gost_bytes_str("yes")}};
    struct gost_head h = request("POST", "/"), in, trailers = {.size = sizeof trailers};
    struct ge_stack *c = NULL, *s;
    int good = 0;

    trailers.fields = end;
    trailers.n_fields = 1;
    trailers.flags = GOST_HEAD_TRAILERS;
    if (ge_session_open(side[CLIENT].session, flow, 0, &c) != GOST_OK)
        return 0;
    side[CLIENT].accepted[side[CLIENT].n_accepted++] = c;
    gost_head_send(top(c), &h);
    say(c, "question");
    gost_shut(top(c));
    run();
    s = accepted();
    if (s && gost_head_recv(top(s), &in) == GOST_OK && got(s, "question")) {
        respond(s, 200, 0);
        say(s, "answer");
        gost_head_send(top(s), &trailers);
        gost_shut(top(s));
        run();
        good = gost_head_recv(top(c), &in) == GOST_OK && got(c, "answer") &&
               gost_head_recv(top(c), &in) == GOST_OK && gost_rx_eof(top(c));
    }
    return good;
}

int main(void)
{
    struct ge_flow *flow;
    int leaked = 0, failed = 0, good;
    long n;

    test_begin();
    flow = ge_flow_new(worker);
    for (n = 0; n < 200; n++) {
        world_open("", "");
        alloc_left = n;
        good = exchange(flow);
        failed += !good;
        if (alloc_left >= 0) /* none was refused any more */
            break;
        alloc_left = -1;
        ge_flow_unref(flow);
        leaked += !world_close();
        flow = ge_flow_new(worker);
    }
    alloc_left = -1;
    printf("# %ld allocations, %d exchanges failed\n", n, failed);
    ok(n > 5 && n < 200 && good, "an exchange with enough memory comes through");
    ok(failed > 0 && failed <= n, "those without do not");
    ge_flow_unref(flow);
    ok(world_close() && !leaked, "nothing leaks");
    return test_finish();
}
