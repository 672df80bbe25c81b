/* fuzz_quic.c - what strangers send: route(), and a server's connection with any packets. */
/* SPDX-License-Identifier: MIT */
#include "test_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ge_bottom_ops wire = {NULL, NULL};
static struct ge_conf *confs[3]; /* plain, with Retry, with cipherKey */
static struct gost_addr from;

static void begin(void)
{
    static const char *const retry[] = {"quic.retry", "true", NULL};
    static const char *const sealed[] = {"cipherKey", "0123456789abcdef", NULL};
    static const uint8_t ip[4] = {192, 0, 2, 1};

    world_begin();
    gost_addr_set_ip(&from, ip, 4, 1234);
    confs[0] = world_conf(GOST_SERVER, NULL);
    confs[1] = world_conf(GOST_SERVER, retry);
    confs[2] = world_conf(GOST_SERVER, sealed);
}

static void fuzz_route(const struct ge_conf *conf, unsigned flags, struct gost_bytes v)
{
    struct gost_packet p = {.size = sizeof p, .flags = (uint8_t)flags, .data = v, .addr = &from};
    struct gost_route_key key;
    uint8_t reply[4096];
    size_t room = v.n * 3 < sizeof reply ? v.n * 3 : sizeof reply, n = room;
    int r;

    memset(&key, 0xff, sizeof key);
    r = ge_route(world, &gost_plugin_v1.components[0], ge_conf_data(conf), &p, &key, reply, &n);
    if (r == GOST_ROUTE_KEY && (key.n == 0 || key.n > sizeof key.k || key.fresh > 1 ||
                                (key.fresh && (v.n < QUIC_INITIAL || key.n < 8))))
        abort();
    if (r == GOST_ROUTE_ANSWER && (n == 0 || n > room || (flags & GOST_PACKET_STRAY && n >= v.n)))
        abort();
    if (r != GOST_ROUTE_KEY && r != GOST_ROUTE_ANSWER && r != GOST_ROUTE_DROP)
        abort();
}

/* Packets, each behind two bytes of length. */
static void fuzz_server(const struct ge_conf *conf, struct gost_bytes v)
{
    struct ge_layer_spec spec = {.component = &gost_plugin_v1.components[0],
                                 .conf = ge_conf_data(conf),
                                 .role = GOST_SERVER};
    struct ge_flow *flow = ge_flow_new(world);
    struct ge_stack *s = ge_stack_new(flow, GOST_DATAGRAM, &wire, NULL);
    struct gost_packet p = {.size = sizeof p, .addr = &from}, out;
    size_t n;

    ge_flow_unref(flow);
    if (ge_stack_push(s, &spec) != GOST_OK)
        abort();
    while (v.n > 2) {
        n = gost_get16(v.p);
        n = n < v.n - 2 ? n : v.n - 2;
        p.data = gost_bytes(v.p + 2, n);
        (void)ge_rx_packet(s, &p);
        v = gost_bytes(v.p + 2 + n, v.n - 2 - n);
        while (ge_run(world, 100))
            ;
        while (ge_tx_packet(s, &out) == GOST_OK)
            ge_tx_packet_drop(s);
        world_clock += 30 * GOST_MS;
        ge_timers_run(world);
    }
    ge_stack_free(s, 0);
    while (ge_run(world, 100))
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int begun;
    unsigned what;

    if (!begun)
        begin();
    begun = 1;
    if (size < 1)
        return 0;
    what = data[0];
    if (what & 0x80)
        fuzz_server(confs[what & 1], gost_bytes(data + 1, size - 1));
    else
        fuzz_route(confs[what % 3], what >> 2 & 3, gost_bytes(data + 1, size - 1));
    return 0;
}
