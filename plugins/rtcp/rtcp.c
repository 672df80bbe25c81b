/* rtcp.c - listeners at the other end of a chain: rtcp, rudp, runix. */
/* SPDX-License-Identifier: MIT */
#include <gost/plugin.h>

/* The host binds through the listener's chain; what it goes by is said here. */
struct rudp_conf {
    int64_t backlog, read_queue_size;
    uint64_t ttl_ns, read_buffer_size;
};

static const struct gost_opt rudp_options[] = {
    GOST_OPT_INT(struct rudp_conf, backlog, "backlog", "128", 1, 65536, "associations",
                 GOST_OPT_SERVER, "Accepted for GOST's sake: the host's own bound holds"),
    GOST_OPT_DURATION(struct rudp_conf, ttl_ns, "ttl", "5s", 1, 0x7fffffff, GOST_OPT_SERVER,
                      "Silence after which an association ends"),
    GOST_OPT_SIZE(struct rudp_conf, read_buffer_size, "readBufferSize", "8192", 1, 65536,
                  GOST_OPT_SERVER, "Accepted for GOST's sake: datagrams are never cut here"),
    GOST_OPT_INT(struct rudp_conf, read_queue_size, "readQueueSize", "1024", 1, 65536, "packets",
                 GOST_OPT_SERVER, "Accepted for GOST's sake: the host's own bound holds"),
    GOST_OPT_LAST,
};

static const struct gost_transport_ops stream_transport = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_STREAM,
    .flags = GOST_TRANSPORT_CHAIN,
};

static const struct gost_transport_ops path_transport = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_STREAM,
    .flags = GOST_TRANSPORT_CHAIN | GOST_TRANSPORT_PATH,
};

static const struct gost_transport_ops packet_transport = {
    .size = sizeof(struct gost_transport_ops),
    .type = GOST_DATAGRAM,
    .flags = GOST_TRANSPORT_CHAIN,
};

#define TRANSPORT(word, text, table) \
    .kind = GOST_KIND_TRANSPORT, .name = word, .summary = text, .ops = &table
#define STACK(word)                                                                 \
    {                                                                               \
        .size = sizeof(struct gost_stack_ops), .roles = GOST_SERVER, .layers = word \
    }

static const struct gost_stack_ops rtcp_stack = STACK("rtcp");
static const struct gost_stack_ops rudp_stack = STACK("rudp");
static const struct gost_stack_ops runix_stack = STACK("runix");

static const struct gost_component rtcp_components[] = {
    {TRANSPORT("rtcp", "TCP connections that arrive at the end of the chain", stream_transport)},
    {TRANSPORT("rudp", "UDP packets that arrive at the end of the chain", packet_transport),
     .options = rudp_options, .conf_size = sizeof(struct rudp_conf)},
    {TRANSPORT("runix", "Unix connections that arrive at the end of the chain", path_transport)},
    {.kind = GOST_KIND_STACK, .name = "rtcp", .summary = "remote TCP", .ops = &rtcp_stack},
    {.kind = GOST_KIND_STACK, .name = "rudp", .summary = "remote UDP", .ops = &rudp_stack},
    {.kind = GOST_KIND_STACK, .name = "runix", .summary = "remote Unix", .ops = &runix_stack},
};

GOST_PLUGIN("rtcp", "1.0", "MIT", "Listeners at the other end of a chain", rtcp_components,
            "transport:rtcp transport:rudp transport:runix listener:rtcp listener:rudp "
            "listener:runix");
