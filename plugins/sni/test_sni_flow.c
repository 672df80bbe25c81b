/* test_sni_flow.c - whole connections through the sni handler and the cover layer. */
/* SPDX-License-Identifier: MIT */
#include "../../sdk/testkit/test_flow.h"
#include "sni.h"

#define CAPTURES "plugins/sni/captures/"

static uint64_t handler_conf = 15 * GOST_S; /* the handler's only option */
static struct record in, want;

static void open_handler(void)
{
    flow_open(component("sni", GOST_KIND_HANDLER), &handler_conf, NULL, 0);
}

static int dialed(const char *host, uint16_t port)
{
    return t.n_ends == 2 && strcmp(t.end[1].addr.name, host) == 0 && t.end[1].addr.port == port;
}

static void test_handler(void)
{
    size_t i;

    load_record(&in, CAPTURES "sni-tls.txt", '>', 0);
    open_handler();
    feed(0, in.p, 100);
    ok(t.n_ends == 1 && !t.ended, "half a ClientHello waits");
    feed(0, in.p + 100, in.n - 100);
    ok(dialed("example.test", 443), "the server name is dialed at port 443");
    ok(t.end[1].n == in.n && memcmp(t.end[1].got, in.p, in.n) == 0,
       "the ClientHello goes unchanged");
    say(1, "reply");
    ok(got(0, "reply"), "the reply comes back");
    open_handler();
    for (i = 0; i < in.n; i++)
        feed(0, in.p + i, 1);
    ok(dialed("example.test", 443) && t.end[1].n == in.n, "byte by byte");
    open_handler();
    say(0, "GET / HTTP/1.1\r\nHost: a.b:8080\r\n\r\nmore");
    ok(dialed("a.b", 8080) && got(1, "GET / HTTP/1.1\r\nHost: a.b:8080\r\n\r\nmore"), "HTTP");
    open_handler();
    say(0, "GET / HTTP/1.1\r\nHost: a.b\r\n\r\n");
    ok(dialed("a.b", 80), "HTTP at port 80");
}

static void test_handler_refusals(void)
{
    open_handler();
    say(0, "SSH-2.0-x\r\n");
    ok(t.ended && t.status == GOST_EPROTO && t.n_ends == 1, "another protocol is closed");
    open_handler();
    say(0, "GET / HTTP/1.0\r\n\r\n");
    ok(t.ended && t.status == GOST_EPROTO, "HTTP without a Host is closed");
    open_handler();
    feed(0, in.p, 50);
    end_input(0, 0);
    ok(t.ended && t.status == GOST_ECLOSED, "an end in the middle of a ClientHello");
    open_handler();
    feed(0, in.p, 50);
    flow_pass(16 * GOST_S);
    ok(t.ended && t.status == GOST_ETIMEDOUT, "a client that stops");
    open_handler();
    t.dial_status = GOST_EREFUSED;
    feed(0, in.p, in.n);
    ok(t.ended && t.status == GOST_EREFUSED && got(0, ""), "a target that refuses");
}

/* A stack with the cover layer on top; end 0 is what the server sees. */
static struct gost_io *cover(const char *host)
{
    struct ge_layer_spec spec;

    open_handler();
    memset(&spec, 0, sizeof spec);
    spec.component = component("sni.cover", GOST_KIND_LAYER);
    spec.role = GOST_CLIENT;
    spec.arg = gost_bytes_str(host);
    end_new();
    ge_stack_push(t.end[1].stack, &spec);
    flow_run();
    return ge_stack_io(t.end[1].stack);
}

static void test_cover(void)
{
    struct gost_io *io = cover("cover.test:18080");

    load_record(&in, CAPTURES "sni-http.txt", '>', 0);
    load_record(&want, CAPTURES "sni-http-host.txt", '>', 0);
    gost_send(io, in.p, 20);
    flow_run();
    ok(t.end[1].n == 0, "half a head is held back");
    gost_send(io, in.p + 20, in.n - 20);
    gost_send(io, "body", 4);
    flow_run();
    ok(t.end[1].n == want.n + 4 && memcmp(t.end[1].got, want.p, want.n) == 0,
       "the covered head, then the rest");
    ok(ge_stack_identity(t.end[1].stack), "then the layer is out of the way");
    io = ge_stack_io(t.end[1].stack);
    t.end[1].n = 0;
    gost_send(io, "more", 4);
    flow_run();
    ok(got(1, "more"), "later bytes go unchanged");
    say(1, "back");
    ok(gost_rx_len(io) == 4, "and those that come back");
    io = cover("cover.test");
    gost_send(io, "SSH-2.0-x\r\n", 11);
    flow_run();
    ok(got(1, "SSH-2.0-x\r\n"), "another protocol goes unchanged");
    io = cover("cover.test");
    say(1, "220 server first\r\n");
    ok(gost_rx_len(ge_stack_io(t.end[1].stack)) == 18, "a server may speak first");
    io = cover("cover.test");
    gost_send(io, "GET / HT", 8);
    flow_run();
    flow_pass(16 * GOST_S);
    ok(t.end[1].n == 0 && t.flow->status == GOST_ETIMEDOUT, "half a head is never sent");
}

int main(void)
{
    test_handler();
    test_handler_refusals();
    test_cover();
    flow_close();
    return test_end();
}
